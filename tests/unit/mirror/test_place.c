/* SPDX-License-Identifier: BSD-3-Clause */
/* Which tor an address is placed on, that it stays there, and what becomes of it when that tor is lost. */
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

TestSuite(mirror_place, .fini = done);

static void
automatic(size_t mirrors, size_t tors)
{
	size_t i;

	world_init(&w, mirrors, tors, 1);
	for (i = 0; i < mirrors; i++)
		w.mirrors[i].tor = w.mirrors[i].probe_through = TOR_AUTO;
}

/* Listed mirrors on a tor. */
static unsigned
on(int tor)
{
	unsigned n = 0;
	size_t i;

	for (i = 0; i < w.cfg.n_mirrors; i++)
		n += world_listed(&w, (int)i) != 0 && world_tor_of(&w, world_listed(&w, (int)i)) == tor;
	return n;
}

Test(mirror_place, spreads_evenly_and_looks_through_another_tor)
{
	int i;

	automatic(9, 3);
	world_settled(&w);
	for (i = 0; i < 3; i++)
		cr_expect_eq(on(i), 3, "tor%d has %u", i, on(i));
	for (i = 0; i < 9; i++) {
		struct mirror_view v = world_view(&w, i);

		cr_expect_eq(v.vantages[0].tor, v.tor);
		cr_expect(v.vantages[1].tor >= 0 && v.vantages[1].tor != v.tor);
	}
}

Test(mirror_place, goes_by_the_part_of_max_mirrors_that_is_used)
{
	automatic(6, 2);
	w.tors[0].max_mirrors = 10;
	w.tors[1].max_mirrors = 5;
	world_settled(&w);
	cr_expect_eq(on(0), 4);
	cr_expect_eq(on(1), 2);
}

Test(mirror_place, waits_a_minute_for_a_tor_and_then_does_without_it)
{
	automatic(4, 2);
	world_boot(&w);
	world_compare(&w, 0);
	world_fit(&w, 0, true);
	world_seconds(&w, 30);
	cr_expect_eq(on(0), 1, "the one that was its turn");
	world_seconds(&w, 120);
	cr_expect_eq(on(0), 4);
	world_compare(&w, 1);
	world_fit(&w, 1, true);
	world_seconds(&w, 3600);
	cr_expect_eq(on(0), 4, "they stay where they are");
}

Test(mirror_place, outlives_a_restart_and_a_rotation_may_change_it)
{
	int i, where[6];

	automatic(6, 3);
	world_settled(&w);
	for (i = 0; i < 6; i++)
		where[i] = world_tor_of(&w, world_listed(&w, i));
	world_start(&w);
	world_seconds(&w, 3600);
	for (i = 0; i < 6; i++)
		cr_expect_eq(world_tor_of(&w, world_listed(&w, i)), where[i]);
	world_lose_tor(&w, 0, false);
	world_seconds(&w, 300);
	for (i = 0; where[i] != 0; i++)
		;
	cr_expect_eq(world_rotate(&w, i, 1), 0);
	world_seconds(&w, 300);
	cr_expect_eq(world_steps(&w, 1, "done"), 1);
	cr_expect_neq(world_tor_of(&w, world_listed(&w, i)), 0);
}

Test(mirror_place, without_room_waits_and_says_so)
{
	automatic(4, 2);
	w.tors[0].max_mirrors = w.tors[1].max_mirrors = 2;
	world_boot(&w);
	world_compare(&w, 0);
	world_fit(&w, 0, true);
	world_seconds(&w, 600);
	cr_expect_eq(on(0), 2);
	cr_expect_geq(world_notes(&w, NOTE_ALARM, "no-room"), 1);
	world_compare(&w, 1);
	world_fit(&w, 1, true);
	world_seconds(&w, 600);
	cr_expect_eq(on(1), 2);
}

Test(mirror_place, moves_what_was_on_a_lost_tor_and_adds_nothing_there_when_it_is_back)
{
	uint64_t old[6];
	int i;

	world_init(&w, 6, 2, 1); /* each names its tor */
	w.tors[0].move_after_ms = 3600000;
	world_settled(&w);
	for (i = 0; i < 6; i++)
		old[i] = world_listed(&w, i);
	world_lose_tor(&w, 0, true);
	world_seconds(&w, 3500);
	for (i = 0; i < 6; i++)
		cr_expect_eq(world_listed(&w, i), old[i], "not before");
	world_seconds(&w, 400);
	cr_expect_eq(on(1), 6);
	cr_expect_eq(world_visible(&w), 6);
	cr_expect_eq(world_notes(&w, NOTE_DECISION, "moved"), 3);
	world_mark(&w);
	world_compare(&w, 0);
	world_fit(&w, 0, true);
	world_seconds(&w, 2 * 3600);
	for (i = 0; i < 6; i += 2) {
		cr_expect_eq(world_count_of(&w, ACTION_ADD_ONION, old[i]), 0);
		cr_expect_eq(world_state(&w, old[i]), ONION_GONE);
	}
	cr_expect_eq(on(1), 6, "until they are rotated");
}

Test(mirror_place, moves_nothing_when_all_tors_are_out)
{
	int i;

	automatic(4, 2);
	w.tors[0].move_after_ms = w.tors[1].move_after_ms = 600000;
	world_settled(&w);
	world_lose_tor(&w, 0, false);
	world_lose_tor(&w, 1, false);
	world_seconds(&w, 7200);
	world_compare(&w, 0); /* one comes back a little before the other */
	world_fit(&w, 0, true);
	world_seconds(&w, 60);
	world_compare(&w, 1);
	world_fit(&w, 1, true);
	world_seconds(&w, 3600);
	cr_expect_eq(world_notes(&w, NOTE_DECISION, "moved"), 0);
	for (i = 0; i < 4; i++)
		cr_expect_eq(world_view(&w, i).state, MIRROR_UP);
}

Test(mirror_place, a_candidate_whose_tor_goes_away_is_made_elsewhere)
{
	int from, i;

	automatic(2, 2);
	world_settled(&w);
	from = world_tor_of(&w, world_listed(&w, 0));
	w.uploads = 0;
	cr_expect_eq(world_rotate(&w, 0, 1), 0);
	world_seconds(&w, 5);
	world_lose_tor(&w, (unsigned)from, true);
	w.uploads = 16;
	world_seconds(&w, 1200);
	cr_expect_eq(world_steps(&w, 1, "failed"), 1);
	cr_expect_eq(world_rotate(&w, 0, 2), 0);
	world_seconds(&w, 300);
	cr_expect_eq(world_tor_of(&w, world_listed(&w, 0)), 1 - from);
	for (i = 0; i < 2; i++)
		cr_expect(world_view(&w, i).listed != 0);
}
