/* SPDX-License-Identifier: BSD-3-Clause */
/* Channel folders: replaced whole or not at all, whatever the disk does, while somebody reads. */
#include "config.h"
#include "press.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

TestSuite(publish_write, .init = press_setup, .fini = press_teardown);

static void
publish_serial(uint64_t serial)
{
	struct err e = ERR_INIT;

	press.list.serial = serial;
	cr_assert_eq(press_publish(&e), 0, "%s", e.msg);
	cr_expect_eq(press_current(press.channels[0]), serial);
}

/* "out/public/name" */
static const char *
at(const char *name)
{
	static char path[256];

	snprintf(path, sizeof path, "%s/public/%s", press.out, name);
	return path;
}

static void
litter(const char *folder)
{
	char file[300];
	int fd;

	cr_assert_eq(mkdir(at(folder), 0700), 0);
	snprintf(file, sizeof file, "%s/head.json", at(folder));
	fd = open(file, O_WRONLY | O_CREAT, 0600);
	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, "{\"ty", 4), 4);
	close(fd);
}

Test(publish_write, the_last_two_lists_stay)
{
	publish_serial(200);
	cr_expect_str_eq(press_names("public"), "200 current");
	publish_serial(207);
	cr_expect_str_eq(press_names("public"), "200 207 current");
	publish_serial(208);
	cr_expect_str_eq(press_names("public"), "207 208 current");
	cr_expect_eq(press_verify("public", KIT_NOW, NULL), 0);
}

Test(publish_write, a_web_server_can_read_it_whatever_the_umask)
{
	mode_t was = umask(077);
	struct stat st;

	publish_serial(200);
	umask(was);
	cr_assert_eq(stat(at(""), &st), 0);
	cr_expect_eq(st.st_mode & 07777, 0755);
	cr_assert_eq(stat(at("current/"), &st), 0);
	cr_expect_eq(st.st_mode & 07777, 0755);
	cr_assert_eq(stat(at("current/bundle.json"), &st), 0);
	cr_expect_eq(st.st_mode & 07777, 0644);
}

Test(publish_write, what_a_crash_left_is_replaced)
{
	publish_serial(200);
	litter(".new-201");
	litter(".new-150");
	litter("201");
	cr_assert_eq(symlink("201", at(".current")), 0);
	publish_serial(201);
	cr_expect_str_eq(press_names("public"), "200 201 current");
	cr_expect_eq(press_verify("public", KIT_NOW, NULL), 0);
	/* Complete, but never shown: it must not displace the list that was. */
	litter("203");
	publish_serial(204);
	cr_expect_str_eq(press_names("public"), "201 204 current");
}

Test(publish_write, the_same_list_once_more_is_fine_and_another_is_not)
{
	struct publication *p = press_make();
	struct err e = ERR_INIT;

	cr_assert_eq(publication_write(p, press.out, NULL), 0);
	cr_expect_eq(publication_write(p, press.out, &e), 0, "%s", e.msg);
	publication_free(p);
	press_add(2, "public");
	cr_expect_eq(press_publish(&e), -1);
	cr_expect_eq(e.code, ERR_STATE, "%s", e.msg);
	cr_expect_eq(press_verify("public", KIT_NOW, NULL), 0);
	cr_expect_str_eq(press_names("public"), "200 current");
}

static void
limit_files(size_t bytes)
{
	struct rlimit l;

	signal(SIGXFSZ, SIG_IGN);
	cr_assert_eq(getrlimit(RLIMIT_FSIZE, &l), 0);
	l.rlim_cur = bytes > 0 ? bytes : l.rlim_max;
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &l), 0);
}

static size_t
largest(const struct channel_files *c)
{
	size_t i, max = 0;

	for (i = 0; i < c->n; i++)
		max = c->files[i].len > max ? c->files[i].len : max;
	return max;
}

Test(publish_write, a_full_disk_leaves_every_channel_as_it_was)
{
	struct publication *p;
	struct err e = ERR_INIT;
	unsigned i;

	press.channels[1] = "zoo";
	press.list.n_channels = 2;
	press_add(2, "zoo");
	publish_serial(200);
	for (i = 3; i < 8; i++)
		press_add(i, "zoo");
	press.list.serial = 201;
	p = press_make();
	/* Room for all of "public", not for the bundle of "zoo". */
	cr_assert_lt(largest(&p->channels[0]), largest(&p->channels[1]));
	limit_files(largest(&p->channels[0]));
	cr_expect_eq(publication_write(p, press.out, &e), -1);
	limit_files(0);
	cr_expect_eq(e.code, ERR_SYS);
	cr_expect_eq(e.sys, ENOSPC);
	cr_expect_not_null(strstr(e.msg, "zoo/bundle.json: the disk is full"), "%s", e.msg);
	cr_expect_str_eq(press_names("public"), "200 current");
	cr_expect_str_eq(press_names("zoo"), "200 current");
	cr_expect_eq(press_current("public"), 200);
	cr_expect_eq(press_current("zoo"), 200);
	cr_expect_eq(publication_write(p, press.out, NULL), 0, "room again");
	cr_expect_eq(press_current("zoo"), 201);
	publication_free(p);
}

