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
		enum verdict got = judge_socks(rows[i].code, rows[i].sight, detail);

		cr_expect(got == rows[i].want, "%02X with %d: %s", (unsigned)rows[i].code,
		    (int)rows[i].sight, verdict_name(got));
		cr_expect(strlen(detail) > 15, "%s", detail);
	}
}

Test(tor_judge, events_fold_into_what_was_seen)
{
	static const struct {
		enum desc_sight before;
		struct event_hs_desc ev;
		enum desc_sight want;
	} rows[] = {
	    {DESC_UNSEEN, {.action = EVENT_DESC_REQUESTED, .side = EVENT_DESC_SIDE_FETCH},
		DESC_REQUESTED},
	    {DESC_REQUESTED, {.action = EVENT_DESC_RECEIVED, .side = EVENT_DESC_SIDE_FETCH},
		DESC_RECEIVED},
	    {DESC_REQUESTED,
		{.action = EVENT_DESC_FAILED,
		    .side = EVENT_DESC_SIDE_FETCH,
		    .reason = EVENT_DESC_REASON_NOT_FOUND},
		DESC_MISSING},
	    {DESC_REQUESTED,
		{.action = EVENT_DESC_FAILED,
		    .side = EVENT_DESC_SIDE_FETCH,
		    .reason = EVENT_DESC_REASON_BAD_DESC},
		DESC_BAD},
	    /* tor asked the next one, and got it. */
	    {DESC_MISSING, {.action = EVENT_DESC_REQUESTED, .side = EVENT_DESC_SIDE_FETCH},
		DESC_MISSING},
	    {DESC_MISSING, {.action = EVENT_DESC_RECEIVED, .side = EVENT_DESC_SIDE_FETCH},
		DESC_RECEIVED},
	    {DESC_RECEIVED,
		{.action = EVENT_DESC_FAILED,
		    .side = EVENT_DESC_SIDE_FETCH,
		    .reason = EVENT_DESC_REASON_NOT_FOUND},
		DESC_RECEIVED},
	    /* The service's own uploads on the same tor. */
	    {DESC_UNSEEN, {.action = EVENT_DESC_UPLOADED, .side = EVENT_DESC_SIDE_UPLOAD},
		DESC_UNSEEN},
	    {DESC_UNSEEN,
		{.action = EVENT_DESC_FAILED,
		    .side = EVENT_DESC_SIDE_UPLOAD,
		    .reason = EVENT_DESC_REASON_UPLOAD_REJECTED},
		DESC_UNSEEN},
	    {DESC_UNSEEN, {.action = EVENT_DESC_FAILED, .reason = EVENT_DESC_REASON_UNEXPECTED},
		DESC_UNSEEN},
	    {DESC_REQUESTED, {.action = EVENT_DESC_FAILED, .reason = EVENT_DESC_REASON_UNEXPECTED},
		DESC_MISSING},
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		cr_expect(judge_sight(rows[i].before, &rows[i].ev) == rows[i].want, "row %zu", i);
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
