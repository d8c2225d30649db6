/* SPDX-License-Identifier: BSD-3-Clause */
/* The tree of names of the simulated disk: paths, and what the system calls do to them. Owns the root. */
#include "config.h"
#include "sim/disk_impl.h"

#include "base/mem.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct node *disk_root;

/* The folder that holds the last part of `path`, and that part; an errno. `dir` is where a relative path begins, NULL: root. */
static int
walk(struct node **parent, char last[256], struct node *dir, const char *path)
{
	struct node *at = path[0] == '/' || dir == NULL ? disk_root : dir, *before;
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
	node_change(parent, last, n, false);
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
	node_change(parent, last, NULL, false);
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
	node_change(parent, last, NULL, parent == parent_to);
	node_change(parent_to, last_to, n, false);
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
		node_change(parent, last, n, false);
	node_unref(n);
	return r;
}

/* --- life --- */

void
disk_begin(void)
{
	nodes_begin();
	disk_root = node_new(NODE_DIR, 0755);
}

void
disk_end(void)
{
	posix_close_all();
	node_unref(disk_root);
	disk_root = NULL;
	if (disk_nodes != NULL)
		abort(); /* somebody kept a reference */
}
