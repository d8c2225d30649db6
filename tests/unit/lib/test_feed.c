/* SPDX-License-Identifier: BSD-3-Clause */
/* One bundle, a reader who has seen nothing: each reason at least once, and which of two faults is named. */
#include "config.h"

#include "support/listkit.h"

#include <criterion/criterion.h>
#include <onionmirror/onionmirror.h>
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

TestSuite(lib_feed, .init = setup, .fini = teardown);

/* A new reader's verdict on the kit's bundle. */
static om_reason
verdict(const char *site_id, const char *bytes, size_t len, int64_t now, om_error *error)
{
	om_error e = { 0 };
	om_site *s = NULL;
	om_reason r = OM_OK;

	cr_assert_eq(om_site_open(&s, site_id, NULL), 0);
	if (om_site_feed_bundle(s, bytes, len, now, &e) != 0) {
		r = e.reason;
		cr_expect_eq(om_site_mirror_count(s), 0);
	}
	om_site_close(s);
	if (error != NULL)
		*error = e;
	return r;
}

Test(lib_feed, a_good_bundle_tells_members_and_mirrors)
{
	char addr[ONION_ADDR_LEN + 1], host[ONION_HOST_LEN + 1];
	const om_mirror *m;
	om_error e = { 0 };
	om_site *s;

	kit.leaves[1].doc.role = DOC_ROLE_ARCHIVE;
	kit_build(&kit);
	cr_assert_eq(om_site_open(&s, kit.site_id, &e), 0);
	cr_expect_str_eq(om_site_name(s), "");
	cr_assert_eq(om_site_feed_bundle(s, kit.bundle, kit.len, KIT_NOW, &e), 0, "%s: %s", om_reason_name(e.reason),
	    e.detail);
	cr_expect_str_eq(om_site_id(s), kit.site_id);
	cr_expect_eq(om_site_is_pinned(s), 1);
	cr_expect_str_eq(om_site_name(s), "The Test");
	cr_expect_eq(om_site_epoch(s), 1);
	cr_expect_eq(om_site_root_version(s), 1);
	cr_assert_eq(om_site_member_count(s), 1);
	cr_expect_str_eq(om_member_name(om_site_member(s, 0)), "alpha");
	cr_expect_eq(om_member_status(om_site_member(s, 0)), OM_OK);
	cr_expect_eq(om_member_serial(om_site_member(s, 0)), 100);
	cr_expect_eq(om_member_issued(om_site_member(s, 0)), KIT_NOW - KIT_HOUR);
	cr_expect_null(om_site_member(s, 1));
	cr_assert_eq(om_site_mirror_count(s), 2);
	m = om_site_mirror(s, 0);
	kit_onion(1, NULL, addr);
	snprintf(host, sizeof host, "%s.onion", addr);
	cr_expect_str_eq(om_mirror_onion(m), host);
	cr_expect_str_eq(om_mirror_url(m), kit.leaves[0].doc.url);
	cr_expect_str_eq(om_mirror_role(m), "mirror");
	cr_expect_str_eq(om_mirror_role(om_site_mirror(s, 1)), "archive");
	cr_expect_str_eq(om_mirror_member(m), "alpha");
	cr_expect_eq(om_mirror_valid_until(m), KIT_NOW - KIT_HOUR + 7 * KIT_DAY);
	cr_expect_null(om_site_mirror(s, 2));
	cr_expect_eq(om_site_is_mirror(s, addr, KIT_NOW), OM_IS_MIRROR);
	cr_expect_eq(om_site_is_mirror(s, host, KIT_NOW), OM_IS_MIRROR);
	cr_expect_eq(om_site_is_mirror(s, host, KIT_NOW + 30 * KIT_DAY), OM_IS_UNKNOWN, "no longer valid");
	cr_expect_eq(om_site_is_mirror(s, "http://example.com/", KIT_NOW), OM_IS_UNKNOWN);
	kit_onion(3, NULL, addr);
	cr_expect_eq(om_site_is_mirror(s, addr, KIT_NOW), OM_IS_UNKNOWN);
	om_site_close(s);
}

