/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One line of an event, "650 " already off; also as arguments, as a version and as a line of circuit-status; and what
 * a probe, our own side and the count of clients make of it.
 */
#include "config.h"
#include "fuzz.h"

#include "proto/event.h"
#include "tor/fitness.h"
#include "tor/judge.h"
#include "tor/trace.h"

#include <string.h>

/* The event twice, as the first and as a later one of a probe with the name "ours", and the verdicts after it. */
static void
follow(const struct event *ev)
{
	static const int codes[] = { 1, 4, 6, 0xf0, 0xf2 };
	struct phases ph = PHASES_NONE;
	struct fitness fit = { 0 };
	const struct now now = { 1000000, 1767312000 };
	char detail[PROBE_DETAIL_SIZE];
	struct trace t;
	const char *why;
	size_t i, k;

	trace_init(&t, "adifuhi6ujits3kvpl55iwelhrwztw7ls4x62efdevroujw43t5kanad", "ours");
	fitness_link_up(&fit);
	for (i = 0; i < 2; i++) {
		trace_take(&t, ev, (int32_t)i, &ph);
		FUZZ_CHECK(t.n_circuits <= 1 && ph.total == -1 && ph.connect == -1);
		fitness_take_event(&fit, ev, now);
		fitness_judge(&fit, now, &why);
		for (k = 0; k < sizeof codes / sizeof codes[0]; k++) {
			FUZZ_CHECK(judge_socks(codes[k], &t, detail) != VERDICT_OK && strlen(detail) < sizeof detail);
			FUZZ_CHECK(strspn(detail, " !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~") == strlen(detail));
		}
	}
}

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
	if (e.code == ERR_NONE)
		follow(&ev);
	event_parse_circ(&circ, (const char *)data, size, NULL);
	FUZZ_CHECK(reply_keyword_value(text, "K", value, sizeof value, NULL) != 0 || strlen(value) < sizeof value);
	FUZZ_CHECK(reply_keyword_int(text, "N", -9, 9, &number, NULL) != 0 || (number >= -9 && number <= 9));
	FUZZ_CHECK(tor_version_parse(&v, text, NULL) != 0 || tor_version_compare(&v, &v) == 0);
	free(text);
	return 0;
}
