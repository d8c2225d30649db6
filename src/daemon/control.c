/* SPDX-License-Identifier: BSD-3-Clause */
/* The control socket's server: clients, lines, limits. What the methods do is in methods.c. */
#include "config.h"
#include "daemon/control.h"

#include "base/log.h"
#include "daemon/daemon.h"
#include "io/stream.h"
#include "proto/rpc.h"

#include <errno.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CLIENTS_MAX 64
#define OUTPUT_MAX (256 * 1024)
#define LINES_A_TURN 64
#define DRAIN_MS 2000

struct client {
	struct client *next;
	struct control *control;
	struct stream *stream; /* owned */
	bool subscribed, closing;
};

struct control {
	struct daemon *d;
	struct listener *listener; /* owned */
	struct client *clients;    /* owned list */
	unsigned n;
	struct timer *reap; /* owned: ends clients that were marked outside of their own events */
};

/* Takes it off the list; its memory goes when nobody is in the middle of it. */
static void
client_end(struct client *cl, bool drain)
{
	struct client **at;

	for (at = &cl->control->clients; *at != NULL && *at != cl; at = &(*at)->next)
		;
	if (*at == cl)
		*at = cl->next;
	cl->control->n--;
	if (drain)
		stream_free_after_drain(cl->stream, DRAIN_MS);
	else
		stream_free(cl->stream);
	free(cl);
}

static void
send_buf(struct client *cl, struct buf *b)
{
	if (b->len > 0)
		stream_write(cl->stream, b->data, b->len);
	buf_free(b);
	/* A client that does not read is cut; the daemon never waits for one. */
	if (stream_pending(cl->stream) > OUTPUT_MAX + RPC_RESPONSE_MAX)
		cl->closing = true;
}

static void
send_error(struct client *cl, const json_t *id, int code, const char *message, const char *reason)
{
	struct buf b = BUF_INIT(RPC_RESPONSE_MAX + 1);

	rpc_write_error(&b, id, code, message, reason, NULL);
	send_buf(cl, &b);
}

static const struct method *
find_method(const char *name)
{
	const struct method *m;

	for (m = methods; m->name != NULL; m++)
		if (strcmp(m->name, name) == 0)
			return m;
	return NULL;
}

static int
code_of(const struct err *e)
{
	return e->code == ERR_PARSE ? RPC_INVALID_PARAMS : RPC_REFUSED;
}

static void
answer(struct client *cl, const struct rpc_request *rq)
{
	const struct method *m = find_method(rq->method);
	struct buf b = BUF_INIT(RPC_RESPONSE_MAX + 1);
	const char *reason = "refused";
	struct err e = ERR_INIT;
	json_t *result;

	if (strcmp(rq->method, "subscribe") == 0 && json_object_size(rq->params) > 0) {
		result = NULL;
		reason = "bad-params";
		err_set(&e, ERR_PARSE, "unknown parameter; this method takes none");
	} else if (strcmp(rq->method, "subscribe") == 0) {
		cl->subscribed = true;
		result = json_pack("{s:b}", "subscribed", 1);
	} else if (m == NULL) {
		send_error(cl, rq->id, RPC_METHOD_NOT_FOUND, "there is no such method", "unknown-method");
		return;
	} else {
		result = m->call(cl->control->d, rq->params, &reason, &e);
	}
	if (rq->id == NULL) {
		json_decref(result); /* a notification gets no answer */
		return;
	}
	if (result == NULL) {
		send_error(cl, rq->id, code_of(&e), e.msg, reason);
		return;
	}
	if (rpc_write_result(&b, rq->id, result, &e) != 0)
		send_error(cl, rq->id, RPC_INTERNAL_ERROR, e.msg, "too-large");
	send_buf(cl, &b);
	json_decref(result);
}

static void
take_line(struct client *cl, const char *line, size_t n)
{
	struct rpc_request rq;
	struct err e = ERR_INIT;

	if (rpc_request_parse(&rq, line, n, &e) == 0) {
		answer(cl, &rq);
		rpc_request_free(&rq);
	} else {
		send_error(cl, NULL, e.code == ERR_PROTO ? RPC_INVALID_REQUEST : RPC_PARSE_ERROR, e.msg, "bad-request");
	}
}

static void
take_lines(struct client *cl)
{
	const char *p, *lf;
	int lines = 0;
	char *copy;
	size_t n;

	while (!cl->closing && (p = stream_peek(cl->stream, &n)) != NULL && (lf = memchr(p, '\n', n)) != NULL) {
		if (++lines > LINES_A_TURN * 16) {
			cl->closing = true;
			break;
		}
		/* The buffer may move while the answer is written. */
		n = (size_t)(lf - p);
		copy = xcalloc(1, n + 1);
		memcpy(copy, p, n);
		stream_consume(cl->stream, n + 1);
		take_line(cl, copy, n);
		free(copy);
	}
	if (!cl->closing && n > RPC_LINE_MAX) {
		send_error(cl, NULL, RPC_INVALID_REQUEST, "a request has at most 64 KiB", "too-large");
		cl->closing = true;
	}
}

