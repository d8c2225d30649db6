/* SPDX-License-Identifier: BSD-3-Clause */
/* A reader over time: rollback, fork, freeze, epochs, tombstones, and what a save and a load keep. */
#include "config.h"

#include "reader.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TestSuite(lib_memory, .init = reader_setup, .fini = reader_teardown);

/* Builds and feeds; between feeds the reader is saved and loaded, so that both are always tested. */
static om_reason
feed_at(int64_t now)
{
	char *text = NULL, *again = NULL;
	size_t len, len2;
	om_site *loaded = NULL;
	om_reason r = OM_OK;

	kit_build(&kit);
	memset(&error, 0, sizeof error);
	if (om_site_feed_bundle(site, kit.bundle, kit.len, now, &error) != 0)
		r = error.reason;
	cr_assert_eq(om_site_save(site, &text, &len, &error), 0);
	cr_assert_eq(om_site_load(&loaded, NULL, text, len, &error), 0, "%s: %s", om_reason_name(error.reason),
	    error.detail);
	cr_assert_eq(om_site_save(loaded, &again, &len2, &error), 0);
	cr_expect_eq(len, len2);
	cr_expect_str_eq(text, again);
	om_site_close(loaded);
	free(again);
	free(text);
	return r;
}

static om_reason
feed(void)
{
	return feed_at(KIT_NOW);
}

/* Replaces the reader by one that was saved and loaded. */
static void
restart(void)
{
	char *text = NULL;
	size_t len;

	cr_assert_eq(om_site_save(site, &text, &len, NULL), 0);
	om_site_close(site);
	site = NULL;
	cr_assert_eq(om_site_load(&site, kit.site_id, text, len, &error), 0, "%s", error.detail);
	free(text);
}

#define EXPECT(call, reason_)                                                                                          \
	do {                                                                                                           \
		om_reason got_ = (call);                                                                               \
		cr_expect_eq(got_, reason_, "%s (%s)", om_reason_name(got_), error.detail);                            \
	} while (0)

/* The next head follows the last: prev is what was fed. */
static void
follow(uint64_t serial)
{
	struct kit_head *h = &kit.heads[0];

	h->doc.prev_serial = h->doc.serial;
	doc_hash(h->doc.prev_sha256, h->out.text, h->out.len);
	h->doc.serial = serial;
}

Test(lib_memory, serials_only_rise)
{
	EXPECT(feed(), OM_OK);
	EXPECT(feed(), OM_OK);
	follow(101);
	EXPECT(feed(), OM_OK);
	kit.heads[0].doc.serial = 100;
	kit.heads[0].doc.prev_serial = 0;
	EXPECT(feed(), OM_ROLLBACK);
	cr_expect_eq(om_member_serial(om_site_member(site, 0)), 101);
	cr_expect_eq(om_site_mirror_count(site), 2, "mirrors stay those of the last accepted bundle");
	restart();
	EXPECT(feed(), OM_ROLLBACK);
}

