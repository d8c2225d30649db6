/* SPDX-License-Identifier: BSD-3-Clause */
/* What probes mean: proving, rise and fall, delisting, panic. */
#include "config.h"
#include "base/mutant.h"
#include "base/rng.h"
#include "mirror/engine_impl.h"

#include <stdio.h>
#include <string.h>

static bool
is_down(const struct engine *e, const struct onion *o)
{
	if (o->mirror < 0 || o->fails == 0)
		return false;
	/* Wrong content is no matter of luck on the way: readers are not to see it for another minute. */
	return o->fails >= (MUTANT(21) ? 1 : e->mirrors[o->mirror].cfg.fall) || o->last == VERDICT_CONTENT;
}

static void
prove(struct engine *e, struct now now, struct onion *o, struct actions *out)
{
	unsigned rise = e->mirrors[o->mirror].cfg.rise;

	note(out, NOTE_STEP, o, -1, o->r.op, "proved", "%u of %u probes ok", o->oks, rise);
	if (o->oks < rise)
		return;
	o->r.proved = true;
	o->r.proved_at = now.wall;
	o->settled = true;
	o->dirty = true;
	if (o->r.state == ONION_PROVING)
		onion_set_state(e, o, now, ONION_READY, out, "proved through Tor");
	else
		note(out, NOTE_DECISION, o, -1, 0, "proved", "proved again after it was added again");
}

static void
probe_ok(struct engine *e, struct now now, struct onion *o, struct actions *out)
{
	const struct mirror *m = &e->mirrors[o->mirror];
	unsigned failed = o->fails;

	o->oks++;
	o->fails = 0;
	if (!o->r.proved) {
		prove(e, now, o, out);
	} else if (o->delisted && o->oks >= m->cfg.rise) {
		o->delisted = false;
		note(out, NOTE_DECISION, o, -1, 0, "back", "answers again, %u probes in a row: back into the list", o->oks);
	} else if (failed > 0 && !o->delisted) {
		note(out, NOTE_STATE, o, -1, 0, "up", "answers again after %u failed probe%s", failed, failed == 1 ? "" : "s");
	}
}

static void
probe_failed(struct engine *e, struct now now, struct onion *o, enum verdict v, struct actions *out)
{
	struct mirror *m = &e->mirrors[o->mirror];

	o->oks = 0;
	o->fails++;
	if (!verdict_is_address(v) && v != VERDICT_TIMEOUT)
		o->address_fails = 0;
	else
		o->address_fails = o->fails == 1 ? 1 : o->address_fails + 1;
	if (o->r.state != ONION_LISTED)
		return;
	if (o->fails == 1) {
		note(out, NOTE_STATE, o, -1, 0, "suspect", "probe failed: %s", verdict_name(v));
		/* Does tor still have it? Another controller may have deleted it: that is no takedown. */
		o->failing_since = now.mono;
		action_add(out, ACTION_COMPARE, o, -1);
	}
	if (!m->checking) {
		m->checking = true;
		action_add(out, ACTION_CHECK, o, -1);
	}
	if (v == VERDICT_CONTENT && !m->content_alarm) {
		m->content_alarm = true;
		note(out, NOTE_ALARM, o, -1, 0, "content", "the content is not what it should be");
	}
	if (o->fails == m->cfg.fall)
		note(out, NOTE_DECISION, o, -1, 0, "down", "%u probes failed in a row, last: %s; backend: %s", o->fails, verdict_name(v),
		    verdict_name(m->backend));
}

/* The step of an operator's own probe. */
static void
report_probe(struct engine *e, struct onion *o, enum verdict v, struct actions *out)
{
	struct mirror *m = &e->mirrors[o->mirror];

	if (m->probe_op == 0)
		return;
	note(out, NOTE_STEP, o, -1, m->probe_op, "probed", "%s", verdict_name(v));
	note(out, NOTE_STEP, o, -1, m->probe_op, v == VERDICT_OK ? "done" : "failed", "%s", v == VERDICT_OK ? "" : "the probe did not succeed");
	m->probe_op = 0;
}

