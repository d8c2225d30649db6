/* SPDX-License-Identifier: BSD-3-Clause */
/* The head: what it says, what hides in it, and what is refused before it is signed. */
#include "config.h"
#include "press.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

TestSuite(publish_make, .init = press_setup, .fini = press_teardown);

static void
refused(enum err_code code, const char *word)
{
	struct publication *p = NULL;
	struct err e = ERR_INIT;

	cr_expect_eq(publication_make(&p, press.site, &press.list, &e), -1, "%s", word);
	cr_expect_null(p);
	cr_expect_eq(e.code, code, "%s: %s", word, e.msg);
	cr_expect_not_null(strstr(e.msg, word), "%s", e.msg);
}

Test(publish_make, the_head_says_what_it_must)
{
	struct publication *p;
	uint8_t hash[DOC_HASH_LEN];

	press.list.now = KIT_NOW + 1799;
	p = press_make();
	cr_expect_eq(memcmp(p->head.site, press.kit.site, DOC_HASH_LEN), 0);
	cr_expect_eq(p->head.epoch, 1);
	cr_expect_eq(p->head.serial, 200);
	cr_expect_eq(p->head.root_version, 1);
	cr_expect_eq(p->head.members_seq, 1);
	doc_hash(hash, press.kit.members.out.text, press.kit.members.out.len);
	cr_expect_eq(memcmp(p->head.members_sha256, hash, sizeof hash), 0);
	cr_expect_str_eq(p->head.member, "alpha");
	cr_expect_eq(p->head.issued, KIT_NOW, "whole hours only");
	cr_expect_eq(p->head.fresh_until, KIT_NOW + KIT_DAY);
	cr_expect_eq(p->head.valid_until, KIT_NOW + 7 * KIT_DAY);
	cr_expect_eq(publication_valid_until(p), KIT_NOW + 7 * KIT_DAY);
	cr_expect_eq(p->head.prev_serial, 0);
	cr_expect_eq(p->head.n_peers, 0);
	publication_free(p);
}

Test(publish_make, a_head_lives_as_long_as_the_root_allows_and_never_longer_than_a_week)
{
	static const struct {
		uint64_t limit;
		int fresh, valid;
	} t[] = { { 1, 1, 1 }, { 12, 12, 12 }, { 48, 24, 48 }, { 168, 24, 168 }, { 1000, 24, 168 } };
	struct publication *p;
	size_t i;

	for (i = 0; i < sizeof t / sizeof t[0]; i++) {
		press.kit.roots[0].doc.limits.head_hours = t[i].limit;
		press.kit.heads[0].doc.valid_until = press.kit.heads[0].doc.fresh_until = press.kit.heads[0].doc.issued + KIT_HOUR;
		press_reload();
		free(press.leaves[0]);
		press.list.n_entries = 0;
		press_add(1, "public");
		p = press_make();
		cr_expect_eq(p->head.fresh_until, KIT_NOW + t[i].fresh * KIT_HOUR, "limit %d", (int)t[i].limit);
		cr_expect_eq(p->head.valid_until, KIT_NOW + t[i].valid * KIT_HOUR, "limit %d", (int)t[i].limit);
		publication_free(p);
	}
}

Test(publish_make, leaves_are_padded_to_sixteen_times_a_power_of_two)
{
	struct publication *p;
	uint8_t hash[DOC_HASH_LEN];
	unsigned i;

	for (i = 2; i <= 17; i++) {
		p = press_make();
		cr_expect_eq(p->head.n_leaves, 16, "%u leaves", i - 1);
		publication_free(p);
		press_add(i, i % 2 != 0 ? "public" : "friends");
	}
	p = press_make();
	cr_expect_eq(p->head.n_leaves, 32);
	for (i = 0; i < 17; i++) {
		doc_hash(hash, press.leaves[i], strlen(press.leaves[i]));
		cr_expect(doc_leaves_have((const uint8_t(*)[DOC_HASH_LEN])p->head.leaves, p->head.n_leaves, hash), "leaf %u", i);
	}
	publication_free(p);
}

/* How many hashes of one head are in another. */
static size_t
shared(const struct publication *a, const struct publication *b)
{
	size_t i, n = 0;

	for (i = 0; i < a->head.n_leaves; i++)
		n += doc_leaves_have((const uint8_t(*)[DOC_HASH_LEN])b->head.leaves, b->head.n_leaves, a->head.leaves[i]);
	return n;
}

