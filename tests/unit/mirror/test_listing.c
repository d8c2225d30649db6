/* SPDX-License-Identifier: BSD-3-Clause */
/* When the list is signed, and what a publication that fails or takes long leads to. */
#include "config.h"
#include "world.h"

#include <criterion/criterion.h>

static struct world w;

static void
done(void)
{
	world_free(&w);
}

TestSuite(mirror_listing, .fini = done);

Test(mirror_listing, when_all_are_taken_down_and_to_be_proved_again_one_new_address_by_hand_is_enough)
{
	unsigned i;

	world_listed_all(&w, 3);
	for (i = 1; i <= 3; i++)
		w.o[i].verdict = VERDICT_INTRO;
	world_seconds(&w, 1200);
	world_lose_tor(&w, 0, true);
	world_compare(&w, 0);
	world_fit(&w, 0, true);
	world_seconds(&w, 600);
	cr_expect_eq(world_visible(&w), 3, "the list stays as it is");
	cr_expect_eq(world_rotate(&w, 0, 4), 0);
	world_seconds(&w, 60);
	cr_expect_not(w.o[1].visible || w.o[2].visible || w.o[3].visible);
	cr_expect_eq(world_steps(&w, 4, "done"), 1);
	cr_expect(w.o[4].visible);
	world_seconds(&w, 1800);
	cr_expect_eq(world_visible(&w), 3, "the others are no longer most of them: replaced in their turn");
}

Test(mirror_listing, is_renewed_at_least_every_twelve_hours)
{
	int k;

	world_init(&w, 2, 1, 1);
	world_settled(&w);
	for (k = 0; k < 10; k++) {
		unsigned before = w.published;

		world_seconds(&w, 12 * 3600 + 60);
		cr_expect_geq(w.published, before + 1);
		cr_expect_leq(w.published, before + 2);
	}
}

Test(mirror_listing, is_renewed_at_half_its_life_where_that_is_shorter)
{
	int k;

	world_init(&w, 2, 1, 1);
	w.valid_s = 4 * 3600;
	world_settled(&w);
	for (k = 0; k < 10; k++) {
		unsigned before = w.published;

		world_seconds(&w, 2 * 3600 + 60);
		cr_expect_geq(w.published, before + 1);
	}
}

Test(mirror_listing, that_ran_out_while_we_were_away_is_renewed_soon)
{
	world_init(&w, 2, 1, 1);
	world_settled(&w);
	world_boot(&w);
	engine_free(w.e);
	w.e = engine_new(&w.cfg);
	engine_restore(w.e, &w.o[1].saved);
	engine_restore(w.e, &w.o[2].saved);
	world_mark(&w);
	engine_start(w.e, w.now, w.serial, w.now.wall - 5, &w.out);
	world_take(&w);
	world_seconds(&w, 61);
	cr_expect_eq(w.published, 1);
}

Test(mirror_listing, that_could_not_be_published_is_tried_again_more_and_more_slowly)
{
	world_init(&w, 2, 1, 1);
	w.publish_fails = true;
	world_start(&w);
	world_seconds(&w, 3600);
	cr_expect_geq(world_count(&w, ACTION_PUBLISH), 12);
	cr_expect_leq(world_count(&w, ACTION_PUBLISH), 22);
	cr_expect_eq(world_notes(&w, NOTE_ALARM, "publish"), 1);
	cr_expect_eq(world_state(&w, 1), ONION_READY);
	w.publish_fails = false;
	world_seconds(&w, 360);
	cr_expect_eq(world_state(&w, 1), ONION_LISTED);
	cr_expect_eq(world_notes(&w, NOTE_DECISION, "publish-back"), 1);
}

Test(mirror_listing, a_renewal_that_fails_is_tried_again)
{
	world_init(&w, 1, 1, 1);
	world_settled(&w);
	w.publish_fails = true;
	world_seconds(&w, 13 * 3600);
	cr_expect_gt(world_count(&w, ACTION_PUBLISH), 5);
	w.publish_fails = false;
	world_seconds(&w, 360);
	cr_expect_eq(w.published, 1);
}

Test(mirror_listing, what_changes_during_a_publication_is_in_the_next)
{
	world_init(&w, 3, 1, 1);
	w.deaf = 1u << ACTION_PUBLISH;
	w.verdict[2] = VERDICT_INTRO;
	world_start(&w);
	world_seconds(&w, 60);
	w.verdict[2] = VERDICT_OK;
	world_seconds(&w, 60);
	cr_expect_eq(world_pending(&w, ACTION_PUBLISH), 1);
	cr_expect_not(w.o[3].flight);
	cr_expect_eq(world_state(&w, 3), ONION_READY);
	w.deaf = 0;
	world_answer(&w);
	cr_expect_eq(world_visible(&w), 3);
	cr_expect_eq(w.published, 2);
}

