/* SPDX-License-Identifier: BSD-3-Clause */
/* onionmirror root new, rotate, sign: the documents that hold the root keys, and signatures by them. No daemon is needed. */
#include "config.h"
#include "cli/cli.h"

#include "base/clock.h"
#include "base/mem.h"
#include "cli/folder.h"
#include "cli/keyfile.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define DAY 86400
#define ROOT_DAYS 365

/* What the command line says of a root; NULL: as before, or the default. */
struct wish {
	const char *name, *threshold, *days, *member_days, *head_hours, *possession_days;
	bool new_epoch;
	char **keys; /* public key files, borrowed */
	int n_keys;
};

static int
take_number(const char *option, const char *text, uint64_t most, uint64_t *out, struct err *e)
{
	char *end;

	if (text == NULL)
		return 0;
	errno = 0;
	*out = strtoull(text, &end, 10);
	if (text[0] < '1' || text[0] > '9' || *end != '\0' || errno != 0 || *out > most)
		return err_set(e, ERR_PARSE, "--%s %s: a number from 1 to %llu is needed", option, text, (unsigned long long)most);
	return 0;
}

static int
take_keys(struct doc_root *r, const struct wish *w, struct err *e)
{
	size_t i, k;

	if (w->n_keys == 0)
		return 0;
	if (w->n_keys > DOC_KEYS_MAX)
		return err_set(e, ERR_LIMIT, "at most %d root keys", DOC_KEYS_MAX);
	for (i = 0; i < (size_t)w->n_keys; i++) {
		if (keyfile_public(r->keys[i], w->keys[i], e) != 0)
			return -1;
		for (k = 0; k < i; k++)
			if (memcmp(r->keys[k], r->keys[i], DOC_KEY_LEN) == 0)
				return err_set(e, ERR_REFUSED, "%s and %s are the same key", w->keys[k], w->keys[i]);
	}
	r->n_keys = i;
	return 0;
}

/* Applies the wish to a root that holds what is to stay. */
static int
take_wish(struct doc_root *r, const struct wish *w, int64_t now, struct err *e)
{
	uint64_t days = ROOT_DAYS, threshold = 0;

	if (w->name != NULL && (strlen(w->name) < 1 || strlen(w->name) > DOC_NAME_MAX))
		return err_set(e, ERR_PARSE, "--name: 1 to %d characters", DOC_NAME_MAX);
	if (w->name != NULL)
		snprintf(r->name, sizeof r->name, "%s", w->name);
	if (take_keys(r, w, e) != 0 || take_number("threshold", w->threshold, r->n_keys, &threshold, e) != 0 ||
	    take_number("days", w->days, 3650, &days, e) != 0 || take_number("member-days", w->member_days, 3650, &r->limits.member_days, e) != 0 ||
	    take_number("head-hours", w->head_hours, 87600, &r->limits.head_hours, e) != 0 ||
	    take_number("possession-days", w->possession_days, 3650, &r->limits.possession_days, e) != 0)
		return -1;
	/* A majority, unless it is said; one that was said before stays while it can. */
	if (threshold != 0)
		r->threshold = (unsigned)threshold;
	else if (r->threshold == 0 || r->threshold > r->n_keys)
		r->threshold = (unsigned)r->n_keys / 2 + 1;
	r->expires = now / 3600 * 3600 + (int64_t)days * DAY;
	return 0;
}

static int
report(struct cli *c, const char *dir, struct err *e)
{
	char site[DOC_SITE_TEXT_LEN + 1];
	struct folder_item it;
	struct folder f;
	json_t *v;

	if (folder_load(&f, dir, e) != 0) {
		folder_free(&f);
		return -1;
	}
	folder_root_item(&it, &f);
	doc_site_format(site, f.last.site);
	if (c->json) {
		v = folder_item_json(&f, &it);
		json_object_set_new(v, "site", json_string(site));
		cli_print_json(v);
	} else {
		printf("made %s/%s of site %s\n         %s\n", dir, it.name, f.last.doc.name, site);
		folder_item_print(&f, &it);
		if (f.has_members && f.m.epoch != f.last.doc.epoch)
			puts("A new epoch: members.json counts no longer; once this root is signed, `onionmirror member renew` makes one.");
	}
	folder_free(&f);
	return 0;
}

