/* SPDX-License-Identifier: BSD-3-Clause */
/* Probes against a scripted SOCKS port and web server. */
#include "config.h"
#include "tor/prober.h"

#include "proto/socks.h"
#include "support/fakesite.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ADDRESS "adifuhi6ujits3kvpl55iwelhrwztw7ls4x62efdevroujw43t5kanad"
#define OK_HEAD "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n"
#define OK_ALL OK_HEAD "\r\nhello"
/* sha256 of "hello" */
#define OK_SHA "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"

struct rig {
	char dir[64];
	struct loop *loop;
	struct fakesite *site;
	struct prober *prober;
	struct probe_request rq;
	struct probe_result result;
	unsigned done;
	uint64_t id;
};

static void
rig_init(struct rig *r, const struct fakesite_script *script)
{
	struct err e = ERR_INIT;

	memset(r, 0, sizeof(*r));
	strcpy(r->dir, "/tmp/om-probe.XXXXXX");
	cr_assert(mkdtemp(r->dir) != NULL && (r->loop = loop_new(&e)) != NULL);
	r->site = fakesite_new(r->loop, r->dir, script);
	r->prober = prober_new(r->loop);
	r->rq = (struct probe_request){.address = ADDRESS,
	    .port = 80,
	    .via = fakesite_endpoint(r->site),
	    .direct = script->direct,
	    .path = "/health",
	    .status = 200,
	    .timeout_ms = 600};
}

static void
rig_fini(struct rig *r)
{
	prober_free(r->prober);
	fakesite_free(r->site);
	loop_free(r->loop);
	cr_expect(rmdir(r->dir) == 0);
}

static void
on_done(void *ctx, uint64_t id, const struct probe_result *result)
{
	struct rig *r = ctx;

	r->done++;
	r->id = id;
	r->result = *result;
}

static bool
is_done(void *arg)
{
	const struct rig *r = arg;

	return r->done > 0;
}

static enum verdict
rig_run(struct rig *r)
{
	prober_start(r->prober, &r->rq, on_done, r, 7);
	cr_expect(
	    r->done == 0 && prober_count(r->prober) == 1, "the callback must come from the loop");
	cr_assert(loop_run_until(r->loop, is_done, r, 900), "no result");
	cr_expect(r->done == 1 && r->id == 7 && prober_count(r->prober) == 0);
	cr_expect(r->result.detail[0] != '\0' && r->result.phases.total >= 0);
	return r->result.verdict;
}

/* Runs one probe of `script`; `change` may alter the request. */
static void
expect(const struct fakesite_script *script, const struct probe_request *change, enum verdict want,
    const char *detail)
{
	struct rig r;
	enum verdict got;

	rig_init(&r, script);
	if (change != NULL) {
		r.rq.contains = change->contains;
		r.rq.sha256 = change->sha256;
		r.rq.header = change->header;
		if (change->status != 0)
			r.rq.status = change->status;
		if (change->timeout_ms != 0)
			r.rq.timeout_ms = change->timeout_ms;
	}
	got = rig_run(&r);
	cr_expect(got == want && strstr(r.result.detail, detail) != NULL,
	    "wanted %s with \"%s\", got %s: %s", verdict_name(want), detail, verdict_name(got),
	    r.result.detail);
	rig_fini(&r);
}

