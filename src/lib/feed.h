/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef LIB_FEED_H
#define LIB_FEED_H

#include "lib/site.h"

/* One walk through a bundle, shared by the files that make it. */
struct feed {
	om_site *site;
	int64_t now;
	const struct doc_bundle *bundle; /* borrowed */
	struct err err;
	bool seen[DOC_MEMBER_MAX];                   /* members that had a head in this bundle */
	const struct kept_head *live[DOC_MEMBER_MAX]; /* accepted heads, in order; borrowed from site */
	size_t n_live;
	struct doc_head late[DOC_MEMBER_MAX]; /* heads that count as missing; owned */
	size_t n_late;
	enum doc_reason first_late; /* why, and in words */
	struct err first_late_err;
	struct om_mirror *mirrors; /* owned until they become the site's */
	size_t n_mirrors;
};

/* Says so in f->err. */
enum doc_reason feed_no_memory(struct feed *f);

/* leaves.c */
/* Judges the leaves, once the heads are, into f->mirrors. */
enum doc_reason feed_leaves(struct feed *f);
/*
 * Adds the mirrors that stay known: where the stored head of a member stands against the bundle's, so does what we have
 * of its mirrors.
 */
void feed_standing(struct feed *f);

#endif
