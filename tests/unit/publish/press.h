/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef UNIT_PUBLISH_PRESS_H
#define UNIT_PUBLISH_PRESS_H

#include "publish/publish_impl.h"
#include "support/listkit.h"

/*
 * A site folder, a loaded site and a draft to publish from, fresh for each
 * test. Helpers end the test when something that must work doesn't.
 */
#define PRESS_ONIONS 20

struct press {
	struct kit kit; /* root and members come from here; change it, then press_reload() */
	char dir[64], site_dir[96], out[96];
	uint8_t sk[64];
	struct publish_site *site;
	char *leaves[PRESS_ONIONS];
	struct publish_entry entries[PRESS_ONIONS];
	const char *channels[4];
	struct publish_list list; /* serial 200 at KIT_NOW, one leaf (onion 1) for channel "public" */
};
extern struct press press;

void press_setup(void);
void press_teardown(void); /* removes the folder */
/* Writes the kit's root chain and members document to site_dir. */
void press_save_site(void);
/* Saves, then publish_site_load() at KIT_NOW; must work. */
void press_reload(void);
/* Adds the leaf of an onion, made at list.now, for a channel. */
void press_add(unsigned onion, const char *channel);
/* publication_make() must work. */
struct publication *press_make(void);
/* Makes, writes and frees: publication_write()'s answer. */
int press_publish(struct err *e);
/* "out/channel/name" as a whole text, NULL: can't be read. */
char *press_read(const char *channel, const char *name, size_t *len);
/* The serial that `current` points to, 0: none. */
uint64_t press_current(const char *channel);
/* Names in out/channel, sorted, joined by spaces. Good until the next call. */
const char *press_names(const char *channel);
/* A reader's verdict on a channel's bundle: 0, and the number of mirrors in *n (may be NULL). */
int press_verify(const char *channel, int64_t now, size_t *n);

/* fsync() number `at` from now (0: the next) fails; -1: none. Counted in press_syncs. None reaches the disk. */
void press_fail_sync(int at);
extern int press_syncs;

#endif
