/* SPDX-License-Identifier: BSD-3-Clause */
/* How streams end: draining, peers that went away, teardown in every state; and what secrets leave behind. */
#include "config.h"
#include "fixture.h"

#include "base/mem.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BIG ((size_t)4 << 20)

/* Accepts a raw client: a peer that does only what a test says. */
static int
raw_pair(struct fixture *f)
{
	int fd = raw_connect(&f->ep);

	while (f->server.s == NULL)
		run_shortly(f);
	return fd;
}

static size_t
raw_read_all(struct fixture *f, int fd)
{
	char part[65536];
	size_t total = 0;
	ssize_t n;

	fcntl(fd, F_SETFL, O_NONBLOCK);
	for (;;) {
		n = read(fd, part, sizeof part);
		if (n > 0)
			total += (size_t)n;
		else if (n < 0 && errno == EAGAIN)
			run_shortly(f);
		else
			return n == 0 ? total : SIZE_MAX;
	}
}

Test(io_stream, free_after_drain_sends_everything, .timeout = 60)
{
	static const enum endpoint_kind kinds[] = { ENDPOINT_UNIX, ENDPOINT_INET };
	struct fixture f;
	char *big = calloc(BIG, 1);
	size_t i;
	int fd;

	cr_assert(big != NULL);
	for (i = 0; i < 2; i++) {
		fixture_up(&f, kinds[i], 1000);
		fd = raw_pair(&f);
		stream_write(f.server.s, big, BIG);
		f.server.inside++; /* for ever: no callback may come any more */
		stream_free_after_drain(f.server.s, WAIT_MS);
		f.server.s = NULL;
		cr_expect_eq(raw_read_all(&f, fd), BIG);
		close(fd);
		fixture_down(&f);
	}
	free(big);
}

/* Closing over unread input is a reset on TCP, which destroys what was sent but not yet read. */
Test(io_stream, free_after_drain_is_no_reset_when_input_is_unread, .timeout = 60)
{
	struct fixture f;
	int fd;

	fixture_up(&f, ENDPOINT_INET, 4);
	fd = raw_pair(&f);
	f.server.keep = true;
	cr_assert_eq(write(fd, "much more than four", 19), 19);
	cr_expect(wait_event(&f, &f.server, 'D'));
	stream_write(f.server.s, "line too long", 13);
	stream_free_after_drain(f.server.s, 1000);
	f.server.s = NULL;
	run_shortly(&f);
	cr_expect_eq(raw_read_all(&f, fd), 13);
	close(fd);
	fixture_down(&f);
}

Test(io_stream, free_after_drain_gives_up_at_its_deadline, .timeout = 60)
{
	struct fixture f;
	char *big = calloc(BIG, 1);
	size_t got;
	int fd, fds;

	cr_assert(big != NULL);
	fixture_up(&f, ENDPOINT_UNIX, 1000);
	fd = raw_pair(&f);
	fds = count_fds();
	stream_write(f.server.s, big, BIG);
	stream_free_after_drain(f.server.s, 20);
	f.server.s = NULL;
	cr_expect_eq(count_fds(), fds, "still sending");
	while (count_fds() == fds)
		run_shortly(&f);
	got = raw_read_all(&f, fd);
	cr_expect(got > 0 && got < BIG, "%zu", got);
	close(fd);
	free(big);
	fixture_down(&f);
}

Test(io_stream, free_after_drain_ends_when_the_peer_went_away_or_nothing_is_pending, .timeout = 60)
{
	struct fixture f;
	char *big = calloc(BIG, 1);
	int fd, fds;

	cr_assert(big != NULL);
	fixture_up(&f, ENDPOINT_UNIX, 1000);
	fds = count_fds();
	fd = raw_pair(&f);
	stream_free_after_drain(f.server.s, WAIT_MS);
	f.server.s = NULL;
	cr_expect_eq(count_fds(), fds + 1, "nothing to send: closed at once");
	close(fd);
	fd = raw_pair(&f);
	stream_write(f.server.s, big, BIG);
	stream_free_after_drain(f.server.s, WAIT_MS);
	f.server.s = NULL;
	run_shortly(&f);
	close(fd);
	run_shortly(&f);
	cr_expect_eq(count_fds(), fds);
	stream_free_after_drain(NULL, 1);
	stream_free(NULL);
	free(big);
	fixture_down(&f);
}

