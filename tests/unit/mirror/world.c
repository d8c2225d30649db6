/* SPDX-License-Identifier: BSD-3-Clause */
/* The fake world: store, tors, backends, publisher, and the record of what each of them was asked for. */
#include "config.h"
#include "world.h"

#include "base/rng.h"

#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t rng_state;

static void
seeded(void *p, size_t n)
{
	unsigned char *b = p;
	size_t i;

	for (i = 0; i < n; i++) {
		rng_state ^= rng_state << 13;
		rng_state ^= rng_state >> 7;
		rng_state ^= rng_state << 17;
		b[i] = (unsigned char)(rng_state >> 32);
	}
}

uint64_t
world_random(uint64_t bound)
{
	return rng_below(bound);
}

void
world_fail(struct world *w, const char *fmt, ...)
{
	va_list ap;

	if (w->failure[0] != '\0')
		return;
	va_start(ap, fmt);
	vsnprintf(w->failure, sizeof w->failure, fmt, ap);
	va_end(ap);
	/* Here, not at the end: Criterion does not count what fails behind the body of a test. */
	cr_expect(false, "%s", w->failure);
}

void
world_init(struct world *w, size_t n_mirrors, size_t n_tors, uint64_t seed)
{
	size_t i, k;

	memset(w, 0, sizeof *w);
	rng_state = seed * UINT64_C(0x9e3779b97f4a7c15) | 1;
	rng_set_source(seeded);
	w->now = (struct now){ 1000000, WORLD_WALL };
	w->uploads = 16;
	for (i = 0; i < WORLD_TORS; i++) {
		snprintf(w->tors[i].name, sizeof w->tors[i].name, "tor%zu", i);
		w->tors[i].max_mirrors = 20;
	}
	for (i = 0; i < WORLD_MIRRORS; i++) {
		struct engine_mirror *m = &w->mirrors[i];

		snprintf(m->name, sizeof m->name, "m%zu", i);
		m->tor = (int)(i % n_tors);
		m->interval_ms = 300000;
		m->timeout_ms = 60000;
		m->rise = 2;
		m->fall = 6;
		m->drain_s = 3600;
		m->probe_through = -1;
		w->verdict[i] = w->check[i] = VERDICT_OK;
	}
	for (i = 0; i < WORLD_ONIONS; i++) {
		w->o[i].verdict = -1;
		for (k = 0; k < WORLD_TORS; k++)
			w->o[i].seen[k] = -1;
	}
	w->cfg = (struct engine_config){ .tors = w->tors, .n_tors = n_tors, .mirrors = w->mirrors, .n_mirrors = n_mirrors,
		.min_listed = 1, .rotation_spacing_ms = 600000, .max_rotations_per_day = 6 };
}

void
world_free(struct world *w)
{
	engine_free(w->e);
	actions_free(&w->out);
	actions_free(&w->log);
	free(w->pending);
	rng_set_source(NULL);
}

int
world_tor_of(const struct world *w, uint64_t id)
{
	size_t i;

	for (i = 0; i < w->cfg.n_tors; i++)
		if (strcmp(w->tors[i].name, w->o[id].saved.tor) == 0)
			return (int)i;
	return -1;
}

void
world_boot(struct world *w)
{
	size_t i;

	engine_free(w->e);
	w->boots++;
	actions_reset(&w->out);
	w->n_pending = 0;
	memset(w->linked, 0, sizeof w->linked);
	memset(w->fit, 0, sizeof w->fit);
	w->e = engine_new(&w->cfg);
	for (i = 1; i <= w->last_id; i++) {
		w->o[i].flight = w->o[i].warning = false;
		if (w->o[i].known)
			engine_restore(w->e, &w->o[i].saved);
	}
	for (i = 0; i < WORLD_MIRRORS; i++)
		engine_restore_mirror(w->e, w->mirrors[i].name, w->hold[i]);
	engine_start(w->e, w->now, w->serial, w->serial > 0 ? w->now.wall + 86400 : 0, &w->out);
	world_take(w);
}

void
world_compare(struct world *w, unsigned tor)
{
	const char **set = calloc(w->last_id + 1, sizeof *set);
	size_t n = 0, i;

	set[n++] = "foreignforeignforeignforeignforeignforeignforeignforeign";
	for (i = 1; i <= w->last_id; i++)
		if (w->o[i].known && w->o[i].in_tor && world_tor_of(w, i) == (int)tor)
			set[n++] = w->o[i].saved.address;
	w->linked[tor] = true;
	engine_on_detached(w->e, w->now, tor, set, n, &w->out);
	free(set);
	world_take(w);
}

