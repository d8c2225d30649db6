/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The system calls that the daemon makes on files, onto the disk of disk.c. The
 * linker puts __wrap_x() in place of x() (--wrap, local.mk), so that file.c,
 * write.c, the store's lock and the import run as they are. Descriptors of the
 * real system go through, and so do names while there is no world: a build for
 * gcov writes what it counted when the program ends.
 */
#include "config.h"
#include "sim/impl.h"
#include "sim/disk_impl.h"

#include "base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FD_BASE (1 << 20)
#define FDS 64

struct file {
	struct node *node; /* NULL: free */
	size_t off;
	int flags;
	bool locked; /* for writing, by this open file */
};
static struct file files[FDS];

/* A folder that is being read: its names when it was opened. */
struct folder {
	struct folder *next;
	int fd;
	char **names;
	size_t n, at;
	struct dirent entry;
};
static struct folder *folders;

static int
fail(int error)
{
	errno = error;
	return -1;
}

static struct file *
file_of(int fd)
{
	return fd >= FD_BASE && fd < FD_BASE + FDS && files[fd - FD_BASE].node != NULL ? &files[fd - FD_BASE] : NULL;
}

static struct node *
dir_of(int fd)
{
	const struct file *f = file_of(fd);

	return f != NULL ? f->node : NULL;
}

static void
folder_free(struct folder *d)
{
	struct folder **at;
	size_t i;

	for (at = &folders; *at != d; at = &(*at)->next)
		;
	*at = d->next;
	for (i = 0; i < d->n; i++)
		free(d->names[i]);
	free(d->names);
	free(d);
}

void
posix_close_all(void)
{
	int i;

	while (folders != NULL)
		folder_free(folders);
	for (i = 0; i < FDS; i++) {
		node_unref(files[i].node);
		files[i].node = NULL;
		files[i].locked = false;
	}
}

/* --- opening --- */

