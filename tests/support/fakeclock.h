/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SUPPORT_FAKECLOCK_H
#define SUPPORT_FAKECLOCK_H

#include <stdint.h>

/* The system's clocks, but the wall clock is `s` seconds ahead; clock_set_source(NULL) ends it. */
void fakeclock_shift(int64_t s);

#endif
