/* SPDX-License-Identifier: BSD-3-Clause */
/* The simulated tor behaves as the real one was measured to; our own session and prober are its client. */
#include "config.h"
#include "unit/sim/rig.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct bare b;

static void
start(void)
{
	bare_start(&b, true);
	cr_assert(bare_up(&b));
	bare_run(&b, 10000);
}

static void
stop(void)
{
	/* Criterion does not count what fails in here. */
	if (b.violation[0] != '\0' || trace_violation() != NULL) {
		fprintf(stderr, "%s %s\n", b.violation, trace_violation() != NULL ? trace_violation() : "");
		abort();
	}
	bare_stop(&b);
}

TestSuite(sim_simtor, .init = start, .fini = stop);

static char *
ready_onion(void)
{
	static char address[57];

	memcpy(address, bare_add(&b, 7), sizeof address);
	cr_assert_eq(b.reply, 250);
	bare_run(&b, 5000);
	return address;
}

Test(sim_simtor, uploads_a_new_onion_to_sixteen_places_in_a_second_or_two)
{
	bare_add(&b, 7);
	bare_run(&b, 3000);
	cr_expect_eq(b.uploads, 16);
	cr_expect_eq(b.uploaded, 16);
	cr_expect_eq(b.failed, 0);
}

Test(sim_simtor, serves_an_onion_only_once_a_descriptor_is_out)
{
	char address[57];

	memcpy(address, bare_add(&b, 7), sizeof address);
	bare_probe(&b, address, 60000);
	cr_expect_eq(b.result.verdict, VERDICT_NO_DESCRIPTOR);
	bare_run(&b, 20 * 60000);
	bare_probe(&b, address, 60000);
	cr_expect_eq(b.result.verdict, VERDICT_OK, "%s", b.result.detail);
	cr_expect(simtor_address_works(address));
}

Test(sim_simtor, answers_like_tor_for_an_address_that_nobody_published)
{
	int64_t ms = bare_probe(&b, "adifuhi6ujits3kvpl55iwelhrwztw7ls4x62efdevroujw43t5kanad", 60000);

	cr_expect_eq(b.result.socks_code, 0xf0);
	cr_expect(ms > 200 && ms < 2500, "%d ms", (int)ms);
}

Test(sim_simtor, says_01_when_the_backend_refuses)
{
	char *address = ready_onion();

	back_set_mode(b.back, BACKEND_DOWN);
	bare_probe(&b, address, 60000);
	cr_expect_eq(b.result.socks_code, 1);
	cr_expect_eq(b.result.verdict, VERDICT_REFUSED);
}

Test(sim_simtor, waits_for_ever_on_a_backend_that_is_silent)
{
	char *address = ready_onion();

	back_set_mode(b.back, BACKEND_SILENT);
	cr_expect_eq(bare_probe(&b, address, 60000), 60000);
	cr_expect_eq(b.result.verdict, VERDICT_TIMEOUT);
	cr_expect_eq(b.result.socks_code, 0);
}

Test(sim_simtor, tells_what_is_wrong_with_the_page)
{
	static const struct {
		enum backend_mode mode;
		enum verdict verdict;
	} rows[] = { { BACKEND_OK, VERDICT_OK }, { BACKEND_SLOW, VERDICT_OK }, { BACKEND_DEFACED, VERDICT_CONTENT },
		{ BACKEND_ERROR500, VERDICT_HTTP }, { BACKEND_BUSY, VERDICT_BUSY }, { BACKEND_DRIP, VERDICT_TIMEOUT } };
	char *address = ready_onion();
	size_t i;

	for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		back_set_mode(b.back, rows[i].mode);
		bare_probe(&b, address, 60000);
		cr_expect_eq(b.result.verdict, rows[i].verdict, "mode %d: %s", (int)rows[i].mode, b.result.detail);
	}
}

