/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The simulated control port: links, lines, quirks, events. Owns the links.
 * Replies are written whole; events never come inside one, as with a real tor.
 */
#include "config.h"
#include "sim/simtor_impl.h"

#include "sim/impl.h"

#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define QUIRK_BYTES (1024 * 1024)

static struct ctl_link *
ctlink_find(struct simtor *t, uint64_t id)
{
	struct ctl_link *k;

	for (k = t->links; k != NULL && k->id != id; k = k->next)
		;
	return k;
}

/* Takes it out, with the services that live only as long as their link. */
static void
ctlink_forget(struct ctl_link *k)
{
	struct simtor *t = k->tor;
	struct service *s, *next;
	struct ctl_link **at;

	for (at = &t->links; *at != k; at = &(*at)->next)
		;
	*at = k->next;
	for (s = t->services; s != NULL; s = next) {
		next = s->next;
		if (!s->detached && s->owner == k->id)
			service_remove(t, s);
	}
	buf_free(&k->late);
	free(k);
}

void
ctlink_end(struct ctl_link *k)
{
	sim_conn_close(k->conn);
	ctlink_forget(k);
}

void
ctlink_send(struct ctl_link *k, const char *bytes, size_t n)
{
	sim_conn_write(k->conn, bytes, n);
}

void
tor_event(struct simtor *t, enum ctl_event kind, const char *fmt, ...)
{
	struct ctl_link *k;
	char text[2048] = "650 ";
	size_t n = 0;
	va_list ap;

	for (k = t->links; k != NULL; k = k->next) {
		if (!k->authed || (k->events & kind) == 0 || t->quirk == QUIRK_MUTE)
			continue;
		if (n == 0) {
			va_start(ap, fmt);
			vsnprintf(text + 4, sizeof text - 6, fmt, ap);
			va_end(ap);
			n = strlen(text);
			memcpy(text + n, "\r\n", 2);
			n += 2;
		}
		ctlink_send(k, text, n);
	}
}

/* --- quirks ---------------------------------------------------------------------------------- */

static const char *const quirk_names[QUIRK__COUNT] = { "none", "wrong-hash", "null-auth", "cookie-only", "wrong-service", "extra-reply",
	"mute", "long-line", "endless-mid", "endless-data", "cut-reply", "late", "junk-events", "refuse-add", "bad-codes" };

const char *
simtor_quirk_name(enum simtor_quirk q)
{
	return quirk_names[q];
}

static void
send_endless(struct ctl_link *k, const char *head, const char *piece)
{
	struct buf out = BUF_INIT(QUIRK_BYTES * 2);

	buf_adds(&out, head);
	while (out.len < QUIRK_BYTES)
		buf_adds(&out, piece);
	ctlink_send(k, out.data, out.len);
	buf_free(&out);
}

/* The oldest n bytes of what was held back. */
static void
send_late(struct simtor *t, uint64_t id, uint64_t n)
{
	struct ctl_link *k = ctlink_find(t, id);

	if (k == NULL)
		return;
	ctlink_send(k, k->late.data, (size_t)n);
	buf_drain(&k->late, (size_t)n);
}

