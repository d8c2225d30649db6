/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MIRROR_ONION_H
#define MIRROR_ONION_H

#include <stdbool.h>
#include <stdint.h>

/* The life of an onion (health-and-rotation: "Life of an onion"). */
enum onion_state {
	ONION_PLANNED = 0, /* key made, sealed and durable; intent recorded */
	ONION_ADDING,      /* ADD_ONION in flight */
	ONION_UPLOADING,   /* descriptors on their way */
	ONION_PROVING,     /* probes from fresh circuits */
	ONION_READY,       /* proved, not yet listed */
	ONION_LISTED,      /* readers are sent here */
	ONION_LEAVING,     /* retired in the list, still answering */
	ONION_REVOKED,     /* revoked tombstone first, then DEL_ONION */
	ONION_GONE,        /* DEL_ONION done, key destroyed; kept only as a tombstone */
	ONION_FAILED,      /* never listed; DEL_ONION done, key destroyed */
	ONION__STATES
};
const char *onion_state_name(enum onion_state s);
int onion_state_parse(enum onion_state *s, const char *name);
/* Is this edge in the state table? */
bool onion_state_may_follow(enum onion_state from, enum onion_state to);

/* Why an onion was planned. */
enum onion_cause { CAUSE_START = 0, CAUSE_OPERATOR, CAUSE_AGE, CAUSE_TAKEDOWN, CAUSE_CANDIDATE_FAILED, CAUSE_REVOKED, CAUSE_BULK, CAUSE_MOVED, CAUSE__COUNT };
const char *onion_cause_name(enum onion_cause c);
int onion_cause_parse(enum onion_cause *c, const char *name);

#define ONION_NAME_MAX 32

/* What is durable of an onion. Times are wall seconds, 0 = not yet. */
struct onion_record {
	uint64_t id;
	char address[57]; /* 56 characters, without ".onion" */
	char mirror[ONION_NAME_MAX + 1];
	char tor[ONION_NAME_MAX + 1];
	char channel[ONION_NAME_MAX + 1];
	enum onion_state state;
	enum onion_cause cause;
	bool in_list;   /* the newest visible head holds it */
	bool revoked;   /* its tombstone says revoked, else retired */
	bool by_hand;   /* an operator revoked it: its warning may go out in a list that holds nothing else */
	bool announced; /* a visible list has its revoked tombstone */
	bool proved;    /* answered `rise` probes in a row since it was last added */
	int64_t created, added, proved_at, listed, left;
	int64_t leave_until;     /* leaving: earliest end of the grace */
	int64_t tombstone_until; /* its last possession proof runs out: the tombstone may go then */
	uint64_t op;             /* operation that asked for it, 0: none */
};

#endif
