/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A reader's memory of one site: what it owns and the few ways in which it changes. Judging documents
 * is in feed.c and leaves.c, contradictions in evidence.c, writing it down in store.c, questions about it in query.c.
 */
#include "config.h"
#include "lib/site.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Static_assert((int)OM_NO_MEMORY == (int)DOC_NO_MEMORY && (int)OM_BAD_ARGUMENT == (int)DOC__COUNT &&
                   (int)OM_BAD_POSSESSION == (int)DOC_BAD_POSSESSION,
    "om_reason and doc_reason have the same numbers");
_Static_assert(OM_SITE_ID_LEN == DOC_SITE_TEXT_LEN, "one length of site ids");

int
site_error(om_error *out, om_reason reason, const char *detail)
{
	if (out != NULL) {
		out->reason = reason;
		snprintf(out->detail, sizeof out->detail, "%s", detail);
	}
	return -1;
}

json_t *
site_keep(const struct doc_signed *s)
{
	bool bad = false;
	json_t *v = doc_json_signed(s, &bad);

	if (!bad)
		return v;
	json_decref(v);
	return NULL;
}

void
site_identify(om_site *s, const uint8_t site[DOC_HASH_LEN])
{
	memcpy(s->site, site, DOC_HASH_LEN);
	doc_site_format(s->id, site);
}

static void
head_free(struct kept_head *h)
{
	json_decref(h->kept.entry);
	doc_head_free(&h->doc);
	free(h);
}

void
site_free_mirrors(struct om_mirror *list, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		free(list[i].text);
	free(list);
}

void
site_set_mirrors(om_site *s, struct om_mirror *list, size_t n)
{
	site_free_mirrors(s->mirrors, s->n_mirrors);
	s->mirrors = list;
	s->n_mirrors = n;
}

/* A rise of the epoch: what belonged to the old one goes. Evidence stays. */
static void
clear_epoch(om_site *s)
{
	size_t i;

	for (i = 0; i < s->n_heads; i++)
		head_free(s->heads[i]);
	free(s->heads);
	s->heads = NULL;
	s->n_heads = 0;
	free(s->tombstones);
	s->tombstones = NULL;
	s->n_tombstones = 0;
	site_set_mirrors(s, NULL, 0);
	json_decref(s->members_kept.entry);
	memset(&s->members_kept, 0, sizeof s->members_kept);
	memset(&s->members, 0, sizeof s->members);
}

enum doc_reason
site_add_root(om_site *s, const struct chain_root *root, json_t *entry)
{
	struct kept *more = entry != NULL ? reallocarray(s->roots, s->n_roots + 1, sizeof *more) : NULL;

	if (more == NULL) {
		json_decref(entry);
		return DOC_NO_MEMORY;
	}
	if (s->n_roots == 0)
		site_identify(s, root->site);
	else if (root->doc.epoch > s->root.doc.epoch)
		clear_epoch(s);
	s->roots = more;
	more[s->n_roots].entry = entry;
	memcpy(more[s->n_roots].sha256, root->sha256, DOC_HASH_LEN);
	s->n_roots++;
	s->root = *root;
	return DOC_OK;
}

void
site_set_members(om_site *s, const struct doc_members *m, const uint8_t sha256[DOC_HASH_LEN], json_t *entry)
{
	json_decref(s->members_kept.entry);
	s->members_kept.entry = entry;
	memcpy(s->members_kept.sha256, sha256, DOC_HASH_LEN);
	s->members = *m;
}

static int
tombstone_cmp(const void *a, const void *b)
{
	return memcmp(((const struct doc_tombstone *)a)->h, ((const struct doc_tombstone *)b)->h, DOC_HASH_LEN);
}

enum doc_reason
site_merge_tombstones(om_site *s, const struct doc_tombstone *t, size_t n)
{
	struct doc_tombstone *all, *old;
	size_t i, have = s->n_tombstones;

	if (n == 0)
		return DOC_OK;
	all = calloc(have + n, sizeof *all);
	if (all == NULL)
		return DOC_NO_MEMORY;
	if (have > 0)
		memcpy(all, s->tombstones, have * sizeof *all);
	for (i = 0; i < n; i++) {
		old = s->n_tombstones > 0 ? bsearch(&t[i], all, s->n_tombstones, sizeof *all, tombstone_cmp) : NULL;
		if (old == NULL)
			all[have++] = t[i];
		else if (old->state == DOC_STATE_RETIRED && t[i].state == DOC_STATE_REVOKED)
			*old = t[i];
	}
	/* The new ones are behind the old, which alone were searched: each h is once in t. */
	qsort(all, have, sizeof *all, tombstone_cmp);
	free(s->tombstones);
	s->tombstones = all;
	s->n_tombstones = have;
	return DOC_OK;
}

struct kept_head *
site_find_head(const om_site *s, const char *member, const uint8_t key[DOC_KEY_LEN])
{
	size_t i;

	for (i = 0; i < s->n_heads; i++)
		if (strcmp(s->heads[i]->doc.member, member) == 0 &&
		    memcmp(s->heads[i]->key, key, DOC_KEY_LEN) == 0)
			return s->heads[i];
	return NULL;
}

