/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The client half of a simulated tor: its descriptor cache (three hours, one
 * for all circuits), which HSDirs it asked of late, introduction, rendezvous.
 * Codes and delays as measured.
 */
#include "config.h"
#include "sim/simtor_impl.h"

#include "base/mem.h"
#include "proto/onion.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ASK_AGAIN_MS (15 * 60 * 1000)
#define INTRO_FAILED_MS (2 * 60 * 1000)
#define SOCKS_TIMEOUT_MS 120000

#define REP_GENERAL 0x01
#define REP_HOST 0x04
#define REP_REFUSED 0x05
#define REP_TTL 0x06
#define REP_NO_DESC 0xf0
#define REP_INTRO 0xf2
#define REP_REND 0xf3
#define REP_BAD_ADDRESS 0xf6

static void introduce(struct simtor *t, struct visit *s);

/* --- cache ---------------------------------------------------------------------------------- */

static struct cached *
cache_find(struct simtor *t, const char *address)
{
	struct cached *c;

	for (c = t->cache; c != NULL && strcmp(c->address, address) != 0; c = c->next)
		;
	return c;
}

static struct cached *
cache_usable(struct simtor *t, const char *address)
{
	struct cached *c = cache_find(t, address);

	return c != NULL && c->expires > sim_now() && c->period == net_client_period() ? c : NULL;
}

static void
cache_put(struct simtor *t, const char *address, uint64_t intro_set)
{
	struct cached *c = cache_find(t, address);

	if (c == NULL) {
		c = xcalloc(1, sizeof *c);
		snprintf(c->address, sizeof c->address, "%s", address);
		c->next = t->cache;
		t->cache = c;
	}
	if (c->intro_set != intro_set)
		c->failed_until = 0;
	c->intro_set = intro_set;
	c->period = net_client_period();
	c->expires = sim_now() + NET_DESC_LIFETIME_MS;
}

bool
client_has_descriptor(struct simtor *t, const char *address)
{
	return cache_usable(t, address) != NULL;
}

void
client_free(struct simtor *t)
{
	struct cached *c;
	struct circuit *k;
	struct hsdir_fetch *f;

	while ((f = t->fetches) != NULL) {
		t->fetches = f->next;
		free(f);
	}
	while ((c = t->cache) != NULL) {
		t->cache = c->next;
		free(c);
	}
	while ((k = t->circuits) != NULL) {
		t->circuits = k->next;
		free(k);
	}
	free(t->asked);
	t->asked = NULL;
	t->n_asked = 0;
}

/* --- asking HSDirs ------------------------------------------------------------------------------ */

static bool
was_asked(struct simtor *t, const char *address, unsigned hsdir)
{
	size_t i;

	for (i = 0; i < t->n_asked;) {
		if (t->asked[i].at + ASK_AGAIN_MS <= sim_now())
			t->asked[i] = t->asked[--t->n_asked];
		else if (t->asked[i].hsdir == hsdir && strcmp(t->asked[i].address, address) == 0)
			return true;
		else
			i++;
	}
	return false;
}

static void
note_asked(struct simtor *t, const char *address, unsigned hsdir)
{
	t->asked = xreallocarray(t->asked, t->n_asked + 1, sizeof *t->asked);
	snprintf(t->asked[t->n_asked].address, 57, "%s", address);
	t->asked[t->n_asked].hsdir = hsdir;
	t->asked[t->n_asked++].at = sim_now();
}

/* A connection came about: tor forgets whom it asked. */
void
client_forget(struct simtor *t, const char *address)
{
	size_t i;

	for (i = 0; i < t->n_asked;)
		if (strcmp(t->asked[i].address, address) == 0)
			t->asked[i] = t->asked[--t->n_asked];
		else
			i++;
}

