/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TESTS_UNIT_LIB_CASES_H
#define TESTS_UNIT_LIB_CASES_H

#include "base/file.h"

#include <criterion/criterion.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

/* A file of the conformance suite, which make check makes in the build folder; malloced, NUL-ended. */
static inline char *
case_file(const char *name, size_t *len)
{
	char path[PATH_MAX], *p;
	const char *build = getenv("top_builddir");
	struct err e = ERR_INIT;

	snprintf(path, sizeof path, "%s/tests/conformance/cases/%s", build != NULL ? build : ".", name);
	cr_assert_eq(file_read(path, 5 << 20, FILE_PUBLIC, &p, len, &e), 0, "%s (make check makes it)", e.msg);
	return p;
}

#endif