Test(lib_memory, what_makes_a_fork)
{
	static const struct {
		const char *what;
		uint64_t serial, prev;
		bool right_hash;
		om_reason reason;
	} rows[] = {
		{ "same serial, other bytes", 200, 0, true, OM_FORK },
		{ "follows what we have", 201, 200, true, OM_OK },
		{ "follows another 200", 201, 200, false, OM_FORK },
		{ "we missed some", 205, 203, false, OM_OK },
		{ "passes over ours", 205, 150, false, OM_FORK },
		{ "no prev counts as 0", 205, 0, false, OM_FORK },
		{ "older", 199, 150, false, OM_ROLLBACK },
	};
	const char *evidence;
	size_t i;

	for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct kit_head *h = &kit.heads[0];

		kit_free(&kit);
		kit_init(&kit);
		om_site_close(site);
		cr_assert_eq(om_site_open(&site, NULL, NULL), 0);
		h->doc.serial = 200;
		EXPECT(feed(), OM_OK);
		if (rows[i].right_hash)
			doc_hash(h->doc.prev_sha256, h->out.text, h->out.len);
		h->doc.serial = rows[i].serial;
		h->doc.prev_serial = rows[i].prev;
		h->doc.peers = (struct doc_peer[]){ { { 1 }, { 1 }, { 1 }, 1, 1, "x" } };
		h->doc.n_peers = 1;
		EXPECT(feed(), rows[i].reason);
		h->doc.n_peers = 0;
		cr_expect_eq(om_site_evidence_count(site), rows[i].reason == OM_FORK ? 1 : 0, "%s", rows[i].what);
		if (rows[i].reason != OM_FORK)
			continue;
		cr_expect_eq(om_member_status(om_site_member(site, 0)), OM_FORK);
		cr_expect_eq(om_member_serial(om_site_member(site, 0)), 200, "the old state is kept");
		evidence = om_site_evidence(site, 0, 0);
		cr_expect_not_null(strstr(evidence, "\\\"serial\\\":200"));
		cr_expect_not_null(strstr(evidence, "trusted comment: onionmirror head"));
		cr_expect_not_null(strstr(om_site_evidence(site, 0, 1), "\\\"peers\\\":[{"));
		cr_expect_null(om_site_evidence(site, 1, 0));
		restart();
		cr_expect_eq(om_site_evidence_count(site), 1);
	}
}

/* Alpha lists leaf 0, beta leaf 1. */
static void
two_members(void)
{
	kit_add_member(&kit, "beta", 12)->leaves = 2;
	kit.heads[0].leaves = 1;
}

static om_reason
status(size_t member)
{
	return om_member_status(om_site_member(site, member));
}

/* A place that has an older head of alpha's than the known one, and a newer one of beta's. */
static void
stand_on_a_newer_head(void)
{
	two_members();
	EXPECT(feed(), OM_OK);
	follow(101);
	EXPECT(feed(), OM_OK);
	kit.heads[0].doc.serial = 100;
	kit.heads[0].doc.prev_serial = 0;
	kit.heads[1].doc.serial = 200;
	kit.heads[1].doc.prev_serial = 150;
}

Test(lib_memory, an_older_head_of_one_member_spoils_nobody_elses_list)
{
	char addr[ONION_ADDR_LEN + 1];

	stand_on_a_newer_head();
	/* Beta's newer one lists another onion. */
	kit.heads[1].leaves = 4;
	kit_add_leaf(&kit, 3);
	kit.leaves[1].left_out = true;
	kit.heads[0].leaves = 1;
	EXPECT(feed(), OM_OK);
	cr_expect_eq(status(0), OM_ROLLBACK);
	cr_expect_eq(om_member_serial(om_site_member(site, 0)), 101, "the newer head stays");
	cr_expect_eq(status(1), OM_OK);
	cr_expect_eq(om_member_serial(om_site_member(site, 1)), 200);
	cr_expect_eq(om_site_mirror_count(site), 2, "beta's new one, and what is known of alpha's");
	kit_onion(1, NULL, addr);
	cr_expect_eq(om_site_is_mirror(site, addr, KIT_NOW), OM_IS_MIRROR);
	kit_onion(2, NULL, addr);
	cr_expect_eq(om_site_is_mirror(site, addr, KIT_NOW), OM_IS_UNKNOWN);
	cr_expect_eq(om_site_evidence_count(site), 0);
	restart();
	cr_expect_eq(om_site_mirror_count(site), 2);
	/* With no good head, for the first one's reason. */
	kit.heads[1].doc.serial = 199;
	EXPECT(feed(), OM_ROLLBACK);
	cr_expect_eq(om_site_mirror_count(site), 2);
}

/* Alpha's mirror, which then stands on what is stored. */
static const om_mirror *
standing(void)
{
	size_t i;

	for (i = 0; i < om_site_mirror_count(site); i++)
		if (strcmp(om_mirror_member(om_site_mirror(site, i)), "alpha") == 0)
			return om_site_mirror(site, i);
	return NULL;
}

