/* SPDX-License-Identifier: BSD-3-Clause */
/* How the fake world answers commands, lets time pass and is looked at. */
#include "config.h"
#include "world.h"

#include <stdio.h>
#include <string.h>

static void
answer_plan(struct world *w, const struct action *a)
{
	struct onion_record r = { 0 };

	if (w->plan_fails || w->last_id + 1 >= WORLD_ONIONS) {
		engine_on_plan_failed(w->e, w->now, a->mirror, &w->out);
		return;
	}
	r.id = ++w->last_id;
	snprintf(r.address, sizeof r.address, "onion%051llu", (unsigned long long)r.id);
	snprintf(r.mirror, sizeof r.mirror, "%s", w->mirrors[a->mirror].name);
	snprintf(r.tor, sizeof r.tor, "%s", w->tors[a->tor].name);
	r.state = ONION_PLANNED;
	r.cause = a->cause;
	r.created = w->now.wall;
	r.op = a->op;
	w->o[r.id].known = true;
	w->o[r.id].saved = r;
	engine_on_planned(w->e, w->now, &r, &w->out);
}

void
world_upload(struct world *w, uint64_t onion, enum desc_event ev, unsigned i)
{
	char hsdir[41], descid[44];

	snprintf(hsdir, sizeof hsdir, "%040X", i % 12); /* some HSDirs get both descriptors */
	snprintf(descid, sizeof descid, "descriptor%033u", i / 8);
	engine_on_descriptor(w->e, w->now, w->o[onion].saved.address, ev, hsdir, ev == DESC_UPLOADED ? "" : descid, &w->out);
	world_take(w);
}

static void
answer_add(struct world *w, const struct action *a)
{
	struct world_onion *o = &w->o[a->onion];
	unsigned i;

	if (w->add_refused) {
		engine_on_add_failed(w->e, w->now, a->onion, ADD_REFUSED, "of a test", &w->out);
		return;
	}
	if (o->in_tor) {
		engine_on_add_failed(w->e, w->now, a->onion, ADD_COLLISION, "", &w->out);
		return;
	}
	if (w->vague) {
		o->in_tor = world_random(2) == 0;
		engine_on_add_failed(w->e, w->now, a->onion, ADD_UNKNOWN, "", &w->out);
		return;
	}
	o->in_tor = true;
	engine_on_added(w->e, w->now, a->onion, &w->out);
	world_take(w);
	for (i = 0; i < w->uploads || i < w->begun; i++) {
		world_upload(w, a->onion, DESC_UPLOAD, i);
		if (i < w->uploads)
			world_upload(w, a->onion, DESC_UPLOADED, i);
	}
}

static void
answer_probe(struct world *w, const struct world_command *c)
{
	struct world_onion *o = &w->o[c->a.onion];
	struct phases ph = { 1, 2, 3, 4, 5, 6, 7 };
	enum verdict v = o->verdict >= 0 ? (enum verdict)o->verdict : c->a.mirror >= 0 ? w->verdict[c->a.mirror] : VERDICT_OK;
	enum fetch f = FETCH_NONE;
	int m = engine_mirror_index(w->e, o->saved.mirror), tor = world_tor_of(w, c->a.onion), through = c->a.through;

	if (o->seen[through] >= 0)
		v = (enum verdict)o->seen[through];
	if (c->a.fresh && (o->hidden & 1u << through) != 0) {
		v = VERDICT_NO_DESCRIPTOR;
		f = FETCH_MISSING;
	} else if (c->a.fresh && v != VERDICT_NO_DESCRIPTOR) {
		f = FETCH_FOUND;
	}
	if (!o->in_tor && v == VERDICT_OK && c->epoch == o->epoch)
		v = VERDICT_NO_DESCRIPTOR;
	if (c->epoch == o->epoch && o->in_tor && (v == VERDICT_OK || v == VERDICT_STALE) && m >= 0) {
		if (++o->oks >= w->mirrors[m].rise)
			o->proved = true;
	} else if (verdict_is_failure(v) && tor >= 0 && w->fit[tor] && w->fit[through]) { /* else it says nothing */
		o->oks = 0;
	}
	engine_on_probe(w->e, w->now, c->a.onion, through, v, f, &ph, &w->out);
}

static void
answer_publish(struct world *w)
{
	size_t i;

	if (!w->publish_fails) {
		w->serial++;
		w->published++;
	}
	for (i = 1; i <= w->last_id; i++) {
		if (!w->publish_fails)
			w->o[i].visible = w->o[i].flight;
		if (!w->publish_fails)
			w->o[i].warned = w->o[i].warning;
		w->o[i].flight = w->o[i].warning = false;
	}
	engine_on_published(w->e, w->now, !w->publish_fails, w->serial,
	    w->now.wall + (w->valid_s > 0 ? w->valid_s : 86400), &w->out);
}

