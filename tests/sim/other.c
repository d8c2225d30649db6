/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Another member of the site: its keys, addresses and heads. It can sign
 * whatever it likes, also two heads of one serial. Root and site documents are
 * those that `init` made; the root key that lies on the disk signs the members
 * document anew.
 */
#include "config.h"
#include "sim/other.h"

#include "sim/impl.h"

#include "base/enc.h"
#include "base/mem.h"
#include "proto/chain.h"
#include "proto/edkey.h"
#include "proto/minisign.h"

#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEYS 8
#define HOUR 3600
#define HEAD_S (48 * HOUR)
#define LEAF_S (30 * CHAIN_DAY)
#define FIRST_ONIONS 3

struct other_onion {
	uint8_t key[EDKEY_LEN], hash[DOC_HASH_LEN];
	char address[ONION_ADDR_LEN + 1];
	char *leaf; /* owned; NULL: claimed, an address of ours */
	bool retired;
	int64_t since;
};

static struct {
	bool on, certified;
	struct minisign_seckey root_key;
	struct doc_root root;
	struct doc_members members;
	char *root_text, *root_sig, *members_text, *members_sig; /* owned */
	uint8_t site[DOC_HASH_LEN], sk[KEYS + 1][crypto_sign_SECRETKEYBYTES], pk[KEYS + 1][DOC_KEY_LEN];
	unsigned key; /* the one in use, from 1 */
	const struct other_head *newest;
	struct other_onion onions[OTHER_ONIONS];
	size_t n_onions, n_heads;
	struct other_head heads[OTHER_HEADS];
} other;

static void
must(bool ok, const char *what, const struct err *e)
{
	if (ok)
		return;
	fprintf(stderr, "sim: the other member: %s: %s\n", what, e != NULL ? e->msg : "");
	abort();
}

void
other_end(void)
{
	size_t i;

	for (i = 0; i < other.n_heads; i++)
		free(other.heads[i].bundle);
	for (i = 0; i < other.n_onions; i++)
		free(other.onions[i].leaf);
	free(other.root_text);
	free(other.root_sig);
	free(other.members_text);
	free(other.members_sig);
	memset(&other, 0, sizeof other);
}

bool
other_is_on(void)
{
	return other.on;
}

bool
other_is_certified(void)
{
	return other.certified;
}

bool
other_key_is(unsigned key, const uint8_t pk[DOC_KEY_LEN])
{
	return key > 0 && key <= other.key && memcmp(other.pk[key], pk, DOC_KEY_LEN) == 0;
}

/* --- addresses ---------------------------------------------------------------------------------- */

static int64_t
this_hour(void)
{
	return sim_true_wall() / HOUR * HOUR;
}

static void
add_onion(void)
{
	struct other_onion *o = &other.onions[other.n_onions];
	struct doc_leaf l = { .role = DOC_ROLE_MIRROR };
	uint8_t seed[EDKEY_SEED_LEN], pub[EDKEY_PUB_LEN];
	struct err e = ERR_INIT;
	size_t n;

	if (other.n_onions == OTHER_ONIONS)
		return;
	memset(o, 0, sizeof *o);
	sim_bytes(DICE_OTHER, seed, sizeof seed);
	edkey_from_seed(o->key, seed);
	must(edkey_pubkey(pub, o->key, &e) == 0 && onion_from_pubkey(o->address, pub) == 0, "an onion", &e);
	memcpy(l.site, other.site, sizeof l.site);
	memcpy(l.onion, o->address, sizeof l.onion);
	snprintf(l.url, sizeof l.url, "http://%s.onion/", o->address);
	sim_bytes(DICE_OTHER, l.salt, sizeof l.salt);
	l.from = l.possession_not_before = this_hour();
	l.until = l.possession_not_after = l.from + LEAF_S;
	must(doc_possession_sign(l.possession_sig, other.site, o->key, l.possession_not_before, l.possession_not_after, &e) == 0 &&
		 doc_leaf_write(&o->leaf, &n, &l, &e) == 0,
	    "a leaf", &e);
	doc_hash(o->hash, o->leaf, n);
	other.n_onions++;
}

void
other_rotate(void)
{
	size_t i;

	for (i = 0; i < other.n_onions && other.onions[i].retired; i++)
		;
	if (other.n_onions == OTHER_ONIONS || i == other.n_onions)
		return;
	other.onions[i].retired = true;
	other.onions[i].since = this_hour();
	add_onion();
}

const char *
other_address(size_t i, uint8_t leaf[DOC_HASH_LEN])
{
	if (i >= other.n_onions)
		return NULL;
	if (leaf != NULL)
		memcpy(leaf, other.onions[i].hash, DOC_HASH_LEN);
	return other.onions[i].address;
}

void
other_claim(const char *address, const uint8_t leaf[DOC_HASH_LEN])
{
	struct other_onion *o = &other.onions[other.n_onions];

	if (other.n_onions == OTHER_ONIONS)
		return;
	memset(o, 0, sizeof *o);
	snprintf(o->address, sizeof o->address, "%.56s", address);
	memcpy(o->hash, leaf, DOC_HASH_LEN);
	o->retired = true;
	other.n_onions++;
}

