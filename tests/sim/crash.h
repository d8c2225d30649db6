/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SIM_CRASH_H
#define SIM_CRASH_H

#include "sim/scenario.h"

/*
 * Every scenario with a `crash` line is played with a death at each side effect of its window.
 * every: a second death at each so many-th side effect of the recovery, 0: none. jobs: so many worlds at a time.
 * one: the place of one death, as a failure names it, and no others; NULL: all.
 */
void crash_set(unsigned every, unsigned jobs, const char *one);
/* Around a run. In a copy crash_end() tells what is wrong and does not return. */
void crash_begin(const struct scenario *s);
void crash_end(struct scenario *s);
bool crash_is_copy(void);
/* The numbers; a failure becomes the scenario's. */
void crash_tell(struct scenario *s);

#endif
