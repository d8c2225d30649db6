/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TESTS_UNIT_TOR_PROBE_RIG_H
#define TESTS_UNIT_TOR_PROBE_RIG_H

#include "support/fakesite.h"
#include "support/faketor.h"
#include "tor/prober.h"

/* A prober, and a scripted SOCKS port with a web server behind it, in one loop. */
#define ADDRESS "adifuhi6ujits3kvpl55iwelhrwztw7ls4x62efdevroujw43t5kanad"
#define OK_HEAD "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n"
#define OK_ALL OK_HEAD "\r\nhello"
/* sha256 of "hello" */
#define OK_SHA "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"

struct probe_rig {
	char dir[64];
	struct loop *loop;
	struct fakesite *site;
	struct prober *prober;
	struct probe_request rq;
	struct probe_result result;
	unsigned done;
	uint64_t id;
	/* With rig_link() only. */
	struct faketor *tor;
	struct session *session;
	unsigned ups, seen, awaited;
	unsigned before; /* connections of earlier probes */
	const char *script; /* events before the answer to what is asked after a failure; @: the user name */
	const char *answer;
	char text[2048];
};

/* A request for /health of ADDRESS that this site gets; change it before it runs. */
void probe_rig_init(struct probe_rig *r, const struct fakesite_script *script);
void probe_rig_fini(struct probe_rig *r);
/* Runs the request and waits for its end, which is left in r->result. */
enum verdict probe_rig_run(struct probe_rig *r);
/* Where a probe tells its end, and whether it has: for tests that run the loop themselves. */
void probe_rig_on_done(void *ctx, uint64_t id, const struct probe_result *result);
bool probe_rig_is_done(void *rig);

#endif
