/* SPDX-License-Identifier: BSD-3-Clause */
/* Spares: proved, and in the list only while they are needed. */
#include "config.h"
#include "world.h"

#include <criterion/criterion.h>

static struct world w;

static void
done(void)
{
	world_free(&w);
}

TestSuite(mirror_spare, .fini = done);

static void
start_spare(size_t n)
{
	world_init(&w, n, 1, 1);
	w.mirrors[n - 1].spare = true;
	world_settled(&w);
}

Test(mirror_spare, a_spare_stays_out_while_most_fail_together)
{
	int i;

	world_init(&w, 4, 1, 1);
	w.mirrors[3].spare = true;
	world_settled(&w);
	for (i = 0; i < 3; i++)
		w.verdict[i] = VERDICT_TIMEOUT;
	world_seconds(&w, 1800);
	cr_expect_eq(w.published, 0);
	cr_expect_not(w.o[4].visible);
}

Test(mirror_spare, a_spare_is_proved_and_kept_out_of_the_list_and_proved_anew)
{
	start_spare(3);
	cr_expect_eq(world_visible(&w), 2);
	cr_expect_eq(world_state(&w, 3), ONION_READY);
	cr_expect_eq(world_view(&w, 2).state, MIRROR_SPARE);
	world_mark(&w);
	world_seconds(&w, 3600);
	cr_expect_eq(world_state(&w, 3), ONION_READY);
	cr_expect_geq(world_count_of(&w, ACTION_PROBE, 3), 2 * 10, "%u", world_count_of(&w, ACTION_PROBE, 3));
	cr_expect_eq(w.published, 0);
	cr_expect_eq(world_count(&w, ACTION_PLAN), 0);
}

Test(mirror_spare, a_spare_comes_in_when_a_mirror_goes_out_and_leaves_after_a_while_without_tombstone)
{
	start_spare(3);
	w.verdict[0] = w.check[0] = VERDICT_REFUSED;
	world_seconds(&w, 900);
	cr_expect_eq(world_view(&w, 0).state, MIRROR_DOWN);
	cr_expect_eq(world_visible(&w), 2);
	cr_expect_eq(world_listed(&w, 2), 3);
	w.verdict[0] = w.check[0] = VERDICT_OK;
	world_seconds(&w, 1800);
	cr_expect_eq(world_visible(&w), 3, "both for a while");
	world_seconds(&w, 2 * 1800);
	cr_expect_eq(world_visible(&w), 2);
	cr_expect_eq(world_view(&w, 2).state, MIRROR_SPARE);
	cr_expect_eq(world_state(&w, 3), ONION_LISTED);
	cr_expect_not(world_is_tombstone(&w, 3));
	/* And again, at once. */
	cr_expect_eq(world_maint(&w, 0, true, 1), 0);
	world_answer(&w);
	cr_expect_eq(world_listed(&w, 2), 3);
	cr_expect_eq(world_visible(&w), 2);
}

Test(mirror_spare, a_spare_lets_one_out_that_min_listed_kept_in)
{
	start_spare(3);
	w.cfg.min_listed = 2;
	world_reconfigure(&w);
	w.verdict[0] = w.check[0] = VERDICT_REFUSED;
	world_seconds(&w, 1200);
	cr_expect_eq(world_visible(&w), 2);
	cr_expect_not(w.o[1].visible);
	cr_expect(w.o[3].visible);
}

Test(mirror_spare, a_spare_with_a_dead_backend_keeps_its_address_and_one_taken_down_gets_another)
{
	start_spare(3);
	w.verdict[2] = VERDICT_REFUSED;
	world_seconds(&w, 4 * 3600);
	cr_expect_eq(world_count(&w, ACTION_PLAN), 0, "a new address would not help");
	w.verdict[2] = VERDICT_OK;
	world_seconds(&w, 600);
	cr_expect_eq(world_view(&w, 2).state, MIRROR_SPARE);
	w.o[3].verdict = VERDICT_INTRO;
	world_seconds(&w, 3600);
	cr_expect_geq(world_count(&w, ACTION_PLAN), 1);
	cr_expect_eq(world_view(&w, 2).state, MIRROR_SPARE);
}

Test(mirror_spare, a_new_address_that_a_spare_keeps_ready_is_no_rotation_that_another_waits_for)
{
	int i;

	world_init(&w, 5, 1, 1);
	w.mirrors[3].spare = w.mirrors[4].spare = true;
	world_settled(&w);
	for (i = 0; i < 2; i++)
		cr_expect_eq(world_maint(&w, i, true, 1 + (uint64_t)i), 0);
	world_seconds(&w, 900);
	for (i = 0; i < 2; i++)
		cr_expect_eq(world_maint(&w, i, false, 3 + (uint64_t)i), 0);
	world_seconds(&w, 3 * 3600);
	for (i = 3; i < 5; i++) {
		cr_expect_eq(world_state(&w, (uint64_t)i + 1), ONION_LISTED);
		cr_expect_eq(world_view(&w, i).state, MIRROR_SPARE);
		w.o[i + 1].verdict = VERDICT_INTRO;
	}
	world_seconds(&w, 3 * 3600);
	cr_expect_eq(world_notes(&w, NOTE_DECISION, "takedown"), 2);
	for (i = 3; i < 5; i++)
		cr_expect_eq(world_view(&w, i).state, MIRROR_SPARE);
}

Test(mirror_spare, a_spare_that_is_listed_stays_so_over_a_restart)
{
	start_spare(3);
	cr_expect_eq(world_maint(&w, 0, true, 1), 0);
	world_answer(&w);
	cr_expect_eq(world_listed(&w, 2), 3);
	world_start(&w);
	world_mark(&w);
	world_seconds(&w, 3600);
	cr_expect_eq(world_listed(&w, 2), 3);
	cr_expect_eq(world_visible(&w), 2);
}
