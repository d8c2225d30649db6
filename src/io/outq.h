/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef IO_OUTQ_H
#define IO_OUTQ_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes that wait to be written. Secret ones lie in secret memory, wiped when they are popped or dropped. */
struct outq_chunk;
struct outq {
	struct outq_chunk *head, *tail;
	size_t len; /* bytes in all chunks */
};

#define OUTQ_INIT { NULL, NULL, 0 }

void outq_add(struct outq *q, const void *p, size_t n);
/* -1 when there is no secret memory; nothing is added then. */
int outq_add_secret(struct outq *q, const void *p, size_t n);
/* The first piece in one part, NULL when empty; valid until the next call on q. */
const void *outq_front(const struct outq *q, size_t *n);
/* Takes n bytes off; n is at most what outq_front() gave. */
void outq_pop(struct outq *q, size_t n);
void outq_clear(struct outq *q);

#endif
