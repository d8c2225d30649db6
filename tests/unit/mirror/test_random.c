/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Random events in any order, with commands answered late, lost or answered
 * twice. The world checks its invariants at every step; then all is well for a
 * while, and nothing may be left behind. Each run has a seed, named on failure.
 */
#include "config.h"
#include "world.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define RUNS 300
#define EVENTS 400

static int kinds[EVENTS + 1]; /* of operations, by number: see ask() */

static enum verdict
any_verdict(void)
{
	return (enum verdict)world_random(VERDICT__COUNT);
}

/* The operator edits the configuration: fewer or more mirrors, other numbers. */
static void
reconfigure(struct world *w)
{
	w->cfg.n_mirrors = 1 + world_random(6);
	w->cfg.min_listed = 1 + (unsigned)world_random(3);
	w->mirrors[world_random(6)].stale_after_ms = (int64_t)world_random(2) * 600000;
	w->mirrors[world_random(6)].rotate_every_s = (int64_t)world_random(3) * 7200;
	w->mirrors[world_random(6)].spare = world_random(4) == 0;
	w->mirrors[world_random(6)].revoke_on_content = world_random(3) == 0;
	engine_reconfigure(w->e, w->now, &w->cfg, &w->out);
}

/* Answers that nobody waits for. */
static void
stray(struct world *w)
{
	uint64_t id = 1 + world_random(w->last_id + 1);
	struct phases ph = { 0 };

	switch (world_random(4)) {
	case 0: engine_on_added(w->e, w->now, id + 1000, &w->out); break;
	case 1: engine_on_deleted(w->e, w->now, id + 1000, true, &w->out); break;
	case 2: engine_on_probe(w->e, w->now, id + 1000, 0, VERDICT_OK, FETCH_NONE, &ph, &w->out); break;
	default: engine_on_descriptor(w->e, w->now, "foreign", DESC_UPLOADED, "", "", &w->out); break;
	}
}

/* What goes on in the world: tors, backends, other controllers. */
static void
happen(struct world *w)
{
	unsigned tor = (unsigned)world_random(w->cfg.n_tors);
	uint64_t id = 1 + world_random(w->last_id + 1);

	switch (world_random(16)) {
	case 0: world_lose_tor(w, tor, world_random(2) == 0); break;
	case 1:
	case 2: world_compare(w, tor); break;
	case 3: world_fit(w, tor, world_random(3) != 0 && w->linked[tor]); break;
	case 4:
		if (id <= w->last_id)
			w->o[id].in_tor = false; /* another controller's DEL_ONION */
		break;
	case 5: w->verdict[world_random(6)] = world_random(2) == 0 ? VERDICT_OK : any_verdict(); break;
	case 6: w->check[world_random(6)] = world_random(3) != 0 ? VERDICT_OK : any_verdict(); break;
	case 7: w->publish_fails = world_random(3) == 0; break;
	case 8: w->add_refused = world_random(5) == 0; break;
	case 9: w->vague = world_random(4) == 0; break;
	case 10: w->plan_fails = world_random(4) == 0; break;
	case 11: w->control_dead[tor] = world_random(2) == 0; break;
	case 12:
		if (id <= w->last_id)
			w->o[id].seen[tor] = world_random(2) == 0 ? -1 : (int)any_verdict();
		break;
	case 13:
		if (id <= w->last_id)
			w->o[id].clients = (int)world_random(3) - 1;
		break;
	case 14: w->begun = (unsigned)world_random(20); break;
	default: w->uploads = world_random(4) == 0 ? 0 : (unsigned)world_random(18); break;
	}
}

/* What operators ask for; true: an operation has begun. */
static bool
ask(struct world *w, uint64_t op)
{
	bool begun = false;
	struct err err = ERR_INIT;
	int m = (int)world_random(7), kind = (int)world_random(10);

	switch (kind) {
	case 6: begun = engine_drain(w->e, w->now, m, op, &w->out, &err) == 0; break;
	case 7: begun = engine_maint(w->e, w->now, m, world_random(2) == 0, op, &w->out, &err) == 0; break;
	case 8: begun = engine_revoke(w->e, w->now, m, op, &w->out, &err) == 0; break;
	case 9:
		begun = engine_revoke_onion(w->e, w->now, 1 + world_random(w->last_id + 1), op, &w->out, &err) == 0;
		break;
	case 0: begun = engine_rotate(w->e, w->now, m, op, &w->out, &err) == 0; break;
	case 1: begun = engine_probe(w->e, w->now, m, op, &w->out, &err) == 0; break;
	case 2: begun = engine_publish(w->e, w->now, op, &w->out, &err) == 0; break;
	case 3: reconfigure(w); break;
	case 4:
		if (world_random(4) == 0)
			world_boot(w);
		break;
	default: stray(w); break;
	}
	world_take(w);
	kinds[op] = kind;
	return begun;
}