Test(sim_simtor, fails_at_introduction_when_a_cached_service_is_gone)
{
	char *address = ready_onion();

	bare_probe(&b, address, 60000);
	cr_assert_eq(b.result.verdict, VERDICT_OK);
	cr_expect_eq(bare_del(&b, address), 250);
	cr_expect_eq(bare_del(&b, address), 552);
	bare_probe(&b, address, 130000);
	cr_expect(b.result.socks_code == 0xf2 || b.result.socks_code == 6 || b.result.socks_code == 4, "%02x", (unsigned)b.result.socks_code);
	cr_expect_not(simtor_address_works(address));
}

Test(sim_simtor, refuses_a_key_that_is_live_and_takes_it_again_after_deletion)
{
	char *address = ready_onion();

	bare_add(&b, 7);
	cr_expect_eq(b.reply, 550);
	bare_del(&b, address);
	bare_add(&b, 7);
	cr_expect_eq(b.reply, 250);
	bare_run(&b, 5000);
	bare_probe(&b, address, 60000);
	cr_expect_eq(b.result.verdict, VERDICT_OK);
}

Test(sim_simtor, lists_detached_onions_in_both_shapes)
{
	cr_expect_eq(bare_detached(&b), 0);
	bare_add(&b, 1);
	cr_expect_eq(bare_detached(&b), 1);
	bare_add(&b, 2);
	cr_expect_eq(bare_detached(&b), 2);
	simtor_lose_onions(b.tor);
	cr_expect_eq(bare_detached(&b), 0);
}

Test(sim_simtor, loses_all_uploads_of_a_burst_without_a_word)
{
	unsigned char i;

	for (i = 1; i <= 8; i++)
		bare_add(&b, i);
	bare_run(&b, 10000);
	cr_expect_eq(b.uploads, 8 * 16);
	cr_expect_lt(b.uploaded, 16);
	cr_expect_eq(b.failed, 0);
}

Test(sim_simtor, carries_five_onions_at_a_time)
{
	unsigned char i;

	for (i = 1; i <= 5; i++)
		bare_add(&b, i);
	bare_run(&b, 10000);
	cr_expect_eq(b.uploaded, 5 * 16);
}

Test(sim_simtor, forgets_its_onions_and_makes_a_new_cookie_when_it_is_killed)
{
	unsigned char before[32];
	const char *cookie;
	size_t n;

	ready_onion();
	cookie = sim_file_get(BARE_COOKIE, &n);
	cr_assert_eq(n, 32);
	memcpy(before, cookie, 32);
	b.losts = 0;
	simtor_kill(b.tor);
	bare_run(&b, 5000);
	cr_expect_gt(b.losts, 0u);
	simtor_start(b.tor);
	cr_assert(bare_up(&b));
	cr_expect_eq(bare_detached(&b), 0);
	cookie = sim_file_get(BARE_COOKIE, &n);
	cr_expect(memcmp(before, cookie, 32) != 0);
}

Test(sim_simtor, answers_nothing_while_stopped_and_everything_afterwards)
{
	ready_onion();
	b.losts = 0;
	simtor_stop(b.tor, true);
	bare_run(&b, 5 * 60000);
	cr_expect_eq(b.losts, 1u);
	cr_expect_neq(session_get_state(b.session), SESSION_UP);
	simtor_stop(b.tor, false);
	cr_assert(bare_up(&b));
	cr_expect_eq(bare_detached(&b), 1);
}

Test(sim_simtor, notices_an_outage_after_a_minute_and_its_end_soon)
{
	const char *why;

	cr_expect(session_is_fit(b.session, &why));
	simtor_set_network(b.tor, false);
	bare_run(&b, 50000);
	cr_expect(session_is_fit(b.session, &why));
	bare_run(&b, 60000);
	cr_expect_not(session_is_fit(b.session, &why));
	simtor_set_network(b.tor, true);
	bare_run(&b, 30000);
	cr_expect(session_is_fit(b.session, &why), "%s", why);
}

Test(sim_simtor, an_address_that_was_taken_down_fails_a_new_reader)
{
	char *address = ready_onion();

	net_take_down(address, NET_BLOCK_DESC);
	cr_expect_not(simtor_address_works(address));
	bare_probe(&b, address, 60000);
	cr_expect_eq(b.result.verdict, VERDICT_NO_DESCRIPTOR);
}

