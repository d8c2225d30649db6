/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A whole control session against a peer that says what the input says, while its owner asks for things at any time and
 * from inside callbacks, or frees it there. The first byte chooses how it must authenticate; the rest is a script:
 *   D text   bytes to the session            H digits  that many of its lines are answered as tor would
 *   C        the peer closes                 R         the peer dies
 *   T digit  time passes                     I letter  the next callback does this
 *   A X G L N F K  ADD_ONION, DEL_ONION, GETINFO, onions/detached, clients, HSFETCH, CLOSECIRCUIT
 *   W U      watch and unwatch               P digit   a probe found a path, or not
 *   Z        the session is freed
 */
#include "config.h"
#include "fuzz.h"
#include "world.h"

#include "base/enc.h"
#include "base/file.h"
#include "proto/edkey.h"
#include "sim/ctl.h"
#include "tor/auth.h"
#include "tor/session.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CONTROL "unix:/run/tor/control"
#define ADDRESS "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid"
#define ASKED_MAX 512

enum proof { PROOF_COOKIE, PROOF_PASSWORD, PROOF_NONE, PROOF_KINDS };

static uint8_t key[EDKEY_LEN]; /* of an onion */
static char folder[] = "/tmp/om-fuzz-session.XXXXXX", cookie_path[64], password_path[64];
static uint8_t cookie[AUTH_COOKIE_LEN];

static struct {
	struct session *s;
	struct sim_conn *conn; /* the newest */
	enum proof proof;
	char lines[64][160];   /* of the session, not yet answered; cut, a ring */
	unsigned n_lines, answered;
	bool challenged, proved; /* on this connection: the peer has shown that it knows the cookie; AUTHENTICATE came */
	bool up, was_lost;
	char inside;           /* what the next callback does, 0: nothing */
	unsigned watchers;
	struct {
		bool done;
	} asked[ASKED_MAX];
	unsigned n_asked;
} w;

static void act(char what, const char *text, size_t n);

static void
do_inside(void)
{
	char what = w.inside;

	w.inside = 0;
	if (what != 0)
		act(what, "", 0);
}

/* --- the owner --- */

static void
on_up(void *arg)
{
	(void)arg;
	FUZZ_CHECK(w.s != NULL && !w.up && session_get_state(w.s) == SESSION_UP);
	FUZZ_CHECK(w.proof == PROOF_NONE || w.proved);
	w.up = true;
	do_inside();
}

static void
on_lost(const struct err *why, void *arg)
{
	(void)arg;
	FUZZ_CHECK(w.s != NULL && why->code != ERR_NONE && why->msg[0] != '\0' && strlen(why->msg) < sizeof why->msg);
	w.up = false;
	do_inside();
}

static void
on_event(const struct event *ev, void *arg)
{
	(void)ev;
	(void)arg;
	FUZZ_CHECK(w.s != NULL && w.up);
	do_inside();
}

static void
on_fitness(bool fit, const char *why, void *arg)
{
	(void)arg;
	FUZZ_CHECK(w.s != NULL && (fit == (why[0] == '\0')));
	do_inside();
}

/* Each thing that was taken is answered once. */
static void
settle(uint64_t id)
{
	FUZZ_CHECK(w.s != NULL && id < w.n_asked && !w.asked[id].done);
	w.asked[id].done = true;
	do_inside();
}

static void
on_reply(void *ctx, uint64_t id, const struct reply *r)
{
	(void)ctx;
	FUZZ_CHECK(r == NULL || (!r->is_event && r->n_lines > 0));
	settle(id);
}

static void
on_detached(void *ctx, const char *const *addresses, int n)
{
	int i;

	for (i = 0; i < n; i++)
		FUZZ_CHECK(strlen(addresses[i]) == 56);
	settle((uint64_t)((char *)ctx - (char *)w.asked) / sizeof w.asked[0]);
}

static void
on_count(void *ctx, uint64_t id, int n)
{
	(void)ctx;
	FUZZ_CHECK(n >= -1);
	settle(id);
}

static int
add_onion(uint64_t id)
{
	struct command_add_onion cmd = { .key64 = key, .n_ports = 1, .ports = { { .virt = 80 } } };

	FUZZ_CHECK(endpoint_parse(&cmd.ports[0].target, "127.0.0.1:8000", NULL) == 0);
	cmd.pow = session_has_pow(w.s);
	return session_add_onion(w.s, &cmd, on_reply, NULL, id, NULL);
}

