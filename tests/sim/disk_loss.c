/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Power loss: of a file any of the 512-byte sectors that were not synced are
 * there, of a folder the first so many of the changes to its names, in order.
 */
#include "config.h"
#include "sim/disk_impl.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

#define SECTOR 512

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
	for (n = disk_nodes; n != NULL; n = n->next)
		count++;
	v = xcalloc(count + 1, sizeof *v);
	for (n = disk_nodes, i = count; n != NULL; n = n->next)
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
