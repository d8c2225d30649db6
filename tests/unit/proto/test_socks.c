/* SPDX-License-Identifier: BSD-3-Clause */
/* The SOCKS5 machine: what it writes, each reply code, every cut of the input, servers that lie. */
#include "config.h"
#include "proto/socks.h"

#include <criterion/criterion.h>
#include <stdbool.h>
#include <string.h>

#define ADDR "adifuhi6ujits3kvpl55iwelhrwztw7ls4x62efdevroujw43t5kanad"

Test(proto_socks, the_three_messages_are_written_to_the_byte)
{
	static const char want[] = "\x05\x01\x02"
				   "\x01\x03p-1\x02xy"
				   "\x05\x01\x00\x03\x3e" ADDR ".onion\x1f\x90";
	struct buf b = BUF_INIT(512);

	cr_assert_eq(socks_write_greeting(&b, NULL), 0);
	cr_assert_eq(socks_write_auth(&b, "p-1", "xy", NULL), 0);
	cr_assert_eq(socks_write_connect(&b, ADDR, 8080, NULL), 0);
	cr_assert_eq(b.len, sizeof want - 1);
	cr_assert_eq(memcmp(b.data, want, b.len), 0);
	buf_free(&b);
}

Test(proto_socks, only_an_onion_can_be_asked_for)
{
	static const char *const bad[] = {"", "example.com", ADDR ".onion", ADDR ".", "www." ADDR, ADDR "a",
	    "ADIFUHI6UJITS3KVPL55IWELHRWZTW7LS4X62EFDEVROUJW43T5KANAD",
	    "adifuhi6ujits3kvpl55iwelhrwztw7ls4x62efdevroujw43t5kana.", "127.0.0.1",
	    "adifuhi6ujits3kvpl55iwelhrwztw7ls4x62efdevroujw43t5kana1"};
	struct buf b = BUF_INIT(512);
	size_t i;

	for (i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct err e = ERR_INIT;

		cr_expect_eq(socks_write_connect(&b, bad[i], 80, &e), -1, "%s", bad[i]);
		cr_expect_eq(e.code, ERR_PROTO);
	}
	cr_expect_eq(socks_write_connect(&b, ADDR, 0, NULL), -1);
	cr_expect_eq(b.len, 0);
	buf_free(&b);
}

Test(proto_socks, credentials_are_bounded_printable_and_not_reserved)
{
	char long255[256], long256[257];
	const struct {
		const char *user, *password;
		int rc;
	} table[] = {
	    {"a", "b", 0},
	    {long255, long255, 0},
	    {long256, "b", -1},
	    {"a", long256, -1},
	    {"", "b", -1},
	    {"a", "", -1},
	    {"a b", "b", -1},
	    {"a\"", "b", -1},
	    {"a\\", "b", -1},
	    {"a\n", "b", -1},
	    {"a", "\xc3\xa9", -1},
	    {"<torS0X>0", "b", 0},
	    {"<torS0X>", "b", -1},
	    {"<torS0X>1", "b", -1},
	    {"<torS0X>0abc", "b", -1},
	    {"x<torS0X>1", "b", 0},
	    {"a", "<torS0X>", 0},
	};
	size_t i;

	memset(long255, 'u', 255);
	long255[255] = '\0';
	memset(long256, 'u', 256);
	long256[256] = '\0';
	for (i = 0; i < sizeof table / sizeof table[0]; i++) {
		struct buf b = BUF_INIT(1024);

		cr_expect_eq(socks_write_auth(&b, table[i].user, table[i].password, NULL), table[i].rc, "row %zu", i);
		cr_expect_eq(b.len, table[i].rc == 0 ? 3 + strlen(table[i].user) + strlen(table[i].password) : 0,
		    "row %zu", i);
		buf_free(&b);
	}
}

