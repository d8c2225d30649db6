/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Feeding a bundle: the walk of onionmirror-list(5), "VERIFYING", with a
 * reader's memory. Each document that passes is remembered at once; the first that doesn't names the
 * reason for the whole bundle. Mirrors are collected aside and take the old ones' place at the end.
 */
#include "config.h"
#include "lib/feed.h"

#include <stdlib.h>
#include <string.h>

#define NOW_MAX INT64_C(253402300799) /* the last second of 9999 */

enum doc_reason
feed_no_memory(struct feed *f)
{
	return doc_fail(&f->err, DOC_NO_MEMORY, "no memory to remember a document");
}

/* Remembers the root at place i of the bundle unless it was known. */
static enum doc_reason
keep_root(struct feed *f, size_t i, const struct chain_root *root)
{
	if (i < f->site->n_roots)
		return DOC_OK;
	return site_add_root(f->site, root, site_keep(&f->bundle->roots[i])) == DOC_OK ? DOC_OK : feed_no_memory(f);
}

/*
 * Walks the chain. A root is kept when its successor is looked at; the last
 * one only after its expiry was judged too.
 */
static enum doc_reason
feed_roots(struct feed *f)
{
	om_site *s = f->site;
	const uint8_t *pin = s->id[0] != '\0' ? s->site : NULL;
	size_t i, n = f->bundle->n_roots, known = s->n_roots;
	struct chain_root prev = { 0 }, cur, next;
	enum doc_reason r;

	for (i = 0; i < n; i++) {
		r = chain_root_next(&next, i > 0 ? &cur : NULL, pin, &f->bundle->roots[i], &f->err);
		if (r != DOC_OK)
			return r;
		if (i > 0)
			prev = cur;
		cur = next;
		if (i < known && memcmp(cur.sha256, s->roots[i].sha256, DOC_HASH_LEN) != 0) {
			site_add_forked_root(s, i > 0 ? &prev : NULL, &cur, &f->bundle->roots[i]);
			return doc_fail(&f->err, DOC_FORK, "another root %zu is known", i + 1);
		}
		if (i + 1 == n) {
			if (n < known)
				return doc_fail(&f->err, DOC_ROLLBACK, "%zu roots, but %zu are known", n, known);
			r = chain_root_expiry(&cur, f->now, &f->err);
			if (r != DOC_OK)
				return r;
		}
		r = keep_root(f, i, &cur);
		if (r != DOC_OK)
			return r;
	}
	return DOC_OK;
}

static enum doc_reason
feed_members(struct feed *f)
{
	om_site *s = f->site;
	struct doc_members *m = calloc(1, sizeof *m);
	struct chain_seen seen = { s->members.seq, { 0 } };
	uint8_t sha256[DOC_HASH_LEN];
	enum doc_reason r;
	json_t *entry;

	if (m == NULL)
		return feed_no_memory(f);
	memcpy(seen.sha256, s->members_kept.sha256, DOC_HASH_LEN);
	r = chain_members(m, sha256, &s->root, &f->bundle->members, s->members_kept.entry != NULL ? &seen : NULL, f->now,
	    &f->err);
	if (r == DOC_FORK)
		site_add_forked_members(s, &f->bundle->members);
	if (r == DOC_OK) {
		entry = site_keep(&f->bundle->members);
		if (entry != NULL) {
			site_set_members(s, m, sha256, entry);
			site_reset_members(s);
		} else
			r = feed_no_memory(f);
	}
	free(m);
	return r;
}

/* Judges a head that parsed, and remembers it if it passes: *h is then empty. */
static enum doc_reason
judge_head(struct feed *f, struct doc_head *h, const struct doc_signed *d, struct err *e)
{
	om_site *s = f->site;
	const struct doc_member *m = chain_member_find(&s->members, h->member);
	const struct kept_head *known = m != NULL ? site_find_head(s, m->name, m->key) : NULL;
	struct chain_seen seen = { 0 };
	uint8_t sha256[DOC_HASH_LEN];
	enum doc_reason r;

	if (known != NULL) {
		seen.number = known->doc.serial;
		memcpy(seen.sha256, known->kept.sha256, DOC_HASH_LEN);
	}
	r = chain_head(h, &s->root, &s->members, s->members_kept.sha256, d, &seen, f->now, e);
	if (r == DOC_FORK && known != NULL)
		site_add_forked_head(s, known, h, d);
	if (r != DOC_OK)
		return r;
	doc_hash(sha256, d->doc.p, d->doc.len);
	if (known == NULL || memcmp(sha256, known->kept.sha256, DOC_HASH_LEN) != 0) {
		if (site_set_head(s, h, m->key, sha256, site_keep(d)) != DOC_OK)
			return doc_fail(e, DOC_NO_MEMORY, "no memory to remember a head");
		known = site_find_head(s, m->name, m->key);
	} else
		doc_head_free(h);
	f->live[f->n_live++] = known;
	return DOC_OK;
}

