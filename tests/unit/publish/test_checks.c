/* SPDX-License-Identifier: BSD-3-Clause */
/* What readers would refuse must not be made, and what must not be told apart isn't. */
#include "config.h"
#include "place.h"

#include "publish/publish_impl.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <stdlib.h>
#include <string.h>

TestSuite(publish_checks, .init = place_setup, .fini = place_teardown);

static struct publish_site *site;
static struct list list;

static void begin(void)
{
	site = place_load();
	list_init(&list, site, 1, 1, 200);
}

static void end(void)
{
	list_free(&list);
	publish_site_free(site);
}

/* Making the list must fail, with `word` in the message. */
static void refused(const char *word)
{
	struct publication *p = NULL;
	struct err e = ERR_INIT;

	cr_expect_eq(publication_make(&p, site, &list.l, &e), -1, "%s", word);
	cr_expect_null(p);
	cr_expect_eq(e.code, ERR_REFUSED, "%s: %s", word, e.msg);
	cr_expect_not_null(strstr(e.msg, word), "%s", e.msg);
	cr_expect_null(strstr(e.msg, ".onion"), "this goes into the log, where no address may be: %s", e.msg);
}

Test(publish_checks, a_leaf_that_begins_in_the_future_is_not_listed)
{
	begin();
	list.l.now = KIT_NOW - KIT_DAY;
	refused("leaf 1 does not verify: not-yet-valid");
	end();
}

/* As if the root keys had certified us until then. */
static void outlive(int64_t days)
{
	site->cert.expires = site->cert.members[0].not_after = KIT_NOW + days * KIT_DAY;
}

Test(publish_checks, a_withdrawn_address_is_not_listed)
{
	struct publish_tombstone t = {.state = TOMBSTONE_RETIRED, .since = KIT_NOW};
	char addr[ONION_ADDR_LEN + 1];

	begin();
	kit_onion(1, NULL, addr);
	t.address = addr;
	list.l.tombstones = &t;
	list.l.n_tombstones = 1;
	refused("leaf 1 does not verify: retired");
	t.state = TOMBSTONE_REVOKED;
	refused("leaf 1 does not verify: revoked");
	list.l.n_tombstones = 0;
	publication_free(list_make(&list, site));
	end();
}

Test(publish_checks, nothing_is_made_once_the_site_or_a_proof_ran_out)
{
	begin();
	list.l.now = KIT_NOW + 36 * KIT_DAY - 1;
	publication_free(list_make(&list, site));
	list.l.now = KIT_NOW + 36 * KIT_DAY;
	refused("members.json ran out");
	list.l.now = KIT_NOW + 355 * KIT_DAY;
	refused("root document ran out");
	kit.members.doc.members[0].not_after = KIT_NOW + KIT_DAY;
	publish_site_free(site);
	site = place_load();
	list.l.now = KIT_NOW + KIT_DAY;
	refused("the certificate of member alpha ran out");
	outlive(100);
	list.l.now = KIT_NOW + 90 * KIT_DAY;
	refused("leaf 1 does not verify: expired");
	end();
}

Test(publish_checks, a_head_lives_as_long_as_the_root_allows_and_never_longer_than_a_week)
{
	static const struct {
		uint64_t limit;
		int fresh, valid;
	} t[] = {{1, 1, 1}, {12, 12, 12}, {48, 24, 48}, {168, 24, 168}, {1000, 24, 168}};
	struct doc_head *h = &kit.heads[0].doc;
	struct publication *p;
	size_t i;

	for (i = 0; i < sizeof t / sizeof t[0]; i++) {
		kit.roots[0].doc.limits.head_hours = t[i].limit;
		h->valid_until = h->fresh_until = h->issued + KIT_HOUR;
		begin();
		p = list_make(&list, site);
		cr_expect_eq(p->head.fresh_until, KIT_NOW + t[i].fresh * KIT_HOUR, "%zu", i);
		cr_expect_eq(p->head.valid_until, KIT_NOW + t[i].valid * KIT_HOUR, "%zu", i);
		cr_expect_eq(publication_valid_until(p), p->head.valid_until);
		publication_free(p);
		end();
	}
}

/* How many hashes of `first` a head made `days` later still has. */
static size_t kept(const struct publication *first, int days)
{
	struct publication *p;
	size_t i, n = 0;

	list.l.now = KIT_NOW + days * KIT_DAY;
	p = list_make(&list, site);
	for (i = 0; i < first->head.n_leaves; i++)
		n += doc_leaves_have((const uint8_t(*)[DOC_HASH_LEN])p->head.leaves,
		    p->head.n_leaves, first->head.leaves[i]);
	publication_free(p);
	return n;
}

