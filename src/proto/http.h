/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PROTO_HTTP_H
#define PROTO_HTTP_H

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * One HTTP/1.1 response (RFC 9112, fields RFC 9110 section 5) and the request
 * that asks for it. Strict: what two readers could understand differently is
 * an error. No redirect is followed, nothing is decompressed.
 */
#define HTTP_HEAD_MAX (16 * 1024)  /* bytes of a head, status line included; each interim head by itself */
#define HTTP_LINES_MAX 100         /* header lines, trailer lines counted too */
#define HTTP_BODY_MAX (64 * 1024)  /* bytes of body, un-chunked, that the reader keeps */
#define HTTP_CHUNK_LINE_MAX 256    /* a chunk's size line with extensions */
#define HTTP_INTERIM_MAX 5         /* 1xx responses before the final one */

struct http_reader;

/* NULL when out of memory. */
struct http_reader *http_reader_new(void);
void http_reader_free(struct http_reader *r);
/* Lower bound for the body (<= HTTP_BODY_MAX); past it is ERR_LIMIT. Before the first feed. */
void http_reader_set_body_cap(struct http_reader *r, size_t cap);
/*
 * Hands body bytes, un-chunked, to `sink` in whatever pieces they come instead
 * of keeping them; `cap` of them at most, which may be any number. -1 from it
 * with an error set fails the reader with that error. Before the first feed.
 */
typedef int http_sink(void *arg, const char *p, size_t n, struct err *e);
void http_reader_set_sink(struct http_reader *r, http_sink *sink, void *arg, size_t cap);
/* The request was HEAD: the response has no body. Before the first feed. */
void http_reader_set_head_request(struct http_reader *r);
/*
 * Takes bytes, in whatever pieces; *consumed says how many belong to this
 * response (all of them until it is complete; what is behind is not looked at).
 * -1 and
 *   ERR_PARSE  not the grammar: HTTP/0.9, line end other than CR LF, NUL or
 *              another control character in the head, folded lines, space
 *              before ':', bad or repeated Content-Length, Content-Length with
 *              Transfer-Encoding, bad chunk
 *   ERR_LIMIT  one of the bounds above; status and headers stay readable if
 *              the head was complete
 *   ERR_PROTO  101; a version other than 1.0 and 1.1; a transfer coding other
 *              than one "chunked"; a Content-Encoding other than identity;
 *              204 with a length
 *   ERR_MEMORY
 * After -1 the reader stays failed and says the same again.
 */
int http_reader_feed(struct http_reader *r, const char *data, size_t len, size_t *consumed, struct err *e);
/* The stream ended. 0 if the response is complete (a body without length ends so), else ERR_CLOSED. */
int http_reader_eof(struct http_reader *r, struct err *e);
bool http_reader_done(const struct http_reader *r);
/* Status of the final response, 200..599; 0 before its head is complete. */
int http_reader_status(const struct http_reader *r);
/* Whether it failed for the size of the body alone: what was read of it is good. */
bool http_reader_too_large(const struct http_reader *r);
/* Value of a field without the spaces around it; name without regard to case. NULL: not there, or more than once. */
const char *http_reader_header(const struct http_reader *r, const char *name);
/* Body so far, NUL-ended, may hold NULs; valid until the next call. With a sink it is empty. */
const char *http_reader_body(const struct http_reader *r, size_t *len);

/*
 * "METHOD path HTTP/1.1" with Host, User-Agent (Tor Browser's), Accept (anything),
 * Accept-Encoding: identity, Connection: close: the same bytes for everybody.
 * method: "GET" or "HEAD"; host: [a-z0-9.:-] and [ ], 1..255; path: begins
 * with '/', 1..2048 bytes that may stand in a URI (RFC 3986; no '#'). Else
 * ERR_PROTO and nothing is added.
 */
int http_request_write(struct buf *out, const char *method, const char *host, const char *path, struct err *e);

#endif
