/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"
#include "base/enc.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define MAX_BYTES 40

static const struct codec {
	const char *name;
	void (*encode)(char *, const uint8_t *, size_t);
	int (*decode)(uint8_t *, size_t, const char *, size_t);
	const char *alphabet;
} codecs[] = {
	{ "hex", hex_encode, hex_decode, "0123456789abcdef" },
	{ "base32", b32_encode, b32_decode, "abcdefghijklmnopqrstuvwxyz234567" },
	{ "base64", b64_encode, b64_decode, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=" },
};
#define N_CODECS (sizeof codecs / sizeof *codecs)

static void
fill(uint8_t *p, size_t n, unsigned seed)
{
	size_t i;

	for (i = 0; i < n; i++)
		p[i] = (uint8_t)((seed + i) * 2654435761u >> 11);
}

Test(base_enc, known_values)
{
	static const struct { const char *plain, *hex, *b32, *b64; } rows[] = {
		/* RFC 4648 section 10 */
		{ "", "", "", "" },
		{ "f", "66", "my", "Zg==" },
		{ "fo", "666f", "mzxq", "Zm8=" },
		{ "foo", "666f6f", "mzxw6", "Zm9v" },
		{ "foob", "666f6f62", "mzxw6yq", "Zm9vYg==" },
		{ "fooba", "666f6f6261", "mzxw6ytb", "Zm9vYmE=" },
		{ "foobar", "666f6f626172", "mzxw6ytboi", "Zm9vYmFy" },
		{ "\xff\xfe\xfb", "fffefb", "777pw", "//77" },
	};
	char text[32];
	size_t i;

	for (i = 0; i < sizeof rows / sizeof *rows; i++) {
		const uint8_t *p = (const uint8_t *)rows[i].plain;
		size_t n = strlen(rows[i].plain);

		hex_encode(text, p, n);
		cr_expect_str_eq(text, rows[i].hex);
		b32_encode(text, p, n);
		cr_expect_str_eq(text, rows[i].b32);
		b64_encode(text, p, n);
		cr_expect_str_eq(text, rows[i].b64);
	}
}

Test(base_enc, round_trip_of_every_length)
{
	uint8_t in[MAX_BYTES], out[MAX_BYTES + 1];
	char text[2 * MAX_BYTES + 4];
	size_t c, n;
	unsigned seed;

	for (c = 0; c < N_CODECS; c++)
		for (n = 0; n <= MAX_BYTES; n++)
			for (seed = 0; seed < 5; seed++) {
				fill(in, n, seed * 100);
				out[n] = 0xa5;
				codecs[c].encode(text, in, n);
				cr_expect_eq(codecs[c].decode(out, n, text, strlen(text)), 0, "%s %zu",
				    codecs[c].name, n);
				cr_expect_eq(memcmp(in, out, n), 0);
				cr_expect_eq(out[n], 0xa5, "nothing past the end");
			}
}

Test(base_enc, any_other_length_is_refused)
{
	uint8_t in[MAX_BYTES], out[MAX_BYTES + 2];
	char text[2 * MAX_BYTES + 4];
	size_t c, n, len;

	for (c = 0; c < N_CODECS; c++)
		for (n = 0; n <= 20; n++) {
			fill(in, n, (unsigned)n);
			codecs[c].encode(text, in, n);
			len = strlen(text);
			strcat(text, "aa");
			cr_expect_neq(codecs[c].decode(out, n, text, len + 1), 0, "%s: one more", codecs[c].name);
			cr_expect_neq(codecs[c].decode(out, n + 1, text, len), 0, "%s: too few", codecs[c].name);
			if (n > 0) {
				cr_expect_neq(codecs[c].decode(out, n, text, len - 1), 0, "%s: one less",
				    codecs[c].name);
				cr_expect_neq(codecs[c].decode(out, n - 1, text, len), 0, "%s: too many",
				    codecs[c].name);
			}
		}
}

/* One value, one spelling: every change of one character either gives other bytes or is refused. */
Test(base_enc, no_value_has_two_spellings)
{
	uint8_t in[8], out[8];
	char text[32], changed[32];
	size_t c, n, i;
	int v;

	for (c = 0; c < N_CODECS; c++)
		for (n = 1; n <= sizeof in; n++) {
			fill(in, n, (unsigned)n * 7);
			codecs[c].encode(text, in, n);
			for (i = 0; i < strlen(text); i++)
				for (v = 0; v < 256; v++) {
					if ((char)v == text[i])
						continue;
					strcpy(changed, text);
					changed[i] = (char)v;
					if (codecs[c].decode(out, n, changed, strlen(text)) != 0)
						continue;
					cr_expect(v != 0 && strchr(codecs[c].alphabet, v) != NULL, "%s takes byte %02x",
					    codecs[c].name, (unsigned)v);
					cr_expect_neq(memcmp(in, out, n), 0, "%s: %s and %s", codecs[c].name,
					    text, changed);
				}
		}
}

Test(base_enc, refuses_bad_text)
{
	static const struct {
		int codec;
		size_t n;
		const char *text;
	} rows[] = {
		{ 0, 2, "ABCD" },
		{ 0, 2, "abcg" },
		{ 0, 2, " abc" },
		{ 0, 2, "0xab" },
		{ 0, 2, "ab c" },
		{ 1, 1, "mz" }, /* spare bits */
		{ 1, 1, "MY" },
		{ 1, 5, "MZXW6YTB" },
		{ 1, 5, "mzxw6yt1" },
		{ 1, 5, "mzxw6yt0" },
		{ 1, 5, "mzxw6yt8" },
		{ 1, 1, "my======" },
		{ 1, 4, "mzxw6yr" },
		{ 2, 1, "Zh==" }, /* spare bits */
		{ 2, 2, "Zm9=" },
		{ 2, 1, "Zg" },
		{ 2, 1, "Zg=" },
		{ 2, 1, "Z===" },
		{ 2, 1, "Zg=a" },
		{ 2, 3, "Zm-v" },
		{ 2, 3, "Zm_v" },
		{ 2, 3, "Zm v" },
		{ 2, 3, "Zm\nv" },
		{ 2, 3, "=m9v" },
		{ 2, 3, "Zm9\xff" },
	};
	uint8_t out[8];
	size_t i;

	for (i = 0; i < sizeof rows / sizeof *rows; i++)
		cr_expect_neq(
		    codecs[rows[i].codec].decode(out, rows[i].n, rows[i].text, strlen(rows[i].text)), 0,
		    "%s \"%s\"", codecs[rows[i].codec].name, rows[i].text);
}

Test(base_enc, hex_in_any_case_when_asked)
{
	uint8_t out[3];

	cr_expect_eq(hex_decode_any(out, 3, "AbCdEF", 6), 0);
	cr_expect_eq(memcmp(out, "\xab\xcd\xef", 3), 0);
	cr_expect_neq(hex_decode_any(out, 3, "AbCdEG", 6), 0);
	cr_expect_neq(hex_decode_any(out, 3, "AbCdE", 5), 0);
}

Test(base_enc, text_of_others_becomes_printable_ascii_and_is_never_cut_within_an_escape)
{
	char out[64], small[10];

	text_escape(out, sizeof out, "a\xc3\xa9 b\n\x7f~\\");
	cr_expect_str_eq(out, "a\\xc3\\xa9 b\\x0a\\x7f~\\");
	text_escape(small, sizeof small, "abcd\xff\xff");
	cr_expect_str_eq(small, "abcd\\xff");
	text_escape(small, sizeof small, "abcde\xff\xff");
	cr_expect_str_eq(small, "abcde");
}
