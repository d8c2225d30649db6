/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DAEMON_CONTROL_H
#define DAEMON_CONTROL_H

#include "base/err.h"

#include <jansson.h>
#include <stdbool.h>

/*
 * The control socket: JSON-RPC 2.0, one object a line; at most 64 clients, 64
 * KiB a request, 256 KiB of answers not yet read. Allowed are root, our own
 * uid, and, with control-group, whoever the socket's group lets in.
 */
struct control;
struct daemon;

struct control *control_new(struct daemon *d, struct err *e);
void control_free(struct control *c);
/* Sends {"method":"event"} to everybody who subscribed; `params` is stolen. c may be NULL. */
void control_notify(struct control *c, json_t *params);

/* One method (methods.c); the table is the master copy. */
struct method {
	const char *name;
	bool changes; /* alters something: its answer holds "op" */
	const char *help;
	/*
	 * params: an object or NULL. The result (the caller's reference), or NULL
	 * with a reason from the fixed list and a message in `e`.
	 */
	json_t *(*call)(struct daemon *d, const json_t *params, const char **reason, struct err *e);
};
extern const struct method methods[]; /* ends with a NULL name */

#endif
