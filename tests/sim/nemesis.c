/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What goes wrong. Swarm: a seed has some classes of faults and not others, and
 * a rate for each, so that seeds differ more than they would if all of them
 * always came together.
 */
#include "config.h"
#include "sim/nemesis.h"

#include "sim/impl.h"

#include <string.h>

#define SECOND_MS INT64_C(1000)
#define MINUTE_MS (60 * SECOND_MS)
#define HOUR_MS (60 * MINUTE_MS)

/* One thing that is broken now, and the event that mends it. */
struct wound {
	enum nemesis_fault fault;
	unsigned which;
	uint64_t ev; /* 0: free */
};
#define WOUNDS 64
static struct wound wounds[WOUNDS];
static uint64_t next_ev[FAULT_N];
static int64_t mean[FAULT_N];
static unsigned allowed = UINT32_MAX;

static unsigned
some_tor(void)
{
	return (unsigned)sim_below(DICE_NEMESIS, sim_plan.n_tors);
}

static unsigned
some_mirror(void)
{
	return (unsigned)sim_below(DICE_NEMESIS, sim_plan.n_mirrors);
}

static int64_t
for_ms(int64_t lo, int64_t hi)
{
	return sim_between(DICE_NEMESIS, lo, hi);
}

/* Each strikes and returns for how long (0: it is over); *which is what is to be mended. */

static int64_t
strike_tor_kill(unsigned *which)
{
	model_tor_kill(*which = some_tor());
	/* Sometimes over and over: A2. */
	return sim_chance(DICE_NEMESIS, 300000) ? for_ms(500, 3 * SECOND_MS) : for_ms(SECOND_MS, 20 * MINUTE_MS);
}

static void
mend_tor_kill(unsigned which)
{
	model_tor_start(which);
}

static int64_t
strike_tor_stop(unsigned *which)
{
	model_tor_stop(*which = some_tor(), true);
	return for_ms(SECOND_MS, 15 * MINUTE_MS);
}

static void
mend_tor_stop(unsigned which)
{
	model_tor_stop(which, false);
}

static int64_t
strike_network(unsigned *which)
{
	model_tor_network(*which = some_tor(), false);
	return for_ms(10 * SECOND_MS, 2 * HOUR_MS);
}

static void
mend_network(unsigned which)
{
	model_tor_network(which, true);
}

static int64_t
strike_filter(unsigned *which)
{
	model_tor_filter(*which = some_tor(), true);
	return for_ms(MINUTE_MS, 6 * HOUR_MS);
}

static void
mend_filter(unsigned which)
{
	model_tor_filter(which, false);
}

static int64_t
strike_lose(unsigned *which)
{
	model_tor_lose_onions(*which = some_tor());
	return 0;
}

static int64_t
strike_backend(unsigned *which)
{
	static const enum backend_mode modes[] = { BACKEND_DOWN, BACKEND_SLOW, BACKEND_DEFACED, BACKEND_SILENT, BACKEND_ERROR500 };
	enum backend_mode mode = modes[sim_below(DICE_NEMESIS, 5)];
	bool every = sim_chance(DICE_NEMESIS, 100000);
	unsigned i;

	*which = every ? UINT32_MAX : some_mirror();
	for (i = 0; i < sim_plan.n_mirrors; i++)
		if (every || i == *which)
			model_backend(i, mode);
	return for_ms(10 * SECOND_MS, 6 * HOUR_MS);
}

static void
mend_backend(unsigned which)
{
	unsigned i;

	for (i = 0; i < sim_plan.n_mirrors; i++)
		if (which == UINT32_MAX || i == which)
			model_backend(i, BACKEND_OK);
}

static int64_t
strike_flap(unsigned *which)
{
	model_backend(*which = some_mirror(), BACKEND_DOWN);
	return for_ms(SECOND_MS, 10 * MINUTE_MS);
}

