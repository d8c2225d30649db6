/* SPDX-License-Identifier: BSD-3-Clause */
/* tor restarts, other controllers, and what a restart of ours finds. */
#include "config.h"
#include "world.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static struct world w;

static void
done(void)
{
	world_free(&w);
}

TestSuite(mirror_reconcile, .fini = done);

/* What changes tor or the set of onions. */
static unsigned
commands(void)
{
	return world_count(&w, ACTION_ADD_ONION) + world_count(&w, ACTION_DEL_ONION) + world_count(&w, ACTION_PLAN);
}

Test(mirror_reconcile, a_restarted_tor_gets_all_back_paced_and_nothing_is_signed_before_they_are_proved)
{
	int i;

	world_init(&w, 12, 1, 1);
	world_settled(&w);
	world_seconds(&w, 600);
	world_mark(&w);
	world_lose_tor(&w, 0, true);
	cr_expect_eq(world_view(&w, 3).state, MIRROR_INCONCLUSIVE);
	world_seconds(&w, 60);
	cr_expect_eq(world_count(&w, ACTION_ADD_ONION), 0);
	w.uploads = 1;
	w.deaf = 1u << ACTION_PROBE;
	world_compare(&w, 0);
	world_answer(&w);
	world_fit(&w, 0, true);
	cr_expect_leq(world_count(&w, ACTION_ADD_ONION), 1, "not all in one breath");
	world_seconds(&w, 3);
	cr_expect_eq(world_count(&w, ACTION_ADD_ONION), 5);
	/* A day: the list would be renewed. */
	world_seconds(&w, 86400);
	cr_expect_eq(world_count(&w, ACTION_ADD_ONION), 12);
	cr_expect_eq(w.published, 0);
	cr_expect_eq(world_visible(&w), 12);
	w.deaf = 0;
	world_seconds(&w, 60);
	cr_expect_eq(w.published, 1);
	for (i = 0; i < 12; i++) {
		cr_expect_eq(world_view(&w, i).state, MIRROR_UP);
		cr_expect_eq(world_listed(&w, i), (uint64_t)i + 1);
	}
	cr_expect_eq(world_count(&w, ACTION_DEL_ONION) + world_count(&w, ACTION_PLAN), 0);
}

Test(mirror_reconcile, a_mirror_that_does_not_come_back_is_given_up_within_the_rules)
{
	world_init(&w, 4, 1, 1);
	w.check[0] = VERDICT_REFUSED;
	world_settled(&w);
	w.verdict[0] = VERDICT_REFUSED;
	world_lose_tor(&w, 0, true);
	world_compare(&w, 0);
	world_fit(&w, 0, true);
	world_seconds(&w, 3600);
	cr_expect_eq(world_visible(&w), 3);
	cr_expect_eq(world_view(&w, 0).state, MIRROR_DOWN);
	w.verdict[0] = VERDICT_OK;
	world_seconds(&w, 3600);
	cr_expect_eq(world_visible(&w), 4);
}

Test(mirror_reconcile, many_that_do_not_come_back_are_kept)
{
	const char *why;

	world_init(&w, 4, 1, 1);
	world_settled(&w);
	w.verdict[0] = w.verdict[1] = w.verdict[2] = VERDICT_INTRO;
	world_lose_tor(&w, 0, true);
	world_compare(&w, 0);
	world_fit(&w, 0, true);
	world_seconds(&w, 86400);
	cr_expect_eq(world_visible(&w), 4);
	cr_expect_eq(w.published, 0);
	cr_expect(engine_in_panic(w.e, &why));
}

Test(mirror_reconcile, a_link_that_was_only_cut_changes_nothing)
{
	world_init(&w, 3, 1, 1);
	world_settled(&w);
	world_lose_tor(&w, 0, false);
	world_seconds(&w, 30);
	world_compare(&w, 0);
	world_compare(&w, 0);
	world_fit(&w, 0, true);
	world_seconds(&w, 600);
	cr_expect_eq(commands() + world_count(&w, ACTION_PUBLISH), 0);
	cr_expect_eq(world_view(&w, 0).state, MIRROR_UP);
}

Test(mirror_reconcile, what_another_controller_deletes_is_put_back_with_an_alarm_at_the_third)
{
	unsigned k;

	world_init(&w, 2, 1, 1);
	world_settled(&w);
	for (k = 1; k <= 3; k++) {
		w.o[1].in_tor = false;
		world_compare(&w, 0);
		world_seconds(&w, 60);
		cr_expect(w.o[1].in_tor);
		cr_expect_eq(world_notes(&w, NOTE_DECISION, "put-back"), k);
		cr_expect_eq(world_notes(&w, NOTE_ALARM, "contested"), k == 3 ? 1 : 0);
		cr_expect_eq(world_view(&w, 0).state, MIRROR_UP);
	}
	cr_expect_eq(world_listed(&w, 0), 1);
	cr_expect_eq(world_count(&w, ACTION_PLAN), 0);
}

