/* SPDX-License-Identifier: BSD-3-Clause */
/* Events as a real tor prints them, redacted by a filter, and out of range. */
#include "config.h"
#include "raw.h"

#include "base/buf.h"
#include "proto/event.h"

#include <criterion/criterion.h>

#define ADDR "adifuhi6ujits3kvpl55iwelhrwztw7ls4x62efdevroujw43t5kanad"
#define FP "0123456789ABCDEF0123456789ABCDEF01234567"
#define DIR "$" FP "~hsdir1"
#define DESC "aB3/+dEfGhIjKlMnOpQrStUvWxYz0123456789abcdE"

struct parsed {
	int rc;
	struct event ev;
	struct err e;
};

static int parse(const struct reply *r, void *arg)
{
	struct parsed *p = arg;

	p->rc = event_parse(&p->ev, r, &p->e);
	return 0;
}

static struct parsed parse_line(const char *text)
{
	struct buf b = BUF_INIT(65536);
	struct parsed p = {.rc = -2};

	buf_addf(&b, "650 %s\r\n", text);
	cr_assert_eq(raw_reply(buf_str(&b), parse, &p), 0);
	buf_free(&b);
	return p;
}

Test(proto_event, hs_desc_lines_of_a_real_tor)
{
	static const struct {
		const char *in;
		enum event_desc_action action;
		enum event_desc_reason reason;
		enum event_desc_side side;
		const char *address, *hsdir, *descid;
	} table[] = {
	    {"HS_DESC CREATED " ADDR " UNKNOWN UNKNOWN " DESC, EVENT_DESC_CREATED, 0, EVENT_DESC_SIDE_UPLOAD, ADDR,
		"", DESC},
	    {"HS_DESC UPLOAD " ADDR " UNKNOWN " DIR " " DESC " HSDIR_INDEX=00", EVENT_DESC_UPLOAD, 0,
		EVENT_DESC_SIDE_UPLOAD, ADDR, FP, DESC},
	    {"HS_DESC UPLOADED " ADDR " UNKNOWN " DIR, EVENT_DESC_UPLOADED, 0, EVENT_DESC_SIDE_UPLOAD, ADDR, FP, ""},
	    {"HS_DESC FAILED " ADDR " NO_AUTH " DIR " " DESC " REASON=UPLOAD_REJECTED", EVENT_DESC_FAILED,
		EVENT_DESC_REASON_UPLOAD_REJECTED, EVENT_DESC_SIDE_UPLOAD, ADDR, FP, DESC},
	    {"HS_DESC REQUESTED " ADDR " NO_AUTH " DIR " " DESC " HSDIR_INDEX=00", EVENT_DESC_REQUESTED, 0,
		EVENT_DESC_SIDE_FETCH, ADDR, FP, DESC},
	    {"HS_DESC RECEIVED " ADDR " NO_AUTH " DIR " " DESC, EVENT_DESC_RECEIVED, 0, EVENT_DESC_SIDE_FETCH, ADDR,
		FP, DESC},
	    {"HS_DESC FAILED " ADDR " NO_AUTH " DIR " " DESC " REASON=NOT_FOUND", EVENT_DESC_FAILED,
		EVENT_DESC_REASON_NOT_FOUND, EVENT_DESC_SIDE_FETCH, ADDR, FP, DESC},
	    {"HS_DESC FAILED " ADDR " NO_AUTH " DIR " " DESC " REASON=QUERY_REJECTED", EVENT_DESC_FAILED,
		EVENT_DESC_REASON_QUERY_REJECTED, EVENT_DESC_SIDE_FETCH, ADDR, FP, DESC},
	    {"HS_DESC FAILED " ADDR " NO_AUTH " DIR " " DESC " REASON=BAD_DESC", EVENT_DESC_FAILED,
		EVENT_DESC_REASON_BAD_DESC, EVENT_DESC_SIDE_FETCH, ADDR, FP, DESC},
	    /* One word for an upload and for a fetch: nothing is guessed. */
	    {"HS_DESC FAILED " ADDR " NO_AUTH " DIR " " DESC " REASON=UNEXPECTED", EVENT_DESC_FAILED,
		EVENT_DESC_REASON_UNEXPECTED, EVENT_DESC_SIDE_UNKNOWN, ADDR, FP, DESC},
	    {"HS_DESC FAILED " ADDR " NO_AUTH " DIR " " DESC, EVENT_DESC_FAILED, 0, EVENT_DESC_SIDE_UNKNOWN, ADDR, FP,
		DESC},
	    {"HS_DESC FAILED " ADDR " NO_AUTH " DIR " REASON=NEWER NEW=1", EVENT_DESC_FAILED, EVENT_DESC_REASON_OTHER,
		EVENT_DESC_SIDE_UNKNOWN, ADDR, FP, ""},
	    {"HS_DESC FAILED " ADDR " NO_AUTH UNKNOWN REASON=QUERY_NO_HSDIR", EVENT_DESC_FAILED,
		EVENT_DESC_REASON_QUERY_NO_HSDIR, EVENT_DESC_SIDE_FETCH, ADDR, "", ""},
	    {"HS_DESC FAILED " ADDR " NO_AUTH UNKNOWN REASON=QUERY_RATE_LIMITED", EVENT_DESC_FAILED,
		EVENT_DESC_REASON_QUERY_RATE_LIMITED, EVENT_DESC_SIDE_FETCH, ADDR, "", ""},
	    {"HS_DESC IGNORE " ADDR " NO_AUTH " DIR, EVENT_DESC_OTHER, 0, EVENT_DESC_SIDE_UNKNOWN, ADDR, FP, ""},
	    {"HS_DESC UPLOADED UNKNOWN UNKNOWN $" FP "=old", EVENT_DESC_UPLOADED, 0, EVENT_DESC_SIDE_UPLOAD, "", FP,
		""},
	    {"HS_DESC UPLOADED " ADDR " UNKNOWN redacted redacted extra words", EVENT_DESC_UPLOADED, 0,
		EVENT_DESC_SIDE_UPLOAD, ADDR, "", "redacted"},
	    {"HS_DESC CREATED " ADDR " UNKNOWN", EVENT_DESC_CREATED, 0, EVENT_DESC_SIDE_UPLOAD, ADDR, "", ""},
	};
	size_t i;

	for (i = 0; i < sizeof table / sizeof table[0]; i++) {
		struct parsed p = parse_line(table[i].in);
		const struct event_hs_desc *d = &p.ev.u.hs_desc;

		cr_expect_eq(p.rc, 0, "%s: %s", table[i].in, p.e.msg);
		cr_expect_eq(p.ev.kind, EVENT_HS_DESC);
		cr_expect_eq(d->action, table[i].action, "%s", table[i].in);
		cr_expect_eq(d->reason, table[i].reason, "%s", table[i].in);
		cr_expect_eq(d->side, table[i].side, "%s", table[i].in);
		cr_expect_str_eq(d->address, table[i].address);
		cr_expect_str_eq(d->hsdir, table[i].hsdir, "%s", table[i].in);
		cr_expect_str_eq(d->descid, table[i].descid, "%s", table[i].in);
	}
}

