/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TESTS_UNIT_DAEMON_RIG_H
#define TESTS_UNIT_DAEMON_RIG_H

#include "daemon/daemon.h"
#include "io/stream.h"
#include "support/faketor.h"
#include "support/fakesite.h"

/*
 * A whole daemon in the test's own loop: a folder made by `onionmirror init`, a
 * fake tor that takes ADD_ONION and uploads at once, a fake SOCKS port behind
 * which every onion answers, and a client of the control socket.
 */
struct rig {
	char dir[64];
	char conf_path[96];
	struct daemon d;
	struct actions out;
	struct faketor *tor;
	struct fakesite *site;
	struct stream *client;
	bool closed;           /* the client was cut */
	bool over;             /* the last of rig_ask() was answered, or cut */
	struct timer *uploads; /* tells of uploads once ADD_ONION was answered */
	char uploading[512];   /* addresses it will tell of, each with an LF */
	char reply[320];       /* of the fake tor */
	char detached[2048];   /* addresses that it has, each with an LF */
	const char *mirror;    /* lines for each mirror section of rig_conf(), NULL: none */
	bool no_pow;           /* it knows no PoW parameters */
	bool garbled;          /* it refuses ADD_ONION with bytes that are no UTF-8 */
	bool lie;              /* it answers ADD_ONION with another address */
	char log[16384];       /* all lines of the log */
};

/* Makes folder, keys and configuration; `more` goes to the top of the file, `mirror` into each mirror section. */
void rig_init(struct rig *r, const char *more);
/* Opens; false if the daemon refuses to start (r->log says why). */
bool rig_open(struct rig *r);
void rig_close(struct rig *r);
void rig_fini(struct rig *r);
/* Writes the configuration anew, with these lines on top and `mirrors` mirrors (a, b, ...). */
void rig_conf(struct rig *r, const char *more, unsigned mirrors);
/* Runs until done says so; false after 20 s. */
bool rig_run(struct rig *r, bool (*done)(void *rig));
/* A few turns of the loop. */
void rig_turn(struct rig *r);
/* Connects the client; its greeting is the first line. */
void rig_connect(struct rig *r);
/* Sends bytes; rig_line() waits for the next line (parsed, yours), NULL when the link was closed. */
void rig_send(struct rig *r, const char *text);
json_t *rig_line(struct rig *r);
/* A call and its answer, notifications between are dropped. */
json_t *rig_call(struct rig *r, const char *method, const char *params);
/* Asks another unix socket of the daemon for something; the stream is yours and takes up to max_input bytes of the answer. */
struct stream *rig_ask(struct rig *r, const char *path, const char *request, size_t max_input);
bool rig_is_over(void *rig);
/* Is every mirror of the configuration listed? */
bool rig_is_listed(void *rig);
/* The listed onion of mirror a, NULL: none. */
const struct onion_record *rig_listed(const struct rig *r);
/* A path in its folder, good until the fourth next call. */
char *rig_path(const struct rig *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
