/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PROTO_COMMAND_H
#define PROTO_COMMAND_H

#include "base/buf.h"
#include "base/endpoint.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The one encoder of tor commands (control-spec 3). What has no function here
 * is never sent: no SETCONF, no SIGNAL, no TAKEOWNERSHIP.
 *
 * Each function adds one whole line with CR LF to `out`, or nothing and
 * returns -1: ERR_PROTO when an argument has a byte or length outside its
 * character set (no argument can hold CR, LF, NUL, a space or a quote; a
 * password is escaped), ERR_MEMORY when the buffer is full or failed. Where a
 * secret is written `out` must have .secret set, else ERR_PROTO.
 */
#define COMMAND_PORTS_MAX 32
#define COMMAND_PASSWORD_MAX 1024

int command_protocolinfo(struct buf *out, struct err *e); /* PROTOCOLINFO 1 */
/* AUTHCHALLENGE SAFECOOKIE <hex>; nonce of n bytes, 1..64 (we use 32). */
int command_authchallenge(struct buf *out, const uint8_t *nonce, size_t n, struct err *e);
/* AUTHENTICATE <hex>: the 32 bytes of the SAFECOOKIE client hash. Secret. */
int command_authenticate_hash(struct buf *out, const uint8_t hash[32], struct err *e);
/* AUTHENTICATE "<password>": n bytes, no control characters, 1..COMMAND_PASSWORD_MAX. Secret. */
int command_authenticate_password(struct buf *out, const char *password, size_t n, struct err *e);
int command_authenticate_bare(struct buf *out, struct err *e); /* AUTHENTICATE, for METHODS=NULL */
int command_getinfo(struct buf *out, const char *key, struct err *e); /* one key, [A-Za-z0-9/._-]{1,128} */
int command_getconf(struct buf *out, const char *key, struct err *e); /* one key, [A-Za-z0-9_]{1,64} */
/* Replaces the whole mask; names [A-Z0-9_]{1,32}; n = 0: no events. */
int command_setevents(struct buf *out, const char *const *names, size_t n, struct err *e);

struct command_port {
	uint16_t virt;          /* 1..65535 */
	struct endpoint target; /* unix or loopback: tor would resolve a name itself, blocking and in the clear */
};
/*
 * ADD_ONION ED25519-V3:<base64> Flags=DiscardPK,Detach [MaxStreams=n]
 * Port=virt,target ... [PoWDefensesEnabled=1], in this order. Secret.
 */
struct command_add_onion {
	const uint8_t *key64; /* 64 bytes: expanded secret key (scalar, prefix); secret, borrowed */
	struct command_port ports[COMMAND_PORTS_MAX];
	size_t n_ports;       /* 1..COMMAND_PORTS_MAX, virtual ports all different (tor would pick one at random) */
	unsigned max_streams; /* 0: no limit; <= 65535 */
	bool pow;             /* tor >= 0.4.9.9 */
};
int command_add_onion(struct buf *out, const struct command_add_onion *cmd, struct err *e);

/* address: 56 characters [a-z2-7], without ".onion" (tor calls upper case unknown). */
int command_del_onion(struct buf *out, const char *address, struct err *e);
int command_hsfetch(struct buf *out, const char *address, struct err *e);
int command_closecircuit(struct buf *out, const char *id, struct err *e); /* [A-Za-z0-9]{1,16} */
int command_quit(struct buf *out, struct err *e);

#endif
