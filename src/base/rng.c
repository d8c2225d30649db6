/* SPDX-License-Identifier: BSD-3-Clause */
/* Random numbers, replaceable. */
#include "config.h"
#include "base/rng.h"

#include <sodium.h>

static void
sodium_fill(void *p, size_t n)
{
	randombytes_buf(p, n);
}

static void (*source)(void *, size_t) = sodium_fill;

void
rng_set_source(void (*fill)(void *p, size_t n))
{
	source = fill != NULL ? fill : sodium_fill;
}

void
rng_bytes(void *p, size_t n)
{
	source(p, n);
}

uint64_t
rng_below(uint64_t bound)
{
	uint64_t x, min;

	if (bound < 2)
		return 0;
	min = -bound % bound;
	do
		rng_bytes(&x, sizeof x);
	while (x < min);
	return x % bound;
}

/* -ln(u) in 1/1024, from the position of the first set bit and a linear rest: exact enough for jitter. */
static int64_t
exponential_1024(void)
{
	uint64_t u = rng_below(UINT64_C(1) << 32) + 1;
	int lead = 0;
	uint64_t top = UINT64_C(1) << 32;

	while (u < top && lead < 32) {
		top >>= 1;
		lead++;
	}
	/* u lies in [top, 2*top): log2(u/top) is close to (u-top)/top */
	return (int64_t)lead * 710 - (int64_t)((u - top) * 710 / top);
}

int64_t
rng_jitter(int64_t mean, unsigned pct)
{
	int64_t lo = (mean * (100 - (int64_t)pct) + 99) / 100, hi = mean * (100 + (int64_t)pct) / 100;
	int64_t x;
	int tries;

	if (mean <= 0 || pct == 0 || pct > 100)
		return mean;
	for (tries = 0; tries < 16; tries++) {
		x = mean * exponential_1024() / 1024;
		if (x >= lo && x <= hi)
			return x;
	}
	return lo + (int64_t)rng_below((uint64_t)(hi - lo + 1));
}
