/* SPDX-License-Identifier: BSD-3-Clause */
/* The simulated disk as others on the machine see it: tor, the operator, readers, checkers; and snapshots. */
#include "config.h"
#include "sim/disk_impl.h"

#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

	for (n = disk_nodes; n != NULL; n = n->next) {
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
	keep(disk_root, "/");
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

	for (at = disk_nodes; at != NULL; at = at->next) {
		const char *data = durable ? at->sync : at->data;
		size_t len = durable ? at->sync_len : at->len;

		if (at->type == NODE_FILE && data != NULL && len >= n && memmem(data, len, p, n) != NULL) {
			snprintf(where, sizeof where, "node %llu", (unsigned long long)at->number);
			return where;
		}
	}
	return NULL;
}
