/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"
#include "base/rng.h"

#include <criterion/criterion.h>
#include <string.h>

static uint64_t state, script[8];
static size_t scripted, taken;

/* splitmix64: good enough to be uniform, and the same each time. */
static void
fixed_source(void *p, size_t n)
{
	unsigned char *out = p;
	uint64_t z;
	size_t i;

	for (i = 0; i < n; i++) {
		z = state += UINT64_C(0x9e3779b97f4a7c15);
		z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
		z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
		out[i] = (unsigned char)(z >> 56);
	}
}

static void
script_source(void *p, size_t n)
{
	cr_assert(n == sizeof script[0] && taken < scripted, "asks for more than the script has");
	memcpy(p, &script[taken++], n);
}

Test(base_rng, bytes_come_from_the_source_that_was_set)
{
	unsigned char a[32], b[32], zero[32] = { 0 };

	rng_bytes(a, sizeof a);
	rng_bytes(b, sizeof b);
	cr_expect(memcmp(a, b, sizeof a) != 0 && memcmp(a, zero, sizeof a) != 0);
	rng_set_source(fixed_source);
	state = 1;
	rng_bytes(a, sizeof a);
	state = 1;
	rng_bytes(b, sizeof b);
	cr_expect_eq(memcmp(a, b, sizeof a), 0);
	rng_set_source(NULL);
	rng_bytes(b, sizeof b);
	cr_expect_neq(memcmp(a, b, sizeof a), 0);
}

Test(base_rng, below_is_in_range_and_even)
{
	static const uint64_t bounds[] = { 0, 1, 2, 3, 7, 1000, UINT64_C(1) << 32, UINT64_C(1) << 63, UINT64_MAX };
	unsigned counts[10] = { 0 };
	size_t i;
	int n;

	for (i = 0; i < sizeof bounds / sizeof *bounds; i++)
		for (n = 0; n < 200; n++) {
			uint64_t x = rng_below(bounds[i]);

			cr_assert(bounds[i] < 2 ? x == 0 : x < bounds[i], "%llu", (unsigned long long)bounds[i]);
		}
	rng_set_source(fixed_source);
	for (n = 0; n < 100000; n++)
		counts[rng_below(10)]++;
	for (i = 0; i < 10; i++)
		/* 5 standard deviations: sqrt(100000 * 0.1 * 0.9) = 95 */
		cr_expect(counts[i] > 9525 && counts[i] < 10475, "%zu: %u", i, counts[i]);
}

/* 2^64 is 1 mod 3, so one value of the source would favour a result: it is thrown away. */
Test(base_rng, below_has_no_modulo_bias)
{
	rng_set_source(script_source);
	script[0] = 0;
	script[1] = 5;
	scripted = 2;
	cr_expect_eq(rng_below(3), 2);
	cr_expect_eq(taken, 2, "the first one was refused");
	/* For 2^63 + 1 nearly half of the values are refused: all below 2^63 - 1. */
	taken = 0;
	script[0] = 1;
	script[1] = (UINT64_C(1) << 63) - 2;
	script[2] = (UINT64_C(1) << 63) - 1;
	scripted = 3;
	cr_expect_eq(rng_below((UINT64_C(1) << 63) + 1), (UINT64_C(1) << 63) - 1);
	cr_expect_eq(taken, 3);
}

/* The mean of an exponential distribution cut to 1 +- pct, in thousandths (from its integral), roughly. */
Test(base_rng, jitter_is_bounded_and_has_the_mean_of_its_distribution)
{
	static const struct {
		unsigned pct;
		int64_t mean_1000;
	} rows[] = { { 10, 997 }, { 20, 987 }, { 50, 918 }, { 100, 687 } };
	const int64_t mean = 3600000;
	size_t i;
	int n;

	rng_set_source(fixed_source);
	for (i = 0; i < sizeof rows / sizeof *rows; i++) {
		int64_t lo = mean, hi = mean, sum = 0, pct = rows[i].pct, x;

		for (n = 0; n < 20000; n++) {
			x = rng_jitter(mean, rows[i].pct);
			sum += x;
			lo = x < lo ? x : lo;
			hi = x > hi ? x : hi;
		}
		cr_expect(lo >= mean * (100 - pct) / 100 && hi <= mean * (100 + pct) / 100, "%u", rows[i].pct);
		cr_expect(lo < mean - mean * pct * 9 / 1000 && hi > mean + mean * pct * 9 / 1000,
		    "%u: the whole range is used", rows[i].pct);
		x = sum / 20000 * 1000 / mean;
		cr_expect(x >= rows[i].mean_1000 - 40 && x <= rows[i].mean_1000 + 40, "%u: mean %lld",
		    rows[i].pct, (long long)x);
	}
}

Test(base_rng, jitter_at_its_limits)
{
	static const struct {
		int64_t mean;
		unsigned pct;
	} rows[] = { { 1000, 0 }, { 0, 50 }, { -7, 50 }, { 1000, 101 } };
	size_t i;
	int n;

	for (i = 0; i < sizeof rows / sizeof *rows; i++)
		cr_expect_eq(rng_jitter(rows[i].mean, rows[i].pct), rows[i].mean, "row %zu", i);
	for (n = 0; n < 100; n++) {
		cr_expect_eq(rng_jitter(1, 50), 1, "only 1 lies in [0.5, 1.5]");
		cr_expect_leq(rng_jitter(INT64_C(86400000) * 3650, 100), INT64_C(86400000) * 7300);
	}
}
