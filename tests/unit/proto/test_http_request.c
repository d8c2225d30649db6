/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"
#include "proto/http.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define ADDR "adifuhi6ujits3kvpl55iwelhrwztw7ls4x62efdevroujw43t5kanad"

Test(proto_http_request, a_request_is_the_same_for_everybody)
{
	struct buf b = BUF_INIT(4096);

	cr_assert_eq(http_request_write(&b, "GET", ADDR ".onion", "/health?x=%20", NULL), 0);
	cr_assert_str_eq(buf_str(&b),
	    "GET /health?x=%20 HTTP/1.1\r\n"
	    "Host: " ADDR ".onion\r\n"
	    "User-Agent: Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0\r\n"
	    "Accept: */*\r\n"
	    "Accept-Encoding: identity\r\n"
	    "Connection: close\r\n"
	    "\r\n");
	buf_free(&b);
}

Test(proto_http_request, nothing_can_be_injected)
{
	char path[2050] = "/", host[257] = "";
	const struct {
		const char *method, *host, *path;
		int rc;
	} table[] = {
	    {"HEAD", "127.0.0.1:80", "/", 0},
	    {"GET", "[::1]:80", "/", 0},
	    {"GET", "a", path, -1},
	    {"GET", host, "/", -1},
	    {"POST", "a", "/", -1},
	    {"GET ", "a", "/", -1},
	    {"get", "a", "/", -1},
	    {"", "a", "/", -1},
	    {"GET", "", "/", -1},
	    {"GET", "A", "/", -1},
	    {"GET", "a b", "/", -1},
	    {"GET", "a\r\nX: y", "/", -1},
	    {"GET", "a/b", "/", -1},
	    {"GET", "u@a", "/", -1},
	    {"GET", "a", "", -1},
	    {"GET", "a", "x", -1},
	    {"GET", "a", "http://b/", -1},
	    {"GET", "a", "/ HTTP/1.1\r\nX: y", -1},
	    {"GET", "a", "/a b", -1},
	    {"GET", "a", "/a\tb", -1},
	    {"GET", "a", "/a\nb", -1},
	    {"GET", "a", "/#x", -1},
	    {"GET", "a", "/\"", -1},
	    {"GET", "a", "/\xc3\xa9", -1},
	    {"GET", "a", "/\x7f", -1},
	    {"GET", "a", "/<>", -1},
	    {"GET", "a", "//x", 0},
	};
	size_t i;

	memset(path + 1, 'a', 2048);
	memset(host, 'a', 256);
	for (i = 0; i < sizeof table / sizeof table[0]; i++) {
		struct buf b = BUF_INIT(4096);
		struct err e = ERR_INIT;

		cr_expect_eq(http_request_write(&b, table[i].method, table[i].host, table[i].path, &e), table[i].rc,
		    "row %zu", i);
		cr_expect_eq(e.code, table[i].rc == 0 ? ERR_NONE : ERR_PROTO, "row %zu", i);
		if (table[i].rc != 0)
			cr_expect_eq(b.len, 0);
		buf_free(&b);
	}
}

Test(proto_http_request, a_full_buffer_never_holds_half_a_request)
{
	struct buf b = BUF_INIT(100);

	buf_adds(&b, "x");
	cr_assert_eq(http_request_write(&b, "GET", "a", "/", NULL), -1);
	cr_assert_str_eq(buf_str(&b), "x");
	buf_free(&b);
}