int __real_open(const char *path, int flags, ...);
int __wrap_openat(int dir, const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __wrap___openat_2(int dir, const char *path, int flags);
int __wrap___open_2(const char *path, int flags);

static int
check_open(const struct node *n, int flags)
{
	if (node_type(n) == NODE_LINK)
		return ELOOP;
	if ((flags & O_DIRECTORY) != 0 && node_type(n) != NODE_DIR)
		return ENOTDIR;
	if (node_type(n) == NODE_DIR && (flags & O_ACCMODE) != O_RDONLY)
		return EISDIR;
	return (flags & O_ACCMODE) != O_RDONLY && disk_faults.read_only ? EROFS : 0;
}

static int
open_at(int dir, const char *path, int flags, mode_t mode)
{
	struct node *n, *at = dir_of(dir);
	int fd, r;

	if (dir != AT_FDCWD && at == NULL && path[0] != '/')
		return fail(EBADF);
	for (fd = 0; fd < FDS && files[fd].node != NULL; fd++)
		;
	if (fd == FDS)
		return fail(EMFILE);
	r = disk_lookup(&n, at, path, (flags & O_NOFOLLOW) == 0);
	if (r == 0 && (flags & (O_CREAT | O_EXCL)) == (O_CREAT | O_EXCL)) {
		node_unref(n);
		return fail(EEXIST);
	}
	if (r == ENOENT && (flags & O_CREAT) != 0)
		r = process_effect(EFFECT_NAME, "create") ? disk_create(&n, at, path, NODE_FILE, mode, true, NULL) : EIO;
	if (r != 0)
		return fail(r);
	if ((r = check_open(n, flags)) == 0 && (flags & O_TRUNC) != 0)
		r = node_truncate(n, 0);
	if (r != 0) {
		node_unref(n);
		return fail(r);
	}
	files[fd] = (struct file){ .node = n, .flags = flags };
	return FD_BASE + fd;
}

int
__wrap_openat(int dir, const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list ap;

	va_start(ap, flags);
	if ((flags & O_CREAT) != 0)
		mode = va_arg(ap, mode_t);
	va_end(ap);
	return open_at(dir, path, flags, mode);
}

int
__wrap_open(const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list ap;

	va_start(ap, flags);
	if ((flags & O_CREAT) != 0)
		mode = va_arg(ap, mode_t);
	va_end(ap);
	return disk_root == NULL ? __real_open(path, flags, mode) : open_at(AT_FDCWD, path, flags, mode);
}

int
__wrap___openat_2(int dir, const char *path, int flags)
{
	return open_at(dir, path, flags, 0);
}

int
__wrap___open_2(const char *path, int flags)
{
	return open_at(AT_FDCWD, path, flags, 0);
}

int __real_close(int fd);
int __wrap_close(int fd);

int
__wrap_close(int fd)
{
	struct file *f = file_of(fd);

	if (fd < FD_BASE)
		return __real_close(fd);
	if (f == NULL)
		return fail(EBADF);
	node_unref(f->node);
	f->node = NULL;
	return 0;
}

/* --- bytes --- */

ssize_t __real_read(int fd, void *p, size_t n);
ssize_t __wrap_read(int fd, void *p, size_t n);
ssize_t __wrap___read_chk(int fd, void *p, size_t n, size_t room);
ssize_t __real_write(int fd, const void *p, size_t n);
ssize_t __wrap_write(int fd, const void *p, size_t n);
int __wrap_fsync(int fd);

ssize_t
__wrap_read(int fd, void *p, size_t n)
{
	struct file *f = file_of(fd);

	if (fd < FD_BASE)
		return __real_read(fd, p, n);
	if (f == NULL)
		return fail(EBADF);
	n = node_read(f->node, f->off, p, n);
	f->off += n;
	return (ssize_t)n;
}

ssize_t
__wrap___read_chk(int fd, void *p, size_t n, size_t room)
{
	if (n > room)
		abort();
	return __wrap_read(fd, p, n);
}

ssize_t
__wrap_write(int fd, const void *p, size_t n)
{
	struct file *f = file_of(fd);
	size_t done;
	int r;

	if (fd < FD_BASE)
		return __real_write(fd, p, n);
	if (f == NULL)
		return fail(EBADF);
	if (!process_effect(EFFECT_WRITE, "write"))
		return fail(EIO);
	if ((r = node_write(f->node, f->off, p, n, &done)) != 0)
		return fail(r);
	f->off += done;
	return (ssize_t)done;
}

int
__wrap_fsync(int fd)
{
	struct file *f = file_of(fd);
	int r;

	if (f == NULL)
		return fail(EBADF);
	if (!process_effect(EFFECT_SYNC, "fsync"))
		return fail(EIO);
	r = node_sync(f->node);
	return r == 0 ? 0 : fail(r);
}

/* --- looking --- */

int __wrap_fstat(int fd, struct stat *st);
int __wrap_stat(const char *path, struct stat *st);
int __wrap_lstat(const char *path, struct stat *st);
int __wrap_access(const char *path, int mode);
char *__wrap_realpath(const char *path, char *out);
char *__wrap___realpath_chk(const char *path, char *out, size_t room);
ssize_t __wrap_readlinkat(int dir, const char *path, char *out, size_t n);
ssize_t __wrap___readlinkat_chk(int dir, const char *path, char *out, size_t n, size_t room);

static void
fill(struct stat *st, const struct node *n)
{
	memset(st, 0, sizeof *st);
	st->st_mode = node_mode(n) | (node_type(n) == NODE_DIR ? S_IFDIR : node_type(n) == NODE_LINK ? S_IFLNK : S_IFREG);
	st->st_uid = geteuid();
	st->st_gid = getegid();
	st->st_ino = node_number(n);
	st->st_nlink = 1;
	st->st_size = (off_t)node_size(n);
}

int
__wrap_fstat(int fd, struct stat *st)
{
	const struct file *f = file_of(fd);

	if (f == NULL)
		return fail(EBADF);
	fill(st, f->node);
	return 0;
}

static int
stat_path(const char *path, struct stat *st, bool follow)
{
	struct node *n;
	int r = disk_lookup(&n, NULL, path, follow);

	if (r != 0)
		return fail(r);
	fill(st, n);
	node_unref(n);
	return 0;
}

int
__wrap_stat(const char *path, struct stat *st)
{
	return stat_path(path, st, true);
}

int
__wrap_lstat(const char *path, struct stat *st)
{
	return stat_path(path, st, false);
}

int
__wrap_access(const char *path, int mode)
{
	struct stat st;

	(void)mode;
	return stat_path(path, &st, true);
}

/* Nobody puts a symlink into the paths of this world. */
char *
__wrap_realpath(const char *path, char *out)
{
	struct stat st;

	return stat_path(path, &st, true) == 0 ? strcpy(out, path) : NULL;
}

char *
__wrap___realpath_chk(const char *path, char *out, size_t room)
{
	if (strlen(path) >= room)
		abort();
	return __wrap_realpath(path, out);
}

ssize_t
__wrap_readlinkat(int dir, const char *path, char *out, size_t n)
{
	struct node *f;
	size_t len;
	int r = disk_lookup(&f, dir_of(dir), path, false);

	if (r != 0)
		return fail(r);
	if (node_type(f) != NODE_LINK) {
		node_unref(f);
		return fail(EINVAL);
	}
	len = strlen(node_target(f));
	len = len < n ? len : n;
	memcpy(out, node_target(f), len);
	node_unref(f);
	return (ssize_t)len;
}

ssize_t
__wrap___readlinkat_chk(int dir, const char *path, char *out, size_t n, size_t room)
{
	if (n > room)
		abort();
	return __wrap_readlinkat(dir, path, out, n);
}

/* --- names --- */

int __wrap_rename(const char *from, const char *to);
int __wrap_renameat(int from_dir, const char *from, int to_dir, const char *to);
int __wrap_link(const char *from, const char *to);
int __wrap_unlink(const char *path);
int __wrap_unlinkat(int dir, const char *path, int flags);
int __wrap_mkdir(const char *path, mode_t mode);
int __wrap_mkdirat(int dir, const char *path, mode_t mode);
int __wrap_symlinkat(const char *target, int dir, const char *path);
int __wrap_chmod(const char *path, mode_t mode);
int __wrap_fchmod(int fd, mode_t mode);

static int
answer(int r)
{
	return r == 0 ? 0 : fail(r);
}

int
__wrap_renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	int r = process_effect(EFFECT_NAME, "rename") ? disk_rename(dir_of(from_dir), from, dir_of(to_dir), to) : EIO;

	if (r == 0 && strcmp(to, "current") == 0)
		check_on_visible();
	return answer(r);
}

