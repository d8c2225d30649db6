/* SPDX-License-Identifier: BSD-3-Clause */
/* System clocks, replaceable. This is the one place that reads them. */
#include "config.h"
#include "base/clock.h"
#include "base/mutant.h"

#include <stddef.h>
#include <time.h>

static int64_t
system_mono_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int64_t
system_wall_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec;
}

const struct clock_source clock_system = { system_mono_ms, system_wall_s };
static const struct clock_source *source = &clock_system;

void
clock_set_source(const struct clock_source *s)
{
	source = s != NULL ? s : &clock_system;
}

int64_t
clock_mono_ms(void)
{
	return MUTANT(17) ? source->wall_s() * 1000 : source->mono_ms();
}

int64_t
clock_wall_s(void)
{
	return source->wall_s();
}

int64_t
clock_service_us(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

struct now
clock_now(void)
{
	return (struct now){ .mono = clock_mono_ms(), .wall = clock_wall_s() };
}
