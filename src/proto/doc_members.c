/* SPDX-License-Identifier: BSD-3-Clause */
/* The members document: which operators' keys the root has certified, and for how long. */
#include "config.h"
#include "proto/doc.h"

#include "proto/doc_json.h"

#include <stdlib.h>
#include <string.h>

static const struct doc_form form = {
	"members", "onionmirror/members/1", DOC_MEMBERS_MAX, DOC_VALUES_MAX, false
};

static void
read_member(struct doc_fields *f, const struct canon_value *v, struct doc_members *out)
{
	struct doc_member *m = &out->members[out->n_members];
	struct doc_fields sub = { v, "members entry", f->reason, f->e };
	size_t i;

	if (v->type != CANON_OBJECT) {
		doc_field_bad(f, "members", "holds something that is no object");
		return;
	}
	doc_field_member(&sub, "name", m->name);
	doc_field_hex(&sub, "key", m->key, DOC_KEY_LEN);
	doc_field_time(&sub, "not_before", &m->not_before);
	doc_field_time(&sub, "not_after", &m->not_after);
	if (sub.reason == DOC_OK && m->not_after <= m->not_before)
		doc_field_bad(&sub, "not_after", "is not after `not_before`");
	for (i = 0; sub.reason == DOC_OK && i < out->n_members; i++)
		if (strcmp(m->name, out->members[i].name) == 0 ||
		    memcmp(m->key, out->members[i].key, DOC_KEY_LEN) == 0)
			doc_field_bad(&sub, "name", "or `key` occurs twice");
	out->n_members++;
	f->reason = sub.reason;
}

static enum doc_reason
read_fields(struct doc_members *m, const struct canon_value *v, const uint8_t *site, struct err *e)
{
	struct doc_fields f = { v, form.what, DOC_OK, e };
	const struct canon_value *list;

	doc_field_site(&f, site, m->site);
	if (f.reason != DOC_OK)
		return f.reason;
	doc_field_uint(&f, "epoch", 1, &m->epoch);
	doc_field_uint(&f, "seq", 1, &m->seq);
	doc_field_time(&f, "issued", &m->issued);
	doc_field_time(&f, "expires", &m->expires);
	if (f.reason == DOC_OK && m->expires <= m->issued)
		doc_field_bad(&f, "expires", "is not after `issued`");
	list = doc_field_array(&f, "members", DOC_MEMBER_MAX);
	for (canon_each(one, list)) {
		read_member(&f, one, m);
		if (f.reason != DOC_OK)
			break;
	}
	return f.reason;
}

enum doc_reason
doc_members_parse(struct doc_members *out, const char *text, size_t len, const uint8_t *site, struct err *e)
{
	struct doc_members *m;
	enum doc_reason r;
	struct canon *v = NULL;

	r = doc_json_open(&v, &form, text, len, e);
	if (r != DOC_OK)
		return r;
	m = calloc(1, sizeof *m);
	if (m == NULL)
		r = doc_fail(e, DOC_NO_MEMORY, "members: no memory");
	else if ((r = read_fields(m, canon_top(v), site, e)) == DOC_OK)
		*out = *m;
	free(m);
	canon_free(v);
	return r;
}

static json_t *
member_json(const struct doc_member *m, bool *bad)
{
	json_t *o = json_object();

	doc_json_set(o, "name", json_string(m->name), bad);
	doc_json_set(o, "key", doc_json_hex(m->key, DOC_KEY_LEN), bad);
	doc_json_set(o, "not_before", doc_json_time(m->not_before), bad);
	doc_json_set(o, "not_after", doc_json_time(m->not_after), bad);
	return o;
}

int
doc_members_write(char **out, size_t *len, const struct doc_members *m, struct err *e)
{
	json_t *o = json_object(), *list = json_array();
	struct doc_members *again;
	bool bad = false;
	enum doc_reason r;
	char *text;
	size_t i, n;

	for (i = 0; i < m->n_members && i < DOC_MEMBER_MAX; i++)
		doc_json_append(list, member_json(&m->members[i], &bad), &bad);
	doc_json_set(o, "type", json_string(form.type), &bad);
	doc_json_set(o, "site", doc_json_hex(m->site, DOC_HASH_LEN), &bad);
	doc_json_set(o, "epoch", json_integer((json_int_t)m->epoch), &bad);
	doc_json_set(o, "seq", json_integer((json_int_t)m->seq), &bad);
	doc_json_set(o, "issued", doc_json_time(m->issued), &bad);
	doc_json_set(o, "expires", doc_json_time(m->expires), &bad);
	doc_json_set(o, "members", list, &bad);
	if (doc_json_finish(&text, &n, o, bad, e) != 0)
		return -1;
	again = calloc(1, sizeof *again);
	r = again != NULL ? doc_members_parse(again, text, n, NULL, e)
	                  : doc_fail(e, DOC_NO_MEMORY, "members: no memory");
	free(again);
	return doc_write_checked(out, len, text, n, r, e);
}
