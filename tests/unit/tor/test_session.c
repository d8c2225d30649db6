/* SPDX-License-Identifier: BSD-3-Clause */
/* The session's life: proof, refusal, order of replies, loss and return. */
#include "config.h"
#include "unit/tor/rig.h"

#include "base/clock.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ADDRESS "adifuhi6ujits3kvpl55iwelhrwztw7ls4x62efdevroujw43t5kanad"
#define ADDRESS2 "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid"

Test(tor_session, proves_itself_by_safecookie_and_comes_up)
{
	struct rig r;
	const char *why;

	rig_init(&r);
	cr_assert(rig_up(&r), "%s", r.lost);
	cr_expect(session_get_state(r.session) == SESSION_UP);
	cr_expect(session_get_generation(r.session) == 1);
	cr_expect_str_eq(session_get_version(r.session), "0.4.9.11");
	cr_expect_str_eq(session_get_warning(r.session), "");
	cr_expect_str_eq(session_get_error(r.session), "");
	cr_expect(session_has_pow(r.session));
	cr_expect(session_is_fit(r.session, &why) && r.fit, "%s", r.why);
	cr_expect_str_eq(faketor_line(r.tor, 0), "PROTOCOLINFO 1");
	cr_expect(strncmp(faketor_line(r.tor, 1), "AUTHCHALLENGE SAFECOOKIE ", 25) == 0);
	cr_expect(strncmp(faketor_line(r.tor, 2), "AUTHENTICATE ", 13) == 0 && strlen(faketor_line(r.tor, 2)) == 77);
	cr_expect_str_eq(faketor_line(r.tor, 3), "GETINFO version");
	cr_expect_str_eq(faketor_line(r.tor, 4), "SETEVENTS HS_DESC STATUS_CLIENT STATUS_GENERAL NETWORK_LIVENESS");
	cr_expect(r.losses == 0 && faketor_links(r.tor) == 1);
	rig_fini(&r);
}

Test(tor_session, does_not_mind_where_the_bytes_are_split)
{
	struct rig r;

	rig_init(&r);
	faketor_set_split(r.tor, true);
	cr_assert(rig_up(&r), "%s", r.lost);
	cr_expect(r.losses == 0 && r.fit);
	rig_fini(&r);
}

Test(tor_session, says_nothing_more_to_a_tor_that_does_not_know_the_cookie)
{
	struct rig r;

	rig_init(&r);
	faketor_new_cookie(r.tor, false);
	r.timing.backoff_min = r.timing.backoff_max = 60000;
	rig_start(&r);
	cr_assert(rig_wait(&r, &r.losses, 1));
	rig_turn(&r);
	cr_expect(strstr(r.lost, "wrong cookie") != NULL, "%s", r.lost);
	cr_expect(faketor_count(r.tor, "") == 2 && faketor_count(r.tor, "AUTHENTICATE") == 0);
	cr_expect(session_get_generation(r.session) == 0 && r.ups == 0);
	rig_fini(&r);
}

Test(tor_session, reads_the_cookie_anew_once_after_515)
{
	struct rig r;

	rig_init(&r);
	faketor_answer(r.tor, "AUTHENTICATE",
	    "515 Authentication failed: Safe cookie response did not match expected value.\r\n" FT_CLOSE, 1);
	r.timing.backoff_min = r.timing.backoff_max = 60000;
	cr_assert(rig_up(&r), "%s", r.lost);
	cr_expect(faketor_links(r.tor) == 2 && faketor_count(r.tor, "AUTHENTICATE") == 2);
	cr_expect(r.losses == 0, "nobody is told of the first refusal: %s", r.lost);
	rig_fini(&r);
}

Test(tor_session, gives_up_for_a_while_after_the_second_515)
{
	struct rig r;

	rig_init(&r);
	faketor_answer(r.tor, "AUTHENTICATE", "515 Authentication failed: Safe cookie\r\n" FT_CLOSE, -1);
	r.timing.backoff_min = r.timing.backoff_max = 60000;
	rig_start(&r);
	cr_assert(rig_wait(&r, &r.losses, 1));
	rig_turn(&r);
	cr_expect(strstr(r.lost, "wrong cookie") != NULL && strstr(r.lost, "515") != NULL, "%s", r.lost);
	cr_expect(faketor_links(r.tor) == 2 && faketor_count(r.tor, "AUTHENTICATE") == 2);
	rig_fini(&r);
}