Test(mirror_reconcile, a_probe_from_before_the_loss_proves_nothing_about_the_new_service)
{
	struct phases ph = { 0 };

	world_init(&w, 2, 1, 1);
	world_settled(&w);
	w.mirrors[0].rise = 1;
	engine_reconfigure(w.e, w.now, &w.cfg, &w.out);
	w.deaf = 1u << ACTION_PROBE;
	world_take(&w);
	world_seconds(&w, 400);
	cr_expect_geq(world_pending(&w, ACTION_PROBE), 1);
	w.o[1].in_tor = false;
	world_compare(&w, 0);
	world_answer(&w);
	cr_expect(w.o[1].in_tor);
	engine_on_probe(w.e, w.now, 1, 0, VERDICT_OK, FETCH_NONE, &ph, &w.out);
	world_take(&w);
	cr_expect_not(engine_onion(w.e, 1)->proved);
}

Test(mirror_reconcile, an_onion_that_is_leaving_is_never_added_again)
{
	struct err err = ERR_INIT;
	int k;

	world_init(&w, 6, 1, 1);
	world_settled(&w);
	for (k = 0; k < 6; k++) {
		cr_expect_eq(engine_rotate(w.e, w.now, k, (uint64_t)k + 1, &w.out, &err), 0);
		world_take(&w);
		world_answer(&w);
	}
	w.uploads = 3; /* never sixteen: a slot is free when the onion is proved */
	world_lose_tor(&w, 0, true);
	world_compare(&w, 0);
	world_fit(&w, 0, true);
	world_seconds(&w, 1000);
	for (k = 1; k <= 6; k++) {
		cr_expect_eq(world_count_of(&w, ACTION_ADD_ONION, (uint64_t)k), 0, "%d", k);
		cr_expect_eq(world_state(&w, (uint64_t)k), ONION_GONE, "%d", k);
		cr_expect(w.o[k].shredded, "%d", k);
		cr_expect(w.o[k + 6].in_tor, "%d", k);
	}
}

Test(mirror_reconcile, a_drain_is_not_cut_short_by_our_own_restart)
{
	struct err err = ERR_INIT;
	int k;

	for (k = 0; k < 20; k++) {
		if (k > 0)
			world_free(&w);
		world_init(&w, 1, 1, (uint64_t)k + 1);
		world_settled(&w);
		cr_expect_eq(engine_rotate(w.e, w.now, 0, 1, &w.out, &err), 0);
		world_take(&w);
		world_seconds(&w, 60);
		cr_expect_eq(world_state(&w, 1), ONION_LEAVING);
		world_advance(&w, 777 + 50 * k); /* somewhere within a second */
		world_start(&w);
		world_seconds(&w, 3500);
		cr_expect(w.o[1].in_tor);
		world_seconds(&w, 150);
		cr_expect_eq(world_state(&w, 1), ONION_GONE); /* world.c looks at the very second */
	}
}

Test(mirror_reconcile, tor_that_says_it_has_it_already_is_believed_but_it_is_proved)
{
	world_init(&w, 1, 1, 1);
	w.deaf = 1u << ACTION_ADD_ONION;
	world_start(&w);
	world_seconds(&w, 1);
	w.o[1].in_tor = true;
	w.deaf = 1u << ACTION_PROBE;
	world_answer(&w);
	cr_expect_eq(world_state(&w, 1), ONION_PROVING);
	w.deaf = 0;
	world_answer(&w);
	cr_expect_eq(world_state(&w, 1), ONION_LISTED);
}

/* One stored onion in some state, in tor or not, and a restart of ours: it converges, and twice is as once. */
static void
restart_with(enum onion_state s, bool present, bool proved)
{
	struct onion_record r = { 0 };
	bool final = s >= ONION_LEAVING;
	const char *name = onion_state_name(s);

	world_init(&w, 1, 1, 7);
	r.id = w.last_id = 1;
	snprintf(r.address, sizeof r.address, "onion%051d", 1);
	strcpy(r.mirror, "m0");
	strcpy(r.tor, "tor0");
	r.state = s;
	r.proved = proved;
	r.created = r.added = WORLD_WALL - 600;
	r.in_list = s == ONION_LISTED;
	r.listed = s >= ONION_LISTED && s != ONION_FAILED ? WORLD_WALL - 300 : 0;
	r.leave_until = s == ONION_LEAVING ? WORLD_WALL + 300 : 0;
	w.o[1].known = true;
	w.o[1].saved = r;
	w.o[1].in_tor = present;
	w.o[1].proved = proved && (present || s == ONION_LISTED); /* a new one is not listed unseen */
	w.o[1].visible = r.in_list;
	world_start(&w);
	world_start(&w);
	world_seconds(&w, 1200);
	cr_expect_str_eq(w.failure, "", "%s %d %d: %s", name, present, proved, w.failure);
	cr_expect_eq(world_view(&w, 0).state, MIRROR_UP, "%s %d %d", name, present, proved);
	cr_expect_eq(world_listed(&w, 0), final ? 2 : 1, "%s %d %d", name, present, proved);
	cr_expect_eq(world_visible(&w), 1, "%s %d %d", name, present, proved);
	cr_expect_eq(w.o[1].in_tor, !final, "%s %d %d", name, present, proved);
	cr_expect_eq(w.o[1].shredded, final, "%s %d %d", name, present, proved);
	cr_expect_eq(world_count_of(&w, ACTION_ADD_ONION, 1) > 0, !present && !final, "%s %d %d",
	    name, present, proved);
	/* Again: nothing is left to do. */
	world_mark(&w);
	world_start(&w);
	cr_expect_eq(commands(), 0, "%s", name);
	world_free(&w);
}

