/* SPDX-License-Identifier: BSD-3-Clause */
/* Channel folders on disk: whole at every moment, tidy, and untouched when something fails. */
#include "config.h"
#include "place.h"

#include "proto/doc.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static int failing = -1; /* how many calls of fsync() until one fails, -1: none does */
static int syncs;
static ino_t watched;
static int syncs_of_watched;

/* In place of the C library's. */
int fsync(int fd)
{
	struct stat st;

	syncs++;
	syncs_of_watched += fstat(fd, &st) == 0 && st.st_ino == watched;
	if (fcntl(fd, F_GETFD) < 0 || (failing >= 0 && failing-- == 0)) {
		errno = EIO;
		return -1;
	}
	return 0;
}

TestSuite(publish_write, .init = place_setup, .fini = place_teardown);

static void limit(size_t bytes)
{
	struct rlimit l;

	signal(SIGXFSZ, SIG_IGN);
	cr_assert_eq(getrlimit(RLIMIT_FSIZE, &l), 0);
	l.rlim_cur = bytes > 0 ? bytes : l.rlim_max;
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &l), 0);
}

/* The names in a channel's folder, sorted, with a space behind each. */
static const char *names_in(const char *channel)
{
	static char text[512];
	struct dirent **all = NULL;
	int n = scandir(place_path("pub/%s", channel), &all, NULL, alphasort), i;

	text[0] = '\0';
	for (i = 0; i < n; i++) {
		if (strcmp(all[i]->d_name, ".") != 0 && strcmp(all[i]->d_name, "..") != 0)
			snprintf(
			    text + strlen(text), sizeof text - strlen(text), "%s ", all[i]->d_name);
		free(all[i]);
	}
	free(all);
	return text;
}

static const char *current_of(const char *channel)
{
	static char to[64];
	ssize_t n = readlink(place_path("pub/%s/current", channel), to, sizeof to - 1);

	to[n > 0 ? n : 0] = '\0';
	return to;
}

Test(publish_write, the_current_folder_and_the_one_before_stay)
{
	struct publish_site *s = place_load();
	struct list l;

	list_init(&l, s, 2, 1, 0);
	list_publish(&l, s, 9);
	cr_expect_str_eq(names_in("public"), "9 current ");
	list_publish(&l, s, 10);
	cr_expect_str_eq(names_in("public"), "10 9 current ");
	mkdir(place_path("pub/public/.new-10"), 0700);
	mkdir(place_path("pub/public/notes"), 0700);
	list_publish(&l, s, 120);
	cr_expect_str_eq(
	    names_in("public"), "10 120 current notes ", "what is not ours is left alone");
	cr_expect_str_eq(current_of("public"), "120");
	cr_expect_eq(publish_highest_serial(s, place_path("pub"), 0), 120);
	list_free(&l);
	publish_site_free(s);
}

Test(publish_write, folders_and_files_are_readable_by_the_web_server)
{
	static const char *const names[] = {"pub", "pub/public", "pub/public/7",
	    "pub/public/7/bundle.json", "pub/public/7/head.json.minisig"};
	struct publish_site *s = place_load();
	struct list l;
	struct stat st;
	size_t i;

	umask(077);
	list_init(&l, s, 2, 1, 0);
	list_publish(&l, s, 7);
	for (i = 0; i < sizeof names / sizeof names[0]; i++) {
		cr_assert_eq(stat(place_path("%s", names[i]), &st), 0);
		cr_expect_eq(
		    st.st_mode & 0777, i < 3 ? 0755 : 0644, "%s: %o", names[i], st.st_mode);
	}
	/* What the operator made stricter stays so. */
	cr_assert_eq(chmod(place_path("pub/public"), 0750), 0);
	list_publish(&l, s, 8);
	cr_assert_eq(stat(place_path("pub/public"), &st), 0);
	cr_expect_eq(st.st_mode & 0777, 0750);
	list_free(&l);
	publish_site_free(s);
}

