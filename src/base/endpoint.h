/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BASE_ENDPOINT_H
#define BASE_ENDPOINT_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * The only places this project ever connects to or listens on: a unix socket
 * or a numeric loopback address. There is no way to put a host name, or an
 * address off this machine, into one.
 */
enum endpoint_kind { ENDPOINT_UNIX = 1, ENDPOINT_INET, ENDPOINT_INET6 };

#define ENDPOINT_PATH_MAX 107 /* sun_path less its NUL */
#define ENDPOINT_TEXT_MAX 128

struct endpoint {
	enum endpoint_kind kind;
	char path[ENDPOINT_PATH_MAX + 1]; /* unix: absolute, printable, no space, quote or comma */
	uint8_t ip[4];                    /* inet: 127.0.0.0/8; inet6 is always ::1 */
	uint16_t port;                    /* 1..65535 */
};

/* Parses "unix:/abs/path", "127.x.y.z:PORT" or "[::1]:PORT". */
int endpoint_parse(struct endpoint *out, const char *s, struct err *e);
/* The same text again; `out` has ENDPOINT_TEXT_MAX bytes. It is also what tor takes as a Port target. */
void endpoint_format(char *out, const struct endpoint *ep);
bool endpoint_equal(const struct endpoint *a, const struct endpoint *b);

#endif
