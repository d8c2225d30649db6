/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is seen of an onion through each tor, and what all of it says together.
 * Two vantages see the same address by circuits that have nothing in common:
 * a bad spell on the way hits one of them, a takedown both. So tries through
 * both count together, and only while both fail.
 */
#include "config.h"
#include "base/mutant.h"
#include "mirror/engine_impl.h"

#include <string.h>

static void
count_anew(struct sight *s)
{
	s->oks = s->fails = s->alone = s->silent = s->address = 0;
	s->blind = s->missing = false;
}

void
sight_aim(const struct engine *e, struct onion *o)
{
	int second = o->mirror >= 0 ? e->mirrors[o->mirror].cfg.probe_through : -1, tors[VANTAGES], i;

	/* Another than its own: which one is told by its number, so that all are looked through. */
	if (second == TOR_AUTO)
		second = e->n_tors > 1 && o->tor >= 0 ? (int)(((uint64_t)o->tor + 1 + o->r.id % (e->n_tors - 1)) % e->n_tors) : TOR_NONE;
	tors[0] = o->tor;
	tors[1] = second != o->tor ? second : -1;
	for (i = 0; i < VANTAGES; i++)
		if (o->sight[i].tor != tors[i]) {
			memset(&o->sight[i], 0, sizeof o->sight[i]);
			o->sight[i].tor = tors[i];
			o->ask &= ~(1u << i);
			/* Whoever saw it well is another one now, or nobody. */
			if (o->sight[!i].blind)
				count_anew(&o->sight[!i]);
		}
	sight_sum(e, o);
}

void
sight_outdate(struct onion *o)
{
	int i;

	for (i = 0; i < VANTAGES; i++)
		o->sight[i].stale = o->sight[i].probing;
	o->said = false;
}

void
sight_forget(struct onion *o)
{
	int i;

	sight_outdate(o);
	for (i = 0; i < VANTAGES; i++)
		count_anew(&o->sight[i]);
	o->oks = o->fails = o->beyond = o->busy = o->slow = o->wrong = 0;
	o->window = 0;
}

struct sight *
sight_probing(struct onion *o, int through)
{
	int i;

	for (i = 0; i < VANTAGES; i++)
		if (o->sight[i].probing && o->sight[i].tor == through)
			return &o->sight[i];
	return NULL;
}

bool
onion_probing(const struct onion *o)
{
	return o->sight[0].probing || o->sight[1].probing;
}

bool
sight_counts(const struct engine *e, const struct sight *s)
{
	return s->tor >= 0 && e->tors[s->tor].linked && (e->tors[s->tor].fit || MUTANT(27)) && !s->blind;
}

unsigned
sight_vantages(const struct engine *e, const struct onion *o)
{
	return (unsigned)sight_counts(e, &o->sight[0]) + (unsigned)sight_counts(e, &o->sight[1]);
}

void
sight_sum(const struct engine *e, struct onion *o)
{
	unsigned n = 0, least = UINT32_MAX, i;

	o->oks = o->sight[0].oks > o->sight[1].oks ? o->sight[0].oks : o->sight[1].oks;
	if (o->r.state != ONION_LISTED) { /* proved through its own tor alone */
		o->fails = o->sight[0].fails;
		return;
	}
	for (i = 0; i < VANTAGES; i++) {
		const struct sight *s = &o->sight[i];

		/* While none of them counts, what was seen before stands. */
		if (sight_vantages(e, o) > 0 ? !sight_counts(e, s) : s->tor < 0 || s->blind)
			continue;
		n++;
		least = s->fails < least ? s->fails : least;
	}
	o->fails = n > 0 ? n * least : 0;
}

/* The other vantage counts and sees it well, so this failure is the way's, not the address's. */
static bool
other_sees_it(const struct engine *e, const struct onion *o, const struct sight *s)
{
	const struct sight *other = &o->sight[s == &o->sight[0]];

	return sight_counts(e, other) && other->fails == 0 && other->oks > 0;
}

bool
sight_is_missing(const struct onion *o)
{
	return o->sight[0].missing || o->sight[1].missing;
}

bool
sight_is_old_news(struct now now, struct sight *s, enum verdict v, enum fetch f)
{
	if (!s->missing || f == FETCH_FOUND || (v != VERDICT_OK && v != VERDICT_STALE && v != VERDICT_BUSY))
		return false;
	s->ask_again = now.mono;
	return true;
}

/*
 * Six HSDirs that have no descriptor are more than one failed try; but it may
 * be our tor that asks the wrong ones, so it is half of what takes an address
 * out of the list: the other half is another tor's, or another time's.
 */
static unsigned
tries_of(const struct engine *e, const struct onion *o, enum fetch f)
{
	return f == FETCH_MISSING ? (e->mirrors[o->mirror].cfg.fall + 1) / 2 : 1;
}

