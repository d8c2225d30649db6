/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A disk with two faces: what programs see now, and what is durable. fsync
 * carries the one into the other; at a power loss the rest is there in part:
 * of a file any of its 512-byte sectors, of a folder the first so many of the
 * changes that were made to its names, in their order.
 */
#include "config.h"
#include "sim/impl.h"

#include "base/mem.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECTOR 512
#define NAME_COST 128 /* what a name takes off the budget of a full disk */

struct name {
	char *text;
	struct node *node; /* a reference */
};
struct names {
	struct name *v;
	size_t n, cap;
};
struct range {
	size_t off, len;
};
/* A change to a folder: `text` now means `node`, or nothing (NULL). */
struct change {
	char *text;
	struct node *node;
	bool with_next; /* atomic with the one that follows: a rename */
};

struct node {
	struct node *next, **prev; /* of all */
	unsigned refs;
	enum node_type type;
	mode_t mode;
	uint64_t number;
	char *data, *sync; /* a file now and durable */
	size_t len, cap, sync_len, sync_cap;
	struct range *dirty;
	size_t n_dirty, cap_dirty;
	char *target;
	struct names now, durable;
	struct change *changes;
	size_t n_changes, cap_changes;
};

struct disk_faults disk_faults;
static struct node *all, *root;
static uint64_t next_number;

/* --- nodes --- */

static struct node *
node_new(enum node_type type, mode_t mode)
{
	struct node *n = xcalloc(1, sizeof *n);

	n->refs = 1;
	n->type = type;
	n->mode = mode & 07777;
	n->number = ++next_number;
	n->next = all;
	n->prev = &all;
	if (all != NULL)
		all->prev = &n->next;
	all = n;
	return n;
}

struct node *
node_ref(struct node *n)
{
	n->refs++;
	return n;
}

static void
names_clear(struct names *s)
{
	size_t i;

	for (i = 0; i < s->n; i++) {
		free(s->v[i].text);
		node_unref(s->v[i].node);
	}
	free(s->v);
	memset(s, 0, sizeof *s);
}

static void
changes_clear(struct node *n)
{
	size_t i;

	for (i = 0; i < n->n_changes; i++) {
		free(n->changes[i].text);
		if (n->changes[i].node != NULL)
			node_unref(n->changes[i].node);
	}
	n->n_changes = 0;
}

void
node_unref(struct node *n)
{
	if (n == NULL || --n->refs > 0)
		return;
	*n->prev = n->next;
	if (n->next != NULL)
		n->next->prev = n->prev;
	names_clear(&n->now);
	names_clear(&n->durable);
	changes_clear(n);
	free(n->changes);
	free(n->data);
	free(n->sync);
	free(n->dirty);
	free(n->target);
	free(n);
}

enum node_type
node_type(const struct node *n)
{
	return n->type;
}

const char *
node_target(const struct node *n)
{
	return n->target;
}

size_t
node_size(const struct node *n)
{
	return n->len;
}

mode_t
node_mode(const struct node *n)
{
	return n->mode;
}

uint64_t
node_number(const struct node *n)
{
	return n->number;
}

void
node_set_mode(struct node *n, mode_t mode)
{
	n->mode = mode & 07777;
}

struct node *
node_anonymous(void)
{
	return node_new(NODE_FILE, 0600);
}

/* --- names --- */

static struct name *
names_find(const struct names *s, const char *text)
{
	size_t i;

	for (i = 0; i < s->n; i++)
		if (strcmp(s->v[i].text, text) == 0)
			return &s->v[i];
	return NULL;
}

static void
names_set(struct names *s, const char *text, struct node *node)
{
	struct name *at = names_find(s, text);

	if (node == NULL) {
		if (at == NULL)
			return;
		free(at->text);
		node_unref(at->node);
		*at = s->v[--s->n];
		return;
	}
	node_ref(node);
	if (at != NULL) {
		node_unref(at->node);
		at->node = node;
		return;
	}
	if (s->n == s->cap) {
		s->cap = s->cap == 0 ? 8 : s->cap * 2;
		s->v = xreallocarray(s->v, s->cap, sizeof *s->v);
	}
	s->v[s->n++] = (struct name){ xstrdup(text), node };
}

