/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a service manager puts into the environment: LISTEN_FDS, LISTEN_FDNAMES, LISTEN_PID ("." is ours), WATCHDOG_USEC,
 * NOTIFY_SOCKET and the name that is looked for, a line each.
 */
#include "config.h"
#include "fuzz.h"

#include "io/notify.h"
#include "io/passed.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define FIRST 3
#define MOST 64

/* Sets one variable to the next line; no line: it is not set. */
static void
take(const char *name, char **text)
{
	char *line = strsep(text, "\n"), pid[32];

	snprintf(pid, sizeof pid, "%ld", (long)getpid());
	if (line == NULL)
		unsetenv(name);
	else if (setenv(name, strcmp(line, ".") == 0 ? pid : line, 1) != 0)
		abort();
}

static void
look(const char *name, size_t max)
{
	int fds[MOST + 1];
	size_t n, i;

	n = passed_sockets(name, fds, max);
	FUZZ_CHECK(n <= max);
	for (i = 0; i < n; i++) {
		FUZZ_CHECK(fds[i] >= FIRST && fds[i] < FIRST + MOST && (i == 0 || fds[i] > fds[i - 1]));
		FUZZ_CHECK((fcntl(fds[i], F_GETFD) & FD_CLOEXEC) != 0);
	}
	FUZZ_CHECK(n == 0 || (getenv("LISTEN_FDS") != NULL && strstr(getenv("LISTEN_FDNAMES"), name) != NULL));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *copy = strndup((const char *)data, size), *text = copy;
	const char *name;
	int64_t n;

	take("LISTEN_FDS", &text);
	take("LISTEN_FDNAMES", &text);
	take("LISTEN_PID", &text);
	take("WATCHDOG_USEC", &text);
	take("NOTIFY_SOCKET", &text);
	name = text != NULL ? text : "";
	look(name, MOST + 1);
	look(name, 1);
	look("list-public", 4);
	n = notify_number("LISTEN_FDS");
	FUZZ_CHECK(n >= 0);
	FUZZ_CHECK(notify_watchdog_ms() >= 0);
	(void)notify_send("READY=1");
	free(copy);
	return 0;
}
