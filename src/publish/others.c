/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Other members of the same root: their newest heads and leaves, out of bundles
 * that the operator put into a folder and out of our own visible bundle (so that
 * an older file never replaces a newer head). Whatever a reader would refuse is
 * left out here, because it would make him refuse our list with it.
 */
#include "config.h"
#include "base/mutant.h"
#include "publish/publish_impl.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LEAVES_MAX 1024 /* of one member */

/* What one other member has to say, by its place in the members document. */
struct other {
	bool have;    /* there is a head to hand on */
	bool spoiled; /* its newest head can't be handed on, and an older one would look like a rollback */
	struct doc_head head; /* owned; tombstones ascending */
	struct doc_signed doc; /* with the one signature that counts; points into the sources */
	const struct doc_text **leaves; /* owned: those of the head that there are, beside their hashes; point into the sources */
	size_t n_bad;
	enum doc_reason bad; /* the last one's */
	size_t n_excess;     /* leaves for which its share has no room */
};

struct gather {
	struct publish_others *o;
	const struct publish_list *l;
	struct publish_memory *memory;
	struct doc_tombstone *ours; /* owned, ascending by h */
	size_t n_ours;
	char (*onions)[ONION_ADDR_LEN + 1]; /* owned: those of `l`, then those of o->leaves */
	size_t n_onions, n_own;
	struct other others[DOC_MEMBER_MAX];
	struct buf *faults;
};

int
others_read_bundle(struct doc_bundle *b, const char *path, const char *name, struct buf *faults)
{
	struct err inner = ERR_INIT;
	enum doc_reason why;
	char *text;
	size_t n;

	if (file_read(path, DOC_BUNDLE_MAX, FILE_PUBLIC, &text, &n, &inner) != 0) {
		if (name != NULL)
			buf_addf(faults, "%s: %s\n", name, inner.msg);
		return -1;
	}
	why = doc_bundle_parse(b, text, n, &inner);
	free(text);
	if (why != DOC_OK && name != NULL)
		buf_addf(faults, "%s: %s: %s\n", name, doc_reason_name(why), inner.msg);
	return why == DOC_OK ? 0 : -1;
}

static int
is_bundle(const struct dirent *de)
{
	size_t n = strlen(de->d_name);

	return de->d_name[0] != '.' && n > 5 && strcmp(de->d_name + n - 5, ".json") == 0;
}

void
others_each_bundle(const char *dir, struct buf *faults, void (*cb)(const char *name, struct doc_bundle *b, void *arg), void *arg)
{
	struct dirent **list = NULL;
	struct doc_bundle b;
	char path[PATH_MAX];
	int n = scandir(dir, &list, is_bundle, alphasort), i;

	if (n < 0 && errno != ENOENT)
		buf_addf(faults, "%s: %s\n", dir, strerror(errno));
	for (i = 0; i < n; i++) {
		if (i >= OTHERS_FILES_MAX)
			buf_addf(faults, "%s: more than %d files, not read\n", list[i]->d_name, OTHERS_FILES_MAX);
		else if ((size_t)snprintf(path, sizeof path, "%s/%s", dir, list[i]->d_name) < sizeof path &&
		    others_read_bundle(&b, path, list[i]->d_name, faults) == 0)
			cb(list[i]->d_name, &b, arg);
		free(list[i]);
	}
	free(list);
}

static void
add_source(const char *name, struct doc_bundle *b, void *arg)
{
	struct publish_others *o = arg;

	snprintf(o->sources[o->n_sources].name, sizeof o->sources[0].name, "%s", name);
	o->sources[o->n_sources++].bundle = *b;
}

static void
read_sources(struct publish_others *o, const char *dir, const char *visible, struct buf *faults)
{
	char folder[PATH_MAX];
	struct doc_bundle b;

	if (others_read_bundle(&b, visible, NULL, faults) == 0)
		add_source("", &b, o);
	snprintf(folder, sizeof folder, "%s/bundles", dir);
	others_each_bundle(folder, faults, add_source, o);
}

/* Whether a head withdraws an address that we list now, or may list again: readers would refuse that list. */
static bool
withdraws_ours(const struct gather *g, const struct doc_head *h)
{
	size_t i;

	for (i = 0; i < g->n_own; i++)
		if (chain_tombstone_find(h->tombstones, h->n_tombstones, g->onions[i]) != NULL)
			return true;
	for (i = 0; i < g->l->n_ours; i++)
		if (chain_tombstone_find(h->tombstones, h->n_tombstones, g->l->ours[i]) != NULL)
			return true;
	return false;
}

