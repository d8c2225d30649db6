/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include "base/err.h"

#include <stddef.h>
#include <sys/types.h>

/* What a file must look like before its bytes are believed. */
enum file_rule {
	FILE_PUBLIC = 0, /* a regular file, not a symlink */
	FILE_SECRET = 1, /* also: owned by us or root, no access for others, not writable by the group */
	FILE_FOREIGN = 2, /* anybody's (tor's cookie), but writable by its owner only */
};

/*
 * Reads a whole file of at most `max` bytes (ERR_LIMIT past it). Opened with
 * O_NOFOLLOW|O_NONBLOCK|O_CLOEXEC and checked with fstat, so a FIFO, device or
 * symlink is refused and can't hang us. *out is malloced, NUL-ended, yours.
 */
int file_read(const char *path, size_t max, enum file_rule rule, char **out, size_t *len, struct err *e);
/* As above into a buffer of exactly n bytes (may be secret memory); another size is ERR_PARSE. */
int file_read_exact(const char *path, enum file_rule rule, void *out, size_t n, struct err *e);

struct file_text {
	char *p; /* owned, NUL-ended; NULL: there is no such file */
	size_t len;
};
/*
 * Reads PATH.1ENDING to PATH.<n>ENDING into out[0] to out[n - 1]; numbers may
 * be missing. What is read is the caller's also on failure.
 */
int file_read_numbered(struct file_text *out, size_t n, const char *path, const char *ending, size_t max, struct err *e);

/*
 * Replaces `path` by the bytes: a new file of a random name beside it (O_EXCL),
 * write, fsync, rename, fsync of the folder. On failure the old file is as it
 * was and nothing is left behind.
 */
int file_write(const char *path, const void *p, size_t n, mode_t mode, struct err *e);
/* As file_write(), but fails with ERR_SYS/EEXIST if `path` exists. */
int file_create(const char *path, const void *p, size_t n, mode_t mode, struct err *e);
/* As file_write(), but without fsync: for what is written anew all the while. It waits for no disk, and readers still see a whole file. */
int file_show(const char *path, const void *p, size_t n, mode_t mode, struct err *e);
/* Makes a folder with its missing parents, durably, of that mode whatever the umask; an existing folder is fine, its mode is left alone. */
int file_mkdirs(const char *path, mode_t mode, struct err *e);
/* fsync of a folder. */
int file_sync_dir(const char *path, struct err *e);
/* Refuses a folder that is not a folder, not owned by us (or root), or writable by group or others. */
int file_check_dir(const char *path, struct err *e);

#endif
