/* SPDX-License-Identifier: BSD-3-Clause */
/* The daemon under documents that change: other member key, new epoch, what runs out, what others publish. */
#include "config.h"
#include "unit/daemon/rig.h"

#include "base/file.h"
#include "proto/chain.h"
#include "proto/minisign.h"
#include "support/fakeclock.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DAY 86400

static struct rig r;
static struct minisign_seckey root_key;
static struct doc_root root;
static struct doc_members members;
static uint8_t root_hash[DOC_HASH_LEN];

static char *
read_text(const char *at, size_t *n)
{
	struct err e = ERR_INIT;
	char *text;

	cr_assert_eq(file_read(at, DOC_ROOT_MAX, FILE_PUBLIC, &text, n, &e), 0, "%s", e.msg);
	return text;
}

/* The ceremony of `init`, whose root key the test has. */
static void
start(void)
{
	char *text;
	size_t n;

	rig_init(&r, "");
	text = read_text(rig_path(&r, "keys/root-1.key"), &n);
	cr_assert_eq(minisign_seckey_parse(&root_key, text, n, NULL, 0, NULL), 0);
	free(text);
	text = read_text(rig_path(&r, "state/site/1.root.json"), &n);
	cr_assert_eq(doc_root_parse(&root, text, n, NULL, NULL), DOC_OK);
	doc_hash(root_hash, text, n);
	free(text);
	text = read_text(rig_path(&r, "state/site/members.json"), &n);
	cr_assert_eq(doc_members_parse(&members, text, n, NULL, NULL), DOC_OK);
	free(text);
}

static bool keep_keys; /* no file of a key can be removed */

/* In place of the C library's. */
int
unlink(const char *path)
{
	size_t n = strlen(path);

	if (keep_keys && n > 4 && strcmp(path + n - 4, ".key") == 0) {
		errno = EPERM;
		return -1;
	}
	return unlinkat(AT_FDCWD, path, 0);
}

static void
stop(void)
{
	rig_fini(&r);
	clock_set_source(NULL);
}

TestSuite(daemon_site, .init = start, .fini = stop);

static void
put_signed(const char *name, const char *text, size_t n, const char *comment)
{
	struct err e = ERR_INIT;
	char *sig;

	cr_assert_eq(minisign_sign(&sig, root_key.sk, NULL, text, n, comment, NULL, &e), 0, "%s", e.msg);
	cr_assert_eq(file_write(rig_path(&r, "state/site/%s", name), text, n, 0644, &e), 0, "%s", e.msg);
	cr_assert_eq(file_write(rig_path(&r, "state/site/%s.1.minisig", name), sig, strlen(sig), 0644, &e), 0, "%s", e.msg);
	free(sig);
}

static void
put_members(void)
{
	char comment[DOC_COMMENT_MAX], *text;
	uint8_t hash[DOC_HASH_LEN];
	struct err e = ERR_INIT;
	size_t n;

	cr_assert_eq(doc_members_write(&text, &n, &members, &e), 0, "%s", e.msg);
	doc_hash(hash, text, n);
	doc_members_comment(comment, &members, hash);
	put_signed("members.json", text, n, comment);
	free(text);
}

/* The next root, as `root` says. */
static void
put_next_root(void)
{
	char comment[DOC_COMMENT_MAX], name[32], *text;
	uint8_t hash[DOC_HASH_LEN];
	struct err e = ERR_INIT;
	size_t n;

	if (root.version == 1)
		memcpy(root.site, root_hash, sizeof root.site);
	memcpy(root.prev, root_hash, sizeof root.prev);
	root.version++;
	cr_assert_eq(doc_root_write(&text, &n, &root, &e), 0, "%s", e.msg);
	doc_hash(hash, text, n);
	memcpy(root_hash, hash, sizeof hash);
	doc_root_comment(comment, root.site, root.version, hash);
	snprintf(name, sizeof name, "%llu.root.json", (unsigned long long)root.version);
	put_signed(name, text, n, comment);
	free(text);
}

