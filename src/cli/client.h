/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CLI_CLIENT_H
#define CLI_CLIENT_H

#include "cli/cli.h"
#include "io/loop.h"

#include <signal.h>

/*
 * A client of the daemon's control socket: one request at a time, and the
 * notifications that follow `subscribe`. Blocking, each step under a deadline.
 */
struct client;

/* -s, or control-socket of the configuration. NULL: the message is in `e` (ERR_CLOSED: not reachable). */
struct client *client_open(const struct cli *c, struct err *e);
/*
 * The same in a loop of the caller's, which outlives it; no step takes longer
 * than `ms`, and when *stop becomes true meanwhile it fails at once.
 */
struct client *client_open_in(struct loop *l, const struct cli *c, int64_t ms, const volatile sig_atomic_t *stop, struct err *e);
void client_close(struct client *cl);
/*
 * Calls a method; `params` (may be NULL) is stolen. The result is the caller's
 * reference; NULL on failure: ERR_REFUSED is the daemon's own refusal,
 * everything else a broken link. Notifications that come meanwhile are kept.
 */
json_t *client_call(struct client *cl, const char *method, json_t *params, struct err *e);
/* As client_call() of a method that answers in pages: all of them, as {list: [...]}. `list` names the member with the rows. */
json_t *client_call_pages(struct client *cl, const char *method, json_t *params, const char *list, struct err *e);
/* The params of the next notification, the caller's reference; NULL at the deadline (ERR_TIMEOUT) or when the link ends. */
json_t *client_next(struct client *cl, int64_t ms, struct err *e);
/* CLI_UNREACHABLE or CLI_FAILED, as the error says; prints it. */
int client_fail(const struct err *e);

#endif