void
world_fit(struct world *w, unsigned tor, bool fit)
{
	w->fit[tor] = fit;
	engine_on_fitness(w->e, w->now, tor, fit, "of a test", &w->out);
	world_take(w);
}

void
world_start(struct world *w)
{
	unsigned i;

	world_boot(w);
	for (i = 0; i < w->cfg.n_tors; i++) {
		world_compare(w, i);
		world_fit(w, i, true);
	}
}

void
world_lose_tor(struct world *w, unsigned tor, bool restart)
{
	size_t i, k = 0;

	for (i = 0; i < w->n_pending; i++) {
		const struct action *a = &w->pending[i].a;

		if ((a->kind == ACTION_ADD_ONION || a->kind == ACTION_DEL_ONION) && world_tor_of(w, a->onion) == (int)tor) {
			if (world_random(2) == 0)
				w->o[a->onion].in_tor = a->kind == ACTION_ADD_ONION;
			continue; /* done or not, its answer is lost */
		}
		w->pending[k++] = w->pending[i];
	}
	w->n_pending = k;
	for (i = 1; restart && i <= w->last_id; i++)
		if (world_tor_of(w, i) == (int)tor)
			w->o[i].in_tor = false;
	w->linked[tor] = w->fit[tor] = false;
	engine_on_tor_lost(w->e, w->now, tor, &w->out);
	world_take(w);
}

static void
remember(struct world *w, const struct action *a)
{
	if (w->log.n == w->log.cap) {
		w->log.cap = w->log.cap == 0 ? 256 : w->log.cap * 2;
		w->log.v = realloc(w->log.v, w->log.cap * sizeof *w->log.v);
	}
	w->log.v[w->log.n++] = *a;
}

static void
queue(struct world *w, const struct action *a)
{
	if (w->n_pending == w->cap_pending) {
		w->cap_pending = w->cap_pending == 0 ? 64 : w->cap_pending * 2;
		w->pending = realloc(w->pending, w->cap_pending * sizeof *w->pending);
	}
	w->pending[w->n_pending].a = *a;
	w->pending[w->n_pending++].epoch = w->o[a->onion].epoch;
}

static void
sign(struct world *w)
{
	uint64_t ids[WORLD_MIRRORS * 4], gone[WORLD_ONIONS];
	const char *hold, *mirrors[WORLD_MIRRORS * 4];
	size_t n = engine_list(w->e, ids, WORLD_MIRRORS * 4, &hold), i, k, t;

	if ((n == 0 && !engine_list_may_be_empty(w->e)) || hold != NULL)
		world_fail(w, "a publication of %zu onions was asked for (%s)", n, hold != NULL ? hold : "no hold");
	for (i = 0; i < n; i++) {
		w->o[ids[i]].flight = true;
		mirrors[i] = w->o[ids[i]].saved.mirror;
		for (k = 0; k < i; k++)
			if (strcmp(mirrors[i], mirrors[k]) == 0)
				world_fail(w, "two onions of %s in one list", mirrors[i]);
		if (w->o[ids[i]].retired)
			world_fail(w, "onion %llu was retired and is listed again", (unsigned long long)ids[i]);
	}
	t = engine_tombstones(w->e, w->now.wall, gone, WORLD_ONIONS);
	for (i = 0; i < t; i++) {
		w->o[gone[i]].retired = true;
		w->o[gone[i]].warning = engine_onion(w->e, gone[i])->revoked;
		if (w->o[gone[i]].flight)
			world_fail(w, "onion %llu is listed and retired", (unsigned long long)gone[i]);
	}
}

/* One action that is not a record to be saved. */
/* An operation ends once; nothing is told of it afterwards. */
static void
check_step(struct world *w, const struct action *a)
{
	size_t i;

	if (a->note != NOTE_STEP || a->op == 0)
		return;
	for (i = 0; i < w->log.n && &w->log.v[i] != a; i++) {
		const struct action *b = &w->log.v[i];

		if (b->kind != ACTION_NOTE || b->note != NOTE_STEP || b->op != a->op)
			continue;
		if (strcmp(b->step, "done") == 0 || strcmp(b->step, "failed") == 0)
			world_fail(w, "step %s of operation %llu, which had %s", a->step, (unsigned long long)a->op, b->step);
	}
}

static void
check_probe(struct world *w, int tor)
{
	unsigned n = 0;
	size_t i;

	for (i = 0; i < w->n_pending; i++)
		n += w->pending[i].a.kind == ACTION_PROBE && w->pending[i].a.through == tor;
	if (n >= 8)
		world_fail(w, "more than 8 probes at a time through one tor");
}

