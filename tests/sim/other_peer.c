/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What comes into the folder with the lists of other members: new heads and old
 * ones, both heads of a fork, what is too large, too many or nothing at all, in
 * several files, whether the daemon lives or not and whatever the disk is like.
 */
#include "config.h"
#include "sim/other.h"

#include "sim/impl.h"
#include "sim/nemesis.h"
#include "sim/simtor.h"

#include "base/mem.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MINUTE_MS INT64_C(60000)
#define HOUR_MS (60 * MINUTE_MS)
#define ONE_IN 32 /* worlds: they take two thirds more time */
#define MANY 70  /* more files than the daemon reads */
#define LARGE (4 * 1024 * 1024 + 1)

/* The files that lie there, and the good head in each, if there is one. */
static const char *const places[] = { "host", "mail", "web" };
#define PLACES (sizeof places / sizeof places[0])
static const struct other_head *lying[PLACES];
static bool many; /* before all of these in the order of names: none of them is read */
static uint64_t next_ev;

static void
path_of(char out[128], const char *name)
{
	snprintf(out, 128, "%s/site/bundles/%s.json", sim_plan.state_dir, name);
}

/* For good: a power loss must not bring it back. */
static void
forget(const char *name)
{
	char path[128];

	path_of(path, name);
	sim_file_remove(path);
	snprintf(path, sizeof path, "%s/site/bundles/.keep", sim_plan.state_dir);
	sim_file_put(path, "", 0, 0644); /* syncs the folder */
}

static void
put(size_t place, const void *p, size_t n, const struct other_head *h)
{
	char path[128];

	path_of(path, places[place]);
	sim_file_put(path, p, n, 0644);
	lying[place] = h;
}

static void
put_head(size_t place, const struct other_head *h)
{
	if (h == NULL)
		return;
	sim_trace("other: head %llu of key %u in %s%s", (unsigned long long)h->serial, h->key, places[place], h->forged ? ", forged" : "");
	put(place, h->bundle, h->len, h->forged ? NULL : h);
}

static void
take_away(size_t place)
{
	forget(places[place]);
	lying[place] = NULL;
}

/* --- acts ------------------------------------------------------------------------------------------- */

static void
act_head(size_t place)
{
	put_head(place, other_sign_next(NULL));
}

/* Not the next, but the one after it. */
static void
act_ahead(size_t place)
{
	other_sign_next(NULL);
	put_head(place, other_sign_next(NULL));
}

/* One of those that it signed before, under whatever key; the oldest too. */
static void
act_stale(size_t place)
{
	size_t n;

	for (n = 0; other_head(n) != NULL; n++)
		;
	put_head(place, n > 0 ? other_head(sim_below(DICE_OTHER, n)) : NULL);
}

/* A head that follows what the newest follows: the other one of a fork, or with a higher serial one that passes it over. */
static const struct other_head *
sign_beside(uint64_t above)
{
	const struct other_head *newest = other_newest();
	struct other_wish w = { 0 };

	if (newest == NULL)
		return NULL;
	w.serial = newest->serial + above;
	w.prev = newest->prev;
	return other_sign(&w);
}

static void
act_fork(size_t place)
{
	put_head(place, sign_beside(0));
}

static void
act_pass_over(size_t place)
{
	put_head(place, sign_beside(1 + sim_below(DICE_OTHER, 20)));
}

/* It goes on from the other head of a fork. */
static void
act_branch(size_t place)
{
	struct other_wish w = { .prev = sign_beside(0) };

	if (w.prev == NULL)
		return;
	w.serial = w.prev->serial + 1 + sim_below(DICE_OTHER, 5);
	put_head(place, other_sign(&w));
}

static void
act_forge(size_t place)
{
	struct other_wish w = { .prev = other_newest(), .forged = true };

	w.serial = w.prev != NULL ? w.prev->serial + 1 : 1;
	put_head(place, other_sign(&w));
}

