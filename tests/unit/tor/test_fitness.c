/* SPDX-License-Identifier: BSD-3-Clause */
/* What counts against our own side, and what is no evidence. */
#include "config.h"
#include "tor/fitness.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

/* 2026-01-02 00:00:00 */
#define WALL 1767312000

static const struct now start = {1000000, WALL};

static void
answer(struct fitness *f, enum fitness_question q, const char *text, int code, struct now now)
{
	struct reply_line lines[2] = {{.code = code, .sep = '-', .text = text, .len = strlen(text)},
	    {.code = code, .sep = ' ', .text = "OK", .len = 2}};
	struct reply r = {.code = code, .lines = lines, .n_lines = 2};

	if (code != 250 || q == FITNESS_DISABLED) {
		lines[0].sep = ' ';
		r.n_lines = 1;
	}
	fitness_take_reply(f, q, &r, now);
}

static void
make_fit(struct fitness *f, struct now now)
{
	answer(f, FITNESS_CIRCUIT, "status/circuit-established=1", 250, now);
	answer(f, FITNESS_LIVENESS, "network-liveness=up", 250, now);
	answer(f, FITNESS_CONSENSUS, "consensus/valid-until=2026-01-02 01:00:00", 250, now);
	answer(f, FITNESS_VALID_AFTER, "consensus/valid-after=2026-01-01 22:00:00", 250, now);
	answer(f, FITNESS_DISABLED, "DisableNetwork=0", 250, now);
}

static void
expect(const struct fitness *f, struct now now, const char *want)
{
	const char *why = NULL;
	bool fit = fitness_judge(f, now, &why);

	cr_expect(fit == (*want == '\0') && strcmp(why, want) == 0, "wanted \"%s\", got \"%s\"",
	    want, why);
}

Test(tor_fitness, is_unfit_without_a_link_and_until_all_is_answered)
{
	struct fitness f = {0};

	fitness_link_down(&f);
	expect(&f, start, "control link lost");
	fitness_link_up(&f);
	expect(&f, start, "tor has not answered yet");
	make_fit(&f, start);
	expect(&f, start, "");
	fitness_link_down(&f);
	expect(&f, start, "control link lost");
	fitness_link_up(&f);
	expect(&f, start, "tor has not answered yet");
}

Test(tor_fitness, each_bad_answer_has_its_reason)
{
	static const struct {
		enum fitness_question q;
		const char *text;
		int code;
		const char *want;
	} rows[] = {
	    {FITNESS_CIRCUIT, "status/circuit-established=0", 250, "tor has no circuit"},
	    {FITNESS_LIVENESS, "network-liveness=down", 250, "network is down"},
	    {FITNESS_CONSENSUS, "consensus/valid-until=", 250, "tor has no consensus"},
	    {FITNESS_CONSENSUS, "consensus/valid-until=2026-01-01 00:00:00", 250, ""},
	    {FITNESS_CONSENSUS, "consensus/valid-until=2025-12-31 23:59:59", 250,
		"consensus is too old, or our clock is ahead"},
	    {FITNESS_VALID_AFTER, "consensus/valid-after=2026-01-02 00:15:00", 250, ""},
	    {FITNESS_VALID_AFTER, "consensus/valid-after=2026-01-02 00:15:01", 250,
		"consensus is of the future: our clock is behind"},
	    {FITNESS_VALID_AFTER, "Unrecognized key", 552, ""},
	    {FITNESS_VALID_AFTER, "consensus/valid-after=0000-00-00 00:00:00", 250, ""},
	    {FITNESS_DISABLED, "DisableNetwork=1", 250,
		"tor's network is switched off (DisableNetwork 1)"},
	    {FITNESS_DISABLED, "DisableNetwork", 250, ""},
	    /* What is refused or not understood is no evidence. */
	    {FITNESS_CIRCUIT, "Command filtered", 510, ""},
	    {FITNESS_LIVENESS, "Unrecognized key", 552, ""},
	    {FITNESS_CONSENSUS, "consensus/valid-until=tomorrow", 250, ""},
	    {FITNESS_DISABLED, "Unrecognized configuration key", 552, ""},
	    {FITNESS_CIRCUIT, "status/circuit-established=maybe", 250, ""},
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fitness f = {0};

		fitness_link_up(&f);
		make_fit(&f, start);
		answer(&f, rows[i].q, rows[i].text, rows[i].code, start);
		expect(&f, start, rows[i].want);
	}
}

static bool
status(struct fitness *f, enum event_status_action action, int64_t seconds, const char *reason,
    struct now now)
{
	struct event ev = {.kind = EVENT_STATUS_GENERAL};

	ev.u.status.severity = EVENT_SEVERITY_WARN;
	ev.u.status.action = action;
	ev.u.status.seconds = seconds;
	snprintf(ev.u.status.reason, sizeof(ev.u.status.reason), "%s", reason);
	return fitness_take_event(f, &ev, now);
}

Test(tor_fitness, a_jump_of_the_clock_holds_until_circuits_are_back_or_its_time_is_over)
{
	struct fitness f = {0};
	struct now later = start;

	fitness_link_up(&f);
	make_fit(&f, start);
	cr_expect(status(&f, EVENT_STATUS_CLOCK_JUMPED, 200, "", start));
	expect(&f, start, "clock jumped");
	cr_expect(status(&f, EVENT_STATUS_CIRCUIT_NOT_ESTABLISHED, 0, "CLOCK_JUMPED", start));
	expect(&f, start, "clock jumped");
	cr_expect(status(&f, EVENT_STATUS_CIRCUIT_ESTABLISHED, 0, "", start));
	expect(&f, start, "");
	cr_expect(status(&f, EVENT_STATUS_CLOCK_JUMPED, 200, "", start));
	later.mono += FITNESS_JUMP_HOLD_MS;
	later.wall += FITNESS_JUMP_HOLD_MS / 1000;
	expect(&f, later, "");
}

