/* SPDX-License-Identifier: BSD-3-Clause */
/* How much is done, and how soon: rotations, waits, what is said and written in quiet times, a mirror's way back. */
#include "config.h"
#include "daemon/daemon.h"
#include "sim/check_impl.h"

#include "sim/impl.h"
#include "sim/simnet.h"
#include "sim/simtor.h"

#include <string.h>

#define MINUTE_MS INT64_C(60000)
#define HOUR_MS (60 * MINUTE_MS)
#define DAY_MS (24 * HOUR_MS)

/* Since when the world is so (true ms); -1: it is not. */
static int64_t calm_since, right_since, writable_since, short_since, out_since[SIM_TORS], well_since[SIM_MIRRORS], waiting_since[SIM_TORS];
static int64_t reached_since;           /* all listed addresses can be reached */
static int64_t free_since[SIM_MIRRORS]; /* neither held nor a spare */
static int64_t waits_since[SIM_MIRRORS]; /* out of the list, with an address that can be reached; looked at each ten minutes */
static int64_t looked;
static unsigned life;

/* Automatic rotations that were decided, newest last. */
#define KEPT 64
static int64_t rotations[KEPT];
static size_t n_rotations;

/* Those in bulk, or for a lost tor, of each mirror. */
#define BULK_A_DAY 3
static int64_t in_bulk[SIM_MIRRORS][BULK_A_DAY]; /* true ms, newest first */

static int64_t hour;
static uint64_t hour_effects;
static unsigned hour_commands[SIM_TORS];
static size_t last_count;

void
check_pace_begin(void)
{
	unsigned i;

	calm_since = short_since = reached_since = looked = -1;
	right_since = writable_since = 0;
	for (i = 0; i < SIM_TORS; i++)
		out_since[i] = waiting_since[i] = -1;
	for (i = 0; i < SIM_MIRRORS; i++) {
		well_since[i] = 0;
		free_since[i] = waits_since[i] = -1;
	}
	memset(in_bulk, 0xff, sizeof in_bulk); /* -1 */
	life = 0;
	n_rotations = 0;
	hour = -1;
	hour_effects = 0;
	memset(hour_commands, 0, sizeof hour_commands);
	last_count = 0;
}

static void
since(int64_t *at, bool so)
{
	if (!so)
		*at = -1;
	else if (*at < 0)
		*at = sim_now();
}

static bool
is_for(int64_t at, int64_t ms)
{
	return at >= 0 && sim_now() - at >= ms;
}

/* --- V6 ---------------------------------------------------------------------------------------- */

#define WAIT_MS 72000 /* 60 s + 20 % */
#define SLACK_MS 1000

static void
look_at_wait(const struct daemon *d, unsigned tor)
{
	bool waits = d != NULL && d->tors != NULL && d->tors[tor].session != NULL && session_get_state(d->tors[tor].session) == SESSION_DOWN;

	since(&waiting_since[tor], waits);
	if (!is_for(waiting_since[tor], WAIT_MS + SLACK_MS))
		return;
	sim_violation("V6", "%s was not tried for more than %d s", sim_plan.tors[tor].name, WAIT_MS / 1000);
}

/* --- after every event: only looks at what is broken ------------------------------------------------ */

static bool
disk_is_well(void)
{
	return !disk_faults.full && !disk_faults.read_only && disk_faults.eio_fsync_ppm == 0;
}

void
check_pace_event(void)
{
	const struct daemon *d;
	bool right = sim_wall() == sim_true_wall();
	unsigned i;

	if (sim_now() == looked)
		return;
	looked = sim_now();
	d = sim_daemon();
	since(&right_since, right);
	since(&writable_since, disk_is_well());
	since(&calm_since, right && d != NULL && life == sim_daemon_life() && !d->stuck && writable_since >= 0 && model_is_calm());
	life = sim_daemon_life();
	for (i = 0; i < sim_plan.n_tors; i++) {
		since(&out_since[i], !model_tor_has_network(i));
		look_at_wait(d, i);
	}
	for (i = 0; i < sim_plan.n_mirrors; i++)
		since(&well_since[i], model_backend_is_well(i));
}

/* It tries: that wait is over. */
void
check_pace_on_connect(const char *endpoint)
{
	unsigned i;

	for (i = 0; i < sim_plan.n_tors; i++)
		if (strcmp(endpoint, sim_plan.tors[i].control) == 0)
			waiting_since[i] = -1;
}

/* --- I7 ------------------------------------------------------------------------------------------- */

#define BLIND_MS (10 * MINUTE_MS) /* it polls its tors every 2 min, and a wait of the link may be a minute */

