/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Feeding single documents: they are put together as a bundle, together with what the site remembers,
 * and go the same walk. Names only sort them; what a document is, its `type` says again when it is read.
 */
#include "config.h"
#include "lib/site.h"
#include "proto/minisign.h"

#include <stdlib.h>
#include <string.h>

#define DOCUMENTS_MAX 16384

enum kind { KIND_OTHER, KIND_ROOT, KIND_MEMBERS, KIND_HEAD, KIND_LEAF };

struct gather {
	const om_site *site;
	const om_document *docs;
	size_t n;
	struct doc_bundle b; /* its arrays are ours */
	json_t *known;       /* the site's own entries that are judged again: it may drop its references meanwhile */
	struct err *e;
};

/* Digits without a leading zero, up to `end`; 0: no such number. */
static uint64_t
read_number(const char *s, const char *end)
{
	uint64_t v = 0;

	if (s == end || *s == '0' || end - s > 9)
		return 0;
	for (; s < end; s++) {
		if (*s < '0' || *s > '9')
			return 0;
		v = v * 10 + (uint64_t)(*s - '0');
	}
	return v;
}

static bool
has_ending(const char *name, const char *ending)
{
	size_t n = strlen(name), m = strlen(ending);

	return n > m && strcmp(name + n - m, ending) == 0;
}

/* `version`: of a root. */
static enum kind
kind_of(const char *name, uint64_t *version)
{
	*version = 0;
	if (!has_ending(name, ".json"))
		return KIND_OTHER;
	if (has_ending(name, ".root.json")) {
		*version = read_number(name, name + strlen(name) - strlen(".root.json"));
		return *version > 0 ? KIND_ROOT : KIND_OTHER;
	}
	if (strcmp(name, "members.json") == 0)
		return KIND_MEMBERS;
	if (strcmp(name, "head.json") == 0 || strncmp(name, "head-", 5) == 0)
		return KIND_HEAD;
	return strcmp(name, "self.json") == 0 || strncmp(name, "leaf-", 5) == 0 ? KIND_LEAF : KIND_OTHER;
}

/* Whether `name` is a signature file of `of`. */
static bool
is_signature(const char *name, const char *of)
{
	static const char ending[] = ".minisig";
	size_t n = strlen(of);
	const char *end;

	if (strncmp(name, of, n) != 0 || !has_ending(name, ending))
		return false;
	end = name + strlen(name) - (sizeof ending - 1);
	return end == name + n || (end > name + n && name[n] == '.' && read_number(name + n + 1, end) > 0);
}

static struct doc_text
text_of(const om_document *d)
{
	return (struct doc_text){ d->bytes != NULL ? d->bytes : "", d->len };
}

static enum doc_reason
no_memory(struct gather *g)
{
	return doc_fail(g->e, DOC_NO_MEMORY, "no memory for documents");
}

/*
 * Document i with its signatures. A file that is none counts nowhere, and may be something that a bundle could not hold
 * and a saved memory must not.
 */
static enum doc_reason
take_given(struct gather *g, size_t i, struct doc_signed *out)
{
	struct doc_text *sigs = calloc(DOC_SIGS_MAX, sizeof *sigs);
	struct minisign_sig sig;
	size_t j, n = 0;

	if (sigs == NULL)
		return no_memory(g);
	out->doc = text_of(&g->docs[i]);
	out->sigs = sigs;
	for (j = 0; j < g->n; j++) {
		if (!is_signature(g->docs[j].name, g->docs[i].name) ||
		    minisign_sig_parse(&sig, text_of(&g->docs[j]).p, g->docs[j].len, NULL) != 0)
			continue;
		if (n == DOC_SIGS_MAX)
			return doc_fail(g->e, DOC_MALFORMED, "a document has more than %d signatures", DOC_SIGS_MAX);
		sigs[n++] = text_of(&g->docs[j]);
	}
	out->n_sigs = n;
	return DOC_OK;
}

/* One that the site remembers; it may drop its own during the walk, so a reference is kept. */
static enum doc_reason
take_known(struct gather *g, const struct kept *k, struct doc_signed *out)
{
	const json_t *doc = json_object_get(k->entry, "doc"), *list = json_object_get(k->entry, "sigs"), *v;
	struct doc_text *sigs = calloc(json_array_size(list) + 1, sizeof *sigs);
	bool bad = false;
	size_t i;

	doc_json_append(g->known, json_incref(k->entry), &bad);
	if (sigs == NULL || bad) {
		free(sigs);
		return no_memory(g);
	}
	json_array_foreach(list, i, v) sigs[i] = (struct doc_text){ json_string_value(v), json_string_length(v) };
	out->doc = (struct doc_text){ json_string_value(doc), json_string_length(doc) };
	out->sigs = sigs;
	out->n_sigs = json_array_size(list);
	return DOC_OK;
}

/* The place of the root of a version among what was given, or g->n. */
static size_t
find_root(const struct gather *g, uint64_t version)
{
	uint64_t v;
	size_t i;

	for (i = 0; i < g->n; i++)
		if (kind_of(g->docs[i].name, &v) == KIND_ROOT && v == version)
			break;
	return i;
}

