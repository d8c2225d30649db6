/* SPDX-License-Identifier: BSD-3-Clause */
/* What the store promises while nothing is wrong, and what a full disk does to it. */
#include "config.h"
#include "state.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

TestSuite(store_store, .init = state_setup, .fini = state_teardown);

Test(store_store, what_was_put_is_there_after_another_open)
{
	struct store *s = state_open();
	struct err e = ERR_INIT;
	uint8_t exact[5];
	uint64_t last;
	char *got;
	size_t n;

	state_put(s, STORE_ONION, 1, "one");
	state_put(s, STORE_ONION, 1, "one again");
	state_put(s, STORE_ONION, INT64_MAX, "");
	cr_assert_eq(store_put(s, STORE_KEY, 1, "a\0b\0c", 5, &e), 0);
	store_close(s);
	s = state_open();
	cr_expect(state_holds(s, STORE_ONION, 1, "one again"));
	cr_expect(state_holds(s, STORE_ONION, INT64_MAX, ""));
	cr_assert_eq(store_get_exact(s, STORE_KEY, 1, exact, 5, &e), 0);
	cr_expect_arr_eq(exact, "a\0b\0c", 5);
	cr_expect_eq(store_get_exact(s, STORE_KEY, 1, exact, 4, &e), -1, "another length");
	cr_expect_eq(e.code, ERR_STATE);
	err_clear(&e);
	cr_expect_eq(store_get(s, STORE_ONION, 2, &got, &n, &e), -1);
	cr_expect_eq(e.code, ERR_NOTFOUND);
	err_clear(&e);
	cr_expect_eq(store_put(s, STORE_ONION, (uint64_t)INT64_MAX + 1, "x", 1, &e), -1);
	cr_expect_eq(e.code, ERR_LIMIT);
	cr_expect_eq(store_last_id(s, STORE_ONION, &last, NULL), 0);
	cr_expect_eq(last, INT64_MAX);
	cr_expect_eq(store_last_id(s, STORE_PROBE, &last, NULL), 0);
	cr_expect_eq(last, 0, "none");
	store_close(s);
}

Test(store_store, the_largest_value_fits_and_one_more_byte_does_not)
{
	size_t n = 1024 * 1024, got_n;
	char *big = malloc(n + 1), *got;
	struct store *s = state_open();
	struct err e = ERR_INIT;

	memset(big, 'x', n + 1);
	cr_assert_eq(store_put(s, STORE_HEAD, 1, big, n, &e), 0, "%s", e.msg);
	cr_expect_eq(store_put(s, STORE_HEAD, 2, big, n + 1, &e), -1);
	cr_expect_eq(e.code, ERR_LIMIT);
	cr_assert_eq(store_get(s, STORE_HEAD, 1, &got, &got_n, NULL), 0);
	cr_expect(got_n == n && memcmp(got, big, n) == 0);
	free(got);
	free(big);
	store_close(s);
}

struct ids {
	uint64_t got[8];
	size_t n, stop;
};

static bool
on_row(uint64_t id, const char *p, size_t n, void *arg)
{
	struct ids *ids = arg;

	(void)p;
	(void)n;
	ids->got[ids->n++] = id;
	return ids->n < ids->stop;
}

Test(store_store, rows_come_by_rising_id_and_old_ones_can_be_trimmed)
{
	struct store *s = state_open();
	static const uint64_t ids[] = { 300, 7, 20 };
	struct ids seen = { .stop = 8 };
	size_t i;

	for (i = 0; i < 3; i++)
		state_put(s, STORE_PROBE, ids[i], "probe");
	state_put(s, STORE_HISTORY, 1, "of another table");
	cr_assert_eq(store_each(s, STORE_PROBE, 0, on_row, &seen, NULL), 0);
	cr_expect_eq(seen.n, 3);
	cr_expect(seen.got[0] == 7 && seen.got[1] == 20 && seen.got[2] == 300);
	seen = (struct ids){ .stop = 1 };
	cr_assert_eq(store_each(s, STORE_PROBE, 7, on_row, &seen, NULL), 0);
	cr_expect(seen.n == 1 && seen.got[0] == 20, "after 7, and told to stop");
	cr_assert_eq(store_trim(s, STORE_PROBE, 20, NULL), 0);
	seen = (struct ids){ .stop = 8 };
	cr_assert_eq(store_each(s, STORE_PROBE, 0, on_row, &seen, NULL), 0);
	cr_expect(seen.n == 1 && seen.got[0] == 300);
	cr_expect(state_holds(s, STORE_HISTORY, 1, "of another table"));
	store_close(s);
}

