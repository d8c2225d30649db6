/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef IO_LOOP_IMPL_H
#define IO_LOOP_IMPL_H

/* What the files of this folder share, and nobody else may include. */
#include "base/endpoint.h"
#include "io/loop.h"
#include "io/stream.h"

#include <event2/event.h>
#include <sys/socket.h>
#include <sys/un.h>

/* Something to be freed from the loop, when no function that might touch it is on the stack. */
struct reap {
	struct reap *next;
	void (*free_fn)(struct reap *r);
};

struct loop {
	struct event_base *base;
	struct event *reap_event;
	struct reap *dead;
	bool stopping;
};

void loop_reap(struct loop *l, struct reap *r, void (*free_fn)(struct reap *r));

/* Fills a socket address; returns its length. */
socklen_t endpoint_sockaddr(const struct endpoint *ep, struct sockaddr_storage *ss);
/* Wraps an accepted, non-blocking descriptor. */
struct stream *stream_adopt(struct loop *l, int fd, bool is_unix, size_t max_input);
void stream_begin(struct stream *s);

#endif
