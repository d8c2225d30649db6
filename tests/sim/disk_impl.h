/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TESTS_SIM_DISK_IMPL_H
#define TESTS_SIM_DISK_IMPL_H

#include "sim/impl.h"

/* What the files of the disk share: node.c, disk.c, disk_loss.c, disk_world.c. */
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

/* --- node.c --- */
extern struct node *disk_nodes; /* all of them, newest first */
void nodes_begin(void);
struct node *node_new(enum node_type type, mode_t mode);
struct name *names_find(const struct names *s, const char *text);
void names_set(struct names *s, const char *text, struct node *node); /* NULL: takes it away */
void names_clear(struct names *s);
void changes_clear(struct node *n);
/* A name of a folder changes; durable with its next sync. */
void node_change(struct node *dir, const char *text, struct node *node, bool with_next);
void reserve(char **p, size_t *cap, size_t n);
void set_sync_len(struct node *n, size_t len);
/* Carries a range, or what of it the file still has, over to the durable side. */
void carry(struct node *n, size_t off, size_t len);
void sync_bytes(struct node *n);
/* The first k changes become durable. */
void sync_names(struct node *n, size_t k);

/* --- disk.c --- */
extern struct node *disk_root;

#endif
