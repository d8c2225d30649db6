/* SPDX-License-Identifier: BSD-3-Clause */
/* What tor says and has, compared with what was intended. Foreign onions are never mentioned. */
#include "config.h"
#include "base/rng.h"
#include "base/mutant.h"
#include "mirror/engine_impl.h"

#include <string.h>

/* Another controller took it away (or tor restarted behind a filter): remember when, and say so when it goes on. */
static void
was_deleted(struct engine *e, struct now now, struct onion *o, struct actions *out)
{
	struct mirror *m = &e->mirrors[o->mirror];
	int i;

	note(out, NOTE_DECISION, o, -1, 0, "put-back", "tor no longer has this service: adding it again");
	for (i = PUT_BACK_ALARM - 1; i > 0; i--)
		m->put_back[i] = m->put_back[i - 1];
	m->put_back[0] = now.mono;
	if (m->put_back[PUT_BACK_ALARM - 1] != 0 && now.mono - m->put_back[PUT_BACK_ALARM - 1] < PUT_BACK_WINDOW_MS)
		note(out, NOTE_ALARM, o, -1, 0, "contested", "%d times in 10 min tor had lost this service: another controller deletes it?",
		    PUT_BACK_ALARM);
}

static void
is_there(struct engine *e, struct onion *o, struct now now, struct actions *out)
{
	o->seen = now.mono;
	if (o->service == SERVICE_UP || o->service == SERVICE_ADDING || o->service == SERVICE_DELETING)
		return;
	o->service = SERVICE_UP;
	/* Found, not added just now: its uploads happened unseen. */
	o->settled = o->up.judged = true;
	/* Recorded as only planned, and yet there: whatever it is, it is to be proved. */
	if (o->r.state == ONION_PLANNED)
		onion_set_state(e, o, now, ONION_ADDING, out, "found in tor");
	if (o->r.state == ONION_ADDING || o->r.state == ONION_UPLOADING) {
		if (o->r.state == ONION_ADDING)
			o->r.added = now.wall;
		onion_set_state(e, o, now, ONION_PROVING, out, "found in tor");
	}
	o->next_probe = o->next_probe < now.mono ? now.mono : o->next_probe;
}

static void
is_not_there(struct engine *e, struct now now, struct onion *o, bool first, struct actions *out)
{
	if (o->service == SERVICE_ADDING || o->service == SERVICE_DELETING || o->service == SERVICE_ABSENT)
		return;
	if (o->service == SERVICE_UP && !first && o->mirror >= 0 && o->r.state == ONION_LISTED)
		was_deleted(e, now, o, out);
	o->service = SERVICE_ABSENT;
	o->adds = 0;
	/* After a restart all are missing: they do not come back in one breath. */
	o->next_add = now.mono + (first ? (int64_t)rng_below(ADD_JITTER_MS) : 0);
	if (o->r.proved) {
		o->r.proved = false;
		o->dirty = true;
	}
	sight_forget(o);
}

void
engine_on_detached(struct engine *e, struct now now, unsigned tor, const char *const *addresses, size_t n, struct actions *out)
{
	bool first;
	size_t i, k;

	if (tor >= e->n_tors)
		return;
	first = !e->tors[tor].linked;
	e->tors[tor].linked = true;
	for (i = 0; i < e->n_onions; i++) {
		struct onion *o = e->onions[i];
		bool there = false;

		if (o->tor != (int)tor)
			continue;
		for (k = 0; k < n && !there; k++)
			there = strcmp(addresses[k], o->r.address) == 0;
		if (there)
			is_there(e, o, now, out);
		else
			is_not_there(e, now, o, first, out);
	}
	engine_settle(e, now, out);
}

void
engine_on_tor_lost(struct engine *e, struct now now, unsigned tor, struct actions *out)
{
	size_t i;

	if (tor >= e->n_tors)
		return;
	e->tors[tor].linked = false;
	for (i = 0; i < e->n_onions; i++)
		if (e->onions[i]->tor == (int)tor)
			e->onions[i]->service = SERVICE_UNKNOWN;
	engine_on_fitness(e, now, tor, false, "the control link is lost", out);
}

