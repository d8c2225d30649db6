/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"
#include "base/endpoint.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

/* A path of n characters. */
static void
long_path(char *out, size_t n)
{
	memcpy(out, "unix:", 5);
	memset(out + 5, 'x', n);
	out[5] = '/';
	out[5 + n] = '\0';
}

Test(base_endpoint, accepts_and_prints_back)
{
	char longest[200], text[ENDPOINT_TEXT_MAX];
	const char *rows[] = { "127.0.0.1:9051", "127.255.255.255:65535", "127.0.0.0:1", "[::1]:9050", "[::1]:65535",
		"unix:/run/tor/control", "unix:/", "unix:/a-b_c.d@e:f=g(h)", longest };
	static const enum endpoint_kind kinds[] = { ENDPOINT_INET, ENDPOINT_INET, ENDPOINT_INET, ENDPOINT_INET6,
		ENDPOINT_INET6, ENDPOINT_UNIX, ENDPOINT_UNIX, ENDPOINT_UNIX, ENDPOINT_UNIX };
	struct endpoint ep;
	struct err e = ERR_INIT;
	size_t i;

	long_path(longest, ENDPOINT_PATH_MAX);
	for (i = 0; i < sizeof rows / sizeof *rows; i++) {
		memset(&ep, 0xa5, sizeof ep);
		cr_expect_eq(endpoint_parse(&ep, rows[i], &e), 0, "%s: %s", rows[i], e.msg);
		cr_expect_eq(ep.kind, kinds[i]);
		endpoint_format(text, &ep);
		cr_expect_str_eq(text, rows[i]);
	}
	cr_expect_eq(e.code, ERR_NONE);
}

Test(base_endpoint, refuses_everything_else)
{
	char too_long[200], far_too_long[200];
	const char *rows[] = {
		/* names, and addresses of other machines */
		"localhost:9051",
		"example.com:80",
		"tor:9051",
		"10.0.0.1:9051",
		"0.0.0.0:9051",
		"128.0.0.1:1",
		"1.2.3.4:1",
		"[::]:9051",
		"[::2]:9051",
		"[fe80::1]:9051",
		"[::ffff:127.0.0.1]:9051",
		"::1:9051",
		"[0:0:0:0:0:0:0:1]:9051",
		"*:9051",
		":9051",
		"9051",
		/* ports */
		"127.0.0.1:0",
		"127.0.0.1:65536",
		"127.0.0.1:",
		"127.0.0.1",
		"127.0.0.1:09051",
		"127.0.0.1:+9051",
		"127.0.0.1:-1",
		"127.0.0.1:9051 ",
		"127.0.0.1: 9051",
		"127.0.0.1:9051x",
		"127.0.0.1:99999999999999999999",
		"127.0.0.1:0x10",
		"[::1]:0",
		"[::1]:65536",
		"[::1]:",
		"[::1]",
		/* other spellings of an address */
		"127.1:9051",
		"127.0.0.01:9051",
		"127.0.0.256:9051",
		"127.0.0:9051",
		"127.0.0.1.1:9051",
		"127.0.0.:9051",
		"2130706433:9051",
		"0x7f.0.0.1:9051",
		"0177.0.0.1:9051",
		" 127.0.0.1:9051",
		"127 .0.0.1:9051",
		/* paths */
		"unix:",
		"unix:relative",
		"unix:./relative",
		"unix:~/x",
		"/run/tor/control",
		"UNIX:/x",
		"unix:@abstract",
		"unix:/with space",
		"unix:/with\"quote",
		"unix:/with'quote",
		"unix:/with,comma",
		"unix:/with\\slash",
		"unix:/with\ttab",
		"unix:/with\nline",
		"unix:/with\x7f",
		"unix:/with\xc3\xa9",
		too_long,
		far_too_long,
		"",
	};
	struct endpoint ep, before;
	struct err e;
	size_t i;

	long_path(too_long, ENDPOINT_PATH_MAX + 1);
	long_path(far_too_long, 190);
	memset(&before, 0xa5, sizeof before);
	for (i = 0; i < sizeof rows / sizeof *rows; i++) {
		err_clear(&e);
		ep = before;
		cr_expect_eq(endpoint_parse(&ep, rows[i], &e), -1, "\"%s\"", rows[i]);
		cr_expect_eq(e.code, ERR_PARSE, "\"%s\"", rows[i]);
		cr_expect_eq(memcmp(&ep, &before, sizeof ep), 0, "written only on success");
	}
}

Test(base_endpoint, equality)
{
	static const char *const rows[] = { "127.0.0.1:1", "127.0.0.1:2", "127.0.0.2:1", "[::1]:1", "unix:/a",
		"unix:/b" };
	struct endpoint a, b;
	size_t i, j;

	for (i = 0; i < 6; i++)
		for (j = 0; j < 6; j++) {
			cr_assert(endpoint_parse(&a, rows[i], NULL) == 0 && endpoint_parse(&b, rows[j], NULL) == 0);
			cr_expect_eq(endpoint_equal(&a, &b), i == j, "%s %s", rows[i], rows[j]);
		}
}
