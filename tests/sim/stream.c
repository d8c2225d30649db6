/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * io/stream.h without sockets: the daemon's end of a stream, its listeners.
 * What is between the two ends is in link.c. As in src/io each handler ends
 * with at most one call of the owner's callback, which may free the stream.
 */
#include "config.h"
#include "io/stream.h"

#include "base/mem.h"
#include "io/inbuf.h"
#include "io/outq.h"
#include "sim/impl.h"
#include "sim/io_impl.h"
#include "sim/link.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TURN_READ_MAX ((size_t)64 * 1024)
#define SOCKET_BUFFER ((size_t)208 * 1024) /* bytes on the way before the kernel takes no more */

enum state { CONNECTING, OPEN, CLOSED };

struct stream {
	LIST_ENTRY(stream) entry; /* while draining */
	struct loop *loop;
	struct endpoint ep;
	enum state state;
	struct link *link; /* NULL: no connection */
	stream_cb *cb;
	void *arg;
	struct inbuf in;
	struct outq out, rx; /* to send; arrived and not yet read */
	struct err err;
	int end; /* the peer's end has arrived: 0 no, -1 orderly, else errno; after rx */
	bool accepted, reading, draining, write_failed;
	bool again; /* STREAM_DATA for old bytes is due */
	uint64_t pump_ev, flush_ev, later_ev;
};

static void pump(void *arg);
static void flush(void *arg);

static void
drop_link(struct stream *s)
{
	sim_cancel(s->pump_ev);
	sim_cancel(s->flush_ev);
	sim_cancel(s->later_ev);
	s->pump_ev = s->flush_ev = s->later_ev = 0;
	if (s->link != NULL)
		link_leave(s->link);
	s->link = NULL;
	outq_clear(&s->out);
	outq_clear(&s->rx);
}

static void
destroy(struct stream *s)
{
	if (s->draining)
		LIST_REMOVE(s, entry);
	drop_link(s);
	inbuf_clear(&s->in);
	free(s);
}

/* Must be the last thing a handler does. */
static void
dispatch(struct stream *s, enum stream_event ev)
{
	if (s->cb != NULL)
		s->cb(s, ev, s->arg);
}

static const char *
name_of(const struct stream *s, char text[ENDPOINT_TEXT_MAX])
{
	endpoint_format(text, &s->ep);
	return text;
}

/* The end, from a handler. Must be the last thing it does. */
static void
finish(struct stream *s)
{
	if (s->draining) {
		destroy(s);
		return;
	}
	drop_link(s);
	s->state = CLOSED;
	dispatch(s, STREAM_CLOSED);
}

static void
want_pump(struct stream *s)
{
	if (s->pump_ev == 0 && s->state == OPEN && s->reading && (s->again || ((s->rx.len > 0 || s->end != 0) && s->in.len < s->in.max)))
		s->pump_ev = sim_after(0, pump, s);
}

/* The peer's end, once all its bytes are read. */
static void
finish_read(struct stream *s)
{
	char text[ENDPOINT_TEXT_MAX];

	if (s->end < 0)
		err_set(&s->err, ERR_CLOSED, "%s: the other side closed the connection", name_of(s, text));
	else {
		errno = s->end;
		err_set_sys(&s->err, "read from %s", name_of(s, text));
	}
	finish(s);
}

static void
pump(void *arg)
{
	struct stream *s = arg;
	size_t room, n;
	const void *p;
	char *to;

	s->pump_ev = 0;
	if (s->again && s->reading && s->in.len > 0) {
		s->again = false;
		want_pump(s);
		dispatch(s, STREAM_DATA);
		return;
	}
	s->again = false;
	if (!s->reading || s->in.len >= s->in.max)
		return;
	if ((p = outq_front(&s->rx, &n)) != NULL) {
		to = inbuf_space(&s->in, &room);
		n = n < room ? n : room;
		n = n < TURN_READ_MAX ? n : TURN_READ_MAX;
		memcpy(to, p, n);
		outq_pop(&s->rx, n);
		inbuf_added(&s->in, n);
		want_pump(s);
		dispatch(s, STREAM_DATA);
	} else if (s->end != 0) {
		finish_read(s);
	}
}

