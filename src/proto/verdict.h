/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PROTO_VERDICT_H
#define PROTO_VERDICT_H

#include <stdbool.h>
#include <stdint.h>

/*
 * What a probe (through Tor) or a check (direct look at the backend) says:
 * which layer failed. The words are those of logs, JSON, metrics and the store.
 */
enum verdict {
	VERDICT_INCONCLUSIVE = 0, /* our own side is not fit to judge */
	VERDICT_OK,
	VERDICT_NO_DESCRIPTOR,  /* SOCKS F0, or HS_DESC FAILED NOT_FOUND */
	VERDICT_BAD_DESCRIPTOR, /* F1 */
	VERDICT_INTRO,          /* F2, F7 */
	VERDICT_RENDEZVOUS,     /* F3 */
	VERDICT_CLIENT_AUTH,    /* F4, F5 */
	VERDICT_BAD_ADDRESS,    /* F6 */
	VERDICT_REFUSED,        /* 01, 05: tor reached the service, the backend did not answer */
	VERDICT_TIMEOUT,        /* 06, or our own deadline */
	VERDICT_TLS,
	VERDICT_HTTP,    /* not HTTP, or another status than expected */
	VERDICT_BUSY,    /* 403, 429, 503: overloaded, not down */
	VERDICT_CONTENT, /* the marker is missing or the hash differs */
	VERDICT_STALE,   /* content version behind */
	VERDICT__COUNT
};

/* "ok", "no-descriptor", ...: constant text. */
const char *verdict_name(enum verdict v);
/* 0 and *v, or -1 for an unknown name. */
int verdict_parse(enum verdict *v, const char *name);
/* The address's own layers: descriptor, introduction, rendezvous. A backend can't cause these. */
bool verdict_is_address(enum verdict v);
/* Counts against a mirror; false for ok, busy and inconclusive. */
bool verdict_is_failure(enum verdict v);

/* What a probe has learned of the descriptor from the HSDirs themselves: a verdict alone may come from what tor has kept. */
enum fetch {
	FETCH_NONE = 0, /* nothing: not asked, or no answer */
	FETCH_FOUND,    /* one of them sent it */
	FETCH_MISSING,  /* all that a reader may ask were asked, and none has it */
};

/*
 * Milliseconds from the start of a probe to the end of each phase; -1: not
 * reached or not visible. Introduction and rendezvous are seen only where tor's
 * circuit events reach us.
 */
struct phases {
	int32_t connect;      /* SOCKS endpoint or backend connected */
	int32_t descriptor;   /* descriptor at hand (HS_DESC RECEIVED; 0 when it was cached) */
	int32_t introduction; /* an introduction point has passed our introduction on */
	int32_t rendezvous;   /* the service has come to the rendezvous point */
	int32_t circuit;      /* SOCKS reply: joined, and the service has opened the stream */
	int32_t first_byte;   /* first byte of the answer */
	int32_t total;
};
#define PHASES_NONE { -1, -1, -1, -1, -1, -1, -1 }

#endif
