/* SPDX-License-Identifier: BSD-3-Clause */
/* The framer: every way to cut the input, every bound, every byte that tor never sends. */
#include "config.h"
#include "raw.h"

#include "base/buf.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

/* Writes a message down so that any difference shows. */
static int note(const struct reply *r, void *arg)
{
	struct buf *b = arg;
	size_t i;

	buf_addf(b, "{%d%s", r->code, r->is_event ? " event" : "");
	for (i = 0; i < r->n_lines; i++) {
		const struct reply_line *l = &r->lines[i];

		cr_expect_eq(l->code, r->code);
		cr_expect_eq(strlen(l->text), l->len);
		cr_expect((l->data != NULL) == (l->sep == '+'));
		buf_addf(b, "|%c%s", l->sep, l->text);
		if (l->data == NULL)
			continue;
		cr_expect_eq(strlen(l->data), l->data_len);
		buf_addf(b, "<%s>", l->data);
	}
	buf_adds(b, "}");
	return 0;
}

static int count(const struct reply *r, void *arg)
{
	(void)r;
	++*(unsigned *)arg;
	return 0;
}

Test(proto_reply, messages_of_every_shape_are_framed)
{
	static const struct {
		const char *in, *out;
	} table[] = {
	    {"250 OK\r\n", "{250| OK}"},
	    {"250 \r\n", "{250| }"},
	    {"510 Unrecognized command \"\"\r\n", "{510| Unrecognized command \"\"}"},
	    {"250-a=1\r\n250 OK\r\n", "{250|-a=1| OK}"},
	    {"250-onions/current=\r\n250 OK\r\n", "{250|-onions/current=| OK}"},
	    {"250+onions/current=\r\na\r\nb\r\n.\r\n250 OK\r\n", "{250|+onions/current=<a\nb>| OK}"},
	    {"250+x=\r\n.\r\n250 OK\r\n", "{250|+x=<>| OK}"},
	    {"250+x=\r\n\r\n.\r\n250 OK\r\n", "{250|+x=<>| OK}"},
	    {"250+x=\r\n\r\na\r\n\r\n.\r\n250 OK\r\n", "{250|+x=<\na\n>| OK}"},
	    {"250+x=\r\n..\r\n..b\r\n...\r\n.c\r\n.\r\n250 OK\r\n", "{250|+x=<.\n.b\n..\nc>| OK}"},
	    {"250+x=\r\n250 OK\r\n650 y\r\n.\r\n250 OK\r\n", "{250|+x=<250 OK\n650 y>| OK}"},
	    {"250+x=\r\na\rb\r\n.\r\n250 OK\r\n", "{250|+x=<a\rb>| OK}"},
	    {"250+x=\r\na\r\r\n.\r\n250 OK\r\n", "{250|+x=<a\r>| OK}"},
	    {"250+x=\r\n. \r\n.\r\n250 OK\r\n", "{250|+x=< >| OK}"},
	    {"250+x=\r\n1\r\n.\r\n250+y=\r\n2\r\n.\r\n250-z=\r\n250 OK\r\n", "{250|+x=<1>|+y=<2>|-z=| OK}"},
	    {"650 NETWORK_LIVENESS UP\r\n250 OK\r\n650-A\r\n650 OK\r\n551 no\r\n",
		"{650 event| NETWORK_LIVENESS UP}{250| OK}{650 event|-A| OK}{551| no}"},
	    {"650+HS_DESC_CONTENT a b c\r\nbody\r\n.\r\n650 OK\r\n", "{650 event|+HS_DESC_CONTENT a b c<body>| OK}"},
	    {"552 Unrecognized key \"\xc3\xa9\xff\"\r\n", "{552| Unrecognized key \"\xc3\xa9\xff\"}"},
	};
	struct err e = ERR_INIT;
	size_t i;

	for (i = 0; i < sizeof table / sizeof table[0]; i++) {
		struct buf b = BUF_INIT(4096);

		cr_expect_eq(
		    raw_feed(table[i].in, strlen(table[i].in), note, &b, &e), 0, "%s: %s", table[i].in, e.msg);
		cr_expect_str_eq(buf_str(&b), table[i].out);
		buf_free(&b);
	}
}

