/* SPDX-License-Identifier: BSD-3-Clause */
/* State folders for the tests of the store: made, filled, read and damaged. */
#include "config.h"
#include "state.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <signal.h>
#include <sodium.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

char state_dir[64];
struct master_key state_key;

#define ROWS 12

void
state_setup(void)
{
	cr_assert(sodium_init() >= 0);
	snprintf(state_dir, sizeof state_dir, "/tmp/unit-store-XXXXXX");
	cr_assert_not_null(mkdtemp(state_dir));
	memset(state_key.bytes, 7, sizeof state_key.bytes);
}

const char *
state_path(const char *name)
{
	static char path[sizeof state_dir + 256];

	snprintf(path, sizeof path, "%s/%s", state_dir, name);
	return path;
}

void
state_teardown(void)
{
	DIR *d = opendir(state_dir);
	struct dirent *de;

	while (d != NULL && (de = readdir(d)) != NULL)
		if (de->d_name[0] != '.')
			unlink(state_path(de->d_name));
	if (d != NULL)
		closedir(d);
	cr_expect_eq(rmdir(state_dir), 0, "the folder is left with nothing strange in it");
}

struct store *
state_open(void)
{
	struct err e = ERR_INIT;
	struct store *s = NULL;

	cr_assert_eq(store_open(&s, state_dir, &state_key, &e), 0, "%s", e.msg);
	return s;
}

struct err
state_refused(const struct master_key *key)
{
	struct err e = ERR_INIT;
	struct store *s = NULL;

	cr_assert_eq(store_open(&s, state_dir, key, &e), -1, "it opens");
	cr_assert_null(s);
	cr_assert_neq(e.msg[0], '\0');
	return e;
}

void
state_put(struct store *s, enum store_table t, uint64_t id, const char *text)
{
	struct err e = ERR_INIT;

	cr_assert_eq(store_put(s, t, id, text, strlen(text), &e), 0, "%s", e.msg);
}

bool
state_holds(struct store *s, enum store_table t, uint64_t id, const char *text)
{
	char *got;
	size_t n;
	bool same;

	if (store_get(s, t, id, &got, &n, NULL) != 0)
		return false;
	same = n == strlen(text) && strcmp(got, text) == 0;
	free(got);
	return same;
}

/* Long enough together for a tree of several pages. */
static void
row_text(char text[400], int table, uint64_t id)
{
	int n = snprintf(text, 400, "table %d row %llu ", table, (unsigned long long)id);

	memset(text + n, 'a' + (int)id, 300);
	text[n + 300] = '\0';
}

void
state_fill(void)
{
	struct store *s = state_open();
	char text[400];
	uint64_t id;
	int t;

	cr_assert_eq(store_begin(s, NULL), 0);
	for (t = STORE_META; t <= STORE__LAST; t++)
		for (id = 1; id <= ROWS; id++) {
			row_text(text, t, id);
			state_put(s, (enum store_table)t, id, text);
		}
	cr_assert_eq(store_commit(s, NULL), 0);
	store_close(s);
}

struct counting {
	int table, wrong;
	uint64_t next;
};

static bool
on_row(uint64_t id, const char *p, size_t n, void *arg)
{
	struct counting *c = arg;
	char text[400];

	row_text(text, c->table, id);
	if (id != c->next || n != strlen(text) || memcmp(p, text, n) != 0)
		c->wrong++;
	c->next++;
	return true;
}

int
state_check(struct store *s)
{
	struct counting c = { 0 };

	for (c.table = STORE_META; c.table <= STORE__LAST; c.table++) {
		c.next = 1;
		if (store_each(s, (enum store_table)c.table, 0, on_row, &c, NULL) != 0)
			return -1;
		if (c.wrong > 0 || c.next != ROWS + 1)
			return -2;
	}
	return 0;
}

char *
state_read(const char *name, size_t *n)
{
	FILE *f = fopen(state_path(name), "rb");
	char *p;

	cr_assert_not_null(f, "%s", name);
	fseek(f, 0, SEEK_END);
	*n = (size_t)ftell(f);
	rewind(f);
	p = malloc(*n + 1);
	cr_assert_eq(fread(p, 1, *n, f), *n);
	fclose(f);
	return p;
}

void
state_write(const char *name, const void *p, size_t n)
{
	FILE *f = fopen(state_path(name), "wb");

	cr_assert_not_null(f, "%s", name);
	cr_assert_eq(fwrite(p, 1, n, f), n);
	cr_assert_eq(fclose(f), 0);
}

void
state_sql(const char *sql)
{
	char *says = NULL;
	sqlite3 *db;

	cr_assert_eq(sqlite3_open(state_path("store.db"), &db), SQLITE_OK);
	cr_assert_eq(sqlite3_exec(db, sql, NULL, NULL, &says), SQLITE_OK, "%s", says);
	cr_assert_eq(sqlite3_close(db), SQLITE_OK);
}

void
state_limit(size_t bytes)
{
	struct rlimit l;

	signal(SIGXFSZ, SIG_IGN);
	cr_assert_eq(getrlimit(RLIMIT_FSIZE, &l), 0);
	l.rlim_cur = bytes > 0 ? bytes : l.rlim_max;
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &l), 0);
}
