/* SPDX-License-Identifier: BSD-3-Clause */
/* The queue of commands in flight. Owns copies of its entries, nothing they point to. */
#include "config.h"
#include "tor/queue.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* A ring: entries are at [head, head + count) modulo cap. */
struct queue {
	struct queue_entry *ring;
	size_t head, count, cap;
};

struct queue *
queue_new(void)
{
	return xcalloc(1, sizeof(struct queue));
}

void
queue_push(struct queue *q, const struct queue_entry *entry)
{
	struct queue_entry *ring;
	size_t i, cap;

	if (q->count == q->cap) {
		cap = q->cap == 0 ? 16 : q->cap * 2;
		ring = xcalloc(cap, sizeof(*ring));
		for (i = 0; i < q->count; i++)
			ring[i] = q->ring[(q->head + i) % q->cap];
		free(q->ring);
		q->ring = ring;
		q->cap = cap;
		q->head = 0;
	}
	q->ring[(q->head + q->count++) % q->cap] = *entry;
}

const struct queue_entry *
queue_peek(const struct queue *q)
{
	return q->count == 0 ? NULL : &q->ring[q->head];
}

bool
queue_pop(struct queue *q, struct queue_entry *out)
{
	if (q->count == 0)
		return false;
	*out = q->ring[q->head];
	q->head = (q->head + 1) % q->cap;
	q->count--;
	return true;
}

size_t
queue_count(const struct queue *q)
{
	return q->count;
}

int
queue_check(const struct queue_entry *entry, const struct reply *reply, struct err *e)
{
	const char *text = reply_text(reply);
	size_t n = strlen(entry->key);

	if (reply->code < 200 || reply->code > 299 || entry->shape == SHAPE_ANY)
		return 0;
	if (entry->shape == SHAPE_OK) {
		if (reply->n_lines == 1 && strchr(text, '=') == NULL)
			return 0;
	} else if (strncasecmp(text, entry->key, n) == 0 && (text[n] == '=' || text[n] == '\0')) {
		return 0;
	}
	return err_set(e, ERR_PROTO,
	    "tor's answers are out of step with our commands (%s%s, got \"%.40s\")",
	    entry->shape == SHAPE_OK ? "wanted OK" : "wanted ", entry->key, text);
}

void
queue_free(struct queue *q)
{
	if (q == NULL)
		return;
	free(q->ring);
	free(q);
}
