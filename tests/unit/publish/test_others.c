/* SPDX-License-Identifier: BSD-3-Clause */
/* Lists of other members beside ours: the newest good one of each, and nothing that would spoil ours. */
#include "config.h"
#include "place.h"

#include <criterion/criterion.h>
#include <onionmirror/onionmirror.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define OURS 2 /* onions 1 and 2 */

static struct publish_site *site;
static struct list ours;
static char faults[4096];

/* Beta's bundle as it would come from beta, under a name in the folder. */
static void drop(const char *name)
{
	FILE *f;

	kit_build(&kit);
	mkdir(place_path("bundles"), 0700);
	f = fopen(place_path("bundles/%s", name), "wb");
	cr_assert_not_null(f);
	cr_assert_eq(fwrite(kit.bundle, 1, kit.len, f), kit.len);
	cr_assert_eq(fclose(f), 0);
}

static void setup(void)
{
	place_setup();
	kit_add_member(&kit, "beta", 12);
	kit_add_leaf(&kit, 30);
	kit.heads[0].leaves = 3;
	kit.heads[1].leaves = 4;
	site = place_load();
	list_init(&ours, site, OURS, 1, 0);
	faults[0] = '\0';
}

static void teardown(void)
{
	list_free(&ours);
	publish_site_free(site);
	place_teardown();
}

TestSuite(publish_others, .init = setup, .fini = teardown);

/* Publishes ours with what the folder holds; what was left out is in `faults`. */
static void publish(uint64_t serial)
{
	struct publish_others *others = NULL;
	struct buf told = BUF_INIT(65536);
	struct err e = ERR_INIT;

	cr_assert_eq(publish_others_load(&others, site, place,
			 place_path("pub/public/current/bundle.json"), &ours.l, &told, &e),
	    0, "%s", e.msg);
	snprintf(faults, sizeof faults, "%s", buf_str(&told));
	buf_free(&told);
	ours.l.others = others;
	list_publish(&ours, site, serial);
	ours.l.others = NULL;
	publish_others_free(others);
}

struct view {
	om_reason beta;
	uint64_t serial;
	size_t mirrors;
};

/* What a stranger makes of our bundle; it must verify. */
static struct view look(void)
{
	struct view v = {0};
	om_site *s = NULL;
	om_error e = {0};
	size_t n, i;
	char *text = place_read(place_path("pub/public/current/bundle.json"), &n);

	cr_assert_eq(om_site_open(&s, kit.site_id, &e), 0);
	cr_assert_eq(om_site_feed_bundle(s, text, n, KIT_NOW + 600, &e), 0, "%s: %s",
	    om_reason_name(e.reason), e.detail);
	for (i = 0; om_site_member(s, i) != NULL; i++)
		if (strcmp(om_member_name(om_site_member(s, i)), "beta") == 0) {
			v.beta = om_member_status(om_site_member(s, i));
			v.serial = om_member_serial(om_site_member(s, i));
		}
	v.mirrors = om_site_mirror_count(s);
	om_site_close(s);
	free(text);
	return v;
}

#define expect_view(reason, number, count)                                         \
	do {                                                                       \
		struct view v_ = look();                                           \
		cr_expect_eq(v_.beta, reason, "beta is %s", om_reason_name(v_.beta)); \
		cr_expect_eq(v_.serial, (uint64_t)(number));                       \
		cr_expect_eq(v_.mirrors, (size_t)(count), "%zu", v_.mirrors);      \
	} while (0)
#define expect_told(text) cr_expect_not_null(strstr(faults, text), "%s", faults)

Test(publish_others, the_head_and_the_addresses_of_another_member_are_carried)
{
	char addr[ONION_ADDR_LEN + 1], *text;

	drop("beta.json");
	publish(500);
	cr_expect_str_empty(faults);
	expect_view(OM_OK, 100, 3);
	kit_onion(30, NULL, addr);
	text = place_read(place_path("pub/public/current/mirrors.txt"), NULL);
	cr_expect_not_null(strstr(text, addr));
	free(text);
	text = place_read(place_path("pub/public/current/head-beta.json"), NULL);
	cr_expect_str_eq(text, kit.heads[1].out.text);
	free(text);
	text = place_read(place_path("pub/public/current/leaf-%s.onion.json", addr), NULL);
	cr_expect_str_eq(text, kit.leaves[2].out.text);
	free(text);
}

