/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Planted faults: what the daemon must never do, done in its name or to what it
 * stands on, so that a scenario can expect the violation. They show that each
 * checker fires; nothing else may use them.
 */
#include "config.h"
#include "daemon/daemon.h"
#include "sim/scenario.h"

#include "base/enc.h"
#include "sim/impl.h"
#include "sim/simtor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct simtor_given *
given(const char *address)
{
	const struct simtor_given *g;
	size_t i;

	for (i = 0; (g = simtor_given(i)) != NULL && strcmp(g->address, address) != 0; i++)
		;
	return g;
}

/* --- of a mirror with a listed address ------------------------------------------------------- */

static void
plant_delete(unsigned mirror, const char *address)
{
	char line[80];

	(void)mirror;
	check_on_command(0, line, (size_t)snprintf(line, sizeof line, "DEL_ONION %s", address));
}

static void
plant_key(unsigned mirror, const char *address)
{
	const struct simtor_given *g = given(address);

	(void)mirror;
	if (g != NULL)
		sim_file_put("/var/tmp/forgotten", g->key, sizeof g->key, 0600);
}

/* Its key, with the backend of another mirror. */
static void
plant_exchange(unsigned mirror, const char *address)
{
	const struct simtor_given *g = given(address);
	char key[B64_LEN(64) + 1], line[300];

	if (g == NULL)
		return;
	b64_encode(key, g->key, sizeof g->key);
	check_on_command(0, line, (size_t)snprintf(line, sizeof line, "ADD_ONION ED25519-V3:%s Flags=DiscardPK,Detach Port=80,%s", key,
	    sim_plan.mirrors[(mirror + 1) % sim_plan.n_mirrors].backend));
}

int __real_store_delete(struct store *s, enum store_table t, uint64_t id, struct err *e);
int __real_store_put(struct store *s, enum store_table t, uint64_t id, const void *p, size_t n, struct err *e);

/* Its leaf becomes another one behind everybody's back, and the next life finds it. */
static void
plant_row(unsigned mirror, const char *address)
{
	struct daemon *d = sim_daemon();
	struct mirror_view v;

	(void)address;
	if (d == NULL || engine_mirror_view(d->engine, (int)mirror, &v) != 0)
		return;
	__real_store_put(d->store, STORE_LEAF, v.listed, "{}", 2, NULL);
	process_kill("planted", 5000);
}

static const struct {
	const char *word;
	void (*fn)(unsigned mirror, const char *address);
} of_mirror[] = { { "delete", plant_delete }, { "key", plant_key }, { "exchange", plant_exchange }, { "row", plant_row } };

/* --- of the daemon ------------------------------------------------------------------------------ */

static void
plant_command(const char *text)
{
	check_on_command(0, text, strlen(text));
}

/* A list becomes visible while the clock is so wrong. */
static void
plant_signature(const char *text)
{
	int64_t s = 0;

	if (!scn_signed_seconds(text, &s))
		return;
	sim_wall_step(s);
	check_on_visible();
	sim_wall_step(-s);
}

static void
plant_unlock(const char *what)
{
	(void)what;
	posix_unlock_all();
}

/* Every onion and the lists that could tell of them are gone, and the next life begins as on the first day. */
static void
plant_fresh(const char *what)
{
	struct daemon *d = sim_daemon();
	uint64_t id, last = 0;

	(void)what;
	store_last_id(d->store, STORE_ONION, &last, NULL);
	for (id = 1; id <= last; id++) {
		__real_store_delete(d->store, STORE_ONION, id, NULL);
		__real_store_delete(d->store, STORE_KEY, id, NULL);
		__real_store_delete(d->store, STORE_LEAF, id, NULL);
	}
	process_kill("planted", 5000);
	disk_rename(NULL, sim_plan.publish_dir, NULL, "/srv/moved-away");
}

/* slow: it waits minutes for a link; fast: it polls each tor each five seconds. */
static void
plant_timing(const char *what)
{
	static const struct session_timing slow = { 10000, 30000, 300000, 600000, 60000 }, fast = { 10000, 5000, 1000, 60000, 60000 };
	struct daemon *d = sim_daemon();
	size_t i;

	for (i = 0; d != NULL && i < d->conf->n_tors; i++)
		session_set_timing(d->tors[i].session, strcmp(what, "slow") == 0 ? &slow : &fast);
}

/* What the configuration says is not what it goes by. */
static void
plant_min_listed(const char *n)
{
	sim_daemon()->conf->min_listed = (unsigned)atoi(n);
	daemon_reconfigure(sim_daemon());
}

static void
plant_budget(const char *n)
{
	sim_daemon()->conf->max_rotations_per_day = (unsigned)atoi(n);
	daemon_reconfigure(sim_daemon());
}

static void
plant_rise(const char *n)
{
	sim_daemon()->conf->checks[0].rise = (unsigned)atoi(n);
	daemon_reconfigure(sim_daemon());
}

static const struct {
	const char *word;
	void (*fn)(const char *text);
} of_daemon[] = { { "command", plant_command }, { "connect", check_on_connect }, { "log", check_on_log }, { "signature", plant_signature },
	{ "unlock", plant_unlock }, { "fresh", plant_fresh }, { "timing", plant_timing }, { "min-listed", plant_min_listed },
	{ "budget", plant_budget }, { "rise", plant_rise } };

const char *
scn_plant(struct scenario *s, char **w, size_t n, bool dry)
{
	int mirror = n == 2 ? scn_mirror(s, w[1]) : -1;
	const char *address;
	size_t i;

	for (i = 0; mirror >= 0 && i < sizeof of_mirror / sizeof of_mirror[0]; i++)
		if (strcmp(of_mirror[i].word, w[0]) == 0) {
			address = dry ? NULL : scn_listed(s, (unsigned)mirror);
			if (address != NULL)
				of_mirror[i].fn((unsigned)mirror, address);
			return NULL;
		}
	for (i = 0; n == 2 && i < sizeof of_daemon / sizeof of_daemon[0]; i++)
		if (strcmp(of_daemon[i].word, w[0]) == 0) {
			if (!dry && sim_daemon() != NULL)
				of_daemon[i].fn(w[1]);
			return NULL;
		}
	return "plant delete|key|exchange|row NAME, command|connect|log TEXT, signature +T, unlock state, fresh state, timing slow|fast, "
	       "min-listed N, budget N or rise N";
}