/* It calls an address of ours withdrawn. */
static void
act_withdraw_ours(size_t place)
{
	const struct simtor_given *g, *found = NULL;
	unsigned n = 0;
	size_t i;

	for (i = 0; (g = simtor_given(i)) != NULL; i++)
		if (sim_below(DICE_OTHER, ++n) == 0)
			found = g;
	if (found != NULL)
		put_head(place, other_sign_next(found->address));
}

static void
act_rotate(size_t place)
{
	other_rotate();
	put_head(place, other_sign_next(NULL));
}

static void
act_garbage(size_t place)
{
	const struct other_head *h = other_newest();
	char junk[4096], *copy;
	size_t n;

	sim_trace("other: garbage in %s", places[place]);
	if (h == NULL || sim_chance(DICE_OTHER, 300000)) {
		n = sim_below(DICE_OTHER, sizeof junk);
		if (sim_chance(DICE_OTHER, 500000))
			memset(junk, '[', sizeof junk);
		else
			sim_bytes(DICE_OTHER, junk, sizeof junk);
		put(place, junk, n, NULL);
		return;
	}
	copy = xcalloc(h->len + 1, 1);
	memcpy(copy, h->bundle, h->len);
	n = h->len;
	if (sim_chance(DICE_OTHER, 500000))
		n = sim_below(DICE_OTHER, n);
	else
		copy[sim_below(DICE_OTHER, n)] ^= (char)(1u << sim_below(DICE_OTHER, 7));
	put(place, copy, n, NULL);
	free(copy);
}

/* Our own list, as it is now. */
static void
act_ours(size_t place)
{
	char path[200];
	size_t n = 0;
	const char *p;
	char *copy;

	snprintf(path, sizeof path, "%s/public/current/bundle.json", sim_plan.publish_dir);
	if ((p = sim_file_get(path, &n)) == NULL)
		return;
	sim_trace("other: our own list in %s", places[place]);
	copy = xcalloc(n + 1, 1);
	memcpy(copy, p, n);
	put(place, copy, n, NULL);
	free(copy);
}

static void
end_large(void *arg)
{
	size_t place = (size_t)((const char *const *)arg - places);

	if (lying[place] == NULL)
		take_away(place);
}

static void
act_large(size_t place)
{
	char *text = xcalloc(LARGE, 1);

	sim_trace("other: too much in %s", places[place]);
	memset(text, ' ', LARGE);
	put(place, text, LARGE, NULL);
	free(text);
	sim_after(HOUR_MS, end_large, (void *)(uintptr_t)&places[place]);
}

static void
set_many(bool on)
{
	char name[16], path[128];
	unsigned i;

	many = on;
	for (i = 0; i < MANY; i++) {
		snprintf(name, sizeof name, "a%02u", i);
		path_of(path, name);
		if (on)
			sim_file_put(path, "{}\n", 3, 0644);
		else
			forget(name);
	}
}

static void
end_many(void *arg)
{
	(void)arg;
	if (many)
		set_many(false);
}

static void
act_many(size_t place)
{
	(void)place;
	if (many)
		return;
	sim_trace("other: %d files", MANY);
	set_many(true);
	sim_after(2 * HOUR_MS, end_many, NULL);
}

static void
act_nothing(size_t place)
{
	take_away(place);
}

static void
act_leave(size_t place)
{
	(void)place;
	other_withdraw();
}

static void
act_join(size_t place)
{
	(void)place;
	if (!other_is_certified())
		other_certify(false);
}

static void
act_new_key(size_t place)
{
	other_certify(true);
	put_head(place, other_sign_next(NULL));
}

