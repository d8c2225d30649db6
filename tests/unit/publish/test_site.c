/* SPDX-License-Identifier: BSD-3-Clause */
/* The site folder: what is read, believed and refused. */
#include "config.h"
#include "press.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

TestSuite(publish_site, .init = press_setup, .fini = press_teardown);

/* Loading must fail, with `word` in the message. */
static void
refused(int64_t now, const uint8_t *sk, enum err_code code, const char *word)
{
	struct publish_site *s = NULL;
	struct err e = ERR_INIT;

	cr_expect_eq(publish_site_load(&s, press.site_dir, sk, now, &e), -1, "%s", word);
	cr_expect_null(s);
	cr_expect_eq(e.code, code, "%s: %s", word, e.msg);
	cr_expect_not_null(strstr(e.msg, word), "%s", e.msg);
}

static void
drop(const char *name)
{
	char path[160];

	snprintf(path, sizeof path, "%s/%s", press.site_dir, name);
	cr_assert_eq(unlink(path), 0, "%s", name);
}

Test(publish_site, tells_who_we_are)
{
	cr_expect_str_eq(publish_site_id(press.site), press.kit.site_id);
	cr_expect_str_eq(publish_site_name(press.site), "The Test");
	cr_expect_str_eq(publish_site_member(press.site), "alpha");
	cr_expect_eq(publish_site_root_expiry(press.site), KIT_NOW + 355 * KIT_DAY);
	cr_expect_eq(publish_site_member_expiry(press.site), KIT_NOW + 36 * KIT_DAY);
	cr_expect_eq(publish_site_epoch_start(press.site), KIT_NOW - 10 * KIT_DAY);
}

Test(publish_site, walks_the_whole_chain)
{
	strcpy(kit_add_root(&press.kit)->doc.name, "A New Name");
	press_reload();
	cr_expect_str_eq(publish_site_name(press.site), "A New Name");
	cr_expect_str_eq(publish_site_id(press.site), press.kit.site_id, "the id stays that of root 1");
	drop("1.root.json");
	refused(KIT_NOW, press.sk, ERR_SYS, "1.root.json");
}

Test(publish_site, member_expiry_is_the_sooner_of_the_two)
{
	press.kit.members.doc.members[0].not_after = KIT_NOW + 5 * KIT_DAY;
	press_reload();
	cr_expect_eq(publish_site_member_expiry(press.site), KIT_NOW + 5 * KIT_DAY);
	refused(KIT_NOW + 5 * KIT_DAY, press.sk, ERR_CRYPTO, "ran out");
}

Test(publish_site, refuses_what_ran_out)
{
	refused(KIT_NOW + 355 * KIT_DAY, press.sk, ERR_CRYPTO, "root documents: expired");
	refused(KIT_NOW + 36 * KIT_DAY, press.sk, ERR_CRYPTO, "members.json: expired");
	refused(KIT_NOW - 5 * KIT_DAY, press.sk, ERR_CRYPTO, "not-yet-valid");
}

Test(publish_site, refuses_a_key_that_nobody_certified)
{
	uint8_t other[64];

	kit_key(12, other, NULL);
	refused(KIT_NOW, other, ERR_CRYPTO, "does not certify");
}

Test(publish_site, refuses_a_missing_signature_and_a_foreign_one)
{
	drop("members.json.2.minisig");
	refused(KIT_NOW, press.sk, ERR_CRYPTO, "members.json: threshold");
	press_save_site();
	drop("1.root.json.1.minisig");
	refused(KIT_NOW, press.sk, ERR_CRYPTO, "threshold");
	press.kit.members.signers.keys[1] = 9;
	press_save_site();
	refused(KIT_NOW, press.sk, ERR_CRYPTO, "members.json: threshold");
}

Test(publish_site, names_what_is_missing)
{
	drop("members.json");
	refused(KIT_NOW, press.sk, ERR_SYS, "members.json");
}
