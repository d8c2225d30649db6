/* SPDX-License-Identifier: BSD-3-Clause */
/* From nothing to a listed onion: planning, pacing, uploads, proving, the first list. */
#include "config.h"
#include "world.h"

#include <criterion/criterion.h>

static struct world w;

static void
done(void)
{
	world_free(&w);
}

TestSuite(mirror_start, .fini = done);

Test(mirror_start, plans_one_onion_for_each_mirror)
{
	int seen[3] = { 0 };
	size_t i;

	world_init(&w, 3, 1, 1);
	w.deaf = 1u << ACTION_PLAN;
	world_start(&w);
	world_seconds(&w, 3600);
	cr_expect_eq(world_count(&w, ACTION_PLAN), 3);
	for (i = 0; i < w.log.n; i++)
		if (w.log.v[i].kind == ACTION_PLAN) {
			seen[w.log.v[i].mirror]++;
			cr_expect_eq(w.log.v[i].cause, CAUSE_START);
		}
	cr_expect(seen[0] == 1 && seen[1] == 1 && seen[2] == 1);
	cr_expect_eq(world_view(&w, 0).state, MIRROR_STARTING);
}

Test(mirror_start, sends_nothing_before_the_set_of_tor_is_known)
{
	world_init(&w, 2, 1, 1);
	world_boot(&w);
	world_seconds(&w, 600);
	cr_expect_eq(world_count(&w, ACTION_PLAN), 2);
	cr_expect_eq(world_count(&w, ACTION_ADD_ONION), 0);
	world_compare(&w, 0);
	cr_expect_eq(world_count(&w, ACTION_ADD_ONION), 2);
}

Test(mirror_start, adds_at_most_five_at_a_time_to_each_tor)
{
	int k;

	world_init(&w, 12, 1, 1);
	w.uploads = 0;
	world_start(&w);
	world_seconds(&w, 60);
	cr_expect_eq(world_count(&w, ACTION_ADD_ONION), 5);
	/* One proved onion frees one place. */
	world_upload(&w, 1, DESC_UPLOAD, 0);
	world_upload(&w, 1, DESC_UPLOADED, 0);
	cr_expect_eq(world_count(&w, ACTION_ADD_ONION), 5);
	world_seconds(&w, 31);
	cr_expect_eq(world_count(&w, ACTION_ADD_ONION), 6);
	/* So do all sixteen uploads. */
	w.deaf = 1u << ACTION_PROBE;
	for (k = 0; k < 16; k++) {
		world_upload(&w, 2, DESC_UPLOAD, (unsigned)k);
		world_upload(&w, 2, DESC_UPLOADED, (unsigned)k);
	}
	cr_expect_eq(world_count(&w, ACTION_ADD_ONION), 7);
}

Test(mirror_start, counts_the_five_for_each_tor_on_its_own)
{
	world_init(&w, 12, 2, 1);
	w.uploads = 0;
	world_start(&w);
	world_seconds(&w, 60);
	cr_expect_eq(world_count(&w, ACTION_ADD_ONION), 10);
}

Test(mirror_start, the_first_upload_begins_the_proving)
{
	world_init(&w, 1, 1, 1);
	w.uploads = 0;
	w.deaf = 1u << ACTION_PROBE;
	world_start(&w);
	world_seconds(&w, 5);
	cr_expect_eq(world_state(&w, 1), ONION_UPLOADING);
	cr_expect_eq(world_count(&w, ACTION_PROBE), 0);
	world_upload(&w, 1, DESC_UPLOAD, 0);
	world_upload(&w, 1, DESC_UPLOAD_FAILED, 0);
	cr_expect_eq(world_state(&w, 1), ONION_UPLOADING);
	world_upload(&w, 1, DESC_UPLOAD, 0);
	world_upload(&w, 1, DESC_UPLOADED, 0);
	cr_expect_eq(world_state(&w, 1), ONION_PROVING);
	world_seconds(&w, 31);
	cr_expect_eq(world_count(&w, ACTION_PROBE), 1);
	cr_expect_eq(world_view(&w, 0).uploads, 1);
}

Test(mirror_start, no_upload_in_120_s_means_added_again_twice_and_then_failed)
{
	world_init(&w, 1, 1, 1);
	w.uploads = 0;
	world_start(&w);
	world_seconds(&w, 119);
	cr_expect_eq(world_count(&w, ACTION_DEL_ONION), 0);
	world_seconds(&w, 2);
	cr_expect_eq(world_count_of(&w, ACTION_DEL_ONION, 1), 1);
	cr_expect_eq(world_count_of(&w, ACTION_ADD_ONION, 1), 2);
	world_seconds(&w, 120);
	cr_expect_eq(world_count_of(&w, ACTION_ADD_ONION, 1), 3);
	cr_expect_eq(world_state(&w, 1), ONION_UPLOADING);
	world_seconds(&w, 121);
	cr_expect_eq(world_state(&w, 1), ONION_FAILED);
	cr_expect_eq(world_count_of(&w, ACTION_ADD_ONION, 1), 3);
	cr_expect_eq(world_count_of(&w, ACTION_DEL_ONION, 1), 3);
	cr_expect(w.o[1].shredded && !w.o[1].in_tor);
	/* Planned anew, after a while that grows. */
	world_seconds(&w, 10);
	cr_expect_eq(world_count(&w, ACTION_PLAN), 2);
	world_seconds(&w, 6 * 3600);
	cr_expect_lt(world_count(&w, ACTION_PLAN), 40);
	cr_expect_gt(world_count(&w, ACTION_PLAN), 5);
	cr_expect_eq(w.published, 0);
}

