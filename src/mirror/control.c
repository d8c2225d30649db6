/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Is it our own side? When half of the listed mirrors or more fail together,
 * an onion that has nothing to do with them is asked through the tor that
 * judges: one of ours that lives on another tor and is well, or one that the
 * operator named. It answers: our side is fit and the failures are real. Two
 * tries without an answer: our side is not fit, and everything stands still
 * until one answers or the trouble is over. Asked only in trouble.
 */
#include "config.h"
#include "base/mutant.h"
#include "base/rng.h"
#include "mirror/engine_impl.h"

void
control_count(const struct engine *e, bool judged, unsigned *failing, unsigned *listed)
{
	size_t i;

	*failing = *listed = 0;
	for (i = 0; i < e->n_onions; i++) {
		const struct onion *o = e->onions[i];

		if (!o->r.in_list || o->r.state != ONION_LISTED || o->mirror < 0)
			continue;
		if (judged && (!onion_fit(e, o) || sight_vantages(e, o) == 0))
			continue;
		(*listed)++;
		if (o->fails > 0 && o->fails * 2 >= e->mirrors[o->mirror].cfg.fall)
			(*failing)++;
	}
}

/* One of ours on another tor that was well when last looked at. */
static bool
is_own_control(const struct engine *e, const struct onion *o, int through)
{
	return o->r.state == ONION_LISTED && o->tor >= 0 && o->tor != through && o->mirror >= 0 && o->r.proved &&
	    o->service == SERVICE_UP && o->last == VERDICT_OK && onion_fit(e, o) && !sight_any_fails(e, o);
}

static unsigned
own_controls(const struct engine *e, int through, unsigned want, const struct onion **at)
{
	unsigned n = 0;
	size_t i;

	for (i = 0; i < e->n_onions; i++)
		if (is_own_control(e, e->onions[i], through) && n++ == want && at != NULL)
			*at = e->onions[i];
	return n;
}

bool
control_available(const struct engine *e, int through)
{
	return e->n_controls > 0 || own_controls(e, through, 0, NULL) > 0;
}

/* Ours and the operator's by turns. */
static void
ask(struct engine *e, int through, struct actions *out)
{
	struct tor_side *t = &e->tors[through];
	unsigned own = own_controls(e, through, 0, NULL), turn = t->asked++;
	const struct onion *o = NULL;
	struct action *a;

	if (own > 0 && (e->n_controls == 0 || turn % 2 == 0))
		own_controls(e, through, turn / 2 % own, &o);
	a = action_add(out, ACTION_CONTROL, o, -1);
	a->op = 0;
	a->through = through;
	a->control = e->n_controls > 0 ? (own > 0 ? turn / 2 : turn) % e->n_controls : 0;
	t->asking = true;
}

/* Something that is listed fails when looked at through it. */
static bool
judges_failing(const struct engine *e, int through)
{
	size_t i;
	int k;

	for (i = 0; i < e->n_onions; i++) {
		const struct onion *o = e->onions[i];

		for (k = 0; o->r.state == ONION_LISTED && o->mirror >= 0 && o->fails > 0 && k < VANTAGES; k++)
			if (o->sight[k].tor == through && o->sight[k].fails > 0)
				return true;
	}
	return false;
}

/* Deadlines stood still while it was not fit; one that began meanwhile begins now. */
static void
resume(struct engine *e, struct now now, int tor)
{
	int64_t since = e->tors[tor].unfit_since;
	size_t i;
	int k;

	for (i = 0; i < e->n_onions; i++) {
		struct onion *o = e->onions[i];

		if (o->tor == tor) {
			o->since += now.mono - (o->since > since ? o->since : since);
			if (o->next_probe > now.mono && o->last == VERDICT_INCONCLUSIVE)
				o->next_probe = now.mono + (int64_t)rng_below(5000);
		}
		for (k = 0; k < VANTAGES; k++) {
			struct sight *s = &o->sight[k];

			if (s->tor == tor && s->silent > 0)
				s->silent_since += now.mono - (s->silent_since > since ? s->silent_since : since);
		}
		sight_sum(e, o);
	}
	for (i = 0; i < e->n_mirrors; i++) {
		struct mirror *m = &e->mirrors[i];

		if (place_of(e, (int)i) == tor && m->stale_since != 0)
			m->stale_since += now.mono - (m->stale_since > since ? m->stale_since : since);
	}
}

