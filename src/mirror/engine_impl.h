/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MIRROR_ENGINE_IMPL_H
#define MIRROR_ENGINE_IMPL_H

/*
 * What the files of the engine share. Every public function changes what it
 * was told about and then calls engine_settle(), which looks at the whole
 * state and does what is due: so it does not matter in which order things
 * happen, or whether one is told twice.
 */
#include "mirror/engine.h"

#define NEVER INT64_MAX
#define UPLOADS_WANTED 16          /* 2 replicas x 4 HSDirs x 2 time periods */
#define BATCH 5                    /* onions of one tor whose uploads are under way */
#define UPLOAD_DEADLINE_MS 120000  /* no UPLOADED until then: DEL and ADD again */
#define ADD_TRIES 3
#define PROVING_DEADLINE_MS 600000
#define PROVING_RETRY_MAX_MS 30000
#define PROBES_AT_A_TIME 8         /* through one tor: above, it holds back its own uploads */
#define BUSY_MS 5000               /* after a probe that said nothing */
#define CHANGING_MS 60000          /* between probes while something is wrong */
#define DOWN_MAX_MS (30 * 60000)
#define FRESH_MS (30 * 60000)      /* as a new reader: descriptor fetched anew at least this often */
#define ADD_RETRY_MS 5000
#define PLAN_RETRY_MAX_MS 600000
#define RENEW_S (12 * 3600)        /* a new head at least this often */
#define RENEW_JITTER_S (2 * 3600)
#define PUBLISH_BUCKET 100
#define PUBLISH_REFILL_MS 60000
#define PUBLISH_RETRY_MS 5000
#define PUBLISH_RETRY_MAX_MS 300000
#define DAY_MS (24 * 3600 * 1000LL)
#define PUT_BACK_WINDOW_MS 600000  /* another controller deleting ours: alarm at the third time in 10 min */
#define PUT_BACK_ALARM 3
#define DRAIN_S (72 * 3600)        /* of an onion whose mirror is no longer configured */
#define ROTATIONS_KEPT 1024

/* Whether tor has the service. */
enum service { SERVICE_UNKNOWN, SERVICE_ABSENT, SERVICE_ADDING, SERVICE_UP, SERVICE_DELETING };

struct tor_side {
	struct engine_tor cfg;
	bool linked;       /* the link is up and its set of onions was compared */
	bool fit;
	int64_t unfit_since; /* mono, while !fit */
	unsigned batch;      /* onions whose uploads are under way; counted anew each time the engine settles */
};

struct onion {
	struct onion_record r;
	int tor, mirror; /* indices, -1: no longer configured */
	enum service service;
	bool dirty;      /* record to be saved */
	bool settled;    /* the uploads of this add are over, one way or the other */
	bool shredded;
	bool delisted;   /* listed, but fall was reached: not to be in the list */
	bool probing;
	bool stale;      /* the probe under way began before tor lost the service */
	unsigned adds;   /* tries since the last success */
	unsigned uploads_started, uploads;
	unsigned oks, fails; /* in a row */
	unsigned address_fails; /* of these, the last ones that were the address's own layers, in a row */
	enum verdict last;
	struct phases phases;
	int64_t failing_since;         /* mono: first of the failures in a row */
	int64_t seen;                  /* mono: a comparison last found it in tor */
	int64_t probe_start;           /* mono */
	int64_t last_probe;            /* wall */
	int64_t since;                 /* mono: entered its state, or was added again */
	int64_t next_shred;            /* mono: not before */
	int64_t next_add, next_probe;  /* mono */
	int64_t last_fresh;            /* mono */
	int64_t grace_end;             /* mono, leaving */
	int64_t age_end;               /* mono, listed: rotate by age; NEVER */
};

struct mirror {
	struct engine_mirror cfg;
	enum verdict backend;       /* of the last check */
	int64_t backend_at;         /* mono, 0: none */
	bool checking, planning;
	bool wanted;                /* a rotation is asked for */
	enum onion_cause cause;     /* of it */
	uint64_t op, probe_op;
	int64_t plan_after;         /* mono */
	unsigned plan_tries;
	int64_t put_back[PUT_BACK_ALARM]; /* mono: when tor had lost a listed onion of ours while its link was up */
	bool budget_alarm, content_alarm;
};

/* Each mirror's newest listed onion and candidate: found when asked, forgotten when a state changes. */
struct newest {
	bool valid;
	struct onion **listed, **candidate; /* owned; the onions are the engine's */
};

