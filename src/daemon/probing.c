/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Probes and checks: asked for by the engine, recorded, and told back. Owns the
 * jobs; a few run at a time, since more would hold up tor's own circuits. What
 * can't be recorded, or was overtaken by what happened meanwhile, says nothing.
 */
#include "config.h"
#include "base/log.h"
#include "daemon/daemon.h"
#include "daemon/records.h"

#include <stdlib.h>
#include <string.h>

#define RUNNING_MAX 8

struct job {
	struct job *next;
	struct daemon *d;
	uint64_t id, onion;
	char mirror[ONION_NAME_MAX + 1];
	char address[57];
	bool direct, fresh, running;
	int64_t added;          /* of the onion, when the job began */
	uint64_t generation;    /* of the link */
	unsigned unfit;
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

static int
record(struct daemon *d, const struct job *j, const struct probe_result *pr)
{
	json_t *v = record_probe(j->address, j->mirror, j->added, j->direct, clock_wall_s(), pr);
	struct err e = ERR_INIT;

	if (record_put(d->store, STORE_PROBE, record_next_id(&d->probe_id), v, &e) == 0)
		return 0;
	log_error("a probe could not be recorded, so it does not count: %s", e.msg);
	store_check(d, &e);
	return -1;
}

/* A failure counts only if our side was fit all the time; anything only for the service that was there when it began. */
static enum verdict
weigh(const struct job *j, enum verdict v)
{
	const struct onion_record *r = engine_onion(j->d->engine, j->onion);
	const struct tor_link *l = r != NULL ? wiring_link(j->d, r->tor) : NULL;
	const char *why;

	if (j->direct)
		return v;
	if (l == NULL || r->added != j->added || session_get_generation(l->session) != j->generation)
		return VERDICT_INCONCLUSIVE;
	if (v != VERDICT_OK && (l->unfit != j->unfit || !session_is_fit(l->session, &why)))
		return VERDICT_INCONCLUSIVE;
	return v;
}

/* The end of a job. */
static void
deliver(struct job *j, const struct probe_result *result)
{
	struct probe_result pr = *result;
	struct daemon *d = j->d;
	struct job done = *j;
	struct actions out = { 0 };

	pr.verdict = weigh(j, pr.verdict);
	job_drop(j);
	if (record(d, &done, &pr) != 0)
		pr.verdict = VERDICT_INCONCLUSIVE;
	log_debug("%s: %s %s in %d ms: %s", done.mirror, done.direct ? "check" : "probe", verdict_name(pr.verdict), (int)pr.phases.total,
	    pr.detail);
	if (done.direct)
		engine_on_check(d->engine, clock_now(), engine_mirror_index(d->engine, done.mirror), pr.verdict, &out);
	else
		engine_on_probe(d->engine, clock_now(), done.onion, pr.verdict, &pr.phases, &out);
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
run(struct job *j)
{
	struct daemon *d = j->d;
	const struct onion_record *r = engine_onion(d->engine, j->onion);
	const struct conf_mirror *m = daemon_mirror(d, j->mirror);
	const struct tor_link *l = r != NULL ? wiring_link(d, r->tor) : NULL;
	const struct conf_check *check;
	struct probe_request rq;

	if (m == NULL || l == NULL) {
		deliver(j, &never_ran);
		return;
	}
	check = &d->conf->checks[m->check];
	rq = (struct probe_request){ .address = j->address, .port = m->ports[0].virt, .direct = j->direct,
		.via = j->direct ? &m->ports[0].target : &d->first->tors[l->index].socks, .path = check->path, .status = check->status,
		.contains = check->contains, .sha256 = check->sha256, .header = check->header, .timeout_ms = check->timeout_ms,
		.through = l->session, .fresh = j->fresh };
	j->running = true;
	prober_start(d->prober, &rq, on_result, d, j->id);
}

/* --- jobs ---------------------------------------------------------------------------------- */

static void
start(struct job *j)
{
	struct daemon *d = j->d;
	const struct onion_record *r = engine_onion(d->engine, j->onion);
	const struct tor_link *l = r != NULL ? wiring_link(d, r->tor) : NULL;

	if (l != NULL) {
		j->added = r->added;
		j->generation = session_get_generation(l->session);
		j->unfit = l->unfit;
	}
	run(j);
}

/* The oldest ones that wait, while there is room. */
static void
start_waiting(struct daemon *d)
{
	struct job *j, *oldest;
	unsigned running;

	do {
		oldest = NULL;
		running = 0;
		for (j = d->jobs; j != NULL; j = j->next) {
			if (j->running)
				running++;
			else if (oldest == NULL || j->id < oldest->id)
				oldest = j;
		}
		if (oldest != NULL && running < RUNNING_MAX)
			start(oldest);
	} while (oldest != NULL && running < RUNNING_MAX);
}

static void
job_add(struct daemon *d, const struct action *a, bool direct)
{
	const struct onion_record *r = engine_onion(d->engine, a->onion);
	struct job *j;

	if (r == NULL)
		return;
	j = xcalloc(1, sizeof *j);
	j->d = d;
	j->id = ++d->next_job;
	j->onion = a->onion;
	j->direct = direct;
	j->fresh = !direct && a->fresh;
	memcpy(j->mirror, r->mirror, sizeof j->mirror);
	memcpy(j->address, r->address, sizeof j->address);
	j->next = d->jobs;
	d->jobs = j;
	start_waiting(d);
}

void
do_probe(struct daemon *d, const struct action *a)
{
	job_add(d, a, false);
}

void
do_check(struct daemon *d, const struct action *a)
{
	job_add(d, a, true);
}

void
probing_stop(struct daemon *d)
{
	prober_free(d->prober);
	d->prober = NULL;
	while (d->jobs != NULL)
		job_drop(d->jobs);
}