void
engine_on_probe(struct engine *e, struct now now, uint64_t onion, enum verdict v, const struct phases *ph, struct actions *out)
{
	struct onion *o = onion_find(e, onion);
	int64_t gap;

	if (o == NULL)
		return;
	o->probing = false;
	if (!onion_fit(e, o) && v != VERDICT_OK)
		v = VERDICT_INCONCLUSIVE;
	o->last = v;
	o->phases = *ph;
	o->last_probe = now.wall;
	if (o->mirror >= 0) {
		if (mirror_listed(e, o->mirror) == o)
			report_probe(e, o, v, out);
		/* A result that comes after the service was lost is about another service. */
		if (o->service == SERVICE_UP && !o->stale && (o->r.state == ONION_PROVING || o->r.state == ONION_LISTED)) {
			if (v == VERDICT_OK || (MUTANT(1) && !o->r.proved))
				probe_ok(e, now, o, out);
			else if (verdict_is_failure(v) || (MUTANT(4) && v == VERDICT_INCONCLUSIVE))
				probe_failed(e, now, o, v, out);
			else if (v == VERDICT_BUSY && o->r.proved)
				o->fails = 0;
			gap = probe_gap(e, o);
			if ((v == VERDICT_INCONCLUSIVE || v == VERDICT_BUSY) && gap < BUSY_MS)
				gap = BUSY_MS; /* it said nothing about the address: no reason to hurry */
			/* From start to start; a probe that took longer is followed at once. */
			o->next_probe = o->probe_start + gap > now.mono ? o->probe_start + gap : now.mono;
		}
		if (v == VERDICT_OK)
			e->mirrors[o->mirror].content_alarm = false;
	}
	engine_settle(e, now, out);
}

void
engine_on_check(struct engine *e, struct now now, int mirror, enum verdict v, struct actions *out)
{
	struct mirror *m;

	if (mirror < 0 || (size_t)mirror >= e->n_mirrors)
		return;
	m = &e->mirrors[mirror];
	m->checking = false;
	if (m->backend != v)
		note(out, NOTE_STATE, NULL, mirror, 0, "backend", "direct look at the backend: %s", verdict_name(v));
	m->backend = v;
	m->backend_at = now.mono;
	engine_settle(e, now, out);
}

void
engine_on_fitness(struct engine *e, struct now now, unsigned tor, bool fit, const char *why, struct actions *out)
{
	struct tor_side *t;
	size_t i;

	if (tor >= e->n_tors)
		return;
	t = &e->tors[tor];
	if (t->fit == fit) {
		engine_settle(e, now, out);
		return;
	}
	t->fit = fit;
	note(out, fit ? NOTE_STATE : NOTE_ALARM, NULL, -1, 0, fit ? "fit" : "unfit", "tor %s: our own side %s%s%s", t->cfg.name,
	    fit ? "is fit to judge again" : "is not fit to judge, nothing is delisted or rotated", fit ? "" : ": ", fit ? "" : why);
	for (i = 0; i < e->n_onions; i++) {
		struct onion *o = e->onions[i];

		if (o->tor != (int)tor)
			continue;
		if (!fit)
			continue;
		/* Deadlines stood still; one that began meanwhile begins now. */
		o->since += now.mono - (o->since > t->unfit_since ? o->since : t->unfit_since);
		if (o->next_probe > now.mono && o->last == VERDICT_INCONCLUSIVE)
			o->next_probe = now.mono + (int64_t)rng_below(5000);
	}
	t->unfit_since = now.mono;
	engine_settle(e, now, out);
}

/* Of the onions in the list, how many fail now: more than half together is our own side or the network, not they. */
static bool
mass_failure(const struct engine *e, unsigned *failing, unsigned *listed)
{
	size_t i;

	*failing = *listed = 0;
	for (i = 0; i < e->n_onions; i++) {
		const struct onion *o = e->onions[i];

		if (!o->r.in_list || o->r.state != ONION_LISTED || o->mirror < 0)
			continue;
		(*listed)++;
		if (o->fails > 0 && o->fails * 2 >= e->mirrors[o->mirror].cfg.fall)
			(*failing)++;
	}
	return *failing >= 2 && *failing * 2 > *listed;
}

