/* SPDX-License-Identifier: BSD-3-Clause */
/* The notification protocol, with a manager of our own. */
#include "config.h"
#include "io/journal.h"
#include "io/notify.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int
manager_at(const char *name)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	size_t n = strlen(name);

	memcpy(sun.sun_path, name, n);
	if (name[0] == '@')
		sun.sun_path[0] = '\0';
	cr_assert(fd >= 0 && bind(fd, (struct sockaddr *)&sun,
				 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n)) == 0,
	    "bind %s: %m", name);
	return fd;
}

Test(io_notify, sends_one_datagram_to_a_path_or_an_abstract_name)
{
	char dir[] = "/tmp/unit-io-XXXXXX", name[2][100], got[100];
	ssize_t n;
	int i, fd;

	cr_assert(mkdtemp(dir) != NULL);
	snprintf(name[0], sizeof name[0], "%s/notify", dir);
	snprintf(name[1], sizeof name[1], "@unit-io-%s-%ld", dir + 13, (long)getpid());
	for (i = 0; i < 2; i++) {
		fd = manager_at(name[i]);
		setenv("NOTIFY_SOCKET", name[i], 1);
		cr_expect_eq(notify_send("READY=1\nSTATUS=here"), 0);
		n = recv(fd, got, sizeof got, 0);
		cr_expect(n == 19 && memcmp(got, "READY=1\nSTATUS=here", 19) == 0, "%zd bytes", n);
		cr_expect(recv(fd, got, sizeof got, 0) < 0 && errno == EAGAIN, "one");
		close(fd);
		/* The manager is gone. */
		cr_expect_eq(notify_send("STOPPING=1"), -1);
		cr_expect_eq(errno, ECONNREFUSED);
	}
	unlink(name[0]);
	rmdir(dir);
}

Test(io_notify, does_nothing_without_a_manager)
{
	unsetenv("NOTIFY_SOCKET");
	cr_expect_eq(notify_send("READY=1"), 0);
	setenv("NOTIFY_SOCKET", "", 1);
	cr_expect_eq(notify_send("READY=1"), 0);
}

Test(io_notify, refuses_other_addresses)
{
	char longest[200];
	const char *bad[] = { "relative/path", "vsock:2:1", "@", "/", longest };
	size_t i;

	memset(longest, 'a', sizeof longest);
	longest[0] = '/';
	longest[sizeof longest - 1] = '\0';
	for (i = 0; i < sizeof bad / sizeof *bad; i++) {
		setenv("NOTIFY_SOCKET", bad[i], 1);
		cr_expect_eq(notify_send("READY=1"), -1, "%s", bad[i]);
		cr_expect_eq(errno, EINVAL);
	}
}

/* A manager that does not read must not hang the daemon. */
Test(io_notify, gives_up_on_a_full_queue, .timeout = 20)
{
	char name[100];
	int fd, i, r = 0;

	snprintf(name, sizeof name, "@unit-io-full-%ld", (long)getpid());
	fd = manager_at(name);
	setenv("NOTIFY_SOCKET", name, 1);
	for (i = 0; i < 100000 && r == 0; i++)
		r = notify_send("WATCHDOG=1");
	cr_expect_eq(r, -1);
	cr_expect_eq(errno, EAGAIN);
	close(fd);
}

Test(io_notify, tells_half_of_the_watchdog_time)
{
	static const struct {
		const char *usec, *pid; /* NULL: unset, "me": ours */
		int64_t ms;
	} rows[] = {
		{ "30000000", "me", 15000 }, { "30000000", NULL, 15000 }, { "30000000", "1", 0 }, { NULL, "me", 0 },
		{ NULL, NULL, 0 }, { "0", "me", 0 }, { "1", "me", 1 }, { "3999", "me", 1 }, { "4000", "me", 2 },
		{ "-1", "me", 0 }, { "", "me", 0 }, { "30s", "me", 0 }, { " 30000000", "me", 0 }, { "30000000", "", 0 },
		{ "30000000", "me2", 0 }, { "99999999999999999999999999", "me", 0 },
	};
	char me[32];
	size_t i;

	snprintf(me, sizeof me, "%ld", (long)getpid());
	for (i = 0; i < sizeof rows / sizeof *rows; i++) {
		unsetenv("WATCHDOG_USEC");
		unsetenv("WATCHDOG_PID");
		if (rows[i].usec != NULL)
			setenv("WATCHDOG_USEC", rows[i].usec, 1);
		if (rows[i].pid != NULL)
			setenv("WATCHDOG_PID", strcmp(rows[i].pid, "me") == 0 ? me : rows[i].pid, 1);
		cr_expect_eq(notify_watchdog_ms(), rows[i].ms, "row %zu", i);
	}
}

Test(io_journal, sends_each_entry_as_a_datagram_and_never_waits)
{
	char dir[] = "/tmp/unit-io-XXXXXX", name[100], got[100];
	int fd, i, refused = 0;

	cr_assert(mkdtemp(dir) != NULL);
	snprintf(name, sizeof name, "%s/journal", dir);
	cr_expect_eq(journal_open(name), -1, "there is none");
	fd = manager_at(name);
	cr_assert_eq(journal_open(name), 0);
	cr_expect_eq(journal_send("MESSAGE=a\n", 10), 0);
	cr_expect_eq(recv(fd, got, sizeof got, 0), 10);
	for (i = 0; i < 100000 && refused == 0; i++)
		refused = journal_send("MESSAGE=b\n", 10);
	cr_expect(refused == -1 && errno == EAGAIN, "nobody reads");
	close(fd);
	cr_expect_eq(journal_send("MESSAGE=c\n", 10), -1, "it is gone");
	unlink(name);
	fd = manager_at(name);
	cr_expect_eq(journal_send("MESSAGE=d\n", 10), 0, "and was started again");
	close(fd);
	journal_close();
	unlink(name);
	rmdir(dir);
}
