/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TOR_TRACE_H
#define TOR_TRACE_H

#include "proto/event.h"
#include "proto/verdict.h"

/*
 * What tor's events say about one probe: how far it came, and which circuits
 * are its own. Pure. Events of STREAM and CIRC are tied to it by the SOCKS user
 * name, which is another one for each probe; those of HS_DESC by the address,
 * since tor fetches a descriptor once for all who wait for it.
 */

/* The descriptor. */
enum desc_sight {
	DESC_UNSEEN = 0, /* no event: it was cached, or events don't reach us */
	DESC_REQUESTED,
	DESC_RECEIVED,
	DESC_MISSING, /* FAILED: NOT_FOUND and the like */
	DESC_BAD,     /* FAILED: BAD_DESC */
};

#define TRACE_CIRCUITS_MAX 16 /* tor closes what we lose sight of 10 min later */

struct trace {
	char address[56 + 1];
	char user[32 + 1]; /* "": nothing of STREAM and CIRC is ours */
	enum desc_sight desc;
	int cached;             /* has tor the descriptor, asked after a failure: 1, 0, -1 unknown */
	bool stream_seen;       /* STREAM has come: so these events do reach us */
	bool minor_seen;        /* CIRC_MINOR reaches us, if only of others */
	bool meeting_point;     /* a rendezvous point waits: our own tor can build circuits */
	bool acked;             /* an introduction point has passed the introduction on */
	bool nacked;            /* one has refused: it does not know the service (any more) */
	bool joined;            /* the service has come to the rendezvous point */
	bool intro_timeout;     /* a circuit to an introduction point was given up */
	bool rend_timeout;      /* one on which the introduced service should have come */
	char reason[32], remote_reason[32]; /* of the stream's end, "" for none */
	struct trace_circuit {
		char id[EVENT_ID_MAX + 1];
		bool built; /* tor takes some that are closed before for an outage, and makes none for a while */
		bool intro; /* else a rendezvous */
		bool sent;  /* an introduction is on its way there */
	} circuits[TRACE_CIRCUITS_MAX]; /* open ones */
	unsigned n_circuits;
};

/* Both are copied, cut to their size. */
void trace_init(struct trace *t, const char *address, const char *user);
/* Folds in one event of the tor that the probe goes through; `ms` since its start, for the phases. */
void trace_take(struct trace *t, const struct event *ev, int32_t ms, struct phases *ph);
/* As above for the descriptor alone. RECEIVED is final: tor asks on after a FAILED. */
enum desc_sight trace_sight(enum desc_sight before, const struct event_hs_desc *ev);

#endif
