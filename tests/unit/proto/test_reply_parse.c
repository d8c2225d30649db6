/* SPDX-License-Identifier: BSD-3-Clause */
/* PROTOCOLINFO, AUTHCHALLENGE and ADD_ONION as tor says them, and as an impostor might. */
#include "config.h"
#include "raw.h"

#include "base/buf.h"

#include <criterion/criterion.h>

struct info {
	int rc;
	struct reply_protocolinfo out;
	struct err e;
};

static int protocolinfo(const struct reply *r, void *arg)
{
	struct info *i = arg;

	i->rc = reply_protocolinfo(&i->out, r, &i->e);
	return 0;
}

#define HEAD "250-PROTOCOLINFO 1\r\n"
#define VERSION_LINE "250-VERSION Tor=\"0.4.9.11\"\r\n"
#define TAIL "250 OK\r\n"

Test(proto_reply_parse, protocolinfo_says_methods_cookie_file_and_version)
{
	static const struct {
		const char *in;
		enum err_code code;
		unsigned methods;
		const char *cookie, *version;
	} table[] = {
	    {HEAD
		"250-AUTH METHODS=COOKIE,SAFECOOKIE COOKIEFILE=\"/run/tor/control.authcookie\"\r\n" VERSION_LINE TAIL,
		ERR_NONE, REPLY_AUTH_COOKIE | REPLY_AUTH_SAFECOOKIE, "/run/tor/control.authcookie", "0.4.9.11"},
	    {HEAD VERSION_LINE "250-AUTH METHODS=NULL\r\n" TAIL, ERR_NONE, REPLY_AUTH_NULL, "", "0.4.9.11"},
	    {HEAD "250-AUTH METHODS=HASHEDPASSWORD,NEWER\r\n250-WHAT x=\"\r\n" TAIL, ERR_NONE,
		REPLY_AUTH_HASHEDPASSWORD, "", ""},
	    {HEAD "250-AUTH METHODS=SAFECOOKIE COOKIEFILE=\"/a b/\\\"q\\\"\\\\/\\303\\251\"\r\n" TAIL, ERR_NONE,
		REPLY_AUTH_SAFECOOKIE, "/a b/\"q\"\\/\xc3\xa9", ""},
	    {HEAD "250-AUTH METHODS=SAFECOOKIE COOKIEFILE=\"/proc/self/mem\"\r\n" TAIL, ERR_NONE,
		REPLY_AUTH_SAFECOOKIE, "/proc/self/mem", ""}, /* told, never opened */
	    {HEAD "250-AUTH METHODS=SAFECOOKIE COOKIEFILE=\"../x\"\r\n" TAIL, ERR_NONE, REPLY_AUTH_SAFECOOKIE, "../x",
		""},
	    {HEAD "250-AUTH METHODS=\r\n" TAIL, ERR_NONE, 0, "", ""},
	    {HEAD "250-AUTH METHODS=null\r\n" TAIL, ERR_NONE, 0, "", ""},
	    {HEAD "250-AUTH\r\n" TAIL, ERR_NOTFOUND, 0, NULL, NULL},
	    {HEAD TAIL, ERR_PARSE, 0, NULL, NULL},
	    {TAIL, ERR_PARSE, 0, NULL, NULL},
	    {HEAD "250-AUTHX METHODS=NULL\r\n" TAIL, ERR_PARSE, 0, NULL, NULL},
	    {HEAD "250-AUTH METHODS=NULL\r\n250-AUTH METHODS=SAFECOOKIE\r\n" TAIL, ERR_PARSE, 0, NULL, NULL},
	    {HEAD "250-AUTH METHODS=NULL\r\n" VERSION_LINE VERSION_LINE TAIL, ERR_PARSE, 0, NULL, NULL},
	    {HEAD "250-AUTH METHODS=NULL\r\n250-VERSION Tor=\"rubbish\"\r\n" TAIL, ERR_PARSE, 0, NULL, NULL},
	    {HEAD "250-AUTH METHODS=SAFECOOKIE COOKIEFILE=\"/x\r\n" TAIL, ERR_PARSE, 0, NULL, NULL},
	    {HEAD "250-AUTH METHODS=SAFECOOKIE COOKIEFILE=\"/x\\0y\"\r\n" TAIL, ERR_PARSE, 0, NULL, NULL},
	    {"513 No such version \"x\"\r\n", ERR_REFUSED, 0, NULL, NULL},
	    {"514 Authentication required.\r\n", ERR_AUTH, 0, NULL, NULL},
	};
	size_t i;

	for (i = 0; i < sizeof table / sizeof table[0]; i++) {
		struct info got = {.rc = -2};

		cr_expect_eq(raw_reply(table[i].in, protocolinfo, &got), 0);
		cr_expect_eq(got.e.code, table[i].code, "row %zu: %s", i, got.e.msg);
		cr_expect_eq(got.rc, table[i].code == ERR_NONE ? 0 : -1, "row %zu", i);
		if (got.rc != 0)
			continue;
		cr_expect_eq(got.out.methods, table[i].methods, "row %zu", i);
		cr_expect_str_eq(got.out.cookie_file, table[i].cookie);
		cr_expect_str_eq(got.out.version_text, table[i].version);
		cr_expect_eq(got.out.version.patch, table[i].version[0] != '\0' ? 11 : 0);
	}
}

Test(proto_reply_parse, a_cookie_file_of_8_kib_is_a_limit)
{
	struct buf b = BUF_INIT(16384);
	struct info got = {.rc = -2};

	buf_addf(&b, HEAD "250-AUTH METHODS=SAFECOOKIE COOKIEFILE=\"/%08192d\"\r\n" TAIL, 0);
	cr_assert_eq(raw_reply(buf_str(&b), protocolinfo, &got), 0);
	cr_assert_eq(got.rc, -1);
	cr_assert_eq(got.e.code, ERR_LIMIT);
	buf_free(&b);
}

