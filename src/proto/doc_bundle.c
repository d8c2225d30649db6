/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The bundle: a container of exact texts, signed by nobody. A parsed bundle holds the JSON value that
 * its texts point into, so they are copied once.
 */
#include "config.h"
#include "proto/doc.h"

#include "proto/doc_json.h"

#include <stdlib.h>
#include <string.h>

static const struct doc_form form = { "bundle", "onionmirror/bundle/1", DOC_BUNDLE_MAX, DOC_BUNDLE_VALUES_MAX, true };

static void
signed_free(struct doc_signed *s)
{
	free((void *)(uintptr_t)s->sigs);
}

void
doc_bundle_free(struct doc_bundle *b)
{
	size_t i;

	if (b->hold != NULL) {
		for (i = 0; i < b->n_roots; i++)
			signed_free(&b->roots[i]);
		for (i = 0; i < b->n_heads; i++)
			signed_free(&b->heads[i]);
		signed_free(&b->members);
		free(b->roots);
		free(b->heads);
		free(b->leaves);
		canon_free(b->hold);
	}
	memset(b, 0, sizeof *b);
}

static struct doc_text
text_of(const struct canon_value *v)
{
	struct doc_text t = { v->text, v->n };

	return t;
}

/* An array of at least one element of `size`; NULL sets the reason. */
static void *
array_new(struct doc_fields *f, size_t n, size_t size)
{
	void *p = calloc(n > 0 ? n : 1, size);

	if (p == NULL && f->reason == DOC_OK)
		f->reason = doc_fail(f->e, DOC_NO_MEMORY, "bundle: no memory");
	return p;
}

void
doc_json_read_signed(struct doc_fields *f, const struct canon_value *v, struct doc_signed *out)
{
	struct doc_fields sub = { v, "signed document", f->reason, f->e };
	const struct canon_value *doc, *sigs;
	struct doc_text *list, *t;

	if (v->type != CANON_OBJECT) {
		doc_field_bad(&sub, "doc", "is not in an object");
		f->reason = sub.reason;
		return;
	}
	doc = doc_field(&sub, "doc", CANON_STRING);
	sigs = doc_field_array(&sub, "sigs", DOC_SIGS_MAX);
	if (sub.reason == DOC_OK) {
		t = list = array_new(&sub, sigs->n, sizeof *list);
		for (canon_each(s, list != NULL ? sigs : NULL)) {
			if (s->type != CANON_STRING)
				doc_field_bad(&sub, "sigs", "holds something that is no text");
			*t++ = text_of(s);
		}
		out->sigs = list;
		out->n_sigs = sigs->n;
		out->doc = text_of(doc);
	}
	f->reason = sub.reason;
}

static void
read_signed_array(struct doc_fields *f, const char *name, size_t max, struct doc_signed **out, size_t *n_out)
{
	const struct canon_value *list = doc_field_array(f, name, max);
	struct doc_signed *s;

	if (list == NULL || f->reason != DOC_OK)
		return;
	s = *out = array_new(f, list->n, sizeof **out);
	if (s == NULL)
		return;
	*n_out = list->n;
	for (canon_each(v, list))
		doc_json_read_signed(f, v, s++);
}

static void
read_leaves(struct doc_fields *f, struct doc_bundle *b)
{
	const struct canon_value *list = doc_field_array(f, "leaves", SIZE_MAX);
	struct doc_text *t;

	if (list == NULL || f->reason != DOC_OK)
		return;
	t = b->leaves = array_new(f, list->n, sizeof *b->leaves);
	if (t == NULL)
		return;
	b->n_leaves = list->n;
	for (canon_each(v, list)) {
		if (v->type != CANON_STRING)
			doc_field_bad(f, "leaves", "holds something that is no text");
		*t++ = text_of(v);
	}
}

enum doc_reason
doc_bundle_parse(struct doc_bundle *out, const char *text, size_t len, struct err *e)
{
	struct doc_fields f = { NULL, form.what, DOC_OK, e };
	struct doc_bundle b;
	struct canon *v = NULL;

	f.reason = doc_json_open(&v, &form, text, len, e);
	if (f.reason != DOC_OK)
		return f.reason;
	memset(&b, 0, sizeof b);
	b.hold = v;
	f.obj = canon_top(v);
	read_signed_array(&f, "roots", SIZE_MAX, &b.roots, &b.n_roots);
	if (f.reason == DOC_OK && b.n_roots == 0)
		doc_field_bad(&f, "roots", "is empty");
	if (doc_field(&f, "members", CANON_OBJECT) != NULL && f.reason == DOC_OK)
		doc_json_read_signed(&f, canon_get(f.obj, "members"), &b.members);
	/* One head a member, and there are not more members. */
	read_signed_array(&f, "heads", DOC_MEMBER_MAX, &b.heads, &b.n_heads);
	read_leaves(&f, &b);
	if (f.reason == DOC_OK)
		*out = b;
	else
		doc_bundle_free(&b);
	return f.reason;
}

json_t *
doc_json_signed(const struct doc_signed *s, bool *bad)
{
	json_t *o = json_object(), *sigs = json_array();
	size_t i;

	for (i = 0; i < s->n_sigs; i++)
		doc_json_append(sigs, doc_json_text(s->sigs[i]), bad);
	doc_json_set(o, "doc", doc_json_text(s->doc), bad);
	doc_json_set(o, "sigs", sigs, bad);
	return o;
}

static json_t *
signed_array_json(const struct doc_signed *s, size_t n, bool *bad)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < n; i++)
		doc_json_append(list, doc_json_signed(&s[i], bad), bad);
	return list;
}

int
doc_bundle_write(char **out, size_t *len, const struct doc_bundle *b, struct err *e)
{
	json_t *o = json_object(), *leaves = json_array();
	struct doc_bundle again = { 0 };
	enum doc_reason r;
	bool bad = false;
	char *text;
	size_t i, n;

	for (i = 0; i < b->n_leaves; i++)
		doc_json_append(leaves, doc_json_text(b->leaves[i]), &bad);
	doc_json_set(o, "type", json_string(form.type), &bad);
	doc_json_set(o, "roots", signed_array_json(b->roots, b->n_roots, &bad), &bad);
	doc_json_set(o, "members", doc_json_signed(&b->members, &bad), &bad);
	doc_json_set(o, "heads", signed_array_json(b->heads, b->n_heads, &bad), &bad);
	doc_json_set(o, "leaves", leaves, &bad);
	if (doc_json_finish(&text, &n, o, bad, e) != 0)
		return -1;
	r = doc_bundle_parse(&again, text, n, e);
	doc_bundle_free(&again);
	return doc_write_checked(out, len, text, n, r, e);
}
