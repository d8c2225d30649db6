/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The durable state, seen from its interface: every write of the daemon goes by
 * here (--wrap), so what must be there when the store is opened again is known,
 * whatever happened in between. And whose each onion is, and that one daemon
 * alone has the state.
 */
#include "config.h"
#include "daemon/daemon.h"
#include "daemon/records.h"
#include "sim/check_impl.h"

#include "base/enc.h"
#include "proto/edkey.h"
#include "sim/impl.h"
#include "sim/simtor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define ROWS 8192 /* a power of two; a world has some hundred */
#define CHANGES 256
#define MAYBE 2
#define ONIONS 4096

/* A row that matters: its hash (0: absent), and what it may be instead, since a write failed or was cut off. */
struct row {
	uint64_t id;
	enum store_table t; /* 0: free */
	uint64_t now, maybe[MAYBE];
	unsigned writing[MAYBE], n_maybe; /* the transactions that these belong to */
	bool any;                         /* more of them than are kept */
	unsigned seen;                    /* the opening that last saw it */
};
static struct row rows[ROWS];
static size_t n_rows;
static struct {
	enum store_table t;
	uint64_t id, hash;
} changes[CHANGES];
static size_t n_changes;
static bool in_transaction, known;
static unsigned writing, opening;
static char found_wrong[160]; /* what the last opening found; "" nothing */
static bool found_empty; /* and that it had onions before, and has none now */
/* By id, once recorded durably: its mirror and address; ids are never used again. */
static struct {
	char mirror[ONION_NAME_MAX + 1], address[57];
} onions[ONIONS];
static uint64_t last_onion;
static struct onion_record planned; /* in the transaction that is open; id 0: none */

void
check_state_begin(void)
{
	memset(rows, 0, sizeof rows);
	memset(onions, 0, sizeof onions);
	n_rows = n_changes = 0;
	last_onion = planned.id = 0;
	in_transaction = known = false;
	writing = opening = 0;
	found_wrong[0] = '\0';
	found_empty = false;
}

static bool
matters(enum store_table t)
{
	return t >= STORE_META && t <= STORE_LEAF;
}

/* FNV-1a; never 0. */
static uint64_t
hash_of(const void *p, size_t n)
{
	uint64_t h = UINT64_C(14695981039346656037);
	const uint8_t *b = p;

	while (n-- > 0)
		h = (h ^ *b++) * UINT64_C(1099511628211);
	return h != 0 ? h : 1;
}

static struct row *
row_of(enum store_table t, uint64_t id)
{
	size_t i = (size_t)(id * 8 + (uint64_t)t) * 2654435761u % ROWS;

	while (rows[i].t != 0 && (rows[i].t != t || rows[i].id != id))
		i = (i + 1) % ROWS;
	if (rows[i].t == 0) {
		if (++n_rows == ROWS)
			sim_violation("I14", "the state has more than %d rows", ROWS);
		rows[i].t = t;
		rows[i].id = id;
	}
	return &rows[i];
}

static void
written(enum store_table t, uint64_t id, uint64_t hash)
{
	struct row *r = row_of(t, id);

	r->now = hash;
	r->n_maybe = 0;
	r->any = false;
}

static void
may_be_written(enum store_table t, uint64_t id, uint64_t hash)
{
	struct row *r = row_of(t, id);

	if (r->n_maybe == MAYBE) {
		r->any = true;
		return;
	}
	r->maybe[r->n_maybe] = hash;
	r->writing[r->n_maybe++] = writing;
}

/* r: what the store said. A write of a daemon that is dead already reaches nothing. */
static void
changed(enum store_table t, uint64_t id, uint64_t hash, int r, bool was_dead)
{
	if (!matters(t) || was_dead)
		return;
	if (in_transaction) {
		if (r == 0 && n_changes < CHANGES) {
			changes[n_changes].t = t;
			changes[n_changes].id = id;
			changes[n_changes++].hash = hash;
		}
		return;
	}
	writing++;
	if (r == 0)
		written(t, id, hash);
	else
		may_be_written(t, id, hash);
}

/* --- I5: whose an onion is --------------------------------------------------------------- */

/* A record that is durable: an id is of one mirror and one key, and no key is of two. */
static void
take_record(const struct onion_record *r)
{
	uint64_t i;

	if (onions[r->id].mirror[0] != '\0') {
		if (strcmp(onions[r->id].mirror, r->mirror) != 0 || strcmp(onions[r->id].address, r->address) != 0)
			sim_violation("I5", "onion %llu was of %s, and is recorded as another one of %s", (unsigned long long)r->id,
			    onions[r->id].mirror, r->mirror);
		return;
	}
	for (i = 1; i <= last_onion; i++)
		if (strcmp(onions[i].address, r->address) == 0)
			sim_violation("I5", "%.8s... of %s is recorded again, for %s", r->address, onions[i].mirror, r->mirror);
	last_onion = r->id > last_onion ? r->id : last_onion;
	memcpy(onions[r->id].mirror, r->mirror, sizeof r->mirror);
	memcpy(onions[r->id].address, r->address, sizeof r->address);
	check_pace_planned(r);
}