static void
ask(char what)
{
	uint64_t id = w.n_asked;
	int r = -1;

	if (w.n_asked == ASKED_MAX)
		return;
	/* Before the call: what is refused is never called back. */
	w.asked[w.n_asked++].done = false;
	switch (what) {
	case 'A': r = add_onion(id); break;
	case 'X': r = session_del_onion(w.s, ADDRESS, on_reply, NULL, id, NULL); break;
	case 'G': r = session_getinfo(w.s, "uptime", on_reply, NULL, id, NULL); break;
	case 'L': r = session_detached(w.s, on_detached, &w.asked[id], NULL); break;
	case 'N': r = session_clients(w.s, ADDRESS, on_count, NULL, id, NULL); break;
	case 'F': r = session_hsfetch(w.s, ADDRESS, on_reply, NULL, id, NULL); break;
	default: r = session_close_circuit(w.s, "12", on_reply, NULL, id, NULL); break;
	}
	FUZZ_CHECK(r != 0 || session_get_state(w.s) == SESSION_UP);
	FUZZ_CHECK(!w.asked[id].done);
	w.asked[id].done = r != 0;
}

static void
free_session(void)
{
	session_free(w.s);
	w.s = NULL;
}

/* --- the peer --- */

static void
on_data(struct sim_conn *c, void *arg)
{
	size_t n, len;
	const char *p = sim_conn_peek(c, &n), *end, *why;

	(void)arg;
	while ((end = n > 0 ? memchr(p, '\n', n) : NULL) != NULL) {
		len = (size_t)(end - p);
		FUZZ_CHECK(len > 0 && p[len - 1] == '\r');
		why = ctl_policy(p, len - 1);
		if (why != NULL)
			fprintf(stderr, "%s: %.*s\n", why, (int)len, p);
		FUZZ_CHECK(why == NULL);
		if (strncmp(p, "AUTHENTICATE", 12) == 0) {
			FUZZ_CHECK(w.proof != PROOF_COOKIE || w.challenged);
			w.proved = true;
		} else if (strncmp(p, "PROTOCOLINFO", 12) != 0 && strncmp(p, "AUTHCHALLENGE", 13) != 0) {
			FUZZ_CHECK(w.proved);
		}
		snprintf(w.lines[w.n_lines++ % 64], sizeof w.lines[0], "%.*s", (int)(len < 159 ? len - 1 : 158), p);
		sim_conn_consume(c, len + 1);
		p = sim_conn_peek(c, &n);
	}
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
	w.n_lines = w.answered = 0;
	w.challenged = w.proved = false;
}

static void
answer_challenge(const char *line)
{
	uint8_t client[AUTH_NONCE_LEN], server[AUTH_NONCE_LEN], hash[AUTH_HASH_LEN];
	char hash_hex[HEX_LEN(AUTH_HASH_LEN) + 1], nonce_hex[HEX_LEN(AUTH_NONCE_LEN) + 1], text[256];

	if (hex_decode(client, sizeof client, line + 25, strlen(line) - 25) != 0)
		abort();
	memset(server, 7, sizeof server);
	auth_server_hash(hash, cookie, client, server);
	hex_encode(hash_hex, hash, sizeof hash);
	hex_encode(nonce_hex, server, sizeof server);
	snprintf(text, sizeof text, "250 AUTHCHALLENGE SERVERHASH=%s SERVERNONCE=%s\r\n", hash_hex, nonce_hex);
	w.challenged = true;
	sim_conn_puts(w.conn, text);
}

static void
answer_key(const char *asked)
{
	static const char *const known[][2] = { { "version", "0.4.9.11" }, { "status/circuit-established", "1" }, { "network-liveness", "up" },
		{ "consensus/valid-after", "2027-01-01 00:00:00" }, { "consensus/valid-until", "2027-01-01 03:00:00" }, { "uptime", "77" },
		{ "DisableNetwork", "0" }, { "PublishHidServDescriptors", "1" } };
	const char *value = "";
	char text[256];
	size_t i;

	for (i = 0; i < sizeof known / sizeof known[0]; i++)
		if (strcmp(known[i][0], asked) == 0)
			value = known[i][1];
	if (strstr("DisableNetwork PublishHidServDescriptors SocksPort", asked) != NULL)
		snprintf(text, sizeof text, "250 %.80s=%s\r\n", asked, value);
	else
		snprintf(text, sizeof text, "250-%.80s=%s\r\n250 OK\r\n", asked, value);
	sim_conn_puts(w.conn, text);
}