/* Those in bulk: neither spacing nor the budget counts, but each mirror has three a day. */
static void
look_at_bulk(const struct onion_record *r)
{
	unsigned m;

	for (m = 0; m < sim_plan.n_mirrors && strcmp(sim_plan.mirrors[m].name, r->mirror) != 0; m++)
		;
	if (m == sim_plan.n_mirrors)
		return;
	if (in_bulk[m][BULK_A_DAY - 1] >= 0 && sim_now() - in_bulk[m][BULK_A_DAY - 1] + SLACK_MS < DAY_MS && is_for(right_since, DAY_MS))
		sim_violation("I7", "%s gets more than %d addresses a day in bulk", r->mirror, BULK_A_DAY);
	memmove(&in_bulk[m][1], &in_bulk[m][0], (BULK_A_DAY - 1) * sizeof in_bulk[m][0]);
	in_bulk[m][0] = sim_now();
}

/*
 * The record of a new address is durable. Over a restart the daemon only has the wall clock to count by, and what it wrote
 * before it died may show only afterwards: what is recorded tells when it was decided. What was decided while the disk took
 * nothing is done when it does.
 */
void
check_pace_planned(const struct onion_record *r)
{
	size_t i, today = 0;
	int64_t at = sim_now();
	unsigned m;

	if (r->cause != CAUSE_AGE && r->cause != CAUSE_TAKEDOWN && r->cause != CAUSE_BULK && r->cause != CAUSE_MOVED)
		return;
	for (m = 0; m < sim_plan.n_tors && strcmp(sim_plan.tors[m].name, r->tor) != 0; m++)
		;
	if (m < sim_plan.n_tors && is_for(out_since[m], BLIND_MS) && is_for(writable_since, BLIND_MS))
		sim_violation("I7", "%s gets a new address while its tor has had no network for %d min", r->mirror, (int)(BLIND_MS / MINUTE_MS));
	if (r->cause == CAUSE_BULK || r->cause == CAUSE_MOVED) {
		look_at_bulk(r);
		return;
	}
	if (is_for(right_since, DAY_MS) && r->created < sim_wall())
		at -= (sim_wall() - r->created) * 1000;
	if (n_rotations > 0 && is_for(right_since, DAY_MS) && at - rotations[n_rotations - 1] + SLACK_MS < sim_plan.spacing_ms)
		sim_violation("I7", "two automatic rotations within %lld s", (long long)(at - rotations[n_rotations - 1]) / 1000);
	if (n_rotations == KEPT)
		memmove(rotations, rotations + 1, --n_rotations * sizeof rotations[0]);
	rotations[n_rotations++] = at;
	for (i = 0; i < n_rotations; i++)
		today += sim_now() - rotations[i] + SLACK_MS < DAY_MS;
	if (today > sim_plan.rotations_per_day && is_for(right_since, DAY_MS))
		sim_violation("I7", "%zu automatic rotations in a day, of %u", today, sim_plan.rotations_per_day);
}

/* --- I6 ------------------------------------------------------------------------------------------- */

#define SETTLE_MS (3 * HOUR_MS)

#define FILL_MS (15 * MINUTE_MS) /* a new address after a revocation */

/* Those that are well, and that their operator lets be listed. */
static size_t
count_free(const struct daemon *d)
{
	size_t i, n = 0;

	for (i = 0; i < d->conf->n_mirrors; i++)
		n += engine_mirror_hold(d->engine, (int)i) == HOLD_NONE && is_for(well_since[i], SETTLE_MS);
	return n;
}

/* What goes out of the list below its limit was taken out by hand, or its tor stays away, or was not to be trusted. */
void
check_pace_visible(void)
{
	size_t n = check_list_count(), least = sim_plan.min_listed < last_count ? sim_plan.min_listed : last_count;
	unsigned i;
	bool excused = false;

	for (i = 0; i < sim_plan.n_mirrors; i++)
		excused = excused || operator_asked_hold(i, HOLD_MAINT) || operator_asked_hold(i, HOLD_DRAINED) || operator_asked_revoke(i) ||
			  sim_plan.mirrors[i].revoke_content;
	if (n < least && !excused && model_fit_for(SETTLE_MS))
		sim_violation("I6", "the list has %zu mirrors, had %zu, and %u are to stay", n, last_count, sim_plan.min_listed);
	last_count = n;
}