Test(lib_feed, a_pick_is_one_of_the_valid_mirrors)
{
	om_site *s;

	kit.leaves[0].doc.until = KIT_NOW + KIT_HOUR;
	kit_build(&kit);
	cr_assert_eq(om_site_open(&s, kit.site_id, NULL), 0);
	cr_expect_null(om_site_pick(s, KIT_NOW, 0));
	cr_assert_eq(om_site_feed_bundle(s, kit.bundle, kit.len, KIT_NOW, NULL), 0);
	cr_expect_eq(om_site_pick(s, KIT_NOW, 0), om_site_mirror(s, 0));
	cr_expect_eq(om_site_pick(s, KIT_NOW, 7), om_site_mirror(s, 1));
	cr_expect_eq(om_site_pick(s, KIT_NOW + KIT_HOUR, 0), om_site_mirror(s, 1));
	cr_expect_null(om_site_pick(s, KIT_NOW + 7 * KIT_DAY, 0));
	om_site_close(s);
}

Test(lib_feed, without_a_pin_the_bundle_says_whose_it_is)
{
	om_site *s;

	kit_build(&kit);
	cr_assert_eq(om_site_open(&s, NULL, NULL), 0);
	cr_expect_str_eq(om_site_id(s), "");
	cr_assert_eq(om_site_feed_bundle(s, kit.bundle, kit.len, KIT_NOW, NULL), 0);
	cr_expect_str_eq(om_site_id(s), kit.site_id);
	cr_expect_eq(om_site_is_pinned(s), 0);
	om_site_close(s);
}

static const char h32[] = "\"0000000000000000000000000000000000000000000000000000000000000000\"";

