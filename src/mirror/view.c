/* SPDX-License-Identifier: BSD-3-Clause */
/* What is, for status: computed from the state, never kept beside it. */
#include "config.h"
#include "mirror/engine_impl.h"

#include <string.h>

static const char *const names[MIRROR__STATES] = { "starting", "up", "suspect", "down", "rotating", "busy", "inconclusive", "maint",
	"drained", "spare" };

const char *
mirror_state_name(enum mirror_state s)
{
	return (unsigned)s < MIRROR__STATES ? names[s] : "unknown";
}

const struct onion_record *
engine_onion(const struct engine *e, uint64_t id)
{
	const struct onion *o = onion_find(e, id);

	return o != NULL ? &o->r : NULL;
}

void
engine_each_onion(const struct engine *e, void (*cb)(const struct onion_record *r, void *arg), void *arg)
{
	size_t i;

	for (i = 0; i < e->n_onions; i++)
		cb(&e->onions[i]->r, arg);
}

static bool
is_busy(const struct mirror *m, const struct onion *o)
{
	return o->busy >= m->cfg.rise || o->slow >= m->cfg.rise;
}

static enum mirror_state
view_state(const struct engine *e, const struct mirror *m, const struct onion *listed, const struct onion *candidate)
{
	if (m->hold != HOLD_NONE)
		return m->hold == HOLD_MAINT ? MIRROR_MAINT : MIRROR_DRAINED;
	if (m->benched && ((listed != NULL && listed->r.proved && !listed->delisted) || (candidate != NULL && candidate->r.state == ONION_READY)))
		return MIRROR_SPARE;
	if (listed == NULL)
		return MIRROR_STARTING;
	if (!onion_fit(e, listed))
		return MIRROR_INCONCLUSIVE;
	if (candidate != NULL)
		return MIRROR_ROTATING;
	if (listed->delisted || listed->fails >= m->cfg.fall)
		return MIRROR_DOWN;
	if (is_busy(m, listed))
		return MIRROR_BUSY;
	if (sight_any_fails(e, listed) || !listed->r.proved || !listed->r.in_list)
		return MIRROR_SUSPECT;
	return MIRROR_UP;
}

static void
view_vantages(const struct engine *e, const struct onion *o, struct mirror_view *v)
{
	int i;

	for (i = 0; i < VANTAGES; i++) {
		v->vantages[i].tor = o->sight[i].tor;
		v->vantages[i].fit = sight_counts(e, &o->sight[i]);
		v->vantages[i].last = o->sight[i].last;
		v->vantages[i].fails = o->sight[i].fails;
		v->vantages[i].last_probe = o->sight[i].last_probe;
	}
}

int
engine_mirror_view(const struct engine *e, int mirror, struct mirror_view *v)
{
	const struct onion *listed, *candidate, *shown;
	const struct mirror *m;
	size_t i;

	if (mirror < 0 || (size_t)mirror >= e->n_mirrors)
		return -1;
	m = &e->mirrors[mirror];
	listed = mirror_listed(e, mirror);
	candidate = mirror_candidate(e, mirror);
	memset(v, 0, sizeof *v);
	v->state = view_state(e, m, listed, candidate);
	v->listed = listed != NULL && listed->r.in_list ? listed->r.id : 0;
	v->candidate = candidate != NULL ? candidate->r.id : 0;
	for (i = 0; i < e->n_onions; i++)
		if (e->onions[i]->mirror == mirror && e->onions[i]->r.state == ONION_LEAVING)
			v->leaving++;
	v->tor = place_of(e, mirror);
	v->backend = m->backend;
	v->next_probe = NEVER;
	v->stale = m->stale_since != 0;
	v->order = v->stale || (listed != NULL && is_busy(m, listed));
	v->flapping = listed != NULL && listed->delisted && listed->flapping;
	v->vantages[0].tor = v->vantages[1].tor = -1;
	shown = listed != NULL ? listed : candidate;
	if (shown != NULL) {
		v->rise = shown->oks;
		v->fall = shown->fails;
		v->last = shown->last;
		v->last_probe = shown->last_probe;
		v->next_probe = shown->next_probe;
		v->phases = shown->phases;
		view_vantages(e, shown, v);
	}
	if (candidate != NULL || listed != NULL) {
		const struct onion *newest = candidate != NULL ? candidate : listed;

		v->uploads = newest->uploads;
		v->uploads_started = newest->uploads_started;
		v->uploads_failed = uploads_count(newest, UPLOAD_FAILED);
		v->uploads_silent = uploads_count(newest, UPLOAD_SILENT);
	}
	return 0;
}

bool
engine_in_panic(const struct engine *e, const char **why)
{
	*why = e->panic_why;
	return e->panic;
}

unsigned
engine_rotations_left(const struct engine *e, struct now now)
{
	unsigned spent = rotate_today(e, now);

	return spent < e->max_rotations_per_day ? e->max_rotations_per_day - spent : 0;
}

bool
engine_tor_silent(const struct engine *e, unsigned tor)
{
	return tor < e->n_tors && e->tors[tor].silent;
}