Test(store_store, a_transaction_is_taken_back_whole)
{
	struct store *s = state_open();

	state_put(s, STORE_ONION, 1, "before");
	cr_assert_eq(store_begin(s, NULL), 0);
	state_put(s, STORE_ONION, 1, "after");
	state_put(s, STORE_LEAF, 1, "leaf");
	cr_expect(state_holds(s, STORE_ONION, 1, "after"));
	store_rollback(s);
	cr_expect(state_holds(s, STORE_ONION, 1, "before"));
	cr_expect_not(state_holds(s, STORE_LEAF, 1, "leaf"));
	cr_expect_eq(store_commit(s, NULL), -1, "there is none");
	store_close(s);
}

Test(store_store, a_second_daemon_is_told_that_the_folder_is_in_use)
{
	struct store *s = state_open();
	struct err e = state_refused(&state_key);

	cr_expect_eq(e.code, ERR_STATE);
	cr_expect_not_null(strstr(e.msg, "is in use by another onionmirrord"), "%s", e.msg);
	state_put(s, STORE_ONION, 1, "still ours");
	store_close(s);
	store_close(state_open());
}

Test(store_store, nothing_in_the_folder_is_readable_by_others)
{
	struct store *s;
	struct dirent *de;
	struct stat st;
	int files = 0;
	DIR *d;

	umask(0);
	s = state_open();
	state_put(s, STORE_KEY, 1, "x");
	d = opendir(state_dir);
	while ((de = readdir(d)) != NULL) {
		if (de->d_name[0] == '.')
			continue;
		cr_assert_eq(stat(state_path(de->d_name), &st), 0);
		cr_expect_eq(st.st_mode & 077, 0, "%s has mode %o", de->d_name, st.st_mode);
		files++;
	}
	closedir(d);
	cr_expect_geq(files, 3, "database, log and lock");
	store_close(s);
}

Test(store_store, a_folder_that_others_can_write_to_is_refused)
{
	cr_assert_eq(chmod(state_dir, 0770), 0);
	cr_expect_not_null(strstr(state_refused(&state_key).msg, "chmod 0700"));
	chmod(state_dir, 0700);
}

Test(store_store, a_state_dir_behind_a_symlinked_parent_works)
{
	char link[80], under[128];
	struct err e = ERR_INIT;
	struct store *s = NULL;

	snprintf(link, sizeof link, "%s.link", state_dir);
	snprintf(under, sizeof under, "%s/%s", link, strrchr(state_dir, '/') + 1);
	cr_assert_eq(symlink("/tmp", link), 0);
	cr_expect_eq(store_open(&s, under, &state_key, &e), 0, "%s", e.msg);
	store_close(s);
	unlink(link);
}

/* Whether any file of the folder holds the bytes. */
static bool
somewhere(const uint8_t *p, size_t n)
{
	struct dirent *de;
	DIR *d = opendir(state_dir);
	bool found = false;
	size_t len;
	char *text;

	while ((de = readdir(d)) != NULL) {
		if (de->d_name[0] == '.')
			continue;
		text = state_read(de->d_name, &len);
		found |= memmem(text, len, p, n) != NULL;
		free(text);
	}
	closedir(d);
	return found;
}

/* The sealed bytes of a key, as they are on the disk. */
static void
sealed_key(int64_t id, uint8_t sealed[64 + SEAL_OVERHEAD])
{
	sqlite3_stmt *st;
	sqlite3 *db;

	cr_assert_eq(sqlite3_open(state_path("store.db"), &db), SQLITE_OK);
	cr_assert_eq(sqlite3_prepare_v2(db, "SELECT v FROM value WHERE t = ? AND id = ?", -1, &st, NULL), SQLITE_OK);
	sqlite3_bind_int(st, 1, STORE_KEY);
	sqlite3_bind_int64(st, 2, id);
	cr_assert_eq(sqlite3_step(st), SQLITE_ROW);
	cr_assert_eq(sqlite3_column_bytes(st, 0), 64 + SEAL_OVERHEAD);
	memcpy(sealed, sqlite3_column_blob(st, 0), 64 + SEAL_OVERHEAD);
	sqlite3_finalize(st);
	sqlite3_close(db);
}

#define KEYS 100

/* Enough keys in a mixed order that pages were split; wrapped: in a transaction. `how` makes key 41 go. */
static void
check_gone(void (*how)(struct store *s))
{
	uint8_t sealed[64 + SEAL_OVERHEAD], key[64] = { 9 }, other[64 + SEAL_OVERHEAD];
	struct store *s = state_open();
	uint64_t i;

	for (i = 0; i < KEYS; i++)
		cr_assert_eq(store_put(s, STORE_KEY, 1 + i * 37 % KEYS, key, 64, NULL), 0);
	sealed_key(41, sealed);
	sealed_key(42, other);
	cr_assert(somewhere(sealed, sizeof sealed));
	how(s);
	cr_expect_not(somewhere(sealed, sizeof sealed), "all of it");
	cr_expect_not(somewhere(sealed + 24, 16), "a part of it");
	cr_expect(somewhere(other, sizeof other), "the next one is still there");
	store_close(s);
	cr_expect_not(somewhere(sealed + 24, 16), "after close");
}

