/* SPDX-License-Identifier: BSD-3-Clause */
/* The documents by themselves: one canonical form, each rule of shape, and the small texts around them. */
#include "config.h"
#include "proto/doc.h"

#include "base/enc.h"
#include "support/listkit.h"

#include <criterion/criterion.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct kit kit;

static void
setup(void)
{
	kit_init(&kit);
}

static void
teardown(void)
{
	kit_free(&kit);
}

TestSuite(proto_doc, .init = setup, .fini = teardown);

static enum doc_reason
parse(enum kit_which which, const char *text, size_t len, const uint8_t *site, struct err *e)
{
	static struct doc_members members;
	struct doc_bundle bundle;
	struct doc_root root;
	struct doc_head head;
	struct doc_leaf leaf;
	enum doc_reason r = DOC_OK;

	switch (which) {
	case KIT_ROOT: return doc_root_parse(&root, text, len, site, e);
	case KIT_MEMBERS: return doc_members_parse(&members, text, len, site, e);
	case KIT_LEAF: return doc_leaf_parse(&leaf, text, len, site, e);
	case KIT_HEAD:
		r = doc_head_parse(&head, text, len, site, e);
		if (r == DOC_OK)
			doc_head_free(&head);
		return r;
	case KIT_BUNDLE:
		r = doc_bundle_parse(&bundle, text, len, e);
		if (r == DOC_OK)
			doc_bundle_free(&bundle);
		return r;
	}
	return r;
}

static const struct kit_text *
text_of(enum kit_which which, size_t i)
{
	static struct kit_text bundle;

	switch (which) {
	case KIT_ROOT: return &kit.roots[i].out;
	case KIT_MEMBERS: return &kit.members.out;
	case KIT_HEAD: return &kit.heads[i].out;
	case KIT_LEAF: return &kit.leaves[i].out;
	case KIT_BUNDLE: bundle.text = kit.bundle; bundle.len = kit.len; return &bundle;
	}
	return NULL;
}

static const enum kit_which kinds[] = { KIT_ROOT, KIT_MEMBERS, KIT_HEAD, KIT_LEAF, KIT_BUNDLE };
#define N_KINDS (sizeof kinds / sizeof kinds[0])

Test(proto_doc, what_is_written_is_read_again)
{
	struct err e = ERR_INIT;
	struct doc_head h;
	size_t i;

	kit_add_root(&kit);
	kit.heads[0].doc.prev_serial = 99;
	kit.heads[0].doc.tombstones = (struct doc_tombstone[]){ { { 9 }, DOC_STATE_REVOKED, KIT_NOW },
		{ { 3 }, DOC_STATE_RETIRED, KIT_NOW } };
	kit.heads[0].doc.n_tombstones = 2;
	kit.heads[0].doc.peers = (struct doc_peer[]){ { { 1 }, { 2 }, { 3 }, 4, 5, "beta" } };
	kit.heads[0].doc.n_peers = 1;
	kit_build(&kit);
	for (i = 0; i < N_KINDS; i++)
		cr_expect_eq(parse(kinds[i], text_of(kinds[i], 0)->text, text_of(kinds[i], 0)->len, NULL, &e), DOC_OK,
		    "kind %zu: %s", i, e.msg);
	cr_assert_eq(doc_head_parse(&h, kit.heads[0].out.text, kit.heads[0].out.len, kit.site, &e), DOC_OK, "%s", e.msg);
	cr_expect_eq(h.serial, 100);
	cr_expect_eq(h.prev_serial, 99);
	cr_expect_eq(h.n_leaves, 16);
	cr_assert_eq(h.n_tombstones, 2);
	cr_expect_eq(h.tombstones[0].h[0], 3, "written ascending");
	cr_expect_eq(h.tombstones[1].state, DOC_STATE_REVOKED);
	cr_assert_eq(h.n_peers, 1);
	cr_expect_str_eq(h.peers[0].member, "beta");
	cr_expect_eq(h.peers[0].serial, 5);
	doc_head_free(&h);
}

