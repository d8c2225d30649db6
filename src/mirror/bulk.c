/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Many at once: addresses that are taken down together while our own side is
 * well, and mirrors whose tor is lost. Replaced side by side, as many at a time
 * as each tor bears, those first that readers miss most; neither spacing nor the
 * budget of a day holds them back, but each mirror has only a few of these a day.
 */
#include "config.h"
#include "mirror/engine_impl.h"

static bool
is_bulk(enum onion_cause c)
{
	return c == CAUSE_BULK || c == CAUSE_MOVED;
}

static unsigned
had_today(const struct engine *e, struct now now, int mirror)
{
	unsigned n = 0;
	size_t i;

	for (i = 0; i < e->n_onions; i++) {
		const struct onion_record *r = &e->onions[i]->r;

		n += e->onions[i]->mirror == mirror && is_bulk(r->cause) && now.wall - r->created < DAY_MS / 1000;
	}
	return n;
}

bool
bulk_takes(struct engine *e, struct now now, int mirror)
{
	const struct onion *o = mirror_listed(e, mirror);
	bool moves = o != NULL && o->tor >= 0 && place_is_lost(e, now, o->tor);

	if (o == NULL || o->tor < 0 || (!moves && (!e->mirrors[mirror].taken || now.mono >= e->bulk_until)))
		return false;
	return had_today(e, now, mirror) < BULK_A_DAY;
}

static bool
is_ready(struct engine *e, struct now now, int mirror)
{
	const struct mirror *m = &e->mirrors[mirror];

	if (m->hold != HOLD_NONE || m->planning || m->wanted || m->passed || now.mono < m->plan_after || mirror_candidate(e, mirror) != NULL)
		return false;
	if (m->cfg.tor >= 0 && e->tors[m->cfg.tor].pending >= BATCH && !place_is_lost(e, now, m->cfg.tor))
		return false;
	return bulk_takes(e, now, mirror);
}

/* Readers miss a mirror that they are no longer sent to more than one that is kept in the list, and a spare least; then who fails longest. */
static bool
is_needed_more(const struct engine *e, int a, int b)
{
	const struct onion *x = mirror_listed(e, a), *y = mirror_listed(e, b);

	if (e->mirrors[a].cfg.spare != e->mirrors[b].cfg.spare)
		return e->mirrors[b].cfg.spare;
	if (x->r.in_list != y->r.in_list)
		return y->r.in_list;
	return x->failing_since < y->failing_since;
}

static int
most_needed(struct engine *e, struct now now)
{
	int best = -1, i;

	for (i = 0; (size_t)i < e->n_mirrors; i++)
		if (is_ready(e, now, i) && (best < 0 || is_needed_more(e, i, best)))
			best = i;
	return best;
}

static void
look(struct engine *e, struct now now, struct actions *out)
{
	unsigned taken = 0;
	size_t i;

	for (i = 0; i < e->n_tors; i++)
		e->tors[i].pending = 0;
	for (i = 0; i < e->n_mirrors; i++) {
		struct mirror *m = &e->mirrors[i];
		const struct onion *o = mirror_listed(e, (int)i), *c = mirror_candidate(e, (int)i);

		m->taken = o != NULL && o->tor >= 0 && health_is_takedown(e, now, o);
		m->passed = false;
		if (m->taken)
			m->taken_at = now.mono;
		/* Also what is replaced by now: they are told one after the other, as each is probed. */
		taken += m->hold == HOLD_NONE && m->taken_at != 0 && now.mono - m->taken_at < BULK_STAYS_MS;
		if (m->planning)
			e->tors[m->plan_tor].pending++;
		else if (c != NULL && c->tor >= 0 && c->r.state <= ONION_UPLOADING)
			e->tors[c->tor].pending++;
	}
	if (taken < BULK_LEAST)
		return;
	if (now.mono >= e->bulk_until)
		note(out, NOTE_ALARM, NULL, -1, 0, "bulk", "%u addresses are taken down together while our own side is well: each is replaced now, up to "
		    "%d at a time on each tor, beyond max-rotations-per-day", taken, BATCH);
	e->bulk_until = now.mono + BULK_STAYS_MS;
}

void
bulk_step(struct engine *e, struct now now, struct actions *out)
{
	const struct onion *o;
	int m, tor;

	look(e, now, out);
	while ((m = most_needed(e, now)) >= 0) {
		e->mirrors[m].passed = true;
		tor = place_choose(e, now, m, out);
		if (tor < 0 || e->tors[tor].pending >= BATCH)
			continue;
		e->tors[tor].pending++;
		o = mirror_listed(e, m);
		if (e->mirrors[m].taken)
			rotate_note_takedown(e, now, o, out);
		else
			note(out, NOTE_DECISION, o, -1, 0, "moved", "tor %s has been away for %lld min: new address on tor %s", e->tors[o->tor].cfg.name,
			    (long long)(now.mono - e->tors[o->tor].lost_since) / 60000, e->tors[tor].cfg.name);
		rotate_plan(e, m, tor, e->mirrors[m].taken ? CAUSE_BULK : CAUSE_MOVED, 0, out);
	}
}
