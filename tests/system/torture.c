/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Preloaded by torture.py into the daemon: counts allocations and side effects
 * (writes, syncs, changes of names, sends), and on the word of the test lets one
 * allocation fail, or ends the process before one side effect. Both talk through
 * a file that they map.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

struct board {
	_Atomic uint64_t allocs, effects; /* so far */
	_Atomic uint64_t fail_at, fail_to; /* allocations of these numbers fail; 0: none */
	_Atomic uint64_t kill_at;          /* it dies before this side effect; 0: none */
	_Atomic uint64_t failed;           /* how many did */
};
static struct board *board;

extern void *__libc_malloc(size_t n);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *p, size_t n);
extern void *__libc_memalign(size_t align, size_t n);

static void __attribute__((constructor))
look(void)
{
	const char *path = getenv("TORTURE");
	int fd = path != NULL ? open(path, O_RDWR | O_CLOEXEC) : -1;
	void *p = fd >= 0 ? mmap(NULL, sizeof *board, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) : MAP_FAILED;

	if (p != MAP_FAILED)
		board = p;
}

static int
fails(void)
{
	uint64_t n;

	if (board == NULL)
		return 0;
	n = atomic_fetch_add(&board->allocs, 1) + 1;
	if (board->fail_at == 0 || n < board->fail_at || n > board->fail_to)
		return 0;
	atomic_fetch_add(&board->failed, 1);
	errno = ENOMEM;
	return 1;
}

void *
malloc(size_t n)
{
	return fails() ? NULL : __libc_malloc(n);
}

void *
calloc(size_t n, size_t size)
{
	return fails() ? NULL : __libc_calloc(n, size);
}

void *
realloc(void *p, size_t n)
{
	return fails() ? NULL : __libc_realloc(p, n);
}

void *
aligned_alloc(size_t align, size_t n)
{
	return fails() ? NULL : __libc_memalign(align, n);
}

int
posix_memalign(void **out, size_t align, size_t n)
{
	void *p = fails() ? NULL : __libc_memalign(align, n);

	if (p == NULL)
		return ENOMEM;
	*out = p;
	return 0;
}

static void
effect(void)
{
	uint64_t n;

	if (board == NULL)
		return;
	n = atomic_fetch_add(&board->effects, 1) + 1;
	if (board->kill_at != 0 && n >= board->kill_at)
		raise(SIGKILL); /* to itself the sandbox lets it */
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define WRAP(type, name, params, args) \
	type name params \
	{ \
		static __typeof__(&name) real; \
		if (real == NULL) \
			real = REAL(name); \
		effect(); \
		return real args; \
	}

WRAP(ssize_t, write, (int fd, const void *p, size_t n), (fd, p, n))
WRAP(ssize_t, writev, (int fd, const struct iovec *v, int n), (fd, v, n))
WRAP(ssize_t, pwrite, (int fd, const void *p, size_t n, off_t at), (fd, p, n, at))
WRAP(ssize_t, pwrite64, (int fd, const void *p, size_t n, off64_t at), (fd, p, n, at))
WRAP(int, ftruncate, (int fd, off_t n), (fd, n))
WRAP(int, ftruncate64, (int fd, off64_t n), (fd, n))
WRAP(int, fsync, (int fd), (fd))
WRAP(int, fdatasync, (int fd), (fd))
WRAP(int, unlink, (const char *path), (path))
WRAP(int, unlinkat, (int dir, const char *path, int flags), (dir, path, flags))
WRAP(int, rename, (const char *a, const char *b), (a, b))
WRAP(int, renameat, (int da, const char *a, int db, const char *b), (da, a, db, b))
WRAP(int, linkat, (int da, const char *a, int db, const char *b, int flags), (da, a, db, b, flags))
WRAP(int, symlinkat, (const char *to, int dir, const char *path), (to, dir, path))
WRAP(int, mkdirat, (int dir, const char *path, mode_t mode), (dir, path, mode))
WRAP(int, mkdir, (const char *path, mode_t mode), (path, mode))
WRAP(ssize_t, send, (int fd, const void *p, size_t n, int flags), (fd, p, n, flags))
