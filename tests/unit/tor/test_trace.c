/* SPDX-License-Identifier: BSD-3-Clause */
/* What lines of a real tor tell of a probe, and what lines of others must not. */
#include "config.h"
#include "tor/trace.h"

#include "tor/judge.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define A "adifuhi6ujits3kvpl55iwelhrwztw7ls4x62efdevroujw43t5kanad"
#define B "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid"
#define OURS " SOCKS_USERNAME=\"ours\" SOCKS_PASSWORD=\"x\""
#define OTHER " SOCKS_USERNAME=\"other\" SOCKS_PASSWORD=\"x\""
#define PATH " $0123456789ABCDEF0123456789ABCDEF01234567~a,$0123456789ABCDEF0123456789ABCDEF01234567~b"
#define HSDIR " NO_AUTH $0123456789ABCDEF0123456789ABCDEF01234567~d BaPJ7sfx42IDt7Yh/Vp1jP7T+buAY6If2z11jPlb8A8"
#define REND PATH " BUILD_FLAGS=IS_INTERNAL PURPOSE=HS_CLIENT_REND HS_STATE="
#define INTRO PATH " BUILD_FLAGS=IS_INTERNAL PURPOSE=HS_CLIENT_INTRO HS_STATE="
#define QUERY " REND_QUERY=" A " TIME_CREATED=2026-11-24T11:59:45.616626" OURS

static const struct phases none = PHASES_NONE;

/* Feeds lines, one a millisecond from 1 on. */
static void
feed(struct trace *t, struct phases *ph, const char *const *lines)
{
	struct err e = ERR_INIT;
	struct event ev;
	int32_t ms;

	*ph = none;
	trace_init(t, A, "ours");
	for (ms = 1; *lines != NULL; lines++, ms++) {
		struct reply_line line = {.code = 650, .sep = ' ', .text = *lines, .len = strlen(*lines)};
		const struct reply r = {.code = 650, .is_event = true, .lines = &line, .n_lines = 1};

		cr_assert(event_parse(&ev, &r, &e) == 0 && ev.kind != EVENT_OTHER, "%s: %s", *lines, e.msg);
		trace_take(t, &ev, ms, ph);
	}
}

static const char *const works[] = {
    "STREAM 15 NEW 0 " A ".onion:80 SOURCE_ADDR=127.0.0.1:40000 PURPOSE=USER" OURS,
    "HS_DESC REQUESTED " A HSDIR,
    "HS_DESC RECEIVED " A HSDIR,
    "CIRC 11 BUILT" REND "HSCR_CONNECTING REND_QUERY=" A,
    "CIRC_MINOR 11 PURPOSE_CHANGED" REND "HSCR_ESTABLISHED_IDLE" QUERY " OLD_PURPOSE=HS_CLIENT_REND OLD_HS_STATE=HSCR_CONNECTING",
    "CIRC 9 BUILT" INTRO "HSCI_CONNECTING" QUERY,
    "CIRC_MINOR 9 PURPOSE_CHANGED" INTRO "HSCI_INTRO_SENT" QUERY " OLD_PURPOSE=HS_CLIENT_INTRO OLD_HS_STATE=HSCI_CONNECTING",
    "CIRC_MINOR 11 PURPOSE_CHANGED" REND "HSCR_ESTABLISHED_WAITING" QUERY,
    "CIRC_MINOR 9 PURPOSE_CHANGED" INTRO "HSCI_DONE" QUERY " OLD_PURPOSE=HS_CLIENT_INTRO OLD_HS_STATE=HSCI_INTRO_SENT",
    "CIRC_MINOR 9 PURPOSE_CHANGED" PATH " PURPOSE=CIRCUIT_PADDING" QUERY,
    "CIRC_MINOR 11 PURPOSE_CHANGED" REND "HSCR_JOINED" QUERY,
    "STREAM 15 SENTCONNECT 11 " A ".onion:80" OURS,
    "STREAM 15 SUCCEEDED 11 " A ".onion:80" OURS,
    NULL};

Test(tor_trace, a_probe_that_works_shows_its_phases_and_keeps_only_the_rendezvous_circuit)
{
	struct phases ph;
	struct trace t;

	feed(&t, &ph, works);
	cr_expect(t.stream_seen && t.meeting_point && t.acked && t.joined && !t.nacked);
	cr_expect(ph.descriptor == 3 && ph.introduction == 9 && ph.rendezvous == 11, "%d %d %d", ph.descriptor, ph.introduction,
	    ph.rendezvous);
	cr_expect(ph.connect == -1 && ph.circuit == -1 && ph.first_byte == -1);
	cr_expect(t.n_circuits == 1 && strcmp(t.circuits[0].id, "11") == 0 && t.circuits[0].built, "the other one became padding, which is tor's");
}

