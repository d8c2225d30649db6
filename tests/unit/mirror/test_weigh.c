/* SPDX-License-Identifier: BSD-3-Clause */
/* Flapping, relapses, back-off, overload, old and wrong content. */
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

TestSuite(mirror_weigh, .fini = done);

/* Waits for `n` more probes of onion 1, which say v. */
static void
probes(unsigned n, enum verdict v)
{
	unsigned from = world_count_of(&w, ACTION_PROBE, 1);

	w.o[1].verdict = (int)v;
	while (world_count_of(&w, ACTION_PROBE, 1) < from + n)
		world_seconds(&w, 1);
}

Test(mirror_weigh, four_of_the_last_eight_with_answers_in_between_is_flapping)
{
	int k;

	world_init(&w, 3, 1, 1);
	world_settled(&w);
	for (k = 0; k < 3; k++) {
		probes(1, VERDICT_REFUSED);
		probes(1, VERDICT_OK);
	}
	cr_expect_eq(world_visible(&w), 3, "three of eight");
	probes(1, VERDICT_REFUSED);
	world_answer(&w);
	cr_expect_eq(world_visible(&w), 2);
	cr_expect(world_view(&w, 0).flapping);
	/* It comes back when the window is clear, not before. */
	probes(7, VERDICT_OK);
	cr_expect_eq(world_visible(&w), 2);
	probes(1, VERDICT_OK);
	world_answer(&w);
	cr_expect_eq(world_visible(&w), 3);
	cr_expect_not(world_view(&w, 0).flapping);
}

Test(mirror_weigh, four_failures_in_a_row_are_no_flapping)
{
	world_init(&w, 3, 1, 1);
	world_settled(&w);
	probes(5, VERDICT_INTRO);
	probes(2, VERDICT_OK);
	probes(5, VERDICT_INTRO);
	world_answer(&w);
	cr_expect_eq(world_visible(&w), 3);
}

Test(mirror_weigh, a_mirror_that_comes_and_goes_does_not_make_the_list_come_and_go)
{
	int k;

	world_init(&w, 3, 1, 1);
	world_settled(&w);
	for (k = 0; k < 40; k++) { /* 40 times down for ten minutes, up for ten: 13 hours */
		w.o[1].verdict = VERDICT_REFUSED;
		world_seconds(&w, 600);
		w.o[1].verdict = VERDICT_OK;
		world_seconds(&w, 600);
	}
	cr_expect_leq(w.published, 10, "%u lists", w.published);
	world_seconds(&w, 2 * 3600);
	cr_expect_eq(world_visible(&w), 3);
	/* After an hour of calm it is taken as any other. */
	probes(6, VERDICT_REFUSED);
	world_answer(&w);
	cr_expect_eq(world_visible(&w), 2);
	probes(2, VERDICT_OK);
	world_answer(&w);
	cr_expect_eq(world_visible(&w), 3);
}

Test(mirror_weigh, retries_are_sixty_to_seventy_seconds_apart)
{
	int64_t last = 0;
	unsigned n = 0;

	world_init(&w, 3, 1, 1);
	world_settled(&w);
	w.o[1].verdict = VERDICT_REFUSED;
	while (n < 6) {
		unsigned was = world_count_of(&w, ACTION_PROBE, 1);

		world_advance(&w, 100);
		if (world_count_of(&w, ACTION_PROBE, 1) == was)
			continue;
		if (n++ > 0)
			cr_expect(w.now.mono - last >= 59900 && w.now.mono - last <= 70200, "%lld ms", (long long)(w.now.mono - last));
		last = w.now.mono;
	}
}

Test(mirror_weigh, the_first_answer_after_being_down_brings_back_the_pace_of_a_change)
{
	unsigned n;

	world_init(&w, 3, 1, 1);
	world_settled(&w);
	w.o[1].verdict = VERDICT_REFUSED;
	world_seconds(&w, 6 * 3600);
	n = world_count_of(&w, ACTION_PROBE, 1);
	world_seconds(&w, 3000);
	cr_expect_leq(world_count_of(&w, ACTION_PROBE, 1) - n, 2, "every half an hour");
	probes(1, VERDICT_OK);
	cr_expect_eq(world_visible(&w), 2);
	n = world_count_of(&w, ACTION_PROBE, 1);
	world_seconds(&w, 72);
	cr_expect_eq(world_count_of(&w, ACTION_PROBE, 1) - n, 1);
	cr_expect_eq(world_visible(&w), 3);
}