Test(publish_write, a_full_disk_changes_nothing_in_any_channel_and_is_survived)
{
	struct publish_site *s = place_load();
	size_t limits[] = {1, 300, 2000, 6000}, i;
	struct err e = ERR_INIT;
	struct publication *p;
	struct list l;
	struct stat st;

	list_init(&l, s, 5, 2, 0);
	/* Onions 1 to 5 by turns: the first channel's bundle is the larger one. */
	list_publish(&l, s, 100);
	l.l.serial = 101;
	p = list_make(&l, s);
	cr_assert_eq(stat(place_path("pub/public/100/bundle.json"), &st), 0);
	cr_assert_gt(st.st_size, 6000);
	for (i = 0; i < sizeof limits / sizeof limits[0]; i++) {
		err_clear(&e);
		limit(limits[i]);
		cr_expect_eq(publication_write(p, place_path("pub"), &e), -1);
		limit(0);
		cr_expect_eq(e.code, ERR_SYS, "%s", e.msg);
		cr_expect_eq(e.sys, ENOSPC, "%s", e.msg);
		cr_expect_not_null(strstr(e.msg, "the disk is full; free some space"), "%s", e.msg);
		cr_expect_str_eq(names_in("public"), "100 current ");
		cr_expect_str_eq(names_in("press"), "100 current ");
	}
	err_clear(&e);
	cr_expect_eq(publication_write(p, place_path("pub"), &e), 0, "the same again: %s", e.msg);
	cr_expect_str_eq(current_of("public"), "101");
	cr_expect_str_eq(current_of("press"), "101");
	cr_expect_eq(publication_write(p, place_path("pub"), &e), 0, "and again: %s", e.msg);
	cr_expect_str_eq(names_in("public"), "100 101 current ");
	publication_free(p);
	list_free(&l);
	publish_site_free(s);
}

/* The second channel can't be written: the first must not be ahead. */
Test(publish_write, a_channel_that_fails_holds_back_the_others)
{
	struct publish_site *s = place_load();
	struct err e = ERR_INIT;
	struct publication *p;
	struct list l;

	list_init(&l, s, 4, 2, 0);
	list_publish(&l, s, 100);
	cr_assert_eq(rename(place_path("pub/press"), place_path("pub/away")), 0);
	cr_assert_eq(symlink("/dev/null", place_path("pub/press")), 0);
	l.l.serial = 101;
	p = list_make(&l, s);
	cr_expect_eq(publication_write(p, place_path("pub"), &e), -1);
	cr_expect_str_eq(current_of("public"), "100");
	cr_expect_str_eq(names_in("public"), "100 current ");
	unlink(place_path("pub/press"));
	cr_assert_eq(rename(place_path("pub/away"), place_path("pub/press")), 0);
	/* What a crash between writing and showing leaves is no hindrance. */
	cr_assert_eq(mkdir(place_path("pub/press/101"), 0700), 0);
	fclose(fopen(place_path("pub/press/101/half"), "w"));
	err_clear(&e);
	cr_expect_eq(publication_write(p, place_path("pub"), &e), 0, "%s", e.msg);
	cr_expect_str_eq(current_of("press"), "101");
	cr_expect_eq(access(place_path("pub/press/101/half"), F_OK), -1);
	publication_free(p);
	list_free(&l);
	publish_site_free(s);
}

/* In the child: reads without pause until told to stop; whole documents only, serials never fall. */
static int read_on(int stop)
{
	char path[256], *text;
	unsigned long serial, last = 0;
	int rounds = 0;
	json_t *j;
	size_t n;
	char byte;

	snprintf(path, sizeof path, "%s", place_path("pub/public/current/bundle.json"));
	while (read(stop, &byte, 1) != 1) {
		const char *head;

		text = place_read(path, &n);
		if (text == NULL)
			return 1;
		j = json_loadb(text, n, JSON_REJECT_DUPLICATES, NULL);
		head = json_string_value(
		    json_object_get(json_array_get(json_object_get(j, "heads"), 0), "doc"));
		if (head == NULL || (head = strstr(head, "\"serial\":")) == NULL)
			return 2;
		serial = strtoul(head + 9, NULL, 10);
		if (serial < last)
			return 3;
		last = serial;
		json_decref(j);
		free(text);
		rounds++;
	}
	return rounds >= 3 ? 0 : 4;
}

Test(publish_write, a_reader_finds_a_whole_list_at_every_moment, .timeout = 60)
{
	struct publish_site *s = place_load();
	int stop[2], status, i;
	struct list l;
	pid_t pid;

	list_init(&l, s, 3, 1, 0);
	list_publish(&l, s, 100);
	cr_assert_eq(pipe2(stop, O_NONBLOCK), 0);
	pid = fork();
	if (pid == 0)
		_exit(read_on(stop[0]));
	for (i = 1; i <= 200; i++)
		list_publish(&l, s, 100 + (uint64_t)i);
	cr_assert_eq(write(stop[1], "!", 1), 1);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert(WIFEXITED(status));
	cr_expect_eq(WEXITSTATUS(status), 0,
	    "%d: 1 no file, 2 not whole, 3 older than before, 4 too few", WEXITSTATUS(status));
	list_free(&l);
	publish_site_free(s);
}

