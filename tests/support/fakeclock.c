/* SPDX-License-Identifier: BSD-3-Clause */
/* A wall clock that is wrong by as much as a test likes. */
#include "config.h"
#include "support/fakeclock.h"

#include "base/clock.h"

#include <time.h>

static int64_t shift;

static int64_t
mono_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int64_t
wall_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec + shift;
}

void
fakeclock_shift(int64_t s)
{
	static const struct clock_source source = { mono_ms, wall_s };

	shift = s;
	clock_set_source(&source);
}
