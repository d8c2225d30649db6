/* SPDX-License-Identifier: BSD-3-Clause */
/* Who we are: root chain, members document and our place in it, read from the site folder and verified. */
#include "config.h"
#include "base/file.h"
#include "publish/publish_impl.h"

#include <errno.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROOTS_MAX 1024

struct doc_signed
text_signed_view(const struct text_signed *t)
{
	return (struct doc_signed){ .doc = { t->doc, t->len }, .sigs = t->sig_texts, .n_sigs = t->n_sigs };
}

void
text_signed_free(struct text_signed *t)
{
	size_t i;

	free(t->doc);
	for (i = 0; i < DOC_SIGS_MAX; i++)
		free(t->files[i].p);
	memset(t, 0, sizeof *t);
}

/*
 * Reads DIR/NAME and those DIR/NAME.<n>.minisig that there are. A missing document sets *absent. A file that is no
 * signature counts nowhere, and may be something that no bundle can hold: it is passed over.
 */
static int
read_signed(struct text_signed *t, const char *dir, const char *name, size_t max, bool *absent, struct err *e)
{
	char path[PATH_MAX];
	struct err inner = ERR_INIT;
	struct minisign_sig sig;
	size_t i;

	*absent = false;
	snprintf(path, sizeof path, "%s/%s", dir, name);
	if (file_read(path, max, FILE_PUBLIC, &t->doc, &t->len, &inner) != 0) {
		*absent = inner.sys == ENOENT;
		return err_set(e, inner.code, "%s", inner.msg);
	}
	if (file_read_numbered(t->files, DOC_SIGS_MAX, path, ".minisig", MINISIGN_SIG_MAX, e) != 0)
		return -1;
	for (i = 0; i < DOC_SIGS_MAX; i++) {
		if (t->files[i].p != NULL && minisign_sig_parse(&sig, t->files[i].p, t->files[i].len, NULL) != 0) {
			free(t->files[i].p);
			t->files[i].p = NULL;
		}
		if (t->files[i].p != NULL)
			t->sig_texts[t->n_sigs++] = (struct doc_text){ t->files[i].p, t->files[i].len };
	}
	return 0;
}

static int
read_roots(struct publish_site *s, const char *dir, struct err *e)
{
	struct text_signed t, *more;
	struct err inner = ERR_INIT;
	char name[32];
	bool absent;

	for (;;) {
		memset(&t, 0, sizeof t);
		snprintf(name, sizeof name, "%zu.root.json", s->n_roots + 1);
		if (read_signed(&t, dir, name, DOC_ROOT_MAX, &absent, &inner) != 0) {
			text_signed_free(&t);
			return absent && s->n_roots > 0 ? 0 : err_set(e, inner.code, "%s", inner.msg);
		}
		more = s->n_roots < ROOTS_MAX ? realloc(s->roots, (s->n_roots + 1) * sizeof *more) : NULL;
		if (more == NULL) {
			text_signed_free(&t);
			return err_set(e, ERR_MEMORY, "out of memory for the root documents");
		}
		s->roots = more;
		s->roots[s->n_roots++] = t;
	}
}

/*
 * The last moment up to now at which the members document was in force: what ran
 * out still says who we are, though nothing can be published any longer.
 */
static int64_t
in_force(const struct publish_site *s, int64_t now)
{
	struct doc_members *m = calloc(1, sizeof *m);
	int64_t at = now;

	if (m != NULL && doc_members_parse(m, s->members.doc, s->members.len, NULL, NULL) == DOC_OK && m->expires <= now)
		at = m->expires - 1;
	free(m);
	return at;
}

/* Which key of the root above made each signature. */
static void
note_signers(struct text_signed *t, const struct doc_root *above, const char *comment)
{
	size_t i, k;

	for (i = 0; i < DOC_SIGS_MAX; i++)
		for (k = 0; t->files[i].p != NULL && k < above->n_keys; k++)
			if (minisign_verify(t->doc, t->len, t->files[i].p, t->files[i].len, above->keys[k], comment, NULL) == 0)
				t->signers[i] = (unsigned char)(k + 1);
}

/* What the pages of all channels tell, found out once. */
static void
find_signers(struct publish_site *s)
{
	char comment[DOC_COMMENT_MAX];
	uint8_t hash[DOC_HASH_LEN];
	struct doc_root above;
	size_t i;

	for (i = 0; i + 1 < s->n_roots && doc_root_parse(&above, s->roots[i].doc, s->roots[i].len, NULL, NULL) == DOC_OK; i++) {
		doc_hash(hash, s->roots[i + 1].doc, s->roots[i + 1].len);
		doc_root_comment(comment, s->root.site, i + 2, hash);
		note_signers(&s->roots[i + 1], &above, comment);
	}
	doc_members_comment(comment, &s->cert, s->cert_sha256);
	note_signers(&s->members, &s->root.doc, comment);
}

