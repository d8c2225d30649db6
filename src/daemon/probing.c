/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Probes, checks and controls: asked for by the engine, recorded, and told
 * back. Owns the jobs; a few run at a time through each tor, since more would
 * hold up its own circuits. What can't be recorded, or was overtaken by what
 * happened meanwhile, says nothing.
 */
#include "config.h"
#include "base/enc.h"
#include "base/log.h"
#include "daemon/daemon.h"
#include "daemon/metrics.h"
#include "daemon/records.h"
#include "tor/tls.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RUNNING_MAX 8
#define CONTROL_MS 30000
#define DIRECT (-1)    /* instead of the index of a tor */

/* A tor that a verdict hangs on, as it was when the job began. */
struct footing {
	uint64_t generation; /* of the link */
	unsigned unfit;
};

struct job {
	struct job *next;
	struct daemon *d;
	uint64_t id, onion;     /* onion: 0 for a control that is not ours */
	char mirror[ONION_NAME_MAX + 1];
	char address[57];
	uint16_t port;          /* of a control */
	int through;            /* index of a tor, or DIRECT */
	bool control, fresh, running;
	int64_t added;          /* of the onion, when the job began */
	struct footing host, via; /* the tor that serves, the one that it goes through */
};

static const struct probe_result never_ran = { .verdict = VERDICT_INCONCLUSIVE, .socks_code = -1, .phases = PHASES_NONE };

static void start_waiting(struct daemon *d);

static struct job *
job_find(const struct daemon *d, uint64_t id)
{
	struct job *j;

	for (j = d->jobs; j != NULL && j->id != id; j = j->next)
		;
	return j;
}

static void
job_drop(struct job *j)
{
	struct job **at;

	for (at = &j->d->jobs; *at != j; at = &(*at)->next)
		;
	*at = j->next;
	free(j);
}

static struct tor_link *
link_of(const struct job *j)
{
	return j->through >= 0 && (size_t)j->through < j->d->first->n_tors ? &j->d->tors[j->through] : NULL;
}

static struct tor_link *
host_of(const struct job *j)
{
	const struct onion_record *r = engine_onion(j->d->engine, j->onion);

	return r != NULL ? wiring_link(j->d, r->tor) : NULL;
}

static int
record(struct daemon *d, const struct job *j, const struct probe_result *pr)
{
	json_t *v = record_probe(j->address, j->mirror, j->added, j->through == DIRECT, clock_wall_s(), pr);
	struct err e = ERR_INIT;

	if (j->through != DIRECT)
		json_object_set_new(v, "through", json_string(d->first->tors[j->through].name));
	if (record_put(d->store, STORE_PROBE, record_next_id(&d->probe_id), v, &e) == 0)
		return 0;
	log_error("a probe could not be recorded, so it does not count: %s", e.msg);
	store_check(d, &e);
	return -1;
}

static struct footing
footing(const struct tor_link *l)
{
	return (struct footing){ session_get_generation(l->session), l->unfit };
}

/* Fit all the time since then. */
static bool
stood_firm(const struct tor_link *l, const struct footing *f)
{
	const char *why;

	return session_get_generation(l->session) == f->generation && l->unfit == f->unfit && session_is_fit(l->session, &why);
}

/*
 * A failure counts only if our side was fit all the time, the tor that it went
 * through and the one that serves; anything only for the service that was there
 * when it began.
 */
static enum verdict
weigh(const struct job *j, enum verdict v)
{
	const struct onion_record *r = engine_onion(j->d->engine, j->onion);
	const struct tor_link *host = host_of(j), *l = link_of(j);

	if (j->through == DIRECT)
		return v;
	if (l == NULL || host == NULL || r->added != j->added || session_get_generation(host->session) != j->host.generation)
		return VERDICT_INCONCLUSIVE;
	if (v != VERDICT_OK && (!stood_firm(host, &j->host) || !stood_firm(l, &j->via)))
		return VERDICT_INCONCLUSIVE;
	return v;
}

/* Of a control only one thing is asked: is there a way to it? What it says is its own matter. */
static void
deliver_control(const struct job *j, const struct probe_result *pr)
{
	bool answered = pr->phases.circuit >= 0 || pr->verdict == VERDICT_REFUSED;
	struct actions out = { 0 };
	struct daemon *d = j->d;

	log_debug("control through tor %s: %s", d->first->tors[j->through].name, answered ? "answers" : pr->detail);
	engine_on_control(d->engine, clock_now(), j->through, answered, &out);
	apply(d, &out);
}

/* Well, but perhaps with old content. */
static void
look_at_version(struct daemon *d, const char *mirror, struct probe_result *pr)
{
	uint64_t newest;

	if (!pr->has_version)
		return;
	versions_take(d, mirror, pr->version);
	if (pr->verdict != VERDICT_OK || !versions_is_behind(d, mirror, &newest))
		return;
	pr->verdict = VERDICT_STALE;
	snprintf(pr->detail, sizeof pr->detail, "version %llu of the content, the others have %llu", (unsigned long long)pr->version,
	    (unsigned long long)newest);
}

/* The end of a job. */
static void
deliver(struct job *j, const struct probe_result *result)
{
	struct probe_result pr = *result;
	struct daemon *d = j->d;
	struct job done = *j;
	struct actions out = { 0 };

	if (j->control) {
		job_drop(j);
		deliver_control(&done, result);
		return;
	}
	if (j->through != DIRECT)
		look_at_version(d, j->mirror, &pr);
	pr.verdict = weigh(j, pr.verdict);
	job_drop(j);
	if (record(d, &done, &pr) != 0)
		pr.verdict = VERDICT_INCONCLUSIVE;
	log_debug("%s: %s %s in %d ms: %s", done.mirror, done.through == DIRECT ? "check" : "probe", verdict_name(pr.verdict),
	    (int)pr.phases.total, pr.detail);
	if (done.through != DIRECT)
		metrics_on_probe(d, done.mirror, done.onion, &pr);
	if (done.through == DIRECT)
		engine_on_check(d->engine, clock_now(), engine_mirror_index(d->engine, done.mirror), pr.verdict, &out);
	else
		engine_on_probe(d->engine, clock_now(), done.onion, done.through, pr.verdict, pr.fetch, &pr.phases, &out);
	apply(d, &out);
}