Test(proto_reply, where_the_input_is_cut_makes_no_difference)
{
	static const char in[] = "250-PROTOCOLINFO 1\r\n250-AUTH METHODS=NULL\r\n250 OK\r\n"
				 "650 CIRC 1 BUILT\r\n250+k=\r\n..a\r\n\r\nb\r\n.\r\n250-j=x\r\n250 OK\r\n"
				 "650+NS\r\n.\r\n650 OK\r\n515 no\r\n250 OK\r\n";
	const size_t n = sizeof in - 1;
	struct buf whole = BUF_INIT(4096);
	size_t i, j;

	cr_assert_eq(raw_feed(in, n, note, &whole, NULL), 0);
	for (i = 0; i <= n; i++)
		for (j = i; j <= n; j++) {
			struct reply_reader *r = reply_reader_new();
			struct buf b = BUF_INIT(4096);

			cr_assert_eq(reply_reader_feed(r, in, i, note, &b, NULL), 0);
			cr_assert_eq(reply_reader_feed(r, in + i, j - i, note, &b, NULL), 0);
			cr_assert_eq(reply_reader_feed(r, in + j, n - j, note, &b, NULL), 0);
			cr_assert_str_eq(buf_str(&b), buf_str(&whole), "cut at %zu and %zu", i, j);
			cr_assert(reply_reader_is_idle(r));
			buf_free(&b);
			reply_reader_free(r);
		}
	buf_free(&whole);
}

Test(proto_reply, bytes_that_tor_never_sends_are_refused_in_one_piece_and_in_many)
{
	static const struct {
		const char *in;
		size_t len; /* 0: strlen */
	} table[] = {
	    {"250 OK\n", 0}, /* LF alone */
	    {"250 OK\n\r\n", 0},
	    {"250 OK\r250 OK\r\n", 0}, /* CR alone */
	    {"250 OK\r\r\n", 0},
	    {"250 O\0K\r\n", 9}, /* NUL */
	    {"250+x=\r\na\0b\r\n.\r\n250 OK\r\n", 25},
	    {"250+x=\r\na\nb\r\n.\r\n250 OK\r\n", 0}, /* LF in data */
	    {"250+x=\r\n.\n250 OK\r\n", 0},
	    {"\r\n", 0},
	    {"25 \r\n", 0},
	    {"250\r\n", 0},
	    {"250_OK\r\n", 0},
	    {"2500 OK\r\n", 0},
	    {" 250 OK\r\n", 0},
	    {"-50 OK\r\n", 0},
	    {"25a OK\r\n", 0},
	    {"999 what\r\n", 0},
	    {"150 OK\r\n", 0},
	    {"350 OK\r\n", 0},
	    {"000 OK\r\n", 0},
	    {"250-a=1\r\n251 OK\r\n", 0}, /* mixed codes */
	    {"250-a=1\r\n650 CIRC 1 BUILT\r\n250 OK\r\n", 0},
	    {"650-CONF_CHANGED\r\n250 OK\r\n", 0},
	    {"HTTP/1.0 501 Tor is not an HTTP Proxy\r\n", 0},
	};
	size_t i, k;

	for (i = 0; i < sizeof table / sizeof table[0]; i++) {
		size_t len = table[i].len != 0 ? table[i].len : strlen(table[i].in);
		struct err e = ERR_INIT, e2 = ERR_INIT;
		struct reply_reader *r = reply_reader_new();
		unsigned n = 0;
		int rc = 0;

		cr_expect_eq(raw_feed(table[i].in, len, count, &n, &e), -1, "row %zu", i);
		cr_expect_eq(e.code, ERR_PARSE, "row %zu", i);
		cr_expect_eq(n, 0, "row %zu: a message was made of it", i);
		for (k = 0; k < len && rc == 0; k++)
			rc = reply_reader_feed(r, table[i].in + k, 1, count, &n, &e2);
		cr_expect_str_eq(e2.msg, e.msg, "row %zu", i);
		reply_reader_free(r);
	}
}