Test(lib_memory, a_standing_mirror_lasts_no_longer_than_the_documents_that_are_in_force_now)
{
	const int64_t soon = KIT_NOW + 12 * KIT_HOUR;

	stand_on_a_newer_head();
	kit.members.doc.seq = 2;
	kit.members.doc.members[0].not_after = soon;
	EXPECT(feed(), OM_OK);
	cr_expect_eq(status(0), OM_ROLLBACK);
	cr_assert_not_null(standing());
	cr_expect_eq(om_mirror_valid_until(standing()), soon, "the member's window was shortened");
	restart();
	cr_expect_eq(om_mirror_valid_until(standing()), soon);
	kit_add_root(&kit)->doc.expires = soon - KIT_HOUR;
	kit.heads[1].doc.serial = 300;
	kit.heads[1].doc.prev_serial = 250;
	EXPECT(feed(), OM_OK);
	cr_assert_not_null(standing());
	cr_expect_eq(om_mirror_valid_until(standing()), soon - KIT_HOUR, "and the root's life");
}

Test(lib_memory, a_standing_mirror_that_ran_out_is_gone)
{
	kit.leaves[0].doc.until = KIT_NOW + 2 * KIT_HOUR;
	stand_on_a_newer_head();
	EXPECT(feed_at(KIT_NOW + KIT_HOUR), OM_OK);
	cr_expect_not_null(standing());
	kit.leaves[0].left_out = true;
	EXPECT(feed_at(KIT_NOW + 3 * KIT_HOUR), OM_OK);
	cr_expect_eq(status(0), OM_ROLLBACK);
	cr_expect_null(standing());
}

Test(lib_memory, a_refused_list_shortens_what_its_root_and_members_shorten)
{
	const int64_t soon = KIT_NOW + 12 * KIT_HOUR;

	EXPECT(feed(), OM_OK);
	kit.members.doc.seq = 2;
	kit.members.doc.expires = soon;
	kit.heads[0].signers.keys[0] = 12;
	EXPECT(feed(), OM_BAD_SIGNATURE);
	cr_assert_eq(om_site_mirror_count(site), 2);
	cr_expect_eq(om_mirror_valid_until(om_site_mirror(site, 0)), soon);
}

Test(lib_memory, the_limits_of_a_newer_root_bound_what_stands)
{
	const int64_t begin = kit.leaves[0].doc.possession_not_before;
	struct doc_root *r;

	stand_on_a_newer_head();
	r = &kit_add_root(&kit)->doc;
	r->limits.possession_days = 2;
	kit.leaves[1].doc.possession_not_after = kit.leaves[1].doc.possession_not_before + 2 * KIT_DAY;
	kit.leaves[0].left_out = true;
	EXPECT(feed(), OM_OK);
	cr_expect_eq(status(0), OM_ROLLBACK);
	cr_assert_not_null(standing());
	cr_expect_eq(om_mirror_valid_until(standing()), begin + 2 * KIT_DAY);
	restart();
	cr_expect_eq(om_mirror_valid_until(standing()), begin + 2 * KIT_DAY);
}

Test(lib_memory, a_forked_head_of_one_member_is_kept_as_evidence_and_its_mirrors_are_left_out)
{
	two_members();
	EXPECT(feed(), OM_OK);
	kit.heads[0].leaves = 4;
	kit_add_leaf(&kit, 3);
	kit.heads[0].leaves = 4;
	kit.leaves[0].left_out = true;
	EXPECT(feed(), OM_OK);
	cr_expect_eq(status(0), OM_FORK);
	cr_expect_eq(status(1), OM_OK);
	cr_expect_eq(om_site_evidence_count(site), 1);
	cr_expect_eq(om_site_mirror_count(site), 2, "beta's, and the one that was alpha's before; none of the fork");
	restart();
	cr_expect_eq(om_site_mirror_count(site), 2);
	cr_expect_eq(om_site_evidence_count(site), 1);
}

