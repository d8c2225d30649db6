/* SPDX-License-Identifier: BSD-3-Clause */
/* Files: read with suspicion, written whole or not at all. */
#include "config.h"
#include "base/file.h"
#include "base/mutant.h"

#include "base/rng.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <limits.h>

static int
open_checked(const char *path, enum file_rule rule, struct stat *st, struct err *e)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);

	if (fd < 0) {
		if (errno == ELOOP)
			return err_set(e, ERR_SYS, "%s: is a symbolic link; name the file itself", path);
		return err_set_sys(e, "%s", path);
	}
	if (fstat(fd, st) != 0)
		err_set_sys(e, "%s", path);
	else if (!S_ISREG(st->st_mode))
		err_set(e, ERR_SYS, "%s: not a regular file", path);
	else if (rule == FILE_SECRET && st->st_uid != 0 && st->st_uid != geteuid())
		err_set(e, ERR_SYS, "%s: belongs to another user (uid %ld); chown it", path, (long)st->st_uid);
	else if (rule == FILE_SECRET && (st->st_mode & (S_IWGRP | S_IRWXO)) != 0)
		err_set(e, ERR_SYS, "%s: readable or writable by others (mode %04o); chmod 0600 it", path,
		    (unsigned)(st->st_mode & 07777));
	else if (rule == FILE_FOREIGN && (st->st_mode & (S_IWGRP | S_IWOTH)) != 0)
		err_set(e, ERR_SYS, "%s: writable by others than its owner (mode %04o); chmod go-w it", path,
		    (unsigned)(st->st_mode & 07777));
	else
		return fd;
	close(fd);
	return -1;
}

static int
read_all(int fd, char *p, size_t n, size_t *got)
{
	ssize_t r;

	for (*got = 0; *got < n; *got += (size_t)r) {
		r = read(fd, p + *got, n - *got);
		if (r < 0 && errno == EINTR)
			r = 0;
		else if (r < 0)
			return -1;
		else if (r == 0)
			break;
	}
	return 0;
}

int
file_read(const char *path, size_t max, enum file_rule rule, char **out, size_t *len, struct err *e)
{
	struct stat st;
	size_t got;
	char *p = NULL;
	int fd, ret = -1;

	if ((fd = open_checked(path, rule, &st, e)) < 0)
		return -1;
	if (st.st_size < 0 || (size_t)st.st_size > max) {
		err_set(e, ERR_LIMIT, "%s: larger than %zu bytes", path, max);
		goto out;
	}
	if ((p = malloc((size_t)st.st_size + 2)) == NULL) {
		err_set(e, ERR_MEMORY, "%s: out of memory", path);
		goto out;
	}
	/* One byte more than it had, to see it grow. */
	if (read_all(fd, p, (size_t)st.st_size + 1, &got) != 0) {
		err_set_sys(e, "%s", path);
		goto out;
	}
	if (got > (size_t)st.st_size) {
		err_set(e, ERR_SYS, "%s: changed while it was read; try again", path);
		goto out;
	}
	p[got] = '\0';
	*out = p;
	*len = got;
	p = NULL;
	ret = 0;
out:
	free(p);
	close(fd);
	return ret;
}

int
file_read_exact(const char *path, enum file_rule rule, void *out, size_t n, struct err *e)
{
	struct stat st;
	size_t got;
	char extra;
	int fd, ret = -1;

	if ((fd = open_checked(path, rule, &st, e)) < 0)
		return -1;
	if (read_all(fd, out, n, &got) != 0)
		err_set_sys(e, "%s", path);
	else if (got != n || read(fd, &extra, 1) != 0)
		err_set(e, ERR_PARSE, "%s: must have exactly %zu bytes", path, n);
	else
		ret = 0;
	close(fd);
	return ret;
}

int
file_read_numbered(struct file_text *out, size_t n, const char *path, const char *ending, size_t max, struct err *e)
{
	char name[PATH_MAX];
	struct err inner;
	size_t i;

	memset(out, 0, n * sizeof *out);
	for (i = 0; i < n; i++) {
		err_clear(&inner);
		if ((size_t)snprintf(name, sizeof name, "%s.%zu%s", path, i + 1, ending) >= sizeof name)
			return err_set(e, ERR_LIMIT, "%s: path too long", path);
		if (file_read(name, max, FILE_PUBLIC, &out[i].p, &out[i].len, &inner) != 0 && inner.sys != ENOENT)
			return err_set(e, inner.code, "%s", inner.msg);
	}
	return 0;
}

static int
write_all(int fd, const char *p, size_t n)
{
	ssize_t w;

	while (n > 0) {
		w = write(fd, p, n);
		if (w < 0 && errno != EINTR)
			return -1;
		if (w > 0) {
			p += w;
			n -= (size_t)w;
		}
	}
	return 0;
}

