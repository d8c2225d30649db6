/* SPDX-License-Identifier: BSD-3-Clause */
/* Sockets from the service manager: which are ours, and which are refused. */
#include "config.h"
#include "fixture.h"
#include "io/passed.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static void
pass(const char *n, const char *names, long pid)
{
	char text[32];

	snprintf(text, sizeof text, "%ld", pid);
	setenv("LISTEN_PID", text, 1);
	setenv("LISTEN_FDS", n, 1);
	if (names != NULL)
		setenv("LISTEN_FDNAMES", names, 1);
	else
		unsetenv("LISTEN_FDNAMES");
}

/* As the manager does: open from 3 on, and not close-on-exec. */
static void
occupy(int n)
{
	int null = open("/dev/null", O_RDONLY), fd;

	for (fd = 3; fd < 3 + n; fd++)
		if (fd != null)
			dup2(null, fd);
	if (null >= 3 + n)
		close(null);
}

/* In a child, whose descriptors nobody else needs: the number found, and fds[0] in the bits above; 99 if they stay open in programs that it runs. */
static int
found(int open_ones, const char *n, const char *names, long pid, const char *name, size_t max)
{
	int fds[4] = { 0 }, status = -1;
	pid_t child = fork();
	size_t got;

	cr_assert(child >= 0);
	if (child == 0) {
		closefrom(3);
		occupy(open_ones);
		pass(n, names, pid != 0 ? pid : (long)getpid());
		got = passed_sockets(name, fds, max);
		_exit(got > 0 && fcntl(fds[0], F_GETFD) != FD_CLOEXEC ? 99 : (int)got + 8 * fds[0]);
	}
	cr_assert_eq(waitpid(child, &status, 0), child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

Test(io_passed, those_of_the_name_are_found_and_no_others)
{
	cr_expect_eq(found(3, "3", "control:metrics:metrics", 0, "metrics", 4), 2 + 8 * 4);
	cr_expect_eq(found(3, "3", "control:metrics:metrics", 0, "metrics", 1), 1 + 8 * 4, "at most as many as there is room");
	cr_expect_eq(found(3, "3", "control:metrics:metrics", 0, "metric", 4), 0);
	cr_expect_eq(found(3, "3", "control:metrics:metrics", 0, "control", 4), 1 + 8 * 3);
}

Test(io_passed, what_is_not_for_us_or_not_there_is_not_found)
{
	static const struct {
		const char *n, *names;
		long pid;
	} t[] = { { "1", "metrics", 1 }, { "1", NULL, 0 }, { "0", "metrics", 0 }, { "-1", "metrics", 0 }, { "999999999", "metrics", 0 },
		{ "1x", "metrics", 0 }, { "", "metrics", 0 }, { "1", "", 0 }, { "3", "a:b", 0 } };
	size_t i;

	for (i = 0; i < sizeof t / sizeof t[0]; i++)
		cr_expect_eq(found(3, t[i].n, t[i].names, t[i].pid, "metrics", 4), 0, "%zu", i);
	cr_expect_eq(found(0, "1", "metrics", 0, "metrics", 4), 0, "a descriptor that is not open");
}

static void
on_accept(struct stream *s, void *arg)
{
	*(bool *)arg = true;
	stream_free(s);
}

static bool
is_set(void *arg)
{
	return *(bool *)arg;
}

static int
bound(const char *ip, bool listens)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	cr_assert_eq(inet_pton(AF_INET, ip, &sin.sin_addr), 1);
	cr_assert(fd >= 0 && bind(fd, (struct sockaddr *)&sin, sizeof sin) == 0 && (!listens || listen(fd, 5) == 0));
	return fd;
}

Test(io_passed, a_listening_socket_on_loopback_is_adopted_and_stays_open_afterwards)
{
	struct fixture f;
	struct err e = ERR_INIT;
	bool accepted = false;
	struct sockaddr_in sin;
	socklen_t n = sizeof sin;
	struct listener *ls;
	int fd, client;

	fixture_up(&f, ENDPOINT_UNIX, 100);
	fd = bound("127.0.0.1", true);
	client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	cr_assert_eq(getsockname(fd, (struct sockaddr *)&sin, &n), 0);
	ls = listener_adopt(f.loop, fd, 100, on_accept, &accepted, &e);
	cr_assert_not_null(ls, "%s", e.msg);
	cr_assert_eq(connect(client, (struct sockaddr *)&sin, sizeof sin), 0);
	cr_expect(loop_run_until(f.loop, is_set, &accepted, 10000));
	close(client);
	listener_free(ls);
	cr_expect_neq(fcntl(fd, F_GETFD), -1);
	close(fd);
	fixture_down(&f);
}

Test(io_passed, another_socket_is_refused)
{
	struct fixture f;
	struct err e = ERR_INIT;
	int fd;

	fixture_up(&f, ENDPOINT_UNIX, 100);
	fd = bound("0.0.0.0", true);
	cr_expect_null(listener_adopt(f.loop, fd, 100, on_accept, NULL, &e));
	cr_expect_not_null(strstr(e.msg, "nor on loopback"), "%s", e.msg);
	close(fd);
	err_clear(&e);
	fd = bound("127.0.0.1", false);
	cr_expect_null(listener_adopt(f.loop, fd, 100, on_accept, NULL, &e));
	cr_expect_not_null(strstr(e.msg, "does not listen"), "%s", e.msg);
	close(fd);
	err_clear(&e);
	fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	cr_expect_null(listener_adopt(f.loop, fd, 100, on_accept, NULL, &e));
	close(fd);
	fixture_down(&f);
}