/* The oldest line, as tor would. */
static void
answer_one(void)
{
	static const char *const methods[] = { "COOKIE,SAFECOOKIE COOKIEFILE=\"/c\"", "HASHEDPASSWORD", "NULL" };
	const char *line = w.lines[w.answered % 64];
	char text[256];

	if (w.conn == NULL || w.answered == w.n_lines)
		return;
	w.answered++;
	if (strncmp(line, "PROTOCOLINFO", 12) == 0) {
		snprintf(text, sizeof text, "250-PROTOCOLINFO 1\r\n250-AUTH METHODS=%s\r\n250-VERSION Tor=\"0.4.9.11\"\r\n250 OK\r\n", methods[w.proof]);
		sim_conn_puts(w.conn, text);
	} else if (strncmp(line, "AUTHCHALLENGE ", 14) == 0) {
		answer_challenge(line);
	} else if (strncmp(line, "GETINFO ", 8) == 0 || strncmp(line, "GETCONF ", 8) == 0) {
		answer_key(line + 8);
	} else if (strncmp(line, "ADD_ONION ", 10) == 0) {
		sim_conn_puts(w.conn, "250-ServiceID=" ADDRESS "\r\n250 OK\r\n");
	} else {
		sim_conn_puts(w.conn, "250 OK\r\n");
	}
}

/* --- the script --- */

static void
act_on_peer(char what, const char *text, size_t n)
{
	struct sim_conn *c = w.conn;
	unsigned i;

	if (what == 'H') {
		for (i = n > 0 && text[0] >= '0' && text[0] <= '9' ? (unsigned)(text[0] - '0') : 1; i > 0; i--) {
			answer_one();
			world_run(0);
		}
		return;
	}
	if (c == NULL)
		return;
	if (what == 'D') {
		sim_conn_write(c, text, n);
		return;
	}
	w.conn = NULL;
	if (what == 'C')
		sim_conn_close(c);
	else
		sim_conn_reset(c);
}

static void
act(char what, const char *text, size_t n)
{
	if (what == 'I')
		w.inside = n > 0 && strchr("AXGLNFKWUPZ", text[0]) != NULL ? text[0] : 0;
	else if (w.s == NULL)
		return;
	else if (what != '\0' && strchr("AXGLNFK", what) != NULL)
		ask(what);
	else if (what == 'W' && ++w.watchers > 0)
		session_watch(w.s);
	else if (what == 'U' && w.watchers > 0 && w.watchers-- > 0)
		session_unwatch(w.s);
	else if (what == 'P')
		session_note_path(w.s, n > 0 && text[0] == '1');
	else if (what == 'Z')
		free_session();
}

static void
make_files(void)
{
	struct err e = ERR_INIT;

	if (mkdtemp(folder) == NULL)
		abort();
	snprintf(cookie_path, sizeof cookie_path, "%s/cookie", folder);
	snprintf(password_path, sizeof password_path, "%s/password", folder);
	memset(cookie, 0x5a, sizeof cookie);
	edkey_from_seed(key, cookie);
	if (file_write(cookie_path, cookie, sizeof cookie, 0600, &e) != 0 || file_write(password_path, "open \"sesame\"\n", 14, 0600, &e) != 0)
		abort();
}

static void
remove_files(void)
{
	unlink(cookie_path);
	unlink(password_path);
	rmdir(folder);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct session_handlers handlers = { on_up, on_lost, on_event, on_fitness };
	struct session_config cfg = { .name = "main" };
	struct script script = { (const char *)data + (size > 0), size - (size > 0) };
	struct sim_server *server;
	struct loop *loop;
	const char *text;
	unsigned i;
	size_t n;
	char what;

	world_begin();
	if (cookie_path[0] == '\0') {
		make_files();
		atexit(remove_files);
	}
	memset(&w, 0, sizeof w);
	w.proof = (enum proof)(size > 0 ? data[0] % PROOF_KINDS : 0);
	cfg.cookie_file = w.proof == PROOF_COOKIE ? cookie_path : NULL;
	cfg.password_file = w.proof == PROOF_PASSWORD ? password_path : NULL;
	cfg.allow_no_auth = w.proof == PROOF_NONE;
	FUZZ_CHECK(endpoint_parse(&cfg.control, CONTROL, NULL) == 0);
	server = sim_server_new(CONTROL, on_connect, NULL);
	loop = loop_new(NULL);
	w.s = session_new(loop, &cfg, &handlers, NULL);
	session_start(w.s);
	world_run(0);
	while (script_next(&script, &what, &text, &n)) {
		if (what == 'T')
			script_wait(text, n);
		else if (what == 'D' || what == 'H' || what == 'C' || what == 'R')
			act_on_peer(what, text, n);
		else
			act(what, text, n);
		world_run(0);
	}
	/* Nobody is left without an answer while the session lives. */
	w.inside = 0;
	if (w.s != NULL) {
		sim_server_free(server);
		server = NULL;
		world_run(30000);
		for (i = 0; i < w.n_asked; i++)
			FUZZ_CHECK(w.asked[i].done);
		FUZZ_CHECK(session_get_state(w.s) != SESSION_UP);
		free_session();
	}
	sim_server_free(server);
	loop_free(loop);
	world_end();
	return 0;
}
