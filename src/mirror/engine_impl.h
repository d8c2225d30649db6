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
#define UPLOADS_WAIT_MS 30000      /* a first probe comes no later than that after the first of them */
#define UPLOADS_KEPT 32            /* that are followed, of one onion */
/* tor gives an upload up after 5 min without a byte, and says nothing: a minute more, and it is lost. */
#define SILENT_MS (6 * 60000)
#define REPAIRS 2                  /* DEL and ADD for too few uploads, of one proof */
#define CLIENTS_MS 60000           /* between two looks for clients of a leaving onion */
#define ANSWER_MS 15000            /* for the answer to the first look */
#define OP_MS (10 * 60000)         /* an operation of an operator that can't be ended before is told so */
#define QUIET_MS (10 * 60000)      /* no client for that long: it may go */
#define DRAIN_HARD_MS (24 * 3600000LL) /* behind its grace a client keeps it no longer than this */
#define HOLD_MS (30 * 60000)       /* an onion to be proved again holds the list back no longer */
#define HOLD_LONG_MS (12 * 3600000LL) /* nor then, when min-listed wants it: the list would lose its freshness */
#define SPARE_DWELL_MS (30 * 60000) /* a spare stays in the list that long after the need for it */
#define ADD_JITTER_MS 2000         /* re-adding after a restart of tor: not all in one breath */
#define FORGET_MS 3600000          /* nobody needs a record for that long: it goes */
#define HEARD 12                   /* verdicts kept for evidence */
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
#define WINDOW_FAILED 4            /* of the last eight rounds, in three rows or more: it flaps */
#define WINDOW_ROWS 3
#define WINDOW_CLEAR 8             /* good probes in a row that end it */
/* tor asks an HSDir for a descriptor once in 15 min, and is silent when it has asked all; a connection makes it forget that. */
#define ASK_AGAIN_MS (15 * 60000)
#define CALM_MS (60 * 60000)       /* a fall sooner after coming back is a relapse */
#define RELAPSES_MAX 5
#define CONTROL_TRIES 2
#define CONTROL_AGAIN_MS 30000     /* while none answers */
#define CONTROL_VALID_MS (5 * 60000) /* after an answer, in trouble, the next question */
#define CONTROL_OLD_MS (8 * 60000)   /* an answer says no more */
#define SLOW_TIMES 4               /* as slow as usual, and beyond SLOW_MS: overloaded */
#define SLOW_MS 10000
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
#define BULK_LEAST 3               /* addresses taken down within BULK_STAYS_MS: replaced side by side */
#define BULK_STAYS_MS (30 * 60000) /* one is noticed at its next probe, and told from a bad spell minutes later */
#define BULK_A_DAY 3               /* new addresses of one mirror so, or for a lost tor; what is beyond is within the budget */
#define PLACE_WAIT_MS 60000        /* a tor that is away so long is not waited for when one is chosen */
#define AWAY_MS (10 * 60000)       /* a candidate that may be anywhere does not wait longer for its tor */

/* Whether tor has the service. */
enum service { SERVICE_UNKNOWN, SERVICE_ABSENT, SERVICE_ADDING, SERVICE_UP, SERVICE_DELETING };

struct tor_side {
	struct engine_tor cfg;
	bool linked;       /* the link is up and its set of onions was compared */
	bool sound;        /* what the session says of our own side */
	bool silent;       /* no control onion answers through it */
	bool fit;          /* sound and not silent */
	bool asking;       /* a control is being asked */
	unsigned unanswered, asked; /* controls in a row; so far */
	int64_t control_at;  /* mono: not asked again before */
	int64_t heard;       /* mono: a control last answered; 0 never */
	int64_t unfit_since; /* mono: since when it is fit, or not */
	int64_t lost_since;  /* mono, while !sound */
	unsigned pending;    /* new onions planned for it or without a descriptor yet; counted anew each time the engine settles */
	unsigned batch;      /* onions whose uploads are under way; counted anew each time the engine settles */
};

