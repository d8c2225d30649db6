/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * onionmirror member new, certify, renew, remove: each makes the next
 * members.json, which the root keys then sign. No daemon is needed.
 */
#include "config.h"
#include "cli/cli.h"

#include "base/clock.h"
#include "base/mem.h"
#include "cli/folder.h"
#include "cli/keyfile.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define DAY 86400

static struct doc_member *
find(struct doc_members *m, const char *name)
{
	size_t i;

	for (i = 0; i < m->n_members; i++)
		if (strcmp(m->members[i].name, name) == 0)
			return &m->members[i];
	return NULL;
}

static void
set_window(struct doc_member *x, const struct doc_members *m)
{
	x->not_before = m->issued;
	x->not_after = m->expires;
}

/* Adds a member, or gives one another key. */
static int
certify(struct doc_members *m, const char *name, const uint8_t pk[DOC_KEY_LEN], struct err *e)
{
	struct doc_member *x = find(m, name);
	size_t i;

	if (!doc_member_name_ok(name))
		return err_set(e, ERR_PARSE, "%s: a member's name has a-z, 0-9 and -, at most %d characters", name, DOC_MEMBER_LEN);
	for (i = 0; i < m->n_members; i++)
		if (&m->members[i] != x && memcmp(m->members[i].key, pk, DOC_KEY_LEN) == 0)
			return err_set(e, ERR_REFUSED, "member %s has this key already; each member needs its own", m->members[i].name);
	if (x == NULL && m->n_members == DOC_MEMBER_MAX)
		return err_set(e, ERR_LIMIT, "at most %d members", DOC_MEMBER_MAX);
	if (x == NULL) {
		x = &m->members[m->n_members++];
		snprintf(x->name, sizeof x->name, "%s", name);
	}
	memcpy(x->key, pk, DOC_KEY_LEN);
	set_window(x, m);
	return 0;
}

static int
no_such(const struct folder *f, const char *name, struct err *e)
{
	return err_set(e, ERR_NOTFOUND, "%s/members.json has no member %s", f->dir, name);
}

/* Those named, or all. */
static int
renew(const struct folder *f, struct doc_members *m, char **names, int n, struct err *e)
{
	struct doc_member *x;
	size_t k;
	int i;

	if (m->n_members == 0)
		return err_set(e, ERR_NOTFOUND, "%s has no members yet: `onionmirror member certify` adds one", f->dir);
	for (k = 0; n == 0 && k < m->n_members; k++)
		set_window(&m->members[k], m);
	for (i = 0; i < n; i++) {
		if ((x = find(m, names[i])) == NULL)
			return no_such(f, names[i], e);
		set_window(x, m);
	}
	return 0;
}

static int
remove_named(const struct folder *f, struct doc_members *m, char **names, int n, struct err *e)
{
	struct doc_member *x;
	int i;

	for (i = 0; i < n; i++) {
		if ((x = find(m, names[i])) == NULL)
			return no_such(f, names[i], e);
		memmove(x, x + 1, (size_t)(&m->members[--m->n_members] - x) * sizeof *x);
	}
	return 0;
}

/* The next members document: the members of the one before, new times, a seq that rises. */
static int
begin_next(struct doc_members *m, const struct folder *f, struct err *e)
{
	const struct doc_root *r = &f->last.doc;
	int64_t days = r->limits.member_days < 3650 ? (int64_t)r->limits.member_days : 3650;

	if (days == 0)
		return err_set(e, ERR_REFUSED, "the root allows no members at all: its member_days is 0");
	*m = f->m;
	memcpy(m->site, f->last.site, sizeof m->site);
	m->seq = m->epoch == r->epoch ? m->seq + 1 : 1;
	m->epoch = r->epoch;
	m->issued = clock_wall_s() / 3600 * 3600;
	m->expires = m->issued + days * DAY;
	return 0;
}