Test(io_stream, plain_free_drops_what_is_pending_and_closes_at_once, .timeout = 60)
{
	struct fixture f;
	int fd, fds;

	fixture_up(&f, ENDPOINT_UNIX, 1000);
	fd = raw_pair(&f);
	fds = count_fds();
	stream_write(f.server.s, "never", 5);
	stream_free(f.server.s);
	f.server.s = NULL;
	cr_expect_eq(count_fds(), fds - 1, "the descriptor is closed when the call returns");
	cr_expect_eq(raw_read_all(&f, fd), 0);
	close(fd);
	fixture_down(&f);
}

Test(io_stream, a_peer_that_went_away_is_an_event_and_not_a_signal)
{
	struct fixture f;
	struct record c;

	fixture_up(&f, ENDPOINT_UNIX, 1000);
	/* As in a program that did not ignore it (the library's user). */
	signal(SIGPIPE, SIG_DFL);
	fixture_pair(&f, &c, 1000);
	stream_set_reading(c.s, false);
	stream_free(f.server.s);
	f.server.s = NULL;
	stream_write(c.s, "into the void", 13);
	cr_expect(wait_event(&f, &c, 'X'));
	cr_expect_str_eq(c.events, "CX");
	cr_expect_eq(stream_error(c.s)->code, ERR_SYS);
	cr_expect_eq(stream_error(c.s)->sys, EPIPE);
	record_free(&c);
	fixture_down(&f);
}

/* The server says why and closes, while we are still talking: the reason must not be lost. */
Test(io_stream, what_the_peer_said_before_it_went_away_is_heard)
{
	struct fixture f;
	struct record c;
	int turns;

	for (turns = 0; turns < 4; turns++) {
		fixture_up(&f, ENDPOINT_UNIX, 1000);
		fixture_pair(&f, &c, turns == 3 ? 4 : 1000);
		stream_write(f.server.s, "515 no\r\n", 8);
		stream_free_after_drain(f.server.s, 1000);
		f.server.s = NULL;
		stream_set_reading(c.s, false);
		run_shortly(&f);
		stream_set_reading(c.s, turns != 2);
		stream_write(c.s, "more", 4);
		if (turns == 1)
			stream_write(c.s, "more", 4);
		cr_expect(wait_event(&f, &c, 'X'));
		cr_expect_str_eq(buf_str(&c.data), turns == 2 ? "" : "515 no\r\n", "row %d", turns);
		cr_expect_str_eq(c.events, turns == 2 ? "CX" : turns == 3 ? "CDDX" : "CDX");
		record_free(&c);
		fixture_down(&f);
	}
}

Test(io_stream, loop_free_cuts_off_what_still_drains)
{
	struct fixture f;
	char *big = calloc(BIG, 1);
	int fd;

	cr_assert(big != NULL);
	fixture_up(&f, ENDPOINT_UNIX, 1000);
	fd = raw_pair(&f);
	stream_write(f.server.s, big, BIG);
	stream_write_secret(f.server.s, big, 100);
	stream_free_after_drain(f.server.s, WAIT_MS);
	f.server.s = NULL;
	run_shortly(&f);
	close(fd);
	free(big);
	fixture_down(&f);
}

/* Listener, streams, timers, signals, loop: in that order, whatever the streams are doing. */
Test(io_stream, teardown_works_in_every_state)
{
	struct fixture f;
	struct record never = { 0 }, failed = { 0 }, open, ended;
	struct endpoint nobody;
	struct timer *t;
	struct signal_watch *w;

	fixture_up(&f, ENDPOINT_UNIX, 1000);
	nobody = unused_endpoint(&f, ENDPOINT_UNIX);
	t = timer_new(f.loop, (void (*)(void *))abort, NULL);
	w = signal_watch_new(f.loop, SIGUSR1, (void (*)(int, void *))abort, NULL);
	fixture_pair(&f, &ended, 1000);
	ended.keep = true;
	stream_write(f.server.s, "unread", 6);
	stream_free_after_drain(f.server.s, 1000);
	f.server.s = NULL;
	timer_set(t, 600000);
	cr_expect(wait_event(&f, &ended, 'X'));
	fixture_pair(&f, &open, 1000);
	stream_write_secret(open.s, "pending", 7);
	never.s = stream_connect(f.loop, &f.ep, 1000, record_cb, &never);
	stream_write(never.s, "pending", 7);
	failed.s = stream_connect(f.loop, &nobody, 1000, record_cb, &failed);
	timer_set(t, 0);
	raise(SIGUSR1);
	listener_free(f.ls);
	f.ls = NULL;
	record_free(&never);
	record_free(&failed);
	record_free(&open);
	record_free(&ended);
	timer_free(t);
	signal_watch_free(w);
	fixture_down(&f);
	cr_expect_str_eq(never.events, "");
	cr_expect_str_eq(failed.events, "");
}

