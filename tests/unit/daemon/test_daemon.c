/* SPDX-License-Identifier: BSD-3-Clause */
/* The daemon as a whole, against a fake tor: start, life of an onion, restart, reload, and what it refuses. */
#include "config.h"
#include "unit/daemon/rig.h"

#include "base/clock.h"
#include "base/file.h"
#include "daemon/records.h"
#include "support/fakeclock.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct rig r;

static void
start(void)
{
	rig_init(&r, "");
}

static void
stop(void)
{
	rig_fini(&r);
}

TestSuite(daemon_daemon, .init = start, .fini = stop);

static bool
tor_was_asked(void *arg)
{
	struct rig *rig = arg;

	return rig->tor != NULL && faketor_count(rig->tor, "GETINFO onions/detached") > 0;
}

Test(daemon_daemon, an_onion_is_added_proved_and_listed)
{
	char address[57], where[200];

	cr_assert(rig_open(&r), "%s", r.log);
	cr_assert(rig_run(&r, rig_is_listed), "%s", r.log);
	snprintf(address, sizeof address, "%s", rig_listed(&r)->address);
	cr_expect_not_null(strstr(r.detached, address));
	cr_expect_eq(fakesite_connections(r.site), 1, "one probe proves it (rise = 1)");
	snprintf(where, sizeof where, "publish/public/current/leaf-%s.onion.json", address);
	cr_expect_eq(access(rig_path(&r, "%s", where), R_OK), 0, "%s", where);
	cr_expect_eq(publish_highest_serial(r.d.site, rig_path(&r, "publish"), 0), r.d.serial);
	cr_expect_eq(access(rig_path(&r, "state/import/member.key"), F_OK), -1, "the imported key is gone");
}

Test(daemon_daemon, a_restart_adopts_what_is_there)
{
	uint64_t serial;
	char address[57];

	cr_assert(rig_open(&r), "%s", r.log);
	cr_assert(rig_run(&r, rig_is_listed), "%s", r.log);
	snprintf(address, sizeof address, "%s", rig_listed(&r)->address);
	serial = r.d.serial;
	rig_close(&r);
	cr_assert(rig_open(&r), "%s", r.log);
	cr_assert(rig_run(&r, tor_was_asked));
	rig_turn(&r);
	cr_expect_str_eq(rig_listed(&r)->address, address);
	cr_expect_eq(r.d.serial, serial);
	cr_expect_eq(faketor_count(r.tor, "ADD_ONION"), 0);
}

/* What is stored of onion 1 is put back to the moment before its list became visible. */
static void
forget_listing(void)
{
	struct onion_record o;
	struct err e = ERR_INIT;
	char *text;
	json_t *v;
	size_t n;

	cr_assert_eq(store_get(r.d.store, STORE_ONION, 1, &text, &n, &e), 0, "%s", e.msg);
	cr_assert_eq(record_onion_parse(&o, 1, text, n, &e), 0);
	free(text);
	o.state = ONION_READY;
	o.in_list = false;
	o.listed = 0;
	v = record_onion(&o);
	text = json_dumps(v, 0);
	cr_assert_eq(store_put(r.d.store, STORE_ONION, 1, text, strlen(text), &e), 0);
	free(text);
	json_decref(v);
}

Test(daemon_daemon, a_list_that_became_visible_unnoticed_counts)
{
	cr_assert(rig_open(&r), "%s", r.log);
	cr_assert(rig_run(&r, rig_is_listed), "%s", r.log);
	forget_listing();
	rig_close(&r);
	cr_assert(rig_open(&r), "%s", r.log);
	cr_assert_not_null(rig_listed(&r), "listed as soon as it starts");
	cr_expect_eq(rig_listed(&r)->id, 1);
	cr_expect(rig_listed(&r)->in_list);
}

static bool
is_newer(void *arg)
{
	struct rig *rig = arg;

	return rig->d.serial > *(uint64_t *)(void *)rig->reply;
}

