/* SPDX-License-Identifier: BSD-3-Clause */
/* A session that is up: order of replies, what drops the link, loss and return, its commands. */
#include "config.h"
#include "unit/tor/rig.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ADDRESS "adifuhi6ujits3kvpl55iwelhrwztw7ls4x62efdevroujw43t5kanad"
#define ADDRESS2 "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid"

/* What an up link gets instead of, or besides, the answer to "GETINFO uptime". */
static void
expect_loss(const char *answer, const char *text, int64_t command_ms)
{
	struct rig r;
	unsigned sent;

	rig_init(&r);
	r.timing.backoff_min = r.timing.backoff_max = 60000;
	r.timing.command = command_ms;
	faketor_answer(r.tor, "GETINFO uptime", answer, -1);
	cr_assert(rig_up(&r), "%s: %s", text, r.lost);
	cr_expect(session_getinfo(r.session, "uptime", rig_reply, &r, 'a', NULL) == 0);
	/* A second one in flight, unless its answer would end the silence. */
	if (command_ms >= 1000)
		cr_expect(session_getinfo(r.session, "version", rig_reply, &r, 'b', NULL) == 0);
	cr_expect(rig_wait(&r, &r.losses, 1), "%s", text);
	cr_expect(strstr(r.lost, text) != NULL, "wanted %s, got %s", text, r.lost);
	sent = command_ms >= 1000 ? 2 : 1;
	cr_expect(r.replies == sent && r.nulls >= 1, "%s: %u replies, %u unknown", text, r.replies,
	    r.nulls);
	cr_expect(!r.fit && strcmp(r.why, "control link lost") == 0, "%s", r.why);
	cr_expect(session_get_state(r.session) == SESSION_DOWN);
	cr_expect(session_getinfo(r.session, "version", rig_reply, &r, 'c', NULL) == -1);
	rig_turn(&r);
	cr_expect(r.replies == sent && r.losses == 1);
	rig_fini(&r);
}

Test(tor_session, drops_a_link_that_answers_anything_but_the_command)
{
	expect_loss("nonsense\r\n", "not what tor says", 2000);
	expect_loss("250-uptime=5\n250 OK\n", "not what tor says", 2000);
	expect_loss("250-uptime=5\r\n251 OK\r\n", "not what tor says", 2000);
	expect_loss("250-version=0.4.9.11\r\n250 OK\r\n", "out of step", 2000);
	expect_loss("250 OK\r\n", "out of step", 2000);
	expect_loss("250-uptime=5\r\n250 OK\r\n250-uptime=5\r\n250 OK\r\n", "out of step", 2000);
	expect_loss("250-uptime=5\r\n" FT_CLOSE, "closed the control link", 2000);
	expect_loss(FT_CLOSE, "closed the control link", 2000);
	expect_loss(FT_SILENT, "did not answer within 30 ms", 30);
	expect_loss("250-uptime=", "did not answer within 30 ms", 30);
}

Test(tor_session, drops_a_link_that_answers_twice_or_unasked)
{
	static const char *const answers[] = {
	    "250-uptime=5\r\n250 OK\r\n552 And another thing\r\n", "250-uptime=5\r\n250 OK\r\n"};
	struct rig r;
	size_t i;

	for (i = 0; i < 2; i++) {
		rig_init(&r);
		r.timing.backoff_min = r.timing.backoff_max = 60000;
		faketor_answer(r.tor, "GETINFO uptime", answers[i], -1);
		cr_assert(rig_up(&r));
		cr_expect(session_getinfo(r.session, "uptime", rig_reply, &r, 'a', NULL) == 0);
		cr_expect(rig_wait(&r, &r.replies, 1));
		if (i == 1)
			faketor_send(r.tor, "250 OK\r\n");
		cr_expect(rig_wait(&r, &r.losses, 1));
		cr_expect(strstr(r.lost, "to no command") != NULL, "%s", r.lost);
		cr_expect(r.replies == 1 && r.nulls == 0);
		rig_fini(&r);
	}
}