static void
set_fit(struct engine *e, struct now now, int tor, const char *why, struct actions *out)
{
	struct tor_side *t = &e->tors[tor];
	bool fit = t->sound && !t->silent;
	size_t i;

	if (t->fit == fit)
		return;
	t->fit = fit;
	note(out, fit ? NOTE_STATE : NOTE_ALARM, NULL, -1, 0, fit ? "fit" : "unfit", "tor %s: our own side %s%s%s", t->cfg.name,
	    fit ? "is fit to judge again" : "is not fit to judge, nothing is delisted or rotated", fit ? "" : ": ", fit ? "" : why);
	if (fit)
		resume(e, now, tor);
	else
		for (i = 0; i < e->n_onions; i++)
			sight_sum(e, e->onions[i]);
	t->unfit_since = now.mono;
}

static void
set_silent(struct engine *e, struct now now, int tor, bool silent, struct actions *out)
{
	struct tor_side *t = &e->tors[tor];
	size_t i;
	int k;

	if (t->silent == silent)
		return;
	t->silent = silent;
	set_fit(e, now, tor, "no control onion answers", out);
	/* The failures before it were our own side's too. */
	for (i = 0; !silent && i < e->n_onions; i++)
		for (k = 0; k < VANTAGES; k++)
			if (e->onions[i]->sight[k].tor == tor && e->onions[i]->mirror >= 0)
				sight_doubt(e, e->onions[i]);
}

void
control_step(struct engine *e, struct now now, struct actions *out)
{
	unsigned failing, listed, t;
	size_t i;
	bool mass;

	control_count(e, false, &failing, &listed);
	e->trouble = failing > 0 && failing * 2 >= listed;
	control_count(e, true, &failing, &listed);
	mass = failing >= 2 && failing * 2 > listed && !MUTANT(11);
	/* What failed together comes back one after the other: who has not been asked since is given one more probe. */
	for (i = 0; e->mass && !mass && i < e->n_onions; i++)
		if (e->onions[i]->r.state == ONION_LISTED && e->onions[i]->mirror >= 0 && !e->onions[i]->delisted)
			sight_doubt(e, e->onions[i]);
	e->mass = mass;
	for (t = 0; t < e->n_tors; t++) {
		struct tor_side *side = &e->tors[t];

		if (!e->trouble || (!side->silent && !judges_failing(e, (int)t))) {
			side->unanswered = 0;
			set_silent(e, now, (int)t, false, out);
			continue;
		}
		if (!side->linked || !side->sound || side->asking || !control_available(e, (int)t))
			continue;
		if (now.mono >= side->control_at)
			ask(e, (int)t, out);
		else
			engine_due(e, side->control_at);
	}
}

void
engine_on_control(struct engine *e, struct now now, int through, bool answered, struct actions *out)
{
	struct tor_side *t;

	if (through < 0 || (size_t)through >= e->n_tors || !e->tors[through].asking)
		return;
	t = &e->tors[through];
	t->asking = false;
	if (answered) {
		note(out, NOTE_DECISION, NULL, -1, 0, "control", "tor %s: a control onion answers, so what fails there fails", t->cfg.name);
		t->unanswered = 0;
		t->heard = now.mono;
		t->control_at = now.mono + CONTROL_VALID_MS;
		set_silent(e, now, through, false, out);
	} else if (++t->unanswered >= CONTROL_TRIES) {
		t->control_at = now.mono + CONTROL_AGAIN_MS;
		set_silent(e, now, through, true, out);
	}
	engine_settle(e, now, out);
}

bool
control_holds(const struct engine *e, struct now now, const struct onion *o)
{
	int64_t heard;
	int i;

	if (!e->trouble)
		return false;
	for (i = 0; i < VANTAGES; i++) {
		const struct sight *s = &o->sight[i];

		if (!sight_counts(e, s))
			continue;
		heard = e->tors[s->tor].heard;
		if (control_available(e, s->tor) ? heard == 0 || now.mono - heard > CONTROL_OLD_MS : e->mass)
			return true;
	}
	return false;
}

void
engine_on_fitness(struct engine *e, struct now now, unsigned tor, bool fit, const char *why, struct actions *out)
{
	if (tor >= e->n_tors)
		return;
	if (e->tors[tor].sound && !fit)
		e->tors[tor].lost_since = now.mono;
	e->tors[tor].sound = fit;
	set_fit(e, now, (int)tor, why, out);
	engine_settle(e, now, out);
}
