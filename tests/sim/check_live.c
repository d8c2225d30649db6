/* SPDX-License-Identifier: BSD-3-Clause */
/* What must come back when everything is well again; and that nothing turns without end. */
#include "config.h"
#include "daemon/daemon.h"
#include "sim/check_impl.h"

#include "sim/impl.h"
#include "sim/simtor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EVENTS_MAX 200000 /* in one virtual millisecond */
#define SETTLE_MS (10 * 60 * 1000)

static int64_t moment;
static uint64_t since_moment, healed_events;
static int64_t healed;
static int64_t open_since; /* some mirror may be listed, by its operator; -1: none may */

void
check_live_begin(void)
{
	moment = healed = open_since = -1;
	since_moment = healed_events = 0;
}

void
check_bounds(void)
{
	if (sim_now() != moment) {
		moment = sim_now();
		since_moment = 0;
	}
	if (++since_moment == EVENTS_MAX)
		sim_violation("I14", "more than %d events in one moment", EVENTS_MAX);
}

void
check_live_heal(void)
{
	healed = sim_now();
	healed_events = loop_events();
}

/* Some mirror may be in the list. */
static bool
any_may_be_listed(const struct daemon *d)
{
	size_t i;

	for (i = 0; i < d->conf->n_mirrors; i++)
		if (engine_mirror_hold(d->engine, (int)i) == HOLD_NONE)
			return true;
	return false;
}

void
check_live_minute(void)
{
	int64_t until = check_list_valid_until();
	struct daemon *d = sim_daemon();

	/* An operator may hold all of them back, one while it is down and nobody would miss it, and then the next. */
	if (d == NULL || d->engine == NULL || !any_may_be_listed(d)) {
		open_since = -1;
		return;
	}
	if (open_since < 0)
		open_since = sim_now();
	if (until != 0 && sim_wall() > until && model_fit_for(SETTLE_MS) && sim_now() - healed > SETTLE_MS && healed >= 0 &&
	    sim_now() - open_since > SETTLE_MS)
		sim_violation("V5", "the list ran out");
}

/* What is stored of an operator's wishes is what counts, and he did wish it. */
static void
look_at_hold(struct daemon *d, unsigned mirror, enum mirror_hold h)
{
	const char *name = sim_plan.mirrors[mirror].name;
	char want[80], *text = NULL;
	bool stored;
	size_t n;

	/* Of one that is not held nothing is stored. */
	snprintf(want, sizeof want, "\"%s\":\"%s\"", name, mirror_hold_name(h));
	want[h == HOLD_NONE ? strlen(name) + 3 : strlen(want)] = '\0';
	stored = store_get(d->store, STORE_META, STORE_META_HOLDS, &text, &n, NULL) == 0 && strstr(text, want) != NULL;
	free(text);
	if (stored != (h != HOLD_NONE))
		sim_violation("V1", "%s is %s, and that is not what is stored", name, mirror_hold_name(h));
	if (!operator_asked_hold(mirror, (int)h))
		sim_violation("V1", "%s is %s, and nobody asked for it", name, mirror_hold_name(h));
	if (h != HOLD_NONE && sim_plan.tidy)
		sim_violation("V1", "%s is still %s, and that was taken back", name, mirror_hold_name(h));
}

/* It waits with an address that answers. */
static bool
is_kept_ready(unsigned mirror)
{
	const struct simtor_given *g;
	size_t i;

	for (i = 0; (g = simtor_given(i)) != NULL; i++)
		if (strcmp(g->target, sim_plan.mirrors[mirror].backend) == 0 && !check_list_retired(g->address) && model_reachable(g->address))
			return true;
	return false;
}

/*
 * In the list are all mirrors that are not held by hand and no spares, and as
 * many spares as others are held; and nothing else.
 */
static size_t
look_at_mirrors(struct daemon *d)
{
	size_t listed = 0, needed = 0, spares = 0, spares_listed = 0;
	struct mirror_view v;
	enum mirror_hold h;
	unsigned i;

	for (i = 0; i < d->conf->n_mirrors; i++) {
		const char *name = sim_plan.mirrors[i].name;

		if (engine_mirror_view(d->engine, (int)i, &v) != 0)
			continue;
		h = engine_mirror_hold(d->engine, (int)i);
		look_at_hold(d, i, h);
		if (h != HOLD_NONE && v.listed != 0)
			sim_violation("V1", "%s is %s and in the list", name, mirror_hold_name(h));
		if (h == HOLD_NONE && v.listed == 0 && !sim_plan.mirrors[i].spare)
			sim_violation("V1", "%s has no listed address", name);
		if (h == HOLD_NONE && sim_plan.mirrors[i].spare && v.listed == 0 && !is_kept_ready(i))
			sim_violation("V1", "the spare %s has no address that is ready", name);
		needed += h != HOLD_NONE && !sim_plan.mirrors[i].spare;
		spares += h == HOLD_NONE && sim_plan.mirrors[i].spare;
		spares_listed += v.listed != 0 && sim_plan.mirrors[i].spare;
		listed += v.listed != 0;
	}
	if (spares_listed != (needed < spares ? needed : spares))
		sim_violation("V1", "%zu spares are listed, %zu of %zu are needed", spares_listed, needed, spares);
	return listed;
}

static void
look_at_revoked(const struct onion_record *r, void *arg)
{
	(void)arg;
	if (!r->revoked)
		return;
	if (r->state != ONION_GONE || model_has_onion(r->address))
		sim_violation("V1", "%.8s... was revoked, and is %s%s", r->address, onion_state_name(r->state),
		    model_has_onion(r->address) ? " and in tor" : "");
	if (r->tombstone_until > sim_wall() && !check_list_warns_of(r->address))
		sim_violation("V1", "%.8s... was revoked, and readers are not warned", r->address);
}

void
check_live_last(void)
{
	struct daemon *d = sim_daemon();
	size_t listed;

	if (d == NULL) {
		sim_violation("V1", "the daemon does not run");
		return;
	}
	if (d->stuck)
		sim_violation("V3", "the disk is well and the state still cannot be written");
	engine_each_onion(d->engine, look_at_revoked, NULL);
	listed = look_at_mirrors(d);
	if (!any_may_be_listed(d))
		return;
	if (check_list_count() != listed)
		sim_violation("V1", "the list has %zu mirrors of %zu", check_list_count(), listed);
	if (check_list_reachable() < check_list_count())
		sim_violation("V1", "%zu of %zu listed mirrors are reachable", check_list_reachable(), check_list_count());
	if (check_list_valid_until() < sim_wall())
		sim_violation("V5", "the list ran out");
}
