/* SPDX-License-Identifier: BSD-3-Clause */
/* When each invariant is looked at. What they say is in the check_*.c. */
#include "config.h"
#include "sim/check.h"

#include "sim/impl.h"

#define MINUTE_MS 60000

static int64_t next_minute;

static void
run(enum check_when when)
{
	const struct check *c;

	for (c = checks; c->name != NULL; c++)
		if (c->when == when && c->run != NULL)
			c->run();
}

void
check_begin(void)
{
	next_minute = 0;
	run(CHECK_BEGIN);
}

void
check_end(void)
{
	run(CHECK_FREE);
}

void
check_after_event(void)
{
	run(CHECK_EVENT);
	if (sim_now() < next_minute)
		return;
	next_minute = sim_now() / MINUTE_MS * MINUTE_MS + MINUTE_MS;
	run(CHECK_MINUTE);
}

void
check_on_visible(void)
{
	run(CHECK_VISIBLE);
}

void
check_on_start(void)
{
	run(CHECK_START);
}

void
check_on_stop(bool killed)
{
	(void)killed;
	run(CHECK_STOP);
}

void
check_heal(void)
{
	run(CHECK_HEAL);
}

void
check_at_end(void)
{
	run(CHECK_LAST);
}
