/* SPDX-License-Identifier: BSD-3-Clause */
/* A folder of documents and their signatures: read, judged, written; who still has to sign, and how. */
#include "config.h"
#include "cli/folder.h"

#include "base/enc.h"
#include "base/mem.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ROOTS_MAX 1024

static void
sdoc_free(struct sdoc *d)
{
	size_t i;

	free(d->text);
	for (i = 0; i < DOC_SIGS_MAX; i++)
		free(d->sigs[i].p);
}

struct doc_signed
sdoc_view(const struct sdoc *d)
{
	return (struct doc_signed){ .doc = { d->text, d->len }, .sigs = d->views, .n_sigs = d->n_views };
}

/* ERR_SYS with ENOENT: there is no such document. */
static int
sdoc_read(struct sdoc *d, const char *dir, const char *name, size_t max, struct err *e)
{
	char path[PATH_MAX];
	size_t i;

	memset(d, 0, sizeof *d);
	if ((size_t)snprintf(path, sizeof path, "%s/%s", dir, name) >= sizeof path)
		return err_set(e, ERR_LIMIT, "%s: path too long", dir);
	if (file_read(path, max, FILE_PUBLIC, &d->text, &d->len, e) != 0 ||
	    file_read_numbered(d->sigs, DOC_SIGS_MAX, path, ".minisig", MINISIGN_SIG_MAX, e) != 0)
		return -1;
	for (i = 0; i < DOC_SIGS_MAX; i++)
		if (d->sigs[i].p != NULL)
			d->views[d->n_views++] = (struct doc_text){ d->sigs[i].p, d->sigs[i].len };
	doc_hash(d->sha256, d->text, d->len);
	return 0;
}

static int
read_roots(struct folder *f, struct err *e)
{
	struct err inner = ERR_INIT;
	char name[32];

	for (; f->n_roots < ROOTS_MAX; f->n_roots++) {
		f->roots = xreallocarray(f->roots, f->n_roots + 1, sizeof *f->roots);
		snprintf(name, sizeof name, "%zu.root.json", f->n_roots + 1);
		if (sdoc_read(&f->roots[f->n_roots], f->dir, name, DOC_ROOT_MAX, &inner) == 0)
			continue;
		sdoc_free(&f->roots[f->n_roots]);
		if (inner.sys != ENOENT)
			return err_set(e, inner.code, "%s", inner.msg);
		break;
	}
	if (f->n_roots == 0)
		return err_set(e, ERR_NOTFOUND, "%s holds no 1.root.json: `onionmirror root new` makes one", f->dir);
	return 0;
}

/* The newest root may wait for signatures; chain_root_next() judges them last, so all else about it was good. */
static int
walk_roots(struct folder *f, struct err *e)
{
	struct err inner;
	struct doc_signed s;
	struct chain_root next;
	enum doc_reason why;
	size_t i;

	f->root_signed = true;
	for (i = 0; i < f->n_roots; i++) {
		err_clear(&inner);
		s = (struct doc_signed){ .doc = { f->roots[i].text, f->roots[i].len }, .sigs = f->roots[i].views, .n_sigs = f->roots[i].n_views };
		memset(&next, 0, sizeof next);
		why = chain_root_next(&next, i > 0 ? &f->last : NULL, NULL, &s, &inner);
		if (why == DOC_THRESHOLD && i + 1 == f->n_roots) {
			f->root_signed = false;
			doc_root_parse(&next.doc, s.doc.p, s.doc.len, NULL, NULL);
			memcpy(next.sha256, f->roots[i].sha256, DOC_HASH_LEN);
			memcpy(next.site, f->roots[0].sha256, DOC_HASH_LEN);
		} else if (why != DOC_OK) {
			return err_set(e, ERR_PROTO, "%s/%zu.root.json: %s: %s", f->dir, i + 1, doc_reason_name(why), inner.msg);
		}
		f->before = f->last;
		f->last = next;
	}
	return 0;
}

static int
read_members(struct folder *f, struct err *e)
{
	struct err inner = ERR_INIT;
	struct folder_item it;
	enum doc_reason why;

	if (sdoc_read(&f->members, f->dir, "members.json", DOC_MEMBERS_MAX, &inner) != 0)
		return inner.sys == ENOENT ? 0 : err_set(e, inner.code, "%s", inner.msg);
	why = doc_members_parse(&f->m, f->members.text, f->members.len, f->last.site, &inner);
	if (why != DOC_OK)
		return err_set(e, ERR_PROTO, "%s/members.json: %s: %s", f->dir, doc_reason_name(why), inner.msg);
	f->has_members = true;
	folder_members_item(&it, f);
	f->members_signed = folder_item_done(&it);
	return 0;
}

int
folder_load(struct folder *f, const char *dir, struct err *e)
{
	memset(f, 0, sizeof *f);
	f->dir = dir;
	return read_roots(f, e) != 0 || walk_roots(f, e) != 0 ? -1 : read_members(f, e);
}

void
folder_free(struct folder *f)
{
	size_t i;

	for (i = 0; i < f->n_roots; i++)
		sdoc_free(&f->roots[i]);
	free(f->roots);
	sdoc_free(&f->members);
	memset(f, 0, sizeof *f);
}

int
folder_put(const char *dir, const char *name, const char *text, struct err *e)
{
	char path[PATH_MAX], sig[PATH_MAX];
	unsigned i;

	if ((size_t)snprintf(path, sizeof path - 16, "%s/%s", dir, name) >= sizeof path - 16)
		return err_set(e, ERR_LIMIT, "%s: path too long", dir);
	if (file_write(path, text, strlen(text), 0644, e) != 0)
		return -1;
	for (i = 1; i <= DOC_SIGS_MAX; i++) {
		snprintf(sig, sizeof sig, "%.*s.%u.minisig", PATH_MAX - 32, path, i);
		if (unlink(sig) != 0 && errno != ENOENT)
			return err_set_sys(e, "%s (a signature of the document before)", sig);
	}
	return 0;
}