/* Byte i of the secret; it is nowhere in memory in one piece unless something copied it there. */
static unsigned char
secret_byte(unsigned seed, size_t i)
{
	return (unsigned char)((seed + 1) * 2654435761u * (i + 3) >> 13);
}

static bool
is_secret(const unsigned char *p, unsigned seed)
{
	size_t i;

	for (i = 0; i < 32; i++)
		if (p[i] != secret_byte(seed, i))
			return false;
	return true;
}

static int
count_in(int mem, unsigned long lo, unsigned long hi, unsigned seed)
{
	static unsigned char part[65536 + 32];
	unsigned long at;
	int found = 0;
	ssize_t n, i;

	for (at = lo; at < hi; at += 65536) {
		n = pread(mem, part, hi - at < sizeof part ? hi - at : sizeof part, (off_t)at);
		for (i = 0; i + 32 <= n && i < 65536; i++)
			found += is_secret(part + i, seed);
		mem_wipe(part, sizeof part);
	}
	return found;
}

/* How often the secret stands in our writable memory. */
static int
count_copies(unsigned seed)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	int mem = open("/proc/self/mem", O_RDONLY | O_CLOEXEC), found = 0;
	char line[512], perm[8];
	unsigned long lo, hi;

	cr_assert(maps != NULL && mem >= 0);
	while (fgets(line, sizeof line, maps) != NULL)
		/* Larger ones are address space that a sanitizer keeps, not memory. */
		if (sscanf(line, "%lx-%lx %7s", &lo, &hi, perm) == 3 && perm[1] == 'w' && hi - lo < (64ul << 20))
			found += count_in(mem, lo, hi, seed);
	fclose(maps);
	close(mem);
	return found;
}

/* A secret in secret memory, gone when the function returns. */
static void
write_secret(struct stream *s, unsigned seed, bool as_secret)
{
	unsigned char *p = secret_alloc(32);
	size_t i;

	cr_assert(p != NULL);
	for (i = 0; i < 32; i++)
		p[i] = secret_byte(seed, i);
	if (as_secret)
		stream_write_secret(s, p, 32);
	else
		stream_write(s, p, 32);
	secret_free(p);
}

Test(io_stream, a_secret_leaves_no_copy, .timeout = 60)
{
	struct fixture f;
	struct record c;
	const char *p;
	size_t n;

	fixture_up(&f, ENDPOINT_UNIX, 1000);
	fixture_pair(&f, &c, 1000);
	f.server.keep = true;
	write_secret(c.s, 0, false);
	write_secret(c.s, 1, true);
	cr_expect_eq(count_copies(0), 1, "the search finds what waits in the queue");
	cr_expect_eq(count_copies(1), 1);
	cr_expect(wait_event(&f, &c, 'R'));
	cr_expect(wait_event(&f, &f.server, 'D'));
	cr_expect_eq(count_copies(1), 1, "only what the other end has read");
	p = stream_peek(f.server.s, &n);
	cr_expect(n == 64 && is_secret((const unsigned char *)p + 32, 1));
	stream_consume(f.server.s, 64);
	cr_expect_eq(count_copies(1), 0, "wiped when sent, and when consumed");
	/* Dropped unsent, and unread. */
	write_secret(f.server.s, 2, true);
	cr_expect(wait_event(&f, &c, 'D'));
	buf_free(&c.data);
	write_secret(f.server.s, 3, true);
	record_free(&c);
	stream_free(f.server.s);
	f.server.s = NULL;
	cr_expect_eq(count_copies(3), 0);
	fixture_down(&f);
}
