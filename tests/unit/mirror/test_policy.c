/* SPDX-License-Identifier: BSD-3-Clause */
/* What operators ask for: drain and maintenance; and why it was decided so. */
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

Test(mirror_policy, drain_takes_a_mirror_out_and_its_address_leaves_until_it_is_rotated)
{
	world_listed_all(&w, 2);
	cr_expect_eq(world_drain(&w, 0, 5), 0);
	world_answer(&w);
	cr_expect_eq(world_visible(&w), 1);
	cr_expect_eq(world_state(&w, 1), ONION_LEAVING);
	cr_expect(world_is_tombstone(&w, 1));
	cr_expect_eq(world_steps(&w, 5, "delisted"), 1);
	cr_expect_eq(world_steps(&w, 5, "done"), 1);
	cr_expect_eq(world_view(&w, 0).state, MIRROR_DRAINED);
	cr_expect_eq(world_drain(&w, 0, 6), ERR_REFUSED);
	world_seconds(&w, 2 * 3600);
	cr_expect_eq(world_state(&w, 1), ONION_GONE);
	cr_expect_eq(world_count(&w, ACTION_PLAN), 0, "no new one");
	world_start(&w);
	world_seconds(&w, 600);
	cr_expect_eq(world_view(&w, 0).state, MIRROR_DRAINED, "also after a restart");
	cr_expect_eq(world_rotate(&w, 0, 7), 0);
	world_seconds(&w, 60);
	cr_expect_eq(world_view(&w, 0).state, MIRROR_UP);
	cr_expect_eq(world_visible(&w), 2);
}

Test(mirror_policy, what_is_well_in_maintenance_is_probed_at_its_interval)
{
	world_listed_all(&w, 2);
	cr_expect_eq(world_maint(&w, 0, true, 3), 0);
	world_seconds(&w, 600);
	world_mark(&w);
	world_seconds(&w, 20 * 300);
	cr_expect(world_count_of(&w, ACTION_PROBE, 1) < 30, "%u probes", world_count_of(&w, ACTION_PROBE, 1));
}

Test(mirror_policy, drain_and_maint_are_refused_for_the_only_address)
{
	world_listed_all(&w, 2);
	cr_expect_eq(world_drain(&w, 0, 1), 0);
	world_answer(&w);
	cr_expect_eq(world_drain(&w, 1, 2), ERR_REFUSED);
	cr_expect_eq(world_maint(&w, 1, true, 3), ERR_REFUSED);
	cr_expect_eq(world_drain(&w, 7, 4), ERR_NOTFOUND);
	world_answer(&w);
	cr_expect_eq(world_visible(&w), 1);
}

Test(mirror_policy, drain_ends_a_rotation_that_is_under_way)
{
	world_listed_all(&w, 2);
	w.deaf = 1u << ACTION_PROBE;
	cr_expect_eq(world_rotate(&w, 0, 1), 0);
	world_answer(&w);
	cr_expect_eq(world_drain(&w, 0, 2), 0);
	w.deaf = 0;
	world_seconds(&w, 30);
	cr_expect_eq(world_steps(&w, 1, "failed"), 1);
	cr_expect_eq(world_state(&w, 3), ONION_FAILED);
	cr_expect_eq(world_state(&w, 1), ONION_LEAVING);
}

Test(mirror_policy, maintenance_is_out_of_the_list_without_alarm_or_rotation_and_back_after_rise)
{
	world_listed_all(&w, 3);
	w.mirrors[0].rotate_every_s = 3600;
	world_reconfigure(&w);
	cr_expect_eq(world_maint(&w, 0, true, 9), 0);
	world_answer(&w);
	cr_expect_eq(world_visible(&w), 2);
	cr_expect_eq(world_steps(&w, 9, "done"), 1);
	cr_expect_eq(world_view(&w, 0).state, MIRROR_MAINT);
	cr_expect_not(world_is_tombstone(&w, 1), "it comes back");
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
	cr_expect_eq(world_rotate(&w, 0, 10), ERR_REFUSED);
	world_start(&w);
	world_seconds(&w, 600);
	cr_expect_eq(world_view(&w, 0).state, MIRROR_MAINT, "also after a restart");
	w.mirrors[0].rotate_every_s = 0;
	world_reconfigure(&w);
	world_answer(&w);
	cr_expect_eq(world_maint(&w, 0, false, 11), 0);
	cr_expect_eq(world_visible(&w), 2);
	world_seconds(&w, 600);
	cr_expect_eq(world_visible(&w), 3);
	cr_expect_eq(world_listed(&w, 0), 1);
	cr_expect_eq(world_maint(&w, 0, false, 12), ERR_REFUSED);
}

Test(mirror_policy, an_operation_that_cannot_end_is_told_so_and_goes_on)
{
	world_listed_all(&w, 2);
	w.deaf = 1u << ACTION_PUBLISH;
	cr_expect_eq(world_drain(&w, 0, 1), 0);
	cr_expect_eq(world_revoke(&w, 1, 0, 2), 0);
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

Test(mirror_policy, a_decision_can_be_explained)
{
	char text[2048], cut[40];
	const char *const parts[] = { "no-descriptor", "in a row: 0 ok,", "backend: ok", "tor tor0: linked, fit", "uploads:", "1 of 6 automatic",
		"serial ", "min-listed 1" };
	size_t i;

	world_listed_all(&w, 3);
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
