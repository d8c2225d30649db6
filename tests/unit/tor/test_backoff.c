/* SPDX-License-Identifier: BSD-3-Clause */
/* Waits grow, are capped, jittered, and begin anew. */
#include "config.h"
#include "tor/backoff.h"

#include "base/rng.h"

#include <criterion/criterion.h>
#include <string.h>

static unsigned char fill_byte;

static void
fill(void *p, size_t n)
{
	memset(p, fill_byte, n);
}

Test(tor_backoff, grows_by_half_to_the_cap_and_begins_anew)
{
	struct backoff b = {1000, 60000, 0};
	int64_t full = 1000, got;
	int i;

	for (i = 0; i < 40; i++) {
		got = backoff_take(&b);
		cr_expect(got >= full / 2 && got <= full, "try %d: %lld not in [%lld, %lld]", i,
		    (long long)got, (long long)full / 2, (long long)full);
		full = full + full / 2 > 60000 ? 60000 : full + full / 2;
	}
	cr_expect(full == 60000);
	backoff_reset(&b);
	got = backoff_take(&b);
	cr_expect(got >= 500 && got <= 1000);
}

Test(tor_backoff, differs_with_the_random_source)
{
	struct backoff a = {1000, 60000, 0}, b = a;
	int64_t x, y;

	fill_byte = 0x91;
	rng_set_source(fill);
	x = backoff_take(&a);
	fill_byte = 0x37;
	y = backoff_take(&b);
	rng_set_source(NULL);
	cr_expect(x != y);
}
