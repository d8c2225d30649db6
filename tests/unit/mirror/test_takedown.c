/* SPDX-License-Identifier: BSD-3-Clause */
/* Which verdicts through which tors take an address for taken down, and how soon; two vantages. */
#include "config.h"
#include "world.h"

#include <criterion/criterion.h>
#include <string.h>

static struct world w;

static void
done(void)
{
	cr_expect_str_eq(w.failure, "");
	world_free(&w);
}

TestSuite(mirror_takedown, .fini = done);

/* Four mirrors on tor0; the first one is looked at through tor1 too. */
static void
two_vantages(uint64_t seed)
{
	int k;

	world_init(&w, 4, 2, seed);
	for (k = 0; k < 4; k++)
		w.mirrors[k].tor = 0;
	w.mirrors[0].probe_through = 1;
	world_settled(&w);
}

static enum verdict
word(char c)
{
	switch (c) {
	case 'd': return VERDICT_NO_DESCRIPTOR;
	case 'b': return VERDICT_BAD_DESCRIPTOR;
	case 'i': return VERDICT_INTRO;
	case 'r': return VERDICT_RENDEZVOUS;
	case 't': return VERDICT_TIMEOUT;
	case 'a': return VERDICT_CLIENT_AUTH;
	case 'x': return VERDICT_REFUSED;
	case 'h': return VERDICT_HTTP;
	case 's': return VERDICT_TLS;
	case 'y': return VERDICT_BUSY;
	default: return VERDICT_OK;
	}
}

/* Every probe of the first mirror's address says the next one of `row`, over and over, for two hours. */
static unsigned
rotations(const char *row, const char *second)
{
	unsigned before[2] = { 0, 0 }, n[2];
	int64_t end = w.now.mono + 2 * 3600000;
	size_t at[2] = { 0, 0 }, i;
	int k;

	world_mark(&w);
	while (w.now.mono < end) {
		w.o[1].seen[0] = (int)word(row[at[0] % strlen(row)]);
		w.o[1].seen[1] = (int)word(second[at[1] % strlen(second)]);
		world_seconds(&w, 1);
		n[0] = n[1] = 0;
		for (i = 0; i < w.log.n; i++)
			if (w.log.v[i].kind == ACTION_PROBE && w.log.v[i].onion == 1)
				n[w.log.v[i].through]++;
		for (k = 0; k < 2; k++) {
			at[k] += n[k] != before[k];
			before[k] = n[k];
		}
	}
	return world_notes(&w, NOTE_DECISION, "takedown");
}

Test(mirror_takedown, is_told_from_the_mix_of_verdicts_in_a_row)
{
	static const struct {
		const char *row;
		unsigned rotations;
	} rows[] = {
		{ "d", 1 }, { "b", 1 }, { "i", 1 }, { "r", 1 }, { "di", 1 },
		{ "t", 0 },      /* one tor: the way may be slow */
		{ "ti", 1 },     /* half of them are the address's own layers */
		{ "tttd", 0 },
		{ "tttdddddddddddd", 1 },
		{ "x", 0 }, { "h", 0 }, { "s", 0 }, { "a", 0 }, /* tor reached it; our own mistake */
		{ "dddddx", 0 }, { "dddddh", 0 }, { "dddddy", 0 }, /* something behind it spoke */
		{ "ddddd.", 0 },
	};
	size_t i;

	for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		if (i > 0)
			world_free(&w);
		world_init(&w, 4, 1, i + 1);
		world_settled(&w);
		cr_expect_eq(rotations(rows[i].row, "."), rows[i].rotations, "%s", rows[i].row);
		cr_expect_str_eq(w.failure, "", "%s: %s", rows[i].row, w.failure);
	}
}

