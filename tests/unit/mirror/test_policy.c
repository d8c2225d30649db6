/* SPDX-License-Identifier: BSD-3-Clause */
/* What operators ask for: drain, maintenance, revocation; and spares. */
#include "config.h"
#include "world.h"

#include <criterion/criterion.h>
#include <string.h>

static struct world w;

static void
done(void)
{
	world_free(&w);
}

TestSuite(mirror_policy, .fini = done);

static int
code(int r, const struct err *err)
{
	world_take(&w);
	return r == 0 ? 0 : (int)err->code;
}

static int
drain(int mirror, uint64_t op)
{
	struct err err = ERR_INIT;

	return code(engine_drain(w.e, w.now, mirror, op, &w.out, &err), &err);
}

static int
maint(int mirror, bool on, uint64_t op)
{
	struct err err = ERR_INIT;

	return code(engine_maint(w.e, w.now, mirror, on, op, &w.out, &err), &err);
}

static int
revoke(int mirror, uint64_t onion, uint64_t op)
{
	struct err err = ERR_INIT;
	int r = mirror >= 0 ? engine_revoke(w.e, w.now, mirror, op, &w.out, &err) : engine_revoke_onion(w.e, w.now, onion, op, &w.out, &err);

	return code(r, &err);
}

static int
rotate(int mirror, uint64_t op)
{
	struct err err = ERR_INIT;

	return code(engine_rotate(w.e, w.now, mirror, op, &w.out, &err), &err);
}

static void
start(size_t n)
{
	uint64_t id;

	world_init(&w, n, 1, 1);
	world_settled(&w);
	for (id = 1; id <= w.last_id; id++)
		engine_set_tombstone_until(w.e, id, w.now.wall + 90 * 86400, &w.out);
	world_take(&w);
	world_mark(&w);
}

static bool
is_tombstone(uint64_t id)
{
	uint64_t dead[16];
	size_t n = engine_tombstones(w.e, w.now.wall, dead, 16), i;

	for (i = 0; i < n && i < 16; i++)
		if (dead[i] == id)
			return true;
	return false;
}

/* --- drain ----------------------------------------------------------------- */

Test(mirror_policy, drain_takes_a_mirror_out_and_its_address_leaves_until_it_is_rotated)
{
	start(2);
	cr_expect_eq(drain(0, 5), 0);
	world_answer(&w);
	cr_expect_eq(world_visible(&w), 1);
	cr_expect_eq(world_state(&w, 1), ONION_LEAVING);
	cr_expect(is_tombstone(1));
	cr_expect_eq(world_steps(&w, 5, "delisted"), 1);
	cr_expect_eq(world_steps(&w, 5, "done"), 1);
	cr_expect_eq(world_view(&w, 0).state, MIRROR_DRAINED);
	cr_expect_eq(drain(0, 6), ERR_REFUSED);
	world_seconds(&w, 2 * 3600);
	cr_expect_eq(world_state(&w, 1), ONION_GONE);
	cr_expect_eq(world_count(&w, ACTION_PLAN), 0, "no new one");
	world_start(&w);
	world_seconds(&w, 600);
	cr_expect_eq(world_view(&w, 0).state, MIRROR_DRAINED, "also after a restart");
	cr_expect_eq(rotate(0, 7), 0);
	world_seconds(&w, 60);
	cr_expect_eq(world_view(&w, 0).state, MIRROR_UP);
	cr_expect_eq(world_visible(&w), 2);
}

Test(mirror_policy, drain_and_maint_are_refused_for_the_only_address)
{
	start(2);
	cr_expect_eq(drain(0, 1), 0);
	world_answer(&w);
	cr_expect_eq(drain(1, 2), ERR_REFUSED);
	cr_expect_eq(maint(1, true, 3), ERR_REFUSED);
	cr_expect_eq(drain(7, 4), ERR_NOTFOUND);
	world_answer(&w);
	cr_expect_eq(world_visible(&w), 1);
}

