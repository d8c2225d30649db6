/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef STORE_STORE_IMPL_H
#define STORE_STORE_IMPL_H

#include "store/seal.h"
#include "store/store.h"

#include <limits.h>
#include <sqlite3.h>

#define STORE_VALUE_MAX (1024 * 1024)
#define STORE_APPLICATION_ID 0x4f4d7231 /* "OMr1" */
#define STORE_SCHEMA 1

struct store {
	sqlite3 *db;                /* owned */
	const struct master_key *key; /* borrowed */
	int lock_fd;                /* owned */
	sqlite3_stmt *put, *get, *del, *each, *last, *trim; /* owned */
	void (*on_write)(int64_t ms, void *arg); /* NULL: nobody wants to know */
	void *on_write_arg;
	bool broken;   /* an fsync failed: what is on the disk is unknown until the next start */
	bool tx;       /* between store_begin() and store_commit() or store_rollback() */
	bool key_gone; /* a key was deleted or replaced, the log may still hold it */
	char dir[512], real[PATH_MAX]; /* as named, and without symlinks */
};

/*
 * SQLite's last error as ours: full disk, damage and the rest, each with what to do. Returns -1.
 * A full disk has e->sys ENOSPC and a read-only one EROFS, whatever SQLite called it. A failed fsync ends all writing.
 */
int store_fault(struct store *s, const char *doing, struct err *e);
/* A row that does not open. Returns -1. */
int store_damaged(const struct store *s, int t, uint64_t id, struct err *e);
/* Outside a transaction: empties the log if a deleted key may be in it. -1: not now; tried again after the next write. */
int store_forget_keys(struct store *s);

#endif