int
__wrap_rename(const char *from, const char *to)
{
	return answer(process_effect(EFFECT_NAME, "rename") ? disk_rename(NULL, from, NULL, to) : EIO);
}

int
__wrap_link(const char *from, const char *to)
{
	return answer(process_effect(EFFECT_NAME, "link") ? disk_link(from, to) : EIO);
}

int
__wrap_unlinkat(int dir, const char *path, int flags)
{
	struct node *n;
	int r = disk_lookup(&n, dir_of(dir), path, false);

	if (r != 0)
		return fail(r); /* no effect, so no place to die at */
	node_unref(n);
	return answer(process_effect(EFFECT_NAME, "unlink") ? disk_remove(dir_of(dir), path, (flags & AT_REMOVEDIR) != 0) : EIO);
}

int
__wrap_unlink(const char *path)
{
	return __wrap_unlinkat(AT_FDCWD, path, 0);
}

static int
make(int dir, const char *path, enum node_type type, mode_t mode, const char *target)
{
	struct node *n;
	int r = disk_lookup(&n, dir_of(dir), path, false);

	if (r == 0) {
		node_unref(n);
		return fail(EEXIST);
	}
	r = process_effect(EFFECT_NAME, "make") ? disk_create(&n, dir_of(dir), path, type, mode, true, target) : EIO;
	if (r == 0)
		node_unref(n);
	return answer(r);
}

int
__wrap_mkdirat(int dir, const char *path, mode_t mode)
{
	return make(dir, path, NODE_DIR, mode, NULL);
}

