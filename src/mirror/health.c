/* SPDX-License-Identifier: BSD-3-Clause */
/* What probes mean: proving, rise and fall, flapping, overload, old or wrong content; delisting, panic, takedown. */
#include "config.h"
#include "base/mutant.h"
#include "mirror/engine_impl.h"

#include <stdio.h>
#include <string.h>

/* Twice as many good probes in a row for each time it fell again soon after coming back: the list must not flap with it. */
static unsigned
oks_wanted(const struct engine *e, const struct onion *o)
{
	unsigned n = e->mirrors[o->mirror].cfg.rise << (o->relapses < RELAPSES_MAX ? o->relapses : RELAPSES_MAX);

	return o->flapping && n < WINDOW_CLEAR ? WINDOW_CLEAR : n;
}

/* It fails, answers and fails again, never `fall` times in a row. */
static bool
window_flaps(const struct onion *o)
{
	unsigned w = o->window;

	return __builtin_popcount(w) >= WINDOW_FAILED && __builtin_popcount(w & ~(w << 1)) >= WINDOW_ROWS;
}

/* Content behind for too long; a replica or an archive may be. *at: when that will be. */
static bool
is_too_old(const struct engine *e, struct now now, int mirror, int64_t *at)
{
	const struct mirror *m = &e->mirrors[mirror];

	*at = NEVER;
	if (m->stale_since == 0 || m->cfg.stale_after_ms == 0 || m->cfg.role != ROLE_MIRROR)
		return false;
	*at = m->stale_since + m->cfg.stale_after_ms;
	return now.mono >= *at;
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
	o->proved_mono = now.mono;
	o->up.repairs = 0;
	o->settled = true;
	o->dirty = true;
	if (o->r.state == ONION_PROVING)
		onion_set_state(e, o, now, ONION_READY, out, "proved through Tor");
	else
		note(out, NOTE_DECISION, o, -1, 0, "proved", "proved again after it was added again");
}

static void
overload(struct engine *e, struct onion *o, const char *how, struct actions *out)
{
	struct mirror *m = &e->mirrors[o->mirror];

	if (m->busy_alarm || o->r.state != ONION_LISTED)
		return;
	m->busy_alarm = true;
	note(out, NOTE_ALARM, o, -1, 0, "overload", "%s is overloaded: %s; it stays in the list, behind the others", m->cfg.name, how);
}

/* Far slower than it used to be is overload too. */
static void
weigh_time(struct engine *e, struct onion *o, const struct phases *ph, struct actions *out)
{
	char how[80];

	if (ph->total < 0 || o->r.state != ONION_LISTED)
		return;
	if (o->usual > 0 && ph->total > SLOW_MS && ph->total / SLOW_TIMES > o->usual) {
		o->slow++;
		snprintf(how, sizeof how, "an answer takes %d s, and used to take %d ms", (int)(ph->total / 1000), (int)o->usual);
		if (o->slow >= e->mirrors[o->mirror].cfg.rise)
			overload(e, o, how, out);
		return;
	}
	o->slow = 0;
	o->usual = o->usual == 0 ? ph->total + 1 : o->usual + (ph->total - o->usual) / 8;
}

static void
probe_ok(struct engine *e, struct now now, struct onion *o, bool failed, struct actions *out)
{
	if (!o->r.proved) {
		prove(e, now, o, out);
	} else if (o->delisted && o->oks >= oks_wanted(e, o) && e->mirrors[o->mirror].hold == HOLD_NONE) {
		int64_t at;

		if (is_too_old(e, now, o->mirror, &at))
			return;
		o->delisted = o->flapping = false;
		o->back_at = now.mono;
		o->window = 0;
		note(out, NOTE_DECISION, o, -1, 0, "back", "answers again, %u probes in a row: back into the list", o->oks);
	} else if (failed && !o->delisted && !sight_any_fails(e, o)) {
		note(out, NOTE_STATE, o, -1, 0, "up", "answers again");
	}
}