/* A key that waits for the daemon; its public half. */
static void
put_waiting_key(uint8_t pk[DOC_KEY_LEN])
{
	char text[MINISIGN_SECKEY_TEXT];
	struct minisign_seckey key;
	struct err e = ERR_INIT;

	cr_assert_eq(minisign_seckey_generate(&key, &e), 0);
	cr_assert_eq(minisign_seckey_format(text, &key, NULL, 0, NULL, &e), 0);
	cr_assert_eq(file_write(rig_path(&r, "state/import/member.key"), text, strlen(text), 0600, &e), 0, "%s", e.msg);
	memcpy(pk, key.sk + 32, DOC_KEY_LEN);
}

static int
reload(char faults[2048])
{
	struct buf b = BUF_INIT(65536);
	int ret = daemon_reload(&r.d, &b);

	snprintf(faults, 2048, "%s", buf_str(&b));
	buf_free(&b);
	return ret;
}

static void
open_listed(void)
{
	cr_assert(rig_open(&r), "%s", r.log);
	cr_assert(rig_run(&r, rig_is_listed), "%s", r.log);
}

/* The visible head; doc_head_free() it. */
static struct doc_head
visible_head(void)
{
	struct doc_head h;
	size_t n;
	char *text = read_text(rig_path(&r, "publish/public/current/head.json"), &n);

	cr_assert_eq(doc_head_parse(&h, text, n, NULL, NULL), DOC_OK);
	free(text);
	return h;
}

static bool
verifies(const uint8_t key[DOC_KEY_LEN])
{
	size_t n, m;
	char *text = read_text(rig_path(&r, "publish/public/current/head.json"), &n);
	char *sig = read_text(rig_path(&r, "publish/public/current/head.json.minisig"), &m);
	bool ok = minisign_verify(text, n, sig, m, key, NULL, NULL) == 0;

	free(text);
	free(sig);
	return ok;
}

static bool
status_says(const char *words)
{
	json_t *list = json_array(), *v;
	bool found = false;
	size_t i;

	alarms_add(&r.d, list);
	json_array_foreach(list, i, v)
		found = found || strstr(json_string_value(v), words) != NULL;
	json_decref(list);
	return found;
}

Test(daemon_site, a_waiting_key_is_taken_once_it_is_certified_and_not_before)
{
	uint8_t pk[DOC_KEY_LEN], old[DOC_KEY_LEN];
	struct doc_head before, after;
	char faults[2048];

	open_listed();
	before = visible_head();
	memcpy(old, members.members[0].key, sizeof old);
	put_waiting_key(pk);
	cr_expect_eq(reload(faults), 0, "%s", faults);
	cr_expect_not_null(strstr(r.log, "is not taken, the key in use stays"), "%s", r.log);
	cr_expect_eq(access(rig_path(&r, "state/import/member.key"), F_OK), 0, "it waits");
	cr_expect_arr_eq(r.d.member_sk + 32, old, sizeof old);

	memcpy(members.members[0].key, pk, sizeof pk);
	members.seq++;
	put_members();
	cr_expect_eq(reload(faults), 0, "%s", faults);
	cr_expect_eq(access(rig_path(&r, "state/import/member.key"), F_OK), -1, "taken, and removed");
	cr_expect(verifies(pk), "a list by the new key is out at once");
	after = visible_head();
	cr_expect_gt(after.serial, before.serial);
	cr_expect_eq(after.prev_serial, before.serial, "the chain goes on");
	cr_expect_eq(after.members_seq, members.seq);
	cr_assert_eq(after.n_leaves, before.n_leaves);
	cr_expect_arr_eq(after.leaves, before.leaves, before.n_leaves * DOC_HASH_LEN, "a new key tells leaves from decoys no better");
	doc_head_free(&after);
	doc_head_free(&before);
	/* And it stays so. */
	rig_close(&r);
	cr_expect(rig_open(&r), "%s", r.log);
	cr_expect_arr_eq(r.d.member_sk + 32, pk, sizeof pk);
}

