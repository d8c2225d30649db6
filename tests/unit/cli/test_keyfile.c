/* SPDX-License-Identifier: BSD-3-Clause */
/* Key files: made whole, never overwritten, opened only with their passphrase. */
#include "config.h"
#include "cli/keyfile.h"

#include "base/mem.h"
#include "cli/cli.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Calls that still work, negative: all; the program is linked with --wrap. */
static int links_left = -1, fsyncs_left = -1;

int __real_link(const char *from, const char *to);
int __real_fsync(int fd);
int __wrap_link(const char *from, const char *to);
int __wrap_fsync(int fd);

static bool
is_used_up(int *left)
{
	if (*left == 0)
		errno = ENOSPC;
	return *left == 0 || (*left > 0 && (*left)-- == 0);
}

int
__wrap_link(const char *from, const char *to)
{
	return is_used_up(&links_left) ? -1 : __real_link(from, to);
}

int
__wrap_fsync(int fd)
{
	return is_used_up(&fsyncs_left) ? -1 : __real_fsync(fd);
}

static char dir[64], stem[96], key_path[128], pub_path[128];

static void
start(void)
{
	cr_assert(sodium_init() >= 0);
	snprintf(dir, sizeof dir, "/tmp/unit-cli-XXXXXX");
	cr_assert_not_null(mkdtemp(dir));
	snprintf(stem, sizeof stem, "%s/k", dir);
	snprintf(key_path, sizeof key_path, "%s.key", stem);
	snprintf(pub_path, sizeof pub_path, "%s.pub", stem);
}

static void
stop(void)
{
	unlink(key_path);
	unlink(pub_path);
	rmdir(dir);
}

TestSuite(cli_keyfile, .init = start, .fini = stop);

/* A descriptor from which this line is read, as text. */
static const char *
fd_with(const char *line)
{
	static char text[16];
	int fds[2];

	cr_assert_eq(pipe(fds), 0);
	cr_assert_eq(write(fds[1], line, strlen(line)), (ssize_t)strlen(line));
	close(fds[1]);
	snprintf(text, sizeof text, "%d", fds[0]);
	return text;
}

Test(cli_keyfile, a_pair_is_for_its_owner_and_belongs_together)
{
	const struct keyfile_seal seal = { .none = true };
	uint8_t made[DOC_KEY_LEN], read[DOC_KEY_LEN];
	struct minisign_seckey *key = NULL;
	struct err e = ERR_INIT;
	struct stat st;

	cr_assert_eq(keyfile_new(stem, &seal, made, &e), 0, "%s", e.msg);
	cr_assert_eq(stat(key_path, &st), 0);
	cr_expect_eq(st.st_mode & 0777, 0600);
	cr_assert_eq(keyfile_public(read, pub_path, &e), 0, "%s", e.msg);
	cr_expect_arr_eq(read, made, sizeof made);
	cr_assert_eq(keyfile_open(&key, key_path, NULL, &e), 0, "%s", e.msg);
	cr_expect_arr_eq(key->sk + 32, made, sizeof made);
	secret_free(key);
	cr_assert_eq(chmod(key_path, 0644), 0);
	cr_expect_eq(keyfile_open(&key, key_path, NULL, &e), -1, "others could have read it");
}