/* The first loss, with the last lines sent: what the operator reads, and what tor never got. */
static void
expect_refusal(struct rig *r, const char *text, const char *never)
{
	r->timing.backoff_min = r->timing.backoff_max = 60000;
	rig_start(r);
	cr_assert(rig_wait(r, &r->losses, 1), "wanted %s", text);
	rig_turn(r);
	cr_expect(strstr(r->lost, text) != NULL, "wanted %s, got %s", text, r->lost);
	cr_expect(strchr(r->lost, '\n') == NULL);
	cr_expect(r->ups == 0 && faketor_count(r->tor, never) == 0, "%s was sent", never);
	cr_expect_str_eq(session_get_error(r->session), r->lost);
}

static void
offer(struct rig *r, const char *methods)
{
	char text[256];

	snprintf(text, sizeof(text),
	    "250-PROTOCOLINFO 1\r\n250-AUTH METHODS=%s\r\n250-VERSION Tor=\"0.4.9.11\"\r\n250 OK\r\n", methods);
	faketor_answer(r->tor, "PROTOCOLINFO", text, -1);
}

Test(tor_session, never_falls_back_to_the_plain_cookie)
{
	struct rig r;

	rig_init(&r);
	offer(&r, "COOKIE COOKIEFILE=\"/etc/passwd\"");
	expect_refusal(&r, "SAFECOOKIE", "AUTH");
	rig_fini(&r);
}

Test(tor_session, takes_no_authentication_only_when_allowed)
{
	struct rig r;

	rig_init(&r);
	r.cfg.cookie_file = NULL;
	offer(&r, "NULL");
	expect_refusal(&r, "allow-no-auth", "AUTH");
	rig_fini(&r);

	rig_init(&r);
	r.cfg.cookie_file = NULL;
	r.cfg.allow_no_auth = true;
	offer(&r, "NULL");
	cr_assert(rig_up(&r), "%s", r.lost);
	cr_expect_str_eq(faketor_line(r.tor, 1), "AUTHENTICATE");
	rig_fini(&r);
}