Test(tor_fitness, a_step_of_our_own_wall_clock_is_seen_between_two_answers)
{
	struct fitness f = {0};
	struct now now = start;

	fitness_link_up(&f);
	make_fit(&f, now);
	now.mono += 30000;
	now.wall += 31;
	make_fit(&f, now);
	expect(&f, now, "");
	now.mono += 30000;
	now.wall += 30 - 3600;
	expect(&f, now, "clock jumped");
	make_fit(&f, now);
	expect(&f, now, "clock jumped");
	/* It holds until circuits had time to be built again. */
	now.mono += FITNESS_JUMP_HOLD_MS;
	now.wall += FITNESS_JUMP_HOLD_MS / 1000;
	make_fit(&f, now);
	expect(&f, now, "");
}

Test(tor_fitness, the_clock_agrees_only_within_the_time_of_a_consensus)
{
	static const struct {
		int64_t off;
		enum fitness_clock want;
	} rows[] = {
	    {0, FITNESS_CLOCK_AGREES},
	    {-7200 - 900, FITNESS_CLOCK_AGREES},
	    {-7200 - 901, FITNESS_CLOCK_DISAGREES},
	    {3600 + 86400, FITNESS_CLOCK_AGREES},
	    {3600 + 86401, FITNESS_CLOCK_DISAGREES},
	    {-WALL, FITNESS_CLOCK_DISAGREES},
	    {WALL, FITNESS_CLOCK_DISAGREES},
	};
	struct fitness f = {0};
	struct now now = start;
	size_t i;

	fitness_link_up(&f);
	cr_expect(fitness_clock(&f, now) == FITNESS_CLOCK_UNKNOWN);
	make_fit(&f, now);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		now.wall = WALL + rows[i].off;
		cr_expect(fitness_clock(&f, now) == rows[i].want, "%lld", (long long)rows[i].off);
	}
	answer(&f, FITNESS_CONSENSUS, "consensus/valid-until=", 250, start);
	cr_expect(fitness_clock(&f, start) == FITNESS_CLOCK_UNKNOWN, "tor has no consensus");
	make_fit(&f, start);
	answer(&f, FITNESS_VALID_AFTER, "Command filtered", 510, start);
	cr_expect(fitness_clock(&f, start) == FITNESS_CLOCK_UNKNOWN);
	make_fit(&f, start);
	fitness_link_down(&f);
	cr_expect(fitness_clock(&f, start) == FITNESS_CLOCK_UNKNOWN);
}

Test(tor_fitness, a_relay_that_nobody_trusts_can_not_make_us_unfit_by_its_clock)
{
	struct fitness f = {0};
	struct event ev = {.kind = EVENT_STATUS_GENERAL};

	fitness_link_up(&f);
	make_fit(&f, start);
	ev.u.status.severity = EVENT_SEVERITY_NOTICE;
	ev.u.status.action = EVENT_STATUS_CLOCK_SKEW;
	ev.u.status.seconds = 86400;
	cr_expect(fitness_take_event(&f, &ev, start));
	expect(&f, start, "");
}

Test(tor_fitness, skew_says_in_which_direction)
{
	struct fitness f = {0};
	struct now later = start;

	fitness_link_up(&f);
	make_fit(&f, start);
	cr_expect(status(&f, EVENT_STATUS_CLOCK_SKEW, -7200, "", start));
	expect(&f, start, "clock is behind");
	cr_expect(status(&f, EVENT_STATUS_CLOCK_SKEW, 7200, "", start));
	expect(&f, start, "clock is ahead");
	later.mono += FITNESS_SKEW_HOLD_MS;
	later.wall += FITNESS_SKEW_HOLD_MS / 1000;
	expect(&f, later, "");
}

Test(tor_fitness, liveness_events_count_and_foreign_events_do_not)
{
	struct fitness f = {0};
	struct event ev = {.kind = EVENT_NETWORK_LIVENESS};

	fitness_link_up(&f);
	make_fit(&f, start);
	ev.u.live = false;
	cr_expect(fitness_take_event(&f, &ev, start));
	expect(&f, start, "network is down");
	ev.u.live = true;
	cr_expect(fitness_take_event(&f, &ev, start));
	expect(&f, start, "");
	memset(&ev, 0, sizeof(ev));
	ev.kind = EVENT_HS_DESC;
	cr_expect(!fitness_take_event(&f, &ev, start));
	cr_expect(!status(&f, EVENT_STATUS_BOOTSTRAP, 0, "", start));
	expect(&f, start, "");
}

Test(tor_fitness, a_probe_that_got_no_rendezvous_point_makes_us_unfit_until_one_gets_it)
{
	struct fitness f = {0};
	struct now later = start;

	fitness_link_up(&f);
	make_fit(&f, start);
	fitness_take_path(&f, true, start);
	expect(&f, start, "");
	fitness_take_path(&f, false, start);
	expect(&f, start, "tor finds no rendezvous point");
	fitness_take_path(&f, true, start);
	expect(&f, start, "");
	/* Without another probe it is over by itself, or nothing would ever be probed again. */
	fitness_take_path(&f, false, start);
	later.mono += FITNESS_PATH_HOLD_MS;
	later.wall += FITNESS_PATH_HOLD_MS / 1000;
	expect(&f, later, "");
	fitness_take_path(&f, false, start);
	fitness_link_up(&f);
	make_fit(&f, start);
	expect(&f, start, "");
}
