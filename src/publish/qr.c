/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A QR code as a PNG picture (W3C PNG, third edition): one bit a dot, and
 * each module eight dots wide, so that it is one byte. Nothing is compressed
 * (RFC 1951 3.2.4), which needs no library.
 */
#include "config.h"
#include "publish/publish_impl.h"

#ifdef HAVE_QRENCODE
#include <qrencode.h>
#include <stdlib.h>
#include <string.h>

#define QUIET 4 /* modules of white around it (ISO 18004) */
#define MODULES_MAX 177 /* of the largest code */
#define DOTS 8
#define STORED_MAX 65535

static void
add_u32(struct buf *b, uint32_t v)
{
	const uint8_t p[4] = { (uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v };

	buf_add(b, p, 4);
}

/* Four bits at a time: the picture is drawn anew with each list. */
static uint32_t
crc32_of(const char *p, size_t n)
{
	static const uint32_t of[16] = { 0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4,
		0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
		0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c };
	uint32_t c = UINT32_MAX;

	for (; n > 0; n--) {
		c ^= (uint8_t)*p++;
		c = (c >> 4) ^ of[c & 15];
		c = (c >> 4) ^ of[c & 15];
	}
	return ~c;
}

static uint32_t
adler32_of(const char *p, size_t n)
{
	uint32_t a = 1, b = 0;

	for (; n > 0; n--) {
		a = (a + (uint8_t)*p++) % 65521;
		b = (b + a) % 65521;
	}
	return b << 16 | a;
}

static void
add_chunk(struct buf *out, const char *type, const struct buf *data)
{
	size_t at;

	add_u32(out, (uint32_t)data->len);
	at = out->len;
	buf_adds(out, type);
	buf_add(out, buf_str(data), data->len);
	if (buf_ok(out))
		add_u32(out, crc32_of(out->data + at, out->len - at));
}

/* Every row of modules DOTS times, each with its filter byte. */
static void
add_rows(struct buf *out, const QRcode *q)
{
	int n = q->width + 2 * QUIET, x, y, dot;
	char line[1 + MODULES_MAX + 2 * QUIET] = { 0 };

	for (y = -QUIET; y < n - QUIET; y++) {
		memset(line + 1, 0xff, (size_t)n);
		for (x = 0; y >= 0 && y < q->width && x < q->width; x++)
			if (q->data[y * q->width + x] & 1)
				line[1 + QUIET + x] = 0;
		for (dot = 0; dot < DOTS; dot++)
			buf_add(out, line, 1 + (size_t)n);
	}
}

static void
add_picture(struct buf *out, uint32_t side, const struct buf *rows)
{
	struct buf head = BUF_INIT(64), body = BUF_INIT(STORED_MAX + 64);
	uint16_t n = (uint16_t)rows->len;
	const uint8_t zlib[7] = { 0x78, 0x01, 0x01, (uint8_t)n, (uint8_t)(n >> 8), (uint8_t)~n, (uint8_t)(~n >> 8) };

	add_u32(&head, side);
	add_u32(&head, side);
	buf_add(&head, "\1\0\0\0\0", 5); /* one bit, grey, the only compression and filter, not interlaced */
	buf_add(&body, zlib, sizeof zlib);
	buf_add(&body, buf_str(rows), rows->len);
	add_u32(&body, adler32_of(buf_str(rows), rows->len));
	buf_add(out, "\211PNG\r\n\032\n", 8);
	add_chunk(out, "IHDR", &head);
	add_chunk(out, "IDAT", &body);
	buf_reset(&head);
	add_chunk(out, "IEND", &head);
	out->failed = out->failed || head.failed || body.failed;
	buf_free(&head);
	buf_free(&body);
}

bool
qr_png(struct buf *out, const char *text)
{
	QRcode *q = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_M);
	struct buf rows = BUF_INIT(STORED_MAX);
	bool ok;

	if (q == NULL)
		return false;
	add_rows(&rows, q);
	ok = buf_ok(&rows);
	if (ok)
		add_picture(out, (uint32_t)(q->width + 2 * QUIET) * DOTS, &rows);
	buf_free(&rows);
	QRcode_free(q);
	return ok && buf_ok(out);
}
#else
bool
qr_png(struct buf *out, const char *text)
{
	(void)out;
	(void)text;
	return false;
}
#endif