Test(proto_event, values_of_tor_out_of_range_are_errors)
{
	static const char *const table[] = {
	    "HS_DESC",
	    "HS_DESC UPLOAD",
	    "HS_DESC UPLOAD " ADDR,
	    "HS_DESC X=1 " ADDR " UNKNOWN",
	    "HS_DESC UPLOAD abc UNKNOWN " DIR,
	    "HS_DESC UPLOAD " ADDR "x UNKNOWN " DIR,
	    "HS_DESC UPLOAD ADIFUHI6UJITS3KVPL55IWELHRWZTW7LS4X62EFDEVROUJW43T5KANAD UNKNOWN " DIR,
	    "HS_DESC UPLOAD " ADDR " UNKNOWN $0123",
	    "HS_DESC UPLOAD " ADDR " UNKNOWN $" FP "9",
	    "HS_DESC UPLOAD " ADDR " UNKNOWN $x" FP,
	    "HS_DESC UPLOAD " ADDR " UNKNOWN " DIR " " DESC DESC,
	    "HS_DESC UPLOAD " ADDR " UNKNOWN " DIR " REASON=\"x",
	    "STATUS_CLIENT",
	    "STATUS_CLIENT NOTICE",
	    "STATUS_CLIENT NOTICE BOOTSTRAP PROGRESS=101",
	    "STATUS_CLIENT NOTICE BOOTSTRAP PROGRESS=-1",
	    "STATUS_CLIENT NOTICE BOOTSTRAP PROGRESS=x",
	    "STATUS_GENERAL WARN CLOCK_SKEW SKEW=99999999999",
	    "STATUS_GENERAL WARN CLOCK_JUMPED TIME=",
	    "NETWORK_LIVENESS",
	    "STREAM",
	    "STREAM 1",
	    "STREAM 1 NEW",
	    "STREAM 12345678901234567 NEW 0 x:1",
	    "STREAM 1-2 NEW 0 x:1",
	    "STREAM 1 NEW a_b x:1",
	    "CIRC",
	    "CIRC 1",
	    "CIRC 12345678901234567 BUILT",
	    "CIRC 1;2 BUILT",
	    "CIRC_MINOR \"1",
	};
	size_t i;

	for (i = 0; i < sizeof table / sizeof table[0]; i++) {
		struct parsed p = parse_line(table[i]);

		cr_expect_eq(p.rc, -1, "%s", table[i]);
		cr_expect(p.e.code == ERR_PARSE || p.e.code == ERR_LIMIT, "%s", table[i]);
		cr_expect_eq(p.ev.kind, EVENT_OTHER, "written on failure");
	}
}