static enum doc_reason
gather_roots(struct gather *g)
{
	uint64_t v, last = g->site->n_roots;
	enum doc_reason r = DOC_OK;
	size_t i;

	for (i = 0; i < g->n; i++)
		if (kind_of(g->docs[i].name, &v) == KIND_ROOT && v > last)
			last = v;
	/* Before memory is taken for them: more than there can be means that one is missing. */
	if (last == 0 || last > g->site->n_roots + g->n)
		return doc_fail(g->e, DOC_MALFORMED, "a root is missing: all from 1.root.json are needed");
	g->b.roots = calloc(last, sizeof *g->b.roots);
	if (g->b.roots == NULL)
		return no_memory(g);
	for (v = 1; v <= last && r == DOC_OK; v++) {
		i = find_root(g, v);
		g->b.n_roots++;
		if (i < g->n)
			r = take_given(g, i, &g->b.roots[v - 1]);
		else if (v <= g->site->n_roots)
			r = take_known(g, &g->site->roots[v - 1], &g->b.roots[v - 1]);
		else
			r = doc_fail(g->e, DOC_MALFORMED, "%llu.root.json is missing", (unsigned long long)v);
	}
	return r;
}

static enum doc_reason
gather_members(struct gather *g)
{
	uint64_t v;
	size_t i;

	for (i = 0; i < g->n; i++)
		if (kind_of(g->docs[i].name, &v) == KIND_MEMBERS)
			return take_given(g, i, &g->b.members);
	if (g->site->members_kept.entry == NULL)
		return doc_fail(g->e, DOC_MALFORMED, "members.json is missing");
	return take_known(g, &g->site->members_kept, &g->b.members);
}

/* The known heads of those whom the members document of this walk certifies with the same key and in the same epoch. */
static enum doc_reason
gather_known_heads(struct gather *g)
{
	struct doc_members *m = calloc(1, sizeof *m);
	enum doc_reason r = DOC_OK;
	const struct kept_head *h;
	size_t i;

	if (m == NULL)
		return no_memory(g);
	/* One that is no members document ends the walk before its heads. */
	if (doc_members_parse(m, g->b.members.doc.p, g->b.members.doc.len, NULL, NULL) != DOC_OK)
		m->n_members = 0;
	for (i = 0; i < m->n_members && r == DOC_OK; i++) {
		h = site_find_head(g->site, m->members[i].name, m->members[i].key);
		if (h != NULL && h->doc.epoch == m->epoch)
			r = take_known(g, &h->kept, &g->b.heads[g->b.n_heads++]);
	}
	free(m);
	return r;
}

static enum doc_reason
gather_heads(struct gather *g)
{
	enum doc_reason r = DOC_OK;
	uint64_t v;
	size_t i;

	g->b.heads = calloc(DOC_MEMBER_MAX, sizeof *g->b.heads);
	if (g->b.heads == NULL)
		return no_memory(g);
	for (i = 0; i < g->n && r == DOC_OK; i++) {
		if (kind_of(g->docs[i].name, &v) != KIND_HEAD)
			continue;
		if (g->b.n_heads == DOC_MEMBER_MAX)
			return doc_fail(g->e, DOC_MALFORMED, "more than %d heads", DOC_MEMBER_MAX);
		r = take_given(g, i, &g->b.heads[g->b.n_heads++]);
	}
	return r == DOC_OK && g->b.n_heads == 0 ? gather_known_heads(g) : r;
}

static enum doc_reason
gather_leaves(struct gather *g)
{
	uint64_t v;
	size_t i;

	g->b.leaves = calloc(g->n + 1, sizeof *g->b.leaves);
	if (g->b.leaves == NULL)
		return no_memory(g);
	for (i = 0; i < g->n; i++)
		if (kind_of(g->docs[i].name, &v) == KIND_LEAF)
			g->b.leaves[g->b.n_leaves++] = text_of(&g->docs[i]);
	return DOC_OK;
}

static enum doc_reason
gather_all(struct gather *g)
{
	enum doc_reason r = DOC_OK;
	size_t i, total = 0;

	for (i = 0; i < g->n; i++) {
		if (g->docs[i].len > DOC_BUNDLE_MAX - total)
			return doc_fail(g->e, DOC_TOO_LARGE, "the documents have more than %d bytes", DOC_BUNDLE_MAX);
		total += g->docs[i].len;
	}
	r = gather_roots(g);
	if (r == DOC_OK)
		r = gather_members(g);
	if (r == DOC_OK)
		r = gather_heads(g);
	return r == DOC_OK ? gather_leaves(g) : r;
}

static void
gather_free(struct gather *g)
{
	size_t i;

	for (i = 0; i < g->b.n_roots; i++)
		free((void *)(uintptr_t)g->b.roots[i].sigs);
	for (i = 0; i < g->b.n_heads; i++)
		free((void *)(uintptr_t)g->b.heads[i].sigs);
	free((void *)(uintptr_t)g->b.members.sigs);
	free(g->b.roots);
	free(g->b.heads);
	free(g->b.leaves);
	json_decref(g->known);
}

int
om_site_feed_documents(om_site *s, const om_document *documents, size_t count, int64_t now, om_error *error)
{
	struct err e = ERR_INIT;
	struct gather g = { .site = s, .docs = documents, .n = count, .e = &e };
	enum doc_reason r;
	size_t i;
	int ret;

	if (!site_can_feed(s, documents, now))
		return site_error(error, OM_BAD_ARGUMENT, "no site, no documents or no such time");
	for (i = 0; i < count; i++)
		if (documents[i].name == NULL || (documents[i].bytes == NULL && documents[i].len > 0))
			return site_error(error, OM_BAD_ARGUMENT, "a document without name or bytes");
	if (count > DOCUMENTS_MAX)
		return site_error(error, OM_TOO_LARGE, "too many documents");
	g.known = json_array();
	r = g.known != NULL ? gather_all(&g) : no_memory(&g);
	ret = site_feed(s, &g.b, r, &e, now, error);
	gather_free(&g);
	return ret;
}
