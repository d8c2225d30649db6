/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Revocation: an address that somebody else may hold. What readers must learn
 * goes out first and at once, even as a list with nothing but tombstones: an
 * empty list for a minute harms less than an address that an enemy answers at.
 * Then the service goes, and its key.
 */
#include "config.h"
#include "mirror/engine_impl.h"

static bool
is_untold(const struct onion *o)
{
	return !o->r.announced && (o->r.state == ONION_REVOKED || (o->r.state == ONION_GONE && o->r.revoked));
}

bool
revoke_is_pending(const struct engine *e)
{
	size_t i;

	for (i = 0; i < e->n_onions; i++)
		if (is_untold(e->onions[i]))
			return true;
	return false;
}

bool
engine_list_may_be_empty(const struct engine *e)
{
	size_t i;

	for (i = 0; i < e->n_onions; i++)
		if (e->onions[i]->r.by_hand && is_untold(e->onions[i]))
			return true;
	return false;
}

/* Whatever its state makes of it. The onion's own operation, if any, ends with it. */
static void
revoke(struct engine *e, struct now now, struct onion *o, bool by_hand, uint64_t op, const char *why, struct actions *out)
{
	struct mirror *m = o->mirror >= 0 ? &e->mirrors[o->mirror] : NULL;

	note(out, NOTE_DECISION, o, -1, op, "revoke", "%s: %s", onion_state_name(o->r.state), why);
	if (onion_is_candidate(o)) { /* no reader was ever told of it */
		life_fail(e, now, o, out, "revoked before it was listed");
		if (m != NULL) {
			m->plan_after = 0;
			m->next_revoked = true;
		}
		note(out, NOTE_STEP, o, -1, op, "done", "it was never in a list");
		return;
	}
	if (o->r.state == ONION_LISTED && m != NULL && mirror_listed(e, o->mirror) == o) {
		m->next_revoked = true;
		m->plan_after = 0;
	}
	o->r.revoked = true;
	o->r.by_hand = by_hand;
	o->r.op = op;
	o->revoke_until = now.mono + OP_MS;
	o->r.announced = false;
	o->dirty = true;
	if (o->r.left == 0)
		o->r.left = now.wall;
	if (o->r.state != ONION_GONE)
		onion_set_state(e, o, now, ONION_REVOKED, out, why);
	e->publish_retry_at = 0;
}

static int
ask(struct engine *e, struct now now, struct onion *o, uint64_t op, struct actions *out, struct err *err)
{
	if (o->r.revoked || o->revoke_wanted)
		return err_set(err, ERR_REFUSED, "it is revoked already");
	if (o->r.state == ONION_FAILED || (o->r.state == ONION_GONE && o->r.tombstone_until <= now.wall))
		return err_set(err, ERR_REFUSED, "it is over: no reader can take it for one of ours");
	if (onion_is_candidate(o) && listing_in_flight(e, o)) {
		o->revoke_wanted = true; /* it is listed in a moment, or is not */
		o->revoke_op = op;
	} else {
		revoke(e, now, o, true, op, "by the operator", out);
	}
	engine_settle(e, now, out);
	return 0;
}

int
engine_revoke_onion(struct engine *e, struct now now, uint64_t onion, uint64_t op, struct actions *out, struct err *err)
{
	struct onion *o = onion_find(e, onion);

	return o != NULL ? ask(e, now, o, op, out, err) : err_set(err, ERR_NOTFOUND, "there is no such onion");
}

int
engine_revoke(struct engine *e, struct now now, int mirror, uint64_t op, struct actions *out, struct err *err)
{
	struct onion *o;

	if (mirror_find(e, mirror, err) == NULL)
		return -1;
	o = mirror_listed(e, mirror);
	if (o == NULL)
		o = mirror_candidate(e, mirror);
	if (o == NULL)
		return err_set(err, ERR_REFUSED, "%s has no address now; `onionmirror onions %s` shows those it had", e->mirrors[mirror].cfg.name,
		    e->mirrors[mirror].cfg.name);
	return ask(e, now, o, op, out, err);
}

/* Wrong content and revoke-on-content: nobody's hand, so all that holds for machines holds. */
static void
revoke_content(struct engine *e, struct now now, int mirror, struct actions *out)
{
	struct mirror *m = &e->mirrors[mirror];
	struct onion *o = mirror_listed(e, mirror);

	/* Until it shows what it should: a probe that says nothing in between takes nothing back. */
	if (o == NULL || m->hold != HOLD_NONE || !o->content) {
		m->revoke_wanted = false;
		m->revoke_alarm = false;
		return;
	}
	if (e->mass || listing_count_without(e, o) == 0) {
		if (!m->revoke_alarm)
			note(out, NOTE_ALARM, o, -1, 0, "revoke", "wrong content, but revoking it would leave nothing, or most fail together: revoke it "
			    "by hand if it must be");
		m->revoke_alarm = true;
		return;
	}
	m->revoke_wanted = m->revoke_alarm = false;
	revoke(e, now, o, false, 0, "its content is wrong (revoke-on-content)", out);
}

void
revoke_step(struct engine *e, struct now now, struct actions *out)
{
	size_t i;

	for (i = 0; i < e->n_onions; i++) {
		struct onion *o = e->onions[i];

		if (!o->revoke_wanted || (onion_is_candidate(o) && listing_in_flight(e, o)))
			continue;
		o->revoke_wanted = false;
		if (o->r.state == ONION_FAILED)
			note(out, NOTE_STEP, o, -1, o->revoke_op, "done", "it was never in a list");
		else
			revoke(e, now, o, true, o->revoke_op, "by the operator", out);
	}
	for (i = 0; i < e->n_onions; i++) {
		struct onion *o = e->onions[i];

		if (o->r.op == 0 || !o->r.revoked)
			continue;
		if (now.mono < o->revoke_until) {
			engine_due(e, o->revoke_until);
			continue;
		}
		note(out, NOTE_STEP, o, -1, o->r.op, "failed", o->r.announced ? "readers are warned, its key is destroyed; its tor is away and is told "
		    "when it is back" : "no list can be published; the warning goes out with the next one");
		o->r.op = 0;
	}
	for (i = 0; i < e->n_mirrors; i++)
		if (e->mirrors[i].revoke_wanted)
			revoke_content(e, now, (int)i, out);
}

void
revoke_begin(struct engine *e)
{
	size_t i;

	for (i = 0; i < e->n_onions; i++)
		e->onions[i]->telling = is_untold(e->onions[i]);
}

void
revoke_published(struct engine *e, bool ok, struct actions *out)
{
	size_t i;

	for (i = 0; i < e->n_onions; i++) {
		struct onion *o = e->onions[i];

		if (!o->telling)
			continue;
		o->telling = false;
		if (!ok)
			continue;
		o->r.announced = o->dirty = true;
		note(out, NOTE_STEP, o, -1, o->r.op, "revoked", "readers of the list are warned");
		if (o->r.state == ONION_GONE) {
			note(out, NOTE_STEP, o, -1, o->r.op, "done", "%s", "");
			o->r.op = 0;
		}
	}
}
