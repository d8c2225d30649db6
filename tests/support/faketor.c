/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The fake control port. Owns its listener, its links, the table of answers and
 * the record of every line that came.
 */
#include "config.h"
#include "support/faketor.h"

#include "base/enc.h"
#include "base/endpoint.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/rng.h"
#include "io/stream.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define LINKS_MAX 8
#define LINE_MAX_IN 65536

struct row {
	char *prefix, *reply;
	int times;
	struct row *next;
};

struct link {
	struct faketor *owner;
	struct stream *stream;
	struct timer *timer; /* split mode: what is left of `out` goes one byte a turn */
	char *out;
	size_t out_len, out_sent;
	bool close_after;
	uint8_t client_nonce[32], server_nonce[32];
};

struct faketor {
	struct loop *loop;
	struct listener *listener;
	struct link links[LINKS_MAX];
	struct link *newest;
	struct row *rows;
	const char *(*handler)(void *arg, const char *line);
	void *handler_arg;
	char *path, *cookie_path;
	uint8_t cookie[32];
	char **lines;
	unsigned line_count, link_count;
	bool split;
};

/* A healthy tor; the first row that fits wins. */
static const char *const builtin[][2] = {
    {"PROTOCOLINFO", "250-PROTOCOLINFO 1\r\n250-AUTH METHODS=COOKIE,SAFECOOKIE "
		     "COOKIEFILE=\"/not/to/be/opened\"\r\n"
		     "250-VERSION Tor=\"0.4.9.11\"\r\n250 OK\r\n"},
    {"AUTHCHALLENGE SAFECOOKIE ", "250 AUTHCHALLENGE SERVERHASH=%H SERVERNONCE=%N\r\n"},
    {"AUTHENTICATE", "250 OK\r\n"},
    {"SETEVENTS", "250 OK\r\n"},
    {"GETINFO version", "250-version=0.4.9.11\r\n250 OK\r\n"},
    {"GETINFO status/circuit-established", "250-status/circuit-established=1\r\n250 OK\r\n"},
    {"GETINFO network-liveness", "250-network-liveness=up\r\n250 OK\r\n"},
    {"GETINFO consensus/valid-until",
	"250-consensus/valid-until=2999-01-01 00:00:00\r\n250 OK\r\n"},
    {"GETINFO consensus/valid-after",
	"250-consensus/valid-after=2020-01-01 00:00:00\r\n250 OK\r\n"},
    {"GETINFO onions/detached", "250-onions/detached=\r\n250 OK\r\n"},
    {"GETCONF DisableNetwork", "250 DisableNetwork=0\r\n"},
    {"GETCONF ", "250 OK\r\n"},
    {"GETINFO ", "552 Unrecognized key\r\n"},
    {"DEL_ONION ", "250 OK\r\n"},
    {"HSFETCH ", "250 OK\r\n"},
    {"CLOSECIRCUIT ", "250 OK\r\n"},
    {"", "510 Unrecognized command\r\n"},
};

static void
link_close(struct link *k)
{
	stream_free(k->stream);
	timer_free(k->timer);
	free(k->out);
	if (k->owner->newest == k)
		k->owner->newest = NULL;
	memset(k, 0, sizeof(*k));
}

static void
link_step(void *arg)
{
	struct link *k = arg;

	if (k->out_sent < k->out_len) {
		stream_write(k->stream, k->out + k->out_sent++, 1);
		timer_set(k->timer, 0);
	} else if (k->close_after) {
		stream_free_after_drain(k->stream, 1000);
		k->stream = NULL;
		link_close(k);
	}
}

static void
link_send(struct link *k, const char *p, size_t n)
{
	if (k->close_after)
		return;
	if (!k->owner->split) {
		stream_write(k->stream, p, n);
		return;
	}
	k->out = xreallocarray(k->out, k->out_len + n + 1, 1);
	memcpy(k->out + k->out_len, p, n);
	k->out_len += n;
	timer_set(k->timer, 0);
}

static void
server_hash(const struct link *k, char hex[65])
{
	static const char key[] = "Tor safe cookie authentication server-to-controller hash";
	crypto_auth_hmacsha256_state st;
	uint8_t out[32];
	size_t i;

	crypto_auth_hmacsha256_init(&st, (const unsigned char *)key, sizeof(key) - 1);
	crypto_auth_hmacsha256_update(&st, k->owner->cookie, 32);
	crypto_auth_hmacsha256_update(&st, k->client_nonce, 32);
	crypto_auth_hmacsha256_update(&st, k->server_nonce, 32);
	crypto_auth_hmacsha256_final(&st, out);
	hex_encode(hex, out, 32);
	for (i = 0; i < 64; i++)
		if (hex[i] >= 'a')
			hex[i] = (char)(hex[i] - 'a' + 'A');
}

static void
link_reply(struct link *k, const char *text)
{
	char hex[65];
	const char *p;

	while ((p = strchr(text, '%')) != NULL) {
		link_send(k, text, (size_t)(p - text));
		if (p[1] == 'H') {
			server_hash(k, hex);
			link_send(k, hex, 64);
		} else if (p[1] == 'N') {
			hex_encode(hex, k->server_nonce, 32);
			link_send(k, hex, 64);
		} else if (p[1] == 'X') {
			k->close_after = true;
			timer_set(k->timer, 0);
			return;
		} else {
			link_send(k, p, 1);
			text = p + 1;
			continue;
		}
		text = p + 2;
	}
	link_send(k, text, strlen(text));
}

