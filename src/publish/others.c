/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Other members of the same root: their newest heads and leaves, out of bundles
 * that the operator put into a folder and out of our own visible bundle (so that
 * an older file never replaces a newer head). Whatever a reader would refuse is
 * left out here, because it would make him refuse our list with it.
 */
#include "config.h"
#include "publish/publish_impl.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LEAVES_MAX 1024

struct gather {
	struct publish_others *o;
	const struct publish_list *l;
	struct doc_tombstone *ours; /* owned, ascending by h */
	size_t n_ours;
	char (*onions)[ONION_ADDR_LEN + 1]; /* owned: those of `l`, then those of o->leaves */
	size_t n_onions;
	struct doc_head heads[DOC_MEMBER_MAX]; /* owned; parsed o->heads, tombstones ascending */
	uint8_t sha256[DOC_MEMBER_MAX][DOC_HASH_LEN];
	bool have[DOC_MEMBER_MAX]; /* by place in the members document */
	bool spoiled[DOC_MEMBER_MAX]; /* its newest head can't be handed on, and an older one would look like a rollback */
	struct doc_signed docs[DOC_MEMBER_MAX]; /* with the one signature that counts; points into the sources */
	size_t bad_leaves;
	struct err bad_leaf; /* the first one's reason */
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

/* Whether a head withdraws an address that we list now. */
static bool
withdraws_ours(const struct gather *g, const struct doc_head *h)
{
	size_t i;

	for (i = 0; i < g->n_onions; i++)
		if (chain_tombstone_find(h->tombstones, h->n_tombstones, g->onions[i]) != NULL)
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
	enum doc_reason why;
	size_t at;

	at = m != NULL ? (size_t)(m - s->cert.members) : 0;
	if (m == s->member || (m != NULL && g->spoiled[at]))
		return DOC_ROLLBACK; /* our own, in somebody's copy, is no news either */
	if (m != NULL && g->have[at]) {
		seen.number = g->heads[at].serial;
		memcpy(seen.sha256, g->sha256[at], DOC_HASH_LEN);
	}
	why = chain_head(h, &s->root, &s->cert, s->cert_sha256, doc, &seen, g->l->now, e);
	if (why != DOC_OK)
		return why;
	tombstones_sort(h->tombstones, h->n_tombstones);
	if (withdraws_ours(g, h)) {
		g->spoiled[at] = true;
		g->have[at] = false;
		return doc_fail(e, DOC_REVOKED, "the head of %s withdraws an address that we list", h->member);
	}
	doc_head_free(&g->heads[at]);
	g->heads[at] = *h;
	doc_hash(g->sha256[at], doc->doc.p, doc->doc.len);
	g->have[at] = true;
	g->docs[at] = with_good_sig(h, m, doc, g->sha256[at]);
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

static bool
is_listed(const struct gather *g, const struct doc_text *t)
{
	uint8_t hash[DOC_HASH_LEN];
	size_t i;

	doc_hash(hash, t->p, t->len);
	for (i = 0; i < DOC_MEMBER_MAX; i++)
		if (g->have[i] && doc_leaves_have((const uint8_t(*)[DOC_HASH_LEN])g->heads[i].leaves, g->heads[i].n_leaves, hash))
			return true;
	return false;
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

static enum doc_reason
judge_leaf(const struct gather *g, const struct publish_site *s, const struct doc_leaf *l, struct err *e)
{
	enum doc_reason why = chain_leaf(l, &s->root, g->ours, g->n_ours, g->l->now, e);
	size_t i;

	for (i = 0; why == DOC_OK && i < DOC_MEMBER_MAX; i++)
		if (g->have[i] && chain_tombstone_find(g->heads[i].tombstones, g->heads[i].n_tombstones, l->onion) != NULL)
			why = doc_fail(e, DOC_RETIRED, "withdrawn by member %s", g->heads[i].member);
	return why;
}

static void
take_leaves(struct gather *g, const struct publish_site *s, const struct other_source *src)
{
	struct publish_others *o = g->o;
	enum doc_reason why;
	struct doc_leaf l;
	size_t i;

	for (i = 0; i < src->bundle.n_leaves; i++) {
		const struct doc_text *t = &src->bundle.leaves[i];

		if (!is_listed(g, t))
			continue;
		if (o->n_leaves == LEAVES_MAX) {
			buf_addf(g->faults, "%s: more than %d addresses of other members, not all are taken\n", src->name, LEAVES_MAX);
			return;
		}
		why = doc_leaf_parse(&l, t->p, t->len, s->root.site, &g->bad_leaf);
		if (why == DOC_OK && is_known(g, l.onion))
			continue;
		if (why == DOC_OK)
			why = judge_leaf(g, s, &l, &g->bad_leaf);
		if (why != DOC_OK) {
			g->bad_leaves++;
			continue;
		}
		memcpy(g->onions[g->n_onions++], l.onion, sizeof l.onion);
		o->leaves[o->n_leaves++] = *t;
	}
}

/* What is ours: the addresses that we list, and our tombstones. */
static int
take_ours(struct gather *g, const struct publish_site *s, struct err *e)
{
	const struct doc_leaf *leaf;
	enum doc_reason why;
	size_t i;

	g->onions = calloc(g->l->n_entries + LEAVES_MAX, sizeof *g->onions);
	g->o->leaves = calloc(LEAVES_MAX, sizeof *g->o->leaves);
	if (g->onions == NULL || g->o->leaves == NULL)
		return err_set(e, ERR_MEMORY, "out of memory");
	for (i = 0; i < g->l->n_entries; i++) {
		why = judged_find(&leaf, s, g->l->entries[i].leaf, strlen(g->l->entries[i].leaf));
		if (why != DOC_OK)
			return err_set(e, ERR_REFUSED, "leaf %zu does not verify: %s", i + 1, doc_reason_name(why));
		memcpy(g->onions[g->n_onions++], leaf->onion, sizeof leaf->onion);
	}
	return tombstones_make(&g->ours, &g->n_ours, s, g->l, e);
}

static int
gather_all(struct gather *g, const struct publish_site *s, struct err *e)
{
	struct publish_others *o = g->o;
	size_t i;

	if (take_ours(g, s, e) != 0)
		return -1;
	for (i = 0; i < o->n_sources; i++)
		take_heads(g, s, &o->sources[i]);
	for (i = 0; i < o->n_sources; i++)
		take_leaves(g, s, &o->sources[i]);
	if (g->bad_leaves > 0)
		buf_addf(g->faults, "%zu addresses of other members are left out: %s\n", g->bad_leaves, g->bad_leaf.msg);
	for (i = 0; i < s->cert.n_members; i++) {
		if (g->have[i])
			o->heads[o->n_heads++] = g->docs[i];
		else if (&s->cert.members[i] != s->member)
			buf_addf(g->faults, "member %s has no head that readers would take: to them it is missing\n", s->cert.members[i].name);
	}
	return 0;
}

int
publish_others_load(struct publish_others **out, const struct publish_site *s, const char *dir, const char *visible,
    const struct publish_list *l, struct buf *faults, struct err *e)
{
	struct gather *g = calloc(1, sizeof *g);
	struct publish_others *o = calloc(1, sizeof *o);
	char folder[PATH_MAX];
	size_t i;
	int r = -1;

	snprintf(folder, sizeof folder, "%s/peers", dir);
	if (g != NULL && o != NULL && (o->sources = calloc(OTHERS_FILES_MAX + 1, sizeof *o->sources)) != NULL) {
		*g = (struct gather){ .o = o, .l = l, .faults = faults };
		if (s->cert.n_members > 1)
			read_sources(o, dir, visible, faults);
		if (gather_all(g, s, e) == 0)
			r = peers_load(&o->peers, &o->n_peers, folder, s->root.site, l->now, faults, e);
		for (i = 0; i < DOC_MEMBER_MAX; i++)
			doc_head_free(&g->heads[i]);
		free(g->ours);
		free(g->onions);
	} else {
		err_set(e, ERR_MEMORY, "out of memory");
	}
	free(g);
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
