/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Replays a transcript of control lines to a simulated tor and prints what it
 * answers; tests/system/transcript.py does the same with a real one and
 * compares. Lines of the file: "link" (a new connection), "auth" (SAFECOOKIE),
 * "#..." a remark, else a command, in which \t, \r, \n, \0 and \xNN stand for bytes.
 */
#include "config.h"
#include "sim/bare.h"
#include "sim/impl.h"
#include "sim/simnet.h"
#include "sim/simtor.h"

#include "base/buf.h"
#include "base/enc.h"
#include "base/mem.h"
#include "io/stream.h"
#include "tor/auth.h"

#include <ctype.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONTROL "unix:/run/tor/control"
#define COOKIE "/run/tor/cookie"
#define REPLY_MS 100

static struct stream *link_now;
static bool closed;

static void
on_stream(struct stream *s, enum stream_event ev, void *arg)
{
	(void)s;
	(void)arg;
	if (ev == STREAM_CLOSED)
		closed = true;
}

static void
settle(int64_t ms)
{
	int64_t until = sim_now() + ms;

	while (loop_step(until))
		;
}

static void
open_link(void)
{
	struct endpoint ep;

	stream_free(link_now);
	if (endpoint_parse(&ep, CONTROL, NULL) != 0)
		abort();
	closed = false;
	link_now = stream_connect(NULL, &ep, 1 << 20, on_stream, NULL);
	settle(REPLY_MS);
}

/* Sends bytes and gives back what came until all is quiet; valid until the next call. */
static const char *
ask(const char *p, size_t n)
{
	static char *text;
	const char *got;
	size_t len;

	stream_write(link_now, p, n);
	settle(REPLY_MS);
	got = stream_peek(link_now, &len);
	free(text);
	text = strndup(got, len);
	stream_consume(link_now, len);
	if (text == NULL)
		abort();
	return text;
}

static void
authenticate(void)
{
	static const uint8_t nonce[AUTH_NONCE_LEN] = { 1 };
	uint8_t cookie[AUTH_COOKIE_LEN], server_nonce[AUTH_NONCE_LEN], hash[AUTH_HASH_LEN];
	char line[200], hex[65];
	const char *reply, *at;
	size_t n;

	hex_encode(hex, nonce, sizeof nonce);
	snprintf(line, sizeof line, "AUTHCHALLENGE SAFECOOKIE %s\r\n", hex);
	reply = ask(line, strlen(line));
	at = strstr(reply, "SERVERNONCE=");
	if (at == NULL || hex_decode_any(server_nonce, 32, at + 12, 64) != 0 || sim_file_get(COOKIE, &n) == NULL || n != sizeof cookie)
		abort();
	memcpy(cookie, sim_file_get(COOKIE, &n), sizeof cookie);
	auth_client_hash(hash, cookie, nonce, server_nonce);
	hex_encode(hex, hash, sizeof hash);
	snprintf(line, sizeof line, "AUTHENTICATE %s\r\n", hex);
	printf("auth\n  %s", ask(line, strlen(line)));
}

/* The bytes that a line of the transcript stands for. */
static size_t
unescape(char *s)
{
	char *to = s;
	const char *p;
	unsigned v;

	for (p = s; *p != '\0'; p++) {
		if (*p != '\\') {
			*to++ = *p;
			continue;
		}
		p++;
		if (*p == 'x' && sscanf(p + 1, "%2x", &v) == 1) {
			*to++ = (char)v;
			p += 2;
		} else {
			*to++ = (char)(*p == 't' ? '\t' : *p == 'r' ? '\r' : *p == 'n' ? '\n' : *p == '0' ? '\0' : *p);
		}
	}
	return (size_t)(to - s);
}

static void
command(const char *text)
{
	char *bytes = xcalloc(1, strlen(text) + 3);
	const char *p, *lf;
	size_t n;

	memcpy(bytes, text, strlen(text));
	n = unescape(bytes);
	if (n == 0 || bytes[n - 1] != '\n') {
		memcpy(bytes + n, "\r\n", 2);
		n += 2;
	}
	printf("%s\n", text);
	for (p = ask(bytes, n); (lf = strchr(p, '\n')) != NULL; p = lf + 1)
		printf("  %.*s\n", (int)(lf - p - 1), p);
	if (closed)
		printf("  (closed)\n");
	free(bytes);
}

int
main(int argc, char **argv)
{
	static const struct simtor_config cfg = { .name = "t", .control = CONTROL, .socks = "unix:/run/tor/socks", .cookie = COOKIE };
	FILE *f = argc == 2 ? fopen(argv[1], "r") : NULL;
	struct simtor *t;
	char line[4096];

	if (f == NULL || sodium_init() < 0) {
		fprintf(stderr, "usage: sim-transcript FILE\n");
		return 2;
	}
	bare_world_begin();
	t = simtor_new(&cfg);
	simtor_set_disabled(t, true);
	simtor_start(t);
	settle(10000);
	while (fgets(line, sizeof line, f) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		if (line[0] == '\0' || line[0] == '#')
			continue;
		if (strcmp(line, "link") == 0)
			open_link();
		else if (strcmp(line, "auth") == 0)
			authenticate();
		else
			command(line);
	}
	fclose(f);
	stream_free(link_now);
	simtor_free(t);
	bare_world_end();
	return 0;
}
