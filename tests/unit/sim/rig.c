/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"
#include "unit/sim/rig.h"

#include "proto/edkey.h"
#include "proto/onion.h"
#include "sim/bare.h"
#include "sim/ctl.h"

#include <criterion/criterion.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

static struct bare *now_running;

/* In place of sim/bare.c's: what we say to tor is looked at. */
void
check_on_command(unsigned tor, const char *line, size_t n)
{
	const char *why = ctl_policy(line, n);

	(void)tor;
	if (why != NULL && now_running != NULL && now_running->violation[0] == '\0')
		snprintf(now_running->violation, sizeof now_running->violation, "%s: %.100s", why, line);
}

/* --- the client's side ----------------------------------------------------------------------------- */

static void
on_up(void *arg)
{
	((struct bare *)arg)->ups++;
}

static void
on_lost(const struct err *why, void *arg)
{
	(void)why;
	((struct bare *)arg)->losts++;
}

static void
on_event(const struct event *ev, void *arg)
{
	struct bare *b = arg;

	prober_on_event(b->prober, b->session, ev);
	if (ev->kind != EVENT_HS_DESC)
		return;
	b->uploads += ev->u.hs_desc.action == EVENT_DESC_UPLOAD;
	b->uploaded += ev->u.hs_desc.action == EVENT_DESC_UPLOADED;
	b->failed += ev->u.hs_desc.action == EVENT_DESC_FAILED;
	b->requested += ev->u.hs_desc.action == EVENT_DESC_REQUESTED;
	b->received += ev->u.hs_desc.action == EVENT_DESC_RECEIVED;
}

static void
on_fitness(bool fit, const char *why, void *arg)
{
	(void)fit;
	(void)why;
	(void)arg;
}

void
bare_start(struct bare *b, bool extended_errors)
{
	const struct simtor_config cfg = { .name = "main", .control = BARE_CONTROL, .socks = BARE_SOCKS, .cookie = BARE_COOKIE,
		.extended_errors = extended_errors };
	const struct session_handlers h = { on_up, on_lost, on_event, on_fitness };
	struct session_config scfg = { .name = "main", .cookie_file = BARE_COOKIE };

	memset(b, 0, sizeof *b);
	now_running = b;
	cr_assert(sodium_init() >= 0);
	bare_world_begin();
	b->back = back_new(BARE_BACKEND, "the true page");
	b->tor = simtor_new(&cfg);
	simtor_start(b->tor);
	b->loop = loop_new(NULL);
	b->prober = prober_new(b->loop);
	cr_assert_eq(endpoint_parse(&scfg.control, BARE_CONTROL, NULL), 0);
	b->session = session_new(b->loop, &scfg, &h, b);
	session_start(b->session);
}

void
bare_stop(struct bare *b)
{
	session_free(b->session);
	prober_free(b->prober);
	loop_free(b->loop);
	simtor_free(b->tor);
	back_free(b->back);
	bare_world_end();
	now_running = NULL;
}

void
bare_run(struct bare *b, int64_t ms)
{
	int64_t until = sim_now() + ms;

	(void)b;
	while (loop_step(until))
		;
}

bool
bare_up(struct bare *b)
{
	int64_t until = sim_now() + 60000;

	while (session_get_state(b->session) != SESSION_UP && loop_step(until))
		;
	return session_get_state(b->session) == SESSION_UP;
}

static void
on_reply(void *ctx, uint64_t id, const struct reply *r)
{
	struct bare *b = ctx;

	(void)id;
	b->reply = r != NULL ? r->code : -1;
}

static int
wait_reply(struct bare *b)
{
	int64_t until = sim_now() + 60000;

	while (b->reply == 0 && loop_step(until))
		;
	return b->reply;
}

const char *
bare_add(struct bare *b, unsigned char seed)
{
	static char address[ONION_ADDR_LEN + 1];
	uint8_t bytes[EDKEY_SEED_LEN], pub[EDKEY_PUB_LEN], key[EDKEY_LEN];
	struct command_add_onion cmd = { .key64 = key, .n_ports = 1 };

	memset(bytes, seed, sizeof bytes);
	edkey_from_seed(key, bytes);
	cr_assert_eq(edkey_pubkey(pub, key, NULL), 0);
	cr_assert_eq(onion_from_pubkey(address, pub), 0);
	cmd.ports[0].virt = 80;
	cr_assert_eq(endpoint_parse(&cmd.ports[0].target, BARE_BACKEND, NULL), 0);
	b->reply = 0;
	cr_assert_eq(session_add_onion(b->session, &cmd, on_reply, b, 1, NULL), 0);
	wait_reply(b);
	return address;
}

int
bare_del(struct bare *b, const char *address)
{
	b->reply = 0;
	cr_assert_eq(session_del_onion(b->session, address, on_reply, b, 1, NULL), 0);
	return wait_reply(b);
}

int
bare_fetch(struct bare *b, const char *address)
{
	b->reply = 0;
	cr_assert_eq(session_hsfetch(b->session, address, on_reply, b, 1, NULL), 0);
	wait_reply(b);
	bare_run(b, 5000);
	return b->reply;
}

static void
on_probe(void *ctx, uint64_t id, const struct probe_result *r)
{
	struct bare *b = ctx;

	(void)id;
	b->result = *r;
	b->probed = true;
}

int64_t
bare_probe(struct bare *b, const char *address, int64_t timeout_ms)
{
	static uint64_t id;
	struct endpoint via;
	const struct probe_request rq = { .address = address, .port = 80, .via = &via, .through = b->session, .path = "/", .status = 200,
		.contains = "the true page", .timeout_ms = timeout_ms };
	int64_t began = sim_now(), until = began + timeout_ms + 1000;

	cr_assert_eq(endpoint_parse(&via, BARE_SOCKS, NULL), 0);
	b->probed = false;
	prober_start(b->prober, &rq, on_probe, b, ++id);
	while (!b->probed && loop_step(until))
		;
	cr_assert(b->probed);
	return sim_now() - began;
}

static void
on_detached(void *ctx, const char *const *addresses, int n)
{
	struct bare *b = ctx;

	(void)addresses;
	b->n_detached = n;
	b->reply = 250;
}

int
bare_detached(struct bare *b)
{
	b->reply = 0;
	cr_assert_eq(session_detached(b->session, on_detached, b, NULL), 0);
	wait_reply(b);
	return b->n_detached;
}
