/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Which tor a new onion is for: the one that its mirror names, or, with
 * tor = auto or while that one is lost, the one that has the most room. It stays
 * where it was placed: its record says so.
 */
#include "config.h"
#include "mirror/engine_impl.h"

int
place_of(const struct engine *e, int mirror)
{
	const struct onion *o = mirror_listed(e, mirror), *c = mirror_candidate(e, mirror);

	if (o != NULL || c != NULL)
		return o != NULL ? o->tor : c->tor;
	return e->mirrors[mirror].planning ? e->mirrors[mirror].plan_tor : e->mirrors[mirror].cfg.tor;
}

/* Where it will be once what is under way is over. */
static int
next_place(const struct engine *e, int mirror)
{
	const struct onion *c = mirror_candidate(e, mirror);

	if (e->mirrors[mirror].planning)
		return e->mirrors[mirror].plan_tor;
	return c != NULL ? c->tor : place_of(e, mirror);
}

/* Mirrors on a tor, apart from one. */
static unsigned
load_of(const struct engine *e, int tor, int but)
{
	unsigned n = 0;
	size_t i;

	for (i = 0; i < e->n_mirrors; i++)
		n += (int)i != but && next_place(e, (int)i) == tor;
	return n;
}

/* Not there for `after`, and all that time another one was: else it is our own side, or a whole network, that is out. */
static bool
is_away(struct engine *e, struct now now, int tor, int64_t after)
{
	const struct tor_side *t = &e->tors[tor];
	int64_t other = NEVER, at;
	size_t i;

	if (t->sound)
		return false;
	for (i = 0; i < e->n_tors; i++)
		if ((int)i != tor && e->tors[i].fit && e->tors[i].unfit_since < other)
			other = e->tors[i].unfit_since;
	if (other == NEVER)
		return false;
	at = (other > t->lost_since ? other : t->lost_since) + after;
	if (now.mono < at)
		engine_due(e, at);
	return now.mono >= at;
}

bool
place_is_lost(struct engine *e, struct now now, int tor)
{
	return e->tors[tor].cfg.move_after_ms > 0 && is_away(e, now, tor, e->tors[tor].cfg.move_after_ms);
}

bool
place_gives_up(struct engine *e, struct now now, const struct onion *o)
{
	if (o->tor < 0 || o->mirror < 0)
		return false;
	return place_is_lost(e, now, o->tor) || (e->mirrors[o->mirror].cfg.tor == TOR_AUTO && is_away(e, now, o->tor, AWAY_MS));
}

/* The smaller part of its max-mirrors is used; of two that are alike, the one that is fit. */
static bool
has_more_room(const struct engine *e, int a, unsigned load_a, int b, unsigned load_b)
{
	uint64_t used_a = (uint64_t)load_a * e->tors[b].cfg.max_mirrors, used_b = (uint64_t)load_b * e->tors[a].cfg.max_mirrors;

	return used_a != used_b ? used_a < used_b : e->tors[a].fit && !e->tors[b].fit;
}

/* *full: one that is fit has no room. */
static int
roomiest(struct engine *e, struct now now, int mirror, bool *full)
{
	unsigned load, least = 0;
	int best = -1, t;

	*full = false;
	for (t = 0; (size_t)t < e->n_tors; t++) {
		const struct tor_side *side = &e->tors[t];

		/* One that has only just begun, or gone, may be there in a moment. */
		if (!side->fit && now.mono - side->unfit_since >= PLACE_WAIT_MS)
			continue;
		load = load_of(e, t, mirror);
		if (load >= side->cfg.max_mirrors) {
			*full = *full || side->fit;
			continue;
		}
		if (best < 0 || has_more_room(e, t, load, best, least)) {
			best = t;
			least = load;
		}
	}
	return best;
}

int
place_choose(struct engine *e, struct now now, int mirror, struct actions *out)
{
	struct mirror *m = &e->mirrors[mirror];
	bool full;
	int best;

	if (m->cfg.tor >= 0 && !place_is_lost(e, now, m->cfg.tor))
		return m->cfg.tor;
	best = roomiest(e, now, mirror, &full);
	if (best >= 0 && !e->tors[best].fit) {
		engine_due(e, e->tors[best].unfit_since + PLACE_WAIT_MS);
		return -1;
	}
	if (best < 0 && full && !m->room_alarm)
		note(out, NOTE_ALARM, NULL, mirror, 0, "no-room", "%s wants a new address, but no tor that is there has room for it (max-mirrors)",
		    m->cfg.name);
	m->room_alarm = best < 0 && full;
	return best;
}
