/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The verb `doctor`: one look at everything that has to be right, from this
 * machine's side (configuration, files, ports) and from the daemon's. Changes
 * nothing, connects only to what the configuration names.
 */
#include "config.h"
#include "cli/client.h"
#include "cli/out.h"
#include "cli/reach.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "conf/conf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DAY 86400
#define ROOT_WARN (90 * DAY)
#define MEMBER_WARN (14 * DAY)

enum level { LEVEL_OK, LEVEL_WARNING, LEVEL_WRONG };
static const char *const levels[] = { "ok", "warning", "wrong" };

struct doctor {
	const struct cli *c;
	struct conf *conf;  /* owned; NULL: faulty, or -s without -f */
	struct loop *loop;
	json_t *findings;   /* owned list of what, level, text, do */
	unsigned wrong;
	bool unreachable;
};

/* what_to_do: "" where there is nothing to do. */
static void __attribute__((format(printf, 5, 6)))
find(struct doctor *d, enum level level, const char *what, const char *what_to_do, const char *fmt, ...)
{
	char text[600];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	d->wrong += level == LEVEL_WRONG;
	json_array_append_new(d->findings, json_pack("{s:s,s:s,s:s,s:s}", "what", what, "level", levels[level], "text", out_escape(text), "do", what_to_do));
}

/* --- this machine --------------------------------------------------------------------------- */

static void
look_at_configuration(struct doctor *d)
{
	struct buf faults = BUF_INIT(64 * 1024);
	char *line, *rest;

	if (conf_load(&d->conf, d->c->conf_path, &faults) == 0)
		find(d, LEVEL_OK, "configuration", "", "%s: %zu mirrors on %zu tors", d->c->conf_path, d->conf->n_mirrors, d->conf->n_tors);
	else
		for (rest = faults.data; rest != NULL && (line = strsep(&rest, "\n")) != NULL;)
			if (line[0] != '\0')
				find(d, LEVEL_WRONG, "configuration", "correct the file; onionmirrord --check-config shows all faults", "%s", line);
	buf_free(&faults);
}

/* Files that only the daemon's user can look at are no fault for others. */
static bool
may_not_look(struct doctor *d, const char *path)
{
	if (errno != EACCES || geteuid() == 0)
		return false;
	find(d, LEVEL_WARNING, "permissions", "run doctor as root or as the daemon's user", "%s: not to be looked at by this user", path);
	return true;
}

static void
look_at_secret(struct doctor *d, const char *path, const char *made_by)
{
	struct stat st;

	if (lstat(path, &st) != 0) {
		if (!may_not_look(d, path))
			find(d, LEVEL_WRONG, "permissions", made_by, "%s: %s", path, strerror(errno));
	} else if (!S_ISREG(st.st_mode)) {
		find(d, LEVEL_WRONG, "permissions", "put a regular file there", "%s: not a regular file", path);
	} else if ((st.st_mode & 077) != 0) {
		find(d, LEVEL_WRONG, "permissions", "chmod 0600, and think about who read it", "%s: others may read it (mode %04o)", path,
		    (unsigned)(st.st_mode & 07777));
	} else {
		find(d, LEVEL_OK, "permissions", "", "%s: only for its owner", path);
	}
}

static void
look_at_files(struct doctor *d)
{
	struct err e = ERR_INIT;
	struct stat st;

	if (lstat(d->conf->state_dir, &st) != 0) {
		if (!may_not_look(d, d->conf->state_dir))
			find(d, LEVEL_WRONG, "permissions", "onionmirror init, as the daemon's user", "%s: %s", d->conf->state_dir, strerror(errno));
	} else if (geteuid() == st.st_uid && file_check_dir(d->conf->state_dir, &e) != 0) {
		find(d, LEVEL_WRONG, "permissions", "chmod 0700, owned by the daemon's user", "%s", e.msg);
	} else if ((st.st_mode & 022) != 0) {
		find(d, LEVEL_WRONG, "permissions", "chmod 0700, owned by the daemon's user", "%s: others may write there", d->conf->state_dir);
	} else {
		find(d, LEVEL_OK, "permissions", "", "%s: only its owner writes there", d->conf->state_dir);
	}
	if (d->conf->passphrase_file != NULL)
		look_at_secret(d, d->conf->passphrase_file, "write the passphrase there, mode 0600");
	else
		look_at_secret(d, d->conf->key_file, "onionmirror init, or the master key from the backup");
}

static void
look_at_cookie(struct doctor *d, const struct conf_tor *t)
{
	unsigned char cookie[32];
	struct err e = ERR_INIT;

	if (t->cookie == NULL)
		return;
	if (file_read_exact(t->cookie, FILE_FOREIGN, cookie, sizeof cookie, &e) == 0)
		find(d, LEVEL_OK, "tor", "", "%s: cookie %s can be read", t->name, t->cookie);
	else if (e.code == ERR_SYS && e.sys == EACCES && geteuid() != 0)
		find(d, LEVEL_WARNING, "tor", "run doctor as the daemon's user, who has to be in tor's group", "%s: %s", t->name, e.msg);
	else
		find(d, LEVEL_WRONG, "tor", "CookieAuthentication 1 in torrc, and cookie = where tor writes it", "%s: %s", t->name, e.msg);
	mem_wipe(cookie, sizeof cookie);
}

