/* SPDX-License-Identifier: BSD-3-Clause */
/* Keys: never in the clear on the disk or in the log, and gone when their onion is. */
#include "config.h"
#include "daemon/daemon.h"
#include "sim/check_impl.h"

#include "base/enc.h"
#include "sim/impl.h"
#include "sim/simtor.h"

#include <stdlib.h>
#include <string.h>

#define SHRED_MS (2 * 60 * 1000)

/* Onions that are over and whose key was seen in the store, since when (true ms). */
#define SEEN_MAX 64
static struct {
	uint64_t id;
	int64_t at;
} seen[SEEN_MAX];
static size_t n_seen;
/* Onions whose key this life of the daemon was seen to be without; nothing gives them one again. */
#define ABSENT_MAX 4096
static bool absent[ABSENT_MAX];
static unsigned absent_life;
static int64_t stuck_at; /* the disk took no writes then; -1: never */

void
check_key_begin(void)
{
	stuck_at = -1;
	n_seen = 0;
	absent_life = 0;
}

static int64_t
seen_since(uint64_t id)
{
	size_t i;

	for (i = 0; i < n_seen && seen[i].id != id; i++)
		;
	if (i == SEEN_MAX)
		return sim_now();
	if (i == n_seen) {
		seen[n_seen].id = id;
		seen[n_seen++].at = sim_now();
	}
	return seen[i].at;
}

/* A store that takes no writes can't forget either. */
static void
look_at_onion(const struct onion_record *r, void *arg)
{
	struct daemon *d = arg;
	struct err e = ERR_INIT;
	char *text;
	size_t n;
	bool over = r->state == ONION_GONE || r->state == ONION_FAILED || (r->state == ONION_REVOKED && check_list_warns_of(r->address));

	if (!over || (r->id < ABSENT_MAX && absent[r->id]))
		return;
	if (store_get(d->store, STORE_KEY, r->id, &text, &n, &e) != 0) {
		if (r->id < ABSENT_MAX)
			absent[r->id] = e.code == ERR_NOTFOUND;
		return;
	}
	free(text);
	if (stuck_at >= 0 && sim_now() - stuck_at < SHRED_MS)
		return;
	if (sim_now() - seen_since(r->id) > SHRED_MS)
		sim_violation("I9", "%.8s... is over, and its key is still in the store", r->address);
}

void
check_key_minute(void)
{
	struct daemon *d = sim_daemon();

	if (d == NULL || d->store == NULL || d->engine == NULL)
		return;
	if (absent_life != sim_daemon_life()) { /* nobody could destroy a key meanwhile */
		memset(absent, 0, sizeof absent);
		n_seen = 0;
	}
	absent_life = sim_daemon_life();
	if (d->stuck || disk_faults.full || disk_faults.read_only || disk_faults.eio_fsync_ppm > 0)
		stuck_at = sim_now();
	if (model_fit_for(SHRED_MS))
		engine_each_onion(d->engine, look_at_onion, d);
}

/* Only sealed ones may be on the disk. */
void
check_key_last(void)
{
	const struct simtor_given *g;
	const char *path;
	size_t i;

	for (i = 0; (g = simtor_given(i)) != NULL; i++)
		if ((path = disk_find_bytes(g->key, 32, false)) != NULL)
			sim_violation("I12", "the key of %.8s... lies in the clear in %s", g->address, path);
}

void
check_key_log(const char *line)
{
	const struct simtor_given *g;
	char text[B64_LEN(64) + 1];
	size_t i;

	for (i = 0; (g = simtor_given(i)) != NULL; i++) {
		b64_encode(text, g->key, 64);
		text[24] = '\0';
		if (strstr(line, text) != NULL)
			sim_violation("I12", "the key of %.8s... is in the log", g->address);
	}
}
