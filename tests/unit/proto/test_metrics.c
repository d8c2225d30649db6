/* SPDX-License-Identifier: BSD-3-Clause */
/* The writer of metrics: what comes out whatever goes in. */
#include "config.h"
#include "proto/metrics.h"

#include <criterion/criterion.h>
#include <string.h>

static struct buf out = BUF_INIT(65536);

static void
stop(void)
{
	buf_free(&out);
}

TestSuite(proto_metrics, .fini = stop);

static const struct metric_bounds bounds = { 3, { 100, 1000, 120000 } };
static const struct metric two = { "x_total", METRIC_COUNTER, { "a", "b" }, "A \\ and\na line.", NULL };
static const struct metric bare = { "x", METRIC_GAUGE, { NULL }, "x", NULL };
static const struct metric hist = { "t_seconds", METRIC_HISTOGRAM, { "m" }, "t", &bounds };

Test(proto_metrics, head_and_samples_are_as_the_format_wants_them)
{
	const char *values[] = { "north", "down" };

	metric_head(&out, &two);
	metric_add(&out, &two, values, 3);
	values[1] = NULL;
	metric_add(&out, &two, values, 0.1);
	metric_add(&out, &bare, NULL, 1764000000);
	cr_expect_str_eq(buf_str(&out), "# HELP x_total A \\\\ and\\na line.\n# TYPE x_total counter\n"
	                                "x_total{a=\"north\",b=\"down\"} 3\nx_total{a=\"north\"} 0.1\nx 1764000000\n");
}

Test(proto_metrics, counts_up_to_2_to_the_49th_are_exact)
{
	metric_add(&out, &bare, NULL, 562949953421311.0);
	cr_expect_str_eq(buf_str(&out), "x 562949953421311\n");
}

Test(proto_metrics, a_hostile_value_stays_in_its_label)
{
	const char *values[] = { "a\"} 1\nevil{x=\"\\", "\x01\xff\xc3\xa4\t" };

	metric_add(&out, &two, values, 1);
	cr_expect_str_eq(buf_str(&out), "x_total{a=\"a\\\"} 1\\nevil{x=\\\"\\\\\",b=\"?????\"} 1\n");
}

Test(proto_metrics, a_long_value_is_cut_also_when_all_of_it_is_escaped)
{
	char longest[1000], want[2 * METRIC_VALUE_MAX + 64];
	const char *values[] = { longest, longest };
	size_t i, n;

	memset(longest, '"', sizeof longest - 1);
	longest[sizeof longest - 1] = '\0';
	metric_add(&out, &two, values, 1);
	n = strlen(strcpy(want, "x_total{a=\""));
	for (i = 0; i < METRIC_VALUE_MAX; i++) {
		want[n++] = '\\';
		want[n++] = '"';
	}
	strcpy(want + n, "\",b=");
	cr_expect_eq(strncmp(buf_str(&out), want, strlen(want)), 0);
	cr_expect_eq(strchr(buf_str(&out), '\n'), out.data + out.len - 1, "one line");
}

Test(proto_metrics, buckets_add_up_and_a_time_on_the_bound_is_inside)
{
	static const int64_t ms[] = { 0, -5, 100, 101, 1000, 119999, 120000, 120001, 500000 };
	struct metric_histogram h = { 0 };
	const char *m = "n";
	size_t i;

	for (i = 0; i < sizeof ms / sizeof ms[0]; i++)
		metric_observe(&h, &bounds, ms[i]);
	metric_add_histogram(&out, &hist, &m, &h);
	cr_expect_str_eq(buf_str(&out), "t_seconds_bucket{m=\"n\",le=\"0.1\"} 3\nt_seconds_bucket{m=\"n\",le=\"1\"} 5\n"
	                                "t_seconds_bucket{m=\"n\",le=\"120\"} 7\nt_seconds_bucket{m=\"n\",le=\"+Inf\"} 9\n"
	                                "t_seconds_sum{m=\"n\"} 861.201\nt_seconds_count{m=\"n\"} 9\n");
}

Test(proto_metrics, a_text_beyond_the_bound_is_told_and_not_half_written)
{
	struct buf small = BUF_INIT(20);

	metric_add(&small, &bare, NULL, 1);
	metric_head(&small, &two);
	cr_expect_not(buf_ok(&small));
	buf_free(&small);
}
