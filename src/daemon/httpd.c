/* SPDX-License-Identifier: BSD-3-Clause */
/* The HTTP server. Owns its sockets and connections; each connection has one stream and one timer. */
#include "config.h"
#include "daemon/httpd.h"

#include "base/clock.h"
#include "base/mem.h"
#include "io/stream.h"

#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

const struct httpd_limits httpd_limits = { .per_socket = 64, .all = 256, .request_ms = 30 * 1000, .piece_ms = 60 * 1000,
	.answer_ms = 10 * 60 * 1000 };

struct port {
	TAILQ_ENTRY(port) link;
	struct httpd *httpd;
	uint64_t id;
	struct listener *listener; /* owned */
	unsigned n;                /* its connections */
};

struct conn {
	TAILQ_ENTRY(conn) link;
	struct port *port;     /* borrowed: it ends its connections before itself */
	struct stream *stream; /* owned */
	struct timer *timer;   /* owned */
	int64_t end;           /* mono ms: when the answer must be over */
	struct httpd_answer answer;
	size_t sent;           /* of its body */
	bool answering;
};

struct httpd {
	struct loop *loop;
	const struct httpd_limits *limits; /* borrowed */
	httpd_cb *cb;
	void *arg;
	TAILQ_HEAD(, port) ports;
	TAILQ_HEAD(, conn) conns; /* the oldest first */
	unsigned n;
};

static void
conn_end(struct conn *c)
{
	struct httpd *h = c->port->httpd;

	TAILQ_REMOVE(&h->conns, c, link);
	h->n--;
	c->port->n--;
	if (c->answer.hold != NULL)
		c->answer.release(c->answer.hold);
	timer_free(c->timer);
	stream_free(c->stream);
	free(c);
}

static void
on_timeout(void *arg)
{
	conn_end(arg);
}

/* The next piece of the body; at its end the kernel has all, and the connection is over. */
static void
send_more(struct conn *c)
{
	size_t left = c->answer.head.length - c->sent, n = left < HTTPD_PIECE ? left : HTTPD_PIECE;
	int64_t rest = c->end - clock_mono_ms(), limit = c->port->httpd->limits->piece_ms;

	if (n == 0) {
		conn_end(c);
		return;
	}
	stream_write(c->stream, c->answer.body + c->sent, n);
	c->sent += n;
	timer_set(c->timer, rest < limit ? rest : limit);
}

static void
answer(struct conn *c, const struct http_request *rq, int status)
{
	struct httpd *h = c->port->httpd;
	struct httpd_answer *a = &c->answer;
	struct buf head = BUF_INIT(4096);

	h->cb(h->arg, c->port->id, rq, status, a);
	http_answer_write(&head, &a->head);
	stream_write(c->stream, buf_str(&head), head.len);
	buf_free(&head);
	c->answering = true;
	c->end = clock_mono_ms() + h->limits->answer_ms;
	if (rq == NULL || rq->head || a->head.status == 304)
		c->sent = a->head.length;
	/* Reading goes on, so that the end of a peer who has had enough is seen; what he sends is dropped. */
	if (c->sent < a->head.length)
		send_more(c);
	else
		timer_set(c->timer, h->limits->piece_ms);
}

static void
on_data(struct conn *c)
{
	struct http_request rq;
	size_t n;
	const char *p = stream_peek(c->stream, &n);
	int status;

	if (c->answering) {
		stream_consume(c->stream, n);
		return;
	}
	status = http_request_parse(&rq, p, n);
	if (status == 0)
		return;
	stream_consume(c->stream, n);
	answer(c, status == 200 ? &rq : NULL, status);
}

static void
on_stream(struct stream *s, enum stream_event ev, void *arg)
{
	struct conn *c = arg;

	(void)s;
	if (ev == STREAM_CLOSED)
		conn_end(c);
	else if (ev == STREAM_DATA)
		on_data(c);
	else if (ev == STREAM_DRAINED && c->answering)
		send_more(c);
}

