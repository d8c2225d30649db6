/* SPDX-License-Identifier: BSD-3-Clause */
/* Revocation, by hand and for wrong content: readers are warned first. */
#include "config.h"
#include "world.h"

#include <criterion/criterion.h>

static struct world w;

static void
done(void)
{
	world_free(&w);
}

TestSuite(mirror_revoke, .fini = done);

Test(mirror_revoke, revoke_warns_readers_first_then_deletes_and_destroys_the_key)
{
	world_listed_all(&w, 2);
	w.deaf = 1u << ACTION_PUBLISH;
	cr_expect_eq(world_revoke(&w, 0, 0, 4), 0);
	world_answer(&w);
	cr_expect(w.o[1].warning && !w.o[1].flight);
	cr_expect_eq(world_count(&w, ACTION_DEL_ONION), 0);
	cr_expect_not(w.o[1].shredded);
	w.deaf = 0;
	world_answer(&w);
	cr_expect(w.o[1].shredded && !w.o[1].in_tor && w.o[1].warned);
	cr_expect_eq(world_state(&w, 1), ONION_GONE);
	cr_expect(w.o[1].saved.revoked);
	cr_expect_eq(world_steps(&w, 4, "revoked"), 1);
	cr_expect_eq(world_steps(&w, 4, "done"), 1);
	cr_expect_eq(world_revoke(&w, -1, 1, 5), ERR_REFUSED);
	world_seconds(&w, 60);
	cr_expect_eq(world_listed(&w, 0), 3);
	cr_expect_eq(w.o[3].saved.cause, CAUSE_REVOKED);
	cr_expect(world_is_tombstone(&w, 1));
}

Test(mirror_revoke, a_list_that_waited_warns_of_what_was_revoked_meanwhile_and_no_second_one_does)
{
	struct err err = ERR_INIT;

	world_listed_all(&w, 2);
	w.deaf = 1u << ACTION_PUBLISH;
	cr_expect_eq(engine_publish(w.e, w.now, 3, &w.out, &err), 0);
	world_take(&w);
	cr_expect_eq(world_revoke(&w, 0, 0, 4), 0);
	cr_expect_null(engine_take_list(w.e), "what it holds is asked for when its turn comes");
	w.o[1].flight = false;
	w.o[1].warning = true;
	w.deaf = 1u << ACTION_PROBE;
	world_answer(&w);
	cr_expect(w.o[1].warned && w.o[1].shredded);
	cr_expect_eq(world_steps(&w, 4, "revoked"), 1);
	cr_expect_eq(w.published, 1);
}

Test(mirror_revoke, revoke_of_the_only_address_leaves_an_empty_list_rather_than_an_enemy_in_it)
{
	world_listed_all(&w, 1);
	w.deaf = 1u << ACTION_PROBE;
	cr_expect_eq(world_revoke(&w, 0, 0, 4), 0);
	world_answer(&w);
	cr_expect_eq(w.published, 1);
	cr_expect_eq(world_visible(&w), 0);
	cr_expect_eq(world_state(&w, 1), ONION_GONE);
	world_seconds(&w, 86400);
	cr_expect_eq(w.published, 1, "a list that is empty by itself is never signed");
	w.deaf = 0;
	world_seconds(&w, 1200);
	cr_expect_eq(world_visible(&w), 1);
}

Test(mirror_revoke, revoke_waits_for_nothing_not_for_others_that_are_proved_again)
{
	world_listed_all(&w, 3);
	w.deaf = 1u << ACTION_PROBE;
	world_lose_tor(&w, 0, true);
	world_compare(&w, 0);
	world_fit(&w, 0, true);
	world_seconds(&w, 10);
	cr_expect_eq(w.published, 0);
	cr_expect_eq(world_revoke(&w, 0, 0, 4), 0);
	world_answer(&w);
	cr_expect_eq(w.published, 1);
	cr_expect_not(w.o[1].visible);
	w.deaf = 0;
	world_seconds(&w, 1200);
	cr_expect_eq(world_visible(&w), 3, "they come back");
}