/* One that was not asked of late, at random; -1: none is left. */
static int
pick_hsdir(struct simtor *t, const char *address)
{
	unsigned dirs[NET_STORE_MAX], free_dirs[NET_STORE_MAX];
	size_t n = net_responsible(address, net_client_period(), true, dirs), i, n_free = 0;

	for (i = 0; i < n; i++)
		if (!was_asked(t, address, dirs[i]))
			free_dirs[n_free++] = dirs[i];
	return n_free > 0 ? (int)free_dirs[sim_below(DICE_TOR, n_free)] : -1;
}

static struct hsdir_fetch *
fetch_take(struct simtor *t, uint64_t id)
{
	struct hsdir_fetch **at, *f;

	for (at = &t->fetches; (f = *at) != NULL && f->id != id; at = &f->next)
		;
	if (f != NULL)
		*at = f->next;
	return f;
}

static void
on_fetched(struct simtor *t, uint64_t id, uint64_t extra)
{
	struct hsdir_fetch *f = fetch_take(t, id);
	uint64_t intro_set;
	struct visit *s;
	char descid[44];
	bool down;

	(void)extra;
	if (f == NULL)
		return;
	s = f->stream != 0 ? visit_find(t, f->stream) : NULL;
	net_descid(descid, f->address, net_client_period());
	intro_set = tor_online(t) ? net_fetch(f->hsdir, f->address, net_client_period(), &down) : 0;
	if (intro_set != 0) {
		tor_event(t, CTL_EV_HS_DESC, "HS_DESC RECEIVED %s NO_AUTH %s %s", f->address, net_hsdir_name(f->hsdir), descid);
		cache_put(t, f->address, intro_set);
		if (s != NULL) {
			s->fetched = true;
			introduce(t, s);
		}
	} else {
		tor_event(t, CTL_EV_HS_DESC, "HS_DESC FAILED %s NO_AUTH %s %s REASON=NOT_FOUND", f->address, net_hsdir_name(f->hsdir), descid);
		if (s != NULL)
			s->missed = true;
		if ((f->stream == 0 && cache_usable(t, f->address) == NULL) || s != NULL)
			client_fetch(t, f->address, f->stream);
	}
	free(f);
}

void
client_fetch(struct simtor *t, const char *address, uint64_t stream)
{
	struct visit *s = stream != 0 ? visit_find(t, stream) : NULL;
	int hsdir = pick_hsdir(t, address);
	struct hsdir_fetch *f;
	char descid[44];
	bool down = false;

	if (hsdir < 0) {
		/* HSFETCH: silence. */
		if (s != NULL)
			visit_reply(s, t->extended ? REP_NO_DESC : REP_HOST);
		return;
	}
	note_asked(t, address, (unsigned)hsdir);
	net_descid(descid, address, net_client_period());
	tor_event(t, CTL_EV_HS_DESC, "HS_DESC REQUESTED %s NO_AUTH %s %s HSDIR_INDEX=%064d", address, net_hsdir_name((unsigned)hsdir), descid, hsdir);
	f = xcalloc(1, sizeof *f);
	f->id = simtor_next_id();
	f->stream = stream;
	f->hsdir = (unsigned)hsdir;
	snprintf(f->address, sizeof f->address, "%s", address);
	f->next = t->fetches;
	t->fetches = f;
	net_fetch(f->hsdir, address, net_client_period(), &down);
	/* One that does not answer is given up when its circuit times out. */
	tor_after(t, down ? sim_between(DICE_TOR, 10000, 25000) : sim_between(DICE_TOR, 60, 250), on_fetched, f->id, 0);
}

/* --- introduction and rendezvous ------------------------------------------------------------------ */

