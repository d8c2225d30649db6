/* SPDX-License-Identifier: BSD-3-Clause */
/* Rise and fall, delisting, panic, and our own side not fit to judge. */
#include "config.h"
#include "world.h"

#include <criterion/criterion.h>

static struct world w;

static void
done(void)
{
	world_free(&w);
}

TestSuite(mirror_health, .fini = done);

Test(mirror_health, fall_failures_in_a_row_take_it_out_and_rise_successes_bring_it_back)
{
	world_init(&w, 4, 1, 1);
	world_settled(&w);
	w.verdict[1] = VERDICT_REFUSED;
	world_seconds(&w, 380 + 2 * 60);
	cr_expect_eq(world_view(&w, 1).state, MIRROR_SUSPECT);
	cr_expect_eq(world_visible(&w), 4);
	world_seconds(&w, 5 * 66);
	cr_expect_eq(world_view(&w, 1).state, MIRROR_DOWN);
	cr_expect_eq(world_visible(&w), 3);
	cr_expect_eq(w.published, 1);
	cr_expect_eq(world_state(&w, 2), ONION_LISTED, "out of the list, not retired");
	/* Much later, and its address the same. */
	world_seconds(&w, 4 * 3600);
	cr_expect_eq(w.published, 1);
	w.verdict[1] = VERDICT_OK;
	world_seconds(&w, 40 * 60);
	cr_expect_eq(world_view(&w, 1).state, MIRROR_UP);
	cr_expect_eq(world_listed(&w, 1), 2);
	cr_expect_eq(world_visible(&w), 4);
	cr_expect_eq(world_count(&w, ACTION_PLAN) + world_count(&w, ACTION_DEL_ONION), 0);
}

Test(mirror_health, one_success_between_starts_the_count_anew)
{
	int k;

	world_init(&w, 3, 1, 1);
	world_settled(&w);
	for (k = 0; k < 8; k++) {
		w.verdict[1] = VERDICT_REFUSED;
		while (world_view(&w, 1).fall < 5)
			world_seconds(&w, 1);
		w.verdict[1] = VERDICT_OK;
		while (world_view(&w, 1).fall != 0)
			world_seconds(&w, 1);
	}
	cr_expect_eq(w.published, 0);
}

Test(mirror_health, a_first_failure_asks_tor_the_backend_and_the_hsdirs)
{
	size_t i;

	world_init(&w, 3, 1, 1);
	world_settled(&w);
	w.verdict[0] = VERDICT_NO_DESCRIPTOR;
	while (world_view(&w, 0).fall < 2)
		world_seconds(&w, 1);
	cr_expect_eq(world_count(&w, ACTION_COMPARE), 1);
	cr_expect_geq(world_count(&w, ACTION_CHECK), 1);
	for (i = w.log.n; i-- > 0;)
		if (w.log.v[i].kind == ACTION_PROBE && w.log.v[i].mirror == 0)
			break;
	cr_expect(w.log.v[i].fresh, "the probe after the first failure fetches the descriptor anew");
}

Test(mirror_health, a_mirror_that_is_down_is_probed_more_and_more_slowly)
{
	unsigned n;

	world_init(&w, 3, 1, 1);
	world_settled(&w);
	w.verdict[0] = VERDICT_REFUSED;
	world_seconds(&w, 6 * 3600);
	world_mark(&w);
	world_seconds(&w, 6 * 3600);
	n = world_count_of(&w, ACTION_PROBE, 1);
	cr_expect_geq(n, 10);
	cr_expect_leq(n, 14);
}

Test(mirror_health, busy_is_not_down)
{
	world_init(&w, 3, 1, 1);
	world_settled(&w);
	w.verdict[0] = VERDICT_BUSY;
	world_seconds(&w, 6 * 3600);
	cr_expect_eq(world_view(&w, 0).state, MIRROR_BUSY);
	cr_expect_eq(world_view(&w, 0).order, 1, "readers are sent to the others first");
	cr_expect_eq(world_notes(&w, NOTE_ALARM, "overload"), 1);
	cr_expect_eq(w.published, 0);
	w.verdict[0] = VERDICT_OK;
	world_seconds(&w, 400);
	cr_expect_eq(world_view(&w, 0).state, MIRROR_UP);
	cr_expect_eq(world_view(&w, 0).order, 0);
}

Test(mirror_health, wrong_content_alarms_once_and_is_out_at_once)
{
	world_init(&w, 3, 1, 1);
	world_settled(&w);
	w.verdict[0] = VERDICT_CONTENT;
	while (world_view(&w, 0).fall < 1)
		world_seconds(&w, 1);
	world_seconds(&w, 1);
	cr_expect_eq(world_visible(&w), 2);
	world_seconds(&w, 3600);
	cr_expect_eq(world_notes(&w, NOTE_ALARM, "content"), 1);
	cr_expect_eq(world_visible(&w), 2);
	w.verdict[0] = VERDICT_OK;
	world_seconds(&w, 40 * 60);
	cr_expect_eq(world_visible(&w), 3);
}