/* --- from link.c --- */

void
stream_arrive(struct stream *s, const void *p, size_t n)
{
	if (s->draining || s->end != 0)
		return;
	outq_add(&s->rx, p, n);
	want_pump(s);
	if (s->pump_ev != 0) {
		sim_cancel(s->pump_ev); /* this event may as well be the reading one */
		pump(s);
	}
}

void
stream_arrive_end(struct stream *s, int error)
{
	char text[ENDPOINT_TEXT_MAX];

	if (s->end != 0)
		return;
	s->end = error != 0 ? error : -1;
	if (s->state == CONNECTING) {
		errno = error != 0 ? error : ECONNREFUSED;
		err_set_sys(&s->err, "connect to %s", name_of(s, text));
		finish(s);
	} else if (s->draining) {
		destroy(s);
	} else {
		want_pump(s);
	}
}

void
stream_arrive_connected(struct stream *s)
{
	s->state = OPEN;
	if (s->out.len > 0 && s->flush_ev == 0)
		s->flush_ev = sim_after(0, flush, s);
	want_pump(s);
	dispatch(s, STREAM_CONNECTED);
}

void
stream_may_send(struct stream *s)
{
	if (s->out.len > 0 && s->flush_ev == 0 && s->state == OPEN)
		s->flush_ev = sim_after(0, flush, s);
}

/* --- the daemon's side --- */

static struct stream *
new_stream(struct loop *l, const struct endpoint *ep, size_t max_input)
{
	struct stream *s = xcalloc(1, sizeof *s);

	s->loop = l;
	s->ep = *ep;
	s->in.max = max_input > 0 ? max_input : 1;
	s->reading = true;
	return s;
}

static void
fail_connect(void *arg)
{
	struct stream *s = arg;
	char text[ENDPOINT_TEXT_MAX];

	s->later_ev = 0;
	errno = ECONNREFUSED;
	err_set_sys(&s->err, "connect to %s", name_of(s, text));
	finish(s);
}

struct stream *
stream_connect(struct loop *l, const struct endpoint *ep, size_t max_input, stream_cb *cb, void *arg)
{
	struct stream *s = new_stream(l, ep, max_input);
	char text[ENDPOINT_TEXT_MAX];

	stream_set_cb(s, cb, arg);
	endpoint_format(text, ep);
	check_on_connect(text);
	s->link = process_is_dead() ? NULL : link_open(s, text);
	if (s->link == NULL)
		s->later_ev = sim_after(0, fail_connect, s);
	return s;
}

struct stream *
stream_accepted(struct loop *l, struct link *link, const struct endpoint *ep, size_t max_input)
{
	struct stream *s = new_stream(l, ep, max_input);

	s->link = link;
	s->state = OPEN;
	s->accepted = true;
	return s;
}

static void
flush(void *arg)
{
	struct stream *s = arg;
	const void *p;
	size_t n;

	s->flush_ev = 0;
	while ((p = outq_front(&s->out, &n)) != NULL) {
		if (link_on_the_way(s->link) > SOCKET_BUFFER)
			return; /* stream_may_send() wakes it */
		if (!process_effect(EFFECT_SEND, "send"))
			return;
		link_send(s->link, p, n);
		outq_pop(&s->out, n);
	}
	if (s->draining)
		destroy(s);
	else
		dispatch(s, STREAM_DRAINED);
}

void
stream_set_cb(struct stream *s, stream_cb *cb, void *arg)
{
	s->cb = cb;
	s->arg = arg;
}

const char *
stream_peek(struct stream *s, size_t *len)
{
	return inbuf_peek(&s->in, len);
}

void
stream_consume(struct stream *s, size_t n)
{
	inbuf_consume(&s->in, n);
	want_pump(s);
}

static void
sent(struct stream *s)
{
	if (s->state == OPEN && s->flush_ev == 0)
		s->flush_ev = sim_after(0, flush, s);
}

void
stream_write(struct stream *s, const void *p, size_t n)
{
	if (n == 0 || s->state == CLOSED)
		return;
	outq_add(&s->out, p, n);
	sent(s);
}

