/* SPDX-License-Identifier: BSD-3-Clause */
/* Allocation that never fails quietly, and memory for secrets. */
#include "config.h"
#include "base/mem.h"
#include "base/err.h"

#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

void
mem_exhausted(void)
{
	static const char text[] = "onionmirror: out of memory\n";

	fwrite(text, 1, sizeof text - 1, stderr);
	exit(1);
}

void *
xcalloc(size_t n, size_t size)
{
	void *p = calloc(n, size);

	if (p == NULL)
		mem_exhausted();
	return p;
}

void *
xreallocarray(void *p, size_t n, size_t size)
{
	void *q = reallocarray(p, n, size);

	if (q == NULL)
		mem_exhausted();
	return q;
}

char *
xstrdup(const char *s)
{
	char *p = strdup(s);

	if (p == NULL)
		mem_exhausted();
	return p;
}

char *
xasprintf(const char *fmt, ...)
{
	char *p = NULL;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&p, fmt, ap);
	va_end(ap);
	if (n < 0)
		mem_exhausted();
	return p;
}

void *
secret_alloc(size_t n)
{
	/* Without it sodium_malloc() crashes; later calls do nothing. */
	if (sodium_init() < 0)
		return NULL;
	return sodium_malloc(n);
}

void
secret_free(void *p)
{
	sodium_free(p);
}

int
secret_lockable(struct err *e)
{
	void *p = mmap(NULL, SECRET_LOCKED, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int r = 0;

	if (p == MAP_FAILED)
		return err_set_sys(e, "no memory for secrets");
	if (sodium_mlock(p, SECRET_LOCKED) != 0)
		r = err_set_sys(e, "memory for secrets can't be locked, so they could reach swap; let %d KiB be locked (LimitMEMLOCK= of the unit, ulimit -l) or set allow-unlocked-memory",
		    SECRET_LOCKED >> 10);
	munmap(p, SECRET_LOCKED);
	return r;
}

void
mem_wipe(void *p, size_t n)
{
	sodium_memzero(p, n);
}
