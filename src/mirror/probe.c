/* SPDX-License-Identifier: BSD-3-Clause */
/* When which onion is probed, and how many at a time. */
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
probe_gap(const struct engine *e, const struct onion *o)
{
	const struct engine_mirror *cfg = &e->mirrors[o->mirror].cfg;
	int64_t changing = min64(cfg->interval_ms, CHANGING_MS);
	unsigned beyond;

	if (o->r.state == ONION_PROVING)
		return o->fails == 0 ? 0 : min64(1000LL << (o->fails < 16 ? o->fails - 1 : 15), PROVING_RETRY_MAX_MS);
	if (!o->r.proved && o->fails == 0)
		return 0;
	if (o->fails == 0 && !o->delisted && o->last != VERDICT_INCONCLUSIVE)
		return rng_jitter(cfg->interval_ms, 25);
	/* The pace of a change is kept until a takedown could be told; then it slows down. */
	beyond = o->fails > 2 * cfg->fall ? o->fails - 2 * cfg->fall : 0;
	if (health_mass_failure(e))
		beyond = 0; /* that is about the whole site: its end is to be seen soon */
	return rng_jitter(min64(changing << (beyond < 12 ? beyond : 12), beyond > 0 ? DOWN_MAX_MS : changing), 10);
}

static void
start_probe(struct now now, struct onion *o, struct actions *out)
{
	struct action *a = action_add(out, ACTION_PROBE, o, -1);

	a->fresh = MUTANT(20) ? false : o->fails == 1 || (o->r.state == ONION_LISTED && now.mono - o->last_fresh >= FRESH_MS);
	if (a->fresh)
		o->last_fresh = now.mono;
	o->probing = true;
	o->stale = false;
	o->probe_start = now.mono;
}

static bool
awaits_probe(const struct engine *e, const struct onion *o)
{
	if (o->mirror < 0 || (o->r.state != ONION_PROVING && o->r.state != ONION_LISTED))
		return false;
	if (!onion_linked(e, o) || o->service != SERVICE_UP || o->probing)
		return false;
	/* Added again: until a descriptor is up a probe says nothing about it. */
	return o->settled || o->uploads > 0;
}

void
probe_step(struct engine *e, struct now now, struct onion *o, struct actions *out)
{
	if (o->mirror < 0 || (o->r.state != ONION_PROVING && o->r.state != ONION_LISTED))
		return;
	if (o->r.state == ONION_PROVING && onion_fit(e, o)) {
		if (now.mono >= o->since + PROVING_DEADLINE_MS) {
			life_fail(e, now, o, out, "it could not be proved in 10 min");
			return;
		}
		engine_due(e, o->since + PROVING_DEADLINE_MS);
	}
	if (awaits_probe(e, o) && now.mono < o->next_probe)
		engine_due(e, o->next_probe);
}

/* The one that waits longest; NULL: none is due. */
static struct onion *
most_due(const struct engine *e, struct now now, int tor)
{
	struct onion *best = NULL;
	size_t i;

	for (i = 0; i < e->n_onions; i++) {
		struct onion *o = e->onions[i];

		if (o->tor != tor || now.mono < o->next_probe || !awaits_probe(e, o))
			continue;
		if (best == NULL || o->next_probe < best->next_probe)
			best = o;
	}
	return best;
}

void
probe_start_due(struct engine *e, struct now now, struct actions *out)
{
	struct onion *o;
	unsigned running;
	size_t i, t;

	for (t = 0; t < e->n_tors; t++) {
		running = 0;
		for (i = 0; i < e->n_onions; i++)
			running += e->onions[i]->tor == (int)t && e->onions[i]->probing;
		/* The others' turn comes when one of these ends. */
		for (; running < PROBES_AT_A_TIME && (o = most_due(e, now, (int)t)) != NULL; running++)
			start_probe(now, o, out);
	}
}
