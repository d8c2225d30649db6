/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"
#include "base/file.h"

#include "base/rng.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static char dir[32];

static void
setup(void)
{
	strcpy(dir, "/tmp/unit-base-XXXXXX");
	cr_assert(mkdtemp(dir) != NULL);
}

static void
empty(const char *folder)
{
	DIR *d = opendir(folder);
	struct dirent *e;
	char path[1024];

	while (d != NULL && (e = readdir(d)) != NULL) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
		if (unlink(path) != 0)
			empty(path);
	}
	if (d != NULL)
		closedir(d);
	rmdir(folder);
}

static void
teardown(void)
{
	rng_set_source(NULL);
	empty(dir);
}

TestSuite(base_file, .init = setup, .fini = teardown, .timeout = 30);

static const char *
at(const char *name)
{
	static char ring[4][128];
	static unsigned next;
	char *p = ring[next++ % 4];

	snprintf(p, sizeof ring[0], "%s/%s", dir, name);
	return p;
}

static void
put(const char *name, const char *text, mode_t mode)
{
	int fd = open(at(name), O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0600);

	cr_assert(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) && fchmod(fd, mode) == 0);
	close(fd);
}

static int
count_entries(void)
{
	DIR *d = opendir(dir);
	int n = -2;

	while (readdir(d) != NULL)
		n++;
	closedir(d);
	return n;
}

