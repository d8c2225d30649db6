/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The simulated SOCKS port: greeting, name and password, CONNECT to an onion,
 * and then bytes to a backend and back. Anything else is what our daemon must
 * never ask: a clear address, a name that is no onion, a circuit used twice.
 */
#include "config.h"
#include "sim/simtor_impl.h"

#include "sim/impl.h"

#include "base/mem.h"
#include "proto/onion.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LATENCY_MS 180
#define CIRCUIT_MS (10 * 60 * 1000)

struct visit *
visit_find(struct simtor *t, uint64_t id)
{
	struct visit *s;

	for (s = t->visits; s != NULL && s->id != id; s = s->next)
		;
	return s;
}

static void
visit_forget(struct visit *s)
{
	struct visit **at;

	for (at = &s->tor->visits; *at != s; at = &(*at)->next)
		;
	*at = s->next;
	if (s->back != NULL)
		back_close(s->back);
	buf_free(&s->to_back);
	free(s);
}

static void
visit_event(struct visit *s, const char *status, const char *rest)
{
	tor_event(s->tor, CTL_EV_STREAM, "STREAM %llu %s %llu %s.onion:%u%s SOCKS_USERNAME=\"%s\" SOCKS_PASSWORD=\"x\" CLIENT_PROTOCOL=SOCKS5",
	    (unsigned long long)s->id, status, (unsigned long long)s->circuit, s->address, s->port, rest, s->user);
}

static void
visit_end(struct visit *s)
{
	if (s->state >= VISIT_BUSY)
		visit_event(s, "CLOSED", " REASON=END REMOTE_REASON=DONE");
	sim_conn_close(s->conn);
	visit_forget(s);
}

void
visit_reply(struct visit *s, unsigned code)
{
	const unsigned char reply[10] = { 5, (unsigned char)code, 0, 1, 0, 0, 0, 0, 0, 0 };

	sim_detail("tor %s: SOCKS %.8s... -> %02x", s->tor->name, s->address, code);
	sim_conn_write(s->conn, reply, sizeof reply);
	if (code == 0 || (code == 0xf0 && s->back != NULL)) {
		s->state = VISIT_OPEN;
		visit_event(s, code == 0 ? "SUCCEEDED" : "FAILED", "");
		return;
	}
	visit_event(s, "FAILED", code == 6 ? " REASON=TIMEOUT" : code == 1 ? " REASON=END REMOTE_REASON=MISC" : " REASON=RESOLVEFAILED");
	visit_end(s);
}

/* --- the visitor and the backend ------------------------------------------------------------- */

static void
on_back_data(void *arg, const void *p, size_t n)
{
	struct visit *s = arg;

	sim_conn_write(s->conn, p, n);
	if (back_is_done(s->back))
		check_on_probe(s->address, back_was_good(s->back));
}

static void
on_back_end(void *arg)
{
	struct visit *s = arg;

	s->back = NULL;
	visit_end(s);
}

void
visits_cut(const char *address)
{
	struct visit *s, *next;
	struct simtor *t;

	for (t = simworld.tors; t != NULL; t = t->next)
		for (s = t->visits; s != NULL; s = next) {
			next = s->next;
			if (s->state == VISIT_OPEN && strcmp(s->address, address) == 0)
				visit_end(s);
		}
}

static const struct back_sink sink = { on_back_data, on_back_end };

static void
on_begun(struct simtor *t, uint64_t id, uint64_t code)
{
	struct visit *s = visit_find(t, id);

	if (s != NULL && s->state == VISIT_BUSY)
		visit_reply(s, (unsigned)code);
}

void
visit_join(struct visit *s, struct service *svc)
{
	struct simtor *t = s->tor;
	struct circuit *c = xcalloc(1, sizeof *c);
	const char *target = service_target(svc, s->port);
	unsigned code = 0;

	c->id = s->circuit;
	memcpy(c->address, s->address, sizeof c->address);
	memcpy(c->user, s->user, sizeof c->user);
	c->closes = sim_now() + CIRCUIT_MS;
	c->next = t->circuits;
	t->circuits = c;
	visit_circuit(s, true, s->intro_circuit, "PURPOSE_CHANGED", "HS_CLIENT_INTRO", "HSCI_DONE", "");
	visit_circuit(s, true, s->intro_circuit, "PURPOSE_CHANGED", "CIRCUIT_PADDING", "HSCI_DONE", "");
	visit_circuit(s, true, s->circuit, "PURPOSE_CHANGED", "HS_CLIENT_REND", "HSCR_JOINED", "");
	visit_event(s, "SENTCONNECT", "");
	if (target == NULL) {
		code = 5;
	} else {
		s->back = back_open(target, &sink, s);
		code = s->back == NULL ? 1 : s->missed && t->extended ? 0xf0 : 0;
	}
	tor_after(t, sim_between(DICE_TOR, 120, 400), on_begun, s->id, code);
}

static void
on_to_back(struct simtor *t, uint64_t id, uint64_t n)
{
	struct visit *s = visit_find(t, id);
	char *copy;

	if (s == NULL || s->back == NULL)
		return;
	copy = strndup(s->to_back.data, (size_t)n);
	if (copy == NULL)
		abort();
	buf_drain(&s->to_back, (size_t)n);
	back_input(s->back, copy, strlen(copy));
	free(copy);
}