void
stream_write_secret(struct stream *s, const void *p, size_t n)
{
	if (n == 0 || s->state == CLOSED)
		return;
	if (outq_add_secret(&s->out, p, n) != 0)
		abort();
	sent(s);
}

size_t
stream_pending(const struct stream *s)
{
	return s->out.len;
}

void
stream_set_reading(struct stream *s, bool on)
{
	if (on == s->reading)
		return;
	s->reading = on;
	s->again = on && s->in.len > 0;
	want_pump(s);
}

const struct err *
stream_error(const struct stream *s)
{
	return &s->err;
}

long
stream_peer_uid(const struct stream *s)
{
	return s->ep.kind == ENDPOINT_UNIX && s->state == OPEN ? (long)geteuid() : -1;
}

long
stream_peer_gid(const struct stream *s)
{
	return s->ep.kind == ENDPOINT_UNIX && s->state == OPEN ? (long)getegid() : -1;
}

void
stream_free(struct stream *s)
{
	if (s != NULL)
		destroy(s);
}

static void
out_of_time(void *arg)
{
	struct stream *s = arg;

	s->later_ev = 0;
	destroy(s);
}

void
stream_free_after_drain(struct stream *s, int64_t ms)
{
	if (s == NULL)
		return;
	if (s->out.len == 0 || s->state == CLOSED || process_is_dead()) {
		destroy(s);
		return;
	}
	s->cb = NULL;
	s->reading = false;
	inbuf_clear(&s->in);
	outq_clear(&s->rx);
	s->draining = true;
	LIST_INSERT_HEAD(&s->loop->drained, s, entry);
	s->later_ev = sim_after(ms, out_of_time, s);
}

void
stream_free_drained(struct loop *l)
{
	struct stream *s;

	while ((s = LIST_FIRST(&l->drained)) != NULL)
		destroy(s);
}

/* --- listeners --- */

struct listener {
	struct listener *next;
	struct loop *loop;
	struct endpoint ep;
	char text[ENDPOINT_TEXT_MAX];
	size_t max_input;
	void (*on_accept)(struct stream *s, void *arg);
	void *arg;
};
static struct listener *listeners;

struct listener *
listener_new(struct loop *l, const struct endpoint *ep, mode_t mode, size_t max_input, void (*on_accept)(struct stream *s, void *arg),
    void *arg, struct err *e)
{
	struct listener *ls = xcalloc(1, sizeof *ls);

	(void)mode;
	(void)e;
	ls->loop = l;
	ls->ep = *ep;
	endpoint_format(ls->text, ep);
	ls->max_input = max_input;
	ls->on_accept = on_accept;
	ls->arg = arg;
	ls->next = listeners;
	listeners = ls;
	return ls;
}

struct listener *
listener_adopt(struct loop *l, int fd, size_t max_input, void (*on_accept)(struct stream *s, void *arg), void *arg, struct err *e)
{
	(void)l;
	(void)fd;
	(void)max_input;
	(void)on_accept;
	(void)arg;
	err_set(e, ERR_CONFIG, "nothing is passed here");
	return NULL;
}

void
listener_free(struct listener *ls)
{
	struct listener **at;

	for (at = &listeners; ls != NULL && *at != NULL; at = &(*at)->next)
		if (*at == ls) {
			*at = ls->next;
			break;
		}
	free(ls);
}

bool
listener_exists(const char *endpoint)
{
	struct listener *ls;

	for (ls = listeners; ls != NULL; ls = ls->next)
		if (strcmp(ls->text, endpoint) == 0)
			return true;
	return false;
}

struct stream *
listener_accept(const char *endpoint, struct link *link)
{
	struct listener *ls;
	struct stream *s;

	for (ls = listeners; ls != NULL && strcmp(ls->text, endpoint) != 0; ls = ls->next)
		;
	if (ls == NULL)
		return NULL;
	s = stream_accepted(ls->loop, link, &ls->ep, ls->max_input);
	link_set_stream(link, s);
	ls->on_accept(s, ls->arg);
	return s;
}
