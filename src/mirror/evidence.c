/* SPDX-License-Identifier: BSD-3-Clause */
/* What a decision rests on, in words: for history, so that it can be asked about later. */
#include "config.h"
#include "base/buf.h"
#include "mirror/engine_impl.h"

#include <stdio.h>
#include <string.h>

void
evidence_heard(struct onion *o, struct now now, enum verdict v)
{
	memmove(&o->heard[1], &o->heard[0], (HEARD - 1) * sizeof o->heard[0]);
	o->heard[0].wall = now.wall;
	o->heard[0].v = v;
	o->heard[0].kept = false;
	if (o->n_heard < HEARD)
		o->n_heard++;
}

static void
add_verdicts(struct buf *b, struct now now, const struct onion *o)
{
	size_t i;

	buf_addf(b, "probes, newest first:%s", o->n_heard == 0 ? " none" : "");
	for (i = 0; i < o->n_heard; i++)
		buf_addf(b, "%s %s%s %lld s ago", i > 0 ? "," : "", verdict_name(o->heard[i].v), o->heard[i].kept ? " (by a kept descriptor)" : "",
		    (long long)(now.wall - o->heard[i].wall));
	buf_addf(b, "; in a row: %u ok, %u failed\n", o->oks, o->fails);
}

static void
add_uploads(struct buf *b, const struct onion *o)
{
	buf_addf(b, "onion %llu is %s, planned as %s; uploads: %u of %u, %u failed, %u silent\n", (unsigned long long)o->r.id,
	    onion_state_name(o->r.state), onion_cause_name(o->r.cause), o->uploads, o->uploads_started, uploads_count(o, UPLOAD_FAILED),
	    uploads_count(o, UPLOAD_SILENT));
}

static void
add_backend(struct buf *b, struct now now, const struct mirror *m)
{
	if (m->backend_at == 0)
		buf_addf(b, "backend: not looked at yet");
	else
		buf_addf(b, "backend: %s, looked at %lld s ago", verdict_name(m->backend), (long long)(now.mono - m->backend_at) / 1000);
	if (m->hold != HOLD_NONE)
		buf_addf(b, "; by hand: %s", mirror_hold_name(m->hold));
	buf_addf(b, "\n");
}

static void
add_tor(struct buf *b, struct now now, const struct tor_side *t)
{
	buf_addf(b, "tor %s: %s, %s", t->cfg.name, t->linked ? "linked" : "not linked", t->fit ? "fit to judge" : "not fit to judge");
	if (!t->fit)
		buf_addf(b, " for %lld s", (long long)(now.mono - t->unfit_since) / 1000);
	buf_addf(b, "\n");
}

static void
add_list(struct buf *b, const struct engine *e, struct now now)
{
	const char *hold;
	size_t n = engine_list(e, NULL, 0, &hold), i, in_list = 0;

	for (i = 0; i < e->n_onions; i++)
		in_list += e->onions[i]->r.in_list;
	buf_addf(b, "list: serial %llu holds %zu, the next one %zu, min-listed %u%s%s\n", (unsigned long long)e->serial, in_list, n,
	    e->min_listed, hold != NULL ? "; held: " : "", hold != NULL ? hold : "");
	if (e->panic)
		buf_addf(b, "panic: %s\n", e->panic_why);
	buf_addf(b, "budget: %u of %u automatic rotations in a day\n", rotate_today(e, now), e->max_rotations_per_day);
}

void
engine_evidence(const struct engine *e, struct now now, uint64_t onion, int mirror, char *out, size_t n)
{
	const struct onion *o = onion_find(e, onion);
	struct buf b = BUF_INIT(4096);
	int tor;

	if (o != NULL && o->mirror >= 0)
		mirror = o->mirror;
	if (o != NULL) {
		add_verdicts(&b, now, o);
		add_uploads(&b, o);
	}
	if (mirror >= 0 && (size_t)mirror < e->n_mirrors) {
		add_backend(&b, now, &e->mirrors[mirror]);
		tor = o != NULL && o->tor >= 0 ? o->tor : place_of(e, mirror);
		if (tor >= 0)
			add_tor(&b, now, &e->tors[tor]);
	}
	add_list(&b, e, now);
	snprintf(out, n, "%s", buf_str(&b));
	buf_free(&b);
}