Test(daemon_daemon, a_folder_that_is_not_current_is_not_visible)
{
	char old[32], name[64];
	uint64_t first, second;
	json_t *v;

	cr_assert(rig_open(&r), "%s", r.log);
	cr_assert(rig_run(&r, rig_is_listed), "%s", r.log);
	first = r.d.serial;
	rig_connect(&r);
	json_decref(rig_line(&r));
	cr_assert_not_null(v = rig_call(&r, "publish", NULL));
	json_decref(v);
	second = r.d.serial;
	cr_assert(second > first);
	rig_close(&r);
	/* As after an end between the new folder and its link. */
	snprintf(old, sizeof old, "%llu", (unsigned long long)first);
	cr_assert_eq(unlink(rig_path(&r, "publish/public/current")), 0);
	cr_assert_eq(symlink(old, rig_path(&r, "publish/public/current")), 0);
	cr_assert(rig_open(&r), "%s", r.log);
	memcpy(r.reply, &second, sizeof second);
	cr_expect(rig_run(&r, is_newer), "published again, above both");
	snprintf(name, sizeof name, "publish/public/%llu", (unsigned long long)r.d.serial);
	cr_expect_eq(access(rig_path(&r, "%s", name), F_OK), 0);
}

static bool
was_taken_back(void *arg)
{
	return faketor_count(((struct rig *)arg)->tor, "DEL_ONION aaaaaaaaaaaaaaaaaaaa") > 0;
}

Test(daemon_daemon, another_address_than_the_keys_is_taken_away_and_never_listed)
{
	r.lie = true;
	cr_assert(rig_open(&r), "%s", r.log);
	cr_expect(rig_run(&r, was_taken_back), "%s", r.log);
	rig_turn(&r);
	cr_expect_null(rig_listed(&r));
	cr_expect_eq(r.d.serial, 0);
	cr_expect_not_null(strstr(r.log, "another address"));
}

Test(daemon_daemon, a_foreign_onion_is_never_touched)
{
	char foreign[57];

	memset(foreign, 'b', 56);
	foreign[56] = '\0';
	snprintf(r.detached, sizeof r.detached, "%s\n", foreign);
	cr_assert(rig_open(&r), "%s", r.log);
	cr_assert(rig_run(&r, rig_is_listed), "%s", r.log);
	cr_expect_not_null(strstr(r.detached, foreign));
	cr_expect_eq(faketor_count(r.tor, "DEL_ONION"), 0);
}

/* --- what it refuses at the start ---------------------------------------------------------- */

Test(daemon_daemon, a_second_daemon_is_refused)
{
	struct rig second = r;

	cr_assert(rig_open(&r), "%s", r.log);
	cr_expect_not(rig_open(&second));
	cr_expect_not_null(strstr(second.log, "in use by another onionmirrord"));
}

static void
write_text(const char *name, const char *text, mode_t mode)
{
	struct err e = ERR_INIT;

	cr_assert_eq(file_write(rig_path(&r, "%s", name), text, strlen(text), mode, &e), 0, "%s", e.msg);
}

