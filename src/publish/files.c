/* SPDX-License-Identifier: BSD-3-Clause */
/* The files of one channel folder, in memory. */
#include "config.h"
#include "publish/publish_impl.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Takes the text, also on failure. */
static int __attribute__((format(printf, 5, 6)))
put_take(struct channel_files *c, char *text, size_t len, struct err *e, const char *fmt, ...)
{
	struct pfile *more;
	char *name = NULL;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&name, fmt, ap);
	va_end(ap);
	if (n < 0)
		name = NULL;
	if (c->n == c->cap) {
		more = realloc(c->files, (c->cap + 32) * sizeof *more);
		if (more != NULL) {
			c->files = more;
			c->cap += 32;
		}
	}
	if (text == NULL || name == NULL || c->n == c->cap) {
		free(text);
		free(name);
		return err_set(e, ERR_MEMORY, "out of memory");
	}
	c->files[c->n++] = (struct pfile){ .name = name, .text = text, .len = len };
	return 0;
}

#define put_copy(c, text, len, e, ...) put_take(c, strndup(text, len), len, e, __VA_ARGS__)

static int
put_signed(struct channel_files *c, const struct text_signed *t, const char *name, struct err *e)
{
	size_t i;

	if (put_copy(c, t->doc, t->len, e, "%s", name) != 0)
		return -1;
	/* Under its own number, by which the page names it. */
	for (i = 0; i < DOC_SIGS_MAX; i++)
		if (t->files[i].p != NULL && put_copy(c, t->files[i].p, t->files[i].len, e, "%s.%zu.minisig", name, i + 1) != 0)
			return -1;
	return 0;
}

static int
put_chain(struct channel_files *c, const struct publish_site *s, struct err *e)
{
	char name[48], pub[MINISIGN_PUBKEY_TEXT];
	size_t i;

	for (i = 0; i < s->n_roots; i++) {
		snprintf(name, sizeof name, "%zu.root.json", i + 1);
		if (put_signed(c, &s->roots[i], name, e) != 0)
			return -1;
	}
	minisign_pubkey_format(pub, s->member->key, NULL);
	if (put_copy(c, pub, strlen(pub), e, "member.pub") != 0)
		return -1;
	return put_signed(c, &s->members, "members.json", e);
}

static int
put_bundle(struct channel_files *c, const struct publish_site *s, const struct publication *p, const struct publish_others *o,
    const struct doc_text *leaves, size_t n, struct err *e)
{
	struct doc_text sig = { p->head_sig, strlen(p->head_sig) };
	struct doc_signed heads[DOC_MEMBER_MAX + 1] = { { .doc = { p->head_text, p->head_len }, .sigs = &sig, .n_sigs = 1 } };
	struct doc_bundle b = { .n_roots = s->n_roots, .members = text_signed_view(&s->members), .heads = heads, .n_heads = 1, .n_leaves = n };
	struct doc_text *texts = calloc(n + 1, sizeof *texts);
	char *text = NULL;
	size_t i, len;
	int r = -1;

	b.roots = calloc(s->n_roots, sizeof *b.roots);
	if (b.roots == NULL || texts == NULL) {
		err_set(e, ERR_MEMORY, "out of memory");
		goto out;
	}
	for (i = 0; i < s->n_roots; i++)
		b.roots[i] = text_signed_view(&s->roots[i]);
	for (i = 0; o != NULL && i < o->n_heads; i++)
		heads[b.n_heads++] = o->heads[i];
	memcpy(texts, leaves, n * sizeof *texts);
	b.leaves = texts;
	if (doc_bundle_write(&text, &len, &b, e) == 0)
		r = put_take(c, text, len, e, "bundle.json");
out:
	free(b.roots);
	free(texts);
	return r;
}

/*
 * The Onion Mirror Guidelines (dark.fail): a line that begins with http:// or
 * https:// is a mirror, scheme and host only, all with the same content;
 * everything else is a comment. So an archive, and a mirror on a port that such
 * a line can't hold, are comments.
 */
static void
add_mirror_line(struct buf *b, const struct doc_leaf *l)
{
	const char *end = strstr(l->url, ".onion") + strlen(".onion");

	if (l->role == DOC_ROLE_ARCHIVE)
		buf_addf(b, "# archive: %s\n", l->url);
	else if (*end == ':')
		buf_addf(b, "# on a port of its own: %s\n", l->url);
	else
		buf_addf(b, "%.*s\n", (int)(end - l->url), l->url);
}

static int
put_mirrors_txt(struct channel_files *c, const struct page *pg, struct err *e)
{
	struct buf b = BUF_INIT(1024 * 1024);
	char issued[UTC_LEN + 1], until[UTC_LEN + 1], comment[256], *sig = NULL, *text;
	size_t i, len;

	utc_format(issued, pg->head->issued);
	utc_format(until, pg->head->valid_until);
	buf_addf(&b, "# Mirrors of %s\n# site %s\n# serial %llu, issued %s, valid until %s\n# Every line without # is one mirror.\n",
	    publish_site_name(pg->site), publish_site_id(pg->site), (unsigned long long)pg->head->serial, issued, until);
	for (i = 0; i < pg->n_leaves; i++)
		add_mirror_line(&b, &pg->leaves[i]);
	len = b.len;
	text = buf_take(&b);
	if (text == NULL)
		return err_set(e, ERR_MEMORY, "out of memory");
	snprintf(comment, sizeof comment, "onionmirror mirrors.txt site=%s serial=%llu valid-until=%s", publish_site_id(pg->site),
	    (unsigned long long)pg->head->serial, until);
	if (minisign_sign(&sig, pg->site->sk, NULL, text, len, comment, NULL, e) != 0) {
		free(text);
		return -1;
	}
	if (put_take(c, text, len, e, "mirrors.txt") != 0) {
		free(sig);
		return -1;
	}
	return put_take(c, sig, strlen(sig), e, "mirrors.txt.minisig");
}