int
folder_add_sig(const char *dir, const char *name, const char *sig, unsigned *number, struct err *e)
{
	char path[PATH_MAX];
	struct err inner;
	unsigned i;

	for (i = 1; i <= DOC_SIGS_MAX; i++) {
		err_clear(&inner);
		if ((size_t)snprintf(path, sizeof path, "%s/%s.%u.minisig", dir, name, i) >= sizeof path)
			return err_set(e, ERR_LIMIT, "%s: path too long", dir);
		if (file_create(path, sig, strlen(sig), 0644, &inner) == 0) {
			if (number != NULL)
				*number = i;
			return 0;
		}
		if (inner.sys != EEXIST)
			return err_set(e, inner.code, "%s", inner.msg);
	}
	return err_set(e, ERR_LIMIT, "%s/%s has %d signature files already; remove those that are not of it", dir, name, DOC_SIGS_MAX);
}

unsigned
folder_free_number(const struct sdoc *d)
{
	unsigned i;

	for (i = 0; i < DOC_SIGS_MAX && d->sigs[i].p != NULL; i++)
		;
	return i + 1;
}

/* --- who has to sign -------------------------------------------------------------------------- */

void
folder_root_item(struct folder_item *it, const struct folder *f)
{
	memset(it, 0, sizeof *it);
	snprintf(it->name, sizeof it->name, "%zu.root.json", f->n_roots);
	it->doc = &f->roots[f->n_roots - 1];
	doc_root_comment(it->comment, f->last.site, f->n_roots, it->doc->sha256);
	it->sets[it->n_sets++] = &f->last.doc;
	if (f->n_roots > 1)
		it->sets[it->n_sets++] = &f->before.doc;
}

void
folder_members_item(struct folder_item *it, const struct folder *f)
{
	memset(it, 0, sizeof *it);
	snprintf(it->name, sizeof it->name, "members.json");
	it->doc = &f->members;
	doc_members_comment(it->comment, &f->m, it->doc->sha256);
	it->sets[it->n_sets++] = &f->last.doc;
}

/* Which keys of one set have signed; returns how many. */
static unsigned
signers(const struct folder_item *it, size_t set, bool who[DOC_KEYS_MAX])
{
	const struct doc_root *r = it->sets[set];
	struct doc_signed s = sdoc_view(it->doc);

	return chain_count_keys(&s, r->keys, r->n_keys, it->comment, (unsigned)r->n_keys, who);
}

bool
folder_item_done(const struct folder_item *it)
{
	bool who[DOC_KEYS_MAX];
	size_t i;

	for (i = 0; i < it->n_sets; i++)
		if (signers(it, i, who) < it->sets[i]->threshold)
			return false;
	return true;
}

bool
folder_item_has_key(const struct folder_item *it, const uint8_t pk[DOC_KEY_LEN], bool *has_signed)
{
	bool who[DOC_KEYS_MAX], found = false;
	size_t i, k;

	*has_signed = false;
	for (i = 0; i < it->n_sets; i++) {
		signers(it, i, who);
		for (k = 0; k < it->sets[i]->n_keys; k++)
			if (memcmp(it->sets[i]->keys[k], pk, DOC_KEY_LEN) == 0) {
				found = true;
				*has_signed = who[k];
			}
	}
	return found;
}

void
folder_item_print(const struct folder *f, const struct folder_item *it)
{
	char hex[HEX_LEN(DOC_KEY_LEN) + 1];
	bool who[DOC_KEYS_MAX];
	size_t i, k;

	for (i = 0; i < it->n_sets; i++) {
		const struct doc_root *r = it->sets[i];
		unsigned n = signers(it, i, who);

		printf("%s has %u of the %u signatures it needs from the keys of root %llu:\n", it->name, n < r->threshold ? n : r->threshold,
		    r->threshold, (unsigned long long)r->version);
		for (k = 0; k < r->n_keys; k++) {
			hex_encode(hex, r->keys[k], DOC_KEY_LEN);
			printf("  %s  %s\n", hex, who[k] ? "signed" : "-");
		}
	}
	if (folder_item_done(it))
		return;
	printf("Who holds one of these keys signs with either of\n"
	       "  onionmirror root sign %s/%s KEY\n"
	       "  minisign -S -H -s KEY -m %s/%s -x %s/%s.%u.minisig -t '%s'\n", f->dir, it->name, f->dir, it->name, f->dir, it->name,
	    folder_free_number(it->doc), it->comment);
}

json_t *
folder_item_json(const struct folder *f, const struct folder_item *it)
{
	json_t *sets = json_array(), *keys;
	char hex[HEX_LEN(DOC_KEY_LEN) + 1];
	bool who[DOC_KEYS_MAX];
	size_t i, k;

	for (i = 0; i < it->n_sets; i++) {
		keys = json_array();
		signers(it, i, who);
		for (k = 0; k < it->sets[i]->n_keys; k++) {
			hex_encode(hex, it->sets[i]->keys[k], DOC_KEY_LEN);
			json_array_append_new(keys, json_pack("{s:s,s:b}", "key", hex, "signed", (int)who[k]));
		}
		json_array_append_new(sets, json_pack("{s:I,s:i,s:o}", "root", (json_int_t)it->sets[i]->version, "threshold",
		    (int)it->sets[i]->threshold, "keys", keys));
	}
	return json_pack("{s:s++,s:s,s:b,s:o}", "file", f->dir, "/", it->name, "trusted_comment", it->comment, "signed",
	    (int)folder_item_done(it), "needs", sets);
}
