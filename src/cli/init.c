/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * onionmirror init: everything that a first start needs. Makes one root key
 * (1-of-1) and one member key, signs 1.root.json and members.json, fills the
 * state folder and writes a configuration if there is none. Nothing that
 * exists is overwritten.
 */
#include "config.h"
#include "cli/cli.h"

#include "base/clock.h"
#include "base/enc.h"
#include "base/file.h"
#include "base/mem.h"
#include "cli/keyfile.h"
#include "conf/conf.h"
#include "proto/chain.h"
#include "proto/minisign.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DAY 86400
#define ROOT_DAYS 365
#define MEMBER_DAYS 37
#define HEAD_HOURS (7 * 24)
#define POSSESSION_DAYS 90

struct init {
	const char *keys;   /* --keys */
	const char *member; /* --member */
	struct conf *conf;
	struct secret_text *passphrase; /* NULL: none */
	struct minisign_seckey *root_key, *member_key;
	char *root, *members, *root_sig, *members_sig; /* owned texts */
	char site[DOC_SITE_TEXT_LEN + 1];
	bool wrote_conf;
};

static int
load_conf(struct cli *c, struct init *in, struct err *e)
{
	struct buf text = BUF_INIT(256 * 1024);
	int r = 0;

	if (access(c->conf_path, F_OK) != 0 && errno == ENOENT) {
		conf_sample(&text, "/var/lib/onionmirror", "/run/onionmirror");
		r = file_create(c->conf_path, buf_str(&text), text.len, 0644, e);
		in->wrote_conf = r == 0;
		buf_reset(&text);
	}
	if (r == 0 && conf_load(&in->conf, c->conf_path, &text) != 0)
		r = conf_faults(e, &text);
	buf_free(&text);
	return r;
}

/* Refuses to begin where something would be overwritten. */
static int
check_free(const struct init *in, struct err *e)
{
	static const char *const names[] = { "site/1.root.json", "site/members.json", "import/member.key", "store.db" };
	static const struct {
		const char *stem, *ending;
		bool member; /* the member's name between them */
	} keys[] = { { "root-1", ".key", false }, { "root-1", ".pub", false }, { "member-", ".key", true }, { "member-", ".pub", true },
		{ "1.root.json", "", false }, { "1.root.json.1.minisig", "", false }, { "members.json", "", false },
		{ "members.json.1.minisig", "", false } };
	char path[PATH_MAX];
	size_t i;

	for (i = 0; i < sizeof names / sizeof names[0]; i++) {
		snprintf(path, sizeof path, "%s/%s", in->conf->state_dir, names[i]);
		if (access(path, F_OK) == 0)
			return err_set(e, ERR_REFUSED, "%s exists: this site is set up already; nothing was changed", path);
	}
	for (i = 0; i < sizeof keys / sizeof keys[0]; i++) {
		snprintf(path, sizeof path, "%s/%s%s%s", in->keys, keys[i].stem, keys[i].member ? in->member : "", keys[i].ending);
		if (access(path, F_OK) == 0)
			return err_set(e, ERR_REFUSED, "%s exists: name another folder for the keys; nothing was changed", path);
	}
	return 0;
}

static int
make_root(struct init *in, int64_t hour, struct err *e)
{
	struct doc_root r = { .version = 1, .epoch = 1, .epoch_start = hour, .expires = hour + ROOT_DAYS * DAY,
		.n_keys = 1, .threshold = 1,
		.limits = { .member_days = MEMBER_DAYS, .head_hours = HEAD_HOURS, .possession_days = POSSESSION_DAYS } };
	char comment[DOC_COMMENT_MAX];
	uint8_t hash[DOC_HASH_LEN];
	size_t n;

	snprintf(r.name, sizeof r.name, "%s", in->conf->site);
	memcpy(r.keys[0], in->root_key->sk + 32, DOC_KEY_LEN);
	if (doc_root_write(&in->root, &n, &r, e) != 0)
		return -1;
	doc_hash(hash, in->root, n);
	doc_site_format(in->site, hash);
	doc_root_comment(comment, hash, 1, hash);
	return minisign_sign(&in->root_sig, in->root_key->sk, in->root_key->id, in->root, n, comment, NULL, e);
}

static int
make_members(struct init *in, int64_t hour, struct err *e)
{
	struct doc_members *m = xcalloc(1, sizeof *m);
	char comment[DOC_COMMENT_MAX];
	uint8_t hash[DOC_HASH_LEN];
	int r = -1;
	size_t n;

	doc_hash(m->site, in->root, strlen(in->root));
	m->epoch = m->seq = 1;
	m->issued = hour;
	m->expires = hour + MEMBER_DAYS * DAY;
	m->n_members = 1;
	snprintf(m->members[0].name, sizeof m->members[0].name, "%s", in->member);
	memcpy(m->members[0].key, in->member_key->sk + 32, DOC_KEY_LEN);
	m->members[0].not_before = m->issued;
	m->members[0].not_after = m->expires;
	if (doc_members_write(&in->members, &n, m, e) != 0)
		goto out;
	doc_hash(hash, in->members, n);
	doc_members_comment(comment, m, hash);
	r = minisign_sign(&in->members_sig, in->root_key->sk, in->root_key->id, in->members, n, comment, NULL, e);
out:
	free(m);
	return r;
}