Test(lib_memory, tombstones_of_a_newer_head_count_where_an_older_one_is_handed_on)
{
	static struct doc_tombstone t = { .state = DOC_STATE_REVOKED, .since = KIT_NOW - KIT_HOUR };
	char addr[ONION_ADDR_LEN + 1];

	two_members();
	kit_onion(2, NULL, addr);
	doc_tombstone_hash(t.h, addr);
	kit_build(&kit);
	follow(101);
	kit.heads[0].doc.tombstones = &t;
	kit.heads[0].doc.n_tombstones = 1;
	kit.leaves[1].left_out = true;
	EXPECT(feed(), OM_OK);
	kit.heads[0].doc.serial = 100;
	kit.heads[0].doc.prev_serial = 0;
	kit.heads[0].doc.n_tombstones = 0;
	EXPECT(feed(), OM_OK);
	cr_expect_eq(status(0), OM_ROLLBACK);
	cr_expect_eq(om_site_is_mirror(site, addr, KIT_NOW), OM_IS_REVOKED);
	kit.leaves[1].left_out = false;
	EXPECT(feed(), OM_REVOKED);
}

Test(lib_memory, the_same_evidence_is_kept_once)
{
	EXPECT(feed(), OM_OK);
	kit.heads[0].doc.fresh_until += KIT_HOUR;
	EXPECT(feed(), OM_FORK);
	EXPECT(feed(), OM_FORK);
	cr_expect_eq(om_site_evidence_count(site), 1);
}

/* As if somebody had added unsigned things on the way. */
static void
decorate(size_t n)
{
	static const char junk[] = "\"untrusted comment: x\\nno signature\\n\"";
	static char value[8192]; /* the kit borrows it */
	char comment[64];
	size_t i, at = 1;
	const char *sig;

	value[0] = '[';
	for (i = 0; i < n; i++)
		at += (size_t)snprintf(value + at, sizeof value - at, "%s,", junk);
	snprintf(comment, sizeof comment, "\"untrusted comment: way %zu", n);
	at += (size_t)snprintf(value + at, sizeof value - at, "%s", comment);
	for (sig = strchr(kit.heads[0].out.sigs[0], '\n'); *sig != '\0'; sig++)
		at += (size_t)snprintf(value + at, sizeof value - at, *sig == '\n' ? "\\n" : "%c", *sig);
	snprintf(value + at, sizeof value - at, "\"]");
	kit.n_patches = 0;
	kit_patch(&kit, KIT_BUNDLE, 0, "heads.0.sigs", value);
}

Test(lib_memory, unsigned_parts_make_no_second_evidence)
{
	size_t i;

	EXPECT(feed(), OM_OK);
	kit.heads[0].doc.fresh_until += KIT_HOUR;
	kit_build(&kit);
	for (i = 0; i < 3; i++) {
		decorate(i + 1);
		EXPECT(feed(), OM_FORK);
		cr_expect_eq(om_site_fork_evidence(site), 1);
	}
	cr_assert_eq(om_site_evidence_count(site), 1);
	cr_expect_null(strstr(om_site_evidence(site, 0, 1), "no signature"), "only the signature that counts is kept");
	cr_expect_not_null(strstr(om_site_evidence(site, 0, 1), "trusted comment: onionmirror head"));
	restart();
	EXPECT(feed(), OM_FORK);
	cr_expect_eq(om_site_evidence_count(site), 1);
	kit.n_patches = 0;
}