Test(daemon_site, a_waiting_key_that_cant_be_read_keeps_no_daemon_from_starting_that_has_a_certified_one)
{
	uint8_t pk[DOC_KEY_LEN], old[DOC_KEY_LEN];
	char faults[2048];

	open_listed();
	memcpy(old, members.members[0].key, sizeof old);
	cr_expect_not(status_says("member.key"));
	rig_close(&r);
	cr_assert_eq(file_write(rig_path(&r, "state/import/member.key"), "half a k", 8, 0600, NULL), 0);
	r.log[0] = '\0';
	cr_assert(rig_open(&r), "%s", r.log);
	cr_expect_not_null(strstr(r.log, "is not taken, the key in use stays"), "%s", r.log);
	cr_expect_not_null(strstr(r.log, "ALARM member-key"), "%s", r.log);
	cr_expect(status_says("import/member.key is not taken, the key in use stays"));
	cr_expect_arr_eq(r.d.member_sk + 32, old, sizeof old);
	cr_expect_eq(access(rig_path(&r, "state/import/member.key"), F_OK), 0, "what can't be read is not destroyed");
	put_waiting_key(pk);
	cr_assert_eq(chmod(rig_path(&r, "state/import/member.key"), 0644), 0);
	cr_expect_eq(reload(faults), -1, "who asks for a reload is told at once, and nothing stops");
	cr_expect_not_null(strstr(faults, "readable or writable by others"), "%s", faults);
	cr_expect(status_says("readable or writable by others"));

	/* The documents certify another key: then nothing can be signed, and both reasons are told. */
	rig_close(&r);
	memcpy(members.members[0].key, pk, sizeof pk);
	members.seq++;
	put_members();
	r.log[0] = '\0';
	cr_expect_not(rig_open(&r));
	cr_expect_not_null(strstr(r.log, "readable or writable by others"), "%s", r.log);
	cr_expect_not_null(strstr(r.log, "does not certify this daemon's member key"), "%s", r.log);
	cr_assert_eq(chmod(rig_path(&r, "state/import/member.key"), 0600), 0);
	cr_assert(rig_open(&r), "%s", r.log);
	cr_expect_arr_eq(r.d.member_sk + 32, pk, sizeof pk);
	cr_expect_not(status_says("member.key"));
}

Test(daemon_site, a_key_whose_file_cant_be_removed_is_taken_all_the_same_and_that_is_told)
{
	uint8_t pk[DOC_KEY_LEN];
	char faults[2048];

	open_listed();
	put_waiting_key(pk);
	memcpy(members.members[0].key, pk, sizeof pk);
	members.seq++;
	put_members();
	keep_keys = true;
	cr_expect_eq(reload(faults), 0, "%s", faults);
	keep_keys = false;
	cr_expect_arr_eq(r.d.member_sk + 32, pk, sizeof pk);
	cr_expect_null(strstr(r.log, "not taken"), "%s", r.log);
	cr_expect_not_null(strstr(r.log, "taken into the sealed store, but"), "%s", r.log);
	cr_expect(status_says("was taken, but could not be removed"));
	/* It is whole, and the next time may have more luck. */
	cr_expect_eq(reload(faults), 0, "%s", faults);
	cr_expect_eq(access(rig_path(&r, "state/import/member.key"), F_OK), -1);
	cr_expect_not(status_says("member.key"));
}

Test(daemon_site, a_key_change_while_the_daemon_is_down_brings_a_new_list_at_the_start)
{
	uint8_t pk[DOC_KEY_LEN];
	uint64_t last;

	open_listed();
	last = r.d.serial;
	rig_close(&r);
	put_waiting_key(pk);
	memcpy(members.members[0].key, pk, sizeof pk);
	members.seq++;
	put_members();
	open_listed();
	cr_expect(verifies(pk));
	cr_expect_gt(r.d.serial, last);
}