static int __attribute__((format(printf, 4, 5)))
put(const char *text, mode_t mode, struct err *e, const char *fmt, ...)
{
	char path[PATH_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(path, sizeof path, fmt, ap);
	va_end(ap);
	return file_create(path, text, strlen(text), mode, e);
}

static int
put_documents(const struct init *in, const char *dir, struct err *e)
{
	if (put(in->root, 0644, e, "%s/1.root.json", dir) != 0 ||
	    put(in->root_sig, 0644, e, "%s/1.root.json.1.minisig", dir) != 0 ||
	    put(in->members, 0644, e, "%s/members.json", dir) != 0 ||
	    put(in->members_sig, 0644, e, "%s/members.json.1.minisig", dir) != 0)
		return -1;
	return 0;
}

static int
write_all(const struct init *in, struct err *e)
{
	char site[PATH_MAX], import[PATH_MAX], path[PATH_MAX];
	const char *state = in->conf->state_dir;

	snprintf(site, sizeof site, "%s/site", state);
	snprintf(import, sizeof import, "%s/import", state);
	if (file_mkdirs(in->keys, 0700, e) != 0 || file_mkdirs(state, 0700, e) != 0 || file_check_dir(state, e) != 0 ||
	    file_mkdirs(site, 0700, e) != 0 || file_mkdirs(import, 0700, e) != 0)
		return -1;
	snprintf(path, sizeof path, "%s/root-1", in->keys);
	if (keyfile_write(path, in->root_key, in->passphrase, true, e) != 0)
		return -1;
	snprintf(path, sizeof path, "%s/member-%s", in->keys, in->member);
	if (keyfile_write(path, in->member_key, in->passphrase, true, e) != 0 || put_documents(in, in->keys, e) != 0)
		return -1;
	if (keyfile_master(in->conf, e) != 0 || put_documents(in, site, e) != 0)
		return -1;
	/* The daemon takes this one into its sealed store at the next start and removes it. */
	snprintf(path, sizeof path, "%s/import/member", state);
	return keyfile_write(path, in->member_key, NULL, false, e);
}

static void
report(const struct cli *c, const struct init *in)
{
	if (c->json) {
		cli_print_json(json_pack("{s:s,s:s,s:s,s:s,s:s,s:b}", "site", in->site, "name", in->conf->site, "member", in->member,
		    "keys", in->keys, "state_dir", in->conf->state_dir, "wrote_configuration", (int)in->wrote_conf));
		return;
	}
	printf("site id   %s\n", in->site);
	printf("keys      %s/root-1.key, %s/member-%s.key%s\n", in->keys, in->keys, in->member,
	    in->passphrase != NULL ? " (sealed by your passphrase)" : " (no passphrase)");
	printf("state     %s\n", in->conf->state_dir);
	if (in->conf->locked_start)
		printf("master    a passphrase, which `onionmirror unlock` asks for after each start of the daemon\n");
	else if (in->conf->passphrase_file == NULL)
		printf("master    %s (opens the state; back it up apart from it)\n", in->conf->key_file);
	if (in->wrote_conf)
		printf("config    %s (a sample: edit it)\n", c->conf_path);
	printf("\nReaders need the site id: print it, and publish it in many places.\n"
	       "Carry %s offline now: root-1.key signs the members document, which must be renewed\n"
	       "within %d days (onionmirror-keys(7)); the daemon never needs it.\n", in->keys, MEMBER_DAYS);
}

static int
make_all(struct cli *c, struct init *in, struct err *e)
{
	int64_t hour = clock_wall_s() / 3600 * 3600;

	in->root_key = secret_alloc(sizeof *in->root_key);
	in->member_key = secret_alloc(sizeof *in->member_key);
	if (in->root_key == NULL || in->member_key == NULL)
		return err_set(e, ERR_MEMORY, "no locked memory for keys (look at ulimit -l)");
	if (load_conf(c, in, e) != 0 || check_free(in, e) != 0)
		return -1;
	if (minisign_seckey_generate(in->root_key, e) != 0 || minisign_seckey_generate(in->member_key, e) != 0 ||
	    make_root(in, hour, e) != 0 || make_members(in, hour, e) != 0)
		return -1;
	return write_all(in, e);
}

int
verb_init(struct cli *c, int argc, char **argv)
{
	struct init in = { .member = "main" };
	const char *fd = NULL;
	bool no_passphrase = false;
	const struct cli_opt opts[] = { { "keys", NULL, &in.keys }, { "member", NULL, &in.member },
		{ "no-passphrase", &no_passphrase, NULL }, { "passphrase-fd", NULL, &fd }, { 0 } };
	struct err e = ERR_INIT;
	int code;

	if (cli_take_options(c, &argc, argv, opts, &e) != 0 || c->help || argc != 1)
		return cli_usage("init", &e);
	if (in.keys == NULL) {
		err_set(&e, ERR_PARSE, "init needs --keys DIR: where to write the keys that go offline");
		return cli_usage("init", &e);
	}
	if (!doc_member_name_ok(in.member))
		return cli_fail(CLI_USAGE, "--member %s: use a-z, 0-9 and -, at most 32 characters", in.member);
	umask(077);
	if (!no_passphrase && passphrase_get(&in.passphrase, fd, "Passphrase for the root and member key: ", true, &e) != 0)
		code = cli_fail(CLI_FAILED, "%s", e.msg);
	else if (make_all(c, &in, &e) != 0)
		code = cli_fail(CLI_FAILED, "init: %s", e.msg);
	else {
		report(c, &in);
		code = CLI_DONE;
	}
	passphrase_free(in.passphrase);
	secret_free(in.root_key);
	secret_free(in.member_key);
	free(in.root);
	free(in.members);
	free(in.root_sig);
	free(in.members_sig);
	conf_free(in.conf);
	return code;
}
