/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TOR_FITNESS_H
#define TOR_FITNESS_H

#include "base/clock.h"
#include "proto/event.h"
#include "proto/reply.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Is our own side of one tor fit to judge mirrors? Fed with answers to the
 * questions below and with status events; asks nothing itself. What a filter
 * between us and tor refuses to answer is no evidence either way.
 * bootstrap-phase is not asked: it stays at 100 in an outage.
 */
#define FITNESS_CONSENSUS_GRACE_S 86400 /* past valid-until; tor's REASONABLY_LIVE_TIME */
#define FITNESS_CONSENSUS_EARLY_S 900   /* before valid-after: our clock is behind those of the authorities */
#define FITNESS_JUMP_HOLD_MS 60000      /* circuits are rebuilt in this time */
#define FITNESS_SKEW_HOLD_MS 600000     /* tor says it again while it lasts */
#define FITNESS_PATH_HOLD_MS 180000     /* unless a probe finds a rendezvous point before */
#define FITNESS_STEP_MS 5000            /* wall against monotonic clock between two answers */

enum fitness_question {
	FITNESS_CIRCUIT,   /* GETINFO status/circuit-established */
	FITNESS_LIVENESS,  /* GETINFO network-liveness */
	FITNESS_CONSENSUS,   /* GETINFO consensus/valid-until */
	FITNESS_VALID_AFTER, /* GETINFO consensus/valid-after */
	FITNESS_DISABLED,  /* GETCONF DisableNetwork */
	FITNESS__COUNT
};

struct fitness {
	bool linked;
	bool asked[FITNESS__COUNT];  /* answered, even if with a refusal, since the link came up */
	int circuit, live, disabled; /* 0, 1, -1 unknown */
	int64_t valid_until;         /* wall s; 0 no consensus, -1 unknown */
	int64_t valid_after;         /* so too */
	int64_t jumped_until;        /* monotonic ms, 0 never */
	int64_t skewed_until, skew;  /* monotonic ms; s */
	int64_t pathless_until;      /* monotonic ms */
	int64_t offset;              /* wall less monotonic, ms */
	bool has_offset;
};

/* Key, and whether it is GETCONF's instead of GETINFO's. */
const char *fitness_key(enum fitness_question q, bool *is_conf);

/* Link lost or not there yet: forgets everything but the clocks. */
void fitness_link_down(struct fitness *f);
void fitness_link_up(struct fitness *f);
/* The answer to one question. */
void fitness_take_reply(
    struct fitness *f, enum fitness_question q, const struct reply *r, struct now now);
/* True when the event is about us, so that asking anew is worth it. */
bool fitness_take_event(struct fitness *f, const struct event *ev, struct now now);
/*
 * A probe got a rendezvous point from tor, or until its deadline none. tor
 * itself may take minutes to call the network down, and never does so where
 * it does not learn circuit timeouts.
 */
void fitness_take_path(struct fitness *f, bool found, struct now now);
/*
 * Does our wall clock agree with the consensus that tor has: is now within its
 * time, with a day's grace? Unknown without a link or a consensus. The grace
 * makes this a check against clocks that are days or years off, or in the past.
 */
enum fitness_clock { FITNESS_CLOCK_UNKNOWN = 0, FITNESS_CLOCK_AGREES, FITNESS_CLOCK_DISAGREES };
enum fitness_clock fitness_clock(const struct fitness *f, struct now now);
/*
 * True and *why = "", or false and *why a short constant reason. Unfit until
 * every question was answered or refused.
 */
bool fitness_judge(const struct fitness *f, struct now now, const char **why);

#endif