Test(lib_memory, one_stolen_key_cannot_use_up_the_room_for_evidence)
{
	size_t i;

	two_members();
	EXPECT(feed(), OM_OK);
	for (i = 1; i <= 10; i++) {
		kit.heads[0].doc.fresh_until = kit.heads[0].doc.issued + KIT_DAY + (int64_t)i * KIT_HOUR;
		EXPECT(feed(), OM_OK);
		cr_expect_eq(status(0), OM_FORK);
		cr_expect_eq(om_site_fork_evidence(site), i <= 8 ? 1 : -1, "%zu", i);
	}
	cr_assert_eq(om_site_evidence_count(site), 8);
	kit.heads[0].doc.fresh_until = kit.heads[0].doc.issued + KIT_DAY;
	kit.heads[1].doc.fresh_until += KIT_HOUR;
	EXPECT(feed(), OM_OK);
	cr_expect_eq(status(1), OM_FORK);
	cr_expect_eq(om_site_fork_evidence(site), 1, "beta's first takes the place of alpha's last");
	cr_assert_eq(om_site_evidence_count(site), 8);
	cr_expect_not_null(strstr(om_site_evidence(site, 7, 1), "\\\"beta\\\""));
	cr_expect_not_null(strstr(om_site_evidence(site, 0, 1), "\\\"alpha\\\""));
	restart();
	cr_expect_eq(om_site_evidence_count(site), 8);
	kit.heads[1].doc.fresh_until -= KIT_HOUR;
	EXPECT(feed(), OM_OK);
	cr_expect_eq(om_site_fork_evidence(site), 0, "of the last list that was fed");
}

Test(lib_memory, a_root_that_nobody_signed_proves_no_fork)
{
	kit_add_root(&kit);
	EXPECT(feed(), OM_OK);
	kit_tamper(&kit, KIT_ROOT, 1, "prev", "\"0000000000000000000000000000000000000000000000000000000000000000\"");
	EXPECT(feed(), OM_FORK);
	cr_expect_eq(om_site_fork_evidence(site), 0);
	cr_expect_eq(om_site_evidence_count(site), 0);
}

Test(lib_memory, another_root_and_another_members_document_are_evidence_too)
{
	kit_add_root(&kit);
	EXPECT(feed(), OM_OK);
	kit.members.doc.expires -= KIT_HOUR;
	EXPECT(feed(), OM_FORK);
	cr_expect_eq(om_site_fork_evidence(site), 1);
	kit.roots[1].doc.expires -= KIT_HOUR;
	EXPECT(feed(), OM_FORK);
	cr_expect_eq(om_site_fork_evidence(site), 1);
	cr_assert_eq(om_site_evidence_count(site), 2);
	cr_expect_not_null(strstr(om_site_evidence(site, 0, 1), "trusted comment: onionmirror members"));
	cr_expect_not_null(strstr(om_site_evidence(site, 1, 1), "trusted comment: onionmirror root"));
	restart();
	cr_expect_eq(om_site_evidence_count(site), 2);
}

Test(lib_memory, a_new_key_of_a_member_starts_anew)
{
	EXPECT(feed(), OM_OK);
	kit.members.doc.seq = 2;
	kit.members.keys[0] = 21;
	kit.heads[0].signers.keys[0] = 21;
	kit.heads[0].doc.serial = 5;
	EXPECT(feed(), OM_OK);
	cr_expect_eq(om_member_serial(om_site_member(site, 0)), 5);
	/* The old key comes back: what it had signed still binds it. */
	kit.members.doc.seq = 3;
	kit.members.keys[0] = 11;
	kit.heads[0].signers.keys[0] = 11;
	EXPECT(feed(), OM_ROLLBACK);
}

Test(lib_memory, members_have_a_sequence)
{
	kit.members.doc.seq = 5;
	EXPECT(feed(), OM_OK);
	kit.members.doc.seq = 4;
	EXPECT(feed(), OM_ROLLBACK);
	kit.members.doc.seq = 5;
	kit.members.doc.expires -= KIT_HOUR;
	EXPECT(feed(), OM_FORK);
	cr_expect_eq(om_site_evidence_count(site), 1);
	/* A renewal does not invalidate heads that are out. */
	kit.heads[0].doc.members_seq = 5;
	kit.members.doc.expires += KIT_HOUR;
	kit_build(&kit);
	doc_hash(kit.heads[0].doc.members_sha256, kit.members.out.text, kit.members.out.len);
	EXPECT(feed(), OM_OK);
	kit.members.doc.seq = 6;
	kit.members.doc.expires -= 2 * KIT_HOUR;
	EXPECT(feed(), OM_OK);
}

