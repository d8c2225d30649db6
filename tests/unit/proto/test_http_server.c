/* SPDX-License-Identifier: BSD-3-Clause */
/* Requests, good and hostile, and the head of an answer. */
#include "config.h"
#include "proto/http_server.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define HOST "Host: aaaa.onion:8008\r\n"

static int
parse(struct http_request *rq, const char *text)
{
	return http_request_parse(rq, text, strlen(text));
}

Test(proto_http_server, takes_a_request_however_its_bytes_come)
{
	static const char text[] = "GET /.well-known/onionmirror/self.json HTTP/1.1\r\n" HOST "User-Agent: x\r\nif-none-match:  \"a\"\t\r\n\r\nmore";
	struct http_request rq;
	size_t n, end = strlen(text) - 4;

	for (n = 0; n < end; n++)
		cr_assert_eq(http_request_parse(&rq, text, n), 0, "%zu", n);
	for (; n <= end + 4; n++)
		cr_assert_eq(http_request_parse(&rq, text, n), 200, "%zu", n);
	cr_expect_str_eq(rq.path, "/.well-known/onionmirror/self.json");
	cr_expect_str_eq(rq.none_match, "\"a\"");
	cr_expect_not(rq.head);
	cr_expect_eq(parse(&rq, "HEAD / HTTP/1.0\r\n\r\n"), 200);
	cr_expect(rq.head);
	cr_expect_str_eq(rq.none_match, "");
}