/* Feeds in pieces of `piece` bytes; how many were consumed in all. */
static size_t feed(struct socks *s, const char *in, size_t len, size_t piece, struct err *e)
{
	size_t i, n, used, total = 0;

	socks_init(s);
	for (i = 0; i < len; i += n) {
		n = len - i < piece ? len - i : piece;
		used = 0;
		if (socks_feed(s, (const uint8_t *)in + i, n, &used, e) != 0)
			break;
		total += used;
		if (used < n)
			break;
	}
	return total;
}

Test(proto_socks, replies_are_read_however_they_are_cut)
{
	static const struct {
		const char *in;
		size_t len, used;
		enum socks_state state;
		int code;
		enum err_code err;
	} table[] = {
	    {"\x05\x02\x01\x00\x05\x00\x00\x01\0\0\0\0\0\0HTTP", 18, 14, SOCKS_DONE, 0x00, ERR_NONE},
	    {"\x05\x02\x01\x00\x05\xf0\x00\x01\0\0\0\0\0\0", 14, 14, SOCKS_DONE, 0xf0, ERR_NONE},
	    {"\x05\x02\x01\x00\x05\x04\x00\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 26, 26, SOCKS_DONE, 0x04,
		ERR_NONE},
	    {"\x05\x02\x01\x00\x05\x00\x00\x03\x03"
	     "abc\0\0zz",
		16, 14, SOCKS_DONE, 0x00, ERR_NONE},
	    {"\x05\x02\x01\x00\x05\x00\x00\x03\x00\0\0z", 12, 11, SOCKS_DONE, 0x00, ERR_NONE},
	    {"", 0, 0, SOCKS_WANT_METHOD, -1, ERR_NONE},
	    {"\x05", 1, 1, SOCKS_WANT_METHOD, -1, ERR_NONE},
	    {"\x05\x02", 2, 2, SOCKS_WANT_AUTH, -1, ERR_NONE},
	    {"\x05\x02\x01\x00", 4, 4, SOCKS_WANT_REPLY, -1, ERR_NONE},
	    {"\x05\x02\x01\x00\x05\xf2", 6, 6, SOCKS_WANT_REPLY, 0xf2, ERR_NONE},
	    {"\x05\x02\x01\x00\x05\x00\x00\x01\0\0\0\0\0", 13, 13, SOCKS_WANT_REPLY, 0x00, ERR_NONE},
	    {"\x04\x5a", 2, 0, SOCKS_FAILED, -1, ERR_PARSE}, /* SOCKS4 */
	    {"\x00\x5a", 2, 0, SOCKS_FAILED, -1, ERR_PARSE},
	    {"HTTP/1.0 501", 12, 0, SOCKS_FAILED, -1, ERR_PARSE}, /* not a SOCKS port */
	    {"\x05\xff", 2, 0, SOCKS_FAILED, -1, ERR_AUTH},
	    {"\x05\x00", 2, 0, SOCKS_FAILED, -1, ERR_AUTH},                  /* would share circuits with others */
	    {"\x05\x02\x05\x01\x00\x01", 6, 2, SOCKS_FAILED, -1, ERR_PARSE}, /* tor on a reserved user name */
	    {"\x05\x02\x01\x01", 4, 2, SOCKS_FAILED, -1, ERR_AUTH},
	    {"\x05\x02\x01\x00\x04\x00", 6, 4, SOCKS_FAILED, -1, ERR_PARSE},
	    {"\x05\x02\x01\x00\x05\x00\x01", 7, 4, SOCKS_FAILED, 0x00, ERR_PARSE},
	    {"\x05\x02\x01\x00\x05\x00\x00\x02", 8, 4, SOCKS_FAILED, 0x00, ERR_PARSE},
	    {"\x05\x02\x01\x00\x05\x00\x00\x00", 8, 4, SOCKS_FAILED, 0x00, ERR_PARSE},
	};
	size_t i, piece;

	for (i = 0; i < sizeof table / sizeof table[0]; i++)
		for (piece = 1; piece <= 32; piece++) {
			struct err e = ERR_INIT;
			struct socks s;
			size_t used = feed(&s, table[i].in, table[i].len, piece, &e);

			cr_expect_eq(s.state, table[i].state, "row %zu", i);
			cr_expect_eq(s.code, table[i].code, "row %zu", i);
			cr_expect_eq(e.code, table[i].err, "row %zu: %s", i, e.msg);
			if (e.code == ERR_NONE)
				cr_expect_eq(used, table[i].used, "row %zu", i);
			cr_expect_eq(socks_eof(&s, NULL), table[i].state == SOCKS_DONE ? 0 : -1, "row %zu", i);
		}
}

