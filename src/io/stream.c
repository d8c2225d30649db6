/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Streams over non-blocking sockets and raw events. A stream owns its
 * descriptor, its events and its two queues. Each event handler ends with at
 * most one call of the owner's callback, which may free the stream: nothing
 * touches it afterwards.
 */
#include "config.h"
#include "io/stream.h"

#include "base/mem.h"
#include "io/inbuf.h"
#include "io/internal.h"
#include "io/outq.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/* Most bytes moved per stream and turn, so that one peer can't starve the others. */
#define TURN_READ_MAX ((size_t)64 * 1024)
#define TURN_WRITE_MAX ((size_t)256 * 1024)

enum state { CONNECTING, OPEN, CLOSED };

struct stream {
	struct orphan orphan; /* first; used while draining */
	struct loop *loop;
	struct endpoint ep;
	enum state state;
	int fd; /* -1 when closed */
	struct event *rd, *wr; /* NULL without a descriptor */
	struct event *later; /* failed connect, unread bytes on resume; the deadline while draining */
	stream_cb *cb;
	void *arg;
	struct inbuf in;
	struct outq out;
	struct err err;
	long uid, gid;
	bool reading;      /* the owner wants input */
	bool resume;       /* STREAM_DATA for old bytes is due from `later` */
	bool write_failed; /* nothing can be sent; what the peer sent before is still read */
	bool draining;     /* the owner is gone */
};

static void on_readable(evutil_socket_t fd, short what, void *arg);
static void on_writable(evutil_socket_t fd, short what, void *arg);
static void on_later(evutil_socket_t fd, short what, void *arg);

static void
drop_socket(struct stream *s)
{
	if (s->rd != NULL)
		event_free(s->rd);
	if (s->wr != NULL)
		event_free(s->wr);
	s->rd = s->wr = NULL;
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
	outq_clear(&s->out);
}

static void
destroy(struct stream *s)
{
	if (s->draining)
		loop_disown(&s->orphan);
	drop_socket(s);
	event_free(s->later);
	inbuf_clear(&s->in);
	free(s);
}

static void
destroy_orphan(struct orphan *o)
{
	destroy((struct stream *)o);
}

/* Must be the last thing a handler does. */
static void
dispatch(struct stream *s, enum stream_event ev)
{
	if (s->cb != NULL)
		s->cb(s, ev, s->arg);
}

/* The end, from a handler, with s->err set. Must be the last thing it does. */
static void
finish(struct stream *s)
{
	if (s->draining) {
		destroy(s);
		return;
	}
	drop_socket(s);
	s->state = CLOSED;
	s->resume = false;
	event_del(s->later);
	dispatch(s, STREAM_CLOSED);
}

/* The end, from outside a handler: CLOSED comes from the loop. */
static void
fail_later(struct stream *s)
{
	drop_socket(s);
	s->state = CLOSED;
	s->resume = false;
	loop_event_after(s->later, 0);
}

static void
update_reading(struct stream *s)
{
	if (s->state != OPEN || s->rd == NULL)
		return;
	if (s->reading && !s->resume && s->in.len < s->in.max)
		loop_add(s->rd, NULL);
	else
		event_del(s->rd);
}

static const char *
name_of(const struct stream *s, char text[ENDPOINT_TEXT_MAX])
{
	endpoint_format(text, &s->ep);
	return text;
}

static struct stream *
new_stream(struct loop *l, const struct endpoint *ep, size_t max_input, int fd)
{
	struct stream *s = xcalloc(1, sizeof *s);

	s->loop = l;
	s->ep = *ep;
	s->fd = fd;
	s->in.max = max_input > 0 ? max_input : 1;
	s->uid = s->gid = -1;
	s->reading = true;
	s->later = loop_event(l, -1, 0, on_later, s);
	if (fd >= 0) {
		s->rd = loop_event(l, fd, EV_READ | EV_PERSIST, on_readable, s);
		s->wr = loop_event(l, fd, EV_WRITE | EV_PERSIST, on_writable, s);
		address_no_delay(fd, ep);
	}
	return s;
}

static void
become_open(struct stream *s)
{
	struct ucred cred;
	socklen_t n = sizeof cred;

	s->state = OPEN;
	if (s->ep.kind == ENDPOINT_UNIX && getsockopt(s->fd, SOL_SOCKET, SO_PEERCRED, &cred, &n) == 0) {
		s->uid = (long)cred.uid;
		s->gid = (long)cred.gid;
	}
	update_reading(s);
}

struct stream *
stream_connect(struct loop *l, const struct endpoint *ep, size_t max_input, stream_cb *cb, void *arg)
{
	struct sockaddr_storage sa;
	socklen_t n = address_from_endpoint(&sa, ep);
	char text[ENDPOINT_TEXT_MAX];
	struct stream *s = new_stream(l, ep, max_input, address_socket(ep));

	stream_set_cb(s, cb, arg);
	if (s->fd < 0 || (connect(s->fd, (struct sockaddr *)&sa, n) != 0 && errno != EINPROGRESS && errno != EINTR)) {
		err_set_sys(&s->err, "connect to %s", name_of(s, text));
		fail_later(s);
	} else {
		/* Also when it is connected already: the news comes from the loop. */
		loop_add(s->wr, NULL);
	}
	return s;
}

struct stream *
stream_accepted(struct loop *l, int fd, const struct endpoint *ep, size_t max_input)
{
	struct stream *s = new_stream(l, ep, max_input, fd);

	become_open(s);
	return s;
}

