/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>

/*
 * A growing byte string with a hard maximum. `data` always has a NUL behind
 * `len` bytes once something was added (or after buf_init + first add).
 * Appending past `max`, or out of memory, sets `failed` and adds nothing
 * more; callers may append freely and look at buf_ok() once at the end.
 */
struct buf {
	char *data; /* owned */
	size_t len, cap, max;
	bool failed, secret; /* secret: wiped when it grows or is freed */
};

#define BUF_INIT(maximum) { .max = (maximum) }

void buf_add(struct buf *b, const void *p, size_t n);
void buf_adds(struct buf *b, const char *s);
void buf_addf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Drops n bytes at the front. */
void buf_drain(struct buf *b, size_t n);
void buf_reset(struct buf *b);
/* The text so far, "" when nothing was added; valid until the next change. */
const char *buf_str(const struct buf *b);
/* Hands out the bytes (malloced, NUL-ended, yours), NULL if it failed; the buffer is empty afterwards. */
char *buf_take(struct buf *b);
static inline bool
buf_ok(const struct buf *b)
{
	return !b->failed;
}
void buf_free(struct buf *b);

#endif
