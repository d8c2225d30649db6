/* SPDX-License-Identifier: BSD-3-Clause */
/* The head: leaves padded with decoys, tombstones, the link to the head before, the member's signature. */
#include "config.h"
#include "publish/publish_impl.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#define HOUR 3600
#define FRESH_HOURS 24
#define VALID_HOURS (7 * 24)

static void
put_u64(uint8_t out[8], uint64_t v)
{
	int i;

	for (i = 0; i < 8; i++)
		out[i] = (uint8_t)(v >> (8 * i));
}

static uint64_t
get_u64(const uint8_t p[8])
{
	uint64_t v = 0;
	int i;

	for (i = 0; i < 8; i++)
		v |= (uint64_t)p[i] << (8 * i);
	return v;
}

struct decoy_input {
	char context[24];
	uint8_t site[DOC_HASH_LEN], number[8], life[8];
};

/*
 * Decoys must behave like leaves, or comparing heads would tell them apart: a
 * leaf keeps its hash from head to head until its possession proof is renewed,
 * at half life, so each decoy is replaced after the same time, counted from a
 * moment of its own. All is derived from one key, which stays when the member
 * key changes, as leaves do: nothing else is kept.
 */
static int
make_decoys(uint8_t (*out)[DOC_HASH_LEN], size_t n, const struct publish_site *s, const uint8_t *decoy_key, int64_t now)
{
	uint64_t span = (uint64_t)possession_s(s) / 2, phase;
	struct decoy_input in = { .context = "onionmirror/decoy/1" };
	uint8_t key[32];
	size_t i;

	if (span == 0 || crypto_generichash(key, sizeof key, (const unsigned char *)in.context, sizeof in.context, decoy_key, 32) != 0)
		return -1;
	memcpy(in.site, s->root.site, sizeof in.site);
	for (i = 0; i < n; i++) {
		put_u64(in.number, i);
		put_u64(in.life, UINT64_MAX);
		crypto_generichash(out[i], DOC_HASH_LEN, (const unsigned char *)&in, sizeof in, key, sizeof key);
		phase = get_u64(out[i]) % span;
		put_u64(in.life, ((uint64_t)now + phase) / span);
		crypto_generichash(out[i], DOC_HASH_LEN, (const unsigned char *)&in, sizeof in, key, sizeof key);
	}
	sodium_memzero(key, sizeof key);
	return 0;
}

static int
fill_leaves(struct doc_head *h, const struct publish_site *s, const struct publish_list *l, struct err *e)
{
	uint8_t (*hashes)[DOC_HASH_LEN] = calloc(l->n_entries + 1, sizeof *hashes), (*decoys)[DOC_HASH_LEN];
	size_t n_decoys = 16, i;
	int r = -1;

	while (n_decoys < l->n_entries)
		n_decoys *= 2;
	decoys = calloc(n_decoys, sizeof *decoys);
	if (hashes == NULL || decoys == NULL || make_decoys(decoys, n_decoys, s, l->decoy_key, l->now) != 0) {
		err_set(e, ERR_MEMORY, "out of memory");
		goto out;
	}
	for (i = 0; i < l->n_entries; i++)
		doc_hash(hashes[i], l->entries[i].leaf, strlen(l->entries[i].leaf));
	r = doc_leaves_pad(&h->leaves, &h->n_leaves, (const uint8_t(*)[DOC_HASH_LEN])hashes, l->n_entries,
	    (const uint8_t(*)[DOC_HASH_LEN])decoys, n_decoys, e);
out:
	free(hashes);
	free(decoys);
	return r;
}

/* The head before, if it is of the same epoch and member. */
static int
fill_prev(struct doc_head *h, const char *text, struct err *e)
{
	struct doc_head prev = { 0 };
	enum doc_reason why;

	if (text == NULL)
		return 0;
	why = doc_head_parse(&prev, text, strlen(text), h->site, NULL);
	if (why != DOC_OK)
		return err_set(e, ERR_STATE, "the stored head before this one is %s", doc_reason_name(why));
	if (prev.epoch == h->epoch && strcmp(prev.member, h->member) == 0) {
		h->prev_serial = prev.serial;
		doc_hash(h->prev_sha256, text, strlen(text));
	}
	doc_head_free(&prev);
	return h->prev_serial < h->serial ? 0 : err_set(e, ERR_STATE, "serial %llu is not above the last one", (unsigned long long)h->serial);
}

/* What we know of other sites. */
static int
fill_peers(struct doc_head *h, const struct publish_others *o, struct err *e)
{
	if (o == NULL || o->n_peers == 0)
		return 0;
	h->peers = calloc(o->n_peers, sizeof *h->peers);
	if (h->peers == NULL)
		return err_set(e, ERR_MEMORY, "out of memory");
	memcpy(h->peers, o->peers, o->n_peers * sizeof *h->peers);
	h->n_peers = o->n_peers;
	return 0;
}

static int
fill_head(struct doc_head *h, const struct publish_site *s, const struct publish_list *l, struct err *e)
{
	int64_t limit = (int64_t)s->root.doc.limits.head_hours, hours = limit < VALID_HOURS ? limit : VALID_HOURS;

	memcpy(h->site, s->root.site, sizeof h->site);
	h->epoch = s->root.doc.epoch;
	h->serial = l->serial;
	h->root_version = s->root.doc.version;
	h->members_seq = s->cert.seq;
	memcpy(h->member, s->member->name, sizeof h->member);
	memcpy(h->members_sha256, s->cert_sha256, sizeof h->members_sha256);
	h->issued = l->now - l->now % HOUR;
	h->valid_until = h->issued + hours * HOUR;
	h->fresh_until = h->issued + (hours < FRESH_HOURS ? hours : FRESH_HOURS) * HOUR;
	if (fill_prev(h, l->prev_head, e) != 0 || fill_leaves(h, s, l, e) != 0 || fill_peers(h, l->others, e) != 0)
		return -1;
	return tombstones_make(&h->tombstones, &h->n_tombstones, s, l, e);
}

