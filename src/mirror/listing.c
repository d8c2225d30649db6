/* SPDX-License-Identifier: BSD-3-Clause */
/* What the next list holds, when it is signed, and what follows once it is visible. */
#include "config.h"
#include "base/mem.h"
#include "base/mutant.h"
#include "base/rng.h"
#include "mirror/engine_impl.h"

#include <stdlib.h>
#include <string.h>

/* Proved, and there: after a restart of ours, or without the link, nobody knows. */
static bool
is_ready(const struct engine *e, const struct onion *o)
{
	return o->r.state == ONION_READY && !mirror_is_held(e, o->mirror) && o->r.proved && o->service == SERVICE_UP;
}

/* Its mirror has a proved successor: the next list holds that one instead. */
static bool
is_replaced(const struct engine *e, const struct onion *o)
{
	const struct onion *c = mirror_candidate(e, o->mirror);

	return (c != NULL && is_ready(e, c)) || mirror_listed(e, o->mirror) != o;
}

bool
listing_wants(const struct engine *e, const struct onion *o)
{
	if (o->mirror < 0 || !o->r.proved || mirror_is_held(e, o->mirror))
		return false;
	if (is_ready(e, o))
		return true;
	return o->r.state == ONION_LISTED && !o->delisted && !is_replaced(e, o);
}

size_t
listing_count_without(const struct engine *e, const struct onion *o)
{
	size_t i, n = 0;

	for (i = 0; i < e->n_onions; i++)
		n += e->onions[i] != o && listing_wants(e, e->onions[i]);
	return n;
}

/* In the list, added again and neither proved again nor given up (delisting looks at panic and min-listed). */
static bool
is_being_proved_again(const struct engine *e, const struct onion *o)
{
	return o->r.state == ONION_LISTED && o->r.in_list && o->mirror >= 0 && !o->r.proved && !o->delisted &&
	    !mirror_is_held(e, o->mirror) && !is_replaced(e, o);
}

size_t
listing_count_left(const struct engine *e, const struct onion *o)
{
	size_t n = listing_count_without(e, o), i;

	for (i = 0; i < e->n_onions; i++)
		n += e->onions[i] != o && is_being_proved_again(e, e->onions[i]);
	return n;
}

size_t
engine_list(const struct engine *e, uint64_t *ids, size_t cap, const char **hold)
{
	bool waiting = false;
	size_t i, n = 0;

	for (i = 0; i < e->n_onions; i++) {
		if (is_being_proved_again(e, e->onions[i]))
			waiting = true;
		if (!listing_wants(e, e->onions[i]))
			continue;
		if (n < cap)
			ids[n] = e->onions[i]->r.id;
		n++;
	}
	*hold = NULL;
	/* Readers are warned at once; whoever is not proved comes back when he is. */
	if (revoke_is_pending(e) && (n > 0 || engine_list_may_be_empty(e)))
		return n;
	if (waiting)
		*hold = "an address that was added to tor again must be proved first";
	else if (n == 0)
		*hold = "no address is proved, and the list is never empty";
	return n;
}

/* Out of the list for good: a successor took its place, its mirror was drained or is gone. */
static bool
is_over(const struct engine *e, const struct onion *o)
{
	return o->mirror < 0 || e->mirrors[o->mirror].hold == HOLD_DRAINED || mirror_listed(e, o->mirror) != o;
}

bool
listing_leaves_now(const struct engine *e, const struct onion *o)
{
	const char *hold;

	if (o->r.state != ONION_LISTED || (!is_over(e, o) && !is_replaced(e, o)))
		return false;
	if (e->publish_backoff != 0 && !e->publishing)
		return false; /* the last list could not be written: it stays in that of before until the next try */
	engine_list(e, NULL, 0, &hold);
	return hold == NULL;
}

size_t
engine_tombstones(const struct engine *e, int64_t wall, uint64_t *ids, size_t cap)
{
	size_t i, n = 0;

	for (i = 0; i < e->n_onions; i++) {
		const struct onion *o = e->onions[i];
		bool leaving = o->r.state == ONION_LISTED && (is_over(e, o) || is_replaced(e, o));

		if (MUTANT(5) || o->r.tombstone_until <= wall || o->r.listed == 0)
			continue;
		if (!leaving && o->r.state != ONION_LEAVING && o->r.state != ONION_REVOKED && o->r.state != ONION_GONE)
			continue;
		if (n < cap)
			ids[n] = o->r.id;
		n++;
	}
	return n;
}