static void
delete_alone(struct store *s)
{
	cr_assert_eq(store_delete(s, STORE_KEY, 41, NULL), 0);
	cr_assert_eq(store_delete(s, STORE_KEY, 41, NULL), 0, "not there: fine");
}

static void
delete_in_transaction(struct store *s)
{
	cr_assert_eq(store_begin(s, NULL), 0);
	cr_assert_eq(store_delete(s, STORE_KEY, 41, NULL), 0);
	state_put(s, STORE_ONION, 41, "without a key");
	cr_assert_eq(store_commit(s, NULL), 0);
}

static void
replace(struct store *s)
{
	uint8_t key[64] = { 8 };

	cr_assert_eq(store_put(s, STORE_KEY, 41, key, 64, NULL), 0);
}

Test(store_store, a_deleted_key_is_in_no_file)
{
	check_gone(delete_alone);
}

Test(store_store, a_key_deleted_in_a_transaction_is_in_no_file)
{
	check_gone(delete_in_transaction);
}

Test(store_store, a_replaced_key_is_in_no_file)
{
	check_gone(replace);
}

Test(store_store, a_full_disk_is_told_and_the_old_state_stays_readable)
{
	size_t n = 512 * 1024;
	char *big = calloc(1, n);
	struct store *s = state_open();
	struct err e = ERR_INIT;
	int i;

	state_put(s, STORE_ONION, 1, "old");
	for (i = 0; i < 3; i++) {
		state_limit(100 * 1024);
		err_clear(&e);
		if (i == 1)
			cr_assert_eq(store_begin(s, NULL), 0);
		cr_expect_eq(store_put(s, STORE_HEAD, 1, big, n, &e) == 0 && i == 1 && store_commit(s, &e) == 0, false);
		cr_expect_eq(e.code, ERR_SYS, "%d: %s", i, e.msg);
		cr_expect_eq(e.sys, ENOSPC, "%d: %d", i, e.sys);
		cr_expect_not_null(strstr(e.msg, "disk is full"), "%s", e.msg);
		store_rollback(s);
		cr_expect(state_holds(s, STORE_ONION, 1, "old"));
		state_limit(0);
	}
	err_clear(&e);
	cr_expect_eq(store_put(s, STORE_HEAD, 1, big, n, &e), 0, "room again: %s", e.msg);
	store_close(s);
	s = state_open();
	cr_expect(state_holds(s, STORE_ONION, 1, "old"));
	store_close(s);
	free(big);
}

Test(store_store, a_full_disk_at_the_first_start_leaves_a_folder_that_works_later)
{
	struct err e;

	state_limit(1000);
	e = state_refused(&state_key);
	state_limit(0);
	cr_expect_eq(e.sys, ENOSPC, "%d %s", e.sys, e.msg);
	store_close(state_open());
}

/* As somebody to whom modes matter: open with the folder's mode, then one write. The errno that was told, 0: none. */
static int
errno_of_unprivileged(mode_t dir_mode, mode_t db_mode)
{
	struct err e = ERR_INIT;
	struct store *s = NULL;
	struct dirent *de;
	int status;
	pid_t pid;
	DIR *d;

	if (geteuid() == 0) {
		d = opendir(state_dir);
		while ((de = readdir(d)) != NULL)
			if (strcmp(de->d_name, "..") != 0)
				cr_assert_eq(chown(state_path(de->d_name), 65534, 65534), 0);
		closedir(d);
	}
	chmod(state_path("store.db"), db_mode);
	chmod(state_dir, dir_mode);
	pid = fork();
	if (pid == 0) {
		if (geteuid() == 0 && setresuid(65534, 65534, 65534) != 0)
			_exit(250);
		if (store_open(&s, state_dir, &state_key, &e) == 0)
			(void)store_put(s, STORE_ONION, 9, "x", 1, &e);
		store_close(s);
		_exit(e.code == ERR_NONE ? 0 : e.code == ERR_SYS ? e.sys : 251);
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	chmod(state_dir, 0700);
	cr_assert_eq(chown(state_dir, geteuid(), getegid()), 0);
	cr_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

Test(store_store, a_folder_or_file_without_write_permission_is_told)
{
	cr_expect_eq(errno_of_unprivileged(0500, 0600), EACCES, "nothing can be made in it");
	state_fill();
	cr_expect_eq(errno_of_unprivileged(0700, 0600), 0, "nothing in the way");
	cr_expect_eq(errno_of_unprivileged(0500, 0600), EROFS, "a store that can't have a log");
	cr_expect_eq(errno_of_unprivileged(0700, 0400), EROFS);
}
