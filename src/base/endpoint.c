/* SPDX-License-Identifier: BSD-3-Clause */
/* Endpoints: unix sockets and numeric loopback addresses, nothing else. */
#include "config.h"
#include "base/endpoint.h"

#include <stdio.h>
#include <string.h>

static int
parse_number(const char **s, unsigned max, unsigned *v)
{
	const char *p = *s;

	if (*p < '0' || *p > '9' || (*p == '0' && p[1] >= '0' && p[1] <= '9'))
		return -1;
	for (*v = 0; *p >= '0' && *p <= '9'; p++)
		if ((*v = *v * 10 + (unsigned)(*p - '0')) > max)
			return -1;
	*s = p;
	return 0;
}

static int
parse_unix(struct endpoint *out, const char *path, struct err *e)
{
	size_t i, n = strlen(path);

	if (path[0] != '/')
		return err_set(e, ERR_PARSE, "unix:%s: the path must be absolute", path);
	if (n > ENDPOINT_PATH_MAX)
		return err_set(e, ERR_PARSE, "unix:%.40s...: a socket path has at most %d characters", path, ENDPOINT_PATH_MAX);
	for (i = 0; i < n; i++)
		if (path[i] <= ' ' || path[i] > '~' || strchr("\"',\\", path[i]) != NULL)
			return err_set(e, ERR_PARSE, "unix socket path: character %zu is not allowed (use printable "
			    "ASCII without space, quote, comma or backslash)", i + 1);
	memset(out, 0, sizeof *out);
	out->kind = ENDPOINT_UNIX;
	memcpy(out->path, path, n + 1);
	return 0;
}

int
endpoint_parse(struct endpoint *out, const char *s, struct err *e)
{
	struct endpoint ep = { 0 };
	const char *p = s;
	unsigned v, i;

	if (strncmp(s, "unix:", 5) == 0)
		return parse_unix(out, s + 5, e);
	if (strncmp(s, "[::1]:", 6) == 0) {
		ep.kind = ENDPOINT_INET6;
		p = s + 6;
	} else {
		ep.kind = ENDPOINT_INET;
		for (i = 0; i < 4; i++) {
			if (parse_number(&p, 255, &v) != 0 || *p != (i < 3 ? '.' : ':'))
				return err_set(e, ERR_PARSE, "\"%.60s\" is not an endpoint: write 127.0.0.1:PORT, [::1]:PORT "
				    "or unix:/path (names are never resolved)", s);
			ep.ip[i] = (uint8_t)v;
			p++;
		}
		if (ep.ip[0] != 127)
			return err_set(e, ERR_PARSE, "\"%.60s\" is not a loopback address", s);
	}
	if (parse_number(&p, 65535, &v) != 0 || *p != '\0' || v == 0)
		return err_set(e, ERR_PARSE, "\"%.60s\": the port must be 1 to 65535", s);
	ep.port = (uint16_t)v;
	*out = ep;
	return 0;
}

void
endpoint_format(char *out, const struct endpoint *ep)
{
	switch (ep->kind) {
	case ENDPOINT_UNIX:
		snprintf(out, ENDPOINT_TEXT_MAX, "unix:%s", ep->path);
		return;
	case ENDPOINT_INET:
		snprintf(out, ENDPOINT_TEXT_MAX, "%u.%u.%u.%u:%u", ep->ip[0], ep->ip[1], ep->ip[2], ep->ip[3], ep->port);
		return;
	case ENDPOINT_INET6:
		snprintf(out, ENDPOINT_TEXT_MAX, "[::1]:%u", ep->port);
		return;
	}
	out[0] = '\0';
}

bool
endpoint_equal(const struct endpoint *a, const struct endpoint *b)
{
	char x[ENDPOINT_TEXT_MAX], y[ENDPOINT_TEXT_MAX];

	endpoint_format(x, a);
	endpoint_format(y, b);
	return strcmp(x, y) == 0;
}
