/* SPDX-License-Identifier: BSD-3-Clause */
/* The site folder: what is believed, and why not. Leaves. */
#include "config.h"
#include "place.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

TestSuite(publish_site, .init = place_setup, .fini = place_teardown);

static struct err refused(const uint8_t *sk, int64_t now)
{
	struct publish_site *s = NULL;
	struct err e = ERR_INIT;

	cr_expect_eq(publish_site_load(&s, place_path("site"), sk, now, &e), -1);
	cr_expect_null(s);
	publish_site_free(s);
	return e;
}

#define expect_refused(sk, now, says)                                   \
	do {                                                            \
		struct err e_ = refused(sk, now);                       \
		cr_expect_not_null(strstr(e_.msg, says), "%s", e_.msg); \
	} while (0)

Test(publish_site, a_good_folder_tells_who_we_are)
{
	struct publish_site *s;

	kit_add_root(&kit);
	s = place_load();
	cr_expect_str_eq(publish_site_id(s), kit.site_id);
	cr_expect_str_eq(publish_site_name(s), "The Test");
	cr_expect_str_eq(publish_site_member(s), "alpha");
	cr_expect_eq(publish_site_root_expiry(s), KIT_NOW + 355 * KIT_DAY);
	cr_expect_eq(publish_site_member_expiry(s), KIT_NOW + 36 * KIT_DAY);
	cr_expect_eq(publish_site_epoch_start(s), KIT_NOW - 10 * KIT_DAY);
	publish_site_free(s);
}

Test(publish_site, a_folder_without_a_root_or_members_is_refused)
{
	expect_refused(member_sk, KIT_NOW, "1.root.json");
	mkdir(place_path("site"), 0700);
	expect_refused(member_sk, KIT_NOW, "1.root.json");
	place_site();
	unlink(place_path("site/members.json"));
	expect_refused(member_sk, KIT_NOW, "members.json");
}

Test(publish_site, too_few_signatures_are_refused)
{
	place_site();
	unlink(place_path("site/1.root.json.2.minisig"));
	expect_refused(member_sk, KIT_NOW, "root documents: threshold");
	place_site();
	unlink(place_path("site/members.json.1.minisig"));
	expect_refused(member_sk, KIT_NOW, "members.json: threshold");
}

Test(publish_site, a_symlink_for_a_document_is_refused)
{
	place_site();
	cr_assert_eq(rename(place_path("site/1.root.json"), place_path("moved")), 0);
	cr_assert_eq(symlink(place_path("moved"), place_path("site/1.root.json")), 0);
	expect_refused(member_sk, KIT_NOW, "symbolic link");
}

static void loads_at(int64_t now)
{
	struct publish_site *s = NULL;
	struct err e = ERR_INIT;

	cr_expect_eq(publish_site_load(&s, place_path("site"), member_sk, now, &e), 0, "%s", e.msg);
	publish_site_free(s);
}

Test(publish_site, what_ran_out_still_says_who_we_are)
{
	place_site();
	loads_at(KIT_NOW + 36 * KIT_DAY);
	loads_at(KIT_NOW + 355 * KIT_DAY);
	kit.members.doc.members[0].not_after = KIT_NOW + KIT_DAY;
	place_site();
	loads_at(KIT_NOW + 2 * KIT_DAY);
	unlink(place_path("site/members.json.1.minisig"));
	expect_refused(member_sk, KIT_NOW + 36 * KIT_DAY, "members.json: threshold");
}

Test(publish_site, what_is_not_ours_or_not_yet_is_told)
{
	uint8_t other[64];

	kit_key(12, other, NULL);
	place_site();
	expect_refused(other, KIT_NOW, "does not certify this daemon's member key");
	expect_refused(member_sk, KIT_NOW - 20 * KIT_DAY, "members.json: not-yet-valid");
	kit.members.doc.members[0].not_before = KIT_NOW + 3 * KIT_HOUR;
	place_site();
	expect_refused(member_sk, KIT_NOW, "not valid yet");
}

