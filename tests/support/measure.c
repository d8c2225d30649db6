/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * measure FILE COMMAND [ARG...]: runs a command and writes its peak resident memory in KiB into FILE;
 * ends as it ended. A program of its own because the kernel counts what a process used before exec, too:
 * in a child of a large interpreter that would be measured.
 */
#include "config.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
	struct rusage usage;
	int status = 0;
	FILE *f;
	pid_t pid;

	if (argc < 3)
		return 2;
	pid = fork();
	if (pid == 0) {
		execvp(argv[2], argv + 2);
		perror(argv[2]);
		_exit(127);
	}
	if (pid < 0 || wait4(pid, &status, 0, &usage) != pid)
		return 2;
	f = fopen(argv[1], "w");
	if (f == NULL || fprintf(f, "%ld\n", usage.ru_maxrss) < 0 || fclose(f) != 0)
		return 2;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
