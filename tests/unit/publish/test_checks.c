/* SPDX-License-Identifier: BSD-3-Clause */
/* What readers would refuse must not be made, and what must not be told apart isn't. */
#include "config.h"
#include "place.h"

#include "publish/publish_impl.h"

#include <criterion/criterion.h>
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
	cr_expect_not_null(strstr(page, "Serial 200, signed by member alpha."));
	cr_expect_not_null(strstr(page, "Issued 23 November 2026, 12:00 UTC, valid until 30 November 2026, 12:00 UTC."));
	free(page);
	end();
}