Test(proto_event, what_we_do_not_know_is_tolerated)
{
	static const char *const table[] = {"OK", "", " ", "BW 1 2", "HS_DESCX UPLOAD", "hs_desc UPLOAD",
	    "HS_DESC_CONTENT a b c", "NETWORK_LIVENESS SIDEWAYS", "STREAM_BW 1 2 3", "CIRCUIT", "CONF_CHANGED",
	    "\"\"\"", "NEWEVENT K=\""};
	size_t i;

	for (i = 0; i < sizeof table / sizeof table[0]; i++) {
		struct parsed p = parse_line(table[i]);

		cr_expect_eq(p.rc, 0, "%s: %s", table[i], p.e.msg);
		cr_expect_eq(p.ev.kind, EVENT_OTHER, "%s", table[i]);
	}
}

Test(proto_event, an_answer_is_no_event)
{
	struct parsed p = {.rc = -2};

	cr_assert_eq(raw_reply("250 HS_DESC\r\n", parse, &p), 0);
	cr_assert_eq(p.rc, -1);
	cr_assert_eq(p.e.code, ERR_PROTO);
}

Test(proto_event, status_events_say_what_tor_thinks_of_itself)
{
	static const struct {
		const char *in;
		enum event_kind kind;
		enum event_severity severity;
		enum event_status_action action;
		int progress;
		int64_t seconds;
		const char *reason, *source;
	} table[] = {
	    {"STATUS_CLIENT NOTICE BOOTSTRAP PROGRESS=100 TAG=done SUMMARY=\"Done\"", EVENT_STATUS_CLIENT,
		EVENT_SEVERITY_NOTICE, EVENT_STATUS_BOOTSTRAP, 100, 0, "done", ""},
	    {"STATUS_CLIENT WARN BOOTSTRAP PROGRESS=5 TAG=conn SUMMARY=\"Con\\\"n\" REASON=NOROUTE COUNT=3",
		EVENT_STATUS_CLIENT, EVENT_SEVERITY_WARN, EVENT_STATUS_BOOTSTRAP, 5, 0, "NOROUTE", ""},
	    {"STATUS_CLIENT NOTICE BOOTSTRAP", EVENT_STATUS_CLIENT, EVENT_SEVERITY_NOTICE, EVENT_STATUS_BOOTSTRAP, -1,
		0, "", ""},
	    {"STATUS_CLIENT NOTICE ENOUGH_DIR_INFO", EVENT_STATUS_CLIENT, EVENT_SEVERITY_NOTICE,
		EVENT_STATUS_ENOUGH_DIR_INFO, -1, 0, "", ""},
	    {"STATUS_CLIENT NOTICE NOT_ENOUGH_DIR_INFO", EVENT_STATUS_CLIENT, EVENT_SEVERITY_NOTICE,
		EVENT_STATUS_NOT_ENOUGH_DIR_INFO, -1, 0, "", ""},
	    {"STATUS_CLIENT NOTICE CIRCUIT_ESTABLISHED", EVENT_STATUS_CLIENT, EVENT_SEVERITY_NOTICE,
		EVENT_STATUS_CIRCUIT_ESTABLISHED, -1, 0, "", ""},
	    {"STATUS_CLIENT NOTICE CIRCUIT_NOT_ESTABLISHED REASON=CLOCK_JUMPED", EVENT_STATUS_CLIENT,
		EVENT_SEVERITY_NOTICE, EVENT_STATUS_CIRCUIT_NOT_ESTABLISHED, -1, 0, "CLOCK_JUMPED", ""},
	    {"STATUS_CLIENT NOTICE CONSENSUS_ARRIVED", EVENT_STATUS_CLIENT, EVENT_SEVERITY_NOTICE,
		EVENT_STATUS_CONSENSUS_ARRIVED, -1, 0, "", ""},
	    {"STATUS_GENERAL WARN CLOCK_JUMPED TIME=3600 IDLE=0", EVENT_STATUS_GENERAL, EVENT_SEVERITY_WARN,
		EVENT_STATUS_CLOCK_JUMPED, -1, 3600, "", ""},
	    {"STATUS_GENERAL WARN CLOCK_SKEW SKEW=-7200 SOURCE=OR:127.0.0.1:5001", EVENT_STATUS_GENERAL,
		EVENT_SEVERITY_WARN, EVENT_STATUS_CLOCK_SKEW, -1, -7200, "", "OR:127.0.0.1:5001"},
	    {"STATUS_CLIENT WARN DANGEROUS_SOCKS PROTOCOL=SOCKS5 ADDRESS=1.2.3.4:80", EVENT_STATUS_CLIENT,
		EVENT_SEVERITY_WARN, EVENT_STATUS_DANGEROUS_SOCKS, -1, 0, "", ""},
	    {"STATUS_CLIENT WARN SOCKS_BAD_HOSTNAME HOSTNAME=\"x\\", EVENT_STATUS_CLIENT, EVENT_SEVERITY_WARN,
		EVENT_STATUS_SOCKS_BAD_HOSTNAME, -1, 0, "", ""},
	    {"STATUS_SERVER NOTICE X", EVENT_OTHER, 0, 0, 0, 0, "", ""},
	    {"STATUS_GENERAL CRIT NEWER A=1", EVENT_STATUS_GENERAL, EVENT_SEVERITY_OTHER, EVENT_STATUS_OTHER, -1, 0,
		"", ""},
	};
	size_t i;

	for (i = 0; i < sizeof table / sizeof table[0]; i++) {
		struct parsed p = parse_line(table[i].in);
		const struct event_status *s = &p.ev.u.status;

		cr_expect_eq(p.rc, 0, "%s: %s", table[i].in, p.e.msg);
		cr_expect_eq(p.ev.kind, table[i].kind, "%s", table[i].in);
		cr_expect_eq(s->severity, table[i].severity, "%s", table[i].in);
		cr_expect_eq(s->action, table[i].action, "%s", table[i].in);
		cr_expect_eq(s->progress, table[i].progress, "%s", table[i].in);
		cr_expect_eq(s->seconds, table[i].seconds, "%s", table[i].in);
		cr_expect_str_eq(s->reason, table[i].reason, "%s", table[i].in);
		cr_expect_str_eq(s->source, table[i].source, "%s", table[i].in);
	}
}

