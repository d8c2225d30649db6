/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"
#include "io/syscalls.h"

#include <criterion/criterion.h>

#ifdef HAVE_SECCOMP
#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

TestSuite(io_syscalls, .timeout = 30);

Test(io_syscalls, knows_every_name_of_its_table)
{
	const char *name;
	size_t i, n = 0;

	for (i = 0; (name = syscalls_name(i)) != NULL; i++) {
		cr_expect_neq(seccomp_syscall_resolve_name(name), __NR_SCMP_ERROR, "%s", name);
		n++;
	}
	cr_expect_gt(n, 100);
}

static char said[4096];

/* The filter is for good: a child has it, and what it writes to stderr is read. Exit code, or 128 + signal. */
static int
in_child(struct syscalls_rules rules, int (*work)(void))
{
	int fds[2], status;
	ssize_t n;
	size_t at = 0;
	pid_t pid;

	cr_assert_eq(pipe(fds), 0);
	pid = fork();
	cr_assert_geq(pid, 0);
	if (pid == 0) {
		dup2(fds[1], STDERR_FILENO);
		close(fds[1]);
		_exit(syscalls_confine(&rules, NULL) != 0 ? 99 : work());
	}
	close(fds[1]);
	while ((n = read(fds[0], said + at, sizeof said - 1 - at)) > 0)
		at += (size_t)n;
	said[at] = '\0';
	close(fds[0]);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int
do_forbidden(void)
{
	const char *last = "?";
	unsigned i;

	if (syscalls_refused(&last) != 0 || last != NULL)
		return 1;
	for (i = 1; i < 40; i++) {
		errno = 0;
		if (setuid(0) != -1 || errno != EPERM || syscalls_refused(&last) != i || strcmp(last, "setuid") != 0)
			return 2;
	}
	return 0;
}

Test(io_syscalls, a_call_outside_the_table_fails_and_is_named)
{
	const char *p;
	int n = 0;

	cr_expect_eq(in_child((struct syscalls_rules){ 0 }, do_forbidden), 0);
	cr_expect(strncmp(said, "<3>onionmirrord: the sandbox refused the system call setuid, which the daemon never makes\n", 40) == 0, "%s", said);
	for (p = said; (p = strchr(p, '\n')) != NULL; p++)
		n++;
	cr_expect_eq(n, 20, "a loop of them fills no disk: %d lines", n);
}

Test(io_syscalls, where_it_is_fatal_the_first_ends_the_process)
{
	cr_expect_eq(in_child((struct syscalls_rules){ .fatal = true }, do_forbidden), 128 + SIGSYS);
	cr_expect_neq(strstr(said, "refused the system call setuid"), NULL, "%s", said);
}

static int
run_program(void)
{
	execl("/bin/true", "true", NULL);
	return 0;
}

Test(io_syscalls, what_only_an_intruder_does_ends_the_process_at_once)
{
	cr_expect_eq(in_child((struct syscalls_rules){ 0 }, run_program), 128 + SIGSYS);
	cr_expect_eq(in_child((struct syscalls_rules){ .fatal = true }, run_program), 128 + SIGSYS);
	cr_expect_neq(strstr(said, "execve"), NULL, "%s", said);
}

static int
make_sockets(void)
{
	static const int never[][3] = { { AF_INET, SOCK_DGRAM, 0 }, { AF_INET6, SOCK_DGRAM, 0 }, { AF_NETLINK, SOCK_RAW, 0 }, { AF_PACKET, SOCK_RAW, 0 },
		{ AF_INET, SOCK_RAW, 1 }, { AF_UNIX, SOCK_SEQPACKET, 0 }, { AF_VSOCK, SOCK_STREAM, 0 } };
	size_t i;

	if (socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0) < 0 || socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0) < 0)
		return 1;
	for (i = 0; i < sizeof never / sizeof never[0]; i++)
		if (socket(never[i][0], never[i][1], never[i][2]) >= 0 || errno != EPERM)
			return (int)(10 + i);
	return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) >= 0 && socket(AF_INET6, SOCK_STREAM, 0) >= 0 ? 0 : 50;
}

Test(io_syscalls, no_socket_is_made_that_could_reach_a_resolver)
{
	cr_expect_eq(in_child((struct syscalls_rules){ 0 }, make_sockets), 50);
	cr_expect_eq(in_child((struct syscalls_rules){ .tcp = true }, make_sockets), 0);
}

#ifndef SANITIZED
static int
make_code(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return 1;
	if (mprotect(p, 4096, PROT_READ | PROT_EXEC) == 0 || mprotect(p, 4096, PROT_READ) != 0)
		return 2;
	return mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? 0 : 3;
}

Test(io_syscalls, no_memory_becomes_code)
{
	cr_expect_eq(in_child((struct syscalls_rules){ 0 }, make_code), 0);
}
#endif
#else
Test(io_syscalls, says_that_this_build_has_none)
{
	struct syscalls_rules r = { 0 };
	struct err e = ERR_INIT;
	const char *last;

	cr_expect(syscalls_confine(&r, &e) == -1 && e.code == ERR_NOTFOUND && syscalls_refused(&last) == 0);
}
#endif