Test(publish_write, the_highest_serial_is_found_wherever_it_is)
{
	struct publish_site *s = place_load();
	struct list l;

	cr_expect_eq(publish_highest_serial(s, place_path("pub"), 0), 0, "no folder");
	list_init(&l, s, 4, 2, 0);
	list_publish(&l, s, 41);
	list_publish(&l, s, 42);
	cr_expect_eq(publish_highest_serial(s, place_path("pub"), 0), 42);
	cr_expect_eq(publish_highest_serial(s, place_path("pub"), 41), 42, "above a floor");
	cr_expect_eq(publish_highest_serial(s, place_path("pub"), 50), 50, "none is above");
	unlink(place_path("pub/public/42/head.json"));
	cr_expect_eq(publish_highest_serial(s, place_path("pub"), 0), 42, "from the other channel");
	unlink(place_path("pub/press/42/head.json"));
	cr_expect_eq(publish_highest_serial(s, place_path("pub"), 0), 41, "from an older list");
	fclose(fopen(place_path("pub/press/42/head.json"), "w"));
	cr_expect_eq(
	    publish_highest_serial(s, place_path("pub"), 0), 41, "one that can't be read does not count");
	list_free(&l);
	publish_site_free(s);
}

/* As that site: a list of one onion under this serial goes out. */
static void publish_one(struct publish_site *s, uint64_t serial)
{
	struct list l;

	list_init(&l, s, 1, 1, 0);
	list_publish(&l, s, serial);
	list_free(&l);
	publish_site_free(s);
}

static uint64_t highest(void)
{
	struct publish_site *s = place_load();
	uint64_t serial = publish_highest_serial(s, place_path("pub"), 0);

	publish_site_free(s);
	return serial;
}

static void change_key(unsigned number)
{
	kit_key(number, member_sk, NULL);
	kit.members.keys[0] = number;
	kit.members.doc.seq++;
}

Test(publish_write, a_head_that_our_key_did_not_sign_does_not_count)
{
	publish_one(place_load(), 41);
	/* Another key of the same root writes there, with a serial far ahead. */
	change_key(12);
	cr_expect_eq(highest(), 0, "41 is of the key before");
	publish_one(place_load(), 9000);
	cr_expect_eq(highest(), 9000);
	change_key(11);
	cr_expect_eq(highest(), 41, "9000 is not ours");
	cr_assert_eq(unlink(place_path("pub/public/41/head.json.minisig")), 0);
	cr_expect_eq(highest(), 0, "unsigned");
}

Test(publish_write, a_head_of_another_epoch_does_not_count)
{
	publish_one(place_load(), 41);
	kit_add_root(&kit)->doc.epoch = 2;
	kit.members.doc.epoch = 2;
	cr_expect_eq(highest(), 0);
}

Test(publish_write, the_next_serial_rises_and_keeps_up_with_the_clock)
{
	static const struct {
		uint64_t last;
		int64_t start, now;
		uint64_t next;
	} t[] = {{0, 1000, 1000, 1}, {0, 1000, 1059, 1}, {0, 1000, 1000 + 600, 10},
	    {9, 1000, 1600, 10}, {10, 1000, 1600, 11}, {500, 1000, 1600, 501}, {7, 1000, 0, 8},
	    {0, 1000, 0, 1}};
	size_t i;

	for (i = 0; i < sizeof t / sizeof t[0]; i++)
		cr_expect_eq(
		    publish_next_serial(t[i].last, t[i].start, t[i].now), t[i].next, "%zu", i);
}

static void litter(const char *folder)
{
	FILE *f;

	cr_assert_eq(mkdir(place_path("pub/public/%s", folder), 0700), 0);
	f = fopen(place_path("pub/public/%s/head.json", folder), "w");
	cr_assert_not_null(f);
	cr_assert_gt(fprintf(f, "{\"ty"), 0);
	cr_assert_eq(fclose(f), 0);
}

Test(publish_write, what_a_crash_left_is_replaced)
{
	struct publish_site *s = place_load();
	struct list l;

	list_init(&l, s, 1, 1, 0);
	list_publish(&l, s, 200);
	litter(".new-201");
	litter(".new-150");
	litter("201");
	cr_assert_eq(symlink("201", place_path("pub/public/.current")), 0);
	list_publish(&l, s, 201);
	cr_expect_str_eq(names_in("public"), "200 201 current ");
	cr_expect_eq(access(place_path("pub/public/current/bundle.json"), F_OK), 0);
	/* Complete, but never shown: it must not push out the list that was. */
	litter("203");
	list_publish(&l, s, 204);
	cr_expect_str_eq(names_in("public"), "201 204 current ");
	list_free(&l);
	publish_site_free(s);
}

