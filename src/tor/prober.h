/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TOR_PROBER_H
#define TOR_PROBER_H

#include "base/endpoint.h"
#include "io/loop.h"
#include "proto/event.h"
#include "proto/verdict.h"
#include "tor/session.h"

/*
 * Probes: one HTTP request to an onion through tor's SOCKS port, on a circuit
 * of its own (a fresh user name and password each time), under one deadline.
 * Checks: the same request straight to the backend.
 */
struct prober;

struct probe_request {
	const char *address;       /* 56 characters; also the Host of a check. Copied, as all below */
	uint16_t port;             /* virtual port */
	const struct endpoint *via; /* SOCKS port; for a check the backend */
	bool direct;               /* a check: no SOCKS */
	/*
	 * The tor that `via` belongs to, NULL if there is no link to it: its events
	 * tell phases, and causes where SOCKS can't, and it closes the circuits
	 * afterwards. Borrowed; must live as long as the probe.
	 */
	struct session *through;
	bool fresh; /* with `through`: the descriptor is fetched anew first, as a new reader does */
	bool tls;                  /* https; with `direct` the backend speaks it too */
	const uint8_t *pin;        /* with `tls`: TLS_PIN_LEN bytes, as in tor/tls.h, or NULL */
	const char *path;          /* "/health" */
	int status;                /* expected status */
	/* Of these two: bodies past 64 KiB can't be looked at, and fail as content. */
	const char *contains;      /* text the body must hold, or NULL */
	const char *sha256;        /* 64 hex: hash of the whole body, or NULL */
	const char *header;        /* "Name: value" that must be there exactly, or NULL */
	/* Asked for when the answer was well, over the same circuit: its body is the content's version, a decimal number. NULL: none */
	const char *version_path;
	int64_t timeout_ms; /* for all but the fetch */
};

#define PROBE_DETAIL_SIZE 160

struct probe_result {
	enum verdict verdict;
	int socks_code;   /* raw SOCKS reply 0..255, -1: none came */
	int http_status;  /* 0: none came */
	bool stale_hsdir; /* an HSDir had no descriptor: while fetching, or F0 came on a connection that worked */
	enum fetch fetch; /* found: in this probe, asked for or since tor had none; missing: only with `fresh` */
	bool has_version;
	uint64_t version; /* of the content, as version_path told */
	struct phases phases; /* of the first request; total: of all */
	char detail[PROBE_DETAIL_SIZE]; /* for people; remote bytes escaped */
};

typedef void probe_cb(void *ctx, uint64_t id, const struct probe_result *result);

struct prober *prober_new(struct loop *l);
/*
 * Starts one; cb comes exactly once, from the loop, unless cancelled. `id` is
 * the caller's and unique among running ones.
 */
void prober_start(struct prober *p, const struct probe_request *rq, probe_cb *cb, void *ctx, uint64_t id);
/* Ends one without a callback; unknown ids are ignored. */
void prober_cancel(struct prober *p, uint64_t id);
/* Running probes and checks. */
unsigned prober_count(const struct prober *p);
/* Every event of each session that probes go through. */
void prober_on_event(struct prober *p, struct session *through, const struct event *ev);
/* No callback comes any more. Free it before the sessions, in the same turn of the loop. */
void prober_free(struct prober *p);

#endif