static void
look_at_tors(struct doctor *d)
{
	char version[REACH_VERSION_MAX];
	struct err e;
	size_t i;

	for (i = 0; i < d->conf->n_tors; i++) {
		const struct conf_tor *t = &d->conf->tors[i];

		memset(&e, 0, sizeof e);
		if (reach_tor(d->loop, &t->control, version, &e) == 0)
			find(d, LEVEL_OK, "tor", "", "%s: control port answers, tor %s", t->name, version[0] != '\0' ? version : "does not tell its version");
		else
			find(d, LEVEL_WRONG, "tor", "start tor, and give it this ControlPort (torrc.d has the lines)", "%s: control: %s", t->name, e.msg);
		memset(&e, 0, sizeof e);
		if (reach_endpoint(d->loop, &t->socks, &e) == 0)
			find(d, LEVEL_OK, "tor", "", "%s: SOCKS port answers", t->name);
		else
			find(d, LEVEL_WRONG, "tor", "give tor this SocksPort (torrc.d has the lines)", "%s: socks: %s", t->name, e.msg);
		look_at_cookie(d, t);
	}
}

static void
look_at_backends(struct doctor *d)
{
	size_t i, p, well = 0, all = 0;
	struct err e;

	for (i = 0; i < d->conf->n_mirrors; i++)
		for (p = 0; p < d->conf->mirrors[i].n_ports; p++) {
			memset(&e, 0, sizeof e);
			all++;
			if (reach_endpoint(d->loop, &d->conf->mirrors[i].ports[p].target, &e) == 0)
				well++;
			else
				find(d, LEVEL_WRONG, "backend", "start the web server, or correct backend", "mirror %s: %s", d->conf->mirrors[i].name, e.msg);
		}
	if (well > 0)
		find(d, LEVEL_OK, "backend", "", "%zu of %zu take connections", well, all);
}

/* --- the daemon ------------------------------------------------------------------------------ */

static void
look_at_expiry(struct doctor *d, const json_t *status, const char *what, long long warn, const char *what_to_do)
{
	const json_t *expiry = json_object_get(status, "expiry");
	long long until = cli_int(expiry, what), left = until - clock_wall_s();

	if (until > 0)
		find(d, left <= 0 ? LEVEL_WRONG : left < warn ? LEVEL_WARNING : LEVEL_OK, "keys", left < warn ? what_to_do : "", "%s runs out %s",
		    strcmp(what, "root") == 0 ? "the root document" : "the member certificate", out_age(expiry, what));
}

static void
look_at_status(struct doctor *d, const json_t *status)
{
	const json_t *list = json_object_get(status, "list"), *v;
	size_t i;

	find(d, LEVEL_OK, "daemon", "", "version %s, started %s", cli_text(status, "version"), out_age(status, "started"));
	if (strcmp(cli_text(status, "version"), PACKAGE_VERSION) != 0)
		find(d, LEVEL_WARNING, "daemon", "restart it", "this is onionmirror %s", PACKAGE_VERSION);
	json_array_foreach(json_object_get(status, "tors"), i, v) {
		bool fit = json_is_true(json_object_get(v, "fit"));

		find(d, fit ? LEVEL_OK : LEVEL_WRONG, "tor", fit ? "" : "look at tor's log; nothing is delisted or rotated meanwhile", "%s: the daemon finds it %s%s",
		    cli_text(v, "name"), fit ? "fit, version " : "not fit to judge: ", cli_text(v, fit ? "version" : "why"));
		if (json_string_length(json_object_get(v, "warning")) > 0)
			find(d, LEVEL_WARNING, "tor", "upgrade tor, or let the filter in between through", "%s: %s", cli_text(v, "name"), cli_text(v, "warning"));
	}
	if (json_string_length(json_object_get(status, "clock")) > 0)
		find(d, LEVEL_WRONG, "clock", "set this host's clock, and keep it so (NTP)", "%s", cli_text(status, "clock"));
	else if (json_is_string(json_object_get(status, "clock")))
		find(d, LEVEL_OK, "clock", "", "believed");
	look_at_expiry(d, status, "root", ROOT_WARN, "have the root keys sign the next one (onionmirror root rotate)");
	look_at_expiry(d, status, "member", MEMBER_WARN, "have the root keys sign a new members.json (onionmirror member renew)");
	if (cli_int(list, "serial") > 0)
		find(d, cli_int(list, "valid_until") > clock_wall_s() ? LEVEL_OK : LEVEL_WRONG, "list", "", "serial %lld, published %s, runs out %s",
		    cli_int(list, "serial"), out_age(list, "published"), out_age(list, "valid_until"));
	else
		find(d, LEVEL_WARNING, "list", "wait for a mirror to be proved; onionmirror watch shows it", "nothing published yet");
	json_array_foreach(json_object_get(status, "alarms"), i, v)
		find(d, LEVEL_WRONG, "alarm", "onionmirror history tells what it rests on", "%s", json_is_string(v) ? json_string_value(v) : "");
}

