/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PROTO_HTTP_SERVER_H
#define PROTO_HTTP_SERVER_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * The server's side of HTTP/1.1 (RFC 9112, RFC 9110), as little of it as a
 * few files need: one GET or HEAD a connection, without a body. What two
 * readers could understand differently is refused.
 */
#define HTTP_REQUEST_MAX (8 * 1024) /* bytes of a request's head */
#define HTTP_REQUEST_LINES 64       /* header lines */
#define HTTP_PATH_MAX 255
#define HTTP_NONE_MATCH_MAX 255

struct http_request {
	bool head;                                /* HEAD, else GET */
	char path[HTTP_PATH_MAX + 1];             /* as sent, nothing decoded, with the query; begins with "/" */
	char none_match[HTTP_NONE_MATCH_MAX + 1]; /* If-None-Match; "" when absent, repeated or too long */
};

/*
 * Looks at all bytes so far. 0: more are needed. 200: *out is filled. Else the
 * status of the refusal: 400 not the grammar (also a bad, missing or repeated
 * Host, whose value nobody looks at further), 405 another method, 413 a body,
 * 414 the path or the first line is too long, 431 the head is too long, 501 a
 * transfer coding, 505 another version. What stands behind the head is ignored.
 */
int http_request_parse(struct http_request *out, const char *data, size_t len);

/* Does If-None-Match name this entity tag (with its quotes)? Weakly, as RFC 9110 13.1.2 wants; "*" always does. */
bool http_none_match(const struct http_request *rq, const char *etag);

struct http_answer {
	int status;         /* one that http_status_text() knows */
	const char *type;   /* Content-Type; NULL: none */
	const char *etag;   /* with its quotes; NULL: none */
	const char *policy; /* Content-Security-Policy */
	size_t length;      /* of the body; not said of a 304 */
};

/*
 * The head of an answer, after which the connection is closed. No Date and no
 * Server: whoever compares two services must not learn from these whose clock
 * or program it is.
 */
void http_answer_write(struct buf *out, const struct http_answer *a);
const char *http_status_text(int status);

#endif
