/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * SQLite's files on the disk of disk.c: a VFS in memory that syncs, fails and
 * dies as the disk does. Shared memory of the WAL lives with the connection:
 * there is one at a time, and after a crash it begins anew.
 */
#include "config.h"
#include "sim/impl.h"

#include "base/mem.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REGIONS 64

struct vfile {
	sqlite3_file base;
	struct node *node; /* a reference */
	char parent[256];  /* the folder to sync with it, "": none */
	char path[256];    /* to remove at close, "": no */
	void *regions[REGIONS];
	int error; /* the last errno */
};
static int last_error;

static int
failed(struct vfile *f, int error, int code)
{
	f->error = last_error = error;
	return code;
}

static int
x_close(sqlite3_file *file)
{
	struct vfile *f = (struct vfile *)file;
	int i;

	node_unref(f->node);
	f->node = NULL;
	for (i = 0; i < REGIONS; i++)
		free(f->regions[i]);
	memset(f->regions, 0, sizeof f->regions);
	if (f->path[0] != '\0')
		disk_remove(NULL, f->path, false);
	return SQLITE_OK;
}

static int
x_read(sqlite3_file *file, void *p, int n, sqlite3_int64 off)
{
	struct vfile *f = (struct vfile *)file;
	size_t got = node_read(f->node, (size_t)off, p, (size_t)n);

	if (got == (size_t)n)
		return SQLITE_OK;
	memset((char *)p + got, 0, (size_t)n - got);
	return SQLITE_IOERR_SHORT_READ;
}

static int
x_write(sqlite3_file *file, const void *p, int n, sqlite3_int64 off)
{
	struct vfile *f = (struct vfile *)file;
	size_t done, at = 0;
	int r;

	while (at < (size_t)n) {
		if (!process_effect(EFFECT_WRITE, "sqlite write"))
			return failed(f, EIO, SQLITE_IOERR_WRITE);
		r = node_write(f->node, (size_t)off + at, (const char *)p + at, (size_t)n - at, &done);
		if (r != 0)
			return failed(f, r, r == ENOSPC ? SQLITE_FULL : SQLITE_IOERR_WRITE);
		at += done;
	}
	return SQLITE_OK;
}

static int
x_truncate(sqlite3_file *file, sqlite3_int64 n)
{
	struct vfile *f = (struct vfile *)file;
	int r = process_effect(EFFECT_WRITE, "sqlite truncate") ? node_truncate(f->node, (size_t)n) : EIO;

	return r == 0 ? SQLITE_OK : failed(f, r, SQLITE_IOERR_TRUNCATE);
}

static int
sync_folder(const char *path)
{
	struct node *dir;
	int r;

	if (disk_lookup(&dir, NULL, path, true) != 0)
		return EIO;
	r = process_effect(EFFECT_SYNC, "sqlite fsync") ? node_sync(dir) : EIO;
	node_unref(dir);
	return r;
}

static int
x_sync(sqlite3_file *file, int flags)
{
	struct vfile *f = (struct vfile *)file;
	int r = process_effect(EFFECT_SYNC, "sqlite fsync") ? node_sync(f->node) : EIO;

	(void)flags;
	if (r != 0)
		return failed(f, r, SQLITE_IOERR_FSYNC);
	if (f->parent[0] != '\0' && (r = sync_folder(f->parent)) != 0)
		return failed(f, r, SQLITE_IOERR_DIR_FSYNC);
	f->parent[0] = '\0';
	return SQLITE_OK;
}

static int
x_size(sqlite3_file *file, sqlite3_int64 *n)
{
	*n = (sqlite3_int64)node_size(((struct vfile *)file)->node);
	return SQLITE_OK;
}

static int
x_lock(sqlite3_file *file, int how)
{
	(void)file;
	(void)how;
	return SQLITE_OK;
}

static int
x_check_lock(sqlite3_file *file, int *out)
{
	(void)file;
	*out = 0;
	return SQLITE_OK;
}

static int
x_control(sqlite3_file *file, int op, void *arg)
{
	struct vfile *f = (struct vfile *)file;

	if (op != SQLITE_FCNTL_LAST_ERRNO)
		return SQLITE_NOTFOUND;
	*(int *)arg = f->error;
	return SQLITE_OK;
}

static int
x_sector(sqlite3_file *file)
{
	(void)file;
	return 512;
}

static int
x_traits(sqlite3_file *file)
{
	(void)file;
	return 0;
}

static int
x_shm_map(sqlite3_file *file, int region, int size, int extend, void volatile **out)
{
	struct vfile *f = (struct vfile *)file;

	if (region >= REGIONS)
		return SQLITE_IOERR_SHMSIZE;
	if (f->regions[region] == NULL && extend)
		f->regions[region] = xcalloc(1, (size_t)size);
	*out = f->regions[region];
	return SQLITE_OK;
}

static int
x_shm_lock(sqlite3_file *file, int offset, int n, int flags)
{
	(void)file;
	(void)offset;
	(void)n;
	(void)flags;
	return SQLITE_OK;
}

static void
x_shm_barrier(sqlite3_file *file)
{
	(void)file;
}

