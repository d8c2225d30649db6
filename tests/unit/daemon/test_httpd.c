/* SPDX-License-Identifier: BSD-3-Clause */
/* The HTTP server by itself: whole answers to slow readers, bounds, and who is cut. */
#include "config.h"
#include "daemon/httpd.h"

#include "base/clock.h"
#include "base/mem.h"
#include "io/stream.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BIG ((size_t)3 * 1024 * 1024)
#define GET "GET /big HTTP/1.0\r\n\r\n"

static char dir[64], *big;
static struct loop *loop;
static struct httpd *httpd;
static struct endpoint ep[2];
static struct httpd_limits limits;
static unsigned held, asked;

static void
release(void *hold)
{
	cr_assert_eq(hold, &held);
	held--;
}

static void
on_request(void *arg, uint64_t id, const struct http_request *rq, int status, struct httpd_answer *a)
{
	(void)arg;
	asked++;
	a->head.status = rq != NULL ? 200 : status;
	a->head.policy = id == 1 ? "one" : "two";
	a->body = big;
	a->head.length = rq != NULL ? BIG : 3;
	a->hold = &held;
	a->release = release;
	held++;
}

static void
setup(void)
{
	struct err e = ERR_INIT;
	size_t i;

	snprintf(dir, sizeof dir, "/tmp/om-httpd-XXXXXX");
	cr_assert_not_null(mkdtemp(dir));
	big = xcalloc(1, BIG);
	for (i = 0; i < BIG; i++)
		big[i] = (char)('a' + i / 1000 % 26);
	loop = loop_new(&e);
	limits = httpd_limits;
	httpd = httpd_new(loop, &limits, on_request, NULL);
	for (i = 0; i < 2; i++) {
		ep[i].kind = ENDPOINT_UNIX;
		snprintf(ep[i].path, sizeof ep[i].path, "%s/%zu", dir, i + 1);
		cr_assert_eq(httpd_listen(httpd, i + 1, &ep[i], 0600, &e), 0, "%s", e.msg);
	}
}

static void
teardown(void)
{
	httpd_free(httpd);
	loop_free(loop);
	cr_expect_eq(held, 0, "every answer was released");
	cr_expect_eq(rmdir(dir), 0, "no socket is left");
	free(big);
}

TestSuite(daemon_httpd, .init = setup, .fini = teardown);

struct visitor {
	struct stream *s;
	size_t got, taken; /* bytes of the answer; taken: how many it takes off at once, 0: all */
	char head[600];
	bool closed, wrong;
};

static void
on_visitor(struct stream *s, enum stream_event ev, void *arg)
{
	struct visitor *v = arg;
	const char *p, *body = strstr(v->head, "\r\n\r\n");
	size_t n, i, start;

	if (ev == STREAM_CLOSED)
		v->closed = true;
	if (ev != STREAM_DATA)
		return;
	p = stream_peek(s, &n);
	for (i = 0; i < n && body == NULL && v->got + i + 1 < sizeof v->head; i++) {
		v->head[v->got + i] = p[i];
		body = strstr(v->head, "\r\n\r\n");
	}
	start = body != NULL ? (size_t)(body + 4 - v->head) : SIZE_MAX;
	for (; i < n; i++)
		v->wrong = v->wrong || p[i] != big[v->got + i - start];
	v->got += n;
	stream_consume(s, n);
}

static void
visit(struct visitor *v, unsigned which, const char *request)
{
	memset(v, 0, sizeof *v);
	v->s = stream_connect(loop, &ep[which], 65536, on_visitor, v);
	stream_write(v->s, request, strlen(request));
}

static bool
is_closed(void *arg)
{
	return ((struct visitor *)arg)->closed;
}

static size_t
body_length(const struct visitor *v)
{
	const char *body = strstr(v->head, "\r\n\r\n");

	return body != NULL ? v->got - (size_t)(body + 4 - v->head) : 0;
}

Test(daemon_httpd, a_big_answer_comes_whole_and_then_the_end)
{
	struct visitor v;

	visit(&v, 0, GET);
	cr_assert(loop_run_until(loop, is_closed, &v, 20000));
	cr_expect_eq(body_length(&v), BIG);
	cr_expect_not(v.wrong);
	cr_expect_not_null(strstr(v.head, "Content-Security-Policy: one\r\n"));
	stream_free(v.s);
	visit(&v, 1, "HEAD /big HTTP/1.0\r\n\r\n");
	cr_assert(loop_run_until(loop, is_closed, &v, 20000));
	cr_expect_eq(body_length(&v), 0);
	cr_expect_not_null(strstr(v.head, "Content-Length: 3145728\r\n"));
	cr_expect_not_null(strstr(v.head, "Content-Security-Policy: two\r\n"), "the socket says who was asked");
	stream_free(v.s);
}