Test(tor_prober, fetches_through_socks_with_a_name_of_its_own_each_time)
{
	const struct fakesite_script script = {.response = OK_ALL};
	char user[256];
	struct rig r;

	rig_init(&r, &script);
	cr_expect(rig_run(&r) == VERDICT_OK, "%s", r.result.detail);
	cr_expect(r.result.socks_code == 0 && r.result.http_status == 200 && !r.result.stale_hsdir);
	cr_expect(r.result.phases.connect >= 0 &&
		  r.result.phases.circuit >= r.result.phases.connect &&
		  r.result.phases.first_byte >= r.result.phases.circuit &&
		  r.result.phases.total >= r.result.phases.first_byte);
	cr_expect(r.result.phases.descriptor == -1, "no event was ever seen");
	cr_expect_str_eq(fakesite_host(r.site), ADDRESS ".onion");
	cr_expect(fakesite_port(r.site) == 80);
	cr_expect(strncmp(fakesite_request(r.site), "GET /health HTTP/1.1\r\n", 22) == 0);
	cr_expect(strstr(fakesite_request(r.site), "\r\nHost: " ADDRESS ".onion\r\n") != NULL);
	cr_expect(strlen(fakesite_user(r.site)) >= 16 && strlen(fakesite_password(r.site)) >= 16);
	cr_expect(strncmp(fakesite_user(r.site), "<torS0X>", 8) != 0);
	snprintf(user, sizeof(user), "%s", fakesite_user(r.site));
	r.done = 0;
	r.rq.port = 8080;
	cr_expect(rig_run(&r) == VERDICT_OK);
	cr_expect(strcmp(user, fakesite_user(r.site)) != 0 && fakesite_port(r.site) == 8080);
	cr_expect(strstr(fakesite_request(r.site), "\r\nHost: " ADDRESS ".onion:8080\r\n") != NULL);
	rig_fini(&r);
}

Test(tor_prober, a_check_asks_the_backend_itself_under_the_same_name)
{
	const struct fakesite_script script = {.direct = true, .response = OK_ALL};
	struct rig r;

	rig_init(&r, &script);
	cr_expect(rig_run(&r) == VERDICT_OK, "%s", r.result.detail);
	cr_expect(r.result.socks_code == -1 && r.result.http_status == 200);
	cr_expect(strstr(fakesite_request(r.site), "\r\nHost: " ADDRESS ".onion\r\n") != NULL);
	rig_fini(&r);
}

Test(tor_prober, each_socks_code_gives_its_verdict)
{
	int code;

	for (code = 1; code < 256; code += code == 10 ? 0xf0 - 10 : code == 0xf9 ? 6 : 1) {
		const struct fakesite_script script = {.code = code, .close_after_reply = true};
		struct rig r;
		enum verdict got, want = code == 4 ? VERDICT_INTRO : socks_verdict(code);

		rig_init(&r, &script);
		got = rig_run(&r);
		cr_expect(got == want, "%02X: %s, %s", (unsigned)code, verdict_name(got),
		    r.result.detail);
		cr_expect(got != VERDICT_OK && r.result.socks_code == code &&
			  r.result.http_status == 0 && r.result.phases.circuit == -1);
		rig_fini(&r);
	}
}

Test(tor_prober, f0_on_a_connection_that_works_is_ok_with_a_stale_hsdir)
{
	const struct fakesite_script script = {.code = 0xf0, .response = OK_ALL};
	struct rig r;

	rig_init(&r, &script);
	cr_expect(rig_run(&r) == VERDICT_OK, "%s", r.result.detail);
	cr_expect(r.result.socks_code == 0xf0 && r.result.stale_hsdir);
	rig_fini(&r);
}

Test(tor_prober, a_socks_port_that_does_not_play_by_the_rules_proves_nothing)
{
	static const struct probe_request soon = {.timeout_ms = 40};
	size_t cut;

	expect(&(struct fakesite_script){.method = "\5\xff", .method_len = 2}, NULL,
	    VERDICT_INCONCLUSIVE, "SOCKS");
	expect(&(struct fakesite_script){.method = "\5\0", .method_len = 2}, NULL,
	    VERDICT_INCONCLUSIVE, "SOCKS");
	expect(&(struct fakesite_script){.method = "HTTP/1.1 400", .method_len = 12}, NULL,
	    VERDICT_INCONCLUSIVE, "SOCKS");
	expect(&(struct fakesite_script){.auth = "\1\1", .auth_len = 2}, NULL, VERDICT_INCONCLUSIVE,
	    "SOCKS");
	expect(&(struct fakesite_script){.auth = "\5\1\0\1", .auth_len = 4}, NULL,
	    VERDICT_INCONCLUSIVE, "SOCKS");
	expect(&(struct fakesite_script){.mute = true}, &soon, VERDICT_INCONCLUSIVE,
	    "does not answer");
	for (cut = 1; cut < 10; cut++)
		expect(&(struct fakesite_script){.reply_cut = cut}, NULL, VERDICT_INCONCLUSIVE,
		    "without an answer");
	/* The code was there; only its address is missing. */
	for (cut = 2; cut < 10; cut++)
		expect(&(struct fakesite_script){.code = 0xf2, .reply_cut = cut}, NULL,
		    VERDICT_INTRO, "F2");
}

