/* SPDX-License-Identifier: BSD-3-Clause */
/* The options, one line each, and the sections that hold them. */
#include "config.h"
#include "conf/table.h"

#include <string.h>

#define SECOND INT64_C(1000)
#define MINUTE (60 * SECOND)
#define DAY_S INT64_C(86400)

static const struct conf_word onions_words[] = { { "never", LOG_ONIONS_NEVER }, { "hash", LOG_ONIONS_HASH },
	{ "full", LOG_ONIONS_FULL }, { 0 } };
static const struct conf_word level_words[] = { { "error", LOG_LEVEL_ERROR }, { "warning", LOG_LEVEL_WARN },
	{ "notice", LOG_LEVEL_NOTICE }, { "info", LOG_LEVEL_INFO }, { "debug", LOG_LEVEL_DEBUG }, { 0 } };
static const struct conf_word sandbox_words[] = { { "off", CONF_SANDBOX_OFF }, { "auto", CONF_SANDBOX_AUTO },
	{ "on", CONF_SANDBOX_ON }, { "fatal", CONF_SANDBOX_FATAL }, { 0 } };
static const struct conf_word role_words[] = { { "mirror", CONF_ROLE_MIRROR }, { "replica", CONF_ROLE_REPLICA },
	{ "archive", CONF_ROLE_ARCHIVE }, { 0 } };

const char *
conf_role_name(enum conf_role role)
{
	const struct conf_word *w;

	for (w = role_words; w->name != NULL && w->value != (int)role; w++)
		;
	return w->name;
}

#define AT(s, member) offsetof(struct s, member)

static const struct conf_option root_options[] = {
	{ "site", CONF_TEXT, AT(conf, site), 1, 64, NULL, "example", false, NULL, "a name for people; trust hangs on the site id" },
	{ "state-dir", CONF_PATH, AT(conf, state_dir), 0, 0, "/var/lib/onionmirror", "%S", false, NULL,
	    "sealed state; made by onionmirror init" },
	{ "publish-dir", CONF_PATH, AT(conf, publish_dir), 0, 0, "/var/lib/onionmirror/publish", "%S/publish", false, NULL,
	    "lists appear here, a folder for each channel" },
	{ "control-socket", CONF_SOCKET, AT(conf, control_socket), 0, 0, "unix:/run/onionmirror/control.sock", "unix:%R/control.sock",
	    false, NULL, "where onionmirror(1) talks to the daemon" },
	{ "control-group", CONF_TEXT, AT(conf, control_group), 1, 64, "", "", false, NULL,
	    "members of this group may use the control socket too" },
	{ "key-file", CONF_PATH, AT(conf, key_file), 0, 0, "/etc/onionmirror/master.key", "/etc/onionmirror/master.key", false, NULL,
	    "master key of the state: 64 hex digits, mode 0600" },
	{ "passphrase-file", CONF_PATH, AT(conf, passphrase_file), 0, 0, "", "", false, NULL,
	    "instead of key-file: a file with a passphrase" },
	{ "locked-start", CONF_BOOL, AT(conf, locked_start), 0, 0, "off", NULL, false, NULL,
	    "instead of both: no file opens the state, `onionmirror unlock` does after each start" },
	{ "user", CONF_TEXT, AT(conf, user), 1, 32, "", "", false, NULL, "started as root, it becomes this user at once" },
	{ "sandbox", CONF_WORD, AT(conf, sandbox), 0, 0, "auto", NULL, false, sandbox_words,
	    "files, ports and system calls it leaves itself: auto (what the kernel can), on (that, or no start), fatal, off" },
	{ "allow-unlocked-memory", CONF_BOOL, AT(conf, allow_unlocked_memory), 0, 0, "off", NULL, false, NULL,
	    "start also where memory for secrets cannot be locked: they may reach swap" },
	{ "min-listed", CONF_NUMBER, AT(conf, min_listed), 1, 1000, "2", NULL, true, NULL,
	    "failing addresses stay in the list rather than leave fewer than this" },
	{ "rotation-spacing", CONF_MS, AT(conf, rotation_spacing_ms), SECOND, 30 * DAY_S * SECOND, "10m", NULL, true, NULL,
	    "least time between two automatic rotations" },
	{ "max-rotations-per-day", CONF_NUMBER, AT(conf, max_rotations_per_day), 0, 1000, "6", NULL, true, NULL,
	    "automatic rotations of the whole site" },
	{ "history-days", CONF_NUMBER, AT(conf, history_days), 1, 3650, "30", NULL, true, NULL, "how long records of the past are kept" },
	{ "control-onions", CONF_CONTROLS, 0, 0, 0, "", "", true, NULL,
	    "onions of others, {\"<56>.onion\", ...}, asked when half of the mirrors fail together: is it our own side?" },
	{ "log-onions", CONF_WORD, AT(conf, log_onions), 0, 0, "hash", NULL, true, onions_words,
	    "how addresses appear in the log: never, hash or full" },
	{ "log-level", CONF_WORD, AT(conf, log_level), 0, 0, "notice", NULL, true, level_words,
	    "error, warning, notice, info or debug" },
	{ 0 },
};

