/* SPDX-License-Identifier: BSD-3-Clause */
/* Rotation by hand, by age and after a takedown; spacing and budget. */
#include "config.h"
#include "world.h"

#include <criterion/criterion.h>

static struct world w;

static void
done(void)
{
	world_free(&w);
}

TestSuite(mirror_rotate, .fini = done);

static int
rotate(int mirror, uint64_t op)
{
	struct err err = ERR_INIT;
	int r = engine_rotate(w.e, w.now, mirror, op, &w.out, &err);

	world_take(&w);
	return r == 0 ? 0 : (int)err.code;
}

Test(mirror_rotate, by_hand_with_steps_tombstone_drain_and_end_of_the_key)
{
	static const char *const steps[] = { "planned", "created", "uploaded", "proved", "listed", "done" };
	uint64_t dead[4];
	size_t i;

	world_init(&w, 2, 1, 1);
	world_settled(&w);
	engine_set_tombstone_until(w.e, 1, w.now.wall + 86400, &w.out);
	world_take(&w);
	cr_expect_eq(w.o[1].saved.tombstone_until, w.now.wall + 86400);
	w.deaf = 1u << ACTION_PUBLISH;
	cr_expect_eq(rotate(0, 42), 0);
	world_answer(&w);
	cr_expect_eq(world_view(&w, 0).state, MIRROR_ROTATING);
	cr_expect_eq(world_listed(&w, 0), 1, "readers go on being sent to the old one");
	/* The list under way holds the new one, and the old one as a tombstone. */
	cr_expect(w.o[3].flight && !w.o[1].flight && w.o[2].flight);
	cr_expect_eq(engine_tombstones(w.e, w.now.wall, dead, 4), 1);
	cr_expect_eq(dead[0], 1);
	cr_expect_eq(world_count_of(&w, ACTION_DEL_ONION, 1), 0);
	w.deaf = 0;
	world_answer(&w);
	cr_expect_eq(world_listed(&w, 0), 3);
	for (i = 0; i < sizeof steps / sizeof steps[0]; i++)
		cr_expect_geq(world_steps(&w, 42, steps[i]), 1, "%s", steps[i]);
	cr_expect_eq(world_steps(&w, 42, "done"), 1);
	cr_expect_eq(world_steps(&w, 42, "failed"), 0);
	cr_expect_eq(w.o[3].saved.cause, CAUSE_OPERATOR);
	/* It drains for an hour. */
	cr_expect_eq(world_state(&w, 1), ONION_LEAVING);
	cr_expect_eq(world_view(&w, 0).leaving, 1);
	world_seconds(&w, 3590);
	cr_expect(w.o[1].in_tor && !w.o[1].shredded);
	world_seconds(&w, 20);
	cr_expect(!w.o[1].in_tor && w.o[1].shredded);
	cr_expect_eq(w.o[1].saved.state, ONION_GONE);
	/* The tombstone stays as long as the proof of possession could be shown. */
	cr_expect_eq(engine_tombstones(w.e, w.now.wall, dead, 4), 1);
	cr_expect_eq(engine_tombstones(w.e, w.now.wall + 86400, dead, 4), 0);
}

Test(mirror_rotate, is_refused_while_one_is_under_way)
{
	world_init(&w, 2, 1, 1);
	world_settled(&w);
	cr_expect_eq(rotate(0, 1), 0);
	cr_expect_eq(rotate(0, 2), ERR_REFUSED);
	cr_expect_eq(rotate(1, 3), 0, "another mirror's is its own matter");
	cr_expect_eq(rotate(9, 4), ERR_NOTFOUND);
	world_answer(&w);
	cr_expect_eq(rotate(0, 5), 0);
}

Test(mirror_rotate, that_fails_ends_its_operation_and_leaves_the_old_one_listed)
{
	world_init(&w, 1, 1, 1);
	world_settled(&w);
	w.uploads = 0;
	cr_expect_eq(rotate(0, 5), 0);
	world_seconds(&w, 400);
	cr_expect_eq(world_steps(&w, 5, "failed"), 1);
	cr_expect_eq(world_steps(&w, 5, "done"), 0);
	cr_expect_eq(world_listed(&w, 0), 1);
	cr_expect_eq(world_view(&w, 0).state, MIRROR_UP);
	cr_expect_eq(world_count(&w, ACTION_PLAN), 1, "the operator may ask again");
	w.plan_fails = true;
	cr_expect_eq(rotate(0, 6), 0);
	world_answer(&w);
	cr_expect_eq(world_steps(&w, 6, "failed"), 1);
}

