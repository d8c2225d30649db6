/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Nodes of the simulated disk: files, folders and symlinks with two faces, what
 * programs see now and what is durable. fsync carries the one into the other.
 */
#include "config.h"
#include "sim/disk_impl.h"

#include "base/mem.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct disk_faults disk_faults;
struct node *disk_nodes;
static uint64_t next_number;

void
nodes_begin(void)
{
	memset(&disk_faults, 0, sizeof disk_faults);
	next_number = 0;
}

/* --- nodes --- */

struct node *
node_new(enum node_type type, mode_t mode)
{
	struct node *n = xcalloc(1, sizeof *n);

	n->refs = 1;
	n->type = type;
	n->mode = mode & 07777;
	n->number = ++next_number;
	n->next = disk_nodes;
	n->prev = &disk_nodes;
	if (disk_nodes != NULL)
		disk_nodes->prev = &n->next;
	disk_nodes = n;
	return n;
}

struct node *
node_ref(struct node *n)
{
	n->refs++;
	return n;
}

void
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

void
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

struct name *
names_find(const struct names *s, const char *text)
{
	size_t i;

	for (i = 0; i < s->n; i++)
		if (strcmp(s->v[i].text, text) == 0)
			return &s->v[i];
	return NULL;
}

void
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

void
node_change(struct node *dir, const char *text, struct node *node, bool with_next)
{
	if (dir->n_changes == dir->cap_changes) {
		dir->cap_changes = dir->cap_changes == 0 ? 8 : dir->cap_changes * 2;
		dir->changes = xreallocarray(dir->changes, dir->cap_changes, sizeof *dir->changes);
	}
	dir->changes[dir->n_changes++] = (struct change){ xstrdup(text), node != NULL ? node_ref(node) : NULL, with_next };
	names_set(&dir->now, text, node);
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

void
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

void
set_sync_len(struct node *n, size_t len)
{
	reserve(&n->sync, &n->sync_cap, len);
	if (len > n->sync_len)
		memset(n->sync + n->sync_len, 0, len - n->sync_len);
	n->sync_len = len;
}

void
carry(struct node *n, size_t off, size_t len)
{
	size_t end = n->len < n->sync_len ? n->len : n->sync_len;

	if (off >= end)
		return;
	memcpy(n->sync + off, n->data + off, len < end - off ? len : end - off);
}

void
sync_bytes(struct node *n)
{
	size_t i;

	set_sync_len(n, n->len);
	for (i = 0; i < n->n_dirty; i++)
		carry(n, n->dirty[i].off, n->dirty[i].len);
	n->n_dirty = 0;
}

void
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
