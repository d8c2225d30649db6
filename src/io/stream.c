/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Streams over libevent's bufferevents. Owns the descriptor and the buffers.
 * All callbacks are deferred to the loop; a freed stream is only marked, and
 * reaped when nothing on the stack can touch it any more.
 */
#include "config.h"
#include "io/stream.h"

#include "base/mem.h"
#include "io/loop_impl.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct stream {
	struct reap reap; /* first */
	struct loop *loop;
	struct bufferevent *bev;  /* owned; NULL once freed */
	struct timer *later;      /* owned: a failure to report from the loop, or the drain deadline */
	stream_cb *cb;            /* NULL: nobody listens any more */
	void *arg;
	struct err error;
	bool is_unix, closed, dead;
	long uid, gid;
};

static void
reap_stream(struct reap *r)
{
	free((struct stream *)r);
}

void
stream_free(struct stream *s)
{
	if (s == NULL || s->dead)
		return;
	s->dead = true;
	s->cb = NULL;
	timer_free(s->later);
	s->later = NULL;
	if (s->bev != NULL) {
		bufferevent_setcb(s->bev, NULL, NULL, NULL, NULL);
		bufferevent_free(s->bev);
		s->bev = NULL;
	}
	loop_reap(s->loop, &s->reap, reap_stream);
}

static void
tell(struct stream *s, enum stream_event ev)
{
	if (s->cb != NULL)
		s->cb(s, ev, s->arg);
}

static void
close_with(struct stream *s, int sys)
{
	if (s->closed)
		return;
	s->closed = true;
	bufferevent_disable(s->bev, EV_READ | EV_WRITE);
	if (sys != 0) {
		errno = sys;
		err_set_sys(&s->error, "connection");
	} else {
		err_set(&s->error, ERR_CLOSED, "closed by the other side");
	}
	/* What arrived before the end is delivered before the end. */
	if (evbuffer_get_length(bufferevent_get_input(s->bev)) > 0)
		tell(s, STREAM_DATA);
	tell(s, STREAM_CLOSED);
}

static void
learn_peer(struct stream *s)
{
	struct ucred cred;
	socklen_t n = sizeof cred;

	if (!s->is_unix || getsockopt(bufferevent_getfd(s->bev), SOL_SOCKET, SO_PEERCRED, &cred, &n) != 0)
		return;
	s->uid = (long)cred.uid;
	s->gid = (long)cred.gid;
}

static void
on_read(struct bufferevent *bev, void *arg)
{
	(void)bev;
	tell(arg, STREAM_DATA);
}

static void
on_write(struct bufferevent *bev, void *arg)
{
	(void)bev;
	tell(arg, STREAM_DRAINED);
}

static void
on_event(struct bufferevent *bev, short what, void *arg)
{
	struct stream *s = arg;
	int sys = EVUTIL_SOCKET_ERROR();

	(void)bev;
	if ((what & BEV_EVENT_CONNECTED) != 0) {
		learn_peer(s);
		bufferevent_enable(s->bev, EV_READ | EV_WRITE);
		tell(s, STREAM_CONNECTED);
	} else if ((what & BEV_EVENT_EOF) != 0) {
		close_with(s, 0);
	} else if ((what & BEV_EVENT_ERROR) != 0) {
		close_with(s, sys != 0 ? sys : EIO);
	}
}

/* connect() failed at once: told from the loop like every other failure. */
static void
on_failed_connect(void *arg)
{
	struct stream *s = arg;

	s->closed = true;
	tell(s, STREAM_CLOSED);
}