Test(tor_session, drops_a_link_that_never_ends_a_reply)
{
	char *text = NULL;
	size_t n = 0, i;
	FILE *fp = open_memstream(&text, &n);

	for (i = 0; i <= REPLY_LINES_MAX; i++)
		fprintf(fp, "250-uptime=%zu\r\n", i);
	fclose(fp);
	expect_loss(text, "not what tor says", 2000);
	free(text);
}

Test(tor_session, answers_come_in_order_with_events_between_them)
{
	static const char event[] = "650 HS_DESC UPLOADED " ADDRESS
				    " UNKNOWN $0123456789ABCDEF0123456789ABCDEF01234567~x\r\n";
	char reply[512];
	struct rig r;
	int i, split;

	for (split = 0; split < 2; split++) {
		rig_init(&r);
		cr_assert(rig_up(&r));
		faketor_set_split(r.tor, split == 1);
		snprintf(
		    reply, sizeof(reply), "%s250-uptime=5\r\n250 OK\r\n%s%s", event, event, event);
		faketor_answer(r.tor, "GETINFO uptime", reply, -1);
		for (i = 0; i < 5; i++)
			cr_expect(session_getinfo(r.session, i % 2 ? "version" : "uptime",
				      rig_reply, &r, (uint64_t)('a' + i), NULL) == 0);
		cr_expect(rig_wait(&r, &r.replies, 5) && rig_wait(&r, &r.events, 9));
		cr_expect_str_eq(r.order, "abcde");
		cr_expect(r.event.kind == EVENT_HS_DESC &&
			  r.event.u.hs_desc.action == EVENT_DESC_UPLOADED &&
			  strcmp(r.event.u.hs_desc.address, ADDRESS) == 0);
		cr_expect(r.losses == 0, "%s", r.lost);
		rig_fini(&r);
	}
}

Test(tor_session, what_was_in_flight_is_unknown_after_a_loss_and_never_answered_later)
{
	struct rig r;

	rig_init(&r);
	faketor_answer(r.tor, "GETINFO uptime", FT_SILENT, 1);
	cr_assert(rig_up(&r));
	cr_expect(session_getinfo(r.session, "uptime", rig_reply, &r, 'a', NULL) == 0);
	cr_assert(rig_wait_line(&r, "GETINFO uptime", 1));
	faketor_hang_up(r.tor);
	cr_assert(rig_wait(&r, &r.ups, 2), "%s", r.lost);
	cr_expect(r.replies == 1 && r.nulls == 1);
	cr_expect(session_get_generation(r.session) == 2);
	/* The late answer, on the new link: no command waits for it, so this link goes too. */
	cr_assert(rig_wait_line(&r, "GETCONF", 2));
	rig_turn(&r);
	faketor_send(r.tor, "250-uptime=5\r\n250 OK\r\n");
	cr_assert(rig_wait(&r, &r.ups, 3));
	cr_expect(r.replies == 1 && strcmp(r.order, "") == 0);
	cr_expect(session_get_generation(r.session) == 3);
	rig_fini(&r);
}

Test(tor_session, tells_of_a_loss_once_for_a_cause_and_comes_back)
{
	struct rig r;

	rig_init(&r);
	cr_assert(rig_up(&r));
	faketor_set_down(r.tor, true);
	cr_assert(rig_wait(&r, &r.losses, 2));
	rig_turn(&r);
	/* "closed", then "nothing listens", however often it was tried since. */
	cr_expect(r.losses == 2, "%u", r.losses);
	faketor_set_down(r.tor, false);
	cr_assert(rig_wait(&r, &r.ups, 2));
	cr_expect_str_eq(session_get_error(r.session), "");
	rig_fini(&r);
}

Test(tor_session, follows_a_new_cookie_of_a_restarted_tor)
{
	struct rig r;

	rig_init(&r);
	cr_assert(rig_up(&r));
	faketor_set_down(r.tor, true);
	faketor_new_cookie(r.tor, true);
	faketor_set_down(r.tor, false);
	cr_assert(rig_wait(&r, &r.ups, 2), "%s", r.lost);
	rig_fini(&r);
}