Test(daemon_site, a_new_epoch_begins_serials_and_chain_anew)
{
	struct doc_head h;
	uint64_t last = 0;
	char faults[2048];
	json_t *v;

	open_listed();
	rig_connect(&r);
	json_decref(rig_line(&r));
	cr_assert_not_null(v = rig_call(&r, "publish", NULL));
	json_decref(v);
	root.epoch++;
	put_next_root();
	cr_expect_eq(reload(faults), -1, "members.json is of the epoch before");
	cr_expect_not_null(strstr(faults, "members.json: rollback"), "%s", faults);
	members.epoch++;
	members.seq = 1;
	put_members();
	cr_expect_eq(reload(faults), 0, "%s", faults);
	h = visible_head();
	cr_expect_eq(h.epoch, 2);
	cr_expect_eq(h.prev_serial, 0, "a first head has none before it");
	cr_expect_leq(h.serial, chain_serial_bound(&root, h.issued));
	cr_expect_eq(h.serial, r.d.serial);
	cr_assert_eq(store_last_id(r.d.store, STORE_HEAD, &last, NULL), 0);
	cr_expect_eq(last, (UINT64_C(1) << 40) + h.serial);
	doc_head_free(&h);
	/* The next one follows it, and a restart finds it. */
	cr_assert_not_null(v = rig_call(&r, "publish", NULL));
	json_decref(v);
	h = visible_head();
	cr_expect_eq(h.prev_serial + 1, h.serial);
	rig_close(&r);
	cr_assert(rig_open(&r), "%s", r.log);
	cr_expect_eq(r.d.serial, h.serial, "nothing new needs to be published");
	cr_expect_not(r.d.stale);
	doc_head_free(&h);
}

Test(daemon_site, root_documents_of_an_older_epoch_than_what_was_published_publish_nothing)
{
	char faults[2048];
	struct doc_members first = members;

	open_listed();
	root.epoch++;
	put_next_root();
	members.epoch++;
	put_members();
	cr_expect_eq(reload(faults), 0, "%s", faults);
	rig_close(&r);
	cr_assert_eq(unlink(rig_path(&r, "state/site/2.root.json")), 0);
	members = first;
	put_members();
	cr_assert(rig_open(&r), "%s", r.log);
	cr_expect_not_null(strstr(r.log, "lists of epoch 2 were published, the root documents are of epoch 1"), "%s", r.log);
}

Test(daemon_site, a_list_that_was_put_there_by_somebody_else_stops_nothing)
{
	char *text, *changed, *at;
	struct err e = ERR_INIT;
	uint64_t last;
	size_t n;
	json_t *v;

	open_listed();
	last = r.d.serial;
	text = read_text(rig_path(&r, "publish/public/current/head.json"), &n);
	changed = malloc(n + 32);
	at = strstr(text, "\"serial\":");
	cr_assert_not_null(at);
	snprintf(changed, n + 32, "%.*s\"serial\":9%s", (int)(at - text), text, at + 9);
	cr_assert_eq(file_write(rig_path(&r, "publish/public/current/head.json"), changed, strlen(changed), 0644, &e), 0);
	free(text);
	free(changed);
	rig_connect(&r);
	json_decref(rig_line(&r));
	cr_assert_not_null(v = rig_call(&r, "publish", NULL));
	cr_expect_not_null(json_object_get(v, "result"));
	json_decref(v);
	cr_expect_eq(r.d.serial, last + 1);
}

/* --- alarms ---------------------------------------------------------------------------------- */

struct told {
	unsigned root, member, others;
};

static bool
count_alarm(uint64_t id, const char *p, size_t n, void *arg)
{
	json_t *v = json_loadb(p, n, 0, NULL);
	const char *step = json_string_value(json_object_get(v, "step"));
	struct told *t = arg;

	(void)id;
	if (strcmp(json_string_value(json_object_get(v, "kind")), "alarm") == 0) {
		t->root += strcmp(step, "root-expiry") == 0;
		t->member += strcmp(step, "member-expiry") == 0;
		t->others += strcmp(step, "other-members") == 0;
	}
	json_decref(v);
	return true;
}

static struct told
told_so_far(void)
{
	struct told t = { 0 };

	cr_assert_eq(store_each(r.d.store, STORE_HISTORY, 0, count_alarm, &t, NULL), 0);
	return t;
}

Test(daemon_site, what_runs_out_is_told_once_a_day_in_log_history_and_status)
{
	int64_t hour = members.issued;

	open_listed();
	cr_expect_eq(told_so_far().root + told_so_far().member, 0, "nothing is near its end");
	cr_expect_not(status_says("runs out"));
	rig_close(&r);

	root.expires = hour + 20 * DAY;
	put_next_root();
	members.expires = members.members[0].not_after = hour + 3 * DAY;
	members.seq++;
	put_members();
	r.log[0] = '\0';
	cr_assert(rig_open(&r), "%s", r.log);
	cr_expect_eq(told_so_far().root, 1);
	cr_expect_eq(told_so_far().member, 1);
	cr_expect_not_null(strstr(r.log, "ALARM root-expiry"), "%s", r.log);
	cr_expect(status_says("the root document runs out in 19 days") || status_says("the root document runs out in 20 days"));
	cr_expect(status_says("the member certificate runs out in 2 days"));
	/* Neither the next look nor the next start tells it again within the day. */
	alarms_raise(&r.d);
	rig_close(&r);
	cr_assert(rig_open(&r), "%s", r.log);
	alarms_raise(&r.d);
	cr_expect_eq(told_so_far().root, 1);
	cr_expect_eq(told_so_far().member, 1);
}

