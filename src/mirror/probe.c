/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * When which onion is probed, through which tor, and how many at a time. Probes
 * come in rounds. All well: one probe, by turns through each vantage, which
 * costs no more than one vantage does and sees a takedown as soon; a failure
 * asks the other vantage in the same round, and then each round asks both.
 */
#include "config.h"
#include "base/mutant.h"
#include "base/rng.h"
#include "mirror/engine_impl.h"

static int64_t
min64(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

int64_t
probe_pace(const struct engine *e, const struct onion *o)
{
	return min64(e->mirrors[o->mirror].cfg.interval_ms, CHANGING_MS);
}

/* Stale content alone is no reason to hurry, nor is being out of the list by hand: nothing is decided before that ends. */
static bool
is_calm(const struct engine *e, const struct onion *o)
{
	if (o->last == VERDICT_INCONCLUSIVE || sight_any_fails(e, o) || o->fails > 0)
		return false;
	return !o->delisted || o->last == VERDICT_STALE || e->mirrors[o->mirror].hold != HOLD_NONE;
}

/* How long until the next round, from the start of this one. */
static int64_t
gap(const struct engine *e, const struct onion *o)
{
	int64_t pace = probe_pace(e, o), at;

	if (o->r.state == ONION_PROVING)
		return o->fails == 0 ? 0 : min64(1000LL << (o->fails < 16 ? o->fails - 1 : 15), PROVING_RETRY_MAX_MS);
	if (!o->r.proved && o->fails == 0 && !sight_any_fails(e, o))
		return 0;
	if (is_calm(e, o))
		return rng_jitter(e->mirrors[o->mirror].cfg.interval_ms, 25);
	/* Down: twice as long each time; but what is about the whole site is to be seen over soon. */
	if (o->beyond > 0 && !e->mass && !e->trouble)
		return rng_jitter(min64(pace << (o->beyond < 12 ? o->beyond : 12), DOWN_MAX_MS), 10);
	/* The probe that tells a takedown from a spell comes when it can tell. */
	at = sight_takedown_at(e, o);
	if (at > o->round_start && at - o->round_start < pace + pace / 2)
		return at - o->round_start;
	/* Spaced beyond a spell's mean length: never less than the pace, or the tries say the same thing. */
	return pace + (int64_t)rng_below((uint64_t)pace / 6 + 1);
}

/* The pace of a change is kept until everything that could be decided was. */
static bool
is_decided(const struct engine *e, const struct onion *o)
{
	unsigned fall = e->mirrors[o->mirror].cfg.fall;
	int64_t at = sight_takedown_at(e, o);

	return o->fails >= fall && (at == NEVER ? o->fails >= 2 * fall : o->round_start >= at);
}

void
probe_round_over(struct engine *e, struct now now, struct onion *o)
{
	int64_t next;

	if (!o->round || o->ask != 0 || onion_probing(o))
		return;
	o->round = false;
	if (o->mirror < 0 || o->service != SERVICE_UP || (o->r.state != ONION_PROVING && o->r.state != ONION_LISTED))
		return;
	if (o->said) {
		o->window = (uint8_t)(o->window << 1 | (o->fails > 0));
		if (o->fails == 0)
			o->beyond = 0;
		else if (is_decided(e, o))
			o->beyond++;
	}
	next = gap(e, o);
	if ((o->last == VERDICT_INCONCLUSIVE || o->last == VERDICT_BUSY) && next < BUSY_MS)
		next = BUSY_MS; /* it said nothing about the address: no reason to hurry */
	/* From start to start; a probe that took longer is followed at once. */
	o->next_probe = o->round_start + next > now.mono ? o->round_start + next : now.mono;
}

/* Which sights a round that begins now asks, as bits. */
static unsigned
round_of(const struct engine *e, struct now now, struct onion *o)
{
	unsigned all = 0, other, i;

	for (i = 0; i < VANTAGES; i++) {
		const struct sight *s = &o->sight[i];

		if (s->tor < 0 || !e->tors[s->tor].linked)
			continue;
		/* Its own tor is asked when it is not fit too: that it is again shows there first. */
		if (i > 0 && !e->tors[s->tor].fit)
			continue;
		if (!s->blind || now.mono - s->start >= FRESH_MS)
			all |= 1u << i;
	}
	/* To be proved: through its own tor. If that fails, it is for both to say whether it does. */
	if (o->r.state != ONION_LISTED || (!o->r.proved && o->sight[0].fails == 0) || all == 0)
		return 1;
	if (all != 3 || (sight_any_fails(e, o) && (o->beyond == 0 || e->mass)))
		return all;
	other = o->turn;
	o->turn ^= 1;
	return 1u << other;
}

/* As a new reader: after a first failure through any tor, when a takedown is to be told, and now and then. */
static bool
is_to_be_fresh(const struct engine *e, struct now now, const struct onion *o, const struct sight *s)
{
	bool listed = o->r.state == ONION_LISTED;

	/* Nothing else counts then; but while tor asks nobody, a fetch is a long wait for nothing. */
	if (sight_is_missing(o))
		return !s->missing || now.mono >= s->ask_again;
	return o->sight[0].fails == 1 || o->sight[1].fails == 1 || (listed && now.mono - s->last_fresh >= FRESH_MS) ||
	    (listed && s->silent > 0 && now.mono >= sight_takedown_at(e, o) && now.mono - s->last_fresh > probe_pace(e, o));
}

static void
start_probe(const struct engine *e, struct now now, struct onion *o, unsigned i, struct actions *out)
{
	struct sight *s = &o->sight[i];
	struct action *a = action_add(out, ACTION_PROBE, o, -1);

	a->through = s->tor;
	a->fresh = !MUTANT(20) && is_to_be_fresh(e, now, o, s);
	if (a->fresh)
		s->last_fresh = now.mono;
	o->ask &= ~(1u << i);
	s->probing = true;
	s->stale = false;
	s->start = now.mono;
	if (!o->round) {
		o->round = true;
		o->said = false;
		o->round_start = now.mono;
	}
}

static bool
awaits_probe(const struct engine *e, const struct onion *o)
{
	if (o->mirror < 0 || (o->r.state != ONION_PROVING && o->r.state != ONION_LISTED))
		return false;
	if (!onion_linked(e, o) || o->service != SERVICE_UP)
		return false;
	/* Added again: until a descriptor is up a probe says nothing about it. */
	return o->settled || o->uploads > 0;
}

/* Proved once and held back since: while it is not its address that fails, a new one would not help. */
static bool
waits_for_backend(const struct engine *e, const struct onion *o)
{
	return o->r.proved_at != 0 && mirror_is_held(e, o->mirror) && !verdict_is_address(o->last);
}

void
probe_step(struct engine *e, struct now now, struct onion *o, struct actions *out)
{
	int i;

	if (o->mirror < 0 || (o->r.state != ONION_PROVING && o->r.state != ONION_LISTED))
		return;
	if (o->r.state == ONION_PROVING && onion_fit(e, o) && !waits_for_backend(e, o)) {
		if (now.mono >= o->since + PROVING_DEADLINE_MS) {
			life_fail(e, now, o, out, "it could not be proved in 10 min");
			return;
		}
		engine_due(e, o->since + PROVING_DEADLINE_MS);
	}
	for (i = 0; i < VANTAGES; i++)
		if ((o->ask & 1u << i) != 0 && (o->sight[i].tor < 0 || !e->tors[o->sight[i].tor].linked))
			o->ask &= ~(1u << i);
	probe_round_over(e, now, o);
	if (!awaits_probe(e, o) || o->round || o->ask != 0)
		return;
	if (now.mono < o->next_probe)
		engine_due(e, o->next_probe);
	else
		o->ask = round_of(e, now, o);
}

/* The one that waits longest for a probe through this tor, and through which sight; NULL: none is due. */
static struct onion *
most_due(const struct engine *e, int tor, unsigned *sight)
{
	struct onion *best = NULL;
	unsigned k;
	size_t i;

	for (i = 0; i < e->n_onions; i++) {
		struct onion *o = e->onions[i];

		if (o->ask == 0 || !awaits_probe(e, o) || (best != NULL && o->next_probe >= best->next_probe))
			continue;
		for (k = 0; k < VANTAGES; k++)
			if ((o->ask & 1u << k) != 0 && o->sight[k].tor == tor && !o->sight[k].probing) {
				best = o;
				*sight = k;
			}
	}
	return best;
}

void
probe_start_due(struct engine *e, struct now now, struct actions *out)
{
	struct onion *o;
	unsigned running, sight = 0;
	size_t i, t;

	for (t = 0; t < e->n_tors; t++) {
		running = 0;
		for (i = 0; i < e->n_onions; i++)
			running += sight_probing(e->onions[i], (int)t) != NULL;
		/* The others' turn comes when one of these ends. */
		for (; running < PROBES_AT_A_TIME && (o = most_due(e, (int)t, &sight)) != NULL; running++)
			start_probe(e, now, o, sight, out);
	}
}