static int
report(struct cli *c, const char *dir, struct err *e)
{
	struct folder_item it;
	char until[32];
	struct folder f;
	json_t *v;
	size_t i;

	if (folder_load(&f, dir, e) != 0) {
		folder_free(&f);
		return -1;
	}
	folder_members_item(&it, &f);
	if (c->json) {
		v = folder_item_json(&f, &it);
		json_object_set_new(v, "seq", json_integer((json_int_t)f.m.seq));
		cli_print_json(v);
	} else {
		printf("made %s/members.json, number %llu:\n", dir, (unsigned long long)f.m.seq);
		for (i = 0; i < f.m.n_members; i++) {
			cli_format_age(until, f.m.members[i].not_after, clock_wall_s());
			printf("  %s, runs out %s\n", f.m.members[i].name, until);
		}
		folder_item_print(&f, &it);
	}
	folder_free(&f);
	return 0;
}

enum change { NEW, CERTIFY, RENEW, REMOVE };

/* `member new DIR NAME`: a key for it, beside the documents. */
static int
new_key(const struct folder *f, const char *name, const struct keyfile_seal *seal, uint8_t pk[DOC_KEY_LEN], struct err *e)
{
	char stem[PATH_MAX - 8];

	if (!doc_member_name_ok(name))
		return err_set(e, ERR_PARSE, "%s: a member's name has a-z, 0-9 and -, at most %d characters", name, DOC_MEMBER_LEN);
	if (chain_member_find(&f->m, name) != NULL)
		return err_set(e, ERR_REFUSED, "there is a member %s already; `member certify` gives it another key", name);
	if (f->m.n_members == DOC_MEMBER_MAX)
		return err_set(e, ERR_LIMIT, "at most %d members", DOC_MEMBER_MAX);
	if ((size_t)snprintf(stem, sizeof stem, "%s/member-%s", f->dir, name) >= sizeof stem)
		return err_set(e, ERR_LIMIT, "%s: path too long", f->dir);
	return keyfile_new(stem, seal, pk, e);
}

static int
change(const char *dir, enum change what, char **words, int n, const struct keyfile_seal *seal, struct err *e)
{
	struct doc_members *m = xcalloc(1, sizeof *m);
	struct folder *f = xcalloc(1, sizeof *f);
	uint8_t pk[DOC_KEY_LEN];
	char *text = NULL;
	int r = -1;

	if (folder_load(f, dir, e) != 0 || begin_next(m, f, e) != 0)
		goto out;
	switch (what) {
	case NEW: r = new_key(f, words[0], seal, pk, e) == 0 ? certify(m, words[0], pk, e) : -1; break;
	case CERTIFY: r = keyfile_public(pk, words[1], e) == 0 ? certify(m, words[0], pk, e) : -1; break;
	case RENEW: r = renew(f, m, words, n, e); break;
	case REMOVE: r = remove_named(f, m, words, n, e); break;
	}
	if (r == 0 && (doc_members_write(&text, NULL, m, e) != 0 || folder_put(dir, "members.json", text, e) != 0))
		r = -1;
out:
	folder_free(f);
	free(f);
	free(m);
	free(text);
	return r;
}

static int
member_verb(struct cli *c, int argc, char **argv, const char *verb, enum change what, int least, int most)
{
	struct keyfile_seal seal = { 0 };
	const struct cli_opt none[] = { { 0 } }, sealing[] = { { "no-passphrase", &seal.none, NULL }, { "passphrase-fd", NULL, &seal.fd }, { 0 } };
	struct err e = ERR_INIT;

	if (cli_take_options(c, &argc, argv, what == NEW ? sealing : none, &e) != 0 || c->help || argc - 2 < least || argc - 2 > most)
		return cli_usage(verb, &e);
	umask(022);
	if (change(argv[1], what, argv + 2, argc - 2, &seal, &e) != 0 || report(c, argv[1], &e) != 0)
		return cli_fail(CLI_FAILED, "%s: %s", verb, e.msg);
	return CLI_DONE;
}

int
verb_member_new(struct cli *c, int argc, char **argv)
{
	return member_verb(c, argc, argv, "member new", NEW, 1, 1);
}

int
verb_member_certify(struct cli *c, int argc, char **argv)
{
	return member_verb(c, argc, argv, "member certify", CERTIFY, 2, 2);
}

int
verb_member_renew(struct cli *c, int argc, char **argv)
{
	return member_verb(c, argc, argv, "member renew", RENEW, 0, DOC_MEMBER_MAX);
}

int
verb_member_remove(struct cli *c, int argc, char **argv)
{
	return member_verb(c, argc, argv, "member remove", REMOVE, 1, DOC_MEMBER_MAX);
}
