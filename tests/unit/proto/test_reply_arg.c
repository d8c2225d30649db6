/* SPDX-License-Identifier: BSD-3-Clause */
/* Words, KEY=value, CStrings, and both shapes of GETINFO. */
#include "config.h"
#include "raw.h"

#include "base/buf.h"

#include <criterion/criterion.h>
#include <stdlib.h>

Test(proto_reply_arg, a_line_falls_into_words_and_keywords)
{
	static const struct {
		const char *in, *out;
	} table[] = {
	    {"", ""},
	    {"   ", ""},
	    {"a b", "(a)(b)"},
	    {" a\t b ", "(a)(b)"},
	    {"K=v", "(K:v)"},
	    {"K=", "(K:)"},
	    {"K= v", "(K:)(v)"},
	    {"REASON= UNKNOWN_264", "(REASON:)(UNKNOWN_264)"},
	    {"K=\"a b\" c", "(K:a b)(c)"},
	    {"K=\"\"", "(K:)"},
	    {"K=\"a \\\"x\\\" \\\\\" L=2", "(K:a \"x\" \\)(L:2)"},
	    {"\"q w\" e", "(q w)(e)"},
	    {"$ABC~n $DEF=m", "($ABC~n)($DEF=m)"},
	    {"a=b=c", "(a:b=c)"},
	    {"=x", "(=x)"},
	    {"a\"b c\"", "(a\"b)(c\")"},
	    {"K=a\"b", "(K:a\"b)"},
	    {"K=\"\\n\\r\\t\\'\\101\\7z\\q\"", "(K:\n\r\t'A\007zq)"},
	    {"K=\"\\1011\"", "(K:A1)"},
	    {"K=a\\n", "(K:a\\n)"},
	    {"K=\"a\"b", "(K:a)(b)"},
	};
	size_t i;

	for (i = 0; i < sizeof table / sizeof table[0]; i++) {
		const char *p = table[i].in;
		struct buf b = BUF_INIT(256);
		struct reply_arg a;
		char text[64];
		int rc;

		while ((rc = reply_next_arg(&p, &a)) == 1) {
			cr_expect_eq(reply_arg_text(&a, text, sizeof text, NULL), 0);
			buf_adds(&b, "(");
			if (a.key != NULL) {
				buf_add(&b, a.key, a.key_len);
				buf_adds(&b, ":");
			}
			buf_adds(&b, text);
			buf_adds(&b, ")");
		}
		cr_expect_eq(rc, 0, "%s", table[i].in);
		cr_expect_str_eq(buf_str(&b), table[i].out, "%s gave %s", table[i].in, buf_str(&b));
		buf_free(&b);
	}
}

Test(proto_reply_arg, a_quote_must_be_closed)
{
	static const char *const table[] = {"\"", "K=\"", "K=\"a", "K=\"a\\", "K=\"a\\\"", "K=\"\\\""};
	size_t i;

	for (i = 0; i < sizeof table / sizeof table[0]; i++) {
		const char *p = table[i];
		struct reply_arg a;
		struct err e = ERR_INIT;
		char out[16] = "kept";

		cr_expect_eq(reply_next_arg(&p, &a), -1, "%s", table[i]);
		cr_expect_eq(reply_keyword_value(table[i], "K", out, sizeof out, &e), -1);
		cr_expect_eq(e.code, ERR_PARSE);
		cr_expect_str_eq(out, "kept");
	}
}

Test(proto_reply_arg, keyword_values_are_found_bounded_and_unescaped)
{
	static const struct {
		const char *in;
		enum err_code code;
		const char *out;
	} table[] = {
	    {"K=v", ERR_NONE, "v"},
	    {"a KK=1 K=2 K=3", ERR_NONE, "2"},
	    {"k=1", ERR_NOTFOUND, NULL},
	    {"X=\"K=no\"", ERR_NOTFOUND, NULL},
	    {"X=\"a\\\" K=no\"", ERR_NOTFOUND, NULL},
	    {"K=1234567", ERR_NONE, "1234567"},
	    {"K=12345678", ERR_LIMIT, NULL},
	    {"K=\"\\061\\062\\063\\064\\065\\066\\067\"", ERR_NONE, "1234567"},
	    {"K=\"\\0\"", ERR_PARSE, NULL},
	    {"K=\"\\000\"", ERR_PARSE, NULL},
	    {"K=\"\\377\"", ERR_NONE, "\xff"},
	    {"K=\"\\400\"", ERR_PARSE, NULL},
	    {"K=\"\\777\"", ERR_PARSE, NULL},
	};
	size_t i;

	for (i = 0; i < sizeof table / sizeof table[0]; i++) {
		struct err e = ERR_INIT;
		char out[8] = "kept";
		int rc = reply_keyword_value(table[i].in, "K", out, sizeof out, &e);

		cr_expect_eq(rc, table[i].code == ERR_NONE ? 0 : -1, "%s", table[i].in);
		cr_expect_eq(e.code, table[i].code, "%s: %s", table[i].in, e.msg);
		cr_expect_str_eq(out, table[i].out != NULL ? table[i].out : "kept");
	}
}