Test(mirror_takedown, through_two_tors_both_must_fail)
{
	static const struct {
		const char *own, *second;
		unsigned rotations, listed;
	} rows[] = {
		{ "d", "d", 1, 4 }, { "i", "d", 1, 4 },
		{ "t", "t", 1, 4 },  /* from every vantage: a timeout is evidence too */
		{ "t", "d", 1, 4 },
		{ "d", ".", 0, 4 },  /* a reader elsewhere sees it well */
		{ ".", "d", 0, 4 },
		{ "d", "x", 0, 3 },  /* down, but not the address */
		{ "x", "x", 0, 3 },
		{ "d", "dd.", 0, 3 },  /* it flaps for readers there, and fails for readers here */
	};
	size_t i;

	for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		if (i > 0)
			world_free(&w);
		two_vantages(i + 1);
		cr_expect_eq(rotations(rows[i].own, rows[i].second), rows[i].rotations, "%s %s", rows[i].own, rows[i].second);
		cr_expect_eq(world_visible(&w), rows[i].listed, "%s %s: %u", rows[i].own, rows[i].second, world_visible(&w));
		cr_expect_str_eq(w.failure, "", "%s %s: %s", rows[i].own, rows[i].second, w.failure);
	}
}

/* Seconds from the first failed probe to the decision. */
static int64_t
noticed(void)
{
	int64_t from;

	w.o[1].verdict = VERDICT_NO_DESCRIPTOR;
	while (world_notes(&w, NOTE_STATE, "suspect") == 0)
		world_seconds(&w, 1);
	from = w.now.mono;
	while (world_notes(&w, NOTE_DECISION, "takedown") == 0 && w.now.mono < from + 3600000)
		world_seconds(&w, 1);
	return (w.now.mono - from) / 1000;
}

Test(mirror_takedown, is_told_after_seven_minutes_and_with_two_tors_after_less_than_three)
{
	uint64_t seed;

	for (seed = 1; seed <= 10; seed++) {
		int64_t s;

		if (seed > 1)
			world_free(&w);
		world_init(&w, 4, 1, seed);
		world_settled(&w);
		s = noticed();
		cr_expect(s >= 418 && s <= 423, "%lld s through one", (long long)s);
		world_free(&w);
		two_vantages(seed);
		s = noticed();
		cr_expect(s >= 163 && s <= 168, "%lld s through two", (long long)s);
	}
}

Test(mirror_takedown, the_probe_that_tells_it_fetches_the_descriptor_anew)
{
	size_t i;

	world_init(&w, 4, 1, 1);
	world_settled(&w);
	noticed();
	for (i = w.log.n; i-- > 0;)
		if (w.log.v[i].kind == ACTION_PROBE && w.log.v[i].onion == 1)
			break;
	cr_expect(w.log.v[i].fresh);
}

Test(mirror_takedown, when_all_is_well_the_vantages_take_turns_and_cost_no_more_than_one)
{
	unsigned n[2] = { 0, 0 };
	size_t i;

	two_vantages(1);
	world_seconds(&w, 100 * 300);
	for (i = 0; i < w.log.n; i++)
		if (w.log.v[i].kind == ACTION_PROBE && w.log.v[i].onion == 1)
			n[w.log.v[i].through]++;
	cr_expect(n[0] + n[1] >= 90 && n[0] + n[1] <= 115, "%u and %u", n[0], n[1]);
	cr_expect(n[0] - n[1] + 1 <= 2, "%u and %u", n[0], n[1]);
}

Test(mirror_takedown, a_failure_through_one_asks_the_other_at_once)
{
	struct mirror_view v;

	two_vantages(1);
	w.o[1].seen[0] = VERDICT_INTRO;
	while (world_notes(&w, NOTE_STATE, "suspect") == 0)
		world_seconds(&w, 1);
	v = world_view(&w, 0);
	cr_expect_eq(v.vantages[0].last, VERDICT_INTRO);
	cr_expect_eq(v.vantages[1].last, VERDICT_OK);
	cr_expect_eq(v.vantages[1].last_probe, v.vantages[0].last_probe);
	cr_expect_eq(v.state, MIRROR_SUSPECT);
	cr_expect_eq(v.fall, 0, "nothing counts against it while one sees it");
}

