/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PROTO_METRICS_H
#define PROTO_METRICS_H

#include "base/buf.h"

#include <stdint.h>

/*
 * Writes numbers in Prometheus' text format, version 0.0.4. Whatever a label
 * or a help text holds, what comes out is valid UTF-8 with one sample a line.
 */
#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"
#define METRIC_LABELS_MAX 6
#define METRIC_VALUE_MAX 120 /* bytes of a label's value; the rest is cut off */
#define METRIC_BUCKETS_MAX 12

enum metric_type { METRIC_GAUGE = 1, METRIC_COUNTER, METRIC_HISTOGRAM };
const char *metric_type_name(enum metric_type t);

/* Upper bounds of the buckets, ms, rising; +Inf is added to them. */
struct metric_bounds {
	unsigned n;
	int32_t ms[METRIC_BUCKETS_MAX];
};

/* One metric: names are as the format wants them, [a-z][a-z0-9_]*. */
struct metric {
	const char *name;
	enum metric_type type;
	const char *labels[METRIC_LABELS_MAX + 1]; /* names, ended by NULL */
	const char *help;                          /* one line */
	const struct metric_bounds *bounds;        /* of a histogram */
};

struct metric_histogram {
	uint64_t counts[METRIC_BUCKETS_MAX + 1]; /* each bucket by itself, +Inf last */
	int64_t sum;                             /* ms */
};
/* Negative times count as 0. */
void metric_observe(struct metric_histogram *h, const struct metric_bounds *b, int64_t ms);

/* HELP and TYPE: once, before the samples of a metric. */
void metric_head(struct buf *out, const struct metric *m);
/* One sample. `values`: one for each label; a NULL one leaves its label out. */
void metric_add(struct buf *out, const struct metric *m, const char *const *values, double v);
/* All samples of a histogram, in seconds. */
void metric_add_histogram(struct buf *out, const struct metric *m, const char *const *values, const struct metric_histogram *h);

#endif
