/* SPDX-License-Identifier: BSD-3-Clause */
/* The queue of bytes to send: chunks, so that nothing is moved and secrets keep their own pages. */
#include "config.h"
#include "io/outq.h"

#include "base/mem.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_MIN 4096

struct outq_chunk {
	struct outq_chunk *next;
	char *data; /* owned: secret_alloc()ed if secret */
	size_t off, len, cap;
	bool secret;
};

static void
append(struct outq *q, struct outq_chunk *c)
{
	if (q->tail != NULL)
		q->tail->next = c;
	else
		q->head = c;
	q->tail = c;
}

void
outq_add(struct outq *q, const void *p, size_t n)
{
	struct outq_chunk *c = q->tail;

	if (n == 0)
		return;
	if (c == NULL || c->secret || c->cap - c->len < n) {
		c = xcalloc(1, sizeof *c);
		c->cap = n > CHUNK_MIN ? n : CHUNK_MIN;
		c->data = xreallocarray(NULL, c->cap, 1);
		append(q, c);
	}
	memcpy(c->data + c->len, p, n);
	c->len += n;
	q->len += n;
}

int
outq_add_secret(struct outq *q, const void *p, size_t n)
{
	struct outq_chunk *c;
	char *data;

	if (n == 0)
		return 0;
	if ((data = secret_alloc(n)) == NULL)
		return -1;
	memcpy(data, p, n);
	c = xcalloc(1, sizeof *c);
	c->data = data;
	c->len = c->cap = n;
	c->secret = true;
	append(q, c);
	q->len += n;
	return 0;
}

const void *
outq_front(const struct outq *q, size_t *n)
{
	const struct outq_chunk *c = q->head;

	*n = c != NULL ? c->len - c->off : 0;
	return c != NULL ? c->data + c->off : NULL;
}

static void
drop_head(struct outq *q)
{
	struct outq_chunk *c = q->head;

	q->head = c->next;
	if (q->head == NULL)
		q->tail = NULL;
	q->len -= c->len - c->off;
	if (c->secret)
		secret_free(c->data);
	else
		free(c->data);
	free(c);
}

void
outq_pop(struct outq *q, size_t n)
{
	q->head->off += n;
	q->len -= n;
	if (q->head->off == q->head->len)
		drop_head(q);
}

void
outq_clear(struct outq *q)
{
	while (q->head != NULL)
		drop_head(q);
}