Test(tor_prober, silence_ends_at_the_deadline_at_every_stage)
{
	static const struct probe_request soon = {.timeout_ms = 40};

	expect(&(struct fakesite_script){.code = -1}, &soon, VERDICT_TIMEOUT, "no circuit");
	expect(&(struct fakesite_script){.response = NULL}, &soon, VERDICT_TIMEOUT, "no answer");
	expect(&(struct fakesite_script){.direct = true}, &soon, VERDICT_TIMEOUT, "no answer");
	expect(
	    &(struct fakesite_script){.response = OK_HEAD}, &soon, VERDICT_TIMEOUT, "did not end");
	expect(&(struct fakesite_script){.response = OK_ALL, .drip = true}, &soon, VERDICT_TIMEOUT,
	    "did not end");
	expect(&(struct fakesite_script){.response = OK_ALL, .drip = true, .direct = true}, &soon,
	    VERDICT_TIMEOUT, "did not end");
}

Test(tor_prober, nobody_there_is_refused_for_a_backend_and_nothing_for_a_socks_port)
{
	const struct fakesite_script script = {.direct = true};
	struct endpoint nowhere;
	struct rig r;
	char text[128];

	rig_init(&r, &script);
	snprintf(text, sizeof(text), "unix:%s/nobody", r.dir);
	cr_assert(endpoint_parse(&nowhere, text, NULL) == 0);
	r.rq.via = &nowhere;
	cr_expect(rig_run(&r) == VERDICT_REFUSED, "%s", r.result.detail);
	r.done = 0;
	r.rq.direct = false;
	cr_expect(rig_run(&r) == VERDICT_INCONCLUSIVE, "%s", r.result.detail);
	rig_fini(&r);
}

Test(tor_prober, what_can_not_be_asked_is_said_from_the_loop)
{
	const struct fakesite_script script = {.response = OK_ALL};
	struct rig r;

	rig_init(&r, &script);
	r.rq.address = "short";
	cr_expect(rig_run(&r) == VERDICT_BAD_ADDRESS, "%s", r.result.detail);
	r.done = 0;
	r.rq.address = ADDRESS;
	r.rq.path = "/a b\r\nX: y";
	cr_expect(rig_run(&r) == VERDICT_INCONCLUSIVE, "%s", r.result.detail);
	cr_expect(fakesite_connections(r.site) == 0);
	rig_fini(&r);
}

Test(tor_prober, http_outcomes)
{
	static const struct {
		const char *response;
		bool close;
		int status; /* expected, 0: 200 */
		enum verdict want;
		const char *detail;
	} rows[] = {
	    {OK_ALL, false, 0, VERDICT_OK, "200"},
	    {"HTTP/1.0 200 OK\r\n\r\nhello", true, 0, VERDICT_OK, "5 bytes"},
	    {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", false,
		0, VERDICT_OK, "5 bytes"},
	    {"HTTP/1.1 204 No\r\n\r\n", false, 204, VERDICT_OK, "204"},
	    {"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", false, 0, VERDICT_HTTP,
		"404, expected 200"},
	    {"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n", false, 0, VERDICT_HTTP, "500"},
	    {"HTTP/1.1 302 Go\r\nLocation: http://evil.example/\x1b\r\nContent-Length: 0\r\n\r\n",
		false, 0, VERDICT_HTTP, ""},
	    {"HTTP/1.1 302 Go\r\nLocation: http://a.example/\r\nContent-Length: 0\r\n\r\n", false,
		0, VERDICT_HTTP, "not followed"},
	    {"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n", false, 0, VERDICT_BUSY, "403"},
	    {"HTTP/1.1 429 No\r\nContent-Length: 0\r\n\r\n", false, 0, VERDICT_BUSY, "429"},
	    {"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n", false, 0, VERDICT_BUSY, "503"},
	    {"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n", false, 403, VERDICT_OK, "403"},
	    {NULL, true, 0, VERDICT_HTTP, "without an answer"},
	    {OK_HEAD, true, 0, VERDICT_HTTP, "cut short"},
	    {OK_HEAD "\r\nhel", true, 0, VERDICT_HTTP, "cut short"},
	    {"SSH-2.0-OpenSSH_9\r\n", true, 0, VERDICT_HTTP, "not a usable HTTP answer"},
	    {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello", false, 0,
		VERDICT_HTTP, "not a usable"},
	};
	size_t i;
	int direct;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (direct = 0; direct < 2; direct++) {
			const struct fakesite_script script = {.response = rows[i].response,
			    .close_after = rows[i].close,
			    .direct = direct == 1};
			const struct probe_request change = {.status = rows[i].status};

			expect(&script, &change, rows[i].want, rows[i].detail);
		}
}

