/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DAEMON_HTTPD_H
#define DAEMON_HTTPD_H

#include "base/endpoint.h"
#include "io/loop.h"
#include "proto/http_server.h"

#include <sys/types.h>

/*
 * A small HTTP server for files that are in memory, on any number of sockets.
 * It is reached by anybody on the Internet, so all is bounded: connections
 * (those of a socket and all; when there is one too many the oldest is cut, so
 * that slow ones can't lock others out), the time for a request and for an
 * answer, and what is buffered of an answer. One request a connection.
 *
 * libevent's own server is not used: it always adds a Date header, bounds
 * neither connections nor the time of a whole request, and its library brings
 * a resolver.
 */
#define HTTPD_PIECE (64 * 1024) /* bytes of an answer that are buffered */
struct httpd_limits {
	unsigned per_socket, all; /* connections */
	int64_t request_ms;       /* from the connection to a whole request */
	int64_t piece_ms;         /* until a piece of the answer has been taken */
	int64_t answer_ms;        /* until the whole answer has */
};
/* For what is reached through Tor. */
extern const struct httpd_limits httpd_limits;

struct httpd;
struct httpd_answer {
	struct http_answer head; /* length is that of the body */
	const char *body;        /* good until release(hold); not sent for HEAD and 304 */
	void (*release)(void *hold);
	void *hold; /* NULL: nothing to release */
};
/* Content-Security-Policy of an answer that is no page. */
#define HTTPD_POLICY "default-src 'none'; frame-ancestors 'none'"
/* Fills *a (all zero) for a request; rq is NULL when it was refused with `status`. `id` is the socket's. */
typedef void httpd_cb(void *arg, uint64_t id, const struct http_request *rq, int status, struct httpd_answer *a);

/* The answer to what can't be had: the words of its status. */
void httpd_refuse(struct httpd_answer *a, int status);

/* `limits` is borrowed. */
struct httpd *httpd_new(struct loop *l, const struct httpd_limits *limits, httpd_cb *cb, void *arg);
/* Answers on a socket too, under an id (not 0) that is not in use. */
int httpd_listen(struct httpd *h, uint64_t id, const struct endpoint *ep, mode_t mode, struct err *e);
/* As httpd_listen(), on a socket that the service manager passed. */
int httpd_adopt(struct httpd *h, uint64_t id, int fd, struct err *e);
bool httpd_listens(const struct httpd *h, uint64_t id);
/* Ends a socket and its connections; fine for an unknown id. */
void httpd_unlisten(struct httpd *h, uint64_t id);
/* Ends the connections whose answer holds this. */
void httpd_end_holders(struct httpd *h, const void *hold);
/* NULL is fine. */
void httpd_free(struct httpd *h);

#endif