/* Type confusion: each kind of document given to each other parser. */
Test(proto_doc, no_document_passes_for_another_kind)
{
	size_t i, j;

	kit_build(&kit);
	for (i = 0; i < N_KINDS; i++)
		for (j = 0; j < N_KINDS; j++)
			if (i != j)
				cr_expect_eq(parse(kinds[i], text_of(kinds[j], 0)->text, text_of(kinds[j], 0)->len, NULL, NULL),
				    DOC_MALFORMED, "%zu as %zu", j, i);
}

Test(proto_doc, only_the_canonical_form_is_accepted)
{
	static const struct {
		const char *from, *to;
	} rows[] = {
		{ "\"epoch\":1", "\"epoch\": 1" },
		{ "\"epoch\":1", "\"epoch\":1.0" },
		{ "\"epoch\":1", "\"epoch\":-0" },
		{ "\"epoch\":1", "\"epoch\":1,\"epoch\":1" },
		{ "\"epoch\":1", "\"epoch\":01" },
		{ "\"epoch\":1", "\"epoch\":1e0" },
		{ "\"epoch\":1", "\"epoch\":9223372036854775808" },
		{ "\"epoch\":1", "\"\\u0065poch\":1" },
		{ "The Test", "The\\u0020Test" },
		{ "The Test", "The\\/Test" },
		{ "The Test", "The\\tTest" },
		{ "The Test", "The\\nTest" },
		{ "The Test", "The\\u0000Test" },
		{ "The Test", "The \xc3\xa9" },
		{ "The Test", "The \\u00e9" },
		{ "The Test", "The \x7f" },
		{ "}\n", "}\r\n" },
		{ "}\n", "}" },
		{ "}\n", "}\n\n" },
		{ "}\n", "}}\n" },
		{ "}\n", "}x\n" },
		{ "{\"epoch\"", " {\"epoch\"" },
		{ "{\"epoch\"", "\xef\xbb\xbf{\"epoch\"" },
	};
	char text[4096], *at;
	size_t i;

	kit_build(&kit);
	for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct kit_text *t = &kit.roots[0].out;

		at = strstr(t->text, rows[i].from);
		cr_assert_not_null(at, "%s", rows[i].from);
		if (rows[i].from[0] == '}') /* the last one */
			at = t->text + t->len - 2;
		snprintf(text, sizeof text, "%.*s%s%s", (int)(at - t->text), t->text, rows[i].to,
		    at + strlen(rows[i].from));
		cr_expect_eq(parse(KIT_ROOT, text, strlen(text), NULL, NULL), DOC_MALFORMED, "%zu: %s", i, rows[i].to);
	}
}

