/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef LIB_SITE_H
#define LIB_SITE_H

#include "proto/chain.h"
#include "proto/doc_json.h"

#include <onionmirror/onionmirror.h>

/* What a reader of one site remembers. Internal to libonionmirror. */

#define SITE_EVIDENCE_MAX 8
#define SITE_ABOUT_MAX 80

/* A document that was accepted, with its signatures: {"doc", "sigs"}, owned. */
struct kept {
	json_t *entry;
	uint8_t sha256[DOC_HASH_LEN];
};

/* The newest head of a member name and key in this epoch. */
struct kept_head {
	struct kept kept;
	uint8_t key[DOC_KEY_LEN];
	struct doc_head doc; /* owned */
};

/* Two documents that contradict each other: the known one and the one that came later. */
struct evidence {
	char *text[2]; /* {"doc", "sigs"}, owned */
	uint8_t sha256[2][DOC_HASH_LEN]; /* of the documents */
	char about[SITE_ABOUT_MAX];      /* whose they are: type, member */
};

/* What became of the forks that the last feed proved. */
enum fork_evidence { FORK_LOST = -1, FORK_NONE, FORK_KEPT };

struct om_member {
	const struct doc_member *doc; /* borrowed from the site's members */
	enum doc_reason status;
	uint64_t serial;
	int64_t issued, fresh_until, valid_until;
};

struct om_mirror {
	char *text; /* the leaf as it came, owned */
	size_t len;
	struct doc_leaf leaf;
	bool proved; /* its address and possession were looked at since the site was opened or loaded */
	char host[ONION_HOST_LEN + 1];
	char member[DOC_MEMBER_LEN + 1];
	uint8_t key[DOC_KEY_LEN];   /* of the member, */
	uint8_t hash[DOC_HASH_LEN]; /* and what its head lists */
	int64_t valid_until;
};

struct om_site {
	uint8_t site[DOC_HASH_LEN];
	char id[DOC_SITE_TEXT_LEN + 1]; /* "" until known */
	bool pinned;
	struct kept *roots; /* owned, n_roots, from version 1 */
	size_t n_roots;
	struct chain_root root;      /* the last of them, if n_roots > 0 */
	struct kept members_kept;    /* entry NULL: none */
	struct doc_members members;
	struct om_member member_view[DOC_MEMBER_MAX];
	struct kept_head **heads; /* owned, n_heads */
	size_t n_heads;
	struct doc_tombstone *tombstones; /* owned, ascending by h */
	size_t n_tombstones;
	struct om_mirror *mirrors; /* owned */
	size_t n_mirrors;
	struct evidence evidence[SITE_EVIDENCE_MAX];
	size_t n_evidence;
	enum fork_evidence fork;
};

/*
 * The walk over a bundle, which is borrowed. `reason` and `e` are what became
 * of making it: if not DOC_OK, the bundle is refused for that.
 */
int site_feed(om_site *s, const struct doc_bundle *b, enum doc_reason reason, const struct err *e, int64_t now,
    om_error *error);
/* Whether feeding is possible at all with these arguments. */
bool site_can_feed(const om_site *s, const void *bytes, int64_t now);

/* Fills an om_error (may be NULL) and returns -1. */
int site_error(om_error *out, om_reason reason, const char *detail);

/* {"doc", "sigs"} as something of our own; NULL: no memory. */
json_t *site_keep(const struct doc_signed *s);
/* Sets site, id. */
void site_identify(om_site *s, const uint8_t site[DOC_HASH_LEN]);

/*
 * Changes of state. Each is whole or not at all: DOC_OK or DOC_NO_MEMORY. The
 * document has passed every check; `entry` is taken over, also on failure.
 */
enum doc_reason site_add_root(om_site *s, const struct chain_root *root, json_t *entry);
void site_set_members(om_site *s, const struct doc_members *m, const uint8_t sha256[DOC_HASH_LEN], json_t *entry);
/* Takes over *head's arrays and clears it, except on failure. Tombstones are merged: sticky, revoked never softened. */
enum doc_reason site_set_head(om_site *s, struct doc_head *head, const uint8_t key[DOC_KEY_LEN],
    const uint8_t sha256[DOC_HASH_LEN], json_t *entry);
enum doc_reason site_merge_tombstones(om_site *s, const struct doc_tombstone *t, size_t n);
/*
 * Two documents that contradict each other; takes both texts over (NULL: no memory). DOC_OK: it is among the evidence,
 * perhaps since long; DOC_TOO_LARGE: there is no room, which there always is for the first about a member, the root or
 * the members as long as there are several about another.
 */
enum doc_reason site_add_evidence(om_site *s, char *known, char *later);
void site_free_evidence(om_site *s);
/*
 * A document that passed all checks but the last, which said DOC_FORK: it and the known one become evidence, and s->fork
 * says whether they did. `prev` is the root before `r`, NULL: there is none.
 */
void site_add_forked_root(om_site *s, const struct chain_root *prev, const struct chain_root *r, const struct doc_signed *later);
void site_add_forked_members(om_site *s, const struct doc_signed *later);
void site_add_forked_head(om_site *s, const struct kept_head *known, const struct doc_head *h, const struct doc_signed *later);

/* The stored head of a member name and key, or NULL. */
struct kept_head *site_find_head(const om_site *s, const char *member, const uint8_t key[DOC_KEY_LEN]);
/* Copies numbers of the stored heads into the member views and sets every status to missing. */
void site_reset_members(om_site *s);
/* Fills in what a mirror has from its leaf, which is parsed and copied, and from the head `h` that lists it. */
enum doc_reason site_place_mirror(struct om_mirror *m, const struct doc_text *text, const struct kept_head *h);
/* Replaces the mirrors; the list is taken over. */
void site_set_mirrors(om_site *s, struct om_mirror *list, size_t n);
void site_free_mirrors(struct om_mirror *list, size_t n);
/* Drops mirrors that the current members, heads and tombstones don't bear out any more, and sets until when the others last. */
void site_prune_mirrors(om_site *s);

#endif
