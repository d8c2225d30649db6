/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Channel folders on disk: a whole new folder, synced, then one rename of the
 * symlink `current`. At every moment a reader finds one complete list. All
 * channels are made ready before the first is shown, so that a full disk leaves
 * each of them as it was.
 */
#include "config.h"
#include "base/file.h"
#include "publish/publish_impl.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINKS_MAX 4

/* One channel's folder while a list goes out. */
struct target {
	char where[PATH_MAX];
	char name[24];   /* the new folder: the serial */
	int fd;          /* of `where`, owned */
	uint64_t before; /* what `current` pointed to, 0: nothing or no serial */
	bool made;       /* `name` is complete and ours to remove */
	bool visible;    /* `current` points to it */
};

static int
fault(struct err *e, const char *where, const char *name)
{
	bool full = errno == ENOSPC || errno == EDQUOT || errno == EFBIG;

	/* The name of a leaf's file holds an address, and this text goes into the log. */
	if (strncmp(name, "leaf-", 5) == 0)
		name = "leaf-*";
	if (!full)
		return err_set_sys(e, "%s/%s", where, name);
	if (e != NULL && e->code == ERR_NONE) {
		err_set(e, ERR_SYS, "%s/%s: the disk is full; free some space", where, name);
		e->sys = ENOSPC;
	}
	return -1;
}