void
visit_circuit(struct visit *s, bool minor, uint64_t id, const char *status, const char *purpose, const char *hs_state, const char *more)
{
	tor_event(s->tor, minor ? CTL_EV_CIRC_MINOR : CTL_EV_CIRC,
	    "%s %llu %s $%040X~g,$%040X~m,$%040X~e BUILD_FLAGS=IS_INTERNAL,NEED_CAPACITY PURPOSE=%s HS_STATE=%s REND_QUERY=%s "
	    "TIME_CREATED=2027-01-01T00:00:00.000000 SOCKS_USERNAME=\"%s\" SOCKS_PASSWORD=\"x\"%s",
	    minor ? "CIRC_MINOR" : "CIRC", (unsigned long long)id, status, 1, 2, 3, purpose, hs_state, s->address, s->user, more);
}

/* A rendezvous point waits, and the introduction is on its way. */
static void
meet(struct visit *s)
{
	if (s->circuit == 0)
		s->circuit = simtor_next_id();
	s->intro_circuit = simtor_next_id();
	visit_circuit(s, true, s->circuit, "PURPOSE_CHANGED", "HS_CLIENT_REND", "HSCR_ESTABLISHED_IDLE", "");
	visit_circuit(s, false, s->intro_circuit, "LAUNCHED", "HS_CLIENT_INTRO", "HSCI_CONNECTING", "");
}

static void
on_give_up(struct simtor *t, uint64_t id, uint64_t code)
{
	struct visit *s = visit_find(t, id);

	if (s == NULL || s->state != VISIT_BUSY)
		return;
	/* A circuit that did not do its work is given up, and said so. */
	if (code == REP_REND && s->circuit != 0)
		visit_circuit(s, false, s->circuit, "CLOSED", "HS_CLIENT_REND", "HSCR_ESTABLISHED_WAITING", " REASON=TIMEOUT");
	visit_reply(s, (unsigned)code);
}

static void
on_intro_timeout(struct simtor *t, uint64_t id, uint64_t extra)
{
	struct visit *s = visit_find(t, id);

	(void)extra;
	if (s != NULL && s->state == VISIT_BUSY)
		visit_circuit(s, false, s->intro_circuit, "CLOSED", "HS_CLIENT_INTRO", "HSCI_CONNECTING", " REASON=TIMEOUT");
}

static void
give_up(struct simtor *t, struct visit *s, int64_t ms, unsigned code)
{
	tor_after(t, ms, on_give_up, s->id, code);
}

void
simtor_set_spells(unsigned ppm)
{
	simworld.spell_ppm = ppm;
}

bool
simtor_has_spells(void)
{
	return simworld.spell_ppm > 0;
}

/* A bad spell of this service: begins with some chance, lasts 45 s in the mean. */
static bool
in_bad_spell(struct service *svc)
{
	double u;

	if (svc->spell_until <= sim_now() && sim_chance(DICE_NET, simworld.spell_ppm)) {
		u = ((double)sim_below(DICE_NET, 1u << 30) + 1) / (double)(1u << 30);
		svc->spell_until = sim_now() + (int64_t)(-45000.0 * log(u));
	}
	return svc->spell_until > sim_now();
}

/* The service is not there: NACKs at once mostly, a long silence else. */
static void
intro_failed(struct simtor *t, struct visit *s, struct cached *c)
{
	c->failed_until = sim_now() + INTRO_FAILED_MS;
	visit_circuit(s, true, s->intro_circuit, "PURPOSE_CHANGED", "HS_CLIENT_INTRO", "HSCI_INTRO_SENT", "");
	visit_circuit(s, true, s->intro_circuit, "PURPOSE_CHANGED", "HS_CLIENT_INTRO", "HSCI_CONNECTING", "");
	if (sim_below(DICE_TOR, 100) < 70)
		give_up(t, s, sim_between(DICE_TOR, 900, 2600), t->extended ? REP_INTRO : REP_HOST);
	else
		give_up(t, s, sim_between(DICE_TOR, 60000, 120000), sim_below(DICE_TOR, 2) == 0 ? REP_TTL : REP_HOST);
}

