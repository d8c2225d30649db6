/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * onionmirror site check, install: what a folder of documents lacks, and the
 * way of complete documents into the state folder, verified against what is
 * there. The daemon takes them at its next reload.
 */
#include "config.h"
#include "cli/cli.h"

#include "base/clock.h"
#include "base/mem.h"
#include "cli/folder.h"
#include "cli/keyfile.h"
#include "conf/conf.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What keeps a folder from being complete and good now, as lines; none: nothing. */
static void
find_faults(const struct folder *f, int64_t now, struct buf *faults)
{
	char from[UTC_LEN + 1];
	struct err e = ERR_INIT;
	size_t i;

	if (!f->root_signed)
		buf_addf(faults, "%zu.root.json lacks signatures\n", f->n_roots);
	if (chain_root_expiry(&f->last, now, &e) != DOC_OK)
		buf_addf(faults, "%s: `onionmirror root rotate` makes the next one\n", e.msg);
	err_clear(&e);
	if (!f->has_members)
		buf_adds(faults, "there is no members.json: `onionmirror member new` or `member certify` makes one\n");
	else if (!f->members_signed)
		buf_adds(faults, "members.json lacks signatures\n");
	if (f->has_members && chain_members_check(&f->m, f->members.sha256, &f->last.doc, NULL, now, &e) != DOC_OK)
		buf_addf(faults, "%s: `onionmirror member renew` makes the next one\n", e.msg);
	if (f->has_members && f->m.n_members == 0)
		buf_adds(faults, "members.json certifies nobody\n");
	for (i = 0; i < f->m.n_members; i++) {
		utc_format(from, f->m.members[i].not_before);
		if (f->m.members[i].not_after <= now)
			buf_addf(faults, "the certificate of %s ran out: `onionmirror member renew` renews it\n", f->m.members[i].name);
		else if (f->m.members[i].not_before > now + DOC_CLOCK_SKEW)
			buf_addf(faults, "the certificate of %s begins %s: wait, or look at this machine's clock\n", f->m.members[i].name, from);
	}
}

static void
print_check(const struct folder *f, const struct buf *faults, int64_t now)
{
	char until[32], site[DOC_SITE_TEXT_LEN + 1];
	struct folder_item it;
	size_t i;

	doc_site_format(site, f->last.site);
	cli_format_age(until, f->last.doc.expires, now);
	printf("site     %s\n         %s\nroot     %zu, epoch %llu, %u of %zu keys, runs out %s\n", f->last.doc.name, site, f->n_roots,
	    (unsigned long long)f->last.doc.epoch, f->last.doc.threshold, f->last.doc.n_keys, until);
	if (f->has_members) {
		cli_format_age(until, f->m.expires, now);
		printf("members  number %llu, runs out %s\n", (unsigned long long)f->m.seq, until);
	}
	for (i = 0; i < f->m.n_members; i++) {
		cli_format_age(until, f->m.members[i].not_after, now);
		printf("member   %s, runs out %s\n", f->m.members[i].name, until);
	}
	folder_root_item(&it, f);
	folder_item_print(f, &it);
	if (f->has_members) {
		folder_members_item(&it, f);
		folder_item_print(f, &it);
	}
	fputs(faults->len > 0 ? "NOT READY\n" : "ready: `onionmirror site install` puts it into force\n", stdout);
	fputs(buf_str(faults), stdout);
}

static json_t *
check_json(const struct folder *f, const struct buf *faults)
{
	char site[DOC_SITE_TEXT_LEN + 1], *text = xstrdup(buf_str(faults)), *rest = text, *line;
	json_t *list = json_array(), *members = json_array();
	struct folder_item root, m;
	size_t i;

	while ((line = strsep(&rest, "\n")) != NULL)
		if (line[0] != '\0')
			json_array_append_new(list, json_string(line));
	free(text);
	for (i = 0; i < f->m.n_members; i++)
		json_array_append_new(members, json_pack("{s:s,s:I}", "name", f->m.members[i].name, "not_after", (json_int_t)f->m.members[i].not_after));
	doc_site_format(site, f->last.site);
	folder_root_item(&root, f);
	folder_members_item(&m, f);
	return json_pack("{s:b,s:s,s:I,s:I,s:I,s:o,s:o,s:o,s:o}", "ready", faults->len == 0, "site", site, "epoch", (json_int_t)f->last.doc.epoch,
	    "root_expires", (json_int_t)f->last.doc.expires, "members_expire", (json_int_t)f->m.expires, "root", folder_item_json(f, &root),
	    "members_document", f->has_members ? folder_item_json(f, &m) : json_null(), "members", members, "faults", list);
}

