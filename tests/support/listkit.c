/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Mirror lists for tests. Good documents are written by the writers of src/proto; what those refuse
 * to write is made by patching their JSON. A kit owns the texts it made. Failures abort: a kit that
 * can't be built is a mistake in the test.
 */
#include "config.h"
#include "support/listkit.h"

#include "proto/edkey.h"
#include "proto/minisign.h"

#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
must(bool ok, const char *what, const struct err *e)
{
	if (ok)
		return;
	fprintf(stderr, "listkit: %s: %s\n", what, e != NULL ? e->msg : "");
	abort();
}

static void
seed_of(uint8_t seed[32], const char *kind, unsigned number)
{
	char text[64];
	int n = snprintf(text, sizeof text, "listkit %s %u", kind, number);

	crypto_hash_sha256(seed, (const uint8_t *)text, (size_t)n);
}

void
kit_key(unsigned number, uint8_t *sk, uint8_t *pk)
{
	uint8_t seed[32], s[64], p[32];

	seed_of(seed, "key", number);
	crypto_sign_seed_keypair(p, s, seed);
	if (sk != NULL)
		memcpy(sk, s, sizeof s);
	if (pk != NULL)
		memcpy(pk, p, sizeof p);
}

void
kit_onion(unsigned number, uint8_t *key, char *addr)
{
	uint8_t seed[32], k[64], pk[32];
	struct err e = ERR_INIT;

	must(sodium_init() >= 0, "libsodium", NULL);
	seed_of(seed, "onion", number);
	edkey_from_seed(k, seed);
	if (key != NULL)
		memcpy(key, k, sizeof k);
	if (addr != NULL)
		must(edkey_pubkey(pk, k, &e) == 0 && onion_from_pubkey(addr, pk) == 0, "onion", &e);
}

void
kit_signers(struct kit_signers *s, size_t n, const unsigned *keys)
{
	memcpy(s->keys, keys, n * sizeof *keys);
	s->n = n;
}

static void
set_root_defaults(struct kit_root *r, int64_t now)
{
	static const unsigned keys[] = { 1, 2, 3 };

	r->doc.version = 1;
	r->doc.epoch = 1;
	r->doc.epoch_start = now - 10 * KIT_DAY;
	r->doc.expires = now + 355 * KIT_DAY;
	strcpy(r->doc.name, "The Test");
	r->doc.n_keys = 3;
	r->doc.threshold = 2;
	r->doc.limits.member_days = 37;
	r->doc.limits.head_hours = 168;
	r->doc.limits.possession_days = 90;
	memcpy(r->keys, keys, sizeof keys);
	kit_signers(&r->signers, 2, keys);
}

struct kit_root *
kit_add_root(struct kit *k)
{
	struct kit_root *r = &k->roots[k->n_roots];

	must(k->n_roots < KIT_ROOTS, "too many roots", NULL);
	memset(r, 0, sizeof *r);
	if (k->n_roots == 0)
		set_root_defaults(r, k->now);
	else {
		*r = r[-1];
		memset(&r->out, 0, sizeof r->out);
		r->doc.version++;
	}
	k->n_roots++;
	return r;
}

struct kit_head *
kit_add_member(struct kit *k, const char *name, unsigned key)
{
	struct doc_member *m = &k->members.doc.members[k->members.doc.n_members];
	struct kit_head *h = &k->heads[k->n_heads++];

	must(k->n_heads <= KIT_HEADS, "too many heads", NULL);
	k->members.keys[k->members.doc.n_members++] = key;
	snprintf(m->name, sizeof m->name, "%s", name);
	m->not_before = k->now - KIT_DAY;
	m->not_after = k->now + 36 * KIT_DAY;
	memset(h, 0, sizeof *h);
	snprintf(h->doc.member, sizeof h->doc.member, "%s", name);
	h->doc.epoch = 1;
	h->doc.serial = 100;
	h->doc.issued = k->now - KIT_HOUR;
	h->doc.fresh_until = h->doc.issued + KIT_DAY;
	h->doc.valid_until = h->doc.issued + 7 * KIT_DAY;
	kit_signers(&h->signers, 1, &key);
	return h;
}