/* What is seen of an onion through one tor. */
struct sight {
	int tor;          /* index, -1: there is no such vantage */
	bool probing;
	bool stale;       /* the probe under way began before tor lost the service */
	bool blind;       /* failed `fall` times while the other vantage saw it well: says nothing until it sees it too */
	enum verdict last;
	unsigned oks, fails; /* in a row */
	unsigned alone;   /* of these failures, those while the other vantage saw it well */
	unsigned silent;  /* of these failures, the newest in a row in which nothing was heard from behind the address */
	unsigned address; /* of these, the ones that were the address's own layers; the others are timeouts */
	int64_t silent_since, silent_last, start; /* mono: starts of the first and last silent probe, and of the last probe */
	bool missing;     /* no HSDir had its descriptor when all were asked; only one that is fetched anew says otherwise */
	int64_t missed, ask_again; /* mono, while missing: end of that fetch; tor asks no HSDir before */
	int64_t last_fresh; /* mono */
	int64_t last_probe; /* wall */
};

/* One upload of a descriptor. UPLOADED names no descid: it counts for the oldest one of its HSDir. */
enum upload_state { UPLOAD_STARTED = 1, UPLOAD_DONE, UPLOAD_FAILED, UPLOAD_SILENT };
struct upload {
	char hsdir[41], descid[65];
	enum upload_state state;
	int64_t at; /* mono: begun */
};
struct uploads {
	struct upload v[UPLOADS_KEPT];
	size_t n;
	bool enough;      /* for a first probe */
	bool judged;      /* all of the last ADD_ONION are over, and enough of them arrived or not */
	unsigned repairs; /* DEL and ADD since it was last proved */
};

struct onion {
	struct onion_record r;
	int tor, mirror; /* indices, -1: no longer configured */
	enum service service;
	unsigned command; /* number of the last ADD_ONION or DEL_ONION: those before it are overtaken */
	bool dirty;      /* record to be saved */
	bool settled;    /* the uploads of this add are over, one way or the other */
	bool shredded;
	bool delisted;   /* listed, but fall was reached: not to be in the list */
	bool flapping;   /* delisted by the window */
	bool content;    /* the content was wrong when last looked at */
	unsigned busy;   /* such answers in a row */
	unsigned slow;   /* good answers in a row that took far longer than usual */
	int32_t usual;   /* ms of a good answer, smoothed; 0: unknown */
	unsigned wrong;  /* answers in a row with wrong content */
	unsigned relapses; /* delistings, each less than an hour after it came back */
	int64_t back_at; /* mono, 0: never */
	uint8_t window;  /* a bit for each of the last eight rounds: failed */
	/* a round: one probe through one tor, or one through each when something is wrong */
	bool round, said; /* under way; a verdict came of it that says something */
	unsigned ask;    /* bits of sights still to be asked in it */
	unsigned turn;   /* which sight is asked when all is well */
	unsigned beyond; /* failed rounds since everything that could be decided was */
	int64_t round_start; /* mono */
	struct sight sight[VANTAGES];
	unsigned adds;   /* tries since the last success */
	unsigned uploads_started, uploads; /* since it was added; up has each of them */
	struct uploads up;
	int64_t added_mono; /* when it was last added */
	bool readded;    /* for a lost descriptor, in this outage */
	bool telling;    /* the list under way has it */
	bool revoke_wanted; /* while a list with it was under way */
	uint64_t revoke_op;
	int64_t revoke_until; /* mono: its operation ends then in any case */
	unsigned oks, fails; /* in a row; with several vantages: theirs together, and only while all of them fail */
	enum verdict last;
	struct phases phases;
	int64_t failing_since;         /* mono: first of the failures in a row */
	int64_t seen;                  /* mono: a comparison last found it in tor */
	int64_t last_probe;            /* wall */
	int64_t since;                 /* mono: entered its state, or was added again */
	int64_t next_shred;            /* mono: not before */
	int64_t next_add, next_probe;  /* mono */
	int64_t grace_end;             /* mono, leaving */
	int64_t client_seen, next_look, look_since; /* mono, leaving */
	int64_t over_since;            /* mono, 0: its record is needed */
	int64_t proved_mono;           /* when it was last proved */
	int64_t held_since;            /* mono: the list could go out, and waits only for this one to be proved again; 0: not so */
	struct { int64_t wall; enum verdict v; bool kept; } heard[HEARD]; /* newest first; kept: old news */
	size_t n_heard;
	int64_t age_end;               /* mono, listed: rotate by age; NEVER */
};

