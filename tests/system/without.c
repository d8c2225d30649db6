/* SPDX-License-Identifier: BSD-3-Clause */
/* usage: without CALL,... PROGRAM ARG...: runs a program on a kernel that has not got these system calls. */
#include "config.h"

#include <errno.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_ALLOW);
	char *rest, *name;
	int nr;

	if (argc < 3 || f == NULL)
		return 2;
	for (rest = argv[1]; (name = strsep(&rest, ",")) != NULL;)
		if ((nr = seccomp_syscall_resolve_name(name)) < 0 || seccomp_rule_add(f, SCMP_ACT_ERRNO(ENOSYS), nr, 0) != 0)
			return 2;
	if (seccomp_load(f) != 0)
		return 2;
	execv(argv[2], argv + 2);
	perror(argv[2]);
	return 2;
}
