/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef UNIT_PUBLISH_PLACE_H
#define UNIT_PUBLISH_PLACE_H

#include "publish/publish.h"
#include "support/listkit.h"

/* A fresh folder with site/ (made from a kit) and pub/; member alpha's key. A failure here ends the test. */
extern char place[64];
extern struct kit kit;
extern uint8_t member_sk[64];

void place_setup(void); /* the kit has its defaults; nothing on disk but the folder */
void place_teardown(void);
/* PLACE/<printf>, good until the fourth next call. */
const char *place_path(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
char *place_read(
    const char *path, size_t *n);      /* malloced, NUL-ended; NULL: not there; n may be NULL */
void place_site(void);                 /* builds the kit and writes PLACE/site */
struct publish_site *place_load(void); /* both, and must succeed */

#define ENTRIES_MAX 40
/* What is published: leaves of onions 1.., made with salts that differ. */
struct list {
	struct publish_list l;
	struct publish_entry entries[ENTRIES_MAX];
	char *leaves[ENTRIES_MAX];
};
/* `n` onions from number 1, turn by turn in `n_channels` channels ("public", "press"). */
void list_init(
    struct list *l, const struct publish_site *s, size_t n, size_t n_channels, uint64_t serial);
void list_free(struct list *l);
struct publication *list_make(
    const struct list *l, const struct publish_site *s); /* must succeed */
/* Made and written to PLACE/pub. */
void list_publish(struct list *l, const struct publish_site *s, uint64_t serial);

#endif
