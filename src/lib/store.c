/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A reader's memory as text: canonical JSON `onionmirror/store/1` with `site`, `pinned` (0 or 1),
 * `roots`, `members`, `heads` (as in a bundle, heads with their `key`), `leaves` (of the mirrors, with
 * the `member` whose head lists them), `tombstones`, `evidence` (pairs of texts). The epoch is the
 * last root's, a head's serial is in its text.
 */
#include "config.h"
#include "lib/site.h"

#include <stdlib.h>
#include <string.h>

static const struct doc_form form = {
	"store", "onionmirror/store/1", (size_t)256 * 1024 * 1024, (size_t)1 << 24, true
};

static void
set_borrowed(json_t *obj, const char *name, json_t *value, bool *bad)
{
	doc_json_set(obj, name, json_incref(value), bad);
}

static json_t *
heads_json(const om_site *s, bool *bad)
{
	json_t *list = json_array(), *o;
	size_t i;

	for (i = 0; i < s->n_heads; i++) {
		o = json_copy(s->heads[i]->kept.entry);
		doc_json_set(o, "key", doc_json_hex(s->heads[i]->key, DOC_KEY_LEN), bad);
		doc_json_append(list, o, bad);
	}
	return list;
}

static json_t *
leaves_json(const om_site *s, bool *bad)
{
	json_t *list = json_array(), *o;
	size_t i;

	for (i = 0; i < s->n_mirrors; i++) {
		o = json_object();
		doc_json_set(o, "doc", json_stringn(s->mirrors[i].text, s->mirrors[i].len), bad);
		doc_json_set(o, "member", json_string(s->mirrors[i].member), bad);
		doc_json_append(list, o, bad);
	}
	return list;
}

static json_t *
evidence_json(const om_site *s, bool *bad)
{
	json_t *list = json_array(), *pair;
	size_t i;

	for (i = 0; i < s->n_evidence; i++) {
		pair = json_array();
		doc_json_append(pair, json_string(s->evidence[i].text[0]), bad);
		doc_json_append(pair, json_string(s->evidence[i].text[1]), bad);
		doc_json_append(list, pair, bad);
	}
	return list;
}

int
om_site_save(const om_site *s, char **text, size_t *len, om_error *error)
{
	json_t *o = json_object(), *roots = json_array();
	struct err e = ERR_INIT;
	bool bad = false;
	size_t i;

	for (i = 0; i < s->n_roots; i++)
		doc_json_append(roots, json_incref(s->roots[i].entry), &bad);
	doc_json_set(o, "type", json_string(form.type), &bad);
	doc_json_set(o, "pinned", json_integer(s->pinned ? 1 : 0), &bad);
	doc_json_set(o, "roots", roots, &bad);
	doc_json_set(o, "heads", heads_json(s, &bad), &bad);
	doc_json_set(o, "leaves", leaves_json(s, &bad), &bad);
	doc_json_set(o, "tombstones", doc_json_tombstones(s->tombstones, s->n_tombstones, &bad), &bad);
	doc_json_set(o, "evidence", evidence_json(s, &bad), &bad);
	if (s->id[0] != '\0')
		doc_json_set(o, "site", doc_json_hex(s->site, DOC_HASH_LEN), &bad);
	if (s->members_kept.entry != NULL)
		set_borrowed(o, "members", s->members_kept.entry, &bad);
	if (doc_json_finish(text, len, o, bad, &e) != 0)
		return site_error(error, OM_NO_MEMORY, e.msg);
	return 0;
}

/* Roots are judged again: they hang on the site id, so a swapped file can't change whose list this is. */
static void
load_roots(struct doc_fields *f, om_site *s)
{
	const struct canon_value *list = doc_field_array(f, "roots", SIZE_MAX);
	struct doc_signed d;
	struct chain_root next;

	for (canon_each(v, list)) {
		if (f->reason != DOC_OK)
			return;
		memset(&d, 0, sizeof d);
		doc_json_read_signed(f, v, &d);
		if (f->reason == DOC_OK)
			f->reason = chain_root_next(&next, s->n_roots > 0 ? &s->root : NULL, s->site, &d, f->e);
		if (f->reason == DOC_OK && site_add_root(s, &next, site_keep(&d)) != DOC_OK)
			f->reason = DOC_NO_MEMORY;
		free((void *)(uintptr_t)d.sigs);
	}
}

