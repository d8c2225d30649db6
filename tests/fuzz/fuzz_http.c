/* SPDX-License-Identifier: BSD-3-Clause */
/* A response behind one byte of options. Cuts must not matter, bounds must hold, a sink gets what would be kept. */
#include "config.h"
#include "fuzz.h"

#include "proto/http.h"

#include <string.h>

static int sink(void *arg, const char *p, size_t n, struct err *e)
{
	buf_add(arg, p, n);
	return buf_ok(arg) ? 0 : err_set(e, ERR_LIMIT, "the sink got more than its cap");
}

/* `kept`: the body goes there; NULL: into the reader. */
static struct http_reader *feed(const char *data, size_t size, size_t piece, uint8_t options, struct buf *kept, size_t *at,
    struct err *e)
{
	struct http_reader *r = http_reader_new();
	size_t n = 0, used = 0;

	if (kept != NULL)
		http_reader_set_sink(r, sink, kept, options & 1 ? 100 : HTTP_BODY_MAX);
	else
		http_reader_set_body_cap(r, options & 1 ? 100 : HTTP_BODY_MAX);
	if (options & 2)
		http_reader_set_head_request(r);
	for (*at = 0; *at < size && used == n && e->code == ERR_NONE; *at += used) {
		n = size - *at < piece ? size - *at : piece;
		used = 0;
		http_reader_feed(r, data + *at, n, &used, e);
	}
	if (options & 4 && e->code == ERR_NONE)
		http_reader_eof(r, e);
	return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err e1 = ERR_INIT, e2 = ERR_INIT, e3 = ERR_INIT;
	struct buf kept = BUF_INIT(HTTP_BODY_MAX);
	uint8_t options = size > 0 ? data[0] : 0;
	const char *in = (const char *)data + (size > 0), *b1, *b2;
	size_t at1, at2, at3, n1, n2, len = size > 0 ? size - 1 : 0;
	struct http_reader *r1 = feed(in, len, len, options, NULL, &at1, &e1),
			   *r2 = feed(in, len, (options >> 3) + 1u, options, NULL, &at2, &e2),
			   *r3 = feed(in, len, (options >> 3) + 1u, options, &kept, &at3, &e3);

	b1 = http_reader_body(r1, &n1);
	b2 = http_reader_body(r2, &n2);
	FUZZ_CHECK(e1.code == e2.code && strcmp(e1.msg, e2.msg) == 0 && (e1.code != ERR_NONE || at1 == at2));
	FUZZ_CHECK(n1 == n2 && n1 <= (options & 1 ? 100 : HTTP_BODY_MAX) && memcmp(b1, b2, n1) == 0);
	FUZZ_CHECK(e1.code == e3.code && strcmp(e1.msg, e3.msg) == 0 && at2 == at3);
	FUZZ_CHECK(kept.len == n1 && memcmp(buf_str(&kept), b1, n1) == 0);
	FUZZ_CHECK(http_reader_status(r1) == http_reader_status(r2) && http_reader_done(r1) == http_reader_done(r2));
	FUZZ_CHECK(!http_reader_done(r1) ||
		   (http_reader_status(r1) >= 200 && http_reader_status(r1) <= 599 && e1.code == ERR_NONE));
	FUZZ_CHECK(http_reader_header(r1, "Content-Encoding") == NULL || http_reader_status(r1) != 0);
	http_reader_free(r1);
	http_reader_free(r2);
	http_reader_free(r3);
	buf_free(&kept);
	return 0;
}