/* What is written of an onion for the first time. */
static void
look_at_record(uint64_t id, const void *p, size_t n)
{
	struct onion_record r;

	if (id == 0 || id >= ONIONS || onions[id].mirror[0] != '\0' || record_onion_parse(&r, id, p, n, NULL) != 0)
		return;
	if (in_transaction)
		planned = r;
	else
		take_record(&r);
}

struct wanted {
	const char *address;
	const struct onion_record *found;
};

static void
match(const struct onion_record *r, void *arg)
{
	struct wanted *w = arg;

	if (strcmp(r->address, w->address) == 0)
		w->found = r;
}

/* ADD_ONION: the key is the stored one of this address, and both are durable, with the mirror whose backend it is. */
void
check_state_add(const char *address, const uint8_t key[EDKEY_LEN], unsigned mirror)
{
	struct daemon *d = sim_daemon();
	struct wanted w = { .address = address };
	const struct row *r;

	if (d == NULL || d->engine == NULL || !known)
		return;
	engine_each_onion(d->engine, match, &w);
	if (w.found == NULL) {
		sim_violation("I5", "ADD_ONION of %.8s..., of which nothing is recorded", address);
		return;
	}
	if (mirror < sim_plan.n_mirrors && strcmp(w.found->mirror, sim_plan.mirrors[mirror].name) != 0)
		sim_violation("I5", "%.8s... of %s is given the backend of %s", address, w.found->mirror, sim_plan.mirrors[mirror].name);
	r = row_of(STORE_KEY, w.found->id);
	if (r->now != 0 && r->now != hash_of(key, EDKEY_LEN))
		sim_violation("I5", "the key that tor is given for %.8s... is not the stored one", address);
	/* What was on its way when it was destroyed or given up comes late. */
	if (w.found->state != ONION_GONE && w.found->state != ONION_FAILED && w.found->state != ONION_REVOKED &&
	    (r->now == 0 || row_of(STORE_ONION, w.found->id)->now == 0))
		sim_violation("I8", "ADD_ONION of %.8s... before its key and record are durable", address);
}

/* --- the store's interface ------------------------------------------------------------------ */

int __real_store_open(struct store **out, const char *dir, const struct master_key *key, struct err *e);
int __wrap_store_open(struct store **out, const char *dir, const struct master_key *key, struct err *e);
int __real_store_begin(struct store *s, struct err *e);
int __wrap_store_begin(struct store *s, struct err *e);
int __real_store_commit(struct store *s, struct err *e);
int __wrap_store_commit(struct store *s, struct err *e);
void __real_store_rollback(struct store *s);
void __wrap_store_rollback(struct store *s);
int __real_store_put(struct store *s, enum store_table t, uint64_t id, const void *p, size_t n, struct err *e);
int __wrap_store_put(struct store *s, enum store_table t, uint64_t id, const void *p, size_t n, struct err *e);
int __real_store_delete(struct store *s, enum store_table t, uint64_t id, struct err *e);
int __wrap_store_delete(struct store *s, enum store_table t, uint64_t id, struct err *e);

int
__wrap_store_begin(struct store *s, struct err *e)
{
	int r = __real_store_begin(s, e);

	in_transaction = r == 0;
	n_changes = 0;
	planned.id = 0;
	return r;
}

int
__wrap_store_commit(struct store *s, struct err *e)
{
	bool was_dead = process_is_dead();
	int r = __real_store_commit(s, e);
	size_t i;

	writing++;
	for (i = 0; i < n_changes && !was_dead; i++)
		(r == 0 ? written : may_be_written)(changes[i].t, changes[i].id, changes[i].hash);
	in_transaction = false;
	if (r == 0 && !was_dead && planned.id != 0)
		take_record(&planned);
	return r;
}

void
__wrap_store_rollback(struct store *s)
{
	__real_store_rollback(s);
	in_transaction = false;
}

int
__wrap_store_put(struct store *s, enum store_table t, uint64_t id, const void *p, size_t n, struct err *e)
{
	bool was_dead = process_is_dead();
	int r = __real_store_put(s, t, id, p, n, e);

	if (!matters(t))
		return r;
	changed(t, id, hash_of(p, n), r, was_dead);
	if (t == STORE_ONION && r == 0 && !was_dead)
		look_at_record(id, p, n);
	return r;
}

int
__wrap_store_delete(struct store *s, enum store_table t, uint64_t id, struct err *e)
{
	bool was_dead = process_is_dead();
	int r = __real_store_delete(s, t, id, e);

	changed(t, id, 0, r, was_dead);
	return r;
}

/* --- I17, I20: opened again ------------------------------------------------------------------ */

