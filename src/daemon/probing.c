/* SPDX-License-Identifier: BSD-3-Clause */
/* Probes and checks: asked for by the engine, recorded, and told back. */
#include "config.h"
#include "base/log.h"
#include "daemon/daemon.h"
#include "daemon/records.h"

#include <stdlib.h>
#include <string.h>

#define FETCH_MS 10000               /* a descriptor that does not come: probe all the same */
#define CHECK_ID (UINT64_C(1) << 63) /* ids of checks: this and the mirror's index */

static void
record(struct daemon *d, const struct onion_record *r, bool direct, const struct probe_result *pr)
{
	json_t *v = record_probe(r->address, r->mirror, r->added, direct, clock_wall_s(), pr);
	char *text = v != NULL ? json_dumps(v, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
	uint64_t id = (uint64_t)clock_wall_s() * 1000000;
	struct err e = ERR_INIT;

	d->probe_id = id > d->probe_id ? id : d->probe_id + 1;
	if (text == NULL || store_put(d->store, STORE_PROBE, d->probe_id, text, strlen(text), &e) != 0)
		log_error("a probe could not be recorded: %s", text == NULL ? "out of memory" : e.msg);
	free(text);
	json_decref(v);
}

static void
fill(struct probe_request *rq, const struct conf *c, const struct conf_mirror *m, const char *address)
{
	const struct conf_check *check = &c->checks[m->check];

	memset(rq, 0, sizeof *rq);
	rq->address = address;
	rq->port = m->ports[0].virt;
	rq->path = check->path;
	rq->status = check->status;
	rq->contains = check->contains;
	rq->sha256 = check->sha256;
	rq->header = check->header;
	rq->timeout_ms = check->timeout_ms;
}

static void
on_probed(void *ctx, uint64_t id, const struct probe_result *pr)
{
	struct daemon *d = ctx;
	const struct onion_record *r = engine_onion(d->engine, id);
	struct actions out = { 0 };

	if (r == NULL)
		return;
	record(d, r, false, pr);
	log_debug("%s: probe %s in %d ms: %s", r->mirror, verdict_name(pr->verdict), (int)pr->phases.total, pr->detail);
	engine_on_probe(d->engine, clock_now(), id, pr->verdict, &pr->phases, &out);
	apply(d, &out);
}

static void
start(struct daemon *d, uint64_t id)
{
	const struct onion_record *r = engine_onion(d->engine, id);
	const struct conf_mirror *m = r != NULL ? daemon_mirror(d, r->mirror) : NULL;
	struct tor_link *link = r != NULL ? wiring_link(d, r->tor) : NULL;
	struct probe_result none = { .verdict = VERDICT_INCONCLUSIVE, .socks_code = -1, .phases = { -1, -1, -1, -1, -1 } };
	struct probe_request rq;

	if (r == NULL)
		return;
	if (m == NULL || link == NULL) {
		on_probed(d, id, &none);
		return;
	}
	fill(&rq, d->conf, m, r->address);
	rq.via = &d->conf->tors[link->index].socks;
	prober_start(d->prober, &rq, on_probed, d, id);
}

static void
fetch_end(struct daemon *d, struct fetch **at)
{
	struct fetch *f = *at;
	uint64_t id = f->onion;

	*at = f->next;
	timer_free(f->deadline);
	free(f);
	start(d, id);
}

static void
on_fetch_deadline(void *arg)
{
	struct fetch *f = arg, **at;

	for (at = &f->d->fetches; *at != NULL; at = &(*at)->next)
		if (*at == f) {
			fetch_end(f->d, at);
			return;
		}
}

void
do_probe(struct daemon *d, const struct action *a)
{
	const struct onion_record *r = engine_onion(d->engine, a->onion);
	struct tor_link *link = r != NULL ? wiring_link(d, r->tor) : NULL;
	struct fetch *f;

	/* As a new reader would: the descriptor from an HSDir, not from tor's cache. */
	if (!a->fresh || link == NULL || session_hsfetch(link->session, r->address, NULL, NULL, 0, NULL) != 0) {
		start(d, a->onion);
		return;
	}
	f = xcalloc(1, sizeof *f);
	f->d = d;
	f->onion = a->onion;
	memcpy(f->address, r->address, sizeof f->address);
	f->deadline = timer_new(d->loop, on_fetch_deadline, f);
	timer_set(f->deadline, FETCH_MS);
	f->next = d->fetches;
	d->fetches = f;
}

void
probing_on_event(struct daemon *d, const struct event *ev)
{
	struct fetch **at;

	prober_on_event(d->prober, ev);
	if (ev->kind != EVENT_HS_DESC || (ev->u.hs_desc.action != EVENT_DESC_RECEIVED &&
	    (ev->u.hs_desc.action != EVENT_DESC_FAILED || ev->u.hs_desc.side == EVENT_DESC_SIDE_UPLOAD)))
		return;
	for (at = &d->fetches; *at != NULL; at = &(*at)->next)
		if (strcmp((*at)->address, ev->u.hs_desc.address) == 0) {
			fetch_end(d, at);
			return;
		}
}

void
probing_stop(struct daemon *d)
{
	struct fetch *f;

	while ((f = d->fetches) != NULL) {
		d->fetches = f->next;
		timer_free(f->deadline);
		free(f);
	}
	prober_free(d->prober);
	d->prober = NULL;
}

static void
on_checked(void *ctx, uint64_t id, const struct probe_result *pr)
{
	struct daemon *d = ctx;
	int mirror = (int)(id & ~CHECK_ID);
	struct mirror_view v;
	struct actions out = { 0 };

	if ((size_t)mirror >= d->conf->n_mirrors)
		return;
	if (engine_mirror_view(d->engine, mirror, &v) == 0 && v.listed != 0)
		record(d, engine_onion(d->engine, v.listed), true, pr);
	engine_on_check(d->engine, clock_now(), mirror, pr->verdict, &out);
	apply(d, &out);
}

void
do_check(struct daemon *d, const struct action *a)
{
	const struct onion_record *r = engine_onion(d->engine, a->onion);
	const struct conf_mirror *m = r != NULL ? daemon_mirror(d, r->mirror) : NULL;
	struct probe_result none = { .verdict = VERDICT_INCONCLUSIVE, .socks_code = -1, .phases = { -1, -1, -1, -1, -1 } };
	struct probe_request rq;

	if (m == NULL) {
		on_checked(d, CHECK_ID | (uint64_t)(a->mirror < 0 ? 0 : a->mirror), &none);
		return;
	}
	fill(&rq, d->conf, m, r->address);
	rq.direct = true;
	rq.via = &m->ports[0].target;
	prober_start(d->prober, &rq, on_checked, d, CHECK_ID | (uint64_t)(m - d->conf->mirrors));
}