Test(lib_memory, chains_only_grow)
{
	kit_add_root(&kit);
	kit_add_root(&kit);
	EXPECT(feed(), OM_OK);
	cr_expect_eq(om_site_root_version(site), 3);
	kit.n_roots = 2;
	EXPECT(feed(), OM_ROLLBACK);
	kit.n_roots = 3;
	strcpy(kit.roots[2].doc.name, "Another");
	EXPECT(feed(), OM_FORK);
	cr_expect_eq(om_site_evidence_count(site), 1);
	restart();
	EXPECT(feed(), OM_FORK);
	cr_expect_str_eq(om_site_name(site), "The Test");
}

Test(lib_memory, roots_that_passed_are_kept_though_a_later_one_fails)
{
	kit_add_root(&kit);
	kit_add_root(&kit)->signers.n = 1;
	EXPECT(feed(), OM_THRESHOLD);
	cr_expect_eq(om_site_root_version(site), 2);
	kit.n_roots = 1;
	EXPECT(feed(), OM_ROLLBACK);
}

Test(lib_memory, an_expired_last_root_is_not_kept)
{
	kit.heads[0].doc.root_version = 1;
	kit_add_root(&kit);
	kit_add_root(&kit)->doc.expires = KIT_NOW;
	EXPECT(feed(), OM_EXPIRED);
	cr_expect_eq(om_site_root_version(site), 2);
	kit.roots[2].doc.expires = KIT_NOW + KIT_DAY;
	EXPECT(feed(), OM_OK);
	/* What is stored is no obstacle when it expires. */
	EXPECT(feed_at(KIT_NOW + 2 * KIT_DAY), OM_EXPIRED);
	kit_add_root(&kit)->doc.expires = KIT_NOW + 300 * KIT_DAY;
	EXPECT(feed_at(KIT_NOW + 2 * KIT_DAY), OM_OK);
}

Test(lib_memory, a_refused_leaf_leaves_the_rest_stored)
{
	EXPECT(feed(), OM_OK);
	follow(101);
	kit.leaves[1].signer = 9;
	EXPECT(feed(), OM_BAD_POSSESSION);
	cr_expect_eq(om_member_serial(om_site_member(site, 0)), 101, "its head passed");
	cr_expect_eq(om_site_mirror_count(site), 1, "the new head lists another leaf 2, so the old one went");
	kit.heads[0].doc.serial = 100;
	kit.heads[0].doc.prev_serial = 0;
	kit.leaves[1].signer = 2;
	EXPECT(feed(), OM_ROLLBACK);
}

static struct doc_tombstone stone;

static void
bury(unsigned onion, enum doc_state state)
{
	char addr[ONION_ADDR_LEN + 1];

	kit_onion(onion, NULL, addr);
	doc_tombstone_hash(stone.h, addr);
	stone.state = state;
	stone.since = KIT_NOW;
	kit.heads[0].doc.tombstones = &stone;
	kit.heads[0].doc.n_tombstones = 1;
}

static om_answer
is_mirror(unsigned onion)
{
	char addr[ONION_ADDR_LEN + 1];

	kit_onion(onion, NULL, addr);
	return om_site_is_mirror(site, addr, KIT_NOW);
}