Test(mirror_start, tor_refusing_it_three_times_fails_it)
{
	world_init(&w, 1, 1, 1);
	w.add_refused = true;
	world_start(&w);
	world_seconds(&w, 120);
	cr_expect_eq(world_state(&w, 1), ONION_FAILED);
	cr_expect_eq(world_count_of(&w, ACTION_ADD_ONION, 1), 3);
	cr_expect(w.o[1].shredded);
	cr_expect_eq(world_notes(&w, NOTE_ALARM, "refused") >= 3, 1);
	w.add_refused = false;
	world_seconds(&w, 1200);
	cr_expect_eq(world_view(&w, 0).state, MIRROR_UP);
}

Test(mirror_start, a_key_that_cannot_be_stored_is_tried_again)
{
	world_init(&w, 1, 1, 1);
	w.plan_fails = true;
	world_start(&w);
	world_seconds(&w, 60);
	cr_expect_gt(world_count(&w, ACTION_PLAN), 1);
	cr_expect_lt(world_count(&w, ACTION_PLAN), 20);
	w.plan_fails = false;
	world_seconds(&w, 60);
	cr_expect_eq(world_view(&w, 0).state, MIRROR_UP);
}

Test(mirror_start, proving_ends_with_failure_after_ten_minutes)
{
	world_init(&w, 1, 1, 1);
	w.verdict[0] = VERDICT_INTRO;
	world_start(&w);
	world_seconds(&w, 599);
	cr_expect_eq(world_state(&w, 1), ONION_PROVING);
	world_seconds(&w, 2);
	cr_expect_eq(world_state(&w, 1), ONION_FAILED);
	cr_expect(w.o[1].shredded && !w.o[1].in_tor);
	cr_expect_eq(w.published, 0);
	/* Retries get slower, but not slower than every 30 s. */
	cr_expect_gt(world_count_of(&w, ACTION_PROBE, 1), 18);
	cr_expect_lt(world_count_of(&w, ACTION_PROBE, 1), 40);
}

Test(mirror_start, rise_probes_in_a_row_are_needed)
{
	unsigned i;

	world_init(&w, 1, 1, 1);
	w.mirrors[0].rise = 3;
	w.deaf = 1u << ACTION_PUBLISH;
	world_start(&w);
	w.o[1].verdict = VERDICT_OK;
	w.deaf |= 1u << ACTION_PROBE;
	world_answer(&w);
	for (i = 0; i < 5; i++) {
		static const int verdicts[] = { VERDICT_OK, VERDICT_OK, VERDICT_TIMEOUT, VERDICT_OK, VERDICT_OK };

		w.deaf &= ~(1u << ACTION_PROBE);
		w.o[1].verdict = verdicts[i];
		world_answer_one(&w, 0);
		w.deaf |= 1u << ACTION_PROBE;
		world_seconds(&w, 2);
		cr_expect_eq(world_state(&w, 1), ONION_PROVING, "%u", i);
	}
	w.deaf &= ~(1u << ACTION_PROBE);
	world_answer(&w);
	cr_expect_eq(world_state(&w, 1), ONION_READY);
	cr_expect_eq(world_pending(&w, ACTION_PUBLISH), 1);
}

Test(mirror_start, a_probe_that_says_nothing_does_not_count)
{
	world_init(&w, 1, 1, 1);
	w.verdict[0] = VERDICT_BUSY;
	world_start(&w);
	world_seconds(&w, 300);
	cr_expect_eq(world_state(&w, 1), ONION_PROVING);
	cr_expect_lt(world_count(&w, ACTION_PROBE), 70);
	w.verdict[0] = VERDICT_OK;
	world_seconds(&w, 30);
	cr_expect_eq(world_state(&w, 1), ONION_LISTED);
}

Test(mirror_start, ready_is_published_and_then_listed)
{
	world_init(&w, 2, 1, 1);
	w.deaf = 1u << ACTION_PUBLISH;
	world_start(&w);
	world_seconds(&w, 10);
	cr_expect_eq(world_state(&w, 1), ONION_READY);
	cr_expect_eq(world_view(&w, 0).state, MIRROR_STARTING);
	cr_expect_eq(world_pending(&w, ACTION_PUBLISH), 1);
	w.deaf = 0;
	world_answer(&w);
	cr_expect_eq(world_state(&w, 1), ONION_LISTED);
	cr_expect_eq(world_state(&w, 2), ONION_LISTED);
	cr_expect(w.o[1].saved.in_list && w.o[1].saved.state == ONION_LISTED && w.o[1].saved.listed == w.now.wall);
	cr_expect_eq(world_view(&w, 0).state, MIRROR_UP);
	cr_expect_eq(world_visible(&w), 2);
	/* And nothing more is done but probes. */
	world_mark(&w);
	world_seconds(&w, 3600);
	cr_expect_eq(world_count(&w, ACTION_PLAN) + world_count(&w, ACTION_ADD_ONION) + world_count(&w, ACTION_DEL_ONION), 0);
	cr_expect_eq(world_count(&w, ACTION_PUBLISH), 0);
	cr_expect_gt(world_count(&w, ACTION_PROBE), 2 * 3600 / 375 - 1);
	cr_expect_lt(world_count(&w, ACTION_PROBE), 2 * 3600 / 225 + 2);
}

Test(mirror_start, the_descriptor_is_fetched_anew_every_half_hour)
{
	unsigned fresh = 0;
	size_t i;

	world_init(&w, 1, 1, 1);
	world_settled(&w);
	world_seconds(&w, 4 * 3600);
	for (i = 0; i < w.log.n; i++)
		fresh += w.log.v[i].kind == ACTION_PROBE && w.log.v[i].fresh;
	cr_expect_geq(fresh, 6);
	cr_expect_leq(fresh, 8);
}