Test(proto_doc, each_rule_of_shape)
{
	static const char h32[] = "\"0000000000000000000000000000000000000000000000000000000000000000\"";
	static const struct {
		enum kit_which which;
		const char *path, *value;
		enum doc_reason reason;
	} rows[] = {
		{ KIT_ROOT, "unknown", "[{\"x\":\"y\"},7]", DOC_OK },
		{ KIT_ROOT, "unknown", "9007199254740991", DOC_OK },
		{ KIT_ROOT, "unknown", "9007199254740992", DOC_MALFORMED },
		{ KIT_ROOT, "unknown", "-1", DOC_MALFORMED },
		{ KIT_ROOT, "unknown", "1.5", DOC_MALFORMED },
		{ KIT_ROOT, "unknown", "null", DOC_MALFORMED },
		{ KIT_ROOT, "unknown", "true", DOC_MALFORMED },
		{ KIT_ROOT, "unknown", "[[[[[[[]]]]]]]", DOC_OK },
		{ KIT_ROOT, "unknown", "[[[[[[[[]]]]]]]]", DOC_MALFORMED },
		{ KIT_ROOT, "type", "\"onionmirror/root/2\"", DOC_MALFORMED },
		{ KIT_ROOT, "type", NULL, DOC_MALFORMED },
		{ KIT_ROOT, "version", "0", DOC_MALFORMED },
		{ KIT_ROOT, "version", "\"1\"", DOC_MALFORMED },
		{ KIT_ROOT, "version", NULL, DOC_MALFORMED },
		{ KIT_ROOT, "site", h32, DOC_MALFORMED },
		{ KIT_ROOT, "prev", h32, DOC_MALFORMED },
		{ KIT_ROOT, "epoch", "0", DOC_MALFORMED },
		{ KIT_ROOT, "epoch_start", "\"2026-11-23T12:00:01Z\"", DOC_MALFORMED },
		{ KIT_ROOT, "epoch_start", "\"2026-02-29T12:00:00Z\"", DOC_MALFORMED },
		{ KIT_ROOT, "epoch_start", "\"2026-11-23T24:00:00Z\"", DOC_MALFORMED },
		{ KIT_ROOT, "epoch_start", "\"2026-11-23 12:00:00Z\"", DOC_MALFORMED },
		{ KIT_ROOT, "expires", "\"2026-11-13T12:00:00Z\"", DOC_MALFORMED },
		{ KIT_ROOT, "name", "\"\"", DOC_MALFORMED },
		{ KIT_ROOT, "name", "\"12345678901234567890123456789012345678901234567890123456789012345\"",
		    DOC_MALFORMED },
		{ KIT_ROOT, "keys", "[]", DOC_MALFORMED },
		{ KIT_ROOT, "keys.0", "\"00\"", DOC_MALFORMED },
		{ KIT_ROOT, "keys.0", "7", DOC_MALFORMED },
		{ KIT_ROOT, "threshold", "0", DOC_MALFORMED },
		{ KIT_ROOT, "threshold", "4", DOC_MALFORMED },
		{ KIT_ROOT, "threshold", "3", DOC_OK },
		{ KIT_ROOT, "limits", "[]", DOC_MALFORMED },
		{ KIT_ROOT, "limits.head_hours", NULL, DOC_MALFORMED },
		{ KIT_MEMBERS, "seq", "0", DOC_MALFORMED },
		{ KIT_MEMBERS, "expires", "\"2026-11-22T12:00:00Z\"", DOC_MALFORMED },
		{ KIT_MEMBERS, "members", "{}", DOC_MALFORMED },
		{ KIT_MEMBERS, "members.0", "\"alpha\"", DOC_MALFORMED },
		{ KIT_MEMBERS, "members.0.name", "\"Alpha\"", DOC_MALFORMED },
		{ KIT_MEMBERS, "members.0.name", "\"-alpha\"", DOC_MALFORMED },
		{ KIT_MEMBERS, "members.0.name", "\"\"", DOC_MALFORMED },
		{ KIT_MEMBERS, "members.0.name", "\"a23456789012345678901234567890123\"", DOC_MALFORMED },
		{ KIT_MEMBERS, "members.0.name", "\"a2345678901234567890123456789-12\"", DOC_OK },
		{ KIT_MEMBERS, "members.0.not_after", "\"2026-11-22T12:00:00Z\"", DOC_MALFORMED },
		{ KIT_HEAD, "serial", "0", DOC_MALFORMED },
		{ KIT_HEAD, "leaves.16", h32, DOC_MALFORMED },
		{ KIT_HEAD, "leaves.15", NULL, DOC_MALFORMED },
		{ KIT_HEAD, "leaves.15", h32, DOC_MALFORMED },
		{ KIT_HEAD, "leaves", "[]", DOC_MALFORMED },
		{ KIT_HEAD, "peers", NULL, DOC_MALFORMED },
		{ KIT_HEAD, "tombstones", NULL, DOC_MALFORMED },
		{ KIT_HEAD, "tombstones.0", "{\"h\":\"00\",\"since\":\"2026-11-23T12:00:00Z\",\"state\":\"retired\"}",
		    DOC_MALFORMED },
		{ KIT_HEAD, "fresh_until", "\"2026-11-23T11:00:00Z\"", DOC_MALFORMED },
		{ KIT_HEAD, "fresh_until", "\"2026-12-23T11:00:00Z\"", DOC_MALFORMED },
		{ KIT_HEAD, "prev", "{\"serial\":0}", DOC_MALFORMED },
		{ KIT_HEAD, "prev",
		    "{\"serial\":100,\"sha256\":\"0000000000000000000000000000000000000000000000000000000000000000\"}",
		    DOC_MALFORMED },
		{ KIT_HEAD, "prev",
		    "{\"serial\":99,\"sha256\":\"0000000000000000000000000000000000000000000000000000000000000000\"}",
		    DOC_OK },
		{ KIT_LEAF, "role", "\"friend\"", DOC_MALFORMED },
		{ KIT_LEAF, "salt", "\"0011\"", DOC_MALFORMED },
		{ KIT_LEAF, "salt", "\"000102030405060708090A0B0C0D0E0F\"", DOC_MALFORMED },
		{ KIT_LEAF, "until", "\"2026-11-22T12:00:00Z\"", DOC_MALFORMED },
		{ KIT_LEAF, "url", "\"http://example.com/\"", DOC_MALFORMED },
		{ KIT_LEAF, "onion", "\"adifuhi6ujits3kvpl55iwelhrwztw7ls4x62efdevroujw43t5kanad.onion\"", DOC_MALFORMED },
		{ KIT_LEAF, "possession.sig", "\"00\"", DOC_MALFORMED },
		{ KIT_BUNDLE, "roots", "[]", DOC_MALFORMED },
		{ KIT_BUNDLE, "members", "[]", DOC_MALFORMED },
		{ KIT_BUNDLE, "members.doc", "7", DOC_MALFORMED },
		{ KIT_BUNDLE, "roots.0.sigs", "[7]", DOC_MALFORMED },
		{ KIT_BUNDLE, "leaves", "[7]", DOC_MALFORMED },
		{ KIT_BUNDLE, "heads", "[]", DOC_OK },
		{ KIT_BUNDLE, "leaves", "[\"a\\nb\"]", DOC_OK },
		{ KIT_BUNDLE, "leaves", "[\"a\\tb\"]", DOC_MALFORMED },
	};
	struct err e;
	size_t i;

	for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		enum doc_reason r;

		kit_init(&kit);
		kit_patch(&kit, rows[i].which, 0, rows[i].path, rows[i].value);
		kit_build(&kit);
		err_clear(&e);
		r = parse(rows[i].which, text_of(rows[i].which, 0)->text, text_of(rows[i].which, 0)->len, NULL, &e);
		cr_expect_eq(r, rows[i].reason, "%s = %s: %s (%s)", rows[i].path, rows[i].value, doc_reason_name(r),
		    e.msg);
		cr_expect(r == DOC_OK || e.msg[0] != '\0');
		kit_free(&kit);
	}
	kit_init(&kit);
}