Test(lib_feed, each_fault_is_named)
{
	static const struct {
		enum kit_which which;
		size_t index;
		const char *path, *value;
		bool after;
		om_reason reason;
	} rows[] = {
		/* Root. */
		{ KIT_ROOT, 0, "unknown", "7", false, OM_OK },
		{ KIT_ROOT, 0, "expires", "\"2026-11-23T12:00:00Z\"", false, OM_EXPIRED },
		{ KIT_ROOT, 0, "name", "\"Other\"", true, OM_WRONG_SITE },
		{ KIT_ROOT, 0, "version", "2", false, OM_MALFORMED },
		/* Members. */
		{ KIT_MEMBERS, 0, "unknown", "\"x\"", false, OM_OK },
		{ KIT_MEMBERS, 0, "seq", "2", true, OM_THRESHOLD },
		{ KIT_MEMBERS, 0, "site", h32, false, OM_WRONG_SITE },
		{ KIT_MEMBERS, 0, "epoch", "2", false, OM_MISMATCH },
		{ KIT_MEMBERS, 0, "issued", "\"2026-11-23T13:00:00Z\"", false, OM_OK },
		{ KIT_MEMBERS, 0, "issued", "\"2026-11-23T14:00:00Z\"", false, OM_NOT_YET_VALID },
		{ KIT_MEMBERS, 0, "expires", "\"2026-11-23T12:00:00Z\"", false, OM_EXPIRED },
		{ KIT_MEMBERS, 0, "expires", "\"2026-12-29T13:00:00Z\"", false, OM_MALFORMED },
		{ KIT_MEMBERS, 0, "members.0.not_after", "\"2026-12-29T13:00:00Z\"", false, OM_MALFORMED },
		{ KIT_MEMBERS, 0, "members.0.name", "\"gamma\"", false, OM_UNCERTIFIED },
		{ KIT_MEMBERS, 0, "members.0.key", h32, false, OM_BAD_SIGNATURE },
		/* A member's window and a head's times: the head counts as missing, and there is no other. */
		{ KIT_MEMBERS, 0, "members.0.not_after", "\"2026-11-23T12:00:00Z\"", false, OM_EXPIRED },
		{ KIT_MEMBERS, 0, "members.0.not_before", "\"2026-11-23T14:00:00Z\"", false, OM_NOT_YET_VALID },
		{ KIT_HEAD, 0, "valid_until", "\"2026-11-24T12:00:00Z\"", false, OM_OK },
		{ KIT_HEAD, 0, "issued", "\"2026-11-23T13:00:00Z\"", false, OM_OK },
		{ KIT_HEAD, 0, "issued", "\"2026-11-23T14:00:00Z\"", false, OM_NOT_YET_VALID },
		/* Head. */
		{ KIT_HEAD, 0, "unknown", "{\"x\":[1,2]}", false, OM_OK },
		{ KIT_HEAD, 0, "serial", "101", true, OM_BAD_SIGNATURE },
		{ KIT_HEAD, 0, "site", h32, false, OM_WRONG_SITE },
		{ KIT_HEAD, 0, "epoch", "2", false, OM_MISMATCH },
		{ KIT_HEAD, 0, "root_version", "2", false, OM_MISMATCH },
		{ KIT_HEAD, 0, "members_seq", "2", false, OM_MISMATCH },
		{ KIT_HEAD, 0, "members_sha256", h32, false, OM_MISMATCH },
		{ KIT_HEAD, 0, "valid_until", "\"2026-11-30T12:00:00Z\"", false, OM_MALFORMED },
		{ KIT_HEAD, 0, "serial", "15340", false, OM_OK }, /* ten days less an hour, and 1,000 */
		{ KIT_HEAD, 0, "serial", "15341", false, OM_CLOCK },
		{ KIT_HEAD, 0, "serial", "9007199254740991", false, OM_CLOCK },
		{ KIT_HEAD, 0, "type", "\"onionmirror/leaf/1\"", false, OM_MALFORMED },
		{ KIT_HEAD, 0, "leaves", "[]", false, OM_MALFORMED },
		/* Leaf. */
		{ KIT_LEAF, 0, "unknown", "7", false, OM_OK },
		{ KIT_LEAF, 0, "site", h32, false, OM_WRONG_SITE },
		{ KIT_LEAF, 0, "url", "\"http://example.com/\"", false, OM_MALFORMED },
		{ KIT_LEAF, 0, "from", "\"2026-11-23T14:00:00Z\"", false, OM_NOT_YET_VALID },
		{ KIT_LEAF, 0, "until", "\"2026-11-23T12:00:00Z\"", false, OM_EXPIRED },
		{ KIT_LEAF, 0, "possession.not_after", "\"2026-11-24T12:00:00Z\"", false, OM_BAD_POSSESSION },
		{ KIT_LEAF, 0, "possession.not_after", "\"2026-11-22T12:00:00Z\"", false, OM_BAD_POSSESSION },
		/* Bundle. */
		{ KIT_BUNDLE, 0, "unknown", "7", false, OM_OK },
		{ KIT_BUNDLE, 0, "type", "\"onionmirror/bundle/2\"", false, OM_MALFORMED },
		{ KIT_BUNDLE, 0, "heads", "[]", false, OM_NOT_LISTED },
		{ KIT_BUNDLE, 0, "leaves", "[]", false, OM_OK },
		{ KIT_BUNDLE, 0, "leaves.0", "\"\"", false, OM_MALFORMED },
		{ KIT_BUNDLE, 0, "roots.0.sigs.1", NULL, false, OM_THRESHOLD },
		{ KIT_BUNDLE, 0, "roots.0.sigs", "[]", false, OM_THRESHOLD },
		{ KIT_BUNDLE, 0, "members.sigs.0", NULL, false, OM_THRESHOLD },
		{ KIT_BUNDLE, 0, "members.sigs.2", "\"rubbish\"", false, OM_OK },
		{ KIT_BUNDLE, 0, "heads.0.sigs", "[]", false, OM_BAD_SIGNATURE },
		{ KIT_BUNDLE, 0, "heads.0.sigs.1", "\"rubbish\"", false, OM_OK },
	};
	size_t i;

	for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		om_error e;
		om_reason r;

		kit_init(&kit);
		if (rows[i].after)
			kit_tamper(&kit, rows[i].which, rows[i].index, rows[i].path, rows[i].value);
		else
			kit_patch(&kit, rows[i].which, rows[i].index, rows[i].path, rows[i].value);
		kit_build(&kit);
		r = verdict(kit.site_id, kit.bundle, kit.len, KIT_NOW, &e);
		cr_expect_eq(r, rows[i].reason, "%zu: %s = %s: %s (%s)", i, rows[i].path, rows[i].value,
		    om_reason_name(r), e.detail);
		cr_expect(r == OM_OK || e.detail[0] != '\0');
		kit_free(&kit);
	}
	kit_init(&kit);
}