static struct stream *
stream_new(struct loop *l, int fd, bool is_unix, size_t max_input)
{
	struct stream *s = xcalloc(1, sizeof *s);

	s->loop = l;
	s->is_unix = is_unix;
	s->uid = s->gid = -1;
	s->bev = bufferevent_socket_new(l->base, fd, BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
	if (s->bev == NULL)
		abort();
	bufferevent_setcb(s->bev, on_read, on_write, on_event, s);
	bufferevent_setwatermark(s->bev, EV_READ, 0, max_input);
	return s;
}

struct stream *
stream_connect(struct loop *l, const struct endpoint *ep, size_t max_input, stream_cb *cb, void *arg)
{
	struct sockaddr_storage ss;
	socklen_t n = endpoint_sockaddr(ep, &ss);
	int fd = socket(ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct stream *s = stream_new(l, fd, ep->kind == ENDPOINT_UNIX, max_input);
	char where[ENDPOINT_TEXT_MAX];

	s->cb = cb;
	s->arg = arg;
	if (fd >= 0 && bufferevent_socket_connect(s->bev, (struct sockaddr *)&ss, (int)n) == 0)
		return s;
	endpoint_format(where, ep);
	err_set_sys(&s->error, "%s", where);
	bufferevent_setcb(s->bev, NULL, NULL, NULL, NULL);
	s->later = timer_new(l, on_failed_connect, s);
	timer_set(s->later, 0);
	return s;
}

struct stream *
stream_adopt(struct loop *l, int fd, bool is_unix, size_t max_input)
{
	struct stream *s = stream_new(l, fd, is_unix, max_input);

	learn_peer(s);
	return s;
}

void
stream_begin(struct stream *s)
{
	if (s->bev != NULL)
		bufferevent_enable(s->bev, EV_READ | EV_WRITE);
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
	struct evbuffer *in;

	*len = 0;
	if (s->bev == NULL)
		return NULL;
	in = bufferevent_get_input(s->bev);
	*len = evbuffer_get_length(in);
	return *len > 0 ? (const char *)evbuffer_pullup(in, -1) : NULL;
}

void
stream_consume(struct stream *s, size_t n)
{
	if (s->bev != NULL)
		evbuffer_drain(bufferevent_get_input(s->bev), n);
}

void
stream_write(struct stream *s, const void *p, size_t n)
{
	if (s->bev != NULL && !s->closed)
		bufferevent_write(s->bev, p, n);
}

static void
wipe_sent(const void *p, size_t n, void *page)
{
	(void)p;
	(void)n;
	secret_free(page);
}

void
stream_write_secret(struct stream *s, const void *p, size_t n)
{
	struct evbuffer *piece;
	void *page;

	if (s->bev == NULL || s->closed || n == 0)
		return;
	/* A page of its own, referenced by the buffer: no copy is left behind in libevent's memory. */
	page = secret_alloc(n);
	piece = evbuffer_new();
	if (page == NULL || piece == NULL)
		abort();
	memcpy(page, p, n);
	evbuffer_add_reference(piece, page, n, wipe_sent, page);
	bufferevent_write_buffer(s->bev, piece);
	evbuffer_free(piece);
}

size_t
stream_pending(const struct stream *s)
{
	return s->bev != NULL ? evbuffer_get_length(bufferevent_get_output(s->bev)) : 0;
}

void
stream_set_reading(struct stream *s, bool on)
{
	if (s->bev == NULL || s->closed)
		return;
	if (on)
		bufferevent_enable(s->bev, EV_READ);
	else
		bufferevent_disable(s->bev, EV_READ);
}

const struct err *
stream_error(const struct stream *s)
{
	return &s->error;
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

static void
on_drained(struct stream *s, enum stream_event ev, void *arg)
{
	(void)arg;
	if (ev == STREAM_DRAINED || ev == STREAM_CLOSED)
		stream_free(s);
}

static void
on_drain_deadline(void *arg)
{
	stream_free(arg);
}

void
stream_free_after_drain(struct stream *s, int64_t ms)
{
	if (s == NULL || s->dead)
		return;
	if (s->closed || stream_pending(s) == 0) {
		stream_free(s);
		return;
	}
	stream_set_cb(s, on_drained, NULL);
	bufferevent_disable(s->bev, EV_READ);
	timer_free(s->later);
	s->later = timer_new(s->loop, on_drain_deadline, s);
	timer_set(s->later, ms);
}
