/* SPDX-License-Identifier: BSD-3-Clause */
/* When a mirror gets a new onion: at the start, by hand, by age, after a takedown; within spacing and budget. */
#include "config.h"
#include "base/mutant.h"
#include "mirror/engine_impl.h"

void
rotate_plan(struct engine *e, int mirror, int tor, enum onion_cause cause, uint64_t op, struct actions *out)
{
	struct action *a = action_add(out, ACTION_PLAN, NULL, mirror);

	a->cause = cause;
	a->op = op;
	a->tor = (unsigned)tor;
	e->mirrors[mirror].cause = cause;
	e->mirrors[mirror].plan_tor = tor;
	e->mirrors[mirror].planning = true;
	e->mirrors[mirror].wanted = e->mirrors[mirror].next_revoked = false;
}

void
plan_later(struct engine *e, struct now now, struct mirror *m)
{
	int64_t wait = (int64_t)ADD_RETRY_MS << (m->plan_tries < 7 ? m->plan_tries : 7);

	m->plan_after = now.mono + (wait < PLAN_RETRY_MAX_MS ? wait : PLAN_RETRY_MAX_MS);
	m->plan_tries++;
	engine_due(e, m->plan_after);
}

static bool
is_automatic(enum onion_cause c)
{
	return c == CAUSE_AGE || c == CAUSE_TAKEDOWN;
}

/* Nobody asked for it by hand, and it has an address already. */
static bool
is_rotation(enum onion_cause c)
{
	return is_automatic(c) || c == CAUSE_BULK || c == CAUSE_MOVED;
}

/* From or to this tor a rotation is under way. What a held mirror keeps ready, as a spare does, may wait for ever. */
static bool
tor_is_rotating(const struct engine *e, int tor)
{
	const struct onion *c, *o;
	size_t i;

	for (i = 0; i < e->n_mirrors; i++) {
		const struct mirror *m = &e->mirrors[i];

		c = mirror_candidate(e, (int)i);
		if (mirror_is_held(e, (int)i) || !((c != NULL && is_rotation(c->r.cause)) || (m->planning && is_rotation(m->cause))))
			continue;
		o = mirror_listed(e, (int)i);
		if ((c != NULL ? c->tor : m->plan_tor) == tor || (o != NULL && o->tor == tor))
			return true;
	}
	return false;
}

unsigned
rotate_today(const struct engine *e, struct now now)
{
	size_t n = e->n_rotations < ROTATIONS_KEPT ? e->n_rotations : ROTATIONS_KEPT, i;
	unsigned today = 0;

	for (i = 0; i < n; i++)
		today += now.mono - e->rotations[i] < DAY_MS;
	for (i = 0; i < e->n_mirrors; i++) /* decided, and not yet planned */
		today += e->mirrors[i].planning && is_automatic(e->mirrors[i].cause);
	return today;
}

/* Whether spacing and budget allow an automatic rotation now; *again: when to look again. */
static bool
budget_allows(const struct engine *e, struct now now, bool *spent, int64_t *again)
{
	size_t n = e->n_rotations < ROTATIONS_KEPT ? e->n_rotations : ROTATIONS_KEPT, i;
	int64_t latest = INT64_MIN, oldest = NEVER;

	for (i = 0; i < n; i++) {
		if (now.mono - e->rotations[i] < DAY_MS && e->rotations[i] < oldest)
			oldest = e->rotations[i];
		latest = e->rotations[i] > latest ? e->rotations[i] : latest;
	}
	for (i = 0; i < e->n_mirrors; i++) /* decided, and not yet planned */
		if (e->mirrors[i].planning && is_automatic(e->mirrors[i].cause))
			latest = now.mono;
	*spent = rotate_today(e, now) >= e->max_rotations_per_day;
	if (*spent) {
		*again = oldest == NEVER ? now.mono + DAY_MS : oldest + DAY_MS;
		return false;
	}
	*again = latest == INT64_MIN ? now.mono : latest + e->rotation_spacing_ms;
	return now.mono >= *again || MUTANT(16);
}

void
rotate_note_takedown(const struct engine *e, struct now now, const struct onion *o, struct actions *out)
{
	note(out, NOTE_DECISION, o, -1, 0, "takedown", "address fails (%s, %u tries in a row through %u tor%s, for %lld s) while the backend is well: new address",
	    verdict_name(o->last), o->fails, sight_vantages(e, o), sight_vantages(e, o) == 1 ? "" : "s",
	    (long long)(now.mono - o->failing_since) / 1000);
}

/* By age: where no reader is sent, age harms nobody. */
static bool
is_due_by_age(struct engine *e, struct now now, struct mirror *m, const struct onion *o)
{
	if (now.mono < o->age_end) {
		engine_due(e, o->age_end);
		if (o->fails == 0)
			m->budget_alarm = false;
		return false;
	}
	return !m->benched && o->fails == 0 && o->r.proved && onion_fit(e, o) && !e->mass;
}

