/* SPDX-License-Identifier: BSD-3-Clause */
/* Single documents, as files of a folder: the same verdicts as in a bundle, in whatever order they come. */
#include "config.h"

#include "reader.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILES_MAX 64

static om_document files[FILES_MAX];
static char names[FILES_MAX][128];
static size_t n_files;

TestSuite(lib_documents, .init = reader_setup, .fini = reader_teardown);

static void
put(const char *bytes, size_t len, const char *name)
{
	cr_assert_lt(n_files, FILES_MAX);
	snprintf(names[n_files], sizeof names[0], "%s", name);
	files[n_files] = (om_document){ names[n_files], bytes, len };
	n_files++;
}

static void
put_signed(const struct kit_text *t, const char *name)
{
	char sig[100];
	size_t i;

	put(t->text, t->len, name);
	for (i = 0; i < t->n_sigs; i++) {
		snprintf(sig, sizeof sig, "%s.%zu.minisig", name, i + 1);
		put(t->sigs[i], strlen(t->sigs[i]), sig);
	}
}

enum what { ROOTS = 1, MEMBERS = 2, HEADS = 4, LEAVES = 8, ALL = 15 };

/* The kit's documents as files. */
static void
lay_out(unsigned what)
{
	char name[128], addr[ONION_ADDR_LEN + 1];
	size_t i;

	n_files = 0;
	for (i = 0; what & LEAVES && i < kit.n_leaves; i++) {
		kit_onion(kit.leaves[i].onion, NULL, addr);
		snprintf(name, sizeof name, "leaf-%s.onion.json", addr);
		put(kit.leaves[i].out.text, kit.leaves[i].out.len, name);
	}
	for (i = 0; what & HEADS && i < kit.n_heads; i++) {
		snprintf(name, sizeof name, i == 0 ? "head.json" : "head-%s.json", kit.heads[i].doc.member);
		put_signed(&kit.heads[i].out, name);
	}
	if (what & MEMBERS)
		put_signed(&kit.members.out, "members.json");
	for (i = kit.n_roots; what & ROOTS && i-- > 0;) {
		snprintf(name, sizeof name, "%zu.root.json", i + 1);
		put_signed(&kit.roots[i].out, name);
	}
}

static om_reason
feed(void)
{
	memset(&error, 0, sizeof error);
	return om_site_feed_documents(site, files, n_files, KIT_NOW, &error) == 0 ? OM_OK : error.reason;
}

#define EXPECT(call, reason_)                                                                                          \
	do {                                                                                                           \
		om_reason got_ = (call);                                                                               \
		cr_expect_eq(got_, reason_, "%s (%s)", om_reason_name(got_), error.detail);                            \
	} while (0)

Test(lib_documents, a_folder_says_what_its_bundle_says)
{
	char *one = NULL, *two = NULL;
	om_site *other = NULL;
	size_t len1, len2;

	kit_add_root(&kit);
	kit_add_member(&kit, "beta", 12)->leaves = 2;
	kit_build(&kit);
	lay_out(ALL);
	put("nothing", 7, "index.html");
	put("nothing", 7, "bundle.json");
	put("nothing", 7, "members.json.x.minisig");
	EXPECT(feed(), OM_OK);
	cr_expect_eq(om_site_mirror_count(site), 2);
	cr_assert_eq(om_site_open(&other, kit.site_id, NULL), 0);
	cr_assert_eq(om_site_feed_bundle(other, kit.bundle, kit.len, KIT_NOW, NULL), 0);
	cr_assert_eq(om_site_save(site, &one, &len1, NULL), 0);
	cr_assert_eq(om_site_save(other, &two, &len2, NULL), 0);
	cr_expect_str_eq(one, two, "what is remembered is the same");
	om_site_close(other);
	free(one);
	free(two);
}

