/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TOR_SESSION_H
#define TOR_SESSION_H

#include "base/endpoint.h"
#include "io/loop.h"
#include "proto/command.h"
#include "proto/event.h"
#include "proto/reply.h"
#include "tor/fitness.h"

/*
 * One controller session with one tor: connects, authenticates, checks the
 * version, subscribes, keeps alive, and reconnects for ever (1 s x 1.5,
 * jittered, at most 60 s). Commands are pipelined; replies come back in order;
 * each has a deadline of 10 s. A reply without a command, two replies for one,
 * bytes that don't parse or a missed deadline drop the link: what was in
 * flight is then unknown and gets a NULL reply. `generation` rises with each
 * link that authenticates; nothing of an older one is ever delivered.
 */
struct session;

/*
 * The oldest tor that is accepted, and the oldest without a warning.
 * 0.4.7.1 brought vanguards-lite (proposal 333): with an older one a public
 * service gives its guard away within hours, and no such series gets repairs.
 * Below 0.4.9.9 PoW services can be made to crash tor (TROVE-2026-020); below
 * 0.4.9.11 a rendezvous point can be impersonated (tor#41297).
 */
#define SESSION_TOR_MIN "0.4.7.1"
#define SESSION_TOR_POW "0.4.9.9"
#define SESSION_TOR_GOOD "0.4.9.11"

struct session_config {
	const char *name; /* as in the configuration; borrowed for the session's life, as all below */
	struct endpoint control;
	const char *cookie_file;   /* SAFECOOKIE; NULL: not offered */
	const char *password_file; /* HashedControlPassword; NULL: not offered */
	bool allow_no_auth;        /* accept METHODS=NULL */
};

enum session_state { SESSION_DOWN, SESSION_CONNECTING, SESSION_AUTHENTICATING, SESSION_UP };

struct session_handlers {
	/* Authenticated, version fine, events subscribed: commands may be sent. */
	void (*on_up)(void *arg);
	/*
	 * The link is gone (or could not be made); `why` says what the operator
	 * can do. Sent once per change, not per try.
	 */
	void (*on_lost)(const struct err *why, void *arg);
	/* HS_DESC, STATUS_CLIENT, STATUS_GENERAL, NETWORK_LIVENESS (what the other side allowed us to subscribe); more while watched. */
	void (*on_event)(const struct event *ev, void *arg);
	/* Our own side's fitness changed: `why` is "" when fit, else a short reason for people. */
	void (*on_fitness)(bool fit, const char *why, void *arg);
};

/* All in ms. The defaults are those named above. */
struct session_timing {
	int64_t command;     /* deadline of one command, and of connecting: 10 s */
	int64_t keep_alive;  /* between two polls of our own side: 30 s */
	int64_t backoff_min; /* first wait before a new try: 1 s */
	int64_t backoff_max; /* 60 s */
	int64_t stable;      /* a link that held this long makes waits begin anew: 60 s */
};

/* Config and handlers are copied (the strings are borrowed). Nothing happens before session_start(). */
struct session *session_new(struct loop *l, const struct session_config *cfg,
    const struct session_handlers *h, void *arg);
/* Before session_start(), for tests. */
void session_set_timing(struct session *s, const struct session_timing *timing);
void session_start(struct session *s);
/* No callback comes after it, not for commands in flight either. May be called in a callback of s. NULL is fine. */
void session_free(struct session *s);

enum session_state session_get_state(const struct session *s);
uint64_t session_get_generation(const struct session *s);
/* Version of tor as text, "" before it is known. */
const char *session_get_version(const struct session *s);
/* True, or false and *why (constant or owned by s) for people. Starts false. */
bool session_is_fit(const struct session *s, const char **why);
/* Does our wall clock agree with this tor's consensus? */
enum fitness_clock session_clock(const struct session *s);
/* Last reason of a lost link, "" if none. */
const char *session_get_error(const struct session *s);
/*
 * What the operator should know about a link that is up: an old tor, events
 * kept from us by a filter. "" if nothing; may be set when on_up comes.
 */
const char *session_get_warning(const struct session *s);
/* This tor is new enough for command_add_onion.pow; false while its version is not known. */
bool session_has_pow(const struct session *s);

/*
 * Called once for each command: `reply` is NULL when the link was lost or the
 * deadline passed (the outcome is then unknown). `id` is the caller's.
 */
typedef void session_reply_cb(void *ctx, uint64_t id, const struct reply *reply);

/*
 * All return 0, or -1 when the session is not up or the arguments don't encode
 * (nothing is sent, cb not called): ERR_REFUSED, or as in proto/command.h.
 * `cb` may be NULL. session_add_onion() refuses `pow` unless session_has_pow().
 */
int session_add_onion(struct session *s, const struct command_add_onion *cmd, session_reply_cb *cb,
    void *ctx, uint64_t id, struct err *e);
int session_del_onion(struct session *s, const char *address, session_reply_cb *cb, void *ctx,
    uint64_t id, struct err *e);
int session_hsfetch(struct session *s, const char *address, session_reply_cb *cb, void *ctx,
    uint64_t id, struct err *e);
int session_getinfo(struct session *s, const char *key, session_reply_cb *cb, void *ctx,
    uint64_t id, struct err *e);
int session_close_circuit(struct session *s, const char *circuit, session_reply_cb *cb, void *ctx,
    uint64_t id, struct err *e);

/*
 * From the first call to the last STREAM, CIRC and CIRC_MINOR events come too,
 * over losses of the link; without effect where a filter refuses them (then
 * session_get_warning() says so). They tell about every stream and circuit of
 * that tor, thousands a minute on a busy one: so not for longer than needed.
 */
void session_watch(struct session *s);
/* Once for each session_watch(). */
void session_unwatch(struct session *s);

/* What a probe through this tor found out about our own side: see fitness_take_path(). on_fitness may come inside. */
void session_note_path(struct session *s, bool found);
/* Has CIRC_MINOR come since the link is up? Else what it would tell is not known, rather than not so. */
bool session_sees_circuits(const struct session *s);

/*
 * `addresses`: n x 56 characters, each NUL-ended, borrowed for the call. n < 0:
 * unknown (link lost, refused, not a list).
 */
typedef void session_detached_cb(void *ctx, const char *const *addresses, int n);
/* GETINFO onions/detached, both shapes. */
int session_detached(struct session *s, session_detached_cb *cb, void *ctx, struct err *e);

/* `id` is the caller's; n < 0: unknown (link lost, refused, not a list of circuits). */
typedef void session_count_cb(void *ctx, uint64_t id, int n);
/*
 * How many clients the service `address` (56 characters) of this tor has now:
 * its joined rendezvous circuits, from GETINFO circuit-status. tor closes one
 * some minutes after its last stream, so 0 is certain and more is an upper bound.
 */
int session_clients(struct session *s, const char *address, session_count_cb *cb, void *ctx,
    uint64_t id, struct err *e);

#endif
