/* SPDX-License-Identifier: BSD-3-Clause */
/* Each upload of a descriptor is followed; what dies without a word is noticed by its silence. */
#include "config.h"
#include "world.h"

#include <criterion/criterion.h>

static struct world w;

static void
done(void)
{
	world_free(&w);
}

TestSuite(mirror_uploads, .fini = done);

/* Onion 1 of the only mirror, added, with n uploads begun. */
static void
begin(unsigned n)
{
	world_init(&w, 1, 1, 1);
	w.uploads = 0;
	w.begun = n;
	w.deaf = 1u << ACTION_PROBE;
	world_start(&w);
	world_answer(&w);
}

static void
expect(unsigned up, unsigned started, unsigned failed, unsigned silent)
{
	struct mirror_view v = world_view(&w, 0);

	cr_expect_eq(v.uploads, up, "%u up", v.uploads);
	cr_expect_eq(v.uploads_started, started, "%u started", v.uploads_started);
	cr_expect_eq(v.uploads_failed, failed, "%u failed", v.uploads_failed);
	cr_expect_eq(v.uploads_silent, silent, "%u silent", v.uploads_silent);
}

Test(mirror_uploads, are_counted_by_hsdir_also_where_one_gets_both_descriptors)
{
	begin(16);
	expect(0, 16, 0, 0);
	world_upload(&w, 1, DESC_UPLOADED, 0); /* this HSDir has 0 and 12 */
	world_upload(&w, 1, DESC_UPLOADED, 0);
	world_upload(&w, 1, DESC_UPLOAD_FAILED, 3);
	expect(2, 16, 1, 0);
	world_upload(&w, 1, DESC_UPLOAD, 3); /* tried again, and taken */
	world_upload(&w, 1, DESC_UPLOADED, 3);
	expect(3, 16, 0, 0);
}

Test(mirror_uploads, that_are_not_heard_of_for_six_minutes_are_silent_and_one_may_be_only_late)
{
	unsigned i;

	begin(16);
	for (i = 0; i < 12; i++)
		world_upload(&w, 1, DESC_UPLOADED, i);
	world_seconds(&w, 359);
	expect(12, 16, 0, 0);
	world_seconds(&w, 2);
	expect(12, 16, 0, 4);
	world_upload(&w, 1, DESC_UPLOADED, 12);
	expect(13, 16, 0, 3);
}

Test(mirror_uploads, a_candidate_with_fewer_than_half_is_added_again_twice_and_then_left_to_its_probes)
{
	begin(16);
	world_upload(&w, 1, DESC_UPLOADED, 0);
	world_seconds(&w, 350);
	cr_expect_eq(world_count(&w, ACTION_DEL_ONION), 0, "the silent ones may still come");
	world_seconds(&w, 20);
	cr_expect_eq(world_count(&w, ACTION_DEL_ONION), 1);
	cr_expect_eq(world_count(&w, ACTION_ADD_ONION), 2);
	expect(0, 16, 0, 0);
	world_upload(&w, 1, DESC_UPLOADED, 0);
	world_seconds(&w, 370);
	cr_expect_eq(world_count(&w, ACTION_ADD_ONION), 3);
	world_upload(&w, 1, DESC_UPLOADED, 0);
	world_seconds(&w, 500);
	cr_expect_eq(world_count(&w, ACTION_ADD_ONION), 3);
	cr_expect_eq(world_count(&w, ACTION_PLAN), 1, "it is no failure of the address");
}

Test(mirror_uploads, half_of_them_are_enough_and_so_are_a_few_of_a_small_network)
{
	unsigned i;

	begin(16);
	for (i = 0; i < 8; i++)
		world_upload(&w, 1, DESC_UPLOADED, i);
	world_seconds(&w, 590);
	cr_expect_eq(world_count(&w, ACTION_ADD_ONION), 1);
	world_free(&w);
	begin(4);
	world_upload(&w, 1, DESC_UPLOADED, 0);
	world_upload(&w, 1, DESC_UPLOADED, 1);
	world_seconds(&w, 590);
	cr_expect_eq(world_count(&w, ACTION_ADD_ONION), 1);
}

Test(mirror_uploads, what_is_proved_is_not_repaired)
{
	begin(16);
	w.deaf = 0;
	world_upload(&w, 1, DESC_UPLOADED, 0);
	world_seconds(&w, 3600);
	cr_expect_eq(world_count(&w, ACTION_DEL_ONION), 0);
	cr_expect_eq(world_view(&w, 0).state, MIRROR_UP);
}

Test(mirror_uploads, the_daily_change_of_descriptors_is_no_fault)
{
	unsigned i;

	world_init(&w, 1, 1, 1);
	world_settled(&w);
	world_mark(&w);
	expect(16, 16, 0, 0);
	for (i = 16; i < 24; i++)
		world_upload(&w, 1, DESC_UPLOAD, i); /* the third descriptor: the first has run out */
	expect(8, 16, 0, 0);
	world_seconds(&w, 1800);
	expect(8, 16, 0, 8);
	cr_expect_eq(world_count(&w, ACTION_DEL_ONION), 0);
	cr_expect_eq(world_view(&w, 0).state, MIRROR_UP);
}

