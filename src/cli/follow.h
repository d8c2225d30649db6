/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CLI_FOLLOW_H
#define CLI_FOLLOW_H

#include "cli/client.h"

/*
 * Shows the steps of an operation until it ends, and on a terminal what it
 * waits for; `cl` has subscribed. mirror: what it is about, NULL: not known.
 * Returns an enum cli_exit: that of the operation, or why it can't be followed.
 */
int follow_operation(const struct cli *c, struct client *cl, long long op, const char *mirror);
/* Shows one step; true when it is the last one, then *code is set. */
bool follow_show_step(const struct cli *c, const json_t *event, int *code);

#endif
