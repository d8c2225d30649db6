/* SPDX-License-Identifier: BSD-3-Clause */
/* The leaf: one mirror, listed by its hash; and the padded, sorted arrays of such hashes. */
#include "config.h"
#include "proto/doc.h"

#include "base/rng.h"
#include "proto/doc_json.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct doc_form form = { "leaf", "onionmirror/leaf/1", DOC_LEAF_MAX, DOC_VALUES_MAX, false };

#define LEAVES_MAX 8192 /* 16 * 2^9: the most that fit into DOC_HEAD_MAX */

static void
read_role(struct doc_fields *f, struct doc_leaf *l)
{
	char text[16] = "";
	int r;

	doc_field_str(f, "role", 1, sizeof text - 1, text);
	for (r = DOC_ROLE_MIRROR; r <= DOC_ROLE_ARCHIVE; r++)
		if (strcmp(text, doc_role_name((enum doc_role)r)) == 0)
			l->role = (enum doc_role)r;
	if (l->role == 0)
		doc_field_bad(f, "role", "is none of mirror, replica, archive");
}

static void
read_possession(struct doc_fields *f, struct doc_leaf *l)
{
	struct doc_fields sub = { doc_field(f, "possession", CANON_OBJECT), "leaf possession", f->reason, f->e };

	if (sub.obj == NULL)
		return;
	doc_field_time(&sub, "not_before", &l->possession_not_before);
	doc_field_time(&sub, "not_after", &l->possession_not_after);
	doc_field_hex(&sub, "sig", l->possession_sig, DOC_SIG_LEN);
	f->reason = sub.reason;
}

/* Fills in onion and pk; of a leaf that passed before only the shape is looked at. */
static int
read_onion(struct doc_leaf *l, const char *host, bool known)
{
	size_t n = strlen(host);

	if (!known)
		return onion_from_host(l->pk, l->onion, host, n);
	if (n != ONION_HOST_LEN || !onion_addr_shape(host, ONION_ADDR_LEN) || strcmp(host + ONION_ADDR_LEN, ".onion") != 0)
		return -1;
	memcpy(l->onion, host, ONION_ADDR_LEN);
	return 0;
}

static enum doc_reason
leaf_parse(struct doc_leaf *out, const char *text, size_t len, const uint8_t *site, bool known, struct err *e)
{
	struct doc_fields f = { NULL, form.what, DOC_OK, e };
	char host[ONION_HOST_LEN + 1] = "";
	struct doc_leaf l;
	struct canon *v = NULL;

	f.reason = doc_json_open(&v, &form, text, len, e);
	if (f.reason != DOC_OK)
		return f.reason;
	memset(&l, 0, sizeof l);
	f.obj = canon_top(v);
	doc_field_site(&f, site, l.site);
	if (f.reason != DOC_OK)
		goto out;
	doc_field_str(&f, "onion", ONION_HOST_LEN, ONION_HOST_LEN, host);
	doc_field_str(&f, "url", 1, DOC_URL_MAX, l.url);
	read_role(&f, &l);
	doc_field_hex(&f, "salt", l.salt, DOC_SALT_LEN);
	doc_field_time(&f, "from", &l.from);
	doc_field_time(&f, "until", &l.until);
	read_possession(&f, &l);
	if (f.reason == DOC_OK && read_onion(&l, host, known) != 0)
		doc_field_bad(&f, "onion", "is not a v3 onion address");
	if (f.reason == DOC_OK && !doc_url_ok(l.url, l.onion))
		doc_field_bad(&f, "url", "is not this onion and nothing else");
	if (f.reason == DOC_OK && l.until <= l.from)
		doc_field_bad(&f, "until", "is not after `from`");
	if (f.reason == DOC_OK)
		*out = l;
out:
	canon_free(v);
	return f.reason;
}

enum doc_reason
doc_leaf_parse(struct doc_leaf *out, const char *text, size_t len, const uint8_t *site, struct err *e)
{
	return leaf_parse(out, text, len, site, false, e);
}

enum doc_reason
doc_leaf_parse_known(struct doc_leaf *out, const char *text, size_t len, const uint8_t *site, struct err *e)
{
	return leaf_parse(out, text, len, site, true, e);
}

int
doc_leaf_prove(struct doc_leaf *l)
{
	return onion_to_pubkey(l->pk, l->onion, ONION_ADDR_LEN) == 0 && doc_possession_verify(l) == 0 ? 0 : -1;
}