/* The daemon says that nobody answers on 127.0.0.1 or ::1, and somebody does from here: its loopback is another one. */
static bool
is_hidden_from_daemon(const struct doctor *d, const char *mirror, const char *verdict)
{
	struct err e = ERR_INIT;
	size_t i, p;

	for (i = 0; d->conf != NULL && (strcmp(verdict, "refused") == 0 || strcmp(verdict, "timeout") == 0) && i < d->conf->n_mirrors; i++)
		for (p = 0; strcmp(d->conf->mirrors[i].name, mirror) == 0 && p < d->conf->mirrors[i].n_ports; p++) {
			const struct endpoint *ep = &d->conf->mirrors[i].ports[p].target;

			if (ep->kind != ENDPOINT_UNIX && reach_endpoint(d->loop, ep, &e) == 0)
				return true;
		}
	return false;
}

static void
look_at_mirrors(struct doctor *d, const json_t *mirrors)
{
	const json_t *m;
	size_t i, well = 0;

	json_array_foreach(mirrors, i, m) {
		const char *state = cli_text(m, "state"), *what_to_do = "onionmirror history MIRROR --probes shows where it fails";

		if (is_hidden_from_daemon(d, cli_text(m, "name"), cli_text(m, "backend")))
			what_to_do = "its backend answers from here: PrivateNetwork=yes in the unit has a 127.0.0.1 of its own";
		if (strcmp(state, "down") == 0 || strcmp(state, "suspect") == 0)
			find(d, strcmp(state, "down") == 0 ? LEVEL_WRONG : LEVEL_WARNING, "mirror", what_to_do,
			    "%s is %s: last probe %s, backend %s", cli_text(m, "name"), state, cli_text(m, "verdict"), cli_text(m, "backend"));
		else
			well++;
	}
	if (well > 0)
		find(d, LEVEL_OK, "mirror", "", "%zu of %zu neither down nor suspect", well, json_array_size(mirrors));
}

static void
ask_daemon(struct doctor *d)
{
	struct err e = ERR_INIT;
	struct client *cl = client_open(d->c, &e);
	json_t *status = cl != NULL ? client_call(cl, "status", NULL, &e) : NULL;
	json_t *mirrors = status != NULL ? client_call_pages(cl, "mirrors", NULL, "mirrors", &e) : NULL;

	if (status != NULL)
		look_at_status(d, status);
	if (mirrors != NULL)
		look_at_mirrors(d, json_object_get(mirrors, "mirrors"));
	else if (e.code != ERR_CONFIG) {
		d->unreachable = status == NULL && e.code != ERR_REFUSED;
		find(d, LEVEL_WRONG, "daemon", d->unreachable ? "start onionmirrord; its log says why it does not start" : "", "%s", e.msg);
	}
	json_decref(status);
	json_decref(mirrors);
	client_close(cl);
}

/* --- the verb --------------------------------------------------------------------------------- */

static void
print_finding(const json_t *v)
{
	int at = printf("%-8s %-13s ", out_text(v, "level"), out_text(v, "what"));

	out_wrapped(at, 23, cli_text(v, "text"));
	if (json_string_length(json_object_get(v, "do")) > 0) {
		printf("%23s-> ", "");
		out_wrapped(26, 26, cli_text(v, "do"));
	}
}

int
verb_doctor(struct cli *c, int argc, char **argv)
{
	struct doctor d = { .c = c, .findings = json_array() };
	struct err e = ERR_INIT;
	const json_t *v;
	size_t i;

	if (cli_take(c, &argc, argv, NULL, 0, 0) != 0) {
		json_decref(d.findings);
		return CLI_USAGE;
	}
	if ((d.loop = loop_new(&e)) == NULL) {
		json_decref(d.findings);
		return cli_fail(CLI_FAILED, "%s", e.msg);
	}
	if (c->socket == NULL || c->conf_given)
		look_at_configuration(&d);
	if (d.conf != NULL) {
		look_at_files(&d);
		look_at_tors(&d);
		look_at_backends(&d);
	}
	if (d.conf != NULL || c->socket != NULL)
		ask_daemon(&d);
	if (c->json) {
		cli_print_json(json_pack("{s:b,s:O}", "ok", d.wrong == 0, "findings", d.findings));
	} else {
		json_array_foreach(d.findings, i, v)
			print_finding(v);
		printf(d.wrong == 0 ? "nothing is wrong\n" : d.wrong == 1 ? "1 thing is wrong\n" : "%u things are wrong\n", d.wrong);
	}
	json_decref(d.findings);
	conf_free(d.conf);
	loop_free(d.loop);
	return d.unreachable ? CLI_UNREACHABLE : d.wrong > 0 ? CLI_FAILED : CLI_DONE;
}
