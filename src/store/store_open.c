/* SPDX-License-Identifier: BSD-3-Clause */
/* Opening the store: lock, format, key, integrity; and closing it. */
#include "config.h"
#include "base/file.h"
#include "store/store_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DATABASE_MIN 512 /* bytes: its smallest page */
#define CHECK_TABLE 0 /* a sealed constant that proves the key */
static const char check_text[] = "onionmirror state";

/* The daemon waits and tries again on ENOSPC and EROFS, so both are always named by these numbers. */
static int
fault_sys(const struct store *s, const char *doing, int sys, const char *says, struct err *e)
{
	if (e == NULL || e->code != ERR_NONE)
		return -1;
	err_set(e, ERR_SYS, "%s/store.db: %s: %s", s->dir, doing, says);
	e->sys = sys;
	return -1;
}

/* The connection forgets the errno of a failed write to the log, but the open files know it. */
static int
last_errno(const struct store *s)
{
	int sys = sqlite3_system_errno(s->db);
	sqlite3_file *f = NULL;

	if (sys == 0 && sqlite3_file_control(s->db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &f) == SQLITE_OK && f != NULL &&
	    f->pMethods != NULL)
		f->pMethods->xFileControl(f, SQLITE_FCNTL_LAST_ERRNO, &sys);
	if (sys == 0)
		sqlite3_file_control(s->db, "main", SQLITE_FCNTL_LAST_ERRNO, &sys);
	return sys;
}

int
store_fault(struct store *s, const char *doing, struct err *e)
{
	int full = sqlite3_extended_errcode(s->db), code = full & 0xff, sys = 0;
	char says[256];

	/* The kernel tells of a lost page once and may call the next fsync good: nothing after this can be believed. */
	if (full == SQLITE_IOERR_FSYNC || full == SQLITE_IOERR_DIR_FSYNC) {
		s->broken = true;
		return fault_sys(s, doing, EIO, "fsync failed; look at the disk, then start onionmirrord again", e);
	}
	/* With other codes the number is left over from an earlier error. */
	if (code == SQLITE_IOERR || code == SQLITE_CANTOPEN)
		sys = last_errno(s);
	if (code == SQLITE_FULL || sys == ENOSPC || sys == EDQUOT || sys == EFBIG)
		return fault_sys(s, doing, ENOSPC, "the disk is full; free some space", e);
	if (code == SQLITE_READONLY || sys == EROFS)
		return fault_sys(s, doing, EROFS, "read-only", e);
	if (code == SQLITE_BUSY)
		return fault_sys(s, doing, EBUSY, "another program has it open; close that", e);
	if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB)
		return err_set(e, ERR_STATE, "%s/store.db is damaged (%s); nothing was changed: restore it from a backup", s->dir,
		    sqlite3_errmsg(s->db));
	snprintf(says, sizeof says, "%s%s%s", sqlite3_errmsg(s->db), sys != 0 ? ": " : "", sys != 0 ? strerror(sys) : "");
	return fault_sys(s, doing, sys, says, e);
}

int
store_damaged(const struct store *s, int t, uint64_t id, struct err *e)
{
	return err_set(e, ERR_STATE, "%s/store.db: row %d/%llu does not open: it was damaged or moved; restore it from a backup", s->dir,
	    t, (unsigned long long)id);
}

static int
take_lock(struct store *s, struct err *e)
{
	struct flock fl = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	char path[PATH_MAX];

	snprintf(path, sizeof path, "%s/lock", s->dir);
	s->lock_fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (s->lock_fd < 0)
		return err_set_sys(e, "%s", path);
	/* A lock of the open file, not of the process: it can't be lost by a stray close. */
	if (fcntl(s->lock_fd, F_OFD_SETLK, &fl) == 0)
		return 0;
	if (errno == EAGAIN || errno == EACCES)
		return err_set(e, ERR_STATE, "%s is in use by another onionmirrord; stop it first", s->dir);
	return err_set_sys(e, "%s: lock", path);
}