void
engine_on_added(struct engine *e, struct now now, uint64_t onion, struct actions *out)
{
	struct onion *o = onion_find(e, onion);

	if (o == NULL || o->service != SERVICE_ADDING)
		return;
	o->service = SERVICE_UP;
	o->since = o->added_mono = now.mono;
	o->adds++;
	o->r.added = now.wall;
	o->dirty = true;
	o->next_probe = now.mono;
	if (o->r.state == ONION_ADDING) {
		onion_set_state(e, o, now, ONION_UPLOADING, out, "");
		note(out, NOTE_STEP, o, -1, o->r.op, "created", "tor has the service");
		if (o->uploads > 0)
			onion_set_state(e, o, now, ONION_PROVING, out, "first descriptor uploaded");
	}
	engine_settle(e, now, out);
}

void
engine_on_add_failed(struct engine *e, struct now now, uint64_t onion, enum add_failure f, const char *why, struct actions *out)
{
	struct onion *o = onion_find(e, onion);

	if (o == NULL || o->service != SERVICE_ADDING)
		return;
	switch (f) {
	case ADD_COLLISION:
		o->service = SERVICE_UNKNOWN;
		is_there(e, o, now, out);
		break;
	case ADD_UNKNOWN: o->service = SERVICE_UNKNOWN; break;
	case ADD_AGAIN:
		o->service = SERVICE_ABSENT;
		o->next_add = now.mono;
		break;
	case ADD_REFUSED:
		o->service = SERVICE_ABSENT;
		o->adds++;
		o->next_add = now.mono + ((int64_t)ADD_RETRY_MS << (o->adds < 6 ? o->adds : 6));
		note(out, NOTE_ALARM, o, -1, o->r.op, "refused", "tor refuses ADD_ONION: %s", why);
		if (onion_is_candidate(o) && o->adds >= ADD_TRIES)
			life_fail(e, now, o, out, "tor refused to add it");
		break;
	}
	engine_settle(e, now, out);
}

/* Commands have numbers: of two that wait for the same onion only the newer one is still wanted. */
static bool
is_asked(const struct onion *o, const struct action *a, enum service s)
{
	return o != NULL && o->service == s && o->command == a->command;
}

bool
engine_take_action(struct engine *e, struct now now, const struct action *a, struct actions *out)
{
	struct onion *o = onion_find(e, a->onion);
	const struct mirror *m = mirror_find(e, a->mirror, NULL);

	switch (a->kind) {
	case ACTION_ADD_ONION:
		if (!is_asked(o, a, SERVICE_ADDING))
			return false;
		if (o->r.state <= (MUTANT(12) ? ONION_LEAVING : ONION_LISTED) && !listing_leaves_now(e, o))
			return true;
		engine_on_add_failed(e, now, o->r.id, ADD_AGAIN, "", out); /* nobody wants it again */
		return false;
	case ACTION_DEL_ONION: return is_asked(o, a, SERVICE_DELETING);
	case ACTION_PLAN: return m != NULL && m->planning;
	case ACTION_CHECK: return m != NULL && m->checking;
	case ACTION_PROBE: return o != NULL && sight_probing(o, a->through) != NULL;
	case ACTION_CONTROL: return e->tors[a->through].asking;
	case ACTION_CLIENTS: return o != NULL && o->r.state == ONION_LEAVING;
	case ACTION_COMPARE: return o != NULL;
	case ACTION_SAVE:
	case ACTION_SAVE_MIRROR:
	case ACTION_PUBLISH: /* engine_take_list() */
	case ACTION_SHRED:   /* what is over stays over */
	case ACTION_FORGET:
	case ACTION_NOTE: break;
	}
	return true;
}

void
engine_on_deleted(struct engine *e, struct now now, uint64_t onion, bool ok, struct actions *out)
{
	struct onion *o = onion_find(e, onion);

	if (o == NULL || o->service != SERVICE_DELETING)
		return;
	/* Not ok: what tor has is told by the next comparison. */
	o->service = ok ? SERVICE_ABSENT : SERVICE_UNKNOWN;
	o->next_add = now.mono;
	engine_settle(e, now, out);
}
