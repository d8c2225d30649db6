/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TESTS_UNIT_TOR_RIG_H
#define TESTS_UNIT_TOR_RIG_H

#include "support/faketor.h"
#include "tor/session.h"

#include <stdbool.h>

/* A loop, a folder of its own, a fake tor, a session to it, and a record of what the session said. */
struct rig {
	char dir[64];
	struct loop *loop;
	struct faketor *tor;
	struct session *session;
	struct session_config cfg;
	struct session_timing timing;
	unsigned ups, losses, events, fits;
	char lost[512]; /* last reason */
	bool fit;
	char why[128];
	struct event event;  /* last one */
	unsigned replies;    /* callbacks of commands */
	unsigned nulls;      /* of these without an answer */
	char order[64];      /* ids of the answered commands, one character each */
	char text[256];      /* first line of the last reply */
	int detached;        /* last n of session_detached(), -2 before */
	char addresses[256]; /* joined by a space */
};

/* Times are short; the session is not started yet: change cfg and timing before rig_start(). */
void rig_init(struct rig *r);
void rig_start(struct rig *r);
void rig_fini(struct rig *r);
/* Runs until *counter >= n; false after 900 ms. */
bool rig_wait(struct rig *r, const unsigned *counter, unsigned n);
/* As above until the fake tor has seen n lines beginning with prefix. */
bool rig_wait_line(struct rig *r, const char *prefix, unsigned n);
/* A few turns of the loop, so that what should not happen has its chance. */
void rig_turn(struct rig *r);
/* Starts and waits for the first on_up and fitness. */
bool rig_up(struct rig *r);
/* A session_reply_cb with the rig as ctx. */
void rig_reply(void *ctx, uint64_t id, const struct reply *reply);
void rig_detached(void *ctx, const char *const *addresses, int n);

#endif