static void
load_members(struct doc_fields *f, om_site *s)
{
	const struct canon_value *v = canon_get(f->obj, "members");
	struct doc_members *m = NULL;
	uint8_t sha256[DOC_HASH_LEN];
	struct doc_signed d = { 0 };
	json_t *entry = NULL;

	if (v == NULL || f->reason != DOC_OK)
		return;
	doc_json_read_signed(f, v, &d);
	if (f->reason != DOC_OK)
		goto out;
	m = calloc(1, sizeof *m);
	entry = site_keep(&d);
	if (m == NULL || entry == NULL) {
		f->reason = DOC_NO_MEMORY;
		goto out;
	}
	f->reason = doc_members_parse(m, d.doc.p, d.doc.len, s->site, f->e);
	if (f->reason == DOC_OK && m->epoch != s->root.doc.epoch)
		doc_field_bad(f, "members", "is of another epoch");
	if (f->reason == DOC_OK) {
		doc_hash(sha256, d.doc.p, d.doc.len);
		site_set_members(s, m, sha256, entry);
		entry = NULL;
	}
out:
	json_decref(entry);
	free(m);
	free((void *)(uintptr_t)d.sigs);
}

static void
load_head(struct doc_fields *f, const struct canon_value *v, om_site *s)
{
	uint8_t sha256[DOC_HASH_LEN], key[DOC_KEY_LEN];
	struct doc_fields sub = { v, "store head", f->reason, f->e };
	struct doc_signed d = { 0 };
	struct doc_head h = { 0 };

	doc_json_read_signed(f, v, &d);
	sub.reason = f->reason;
	if (sub.reason == DOC_OK)
		doc_field_hex(&sub, "key", key, DOC_KEY_LEN);
	if (sub.reason == DOC_OK)
		sub.reason = doc_head_parse(&h, d.doc.p, d.doc.len, s->site, f->e);
	if (sub.reason == DOC_OK && h.epoch != s->root.doc.epoch)
		doc_field_bad(&sub, "doc", "is of another epoch");
	if (sub.reason == DOC_OK && site_find_head(s, h.member, key) != NULL)
		doc_field_bad(&sub, "doc", "is there twice");
	if (sub.reason == DOC_OK) {
		doc_hash(sha256, d.doc.p, d.doc.len);
		sub.reason = site_set_head(s, &h, key, sha256, site_keep(&d));
	}
	f->reason = sub.reason;
	doc_head_free(&h);
	free((void *)(uintptr_t)d.sigs);
}

/* One mirror. Its leaf passed when it came; address and possession are looked at again when it is picked. */
static void
load_leaf(struct doc_fields *f, const struct canon_value *v, om_site *s)
{
	struct doc_fields sub = { v, "store leaf", f->reason, f->e };
	struct om_mirror *m = &s->mirrors[s->n_mirrors];
	char name[DOC_MEMBER_LEN + 1] = "";
	const struct kept_head *h = NULL;
	const struct doc_member *member;
	const struct canon_value *doc;
	struct doc_text text;

	doc = doc_field(&sub, "doc", CANON_STRING);
	doc_field_member(&sub, "member", name);
	if (sub.reason == DOC_OK) {
		member = chain_member_find(&s->members, name);
		h = member != NULL ? site_find_head(s, name, member->key) : NULL;
		if (h == NULL)
			doc_field_bad(&sub, "member", "has no head here");
	}
	if (sub.reason == DOC_OK) {
		text = (struct doc_text){ doc->text, doc->n };
		sub.reason = doc_leaf_parse_known(&m->leaf, text.p, text.len, s->site, f->e);
		doc_hash(m->hash, text.p, text.len);
	}
	if (sub.reason == DOC_OK)
		sub.reason = site_place_mirror(m, &text, h);
	if (sub.reason == DOC_OK)
		s->n_mirrors++;
	f->reason = sub.reason;
}

