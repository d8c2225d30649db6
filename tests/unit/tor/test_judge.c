/* SPDX-License-Identifier: BSD-3-Clause */
/* The tables of verdicts: SOCKS codes with and without events, and escaping of what comes from outside. */
#include "config.h"
#include "tor/judge.h"

#include <criterion/criterion.h>
#include <string.h>

Test(tor_judge, each_socks_code_names_its_layer)
{
	static const struct {
		int code;
		enum desc_sight sight;
		enum verdict want;
	} rows[] = {
	    {0xf0, DESC_UNSEEN, VERDICT_NO_DESCRIPTOR},
	    {0xf1, DESC_UNSEEN, VERDICT_BAD_DESCRIPTOR},
	    {0xf2, DESC_RECEIVED, VERDICT_INTRO},
	    {0xf3, DESC_RECEIVED, VERDICT_RENDEZVOUS},
	    {0xf4, DESC_RECEIVED, VERDICT_CLIENT_AUTH},
	    {0xf5, DESC_RECEIVED, VERDICT_CLIENT_AUTH},
	    {0xf6, DESC_UNSEEN, VERDICT_BAD_ADDRESS},
	    {0xf7, DESC_RECEIVED, VERDICT_INTRO},
	    {0x01, DESC_UNSEEN, VERDICT_REFUSED},
	    {0x01, DESC_RECEIVED, VERDICT_REFUSED},
	    {0x01, DESC_BAD, VERDICT_BAD_DESCRIPTOR},
	    {0x05, DESC_RECEIVED, VERDICT_REFUSED},
	    {0x06, DESC_RECEIVED, VERDICT_TIMEOUT},
	    /* Without ExtendedErrors 04 says several things, and the events tell which. */
	    {0x04, DESC_UNSEEN, VERDICT_INTRO},
	    {0x04, DESC_RECEIVED, VERDICT_INTRO},
	    {0x04, DESC_REQUESTED, VERDICT_NO_DESCRIPTOR},
	    {0x04, DESC_MISSING, VERDICT_NO_DESCRIPTOR},
	    {0x04, DESC_BAD, VERDICT_BAD_DESCRIPTOR},
	    /* Our own side. */
	    {0x02, DESC_UNSEEN, VERDICT_INCONCLUSIVE},
	    {0x03, DESC_UNSEEN, VERDICT_INCONCLUSIVE},
	    {0x07, DESC_UNSEEN, VERDICT_INCONCLUSIVE},
	    {0x08, DESC_UNSEEN, VERDICT_INCONCLUSIVE},
	};
	char detail[PROBE_DETAIL_SIZE];
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct trace trace = {.desc = rows[i].sight, .cached = -1};
		enum verdict got = judge_socks(rows[i].code, &trace, detail);

		cr_expect(got == rows[i].want, "%02X with %d: %s", (unsigned)rows[i].code,
		    (int)rows[i].sight, verdict_name(got));
		cr_expect(strlen(detail) > 15, "%s", detail);
	}
}

Test(tor_judge, events_tell_what_01_and_04_of_a_plain_port_mean)
{
	static const struct {
		int code;
		struct trace t;
		enum verdict want;
	} rows[] = {
	    {1, {.reason = "TORPROTOCOL", .stream_seen = true}, VERDICT_BAD_ADDRESS},
	    {1, {.reason = "MISC", .stream_seen = true, .desc = DESC_RECEIVED}, VERDICT_CLIENT_AUTH},
	    {1, {.reason = "MISC", .stream_seen = true, .cached = 1}, VERDICT_CLIENT_AUTH},
	    /* The backend's reasons come from the other side. */
	    {1, {.reason = "END", .remote_reason = "MISC", .stream_seen = true, .joined = true}, VERDICT_REFUSED},
	    {1, {.reason = "MISC", .stream_seen = true, .joined = true}, VERDICT_REFUSED},
	    {1, {.reason = "TORPROTOCOL", .remote_reason = "X", .stream_seen = true}, VERDICT_REFUSED},
	    {1, {.reason = "", .stream_seen = true}, VERDICT_REFUSED},
	    {4, {.reason = "RESOLVEFAILED", .stream_seen = true, .cached = 0}, VERDICT_NO_DESCRIPTOR},
	    {4, {.reason = "RESOLVEFAILED", .stream_seen = true, .cached = 1}, VERDICT_INTRO},
	    {4, {.reason = "RESOLVEFAILED", .stream_seen = true, .cached = -1}, VERDICT_INTRO},
	    {4, {.desc = DESC_MISSING, .cached = 1}, VERDICT_NO_DESCRIPTOR},
	    {4, {.desc = DESC_RECEIVED, .cached = 0, .nacked = true}, VERDICT_INTRO},
	};
	char detail[PROBE_DETAIL_SIZE];
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		enum verdict got = judge_socks(rows[i].code, &rows[i].t, detail);

		cr_expect(got == rows[i].want, "row %zu: %s, %s", i, verdict_name(got), detail);
	}
}