Test(publish_others, the_page_says_whose_each_address_is)
{
	char *page, addr[ONION_ADDR_LEN + 1], *ours_at, *theirs_at;

	drop("beta.json");
	publish(100);
	page = place_read(place_path("pub/public/current/index.html"), NULL);
	kit_onion(1, NULL, addr);
	ours_at = strstr(page, addr);
	kit_onion(30, NULL, addr);
	theirs_at = strstr(page, addr);
	cr_assert(ours_at != NULL && theirs_at != NULL && ours_at < theirs_at);
	cr_expect(strstr(ours_at, "Run by member alpha") != NULL && strstr(ours_at, "Run by member alpha") < theirs_at);
	cr_expect(strstr(theirs_at, "Run by member beta") != NULL);
	cr_expect(strstr(page, "<dt>Member alpha") != NULL && strstr(page, "<dt>Member beta") != NULL);
	free(page);
}

Test(publish_others, without_a_head_a_member_is_missing_and_that_is_told)
{
	publish(500);
	expect_told("member beta has no head that readers would take");
	expect_view(OM_MISSING, 0, 2);
}

Test(publish_others, the_newest_head_wins_and_an_older_file_never_goes_back)
{
	drop("a.json");
	kit.heads[1].doc.serial = 120;
	kit.heads[1].doc.prev_serial = 110;
	drop("b.json");
	publish(500);
	expect_view(OM_OK, 120, 3);
	/* The newer file is gone: what we showed last still counts. */
	unlink(place_path("bundles/b.json"));
	publish(501);
	cr_expect_str_empty(faults);
	expect_view(OM_OK, 120, 3);
}

Test(publish_others, two_histories_of_a_member_are_told_and_the_known_one_stays)
{
	drop("a.json");
	publish(500);
	kit.heads[1].doc.fresh_until -= KIT_HOUR;
	drop("a.json");
	publish(501);
	expect_told("fork");
	expect_view(OM_OK, 100, 3);
}

Test(publish_others, whatever_else_lies_in_the_folder_does_no_harm)
{
	static const char junk[] = "{\"type\":\"onionmirror/bundle/1\"}\n";
	FILE *f;

	drop("beta.json");
	f = fopen(place_path("bundles/junk.json"), "w");
	cr_assert_gt(fputs(junk, f), 0);
	fclose(f);
	cr_assert_eq(symlink("/dev/zero", place_path("bundles/zero.json")), 0);
	cr_assert_eq(mkdir(place_path("bundles/folder.json"), 0700), 0);
	fclose(fopen(place_path("bundles/notes.txt"), "w"));
	publish(500);
	expect_told("junk.json: malformed");
	expect_told("zero.json: ");
	expect_told("folder.json: ");
	cr_expect_null(strstr(faults, "notes.txt"));
	expect_view(OM_OK, 100, 3);
}

Test(publish_others, a_head_that_readers_would_refuse_is_left_out)
{
	static const unsigned foreign[] = {13};
	struct kit_signers right = kit.heads[1].signers;

	kit_signers(&kit.heads[1].signers, 1, foreign);
	drop("beta.json");
	publish(500);
	expect_told("beta.json: a head is left out: bad-signature");
	expect_view(OM_MISSING, 0, 2);
	kit.heads[1].signers = right;
	kit.heads[1].doc.issued = KIT_NOW - 9 * KIT_DAY;
	kit.heads[1].doc.fresh_until = KIT_NOW - 8 * KIT_DAY;
	kit.heads[1].doc.valid_until = KIT_NOW - 2 * KIT_DAY;
	drop("beta.json");
	publish(501);
	expect_told("expired");
	expect_view(OM_MISSING, 0, 2);
}

Test(publish_others, only_the_signature_that_counts_is_handed_on)
{
	static const unsigned keys[] = {13, 14, 12, 15};
	char line[96], *sig;

	kit_signers(&kit.heads[1].signers, 4, keys);
	drop("beta.json");
	publish(500);
	expect_view(OM_OK, 100, 3);
	sig = place_read(place_path("pub/public/current/head-beta.json.minisig"), NULL);
	cr_expect_str_eq(sig, kit.heads[1].out.sigs[2]);
	free(sig);
	sig = place_read(place_path("pub/public/current/bundle.json"), NULL);
	snprintf(line, sizeof line, "%.90s", strchr(kit.heads[1].out.sigs[0], '\n') + 1);
	cr_expect_null(strstr(sig, line));
	free(sig);
}

Test(publish_others, a_head_of_another_members_document_than_ours_is_left_out)
{
	kit.members.doc.seq = 2;
	drop("beta.json");
	publish(500);
	expect_told("mismatch");
	expect_view(OM_MISSING, 0, 2);
}