static int
x_shm_unmap(sqlite3_file *file, int remove)
{
	struct vfile *f = (struct vfile *)file;
	int i;

	(void)remove;
	for (i = 0; i < REGIONS; i++) {
		free(f->regions[i]);
		f->regions[i] = NULL;
	}
	return SQLITE_OK;
}

static const sqlite3_io_methods methods = { 2, x_close, x_read, x_write, x_truncate, x_sync, x_size, x_lock, x_lock, x_check_lock, x_control,
	x_sector, x_traits, x_shm_map, x_shm_lock, x_shm_barrier, x_shm_unmap, NULL, NULL };

static int
x_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *file, int flags, int *flags_out)
{
	struct vfile *f = (struct vfile *)file;
	int r = 0;

	(void)vfs;
	memset(f, 0, sizeof *f);
	if (path == NULL)
		f->node = node_anonymous();
	else if ((r = disk_lookup(&f->node, NULL, path, false)) == ENOENT && (flags & SQLITE_OPEN_CREATE) != 0)
		r = process_effect(EFFECT_NAME, "sqlite create") ? disk_create(&f->node, NULL, path, NODE_FILE, 0600, true, NULL) : EIO;
	/* As SQLite on unix does: with the first sync of a journal its folder, also when the journal was there; not with the database's. */
	if (r == 0 && path != NULL && (flags & SQLITE_OPEN_CREATE) != 0 &&
	    (flags & (SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_SUPER_JOURNAL)) != 0)
		snprintf(f->parent, sizeof f->parent, "%.*s", (int)(strrchr(path, '/') - path), path);
	if (r != 0) {
		last_error = r;
		return r == ENOSPC ? SQLITE_FULL : SQLITE_CANTOPEN;
	}
	if (path != NULL && (flags & SQLITE_OPEN_DELETEONCLOSE) != 0)
		snprintf(f->path, sizeof f->path, "%s", path);
	if (flags_out != NULL)
		*flags_out = disk_faults.read_only ? (flags & ~SQLITE_OPEN_READWRITE) | SQLITE_OPEN_READONLY : flags;
	file->pMethods = &methods;
	return SQLITE_OK;
}

static int
x_delete(sqlite3_vfs *vfs, const char *path, int sync)
{
	char parent[256];
	struct node *n;
	int r = disk_lookup(&n, NULL, path, false);

	(void)vfs;
	if (r != 0)
		return SQLITE_IOERR_DELETE_NOENT;
	node_unref(n);
	r = process_effect(EFFECT_NAME, "sqlite delete") ? disk_remove(NULL, path, false) : EIO;
	if (r == 0 && sync) {
		snprintf(parent, sizeof parent, "%.*s", (int)(strrchr(path, '/') - path), path);
		if ((r = sync_folder(parent)) != 0) {
			last_error = r;
			return SQLITE_IOERR_DIR_FSYNC;
		}
	}
	last_error = r;
	return r == 0 ? SQLITE_OK : SQLITE_IOERR_DELETE;
}

static int
x_access(sqlite3_vfs *vfs, const char *path, int flags, int *out)
{
	struct node *n;

	(void)vfs;
	*out = disk_lookup(&n, NULL, path, true) == 0;
	if (*out == 0)
		return SQLITE_OK;
	/* As on unix: an empty file does not exist. */
	if (flags == SQLITE_ACCESS_EXISTS)
		*out = node_type(n) != NODE_FILE || node_size(n) > 0;
	node_unref(n);
	return SQLITE_OK;
}

static int
x_full_path(sqlite3_vfs *vfs, const char *path, int n, char *out)
{
	(void)vfs;
	sqlite3_snprintf(n, out, "%s", path);
	return SQLITE_OK;
}

static int
x_random(sqlite3_vfs *vfs, int n, char *out)
{
	(void)vfs;
	sim_bytes(DICE_DAEMON, out, (size_t)n);
	return n;
}

static int
x_sleep(sqlite3_vfs *vfs, int us)
{
	(void)vfs;
	return us;
}

static int
x_time(sqlite3_vfs *vfs, sqlite3_int64 *out)
{
	(void)vfs;
	*out = sim_wall() * 1000 + INT64_C(210866760000000);
	return SQLITE_OK;
}

static int
x_old_time(sqlite3_vfs *vfs, double *out)
{
	sqlite3_int64 ms;

	x_time(vfs, &ms);
	*out = (double)ms / 86400000.0;
	return SQLITE_OK;
}

static int
x_last_error(sqlite3_vfs *vfs, int n, char *out)
{
	(void)vfs;
	(void)n;
	(void)out;
	return last_error;
}

static sqlite3_vfs vfs = { .iVersion = 2, .szOsFile = sizeof(struct vfile), .mxPathname = 255, .zName = "sim", .xOpen = x_open,
	.xDelete = x_delete, .xAccess = x_access, .xFullPathname = x_full_path, .xRandomness = x_random, .xSleep = x_sleep,
	.xCurrentTime = x_old_time, .xGetLastError = x_last_error, .xCurrentTimeInt64 = x_time };

void
vfs_register(void)
{
	if (sqlite3_vfs_register(&vfs, 1) != SQLITE_OK)
		abort();
}

void
vfs_begin(void)
{
	last_error = 0;
	sqlite3_randomness(0, NULL);
}
