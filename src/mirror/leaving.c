/* SPDX-License-Identifier: BSD-3-Clause */
/* The end of an onion: its drain, which watches for clients, and the end of its record. */
#include "config.h"
#include "base/mutant.h"
#include "mirror/engine_impl.h"

#include <stdlib.h>

/* How long nobody must have been there: no longer than its drain, which says how much patience is wanted. */
static int64_t
quiet_ms(const struct engine *e, const struct onion *o)
{
	int64_t drain = o->mirror >= 0 ? e->mirrors[o->mirror].cfg.drain_s * 1000 : DRAIN_S * 1000LL;

	return drain < QUIET_MS ? drain : QUIET_MS;
}

/* Whom would it cut off? Asked from a while before the grace ends; what is not known counts as nobody. */
static void
look_for_clients(struct engine *e, struct now now, struct onion *o, struct actions *out)
{
	int64_t every = quiet_ms(e, o) / 2;

	every = every < ANSWER_MS ? ANSWER_MS : every > CLIENTS_MS ? CLIENTS_MS : every;
	if (now.mono < o->next_look) {
		engine_due(e, o->next_look);
		return;
	}
	if (now.mono > o->next_look + every)
		o->look_since = now.mono; /* the first one, or the first after a while without the link */
	o->next_look = now.mono + every;
	engine_due(e, o->next_look);
	action_add(out, ACTION_CLIENTS, o, -1);
}

void
leaving_step(struct engine *e, struct now now, struct onion *o, struct actions *out)
{
	int64_t quiet = o->client_seen + quiet_ms(e, o), hard = o->grace_end + DRAIN_HARD_MS, end;

	/* A retired onion is never added again: when tor has lost it, its time is over. */
	if (MUTANT(12) && o->service == SERVICE_ABSENT && now.mono < o->grace_end) {
		life_add(e, now, o, out);
		return;
	}
	if (o->service == SERVICE_ABSENT) {
		onion_set_state(e, o, now, ONION_GONE, out, now.mono < o->grace_end ? "tor lost it while it drained" : "its drain is over");
		return;
	}
	if (o->service != SERVICE_UP)
		return;
	if (MUTANT(6)) {
		life_delete(o, out);
		return;
	}
	if (now.mono < o->grace_end - QUIET_MS) {
		engine_due(e, o->grace_end - QUIET_MS);
		return;
	}
	look_for_clients(e, now, o, out);
	end = quiet > o->grace_end ? quiet : o->grace_end;
	end = end < o->look_since + ANSWER_MS ? o->look_since + ANSWER_MS : end;
	if (now.mono < end && now.mono < hard) {
		engine_due(e, end < hard ? end : hard);
		return;
	}
	if (now.mono < end)
		note(out, NOTE_DECISION, o, -1, 0, "cut", "clients are still connected %d h after its grace: it goes all the same",
		    (int)(DRAIN_HARD_MS / 3600000));
	life_delete(o, out);
}

void
engine_on_clients(struct engine *e, struct now now, uint64_t onion, int n, struct actions *out)
{
	struct onion *o = onion_find(e, onion);

	if (o == NULL || o->r.state != ONION_LEAVING)
		return;
	if (n > 0)
		o->client_seen = now.mono;
	engine_settle(e, now, out);
}

/* Some tor is with us about the time: a tombstone or a day is not over for a clock that was set wrong. */
static bool
clock_is_agreed(const struct engine *e)
{
	size_t i;

	for (i = 0; i < e->n_tors; i++)
		if (e->tors[i].linked && e->tors[i].fit)
			return true;
	return false;
}

/* Nobody needs its record: no reader can ask for it, and no budget counts it. */
static bool
is_over(const struct engine *e, struct now now, const struct onion *o)
{
	int64_t last = o->r.left > o->r.created ? o->r.left : o->r.created;

	if (o->r.state != ONION_FAILED && (o->r.state != ONION_GONE || o->r.tombstone_until > now.wall))
		return false;
	return o->shredded && !o->dirty && !o->telling && !onion_probing(o) && o->r.op == 0 && now.wall - last >= DAY_MS / 1000 &&
	    clock_is_agreed(e);
}

/* For an hour: a step of the clock shows at once here, and a moment later in what tor is asked. */
void
leaving_forget(struct engine *e, struct now now, struct actions *out)
{
	size_t i, kept = 0;

	for (i = 0; i < e->n_onions; i++) {
		struct onion *o = e->onions[i];

		if (!is_over(e, now, o))
			o->over_since = 0;
		else if (o->over_since == 0)
			o->over_since = now.mono;
		if (o->over_since == 0 || now.mono - o->over_since < FORGET_MS) {
			e->onions[kept++] = o;
			continue;
		}
		action_add(out, ACTION_FORGET, o, -1);
		free(o);
		e->newest->valid = false;
	}
	e->n_onions = kept;
}