static void
look_at_count(const struct daemon *d)
{
	size_t n = count_free(d);

	if (n > sim_plan.min_listed)
		n = sim_plan.min_listed;
	since(&short_since, check_list_count() < n);
	if (is_for(short_since, FILL_MS))
		sim_violation("I6", "all was well for %d h, and the list has %zu mirrors of %zu", (int)(SETTLE_MS / HOUR_MS), check_list_count(), n);
}

/* --- V2 ------------------------------------------------------------------------------------------- */

/*
 * The first probe after 30 min and a quarter at the latest, then `rise` good
 * ones, 70 s apart: at most 32 times 2 of a mirror that comes and goes.
 */
#define BACK_MS (2 * HOUR_MS + 10 * MINUTE_MS)

/* Those that readers knew, and may be sent to again. */
static void
look_at_onion(const struct onion_record *r, void *arg)
{
	const unsigned *mirror = arg;

	if (r->state == ONION_LISTED && strcmp(r->mirror, sim_plan.mirrors[*mirror].name) == 0 && !check_list_has(r->address) &&
	    !check_list_retired(r->address) && model_reachable(r->address))
		sim_violation("V2", "%s has been well for %d min and is not in the list", r->mirror, (int)(BACK_MS / MINUTE_MS));
}

/* Most fail together, or fewer than min-listed are well: then the list may stay as it is, and nobody comes into it. */
static bool
most_are_well(const struct daemon *d)
{
	unsigned well = 0, all = 0, i;

	for (i = 0; i < sim_plan.n_mirrors; i++) {
		all += engine_mirror_hold(d->engine, (int)i) == HOLD_NONE;
		well += engine_mirror_hold(d->engine, (int)i) == HOLD_NONE && is_for(well_since[i], BACK_MS);
	}
	return well * 2 >= all && well >= sim_plan.min_listed;
}

struct waiting {
	unsigned mirror;
	bool so;
};

static void
look_whether_it_waits(const struct onion_record *r, void *arg)
{
	struct waiting *a = arg;

	if (r->state == ONION_LISTED && !r->in_list && strcmp(r->mirror, sim_plan.mirrors[a->mirror].name) == 0)
		a->so = a->so || model_reachable(r->address);
}

static void
look_at_mirror(const struct daemon *d, unsigned i)
{
	struct waiting a = { i, false };

	since(&free_since[i], engine_mirror_hold(d->engine, (int)i) == HOLD_NONE && !sim_plan.mirrors[i].spare);
	/* A reader's answer is a signature's work: not each minute. */
	if (sim_now() / MINUTE_MS % 10 != 0)
		return;
	engine_each_onion(d->engine, look_whether_it_waits, &a);
	since(&waits_since[i], a.so);
	if (most_are_well(d) && is_for(free_since[i], BACK_MS) && is_for(well_since[i], BACK_MS) && is_for(waits_since[i], BACK_MS) &&
	    is_for(calm_since, BACK_MS))
		engine_each_onion(d->engine, look_at_onion, &i);
}

/* --- V7 ------------------------------------------------------------------------------------------- */

#define QUIET_MS (12 * HOUR_MS)
#define QUIET_COMMANDS 600 /* an hour, tor and mirror */
#define QUIET_EFFECTS 2000 /* an hour and mirror */

void
check_pace_on_command(unsigned tor)
{
	hour_commands[tor]++;
}

static void
look_at_hour(void)
{
	uint64_t effects = process_effects() - hour_effects;
	bool quiet = is_for(calm_since, QUIET_MS) && is_for(reached_since, QUIET_MS);
	unsigned i;

	for (i = 0; i < sim_plan.n_tors; i++) {
		if (quiet && hour_commands[i] > QUIET_COMMANDS * sim_plan.n_mirrors)
			sim_violation("V7", "%u commands to %s in an hour in which nothing happened", hour_commands[i], sim_plan.tors[i].name);
		hour_commands[i] = 0;
	}
	if (quiet && effects > QUIET_EFFECTS * sim_plan.n_mirrors)
		sim_violation("V7", "%llu side effects in an hour in which nothing happened", (unsigned long long)effects);
	hour_effects = process_effects();
}

void
check_pace_minute(void)
{
	const struct daemon *d = sim_daemon();
	unsigned i;

	since(&reached_since, check_list_reachable() == check_list_count());
	if (sim_now() / HOUR_MS != hour) {
		look_at_hour();
		hour = sim_now() / HOUR_MS;
	}
	if (d == NULL || d->engine == NULL)
		return;
	if (is_for(calm_since, SETTLE_MS))
		look_at_count(d);
	for (i = 0; i < sim_plan.n_mirrors; i++)
		look_at_mirror(d, i);
}
