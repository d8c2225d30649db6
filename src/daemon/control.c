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
#define OUTPUT_MAX (128 * 1024)
#define DRAIN_MS 2000

struct client {
	struct client *next;
	struct control *control;
	struct stream *stream; /* owned; NULL once it is dead */
	bool owner; /* root or our own user */
	bool subscribed, dead;
};

struct control {
	struct daemon *d;
	struct listener *listener; /* owned */
	struct client *clients;    /* owned list */
	unsigned n;                /* living ones */
	unsigned depth;            /* in how many of our functions we are: dead clients are freed at zero */
};

/* Ends a client; its memory goes when nobody is in the middle of it. */
static void
client_end(struct client *cl, bool drain)
{
	if (cl->dead)
		return;
	cl->dead = true;
	cl->control->n--;
	if (drain)
		stream_free_after_drain(cl->stream, DRAIN_MS);
	else
		stream_free(cl->stream);
	cl->stream = NULL;
}

static void
leave(struct control *c)
{
	struct client **at = &c->clients, *cl;

	if (--c->depth > 0)
		return;
	while ((cl = *at) != NULL) {
		if (!cl->dead) {
			at = &cl->next;
			continue;
		}
		*at = cl->next;
		free(cl);
	}
}

/* A client that does not read is cut; the daemon never waits for one. One whole answer always fits. */
static void
send_bytes(struct client *cl, const struct buf *b)
{
	if (cl->dead || b->len == 0)
		return;
	if (stream_pending(cl->stream) > OUTPUT_MAX) {
		log_info("control client cut: it does not read");
		client_end(cl, true);
		return;
	}
	stream_write(cl->stream, b->data, b->len);
}

static void
send_buf(struct client *cl, struct buf *b)
{
	send_bytes(cl, b);
	buf_free(b);
}

static void
send_error(struct client *cl, const json_t *id, int code, const char *message, const char *reason)
{
	struct buf b = BUF_INIT(RPC_RESPONSE_MAX + 1);

	rpc_write_error(&b, id, code, message, reason, NULL);
	send_buf(cl, &b);
}

static int
code_of(const struct err *e)
{
	return e->code == ERR_PARSE ? RPC_INVALID_PARAMS : RPC_REFUSED;
}

static void
answer(struct client *cl, const struct rpc_request *rq)
{
	const struct method *m = method_find(rq->method);
	struct buf b = BUF_INIT(RPC_RESPONSE_MAX + 1);
	const char *reason = "refused";
	struct err e = ERR_INIT;
	json_t *result;

	if (m == NULL) {
		if (rq->id != NULL)
			send_error(cl, rq->id, RPC_METHOD_NOT_FOUND, "there is no such method", "unknown-method");
		return;
	}
	result = method_call(cl->control->d, m, cl->owner, rq->params, &reason, &e);
	if (rq->id == NULL)
		; /* a notification gets no answer */
	else if (result == NULL)
		send_error(cl, rq->id, code_of(&e), e.msg, reason);
	else if (rpc_write_result(&b, rq->id, result, &e) == 0)
		send_buf(cl, &b);
	else
		send_error(cl, rq->id, RPC_INTERNAL_ERROR, e.msg, "too-large");
	if (result != NULL && strcmp(m->name, "subscribe") == 0)
		cl->subscribed = true;
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

static bool
has_line(const struct client *cl)
{
	size_t n;
	const char *p = stream_peek(cl->stream, &n);

	return memchr(p, '\n', n) != NULL;
}

/* One request a turn, so that many at once hold up neither probes nor other clients. */
static void
take_next(struct client *cl)
{
	const char *p, *lf;
	size_t n, len;
	char *copy;

	p = stream_peek(cl->stream, &n);
	lf = memchr(p, '\n', n);
	len = lf != NULL ? (size_t)(lf - p) : n;
	if (len > RPC_LINE_MAX) {
		send_error(cl, NULL, RPC_INVALID_REQUEST, "a request has at most 64 KiB", "too-large");
		client_end(cl, true);
		return;
	}
	if (lf == NULL)
		return;
	/* The buffer may move while the answer is written. */
	copy = xcalloc(1, len + 1);
	memcpy(copy, p, len);
	stream_consume(cl->stream, len + 1);
	take_line(cl, copy, len);
	mem_wipe(copy, len); /* a passphrase may be in it */
	free(copy);
	if (!cl->dead && n > len + 1) {
		stream_set_reading(cl->stream, false);
		stream_set_reading(cl->stream, true);
	}
}

static void
on_stream(struct stream *s, enum stream_event ev, void *arg)
{
	struct client *cl = arg;
	struct control *c = cl->control;

	(void)s;
	c->depth++;
	if (ev == STREAM_CLOSED) {
		/* What was asked before is done, if nobody hears of it. */
		while (!cl->dead && has_line(cl))
			take_next(cl);
		client_end(cl, false);
	} else if (ev == STREAM_DATA)
		take_next(cl);
	leave(c);
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

static bool
is_owner(long uid)
{
	return uid == 0 || uid == (long)geteuid();
}

static void
on_accept(struct stream *s, void *arg)
{
	struct control *c = arg;
	long uid = stream_peer_uid(s);
	struct client *cl;

	/* With a control-group the kernel has let in only who may write to the socket. */
	if (!is_owner(uid) && c->d->conf->control_group == NULL) {
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
	cl->owner = is_owner(uid);
	cl->next = c->clients;
	c->clients = cl;
	c->n++;
	stream_set_cb(s, on_stream, cl);
	greet(cl);
}

unsigned
control_clients(const struct control *c)
{
	return c != NULL ? c->n : 0;
}

void
control_notify(struct control *c, json_t *params)
{
	struct buf line = BUF_INIT(RPC_RESPONSE_MAX + 1);
	struct client *cl;

	if (c != NULL && params != NULL && rpc_write_notification(&line, "event", params, NULL) == 0) {
		c->depth++;
		for (cl = c->clients; cl != NULL; cl = cl->next)
			if (cl->subscribed)
				send_bytes(cl, &line);
		leave(c);
	}
	buf_free(&line);
	json_decref(params);
}

int
control_find_group(struct daemon *d, struct err *e)
{
	const struct group *g;

	if (d->conf->control_group == NULL)
		return 0;
	if ((g = getgrnam(d->conf->control_group)) == NULL)
		return err_set(e, ERR_CONFIG, "control-group: there is no group \"%s\"", d->conf->control_group);
	d->control_gid = g->gr_gid;
	return 0;
}

static int
set_group(const struct daemon *d, struct err *e)
{
	const char *path = d->conf->control_socket.path;

	if (d->conf->control_group == NULL || chown(path, (uid_t)-1, d->control_gid) == 0)
		return 0;
	return err_set_sys(e, "%s: cannot give it to group %s", path, d->conf->control_group);
}

struct control *
control_new(struct daemon *d, struct err *e)
{
	struct control *c = xcalloc(1, sizeof *c);

	c->d = d;
	c->listener = listener_new(d->loop, &d->conf->control_socket, 0660, RPC_LINE_MAX + 2, on_accept, c, e);
	if (c->listener != NULL && set_group(d, e) == 0)
		return c;
	control_free(c);
	return NULL;
}

void
control_free(struct control *c)
{
	struct client *cl;

	if (c == NULL)
		return;
	listener_free(c->listener);
	for (cl = c->clients; cl != NULL; cl = cl->next)
		client_end(cl, false);
	c->depth = 1;
	leave(c);
	free(c);
}