static void
write_file(struct rig *r, const char *name, const char *text, char *path, size_t size)
{
	int fd;

	snprintf(path, size, "%s/%s", r->dir, name);
	fd = open(path, O_WRONLY | O_CREAT, 0600);
	cr_assert(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

Test(tor_session, sends_a_password_only_where_one_is_asked_for)
{
	struct rig r;
	char path[128];

	rig_init(&r);
	write_file(&r, "pw", "open \"sesame\"\n", path, sizeof(path));
	r.cfg.cookie_file = NULL;
	r.cfg.password_file = path;
	offer(&r, "HASHEDPASSWORD");
	cr_assert(rig_up(&r), "%s", r.lost);
	cr_expect_str_eq(faketor_line(r.tor, 1), "AUTHENTICATE \"open \\\"sesame\\\"\"");
	unlink(path);
	rig_fini(&r);

	rig_init(&r);
	write_file(&r, "pw", "sesame\n", path, sizeof(path));
	r.cfg.cookie_file = NULL;
	r.cfg.password_file = path;
	offer(&r, "NULL");
	expect_refusal(&r, "allow-no-auth", "AUTHENTICATE");
	unlink(path);
	rig_fini(&r);
}

Test(tor_session, a_wrong_password_is_called_so)
{
	struct rig r;
	char path[128];

	rig_init(&r);
	write_file(&r, "pw", "sesame\n", path, sizeof(path));
	r.cfg.cookie_file = NULL;
	r.cfg.password_file = path;
	offer(&r, "HASHEDPASSWORD");
	faketor_answer(r.tor, "AUTHENTICATE", "515 Authentication failed: Password did not match\r\n" FT_CLOSE, -1);
	expect_refusal(&r, "wrong password", "GETINFO");
	cr_expect(faketor_links(r.tor) == 1 && strstr(r.lost, "sesame") == NULL);
	unlink(path);
	rig_fini(&r);
}

Test(tor_session, a_bad_cookie_file_is_named_and_nothing_is_sent)
{
	static const char *const text[] = { "short", "" };
	struct rig r;
	size_t i;

	for (i = 0; i < 2; i++) {
		rig_init(&r);
		unlink(faketor_cookie(r.tor));
		if (i == 0)
			cr_assert(mkfifo(faketor_cookie(r.tor), 0600) == 0);
		else
			cr_assert(close(open(faketor_cookie(r.tor), O_WRONLY | O_CREAT, 0600)) == 0);
		expect_refusal(&r, faketor_cookie(r.tor), "AUTH");
		cr_expect(strstr(r.lost, "cookie") != NULL, "%s: %s", text[i], r.lost);
		rig_fini(&r);
	}
}

Test(tor_session, says_what_to_do_when_nothing_listens)
{
	struct rig r;

	rig_init(&r);
	faketor_set_down(r.tor, true);
	expect_refusal(&r, "nothing listens on unix:/", "");
	cr_expect(strstr(r.lost, "is tor running") != NULL);
	rig_fini(&r);
}

Test(tor_session, says_what_to_do_when_the_socket_is_not_ours_to_use)
{
	struct rig r;

	rig_init(&r);
	if (geteuid() == 0) {
		/* Root may write to any socket, so it becomes somebody else in this process. */
		cr_assert(chmod(r.dir, 0755) == 0 && seteuid(65534) == 0);
	} else {
		cr_assert(chmod(faketor_path(r.tor), 0) == 0);
	}
	expect_refusal(&r, "debian-tor", "");
	cr_expect(strstr(r.lost, "no permission") != NULL, "%s", r.lost);
	if (getuid() == 0)
		cr_assert(seteuid(0) == 0);
	rig_fini(&r);
}

Test(tor_session, refuses_a_tor_that_is_too_old_and_warns_of_an_old_one)
{
	static const struct {
		const char *version;
		bool up, pow;
		const char *text;
	} rows[] = {
		{ "0.4.6.12", false, false, "too old" },
		{ "0.4.7.1", true, false, "known faults" },
		{ "0.4.8.16", true, false, "known faults" },
		{ "0.4.9.9", true, true, "known faults" },
		{ "0.4.9.11 (git-0123456789abcdef)", true, true, "" },
		{ "0.5.0.1-alpha", true, true, "" },
	};
	struct rig r;
	char reply[128];
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		rig_init(&r);
		snprintf(reply, sizeof(reply), "250-version=%s\r\n250 OK\r\n", rows[i].version);
		faketor_answer(r.tor, "GETINFO version", reply, -1);
		if (rows[i].up) {
			cr_assert(rig_up(&r), "%s: %s", rows[i].version, r.lost);
			cr_expect(strstr(session_get_warning(r.session), rows[i].text) != NULL && (*rows[i].text != '\0') ==
			    (*session_get_warning(r.session) != '\0'), "%s: %s", rows[i].version, session_get_warning(r.session));
			cr_expect(session_has_pow(r.session) == rows[i].pow, "%s", rows[i].version);
		} else {
			expect_refusal(&r, rows[i].text, "SETEVENTS");
		}
		rig_fini(&r);
	}
}

Test(tor_session, comes_up_behind_a_filter_that_refuses_what_it_can_do_without)
{
	struct rig r;

	rig_init(&r);
	faketor_answer(r.tor, "GETINFO", "510 Command filtered\r\n", -1);
	faketor_answer(r.tor, "GETCONF", "510 Command filtered\r\n", -1);
	faketor_answer(r.tor, "SETEVENTS HS_DESC STATUS", "510 Command filtered\r\n", -1);
	cr_assert(rig_up(&r), "%s", r.lost);
	cr_expect_str_eq(session_get_version(r.session), "0.4.9.11", "taken from PROTOCOLINFO");
	cr_expect(faketor_count(r.tor, "SETEVENTS HS_DESC") == 2);
	cr_expect(strstr(session_get_warning(r.session), "status events") != NULL);
	cr_expect(r.fit, "no answer is no evidence: %s", r.why);
	rig_fini(&r);

	rig_init(&r);
	faketor_answer(r.tor, "SETEVENTS", "552 Unrecognized event\r\n", -1);
	cr_assert(rig_up(&r), "%s", r.lost);
	cr_expect(faketor_count(r.tor, "SETEVENTS") == 2);
	cr_expect(strstr(session_get_warning(r.session), "all events") != NULL);
	rig_fini(&r);
}

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
	cr_expect(r.replies == sent && r.nulls >= 1, "%s: %u replies, %u unknown", text, r.replies, r.nulls);
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
	static const char *const answers[] = { "250-uptime=5\r\n250 OK\r\n552 And another thing\r\n", "250-uptime=5\r\n250 OK\r\n" };
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

	for (i = 0; i < 9000; i++)
		fprintf(fp, "250-uptime=%zu\r\n", i);
	fclose(fp);
	expect_loss(text, "not what tor says", 2000);
	free(text);
}

