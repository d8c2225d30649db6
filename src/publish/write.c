/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Channel folders on disk: a whole new folder, synced, then one rename of the
 * symlink `current`. At every moment a reader finds one complete list.
 */
#include "config.h"
#include "base/file.h"
#include "publish/publish_impl.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEEP 2 /* the current folder and the one before: a slow reader may still be in it */

static int
put_file(int dir, const struct pfile *f, const char *where, struct err *e)
{
	int fd = openat(dir, f->name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	size_t done = 0;
	ssize_t w;
	int r = -1;

	if (fd < 0)
		return err_set_sys(e, "%s/%s", where, f->name);
	while (done < f->len) {
		w = write(fd, f->text + done, f->len - done);
		if (w < 0 && errno != EINTR)
			break;
		if (w > 0)
			done += (size_t)w;
	}
	if (done < f->len || fchmod(fd, 0644) != 0 || fsync(fd) != 0)
		err_set_sys(e, "%s/%s", where, f->name);
	else
		r = 0;
	if (close(fd) != 0 && r == 0)
		r = err_set_sys(e, "%s/%s", where, f->name);
	return r;
}

/* Removes a folder of plain files; quietly, since it is only tidying. */
static void
remove_folder(int parent, const char *name)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct dirent *de;
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;

	if (d == NULL) {
		if (fd >= 0)
			close(fd);
		return;
	}
	while ((de = readdir(d)) != NULL)
		if (strcmp(de->d_name, ".") != 0 && strcmp(de->d_name, "..") != 0)
			unlinkat(fd, de->d_name, 0);
	closedir(d);
	unlinkat(parent, name, AT_REMOVEDIR);
}

/* A folder name that is a serial; 0: it isn't. */
static uint64_t
serial_of(const char *name)
{
	uint64_t v = 0;
	size_t n;

	for (n = 0; name[n] >= '0' && name[n] <= '9' && n < 17; n++)
		v = v * 10 + (uint64_t)(name[n] - '0');
	return name[n] == '\0' && n > 0 && name[0] != '0' ? v : 0;
}

/* Older lists but the last, and what a crash left half made. */
static void
tidy(int dir, uint64_t serial)
{
	uint64_t newest_old = 0, v;
	struct dirent *de;
	int fd = dup(dir), pass;
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;

	if (d == NULL) {
		if (fd >= 0)
			close(fd);
		return;
	}
	for (pass = 0; pass < KEEP; pass++) {
		rewinddir(d);
		while ((de = readdir(d)) != NULL) {
			v = serial_of(de->d_name);
			if (pass == 0 && v > newest_old && v < serial)
				newest_old = v;
			if (pass == 1 && v != 0 && v != serial && v != newest_old)
				remove_folder(dir, de->d_name);
			if (pass == 1 && strncmp(de->d_name, ".new-", 5) == 0)
				remove_folder(dir, de->d_name);
		}
	}
	closedir(d);
}

/* -1: `current` is as it was; -2: it is the new one, but the disk may not know yet. */
static int
swap_current(int dir, const char *where, const char *name, struct err *e)
{
	unlinkat(dir, ".current", 0);
	if (symlinkat(name, dir, ".current") != 0 || renameat(dir, ".current", dir, "current") != 0) {
		err_set_sys(e, "%s/current", where);
		unlinkat(dir, ".current", 0);
		return -1;
	}
	if (fsync(dir) == 0)
		return 0;
	err_set_sys(e, "%s: fsync", where);
	return -2;
}

static int
fill_folder(int dir, const char *where, const struct channel_files *c, const char *tmp, struct err *e)
{
	int fd, r = 0;
	size_t i;

	if (mkdirat(dir, tmp, 0755) != 0 || (fd = openat(dir, tmp, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)) < 0)
		return err_set_sys(e, "%s/%s", where, tmp);
	if (fchmod(fd, 0755) != 0)
		r = err_set_sys(e, "%s/%s", where, tmp);
	for (i = 0; r == 0 && i < c->n; i++)
		r = put_file(fd, &c->files[i], where, e);
	if (r == 0 && fsync(fd) != 0)
		r = err_set_sys(e, "%s/%s: fsync", where, tmp);
	close(fd);
	return r;
}

static int
write_channel(const char *root, const struct channel_files *c, uint64_t serial, struct err *e)
{
	char where[PATH_MAX], name[32], tmp[48];
	int dir, r = -1;

	snprintf(where, sizeof where, "%s/%s", root, c->channel);
	snprintf(name, sizeof name, "%llu", (unsigned long long)serial);
	snprintf(tmp, sizeof tmp, ".new-%s", name);
	if (file_mkdirs(where, 0755, e) != 0)
		return -1;
	dir = open(where, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return err_set_sys(e, "%s", where);
	remove_folder(dir, tmp);
	if (fill_folder(dir, where, c, tmp, e) != 0)
		goto out;
	if (renameat(dir, tmp, dir, name) != 0) {
		err_set_sys(e, "%s/%s", where, name);
		goto out;
	}
	if (fsync(dir) != 0)
		err_set_sys(e, "%s: fsync", where);
	else
		r = swap_current(dir, where, name, e);
	if (r == 0)
		tidy(dir, serial);
	if (r == -1)
		remove_folder(dir, name);
out:
	if (r != 0)
		remove_folder(dir, tmp);
	close(dir);
	return r == 0 ? 0 : -1;
}

int
publication_write(const struct publication *p, const char *dir, struct err *e)
{
	size_t i;

	for (i = 0; i < p->n_channels; i++)
		if (write_channel(dir, &p->channels[i], p->serial, e) != 0)
			return err_prefix(e, "publish");
	return 0;
}

/* The serial in one folder's head.json; 0 if there is no readable one. */
static uint64_t
serial_inside(const char *folder)
{
	struct doc_head h = { 0 };
	char path[PATH_MAX], *text;
	uint64_t serial = 0;
	size_t n;

	if ((size_t)snprintf(path, sizeof path, "%s/head.json", folder) >= sizeof path ||
	    file_read(path, DOC_HEAD_MAX, FILE_PUBLIC, &text, &n, NULL) != 0)
		return 0;
	if (doc_head_parse(&h, text, n, NULL, NULL) == DOC_OK)
		serial = h.serial;
	doc_head_free(&h);
	free(text);
	return serial;
}

static uint64_t
highest_in(const char *dir, int depth)
{
	uint64_t highest = serial_inside(dir), v;
	char path[PATH_MAX];
	struct dirent *de;
	DIR *d = depth > 0 ? opendir(dir) : NULL;

	if (d == NULL)
		return highest;
	while ((de = readdir(d)) != NULL) {
		if (de->d_name[0] == '.' || (size_t)snprintf(path, sizeof path, "%s/%s", dir, de->d_name) >= sizeof path)
			continue;
		v = highest_in(path, depth - 1);
		highest = v > highest ? v : highest;
	}
	closedir(d);
	return highest;
}

uint64_t
publish_highest_serial(const char *dir)
{
	return highest_in(dir, 2);
}
