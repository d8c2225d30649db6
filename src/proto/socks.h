/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PROTO_SOCKS_H
#define PROTO_SOCKS_H

#include "base/buf.h"
#include "base/err.h"
#include "proto/verdict.h"

#include <stddef.h>
#include <stdint.h>

/*
 * A SOCKS5 client towards tor as a byte machine: RFC 1928, RFC 1929 and tor's
 * socks-extensions. Only user/password is offered (tor isolates circuits by
 * it) and only CONNECT to an onion, by name: there is no way to ask for
 * another host, and none to ask tor to resolve.
 *
 * The three messages may be sent one by one (state says which) or all at once;
 * the request that follows may go along too (tor takes optimistic data).
 */
enum socks_state {
	SOCKS_WANT_METHOD = 0, /* greeting sent, waits for the choice of method */
	SOCKS_WANT_AUTH,       /* waits for the answer to user/password */
	SOCKS_WANT_REPLY,      /* waits for the answer to CONNECT: minutes, or never (own deadline!) */
	SOCKS_DONE,            /* answered: look at code */
	SOCKS_FAILED,          /* not SOCKS5, or refused before CONNECT */
};

struct socks {
	enum socks_state state;
	/*
	 * REP field as received, -1 before. 0x00 is success, 0x01..0x08 RFC
	 * 1928, 0xF0..0xF7 tor's (port flag ExtendedErrors), other values are
	 * failures.
	 * 0xF0 (no descriptor) may come on a connection that WORKS, when one
	 * HSDir said 404 and a later one had it: on 0xF0 don't close, send the
	 * request; a real failure closes right after the reply, an answer
	 * means reachable, with one HSDir stale.
	 */
	int code;
	uint8_t have[262]; /* bytes of an unfinished message; private */
	size_t n_have;     /* private */
};

void socks_init(struct socks *s);
/* 05 01 02. */
int socks_write_greeting(struct buf *out, struct err *e);
/*
 * RFC 1929. Each 1..255 bytes of printable ASCII without space, quote and
 * backslash (tor prints them in events that every controller reads: no secret
 * in here). A user that begins with "<torS0X>" must be exactly "<torS0X>0"
 * (prop 351; for tor >= 0.4.9.1), else ERR_PROTO.
 */
int socks_write_auth(struct buf *out, const char *user, const char *password, struct err *e);
/*
 * A user name and password that nobody else has: to tor, circuits of its own
 * (IsolateSOCKSAuth). Random hex, which never begins "<torS0X>".
 */
#define SOCKS_NAME_LEN 32
void socks_own_name(char user[SOCKS_NAME_LEN + 1], char password[SOCKS_NAME_LEN + 1]);
/* CONNECT to "<address>.onion", ATYP 3. address: 56 characters [a-z2-7], no suffix, no dot; port 1..65535. */
int socks_write_connect(struct buf *out, const char *address, uint16_t port, struct err *e);
/*
 * Takes bytes, in whatever pieces; *consumed says how many were SOCKS (what is
 * behind a finished reply belongs to the stream). A refusal in REP is no
 * error: state SOCKS_DONE, code. -1: ERR_PARSE another version or address
 * type, ERR_AUTH no method or user refused. BND.ADDR is skipped.
 */
int socks_feed(struct socks *s, const uint8_t *data, size_t len, size_t *consumed, struct err *e);
/* The stream ended: 0 if the reply was complete, else ERR_CLOSED and state SOCKS_FAILED; code holds if REP had come. */
int socks_eof(struct socks *s, struct err *e);

/*
 * The layer a code speaks of: 00 ok; F0..F7 as in verdict.h; 04 (port without
 * ExtendedErrors: no descriptor or introduction refused) no-descriptor; 06
 * timeout; 02, 03, 07, 08 and -1 inconclusive (our own side); 01, 05 and all
 * unknown ones refused. HS_DESC events may tell more about 01 and 04.
 */
enum verdict socks_verdict(int code);
/* A few words for people, constant. */
const char *socks_code_text(int code);

#endif
