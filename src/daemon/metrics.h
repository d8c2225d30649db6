/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DAEMON_METRICS_H
#define DAEMON_METRICS_H

#include "daemon/daemon.h"
#include "proto/metrics.h"

/*
 * Numbers for Prometheus (onionmirror-metrics(7)). What is, is read from the
 * state when somebody asks; what happened is counted here, from the start of
 * the process. Series are bounded: labels are names of the configuration and
 * words of our own, and what was counted for a mirror goes with it.
 */
struct metrics;

/* Begins to count. */
void metrics_open(struct daemon *d);
/* As the configuration in force wants it: mirrors, sockets, file. -1: some socket could not be opened, the rest is done. */
int metrics_set(struct daemon *d, struct err *e);
/* The sockets and the file go. */
void metrics_close(struct daemon *d);

/* What happened. */
void metrics_on_note(struct daemon *d, const struct action *a);
void metrics_on_probe(struct daemon *d, const char *mirror, uint64_t onion, const struct probe_result *pr);
void metrics_on_upload(struct daemon *d, const char *address, bool ok);
/* What was due is begun, late by so many ms; below 0: nothing was due yet. */
void metrics_on_tick(struct daemon *d, int64_t late);

/* All of it as text, at most a second old; NULL if it is beyond all bounds. Good until the next call. */
const char *metrics_text(struct daemon *d, size_t *len);

/* The table: the master copy of names, labels and help. */
struct metric_row {
	struct metric m;
	void (*collect)(struct daemon *d, const struct metric *m, struct buf *out);
};
extern const struct metric_row metric_rows[]; /* ends with a NULL name */

#endif
