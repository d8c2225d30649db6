/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CLI_PASSPHRASE_H
#define CLI_PASSPHRASE_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

/* One line of secret text in secret memory. */
struct secret_text {
	size_t len;
	char text[1024]; /* NUL-ended */
};

/*
 * From file descriptor `fd` (decimal text; the first line), or, if NULL, asked
 * for on the terminal without echo, twice if `twice`. 8 to 1023 bytes.
 */
int passphrase_get(struct secret_text **out, const char *fd, const char *prompt, bool twice, struct err *e);
void passphrase_free(struct secret_text *t);

#endif