static int
count_fds(void)
{
	int fd, n = 0;

	for (fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

/* Reads as a public file of up to 100 bytes; "" on success, else the code's name. */
static const char *
read_code(const char *name, size_t max, enum file_rule rule)
{
	struct err e = ERR_INIT;
	char *text = NULL;
	size_t n = 77;
	int fds = count_fds();

	if (file_read(at(name), max, rule, &text, &n, &e) != 0) {
		cr_expect(text == NULL && n == 77, "written only on success");
		cr_expect(strstr(e.msg, dir) != NULL, "names the file: %s", e.msg);
		cr_expect_eq(count_fds(), fds);
		return err_code_name(e.code);
	}
	cr_expect_eq(strlen(text), n);
	cr_expect_eq(count_fds(), fds);
	free(text);
	return "";
}

Test(base_file, reads_a_whole_file_up_to_the_maximum)
{
	char *text;
	size_t n;

	put("f", "0123456789", 0644);
	cr_expect_eq(file_read(at("f"), 10, FILE_PUBLIC, &text, &n, NULL), 0);
	cr_expect(n == 10 && strcmp(text, "0123456789") == 0);
	free(text);
	cr_expect_str_eq(read_code("f", 9, FILE_PUBLIC), "limit");
	put("f", "", 0644);
	cr_expect_str_eq(read_code("f", 0, FILE_PUBLIC), "");
}

Test(base_file, refuses_what_is_not_a_regular_file_and_does_not_hang)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int s = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	put("f", "x", 0600);
	cr_assert_eq(symlink("f", at("link")), 0);
	cr_assert_eq(symlink("nowhere", at("dangling")), 0);
	cr_assert_eq(mkfifo(at("fifo"), 0600), 0);
	cr_assert_eq(mkdir(at("folder"), 0700), 0);
	strcpy(sun.sun_path, at("socket"));
	cr_assert_eq(bind(s, (struct sockaddr *)&sun, sizeof sun), 0);
	cr_expect_str_eq(read_code("link", 100, FILE_PUBLIC), "system");
	cr_expect_str_eq(read_code("dangling", 100, FILE_PUBLIC), "system");
	cr_expect_str_eq(read_code("fifo", 100, FILE_PUBLIC), "system");
	cr_expect_str_eq(read_code("folder", 100, FILE_PUBLIC), "system");
	cr_expect_str_eq(read_code("socket", 100, FILE_PUBLIC), "system");
	cr_expect_str_eq(read_code("missing", 100, FILE_PUBLIC), "system");
	cr_expect_str_eq(read_code("f/below", 100, FILE_PUBLIC), "system");
	close(s);
}

Test(base_file, asks_for_the_right_owner_and_mode)
{
	static const struct {
		mode_t mode;
		bool secret, foreign;
	} rows[] = {
		{ 0600, true, true },
		{ 0400, true, true },
		{ 0640, true, true },
		{ 0440, true, true },
		{ 0700, true, true },
		{ 0620, false, false },
		{ 0660, false, false },
		{ 0604, false, true },
		{ 0644, false, true },
		{ 0602, false, false },
		{ 0601, false, true },
		{ 0666, false, false },
	};
	size_t i;

	for (i = 0; i < sizeof rows / sizeof *rows; i++) {
		put("f", "secret", rows[i].mode);
		cr_expect_str_eq(read_code("f", 100, FILE_SECRET), rows[i].secret ? "" : "system", "%04o",
		    (unsigned)rows[i].mode);
		cr_expect_str_eq(read_code("f", 100, FILE_FOREIGN), rows[i].foreign ? "" : "system", "%04o",
		    (unsigned)rows[i].mode);
		cr_expect_str_eq(read_code("f", 100, FILE_PUBLIC), "");
	}
	if (geteuid() == 0) {
		put("f", "secret", 0600);
		cr_assert_eq(chown(at("f"), 12345, 0), 0);
		cr_expect_str_eq(read_code("f", 100, FILE_SECRET), "system", "another's");
		cr_expect_str_eq(read_code("f", 100, FILE_FOREIGN), "");
	}
}

Test(base_file, reads_exactly_n_bytes_or_says_so)
{
	char out[5];
	struct err e;
	size_t n;

	put("f", "1234", 0600);
	for (n = 3; n <= 5; n++) {
		err_clear(&e);
		cr_expect_eq(file_read_exact(at("f"), FILE_SECRET, out, n, &e), n == 4 ? 0 : -1, "%zu", n);
		cr_expect_eq(e.code, n == 4 ? ERR_NONE : ERR_PARSE);
	}
	cr_expect_eq(memcmp(out, "1234", 4), 0);
	put("f", "1234", 0644);
	cr_expect_eq(file_read_exact(at("f"), FILE_SECRET, out, 4, NULL), -1);
}

static void
expect_content(const char *name, const char *want, mode_t mode)
{
	char *text;
	size_t n;
	struct stat st;

	cr_assert_eq(file_read(at(name), 1000, FILE_PUBLIC, &text, &n, NULL), 0, "%s", name);
	cr_expect_str_eq(text, want);
	free(text);
	cr_expect(stat(at(name), &st) == 0 && (st.st_mode & 07777) == mode, "%04o", (unsigned)st.st_mode);
}

Test(base_file, writes_whole_with_exactly_the_mode)
{
	struct err e = ERR_INIT;
	mode_t old = umask(077);

	cr_expect_eq(file_write(at("f"), "one", 3, 0644, &e), 0, "%s", e.msg);
	expect_content("f", "one", 0644);
	umask(0);
	cr_expect_eq(file_write(at("f"), "second", 6, 0600, &e), 0, "%s", e.msg);
	expect_content("f", "second", 0600);
	cr_expect_eq(file_write(at("f"), "", 0, 0600, &e), 0);
	expect_content("f", "", 0600);
	cr_expect_eq(file_create(at("g"), "new", 3, 0640, &e), 0, "%s", e.msg);
	expect_content("g", "new", 0640);
	cr_expect_eq(count_entries(), 2, "nothing else is left");
	umask(old);
}

Test(base_file, replaces_a_link_and_not_what_it_points_to)
{
	put("target", "untouched", 0600);
	cr_assert_eq(symlink("target", at("link")), 0);
	cr_expect_eq(file_write(at("link"), "new", 3, 0600, NULL), 0);
	expect_content("target", "untouched", 0600);
	expect_content("link", "new", 0600);
}

Test(base_file, create_never_replaces)
{
	struct err e = ERR_INIT;

	put("f", "old", 0600);
	cr_assert_eq(symlink("nowhere", at("link")), 0);
	cr_expect_eq(file_create(at("f"), "new", 3, 0600, &e), -1);
	cr_expect(e.code == ERR_SYS && e.sys == EEXIST);
	err_clear(&e);
	cr_expect_eq(file_create(at("link"), "new", 3, 0600, &e), -1);
	cr_expect_eq(e.sys, EEXIST);
	expect_content("f", "old", 0600);
	cr_expect_neq(access(at("nowhere"), F_OK), 0);
	cr_expect_eq(count_entries(), 2);
}

/* A disk that fills up in the middle. */
Test(base_file, a_failed_write_leaves_the_old_file_and_nothing_else)
{
	static char big[100000];
	struct rlimit small = { 50000, RLIM_INFINITY }, old;
	struct err e = ERR_INIT;
	int fds = count_fds(), i;

	put("f", "old", 0600);
	signal(SIGXFSZ, SIG_IGN);
	cr_assert_eq(getrlimit(RLIMIT_FSIZE, &old), 0);
	small.rlim_max = old.rlim_max;
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
	for (i = 0; i < 2; i++) {
		err_clear(&e);
		cr_expect_eq(i == 0 ? file_write(at("f"), big, sizeof big, 0600, &e) :
		    file_create(at("g"), big, sizeof big, 0600, &e), -1);
		cr_expect(e.code == ERR_SYS && e.sys == EFBIG, "%s", e.msg);
	}
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &old), 0);
	expect_content("f", "old", 0600);
	cr_expect_eq(count_entries(), 1);
	cr_expect_eq(count_fds(), fds);
	/* No folder, and a folder in the place of the file. */
	cr_expect_eq(file_write(at("missing/f"), "x", 1, 0600, NULL), -1);
	cr_assert_eq(mkdir(at("folder"), 0700), 0);
	cr_expect_eq(file_write(at("folder"), "x", 1, 0600, NULL), -1);
	cr_expect_eq(count_entries(), 2);
	if (geteuid() != 0) {
		chmod(dir, 0500);
		cr_expect_eq(file_write(at("f"), "x", 1, 0600, NULL), -1);
		chmod(dir, 0700);
		expect_content("f", "old", 0600);
	}
}