Test(mirror_policy, drain_ends_a_rotation_that_is_under_way)
{
	start(2);
	w.deaf = 1u << ACTION_PROBE;
	cr_expect_eq(rotate(0, 1), 0);
	world_answer(&w);
	cr_expect_eq(drain(0, 2), 0);
	w.deaf = 0;
	world_seconds(&w, 30);
	cr_expect_eq(world_steps(&w, 1, "failed"), 1);
	cr_expect_eq(world_state(&w, 3), ONION_FAILED);
	cr_expect_eq(world_state(&w, 1), ONION_LEAVING);
}

/* --- maintenance ------------------------------------------------------------ */

Test(mirror_policy, maintenance_is_out_of_the_list_without_alarm_or_rotation_and_back_after_rise)
{
	start(3);
	w.mirrors[0].rotate_every_s = 3600;
	engine_reconfigure(w.e, w.now, &w.cfg, &w.out);
	world_take(&w);
	cr_expect_eq(maint(0, true, 9), 0);
	world_answer(&w);
	cr_expect_eq(world_visible(&w), 2);
	cr_expect_eq(world_steps(&w, 9, "done"), 1);
	cr_expect_eq(world_view(&w, 0).state, MIRROR_MAINT);
	cr_expect_not(is_tombstone(1), "it comes back");
	world_mark(&w);
	w.verdict[0] = VERDICT_CONTENT;
	world_seconds(&w, 6 * 3600);
	w.o[1].verdict = VERDICT_INTRO;
	world_seconds(&w, 6 * 3600);
	cr_expect_eq(world_notes(&w, NOTE_ALARM, "content"), 0);
	cr_expect_eq(world_count(&w, ACTION_PLAN), 0);
	cr_expect_gt(world_count_of(&w, ACTION_PROBE, 1), 10, "still probed");
	w.verdict[0] = w.o[1].verdict = VERDICT_OK;
	world_seconds(&w, 3600);
	cr_expect_eq(world_visible(&w), 2, "well, but held");
	cr_expect_eq(rotate(0, 10), ERR_REFUSED);
	world_start(&w);
	world_seconds(&w, 600);
	cr_expect_eq(world_view(&w, 0).state, MIRROR_MAINT, "also after a restart");
	w.mirrors[0].rotate_every_s = 0;
	engine_reconfigure(w.e, w.now, &w.cfg, &w.out);
	world_take(&w);
	world_answer(&w);
	cr_expect_eq(maint(0, false, 11), 0);
	cr_expect_eq(world_visible(&w), 2);
	world_seconds(&w, 600);
	cr_expect_eq(world_visible(&w), 3);
	cr_expect_eq(world_listed(&w, 0), 1);
	cr_expect_eq(maint(0, false, 12), ERR_REFUSED);
}

/* --- revocation --------------------------------------------------------------- */

Test(mirror_policy, revoke_warns_readers_first_then_deletes_and_destroys_the_key)
{
	start(2);
	w.deaf = 1u << ACTION_PUBLISH;
	cr_expect_eq(revoke(0, 0, 4), 0);
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
	cr_expect_eq(revoke(-1, 1, 5), ERR_REFUSED);
	world_seconds(&w, 60);
	cr_expect_eq(world_listed(&w, 0), 3);
	cr_expect_eq(w.o[3].saved.cause, CAUSE_REVOKED);
	cr_expect(is_tombstone(1));
}