int
__wrap_mkdir(const char *path, mode_t mode)
{
	return make(AT_FDCWD, path, NODE_DIR, mode, NULL);
}

int
__wrap_symlinkat(const char *target, int dir, const char *path)
{
	return make(dir, path, NODE_LINK, 0777, target);
}

int
__wrap_chmod(const char *path, mode_t mode)
{
	struct node *n;
	int r = disk_lookup(&n, NULL, path, true);

	if (r != 0)
		return fail(r);
	node_set_mode(n, mode);
	node_unref(n);
	return 0;
}

int
__wrap_fchmod(int fd, mode_t mode)
{
	struct file *f = file_of(fd);

	if (f == NULL)
		return fail(EBADF);
	node_set_mode(f->node, mode);
	return 0;
}

/* A lock of an open file goes with it. Only whole files are locked here, and only for writing. */
int __real_fcntl(int fd, int cmd, ...);
int __wrap_fcntl(int fd, int cmd, ...);

int
__wrap_fcntl(int fd, int cmd, ...)
{
	struct file *f = file_of(fd);
	va_list ap;
	void *arg;
	int i;

	if (fd < FD_BASE) {
		va_start(ap, cmd);
		arg = va_arg(ap, void *);
		va_end(ap);
		return __real_fcntl(fd, cmd, arg);
	}
	if (f == NULL)
		return fail(EBADF);
	if (cmd != F_OFD_SETLK)
		return 0;
	for (i = 0; i < FDS; i++)
		if (&files[i] != f && files[i].node == f->node && files[i].locked)
			return fail(EAGAIN);
	f->locked = true;
	return 0;
}

void
posix_unlock_all(void)
{
	int i;

	for (i = 0; i < FDS; i++)
		files[i].locked = false;
}

/* --- folders --- */

DIR *__wrap_fdopendir(int fd);
DIR *__wrap_opendir(const char *path);
struct dirent *__wrap_readdir(DIR *dir);
int __wrap_closedir(DIR *dir);

DIR *
__wrap_fdopendir(int fd)
{
	const struct file *f = file_of(fd);
	struct folder *d;

	if (f == NULL || node_type(f->node) != NODE_DIR) {
		errno = ENOTDIR;
		return NULL;
	}
	d = xcalloc(1, sizeof *d);
	d->fd = fd;
	d->names = node_names(f->node, &d->n);
	d->next = folders;
	folders = d;
	return (DIR *)d;
}

DIR *
__wrap_opendir(const char *path)
{
	int fd = open_at(AT_FDCWD, path, O_RDONLY | O_DIRECTORY, 0);

	return fd >= 0 ? __wrap_fdopendir(fd) : NULL;
}

struct dirent *
__wrap_readdir(DIR *dir)
{
	struct folder *d = (struct folder *)dir;

	if (d->at == d->n)
		return NULL;
	strncpy(d->entry.d_name, d->names[d->at++], sizeof d->entry.d_name - 1);
	return &d->entry;
}

int
__wrap_closedir(DIR *dir)
{
	struct folder *d = (struct folder *)dir;
	int fd = d->fd;

	folder_free(d);
	return __wrap_close(fd);
}

int __wrap_scandir(const char *path, struct dirent ***list, int (*filter)(const struct dirent *), int (*cmp)(const struct dirent **, const struct dirent **));

int
__wrap_scandir(
    const char *path, struct dirent ***list, int (*filter)(const struct dirent *), int (*cmp)(const struct dirent **, const struct dirent **))
{
	DIR *dir = __wrap_opendir(path);
	const struct dirent *at;
	struct dirent **v = NULL;
	size_t n = 0;

	if (dir == NULL)
		return -1;
	while ((at = __wrap_readdir(dir)) != NULL) {
		if (filter != NULL && filter(at) == 0)
			continue;
		v = xreallocarray(v, n + 1, sizeof(struct dirent *));
		v[n] = xcalloc(1, sizeof **v);
		*v[n++] = *at;
	}
	__wrap_closedir(dir);
	if (n > 1)
		qsort(v, n, sizeof(struct dirent *), (int (*)(const void *, const void *))cmp);
	*list = v;
	return (int)n;
}
