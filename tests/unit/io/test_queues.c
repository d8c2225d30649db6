/* SPDX-License-Identifier: BSD-3-Clause */
/* The two queues of a stream, against a plain model. */
#include "config.h"
#include "io/inbuf.h"
#include "io/outq.h"

#include <criterion/criterion.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static unsigned
step(unsigned *state)
{
	*state = *state * 1103515245u + 12345u;
	return *state >> 16;
}

Test(io_inbuf, behaves_like_a_bounded_queue)
{
	static const size_t maxima[] = { 1, 7, 4096, 4097, 100000 };
	size_t i, room, n, len, k;
	unsigned state = 1;
	const char *p;
	char *to;

	for (i = 0; i < sizeof maxima / sizeof *maxima; i++) {
		struct inbuf b = { .max = maxima[i] };
		unsigned char in = 0, out = 0;
		int rounds;

		p = inbuf_peek(&b, &len);
		cr_expect(p != NULL && len == 0);
		for (rounds = 0; rounds < 3000; rounds++) {
			to = inbuf_space(&b, &room);
			inbuf_peek(&b, &len);
			cr_assert(room <= maxima[i] - len, "max %zu", maxima[i]);
			cr_assert((room == 0) == (len == maxima[i]), "room unless full");
			n = room > 0 ? step(&state) % (room + 1) : 0;
			for (k = 0; k < n; k++)
				to[k] = (char)in++;
			inbuf_added(&b, n);
			p = inbuf_peek(&b, &len);
			n = step(&state) % (len + 2);
			for (k = 0; k < n && k < len; k++)
				cr_assert_eq((unsigned char)p[k], out++);
			inbuf_consume(&b, n);
		}
		inbuf_clear(&b);
		inbuf_peek(&b, &len);
		cr_expect_eq(len, 0);
	}
}

/* Taking short lines off a large full one must not move the rest each time. */
Test(io_inbuf, does_not_move_bytes_for_each_line, .timeout = 20)
{
	struct inbuf b = { .max = (size_t)64 << 20 };
	size_t room, len, total = 0;
	char *p;

	while (total < b.max) {
		p = inbuf_space(&b, &room);
		memset(p, 'x', room);
		cr_assert_gt(room, 0);
		inbuf_added(&b, room);
		total += room;
	}
	while (inbuf_peek(&b, &len), len > 0)
		inbuf_consume(&b, 64);
	cr_expect_eq(b.cap, 0, "a large empty one gives its memory back");
	inbuf_clear(&b);
}

Test(io_inbuf, wipes_what_was_consumed)
{
	struct inbuf b = { .max = 1000 };
	size_t room;
	char *p = inbuf_space(&b, &room);

	memcpy(p, "secret rest", 11);
	inbuf_added(&b, 11);
	inbuf_consume(&b, 7);
	cr_expect_eq(memcmp(p, "\0\0\0\0\0\0\0rest", 11), 0);
	inbuf_clear(&b);
}

Test(io_outq, keeps_order_across_plain_and_secret_pieces)
{
	struct outq q = OUTQ_INIT;
	unsigned char bytes[9000], in = 0, out = 0;
	const unsigned char *p;
	unsigned state = 7;
	size_t n, k, total = 0;
	int rounds;

	cr_expect_eq(outq_front(&q, &n), NULL);
	for (rounds = 0; rounds < 2000; rounds++) {
		n = step(&state) % (rounds % 10 == 0 ? sizeof bytes : 40);
		for (k = 0; k < n; k++)
			bytes[k] = in++;
		if (step(&state) % 4 == 0)
			cr_assert_eq(outq_add_secret(&q, bytes, n), 0);
		else
			outq_add(&q, bytes, n);
		total += n;
		cr_assert_eq(q.len, total);
		p = outq_front(&q, &n);
		cr_assert_eq(p == NULL, total == 0);
		if (p == NULL)
			continue;
		n = 1 + step(&state) % n;
		for (k = 0; k < n; k++)
			cr_assert_eq(p[k], out++);
		outq_pop(&q, n);
		total -= n;
	}
	outq_clear(&q);
	cr_expect(q.len == 0 && q.head == NULL && q.tail == NULL);
}