static const struct conf_option tor_options[] = {
	{ "control", CONF_SOCKET, AT(conf_tor, control), 0, 0, "unix:/run/tor/control", NULL, false, NULL,
	    "its control port: unix:/path or 127.0.0.1:9051" },
	{ "cookie", CONF_PATH, AT(conf_tor, cookie), 0, 0, "", "/run/tor/control.authcookie", false, NULL,
	    "its cookie file (SAFECOOKIE)" },
	{ "password-file", CONF_PATH, AT(conf_tor, password_file), 0, 0, "", "", false, NULL,
	    "instead of cookie: a file with the password of HashedControlPassword" },
	{ "allow-no-auth", CONF_BOOL, AT(conf_tor, allow_no_auth), 0, 0, "off", NULL, false, NULL,
	    "instead of both: accept a tor that asks for nothing" },
	{ "socks", CONF_SOCKET, AT(conf_tor, socks), 0, 0, "unix:/run/tor/socks", NULL, false, NULL,
	    "its SOCKS port, which probes go through: unix:/path or 127.0.0.1:9050" },
	{ "max-mirrors", CONF_NUMBER, AT(conf_tor, max_mirrors), 1, CONF_MIRRORS_MAX, "20", NULL, true, NULL,
	    "how many mirrors may be on this tor" },
	{ "move-after", CONF_MS, AT(conf_tor, move_after_ms), 0, 365 * DAY_S * SECOND, "0s", NULL, true, NULL,
	    "away for longer, its mirrors get new addresses on the other tors; 0s: never" },
	{ 0 },
};

static const struct conf_option check_options[] = {
	{ "path", CONF_TEXT, AT(conf_check, path), 1, 1024, "/", "/health", true, NULL, "what is asked for" },
	{ "status", CONF_NUMBER, AT(conf_check, status), 200, 599, "200", NULL, true, NULL, "the status that a healthy answer has" },
	{ "contains", CONF_TEXT, AT(conf_check, contains), 1, 256, "", "ok", true, NULL, "text that its body holds" },
	{ "sha256", CONF_TEXT, AT(conf_check, sha256), 64, 64, "", "", true, NULL, "hash of its whole body, in hex" },
	{ "header", CONF_TEXT, AT(conf_check, header), 3, 256, "", "", true, NULL, "a header line that it has, as \"Name: value\"" },
	{ "tls", CONF_BOOL, AT(conf_check, tls), 0, 0, "off", NULL, true, NULL, "it is asked for with https; so is the backend" },
	{ "pin-sha256", CONF_TEXT, AT(conf_check, pin_sha256), 64, 64, "", "", true, NULL,
	    "hash of the certificate's public key, in hex; without it the certificate must name the onion" },
	{ "version-path", CONF_TEXT, AT(conf_check, version_path), 1, 1024, "", "", true, NULL,
	    "where a mirror tells the version of its content, a decimal number" },
	{ "stale-after", CONF_MS, AT(conf_check, stale_after_ms), 0, 3650 * DAY_S * SECOND, "0s", NULL, true, NULL,
	    "how long it may be behind the others; 0s: for ever" },
	{ "interval", CONF_MS, AT(conf_check, interval_ms), SECOND, DAY_S * SECOND, "5m", NULL, true, NULL,
	    "between two probes (each is jittered)" },
	{ "timeout", CONF_MS, AT(conf_check, timeout_ms), SECOND, 10 * MINUTE, "60s", NULL, true, NULL, "of one probe" },
	{ "rise", CONF_NUMBER, AT(conf_check, rise), 1, 100, "2", NULL, true, NULL, "good probes in a row that prove an address" },
	{ "fall", CONF_NUMBER, AT(conf_check, fall), 1, 1000, "6", NULL, true, NULL, "failed probes in a row that delist it" },
	{ 0 },
};

