/* SPDX-License-Identifier: BSD-3-Clause */
/* What happened, counted for the metrics: told by those who carry it out, kept for each mirror of the configuration. */
#include "config.h"
#include "daemon/metrics_impl.h"

#include <stdlib.h>
#include <string.h>

const char *const metric_results[RESULT__COUNT] = { "ok", "failed" };
const struct metric_phase metric_phases[METRIC_PHASES] = {
	{ "descriptor", offsetof(struct phases, descriptor) },
	{ "introduction", offsetof(struct phases, introduction) },
	{ "rendezvous", offsetof(struct phases, rendezvous) },
	{ "circuit", offsetof(struct phases, circuit) },
	{ "first_byte", offsetof(struct phases, first_byte) },
	{ "total", offsetof(struct phases, total) },
};

static struct mirror_counts *
counts_of(const struct daemon *d, const char *mirror)
{
	size_t i;

	for (i = 0; i < d->metrics->n; i++)
		if (strcmp(d->metrics->mirrors[i].name, mirror) == 0)
			return &d->metrics->mirrors[i];
	return NULL;
}

void
counts_set(struct daemon *d)
{
	struct mirror_counts *fresh = xcalloc(d->conf->n_mirrors + 1, sizeof *fresh), *old;
	size_t i;

	for (i = 0; i < d->conf->n_mirrors; i++) {
		const char *name = d->conf->mirrors[i].name;

		if ((old = counts_of(d, name)) != NULL)
			fresh[i] = *old;
		else
			fresh[i].latency = -1;
		memcpy(fresh[i].name, name, strlen(name) + 1);
	}
	free(d->metrics->mirrors);
	d->metrics->mirrors = fresh;
	d->metrics->n = d->conf->n_mirrors;
}

/* An onion is a rotation from its plan until it is listed, once, or has failed. */
void
metrics_on_note(struct daemon *d, const struct action *a)
{
	const struct onion_record *r = a->note == NOTE_STATE && a->onion != 0 ? engine_onion(d->engine, a->onion) : NULL;
	bool listed = strcmp(a->step, onion_state_name(ONION_LISTED)) == 0;
	struct mirror_counts *c;
	int64_t took;

	if (r == NULL || (!listed && strcmp(a->step, onion_state_name(ONION_FAILED)) != 0))
		return;
	if ((c = counts_of(d, r->mirror)) != NULL)
		c->rotations[r->cause][listed ? RESULT_OK : RESULT_FAILED]++;
	took = clock_wall_s() - r->created;
	if (listed)
		metric_observe(&d->metrics->rotation, &bounds_rotation, took > 0 ? took * 1000 : 0);
}

/* Onions have few phases in common with a clock that ran: one that was not reached is not told. */
static void
observe_phases(struct mirror_counts *c, const struct phases *ph)
{
	int32_t ms;
	size_t i;

	for (i = 0; i < METRIC_PHASES; i++) {
		memcpy(&ms, (const char *)ph + metric_phases[i].offset, sizeof ms);
		/* How long it took to fail is the timeout, and no phase of an answer. */
		if (ms >= 0 && (metric_phases[i].offset != offsetof(struct phases, total) || ph->first_byte >= 0))
			metric_observe(&c->phases[i], &bounds_probe, ms);
	}
}

/* Which onion the last answer is told of: the listed one, and until there is one that which may become it. */
static bool
is_told(const struct daemon *d, const struct mirror_counts *c, const struct onion_record *r)
{
	const struct onion_record *told = engine_onion(d->engine, c->onion);

	return r != NULL && (r->state == ONION_LISTED || told == NULL || told->state != ONION_LISTED);
}

void
metrics_on_probe(struct daemon *d, const char *mirror, uint64_t onion, const struct probe_result *pr)
{
	const struct onion_record *r = engine_onion(d->engine, onion);
	struct mirror_counts *c = counts_of(d, mirror);

	if (c == NULL)
		return;
	c->probes[pr->verdict]++;
	if (pr->verdict == VERDICT_INCONCLUSIVE)
		return;
	observe_phases(c, &pr->phases);
	if (!is_told(d, c, r))
		return;
	if (c->onion != onion)
		c->latency = -1;
	c->onion = onion;
	c->status = pr->http_status;
	c->reachable = pr->http_status != 0;
	if (c->reachable)
		c->latency = pr->phases.total;
}

struct search {
	const char *address, *mirror;
};

static void
find_address(const struct onion_record *r, void *arg)
{
	struct search *s = arg;

	if (strcmp(r->address, s->address) == 0)
		s->mirror = r->mirror;
}

void
metrics_on_upload(struct daemon *d, const char *address, bool ok)
{
	struct search s = { .address = address };
	struct mirror_counts *c;

	/* Others on this tor upload too. */
	engine_each_onion(d->engine, find_address, &s);
	if (s.mirror != NULL && (c = counts_of(d, s.mirror)) != NULL)
		c->uploads[ok ? RESULT_OK : RESULT_FAILED]++;
}
