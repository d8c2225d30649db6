/* SPDX-License-Identifier: BSD-3-Clause */
/* The fake SOCKS port and web server. Owns its listener and its connections. */
#include "config.h"
#include "support/fakesite.h"

#include "base/mem.h"
#include "io/stream.h"

#include <stdlib.h>
#include <string.h>

#define CONNECTIONS_MAX 16
#define REQUEST_MAX 4096

enum stage { STAGE_GREETING, STAGE_AUTH, STAGE_CONNECT, STAGE_REQUEST, STAGE_OVER };

struct connection {
	struct fakesite *owner;
	struct stream *stream;
	struct timer *drip;
	struct faketls *tls;
	unsigned number; /* from 1 */
	enum stage stage;
	size_t dripped;
};

struct fakesite {
	struct loop *loop;
	struct listener *listener;
	struct endpoint endpoint;
	struct fakesite_script script;
	struct connection connections[CONNECTIONS_MAX];
	unsigned count;
	char user[256], password[256], host[256], request[REQUEST_MAX];
	uint16_t port;
};

static void
connection_close(struct connection *c, bool drain)
{
	if (drain)
		stream_free_after_drain(c->stream, 1000);
	else
		stream_free(c->stream);
	timer_free(c->drip);
	faketls_free(c->tls);
	memset(c, 0, sizeof(*c));
}

static void
on_drip(void *arg)
{
	struct connection *c = arg;
	const char *text = c->owner->script.response;

	if (c->dripped + 1 >= strlen(text))
		return;
	stream_write(c->stream, text + c->dripped++, 1);
	timer_set(c->drip, 0);
}

static void
send_ciphertext(struct connection *c)
{
	char bytes[4096];
	size_t n;

	while ((n = faketls_output(c->tls, bytes, sizeof(bytes))) > 0)
		stream_write(c->stream, bytes, n);
}

static void
answer_request(struct connection *c)
{
	const struct fakesite_script *sc = &c->owner->script;
	const char *response = c->number > 1 && sc->second != NULL ? sc->second : sc->response;

	c->stage = STAGE_OVER;
	if (c->tls != NULL && response != NULL) {
		faketls_write(c->tls, response, strlen(response));
		if (sc->close_after && !sc->cut)
			faketls_end(c->tls);
		send_ciphertext(c);
		response = NULL;
	}
	if (response != NULL && sc->drip) {
		timer_set(c->drip, 0);
		return;
	}
	if (response != NULL)
		stream_write(c->stream, response, strlen(response));
	if (sc->close_after)
		connection_close(c, true);
}

static void
answer_connect(struct connection *c)
{
	const struct fakesite_script *sc = &c->owner->script;
	char reply[10] = {5, 0, 0, 1, 0, 0, 0, 0, 0, 0};

	c->stage = STAGE_REQUEST;
	if (sc->code < 0)
		return;
	reply[1] = (char)sc->code;
	stream_write(c->stream, reply, sc->reply_cut > 0 ? sc->reply_cut : sizeof(reply));
	if (sc->reply_cut > 0 || sc->close_after_reply)
		connection_close(c, true);
}

/* Length of a complete message at p, or 0. */
static size_t
take_socks(struct connection *c, const unsigned char *p, size_t n)
{
	struct fakesite *f = c->owner;
	size_t len = 0, u;

	if (c->stage == STAGE_GREETING && n >= 2 && n >= 2 + (size_t)p[1]) {
		len = 2 + (size_t)p[1];
		stream_write(c->stream, f->script.method != NULL ? f->script.method : "\5\2",
		    f->script.method != NULL ? f->script.method_len : 2);
		c->stage = STAGE_AUTH;
	} else if (c->stage == STAGE_AUTH && n >= 2 && n >= 3 + (u = p[1]) &&
		   n >= 3 + u + p[2 + u]) {
		len = 3 + u + p[2 + u];
		memcpy(f->user, p + 2, u);
		f->user[u] = '\0';
		memcpy(f->password, p + 3 + u, p[2 + u]);
		f->password[p[2 + u]] = '\0';
		stream_write(c->stream, f->script.auth != NULL ? f->script.auth : "\1\0",
		    f->script.auth != NULL ? f->script.auth_len : 2);
		c->stage = STAGE_CONNECT;
	} else if (c->stage == STAGE_CONNECT && n >= 5 && n >= 7 + (u = p[4])) {
		len = 7 + u;
		memcpy(f->host, p + 5, u);
		f->host[u] = '\0';
		f->port = (uint16_t)(p[5 + u] << 8 | p[6 + u]);
	}
	return len;
}