static void
on_stream(struct stream *s, enum stream_event ev, void *arg)
{
	struct client *cl = arg;

	(void)s;
	if (ev == STREAM_CLOSED) {
		client_end(cl, false);
		return;
	}
	if (ev == STREAM_DATA)
		take_lines(cl);
	if (cl->closing)
		client_end(cl, true);
}

static void
greet(struct client *cl)
{
	json_t *hello = json_pack("{s:s,s:s,s:s}", "onionmirror", "1", "version", PACKAGE_VERSION, "site", cl->control->d->conf->site);
	struct buf b = BUF_INIT(4096);

	rpc_write_object(&b, hello, NULL);
	json_decref(hello);
	send_buf(cl, &b);
}

/* Says why in place of the greeting, and closes. */
static void
refuse(struct stream *s, const char *why, const char *reason)
{
	struct buf b = BUF_INIT(4096);

	if (rpc_write_error(&b, NULL, RPC_REFUSED, why, reason, NULL) == 0)
		stream_write(s, b.data, b.len);
	buf_free(&b);
	stream_free_after_drain(s, DRAIN_MS);
}

static void
on_accept(struct stream *s, void *arg)
{
	struct control *c = arg;
	long uid = stream_peer_uid(s);
	struct client *cl;

	/* With a control-group the kernel has let in only who may write to the socket. */
	if (uid != 0 && uid != (long)geteuid() && c->d->conf->control_group == NULL) {
		refuse(s, "only root and the daemon's own user may use it (or set control-group)", "not-allowed");
		log_info("control client of uid %ld refused", uid);
		return;
	}
	if (c->n >= CLIENTS_MAX) {
		refuse(s, "too many clients are connected; try again later", "too-many-clients");
		log_info("control client refused, %u are connected", c->n);
		return;
	}
	cl = xcalloc(1, sizeof *cl);
	cl->control = c;
	cl->stream = s;
	cl->next = c->clients;
	c->clients = cl;
	c->n++;
	stream_set_cb(s, on_stream, cl);
	greet(cl);
}

static void
on_reap(void *arg)
{
	struct control *c = arg;
	struct client *cl, *next;

	for (cl = c->clients; cl != NULL; cl = next) {
		next = cl->next;
		if (cl->closing)
			client_end(cl, true);
	}
}

void
control_notify(struct control *c, json_t *params)
{
	struct client *cl, *next;
	struct buf line = BUF_INIT(RPC_RESPONSE_MAX + 1), b;

	if (c != NULL && params != NULL && rpc_write_notification(&line, "event", params, NULL) == 0)
		for (cl = c->clients; cl != NULL; cl = next) {
			next = cl->next;
			if (!cl->subscribed || cl->closing)
				continue;
			b = (struct buf)BUF_INIT(RPC_RESPONSE_MAX + 1);
			buf_add(&b, line.data, line.len);
			send_buf(cl, &b);
			/* Marked only: we may be inside one of its own requests. It may never have an event again. */
			if (cl->closing)
				timer_set(c->reap, 0);
		}
	buf_free(&line);
	json_decref(params);
}

/* The group by its name: /etc/group at start, no look-up of hosts. */
static int
set_group(const struct conf *conf, struct err *e)
{
	struct group *g;

	if (conf->control_group == NULL)
		return 0;
	g = getgrnam(conf->control_group);
	if (g == NULL)
		return err_set(e, ERR_CONFIG, "control-group: there is no group \"%s\"", conf->control_group);
	if (chown(conf->control_socket.path, (uid_t)-1, g->gr_gid) != 0)
		return err_set_sys(e, "%s: cannot give it to group %s", conf->control_socket.path, conf->control_group);
	return 0;
}

struct control *
control_new(struct daemon *d, struct err *e)
{
	struct control *c = xcalloc(1, sizeof *c);

	c->d = d;
	c->reap = timer_new(d->loop, on_reap, c);
	c->listener = listener_new(d->loop, &d->conf->control_socket, 0660, RPC_LINE_MAX + 2, on_accept, c, e);
	if (c->listener != NULL && set_group(d->conf, e) == 0)
		return c;
	control_free(c);
	return NULL;
}

void
control_free(struct control *c)
{
	if (c == NULL)
		return;
	while (c->clients != NULL)
		client_end(c->clients, false);
	listener_free(c->listener);
	timer_free(c->reap);
	free(c);
}