static void
change(struct node *dir, const char *text, struct node *node, bool with_next)
{
	if (dir->n_changes == dir->cap_changes) {
		dir->cap_changes = dir->cap_changes == 0 ? 8 : dir->cap_changes * 2;
		dir->changes = xreallocarray(dir->changes, dir->cap_changes, sizeof *dir->changes);
	}
	dir->changes[dir->n_changes++] = (struct change){ xstrdup(text), node != NULL ? node_ref(node) : NULL, with_next };
	names_set(&dir->now, text, node);
}

/* The folder that holds the last part of `path`, and that part; an errno. `dir` is where a relative path begins, NULL: root. */
static int
walk(struct node **parent, char last[256], struct node *dir, const char *path)
{
	struct node *at = path[0] == '/' || dir == NULL ? root : dir, *before;
	const struct name *e;
	unsigned hops;
	size_t n;

	for (;;) {
		path += strspn(path, "/");
		n = strcspn(path, "/");
		if (n >= 256)
			return ENAMETOOLONG;
		memcpy(last, path, n);
		last[n] = '\0';
		path += n + strspn(path + n, "/");
		if (*path == '\0')
			break;
		if (strcmp(last, ".") == 0)
			continue;
		if (at->type != NODE_DIR)
			return ENOTDIR;
		e = names_find(&at->now, last);
		if (e == NULL)
			return ENOENT;
		before = at;
		at = e->node;
		/* Links in the middle of a path point to a folder beside them. */
		for (hops = 0; at->type == NODE_LINK; hops++) {
			e = names_find(&before->now, at->target);
			if (e == NULL || hops == 8)
				return e == NULL ? ENOENT : ELOOP;
			at = e->node;
		}
	}
	*parent = at;
	return 0;
}

int
disk_lookup(struct node **out, struct node *dir, const char *path, bool follow)
{
	char last[256];
	struct node *parent;
	const struct name *e;
	int r = walk(&parent, last, dir, path);

	if (r != 0)
		return r;
	if (last[0] == '\0' || strcmp(last, ".") == 0) {
		*out = node_ref(parent);
		return 0;
	}
	if (parent->type != NODE_DIR)
		return ENOTDIR;
	e = names_find(&parent->now, last);
	if (e == NULL)
		return ENOENT;
	if (follow && e->node->type == NODE_LINK)
		return disk_lookup(out, parent, e->node->target, true);
	*out = node_ref(e->node);
	return 0;
}

static int
may_change(size_t cost)
{
	if (disk_faults.read_only)
		return EROFS;
	if (disk_faults.full && cost > 0) {
		if (disk_faults.budget < (int64_t)cost)
			return ENOSPC;
		disk_faults.budget -= (int64_t)cost;
	}
	return 0;
}

int
disk_create(struct node **out, struct node *dir, const char *path, enum node_type type, mode_t mode, bool excl, const char *target)
{
	char last[256];
	struct node *parent, *n;
	const struct name *e;
	int r = walk(&parent, last, dir, path);

	if (r != 0)
		return r;
	if (parent->type != NODE_DIR)
		return ENOTDIR;
	e = last[0] == '\0' ? NULL : names_find(&parent->now, last);
	if (last[0] == '\0')
		return EEXIST;
	if (e != NULL) {
		if (excl)
			return EEXIST;
		*out = node_ref(e->node);
		return 0;
	}
	if ((r = may_change(NAME_COST)) != 0)
		return r;
	n = node_new(type, mode);
	n->target = target != NULL ? xstrdup(target) : NULL;
	change(parent, last, n, false);
	*out = n;
	return 0;
}

int
disk_remove(struct node *dir, const char *path, bool folder)
{
	char last[256];
	struct node *parent;
	const struct name *e;
	int r = walk(&parent, last, dir, path);

	if (r != 0)
		return r;
	e = names_find(&parent->now, last);
	if (e == NULL)
		return ENOENT;
	if (folder != (e->node->type == NODE_DIR))
		return folder ? ENOTDIR : EISDIR;
	if (folder && e->node->now.n > 0)
		return ENOTEMPTY;
	if ((r = may_change(0)) != 0)
		return r;
	change(parent, last, NULL, false);
	return 0;
}