Test(tor_judge, a_timeout_says_how_far_it_came)
{
	static const struct {
		struct trace t;
		enum verdict want;
		const char *detail;
	} rows[] = {
	    {{.stream_seen = false, .minor_seen = true}, VERDICT_TIMEOUT, "in 60000 ms"},
	    /* A filter that lets STREAM through and not CIRC_MINOR must not hide a takedown. */
	    {{.stream_seen = true, .desc = DESC_RECEIVED}, VERDICT_TIMEOUT, "in 60000 ms"},
	    {{.stream_seen = true, .minor_seen = true, .desc = DESC_REQUESTED}, VERDICT_TIMEOUT, "descriptor did not come"},
	    {{.stream_seen = true, .minor_seen = true, .desc = DESC_RECEIVED}, VERDICT_INCONCLUSIVE, "our own tor"},
	    {{.stream_seen = true, .minor_seen = true, .intro_timeout = true}, VERDICT_INCONCLUSIVE, "our own tor"},
	    {{.stream_seen = true, .minor_seen = true, .meeting_point = true}, VERDICT_TIMEOUT, "no introduction point"},
	    {{.stream_seen = true, .minor_seen = true, .meeting_point = true, .intro_timeout = true}, VERDICT_INTRO, "no introduction point"},
	    {{.stream_seen = true, .minor_seen = true, .meeting_point = true, .nacked = true}, VERDICT_INTRO, "no introduction point"},
	    {{.stream_seen = true, .minor_seen = true, .meeting_point = true, .acked = true, .intro_timeout = true}, VERDICT_TIMEOUT, "did not come"},
	    {{.stream_seen = true, .minor_seen = true, .meeting_point = true, .acked = true, .rend_timeout = true}, VERDICT_RENDEZVOUS, "did not come"},
	    {{.stream_seen = true, .minor_seen = true, .meeting_point = true, .acked = true, .joined = true, .rend_timeout = true}, VERDICT_TIMEOUT,
		"did not open"},
	};
	char detail[PROBE_DETAIL_SIZE];
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		enum verdict got = judge_timeout(&rows[i].t, 60000, detail);

		cr_expect(got == rows[i].want && strstr(detail, rows[i].detail) != NULL, "row %zu: %s, %s", i, verdict_name(got), detail);
		cr_expect(judge_socks(6, &rows[i].t, detail) == rows[i].want, "06 is the same, by tor's own deadline");
	}
}

Test(tor_judge, remote_bytes_are_escaped_and_cut)
{
	char detail[PROBE_DETAIL_SIZE], longish[400];
	size_t i;

	judge_detail(detail, "a%sb", "\x1b[31m\n\xc3\xa9");
	cr_expect_str_eq(detail, "a\\x1b[31m\\x0a\\xc3\\xa9b");
	memset(longish, '\x01', sizeof(longish) - 1);
	longish[sizeof(longish) - 1] = '\0';
	judge_detail(detail, "%s", longish);
	cr_expect(strlen(detail) < PROBE_DETAIL_SIZE && strlen(detail) % 4 == 0,
	    "no escape is cut in two");
	for (i = 0; detail[i] != '\0'; i++)
		cr_expect(detail[i] >= ' ' && detail[i] <= '~');
}