Test(tor_prober, content_must_be_what_was_promised)
{
	static const char answer[] =
	    "HTTP/1.1 200 OK\r\nX-Site: example\r\nContent-Length: 5\r\n\r\nhello";
	static const struct {
		struct probe_request rq;
		enum verdict want;
	} rows[] = {
	    {{.contains = "ell"}, VERDICT_OK},
	    {{.contains = "hello"}, VERDICT_OK},
	    {{.contains = "hello "}, VERDICT_CONTENT},
	    {{.contains = "Hello"}, VERDICT_CONTENT},
	    {{.sha256 = OK_SHA}, VERDICT_OK},
	    {{.sha256 = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9825"},
		VERDICT_CONTENT},
	    {{.sha256 = "2cf2"}, VERDICT_CONTENT},
	    {{.header = "X-Site: example"}, VERDICT_OK},
	    {{.header = "x-site:example"}, VERDICT_OK},
	    {{.header = "X-Site: exampl"}, VERDICT_CONTENT},
	    {{.header = "X-Site: Example"}, VERDICT_CONTENT},
	    {{.header = "X-Other: example"}, VERDICT_CONTENT},
	    {{.header = "no colon"}, VERDICT_CONTENT},
	    {{.header = "X-Site: example", .contains = "hello", .sha256 = OK_SHA}, VERDICT_OK},
	};
	const struct fakesite_script script = {.response = answer};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		expect(&script, &rows[i].rq, rows[i].want, "200");
}

Test(tor_prober, a_page_larger_than_the_cap_is_judged_by_what_was_read)
{
	static const char *const heads[] = {"Content-Length: 200006\r\n", ""};
	const size_t size = 200000;
	char *page = malloc(size + 200);
	size_t i;

	cr_assert(page != NULL);
	for (i = 0; i < 2; i++) {
		const struct fakesite_script script = {.close_after = true, .response = page};
		int n = sprintf(page, "HTTP/1.1 200 OK\r\n%s\r\nmarker", heads[i]);

		memset(page + n, 'x', size);
		page[(size_t)n + size] = '\0';
		expect(&script, NULL, VERDICT_OK, "more than 65536");
		expect(&script, &(struct probe_request){.contains = "nothing of the kind"},
		    VERDICT_CONTENT, "smaller page");
		expect(&script, &(struct probe_request){.sha256 = OK_SHA}, VERDICT_CONTENT,
		    "smaller page");
		/* A length in the head that is too large ends the reading before the body. */
		expect(&script, &(struct probe_request){.contains = "marker"},
		    i == 0 ? VERDICT_CONTENT : VERDICT_OK, "65536");
	}
	free(page);
}

static void
tell(struct prober *p, enum event_desc_action action, enum event_desc_reason reason,
    const char *address)
{
	struct event ev = {.kind = EVENT_HS_DESC};

	ev.u.hs_desc.action = action;
	ev.u.hs_desc.reason = reason;
	ev.u.hs_desc.side = EVENT_DESC_SIDE_FETCH;
	snprintf(ev.u.hs_desc.address, sizeof(ev.u.hs_desc.address), "%s", address);
	prober_on_event(p, &ev);
}

Test(tor_prober, events_tell_what_04_means)
{
	static const struct {
		enum event_desc_action second;
		enum event_desc_reason reason;
		const char *about;
		enum verdict want;
	} rows[] = {
	    {EVENT_DESC_RECEIVED, EVENT_DESC_REASON_NONE, ADDRESS, VERDICT_INTRO},
	    {EVENT_DESC_FAILED, EVENT_DESC_REASON_NOT_FOUND, ADDRESS, VERDICT_NO_DESCRIPTOR},
	    {EVENT_DESC_FAILED, EVENT_DESC_REASON_BAD_DESC, ADDRESS, VERDICT_BAD_DESCRIPTOR},
	    {EVENT_DESC_RECEIVED, EVENT_DESC_REASON_NONE,
		"2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid", VERDICT_NO_DESCRIPTOR},
	};
	const struct fakesite_script script = {.code = 4, .close_after_reply = true};
	struct rig r;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		rig_init(&r, &script);
		prober_start(r.prober, &r.rq, on_done, &r, 1);
		tell(r.prober, EVENT_DESC_REQUESTED, EVENT_DESC_REASON_NONE, ADDRESS);
		tell(r.prober, rows[i].second, rows[i].reason, rows[i].about);
		cr_assert(loop_run_until(r.loop, is_done, &r, 900));
		cr_expect(r.result.verdict == rows[i].want, "row %zu: %s", i,
		    verdict_name(r.result.verdict));
		cr_expect((r.result.phases.descriptor >= 0) == (rows[i].want == VERDICT_INTRO),
		    "row %zu", i);
		rig_fini(&r);
	}
}

