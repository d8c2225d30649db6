/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef SUPPORT_LISTKIT_H
#define SUPPORT_LISTKIT_H

#include "proto/chain.h"

/*
 * Makes whole mirror lists for tests, deterministically: a recipe with good
 * defaults, of which a test changes what it is about, then kit_build(). Keys
 * and onions are numbers; the same number is always the same key.
 *
 *	struct kit k;
 *	kit_init(&k);                                  one root 2-of-3, member "alpha", two leaves
 *	k.heads[0].doc.serial = 7;                     what a struct can say
 *	kit_patch(&k, KIT_HEAD, 0, "issued", "null");  what it can't: JSON at a path, before signing
 *	kit_build(&k);                                 k.bundle, k.site_id
 *	kit_free(&k);
 */

#define KIT_NOW INT64_C(1795435200) /* 2026-11-23T12:00:00Z */
#define KIT_HOUR 3600
#define KIT_DAY 86400
#define KIT_ROOTS 6
#define KIT_HEADS 20
#define KIT_LEAVES 8
#define KIT_SIGNERS 32
#define KIT_PATCHES 8

enum kit_which { KIT_ROOT = 1, KIT_MEMBERS, KIT_HEAD, KIT_LEAF, KIT_BUNDLE };

/* Which keys sign, in this order; a number may occur twice. */
struct kit_signers {
	unsigned keys[KIT_SIGNERS];
	size_t n;
};

/* A finished document. */
struct kit_text {
	char *text;
	size_t len;
	char *sigs[KIT_SIGNERS];
	size_t n_sigs;
};

struct kit_root {
	struct doc_root doc;      /* site, prev and keys are filled in */
	unsigned keys[DOC_KEYS_MAX]; /* doc.n_keys of them */
	struct kit_signers signers;
	struct kit_text out;
};

struct kit_members {
	struct doc_members doc; /* site and keys are filled in */
	unsigned keys[DOC_MEMBER_MAX];
	struct kit_signers signers;
	struct kit_text out;
};

struct kit_head {
	struct doc_head doc; /* site, root_version (if 0), members_* (if 0), leaves are filled in; tombstones, peers borrowed */
	unsigned leaves;     /* bit i: lists leaf i */
	struct kit_signers signers;
	struct kit_text out;
};

struct kit_leaf {
	struct doc_leaf doc;   /* site, onion, url (if empty), possession_sig are filled in */
	unsigned onion;        /* whose address */
	unsigned signer;       /* which onion's key makes the proof */
	const char *proof_site; /* site id that the proof names instead, NULL: the right one */
	bool left_out;          /* not put into the bundle */
	struct kit_text out;
};

struct kit_patch {
	enum kit_which which;
	size_t index;
	const char *path;  /* "limits.head_hours", "roots.0.doc" */
	const char *value; /* JSON, NULL: delete */
	bool after;        /* signing: tampering */
};

struct kit {
	int64_t now; /* what the defaults are made for, a whole hour */
	struct kit_root roots[KIT_ROOTS];
	size_t n_roots;
	struct kit_members members;
	struct kit_head heads[KIT_HEADS];
	size_t n_heads;
	struct kit_leaf leaves[KIT_LEAVES];
	size_t n_leaves;
	struct kit_patch patches[KIT_PATCHES];
	size_t n_patches;
	/* Made by kit_build(). */
	uint8_t site[DOC_HASH_LEN];
	char site_id[DOC_SITE_TEXT_LEN + 1];
	char *bundle;
	size_t len;
};

/* Keys 1, 2, 3 make the root (2 of 3), key 11 is member alpha, onions 1 and 2 are mirrors, serial 100. */
void kit_init(struct kit *k);
/* As kit_init(), for another time than KIT_NOW; a whole hour. */
void kit_init_at(struct kit *k, int64_t now);
/* One more of each, with the defaults of the first; the new one is returned. */
struct kit_root *kit_add_root(struct kit *k); /* same keys and signers as the last */
struct kit_head *kit_add_member(struct kit *k, const char *name, unsigned key); /* certified, with an own head */
struct kit_leaf *kit_add_leaf(struct kit *k, unsigned onion);                   /* listed by head 0 */
void kit_signers(struct kit_signers *s, size_t n, const unsigned *keys);
void kit_patch(struct kit *k, enum kit_which which, size_t index, const char *path, const char *value);
/* As kit_patch(), after signing. */
void kit_tamper(struct kit *k, enum kit_which which, size_t index, const char *path, const char *value);
/* May be called again after changes. Ends the test if the recipe is nonsense. */
void kit_build(struct kit *k);
void kit_free(struct kit *k);

/* A document with its signatures as the verifier takes it; `sigs` has KIT_SIGNERS entries and is pointed to. */
struct doc_signed kit_signed(const struct kit_text *t, struct doc_text *sigs);
/* libsodium's secret key (64 bytes) and public key (32) of a number; either may be NULL. */
void kit_key(unsigned number, uint8_t *sk, uint8_t *pk);
/* tor's expanded key (64 bytes) and the address of an onion; either may be NULL. */
void kit_onion(unsigned number, uint8_t *key, char *addr);

#endif