/* Signature views point into the structs, which realloc may have moved: made anew here. */
static int
verify(struct publish_site *s, int64_t now, struct err *e)
{
	struct doc_signed *roots = calloc(s->n_roots, sizeof *roots), members = text_signed_view(&s->members);
	struct err inner = ERR_INIT;
	enum doc_reason why;
	size_t i;

	if (roots == NULL)
		return err_set(e, ERR_MEMORY, "out of memory");
	for (i = 0; i < s->n_roots; i++)
		roots[i] = text_signed_view(&s->roots[i]);
	why = chain_roots(&s->root, roots, s->n_roots, NULL, INT64_MIN, &inner); /* expiry: check_site() in make.c */
	free(roots);
	if (why != DOC_OK)
		return err_set(e, ERR_CRYPTO, "root documents: %s: %s", doc_reason_name(why), inner.msg);
	why = chain_members(&s->cert, s->cert_sha256, &s->root, &members, NULL, in_force(s, now), &inner);
	if (why != DOC_OK)
		return err_set(e, ERR_CRYPTO, "members.json: %s: %s", doc_reason_name(why), inner.msg);
	find_signers(s);
	return 0;
}

static int
find_member(struct publish_site *s, int64_t now, struct err *e)
{
	size_t i;

	for (i = 0; i < s->cert.n_members; i++)
		if (sodium_memcmp(s->cert.members[i].key, s->sk + 32, DOC_KEY_LEN) == 0)
			s->member = &s->cert.members[i];
	if (s->member == NULL)
		return err_set(e, ERR_CRYPTO, "members.json does not certify this daemon's member key; have the root keys sign one that does");
	if (now + DOC_CLOCK_SKEW < s->member->not_before)
		return err_set(e, ERR_CRYPTO, "member \"%s\" is not valid yet; look at this machine's clock", s->member->name);
	return 0;
}

int
publish_site_load(struct publish_site **out, const char *dir, const uint8_t *member_sk, int64_t now, struct err *e)
{
	struct publish_site *s = calloc(1, sizeof *s);
	bool absent;

	if (s == NULL || (s->judged = judged_new()) == NULL) {
		free(s);
		return err_set(e, ERR_MEMORY, "out of memory");
	}
	s->sk = member_sk;
	if (read_roots(s, dir, e) == 0 && read_signed(&s->members, dir, "members.json", DOC_MEMBERS_MAX, &absent, e) == 0 &&
	    verify(s, now, e) == 0 && find_member(s, now, e) == 0 && revoked_load(s, dir, e) == 0) {
		doc_site_format(s->id, s->root.site);
		*out = s;
		return 0;
	}
	publish_site_free(s);
	return -1;
}

void
publish_site_free(struct publish_site *s)
{
	size_t i;

	if (s == NULL)
		return;
	for (i = 0; i < s->n_roots; i++)
		text_signed_free(&s->roots[i]);
	free(s->roots);
	free(s->revoked);
	judged_free(s->judged);
	text_signed_free(&s->members);
	free(s);
}

const char *
publish_site_id(const struct publish_site *s)
{
	return s->id;
}

const char *
publish_site_name(const struct publish_site *s)
{
	return s->root.doc.name;
}

const char *
publish_site_member(const struct publish_site *s)
{
	return s->member->name;
}

int64_t
publish_site_root_expiry(const struct publish_site *s)
{
	return s->root.doc.expires;
}

int64_t
publish_site_member_expiry(const struct publish_site *s)
{
	return s->member->not_after < s->cert.expires ? s->member->not_after : s->cert.expires;
}

bool
publish_site_same(const struct publish_site *a, const struct publish_site *b)
{
	return memcmp(a->root.sha256, b->root.sha256, DOC_HASH_LEN) == 0 && memcmp(a->cert_sha256, b->cert_sha256, DOC_HASH_LEN) == 0 &&
	    memcmp(a->member->key, b->member->key, DOC_KEY_LEN) == 0 && a->revoked_since == b->revoked_since && a->n_revoked == b->n_revoked &&
	    (a->n_revoked == 0 || memcmp(a->revoked, b->revoked, a->n_revoked * sizeof *a->revoked) == 0);
}

int64_t
publish_site_possession(const struct publish_site *s)
{
	return possession_s(s);
}

uint64_t
publish_site_epoch(const struct publish_site *s)
{
	return s->root.doc.epoch;
}

int64_t
publish_site_epoch_start(const struct publish_site *s)
{
	return s->root.doc.epoch_start;
}