static bool
has_changed(const struct engine *e)
{
	size_t i;

	for (i = 0; i < e->n_onions; i++) {
		const struct onion *o = e->onions[i];

		if (listing_wants(e, o) != o->r.in_list)
			return true;
		/* Out of the list already, now for good: its tombstone is to be seen. */
		if (o->r.state == ONION_LISTED && is_over(e, o))
			return true;
	}
	return revoke_is_pending(e);
}

/* A token for a publication: a full bucket lets a burst of changes through, a loop of them not. */
static bool
take_token(struct engine *e, struct now now)
{
	int64_t minutes = (now.mono - e->bucket_at) / PUBLISH_REFILL_MS;

	if (minutes > 0) {
		e->bucket = e->bucket + (uint64_t)minutes > PUBLISH_BUCKET ? PUBLISH_BUCKET : e->bucket + (unsigned)minutes;
		e->bucket_at += minutes * PUBLISH_REFILL_MS;
	}
	if (e->bucket == 0) {
		engine_due(e, e->bucket_at + PUBLISH_REFILL_MS);
		return false;
	}
	e->bucket--;
	return true;
}

void
publish_ended(struct engine *e, uint64_t op, bool ok, const char *why, struct actions *out)
{
	if (op == 0)
		return;
	if (ok)
		note(out, NOTE_STEP, NULL, -1, op, "published", "serial %llu", (unsigned long long)e->serial);
	note(out, NOTE_STEP, NULL, -1, op, ok ? "done" : "failed", "%s", why);
}

/* An operator who saw that most fail together asked for a new address, and it is proved. */
static bool
is_rotated_by_hand(const struct engine *e)
{
	size_t i;

	for (i = 0; e->mass && i < e->n_onions; i++)
		if (is_ready(e, e->onions[i]) && e->onions[i]->r.cause == CAUSE_OPERATOR)
			return true;
	return false;
}

/*
 * An onion to be proved again must not hold every list back, be its tor away or
 * the onion failing, busy or kept by min-listed: after a while the list does
 * without it, while min-listed holds, and after a long while in any case, unless
 * nothing would be left, or most fail together (then the list stays as it is,
 * until a new address that an operator asked for is proved: at once then).
 */
static void
give_up_waiting(struct engine *e, struct now now, struct actions *out)
{
	size_t floor = e->min_listed > 1 ? e->min_listed : 1, others, i;
	bool by_hand = is_rotated_by_hand(e), held;
	int64_t limit;

	for (i = 0; i < e->n_onions; i++) {
		struct onion *o = e->onions[i];

		held = !by_hand && onion_fit(e, o) && o->service == SERVICE_UP && control_holds(e, now, o);
		if (!is_being_proved_again(e, o) || held || (others = listing_count_without(e, o)) == 0) {
			o->held_since = 0;
			continue;
		}
		if (o->held_since == 0)
			o->held_since = now.mono;
		limit = o->held_since + (by_hand ? 0 : others >= floor ? HOLD_MS : HOLD_LONG_MS);
		if (now.mono < limit) {
			engine_due(e, limit);
			continue;
		}
		o->delisted = true;
		note(out, NOTE_ALARM, o, -1, 0, "waited", "not proved again for %lld min%s: out of the list, so that it can be renewed",
		    (long long)(now.mono - o->held_since) / 60000, by_hand ? ", and a new address that was asked for is" : "");
	}
}

const char *
engine_take_list(struct engine *e)
{
	const char *hold;
	size_t n = engine_list(e, NULL, 0, &hold);

	free(e->flight);
	e->flight = xcalloc(n + 1, sizeof *e->flight);
	e->n_flight = engine_list(e, e->flight, n, &hold);
	revoke_begin(e);
	return hold;
}

void
listing_step(struct engine *e, struct now now, struct actions *out)
{
	struct action *a;
	const char *hold;

	give_up_waiting(e, now, out);
	if (now.mono < e->renew_at)
		engine_due(e, e->renew_at);
	if (e->publishing || (!e->publish_wanted && now.mono < e->renew_at && !has_changed(e)))
		return;
	engine_list(e, NULL, 0, &hold);
	if (hold != NULL) {
		/* Whatever lifts the hold brings us here; but nobody is left waiting for it. */
		publish_ended(e, e->publish_op, false, hold, out);
		e->publish_op = 0;
		return;
	}
	if (now.mono < e->publish_retry_at) {
		engine_due(e, e->publish_retry_at);
		return;
	}
	if (!take_token(e, now))
		return;
	engine_take_list(e);
	e->publishing = true;
	e->publish_wanted = false;
	a = action_add(out, ACTION_PUBLISH, NULL, -1);
	a->op = e->flight_op = e->publish_op;
	e->publish_op = 0;
}