Test(proto_event, network_liveness_is_up_or_down)
{
	cr_assert(parse_line("NETWORK_LIVENESS UP").ev.u.live);
	cr_assert_eq(parse_line("NETWORK_LIVENESS UP").ev.kind, EVENT_NETWORK_LIVENESS);
	cr_assert_not(parse_line("NETWORK_LIVENESS DOWN").ev.u.live);
	cr_assert_eq(parse_line("NETWORK_LIVENESS DOWN").ev.kind, EVENT_NETWORK_LIVENESS);
}

Test(proto_event, streams_of_a_real_tor)
{
	static const struct {
		const char *in;
		struct event_stream out;
	} table[] = {
	    {"STREAM 42 NEW 0 " ADDR
	     ".onion:80 SOURCE_ADDR=127.0.0.1:51515 PURPOSE=USER SOCKS_USERNAME=\"p-1\" SOCKS_PASSWORD=\"x\" "
	     "CLIENT_PROTOCOL=SOCKS5 NYM_EPOCH=0 SESSION_GROUP=-4 ISO_FIELDS=SOCKS_USERNAME,SOCKS_PASSWORD",
		{"42", EVENT_STREAM_NEW, "0", ADDR, 80, ADDR ".onion:80", "", "", 51515, "p-1"}},
	    {"STREAM 42 SENTCONNECT 17 " ADDR ".onion:80 SOCKS_USERNAME=\"a\\\"b\"",
		{"42", EVENT_STREAM_SENTCONNECT, "17", ADDR, 80, ADDR ".onion:80", "", "", 0, "a\"b"}},
	    {"STREAM 42 SUCCEEDED 17 ADIFUHI6UJITS3KVPL55IWELHRWZTW7LS4X62EFDEVROUJW43T5KANAD.onion:443",
		{"42", EVENT_STREAM_SUCCEEDED, "17", ADDR, 443,
		    "ADIFUHI6UJITS3KVPL55IWELHRWZTW7LS4X62EFDEVROUJW43T5KANAD.onion:443", "", "", 0, ""}},
	    {"STREAM 42 CLOSED 17 " ADDR ".onion:80 REASON=END REMOTE_REASON=DONE",
		{"42", EVENT_STREAM_CLOSED, "17", ADDR, 80, ADDR ".onion:80", "END", "DONE", 0, ""}},
	    {"STREAM 42 FAILED 17 " ADDR ".onion:80",
		{"42", EVENT_STREAM_FAILED, "17", ADDR, 80, ADDR ".onion:80", "", "", 0, ""}},
	    {"STREAM 43 FAILED 0 :0 REASON=SOCKS_PROTOCOL",
		{"43", EVENT_STREAM_FAILED, "0", "", 0, ":0", "SOCKS_PROTOCOL", "", 0, ""}},
	    {"STREAM 44 FAILED 0 example.com:80 REASON= UNKNOWN_264",
		{"44", EVENT_STREAM_FAILED, "0", "", 80, "example.com:80", "", "", 0, ""}},
	    {"STREAM 45 NEW 0 127.0.0.1.$" FP ".exit:5000 SOURCE_ADDR=(Tor_internal):0 PURPOSE=DIR_UPLOAD",
		{"45", EVENT_STREAM_NEW, "0", "", 5000, "127.0.0.1.$" FP ".exit:5000", "", "", 0, ""}},
	    {"STREAM 46 NEW 0 x:1 SOURCE_ADDR=unix:/run/tor/socks",
		{"46", EVENT_STREAM_NEW, "0", "", 1, "x:1", "", "", 0, ""}},
	    {"STREAM 47 XOFF_SENT 3 x:99999 NEW=1", {"47", EVENT_STREAM_OTHER, "3", "", 0, "x:99999", "", "", 0, ""}},
	    {"STREAM 48 NEWRESOLVE 0 www." ADDR ".onion:80",
		{"48", EVENT_STREAM_NEWRESOLVE, "0", "", 80, "www." ADDR ".onion:80", "", "", 0, ""}},
	    {"STREAM 49 REMAP 1 " ADDR ".onion.:80",
		{"49", EVENT_STREAM_REMAP, "1", "", 80, ADDR ".onion.:80", "", "", 0, ""}},
	    {"STREAM 50 DETACHED 1 [::1]:80", {"50", EVENT_STREAM_DETACHED, "1", "", 80, "[::1]:80", "", "", 0, ""}},
	    {"STREAM 51 SENTRESOLVE 1", {"51", EVENT_STREAM_SENTRESOLVE, "1", "", 0, "", "", "", 0, ""}},
	    /* Another client's user name must not be able to break our link. */
	    {"STREAM 52 NEW 0 x:1 SOCKS_USERNAME=\"a\\000b\" SOURCE_ADDR=127.0.0.1:7",
		{"52", EVENT_STREAM_NEW, "0", "", 1, "x:1", "", "", 7, ""}},
	    {"STREAM 53 NEW 0 x:1 SOCKS_USERNAME=\"never closed",
		{"53", EVENT_STREAM_NEW, "0", "", 1, "x:1", "", "", 0, ""}},
	};
	size_t i;

	for (i = 0; i < sizeof table / sizeof table[0]; i++) {
		struct parsed p = parse_line(table[i].in);
		const struct event_stream *s = &p.ev.u.stream, *w = &table[i].out;

		cr_expect_eq(p.rc, 0, "%s: %s", table[i].in, p.e.msg);
		cr_expect_eq(p.ev.kind, EVENT_STREAM);
		cr_expect_str_eq(s->id, w->id);
		cr_expect_eq(s->status, w->status, "%s", table[i].in);
		cr_expect_str_eq(s->circuit, w->circuit);
		cr_expect_str_eq(s->address, w->address, "%s", table[i].in);
		cr_expect_eq(s->port, w->port, "%s", table[i].in);
		cr_expect_str_eq(s->target, w->target);
		cr_expect_str_eq(s->reason, w->reason, "%s", table[i].in);
		cr_expect_str_eq(s->remote_reason, w->remote_reason);
		cr_expect_eq(s->source_port, w->source_port, "%s", table[i].in);
		cr_expect_str_eq(s->socks_username, w->socks_username, "%s", table[i].in);
	}
}

