/* SPDX-License-Identifier: BSD-3-Clause */
/* The response reader: what servers send, what hostile ones send, and every cut of it. */
#include "config.h"
#include "proto/http.h"

#include <criterion/criterion.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OK "HTTP/1.1 200 OK\r\n"

struct row {
	const char *in;
	size_t len; /* 0: strlen */
	bool eof;   /* then the stream ends */
	enum err_code code;
	bool done;
	int status;
	const char *body;
	size_t extra; /* bytes left over */
};

static void run(const struct row *t, size_t i, size_t piece, bool head)
{
	size_t len = t->len != 0 ? t->len : strlen(t->in), at = 0, n = 0, used = 0, body_len;
	struct http_reader *r = http_reader_new();
	struct err e = ERR_INIT;
	const char *body;

	if (head)
		http_reader_set_head_request(r);
	while (at < len && used == n && e.code == ERR_NONE) {
		n = len - at < piece ? len - at : piece;
		used = 0;
		http_reader_feed(r, t->in + at, n, &used, &e);
		at += used;
	}
	if (t->eof && e.code == ERR_NONE)
		http_reader_eof(r, &e);
	body = http_reader_body(r, &body_len);
	cr_expect_eq(e.code, t->code, "row %zu in pieces of %zu: %s", i, piece, e.msg);
	cr_expect_eq(http_reader_done(r), t->done, "row %zu in pieces of %zu", i, piece);
	cr_expect_eq(
	    http_reader_status(r), t->status, "row %zu in pieces of %zu: %d", i, piece, http_reader_status(r));
	if (t->body != NULL)
		cr_expect(
		    body_len == strlen(t->body) && memcmp(body, t->body, body_len) == 0, "row %zu: \"%s\"", i, body);
	if (t->code == ERR_NONE)
		cr_expect_eq(len - at, t->extra, "row %zu in pieces of %zu: %zu bytes left", i, piece, len - at);
	http_reader_free(r);
}

static void run_all(const struct row *table, size_t n, bool head)
{
	size_t i, piece;

	for (i = 0; i < n; i++)
		for (piece = 1; piece < 40; piece++)
			run(&table[i], i, piece < 39 ? piece : 1 << 20, head);
}

