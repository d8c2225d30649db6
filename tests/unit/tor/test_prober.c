/* SPDX-License-Identifier: BSD-3-Clause */
/* Probes against a scripted SOCKS port and web server. */
#include "config.h"
#include "tor/prober.h"

#include "proto/socks.h"
#include "probe_rig.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Runs one probe of `script`; `change` may alter the request. */
static void
expect(const struct fakesite_script *script, const struct probe_request *change, enum verdict want,
    const char *detail)
{
	struct probe_rig r;
	enum verdict got;

	probe_rig_init(&r, script);
	if (change != NULL) {
		r.rq.contains = change->contains;
		r.rq.sha256 = change->sha256;
		r.rq.header = change->header;
		if (change->status != 0)
			r.rq.status = change->status;
		if (change->timeout_ms != 0)
			r.rq.timeout_ms = change->timeout_ms;
	}
	got = probe_rig_run(&r);
	cr_expect(got == want && strstr(r.result.detail, detail) != NULL,
	    "wanted %s with \"%s\", got %s: %s", verdict_name(want), detail, verdict_name(got),
	    r.result.detail);
	probe_rig_fini(&r);
}

Test(tor_prober, fetches_through_socks_with_a_name_of_its_own_each_time)
{
	const struct fakesite_script script = {.response = OK_ALL};
	char user[256];
	struct probe_rig r;

	probe_rig_init(&r, &script);
	cr_expect(probe_rig_run(&r) == VERDICT_OK, "%s", r.result.detail);
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
	cr_expect(probe_rig_run(&r) == VERDICT_OK);
	cr_expect(strcmp(user, fakesite_user(r.site)) != 0 && fakesite_port(r.site) == 8080);
	cr_expect(strstr(fakesite_request(r.site), "\r\nHost: " ADDRESS ".onion:8080\r\n") != NULL);
	probe_rig_fini(&r);
}

Test(tor_prober, a_check_asks_the_backend_itself_under_the_same_name)
{
	const struct fakesite_script script = {.direct = true, .response = OK_ALL};
	struct probe_rig r;

	probe_rig_init(&r, &script);
	cr_expect(probe_rig_run(&r) == VERDICT_OK, "%s", r.result.detail);
	cr_expect(r.result.socks_code == -1 && r.result.http_status == 200);
	cr_expect(strstr(fakesite_request(r.site), "\r\nHost: " ADDRESS ".onion\r\n") != NULL);
	probe_rig_fini(&r);
}

Test(tor_prober, each_socks_code_gives_its_verdict)
{
	int code;

	for (code = 1; code < 256; code += code == 10 ? 0xf0 - 10 : code == 0xf9 ? 6 : 1) {
		const struct fakesite_script script = {.code = code, .close_after_reply = true};
		struct probe_rig r;
		enum verdict got, want = code == 4 ? VERDICT_INTRO : socks_verdict(code);

		probe_rig_init(&r, &script);
		got = probe_rig_run(&r);
		cr_expect(got == want, "%02X: %s, %s", (unsigned)code, verdict_name(got),
		    r.result.detail);
		cr_expect(got != VERDICT_OK && r.result.socks_code == code &&
			  r.result.http_status == 0 && r.result.phases.circuit == -1);
		probe_rig_fini(&r);
	}
}

Test(tor_prober, f0_on_a_connection_that_works_is_ok_with_a_stale_hsdir)
{
	const struct fakesite_script script = {.code = 0xf0, .response = OK_ALL};
	struct probe_rig r;

	probe_rig_init(&r, &script);
	cr_expect(probe_rig_run(&r) == VERDICT_OK, "%s", r.result.detail);
	cr_expect(r.result.socks_code == 0xf0 && r.result.stale_hsdir);
	probe_rig_fini(&r);
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
	struct probe_rig r;
	char text[128];

	probe_rig_init(&r, &script);
	snprintf(text, sizeof(text), "unix:%s/nobody", r.dir);
	cr_assert(endpoint_parse(&nowhere, text, NULL) == 0);
	r.rq.via = &nowhere;
	cr_expect(probe_rig_run(&r) == VERDICT_REFUSED, "%s", r.result.detail);
	r.done = 0;
	r.rq.direct = false;
	cr_expect(probe_rig_run(&r) == VERDICT_INCONCLUSIVE, "%s", r.result.detail);
	probe_rig_fini(&r);
}

