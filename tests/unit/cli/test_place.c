/* SPDX-License-Identifier: BSD-3-Clause */
/* What a reader may name as a place of a list, and what must not be taken for an onion. */
#include "config.h"
#include "cli/place.h"

#include "support/listkit.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

static char addr[ONION_ADDR_LEN + 1];

static void
setup(void)
{
	kit_onion(1, NULL, addr);
}

TestSuite(cli_place, .init = setup);

/* "@" stands for the address. */
static const char *
expand(const char *pattern)
{
	static char text[512];
	size_t n = 0;

	for (; *pattern != '\0'; pattern++)
		if (*pattern == '@')
			n += (size_t)snprintf(text + n, sizeof text - n, "%s", addr);
		else
			text[n++] = *pattern;
	text[n] = '\0';
	return text;
}

Test(cli_place, an_onion_has_a_port_a_host_and_a_path)
{
	static const struct {
		const char *text, *host, *path;
		uint16_t port;
	} rows[] = {
		{ "@.onion", "@.onion:8008", PLACE_BUNDLE_PATH, 8008 },
		{ "@.onion:80", "@.onion", PLACE_BUNDLE_PATH, 80 },
		{ "@.onion:65535", "@.onion:65535", PLACE_BUNDLE_PATH, 65535 },
		{ "http://@.onion", "@.onion", PLACE_BUNDLE_PATH, 80 },
		{ "http://@.onion/", "@.onion", PLACE_BUNDLE_PATH, 80 },
		{ "http://@.onion:8008/", "@.onion:8008", PLACE_BUNDLE_PATH, 8008 },
		{ "http://@.onion/a/b.json?c", "@.onion", "/a/b.json?c", 80 },
	};
	struct err e = ERR_INIT;
	char text[512];
	struct place p;
	size_t i;

	for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		snprintf(text, sizeof text, "%s", expand(rows[i].text));
		cr_expect_eq(place_parse(&p, text, &e), 0, "%s: %s", rows[i].text, e.msg);
		cr_expect(!p.is_file, "%s", rows[i].text);
		cr_expect_str_eq(p.address, addr);
		cr_expect_str_eq(p.host, expand(rows[i].host));
		cr_expect_str_eq(p.path, rows[i].path);
		cr_expect_eq(p.port, rows[i].port, "%s", rows[i].text);
	}
}

Test(cli_place, what_could_be_read_as_another_host_is_refused)
{
	static const struct {
		const char *text;
		enum err_code code;
	} rows[] = {
		{ "https://@.onion/", ERR_REFUSED },
		{ "ftp://@.onion/", ERR_REFUSED },
		{ "HTTP://@.onion/", ERR_REFUSED },
		{ "http://", ERR_PARSE },
		{ "http:///", ERR_PARSE },
		{ "http://example.com/", ERR_PARSE },
		{ "http://@.onion.example.com/", ERR_PARSE },
		{ "http://www.@.onion/", ERR_PARSE },
		{ "http://user@x.onion/", ERR_PARSE },
		{ "http://@.onion@example.com/", ERR_PARSE },
		{ "http://@.onion?x", ERR_PARSE },
		{ "http://@.onion#x", ERR_PARSE },
		{ "http://@.onion:/", ERR_PARSE },
		{ "@.onion:0", ERR_PARSE },
		{ "@.onion:08", ERR_PARSE },
		{ "@.onion:65536", ERR_PARSE },
		{ "@.onion:99999999999999999999", ERR_PARSE },
		{ "@.onion:80x", ERR_PARSE },
		{ "@.ONION", ERR_PARSE },
		{ "a@.onion", ERR_PARSE },
		{ "2@.onion", ERR_PARSE },
		{ ".onion", ERR_PARSE },
	};
	char text[512];
	struct place p;
	struct err e;
	size_t i;

	for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		snprintf(text, sizeof text, "%s", expand(rows[i].text));
		err_clear(&e);
		cr_expect_eq(place_parse(&p, text, &e), -1, "%s", rows[i].text);
		cr_expect_eq(e.code, rows[i].code, "%s: %s", rows[i].text, e.msg);
	}
}

Test(cli_place, everything_else_is_a_file)
{
	static const char *const rows[] = { "bundle.json", "./x.onion", "/a/b.onion/bundle.json", "-", "" };
	struct place p;
	size_t i;

	for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		cr_expect_eq(place_parse(&p, rows[i], NULL), 0, "%s", rows[i]);
		cr_expect(p.is_file, "%s", rows[i]);
	}
}
