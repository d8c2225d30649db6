/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * False alarms against speed. The engine alone, in virtual time, over a world
 * in which nothing is ever wrong but the way: each vantage meets bad spells of
 * its own. Counts what the engine takes for down and for taken down although
 * all is well; then takes addresses down for real and measures how long it
 * takes to decide to rotate. The same seed gives the same numbers.
 * contrib/doc/health.md holds the table and says what is assumed.
 */
#include "config.h"
#include "base/mem.h"
#include "base/rng.h"
#include "mirror/engine.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define MIRRORS 10
#define TORS 2
#define DAY INT64_C(86400000)
#define YEAR (365 * DAY)
#define WALL INT64_C(1700000000)
#define SPELL_MS 45000.0      /* mean length of a bad spell */
#define SPELL_SHARE 0.0072    /* of all probes meet one */
#define OK_MS 3000            /* how long a good probe takes, */
#define BAD_MS 20000          /* one that meets a spell, */
#define GONE_MS 1000          /* one whose descriptor is gone, */
#define CUT_MS 30000          /* one whose introduction points are cut off */
#define NOTICE_MAX (4 * 3600000)
#define PENDING 64

struct setting {
	unsigned fall, interval_s, vantages;
	unsigned shared; /* percent of the spells that hit all vantages together */
};

struct result {
	size_t index;
	double delisted, rotated;     /* a mirror-year */
	double median, p90;           /* minutes from a takedown to the decision */
	unsigned missed;
	double probes;                /* a mirror and day */
};

/* Good and bad by turns, both exponential. */
struct spell {
	bool bad;
	int64_t until;
};

struct run {
	struct engine *e;
	struct now now;
	struct setting set;
	struct spell way[MIRRORS][TORS + 1]; /* the last one is common to all vantages */
	struct onion_record *onions;         /* owned, by id less one */
	int64_t *dead;                       /* owned: how long a probe of it takes to fail, 0: it is well */
	size_t n_onions, cap;
	struct {
		int64_t at;
		uint64_t onion;
		int through;
		enum verdict v;
	} pending[PENDING];
	size_t n_pending;
	uint64_t serial, probes;
	unsigned delisted, rotated;
	uint64_t watched; /* an onion that was taken down; 0 when its mirror is getting a new one */
};

static uint64_t rng_state[4];

/* xoshiro256** */
static uint64_t
next_random(void)
{
	uint64_t *s = rng_state, x = s[1] * 5, r = (x << 7 | x >> 57) * 9, t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = s[3] << 45 | s[3] >> 19;
	return r;
}

static void
fill_random(void *p, size_t n)
{
	uint64_t r;

	for (; n > 0; n -= n < 8 ? n : 8, p = (char *)p + 8) {
		r = next_random();
		memcpy(p, &r, n < 8 ? n : 8);
	}
}

static void
seed_random(uint64_t seed)
{
	int i;

	for (i = 0; i < 4; i++) {
		uint64_t z = seed += UINT64_C(0x9e3779b97f4a7c15);

		z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
		z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
		rng_state[i] = z ^ z >> 31;
	}
	rng_set_source(fill_random);
}

static int64_t
exponential(double mean)
{
	return (int64_t)(-mean * log((double)((next_random() >> 11) + 1) / 9007199254740993.0)) + 1;
}

static bool
is_bad(struct run *r, int mirror, int way)
{
	struct spell *s = &r->way[mirror][way];
	double part = way == TORS ? r->set.shared / 100.0 : 1 - r->set.shared / 100.0;

	if (part <= 0)
		return false;
	while (s->until <= r->now.mono) {
		s->bad = !s->bad;
		s->until += exponential(s->bad ? SPELL_MS : SPELL_MS * (1 / (SPELL_SHARE * part) - 1));
	}
	return s->bad;
}

static void take(struct run *r, struct actions *out);

static void
plan(struct run *r, const struct action *a)
{
	struct actions out = { 0 };
	struct onion_record *o;

	if (r->n_onions == r->cap) {
		r->cap = r->cap == 0 ? 64 : r->cap * 2;
		r->onions = xreallocarray(r->onions, r->cap, sizeof *r->onions);
		r->dead = xreallocarray(r->dead, r->cap, sizeof *r->dead);
	}
	r->dead[r->n_onions] = 0;
	o = &r->onions[r->n_onions++];
	memset(o, 0, sizeof *o);
	o->id = r->n_onions;
	snprintf(o->address, sizeof o->address, "%056llu", (unsigned long long)o->id);
	snprintf(o->mirror, sizeof o->mirror, "m%d", a->mirror);
	snprintf(o->tor, sizeof o->tor, "tor0");
	o->cause = a->cause;
	o->created = r->now.wall;
	engine_on_planned(r->e, r->now, o, &out);
	take(r, &out);
}

