/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef IO_INTERNAL_H
#define IO_INTERNAL_H

#include "base/endpoint.h"
#include "io/loop.h"
#include "io/stream.h"

#include <event2/event.h>
#include <stdbool.h>
#include <sys/queue.h>
#include <sys/socket.h>

/* What the files of src/io share about libevent and sockets. Nobody else includes this. */

/*
 * A thing whose owner has let go of it, but that lives on for a while (a
 * stream that still sends, a signal watch freed in its own callback). It
 * destroys itself when it is done; loop_free() destroys what is left.
 */
struct orphan {
	LIST_ENTRY(orphan) link;
	void (*destroy)(struct orphan *o); /* takes itself off the list with loop_disown() */
};

struct loop {
	struct event_base *base; /* owned */
	LIST_HEAD(, orphan) orphans;
	bool stop; /* loop_stop() was called; cleared when the loop returns */
};

void loop_adopt(struct loop *l, struct orphan *o, void (*destroy)(struct orphan *o));
void loop_disown(struct orphan *o);

/* A new event, not yet added; ends the process when there is no memory. */
struct event *loop_event(struct loop *l, int fd, short what, event_callback_fn cb, void *arg);
/* Ends the process when there is no memory to wait for it: it would never come, and nobody would know. tv NULL: no time limit. */
void loop_add(struct event *ev, const struct timeval *tv);
/* Adds a timer event to fire after ms (0: next turn). */
void loop_event_after(struct event *ev, int64_t ms);

/* Fills *sa from ep, returns its length. */
socklen_t address_from_endpoint(struct sockaddr_storage *sa, const struct endpoint *ep);
/* Where a socket is bound to; the path of a unix socket only if it has one that fits. -1: not on this machine. */
int address_of_socket(struct endpoint *ep, int fd);
/* A non-blocking close-on-exec stream socket of ep's family, or -1 with errno. */
int address_socket(const struct endpoint *ep);
/* For TCP: small messages go out at once. */
void address_no_delay(int fd, const struct endpoint *ep);

/* A stream over an accepted descriptor, which it takes over; ep is the listener's, for messages. Never NULL. */
struct stream *stream_accepted(struct loop *l, int fd, const struct endpoint *ep, size_t max_input);

#endif