Test(mirror_rotate, by_age_one_at_a_time)
{
	uint64_t first[3];
	int k, rotated = 0;

	world_init(&w, 3, 1, 1);
	for (k = 0; k < 3; k++)
		w.mirrors[k].rotate_every_s = 86400;
	world_settled(&w);
	for (k = 0; k < 3; k++)
		first[k] = world_listed(&w, k);
	world_seconds(&w, 68000); /* a day less 20 % and some */
	cr_expect_eq(world_count(&w, ACTION_PLAN), 0);
	for (k = 0; k < 40000 / 60; k++) {
		unsigned at_once = 0, j;

		world_seconds(&w, 60);
		for (j = 0; j < 3; j++)
			at_once += world_view(&w, (int)j).candidate != 0;
		cr_expect_leq(at_once, 1);
	}
	for (k = 0; k < 3; k++)
		rotated += world_listed(&w, k) != first[k];
	cr_expect_eq(rotated, 3);
	cr_expect_eq(world_notes(&w, NOTE_DECISION, "age"), 3);
}

/* The address fails while everything else is well. */
static void
take_down(int mirror, enum verdict v)
{
	w.o[world_listed(&w, mirror)].verdict = (int)v;
}

Test(mirror_rotate, after_a_takedown)
{
	world_init(&w, 3, 1, 1);
	world_settled(&w);
	take_down(0, VERDICT_INTRO);
	while (world_view(&w, 0).fall < 6)
		world_seconds(&w, 1);
	world_seconds(&w, 1);
	cr_expect_eq(world_visible(&w), 2, "out of the list first");
	cr_expect_eq(world_count(&w, ACTION_PLAN), 0, "but no new address before it failed for seven paces");
	world_seconds(&w, 150);
	cr_expect_eq(world_notes(&w, NOTE_DECISION, "takedown"), 1);
	cr_expect_eq(world_state(&w, 1), ONION_LEAVING);
	cr_expect_eq(world_view(&w, 0).state, MIRROR_UP);
	cr_expect_eq(world_visible(&w), 3);
	cr_expect_eq(w.o[4].saved.cause, CAUSE_TAKEDOWN);
}

Test(mirror_rotate, also_when_the_only_one_is_taken_down)
{
	world_init(&w, 1, 1, 1);
	world_settled(&w);
	take_down(0, VERDICT_NO_DESCRIPTOR);
	world_seconds(&w, 3600);
	cr_expect_eq(world_listed(&w, 0), 2);
	cr_expect_eq(world_visible(&w), 1);
}

Test(mirror_rotate, no_takedown_without_every_piece_of_evidence)
{
	static const struct {
		const char *what;
		enum verdict probe, check;
		bool deaf_check, deaf_compare;
		int others; /* failing too */
	} rows[] = {
		{ "backend refuses", VERDICT_INTRO, VERDICT_REFUSED, false, false, 0 },
		{ "backend not looked at", VERDICT_INTRO, VERDICT_OK, true, false, 0 },
		{ "tor not asked", VERDICT_INTRO, VERDICT_OK, false, true, 0 },
		{ "tor reached the service", VERDICT_REFUSED, VERDICT_OK, false, false, 0 },
		{ "the layers above", VERDICT_HTTP, VERDICT_OK, false, false, 0 },
		{ "wrong content", VERDICT_CONTENT, VERDICT_OK, false, false, 0 },
		{ "our own side", VERDICT_INCONCLUSIVE, VERDICT_OK, false, false, 0 },
		{ "others fail too", VERDICT_INTRO, VERDICT_OK, false, false, 2 },
	};
	size_t i;
	int k;

	for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		if (i > 0)
			world_free(&w);
		world_init(&w, 4, 1, i + 1);
		world_settled(&w);
		w.check[0] = rows[i].check;
		if (rows[i].deaf_check)
			w.deaf |= 1u << ACTION_CHECK;
		if (rows[i].deaf_compare)
			w.deaf |= 1u << ACTION_COMPARE;
		for (k = 0; k <= rows[i].others; k++)
			take_down(k, rows[i].probe);
		world_seconds(&w, 4 * 3600);
		cr_expect_eq(world_count(&w, ACTION_PLAN), 0, "%s", rows[i].what);
		cr_expect_str_eq(w.failure, "");
	}
}

