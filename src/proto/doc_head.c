/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The head: what one member says is current. Leaf hashes, tombstones and cross-references.
 * A struct doc_head owns its three arrays.
 */
#include "config.h"
#include "proto/doc.h"

#include "proto/doc_json.h"

#include <stdlib.h>
#include <string.h>

static const struct doc_form form = { "head", "onionmirror/head/1", DOC_HEAD_MAX, DOC_VALUES_MAX, false };

void
doc_head_free(struct doc_head *h)
{
	free(h->leaves);
	free(h->tombstones);
	free(h->peers);
	memset(h, 0, sizeof *h);
}

/* Room for n elements, at least one so that NULL means failure. */
static void *
array_new(struct doc_fields *f, size_t n, size_t size)
{
	void *p = calloc(n > 0 ? n : 1, size);

	if (p == NULL && f->reason == DOC_OK)
		f->reason = doc_fail(f->e, DOC_NO_MEMORY, "head: no memory");
	return p;
}

static void
read_leaves(struct doc_fields *f, struct doc_head *h)
{
	const struct canon_value *list = doc_field_array(f, "leaves", SIZE_MAX);
	size_t i = 0, n;

	if (list == NULL || f->reason != DOC_OK)
		return;
	n = list->n;
	/* 16 * 2^k */
	if (n < 16 || (n & (n - 1)) != 0) {
		doc_field_bad(f, "leaves", "is not padded to 16, 32, 64 ...");
		return;
	}
	h->leaves = array_new(f, n, DOC_HASH_LEN);
	if (h->leaves == NULL)
		return;
	h->n_leaves = n;
	for (canon_each(v, list)) {
		if (doc_hex_of(v, h->leaves[i], DOC_HASH_LEN) != 0) {
			doc_field_bad(f, "leaves", "holds something that is no hash");
			return;
		}
		if (i > 0 && memcmp(h->leaves[i - 1], h->leaves[i], DOC_HASH_LEN) >= 0) {
			doc_field_bad(f, "leaves", "is not strictly ascending");
			return;
		}
		i++;
	}
}

static int
tombstone_cmp(const void *a, const void *b)
{
	const struct doc_tombstone *x = a, *y = b;

	return memcmp(x->h, y->h, DOC_HASH_LEN);
}

static void
read_tombstone(struct doc_fields *f, const struct canon_value *v, struct doc_tombstone *t)
{
	struct doc_fields sub = { v, "head tombstone", f->reason, f->e };
	char state[8] = "";

	if (v->type != CANON_OBJECT) {
		doc_field_bad(f, "tombstones", "holds something that is no object");
		return;
	}
	doc_field_hex(&sub, "h", t->h, DOC_HASH_LEN);
	doc_field_str(&sub, "state", 7, 7, state);
	doc_field_time(&sub, "since", &t->since);
	if (strcmp(state, "retired") == 0)
		t->state = DOC_STATE_RETIRED;
	else if (strcmp(state, "revoked") == 0)
		t->state = DOC_STATE_REVOKED;
	else
		doc_field_bad(&sub, "state", "is neither retired nor revoked");
	f->reason = sub.reason;
}

/* Each h once: found on a sorted copy, the document's order is free. */
static void
check_distinct(struct doc_fields *f, const struct doc_tombstone *list, size_t n)
{
	struct doc_tombstone *t;
	size_t i;

	if (n < 2)
		return;
	t = array_new(f, n, sizeof *t);
	if (t == NULL)
		return;
	memcpy(t, list, n * sizeof *t);
	qsort(t, n, sizeof *t, tombstone_cmp);
	for (i = 1; i < n; i++)
		if (memcmp(t[i - 1].h, t[i].h, DOC_HASH_LEN) == 0)
			doc_field_bad(f, "tombstones", "holds a hash twice");
	free(t);
}

void
doc_json_read_tombstones(struct doc_fields *f, struct doc_tombstone **out, size_t *n_out)
{
	const struct canon_value *list = doc_field_array(f, "tombstones", SIZE_MAX);
	struct doc_tombstone *t;

	if (list == NULL || f->reason != DOC_OK)
		return;
	t = *out = array_new(f, list->n, sizeof **out);
	if (*out == NULL)
		return;
	*n_out = list->n;
	for (canon_each(v, list))
		read_tombstone(f, v, t++);
	if (f->reason == DOC_OK)
		check_distinct(f, *out, list->n);
}

