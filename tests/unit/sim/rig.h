/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef UNIT_SIM_RIG_H
#define UNIT_SIM_RIG_H

#include "sim/impl.h"
#include "sim/model.h"
#include "tor/prober.h"
#include "tor/session.h"

/*
 * A world without the daemon: one simulated tor, one backend, and our own
 * session and prober as its client. Time is virtual: waiting costs nothing.
 */
#define BARE_CONTROL "unix:/run/tor/control"
#define BARE_SOCKS "unix:/run/tor/socks"
#define BARE_COOKIE "/run/tor/cookie"
#define BARE_BACKEND "127.0.0.1:8000"

struct bare {
	struct simtor *tor;
	struct back *back;
	struct loop *loop;
	struct session *session;
	struct prober *prober;
	unsigned ups, losts, uploads, uploaded, failed, requested, received;
	int reply;         /* code of the last reply; 0: none yet, -1: the link was lost */
	int n_detached;    /* of the last bare_detached() */
	struct probe_result result;
	bool probed;
	char violation[200]; /* the first one, "" none */
};

void bare_start(struct bare *b, bool extended_errors);
void bare_stop(struct bare *b);
/* Runs so long. */
void bare_run(struct bare *b, int64_t ms);
/* Until the session is up; false: not within a minute. */
bool bare_up(struct bare *b);
/* Adds the onion of this seed byte and waits for the reply. */
const char *bare_add(struct bare *b, unsigned char seed);
int bare_del(struct bare *b, const char *address);
/* One whole probe; how long it took in ms. */
int64_t bare_probe(struct bare *b, const char *address, int64_t timeout_ms);
int bare_detached(struct bare *b);
/* HSFETCH and wait until all is quiet. */
int bare_fetch(struct bare *b, const char *address);

#endif