static void
carry_out(struct world *w, const struct action *a)
{
	struct world_onion *o = &w->o[a->onion];
	enum onion_state s = o->saved.state;
	int tor = a->onion != 0 ? world_tor_of(w, a->onion) : -1;

	if (a->onion != 0 && !o->known)
		world_fail(w, "onion %llu is none of ours", (unsigned long long)a->onion);
	switch (a->kind) {
	case ACTION_ADD_ONION:
		if (s > ONION_LISTED || s == ONION_PLANNED || o->shredded)
			world_fail(w, "ADD_ONION in state %s", onion_state_name(s));
		o->epoch++;
		o->oks = 0;
		o->proved = false;
		if (tor < 0 || !w->linked[tor])
			world_fail(w, "ADD_ONION without a link");
		break;
	case ACTION_DEL_ONION:
		if (o->visible || o->flight)
			world_fail(w, "DEL_ONION of %llu, which is in the list (%s)", (unsigned long long)a->onion, onion_state_name(s));
		if (s == ONION_REVOKED && o->saved.tombstone_until > w->now.wall && !o->warned)
			world_fail(w, "DEL_ONION of %llu before readers were warned", (unsigned long long)a->onion);
		if (s == ONION_LEAVING && w->now.wall < o->saved.leave_until)
			world_fail(w, "DEL_ONION %d s before the grace is over", (int)(o->saved.leave_until - w->now.wall));
		if (tor < 0 || !w->linked[tor])
			world_fail(w, "DEL_ONION without a link");
		break;
	case ACTION_SHRED:
		if (s != ONION_GONE && s != ONION_FAILED && s != ONION_REVOKED)
			world_fail(w, "key destroyed in state %s", onion_state_name(s));
		if (s == ONION_REVOKED && o->saved.tombstone_until > w->now.wall && !o->warned)
			world_fail(w, "key of %llu destroyed before readers were warned", (unsigned long long)a->onion);
		if (o->in_tor && tor >= 0 && s != ONION_REVOKED)
			world_fail(w, "key destroyed while tor has the onion");
		o->shredded = true;
		return;
	case ACTION_PROBE: check_probe(w, a->through); break;
	case ACTION_CONTROL:
		if (a->onion != 0 ? tor == a->through || w->o[a->onion].saved.state != ONION_LISTED : a->control >= w->cfg.n_controls)
			world_fail(w, "a control that is none");
		break;
	case ACTION_PUBLISH: sign(w); break;
	case ACTION_NOTE: return;
	case ACTION_FORGET:
		if (!o->shredded || o->in_tor || (o->saved.listed != 0 && o->saved.tombstone_until > w->now.wall))
			world_fail(w, "onion %llu is forgotten too early", (unsigned long long)a->onion);
		o->known = false;
		return;
	case ACTION_CLIENTS:
		if (s != ONION_LEAVING || tor < 0 || !w->linked[tor])
			world_fail(w, "clients looked for in state %s", onion_state_name(s));
		break;
	case ACTION_SAVE:
	case ACTION_SAVE_MIRROR:
	case ACTION_PLAN:
	case ACTION_CHECK:
	case ACTION_COMPARE: break;
	}
	queue(w, a);
}

void
world_take(struct world *w)
{
	struct actions out = w->out;
	size_t i;

	memset(&w->out, 0, sizeof w->out);
	for (i = 0; i < out.n; i++) {
		const struct onion_record *r;

		remember(w, &out.v[i]);
		if (out.v[i].kind == ACTION_NOTE)
			check_step(w, &w->log.v[w->log.n - 1]);
		if (out.v[i].kind == ACTION_SAVE_MIRROR)
			w->hold[out.v[i].mirror] = engine_mirror_hold(w->e, out.v[i].mirror);
		if (out.v[i].kind != ACTION_SAVE)
			continue;
		r = engine_onion(w->e, out.v[i].onion);
		if (r == NULL || !w->o[r->id].known)
			world_fail(w, "a record to be saved that was never planned");
		else
			w->o[r->id].saved = *r;
	}
	for (i = 0; i < out.n; i++)
		if (out.v[i].kind != ACTION_SAVE && out.v[i].kind != ACTION_SAVE_MIRROR)
			carry_out(w, &out.v[i]);
	actions_reset(&out);
	if (w->out.cap == 0)
		w->out = out; /* keep the memory */
	else
		actions_free(&out);
	world_check(w);
}

void
world_check(struct world *w)
{
	uint64_t ids[WORLD_MIRRORS * 4];
	const char *hold;
	size_t n = engine_list(w->e, ids, WORLD_MIRRORS * 4, &hold), i;

	for (i = 0; i < n; i++)
		if (!w->o[ids[i]].proved)
			world_fail(w, "onion %llu may be signed but was not proved since it was added", (unsigned long long)ids[i]);
}