Test(proto_doc, names_keys_and_tombstones_are_distinct)
{
	struct doc_tombstone twice[] = { { { 1 }, DOC_STATE_RETIRED, KIT_NOW }, { { 2 }, DOC_STATE_RETIRED, KIT_NOW },
		{ { 1 }, DOC_STATE_REVOKED, KIT_NOW } };
	struct doc_root r;
	struct doc_members m;
	struct doc_head h;
	char *out = NULL;

	kit_add_member(&kit, "beta", 12);
	kit_build(&kit);
	r = kit.roots[0].doc;
	memcpy(r.keys[1], r.keys[0], DOC_KEY_LEN);
	cr_expect_eq(doc_root_write(&out, NULL, &r, NULL), -1);
	m = kit.members.doc;
	memcpy(m.members[1].key, m.members[0].key, DOC_KEY_LEN);
	cr_expect_eq(doc_members_write(&out, NULL, &m, NULL), -1, "same key");
	m = kit.members.doc;
	strcpy(m.members[1].name, "alpha");
	cr_expect_eq(doc_members_write(&out, NULL, &m, NULL), -1, "same name");
	cr_assert_eq(doc_head_parse(&h, kit.heads[0].out.text, kit.heads[0].out.len, NULL, NULL), DOC_OK);
	free(h.tombstones);
	h.tombstones = twice;
	h.n_tombstones = 3;
	cr_expect_eq(doc_head_write(&out, NULL, &h, NULL), -1);
	h.tombstones = NULL;
	doc_head_free(&h);
	cr_expect_null(out);
}

