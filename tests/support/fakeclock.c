/* SPDX-License-Identifier: BSD-3-Clause */
/* A wall clock that is wrong by as much as a test likes. */
#include "config.h"
#include "support/fakeclock.h"

#include "base/clock.h"

static int64_t shift;

static int64_t
wall_s(void)
{
	return clock_system.wall_s() + shift;
}

void
fakeclock_shift(int64_t s)
{
	static struct clock_source source;

	source = (struct clock_source){ clock_system.mono_ms, wall_s };
	shift = s;
	clock_set_source(&source);
}
