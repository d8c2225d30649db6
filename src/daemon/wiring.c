/* SPDX-License-Identifier: BSD-3-Clause */
/* Sessions: what tor says, told to the engine. */
#include "config.h"
#include "base/log.h"
#include "base/mutant.h"
#include "daemon/metrics.h"

#include <stdlib.h>
#include <string.h>

struct tor_link *
wiring_link(struct daemon *d, const char *tor)
{
	size_t i;

	for (i = 0; i < d->first->n_tors; i++)
		if (strcmp(d->first->tors[i].name, tor) == 0)
			return &d->tors[i];
	return NULL;
}

static const char *
name_of(const struct tor_link *l)
{
	return l->d->first->tors[l->index].name;
}

static void
on_detached(void *ctx, const char *const *addresses, int n)
{
	struct tor_link *l = ctx;
	struct actions out = { 0 };

	if (n < 0) {
		if (session_get_state(l->session) == SESSION_UP)
			log_warn("tor %s does not tell which onions it has (a filter in between?); nothing can be done there", name_of(l));
		return;
	}
	if (MUTANT(13) && (size_t)n > l->d->conf->n_mirrors)
		session_del_onion(l->session, addresses[n - 1], NULL, NULL, 0, NULL);
	engine_on_detached(l->d->engine, clock_now(), l->index, addresses, (size_t)n, &out);
	apply(l->d, &out);
}

static void
compare(void *arg)
{
	struct tor_link *l = arg;

	if (session_get_state(l->session) == SESSION_UP)
		session_detached(l->session, on_detached, l, NULL);
	if (!MUTANT(25))
		timer_set(l->compare, l->d->compare_ms);
}

void
do_compare(struct daemon *d, const struct action *a)
{
	const struct onion_record *r = engine_onion(d->engine, a->onion);
	struct tor_link *l = r != NULL ? wiring_link(d, r->tor) : NULL;

	if (l != NULL)
		compare(l);
}

static void
on_clients(void *ctx, uint64_t id, int n)
{
	struct daemon *d = ctx;
	struct actions out = { 0 };

	engine_on_clients(d->engine, clock_now(), id, n, &out);
	apply(d, &out);
}

void
do_clients(struct daemon *d, const struct action *a)
{
	const struct onion_record *r = engine_onion(d->engine, a->onion);
	struct tor_link *l = r != NULL ? wiring_link(d, r->tor) : NULL;

	if (l != NULL && session_clients(l->session, r->address, on_clients, d, a->onion, NULL) != 0)
		on_clients(d, a->onion, -1);
}

static void
on_up(void *arg)
{
	struct tor_link *l = arg;
	const char *warning = session_get_warning(l->session);

	l->no_pow = false; /* it may be another version by now */
	log_notice("tor %s: connected, version %s", name_of(l), session_get_version(l->session));
	if (warning[0] != '\0')
		log_warn("tor %s: %s", name_of(l), warning);
	compare(l);
}

static void
on_lost(const struct err *why, void *arg)
{
	struct tor_link *l = arg;
	struct actions out = { 0 };

	log_warn("tor %s: not connected: %s; trying again", name_of(l), why->msg);
	engine_on_tor_lost(l->d->engine, clock_now(), l->index, &out);
	apply(l->d, &out);
}

static void
on_fitness(bool fit, const char *why, void *arg)
{
	struct tor_link *l = arg;
	struct actions out = { 0 };

	l->unfit += !fit;
	engine_on_fitness(l->d->engine, clock_now(), l->index, fit, why, &out);
	apply(l->d, &out);
}

static void
on_event(const struct event *ev, void *arg)
{
	struct tor_link *l = arg;
	struct actions out = { 0 };
	const struct event_hs_desc *desc = &ev->u.hs_desc;

	prober_on_event(l->d->prober, l->session, ev);
	if (ev->kind != EVENT_HS_DESC || desc->address[0] == '\0')
		return;
	if (desc->action == EVENT_DESC_UPLOAD)
		engine_on_descriptor(l->d->engine, clock_now(), desc->address, DESC_UPLOAD, desc->hsdir, desc->descid, &out);
	else if (desc->action == EVENT_DESC_UPLOADED)
		engine_on_descriptor(l->d->engine, clock_now(), desc->address, DESC_UPLOADED, desc->hsdir, desc->descid, &out);
	else if (desc->action == EVENT_DESC_FAILED && desc->side == EVENT_DESC_SIDE_UPLOAD)
		engine_on_descriptor(l->d->engine, clock_now(), desc->address, DESC_UPLOAD_FAILED, desc->hsdir, desc->descid, &out);
	else
		return;
	if (desc->action != EVENT_DESC_UPLOAD)
		metrics_on_upload(l->d, desc->address, desc->action == EVENT_DESC_UPLOADED);
	apply(l->d, &out);
}

int
wiring_check_clock(struct daemon *d, struct err *e)
{
	int64_t offset = now_offset(clock_now()), step = offset - d->clock_offset;
	bool disagrees = false;
	size_t i;

	for (i = 0; d->tors != NULL && i < d->first->n_tors; i++)
		switch (session_clock(d->tors[i].session)) {
		case FITNESS_CLOCK_AGREES: d->clock_offset = offset; return 0;
		case FITNESS_CLOCK_DISAGREES: disagrees = true; break;
		case FITNESS_CLOCK_UNKNOWN: break;
		}
	if (disagrees)
		return err_set(e, ERR_STATE, "this host's clock is outside the time of Tor's consensus: set it right (or tor has been offline for days)");
	if (llabs(step) > FITNESS_STEP_MS)
		return err_set(e, ERR_STATE, "this host's clock jumped by %lld s and no tor has confirmed the time since", (long long)step / 1000);
	return 0;
}

void
wiring_start(struct daemon *d)
{
	const struct session_handlers h = { on_up, on_lost, on_event, on_fitness };
	size_t i;

	d->tors = xcalloc(d->first->n_tors, sizeof *d->tors);
	for (i = 0; i < d->first->n_tors; i++) {
		const struct conf_tor *t = &d->first->tors[i];
		struct session_config cfg = { .name = t->name, .control = t->control, .cookie_file = t->cookie,
			.password_file = t->password_file, .allow_no_auth = t->allow_no_auth };
		struct tor_link *l = &d->tors[i];

		l->d = d;
		l->index = (unsigned)i;
		l->compare = timer_new(d->loop, compare, l);
		l->session = session_new(d->loop, &cfg, &h, l);
		session_start(l->session);
	}
}

void
wiring_stop(struct daemon *d)
{
	size_t i;

	for (i = 0; d->tors != NULL && i < d->first->n_tors; i++) {
		session_free(d->tors[i].session);
		timer_free(d->tors[i].compare);
	}
	free(d->tors);
	d->tors = NULL;
}
