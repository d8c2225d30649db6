/* SPDX-License-Identifier: BSD-3-Clause */
/* From a connection to a session that is up: proof, refusal, versions, filters. */
#include "config.h"
#include "unit/tor/rig.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

Test(tor_handshake, proves_itself_by_safecookie_and_comes_up)
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
	cr_expect(strncmp(faketor_line(r.tor, 2), "AUTHENTICATE ", 13) == 0 &&
		  strlen(faketor_line(r.tor, 2)) == 77);
	cr_expect_str_eq(faketor_line(r.tor, 3), "GETINFO version");
	cr_expect_str_eq(faketor_line(r.tor, 4),
	    "SETEVENTS HS_DESC STATUS_CLIENT STATUS_GENERAL NETWORK_LIVENESS STREAM CIRC CIRC_MINOR");
	cr_expect_str_eq(faketor_line(r.tor, 5),
	    "SETEVENTS HS_DESC STATUS_CLIENT STATUS_GENERAL NETWORK_LIVENESS");
	cr_expect(r.losses == 0 && faketor_links(r.tor) == 1);
	rig_fini(&r);
}

Test(tor_handshake, does_not_mind_where_the_bytes_are_split)
{
	struct rig r;

	rig_init(&r);
	faketor_set_split(r.tor, true);
	cr_assert(rig_up(&r), "%s", r.lost);
	cr_expect(r.losses == 0 && r.fit);
	rig_fini(&r);
}

Test(tor_handshake, says_nothing_more_to_a_tor_that_does_not_know_the_cookie)
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

Test(tor_handshake, reads_the_cookie_anew_once_after_515)
{
	struct rig r;

	rig_init(&r);
	faketor_answer(r.tor, "AUTHENTICATE",
	    "515 Authentication failed: Safe cookie response did not match expected "
	    "value.\r\n" FT_CLOSE,
	    1);
	r.timing.backoff_min = r.timing.backoff_max = 60000;
	cr_assert(rig_up(&r), "%s", r.lost);
	cr_expect(faketor_links(r.tor) == 2 && faketor_count(r.tor, "AUTHENTICATE") == 2);
	cr_expect(r.losses == 0, "nobody is told of the first refusal: %s", r.lost);
	rig_fini(&r);
}

Test(tor_handshake, gives_up_for_a_while_after_the_second_515)
{
	struct rig r;

	rig_init(&r);
	faketor_answer(
	    r.tor, "AUTHENTICATE", "515 Authentication failed: Safe cookie\r\n" FT_CLOSE, -1);
	r.timing.backoff_min = r.timing.backoff_max = 60000;
	rig_start(&r);
	cr_assert(rig_wait(&r, &r.losses, 1));
	rig_turn(&r);
	cr_expect(
	    strstr(r.lost, "wrong cookie") != NULL && strstr(r.lost, "515") != NULL, "%s", r.lost);
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
	    "250-PROTOCOLINFO 1\r\n250-AUTH METHODS=%s\r\n250-VERSION Tor=\"0.4.9.11\"\r\n250 "
	    "OK\r\n",
	    methods);
	faketor_answer(r->tor, "PROTOCOLINFO", text, -1);
}

Test(tor_handshake, never_falls_back_to_the_plain_cookie)
{
	struct rig r;

	rig_init(&r);
	offer(&r, "COOKIE COOKIEFILE=\"/etc/passwd\"");
	expect_refusal(&r, "SAFECOOKIE", "AUTH");
	rig_fini(&r);
}

Test(tor_handshake, takes_no_authentication_only_when_allowed)
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

Test(tor_handshake, sends_a_password_only_where_one_is_asked_for)
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

Test(tor_handshake, a_wrong_password_is_called_so)
{
	struct rig r;
	char path[128];

	rig_init(&r);
	write_file(&r, "pw", "sesame\n", path, sizeof(path));
	r.cfg.cookie_file = NULL;
	r.cfg.password_file = path;
	offer(&r, "HASHEDPASSWORD");
	faketor_answer(r.tor, "AUTHENTICATE",
	    "515 Authentication failed: Password did not match\r\n" FT_CLOSE, -1);
	expect_refusal(&r, "wrong password", "GETINFO");
	cr_expect(faketor_links(r.tor) == 1 && strstr(r.lost, "sesame") == NULL);
	unlink(path);
	rig_fini(&r);
}