Test(publish_make, decoys_live_as_long_as_leaves_do)
{
	struct publication *first = press_make(), *p;

	press.list.serial++;
	p = press_make();
	cr_expect_eq(shared(first, p), 16, "nothing changes from one head to the next");
	publication_free(p);
	press.list.now += KIT_DAY;
	p = press_make();
	cr_expect_geq(shared(first, p), 13, "in a day hardly any");
	publication_free(p);
	press.list.now = KIT_NOW + 20 * KIT_DAY;
	p = press_make();
	cr_expect_lt(shared(first, p), 16, "some go each week");
	cr_expect_gt(shared(first, p), 1);
	publication_free(p);
	/* Past the members document: only the head is looked at. */
	press.site->cert.expires = press.site->cert.members[0].not_after = KIT_NOW + 60 * KIT_DAY;
	press.list.now = KIT_NOW + 45 * KIT_DAY;
	p = press_make();
	cr_expect_eq(shared(first, p), 1, "after half a possession period only the leaf, which was not renewed");
	publication_free(p);
	publication_free(first);
}

Test(publish_make, each_head_names_the_one_before)
{
	struct publication *first = press_make(), *second;
	uint8_t hash[DOC_HASH_LEN];

	press.list.prev_head = publication_head(first);
	refused(ERR_STATE, "not above");
	press.list.serial = 205;
	second = press_make();
	cr_expect_eq(second->head.prev_serial, 200);
	doc_hash(hash, publication_head(first), strlen(publication_head(first)));
	cr_expect_eq(memcmp(second->head.prev_sha256, hash, sizeof hash), 0);
	publication_free(first);
	publication_free(second);
	press.list.prev_head = "{}\n";
	refused(ERR_STATE, "malformed");
}

Test(publish_make, tombstones_are_hashes_and_keep_their_hour)
{
	struct publish_tombstone t[2] = { { .state = TOMBSTONE_RETIRED, .since = KIT_NOW - 1 }, { .state = TOMBSTONE_REVOKED, .since = KIT_NOW } };
	char a[ONION_ADDR_LEN + 1], b[ONION_ADDR_LEN + 1];
	const struct doc_tombstone *found;
	struct publication *p;

	kit_onion(8, NULL, a);
	kit_onion(9, NULL, b);
	t[0].address = a;
	t[1].address = b;
	press.list.tombstones = t;
	press.list.n_tombstones = 2;
	p = press_make();
	found = chain_tombstone_find(p->head.tombstones, p->head.n_tombstones, a);
	cr_assert_not_null(found);
	cr_expect_eq(found->state, DOC_STATE_RETIRED);
	cr_expect_eq(found->since, KIT_NOW - KIT_HOUR);
	found = chain_tombstone_find(p->head.tombstones, p->head.n_tombstones, b);
	cr_assert_not_null(found);
	cr_expect_eq(found->state, DOC_STATE_REVOKED);
	cr_expect_null(strstr(publication_head(p), a), "an address is nowhere in the head");
	publication_free(p);
}

Test(publish_make, refuses_what_readers_would_refuse)
{
	struct publish_tombstone t = { .state = TOMBSTONE_RETIRED, .since = KIT_NOW };
	char addr[ONION_ADDR_LEN + 1];

	press.list.n_entries = 0;
	refused(ERR_REFUSED, "empty");
	press.list.n_entries = 1;
	kit_onion(1, NULL, addr);
	t.address = addr;
	press.list.tombstones = &t;
	press.list.n_tombstones = 1;
	refused(ERR_REFUSED, "retired");
	t.state = TOMBSTONE_REVOKED;
	refused(ERR_REFUSED, "revoked");
	press.list.n_tombstones = 0;
	press.entries[0].leaf = "{}\n";
	refused(ERR_REFUSED, "malformed");
	press.entries[0].leaf = press.leaves[0];
	press.list.serial = 10 * 24 * 60 + 2000;
	refused(ERR_CRYPTO, "clock");
}

Test(publish_make, refuses_when_the_site_or_a_proof_ran_out_meanwhile)
{
	press.list.now = KIT_NOW + 36 * KIT_DAY;
	refused(ERR_REFUSED, "members.json ran out");
	press.list.now = KIT_NOW + 355 * KIT_DAY;
	refused(ERR_REFUSED, "root document ran out");
	press.site->cert.expires = press.site->cert.members[0].not_after = press.site->root.doc.expires = KIT_NOW + 400 * KIT_DAY;
	press.list.now = KIT_NOW + 90 * KIT_DAY;
	refused(ERR_REFUSED, "leaf 1 does not verify: expired");
}

Test(publish_make, the_serial_rises_by_one_and_keeps_up_with_time)
{
	static const struct {
		uint64_t last;
		int64_t start, now;
		uint64_t next;
	} t[] = { { 0, 0, 0, 1 }, { 0, 1000, 0, 1 }, { 0, 0, 59, 1 }, { 0, 0, 600, 10 }, { 9, 0, 600, 10 }, { 10, 0, 600, 11 }, { 500, 0, 600, 501 } };
	size_t i;

	for (i = 0; i < sizeof t / sizeof t[0]; i++)
		cr_expect_eq(publish_next_serial(t[i].last, t[i].start, t[i].now), t[i].next, "row %zu", i);
}