/* Makes room for one more: on this socket, or on any. */
static void
make_room(struct httpd *h, struct port *p)
{
	unsigned most = h->limits->per_socket;
	struct conn *c;

	TAILQ_FOREACH(c, &h->conns, link)
		if ((p->n >= most && c->port == p) || (p->n < most && h->n >= h->limits->all)) {
			conn_end(c);
			return;
		}
}

static void
on_accept(struct stream *s, void *arg)
{
	struct port *p = arg;
	struct httpd *h = p->httpd;
	struct conn *c = xcalloc(1, sizeof *c);

	make_room(h, p);
	c->port = p;
	c->stream = s;
	c->timer = timer_new(h->loop, on_timeout, c);
	timer_set(c->timer, h->limits->request_ms);
	TAILQ_INSERT_TAIL(&h->conns, c, link);
	h->n++;
	p->n++;
	stream_set_cb(s, on_stream, c);
}

void
httpd_refuse(struct httpd_answer *a, int status)
{
	a->head.status = status;
	a->head.type = "text/plain; charset=utf-8";
	a->head.policy = HTTPD_POLICY;
	a->body = http_status_text(status);
	a->head.length = strlen(a->body);
}

struct httpd *
httpd_new(struct loop *l, const struct httpd_limits *limits, httpd_cb *cb, void *arg)
{
	struct httpd *h = xcalloc(1, sizeof *h);

	h->loop = l;
	h->limits = limits;
	h->cb = cb;
	h->arg = arg;
	TAILQ_INIT(&h->ports);
	TAILQ_INIT(&h->conns);
	return h;
}

static struct port *
find(const struct httpd *h, uint64_t id)
{
	struct port *p;

	TAILQ_FOREACH(p, &h->ports, link)
		if (p->id == id)
			return p;
	return NULL;
}

static struct port *
port_new(struct httpd *h, uint64_t id)
{
	struct port *p = xcalloc(1, sizeof *p);

	p->httpd = h;
	p->id = id;
	return p;
}

/* With its listener, or not at all. */
static int
port_begin(struct port *p)
{
	if (p->listener == NULL) {
		free(p);
		return -1;
	}
	TAILQ_INSERT_TAIL(&p->httpd->ports, p, link);
	return 0;
}

int
httpd_listen(struct httpd *h, uint64_t id, const struct endpoint *ep, mode_t mode, struct err *e)
{
	struct port *p = port_new(h, id);

	p->listener = listener_new(h->loop, ep, mode, HTTP_REQUEST_MAX + 1, on_accept, p, e);
	return port_begin(p);
}

int
httpd_adopt(struct httpd *h, uint64_t id, int fd, struct err *e)
{
	struct port *p = port_new(h, id);

	p->listener = listener_adopt(h->loop, fd, HTTP_REQUEST_MAX + 1, on_accept, p, e);
	return port_begin(p);
}

bool
httpd_listens(const struct httpd *h, uint64_t id)
{
	return find(h, id) != NULL;
}

/* Ends those of a socket (NULL: of any) whose answer holds something (NULL: anything or nothing). */
static void
end_some(struct httpd *h, const struct port *p, const void *hold)
{
	struct conn *c, *next;

	for (c = TAILQ_FIRST(&h->conns); c != NULL; c = next) {
		next = TAILQ_NEXT(c, link);
		if ((p == NULL || c->port == p) && (hold == NULL || c->answer.hold == hold))
			conn_end(c);
	}
}

void
httpd_end_holders(struct httpd *h, const void *hold)
{
	end_some(h, NULL, hold);
}

static void
port_end(struct port *p)
{
	struct httpd *h = p->httpd;

	end_some(h, p, NULL);
	TAILQ_REMOVE(&h->ports, p, link);
	listener_free(p->listener);
	free(p);
}

void
httpd_unlisten(struct httpd *h, uint64_t id)
{
	struct port *p = find(h, id);

	if (p != NULL)
		port_end(p);
}

void
httpd_free(struct httpd *h)
{
	struct port *p;

	if (h == NULL)
		return;
	while ((p = TAILQ_FIRST(&h->ports)) != NULL)
		port_end(p);
	free(h);
}
