/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>

struct err;

/*
 * Memory. x*() never return NULL: they end the process with a message (used
 * in daemon, cli, io, tor, mirror). base, proto and lib check their own
 * allocations, because libonionmirror links them.
 */
void *xcalloc(size_t n, size_t size);
void *xreallocarray(void *p, size_t n, size_t size);
char *xstrdup(const char *s);
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* What they do: for where a library was left without memory and cannot go on. */
void mem_exhausted(void) __attribute__((noreturn));

/*
 * Secret memory: sodium pages, locked and guarded, wiped when freed.
 * secret_alloc() returns NULL when the pages can't be had. secret_free(NULL)
 * does nothing. Never copy a secret into ordinary memory.
 */
void *secret_alloc(size_t n);
void secret_free(void *p);
/*
 * Can pages be locked here? secret_alloc() does not tell: it goes on with pages that may reach swap. Tries
 * SECRET_LOCKED bytes, room for what is held at a time. ERR_SYS with what to do.
 */
#define SECRET_LOCKED (64 << 10)
int secret_lockable(struct err *e);
/* Wipes n bytes at p in a way the compiler keeps. */
void mem_wipe(void *p, size_t n);

#endif
