/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef UNIT_STORE_STATE_H
#define UNIT_STORE_STATE_H

#include "store/seal.h"
#include "store/store.h"

/* A fresh state folder for each test, and one key. A failure here ends the test. */
extern char state_dir[64];
extern struct master_key state_key;

void state_setup(void);
void state_teardown(void); /* removes the folder with what is in it */
/* STATE-DIR/name, good until the next call. */
const char *state_path(const char *name);

struct store *state_open(void); /* must succeed */
/* Must fail; tells why. */
struct err state_refused(const struct master_key *key);
void state_put(struct store *s, enum store_table t, uint64_t id, const char *text);
/* Whether the row holds the text. */
bool state_holds(struct store *s, enum store_table t, uint64_t id, const char *text);
/* A closed store with rows of all kinds; the same rows each time. */
void state_fill(void);
/* 0: every row of state_fill() is there and right; -1: an error told of damage; -2: silently wrong. */
int state_check(struct store *s);

char *state_read(const char *name, size_t *n); /* whole file, malloced */
void state_write(const char *name, const void *p, size_t n);
/* SQL on store.db, behind the store's back. */
void state_sql(const char *sql);
/* How large a file may become; 0: as large as it likes. */
void state_limit(size_t bytes);

#endif