/* --- SOCKS5 ------------------------------------------------------------------------------------- */

static void
note_user(struct visit *s)
{
	uint64_t h = 14695981039346656037ULL;
	size_t i;

	for (i = 0; s->user[i] != '\0'; i++)
		h = (h ^ (unsigned char)s->user[i]) * 1099511628211ULL;
	for (i = 0; i < simworld.n_users && i < USERS_KEPT; i++)
		if (simworld.users[i] == h)
			sim_violation("I2", "two probes with one SOCKS user name: one circuit for both");
	simworld.users[simworld.n_users++ % USERS_KEPT] = h;
}

static void
violate(struct visit *s, const char *what)
{
	sim_violation("I13", "SOCKS port of tor %s: %s", s->tor->name, what);
	visit_end(s);
}

/* Each returns how many bytes it took, 0: not all there yet, -1: the stream is gone. */
static long
take_greeting(struct visit *s, const unsigned char *p, size_t n)
{
	size_t i;

	if (n < 2 || n < 2u + p[1])
		return 0;
	for (i = 0; i < p[1] && p[2 + i] != 2; i++)
		;
	if (p[0] != 5 || i == p[1]) {
		violate(s, "a greeting without name and password");
		return -1;
	}
	sim_conn_write(s->conn, "\5\2", 2);
	s->state = VISIT_AUTH;
	return 2 + p[1];
}

static long
take_auth(struct visit *s, const unsigned char *p, size_t n)
{
	if (n < 2 || n < 3u + p[1] || n < 3u + p[1] + p[2 + p[1]])
		return 0;
	if (p[0] != 1 || p[1] == 0) {
		violate(s, "no user name: no circuit of its own");
		return -1;
	}
	memcpy(s->user, p + 2, p[1]);
	s->user[p[1]] = '\0';
	note_user(s);
	sim_conn_write(s->conn, "\1\0", 2);
	s->state = VISIT_REQUEST;
	return 3 + p[1] + p[2 + p[1]];
}

static long
take_request(struct visit *s, const unsigned char *p, size_t n)
{
	char rest[64];

	if (n < 5 || n < 7u + p[4])
		return 0;
	if (p[0] != 5 || p[1] != 1 || p[3] != 3 || p[4] != 62 || memcmp(p + 5 + 56, ".onion", 6) != 0 || !onion_addr_shape((const char *)p + 5, 56)) {
		violate(s, "asked for something that is not an onion by name");
		return -1;
	}
	memcpy(s->address, p + 5, 56);
	check_on_fetch(s->address);
	s->port = (uint16_t)(p[67] << 8 | p[68]);
	s->state = VISIT_BUSY;
	snprintf(rest, sizeof rest, " SOURCE_ADDR=127.0.0.1:%llu PURPOSE=USER", (unsigned long long)(10000 + s->id % 50000));
	visit_event(s, "NEW", rest);
	return 69;
}

static void
on_data(struct sim_conn *c, void *arg)
{
	struct visit *s = arg;
	struct simtor *t = s->tor;
	uint64_t id = s->id;
	const char *p;
	long used;
	size_t n;

	while ((s = visit_find(t, id)) != NULL && s->state < VISIT_BUSY) {
		p = sim_conn_peek(c, &n);
		used = s->state == VISIT_GREETING ? take_greeting(s, (const unsigned char *)p, n)
		     : s->state == VISIT_AUTH     ? take_auth(s, (const unsigned char *)p, n)
						  : take_request(s, (const unsigned char *)p, n);
		if (used <= 0)
			return;
		sim_conn_consume(c, (size_t)used);
		if (s->state == VISIT_BUSY)
			client_connect(t, s);
	}
	if (s == NULL)
		return;
	p = sim_conn_peek(c, &n);
	if (n > 0) {
		buf_add(&s->to_back, p, n);
		sim_conn_consume(c, n);
		tor_after(t, LATENCY_MS, on_to_back, id, n);
	}
}

static void
on_closed(struct sim_conn *c, void *arg)
{
	struct visit *s = arg;

	(void)c;
	if (s->state >= VISIT_BUSY)
		visit_event(s, "CLOSED", " REASON=DONE");
	visit_forget(s);
}

static void
on_connect(struct sim_conn *c, void *arg)
{
	static const struct sim_conn_ops ops = { on_data, on_closed };
	struct visit *s = xcalloc(1, sizeof *s);

	s->tor = arg;
	s->conn = c;
	s->id = simtor_next_id();
	s->to_back = (struct buf)BUF_INIT(65536);
	s->next = s->tor->visits;
	s->tor->visits = s;
	sim_conn_set(c, &ops, s);
}

void
socks_serve(struct simtor *t)
{
	if (t->socks == NULL && !t->disabled)
		t->socks = sim_server_new(t->socks_ep, on_connect, t);
}

void
socks_drop(struct simtor *t)
{
	while (t->visits != NULL) {
		sim_conn_reset(t->visits->conn);
		visit_forget(t->visits);
	}
	sim_server_free(t->socks);
	t->socks = NULL;
}
