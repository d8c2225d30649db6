/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TESTS_FAKESITE_H
#define TESTS_FAKESITE_H

#include "base/endpoint.h"
#include "io/loop.h"
#include "support/faketls.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The other end of a probe or check: a SOCKS5 port with a web server behind
 * it, or the web server alone, on a unix socket in the test's own loop.
 */
struct fakesite;

struct fakesite_script {
	bool direct;         /* no SOCKS */
	const char *method;  /* answer to the greeting; NULL: 05 02 */
	size_t method_len;
	const char *auth;    /* answer to name and password; NULL: 01 00 */
	size_t auth_len;
	int code;            /* REP of the answer to CONNECT; -1: silence from there on */
	size_t reply_cut;    /* send only so many bytes of that answer, then close; 0: all ten */
	bool close_after_reply;
	const char *response; /* to the request; NULL: silence */
	bool drip;           /* the response goes one byte a turn, and its last byte never */
	bool close_after;    /* close after the response; with NULL as soon as the request is there */
	bool mute;           /* accept, and say nothing at all */
	const struct faketls_kind *tls; /* the web server speaks TLS, with such a certificate */
	bool cut;            /* with tls: close without saying that it is the end */
	const char *second;  /* response to the second connection and all after it; NULL: the same */
};

/* `script` is copied, its strings are borrowed. The socket is "<dir>/site". */
struct fakesite *fakesite_new(struct loop *l, const char *dir, const struct fakesite_script *script);
void fakesite_free(struct fakesite *f);
const struct endpoint *fakesite_endpoint(const struct fakesite *f);

/* Of the newest connection: what was asked for; "" and 0 before. */
const char *fakesite_user(const struct fakesite *f);
const char *fakesite_password(const struct fakesite *f);
const char *fakesite_host(const struct fakesite *f);
uint16_t fakesite_port(const struct fakesite *f);
const char *fakesite_request(const struct fakesite *f);
unsigned fakesite_connections(const struct fakesite *f);

#endif