Test(daemon_site, a_late_list_is_an_alarm)
{
	open_listed();
	cr_expect_not(status_says("no new list"));
	fakeclock_shift(30 * 3600);
	cr_expect(status_says("no new list for"));
	fakeclock_shift(8 * DAY);
	cr_expect(status_says("the list that is out ran out"));
}

/* Days later, under certificates of that day; a list is published. */
static void
days_later(int64_t days)
{
	char faults[2048];

	fakeclock_shift(days * DAY);
	members.issued = members.members[0].not_before = clock_wall_s() / 3600 * 3600;
	members.expires = members.members[0].not_after = members.issued + 30 * DAY;
	members.seq++;
	put_members();
	cr_assert_eq(reload(faults), 0, "%s", faults);
}

static bool
was_added_again(void *arg)
{
	return faketor_count(((struct rig *)arg)->tor, "ADD_ONION") > 0;
}

static bool
is_published_again(void *arg)
{
	struct rig *rig = arg;

	return rig->d.valid_until > clock_wall_s() && rig->d.published >= clock_wall_s() - 3600;
}

Test(daemon_site, with_a_certificate_that_ran_out_the_mirrors_go_on_and_nothing_is_published)
{
	uint64_t serial;

	open_listed();
	serial = r.d.serial;
	rig_close(&r);
	fakeclock_shift(50 * DAY);
	r.detached[0] = '\0';
	r.log[0] = '\0';
	cr_assert(rig_open(&r), "%s", r.log);
	cr_expect(status_says("the member certificate ran out"));
	cr_expect(rig_run(&r, was_added_again), "the onion comes back to a tor that lost it: %s", r.log);
	cr_expect_eq(r.d.serial, serial);
	days_later(51);
	cr_expect(rig_run(&r, is_published_again), "renewed, the list comes back: %s", r.log);
	cr_expect_not(status_says("ran out"));
}

/* --- proofs of possession ------------------------------------------------------------------------ */

static struct doc_leaf
visible_leaf(void)
{
	struct mirror_view v;
	struct doc_leaf l;
	size_t n;
	char *text;

	cr_assert_eq(engine_mirror_view(r.d.engine, 0, &v), 0);
	text = read_text(rig_path(&r, "publish/public/current/leaf-%s.onion.json", engine_onion(r.d.engine, v.listed)->address), &n);
	cr_assert_eq(doc_leaf_parse(&l, text, n, NULL, NULL), DOC_OK);
	free(text);
	return l;
}

Test(daemon_site, a_proof_is_renewed_at_half_its_life_for_the_same_onion)
{
	struct doc_leaf first, later;
	struct mirror_view v;

	open_listed();
	first = visible_leaf();
	days_later(44);
	later = visible_leaf();
	cr_expect_eq(later.possession_not_after, first.possession_not_after, "not yet");
	days_later(46);
	later = visible_leaf();
	cr_expect_str_eq(later.onion, first.onion);
	cr_expect_geq(later.possession_not_before, first.possession_not_before + 46 * DAY);
	cr_expect_eq(later.possession_not_after - later.possession_not_before, 90 * DAY);
	cr_assert_eq(engine_mirror_view(r.d.engine, 0, &v), 0);
	cr_expect_eq(engine_onion(r.d.engine, v.listed)->tombstone_until, later.possession_not_after, "its tombstone would stay as long");
	cr_expect_not(status_says("proof of possession"));
}

