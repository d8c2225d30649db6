/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Onion services of a simulated tor: introduction circuits, 16 uploads, each an
 * HSDir of its own; republished every one to two hours, and every midnight
 * (UTC) all of a tor at once. Services that come in a burst lose their uploads
 * without a word, as measured.
 */
#include "config.h"
#include "sim/simtor_impl.h"

#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BURST_MAX 5 /* services whose first uploads are under way together */

struct service *
service_find(const struct simtor *t, const char *address)
{
	struct service *s;

	for (s = t->services; s != NULL && strcmp(s->address, address) != 0; s = s->next)
		;
	return s;
}

static struct service *
by_id(const struct simtor *t, uint64_t id)
{
	struct service *s;

	for (s = t->services; s != NULL && s->id != id; s = s->next)
		;
	return s;
}

struct service *
service_by_intro(uint64_t intro_set, struct simtor **of)
{
	struct service *s;
	struct simtor *t;

	for (t = simworld.tors; t != NULL && intro_set != 0; t = t->next)
		for (s = t->services; s != NULL; s = s->next)
			if (s->intro_set == intro_set) {
				*of = t;
				return s;
			}
	return NULL;
}

/* --- uploads -------------------------------------------------------------------------------- */

/* What an upload task carries beside the service: HSDir, period (two bits would do: it is one of two), set of circuits. */
#define UPLOAD_PACK(hsdir, next, first) ((uint64_t)(hsdir) | (next) << 8 | (uint64_t)(first) << 9)

static void
on_upload_over(struct simtor *t, uint64_t id, uint64_t packed)
{
	struct service *s = by_id(t, id);
	unsigned hsdir = packed & 0xff;
	int64_t period = net_service_period() + (packed >> 8 & 1);
	bool first = packed >> 9 & 1;
	enum net_answer a = NET_LOST;
	char descid[44];

	if (s == NULL)
		return;
	if (first && s->in_flight > 0)
		s->in_flight--;
	if (tor_online(t) && s->intro_set != 0 && !(first && s->burst))
		a = net_upload(hsdir, s->address, period, s->intro_set);
	net_descid(descid, s->address, period);
	if (a == NET_STORED)
		tor_event(t, CTL_EV_HS_DESC, "HS_DESC UPLOADED %s UNKNOWN %s", s->address, net_hsdir_name(hsdir));
	else if (a == NET_REFUSED)
		tor_event(t, CTL_EV_HS_DESC, "HS_DESC FAILED %s NO_AUTH %s %s REASON=UPLOAD_REJECTED", s->address, net_hsdir_name(hsdir), descid);
}

static void
upload_one(struct simtor *t, struct service *s, unsigned next, bool first)
{
	int64_t period = net_service_period() + next;
	unsigned dirs[NET_STORE_MAX];
	size_t n = net_responsible(s->address, period, false, dirs), i;
	char descid[44];

	net_descid(descid, s->address, period);
	for (i = 0; i < n; i++) {
		tor_event(t, CTL_EV_HS_DESC, "HS_DESC UPLOAD %s UNKNOWN %s %s HSDIR_INDEX=%064u", s->address, net_hsdir_name(dirs[i]), descid, dirs[i]);
		tor_after(t, sim_between(DICE_TOR, 250, 1500), on_upload_over, s->id, UPLOAD_PACK(dirs[i], next, first));
		s->in_flight += first;
	}
}

/* More services at once than the circuits can carry: all that are under way lose theirs. */
static void
note_burst(struct simtor *t)
{
	struct service *s;
	unsigned n = 0;

	for (s = t->services; s != NULL; s = s->next)
		n += s->in_flight > 0;
	for (s = t->services; s != NULL && n > BURST_MAX; s = s->next)
		if (s->in_flight > 0)
			s->burst = true;
}

static void on_republish(struct simtor *t, uint64_t id, uint64_t extra);

static void
publish(struct simtor *t, struct service *s, bool first)
{
	char descid[44];
	unsigned next;

	for (next = 0; next < 2; next++) {
		net_descid(descid, s->address, net_service_period() + next);
		tor_event(t, CTL_EV_HS_DESC, "HS_DESC CREATED %s UNKNOWN UNKNOWN %s", s->address, descid);
		upload_one(t, s, next, first);
	}
	if (first)
		note_burst(t);
}

static void
on_republish(struct simtor *t, uint64_t id, uint64_t intro_set)
{
	struct service *s = by_id(t, id);

	if (s == NULL || s->intro_set != intro_set)
		return;
	if (tor_online(t))
		publish(t, s, false);
	tor_after(t, sim_between(DICE_TOR, 3600 * 1000, 7200 * 1000), on_republish, id, intro_set);
}