Test(tor_session, asks_again_to_keep_alive_and_drops_a_tor_that_stops)
{
	struct rig r;

	rig_init(&r);
	r.timing.keep_alive = 5;
	r.timing.command = 40;
	r.timing.backoff_min = r.timing.backoff_max = 60000;
	cr_assert(rig_up(&r));
	cr_assert(rig_wait_line(&r, "GETINFO network-liveness", 4));
	cr_expect(r.fits == 2, "nothing changed: %u", r.fits);
	faketor_answer(r.tor, "GET", FT_SILENT, -1);
	cr_assert(rig_wait(&r, &r.losses, 1));
	cr_expect(strstr(r.lost, "did not answer") != NULL && !r.fit);
	rig_fini(&r);
}

Test(tor_session, an_event_about_our_side_is_believed_and_asked_about)
{
	struct rig r;
	unsigned asked;

	rig_init(&r);
	cr_assert(rig_up(&r));
	asked = faketor_count(r.tor, "GETINFO status/circuit-established");
	faketor_answer(
	    r.tor, "GETINFO network-liveness", "250-network-liveness=down\r\n250 OK\r\n", -1);
	faketor_send(r.tor, "650 NETWORK_LIVENESS DOWN\r\n");
	cr_assert(rig_wait(&r, &r.fits, 3));
	cr_expect(!r.fit && strcmp(r.why, "network is down") == 0, "%s", r.why);
	cr_expect(rig_wait_line(&r, "GETINFO status/circuit-established", asked + 1));
	rig_turn(&r);
	faketor_answer(
	    r.tor, "GETINFO network-liveness", "250-network-liveness=up\r\n250 OK\r\n", -1);
	faketor_send(r.tor, "650 NETWORK_LIVENESS UP\r\n");
	cr_assert(rig_wait(&r, &r.fits, 4));
	cr_expect(r.fit);
	faketor_send(r.tor, "650 STATUS_GENERAL WARN CLOCK_JUMPED TIME=300\r\n");
	cr_assert(rig_wait(&r, &r.fits, 5));
	cr_expect(!r.fit && strcmp(r.why, "clock jumped") == 0, "%s", r.why);
	rig_fini(&r);
}

Test(tor_session, reads_detached_onions_in_both_shapes)
{
	static const struct {
		const char *reply;
		int n;
		const char *want;
	} rows[] = {
	    {"250-onions/detached=\r\n250 OK\r\n", 0, ""},
	    {"250-onions/detached=" ADDRESS "\r\n250 OK\r\n", 1, ADDRESS},
	    {"250+onions/detached=\r\n" ADDRESS "\r\n" ADDRESS2 "\r\n.\r\n250 OK\r\n", 2,
		ADDRESS " " ADDRESS2},
	    {"552 Unrecognized key\r\n", -1, ""},
	    {"250-onions/detached=abc\r\n250 OK\r\n", -1, ""},
	    {"250-onions/detached=" ADDRESS "q\r\n250 OK\r\n", -1, ""},
	    {"250+onions/detached=\r\n" ADDRESS "\r\n!\r\n.\r\n250 OK\r\n", -1, ""},
	};
	struct rig r;
	size_t i;

	rig_init(&r);
	cr_assert(rig_up(&r));
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		faketor_answer(r.tor, "GETINFO onions/detached", rows[i].reply, 1);
		cr_expect(session_detached(r.session, rig_detached, &r, NULL) == 0);
		cr_assert(rig_wait(&r, &r.replies, (unsigned)i + 1), "row %zu", i);
		cr_expect(r.detached == rows[i].n && strcmp(r.addresses, rows[i].want) == 0,
		    "row %zu: %d %s", i, r.detached, r.addresses);
	}
	faketor_answer(r.tor, "GETINFO onions/detached", FT_CLOSE, 1);
	cr_expect(session_detached(r.session, rig_detached, &r, NULL) == 0);
	cr_assert(rig_wait(&r, &r.replies, (unsigned)i + 1));
	cr_expect(r.detached == -1);
	rig_fini(&r);
}

