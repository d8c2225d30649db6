/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MIRROR_ENGINE_H
#define MIRROR_ENGINE_H

#include "base/clock.h"
#include "base/err.h"
#include "mirror/onion.h"
#include "proto/verdict.h"

#include <stddef.h>

/*
 * The engine: decides. Pure: it is told what happened and the time, and
 * answers with actions, which the daemon first makes durable and then carries
 * out. It opens nothing, reads no clock, logs nothing. Timers use now.mono;
 * now.wall is only stored and compared with times that were published.
 */
struct engine;

struct engine_tor {
	char name[ONION_NAME_MAX + 1];
	unsigned max_mirrors;  /* of those that are placed by us */
	int64_t move_after_ms; /* lost for longer, its mirrors get new onions on the others; 0: never */
};
#define TOR_NONE -1
#define TOR_AUTO -2 /* engine_mirror: the one with the most room; to look through: another than the one that serves */
enum engine_role { ROLE_MIRROR = 0, ROLE_REPLICA, ROLE_ARCHIVE };
/* What an operator asked for, durable: nothing, a while out of the list, out of it until it is rotated. */
enum mirror_hold { HOLD_NONE = 0, HOLD_MAINT, HOLD_DRAINED, HOLD__COUNT };
const char *mirror_hold_name(enum mirror_hold h);
int mirror_hold_parse(enum mirror_hold *h, const char *name);

struct engine_mirror {
	char name[ONION_NAME_MAX + 1];
	int tor;               /* index into tors, or TOR_AUTO */
	int probe_through;     /* index of a second tor to probe through, TOR_NONE or TOR_AUTO */
	enum engine_role role;
	int64_t stale_after_ms; /* old content for longer takes a ROLE_MIRROR out of the list; 0: never */
	bool revoke_on_content; /* wrong content, seen twice in a row, asks for a revocation */
	int64_t interval_ms;   /* between probes while all is well (jittered by 25 %) */
	int64_t timeout_ms;    /* of one probe */
	unsigned rise, fall;   /* >= 1 */
	int64_t rotate_every_s; /* 0: never by age (jittered by 20 %) */
	int64_t drain_s;       /* how long a retired onion goes on answering, at least */
	bool spare;            /* kept proved, and listed only while another mirror is out of the list */
};
struct engine_config {
	struct engine_tor *tors;
	size_t n_tors;
	struct engine_mirror *mirrors;
	size_t n_mirrors;
	unsigned n_controls;           /* onions of others that tell, in trouble, whether our own side is well */
	unsigned min_listed;
	int64_t rotation_spacing_ms;   /* between automatic rotations; default 10 min */
	unsigned max_rotations_per_day; /* automatic ones; default 6 */
};

/*
 * What the daemon has to do, in order; but every ACTION_SAVE of a batch is made
 * durable, in one transaction, before any other action of it runs.
 */
enum action_kind {
	ACTION_SAVE = 1,   /* onion: its record changed */
	ACTION_SAVE_MIRROR, /* mirror: engine_mirror_hold() changed; durable as ACTION_SAVE is */
	ACTION_PLAN,       /* mirror, cause, op, tor: make a key and record it, then engine_on_planned() */
	ACTION_ADD_ONION,  /* onion -> engine_on_added() or engine_on_add_failed() */
	ACTION_DEL_ONION,  /* onion -> engine_on_deleted() */
	ACTION_PROBE,      /* onion, through; fresh: HSFETCH first -> engine_on_probe() */
	ACTION_CONTROL,    /* through: ask `onion` (ours, on another tor), or if 0 the configured one number `control` -> engine_on_control() */
	ACTION_CHECK,      /* mirror: look at its backend -> engine_on_check() */
	ACTION_COMPARE,    /* onion: ask its tor now which onions it has -> engine_on_detached() */
	ACTION_CLIENTS,    /* onion: how many clients are connected to it -> engine_on_clients() */
	ACTION_PUBLISH,    /* sign and publish engine_list() -> engine_on_published() */
	ACTION_SHRED,      /* onion: destroy its key, in store and memory */
	ACTION_FORGET,     /* onion: nothing of it is needed any more, delete its record; the engine has none of it already */
	ACTION_NOTE,       /* something for log, subscribers and history */
};

