/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef UNIT_LIB_OOM_H
#define UNIT_LIB_OOM_H

/* Put in front of the library's sources when they are built for test_oom.c: memory that runs out when told. */
#include <stdlib.h>
#include <string.h>

void *oom_malloc(size_t n);
void *oom_calloc(size_t n, size_t size);
void *oom_reallocarray(void *p, size_t n, size_t size);
char *oom_strdup(const char *s);

#define malloc oom_malloc
#define calloc oom_calloc
#define reallocarray oom_reallocarray
#undef strdup
#define strdup oom_strdup

#endif
