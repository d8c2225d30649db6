/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BASE_CONFINE_H
#define BASE_CONFINE_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What a process can give up with no more help than the kernel's. Nothing of
 * it can be taken back, and children inherit it.
 */

/*
 * No core file and no debugger of the same user, since both would show keys;
 * and no new privileges from programs that would bring some. Again after a
 * change of user, which undoes half of it.
 */
int confine_process(struct err *e);

/*
 * Becomes `user`, with its groups, for good; only root can. The groups are
 * those of the system's own files and services: before any other confinement.
 */
int confine_user(const char *user, struct err *e);

/* What may be done with a file, or with all that is below a folder. */
#define CONFINE_READ 1    /* files are opened and read; folders are not listed */
#define CONFINE_CHANGE 2  /* also: listed, written, made, renamed, removed */
#define CONFINE_SOCKETS 4 /* unix sockets are made, and any file removed */

struct confine_path {
	char *path; /* absolute; what is not there is skipped */
	unsigned may;
};

struct confine_rules {
	struct confine_path *paths;
	size_t n_paths;
	uint16_t *bind;    /* TCP ports that may be listened on */
	uint16_t *connect; /* TCP ports that may be connected to */
	size_t n_bind, n_connect;
	bool any_connect; /* connect is not looked at */
	bool abstract;    /* abstract unix sockets of others may be used */
};

/* What of it this kernel enforces. */
#define CONFINE_FILES 1  /* paths */
#define CONFINE_TCP 2    /* ports */
#define CONFINE_SCOPES 4 /* no signal, and (but for `abstract`) no abstract socket, to processes outside */

/*
 * Landlock(7), as much of it as the kernel knows; connecting to a unix socket
 * that has a path is no matter of it. *layers is 0 where the kernel has none,
 * or one that is older than 5.19: it cannot rename between folders.
 */
int confine_landlock(const struct confine_rules *r, unsigned *layers, struct err *e);

#endif
