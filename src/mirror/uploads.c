/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where the descriptors of an onion went: each upload is followed by HSDir and
 * descriptor. One that dies in the network gives no event, so silence counts.
 */
#include "config.h"
#include "mirror/engine_impl.h"

#include <stdio.h>
#include <string.h>

unsigned
uploads_count(const struct onion *o, enum upload_state s)
{
	unsigned n = 0;
	size_t i;

	for (i = 0; i < o->up.n; i++)
		n += o->up.v[i].state == s;
	return n;
}

static void
count(struct onion *o)
{
	o->uploads_started = (unsigned)o->up.n;
	o->uploads = uploads_count(o, UPLOAD_DONE);
}

void
uploads_begin(struct onion *o)
{
	o->up.n = 0;
	o->up.judged = o->up.enough = false;
	count(o);
}

static void
drop(struct uploads *u, size_t i)
{
	memmove(&u->v[i], &u->v[i + 1], (u->n - i - 1) * sizeof *u->v);
	u->n--;
}

/* A descriptor that neither of the newest two is has run out: tor keeps two alive. */
static void
drop_old_descriptors(struct uploads *u)
{
	const char *a = u->v[u->n - 1].descid, *b = NULL;
	char kept[2][65];
	size_t i;

	for (i = u->n; i-- > 0 && b == NULL;)
		if (strcmp(u->v[i].descid, a) != 0)
			b = u->v[i].descid;
	snprintf(kept[0], sizeof kept[0], "%s", a);
	snprintf(kept[1], sizeof kept[1], "%s", b != NULL ? b : a);
	for (i = u->n; i-- > 0;)
		if (strcmp(u->v[i].descid, kept[0]) != 0 && strcmp(u->v[i].descid, kept[1]) != 0)
			drop(u, i);
}

/* A new one stands behind all others, so the table is ordered by time. */
static void
begun(struct onion *o, struct now now, const char *hsdir, const char *descid)
{
	struct uploads *u = &o->up;
	struct upload *x;
	size_t i;

	for (i = 0; i < u->n; i++)
		if (strcmp(u->v[i].hsdir, hsdir) == 0 && strcmp(u->v[i].descid, descid) == 0) {
			drop(u, i); /* the same again */
			break;
		}
	if (u->n == UPLOADS_KEPT)
		drop(u, 0);
	x = &u->v[u->n++];
	snprintf(x->hsdir, sizeof x->hsdir, "%s", hsdir);
	snprintf(x->descid, sizeof x->descid, "%s", descid);
	x->state = UPLOAD_STARTED;
	x->at = now.mono;
	drop_old_descriptors(u);
}

/* descid "": the oldest of that HSDir that is still waited for; a silent one may have been only late. */
static void
ended(struct onion *o, const char *hsdir, const char *descid, enum upload_state s)
{
	static const enum upload_state from[] = { UPLOAD_STARTED, UPLOAD_SILENT };
	size_t i, k;

	for (k = 0; k < 2; k++)
		for (i = 0; i < o->up.n; i++) {
			struct upload *x = &o->up.v[i];

			if (x->state != from[k] || strcmp(x->hsdir, hsdir) != 0 || (descid[0] != '\0' && strcmp(x->descid, descid) != 0))
				continue;
			x->state = s;
			return;
		}
	/* None of this service: the answer to one before it, the same key at the same HSDirs, comes late. */
}

/* Of both descriptors something is on its way, and three in four uploads have arrived. */
static bool
are_enough(const struct onion *o)
{
	bool both = false;
	size_t i;

	for (i = 1; i < o->up.n; i++)
		both = both || strcmp(o->up.v[i].descid, o->up.v[0].descid) != 0;
	return both && o->uploads * 4 >= o->uploads_started * 3;
}

/*
 * tor asks each of six HSDirs once in 15 min, and is silent when none of them
 * had the descriptor: a probe that comes with the first upload may use them all
 * up, and what is well is not proved in time. With three of four uploads, whichever
 * of the two descriptors is asked for, two of the six have it at least.
 */
static void
time_first_probe(struct onion *o, struct now now, unsigned before)
{
	if (before == 0 && o->uploads > 0)
		o->next_probe = now.mono + UPLOADS_WAIT_MS;
	if (!o->up.enough && are_enough(o)) {
		o->up.enough = true;
		o->next_probe = now.mono;
	}
}

void
engine_on_descriptor(struct engine *e, struct now now, const char *address, enum desc_event ev, const char *hsdir, const char *descid,
    struct actions *out)
{
	struct onion *o = onion_find_address(e, address);
	unsigned before;

	if (o == NULL || (o->service != SERVICE_UP && o->service != SERVICE_ADDING))
		return;
	before = o->uploads;
	switch (ev) {
	case DESC_UPLOAD: begun(o, now, hsdir, descid); break;
	case DESC_UPLOADED: ended(o, hsdir, descid, UPLOAD_DONE); break;
	case DESC_UPLOAD_FAILED: ended(o, hsdir, descid, UPLOAD_FAILED); break;
	}
	count(o);
	if (ev == DESC_UPLOADED && !o->settled) {
		o->adds = 0;
		if (o->uploads != before && (o->uploads == 1 || o->uploads % 4 == 0))
			note(out, NOTE_STEP, o, -1, o->r.op, "uploaded", "%u of %u uploads", o->uploads, UPLOADS_WANTED);
		o->settled = o->uploads >= UPLOADS_WANTED;
		time_first_probe(o, now, before);
	}
	if (o->uploads > 0 && o->r.state == ONION_UPLOADING)
		onion_set_state(e, o, now, ONION_PROVING, out, "first descriptor uploaded");
	engine_settle(e, now, out);
}

/*
 * Enough are half of those begun: UPLOADED does not say which of the two
 * descriptors it was, so with fewer the one that clients ask for now may be
 * nowhere. What is proved through Tor needs no repair, whatever was counted.
 */
bool
uploads_step(struct engine *e, struct now now, struct onion *o)
{
	bool waiting = false;
	size_t i;

	for (i = 0; i < o->up.n; i++) {
		struct upload *x = &o->up.v[i];

		if (x->state != UPLOAD_STARTED)
			continue;
		if (now.mono >= x->at + SILENT_MS) {
			x->state = UPLOAD_SILENT;
			continue;
		}
		waiting = true;
		engine_due(e, x->at + SILENT_MS);
	}
	if (o->up.judged || !onion_fit(e, o))
		return false;
	if (now.mono < o->added_mono + UPLOAD_DEADLINE_MS) {
		engine_due(e, o->added_mono + UPLOAD_DEADLINE_MS); /* the second descriptor may come later */
		return false;
	}
	if (waiting)
		return false;
	o->up.judged = true;
	if (o->r.proved || o->uploads == 0 || o->uploads * 2 >= o->uploads_started || o->up.repairs >= REPAIRS)
		return false;
	o->up.repairs++;
	return true;
}

bool
uploads_are_lost(const struct engine *e, const struct onion *o)
{
	/* Its own tor must see well: through it alone it is proved again. */
	return o->r.state == ONION_LISTED && o->delisted && !o->r.in_list && !o->readded && o->mirror >= 0 && sight_counts(e, &o->sight[0]) &&
	    o->fails >= e->mirrors[o->mirror].cfg.fall && o->last == VERDICT_NO_DESCRIPTOR && o->service == SERVICE_UP &&
	    onion_fit(e, o) && !e->mass && !mirror_is_held(e, o->mirror);
}