Test(mirror_takedown, a_tor_through_which_it_cannot_be_reached_becomes_blind_and_does_not_count)
{
	two_vantages(1);
	w.o[1].seen[0] = VERDICT_TIMEOUT;
	world_seconds(&w, 3600);
	cr_expect_eq(world_notes(&w, NOTE_ALARM, "blind"), 1);
	cr_expect_not(world_view(&w, 0).vantages[0].fit);
	cr_expect_eq(world_view(&w, 0).state, MIRROR_UP);
	cr_expect_eq(world_visible(&w), 4);
	/* The other one alone then follows the rule of one: a short spell there is none of its matter. */
	w.o[1].seen[1] = VERDICT_NO_DESCRIPTOR;
	while (world_view(&w, 0).fall == 0)
		world_seconds(&w, 1);
	world_seconds(&w, 240);
	cr_expect_eq(world_visible(&w), 4);
	world_seconds(&w, 300);
	cr_expect_eq(world_notes(&w, NOTE_DECISION, "takedown"), 1);
}

Test(mirror_takedown, a_second_tor_that_is_not_fit_says_nothing)
{
	two_vantages(1);
	world_fit(&w, 1, false);
	w.o[1].verdict = VERDICT_NO_DESCRIPTOR;
	while (world_view(&w, 0).fall < 1)
		world_seconds(&w, 1);
	world_seconds(&w, 240);
	cr_expect_eq(world_visible(&w), 4, "as with one vantage");
	world_seconds(&w, 200);
	cr_expect_eq(world_notes(&w, NOTE_DECISION, "takedown"), 1);
}

Test(mirror_takedown, the_time_in_which_our_side_was_not_fit_does_not_count)
{
	world_init(&w, 4, 1, 1);
	world_settled(&w);
	w.o[1].verdict = VERDICT_INTRO;
	while (world_view(&w, 0).fall < 5)
		world_seconds(&w, 1);
	world_fit(&w, 0, false);
	world_seconds(&w, 7200);
	cr_expect_eq(world_view(&w, 0).state, MIRROR_INCONCLUSIVE);
	world_fit(&w, 0, true);
	world_seconds(&w, 70);
	cr_expect_eq(world_notes(&w, NOTE_DECISION, "takedown"), 0);
	world_seconds(&w, 120);
	cr_expect_eq(world_notes(&w, NOTE_DECISION, "takedown"), 1);
}

/* Fetches of onion 1 through a tor since the mark. */
static unsigned
fetches(int through)
{
	unsigned n = 0;
	size_t i;

	for (i = 0; i < w.log.n; i++)
		n += w.log.v[i].kind == ACTION_PROBE && w.log.v[i].onion == 1 && w.log.v[i].through == through && w.log.v[i].fresh;
	return n;
}

/* Until the first failure; the next probe is 60 s away then. */
static void
missed(void)
{
	while (world_notes(&w, NOTE_STATE, "suspect") == 0)
		world_seconds(&w, 1);
}

Test(mirror_takedown, what_tor_has_kept_does_not_hide_that_no_hsdir_has_the_descriptor)
{
	int s;

	world_init(&w, 4, 1, 1);
	world_settled(&w);
	w.o[1].hidden = 1;
	missed();
	cr_expect_eq(world_visible(&w), 4, "our tor may ask the wrong ones");
	world_seconds(&w, 72);
	cr_expect_eq(world_view(&w, 0).last, VERDICT_OK, "by the kept one");
	cr_expect_eq(world_view(&w, 0).state, MIRROR_SUSPECT);
	cr_expect_eq(world_notes(&w, NOTE_STATE, "up"), 0);
	world_seconds(&w, 72);
	cr_expect_eq(world_visible(&w), 3, "the second fetch is enough");
	cr_expect_eq(world_count_of(&w, ACTION_ADD_ONION, 1), 1, "it may help to upload it again");
	for (s = 144; world_notes(&w, NOTE_DECISION, "takedown") == 0 && s < 7200; s++)
		world_seconds(&w, 1);
	cr_expect(s >= 420 && s < 1200, "%d s", s);
	world_seconds(&w, 600);
	cr_expect_eq(world_count(&w, ACTION_PLAN), 1);
	cr_expect_eq(world_count_of(&w, ACTION_ADD_ONION, 1), 1, "once");
	cr_expect_eq(world_visible(&w), 4);
}

