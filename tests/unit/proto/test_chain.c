/* SPDX-License-Identifier: BSD-3-Clause */
/* The root chain in the shapes of rotation that the TUF conformance suite lists, and thresholds. */
#include "config.h"
#include "proto/chain.h"

#include "support/listkit.h"

#include <criterion/criterion.h>
#include <string.h>

#define KEYS(...) { __VA_ARGS__ }

/* One root of a chain: its keys, threshold, who signs. Zero ends a list. */
struct shape {
	unsigned keys[6], threshold, signers[10];
};

static void
set_shape(struct kit_root *r, const struct shape *s)
{
	size_t n;

	for (n = 0; n < 6 && s->keys[n] != 0; n++)
		r->keys[n] = s->keys[n];
	r->doc.n_keys = n;
	r->doc.threshold = s->threshold;
	for (n = 0; n < 10 && s->signers[n] != 0; n++)
		r->signers.keys[n] = s->signers[n];
	r->signers.n = n;
}

static enum doc_reason
walk(struct kit *k, const uint8_t *site, int64_t now)
{
	static struct doc_text sigs[KIT_ROOTS][KIT_SIGNERS];
	struct doc_signed roots[KIT_ROOTS];
	struct chain_root last;
	size_t i;

	for (i = 0; i < k->n_roots; i++)
		roots[i] = kit_signed(&k->roots[i].out, sigs[i]);
	return chain_roots(&last, roots, k->n_roots, site, now, NULL);
}

Test(proto_chain, root_rotation_needs_old_and_new_keys)
{
	static const struct {
		const char *what;
		struct shape root[3];
		enum doc_reason reason;
	} rows[] = {
		{ "1 of 1, rotated", { { KEYS(1), 1, KEYS(1) }, { KEYS(2), 1, KEYS(1, 2) } }, DOC_OK },
		{ "unused signatures", { { KEYS(1), 1, KEYS(1) }, { KEYS(2), 1, KEYS(4, 3, 1, 2) } }, DOC_OK },
		{ "other keys of the same five",
		    { { KEYS(1, 2, 3, 4, 5), 3, KEYS(1, 2, 3) }, { KEYS(1, 2, 3, 4, 5), 3, KEYS(3, 4, 5) },
		        { KEYS(1, 2, 3, 4, 5), 3, KEYS(1, 4, 5) } },
		    DOC_OK },
		{ "one of five rotated",
		    { { KEYS(1, 2, 3, 4, 5), 3, KEYS(1, 3, 4) }, { KEYS(1, 3, 4, 5, 6), 3, KEYS(3, 4, 5) } }, DOC_OK },
		{ "all rotated", { { KEYS(1, 2, 3), 2, KEYS(1, 2) }, { KEYS(4, 5, 6), 2, KEYS(1, 2, 4, 5) } }, DOC_OK },
		{ "threshold raised", { { KEYS(1, 2, 3), 1, KEYS(1) }, { KEYS(1, 2, 3), 2, KEYS(1, 2) } }, DOC_OK },
		{ "threshold lowered", { { KEYS(1, 2, 3), 2, KEYS(1, 2) }, { KEYS(1, 2, 3), 1, KEYS(1, 2) } }, DOC_OK },
		{ "not signed by the old key", { { KEYS(1), 1, KEYS(1) }, { KEYS(2), 1, KEYS(2) } }, DOC_THRESHOLD },
		{ "not signed by the new key", { { KEYS(1), 1, KEYS(1) }, { KEYS(2), 1, KEYS(1) } }, DOC_THRESHOLD },
		{ "too few new ones",
		    { { KEYS(1, 2, 3), 2, KEYS(1, 2) }, { KEYS(4, 5, 6), 2, KEYS(1, 2, 4) } }, DOC_THRESHOLD },
		{ "too few old ones",
		    { { KEYS(1, 2, 3), 2, KEYS(1, 2) }, { KEYS(4, 5, 6), 2, KEYS(1, 4, 5) } }, DOC_THRESHOLD },
		{ "raised threshold not reached",
		    { { KEYS(1, 2, 3), 1, KEYS(1) }, { KEYS(1, 2, 3), 2, KEYS(1) } }, DOC_THRESHOLD },
		{ "lowered threshold, old not reached",
		    { { KEYS(1, 2, 3), 2, KEYS(1, 2) }, { KEYS(1, 2, 3), 1, KEYS(1) } }, DOC_THRESHOLD },
		{ "root 1 misses its own threshold", { { KEYS(1, 2, 3), 2, KEYS(1) } }, DOC_THRESHOLD },
		{ "a key counts once", { { KEYS(1, 2, 3), 2, KEYS(1, 1, 1) } }, DOC_THRESHOLD },
		{ "strangers don't count", { { KEYS(1, 2, 3), 2, KEYS(1, 7, 8) } }, DOC_THRESHOLD },
		{ "nobody signed", { { KEYS(1, 2, 3), 2, { 0 } } }, DOC_THRESHOLD },
	};
	struct kit k;
	size_t i, j;

	for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		enum doc_reason r;

		kit_init(&k);
		set_shape(&k.roots[0], &rows[i].root[0]);
		for (j = 1; j < 3 && rows[i].root[j].threshold != 0; j++)
			set_shape(kit_add_root(&k), &rows[i].root[j]);
		kit_build(&k);
		r = walk(&k, k.site, KIT_NOW);
		cr_expect_eq(r, rows[i].reason, "%s: %s", rows[i].what, doc_reason_name(r));
		kit_free(&k);
	}
}