/* The site was verified when it was loaded, but for what runs out. */
static int
check_site(const struct publish_site *s, int64_t now, struct err *e)
{
	if (chain_root_expiry(&s->root, now, NULL) != DOC_OK)
		return err_set(e, ERR_REFUSED, "the root document ran out, no reader would believe a new list; have the root keys renew it");
	if (now >= s->cert.expires)
		return err_set(e, ERR_REFUSED, "members.json ran out, no reader would believe a new list; have the root keys renew it");
	if (now >= s->member->not_after)
		return err_set(e, ERR_REFUSED, "the certificate of member %s ran out, no reader would believe a new list; have the root keys renew members.json",
		    s->member->name);
	return 0;
}

/* One leaf that readers refuse makes them refuse its whole bundle, so each is judged as they will. */
static int
check_leaves(const struct publication *p, const struct publish_site *s, const struct publish_list *l, struct err *e)
{
	const struct doc_leaf *leaf;
	enum doc_reason why;
	size_t i;

	for (i = 0; i < l->n_entries; i++) {
		why = judged_find(&leaf, s, l->entries[i].leaf, strlen(l->entries[i].leaf));
		if (why == DOC_OK)
			why = chain_leaf_now(leaf, &s->root, p->head.tombstones, p->head.n_tombstones, l->now, NULL);
		/* The detail names the address, and this text goes into the log. */
		if (why != DOC_OK)
			return err_set(e, ERR_REFUSED, "leaf %zu does not verify: %s", i + 1, doc_reason_name(why));
	}
	return 0;
}

/* As a reader would: a head that our own verifier refuses must never be visible. */
static int
check_head(const struct publication *p, const struct publish_site *s, int64_t now, struct err *e)
{
	struct doc_text sig = { p->head_sig, strlen(p->head_sig) };
	struct doc_signed signed_head = { .doc = { p->head_text, p->head_len }, .sigs = &sig, .n_sigs = 1 };
	struct err inner = ERR_INIT;
	enum doc_reason why = chain_head(&p->head, &s->root, &s->cert, s->cert_sha256, &signed_head, NULL, now, &inner);

	return why == DOC_OK ? 0 : err_set(e, ERR_CRYPTO, "the new head does not verify: %s: %s", doc_reason_name(why), inner.msg);
}

static int
make_head(struct publication *p, const struct publish_site *s, const struct publish_list *l, struct err *e)
{
	struct doc_head h = { 0 };
	char comment[DOC_COMMENT_MAX];
	uint8_t hash[DOC_HASH_LEN];
	enum doc_reason why;
	int r = -1;

	if (fill_head(&h, s, l, e) != 0 || doc_head_write(&p->head_text, &p->head_len, &h, e) != 0)
		goto out;
	/* Read back: the writer sorts, and what is signed is what is on paper. */
	why = doc_head_parse(&p->head, p->head_text, p->head_len, s->root.site, e);
	if (why != DOC_OK)
		goto out;
	doc_hash(hash, p->head_text, p->head_len);
	doc_head_comment(comment, &p->head, hash);
	if (minisign_sign(&p->head_sig, s->sk, NULL, p->head_text, p->head_len, comment, NULL, e) == 0)
		r = check_head(p, s, l->now, e);
out:
	doc_head_free(&h);
	return r;
}

int
publication_make(struct publication **out, const struct publish_site *s, const struct publish_list *l, struct err *e)
{
	struct publication *p;
	size_t i;

	if (l->n_entries == 0 && !l->may_be_empty)
		return err_set(e, ERR_REFUSED, "the list would be empty");
	if (check_site(s, l->now, e) != 0)
		return -1;
	p = calloc(1, sizeof *p);
	if (p == NULL || (p->channels = calloc(l->n_channels + 1, sizeof *p->channels)) == NULL) {
		free(p);
		return err_set(e, ERR_MEMORY, "out of memory");
	}
	p->serial = l->serial;
	if (make_head(p, s, l, e) != 0 || check_leaves(p, s, l, e) != 0)
		goto fail;
	for (i = 0; i < l->n_channels; i++) {
		p->channels[i].channel = strdup(l->channels[i]);
		p->n_channels = i + 1;
		if (p->channels[i].channel == NULL) {
			err_set(e, ERR_MEMORY, "out of memory");
			goto fail;
		}
		if (files_make(&p->channels[i], s, p, l, e) != 0)
			goto fail;
	}
	judged_tidy(s->judged);
	*out = p;
	return 0;
fail:
	publication_free(p);
	return -1;
}

const char *
publication_head(const struct publication *p)
{
	return p->head_text;
}

int64_t
publication_valid_until(const struct publication *p)
{
	return p->head.valid_until;
}

void
publication_free(struct publication *p)
{
	size_t i;

	if (p == NULL)
		return;
	for (i = 0; i < p->n_channels; i++)
		files_free(&p->channels[i]);
	free(p->channels);
	doc_head_free(&p->head);
	free(p->head_text);
	free(p->head_sig);
	free(p);
}

uint64_t
publish_next_serial(uint64_t last, int64_t epoch_start, int64_t now)
{
	uint64_t minutes = now > epoch_start ? (uint64_t)(now - epoch_start) / 60 : 0;

	if (minutes < 1)
		minutes = 1;
	return last + 1 > minutes ? last + 1 : minutes;
}
