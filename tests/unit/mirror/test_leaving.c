/* SPDX-License-Identifier: BSD-3-Clause */
/* Drained addresses, and old records. */
#include "config.h"
#include "world.h"

#include <criterion/criterion.h>

static struct world w;

static void
done(void)
{
	world_free(&w);
}

TestSuite(mirror_leaving, .fini = done);

Test(mirror_leaving, an_address_with_clients_goes_when_they_are_gone_or_a_day_later)
{
	world_listed_all(&w, 2);
	w.o[1].clients = 3;
	cr_expect_eq(world_rotate(&w, 0, 1), 0);
	world_seconds(&w, 3600 + 7200);
	cr_expect(w.o[1].in_tor, "it still has clients");
	w.o[1].clients = 0;
	world_seconds(&w, 500);
	cr_expect(w.o[1].in_tor, "not quiet for long enough");
	world_seconds(&w, 200);
	cr_expect_not(w.o[1].in_tor);
	w.o[3].clients = 1;
	cr_expect_eq(world_rotate(&w, 0, 2), 0);
	world_seconds(&w, 3600 + 86400 - 60);
	cr_expect(w.o[3].in_tor);
	world_seconds(&w, 120);
	cr_expect_not(w.o[3].in_tor, "the hard limit");
	cr_expect_eq(world_notes(&w, NOTE_DECISION, "cut"), 1);
	w.o[4].clients = -1;
	cr_expect_eq(world_rotate(&w, 0, 3), 0);
	world_seconds(&w, 3720);
	cr_expect_not(w.o[4].in_tor, "not known counts as none");
}

Test(mirror_leaving, a_short_drain_asks_for_no_more_quiet_than_its_own_length)
{
	world_init(&w, 2, 1, 1);
	w.mirrors[0].drain_s = 30;
	world_settled(&w);
	w.o[1].clients = 1;
	cr_expect_eq(world_rotate(&w, 0, 1), 0);
	world_seconds(&w, 60);
	cr_expect_eq(world_state(&w, 1), ONION_LEAVING);
	cr_expect(w.o[1].in_tor, "it still has clients");
	w.o[1].clients = 0;
	world_seconds(&w, 50);
	cr_expect_not(w.o[1].in_tor);
}

Test(mirror_leaving, an_address_whose_grace_ended_while_we_were_away_is_asked_about_before_it_goes)
{
	world_listed_all(&w, 2);
	w.o[1].clients = 2;
	cr_expect_eq(world_rotate(&w, 0, 1), 0);
	world_seconds(&w, 60);
	w.now.mono += 2 * 3600 * 1000;
	w.now.wall += 2 * 3600;
	world_start(&w);
	world_answer(&w);
	world_seconds(&w, 60);
	cr_expect(w.o[1].in_tor);
}

Test(mirror_leaving, records_that_nobody_needs_are_forgotten)
{
	world_listed_all(&w, 2);
	engine_set_tombstone_until(w.e, 1, w.now.wall + 91 * 86400, &w.out);
	world_take(&w);
	cr_expect_eq(world_rotate(&w, 0, 1), 0);
	world_seconds(&w, 7200);
	cr_expect_eq(world_state(&w, 1), ONION_GONE);
	world_seconds(&w, 3 * 86400);
	cr_expect_eq(world_count(&w, ACTION_FORGET), 0, "its tombstone stands");
	world_seconds(&w, 90 * 86400LL);
	cr_expect_eq(world_count_of(&w, ACTION_FORGET, 1), 1);
	cr_expect_null(engine_onion(w.e, 1));
	cr_expect_eq(world_visible(&w), 2);
}

Test(mirror_leaving, no_record_is_forgotten_by_a_clock_that_no_tor_has_confirmed)
{
	world_listed_all(&w, 2);
	cr_expect_eq(world_rotate(&w, 0, 1), 0);
	world_seconds(&w, 7200);
	cr_expect_eq(world_state(&w, 1), ONION_GONE);
	w.now.wall += 400 * 86400LL;
	world_compare(&w, 0); /* before anybody knows */
	world_fit(&w, 0, false);
	world_seconds(&w, 2 * 86400);
	cr_expect_eq(world_count(&w, ACTION_FORGET), 0);
	w.now.wall -= 400 * 86400LL;
	world_fit(&w, 0, true);
	world_seconds(&w, 86400);
	cr_expect_eq(world_count(&w, ACTION_FORGET), 0);
	world_seconds(&w, 91 * 86400LL);
	cr_expect_eq(world_count_of(&w, ACTION_FORGET, 1), 1);
}