Test(proto_doc, size_comes_before_everything)
{
	static const size_t caps[] = { DOC_ROOT_MAX, DOC_MEMBERS_MAX, DOC_HEAD_MAX, DOC_LEAF_MAX, DOC_BUNDLE_MAX };
	char *junk = malloc(DOC_BUNDLE_MAX + 1);
	size_t i;

	memset(junk, '[', DOC_BUNDLE_MAX + 1);
	for (i = 0; i < N_KINDS; i++) {
		cr_expect_eq(parse(kinds[i], junk, caps[i] + 1, NULL, NULL), DOC_TOO_LARGE);
		cr_expect_eq(parse(kinds[i], junk, caps[i], NULL, NULL), DOC_MALFORMED);
	}
	/* Four million values would take hundreds of megabytes; they are counted before they are parsed. */
	for (i = 1; i < DOC_BUNDLE_MAX - 2; i++)
		junk[i] = i % 2 ? '0' : ',';
	memcpy(junk + DOC_BUNDLE_MAX - 2, "]\n", 2);
	cr_expect_eq(parse(KIT_BUNDLE, junk, DOC_BUNDLE_MAX, NULL, NULL), DOC_MALFORMED);
	free(junk);
}

Test(proto_doc, another_site_is_named_as_such)
{
	uint8_t other[DOC_HASH_LEN] = { 1 };
	size_t i;

	kit_add_root(&kit);
	kit_build(&kit);
	for (i = 1; i < 4; i++) /* members, head, leaf */
		cr_expect_eq(
		    parse(kinds[i], text_of(kinds[i], 0)->text, text_of(kinds[i], 0)->len, other, NULL), DOC_WRONG_SITE);
	cr_expect_eq(parse(KIT_ROOT, text_of(KIT_ROOT, 1)->text, text_of(KIT_ROOT, 1)->len, other, NULL), DOC_WRONG_SITE);
	cr_expect_eq(doc_leaf_outline(text_of(KIT_LEAF, 0)->text, text_of(KIT_LEAF, 0)->len, other, NULL), DOC_WRONG_SITE);
	cr_expect_eq(doc_leaf_outline(text_of(KIT_LEAF, 0)->text, text_of(KIT_LEAF, 0)->len, kit.site, NULL), DOC_OK);
}

Test(proto_doc, every_cut_of_a_document_is_malformed)
{
	size_t i, n;

	kit_build(&kit);
	for (i = 0; i < 4; i++)
		for (n = 0; n < text_of(kinds[i], 0)->len; n++)
			cr_expect_eq(parse(kinds[i], text_of(kinds[i], 0)->text, n, NULL, NULL), DOC_MALFORMED);
}