static void
load_leaves(struct doc_fields *f, om_site *s)
{
	const struct canon_value *list = f->reason == DOC_OK ? doc_field_array(f, "leaves", DOC_VALUES_MAX) : NULL;

	if (list == NULL)
		return;
	s->mirrors = calloc(list->n + 1, sizeof *s->mirrors);
	if (s->mirrors == NULL)
		f->reason = DOC_NO_MEMORY;
	for (canon_each(v, list))
		if (f->reason == DOC_OK)
			load_leaf(f, v, s);
	/* What its head does not list, or a tombstone names, is no mirror. */
	site_prune_mirrors(s);
}

static void
load_evidence(struct doc_fields *f, om_site *s)
{
	const struct canon_value *list = doc_field_array(f, "evidence", SITE_EVIDENCE_MAX);
	char *known, *later;
	enum doc_reason r;

	for (canon_each(v, list)) {
		/* A pair of texts holds nothing more: it spans itself and the two. */
		if (v->type != CANON_ARRAY || v->n != 2 || v->span != 3 || v[1].type != CANON_STRING || v[2].type != CANON_STRING) {
			doc_field_bad(f, "evidence", "holds something that is no pair of texts");
			return;
		}
		known = strdup(v[1].text);
		later = strdup(v[2].text);
		r = site_add_evidence(s, known, later);
		if (r == DOC_NO_MEMORY)
			f->reason = r;
		else if (r != DOC_OK)
			doc_field_bad(f, "evidence", "holds texts that are no signed documents");
		if (r != DOC_OK)
			return;
	}
}

/* Fills a new site from the parsed store. `pinned`: the caller named the site, s->site is set. */
static void
load_all(struct doc_fields *f, om_site *s)
{
	struct doc_tombstone *t = NULL;
	const struct canon_value *heads;
	uint8_t site[DOC_HASH_LEN];
	uint64_t pinned = 0;
	size_t n = 0;

	doc_field_uint(f, "pinned", 0, &pinned);
	if (canon_get(f->obj, "site") != NULL)
		doc_field_site(f, s->pinned ? s->site : NULL, site);
	else if (f->reason == DOC_OK && canon_get(f->obj, "roots") != NULL && canon_get(f->obj, "roots")->n > 0)
		doc_field_bad(f, "site", "is missing");
	else
		memcpy(site, s->site, DOC_HASH_LEN);
	if (f->reason != DOC_OK)
		return;
	if (canon_get(f->obj, "site") != NULL) {
		site_identify(s, site);
		s->pinned = s->pinned || pinned != 0;
	}
	load_roots(f, s);
	load_members(f, s);
	heads = f->reason == DOC_OK ? doc_field_array(f, "heads", SIZE_MAX) : NULL;
	for (canon_each(v, heads))
		if (f->reason == DOC_OK)
			load_head(f, v, s);
	doc_json_read_tombstones(f, &t, &n);
	if (f->reason == DOC_OK)
		f->reason = site_merge_tombstones(s, t, n);
	free(t);
	load_leaves(f, s);
	if (f->reason == DOC_OK)
		load_evidence(f, s);
	site_reset_members(s);
}

int
om_site_load(om_site **out, const char *site_id, const void *bytes, size_t len, om_error *error)
{
	struct err e = ERR_INIT;
	struct doc_fields f = { NULL, form.what, DOC_OK, &e };
	om_site *s = NULL;
	struct canon *v = NULL;

	if (out == NULL || bytes == NULL)
		return site_error(error, OM_BAD_ARGUMENT, "no bytes");
	if (om_site_open(&s, site_id, error) != 0)
		return -1;
	f.reason = doc_json_open(&v, &form, bytes, len, &e);
	if (f.reason == DOC_OK) {
		f.obj = canon_top(v);
		load_all(&f, s);
	}
	canon_free(v);
	if (f.reason != DOC_OK) {
		om_site_close(s);
		return site_error(error, (om_reason)f.reason, e.msg);
	}
	*out = s;
	return 0;
}
