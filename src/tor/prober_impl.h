/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TOR_PROBER_IMPL_H
#define TOR_PROBER_IMPL_H

#include "base/buf.h"
#include "io/stream.h"
#include "proto/http.h"
#include "proto/socks.h"
#include "tor/prober.h"
#include "tor/tls.h"
#include "tor/trace.h"

/* What prober.c and exchange.c share; nobody else includes it. */

enum probe_state {
	PROBE_INVALID,  /* could not be sent; says so at the next turn */
	PROBE_FETCHING, /* the descriptor, from the HSDirs */
	PROBE_CONNECTING,
	PROBE_SOCKS,
	PROBE_HTTP, /* the TLS handshake too */
	PROBE_SETTLING, /* SOCKS said no; waits shortly for the events that tell why */
};

struct probe {
	struct prober *owner;
	struct probe *next;
	struct probe_request rq; /* points into the next two */
	struct endpoint via;
	char *owned[6]; /* copies of the request's strings */
	probe_cb *cb;
	void *ctx;
	uint64_t id;
	uint64_t serial;     /* of this prober, never used again */
	uint64_t generation; /* of the link of rq.through at the start: ids of circuits are its */
	enum probe_state state;
	struct stream *stream;
	struct timer *timer;
	struct socks socks;
	struct http_reader *http;
	struct buf hello[3]; /* SOCKS messages, by the state that waits for their answer */
	char host[80];       /* as in the request, with the port if it is not the usual one */
	struct buf request;  /* the HTTP request */
	uint8_t pin[TLS_PIN_LEN];
	struct tls *tls;     /* of this connection, NULL without */
	bool sent;           /* the request, through it */
	bool versioning;     /* the first answer was well, this is the request for the version */
	struct trace trace;
	unsigned tries, missing;   /* while fetching: HSDirs that failed, and of these who had no descriptor */
	int64_t started, deadline; /* monotonic ms */
	struct probe_result result;
};

struct prober {
	struct loop *loop;
	struct probe *probes;
	unsigned count;
	uint64_t last_serial;
};

/* Milliseconds since the start. */
int32_t probe_elapsed(const struct probe *p);
/* The only end that tells anybody. p is gone afterwards, and the prober may be. */
void probe_finish(struct probe *p, enum verdict v);
/* SOCKS said no: waits for the events behind it, then finishes. p may be gone. */
void probe_settle(struct probe *p);
/* The exchange itself, from the connect on. */
void probe_connect(struct probe *p);
/* Its answer was read: the end, or the request for the version. p may be gone. */
void probe_answered(struct probe *p, enum verdict v);
/* Its deadline has come. p is gone. */
void probe_on_deadline(struct probe *p);

#endif
