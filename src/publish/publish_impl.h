/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PUBLISH_PUBLISH_IMPL_H
#define PUBLISH_PUBLISH_IMPL_H

#include "base/buf.h"
#include "proto/chain.h"
#include "proto/minisign.h"
#include "publish/publish.h"

/* A document of ours with its signature files; owns all texts. */
struct text_signed {
	char *doc;
	size_t len;
	char *sigs[DOC_SIGS_MAX];
	size_t sig_lens[DOC_SIGS_MAX];
	struct doc_text sig_texts[DOC_SIGS_MAX]; /* the same, as chain.h and doc_bundle_write() want them */
	size_t n_sigs;
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
};

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
	size_t n_leaves;
};

struct doc_signed text_signed_view(const struct text_signed *t);
void text_signed_free(struct text_signed *t);

/* Fills one channel's folder in memory. */
int files_make(struct channel_files *c, const struct publish_site *s, const struct publication *p, const struct publish_list *l,
    struct err *e);
void files_free(struct channel_files *c);
/* The text of index.html. */
void html_write(struct buf *out, const struct page *p);

#endif