enum note_kind { NOTE_STATE, NOTE_STEP, NOTE_DECISION, NOTE_ALARM };

struct action {
	enum action_kind kind;
	uint64_t onion;   /* id, 0: none */
	int mirror;       /* index, -1: none */
	enum onion_cause cause;
	uint64_t op;      /* operation this belongs to, 0: none */
	bool fresh;
	int through;      /* index of the tor that a probe goes through */
	unsigned tor;     /* PLAN: index of the tor that the new onion is for */
	unsigned control; /* index of a configured control onion */
	unsigned command; /* ADD_ONION, DEL_ONION: which one of this onion */
	enum note_kind note;
	char step[24];    /* NOTE_STEP: planned, created, uploaded, proved, listed, delisted, revoked, probed, published, failed, done (the last two end it);
	                     NOTE_STATE: new state; NOTE_DECISION, NOTE_ALARM: a word for it */
	char from[16];    /* NOTE_STATE of an onion: the state that it left, "" if it is new; text is then the cause */
	char text[200];   /* for people: evidence and numbers; no onion address in it */
};

/* Grows as needed; the caller frees with actions_free() or empties with actions_reset(). */
struct actions {
	struct action *v;
	size_t n, cap;
};
void actions_reset(struct actions *a);
void actions_free(struct actions *a);

/* cfg is copied. */
struct engine *engine_new(const struct engine_config *cfg);
void engine_free(struct engine *e);
/* New configuration; mirrors and tors are matched by name; onions of mirrors that are gone become leaving. */
void engine_reconfigure(struct engine *e, struct now now, const struct engine_config *cfg, struct actions *out);
/* At start, before anything else: one call a stored onion. Times of the previous life hold. */
void engine_restore(struct engine *e, const struct onion_record *r);
/* At start too: what the operator last asked for. A mirror that is no longer configured is passed over. */
void engine_restore_mirror(struct engine *e, const char *mirror, enum mirror_hold h);
/* After the restores: `serial` and `valid_until` of the newest visible list (0, 0: none). */
void engine_start(struct engine *e, struct now now, uint64_t serial, int64_t valid_until, struct actions *out);

/* --- what happened ------------------------------------------------------- */
/* tor: index. The set of onions tor has (detached), right after each link and every 60 s: the world is compared with the intent. */
void engine_on_detached(struct engine *e, struct now now, unsigned tor, const char *const *addresses, size_t n, struct actions *out);
void engine_on_tor_lost(struct engine *e, struct now now, unsigned tor, struct actions *out);
/* Our own side can judge, or not (`why` for people). */
void engine_on_fitness(struct engine *e, struct now now, unsigned tor, bool fit, const char *why, struct actions *out);
/* Answer to ACTION_PLAN: r is the record, already durable with its key (state planned). */
void engine_on_planned(struct engine *e, struct now now, const struct onion_record *r, struct actions *out);
/* ACTION_PLAN failed (store): tried again later. */
void engine_on_plan_failed(struct engine *e, struct now now, int mirror, struct actions *out);
void engine_on_added(struct engine *e, struct now now, uint64_t onion, struct actions *out);
/*
 * collision: tor has it already (550): adopt. unknown: link lost, the next comparison tells. again: nothing was
 * added, and it is asked for once more at once, if it is still wanted. else `why`: tor refused.
 */
enum add_failure { ADD_REFUSED, ADD_COLLISION, ADD_UNKNOWN, ADD_AGAIN };
void engine_on_add_failed(struct engine *e, struct now now, uint64_t onion, enum add_failure f, const char *why, struct actions *out);
/* ok: 250 or 552 (not there). */
void engine_on_deleted(struct engine *e, struct now now, uint64_t onion, bool ok, struct actions *out);
/* ACTION_SHRED failed (store): tried again in a minute. */
void engine_on_shred_failed(struct engine *e, struct now now, uint64_t onion, struct actions *out);
/* The onion's last possession proof runs until `wall`: its tombstone must stay that long. */
void engine_set_tombstone_until(struct engine *e, uint64_t onion, int64_t wall, struct actions *out);
/*
 * HS_DESC of our own uploads, by address. hsdir: 40 hex digits; descid: "" when tor
 * names none (UPLOADED never does). Each upload is followed by both.
 */