Test(mirror_health, the_end_of_a_panic_is_seen_soon)
{
	int k;

	world_init(&w, 5, 1, 1);
	world_settled(&w);
	for (k = 0; k < 5; k++)
		w.verdict[k] = VERDICT_TIMEOUT;
	world_seconds(&w, 6 * 3600);
	cr_expect_eq(world_visible(&w), 5);
	for (k = 0; k < 5; k++)
		w.verdict[k] = VERDICT_OK;
	world_seconds(&w, 70);
	for (k = 0; k < 5; k++)
		cr_expect_eq(world_view(&w, k).state, MIRROR_UP, "%d", k);
}

Test(mirror_health, no_more_than_eight_probes_at_a_time_through_one_tor_and_nobody_starves)
{
	int k;

	world_init(&w, 12, 1, 1);
	world_settled(&w);
	w.deaf = 1u << ACTION_PROBE;
	world_seconds(&w, 3600);
	cr_expect_eq(world_pending(&w, ACTION_PROBE), 8);
	world_mark(&w);
	w.deaf = 0;
	world_seconds(&w, 60);
	for (k = 0; k < 12; k++)
		cr_expect_lt(w.now.wall - world_view(&w, k).last_probe, 61, "%d", k);
}

Test(mirror_health, more_than_half_failing_together_keeps_the_list)
{
	const char *why;

	world_init(&w, 5, 1, 1);
	world_settled(&w);
	w.verdict[0] = w.verdict[1] = w.verdict[2] = VERDICT_TIMEOUT;
	world_seconds(&w, 5 * 3600);
	cr_expect_eq(world_visible(&w), 5);
	cr_expect_eq(w.published, 0);
	cr_expect(engine_in_panic(w.e, &why));
	cr_expect_eq(world_notes(&w, NOTE_ALARM, "panic"), 1);
	cr_expect_eq(world_count(&w, ACTION_PLAN), 0, "and nothing is rotated");
	w.verdict[0] = w.verdict[1] = w.verdict[2] = VERDICT_OK;
	world_seconds(&w, 3600);
	cr_expect_not(engine_in_panic(w.e, &why));
	cr_expect_eq(world_notes(&w, NOTE_DECISION, "panic-over"), 1);
}

Test(mirror_health, min_listed_stays_even_while_a_publication_is_under_way)
{
	int k;

	world_init(&w, 5, 1, 1);
	w.cfg.min_listed = 4;
	world_settled(&w);
	w.deaf = 1u << ACTION_PUBLISH;
	w.verdict[0] = VERDICT_REFUSED;
	world_seconds(&w, 3600);
	w.verdict[1] = VERDICT_REFUSED;
	world_seconds(&w, 3600);
	w.deaf = 0;
	for (k = 0; k < 4; k++) {
		world_seconds(&w, 3600);
		cr_expect_eq(world_visible(&w), 4);
	}
	cr_expect_eq(world_view(&w, 1).state, MIRROR_DOWN, "shown as down, and yet kept");
	cr_expect_neq(world_listed(&w, 1), 0);
}

Test(mirror_health, the_last_address_in_the_list_goes_when_a_proved_one_waits_to_come)
{
	world_init(&w, 2, 1, 1);
	world_settled(&w);
	w.deaf = 1u << ACTION_PLAN;
	w.o[1].verdict = VERDICT_NO_DESCRIPTOR;
	while (world_count(&w, ACTION_PLAN) == 0)
		world_seconds(&w, 1);
	cr_assert_eq(world_visible(&w), 1);
	/* Tor restarts, and now the other one is taken down too: to be proved again, it holds back the list. */
	world_lose_tor(&w, 0, true);
	w.o[2].verdict = VERDICT_NO_DESCRIPTOR;
	w.deaf = 0;
	world_compare(&w, 0);
	world_fit(&w, 0, true);
	world_seconds(&w, 2 * 3600);
	cr_expect_eq(world_listed(&w, 0), 3);
	cr_expect_eq(world_listed(&w, 1), 4, "and it gets a new address in its turn");
	cr_expect_eq(world_visible(&w), 2);
}

Test(mirror_health, the_list_is_never_empty)
{
	world_init(&w, 1, 1, 1);
	w.cfg.min_listed = 0;
	w.check[0] = VERDICT_REFUSED;
	world_settled(&w);
	w.verdict[0] = VERDICT_REFUSED;
	world_seconds(&w, 24 * 3600);
	cr_expect_eq(world_visible(&w), 1);
	cr_expect_gt(w.published, 0, "it is renewed all the same");
}