static int64_t
strike_uploads(unsigned *which)
{
	(void)which;
	model_uploads_lost((unsigned)for_ms(10000, 600000));
	return for_ms(MINUTE_MS, 4 * HOUR_MS);
}

static void
mend_uploads(unsigned which)
{
	(void)which;
	model_uploads_lost(0);
}

static int64_t
strike_spells(unsigned *which)
{
	(void)which;
	model_bad_spells((unsigned)for_ms(7200, 50000));
	return for_ms(HOUR_MS, 24 * HOUR_MS);
}

static void
mend_spells(unsigned which)
{
	(void)which;
	model_bad_spells(0);
}

static int64_t
strike_takedown(unsigned *which)
{
	unsigned nth = (unsigned)sim_below(DICE_NEMESIS, 1000), n = nth % 4 == 0 ? 4 : 1, i;

	(void)which;
	/* Now and then several together: neighbours, so that none is hit twice while there are as many. */
	for (i = 0; i < n; i++)
		model_takedown(nth + i);
	return 0;
}

/* Which mangling is on is in these; the rule that holds is their sum. */
static struct sim_mangle mangle;

static void
set_mangle(void)
{
	sim_mangle_none();
	sim_mangle("", &mangle);
}

static int64_t
strike_mangle(unsigned *which)
{
	(void)which;
	mangle.split_ppm = (unsigned)for_ms(0, 1000000);
	mangle.delay_ppm = (unsigned)for_ms(0, 300000);
	mangle.delay_ms = for_ms(1, 8000);
	mangle.truncate_ppm = (unsigned)for_ms(0, 5000);
	mangle.stall_ppm = (unsigned)for_ms(0, 2000);
	set_mangle();
	return for_ms(MINUTE_MS, 12 * HOUR_MS);
}

static void
mend_mangle(unsigned which)
{
	(void)which;
	mangle.split_ppm = mangle.delay_ppm = mangle.truncate_ppm = mangle.stall_ppm = 0;
	set_mangle();
}

static int64_t
strike_flood(unsigned *which)
{
	(void)which;
	mangle.flood_ppm = (unsigned)for_ms(100, 20000);
	set_mangle();
	return for_ms(MINUTE_MS, HOUR_MS);
}

static void
mend_flood(unsigned which)
{
	(void)which;
	mangle.flood_ppm = 0;
	set_mangle();
}

static int64_t
strike_half_open(unsigned *which)
{
	(void)which;
	mangle.half_open_ppm = (unsigned)for_ms(100, 20000);
	set_mangle();
	return for_ms(MINUTE_MS, HOUR_MS);
}

static void
mend_half_open(unsigned which)
{
	(void)which;
	mangle.half_open_ppm = 0;
	set_mangle();
}

static int64_t
strike_clock(unsigned *which)
{
	int64_t s = for_ms(-600, 600);

	(void)which;
	if (sim_chance(DICE_NEMESIS, 200000))
		s *= 100;
	sim_trace("nemesis: the wall clock is off by %lld s", (long long)s);
	sim_wall_set_offset(s);
	return for_ms(MINUTE_MS, 12 * HOUR_MS);
}

static void
mend_clock(unsigned which)
{
	(void)which;
	sim_wall_set_offset(0);
}

static int64_t
strike_kill(unsigned *which)
{
	(void)which;
	process_kill("at rest", for_ms(100, 30 * SECOND_MS));
	return 0;
}

/* And often again while it recovers. */
static int64_t
strike_kill_at(unsigned *which)
{
	(void)which;
	process_kill_at(1 + sim_below(DICE_NEMESIS, sim_chance(DICE_NEMESIS, 500000) ? 20 : 400), false, for_ms(100, 10 * SECOND_MS));
	return sim_chance(DICE_NEMESIS, 400000) ? for_ms(SECOND_MS, 60 * SECOND_MS) : 0;
}