Test(proto_doc, a_site_id_has_one_spelling)
{
	uint8_t site[DOC_HASH_LEN], again[DOC_HASH_LEN];
	char text[DOC_SITE_TEXT_LEN + 1];

	randombytes_buf(site, sizeof site);
	doc_site_format(text, site);
	cr_expect_eq(strlen(text), DOC_SITE_TEXT_LEN);
	cr_assert_eq(doc_site_parse(again, text), 0);
	cr_expect_eq(memcmp(site, again, sizeof site), 0);
	text[DOC_SITE_TEXT_LEN - 1] = text[DOC_SITE_TEXT_LEN - 1] == 'a' ? 'b' : 'r'; /* spare bits */
	cr_expect_neq(doc_site_parse(again, text), 0);
	doc_site_format(text, site);
	text[0] = 'O';
	cr_expect_neq(doc_site_parse(again, text), 0);
	doc_site_format(text, site);
	text[DOC_SITE_TEXT_LEN - 1] = '\0';
	cr_expect_neq(doc_site_parse(again, text), 0);
	cr_expect_neq(doc_site_parse(again, ""), 0);
}

Test(proto_doc, urls_are_the_onion_and_nothing_else)
{
	static const struct {
		const char *format;
		bool ok;
	} rows[] = {
		{ "http://%s.onion", true },
		{ "http://%s.onion/", true },
		{ "https://%s.onion:8443/", true },
		{ "http://%s.onion:1", true },
		{ "http://%s.onion:65535", true },
		{ "http://%s.onion:65536", false },
		{ "http://%s.onion:0", false },
		{ "http://%s.onion:080", false },
		{ "http://%s.onion:", false },
		{ "http://%s.onion:99999999999999999999", false },
		{ "http://%s.onion:80x", false },
		{ "http://%s.onion//", false },
		{ "http://%s.onion/x", false },
		{ "http://%s.onion?x", false },
		{ "http://%s.onion.", false },
		{ "http://www.%s.onion/", false },
		{ "http://a@%s.onion/", false },
		{ "HTTP://%s.onion/", false },
		{ "ftp://%s.onion/", false },
		{ "%s.onion", false },
		{ "", false },
	};
	char addr[ONION_ADDR_LEN + 1], other[ONION_ADDR_LEN + 1], url[256];
	size_t i;

	kit_onion(1, NULL, addr);
	kit_onion(2, NULL, other);
	for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const char *at = strstr(rows[i].format, "%s");

		if (at != NULL)
			snprintf(url, sizeof url, "%.*s%s%s", (int)(at - rows[i].format), rows[i].format, addr, at + 2);
		else
			url[0] = '\0';
		cr_expect_eq(doc_url_ok(url, addr), rows[i].ok, "%s", rows[i].format);
		cr_expect(!doc_url_ok(url, other));
	}
}

Test(proto_doc, fixed_texts_are_as_the_specification_has_them)
{
	char addr[ONION_ADDR_LEN + 1], text[DOC_POSSESSION_MAX], want[DOC_POSSESSION_MAX], hex[65], comment[DOC_COMMENT_MAX];
	uint8_t site[DOC_HASH_LEN] = { 0xab }, h[DOC_HASH_LEN], sum[DOC_HASH_LEN];
	struct doc_head head = { .epoch = 2, .serial = 7, .member = "alpha", .valid_until = KIT_NOW };
	size_t n;

	kit_onion(1, NULL, addr);
	hex_encode(hex, site, sizeof site);
	n = doc_possession_text(text, site, addr, KIT_NOW, KIT_NOW + 3600);
	snprintf(want, sizeof want,
	    "onionmirror/possession/1\nsite %s\nonion %s.onion\nnot-before 2026-11-23T12:00:00Z\n"
	    "not-after 2026-11-23T13:00:00Z\n",
	    hex, addr);
	cr_expect_str_eq(text, want);
	cr_expect_eq(n, strlen(want));
	snprintf(want, sizeof want, "onionmirror/tombstone/1\n%s.onion", addr);
	crypto_hash_sha256(sum, (const uint8_t *)want, strlen(want));
	doc_tombstone_hash(h, addr);
	cr_expect_eq(memcmp(h, sum, sizeof h), 0);
	memcpy(head.site, site, sizeof site);
	doc_head_comment(comment, &head, site);
	snprintf(want, sizeof want,
	    "onionmirror head site=%s epoch=2 member=alpha serial=7 valid-until=2026-11-23T12:00:00Z sha256=%s", hex, hex);
	cr_expect_str_eq(comment, want);
	doc_root_comment(comment, site, 3, site);
	snprintf(want, sizeof want, "onionmirror root site=%s version=3 sha256=%s", hex, hex);
	cr_expect_str_eq(comment, want);
}

