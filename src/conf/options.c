/* SPDX-License-Identifier: BSD-3-Clause */
/* The master copy of the options: parser, sample, printed configuration and manual check come from it. */
#include "config.h"
#include "conf/conf_impl.h"

#include <stddef.h>

static const char *const onions_words[] = { "hash", "never", "full", NULL };
/* log_level values start at 3 (error); value_set() adds that. */
static const char *const level_words[] = { "error", "warning", "notice", "info", "debug", NULL };
static const char *const role_words[] = { "mirror", "replica", "archive", NULL };

const char *const section_names[SECTION__COUNT] = { NULL, "tor", "check", "mirror", "channel" };

#define TOP(field) offsetof(struct conf, field)
#define TOR(field) offsetof(struct conf_tor, field)
#define CHECK(field) offsetof(struct conf_check, field)
#define MIRROR(field) offsetof(struct conf_mirror, field)
#define CHANNEL(field) offsetof(struct conf_channel, field)
#define SEC 1000LL
#define DAY (86400 * SEC)

const struct option options[] = {
	{ SECTION_TOP, "site", TYPE_NAME, NULL, 0, 0, TOP(site), NULL, OPTION_NEEDED | OPTION_RESTART, "a name for people; trust hangs on the site id" },
	{ SECTION_TOP, "state-dir", TYPE_PATH, "/var/lib/onionmirror", 0, 0, TOP(state_dir), NULL, OPTION_RESTART, "sealed state, mode 0700" },
	{ SECTION_TOP, "publish-dir", TYPE_PATH, "/var/lib/onionmirror/publish", 0, 0, TOP(publish_dir), NULL, OPTION_RESTART, "where the signed list is written" },
	{ SECTION_TOP, "control-socket", TYPE_ENDPOINT, "unix:/run/onionmirror/control.sock", 0, 0, TOP(control_socket), NULL, OPTION_RESTART, "where onionmirror(1) reaches the daemon" },
	{ SECTION_TOP, "control-group", TYPE_TEXT, "", 0, 0, TOP(control_group), NULL, OPTION_RESTART, "a group whose members may use the control socket" },
	{ SECTION_TOP, "key-file", TYPE_PATH, "/etc/onionmirror/master.key", 0, 0, TOP(key_file), NULL, OPTION_RESTART, "master key: 64 hex digits, mode 0600" },
	{ SECTION_TOP, "passphrase-file", TYPE_PATH, "", 0, 0, TOP(passphrase_file), NULL, OPTION_RESTART, "a file with a passphrase, in place of key-file" },
	{ SECTION_TOP, "min-listed", TYPE_INT, "2", 1, CONF_MIRRORS_MAX, TOP(min_listed), NULL, 0, "never delist below this many addresses" },
	{ SECTION_TOP, "log-onions", TYPE_WORD, "hash", 0, 0, TOP(log_onions), onions_words, 0, "addresses in the log: never, hash or full" },
	{ SECTION_TOP, "log-level", TYPE_WORD, "notice", 0, 0, TOP(log_level), level_words, 0, "error, warning, notice, info or debug" },
	{ SECTION_TOP, "rotation-spacing", TYPE_MS, "10m", 0, 30 * DAY, TOP(rotation_spacing_ms), NULL, 0, "least time between automatic rotations" },
	{ SECTION_TOP, "max-rotations-per-day", TYPE_INT, "6", 0, 1000, TOP(max_rotations_per_day), NULL, 0, "automatic rotations a day" },
	{ SECTION_TOP, "history-days", TYPE_INT, "30", 1, 3650, TOP(history_days), NULL, 0, "how long probes and decisions are kept" },
	{ SECTION_TOR, "control", TYPE_ENDPOINT, "unix:/run/tor/control", 0, 0, TOR(control), NULL, OPTION_RESTART, "tor's ControlPort" },
	{ SECTION_TOR, "socks", TYPE_ENDPOINT, "unix:/run/tor/socks", 0, 0, TOR(socks), NULL, OPTION_RESTART, "tor's SocksPort, for probes" },
	{ SECTION_TOR, "cookie", TYPE_PATH, "", 0, 0, TOR(cookie), NULL, OPTION_RESTART, "cookie file for SAFECOOKIE" },
	{ SECTION_TOR, "password-file", TYPE_PATH, "", 0, 0, TOR(password_file), NULL, OPTION_RESTART, "a file with the password for HashedControlPassword" },
	{ SECTION_TOR, "allow-no-auth", TYPE_BOOL, "false", 0, 0, TOR(allow_no_auth), NULL, OPTION_RESTART, "accept a tor that asks for no authentication" },
	{ SECTION_TOR, "max-mirrors", TYPE_INT, "20", 1, CONF_MIRRORS_MAX, TOR(max_mirrors), NULL, 0, "most mirrors on this tor" },
	{ SECTION_CHECK, "path", TYPE_TEXT, "/", 0, 0, CHECK(path), NULL, 0, "what is asked for" },
	{ SECTION_CHECK, "status", TYPE_INT, "200", 200, 599, CHECK(status), NULL, 0, "the status of a healthy answer" },
	{ SECTION_CHECK, "contains", TYPE_TEXT, "", 0, 0, CHECK(contains), NULL, 0, "text that the body must hold" },
	{ SECTION_CHECK, "sha256", TYPE_TEXT, "", 0, 0, CHECK(sha256), NULL, 0, "hash of the whole body, 64 hex digits" },
	{ SECTION_CHECK, "header", TYPE_TEXT, "", 0, 0, CHECK(header), NULL, 0, "a header line that must be there: \"Name: value\"" },
	{ SECTION_CHECK, "interval", TYPE_MS, "5m", 1 * SEC, DAY, CHECK(interval_ms), NULL, 0, "between probes while all is well" },
	{ SECTION_CHECK, "timeout", TYPE_MS, "60s", 1 * SEC, 600 * SEC, CHECK(timeout_ms), NULL, 0, "deadline of one probe" },
	{ SECTION_CHECK, "rise", TYPE_INT, "2", 1, 100, CHECK(rise), NULL, 0, "good probes in a row that prove an address" },
	{ SECTION_CHECK, "fall", TYPE_INT, "6", 1, 100, CHECK(fall), NULL, 0, "failed probes in a row that take it out of the list" },
	{ SECTION_MIRROR, "backend", TYPE_SPECIAL, NULL, 0, 0, 0, NULL, OPTION_NEEDED, "where tor delivers: 127.0.0.1:PORT, [::1]:PORT or unix:/path" },
	{ SECTION_MIRROR, "port", TYPE_SPECIAL, "80", 0, 0, 0, NULL, 0, "virtual ports: 80, or \"443:unix:/path\" with a target of its own" },
	{ SECTION_MIRROR, "tor", TYPE_SPECIAL, NULL, 0, 0, 0, NULL, OPTION_NEEDED, "name of a tor section" },
	{ SECTION_MIRROR, "check", TYPE_SPECIAL, NULL, 0, 0, 0, NULL, OPTION_NEEDED, "name of a check section" },
	{ SECTION_MIRROR, "role", TYPE_WORD, "mirror", 0, 0, MIRROR(role), role_words, 0, "mirror, replica or archive" },
	{ SECTION_MIRROR, "rotate-every", TYPE_SECONDS, "0s", 0, 3650 * DAY, MIRROR(rotate_every_s), NULL, 0, "a new address by age; 0s: never" },
	{ SECTION_MIRROR, "drain", TYPE_SECONDS, "72h", 0, 365 * DAY, MIRROR(drain_s), NULL, 0, "how long a retired address goes on answering" },
	{ SECTION_MIRROR, "pow", TYPE_BOOL, "false", 0, 0, MIRROR(pow), NULL, 0, "proof-of-work defence (tor 0.4.9.5 or newer)" },
	{ SECTION_MIRROR, "max-streams", TYPE_INT, "0", 0, 65535, MIRROR(max_streams), NULL, 0, "streams a rendezvous circuit may have; 0: no limit" },
	{ SECTION_CHANNEL, "share", TYPE_INT, "10", 1, 1000, CHANNEL(share), NULL, 0, "weight of this audience when addresses are handed out" },
	{ 0 },
};
