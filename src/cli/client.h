/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CLI_CLIENT_H
#define CLI_CLIENT_H

#include "cli/cli.h"

/*
 * A client of the daemon's control socket: one request at a time, and the
 * notifications that follow `subscribe`. Blocking, each step under a deadline.
 */
struct client;

/* -s, or control-socket of the configuration. NULL: the message is in `e` (ERR_CLOSED: not reachable). */
struct client *client_open(const struct cli *c, struct err *e);
void client_close(struct client *cl);
/*
 * Calls a method; `params` (may be NULL) is stolen. The result is the caller's
 * reference; NULL on failure: ERR_REFUSED is the daemon's own refusal,
 * everything else a broken link. Notifications that come meanwhile are kept.
 */
json_t *client_call(struct client *cl, const char *method, json_t *params, struct err *e);
/* The params of the next notification, the caller's reference; NULL at the deadline or when the link ends. */
json_t *client_next(struct client *cl, int64_t ms, struct err *e);
/* CLI_UNREACHABLE or CLI_FAILED, as the error says; prints it. */
int client_fail(const struct err *e);

#endif