/* Sends a whole reply as the quirk wants. True: the link is gone. */
static bool
send_reply(struct ctl_link *k, const char *p, size_t n)
{
	static const char junk[] = "650 NO_SUCH_EVENT \x1b[31m \xff\xfe x=\"\r\n650-OTHER a\r\n650-b\r\n650 OK\r\n"
				   "650 HS_DESC WHATEVER x y z\r\n650+DATA\r\n..\r\n.\r\n650 OK\r\n";
	switch (k->tor->quirk) {
	case QUIRK_MUTE: return false;
	case QUIRK_EXTRA_REPLY: ctlink_send(k, p, n); break;
	case QUIRK_LONG_LINE: send_endless(k, "250-", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"); return false;
	case QUIRK_ENDLESS_MID: send_endless(k, "", "250-x=y\r\n"); return false;
	case QUIRK_ENDLESS_DATA: send_endless(k, "250+onions/detached=\r\n", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n"); return false;
	case QUIRK_BAD_CODES: ctlink_send(k, "999 \r\n", 6); break;
	case QUIRK_JUNK_EVENTS: ctlink_send(k, junk, sizeof junk - 1); break;
	case QUIRK_CUT_REPLY:
		ctlink_send(k, p, n / 2);
		ctlink_end(k);
		return true;
	case QUIRK_LATE:
		buf_add(&k->late, p, n);
		tor_after(k->tor, 12000, send_late, k->id, n);
		return false;
	case QUIRK_NONE:
	case QUIRK_WRONG_HASH:
	case QUIRK_NULL_AUTH:
	case QUIRK_COOKIE_ONLY:
	case QUIRK_WRONG_SERVICE:
	case QUIRK_REFUSE_ADD:
	case QUIRK__COUNT: break;
	}
	ctlink_send(k, p, n);
	return false;
}

/* --- lines --------------------------------------------------------------------------------------- */

/* What an onion-grater lets through: the arguments exactly. */
static bool
filter_allows(const struct ctl_line *l)
{
	switch (l->verb) {
	case CTL_GETINFO: return strcmp(l->args, "version") == 0 || strcmp(l->args, "onions/detached") == 0;
	case CTL_SETEVENTS: return strcmp(l->args, "HS_DESC") == 0;
	case CTL_ADD_ONION:
	case CTL_DEL_ONION:
	case CTL_PROTOCOLINFO:
	case CTL_AUTHENTICATE:
	case CTL_QUIT: return true;
	case CTL_UNKNOWN:
	case CTL_AUTHCHALLENGE:
	case CTL_GETCONF:
	case CTL_HSFETCH:
	case CTL_CLOSECIRCUIT:
	case CTL_KNOWN: break;
	}
	return false;
}

static void
dispatch(struct ctl_link *k, const struct ctl_line *l, struct buf *out)
{
	if (k->tor->filtered && !filter_allows(l))
		buf_adds(out, "510 Command filtered\r\n");
	else if (!k->authed || l->verb == CTL_PROTOCOLINFO || l->verb == CTL_AUTHCHALLENGE || l->verb == CTL_AUTHENTICATE || l->verb == CTL_QUIT)
		answer_auth(k, l, out);
	else
		answer(k, l, out);
}

void
ctlink_line(struct ctl_link *k, char *line, size_t n)
{
	struct buf out = BUF_INIT(8 * 1024 * 1024);
	char body_of[sizeof k->body_of];
	struct ctl_line l;

	if (k->body_of[0] != '\0') {
		if (strcmp(line, ".") != 0)
			return;
		memcpy(body_of, k->body_of, sizeof body_of);
		k->body_of[0] = '\0';
		line = body_of;
	} else if (line[0] == '+') {
		snprintf(k->body_of, sizeof k->body_of, "%.*s", (int)strcspn(line, " \t"), line);
		check_on_command(k->tor->index, line, n);
		return;
	} else {
		check_on_command(k->tor->index, line, n);
	}
	ctl_split(&l, line);
	if (!k->authed && l.verb != CTL_PROTOCOLINFO && l.verb != CTL_AUTHCHALLENGE && l.verb != CTL_AUTHENTICATE && l.verb != CTL_QUIT)
		sim_violation("I1", "tor %s was told %s before AUTHENTICATE", k->tor->name, l.name);
	dispatch(k, &l, &out);
	sim_detail("tor %s #%llu: %s %.56s -> %.60s", k->tor->name, (unsigned long long)k->id, l.name,
	    l.verb == CTL_ADD_ONION || l.verb == CTL_AUTHENTICATE || l.verb == CTL_AUTHCHALLENGE ? "(...)" : l.args, buf_str(&out));
	if (out.len > 0 && !send_reply(k, out.data, out.len) && k->closing)
		ctlink_end(k);
	mem_wipe(out.data, out.len);
	buf_free(&out);
}

static void
on_data(struct sim_conn *c, void *arg)
{
	struct ctl_link *k = arg;
	struct simtor *t = k->tor;
	uint64_t id = k->id;
	const char *p, *lf;
	char *line;
	size_t n, len;

	/* Behind a filter lines wait for a tor that is dead or stopped. */
	while ((k = ctlink_find(t, id)) != NULL && t->state == TOR_RUNNING && !t->stopped) {
		p = sim_conn_peek(c, &n);
		if (n == 0 || (lf = memchr(p, '\n', n)) == NULL)
			return;
		len = (size_t)(lf - p);
		line = xcalloc(1, len + 1); /* may hold a NUL, which ends it for tor */
		memcpy(line, p, len);
		sim_conn_consume(c, len + 1);
		if (len > 0 && line[len - 1] == '\r')
			line[--len] = '\0';
		else
			sim_violation("I10", "a line without CR was sent to tor %s", t->name);
		ctlink_line(k, line, len);
		mem_wipe(line, len);
		free(line);
	}
}

static void
on_closed(struct sim_conn *c, void *arg)
{
	(void)c;
	ctlink_forget(arg);
}

static const struct sim_conn_ops ops = { on_data, on_closed };

static void
on_connect(struct sim_conn *c, void *arg)
{
	struct ctl_link *k = xcalloc(1, sizeof *k);

	k->tor = arg;
	k->late = (struct buf)BUF_INIT(4 * 1024 * 1024);
	k->conn = c;
	k->id = simtor_next_id();
	k->next = k->tor->links;
	k->tor->links = k;
	sim_conn_set(c, &ops, k);
}

void
links_serve(struct simtor *t)
{
	if (t->control == NULL)
		t->control = sim_server_new(t->control_ep, on_connect, t);
}

void
links_drop(struct simtor *t)
{
	struct ctl_link *k;

	/* A filter keeps its links, and tells nobody. */
	if (t->filtered)
		return;
	while ((k = t->links) != NULL) {
		sim_conn_reset(k->conn);
		ctlink_forget(k);
	}
	sim_server_free(t->control);
	t->control = NULL;
}

void
simtor_hang_up(struct simtor *t)
{
	while (t->links != NULL)
		ctlink_end(t->links);
}

void
links_go_on(struct simtor *t)
{
	struct ctl_link *k, *next;

	for (k = t->links; k != NULL; k = next) {
		next = k->next;
		on_data(k->conn, k);
	}
}
