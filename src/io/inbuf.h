/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef IO_INBUF_H
#define IO_INBUF_H

#include <stddef.h>

/*
 * Bytes that were read and not yet consumed, in one piece, at most `max`.
 * They may hold keys (tor sends some), so what is consumed or moved is wiped.
 */
struct inbuf {
	char *data; /* owned */
	size_t start, len, cap, max;
};

/* Where to read to, and how much fits (0 when full). */
char *inbuf_space(struct inbuf *b, size_t *room);
/* n bytes were read there. */
void inbuf_added(struct inbuf *b, size_t n);
const char *inbuf_peek(const struct inbuf *b, size_t *len);
void inbuf_consume(struct inbuf *b, size_t n);
void inbuf_clear(struct inbuf *b);

#endif
