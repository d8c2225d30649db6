/* SPDX-License-Identifier: BSD-3-Clause */
/* The root document: keys, threshold and limits of a site (lists.md, first row of the table). */
#include "config.h"
#include "proto/doc.h"

#include "proto/doc_json.h"

#include <string.h>

static const struct doc_form form = { "root", "onionmirror/root/1", DOC_ROOT_MAX, DOC_VALUES_MAX, false };

static void
read_keys(struct doc_fields *f, struct doc_root *r)
{
	const struct canon_value *keys = doc_field_array(f, "keys", DOC_KEYS_MAX);
	uint64_t threshold = 0;
	size_t i = 0, j;

	if (keys == NULL)
		return;
	r->n_keys = keys->n;
	for (canon_each(key, keys)) {
		if (doc_hex_of(key, r->keys[i], DOC_KEY_LEN) != 0) {
			doc_field_bad(f, "keys", "holds something that is no key");
			return;
		}
		for (j = 0; j < i; j++)
			if (memcmp(r->keys[i], r->keys[j], DOC_KEY_LEN) == 0)
				doc_field_bad(f, "keys", "holds a key twice");
		i++;
	}
	doc_field_uint(f, "threshold", 1, &threshold);
	if (f->reason == DOC_OK && threshold > r->n_keys)
		doc_field_bad(f, "threshold", "is above the number of keys");
	r->threshold = (unsigned)(threshold & 0xff);
}

static void
read_limits(struct doc_fields *f, struct doc_limits *l)
{
	struct doc_fields sub = { doc_field(f, "limits", CANON_OBJECT), "root limits", f->reason, f->e };

	if (sub.obj == NULL)
		return;
	doc_field_uint(&sub, "member_days", 1, &l->member_days);
	doc_field_uint(&sub, "head_hours", 1, &l->head_hours);
	doc_field_uint(&sub, "possession_days", 1, &l->possession_days);
	f->reason = sub.reason;
}

enum doc_reason
doc_root_parse(struct doc_root *out, const char *text, size_t len, const uint8_t *site, struct err *e)
{
	struct doc_fields f = { NULL, form.what, DOC_OK, e };
	struct doc_root r;
	struct canon *v = NULL;

	f.reason = doc_json_open(&v, &form, text, len, e);
	if (f.reason != DOC_OK)
		return f.reason;
	memset(&r, 0, sizeof r);
	f.obj = canon_top(v);
	doc_field_uint(&f, "version", 1, &r.version);
	if (f.reason == DOC_OK && r.version > 1) {
		doc_field_site(&f, site, r.site);
		doc_field_hex(&f, "prev", r.prev, DOC_HASH_LEN);
	} else if (f.reason == DOC_OK) {
		if (canon_get(f.obj, "site") != NULL || canon_get(f.obj, "prev") != NULL)
			doc_field_bad(&f, "version", "is 1, which has neither `site` nor `prev`");
	}
	doc_field_uint(&f, "epoch", 1, &r.epoch);
	doc_field_time(&f, "epoch_start", &r.epoch_start);
	doc_field_time(&f, "expires", &r.expires);
	doc_field_str(&f, "name", 1, DOC_NAME_MAX, r.name);
	read_keys(&f, &r);
	read_limits(&f, &r.limits);
	if (f.reason == DOC_OK && r.expires <= r.epoch_start)
		doc_field_bad(&f, "expires", "is not after `epoch_start`");
	canon_free(v);
	if (f.reason == DOC_OK)
		*out = r;
	return f.reason;
}

static json_t *
limits_json(const struct doc_limits *l, bool *bad)
{
	json_t *o = json_object();

	doc_json_set(o, "member_days", json_integer((json_int_t)l->member_days), bad);
	doc_json_set(o, "head_hours", json_integer((json_int_t)l->head_hours), bad);
	doc_json_set(o, "possession_days", json_integer((json_int_t)l->possession_days), bad);
	return o;
}

int
doc_root_write(char **out, size_t *len, const struct doc_root *r, struct err *e)
{
	json_t *o = json_object(), *keys = json_array();
	struct doc_root again;
	bool bad = false;
	char *text;
	size_t i, n;

	for (i = 0; i < r->n_keys && i < DOC_KEYS_MAX; i++)
		doc_json_append(keys, doc_json_hex(r->keys[i], DOC_KEY_LEN), &bad);
	doc_json_set(o, "type", json_string(form.type), &bad);
	doc_json_set(o, "version", json_integer((json_int_t)r->version), &bad);
	doc_json_set(o, "epoch", json_integer((json_int_t)r->epoch), &bad);
	doc_json_set(o, "epoch_start", doc_json_time(r->epoch_start), &bad);
	doc_json_set(o, "expires", doc_json_time(r->expires), &bad);
	doc_json_set(o, "name", json_string(r->name), &bad);
	doc_json_set(o, "keys", keys, &bad);
	doc_json_set(o, "threshold", json_integer((json_int_t)r->threshold), &bad);
	doc_json_set(o, "limits", limits_json(&r->limits, &bad), &bad);
	if (r->version > 1) {
		doc_json_set(o, "site", doc_json_hex(r->site, DOC_HASH_LEN), &bad);
		doc_json_set(o, "prev", doc_json_hex(r->prev, DOC_HASH_LEN), &bad);
	}
	if (doc_json_finish(&text, &n, o, bad, e) != 0)
		return -1;
	return doc_write_checked(out, len, text, n, doc_root_parse(&again, text, n, NULL, e), e);
}