Test(tor_session, answers_come_in_order_with_events_between_them)
{
	static const char event[] = "650 HS_DESC UPLOADED " ADDRESS " UNKNOWN $0123456789ABCDEF0123456789ABCDEF01234567~x\r\n";
	char reply[512];
	struct rig r;
	int i, split;

	for (split = 0; split < 2; split++) {
		rig_init(&r);
		cr_assert(rig_up(&r));
		faketor_set_split(r.tor, split == 1);
		snprintf(reply, sizeof(reply), "%s250-uptime=5\r\n250 OK\r\n%s%s", event, event, event);
		faketor_answer(r.tor, "GETINFO uptime", reply, -1);
		for (i = 0; i < 5; i++)
			cr_expect(session_getinfo(r.session, i % 2 ? "version" : "uptime", rig_reply, &r, (uint64_t)('a' + i), NULL) == 0);
		cr_expect(rig_wait(&r, &r.replies, 5) && rig_wait(&r, &r.events, 9));
		cr_expect_str_eq(r.order, "abcde");
		cr_expect(r.event.kind == EVENT_HS_DESC && r.event.u.hs_desc.action == EVENT_DESC_UPLOADED &&
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
	faketor_answer(r.tor, "GETINFO network-liveness", "250-network-liveness=down\r\n250 OK\r\n", -1);
	faketor_send(r.tor, "650 NETWORK_LIVENESS DOWN\r\n");
	cr_assert(rig_wait(&r, &r.fits, 3));
	cr_expect(!r.fit && strcmp(r.why, "network is down") == 0, "%s", r.why);
	cr_expect(rig_wait_line(&r, "GETINFO status/circuit-established", asked + 1));
	rig_turn(&r);
	faketor_answer(r.tor, "GETINFO network-liveness", "250-network-liveness=up\r\n250 OK\r\n", -1);
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
		{ "250-onions/detached=\r\n250 OK\r\n", 0, "" },
		{ "250-onions/detached=" ADDRESS "\r\n250 OK\r\n", 1, ADDRESS },
		{ "250+onions/detached=\r\n" ADDRESS "\r\n" ADDRESS2 "\r\n.\r\n250 OK\r\n", 2, ADDRESS " " ADDRESS2 },
		{ "552 Unrecognized key\r\n", -1, "" },
		{ "250-onions/detached=abc\r\n250 OK\r\n", -1, "" },
		{ "250-onions/detached=" ADDRESS "q\r\n250 OK\r\n", -1, "" },
		{ "250+onions/detached=\r\n" ADDRESS "\r\n!\r\n.\r\n250 OK\r\n", -1, "" },
	};
	struct rig r;
	size_t i;

	rig_init(&r);
	cr_assert(rig_up(&r));
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		faketor_answer(r.tor, "GETINFO onions/detached", rows[i].reply, 1);
		cr_expect(session_detached(r.session, rig_detached, &r, NULL) == 0);
		cr_assert(rig_wait(&r, &r.replies, (unsigned)i + 1), "row %zu", i);
		cr_expect(r.detached == rows[i].n && strcmp(r.addresses, rows[i].want) == 0, "row %zu: %d %s", i, r.detached,
		    r.addresses);
	}
	faketor_answer(r.tor, "GETINFO onions/detached", FT_CLOSE, 1);
	cr_expect(session_detached(r.session, rig_detached, &r, NULL) == 0);
	cr_assert(rig_wait(&r, &r.replies, (unsigned)i + 1));
	cr_expect(r.detached == -1);
	rig_fini(&r);
}

Test(tor_session, sends_each_command_as_it_should_be)
{
	uint8_t key[64] = { 8 };
	struct command_add_onion add = { .key64 = key, .n_ports = 1 };
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
	cr_expect(faketor_count(r.tor, "DEL_ONION " ADDRESS) == 1 && faketor_count(r.tor, "HSFETCH " ADDRESS) == 1);
	cr_expect(faketor_count(r.tor, "CLOSECIRCUIT 17") == 1);
	/* What doesn't encode isn't sent. */
	cr_expect(session_del_onion(r.session, "x\r\nQUIT", rig_reply, &r, 'x', &e) == -1);
	cr_expect(session_getinfo(r.session, "a b", rig_reply, &r, 'x', NULL) == -1);
	rig_turn(&r);
	cr_expect(r.replies == 4 && faketor_count(r.tor, "QUIT") == 0 && session_get_state(r.session) == SESSION_UP);
	rig_fini(&r);
}

Test(tor_session, refuses_pow_from_a_tor_that_can_not_do_it_safely)
{
	uint8_t key[64] = { 8 };
	struct command_add_onion add = { .key64 = key, .n_ports = 1, .pow = true };
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
	static const char *const answers[] = { "250-uptime=5\r\n250 OK\r\n", FT_CLOSE, "junk\r\n" };
	size_t i;

	for (i = 0; i < 3; i++) {
		struct killer k = { 0 };
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