/* Changes of the recipe that a single patch can't say. */
static void
stranger_signs_head(void)
{
	kit.heads[0].signers.keys[0] = 99;
}
static void
root_key_signs_head(void)
{
	kit.heads[0].signers.keys[0] = 1;
}
static void
one_root_key_signs_members_twice(void)
{
	kit.members.signers.keys[1] = 1;
}
static void
foreign_possession(void)
{
	kit.leaves[0].signer = 9;
}
static void
possession_for_another_site(void)
{
	kit.leaves[0].proof_site = "om1aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
}
static void
possession_too_long(void)
{
	kit.leaves[0].doc.possession_not_after = KIT_NOW + 90 * KIT_DAY;
}
static void
possession_to_come(void)
{
	kit.leaves[0].doc.possession_not_before = KIT_NOW + 2 * KIT_HOUR;
}
static void
possession_over(void)
{
	kit.leaves[0].doc.possession_not_before = KIT_NOW - 2 * KIT_DAY;
	kit.leaves[0].doc.possession_not_after = KIT_NOW;
}
static void
leaf_not_listed(void)
{
	kit.heads[0].leaves = 2;
}
static struct doc_tombstone stone;
static void
tombstone(enum doc_state state)
{
	char addr[ONION_ADDR_LEN + 1];

	kit_onion(1, NULL, addr);
	doc_tombstone_hash(stone.h, addr);
	stone.state = state;
	stone.since = KIT_NOW;
	kit.heads[0].doc.tombstones = &stone;
	kit.heads[0].doc.n_tombstones = 1;
}
static void
leaf_retired(void)
{
	tombstone(DOC_STATE_RETIRED);
}
static void
leaf_revoked(void)
{
	tombstone(DOC_STATE_REVOKED);
}
static void
two_heads_of_one(void)
{
	kit_add_member(&kit, "beta", 12);
	strcpy(kit.heads[1].doc.member, "alpha");
	kit.heads[1].signers.keys[0] = 11;
}
static void
leaf_of_anothers_head(void)
{
	kit_add_member(&kit, "beta", 12)->leaves = 1;
	kit.heads[0].leaves = 2;
}
static void
listed_by_both(void)
{
	kit_add_member(&kit, "beta", 12)->leaves = 3;
}
static void
root_renewed(void)
{
	kit_add_root(&kit);
	kit.heads[0].doc.root_version = 1;
}
static void
root_sig_of_the_wrong_version(void)
{
	kit_add_root(&kit);
	kit_patch(&kit, KIT_BUNDLE, 0, "roots.1.sigs", "[]");
}
static void
prev_known_to_nobody(void)
{
	kit.heads[0].doc.prev_serial = 99;
}
static void
wrong_site_before_bad_signature(void)
{
	kit_tamper(&kit, KIT_HEAD, 0, "site", h32);
}
static void
mismatch_before_bad_signature(void)
{
	kit_patch(&kit, KIT_HEAD, 0, "members_seq", "7");
	stranger_signs_head();
}
static void
signature_before_times(void)
{
	kit_patch(&kit, KIT_HEAD, 0, "issued", "\"2026-11-23T14:00:00Z\"");
	stranger_signs_head();
}
static void
threshold_before_expiry(void)
{
	kit_patch(&kit, KIT_MEMBERS, 0, "expires", "\"2026-11-23T12:00:00Z\"");
	kit.members.signers.n = 1;
}
static void
clock_after_length(void)
{
	kit_patch(&kit, KIT_HEAD, 0, "valid_until", "\"2026-12-30T12:00:00Z\"");
	kit.heads[0].doc.serial = 1000000;
}
static void
listing_before_address(void)
{
	leaf_not_listed();
	kit_patch(&kit, KIT_LEAF, 0, "url", "\"http://example.com/\"");
}
static void
times_before_tombstone(void)
{
	leaf_revoked();
	kit.leaves[0].doc.until = KIT_NOW;
}
static void
tombstone_before_possession(void)
{
	leaf_revoked();
	foreign_possession();
}