Test(tor_session, sends_each_command_as_it_should_be)
{
	uint8_t key[64] = {8};
	struct command_add_onion add = {.key64 = key, .n_ports = 1};
	struct err e = ERR_INIT;
	struct rig r;

	rig_init(&r);
	cr_assert(rig_up(&r));
	add.ports[0].virt = 80;
	cr_assert(endpoint_parse(&add.ports[0].target, "127.0.0.1:8080", NULL) == 0);
	faketor_answer(r.tor, "ADD_ONION ", "250-ServiceID=" ADDRESS "\r\n250 OK\r\n", 1);
	cr_expect(session_add_onion(r.session, &add, rig_reply, &r, 'a', &e) == 0, "%s", e.msg);
	cr_expect(session_del_onion(r.session, ADDRESS, rig_reply, &r, 'd', &e) == 0);
	cr_expect(session_hsfetch(r.session, ADDRESS, rig_reply, &r, 'h', &e) == 0);
	cr_expect(session_close_circuit(r.session, "17", rig_reply, &r, 'c', &e) == 0);
	cr_assert(rig_wait(&r, &r.replies, 4), "%s", r.lost);
	cr_expect_str_eq(r.order, "adhc");
	cr_expect(faketor_count(r.tor, "ADD_ONION ED25519-V3:CAAA") == 1);
	cr_expect(faketor_count(r.tor, "DEL_ONION " ADDRESS) == 1 &&
		  faketor_count(r.tor, "HSFETCH " ADDRESS) == 1);
	cr_expect(faketor_count(r.tor, "CLOSECIRCUIT 17") == 1);
	/* What doesn't encode isn't sent. */
	cr_expect(session_del_onion(r.session, "x\r\nQUIT", rig_reply, &r, 'x', &e) == -1);
	cr_expect(session_getinfo(r.session, "a b", rig_reply, &r, 'x', NULL) == -1);
	rig_turn(&r);
	cr_expect(r.replies == 4 && faketor_count(r.tor, "QUIT") == 0 &&
		  session_get_state(r.session) == SESSION_UP);
	rig_fini(&r);
}

Test(tor_session, refuses_pow_from_a_tor_that_can_not_do_it_safely)
{
	uint8_t key[64] = {8};
	struct command_add_onion add = {.key64 = key, .n_ports = 1, .pow = true};
	struct err e = ERR_INIT;
	struct rig r;

	rig_init(&r);
	faketor_answer(r.tor, "GETINFO version", "250-version=0.4.9.8\r\n250 OK\r\n", -1);
	cr_assert(rig_up(&r));
	add.ports[0].virt = 80;
	cr_assert(endpoint_parse(&add.ports[0].target, "127.0.0.1:8080", NULL) == 0);
	cr_expect(session_add_onion(r.session, &add, rig_reply, &r, 'a', &e) == -1);
	cr_expect(e.code == ERR_REFUSED && strstr(e.msg, "pow") != NULL, "%s", e.msg);
	rig_fini(&r);
}

static void
on_count(void *ctx, uint64_t id, int n)
{
	struct rig *r = ctx;

	r->replies++;
	snprintf(r->text, sizeof(r->text), "%c%d", (char)id, n);
}

#define REND "HS_SERVICE_REND HS_STATE=HSSR_JOINED REND_QUERY="
#define TIMES " TIME_CREATED=2026-01-01T00:00:00.000000"