static int
put_root(const char *dir, const struct doc_root *r, struct err *e)
{
	char path[PATH_MAX], *text;
	size_t n;
	int ret;

	if ((size_t)snprintf(path, sizeof path, "%s/%llu.root.json", dir, (unsigned long long)r->version) >= sizeof path)
		return err_set(e, ERR_LIMIT, "%s: path too long", dir);
	if (doc_root_write(&text, &n, r, e) != 0)
		return -1;
	ret = file_create(path, text, n, 0644, e);
	free(text);
	return ret;
}

static int
new_root(const char *dir, const struct wish *w, struct err *e)
{
	int64_t now = clock_wall_s();
	struct doc_root r = { .version = 1, .epoch = 1, .epoch_start = now / 3600 * 3600,
		.limits = { .member_days = 37, .head_hours = 168, .possession_days = 90 } };

	if (take_wish(&r, w, now, e) != 0 || file_mkdirs(dir, 0700, e) != 0)
		return -1;
	return put_root(dir, &r, e);
}

static int
next_root(const char *dir, const struct wish *w, struct err *e)
{
	int64_t now = clock_wall_s();
	struct doc_root r;
	struct folder f;
	int ret = -1;

	if (folder_load(&f, dir, e) != 0)
		goto out;
	if (!f.root_signed) {
		err_set(e, ERR_REFUSED, "%s/%zu.root.json is not signed by enough keys yet; sign it, or remove it to begin again", dir, f.n_roots);
		goto out;
	}
	r = f.last.doc;
	r.version++;
	memcpy(r.prev, f.last.sha256, sizeof r.prev);
	memcpy(r.site, f.last.site, sizeof r.site);
	if (w->new_epoch) {
		r.epoch++;
		r.epoch_start = now / 3600 * 3600;
	}
	if (take_wish(&r, w, now, e) == 0)
		ret = put_root(dir, &r, e);
out:
	folder_free(&f);
	return ret;
}

static int
root_verb(struct cli *c, int argc, char **argv, const char *verb, bool is_new)
{
	struct wish w = { 0 };
	const struct cli_opt opts[] = { { "name", NULL, &w.name }, { "threshold", NULL, &w.threshold }, { "days", NULL, &w.days },
		{ "member-days", NULL, &w.member_days }, { "head-hours", NULL, &w.head_hours }, { "possession-days", NULL, &w.possession_days },
		{ is_new ? NULL : "new-epoch", &w.new_epoch, NULL }, { 0 } };
	struct err e = ERR_INIT;

	if (cli_take_options(c, &argc, argv, opts, &e) != 0 || c->help || argc < 2)
		return cli_usage(verb, &e);
	w.keys = argv + 2;
	w.n_keys = argc - 2;
	if (is_new && (w.name == NULL || w.n_keys == 0)) {
		err_set(&e, ERR_PARSE, "root new needs --name and at least one public key file");
		return cli_usage(verb, &e);
	}
	umask(022);
	if ((is_new ? new_root(argv[1], &w, &e) : next_root(argv[1], &w, &e)) != 0 || report(c, argv[1], &e) != 0)
		return cli_fail(CLI_FAILED, "%s: %s", verb, e.msg);
	return CLI_DONE;
}

int
verb_root_new(struct cli *c, int argc, char **argv)
{
	return root_verb(c, argc, argv, "root new", true);
}

int
verb_root_rotate(struct cli *c, int argc, char **argv)
{
	return root_verb(c, argc, argv, "root rotate", false);
}

