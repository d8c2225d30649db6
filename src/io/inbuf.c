/* SPDX-License-Identifier: BSD-3-Clause */
/* The input of a stream: a window over a growing array, so that taking lines off a full one costs nothing. */
#include "config.h"
#include "io/inbuf.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

#define CAP_MIN 4096
#define CAP_KEEP 16384 /* an empty one larger than this gives its memory back */

static void
grow(struct inbuf *b)
{
	size_t cap = b->cap > b->max / 2 ? b->max : b->cap * 2;
	char *data;

	if (cap < CAP_MIN)
		cap = b->max < CAP_MIN ? b->max : CAP_MIN;
	data = xreallocarray(NULL, cap, 1);
	if (b->len > 0)
		memcpy(data, b->data + b->start, b->len);
	if (b->data != NULL)
		mem_wipe(b->data, b->cap);
	free(b->data);
	b->data = data;
	b->cap = cap;
	b->start = 0;
}

char *
inbuf_space(struct inbuf *b, size_t *room)
{
	if (b->start + b->len == b->cap) {
		/* Moving is paid for by the bytes that were consumed before, unless there is no more to grow. */
		if (b->start > b->cap / 2 || (b->start > 0 && b->cap == b->max)) {
			memmove(b->data, b->data + b->start, b->len);
			mem_wipe(b->data + b->len, b->start);
			b->start = 0;
		} else if (b->cap < b->max) {
			grow(b);
		}
	}
	*room = b->cap - b->start - b->len;
	return b->data != NULL ? b->data + b->start + b->len : NULL;
}

void
inbuf_added(struct inbuf *b, size_t n)
{
	b->len += n;
}

const char *
inbuf_peek(const struct inbuf *b, size_t *len)
{
	*len = b->len;
	return b->len > 0 ? b->data + b->start : "";
}

void
inbuf_consume(struct inbuf *b, size_t n)
{
	if (n > b->len)
		n = b->len;
	if (n == 0)
		return;
	mem_wipe(b->data + b->start, n);
	b->start += n;
	b->len -= n;
	if (b->len == 0) {
		b->start = 0;
		if (b->cap > CAP_KEEP)
			inbuf_clear(b);
	}
}

void
inbuf_clear(struct inbuf *b)
{
	if (b->data != NULL)
		mem_wipe(b->data, b->cap);
	free(b->data);
	b->data = NULL;
	b->start = b->len = b->cap = 0;
}