Test(publish_site, a_leaf_names_the_address_the_port_and_the_window)
{
	static const struct {
		uint16_t port;
		bool tls;
		const char *scheme, *tail, *role;
	} t[] = {{80, false, "http", "/", "mirror"}, {8080, false, "http", ":8080/", "replica"},
	    {443, true, "https", "/", "archive"}, {80, true, "https", ":80/", "mirror"},
	    {65535, false, "http", ":65535/", "mirror"}};
	struct publish_site *s = place_load();
	char addr[ONION_ADDR_LEN + 1], url[DOC_URL_MAX + 1], *text, *again;
	struct err e = ERR_INIT;
	struct chain_root root;
	struct doc_signed r;
	struct doc_text sigs[KIT_SIGNERS];
	struct doc_leaf leaf;
	uint8_t key[64];
	size_t i;

	kit_onion(5, key, addr);
	r = kit_signed(&kit.roots[0].out, sigs);
	cr_assert_eq(chain_roots(&root, &r, 1, NULL, KIT_NOW, NULL), DOC_OK);
	for (i = 0; i < sizeof t / sizeof t[0]; i++) {
		cr_assert_eq(publish_leaf_make(&text, s, key, addr, t[i].port, t[i].tls, t[i].role,
				 KIT_NOW + 1799, &e),
		    0, "%s", e.msg);
		cr_assert_eq(
		    doc_leaf_parse(&leaf, text, strlen(text), kit.site, &e), DOC_OK, "%s", e.msg);
		snprintf(url, sizeof url, "%s://%s.onion%s", t[i].scheme, addr, t[i].tail);
		cr_expect_str_eq(leaf.url, url);
		cr_expect_str_eq(doc_role_name(leaf.role), t[i].role);
		cr_expect_eq(leaf.from, KIT_NOW, "whole hours");
		cr_expect_eq(chain_leaf(&leaf, &root, NULL, 0, KIT_NOW, NULL), DOC_OK);
		cr_expect_eq(publish_leaf_renew_at(s, text), KIT_NOW + 45 * KIT_DAY);
		cr_expect_eq(publish_leaf_until(text), KIT_NOW + 90 * KIT_DAY);
		cr_assert_eq(publish_leaf_make(
				 &again, s, key, addr, t[i].port, t[i].tls, t[i].role, KIT_NOW, &e),
		    0);
		cr_expect_str_neq(text, again, "a fresh salt");
		free(text);
		free(again);
	}
	cr_expect_eq(publish_leaf_make(&text, s, key, addr, 80, false, "boss", KIT_NOW, NULL), -1);
	cr_expect_eq(publish_leaf_make(&text, s, key, addr, 0, false, "mirror", KIT_NOW, NULL), -1);
	addr[3] = addr[3] == 'a' ? 'b' : 'a';
	cr_expect_eq(publish_leaf_make(&text, s, key, addr, 80, false, "mirror", KIT_NOW, NULL), -1,
	    "not an address");
	kit_onion(6, NULL, addr);
	cr_expect_eq(publish_leaf_make(&text, s, key, addr, 80, false, "mirror", KIT_NOW, NULL), -1,
	    "not this key's address");
	cr_expect_eq(publish_leaf_renew_at(s, "{}"), -1);
	cr_expect_eq(publish_leaf_until(""), -1);
	publish_site_free(s);
}

Test(publish_site, numbers_of_signature_files_may_be_missing)
{
	struct publish_site *s;

	place_site();
	cr_assert_eq(rename(place_path("site/1.root.json.1.minisig"), place_path("site/1.root.json.32.minisig")), 0);
	cr_assert_eq(rename(place_path("site/members.json.2.minisig"), place_path("site/members.json.9.minisig")), 0);
	cr_assert_eq(publish_site_load(&s, place_path("site"), member_sk, KIT_NOW, NULL), 0);
	publish_site_free(s);
	cr_assert_eq(rename(place_path("site/members.json.9.minisig"), place_path("site/members.json.33.minisig")), 0);
	expect_refused(member_sk, KIT_NOW, "members.json: threshold");
}

Test(publish_site, a_proof_lasts_as_long_as_the_root_allows_and_never_above_90_days)
{
	static const struct {
		uint64_t days;
		int64_t lasts;
	} t[] = {{1, 1}, {30, 30}, {90, 90}, {91, 90}, {UINT64_C(1) << 53, 90}};
	char addr[ONION_ADDR_LEN + 1], *text;
	struct publish_site *s;
	uint8_t key[64];
	size_t i;

	kit_onion(1, key, addr);
	for (i = 0; i < sizeof t / sizeof t[0]; i++) {
		kit.roots[0].doc.limits.possession_days = t[i].days - (t[i].days >> 53);
		s = place_load();
		cr_expect_eq(publish_site_possession(s), t[i].lasts * KIT_DAY);
		cr_assert_eq(publish_leaf_make(&text, s, key, addr, 80, false, "mirror", KIT_NOW, NULL), 0);
		cr_expect_eq(publish_leaf_until(text), KIT_NOW + t[i].lasts * KIT_DAY, "%zu", i);
		free(text);
		publish_site_free(s);
	}
}

Test(publish_site, a_proof_that_is_longer_than_a_new_root_allows_is_renewed_at_once)
{
	char addr[ONION_ADDR_LEN + 1], *text;
	struct publish_site *s = place_load();
	uint8_t key[64];

	kit_onion(1, key, addr);
	cr_assert_eq(publish_leaf_make(&text, s, key, addr, 80, false, "mirror", KIT_NOW, NULL), 0);
	cr_expect_eq(publish_leaf_renew_at(s, text), KIT_NOW + 45 * KIT_DAY);
	publish_site_free(s);
	kit_add_root(&kit)->doc.limits.possession_days = 30;
	s = place_load();
	cr_expect_eq(publish_leaf_renew_at(s, text), 0);
	publish_site_free(s);
	free(text);
}

static void write_revoked(const char *text)
{
	FILE *f = fopen(place_path("site/revoked"), "w");

	cr_assert_not_null(f);
	cr_assert_geq(fputs(text, f), 0);
	cr_assert_eq(fclose(f), 0);
}

Test(publish_site, a_line_of_revoked_that_is_no_address_is_told_with_its_number)
{
	char addr[ONION_ADDR_LEN + 1], text[256];
	struct publish_site *s;

	place_site();
	kit_onion(3, NULL, addr);
	snprintf(text, sizeof text, "# seized\n\n%s.onion\r\n%s\n", addr, addr);
	write_revoked(text);
	expect_refused(member_sk, KIT_NOW, "site/revoked:4: not an address");
	snprintf(text, sizeof text, "# seized\n\n%s.onion", addr);
	write_revoked(text);
	cr_assert_eq(publish_site_load(&s, place_path("site"), member_sk, KIT_NOW, NULL), 0);
	publish_site_free(s);
}

Test(publish_site, a_site_is_the_same_until_its_documents_change)
{
	struct publish_site *a = place_load(), *b = place_load();

	cr_expect(publish_site_same(a, b));
	publish_site_free(b);
	kit.members.doc.seq++;
	b = place_load();
	cr_expect_not(publish_site_same(a, b));
	publish_site_free(b);
	publish_site_free(a);
}
