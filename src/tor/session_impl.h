/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TOR_SESSION_IMPL_H
#define TOR_SESSION_IMPL_H

#include "base/buf.h"
#include "io/stream.h"
#include "tor/auth.h"
#include "tor/backoff.h"
#include "tor/fitness.h"
#include "tor/queue.h"
#include "tor/session.h"

/* What session.c, handshake.c and commands.c share; nobody else includes it. */

#define SESSION_LINE_MAX 16384 /* of one command of ours */

struct session {
	struct loop *loop; /* borrowed */
	struct session_config cfg;
	struct session_handlers h;
	void *arg;
	struct session_timing timing;

	enum session_state state;
	uint64_t generation;
	struct stream *stream;       /* owned, as all below; NULL while down */
	struct reply_reader *reader; /* NULL while down */
	struct queue *queue;
	struct timer *deadline; /* of connecting, then of the oldest command */
	struct timer *retry;
	struct timer *keep_alive;
	struct backoff backoff;
	int64_t up_since; /* monotonic ms */

	uint8_t *cookie; /* secret; only between AUTHCHALLENGE and its answer */
	uint8_t client_nonce[AUTH_NONCE_LEN];
	enum auth_method method;
	bool cookie_retried; /* after a 515 that a cookie read too early may explain */
	unsigned event_set;  /* index of the set of events last asked for, but for the watchers */
	bool can_watch;      /* STREAM, CIRC and CIRC_MINOR are to be had */
	unsigned watchers;
	bool minor_seen; /* CIRC_MINOR has come since the link is up */

	struct fitness fitness;
	bool fit;            /* as last told */
	const char *fit_why; /* constant */
	unsigned polls_open; /* questions not answered yet */
	bool poll_again;     /* an event came meanwhile */

	char version[64];
	struct tor_version tor;
	bool version_known;
	char warning[384];
	struct err error;  /* last reason, as told */
	bool told;         /* on_lost came since the last on_up */
	struct err failed; /* set inside a callback of the reader: the link goes once it returns */

	unsigned depth; /* callbacks of the loop under way in s */
	bool dead;      /* freed inside one of them */
};

/* Begins at the connected stream: PROTOCOLINFO, authentication, version, events, then session_is_up(). */
void handshake_start(struct session *s);
/* Asks for the events that the number of watchers calls for; later than the handshake. */
void handshake_ask_watch(struct session *s);
/* Wipes what a handshake keeps. */
void handshake_wipe(struct session *s);

/* Sends the line in `out` (which is then freed, secret or not) and queues the entry, whose deadline it sets. */
void session_send(struct session *s, struct buf *out, struct queue_entry *entry);
/* The link must go, as soon as the reader is done. The first reason stays. */
void session_fail(struct session *s, const struct err *why);
/* As above, but the next try comes at once and nobody is told. */
void session_fail_quietly(struct session *s);
void session_is_up(struct session *s);

#endif