static void
add(struct run *r, uint64_t id)
{
	struct actions out = { 0 };
	char hsdir[48];
	int i;

	engine_on_added(r->e, r->now, id, &out);
	for (i = 0; i < 16; i++) {
		snprintf(hsdir, sizeof hsdir, "%040d", i);
		engine_on_descriptor(r->e, r->now, r->onions[id - 1].address, DESC_UPLOAD, hsdir, "", &out);
		engine_on_descriptor(r->e, r->now, r->onions[id - 1].address, DESC_UPLOADED, hsdir, "", &out);
	}
	take(r, &out);
}

static void
compare(struct run *r, unsigned tor)
{
	const char **set = xcalloc(r->n_onions + 1, sizeof *set);
	struct actions out = { 0 };
	const struct onion_record *o;
	size_t n = 0, i;

	for (i = 0; tor == 0 && i < r->n_onions; i++) {
		o = engine_onion(r->e, i + 1); /* NULL: forgotten long ago */
		if (o != NULL && o->state < ONION_GONE)
			set[n++] = r->onions[i].address;
	}
	engine_on_detached(r->e, r->now, tor, set, n, &out);
	free(set);
	take(r, &out);
}

static void
probe(struct run *r, const struct action *a)
{
	int64_t dead = r->dead[a->onion - 1], took = OK_MS;
	enum verdict v = VERDICT_OK;

	if (dead > 0) {
		v = dead == GONE_MS ? VERDICT_NO_DESCRIPTOR : VERDICT_INTRO;
		took = dead;
	} else if (is_bad(r, a->mirror, a->through) || is_bad(r, a->mirror, TORS)) {
		v = VERDICT_INTRO; /* the worst case: the way fails just as a takedown would */
		took = BAD_MS;
	}
	if (r->n_pending == PENDING)
		abort();
	r->pending[r->n_pending].at = r->now.mono + took;
	r->pending[r->n_pending].onion = a->onion;
	r->pending[r->n_pending].through = a->through;
	r->pending[r->n_pending++].v = v;
	r->probes++;
}

static void
look(struct run *r, const struct action *a)
{
	if (a->note == NOTE_STATE && a->onion != 0 && strcmp(a->step, "down") == 0)
		r->delisted++;
	if (a->note == NOTE_DECISION && strcmp(a->step, "takedown") == 0) {
		r->rotated++;
		if (a->onion == r->watched)
			r->watched = 0;
	}
}

static void
act(struct run *r, const struct action *a)
{
	struct actions out = { 0 };

	switch (a->kind) {
	case ACTION_PLAN: plan(r, a); return;
	case ACTION_ADD_ONION: add(r, a->onion); return;
	case ACTION_COMPARE: compare(r, 0); return;
	case ACTION_PROBE: probe(r, a); return;
	case ACTION_NOTE: look(r, a); return;
	case ACTION_DEL_ONION: engine_on_deleted(r->e, r->now, a->onion, true, &out); break;
	case ACTION_CHECK: engine_on_check(r->e, r->now, a->mirror, VERDICT_OK, &out); break;
	case ACTION_CONTROL: engine_on_control(r->e, r->now, a->through, true, &out); break;
	case ACTION_PUBLISH: engine_on_published(r->e, r->now, true, ++r->serial, r->now.wall + 86400, &out); break;
	case ACTION_CLIENTS: engine_on_clients(r->e, r->now, a->onion, 0, &out); break;
	case ACTION_SAVE:
	case ACTION_SAVE_MIRROR:
	case ACTION_FORGET:
	case ACTION_SHRED: return; /* there is no store */
	}
	take(r, &out);
}

/* Carries out and frees. */
static void
take(struct run *r, struct actions *out)
{
	size_t i;

	for (i = 0; i < out->n; i++)
		act(r, &out->v[i]);
	actions_free(out);
}

static void
answer(struct run *r, size_t i)
{
	struct phases ph = { .first_byte = OK_MS, .total = OK_MS };
	struct actions out = { 0 };
	uint64_t onion = r->pending[i].onion;
	enum verdict v = r->pending[i].v;
	int through = r->pending[i].through;

	r->pending[i] = r->pending[--r->n_pending];
	engine_on_probe(r->e, r->now, onion, through, v, FETCH_NONE, &ph, &out);
	take(r, &out);
}