static void
read_peer(struct doc_fields *f, const struct canon_value *v, struct doc_peer *p)
{
	struct doc_fields sub = { v, "head peer", f->reason, f->e };

	if (v->type != CANON_OBJECT) {
		doc_field_bad(f, "peers", "holds something that is no object");
		return;
	}
	doc_field_hex(&sub, "site", p->site, DOC_HASH_LEN);
	doc_field_hex(&sub, "root_sha256", p->root_sha256, DOC_HASH_LEN);
	doc_field_hex(&sub, "head_sha256", p->head_sha256, DOC_HASH_LEN);
	doc_field_uint(&sub, "epoch", 1, &p->epoch);
	doc_field_uint(&sub, "serial", 1, &p->serial);
	doc_field_member(&sub, "member", p->member);
	f->reason = sub.reason;
}

static void
read_peers(struct doc_fields *f, struct doc_head *h)
{
	const struct canon_value *list = doc_field_array(f, "peers", SIZE_MAX);
	struct doc_peer *p;

	if (list == NULL || f->reason != DOC_OK)
		return;
	p = h->peers = array_new(f, list->n, sizeof *h->peers);
	if (p == NULL)
		return;
	h->n_peers = list->n;
	for (canon_each(v, list))
		read_peer(f, v, p++);
}

static void
read_prev(struct doc_fields *f, struct doc_head *h)
{
	struct doc_fields sub = { NULL, "head prev", f->reason, f->e };

	if (canon_get(f->obj, "prev") == NULL)
		return;
	sub.obj = doc_field(f, "prev", CANON_OBJECT);
	if (sub.obj == NULL)
		return;
	doc_field_uint(&sub, "serial", 1, &h->prev_serial);
	doc_field_hex(&sub, "sha256", h->prev_sha256, DOC_HASH_LEN);
	if (sub.reason == DOC_OK && h->prev_serial >= h->serial)
		doc_field_bad(&sub, "serial", "is not below the head's own");
	f->reason = sub.reason;
}

static enum doc_reason
read_fields(struct doc_head *h, const struct canon_value *v, const uint8_t *site, struct err *e)
{
	struct doc_fields f = { v, form.what, DOC_OK, e };

	doc_field_site(&f, site, h->site);
	if (f.reason != DOC_OK)
		return f.reason;
	doc_field_uint(&f, "epoch", 1, &h->epoch);
	doc_field_member(&f, "member", h->member);
	doc_field_uint(&f, "serial", 1, &h->serial);
	doc_field_uint(&f, "root_version", 1, &h->root_version);
	doc_field_uint(&f, "members_seq", 1, &h->members_seq);
	doc_field_hex(&f, "members_sha256", h->members_sha256, DOC_HASH_LEN);
	doc_field_time(&f, "issued", &h->issued);
	doc_field_time(&f, "fresh_until", &h->fresh_until);
	doc_field_time(&f, "valid_until", &h->valid_until);
	if (f.reason == DOC_OK && (h->fresh_until <= h->issued || h->valid_until < h->fresh_until))
		doc_field_bad(&f, "fresh_until", "is not after `issued` and up to `valid_until`");
	read_prev(&f, h);
	read_leaves(&f, h);
	doc_json_read_tombstones(&f, &h->tombstones, &h->n_tombstones);
	read_peers(&f, h);
	return f.reason;
}

enum doc_reason
doc_head_parse(struct doc_head *out, const char *text, size_t len, const uint8_t *site, struct err *e)
{
	struct doc_head h;
	enum doc_reason r;
	struct canon *v = NULL;

	r = doc_json_open(&v, &form, text, len, e);
	if (r != DOC_OK)
		return r;
	memset(&h, 0, sizeof h);
	r = read_fields(&h, canon_top(v), site, e);
	canon_free(v);
	if (r == DOC_OK)
		*out = h;
	else
		doc_head_free(&h);
	return r;
}

static int
hash_cmp(const void *a, const void *b)
{
	return memcmp(a, b, DOC_HASH_LEN);
}

static json_t *
leaves_json(const struct doc_head *h, bool *bad)
{
	uint8_t(*sorted)[DOC_HASH_LEN] = calloc(h->n_leaves + 1, DOC_HASH_LEN);
	json_t *list = json_array();
	size_t i;

	if (sorted == NULL) {
		*bad = true;
		return list;
	}
	if (h->n_leaves > 0)
		memcpy(sorted, h->leaves, h->n_leaves * DOC_HASH_LEN);
	qsort(sorted, h->n_leaves, DOC_HASH_LEN, hash_cmp);
	for (i = 0; i < h->n_leaves; i++)
		doc_json_append(list, doc_json_hex(sorted[i], DOC_HASH_LEN), bad);
	free(sorted);
	return list;
}

