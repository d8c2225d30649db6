/* SPDX-License-Identifier: BSD-3-Clause */
/* The life of one onion: what its state makes due. Commands only while the link is up. */
#include "config.h"
#include "base/mutant.h"
#include "mirror/engine_impl.h"

#include <stdio.h>

#define SHRED_RETRY_MS 60000

/* Onions of one tor whose uploads are under way: more at once and tor loses them all. */
void
life_count_batches(struct engine *e)
{
	size_t i;

	for (i = 0; i < e->n_tors; i++)
		e->tors[i].batch = 0;
	for (i = 0; i < e->n_onions; i++) {
		const struct onion *o = e->onions[i];

		if (o->tor >= 0 && (o->service == SERVICE_ADDING || (o->service == SERVICE_UP && !o->settled)))
			e->tors[o->tor].batch++;
	}
}

void
life_add(struct engine *e, struct now now, struct onion *o, struct actions *out)
{
	if (now.mono < o->next_add) {
		engine_due(e, o->next_add);
		return;
	}
	if (e->tors[o->tor].batch >= BATCH && !MUTANT(9))
		return; /* the next upload that ends brings us back here */
	e->tors[o->tor].batch++;
	if (onion_is_candidate(o))
		onion_set_state(e, o, now, ONION_ADDING, out, "");
	/* Whatever was proved was proved of the service before this one. */
	o->r.proved = false;
	o->dirty = true;
	if (o->readded) /* what counted against it goes on to count */
		sight_outdate(o);
	else
		sight_forget(o);
	o->settled = false;
	uploads_begin(o);
	o->service = SERVICE_ADDING;
	action_add(out, ACTION_ADD_ONION, o, -1)->command = ++o->command;
}

void
life_delete(struct onion *o, struct actions *out)
{
	o->service = SERVICE_DELETING;
	action_add(out, ACTION_DEL_ONION, o, -1)->command = ++o->command;
}

/* No upload came through: take it away and add it again, or give it up. */
static void
upload_deadline(struct engine *e, struct now now, struct onion *o, struct actions *out)
{
	if (!onion_fit(e, o))
		return; /* the clock of this deadline stands still while our side is not fit */
	if (now.mono < o->since + UPLOAD_DEADLINE_MS) {
		engine_due(e, o->since + UPLOAD_DEADLINE_MS);
		return;
	}
	o->settled = true;
	engine_due(e, now.mono); /* its place in the batch is free: look at everybody again */
	if (o->r.state != ONION_UPLOADING)
		return;
	if (o->adds >= ADD_TRIES) {
		life_fail(e, now, o, out, "no descriptor could be uploaded");
		return;
	}
	note(out, NOTE_DECISION, o, -1, o->r.op, "again", "no descriptor uploaded in %d s: DEL_ONION and ADD_ONION again",
	    UPLOAD_DEADLINE_MS / 1000);
	life_delete(o, out);
}

static void
shred(struct engine *e, struct now now, struct onion *o, struct actions *out)
{
	if (o->shredded)
		return;
	if (now.mono < o->next_shred) {
		engine_due(e, o->next_shred);
		return;
	}
	o->shredded = true;
	action_add(out, ACTION_SHRED, o, -1);
}

void
engine_on_shred_failed(struct engine *e, struct now now, uint64_t onion, struct actions *out)
{
	struct onion *o = onion_find(e, onion);

	if (o == NULL)
		return;
	o->shredded = false;
	o->next_shred = now.mono + SHRED_RETRY_MS;
	engine_settle(e, now, out);
}

/* Everything over: off tor, then the key goes. */
static void
bury(struct engine *e, struct now now, struct onion *o, struct actions *out)
{
	if (o->service == SERVICE_UP)
		life_delete(o, out);
	else if (o->service == SERVICE_ABSENT)
		shred(e, now, o, out);
}

void
life_fail(struct engine *e, struct now now, struct onion *o, struct actions *out, const char *why)
{
	struct mirror *m = o->mirror >= 0 ? &e->mirrors[o->mirror] : NULL;

	onion_set_state(e, o, now, ONION_FAILED, out, why);
	note(out, NOTE_STEP, o, -1, o->r.op, "failed", "%s", why);
	if (o->mirror >= 0 && mirror_listed(e, o->mirror) != NULL)
		note(out, NOTE_DECISION, o, -1, o->r.op, "not-replaced", "the new address failed (%s); the old one stays", why);
	if (m != NULL)
		plan_later(e, now, m);
	rotate_ended(e, o, false, out);
}

/* DEL_ONION done, key destroyed: the end of whoever asked for it. */
static void
revoked(struct engine *e, struct now now, struct onion *o, struct actions *out)
{
	onion_set_state(e, o, now, ONION_GONE, out, "revoked");
	note(out, NOTE_STEP, o, -1, o->r.op, "done", "%s", "");
	o->r.op = 0;
}

static void
gone_without_tor(struct engine *e, struct now now, struct onion *o, struct actions *out)
{
	note(out, NOTE_STEP, o, -1, o->r.op, "done", "its tor was removed from the configuration");
	onion_set_state(e, o, now, ONION_GONE, out, "its tor was removed from the configuration");
	o->r.op = 0;
}

