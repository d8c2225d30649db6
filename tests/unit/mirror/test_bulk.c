/* SPDX-License-Identifier: BSD-3-Clause */
/* Many addresses that are taken down together: how many at a time, in which order, how often. */
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

TestSuite(mirror_bulk, .fini = done);

static void
take_down(int from, int to)
{
	for (; from < to; from++)
		w.o[world_listed(&w, from)].verdict = VERDICT_INTRO;
}

static unsigned
plans(enum onion_cause cause)
{
	unsigned n = 0;
	size_t i;

	for (i = 0; i < w.log.n; i++)
		n += w.log.v[i].kind == ACTION_PLAN && w.log.v[i].cause == cause;
	return n;
}

Test(mirror_bulk, replaces_half_of_the_list_side_by_side)
{
	int64_t s = 0;

	world_init(&w, 12, 2, 1);
	world_settled(&w);
	world_mark(&w);
	take_down(0, 6);
	while (plans(CAUSE_BULK) == 0 && s++ < 1200)
		world_seconds(&w, 1);
	world_seconds(&w, 180);
	cr_expect_eq(plans(CAUSE_BULK) + plans(CAUSE_TAKEDOWN), 6, "%u and %u", plans(CAUSE_BULK), plans(CAUSE_TAKEDOWN));
	cr_expect_eq(world_visible(&w), 12, "within three minutes from the first");
	cr_expect_eq(world_notes(&w, NOTE_ALARM, "bulk"), 1);
}

Test(mirror_bulk, is_not_two_of_them)
{
	world_init(&w, 12, 2, 1);
	world_settled(&w);
	take_down(0, 2);
	world_seconds(&w, 3600);
	cr_expect_eq(plans(CAUSE_BULK), 0);
	cr_expect_eq(plans(CAUSE_TAKEDOWN), 2);
}

Test(mirror_bulk, needs_a_control_that_answers_when_more_than_half_fail)
{
	world_init(&w, 12, 1, 1);
	world_settled(&w);
	take_down(0, 8);
	world_seconds(&w, 3600);
	cr_expect_eq(plans(CAUSE_BULK) + plans(CAUSE_TAKEDOWN), 0);
	cr_expect_eq(world_visible(&w), 12);
	cr_expect_geq(world_notes(&w, NOTE_ALARM, "panic"), 1);
}

Test(mirror_bulk, plans_no_more_than_five_at_a_time_on_a_tor)
{
	world_init(&w, 12, 1, 1);
	w.cfg.n_controls = 1;
	world_settled(&w);
	world_mark(&w);
	take_down(0, 9);
	w.uploads = 0; /* nothing comes further */
	while (plans(CAUSE_BULK) == 0)
		world_seconds(&w, 1);
	world_seconds(&w, 240); /* until all nine are told; a candidate without uploads fails after six minutes */
	/* The first one may have been alone still. */
	cr_expect_eq(plans(CAUSE_BULK) + plans(CAUSE_TAKEDOWN), 5);
	w.uploads = 16;
	world_seconds(&w, 3600);
	cr_expect_eq(world_visible(&w), 12);
}

Test(mirror_bulk, begins_with_those_that_no_reader_is_sent_to)
{
	uint64_t first = 0;
	size_t i;
	int k;

	world_init(&w, 12, 1, 1);
	w.cfg.n_controls = 1;
	w.cfg.min_listed = 6; /* three of those that fail stay in */
	world_settled(&w);
	take_down(0, 9);
	world_mark(&w);
	w.deaf = 1u << ACTION_PLAN;
	world_seconds(&w, 1200);
	for (i = 0; i < w.log.n; i++) {
		if (w.log.v[i].kind != ACTION_PLAN || first++ >= 5)
			continue;
		k = w.log.v[i].mirror;
		cr_expect_eq(world_view(&w, k).listed, 0, "m%d is still in the list", k);
	}
	cr_expect_eq(first, 5);
}

Test(mirror_bulk, of_one_mirror_is_three_a_day_and_then_the_budget_counts)
{
	int i;

	world_init(&w, 6, 1, 1);
	w.cfg.n_controls = 1;
	w.cfg.max_rotations_per_day = 0;
	world_settled(&w);
	world_mark(&w);
	for (i = 0; i < 36; i++) { /* whatever is listed is taken down again */
		int k;

		for (k = 0; k < 3; k++)
			if (world_listed(&w, k) != 0)
				w.o[world_listed(&w, k)].verdict = VERDICT_INTRO;
		world_seconds(&w, 1200);
	}
	cr_expect_eq(plans(CAUSE_BULK), 9);
	cr_expect_eq(plans(CAUSE_TAKEDOWN), 0);
	cr_expect_geq(world_notes(&w, NOTE_ALARM, "budget"), 3);
}