/* --- signing ------------------------------------------------------------------------------------ */

/* The document of a path, if it is the one that waits for signatures; nothing is signed that readers would refuse. */
static int
find_item(struct folder_item *it, const struct folder *f, const char *name, struct err *e)
{
	struct err inner = ERR_INIT;
	enum doc_reason why;

	folder_root_item(it, f);
	if (strcmp(name, it->name) == 0) {
		why = chain_root_expiry(&f->last, clock_wall_s(), &inner);
	} else if (strcmp(name, "members.json") == 0 && f->has_members) {
		folder_members_item(it, f);
		why = chain_members_check(&f->m, f->members.sha256, &f->last.doc, NULL, clock_wall_s(), &inner);
	} else {
		return err_set(e, ERR_REFUSED, "%s/%s is not what is signed: name the newest N.root.json (%s) or members.json", f->dir, name, it->name);
	}
	return why == DOC_OK ? 0 : err_set(e, ERR_REFUSED, "%s: no reader would take it: %s: %s", name, doc_reason_name(why), inner.msg);
}

static int
sign_item(const struct folder *f, const struct folder_item *it, const char *key_path, const char *fd, bool *fresh, struct err *e)
{
	struct minisign_seckey *key = NULL;
	char *sig = NULL;
	bool has_signed;
	int r = -1;

	if (keyfile_open(&key, key_path, fd, e) != 0)
		return -1;
	if (!folder_item_has_key(it, key->sk + 32, &has_signed))
		err_set(e, ERR_REFUSED, "%s is not one of the keys that sign %s", key_path, it->name);
	else if (has_signed || (minisign_sign(&sig, key->sk, key->id, it->doc->text, it->doc->len, it->comment, NULL, e) == 0 &&
	    folder_add_sig(f->dir, it->name, sig, NULL, e) == 0))
		r = 0;
	*fresh = sig != NULL;
	free(sig);
	secret_free(key);
	return r;
}

static int
sign_file(struct cli *c, const char *dir, const char *name, const char *key, const char *fd, struct err *e)
{
	struct folder_item it;
	struct folder f;
	bool fresh;
	int r = -1;

	if (folder_load(&f, dir, e) != 0 || find_item(&it, &f, name, e) != 0 || sign_item(&f, &it, key, fd, &fresh, e) != 0)
		goto out;
	/* Anew: what counts is what is on disk now. */
	folder_free(&f);
	if (folder_load(&f, dir, e) != 0 || find_item(&it, &f, name, e) != 0)
		goto out;
	if (c->json) {
		cli_print_json(folder_item_json(&f, &it));
	} else {
		if (!fresh)
			printf("%s had signed it already\n", key);
		folder_item_print(&f, &it);
	}
	r = 0;
out:
	folder_free(&f);
	return r;
}

int
verb_root_sign(struct cli *c, int argc, char **argv)
{
	const char *fd = NULL, *name;
	const struct cli_opt opts[] = { { "passphrase-fd", NULL, &fd }, { 0 } };
	char dir[PATH_MAX], *slash;
	struct err e = ERR_INIT;

	if (cli_take_options(c, &argc, argv, opts, &e) != 0 || c->help || argc != 3)
		return cli_usage("root sign", &e);
	if ((size_t)snprintf(dir, sizeof dir, "%s", argv[1]) >= sizeof dir)
		return cli_fail(CLI_FAILED, "%s: path too long", argv[1]);
	name = strrchr(argv[1], '/');
	slash = strrchr(dir, '/');
	if (slash != NULL)
		slash[slash == dir] = '\0';
	name = name != NULL ? name + 1 : argv[1];
	if (slash == NULL)
		snprintf(dir, sizeof dir, ".");
	umask(022);
	if (sign_file(c, dir, name, argv[2], fd, &e) != 0)
		return cli_fail(CLI_FAILED, "root sign: %s", e.msg);
	return CLI_DONE;
}