int
disk_rename(struct node *from_dir, const char *from, struct node *to_dir, const char *to)
{
	char last[256], last_to[256];
	struct node *parent, *parent_to, *n;
	const struct name *e, *old;
	int r = walk(&parent, last, from_dir, from);

	if (r != 0 || (r = walk(&parent_to, last_to, to_dir, to)) != 0)
		return r;
	if ((e = names_find(&parent->now, last)) == NULL)
		return ENOENT;
	old = names_find(&parent_to->now, last_to);
	if (old != NULL && old->node->type == NODE_DIR && (e->node->type != NODE_DIR || old->node->now.n > 0))
		return e->node->type != NODE_DIR ? EISDIR : ENOTEMPTY;
	if ((r = may_change(NAME_COST)) != 0)
		return r;
	n = node_ref(e->node);
	change(parent, last, NULL, parent == parent_to);
	change(parent_to, last_to, n, false);
	node_unref(n);
	return 0;
}

int
disk_link(const char *from, const char *to)
{
	char last[256];
	struct node *n, *parent;
	int r;

	if ((r = disk_lookup(&n, NULL, from, false)) != 0)
		return r;
	if ((r = walk(&parent, last, NULL, to)) == 0 && names_find(&parent->now, last) != NULL)
		r = EEXIST;
	if (r == 0 && (r = may_change(NAME_COST)) == 0)
		change(parent, last, n, false);
	node_unref(n);
	return r;
}

char **
node_names(const struct node *n, size_t *count)
{
	char **v = xcalloc(n->now.n + 1, sizeof *v);
	size_t i;

	for (i = 0; i < n->now.n; i++)
		v[i] = xstrdup(n->now.v[i].text);
	*count = n->now.n;
	return v;
}

/* --- bytes --- */

static void
reserve(char **p, size_t *cap, size_t n)
{
	if (n <= *cap)
		return;
	*cap = n > *cap * 2 ? n + 4096 : *cap * 2;
	*p = xreallocarray(*p, *cap, 1);
}

size_t
node_read(const struct node *n, size_t off, void *p, size_t len)
{
	if (off >= n->len)
		return 0;
	if (len > n->len - off)
		len = n->len - off;
	memcpy(p, n->data + off, len);
	return len;
}

static void
mark_dirty(struct node *n, size_t off, size_t len)
{
	struct range *last = n->n_dirty > 0 ? &n->dirty[n->n_dirty - 1] : NULL;

	if (last != NULL && off <= last->off + last->len && off >= last->off) {
		if (off + len > last->off + last->len)
			last->len = off + len - last->off;
		return;
	}
	if (n->n_dirty == n->cap_dirty) {
		n->cap_dirty = n->cap_dirty == 0 ? 8 : n->cap_dirty * 2;
		n->dirty = xreallocarray(n->dirty, n->cap_dirty, sizeof *n->dirty);
	}
	n->dirty[n->n_dirty++] = (struct range){ off, len };
}

/* As much as fits is written; an errno if that is nothing. */
int
node_write(struct node *n, size_t off, const void *p, size_t len, size_t *done)
{
	size_t more = off + len > n->len ? off + len - n->len : 0;

	if (disk_faults.read_only)
		return EROFS;
	if (disk_faults.full && more > 0) {
		if ((int64_t)more > disk_faults.budget) {
			size_t fits = disk_faults.budget > 0 ? (size_t)disk_faults.budget : 0;

			if (more - fits >= len)
				return ENOSPC;
			len -= more - fits;
			more = fits;
		}
		disk_faults.budget -= (int64_t)more;
	}
	if (len > 1 && sim_chance(DICE_DISK, disk_faults.short_write_ppm))
		len = 1 + (size_t)sim_below(DICE_DISK, len - 1);
	reserve(&n->data, &n->cap, off + len);
	if (off > n->len)
		memset(n->data + n->len, 0, off - n->len);
	memcpy(n->data + off, p, len);
	if (off + len > n->len)
		n->len = off + len;
	mark_dirty(n, off, len);
	*done = len;
	return 0;
}

int
node_truncate(struct node *n, size_t len)
{
	if (disk_faults.read_only)
		return EROFS;
	if (len > n->len) {
		reserve(&n->data, &n->cap, len);
		memset(n->data + n->len, 0, len - n->len);
		mark_dirty(n, n->len, len - n->len);
	}
	n->len = len;
	return 0;
}

static void
set_sync_len(struct node *n, size_t len)
{
	reserve(&n->sync, &n->sync_cap, len);
	if (len > n->sync_len)
		memset(n->sync + n->sync_len, 0, len - n->sync_len);
	n->sync_len = len;
}

/* Carries a range, or what of it the file still has, over. */
static void
carry(struct node *n, size_t off, size_t len)
{
	size_t end = n->len < n->sync_len ? n->len : n->sync_len;

	if (off >= end)
		return;
	memcpy(n->sync + off, n->data + off, len < end - off ? len : end - off);
}

