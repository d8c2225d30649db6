/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The link of a session: connects, reads, pairs replies with commands, keeps
 * the deadline of the oldest command, watches our own side's fitness, and comes
 * back after a loss. Owns the stream, the reader, the queue and the timers.
 * Everything starts from a callback of the loop, between enter() and leave().
 */
#include "config.h"
#include "tor/session_impl.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/mutant.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define INPUT_MAX 262144

static void connect_again(void *arg);

/* --- life ------------------------------------------------------------------ */

static void
release(struct session *s)
{
	handshake_wipe(s);
	stream_free(s->stream);
	reply_reader_free(s->reader);
	queue_free(s->queue);
	timer_free(s->deadline);
	timer_free(s->retry);
	timer_free(s->keep_alive);
	free(s);
}

static void
enter(struct session *s)
{
	s->depth++;
}

static void
leave(struct session *s)
{
	if (--s->depth == 0 && s->dead)
		release(s);
}

/* --- fitness --------------------------------------------------------------- */

static void
tell_fitness(struct session *s)
{
	const char *why;
	bool fit = fitness_judge(&s->fitness, clock_now(), &why);

	/* Texts are constants, but not each one pointer. */
	if (s->dead || (fit == s->fit && strcmp(why, s->fit_why) == 0))
		return;
	s->fit = fit;
	s->fit_why = why;
	if (s->h.on_fitness != NULL)
		s->h.on_fitness(fit, why, s->arg);
}

static void poll_fitness(struct session *s);

static void
on_fitness_reply(void *ctx, uint64_t id, const struct reply *r)
{
	struct session *s = ctx;

	s->polls_open--;
	if (r == NULL)
		return;
	fitness_take_reply(&s->fitness, (enum fitness_question)id, r, clock_now());
	if (s->polls_open > 0)
		return;
	tell_fitness(s);
	if (s->poll_again && !s->dead && s->state == SESSION_UP)
		poll_fitness(s);
}

/* Asks the questions; this is the keep-alive too, since even a refusal shows that tor answers. */
static void
poll_fitness(struct session *s)
{
	struct queue_entry entry = {.cb = on_fitness_reply, .ctx = s, .shape = SHAPE_KEY};
	struct buf out;
	const char *key;
	bool is_conf;
	int q;

	timer_set(s->keep_alive, s->timing.keep_alive);
	s->poll_again = s->polls_open > 0;
	if (s->poll_again)
		return;
	for (q = 0; q < FITNESS__COUNT; q++) {
		out = (struct buf)BUF_INIT(SESSION_LINE_MAX);
		key = fitness_key((enum fitness_question)q, &is_conf);
		if ((is_conf ? command_getconf(&out, key, NULL)
			     : command_getinfo(&out, key, NULL)) != 0)
			mem_exhausted();
		memcpy(entry.key, key, strlen(key) + 1);
		entry.id = (uint64_t)q;
		s->polls_open++;
		session_send(s, &out, &entry);
	}
}

static void
on_keep_alive(void *arg)
{
	struct session *s = arg;

	enter(s);
	poll_fitness(s);
	tell_fitness(s);
	leave(s);
}

void
session_note_path(struct session *s, bool found)
{
	enter(s);
	fitness_take_path(&s->fitness, found, clock_now());
	tell_fitness(s);
	leave(s);
}

/* --- answers ---------------------------------------------------------------- */

static void
deliver_detached(const struct queue_entry *entry, const struct reply *r)
{
	const char *value, *line, **list = NULL;
	size_t len, n = 0, i;
	char *text = NULL;
	bool good;

	good = r != NULL && reply_getinfo(r, "onions/detached", &value, &len) == 0;
	if (good) {
		text = xcalloc(len / 2 + 1, 57); /* a line is one character and its LF at least */
		while (good && reply_value_line(&value, &line, &len)) {
			if (len == 0)
				continue;
			good = len == 56 && strspn(line, "abcdefghijklmnopqrstuvwxyz234567") >= 56;
			if (good)
				memcpy(text + 57 * n++, line, 56);
		}
	}
	list = xcalloc(n + 1, sizeof(*list));
	for (i = 0; i < n; i++)
		list[i] = text + 57 * i;
	entry->detached(entry->ctx, good ? list : NULL, good ? (int)n : -1);
	free(list);
	free(text);
}

/* Joined rendezvous circuits of one service among the lines of circuit-status; -1: that is no such list. */
static int
count_clients(const struct reply *r, const char *address)
{
	const char *value, *line;
	struct event_circ c;
	size_t len;
	int n = 0;

	if (reply_getinfo(r, "circuit-status", &value, &len) != 0)
		return -1;
	while (reply_value_line(&value, &line, &len)) {
		if (len == 0)
			continue;
		if (event_parse_circ(&c, line, len, NULL) != 0)
			return -1;
		n += strcmp(c.purpose, "HS_SERVICE_REND") == 0 &&
		     strcmp(c.hs_state, "HSSR_JOINED") == 0 && strcmp(c.rend_query, address) == 0;
	}
	return n;
}