static const struct conf_option mirror_options[] = {
	{ "backend", CONF_BACKEND, 0, 0, 0, "", "127.0.0.1:8080", true, NULL,
	    "the web server: 127.0.0.1:PORT, [::1]:PORT or unix:/path; never a host name" },
	{ "port", CONF_PORTS, 0, 0, 0, "80", "80", true, NULL,
	    "ports of the onion; the first is probed and listed. Others: {\"80\", \"443:unix:/run/web.sock\"}" },
	{ "tor", CONF_TOR, AT(conf_mirror, tor), 0, 0, NULL, "main", true, NULL,
	    "which tor section serves it; auto: each new address goes where there is most room" },
	{ "probe-through", CONF_TOR, AT(conf_mirror, probe_through), 0, 0, "", "", true, NULL,
	    "a second tor that looks at it too (auto: another one): both must see it fail" },
	{ "check", CONF_CHECK, AT(conf_mirror, check), 0, 0, NULL, "page", true, NULL, "which check section tells its health" },
	{ "role", CONF_WORD, AT(conf_mirror, role), 0, 0, "mirror", NULL, true, role_words, "mirror, replica or archive" },
	{ "rotate-every", CONF_SECONDS, AT(conf_mirror, rotate_every_s), 0, 3650 * DAY_S, "0s", "30d", true, NULL,
	    "a new address by age (jittered); 0s: never" },
	{ "drain", CONF_SECONDS, AT(conf_mirror, drain_s), 0, 365 * DAY_S, "72h", NULL, true, NULL,
	    "how long a retired address still answers" },
	{ "pow", CONF_BOOL, AT(conf_mirror, pow), 0, 0, "off", NULL, true, NULL,
	    "proof of work against floods; a tor before 0.4.9.9 serves without it" },
	{ "revoke-on-content", CONF_BOOL, AT(conf_mirror, revoke_on_content), 0, 0, "off", NULL, true, NULL,
	    "wrong content, twice in a row, revokes the address" },
	{ "max-streams", CONF_NUMBER, AT(conf_mirror, max_streams), 0, 65535, "0", NULL, true, NULL,
	    "streams on one circuit; 0: no limit" },
	{ "spare", CONF_BOOL, AT(conf_mirror, spare), 0, 0, "off", NULL, true, NULL,
	    "kept proved, and listed only while another mirror is out of the list" },
	{ 0 },
};

static const struct conf_option channel_options[] = {
	{ "share", CONF_NUMBER, AT(conf_channel, share), 1, 1000, "10", NULL, true, NULL, "weight: of 10 and 5, two thirds and one third" },
	{ 0 },
};

static const struct conf_option list_options[] = {
	{ "port", CONF_NUMBER, AT(conf_list, port), 1, 65535, "8008", NULL, true, NULL, "every onion answers its channel's list on this port too" },
	{ "sockets", CONF_PATH, AT(conf_list, sockets), 0, 0, "/run/onionmirror/list", "%R/list", false, NULL,
	    "folder of the unix sockets behind it, which tor must reach" },
	{ 0 },
};

static const struct conf_option metrics_options[] = {
	{ "listen", CONF_SOCKET, AT(conf_metrics, listen), 0, 0, "", "unix:%R/metrics.sock", true, NULL,
	    "where a Prometheus may ask (GET /metrics): unix:/path or 127.0.0.1:9936" },
	{ "textfile", CONF_PATH, AT(conf_metrics, textfile), 0, 0, "", "", true, NULL,
	    "the same as a file for node_exporter's textfile collector: /path/onionmirror.prom" },
	{ "addresses", CONF_BOOL, AT(conf_metrics, addresses), 0, 0, "off", NULL, true, NULL,
	    "onion addresses may be labels; else only the names of mirrors are" },
	{ 0 },
};

const struct conf_section_info conf_sections[CONF__SECTIONS] = {
	[CONF_ROOT] = { "", root_options, sizeof(struct conf), NULL, NULL },
	[CONF_TOR_SECTION] = { "tor", tor_options, sizeof(struct conf_tor), "main",
	    "A tor that runs already. Debian's default one has these sockets." },
	[CONF_CHECK_SECTION] = { "check", check_options, sizeof(struct conf_check), "page", "What a healthy answer looks like." },
	[CONF_MIRROR_SECTION] = { "mirror", mirror_options, sizeof(struct conf_mirror), "north",
	    "A mirror: a backend behind one onion address at a time. One section for each." },
	[CONF_CHANNEL_SECTION] = { "channel", channel_options, sizeof(struct conf_channel), "public",
	    "Audiences: each is given some of the addresses, by weight. Without a section: \"public\" with share 10." },
	[CONF_LIST_SECTION] = { "list-service", list_options, sizeof(struct conf_list), NULL,
	    "The signed list, from the onions themselves. Without this section they don't offer it." },
	[CONF_METRICS_SECTION] = { "metrics", metrics_options, sizeof(struct conf_metrics), NULL,
	    "Numbers for Prometheus: onionmirror-metrics(7). Without this section there are none." },
};

const struct conf_option *
conf_option_find(enum conf_section s, const char *name)
{
	const struct conf_option *o;

	for (o = conf_sections[s].options; o->name != NULL; o++)
		if (strcmp(o->name, name) == 0)
			return o;
	return NULL;
}

void *
conf_section_array(const struct conf *c, enum conf_section s, size_t *n)
{
	switch (s) {
	case CONF_TOR_SECTION: *n = c->n_tors; return c->tors;
	case CONF_CHECK_SECTION: *n = c->n_checks; return c->checks;
	case CONF_MIRROR_SECTION: *n = c->n_mirrors; return c->mirrors;
	case CONF_CHANNEL_SECTION: *n = c->n_channels; return c->channels;
	case CONF_LIST_SECTION: *n = c->list != NULL; return c->list;
	case CONF_METRICS_SECTION: *n = c->metrics != NULL; return c->metrics;
	case CONF_ROOT:
	case CONF__SECTIONS: break;
	}
	*n = 0;
	return NULL;
}