static int
exec(struct store *s, const char *sql, const char *doing, struct err *e)
{
	return sqlite3_exec(s->db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : store_fault(s, doing, e);
}

static int
pragma_int(struct store *s, const char *sql, int *v, struct err *e)
{
	sqlite3_stmt *st = NULL;
	int r = -1;

	if (sqlite3_prepare_v2(s->db, sql, -1, &st, NULL) == SQLITE_OK && sqlite3_step(st) == SQLITE_ROW) {
		*v = sqlite3_column_int(st, 0);
		r = 0;
	} else {
		store_fault(s, "open", e);
	}
	sqlite3_finalize(st);
	return r;
}

static int
check_integrity(struct store *s, struct err *e)
{
	sqlite3_stmt *st = NULL;
	int r = -1;

	if (sqlite3_prepare_v2(s->db, "PRAGMA quick_check(1)", -1, &st, NULL) != SQLITE_OK || sqlite3_step(st) != SQLITE_ROW)
		store_fault(s, "check", e);
	else if (strcmp((const char *)sqlite3_column_text(st, 0), "ok") != 0)
		err_set(e, ERR_STATE, "%s/store.db is damaged (%s); nothing was changed: restore it from a backup", s->dir,
		    (const char *)sqlite3_column_text(st, 0));
	else
		r = 0;
	sqlite3_finalize(st);
	return r;
}

/* The sealed constant: written once, opens only under the right key. */
static int
check_key(struct store *s, bool fresh, struct err *e)
{
	uint8_t sealed[sizeof check_text + SEAL_OVERHEAD], text[sizeof check_text];
	sqlite3_stmt *st = NULL;
	int r = -1;

	if (fresh) {
		seal(sealed, s->key, CHECK_TABLE, 0, check_text, sizeof check_text);
		if (sqlite3_prepare_v2(s->db, "INSERT INTO value(t, id, v) VALUES(0, 0, ?)", -1, &st, NULL) == SQLITE_OK &&
		    sqlite3_bind_blob(st, 1, sealed, sizeof sealed, SQLITE_STATIC) == SQLITE_OK && sqlite3_step(st) == SQLITE_DONE)
			r = 0;
		else
			store_fault(s, "create", e);
	} else if (sqlite3_prepare_v2(s->db, "SELECT v FROM value WHERE t = 0 AND id = 0", -1, &st, NULL) != SQLITE_OK ||
	    sqlite3_step(st) != SQLITE_ROW) {
		err_set(e, ERR_STATE, "%s/store.db is damaged (no check value); restore it from a backup", s->dir);
	} else if (sqlite3_column_bytes(st, 0) != (int)sizeof sealed ||
	    unseal(text, s->key, CHECK_TABLE, 0, sqlite3_column_blob(st, 0), sizeof sealed) != 0 ||
	    memcmp(text, check_text, sizeof text) != 0) {
		err_set(e, ERR_CRYPTO, "%s was made under another master key or passphrase; give the right one (key-file, passphrase-file)",
		    s->dir);
	} else {
		r = 0;
	}
	sqlite3_finalize(st);
	return r;
}

/* A row that lost its place would be missed only when it is wanted; here every value must open where it is. */
static int
check_rows(struct store *s, struct err *e)
{
	sqlite3_stmt *st = NULL;
	int r = 0, step = SQLITE_DONE;
	sqlite3_int64 t, id;

	if (sqlite3_prepare_v2(s->db, "SELECT t, id, v FROM value", -1, &st, NULL) != SQLITE_OK)
		return store_fault(s, "check", e);
	while (r == 0 && (step = sqlite3_step(st)) == SQLITE_ROW) {
		t = sqlite3_column_int64(st, 0);
		id = sqlite3_column_int64(st, 1);
		if (t < CHECK_TABLE || t > STORE__LAST || (t == CHECK_TABLE && id != 0) || id < 0 ||
		    unseal(NULL, s->key, (uint32_t)t, (uint64_t)id, sqlite3_column_blob(st, 2), (size_t)sqlite3_column_bytes(st, 2)) != 0)
			r = store_damaged(s, (int)t, (uint64_t)id, e);
	}
	if (r == 0 && step != SQLITE_DONE)
		r = store_fault(s, "check", e);
	sqlite3_finalize(st);
	return r;
}

/* All in one transaction. */
static int
create(struct store *s, struct err *e)
{
	if (exec(s, "BEGIN IMMEDIATE", "create", e) != 0 ||
	    exec(s, "CREATE TABLE value(t INTEGER NOT NULL, id INTEGER NOT NULL, v BLOB NOT NULL, PRIMARY KEY(t, id)) WITHOUT ROWID", "create",
		e) != 0 ||
	    exec(s, "PRAGMA application_id = 1330475569", "create", e) != 0 || exec(s, "PRAGMA user_version = 1", "create", e) != 0 ||
	    check_key(s, true, e) != 0)
		return -1;
	return exec(s, "COMMIT", "create", e);
}
_Static_assert(STORE_APPLICATION_ID == 1330475569 && STORE_SCHEMA == 1, "the two pragmas above");

static int
open_format(struct store *s, struct err *e)
{
	int app, version, tables;

	if (pragma_int(s, "PRAGMA application_id", &app, e) != 0 || pragma_int(s, "PRAGMA user_version", &version, e) != 0 ||
	    pragma_int(s, "SELECT count(*) FROM sqlite_master", &tables, e) != 0)
		return -1;
	if (app == STORE_APPLICATION_ID && version == STORE_SCHEMA)
		return check_integrity(s, e) == 0 && check_key(s, false, e) == 0 ? check_rows(s, e) : -1;
	if (app == STORE_APPLICATION_ID)
		return err_set(e, ERR_STATE, "%s has state version %d, and this onionmirrord knows version %d: use the onionmirrord that wrote it",
		    s->dir, version, STORE_SCHEMA);
	return err_set(e, ERR_STATE, "%s/store.db is not a store of onionmirror; name another state-dir", s->dir);
}

static int
prepare(struct store *s, struct err *e)
{
	const struct {
		sqlite3_stmt **st;
		const char *sql;
	} all[] = { { &s->put, "INSERT OR REPLACE INTO value(t, id, v) VALUES(?, ?, ?)" },
		{ &s->get, "SELECT v FROM value WHERE t = ? AND id = ?" }, { &s->del, "DELETE FROM value WHERE t = ? AND id = ?" },
		{ &s->each, "SELECT id, v FROM value WHERE t = ? AND id > ? ORDER BY id" },
		{ &s->last, "SELECT max(id) FROM value WHERE t = ?" }, { &s->trim, "DELETE FROM value WHERE t = ? AND id <= ?" } };
	size_t i;

	for (i = 0; i < sizeof all / sizeof all[0]; i++)
		if (sqlite3_prepare_v3(s->db, all[i].sql, -1, SQLITE_PREPARE_PERSISTENT, all[i].st, NULL) != SQLITE_OK)
			return store_fault(s, "prepare", e);
	return 0;
}

/* Looks at what is there before SQLite does, which would begin anew over an empty or missing file. *missing: there is no store yet. */
static int
look_at_file(struct store *s, bool *missing, struct err *e)
{
	char path[PATH_MAX + 16];
	struct stat st;

	snprintf(path, sizeof path, "%s/store.db", s->real);
	*missing = lstat(path, &st) != 0 && errno == ENOENT;
	if (!*missing && !S_ISREG(st.st_mode))
		return err_set(e, ERR_STATE, "%s/store.db is not a regular file", s->dir);
	/* SQLite takes a file of one byte for an empty one, too. */
	if (!*missing && st.st_size < DATABASE_MIN)
		return err_set(e, ERR_STATE, "%s/store.db is empty: restore it from a backup, or remove it if nothing was ever stored",
		    s->dir);
	snprintf(path, sizeof path, "%s/store.db-wal", s->real);
	if (*missing && lstat(path, &st) == 0)
		return err_set(e, ERR_STATE, "%s/store.db is missing, its log is there: restore both from a backup", s->dir);
	return 0;
}

static int
open_file(struct store *s, const char *path, int more, struct err *e)
{
	mode_t was = umask(077);
	int r = sqlite3_open_v2(path, &s->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_PRIVATECACHE | more, NULL);

	umask(was);
	if (r != SQLITE_OK)
		return s->db != NULL ? store_fault(s, "open", e) : err_set(e, ERR_MEMORY, "%s: out of memory", path);
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_limit(s->db, SQLITE_LIMIT_LENGTH, STORE_VALUE_MAX + 4096);
	return exec(s, "PRAGMA secure_delete = ON", "open", e);
}

static void
close_database(struct store *s)
{
	sqlite3_finalize(s->put);
	sqlite3_finalize(s->get);
	sqlite3_finalize(s->del);
	sqlite3_finalize(s->each);
	sqlite3_finalize(s->last);
	sqlite3_finalize(s->trim);
	s->put = s->get = s->del = s->each = s->last = s->trim = NULL;
	sqlite3_close(s->db);
	s->db = NULL;
}

/* What a crash or a full disk left of a store that was being made. */
static void
unmake(const struct store *s)
{
	char path[PATH_MAX + 32];

	snprintf(path, sizeof path, "%s/store.new", s->real);
	unlink(path);
	snprintf(path, sizeof path, "%s/store.new-journal", s->real);
	unlink(path);
}

/* Under another name until it is whole: an empty store.db is one that was lost, and nothing is begun anew over it. */
static int
make_database(struct store *s, struct err *e)
{
	char fresh[PATH_MAX + 16], path[PATH_MAX + 16];
	int r;

	snprintf(fresh, sizeof fresh, "%s/store.new", s->real);
	snprintf(path, sizeof path, "%s/store.db", s->real);
	unmake(s);
	r = open_file(s, fresh, SQLITE_OPEN_CREATE, e) == 0 ? create(s, e) : -1;
	close_database(s);
	if (r == 0 && rename(fresh, path) != 0)
		r = err_set_sys(e, "%s", path);
	if (r != 0) {
		unmake(s);
		return -1;
	}
	return file_sync_dir(s->real, e);
}

static int
open_database(struct store *s, struct err *e)
{
	char path[PATH_MAX + 16];
	bool missing;
	mode_t was;
	int r;

	/* SQLite follows no symlink in any part of a path; ours may lead through one. */
	if (realpath(s->dir, s->real) == NULL)
		return err_set_sys(e, "%s", s->dir);
	if (look_at_file(s, &missing, e) != 0 || (missing && make_database(s, e) != 0))
		return -1;
	snprintf(path, sizeof path, "%s/store.db", s->real);
	if (open_file(s, path, 0, e) != 0 || open_format(s, e) != 0)
		return -1;
	was = umask(077);
	r = exec(s, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY", "open", e);
	umask(was);
	if (r != 0 || prepare(s, e) != 0)
		return -1;
	/* What a crash left in the log may hold a key that was deleted. */
	s->key_gone = true;
	(void)store_forget_keys(s);
	return 0;
}

int
store_open(struct store **out, const char *state_dir, const struct master_key *key, struct err *e)
{
	struct store *s = calloc(1, sizeof *s);

	if (s == NULL)
		return err_set(e, ERR_MEMORY, "out of memory");
	s->lock_fd = -1;
	s->key = key;
	if ((size_t)snprintf(s->dir, sizeof s->dir, "%s", state_dir) >= sizeof s->dir)
		err_set(e, ERR_LIMIT, "%s: path too long", state_dir);
	else if (file_check_dir(state_dir, e) == 0 && take_lock(s, e) == 0 && open_database(s, e) == 0) {
		*out = s;
		return 0;
	}
	store_close(s);
	return -1;
}

void
store_close(struct store *s)
{
	if (s == NULL)
		return;
	close_database(s);
	if (s->lock_fd >= 0)
		close(s->lock_fd);
	free(s);
}