Test(daemon_daemon, each_fault_at_the_start_is_one_clear_line)
{
	char zeros[66];

	memset(zeros, '0', 64);
	zeros[64] = '\n';
	zeros[65] = '\0';
	cr_assert_eq(rename(rig_path(&r, "master.key"), rig_path(&r, "kept.key")), 0);
	cr_expect_not(rig_open(&r));
	cr_expect_not_null(strstr(r.log, "master.key: No such file"), "%s", r.log);
	write_text("master.key", "short\n", 0600);
	r.log[0] = '\0';
	cr_expect_not(rig_open(&r));
	cr_expect_not_null(strstr(r.log, "64 lower-case hex digits"), "%s", r.log);
	cr_assert_eq(rename(rig_path(&r, "kept.key"), rig_path(&r, "master.key")), 0);

	cr_assert_eq(chmod(rig_path(&r, "state/import/member.key"), 0644), 0);
	r.log[0] = '\0';
	cr_expect_not(rig_open(&r));
	cr_expect_not_null(strstr(r.log, "member.key: readable or writable by others"), "%s", r.log);
	cr_assert_eq(chmod(rig_path(&r, "state/import/member.key"), 0600), 0);
	cr_assert_eq(rename(rig_path(&r, "state/import/member.key"), rig_path(&r, "kept.key")), 0);
	r.log[0] = '\0';
	cr_expect_not(rig_open(&r));
	cr_expect_not_null(strstr(r.log, "there is no member key"), "%s", r.log);
	write_text("state/import/member.key", "untrusted comment: x\nnonsense\n", 0600);
	r.log[0] = '\0';
	cr_expect_not(rig_open(&r));
	cr_expect_not_null(strstr(r.log, "member.key"), "%s", r.log);
	cr_expect_eq(access(rig_path(&r, "state/import/member.key"), F_OK), 0, "what can't be read is not destroyed");
	cr_assert_eq(rename(rig_path(&r, "kept.key"), rig_path(&r, "state/import/member.key")), 0);

	cr_assert_eq(rename(rig_path(&r, "state/site/members.json"), rig_path(&r, "members.json")), 0);
	r.log[0] = '\0';
	cr_expect_not(rig_open(&r));
	cr_expect_not_null(strstr(r.log, "members.json"), "%s", r.log);
	cr_assert_eq(rename(rig_path(&r, "members.json"), rig_path(&r, "state/site/members.json")), 0);

	cr_assert_eq(rename(rig_path(&r, "master.key"), rig_path(&r, "kept.key")), 0);
	write_text("master.key", zeros, 0600);
	r.log[0] = '\0';
	cr_expect_not(rig_open(&r));
	cr_expect_not_null(strstr(r.log, "another master key"), "%s", r.log);
	cr_assert_eq(rename(rig_path(&r, "kept.key"), rig_path(&r, "master.key")), 0);

	cr_assert_eq(chmod(rig_path(&r, "state"), 0777), 0);
	r.log[0] = '\0';
	cr_expect_not(rig_open(&r));
	cr_expect_not_null(strstr(r.log, "writable by group or others"), "%s", r.log);
	cr_assert_eq(chmod(rig_path(&r, "state"), 0700), 0);

	/* After all that nothing is lost. */
	r.log[0] = '\0';
	cr_expect(rig_open(&r), "%s", r.log);
}

/* --- reload ---------------------------------------------------------------------------------- */

static int
reload(char *faults, size_t size)
{
	struct buf b = BUF_INIT(65536);
	int ret = daemon_reload(&r.d, &b);

	snprintf(faults, size, "%s", buf_str(&b));
	buf_free(&b);
	return ret;
}

Test(daemon_daemon, a_file_with_faults_changes_nothing_and_every_fault_is_told)
{
	const struct conf *before;
	const uint8_t *sk;
	char faults[2048];

	cr_assert(rig_open(&r), "%s", r.log);
	before = r.d.conf;
	sk = r.d.member_sk;
	rig_conf(&r, "colour = blue\nhistory-days = 0\n", 3);
	cr_expect_eq(reload(faults, sizeof faults), -1);
	cr_expect_not_null(strstr(faults, ":1: unknown option \"colour\"\n"));
	cr_expect_not_null(strstr(faults, ":2: history-days: 0 is out of range: 1 to 3650\n"));
	rig_conf(&r, "control-group = \"root\"\n", 3);
	cr_expect_eq(reload(faults, sizeof faults), -1);
	cr_expect_not_null(strstr(faults, "control-group needs a restart"));
	/* A member key that the site does not certify: the one in force stays whole. */
	rig_conf(&r, "", 1);
	write_text("state/import/member.key", "nonsense", 0600);
	cr_expect_eq(reload(faults, sizeof faults), -1);
	cr_expect_not_null(strstr(faults, "member.key"));
	cr_expect_eq(r.d.conf, before);
	cr_expect_eq(r.d.member_sk, sk);
	cr_expect(rig_run(&r, rig_is_listed), "%s", r.log);
}

Test(daemon_daemon, a_good_file_is_taken_over_as_a_whole)
{
	char faults[2048];

	cr_assert(rig_open(&r), "%s", r.log);
	cr_assert(rig_run(&r, rig_is_listed), "%s", r.log);
	rig_conf(&r, "history-days = 3\n", 2);
	cr_assert_eq(reload(faults, sizeof faults), 0, "%s", faults);
	cr_expect_eq(r.d.conf->history_days, 3);
	cr_expect_eq(r.d.conf->n_mirrors, 2);
	cr_expect(rig_run(&r, rig_is_listed), "the new mirror gets an address too: %s", r.log);
	/* Once more, and back: what it began with is freed once. */
	rig_conf(&r, "", 1);
	cr_assert_eq(reload(faults, sizeof faults), 0, "%s", faults);
	cr_assert_eq(reload(faults, sizeof faults), 0, "%s", faults);
}

