/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TESTS_UNIT_IO_FIXTURE_H
#define TESTS_UNIT_IO_FIXTURE_H

#include "base/buf.h"
#include "io/loop.h"
#include "io/stream.h"

#include <stdbool.h>

/* A loop, a fresh folder, a listener in it, and records of what streams told. */

#define WAIT_MS 10000 /* far more than anything takes */

/* What one stream said: one letter an event, Connected Data dRained closed(X), in order. */
struct record {
	struct stream *s;
	char events[256];
	size_t n_events;
	struct buf data;      /* what was consumed */
	bool keep;            /* look, but don't consume */
	enum stream_event free_on; /* free s on this event, if may_free */
	bool may_free;
	int inside;           /* >0 while a call of ours is under way: no callback may come */
	struct stream **also; /* freed too, with the first event */
};

struct fixture {
	struct loop *loop;
	char dir[32];
	struct endpoint ep;
	struct listener *ls;
	size_t max_input;
	struct record server; /* the last accepted one */
	int accepted;
	int fds; /* open when it began */
};

void fixture_up(struct fixture *f, enum endpoint_kind kind, size_t max_input);
/* Frees listener, server stream and loop, removes the folder, checks that no descriptor is left. */
void fixture_down(struct fixture *f);
/* Connects `r` to the listener and waits until both ends have a stream. */
void fixture_pair(struct fixture *f, struct record *r, size_t max_input);

void record_cb(struct stream *s, enum stream_event ev, void *arg);
void record_free(struct record *r);
int record_count(const struct record *r, char event);
/* Run the loop until r has had the event once more, or has n bytes in all; false when that takes too long. */
bool wait_event(struct fixture *f, struct record *r, char event);
bool wait_bytes(struct fixture *f, struct record *r, size_t n);
bool wait_true(struct fixture *f, bool *flag);
/* Some turns with nothing to wait for, so that what should not come could come. */
void run_shortly(struct fixture *f);

/* A plain blocking socket, connected to ep. */
int raw_connect(const struct endpoint *ep);
/* An endpoint of that kind where nobody listens (now). */
struct endpoint unused_endpoint(struct fixture *f, enum endpoint_kind kind);
int count_fds(void);

#endif
