/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A probe or check against a SOCKS port and backend that say what the input says, with tor's events between. The first
 * two bytes choose what is asked for; the rest is a script:
 *   D text  bytes to the probe    S       SOCKS as tor answers when all is well
 *   C       the other side closes R       it dies             T digit  time passes
 *   E text  an event, "650 " off  X       cancel              B        a page as it should be
 */
#include "config.h"
#include "fuzz.h"
#include "world.h"

#include "tor/prober.h"

#include <stdlib.h>
#include <string.h>

#define VIA "unix:/run/tor/socks"
#define ADDRESS "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid"
#define BODY "the true page"
#define PAGE "HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n" BODY

static struct {
	struct prober *prober;
	struct sim_conn *conn; /* the newest */
	bool direct, contains, done, cancelled;
	struct buf said;       /* all that the other side ever sent */
} w;

static void
say(const char *p, size_t n)
{
	if (w.conn == NULL || n == 0)
		return;
	buf_add(&w.said, p, n);
	sim_conn_write(w.conn, p, n);
}

static void
on_data(struct sim_conn *c, void *arg)
{
	size_t n;

	(void)arg;
	(void)sim_conn_peek(c, &n);
	sim_conn_consume(c, n);
}

static void
on_closed(struct sim_conn *c, void *arg)
{
	(void)arg;
	if (w.conn == c)
		w.conn = NULL;
}

static void
on_connect(struct sim_conn *c, void *arg)
{
	static const struct sim_conn_ops ops = { on_data, on_closed };

	(void)arg;
	sim_conn_set(c, &ops, NULL);
	w.conn = c;
}

/* These characters, in this order, with others between (of chunks) or not. */
static bool
was_said(const char *text)
{
	const char *p = buf_str(&w.said), *end = p + w.said.len;

	for (; *text != '\0' && p < end; p++)
		text += *p == *text;
	return *text == '\0';
}

static void
on_result(void *ctx, uint64_t id, const struct probe_result *r)
{
	const char *p;

	(void)ctx;
	FUZZ_CHECK(id == 1 && !w.done && !w.cancelled);
	w.done = true;
	FUZZ_CHECK(r->verdict < VERDICT__COUNT && strlen(r->detail) < sizeof r->detail);
	for (p = r->detail; *p != '\0'; p++)
		FUZZ_CHECK(*p >= ' ' && *p <= '~');
	FUZZ_CHECK(r->socks_code >= -1 && r->socks_code <= 255 && (!w.direct || r->socks_code == -1));
	FUZZ_CHECK(r->phases.total >= 0);
	/* Nobody passes who has not shown the page, through a SOCKS port that said it is there. */
	if (r->verdict == VERDICT_OK) {
		FUZZ_CHECK(r->http_status == 200);
		FUZZ_CHECK(w.direct || r->socks_code == 0 || r->socks_code == 0xf0);
		FUZZ_CHECK(!w.contains || was_said(BODY));
	}
	FUZZ_CHECK(!r->has_version || r->verdict == VERDICT_OK);
}

static void
tell_event(const char *text, size_t n)
{
	char *copy = strndup(text, n);
	struct reply_line line = { .code = 650, .sep = ' ', .text = copy, .len = strlen(copy) };
	const struct reply r = { .code = 650, .is_event = true, .lines = &line, .n_lines = 1 };
	struct event ev;

	if (event_parse(&ev, &r, NULL) == 0)
		prober_on_event(w.prober, NULL, &ev);
	free(copy);
}

static void
act(char what, const char *text, size_t n)
{
	static const char ok[] = "\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00";
	struct sim_conn *c = w.conn;

	switch (what) {
	case 'D': say(text, n); break;
	case 'S':
		say("\x05\x02", 2);
		world_run(0);
		say("\x01\x00", 2);
		world_run(0);
		say(ok, 10);
		break;
	case 'B': say(PAGE, sizeof PAGE - 1); break;
	case 'C':
	case 'R':
		w.conn = NULL;
		if (c != NULL && what == 'C')
			sim_conn_close(c);
		else if (c != NULL)
			sim_conn_reset(c);
		break;
	case 'E': tell_event(text, n); break;
	case 'X':
		prober_cancel(w.prober, 1);
		w.cancelled = true;
		break;
	case 'T': script_wait(text, n); break;
	default: break;
	}
	world_run(0);
}

static void
begin(struct loop *loop, uint8_t a, uint8_t b)
{
	static const uint8_t pin[32] = { 1 };
	struct endpoint via;
	const struct probe_request rq = { .address = ADDRESS, .port = 80, .via = &via, .direct = (a & 1) != 0, .tls = (a & 2) != 0,
		.pin = (a & 4) != 0 ? pin : NULL, .path = "/", .status = 200, .contains = (a & 8) == 0 ? BODY : NULL,
		.sha256 = (a & 16) != 0 ? "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08" : NULL,
		.header = (a & 32) != 0 ? "X-Site: one" : NULL, .version_path = (a & 64) != 0 ? "/version" : NULL,
		.timeout_ms = (b & 1) != 0 ? 1000 : 60000 };

	w.direct = rq.direct;
	w.contains = rq.contains != NULL && !rq.tls;
	FUZZ_CHECK(endpoint_parse(&via, VIA, NULL) == 0);
	w.prober = prober_new(loop);
	prober_start(w.prober, &rq, on_result, NULL, 1);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t skip = size < 2 ? size : 2, n;
	struct script script = { (const char *)data + skip, size - skip };
	struct sim_server *server;
	struct loop *loop;
	const char *text;
	char what;

	world_begin();
	memset(&w, 0, sizeof w);
	w.said = (struct buf)BUF_INIT((size_t)16 * 1024 * 1024);
	server = sim_server_new(VIA, on_connect, NULL);
	loop = loop_new(NULL);
	begin(loop, skip > 0 ? data[0] : 0, skip > 1 ? data[1] : 0);
	world_run(0);
	while (script_next(&script, &what, &text, &n))
		act(what, text, n);
	/* However silent: the deadline ends it, once. A second request gets its own. */
	world_run(700000);
	FUZZ_CHECK(w.done || w.cancelled);
	FUZZ_CHECK(prober_count(w.prober) == 0);
	prober_free(w.prober);
	sim_server_free(server);
	loop_free(loop);
	world_end();
	buf_free(&w.said);
	return 0;
}