enum doc_reason
site_set_head(om_site *s, struct doc_head *head, const uint8_t key[DOC_KEY_LEN], const uint8_t sha256[DOC_HASH_LEN],
    json_t *entry)
{
	struct kept_head *h = site_find_head(s, head->member, key), **more, *fresh = NULL;

	if (entry == NULL)
		return DOC_NO_MEMORY;
	if (h == NULL) {
		fresh = calloc(1, sizeof *fresh);
		more = fresh != NULL ? reallocarray(s->heads, s->n_heads + 1, sizeof(struct kept_head *)) : NULL;
		if (more == NULL)
			goto no_memory;
		s->heads = more;
	}
	if (site_merge_tombstones(s, head->tombstones, head->n_tombstones) != DOC_OK)
		goto no_memory;
	if (h == NULL) {
		h = fresh;
		memcpy(h->key, key, DOC_KEY_LEN);
		s->heads[s->n_heads++] = h;
	}
	json_decref(h->kept.entry);
	h->kept.entry = entry;
	memcpy(h->kept.sha256, sha256, DOC_HASH_LEN);
	doc_head_free(&h->doc);
	h->doc = *head;
	memset(head, 0, sizeof *head);
	return DOC_OK;
no_memory:
	free(fresh);
	json_decref(entry);
	return DOC_NO_MEMORY;
}

void
site_reset_members(om_site *s)
{
	const struct kept_head *h;
	struct om_member *m;
	size_t i;

	for (i = 0; i < s->members.n_members; i++) {
		m = &s->member_view[i];
		memset(m, 0, sizeof *m);
		m->doc = &s->members.members[i];
		m->status = DOC_MISSING;
		h = site_find_head(s, m->doc->name, m->doc->key);
		if (h != NULL) {
			m->serial = h->doc.serial;
			m->issued = h->doc.issued;
			m->fresh_until = h->doc.fresh_until;
			m->valid_until = h->doc.valid_until;
		}
	}
}

static int64_t
earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

enum doc_reason
site_place_mirror(struct om_mirror *m, const struct doc_text *text, const struct kept_head *h)
{
	m->text = malloc(text->len + 1);
	if (m->text == NULL)
		return DOC_NO_MEMORY;
	memcpy(m->text, text->p, text->len);
	m->text[text->len] = '\0';
	m->len = text->len;
	snprintf(m->host, sizeof m->host, "%s.onion", m->leaf.onion);
	memcpy(m->member, h->doc.member, sizeof m->member);
	memcpy(m->key, h->key, DOC_KEY_LEN);
	return DOC_OK;
}

/* The first end of what vouches for a mirror, as the documents in force now say; a root's newer limits bound what is older. */
static int64_t
mirror_end(const om_site *s, const struct om_mirror *m, const struct doc_member *member, const struct doc_head *h)
{
	const struct doc_limits *limits = &s->root.doc.limits;
	int64_t end = earlier(m->leaf.until, earlier(s->members.expires, s->root.doc.expires));

	end = earlier(end, chain_bound(s->members.issued, limits->member_days, CHAIN_DAY));
	end = earlier(end, earlier(member->not_after, chain_bound(member->not_before, limits->member_days, CHAIN_DAY)));
	end = earlier(end, earlier(h->valid_until, chain_bound(h->issued, limits->head_hours, CHAIN_HOUR)));
	return earlier(end, earlier(m->leaf.possession_not_after,
	    chain_bound(m->leaf.possession_not_before, limits->possession_days, CHAIN_DAY)));
}

/* Whether it still stands; if so, also until when. */
static bool
mirror_stands(const om_site *s, struct om_mirror *m)
{
	const struct doc_member *member = chain_member_find(&s->members, m->member);
	const struct kept_head *h = site_find_head(s, m->member, m->key);

	if (member == NULL || memcmp(member->key, m->key, DOC_KEY_LEN) != 0 || h == NULL)
		return false;
	if (chain_tombstone_find(s->tombstones, s->n_tombstones, m->leaf.onion) != NULL)
		return false;
	if (!doc_leaves_have((const uint8_t(*)[DOC_HASH_LEN])h->doc.leaves, h->doc.n_leaves, m->hash))
		return false;
	m->valid_until = mirror_end(s, m, member, &h->doc);
	return true;
}

void
site_prune_mirrors(om_site *s)
{
	size_t i, n = 0;

	for (i = 0; i < s->n_mirrors; i++)
		if (mirror_stands(s, &s->mirrors[i]))
			s->mirrors[n++] = s->mirrors[i];
		else
			free(s->mirrors[i].text);
	s->n_mirrors = n;
}

int
om_site_open(om_site **out, const char *site_id, om_error *error)
{
	uint8_t site[DOC_HASH_LEN];
	om_site *s;

	if (out == NULL || (site_id != NULL && doc_site_parse(site, site_id) != 0))
		return site_error(error, OM_BAD_ARGUMENT, "not a site id: it is om1 and 52 characters");
	if (sodium_init() < 0)
		return site_error(error, OM_NO_MEMORY, "libsodium can't start");
	s = calloc(1, sizeof *s);
	if (s == NULL)
		return site_error(error, OM_NO_MEMORY, "");
	if (site_id != NULL) {
		site_identify(s, site);
		s->pinned = true;
	}
	*out = s;
	return 0;
}

void
om_site_close(om_site *s)
{
	size_t i;

	if (s == NULL)
		return;
	clear_epoch(s);
	for (i = 0; i < s->n_roots; i++)
		json_decref(s->roots[i].entry);
	free(s->roots);
	site_free_evidence(s);
	free(s);
}