/* --- the site ------------------------------------------------------------------------------------- */

static char *
read_text(const char *path, size_t *len)
{
	size_t n = 0;
	const char *p = sim_file_get(path, &n);
	char *text;

	must(p != NULL, path, NULL);
	text = xcalloc(n + 1, 1);
	memcpy(text, p, n);
	*len = n;
	return text;
}

static void
site_path(char out[128], const char *name)
{
	snprintf(out, 128, "%s/site/%s", sim_plan.state_dir, name);
}

static void
read_site(void)
{
	struct err e = ERR_INIT;
	char path[128], *key;
	size_t n;

	key = read_text("/root/keys/root-1.key", &n);
	must(minisign_seckey_parse(&other.root_key, key, n, NULL, 0, &e) == 0, "the root key", &e);
	free(key);
	site_path(path, "1.root.json.1.minisig");
	other.root_sig = read_text(path, &n);
	site_path(path, "1.root.json");
	other.root_text = read_text(path, &n);
	must(doc_root_parse(&other.root, other.root_text, n, NULL, &e) == DOC_OK, "the root", &e);
	doc_hash(other.site, other.root_text, n);
	site_path(path, "members.json");
	other.members_text = read_text(path, &n);
	must(doc_members_parse(&other.members, other.members_text, n, other.site, &e) == DOC_OK, "the members", &e);
	/* The operator made the folder long ago: a power loss must not take it. install() syncs its name. */
	site_path(path, "bundles/.keep");
	sim_file_put(path, "", 0, 0644);
	other.on = true;
	while (other.n_onions < FIRST_ONIONS)
		add_onion();
}

/* The members document with this member or without, and the daemon is told. */
static void
install(bool certified)
{
	struct doc_member *m = &other.members.members[1];
	char comment[DOC_COMMENT_MAX], path[128];
	struct err e = ERR_INIT;
	uint8_t hash[DOC_HASH_LEN];
	size_t n;

	other.certified = certified;
	other.members.seq++;
	other.members.n_members = certified ? 2 : 1;
	*m = other.members.members[0]; /* as long as ours */
	snprintf(m->name, sizeof m->name, "%s", OTHER_NAME);
	memcpy(m->key, other.pk[other.key], sizeof m->key);
	free(other.members_text);
	free(other.members_sig);
	must(doc_members_write(&other.members_text, &n, &other.members, &e) == 0, "the members", &e);
	doc_hash(hash, other.members_text, n);
	doc_members_comment(comment, &other.members, hash);
	must(minisign_sign(&other.members_sig, other.root_key.sk, other.root_key.id, other.members_text, n, comment, NULL, &e) == 0,
	    "the members' signature", &e);
	site_path(path, "members.json");
	sim_file_put(path, other.members_text, n, 0644);
	site_path(path, "members.json.1.minisig");
	sim_file_put(path, other.members_sig, strlen(other.members_sig), 0644);
	sim_trace("site: members %llu, %s", (unsigned long long)other.members.seq, certified ? "the other one too" : "ours alone");
	process_signal(SIGHUP);
}

void
other_certify(bool fresh)
{
	uint8_t seed[crypto_sign_SEEDBYTES];

	if (!other.on)
		read_site();
	if (other.key == 0 || (fresh && other.key < KEYS)) {
		other.key++;
		sim_bytes(DICE_OTHER, seed, sizeof seed);
		crypto_sign_seed_keypair(other.pk[other.key], other.sk[other.key], seed);
		other.newest = NULL;
	}
	install(true);
}

void
other_withdraw(void)
{
	if (other.certified)
		install(false);
}

/* --- heads ------------------------------------------------------------------------------------------ */

/* Of its addresses those that it has, with decoys. */
static void
fill_leaves(struct doc_head *d)
{
	uint8_t hashes[OTHER_ONIONS][DOC_HASH_LEN], decoys[OTHER_ONIONS][DOC_HASH_LEN];
	struct err e = ERR_INIT;
	size_t i, n = 0;

	for (i = 0; i < other.n_onions; i++)
		if (!other.onions[i].retired)
			memcpy(hashes[n++], other.onions[i].hash, DOC_HASH_LEN);
	sim_bytes(DICE_OTHER, decoys, sizeof decoys);
	must(doc_leaves_pad(&d->leaves, &d->n_leaves, (const uint8_t(*)[DOC_HASH_LEN])hashes, n, (const uint8_t(*)[DOC_HASH_LEN])decoys,
		 OTHER_ONIONS, &e) == 0,
	    "leaves", &e);
}

static void
add_tombstone(struct doc_head *d, const char *address, int64_t since)
{
	struct doc_tombstone *t = &d->tombstones[d->n_tombstones++];

	doc_tombstone_hash(t->h, address);
	t->state = DOC_STATE_RETIRED;
	t->since = since;
}