static void
finish_connect(struct stream *s)
{
	char text[ENDPOINT_TEXT_MAX];
	int error = 0;
	socklen_t n = sizeof error;

	if (getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &n) != 0)
		error = errno;
	if (error != 0) {
		errno = error;
		err_set_sys(&s->err, "connect to %s", name_of(s, text));
		finish(s);
		return;
	}
	become_open(s);
	if (s->out.len == 0)
		event_del(s->wr);
	dispatch(s, STREAM_CONNECTED);
}

static void
read_some(struct stream *s)
{
	char text[ENDPOINT_TEXT_MAX], *p;
	size_t room;
	ssize_t n;

	p = inbuf_space(&s->in, &room);
	n = recv(s->fd, p, room < TURN_READ_MAX ? room : TURN_READ_MAX, 0);
	if (n > 0) {
		inbuf_added(&s->in, (size_t)n);
		update_reading(s);
		dispatch(s, STREAM_DATA);
		return;
	}
	if (n < 0 && (errno == EAGAIN || errno == EINTR) && !s->write_failed)
		return;
	if (n == 0)
		err_set(&s->err, ERR_CLOSED, "%s: the other side closed the connection", name_of(s, text));
	else
		err_set_sys(&s->err, "read from %s", name_of(s, text));
	finish(s);
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	read_some(arg);
}

/* The peer takes no more, but what it said before (why, perhaps) is still to be read. */
static void
fail_writing(struct stream *s)
{
	char text[ENDPOINT_TEXT_MAX];

	err_set_sys(&s->err, "write to %s", name_of(s, text));
	outq_clear(&s->out);
	event_del(s->wr);
	s->write_failed = true;
	if (s->draining || !s->reading)
		finish(s);
	else if (!s->resume && s->in.len < s->in.max)
		read_some(s);
	/* else: goes on when the owner has taken what is there */
}

/* Done sending with nobody to tell. Unread input would turn the close into a reset that overtakes our bytes. */
static void
finish_drain(struct stream *s)
{
	char waste[4096];
	int turns = 64;

	shutdown(s->fd, SHUT_WR);
	while (turns-- > 0 && recv(s->fd, waste, sizeof waste, MSG_DONTWAIT) > 0)
		;
	mem_wipe(waste, sizeof waste);
	destroy(s);
}

static void
flush(struct stream *s)
{
	size_t budget = TURN_WRITE_MAX, n;
	const void *p;
	ssize_t w;

	while (budget > 0 && (p = outq_front(&s->out, &n)) != NULL) {
		w = send(s->fd, p, n < budget ? n : budget, MSG_NOSIGNAL);
		if (w < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (w < 0) {
			fail_writing(s);
			return;
		}
		outq_pop(&s->out, (size_t)w);
		budget -= (size_t)w;
	}
	if (s->out.len > 0)
		return;
	event_del(s->wr);
	if (s->draining)
		finish_drain(s);
	else
		dispatch(s, STREAM_DRAINED);
}

static void
on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct stream *s = arg;

	(void)fd;
	(void)what;
	if (s->state == CONNECTING)
		finish_connect(s);
	else
		flush(s);
}

static void
on_later(evutil_socket_t fd, short what, void *arg)
{
	struct stream *s = arg;

	(void)fd;
	(void)what;
	if (s->draining) {
		destroy(s);
	} else if (s->state == CLOSED) {
		dispatch(s, STREAM_CLOSED);
	} else if (s->resume) {
		s->resume = false;
		update_reading(s);
		if (s->in.len > 0)
			dispatch(s, STREAM_DATA);
	}
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
	update_reading(s);
}

static bool
can_write(const struct stream *s)
{
	return s->state != CLOSED && !s->write_failed;
}

void
stream_write(struct stream *s, const void *p, size_t n)
{
	if (n == 0 || !can_write(s))
		return;
	outq_add(&s->out, p, n);
	loop_add(s->wr, NULL);
}

void
stream_write_secret(struct stream *s, const void *p, size_t n)
{
	if (n == 0 || !can_write(s))
		return;
	if (outq_add_secret(&s->out, p, n) != 0) {
		err_set(&s->err, ERR_MEMORY, "no locked memory for a secret to send");
		fail_later(s);
		return;
	}
	loop_add(s->wr, NULL);
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
	if (s->state == OPEN) {
		s->resume = on && s->in.len > 0;
		if (s->resume)
			loop_event_after(s->later, 0);
		else
			event_del(s->later);
	}
	update_reading(s);
}

const struct err *
stream_error(const struct stream *s)
{
	return &s->err;
}

long
stream_peer_uid(const struct stream *s)
{
	return s->uid;
}

long
stream_peer_gid(const struct stream *s)
{
	return s->gid;
}

void
stream_free(struct stream *s)
{
	if (s != NULL)
		destroy(s);
}

void
stream_free_after_drain(struct stream *s, int64_t ms)
{
	if (s == NULL)
		return;
	if (s->out.len == 0 || !can_write(s)) {
		destroy(s);
		return;
	}
	stream_set_cb(s, NULL, NULL);
	stream_set_reading(s, false);
	inbuf_clear(&s->in);
	s->draining = true;
	loop_adopt(s->loop, &s->orphan, destroy_orphan);
	loop_event_after(s->later, ms);
}
