/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"
#include "base/buf.h"

#include <criterion/criterion.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

Test(base_buf, grows_and_keeps_a_nul_behind)
{
	struct buf b = BUF_INIT(10000);
	int i;

	cr_expect_str_eq(buf_str(&b), "");
	buf_add(&b, "", 0);
	cr_expect(b.len == 0 && buf_ok(&b));
	for (i = 0; i < 1000; i++) {
		buf_add(&b, "ab", 2);
		cr_assert_eq(b.data[b.len], '\0');
	}
	buf_adds(&b, "cd");
	buf_addf(&b, "%d-%s", 42, "x");
	cr_expect_eq(b.len, 2000 + 2 + 4);
	cr_expect_str_eq(b.data + 2000, "cd42-x");
	buf_free(&b);
	cr_expect(b.data == NULL && b.len == 0);
	buf_free(&b);
}

Test(base_buf, takes_exactly_its_maximum)
{
	static const struct { size_t max, first, second; bool ok; } rows[] = {
		{ 5, 5, 0, true }, { 5, 3, 2, true }, { 5, 3, 3, false }, { 5, 6, 0, false }, { 0, 0, 0, true },
		{ 0, 1, 0, false }, { 64, 63, 1, true }, { 64, 64, 1, false }, { 5, 3, SIZE_MAX, false },
		{ 5, SIZE_MAX, 0, false }, { 5, 3, SIZE_MAX - 2, false },
	};
	size_t i;

	for (i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct buf b = BUF_INIT(rows[i].max);
		char text[64];

		memset(text, 'x', sizeof text);
		/* Beyond the maximum nothing is read, so the length may be anything. */
		buf_add(&b, text, rows[i].first);
		buf_add(&b, text, rows[i].second);
		cr_expect_eq(buf_ok(&b), rows[i].ok, "row %zu", i);
		cr_expect_leq(b.len, rows[i].max);
		buf_free(&b);
	}
}

Test(base_buf, adds_nothing_more_after_a_failure)
{
	struct buf b = BUF_INIT(5);

	buf_adds(&b, "abc");
	buf_addf(&b, "%s", "defg");
	buf_adds(&b, "h");
	buf_addf(&b, "%d", 1);
	cr_expect(!buf_ok(&b));
	cr_expect_str_eq(buf_str(&b), "abc");
	cr_expect_eq(buf_take(&b), NULL);
	cr_expect(buf_ok(&b) && b.len == 0, "empty and usable afterwards");
	buf_addf(&b, "%s", "12345");
	cr_expect(buf_ok(&b));
	buf_adds(&b, "6");
	cr_expect(!buf_ok(&b));
	buf_reset(&b);
	cr_expect(buf_ok(&b));
	cr_expect_str_eq(buf_str(&b), "");
	buf_free(&b);
}

Test(base_buf, drains_at_the_front)
{
	struct buf b = BUF_INIT(100);

	buf_drain(&b, 3);
	buf_add(&b, "ab\0cdef", 7);
	buf_drain(&b, 3);
	cr_expect_str_eq(buf_str(&b), "cdef");
	buf_drain(&b, 0);
	buf_drain(&b, 100);
	cr_expect(b.len == 0 && b.data[0] == '\0');
	buf_free(&b);
}

Test(base_buf, hands_out_its_bytes)
{
	struct buf b = BUF_INIT(100);
	char *p;

	p = buf_take(&b);
	cr_assert(p != NULL);
	cr_expect_str_eq(p, "", "never added to");
	free(p);
	buf_adds(&b, "mine");
	p = buf_take(&b);
	cr_expect_str_eq(p, "mine");
	cr_expect_str_eq(buf_str(&b), "");
	free(p);
	buf_free(&b);
}

Test(base_buf, a_secret_one_wipes_what_it_drops)
{
	struct buf b = { .max = 100, .secret = true };
	size_t i;

	buf_adds(&b, "secret-rest");
	buf_drain(&b, 7);
	cr_expect_str_eq(buf_str(&b), "rest");
	for (i = b.len; i < b.cap && i < 12; i++)
		cr_expect_eq(b.data[i], 0, "byte %zu behind the rest", i);
	buf_reset(&b);
	for (i = 0; i < 12; i++)
		cr_expect_eq(b.data[i], 0, "byte %zu after a reset", i);
	for (i = 0; i < 100; i++)
		buf_add(&b, "x", 1);
	cr_expect(buf_ok(&b) && b.len == 100 && b.data[99] == 'x', "grows as others do");
	buf_free(&b);
}
