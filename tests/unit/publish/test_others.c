/* SPDX-License-Identifier: BSD-3-Clause */
/* Lists of other members beside ours: the newest good one of each, and nothing that would spoil ours. */
#include "config.h"
#include "place.h"
#include "proto/minisign.h"
#include "publish/publish_impl.h"
#include "support/tree.h"

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
static struct publish_memory *memory;

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
	memory = publish_memory_new();
	faults[0] = '\0';
}

static void teardown(void)
{
	list_free(&ours);
	publish_memory_free(memory);
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
			 place_path("pub/public/current/bundle.json"), &ours.l, memory, &told, &e),
	    0, "%s", e.msg);
	snprintf(faults, sizeof faults, "%s", buf_str(&told));
	buf_free(&told);
	ours.l.others = others;
	list_publish(&ours, site, serial);
	ours.l.others = NULL;
	publish_others_free(others);
}

/* The memory through the state, as at a restart. */
static struct publish_memory *fresh;

static int put_row(uint64_t id, const char *text, size_t n, void *arg, struct err *e)
{
	cr_expect_gt(id, 0);
	cr_expect_lt(n, 1024 * 1024);
	(*(unsigned *)arg)++;
	return publish_memory_take(fresh, text, n, e);
}

static unsigned restart(void)
{
	struct err e = ERR_INIT;
	unsigned rows = 0;

	fresh = publish_memory_new();
	cr_assert_eq(publish_memory_save(memory, put_row, &rows, &e), 0, "%s", e.msg);
	publish_memory_free(memory);
	memory = fresh;
	return rows;
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

static void
withdraw_by_beta(unsigned onion)
{
	static struct doc_tombstone t = {.state = DOC_STATE_REVOKED, .since = KIT_NOW - KIT_DAY};
	char addr[ONION_ADDR_LEN + 1];

	kit_onion(onion, NULL, addr);
	doc_tombstone_hash(t.h, addr);
	kit.heads[1].doc.tombstones = &t;
	kit.heads[1].doc.n_tombstones = 1;
}

Test(publish_others, nobody_withdraws_our_addresses)
{
	drop("a.json");
	drop("c.json");
	withdraw_by_beta(1);
	kit.heads[1].doc.serial = 120;
	kit.heads[1].doc.prev_serial = 110;
	drop("b.json");
	publish(500);
	expect_told("withdraws an address that is ours");
	/* An older head of beta's would be a rollback to who has seen this one. */
	expect_view(OM_MISSING, 0, 2);
}

Test(publish_others, nobody_withdraws_an_address_that_we_may_list_again)
{
	char addr[ONION_ADDR_LEN + 1];
	const char *down = addr;

	kit_onion(9, NULL, addr);
	ours.l.ours = &down;
	ours.l.n_ours = 1;
	withdraw_by_beta(9);
	drop("b.json");
	publish(500);
	expect_told("withdraws an address that is ours");
	expect_view(OM_MISSING, 0, 2);
	/* It is ours no longer. */
	ours.l.n_ours = 0;
	publish(501);
	expect_view(OM_OK, 100, 3);
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
	expect_told("1 addresses of member beta are left out");
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
	expect_told("1 addresses of member beta are left out");
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

/* --- what is remembered ------------------------------------------------------------------------ */

/* Beta's head under that serial, in its bundle. */
static void drop_serial(const char *name, uint64_t serial)
{
	kit.heads[1].doc.serial = serial;
	kit.heads[1].doc.prev_serial = serial - 1;
	drop(name);
}

Test(publish_others, an_older_head_is_never_handed_on_though_the_visible_list_was_lost)
{
	drop_serial("b.json", 120);
	publish(500);
	expect_view(OM_OK, 120, 3);
	cr_expect_eq(restart(), 1);
	/* A channel was renamed, or beta could not be carried for once; and the file that is there is an old one. */
	tree_remove(place_path("pub"));
	unlink(place_path("bundles/b.json"));
	drop_serial("a.json", 100);
	publish(501);
	expect_told("member beta has no head that readers would take: to them it is missing; older ones than 120 are not handed on");
	expect_view(OM_MISSING, 0, 2);
	cr_expect_eq(restart(), 0, "nothing new was seen");
}

Test(publish_others, a_spoiled_head_is_remembered_when_its_file_is_gone)
{
	drop_serial("a.json", 100);
	withdraw_by_beta(1);
	drop_serial("b.json", 120);
	publish(500);
	expect_view(OM_MISSING, 0, 2);
	unlink(place_path("bundles/b.json"));
	publish(501);
	expect_view(OM_MISSING, 0, 2);
	kit.heads[1].doc.n_tombstones = 0;
	drop_serial("c.json", 130);
	publish(502);
	expect_view(OM_OK, 130, 3);
}

Test(publish_others, what_a_member_once_withdrew_stays_withdrawn_for_the_epoch)
{
	withdraw_by_beta(30);
	drop_serial("a.json", 100);
	publish(500);
	expect_view(OM_OK, 100, 2);
	restart();
	/* A reader who has seen that head refuses a list with the address, whatever the next head says. */
	kit.heads[1].doc.n_tombstones = 0;
	drop_serial("a.json", 120);
	publish(501);
	expect_told("1 addresses of member beta are left out: retired");
	expect_view(OM_OK, 120, 2);
}

Test(publish_others, a_member_with_a_new_key_starts_anew)
{
	drop_serial("a.json", 120);
	publish(500);
	kit.members.keys[1] = 14;
	kit.members.doc.seq++;
	kit_signers(&kit.heads[1].signers, 1, &kit.members.keys[1]);
	publish_site_free(site);
	site = place_load();
	drop_serial("a.json", 7);
	publish(501);
	expect_view(OM_OK, 7, 3);
	cr_expect_eq(restart(), 2, "the old key's memory stays, should it come back");
}

Test(publish_others, a_row_that_is_none_is_refused)
{
	static const char *const rows[] = {"", "{}", "[]", "{\"member\":\"beta\"}",
	    "{\"epoch\":1,\"key\":\"00\",\"member\":\"beta\",\"serial\":1,\"sha256\":\"00\",\"withdrawn\":[]}"};
	struct err e;
	size_t i;

	for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		err_clear(&e);
		cr_expect_eq(publish_memory_take(memory, rows[i], strlen(rows[i]), &e), -1, "%s", rows[i]);
		cr_expect_eq(e.code, ERR_STATE);
	}
}

/* --- shares ------------------------------------------------------------------------------------ */

/* Documents of a member that means harm. */
struct crowd {
	char **texts;
	struct doc_text *leaves;
	uint8_t (*hashes)[DOC_HASH_LEN];
	size_t n;
	char *head, *sig;
};
static size_t first_tombstone; /* of a crowd: their hashes are counted through */

/* `n` leaves, each filled up to `size` bytes, and the head of beta that lists them with `n_tombstones` more. */
static void crowd_make(struct crowd *c, size_t n, size_t size, size_t n_tombstones)
{
	static uint8_t zero[1][DOC_HASH_LEN];
	char addr[ONION_ADDR_LEN + 1], comment[DOC_COMMENT_MAX], *text;
	struct doc_head h = kit.heads[1].doc;
	uint8_t key[64], sk[64], hash[DOC_HASH_LEN];
	struct err e = ERR_INIT;
	size_t i, len;

	*c = (struct crowd){.texts = calloc(n, sizeof *c->texts), .leaves = calloc(n, sizeof *c->leaves), .hashes = calloc(n, sizeof *c->hashes), .n = n};
	for (i = 0; i < n; i++) {
		kit_onion(100 + (unsigned)i, key, addr);
		cr_assert_eq(publish_leaf_make(&text, site, key, addr, 80, false, "mirror", KIT_NOW, &e), 0);
		len = strlen(text);
		if (size > len + 9) {
			text = realloc(text, size + 1);
			memcpy(text + len - 2, ",\"zz\":\"", 7);
			memset(text + len + 5, 'z', size - len - 8);
			memcpy(text + size - 3, "\"}\n", 4);
			len = size;
		}
		c->texts[i] = text;
		c->leaves[i] = (struct doc_text){text, len};
		doc_hash(c->hashes[i], text, len);
	}
	memcpy(h.site, kit.site, sizeof h.site);
	h.root_version = 1;
	h.members_seq = kit.members.doc.seq;
	doc_hash(h.members_sha256, kit.members.out.text, kit.members.out.len);
	h.tombstones = calloc(n_tombstones + 1, sizeof *h.tombstones);
	h.n_tombstones = n_tombstones;
	for (i = 0; i < n_tombstones; i++) {
		len = first_tombstone + i;
		h.tombstones[i] = (struct doc_tombstone){.state = DOC_STATE_RETIRED, .since = KIT_NOW};
		memcpy(h.tombstones[i].h, &len, sizeof len);
	}
	cr_assert_eq(doc_leaves_pad(&h.leaves, &h.n_leaves, (const uint8_t(*)[DOC_HASH_LEN])c->hashes, n,
			 (const uint8_t(*)[DOC_HASH_LEN])zero, 0, &e),
	    0, "%s", e.msg);
	cr_assert_eq(doc_head_write(&c->head, &len, &h, &e), 0, "%s", e.msg);
	doc_hash(hash, c->head, len);
	doc_head_comment(comment, &h, hash);
	kit_key(12, sk, NULL);
	cr_assert_eq(minisign_sign(&c->sig, sk, NULL, c->head, len, comment, NULL, &e), 0);
	free(h.leaves);
	free(h.tombstones);
}

/* A bundle with leaves from..to of it. */
static void crowd_drop(const struct crowd *c, const char *name, size_t from, size_t to)
{
	struct doc_text sig = {c->sig, strlen(c->sig)}, sigs[2][KIT_SIGNERS];
	struct doc_signed head = {.doc = {c->head, strlen(c->head)}, .sigs = &sig, .n_sigs = 1};
	struct doc_signed root = kit_signed(&kit.roots[0].out, sigs[0]);
	struct doc_bundle b = {.roots = &root, .n_roots = 1, .members = kit_signed(&kit.members.out, sigs[1]),
	    .heads = &head, .n_heads = 1, .leaves = c->leaves + from, .n_leaves = to - from};
	struct err e = ERR_INIT;
	char *text;
	size_t n;

	mkdir(place_path("bundles"), 0700);
	cr_assert_eq(doc_bundle_write(&text, &n, &b, &e), 0, "%s", e.msg);
	cr_assert_eq(file_write(place_path("bundles/%s", name), text, n, 0644, &e), 0, "%s", e.msg);
	free(text);
}

static void crowd_free(struct crowd *c)
{
	size_t i;

	for (i = 0; i < c->n; i++)
		free(c->texts[i]);
	free(c->texts);
	free(c->leaves);
	free(c->hashes);
	free(c->head);
	free(c->sig);
}

/* Gamma is honest and has one address; its file comes after all of beta's. */
static void add_gamma(void)
{
	kit_add_member(&kit, "gamma", 13);
	kit.heads[1].leaves = 0;
	kit.heads[2].leaves = 4;
	publish_site_free(site);
	site = place_load();
	drop("gamma.json");
	unlink(place_path("bundles/gamma.json"));
}

/* How many addresses of beta's crowd are in our bundle, and whether gamma's is. */
static size_t crowd_in(const struct crowd *c, bool *gamma)
{
	size_t n = 0, i, k, len;
	struct doc_bundle b;
	char *text;
	struct err e = ERR_INIT;

	cr_assert_eq(file_read(place_path("pub/public/current/bundle.json"), DOC_BUNDLE_MAX, FILE_PUBLIC, &text, &len, &e), 0, "%s", e.msg);
	cr_assert_eq(doc_bundle_parse(&b, text, len, NULL), DOC_OK);
	*gamma = false;
	for (i = 0; i < b.n_leaves; i++) {
		*gamma = *gamma || strcmp(b.leaves[i].p, kit.leaves[2].out.text) == 0;
		for (k = 0; k < c->n; k++)
			n += c->leaves[k].len == b.leaves[i].len && memcmp(c->leaves[k].p, b.leaves[i].p, c->leaves[k].len) == 0;
	}
	cr_expect_eq(b.n_leaves, OURS + n + *gamma);
	doc_bundle_free(&b);
	free(text);
	return n;
}

static void put_gamma(void)
{
	struct doc_text sigs[2][KIT_SIGNERS], hsigs[KIT_SIGNERS], leaf = {kit.leaves[2].out.text, kit.leaves[2].out.len};
	struct doc_signed root = kit_signed(&kit.roots[0].out, sigs[0]), head = kit_signed(&kit.heads[2].out, hsigs);
	struct doc_bundle b = {.roots = &root, .n_roots = 1, .members = kit_signed(&kit.members.out, sigs[1]),
	    .heads = &head, .n_heads = 1, .leaves = &leaf, .n_leaves = 1};
	struct err e = ERR_INIT;
	char *text;
	size_t n;

	cr_assert_eq(doc_bundle_write(&text, &n, &b, &e), 0, "%s", e.msg);
	cr_assert_eq(file_write(place_path("bundles/gamma.json"), text, n, 0644, &e), 0, "%s", e.msg);
	free(text);
}

Test(publish_others, padded_leaves_of_one_member_crowd_out_nobody, .timeout = 60)
{
	struct crowd c;
	size_t first;
	bool gamma;

	add_gamma();
	crowd_make(&c, 600, 8000, 7000);
	crowd_drop(&c, "b1.json", 0, 300);
	crowd_drop(&c, "b2.json", 300, 600);
	put_gamma();
	publish(500);
	first = crowd_in(&c, &gamma);
	cr_expect(gamma);
	cr_expect(first > 380 && first < 450, "%zu: what is free is used", first);
	cr_expect_not_null(strstr(faults, "addresses of member beta are left out: they are more than its share"), "%s", faults);
	cr_expect_null(strstr(faults, "gamma"), "%s", faults);
	/* The same ones stay out, in whatever order they come. */
	unlink(place_path("bundles/b1.json"));
	unlink(place_path("bundles/b2.json"));
	crowd_drop(&c, "a.json", 150, 450);
	crowd_drop(&c, "b.json", 0, 150);
	crowd_drop(&c, "c.json", 450, 600);
	publish(501);
	cr_expect_eq(crowd_in(&c, &gamma), first);
	cr_expect(gamma);
	crowd_free(&c);
}

Test(publish_others, many_leaves_of_one_member_crowd_out_nobody, .timeout = 60)
{
	struct crowd c;
	bool gamma;

	add_gamma();
	crowd_make(&c, 1100, 0, 0);
	crowd_drop(&c, "b.json", 0, 1100);
	put_gamma();
	publish(500);
	cr_expect_eq(crowd_in(&c, &gamma), 1024);
	cr_expect(gamma);
	expect_told("76 addresses of member beta are left out: they are more than its share");
	crowd_free(&c);
}

Test(publish_others, a_member_that_withdraws_more_than_can_be_remembered_is_left_out, .timeout = 60)
{
	struct crowd c;
	bool gamma;

	add_gamma();
	put_gamma();
	crowd_make(&c, 1, 0, 8500);
	crowd_drop(&c, "b.json", 0, 1);
	publish(500);
	cr_expect_eq(crowd_in(&c, &gamma), 1, "%s", faults);
	cr_expect_str_empty(faults);
	kit.heads[1].doc.prev_serial = kit.heads[1].doc.serial++;
	doc_hash(kit.heads[1].doc.prev_sha256, c.head, strlen(c.head));
	crowd_free(&c);
	cr_expect_eq(restart(), 2);

	/* Readers remember all of it for the epoch: were some forgotten here, a leaf of gamma might spoil our list. */
	first_tombstone = 8500;
	crowd_make(&c, 1, 0, 8500);
	crowd_drop(&c, "b.json", 0, 1);
	publish(501);
	first_tombstone = 0;
	cr_expect_eq(crowd_in(&c, &gamma), 0);
	cr_expect(gamma);
	expect_told("beta withdrew more than 14000 addresses in this epoch");
	expect_told("member beta has no head that readers would take");
	crowd_free(&c);
}

Test(publish_others, equal_shares_and_what_one_does_not_need_is_the_others)
{
	static const struct {
		size_t room, wants[4], shares[4];
	} t[] = {{100, {10, 20, 30}, {10, 20, 30}}, {100, {10, 200, 300}, {10, 45, 45}},
	    {100, {1000, 0, 25, 25}, {50, 0, 25, 25}}, {100, {34, 33, 33}, {34, 33, 33}},
	    {99, {34, 33, 40}, {33, 33, 33}}, {0, {1, 2, 3}, {0, 0, 0}}, {7, {50, 50, 50, 50}, {1, 2, 2, 2}}};
	size_t i, k, wants[DOC_MEMBER_MAX], shares[DOC_MEMBER_MAX];

	for (i = 0; i < sizeof t / sizeof t[0]; i++) {
		memset(wants, 0, sizeof wants);
		memcpy(wants, t[i].wants, sizeof t[i].wants);
		share_out(shares, wants, t[i].room);
		for (k = 0; k < 4; k++)
			cr_expect_eq(shares[k], t[i].shares[k], "row %zu, %zu: %zu", i, k, shares[k]);
	}
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

Test(publish_others, of_a_pinned_site_only_the_first_heads_are_repeated_so_that_ours_stays_small)
{
	struct doc_head h;
	struct kit peer;
	char name[16];
	unsigned i;

	kit_init(&peer);
	snprintf(peer.roots[0].doc.name, sizeof peer.roots[0].doc.name, "A peer");
	for (i = 2; i <= 18; i++) {
		snprintf(name, sizeof name, "m%u", i);
		kit_add_member(&peer, name, 100 + i);
	}
	kit_build(&peer);
	put_peer(peer.site_id, &peer);
	drop("beta.json");
	publish(500);
	expect_told("only the first 16 of its 18 heads are repeated");
	h = our_head();
	cr_assert_eq(h.n_peers, 16);
	cr_expect_str_eq(h.peers[0].member, "alpha");
	cr_expect_str_eq(h.peers[15].member, "m16");
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
