/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TOR_QUEUE_H
#define TOR_QUEUE_H

#include "base/err.h"
#include "proto/reply.h"
#include "tor/session.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Commands on their way, oldest first. tor answers in order, so the only thing
 * that ties a reply to a command is its place: each entry therefore also says
 * what its success must look like, and a reply that doesn't shows that the two
 * sides are out of step.
 */
struct queue;

enum queue_shape {
	SHAPE_ANY,
	SHAPE_OK,  /* one line, no KEY=: "250 OK" */
	SHAPE_KEY, /* the first line is KEY, then "=" or its end; without regard to case */
};

#define QUEUE_KEY_MAX 128

struct queue_entry {
	session_reply_cb *cb;           /* NULL: see the next two */
	session_detached_cb *detached;  /* instead of cb, for session_detached() */
	session_count_cb *count;        /* instead of cb, for session_clients() */
	char address[56 + 1];           /* with count: whose clients */
	void *ctx;                      /* borrowed */
	uint64_t id;                    /* the caller's */
	int64_t deadline;               /* monotonic ms */
	enum queue_shape shape;
	char key[QUEUE_KEY_MAX + 1];
};

struct queue *queue_new(void);
void queue_push(struct queue *q, const struct queue_entry *entry);
/* The oldest, or NULL. Borrowed until the next change. */
const struct queue_entry *queue_peek(const struct queue *q);
/* Takes the oldest; false when empty. */
bool queue_pop(struct queue *q, struct queue_entry *out);
size_t queue_count(const struct queue *q);
/* ERR_PROTO when the reply can't be the answer to this command. What is not 2xx fits any. */
int queue_check(const struct queue_entry *entry, const struct reply *reply, struct err *e);
/* Without callbacks. NULL is fine. */
void queue_free(struct queue *q);

#endif
