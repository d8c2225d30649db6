/* SPDX-License-Identifier: BSD-3-Clause */
/* Random numbers from the seed: xoshiro256** for each kind of dice, so that they do not disturb each other. */
#include "config.h"
#include "sim/impl.h"

#include "base/rng.h"

#include <sodium.h>
#include <string.h>

static uint64_t state[DICE_N][4];

static uint64_t
rotl(uint64_t x, int k)
{
	return (x << k) | (x >> (64 - k));
}

static uint64_t
splitmix(uint64_t *x)
{
	uint64_t z = (*x += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static uint64_t
next(enum sim_dice d)
{
	uint64_t *s = state[d], r = rotl(s[1] * 5, 7) * 9, t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotl(s[3], 45);
	return r;
}

uint64_t
sim_below(enum sim_dice d, uint64_t bound)
{
	return bound < 2 ? 0 : next(d) % bound; /* a bias that no test can see */
}

int64_t
sim_between(enum sim_dice d, int64_t lo, int64_t hi)
{
	return hi <= lo ? lo : lo + (int64_t)sim_below(d, (uint64_t)(hi - lo) + 1);
}

bool
sim_chance(enum sim_dice d, unsigned ppm)
{
	return ppm > 0 && next(d) % 1000000 < ppm;
}

void
sim_bytes(enum sim_dice d, void *p, size_t n)
{
	uint8_t *at = p;
	uint64_t x;
	size_t k;

	for (; n > 0; n -= k, at += k) {
		k = n < 8 ? n : 8;
		x = next(d);
		memcpy(at, &x, k);
	}
}

static void
daemon_bytes(void *p, size_t n)
{
	sim_bytes(DICE_DAEMON, p, n);
}

/* --- libsodium's, so that nothing comes from the system --- */

static const char *
sodium_name(void)
{
	return "sim";
}

static uint32_t
sodium_random(void)
{
	return (uint32_t)next(DICE_DAEMON);
}

static struct randombytes_implementation implementation = {
	.implementation_name = sodium_name, .random = sodium_random, .buf = daemon_bytes };

void
random_begin(uint64_t seed)
{
	uint64_t x;
	int d, i;

	for (d = 0; d < DICE_N; d++) {
		x = seed * UINT64_C(0x2545f4914f6cdd1d) + (uint64_t)d * UINT64_C(0x9e3779b97f4a7c15);
		for (i = 0; i < 4; i++)
			state[d][i] = splitmix(&x);
	}
	randombytes_set_implementation(&implementation);
	rng_set_source(daemon_bytes);
}