static void
automatic(struct engine *e, struct now now, int mirror, struct onion *o, struct actions *out)
{
	struct mirror *m = &e->mirrors[mirror];
	int64_t again;
	bool spent;
	int tor;

	if (!m->taken && !is_due_by_age(e, now, m, o))
		return;
	if (m->taken && bulk_takes(e, now, mirror))
		return;
	tor = place_choose(e, now, mirror, out);
	if (tor < 0 || tor_is_rotating(e, tor) || tor_is_rotating(e, o->tor))
		return; /* what ends that brings us back here */
	if (!budget_allows(e, now, &spent, &again)) {
		engine_due(e, again);
		if (spent && !m->budget_alarm) {
			m->budget_alarm = true;
			note(out, NOTE_ALARM, o, -1, 0, "budget", "%s wants a new address, but %u automatic rotations a day are spent",
			    m->cfg.name, e->max_rotations_per_day);
		}
		return;
	}
	m->budget_alarm = false;
	if (m->taken)
		rotate_note_takedown(e, now, o, out);
	else
		note(out, NOTE_DECISION, o, -1, 0, "age", "address is old enough: new address");
	rotate_plan(e, mirror, tor, m->taken ? CAUSE_TAKEDOWN : CAUSE_AGE, 0, out);
}

void
rotate_step(struct engine *e, struct now now, int mirror, struct actions *out)
{
	struct mirror *m = &e->mirrors[mirror];
	struct onion *o = mirror_listed(e, mirror);
	bool first = o == NULL || o->tor < 0; /* none, or on a tor that is no longer configured */
	int tor;

	if (m->hold != HOLD_NONE || m->planning || mirror_candidate(e, mirror) != NULL)
		return;
	if (now.mono < m->plan_after) {
		engine_due(e, m->plan_after);
		return;
	}
	if (!m->wanted && !first) {
		automatic(e, now, mirror, o, out);
		return;
	}
	if ((tor = place_choose(e, now, mirror, out)) < 0)
		return;
	if (m->wanted)
		rotate_plan(e, mirror, tor, CAUSE_OPERATOR, m->op, out);
	else
		rotate_plan(e, mirror, tor, m->next_revoked ? CAUSE_REVOKED : m->plan_tries > 0 ? CAUSE_CANDIDATE_FAILED : CAUSE_START, 0, out);
}

void
rotate_ended(struct engine *e, struct onion *o, bool ok, struct actions *out)
{
	struct mirror *m = o->mirror >= 0 ? &e->mirrors[o->mirror] : NULL;

	if (m == NULL) {
		if (ok)
			note(out, NOTE_STEP, o, -1, o->r.op, "failed", "its mirror was removed from the configuration");
		o->r.op = 0;
		return;
	}
	if (o->r.op == m->op)
		m->op = 0;
	if (ok) {
		m->plan_tries = 0;
		m->plan_after = 0;
		note(out, NOTE_STEP, o, -1, o->r.op, "listed", "in the list, readers are sent here");
		note(out, NOTE_STEP, o, -1, o->r.op, "done", "%s", "");
	}
	/* Whatever happens to it from now on is no step of that operation. */
	o->r.op = 0;
	o->dirty = true;
}

void
engine_on_plan_failed(struct engine *e, struct now now, int mirror, struct actions *out)
{
	struct mirror *m;

	if (mirror < 0 || (size_t)mirror >= e->n_mirrors)
		return;
	m = &e->mirrors[mirror];
	if (!m->planning)
		return;
	m->planning = false;
	plan_later(e, now, m);
	if (m->op != 0)
		note(out, NOTE_STEP, NULL, mirror, m->op, "failed", "the new key could not be stored");
	m->op = 0;
	engine_settle(e, now, out);
}

int
engine_rotate(struct engine *e, struct now now, int mirror, uint64_t op, struct actions *out, struct err *err)
{
	struct mirror *m;

	if ((m = mirror_find(e, mirror, err)) == NULL)
		return -1;
	if (m->hold == HOLD_MAINT)
		return err_set(err, ERR_REFUSED, "%s is in maintenance: `onionmirror maint %s off` first", m->cfg.name, m->cfg.name);
	if (m->wanted || m->planning || mirror_candidate(e, mirror) != NULL)
		return err_set(err, ERR_REFUSED, "%s is already getting a new address", m->cfg.name);
	if (m->hold == HOLD_DRAINED)
		policy_set_hold(e, now, mirror, HOLD_NONE, 0, out); /* that is how it ends */
	m->wanted = true;
	m->cause = CAUSE_OPERATOR;
	m->op = op;
	m->plan_after = 0;
	engine_settle(e, now, out);
	return 0;
}

int
engine_probe(struct engine *e, struct now now, int mirror, uint64_t op, struct actions *out, struct err *err)
{
	struct mirror *m;
	const char *why;

	if ((m = mirror_find(e, mirror, err)) == NULL)
		return -1;
	why = health_probe_obstacle(e, mirror);
	if (why != NULL)
		return err_set(err, ERR_REFUSED, "%s cannot be probed: %s", m->cfg.name, why);
	if (m->probe_op != 0)
		return err_set(err, ERR_REFUSED, "%s is being probed already", m->cfg.name);
	m->probe_op = op;
	engine_settle(e, now, out);
	return 0;
}