Test(publish_write, another_list_under_a_serial_that_is_out_is_refused)
{
	struct publish_site *s = place_load();
	struct err e = ERR_INIT;
	struct publication *p;
	struct list l, m;

	list_init(&l, s, 1, 1, 0);
	list_publish(&l, s, 200);
	list_init(&m, s, 2, 1, 200);
	p = list_make(&m, s);
	cr_expect_eq(publication_write(p, place_path("pub"), &e), -1);
	cr_expect_eq(e.code, ERR_STATE, "%s", e.msg);
	cr_expect_str_eq(names_in("public"), "200 current ");
	publication_free(p);
	list_publish(&l, s, 200);
	list_free(&l);
	list_free(&m);
	publish_site_free(s);
}

/* Whether the bundle that `current` shows is whole. */
static bool whole(const char *channel)
{
	struct doc_bundle b = {0};
	size_t n = 0;
	char *text = place_read(place_path("pub/%s/current/bundle.json", channel), &n);
	bool ok = text != NULL && doc_bundle_parse(&b, text, n, NULL) == DOC_OK;

	doc_bundle_free(&b);
	free(text);
	return ok;
}

/* As list_publish(), with fsync() number `step` failing; the answer of publication_write(). */
static int publish_failing(
    struct list *l, const struct publish_site *s, uint64_t serial, int step, struct err *e)
{
	struct publication *p;
	int r;

	l->l.serial = serial;
	p = list_make(l, s);
	failing = step;
	r = publication_write(p, place_path("pub"), e);
	failing = -1;
	publication_free(p);
	return r;
}

Test(publish_write, a_channel_folder_that_nobody_synced_is_synced_into_its_parent_before_a_list_is_visible)
{
	struct publish_site *s = place_load();
	struct stat st;
	struct list l;

	/* As a crash leaves it, or a failure of that very fsync. */
	cr_assert_eq(mkdir(place_path("pub"), 0755), 0);
	cr_assert_eq(mkdir(place_path("pub/public"), 0755), 0);
	cr_assert_eq(stat(place_path("pub"), &st), 0);
	watched = st.st_ino;
	list_init(&l, s, 1, 1, 0);
	list_publish(&l, s, 200);
	cr_expect_eq(syncs_of_watched, 1);
	list_publish(&l, s, 201);
	cr_expect_eq(syncs_of_watched, 1, "once is enough");
	list_free(&l);
	publish_site_free(s);
}

Test(publish_write, whichever_fsync_fails_readers_have_a_whole_list)
{
	struct publish_site *s = place_load();
	int step, r = -1, shown = 0;
	unsigned long serial = 200;
	char now[64], want[128];
	struct err e;
	struct list l;

	list_init(&l, s, 2, 2, 0);
	syncs = 0;
	list_publish(&l, s, serial++);
	cr_expect_geq(syncs, 2 * 15, "each file, folder and rename is synced: %d", syncs);
	for (step = 0; r != 0; step++, serial += 2) {
		cr_assert_lt(step, 200);
		err_clear(&e);
		r = publish_failing(&l, s, serial, step, &e);
		cr_expect_eq(r == 0, e.code == ERR_NONE, "%s", e.msg);
		cr_expect(whole("public") && whole("press"), "step %d", step);
		snprintf(now, sizeof now, "%s", current_of("press"));
		shown += r != 0 && strtoul(current_of("public"), NULL, 10) == serial;
		list_publish(&l, s, serial + 1);
		snprintf(want, sizeof want, "%s %lu current ", now, serial + 1);
		cr_expect_str_eq(names_in("press"), want, "step %d leaves nothing behind", step);
	}
	cr_expect_geq(step, 2 * 9, "what is new is synced, what stays is linked: %d", step);
	cr_expect_eq(shown, 2, "only the last fsync of each channel comes after its rename");
	syncs = 0;
	list_publish(&l, s, serial);
	cr_expect_eq(syncs, step - 1, "each of them had its turn: %d", syncs);
	list_free(&l);
	publish_site_free(s);
}