static void
fill_tombstones(struct doc_head *d, const char *of_ours)
{
	size_t i;

	d->tombstones = xcalloc(OTHER_ONIONS + 1, sizeof *d->tombstones);
	for (i = 0; i < other.n_onions; i++)
		if (other.onions[i].retired && other.onions[i].leaf != NULL)
			add_tombstone(d, other.onions[i].address, other.onions[i].since);
	if (of_ours != NULL)
		add_tombstone(d, of_ours, d->issued);
}

static void
write_bundle(struct other_head *h, const char *head, size_t n, const char *sig)
{
	struct doc_text root_sig = { other.root_sig, strlen(other.root_sig) }, members_sig = { other.members_sig, strlen(other.members_sig) };
	struct doc_text head_sig = { sig, strlen(sig) }, leaves[OTHER_ONIONS];
	struct doc_signed root = { { other.root_text, strlen(other.root_text) }, &root_sig, 1 }, one = { { head, n }, &head_sig, 1 };
	struct doc_bundle b = { .roots = &root, .n_roots = 1, .heads = &one, .n_heads = 1, .leaves = leaves };
	struct err e = ERR_INIT;
	size_t i;

	b.members = (struct doc_signed){ { other.members_text, strlen(other.members_text) }, &members_sig, 1 };
	for (i = 0; i < other.n_onions; i++)
		if (!other.onions[i].retired)
			leaves[b.n_leaves++] = (struct doc_text){ other.onions[i].leaf, strlen(other.onions[i].leaf) };
	must(doc_bundle_write(&h->bundle, &h->len, &b, &e) == 0, "a bundle", &e);
}

const struct other_head *
other_sign(const struct other_wish *w)
{
	struct other_head *h = &other.heads[other.n_heads];
	char comment[DOC_COMMENT_MAX], *text, *sig;
	struct doc_head d = { .epoch = other.root.epoch, .serial = w->serial, .root_version = 1, .members_seq = other.members.seq };
	struct err e = ERR_INIT;
	size_t n;

	if (other.n_heads == OTHER_HEADS || other.key == 0)
		return NULL;
	memcpy(d.site, other.site, sizeof d.site);
	snprintf(d.member, sizeof d.member, "%s", OTHER_NAME);
	doc_hash(d.members_sha256, other.members_text, strlen(other.members_text));
	d.issued = this_hour();
	d.fresh_until = d.issued + HEAD_S / 2;
	d.valid_until = d.issued + HEAD_S;
	if (w->prev != NULL) {
		d.prev_serial = w->prev->serial;
		memcpy(d.prev_sha256, w->prev->sha256, DOC_HASH_LEN);
	}
	fill_leaves(&d);
	fill_tombstones(&d, w->withdraw);
	must(doc_head_write(&text, &n, &d, &e) == 0, "a head", &e);
	doc_hash(h->sha256, text, n);
	doc_head_comment(comment, &d, h->sha256);
	must(minisign_sign(&sig, w->forged ? other.root_key.sk : other.sk[other.key], NULL, text, n, comment, NULL, &e) == 0, "its signature", &e);
	h->serial = w->serial;
	h->prev = w->prev;
	h->key = other.key;
	h->forged = w->forged;
	h->withdraws = w->withdraw != NULL;
	h->issued = d.issued;
	h->valid_until = d.valid_until;
	h->members_seq = d.members_seq;
	write_bundle(h, text, n, sig);
	doc_head_free(&d);
	free(text);
	free(sig);
	other.n_heads++;
	return h;
}

/* That it ever gave away under its key, in whatever head. */
static uint64_t
highest_serial(void)
{
	uint64_t highest = 0;
	size_t i;

	for (i = 0; i < other.n_heads; i++)
		if (other.heads[i].key == other.key && other.heads[i].serial > highest)
			highest = other.heads[i].serial;
	return highest;
}

const struct other_head *
other_sign_next(const char *withdraw)
{
	uint64_t now = (uint64_t)(sim_true_wall() - other.root.epoch_start) / 60, highest = highest_serial();
	struct other_wish w = { .prev = other.newest, .withdraw = withdraw };

	if (other.newest == NULL) /* a key begins where it likes */
		w.serial = 1 + sim_below(DICE_OTHER, now + 1);
	else
		w.serial = highest < now ? now : highest + 1;
	return other.newest = other_sign(&w) != NULL ? &other.heads[other.n_heads - 1] : other.newest;
}

const struct other_head *
other_newest(void)
{
	return other.newest;
}

const struct other_head *
other_head(size_t i)
{
	return i < other.n_heads ? &other.heads[i] : NULL;
}

const struct other_head *
other_find(const uint8_t sha256[DOC_HASH_LEN])
{
	size_t i;

	for (i = other.n_heads; i-- > 0;)
		if (memcmp(other.heads[i].sha256, sha256, DOC_HASH_LEN) == 0)
			return &other.heads[i];
	return NULL;
}