static void
note_member(struct feed *f, const struct doc_member *m, enum doc_reason status)
{
	struct om_member *view = &f->site->member_view[m - f->site->members.members];
	const struct kept_head *h;

	view->status = status;
	h = site_find_head(f->site, m->name, m->key);
	if (h == NULL)
		return;
	view->serial = h->doc.serial;
	view->issued = h->doc.issued;
	view->fresh_until = h->doc.fresh_until;
	view->valid_until = h->doc.valid_until;
}

/*
 * A head that is late, or older than this reader's own memory or in contradiction to it, spoils nobody
 * else's list: whoever hands on another member's head can't know what each reader has seen.
 */
static bool
counts_as_missing(const struct feed *f, const struct doc_head *h, enum doc_reason r)
{
	if (r == DOC_EXPIRED || r == DOC_NOT_YET_VALID)
		return true;
	/* An older epoch contradicts the bundle's own root, not our memory. */
	return (r == DOC_ROLLBACK || r == DOC_FORK) && h->epoch == f->site->root.doc.epoch;
}

static enum doc_reason
feed_head(struct feed *f, const struct doc_signed *d)
{
	const struct doc_members *members = &f->site->members;
	const struct doc_member *m;
	struct err err = ERR_INIT;
	struct doc_head h;
	enum doc_reason r;

	r = doc_head_parse(&h, d->doc.p, d->doc.len, f->site->site, &f->err);
	if (r != DOC_OK)
		return r;
	m = chain_member_find(members, h.member);
	if (m != NULL && f->seen[m - members->members]) {
		r = doc_fail(&f->err, DOC_MALFORMED, "bundle: two heads of %s", h.member);
		doc_head_free(&h);
		return r;
	}
	if (m != NULL)
		f->seen[m - members->members] = true;
	r = judge_head(f, &h, d, &err);
	if (m != NULL)
		note_member(f, m, r);
	if (counts_as_missing(f, &h, r)) {
		if (f->n_late == 0) {
			f->first_late = r;
			f->first_late_err = err;
		}
		f->late[f->n_late++] = h;
		return DOC_OK;
	}
	doc_head_free(&h);
	if (r != DOC_OK)
		f->err = err;
	return r;
}

static enum doc_reason
feed_heads(struct feed *f)
{
	enum doc_reason r;
	size_t i;

	for (i = 0; i < f->bundle->n_heads; i++) {
		r = feed_head(f, &f->bundle->heads[i]);
		if (r != DOC_OK)
			return r;
	}
	if (f->n_live > 0)
		return DOC_OK;
	if (f->n_late > 0) {
		f->err = f->first_late_err;
		return f->first_late;
	}
	return doc_fail(&f->err, DOC_NOT_LISTED, "the bundle has no head");
}

static enum doc_reason
feed_all(struct feed *f)
{
	enum doc_reason r = feed_roots(f);

	if (r == DOC_OK)
		r = feed_members(f);
	if (r == DOC_OK)
		r = feed_heads(f);
	if (r == DOC_OK)
		r = feed_leaves(f);
	return r;
}

bool
site_can_feed(const om_site *s, const void *bytes, int64_t now)
{
	return s != NULL && bytes != NULL && now >= 0 && now <= NOW_MAX;
}

int
site_feed(om_site *s, const struct doc_bundle *b, enum doc_reason r, const struct err *e, int64_t now, om_error *error)
{
	struct feed *f = calloc(1, sizeof *f);
	size_t i;

	if (f == NULL)
		return site_error(error, OM_NO_MEMORY, "");
	f->site = s;
	f->now = now;
	f->bundle = b;
	f->err = *e;
	s->fork = FORK_NONE;
	if (r == DOC_OK)
		r = feed_all(f);
	if (r == DOC_OK) {
		feed_standing(f);
		site_set_mirrors(s, f->mirrors, f->n_mirrors);
	} else {
		site_free_mirrors(f->mirrors, f->n_mirrors);
		site_error(error, (om_reason)r, f->err.msg);
	}
	site_prune_mirrors(s);
	for (i = 0; i < f->n_late; i++)
		doc_head_free(&f->late[i]);
	free(f);
	return r == DOC_OK ? 0 : -1;
}

int
om_site_feed_bundle(om_site *s, const void *bytes, size_t len, int64_t now, om_error *error)
{
	struct doc_bundle b = { 0 };
	struct err e = ERR_INIT;
	enum doc_reason r;
	int ret;

	if (!site_can_feed(s, bytes, now))
		return site_error(error, OM_BAD_ARGUMENT, "no site, no bytes or no such time");
	r = doc_bundle_parse(&b, bytes, len, &e);
	ret = site_feed(s, &b, r, &e, now, error);
	doc_bundle_free(&b);
	return ret;
}
