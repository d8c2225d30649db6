/* SPDX-License-Identifier: BSD-3-Clause */
/* Entries to systemd's journal. Owns one datagram socket. */
#include "config.h"
#include "io/journal.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int journal_fd = -1;
static struct sockaddr_un journal_at;

int
journal_open(const char *path)
{
	if (strlen(path) >= sizeof journal_at.sun_path) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if (access(path, F_OK) != 0)
		return -1;
	journal_close();
	memset(&journal_at, 0, sizeof journal_at);
	journal_at.sun_family = AF_UNIX;
	memcpy(journal_at.sun_path, path, strlen(path) + 1);
	journal_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	return journal_fd >= 0 ? 0 : -1;
}

void
journal_close(void)
{
	if (journal_fd >= 0)
		close(journal_fd);
	journal_fd = -1;
}

/* Not connected: the journal may be restarted, its socket is then another one of the same name. */
int
journal_send(const char *datagram, size_t n)
{
	ssize_t w;

	do
		w = sendto(journal_fd, datagram, n, MSG_NOSIGNAL, (const struct sockaddr *)&journal_at, sizeof journal_at);
	while (w < 0 && errno == EINTR);
	return w == (ssize_t)n ? 0 : -1;
}