Test(lib_feed, each_attack_is_answered_and_the_first_fault_counts)
{
	static const struct {
		const char *what;
		void (*change)(void);
		om_reason reason;
	} rows[] = {
		{ "a stranger signs the head", stranger_signs_head, OM_BAD_SIGNATURE },
		{ "a root key signs the head", root_key_signs_head, OM_BAD_SIGNATURE },
		{ "one root key, two signatures", one_root_key_signs_members_twice, OM_THRESHOLD },
		{ "a stranger's onion listed", foreign_possession, OM_BAD_POSSESSION },
		{ "a proof for another site", possession_for_another_site, OM_BAD_POSSESSION },
		{ "a proof that lasts too long", possession_too_long, OM_BAD_POSSESSION },
		{ "a proof of tomorrow", possession_to_come, OM_BAD_POSSESSION },
		{ "a proof of yesterday", possession_over, OM_BAD_POSSESSION },
		{ "an onion claims the site", leaf_not_listed, OM_NOT_LISTED },
		{ "a retired address", leaf_retired, OM_RETIRED },
		{ "a revoked address", leaf_revoked, OM_REVOKED },
		{ "two heads of one member", two_heads_of_one, OM_MALFORMED },
		{ "a leaf that another member lists", leaf_of_anothers_head, OM_OK },
		{ "a leaf that two list", listed_by_both, OM_OK },
		{ "a head of before the root's renewal", root_renewed, OM_OK },
		{ "an unsigned second root", root_sig_of_the_wrong_version, OM_THRESHOLD },
		{ "a prev that a new reader can't know", prev_known_to_nobody, OM_OK },
		{ "site before signature", wrong_site_before_bad_signature, OM_WRONG_SITE },
		{ "bindings before signature", mismatch_before_bad_signature, OM_MISMATCH },
		{ "signature before times", signature_before_times, OM_BAD_SIGNATURE },
		{ "threshold before expiry", threshold_before_expiry, OM_THRESHOLD },
		{ "length before serial", clock_after_length, OM_MALFORMED },
		{ "listing before address", listing_before_address, OM_NOT_LISTED },
		{ "times before tombstones", times_before_tombstone, OM_EXPIRED },
		{ "tombstones before possession", tombstone_before_possession, OM_REVOKED },
	};
	om_error e;
	om_reason r;
	size_t i;

	for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		kit_init(&kit);
		rows[i].change();
		kit_build(&kit);
		r = verdict(kit.site_id, kit.bundle, kit.len, KIT_NOW, &e);
		cr_expect_eq(r, rows[i].reason, "%s: %s (%s)", rows[i].what, om_reason_name(r), e.detail);
		kit_free(&kit);
	}
	kit_init(&kit);
}

Test(lib_feed, a_late_head_is_missing_and_spoils_nothing)
{
	om_error e = { 0 };
	om_site *s;

	kit_add_member(&kit, "beta", 12);
	kit_add_member(&kit, "gamma", 13);
	kit_add_leaf(&kit, 3);
	kit.heads[0].leaves = 3;
	kit.heads[1].leaves = 4;
	kit.heads[1].doc.issued = KIT_NOW - 8 * KIT_DAY;
	kit.heads[1].doc.fresh_until = KIT_NOW - 7 * KIT_DAY;
	kit.heads[1].doc.valid_until = KIT_NOW - KIT_DAY;
	kit_patch(&kit, KIT_BUNDLE, 0, "heads.2", NULL);
	kit_build(&kit);
	cr_assert_eq(om_site_open(&s, kit.site_id, NULL), 0);
	cr_assert_eq(om_site_feed_bundle(s, kit.bundle, kit.len, KIT_NOW, &e), 0, "%s", e.detail);
	cr_expect_eq(om_site_mirror_count(s), 2, "what only the late head lists is left out");
	cr_expect_eq(om_member_status(om_site_member(s, 0)), OM_OK);
	cr_expect_eq(om_member_status(om_site_member(s, 1)), OM_EXPIRED);
	cr_expect_eq(om_member_serial(om_site_member(s, 1)), 0, "nothing of it is stored");
	cr_expect_eq(om_member_status(om_site_member(s, 2)), OM_MISSING);
	om_site_close(s);
}

Test(lib_feed, a_repeated_leaf_counts_once)
{
	const char *json, *end;
	om_site *s;
	char *twice;

	kit_build(&kit);
	/* The first leaf's JSON string once more in front. */
	json = strstr(kit.bundle, "\"leaves\":[");
	cr_assert_not_null(json);
	json += strlen("\"leaves\":[");
	end = strstr(json, "\\n\",");
	cr_assert_not_null(end);
	end += 4;
	twice = malloc(2 * kit.len);
	sprintf(twice, "%.*s%.*s%s", (int)(json - kit.bundle), kit.bundle, (int)(end - json), json, json);
	cr_assert_eq(om_site_open(&s, kit.site_id, NULL), 0);
	cr_expect_eq(om_site_feed_bundle(s, twice, strlen(twice), KIT_NOW, NULL), 0);
	cr_expect_eq(om_site_mirror_count(s), 2);
	om_site_close(s);
	free(twice);
}

