/* SPDX-License-Identifier: BSD-3-Clause */
/* Waits between tries. */
#include "config.h"
#include "tor/backoff.h"

#include "base/rng.h"

int64_t
backoff_take(struct backoff *b)
{
	int64_t full = b->next < b->min ? b->min : b->next;

	if (full > b->max)
		full = b->max;
	b->next = full + full / 2;
	return full / 2 + (int64_t)rng_below((uint64_t)(full - full / 2) + 1);
}

void
backoff_reset(struct backoff *b)
{
	b->next = 0;
}
