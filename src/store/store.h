/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Durable state: STATE-DIR/store.db, SQLite (WAL, synchronous=FULL,
 * secure_delete). Every value is sealed with XChaCha20-Poly1305 under the
 * master key; table and row are its additional data, so a value can't be moved
 * to another place. A row is (table, id 64 bit, sealed bytes).
 *
 * Anything damaged, of another version or under another key is ERR_STATE with
 * a message that says what to do; nothing is ever recreated over it. Opening
 * checks every row. ERR_SYS has `sys` ENOSPC when the disk is full and EROFS
 * when it is read-only: what was stored is still readable, try again later. A
 * failed fsync (`sys` EIO) is for good: each later write is refused, since only
 * reading the files anew can tell what reached the disk. End the process then.
 */
struct store;

enum store_table {
	STORE_META = 1, /* one row a name: see enum store_meta */
	STORE_ONION,    /* onion records (JSON by the daemon), id = onion id */
	STORE_KEY,      /* onion private keys, 64 bytes, id = onion id */
	STORE_LEAF,     /* leaf document text, id = onion id */
	STORE_HEAD,     /* published heads, id = serial, above 2^40 times the epochs before */
	STORE_PROBE,    /* probe records (JSON), id rises */
	STORE_HISTORY,  /* transitions and decisions (JSON), id rises */
	STORE_OTHER,    /* what was seen of other members (publish_memory_save()), id = hash of name and key */
	STORE__LAST = STORE_OTHER
};

/* Rows of STORE_META. */
enum store_meta {
	STORE_META_INSTALLATION = 1, /* 32 random bytes: key for hashed logs and decoys */
	STORE_META_SERIAL,           /* high-water mark: id of a head, decimal text */
	STORE_META_MEMBER_KEY,       /* member's secret key, 64 bytes */
	STORE_META_NEXT_ID,          /* next onion id, decimal text */
	STORE_META_HOLDS = 6,        /* what the operator asked of mirrors: JSON, name to word */
	STORE_META_CHANNEL_KEY = 5   /* 32 random bytes: assigns onions to channels */
};

/* 32 bytes of master key in secret memory. */
struct master_key;
/* From a credential file: 64 hex digits and an optional LF, FILE_SECRET. */
int master_key_from_file(struct master_key **out, const char *path, struct err *e);
/*
 * From a passphrase by Argon2id; salt and cost are kept in STATE-DIR/kdf.json
 * (made on first use). The passphrase is `n` bytes, the caller wipes it.
 */
int master_key_from_passphrase(struct master_key **out, const char *state_dir, const char *passphrase, size_t n, struct err *e);
void master_key_free(struct master_key *k);

/*
 * Opens (or, in an empty folder, makes) the store. Takes an exclusive lock
 * first: a second daemon gets ERR_STATE "... is in use by another onionmirrord".
 * `key` is borrowed until store_close().
 */
int store_open(struct store **out, const char *state_dir, const struct master_key *key, struct err *e);
void store_close(struct store *s);
/* Calls cb for each write that became durable (a transaction is one), with the ms that it took. */
void store_watch(struct store *s, void (*cb)(int64_t ms, void *arg), void *arg);

/*
 * A transaction; durable when store_commit() returned 0. Without one each write
 * is its own. No nesting. When a write in it failed, store_rollback(); a failed
 * store_commit() has rolled back.
 */
int store_begin(struct store *s, struct err *e);
int store_commit(struct store *s, struct err *e);
void store_rollback(struct store *s);

int store_put(struct store *s, enum store_table t, uint64_t id, const void *p, size_t n, struct err *e);
/* ERR_NOTFOUND if there is none. *out is malloced, NUL-ended behind n, yours (wipe it if it is a secret). */
int store_get(struct store *s, enum store_table t, uint64_t id, char **out, size_t *n, struct err *e);
/* As store_get() into exactly n bytes of the caller's (secret) memory. */
int store_get_exact(struct store *s, enum store_table t, uint64_t id, void *out, size_t n, struct err *e);
/*
 * Deleting what isn't there is fine. secure_delete overwrites the page; after a write of
 * STORE_KEY (in a transaction: after its commit) the WAL is checkpointed and truncated, so no file holds the old key.
 */
int store_delete(struct store *s, enum store_table t, uint64_t id, struct err *e);
/* Calls cb for each row by rising id, starting after `after`; cb returns false to stop. */
int store_each(struct store *s, enum store_table t, uint64_t after,
    bool (*cb)(uint64_t id, const char *p, size_t n, void *arg), void *arg, struct err *e);
/* The highest id in the table, 0 if none. */
int store_last_id(struct store *s, enum store_table t, uint64_t *id, struct err *e);
/* Deletes rows with id <= upto (keeping probe and history records within their days is the caller's arithmetic). */
int store_trim(struct store *s, enum store_table t, uint64_t upto, struct err *e);

#endif