Test(mirror_revoke, revoke_reaches_addresses_that_left_and_those_on_their_way)
{
	world_listed_all(&w, 2);
	cr_expect_eq(world_rotate(&w, 0, 1), 0);
	world_seconds(&w, 60);
	cr_expect_eq(world_state(&w, 1), ONION_LEAVING);
	cr_expect_eq(world_revoke(&w, -1, 1, 2), 0);
	world_answer(&w);
	cr_expect_eq(world_state(&w, 1), ONION_GONE, "its drain is no matter any more");
	cr_expect(w.o[1].warned);
	/* One that is gone: what is left of it is its tombstone. */
	cr_expect_eq(world_rotate(&w, 0, 3), 0);
	world_seconds(&w, 2 * 3600);
	cr_expect_eq(world_state(&w, 3), ONION_GONE);
	engine_set_tombstone_until(w.e, 3, w.now.wall + 86400, &w.out);
	world_take(&w);
	cr_expect_eq(world_revoke(&w, -1, 3, 4), 0);
	world_answer(&w);
	cr_expect(w.o[3].warned);
	cr_expect_eq(world_steps(&w, 4, "done"), 1);
	/* A candidate was in no list: it just ends. */
	w.deaf = 1u << ACTION_PROBE;
	cr_expect_eq(world_rotate(&w, 0, 5), 0);
	world_answer(&w);
	cr_expect_eq(world_revoke(&w, -1, w.last_id, 6), 0);
	cr_expect_eq(world_steps(&w, 5, "failed"), 1);
	cr_expect_eq(world_steps(&w, 6, "done"), 1);
	cr_expect_eq(world_revoke(&w, -1, 77, 7), ERR_NOTFOUND);
}

Test(mirror_revoke, revoke_goes_on_after_kill_9_and_without_the_link)
{
	world_listed_all(&w, 2);
	w.publish_fails = true;
	cr_expect_eq(world_revoke(&w, 0, 0, 4), 0);
	world_answer(&w);
	cr_expect_eq(world_count(&w, ACTION_DEL_ONION), 0);
	w.publish_fails = false;
	world_boot(&w);
	world_answer(&w);
	cr_expect(w.o[1].warned, "no tor is needed to warn");
	cr_expect(w.o[1].shredded, "nor to destroy the key");
	world_start(&w);
	world_answer(&w);
	cr_expect_eq(world_state(&w, 1), ONION_GONE);
	cr_expect_not(w.o[1].in_tor);
}

Test(mirror_revoke, wrong_content_revokes_only_where_that_is_asked_for_and_something_is_left)
{
	world_listed_all(&w, 3);
	w.mirrors[0].revoke_on_content = true;
	world_reconfigure(&w);
	w.verdict[1] = VERDICT_CONTENT;
	world_seconds(&w, 3600);
	cr_expect_eq(world_state(&w, 2), ONION_LISTED, "out of the list, and no more");
	cr_expect_eq(world_visible(&w), 2);
	w.verdict[1] = VERDICT_OK;
	world_seconds(&w, 3600);
	w.verdict[0] = VERDICT_CONTENT;
	world_seconds(&w, 1200);
	cr_expect_eq(world_state(&w, 1), ONION_GONE);
	cr_expect(w.o[1].warned);
	world_free(&w);
	world_listed_all(&w, 1);
	w.mirrors[0].revoke_on_content = true;
	world_reconfigure(&w);
	w.verdict[0] = VERDICT_CONTENT;
	world_seconds(&w, 3600);
	cr_expect_eq(world_state(&w, 1), ONION_LISTED);
	cr_expect_eq(world_notes(&w, NOTE_ALARM, "revoke"), 1, "once");
}

Test(mirror_revoke, what_a_machine_revokes_never_goes_out_in_an_empty_list)
{
	world_listed_all(&w, 2);
	w.mirrors[0].revoke_on_content = true;
	world_reconfigure(&w);
	w.publish_fails = true;
	w.verdict[0] = VERDICT_CONTENT;
	world_seconds(&w, 1200);
	cr_expect_eq(world_state(&w, 1), ONION_REVOKED);
	w.deaf = 1u << ACTION_PROBE;
	world_lose_tor(&w, 0, true);
	world_compare(&w, 0);
	world_fit(&w, 0, true);
	w.publish_fails = false;
	world_mark(&w);
	world_start(&w); /* nor after a restart */
	world_seconds(&w, 1200);
	cr_expect_eq(w.published, 0, "nothing is proved now");
	w.deaf = 0;
	w.verdict[0] = VERDICT_OK;
	world_seconds(&w, 1200);
	cr_expect(w.o[1].warned);
	cr_expect_eq(world_state(&w, 1), ONION_GONE);
	cr_expect_eq(world_visible(&w), 2);
}