struct mirror {
	struct engine_mirror cfg;
	enum verdict backend;       /* of the last check */
	int64_t backend_at;         /* mono, 0: none */
	bool checking, planning;
	bool wanted;                /* a rotation is asked for */
	bool revoke_wanted;         /* its content is wrong, and that is to revoke the onion */
	bool revoke_alarm;          /* it can't be yet, and that was said */
	enum mirror_hold hold;
	bool benched;               /* a spare that is not needed in the list */
	bool was_listed;            /* it had a listed onion once */
	bool next_revoked;          /* its next onion replaces a revoked one */
	int64_t hold_until;         /* mono: that operation ends then in any case */
	uint64_t hold_op;           /* drain, maint: ends when the visible list is without it */
	enum onion_cause cause;     /* of it */
	int plan_tor;               /* while planning */
	int64_t taken_at;           /* mono: when it was last, 0: never */
	bool taken;                 /* its address is taken down; told anew each time the engine settles */
	bool passed;                /* by bulk_step(), in this turn */
	bool room_alarm;
	uint64_t op, probe_op;
	int64_t plan_after;         /* mono */
	unsigned plan_tries;
	int64_t put_back[PUT_BACK_ALARM]; /* mono: when tor had lost a listed onion of ours while its link was up */
	bool budget_alarm, content_alarm, busy_alarm;
	int64_t stale_since;        /* mono, 0: its content is not old */
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
	unsigned n_controls;
	unsigned min_listed, max_rotations_per_day;
	int64_t spare_idle; /* mono: since when more spares are listed than needed, 0: not so */
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
	bool trouble; /* half of the listed or more fail together: a control is asked */
	bool mass;  /* more than half of the listed fail together */
	bool panic; /* the list is kept as it is, for that or for min-listed */
	char panic_why[120];
	int64_t bulk_until; /* mono: many are taken down together, or were until lately */
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
/* NULL with ERR_NOTFOUND: an index from outside that is none. */
struct mirror *mirror_find(const struct engine *e, int mirror, struct err *err);
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
void life_delete(struct onion *o, struct actions *out);
/* ADD_ONION, as soon as there is room in the batch of its tor. */
void life_add(struct engine *e, struct now now, struct onion *o, struct actions *out);
/* Counts tor_side.batch. */
void life_count_batches(struct engine *e);

/* sight.c: what is seen through each tor, and all of it together */
/* Which tors an onion is looked at through; after a change of configuration. */
void sight_aim(const struct engine *e, struct onion *o);
/* Tor lost the service, or it is another one now: counts begin anew, what is under way says nothing. */
void sight_forget(struct onion *o);
/* The probes under way are about the service before this one. */
void sight_outdate(struct onion *o);
/* The probe under way through this tor, or NULL. */
struct sight *sight_probing(struct onion *o, int through);
bool onion_probing(const struct onion *o);
/* Its verdict counts now. */
bool sight_counts(const struct engine *e, const struct sight *s);
/* How many vantages count now. */
unsigned sight_vantages(const struct engine *e, const struct onion *o);
/* Takes a verdict into the counts of one sight, and into the onion's. */
void sight_take(const struct engine *e, struct now now, struct onion *o, struct sight *s, enum verdict v, enum fetch f);
/* No HSDir had its descriptor, and it answered all the same, by the one that tor has kept: no reader who comes now gets that. */
bool sight_is_old_news(struct now now, struct sight *s, enum verdict v, enum fetch f);
/* No HSDir has its descriptor, as asked through one of the vantages. */
bool sight_is_missing(const struct onion *o);
void sight_sum(const struct engine *e, struct onion *o);
/* Fails through one of the vantages that count. */
bool sight_any_fails(const struct engine *e, const struct onion *o);
/* Mono time when it could be taken for taken down, if all goes on failing; NEVER: something was heard from behind the address. */
int64_t sight_takedown_at(const struct engine *e, const struct onion *o);
bool sight_is_takedown(const struct engine *e, const struct onion *o);
/* What failed while our own side was in doubt is given one more chance. */
void sight_doubt(const struct engine *e, struct onion *o);
/* leaving.c */
void leaving_step(struct engine *e, struct now now, struct onion *o, struct actions *out);
/* Gone and failed onions that nothing needs any more; at the end of a turn, since they are freed. */
void leaving_forget(struct engine *e, struct now now, struct actions *out);

/* probe.c */
/* Milliseconds between retries while something is wrong; the interval if that is shorter. */
int64_t probe_pace(const struct engine *e, const struct onion *o);
/* Ends the round if all its probes are over, and sets the time of the next. */
void probe_round_over(struct engine *e, struct now now, struct onion *o);
/* What is due for one onion, and when. */
void probe_step(struct engine *e, struct now now, struct onion *o, struct actions *out);
/* Begins the probes that are due. */
void probe_start_due(struct engine *e, struct now now, struct actions *out);

/* uploads.c */
void uploads_begin(struct onion *o);
/* What has become of them; true: too few arrived, the service is to be added again. */
bool uploads_step(struct engine *e, struct now now, struct onion *o);
unsigned uploads_count(const struct onion *o, enum upload_state s);
/* The listed onion is out of the list since HSDirs have no descriptor of it: uploading again may be all it needs. */
bool uploads_are_lost(const struct engine *e, const struct onion *o);

/* policy.c: what the operator asked for */
/* Its onions are not to be listed now: maintenance, drained, or a spare that is not needed. */
bool mirror_is_held(const struct engine *e, int mirror);
/* op: ends when no list has the mirror any more; one that waits for the hold before ends as failed. */
void policy_set_hold(struct engine *e, struct now now, int mirror, enum mirror_hold h, uint64_t op, struct actions *out);
void policy_step(struct engine *e, struct now now, struct actions *out);
/* A list is visible, or could not be made so. */
void policy_published(struct engine *e, bool ok, struct actions *out);

/* spare.c: which spares are needed in the list */
void spare_step(struct engine *e, struct now now, struct actions *out);

/* revoke.c */
void revoke_step(struct engine *e, struct now now, struct actions *out);
/* Revoked onions that no visible list tells of yet: nothing holds that back. */
bool revoke_is_pending(const struct engine *e);
/* A list is on its way; a list is visible, or not. */
void revoke_begin(struct engine *e);
void revoke_published(struct engine *e, bool ok, struct actions *out);

/* evidence.c */
void evidence_heard(struct onion *o, struct now now, enum verdict v);

/* health.c */
/* Ends an operator's probe that can't be made any more, or makes it now. */
void health_probe_op(struct engine *e, struct now now, int mirror, struct actions *out);
/* Why the listed onion of a mirror can't be probed now; NULL: it can. */
const char *health_probe_obstacle(const struct engine *e, int mirror);
void health_delist(struct engine *e, struct now now, struct actions *out);
/* The address fails while its service, its backend and our own side are well. */
bool health_is_takedown(const struct engine *e, struct now now, const struct onion *o);

/* control.c: is it our own side? */
/* Looks how many fail together, and asks controls when it is half or more. */
void control_step(struct engine *e, struct now now, struct actions *out);
/* Of the onions in the list, how many fail now; judged: only of those that a side that is fit looks at. */
void control_count(const struct engine *e, bool judged, unsigned *failing, unsigned *listed);
/* Many fail together, and nobody has told that our own side is well: nothing is done about this one. */
bool control_holds(const struct engine *e, struct now now, const struct onion *o);
/* There is somebody to ask through this tor. */
bool control_available(const struct engine *e, int through);

/* place.c: which tor a new onion is for */
/* The tor that serves a mirror, or is to; < 0: not placed yet. */
int place_of(const struct engine *e, int mirror);
/* Index of a tor, -1: none now (it is looked at again). */
int place_choose(struct engine *e, struct now now, int mirror, struct actions *out);
/* Away for longer than its move-after, while another one is there. */
bool place_is_lost(struct engine *e, struct now now, int tor);
/* A candidate waits for a tor that stays away, and may be made elsewhere. */
bool place_gives_up(struct engine *e, struct now now, const struct onion *o);

/* bulk.c: many at once */
void bulk_step(struct engine *e, struct now now, struct actions *out);
/* It is, or will be, replaced by bulk_step(). */
bool bulk_takes(struct engine *e, struct now now, int mirror);

/* rotate.c */
void rotate_plan(struct engine *e, int mirror, int tor, enum onion_cause cause, uint64_t op, struct actions *out);
void rotate_note_takedown(const struct engine *e, struct now now, const struct onion *o, struct actions *out);
/* Automatic rotations of the last day, with those decided. */
unsigned rotate_today(const struct engine *e, struct now now);
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
/* The next list, which nothing holds back, does without it for good. */
bool listing_leaves_now(const struct engine *e, const struct onion *o);
bool listing_wants(const struct engine *e, const struct onion *o);
/* How many onions the next list would hold, apart from this one (NULL: all). */
size_t listing_count_without(const struct engine *e, const struct onion *o);
/* And how many would be left in it without this one: also those that are to be proved again first. */
size_t listing_count_left(const struct engine *e, const struct onion *o);
void publish_ended(struct engine *e, uint64_t op, bool ok, const char *why, struct actions *out);

#endif