struct kit_leaf *
kit_add_leaf(struct kit *k, unsigned onion)
{
	struct kit_leaf *l = &k->leaves[k->n_leaves];

	must(k->n_leaves < KIT_LEAVES, "too many leaves", NULL);
	memset(l, 0, sizeof *l);
	l->onion = l->signer = onion;
	l->doc.role = DOC_ROLE_MIRROR;
	memset(l->doc.salt, (int)onion, sizeof l->doc.salt);
	l->doc.from = k->now - KIT_DAY;
	l->doc.until = k->now + 60 * KIT_DAY;
	l->doc.possession_not_before = k->now - KIT_DAY;
	l->doc.possession_not_after = k->now + 80 * KIT_DAY;
	if (k->n_heads > 0)
		k->heads[0].leaves |= 1u << k->n_leaves;
	k->n_leaves++;
	return l;
}

void
kit_init(struct kit *k)
{
	kit_init_at(k, KIT_NOW);
}

void
kit_init_at(struct kit *k, int64_t now)
{
	static const unsigned signers[] = { 1, 2 };

	must(sodium_init() >= 0, "libsodium", NULL);
	memset(k, 0, sizeof *k);
	k->now = now;
	kit_add_root(k);
	k->members.doc.epoch = 1;
	k->members.doc.seq = 1;
	k->members.doc.issued = k->now - KIT_DAY;
	k->members.doc.expires = k->now + 36 * KIT_DAY;
	kit_signers(&k->members.signers, 2, signers);
	kit_add_member(k, "alpha", 11);
	kit_add_leaf(k, 1);
	kit_add_leaf(k, 2);
}

static void
add_patch(struct kit *k, struct kit_patch p)
{
	must(k->n_patches < KIT_PATCHES, "too many patches", NULL);
	k->patches[k->n_patches++] = p;
}

void
kit_patch(struct kit *k, enum kit_which which, size_t index, const char *path, const char *value)
{
	add_patch(k, (struct kit_patch){ which, index, path, value, false });
}

void
kit_tamper(struct kit *k, enum kit_which which, size_t index, const char *path, const char *value)
{
	add_patch(k, (struct kit_patch){ which, index, path, value, true });
}

/* Sets or deletes what `path` names. */
static void
apply(json_t *v, const struct kit_patch *p)
{
	json_t *value = p->value != NULL ? json_loads(p->value, JSON_DECODE_ANY, NULL) : NULL;
	char path[128], *name = path, *dot;

	must(p->value == NULL || value != NULL, "a patch is not JSON", NULL);
	snprintf(path, sizeof path, "%s", p->path);
	for (; (dot = strchr(name, '.')) != NULL; name = dot + 1) {
		*dot = '\0';
		v = json_is_array(v) ? json_array_get(v, strtoul(name, NULL, 10)) : json_object_get(v, name);
	}
	must(v != NULL, "a patch leads nowhere", NULL);
	if (json_is_array(v) && value == NULL)
		json_array_remove(v, strtoul(name, NULL, 10));
	else if (json_is_array(v) && strtoul(name, NULL, 10) >= json_array_size(v))
		json_array_append_new(v, value);
	else if (json_is_array(v))
		json_array_set_new(v, strtoul(name, NULL, 10), value);
	else if (value == NULL)
		json_object_del(v, name);
	else
		json_object_set_new(v, name, value);
}

static void
patch_text(const struct kit *k, enum kit_which which, size_t index, bool after, char **text, size_t *len)
{
	json_t *v = NULL;
	char *dump;
	size_t i;

	for (i = 0; i < k->n_patches; i++) {
		const struct kit_patch *p = &k->patches[i];

		if (p->which != which || p->index != index || p->after != after)
			continue;
		if (v == NULL)
			v = json_loads(*text, 0, NULL);
		apply(v, p);
	}
	if (v == NULL)
		return;
	dump = json_dumps(v, JSON_COMPACT | JSON_SORT_KEYS);
	free(*text);
	*len = strlen(dump) + 1;
	*text = malloc(*len + 1);
	must(*text != NULL, "memory", NULL);
	memcpy(*text, dump, *len - 1);
	memcpy(*text + *len - 1, "\n", 2);
	free(dump);
	json_decref(v);
}

static void
text_free(struct kit_text *t)
{
	size_t i;

	free(t->text);
	for (i = 0; i < t->n_sigs; i++)
		free(t->sigs[i]);
	memset(t, 0, sizeof *t);
}

static void
sign(struct kit_text *t, const struct kit_signers *s, const char *comment)
{
	struct err e = ERR_INIT;
	uint8_t sk[64];
	size_t i;

	for (i = 0; i < s->n; i++) {
		kit_key(s->keys[i], sk, NULL);
		must(minisign_sign(&t->sigs[i], sk, NULL, t->text, t->len, comment, NULL, &e) == 0, "sign", &e);
	}
	t->n_sigs = s->n;
}