/* Midnight: the next descriptor becomes the current one, and a new next one goes out. */
static void
on_midnight(struct simtor *t, uint64_t id, uint64_t intro_set)
{
	struct service *s = by_id(t, id);
	char descid[44];

	if (s == NULL || s->intro_set != intro_set)
		return;
	if (tor_online(t)) {
		net_descid(descid, s->address, net_service_period() + 1);
		tor_event(t, CTL_EV_HS_DESC, "HS_DESC CREATED %s UNKNOWN UNKNOWN %s", s->address, descid);
		upload_one(t, s, 1, false);
	}
	tor_after(t, net_until_rotation() * 1000 + 1000, on_midnight, id, intro_set);
}

/* --- life ---------------------------------------------------------------------------------------- */

static void
on_intros(struct simtor *t, uint64_t id, uint64_t extra)
{
	struct service *s = by_id(t, id);

	(void)extra;
	if (s == NULL || s->intro_set != 0 || !tor_online(t) || !t->circuits_ok)
		return;
	s->intro_set = ++simworld.last_intro_set;
	s->burst = false;
	publish(t, s, true);
	tor_after(t, sim_between(DICE_TOR, 3600 * 1000, 7200 * 1000), on_republish, id, s->intro_set);
	tor_after(t, net_until_rotation() * 1000 + 1000, on_midnight, id, s->intro_set);
}

static void
establish(struct simtor *t, struct service *s)
{
	if (s->intro_set == 0 && tor_online(t) && t->circuits_ok && !s->foreign)
		tor_after(t, sim_between(DICE_TOR, 400, 1100), on_intros, s->id, 0);
}

void
services_go_on(struct simtor *t)
{
	struct service *s;

	for (s = t->services; s != NULL; s = s->next)
		establish(t, s);
}

struct service *
service_add(struct simtor *t, const char *address)
{
	struct service *s = xcalloc(1, sizeof *s), **end;

	snprintf(s->address, sizeof s->address, "%s", address);
	s->id = simtor_next_id();
	for (end = &t->services; *end != NULL; end = &(*end)->next)
		;
	*end = s;
	establish(t, s);
	return s;
}

void
service_remove(struct simtor *t, struct service *s)
{
	struct service **at;

	for (at = &t->services; *at != s; at = &(*at)->next)
		;
	*at = s->next;
	free(s);
}

void
services_free(struct simtor *t)
{
	while (t->services != NULL) {
		visits_cut(t->services->address);
		service_remove(t, t->services);
	}
}

void
simtor_lose_onions(struct simtor *t)
{
	struct service *s, *next;

	for (s = t->services; s != NULL; s = next) {
		next = s->next;
		if (s->detached && !s->foreign)
			service_remove(t, s);
	}
}

void
simtor_add_foreign(struct simtor *t, const char *address)
{
	struct service *s = service_find(t, address);

	if (s != NULL || t->state != TOR_RUNNING)
		return;
	s = service_add(t, address);
	s->detached = s->foreign = true;
}

/* --- what is true ------------------------------------------------------------------------------- */

bool
simtor_has_onion(const struct simtor *t, const char *address)
{
	return service_find(t, address) != NULL;
}

const char *
simtor_onion(const struct simtor *t, size_t i)
{
	const struct service *s;

	for (s = t->services; s != NULL; s = s->next)
		if (!s->foreign && i-- == 0)
			return s->address;
	return NULL;
}

void
simtor_set_visitors(struct simtor *t, const char *address, unsigned n)
{
	struct service *s = service_find(t, address);

	if (s != NULL)
		s->visitors = n;
}

bool
simtor_address_works(const char *address)
{
	unsigned dirs[NET_STORE_MAX];
	size_t n = net_responsible(address, net_client_period(), true, dirs), i;
	struct simtor *t = NULL;
	struct service *s;
	bool down;

	if (net_blocked(address) != NET_FREE)
		return false;
	for (i = 0; i < n; i++) {
		s = service_by_intro(net_fetch(dirs[i], address, net_client_period(), &down), &t);
		if (s != NULL && strcmp(s->address, address) == 0 && tor_online(t) && t->circuits_ok)
			return true;
	}
	return false;
}

const char *
service_target(const struct service *s, uint16_t port)
{
	static char text[160];
	size_t i;

	for (i = 0; i < s->n_ports; i++)
		if (s->ports[i].virt == port) {
			if (s->ports[i].target[0] != '\0')
				return s->ports[i].target;
			snprintf(text, sizeof text, "127.0.0.1:%u", port);
			return text;
		}
	return NULL;
}

const char *
simtor_target(const char *address, uint16_t port)
{
	struct service *s;
	struct simtor *t;

	for (t = simworld.tors; t != NULL; t = t->next)
		if ((s = service_find(t, address)) != NULL && service_target(s, port) != NULL)
			return service_target(s, port);
	return NULL;
}