static int
put_buf(struct channel_files *c, struct buf *b, const char *name, struct err *e)
{
	size_t len = b->len;

	return put_take(c, buf_take(b), len, e, "%s", name);
}

static int
put_page(struct channel_files *c, struct page *pg, struct err *e)
{
	struct buf png = BUF_INIT(256 * 1024), html = BUF_INIT(4 * 1024 * 1024);

	pg->qr = qr_png(&png, publish_site_id(pg->site));
	if (pg->qr && put_buf(c, &png, "site.png", e) != 0)
		return -1;
	buf_free(&png);
	html_write(&html, pg);
	return put_buf(c, &html, "index.html", e);
}

/* The heads of other members beside ours. */
static int
put_others(struct channel_files *c, const struct publish_others *o, struct err *e)
{
	struct doc_head h;
	size_t i;
	int r = 0;

	for (i = 0; o != NULL && r == 0 && i < o->n_heads; i++) {
		const struct doc_signed *d = &o->heads[i];

		if (doc_head_parse(&h, d->doc.p, d->doc.len, NULL, e) != DOC_OK)
			return -1;
		r = put_copy(c, d->doc.p, d->doc.len, e, "head-%s.json", h.member);
		if (r == 0)
			r = put_copy(c, d->sigs[0].p, d->sigs[0].len, e, "head-%s.json.minisig", h.member);
		doc_head_free(&h);
	}
	return r;
}

static int
put_leaf(struct channel_files *c, const struct publish_site *s, struct doc_leaf *leaf, const struct doc_text *t, struct err *e)
{
	const struct doc_leaf *found;
	enum doc_reason why = judged_find(&found, s, t->p, t->len);

	if (why != DOC_OK)
		return err_set(e, ERR_REFUSED, "a leaf does not verify: %s", doc_reason_name(why));
	*leaf = *found;
	return put_copy(c, t->p, t->len, e, "leaf-%s.onion.json", leaf->onion);
}

/* Whose head lists each leaf: the first `own` are ours. */
static int
name_members(char (*out)[DOC_MEMBER_LEN + 1], const struct publication *p, const struct doc_text *leaves, size_t own, size_t n,
    const struct publish_others *o, struct err *e)
{
	uint8_t hash[DOC_HASH_LEN];
	struct doc_head h;
	size_t i, k;

	for (i = 0; i < own; i++)
		memcpy(out[i], p->head.member, sizeof out[i]);
	for (k = 0; o != NULL && k < o->n_heads; k++) {
		if (doc_head_parse(&h, o->heads[k].doc.p, o->heads[k].doc.len, NULL, e) != DOC_OK)
			return -1;
		for (i = own; i < n; i++) {
			doc_hash(hash, leaves[i].p, leaves[i].len);
			if (out[i][0] == '\0' && doc_leaves_have((const uint8_t(*)[DOC_HASH_LEN])h.leaves, h.n_leaves, hash))
				memcpy(out[i], h.member, sizeof out[i]);
		}
		doc_head_free(&h);
	}
	return 0;
}

int
files_make(struct channel_files *c, const struct publish_site *s, const struct publication *p, const struct publish_list *l, struct err *e)
{
	const struct publish_others *o = l->others;
	size_t most = l->n_entries + (o != NULL ? o->n_leaves : 0), i, own, n = 0;
	struct doc_leaf *leaves = calloc(most + 1, sizeof *leaves);
	struct doc_text *texts = calloc(most + 1, sizeof *texts);
	char (*members)[DOC_MEMBER_LEN + 1] = calloc(most + 1, sizeof *members);
	struct page pg = { .site = s, .head = &p->head, .leaves = leaves };
	int r = -1;

	if (leaves == NULL || texts == NULL || members == NULL) {
		err_set(e, ERR_MEMORY, "out of memory");
		goto out;
	}
	for (i = 0; i < l->n_entries; i++)
		if (strcmp(l->entries[i].channel, c->channel) == 0)
			texts[n++] = (struct doc_text){ l->entries[i].leaf, strlen(l->entries[i].leaf) };
	own = n;
	for (i = 0; o != NULL && i < o->n_leaves; i++)
		texts[n++] = o->leaves[i];
	if (name_members(members, p, texts, own, n, o, e) != 0)
		goto out;
	pg.members = (const char(*)[DOC_MEMBER_LEN + 1])members;
	for (i = 0; i < n; i++)
		if (put_leaf(c, s, &leaves[i], &texts[i], e) != 0)
			goto out;
	pg.n_leaves = n;
	if (put_chain(c, s, e) == 0 && put_copy(c, p->head_text, p->head_len, e, "head.json") == 0 &&
	    put_copy(c, p->head_sig, strlen(p->head_sig), e, "head.json.minisig") == 0 && put_others(c, o, e) == 0 &&
	    put_bundle(c, s, p, o, texts, n, e) == 0 && put_mirrors_txt(c, &pg, e) == 0 && put_page(c, &pg, e) == 0)
		r = 0;
out:
	free(leaves);
	free(texts);
	free(members);
	return r;
}

void
files_free(struct channel_files *c)
{
	size_t i;

	for (i = 0; i < c->n; i++) {
		free(c->files[i].name);
		free(c->files[i].text);
	}
	free(c->files);
	free(c->channel);
	memset(c, 0, sizeof *c);
}