Test(mirror_weigh, what_fails_through_one_of_two_tors_is_no_reason_to_hurry_in_maintenance_either)
{
	struct err e = ERR_INIT;

	world_init(&w, 2, 2, 1);
	w.mirrors[0].probe_through = 1;
	world_settled(&w);
	cr_assert_eq(engine_maint(w.e, w.now, 0, true, 1, &w.out, &e), 0);
	world_take(&w);
	w.o[1].seen[0] = VERDICT_INTRO;
	w.o[1].seen[1] = VERDICT_TIMEOUT;
	world_lose_tor(&w, 0, true);
	world_compare(&w, 0);
	world_fit(&w, 0, true);
	world_mark(&w);
	world_seconds(&w, 600);
	cr_expect_leq(world_count_of(&w, ACTION_PROBE, 1), 24, "%u", world_count_of(&w, ACTION_PROBE, 1));
	w.o[1].seen[1] = VERDICT_OK;
	world_seconds(&w, 2 * 3600);
	cr_expect(w.o[1].saved.proved, "the other tor reaches it");
}

Test(mirror_weigh, a_descriptor_is_fetched_anew_every_half_hour_when_all_is_well)
{
	unsigned fresh = 0;
	size_t i;

	world_init(&w, 3, 1, 1);
	world_settled(&w);
	world_seconds(&w, 10 * 3600);
	for (i = 0; i < w.log.n; i++)
		fresh += w.log.v[i].kind == ACTION_PROBE && w.log.v[i].onion == 1 && w.log.v[i].fresh;
	cr_expect(fresh >= 14 && fresh <= 20, "%u", fresh);
}

Test(mirror_weigh, old_content_takes_a_mirror_out_after_a_while_and_marks_a_replica)
{
	world_init(&w, 3, 1, 1);
	w.mirrors[0].stale_after_ms = w.mirrors[1].stale_after_ms = 3600000;
	w.mirrors[1].role = ROLE_REPLICA;
	world_settled(&w);
	w.verdict[0] = w.verdict[1] = w.verdict[2] = VERDICT_STALE; /* the third one has no limit */
	world_seconds(&w, 3500);
	cr_expect_eq(world_visible(&w), 3);
	cr_expect(world_view(&w, 0).stale && world_view(&w, 0).order == 1);
	world_seconds(&w, 600);
	cr_expect_eq(world_visible(&w), 2);
	cr_expect_eq(world_view(&w, 0).state, MIRROR_DOWN);
	cr_expect_eq(world_view(&w, 1).state, MIRROR_UP);
	cr_expect(world_view(&w, 1).stale);
	world_seconds(&w, 7200);
	cr_expect_eq(world_visible(&w), 2);
	cr_expect_eq(world_count(&w, ACTION_PLAN), 0);
	w.verdict[0] = w.verdict[1] = VERDICT_OK;
	world_seconds(&w, 1000);
	cr_expect_eq(world_visible(&w), 3);
	cr_expect_not(world_view(&w, 1).stale);
}

Test(mirror_weigh, wrong_content_twice_in_a_row_asks_for_a_revocation_where_that_is_wanted)
{
	world_init(&w, 4, 1, 1);
	w.mirrors[0].revoke_on_content = true;
	world_settled(&w);
	probes(1, VERDICT_CONTENT);
	world_answer(&w);
	cr_expect_eq(world_visible(&w), 3, "out at once");
	probes(1, VERDICT_OK);
	cr_expect_eq(world_notes(&w, NOTE_DECISION, "revoke"), 0, "once is not enough");
	probes(2, VERDICT_CONTENT);
	world_answer(&w);
	cr_expect_eq(world_notes(&w, NOTE_DECISION, "revoke"), 1);
	w.o[2].verdict = VERDICT_CONTENT;
	world_seconds(&w, 3600);
	cr_expect_eq(world_notes(&w, NOTE_DECISION, "revoke"), 1, "the second one does not want it");
	cr_expect_eq(world_notes(&w, NOTE_ALARM, "content"), 3);
}

Test(mirror_weigh, a_backend_that_is_down_gets_no_new_address)
{
	world_init(&w, 3, 1, 1);
	world_settled(&w);
	w.check[0] = VERDICT_REFUSED;
	w.o[1].verdict = VERDICT_TIMEOUT;
	world_seconds(&w, 3600);
	cr_expect_eq(world_visible(&w), 2);
	w.o[1].verdict = VERDICT_NO_DESCRIPTOR;
	world_seconds(&w, 3 * 3600);
	cr_expect_eq(world_count(&w, ACTION_PLAN), 0);
}