/* --- records ----------------------------------------------------------------------------------- */

struct seen {
	unsigned oks, through;
	char address[57];
};

static bool
count_ok(uint64_t id, const char *p, size_t n, void *arg)
{
	json_t *v = json_loadb(p, n, 0, NULL);
	struct seen *s = arg;

	(void)id;
	if (strcmp(json_string_value(json_object_get(v, "verdict")), "ok") == 0) {
		const char *through = json_string_value(json_object_get(v, "through"));

		s->oks++;
		s->through += through != NULL && strcmp(through, r.d.conf->tors[0].name) == 0;
		snprintf(s->address, sizeof s->address, "%s", json_string_value(json_object_get(v, "address")));
	}
	json_decref(v);
	return true;
}

Test(daemon_daemon, what_is_listed_has_its_proof_in_the_record)
{
	struct seen seen = { 0 };
	uint64_t last = 0;

	cr_assert(rig_open(&r), "%s", r.log);
	cr_assert(rig_run(&r, rig_is_listed), "%s", r.log);
	cr_assert_eq(store_each(r.d.store, STORE_PROBE, 0, count_ok, &seen, NULL), 0);
	cr_expect(seen.oks >= 1);
	cr_expect_eq(seen.through, seen.oks, "with the tor that it was seen through");
	cr_expect_str_eq(seen.address, rig_listed(&r)->address);
	cr_assert_eq(store_last_id(r.d.store, STORE_HEAD, &last, NULL), 0);
	cr_expect_eq(last, r.d.serial);
}

/* --- controls ------------------------------------------------------------------------------------ */

#define CONTROL "25njqamcweflpvkl73j4szahhihoc4xt3ktcgjnpaingr5yhkenl5sid.onion"

static bool
control_was_asked(void *rig)
{
	(void)rig;
	return strcmp(fakesite_host(r.site), CONTROL) == 0 && fakesite_port(r.site) == 8081 && r.d.jobs == NULL;
}

Test(daemon_daemon, a_control_onion_is_asked_through_the_tor_and_leaves_no_record_of_its_address)
{
	struct action ask = { .kind = ACTION_CONTROL, .mirror = -1 };
	struct seen before = { 0 }, after = { 0 };

	rig_conf(&r, "control-onions = {\"" CONTROL ":8081\"}\n", 1);
	cr_assert(rig_open(&r), "%s", r.log);
	cr_assert(rig_run(&r, rig_is_listed), "%s", r.log);
	cr_assert_eq(store_each(r.d.store, STORE_PROBE, 0, count_ok, &before, NULL), 0);
	do_control(&r.d, &ask);
	cr_expect(rig_run(&r, control_was_asked), "asked %s", fakesite_host(r.site));
	cr_assert_eq(store_each(r.d.store, STORE_PROBE, 0, count_ok, &after, NULL), 0);
	cr_expect_eq(after.oks, before.oks);
	/* One that the configuration does not have, nor the engine waits for: nothing happens. */
	ask.control = 7;
	do_control(&r.d, &ask);
	cr_expect_null(r.d.jobs);
}

/* --- time ------------------------------------------------------------------------ */

/* What is said of the clock when it stands `s` seconds from where it is. */
static const char *
clock_fault(int64_t s)
{
	static struct err e;
	int ret;

	e = (struct err)ERR_INIT;
	fakeclock_shift(s);
	ret = wiring_check_clock(&r.d, &e);
	clock_set_source(NULL);
	return ret == 0 ? "" : e.msg;
}

static bool
link_is_down(void *rig)
{
	const struct rig *at = rig;

	return session_get_state(at->d.tors[0].session) != SESSION_UP;
}