/* A head with only the signature that its member made; whatever else was put beside it is not handed on. */
static struct doc_signed
with_good_sig(const struct doc_head *h, const struct doc_member *m, const struct doc_signed *doc, const uint8_t sha256[DOC_HASH_LEN])
{
	struct doc_signed one = { .doc = doc->doc, .sigs = doc->sigs, .n_sigs = 1 };
	char comment[DOC_COMMENT_MAX];
	size_t i;

	doc_head_comment(comment, h, sha256);
	for (i = 1; i < doc->n_sigs && chain_count_keys(&one, &m->key, 1, comment, 1, NULL) == 0; i++)
		one.sigs = &doc->sigs[i];
	return one;
}

/* DOC_ROLLBACK: a newer one is known. Takes what h owns if it returns DOC_OK. */
static enum doc_reason
judge_head(struct gather *g, const struct publish_site *s, struct doc_head *h, const struct doc_signed *doc, struct err *e)
{
	const struct doc_member *m = chain_member_find(&s->cert, h->member);
	struct chain_seen seen = { 0 };
	uint8_t sha256[DOC_HASH_LEN];
	enum doc_reason why;
	struct other *x;

	if (m == s->member)
		return DOC_ROLLBACK; /* our own, in somebody's copy, is no news */
	if (m != NULL && !MUTANT(31))
		seen = memory_head(g->memory, m, h->epoch);
	why = chain_head(h, &s->root, &s->cert, s->cert_sha256, doc, &seen, g->l->now, e);
	if (why != DOC_OK)
		return why;
	x = &g->others[m - s->cert.members];
	if (h->serial == seen.number && (x->have || x->spoiled))
		return DOC_ROLLBACK; /* the very same once more */
	doc_hash(sha256, doc->doc.p, doc->doc.len);
	tombstones_sort(h->tombstones, h->n_tombstones);
	why = memory_add(g->memory, m, h, sha256, e);
	if (why == DOC_OK && withdraws_ours(g, h))
		why = doc_fail(e, DOC_REVOKED, "the head of %s withdraws an address that is ours", h->member);
	x->spoiled = why != DOC_OK;
	x->have = !x->spoiled;
	if (x->spoiled)
		return why;
	doc_head_free(&x->head);
	x->head = *h;
	x->doc = with_good_sig(h, m, doc, sha256);
	return DOC_OK;
}

static void
take_heads(struct gather *g, const struct publish_site *s, const struct other_source *src)
{
	struct doc_head h;
	enum doc_reason why;
	struct err inner;
	size_t i;

	for (i = 0; i < src->bundle.n_heads; i++) {
		const struct doc_signed *doc = &src->bundle.heads[i];

		err_clear(&inner);
		memset(&h, 0, sizeof h);
		why = doc_head_parse(&h, doc->doc.p, doc->doc.len, s->root.site, &inner);
		if (why == DOC_OK)
			why = judge_head(g, s, &h, doc, &inner);
		if (why == DOC_OK)
			continue;
		doc_head_free(&h);
		if (why != DOC_ROLLBACK && src->name[0] != '\0')
			buf_addf(g->faults, "%s: a head is left out: %s: %s\n", src->name, doc_reason_name(why), inner.msg);
	}
}

/* --- leaves ---------------------------------------------------------------------------------- */

static int
hash_cmp(const void *a, const void *b)
{
	return memcmp(a, b, DOC_HASH_LEN);
}

/* Puts a leaf beside its hash in each head that lists it. */
static void
sort_in(struct gather *g, const struct doc_text *t)
{
	uint8_t hash[DOC_HASH_LEN], *at;
	size_t i;

	doc_hash(hash, t->p, t->len);
	for (i = 0; i < DOC_MEMBER_MAX; i++) {
		struct other *x = &g->others[i];

		if (x->leaves == NULL || (at = bsearch(hash, x->head.leaves, x->head.n_leaves, DOC_HASH_LEN, hash_cmp)) == NULL)
			continue;
		x->leaves[(size_t)(at - x->head.leaves[0]) / DOC_HASH_LEN] = t;
	}
}

