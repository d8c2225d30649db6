/* SPDX-License-Identifier: BSD-3-Clause */
/* What a reader still knows of its mirrors after a save and a load, and what it looks at again. */
#include "config.h"

#include "reader.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static void
setup(void)
{
	reader_setup();
	cr_assert_eq(om_site_feed_bundle(site, kit.bundle, kit.len, KIT_NOW, &error), 0, "%s", error.detail);
}

TestSuite(lib_kept, .init = setup, .fini = reader_teardown);

/* Saves, changes the text (from, to: same length; may be NULL) everywhere, loads. */
static void
reload(const char *from, const char *to)
{
	char *text = NULL, *at;
	size_t len;

	cr_assert_eq(om_site_save(site, &text, &len, NULL), 0);
	if (from != NULL) {
		cr_assert_not_null(strstr(text, from));
		for (at = text; (at = strstr(at, from)) != NULL;)
			memcpy(at, to, strlen(to));
	}
	om_site_close(site);
	site = NULL;
	cr_assert_eq(om_site_load(&site, kit.site_id, text, len, &error), 0, "%s", error.detail);
	free(text);
}

Test(lib_kept, mirrors_are_there_after_a_load_with_all_that_was_known)
{
	char addr[ONION_ADDR_LEN + 1];
	const om_mirror *m;
	int64_t until = om_mirror_valid_until(om_site_mirror(site, 1));

	reload(NULL, NULL);
	cr_assert_eq(om_site_mirror_count(site), 2);
	kit_onion(2, NULL, addr);
	m = om_site_mirror(site, 1);
	cr_expect_eq(strncmp(om_mirror_onion(m), addr, ONION_ADDR_LEN), 0);
	cr_expect_str_eq(om_mirror_url(m), kit.leaves[1].doc.url);
	cr_expect_str_eq(om_mirror_role(m), "mirror");
	cr_expect_str_eq(om_mirror_member(m), "alpha");
	cr_expect_eq(om_mirror_valid_until(m), until);
	cr_expect_eq(om_site_is_mirror(site, addr, KIT_NOW), OM_IS_MIRROR);
	cr_expect_not_null(om_site_pick(site, KIT_NOW, 1));
	cr_expect_null(om_site_pick(site, KIT_NOW + 7 * KIT_DAY, 1), "time goes on");
	cr_expect_eq(om_site_is_mirror(site, addr, KIT_NOW + 7 * KIT_DAY), OM_IS_UNKNOWN);
}

Test(lib_kept, a_leaf_changed_in_the_memory_is_not_what_the_head_lists)
{
	char addr[ONION_ADDR_LEN + 1], other[ONION_ADDR_LEN + 1];

	kit_onion(1, NULL, addr);
	kit_onion(9, NULL, other);
	reload(addr, other);
	cr_expect_eq(om_site_mirror_count(site), 1);
	cr_expect_eq(om_site_is_mirror(site, other, KIT_NOW), OM_IS_UNKNOWN);
}

/*
 * Puts leaf `i` into the reader's memory behind its back, as only somebody who writes there can: its head
 * lists it, but it was never in an accepted bundle.
 */
static void
plant(size_t i)
{
	char *text = NULL, *dump;
	size_t len;
	json_t *v;

	cr_assert_eq(om_site_save(site, &text, &len, NULL), 0);
	v = json_loads(text, 0, NULL);
	free(text);
	json_array_append_new(json_object_get(v, "leaves"),
	    json_pack("{s:s,s:s}", "doc", kit.leaves[i].out.text, "member", "alpha"));
	dump = json_dumps(v, JSON_COMPACT | JSON_SORT_KEYS);
	json_decref(v);
	len = strlen(dump);
	dump[len] = '\n'; /* instead of the NUL: the length is given */
	om_site_close(site);
	site = NULL;
	cr_assert_eq(om_site_load(&site, kit.site_id, dump, len + 1, &error), 0, "%s", error.detail);
	free(dump);
}

/* The list with leaf 1 alone is accepted; leaf 2, which the head lists too, has somebody else's proof. */
static void
feed_first_leaf_only(void)
{
	kit.leaves[1].signer = 9;
	kit.leaves[1].left_out = true;
	kit.heads[0].doc.serial = 101;
	kit.heads[0].doc.prev_serial = 100;
	doc_hash(kit.heads[0].doc.prev_sha256, kit.heads[0].out.text, kit.heads[0].out.len);
	kit_build(&kit);
	cr_assert_eq(om_site_feed_bundle(site, kit.bundle, kit.len, KIT_NOW, &error), 0, "%s", error.detail);
}

Test(lib_kept, a_pick_proves_what_it_picks)
{
	char good[ONION_ADDR_LEN + 1], bad[ONION_ADDR_LEN + 1];
	uint64_t r;

	feed_first_leaf_only();
	plant(1);
	cr_assert_eq(om_site_mirror_count(site), 2);
	kit_onion(1, NULL, good);
	kit_onion(2, NULL, bad);
	for (r = 0; r < 16; r++)
		cr_expect_eq(strncmp(om_mirror_onion(om_site_pick(site, KIT_NOW, r)), good, ONION_ADDR_LEN), 0);
	cr_expect_eq(om_site_is_mirror(site, good, KIT_NOW), OM_IS_MIRROR);
	cr_expect_eq(om_site_is_mirror(site, bad, KIT_NOW), OM_IS_UNKNOWN);
}

Test(lib_kept, a_memory_with_nothing_that_proves_gives_nothing)
{
	feed_first_leaf_only();
	kit.leaves[0].left_out = true;
	kit.heads[0].leaves = 2;
	kit.heads[0].doc.prev_serial = 101;
	kit.heads[0].doc.serial = 102;
	doc_hash(kit.heads[0].doc.prev_sha256, kit.heads[0].out.text, kit.heads[0].out.len);
	kit_build(&kit);
	cr_assert_eq(om_site_feed_bundle(site, kit.bundle, kit.len, KIT_NOW, &error), 0, "%s", error.detail);
	cr_assert_eq(om_site_mirror_count(site), 0);
	plant(1);
	cr_assert_eq(om_site_mirror_count(site), 1);
	cr_expect_null(om_site_pick(site, KIT_NOW, 7));
}

Test(lib_kept, a_member_that_is_not_there_makes_a_damaged_memory)
{
	char *text = NULL, *at;
	om_site *loaded = NULL;
	size_t len;

	cr_assert_eq(om_site_save(site, &text, &len, NULL), 0);
	at = strstr(text, "\"member\":\"alpha\"");
	cr_assert_not_null(at);
	memcpy(at + 10, "gamma", 5);
	cr_expect_eq(om_site_load(&loaded, kit.site_id, text, len, &error), -1);
	cr_expect_eq(error.reason, OM_MALFORMED);
	free(text);
}