Test(lib_memory, tombstones_are_sticky_and_revoked_is_never_softened)
{
	EXPECT(feed(), OM_OK);
	cr_expect_eq(is_mirror(1), OM_IS_MIRROR);
	follow(101);
	bury(1, DOC_STATE_RETIRED);
	kit.heads[0].leaves = 2;
	kit.leaves[0].left_out = true;
	EXPECT(feed(), OM_OK);
	cr_expect_eq(is_mirror(1), OM_IS_RETIRED);
	cr_expect_eq(is_mirror(2), OM_IS_MIRROR);
	follow(102);
	stone.state = DOC_STATE_REVOKED;
	EXPECT(feed(), OM_OK);
	cr_expect_eq(is_mirror(1), OM_IS_REVOKED);
	follow(103);
	stone.state = DOC_STATE_RETIRED;
	EXPECT(feed(), OM_OK);
	cr_expect_eq(is_mirror(1), OM_IS_REVOKED);
	restart();
	cr_expect_eq(is_mirror(1), OM_IS_REVOKED);
	cr_expect_eq(is_mirror(2), OM_IS_MIRROR, "mirrors are remembered too");
	/* Gone from the head, offered again: the reader remembers. */
	follow(104);
	kit.heads[0].doc.n_tombstones = 0;
	kit.heads[0].leaves = 3;
	kit.leaves[0].left_out = false;
	EXPECT(feed(), OM_REVOKED);
}

Test(lib_memory, one_members_tombstone_counts_for_anothers_leaf)
{
	kit_add_member(&kit, "beta", 12)->leaves = 2;
	EXPECT(feed(), OM_OK);
	follow(101);
	bury(2, DOC_STATE_REVOKED);
	EXPECT(feed(), OM_REVOKED);
	cr_expect_eq(om_site_mirror_count(site), 1);
	cr_expect_eq(is_mirror(2), OM_IS_REVOKED);
	cr_expect_neq(om_site_pick(site, KIT_NOW, 1), NULL);
}

Test(lib_memory, a_rise_of_the_epoch_clears)
{
	struct kit_root *r;

	kit.members.doc.seq = 9;
	bury(3, DOC_STATE_REVOKED);
	EXPECT(feed(), OM_OK);
	cr_expect_eq(is_mirror(3), OM_IS_REVOKED);
	r = kit_add_root(&kit);
	r->doc.epoch = 2;
	r->doc.epoch_start = KIT_NOW - KIT_HOUR;
	kit.heads[0].doc.n_tombstones = 0;
	/* Members and heads of the old epoch are over. */
	EXPECT(feed(), OM_ROLLBACK);
	cr_expect_eq(om_site_epoch(site), 2);
	cr_expect_eq(om_site_member_count(site), 0);
	cr_expect_eq(om_site_mirror_count(site), 0);
	/* Fast-forward is undone: low numbers are fine again. */
	kit.members.doc.epoch = 2;
	kit.members.doc.seq = 1;
	kit.heads[0].doc.epoch = 2;
	kit.heads[0].doc.serial = 1;
	EXPECT(feed(), OM_OK);
	cr_expect_eq(is_mirror(3), OM_IS_UNKNOWN);
	/* The old chain is a rollback. */
	kit.n_roots = 1;
	kit.members.doc.epoch = kit.heads[0].doc.epoch = 1;
	EXPECT(feed(), OM_ROLLBACK);
	kit.n_roots = 2;
}

Test(lib_memory, a_head_of_an_older_epoch_is_a_rollback)
{
	kit_add_root(&kit)->doc.epoch = 2;
	kit.members.doc.epoch = 2;
	EXPECT(feed(), OM_ROLLBACK);
	cr_expect_eq(om_site_member_count(site), 1, "members passed");
}

Test(lib_memory, a_member_dropped_from_the_bundle_is_missed)
{
	kit_add_member(&kit, "beta", 12);
	EXPECT(feed(), OM_OK);
	cr_expect_eq(om_member_status(om_site_member(site, 1)), OM_OK);
	kit_patch(&kit, KIT_BUNDLE, 0, "heads.1", NULL);
	EXPECT(feed(), OM_OK);
	cr_expect_eq(om_member_status(om_site_member(site, 1)), OM_MISSING);
	cr_expect_eq(om_member_serial(om_site_member(site, 1)), 100, "what was known of it");
	kit_patch(&kit, KIT_BUNDLE, 0, "leaves", "[]");
	kit_patch(&kit, KIT_BUNDLE, 0, "heads.0", NULL);
	EXPECT(feed(), OM_NOT_LISTED);
}

