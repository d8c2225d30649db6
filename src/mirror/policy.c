/* SPDX-License-Identifier: BSD-3-Clause */
/* What the operator asked for: drain and maintenance. */
#include "config.h"
#include "base/mutant.h"
#include "mirror/engine_impl.h"

#include <string.h>

static const char *const hold_names[HOLD__COUNT] = { "none", "maint", "drained" };

const char *
mirror_hold_name(enum mirror_hold h)
{
	return (unsigned)h < HOLD__COUNT ? hold_names[h] : "unknown";
}

int
mirror_hold_parse(enum mirror_hold *h, const char *name)
{
	int i;

	for (i = 0; i < HOLD__COUNT; i++)
		if (strcmp(hold_names[i], name) == 0) {
			*h = (enum mirror_hold)i;
			return 0;
		}
	return -1;
}

void
engine_restore_mirror(struct engine *e, const char *mirror, enum mirror_hold h)
{
	int m = engine_mirror_index(e, mirror);

	if (m >= 0)
		e->mirrors[m].hold = MUTANT(28) ? HOLD_NONE : h;
}

enum mirror_hold
engine_mirror_hold(const struct engine *e, int mirror)
{
	return mirror >= 0 && (size_t)mirror < e->n_mirrors ? e->mirrors[mirror].hold : HOLD_NONE;
}

bool
mirror_is_held(const struct engine *e, int mirror)
{
	return mirror >= 0 && (e->mirrors[mirror].hold != HOLD_NONE || e->mirrors[mirror].benched);
}

static bool
is_visible(const struct engine *e, int mirror)
{
	size_t i;

	for (i = 0; i < e->n_onions; i++)
		if (e->onions[i]->mirror == mirror && (e->onions[i]->r.in_list || listing_in_flight(e, e->onions[i])))
			return true;
	return false;
}

static void
end_hold_op(struct mirror *m, int mirror, bool ok, const char *why, struct actions *out)
{
	if (m->hold_op == 0)
		return;
	if (ok)
		note(out, NOTE_STEP, NULL, mirror, m->hold_op, "delisted", "no list has it any more");
	note(out, NOTE_STEP, NULL, mirror, m->hold_op, ok ? "done" : "failed", "%s", why);
	m->hold_op = 0;
}

/* A rotation that was asked for by hand ends here; its candidate may still be of use later. */
static void
end_rotation(struct engine *e, int mirror, const char *why, struct actions *out)
{
	struct mirror *m = &e->mirrors[mirror];
	struct onion *c = mirror_candidate(e, mirror);

	if (m->op != 0)
		note(out, NOTE_STEP, NULL, mirror, m->op, "failed", "%s", why);
	if (c != NULL)
		c->r.op = 0;
	m->op = 0;
	m->wanted = false;
}

void
policy_set_hold(struct engine *e, struct now now, int mirror, enum mirror_hold h, uint64_t op, struct actions *out)
{
	struct mirror *m = &e->mirrors[mirror];

	end_hold_op(m, mirror, false, "something else was asked for meanwhile", out);
	m->hold = h;
	m->hold_op = op;
	m->hold_until = now.mono + OP_MS;
	m->budget_alarm = m->content_alarm = m->revoke_alarm = m->revoke_wanted = false;
	action_add(out, ACTION_SAVE_MIRROR, NULL, mirror);
}

void
policy_step(struct engine *e, struct now now, struct actions *out)
{
	size_t i;

	for (i = 0; i < e->n_onions; i++) {
		struct onion *o = e->onions[i];

		/* Held by hand: whatever it answers, it is out; `rise` probes bring it back afterwards. */
		if (o->mirror >= 0 && e->mirrors[o->mirror].hold != HOLD_NONE && o->r.state == ONION_LISTED && !o->delisted) {
			o->delisted = true;
		}
	}
	for (i = 0; i < e->n_mirrors; i++) {
		struct mirror *m = &e->mirrors[i];

		if (m->hold_op == 0)
			continue;
		if (!is_visible(e, (int)i))
			end_hold_op(m, (int)i, true, "", out);
		else if (now.mono >= m->hold_until)
			end_hold_op(m, (int)i, false, "the list is held back; it goes out with the next one", out);
		else
			engine_due(e, m->hold_until);
	}
}

void
policy_published(struct engine *e, bool ok, struct actions *out)
{
	size_t i;

	for (i = 0; !ok && i < e->n_mirrors; i++)
		end_hold_op(&e->mirrors[i], (int)i, false, "the list cannot be published yet; it is tried on", out);
}

/* Out of the list by hand: NULL if it may be, else why not. */
static const char *
obstacle(const struct engine *e, int mirror)
{
	const struct onion *o = mirror_listed(e, mirror);

	if (!MUTANT(30) && is_visible(e, mirror) && listing_count_without(e, o) == 0)
		return "it is the only address in the list, which is never empty; add another mirror, rotate or revoke it";
	return NULL;
}

int
engine_drain(struct engine *e, struct now now, int mirror, uint64_t op, struct actions *out, struct err *err)
{
	const char *why;
	struct mirror *m;

	if ((m = mirror_find(e, mirror, err)) == NULL)
		return -1;
	if (m->hold == HOLD_DRAINED)
		return err_set(err, ERR_REFUSED, "%s is drained already; rotate gives it a new address", m->cfg.name);
	if ((why = obstacle(e, mirror)) != NULL)
		return err_set(err, ERR_REFUSED, "%s cannot be drained: %s", m->cfg.name, why);
	end_rotation(e, mirror, "the mirror was drained by the operator", out);
	policy_set_hold(e, now, mirror, HOLD_DRAINED, op, out);
	note(out, NOTE_DECISION, mirror_listed(e, mirror), mirror, op, "drain", "drained by the operator: out of the list, no new address "
	    "until it is rotated");
	engine_settle(e, now, out);
	return 0;
}

int
engine_maint(struct engine *e, struct now now, int mirror, bool on, uint64_t op, struct actions *out, struct err *err)
{
	const char *why;
	struct mirror *m;

	if ((m = mirror_find(e, mirror, err)) == NULL)
		return -1;
	if (m->hold == HOLD_DRAINED)
		return err_set(err, ERR_REFUSED, "%s is drained; rotate gives it a new address", m->cfg.name);
	if (on == (m->hold == HOLD_MAINT))
		return err_set(err, ERR_REFUSED, "%s is %s maintenance already", m->cfg.name, on ? "in" : "out of");
	if (on && (why = obstacle(e, mirror)) != NULL)
		return err_set(err, ERR_REFUSED, "%s cannot go out of the list: %s", m->cfg.name, why);
	if (on)
		end_rotation(e, mirror, "the mirror went into maintenance", out);
	policy_set_hold(e, now, mirror, on ? HOLD_MAINT : HOLD_NONE, on ? op : 0, out);
	note(out, NOTE_DECISION, mirror_listed(e, mirror), mirror, op, "maint", on ? "maintenance on: out of the list, no alarm, no rotation"
	    : "maintenance off: back in the list after %u good probes", m->cfg.rise);
	if (!on) {
		struct onion *o = mirror_listed(e, mirror);

		if (o != NULL) {
			sight_forget(o);
			o->next_probe = now.mono;
		}
		note(out, NOTE_STEP, NULL, mirror, op, "done", "back in the list after %u good probes", m->cfg.rise);
	}
	engine_settle(e, now, out);
	return 0;
}