Test(tor_trace, refused_introductions_are_no_success_though_the_last_one_says_done)
{
	static const char *const lines[] = {
	    "STREAM 184 NEW 0 " A ".onion:80" OURS,
	    "CIRC_MINOR 110 PURPOSE_CHANGED" REND "HSCR_ESTABLISHED_IDLE" QUERY,
	    "CIRC_MINOR 109 PURPOSE_CHANGED" INTRO "HSCI_INTRO_SENT" QUERY,
	    "CIRC_MINOR 109 PURPOSE_CHANGED" INTRO "HSCI_CONNECTING" QUERY " OLD_HS_STATE=HSCI_INTRO_SENT",
	    "CIRC_MINOR 109 PURPOSE_CHANGED" INTRO "HSCI_DONE" QUERY " OLD_HS_STATE=HSCI_CONNECTING",
	    "CIRC 109 CLOSED" INTRO "HSCI_DONE" QUERY " REASON=FINISHED",
	    "CIRC 110 CLOSED" REND "HSCR_ESTABLISHED_IDLE" QUERY " REASON=FINISHED",
	    "HS_DESC REQUESTED " A HSDIR,
	    "STREAM 184 FAILED 0 " A ".onion:80 REASON=RESOLVEFAILED" OURS,
	    "HS_DESC RECEIVED " A HSDIR,
	    NULL};
	char detail[PROBE_DETAIL_SIZE];
	struct phases ph;
	struct trace t;

	feed(&t, &ph, lines);
	cr_expect(t.nacked && !t.acked && !t.intro_timeout && t.n_circuits == 0);
	cr_expect(ph.introduction == -1 && ph.rendezvous == -1);
	cr_expect(judge_socks(4, &t, detail) == VERDICT_INTRO && strstr(detail, "refused") != NULL, "%s", detail);
}

Test(tor_trace, what_is_being_built_is_told_from_what_is_whole)
{
	static const struct {
		const char *line;
		bool built;
	} rows[] = {
	    {"CIRC 9 EXTENDED" INTRO "HSCI_CONNECTING" QUERY, false},
	    {"CIRC 9 BUILT" INTRO "HSCI_CONNECTING" QUERY, true},
	    {"CIRC_MINOR 9 PURPOSE_CHANGED" INTRO "HSCI_INTRO_SENT" QUERY, true},
	    {"CIRC_MINOR 9 PURPOSE_CHANGED" INTRO "HSCI_CONNECTING" QUERY " OLD_HS_STATE=HSCI_INTRO_SENT", false},
	    {"CIRC 9 BUILT" INTRO "HSCI_CONNECTING" QUERY, true},
	    {"CIRC 9 EXTENDED" REND "HSCR_CONNECTING" QUERY, false},
	    {"CIRC_MINOR 9 PURPOSE_CHANGED" REND "HSCR_ESTABLISHED_IDLE" QUERY, true},
	    {"STREAM 15 SENTCONNECT 9 " A ".onion:80" OURS, true},
	};
	const char *lines[sizeof(rows) / sizeof(rows[0]) + 1];
	struct phases ph;
	struct trace t;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		lines[i] = rows[i].line;
		lines[i + 1] = NULL;
		feed(&t, &ph, lines);
		cr_expect(t.n_circuits == 1 && t.circuits[0].built == rows[i].built, "row %zu", i);
	}
}

Test(tor_trace, an_outage_of_ours_shows_no_rendezvous_point_and_proves_nothing)
{
	static const char *const lines[] = {
	    "STREAM 20 NEW 0 " A ".onion:80" OURS,
	    "CIRC_MINOR 15 CANNIBALIZED" REND "HSCR_CONNECTING OLD_PURPOSE=HS_VANGUARDS",
	    "CIRC_MINOR 15 PURPOSE_CHANGED" PATH " PURPOSE=PATH_BIAS_TESTING" QUERY " OLD_PURPOSE=HS_CLIENT_REND OLD_HS_STATE=HSCR_CONNECTING",
	    "CIRC 16 FAILED PURPOSE=HS_CLIENT_INTRO HS_STATE=HSCI_CONNECTING" QUERY " REASON=TIMEOUT",
	    "CIRC 15 CLOSED" PATH " PURPOSE=PATH_BIAS_TESTING" QUERY " REASON=TIMEOUT",
	    "CIRC 20 FAILED PURPOSE=HS_CLIENT_REND HS_STATE=HSCR_CONNECTING" QUERY " REASON=TIMEOUT",
	    NULL};
	char detail[PROBE_DETAIL_SIZE];
	struct phases ph;
	struct trace t;

	feed(&t, &ph, lines);
	cr_expect(!t.meeting_point && t.n_circuits == 0 && !t.rend_timeout);
	cr_expect(judge_timeout(&t, 60000, detail) == VERDICT_TIMEOUT, "a filter may keep the event from us");
	t.minor_seen = true;
	cr_expect(judge_timeout(&t, 60000, detail) == VERDICT_INCONCLUSIVE && strstr(detail, "our own tor") != NULL, "%s", detail);
	cr_expect(judge_socks(6, &t, detail) == VERDICT_INCONCLUSIVE);
}

