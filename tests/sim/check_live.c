/* SPDX-License-Identifier: BSD-3-Clause */
/* What must come back when everything is well again; and that nothing turns without end. */
#include "config.h"
#include "daemon/daemon.h"
#include "sim/check_impl.h"

#include "sim/impl.h"

#include <string.h>

#define EVENTS_MAX 200000 /* in one virtual millisecond */
#define SETTLE_MS (10 * 60 * 1000)

static int64_t moment;
static uint64_t since_moment, healed_events;
static int64_t healed;

void
check_live_begin(void)
{
	moment = healed = -1;
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

void
check_live_minute(void)
{
	int64_t until = check_list_valid_until();

	if (until != 0 && sim_wall() > until && sim_daemon_is_up() && model_fit_for(SETTLE_MS) && sim_now() - healed > SETTLE_MS && healed >= 0)
		sim_violation("V5", "the list ran out");
}

void
check_live_last(void)
{
	struct daemon *d = sim_daemon();
	struct mirror_view v;
	size_t i;

	if (d == NULL) {
		sim_violation("V1", "the daemon does not run");
		return;
	}
	if (d->stuck)
		sim_violation("V3", "the disk is well and the state still cannot be written");
	for (i = 0; i < d->conf->n_mirrors; i++)
		if (engine_mirror_view(d->engine, (int)i, &v) != 0 || v.listed == 0)
			sim_violation("V1", "%s has no listed address", d->conf->mirrors[i].name);
	if (check_list_count() < sim_plan.n_mirrors)
		sim_violation("V1", "the list has %zu mirrors of %u", check_list_count(), sim_plan.n_mirrors);
	if (check_list_reachable() < check_list_count())
		sim_violation("V1", "%zu of %zu listed mirrors are reachable", check_list_reachable(), check_list_count());
	if (check_list_valid_until() < sim_wall())
		sim_violation("V5", "the list ran out");
}
