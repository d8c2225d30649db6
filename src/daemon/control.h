/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DAEMON_CONTROL_H
#define DAEMON_CONTROL_H

#include "base/err.h"

#include <jansson.h>
#include <stdbool.h>

/*
 * The control socket (onionmirror-control(7)): JSON-RPC 2.0, one object a
 * line; at most 64 clients, 64 KiB a request. A client that has more than 128
 * KiB of answers and events unread is cut at the next one: with what it has
 * half sent it never costs more than 512 KiB. Allowed are root, our own uid,
 * and, with control-group, whoever the socket's group lets in.
 */
struct control;
struct daemon;

/* d->control_gid, from the system's groups: before a sandbox keeps them away. */
int control_find_group(struct daemon *d, struct err *e);
struct control *control_new(struct daemon *d, struct err *e);
void control_free(struct control *c);
/* Clients that are connected; c may be NULL. */
unsigned control_clients(const struct control *c);
/* Sends {"method":"event"} to everybody who subscribed; `params` is stolen. c may be NULL. */
void control_notify(struct control *c, json_t *params);

/* One parameter of a method. */
enum param_type { PARAM_TEXT, PARAM_NUMBER, PARAM_BOOL, PARAM_SECRET /* a text that is never kept */ };
enum param_need { PARAM_OPTIONAL, PARAM_NEEDED, PARAM_ONE_OF }; /* ONE_OF: exactly one of those that say so */
#define PARAM_NUMBER_MAX (((json_int_t)1 << 53) - 1) /* what every reader of JSON can hold */
#define PARAMS_MAX 4
struct param {
	const char *name;
	enum param_type type;
	enum param_need need;
	json_int_t least, most; /* of a NUMBER; of a TEXT: bytes */
	const char *help;
};

/* Who may call it: everybody who is let in, or only root and the daemon's own user. */
enum who { WHO_GROUP, WHO_OWNER };

/* One method (methods.c); the table is the master copy. */
struct method {
	const char *name;
	bool changes; /* alters something: its answer holds "op", and it takes "id" of the caller (calls.c) */
	enum who who;
	const char *help; /* one sentence */
	/*
	 * params fit the table, and may be NULL if none is needed. The result (the
	 * caller's reference), or NULL with a message in `e` and, unless it is
	 * "refused", a reason of the fixed list.
	 */
	json_t *(*call)(struct daemon *d, const json_t *params, const char **reason, struct err *e);
	struct param params[PARAMS_MAX + 1]; /* ends with a NULL name */
};
extern const struct method methods[]; /* ends with a NULL name */

/* Every data.reason there is. */
struct reason {
	const char *name, *help;
};
extern const struct reason reasons[]; /* ends with a NULL name */

/* calls.c: one call from a client, `owner` as in WHO_OWNER. As method->call; *reason is always set on failure. */
const struct method *method_find(const char *name);
json_t *method_call(struct daemon *d, const struct method *m, bool owner, json_t *params, const char **reason, struct err *e);

#endif