bool
world_answer_one(struct world *w, size_t i)
{
	struct world_command c = w->pending[i];
	int tor;

	if ((w->deaf & 1u << c.a.kind) != 0)
		return false;
	memmove(&w->pending[i], &w->pending[i + 1], (w->n_pending - i - 1) * sizeof *w->pending);
	w->n_pending--;
	switch (c.a.kind) {
	case ACTION_PLAN: answer_plan(w, &c.a); break;
	case ACTION_ADD_ONION: answer_add(w, &c.a); break;
	case ACTION_DEL_ONION:
		w->o[c.a.onion].in_tor = w->vague && world_random(2) == 0;
		engine_on_deleted(w->e, w->now, c.a.onion, !w->vague, &w->out);
		break;
	case ACTION_PROBE: answer_probe(w, &c); break;
	case ACTION_CONTROL: engine_on_control(w->e, w->now, c.a.through, !w->control_dead[c.a.through], &w->out); break;
	case ACTION_CLIENTS: engine_on_clients(w->e, w->now, c.a.onion, w->o[c.a.onion].clients, &w->out); break;
	case ACTION_CHECK: engine_on_check(w->e, w->now, c.a.mirror, w->check[c.a.mirror], &w->out); break;
	case ACTION_COMPARE:
		tor = world_tor_of(w, c.a.onion);
		if (tor >= 0 && w->linked[tor])
			world_compare(w, (unsigned)tor);
		break;
	case ACTION_PUBLISH: answer_publish(w); break;
	case ACTION_SAVE:
	case ACTION_SAVE_MIRROR:
	case ACTION_FORGET:
	case ACTION_SHRED:
	case ACTION_NOTE: break;
	}
	world_take(w);
	return true;
}

void
world_answer(struct world *w)
{
	size_t i, rounds = 0;

	for (i = 0; i < w->n_pending;) {
		if (!world_answer_one(w, i)) {
			i++;
			continue;
		}
		i = 0;
		if (++rounds > 5000) {
			world_fail(w, "commands without end");
			return;
		}
	}
}

void
world_advance(struct world *w, int64_t ms)
{
	int64_t end = w->now.mono + ms, at;
	unsigned spins = 0;

	for (;;) {
		world_answer(w);
		at = engine_deadline(w->e);
		if (at > end)
			break;
		if (at <= w->now.mono && ++spins > 20) {
			world_fail(w, "the engine's deadline does not move on");
			break;
		}
		if (at > w->now.mono) {
			spins = 0;
			w->now.mono = at;
		}
		w->now.wall = WORLD_WALL + w->now.mono / 1000;
		engine_tick(w->e, w->now, &w->out);
		world_take(w);
	}
	w->now.mono = end;
	w->now.wall = WORLD_WALL + end / 1000;
	engine_tick(w->e, w->now, &w->out);
	world_take(w);
	world_answer(w);
}

void
world_seconds(struct world *w, int64_t s)
{
	world_advance(w, s * 1000);
}

void
world_settled(struct world *w)
{
	world_start(w);
	world_seconds(w, 60);
	world_mark(w);
}

void
world_mark(struct world *w)
{
	actions_reset(&w->log);
	w->published = 0;
}

unsigned
world_count_of(const struct world *w, enum action_kind kind, uint64_t onion)
{
	unsigned n = 0;
	size_t i;

	for (i = 0; i < w->log.n; i++)
		if (w->log.v[i].kind == kind && (onion == 0 || w->log.v[i].onion == onion))
			n++;
	return n;
}

unsigned
world_count(const struct world *w, enum action_kind kind)
{
	return world_count_of(w, kind, 0);
}

unsigned
world_notes(const struct world *w, enum note_kind kind, const char *word)
{
	unsigned n = 0;
	size_t i;

	for (i = 0; i < w->log.n; i++)
		if (w->log.v[i].kind == ACTION_NOTE && w->log.v[i].note == kind && strcmp(w->log.v[i].step, word) == 0)
			n++;
	return n;
}

unsigned
world_steps(const struct world *w, uint64_t op, const char *step)
{
	unsigned n = 0;
	size_t i;

	for (i = 0; i < w->log.n; i++)
		if (w->log.v[i].kind == ACTION_NOTE && w->log.v[i].note == NOTE_STEP && w->log.v[i].op == op &&
		    strcmp(w->log.v[i].step, step) == 0)
			n++;
	return n;
}

unsigned
world_pending(const struct world *w, enum action_kind kind)
{
	unsigned n = 0;
	size_t i;

	for (i = 0; i < w->n_pending; i++)
		if (w->pending[i].a.kind == kind)
			n++;
	return n;
}

struct mirror_view
world_view(const struct world *w, int mirror)
{
	struct mirror_view v;

	memset(&v, 0, sizeof v);
	(void)engine_mirror_view(w->e, mirror, &v);
	return v;
}

uint64_t
world_listed(const struct world *w, int mirror)
{
	return world_view(w, mirror).listed;
}

enum onion_state
world_state(const struct world *w, uint64_t onion)
{
	const struct onion_record *r = engine_onion(w->e, onion);

	return r != NULL ? r->state : ONION__STATES;
}

unsigned
world_visible(const struct world *w)
{
	unsigned n = 0;
	size_t i;

	for (i = 1; i <= w->last_id; i++)
		n += w->o[i].visible;
	return n;
}