struct engine {
	struct tor_side *tors;     /* owned */
	size_t n_tors;
	struct mirror *mirrors;    /* owned */
	size_t n_mirrors;
	struct onion **onions;     /* owned, by rising id */
	size_t n_onions, cap_onions;
	struct newest *newest;     /* owned */
	unsigned min_listed, max_rotations_per_day;
	int64_t rotation_spacing_ms;
	bool started;
	/* publication */
	bool publishing, publish_wanted;
	uint64_t publish_op, flight_op; /* asked for; of the publication under way */
	uint64_t *flight;          /* owned: ids in the publication under way */
	size_t n_flight;
	uint64_t serial;
	int64_t valid_until;
	int64_t renew_at, publish_retry_at, publish_backoff; /* mono */
	unsigned bucket;
	int64_t bucket_at;
	bool mass;  /* more than half of the listed fail together */
	bool panic; /* the list is kept as it is, for that or for min-listed */
	char panic_why[120];
	int64_t rotations[ROTATIONS_KEPT]; /* mono times of automatic rotations, a ring */
	size_t n_rotations;
	int64_t deadline;
};

/* actions.c */
struct action *action_add(struct actions *out, enum action_kind kind, const struct onion *o, int mirror);
void note(struct actions *out, enum note_kind kind, const struct onion *o, int mirror, uint64_t op, const char *step,
    const char *fmt, ...) __attribute__((format(printf, 7, 8)));

/* engine.c */
struct onion *onion_find(const struct engine *e, uint64_t id);
struct onion *onion_find_address(const struct engine *e, const char *address);
void onion_set_state(struct engine *e, struct onion *o, struct now now, enum onion_state s, struct actions *out, const char *why);
void engine_settle(struct engine *e, struct now now, struct actions *out);
/* An event at `at` is to be looked at. */
void engine_due(struct engine *e, int64_t at);
/* When a listed onion is old enough to be rotated, from the configuration. */
void onion_set_age(const struct engine *e, struct now now, struct onion *o);
struct onion *mirror_listed(const struct engine *e, int mirror);
struct onion *mirror_candidate(const struct engine *e, int mirror);
bool onion_is_candidate(const struct onion *o);
/* Both: may commands be sent, may it be judged. */
bool onion_linked(const struct engine *e, const struct onion *o);
bool onion_fit(const struct engine *e, const struct onion *o);

/* life.c: what is due for one onion */
void life_step(struct engine *e, struct now now, struct onion *o, struct actions *out);
/* A candidate that can't be: DEL_ONION, key destroyed, its mirror tries anew. */
void life_fail(struct engine *e, struct now now, struct onion *o, struct actions *out, const char *why);
/* Counts tor_side.batch. */
void life_count_batches(struct engine *e);

/* probe.c */
/* How long until the next probe of this onion, counted from the start of the last one. */
int64_t probe_gap(const struct engine *e, const struct onion *o);
/* What is due for one onion, and when. */
void probe_step(struct engine *e, struct now now, struct onion *o, struct actions *out);
/* Begins the probes that are due. */
void probe_start_due(struct engine *e, struct now now, struct actions *out);

/* health.c */
/* Ends an operator's probe that can't be made any more, or makes it now. */
void health_probe_op(struct engine *e, struct now now, int mirror, struct actions *out);
/* Why the listed onion of a mirror can't be probed now; NULL: it can. */
const char *health_probe_obstacle(const struct engine *e, int mirror);
void health_delist(struct engine *e, struct actions *out);
/* More than half of the listed onions fail together. */
bool health_mass_failure(const struct engine *e);

/* rotate.c */
/* The mirror's next onion is planned after a growing while. */
void plan_later(struct engine *e, struct now now, struct mirror *m);
void rotate_step(struct engine *e, struct now now, int mirror, struct actions *out);
void rotate_ended(struct engine *e, struct onion *o, bool ok, struct actions *out);

/* listing.c */
void listing_step(struct engine *e, struct now now, struct actions *out);
/* Listed onions that are out of the visible list for good: a successor took their place, or their mirror is gone. */
void listing_retire(struct engine *e, struct now now, struct actions *out);
/* In the list that is being signed and made visible. */
bool listing_in_flight(const struct engine *e, const struct onion *o);
bool listing_wants(const struct engine *e, const struct onion *o);
void publish_ended(struct engine *e, uint64_t op, bool ok, const char *why, struct actions *out);

#endif