static void
sync_bytes(struct node *n)
{
	size_t i;

	set_sync_len(n, n->len);
	for (i = 0; i < n->n_dirty; i++)
		carry(n, n->dirty[i].off, n->dirty[i].len);
	n->n_dirty = 0;
}

/* The first k changes become durable. */
static void
sync_names(struct node *n, size_t k)
{
	size_t i;

	for (i = 0; i < k; i++)
		names_set(&n->durable, n->changes[i].text, n->changes[i].node);
}

int
node_sync(struct node *n)
{
	if (sim_chance(DICE_DISK, disk_faults.eio_fsync_ppm)) {
		sim_trace("disk: fsync fails with EIO");
		return EIO;
	}
	if (n->type == NODE_DIR) {
		sync_names(n, n->n_changes);
		changes_clear(n);
	} else {
		sync_bytes(n);
	}
	return 0;
}

/* --- power loss --- */

static void
lose_bytes(struct node *n)
{
	size_t i, at;

	if (n->n_dirty == 0 && n->len == n->sync_len)
		return;
	if (sim_chance(DICE_DISK, 500000))
		set_sync_len(n, n->len);
	for (i = 0; i < n->n_dirty; i++)
		for (at = n->dirty[i].off / SECTOR * SECTOR; at < n->dirty[i].off + n->dirty[i].len; at += SECTOR)
			if (sim_chance(DICE_DISK, 500000))
				carry(n, at, SECTOR);
	n->n_dirty = 0;
	reserve(&n->data, &n->cap, n->sync_len);
	if (n->sync_len > 0)
		memcpy(n->data, n->sync, n->sync_len);
	n->len = n->sync_len;
}

static void
lose_names(struct node *n)
{
	size_t k = (size_t)sim_below(DICE_DISK, n->n_changes + 1), i;

	if (n->n_changes == 0)
		return;
	while (k > 0 && n->changes[k - 1].with_next)
		k--;
	sync_names(n, k);
	changes_clear(n);
	names_clear(&n->now);
	for (i = 0; i < n->durable.n; i++)
		names_set(&n->now, n->durable.v[i].text, n->durable.v[i].node);
}

/* In the order of their making, so that the dice fall alike each time. Holds each while it works on it. */
void
disk_power_loss(void)
{
	struct node **v, *n;
	size_t count = 0, i;

	posix_close_all();
	for (n = all; n != NULL; n = n->next)
		count++;
	v = xcalloc(count + 1, sizeof *v);
	for (n = all, i = count; n != NULL; n = n->next)
		v[--i] = node_ref(n);
	for (i = 0; i < count; i++) {
		if (v[i]->type == NODE_FILE)
			lose_bytes(v[i]);
		else if (v[i]->type == NODE_DIR)
			lose_names(v[i]);
	}
	for (i = 0; i < count; i++)
		node_unref(v[i]);
	free(v);
}

/* --- files of others --- */

static int
make_parents(const char *path)
{
	char part[512];
	struct node *n;
	size_t i;
	int r;

	for (i = 1; path[i] != '\0'; i++) {
		if (path[i] != '/')
			continue;
		memcpy(part, path, i);
		part[i] = '\0';
		if ((r = disk_create(&n, NULL, part, NODE_DIR, 0755, false, NULL)) != 0)
			return r;
		node_unref(n);
	}
	return 0;
}

static void
sync_all(void)
{
	struct node *n;

	for (n = all; n != NULL; n = n->next) {
		if (n->type == NODE_DIR) {
			sync_names(n, n->n_changes);
			changes_clear(n);
		} else {
			sync_bytes(n);
		}
	}
}

int
sim_file_put(const char *path, const void *p, size_t n, mode_t mode)
{
	struct disk_faults saved = disk_faults;
	struct node *f, *dir;
	char parent[512];
	size_t done;
	int r;

	memset(&disk_faults, 0, sizeof disk_faults);
	if ((r = make_parents(path)) == 0 && (r = disk_create(&f, NULL, path, NODE_FILE, mode, false, NULL)) == 0) {
		node_set_mode(f, mode);
		node_truncate(f, 0);
		if (n > 0)
			node_write(f, 0, p, n, &done);
		sync_bytes(f);
		node_unref(f);
		snprintf(parent, sizeof parent, "%.*s", (int)(strrchr(path, '/') - path), path);
		if (disk_lookup(&dir, NULL, parent, true) == 0) {
			node_sync(dir);
			node_unref(dir);
		}
	}
	disk_faults = saved;
	return r == 0 ? 0 : -1;
}

