/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Spares: proved, and listed only while another mirror is out of the list. One
 * that is not needed is benched. Before it was ever listed its onion waits as
 * ready; afterwards it stays listed in its state but out of the list, as one
 * that is down does: no tombstone, since readers may be sent there again.
 */
#include "config.h"
#include "base/mutant.h"
#include "mirror/engine_impl.h"

/* Another address is wanted in its place. One that never was in the list is missed only once it failed to start. */
static bool
is_out(const struct engine *e, size_t i)
{
	const struct mirror *m = &e->mirrors[i];
	const struct onion *o = mirror_listed(e, (int)i);

	if (m->hold != HOLD_NONE)
		return true;
	if (o == NULL)
		return m->was_listed || m->plan_tries > 0;
	return o->delisted || o->fails >= m->cfg.fall; /* also one that min-listed keeps in */
}

static bool
is_usable(const struct engine *e, size_t i)
{
	const struct mirror *m = &e->mirrors[i];
	const struct onion *o = mirror_listed(e, (int)i), *c = mirror_candidate(e, (int)i);

	if (m->hold != HOLD_NONE)
		return false;
	if (o != NULL && o->r.proved && (o->service == SERVICE_UP || !m->benched) && !o->delisted && o->fails < m->cfg.fall)
		return true;
	return c != NULL && c->r.state == ONION_READY && c->r.proved && c->service == SERVICE_UP;
}

static unsigned
count_needed(const struct engine *e)
{
	unsigned needed = 0, others = 0;
	size_t i;

	for (i = 0; i < e->n_mirrors; i++)
		if (!e->mirrors[i].cfg.spare) {
			others++;
			needed += is_out(e, i) && !MUTANT(26);
		}
	return others > 0 ? needed : 1;
}

/* The one to go first: unusable before usable, the last of the configuration before the first; -1: none may. */
static int
choose_leaver(const struct engine *e)
{
	size_t floor = e->min_listed > 1 ? e->min_listed : 1, i;
	int leaver = -1;

	for (i = 0; i < e->n_mirrors; i++) {
		const struct mirror *m = &e->mirrors[i];

		if (!m->cfg.spare || m->benched)
			continue;
		if (listing_count_without(e, mirror_listed(e, (int)i)) < floor && is_usable(e, i))
			continue;
		if (leaver < 0 || !is_usable(e, i) || is_usable(e, (size_t)leaver))
			leaver = (int)i;
	}
	return leaver;
}

static void
release(struct engine *e, struct now now, struct actions *out)
{
	int leaver;

	if (e->spare_idle == 0)
		e->spare_idle = now.mono;
	if (now.mono < e->spare_idle + SPARE_DWELL_MS) {
		engine_due(e, e->spare_idle + SPARE_DWELL_MS);
		return;
	}
	if ((leaver = choose_leaver(e)) < 0)
		return; /* the list needs it; whatever comes into it brings us back */
	e->mirrors[leaver].benched = true;
	e->spare_idle = now.mono;
	engine_due(e, now.mono + SPARE_DWELL_MS);
	note(out, NOTE_DECISION, mirror_listed(e, leaver), leaver, 0, "benched", "a spare no longer needed in the list for %d min: ready again",
	    SPARE_DWELL_MS / 60000);
}

void
spare_step(struct engine *e, struct now now, struct actions *out)
{
	unsigned needed = count_needed(e), listed = 0, usable = 0;
	size_t i;

	for (i = 0; i < e->n_mirrors; i++) {
		struct mirror *m = &e->mirrors[i];

		m->benched = m->benched && m->cfg.spare;
		listed += m->cfg.spare && !m->benched;
		usable += m->cfg.spare && !m->benched && is_usable(e, i);
	}
	if (e->mass)
		return; /* the list stays as it is */
	for (i = 0; i < e->n_mirrors && usable < needed; i++) {
		struct mirror *m = &e->mirrors[i];

		if (!m->cfg.spare || !m->benched || !is_usable(e, i))
			continue;
		m->benched = false;
		usable++;
		listed++;
		note(out, NOTE_DECISION, mirror_listed(e, (int)i), (int)i, 0, "spare", "a spare comes into the list: %u mirror%s out of it", needed,
		    needed == 1 ? " is" : "s are");
	}
	if (listed > needed)
		release(e, now, out);
	else
		e->spare_idle = 0;
}
