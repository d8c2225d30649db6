/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TOR_JUDGE_H
#define TOR_JUDGE_H

#include "proto/http.h"
#include "proto/verdict.h"
#include "tor/prober.h"

#include <stddef.h>

/*
 * The tables that turn what a probe met into a verdict. Pure. `detail` has
 * PROBE_DETAIL_SIZE bytes and always gets a line for people, in which every
 * byte from outside that is not printable ASCII stands as \xNN.
 */

/* What HS_DESC events said about the address while the probe ran. */
enum desc_sight {
	DESC_UNSEEN = 0, /* no event: it was cached, or events don't reach us */
	DESC_REQUESTED,
	DESC_RECEIVED,
	DESC_MISSING, /* FAILED: NOT_FOUND and the like */
	DESC_BAD,     /* FAILED: BAD_DESC */
};
/* Folds one event (about this address) into what was seen before. RECEIVED is final: tor asks on after a FAILED. */
enum desc_sight judge_sight(enum desc_sight before, const struct event_hs_desc *ev);

/* A SOCKS reply other than 0, in the light of the events. */
enum verdict judge_socks(int code, enum desc_sight sight, char *detail);
/*
 * A response whose head is complete, against what the request expects.
 * `cut`: the body went past HTTP_BODY_MAX, or said that it would. Then only
 * what was read of it can hold `contains`, and `sha256` can't be met.
 */
enum verdict judge_response(
    const struct http_reader *r, bool cut, const struct probe_request *rq, char *detail);

/* Sets detail from a format; the result is escaped as a whole. */
void judge_detail(char *detail, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
