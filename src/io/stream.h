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
	                     bytes that arrived before are delivered as STREAM_DATA first, and what was not
	                     consumed can still be looked at until stream_free() */
};
typedef void stream_cb(struct stream *s, enum stream_event ev, void *arg);

/*
 * Starts to connect. Never NULL; every failure arrives as STREAM_CLOSED from
 * the loop, with the reason in stream_error(). There is no time limit: that
 * is the owner's. Bytes written before STREAM_CONNECTED are kept until then.
 * `max_input` (at least 1) bounds the bytes kept unread. When so many are
 * there reading pauses, and with it the news that the peer closed: so an
 * owner who sees max_input bytes without a whole message must close.
 */
struct stream *stream_connect(struct loop *l, const struct endpoint *ep, size_t max_input, stream_cb *cb, void *arg);
/* Replaces the callback, e.g. when an accepted stream gets its owner. NULL: events are dropped. */
void stream_set_cb(struct stream *s, stream_cb *cb, void *arg);

/*
 * All unread bytes in one piece, never NULL; valid until the next call on s.
 * One STREAM_DATA may bring many messages.
 */
const char *stream_peek(struct stream *s, size_t *len);
/* Takes n bytes (at most all) off the front and wipes them. */
void stream_consume(struct stream *s, size_t n);

/* Queues bytes (copied), never refuses: look at stream_pending(). Nothing happens on a closed stream. */
void stream_write(struct stream *s, const void *p, size_t n);
/* As stream_write(), but every copy that this program makes is wiped once sent or dropped. */
void stream_write_secret(struct stream *s, const void *p, size_t n);
/* Bytes written and not yet handed to the kernel. */
size_t stream_pending(const struct stream *s);
/*
 * Stops or resumes reading. While it is off there is no STREAM_DATA, and the
 * peer's close is noticed only by writing. When it goes from off to on with
 * bytes unread, STREAM_DATA comes again for those (so off and on in a
 * callback yields to other streams and then goes on).
 */
void stream_set_reading(struct stream *s, bool on);

/* Why it was closed: code ERR_CLOSED for an orderly end, ERR_SYS with errno else; ERR_NONE before. Borrowed. */
const struct err *stream_error(const struct stream *s);
/* uid of the process at the other end of a unix socket; -1 for TCP or before it is connected. */
long stream_peer_uid(const struct stream *s);
/* Its effective group as SO_PEERCRED gives it (not its supplementary groups), or -1. */
long stream_peer_gid(const struct stream *s);

/* Closes at once; no callback comes after this call. May be called in the stream's own callback. NULL is fine. */
void stream_free(struct stream *s);
/*
 * As stream_free(), but first sends what is pending, for at most `ms`; no
 * callback comes after this call, and input is thrown away.
 */
void stream_free_after_drain(struct stream *s, int64_t ms);

/*
 * A listener. on_accept owns the new stream (its cb must be set at once), and
 * may free the listener. When descriptors run out accepting pauses for a
 * second. NULL on failure.
 * For unix sockets: the file gets exactly `mode`. A stale socket file is
 * replaced only if nobody answers on it; any other file is refused.
 */
struct listener;
struct listener *listener_new(struct loop *l, const struct endpoint *ep, mode_t mode, size_t max_input,
    void (*on_accept)(struct stream *s, void *arg), void *arg, struct err *e);
/*
 * Listens on a socket that the service manager passed (io/passed.h) and that
 * stays there: it is duplicated. Unix or loopback, else NULL with ERR_CONFIG.
 */
struct listener *listener_adopt(struct loop *l, int fd, size_t max_input, void (*on_accept)(struct stream *s, void *arg),
    void *arg, struct err *e);
/* Removes the socket file too, if it is still the one it made. Streams it accepted live on. NULL is fine. */
void listener_free(struct listener *ls);

#endif