/* r: NULL when the outcome is unknown. */
static void
deliver(const struct queue_entry *entry, const struct reply *r)
{
	if (entry->cb != NULL)
		entry->cb(entry->ctx, entry->id, r);
	else if (entry->detached != NULL)
		deliver_detached(entry, r);
	else if (entry->count != NULL)
		entry->count(entry->ctx, entry->id, r != NULL ? count_clients(r, entry->address) : -1);
}

/* --- loss ------------------------------------------------------------------ */

static void
tell_lost(struct session *s, const struct err *why)
{
	if (s->told && strcmp(s->error.msg, why->msg) == 0)
		return;
	s->told = true;
	s->error = *why;
	if (s->h.on_lost != NULL && !s->dead)
		s->h.on_lost(&s->error, s->arg);
}

/* The outcome of what was in flight is unknown. Nothing can be added meanwhile: the session is not up. */
static void
fail_commands(struct session *s)
{
	struct queue_entry entry;

	while (!s->dead && queue_pop(s->queue, &entry))
		deliver(&entry, NULL);
}

static void
lose(struct session *s, const struct err *reason, bool quietly)
{
	struct err why = *reason;

	if (s->state == SESSION_UP && clock_mono_ms() - s->up_since >= s->timing.stable)
		backoff_reset(&s->backoff);
	s->state = SESSION_DOWN;
	stream_free(s->stream);
	s->stream = NULL;
	reply_reader_free(s->reader);
	s->reader = NULL;
	handshake_wipe(s);
	timer_cancel(s->deadline);
	timer_cancel(s->keep_alive);
	timer_set(s->retry, quietly ? 0 : backoff_take(&s->backoff));
	err_clear(&s->failed);
	s->poll_again = false;
	fitness_link_down(&s->fitness);
	tell_fitness(s);
	if (!MUTANT(7))
		fail_commands(s);
	if (!quietly && !s->dead) {
		/* A later loss must be able to try a fresh cookie again. */
		s->cookie_retried = false;
		tell_lost(s, &why);
	}
}

void
session_fail(struct session *s, const struct err *why)
{
	if (s->failed.code == ERR_NONE)
		s->failed = *why;
}

/* No message: lose() then keeps quiet. */
void
session_fail_quietly(struct session *s)
{
	if (s->failed.code == ERR_NONE)
		s->failed.code = ERR_AUTH;
}

/* Loses the link if a callback of the reader asked for it. */
static void
settle(struct session *s)
{
	if (!s->dead && s->failed.code != ERR_NONE && s->stream != NULL)
		lose(s, &s->failed, s->failed.msg[0] == '\0');
}

/* --- commands and replies --------------------------------------------------- */

static void
arm_deadline(struct session *s)
{
	const struct queue_entry *head = queue_peek(s->queue);
	int64_t left;

	if (head == NULL) {
		timer_cancel(s->deadline);
		return;
	}
	left = head->deadline - clock_mono_ms();
	timer_set(s->deadline, left < 0 ? 0 : left);
}

void
session_send(struct session *s, struct buf *out, struct queue_entry *entry)
{
	entry->deadline = clock_mono_ms() + s->timing.command;
	queue_push(s->queue, entry);
	if (queue_count(s->queue) == 1)
		arm_deadline(s);
	if (out->secret)
		stream_write_secret(s->stream, out->data, out->len);
	else
		stream_write(s->stream, out->data, out->len);
	buf_free(out);
}

static void
on_deadline(void *arg)
{
	struct session *s = arg;
	const struct queue_entry *head = queue_peek(s->queue);
	struct err e = ERR_INIT;

	enter(s);
	if (s->state == SESSION_CONNECTING || (head != NULL && head->deadline <= clock_mono_ms())) {
		err_set(&e, ERR_TIMEOUT,
		    "tor did not answer within %lld ms; is it stopped or overloaded?",
		    (long long)s->timing.command);
		lose(s, &e, false);
	} else {
		arm_deadline(s);
	}
	leave(s);
}

static void
take_event(struct session *s, const struct reply *r)
{
	struct event ev;

	/* A known event with an odd field is not worth the link: its boundaries were right. */
	if (s->state != SESSION_UP || event_parse(&ev, r, NULL) != 0)
		return;
	s->minor_seen = s->minor_seen || ev.kind == EVENT_CIRC_MINOR;
	if (fitness_take_event(&s->fitness, &ev, clock_now())) {
		tell_fitness(s);
		if (!s->dead)
			poll_fitness(s);
	}
	if (!s->dead && s->h.on_event != NULL)
		s->h.on_event(&ev, s->arg);
}