static void
link_line(struct link *k, const char *line)
{
	struct faketor *f = k->owner;
	struct row **at, *row;
	const char *reply = NULL;
	size_t i;

	f->lines = xreallocarray(f->lines, f->line_count + 1, sizeof(*f->lines));
	f->lines[f->line_count++] = xstrdup(line);
	if (strncmp(line, "AUTHCHALLENGE SAFECOOKIE ", 25) == 0) {
		hex_decode_any(k->client_nonce, 32, line + 25, strlen(line + 25));
		rng_bytes(k->server_nonce, sizeof(k->server_nonce));
	}
	for (at = &f->rows; (row = *at) != NULL; at = &row->next)
		if (strncmp(line, row->prefix, strlen(row->prefix)) == 0)
			break;
	if (row != NULL) {
		if (row->times > 0)
			row->times--;
		if (row->times == 0)
			*at = row->next;
		link_reply(k, row->reply);
		if (row->times == 0) {
			free(row->prefix);
			free(row->reply);
			free(row);
		}
		return;
	}
	if (f->handler != NULL)
		reply = f->handler(f->handler_arg, line);
	for (i = 0; reply == NULL; i++)
		if (strncmp(line, builtin[i][0], strlen(builtin[i][0])) == 0)
			reply = builtin[i][1];
	link_reply(k, reply);
}

static void
on_stream(struct stream *s, enum stream_event ev, void *arg)
{
	struct link *k = arg;
	const char *p, *end;
	char *line;
	size_t n;

	if (ev == STREAM_CLOSED) {
		link_close(k);
		return;
	}
	if (ev != STREAM_DATA)
		return;
	while (k->stream == s && (p = stream_peek(s, &n)) != NULL && n > 0 &&
	       (end = memchr(p, '\n', n)) != NULL) {
		line = xcalloc((size_t)(end - p) + 1, 1);
		memcpy(line, p, (size_t)(end - p));
		line[strcspn(line, "\r")] = '\0';
		stream_consume(s, (size_t)(end - p) + 1);
		if (!k->close_after)
			link_line(k, line);
		free(line);
	}
}

static void
on_accept(struct stream *s, void *arg)
{
	struct faketor *f = arg;
	size_t i;

	for (i = 0; i < LINKS_MAX; i++) {
		struct link *k = &f->links[i];

		if (k->stream != NULL)
			continue;
		k->owner = f;
		k->stream = s;
		k->timer = timer_new(f->loop, link_step, k);
		f->newest = k;
		f->link_count++;
		stream_set_cb(s, on_stream, k);
		return;
	}
	stream_free(s);
}

static void
listen_on(struct faketor *f)
{
	struct endpoint ep = {.kind = ENDPOINT_UNIX};
	struct err e = ERR_INIT;

	memcpy(ep.path, f->path, strlen(f->path) + 1);
	f->listener = listener_new(f->loop, &ep, 0600, LINE_MAX_IN, on_accept, f, &e);
	if (f->listener == NULL)
		abort();
}

struct faketor *
faketor_new(struct loop *l, const char *dir)
{
	struct faketor *f = xcalloc(1, sizeof(*f));

	f->loop = l;
	f->path = xasprintf("%s/control", dir);
	f->cookie_path = xasprintf("%s/cookie", dir);
	faketor_new_cookie(f, true);
	listen_on(f);
	return f;
}

void
faketor_free(struct faketor *f)
{
	struct row *row;

	if (f == NULL)
		return;
	faketor_set_down(f, true);
	while ((row = f->rows) != NULL) {
		f->rows = row->next;
		free(row->prefix);
		free(row->reply);
		free(row);
	}
	while (f->line_count > 0)
		free(f->lines[--f->line_count]);
	free(f->lines);
	unlink(f->cookie_path);
	free(f->cookie_path);
	free(f->path);
	free(f);
}

const char *
faketor_path(const struct faketor *f)
{
	return f->path;
}

const char *
faketor_cookie(const struct faketor *f)
{
	return f->cookie_path;
}

void
faketor_answer(struct faketor *f, const char *prefix, const char *reply, int times)
{
	struct row *row = xcalloc(1, sizeof(*row));

	row->prefix = xstrdup(prefix);
	row->reply = xstrdup(reply);
	row->times = times;
	row->next = f->rows;
	f->rows = row;
}

void
faketor_set_handler(
    struct faketor *f, const char *(*handler)(void *arg, const char *line), void *arg)
{
	f->handler = handler;
	f->handler_arg = arg;
}

void
faketor_set_split(struct faketor *f, bool on)
{
	f->split = on;
}

void
faketor_set_down(struct faketor *f, bool down)
{
	if (down) {
		faketor_hang_up(f);
		listener_free(f->listener);
		f->listener = NULL;
	} else if (f->listener == NULL) {
		listen_on(f);
	}
}

void
faketor_new_cookie(struct faketor *f, bool in_file)
{
	struct err e = ERR_INIT;

	rng_bytes(f->cookie, sizeof(f->cookie));
	if (in_file && file_write(f->cookie_path, f->cookie, sizeof(f->cookie), 0640, &e) != 0)
		abort();
}

void
faketor_send(struct faketor *f, const char *bytes)
{
	if (f->newest != NULL)
		link_send(f->newest, bytes, strlen(bytes));
}

void
faketor_hang_up(struct faketor *f)
{
	size_t i;

	for (i = 0; i < LINKS_MAX; i++)
		if (f->links[i].stream != NULL)
			link_close(&f->links[i]);
}

unsigned
faketor_links(const struct faketor *f)
{
	return f->link_count;
}

unsigned
faketor_count(const struct faketor *f, const char *prefix)
{
	unsigned i, n = 0;

	for (i = 0; i < f->line_count; i++)
		if (strncmp(f->lines[i], prefix, strlen(prefix)) == 0)
			n++;
	return n;
}

const char *
faketor_line(const struct faketor *f, unsigned i)
{
	return i < f->line_count ? f->lines[i] : NULL;
}
