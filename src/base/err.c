/* SPDX-License-Identifier: BSD-3-Clause */
/* Error values: code, errno and one line of text, owned by the caller. */
#include "config.h"
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void
err_clear(struct err *e)
{
	if (e != NULL)
		memset(e, 0, sizeof *e);
}

int
err_set(struct err *e, enum err_code code, const char *fmt, ...)
{
	va_list ap;

	if (e == NULL || e->code != ERR_NONE)
		return -1;
	e->code = code;
	va_start(ap, fmt);
	vsnprintf(e->msg, sizeof e->msg, fmt, ap);
	va_end(ap);
	return -1;
}

int
err_set_sys(struct err *e, const char *fmt, ...)
{
	int saved = errno;
	va_list ap;
	size_t n;

	if (e == NULL || e->code != ERR_NONE)
		return -1;
	e->code = ERR_SYS;
	e->sys = saved;
	va_start(ap, fmt);
	vsnprintf(e->msg, sizeof e->msg, fmt, ap);
	va_end(ap);
	n = strlen(e->msg);
	snprintf(e->msg + n, sizeof e->msg - n, ": %s", strerror(saved));
	errno = saved;
	return -1;
}

int
err_prefix(struct err *e, const char *fmt, ...)
{
	char text[sizeof e->msg];
	va_list ap;
	size_t n, room;

	if (e == NULL)
		return -1;
	memcpy(text, e->msg, sizeof text);
	va_start(ap, fmt);
	vsnprintf(e->msg, sizeof e->msg - 2, fmt, ap);
	va_end(ap);
	n = strlen(e->msg);
	e->msg[n++] = ':';
	e->msg[n++] = ' ';
	room = sizeof e->msg - n - 1;
	text[room < sizeof text ? room : sizeof text - 1] = '\0';
	memcpy(e->msg + n, text, strlen(text) + 1);
	return -1;
}

const char *
err_code_name(enum err_code code)
{
	switch (code) {
	case ERR_NONE: return "none";
	case ERR_MEMORY: return "memory";
	case ERR_SYS: return "system";
	case ERR_PARSE: return "parse";
	case ERR_LIMIT: return "limit";
	case ERR_AUTH: return "auth";
	case ERR_PROTO: return "protocol";
	case ERR_TIMEOUT: return "timeout";
	case ERR_CLOSED: return "closed";
	case ERR_STATE: return "state";
	case ERR_CRYPTO: return "crypto";
	case ERR_CONFIG: return "config";
	case ERR_NOTFOUND: return "not-found";
	case ERR_REFUSED: return "refused";
	}
	return "unknown";
}
