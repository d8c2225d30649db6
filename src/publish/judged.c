/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Leaves that were parsed and whose possession proof was verified, by the hash
 * of their text: from list to list most stay as they are, and an Ed25519
 * verification for each of them is what a publication would otherwise cost. What
 * depends on the time is judged anew each time.
 */
#include "config.h"
#include "publish/publish_impl.h"

#include <stdlib.h>
#include <string.h>

struct judged_leaf {
	uint8_t hash[DOC_HASH_LEN];
	struct doc_leaf doc;
	bool used; /* since the last judged_tidy() */
};

struct judged {
	struct judged_leaf **v; /* owned, ascending by hash */
	size_t n, cap;
};

struct judged *
judged_new(void)
{
	return calloc(1, sizeof(struct judged));
}

void
judged_free(struct judged *j)
{
	size_t i;

	for (i = 0; j != NULL && i < j->n; i++)
		free(j->v[i]);
	if (j != NULL)
		free(j->v);
	free(j);
}

/* Where the hash is, or should be. */
static size_t
place_of(const struct judged *j, const uint8_t hash[DOC_HASH_LEN])
{
	size_t lo = 0, hi = j->n, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (memcmp(j->v[mid]->hash, hash, DOC_HASH_LEN) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static enum doc_reason
insert(struct judged *j, size_t at, struct judged_leaf *l)
{
	struct judged_leaf **more;

	if (j->n == j->cap) {
		more = reallocarray(j->v, j->cap * 2 + 16, sizeof *more);
		if (more == NULL)
			return DOC_NO_MEMORY;
		j->v = more;
		j->cap = j->cap * 2 + 16;
	}
	memmove(j->v + at + 1, j->v + at, (j->n - at) * sizeof *j->v);
	j->v[at] = l;
	j->n++;
	return DOC_OK;
}

enum doc_reason
judged_find(const struct doc_leaf **out, const struct publish_site *s, const char *text, size_t len)
{
	struct judged *j = s->judged;
	uint8_t hash[DOC_HASH_LEN];
	struct judged_leaf *l;
	enum doc_reason why;
	size_t at;

	doc_hash(hash, text, len);
	at = place_of(j, hash);
	if (at == j->n || memcmp(j->v[at]->hash, hash, DOC_HASH_LEN) != 0) {
		l = calloc(1, sizeof *l);
		if (l == NULL)
			return DOC_NO_MEMORY;
		memcpy(l->hash, hash, sizeof hash);
		why = doc_leaf_parse(&l->doc, text, len, s->root.site, NULL);
		if (why == DOC_OK && doc_possession_verify(&l->doc) != 0)
			why = DOC_BAD_POSSESSION;
		if (why == DOC_OK)
			why = insert(j, at, l);
		if (why != DOC_OK) {
			free(l);
			return why;
		}
	}
	j->v[at]->used = true;
	*out = &j->v[at]->doc;
	return DOC_OK;
}

void
judged_tidy(struct judged *j)
{
	size_t i, kept = 0;

	for (i = 0; i < j->n; i++) {
		if (j->v[i]->used)
			j->v[kept++] = j->v[i];
		else
			free(j->v[i]);
	}
	j->n = kept;
	for (i = 0; i < j->n; i++)
		j->v[i]->used = false;
}