Test(tor_prober, what_can_not_be_asked_is_said_from_the_loop)
{
	const struct fakesite_script script = {.response = OK_ALL};
	struct probe_rig r;

	probe_rig_init(&r, &script);
	r.rq.address = "short";
	cr_expect(probe_rig_run(&r) == VERDICT_BAD_ADDRESS, "%s", r.result.detail);
	r.done = 0;
	r.rq.address = ADDRESS;
	r.rq.path = "/a b\r\nX: y";
	cr_expect(probe_rig_run(&r) == VERDICT_INCONCLUSIVE, "%s", r.result.detail);
	cr_expect(fakesite_connections(r.site) == 0);
	probe_rig_fini(&r);
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

Test(tor_prober, an_answer_that_goes_wrong_behind_the_right_words_is_no_large_page)
{
	static const char head[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nmarker\r\n";
	static const struct {
		const char *first, *again;
	} rows[] = { { "0\r\n", "X: y\r\n" }, { "3;", "xxxxxxxxxx" }, { "0\r\nX: ", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" } };
	char *page = malloc(40000);
	size_t i, j, n;

	cr_assert(page != NULL);
	for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct fakesite_script script = { .close_after = true, .response = page };

		n = (size_t)sprintf(page, "%s%s", head, rows[i].first);
		for (j = 0; j < 300; j++)
			n += (size_t)sprintf(page + n, "%s", rows[i].again);
		expect(&script, &(struct probe_request){ .contains = "marker" }, VERDICT_HTTP, "not a usable HTTP answer");
	}
	free(page);
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

/* --- with a link to the tor it goes through --------------------------------------- */

#define OTHER "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid"
#define HSDIR " NO_AUTH $0123456789ABCDEF0123456789ABCDEF01234567~x BaPJ7sfx42IDt7Yh/Vp1jP7T+buAY6If2z11jPlb8A8"
#define REQUESTED(a) "650 HS_DESC REQUESTED " a HSDIR "\r\n"
#define RECEIVED(a) "650 HS_DESC RECEIVED " a HSDIR "\r\n"
#define FAILED(a, why) "650 HS_DESC FAILED " a HSDIR " REASON=" why "\r\n"
#define STREAM(what, rest) "650 STREAM 5 " what " " ADDRESS ".onion:80 " rest " SOCKS_USERNAME=\"@\"\r\n"
#define CIRC(id, state) "650 CIRC_MINOR " id " PURPOSE_CHANGED PURPOSE=HS_CLIENT_REND HS_STATE=" state " SOCKS_USERNAME=\"@\"\r\n"
#define USUAL "SETEVENTS HS_DESC STATUS_CLIENT STATUS_GENERAL NETWORK_LIVENESS"
#define WATCH USUAL " STREAM CIRC CIRC_MINOR"

static void
on_up(void *arg)
{
	struct probe_rig *r = arg;

	r->ups++;
}

static void
on_event(const struct event *ev, void *arg)
{
	struct probe_rig *r = arg;

	r->seen++;
	prober_on_event(r->prober, r->session, ev);
}

static bool
is_up(void *arg)
{
	const struct probe_rig *r = arg;

	return r->ups > 0;
}

/* Into r->text, with the user name of the newest connection for each @. */
static void
put_events(struct probe_rig *r, const char *events)
{
	size_t n = 0;

	for (; *events != '\0'; events++)
		n += (size_t)snprintf(r->text + n, sizeof(r->text) - n, "%.*s", *events == '@' ? 256 : 1,
		    *events == '@' ? fakesite_user(r->site) : events);
	r->text[n] = '\0';
}

/* The events of r->script, then the answer. */
static const char *
on_question(void *arg, const char *line)
{
	struct probe_rig *r = arg;

	if (strncmp(line, "GETINFO hs/client/desc/id/" ADDRESS, 26 + 56) != 0)
		return NULL;
	put_events(r, r->script);
	snprintf(r->text + strlen(r->text), sizeof(r->text) - strlen(r->text), "%s", r->answer);
	return r->text;
}

static void
rig_link(struct probe_rig *r, const struct fakesite_script *script)
{
	static const struct session_handlers handlers = {.on_up = on_up, .on_event = on_event};
	static const struct session_timing timing = {2000, 30000, 2, 8, 60000};
	struct session_config cfg = {.name = "main"};

	probe_rig_init(r, script);
	r->script = "";
	r->answer = "551 Not found in cache\r\n";
	r->tor = faketor_new(r->loop, r->dir);
	faketor_set_handler(r->tor, on_question, r);
	cfg.control.kind = ENDPOINT_UNIX;
	snprintf(cfg.control.path, sizeof(cfg.control.path), "%s", faketor_path(r->tor));
	cfg.cookie_file = faketor_cookie(r->tor);
	r->session = session_new(r->loop, &cfg, &handlers, r);
	session_set_timing(r->session, &timing);
	session_start(r->session);
	cr_assert(loop_run_until(r->loop, is_up, r, 900));
	r->rq.through = r->session;
}

Test(tor_prober, a_port_without_extended_errors_gives_the_same_verdicts_by_events)
{
	static const struct {
		int code;
		const char *script, *answer;
		enum verdict want;
	} rows[] = {
	    {4, STREAM("NEW 0", "PURPOSE=USER") REQUESTED(ADDRESS) RECEIVED(ADDRESS), "250 OK\r\n", VERDICT_INTRO},
	    {4, REQUESTED(ADDRESS) FAILED(ADDRESS, "NOT_FOUND"), NULL, VERDICT_NO_DESCRIPTOR},
	    {4, REQUESTED(ADDRESS) FAILED(ADDRESS, "BAD_DESC"), NULL, VERDICT_BAD_DESCRIPTOR},
	    {4, REQUESTED(ADDRESS) RECEIVED(OTHER), NULL, VERDICT_NO_DESCRIPTOR},
	    {4, "", NULL, VERDICT_NO_DESCRIPTOR},
	    {4, "", "250+hs/client/desc/id/" ADDRESS "=\r\nhs-descriptor 3\r\n.\r\n250 OK\r\n", VERDICT_INTRO},
	    {4, "", "510 Command filtered\r\n", VERDICT_INTRO},
	    {1, REQUESTED(ADDRESS) STREAM("FAILED 0", "REASON=MISC") RECEIVED(ADDRESS), NULL, VERDICT_CLIENT_AUTH},
	    {1, STREAM("FAILED 0", "REASON=TORPROTOCOL"), NULL, VERDICT_BAD_ADDRESS},
	    {1, STREAM("SENTCONNECT 7", "") STREAM("FAILED 7", "REASON=END REMOTE_REASON=MISC"), NULL, VERDICT_REFUSED},
	    {1, "650 STREAM 5 FAILED 0 " ADDRESS ".onion:80 REASON=MISC SOCKS_USERNAME=\"other\"\r\n", NULL, VERDICT_REFUSED},
	    {6, STREAM("NEW 0", "PURPOSE=USER"), NULL, VERDICT_TIMEOUT},
	    {6, STREAM("NEW 0", "PURPOSE=USER") CIRC("7", "HSCR_CONNECTING"), NULL, VERDICT_INCONCLUSIVE},
	    {6, STREAM("NEW 0", "PURPOSE=USER") "650 CIRC_MINOR 9 PURPOSE_CHANGED PURPOSE=GENERAL\r\n", NULL, VERDICT_INCONCLUSIVE},
	    {6, STREAM("NEW 0", "PURPOSE=USER") CIRC("7", "HSCR_ESTABLISHED_IDLE"), NULL, VERDICT_TIMEOUT},
	    {6, "", NULL, VERDICT_TIMEOUT},
	    /* What is no event at all takes the link, and with it all that could be known. */
	    {1, "garbage\r\n", NULL, VERDICT_REFUSED},
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct fakesite_script script = {.code = rows[i].code, .close_after_reply = true};
		struct probe_rig r;

		rig_link(&r, &script);
		r.script = rows[i].script;
		if (rows[i].answer != NULL)
			r.answer = rows[i].answer;
		cr_expect(probe_rig_run(&r) == rows[i].want, "row %zu: %s, %s", i, verdict_name(r.result.verdict), r.result.detail);
		cr_expect(r.result.socks_code == rows[i].code);
		probe_rig_fini(&r);
	}
}

static bool
has_connected(void *arg)
{
	const struct probe_rig *r = arg;

	return fakesite_connections(r->site) > r->before && fakesite_port(r->site) != 0;
}

static bool
has_seen(void *arg)
{
	const struct probe_rig *r = arg;

	return r->seen >= r->awaited;
}

/* Sends events when the CONNECT has come, and waits for them. */
static void
send_events(struct probe_rig *r, const char *events)
{
	const char *p;

	cr_assert(loop_run_until(r->loop, has_connected, r, 900));
	put_events(r, events);
	r->awaited = r->seen;
	for (p = r->text; (p = strstr(p, "650 ")) != NULL; p++)
		r->awaited++;
	faketor_send(r->tor, r->text);
	cr_assert(loop_run_until(r->loop, has_seen, r, 900));
}

struct lines {
	const struct probe_rig *r;
	const char *prefix;
	unsigned n;
};

static bool
has_lines(void *arg)
{
	const struct lines *l = arg;

	return faketor_count(l->r->tor, l->prefix) >= l->n;
}

static bool
wait_lines(struct probe_rig *r, const char *prefix, unsigned n)
{
	struct lines l = {r, prefix, n};

	return loop_run_until(r->loop, has_lines, &l, 900);
}

Test(tor_prober, its_own_whole_circuits_are_closed_and_no_others)
{
	const struct fakesite_script script = {.code = -1};
	struct probe_rig r;

	rig_link(&r, &script);
	r.rq.timeout_ms = 200;
	prober_start(r.prober, &r.rq, probe_rig_on_done, &r, 1);
	send_events(&r, STREAM("NEW 0", "PURPOSE=USER") CIRC("11", "HSCR_ESTABLISHED_IDLE") CIRC("12", "HSCR_CONNECTING")
	    CIRC("14", "HSCR_CONNECTING")
	    "650 CIRC_MINOR 13 PURPOSE_CHANGED PURPOSE=HS_CLIENT_REND HS_STATE=HSCR_JOINED REND_QUERY=" ADDRESS " SOCKS_USERNAME=\"other\"\r\n"
	    "650 CIRC 12 CLOSED PURPOSE=HS_CLIENT_REND HS_STATE=HSCR_CONNECTING REASON=FINISHED SOCKS_USERNAME=\"@\"\r\n");
	cr_assert(loop_run_until(r.loop, probe_rig_is_done, &r, 900));
	cr_expect(r.result.verdict == VERDICT_TIMEOUT, "%s", r.result.detail);
	cr_expect(wait_lines(&r, USUAL, 4));
	cr_expect(faketor_count(r.tor, "CLOSECIRCUIT 11") == 1 && faketor_count(r.tor, "CLOSECIRCUIT") == 1);
	probe_rig_fini(&r);
}

Test(tor_prober, ids_of_circuits_are_not_taken_over_to_a_new_link)
{
	const struct fakesite_script script = {.code = -1};
	struct probe_rig r;

	rig_link(&r, &script);
	r.rq.timeout_ms = 300;
	prober_start(r.prober, &r.rq, probe_rig_on_done, &r, 1);
	send_events(&r, CIRC("11", "HSCR_JOINED"));
	r.ups = 0;
	faketor_hang_up(r.tor);
	cr_assert(loop_run_until(r.loop, is_up, &r, 900));
	cr_expect(wait_lines(&r, WATCH, 4), "still watched");
	cr_assert(loop_run_until(r.loop, probe_rig_is_done, &r, 900));
	cr_expect(wait_lines(&r, USUAL, 7));
	cr_expect(faketor_count(r.tor, "CLOSECIRCUIT") == 0, "circuit 11 is somebody else's now");
	probe_rig_fini(&r);
}

Test(tor_prober, costly_events_are_asked_for_only_while_a_probe_runs)
{
	const struct fakesite_script script = {.response = OK_ALL};
	struct probe_rig r;

	rig_link(&r, &script);
	/* Tried out once in the handshake. */
	cr_expect(faketor_count(r.tor, WATCH) == 1 && faketor_count(r.tor, USUAL) == 2);
	cr_expect(probe_rig_run(&r) == VERDICT_OK && wait_lines(&r, USUAL, 4));
	cr_expect(faketor_count(r.tor, WATCH) == 2);
	r.rq.direct = true;
	r.done = 0;
	probe_rig_run(&r);
	cr_expect(faketor_count(r.tor, "SETEVENTS") == 4, "a check needs none");
	probe_rig_fini(&r);
}

Test(tor_prober, phases_come_from_events_and_a_cached_descriptor_took_no_time)
{
	const struct fakesite_script script = {.code = -1};
	struct probe_rig r;

	rig_link(&r, &script);
	r.rq.timeout_ms = 100;
	prober_start(r.prober, &r.rq, probe_rig_on_done, &r, 1);
	send_events(&r, RECEIVED(ADDRESS) CIRC("11", "HSCR_JOINED")
	    "650 CIRC_MINOR 9 PURPOSE_CHANGED PURPOSE=HS_CLIENT_INTRO HS_STATE=HSCI_INTRO_SENT SOCKS_USERNAME=\"@\"\r\n"
	    "650 CIRC_MINOR 9 PURPOSE_CHANGED PURPOSE=HS_CLIENT_INTRO HS_STATE=HSCI_DONE SOCKS_USERNAME=\"@\"\r\n");
	cr_assert(loop_run_until(r.loop, probe_rig_is_done, &r, 900));
	cr_expect(r.result.phases.descriptor >= 0 && r.result.phases.introduction >= 0 && r.result.phases.rendezvous >= 0);
	probe_rig_fini(&r);

	rig_link(&r, &(struct fakesite_script){.response = OK_ALL});
	cr_expect(probe_rig_run(&r) == VERDICT_OK && r.result.phases.descriptor == -1, "no event was seen");
	probe_rig_fini(&r);
}

Test(tor_prober, a_timeout_without_a_rendezvous_point_tells_on_our_own_side_until_one_is_found)
{
	const struct fakesite_script script = {.code = -1};
	const char *why;
	struct probe_rig r;

	rig_link(&r, &script);
	r.rq.timeout_ms = 60;
	prober_start(r.prober, &r.rq, probe_rig_on_done, &r, 1);
	send_events(&r, STREAM("NEW 0", "PURPOSE=USER") CIRC("11", "HSCR_CONNECTING"));
	cr_assert(loop_run_until(r.loop, probe_rig_is_done, &r, 900));
	cr_expect(r.result.verdict == VERDICT_INCONCLUSIVE);
	cr_expect(!session_is_fit(r.session, &why) && strstr(why, "rendezvous point") != NULL, "%s", why);
	r.done = 0;
	r.before = 1;
	r.rq.timeout_ms = 600;
	prober_start(r.prober, &r.rq, probe_rig_on_done, &r, 2);
	send_events(&r, STREAM("NEW 0", "PURPOSE=USER"));
	cr_expect(!session_is_fit(r.session, &why));
	send_events(&r, CIRC("12", "HSCR_ESTABLISHED_IDLE"));
	cr_expect(session_is_fit(r.session, &why), "%s: as soon as it is seen, not when the probe ends", why);
	prober_cancel(r.prober, 2);
	probe_rig_fini(&r);
}

Test(tor_prober, events_of_another_tor_are_not_taken_for_ours)
{
	const struct fakesite_script script = {.code = 4, .close_after_reply = true};
	struct event ev = {.kind = EVENT_HS_DESC};
	struct probe_rig r;

	rig_link(&r, &script);
	ev.u.hs_desc.action = EVENT_DESC_FAILED;
	ev.u.hs_desc.side = EVENT_DESC_SIDE_FETCH;
	ev.u.hs_desc.reason = EVENT_DESC_REASON_BAD_DESC;
	memcpy(ev.u.hs_desc.address, ADDRESS, 57);
	prober_start(r.prober, &r.rq, probe_rig_on_done, &r, 1);
	prober_on_event(r.prober, NULL, &ev);
	cr_assert(loop_run_until(r.loop, probe_rig_is_done, &r, 900));
	cr_expect(r.result.verdict == VERDICT_NO_DESCRIPTOR, "%s", verdict_name(r.result.verdict));
	probe_rig_fini(&r);
}

Test(tor_prober, a_fresh_probe_fetches_the_descriptor_first)
{
	static const struct {
		const char *answers[7];
		unsigned fetches;
		enum verdict want;
		bool stale;
		enum fetch fetch;
	} rows[] = {
	    {{RECEIVED(ADDRESS)}, 1, VERDICT_OK, false, FETCH_FOUND},
	    {{FAILED(ADDRESS, "NOT_FOUND"), FAILED(OTHER, "NOT_FOUND") RECEIVED(OTHER) RECEIVED(ADDRESS)}, 2, VERDICT_OK, true, FETCH_FOUND},
	    {{FAILED(ADDRESS, "NOT_FOUND"), FAILED(ADDRESS, "NOT_FOUND"), FAILED(ADDRESS, "UNEXPECTED"), FAILED(ADDRESS, "NOT_FOUND"),
		 FAILED(ADDRESS, "NOT_FOUND"), FAILED(ADDRESS, "NOT_FOUND")},
		6, VERDICT_OK, true, FETCH_NONE},
	    {{FAILED(ADDRESS, "NOT_FOUND"), FAILED(ADDRESS, "NOT_FOUND"), FAILED(ADDRESS, "NOT_FOUND"), FAILED(ADDRESS, "NOT_FOUND"),
		 FAILED(ADDRESS, "NOT_FOUND"), FAILED(ADDRESS, "NOT_FOUND"), RECEIVED(ADDRESS)},
		6, VERDICT_NO_DESCRIPTOR, true, FETCH_MISSING},
	    {{FAILED(ADDRESS, "UPLOAD_REJECTED") RECEIVED(ADDRESS)}, 1, VERDICT_OK, false, FETCH_FOUND},
	    /* tor refuses to fetch: the probe goes all the same. */
	    {{"!"}, 1, VERDICT_OK, false, FETCH_NONE},
	};
	size_t i, k;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct fakesite_script script = {.response = OK_ALL};
		char text[1024];
		struct probe_rig r;

		rig_link(&r, &script);
		r.rq.fresh = true;
		for (k = 7; k-- > 0;)
			if (rows[i].answers[k] != NULL) {
				snprintf(text, sizeof(text), "250 OK\r\n%s", rows[i].answers[k]);
				faketor_answer(r.tor, "HSFETCH " ADDRESS, *rows[i].answers[k] == '!' ? "510 Command filtered\r\n" : text, 1);
			}
		cr_expect(probe_rig_run(&r) == rows[i].want, "row %zu: %s", i, r.result.detail);
		cr_expect(faketor_count(r.tor, "HSFETCH") == rows[i].fetches && r.result.stale_hsdir == rows[i].stale, "row %zu", i);
		cr_expect_eq(r.result.fetch, rows[i].fetch, "row %zu", i);
		cr_expect(fakesite_connections(r.site) == (rows[i].want == VERDICT_OK), "row %zu", i);
		probe_rig_fini(&r);
	}
}

static void
free_on_done(void *ctx, uint64_t id, const struct probe_result *result)
{
	struct probe_rig *r = ctx;

	(void)id;
	(void)result;
	r->done++;
	prober_free(r->prober);
	r->prober = NULL;
}

Test(tor_prober, can_be_cancelled_and_freed_at_any_time)
{
	const struct fakesite_script script = {.response = OK_ALL};
	struct probe_rig r;
	uint64_t id;

	probe_rig_init(&r, &script);
	for (id = 1; id <= 5; id++)
		prober_start(r.prober, &r.rq, probe_rig_on_done, &r, id);
	cr_expect(prober_count(r.prober) == 5);
	for (id = 1; id <= 4; id++)
		prober_cancel(r.prober, id);
	prober_cancel(r.prober, 99);
	cr_expect(prober_count(r.prober) == 1);
	cr_assert(loop_run_until(r.loop, probe_rig_is_done, &r, 900));
	cr_expect(r.done == 1 && r.id == 5);
	r.done = 0;
	prober_start(r.prober, &r.rq, free_on_done, &r, 1);
	prober_start(r.prober, &r.rq, free_on_done, &r, 2);
	cr_assert(loop_run_until(r.loop, probe_rig_is_done, &r, 900));
	cr_expect(r.done == 1 && r.prober == NULL);
	probe_rig_fini(&r);
}
