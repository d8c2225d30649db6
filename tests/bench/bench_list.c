/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Lists of 1,000 mirrors: verified as a reader does, signed and written as the
 * daemon does, beside the bare Ed25519, hash and file operations of the same work.
 */
#include "config.h"
#include "bench.h"

#include "base/enc.h"
#include "onionmirror/onionmirror.h"
#include "proto/minisign.h"
#include "publish/publish.h"
#include "support/listkit.h"
#include "support/tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MIRRORS 1000

struct file {
	char *name, *text;
	size_t len;
};

struct work {
	char dir[64];
	struct kit kit;
	uint8_t sk[64];
	struct publish_site *site;
	struct publish_entry entries[MIRRORS];
	struct publish_list list;
	struct doc_leaf leaves[MIRRORS];
	struct file *files; /* of one published folder */
	size_t n_files;
	struct file bundle; /* borrowed from files */
	char *head;         /* of the last publication */
	char *memory;       /* of a reader who accepted the bundle */
	size_t memory_len;
	unsigned turn;
};

static void
must_put(const char *dir, const char *name, const char *text, size_t len)
{
	char path[256];
	int fd;

	snprintf(path, sizeof path, "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	bench_must(fd >= 0 && write(fd, text, len) == (ssize_t)len && fsync(fd) == 0, path, "cannot be written");
	close(fd);
}

static void
put_site(struct work *w)
{
	char dir[128], name[64];
	size_t i;

	snprintf(dir, sizeof dir, "%s/site", w->dir);
	mkdir(dir, 0700);
	must_put(dir, "1.root.json", w->kit.roots[0].out.text, w->kit.roots[0].out.len);
	for (i = 0; i < w->kit.roots[0].out.n_sigs; i++) {
		snprintf(name, sizeof name, "1.root.json.%zu.minisig", i + 1);
		must_put(dir, name, w->kit.roots[0].out.sigs[i], strlen(w->kit.roots[0].out.sigs[i]));
	}
	must_put(dir, "members.json", w->kit.members.out.text, w->kit.members.out.len);
	for (i = 0; i < w->kit.members.out.n_sigs; i++) {
		snprintf(name, sizeof name, "members.json.%zu.minisig", i + 1);
		must_put(dir, name, w->kit.members.out.sigs[i], strlen(w->kit.members.out.sigs[i]));
	}
}

/* --- ours ------------------------------------------------------------------ */

static void
publish(void *ctx)
{
	struct work *w = ctx;
	struct publication *p = NULL;
	struct err e = ERR_INIT;
	char dir[128];

	snprintf(dir, sizeof dir, "%s/pub", w->dir);
	w->list.serial++;
	w->list.prev_head = w->head;
	bench_must(publication_make(&p, w->site, &w->list, &e) == 0 && publication_write(p, dir, &e) == 0, "publish", e.msg);
	free(w->head);
	w->head = strdup(publication_head(p));
	publication_free(p);
}

static void
verify(void *ctx)
{
	struct work *w = ctx;
	om_site *s = NULL;
	om_error e = { 0 };

	bench_must(om_site_open(&s, w->kit.site_id, &e) == 0 && om_site_feed_bundle(s, w->bundle.text, w->bundle.len, KIT_NOW + 700, &e) == 0 &&
	    om_site_mirror_count(s) == MIRRORS, "verify", e.detail);
	om_site_close(s);
}

/* What `onionmirror pick` does once the file is read. */
static void
pick(void *ctx)
{
	struct work *w = ctx;
	om_site *s = NULL;
	om_error e = { 0 };

	bench_must(om_site_load(&s, w->kit.site_id, w->memory, w->memory_len, &e) == 0 && om_site_pick(s, KIT_NOW + 700, ++w->turn) != NULL,
	    "pick", e.detail);
	om_site_close(s);
}

/* --- the least ---------------------------------------------------------------- */

/* Two signatures and one hash for each signed document: the file's, and the one over its trusted comment. */
static void
least_signature(const struct kit_text *t, size_t i, unsigned key)
{
	struct minisign_sig sig;
	uint8_t hash[64], pk[32], signed_comment[64 + MINISIGN_TRUSTED_MAX], md[32];

	kit_key(key, NULL, pk);
	bench_must(minisign_sig_parse(&sig, t->sigs[i], strlen(t->sigs[i]), NULL) == 0, "floor", "not a signature");
	crypto_generichash(hash, sizeof hash, (const unsigned char *)t->text, t->len, NULL, 0);
	crypto_hash_sha256(md, (const unsigned char *)t->text, t->len);
	memcpy(signed_comment, sig.sig, 64);
	memcpy(signed_comment + 64, sig.comment, sig.comment_len);
	bench_must(crypto_sign_verify_detached(sig.sig, hash, sizeof hash, pk) == 0 &&
	    crypto_sign_verify_detached(sig.global, signed_comment, 64 + sig.comment_len, pk) == 0, "floor", "bad signature");
}

static void
least_verify(void *ctx)
{
	struct work *w = ctx;
	char text[DOC_POSSESSION_MAX];
	uint8_t md[32];
	size_t i, n;

	for (i = 0; i < 2; i++) {
		least_signature(&w->kit.roots[0].out, i, w->kit.roots[0].signers.keys[i]);
		least_signature(&w->kit.members.out, i, w->kit.members.signers.keys[i]);
	}
	least_signature(&w->kit.members.out, 0, w->kit.members.signers.keys[0]); /* stands for the head's */
	for (i = 0; i < MIRRORS; i++) {
		const struct doc_leaf *l = &w->leaves[i];

		crypto_hash_sha256(md, (const unsigned char *)w->entries[i].leaf, strlen(w->entries[i].leaf));
		n = doc_possession_text(text, l->site, l->onion, l->possession_not_before, l->possession_not_after);
		/* An address must be a point without torsion: Ed25519's own check does not look for it. */
		bench_must(crypto_core_ed25519_is_valid_point(l->pk) == 1 &&
		    crypto_sign_verify_detached(l->possession_sig, (const unsigned char *)text, n, l->pk) == 0, "floor", "bad possession");
	}
}

/* The root's signatures, the hash of each leaf that the head lists, and one possession. */
static void
least_pick(void *ctx)
{
	struct work *w = ctx;
	const struct doc_leaf *l = &w->leaves[w->turn++ % MIRRORS];
	char text[DOC_POSSESSION_MAX];
	uint8_t md[32];
	size_t i, n;

	for (i = 0; i < 2; i++)
		least_signature(&w->kit.roots[0].out, i, w->kit.roots[0].signers.keys[i]);
	for (i = 0; i < MIRRORS; i++)
		crypto_hash_sha256(md, (const unsigned char *)w->entries[i].leaf, strlen(w->entries[i].leaf));
	n = doc_possession_text(text, l->site, l->onion, l->possession_not_before, l->possession_not_after);
	bench_must(crypto_core_ed25519_is_valid_point(l->pk) == 1 &&
	    crypto_sign_verify_detached(l->possession_sig, (const unsigned char *)text, n, l->pk) == 0, "floor", "bad possession");
}

static void
least_publish(void *ctx)
{
	struct work *w = ctx;
	uint8_t md[64], sig[64];
	char dir[128];
	size_t i;
	int fd;

	for (i = 0; i < MIRRORS; i++)
		crypto_hash_sha256(md, (const unsigned char *)w->entries[i].leaf, strlen(w->entries[i].leaf));
	for (i = 0; i < 4; i++) { /* head and mirrors.txt, each with its trusted comment */
		crypto_generichash(md, sizeof md, (const unsigned char *)w->head, strlen(w->head), NULL, 0);
		crypto_sign_detached(sig, NULL, md, sizeof md, w->sk);
	}
	snprintf(dir, sizeof dir, "%s/least-%u", w->dir, w->turn++);
	bench_must(mkdir(dir, 0755) == 0, dir, "cannot be made");
	for (i = 0; i < w->n_files; i++)
		must_put(dir, w->files[i].name, w->files[i].text, w->files[i].len);
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bench_must(fd >= 0 && fsync(fd) == 0, dir, "cannot be synced");
	close(fd);
}

/* --- once -------------------------------------------------------------------- */

static void
read_published(struct work *w)
{
	char dir[128], path[512];
	struct dirent *de;
	struct stat st;
	DIR *d;
	FILE *f;

	snprintf(dir, sizeof dir, "%s/pub/public/current", w->dir);
	d = opendir(dir);
	bench_must(d != NULL, dir, "is not there");
	w->files = calloc(MIRRORS + 64, sizeof *w->files);
	while ((de = readdir(d)) != NULL) {
		struct file *one = &w->files[w->n_files];

		snprintf(path, sizeof path, "%s/%s", dir, de->d_name);
		if (stat(path, &st) != 0 || !S_ISREG(st.st_mode))
			continue;
		*one = (struct file){ strdup(de->d_name), malloc((size_t)st.st_size + 1), (size_t)st.st_size };
		f = fopen(path, "rb");
		bench_must(f != NULL && fread(one->text, 1, one->len, f) == one->len, path, "cannot be read");
		fclose(f);
		if (strcmp(one->name, "bundle.json") == 0)
			w->bundle = *one;
		bench_must(++w->n_files < MIRRORS + 64, dir, "has more files than expected");
	}
	closedir(d);
}

static void
read_as_reader(struct work *w)
{
	om_site *s = NULL;
	om_error e = { 0 };

	bench_must(om_site_open(&s, w->kit.site_id, &e) == 0 && om_site_feed_bundle(s, w->bundle.text, w->bundle.len, KIT_NOW + 700, &e) == 0 &&
	    om_site_save(s, &w->memory, &w->memory_len, &e) == 0, "a reader's memory", e.detail);
	om_site_close(s);
}

static void
work_up(struct work *w)
{
	static const char *const channels[] = { "public" };
	char dir[128], addr[ONION_ADDR_LEN + 1], *leaf;
	struct err e = ERR_INIT;
	uint8_t key[64];
	size_t i;

	memset(w, 0, sizeof *w);
	snprintf(w->dir, sizeof w->dir, "%.40s/bench-list-XXXXXX", getenv("TMPDIR") != NULL ? getenv("TMPDIR") : "/tmp");
	bench_must(mkdtemp(w->dir) != NULL, w->dir, "cannot be made");
	kit_init(&w->kit);
	kit_build(&w->kit);
	kit_key(11, w->sk, NULL);
	put_site(w);
	snprintf(dir, sizeof dir, "%s/site", w->dir);
	bench_must(publish_site_load(&w->site, dir, w->sk, KIT_NOW, &e) == 0, "site", e.msg);
	for (i = 0; i < MIRRORS; i++) {
		kit_onion((unsigned)i + 1, key, addr);
		bench_must(publish_leaf_make(&leaf, w->site, key, addr, 80, false, "mirror", KIT_NOW, &e) == 0, "leaf", e.msg);
		w->entries[i] = (struct publish_entry){ leaf, channels[0] };
		bench_must(doc_leaf_parse(&w->leaves[i], leaf, strlen(leaf), NULL, &e) == DOC_OK, "leaf", e.msg);
	}
	w->list = (struct publish_list){ .entries = w->entries, .n_entries = MIRRORS, .channels = channels, .n_channels = 1, .serial = 100,
		.decoy_key = w->sk, .now = KIT_NOW + 600 };
	publish(w);
	read_published(w);
	read_as_reader(w);
}

static void
work_down(struct work *w)
{
	size_t i;

	for (i = 0; i < MIRRORS; i++)
		free((char *)(uintptr_t)w->entries[i].leaf);
	for (i = 0; i < w->n_files; i++) {
		free(w->files[i].name);
		free(w->files[i].text);
	}
	free(w->files);
	free(w->head);
	free(w->memory);
	publish_site_free(w->site);
	kit_free(&w->kit);
	tree_remove(w->dir);
}

int
main(void)
{
	struct work *w = calloc(1, sizeof *w);
	struct bench_pair pairs[] = {
		{ "verify a bundle of 1,000 mirrors", "its SHA-256, BLAKE2b, point checks and Ed25519 verifications", 1.2, verify, least_verify, w },
		{ "pick from a reader's memory of 1,000 mirrors", "the hash of each, the root's two signatures, one possession", 0, pick, least_pick,
		    w },
		{ "sign and write a list of 1,000 mirrors", "the same hashes and signatures, the same files written and synced", 1.5, publish,
		    least_publish, w },
	};
	size_t i;

	bench_must(w != NULL && sodium_init() >= 0, "start", "no memory");
	work_up(w);
	for (i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
		bench_run(&pairs[i], 15);
	bench_end();
	work_down(w);
	free(w);
	return 0;
}