Test(proto_reply_arg, keyword_numbers_are_bounded)
{
	static const struct {
		const char *in;
		enum err_code code;
		int64_t out;
	} table[] = {
	    {"N=0", ERR_NONE, 0},
	    {"N=-7", ERR_NONE, -7},
	    {"N=+7", ERR_NONE, 7},
	    {"N=007", ERR_NONE, 7},
	    {"N=100", ERR_NONE, 100},
	    {"N=101", ERR_LIMIT, 0},
	    {"N=-101", ERR_LIMIT, 0},
	    {"N=9223372036854775807", ERR_LIMIT, 0},
	    {"N=9223372036854775808", ERR_LIMIT, 0},
	    {"N=99999999999999999999999999", ERR_LIMIT, 0},
	    {"N=", ERR_PARSE, 0},
	    {"N=-", ERR_PARSE, 0},
	    {"N=--1", ERR_PARSE, 0},
	    {"N=1x", ERR_PARSE, 0},
	    {"N=0x1", ERR_PARSE, 0},
	    {"M=1", ERR_NOTFOUND, 0},
	};
	size_t i;

	for (i = 0; i < sizeof table / sizeof table[0]; i++) {
		struct err e = ERR_INIT;
		int64_t v = 0;

		reply_keyword_int(table[i].in, "N", -100, 100, &v, &e);
		cr_expect_eq(e.code, table[i].code, "%s: %s", table[i].in, e.msg);
		cr_expect_eq(v, table[i].out, "%s", table[i].in);
	}
}

struct want {
	const char *key, *value; /* value NULL: not found (getinfo), default (getconf) */
	int rc;
};

static int getinfo(const struct reply *r, void *arg)
{
	const struct want *w = arg;
	const char *value = NULL;
	size_t len = 0;

	cr_expect_eq(reply_getinfo(r, w->key, &value, &len), w->rc, "%s", reply_text(r));
	if (w->value != NULL) {
		cr_assert_not_null(value);
		cr_expect_str_eq(value, w->value);
		cr_expect_eq(len, strlen(w->value));
	}
	return 0;
}

Test(proto_reply_arg, getinfo_is_read_in_both_shapes)
{
	static const struct {
		const char *in;
		struct want want;
	} table[] = {
	    {"250-onions/detached=\r\n250 OK\r\n", {"onions/detached", "", 0}},
	    {"250-onions/detached=abc\r\n250 OK\r\n", {"onions/detached", "abc", 0}},
	    {"250+onions/detached=\r\nabc\r\ndef\r\n.\r\n250 OK\r\n", {"onions/detached", "abc\ndef", 0}},
	    {"250+k=\r\n.\r\n250 OK\r\n", {"k", "", 0}},
	    {"250+k=x\r\ny\r\n.\r\n250 OK\r\n", {"k", NULL, -1}},
	    {"250-a=1\r\n250-k=2=3\r\n250 OK\r\n", {"k", "2=3", 0}},
	    {"250-kk=1\r\n250 OK\r\n", {"k", NULL, -1}},
	    {"250-K=1\r\n250 OK\r\n", {"k", NULL, -1}},
	    {"250-k\r\n250 OK\r\n", {"k", NULL, -1}},
	    {"250 OK\r\n", {"k", NULL, -1}},
	    {"552 Unrecognized key \"k\"\r\n", {"k", NULL, -1}},
	    {"552-k=1\r\n552 no\r\n", {"k", NULL, -1}},
	    {"551 k=1\r\n", {"k", NULL, -1}},
	    {"650 k=1\r\n", {"k", NULL, -1}},
	};
	size_t i;

	for (i = 0; i < sizeof table / sizeof table[0]; i++) {
		struct want w = table[i].want;

		cr_expect_eq(raw_reply(table[i].in, getinfo, &w), 0);
	}
}

static int getconf(const struct reply *r, void *arg)
{
	const struct want *w = arg;
	const char *value = "none";

	cr_expect_eq(reply_getconf(r, w->key, &value), w->rc, "%s", reply_text(r));
	if (w->rc == 0)
		cr_expect(w->value == NULL ? value == NULL : value != NULL && strcmp(value, w->value) == 0);
	return 0;
}

Test(proto_reply_arg, getconf_tells_a_value_from_a_default)
{
	static const struct {
		const char *in;
		struct want want;
	} table[] = {
	    {"250 DisableNetwork=0\r\n", {"DisableNetwork", "0", 0}},
	    {"250 DisableNetwork=1\r\n", {"disablenetwork", "1", 0}},
	    {"250-SocksPort=9050\r\n250 SocksPort=unix:/run/tor/socks WorldWritable\r\n", {"SocksPort", "9050", 0}},
	    {"250 SocksPort\r\n", {"SocksPort", NULL, 0}},
	    {"250 SocksPortX=1\r\n", {"SocksPort", NULL, -1}},
	    {"552 Unrecognized configuration key \"x\"\r\n", {"x", NULL, -1}},
	};
	size_t i;

	for (i = 0; i < sizeof table / sizeof table[0]; i++) {
		struct want w = table[i].want;

		cr_expect_eq(raw_reply(table[i].in, getconf, &w), 0);
	}
}

Test(proto_reply_arg, the_lines_of_a_value_come_one_by_one)
{
	const char *p = "a\n\nbc\n", *line;
	size_t len;

	cr_assert(reply_value_line(&p, &line, &len));
	cr_assert(len == 1 && line[0] == 'a');
	cr_assert(reply_value_line(&p, &line, &len));
	cr_assert_eq(len, 0);
	cr_assert(reply_value_line(&p, &line, &len));
	cr_assert(len == 2 && memcmp(line, "bc", 2) == 0);
	cr_assert_not(reply_value_line(&p, &line, &len));
}