struct challenge {
	int rc;
	struct reply_authchallenge out;
	struct err e;
};

static int authchallenge(const struct reply *r, void *arg)
{
	struct challenge *c = arg;

	c->rc = reply_authchallenge(&c->out, r, &c->e);
	return 0;
}

#define HASH "FC0B2C069DB253F5CE08D7867C520D1E2B64F18D81FCF888802A89EC5F097874"
#define NONCE "3333333333333333333333333333333333333333333333333333333333333333"

Test(proto_reply_parse, authchallenge_gives_hash_and_nonce)
{
	static const struct {
		const char *in;
		enum err_code code;
	} table[] = {
	    {"250 AUTHCHALLENGE SERVERHASH=" HASH " SERVERNONCE=" NONCE "\r\n", ERR_NONE},
	    {"250 AUTHCHALLENGE SERVERNONCE=" NONCE " SERVERHASH=" HASH " NEW=1\r\n", ERR_NONE},
	    {"250 AUTHCHALLENGE SERVERHASH=" HASH "\r\n", ERR_NOTFOUND},
	    {"250 AUTHCHALLENGE SERVERHASH=" HASH "00 SERVERNONCE=" NONCE "\r\n", ERR_LIMIT},
	    {"250 AUTHCHALLENGE SERVERHASH=ab SERVERNONCE=" NONCE "\r\n", ERR_PARSE},
	    {"250 AUTHCHALLENGE SERVERHASH= SERVERNONCE=" NONCE "\r\n", ERR_PARSE},
	    {"250 AUTHCHALLENGE SERVERHASH=X" NONCE " SERVERNONCE=" NONCE "\r\n", ERR_LIMIT},
	    {"250 OK\r\n", ERR_PARSE},
	    {"250-AUTHCHALLENGE SERVERHASH=" HASH " SERVERNONCE=" NONCE "\r\n250 OK\r\n", ERR_PARSE},
	    {"251 AUTHCHALLENGE SERVERHASH=" HASH " SERVERNONCE=" NONCE "\r\n", ERR_PARSE},
	    {"513 AUTHCHALLENGE only supports SAFECOOKIE authentication\r\n", ERR_REFUSED},
	    {"515 Cookie authentication is disabled\r\n", ERR_AUTH},
	};
	size_t i;

	for (i = 0; i < sizeof table / sizeof table[0]; i++) {
		struct challenge got = {.rc = -2};

		cr_expect_eq(raw_reply(table[i].in, authchallenge, &got), 0);
		cr_expect_eq(got.e.code, table[i].code, "row %zu: %s", i, got.e.msg);
		cr_expect_eq(got.rc, table[i].code == ERR_NONE ? 0 : -1);
		if (got.rc == 0)
			cr_expect(got.out.server_hash[0] == 0xfc && got.out.server_hash[31] == 0x74 &&
				  got.out.server_nonce[0] == 0x33 && got.out.server_nonce[31] == 0x33);
	}
}

struct added {
	int rc;
	struct reply_add_onion out;
	struct err e;
};

static int add_onion(const struct reply *r, void *arg)
{
	struct added *a = arg;

	a->rc = reply_add_onion(&a->out, r, &a->e);
	return 0;
}

#define ID "adifuhi6ujits3kvpl55iwelhrwztw7ls4x62efdevroujw43t5kanad"

Test(proto_reply_parse, add_onion_gives_one_address_and_no_key)
{
	static const struct {
		const char *in;
		enum err_code code;
	} table[] = {
	    {"250-ServiceID=" ID "\r\n250 OK\r\n", ERR_NONE},
	    {"250-ServiceID=" ID "\r\n250-Newer=1\r\n250 OK\r\n", ERR_NONE},
	    {"250 OK\r\n", ERR_PARSE},
	    {"250 \r\n", ERR_PARSE},
	    {"250-ServiceID=\r\n250 OK\r\n", ERR_PARSE},
	    {"250-ServiceID=" ID "x\r\n250 OK\r\n", ERR_PARSE},
	    {"250-ServiceID=" ID ".onion\r\n250 OK\r\n", ERR_PARSE},
	    {"250-ServiceID=ADIFUHI6UJITS3KVPL55IWELHRWZTW7LS4X62EFDEVROUJW43T5KANAD\r\n250 OK\r\n", ERR_PARSE},
	    {"250-ServiceID=" ID "\r\n250-ServiceID=" ID "\r\n250 OK\r\n", ERR_PARSE},
	    {"250-ServiceID=" ID "\r\n250-PrivateKey=ED25519-V3:AAAA\r\n250 OK\r\n", ERR_PROTO},
	    {"512 Bad arguments to ADD_ONION: Unrecognized keyword argument \"PoWDefensesEnabled\"\r\n", ERR_REFUSED},
	    {"550 Onion address collision\r\n", ERR_REFUSED},
	    {"551 Failed to generate onion address\r\n", ERR_REFUSED},
	    {"510 Command filtered\r\n", ERR_REFUSED},
	};
	size_t i;

	for (i = 0; i < sizeof table / sizeof table[0]; i++) {
		struct added got = {.rc = -2};

		cr_expect_eq(raw_reply(table[i].in, add_onion, &got), 0);
		cr_expect_eq(got.e.code, table[i].code, "row %zu: %s", i, got.e.msg);
		cr_expect_eq(got.rc, table[i].code == ERR_NONE ? 0 : -1);
		cr_expect_str_eq(got.out.service_id, got.rc == 0 ? ID : "");
	}
}
