/* SPDX-License-Identifier: BSD-3-Clause */
/* Streams: order of events, ends, limits, and freeing at any moment. */
#include "config.h"
#include "fixture.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const enum endpoint_kind kinds[] = { ENDPOINT_UNIX, ENDPOINT_INET };

Test(io_stream, connects_and_carries_bytes_both_ways)
{
	struct fixture f;
	struct record c;
	size_t i;

	for (i = 0; i < 2; i++) {
		fixture_up(&f, kinds[i], 1000);
		fixture_pair(&f, &c, 1000);
		stream_write(c.s, "hello", 5);
		cr_expect_eq(stream_pending(c.s), 5);
		cr_expect(wait_bytes(&f, &f.server, 5));
		stream_write(f.server.s, "a\0b", 3);
		cr_expect(wait_bytes(&f, &c, 3));
		cr_expect_eq(memcmp(c.data.data, "a\0b", 3), 0, "a NUL is a byte like others");
		cr_expect_str_eq(buf_str(&f.server.data), "hello");
		cr_expect_str_eq(c.events, "CRD");
		cr_expect_str_eq(f.server.events, "DR", "an accepted stream has no CONNECTED");
		cr_expect_eq(stream_error(c.s)->code, ERR_NONE);
		record_free(&c);
		fixture_down(&f);
	}
}

Test(io_stream, keeps_what_is_written_before_the_connection)
{
	struct fixture f;
	struct record c = { .data = BUF_INIT(100) };

	fixture_up(&f, ENDPOINT_UNIX, 1000);
	c.inside++;
	c.s = stream_connect(f.loop, &f.ep, 1000, record_cb, &c);
	stream_write(c.s, "early", 5);
	c.inside--;
	cr_expect(wait_bytes(&f, &f.server, 5));
	cr_expect_eq(c.events[0], 'C');
	record_free(&c);
	fixture_down(&f);
}

