/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Evidence of forks: pairs of documents by the same keys that can't both be honest. What is signed tells two
 * pairs apart, and whom a pair is about; room is kept so that one thief can't hide another's deed.
 */
#include "config.h"
#include "lib/site.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* {"doc", "sigs"} holds a text for each signature, and four more values. */
#define ENTRY_VALUES (DOC_SIGS_MAX + 4)

static enum doc_reason
parse(struct canon **out, const char *text, size_t len, size_t values, bool lf)
{
	struct err e = ERR_INIT;

	if (len < 3 || text[len - 1] != '\n')
		return DOC_MALFORMED;
	if (canon_parse(out, text, len - 1, values, lf, &e) == 0)
		return DOC_OK;
	return e.code == ERR_MEMORY ? DOC_NO_MEMORY : DOC_MALFORMED;
}

/* The hash of the document in an entry's text, and whose it is: its type, of a head also the member. */
static enum doc_reason
identify(const char *entry, uint8_t sha256[DOC_HASH_LEN], char about[SITE_ABOUT_MAX])
{
	const struct canon_value *doc, *type, *member;
	struct canon *outer = NULL, *inner = NULL;
	enum doc_reason r = parse(&outer, entry, strlen(entry), ENTRY_VALUES, true);

	doc = r == DOC_OK ? canon_get(canon_top(outer), "doc") : NULL;
	if (r == DOC_OK)
		r = doc != NULL && doc->type == CANON_STRING ? parse(&inner, doc->text, doc->n, DOC_VALUES_MAX, false) : DOC_MALFORMED;
	if (r == DOC_OK) {
		type = canon_get(canon_top(inner), "type");
		member = canon_get(canon_top(inner), "member");
		doc_hash(sha256, doc->text, doc->n);
		snprintf(about, SITE_ABOUT_MAX, "%s %s", type != NULL && type->type == CANON_STRING ? type->text : "",
		    member != NULL && member->type == CANON_STRING ? member->text : "");
	}
	canon_free(inner);
	canon_free(outer);
	return r;
}

static void
evidence_free(struct evidence *v)
{
	free(v->text[0]);
	free(v->text[1]);
}

void
site_free_evidence(om_site *s)
{
	while (s->n_evidence > 0)
		evidence_free(&s->evidence[--s->n_evidence]);
}

static bool
is_about_same(const om_site *s, size_t n, const char *about)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (strcmp(s->evidence[i].about, about) == 0)
			return true;
	return false;
}

/* Makes room for the first about somebody: the last that is not the first about its own goes. */
static void
make_room(om_site *s, const char *about)
{
	size_t i = s->n_evidence;

	if (is_about_same(s, s->n_evidence, about))
		return;
	while (i-- > 0)
		if (is_about_same(s, i, s->evidence[i].about)) {
			evidence_free(&s->evidence[i]);
			s->n_evidence--;
			memmove(&s->evidence[i], &s->evidence[i + 1], (s->n_evidence - i) * sizeof s->evidence[0]);
			return;
		}
}

enum doc_reason
site_add_evidence(om_site *s, char *known, char *later)
{
	struct evidence v = { .text = { known, later } };
	enum doc_reason r = known != NULL && later != NULL ? DOC_OK : DOC_NO_MEMORY;
	size_t i;

	if (r == DOC_OK)
		r = identify(known, v.sha256[0], v.about);
	if (r == DOC_OK)
		r = identify(later, v.sha256[1], v.about);
	for (i = 0; r == DOC_OK && i < s->n_evidence; i++)
		if (memcmp(s->evidence[i].sha256, v.sha256, sizeof v.sha256) == 0) {
			evidence_free(&v);
			return DOC_OK;
		}
	if (r == DOC_OK && s->n_evidence == SITE_EVIDENCE_MAX)
		make_room(s, v.about);
	if (r == DOC_OK && s->n_evidence == SITE_EVIDENCE_MAX)
		r = DOC_TOO_LARGE;
	if (r == DOC_OK)
		s->evidence[s->n_evidence++] = v;
	else
		evidence_free(&v);
	return r;
}

/* --- what a walk finds ------------------------------------------------------------------------- */

/* A document as canonical JSON text with its signatures. */
static char *
entry_text(json_t *entry)
{
	char *text = NULL;

	if (entry != NULL)
		doc_json_dump(&text, NULL, entry, NULL);
	return text;
}

/* A signed document that contradicts a known one; of its signatures only the `n_sigs` that count are kept. */
static void
keep_pair(om_site *s, const struct kept *known, struct doc_text doc, const struct doc_text *sigs, size_t n_sigs)
{
	const struct doc_signed later = { doc, sigs, n_sigs };
	json_t *v = site_keep(&later);

	if (site_add_evidence(s, entry_text(known->entry), entry_text(v)) != DOC_OK)
		s->fork = FORK_LOST;
	else if (s->fork == FORK_NONE)
		s->fork = FORK_KEPT;
	json_decref(v);
}

void
site_add_forked_root(om_site *s, const struct chain_root *prev, const struct chain_root *r, const struct doc_signed *later)
{
	struct doc_text sigs[2 * DOC_KEYS_MAX];
	char comment[DOC_COMMENT_MAX];
	size_t n;

	doc_root_comment(comment, r->site, r->doc.version, r->sha256);
	n = chain_counting_sigs(sigs, 0, later, r->doc.keys, r->doc.n_keys, comment);
	if (prev != NULL)
		n = chain_counting_sigs(sigs, n, later, prev->doc.keys, prev->doc.n_keys, comment);
	keep_pair(s, &s->roots[r->doc.version - 1], later->doc, sigs, n);
}

void
site_add_forked_members(om_site *s, const struct doc_signed *later)
{
	const struct doc_root *root = &s->root.doc;
	struct doc_members *m = calloc(1, sizeof *m);
	struct doc_text sigs[DOC_KEYS_MAX];
	char comment[DOC_COMMENT_MAX];
	uint8_t sha256[DOC_HASH_LEN];
	size_t n = 0;

	doc_hash(sha256, later->doc.p, later->doc.len);
	if (m != NULL && doc_members_parse(m, later->doc.p, later->doc.len, s->site, NULL) == DOC_OK) {
		doc_members_comment(comment, m, sha256);
		n = chain_counting_sigs(sigs, 0, later, root->keys, root->n_keys, comment);
	}
	free(m);
	if (n > 0)
		keep_pair(s, &s->members_kept, later->doc, sigs, n);
	else
		s->fork = FORK_LOST; /* no memory: it had passed */
}

void
site_add_forked_head(om_site *s, const struct kept_head *known, const struct doc_head *h, const struct doc_signed *later)
{
	char comment[DOC_COMMENT_MAX];
	uint8_t sha256[DOC_HASH_LEN];
	struct doc_text sig;
	size_t n;

	doc_hash(sha256, later->doc.p, later->doc.len);
	doc_head_comment(comment, h, sha256);
	n = chain_counting_sigs(&sig, 0, later, &known->key, 1, comment);
	keep_pair(s, &known->kept, later->doc, &sig, n);
}
