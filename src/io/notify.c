/* SPDX-License-Identifier: BSD-3-Clause */
/* Tells the service manager how we are. Keeps nothing. */
#include "config.h"
#include "io/notify.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

/* A manager that does not read must not hang us. */
#define SEND_LIMIT_MS 500

int
notify_send(const char *state)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	struct timeval limit = { 0, SEND_LIMIT_MS * 1000 };
	const char *path = getenv("NOTIFY_SOCKET");
	size_t n;
	ssize_t w;
	int fd, saved;

	if (path == NULL || *path == '\0')
		return 0;
	n = strlen(path);
	if ((path[0] != '/' && path[0] != '@') || n < 2 || n >= sizeof sun.sun_path) {
		errno = EINVAL;
		return -1;
	}
	memcpy(sun.sun_path, path, n);
	if (path[0] == '@')
		sun.sun_path[0] = '\0'; /* an abstract name has no NUL at its end */
	else
		n++;
	if ((fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
	do
		w = sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&sun,
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n));
	while (w < 0 && errno == EINTR);
	saved = errno;
	close(fd);
	errno = saved;
	return w < 0 ? -1 : 0;
}

int64_t
notify_number(const char *name)
{
	const char *s = getenv(name);
	int64_t v = 0;

	if (s == NULL)
		return 0;
	for (; *s >= '0' && *s <= '9' && v < INT64_MAX / 100; s++)
		v = v * 10 + (*s - '0');
	return *s == '\0' ? v : 0;
}

int64_t
notify_watchdog_ms(void)
{
	int64_t usec = notify_number("WATCHDOG_USEC");

	if (getenv("WATCHDOG_PID") != NULL && notify_number("WATCHDOG_PID") != (int64_t)getpid())
		return 0;
	if (usec <= 0)
		return 0;
	return usec < 2000 ? 1 : usec / 2000;
}
