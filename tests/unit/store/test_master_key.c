/* SPDX-License-Identifier: BSD-3-Clause */
/* The master key: what its file must look like, and a passphrase with its kdf.json. */
#include "config.h"
#include "state.h"

#include <criterion/criterion.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

TestSuite(store_master_key, .init = state_setup, .fini = state_teardown);

#define HEX "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

static int
from_file(const char *text, mode_t mode, struct err *e)
{
	struct master_key *k = NULL;
	int r, i;

	unlink(state_path("master.key"));
	state_write("master.key", text, strlen(text));
	chmod(state_path("master.key"), mode);
	err_clear(e);
	r = master_key_from_file(&k, state_path("master.key"), e);
	for (i = 0; r == 0 && i < MASTER_KEY_LEN; i++)
		cr_expect_eq(k->bytes[i], i);
	master_key_free(k);
	return r;
}

Test(store_master_key, a_file_holds_64_hex_digits_and_nothing_else)
{
	static const char *const bad[] = { "", "\n", HEX "\n\n", HEX "\r\n", " " HEX, HEX " ", HEX "0", "0" HEX "\n",
		"000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F\n", "0x" HEX };
	struct err e = ERR_INIT;
	size_t i;

	cr_expect_eq(from_file(HEX "\n", 0600, &e), 0, "%s", e.msg);
	cr_expect_eq(from_file(HEX, 0400, &e), 0, "%s", e.msg);
	for (i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		cr_expect_eq(from_file(bad[i], 0600, &e), -1, "%zu", i);
		cr_expect(e.code == ERR_PARSE || e.code == ERR_LIMIT, "%s", e.msg);
		cr_expect_null(strstr(e.msg, "0102030405"), "no part of a key in a message: %s", e.msg);
	}
}

Test(store_master_key, a_file_that_others_can_read_is_refused)
{
	static const mode_t bad[] = { 0604, 0602, 0601, 0620, 0644, 0666, 0777 };
	struct err e = ERR_INIT;
	size_t i;

	for (i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		cr_expect_eq(from_file(HEX "\n", bad[i], &e), -1, "%o", bad[i]);
		cr_expect_not_null(strstr(e.msg, "chmod"), "%s", e.msg);
	}
	cr_expect_eq(from_file(HEX "\n", 0640, &e), 0, "a group may read a credential: %s", e.msg);
}

Test(store_master_key, a_symlink_or_no_file_is_refused)
{
	struct master_key *k = NULL;
	struct err e = ERR_INIT;
	char target[128];

	state_write("real.key", HEX "\n", 65);
	chmod(state_path("real.key"), 0600);
	snprintf(target, sizeof target, "%s", state_path("real.key"));
	cr_assert_eq(symlink(target, state_path("link.key")), 0);
	cr_expect_eq(master_key_from_file(&k, state_path("link.key"), &e), -1);
	cr_expect_not_null(strstr(e.msg, "symbolic link"), "%s", e.msg);
	cr_expect_eq(master_key_from_file(&k, state_path("none.key"), NULL), -1);
	cr_expect_eq(master_key_from_file(&k, state_dir, NULL), -1);
	cr_expect_null(k);
}

/* A cheap one; what the daemon makes itself is looked at below. */
#define CHEAP "{\"algorithm\":\"argon2id13\",\"mem\":8192,\"ops\":1,\"salt\":\"00112233445566778899aabbccddeeff\"}\n"

static int
derive(uint8_t out[32], const char *passphrase)
{
	struct master_key *k = NULL;

	if (master_key_from_passphrase(&k, state_dir, passphrase, strlen(passphrase), NULL) != 0)
		return -1;
	memcpy(out, k->bytes, 32);
	master_key_free(k);
	return 0;
}

Test(store_master_key, the_same_passphrase_gives_the_same_key)
{
	uint8_t a[32], b[32];

	state_write("kdf.json", CHEAP, strlen(CHEAP));
	cr_assert_eq(derive(a, "correct horse"), 0);
	cr_assert_eq(derive(b, "correct horse"), 0);
	cr_expect_arr_eq(a, b, 32);
	cr_assert_eq(derive(b, "correct horsf"), 0);
	cr_expect_arr_neq(a, b, 32);
	cr_assert_eq(derive(b, "correct horse "), 0, "all bytes count");
	cr_expect_arr_neq(a, b, 32);
	cr_assert_eq(derive(a, ""), 0, "the command line refuses an empty one, not this");
}