static void
on_rendezvous(struct simtor *t, uint64_t id, uint64_t intro_set)
{
	struct visit *s = visit_find(t, id);
	struct simtor *of = NULL;
	struct service *svc = service_by_intro(intro_set, &of);

	if (s == NULL || s->state != VISIT_BUSY)
		return;
	if (svc == NULL || !tor_online(of) || !tor_online(t)) {
		give_up(t, s, sim_between(DICE_TOR, 30000, 100000), t->extended ? REP_REND : REP_TTL);
		return;
	}
	client_forget(t, s->address);
	visit_join(s, svc);
}

static void
introduce(struct simtor *t, struct visit *s)
{
	struct cached *c = cache_usable(t, s->address);
	struct simtor *of = NULL;
	struct service *svc;

	if (c == NULL) {
		client_fetch(t, s->address, s->id);
		return;
	}
	if (c->failed_until > sim_now()) {
		give_up(t, s, 70, t->extended ? REP_INTRO : REP_HOST);
		return;
	}
	svc = service_by_intro(c->intro_set, &of);
	if (svc == NULL || strcmp(svc->address, s->address) != 0 || net_blocked(s->address) == NET_BLOCK_INTRO || of->state != TOR_RUNNING) {
		/* A descriptor of another time: a new one may name living circuits. */
		if (!s->fetched && pick_hsdir(t, s->address) >= 0) {
			s->fetched = true;
			client_fetch(t, s->address, s->id);
			return;
		}
		meet(s);
		intro_failed(t, s, c);
	} else if (!tor_online(of) || in_bad_spell(svc)) {
		/* Nothing comes back: it stopped, or the circuits do not come about. */
		meet(s);
		if (sim_below(DICE_TOR, 2) == 0) {
			visit_circuit(s, true, s->intro_circuit, "PURPOSE_CHANGED", "HS_CLIENT_INTRO", "HSCI_INTRO_SENT", "");
			visit_circuit(s, true, s->intro_circuit, "PURPOSE_CHANGED", "HS_CLIENT_INTRO", "HSCI_DONE", "");
			give_up(t, s, sim_between(DICE_TOR, 15000, 45000), t->extended ? REP_REND : REP_TTL);
		} else {
			tor_after(t, 25000, on_intro_timeout, s->id, 0);
			give_up(t, s, SOCKS_TIMEOUT_MS, REP_TTL);
		}
	} else {
		meet(s);
		visit_circuit(s, true, s->intro_circuit, "PURPOSE_CHANGED", "HS_CLIENT_INTRO", "HSCI_INTRO_SENT", "");
		tor_after(t, sim_between(DICE_TOR, 500, 2200), on_rendezvous, s->id, c->intro_set);
	}
}

static void
on_start(struct simtor *t, uint64_t id, uint64_t extra)
{
	struct visit *s = visit_find(t, id);

	(void)extra;
	if (s != NULL)
		introduce(t, s);
}

void
simtor_add_other(const char *address)
{
	if (simworld.n_others < sizeof simworld.others / sizeof simworld.others[0])
		snprintf(simworld.others[simworld.n_others++], sizeof simworld.others[0], "%.56s", address);
}

static bool
is_other(const char *address)
{
	unsigned i;

	for (i = 0; i < simworld.n_others && strcmp(simworld.others[i], address) != 0; i++)
		;
	return i < simworld.n_others;
}

void
client_connect(struct simtor *t, struct visit *s)
{
	if (!ctl_onion_ok(s->address)) {
		visit_reply(s, t->extended ? REP_BAD_ADDRESS : REP_GENERAL);
	} else if (!tor_online(t) || !t->circuits_ok) {
		give_up(t, s, SOCKS_TIMEOUT_MS, REP_TTL);
	} else if (is_other(s->address)) {
		give_up(t, s, sim_between(DICE_TOR, 900, 4000), REP_REFUSED);
	} else {
		give_up(t, s, SOCKS_TIMEOUT_MS, REP_TTL);
		tor_after(t, 1, on_start, s->id, 0);
	}
}
