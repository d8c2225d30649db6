/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"
#include "base/clock.h"

#include <criterion/criterion.h>
#include <time.h>

static int64_t
seven(void)
{
	return 7;
}

static int64_t
eight(void)
{
	return 8;
}

Test(base_clock, can_be_replaced_and_restored)
{
	static const struct clock_source fake = { seven, eight };
	struct now now;
	int64_t wall = (int64_t)time(NULL), mono = clock_mono_ms();

	cr_expect(clock_wall_s() >= wall && clock_wall_s() <= wall + 60);
	cr_expect_geq(clock_mono_ms(), mono);
	clock_set_source(&fake);
	now = clock_now();
	cr_expect(now.mono == 7 && now.wall == 8);
	clock_set_source(NULL);
	cr_expect_geq(clock_wall_s(), wall);
}