static void
all_zero(void *p, size_t n)
{
	memset(p, 0, n);
}

/* Somebody who guessed the name of the new file gets neither to see it nor to redirect it. */
Test(base_file, never_opens_a_temporary_file_that_is_there)
{
	struct err e = ERR_INIT;

	rng_set_source(all_zero);
	put("victim", "untouched", 0600);
	cr_assert_eq(symlink("victim", at("f.tmp-0000000000000000")), 0);
	cr_expect_eq(file_write(at("f"), "x", 1, 0600, &e), -1);
	cr_expect_eq(e.sys, EEXIST);
	expect_content("victim", "untouched", 0600);
	cr_expect_eq(unlink(at("f.tmp-0000000000000000")), 0, "and it is not ours to remove");
	cr_expect_eq(file_write(at("f"), "x", 1, 0600, NULL), 0);
}

Test(base_file, refuses_a_path_that_is_too_long)
{
	char path[5000];
	struct err e = ERR_INIT;

	memset(path, 'x', sizeof path);
	path[0] = '/';
	path[4090] = '\0';
	cr_expect_eq(file_write(path, "x", 1, 0600, &e), -1);
	cr_expect_eq(e.code, ERR_LIMIT);
	err_clear(&e);
	path[4090] = 'x';
	path[4999] = '\0';
	cr_expect_eq(file_mkdirs(path, 0700, &e), -1);
	cr_expect_eq(e.code, ERR_LIMIT);
	cr_expect_eq(file_mkdirs("", 0700, NULL), -1);
}