Test(mirror_listing, a_candidate_that_tor_loses_during_its_publication_is_not_deleted)
{
	struct err err = ERR_INIT;

	world_init(&w, 2, 1, 1);
	world_settled(&w);
	w.deaf = 1u << ACTION_PUBLISH;
	cr_expect_eq(engine_rotate(w.e, w.now, 0, 3, &w.out, &err), 0);
	world_take(&w);
	world_answer(&w);
	cr_expect(w.o[3].flight);
	w.uploads = 0; /* it will not come back for a while */
	world_lose_tor(&w, 0, true);
	world_compare(&w, 0);
	world_fit(&w, 0, true);
	world_seconds(&w, 900);
	w.deaf = 0;
	world_seconds(&w, 10);
	cr_expect_eq(world_state(&w, 3), ONION_LISTED);
	cr_expect(w.o[3].visible);
	cr_expect_eq(world_steps(&w, 3, "done"), 1);
	w.uploads = 16;
	world_lose_tor(&w, 0, true);
	world_compare(&w, 0);
	world_fit(&w, 0, true);
	world_seconds(&w, 900);
	cr_expect_eq(world_view(&w, 0).state, MIRROR_UP);
}

Test(mirror_listing, a_candidate_whose_mirror_goes_during_its_publication_leaves_politely)
{
	world_init(&w, 2, 1, 1);
	w.deaf = 1u << ACTION_PUBLISH;
	world_start(&w);
	world_seconds(&w, 10);
	cr_expect(w.o[1].flight && !w.o[2].flight);
	w.cfg.mirrors = &w.mirrors[1];
	w.cfg.n_mirrors = 1;
	world_reconfigure(&w);
	world_seconds(&w, 60);
	cr_expect_eq(world_count_of(&w, ACTION_DEL_ONION, 1), 0);
	w.deaf = 0;
	world_seconds(&w, 10);
	cr_expect(!w.o[1].visible && w.o[2].visible);
	cr_expect_eq(world_state(&w, 1), ONION_LEAVING);
	world_seconds(&w, 73 * 3600);
	cr_expect(!w.o[1].in_tor && w.o[1].shredded);
}

Test(mirror_listing, asked_for_by_hand_ends_done_or_failed)
{
	struct err err = ERR_INIT;

	world_init(&w, 1, 1, 1);
	world_start(&w);
	cr_expect_eq(engine_publish(w.e, w.now, 1, &w.out, &err), -1, "nothing is proved yet");
	world_seconds(&w, 60);
	cr_expect_eq(engine_publish(w.e, w.now, 2, &w.out, &err), 0);
	world_take(&w);
	world_answer(&w);
	cr_expect(world_steps(&w, 2, "published") == 1 && world_steps(&w, 2, "done") == 1);
	w.publish_fails = true;
	cr_expect_eq(engine_publish(w.e, w.now, 3, &w.out, &err), 0);
	world_take(&w);
	world_answer(&w);
	cr_expect(world_steps(&w, 3, "failed") == 1 && world_steps(&w, 3, "done") == 0);
	w.publish_fails = false;
	world_seconds(&w, 60);
	/* Asked for while another is under way: not that one's end is reported, its own is. */
	w.deaf = 1u << ACTION_PUBLISH;
	world_seconds(&w, 13 * 3600);
	cr_expect_eq(engine_publish(w.e, w.now, 4, &w.out, &err), 0);
	world_take(&w);
	cr_expect_eq(engine_publish(w.e, w.now, 5, &w.out, &err), -1);
	world_mark(&w);
	w.deaf = 0;
	world_answer(&w);
	cr_expect_eq(w.published, 2);
	cr_expect_eq(world_steps(&w, 4, "done"), 1);
	/* Nothing may be published any more when its turn comes. */
	w.deaf = 1u << ACTION_PUBLISH;
	world_seconds(&w, 13 * 3600);
	cr_expect_eq(engine_publish(w.e, w.now, 6, &w.out, &err), 0);
	world_take(&w);
	w.uploads = 0;
	world_lose_tor(&w, 0, true);
	world_compare(&w, 0);
	w.deaf = 0;
	world_answer(&w);
	cr_expect_eq(world_steps(&w, 6, "failed"), 1);
}

Test(mirror_listing, a_loop_of_changes_is_slowed_down)
{
	struct err err = ERR_INIT;
	uint64_t op;

	world_init(&w, 1, 1, 1);
	world_settled(&w);
	for (op = 1; op <= 200; op++) {
		(void)engine_publish(w.e, w.now, op, &w.out, &err);
		world_take(&w);
		world_answer(&w);
	}
	cr_expect_leq(w.published, 101);
	world_seconds(&w, 120);
	cr_expect_leq(w.published, 104);
}

