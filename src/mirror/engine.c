/* SPDX-License-Identifier: BSD-3-Clause */
/* The engine's state: configuration, onions, look-ups, and the one place that looks at everything. */
#include "config.h"
#include "base/mem.h"
#include "base/rng.h"
#include "mirror/engine_impl.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
take_config(struct engine *e, const struct engine_config *cfg)
{
	size_t i;

	e->n_tors = cfg->n_tors;
	e->tors = xcalloc(cfg->n_tors + 1, sizeof *e->tors);
	for (i = 0; i < cfg->n_tors; i++)
		e->tors[i].cfg = cfg->tors[i];
	e->n_mirrors = cfg->n_mirrors;
	e->mirrors = xcalloc(cfg->n_mirrors + 1, sizeof *e->mirrors);
	e->newest->valid = false;
	e->newest->listed = xreallocarray(e->newest->listed, cfg->n_mirrors + 1, sizeof *e->newest->listed);
	e->newest->candidate = xreallocarray(e->newest->candidate, cfg->n_mirrors + 1, sizeof *e->newest->candidate);
	for (i = 0; i < cfg->n_mirrors; i++) {
		e->mirrors[i].cfg = cfg->mirrors[i];
		e->mirrors[i].backend = VERDICT_INCONCLUSIVE;
		e->mirrors[i].benched = cfg->mirrors[i].spare;
	}
	e->n_controls = cfg->n_controls;
	e->min_listed = cfg->min_listed;
	e->rotation_spacing_ms = cfg->rotation_spacing_ms;
	e->max_rotations_per_day = cfg->max_rotations_per_day;
}

struct engine *
engine_new(const struct engine_config *cfg)
{
	struct engine *e = xcalloc(1, sizeof *e);

	e->newest = xcalloc(1, sizeof *e->newest);
	take_config(e, cfg);
	e->bucket = PUBLISH_BUCKET;
	e->renew_at = NEVER;
	e->deadline = NEVER;
	e->bulk_until = INT64_MIN;
	return e;
}

void
engine_free(struct engine *e)
{
	size_t i;

	if (e == NULL)
		return;
	for (i = 0; i < e->n_onions; i++)
		free(e->onions[i]);
	free(e->onions);
	free(e->newest->listed);
	free(e->newest->candidate);
	free(e->newest);
	free(e->flight);
	free(e->tors);
	free(e->mirrors);
	free(e);
}

static int
tor_index(const struct engine *e, const char *name)
{
	size_t i;

	for (i = 0; i < e->n_tors; i++)
		if (strcmp(e->tors[i].cfg.name, name) == 0)
			return (int)i;
	return -1;
}

int
engine_mirror_index(const struct engine *e, const char *name)
{
	size_t i;

	for (i = 0; i < e->n_mirrors; i++)
		if (strcmp(e->mirrors[i].cfg.name, name) == 0)
			return (int)i;
	return -1;
}

static void
end_op(uint64_t op, struct actions *out)
{
	if (op != 0)
		note(out, NOTE_STEP, NULL, -1, op, "failed", "its mirror was removed from the configuration");
}

void
engine_reconfigure(struct engine *e, struct now now, const struct engine_config *cfg, struct actions *out)
{
	struct tor_side *tors = e->tors;
	struct mirror *mirrors = e->mirrors;
	size_t n_tors = e->n_tors, n_mirrors = e->n_mirrors, i;
	struct engine_mirror fresh;
	struct engine_tor cfg_tor;
	int k;

	take_config(e, cfg);
	for (i = 0; i < n_tors; i++)
		if ((k = tor_index(e, tors[i].cfg.name)) >= 0) {
			cfg_tor = e->tors[k].cfg;
			e->tors[k] = tors[i];
			e->tors[k].cfg = cfg_tor;
		}
	for (i = 0; i < n_mirrors; i++)
		if ((k = engine_mirror_index(e, mirrors[i].cfg.name)) >= 0) {
			fresh = e->mirrors[k].cfg;
			e->mirrors[k] = mirrors[i];
			e->mirrors[k].cfg = fresh;
		} else {
			end_op(mirrors[i].probe_op, out);
			end_op(mirrors[i].hold_op, out);
			if (mirrors[i].planning || mirrors[i].wanted) /* later its onion carries it */
				end_op(mirrors[i].op, out);
		}
	free(tors);
	free(mirrors);
	for (i = 0; i < e->n_onions; i++) {
		e->onions[i]->tor = tor_index(e, e->onions[i]->r.tor);
		e->onions[i]->mirror = engine_mirror_index(e, e->onions[i]->r.mirror);
		sight_aim(e, e->onions[i]);
		onion_set_age(e, now, e->onions[i]);
		/* A shorter interval counts at once. */
		if (e->onions[i]->next_probe > now.mono)
			e->onions[i]->next_probe = now.mono;
	}
	e->newest->valid = false;
	engine_settle(e, now, out);
}

