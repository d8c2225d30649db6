/* SPDX-License-Identifier: BSD-3-Clause */
/* State that is not what was written: refused with a message that helps, never repaired over. */
#include "config.h"
#include "state.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

TestSuite(store_damage, .init = state_setup, .fini = state_teardown);

Test(store_damage, another_key_opens_nothing)
{
	struct master_key wrong = state_key;
	struct store *s;
	struct err e;

	state_fill();
	wrong.bytes[31] ^= 1;
	e = state_refused(&wrong);
	cr_expect_eq(e.code, ERR_CRYPTO);
	cr_expect_not_null(strstr(e.msg, "another master key or passphrase"), "%s", e.msg);
	s = state_open();
	cr_expect_eq(state_check(s), 0, "the right one still does");
	store_close(s);
}

Test(store_damage, another_version_is_named)
{
	struct err e;

	state_fill();
	state_sql("PRAGMA user_version = 2");
	e = state_refused(&state_key);
	cr_expect_eq(e.code, ERR_STATE);
	cr_expect_not_null(strstr(e.msg, "state version 2, and this onionmirrord knows version 1"), "%s", e.msg);
}

Test(store_damage, a_database_of_another_program_is_left_alone)
{
	char *before, *after;
	size_t n, n_after;
	struct err e;

	state_sql("CREATE TABLE recipes(name TEXT); INSERT INTO recipes VALUES('soup')");
	before = state_read("store.db", &n);
	e = state_refused(&state_key);
	cr_expect_eq(e.code, ERR_STATE);
	cr_expect_not_null(strstr(e.msg, "not a store of onionmirror"), "%s", e.msg);
	after = state_read("store.db", &n_after);
	cr_expect(n == n_after && memcmp(before, after, n) == 0);
	free(before);
	free(after);
}

Test(store_damage, a_file_that_is_no_database_is_left_alone)
{
	char text[5000], *after;
	struct err e;
	size_t n;

	memset(text, 'x', sizeof text);
	state_write("store.db", text, sizeof text);
	e = state_refused(&state_key);
	cr_expect_eq(e.code, ERR_STATE, "%s", e.msg);
	after = state_read("store.db", &n);
	cr_expect(n == sizeof text && memcmp(after, text, n) == 0);
	free(after);
}

Test(store_damage, a_symlink_or_a_fifo_is_refused)
{
	cr_assert_eq(symlink("/dev/null", state_path("store.db")), 0);
	cr_expect_not_null(strstr(state_refused(&state_key).msg, "not a regular file"));
	unlink(state_path("store.db"));
	cr_assert_eq(mkfifo(state_path("store.db"), 0600), 0);
	cr_expect_not_null(strstr(state_refused(&state_key).msg, "not a regular file"));
}

/* 4096 is a whole page; 0 is what a file system may leave behind after a power cut. */
Test(store_damage, a_truncated_file_is_refused_and_not_begun_anew)
{
	size_t n, i, cuts[] = { 0, 1, 15, 50, 99, 100, 511, 512, 2000, 4096, 5000, 8192 };
	struct store *s;
	struct err e;
	char *whole;

	state_fill();
	whole = state_read("store.db", &n);
	cr_assert_gt(n, 3 * 4096u);
	for (i = 0; i < sizeof cuts / sizeof cuts[0]; i++) {
		state_write("store.db", whole, cuts[i]);
		e = state_refused(&state_key);
		cr_expect_eq(e.code, ERR_STATE, "%zu: %s", cuts[i], e.msg);
		cr_expect_not_null(strstr(e.msg, "backup"), "%zu: %s", cuts[i], e.msg);
	}
	for (i = 1; i < n / 4096; i++) {
		state_write("store.db", whole, i * 4096);
		cr_expect_eq(state_refused(&state_key).code, ERR_STATE, "%zu pages", i);
	}
	state_write("store.db", whole, n - 1);
	cr_expect_eq(state_refused(&state_key).code, ERR_STATE, "the last byte");
	state_write("store.db", whole, n);
	s = state_open();
	cr_expect_eq(state_check(s), 0);
	store_close(s);
	free(whole);
}

/* Every bit of the header, and bits of every other part of each page; with OM_TEST_FULL=1 of every byte, which takes minutes. */
static size_t
next_bit(size_t bit)
{
	if (bit < 200 * 8)
		return bit + 1;
	return getenv("OM_TEST_FULL") == NULL ? bit + 211 : (bit / 8 + 1) * 8 + (bit + 1) % 8;
}

