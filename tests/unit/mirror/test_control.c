/* SPDX-License-Identifier: BSD-3-Clause */
/* Is it our own side? Control onions, freeze, panic. */
#include "config.h"
#include "world.h"

#include <criterion/criterion.h>

static struct world w;

static void
done(void)
{
	cr_expect_str_eq(w.failure, "");
	world_free(&w);
}

TestSuite(mirror_control, .fini = done);

static void
fail(int from, int to, enum verdict v)
{
	for (; from < to; from++)
		w.verdict[from] = v;
}

Test(mirror_control, is_asked_only_when_half_fail_together)
{
	world_init(&w, 6, 1, 1);
	w.cfg.n_controls = 2;
	world_settled(&w);
	fail(0, 2, VERDICT_REFUSED);
	world_seconds(&w, 600);
	cr_expect_eq(world_count(&w, ACTION_CONTROL), 0, "two of six");
	fail(2, 4, VERDICT_REFUSED);
	world_seconds(&w, 600);
	cr_expect_geq(world_count(&w, ACTION_CONTROL), 1);
	cr_expect_leq(world_count(&w, ACTION_CONTROL), 2, "and not again and again");
}

Test(mirror_control, that_answers_makes_the_failures_real)
{
	const char *why;

	world_init(&w, 6, 1, 1);
	w.cfg.n_controls = 1;
	w.cfg.min_listed = 2;
	world_settled(&w);
	fail(0, 6, VERDICT_REFUSED);
	world_seconds(&w, 1200);
	cr_expect_eq(world_visible(&w), 2, "down to the least, never empty");
	cr_expect(engine_in_panic(w.e, &why));
	cr_expect_eq(world_notes(&w, NOTE_ALARM, "panic"), 1);
	fail(0, 6, VERDICT_OK);
	world_seconds(&w, 3600);
	cr_expect_eq(world_visible(&w), 6);
	cr_expect_not(engine_in_panic(w.e, &why));
	cr_expect_eq(world_notes(&w, NOTE_DECISION, "panic-over"), 1);
}

Test(mirror_control, that_answers_allows_a_takedown_in_bulk_beyond_the_budget)
{
	int k;

	world_init(&w, 6, 1, 1);
	w.cfg.n_controls = 1;
	w.cfg.max_rotations_per_day = 4;
	world_settled(&w);
	for (k = 0; k < 6; k++)
		w.o[world_listed(&w, k)].verdict = VERDICT_INTRO;
	world_seconds(&w, 4 * 3600);
	cr_expect_eq(world_notes(&w, NOTE_DECISION, "takedown"), 6);
	cr_expect_geq(world_notes(&w, NOTE_ALARM, "bulk"), 1, "not without a word");
	cr_expect_eq(world_notes(&w, NOTE_ALARM, "budget"), 0);
	cr_expect_eq(world_visible(&w), 6);
}

Test(mirror_control, that_does_not_answer_in_two_tries_freezes_until_one_does)
{
	int k;

	world_init(&w, 6, 1, 1);
	w.cfg.n_controls = 1;
	world_settled(&w);
	w.control_dead[0] = true;
	for (k = 0; k < 6; k++)
		w.o[world_listed(&w, k)].verdict = VERDICT_INTRO;
	world_seconds(&w, 6 * 3600);
	cr_expect_eq(world_visible(&w), 6);
	cr_expect_eq(w.published, 0);
	cr_expect_eq(world_count(&w, ACTION_PLAN), 0);
	cr_expect_eq(world_notes(&w, NOTE_ALARM, "unfit"), 1, "said once");
	cr_expect(engine_tor_silent(w.e, 0));
	cr_expect_eq(world_view(&w, 0).state, MIRROR_INCONCLUSIVE);
	cr_expect_geq(world_count(&w, ACTION_CONTROL), 100, "and asked until it answers");
	/* The network is back: nobody is punished for what was seen before. */
	w.control_dead[0] = false;
	for (k = 0; k < 6; k++)
		w.o[world_listed(&w, k)].verdict = VERDICT_OK;
	world_seconds(&w, 60);
	cr_expect_not(engine_tor_silent(w.e, 0));
	for (k = 0; k < 6; k++)
		cr_expect_eq(world_view(&w, k).state, MIRROR_UP, "%d", k);
	cr_expect_eq(w.published, 0);
}

Test(mirror_control, that_is_gone_for_good_does_not_freeze_longer_than_the_trouble)
{
	world_init(&w, 4, 1, 1);
	w.cfg.n_controls = 1;
	world_settled(&w);
	w.control_dead[0] = true;
	fail(0, 3, VERDICT_TIMEOUT);
	world_seconds(&w, 1200);
	cr_expect(engine_tor_silent(w.e, 0));
	fail(0, 3, VERDICT_OK);
	world_seconds(&w, 120);
	cr_expect_not(engine_tor_silent(w.e, 0));
	cr_expect_eq(world_view(&w, 0).state, MIRROR_UP);
}

Test(mirror_control, is_one_of_ours_on_another_tor_when_that_one_is_well)
{
	size_t i;
	int k;

	world_init(&w, 4, 2, 1); /* m0 and m2 on tor0, m1 and m3 on tor1 */
	world_settled(&w);
	/* tor0 sees nothing any more, and does not know it. */
	for (k = 0; k < 4; k++)
		w.o[world_listed(&w, k)].seen[0] = VERDICT_TIMEOUT;
	w.control_dead[0] = true;
	world_seconds(&w, 3600);
	for (i = 0; i < w.log.n; i++)
		if (w.log.v[i].kind == ACTION_CONTROL) {
			cr_expect_eq(w.log.v[i].through, 0);
			cr_expect(w.log.v[i].onion == 2 || w.log.v[i].onion == 4);
		}
	cr_expect_geq(world_count(&w, ACTION_CONTROL), 2);
	cr_expect(engine_tor_silent(w.e, 0) && !engine_tor_silent(w.e, 1));
	cr_expect_eq(world_visible(&w), 4);
	/* What the other tor judges goes on being judged. */
	w.verdict[1] = VERDICT_REFUSED;
	world_seconds(&w, 1200);
	cr_expect_eq(world_visible(&w), 3);
}

Test(mirror_control, before_it_answered_nothing_is_done)
{
	world_init(&w, 4, 1, 1);
	w.cfg.n_controls = 1;
	world_settled(&w);
	w.deaf = 1u << ACTION_CONTROL;
	fail(0, 2, VERDICT_REFUSED);
	world_seconds(&w, 3600);
	cr_expect_eq(world_pending(&w, ACTION_CONTROL), 1);
	cr_expect_eq(world_visible(&w), 4);
	w.deaf = 0;
	world_seconds(&w, 10);
	cr_expect_eq(world_visible(&w), 2);
}

Test(mirror_control, an_answer_that_nobody_waits_for_changes_nothing)
{
	world_init(&w, 4, 1, 1);
	w.cfg.n_controls = 1;
	world_settled(&w);
	engine_on_control(w.e, w.now, 0, false, &w.out);
	engine_on_control(w.e, w.now, 0, false, &w.out);
	engine_on_control(w.e, w.now, 7, false, &w.out);
	world_take(&w);
	cr_expect_not(engine_tor_silent(w.e, 0));
}