Test(tor_trace, several_probes_of_one_address_are_not_mixed_up)
{
	static const char *const lines[] = {
	    "STREAM 1 NEW 0 " A ".onion:80" OTHER,
	    "STREAM 2 NEW 0 " A ".onion:80",
	    "CIRC_MINOR 11 PURPOSE_CHANGED" REND "HSCR_JOINED REND_QUERY=" A OTHER,
	    "CIRC_MINOR 9 PURPOSE_CHANGED" INTRO "HSCI_INTRO_SENT REND_QUERY=" A OTHER,
	    "CIRC_MINOR 9 PURPOSE_CHANGED" INTRO "HSCI_DONE REND_QUERY=" A OTHER,
	    "CIRC_MINOR 12 PURPOSE_CHANGED" REND "HSCR_JOINED REND_QUERY=" A,
	    "STREAM 1 SENTCONNECT 11 " A ".onion:80" OTHER,
	    "STREAM 1 FAILED 11 " A ".onion:80 REASON=END REMOTE_REASON=MISC" OTHER,
	    "STREAM 3 FAILED 11 " A ".onion:80 REASON=END SOCKS_PASSWORD=\"SOCKS_USERNAME=\\\"ours\\\"\"" OTHER,
	    "HS_DESC RECEIVED " B HSDIR,
	    NULL};
	struct trace t;
	struct trace empty;
	struct phases ph;

	feed(&t, &ph, lines);
	trace_init(&empty, A, "ours");
	cr_expect(memcmp(&t, &empty, sizeof(t)) == 0);
	cr_expect(memcmp(&ph, &none, sizeof(ph)) == 0);
}

Test(tor_trace, a_probe_without_a_name_takes_no_stream_or_circuit)
{
	struct phases ph = none;
	struct event ev = {.kind = EVENT_STREAM};
	struct trace t;

	trace_init(&t, A, "");
	ev.u.stream.status = EVENT_STREAM_SENTCONNECT;
	snprintf(ev.u.stream.circuit, sizeof(ev.u.stream.circuit), "7");
	trace_take(&t, &ev, 1, &ph);
	ev.kind = EVENT_CIRC;
	memset(&ev.u, 0, sizeof(ev.u));
	snprintf(ev.u.circ.id, sizeof(ev.u.circ.id), "7");
	trace_take(&t, &ev, 1, &ph);
	cr_expect(!t.stream_seen && t.n_circuits == 0);
}

Test(tor_trace, a_flood_of_circuits_with_our_name_is_bounded_and_the_known_ones_still_end)
{
	struct phases ph = none;
	struct event ev = {.kind = EVENT_CIRC};
	struct trace t;
	unsigned i;

	trace_init(&t, A, "ours");
	snprintf(ev.u.circ.socks_username, sizeof(ev.u.circ.socks_username), "ours");
	for (i = 0; i < 1000; i++) {
		snprintf(ev.u.circ.id, sizeof(ev.u.circ.id), "%u", i);
		snprintf(ev.u.circ.purpose, sizeof(ev.u.circ.purpose), i % 2 ? "HS_CLIENT_INTRO" : "HS_CLIENT_REND");
		snprintf(ev.u.circ.hs_state, sizeof(ev.u.circ.hs_state), "HSCI_INTRO_SENT");
		ev.u.circ.status = EVENT_CIRC_BUILT;
		trace_take(&t, &ev, 1, &ph);
		cr_assert(t.n_circuits <= TRACE_CIRCUITS_MAX);
	}
	cr_expect(t.n_circuits == TRACE_CIRCUITS_MAX);
	for (i = 0; i < 1000; i++) {
		snprintf(ev.u.circ.id, sizeof(ev.u.circ.id), "%u", i);
		ev.u.circ.status = EVENT_CIRC_CLOSED;
		trace_take(&t, &ev, 1, &ph);
	}
	cr_expect(t.n_circuits == 0);
}

Test(tor_trace, events_fold_into_what_was_seen)
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
		cr_expect(trace_sight(rows[i].before, &rows[i].ev) == rows[i].want, "row %zu", i);
}