json_t *
doc_json_tombstones(const struct doc_tombstone *t, size_t n, bool *bad)
{
	struct doc_tombstone *sorted = calloc(n + 1, sizeof *sorted);
	json_t *list = json_array(), *o;
	size_t i;

	if (sorted == NULL) {
		*bad = true;
		return list;
	}
	if (n > 0)
		memcpy(sorted, t, n * sizeof *sorted);
	qsort(sorted, n, sizeof *sorted, tombstone_cmp);
	for (i = 0; i < n; i++) {
		o = json_object();
		doc_json_set(o, "h", doc_json_hex(sorted[i].h, DOC_HASH_LEN), bad);
		doc_json_set(o, "state", json_string(doc_state_name(sorted[i].state)), bad);
		doc_json_set(o, "since", doc_json_time(sorted[i].since), bad);
		doc_json_append(list, o, bad);
	}
	free(sorted);
	return list;
}

static json_t *
peers_json(const struct doc_head *h, bool *bad)
{
	json_t *list = json_array(), *o;
	size_t i;

	for (i = 0; i < h->n_peers; i++) {
		const struct doc_peer *p = &h->peers[i];

		o = json_object();
		doc_json_set(o, "site", doc_json_hex(p->site, DOC_HASH_LEN), bad);
		doc_json_set(o, "root_sha256", doc_json_hex(p->root_sha256, DOC_HASH_LEN), bad);
		doc_json_set(o, "head_sha256", doc_json_hex(p->head_sha256, DOC_HASH_LEN), bad);
		doc_json_set(o, "epoch", json_integer((json_int_t)p->epoch), bad);
		doc_json_set(o, "serial", json_integer((json_int_t)p->serial), bad);
		doc_json_set(o, "member", json_string(p->member), bad);
		doc_json_append(list, o, bad);
	}
	return list;
}

static json_t *
prev_json(const struct doc_head *h, bool *bad)
{
	json_t *o = json_object();

	doc_json_set(o, "serial", json_integer((json_int_t)h->prev_serial), bad);
	doc_json_set(o, "sha256", doc_json_hex(h->prev_sha256, DOC_HASH_LEN), bad);
	return o;
}

int
doc_head_write(char **out, size_t *len, const struct doc_head *h, struct err *e)
{
	json_t *o = json_object();
	struct doc_head again = { 0 };
	enum doc_reason r;
	bool bad = false;
	char *text;
	size_t n;

	doc_json_set(o, "type", json_string(form.type), &bad);
	doc_json_set(o, "site", doc_json_hex(h->site, DOC_HASH_LEN), &bad);
	doc_json_set(o, "epoch", json_integer((json_int_t)h->epoch), &bad);
	doc_json_set(o, "member", json_string(h->member), &bad);
	doc_json_set(o, "serial", json_integer((json_int_t)h->serial), &bad);
	doc_json_set(o, "root_version", json_integer((json_int_t)h->root_version), &bad);
	doc_json_set(o, "members_seq", json_integer((json_int_t)h->members_seq), &bad);
	doc_json_set(o, "members_sha256", doc_json_hex(h->members_sha256, DOC_HASH_LEN), &bad);
	doc_json_set(o, "issued", doc_json_time(h->issued), &bad);
	doc_json_set(o, "fresh_until", doc_json_time(h->fresh_until), &bad);
	doc_json_set(o, "valid_until", doc_json_time(h->valid_until), &bad);
	doc_json_set(o, "leaves", leaves_json(h, &bad), &bad);
	doc_json_set(o, "tombstones", doc_json_tombstones(h->tombstones, h->n_tombstones, &bad), &bad);
	doc_json_set(o, "peers", peers_json(h, &bad), &bad);
	if (h->prev_serial > 0)
		doc_json_set(o, "prev", prev_json(h, &bad), &bad);
	if (doc_json_finish(&text, &n, o, bad, e) != 0)
		return -1;
	r = doc_head_parse(&again, text, n, NULL, e);
	doc_head_free(&again);
	return doc_write_checked(out, len, text, n, r, e);
}