Test(publish_write, whichever_fsync_fails_readers_have_a_whole_list)
{
	uint64_t now_public, now_zoo;
	struct err e = ERR_INIT;
	int step, r = -1, failed = 0, shown = 0;
	char want[64];

	press.channels[1] = "zoo";
	press.list.n_channels = 2;
	publish_serial(200);
	for (step = 0; r != 0; step++) {
		cr_assert_lt(step, 200);
		press.list.serial++;
		press_fail_sync(step);
		err_clear(&e);
		r = press_publish(&e);
		press_fail_sync(-1);
		cr_expect_eq(r == 0, e.code == ERR_NONE);
		failed += r != 0;
		now_public = press_current("public");
		now_zoo = press_current("zoo");
		shown += r != 0 && now_public == press.list.serial;
		cr_expect(now_public == press.list.serial || now_zoo != press.list.serial, "in order");
		cr_expect_eq(press_verify("public", KIT_NOW, NULL), 0, "step %d", step);
		cr_expect_eq(press_verify("zoo", KIT_NOW, NULL), 0, "step %d", step);
		/* Both on one serial again, so that each step starts alike. */
		press.list.serial++;
		cr_assert_eq(press_publish(NULL), 0);
		snprintf(want, sizeof want, "%llu %llu current", (unsigned long long)(now_zoo), (unsigned long long)press.list.serial);
		cr_expect_str_eq(press_names("zoo"), want, "step %d", step);
	}
	cr_expect_geq(failed, 2 * 15, "each file, folder and rename is synced: %d", failed);
	cr_expect_eq(shown, 2, "only the last fsync of each channel comes after its rename");
}

/* Reads the bundle through `current` until told to stop. Exit code 0: each was whole, and there were several. */
static void
read_all_the_time(int stop, int tell)
{
	char path[256], last[65] = "", first[65];
	struct pollfd pfd = { .fd = stop, .events = POLLIN };
	static char text[DOC_BUNDLE_MAX];
	struct doc_bundle b = { 0 };
	int fd, lists = 0, reads = 0;
	ssize_t n, len;

	snprintf(path, sizeof path, "%s/public/current/bundle.json", press.out);
	while (poll(&pfd, 1, 0) == 0) {
		fd = open(path, O_RDONLY);
		if (fd < 0)
			_exit(2);
		for (len = 0; (n = read(fd, text + len, 1000)) > 0; len += n)
			;
		close(fd);
		if (doc_bundle_parse(&b, text, (size_t)len, NULL) != DOC_OK || b.n_heads != 1 || b.n_leaves != 1)
			_exit(3);
		snprintf(first, sizeof first, "%.64s", strstr(b.heads[0].doc.p, "\"serial\":"));
		doc_bundle_free(&b);
		lists += strcmp(first, last) != 0;
		strcpy(last, first);
		if (reads++ == 0 && write(tell, "x", 1) != 1)
			_exit(4);
	}
	_exit(lists >= 2 ? 0 : 5);
}

Test(publish_write, a_reader_always_gets_a_whole_list, .timeout = 120)
{
	int stop[2], tell[2], status;
	uint64_t serial;
	char c;
	pid_t pid;

	publish_serial(200);
	cr_assert_eq(pipe(stop) | pipe(tell), 0);
	pid = fork();
	if (pid == 0) {
		close(stop[1]);
		read_all_the_time(stop[0], tell[1]);
	}
	close(stop[0]);
	close(tell[1]);
	cr_assert_eq(read(tell[0], &c, 1), 1, "the reader is under way");
	for (serial = 201; serial <= 400; serial++)
		publish_serial(serial);
	close(stop[1]);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_expect(WIFEXITED(status));
	cr_expect_eq(WEXITSTATUS(status), 0, "2: absent, 3: not whole, 5: always the same: %d", WEXITSTATUS(status));
	cr_expect_str_eq(press_names("public"), "399 400 current");
	close(tell[0]);
}

Test(publish_write, the_highest_serial_is_found_on_disk)
{
	cr_expect_eq(publish_highest_serial(press.out), 0, "no folder yet");
	publish_serial(200);
	cr_expect_eq(publish_highest_serial(press.out), 200);
	press.channels[0] = "zoo";
	press_add(2, "zoo");
	publish_serial(230);
	press.channels[0] = "public";
	publish_serial(210);
	cr_expect_eq(publish_highest_serial(press.out), 230, "in any channel");
	litter("999");
	litter(".new-998");
	cr_expect_eq(publish_highest_serial(press.out), 230, "half a head says nothing");
}
