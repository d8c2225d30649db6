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
#include "sim/other.h"
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

/* Its leaf, which our head lists, is said to be the other member's. */
static void
plant_claim(unsigned mirror, const char *address)
{
	struct daemon *d = sim_daemon();
	uint8_t hash[DOC_HASH_LEN];
	struct mirror_view v;
	char *leaf;
	size_t n;

	if (d == NULL || engine_mirror_view(d->engine, (int)mirror, &v) != 0 || store_get(d->store, STORE_LEAF, v.listed, &leaf, &n, NULL) != 0)
		return;
	doc_hash(hash, leaf, n);
	free(leaf);
	other_claim(address, hash);
	check_on_visible();
}

static const struct {
	const char *word;
	void (*fn)(unsigned mirror, const char *address);
} of_mirror[] = { { "delete", plant_delete }, { "key", plant_key }, { "exchange", plant_exchange }, { "row", plant_row }, { "claim", plant_claim } };

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

/* The list that is out gets the first head that the other member ever signed. */
static void
put_back(void)
{
	const struct other_head *first = other_head(0);
	struct doc_bundle now = { 0 }, old = { 0 };
	struct doc_signed heads[2], *was;
	const char *target, *text;
	char path[200], *out = NULL;
	size_t n = 0, i;
	struct doc_head h;

	snprintf(path, sizeof path, "%s/public/current", sim_plan.publish_dir);
	if (first == NULL || (target = sim_link_get(path)) == NULL)
		return;
	snprintf(path, sizeof path, "%s/public/%s/bundle.json", sim_plan.publish_dir, target);
	text = sim_file_get(path, &n);
	if (text != NULL && doc_bundle_parse(&now, text, n, NULL) == DOC_OK && doc_bundle_parse(&old, first->bundle, first->len, NULL) == DOC_OK) {
		for (i = 0; i < now.n_heads && i < 2; i++)
			if (heads[i] = now.heads[i], doc_head_parse(&h, now.heads[i].doc.p, now.heads[i].doc.len, NULL, NULL) == DOC_OK) {
				if (strcmp(h.member, OTHER_NAME) == 0)
					heads[i] = old.heads[0];
				doc_head_free(&h);
			}
		was = now.heads;
		now.heads = heads;
		if (now.n_heads == 2 && doc_bundle_write(&out, &n, &now, NULL) == 0)
			sim_file_put(path, out, n, 0644);
		now.heads = was;
		free(out);
	}
	doc_bundle_free(&now);
	doc_bundle_free(&old);
	check_on_visible();
}

/* back: an older head is out; probe: one of its addresses is probed. */
static void
plant_other(const char *what)
{
	if (strcmp(what, "back") == 0)
		put_back();
	else if (strcmp(what, "probe") == 0 && other_address(0, NULL) != NULL)
		check_on_fetch(other_address(0, NULL));
}

static const struct {
	const char *word;
	void (*fn)(const char *text);
} of_daemon[] = { { "command", plant_command }, { "connect", check_on_connect }, { "log", check_on_log }, { "signature", plant_signature },
	{ "unlock", plant_unlock }, { "fresh", plant_fresh }, { "timing", plant_timing }, { "min-listed", plant_min_listed },
	{ "budget", plant_budget }, { "rise", plant_rise }, { "other", plant_other } };

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
	return "plant delete|key|exchange|row|claim NAME, command|connect|log TEXT, signature +T, unlock state, fresh state, timing slow|fast, "
	       "min-listed N, budget N, rise N or other back|probe";
}
