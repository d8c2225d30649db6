/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TESTS_SIM_OTHER_H
#define TESTS_SIM_OTHER_H

#include "sim/sim.h"

#include "proto/doc.h"

/*
 * Another member of the site, whose keys the simulator holds (other.c), and
 * whoever puts its documents, and what is none of them, where the daemon takes
 * them from (other_peer.c). Only some worlds have one, with dice of their own.
 */
#define OTHER_NAME "other"
#define OTHER_ONIONS 64
#define OTHER_HEADS 256

/* A head that it signed, once made for ever the same. */
struct other_head {
	uint64_t serial;
	const struct other_head *prev; /* NULL: it names none */
	unsigned key;                  /* of the member's keys; they count from 1 */
	bool forged;                   /* signed by somebody else */
	bool withdraws;                /* an address of ours */
	int64_t issued, valid_until;
	uint64_t members_seq;
	uint8_t sha256[DOC_HASH_LEN];
	char *bundle; /* its list, owned */
	size_t len;
};

/* What a new head is to be. */
struct other_wish {
	uint64_t serial;
	const struct other_head *prev;
	const char *withdraw; /* an address of ours (56 characters), or NULL */
	bool forged;
};

/* --- other.c --- */
void other_end(void);
bool other_is_on(void);
/* The site certifies it, with a fresh key or that of before; or no longer. The daemon is sent SIGHUP. */
void other_certify(bool fresh);
void other_withdraw(void);
bool other_is_certified(void);
/* Signs a head of now over all its addresses; NULL: it has signed too many. */
const struct other_head *other_sign(const struct other_wish *w);
/* The next one of its own chain, and the last; NULL: there is none under this key. */
const struct other_head *other_sign_next(const char *withdraw);
const struct other_head *other_newest(void);
/* All that it signed, oldest first; NULL past the end. */
const struct other_head *other_head(size_t i);
const struct other_head *other_find(const uint8_t sha256[DOC_HASH_LEN]);
/* An old address is retired, a new one takes its place. */
void other_rotate(void);
/* All its addresses, retired ones too; NULL past the end. `leaf` (may be NULL) gets the hash of its leaf. */
const char *other_address(size_t i, uint8_t leaf[DOC_HASH_LEN]);
/* For planted faults: an address and a leaf of ours are said to be its own. */
void other_claim(const char *address, const uint8_t leaf[DOC_HASH_LEN]);
/* The member's key of that number is this one. */
bool other_key_is(unsigned key, const uint8_t pk[DOC_KEY_LEN]);

/* --- other_peer.c --- */
void other_peer_clear(void); /* a world begins: there is none */
void other_peer_plan(void);  /* in some worlds there is one */
void other_peer_begin(void); /* and its lists come, by chance */
void other_peer_heal(void);
/* Does one of these: "head", "stale", ... in the file of that name (NULL: some). false: no such word. */
bool other_peer_do(const char *act, const char *place, bool dry);
const char *other_peer_acts(void); /* the words, for a message */
/* The heads that lie in the folder where the daemon reads them; NULL past the end. */
const struct other_head *other_peer_lies(size_t i);

#endif