/* A missing unix socket fails inside connect(), a refused TCP port later; the owner sees no difference. */
Test(io_stream, tells_every_failure_to_connect_from_the_loop_and_once)
{
	struct fixture f;
	struct record c;
	struct endpoint ep;
	int fd;
	size_t i;

	for (i = 0; i < 3; i++) {
		fixture_up(&f, ENDPOINT_UNIX, 1000);
		memset(&c, 0, sizeof c);
		ep = unused_endpoint(&f, kinds[i % 2]);
		if (i == 2) { /* a plain file */
			fd = open(ep.path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
			cr_assert(fd >= 0);
			close(fd);
		}
		c.inside++;
		c.s = stream_connect(f.loop, &ep, 1000, record_cb, &c);
		stream_write(c.s, "x", 1);
		stream_write_secret(c.s, "x", 1);
		cr_expect_eq(stream_error(c.s)->code == ERR_NONE, ep.kind == ENDPOINT_INET);
		c.inside--;
		cr_expect(wait_event(&f, &c, 'X'));
		run_shortly(&f);
		cr_expect_str_eq(c.events, "X", "row %zu: %s", i, c.events);
		cr_expect_eq(stream_error(c.s)->code, ERR_SYS);
		cr_expect_eq(stream_error(c.s)->sys, i == 0 ? ENOENT : ECONNREFUSED, "row %zu", i);
		cr_expect(strstr(stream_error(c.s)->msg, i == 1 ? "127.0.0.1:" : "unix:/tmp/") != NULL);
		cr_expect_eq(stream_pending(c.s), 0);
		record_free(&c);
		if (i == 2)
			unlink(ep.path);
		fixture_down(&f);
	}
}

Test(io_stream, brings_many_lines_in_one_event)
{
	struct fixture f;
	struct record c;
	const char *p, *lf;
	size_t n;
	int lines = 0;

	fixture_up(&f, ENDPOINT_UNIX, 1000);
	fixture_pair(&f, &c, 1000);
	f.server.keep = true;
	stream_write(c.s, "one\ntwo\nthree\nrest", 18);
	cr_expect(wait_event(&f, &f.server, 'D'));
	while (p = stream_peek(f.server.s, &n), (lf = memchr(p, '\n', n)) != NULL) {
		stream_consume(f.server.s, (size_t)(lf - p) + 1);
		lines++;
	}
	cr_expect_eq(lines, 3);
	cr_expect(n == 4 && memcmp(p, "rest", 4) == 0);
	cr_expect_str_eq(f.server.events, "D");
	stream_consume(f.server.s, 1000);
	p = stream_peek(f.server.s, &n);
	cr_expect(p != NULL && n == 0, "more than all is all");
	record_free(&c);
	fixture_down(&f);
}

Test(io_stream, delivers_the_rest_before_the_end)
{
	struct fixture f;
	struct record c;
	size_t i;

	for (i = 0; i < 2; i++) {
		fixture_up(&f, kinds[i], 1000);
		fixture_pair(&f, &c, 1000);
		stream_write(c.s, "last words", 10);
		cr_expect(wait_event(&f, &c, 'R'));
		record_free(&c);
		cr_expect(wait_event(&f, &f.server, 'X'));
		run_shortly(&f);
		cr_expect_str_eq(f.server.events, "DX");
		cr_expect_str_eq(buf_str(&f.server.data), "last words");
		cr_expect_eq(stream_error(f.server.s)->code, ERR_CLOSED);
		fixture_down(&f);
	}
}

Test(io_stream, shows_unconsumed_bytes_after_the_end)
{
	struct fixture f;
	struct record c;
	size_t n;
	const char *p;

	fixture_up(&f, ENDPOINT_UNIX, 1000);
	fixture_pair(&f, &c, 1000);
	f.server.keep = true;
	stream_write(c.s, "half a li", 9);
	cr_expect(wait_event(&f, &c, 'R'));
	record_free(&c);
	cr_expect(wait_event(&f, &f.server, 'X'));
	p = stream_peek(f.server.s, &n);
	cr_expect(n == 9 && memcmp(p, "half a li", 9) == 0);
	stream_write(f.server.s, "nobody", 6);
	cr_expect_eq(stream_pending(f.server.s), 0, "nothing happens on a closed stream");
	stream_consume(f.server.s, 9);
	run_shortly(&f);
	cr_expect_str_eq(f.server.events, "DX");
	fixture_down(&f);
}

Test(io_stream, keeps_no_more_than_max_input_and_goes_on_when_it_is_taken)
{
	struct fixture f;
	struct record c;
	char text[100];
	size_t n;
	const char *p;

	memset(text, 'x', sizeof text);
	fixture_up(&f, ENDPOINT_UNIX, 16);
	fixture_pair(&f, &c, 1000);
	f.server.keep = true;
	stream_write(c.s, text, sizeof text);
	cr_expect(wait_event(&f, &c, 'R'));
	record_free(&c);
	cr_expect(wait_event(&f, &f.server, 'D'));
	run_shortly(&f);
	p = stream_peek(f.server.s, &n);
	cr_expect(n == 16 && p[15] == 'x', "%zu", n);
	cr_expect_str_eq(f.server.events, "D", "paused: neither data nor the end");
	/* Taken: all the rest comes, in pieces of at most 16, and then the end. */
	f.server.keep = false;
	stream_consume(f.server.s, 16);
	cr_expect(wait_event(&f, &f.server, 'X'));
	cr_expect_eq(f.server.data.len, 84);
	cr_expect_eq(record_count(&f.server, 'D'), 1 + 6);
	fixture_down(&f);
}

Test(io_stream, can_stop_and_resume_reading)
{
	struct fixture f;
	struct record c;

	fixture_up(&f, ENDPOINT_UNIX, 1000);
	fixture_pair(&f, &c, 1000);
	f.server.keep = true;
	stream_write(c.s, "abc", 3);
	cr_expect(wait_event(&f, &f.server, 'D'));
	stream_set_reading(f.server.s, false);
	stream_set_reading(f.server.s, false);
	stream_write(c.s, "def", 3);
	cr_expect(wait_event(&f, &c, 'R'));
	run_shortly(&f);
	cr_expect_str_eq(f.server.events, "D");
	/* Old bytes come again, from the loop, without new ones having to arrive. */
	f.server.keep = false;
	f.server.inside++;
	stream_set_reading(f.server.s, true);
	f.server.inside--;
	cr_expect(wait_bytes(&f, &f.server, 6));
	cr_expect_str_eq(buf_str(&f.server.data), "abcdef");
	/* On and off again before the loop runs: nothing comes. */
	stream_set_reading(f.server.s, false);
	stream_write(c.s, "ghi", 3);
	stream_set_reading(f.server.s, true);
	stream_set_reading(f.server.s, false);
	run_shortly(&f);
	cr_expect_eq(f.server.data.len, 6);
	stream_set_reading(f.server.s, true);
	cr_expect(wait_bytes(&f, &f.server, 9));
	record_free(&c);
	cr_expect(wait_event(&f, &f.server, 'X'));
	fixture_down(&f);
}

Test(io_stream, queues_without_limit_and_says_once_when_it_is_empty)
{
	struct fixture f;
	struct record c;
	size_t n = (size_t)2 << 20, i;
	char *big = malloc(n);

	cr_assert(big != NULL);
	for (i = 0; i < n; i++)
		big[i] = (char)(i * 7 + i / 251);
	fixture_up(&f, ENDPOINT_UNIX, 5000);
	fixture_pair(&f, &c, 1000);
	stream_set_reading(f.server.s, false);
	stream_write(c.s, big, n / 2);
	stream_write_secret(c.s, big + n / 2, 1000);
	stream_write(c.s, big + n / 2 + 1000, n - n / 2 - 1000);
	stream_write(c.s, big, 0);
	cr_expect_eq(stream_pending(c.s), n);
	run_shortly(&f);
	/* The peer does not read: what the kernel does not take, stays here. */
	cr_expect(stream_pending(c.s) > 0 && stream_pending(c.s) < n);
	cr_expect_str_eq(c.events, "C");
	stream_set_reading(f.server.s, true);
	cr_expect(wait_bytes(&f, &f.server, n));
	cr_expect_str_eq(c.events, "CR");
	cr_expect_eq(stream_pending(c.s), 0);
	cr_expect_eq(f.server.data.len, n);
	cr_expect_eq(memcmp(f.server.data.data, big, n), 0);
	free(big);
	record_free(&c);
	fixture_down(&f);
}

Test(io_stream, can_be_freed_in_each_of_its_events)
{
	static const struct { enum stream_event ev; const char *events; } rows[] = {
		{ STREAM_CONNECTED, "C" }, { STREAM_DRAINED, "CR" }, { STREAM_DATA, "CRD" }, { STREAM_CLOSED, "CRDX" },
	};
	struct fixture f;
	struct record c;
	size_t i;

	for (i = 0; i < 4; i++) {
		fixture_up(&f, ENDPOINT_UNIX, 1000);
		memset(&c, 0, sizeof c);
		c.data.max = 100;
		c.may_free = true;
		c.free_on = rows[i].ev;
		c.s = stream_connect(f.loop, &f.ep, 1000, record_cb, &c);
		if (i > 0) {
			stream_write(c.s, "ping", 4);
			cr_expect(wait_bytes(&f, &f.server, 4));
			stream_write(f.server.s, "pong", 4);
			if (i > 1)
				cr_expect(wait_event(&f, &f.server, 'R'));
			stream_free_after_drain(f.server.s, 1000);
			f.server.s = NULL;
		}
		if (c.s != NULL)
			cr_expect(wait_event(&f, &c, "CRDX"[i == 1 ? 1 : rows[i].ev]) || c.s == NULL);
		run_shortly(&f);
		cr_expect_eq(c.s, NULL);
		cr_expect_str_eq(c.events, rows[i].events, "row %zu: %s", i, c.events);
		record_free(&c);
		fixture_down(&f);
	}
}

static bool
one_has_data(void *arg)
{
	struct record **r = arg;

	return record_count(r[0], 'D') + record_count(r[1], 'D') > 0;
}

/* Both ends are ready in the same turn; the callback of the one frees the other. */
Test(io_stream, can_be_freed_in_the_callback_of_another)
{
	struct fixture f;
	struct record a, *both[2] = { &a, &f.server };

	fixture_up(&f, ENDPOINT_UNIX, 1000);
	fixture_pair(&f, &a, 1000);
	stream_set_reading(a.s, false);
	stream_set_reading(f.server.s, false);
	stream_write(a.s, "x", 1);
	stream_write(f.server.s, "y", 1);
	cr_expect(wait_event(&f, &a, 'R'));
	run_shortly(&f);
	stream_set_reading(a.s, true);
	stream_set_reading(f.server.s, true);
	a.also = &f.server.s;
	f.server.also = &a.s;
	cr_expect(loop_run_until(f.loop, one_has_data, both, WAIT_MS));
	run_shortly(&f);
	cr_expect_eq(record_count(&a, 'D') + record_count(&f.server, 'D'), 1);
	cr_expect((a.s == NULL) != (f.server.s == NULL));
	record_free(&a);
	fixture_down(&f);
}

Test(io_stream, knows_the_peer_of_a_unix_socket_only)
{
	struct fixture f;
	struct record c;
	size_t i;

	for (i = 0; i < 2; i++) {
		long uid = i == 0 ? (long)geteuid() : -1, gid = i == 0 ? (long)getegid() : -1;

		fixture_up(&f, kinds[i], 1000);
		memset(&c, 0, sizeof c);
		c.s = stream_connect(f.loop, &f.ep, 10, record_cb, &c);
		cr_expect_eq(stream_peer_uid(c.s), -1, "not connected yet");
		cr_expect(wait_event(&f, &c, 'C'));
		cr_expect_eq(stream_peer_uid(c.s), uid);
		cr_expect_eq(stream_peer_gid(c.s), gid);
		run_shortly(&f);
		cr_expect_eq(stream_peer_uid(f.server.s), uid);
		cr_expect_eq(stream_peer_gid(f.server.s), gid);
		record_free(&c);
		fixture_down(&f);
	}
}

/* One peer that floods us does not keep the others from being heard. */
Test(io_stream, gives_every_stream_its_turn)
{
	struct fixture f;
	struct record c, other = { .data = BUF_INIT(100) };
	struct stream *flooded;
	size_t n = (size_t)8 << 20;
	char *big = calloc(n, 1);

	cr_assert(big != NULL);
	fixture_up(&f, ENDPOINT_UNIX, 1 << 20);
	fixture_pair(&f, &c, 1000);
	flooded = f.server.s;
	other.s = stream_connect(f.loop, &f.ep, 1000, record_cb, &other);
	stream_write(c.s, big, n);
	/* The flooded one is not consumed from by record_cb once another is accepted: take it over here. */
	stream_set_cb(flooded, NULL, NULL);
	f.server.s = NULL;
	cr_expect(wait_event(&f, &other, 'C'));
	cr_expect_gt(stream_pending(c.s), 0, "the flood is still on");
	free(big);
	stream_free(flooded);
	record_free(&c);
	record_free(&other);
	fixture_down(&f);
}
