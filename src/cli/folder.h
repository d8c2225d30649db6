/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CLI_FOLDER_H
#define CLI_FOLDER_H

#include "base/file.h"
#include "cli/cli.h"
#include "proto/chain.h"
#include "proto/minisign.h"

/*
 * A folder of the documents that root keys sign (onionmirror-keys(7)), as it is
 * carried between machines and as STATE-DIR/site holds it: N.root.json,
 * members.json, and beside each its signatures NAME.<n>.minisig.
 */

struct sdoc {
	char *text; /* owned */
	size_t len;
	struct file_text sigs[DOC_SIGS_MAX]; /* owned; sigs[i] is NAME.<i + 1>.minisig */
	struct doc_text views[DOC_SIGS_MAX]; /* those that exist */
	size_t n_views;
	uint8_t sha256[DOC_HASH_LEN];
};

struct folder {
	const char *dir; /* borrowed */
	struct sdoc *roots; /* owned, from version 1 */
	size_t n_roots;
	struct chain_root last, before; /* the newest root and the one before it (if n_roots > 1) */
	bool root_signed;               /* by enough keys of both */
	bool has_members, members_signed;
	struct sdoc members;
	struct doc_members m;
};

/*
 * Reads and judges what is there; folder_free() it in any case. Only the newest
 * root and members.json may lack signatures. Times are not looked at.
 */
int folder_load(struct folder *f, const char *dir, struct err *e);
void folder_free(struct folder *f);
/* The views are good as long as the folder. */
struct doc_signed sdoc_view(const struct sdoc *d);

/* Writes DIR/NAME over what is there, then removes signatures NAME.<n>.minisig, which were of the old text. */
int folder_put(const char *dir, const char *name, const char *text, struct err *e);
/* Writes a signature under the first free number; `number` (may be NULL) gets it. */
int folder_add_sig(const char *dir, const char *name, const char *sig, unsigned *number, struct err *e);
unsigned folder_free_number(const struct sdoc *d);

/* One document and the keys that count for it. */
struct folder_item {
	char name[32]; /* "2.root.json" */
	char comment[DOC_COMMENT_MAX];
	const struct sdoc *doc;
	/* The keys whose signatures count: those of `sets` roots, each with its own threshold. */
	const struct doc_root *sets[2];
	size_t n_sets;
};
/* The newest root; members.json. */
void folder_root_item(struct folder_item *it, const struct folder *f);
void folder_members_item(struct folder_item *it, const struct folder *f);
/* Whether `pk` is among the keys of the item, and whether it has signed. */
bool folder_item_has_key(const struct folder_item *it, const uint8_t pk[DOC_KEY_LEN], bool *has_signed);
/* Whether enough keys of each set have signed. */
bool folder_item_done(const struct folder_item *it);
/* Says who has signed, who may, and how: with our program and with stock minisign. */
void folder_item_print(const struct folder *f, const struct folder_item *it);
json_t *folder_item_json(const struct folder *f, const struct folder_item *it);

#endif