Test(daemon_site, a_proof_that_cannot_be_renewed_holds_nothing_back_and_becomes_an_alarm)
{
	struct doc_leaf first;
	uint64_t serial;

	open_listed();
	first = visible_leaf();
	cr_assert_eq(store_delete(r.d.store, STORE_KEY, 1, NULL), 0);
	serial = r.d.serial;
	days_later(46);
	cr_expect_gt(r.d.serial, serial, "%s", r.log);
	cr_expect_eq(visible_leaf().possession_not_after, first.possession_not_after);
	cr_expect_not_null(strstr(r.log, "could not be renewed"), "%s", r.log);
	cr_expect_not(status_says("proof of possession"));
	fakeclock_shift(70 * DAY);
	cr_expect(status_says("1 listed addresses have a proof of possession that was not renewed in time"));
}

Test(daemon_site, a_member_without_a_list_is_an_alarm_until_its_bundle_is_there)
{
	char faults[2048];
	struct err e = ERR_INIT;
	struct doc_head h;

	open_listed();
	members.members[members.n_members] = members.members[0];
	memset(members.members[1].key, 7, DOC_KEY_LEN);
	snprintf(members.members[1].name, sizeof members.members[1].name, "beta");
	members.n_members = 2;
	members.seq++;
	put_members();
	cr_assert_eq(file_mkdirs(rig_path(&r, "state/site/bundles"), 0700, &e), 0);
	cr_assert_eq(file_write(rig_path(&r, "state/site/bundles/beta.json"), "{}\n", 3, 0644, &e), 0);
	cr_expect_eq(reload(faults), 0, "%s", faults);
	cr_expect(status_says("beta.json: malformed"));
	cr_expect(status_says("member beta has no head"));
	cr_expect_eq(told_so_far().others, 2);
	/* What is known does not hide what is new within the day, and is not told again. */
	cr_assert_eq(file_write(rig_path(&r, "state/site/bundles/gamma.json"), "[]\n", 3, 0644, &e), 0);
	members.seq++;
	put_members();
	cr_expect_eq(reload(faults), 0, "%s", faults);
	cr_expect(status_says("gamma.json: malformed"));
	cr_expect_eq(told_so_far().others, 3);
	h = visible_head();
	cr_expect_eq(h.members_seq, members.seq, "ours is published all the same");
	doc_head_free(&h);
}

Test(daemon_site, a_fault_of_another_member_of_which_only_the_numbers_change_is_told_once_a_day)
{
	static const char *const faults[] = { "3 addresses of member beta are left out: retired\n", "4 addresses of member beta are left out: retired\n",
		"member beta has no head; older ones than 7 are not handed on\nmember beta has no head\n",
		"member beta has no head; older ones than 8 are not handed on\n", "4 addresses of member gamma are left out: retired\n" };
	static const unsigned told[] = { 1, 1, 2, 2, 3 };
	size_t i;

	open_listed();
	for (i = 0; i < sizeof told / sizeof told[0]; i++) {
		buf_free(&r.d.others_faults);
		r.d.others_faults = (struct buf)BUF_INIT(1024);
		buf_adds(&r.d.others_faults, faults[i]);
		alarms_raise(&r.d);
		cr_expect_eq(told_so_far().others, told[i], "%zu: %u", i, told_so_far().others);
	}
}

/* --- other members ----------------------------------------------------------------------------------- */

static struct minisign_seckey beta_key;

/* Beta is certified too. */
static void
add_beta(void)
{
	char faults[2048];
	struct err e = ERR_INIT;

	cr_assert_eq(minisign_seckey_generate(&beta_key, &e), 0);
	members.members[1] = members.members[0];
	memcpy(members.members[1].key, beta_key.sk + 32, DOC_KEY_LEN);
	snprintf(members.members[1].name, sizeof members.members[1].name, "beta");
	members.n_members = 2;
	members.seq++;
	put_members();
	cr_assert_eq(file_mkdirs(rig_path(&r, "state/site/bundles"), 0700, &e), 0);
	cr_expect_eq(reload(faults), 0, "%s", faults);
}

/* A document of the site folder with its first signature, both in `texts` too. */
static struct doc_signed
read_signed(const char *name, char *texts[2], struct doc_text *sig)
{
	struct doc_signed d = { .sigs = sig, .n_sigs = 1 };

	d.doc.p = texts[0] = read_text(rig_path(&r, "state/site/%s", name), &d.doc.len);
	sig->p = texts[1] = read_text(rig_path(&r, "state/site/%s.1.minisig", name), &sig->len);
	return d;
}