Test(publish_others, nobody_withdraws_our_addresses)
{
	struct doc_tombstone t = {.state = DOC_STATE_REVOKED, .since = KIT_NOW - KIT_DAY};
	char addr[ONION_ADDR_LEN + 1];

	drop("a.json");
	drop("c.json");
	kit_onion(1, NULL, addr);
	doc_tombstone_hash(t.h, addr);
	kit.heads[1].doc.tombstones = &t;
	kit.heads[1].doc.n_tombstones = 1;
	kit.heads[1].doc.serial = 120;
	kit.heads[1].doc.prev_serial = 110;
	drop("b.json");
	publish(500);
	expect_told("withdraws an address that we list");
	/* An older head of beta's would be a rollback to who has seen this one. */
	expect_view(OM_MISSING, 0, 2);
}

Test(publish_others, an_address_that_we_withdrew_is_not_handed_out_for_another_member)
{
	char addr[ONION_ADDR_LEN + 1];
	struct publish_tombstone t = {addr, TOMBSTONE_REVOKED, KIT_NOW};

	kit_onion(30, NULL, addr);
	ours.l.tombstones = &t;
	ours.l.n_tombstones = 1;
	drop("beta.json");
	publish(500);
	expect_told("1 addresses of other members are left out");
	expect_view(OM_OK, 100, 2);
}

Test(publish_others, a_leaf_that_would_spoil_the_bundle_is_left_out)
{
	/* A proof by another key, and an address that is ours: both listed by beta. */
	kit.leaves[2].signer = 31;
	kit_add_leaf(&kit, 1);
	kit.heads[0].leaves = 3;
	kit.heads[1].leaves = 4 | 8;
	drop("beta.json");
	publish(500);
	expect_told("1 addresses of other members are left out");
	expect_view(OM_OK, 100, 2);
}

Test(publish_others, our_own_head_in_somebody_elses_copy_is_passed_over)
{
	kit.heads[0].doc.serial = 900;
	drop("beta.json");
	publish(500);
	cr_expect_str_empty(faults);
	expect_view(OM_OK, 100, 3);
}

/* --- other sites ----------------------------------------------------------------------------- */

/* The bundle of another site, and its id. */
static void make_peer(struct kit *k)
{
	kit_init(k);
	snprintf(k->roots[0].doc.name, sizeof k->roots[0].doc.name, "A peer");
	k->heads[0].doc.serial = 77;
	kit_build(k);
}

static void put_peer(const char *name, const struct kit *k)
{
	FILE *f;

	mkdir(place_path("peers"), 0700);
	f = fopen(place_path("peers/%s.json", name), "wb");
	cr_assert_eq(fwrite(k->bundle, 1, k->len, f), k->len);
	cr_assert_eq(fclose(f), 0);
}

static struct doc_head our_head(void)
{
	struct doc_head h;
	size_t n;
	char *text = place_read(place_path("pub/public/current/head.json"), &n);

	cr_assert_eq(doc_head_parse(&h, text, n, kit.site, NULL), DOC_OK);
	free(text);
	return h;
}

Test(publish_others, a_pinned_site_is_cross_referenced)
{
	uint8_t hash[DOC_HASH_LEN];
	struct doc_head h;
	struct kit peer;

	make_peer(&peer);
	put_peer(peer.site_id, &peer);
	drop("beta.json");
	publish(500);
	cr_expect_str_empty(faults);
	h = our_head();
	cr_assert_eq(h.n_peers, 1);
	cr_expect_arr_eq(h.peers[0].site, peer.site, DOC_HASH_LEN);
	cr_expect_arr_eq(h.peers[0].root_sha256, peer.site, DOC_HASH_LEN, "root 1 is its newest");
	doc_hash(hash, peer.heads[0].out.text, peer.heads[0].out.len);
	cr_expect_arr_eq(h.peers[0].head_sha256, hash, DOC_HASH_LEN);
	cr_expect_eq(h.peers[0].serial, 77);
	cr_expect_eq(h.peers[0].epoch, 1);
	cr_expect_str_eq(h.peers[0].member, "alpha");
	doc_head_free(&h);
	expect_view(OM_OK, 100, 3);
	kit_free(&peer);
}

Test(publish_others, a_peer_that_does_not_verify_under_its_name_is_told_and_left_out)
{
	struct doc_head h;
	struct kit peer;

	drop("beta.json");
	make_peer(&peer);
	put_peer("om1aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", &peer);
	put_peer("friends", &peer);
	put_peer(kit.site_id, &kit);
	publish(500);
	expect_told("om1aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.json: wrong-site");
	expect_told("friends.json: the name of a peer's file is its site id");
	expect_told("this is our own site");
	h = our_head();
	cr_expect_eq(h.n_peers, 0);
	doc_head_free(&h);
	kit_free(&peer);
}
