/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef IO_SYSCALLS_H
#define IO_SYSCALLS_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * The system calls that the daemon may make from now on, through libseccomp:
 * the table in syscalls.c. Any other is not carried out. Its name is written to
 * standard error, then it fails with EPERM, or, if `fatal`, the process ends
 * with SIGSYS. Calls that nothing here ever makes, and that only an intruder
 * would (another program, a debugger, mounts, modules, ...), end the process at
 * once; if `fatal`, with their name too.
 *
 * `tcp`: TCP sockets may be made; else only unix sockets. Others never.
 */
struct syscalls_rules {
	bool fatal, tcp;
};
/* 0; or -1: nothing is in force, ERR_NOTFOUND if there is no libseccomp in this build or no filter in this kernel. */
int syscalls_confine(const struct syscalls_rules *rules, struct err *e);

/* How many calls were refused so far, and the name of the last; NULL: none. */
unsigned syscalls_refused(const char **name);

/* The i-th name of the table, NULL at its end. For tests. */
const char *syscalls_name(size_t i);

#endif