Test(proto_reply, what_came_before_a_fault_is_delivered_and_nothing_after)
{
	struct reply_reader *r = reply_reader_new();
	struct buf b = BUF_INIT(4096);
	struct err e = ERR_INIT;

	cr_assert_eq(reply_reader_feed(r, "250 A\r\nxxx\r\n250 B\r\n", 19, note, &b, &e), -1);
	cr_assert_eq(e.code, ERR_PARSE);
	err_clear(&e);
	cr_assert_eq(reply_reader_feed(r, "250 C\r\n", 7, note, &b, &e), -1);
	cr_assert_eq(e.code, ERR_PARSE);
	cr_assert_str_eq(buf_str(&b), "{250| A}");
	buf_free(&b);
	reply_reader_free(r);
}

static int stop(const struct reply *r, void *arg)
{
	(void)r;
	++*(unsigned *)arg;
	return -1;
}

Test(proto_reply, the_callback_can_stop_the_reader)
{
	struct err e = ERR_INIT;
	unsigned n = 0;

	cr_assert_eq(raw_feed("250 A\r\n250 B\r\n", 14, stop, &n, &e), -1);
	cr_assert_eq(e.code, ERR_CLOSED);
	cr_assert_eq(n, 1);
}

/* prefix, `n` times `unit`, suffix; fed in pieces of `piece` bytes. */
static enum err_code feed_many(
    const char *prefix, const char *unit, size_t n, const char *suffix, size_t piece, size_t *fed)
{
	struct buf b = BUF_INIT((size_t)256 * 1024 * 1024);
	struct reply_reader *r = reply_reader_new();
	struct err e = ERR_INIT;
	unsigned got = 0;
	size_t i, len;

	buf_adds(&b, prefix);
	for (i = 0; i < n; i++)
		buf_adds(&b, unit);
	buf_adds(&b, suffix);
	cr_assert(buf_ok(&b));
	for (i = 0; i < b.len; i += len) {
		len = b.len - i < piece ? b.len - i : piece;
		if (reply_reader_feed(r, b.data + i, len, count, &got, &e) != 0)
			break;
	}
	*fed = i;
	cr_expect(e.code != ERR_NONE || got > 0);
	reply_reader_free(r);
	buf_free(&b);
	return e.code;
}

Test(proto_reply, every_bound_holds_and_what_is_just_inside_passes)
{
	static const struct {
		const char *prefix, *unit;
		size_t n;
		const char *suffix;
		enum err_code code;
	} table[] = {
	    {"250 ", "x", REPLY_LINE_MAX - 4, "\r\n", ERR_NONE},
	    {"250 ", "x", REPLY_LINE_MAX - 3, "\r\n", ERR_LIMIT},
	    {"250 ", "x", 4 * 1024 * 1024, "", ERR_LIMIT},
	    {"250+x=\r\n", "y", REPLY_LINE_MAX, "\r\n.\r\n250 OK\r\n", ERR_NONE},
	    {"250+x=\r\n", "y", REPLY_LINE_MAX + 1, "\r\n.\r\n250 OK\r\n", ERR_LIMIT},
	    {"", "250-a\r\n", REPLY_LINES_MAX - 1, "250 OK\r\n", ERR_NONE},
	    {"", "250-a\r\n", REPLY_LINES_MAX, "250 OK\r\n", ERR_LIMIT},
	    {"", "250-a\r\n", 100000, "", ERR_LIMIT},
	    {"250+x=\r\n", "y\r\n", REPLY_LINES_MAX - 3, ".\r\n250 OK\r\n", ERR_NONE},
	    {"250+x=\r\n", "y\r\n", REPLY_LINES_MAX - 2, ".\r\n250 OK\r\n", ERR_LIMIT},
	};
	size_t i, fed, k;
	const size_t pieces[] = {1, 4096, (size_t)1 << 30};

	for (i = 0; i < sizeof table / sizeof table[0]; i++)
		for (k = i == 2 ? 1 : 0; k < 3; k++) {
			cr_expect_eq(
			    feed_many(table[i].prefix, table[i].unit, table[i].n, table[i].suffix, pieces[k], &fed),
			    table[i].code, "row %zu, pieces of %zu", i, pieces[k]);
			if (table[i].code == ERR_LIMIT && pieces[k] == 4096)
				cr_expect(fed <= REPLY_SIZE_MAX + 4096, "row %zu: noticed after %zu bytes", i, fed);
		}
}

