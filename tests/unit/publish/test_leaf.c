/* SPDX-License-Identifier: BSD-3-Clause */
/* Leaves: addresses, proofs, times. */
#include "config.h"
#include "press.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TestSuite(publish_leaf, .init = press_setup, .fini = press_teardown);

Test(publish_leaf, says_where_and_how_long)
{
	static const struct {
		uint16_t port;
		bool tls;
		const char *before, *after, *role;
	} t[] = { { 80, false, "http://", "/", "mirror" }, { 8080, false, "http://", ":8080/", "replica" },
		{ 443, true, "https://", "/", "archive" }, { 80, true, "https://", ":80/", "mirror" }, { 65535, false, "http://", ":65535/", "mirror" } };
	char addr[ONION_ADDR_LEN + 1], url[128], *text;
	struct doc_leaf l;
	uint8_t key[64];
	size_t i;

	kit_onion(5, key, addr);
	for (i = 0; i < sizeof t / sizeof t[0]; i++) {
		cr_assert_eq(publish_leaf_make(&text, press.site, key, addr, t[i].port, t[i].tls, t[i].role, KIT_NOW + 1799, NULL), 0);
		cr_assert_eq(doc_leaf_parse(&l, text, strlen(text), press.kit.site, NULL), DOC_OK);
		snprintf(url, sizeof url, "%s%s.onion%s", t[i].before, addr, t[i].after);
		cr_expect_str_eq(l.url, url);
		cr_expect_str_eq(doc_role_name(l.role), t[i].role);
		cr_expect_eq(l.from, KIT_NOW);
		cr_expect_eq(l.possession_not_after, KIT_NOW + 90 * KIT_DAY);
		cr_expect_eq(doc_possession_verify(&l), 0);
		cr_expect_eq(publish_leaf_renew_at(text), KIT_NOW + 45 * KIT_DAY);
		cr_expect_eq(publish_leaf_until(text), KIT_NOW + 90 * KIT_DAY);
		free(text);
	}
}

Test(publish_leaf, is_another_each_time)
{
	char addr[ONION_ADDR_LEN + 1], *a, *b;
	uint8_t key[64];

	kit_onion(5, key, addr);
	cr_assert_eq(publish_leaf_make(&a, press.site, key, addr, 80, false, "mirror", KIT_NOW, NULL), 0);
	cr_assert_eq(publish_leaf_make(&b, press.site, key, addr, 80, false, "mirror", KIT_NOW, NULL), 0);
	cr_expect_str_neq(a, b, "the salt hides which leaf a hash stands for");
	free(a);
	free(b);
}

Test(publish_leaf, refuses_what_no_reader_would_take)
{
	char addr[ONION_ADDR_LEN + 1], *text = NULL;
	struct err e = ERR_INIT;
	uint8_t key[64], other[64];

	kit_onion(5, key, addr);
	kit_onion(6, other, NULL);
	cr_expect_eq(publish_leaf_make(&text, press.site, other, addr, 80, false, "mirror", KIT_NOW, &e), -1);
	cr_expect_eq(e.code, ERR_CRYPTO, "%s", e.msg);
	err_clear(&e);
	cr_expect_eq(publish_leaf_make(&text, press.site, key, addr, 80, false, "friend", KIT_NOW, &e), -1);
	cr_expect_eq(e.code, ERR_PROTO);
	cr_expect_eq(publish_leaf_make(&text, press.site, key, addr, 0, false, "mirror", KIT_NOW, NULL), -1);
	addr[0] = 'A';
	cr_expect_eq(publish_leaf_make(&text, press.site, key, addr, 80, false, "mirror", KIT_NOW, NULL), -1);
	cr_expect_null(text);
	cr_expect_eq(publish_leaf_renew_at("{}\n"), -1);
	cr_expect_eq(publish_leaf_until(""), -1);
}