Test(mirror_listing, a_mirror_that_is_removed_leaves_politely)
{
	uint64_t dead[4];

	world_init(&w, 3, 1, 1);
	world_settled(&w);
	engine_set_tombstone_until(w.e, 3, w.now.wall + 30 * 86400, &w.out);
	w.cfg.n_mirrors = 2;
	world_reconfigure(&w);
	cr_expect(w.o[3].visible && world_pending(&w, ACTION_PUBLISH) == 1);
	cr_expect_eq(engine_tombstones(w.e, w.now.wall, dead, 4), 1);
	world_answer(&w);
	cr_expect_not(w.o[3].visible);
	cr_expect_eq(world_state(&w, 3), ONION_LEAVING);
	world_seconds(&w, 71 * 3600);
	cr_expect(w.o[3].in_tor);
	world_seconds(&w, 2 * 3600);
	cr_expect(!w.o[3].in_tor && w.o[3].shredded);
	cr_expect_eq(world_visible(&w), 2);
}

Test(mirror_listing, removed_while_it_is_out_of_the_list_leaves_too)
{
	world_init(&w, 3, 1, 1);
	w.check[2] = VERDICT_REFUSED;
	world_settled(&w);
	w.verdict[2] = VERDICT_REFUSED;
	world_seconds(&w, 3600);
	cr_expect_not(w.o[3].visible);
	w.cfg.n_mirrors = 2;
	world_reconfigure(&w);
	world_answer(&w);
	cr_expect_eq(world_state(&w, 3), ONION_LEAVING);
}

Test(mirror_listing, a_tor_that_is_removed_gives_its_mirrors_to_another)
{
	world_init(&w, 2, 2, 1);
	world_settled(&w);
	w.mirrors[1].tor = 0;
	w.cfg.n_tors = 1;
	world_reconfigure(&w);
	world_seconds(&w, 60);
	cr_expect_eq(world_listed(&w, 1), 3);
	cr_expect_eq(world_state(&w, 2), ONION_LEAVING);
	world_seconds(&w, 3700);
	cr_expect_eq(world_state(&w, 2), ONION_GONE);
	cr_expect(w.o[2].shredded);
}

Test(mirror_listing, a_tor_that_stays_away_does_not_hold_the_list_back_for_ever)
{
	world_init(&w, 3, 3, 1);
	world_settled(&w);
	world_lose_tor(&w, 0, true);
	world_compare(&w, 0); /* it is back, without the service, */
	world_lose_tor(&w, 0, false); /* and away again */
	world_mark(&w);
	world_seconds(&w, 1700);
	cr_expect_eq(w.published, 0);
	cr_expect_eq(world_visible(&w), 3);
	world_seconds(&w, 200);
	cr_expect_eq(world_visible(&w), 2);
	cr_expect_eq(world_notes(&w, NOTE_ALARM, "waited"), 1);
	world_compare(&w, 0);
	world_fit(&w, 0, true);
	world_seconds(&w, 600);
	cr_expect_eq(world_visible(&w), 3, "and it comes back");
}

Test(mirror_listing, where_min_listed_wants_it_the_list_waits_longer_and_an_empty_one_never_comes)
{
	world_init(&w, 2, 2, 1);
	w.cfg.min_listed = 2;
	world_settled(&w);
	world_lose_tor(&w, 0, true);
	world_compare(&w, 0);
	world_lose_tor(&w, 0, false);
	world_seconds(&w, 11 * 3600);
	cr_expect_eq(world_visible(&w), 2);
	world_seconds(&w, 2 * 3600);
	cr_expect_eq(world_visible(&w), 1);
	world_lose_tor(&w, 1, true);
	world_compare(&w, 1);
	world_lose_tor(&w, 1, false);
	world_seconds(&w, 48 * 3600);
	cr_expect_eq(world_visible(&w), 1);
}

Test(mirror_listing, one_that_its_own_tor_cannot_prove_again_does_not_hold_the_list_back_for_ever_either)
{
	world_init(&w, 3, 1, 1);
	w.cfg.min_listed = 3;
	world_settled(&w);
	w.verdict[0] = w.check[0] = VERDICT_REFUSED;
	world_lose_tor(&w, 0, true);
	world_compare(&w, 0);
	world_fit(&w, 0, true);
	world_mark(&w);
	world_seconds(&w, 11 * 3600);
	cr_expect_eq(world_visible(&w), 3, "min-listed wants it");
	world_seconds(&w, 2 * 3600);
	cr_expect_eq(world_visible(&w), 2);
	cr_expect_eq(world_notes(&w, NOTE_ALARM, "waited"), 1);
	w.verdict[0] = w.check[0] = VERDICT_OK;
	world_seconds(&w, 3600);
	cr_expect_eq(world_visible(&w), 3);
}

Test(mirror_listing, one_that_is_too_busy_to_be_proved_again_is_waited_for_half_an_hour)
{
	world_init(&w, 3, 1, 1);
	world_settled(&w);
	w.verdict[0] = VERDICT_BUSY;
	world_lose_tor(&w, 0, true);
	world_compare(&w, 0);
	world_fit(&w, 0, true);
	world_seconds(&w, 1700);
	cr_expect_eq(world_visible(&w), 3);
	world_seconds(&w, 200);
	cr_expect_eq(world_visible(&w), 2);
}