Test(lib_documents, what_is_no_signature_never_gets_into_the_memory)
{
	/* A comment in UTF-8, in Latin 1, with TAB; and no signature file at all. */
	static const char *const others[] = { "\xc3\xa9", "\xe9", "\t" };
	char odd[3][1024], *text = NULL;
	om_site *again = NULL;
	size_t len, i;

	kit_build(&kit);
	lay_out(ALL);
	for (i = 0; i < 3; i++) {
		snprintf(odd[i], sizeof odd[i], "untrusted comment: %s%s", others[i], strchr(kit.heads[0].out.sigs[0], '\n'));
		put(odd[i], strlen(odd[i]), i == 0 ? "head.json.8.minisig" : i == 1 ? "members.json.8.minisig" : "1.root.json.8.minisig");
	}
	put("\xff", 1, "head.json.9.minisig");
	EXPECT(feed(), OM_OK);
	cr_assert_eq(om_site_save(site, &text, &len, NULL), 0);
	cr_assert_eq(om_site_load(&again, kit.site_id, text, len, &error), 0, "%s: %s", om_reason_name(error.reason), error.detail);
	cr_expect_eq(om_site_mirror_count(again), 2);
	om_site_close(again);
	free(text);
}

Test(lib_documents, what_is_known_need_not_be_given_again)
{
	struct kit_head *h = &kit.heads[0];

	lay_out(ALL);
	EXPECT(feed(), OM_OK);
	h->doc.prev_serial = h->doc.serial++;
	doc_hash(h->doc.prev_sha256, h->out.text, h->out.len);
	kit_add_leaf(&kit, 3);
	kit_build(&kit);
	lay_out(HEADS | LEAVES);
	EXPECT(feed(), OM_OK);
	cr_expect_eq(om_site_mirror_count(site), 3);
	cr_expect_eq(om_member_serial(om_site_member(site, 0)), h->doc.serial);
	/* An onion's own leaf alone, against the known head. */
	n_files = 0;
	put(kit.leaves[2].out.text, kit.leaves[2].out.len, "self.json");
	EXPECT(feed(), OM_OK);
	cr_assert_eq(om_site_mirror_count(site), 1);
	cr_expect_str_eq(om_mirror_url(om_site_mirror(site, 0)), kit.leaves[2].doc.url);
	put(kit.leaves[2].out.text, kit.leaves[2].out.len - 1, "leaf-x.json");
	EXPECT(feed(), OM_MALFORMED);
}

static void
begin_second_epoch(void)
{
	struct kit_root *r = kit_add_root(&kit);

	r->doc.epoch = 2;
	r->doc.epoch_start = KIT_NOW - KIT_HOUR;
}

Test(lib_documents, a_new_root_and_epoch_let_go_of_what_was_known)
{
	lay_out(ALL);
	EXPECT(feed(), OM_OK);
	begin_second_epoch();
	kit_build(&kit);
	n_files = 0;
	put_signed(&kit.roots[1].out, "2.root.json");
	EXPECT(feed(), OM_ROLLBACK);
	cr_expect_eq(om_site_epoch(site), 2);
	EXPECT(feed(), OM_MALFORMED);
	cr_expect_str_eq(error.detail, "members.json is missing");
}

Test(lib_documents, known_heads_are_those_of_the_members_that_are_given)
{
	kit_add_member(&kit, "beta", 12)->leaves = 2;
	kit.heads[0].leaves = 1;
	kit_build(&kit);
	lay_out(ALL);
	EXPECT(feed(), OM_OK);
	/* Beta is removed; a reader who hears only that keeps alpha's list. */
	kit.members.doc.seq = 2;
	kit.members.doc.n_members = 1;
	kit_build(&kit);
	lay_out(MEMBERS);
	put(kit.leaves[0].out.text, kit.leaves[0].out.len, "self.json");
	EXPECT(feed(), OM_OK);
	cr_expect_eq(om_site_member_count(site), 1);
	cr_expect_eq(om_site_mirror_count(site), 1);
}

Test(lib_documents, known_heads_of_an_older_epoch_are_not_put_to_a_newer_one)
{
	lay_out(ALL);
	EXPECT(feed(), OM_OK);
	begin_second_epoch();
	kit.members.doc.epoch = 2;
	kit_build(&kit);
	lay_out(ROOTS | MEMBERS);
	EXPECT(feed(), OM_NOT_LISTED);
	cr_expect_str_eq(error.detail, "the bundle has no head");
	cr_expect_eq(om_site_epoch(site), 2);
	cr_expect_eq(om_site_member_count(site), 1, "the members passed");
}

