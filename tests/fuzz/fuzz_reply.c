/* SPDX-License-Identifier: BSD-3-Clause */
/* Bytes from the control port: framer, then every helper that looks into a message. Cuts must not matter. */
#include "config.h"
#include "fuzz.h"

#include "base/buf.h"
#include "proto/event.h"
#include "proto/reply.h"

#include <string.h>

struct seen {
	struct buf text; /* of every message */
	struct err e;
};

static int see(const struct reply *r, void *arg)
{
	static struct reply_protocolinfo info;
	struct seen *s = arg;
	struct reply_authchallenge challenge;
	struct reply_add_onion added;
	struct event ev;
	const char *value;
	size_t i, len;

	for (i = 0; i < r->n_lines; i++) {
		FUZZ_CHECK(r->lines[i].code == r->code && strlen(r->lines[i].text) == r->lines[i].len);
		buf_addf(&s->text, "%d%c%s\n", r->code, r->lines[i].sep, r->lines[i].text);
		if (r->lines[i].data != NULL)
			buf_add(&s->text, r->lines[i].data, r->lines[i].data_len + 1);
	}
	FUZZ_CHECK(r->lines[r->n_lines - 1].sep == ' ');
	FUZZ_CHECK(reply_protocolinfo(&info, r, NULL) != 0 || r->code == 250);
	FUZZ_CHECK(reply_authchallenge(&challenge, r, NULL) != 0 || r->code == 250);
	FUZZ_CHECK(reply_add_onion(&added, r, NULL) != 0 || strlen(added.service_id) == 56);
	FUZZ_CHECK(event_parse(&ev, r, NULL) != 0 || r->is_event);
	FUZZ_CHECK(reply_getinfo(r, "k", &value, &len) != 0 || strlen(value) == len);
	FUZZ_CHECK(reply_getconf(r, "k", &value) != 0 || r->code == 250);
	return 0;
}

static struct seen feed(const uint8_t *data, size_t size, size_t piece)
{
	struct reply_reader *r = reply_reader_new();
	struct seen s = {.text = BUF_INIT((size_t)1 << 28)};
	size_t i, n;

	for (i = 0; i < size && s.e.code == ERR_NONE; i += n) {
		n = size - i < piece ? size - i : piece;
		reply_reader_feed(r, (const char *)data + i, n, see, &s, &s.e);
	}
	reply_reader_free(r);
	return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct seen whole = feed(data, size, size), cut = feed(data, size, size > 0 ? data[0] % 17 + 1u : 1);

	FUZZ_CHECK(whole.e.code == cut.e.code && strcmp(whole.e.msg, cut.e.msg) == 0);
	FUZZ_CHECK(
	    whole.text.len == cut.text.len && memcmp(buf_str(&whole.text), buf_str(&cut.text), cut.text.len) == 0);
	buf_free(&whole.text);
	buf_free(&cut.text);
	return 0;
}