Test(publish_write, a_leaf_that_stays_is_the_same_file_and_one_that_was_changed_is_written_anew)
{
	struct publish_site *s = place_load();
	char addr[ONION_ADDR_LEN + 1], name[128];
	struct stat before, after;
	struct list l;
	char *text;
	FILE *f;

	list_init(&l, s, 1, 1, 0);
	list_publish(&l, s, 200);
	kit_onion(1, NULL, addr);
	snprintf(name, sizeof name, "pub/public/current/leaf-%s.onion.json", addr);
	cr_assert_eq(stat(place_path("%s", name), &before), 0);
	list_publish(&l, s, 201);
	cr_assert_eq(stat(place_path("%s", name), &after), 0);
	cr_expect_eq(before.st_ino, after.st_ino);
	/* Somebody wrote into the file that is out: the next list does not inherit it. */
	f = fopen(place_path("%s", name), "r+b");
	cr_assert(f != NULL && fputc('x', f) == 'x' && fclose(f) == 0);
	list_publish(&l, s, 202);
	text = place_read(place_path("%s", name), NULL);
	cr_expect_str_eq(text, l.leaves[0]);
	free(text);
	list_free(&l);
	publish_site_free(s);
}

/* What the leaf's file is after the list went out once more, having been changed so; its old inode is in *before. */
static struct stat leaf_after(void (*change)(const char *path), ino_t *before)
{
	struct publish_site *s = place_load();
	char addr[ONION_ADDR_LEN + 1];
	struct stat st;
	struct list l;

	list_init(&l, s, 1, 1, 0);
	list_publish(&l, s, 200);
	kit_onion(1, NULL, addr);
	cr_assert_eq(stat(place_path("pub/public/current/leaf-%s.onion.json", addr), &st), 0);
	*before = st.st_ino;
	change(place_path("pub/public/current/leaf-%s.onion.json", addr));
	list_publish(&l, s, 201);
	cr_assert_eq(stat(place_path("pub/public/current/leaf-%s.onion.json", addr), &st), 0);
	list_free(&l);
	publish_site_free(s);
	return st;
}

static void open_to_all(const char *path) { cr_assert_eq(chmod(path, 0666), 0); }
static void close_to_all(const char *path) { cr_assert_eq(chmod(path, 0600), 0); }
static void give_away(const char *path) { cr_assert_eq(chown(path, 12345, (gid_t)-1), 0); }
static void link_often(const char *path)
{
	char to[300];
	int i;

	for (i = 0; i < 8; i++) {
		snprintf(to, sizeof to, "%s-%d", path, i);
		cr_assert_eq(link(path, to), 0);
	}
}

Test(publish_write, a_file_whose_mode_owner_or_links_were_changed_is_written_anew)
{
	static void (*const changes[])(const char *) = {open_to_all, close_to_all, link_often, give_away};
	size_t n = geteuid() == 0 ? 4 : 3, i; /* only root can give files away */
	struct stat st;
	ino_t before;

	for (i = 0; i < n; i++) {
		st = leaf_after(changes[i], &before);
		cr_expect_neq(st.st_ino, before, "change %zu", i);
		cr_expect_eq(st.st_mode & 07777, 0644, "change %zu: %o", i, st.st_mode);
		cr_expect_eq(st.st_uid, geteuid(), "change %zu", i);
		cr_expect_eq(st.st_nlink, 1, "change %zu: %lu", i, (unsigned long)st.st_nlink);
		place_teardown();
		place_setup();
	}
}

Test(publish_write, a_repeated_write_succeeds_only_when_the_folder_is_synced)
{
	struct publish_site *s = place_load();
	struct err e = ERR_INIT;
	struct list l;
	int last;

	list_init(&l, s, 1, 1, 0);
	list_publish(&l, s, 200);
	syncs = 0;
	list_publish(&l, s, 201);
	last = syncs - 1;
	/* The last fsync comes after the rename: the list is visible, but a power loss may take it back. */
	cr_expect_eq(publish_failing(&l, s, 202, last, &e), -1);
	cr_assert_str_eq(current_of("public"), "202");
	err_clear(&e);
	cr_expect_eq(publish_failing(&l, s, 202, 0, &e), -1, "it still can't be synced");
	cr_expect_str_eq(current_of("public"), "202");
	syncs = 0;
	err_clear(&e);
	cr_expect_eq(publish_failing(&l, s, 202, -1, &e), 0, "%s", e.msg);
	cr_expect_eq(syncs, 1);
	cr_expect_str_eq(names_in("public"), "200 201 202 current ", "the next list tidies up");
	list_publish(&l, s, 203);
	cr_expect_str_eq(names_in("public"), "202 203 current ");
	list_free(&l);
	publish_site_free(s);
}