static void
mend_kill_at(unsigned which)
{
	(void)which;
	process_kill_at(1 + sim_below(DICE_NEMESIS, 60), false, for_ms(100, 10 * SECOND_MS));
}

static int64_t
strike_power(unsigned *which)
{
	(void)which;
	if (sim_chance(DICE_NEMESIS, 300000))
		process_power_loss(for_ms(SECOND_MS, 10 * MINUTE_MS));
	else
		process_kill_at(1 + sim_below(DICE_NEMESIS, 200), true, for_ms(SECOND_MS, 10 * MINUTE_MS));
	return 0;
}

static int64_t
strike_full(unsigned *which)
{
	(void)which;
	disk_faults.full = true;
	disk_faults.budget = for_ms(0, 200000);
	return for_ms(10 * SECOND_MS, 6 * HOUR_MS);
}

static void
mend_full(unsigned which)
{
	(void)which;
	disk_faults.full = false;
}

static int64_t
strike_read_only(unsigned *which)
{
	(void)which;
	disk_faults.read_only = true;
	return for_ms(10 * SECOND_MS, 2 * HOUR_MS);
}

static void
mend_read_only(unsigned which)
{
	(void)which;
	disk_faults.read_only = false;
}

static int64_t
strike_eio(unsigned *which)
{
	(void)which;
	disk_faults.eio_fsync_ppm = (unsigned)for_ms(1000, 100000);
	return for_ms(SECOND_MS, 20 * MINUTE_MS);
}

static void
mend_eio(unsigned which)
{
	(void)which;
	disk_faults.eio_fsync_ppm = 0;
}

static int64_t
strike_short(unsigned *which)
{
	(void)which;
	disk_faults.short_write_ppm = (unsigned)for_ms(1000, 500000);
	return for_ms(MINUTE_MS, 6 * HOUR_MS);
}

static void
mend_short(unsigned which)
{
	(void)which;
	disk_faults.short_write_ppm = 0;
}

static const struct {
	const char *name;
	int64_t mean_ms; /* between two strikes, before the seed's own rate */
	int64_t (*strike)(unsigned *which);
	void (*mend)(unsigned which);
} table[FAULT_N] = {
	[FAULT_TOR_KILL] = { "tor-kill", 6 * HOUR_MS, strike_tor_kill, mend_tor_kill },
	[FAULT_TOR_STOP] = { "tor-stop", 8 * HOUR_MS, strike_tor_stop, mend_tor_stop },
	[FAULT_TOR_NETWORK] = { "tor-network", 12 * HOUR_MS, strike_network, mend_network },
	[FAULT_TOR_FILTER] = { "tor-filter", 24 * HOUR_MS, strike_filter, mend_filter },
	[FAULT_TOR_LOSE] = { "tor-lose", 12 * HOUR_MS, strike_lose, NULL },
	[FAULT_BACKEND] = { "backend", 8 * HOUR_MS, strike_backend, mend_backend },
	[FAULT_FLAP] = { "flap", 2 * HOUR_MS, strike_flap, mend_backend },
	[FAULT_UPLOADS] = { "uploads", 12 * HOUR_MS, strike_uploads, mend_uploads },
	[FAULT_SPELLS] = { "spells", 24 * HOUR_MS, strike_spells, mend_spells },
	[FAULT_TAKEDOWN] = { "takedown", 36 * HOUR_MS, strike_takedown, NULL },
	[FAULT_MANGLE] = { "mangle", 12 * HOUR_MS, strike_mangle, mend_mangle },
	[FAULT_FLOOD] = { "flood", 24 * HOUR_MS, strike_flood, mend_flood },
	[FAULT_HALF_OPEN] = { "half-open", 24 * HOUR_MS, strike_half_open, mend_half_open },
	[FAULT_CLOCK] = { "clock", 24 * HOUR_MS, strike_clock, mend_clock },
	[FAULT_KILL] = { "kill", 12 * HOUR_MS, strike_kill, NULL },
	[FAULT_KILL_AT] = { "kill-at", 3 * HOUR_MS, strike_kill_at, mend_kill_at },
	[FAULT_POWER] = { "power", 12 * HOUR_MS, strike_power, NULL },
	[FAULT_DISK_FULL] = { "disk-full", 12 * HOUR_MS, strike_full, mend_full },
	[FAULT_DISK_READ_ONLY] = { "disk-read-only", 24 * HOUR_MS, strike_read_only, mend_read_only },
	[FAULT_DISK_EIO] = { "disk-eio", 24 * HOUR_MS, strike_eio, mend_eio },
	[FAULT_SHORT_WRITE] = { "short-write", 24 * HOUR_MS, strike_short, mend_short },
};