/* Lets time pass until `end`, or until the watched onion is given up. */
static void
pass(struct run *r, int64_t end, bool watch)
{
	struct actions out = { 0 };

	while (!watch || r->watched != 0) {
		int64_t at = engine_deadline(r->e);
		size_t i, best = r->n_pending;

		for (i = 0; i < r->n_pending; i++)
			if (r->pending[i].at <= at) {
				at = r->pending[i].at;
				best = i;
			}
		if (at >= end)
			break;
		r->now.mono = at > r->now.mono ? at : r->now.mono;
		r->now.wall = WALL + r->now.mono / 1000;
		if (best < r->n_pending) {
			answer(r, best);
			continue;
		}
		engine_tick(r->e, r->now, &out);
		take(r, &out);
	}
	if (!watch && end > r->now.mono)
		r->now.mono = end;
}

static void
begin(struct run *r, const struct setting *set)
{
	struct engine_tor tors[TORS] = { { .name = "tor0" }, { .name = "tor1" } };
	struct engine_mirror mirrors[MIRRORS];
	struct engine_config cfg = { .tors = tors, .n_tors = TORS, .mirrors = mirrors, .n_mirrors = MIRRORS, .min_listed = 2,
		.rotation_spacing_ms = 1000, .max_rotations_per_day = 1000000 };
	struct actions out = { 0 };
	unsigned i, k;

	memset(r, 0, sizeof *r);
	memset(mirrors, 0, sizeof mirrors);
	r->set = *set;
	r->now = (struct now){ 1000, WALL + 1 };
	for (i = 0; i < MIRRORS; i++) {
		snprintf(mirrors[i].name, sizeof mirrors[i].name, "m%u", i);
		mirrors[i].probe_through = set->vantages > 1 ? 1 : -1;
		mirrors[i].interval_ms = (int64_t)set->interval_s * 1000;
		mirrors[i].timeout_ms = 60000;
		mirrors[i].rise = 2;
		mirrors[i].fall = set->fall;
		mirrors[i].drain_s = 3600;
		for (k = 0; k <= TORS; k++) { /* as if it had gone on for long */
			r->way[i][k].bad = rng_below(10000) < 10000 * SPELL_SHARE;
			r->way[i][k].until = r->now.mono;
			r->way[i][k].bad = !r->way[i][k].bad;
		}
	}
	r->e = engine_new(&cfg);
	engine_start(r->e, r->now, 0, 0, &out);
	take(r, &out);
	for (i = 0; i < TORS; i++) {
		compare(r, i);
		engine_on_fitness(r->e, r->now, i, true, "", &out);
		take(r, &out);
	}
	pass(r, r->now.mono + 3600000, false);
	r->delisted = r->rotated = 0;
	r->probes = 0;
}

static void
end(struct run *r)
{
	engine_free(r->e);
	free(r->onions);
	free(r->dead);
}