static void
build_root(struct kit *k, size_t i)
{
	struct kit_root *r = &k->roots[i];
	char comment[DOC_COMMENT_MAX];
	struct err e = ERR_INIT;
	struct doc_root again;
	uint8_t hash[DOC_HASH_LEN];
	size_t j;

	text_free(&r->out);
	for (j = 0; j < r->doc.n_keys; j++)
		kit_key(r->keys[j], NULL, r->doc.keys[j]);
	if (i > 0) {
		memcpy(r->doc.site, k->site, DOC_HASH_LEN);
		doc_hash(r->doc.prev, r[-1].out.text, r[-1].out.len);
	}
	must(doc_root_write(&r->out.text, &r->out.len, &r->doc, &e) == 0, "root", &e);
	patch_text(k, KIT_ROOT, i, false, &r->out.text, &r->out.len);
	doc_hash(hash, r->out.text, r->out.len);
	if (i == 0) {
		memcpy(k->site, hash, sizeof hash);
		doc_site_format(k->site_id, hash);
	}
	if (doc_root_parse(&again, r->out.text, r->out.len, NULL, NULL) != DOC_OK)
		again = r->doc;
	doc_root_comment(comment, k->site, again.version, hash);
	sign(&r->out, &r->signers, comment);
	patch_text(k, KIT_ROOT, i, true, &r->out.text, &r->out.len);
}

static void
build_members(struct kit *k)
{
	struct kit_members *m = &k->members;
	char comment[DOC_COMMENT_MAX];
	struct err e = ERR_INIT;
	struct doc_members again;
	uint8_t hash[DOC_HASH_LEN];
	size_t i;

	text_free(&m->out);
	memcpy(m->doc.site, k->site, DOC_HASH_LEN);
	for (i = 0; i < m->doc.n_members; i++)
		kit_key(m->keys[i], NULL, m->doc.members[i].key);
	must(doc_members_write(&m->out.text, &m->out.len, &m->doc, &e) == 0, "members", &e);
	patch_text(k, KIT_MEMBERS, 0, false, &m->out.text, &m->out.len);
	if (doc_members_parse(&again, m->out.text, m->out.len, NULL, NULL) != DOC_OK)
		again = m->doc;
	doc_hash(hash, m->out.text, m->out.len);
	doc_members_comment(comment, &again, hash);
	sign(&m->out, &m->signers, comment);
	patch_text(k, KIT_MEMBERS, 0, true, &m->out.text, &m->out.len);
}

/* Pads with decoys that are the same each time. */
static void
fill_leaves(struct kit *k, struct kit_head *h)
{
	uint8_t hashes[KIT_LEAVES][DOC_HASH_LEN], decoys[16][DOC_HASH_LEN];
	struct err e = ERR_INIT;
	size_t i, n = 0;

	for (i = 0; i < k->n_leaves; i++)
		if (h->leaves & 1u << i)
			doc_hash(hashes[n++], k->leaves[i].out.text, k->leaves[i].out.len);
	for (i = 0; i < 16; i++)
		seed_of(decoys[i], h->doc.member, (unsigned)i);
	must(doc_leaves_pad(&h->doc.leaves, &h->doc.n_leaves, (const uint8_t(*)[DOC_HASH_LEN])hashes, n,
	         (const uint8_t(*)[DOC_HASH_LEN])decoys, 16, &e) == 0,
	    "leaves", &e);
}

static void
build_head(struct kit *k, size_t i)
{
	struct kit_head *h = &k->heads[i];
	struct doc_head again = { 0 }, doc = h->doc;
	char comment[DOC_COMMENT_MAX];
	struct err e = ERR_INIT;
	uint8_t hash[DOC_HASH_LEN];

	text_free(&h->out);
	fill_leaves(k, h);
	doc.leaves = h->doc.leaves;
	doc.n_leaves = h->doc.n_leaves;
	memcpy(doc.site, k->site, DOC_HASH_LEN);
	if (doc.root_version == 0)
		doc.root_version = k->n_roots;
	if (doc.members_seq == 0) {
		doc.members_seq = k->members.doc.seq;
		doc_hash(doc.members_sha256, k->members.out.text, k->members.out.len);
	}
	must(doc_head_write(&h->out.text, &h->out.len, &doc, &e) == 0, "head", &e);
	patch_text(k, KIT_HEAD, i, false, &h->out.text, &h->out.len);
	doc_hash(hash, h->out.text, h->out.len);
	if (doc_head_parse(&again, h->out.text, h->out.len, NULL, NULL) == DOC_OK) {
		doc_head_comment(comment, &again, hash);
		doc_head_free(&again);
	} else
		doc_head_comment(comment, &doc, hash);
	sign(&h->out, &h->signers, comment);
	patch_text(k, KIT_HEAD, i, true, &h->out.text, &h->out.len);
	free(h->doc.leaves);
	h->doc.leaves = NULL;
	h->doc.n_leaves = 0;
}