const char *
nemesis_fault_name(enum nemesis_fault f)
{
	return table[f].name;
}

int
nemesis_fault_find(const char *name)
{
	int f;

	for (f = 0; f < FAULT_N; f++)
		if (strcmp(table[f].name, name) == 0)
			return f;
	return -1;
}

void
nemesis_only(unsigned faults)
{
	allowed = faults;
}

static void
on_mend(void *arg)
{
	struct wound *w = arg;

	sim_trace("nemesis: %s %u is over", table[w->fault].name, w->which);
	w->ev = 0;
	table[w->fault].mend(w->which);
}

static void on_strike(void *arg);

/* Roughly exponential: short waits are common, long ones happen. */
static void
wait(enum nemesis_fault f)
{
	int64_t ms = sim_between(DICE_NEMESIS, 0, 2 * mean[f]);

	if (sim_chance(DICE_NEMESIS, 200000))
		ms /= 20;
	next_ev[f] = sim_after(ms, on_strike, &next_ev[f]);
}

static void
on_strike(void *arg)
{
	enum nemesis_fault f = (enum nemesis_fault)((uint64_t *)arg - next_ev);
	unsigned which = 0, i;
	int64_t ms;

	wait(f);
	for (i = 0; i < WOUNDS && wounds[i].ev != 0; i++)
		;
	if (i == WOUNDS)
		return;
	ms = table[f].strike(&which);
	sim_trace("nemesis: %s %u for %lld s", table[f].name, which, (long long)(ms / 1000));
	if (ms <= 0)
		return;
	wounds[i].fault = f;
	wounds[i].which = which;
	wounds[i].ev = sim_after(ms, on_mend, &wounds[i]);
}

/* The same thing may be broken twice at once: what is mended first is whole again. That is a fault pattern too. */
void
nemesis_begin(void)
{
	unsigned f;
	bool on;

	memset(wounds, 0, sizeof wounds);
	memset(next_ev, 0, sizeof next_ev);
	memset(&mangle, 0, sizeof mangle);
	sim_plan.faults = 0;
	for (f = 0; f < FAULT_N; f++) {
		on = sim_chance(DICE_PLAN, 400000);
		mean[f] = table[f].mean_ms * sim_between(DICE_PLAN, 25, 400) / 100;
		if (!on || (allowed & 1u << f) == 0)
			continue;
		sim_plan.faults |= 1u << f;
		sim_trace("plan: %s every %lld min", table[f].name, (long long)(mean[f] / MINUTE_MS));
		wait((enum nemesis_fault)f);
	}
}

void
nemesis_heal(void)
{
	unsigned i, f;

	for (f = 0; f < FAULT_N; f++)
		sim_cancel(next_ev[f]);
	for (i = 0; i < WOUNDS; i++)
		if (wounds[i].ev != 0) {
			sim_cancel(wounds[i].ev);
			wounds[i].ev = 0;
			if (wounds[i].fault != FAULT_KILL_AT)
				table[wounds[i].fault].mend(wounds[i].which);
		}
	process_kill_at(0, false, 0);
	sim_mangle_none();
	memset(&disk_faults, 0, sizeof disk_faults);
	sim_wall_set_offset(0);
	model_heal();
}