Test(proto_doc, possession_is_the_onions_own_signature)
{
	uint8_t key[64], other[64];
	struct doc_leaf l;
	struct err e = ERR_INIT;

	kit_build(&kit);
	cr_assert_eq(doc_leaf_parse(&l, kit.leaves[0].out.text, kit.leaves[0].out.len, kit.site, &e), DOC_OK, "%s", e.msg);
	cr_expect_eq(doc_possession_verify(&l), 0);
	kit_onion(1, key, NULL);
	kit_onion(2, other, NULL);
	cr_assert_eq(doc_possession_sign(l.possession_sig, l.site, key, l.possession_not_before, l.possession_not_after, &e),
	    0);
	cr_expect_eq(doc_possession_verify(&l), 0);
	cr_assert_eq(
	    doc_possession_sign(l.possession_sig, l.site, other, l.possession_not_before, l.possession_not_after, &e), 0);
	cr_expect_neq(doc_possession_verify(&l), 0);
	cr_expect_eq(doc_possession_sign(l.possession_sig, l.site, key, KIT_NOW + 1, KIT_NOW + 3600, NULL), -1);
	cr_expect_eq(doc_possession_sign(l.possession_sig, l.site, key, KIT_NOW, KIT_NOW, NULL), -1);
}

Test(proto_doc, leaves_are_padded_to_a_size_class)
{
	static const struct {
		size_t n, want;
	} rows[] = { { 0, 16 }, { 1, 16 }, { 16, 16 }, { 17, 32 }, { 32, 32 }, { 33, 64 }, { 500, 512 } };
	uint8_t(*in)[DOC_HASH_LEN] = calloc(500, DOC_HASH_LEN), (*out)[DOC_HASH_LEN], (*again)[DOC_HASH_LEN];
	struct err e = ERR_INIT;
	size_t i, j, n;

	randombytes_buf(in, (size_t)500 * DOC_HASH_LEN);
	for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		cr_assert_eq(doc_leaves_pad(&out, &n, (const uint8_t(*)[DOC_HASH_LEN])in, rows[i].n, NULL, 0, &e), 0);
		cr_expect_eq(n, rows[i].want);
		for (j = 0; j < rows[i].n; j++)
			cr_expect(doc_leaves_have((const uint8_t(*)[DOC_HASH_LEN])out, n, in[j]));
		for (j = 1; j < n; j++)
			cr_expect_lt(memcmp(out[j - 1], out[j], DOC_HASH_LEN), 0);
		/* With the last head's decoys the same comes out again. */
		cr_assert_eq(doc_leaves_pad(&again, &n, (const uint8_t(*)[DOC_HASH_LEN])in, rows[i].n,
		                 (const uint8_t(*)[DOC_HASH_LEN])out, n, &e),
		    0);
		cr_expect_eq(memcmp(out, again, n * DOC_HASH_LEN), 0);
		free(again);
		free(out);
	}
	cr_expect_eq(doc_leaves_pad(&out, &n, (const uint8_t(*)[DOC_HASH_LEN])in, 8193, NULL, 0, &e), -1);
	free(in);
}

Test(proto_doc, reasons_have_names_and_back)
{
	enum doc_reason back;
	int i;

	for (i = 0; i < DOC__COUNT; i++) {
		cr_assert_eq(doc_reason_parse(&back, doc_reason_name((enum doc_reason)i)), 0);
		cr_expect_eq((int)back, i);
	}
	cr_expect_neq(doc_reason_parse(&back, "nonsense"), 0);
}