struct onion *
onion_find(const struct engine *e, uint64_t id)
{
	size_t lo = 0, hi = e->n_onions, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (e->onions[mid]->r.id == id)
			return e->onions[mid];
		if (e->onions[mid]->r.id < id)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

struct onion *
onion_find_address(const struct engine *e, const char *address)
{
	size_t i;

	for (i = 0; i < e->n_onions; i++)
		if (strcmp(e->onions[i]->r.address, address) == 0)
			return e->onions[i];
	return NULL;
}

static struct onion *
onion_insert(struct engine *e, const struct onion_record *r)
{
	struct onion *o = xcalloc(1, sizeof *o);
	size_t at = e->n_onions;

	o->r = *r;
	o->tor = tor_index(e, r->tor);
	o->mirror = engine_mirror_index(e, r->mirror);
	o->last = VERDICT_INCONCLUSIVE;
	sight_aim(e, o);
	o->grace_end = o->age_end = NEVER;
	if (e->n_onions == e->cap_onions) {
		e->cap_onions = e->cap_onions == 0 ? 32 : e->cap_onions * 2;
		e->onions = xreallocarray(e->onions, e->cap_onions, sizeof *e->onions);
	}
	for (; at > 0 && e->onions[at - 1]->r.id > r->id; at--)
		e->onions[at] = e->onions[at - 1];
	e->onions[at] = o;
	e->n_onions++;
	e->newest->valid = false;
	return o;
}

void
engine_restore(struct engine *e, const struct onion_record *r)
{
	struct onion *o;

	if (onion_find(e, r->id) != NULL)
		return;
	o = onion_insert(e, r);
	/* Operations don't outlive the process. */
	o->r.op = 0;
	o->service = SERVICE_UNKNOWN;
	o->delisted = r->state == ONION_LISTED && !r->in_list;
	o->settled = o->up.judged = true;
}

void
onion_set_age(const struct engine *e, struct now now, struct onion *o)
{
	int64_t every = o->mirror >= 0 ? e->mirrors[o->mirror].cfg.rotate_every_s * 1000 : 0, age = (now.wall - o->r.listed) * 1000;

	o->age_end = NEVER;
	if (o->r.state == ONION_LISTED && every > 0)
		o->age_end = now.mono + rng_jitter(every, 20) - (age > 0 ? age : 0);
}

/* Durable wall times become monotonic ones once. */
static void
resume_times(struct engine *e, struct now now, struct onion *o)
{
	int64_t left = (o->r.leave_until - now.wall + 1) * 1000; /* whole seconds: rather one too many */
	int64_t drain = (o->mirror >= 0 ? e->mirrors[o->mirror].cfg.drain_s : 0) * 1000;
	int64_t age = (now.wall - o->r.created) * 1000;

	o->since = o->next_add = now.mono;
	o->next_probe = now.mono;
	o->proved_mono = now.mono;
	o->client_seen = now.mono - QUIET_MS;
	onion_set_age(e, now, o);
	if (o->mirror >= 0) {
		e->mirrors[o->mirror].was_listed |= o->r.listed != 0;
		/* A spare that is in the list is needed there, until it is known better. */
		e->mirrors[o->mirror].benched &= !o->r.in_list;
	}
	/* A clock that was set back must not keep it for ever. */
	if (drain < DRAIN_S * 1000LL)
		drain = DRAIN_S * 1000LL;
	if (o->r.state == ONION_LEAVING)
		o->grace_end = now.mono + (left < 0 ? 0 : left > drain ? drain : left);
	if ((o->r.cause == CAUSE_AGE || o->r.cause == CAUSE_TAKEDOWN) && age >= 0 && age < DAY_MS)
		e->rotations[e->n_rotations++ % ROTATIONS_KEPT] = now.mono - age;
}

void
engine_start(struct engine *e, struct now now, uint64_t serial, int64_t valid_until, struct actions *out)
{
	size_t i;

	for (i = 0; i < e->n_onions; i++)
		resume_times(e, now, e->onions[i]);
	for (i = 0; i < e->n_tors; i++)
		e->tors[i].unfit_since = e->tors[i].lost_since = now.mono;
	e->serial = serial;
	e->valid_until = valid_until;
	/* When the newest list was signed is not known exactly: renew it soon, but not in the same breath. */
	e->renew_at = serial > 0 ? now.mono + 60000 + (int64_t)rng_below(RENEW_JITTER_S) * 1000 : NEVER;
	if (serial > 0 && valid_until < now.wall + 2 * RENEW_JITTER_S)
		e->renew_at = now.mono + 60000; /* it would end before, or has */
	e->bucket_at = now.mono;
	e->started = true;
	/* We may have died between a list's becoming visible and noting it. */
	listing_retire(e, now, out);
	engine_settle(e, now, out);
}

void
engine_on_planned(struct engine *e, struct now now, const struct onion_record *r, struct actions *out)
{
	struct onion *o;
	int m = engine_mirror_index(e, r->mirror);

	if (m >= 0)
		e->mirrors[m].planning = false;
	if (onion_find(e, r->id) == NULL) {
		o = onion_insert(e, r);
		if (m < 0 || e->mirrors[m].op != r->op)
			o->r.op = 0; /* that operation is over */
		o->service = SERVICE_ABSENT;
		o->since = o->next_add = o->next_probe = now.mono;
		note(out, NOTE_STATE, o, -1, o->r.op, "planned", "new onion planned (%s)", onion_cause_name(r->cause));
		note(out, NOTE_STEP, o, -1, o->r.op, "planned", "key made and stored");
		if (r->cause == CAUSE_AGE || r->cause == CAUSE_TAKEDOWN)
			e->rotations[e->n_rotations++ % ROTATIONS_KEPT] = now.mono;
	}
	engine_settle(e, now, out);
}

void
engine_set_tombstone_until(struct engine *e, uint64_t id, int64_t wall, struct actions *out)
{
	struct onion *o = onion_find(e, id);

	if (o == NULL || o->r.tombstone_until >= wall)
		return;
	o->r.tombstone_until = wall;
	action_add(out, ACTION_SAVE, o, -1);
}

void
onion_set_state(struct engine *e, struct onion *o, struct now now, enum onion_state s, struct actions *out, const char *why)
{
	enum onion_state was = o->r.state;

	if (was == s)
		return;
	assert(onion_state_may_follow(was, s));
	o->r.state = s;
	e->newest->valid = false;
	o->since = now.mono;
	o->dirty = true;
	note(out, NOTE_STATE, o, -1, o->r.op, onion_state_name(s), "%s", why);
	snprintf(out->v[out->n - 1].from, sizeof out->v->from, "%s", onion_state_name(was));
}

bool
onion_is_candidate(const struct onion *o)
{
	return o->r.state <= ONION_READY;
}

/* One look at all onions answers for all mirrors, until a state changes. */
static const struct newest *
newest(const struct engine *e)
{
	struct newest *n = e->newest;
	size_t i;

	if (n->valid)
		return n;
	memset(n->listed, 0, e->n_mirrors * sizeof *n->listed);
	memset(n->candidate, 0, e->n_mirrors * sizeof *n->candidate);
	for (i = 0; i < e->n_onions; i++) {
		struct onion *o = e->onions[i];

		if (o->mirror < 0)
			continue;
		if (onion_is_candidate(o))
			n->candidate[o->mirror] = o;
		else if (o->r.state == ONION_LISTED)
			n->listed[o->mirror] = o;
	}
	n->valid = true;
	return n;
}

struct mirror *
mirror_find(const struct engine *e, int mirror, struct err *err)
{
	if (mirror >= 0 && (size_t)mirror < e->n_mirrors)
		return &e->mirrors[mirror];
	err_set(err, ERR_NOTFOUND, "there is no such mirror");
	return NULL;
}

struct onion *
mirror_listed(const struct engine *e, int mirror)
{
	return mirror < 0 ? NULL : newest(e)->listed[mirror];
}

struct onion *
mirror_candidate(const struct engine *e, int mirror)
{
	return mirror < 0 ? NULL : newest(e)->candidate[mirror];
}

bool
onion_linked(const struct engine *e, const struct onion *o)
{
	return o->tor >= 0 && e->tors[o->tor].linked;
}

bool
onion_fit(const struct engine *e, const struct onion *o)
{
	return onion_linked(e, o) && e->tors[o->tor].fit;
}

void
engine_due(struct engine *e, int64_t at)
{
	if (at < e->deadline)
		e->deadline = at;
}

void
engine_settle(struct engine *e, struct now now, struct actions *out)
{
	size_t i;

	if (!e->started)
		return;
	e->deadline = NEVER;
	revoke_step(e, now, out);
	policy_step(e, now, out);
	spare_step(e, now, out);
	bulk_step(e, now, out);
	for (i = 0; i < e->n_mirrors; i++)
		rotate_step(e, now, (int)i, out);
	control_step(e, now, out);
	health_delist(e, now, out);
	life_count_batches(e);
	for (i = 0; i < e->n_onions; i++)
		life_step(e, now, e->onions[i], out);
	for (i = 0; i < e->n_mirrors; i++)
		health_probe_op(e, now, (int)i, out);
	for (i = 0; i < e->n_onions; i++)
		probe_step(e, now, e->onions[i], out);
	probe_start_due(e, now, out);
	listing_step(e, now, out);
	leaving_forget(e, now, out);
	for (i = 0; i < e->n_onions; i++)
		if (e->onions[i]->dirty) {
			e->onions[i]->dirty = false;
			action_add(out, ACTION_SAVE, e->onions[i], -1);
		}
}

void
engine_tick(struct engine *e, struct now now, struct actions *out)
{
	engine_settle(e, now, out);
}

int64_t
engine_deadline(const struct engine *e)
{
	return e->deadline;
}