Test(mirror_takedown, a_descriptor_that_is_fetched_anew_again_ends_the_row)
{
	world_init(&w, 4, 1, 1);
	world_settled(&w);
	w.o[1].hidden = 1;
	missed();
	w.o[1].hidden = 0;
	world_seconds(&w, 72);
	cr_expect_eq(world_notes(&w, NOTE_STATE, "up"), 0);
	world_seconds(&w, 72);
	cr_expect_eq(world_notes(&w, NOTE_STATE, "up"), 1);
	cr_expect_eq(world_view(&w, 0).fall, 0);
	world_seconds(&w, 3600);
	cr_expect_eq(world_count(&w, ACTION_DEL_ONION), 0);
	cr_expect_eq(world_visible(&w), 4);
}

Test(mirror_takedown, two_tors_that_find_no_descriptor_take_it_out_at_once)
{
	two_vantages(1);
	w.o[1].hidden = 3;
	missed();
	world_answer(&w);
	cr_expect_eq(world_visible(&w), 3);
	cr_expect(fetches(0) == 1 && fetches(1) == 1, "%u and %u", fetches(0), fetches(1));
	world_seconds(&w, 1500);
	cr_expect_eq(world_notes(&w, NOTE_DECISION, "takedown"), 1);
}

Test(mirror_takedown, a_tor_that_alone_finds_no_descriptor_becomes_blind)
{
	two_vantages(1);
	w.o[1].hidden = 2;
	world_seconds(&w, 3 * 3600);
	cr_expect_eq(world_visible(&w), 4);
	cr_expect_eq(world_notes(&w, NOTE_ALARM, "blind"), 1);
	cr_expect_eq(world_notes(&w, NOTE_DECISION, "takedown"), 0);
	cr_expect_eq(world_count(&w, ACTION_DEL_ONION), 0);
}

Test(mirror_takedown, a_new_address_that_is_not_at_all_hsdirs_yet_is_proved_by_any_answer)
{
	world_init(&w, 4, 1, 1);
	w.o[1].hidden = 1;
	w.o[1].verdict = VERDICT_INTRO; /* the first try */
	world_start(&w);
	while (fetches(0) == 0)
		world_advance(&w, 100);
	w.o[1].verdict = VERDICT_OK;
	world_seconds(&w, 60);
	cr_expect_eq(world_visible(&w), 4);
}

Test(mirror_takedown, hsdirs_are_not_asked_again_before_tor_asks_them)
{
	world_init(&w, 4, 1, 1);
	w.check[0] = VERDICT_REFUSED; /* so no new address takes its place */
	world_settled(&w);
	w.o[1].hidden = 1;
	missed();
	w.o[1].verdict = VERDICT_INTRO;
	world_mark(&w);
	world_seconds(&w, 895);
	cr_expect_eq(fetches(0), 0);
	world_seconds(&w, 1800);
	cr_expect(fetches(0) >= 1 && fetches(0) <= 2, "%u", fetches(0));
}

Test(mirror_takedown, is_not_told_while_the_probe_that_would_tell_it_is_under_way)
{
	int s, until = 0;
	int run;

	for (run = 0; run < 2; run++) {
		world_init(&w, 3, 1, 1);
		world_settled(&w);
		w.o[1].verdict = VERDICT_INTRO;
		for (s = 0; run == 0 ? world_count(&w, ACTION_PLAN) == 0 && s < 3600 : s < until - 1; s++)
			world_seconds(&w, 1);
		until = s;
		if (run == 0)
			world_free(&w);
	}
	w.deaf = 1u << ACTION_PROBE;
	world_seconds(&w, 5);
	world_compare(&w, 0);
	cr_expect_geq(world_pending(&w, ACTION_PROBE), 1);
	cr_expect_eq(world_count(&w, ACTION_PLAN), 0, "it may answer");
	w.deaf = 0;
	world_seconds(&w, 1);
	cr_expect_eq(world_count(&w, ACTION_PLAN), 1);
}