Test(proto_event, what_others_choose_may_be_too_long)
{
	struct buf b = BUF_INIT(8192);
	struct parsed p;

	buf_addf(&b, "STREAM 1 NEW 0 %0300d.com:80 SOCKS_USERNAME=\"%0400d\"", 1, 2);
	p = parse_line(buf_str(&b));
	cr_assert_eq(p.rc, 0);
	cr_assert_str_eq(p.ev.u.stream.target, "");
	cr_assert_str_eq(p.ev.u.stream.socks_username, "");
	buf_free(&b);
}

Test(proto_event, circuits_of_a_real_tor)
{
	static const struct {
		const char *in;
		enum event_kind kind;
		struct event_circ out;
	} table[] = {
	    {"CIRC 7 LAUNCHED BUILD_FLAGS=IS_INTERNAL PURPOSE=HS_VANGUARDS TIME_CREATED=2026-01-01T00:00:00.000000",
		EVENT_CIRC, {"7", EVENT_CIRC_LAUNCHED, "HS_VANGUARDS", "", "", "", ""}},
	    {"CIRC 7 BUILT " DIR "," DIR
	     " BUILD_FLAGS=IS_INTERNAL,NEED_UPTIME PURPOSE=HS_CLIENT_REND HS_STATE=HSCR_JOINED REND_QUERY=" ADDR
	     " SOCKS_USERNAME=\"p-1\" SOCKS_PASSWORD=\"x\" HS_POW=v1,0",
		EVENT_CIRC, {"7", EVENT_CIRC_BUILT, "HS_CLIENT_REND", "HSCR_JOINED", ADDR, "", "p-1"}},
	    {"CIRC 8 CLOSED " DIR " PURPOSE=HS_SERVICE_INTRO HS_STATE=HSSI_ESTABLISHED REND_QUERY=" ADDR
	     " REASON=DESTROYED REMOTE_REASON=FINISHED",
		EVENT_CIRC, {"8", EVENT_CIRC_CLOSED, "HS_SERVICE_INTRO", "HSSI_ESTABLISHED", ADDR, "DESTROYED", ""}},
	    {"CIRC 9 FAILED REASON=TIMEOUT", EVENT_CIRC, {"9", EVENT_CIRC_FAILED, "", "", "", "TIMEOUT", ""}},
	    {"CIRC 9 EXTENDED REND_QUERY=short", EVENT_CIRC, {"9", EVENT_CIRC_EXTENDED, "", "", "", "", ""}},
	    {"CIRC 9 GUARD_WAIT", EVENT_CIRC, {"9", EVENT_CIRC_GUARD_WAIT, "", "", "", "", ""}},
	    {"CIRC 9 NEWER", EVENT_CIRC, {"9", EVENT_CIRC_OTHER, "", "", "", "", ""}},
	    {"CIRC_MINOR 9 PURPOSE_CHANGED PURPOSE=HS_CLIENT_HSDIR OLD_PURPOSE=HS_VANGUARDS", EVENT_CIRC_MINOR,
		{"9", EVENT_CIRC_PURPOSE_CHANGED, "HS_CLIENT_HSDIR", "", "", "", ""}},
	    {"CIRC_MINOR 9 CANNIBALIZED PURPOSE=HS_CLIENT_REND", EVENT_CIRC_MINOR,
		{"9", EVENT_CIRC_CANNIBALIZED, "HS_CLIENT_REND", "", "", "", ""}},
	};
	struct event_circ c;
	size_t i;

	for (i = 0; i < sizeof table / sizeof table[0]; i++) {
		struct parsed p = parse_line(table[i].in);
		const struct event_circ *w = &table[i].out;

		cr_expect_eq(p.rc, 0, "%s: %s", table[i].in, p.e.msg);
		cr_expect_eq(p.ev.kind, table[i].kind);
		cr_expect_str_eq(p.ev.u.circ.id, w->id);
		cr_expect_eq(p.ev.u.circ.status, w->status);
		cr_expect_str_eq(p.ev.u.circ.purpose, w->purpose);
		cr_expect_str_eq(p.ev.u.circ.hs_state, w->hs_state);
		cr_expect_str_eq(p.ev.u.circ.rend_query, w->rend_query);
		cr_expect_str_eq(p.ev.u.circ.reason, w->reason);
		cr_expect_str_eq(p.ev.u.circ.socks_username, w->socks_username);
	}
	cr_assert_eq(event_parse_circ(&c, "3 BUILT PURPOSE=GENERAL\n4 junk", 23, NULL), 0);
	cr_assert_str_eq(c.purpose, "GENERAL");
	cr_assert_eq(event_parse_circ(&c, "", 0, NULL), -1);
}