Test(mirror_policy, revoke_of_the_only_address_leaves_an_empty_list_rather_than_an_enemy_in_it)
{
	start(1);
	w.deaf = 1u << ACTION_PROBE;
	cr_expect_eq(revoke(0, 0, 4), 0);
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

Test(mirror_policy, revoke_waits_for_nothing_not_for_others_that_are_proved_again)
{
	start(3);
	w.deaf = 1u << ACTION_PROBE;
	world_lose_tor(&w, 0, true);
	world_compare(&w, 0);
	world_fit(&w, 0, true);
	world_seconds(&w, 10);
	cr_expect_eq(w.published, 0);
	cr_expect_eq(revoke(0, 0, 4), 0);
	world_answer(&w);
	cr_expect_eq(w.published, 1);
	cr_expect_not(w.o[1].visible);
	w.deaf = 0;
	world_seconds(&w, 1200);
	cr_expect_eq(world_visible(&w), 3, "they come back");
}

Test(mirror_policy, revoke_reaches_addresses_that_left_and_those_on_their_way)
{
	start(2);
	cr_expect_eq(rotate(0, 1), 0);
	world_seconds(&w, 60);
	cr_expect_eq(world_state(&w, 1), ONION_LEAVING);
	cr_expect_eq(revoke(-1, 1, 2), 0);
	world_answer(&w);
	cr_expect_eq(world_state(&w, 1), ONION_GONE, "its drain is no matter any more");
	cr_expect(w.o[1].warned);
	/* One that is gone: what is left of it is its tombstone. */
	cr_expect_eq(rotate(0, 3), 0);
	world_seconds(&w, 2 * 3600);
	cr_expect_eq(world_state(&w, 3), ONION_GONE);
	engine_set_tombstone_until(w.e, 3, w.now.wall + 86400, &w.out);
	world_take(&w);
	cr_expect_eq(revoke(-1, 3, 4), 0);
	world_answer(&w);
	cr_expect(w.o[3].warned);
	cr_expect_eq(world_steps(&w, 4, "done"), 1);
	/* A candidate was in no list: it just ends. */
	w.deaf = 1u << ACTION_PROBE;
	cr_expect_eq(rotate(0, 5), 0);
	world_answer(&w);
	cr_expect_eq(revoke(-1, w.last_id, 6), 0);
	cr_expect_eq(world_steps(&w, 5, "failed"), 1);
	cr_expect_eq(world_steps(&w, 6, "done"), 1);
	cr_expect_eq(revoke(-1, 77, 7), ERR_NOTFOUND);
}

Test(mirror_policy, revoke_goes_on_after_kill_9_and_without_the_link)
{
	start(2);
	w.publish_fails = true;
	cr_expect_eq(revoke(0, 0, 4), 0);
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

Test(mirror_policy, wrong_content_revokes_only_where_that_is_asked_for_and_something_is_left)
{
	start(3);
	w.mirrors[0].revoke_on_content = true;
	engine_reconfigure(w.e, w.now, &w.cfg, &w.out);
	world_take(&w);
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
	start(1);
	w.mirrors[0].revoke_on_content = true;
	engine_reconfigure(w.e, w.now, &w.cfg, &w.out);
	world_take(&w);
	w.verdict[0] = VERDICT_CONTENT;
	world_seconds(&w, 3600);
	cr_expect_eq(world_state(&w, 1), ONION_LISTED);
	cr_expect_eq(world_notes(&w, NOTE_ALARM, "revoke"), 1, "once");
}

Test(mirror_policy, what_a_machine_revokes_never_goes_out_in_an_empty_list)
{
	start(2);
	w.mirrors[0].revoke_on_content = true;
	engine_reconfigure(w.e, w.now, &w.cfg, &w.out);
	world_take(&w);
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

Test(mirror_policy, a_warning_that_is_out_is_not_published_again_after_a_restart)
{
	start(2);
	w.deaf = 1u << ACTION_DEL_ONION | 1u << ACTION_PROBE;
	cr_expect_eq(revoke(0, 0, 4), 0);
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

Test(mirror_policy, an_operation_that_cannot_end_is_told_so_and_goes_on)
{
	start(2);
	w.deaf = 1u << ACTION_PUBLISH;
	cr_expect_eq(drain(0, 1), 0);
	cr_expect_eq(revoke(1, 0, 2), 0);
	world_seconds(&w, 590);
	cr_expect_eq(world_steps(&w, 1, "failed") + world_steps(&w, 2, "failed"), 0);
	world_seconds(&w, 20);
	cr_expect_eq(world_steps(&w, 1, "failed"), 1);
	cr_expect_eq(world_steps(&w, 2, "failed"), 1);
	w.deaf = 0;
	world_seconds(&w, 60);
	cr_expect_eq(world_state(&w, 1), ONION_LEAVING);
	cr_expect_eq(world_state(&w, 2), ONION_GONE);
}

Test(mirror_policy, a_revocation_asked_for_while_its_list_is_under_way_is_done_afterwards)
{
	start(2);
	w.deaf = 1u << ACTION_PUBLISH;
	cr_expect_eq(rotate(0, 1), 0);
	world_answer(&w);
	cr_expect(w.o[3].flight);
	cr_expect_eq(revoke(-1, 3, 2), 0);
	cr_expect_eq(revoke(-1, 3, 3), ERR_REFUSED);
	w.deaf = 0;
	world_seconds(&w, 120);
	cr_expect_eq(world_state(&w, 3), ONION_GONE);
	cr_expect_eq(world_steps(&w, 2, "done"), 1);
	cr_expect_eq(world_visible(&w), 2);
}

Test(mirror_policy, a_spare_stays_out_while_most_fail_together)
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

/* --- spares ---------------------------------------------------------------------- */

static void
start_spare(size_t n)
{
	world_init(&w, n, 1, 1);
	w.mirrors[n - 1].spare = true;
	world_settled(&w);
}

Test(mirror_policy, a_spare_is_proved_and_kept_out_of_the_list_and_proved_anew)
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

Test(mirror_policy, a_spare_comes_in_when_a_mirror_goes_out_and_leaves_after_a_while_without_tombstone)
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
	cr_expect_not(is_tombstone(3));
	/* And again, at once. */
	cr_expect_eq(maint(0, true, 1), 0);
	world_answer(&w);
	cr_expect_eq(world_listed(&w, 2), 3);
	cr_expect_eq(world_visible(&w), 2);
}

Test(mirror_policy, a_spare_lets_one_out_that_min_listed_kept_in)
{
	start_spare(3);
	w.cfg.min_listed = 2;
	engine_reconfigure(w.e, w.now, &w.cfg, &w.out);
	world_take(&w);
	w.verdict[0] = w.check[0] = VERDICT_REFUSED;
	world_seconds(&w, 1200);
	cr_expect_eq(world_visible(&w), 2);
	cr_expect_not(w.o[1].visible);
	cr_expect(w.o[3].visible);
}

Test(mirror_policy, a_spare_with_a_dead_backend_keeps_its_address_and_one_taken_down_gets_another)
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

Test(mirror_policy, a_spare_that_is_listed_stays_so_over_a_restart)
{
	start_spare(3);
	cr_expect_eq(maint(0, true, 1), 0);
	world_answer(&w);
	cr_expect_eq(world_listed(&w, 2), 3);
	world_start(&w);
	world_mark(&w);
	world_seconds(&w, 3600);
	cr_expect_eq(world_listed(&w, 2), 3);
	cr_expect_eq(world_visible(&w), 2);
}

/* --- drained addresses, and old records ---------------------------------------------- */

Test(mirror_policy, an_address_with_clients_goes_when_they_are_gone_or_a_day_later)
{
	start(2);
	w.o[1].clients = 3;
	cr_expect_eq(rotate(0, 1), 0);
	world_seconds(&w, 3600 + 7200);
	cr_expect(w.o[1].in_tor, "it still has clients");
	w.o[1].clients = 0;
	world_seconds(&w, 500);
	cr_expect(w.o[1].in_tor, "not quiet for long enough");
	world_seconds(&w, 200);
	cr_expect_not(w.o[1].in_tor);
	w.o[3].clients = 1;
	cr_expect_eq(rotate(0, 2), 0);
	world_seconds(&w, 3600 + 86400 - 60);
	cr_expect(w.o[3].in_tor);
	world_seconds(&w, 120);
	cr_expect_not(w.o[3].in_tor, "the hard limit");
	cr_expect_eq(world_notes(&w, NOTE_DECISION, "cut"), 1);
	w.o[4].clients = -1;
	cr_expect_eq(rotate(0, 3), 0);
	world_seconds(&w, 3720);
	cr_expect_not(w.o[4].in_tor, "not known counts as none");
}

Test(mirror_policy, a_short_drain_asks_for_no_more_quiet_than_its_own_length)
{
	world_init(&w, 2, 1, 1);
	w.mirrors[0].drain_s = 30;
	world_settled(&w);
	w.o[1].clients = 1;
	cr_expect_eq(rotate(0, 1), 0);
	world_seconds(&w, 60);
	cr_expect_eq(world_state(&w, 1), ONION_LEAVING);
	cr_expect(w.o[1].in_tor, "it still has clients");
	w.o[1].clients = 0;
	world_seconds(&w, 50);
	cr_expect_not(w.o[1].in_tor);
}

Test(mirror_policy, an_address_whose_grace_ended_while_we_were_away_is_asked_about_before_it_goes)
{
	start(2);
	w.o[1].clients = 2;
	cr_expect_eq(rotate(0, 1), 0);
	world_seconds(&w, 60);
	w.now.mono += 2 * 3600 * 1000;
	w.now.wall += 2 * 3600;
	world_start(&w);
	world_answer(&w);
	world_seconds(&w, 60);
	cr_expect(w.o[1].in_tor);
}

Test(mirror_policy, records_that_nobody_needs_are_forgotten)
{
	start(2);
	engine_set_tombstone_until(w.e, 1, w.now.wall + 91 * 86400, &w.out);
	world_take(&w);
	cr_expect_eq(rotate(0, 1), 0);
	world_seconds(&w, 7200);
	cr_expect_eq(world_state(&w, 1), ONION_GONE);
	world_seconds(&w, 3 * 86400);
	cr_expect_eq(world_count(&w, ACTION_FORGET), 0, "its tombstone stands");
	world_seconds(&w, 90 * 86400LL);
	cr_expect_eq(world_count_of(&w, ACTION_FORGET, 1), 1);
	cr_expect_null(engine_onion(w.e, 1));
	cr_expect_eq(world_visible(&w), 2);
}

Test(mirror_policy, a_tor_that_stays_away_does_not_hold_the_list_back_for_ever)
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

Test(mirror_policy, where_min_listed_wants_it_the_list_waits_longer_and_an_empty_one_never_comes)
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

/* --- evidence --------------------------------------------------------------------------- */

Test(mirror_policy, a_decision_can_be_explained)
{
	char text[2048], cut[40];
	const char *const parts[] = { "no-descriptor", "in a row: 0 ok,", "backend: ok", "tor tor0: linked, fit", "uploads:", "1 of 6 automatic",
		"serial ", "min-listed 1" };
	size_t i;

	start(3);
	w.o[1].verdict = VERDICT_NO_DESCRIPTOR;
	while (world_count(&w, ACTION_PLAN) == 0)
		world_seconds(&w, 1);
	engine_evidence(w.e, w.now, 1, -1, text, sizeof text);
	for (i = 0; i < sizeof parts / sizeof parts[0]; i++)
		cr_expect_not_null(strstr(text, parts[i]), "%s in:\n%s", parts[i], text);
	cr_expect_null(strstr(text, w.o[1].saved.address));
	engine_evidence(w.e, w.now, 1, -1, cut, sizeof cut);
	cr_expect_eq(strlen(cut), sizeof cut - 1);
	engine_evidence(w.e, w.now, 0, -1, text, sizeof text);
	cr_expect_not_null(strstr(text, "list: serial"));
}
