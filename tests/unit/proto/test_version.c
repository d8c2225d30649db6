/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"
#include "proto/reply.h"

#include <criterion/criterion.h>
#include <string.h>

Test(proto_version, versions_sort_as_the_specification_says)
{
	/* Rising; the same row twice would be a fault of the table. */
	static const char *const rising[] = {"0.2.9", "0.3.5.18", "0.4.5", "0.4.5.1", "0.4.8.21", "0.4.9.1-alpha",
	    "0.4.9.2-alpha", "0.4.9.2-alpha-dev", "0.4.9.5", "0.4.9.9", "0.4.9.11", "0.4.10.1-alpha", "0.5.0.1",
	    "1.0.0"};
	const size_t n = sizeof rising / sizeof rising[0];
	struct tor_version a, b;
	size_t i, j;

	for (i = 0; i < n; i++)
		for (j = 0; j < n; j++) {
			cr_assert_eq(tor_version_parse(&a, rising[i], NULL), 0, "%s", rising[i]);
			cr_assert_eq(tor_version_parse(&b, rising[j], NULL), 0, "%s", rising[j]);
			int c = tor_version_compare(&a, &b);
			cr_expect_eq((c > 0) - (c < 0), (i > j) - (i < j), "%s against %s", rising[i], rising[j]);
		}
}

Test(proto_version, what_stands_behind_is_ignored_and_the_tag_is_kept)
{
	static const struct {
		const char *in;
		struct tor_version out;
	} table[] = {
	    {"0.4.9.11", {0, 4, 9, 11, ""}},
	    {"Tor 0.4.9.11", {0, 4, 9, 11, ""}},
	    {"0.4.9.11 (git-1234567890abcdef)", {0, 4, 9, 11, ""}},
	    {"0.4.9.3-alpha-dev (git-1)", {0, 4, 9, 3, "alpha-dev"}},
	    {"0.4.5", {0, 4, 5, 0, ""}},
	    {"0.4.5-rc", {0, 4, 5, 0, "rc"}},
	    {"65535.0.0.65535", {65535, 0, 0, 65535, ""}},
	    {"0.4.9.11-0+deb12u1", {0, 4, 9, 11, "0+deb12u1"}},
	};
	struct tor_version v;
	size_t i;

	for (i = 0; i < sizeof table / sizeof table[0]; i++) {
		cr_expect_eq(tor_version_parse(&v, table[i].in, NULL), 0, "%s", table[i].in);
		cr_expect_eq(tor_version_compare(&v, &table[i].out), 0, "%s", table[i].in);
		cr_expect_str_eq(v.tag, table[i].out.tag);
	}
}

Test(proto_version, garbage_is_refused)
{
	static const char *const table[] = {"", "Tor", "0", "0.4", "0.4.", "0.4.9.", "0.4.9.11.1", "0.4.9.x",
	    "v0.4.9", "-1.4.9", "0.4.9.65536", "99999999999999999999.0.0", "0.4.9.11-", "0.4.9.11 ", "0.4.9.11x",
	    "0.4.9.11 git", "0.4.9-a b", "0.4.9-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "+0.4.9", "0. 4.9", "0.4.9.11\n"};
	size_t i;

	for (i = 0; i < sizeof table / sizeof table[0]; i++) {
		struct tor_version v = {7, 7, 7, 7, "x"};
		struct err e = ERR_INIT;

		cr_expect_eq(tor_version_parse(&v, table[i], &e), -1, "%s", table[i]);
		cr_expect(e.code == ERR_PARSE || e.code == ERR_LIMIT);
		cr_expect_eq(v.major, 7, "written on failure");
	}
}