Test(proto_http_server, names_what_is_wrong)
{
	static const struct {
		const char *text;
		int status;
	} t[] = {
		{ "POST / HTTP/1.1\r\n" HOST "\r\n", 405 },
		{ "get / HTTP/1.1\r\n" HOST "\r\n", 405 },
		{ "GETX / HTTP/1.1\r\n" HOST "\r\n", 405 },
		{ "G@T / HTTP/1.1\r\n" HOST "\r\n", 400 },
		{ " GET / HTTP/1.1\r\n" HOST "\r\n", 400 },
		{ "\r\nGET / HTTP/1.1\r\n" HOST "\r\n", 400 },
		{ "GET  / HTTP/1.1\r\n" HOST "\r\n", 400 },
		{ "GET /  HTTP/1.1\r\n" HOST "\r\n", 400 },
		{ "GET / HTTP/1.1 \r\n" HOST "\r\n", 400 },
		{ "GET /\r\n\r\n", 400 },
		{ "GET\r\n\r\n", 400 },
		{ "GET x HTTP/1.1\r\n" HOST "\r\n", 400 },
		{ "GET * HTTP/1.1\r\n" HOST "\r\n", 400 },
		{ "GET http://a/ HTTP/1.1\r\n" HOST "\r\n", 400 },
		{ "GET /\x80 HTTP/1.1\r\n" HOST "\r\n", 400 },
		{ "GET /\x7f HTTP/1.1\r\n" HOST "\r\n", 400 },
		{ "GET /\ta HTTP/1.1\r\n" HOST "\r\n", 400 },
		{ "GET / HTTP/0.9\r\n" HOST "\r\n", 505 },
		{ "GET / HTTP/3.0\r\n" HOST "\r\n", 505 },
		{ "GET / HTTQ/1.1\r\n" HOST "\r\n", 400 },
		{ "GET / HTTP/1.1\r\n\r\n", 400 },
		{ "GET / HTTP/1.1\r\nHost:\r\n\r\n", 400 },
		{ "GET / HTTP/1.1\r\n" HOST HOST "\r\n", 400 },
		{ "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400 },
		{ "GET / HTTP/1.1\r\nHost: a\xc3\xa9\r\n\r\n", 400 },
		{ "GET / HTTP/1.1\r\n" HOST "X\r\n\r\n", 400 },
		{ "GET / HTTP/1.1\r\n" HOST ": x\r\n\r\n", 400 },
		{ "GET / HTTP/1.1\r\n" HOST "X : y\r\n\r\n", 400 },
		{ "GET / HTTP/1.1\r\n" HOST "X: y\r\n z\r\n\r\n", 400 },
		{ "GET / HTTP/1.1\r\n" HOST "X: y\rz\r\n\r\n", 400 },
		{ "GET / HTTP/1.1\r\n" HOST "X: y\nz\r\n\r\n", 400 },
		{ "GET / HTTP/1.1\r\n" HOST "X: \x7f\r\n\r\n", 400 },
		{ "GET / HTTP/1.1\r\n" HOST "X: \xc3\xa9\r\n\r\n", 200 },
		{ "GET / HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n", 200 },
		{ "GET / HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\n", 413 },
		{ "GET / HTTP/1.1\r\n" HOST "Content-Length: 0\r\nContent-Length: 4\r\n\r\n", 413 },
		{ "GET / HTTP/1.1\r\n" HOST "Content-Length: x\r\n\r\n", 413 },
		{ "GET / HTTP/1.1\r\n" HOST "Transfer-Encoding: identity\r\n\r\n", 501 },
		{ "\x16\x03\x01", 400 },
		{ "GET / HTTP/1.1\r\n" HOST, 0 },
	};
	struct http_request rq;
	size_t i;

	for (i = 0; i < sizeof t / sizeof t[0]; i++)
		cr_expect_eq(parse(&rq, t[i].text), t[i].status, "%zu: %d: %s", i, parse(&rq, t[i].text), t[i].text);
	cr_expect_eq(http_request_parse(&rq, "\0", 1), 400);
	cr_expect_eq(http_request_parse(&rq, "GET /\0 HTTP/1.0\r\n\r\n", 19), 400);
	cr_expect_eq(http_request_parse(&rq, "GET / HTTP/1.0\r\nX: a\0b\r\n\r\n", 26), 400);
}

Test(proto_http_server, keeps_its_bounds)
{
	static char text[HTTP_REQUEST_MAX * 2];
	struct http_request rq;
	size_t i, n;

	n = (size_t)snprintf(text, sizeof text, "GET /%0*d HTTP/1.0\r\n\r\n", HTTP_PATH_MAX - 1, 0);
	cr_expect_eq(http_request_parse(&rq, text, n), 200);
	cr_expect_eq(strlen(rq.path), HTTP_PATH_MAX);
	n = (size_t)snprintf(text, sizeof text, "GET /%0*d HTTP/1.0\r\n\r\n", HTTP_PATH_MAX, 0);
	cr_expect_eq(http_request_parse(&rq, text, n), 414);
	memset(text, 'a', sizeof text);
	cr_expect_eq(http_request_parse(&rq, text, HTTP_REQUEST_MAX - 1), 0);
	cr_expect_eq(http_request_parse(&rq, text, HTTP_REQUEST_MAX), 414);
	memcpy(text, "GET / HTTP/1.0\r\nX: ", 19);
	cr_expect_eq(http_request_parse(&rq, text, HTTP_REQUEST_MAX), 431);
	memcpy(text + HTTP_REQUEST_MAX - 4, "\r\n\r\n", 4);
	cr_expect_eq(http_request_parse(&rq, text, HTTP_REQUEST_MAX - 1), 0);
	cr_expect_eq(http_request_parse(&rq, text, HTTP_REQUEST_MAX), 200, "as long as may be");
	memcpy(text + HTTP_REQUEST_MAX - 4, "a\r\n\r\n", 5);
	cr_expect_eq(http_request_parse(&rq, text, HTTP_REQUEST_MAX + 1), 431, "a byte too long, however much came at once");
	for (i = 63; i <= 65; i++) {
		n = (size_t)snprintf(text, sizeof text, "GET / HTTP/1.0\r\n");
		while (n < 16 + i * 6)
			n += (size_t)snprintf(text + n, sizeof text - n, "X: y\r\n");
		n += (size_t)snprintf(text + n, sizeof text - n, "\r\n");
		cr_expect_eq(http_request_parse(&rq, text, n), i <= HTTP_REQUEST_LINES ? 200 : 431, "%zu", i);
	}
}

Test(proto_http_server, a_tag_that_is_known_already_is_found)
{
	static const struct {
		const char *field;
		bool match;
	} t[] = {
		{ "\"abc\"", true }, { "*", true }, { "W/\"abc\"", true }, { "\"x\", \"abc\"", true }, { "\"abc\" , \"x\"", true },
		{ "\"x\",W/\"abc\"\t", true }, { "", false }, { "abc", false }, { "\"ab\"", false }, { "\"abc\"x", false },
		{ "\"abc", false }, { "x\"abc\"", false }, { "**", false }, { ",,,", false }, { "w/\"abc\"", false },
	};
	struct http_request rq = { 0 };
	size_t i;

	for (i = 0; i < sizeof t / sizeof t[0]; i++) {
		snprintf(rq.none_match, sizeof rq.none_match, "%s", t[i].field);
		cr_expect_eq(http_none_match(&rq, "\"abc\""), t[i].match, "%s", t[i].field);
	}
}

Test(proto_http_server, a_second_or_too_long_none_match_counts_for_nothing)
{
	char text[600];
	struct http_request rq;

	cr_expect_eq(parse(&rq, "GET / HTTP/1.0\r\nIf-None-Match: \"a\"\r\nIf-None-Match: \"b\"\r\n\r\n"), 200);
	cr_expect_str_eq(rq.none_match, "");
	snprintf(text, sizeof text, "GET / HTTP/1.0\r\nIf-None-Match: %0*d\r\n\r\n", HTTP_NONE_MATCH_MAX + 1, 0);
	cr_expect_eq(parse(&rq, text), 200);
	cr_expect_str_eq(rq.none_match, "");
}

Test(proto_http_server, the_head_of_an_answer_tells_neither_time_nor_program)
{
	struct http_answer a = { .status = 200, .type = "text/plain", .etag = "\"abc\"", .policy = "default-src 'none'", .length = 7 };
	struct buf b = BUF_INIT(4096);

	http_answer_write(&b, &a);
	cr_expect_str_eq(buf_str(&b),
	    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 7\r\nETag: \"abc\"\r\nAccept-Ranges: none\r\nCache-Control: no-cache\r\n"
	    "Content-Security-Policy: default-src 'none'\r\nCross-Origin-Resource-Policy: same-origin\r\nReferrer-Policy: no-referrer\r\n"
	    "X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n");
	buf_reset(&b);
	a.status = 304;
	http_answer_write(&b, &a);
	cr_expect_not_null(strstr(buf_str(&b), "HTTP/1.1 304 Not Modified\r\nETag: \"abc\"\r\n"));
	cr_expect_null(strstr(buf_str(&b), "Content-Length"));
	buf_reset(&b);
	a.status = 405;
	a.etag = NULL;
	http_answer_write(&b, &a);
	cr_expect_not_null(strstr(buf_str(&b), "\r\nAllow: GET, HEAD\r\n"));
	cr_expect_null(strstr(buf_str(&b), "ETag"));
	buf_free(&b);
}
