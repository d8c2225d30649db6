/* SPDX-License-Identifier: BSD-3-Clause */
/* Rows of the store: sealed on the way in, opened on the way out. */
#include "config.h"
#include "store/store.h"

#include "base/clock.h"
#include "base/mem.h"
#include "store/store_impl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int
run(struct store *s, const char *sql, const char *doing, struct err *e)
{
	return sqlite3_exec(s->db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : store_fault(s, doing, e);
}

/*
 * Whether a write may be tried. SQLite ends a transaction by itself on some
 * faults; what follows in it must not be written alone. And it would go on
 * writing into a file that was deleted or replaced, for nobody to read again.
 */
static int
check_writable(const struct store *s, struct err *e)
{
	int moved = 0;

	if (sqlite3_file_control(s->db, "main", SQLITE_FCNTL_HAS_MOVED, &moved) == SQLITE_OK && moved != 0) {
		err_set(e, ERR_SYS, "%s/store.db was taken away or replaced while it was in use; put it back", s->dir);
		if (e != NULL)
			e->sys = EIO; /* what can be read again is not what was written */
		return -1;
	}
	if (s->broken)
		return err_set(e, ERR_SYS, "%s/store.db: an earlier fsync failed; look at the disk, then start again", s->dir);
	if (s->tx && sqlite3_get_autocommit(s->db) != 0)
		return err_set(e, ERR_SYS, "%s/store.db: an earlier fault ended this transaction", s->dir);
	return 0;
}

int
store_forget_keys(struct store *s)
{
	if (!s->key_gone || sqlite3_get_autocommit(s->db) == 0)
		return 0;
	if (sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL) != SQLITE_OK)
		return -1;
	s->key_gone = false;
	return 0;
}

void
store_watch(struct store *s, void (*cb)(int64_t ms, void *arg), void *arg)
{
	s->on_write = cb;
	s->on_write_arg = arg;
}

static void
wrote(const struct store *s, int64_t began)
{
	if (s->on_write != NULL)
		s->on_write(clock_mono_ms() - began, s->on_write_arg);
}

int
store_begin(struct store *s, struct err *e)
{
	if (check_writable(s, e) != 0 || run(s, "BEGIN IMMEDIATE", "begin", e) != 0)
		return -1;
	s->tx = true;
	return 0;
}

int
store_commit(struct store *s, struct err *e)
{
	int64_t began = clock_mono_ms();

	if (check_writable(s, e) == 0 && run(s, "COMMIT", "commit", e) == 0) {
		s->tx = false;
		wrote(s, began);
		/* It is durable, whatever becomes of the log. */
		(void)store_forget_keys(s);
		return 0;
	}
	store_rollback(s);
	return -1;
}

void
store_rollback(struct store *s)
{
	s->tx = false;
	if (sqlite3_get_autocommit(s->db) == 0)
		sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
}

static void
bind_place(sqlite3_stmt *st, enum store_table t, uint64_t id)
{
	sqlite3_reset(st);
	sqlite3_clear_bindings(st);
	sqlite3_bind_int(st, 1, (int)t);
	sqlite3_bind_int64(st, 2, (sqlite3_int64)id);
}

int
store_put(struct store *s, enum store_table t, uint64_t id, const void *p, size_t n, struct err *e)
{
	int64_t began = clock_mono_ms();
	uint8_t *sealed;
	int r = -1;

	if (n > STORE_VALUE_MAX || id > INT64_MAX)
		return err_set(e, ERR_LIMIT, "a value of %zu bytes is too large to be stored", n);
	if (check_writable(s, e) != 0)
		return -1;
	sealed = malloc(n + SEAL_OVERHEAD);
	if (sealed == NULL)
		return err_set(e, ERR_MEMORY, "out of memory");
	seal(sealed, s->key, (uint32_t)t, id, p, n);
	bind_place(s->put, t, id);
	if (sqlite3_bind_blob64(s->put, 3, sealed, n + SEAL_OVERHEAD, SQLITE_STATIC) == SQLITE_OK && sqlite3_step(s->put) == SQLITE_DONE)
		r = 0;
	else
		store_fault(s, "write", e);
	sqlite3_reset(s->put);
	sqlite3_clear_bindings(s->put);
	free(sealed);
	s->key_gone |= t == STORE_KEY;
	if (r == 0 && !s->tx)
		wrote(s, began);
	if (r == 0)
		(void)store_forget_keys(s);
	return r;
}

