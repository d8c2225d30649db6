/* SPDX-License-Identifier: BSD-3-Clause */
/* The last part of the walk: leaves that become mirrors, each text once, and the mirrors that stay known without. */
#include "config.h"
#include "lib/feed.h"

#include <stdlib.h>
#include <string.h>

/* The first accepted head that lists a leaf, or NULL. */
static const struct kept_head *
listed_by(const struct feed *f, const uint8_t hash[DOC_HASH_LEN])
{
	size_t i;

	for (i = 0; i < f->n_live; i++)
		if (doc_leaves_have((const uint8_t(*)[DOC_HASH_LEN])f->live[i]->doc.leaves, f->live[i]->doc.n_leaves, hash))
			return f->live[i];
	return NULL;
}

static bool
listed_late(const struct feed *f, const uint8_t hash[DOC_HASH_LEN])
{
	size_t i;

	for (i = 0; i < f->n_late; i++)
		if (doc_leaves_have((const uint8_t(*)[DOC_HASH_LEN])f->late[i].leaves, f->late[i].n_leaves, hash))
			return true;
	return false;
}

static enum doc_reason
feed_leaf(struct feed *f, size_t i, const uint8_t hash[DOC_HASH_LEN])
{
	const struct doc_text *t = &f->bundle->leaves[i];
	const struct kept_head *h = listed_by(f, hash);
	struct om_mirror *m = &f->mirrors[f->n_mirrors];
	om_site *s = f->site;
	enum doc_reason r;

	if (h == NULL) {
		r = doc_leaf_outline(t->p, t->len, s->site, &f->err);
		if (r != DOC_OK || listed_late(f, hash))
			return r;
		return doc_fail(&f->err, DOC_NOT_LISTED, "a leaf that no head of the bundle lists");
	}
	r = doc_leaf_parse(&m->leaf, t->p, t->len, s->site, &f->err);
	if (r == DOC_OK)
		r = chain_leaf(&m->leaf, &s->root, s->tombstones, s->n_tombstones, f->now, &f->err);
	if (r != DOC_OK)
		return r;
	if (site_place_mirror(m, t, h) != DOC_OK)
		return feed_no_memory(f);
	m->proved = true;
	memcpy(m->hash, hash, DOC_HASH_LEN);
	f->n_mirrors++;
	return DOC_OK;
}

struct leaf_ref {
	uint8_t hash[DOC_HASH_LEN];
	size_t at;
	bool again; /* an earlier one has the same bytes */
};

static int
by_hash(const void *a, const void *b)
{
	const struct leaf_ref *x = a, *y = b;
	int c = memcmp(x->hash, y->hash, DOC_HASH_LEN);

	return c != 0 ? c : (x->at > y->at) - (x->at < y->at);
}

static int
by_place(const void *a, const void *b)
{
	const struct leaf_ref *x = a, *y = b;

	return (x->at > y->at) - (x->at < y->at);
}

enum doc_reason
feed_leaves(struct feed *f)
{
	size_t i, n = f->bundle->n_leaves;
	struct leaf_ref *ref = calloc(n + 1, sizeof *ref);
	enum doc_reason r = DOC_OK;

	f->mirrors = calloc(n + f->site->n_mirrors + 1, sizeof *f->mirrors);
	if (ref == NULL || f->mirrors == NULL) {
		free(ref);
		return feed_no_memory(f);
	}
	for (i = 0; i < n; i++) {
		doc_hash(ref[i].hash, f->bundle->leaves[i].p, f->bundle->leaves[i].len);
		ref[i].at = i;
	}
	/* A repeated leaf counts, and costs, once. */
	qsort(ref, n, sizeof *ref, by_hash);
	for (i = 1; i < n; i++)
		ref[i].again = memcmp(ref[i - 1].hash, ref[i].hash, DOC_HASH_LEN) == 0;
	qsort(ref, n, sizeof *ref, by_place);
	for (i = 0; i < n && r == DOC_OK; i++)
		if (!ref[i].again)
			r = feed_leaf(f, i, ref[i].hash);
	free(ref);
	return r;
}

static bool
has_mirror(const struct feed *f, const char *host)
{
	size_t i;

	for (i = 0; i < f->n_mirrors; i++)
		if (strcmp(f->mirrors[i].host, host) == 0)
			return true;
	return false;
}

void
feed_standing(struct feed *f)
{
	om_site *s = f->site;
	const struct doc_member *m;
	enum doc_reason status;
	size_t i;

	site_prune_mirrors(s); /* and say until when they last */
	for (i = 0; i < s->n_mirrors; i++) {
		m = chain_member_find(&s->members, s->mirrors[i].member);
		status = m != NULL ? s->member_view[m - s->members.members].status : DOC_OK;
		if ((status != DOC_ROLLBACK && status != DOC_FORK) || s->mirrors[i].valid_until <= f->now ||
		    has_mirror(f, s->mirrors[i].host))
			continue;
		f->mirrors[f->n_mirrors++] = s->mirrors[i];
		s->mirrors[i].text = NULL;
	}
}
