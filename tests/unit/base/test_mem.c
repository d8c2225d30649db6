/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"
#include "base/mem.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

Test(base_mem, x_functions_allocate)
{
	char *p = xcalloc(3, 5), *q;
	size_t i;

	for (i = 0; i < 15; i++)
		cr_expect_eq(p[i], 0);
	memcpy(p, "kept", 5);
	p = xreallocarray(p, 100, 10);
	cr_expect_str_eq(p, "kept");
	q = xstrdup(p);
	cr_expect(q != p && strcmp(q, "kept") == 0);
	free(p);
	p = xasprintf("%s-%d", q, 7);
	cr_expect_str_eq(p, "kept-7");
	free(p);
	free(q);
}

#ifndef __SANITIZE_ADDRESS__ /* which reports such a request itself */
Test(base_mem, an_impossible_request_ends_the_process, .exit_code = 1)
{
	volatile size_t huge = SIZE_MAX / 2;

	free(xreallocarray(NULL, huge, 4));
}
#endif

Test(base_mem, secret_memory_is_writable_and_freed)
{
	static const size_t sizes[] = { 1, 31, 32, 4096, 5000 };
	size_t i;
	char *p;

	for (i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		p = secret_alloc(sizes[i]);
		cr_assert(p != NULL);
		memset(p, 'x', sizes[i]);
		secret_free(p);
	}
	secret_free(NULL);
	cr_expect_eq(secret_alloc(SIZE_MAX), NULL);
}

/* A guard page lies right behind it. */
Test(base_mem, secret_memory_is_guarded, .signal = SIGSEGV)
{
	volatile char *p;

	signal(SIGSEGV, SIG_DFL);
	p = secret_alloc(32);
	p[32] = 'x';
}

Test(base_mem, wipes)
{
	char text[] = "secret";

	mem_wipe(text, 3);
	cr_expect_eq(memcmp(text, "\0\0\0ret", 7), 0);
	mem_wipe(text, 0);
	cr_expect_str_eq(text + 3, "ret");
}