static void
pass(struct world *w)
{
	static const int64_t steps[] = { 0, 10, 1000, 30000, 130000, 700000, 4000000 };
	int64_t ms = steps[world_random(sizeof steps / sizeof steps[0])];
	unsigned turn;

	w->now.mono += ms;
	w->now.wall = WORLD_WALL + w->now.mono / 1000;
	for (turn = 0; engine_deadline(w->e) <= w->now.mono; turn++) {
		engine_tick(w->e, w->now, &w->out);
		world_take(w);
		if (turn > 20) {
			world_fail(w, "the engine's deadline does not move on");
			return;
		}
	}
}

static void
heal(struct world *w)
{
	unsigned i, k;

	w->publish_fails = w->add_refused = w->vague = w->plan_fails = false;
	w->uploads = 16;
	w->begun = 0;
	w->deaf = 0;
	memset(w->control_dead, 0, sizeof w->control_dead);
	for (i = 0; i < WORLD_ONIONS; i++)
		for (k = 0; k < WORLD_TORS; k++)
			w->o[i].seen[k] = -1;
	w->cfg.min_listed = 1;
	for (i = 0; i < WORLD_MIRRORS; i++) {
		w->verdict[i] = w->check[i] = VERDICT_OK;
		w->mirrors[i].rotate_every_s = 0;
		w->mirrors[i].spare = w->mirrors[i].revoke_on_content = false;
		w->mirrors[i].interval_ms = 3600000;
	}
	engine_reconfigure(w->e, w->now, &w->cfg, &w->out);
	world_take(w);
	for (i = 1; i <= w->last_id; i++)
		w->o[i].clients = 0;
	for (i = 0; i < w->cfg.n_tors; i++) {
		world_compare(w, i);
		world_fit(w, i, true);
	}
	world_seconds(w, 60); /* what is in flight comes down */
	for (i = 0; i < w->cfg.n_mirrors; i++) {
		if (engine_maint(w->e, w->now, (int)i, false, 0, &w->out, NULL) != 0 && engine_mirror_hold(w->e, (int)i) == HOLD_DRAINED)
			(void)engine_rotate(w->e, w->now, (int)i, 0, &w->out, NULL);
		world_take(w);
	}
}

/* After hours of peace: one listed onion a mirror, each in tor and in the list, and nothing else anywhere. */
static void
check_peace(struct world *w)
{
	size_t i;

	for (i = 0; i < w->cfg.n_mirrors; i++) {
		struct mirror_view v = world_view(w, (int)i);

		if (v.state != MIRROR_UP || v.candidate != 0 || v.leaving != 0)
			world_fail(w, "m%zu is %s", i, mirror_state_name(v.state));
	}
	if (world_visible(w) != w->cfg.n_mirrors)
		world_fail(w, "%u in the list, not %zu", world_visible(w), w->cfg.n_mirrors);
	for (i = 1; i <= w->last_id; i++) {
		const struct world_onion *o = &w->o[i];
		bool listed = o->saved.state == ONION_LISTED;

		if (o->in_tor != listed || o->visible != listed || o->saved.in_list != listed || o->shredded == listed)
			world_fail(w, "onion %zu is %s: %sin tor, %svisible, key %s", i, onion_state_name(o->saved.state),
			    o->in_tor ? "" : "not ", o->visible ? "" : "not ", o->shredded ? "gone" : "there");
	}
}

/* Every operation that began has ended once. */
static void
check_ops(struct world *w, const bool *lost, size_t n)
{
	size_t op;

	for (op = 1; op < n; op++) {
		unsigned ends = world_steps(w, op, "done") + world_steps(w, op, "failed");

		if (ends > 1 || (ends == 0 && !lost[op]))
			world_fail(w, "operation %zu (%d) ended %u times", op, kinds[op], ends);
	}
}

static void
run(struct world *w, uint64_t seed)
{
	bool lost[EVENTS + 1] = { false };
	size_t i, k;

	world_init(w, 1 + seed % 6, 1 + seed % 2, seed);
	w->cfg.n_controls = seed % 4 < 2 ? 0 : 2;
	for (i = 0; seed % 2 == 1 && i < WORLD_MIRRORS; i++)
		w->mirrors[i].probe_through = seed % 3 == 0 ? -1 : 1 - w->mirrors[i].tor;
	world_start(w);
	for (i = 1; i <= EVENTS && w->failure[0] == '\0'; i++) {
		unsigned boots = w->boots;

		lost[i] = true;
		switch (world_random(8)) {
		case 0:
		case 1: happen(w); break;
		case 2: lost[i] = !ask(w, i); break;
		case 3: pass(w); break;
		default:
			if (w->n_pending > 0)
				(void)world_answer_one(w, world_random(w->n_pending));
			break;
		}
		if (w->boots != boots) /* operations don't outlive the process */
			for (k = 1; k <= i; k++)
				lost[k] = true;
	}
	heal(w);
	world_seconds(w, 80 * 3600); /* longer than any drain */
	check_peace(w);
	check_ops(w, lost, EVENTS + 1);
}

Test(mirror_random, nothing_that_happens_breaks_a_promise)
{
	struct world *w = calloc(1, sizeof *w);
	uint64_t seed;

	for (seed = 1; seed <= RUNS; seed++) {
		run(w, seed);
		cr_expect_str_eq(w->failure, "", "seed %llu: %s", (unsigned long long)seed, w->failure);
		world_free(w);
	}
	free(w);
}