int
sim_file_remove(const char *path)
{
	struct disk_faults saved = disk_faults;
	int r;

	memset(&disk_faults, 0, sizeof disk_faults);
	r = disk_remove(NULL, path, false);
	disk_faults = saved;
	return r == 0 ? 0 : -1;
}

const char *
sim_file_get(const char *path, size_t *n)
{
	struct node *f;
	const char *p;

	if (disk_lookup(&f, NULL, path, true) != 0)
		return NULL;
	p = f->type == NODE_FILE ? (f->data != NULL ? f->data : "") : NULL;
	*n = f->len;
	node_unref(f); /* the name keeps it */
	return p;
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int
sim_dir_each(const char *path, bool (*cb)(const char *name, void *arg), void *arg)
{
	struct node *d;
	size_t n, i;
	bool more = true;
	char **v;

	if (disk_lookup(&d, NULL, path, true) != 0)
		return -1;
	v = node_names(d, &n);
	node_unref(d);
	qsort(v, n, sizeof *v, by_text);
	for (i = 0; i < n; i++) {
		more = more && cb(v[i], arg);
		free(v[i]);
	}
	free(v);
	return 0;
}

const char *
sim_link_get(const char *path)
{
	struct node *n;
	const char *t;

	if (disk_lookup(&n, NULL, path, false) != 0)
		return NULL;
	t = n->type == NODE_LINK ? n->target : NULL;
	node_unref(n);
	return t;
}

/* --- life --- */

void
disk_begin(void)
{
	memset(&disk_faults, 0, sizeof disk_faults);
	next_number = 0;
	root = node_new(NODE_DIR, 0755);
}

void
disk_end(void)
{
	posix_close_all();
	node_unref(root);
	root = NULL;
	if (all != NULL)
		abort(); /* somebody kept a reference */
}

/* Files of the snapshot, by their whole path. */
struct kept {
	struct kept *next;
	char *path, *data;
	size_t len;
	mode_t mode;
	enum node_type type;
};
static struct kept *snapshot;

static void
keep(struct node *n, const char *path)
{
	struct kept *k = xcalloc(1, sizeof *k);
	char **names, *sub;
	size_t count, i;

	k->path = xstrdup(path);
	k->mode = n->mode;
	k->type = n->type;
	k->len = n->len;
	k->data = xcalloc(1, n->len + 1);
	if (n->len > 0)
		memcpy(k->data, n->data, n->len);
	if (n->type == NODE_DIR) {
		names = node_names(n, &count);
		for (i = 0; i < count; i++) {
			sub = xasprintf("%s/%s", strcmp(path, "/") == 0 ? "" : path, names[i]);
			keep(n->now.v[i].node, sub);
			free(sub);
			free(names[i]);
		}
		free(names);
	}
	k->next = snapshot; /* a folder comes before what is in it */
	snapshot = k;
}

void
disk_snapshot(void)
{
	disk_snapshot_free();
	keep(root, "/");
}

void
disk_restore(void)
{
	const struct kept *k;
	struct node *n;
	size_t done;

	for (k = snapshot; k != NULL; k = k->next) {
		if (strcmp(k->path, "/") == 0)
			continue;
		if (disk_create(&n, NULL, k->path, k->type, k->mode, true, NULL) != 0)
			abort();
		if (k->len > 0)
			node_write(n, 0, k->data, k->len, &done);
		node_unref(n);
	}
	sync_all();
}

void
disk_snapshot_free(void)
{
	struct kept *k;

	while ((k = snapshot) != NULL) {
		snapshot = k->next;
		free(k->path);
		free(k->data);
		free(k);
	}
}

const char *
disk_find_bytes(const void *p, size_t n, bool durable)
{
	static char where[64];
	const struct node *at;

	for (at = all; at != NULL; at = at->next) {
		const char *data = durable ? at->sync : at->data;
		size_t len = durable ? at->sync_len : at->len;

		if (at->type == NODE_FILE && data != NULL && len >= n && memmem(data, len, p, n) != NULL) {
			snprintf(where, sizeof where, "node %llu", (unsigned long long)at->number);
			return where;
		}
	}
	return NULL;
}
