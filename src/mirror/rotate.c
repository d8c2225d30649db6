/* SPDX-License-Identifier: BSD-3-Clause */
/* When a mirror gets a new onion: at the start, by hand, by age, after a takedown; within spacing and budget. */
#include "config.h"
#include "base/mutant.h"
#include "mirror/engine_impl.h"

static void
plan(struct engine *e, int mirror, enum onion_cause cause, uint64_t op, struct actions *out)
{
	struct action *a = action_add(out, ACTION_PLAN, NULL, mirror);

	a->cause = cause;
	a->op = op;
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

/* An automatic rotation is under way on this tor. What a held mirror keeps ready, as a spare does, may wait for ever. */
static bool
tor_is_rotating(const struct engine *e, unsigned tor)
{
	const struct onion *c;
	size_t i;

	for (i = 0; i < e->n_mirrors; i++) {
		if (e->mirrors[i].cfg.tor != tor || mirror_is_held(e, (int)i))
			continue;
		c = mirror_candidate(e, (int)i);
		if (c != NULL && is_automatic(c->r.cause))
			return true;
		if (e->mirrors[i].planning && is_automatic(e->mirrors[i].cause))
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

static void
automatic(struct engine *e, struct now now, int mirror, struct onion *o, struct actions *out)
{
	struct mirror *m = &e->mirrors[mirror];
	bool takedown = health_is_takedown(e, now, o), spent;
	int64_t again;

	if (!takedown) {
		if (now.mono < o->age_end) {
			engine_due(e, o->age_end);
			if (o->fails == 0)
				m->budget_alarm = false;
			return;
		}
		/* Where no reader is sent, age harms nobody. */
		if (m->benched || o->fails > 0 || !o->r.proved || !onion_fit(e, o) || e->mass)
			return;
	}
	if (tor_is_rotating(e, m->cfg.tor))
		return; /* its end brings us back here */
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
	m->cause = takedown ? CAUSE_TAKEDOWN : CAUSE_AGE;
	if (takedown)
		note(out, NOTE_DECISION, o, -1, 0, "takedown", "address fails (%s, %u tries in a row through %u tor%s, for %lld s) while the backend is well: new address",
		    verdict_name(o->last), o->fails, sight_vantages(e, o), sight_vantages(e, o) == 1 ? "" : "s",
		    (long long)(now.mono - o->failing_since) / 1000);
	else
		note(out, NOTE_DECISION, o, -1, 0, "age", "address is old enough: new address");
	plan(e, mirror, m->cause, 0, out);
}

void
rotate_step(struct engine *e, struct now now, int mirror, struct actions *out)
{
	struct mirror *m = &e->mirrors[mirror];
	struct onion *o = mirror_listed(e, mirror);

	if (m->hold != HOLD_NONE || m->planning || mirror_candidate(e, mirror) != NULL)
		return;
	if (now.mono < m->plan_after) {
		engine_due(e, m->plan_after);
		return;
	}
	if (m->wanted) {
		m->cause = CAUSE_OPERATOR;
		plan(e, mirror, CAUSE_OPERATOR, m->op, out);
	} else if (o == NULL || o->tor < 0) { /* none, or on a tor that is no longer configured */
		m->cause = m->next_revoked ? CAUSE_REVOKED : m->plan_tries > 0 ? CAUSE_CANDIDATE_FAILED : CAUSE_START;
		plan(e, mirror, m->cause, 0, out);
	} else {
		automatic(e, now, mirror, o, out);
	}
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