/* Ciphertext in; the request, as far as it came, into f->request. -1: not yet. */
static int
feed_tls(struct connection *c)
{
	struct fakesite *f = c->owner;
	size_t n;
	const char *p = stream_peek(c->stream, &n);

	if (c->tls == NULL)
		c->tls = faketls_new(f->script.tls);
	faketls_feed(c->tls, p, n);
	stream_consume(c->stream, n);
	send_ciphertext(c);
	n = faketls_read(c->tls, f->request, REQUEST_MAX - 1);
	f->request[n] = '\0';
	return n > 0 ? 0 : -1;
}

static void
on_stream(struct stream *s, enum stream_event ev, void *arg)
{
	struct connection *c = arg;
	struct fakesite *f = c->owner;
	const char *p;
	size_t n, len;

	if (ev == STREAM_CLOSED) {
		connection_close(c, false);
		return;
	}
	if (ev != STREAM_DATA || f->script.mute)
		return;
	while (c->stream == s && c->stage < STAGE_REQUEST) {
		enum stage was = c->stage;

		p = stream_peek(s, &n);
		if ((len = take_socks(c, (const unsigned char *)p, n)) == 0)
			return;
		stream_consume(s, len);
		if (was == STAGE_CONNECT)
			answer_connect(c);
	}
	if (c->stream != s || c->stage != STAGE_REQUEST)
		return;
	if (f->script.tls != NULL && feed_tls(c) != 0)
		return;
	p = f->script.tls != NULL ? f->request : stream_peek(s, &n);
	if (f->script.tls != NULL)
		n = strlen(p);
	if (n == 0 || n >= REQUEST_MAX || memmem(p, n, "\r\n\r\n", 4) == NULL)
		return;
	if (f->script.tls == NULL) {
		memcpy(f->request, p, n);
		f->request[n] = '\0';
		stream_consume(s, n);
	}
	answer_request(c);
}

static void
on_accept(struct stream *s, void *arg)
{
	struct fakesite *f = arg;
	size_t i;

	for (i = 0; i < CONNECTIONS_MAX && f->connections[i].stream != NULL; i++)
		;
	if (i == CONNECTIONS_MAX) {
		stream_free(s);
		return;
	}
	f->user[0] = f->password[0] = f->host[0] = f->request[0] = '\0';
	f->port = 0;
	f->connections[i] = (struct connection){
	    .owner = f, .stream = s, .stage = f->script.direct ? STAGE_REQUEST : STAGE_GREETING};
	f->connections[i].drip = timer_new(f->loop, on_drip, &f->connections[i]);
	f->connections[i].number = ++f->count;
	stream_set_cb(s, on_stream, &f->connections[i]);
}

struct fakesite *
fakesite_new(struct loop *l, const char *dir, const struct fakesite_script *script)
{
	struct fakesite *f = xcalloc(1, sizeof(*f));
	char *text = xasprintf("unix:%s/site", dir);
	struct err e = ERR_INIT;

	f->loop = l;
	f->script = *script;
	if (endpoint_parse(&f->endpoint, text, &e) != 0 ||
	    (f->listener = listener_new(l, &f->endpoint, 0600, 65536, on_accept, f, &e)) == NULL)
		abort();
	free(text);
	return f;
}

void
fakesite_free(struct fakesite *f)
{
	size_t i;

	if (f == NULL)
		return;
	for (i = 0; i < CONNECTIONS_MAX; i++)
		if (f->connections[i].stream != NULL)
			connection_close(&f->connections[i], false);
	listener_free(f->listener);
	free(f);
}

const struct endpoint *
fakesite_endpoint(const struct fakesite *f)
{
	return &f->endpoint;
}

const char *
fakesite_user(const struct fakesite *f)
{
	return f->user;
}

const char *
fakesite_password(const struct fakesite *f)
{
	return f->password;
}

const char *
fakesite_host(const struct fakesite *f)
{
	return f->host;
}

uint16_t
fakesite_port(const struct fakesite *f)
{
	return f->port;
}

const char *
fakesite_request(const struct fakesite *f)
{
	return f->request;
}

unsigned
fakesite_connections(const struct fakesite *f)
{
	return f->count;
}