Test(mirror_uploads, lost_descriptors_are_uploaded_again_once_before_the_address_is_given_up)
{
	world_init(&w, 3, 1, 1);
	world_settled(&w);
	w.o[1].verdict = VERDICT_NO_DESCRIPTOR;
	while (world_visible(&w) == 3)
		world_seconds(&w, 1);
	cr_expect_eq(world_count_of(&w, ACTION_DEL_ONION, 1), 1, "once it is out of the list");
	cr_expect_eq(world_count_of(&w, ACTION_ADD_ONION, 1), 1);
	w.o[1].verdict = VERDICT_OK;
	world_seconds(&w, 300);
	cr_expect_eq(world_visible(&w), 3);
	cr_expect_eq(world_listed(&w, 0), 1, "the same address");
	cr_expect_eq(world_count(&w, ACTION_PLAN), 0);
}

Test(mirror_uploads, whether_that_has_helped_is_seen_when_tor_asks_the_hsdirs_again)
{
	world_init(&w, 3, 1, 1);
	world_settled(&w);
	w.o[1].hidden = 1;
	while (world_notes(&w, NOTE_STATE, "suspect") == 0)
		world_seconds(&w, 1);
	world_seconds(&w, 72); /* an answer by what tor has kept, which then leads to introduction points of before */
	w.o[1].verdict = VERDICT_INTRO;
	while (world_count_of(&w, ACTION_ADD_ONION, 1) == 0)
		world_seconds(&w, 1);
	w.o[1].hidden = 0;
	world_seconds(&w, 890);
	cr_expect_eq(world_count(&w, ACTION_PLAN), 0);
	w.o[1].verdict = VERDICT_OK;
	world_seconds(&w, 240);
	cr_expect_eq(world_visible(&w), 3);
	cr_expect_eq(world_listed(&w, 0), 1, "the same address");
	cr_expect_eq(world_count(&w, ACTION_PLAN), 0);
}

Test(mirror_uploads, when_that_does_not_help_the_takedown_is_not_put_off)
{
	int s;

	world_init(&w, 3, 1, 1);
	world_settled(&w);
	w.o[1].verdict = VERDICT_NO_DESCRIPTOR;
	for (s = 0; world_count(&w, ACTION_PLAN) == 0 && s < 3600; s++)
		world_seconds(&w, 1);
	cr_expect_leq(s, 300 + 12 * 66, "after twice the fall, as without it: %d s", s);
	cr_expect_eq(world_count_of(&w, ACTION_ADD_ONION, 1), 1);
}

Test(mirror_uploads, a_late_answer_about_the_service_before_does_not_count_for_this_one)
{
	begin(16);
	world_upload(&w, 1, DESC_UPLOADED, 0);
	w.begun = 0;
	world_seconds(&w, 370);
	cr_expect_eq(world_count(&w, ACTION_ADD_ONION), 2);
	world_upload(&w, 1, DESC_UPLOADED, 5);
	world_upload(&w, 1, DESC_UPLOAD_FAILED, 6);
	expect(0, 0, 0, 0);
	cr_expect_eq(world_state(&w, 1), ONION_UPLOADING, "%s", onion_state_name(world_state(&w, 1)));
	world_upload(&w, 1, DESC_UPLOAD, 5);
	world_upload(&w, 1, DESC_UPLOADED, 5);
	expect(1, 1, 0, 0);
	cr_expect_eq(world_state(&w, 1), ONION_PROVING);
}

Test(mirror_uploads, the_first_probe_waits_until_most_arrived_or_for_half_a_minute)
{
	unsigned i;

	begin(16);
	world_upload(&w, 1, DESC_UPLOADED, 0);
	world_seconds(&w, 29);
	cr_expect_eq(world_count(&w, ACTION_PROBE), 0);
	world_seconds(&w, 2);
	cr_expect_eq(world_count(&w, ACTION_PROBE), 1);
	world_free(&w);
	begin(16);
	for (i = 0; i < 11; i++)
		world_upload(&w, 1, DESC_UPLOADED, i);
	cr_expect_eq(world_count(&w, ACTION_PROBE), 0);
	world_upload(&w, 1, DESC_UPLOADED, 11);
	cr_expect_eq(world_count(&w, ACTION_PROBE), 1);
}

Test(mirror_uploads, a_network_with_few_hsdirs_is_not_waited_for_longer)
{
	unsigned i;

	begin(12);
	for (i = 0; i < 8; i++)
		world_upload(&w, 1, DESC_UPLOADED, i);
	cr_expect_eq(world_count(&w, ACTION_PROBE), 0);
	world_upload(&w, 1, DESC_UPLOADED, 8);
	cr_expect_eq(world_count(&w, ACTION_PROBE), 1);
}