/* Beta's head in `texts`, signed. */
static struct doc_signed
make_beta_head(uint64_t serial, char *texts[2], struct doc_text *sig, const struct doc_text *cert)
{
	struct doc_head h = { .epoch = 1, .serial = serial, .root_version = 1, .members_seq = members.seq, .member = "beta",
		.issued = members.issued, .fresh_until = members.issued + DAY, .valid_until = members.issued + 7 * DAY };
	uint8_t hash[DOC_HASH_LEN], none[1][DOC_HASH_LEN] = { { 0 } };
	struct doc_signed d = { .sigs = sig, .n_sigs = 1 };
	char comment[DOC_COMMENT_MAX];
	struct err e = ERR_INIT;

	memcpy(h.site, root_hash, sizeof h.site);
	doc_hash(h.members_sha256, cert->p, cert->len);
	cr_assert_eq(doc_leaves_pad(&h.leaves, &h.n_leaves, (const uint8_t(*)[DOC_HASH_LEN])none, 0, (const uint8_t(*)[DOC_HASH_LEN])none, 0, &e), 0);
	cr_assert_eq(doc_head_write(&texts[0], &d.doc.len, &h, &e), 0, "%s", e.msg);
	doc_hash(hash, texts[0], d.doc.len);
	doc_head_comment(comment, &h, hash);
	cr_assert_eq(minisign_sign(&texts[1], beta_key.sk, NULL, texts[0], d.doc.len, comment, NULL, &e), 0, "%s", e.msg);
	d.doc.p = texts[0];
	*sig = (struct doc_text){ texts[1], strlen(texts[1]) };
	doc_head_free(&h);
	return d;
}

/* The bundle that beta gives us. */
static void
put_beta(uint64_t serial)
{
	struct doc_text sigs[3];
	struct doc_signed first, head;
	struct doc_bundle b = { .roots = &first, .n_roots = 1, .heads = &head, .n_heads = 1 };
	struct err e = ERR_INIT;
	char *texts[7];
	size_t n, i;

	first = read_signed("1.root.json", texts, &sigs[0]);
	b.members = read_signed("members.json", texts + 2, &sigs[1]);
	head = make_beta_head(serial, texts + 4, &sigs[2], &b.members.doc);
	cr_assert_eq(doc_bundle_write(&texts[6], &n, &b, &e), 0, "%s", e.msg);
	cr_assert_eq(file_write(rig_path(&r, "state/site/bundles/beta.json"), texts[6], n, 0644, &e), 0);
	for (i = 0; i < 7; i++)
		free(texts[i]);
}

static void
publish_now(void)
{
	json_t *v;

	rig_connect(&r);
	json_decref(rig_line(&r));
	cr_assert_not_null(v = rig_call(&r, "publish", NULL));
	cr_expect_not_null(json_object_get(v, "result"));
	json_decref(v);
}

Test(daemon_site, an_older_head_of_another_member_is_not_handed_on_after_a_restart_with_a_lost_list)
{
	uint64_t row = 0;

	open_listed();
	add_beta();
	put_beta(200);
	publish_now();
	cr_expect_eq(access(rig_path(&r, "publish/public/current/head-beta.json"), F_OK), 0, "%s", r.log);
	cr_expect(store_last_id(r.d.store, STORE_OTHER, &row, NULL) == 0 && row > 0);
	rig_close(&r);
	cr_assert_eq(rename(rig_path(&r, "publish/public"), rig_path(&r, "publish/renamed")), 0);
	put_beta(100);
	cr_assert(rig_open(&r), "%s", r.log);
	publish_now();
	cr_expect_neq(access(rig_path(&r, "publish/public/current/head-beta.json"), F_OK), 0);
	cr_expect(status_says("older ones than 200 are not handed on"));
	/* What the state can't tell is not guessed: ours goes out alone. */
	cr_assert_eq(store_put(r.d.store, STORE_OTHER, row, "{}", 2, NULL), 0);
	put_beta(300);
	publish_now();
	cr_expect_neq(access(rig_path(&r, "publish/public/current/head-beta.json"), F_OK), 0);
	cr_expect(status_says("the lists of all other members are left out: what the state remembers"));
}