Test(lib_feed, the_wrong_site_is_no_ones_fault)
{
	struct kit other;

	kit_build(&kit);
	kit_init(&other);
	strcpy(other.roots[0].doc.name, "Another");
	kit_build(&other);
	cr_expect_eq(verdict(other.site_id, kit.bundle, kit.len, KIT_NOW, NULL), OM_WRONG_SITE);
	kit_free(&other);
}

/*
 * Which bytes of the bundle are covered by nothing: the untrusted comments and the key ids of the
 * signature files (twelve base64 characters hold the algorithm and the id; three are checked).
 */
static bool *
uncovered_bytes(void)
{
	static const char comment[] = "untrusted comment: ";
	bool *free_bytes = calloc(kit.len, sizeof *free_bytes);
	const char *p = kit.bundle, *lf;

	while ((p = strstr(p, comment)) != NULL) {
		p += sizeof comment - 1;
		lf = strstr(p, "\\n");
		memset(free_bytes + (p - kit.bundle), 1, (size_t)(lf - p));
		memset(free_bytes + (lf + 2 - kit.bundle) + 2, 1, 12);
		p = lf;
	}
	return free_bytes;
}

Test(lib_feed, every_cut_and_every_flip_of_a_small_bundle_is_refused, .timeout = 120)
{
	bool *skip;
	size_t i;
	int bit;

	kit.n_leaves = 1;
	kit.heads[0].leaves = 1;
	kit.roots[0].doc.n_keys = 1;
	kit.roots[0].doc.threshold = 1;
	kit.roots[0].signers.n = 1;
	kit.members.signers.n = 1;
	kit_build(&kit);
	cr_assert_eq(verdict(kit.site_id, kit.bundle, kit.len, KIT_NOW, NULL), OM_OK);
	skip = uncovered_bytes();
	for (i = 0; i < kit.len; i++) {
		cr_expect_neq(verdict(kit.site_id, kit.bundle, i, KIT_NOW, NULL), OM_OK, "cut at %zu", i);
		if (skip[i])
			continue;
		for (bit = 0; bit < 8; bit++) {
			kit.bundle[i] ^= (char)(1 << bit);
			cr_expect_neq(
			    verdict(kit.site_id, kit.bundle, kit.len, KIT_NOW, NULL), OM_OK, "byte %zu bit %d", i, bit);
			kit.bundle[i] ^= (char)(1 << bit);
		}
	}
	free(skip);
}

Test(lib_feed, too_much_is_too_large)
{
	char *big = calloc(1, DOC_BUNDLE_MAX + 1);
	om_error e;

	kit_build(&kit);
	cr_expect_eq(verdict(kit.site_id, big, DOC_BUNDLE_MAX + 1, KIT_NOW, &e), OM_TOO_LARGE);
	free(big);
	/* A document in it that is over its own cap. */
	big = malloc(DOC_LEAF_MAX + 64);
	big[0] = '"';
	memset(big + 1, 'x', DOC_LEAF_MAX + 1);
	strcpy(big + DOC_LEAF_MAX + 2, "\"");
	kit_patch(&kit, KIT_BUNDLE, 0, "leaves.0", big);
	kit_build(&kit);
	cr_expect_eq(verdict(kit.site_id, kit.bundle, kit.len, KIT_NOW, &e), OM_TOO_LARGE);
	free(big);
}

Test(lib_feed, nonsense_arguments_are_refused)
{
	om_site *s = NULL;
	om_error e;

	cr_expect_eq(om_site_open(&s, "om1", &e), -1);
	cr_expect_eq(e.reason, OM_BAD_ARGUMENT);
	cr_assert_eq(om_site_open(&s, NULL, &e), 0);
	cr_expect_eq(om_site_feed_bundle(s, "x", 1, -1, &e), -1);
	cr_expect_eq(e.reason, OM_BAD_ARGUMENT);
	cr_expect_eq(om_site_feed_bundle(s, "x", 1, INT64_MAX, &e), -1);
	om_site_close(s);
	om_site_close(NULL);
}