static int
find_leaves(struct gather *g, struct err *e)
{
	size_t i, k;

	for (i = 0; i < DOC_MEMBER_MAX; i++) {
		struct other *x = &g->others[i];

		if (x->have && (x->leaves = calloc(x->head.n_leaves + 1, sizeof *x->leaves)) == NULL)
			return err_set(e, ERR_MEMORY, "out of memory");
	}
	for (i = 0; i < g->o->n_sources; i++)
		for (k = 0; k < g->o->sources[i].bundle.n_leaves; k++)
			sort_in(g, &g->o->sources[i].bundle.leaves[k]);
	return 0;
}

/* What a member would take of a bundle. Leaves past the limit are dropped: the last by hash, so always the same. */
static size_t
count_bytes(struct other *x)
{
	size_t n = 0, bytes, i;

	if (!x->have)
		return 0;
	bytes = share_signed(&x->doc);
	for (i = 0; i < x->head.n_leaves; i++) {
		if (x->leaves[i] == NULL)
			continue;
		if (++n <= LEAVES_MAX) {
			bytes += share_text(x->leaves[i]);
		} else {
			x->leaves[i] = NULL;
			x->n_excess++;
		}
	}
	return bytes;
}

/* An address is handed out once: ours, or the first that somebody else lists. */
static bool
is_known(const struct gather *g, const char *onion)
{
	size_t i;

	for (i = 0; i < g->n_onions; i++)
		if (strcmp(g->onions[i], onion) == 0)
			return true;
	return false;
}

/* A leaf whose proof is good, against what changes. */
static enum doc_reason
judge_leaf(const struct gather *g, const struct publish_site *s, const struct doc_leaf *l)
{
	enum doc_reason why = chain_leaf_now(l, &s->root, g->ours, g->n_ours, g->l->now, NULL);

	return why == DOC_OK && memory_withdrew(g->memory, s->root.doc.epoch, l->onion) ? DOC_RETIRED : why;
}

static int
add_leaf(struct gather *g, const struct doc_text *t, const char *onion, struct err *e)
{
	struct publish_others *o = g->o;
	void *more;

	if ((more = reallocarray(g->onions, g->n_onions + 1, sizeof *g->onions)) == NULL)
		return err_set(e, ERR_MEMORY, "out of memory");
	g->onions = more;
	if ((more = reallocarray(o->leaves, o->n_leaves + 1, sizeof *o->leaves)) == NULL)
		return err_set(e, ERR_MEMORY, "out of memory");
	o->leaves = more;
	strcpy(g->onions[g->n_onions++], onion);
	o->leaves[o->n_leaves++] = *t;
	return 0;
}

/* What fits into the member's share. */
static int
take_leaves(struct gather *g, const struct publish_site *s, struct other *x, size_t share, struct err *e)
{
	const struct doc_leaf *l;
	enum doc_reason why;
	size_t i, bytes;

	for (i = 0; i < x->head.n_leaves; i++) {
		if (x->leaves[i] == NULL)
			continue;
		why = judged_find(&l, s, x->leaves[i]->p, x->leaves[i]->len);
		if (why == DOC_OK && is_known(g, l->onion))
			continue;
		if (why == DOC_OK)
			why = judge_leaf(g, s, l);
		bytes = share_text(x->leaves[i]);
		if (why != DOC_OK) {
			x->n_bad++;
			x->bad = why;
		} else if (bytes > share) {
			x->n_excess++;
		} else if (add_leaf(g, x->leaves[i], l->onion, e) != 0) {
			return -1;
		} else {
			share -= bytes;
		}
	}
	return 0;
}

/* What lacks of a member in our list. */
static void
tell(const struct gather *g, const struct publish_site *s, const struct doc_member *m, const struct other *x)
{
	struct chain_seen seen = memory_head(g->memory, m, s->root.doc.epoch);

	/* Neither text names an address: both go into the log. */
	if (x->n_bad > 0)
		buf_addf(g->faults, "%zu addresses of member %s are left out: %s\n", x->n_bad, m->name, doc_reason_name(x->bad));
	if (x->n_excess > 0)
		buf_addf(g->faults, "%zu addresses of member %s are left out: they are more than its share of the list\n", x->n_excess, m->name);
	if (x->have)
		return;
	buf_addf(g->faults, "member %s has no head that readers would take: to them it is missing", m->name);
	if (seen.number > 0)
		buf_addf(g->faults, "; older ones than %llu are not handed on", (unsigned long long)seen.number);
	buf_adds(g->faults, "\n");
}

