/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PUBLISH_PUBLISH_IMPL_H
#define PUBLISH_PUBLISH_IMPL_H

#include "base/buf.h"
#include "base/file.h"
#include "proto/chain.h"
#include "proto/minisign.h"
#include "publish/publish.h"

/* A document of ours with its signature files; owns all texts. */
struct text_signed {
	char *doc;
	size_t len;
	struct file_text files[DOC_SIGS_MAX];    /* files[i] is NAME.<i + 1>.minisig, if there is one */
	struct doc_text sig_texts[DOC_SIGS_MAX]; /* those that there are, as chain.h and doc_bundle_write() want them */
	size_t n_sigs;
	unsigned char signers[DOC_SIGS_MAX]; /* files[i] counts, by key signers[i] - 1 of the root above it; 0: by none */
};

struct publish_site {
	struct text_signed *roots; /* owned, from version 1 */
	size_t n_roots;
	struct text_signed members;
	struct chain_root root;
	struct doc_members cert;
	uint8_t cert_sha256[DOC_HASH_LEN];
	const struct doc_member *member; /* ours, in cert */
	const uint8_t *sk;               /* borrowed */
	char id[DOC_SITE_TEXT_LEN + 1];
	char (*revoked)[ONION_ADDR_LEN + 1]; /* owned: addresses of DIR/revoked */
	size_t n_revoked;
	int64_t revoked_since;
	struct judged *judged; /* owned */
};

/* A bundle that was read; name "": our own visible one. */
struct other_source {
	char name[256];
	struct doc_bundle bundle; /* owned */
};
struct publish_others {
	struct other_source *sources; /* owned; what follows points into them */
	size_t n_sources;
	struct doc_signed heads[DOC_MEMBER_MAX];
	size_t n_heads;
	struct doc_text *leaves; /* owned array */
	size_t n_leaves;
	struct doc_peer *peers; /* owned array */
	size_t n_peers;
};
#define OTHERS_FILES_MAX 64

/* Bundles of a folder by name, at most OTHERS_FILES_MAX; cb is called with each. What can't be read is a line in `faults`. */
void others_each_bundle(const char *dir, struct buf *faults, void (*cb)(const char *name, struct doc_bundle *b, void *arg), void *arg);
/* Reads one; `name` NULL: quietly. */
int others_read_bundle(struct doc_bundle *b, const char *path, const char *name, struct buf *faults);
/* peers.c: the cross-references that DIR holds at `now`; *out is malloced. */
int peers_load(struct doc_peer **out, size_t *n, const char *dir, const uint8_t own[DOC_HASH_LEN], int64_t now, struct buf *faults, struct err *e);

/* memory.c */
/* The newest head that was seen of a member in this epoch; number 0: none. */
struct chain_seen memory_head(const struct publish_memory *m, const struct doc_member *who, uint64_t epoch);
/* Whether any head that was seen in this epoch withdrew an address (56 characters). */
bool memory_withdrew(const struct publish_memory *m, uint64_t epoch, const char *addr);
/*
 * Adds a head that chain_head() took, its tombstones ascending; one of another epoch than before starts anew.
 * DOC_TOO_LARGE: all that this member withdrew can't be remembered, so its head must not be handed on.
 */
enum doc_reason memory_add(struct publish_memory *m, const struct doc_member *who, const struct doc_head *h, const uint8_t sha256[DOC_HASH_LEN],
    struct err *e);

/* share.c: bytes of a bundle. */
size_t share_text(const struct doc_text *t);
size_t share_signed(const struct doc_signed *d);
/* What is left for other members when all of ours is in. */
size_t share_room(const struct publish_site *s, const struct publish_list *l, size_t n_tombstones, size_t n_peers);
/* Max-min fair: who wants no more than an equal share gets it all, whatever others want. */
void share_out(size_t shares[DOC_MEMBER_MAX], const size_t wants[DOC_MEMBER_MAX], size_t room);

/* One file of a channel folder; owns both. */
struct pfile {
	char *name;
	char *text;
	size_t len;
};

struct channel_files {
	char *channel; /* owned */
	struct pfile *files;
	size_t n, cap;
};

struct publication {
	uint64_t serial;
	struct doc_head head;
	char *head_text, *head_sig;
	size_t head_len;
	struct channel_files *channels;
	size_t n_channels;
};

/* What the page and mirrors.txt are made from. */
struct page {
	const struct publish_site *site;
	const struct doc_head *head;
	const struct doc_leaf *leaves;
	const char (*members)[DOC_MEMBER_LEN + 1]; /* whose head lists each */
	size_t n_leaves;
	bool qr; /* there is a site.png */
};

/* judged.c */
struct judged *judged_new(void);
void judged_free(struct judged *j);
/*
 * The leaf of this text, well-formed, about this site and signed by its onion;
 * its times and tombstones are not looked at. Good until judged_tidy().
 */
enum doc_reason judged_find(const struct doc_leaf **out, const struct publish_site *s, const char *text, size_t len);
/* Forgets those that nobody asked for since the last time. */
void judged_tidy(struct judged *j);

/* How long a possession proof lasts, seconds. */
int64_t possession_s(const struct publish_site *s);

/* Reads DIR/revoked, if there is one. */
int revoked_load(struct publish_site *s, const char *dir, struct err *e);
/* The tombstones of a head: those of the list and what DIR/revoked holds, ascending by h. *out is malloced. */
int tombstones_make(struct doc_tombstone **out, size_t *n, const struct publish_site *s, const struct publish_list *l, struct err *e);
void tombstones_sort(struct doc_tombstone *t, size_t n);
int tombstone_cmp(const void *a, const void *b); /* by h */

struct doc_signed text_signed_view(const struct text_signed *t);
void text_signed_free(struct text_signed *t);

/* Fills one channel's folder in memory. */
int files_make(struct channel_files *c, const struct publish_site *s, const struct publication *p, const struct publish_list *l,
    struct err *e);
void files_free(struct channel_files *c);
/* The text of index.html. */
void html_write(struct buf *out, const struct page *p);
/* The Content-Security-Policy of a page with this style. */
#define HTML_POLICY_MAX 320
void html_policy(char out[HTML_POLICY_MAX], const char *style, size_t len);
/* A text as a QR code, a PNG picture; false: this build has no libqrencode, or it failed. */
bool qr_png(struct buf *out, const char *text);

#endif