Test(mirror_reconcile, each_state_with_and_without_its_service_converges_after_a_restart, .fini = NULL)
{
	int s;

	for (s = 0; s < ONION__STATES; s++) {
		restart_with((enum onion_state)s, true, false);
		restart_with((enum onion_state)s, false, false);
		if (s == ONION_READY || s == ONION_LISTED) {
			restart_with((enum onion_state)s, true, true);
			restart_with((enum onion_state)s, false, true);
		}
	}
	world_init(&w, 1, 1, 1); /* for the end of the suite */
}

Test(mirror_reconcile, killed_at_any_moment_of_a_rotation_it_converges)
{
	struct err err = ERR_INIT;
	int k, n;

	for (k = 0; k < 60; k++) {
		if (k > 0)
			world_free(&w);
		world_init(&w, 2, 1, (uint64_t)k + 1);
		world_settled(&w);
		cr_expect_eq(engine_rotate(w.e, w.now, 0, 1, &w.out, &err), 0);
		world_take(&w);
		for (n = 0; n < k && w.n_pending > 0; n++)
			(void)world_answer_one(&w, 0);
		world_start(&w);
		world_seconds(&w, 2 * 3600);
		cr_expect_eq(world_visible(&w), 2);
		cr_expect_eq(world_view(&w, 0).state, MIRROR_UP);
		cr_expect_eq(world_view(&w, 0).leaving, 0);
		cr_expect(w.o[2].visible);
		cr_expect_str_eq(w.failure, "", "%d: %s", k, w.failure);
	}
}

Test(mirror_reconcile, an_address_that_the_next_list_retires_is_not_added_again)
{
	uint64_t old;

	world_init(&w, 2, 1, 1);
	world_settled(&w);
	old = world_listed(&w, 0);
	w.deaf = 1u << ACTION_PUBLISH;
	cr_assert_eq(engine_rotate(w.e, w.now, 0, 1, &w.out, NULL), 0);
	world_take(&w);
	world_seconds(&w, 60);
	cr_assert_eq(world_pending(&w, ACTION_PUBLISH), 1, "its successor is proved");
	world_mark(&w);
	w.o[old].in_tor = false;
	world_compare(&w, 0);
	world_seconds(&w, 10);
	cr_expect_eq(world_count_of(&w, ACTION_ADD_ONION, old), 0);
}

Test(mirror_reconcile, an_address_that_a_second_try_to_publish_retires_is_not_added_again)
{
	uint64_t old;

	world_init(&w, 2, 1, 1);
	world_settled(&w);
	old = world_listed(&w, 0);
	w.publish_fails = true;
	cr_assert_eq(engine_rotate(w.e, w.now, 0, 1, &w.out, NULL), 0);
	world_take(&w);
	while (world_notes(&w, NOTE_ALARM, "publish") == 0)
		world_seconds(&w, 1);
	w.publish_fails = false;
	w.deaf = 1u << ACTION_PUBLISH;
	while (world_pending(&w, ACTION_PUBLISH) == 0)
		world_seconds(&w, 1);
	world_mark(&w);
	w.o[old].in_tor = false;
	world_compare(&w, 0);
	world_seconds(&w, 10);
	cr_expect_eq(world_count_of(&w, ACTION_ADD_ONION, old), 0);
}

Test(mirror_reconcile, what_tor_says_is_told_in_printable_characters)
{
	char why[400];
	const char *text = NULL, *c;
	size_t i;

	memset(why, '\xc3', sizeof why);
	why[sizeof why - 1] = '\0';
	memcpy(why, "no \x1b[2J", 7);
	world_init(&w, 1, 1, 1);
	w.deaf = 1u << ACTION_ADD_ONION;
	world_start(&w);
	world_answer(&w);
	engine_on_add_failed(w.e, w.now, 1, ADD_REFUSED, why, &w.out);
	world_take(&w);
	for (i = 0; i < w.log.n; i++)
		if (w.log.v[i].kind == ACTION_NOTE && strcmp(w.log.v[i].step, "refused") == 0)
			text = w.log.v[i].text;
	cr_assert_not_null(text);
	cr_expect_not_null(strstr(text, "no \\x1b[2J\\xc3\\xc3"), "%s", text);
	for (c = text; *c != '\0'; c++)
		cr_expect(*c >= ' ' && *c <= '~');
}
