/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"
#include "base/utc.h"

#include <criterion/criterion.h>
#include <string.h>
#include <time.h>

Test(base_utc, known_times_both_ways)
{
	static const struct {
		int64_t t;
		const char *text;
	} rows[] = {
		{ 0, "1970-01-01T00:00:00Z" },
		{ 951782400, "2000-02-29T00:00:00Z" },
		{ 951868799, "2000-02-29T23:59:59Z" },
		{ 951868800, "2000-03-01T00:00:00Z" },
		{ 1709251199, "2024-02-29T23:59:59Z" },
		{ 2147483648, "2038-01-19T03:14:08Z" },
		{ 4107542400, "2100-03-01T00:00:00Z" },
		{ 4107542399, "2100-02-28T23:59:59Z" },
		{ INT64_C(253402300799), "9999-12-31T23:59:59Z" },
	};
	char out[UTC_LEN + 1];
	int64_t t;
	size_t i;

	for (i = 0; i < sizeof rows / sizeof *rows; i++) {
		utc_format(out, rows[i].t);
		cr_expect_str_eq(out, rows[i].text);
		cr_expect_eq(utc_parse(&t, rows[i].text), 0, "%s", rows[i].text);
		cr_expect_eq(t, rows[i].t, "%s", rows[i].text);
	}
}

Test(base_utc, every_day_as_the_c_library_has_it)
{
	char out[UTC_LEN + 1], want[64];
	int64_t t, back;
	time_t tt;
	struct tm tm;

	for (t = 43200; t < INT64_C(253402300800); t += 86400 * 5 + 3607) {
		tt = (time_t)t;
		cr_assert(gmtime_r(&tt, &tm) != NULL);
		strftime(want, sizeof want, "%Y-%m-%dT%H:%M:%SZ", &tm);
		utc_format(out, t);
		cr_assert_str_eq(out, want);
		cr_assert(utc_parse(&back, out) == 0 && back == t, "%s", out);
	}
}

Test(base_utc, out_of_range_is_clamped_when_shown)
{
	char out[UTC_LEN + 1];

	utc_format(out, -1);
	cr_expect_str_eq(out, "1970-01-01T00:00:00Z");
	utc_format(out, INT64_MIN);
	cr_expect_str_eq(out, "1970-01-01T00:00:00Z");
	utc_format(out, INT64_MAX);
	cr_expect_str_eq(out, "9999-12-31T23:59:59Z");
	utc_format_hour(out, INT64_MIN);
	cr_expect_str_eq(out, "1970-01-01T00:00:00Z");
	utc_format_hour(out, INT64_MAX);
	cr_expect_str_eq(out, "9999-12-31T23:00:00Z");
}

Test(base_utc, hours)
{
	char out[UTC_LEN + 1];
	int64_t t = 7;

	utc_format_hour(out, 951868799);
	cr_expect_str_eq(out, "2000-02-29T23:00:00Z");
	utc_format_hour(out, 951868800);
	cr_expect_str_eq(out, "2000-03-01T00:00:00Z");
	cr_expect_neq(utc_parse_hour(&t, "2000-02-29T23:00:01Z"), 0);
	cr_expect_neq(utc_parse_hour(&t, "2000-02-29T23:01:00Z"), 0);
	cr_expect_neq(utc_parse_hour(&t, "2000-02-30T23:00:00Z"), 0);
	cr_expect_eq(t, 7, "written only on success");
	cr_expect_eq(utc_parse_hour(&t, "2000-02-29T23:00:00Z"), 0);
	cr_expect_eq(t, 951865200);
}

Test(base_utc, tors_form)
{
	int64_t t = 0;

	cr_expect_eq(utc_parse_tor(&t, "2000-02-29 23:59:59"), 0);
	cr_expect_eq(t, 951868799);
	cr_expect_neq(utc_parse_tor(&t, "2000-02-29T23:59:59"), 0);
	cr_expect_neq(utc_parse_tor(&t, "2000-02-29 23:59:59Z"), 0);
	cr_expect_neq(utc_parse_tor(&t, "2000-02-29 23:59:5"), 0);
	cr_expect_neq(utc_parse(&t, "2000-02-29 23:59:59"), 0);
}

Test(base_utc, refuses_what_is_not_a_time)
{
	static const char *const rows[] = {
		"", "Z", "1969-12-31T23:59:59Z", "0000-01-01T00:00:00Z", "2023-02-29T00:00:00Z", "2100-02-29T00:00:00Z",
		"1900-02-28T00:00:00Z", "2024-02-30T00:00:00Z", "2024-00-01T00:00:00Z", "2024-13-01T00:00:00Z",
		"2024-01-00T00:00:00Z", "2024-01-32T00:00:00Z", "2024-04-31T00:00:00Z", "2024-06-31T00:00:00Z",
		"2024-09-31T00:00:00Z", "2024-11-31T00:00:00Z", "2024-01-01T24:00:00Z", "2024-01-01T00:60:00Z",
		"2024-01-01T00:00:60Z", "2024-01-01T00:00:00", "2024-01-01T00:00:00z", "2024-01-01t00:00:00Z",
		"2024-01-01T00:00:00ZZ", "2024-01-01T00:00:00+00:00", "2024-01-01T00:00:00.0Z", "24-01-01T00:00:00Z",
		" 2024-01-01T00:00:0Z", "2024-1-01T00:00:00ZZ", "2024-01-01T+1:00:00Z", "2024-01-01T-1:00:00Z",
		"2024-01-01T 1:00:00Z", "2024/01/01T00:00:00Z", "10000-01-01T00:00:0Z", "2024-01-01T00-00:00Z",
	};
	int64_t t = 7;
	size_t i;

	for (i = 0; i < sizeof rows / sizeof *rows; i++)
		cr_expect_neq(utc_parse(&t, rows[i]), 0, "%s", rows[i]);
	cr_expect_eq(t, 7, "written only on success");
}