static void
on_result(void *ctx, uint64_t id, const struct probe_result *pr)
{
	struct daemon *d = ctx;
	struct job *j = job_find(d, id);

	if (j == NULL)
		return;
	deliver(j, pr);
	start_waiting(d);
}

static void
run_control(struct job *j)
{
	struct tor_link *l = link_of(j);
	struct probe_request rq = { .address = j->address, .port = j->port, .path = "/", .status = 200, .timeout_ms = CONTROL_MS };

	if (l == NULL || j->address[0] == '\0') {
		deliver(j, &never_ran);
		return;
	}
	rq.via = &j->d->first->tors[j->through].socks;
	rq.through = l->session;
	j->running = true;
	prober_start(j->d->prober, &rq, on_result, j->d, j->id);
}

static void
run(struct job *j)
{
	struct daemon *d = j->d;
	const struct conf_mirror *m = daemon_mirror(d, j->mirror);
	struct tor_link *l = link_of(j);
	const struct conf_check *check;
	uint8_t pin[TLS_PIN_LEN];
	struct probe_request rq;

	if (m == NULL || (l == NULL && j->through != DIRECT)) {
		deliver(j, &never_ran);
		return;
	}
	check = &d->conf->checks[m->check];
	rq = (struct probe_request){ .address = j->address, .port = m->ports[0].virt, .direct = l == NULL,
		.via = l == NULL ? &m->ports[0].target : &d->first->tors[j->through].socks, .path = check->path, .status = check->status,
		.contains = check->contains, .sha256 = check->sha256, .header = check->header, .timeout_ms = check->timeout_ms,
		.through = l != NULL ? l->session : NULL, .fresh = j->fresh, .tls = check->tls, .version_path = l != NULL ? check->version_path : NULL };
	if (check->pin_sha256 != NULL && hex_decode(pin, sizeof pin, check->pin_sha256, strlen(check->pin_sha256)) == 0)
		rq.pin = pin;
	j->running = true;
	prober_start(d->prober, &rq, on_result, d, j->id);
}

/* --- jobs ---------------------------------------------------------------------------------- */

static void
start(struct job *j)
{
	struct daemon *d = j->d;
	const struct onion_record *r = engine_onion(d->engine, j->onion);
	const struct tor_link *l = link_of(j), *host = host_of(j);

	if (host != NULL) {
		j->added = r->added;
		j->host = footing(host);
	}
	if (l != NULL)
		j->via = footing(l);
	run(j);
}

static bool
has_room(const struct daemon *d, int through)
{
	unsigned running = 0;
	const struct job *j;

	for (j = d->jobs; j != NULL; j = j->next)
		running += j->running && j->through == through && !j->control;
	return running < RUNNING_MAX;
}

/* The oldest ones that wait, while there is room. */
static void
start_waiting(struct daemon *d)
{
	struct job *j, *oldest;

	do {
		oldest = NULL;
		for (j = d->jobs; j != NULL; j = j->next)
			if (!j->running && (oldest == NULL || j->id < oldest->id) && has_room(d, j->through))
				oldest = j;
		if (oldest != NULL)
			start(oldest);
	} while (oldest != NULL);
}

static struct job *
job_new(struct daemon *d, const struct action *a, int through)
{
	const struct onion_record *r = engine_onion(d->engine, a->onion);
	struct job *j = xcalloc(1, sizeof *j);

	j->d = d;
	j->id = ++d->next_job;
	j->onion = a->onion;
	j->through = through;
	if (r != NULL) {
		memcpy(j->mirror, r->mirror, sizeof j->mirror);
		memcpy(j->address, r->address, sizeof j->address);
	}
	j->next = d->jobs;
	d->jobs = j;
	return j;
}

void
do_probe(struct daemon *d, const struct action *a)
{
	if (engine_onion(d->engine, a->onion) == NULL)
		return;
	job_new(d, a, a->through)->fresh = a->fresh;
	start_waiting(d);
}

void
do_check(struct daemon *d, const struct action *a)
{
	struct actions out = { 0 };

	if (engine_onion(d->engine, a->onion) == NULL) { /* forgotten meanwhile, but its mirror waits for an answer */
		engine_on_check(d->engine, clock_now(), a->mirror, VERDICT_INCONCLUSIVE, &out);
		apply(d, &out);
		return;
	}
	(void)job_new(d, a, DIRECT);
	start_waiting(d);
}

/* At once, whatever else is under way: everything waits for its answer. */
void
do_control(struct daemon *d, const struct action *a)
{
	struct job *j = job_new(d, a, a->through);
	const struct conf_mirror *m = daemon_mirror(d, j->mirror);

	j->control = true;
	if (a->onion != 0) {
		j->port = m != NULL ? m->ports[0].virt : 80;
	} else if (a->control < d->conf->n_controls) {
		memcpy(j->address, d->conf->controls[a->control].address, sizeof j->address);
		j->port = d->conf->controls[a->control].port;
	}
	run_control(j);
}

void
probing_stop(struct daemon *d)
{
	prober_free(d->prober);
	d->prober = NULL;
	while (d->jobs != NULL)
		job_drop(d->jobs);
}