enum desc_event { DESC_UPLOAD, DESC_UPLOADED, DESC_UPLOAD_FAILED };
void engine_on_descriptor(struct engine *e, struct now now, const char *address, enum desc_event ev, const char *hsdir,
    const char *descid, struct actions *out);
/* n: client circuits joined to this onion; < 0: not known. */
void engine_on_clients(struct engine *e, struct now now, uint64_t onion, int n, struct actions *out);
/* through: as ACTION_PROBE said. */
void engine_on_probe(struct engine *e, struct now now, uint64_t onion, int through, enum verdict v, enum fetch f,
    const struct phases *ph, struct actions *out);
/* answered: whatever it said, there is a way through this tor to an onion that has nothing to do with what fails. */
void engine_on_control(struct engine *e, struct now now, int through, bool answered, struct actions *out);
void engine_on_check(struct engine *e, struct now now, int mirror, enum verdict v, struct actions *out);
/*
 * An action is carried out now. It may have waited for the disk, and have been overtaken meanwhile: false, it is dropped
 * (the engine knows; where it wants something else instead, that is in `out`).
 */
bool engine_take_action(struct engine *e, struct now now, const struct action *a, struct actions *out);
/*
 * ACTION_PUBLISH is carried out now: it may have waited for the disk, so what engine_list() says from here until
 * engine_on_published() is what counts as published. NULL, or why nothing may be published any more.
 */
const char *engine_take_list(struct engine *e);
/* ok: head `serial` with what engine_list() said is visible and valid until then. */
void engine_on_published(struct engine *e, struct now now, bool ok, uint64_t serial, int64_t valid_until, struct actions *out);
/* The engine's deadline has come (engine_deadline()). */
void engine_tick(struct engine *e, struct now now, struct actions *out);
/* Monotonic ms when engine_tick() is next needed; INT64_MAX: never. */
int64_t engine_deadline(const struct engine *e);

/* --- what the operator asks ---------------------------------------------- */
/* Return 0, or -1 with ERR_REFUSED/ERR_NOTFOUND and a reason. `op` is the operation id that steps will carry. */
int engine_rotate(struct engine *e, struct now now, int mirror, uint64_t op, struct actions *out, struct err *err);
int engine_probe(struct engine *e, struct now now, int mirror, uint64_t op, struct actions *out, struct err *err);
int engine_publish(struct engine *e, struct now now, uint64_t op, struct actions *out, struct err *err);
/*
 * Out of the list now; its address leaves (retired, drains), and there is no
 * new one until engine_rotate(). Refused for the only address in the list.
 */
int engine_drain(struct engine *e, struct now now, int mirror, uint64_t op, struct actions *out, struct err *err);
/*
 * on: out of the list, no alarm and no rotation, still probed; the address
 * stays the mirror's own. off: back after `rise` good probes. Refused for the
 * only address in the list.
 */
int engine_maint(struct engine *e, struct now now, int mirror, bool on, uint64_t op, struct actions *out, struct err *err);
/*
 * The address is not to be trusted any more: a list with its revoked tombstone
 * (and without it, even if nothing else is left) goes out first, then
 * DEL_ONION, and its key is destroyed; its mirror gets a new one. By mirror: its
 * listed onion, or else its candidate. By onion: any that was ever listed.
 */
int engine_revoke(struct engine *e, struct now now, int mirror, uint64_t op, struct actions *out, struct err *err);
int engine_revoke_onion(struct engine *e, struct now now, uint64_t onion, uint64_t op, struct actions *out, struct err *err);

/* --- what is --------------------------------------------------------------- */
/* The next list: listed and ready onions that may be signed now; returns the number; ids by rising id. *hold: why
 * nothing may be published now, NULL if it may. `cap` ids at most are written. */