/* Heads and leaves, each member's within its share of what our own list leaves. */
static int
take_shares(struct gather *g, const struct publish_site *s, struct err *e)
{
	size_t wants[DOC_MEMBER_MAX], shares[DOC_MEMBER_MAX], head, i;
	struct publish_others *o = g->o;

	for (i = 0; i < DOC_MEMBER_MAX; i++)
		wants[i] = count_bytes(&g->others[i]);
	share_out(shares, wants, share_room(s, g->l, g->n_ours, o->n_peers));
	for (i = 0; i < s->cert.n_members; i++) {
		struct other *x = &g->others[i];

		if (&s->cert.members[i] == s->member)
			continue;
		head = x->have ? share_signed(&x->doc) : 0;
		if (head > shares[i]) {
			x->have = false;
			buf_addf(g->faults, "the head of member %s is left out: it is more than its share of the list\n", s->cert.members[i].name);
		}
		if (x->have) {
			o->heads[o->n_heads++] = x->doc;
			if (take_leaves(g, s, x, shares[i] - head, e) != 0)
				return -1;
		}
		tell(g, s, &s->cert.members[i], x);
	}
	return 0;
}

/* --- all of it ------------------------------------------------------------------------------- */

/* What is ours: the addresses that we list, and our tombstones. */
static int
take_ours(struct gather *g, const struct publish_site *s, struct err *e)
{
	const struct doc_leaf *leaf;
	enum doc_reason why;
	size_t i;

	g->onions = calloc(g->l->n_entries + 1, sizeof *g->onions);
	if (g->onions == NULL)
		return err_set(e, ERR_MEMORY, "out of memory");
	for (i = 0; i < g->l->n_entries; i++) {
		why = judged_find(&leaf, s, g->l->entries[i].leaf, strlen(g->l->entries[i].leaf));
		if (why != DOC_OK)
			return err_set(e, ERR_REFUSED, "leaf %zu does not verify: %s", i + 1, doc_reason_name(why));
		memcpy(g->onions[g->n_onions++], leaf->onion, sizeof leaf->onion);
	}
	g->n_own = g->n_onions;
	return tombstones_make(&g->ours, &g->n_ours, s, g->l, e);
}

static int
gather_all(struct gather *g, const struct publish_site *s, struct err *e)
{
	size_t i;

	if (take_ours(g, s, e) != 0)
		return -1;
	for (i = 0; i < g->o->n_sources; i++)
		take_heads(g, s, &g->o->sources[i]);
	return find_leaves(g, e) == 0 ? take_shares(g, s, e) : -1;
}

static void
gather_free(struct gather *g)
{
	size_t i;

	for (i = 0; i < DOC_MEMBER_MAX; i++) {
		doc_head_free(&g->others[i].head);
		free(g->others[i].leaves);
	}
	free(g->ours);
	free(g->onions);
	free(g);
}

int
publish_others_load(struct publish_others **out, const struct publish_site *s, const char *dir, const char *visible,
    const struct publish_list *l, struct publish_memory *memory, struct buf *faults, struct err *e)
{
	struct gather *g = calloc(1, sizeof *g);
	struct publish_others *o = calloc(1, sizeof *o);
	char folder[PATH_MAX];
	int r = -1;

	snprintf(folder, sizeof folder, "%s/peers", dir);
	if (g != NULL && o != NULL && (o->sources = calloc(OTHERS_FILES_MAX + 1, sizeof *o->sources)) != NULL) {
		*g = (struct gather){ .o = o, .l = l, .memory = memory, .faults = faults };
		if (s->cert.n_members > 1)
			read_sources(o, dir, visible, faults);
		/* Peers first: what they take of our head is not there for others. */
		if (peers_load(&o->peers, &o->n_peers, folder, s->root.site, l->now, faults, e) == 0)
			r = gather_all(g, s, e);
	} else {
		err_set(e, ERR_MEMORY, "out of memory");
	}
	if (g != NULL)
		gather_free(g);
	if (r == 0)
		*out = o;
	else
		publish_others_free(o);
	return r;
}

void
publish_others_free(struct publish_others *o)
{
	size_t i;

	if (o == NULL)
		return;
	for (i = 0; i < o->n_sources; i++)
		doc_bundle_free(&o->sources[i].bundle);
	free(o->sources);
	free(o->leaves);
	free(o->peers);
	free(o);
}