static int
put_file(int dir, const struct pfile *f, const char *where, struct err *e)
{
	int fd = openat(dir, f->name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	size_t done = 0;
	ssize_t w;
	int r = -1;

	if (fd < 0)
		return fault(e, where, f->name);
	while (done < f->len) {
		w = write(fd, f->text + done, f->len - done);
		if (w < 0 && errno != EINTR)
			break;
		if (w > 0)
			done += (size_t)w;
	}
	if (done < f->len || fchmod(fd, 0644) != 0 || fsync(fd) != 0)
		fault(e, where, f->name);
	else
		r = 0;
	if (close(fd) != 0 && r == 0)
		r = fault(e, where, f->name);
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

/* Removes all lists but the new one and the one before, in which a slow reader may still be, and what a crash left half made. */
static void
tidy(const struct target *t)
{
	uint64_t serial = serial_of(t->name), v;
	int fd = openat(t->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent *de;
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;

	if (d == NULL) {
		if (fd >= 0)
			close(fd);
		return;
	}
	while ((de = readdir(d)) != NULL) {
		v = serial_of(de->d_name);
		if ((v != 0 && v != serial && v != t->before) || strncmp(de->d_name, ".new-", 5) == 0)
			remove_folder(t->fd, de->d_name);
	}
	closedir(d);
}

/* A folder that a web server can read whatever our umask is. */
static int
open_dir(const char *parent, const char *path, int *fd, struct err *e)
{
	bool fresh;

	if (mkdir(parent, 0755) == 0 && chmod(parent, 0755) != 0)
		return fault(e, parent, "");
	if (file_mkdirs(parent, 0755, e) != 0)
		return -1;
	fresh = mkdir(path, 0755) == 0;
	if (!fresh && errno != EEXIST)
		return fault(e, parent, strrchr(path, '/') + 1);
	*fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*fd < 0)
		return err_set_sys(e, "%s", path);
	return !fresh || fchmod(*fd, 0755) == 0 ? 0 : err_set_sys(e, "%s", path);
}

/*
 * Whether a file is as put_file() made it: nobody else may write to it or keeps others from reading it. It has a
 * name in each of the two folders that stay, perhaps in what a crash left; more would at last be too many to add one.
 */
static bool
is_as_made(const struct stat *st)
{
	return S_ISREG(st->st_mode) && (st->st_mode & 07777) == 0644 && st->st_uid == geteuid() && st->st_nlink >= 1 && st->st_nlink <= LINKS_MAX;
}

/* Whether the file that is out is ours and holds these bytes: then it is linked, not written and synced once more. */
static bool
is_out(int before, const struct pfile *f)
{
	int fd = openat(before, f->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	char part[4096];
	size_t done = 0, n;
	struct stat st;
	bool same = fd >= 0 && fstat(fd, &st) == 0 && is_as_made(&st) && (size_t)st.st_size == f->len;

	while (same && done < f->len) {
		n = f->len - done < sizeof part ? f->len - done : sizeof part;
		same = read(fd, part, n) == (ssize_t)n && memcmp(part, f->text + done, n) == 0;
		done += n;
	}
	if (fd >= 0)
		close(fd);
	return same;
}

/* The folder of the list before, or -1. */
static int
open_before(const struct target *t)
{
	char name[24];

	snprintf(name, sizeof name, "%llu", (unsigned long long)t->before);
	return t->before > 0 ? openat(t->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;
}

static int
fill_folder(const struct target *t, const struct channel_files *c, const char *tmp, struct err *e)
{
	int fd, before, r = 0;
	size_t i;

	if (mkdirat(t->fd, tmp, 0755) != 0 || (fd = openat(t->fd, tmp, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)) < 0)
		return fault(e, t->where, tmp);
	if (fchmod(fd, 0755) != 0)
		r = fault(e, t->where, tmp);
	before = open_before(t);
	for (i = 0; r == 0 && i < c->n; i++)
		if (before < 0 || !is_out(before, &c->files[i]) || linkat(before, c->files[i].name, fd, c->files[i].name, 0) != 0)
			r = put_file(fd, &c->files[i], t->where, e);
	if (before >= 0)
		close(before);
	if (r == 0 && fsync(fd) != 0)
		r = fault(e, t->where, tmp);
	close(fd);
	return r;
}

/*
 * Whether the list that is out under this serial is the very same: a write that is repeated. Perhaps because the
 * folder could not be synced after the rename, so that is made up for.
 */
static int
check_repeated(const struct target *t, const struct channel_files *c, struct err *e)
{
	char path[PATH_MAX + 48], *text;
	bool same = false;
	size_t i, n;

	snprintf(path, sizeof path, "%s/%s/bundle.json", t->where, t->name);
	if (file_read(path, DOC_BUNDLE_MAX, FILE_PUBLIC, &text, &n, e) != 0)
		return -1;
	for (i = 0; i < c->n; i++)
		if (strcmp(c->files[i].name, "bundle.json") == 0)
			same = c->files[i].len == n && memcmp(c->files[i].text, text, n) == 0;
	free(text);
	if (!same)
		return err_set(e, ERR_STATE, "%s: another list with serial %s is out already", t->where, t->name);
	return fsync(t->fd) == 0 ? 0 : fault(e, t->where, "current");
}

/* Everything that can fail for want of space: the folder, complete and synced, and the symlink beside `current`. */
static int
prepare(struct target *t, const char *root, const struct channel_files *c, uint64_t serial, struct err *e)
{
	char tmp[32], link[32];
	ssize_t n;

	snprintf(t->name, sizeof t->name, "%llu", (unsigned long long)serial);
	snprintf(tmp, sizeof tmp, ".new-%s", t->name);
	if ((size_t)snprintf(t->where, sizeof t->where, "%s/%s", root, c->channel) >= sizeof t->where)
		return err_set(e, ERR_LIMIT, "%s: path too long", root);
	if (open_dir(root, t->where, &t->fd, e) != 0)
		return -1;
	n = readlinkat(t->fd, "current", link, sizeof link - 1);
	link[n > 0 ? n : 0] = '\0';
	t->before = serial_of(link);
	/* Whoever made the folder may not have come to sync it; once a list is visible in it somebody has. */
	if (t->before == 0 && file_sync_dir(root, e) != 0)
		return -1;
	if (t->before == serial) {
		t->visible = true;
		return check_repeated(t, c, e);
	}
	remove_folder(t->fd, tmp);
	remove_folder(t->fd, t->name);
	unlinkat(t->fd, ".current", 0);
	if (fill_folder(t, c, tmp, e) != 0)
		goto fail;
	if (renameat(t->fd, tmp, t->fd, t->name) != 0) {
		fault(e, t->where, t->name);
		goto fail;
	}
	t->made = true;
	if (symlinkat(t->name, t->fd, ".current") != 0 || fsync(t->fd) != 0)
		return fault(e, t->where, "current");
	return 0;
fail:
	remove_folder(t->fd, tmp);
	return -1;
}

/* The one moment at which readers change over. */
static int
show(struct target *t, struct err *e)
{
	if (t->visible)
		return 0;
	if (renameat(t->fd, ".current", t->fd, "current") != 0)
		return fault(e, t->where, "current");
	t->visible = true;
	if (fsync(t->fd) != 0)
		return fault(e, t->where, "current");
	tidy(t);
	return 0;
}

static void
let_go(struct target *t)
{
	if (t->fd < 0)
		return;
	if (t->made && !t->visible)
		remove_folder(t->fd, t->name);
	if (!t->visible)
		unlinkat(t->fd, ".current", 0);
	close(t->fd);
}

int
publication_write(const struct publication *p, const char *dir, struct err *e)
{
	struct target *targets = calloc(p->n_channels + 1, sizeof *targets);
	size_t i;
	int r = 0;

	if (targets == NULL)
		return err_set(e, ERR_MEMORY, "out of memory");
	for (i = 0; i < p->n_channels; i++)
		targets[i].fd = -1;
	for (i = 0; r == 0 && i < p->n_channels; i++)
		r = prepare(&targets[i], dir, &p->channels[i], p->serial, e);
	for (i = 0; r == 0 && i < p->n_channels; i++)
		r = show(&targets[i], e);
	for (i = 0; i < p->n_channels; i++)
		let_go(&targets[i]);
	free(targets);
	return r == 0 ? 0 : err_prefix(e, "publish");
}

/* The serial of a folder's head.json if it is higher and ours: of this site and epoch, signed by our key. Else `highest`. */
static uint64_t
serial_inside(const struct publish_site *s, const char *folder, uint64_t highest)
{
	char path[PATH_MAX], comment[DOC_COMMENT_MAX], *text = NULL, *sig = NULL;
	uint8_t hash[DOC_HASH_LEN];
	struct doc_head h = { 0 };
	size_t n, sig_len;

	if ((size_t)snprintf(path, sizeof path, "%s/head.json.minisig", folder) >= sizeof path ||
	    file_read(path, MINISIGN_SIG_MAX, FILE_PUBLIC, &sig, &sig_len, NULL) != 0)
		return highest;
	path[strlen(path) - strlen(".minisig")] = '\0';
	if (file_read(path, DOC_HEAD_MAX, FILE_PUBLIC, &text, &n, NULL) == 0 && doc_head_parse(&h, text, n, s->root.site, NULL) == DOC_OK &&
	    h.epoch == s->root.doc.epoch && h.serial > highest && strcmp(h.member, s->member->name) == 0) {
		doc_hash(hash, text, n);
		doc_head_comment(comment, &h, hash);
		if (minisign_verify(text, n, sig, sig_len, s->member->key, comment, NULL) == 0)
			highest = h.serial;
	}
	doc_head_free(&h);
	free(text);
	free(sig);
	return highest;
}

static uint64_t
highest_in(const struct publish_site *s, const char *dir, int depth, uint64_t highest)
{
	char path[PATH_MAX];
	struct dirent *de;
	DIR *d = depth > 0 ? opendir(dir) : NULL;

	highest = serial_inside(s, dir, highest);
	if (d == NULL)
		return highest;
	while ((de = readdir(d)) != NULL) {
		if (de->d_name[0] == '.' || (size_t)snprintf(path, sizeof path, "%s/%s", dir, de->d_name) >= sizeof path)
			continue;
		highest = highest_in(s, path, depth - 1, highest);
	}
	closedir(d);
	return highest;
}

uint64_t
publish_highest_serial(const struct publish_site *s, const char *dir, uint64_t floor)
{
	return highest_in(s, dir, 2, floor);
}
