/* SPDX-License-Identifier: BSD-3-Clause */
/* Bytes from the SOCKS port. Cuts must not matter. */
#include "config.h"
#include "fuzz.h"

#include "proto/socks.h"

#include <string.h>

static size_t feed(struct socks *s, const uint8_t *data, size_t size, size_t piece, struct err *e)
{
	size_t at = 0, n = 0, used = 0;

	socks_init(s);
	while (at < size && used == n && s->state != SOCKS_FAILED) {
		n = size - at < piece ? size - at : piece;
		used = 0;
		socks_feed(s, data + at, n, &used, e);
		at += used;
	}
	return s->state == SOCKS_FAILED ? 0 : at;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct socks whole, cut;
	struct err e1 = ERR_INIT, e2 = ERR_INIT;
	size_t used = feed(&whole, data, size, size, &e1);

	FUZZ_CHECK(used == feed(&cut, data, size, 1, &e2) && used <= size);
	FUZZ_CHECK(whole.state == cut.state && whole.code == cut.code && strcmp(e1.msg, e2.msg) == 0);
	FUZZ_CHECK((e1.code != ERR_NONE) == (whole.state == SOCKS_FAILED));
	FUZZ_CHECK(whole.state != SOCKS_DONE || (whole.code >= 0 && whole.code <= 255));
	FUZZ_CHECK(whole.state == SOCKS_DONE || whole.state == SOCKS_FAILED || used == size);
	FUZZ_CHECK(socks_verdict(whole.code) < VERDICT__COUNT && strlen(socks_code_text(whole.code)) > 0);
	return 0;
}
