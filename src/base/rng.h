/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BASE_RNG_H
#define BASE_RNG_H

#include <stddef.h>
#include <stdint.h>

/* Random bytes behind one function: libsodium's, or a seeded source in a simulation (NULL restores). */
void rng_set_source(void (*fill)(void *p, size_t n));
void rng_bytes(void *p, size_t n);
/* Uniform in [0, bound); 0 when bound is 0. Without modulo bias. */
uint64_t rng_below(uint64_t bound);
/*
 * Exponentially distributed around `mean` but kept within [mean*(100-pct)/100,
 * mean*(100+pct)/100]: jitter that does not drift and can't starve. pct <= 100,
 * mean below 2^56. Cutting off the tail lowers the average: about 0.99 of
 * `mean` at 20 %, 0.92 at 50 %, 0.7 at 100 %.
 */
int64_t rng_jitter(int64_t mean, unsigned pct);

#endif
