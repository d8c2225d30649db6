/* SPDX-License-Identifier: BSD-3-Clause */
/* The trust store as a file: one lock however it is named, and nothing of others is touched. */
#include "config.h"
#include "cli/trust.h"

#include "support/tree.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

static char dir[64], store[96];
static struct trust trust = TRUST_INIT;
static struct err e;

static void
start(void)
{
	snprintf(dir, sizeof dir, "/tmp/unit-trust-XXXXXX");
	cr_assert_not_null(mkdtemp(dir));
	snprintf(store, sizeof store, "%s/store", dir);
}

static void
stop(void)
{
	trust_close(&trust);
	tree_remove(dir);
}

TestSuite(cli_trust, .init = start, .fini = stop);

static const char *
inside(const char *name)
{
	static char path[160];

	snprintf(path, sizeof path, "%s/%s", dir, name);
	return path;
}

static void
touch(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	cr_assert_geq(fd, 0);
	close(fd);
}

Test(cli_trust, a_link_is_refused_also_one_that_leads_nowhere)
{
	int i;

	cr_assert_eq(symlink(store, inside("link")), 0);
	for (i = 0; i < 2; i++) {
		err_clear(&e);
		cr_expect_eq(trust_locate(&trust, NULL, inside("link"), &e), -1);
		cr_expect_not_null(strstr(e.msg, "is a symbolic link; name the file itself"), "%s", e.msg);
		trust_close(&trust);
		touch(store);
	}
	cr_expect_eq(access(inside("link.lock"), F_OK), -1);
}

Test(cli_trust, only_what_a_crash_of_ours_left_is_removed)
{
	static const char *const others[] = { "store.tmp-", "store.tmp-0123456789abcde", "store.tmp-0123456789abcdef0",
		"store.tmp-0123456789abcdeF", "store.tmp-2026-11-24.notes", "other.tmp-0123456789abcdef" };
	size_t i;

	for (i = 0; i < sizeof others / sizeof others[0]; i++)
		touch(inside(others[i]));
	touch(inside("store.tmp-0123456789abcdef"));
	cr_assert_eq(trust_locate(&trust, NULL, store, &e), 0);
	cr_assert_eq(trust_open(&trust, NULL, &e), 0, "%s", e.msg);
	cr_expect_eq(access(inside("store.tmp-0123456789abcdef"), F_OK), -1);
	for (i = 0; i < sizeof others / sizeof others[0]; i++)
		cr_expect_eq(access(inside(others[i]), F_OK), 0, "%s", others[i]);
}

/* A child holds the lock until its end of the pipe is closed. */
static pid_t
hold(int *gate)
{
	int ready[2], go[2], fd;
	pid_t pid;
	char c;

	cr_assert_eq(pipe(ready), 0);
	cr_assert_eq(pipe(go), 0);
	pid = fork();
	cr_assert_geq(pid, 0);
	if (pid == 0) {
		close(go[1]);
		fd = open(inside("store.lock"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		if (fd < 0 || flock(fd, LOCK_EX) != 0 || write(ready[1], "x", 1) != 1 || read(go[0], &c, 1) < 0)
			_exit(1);
		_exit(0);
	}
	close(go[0]);
	cr_assert_eq(read(ready[0], &c, 1), 1);
	close(ready[0]);
	close(ready[1]);
	*gate = go[1];
	return pid;
}

Test(cli_trust, a_lock_that_is_held_for_ever_is_said, .timeout = 60)
{
	int gate, status;
	pid_t pid = hold(&gate);

	cr_assert_eq(trust_locate(&trust, NULL, store, &e), 0);
	cr_expect_eq(trust_open(&trust, NULL, &e), -1);
	cr_expect_not_null(strstr(e.msg, "another onionmirror holds it"), "%s", e.msg);
	trust_close(&trust);
	close(gate);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_expect_eq(status, 0);
	err_clear(&e);
	cr_assert_eq(trust_locate(&trust, NULL, store, &e), 0);
	cr_expect_eq(trust_open(&trust, NULL, &e), 0, "%s", e.msg);
}
