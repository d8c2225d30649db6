/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DAEMON_METRICS_IMPL_H
#define DAEMON_METRICS_IMPL_H

/* What the files of the metrics share: counts.c counts, metrics.c has the table, metrics_serve.c shows it. */
#include "daemon/httpd.h"
#include "daemon/metrics.h"

enum { RESULT_OK, RESULT_FAILED, RESULT__COUNT };
extern const char *const metric_results[RESULT__COUNT];

/* The phases of a probe that are told, and where they stand in struct phases. */
struct metric_phase {
	const char *name;
	size_t offset;
};
#define METRIC_PHASES 6
extern const struct metric_phase metric_phases[METRIC_PHASES];
extern const struct metric_bounds bounds_probe, bounds_rotation, bounds_write, bounds_late;

struct mirror_counts {
	char name[CONF_NAME_MAX + 1];
	uint64_t probes[VERDICT__COUNT];
	uint64_t rotations[CAUSE__COUNT][RESULT__COUNT];
	uint64_t uploads[RESULT__COUNT];
	struct metric_histogram phases[METRIC_PHASES];
	/* Of the last probe that said something of an onion, which is told while that is listed. */
	uint64_t onion; /* 0: there was none */
	bool reachable;
	int32_t latency; /* ms, of the last one that was answered; -1: none */
	int status;      /* 0: none */
};

struct text {
	char *p; /* owned */
	size_t len;
	unsigned holds;
};

struct metrics {
	struct mirror_counts *mirrors; /* owned; those of the configuration in force, in its order */
	size_t n;
	struct metric_histogram rotation, write, late;
	struct httpd *httpd;    /* owned */
	bool passed;            /* the service manager opened our sockets */
	struct endpoint listen; /* the one in use; kind 0: none */
	struct text *text;      /* held; the newest, NULL: none yet */
	int64_t made;           /* mono: when */
	char *textfile;         /* owned; the one in use, NULL: none */
	struct text *written;   /* held: what is in it */
	int64_t written_at;     /* mono */
	bool failing;           /* it can't be written, and that was said */
	struct timer *write_timer; /* owned */
};

/* counts.c: as many as there are mirrors, what was counted for those that stay is kept. */
void counts_set(struct daemon *d);

#endif