Test(store_master_key, a_damaged_kdf_file_is_refused_and_kept)
{
	static const char *const bad[] = { "", "{}", "nonsense",
		"{\"algorithm\":\"argon2i\",\"mem\":8192,\"ops\":1,\"salt\":\"00112233445566778899aabbccddeeff\"}",
		"{\"algorithm\":\"argon2id13\",\"mem\":8191,\"ops\":1,\"salt\":\"00112233445566778899aabbccddeeff\"}",
		"{\"algorithm\":\"argon2id13\",\"mem\":99999999999,\"ops\":1,\"salt\":\"00112233445566778899aabbccddeeff\"}",
		"{\"algorithm\":\"argon2id13\",\"mem\":8192,\"ops\":0,\"salt\":\"00112233445566778899aabbccddeeff\"}",
		"{\"algorithm\":\"argon2id13\",\"mem\":8192,\"ops\":65,\"salt\":\"00112233445566778899aabbccddeeff\"}",
		"{\"algorithm\":\"argon2id13\",\"mem\":8192,\"ops\":1,\"salt\":\"00112233445566778899aabbccddee\"}",
		"{\"algorithm\":\"argon2id13\",\"mem\":8192,\"ops\":1,\"salt\":\"00112233445566778899aabbccddeefg\"}",
		"{\"algorithm\":\"argon2id13\",\"mem\":8192,\"ops\":1,\"ops\":2,\"salt\":\"00112233445566778899aabbccddeeff\"}",
		"{\"algorithm\":\"argon2id13\",\"mem\":8192,\"ops\":1}",
		"{\"algorithm\":\"argon2id13\",\"mem\":8192,\"ops\":1,\"salt\":\"00112233445566778899aabbccddeeff\",\"x\":1}" };
	struct master_key *k = NULL;
	struct err e;
	char *after;
	size_t i, n;

	for (i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		state_write("kdf.json", bad[i], strlen(bad[i]));
		err_clear(&e);
		cr_expect_eq(master_key_from_passphrase(&k, state_dir, "x", 1, &e), -1, "%s", bad[i]);
		cr_expect_eq(e.code, ERR_STATE, "%s: %s", bad[i], e.msg);
		cr_expect_not_null(strstr(e.msg, "restore it from a backup"), "%s", e.msg);
		after = state_read("kdf.json", &n);
		cr_expect(n == strlen(bad[i]) && memcmp(after, bad[i], n) == 0);
		free(after);
	}
}

Test(store_master_key, the_first_use_makes_a_costly_kdf_file_once, .timeout = 120)
{
	uint8_t a[32], b[32];
	char *first, *second;
	struct stat st;
	size_t n, m;

	cr_assert_eq(derive(a, "once"), 0);
	first = state_read("kdf.json", &n);
	first[n] = '\0';
	cr_expect_not_null(strstr(first, "\"mem\":268435456,\"ops\":3,"), "%s", first);
	cr_assert_eq(stat(state_path("kdf.json"), &st), 0);
	cr_expect_eq(st.st_mode & 0777, 0600);
	cr_assert_eq(derive(b, "once"), 0);
	cr_expect_arr_eq(a, b, 32);
	second = state_read("kdf.json", &m);
	cr_expect(n == m && memcmp(first, second, n) == 0);
	free(first);
	free(second);
}

Test(store_master_key, a_lost_kdf_file_is_not_replaced_beside_a_store)
{
	struct master_key *k = NULL;
	struct err e = ERR_INIT;

	state_fill();
	cr_expect_eq(master_key_from_passphrase(&k, state_dir, "x", 1, &e), -1);
	cr_expect_eq(e.code, ERR_STATE, "%s", e.msg);
	cr_expect_not_null(strstr(e.msg, "kdf.json is missing"), "%s", e.msg);
	cr_expect_eq(access(state_path("kdf.json"), F_OK), -1);
}