Test(tor_session, counts_the_joined_circuits_of_one_service)
{
	static const struct {
		const char *answer, *want;
	} rows[] = {
	    {"250-circuit-status=\r\n250 OK\r\n", "i0"},
	    {"250-circuit-status=7 BUILT $0~a PURPOSE=" REND ADDRESS TIMES "\r\n250 OK\r\n", "i1"},
	    {"250+circuit-status=\r\n7 BUILT $0~a PURPOSE=" REND ADDRESS TIMES
	     "\r\n8 BUILT PURPOSE=" REND ADDRESS2 TIMES "\r\n9 BUILT PURPOSE=" REND ADDRESS TIMES
	     "\r\n10 EXTENDED PURPOSE=HS_SERVICE_REND HS_STATE=HSSR_CONNECTING REND_QUERY=" ADDRESS
	     "\r\n11 BUILT PURPOSE=HS_SERVICE_INTRO HS_STATE=HSSI_ESTABLISHED REND_QUERY=" ADDRESS
	     "\r\n12 BUILT PURPOSE=GENERAL SOCKS_USERNAME=\"PURPOSE=" REND ADDRESS
	     "\"\r\n.\r\n250 OK\r\n",
		"i2"},
	    /* What is not a list of circuits says nothing: an onion with clients must not be cut. */
	    {"250+circuit-status=\r\n7 BUILT PURPOSE=" REND ADDRESS "\r\n!\r\n.\r\n250 OK\r\n",
		"i-1"},
	    {"250-circuit-status=none\r\n250 OK\r\n", "i-1"},
	    {"510 Command filtered\r\n", "i-1"},
	    {FT_CLOSE, "i-1"},
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct rig r;

		rig_init(&r);
		faketor_answer(r.tor, "GETINFO circuit-status", rows[i].answer, 1);
		cr_assert(rig_up(&r));
		cr_expect(session_clients(r.session, ADDRESS, on_count, &r, 'i', NULL) == 0);
		cr_assert(rig_wait(&r, &r.replies, 1));
		cr_expect(strcmp(r.text, rows[i].want) == 0, "row %zu: %s", i, r.text);
		cr_expect(session_clients(r.session, "a\r\nQUIT", on_count, &r, 'i', NULL) == -1);
		rig_fini(&r);
	}
}

Test(tor_session, counts_among_thirty_thousand_circuits_of_a_flooded_service)
{
	char *text = NULL;
	size_t n = 0, i;
	FILE *fp = open_memstream(&text, &n);
	struct rig r;

	fprintf(fp, "250+circuit-status=\r\n");
	for (i = 1; i <= 30000; i++)
		fprintf(fp, "%zu BUILT $0123456789ABCDEF0123456789ABCDEF01234567~relay PURPOSE=" REND
			    "%s" TIMES "\r\n", i, i % 2 ? ADDRESS : ADDRESS2);
	fprintf(fp, ".\r\n250 OK\r\n");
	fclose(fp);
	rig_init(&r);
	r.timing.command = 20000;
	faketor_answer(r.tor, "GETINFO circuit-status", text, 1);
	cr_assert(rig_up(&r));
	cr_expect(session_clients(r.session, ADDRESS, on_count, &r, 'i', NULL) == 0);
	cr_assert(rig_wait(&r, &r.replies, 1) || rig_wait(&r, &r.replies, 1), "%s", r.lost);
	cr_expect_str_eq(r.text, "i15000");
	rig_fini(&r);
	free(text);
}

struct killer {
	struct rig *r;
	unsigned calls;
};

static void
free_on_reply(void *ctx, uint64_t id, const struct reply *reply)
{
	struct killer *k = ctx;

	(void)id;
	(void)reply;
	k->calls++;
	session_free(k->r->session);
	k->r->session = NULL;
}

Test(tor_session, may_be_freed_in_its_own_callback)
{
	static const char *const answers[] = {"250-uptime=5\r\n250 OK\r\n", FT_CLOSE, "junk\r\n"};
	size_t i;

	for (i = 0; i < 3; i++) {
		struct killer k = {0};
		struct rig r;

		rig_init(&r);
		k.r = &r;
		faketor_answer(r.tor, "GETINFO uptime", answers[i], -1);
		cr_assert(rig_up(&r));
		cr_expect(session_getinfo(r.session, "uptime", free_on_reply, &k, 1, NULL) == 0);
		cr_expect(session_getinfo(r.session, "uptime", free_on_reply, &k, 2, NULL) == 0);
		cr_expect(rig_wait(&r, &k.calls, 1));
		rig_turn(&r);
		cr_expect(k.calls == 1 && r.losses == 0);
		rig_fini(&r);
	}
}
