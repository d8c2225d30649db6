/* SPDX-License-Identifier: BSD-3-Clause */
/* Actions that waited for the disk, and what happened meanwhile. */
#include "config.h"
#include "world.h"

#include <criterion/criterion.h>

static struct world w;

static void
done(void)
{
	world_free(&w);
}

TestSuite(mirror_overtaken, .fini = done);

/* The first of these that waits. */
static struct action
waiting(enum action_kind kind, uint64_t onion)
{
	size_t i = 0;

	while (i < w.n_pending && (w.pending[i].a.kind != kind || (onion != 0 && w.pending[i].a.onion != onion)))
		i++;
	cr_assert_lt(i, w.n_pending, "no such action waits");
	return w.pending[i].a;
}

static bool
is_taken(const struct action *a)
{
	bool taken = engine_take_action(w.e, w.now, a, &w.out);

	world_take(&w);
	return taken;
}

static void
restart_tor(void)
{
	world_lose_tor(&w, 0, true);
	world_compare(&w, 0);
	world_fit(&w, 0, true);
	world_seconds(&w, 5);
}

Test(mirror_overtaken, of_two_additions_of_one_onion_only_the_newer_is_sent)
{
	struct action first, second;

	world_listed_all(&w, 2);
	w.deaf = 1u << ACTION_ADD_ONION;
	restart_tor();
	first = waiting(ACTION_ADD_ONION, 1);
	restart_tor();
	second = waiting(ACTION_ADD_ONION, 1);
	cr_expect_not(is_taken(&first));
	cr_expect(is_taken(&second));
}

Test(mirror_overtaken, an_address_that_was_retired_or_revoked_meanwhile_is_not_added_again)
{
	struct action a, b;

	world_listed_all(&w, 3);
	w.deaf = 1u << ACTION_ADD_ONION | 1u << ACTION_DEL_ONION;
	restart_tor();
	a = waiting(ACTION_ADD_ONION, 1);
	b = waiting(ACTION_ADD_ONION, 2);
	cr_expect_eq(world_revoke(&w, 0, 0, 1), 0);
	cr_expect_not(is_taken(&a));
	cr_expect(is_taken(&b), "this one is still wanted");
	world_seconds(&w, 60);
	cr_expect_eq(world_state(&w, 1), ONION_GONE, "it was never there: nothing waits for tor");
}

Test(mirror_overtaken, a_deletion_is_not_sent_when_the_service_was_found_again)
{
	struct action del;

	world_init(&w, 2, 1, 1);
	w.uploads = 0;
	w.deaf = 1u << ACTION_DEL_ONION;
	world_start(&w);
	world_seconds(&w, 125);
	del = waiting(ACTION_DEL_ONION, 1);
	cr_expect(is_taken(&del));
	world_lose_tor(&w, 0, false);
	w.o[1].in_tor = true;
	world_compare(&w, 0);
	cr_expect_not(is_taken(&del), "it may be in the list before this is carried out");
}

Test(mirror_overtaken, a_question_that_nobody_waits_for_is_not_asked)
{
	struct action probe, check;

	world_listed_all(&w, 2);
	w.verdict[0] = VERDICT_TIMEOUT;
	w.deaf = 1u << ACTION_CHECK;
	while (world_pending(&w, ACTION_CHECK) == 0)
		world_seconds(&w, 1);
	check = waiting(ACTION_CHECK, 1);
	cr_expect(is_taken(&check));
	engine_on_check(w.e, w.now, 0, VERDICT_INCONCLUSIVE, &w.out);
	world_take(&w);
	cr_expect_not(is_taken(&check));
	w.deaf = 1u << ACTION_PROBE;
	while (world_pending(&w, ACTION_PROBE) == 0)
		world_seconds(&w, 1);
	probe = waiting(ACTION_PROBE, 0);
	cr_expect(is_taken(&probe));
	w.deaf = 0;
	world_answer(&w);
	cr_expect_not(is_taken(&probe));
}

Test(mirror_overtaken, no_key_is_made_for_a_mirror_that_waits_for_none)
{
	struct action plan;

	world_init(&w, 2, 1, 1);
	w.deaf = 1u << ACTION_PLAN;
	world_start(&w);
	plan = waiting(ACTION_PLAN, 0);
	cr_expect(is_taken(&plan));
	engine_on_plan_failed(w.e, w.now, plan.mirror, &w.out);
	world_take(&w);
	cr_expect_not(is_taken(&plan));
	plan.mirror = 7;
	cr_expect_not(is_taken(&plan), "it is no longer configured");
}

Test(mirror_overtaken, an_addition_that_tor_wants_otherwise_is_asked_for_again_at_once)
{
	world_init(&w, 1, 1, 1);
	w.deaf = 1u << ACTION_ADD_ONION;
	world_start(&w);
	world_answer(&w);
	cr_expect_eq(world_count(&w, ACTION_ADD_ONION), 1);
	engine_on_add_failed(w.e, w.now, 1, ADD_AGAIN, "", &w.out);
	world_take(&w);
	cr_expect_eq(world_count(&w, ACTION_ADD_ONION), 2);
	cr_expect_eq(world_notes(&w, NOTE_ALARM, "refused"), 0);
}