static void
wrong_content(struct engine *e, struct onion *o, struct actions *out)
{
	struct mirror *m = &e->mirrors[o->mirror];

	o->content = true;
	o->wrong++;
	if (!m->content_alarm) {
		m->content_alarm = true;
		note(out, NOTE_ALARM, o, -1, 0, "content", "the content is not what it should be");
	}
	/* Taking it out can be undone, a revocation can't: so it is looked at once more, on another circuit. */
	if (m->cfg.revoke_on_content && o->wrong >= 2)
		m->revoke_wanted = true;
}

static void
probe_failed(struct engine *e, struct now now, struct onion *o, struct sight *s, unsigned was, bool failed, struct actions *out)
{
	struct mirror *m = &e->mirrors[o->mirror];

	if (o->r.state != ONION_LISTED || m->hold == HOLD_MAINT)
		return;
	if (s->last == VERDICT_CONTENT)
		wrong_content(e, o, out);
	if (!failed) {
		note(out, NOTE_STATE, o, -1, 0, "suspect", "probe failed: %s", verdict_name(s->last));
		/* Does tor still have it? Another controller may have deleted it: that is no takedown. */
		o->failing_since = now.mono;
		action_add(out, ACTION_COMPARE, o, -1);
	}
	/* A failure of one vantage is a matter of the other one first; nothing is wrong yet. */
	if (s->tor >= 0 && o->round && sight_vantages(e, o) > 1) {
		unsigned other = s == &o->sight[0];

		if (!o->sight[other].probing && o->sight[other].start < o->round_start && o->beyond == 0)
			o->ask |= 1u << other;
	}
	if (s->blind && s->alone == m->cfg.fall)
		note(out, NOTE_ALARM, o, -1, 0, "blind", "%s can't be reached through tor %s, but it can through the other: not counted",
		    m->cfg.name, e->tors[s->tor].cfg.name);
	if (!m->checking) {
		m->checking = true;
		action_add(out, ACTION_CHECK, o, -1);
	}
	if (was < m->cfg.fall && o->fails >= m->cfg.fall)
		note(out, NOTE_DECISION, o, -1, 0, "down", "%u tries failed in a row, last: %s; backend: %s", o->fails, verdict_name(s->last),
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

/* A verdict about the service that is there now, by a side that is fit to judge. */
static void
weigh(struct engine *e, struct now now, struct onion *o, struct sight *s, enum fetch f, const struct phases *ph, struct actions *out)
{
	struct mirror *m = &e->mirrors[o->mirror];
	enum verdict v = s->last;
	bool failed = sight_any_fails(e, o);
	unsigned was = o->fails;

	if (MUTANT(1) && !o->r.proved)
		v = VERDICT_OK;
	if (MUTANT(4) && v == VERDICT_INCONCLUSIVE)
		v = VERDICT_TIMEOUT;
	if (v == VERDICT_INCONCLUSIVE)
		return;
	if (sight_is_old_news(now, s, v, f)) {
		o->heard[0].kept = true;
		return;
	}
	o->said = true;
	sight_take(e, now, o, s, v, f);
	if (v != VERDICT_CONTENT)
		o->wrong = 0;
	if (v != VERDICT_BUSY)
		o->busy = 0;
	/* Until another failure or good answer: who is busy or silent has not shown better content. */
	if (v == VERDICT_OK || v == VERDICT_STALE)
		o->content = false;
	if (v == VERDICT_OK)
		m->stale_since = 0;
	if (verdict_is_failure(v) && v != VERDICT_STALE) {
		probe_failed(e, now, o, s, was, failed, out);
		return;
	}
	if (v == VERDICT_BUSY) {
		if (++o->busy >= m->cfg.rise)
			overload(e, o, "it says so", out);
		return;
	}
	if (v == VERDICT_STALE && m->stale_since == 0) {
		m->stale_since = now.mono;
		note(out, NOTE_STATE, o, -1, 0, "stale", "its content is behind");
	}
	weigh_time(e, o, ph, out);
	if (o->slow == 0)
		m->busy_alarm = false;
	m->content_alarm = false;
	probe_ok(e, now, o, failed, out);
}

void
engine_on_probe(struct engine *e, struct now now, uint64_t onion, int through, enum verdict v, enum fetch f, const struct phases *ph,
    struct actions *out)
{
	struct onion *o = onion_find(e, onion);
	struct sight *s = o != NULL ? sight_probing(o, through) : NULL;

	if (s == NULL)
		return;
	s->probing = false;
	/* The tor that judges, and the one that serves: neither may be in doubt. */
	if ((!e->tors[through].linked || !e->tors[through].fit || !onion_fit(e, o)) && v != VERDICT_OK)
		v = VERDICT_INCONCLUSIVE;
	s->last = o->last = v;
	s->last_probe = o->last_probe = now.wall;
	o->phases = *ph;
	evidence_heard(o, now, v);
	if (o->mirror >= 0 && mirror_listed(e, o->mirror) == o)
		report_probe(e, o, v, out);
	/* A result that comes after the service was lost is about another service. */
	if (o->mirror >= 0 && o->service == SERVICE_UP && !s->stale && (o->r.state == ONION_PROVING || o->r.state == ONION_LISTED))
		weigh(e, now, o, s, f, ph, out);
	probe_round_over(e, now, o);
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

bool
health_is_takedown(const struct engine *e, struct now now, const struct onion *o)
{
	const struct mirror *m = &e->mirrors[o->mirror];
	/* An overloaded backend is there, and old or wrong content is another matter: all of them answer. */
	bool backend_well = MUTANT(15) || (m->backend_at != 0 && !m->checking && (m->backend == VERDICT_OK || m->backend == VERDICT_BUSY));

	return o->service == SERVICE_UP && o->seen >= o->failing_since && onion_fit(e, o) && backend_well && sight_is_takedown(e, o) &&
	    !control_holds(e, now, o);
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
	if (!onion_probing(o))
		o->next_probe = now.mono;
}

/* Why it is to leave the list: a word of why, or NULL. */
static const char *
is_down(struct engine *e, struct now now, const struct onion *o, char *why, size_t n)
{
	unsigned fall = MUTANT(21) ? 1 : e->mirrors[o->mirror].cfg.fall;
	int64_t at;

	why[0] = '\0';
	/* Wrong content is no matter of luck on the way: readers are not to see it for another minute. */
	if (o->content)
		return "content";
	if (o->fails >= fall) {
		snprintf(why, n, "%u failed tries, last: %s", o->fails, verdict_name(o->last));
		return "down";
	}
	if (window_flaps(o)) {
		snprintf(why, n, "%d of the last 8 probes failed", __builtin_popcount(o->window));
		return "flapping";
	}
	if (is_too_old(e, now, o->mirror, &at)) {
		snprintf(why, n, "its content is behind for %lld min", (long long)(now.mono - e->mirrors[o->mirror].stale_since) / 60000);
		return "stale";
	}
	engine_due(e, at);
	return NULL;
}

static void
delist(struct now now, struct onion *o, const char *word, const char *why, struct actions *out)
{
	o->delisted = true;
	o->flapping = strcmp(word, "flapping") == 0;
	o->relapses = o->back_at != 0 && now.mono - o->back_at < CALM_MS ? o->relapses + 1 : 0;
	o->oks = o->sight[0].oks = o->sight[1].oks = 0;
	note(out, NOTE_STATE, o, -1, 0, "down", "out of the list: %s", why[0] != '\0' ? why : word);
}

void
health_delist(struct engine *e, struct now now, struct actions *out)
{
	unsigned failing, listed;
	size_t floor = MUTANT(22) ? 0 : e->min_listed > 1 ? e->min_listed : 1;
	char why[120] = "", reason[100];
	const char *word;
	size_t i;

	control_count(e, false, &failing, &listed);
	for (i = 0; i < e->n_onions; i++) {
		struct onion *o = e->onions[i];

		if (o->r.state != ONION_LISTED || !o->r.in_list || o->delisted || o->mirror < 0 || !onion_fit(e, o))
			continue;
		if ((word = is_down(e, now, o, reason, sizeof reason)) == NULL)
			continue;
		if (control_holds(e, now, o)) {
			if (e->mass)
				snprintf(why, sizeof why, "%u of %u listed mirrors fail together", failing, listed);
			continue;
		}
		if (listing_count_left(e, o) < floor) {
			snprintf(why, sizeof why, "%zu would be left, and at least %zu must stay", listing_count_left(e, o), floor);
			continue;
		}
		delist(now, o, word, reason, out);
	}
	set_panic(e, why, out);
}
