/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TESTS_SIM_LINK_H
#define TESTS_SIM_LINK_H

#include "base/endpoint.h"
#include "io/loop.h"

#include <stdbool.h>
#include <stddef.h>

/* What is between a stream of the daemon (stream.c) and a conn of the world (link.c). */
struct link;
struct stream;

/* The daemon connects; NULL: nobody is there. */
struct link *link_open(struct stream *s, const char *endpoint);
void link_set_stream(struct link *l, struct stream *s);
/* Bytes of the daemon set out. */
void link_send(struct link *l, const void *p, size_t n);
/* Bytes of the daemon that the world has not read yet. */
size_t link_on_the_way(const struct link *l);
/* The daemon's end is closed; the link is not to be used any more. */
void link_leave(struct link *l);

/* In stream.c: news for the daemon's end. Each is the last thing an event does. */
void stream_arrive(struct stream *s, const void *p, size_t n);
void stream_arrive_end(struct stream *s, int error); /* 0: orderly */
void stream_arrive_connected(struct stream *s);
void stream_may_send(struct stream *s);
bool listener_exists(const char *endpoint);
/* Makes the daemon's end of a link that the world opened; NULL: nobody listens any more. May have freed the stream. */
struct stream *listener_accept(const char *endpoint, struct link *link);
struct stream *stream_accepted(struct loop *l, struct link *link, const struct endpoint *ep, size_t max_input);

#endif