static int
on_message(const struct reply *r, void *arg)
{
	struct session *s = arg;
	struct queue_entry entry;
	struct err e = ERR_INIT;

	if (r->is_event) {
		take_event(s, r);
	} else if (!queue_pop(s->queue, &entry)) {
		err_set(&e, ERR_PROTO, "tor answered %d \"%.60s\" to no command", r->code,
		    reply_text(r));
		session_fail(s, &e);
	} else if (queue_check(&entry, r, &e) != 0) {
		/* Its callback still has to hear that the outcome is unknown, before those behind it. */
		deliver(&entry, NULL);
		session_fail(s, &e);
	} else {
		arm_deadline(s);
		deliver(&entry, r);
	}
	return s->dead || s->failed.code != ERR_NONE ? -1 : 0;
}

static void
take_input(struct session *s)
{
	struct err e = ERR_INIT;
	const char *data;
	char *copy;
	size_t len;

	data = stream_peek(s->stream, &len);
	if (len == 0)
		return;
	/* Callbacks may write to the stream, which ends the peek. */
	copy = xcalloc(len, 1);
	memcpy(copy, data, len);
	stream_consume(s->stream, len);
	if (reply_reader_feed(s->reader, copy, len, on_message, s, &e) != 0 &&
	    e.code != ERR_CLOSED) {
		err_prefix(&e, "not what tor says");
		session_fail(s, &e);
	}
	free(copy);
}

void
session_is_up(struct session *s)
{
	s->state = SESSION_UP;
	s->up_since = clock_mono_ms();
	s->told = false;
	s->minor_seen = false;
	err_clear(&s->error);
	fitness_link_up(&s->fitness);
	if (s->watchers > 0)
		handshake_ask_watch(s);
	poll_fitness(s);
	tell_fitness(s);
	if (!s->dead && s->h.on_up != NULL)
		s->h.on_up(s->arg);
}

/* --- the stream ------------------------------------------------------------- */

static void
explain_close(const struct session *s, struct err *e)
{
	const struct err *why = stream_error(s->stream);
	char where[ENDPOINT_TEXT_MAX];

	endpoint_format(where, &s->cfg.control);
	if (s->state != SESSION_CONNECTING)
		err_set(e, ERR_CLOSED, "tor closed the control link%s",
		    s->state == SESSION_AUTHENTICATING ? " while it was set up" : "");
	else if (why->sys == EACCES || why->sys == EPERM)
		err_set(e, ERR_SYS,
		    "no permission for the control socket %s; add the user of onionmirrord to the "
		    "group that owns it (Debian: adduser USER debian-tor) and start it anew",
		    where);
	else if (why->sys == ENOENT || why->sys == ECONNREFUSED)
		err_set(e, ERR_SYS,
		    "nothing listens on %s; is tor running, with this ControlSocket or ControlPort "
		    "in its torrc?",
		    where);
	else
		err_set(e, ERR_SYS, "no connection to the control port %s: %s", where, why->msg);
	e->sys = why->sys;
}

static void
on_stream(struct stream *stream, enum stream_event ev, void *arg)
{
	struct session *s = arg;
	struct err e = ERR_INIT;

	(void)stream;
	enter(s);
	switch (ev) {
	case STREAM_CONNECTED:
		s->state = SESSION_AUTHENTICATING;
		timer_cancel(s->deadline);
		handshake_start(s);
		break;
	case STREAM_DATA: take_input(s); break;
	case STREAM_DRAINED: break;
	case STREAM_CLOSED:
		explain_close(s, &e);
		session_fail(s, &e);
		break;
	}
	settle(s);
	leave(s);
}

static void
connect_again(void *arg)
{
	struct session *s = arg;

	if ((s->reader = reply_reader_new()) == NULL)
		mem_exhausted();
	s->state = SESSION_CONNECTING;
	s->stream = stream_connect(s->loop, &s->cfg.control, INPUT_MAX, on_stream, s);
	timer_set(s->deadline, s->timing.command);
}

struct session *
session_new(
    struct loop *l, const struct session_config *cfg, const struct session_handlers *h, void *arg)
{
	static const struct session_timing defaults = {10000, 30000, 1000, 60000, 60000};
	struct session *s = xcalloc(1, sizeof(*s));

	s->loop = l;
	s->cfg = *cfg;
	s->h = *h;
	s->arg = arg;
	s->queue = queue_new();
	s->deadline = timer_new(l, on_deadline, s);
	s->retry = timer_new(l, connect_again, s);
	s->keep_alive = timer_new(l, on_keep_alive, s);
	fitness_link_down(&s->fitness);
	s->fit_why = "control link lost";
	session_set_timing(s, &defaults);
	return s;
}

void
session_set_timing(struct session *s, const struct session_timing *timing)
{
	s->timing = *timing;
	s->backoff = (struct backoff){timing->backoff_min, timing->backoff_max, 0};
}

void
session_start(struct session *s)
{
	if (s->state == SESSION_DOWN && !timer_is_set(s->retry))
		timer_set(s->retry, 0);
}

void
session_free(struct session *s)
{
	if (s == NULL || s->dead)
		return;
	s->dead = true;
	if (s->depth == 0)
		release(s);
}