static void
set_panic(struct engine *e, const char *why, struct actions *out)
{
	bool was = e->panic;

	e->panic = why[0] != '\0';
	snprintf(e->panic_why, sizeof e->panic_why, "%s", why);
	if (e->panic && !was)
		note(out, NOTE_ALARM, NULL, -1, 0, "panic", "the list stays as it is: %s", why);
	else if (!e->panic && was)
		note(out, NOTE_DECISION, NULL, -1, 0, "panic-over", "panic is over");
}

const char *
health_probe_obstacle(const struct engine *e, int mirror)
{
	const struct onion *o = mirror_listed(e, mirror);

	if (o == NULL)
		return "it has no listed address yet";
	if (!onion_linked(e, o) || o->service != SERVICE_UP)
		return "its tor is not connected or has not got the service yet";
	if (!o->settled && o->uploads == 0)
		return "no descriptor of it is uploaded yet";
	return NULL;
}

void
health_probe_op(struct engine *e, struct now now, int mirror, struct actions *out)
{
	struct mirror *m = &e->mirrors[mirror];
	const char *why;
	struct onion *o;

	if (m->probe_op == 0)
		return;
	why = health_probe_obstacle(e, mirror);
	if (why != NULL) {
		note(out, NOTE_STEP, NULL, mirror, m->probe_op, "failed", "it can't be probed: %s", why);
		m->probe_op = 0;
		return;
	}
	o = mirror_listed(e, mirror);
	if (!o->probing)
		o->next_probe = now.mono;
}

/*
 * What failed together comes back one after the other: who has not been asked
 * since is given one more probe before he is taken for down.
 */
static void
mass_over(struct engine *e)
{
	size_t i;

	for (i = 0; i < e->n_onions; i++) {
		struct onion *o = e->onions[i];

		if (o->r.state != ONION_LISTED || o->delisted || !is_down(e, o))
			continue;
		o->fails = e->mirrors[o->mirror].cfg.fall - 1;
		if (o->address_fails > o->fails)
			o->address_fails = o->fails;
	}
}

void
health_delist(struct engine *e, struct actions *out)
{
	unsigned failing, listed, leaving = 0, floor = MUTANT(22) ? 0 : e->min_listed > 1 ? e->min_listed : 1;
	bool mass = mass_failure(e, &failing, &listed) && !MUTANT(11);
	char why[120] = "";
	size_t i;

	if (e->mass && !mass)
		mass_over(e);
	e->mass = mass;
	for (i = 0; i < e->n_onions; i++) /* on their way out, though the visible list still has them */
		if (e->onions[i]->r.state == ONION_LISTED && e->onions[i]->r.in_list && e->onions[i]->mirror >= 0 && e->onions[i]->delisted)
			leaving++;
	if (mass)
		snprintf(why, sizeof why, "%u of %u listed mirrors fail together", failing, listed);
	for (i = 0; i < e->n_onions; i++) {
		struct onion *o = e->onions[i];

		if (o->r.state != ONION_LISTED || !o->r.in_list || o->delisted || !is_down(e, o) || !onion_fit(e, o) || mass)
			continue;
		if (listed - leaving <= floor) {
			snprintf(why, sizeof why, "%u listed, and at least %u must stay", listed - leaving, floor);
			continue;
		}
		o->delisted = true;
		o->oks = 0;
		leaving++;
		note(out, NOTE_STATE, o, -1, 0, "down", "out of the list after %u failed probes, last: %s", o->fails, verdict_name(o->last));
	}
	set_panic(e, why, out);
}

bool
health_mass_failure(const struct engine *e)
{
	unsigned a, b;

	return mass_failure(e, &a, &b);
}
