/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TOR_JUDGE_H
#define TOR_JUDGE_H

#include "proto/http.h"
#include "proto/verdict.h"
#include "tor/prober.h"
#include "tor/trace.h"

#include <stddef.h>

/*
 * The tables that turn what a probe met into a verdict. Pure. `detail` has
 * PROBE_DETAIL_SIZE bytes and always gets a line for people, in which every
 * byte from outside that is not printable ASCII stands as \xNN.
 */

/*
 * A SOCKS reply other than 0, in the light of the events. Ports without
 * ExtendedErrors say 01 and 04 for several things each; with events, and
 * trace.cached asked for, these give the same verdicts as F0 to F7.
 */
enum verdict judge_socks(int code, const struct trace *t, char *detail);
/*
 * Nothing came in `ms`: SOCKS reply 06, or our own deadline before the reply.
 * Inconclusive when tor had the descriptor and not even a rendezvous point was
 * found: that part of the way is our own tor's, and no mirror has a hand in it.
 */
enum verdict judge_timeout(const struct trace *t, int64_t ms, char *detail);
/*
 * A response whose head is complete, against what the request expects.
 * `cut`: the body went past HTTP_BODY_MAX, or said that it would. Then only
 * what was read of it can hold `contains`, and `sha256` can't be met.
 */
enum verdict judge_response(
    const struct http_reader *r, bool cut, const struct probe_request *rq, char *detail);

/*
 * The answer to a request for the content's version: status 200, and a body that is a decimal number
 * below 2^63, perhaps with white space behind it. Else `content`.
 */
enum verdict judge_version(const struct http_reader *r, bool cut, uint64_t *version, char *detail);

/* Sets detail from a format; the result is escaped as a whole. */
void judge_detail(char *detail, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