static void
build_leaf(struct kit *k, size_t i)
{
	struct kit_leaf *l = &k->leaves[i];
	uint8_t key[EDKEY_LEN], site[DOC_HASH_LEN];
	char text[DOC_POSSESSION_MAX], addr[ONION_ADDR_LEN + 1];
	struct err e = ERR_INIT;
	size_t n;

	text_free(&l->out);
	memcpy(l->doc.site, k->site, DOC_HASH_LEN);
	memcpy(site, k->site, DOC_HASH_LEN);
	if (l->proof_site != NULL)
		must(doc_site_parse(site, l->proof_site) == 0, "proof_site", NULL);
	kit_onion(l->onion, NULL, addr);
	memcpy(l->doc.onion, addr, sizeof addr);
	if (l->doc.url[0] == '\0')
		snprintf(l->doc.url, sizeof l->doc.url, "http://%s.onion/", addr);
	kit_onion(l->signer, key, NULL);
	n = doc_possession_text(text, site, l->doc.onion, l->doc.possession_not_before, l->doc.possession_not_after);
	must(edkey_sign(l->doc.possession_sig, key, text, n, &e) == 0, "possession", &e);
	must(doc_leaf_write(&l->out.text, &l->out.len, &l->doc, &e) == 0, "leaf", &e);
	patch_text(k, KIT_LEAF, i, false, &l->out.text, &l->out.len);
}

struct doc_signed
kit_signed(const struct kit_text *t, struct doc_text *sigs)
{
	struct doc_signed s = { { t->text, t->len }, sigs, t->n_sigs };
	size_t i;

	for (i = 0; i < t->n_sigs; i++) {
		sigs[i].p = t->sigs[i];
		sigs[i].len = strlen(t->sigs[i]);
	}
	return s;
}

static void
build_bundle(struct kit *k)
{
	static struct doc_text sigs[KIT_ROOTS + KIT_HEADS + 1][KIT_SIGNERS];
	struct doc_signed roots[KIT_ROOTS], heads[KIT_HEADS];
	struct doc_text leaves[KIT_LEAVES];
	struct doc_bundle b = { .roots = roots, .heads = heads, .leaves = leaves };
	struct err e = ERR_INIT;
	size_t i;

	for (i = 0; i < k->n_roots; i++)
		roots[b.n_roots++] = kit_signed(&k->roots[i].out, sigs[i]);
	for (i = 0; i < k->n_heads; i++)
		heads[b.n_heads++] = kit_signed(&k->heads[i].out, sigs[KIT_ROOTS + i]);
	for (i = 0; i < k->n_leaves; i++)
		if (!k->leaves[i].left_out)
			leaves[b.n_leaves++] = (struct doc_text){ k->leaves[i].out.text, k->leaves[i].out.len };
	b.members = kit_signed(&k->members.out, sigs[KIT_ROOTS + KIT_HEADS]);
	free(k->bundle);
	must(doc_bundle_write(&k->bundle, &k->len, &b, &e) == 0, "bundle", &e);
	patch_text(k, KIT_BUNDLE, 0, false, &k->bundle, &k->len);
}

void
kit_build(struct kit *k)
{
	size_t i;

	for (i = 0; i < k->n_roots; i++)
		build_root(k, i);
	build_members(k);
	for (i = 0; i < k->n_leaves; i++)
		build_leaf(k, i);
	for (i = 0; i < k->n_heads; i++)
		build_head(k, i);
	build_bundle(k);
}

void
kit_free(struct kit *k)
{
	size_t i;

	for (i = 0; i < k->n_roots; i++)
		text_free(&k->roots[i].out);
	text_free(&k->members.out);
	for (i = 0; i < k->n_heads; i++)
		text_free(&k->heads[i].out);
	for (i = 0; i < k->n_leaves; i++)
		text_free(&k->leaves[i].out);
	free(k->bundle);
	k->bundle = NULL;
}