Test(lib_memory, a_freeze_runs_out)
{
	EXPECT(feed(), OM_OK);
	EXPECT(feed_at(KIT_NOW + 2 * KIT_DAY), OM_OK);
	cr_expect_lt(om_member_fresh_until(om_site_member(site, 0)), KIT_NOW + 2 * KIT_DAY, "worth a warning");
	EXPECT(feed_at(KIT_NOW + 7 * KIT_DAY), OM_EXPIRED);
	cr_expect_null(om_site_pick(site, KIT_NOW + 7 * KIT_DAY, 0));
}

Test(lib_memory, a_decertified_members_mirrors_go)
{
	kit_add_member(&kit, "beta", 12)->leaves = 2;
	kit.heads[0].leaves = 1;
	EXPECT(feed(), OM_OK);
	follow(101);
	kit.members.doc.seq = 2;
	kit.members.doc.n_members = 1;
	EXPECT(feed(), OM_UNCERTIFIED);
	cr_expect_eq(om_site_member_count(site), 1);
	cr_assert_eq(om_site_mirror_count(site), 1);
	cr_expect_str_eq(om_mirror_member(om_site_mirror(site, 0)), "alpha");
}

Test(lib_memory, a_store_is_of_its_site_and_whole)
{
	struct kit other;
	om_site *loaded = NULL;
	char *text = NULL;
	size_t len, i;

	EXPECT(feed(), OM_OK);
	cr_assert_eq(om_site_save(site, &text, &len, NULL), 0);
	kit_init(&other);
	strcpy(other.roots[0].doc.name, "Another");
	kit_build(&other);
	cr_expect_eq(om_site_load(&loaded, other.site_id, text, len, &error), -1);
	cr_expect_eq(error.reason, OM_WRONG_SITE);
	kit_free(&other);
	for (i = 0; i < len; i += 7)
		cr_expect_eq(om_site_load(&loaded, NULL, text, i, &error), -1, "cut at %zu", i);
	cr_assert_eq(om_site_load(&loaded, NULL, text, len, &error), 0);
	cr_expect_eq(om_site_is_pinned(loaded), 1, "it was, before saving");
	cr_expect_eq(om_member_serial(om_site_member(loaded, 0)), 100);
	om_site_close(loaded);
	free(text);
}

Test(lib_memory, an_empty_reader_can_be_saved)
{
	char *text = NULL;
	om_site *s = NULL, *loaded = NULL;
	size_t len;

	cr_assert_eq(om_site_open(&s, NULL, NULL), 0);
	cr_assert_eq(om_site_save(s, &text, &len, NULL), 0);
	cr_assert_eq(om_site_load(&loaded, kit.site_id, text, len, &error), 0, "%s", error.detail);
	cr_expect_str_eq(om_site_id(loaded), kit.site_id);
	om_site_close(loaded);
	om_site_close(s);
	free(text);
}

static void *
read_in_thread(void *arg)
{
	const struct kit *own = arg;
	om_site *s = NULL, *again = NULL;
	char *text;
	size_t len;
	int i;

	for (i = 0; i < 20; i++) {
		if (om_site_open(&s, own->site_id, NULL) != 0 || om_site_feed_bundle(s, own->bundle, own->len, KIT_NOW, NULL) != 0 ||
		    om_site_save(s, &text, &len, NULL) != 0 || om_site_load(&again, own->site_id, text, len, NULL) != 0)
			return NULL;
		if (om_site_pick(again, KIT_NOW, (uint64_t)i) == NULL)
			return NULL;
		om_site_close(s);
		om_site_close(again);
		free(text);
	}
	return arg;
}

Test(lib_memory, different_sites_may_be_used_by_different_threads_at_once)
{
	pthread_t threads[4];
	void *ok;
	int i;

	for (i = 0; i < 4; i++)
		cr_assert_eq(pthread_create(&threads[i], NULL, read_in_thread, &kit), 0);
	for (i = 0; i < 4; i++) {
		cr_assert_eq(pthread_join(threads[i], &ok), 0);
		cr_expect_not_null(ok);
	}
}
