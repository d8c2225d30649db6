/* SPDX-License-Identifier: BSD-3-Clause */
/* From endpoints to socket addresses. There is no resolver here, and no address off this machine. */
#include "config.h"
#include "io/internal.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <string.h>
#include <sys/un.h>

_Static_assert(sizeof((struct sockaddr_un *)0)->sun_path == ENDPOINT_PATH_MAX + 1, "a path fits sun_path");

socklen_t
address_from_endpoint(struct sockaddr_storage *sa, const struct endpoint *ep)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	struct sockaddr_in sin = { .sin_family = AF_INET };
	struct sockaddr_in6 sin6 = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };

	memset(sa, 0, sizeof *sa);
	switch (ep->kind) {
	case ENDPOINT_UNIX:
		memcpy(sun.sun_path, ep->path, sizeof sun.sun_path);
		memcpy(sa, &sun, sizeof sun);
		return sizeof sun;
	case ENDPOINT_INET:
		memcpy(&sin.sin_addr, ep->ip, sizeof ep->ip);
		sin.sin_port = htons(ep->port);
		memcpy(sa, &sin, sizeof sin);
		return sizeof sin;
	case ENDPOINT_INET6:
		sin6.sin6_port = htons(ep->port);
		memcpy(sa, &sin6, sizeof sin6);
		return sizeof sin6;
	}
	return 0;
}

int
address_of_socket(struct endpoint *ep, int fd)
{
	struct sockaddr_storage sa;
	struct sockaddr_un sun;
	struct sockaddr_in sin;
	struct sockaddr_in6 sin6;
	socklen_t n = sizeof sa;

	memset(ep, 0, sizeof *ep);
	memset(&sa, 0, sizeof sa);
	if (getsockname(fd, (struct sockaddr *)&sa, &n) != 0)
		return -1;
	memcpy(&sun, &sa, sizeof sun);
	memcpy(&sin, &sa, sizeof sin);
	memcpy(&sin6, &sa, sizeof sin6);
	if (sa.ss_family == AF_UNIX) {
		ep->kind = ENDPOINT_UNIX;
		memcpy(ep->path, sun.sun_path, ENDPOINT_PATH_MAX);
		return 0;
	}
	memcpy(ep->ip, &sin.sin_addr, sizeof ep->ip);
	if (sa.ss_family == AF_INET && ep->ip[0] == 127) {
		ep->kind = ENDPOINT_INET;
		ep->port = ntohs(sin.sin_port);
		return 0;
	}
	if (sa.ss_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&sin6.sin6_addr)) {
		ep->kind = ENDPOINT_INET6;
		ep->port = ntohs(sin6.sin6_port);
		return 0;
	}
	return -1;
}

int
address_socket(const struct endpoint *ep)
{
	int family = ep->kind == ENDPOINT_UNIX ? AF_UNIX : ep->kind == ENDPOINT_INET ? AF_INET : AF_INET6;

	return socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

void
address_no_delay(int fd, const struct endpoint *ep)
{
	int on = 1;

	/* Only a matter of speed, so a failure doesn't matter. */
	if (ep->kind != ENDPOINT_UNIX)
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}