size_t engine_list(const struct engine *e, uint64_t *ids, size_t cap, const char **hold);
/* The next list may hold nothing but tombstones: an operator revoked the last address. */
bool engine_list_may_be_empty(const struct engine *e);
/* Tombstones: retired or revoked onions whose tombstone_until lies ahead. Ids, as above. */
size_t engine_tombstones(const struct engine *e, int64_t wall, uint64_t *ids, size_t cap);
/* NULL if there is none. Valid until the next change. */
const struct onion_record *engine_onion(const struct engine *e, uint64_t id);
/* Calls cb for each onion by rising id. */
void engine_each_onion(const struct engine *e, void (*cb)(const struct onion_record *r, void *arg), void *arg);
/* Index of a mirror by name, -1: none. */
int engine_mirror_index(const struct engine *e, const char *name);

/* For status: computed from the state, never kept beside it. */
enum mirror_state {
	MIRROR_STARTING,     /* no listed onion yet, first one on its way */
	MIRROR_UP,
	MIRROR_SUSPECT,      /* listed, the last probe (through one of the tors) failed */
	MIRROR_DOWN,         /* fall reached: out of the list, or kept only by panic/min-listed */
	MIRROR_ROTATING,     /* a candidate is on its way beside the listed onion */
	MIRROR_BUSY,         /* overloaded: it answers that it is busy, or far slower than it used to */
	MIRROR_INCONCLUSIVE, /* our own side is not fit to judge */
	MIRROR_MAINT,        /* out of the list by hand, for a while */
	MIRROR_DRAINED,      /* out of the list by hand, until it is rotated */
	MIRROR_SPARE,        /* proved and not needed now */
	MIRROR__STATES
};
const char *mirror_state_name(enum mirror_state s);
#define VANTAGES 2
struct mirror_view {
	enum mirror_state state;
	unsigned order;             /* readers are sent to lower ones first: 0, or 1 while busy or stale */
	bool stale;                 /* its content is behind */
	bool flapping;              /* delisted for failing again and again: comes back when it was quiet for long enough */
	struct {
		int tor;             /* index, -1: none */
		bool fit;            /* what is seen through it counts */
		enum verdict last;
		unsigned fails;      /* in a row */
		int64_t last_probe;  /* wall s, 0: none */
	} vantages[VANTAGES];       /* the mirror's own tor, then the second one */
	int tor;                    /* index of the one that serves it (listed, else candidate, else to be), -1: not placed yet */
	uint64_t listed, candidate; /* onion ids, 0: none */
	unsigned leaving;           /* number of leaving onions */
	unsigned rise, fall;        /* oks, failures in a row of the listed (or candidate) onion; with two vantages both count, and both must fail */
	enum verdict last;          /* of its last probe; INCONCLUSIVE if none */
	enum verdict backend;       /* of its last check */
	int64_t last_probe;         /* wall s, 0: none */
	int64_t next_probe;         /* mono ms, INT64_MAX: none planned */
	struct phases phases;       /* of its last probe */
	/* Of the newest onion: uploads that arrived, of how many, and of the others those refused and those never heard of again. */
	unsigned uploads, uploads_started, uploads_failed, uploads_silent;
};
int engine_mirror_view(const struct engine *e, int mirror, struct mirror_view *v);
/* Many mirrors fail and no control onion answers through this tor. */
bool engine_tor_silent(const struct engine *e, unsigned tor);
enum mirror_hold engine_mirror_hold(const struct engine *e, int mirror);
/*
 * What a decision about an onion (0: none) and its mirror (-1: none) rests on,
 * as lines with LF: last verdicts, backend, our own side, uploads, budget, list.
 * No onion address in it. Cut at n bytes, always NUL-ended.
 */
void engine_evidence(const struct engine *e, struct now now, uint64_t onion, int mirror, char *out, size_t n);
/* Automatic rotations that the budget of a day still allows. */
unsigned engine_rotations_left(const struct engine *e, struct now now);
/* Panic: holds the list as it is; *why for people. */
bool engine_in_panic(const struct engine *e, const char **why);

#endif