Test(proto_reply, a_reply_of_exactly_the_limit_passes_and_one_byte_more_does_not)
{
	unsigned over, data;

	for (data = 0; data < 2; data++)
		for (over = 0; over < 2; over++) {
			const char *end = data ? "\r\n.\r\n250 OK\r\n" : "\r\n250 OK\r\n";
			struct buf b = BUF_INIT(2 * REPLY_SIZE_MAX);
			struct err e = ERR_INIT;
			unsigned n = 0;

			buf_adds(&b, data ? "250+x=\r\n" : "250-x=\r\n");
			while (b.len + 2048 + 32 <= REPLY_SIZE_MAX)
				buf_addf(&b, "%s%0*d\r\n", data ? "" : "250-", 1024, 0);
			buf_addf(&b, "%s%0*d%s", data ? "" : "250-",
			    (int)(REPLY_SIZE_MAX - b.len - (data ? 0 : 4) - strlen(end) + over), 0, end);
			cr_assert_eq(b.len, REPLY_SIZE_MAX + over);
			cr_expect_eq(raw_feed(b.data, b.len, count, &n, &e), over ? -1 : 0);
			cr_expect_eq(e.code, over ? ERR_LIMIT : ERR_NONE);
			cr_expect_eq(n, 1 - over);
			buf_free(&b);
		}
}

Test(proto_reply, a_burst_of_events_is_counted_and_the_reply_still_found)
{
	struct reply_reader *r = reply_reader_new();
	struct err e = ERR_INIT;
	unsigned n = 0, i;

	for (i = 0; i < 100000; i++)
		cr_assert_eq(reply_reader_feed(r, "650 CIRC 12 CLOSED\r\n", 20, count, &n, &e), 0);
	cr_assert_eq(reply_reader_feed(r, "250 OK\r\n", 8, count, &n, &e), 0);
	cr_assert_eq(n, 100001);
	reply_reader_free(r);
}

static int check(const struct reply *r, void *arg)
{
	struct err *e = arg;

	return reply_check(r, e) == 0 ? 0 : -1;
}

Test(proto_reply, codes_become_errors_by_a_table)
{
	static const struct {
		const char *in;
		enum err_code code;
	} table[] = {
	    {"250 OK\r\n", ERR_NONE},
	    {"251 x\r\n", ERR_NONE},
	    {"252 x\r\n", ERR_NONE},
	    {"451 x\r\n", ERR_REFUSED},
	    {"500 Line too long.\r\n", ERR_REFUSED},
	    {"510 Unrecognized command\r\n", ERR_REFUSED},
	    {"512 Bad arguments\r\n", ERR_REFUSED},
	    {"513 x\r\n", ERR_REFUSED},
	    {"514 Authentication required.\r\n", ERR_AUTH},
	    {"515 Authentication failed\r\n", ERR_AUTH},
	    {"550 Onion address collision\r\n", ERR_REFUSED},
	    {"551 x\r\n", ERR_REFUSED},
	    {"552 Unknown Onion Service id\r\n", ERR_NOTFOUND},
	    {"553 x\r\n", ERR_REFUSED},
	    {"650 OK\r\n", ERR_PROTO},
	};
	size_t i;

	for (i = 0; i < sizeof table / sizeof table[0]; i++) {
		struct err e = ERR_INIT;

		raw_reply(table[i].in, check, &e);
		cr_expect_eq(e.code, table[i].code, "%s", table[i].in);
	}
}
