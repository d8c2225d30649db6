/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef IO_STREAM_H
#define IO_STREAM_H

#include "base/endpoint.h"
#include "io/loop.h"

#include <stddef.h>
#include <sys/types.h>

/*
 * A byte stream over a unix socket or loopback TCP, with one callback and typed
 * events. Callbacks always come from the loop, never inside a call below.
 */
struct stream;

enum stream_event {
	STREAM_CONNECTED, /* once, first (not for accepted streams) */
	STREAM_DATA,      /* new bytes: look with stream_peek(), take with stream_consume() */
	STREAM_DRAINED,   /* all that was written has been handed to the kernel */
	STREAM_CLOSED,    /* the end: peer closed, could not connect, or an error (stream_error()). Sent once;
	                     bytes that arrived before are delivered as STREAM_DATA first */
};
typedef void stream_cb(struct stream *s, enum stream_event ev, void *arg);

/*
 * Starts to connect. Never NULL; every failure arrives as STREAM_CLOSED from
 * the loop, with the reason in stream_error(). `max_input` bounds the bytes
 * kept unread (reading pauses there): the owner must consume or close.
 */
struct stream *stream_connect(struct loop *l, const struct endpoint *ep, size_t max_input, stream_cb *cb, void *arg);
/* Replaces the callback, e.g. when an accepted stream gets its owner. */
void stream_set_cb(struct stream *s, stream_cb *cb, void *arg);

/* All unread bytes in one piece; valid until the next call on s. */
const char *stream_peek(struct stream *s, size_t *len);
void stream_consume(struct stream *s, size_t n);

/* Queues bytes (copied). Nothing happens on a closed stream. */
void stream_write(struct stream *s, const void *p, size_t n);
/* As stream_write(), but every copy that this program makes is wiped once sent or dropped. */
void stream_write_secret(struct stream *s, const void *p, size_t n);
/* Bytes written and not yet handed to the kernel. */
size_t stream_pending(const struct stream *s);
/* Stops or resumes reading. */
void stream_set_reading(struct stream *s, bool on);

/* Why it was closed: code ERR_CLOSED for an orderly end, ERR_SYS with errno else. Borrowed. */
const struct err *stream_error(const struct stream *s);
/* uid of the process at the other end of a unix socket; -1 for TCP or before it is connected. */
long stream_peer_uid(const struct stream *s);
/* All groups are not visible; gid as SO_PEERCRED gives it, or -1. */
long stream_peer_gid(const struct stream *s);

/* Closes at once; no callback comes after this call. May be called in the stream's own callback. NULL is fine. */
void stream_free(struct stream *s);
/* As stream_free(), but first sends what is pending, for at most `ms`; no callback comes after this call. */
void stream_free_after_drain(struct stream *s, int64_t ms);

/*
 * A listener. on_accept owns the new stream (its cb must be set at once).
 * When descriptors run out accepting pauses for a second.
 */
struct listener;
struct listener *listener_new(struct loop *l, const struct endpoint *ep, mode_t mode, size_t max_input,
    void (*on_accept)(struct stream *s, void *arg), void *arg, struct err *e);
/* For unix sockets: a stale socket file is replaced only if nobody answers on it; any other file is refused.
 * listener_free() removes the socket file it made. */
void listener_free(struct listener *ls);

#endif
