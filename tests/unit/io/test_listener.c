/* SPDX-License-Identifier: BSD-3-Clause */
/* Listeners: the socket file, who owns it, and what happens when descriptors run out. */
#include "config.h"
#include "fixture.h"

#include "base/clock.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static void
on_nobody(struct stream *s, void *arg)
{
	(void)arg;
	stream_free(s);
}

static struct listener *
listen_at(struct fixture *f, const struct endpoint *ep, mode_t mode, struct err *e)
{
	err_clear(e);
	return listener_new(f->loop, ep, mode, 100, on_nobody, NULL, e);
}

/* A socket file as a killed process leaves it. */
static void
leave_stale(const struct endpoint *ep)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memcpy(sun.sun_path, ep->path, sizeof sun.sun_path);
	cr_assert(fd >= 0 && bind(fd, (struct sockaddr *)&sun, sizeof sun) == 0);
	close(fd);
}

Test(io_listener, makes_the_file_with_exactly_the_mode)
{
	static const mode_t modes[] = { 0600, 0660, 0666, 0 };
	static const mode_t masks[] = { 022, 0, 077, 0777 };
	struct fixture f;
	struct endpoint ep;
	struct err e;
	struct stat st;
	size_t i;

	fixture_up(&f, ENDPOINT_UNIX, 100);
	for (i = 0; i < 4; i++) {
		mode_t old = umask(masks[i]);
		struct listener *ls;

		ep = unused_endpoint(&f, ENDPOINT_UNIX);
		ls = listen_at(&f, &ep, modes[i], &e);
		cr_expect(ls != NULL, "%s", e.msg);
		cr_expect_eq(umask(old), masks[i], "the umask is put back");
		cr_expect(lstat(ep.path, &st) == 0 && S_ISSOCK(st.st_mode));
		cr_expect_eq(st.st_mode & 07777, modes[i], "%04o", (unsigned)st.st_mode);
		listener_free(ls);
		cr_expect(lstat(ep.path, &st) != 0 && errno == ENOENT, "removed when it ends");
	}
	fixture_down(&f);
}

Test(io_listener, replaces_a_socket_only_when_nobody_answers)
{
	struct fixture f;
	struct endpoint ep;
	struct listener *ls;
	struct err e;
	int fd;

	fixture_up(&f, ENDPOINT_UNIX, 100);
	cr_expect_eq(listen_at(&f, &f.ep, 0600, &e), NULL, "somebody answers");
	cr_expect_eq(e.code, ERR_SYS);
	cr_expect(strstr(e.msg, f.ep.path) != NULL, "%s", e.msg);
	fd = raw_connect(&f.ep); /* it is as it was */
	close(fd);
	ep = unused_endpoint(&f, ENDPOINT_UNIX);
	leave_stale(&ep);
	ls = listen_at(&f, &ep, 0600, &e);
	cr_expect(ls != NULL, "%s", e.msg);
	close(raw_connect(&ep));
	listener_free(ls);
	fixture_down(&f);
}