/* Points at the sealed value of the get statement, which stays stepped. */
static int
find(struct store *s, enum store_table t, uint64_t id, const uint8_t **p, size_t *n, struct err *e)
{
	int r;

	bind_place(s->get, t, id);
	r = sqlite3_step(s->get);
	if (r == SQLITE_DONE)
		return err_set(e, ERR_NOTFOUND, "nothing stored at %d/%llu", (int)t, (unsigned long long)id);
	if (r != SQLITE_ROW)
		return store_fault(s, "read", e);
	*p = sqlite3_column_blob(s->get, 0);
	*n = (size_t)sqlite3_column_bytes(s->get, 0);
	if (*n < SEAL_OVERHEAD)
		return store_damaged(s, (int)t, id, e);
	return 0;
}

int
store_get(struct store *s, enum store_table t, uint64_t id, char **out, size_t *n, struct err *e)
{
	const uint8_t *sealed;
	char *text = NULL;
	size_t len;
	int r = -1;

	if (find(s, t, id, &sealed, &len, e) != 0)
		goto out;
	text = malloc(len - SEAL_OVERHEAD + 1);
	if (text == NULL)
		err_set(e, ERR_MEMORY, "out of memory");
	else if (unseal((uint8_t *)text, s->key, (uint32_t)t, id, sealed, len) != 0)
		store_damaged(s, (int)t, id, e);
	else {
		text[len - SEAL_OVERHEAD] = '\0';
		*out = text;
		*n = len - SEAL_OVERHEAD;
		text = NULL;
		r = 0;
	}
out:
	sqlite3_reset(s->get);
	free(text);
	return r;
}

int
store_get_exact(struct store *s, enum store_table t, uint64_t id, void *out, size_t n, struct err *e)
{
	const uint8_t *sealed;
	size_t len;
	int r = find(s, t, id, &sealed, &len, e);

	if (r == 0 && (len != n + SEAL_OVERHEAD || unseal(out, s->key, (uint32_t)t, id, sealed, len) != 0))
		r = store_damaged(s, (int)t, id, e);
	sqlite3_reset(s->get);
	return r;
}

static int
step_done(struct store *s, sqlite3_stmt *st, const char *doing, struct err *e)
{
	int r = sqlite3_step(st) == SQLITE_DONE ? 0 : store_fault(s, doing, e);

	sqlite3_reset(st);
	return r;
}

int
store_delete(struct store *s, enum store_table t, uint64_t id, struct err *e)
{
	if (check_writable(s, e) != 0)
		return -1;
	bind_place(s->del, t, id);
	if (step_done(s, s->del, "delete", e) != 0)
		return -1;
	/* A key must also leave the write-ahead log; inside a transaction store_commit() sees to it. */
	s->key_gone |= t == STORE_KEY;
	return store_forget_keys(s) == 0 ? 0 : store_fault(s, "checkpoint", e);
}

int
store_each(struct store *s, enum store_table t, uint64_t after, bool (*cb)(uint64_t id, const char *p, size_t n, void *arg), void *arg,
    struct err *e)
{
	bool more = true;
	int r = 0, step;

	bind_place(s->each, t, after);
	while (more && r == 0 && (step = sqlite3_step(s->each)) != SQLITE_DONE) {
		const uint8_t *sealed = sqlite3_column_blob(s->each, 1);
		size_t n = (size_t)sqlite3_column_bytes(s->each, 1);
		uint64_t id = (uint64_t)sqlite3_column_int64(s->each, 0);
		char *text;

		if (step != SQLITE_ROW) {
			r = store_fault(s, "read", e);
			break;
		}
		text = malloc(n + 1);
		if (text == NULL) {
			r = err_set(e, ERR_MEMORY, "out of memory");
		} else if (unseal((uint8_t *)text, s->key, (uint32_t)t, id, sealed, n) != 0) {
			r = store_damaged(s, (int)t, id, e);
		} else {
			text[n - SEAL_OVERHEAD] = '\0';
			more = cb(id, text, n - SEAL_OVERHEAD, arg);
			mem_wipe(text, n - SEAL_OVERHEAD);
		}
		free(text);
	}
	sqlite3_reset(s->each);
	return r;
}

int
store_last_id(struct store *s, enum store_table t, uint64_t *id, struct err *e)
{
	int r = -1;

	sqlite3_reset(s->last);
	sqlite3_bind_int(s->last, 1, (int)t);
	if (sqlite3_step(s->last) == SQLITE_ROW) {
		*id = (uint64_t)sqlite3_column_int64(s->last, 0);
		r = 0;
	} else {
		store_fault(s, "read", e);
	}
	sqlite3_reset(s->last);
	return r;
}

int
store_trim(struct store *s, enum store_table t, uint64_t upto, struct err *e)
{
	if (check_writable(s, e) != 0)
		return -1;
	bind_place(s->trim, t, upto);
	return step_done(s, s->trim, "trim", e);
}