Test(mirror_revoke, a_warning_that_is_out_is_not_published_again_after_a_restart)
{
	world_listed_all(&w, 2);
	w.deaf = 1u << ACTION_DEL_ONION | 1u << ACTION_PROBE;
	cr_expect_eq(world_revoke(&w, 0, 0, 4), 0);
	world_answer(&w);
	cr_expect(w.o[1].warned);
	cr_expect_eq(world_state(&w, 1), ONION_REVOKED);
	world_mark(&w);
	world_lose_tor(&w, 0, true);
	world_start(&w);
	world_seconds(&w, 1200);
	cr_expect_eq(w.published, 0, "the other address is not proved now: it would be an empty list");
	cr_expect_eq(world_visible(&w), 1);
	cr_expect_eq(world_state(&w, 1), ONION_GONE, "tor has lost it");
}

Test(mirror_revoke, a_revocation_asked_for_while_its_list_is_under_way_is_done_afterwards)
{
	world_listed_all(&w, 2);
	w.deaf = 1u << ACTION_PUBLISH;
	cr_expect_eq(world_rotate(&w, 0, 1), 0);
	world_answer(&w);
	cr_expect(w.o[3].flight);
	cr_expect_eq(world_revoke(&w, -1, 3, 2), 0);
	cr_expect_eq(world_revoke(&w, -1, 3, 3), ERR_REFUSED);
	w.deaf = 0;
	world_seconds(&w, 120);
	cr_expect_eq(world_state(&w, 3), ONION_GONE);
	cr_expect_eq(world_steps(&w, 2, "done"), 1);
	cr_expect_eq(world_visible(&w), 2);
}

Test(mirror_revoke, wrong_content_is_remembered_over_a_probe_that_says_nothing)
{
	world_listed_all(&w, 2);
	w.mirrors[0].revoke_on_content = true;
	world_reconfigure(&w);
	w.verdict[1] = w.check[1] = VERDICT_REFUSED;
	world_seconds(&w, 1800);
	cr_expect_eq(world_visible(&w), 1);
	w.verdict[0] = VERDICT_CONTENT;
	world_seconds(&w, 1200);
	cr_expect_eq(world_notes(&w, NOTE_ALARM, "revoke"), 1, "it is the last one");
	world_fit(&w, 0, false);
	world_seconds(&w, 900);
	world_fit(&w, 0, true);
	w.deaf = 1u << ACTION_PROBE; /* only the other one is heard of from now on */
	world_seconds(&w, 60);
	w.verdict[0] = VERDICT_INCONCLUSIVE;
	w.verdict[1] = w.check[1] = VERDICT_OK;
	w.deaf = 0;
	world_seconds(&w, 1800);
	cr_expect_eq(world_state(&w, 1), ONION_GONE);
	cr_expect(w.o[1].warned);
}

Test(mirror_revoke, what_waits_for_its_warning_keeps_no_place_in_the_batch_of_additions)
{
	uint64_t id;

	world_listed_all(&w, 7);
	w.uploads = 0;
	w.publish_fails = true;
	world_lose_tor(&w, 0, true);
	world_compare(&w, 0);
	world_fit(&w, 0, true);
	world_mark(&w);
	world_seconds(&w, 5);
	for (id = 1; id <= 7; id++)
		if (w.o[id].in_tor)
			cr_expect_eq(world_revoke(&w, -1, id, 0), 0);
	world_seconds(&w, 300);
	for (id = 1; id <= 7; id++)
		cr_expect_eq(world_count_of(&w, ACTION_ADD_ONION, id), 1, "onion %d", (int)id);
}