Test(base_file, makes_folders_with_their_parents)
{
	struct err e = ERR_INIT;
	struct stat st;

	cr_expect_eq(file_mkdirs(at("a/b/c"), 0700, &e), 0, "%s", e.msg);
	cr_expect(stat(at("a/b/c"), &st) == 0 && S_ISDIR(st.st_mode) && (st.st_mode & 07777) == 0700);
	cr_assert_eq(chmod(at("a/b"), 0750), 0);
	umask(077);
	cr_expect_eq(file_mkdirs(at("open/for/all"), 0755, &e), 0, "%s", e.msg);
	cr_expect_eq(stat(at("open/for"), &st), 0);
	cr_expect_eq(st.st_mode & 0777, 0755, "as asked for, not as the umask has it");
	cr_expect_eq(file_mkdirs(at("a/b/c/"), 0711, &e), 0, "%s", e.msg);
	cr_expect(stat(at("a/b"), &st) == 0 && (st.st_mode & 07777) == 0750, "left alone");
	put("file", "x", 0600);
	cr_expect_eq(file_mkdirs(at("file"), 0700, NULL), -1);
	cr_expect_eq(file_mkdirs(at("file/below"), 0700, NULL), -1);
	cr_expect_eq(file_sync_dir(at("a"), NULL), 0);
	cr_expect_eq(file_sync_dir(at("file"), NULL), -1);
	cr_expect_eq(file_sync_dir(at("missing"), NULL), -1);
}

Test(base_file, checks_folders)
{
	static const struct { mode_t mode; int want; } rows[] = { { 0700, 0 }, { 0755, 0 }, { 0750, 0 }, { 0770, -1 },
		{ 0702, -1 }, { 01777, -1 } };
	struct err e;
	size_t i;

	cr_assert_eq(mkdir(at("d"), 0700), 0);
	for (i = 0; i < sizeof rows / sizeof *rows; i++) {
		err_clear(&e);
		cr_assert_eq(chmod(at("d"), rows[i].mode), 0);
		cr_expect_eq(file_check_dir(at("d"), &e), rows[i].want, "%04o", (unsigned)rows[i].mode);
		cr_expect_eq(e.code, rows[i].want == 0 ? ERR_NONE : ERR_SYS);
	}
	cr_assert_eq(chmod(at("d"), 0700), 0);
	cr_assert_eq(symlink("d", at("link")), 0);
	put("file", "x", 0600);
	cr_expect_eq(file_check_dir(at("link"), NULL), -1);
	cr_expect_eq(file_check_dir(at("file"), NULL), -1);
	cr_expect_eq(file_check_dir(at("missing"), NULL), -1);
	if (geteuid() == 0) {
		cr_assert_eq(chown(at("d"), 12345, 0), 0);
		cr_expect_eq(file_check_dir(at("d"), NULL), -1, "another's");
	}
}

Test(base_file, numbered_files_may_have_gaps_but_must_be_files)
{
	struct file_text got[4];
	struct err e = ERR_INIT;
	size_t i;

	put("doc.1.sig", "one", 0600);
	put("doc.3.sig", "three", 0600);
	put("doc.5.sig", "beyond", 0600);
	cr_assert_eq(file_read_numbered(got, 4, at("doc"), ".sig", 5, &e), 0, "%s", e.msg);
	cr_expect_str_eq(got[0].p, "one");
	cr_expect_null(got[1].p);
	cr_expect_str_eq(got[2].p, "three");
	cr_expect_eq(got[2].len, 5);
	cr_expect_null(got[3].p);
	for (i = 0; i < 4; i++)
		free(got[i].p);
	cr_expect_eq(file_read_numbered(got, 4, at("doc"), ".sig", 4, &e), -1);
	cr_expect_eq(e.code, ERR_LIMIT);
	for (i = 0; i < 4; i++)
		free(got[i].p);
	err_clear(&e);
	cr_assert_eq(symlink(at("doc.1.sig"), at("doc.2.sig")), 0);
	cr_expect_eq(file_read_numbered(got, 4, at("doc"), ".sig", 5, &e), -1);
	cr_expect_not_null(strstr(e.msg, "doc.2.sig"), "%s", e.msg);
	for (i = 0; i < 4; i++)
		free(got[i].p);
}
