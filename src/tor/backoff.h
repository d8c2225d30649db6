/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TOR_BACKOFF_H
#define TOR_BACKOFF_H

#include <stdint.h>

/*
 * How long to wait before the next try: grows by half each time from `min` to
 * `max`, and each wait is drawn from [half of it, all of it] so that several
 * sessions don't come back together. All in ms.
 */
struct backoff {
	int64_t min, max;
	int64_t next; /* 0: begin with min */
};

/* The next wait; the one after it is longer. */
int64_t backoff_take(struct backoff *b);
/* Begins again with min. */
void backoff_reset(struct backoff *b);

#endif
