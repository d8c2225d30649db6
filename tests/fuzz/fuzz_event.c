/* SPDX-License-Identifier: BSD-3-Clause */
/* One line of an event, "650 " already off; also as arguments, as a version and as a line of circuit-status. */
#include "config.h"
#include "fuzz.h"

#include "proto/event.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size), value[64];
	struct reply_line line = {.code = 650, .sep = ' ', .text = text, .len = strlen(text)};
	const struct reply r = {.code = 650, .is_event = true, .lines = &line, .n_lines = 1};
	struct err e = ERR_INIT;
	struct event_circ circ;
	struct tor_version v;
	struct event ev;
	int64_t number = 5;

	FUZZ_CHECK((event_parse(&ev, &r, &e) == 0) == (e.code == ERR_NONE));
	event_parse_circ(&circ, (const char *)data, size, NULL);
	FUZZ_CHECK(reply_keyword_value(text, "K", value, sizeof value, NULL) != 0 || strlen(value) < sizeof value);
	FUZZ_CHECK(reply_keyword_int(text, "N", -9, 9, &number, NULL) != 0 || (number >= -9 && number <= 9));
	FUZZ_CHECK(tor_version_parse(&v, text, NULL) != 0 || tor_version_compare(&v, &v) == 0);
	free(text);
	return 0;
}
