/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

/*
 * The two clocks, behind functions so that a simulation can stand in.
 * Monotonic time (ms, includes suspend) drives every timer and decision; wall
 * time (s since 1970, UTC) is only for what is shown, stored or signed.
 */
struct clock_source {
	int64_t (*mono_ms)(void);
	int64_t (*wall_s)(void);
};

/* A pair taken together. */
struct now {
	int64_t mono; /* ms */
	int64_t wall; /* s */
};

/* Wall less monotonic time, ms: the same for as long as no clock jumps (wall time is in whole seconds: within 1 s). */
static inline int64_t
now_offset(struct now now)
{
	return now.wall * 1000 - now.mono;
}

/* The system's own clocks. */
extern const struct clock_source clock_system;
/* Replaces the source; NULL restores the system's. The pointer is borrowed. */
void clock_set_source(const struct clock_source *source);
int64_t clock_mono_ms(void);
int64_t clock_wall_s(void);
struct now clock_now(void);
/* CLOCK_MONOTONIC, which stops in suspend: only for the service manager, which wants to be told that one. */
int64_t clock_service_us(void);

#endif