Test(lib_documents, what_is_missing_is_said)
{
	lay_out(MEMBERS | HEADS | LEAVES);
	EXPECT(feed(), OM_MALFORMED);
	lay_out(ROOTS | HEADS | LEAVES);
	EXPECT(feed(), OM_MALFORMED);
	cr_expect_str_eq(error.detail, "members.json is missing");
	lay_out(ROOTS | MEMBERS | LEAVES);
	EXPECT(feed(), OM_NOT_LISTED);
	lay_out(ROOTS | MEMBERS | HEADS);
	EXPECT(feed(), OM_OK);
	cr_expect_eq(om_site_mirror_count(site), 0);
	n_files = 0;
	put_signed(&kit.roots[0].out, "9.root.json");
	EXPECT(feed(), OM_MALFORMED);
	cr_expect_not_null(strstr(error.detail, "is missing"));
	put_signed(&kit.roots[0].out, "999999999.root.json");
	EXPECT(feed(), OM_MALFORMED);
	n_files = 0;
	put_signed(&kit.roots[0].out, "01.root.json");
	put_signed(&kit.roots[0].out, "9999999999.root.json");
	EXPECT(feed(), OM_OK);
}

Test(lib_documents, faults_have_their_names_here_too)
{
	lay_out(ALL);
	put("x", 1, "members.json.3.minisig");
	EXPECT(feed(), OM_OK);
	/* The next head, whatever else changes. */
	kit.heads[0].doc.prev_serial = kit.heads[0].doc.serial++;
	doc_hash(kit.heads[0].doc.prev_sha256, kit.heads[0].out.text, kit.heads[0].out.len);
	kit.members.signers.n = 1;
	kit.members.doc.seq = 2;
	kit_build(&kit);
	lay_out(ALL);
	EXPECT(feed(), OM_THRESHOLD);
	kit.members.signers.n = 2;
	kit.leaves[1].signer = 9;
	kit_build(&kit);
	lay_out(ALL);
	EXPECT(feed(), OM_BAD_POSSESSION);
	lay_out(ROOTS);
	put("\xff\xfe\n", 3, "members.json");
	EXPECT(feed(), OM_MALFORMED);
	lay_out(ROOTS | MEMBERS | HEADS);
	put("\xff\xfe\n", 3, "leaf-x.json");
	EXPECT(feed(), OM_MALFORMED);
}

Test(lib_documents, bounds_and_arguments)
{
	static om_document many[16385];
	char *big = calloc(1, 4 * 1024 * 1024);
	size_t i;

	lay_out(ALL);
	put(big, 4 * 1024 * 1024, "notes.txt");
	EXPECT(feed(), OM_TOO_LARGE);
	for (i = 0; i < 16385; i++)
		many[i] = (om_document){ "x", "", 0 };
	cr_expect_eq(om_site_feed_documents(site, many, 16385, KIT_NOW, &error), -1);
	cr_expect_eq(error.reason, OM_TOO_LARGE);
	lay_out(ALL);
	for (i = 0; i < 33; i++) {
		char name[64];

		snprintf(name, sizeof name, "members.json.%zu.minisig", i + 3);
		put(kit.members.out.sigs[0], strlen(kit.members.out.sigs[0]), name);
	}
	EXPECT(feed(), OM_MALFORMED);
	cr_expect_eq(om_site_feed_documents(site, NULL, 0, KIT_NOW, &error), -1);
	cr_expect_eq(error.reason, OM_BAD_ARGUMENT);
	many[0].name = NULL;
	cr_expect_eq(om_site_feed_documents(site, many, 1, KIT_NOW, &error), -1);
	cr_expect_eq(error.reason, OM_BAD_ARGUMENT);
	many[0] = (om_document){ "x", NULL, 1 };
	cr_expect_eq(om_site_feed_documents(site, many, 1, KIT_NOW, &error), -1);
	cr_expect_eq(error.reason, OM_BAD_ARGUMENT);
	free(big);
}
