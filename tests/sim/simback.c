/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Backends. Each connection gathers a request up to its empty line and then
 * answers as the mode says. Owns servers and connections; every callback of a
 * timer finds its connection by id, since either side may be gone by then.
 */
#include "config.h"
#include "sim/simback.h"

#include "base/buf.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define QUICK_MS 8
#define DRIP_MS 2000

struct back_conn {
	struct back_conn *next;
	struct back *back;
	struct sim_conn *direct;      /* a check of the daemon; else: */
	const struct back_sink *sink; /* a visitor through tor */
	void *arg;
	struct buf in;
	char *out; /* the answer, owned */
	size_t out_len, out_sent;
	uint64_t timer;
	bool good;
};

struct back {
	struct back *next;
	char endpoint[64];
	char body[64];
	enum backend_mode mode;
	struct sim_server *server; /* NULL: nobody listens */
	struct back_conn *conns;
};

static struct back *backs;

static void
conn_free(struct back_conn *c)
{
	struct back_conn **at;

	for (at = &c->back->conns; *at != c; at = &(*at)->next)
		;
	*at = c->next;
	sim_cancel(c->timer);
	buf_free(&c->in);
	free(c->out);
	free(c);
}

/* From the server's side. */
static void
conn_end(struct back_conn *c)
{
	const struct back_sink *sink = c->sink;
	void *arg = c->arg;

	if (c->direct != NULL)
		sim_conn_close(c->direct);
	conn_free(c);
	if (sink != NULL)
		sink->end(arg);
}

static void
conn_write(struct back_conn *c, const char *p, size_t n)
{
	if (c->direct != NULL)
		sim_conn_write(c->direct, p, n);
	else
		c->sink->data(c->arg, p, n);
}

static void
on_send(void *arg)
{
	struct back_conn *c = arg;
	size_t n = c->back->mode == BACKEND_DRIP ? 1 : c->out_len - c->out_sent;

	c->timer = 0;
	c->out_sent += n;
	if (c->out_sent < c->out_len)
		c->timer = sim_after(DRIP_MS, on_send, c);
	conn_write(c, c->out + c->out_sent - n, n);
}

static void
answer(struct back_conn *c)
{
	const struct back *b = c->back;
	struct buf out = BUF_INIT(4096);
	const char *status = "200 OK", *body = b->body;

	if (b->mode == BACKEND_ERROR500)
		status = "500 Internal Server Error";
	else if (b->mode == BACKEND_BUSY)
		status = "503 Service Unavailable";
	else if (b->mode == BACKEND_DEFACED)
		body = "<h1>this domain has been seized</h1>";
	c->good = b->mode == BACKEND_OK || b->mode == BACKEND_SLOW;
	buf_addf(&out, "HTTP/1.1 %s\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\n\r\n%s", status, strlen(body), body);
	c->out_len = out.len;
	c->out_sent = 0;
	free(c->out);
	c->out = buf_take(&out);
	sim_cancel(c->timer);
	c->timer = sim_after(b->mode == BACKEND_SLOW ? sim_between(DICE_BACKEND, 1000, 4000) : QUICK_MS, on_send, c);
}

static void
input(struct back_conn *c, const char *p, size_t n)
{
	buf_add(&c->in, p, n);
	if (strstr(buf_str(&c->in), "\r\n\r\n") == NULL)
		return;
	buf_reset(&c->in);
	if (c->back->mode != BACKEND_SILENT)
		answer(c);
}

/* --- the daemon's checks ------------------------------------------------------------------ */

static void
on_direct_data(struct sim_conn *conn, void *arg)
{
	size_t n;
	const char *p = sim_conn_peek(conn, &n);

	input(arg, p, n);
	sim_conn_consume(conn, n);
}

static void
on_direct_closed(struct sim_conn *conn, void *arg)
{
	(void)conn;
	conn_free(arg);
}

static struct back_conn *
conn_new(struct back *b)
{
	struct back_conn *c = xcalloc(1, sizeof *c);

	c->back = b;
	c->in = (struct buf)BUF_INIT(16384);
	c->next = b->conns;
	b->conns = c;
	return c;
}

static void
on_connect(struct sim_conn *conn, void *arg)
{
	static const struct sim_conn_ops ops = { on_direct_data, on_direct_closed };
	struct back_conn *c = conn_new(arg);

	c->direct = conn;
	sim_conn_set(conn, &ops, c);
}

/* --- visitors ---------------------------------------------------------------------------------- */

struct back_conn *
back_open(const char *endpoint, const struct back_sink *sink, void *arg)
{
	struct back_conn *c;
	struct back *b;

	for (b = backs; b != NULL && strcmp(b->endpoint, endpoint) != 0; b = b->next)
		;
	if (b == NULL || b->server == NULL)
		return NULL;
	c = conn_new(b);
	c->sink = sink;
	c->arg = arg;
	return c;
}

void
back_input(struct back_conn *c, const void *p, size_t n)
{
	input(c, p, n);
}

void
back_close(struct back_conn *c)
{
	conn_free(c);
}

bool
back_is_done(const struct back_conn *c)
{
	return c->out_len > 0 && c->out_sent == c->out_len;
}

bool
back_was_good(const struct back_conn *c)
{
	return c->good;
}

/* --- servers -------------------------------------------------------------------------------------- */

static void
drop_all(struct back *b)
{
	while (b->conns != NULL)
		conn_end(b->conns);
}

void
back_set_mode(struct back *b, enum backend_mode mode)
{
	b->mode = mode;
	if (mode == BACKEND_DOWN) {
		drop_all(b);
		sim_server_free(b->server);
		b->server = NULL;
	} else if (b->server == NULL) {
		b->server = sim_server_new(b->endpoint, on_connect, b);
	}
}

bool
back_is_well(const struct back *b)
{
	return b->mode == BACKEND_OK || b->mode == BACKEND_SLOW;
}

void
back_set_body(struct back *b, const char *body)
{
	snprintf(b->body, sizeof b->body, "%s", body);
}

struct back *
back_new(const char *endpoint, const char *body)
{
	struct back *b = xcalloc(1, sizeof *b);

	snprintf(b->endpoint, sizeof b->endpoint, "%s", endpoint);
	back_set_body(b, body);
	back_set_mode(b, BACKEND_OK);
	b->next = backs;
	backs = b;
	return b;
}

void
back_free(struct back *b)
{
	struct back **at;

	if (b == NULL)
		return;
	for (at = &backs; *at != b; at = &(*at)->next)
		;
	*at = b->next;
	drop_all(b);
	sim_server_free(b->server);
	free(b);
}