int
verb_site_check(struct cli *c, int argc, char **argv)
{
	struct buf faults = BUF_INIT(64 * 1024);
	int64_t now = clock_wall_s();
	struct err e = ERR_INIT;
	struct folder f;
	int code;

	if (cli_take_options(c, &argc, argv, NULL, &e) != 0 || c->help || argc != 2)
		return cli_usage("site check", &e);
	if (folder_load(&f, argv[1], &e) != 0) {
		code = cli_fail(CLI_FAILED, "site check: %s", e.msg);
	} else {
		find_faults(&f, now, &faults);
		if (c->json)
			cli_print_json(check_json(&f, &faults));
		else
			print_check(&f, &faults, now);
		code = faults.len == 0 ? CLI_DONE : CLI_FAILED;
	}
	folder_free(&f);
	buf_free(&faults);
	return code;
}

/* --- install -------------------------------------------------------------------------------------- */

/* Nothing older, and nothing of another site, replaces what is in force. */
static int
check_follows(const struct folder *f, const struct folder *old, struct err *e)
{
	size_t i;

	for (i = 0; i < old->n_roots; i++) {
		if (i >= f->n_roots)
			return err_set(e, ERR_REFUSED, "%s knows root %zu, the one in force is %zu; begin from a copy of %s", f->dir, f->n_roots, old->n_roots, old->dir);
		if (memcmp(f->roots[i].sha256, old->roots[i].sha256, DOC_HASH_LEN) != 0)
			return err_set(e, ERR_REFUSED, "%s holds another root %zu than %s: another site, or another history", f->dir, i + 1, old->dir);
	}
	if (!old->has_members || old->m.epoch < f->m.epoch)
		return 0;
	if (f->m.seq < old->m.seq)
		return err_set(e, ERR_REFUSED, "%s holds members number %llu, in force is %llu; begin from a copy of %s", f->dir, (unsigned long long)f->m.seq,
		    (unsigned long long)old->m.seq, old->dir);
	if (f->m.seq == old->m.seq && memcmp(f->members.sha256, old->members.sha256, DOC_HASH_LEN) != 0)
		return err_set(e, ERR_REFUSED, "%s holds another members number %llu than is in force; make it again from a copy of %s", f->dir,
		    (unsigned long long)f->m.seq, old->dir);
	return 0;
}

/*
 * Signatures first, under free numbers, then the document over the old one, then
 * the old signatures away: at every moment the document has enough good ones.
 */
static int
install_document(const char *dir, const char *name, const struct sdoc *d, const struct sdoc *old, struct err *e)
{
	char path[PATH_MAX];
	size_t i;

	for (i = 0; i < d->n_views; i++)
		if (folder_add_sig(dir, name, d->views[i].p, NULL, e) != 0)
			return -1;
	snprintf(path, sizeof path, "%s/%s", dir, name);
	if (file_write(path, d->text, d->len, 0644, e) != 0)
		return -1;
	for (i = 0; old != NULL && i < DOC_SIGS_MAX; i++) {
		snprintf(path, sizeof path, "%s/%s.%zu.minisig", dir, name, i + 1);
		if (old->sigs[i].p != NULL && unlink(path) != 0)
			return err_set_sys(e, "%s", path);
	}
	return file_sync_dir(dir, e);
}

static int
install_all(const struct folder *f, const struct folder *old, struct err *e)
{
	char name[32];
	size_t i;

	for (i = old->n_roots; i < f->n_roots; i++) {
		snprintf(name, sizeof name, "%zu.root.json", i + 1);
		if (install_document(old->dir, name, &f->roots[i], NULL, e) != 0)
			return -1;
	}
	if (old->has_members && memcmp(old->members.sha256, f->members.sha256, DOC_HASH_LEN) == 0)
		return 0;
	return install_document(old->dir, "members.json", &f->members, old->has_members ? &old->members : NULL, e);
}

