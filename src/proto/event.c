/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Events of tor to structs. Owns nothing. Two kinds of value: those tor makes
 * (missing or out of range is an error) and those that any user of the same
 * tor can choose (never an error, see put_if_fits()).
 */
#include "config.h"
#include "proto/event.h"

#include "proto/onion.h"

#include <string.h>

struct word {
	const char *name;
	int value;
};

static int
word_lookup(const struct word *table, const struct reply_arg *a)
{
	for (; table->name != NULL; table++)
		if (strlen(table->name) == a->raw_len && memcmp(table->name, a->raw, a->raw_len) == 0)
			return table->value;
	return 0;
}

/* The next word that is not KEY=value. */
static int
next_positional(const char **p, struct reply_arg *a, const char *what, struct err *e)
{
	if (reply_next_arg(p, a) == 1 && a->key == NULL)
		return 0;
	return err_set(e, ERR_PARSE, "event: %s is missing", what);
}

/* For values that others choose: "" when they don't fit or aren't text. */
static void
put_if_fits(const struct reply_arg *a, char *out, size_t size)
{
	if (reply_arg_text(a, out, size, NULL) != 0)
		out[0] = '\0';
}

static int
put_id(const struct reply_arg *a, char *out, struct err *e)
{
	static const char set[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

	if (a->raw_len < 1 || a->raw_len > EVENT_ID_MAX || strspn(a->raw, set) < a->raw_len)
		return err_set(e, ERR_PARSE, "event: an id that is not 1 to %d letters and digits", EVENT_ID_MAX);
	memcpy(out, a->raw, a->raw_len);
	out[a->raw_len] = '\0';
	return 0;
}

static int
put_address(const struct reply_arg *a, char out[56 + 1], struct err *e)
{
	if (!onion_addr_shape(a->raw, a->raw_len))
		return err_set(e, ERR_PARSE, "event: this is not an onion address");
	memcpy(out, a->raw, 56);
	out[56] = '\0';
	return 0;
}

/* --- HS_DESC ------------------------------------------------------------------ */

/* "$FINGERPRINT~nickname"; UNKNOWN or what a filter put in its place is no fingerprint and no fault. */
static int
put_hsdir(const struct reply_arg *a, char out[40 + 1], struct err *e)
{
	if (a->raw_len == 0 || a->raw[0] != '$')
		return 0;
	if (a->raw_len < 41 || strspn(a->raw + 1, "0123456789ABCDEF") != 40 ||
	    (a->raw_len > 41 && a->raw[41] != '~' && a->raw[41] != '='))
		return err_set(e, ERR_PARSE, "event: a fingerprint that is not 40 digits of hex");
	memcpy(out, a->raw + 1, 40);
	out[40] = '\0';
	return 0;
}

static enum event_desc_side
desc_side(const struct event_hs_desc *d)
{
	switch (d->action) {
	case EVENT_DESC_CREATED:
	case EVENT_DESC_UPLOAD:
	case EVENT_DESC_UPLOADED:
		return EVENT_DESC_SIDE_UPLOAD;
	case EVENT_DESC_REQUESTED:
	case EVENT_DESC_RECEIVED:
		return EVENT_DESC_SIDE_FETCH;
	case EVENT_DESC_FAILED:
		break;
	case EVENT_DESC_OTHER:
		return EVENT_DESC_SIDE_UNKNOWN;
	}
	switch (d->reason) {
	case EVENT_DESC_REASON_UPLOAD_REJECTED:
		return EVENT_DESC_SIDE_UPLOAD;
	case EVENT_DESC_REASON_BAD_DESC:
	case EVENT_DESC_REASON_QUERY_REJECTED:
	case EVENT_DESC_REASON_NOT_FOUND:
	case EVENT_DESC_REASON_QUERY_NO_HSDIR:
	case EVENT_DESC_REASON_QUERY_RATE_LIMITED:
		return EVENT_DESC_SIDE_FETCH;
	case EVENT_DESC_REASON_NONE:
	case EVENT_DESC_REASON_OTHER:
	case EVENT_DESC_REASON_UNEXPECTED:
		break;
	}
	return EVENT_DESC_SIDE_UNKNOWN;
}

static int
parse_hs_desc(struct event *ev, const char *p, struct err *e)
{
	static const struct word actions[] = {
		{ "CREATED", EVENT_DESC_CREATED }, { "UPLOAD", EVENT_DESC_UPLOAD }, { "UPLOADED", EVENT_DESC_UPLOADED },
		{ "REQUESTED", EVENT_DESC_REQUESTED }, { "RECEIVED", EVENT_DESC_RECEIVED },
		{ "FAILED", EVENT_DESC_FAILED }, { NULL, 0 },
	};
	static const struct word reasons[] = {
		{ "BAD_DESC", EVENT_DESC_REASON_BAD_DESC }, { "QUERY_REJECTED", EVENT_DESC_REASON_QUERY_REJECTED },
		{ "UPLOAD_REJECTED", EVENT_DESC_REASON_UPLOAD_REJECTED }, { "NOT_FOUND", EVENT_DESC_REASON_NOT_FOUND },
		{ "UNEXPECTED", EVENT_DESC_REASON_UNEXPECTED }, { "QUERY_NO_HSDIR", EVENT_DESC_REASON_QUERY_NO_HSDIR },
		{ "QUERY_RATE_LIMITED", EVENT_DESC_REASON_QUERY_RATE_LIMITED }, { NULL, 0 },
	};
	struct event_hs_desc *d = &ev->u.hs_desc;
	struct reply_arg a;
	size_t n = 0;
	int rc;

	if (next_positional(&p, &a, "the action", e) != 0)
		return -1;
	d->action = (enum event_desc_action)word_lookup(actions, &a);
	if (next_positional(&p, &a, "the address", e) != 0)
		return -1;
	if ((a.raw_len != 7 || memcmp(a.raw, "UNKNOWN", 7) != 0) && put_address(&a, d->address, e) != 0)
		return -1;
	if (next_positional(&p, &a, "the authentication type", e) != 0)
		return -1;
	while ((rc = reply_next_arg(&p, &a)) == 1) {
		if (reply_arg_is_key(&a, "REASON")) {
			d->reason = (enum event_desc_reason)word_lookup(reasons, &a);
			if (d->reason == EVENT_DESC_REASON_NONE)
				d->reason = EVENT_DESC_REASON_OTHER;
		} else if (a.key == NULL) {
			n++;
			if (n == 1 && put_hsdir(&a, d->hsdir, e) != 0)
				return -1;
			if (n == 2 && reply_arg_text(&a, d->descid, sizeof d->descid, e) != 0)
				return err_prefix(e, "event: the descriptor id");
		}
	}
	if (rc < 0)
		return err_set(e, ERR_PARSE, "event: a quote that is not closed");
	d->side = desc_side(d);
	return 0;
}

/* --- STATUS_* and NETWORK_LIVENESS ----------------------------------------------- */

static int
optional(int rc, struct err *own, struct err *e)
{
	if (rc == 0 || own->code == ERR_NOTFOUND)
		return 0;
	return err_set(e, own->code, "event: %s", own->msg);
}

static int
status_numbers(struct event_status *s, const char *p, struct err *e)
{
	struct err own = ERR_INIT;
	int64_t v = -1;
	const char *key = NULL;

	if (s->action == EVENT_STATUS_BOOTSTRAP) {
		if (optional(reply_keyword_int(p, "PROGRESS", 0, 100, &v, &own), &own, e) != 0)
			return -1;
		s->progress = (int)v;
		return 0;
	}
	if (s->action == EVENT_STATUS_CLOCK_JUMPED)
		key = "TIME";
	else if (s->action == EVENT_STATUS_CLOCK_SKEW)
		key = "SKEW";
	return key == NULL ? 0 : optional(reply_keyword_int(p, key, INT32_MIN, INT32_MAX, &s->seconds, &own), &own, e);
}

static int
parse_status(struct event *ev, const char *p, struct err *e)
{
	static const struct word severities[] = {
		{ "NOTICE", EVENT_SEVERITY_NOTICE }, { "WARN", EVENT_SEVERITY_WARN }, { "ERR", EVENT_SEVERITY_ERR },
		{ NULL, 0 },
	};
	static const struct word actions[] = {
		{ "BOOTSTRAP", EVENT_STATUS_BOOTSTRAP }, { "ENOUGH_DIR_INFO", EVENT_STATUS_ENOUGH_DIR_INFO },
		{ "NOT_ENOUGH_DIR_INFO", EVENT_STATUS_NOT_ENOUGH_DIR_INFO },
		{ "CIRCUIT_ESTABLISHED", EVENT_STATUS_CIRCUIT_ESTABLISHED },
		{ "CIRCUIT_NOT_ESTABLISHED", EVENT_STATUS_CIRCUIT_NOT_ESTABLISHED },
		{ "CONSENSUS_ARRIVED", EVENT_STATUS_CONSENSUS_ARRIVED }, { "CLOCK_JUMPED", EVENT_STATUS_CLOCK_JUMPED },
		{ "CLOCK_SKEW", EVENT_STATUS_CLOCK_SKEW }, { "DANGEROUS_SOCKS", EVENT_STATUS_DANGEROUS_SOCKS },
		{ "SOCKS_BAD_HOSTNAME", EVENT_STATUS_SOCKS_BAD_HOSTNAME }, { NULL, 0 },
	};
	struct event_status *s = &ev->u.status;
	struct reply_arg a;

	s->progress = -1;
	if (next_positional(&p, &a, "the severity", e) != 0)
		return -1;
	s->severity = (enum event_severity)word_lookup(severities, &a);
	if (next_positional(&p, &a, "the action", e) != 0)
		return -1;
	s->action = (enum event_status_action)word_lookup(actions, &a);
	if (status_numbers(s, p, e) != 0)
		return -1;
	while (reply_next_arg(&p, &a) == 1) {
		if (reply_arg_is_key(&a, "REASON") || (reply_arg_is_key(&a, "TAG") && s->reason[0] == '\0'))
			put_if_fits(&a, s->reason, sizeof s->reason);
		else if (reply_arg_is_key(&a, "SOURCE"))
			put_if_fits(&a, s->source, sizeof s->source);
	}
	return 0;
}

static int
parse_liveness(struct event *ev, const char *p, struct err *e)
{
	static const struct word words[] = { { "UP", 1 }, { "DOWN", 2 }, { NULL, 0 } };
	struct reply_arg a;
	int word;

	if (next_positional(&p, &a, "the state", e) != 0)
		return -1;
	word = word_lookup(words, &a);
	if (word == 0)
		ev->kind = EVENT_OTHER;
	ev->u.live = word == 1;
	return 0;
}

/* --- STREAM ------------------------------------------------------------------- */

/* The port behind the last ':', 0 if there is none or it is none. */
static uint16_t
port_of(const char *s)
{
	const char *p = strrchr(s, ':');
	unsigned v = 0;

	if (p == NULL || p[1] == '\0' || strlen(p + 1) > 5 || strspn(p + 1, "0123456789") != strlen(p + 1))
		return 0;
	while (*++p != '\0')
		v = v * 10 + (unsigned)(*p - '0');
	return v <= 65535 ? (uint16_t)v : 0;
}

/* "<address>.onion:port", letters of any case: someone else may have typed it. */
static void
put_target(struct event_stream *s, const struct reply_arg *a)
{
	char host[56 + 1];
	size_t i;

	put_if_fits(a, s->target, sizeof s->target);
	s->port = port_of(s->target);
	if (strncmp(s->target, "unix:", 5) == 0 || strlen(s->target) < 56 || strncmp(s->target + 56, ".onion:", 7) != 0)
		return;
	for (i = 0; i < 56; i++)
		host[i] = s->target[i] >= 'A' && s->target[i] <= 'Z' ? (char)(s->target[i] + 32) : s->target[i];
	host[56] = '\0';
	if (onion_addr_shape(host, 56))
		memcpy(s->address, host, sizeof host);
}

static int
parse_stream(struct event *ev, const char *p, struct err *e)
{
	static const struct word states[] = {
		{ "NEW", EVENT_STREAM_NEW }, { "NEWRESOLVE", EVENT_STREAM_NEWRESOLVE }, { "REMAP", EVENT_STREAM_REMAP },
		{ "SENTCONNECT", EVENT_STREAM_SENTCONNECT }, { "SENTRESOLVE", EVENT_STREAM_SENTRESOLVE },
		{ "SUCCEEDED", EVENT_STREAM_SUCCEEDED }, { "FAILED", EVENT_STREAM_FAILED },
		{ "CLOSED", EVENT_STREAM_CLOSED }, { "DETACHED", EVENT_STREAM_DETACHED }, { NULL, 0 },
	};
	struct event_stream *s = &ev->u.stream;
	struct reply_arg a;
	char source[128];

	if (next_positional(&p, &a, "the stream's id", e) != 0 || put_id(&a, s->id, e) != 0 ||
	    next_positional(&p, &a, "the stream's state", e) != 0)
		return -1;
	s->status = (enum event_stream_status)word_lookup(states, &a);
	if (next_positional(&p, &a, "the circuit's id", e) != 0 || put_id(&a, s->circuit, e) != 0)
		return -1;
	if (reply_next_arg(&p, &a) != 1)
		return 0;
	put_target(s, &a);
	while (reply_next_arg(&p, &a) == 1) {
		if (reply_arg_is_key(&a, "REASON"))
			put_if_fits(&a, s->reason, sizeof s->reason);
		else if (reply_arg_is_key(&a, "REMOTE_REASON"))
			put_if_fits(&a, s->remote_reason, sizeof s->remote_reason);
		else if (reply_arg_is_key(&a, "SOCKS_USERNAME"))
			put_if_fits(&a, s->socks_username, sizeof s->socks_username);
		else if (reply_arg_is_key(&a, "SOURCE_ADDR")) {
			put_if_fits(&a, source, sizeof source);
			s->source_port = port_of(source);
		}
	}
	return 0;
}

/* --- CIRC --------------------------------------------------------------------- */

static int
parse_circ_text(struct event_circ *c, const char *p, struct err *e)
{
	static const struct word states[] = {
		{ "LAUNCHED", EVENT_CIRC_LAUNCHED }, { "BUILT", EVENT_CIRC_BUILT },
		{ "GUARD_WAIT", EVENT_CIRC_GUARD_WAIT }, { "EXTENDED", EVENT_CIRC_EXTENDED },
		{ "FAILED", EVENT_CIRC_FAILED }, { "CLOSED", EVENT_CIRC_CLOSED },
		{ "PURPOSE_CHANGED", EVENT_CIRC_PURPOSE_CHANGED }, { "CANNIBALIZED", EVENT_CIRC_CANNIBALIZED },
		{ NULL, 0 },
	};
	struct reply_arg a;

	if (next_positional(&p, &a, "the circuit's id", e) != 0 || put_id(&a, c->id, e) != 0 ||
	    next_positional(&p, &a, "the circuit's state", e) != 0)
		return -1;
	c->status = (enum event_circ_status)word_lookup(states, &a);
	while (reply_next_arg(&p, &a) == 1) {
		if (reply_arg_is_key(&a, "PURPOSE"))
			put_if_fits(&a, c->purpose, sizeof c->purpose);
		else if (reply_arg_is_key(&a, "HS_STATE"))
			put_if_fits(&a, c->hs_state, sizeof c->hs_state);
		else if (reply_arg_is_key(&a, "REND_QUERY") && onion_addr_shape(a.raw, a.raw_len))
			put_if_fits(&a, c->rend_query, sizeof c->rend_query);
		else if (reply_arg_is_key(&a, "REASON"))
			put_if_fits(&a, c->reason, sizeof c->reason);
		else if (reply_arg_is_key(&a, "SOCKS_USERNAME"))
			put_if_fits(&a, c->socks_username, sizeof c->socks_username);
	}
	return 0;
}

static int
parse_circ(struct event *ev, const char *p, struct err *e)
{
	return parse_circ_text(&ev->u.circ, p, e);
}

int
event_parse_circ(struct event_circ *out, const char *line, size_t n, struct err *e)
{
	struct event_circ c = { 0 };
	char text[4096];

	if (n >= sizeof text)
		return err_set(e, ERR_LIMIT, "circuit-status: a line of %zu bytes", n);
	memcpy(text, line, n);
	text[n] = '\0';
	if (parse_circ_text(&c, text, e) != 0)
		return -1;
	*out = c;
	return 0;
}

int
event_parse(struct event *out, const struct reply *r, struct err *e)
{
	static const struct {
		const char *name;
		enum event_kind kind;
		int (*parse)(struct event *ev, const char *p, struct err *e);
	} table[] = {
		{ "HS_DESC", EVENT_HS_DESC, parse_hs_desc },
		{ "STATUS_CLIENT", EVENT_STATUS_CLIENT, parse_status },
		{ "STATUS_GENERAL", EVENT_STATUS_GENERAL, parse_status },
		{ "NETWORK_LIVENESS", EVENT_NETWORK_LIVENESS, parse_liveness },
		{ "STREAM", EVENT_STREAM, parse_stream },
		{ "CIRC", EVENT_CIRC, parse_circ },
		{ "CIRC_MINOR", EVENT_CIRC_MINOR, parse_circ },
	};
	struct event ev;
	const char *p = reply_text(r);
	size_t i, n = strcspn(p, " ");

	memset(&ev, 0, sizeof ev); /* every member of the union */
	if (!r->is_event)
		return err_set(e, ERR_PROTO, "status %d is not an event", r->code);
	for (i = 0; i < sizeof table / sizeof table[0]; i++) {
		if (strlen(table[i].name) != n || memcmp(table[i].name, p, n) != 0)
			continue;
		ev.kind = table[i].kind;
		if (table[i].parse(&ev, p + n, e) != 0)
			return -1;
		break;
	}
	*out = ev;
	return 0;
}
