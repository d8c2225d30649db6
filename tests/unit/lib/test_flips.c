/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Every single-bit flip and every truncation of one small bundle. A flip is refused but where nobody signs: minisign's
 * untrusted comments and key ids, and exactly there it is accepted.
 */
#include "config.h"

#include "cases.h"

#include <onionmirror/onionmirror.h>
#include <string.h>

#define CASE "form-smallest"
#define PREFIX "untrusted comment: "
#define KEY_ID_FROM 2 /* the base64 characters that hold bits 16 to 79 of a signature line */
#define KEY_ID_TO 13
#define KEY_ID_BITS_FROM 16
#define KEY_ID_BITS_TO 80

static char *text;
static size_t len;
static char site_id[64];
static long long now;

static void
setup(void)
{
	size_t n;
	char *index = case_file("index", &n), *line = strstr(index, "\n" CASE "\t");

	cr_assert_not_null(line);
	cr_assert_eq(sscanf(line, "\n" CASE "\t%63s\t%lld", site_id, &now), 2);
	free(index);
	text = case_file(CASE ".json", &len);
}

static void
teardown(void)
{
	free(text);
}

TestSuite(lib_flips, .init = setup, .fini = teardown, .timeout = 600);

static bool
accepted(const char *bytes, size_t n)
{
	om_site *s;
	bool ok;

	cr_assert_eq(om_site_open(&s, site_id, NULL), 0);
	ok = om_site_feed_bundle(s, bytes, n, now, NULL) == 0;
	cr_assert(ok || om_site_mirror_count(s) == 0);
	om_site_close(s);
	return ok;
}

static int
digit(char c)
{
	static const char all[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *p = c != '\0' ? strchr(all, c) : NULL;

	return p != NULL ? (int)(p - all) : -1;
}

/* Whether character `i` of a signature line may become `c`: only bits of the key id differ. */
static bool
only_key_id(size_t i, char before, char c)
{
	int diff = digit(before) ^ digit(c), bit;
	size_t k;

	if (digit(c) < 0)
		return false;
	for (k = 0; k < 6; k++) {
		bit = diff >> (5 - k) & 1;
		if (bit && (i * 6 + k < KEY_ID_BITS_FROM || i * 6 + k >= KEY_ID_BITS_TO))
			return false;
	}
	return true;
}

/* Where nobody signs: 'c' in an untrusted comment, 'k' + i: character i of a signature line; 0 elsewhere. */
static int *
map_unsigned(size_t *signatures)
{
	int *map = calloc(len + 1, sizeof *map);
	char *p = text;
	size_t i;

	cr_assert_not_null(map);
	for (*signatures = 0; (p = strstr(p, PREFIX)) != NULL; ++*signatures) {
		for (p += strlen(PREFIX); *p != '\\'; p++)
			map[p - text] = 'c';
		p += 2; /* the escaped LF */
		for (i = KEY_ID_FROM; i <= KEY_ID_TO; i++)
			map[p + i - text] = 'k' + (int)i;
	}
	return map;
}

/* In an untrusted comment whatever a JSON string may hold as it is; in a key id whatever leaves the rest alone. */
static bool
may_become(int where, char before, char c)
{
	if (where == 0)
		return false;
	if (where == 'c')
		return c >= ' ' && c <= '~' && c != '"' && c != '\\';
	return only_key_id((size_t)(where - 'k'), before, c);
}

Test(lib_flips, every_flip_is_refused_but_where_nobody_signs)
{
	size_t i, signatures, good = 0, expected = 0;
	int *map = map_unsigned(&signatures);
	unsigned bit;
	char before;
	bool ok;

	cr_assert_eq(signatures, 3);
	cr_assert(accepted(text, len));
	for (i = 0; i < len; i++) {
		before = text[i];
		for (bit = 0; bit < 8; bit++) {
			text[i] = (char)(before ^ (char)(1u << bit));
			ok = accepted(text, len);
			good += ok;
			expected += may_become(map[i], before, text[i]);
			cr_expect_eq(ok, may_become(map[i], before, text[i]), "bit %u of byte %zu (%c)", bit, i, before);
			text[i] = before;
		}
	}
	free(map);
	cr_expect_eq(good, expected);
	/* 3 comments of 9 characters and 3 key ids of 8 bytes. */
	cr_expect_gt(expected, 3 * 8 * 4);
	cr_log_info("%zu flips, %zu accepted", len * 8, good);
}

Test(lib_flips, every_truncation_is_refused)
{
	size_t n;
	char *part;

	for (n = 0; n < len; n++) {
		/* A copy of this size, so that a read past its end is seen. */
		part = malloc(n + (n == 0));
		cr_assert_not_null(part);
		memcpy(part, text, n);
		cr_expect_not(accepted(part, n), "the first %zu bytes", n);
		free(part);
	}
}