Test(store_damage, flipped_bits_are_detected_or_harmless, .timeout = 1200)
{
	size_t n, bit, told = 0, silent = 0;
	struct store *s;
	char *whole;
	int r;

	state_fill();
	whole = state_read("store.db", &n);
	for (bit = 0; bit < n * 8; bit = next_bit(bit)) {
		whole[bit / 8] ^= (char)(1 << bit % 8);
		state_write("store.db", whole, n);
		s = NULL;
		r = store_open(&s, state_dir, &state_key, NULL) == 0 ? state_check(s) : -1;
		store_close(s);
		told += r == -1;
		silent += r == -2;
		cr_expect_neq(r, -2, "bit %zu of byte %zu", bit % 8, bit / 8);
		whole[bit / 8] ^= (char)(1 << bit % 8);
		unlink(state_path("store.db-wal"));
		unlink(state_path("store.db-shm"));
		unlink(state_path("store.db-journal"));
	}
	cr_expect_eq(silent, 0);
	cr_expect_gt(told, n * 8 / 211 / 2, "most bits matter: %zu", told);
	free(whole);
}

Test(store_damage, a_value_that_was_moved_does_not_open)
{
	static const char *const moves[] = {
		"UPDATE value SET v = (SELECT v FROM value WHERE t = 3 AND id = 2) WHERE t = 3 AND id = 1",
		"UPDATE value SET v = (SELECT v FROM value WHERE t = 2 AND id = 1) WHERE t = 3 AND id = 1",
		"UPDATE value SET v = substr(v, 1, 39) WHERE t = 3 AND id = 1",
		"UPDATE value SET v = x'' WHERE t = 3 AND id = 1",
		"UPDATE value SET v = 'text' WHERE t = 3 AND id = 1",
	};
	uint8_t exact[64];
	struct store *s;
	struct err e;
	size_t i, n;
	char *got;

	for (i = 0; i < sizeof moves / sizeof moves[0]; i++) {
		state_fill();
		s = state_open();
		state_sql(moves[i]);
		err_clear(&e);
		cr_expect_eq(store_get(s, STORE_KEY, 1, &got, &n, &e), -1, "%s", moves[i]);
		cr_expect_eq(e.code, ERR_STATE);
		cr_expect_not_null(strstr(e.msg, "row 3/1 does not open"), "%s", e.msg);
		cr_expect_eq(store_get_exact(s, STORE_KEY, 1, exact, sizeof exact, NULL), -1);
		cr_expect_eq(state_check(s), -1, "nor does a walk pass over it");
		store_close(s);
		e = state_refused(&state_key);
		cr_expect_eq(e.code, ERR_STATE);
		cr_expect_not_null(strstr(e.msg, "row 3/1 does not open"), "%s", e.msg);
		unlink(state_path("store.db"));
	}
}

Test(store_damage, a_row_in_a_place_that_nobody_asks_for_is_noticed)
{
	static const char *const sqls[] = {
		"UPDATE value SET t = 39 WHERE t = 7 AND id = 12",
		"UPDATE value SET t = 0 WHERE t = 1 AND id = 1",
		"UPDATE value SET id = -1 WHERE t = 1 AND id = 1",
		"UPDATE value SET id = 13 WHERE t = 4 AND id = 12",
	};
	size_t i;

	for (i = 0; i < sizeof sqls / sizeof sqls[0]; i++) {
		state_fill();
		state_sql(sqls[i]);
		cr_expect_eq(state_refused(&state_key).code, ERR_STATE, "%s", sqls[i]);
		unlink(state_path("store.db"));
	}
}

Test(store_damage, a_lost_database_beside_its_log_is_not_begun_anew)
{
	state_write("store.db-wal", "x", 1);
	cr_expect_eq(state_refused(&state_key).code, ERR_STATE);
	cr_expect_eq(access(state_path("store.db"), F_OK), -1);
}

Test(store_damage, a_store_without_its_check_value_is_refused)
{
	struct err e;

	state_fill();
	state_sql("DELETE FROM value WHERE t = 0");
	e = state_refused(&state_key);
	cr_expect_eq(e.code, ERR_STATE);
	cr_expect_not_null(strstr(e.msg, "no check value"), "%s", e.msg);
}
