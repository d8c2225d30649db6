/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * listmake DIR [NOW]: writes named mirror lists of one site into DIR, for tests that are not written in C.
 * Each row of the table below becomes DIR/NAME/bundle.json and DIR/NAME.files/ with the same documents
 * side by side. DIR/site is the site id; DIR/onions has the addresses, onion 1 in line 1.
 */
#include "config.h"
#include "support/listkit.h"

#include "base/clock.h"
#include "base/file.h"

#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ONIONS 4

/* Member alpha lists onions 1 and 2, beta lists 3. */
static void
make_old(struct kit *k)
{
	size_t i;

	for (i = 0; i < k->n_heads; i++) {
		k->heads[i].doc.serial = 90;
		k->heads[i].doc.issued -= KIT_HOUR;
		k->heads[i].doc.valid_until -= KIT_HOUR;
	}
}

/* A head after the one there is; 0: alpha's. */
static void
follow(struct kit *k, size_t head, uint64_t serial)
{
	struct kit_head *h = &k->heads[head];

	kit_build(k);
	h->doc.prev_serial = h->doc.serial;
	h->doc.serial = serial;
	doc_hash(h->doc.prev_sha256, h->out.text, h->out.len);
}

static void
make_good(struct kit *k)
{
	size_t i;

	make_old(k);
	for (i = 0; i < k->n_heads; i++) {
		follow(k, i, 100);
		k->heads[i].doc.issued += KIT_HOUR;
		k->heads[i].doc.valid_until += KIT_HOUR;
	}
}

static void
make_next(struct kit *k)
{
	make_good(k);
	follow(k, 0, 101);
	k->heads[0].doc.issued += KIT_HOUR;
}

static void
make_dropped(struct kit *k)
{
	make_next(k);
	k->n_heads = 1;
	k->n_leaves = 2;
}

static void
make_fork(struct kit *k)
{
	make_good(k);
	k->heads[0].doc.fresh_until -= KIT_HOUR;
}

/* Alpha's head and beta's, older by this many days. */
static void
age(struct kit *k, int days)
{
	size_t i;

	for (i = 0; i < k->n_heads; i++) {
		k->heads[i].doc.issued -= days * KIT_DAY;
		k->heads[i].doc.fresh_until -= days * KIT_DAY;
		k->heads[i].doc.valid_until -= days * KIT_DAY;
	}
}

static void
make_stale(struct kit *k)
{
	make_good(k);
	age(k, 2);
}

static void
make_expired(struct kit *k)
{
	make_good(k);
	age(k, 8);
}

/* Onion 1 was retired, onion 2 revoked. */
static void
make_withdrawn(struct kit *k)
{
	static struct doc_tombstone stones[2];
	char addr[ONION_ADDR_LEN + 1];
	unsigned i;

	make_next(k);
	follow(k, 0, 102);
	for (i = 0; i < 2; i++) {
		kit_onion(i + 1, NULL, addr);
		doc_tombstone_hash(stones[i].h, addr);
		stones[i].state = i == 0 ? DOC_STATE_RETIRED : DOC_STATE_REVOKED;
		stones[i].since = k->now;
		k->leaves[i].left_out = true;
	}
	k->heads[0].leaves = 0;
	k->heads[0].doc.tombstones = stones;
	k->heads[0].doc.n_tombstones = 2;
}

static void
make_unproved(struct kit *k)
{
	make_good(k);
	follow(k, 0, 101);
	k->leaves[1].signer = 9;
}

static void
make_other(struct kit *k)
{
	strcpy(k->roots[0].doc.name, "Another");
}

static const struct {
	const char *name;
	void (*make)(struct kit *k);
} rows[] = {
	{ "good", make_good },           /* serial 100 of both members */
	{ "next", make_next },           /* alpha's 101 */
	{ "old", make_old },             /* 90 of both, before good */
	{ "dropped", make_dropped },     /* as next, without beta */
	{ "fork", make_fork },           /* another 100 of alpha */
	{ "stale", make_stale },         /* past fresh_until */
	{ "expired", make_expired },     /* past valid_until */
	{ "withdrawn", make_withdrawn }, /* after next: onion 1 retired, 2 revoked */
	{ "unproved", make_unproved },   /* after good: onion 2 has somebody else's proof */
	{ "other", make_other },         /* another site's */
};