Test(mirror_health, unfit_freezes_everything)
{
	world_init(&w, 3, 1, 1);
	w.mirrors[2].rotate_every_s = 7200;
	w.check[0] = VERDICT_REFUSED;
	world_settled(&w);
	world_fit(&w, 0, false);
	w.verdict[0] = VERDICT_INTRO;
	world_seconds(&w, 24 * 3600);
	cr_expect_eq(world_view(&w, 0).state, MIRROR_INCONCLUSIVE);
	cr_expect_eq(world_view(&w, 0).fall, 0);
	cr_expect_eq(world_view(&w, 0).last, VERDICT_INCONCLUSIVE);
	cr_expect_eq(world_count(&w, ACTION_PLAN), 0);
	cr_expect_eq(world_visible(&w), 3);
	cr_expect_eq(world_notes(&w, NOTE_ALARM, "unfit"), 1);
	world_fit(&w, 0, true);
	world_seconds(&w, 1800);
	cr_expect_eq(world_view(&w, 0).state, MIRROR_DOWN);
	cr_expect_neq(world_count(&w, ACTION_PLAN), 0, "and then by age");
}

Test(mirror_health, deadlines_stand_still_while_unfit)
{
	world_init(&w, 1, 1, 1);
	w.verdict[0] = VERDICT_TIMEOUT;
	world_start(&w);
	world_seconds(&w, 300);
	cr_expect_eq(world_state(&w, 1), ONION_PROVING);
	world_fit(&w, 0, false);
	world_seconds(&w, 7200);
	cr_expect_eq(world_state(&w, 1), ONION_PROVING);
	world_fit(&w, 0, true);
	world_seconds(&w, 295);
	cr_expect_eq(world_state(&w, 1), ONION_PROVING);
	world_seconds(&w, 10);
	cr_expect_eq(world_state(&w, 1), ONION_FAILED);
}

Test(mirror_health, a_deadline_that_begins_while_unfit_is_not_longer_for_it)
{
	world_init(&w, 1, 1, 1);
	w.uploads = 0;
	world_boot(&w);
	world_seconds(&w, 7200);
	world_compare(&w, 0);
	world_seconds(&w, 10);
	cr_expect_eq(world_state(&w, 1), ONION_UPLOADING);
	world_fit(&w, 0, true);
	world_seconds(&w, 122);
	cr_expect_eq(world_count_of(&w, ACTION_ADD_ONION, 1), 2);
}

Test(mirror_health, a_probe_by_hand_ends_done_or_failed)
{
	struct err err = ERR_INIT;

	world_init(&w, 2, 1, 1);
	world_settled(&w);
	cr_expect_eq(engine_probe(w.e, w.now, 0, 7, &w.out, &err), 0);
	world_take(&w);
	cr_expect_eq(engine_probe(w.e, w.now, 0, 8, &w.out, &err), -1);
	cr_expect_eq(err.code, ERR_REFUSED);
	world_answer(&w);
	cr_expect(world_steps(&w, 7, "probed") == 1 && world_steps(&w, 7, "done") == 1 && world_steps(&w, 7, "failed") == 0);
	w.verdict[0] = VERDICT_INTRO;
	cr_expect_eq(engine_probe(w.e, w.now, 0, 9, &w.out, &err), 0);
	world_take(&w);
	world_answer(&w);
	cr_expect(world_steps(&w, 9, "failed") == 1 && world_steps(&w, 9, "done") == 0);
	err_clear(&err);
	cr_expect_eq(engine_probe(w.e, w.now, 5, 10, &w.out, &err), -1);
	cr_expect_eq(err.code, ERR_NOTFOUND);
	/* Its tor goes away before it answers. */
	w.deaf = 1u << ACTION_PROBE;
	cr_expect_eq(engine_probe(w.e, w.now, 1, 11, &w.out, &err), 0);
	world_take(&w);
	world_lose_tor(&w, 0, true);
	cr_expect_eq(world_steps(&w, 11, "failed"), 1);
	cr_expect_eq(engine_probe(w.e, w.now, 1, 12, &w.out, &err), -1);
}

Test(mirror_health, a_vantage_that_said_nothing_beside_the_other_counts_anew_when_it_is_the_only_one)
{
	world_init(&w, 3, 2, 1);
	w.mirrors[0].probe_through = 1;
	world_settled(&w);
	w.o[1].seen[0] = w.check[0] = VERDICT_TIMEOUT;
	world_seconds(&w, 3600);
	cr_expect_eq(world_notes(&w, NOTE_ALARM, "blind"), 1);
	cr_expect_eq(world_visible(&w), 3);
	w.mirrors[0].probe_through = -1;
	world_reconfigure(&w);
	world_answer(&w);
	cr_expect_eq(world_visible(&w), 3, "not for what failed before");
	world_seconds(&w, 1200);
	cr_expect_eq(world_visible(&w), 2);
}