Test(mirror_rotate, no_takedown_while_other_layers_fail_in_between)
{
	int k;

	world_init(&w, 3, 1, 1);
	world_settled(&w);
	for (k = 0; k < 30; k++) {
		w.verdict[0] = k % 3 == 0 ? VERDICT_HTTP : VERDICT_INTRO;
		world_seconds(&w, 150);
	}
	cr_expect_eq(world_count(&w, ACTION_PLAN), 0);
	w.verdict[0] = VERDICT_OK;
	w.o[1].verdict = VERDICT_INTRO;
	world_seconds(&w, 8 * 3600);
	cr_expect_eq(world_count(&w, ACTION_PLAN), 1);
}

Test(mirror_rotate, what_happens_to_an_onion_later_is_no_step_of_its_rotation)
{
	struct err err = ERR_INIT;

	world_init(&w, 2, 1, 1);
	world_settled(&w);
	cr_expect_eq(engine_rotate(w.e, w.now, 0, 7, &w.out, &err), 0);
	world_take(&w);
	world_seconds(&w, 60);
	cr_expect_eq(world_steps(&w, 7, "done"), 1);
	world_lose_tor(&w, 0, true);
	world_compare(&w, 0);
	world_fit(&w, 0, true);
	world_seconds(&w, 60);
	cr_expect_eq(world_view(&w, 0).state, MIRROR_UP); /* world.c looks at the steps */
}

Test(mirror_rotate, automatic_ones_keep_their_distance_over_all_tors)
{
	int64_t last = 0;
	unsigned n = 0;
	size_t i;
	int k;

	world_init(&w, 6, 2, 1);
	world_settled(&w);
	take_down(0, VERDICT_INTRO);
	take_down(1, VERDICT_INTRO);
	for (k = 0; k < 3600; k++) {
		size_t from = w.log.n;

		world_seconds(&w, 1);
		for (i = from; i < w.log.n; i++) {
			if (w.log.v[i].kind != ACTION_PLAN)
				continue;
			cr_expect(n == 0 || w.now.mono - last >= 600000 - 1000, "%lld ms apart", (long long)(w.now.mono - last));
			last = w.now.mono;
			n++;
		}
	}
	cr_expect_eq(n, 2);
}

Test(mirror_rotate, two_that_are_due_in_the_same_moment_keep_their_distance_too)
{
	world_init(&w, 2, 2, 1);
	w.mirrors[0].rotate_every_s = w.mirrors[1].rotate_every_s = 3600;
	world_settled(&w);
	world_fit(&w, 0, false);
	world_fit(&w, 1, false);
	world_seconds(&w, 7200);
	w.deaf = 1u << ACTION_PLAN;
	world_fit(&w, 0, true);
	world_fit(&w, 1, true);
	world_seconds(&w, 500);
	cr_expect_eq(world_count(&w, ACTION_PLAN), 1);
}

Test(mirror_rotate, past_the_budget_one_alarm_and_no_more)
{
	int k;

	world_init(&w, 1, 1, 1);
	w.mirrors[0].rotate_every_s = 3600;
	w.cfg.max_rotations_per_day = 3;
	world_settled(&w);
	world_seconds(&w, 20 * 3600);
	cr_expect_eq(world_count(&w, ACTION_PLAN), 3);
	cr_expect_eq(world_notes(&w, NOTE_ALARM, "budget"), 1);
	/* By hand it goes on. */
	cr_expect_eq(rotate(0, 1), 0);
	world_answer(&w);
	cr_expect_eq(world_steps(&w, 1, "done"), 1);
	/* The budget outlives us. */
	world_mark(&w);
	world_start(&w);
	for (k = 0; k < 60; k++)
		world_seconds(&w, 60);
	cr_expect_eq(world_count(&w, ACTION_PLAN), 0);
	world_seconds(&w, 12 * 3600);
	cr_expect_geq(world_count(&w, ACTION_PLAN), 1);
}

Test(mirror_rotate, a_surplus_candidate_goes_away)
{
	struct onion_record r;

	world_init(&w, 1, 1, 1);
	w.uploads = 0;
	world_start(&w);
	world_seconds(&w, 10);
	r = w.o[1].saved;
	r.id = w.last_id = 2;
	r.address[0] = 'x';
	r.state = ONION_PLANNED;
	w.o[2].known = true;
	w.o[2].saved = r;
	engine_on_planned(w.e, w.now, &r, &w.out);
	world_take(&w);
	w.uploads = 16;
	world_seconds(&w, 10);
	cr_expect_eq(world_state(&w, 1), ONION_FAILED);
	cr_expect(w.o[1].shredded && !w.o[1].in_tor);
	cr_expect_eq(world_state(&w, 2), ONION_LISTED);
}