Test(cli_keyfile, neither_half_is_ever_overwritten)
{
	const struct keyfile_seal seal = { .none = true };
	uint8_t pk[DOC_KEY_LEN];
	struct err e = ERR_INIT;

	close(open(pub_path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
	cr_expect_eq(keyfile_new(stem, &seal, pk, &e), -1);
	cr_expect_not_null(strstr(e.msg, "k.pub exists"), "%s", e.msg);
	cr_expect_eq(access(key_path, F_OK), -1, "no half a pair");
}

/* A link that leads nowhere is a name in use too; nobody types a passphrase for it in vain. */
Test(cli_keyfile, both_names_are_looked_at_before_the_passphrase_is_read)
{
	const char *names[] = { key_path, pub_path };
	struct keyfile_seal seal = { .fd = fd_with("long enough a phrase\n") };
	uint8_t pk[DOC_KEY_LEN];
	struct err e;
	char c;
	size_t i;

	for (i = 0; i < 2; i++) {
		err_clear(&e);
		cr_assert_eq(symlink("nowhere", names[i]), 0);
		cr_expect_eq(keyfile_new(stem, &seal, pk, &e), -1);
		cr_expect_not_null(strstr(e.msg, "exists"), "%s", e.msg);
		cr_assert_eq(unlink(names[i]), 0);
	}
	cr_expect_eq(read(atoi(seal.fd), &c, 1), 1);
	cr_expect_eq(c, 'l', "nothing of it was read");
}

/* A disk that fills up between the halves, or that fails at the end of one. */
Test(cli_keyfile, no_half_a_pair_stays_when_the_rest_cannot_be_written)
{
	static const struct {
		const char *what;
		int *left;
		int good;
	} rows[] = { { "link of the public half", &links_left, 1 }, { "fsync of the folder with the secret half", &fsyncs_left, 1 },
		{ "fsync of the folder with both", &fsyncs_left, 3 } };
	const struct keyfile_seal seal = { .none = true };
	uint8_t pk[DOC_KEY_LEN];
	struct err e;
	size_t i;

	for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		err_clear(&e);
		*rows[i].left = rows[i].good;
		cr_expect_eq(keyfile_new(stem, &seal, pk, &e), -1, "%s", rows[i].what);
		*rows[i].left = -1;
		cr_expect_not_null(strstr(e.msg, "No space left"), "%s: %s", rows[i].what, e.msg);
		cr_expect_eq(access(key_path, F_OK), -1, "%s", rows[i].what);
		cr_expect_eq(access(pub_path, F_OK), -1, "%s", rows[i].what);
	}
	err_clear(&e);
	cr_expect_eq(keyfile_new(stem, &seal, pk, &e), 0, "%s", e.msg);
}

/* minisign -G -c gives the secret half a comment of any length. */
Test(cli_keyfile, show_knows_a_secret_key_whatever_its_comment)
{
	const struct keyfile_seal seal = { .none = true };
	char verb[] = "show", *argv[] = { verb, key_path, NULL }, text[1024], shorter[1024];
	uint8_t pk[DOC_KEY_LEN];
	struct err e = ERR_INIT;
	struct cli c = { 0 };
	ssize_t n;
	int fd;

	cr_assert_eq(keyfile_new(stem, &seal, pk, &e), 0, "%s", e.msg);
	fd = open(key_path, O_RDWR | O_CLOEXEC);
	n = read(fd, text, sizeof text - 1);
	cr_assert_gt(n, 0);
	text[n] = '\0';
	n = snprintf(shorter, sizeof shorter, "untrusted comment: x%s", strchr(text, '\n'));
	cr_assert_eq(pwrite(fd, shorter, (size_t)n, 0), n);
	cr_assert_eq(ftruncate(fd, n), 0);
	close(fd);
	cr_expect_eq(verb_key_show(&c, 2, argv), CLI_DONE);
}

Test(cli_keyfile, a_sealed_key_opens_with_its_passphrase_only, .timeout = 120)
{
	struct keyfile_seal seal = { .fd = fd_with("too few\n") };
	struct minisign_seckey *key = NULL;
	uint8_t pk[DOC_KEY_LEN];
	struct err e = ERR_INIT;

	cr_expect_eq(keyfile_new(stem, &seal, pk, &e), -1);
	cr_expect_not_null(strstr(e.msg, "at least 8"), "%s", e.msg);
	cr_expect_eq(access(key_path, F_OK), -1);
	err_clear(&e);
	seal.fd = fd_with("long enough a phrase\nand another line\n");
	cr_assert_eq(keyfile_new(stem, &seal, pk, &e), 0, "%s", e.msg);
	cr_expect_eq(keyfile_open(&key, key_path, fd_with("not this phrase\n"), &e), -1);
	cr_expect_eq(e.code, ERR_AUTH, "%s", e.msg);
	cr_expect_null(key);
	err_clear(&e);
	cr_assert_eq(keyfile_open(&key, key_path, fd_with("long enough a phrase\n"), &e), 0, "%s", e.msg);
	cr_expect_arr_eq(key->sk + 32, pk, sizeof pk);
	secret_free(key);
}

Test(cli_keyfile, a_descriptor_is_a_number)
{
	static const char *const bad[] = { "", "x", "-1", "3x", "99999999999999999999" };
	struct secret_text *t = NULL;
	struct err e;
	size_t i;

	for (i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		err_clear(&e);
		cr_expect_eq(passphrase_get(&t, bad[i], "", false, &e), -1);
		cr_expect_not_null(strstr(e.msg, "not a file descriptor"), "%s", e.msg);
	}
}
