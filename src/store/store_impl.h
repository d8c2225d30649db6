/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef STORE_STORE_IMPL_H
#define STORE_STORE_IMPL_H

#include "store/seal.h"
#include "store/store.h"

#include <sqlite3.h>

#define STORE_VALUE_MAX (1024 * 1024)
#define STORE_APPLICATION_ID 0x4f4d7231 /* "OMr1" */
#define STORE_SCHEMA 1

struct store {
	sqlite3 *db;                /* owned */
	const struct master_key *key; /* borrowed */
	int lock_fd;                /* owned */
	sqlite3_stmt *put, *get, *del, *each, *last, *trim; /* owned */
	char dir[512];
};

/* SQLite's last error as ours: full disk, damage and the rest, each with what to do. Returns -1. */
int store_fault(const struct store *s, const char *doing, struct err *e);

#endif