/* A leaf is renewed after 45 days: decoys that stayed longer would be known by it. */
Test(publish_checks, decoys_live_as_long_as_leaves_do)
{
	struct publication *first;

	begin();
	outlive(60);
	list.l.now = KIT_NOW;
	first = list_make(&list, site);
	cr_expect_eq(first->head.n_leaves, 16);
	cr_expect_eq(kept(first, 0), 16);
	cr_expect_geq(kept(first, 1), 13, "in a day hardly any goes");
	cr_expect_lt(kept(first, 20), 16);
	cr_expect_gt(kept(first, 20), 1, "not all at once");
	cr_expect_eq(kept(first, 45), 1, "only the leaf, which was not renewed here");
	publication_free(first);
	end();
}

Test(publish_checks, the_page_says_the_times_in_words)
{
	char *page;

	begin();
	list_publish(&list, site, 200);
	page = place_read(place_path("pub/public/current/index.html"), NULL);
	cr_assert_not_null(page);
	cr_expect_not_null(strstr(page, "Serial 200."));
	cr_expect_not_null(strstr(page, "Good until <strong>30 November 2026, 12:00 UTC</strong>, 7 days after it was signed."));
	cr_expect_not_null(strstr(page, "Signed 23 November 2026, 12:00 UTC. A newer one follows before 24 November 2026, 12:00 UTC:"));
	cr_expect_not_null(strstr(page, "Run by member alpha. Its own key vouches for it from 23 November 2026 until 21 February 2027."));
	free(page);
	end();
}

static void revoke_by_file(const char *addr)
{
	FILE *f = fopen(place_path("site/revoked"), "w");
	struct timespec when[2] = {{.tv_sec = KIT_NOW - 60}, {.tv_sec = KIT_NOW - 60}};

	cr_assert_not_null(f);
	cr_assert_gt(fprintf(f, "%s.onion\n", addr), 0);
	cr_assert_eq(fclose(f), 0);
	cr_assert_eq(utimensat(AT_FDCWD, place_path("site/revoked"), when, 0), 0);
}

Test(publish_checks, addresses_of_the_file_revoked_are_called_revoked_until_their_proofs_ended)
{
	static const struct {
		int64_t days;
		size_t tombstones;
	} t[] = {{0, 1}, {29, 1}, {31, 0}};
	char addr[ONION_ADDR_LEN + 1];
	struct publish_tombstone softer = {addr, TOMBSTONE_RETIRED, KIT_NOW};
	uint8_t hash[DOC_HASH_LEN], key[64];
	struct publication *p;
	struct publish_site *s;
	struct doc_head h;
	struct list l;
	size_t i;

	kit.roots[0].doc.limits.possession_days = 30;
	place_site();
	kit_onion(9, NULL, addr);
	revoke_by_file(addr);
	doc_tombstone_hash(hash, addr);
	s = place_load();
	for (i = 0; i < sizeof t / sizeof t[0]; i++) {
		list_init(&l, s, 1, 1, 500);
		l.l.now = KIT_NOW + t[i].days * KIT_DAY;
		l.l.tombstones = &softer;
		l.l.n_tombstones = t[i].tombstones; /* known to the state as well: each once, and not softened */
		free(l.leaves[0]);
		kit_onion(1, key, addr);
		cr_assert_eq(publish_leaf_make(&l.leaves[0], s, key, addr, 80, false, "mirror", l.l.now, NULL), 0);
		l.entries[0].leaf = l.leaves[0];
		kit_onion(9, NULL, addr);
		p = list_make(&l, s);
		memset(&h, 0, sizeof h);
		cr_assert_eq(doc_head_parse(&h, publication_head(p), strlen(publication_head(p)), kit.site, NULL), DOC_OK);
		cr_assert_eq(h.n_tombstones, t[i].tombstones, "after %d days", (int)t[i].days);
		if (h.n_tombstones > 0) {
			cr_expect_arr_eq(h.tombstones[0].h, hash, sizeof hash);
			cr_expect_eq(h.tombstones[0].state, DOC_STATE_REVOKED);
		}
		doc_head_free(&h);
		publication_free(p);
		list_free(&l);
	}
	publish_site_free(s);
}
