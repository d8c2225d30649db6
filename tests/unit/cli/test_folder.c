/* SPDX-License-Identifier: BSD-3-Clause */
/* The folder that is carried between root keys: who has signed, what is missing, what replaces what. */
#include "config.h"
#include "cli/folder.h"

#include "support/listkit.h"
#include "support/tree.h"

#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char dir[64];
static struct kit kit;
static struct folder folder;

static void
start(void)
{
	snprintf(dir, sizeof dir, "/tmp/unit-cli-XXXXXX");
	cr_assert_not_null(mkdtemp(dir));
	kit_init(&kit); /* 2 of the keys 1, 2, 3 */
}

static void
stop(void)
{
	folder_free(&folder);
	kit_free(&kit);
	tree_remove(dir);
}

TestSuite(cli_folder, .init = start, .fini = stop);

static const char *
at(const char *fmt, ...)
{
	static char text[4][160];
	static unsigned turn;
	char *out = text[turn++ % 4];
	int n = snprintf(out, sizeof text[0], "%s/", dir);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(out + n, sizeof text[0] - (size_t)n, fmt, ap);
	va_end(ap);
	return out;
}

static void
put(const char *path, const char *text)
{
	struct err e = ERR_INIT;

	cr_assert_eq(file_write(path, text, strlen(text), 0644, &e), 0, "%s", e.msg);
}

static void
put_document(const char *name, const struct kit_text *t)
{
	size_t i;

	put(at("%s", name), t->text);
	for (i = 0; i < t->n_sigs; i++)
		put(at("%s.%zu.minisig", name, i + 1), t->sigs[i]);
}

static void
put_kit(void)
{
	char name[32];
	size_t i;

	kit_build(&kit);
	for (i = 0; i < kit.n_roots; i++) {
		snprintf(name, sizeof name, "%zu.root.json", i + 1);
		put_document(name, &kit.roots[i].out);
	}
	put_document("members.json", &kit.members.out);
}

static void
load(void)
{
	struct err e = ERR_INIT;

	folder_free(&folder);
	cr_assert_eq(folder_load(&folder, dir, &e), 0, "%s", e.msg);
}

static void
expect_refused(const char *words)
{
	struct err e = ERR_INIT;

	folder_free(&folder);
	cr_expect_eq(folder_load(&folder, dir, &e), -1);
	cr_expect_not_null(strstr(e.msg, words), "%s", e.msg);
}

Test(cli_folder, that_is_complete_is_told_so)
{
	kit_add_root(&kit);
	put_kit();
	load();
	cr_expect(folder.root_signed && folder.has_members && folder.members_signed);
	cr_expect_eq(folder.n_roots, 2);
	cr_expect_eq(folder.before.doc.version, 1);
	cr_expect_arr_eq(folder.last.site, kit.site, DOC_HASH_LEN);
}

Test(cli_folder, the_newest_root_may_wait_for_signatures_but_no_other)
{
	struct folder_item it;
	uint8_t pk[DOC_KEY_LEN];
	bool has_signed;

	kit_add_root(&kit);
	put_kit();
	unlink(at("2.root.json.1.minisig"));
	load();
	cr_expect_not(folder.root_signed);
	folder_root_item(&it, &folder);
	cr_expect_eq(it.n_sets, 2, "old and new keys");
	cr_expect_str_eq(it.name, "2.root.json");
	kit_key(1, NULL, pk);
	cr_expect(folder_item_has_key(&it, pk, &has_signed) && !has_signed);
	kit_key(2, NULL, pk);
	cr_expect(folder_item_has_key(&it, pk, &has_signed) && has_signed);
	kit_key(9, NULL, pk);
	cr_expect_not(folder_item_has_key(&it, pk, &has_signed));
	cr_expect_eq(folder_free_number(it.doc), 1);
	unlink(at("1.root.json.1.minisig"));
	expect_refused("1.root.json: threshold");
}

Test(cli_folder, signatures_count_whatever_their_numbers)
{
	put_kit();
	cr_assert_eq(rename(at("members.json.1.minisig"), at("members.json.17.minisig")), 0);
	load();
	cr_expect(folder.members_signed);
	cr_expect_eq(folder_free_number(&folder.members), 1);
}

Test(cli_folder, a_new_document_takes_the_place_of_the_old_one_and_of_its_signatures)
{
	struct err e = ERR_INIT;
	unsigned number = 0;

	put_kit();
	kit.members.doc.seq = 2;
	kit_build(&kit);
	cr_assert_eq(folder_put(dir, "members.json", kit.members.out.text, &e), 0, "%s", e.msg);
	load();
	cr_expect_eq(folder.m.seq, 2);
	cr_expect_not(folder.members_signed);
	cr_expect_eq(folder.members.n_views, 0);
	put(at("members.json.1.minisig"), "somebody's");
	cr_assert_eq(folder_add_sig(dir, "members.json", kit.members.out.sigs[0], &number, &e), 0, "%s", e.msg);
	cr_expect_eq(number, 2, "nothing is overwritten");
	cr_assert_eq(folder_add_sig(dir, "members.json", kit.members.out.sigs[1], &number, &e), 0, "%s", e.msg);
	load();
	cr_expect(folder.members_signed, "an unusable signature beside good ones does no harm");
}

Test(cli_folder, what_is_no_site_is_refused)
{
	expect_refused("no 1.root.json");
	put(at("1.root.json"), "{}\n");
	expect_refused("1.root.json: malformed");
	kit_patch(&kit, KIT_MEMBERS, 0, "site", "\"00\"");
	put_kit();
	expect_refused("members.json: malformed");
}