Test(daemon_daemon, nothing_is_signed_with_a_time_that_tor_contradicts)
{
	cr_assert(rig_open(&r) && rig_run(&r, rig_is_listed), "%s", r.log);
	cr_expect_str_eq(clock_fault(0), "");
	/* The consensus of this fake tor is of 2020 to 2999. */
	cr_expect(strstr(clock_fault(-50 * 366 * 86400LL), "consensus") != NULL);
	cr_expect(strstr(clock_fault(1000 * 366 * 86400LL), "consensus") != NULL);
	cr_expect_str_eq(clock_fault(3600), "", "a jump that tor confirms");
	cr_expect_str_eq(clock_fault(0), "");
}

Test(daemon_daemon, after_a_jump_nothing_is_signed_until_a_tor_confirms_the_time)
{
	cr_assert(rig_open(&r) && rig_run(&r, rig_is_listed), "%s", r.log);
	cr_expect_str_eq(clock_fault(0), "");
	faketor_set_down(r.tor, true);
	cr_assert(rig_run(&r, link_is_down));
	cr_expect_str_eq(clock_fault(0), "", "without a tor a clock that did not jump is believed: lists must be renewed");
	cr_expect(strstr(clock_fault(3650), "jumped by 36") != NULL, "%s", clock_fault(3650));
	cr_expect(strstr(clock_fault(-3650), "jumped by -36") != NULL, "%s", clock_fault(-3650));
	cr_expect_str_eq(clock_fault(0), "");
}

Test(daemon_daemon, a_list_is_not_published_with_a_wrong_clock_and_says_why)
{
	uint64_t serial;

	cr_assert(rig_open(&r) && rig_run(&r, rig_is_listed), "%s", r.log);
	serial = r.d.serial;
	r.d.clock_offset -= 3600000;
	faketor_set_down(r.tor, true);
	cr_assert(rig_run(&r, link_is_down));
	do_publish(&r.d, &(struct action){ .kind = ACTION_PUBLISH, .mirror = -1 });
	cr_expect(r.d.serial == serial && strstr(r.d.publish_error, "clock jumped") != NULL, "%s", r.d.publish_error);
}

Test(daemon_daemon, a_tor_that_refuses_pow_gets_the_onion_without_it_and_the_log_says_so_once)
{
	r.mirror = "  pow = on\n";
	r.no_pow = true;
	rig_conf(&r, "", 2);
	cr_assert(rig_open(&r), "%s", r.log);
	cr_assert(rig_run(&r, rig_is_listed), "%s", r.log);
	cr_expect_not_null(strstr(r.log, "refuses pow = on"));
	cr_expect_null(strstr(strstr(r.log, "refuses pow = on") + 1, "refuses pow = on"), "%s", r.log);
	cr_expect_null(strstr(r.log, "ALARM"), "%s", r.log);
}

Test(daemon_daemon, a_list_goes_out_again_after_the_clock_was_set_back)
{
	json_t *v;

	/* The site's documents begin now, so the clock is ahead first. */
	fakeclock_shift(2 * 3600);
	cr_assert(rig_open(&r), "%s", r.log);
	cr_assert(rig_run(&r, rig_is_listed), "%s", r.log);
	fakeclock_shift(0);
	rig_connect(&r);
	cr_assert_not_null(v = rig_call(&r, "publish", NULL));
	json_decref(v);
	rig_turn(&r);
	cr_expect_str_eq(r.d.publish_error, "", "%s", r.log);
	clock_set_source(NULL);
}

Test(daemon_daemon, the_bytes_of_an_imported_key_are_overwritten)
{
	char text[1024], byte;
	FILE *f;
	size_t n;

	/* Another name for the same file. */
	cr_assert_eq(link(rig_path(&r, "state/import/member.key"), rig_path(&r, "same.key")), 0);
	cr_assert(rig_open(&r), "%s", r.log);
	cr_expect_eq(access(rig_path(&r, "state/import/member.key"), F_OK), -1);
	cr_assert_not_null(f = fopen(rig_path(&r, "same.key"), "r"));
	n = fread(text, 1, sizeof text, f);
	fclose(f);
	cr_expect_gt(n, 100);
	for (byte = '\0'; n > 0 && byte == '\0'; n--)
		byte = text[n - 1];
	cr_expect_eq(byte, '\0', "a byte of the key is left");
}