/* Too few descriptors arrived, or the HSDirs lost them: the same key once more. tor has no gentler way that helps readers all day. */
static void
repair(struct engine *e, struct now now, struct onion *o, struct actions *out)
{
	bool few = uploads_step(e, now, o);

	if (o->fails == 0)
		o->readded = false;
	/* What readers are sent to is not taken away, however briefly: if it doesn't answer it is out of the list first. */
	if (o->service != SERVICE_UP || o->r.state == ONION_READY || o->r.in_list || listing_in_flight(e, o))
		return;
	if (uploads_are_lost(e, o)) {
		o->readded = true;
		note(out, NOTE_DECISION, o, -1, 0, "again", "no HSDir has its descriptor: DEL_ONION and ADD_ONION again before it is given up");
	} else if (few) {
		note(out, NOTE_DECISION, o, -1, o->r.op, "again", "only %u of %u uploads arrived: DEL_ONION and ADD_ONION again", o->uploads,
		    o->uploads_started);
	} else {
		return;
	}
	life_delete(o, out);
}

/* Ready for long (a spare, or the list can't be published): what was proved then may not hold now. */
static void
prove_again(struct engine *e, struct now now, struct onion *o, struct actions *out)
{
	int64_t window = e->mirrors[o->mirror].cfg.interval_ms * (mirror_is_held(e, o->mirror) ? 1 : 2);

	if (o->service != SERVICE_UP || !onion_fit(e, o))
		return;
	if (now.mono < o->proved_mono + window) {
		engine_due(e, o->proved_mono + window);
		return;
	}
	o->r.proved = false;
	sight_forget(o);
	o->next_probe = now.mono;
	onion_set_state(e, o, now, ONION_PROVING, out, "proved too long ago");
}

/* Its tor is no longer configured: nothing can be asked of it, and nobody waits for an answer. */
static void
without_tor(struct engine *e, struct now now, struct onion *o, struct actions *out)
{
	if (onion_is_candidate(o))
		life_fail(e, now, o, out, "its tor was removed from the configuration");
	if (o->r.state == ONION_LEAVING && now.mono < o->grace_end)
		engine_due(e, o->grace_end);
	else if (o->r.state == ONION_LEAVING || (o->r.state == ONION_REVOKED && !o->r.in_list && o->r.announced))
		gone_without_tor(e, now, o, out);
	if (o->r.state == ONION_GONE || o->r.state == ONION_FAILED)
		shred(e, now, o, out);
}

void
life_step(struct engine *e, struct now now, struct onion *o, struct actions *out)
{
	/* What is being made visible can't be taken back: it becomes listed, or not, first. */
	if (onion_is_candidate(o) && listing_in_flight(e, o))
		return;
	/* A candidate whose mirror is no longer configured has nothing to become. */
	if (onion_is_candidate(o) && o->mirror < 0)
		life_fail(e, now, o, out, "its mirror was removed from the configuration");
	if (onion_is_candidate(o) && o->mirror >= 0 && e->mirrors[o->mirror].hold == HOLD_DRAINED)
		life_fail(e, now, o, out, "its mirror was drained");
	if (onion_is_candidate(o) && o->mirror >= 0 && mirror_candidate(e, o->mirror) != o)
		life_fail(e, now, o, out, "a newer candidate took its place");
	if (onion_is_candidate(o) && place_gives_up(e, now, o))
		life_fail(e, now, o, out, "its tor stays away");
	if (o->tor < 0) {
		without_tor(e, now, o, out);
		return;
	}
	if (o->r.state == ONION_REVOKED && o->r.announced && !o->r.in_list)
		shred(e, now, o, out); /* nothing needs the key, with or without the link */
	if (!onion_linked(e, o) && o->r.state != ONION_GONE && o->r.state != ONION_FAILED)
		return;
	switch (o->r.state) {
	case ONION_PLANNED:
	case ONION_ADDING:
		if (o->service == SERVICE_ABSENT)
			life_add(e, now, o, out);
		break;
	case ONION_READY:
		if (o->service == SERVICE_UP && !o->r.proved) { /* tor had lost it, and has it again */
			onion_set_state(e, o, now, ONION_PROVING, out, "to be proved again");
			o->next_probe = now.mono;
			break;
		}
		prove_again(e, now, o, out);
		/* fall through */
	case ONION_UPLOADING:
	case ONION_PROVING:
	case ONION_LISTED:
		repair(e, now, o, out);
		/* What is retired in this very turn is not added again. */
		if (o->service == SERVICE_ABSENT && !listing_leaves_now(e, o))
			life_add(e, now, o, out);
		break;
	case ONION_LEAVING:
		leaving_step(e, now, o, out);
		break;
	case ONION_REVOKED:
		if ((o->r.in_list || !o->r.announced) && !MUTANT(29))
			break; /* its tombstone first */
		if (o->service == SERVICE_UP)
			life_delete(o, out);
		else if (o->service == SERVICE_ABSENT)
			revoked(e, now, o, out);
		break;
	case ONION_GONE:
	case ONION_FAILED:
		if (onion_linked(e, o))
			bury(e, now, o, out);
		break;
	case ONION__STATES: break;
	}
	/* Also of what leaves or waits for its warning: no place in the batch is kept for ever. */
	if (o->service == SERVICE_UP && !o->settled)
		upload_deadline(e, now, o, out);
	/* Gone in this very step: the key need not wait for another event. */
	if (o->r.state == ONION_GONE && onion_linked(e, o))
		bury(e, now, o, out);
}