Test(io_listener, a_full_queue_is_somebody_too)
{
	struct fixture f;
	struct endpoint ep;
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	struct err e;
	int fd, one;

	fixture_up(&f, ENDPOINT_UNIX, 100);
	ep = unused_endpoint(&f, ENDPOINT_UNIX);
	memcpy(sun.sun_path, ep.path, sizeof sun.sun_path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	cr_assert(fd >= 0 && bind(fd, (struct sockaddr *)&sun, sizeof sun) == 0 && listen(fd, 0) == 0);
	one = raw_connect(&ep);
	cr_expect_eq(listen_at(&f, &ep, 0600, &e), NULL);
	cr_expect_eq(access(ep.path, F_OK), 0, "still there");
	close(one);
	close(fd);
	unlink(ep.path);
	fixture_down(&f);
}

Test(io_listener, refuses_any_other_file)
{
	struct fixture f;
	struct endpoint ep, real;
	struct stat st;
	struct err e;
	int kind;

	fixture_up(&f, ENDPOINT_UNIX, 100);
	for (kind = 0; kind < 4; kind++) {
		ep = unused_endpoint(&f, ENDPOINT_UNIX);
		real = unused_endpoint(&f, ENDPOINT_UNIX);
		if (kind == 0)
			cr_assert_eq(close(open(ep.path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600)), 0);
		else if (kind == 1)
			cr_assert_eq(mkdir(ep.path, 0700), 0);
		else if (kind == 2)
			cr_assert_eq(mkfifo(ep.path, 0600), 0);
		else
			cr_assert_eq(symlink(real.path, ep.path), 0);
		cr_expect_eq(listen_at(&f, &ep, 0600, &e), NULL, "kind %d", kind);
		cr_expect_eq(e.code, ERR_SYS);
		cr_expect_eq(lstat(ep.path, &st), 0, "left alone");
		cr_expect(lstat(real.path, &st) != 0, "nothing made through a link");
		cr_expect_eq(remove(ep.path), 0);
	}
	fixture_down(&f);
}

Test(io_listener, says_why_it_cannot_listen)
{
	struct fixture f;
	struct endpoint ep = { .kind = ENDPOINT_UNIX, .path = "/nonexistent/folder/socket" };
	struct err e;

	fixture_up(&f, ENDPOINT_INET, 100);
	cr_expect_eq(listen_at(&f, &ep, 0600, &e), NULL);
	cr_expect(e.code == ERR_SYS && e.sys == ENOENT && strstr(e.msg, ep.path) != NULL, "%s", e.msg);
	cr_expect_eq(listen_at(&f, &f.ep, 0600, &e), NULL, "the port is taken");
	cr_expect(e.code == ERR_SYS && e.sys == EADDRINUSE && strstr(e.msg, "127.0.0.1:") != NULL, "%s", e.msg);
	fixture_down(&f);
}

/* The longest path fits: 107 characters. */
Test(io_listener, takes_a_path_of_the_greatest_length)
{
	struct fixture f;
	struct endpoint ep;
	struct listener *ls;
	struct err e;
	size_t n;

	fixture_up(&f, ENDPOINT_UNIX, 100);
	ep = unused_endpoint(&f, ENDPOINT_UNIX);
	n = strlen(ep.path);
	memset(ep.path + n, 'x', ENDPOINT_PATH_MAX - n);
	cr_assert_eq(strlen(ep.path), ENDPOINT_PATH_MAX);
	ls = listen_at(&f, &ep, 0600, &e);
	cr_expect(ls != NULL, "%s", e.msg);
	close(raw_connect(&ep));
	listener_free(ls);
	fixture_down(&f);
}

Test(io_listener, does_not_remove_the_file_of_its_successor)
{
	struct fixture f;
	struct endpoint ep;
	struct listener *first, *second;
	struct err e;

	fixture_up(&f, ENDPOINT_UNIX, 100);
	ep = unused_endpoint(&f, ENDPOINT_UNIX);
	first = listen_at(&f, &ep, 0600, &e);
	unlink(ep.path);
	second = listen_at(&f, &ep, 0600, &e);
	cr_assert(first != NULL && second != NULL);
	listener_free(first);
	close(raw_connect(&ep));
	listener_free(second);
	cr_expect_neq(access(ep.path, F_OK), 0);
	listener_free(NULL);
	fixture_down(&f);
}

static void
free_listener(struct stream *s, void *arg)
{
	struct listener **ls = arg;

	stream_free(s);
	listener_free(*ls);
	*ls = NULL;
}

static bool
is_null(void *arg)
{
	return *(void **)arg == NULL;
}

Test(io_listener, can_be_freed_when_it_accepts)
{
	struct fixture f;
	struct endpoint ep;
	struct listener *ls;
	struct err e = ERR_INIT;
	int a, b;

	fixture_up(&f, ENDPOINT_UNIX, 100);
	ep = unused_endpoint(&f, ENDPOINT_INET6);
	ls = listener_new(f.loop, &ep, 0, 100, free_listener, &ls, &e);
	cr_assert(ls != NULL, "%s", e.msg);
	a = raw_connect(&ep);
	b = raw_connect(&ep);
	cr_expect(loop_run_until(f.loop, is_null, &ls, WAIT_MS));
	close(a);
	close(b);
	fixture_down(&f);
}

static bool
count_turns(void *arg)
{
	++*(int *)arg;
	return false;
}

static bool
two_accepted(void *arg)
{
	return ((struct fixture *)arg)->accepted >= 2;
}

/* A listener that is ready for ever and can't accept would spin: it looks away instead, and comes back. */
Test(io_listener, pauses_when_descriptors_run_out)
{
	struct fixture f;
	struct rlimit old, tight;
	int a, b, turns = 0, lowest;
	int64_t start;

	fixture_up(&f, ENDPOINT_UNIX, 100);
	a = raw_connect(&f.ep);
	b = raw_connect(&f.ep);
	cr_assert_eq(getrlimit(RLIMIT_NOFILE, &old), 0);
	lowest = dup(a);
	close(lowest);
	tight = old;
	tight.rlim_cur = (rlim_t)lowest;
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &tight), 0);
	start = clock_mono_ms();
	loop_run_until(f.loop, count_turns, &turns, 100);
	cr_expect_eq(f.accepted, 0);
	cr_expect_lt(turns, 20, "%d turns in 100 ms", turns);
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &old), 0);
	cr_expect(loop_run_until(f.loop, two_accepted, &f, WAIT_MS), "both are accepted in the end");
	cr_expect_geq(clock_mono_ms() - start, 1000);
	close(a);
	close(b);
	fixture_down(&f);
}

Test(io_listener, can_be_freed_while_it_pauses)
{
	struct fixture f;
	struct rlimit old, tight;
	int a, lowest;

	fixture_up(&f, ENDPOINT_UNIX, 100);
	a = raw_connect(&f.ep);
	cr_assert_eq(getrlimit(RLIMIT_NOFILE, &old), 0);
	lowest = dup(a);
	close(lowest);
	tight = old;
	tight.rlim_cur = (rlim_t)lowest;
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &tight), 0);
	run_shortly(&f);
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &old), 0);
	cr_expect_eq(f.accepted, 0);
	close(a);
	fixture_down(&f);
}