static int
sync_parent(const char *path, struct err *e)
{
	char dir[PATH_MAX];
	const char *slash = strrchr(path, '/');

	if (slash == NULL)
		return file_sync_dir(".", e);
	if (slash == path)
		return file_sync_dir("/", e);
	snprintf(dir, sizeof dir, "%.*s", (int)(slash - path), path);
	return file_sync_dir(dir, e);
}

enum write_how { WRITE_REPLACE = 1, WRITE_DURABLE = 2 };

static int
write_via(const char *path, const void *p, size_t n, mode_t mode, unsigned how, struct err *e)
{
	bool replace = (how & WRITE_REPLACE) != 0, durable = (how & WRITE_DURABLE) != 0;
	char tmp[PATH_MAX];
	uint64_t id;
	int fd, ok;

	rng_bytes(&id, sizeof id);
	if ((size_t)snprintf(tmp, sizeof tmp, "%s.tmp-%016llx", path, (unsigned long long)id) >= sizeof tmp)
		return err_set(e, ERR_LIMIT, "%s: path too long", path);
	fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	if (fd < 0)
		return err_set_sys(e, "%s: cannot write beside it", path);
	ok = fchmod(fd, mode) == 0 && write_all(fd, p, n) == 0 && (!durable || fsync(fd) == 0);
	if (!ok)
		err_set_sys(e, "%s", path);
	if (close(fd) != 0 && ok) {
		ok = 0;
		err_set_sys(e, "%s", path);
	}
	if (ok && replace && rename(tmp, path) != 0) {
		ok = 0;
		err_set_sys(e, "%s", path);
	}
	if (ok && !replace && link(tmp, path) != 0) {
		ok = 0;
		err_set_sys(e, "%s", path);
	}
	if (!ok || !replace)
		unlink(tmp);
	if (ok && durable && sync_parent(path, e) != 0) {
		ok = 0;
		if (!replace)
			unlink(path); /* ours: link() made it */
	}
	return ok ? 0 : -1;
}

int
file_write(const char *path, const void *p, size_t n, mode_t mode, struct err *e)
{
	return write_via(path, p, n, mode, WRITE_REPLACE | WRITE_DURABLE, e);
}

int
file_create(const char *path, const void *p, size_t n, mode_t mode, struct err *e)
{
	return write_via(path, p, n, mode, WRITE_DURABLE, e);
}

int
file_show(const char *path, const void *p, size_t n, mode_t mode, struct err *e)
{
	return write_via(path, p, n, mode, WRITE_REPLACE, e);
}

int
file_mkdirs(const char *path, mode_t mode, struct err *e)
{
	char part[PATH_MAX];
	struct stat st;
	size_t n = strlen(path), i;

	if (n == 0 || n >= sizeof part)
		return err_set(e, ERR_LIMIT, "%s: path empty or too long", path);
	memcpy(part, path, n + 1);
	for (i = 1; i <= n; i++) {
		if (part[i] != '/' && part[i] != '\0')
			continue;
		part[i] = '\0';
		if (mkdir(part, mode) == 0) {
			/* Whatever the umask, which is for what nobody thought of. */
			if (chmod(part, mode) != 0)
				return err_set_sys(e, "%s", part);
			if (sync_parent(part, e) != 0)
				return -1;
		} else if (errno != EEXIST) {
			return err_set_sys(e, "%s", part);
		}
		if (i < n)
			part[i] = '/';
	}
	if (stat(path, &st) != 0)
		return err_set_sys(e, "%s", path);
	if (!S_ISDIR(st.st_mode))
		return err_set(e, ERR_SYS, "%s: not a folder", path);
	return 0;
}

int
file_sync_dir(const char *path, struct err *e)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), r;

	if (fd < 0)
		return err_set_sys(e, "%s", path);
	r = MUTANT(10) ? 0 : fsync(fd);
	if (r != 0)
		err_set_sys(e, "%s: fsync", path);
	close(fd);
	return r == 0 ? 0 : -1;
}

int
file_check_dir(const char *path, struct err *e)
{
	struct stat st;

	if (lstat(path, &st) != 0)
		return err_set_sys(e, "%s", path);
	if (!S_ISDIR(st.st_mode))
		return err_set(e, ERR_SYS, "%s: not a folder", path);
	if (st.st_uid != 0 && st.st_uid != geteuid())
		return err_set(e, ERR_SYS, "%s: belongs to another user (uid %ld); chown it", path, (long)st.st_uid);
	if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
		return err_set(e, ERR_SYS, "%s: writable by group or others (mode %04o); chmod 0700 it", path,
		    (unsigned)(st.st_mode & 07777));
	return 0;
}
