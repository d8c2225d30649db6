/* SPDX-License-Identifier: BSD-3-Clause */
/* A disk that loses writes: fdatasync() fails when told to, and the store must not go on as if nothing had been. */
#include "config.h"
#include "state.h"

#include "store/store_impl.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int failing = -1; /* how many calls until one fails, -1: none does */
static int syncs;

int fdatasync(int fd) __attribute__((visibility("default")));

/* In place of the C library's, also for SQLite. */
int
fdatasync(int fd)
{
	syncs++;
	if (failing >= 0 && failing-- == 0) {
		errno = EIO;
		return -1;
	}
	return (int)syscall(SYS_fdatasync, fd);
}

TestSuite(store_disk, .init = state_setup, .fini = state_teardown);

Test(store_disk, nothing_is_written_after_a_failed_fsync)
{
	struct store *s = state_open();
	struct err e = ERR_INIT;

	state_put(s, STORE_ONION, 1, "before");
	syncs = 0;
	failing = 0;
	cr_expect_eq(store_put(s, STORE_ONION, 2, "lost", 4, &e), -1);
	cr_assert_gt(syncs, 0, "a write is synced");
	cr_expect_eq(e.code, ERR_SYS);
	cr_expect_eq(e.sys, EIO);
	cr_expect_not_null(strstr(e.msg, "fsync failed"), "%s", e.msg);
	err_clear(&e);
	syncs = 0;
	cr_expect_eq(store_put(s, STORE_ONION, 3, "after", 5, &e), -1);
	cr_expect_not_null(strstr(e.msg, "earlier fsync"), "%s", e.msg);
	cr_expect_eq(store_begin(s, NULL), -1);
	cr_expect_eq(store_delete(s, STORE_KEY, 1, NULL), -1);
	cr_expect_eq(store_trim(s, STORE_ONION, 1, NULL), -1);
	cr_expect_eq(syncs, 0, "not even tried");
	cr_expect(state_holds(s, STORE_ONION, 1, "before"), "reading goes on");
	store_close(s);
	s = state_open();
	cr_expect(state_holds(s, STORE_ONION, 1, "before"));
	state_put(s, STORE_ONION, 3, "after");
	store_close(s);
}

Test(store_disk, a_commit_is_synced_or_fails)
{
	struct store *s = state_open();
	struct err e = ERR_INIT;

	state_put(s, STORE_ONION, 1, "old");
	cr_assert_eq(store_begin(s, NULL), 0);
	state_put(s, STORE_ONION, 1, "new");
	failing = 0;
	cr_expect_eq(store_commit(s, &e), -1);
	cr_expect_eq(e.sys, EIO, "%s", e.msg);
	cr_expect(state_holds(s, STORE_ONION, 1, "old"));
	store_close(s);
}

/* SQLite does this by itself when, say, the disk is full or memory runs out. */
Test(store_disk, what_follows_in_a_transaction_that_ended_is_not_written)
{
	struct store *s = state_open();
	struct err e = ERR_INIT;

	cr_assert_eq(store_begin(s, NULL), 0);
	state_put(s, STORE_ONION, 1, "first half");
	cr_assert_eq(sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
	cr_expect_eq(store_put(s, STORE_ONION, 2, "second half", 11, &e), -1);
	cr_expect_not_null(strstr(e.msg, "ended this transaction"), "%s", e.msg);
	cr_expect_eq(store_commit(s, NULL), -1);
	state_put(s, STORE_ONION, 3, "by itself");
	cr_expect_not(state_holds(s, STORE_ONION, 2, "second half"));
	store_close(s);
}

Test(store_disk, nothing_is_written_to_a_file_that_was_taken_away)
{
	struct store *s = state_open();
	struct err e = ERR_INIT;
	char path[128], away[128];

	state_put(s, STORE_ONION, 1, "before");
	snprintf(path, sizeof path, "%s/store.db", state_dir);
	snprintf(away, sizeof away, "%s/away", state_dir);
	cr_assert_eq(store_begin(s, NULL), 0);
	cr_assert_eq(store_put(s, STORE_ONION, 2, "lost", 4, NULL), 0);
	cr_assert_eq(rename(path, away), 0);
	cr_expect_eq(store_commit(s, &e), -1);
	cr_expect_not_null(strstr(e.msg, "taken away"), "%s", e.msg);
	cr_expect_eq(store_put(s, STORE_ONION, 3, "lost", 4, NULL), -1);
	cr_assert_eq(rename(away, path), 0);
	cr_expect_eq(store_put(s, STORE_ONION, 4, "there", 5, NULL), 0);
	store_close(s);
	s = state_open();
	cr_expect_not(state_holds(s, STORE_ONION, 2, "lost"));
	cr_expect_not(state_holds(s, STORE_ONION, 3, "lost"));
	cr_expect(state_holds(s, STORE_ONION, 4, "there"));
	store_close(s);
}
