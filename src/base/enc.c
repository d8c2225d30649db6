/* SPDX-License-Identifier: BSD-3-Clause */
/* Hex, base32, base64. Base64 is libsodium's (constant time: it carries keys). */
#include "config.h"
#include "base/enc.h"

#include <sodium.h>
#include <string.h>

void
hex_encode(char *out, const uint8_t *p, size_t n)
{
	sodium_bin2hex(out, HEX_LEN(n) + 1, p, n);
}

static int
hex_value(char c, int any)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (any && c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

static int
hex_decode_case(uint8_t *out, size_t n, const char *s, size_t len, int any)
{
	size_t i;

	if (len != HEX_LEN(n))
		return -1;
	for (i = 0; i < len; i++)
		if (hex_value(s[i], any) < 0)
			return -1;
	for (i = 0; i < n; i++)
		out[i] = (uint8_t)(hex_value(s[2 * i], any) << 4 | hex_value(s[2 * i + 1], any));
	return 0;
}

int
hex_decode(uint8_t *out, size_t n, const char *s, size_t len)
{
	return hex_decode_case(out, n, s, len, 0);
}

int
hex_decode_any(uint8_t *out, size_t n, const char *s, size_t len)
{
	return hex_decode_case(out, n, s, len, 1);
}

static const char b32_alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";

void
b32_encode(char *out, const uint8_t *p, size_t n)
{
	uint32_t acc = 0;
	unsigned bits = 0;
	size_t i;

	for (i = 0; i < n; i++) {
		acc = acc << 8 | p[i];
		bits += 8;
		while (bits >= 5) {
			bits -= 5;
			*out++ = b32_alphabet[acc >> bits & 31];
		}
		acc &= 0xff;
	}
	if (bits > 0)
		*out++ = b32_alphabet[acc << (5 - bits) & 31];
	*out = '\0';
}

static int
b32_value(char c)
{
	if (c >= 'a' && c <= 'z')
		return c - 'a';
	if (c >= '2' && c <= '7')
		return c - '2' + 26;
	return -1;
}

int
b32_decode(uint8_t *out, size_t n, const char *s, size_t len)
{
	uint32_t acc = 0;
	unsigned bits = 0;
	size_t i, got = 0;

	if (len != B32_LEN(n))
		return -1;
	for (i = 0; i < len; i++)
		if (b32_value(s[i]) < 0)
			return -1;
	/* The spare bits of the last character must be zero, or one value had two spellings. */
	if (len > 0 && (b32_value(s[len - 1]) & ((1 << (len * 5 - n * 8)) - 1)) != 0)
		return -1;
	for (i = 0; i < len; i++) {
		acc = (acc & 0xfff) << 5 | (uint32_t)b32_value(s[i]);
		bits += 5;
		if (bits >= 8 && got < n) {
			bits -= 8;
			out[got++] = (uint8_t)(acc >> bits);
		}
	}
	return 0;
}

void
b64_encode(char *out, const uint8_t *p, size_t n)
{
	sodium_bin2base64(out, B64_LEN(n) + 1, p, n, sodium_base64_VARIANT_ORIGINAL);
}

int
b64_decode(uint8_t *out, size_t n, const char *s, size_t len)
{
	const char *end = NULL;
	size_t got = 0, i;

	if (len != B64_LEN(n))
		return -1;
	/* libsodium 1.0.18 takes every byte from 0x80 up for '/'. */
	for (i = 0; i < len; i++)
		if ((unsigned char)s[i] > 0x7f)
			return -1;
	if (sodium_base642bin(out, n, s, len, NULL, &got, &end, sodium_base64_VARIANT_ORIGINAL) != 0)
		return -1;
	return got == n && end == s + len ? 0 : -1;
}

void
text_escape(char *out, size_t size, const char *in)
{
	static const char hex[] = "0123456789abcdef";
	size_t n = 0;

	for (; *in != '\0' && n + 5 < size; in++) {
		unsigned char c = (unsigned char)*in;

		if (c >= ' ' && c <= '~') {
			out[n++] = *in;
		} else {
			out[n++] = '\\';
			out[n++] = 'x';
			out[n++] = hex[c >> 4];
			out[n++] = hex[c & 15];
		}
	}
	out[n] = '\0';
}