Test(sim_simtor, a_cached_descriptor_hides_that_the_hsdirs_have_lost_it)
{
	char *address = ready_onion();

	bare_probe(&b, address, 60000);
	net_forget(address);
	bare_probe(&b, address, 60000);
	cr_expect_eq(b.result.verdict, VERDICT_OK);
	cr_expect_eq(bare_fetch(&b, address), 250);
	cr_expect_gt(b.failed, 0u);
}

Test(sim_simtor, is_silent_when_all_hsdirs_were_asked_of_late)
{
	char *address = ready_onion();
	int i;

	for (i = 0; i < 6; i++)
		bare_fetch(&b, address);
	cr_expect_eq(b.received, 6);
	cr_expect_eq(bare_fetch(&b, address), 250);
	cr_expect_eq(b.requested, 6);
	bare_run(&b, 16 * 60000);
	bare_fetch(&b, address);
	cr_expect_eq(b.received, 7);
}

Test(sim_simtor, republishes_within_two_hours_and_rotates_at_midnight)
{
	char *address = ready_onion();

	bare_run(&b, 2 * 3600000 + 60000);
	cr_expect_geq(b.uploads, 32);
	bare_run(&b, 24 * 3600000);
	cr_expect_eq(b.uploads % 8, 0);
	bare_probe(&b, address, 60000);
	cr_expect_eq(b.result.verdict, VERDICT_OK);
}

Test(sim_simtor, a_day_long_a_new_reader_gets_through_at_any_time)
{
	char *address = ready_onion();
	int i;

	for (i = 0; i < 26 * 12; i++) {
		bare_run(&b, 300000);
		cr_assert(simtor_address_works(address), "not %d min after the start", i * 5);
	}
}

Test(sim_simtor, a_filter_hides_events_and_the_restart_of_tor)
{
	unsigned losts;

	simtor_set_filter(b.tor, true);
	bare_run(&b, 120000);
	cr_expect_neq(session_get_state(b.session), SESSION_UP, "its NULL authentication was accepted");
	losts = b.losts;
	simtor_set_filter(b.tor, false);
	cr_assert(bare_up(&b));
	cr_expect_geq(losts, 1u);
}

Test(sim_simtor, misbehaves_in_ways_that_cost_the_link_and_nothing_else)
{
	static const enum simtor_quirk fatal[] = { QUIRK_WRONG_HASH, QUIRK_NULL_AUTH, QUIRK_COOKIE_ONLY, QUIRK_EXTRA_REPLY, QUIRK_MUTE, QUIRK_LONG_LINE,
		QUIRK_ENDLESS_MID, QUIRK_ENDLESS_DATA, QUIRK_CUT_REPLY, QUIRK_LATE, QUIRK_BAD_CODES };
	size_t i;

	for (i = 0; i < sizeof fatal / sizeof fatal[0]; i++) {
		simtor_set_quirk(b.tor, fatal[i]);
		simtor_kill(b.tor);
		simtor_start(b.tor);
		bare_run(&b, 90000);
		cr_expect_neq(session_get_state(b.session), SESSION_UP, "%s", simtor_quirk_name(fatal[i]));
		simtor_set_quirk(b.tor, QUIRK_NONE);
		simtor_kill(b.tor);
		simtor_start(b.tor);
		bare_run(&b, 90000);
		cr_expect(bare_up(&b), "after %s", simtor_quirk_name(fatal[i]));
	}
	simtor_set_quirk(b.tor, QUIRK_JUNK_EVENTS);
	bare_run(&b, 90000);
	cr_expect_eq(session_get_state(b.session), SESSION_UP);
}

Test(sim_simtor, without_the_flag_codes_are_plain)
{
	bare_stop(&b);
	bare_start(&b, false);
	cr_assert(bare_up(&b));
	bare_run(&b, 10000);
	bare_probe(&b, "adifuhi6ujits3kvpl55iwelhrwztw7ls4x62efdevroujw43t5kanad", 60000);
	cr_expect_eq(b.result.socks_code, 4);
	cr_expect_eq(b.result.verdict, VERDICT_NO_DESCRIPTOR);
}