/* Which transactions are there, and which are not; by number. */
#define WRITINGS 64
static unsigned there[WRITINGS], absent[WRITINGS];

static void
note_wrong(const struct row *r, const char *how)
{
	static const char *const names[] = { "", "meta", "onion", "key", "leaf" };

	if (found_wrong[0] == '\0')
		snprintf(found_wrong, sizeof found_wrong, "%s %llu %s", names[r->t], (unsigned long long)r->id, how);
}

/* What is in a row now must be what was last written, or what was being written when it broke off: then all of that. */
static void
settle_row(struct row *r, uint64_t hash)
{
	unsigned i, k = r->n_maybe;

	for (i = 0; i < r->n_maybe; i++) {
		unsigned at = r->writing[i] % WRITINGS;

		if (r->maybe[i] == r->now)
			continue;
		if (hash == r->maybe[i])
			there[at] = r->writing[k = i];
		else if (hash == r->now)
			absent[at] = r->writing[i];
		if (there[at] != 0 && there[at] == absent[at])
			note_wrong(r, "is of one half of a transaction, another row of the other");
	}
	if (known && hash != r->now && k == r->n_maybe && !r->any)
		note_wrong(r, hash == 0 ? "was lost" : r->now == 0 ? "has come back" : "is not what was last written");
	r->now = hash;
	r->n_maybe = 0;
	r->any = false;
	r->seen = opening;
}

static enum store_table reading;
static size_t n_onions; /* read */

static bool
read_row(uint64_t id, const char *p, size_t n, void *arg)
{
	(void)arg;
	n_onions += reading == STORE_ONION;
	settle_row(row_of(reading, id), hash_of(p, n));
	if (reading == STORE_ONION)
		look_at_record(id, p, n);
	return true;
}

int
__wrap_store_open(struct store **out, const char *dir, const struct master_key *key, struct err *e)
{
	int r = __real_store_open(out, dir, key, e);
	size_t i;

	if (r != 0 || process_is_dead() || trace_violation() != NULL)
		return r;
	in_transaction = false;
	opening++;
	n_onions = 0;
	found_wrong[0] = '\0';
	memset(there, 0, sizeof there);
	memset(absent, 0, sizeof absent);
	for (reading = STORE_META; reading <= STORE_LEAF; reading++)
		if (store_each(*out, reading, 0, read_row, NULL, NULL) != 0)
			return r; /* it will find out itself */
	for (i = 0; i < ROWS; i++)
		if (rows[i].t != 0 && rows[i].seen != opening)
			settle_row(&rows[i], 0);
	found_empty = known && n_onions == 0 && found_wrong[0] != '\0';
	known = true;
	return r;
}

/* It has opened its state and is about to go on with it. */
void
check_state_start(void)
{
	if (found_empty)
		sim_violation("I17", "it goes on with an empty state: %s", found_wrong);
	else if (found_wrong[0] != '\0')
		sim_violation("I20", "it goes on with a state that was never there: %s", found_wrong);
	check_state_minute();
}

/* --- at the end of a run that began with a crash ----------------------------------------------- */

/* What tor has of ours is recorded and alive, and the store has its key; so is all that is listed. */
static void
look_at_end(const char *address, const char *where)
{
	struct wanted w = { .address = address };
	bool over;

	engine_each_onion(sim_daemon()->engine, match, &w);
	over = w.found != NULL && (w.found->state == ONION_GONE || w.found->state == ONION_FAILED || w.found->state == ONION_REVOKED);
	if (w.found == NULL || over)
		sim_violation("I10", "%.8s... %s, and %s", address, where, over ? "it is over" : "nothing is recorded of it");
	else if (row_of(STORE_KEY, w.found->id)->now == 0)
		sim_violation("I8", "%.8s... %s, and has no key", address, where);
}

void
check_state_last(void)
{
	const struct simtor_given *g;
	size_t i;

	if (sim_daemon() == NULL || sim_daemon()->engine == NULL) {
		sim_violation("V1", "the daemon is not at work at the end");
		return;
	}
	for (i = 0; (g = simtor_given(i)) != NULL; i++) {
		if (model_has_onion(g->address))
			look_at_end(g->address, "is in tor");
		if (check_list_has(g->address))
			look_at_end(g->address, "is listed");
	}
}

/* --- I11: one writer -------------------------------------------------------------------------- */

/* Another daemon would not get the state now. */
void
check_state_minute(void)
{
	struct flock fl = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	char path[100];
	int fd;

	if (sim_daemon() == NULL || sim_daemon()->store == NULL)
		return;
	snprintf(path, sizeof path, "%s/lock", sim_plan.state_dir);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return; /* read-only: nor could another daemon */
	if (fcntl(fd, F_OFD_SETLK, &fl) == 0)
		sim_violation("I11", "the daemon runs, and another one could take its state");
	close(fd);
}