void
sight_take(const struct engine *e, struct now now, struct onion *o, struct sight *s, enum verdict v, enum fetch f)
{
	if (f == FETCH_MISSING && !o->r.proved && !s->missing)
		f = FETCH_NONE; /* its uploads are still under way */
	if (f == FETCH_MISSING) {
		s->missed = now.mono;
		s->ask_again = now.mono + ASK_AGAIN_MS;
	}
	if (f != FETCH_NONE)
		s->missing = f == FETCH_MISSING;
	if (v == VERDICT_OK || v == VERDICT_STALE) {
		s->oks++;
		s->fails = s->alone = s->silent = s->address = 0;
		s->blind = false;
	} else if (v == VERDICT_BUSY) { /* neither well nor failing, but there */
		s->fails = s->alone = s->silent = s->address = 0;
		s->blind = false;
	} else if (verdict_is_failure(v)) {
		s->oks = 0;
		s->fails += tries_of(e, o, f);
		s->alone = other_sees_it(e, o, s) ? s->alone + 1 : 0;
		if (verdict_is_address(v) || v == VERDICT_TIMEOUT) {
			if (s->silent == 0)
				s->silent_since = s->start;
			s->silent_last = s->start;
			s->silent += tries_of(e, o, f);
			s->address += verdict_is_address(v) ? tries_of(e, o, f) : 0;
		} else if (s->missing) { /* tor has kept the way to it: nothing new of the address */
			s->ask_again = now.mono;
		} else {
			s->silent = s->address = 0;
		}
		if (o->r.state == ONION_LISTED && s->alone >= e->mirrors[o->mirror].cfg.fall)
			s->blind = true;
	}
	sight_sum(e, o);
}

bool
sight_any_fails(const struct engine *e, const struct onion *o)
{
	int i;

	for (i = 0; i < VANTAGES; i++)
		if (sight_counts(e, &o->sight[i]) && o->sight[i].fails > 0)
			return true;
	return false;
}

/*
 * How long an address must fail, from the start of the first probe to that of
 * the last that ended, to be taken for taken down. Starts, as everywhere: what a
 * probe finds out is how the address was when it began, and its end says more of
 * our patience. A bad spell ends after some time, however often one asks
 * meanwhile; so what tells it from a takedown is how long the address fails, not
 * how many probes did. In paces of the retries: one more than `fall` through one
 * tor; through two, half a pace less than `fall` is enough, the time of both
 * together, since their spells have little in common. Measured: contrib/doc/health.md.
 */
static int64_t
takedown_total(const struct engine *e, const struct onion *o)
{
	int64_t fall = e->mirrors[o->mirror].cfg.fall;

	return (sight_vantages(e, o) > 1 ? 2 * fall - 1 : 2 * fall + 2) * probe_pace(e, o) / 2;
}

/* It was added again since no HSDir had its descriptor: has that helped? */
static bool
awaits_fetch(const struct onion *o, const struct sight *s)
{
	return s->missing && s->missed <= o->added_mono && s->silent_last < s->ask_again;
}

int64_t
sight_takedown_at(const struct engine *e, const struct onion *o)
{
	int64_t at = takedown_total(e, o), fetch = 0;
	unsigned n = 0, i;

	for (i = 0; i < VANTAGES; i++) {
		const struct sight *s = &o->sight[i];

		if (!sight_counts(e, s))
			continue;
		if (s->silent == 0)
			return NEVER;
		at += s->silent_since;
		if (awaits_fetch(o, s) && s->ask_again > fetch)
			fetch = s->ask_again;
		n++;
	}
	if (n == 0)
		return NEVER;
	at = (at + n - 1) / n;
	return at > fetch ? at : fetch;
}

/*
 * Which mix of verdicts in a row is a takedown of the address:
 *
 *   descriptor, introduction, rendezvous   its own layers: evidence
 *   timeout                                the way may be slow, or an introduction point may be silenced: evidence
 *                                          only through every one of several vantages, or when at least half of the
 *                                          row is the address's own layers
 *   refused, http, tls, content, stale,    something behind the address spoke: the row begins anew
 *   busy, ok
 *   client-auth, bad-address               our own mistake: the row begins anew
 *   inconclusive                           nothing: the row stands still
 *
 * Where no HSDir had the descriptor, only one that is fetched anew ends the
 * row: tor goes on to use for hours what it has kept.
 *
 * The row must hold `fall` tries, and last as long as takedown_total() says;
 * both of all vantages together, and each vantage must have its share of the
 * tries. What else must be well (backend, service, our own side) is looked at
 * in health.c.
 */
bool
sight_is_takedown(const struct engine *e, const struct onion *o)
{
	unsigned n = sight_vantages(e, o), least = UINT32_MAX, i;
	int64_t lasted = 0;

	for (i = 0; i < VANTAGES; i++) {
		const struct sight *s = &o->sight[i];

		if (!sight_counts(e, s))
			continue;
		if (s->silent == 0 || awaits_fetch(o, s))
			return false;
		lasted += s->silent_last - s->silent_since; /* not to the one under way: it may answer */
		if (n < 2 && s->address * 2 < s->silent)
			return false;
		least = s->silent < least ? s->silent : least;
	}
	return n > 0 && lasted >= takedown_total(e, o) && n * least >= e->mirrors[o->mirror].cfg.fall;
}

void
sight_doubt(const struct engine *e, struct onion *o)
{
	unsigned fall = e->mirrors[o->mirror].cfg.fall, i;

	for (i = 0; i < VANTAGES; i++) {
		struct sight *s = &o->sight[i];
		unsigned most = sight_vantages(e, o) > 1 ? (fall + 1) / 2 - 1 : fall - 1;

		s->fails = s->fails > most ? most : s->fails;
		s->silent = s->address = s->alone = 0;
	}
	o->window = 0;
	o->beyond = 0;
	sight_sum(e, o);
}