static int
by_size(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* Real takedowns, one after the other; took: minutes until each was noticed. */
static void
notice(struct run *r, unsigned n, double *took, struct result *res)
{
	struct mirror_view v;
	unsigned i;
	int m;

	for (i = 0; i < n; i++) {
		int64_t from;

		pass(r, r->now.mono + 3600000 + (int64_t)rng_below(7200000), false);
		do {
			pass(r, r->now.mono + 60000, false);
			m = (int)rng_below(MIRRORS);
			engine_mirror_view(r->e, m, &v);
		} while (v.listed == 0 || v.candidate != 0);
		from = r->now.mono;
		r->watched = v.listed;
		r->dead[v.listed - 1] = i % 2 == 0 ? GONE_MS : CUT_MS;
		pass(r, from + NOTICE_MAX, true);
		res->missed += r->watched != 0;
		r->watched = 0;
		took[i] = (double)(r->now.mono - from) / 60000;
		/* One that was missed comes back. */
		r->dead[v.listed - 1] = 0;
	}
}

static void
measure(const struct setting *set, uint64_t seed, double years, unsigned takedowns, struct result *res)
{
	unsigned delisted = 0, rotated = 0;
	uint64_t probes = 0;
	double left, *took = xcalloc(takedowns, sizeof *took);
	struct run r;
	unsigned i, n;

	seed_random(seed);
	/* An engine for each year, and for each few takedowns: it remembers all the onions it ever had. */
	for (left = years; left > 0; left--) {
		double part = left < 1 ? left : 1;

		begin(&r, set);
		pass(&r, r.now.mono + (int64_t)(part * (double)YEAR), false);
		delisted += r.delisted;
		rotated += r.rotated;
		probes += r.probes;
		end(&r);
	}
	res->delisted = delisted / (years * MIRRORS);
	res->rotated = rotated / (years * MIRRORS);
	res->probes = (double)probes / (years * 365 * MIRRORS);
	for (i = 0; i < takedowns; i += n) {
		n = takedowns - i < 50 ? takedowns - i : 50;
		begin(&r, set);
		notice(&r, n, took + i, res);
		end(&r);
	}
	qsort(took, takedowns, sizeof *took, by_size);
	res->median = took[takedowns / 2];
	res->p90 = took[takedowns * 9 / 10];
	free(took);
}

static void
print(const struct setting *s, const struct result *r)
{
	printf("%8u  %4u  %7u s  %6u %%  %10.2f  %9.3f  %7.1f  %7.1f  %6u  %6.0f\n", s->vantages, s->fall, s->interval_s, s->shared, r->delisted,
	    r->rotated, r->median, r->p90, r->missed, r->probes);
	fflush(stdout);
}

/* The defaults, for a few months: far from the truth when something is broken. */
static int
quick(void)
{
	static const struct setting sets[] = { { 6, 300, 1, 0 }, { 6, 300, 2, 0 } };
	static const double notice_max[] = { 10, 6 };
	int bad = 0;
	size_t i;

	for (i = 0; i < 2; i++) {
		struct result res = { 0 };

		measure(&sets[i], 1, 0.2, 400, &res);
		print(&sets[i], &res);
		bad |= res.delisted > 2 || res.rotated > 0.5 || res.median > notice_max[i] || res.missed > 0;
	}
	if (bad)
		printf("not ok curve: the defaults are out of their bounds\n");
	return bad;
}

static const struct setting table[] = {
	/* fall, interval, vantages, shared */
	{ 3, 300, 1, 0 }, { 4, 300, 1, 0 }, { 5, 300, 1, 0 }, { 6, 300, 1, 0 }, { 7, 300, 1, 0 }, { 8, 300, 1, 0 }, { 12, 300, 1, 0 },
	{ 6, 120, 1, 0 }, { 6, 600, 1, 0 },
	{ 2, 300, 2, 0 }, { 4, 300, 2, 0 }, { 6, 300, 2, 0 }, { 8, 300, 2, 0 }, { 12, 300, 2, 0 }, { 6, 120, 2, 0 }, { 6, 600, 2, 0 },
	{ 6, 300, 2, 5 }, { 6, 300, 2, 20 }, { 12, 300, 2, 20 },
};
#define N_TABLE (sizeof table / sizeof table[0])

static void
worker(int fd, size_t first, size_t end, size_t step, uint64_t seed, double years, unsigned takedowns)
{
	size_t i;

	for (i = first; i < end; i += step) {
		struct result res = { .index = i };

		measure(&table[i], seed + i, years, takedowns, &res);
		if (write(fd, &res, sizeof res) != (ssize_t)sizeof res)
			_exit(1);
	}
	_exit(0);
}

int
main(int argc, char **argv)
{
	double years = argc > 1 ? atof(argv[1]) : 0;
	unsigned takedowns = argc > 2 ? (unsigned)atoi(argv[2]) : 400, jobs = argc > 3 ? (unsigned)atoi(argv[3]) : 2, k;
	uint64_t seed = argc > 4 ? strtoull(argv[4], NULL, 10) : 1;
	size_t first = argc > 5 ? strtoul(argv[5], NULL, 10) : 0, last = argc > 6 ? strtoul(argv[6], NULL, 10) : N_TABLE;
	struct result res[N_TABLE], one;
	size_t got = 0;
	int fd[2];

	if (years <= 0 || takedowns == 0 || jobs == 0 || first >= last || last > N_TABLE)
		return argc > 1 ? (fprintf(stderr, "usage: curve [YEARS [TAKEDOWNS [JOBS [SEED [FIRST-ROW END-ROW]]]]]\n"), 2) : quick();
	if (pipe(fd) != 0)
		return 1;
	for (k = 0; k < jobs; k++)
		if (fork() == 0)
			worker(fd[1], first + k, last, jobs, seed, years, takedowns);
	close(fd[1]);
	while (read(fd[0], &one, sizeof one) == (ssize_t)sizeof one) {
		res[one.index] = one;
		got++;
	}
	while (wait(NULL) > 0)
		;
	if (got != last - first)
		return 1;
	printf("%d mirrors, %g years, %u takedowns, seed %llu\n", MIRRORS, years, takedowns, (unsigned long long)seed);
	printf("vantages  fall   interval    shared  delistings  rotations   median       90%%  missed  probes\n");
	for (; first < last; first++)
		print(&table[first], &res[first]);
	return 0;
}