enum doc_reason
doc_leaf_outline(const char *text, size_t len, const uint8_t *site, struct err *e)
{
	struct doc_fields f = { NULL, form.what, DOC_OK, e };
	uint8_t found[DOC_HASH_LEN];
	struct canon *v = NULL;

	f.reason = doc_json_open(&v, &form, text, len, e);
	if (f.reason != DOC_OK)
		return f.reason;
	f.obj = canon_top(v);
	doc_field_site(&f, site, found);
	canon_free(v);
	return f.reason;
}

static json_t *
possession_json(const struct doc_leaf *l, bool *bad)
{
	json_t *o = json_object();

	doc_json_set(o, "not_before", doc_json_time(l->possession_not_before), bad);
	doc_json_set(o, "not_after", doc_json_time(l->possession_not_after), bad);
	doc_json_set(o, "sig", doc_json_hex(l->possession_sig, DOC_SIG_LEN), bad);
	return o;
}

int
doc_leaf_write(char **out, size_t *len, const struct doc_leaf *l, struct err *e)
{
	char host[ONION_HOST_LEN + 1], *text;
	struct doc_leaf again;
	json_t *o = json_object();
	bool bad = false;
	size_t n;

	snprintf(host, sizeof host, "%s.onion", l->onion);
	doc_json_set(o, "type", json_string(form.type), &bad);
	doc_json_set(o, "site", doc_json_hex(l->site, DOC_HASH_LEN), &bad);
	doc_json_set(o, "onion", json_string(host), &bad);
	doc_json_set(o, "url", json_string(l->url), &bad);
	doc_json_set(o, "role", json_string(doc_role_name(l->role)), &bad);
	doc_json_set(o, "salt", doc_json_hex(l->salt, DOC_SALT_LEN), &bad);
	doc_json_set(o, "from", doc_json_time(l->from), &bad);
	doc_json_set(o, "until", doc_json_time(l->until), &bad);
	doc_json_set(o, "possession", possession_json(l, &bad), &bad);
	if (doc_json_finish(&text, &n, o, bad, e) != 0)
		return -1;
	return doc_write_checked(out, len, text, n, doc_leaf_parse(&again, text, n, NULL, e), e);
}

static int
hash_cmp(const void *a, const void *b)
{
	return memcmp(a, b, DOC_HASH_LEN);
}

bool
doc_leaves_have(const uint8_t (*leaves)[DOC_HASH_LEN], size_t n, const uint8_t hash[DOC_HASH_LEN])
{
	return n > 0 && bsearch(hash, leaves, n, DOC_HASH_LEN, hash_cmp) != NULL;
}

/* Adds a hash at its place; false if it was there. `all` has room. */
static bool
insert(uint8_t (*all)[DOC_HASH_LEN], size_t n, const uint8_t hash[DOC_HASH_LEN])
{
	size_t at = n;

	while (at > 0 && memcmp(all[at - 1], hash, DOC_HASH_LEN) > 0)
		at--;
	if (at > 0 && memcmp(all[at - 1], hash, DOC_HASH_LEN) == 0)
		return false;
	memmove(all + at + 1, all + at, (n - at) * DOC_HASH_LEN);
	memcpy(all + at, hash, DOC_HASH_LEN);
	return true;
}

int
doc_leaves_pad(uint8_t (**out)[DOC_HASH_LEN], size_t *n_out, const uint8_t (*leaves)[DOC_HASH_LEN], size_t n,
    const uint8_t (*decoys)[DOC_HASH_LEN], size_t n_decoys, struct err *e)
{
	uint8_t(*all)[DOC_HASH_LEN], extra[DOC_HASH_LEN];
	size_t have = 0, want = 16, i;

	if (n > LEAVES_MAX)
		return err_set(e, ERR_LIMIT, "%zu leaves are more than a head can list (%d)", n, LEAVES_MAX);
	all = calloc(LEAVES_MAX, DOC_HASH_LEN);
	if (all == NULL)
		return err_set(e, ERR_MEMORY, "no memory for leaf hashes");
	for (i = 0; i < n; i++)
		have += insert(all, have, leaves[i]);
	while (want < have)
		want *= 2;
	for (i = 0; i < n_decoys && have < want; i++)
		have += insert(all, have, decoys[i]);
	while (have < want) {
		rng_bytes(extra, sizeof extra);
		have += insert(all, have, extra);
	}
	*out = all;
	*n_out = have;
	return 0;
}