static void __attribute__((format(printf, 3, 4))) put(const void *p, size_t n, const char *fmt, ...)
{
	char path[PATH_MAX];
	struct err e = ERR_INIT;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(path, sizeof path, fmt, ap);
	va_end(ap);
	if (file_write(path, p, n, 0644, &e) == 0)
		return;
	fprintf(stderr, "listmake: %s\n", e.msg);
	exit(1);
}

static void
put_signed(const struct kit_text *t, const char *folder, const char *name, const char *one)
{
	size_t i;

	put(t->text, t->len, "%s/%s", folder, name);
	for (i = 0; i < t->n_sigs; i++)
		if (one != NULL)
			put(t->sigs[i], strlen(t->sigs[i]), "%s/%s", folder, one);
		else
			put(t->sigs[i], strlen(t->sigs[i]), "%s/%s.%zu.minisig", folder, name, i + 1);
}

static void
put_files(const struct kit *k, const char *folder)
{
	char name[128], sig[160];
	size_t i;

	for (i = 0; i < k->n_roots; i++) {
		snprintf(name, sizeof name, "%zu.root.json", i + 1);
		put_signed(&k->roots[i].out, folder, name, NULL);
	}
	put_signed(&k->members.out, folder, "members.json", NULL);
	for (i = 0; i < k->n_heads; i++) {
		snprintf(name, sizeof name, i == 0 ? "head.json" : "head-%s.json", k->heads[i].doc.member);
		snprintf(sig, sizeof sig, "%s.minisig", name);
		put_signed(&k->heads[i].out, folder, name, sig);
	}
	for (i = 0; i < k->n_leaves; i++)
		if (!k->leaves[i].left_out)
			put(k->leaves[i].out.text, k->leaves[i].out.len, "%s/leaf-%s.onion.json", folder,
			    k->leaves[i].doc.onion);
}

static void
make_folder(const char *path)
{
	struct err e = ERR_INIT;

	if (file_mkdirs(path, 0755, &e) == 0)
		return;
	fprintf(stderr, "listmake: %s\n", e.msg);
	exit(1);
}

static void
make_row(const char *dir, size_t row, int64_t now)
{
	char folder[PATH_MAX];
	struct kit *k = calloc(1, sizeof *k);
	size_t heads, leaves;

	kit_init_at(k, now);
	kit_add_member(k, "beta", 12)->leaves = 4;
	kit_add_leaf(k, 3);
	k->heads[0].leaves = 3;
	heads = k->n_heads;
	leaves = k->n_leaves;
	rows[row].make(k);
	kit_build(k);
	snprintf(folder, sizeof folder, "%s/%s", dir, rows[row].name);
	make_folder(folder);
	put(k->bundle, k->len, "%s/bundle.json", folder);
	if (row == 0)
		put(k->site_id, strlen(k->site_id), "%s/site", dir);
	snprintf(folder, sizeof folder, "%s/%s.files", dir, rows[row].name);
	make_folder(folder);
	put_files(k, folder);
	/* Also what a row leaves out and was built on the way. */
	k->n_heads = heads;
	k->n_leaves = leaves;
	kit_free(k);
	free(k);
}

int
main(int argc, char **argv)
{
	char text[ONIONS * (ONION_ADDR_LEN + 1) + 1];
	int64_t now = argc > 2 ? strtoll(argv[2], NULL, 10) : clock_wall_s();
	size_t i;

	if (argc < 2 || argc > 3) {
		fputs("usage: listmake DIR [NOW]\n", stderr);
		return 2;
	}
	make_folder(argv[1]);
	for (i = 0; i < sizeof rows / sizeof rows[0]; i++)
		make_row(argv[1], i, now - now % KIT_HOUR);
	for (i = 0; i < ONIONS; i++) {
		kit_onion((unsigned)i + 1, NULL, text + i * (ONION_ADDR_LEN + 1));
		text[(i + 1) * (ONION_ADDR_LEN + 1) - 1] = '\n';
	}
	put(text, ONIONS * (ONION_ADDR_LEN + 1), "%s/onions", argv[1]);
	return 0;
}