Test(proto_http, well_formed_responses_are_read)
{
	static const struct row table[] = {
	    {OK "Content-Length: 2\r\n\r\nok", 0, false, ERR_NONE, true, 200, "ok", 0},
	    {OK "content-length:2\r\n\r\nokHTTP/1.1 200", 0, false, ERR_NONE, true, 200, "ok", 12},
	    {OK "Content-Length: \t 0002 \t\r\n\r\nok", 0, false, ERR_NONE, true, 200, "ok", 0},
	    {OK "Content-Length: 0\r\n\r\nx", 0, false, ERR_NONE, true, 200, "", 1},
	    {OK "\r\nuntil the end", 0, true, ERR_NONE, true, 200, "until the end", 0},
	    {OK "\r\n", 0, true, ERR_NONE, true, 200, "", 0},
	    {OK "\r\nnot yet", 0, false, ERR_NONE, false, 200, "not yet", 0},
	    {"HTTP/1.0 200 OK\r\nX:\r\n\r\nold", 0, true, ERR_NONE, true, 200, "old", 0},
	    {"HTTP/1.1 503\r\nContent-Length: 0\r\n\r\n", 0, false, ERR_NONE, true, 503, "", 0},
	    {"HTTP/1.1 404 \r\nContent-Length: 0\r\n\r\n", 0, false, ERR_NONE, true, 404, "", 0},
	    {"HTTP/1.1 301 Moved\r\nLocation: http://127.0.0.1:9051/\r\nContent-Length: 0\r\n\r\n", 0, false,
		ERR_NONE, true, 301, "", 0},
	    {OK "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\nzz", 0, false, ERR_NONE, true, 200, "ok", 2},
	    {OK "Transfer-Encoding: CHUNKED\r\n\r\n1;a=b\r\no\r\n001 ;c=\"d\"\r\nk\r\n000\r\nTrailer: x\r\n\r\n", 0,
		false, ERR_NONE, true, 200, "ok", 0},
	    {OK "Transfer-Encoding: chunked\r\n\r\nA\r\n0123456789\r\na\r\n0123456789\r\n0\r\n\r\n", 0, false,
		ERR_NONE, true, 200, "01234567890123456789", 0},
	    {OK "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 0, true, ERR_NONE, true, 200, "", 0},
	    {OK "Content-Encoding: identity\r\nContent-Length: 1\r\n\r\nx", 0, false, ERR_NONE, true, 200, "x", 0},
	    {"HTTP/1.1 204 No Content\r\n\r\nbody", 0, false, ERR_NONE, true, 204, "", 4},
	    {"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", 0, false, ERR_NONE, true, 204, "", 0},
	    {"HTTP/1.1 304 Not Modified\r\nContent-Length: 100\r\n\r\n", 0, false, ERR_NONE, true, 304, "", 0},
	    {"HTTP/1.1 100 Continue\r\nContent-Length: 9\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n\r\n" OK
	     "Content-Length: 1\r\n\r\nx",
		0, false, ERR_NONE, true, 200, "x", 0},
	    {OK "X: \x80\xff\tobs-text\r\n\r\n", 0, false, ERR_NONE, false, 200, "", 0},
	    {"HTTP/1.1 599 x\r\nContent-Length: 0\r\n\r\n", 0, false, ERR_NONE, true, 599, "", 0},
	};

	run_all(table, sizeof table / sizeof table[0], false);
}

Test(proto_http, no_answer_to_head_has_a_body)
{
	static const struct row table[] = {
	    {OK "Content-Length: 99999999\r\n\r\nx", 0, false, ERR_NONE, true, 200, "", 1},
	    {OK "Transfer-Encoding: chunked\r\n\r\n", 0, false, ERR_NONE, true, 200, "", 0},
	    {OK "\r\n", 0, false, ERR_NONE, true, 200, "", 0},
	    {OK "Content-Length: x\r\n\r\n", 0, false, ERR_PARSE, false, 200, "", 0},
	};

	run_all(table, sizeof table / sizeof table[0], true);
}

Test(proto_http, what_two_readers_could_understand_differently_is_refused)
{
	static const struct row table[] = {
	    {OK "Content-Length: 1\r\nContent-Length: 1\r\n\r\nx", 0, false, ERR_PARSE, false, 200, "", 0},
	    {OK "Content-Length: 1\r\nContent-Length: 2\r\n\r\nx", 0, false, ERR_PARSE, false, 200, "", 0},
	    {OK "Content-Length: 1, 1\r\n\r\nx", 0, false, ERR_PARSE, false, 200, "", 0},
	    {OK "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 0, false, ERR_PARSE, false, 200,
		"", 0},
	    {OK "Transfer-Encoding: identity\r\nContent-Length: 1\r\n\r\nx", 0, false, ERR_PARSE, false, 200, "", 0},
	    {OK "Content-Length: +5\r\n\r\nxxxxx", 0, false, ERR_PARSE, false, 200, "", 0},
	    {OK "Content-Length: -1\r\n\r\n", 0, false, ERR_PARSE, false, 200, "", 0},
	    {OK "Content-Length:\r\n\r\n", 0, false, ERR_PARSE, false, 200, "", 0},
	    {OK "Content-Length: 0x1\r\n\r\nx", 0, false, ERR_PARSE, false, 200, "", 0},
	    {OK "Content-Length: 1 1\r\n\r\nx", 0, false, ERR_PARSE, false, 200, "", 0},
	    {OK "Content-Length: 9223372036854775808\r\n\r\n", 0, false, ERR_LIMIT, false, 200, "", 0},
	    {OK "Content-Length: 99999999999999999999999999\r\n\r\n", 0, false, ERR_LIMIT, false, 200, "", 0},
	    {OK "Content-Length: 65537\r\n\r\n", 0, false, ERR_LIMIT, false, 200, "", 0},
	    {OK "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 0, false, ERR_PROTO, false, 200, "", 0},
	    {OK "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 0, false, ERR_PROTO,
		false, 200, "", 0},
	    {OK "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 0, false, ERR_PROTO, false, 200, "", 0},
	    {OK "Transfer-Encoding:\r\n\r\n0\r\n\r\n", 0, false, ERR_PROTO, false, 200, "", 0},
	    {"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 0, false, ERR_PROTO, false, 200, "",
		0},
	    {OK "Content-Encoding: gzip\r\n\r\n", 0, false, ERR_PROTO, false, 200, "", 0},
	    {OK "Content-Encoding: br\r\nContent-Encoding: identity\r\n\r\n", 0, false, ERR_PROTO, false, 200, "", 0},
	    {OK "Content-Encoding:\r\n\r\n", 0, false, ERR_PROTO, false, 200, "", 0},
	    {"HTTP/1.1 204 No\r\nContent-Length: 4\r\n\r\nbody", 0, false, ERR_PROTO, false, 204, "", 0},
	    {"HTTP/1.1 204 No\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 0, false, ERR_PROTO, false, 204, "",
		0},
	    {OK " folded: x\r\n\r\n", 0, false, ERR_PARSE, false, 0, "", 0},
	    {OK "A: b\r\n c\r\n\r\n", 0, false, ERR_PARSE, false, 0, "", 0},
	    {OK "A: b\r\n\tc\r\n\r\n", 0, false, ERR_PARSE, false, 0, "", 0},
	    {OK "Content-Length : 1\r\n\r\nx", 0, false, ERR_PARSE, false, 0, "", 0},
	    {OK ": x\r\n\r\n", 0, false, ERR_PARSE, false, 0, "", 0},
	    {OK "no colon\r\n\r\n", 0, false, ERR_PARSE, false, 0, "", 0},
	    {OK "A(b): c\r\n\r\n", 0, false, ERR_PARSE, false, 0, "", 0},
	    {OK "A: b\rc\r\n\r\n", 0, false, ERR_PARSE, false, 0, "", 0},
	    {OK "A: b\nB: c\r\n\r\n", 0, false, ERR_PARSE, false, 0, "", 0},
	    {OK "A: b\r\r\n\r\n", 0, false, ERR_PARSE, false, 0, "", 0},
	    {OK "A: b\x01\r\n\r\n", 0, false, ERR_PARSE, false, 0, "", 0},
	    {OK "A: b\0c\r\n\r\n", sizeof OK - 1 + 10, false, ERR_PARSE, false, 0, "", 0},
	    {"HTTP/1.1 200 OK\nContent-Length: 0\n\n", 0, false, ERR_PARSE, false, 0, "", 0},
	};

	run_all(table, sizeof table / sizeof table[0], false);
}

Test(proto_http, what_is_not_http_1_is_refused)
{
	static const struct row table[] = {
	    {"<html>hello</html>\r\n", 0, true, ERR_PARSE, false, 0, "", 0},
	    {"<html>hello</html>", 0, true, ERR_CLOSED, false, 0, "", 0},
	    {"SSH-2.0-OpenSSH_9.2p1\r\n", 0, false, ERR_PARSE, false, 0, "", 0},
	    {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 0, false, ERR_PARSE, false, 0, "", 0},
	    {"HTTP/2.0 200 OK\r\n\r\n", 0, false, ERR_PROTO, false, 0, "", 0},
	    {"HTTP/1.2 200 OK\r\n\r\n", 0, false, ERR_PROTO, false, 0, "", 0},
	    {"HTTP/0.9 200 OK\r\n\r\n", 0, false, ERR_PROTO, false, 0, "", 0},
	    {"HTTP/11 200 OK\r\n\r\n", 0, false, ERR_PARSE, false, 0, "", 0},
	    {"http/1.1 200 OK\r\n\r\n", 0, false, ERR_PARSE, false, 0, "", 0},
	    {"\r\n" OK "\r\n", 0, false, ERR_PARSE, false, 0, "", 0},
	    {"HTTP/1.1  200 OK\r\n\r\n", 0, false, ERR_PARSE, false, 0, "", 0},
	    {"HTTP/1.1 20 OK\r\n\r\n", 0, false, ERR_PARSE, false, 0, "", 0},
	    {"HTTP/1.1 2000 OK\r\n\r\n", 0, false, ERR_PARSE, false, 0, "", 0},
	    {"HTTP/1.1 000 OK\r\n\r\n", 0, false, ERR_PARSE, false, 0, "", 0},
	    {"HTTP/1.1 600 OK\r\n\r\n", 0, false, ERR_PARSE, false, 0, "", 0},
	    {"HTTP/1.1 2x0 OK\r\n\r\n", 0, false, ERR_PARSE, false, 0, "", 0},
	    {"HTTP/1.1 101 Switching\r\nUpgrade: h2c\r\n\r\n", 0, false, ERR_PROTO, false, 0, "", 0},
	};

	run_all(table, sizeof table / sizeof table[0], false);
}

#define CH OK "Transfer-Encoding: chunked\r\n\r\n"

Test(proto_http, bad_chunks_are_refused)
{
	static const struct row table[] = {
	    {CH "FFFFFFFFFFFFFFFF\r\n", 0, false, ERR_LIMIT, false, 200, "", 0},
	    {CH "10000000000000002\r\nok\r\n0\r\n\r\n", 0, false, ERR_LIMIT, false, 200, "", 0},
	    {CH "10001\r\n", 0, false, ERR_LIMIT, false, 200, "", 0},
	    {CH "\r\n", 0, false, ERR_PARSE, false, 200, "", 0},
	    {CH "x\r\n", 0, false, ERR_PARSE, false, 200, "", 0},
	    {CH "-1\r\n", 0, false, ERR_PARSE, false, 200, "", 0},
	    {CH "+2\r\nok\r\n0\r\n\r\n", 0, false, ERR_PARSE, false, 200, "", 0},
	    {CH "0x2\r\nok\r\n0\r\n\r\n", 0, false, ERR_PARSE, false, 200, "", 0},
	    {CH " 2\r\nok\r\n0\r\n\r\n", 0, false, ERR_PARSE, false, 200, "", 0},
	    {CH "2 \r\nok\r\n0\r\n\r\n", 0, false, ERR_PARSE, false, 200, "", 0},
	    {CH "2 2\r\nok\r\n0\r\n\r\n", 0, false, ERR_PARSE, false, 200, "", 0},
	    {CH "2\nok\r\n0\r\n\r\n", 0, false, ERR_PARSE, false, 200, "", 0},
	    {CH "2;a\x01\r\nok\r\n0\r\n\r\n", 0, false, ERR_PARSE, false, 200, "", 0},
	    {CH "2\r\nokay\r\n0\r\n\r\n", 0, false, ERR_PARSE, false, 200, "ok", 0},
	    {CH "2\r\nok0\r\n\r\n", 0, false, ERR_PARSE, false, 200, "ok", 0},
	    {CH "2\r\nok\n0\r\n\r\n", 0, false, ERR_PARSE, false, 200, "ok", 0},
	    {CH "2\r\nok\r\n0\r\nbad trailer\r\n\r\n", 0, false, ERR_PARSE, false, 200, "ok", 0},
	    {CH "2\r\nok\r\n", 0, true, ERR_CLOSED, false, 200, "ok", 0},
	    {CH "2\r\nok\r\n0\r\n", 0, true, ERR_CLOSED, false, 200, "ok", 0},
	    {CH "5\r\nok", 0, true, ERR_CLOSED, false, 200, "ok", 0},
	    {OK "Content-Length: 3\r\n\r\nok", 0, true, ERR_CLOSED, false, 200, "ok", 0},
	    {OK "Content-Len", 0, true, ERR_CLOSED, false, 0, "", 0},
	    {"HTTP/1.1 100 Continue\r\n\r\n", 0, true, ERR_CLOSED, false, 0, "", 0},
	    {"HTTP/", 0, true, ERR_CLOSED, false, 0, "", 0},
	};

	run_all(table, sizeof table / sizeof table[0], false);
}

/* prefix, n times unit, suffix. */
static enum err_code many(
    const char *prefix, const char *unit, size_t n, const char *suffix, size_t cap, size_t *body_len, bool *done)
{
	struct http_reader *r = http_reader_new();
	struct buf b = BUF_INIT(64 * 1024 * 1024);
	struct err e = ERR_INIT;
	size_t i, used = 0;

	http_reader_set_body_cap(r, cap);
	buf_adds(&b, prefix);
	for (i = 0; i < n; i++)
		buf_adds(&b, unit);
	buf_adds(&b, suffix);
	cr_assert(buf_ok(&b));
	for (i = 0; i < b.len && e.code == ERR_NONE && !http_reader_done(r); i += used)
		http_reader_feed(r, b.data + i, b.len - i < 1000 ? b.len - i : 1000, &used, &e);
	if (e.code == ERR_NONE)
		http_reader_eof(r, &e);
	http_reader_body(r, body_len);
	*done = http_reader_done(r);
	http_reader_free(r);
	buf_free(&b);
	return e.code;
}

Test(proto_http, every_bound_holds_and_what_is_just_inside_passes)
{
	static const struct {
		const char *prefix, *unit;
		size_t n;
		const char *suffix;
		size_t cap;
		enum err_code code;
		size_t body;
	} table[] = {
	    {OK, "A: b\r\n", 100, "\r\n", HTTP_BODY_MAX, ERR_NONE, 0},
	    {OK, "A: b\r\n", 101, "\r\n", HTTP_BODY_MAX, ERR_LIMIT, 0},
	    {OK "A: ", "x", HTTP_HEAD_MAX - (sizeof OK - 1) - 3 - 4, "\r\n\r\n", HTTP_BODY_MAX, ERR_NONE, 0},
	    {OK "A: ", "x", HTTP_HEAD_MAX - (sizeof OK - 1) - 3 - 3, "\r\n\r\n", HTTP_BODY_MAX, ERR_LIMIT, 0},
	    {OK "A: ", "x", 4 << 20, "", HTTP_BODY_MAX, ERR_LIMIT, 0},
	    {"", "x", 4 << 20, "", HTTP_BODY_MAX, ERR_LIMIT, 0},
	    {OK "\r\n", "x", HTTP_BODY_MAX, "", HTTP_BODY_MAX, ERR_NONE, HTTP_BODY_MAX},
	    {OK "\r\n", "x", HTTP_BODY_MAX + 1, "", HTTP_BODY_MAX, ERR_LIMIT, HTTP_BODY_MAX},
	    {OK "\r\n", "x", HTTP_BODY_MAX + 1, "", HTTP_BODY_MAX * 4, ERR_LIMIT, HTTP_BODY_MAX},
	    {OK "\r\n", "x", 10, "", 10, ERR_NONE, 10},
	    {OK "\r\n", "x", 11, "", 10, ERR_LIMIT, 10},
	    {OK "Content-Length: 10\r\n\r\n", "x", 10, "", 10, ERR_NONE, 10},
	    {OK "Content-Length: 11\r\n\r\n", "x", 11, "", 10, ERR_LIMIT, 0},
	    {OK "Content-Length: 65536\r\n\r\n", "x", 65536, "", HTTP_BODY_MAX, ERR_NONE, 65536},
	    {CH, "1\r\nx\r\n", HTTP_BODY_MAX, "0\r\n\r\n", HTTP_BODY_MAX, ERR_NONE, HTTP_BODY_MAX},
	    {CH, "1\r\nx\r\n", HTTP_BODY_MAX + 1, "0\r\n\r\n", HTTP_BODY_MAX, ERR_LIMIT, HTTP_BODY_MAX},
	    {CH, "1\r\nx\r\n", 60000, "0\r\nTrailer: x\r\n\r\n", HTTP_BODY_MAX, ERR_NONE, 60000},
	    {CH "2;", "x", HTTP_CHUNK_LINE_MAX - 4, "\r\nok\r\n0\r\n\r\n", HTTP_BODY_MAX, ERR_NONE, 2},
	    {CH "2;", "x", HTTP_CHUNK_LINE_MAX - 3, "\r\nok\r\n0\r\n\r\n", HTTP_BODY_MAX, ERR_LIMIT, 0},
	    {CH "2;", "x", 1 << 20, "", HTTP_BODY_MAX, ERR_LIMIT, 0},
	    {CH, "0", 1 << 20, "", HTTP_BODY_MAX, ERR_LIMIT, 0},
	    {CH "0\r\n", "T: x\r\n", 99, "\r\n", HTTP_BODY_MAX, ERR_NONE, 0},
	    {CH "0\r\n", "T: x\r\n", 100, "\r\n", HTTP_BODY_MAX, ERR_LIMIT, 0},
	    {CH "0\r\nT: ", "x", 1 << 20, "\r\n", HTTP_BODY_MAX, ERR_LIMIT, 0},
	    {"", "HTTP/1.1 103 x\r\n\r\n", 5, OK "\r\n", HTTP_BODY_MAX, ERR_NONE, 0},
	    {"", "HTTP/1.1 103 x\r\n\r\n", 6, OK "\r\n", HTTP_BODY_MAX, ERR_LIMIT, 0},
	    {"", "HTTP/1.1 100 x\r\n\r\n", 1000000, "", HTTP_BODY_MAX, ERR_LIMIT, 0},
	};
	size_t i;

	for (i = 0; i < sizeof table / sizeof table[0]; i++) {
		size_t body = 0;
		bool done = false;

		cr_expect_eq(
		    many(table[i].prefix, table[i].unit, table[i].n, table[i].suffix, table[i].cap, &body, &done),
		    table[i].code, "row %zu", i);
		cr_expect_eq(body, table[i].body, "row %zu: %zu bytes", i, body);
		cr_expect_eq(done, table[i].code == ERR_NONE, "row %zu", i);
	}
}

Test(proto_http, headers_are_looked_up_by_any_case_and_only_single_ones)
{
	static const char in[] = "HTTP/1.1 103 x\r\nEarly: 1\r\n\r\n" OK
				 "X-One:  a b \t\r\nEmpty:\r\nTwice: 1\r\ntwice: 2\r\nContent-Length: 0\r\n\r\n";
	struct http_reader *r = http_reader_new();
	size_t used, i;

	for (i = 0; i < sizeof in - 1; i++) {
		cr_expect_null(http_reader_header(r, "X-One"), "half a head was believed");
		cr_assert_eq(http_reader_feed(r, in + i, 1, &used, NULL), 0);
	}
	cr_assert(http_reader_done(r));
	cr_expect_str_eq(http_reader_header(r, "x-ONE"), "a b");
	cr_expect_str_eq(http_reader_header(r, "empty"), "");
	cr_expect_null(http_reader_header(r, "Twice"));
	cr_expect_null(http_reader_header(r, "X-On"));
	cr_expect_null(http_reader_header(r, "Early"));
	http_reader_free(r);
}

Test(proto_http, a_failed_reader_stays_failed)
{
	struct http_reader *r = http_reader_new();
	struct err e = ERR_INIT;
	size_t used = 77;

	cr_assert_eq(http_reader_feed(r, "x\r\n", 3, &used, &e), -1);
	err_clear(&e);
	cr_assert_eq(http_reader_feed(r, OK "\r\n", sizeof OK + 1, &used, &e), -1);
	cr_assert_eq(e.code, ERR_PARSE);
	cr_assert_eq(used, 77);
	err_clear(&e);
	cr_assert_eq(http_reader_eof(r, &e), -1);
	cr_assert_eq(e.code, ERR_PARSE);
	http_reader_free(r);
	http_reader_free(NULL);
}

Test(proto_http, bodies_may_hold_any_byte)
{
	struct http_reader *r = http_reader_new();
	size_t used, len, i;
	char in[sizeof OK + 64 + 256];
	int n = snprintf(in, sizeof in, OK "Content-Length: 256\r\n\r\n");
	const char *body;

	for (i = 0; i < 256; i++)
		in[n + (int)i] = (char)i;
	cr_assert_eq(http_reader_feed(r, in, (size_t)n + 256, &used, NULL), 0);
	body = http_reader_body(r, &len);
	cr_assert(http_reader_done(r) && len == 256 && memcmp(body, in + n, 256) == 0 && body[256] == '\0');
	http_reader_free(r);
}

static int
count_bytes(void *arg, const char *p, size_t n, struct err *e)
{
	size_t *left = arg;

	(void)p;
	if (n > *left)
		return err_set(e, ERR_SYS, "the disk is full");
	*left -= n;
	return 0;
}

/* Feeds a head and then `n` bytes of body in pieces; what is left of `room` in *room. */
static enum err_code
pour(const char *head, size_t n, size_t cap, size_t *room)
{
	static char piece[4096];
	struct http_reader *r = http_reader_new();
	struct err e = ERR_INIT;
	size_t used, len;

	http_reader_set_sink(r, count_bytes, room, cap);
	http_reader_feed(r, head, strlen(head), &used, &e);
	for (; n > 0 && e.code == ERR_NONE; n -= len) {
		len = n < sizeof piece ? n : sizeof piece;
		http_reader_feed(r, piece, len, &used, &e);
	}
	cr_expect_str_eq(http_reader_body(r, &len), "", "nothing is kept");
	cr_expect_eq(len, 0);
	http_reader_free(r);
	return e.code;
}

Test(proto_http, a_sink_takes_more_than_is_kept_and_its_cap_holds)
{
	const size_t mb = 1024 * 1024;
	size_t room = 8 * mb;

	cr_expect_eq(pour(OK "\r\n", 4 * mb, 4 * mb, &room), ERR_NONE);
	cr_expect_eq(room, 4 * mb);
	cr_expect_eq(pour(OK "\r\n", 4 * mb + 1, 4 * mb, &room), ERR_LIMIT);
	cr_expect_eq(room, 0, "up to the cap it was handed out");
	room = 8 * mb;
	cr_expect_eq(pour(OK "Content-Length: 4194305\r\n\r\n", 1, 4 * mb, &room), ERR_LIMIT);
	cr_expect_eq(pour(OK "Transfer-Encoding: chunked\r\n\r\n400001\r\n", 1, 4 * mb, &room), ERR_LIMIT);
	cr_expect_eq(pour(OK "Transfer-Encoding: chunked\r\n\r\nffffffffffffffff1\r\n", 1, SIZE_MAX, &room), ERR_LIMIT);
	cr_expect_eq(room, 8 * mb, "not a byte of a body that is announced as too long");
}

Test(proto_http, what_a_sink_says_ends_the_reader)
{
	size_t room = 5000;

	cr_expect_eq(pour(OK "\r\n", 8192, 1 << 20, &room), ERR_SYS);
}