Test(tor_handshake, a_bad_cookie_file_is_named_and_nothing_is_sent)
{
	static const char *const text[] = {"short", ""};
	struct rig r;
	size_t i;

	for (i = 0; i < 2; i++) {
		rig_init(&r);
		unlink(faketor_cookie(r.tor));
		if (i == 0)
			cr_assert(mkfifo(faketor_cookie(r.tor), 0600) == 0);
		else
			cr_assert(
			    close(open(faketor_cookie(r.tor), O_WRONLY | O_CREAT, 0600)) == 0);
		expect_refusal(&r, faketor_cookie(r.tor), "AUTH");
		cr_expect(strstr(r.lost, "cookie") != NULL, "%s: %s", text[i], r.lost);
		rig_fini(&r);
	}
}

Test(tor_handshake, says_what_to_do_when_nothing_listens)
{
	struct rig r;

	rig_init(&r);
	faketor_set_down(r.tor, true);
	expect_refusal(&r, "nothing listens on unix:/", "");
	cr_expect(strstr(r.lost, "is tor running") != NULL);
	rig_fini(&r);
}

Test(tor_handshake, says_what_to_do_when_the_socket_is_not_ours_to_use)
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

Test(tor_handshake, refuses_a_tor_that_is_too_old_and_warns_of_an_old_one)
{
	static const struct {
		const char *version;
		bool up, pow;
		const char *text;
	} rows[] = {
	    {"0.4.6.12", false, false, "too old"},
	    {"0.4.7.1", true, false, "known faults"},
	    {"0.4.8.16", true, false, "known faults"},
	    {"0.4.9.9", true, true, "known faults"},
	    {"0.4.9.11 (git-0123456789abcdef)", true, true, ""},
	    {"0.5.0.1-alpha", true, true, ""},
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
			cr_expect(strstr(session_get_warning(r.session), rows[i].text) != NULL &&
				      (*rows[i].text != '\0') ==
					  (*session_get_warning(r.session) != '\0'),
			    "%s: %s", rows[i].version, session_get_warning(r.session));
			cr_expect(session_has_pow(r.session) == rows[i].pow, "%s", rows[i].version);
		} else {
			expect_refusal(&r, rows[i].text, "SETEVENTS");
		}
		rig_fini(&r);
	}
}

Test(tor_handshake, comes_up_behind_a_filter_that_refuses_what_it_can_do_without)
{
	struct rig r;

	rig_init(&r);
	faketor_answer(r.tor, "GETINFO", "510 Command filtered\r\n", -1);
	faketor_answer(r.tor, "GETCONF", "510 Command filtered\r\n", -1);
	faketor_answer(r.tor, "SETEVENTS HS_DESC STATUS", "510 Command filtered\r\n", -1);
	cr_assert(rig_up(&r), "%s", r.lost);
	cr_expect_str_eq(session_get_version(r.session), "0.4.9.11", "taken from PROTOCOLINFO");
	cr_expect(faketor_count(r.tor, "SETEVENTS HS_DESC") == 3);
	cr_expect(strstr(session_get_warning(r.session), "status events") != NULL);
	cr_expect(strstr(session_get_warning(r.session), "ExtendedErrors") != NULL);
	cr_expect(r.fit, "no answer is no evidence: %s", r.why);
	session_watch(r.session);
	session_unwatch(r.session);
	rig_turn(&r);
	cr_expect(faketor_count(r.tor, "SETEVENTS") == 3, "what is refused is not asked for again");
	rig_fini(&r);

	rig_init(&r);
	faketor_answer(r.tor, "SETEVENTS", "552 Unrecognized event\r\n", -1);
	cr_assert(rig_up(&r), "%s", r.lost);
	cr_expect(faketor_count(r.tor, "SETEVENTS") == 3);
	cr_expect(strstr(session_get_warning(r.session), "all events") != NULL);
	rig_fini(&r);

	rig_init(&r);
	faketor_answer(r.tor, "SETEVENTS HS_DESC STATUS_CLIENT STATUS_GENERAL NETWORK_LIVENESS STREAM", "552 Unrecognized event\r\n", -1);
	cr_assert(rig_up(&r), "%s", r.lost);
	cr_expect(faketor_count(r.tor, "SETEVENTS") == 2);
	cr_expect(strncmp(session_get_warning(r.session), "a filter keeps STREAM, CIRC and CIRC_MINOR", 42) == 0, "%s",
	    session_get_warning(r.session));
	rig_fini(&r);
}