bool
listing_in_flight(const struct engine *e, const struct onion *o)
{
	size_t i;

	for (i = 0; e->publishing && i < e->n_flight; i++)
		if (e->flight[i] == o->r.id)
			return true;
	return false;
}

static void
now_listed(struct engine *e, struct now now, struct onion *o, struct actions *out)
{
	bool was = o->r.in_list;

	o->r.in_list = true;
	o->dirty = o->dirty || !was;
	if (o->r.state != ONION_READY)
		return;
	onion_set_state(e, o, now, ONION_LISTED, out, "");
	o->r.listed = now.wall;
	sight_forget(o);
	o->sight[0].last_fresh = o->sight[1].last_fresh = now.mono;
	if (o->mirror >= 0)
		e->mirrors[o->mirror].was_listed = true;
	if (o->mirror >= 0)
		o->next_probe = now.mono + rng_jitter(e->mirrors[o->mirror].cfg.interval_ms, 25);
	onion_set_age(e, now, o);
	rotate_ended(e, o, true, out);
}

static void
now_leaving(struct engine *e, struct now now, struct onion *o, struct actions *out)
{
	int64_t drain = o->mirror >= 0 ? e->mirrors[o->mirror].cfg.drain_s : DRAIN_S;

	onion_set_state(e, o, now, ONION_LEAVING, out, "retired in the list, still answering");
	o->r.left = now.wall;
	o->r.leave_until = now.wall + drain;
	o->grace_end = now.mono + drain * 1000;
	o->client_seen = now.mono - QUIET_MS;
}

void
listing_retire(struct engine *e, struct now now, struct actions *out)
{
	size_t i;

	for (i = 0; i < e->n_onions; i++) {
		struct onion *o = e->onions[i];

		if (o->r.state == ONION_LISTED && !o->r.in_list && is_over(e, o))
			now_leaving(e, now, o, out);
	}
}

void
engine_on_published(struct engine *e, struct now now, bool ok, uint64_t serial, int64_t valid_until, struct actions *out)
{
	uint64_t op = e->flight_op;
	size_t i;

	e->flight_op = 0;
	if (!ok) {
		e->publishing = false;
		e->publish_wanted = true; /* whoever asked for it: the alarm stands until one comes through */
		if (e->publish_backoff == 0)
			note(out, NOTE_ALARM, NULL, -1, 0, "publish", "the list could not be published; it stays as it is, trying again");
		e->publish_backoff = e->publish_backoff == 0 ? PUBLISH_RETRY_MS : e->publish_backoff * 2;
		if (e->publish_backoff > PUBLISH_RETRY_MAX_MS)
			e->publish_backoff = PUBLISH_RETRY_MAX_MS;
		e->publish_retry_at = now.mono + e->publish_backoff;
		publish_ended(e, op, false, "could not be published", out);
		revoke_published(e, false, out);
		policy_published(e, false, out);
		engine_settle(e, now, out);
		return;
	}
	if (e->publish_backoff != 0)
		note(out, NOTE_DECISION, NULL, -1, 0, "publish-back", "the list can be published again");
	e->publish_backoff = e->publish_retry_at = 0;
	e->serial = serial;
	e->valid_until = valid_until;
	e->renew_at = now.mono + (RENEW_S - (int64_t)rng_below(RENEW_JITTER_S)) * 1000;
	/* A root may allow heads so short that half their life comes first. */
	if (valid_until > now.wall && e->renew_at > now.mono + (valid_until - now.wall) * 500)
		e->renew_at = now.mono + (valid_until - now.wall) * 500;
	if (MUTANT(24))
		e->renew_at = NEVER;
	for (i = 0; i < e->n_onions; i++) {
		struct onion *o = e->onions[i];

		if (listing_in_flight(e, o)) {
			now_listed(e, now, o, out);
		} else if (o->r.in_list) {
			o->r.in_list = false;
			o->dirty = true;
		}
	}
	e->publishing = false;
	revoke_published(e, true, out);
	listing_retire(e, now, out);
	publish_ended(e, op, true, "", out);
	engine_settle(e, now, out);
}

int
engine_publish(struct engine *e, struct now now, uint64_t op, struct actions *out, struct err *err)
{
	const char *hold;

	engine_list(e, NULL, 0, &hold);
	if (hold != NULL)
		return err_set(err, ERR_REFUSED, "%s", hold);
	if (e->publish_op != 0 || e->flight_op != 0)
		return err_set(err, ERR_REFUSED, "a publication is under way already");
	e->publish_op = op;
	e->publish_wanted = true;
	e->publish_retry_at = 0;
	engine_settle(e, now, out);
	return 0;
}
