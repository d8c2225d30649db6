/* SPDX-License-Identifier: BSD-3-Clause */
/* When each invariant is looked at. What they say is in the check_*.c. */
#include "config.h"
#include "sim/check.h"

#include "sim/impl.h"

#include <assert.h>

#define MINUTE_MS 60000

static int64_t next_minute;
/* Of the table those that are looked at after each event: that is often. */
#define EACH_EVENT 8
static void (*each[EACH_EVENT])(void);
static size_t n_each;

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
	const struct check *c;

	next_minute = 0;
	for (n_each = 0, c = checks; c->name != NULL; c++)
		if (c->when == CHECK_EVENT && c->run != NULL) {
			assert(n_each < EACH_EVENT);
			each[n_each++] = c->run;
		}
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
	size_t i;

	for (i = 0; i < n_each; i++)
		each[i]();
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