static bool
has_connected(void *arg)
{
	const struct rig *r = arg;

	return fakesite_port(r->site) != 0;
}

struct late {
	struct rig *r;
	struct timer *timer;
};

static void
on_late(void *arg)
{
	struct late *l = arg;

	tell(l->r->prober, EVENT_DESC_FAILED, EVENT_DESC_REASON_BAD_DESC, ADDRESS);
}

Test(tor_prober, waits_shortly_for_the_event_that_comes_after_the_reply)
{
	const struct fakesite_script script = {.code = 4, .close_after_reply = true};
	struct rig r;
	struct late late = {.r = &r};

	rig_init(&r, &script);
	late.timer = timer_new(r.loop, on_late, &late);
	prober_start(r.prober, &r.rq, on_done, &r, 1);
	tell(r.prober, EVENT_DESC_REQUESTED, EVENT_DESC_REASON_NONE, ADDRESS);
	cr_assert(loop_run_until(r.loop, has_connected, &r, 900));
	timer_set(late.timer, 20);
	cr_assert(loop_run_until(r.loop, is_done, &r, 900));
	cr_expect(r.result.verdict == VERDICT_BAD_DESCRIPTOR, "%s", verdict_name(r.result.verdict));
	timer_free(late.timer);
	rig_fini(&r);
}

Test(tor_prober, a_cached_descriptor_took_no_time_where_events_are_seen)
{
	const struct fakesite_script script = {.response = OK_ALL};
	struct rig r;

	rig_init(&r, &script);
	tell(r.prober, EVENT_DESC_RECEIVED, EVENT_DESC_REASON_NONE,
	    "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid");
	cr_expect(rig_run(&r) == VERDICT_OK && r.result.phases.descriptor == 0);
	rig_fini(&r);
}

static void
free_on_done(void *ctx, uint64_t id, const struct probe_result *result)
{
	struct rig *r = ctx;

	(void)id;
	(void)result;
	r->done++;
	prober_free(r->prober);
	r->prober = NULL;
}

Test(tor_prober, can_be_cancelled_and_freed_at_any_time)
{
	const struct fakesite_script script = {.response = OK_ALL};
	struct rig r;
	uint64_t id;

	rig_init(&r, &script);
	for (id = 1; id <= 5; id++)
		prober_start(r.prober, &r.rq, on_done, &r, id);
	cr_expect(prober_count(r.prober) == 5);
	for (id = 1; id <= 4; id++)
		prober_cancel(r.prober, id);
	prober_cancel(r.prober, 99);
	cr_expect(prober_count(r.prober) == 1);
	cr_assert(loop_run_until(r.loop, is_done, &r, 900));
	cr_expect(r.done == 1 && r.id == 5);
	r.done = 0;
	prober_start(r.prober, &r.rq, free_on_done, &r, 1);
	prober_start(r.prober, &r.rq, free_on_done, &r, 2);
	cr_assert(loop_run_until(r.loop, is_done, &r, 900));
	cr_expect(r.done == 1 && r.prober == NULL);
	rig_fini(&r);
}