Test(daemon_httpd, a_request_that_does_not_come_whole_is_cut_in_time)
{
	struct visitor v;
	int64_t began = clock_mono_ms();

	limits.request_ms = 50;
	visit(&v, 0, "GET /big HTTP/1.0\r\n");
	cr_assert(loop_run_until(loop, is_closed, &v, 20000));
	cr_expect_geq(clock_mono_ms() - began, 50);
	cr_expect_eq(v.got + asked, 0);
	stream_free(v.s);
}

/* Reads nothing: the kernel's buffers fill up. */
static void
stop_reading(struct visitor *v)
{
	stream_set_reading(v->s, false);
}

static bool
is_held(void *arg)
{
	(void)arg;
	return held == 1;
}

static bool
is_free(void *arg)
{
	(void)arg;
	return held == 0;
}

/* A reader that stops, while one of the limits is 50 ms. */
static void
expect_cut(int64_t *limit)
{
	struct visitor v;

	*limit = 50;
	visit(&v, 0, GET);
	stop_reading(&v);
	cr_assert(loop_run_until(loop, is_held, NULL, 20000));
	cr_assert(loop_run_until(loop, is_free, NULL, 20000));
	stream_free(v.s);
}

Test(daemon_httpd, a_reader_that_stops_is_cut_in_time)
{
	expect_cut(&limits.piece_ms);
}

Test(daemon_httpd, the_whole_answer_has_an_end_too)
{
	expect_cut(&limits.answer_ms);
}

Test(daemon_httpd, a_reader_who_leaves_frees_what_he_held)
{
	struct visitor v;

	visit(&v, 0, GET);
	stop_reading(&v);
	cr_assert(loop_run_until(loop, is_held, NULL, 20000));
	stream_free(v.s);
	cr_assert(loop_run_until(loop, is_free, NULL, 20000));
}

Test(daemon_httpd, what_follows_a_request_is_not_answered)
{
	struct visitor v;

	visit(&v, 0, GET GET "POST x");
	cr_assert(loop_run_until(loop, is_closed, &v, 20000));
	cr_expect_eq(body_length(&v), BIG);
	cr_expect_eq(asked, 1);
	stream_free(v.s);
}

Test(daemon_httpd, the_oldest_of_a_full_socket_is_cut_and_others_are_left_alone)
{
	struct visitor v[5];
	size_t i;

	limits.per_socket = 3;
	visit(&v[0], 1, "");
	for (i = 1; i < 5; i++)
		visit(&v[i], 0, "");
	cr_assert(loop_run_until(loop, is_closed, &v[1], 20000));
	for (i = 0; i < 5; i++)
		cr_expect_eq(v[i].closed, i == 1, "%zu", i);
	for (i = 0; i < 5; i++)
		stream_free(v[i].s);
}

Test(daemon_httpd, the_oldest_of_all_is_cut_when_all_is_full)
{
	struct visitor v[4] = { 0 };
	size_t i;

	limits.all = 3;
	for (i = 0; i < 4; i++) {
		visit(&v[i], i == 0, "");
		cr_assert_not(loop_run_until(loop, is_closed, &v[3], 20), "in this order");
	}
	cr_assert(loop_run_until(loop, is_closed, &v[0], 20000));
	for (i = 1; i < 4; i++)
		cr_expect_not(v[i].closed, "%zu", i);
	for (i = 0; i < 4; i++)
		stream_free(v[i].s);
}

Test(daemon_httpd, a_socket_that_ends_takes_its_connections_with_it)
{
	struct visitor v[2];
	size_t i;

	for (i = 0; i < 2; i++) {
		visit(&v[i], (unsigned)i, GET);
		stop_reading(&v[i]);
	}
	cr_assert_not(loop_run_until(loop, is_closed, &v[0], 50));
	cr_expect_eq(held, 2);
	httpd_unlisten(httpd, 1);
	httpd_unlisten(httpd, 77);
	cr_expect_eq(held, 1);
	cr_expect(!httpd_listens(httpd, 1) && httpd_listens(httpd, 2));
	cr_expect_neq(access(ep[0].path, F_OK), 0);
	for (i = 0; i < 2; i++)
		stream_free(v[i].s);
}
