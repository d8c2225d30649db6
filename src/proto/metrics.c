/* SPDX-License-Identifier: BSD-3-Clause */
/* The writer of the text format. Works on the caller's buffer, whose bound is the bound of all. */
#include "config.h"
#include "proto/metrics.h"

#include <stdio.h>
#include <string.h>

/* A value that is all escapes, its name, quotes and comma; and one for "le". */
#define LABELS_SIZE ((METRIC_LABELS_MAX + 1) * (2 * METRIC_VALUE_MAX + 80))

const char *
metric_type_name(enum metric_type t)
{
	return t == METRIC_COUNTER ? "counter" : t == METRIC_HISTOGRAM ? "histogram" : "gauge";
}

void
metric_observe(struct metric_histogram *h, const struct metric_bounds *b, int64_t ms)
{
	unsigned i;

	for (i = 0; i < b->n && ms > b->ms[i]; i++)
		;
	h->counts[i]++;
	h->sum += ms > 0 ? ms : 0;
}

void
metric_head(struct buf *out, const struct metric *m)
{
	const char *p;

	buf_addf(out, "# HELP %s ", m->name);
	for (p = m->help; *p != '\0'; p++) {
		if (*p == '\\' || *p == '\n')
			buf_adds(out, *p == '\\' ? "\\\\" : "\\n");
		else
			buf_add(out, (unsigned char)*p >= 0x20 && (unsigned char)*p < 0x7f ? p : "?", 1);
	}
	buf_addf(out, "\n# TYPE %s %s\n", m->name, metric_type_name(m->type));
}

/* Appends name="value" to a text of n bytes; what is not printable ASCII is not worth a guess at its meaning. */
static size_t
add_label(char *to, size_t n, const char *name, const char *value)
{
	size_t i;

	n += (size_t)sprintf(to + n, "%s%.60s=\"", n > 0 ? "," : "", name);
	for (i = 0; i < METRIC_VALUE_MAX && value[i] != '\0'; i++) {
		if (value[i] == '\\' || value[i] == '"' || value[i] == '\n')
			to[n++] = '\\';
		if (value[i] == '\n')
			to[n++] = 'n';
		else
			to[n++] = value[i] >= 0x20 && value[i] < 0x7f ? value[i] : '?';
	}
	to[n++] = '"';
	to[n] = '\0';
	return n;
}

/* What stands between the braces, in `to` of LABELS_SIZE; returns its length. */
static size_t
labels(char *to, const struct metric *m, const char *const *values)
{
	size_t n = 0, i;

	to[0] = '\0';
	for (i = 0; i < METRIC_LABELS_MAX && m->labels[i] != NULL; i++)
		if (values[i] != NULL)
			n = add_label(to, n, m->labels[i], values[i]);
	return n;
}

static void
add_line(struct buf *out, const struct metric *m, const char *ending, const char *inside, double v)
{
	char number[40];

	/* There are tens of thousands of lines, most of them counts, and printing those as double takes most of the time. */
	if (v >= 0 && v < 1e15 && v == (double)(int64_t)v)
		snprintf(number, sizeof number, " %lld\n", (long long)v);
	else
		snprintf(number, sizeof number, " %.15g\n", v);
	buf_adds(out, m->name);
	buf_adds(out, ending);
	if (inside[0] != '\0') {
		buf_adds(out, "{");
		buf_adds(out, inside);
		buf_adds(out, "}");
	}
	buf_adds(out, number);
}

void
metric_add(struct buf *out, const struct metric *m, const char *const *values, double v)
{
	char inside[LABELS_SIZE];

	labels(inside, m, values);
	add_line(out, m, "", inside, v);
}

void
metric_add_histogram(struct buf *out, const struct metric *m, const char *const *values, const struct metric_histogram *h)
{
	char inside[LABELS_SIZE], le[32];
	size_t n = labels(inside, m, values);
	uint64_t sum = 0;
	unsigned i;

	for (i = 0; i <= m->bounds->n; i++) {
		sum += h->counts[i];
		snprintf(le, sizeof le, "%g", m->bounds->ms[i < m->bounds->n ? i : 0] / 1000.0);
		add_label(inside, n, "le", i < m->bounds->n ? le : "+Inf");
		add_line(out, m, "_bucket", inside, (double)sum);
	}
	inside[n] = '\0';
	add_line(out, m, "_sum", inside, (double)h->sum / 1000.0);
	add_line(out, m, "_count", inside, (double)sum);
}
