/* SPDX-License-Identifier: BSD-3-Clause */
/* What the service manager passed. Owns nothing: the descriptors stay open as long as the process. */
#include "config.h"
#include "io/passed.h"

#include "io/notify.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FIRST 3
#define PASSED_MAX 64

size_t
passed_sockets(const char *name, int *fds, size_t max)
{
	int64_t n = notify_number("LISTEN_FDS"), i;
	const char *p = getenv("LISTEN_FDNAMES");
	size_t found = 0, len;

	if (notify_number("LISTEN_PID") != (int64_t)getpid() || p == NULL || n > PASSED_MAX)
		return 0;
	for (i = 0; i < n; i++) {
		len = strcspn(p, ":");
		/* One that is not open was not passed. */
		if (fcntl(FIRST + (int)i, F_SETFD, FD_CLOEXEC) == 0 && len == strlen(name) && memcmp(p, name, len) == 0 && found < max)
			fds[found++] = FIRST + (int)i;
		p += len + (p[len] == ':');
	}
	return found;
}