Test(proto_chain, what_else_a_root_must_be)
{
	static const char h32[] = "\"0000000000000000000000000000000000000000000000000000000000000000\"";
	static const struct {
		size_t root;
		const char *path, *value;
		enum doc_reason reason;
	} rows[] = {
		{ 1, "version", "3", DOC_MALFORMED },
		{ 2, "version", "2", DOC_MALFORMED },
		{ 1, "prev", h32, DOC_FORK },
		{ 1, "site", h32, DOC_WRONG_SITE },
		{ 1, "epoch_start", "\"2026-11-12T12:00:00Z\"", DOC_MALFORMED },
		{ 1, "expires", "\"2026-11-14T12:00:00Z\"", DOC_OK }, /* not the last */
		{ 2, "expires", "\"2026-11-14T12:00:00Z\"", DOC_EXPIRED },
		{ 2, "expires", "\"2026-11-23T12:00:00Z\"", DOC_EXPIRED },
		{ 2, "expires", "\"2026-11-23T13:00:00Z\"", DOC_OK },
		{ 2, "epoch", "2", DOC_OK },
		{ 1, "epoch", "2", DOC_ROLLBACK }, /* 1, 2, 1 */
	};
	struct kit k;
	size_t i;

	for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		enum doc_reason r;

		kit_init(&k);
		kit_add_root(&k);
		kit_add_root(&k);
		kit_patch(&k, KIT_ROOT, rows[i].root, rows[i].path, rows[i].value);
		kit_build(&k);
		r = walk(&k, k.site, KIT_NOW);
		cr_expect_eq(r, rows[i].reason, "%s = %s: %s", rows[i].path, rows[i].value, doc_reason_name(r));
		kit_free(&k);
	}
}

Test(proto_chain, root_1_is_known_by_its_hash)
{
	uint8_t other[DOC_HASH_LEN] = { 0 };
	struct kit k;

	kit_init(&k);
	kit_build(&k);
	cr_expect_eq(walk(&k, other, KIT_NOW), DOC_WRONG_SITE);
	cr_expect_eq(walk(&k, NULL, KIT_NOW), DOC_OK);
	k.n_roots = 0;
	cr_expect_eq(walk(&k, NULL, KIT_NOW), DOC_MALFORMED);
	k.n_roots = 1;
	kit_free(&k);
}

Test(proto_chain, the_serial_bound_is_minutes_and_some)
{
	struct doc_root r = { .epoch_start = KIT_NOW };

	cr_expect_eq(chain_serial_bound(&r, KIT_NOW), 1000);
	cr_expect_eq(chain_serial_bound(&r, KIT_NOW + 3600), 1060);
	cr_expect_eq(chain_serial_bound(&r, KIT_NOW - 1000 * 60), 0);
	cr_expect_eq(chain_serial_bound(&r, 0), 0);
}

Test(proto_chain, tombstones_are_found_by_address)
{
	struct doc_tombstone t[3] = { { { 0 }, DOC_STATE_RETIRED, 0 }, { { 0 }, DOC_STATE_REVOKED, 0 },
		{ { 0xff }, DOC_STATE_RETIRED, 0 } };
	char a[ONION_ADDR_LEN + 1], b[ONION_ADDR_LEN + 1];

	kit_onion(1, NULL, a);
	kit_onion(2, NULL, b);
	doc_tombstone_hash(t[1].h, a);
	cr_expect_eq(chain_tombstone_find(t, 3, a), &t[1]);
	cr_expect_null(chain_tombstone_find(t, 3, b));
	cr_expect_null(chain_tombstone_find(NULL, 0, a));
}

Test(proto_chain, it_is_told_whose_signatures_count)
{
	static const unsigned twice[] = { 3, 9, 3, 1 };
	struct doc_text sigs[KIT_SIGNERS];
	char comment[DOC_COMMENT_MAX];
	struct doc_signed d;
	bool who[3];
	struct kit k;

	kit_init(&k);
	kit_signers(&k.roots[0].signers, 4, twice);
	kit_build(&k);
	d = kit_signed(&k.roots[0].out, sigs);
	doc_root_comment(comment, k.site, 1, k.site);
	cr_expect_eq(chain_count_keys(&d, (const uint8_t(*)[DOC_KEY_LEN])k.roots[0].doc.keys, 3, comment, 3, who), 2);
	cr_expect(who[0] && !who[1] && who[2]);
	cr_expect_eq(chain_count_keys(&d, (const uint8_t(*)[DOC_KEY_LEN])k.roots[0].doc.keys, 3, "another comment", 3, who), 0);
	cr_expect(!who[0] && !who[1] && !who[2]);
	kit_free(&k);
}