/* The daemon takes it into its sealed store once it is certified, and removes the file. */
static int
install_key(const struct folder *f, const char *state, const char *path, const char *fd, struct err *e)
{
	char folder[PATH_MAX - 32], stem[PATH_MAX - 8];
	struct minisign_seckey *key = NULL;
	size_t i;
	int r = -1;

	snprintf(stem, sizeof stem, "%s/import/member", state);
	if (keyfile_check_free(stem, NULL) != 0)
		return err_set(e, ERR_REFUSED, "%s.key waits for the daemon already: start or reload it, or remove the file, then install again", stem);
	if (keyfile_open(&key, path, fd, e) != 0)
		return -1;
	for (i = 0; i < f->m.n_members && memcmp(f->m.members[i].key, key->sk + 32, DOC_KEY_LEN) != 0; i++)
		;
	snprintf(folder, sizeof folder, "%s/import", state);
	if (i == f->m.n_members)
		err_set(e, ERR_REFUSED, "%s is not the key of a member that %s/members.json certifies", path, f->dir);
	else if (file_mkdirs(folder, 0700, e) == 0)
		r = keyfile_write(stem, key, NULL, false, e);
	secret_free(key);
	return r;
}

/* Takes the key away again when the documents were not put in place, lest it lie there unsealed for nothing. */
static void
remove_key(const struct folder *f, const char *state)
{
	char path[PATH_MAX], *text = NULL;
	size_t n = 0;

	snprintf(path, sizeof path, "%s/site/members.json", state);
	/* In force, and only the tidying failed: then a daemon that starts needs the key. */
	if (file_read(path, DOC_MEMBERS_MAX, FILE_PUBLIC, &text, &n, NULL) != 0 || n != f->members.len || memcmp(text, f->members.text, n) != 0) {
		snprintf(path, sizeof path, "%s/import/member.key", state);
		unlink(path);
	}
	free(text);
}

static int
install(const struct conf *conf, const char *dir, const char *key, const char *fd, struct err *e)
{
	struct buf faults = BUF_INIT(64 * 1024);
	struct folder *f = xcalloc(2, sizeof *f), *old = f + 1;
	char path[PATH_MAX];
	struct err inner = ERR_INIT;
	int r = -1;

	snprintf(path, sizeof path, "%s/site", conf->state_dir);
	if (folder_load(f, dir, e) != 0)
		goto out;
	find_faults(f, clock_wall_s(), &faults);
	if (faults.len > 0) {
		err_set(e, ERR_REFUSED, "%s is not ready: %.*s", dir, (int)strcspn(buf_str(&faults), "\n"), buf_str(&faults));
		goto out;
	}
	if (file_mkdirs(path, 0700, e) != 0)
		goto out;
	if (folder_load(old, path, &inner) != 0 && inner.code != ERR_NOTFOUND) {
		err_set(e, inner.code, "%s", inner.msg);
		goto out;
	}
	if (check_follows(f, old, e) != 0 || keyfile_master(conf, e) != 0)
		goto out;
	/* The key first: a daemon that starts in between has either the old documents or all that it needs. */
	if (key != NULL && install_key(f, conf->state_dir, key, fd, e) != 0)
		goto out;
	r = install_all(f, old, e);
	if (r != 0 && key != NULL)
		remove_key(f, conf->state_dir);
out:
	folder_free(f);
	folder_free(old);
	free(f);
	buf_free(&faults);
	return r;
}

int
verb_site_install(struct cli *c, int argc, char **argv)
{
	const char *key = NULL, *fd = NULL;
	const struct cli_opt opts[] = { { "member-key", NULL, &key }, { "passphrase-fd", NULL, &fd }, { 0 } };
	struct buf faults = BUF_INIT(256 * 1024);
	struct conf *conf = NULL;
	struct err e = ERR_INIT;
	int code = CLI_FAILED;

	if (cli_take_options(c, &argc, argv, opts, &e) != 0 || c->help || argc != 2)
		return cli_usage("site install", &e);
	umask(077);
	if (conf_load(&conf, c->conf_path, &faults) != 0) {
		conf_faults(&e, &faults);
		cli_fail(CLI_FAILED, "site install: %s", e.msg);
	} else if (install(conf, argv[1], key, fd, &e) != 0) {
		cli_fail(CLI_FAILED, "site install: %s", e.msg);
	} else {
		code = CLI_DONE;
		if (c->json)
			cli_print_json(json_pack("{s:s++}", "installed", conf->state_dir, "/", "site"));
		else
			printf("installed in %s/site; `onionmirror reload` (or a start of onionmirrord) puts it into force\n", conf->state_dir);
	}
	conf_free(conf);
	buf_free(&faults);
	return code;
}