static const struct {
	const char *word;
	unsigned weight; /* how often, against all others */
	void (*fn)(size_t place);
} acts[] = { { "head", 30, act_head }, { "ahead", 8, act_ahead }, { "stale", 15, act_stale }, { "fork", 10, act_fork },
	{ "pass-over", 5, act_pass_over }, { "branch", 5, act_branch }, { "forge", 3, act_forge }, { "withdraw-ours", 3, act_withdraw_ours },
	{ "rotate", 6, act_rotate }, { "garbage", 6, act_garbage }, { "ours", 4, act_ours }, { "large", 1, act_large }, { "many", 2, act_many },
	{ "nothing", 5, act_nothing }, { "leave", 2, act_leave }, { "join", 6, act_join }, { "new-key", 2, act_new_key } };
#define ACTS (sizeof acts / sizeof acts[0])

const char *
other_peer_acts(void)
{
	static char text[300];
	size_t i, n;

	n = (size_t)snprintf(text, sizeof text, "other ACT [host|mail|web], ACT one of:");
	for (i = 0; i < ACTS; i++)
		n += (size_t)snprintf(text + n, sizeof text - n, " %s", acts[i].word);
	return text;
}

bool
other_peer_do(const char *act, const char *place, bool dry)
{
	size_t i, p;

	for (i = 0; i < ACTS && strcmp(acts[i].word, act) != 0; i++)
		;
	for (p = 0; place != NULL && p < PLACES && strcmp(places[p], place) != 0; p++)
		;
	if (i == ACTS || p == PLACES)
		return false;
	if (!dry)
		acts[i].fn(p);
	return true;
}

const struct other_head *
other_peer_lies(size_t i)
{
	size_t p;

	for (p = 0; !many && p < PLACES; p++)
		if (lying[p] != NULL && i-- == 0)
			return lying[p];
	return NULL;
}

/* --- by chance --------------------------------------------------------------------------------------- */

static void
act_by_chance(void)
{
	uint64_t sum = 0, at;
	size_t i;

	for (i = 0; i < ACTS; i++)
		sum += acts[i].weight;
	at = sim_below(DICE_OTHER, sum);
	for (i = 0; at >= acts[i].weight; i++)
		at -= acts[i].weight;
	acts[i].fn(sim_below(DICE_OTHER, PLACES));
}

/* Often several files come together; then somebody may publish, and the daemon may die of it. */
static void
come(void *arg)
{
	unsigned n = 1 + (unsigned)sim_below(DICE_OTHER, 3);

	(void)arg;
	next_ev = sim_after(sim_between(DICE_OTHER, 10 * MINUTE_MS, 12 * HOUR_MS), come, NULL);
	while (n-- > 0)
		act_by_chance();
	if (!sim_chance(DICE_OTHER, 500000))
		return;
	if (sim_chance(DICE_OTHER, 300000) && (sim_plan.faults & 1u << FAULT_KILL_AT) != 0)
		process_kill_at(1 + sim_below(DICE_OTHER, 150), sim_chance(DICE_OTHER, 300000), 5000);
	operator_publish();
}

void
other_peer_clear(void)
{
	memset(lying, 0, sizeof lying);
	many = false;
	next_ev = 0;
	other_end();
}

void
other_peer_plan(void)
{
	if (sim_below(DICE_OTHER, ONE_IN) != 0)
		return;
	sim_trace("plan: another member of the site");
	other_certify(true);
}

void
other_peer_begin(void)
{
	if (other_is_on())
		next_ev = sim_after(sim_between(DICE_OTHER, 0, 6 * HOUR_MS), come, NULL);
}

/* When all is well he looks at what was refused meanwhile. */
static void
publish_again(void *arg)
{
	(void)arg;
	if (other_newest() != NULL)
		put_head(0, other_newest());
	process_signal(SIGHUP);
	operator_publish();
}

/* Honest again: the head after the next one, which a reader of either head of a fork takes. */
void
other_peer_heal(void)
{
	size_t i;

	if (!other_is_on())
		return;
	sim_cancel(next_ev);
	for (i = 0; i < PLACES; i++)
		take_away(i);
	end_many(NULL);
	if (!other_is_certified())
		other_certify(false);
	act_ahead(0);
	sim_after(2 * HOUR_MS, publish_again, NULL);
}