Test(proto_socks, a_bound_name_of_255_bytes_is_skipped)
{
	char in[4 + 5 + 255 + 2 + 1] = "\x05\x02\x01\x00\x05\x00\x00\x03\xff";
	struct socks s;

	cr_assert_eq(feed(&s, in, sizeof in, 7, NULL), sizeof in - 1);
	cr_assert_eq(s.state, SOCKS_DONE);
}

Test(proto_socks, after_a_failure_nothing_is_taken)
{
	struct err e = ERR_INIT;
	struct socks s;
	size_t used = 99;

	feed(&s, "\x04", 1, 1, NULL);
	cr_assert_eq(socks_feed(&s, (const uint8_t *)"\x05\x02", 2, &used, &e), -1);
	cr_assert_eq(used, 99);
	cr_assert_eq(s.state, SOCKS_FAILED);
}

Test(proto_socks, each_of_256_codes_has_a_verdict)
{
	static const enum verdict low[] = {VERDICT_OK, VERDICT_REFUSED, VERDICT_INCONCLUSIVE, VERDICT_INCONCLUSIVE,
	    VERDICT_NO_DESCRIPTOR, VERDICT_REFUSED, VERDICT_TIMEOUT, VERDICT_INCONCLUSIVE, VERDICT_INCONCLUSIVE};
	static const enum verdict high[] = {VERDICT_NO_DESCRIPTOR, VERDICT_BAD_DESCRIPTOR, VERDICT_INTRO,
	    VERDICT_RENDEZVOUS, VERDICT_CLIENT_AUTH, VERDICT_CLIENT_AUTH, VERDICT_BAD_ADDRESS, VERDICT_INTRO};
	int code;

	for (code = 0; code < 256; code++) {
		enum verdict want = code < 9                      ? low[code]
				    : code >= 0xf0 && code < 0xf8 ? high[code - 0xf0]
								  : VERDICT_REFUSED;
		char in[] = "\x05\x02\x01\x00\x05?\x00\x01\0\0\0\0\0";
		struct socks s;

		in[5] = (char)code;
		feed(&s, in, sizeof in, 3, NULL);
		cr_expect_eq(s.state, SOCKS_DONE);
		cr_expect_eq(s.code, code);
		cr_expect_eq(socks_verdict(code), want, "%02x", (unsigned)code);
		cr_expect(strlen(socks_code_text(code)) > 0);
	}
	cr_expect_eq(socks_verdict(-1), VERDICT_INCONCLUSIVE);
	cr_expect_str_eq(socks_code_text(-1), "no answer");
}

Test(proto_socks, a_name_of_its_own_is_new_each_time_and_may_be_sent)
{
	char user[2][SOCKS_NAME_LEN + 1], password[2][SOCKS_NAME_LEN + 1];
	struct buf b = BUF_INIT(600);
	int i;

	for (i = 0; i < 2; i++) {
		socks_own_name(user[i], password[i]);
		cr_expect(strlen(user[i]) == SOCKS_NAME_LEN && strlen(password[i]) == SOCKS_NAME_LEN);
		cr_expect_eq(socks_write_auth(&b, user[i], password[i], NULL), 0);
	}
	cr_expect(strcmp(user[0], user[1]) != 0 && strcmp(password[0], password[1]) != 0 && strcmp(user[0], password[0]) != 0);
	buf_free(&b);
}
