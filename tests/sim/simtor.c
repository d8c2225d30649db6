/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The life of a simulated tor process: start, bootstrap, stop, kill, network.
 * Owns the tasks of its present life; one that outlived its process is dropped.
 */
#include "config.h"
#include "sim/simtor_impl.h"

#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONTROL_MS 600
#define LIVENESS_MS 60900

struct task {
	struct task *next;
	struct simtor *tor;
	uint64_t generation, timer, id, extra;
	task_fn *fn;
};

struct simworld simworld;

uint64_t
simtor_next_id(void)
{
	return ++simworld.last_id;
}

bool
tor_online(const struct simtor *t)
{
	return t->state == TOR_RUNNING && t->ready && t->network && !t->disabled && !t->stopped;
}

/* --- tasks ------------------------------------------------------------------------------- */

static void
task_unlink(struct task **list, struct task *k)
{
	while (*list != k)
		list = &(*list)->next;
	*list = k->next;
}

static void
task_run(void *arg)
{
	struct task *k = arg, **end;
	struct simtor *t = k->tor;
	struct task run = *k;

	task_unlink(&t->tasks, k);
	if (k->generation == t->generation && t->stopped) {
		for (end = &t->held; *end != NULL; end = &(*end)->next)
			;
		k->next = NULL;
		*end = k;
		return;
	}
	free(k);
	if (run.generation == t->generation)
		run.fn(t, run.id, run.extra);
}

static void
task_schedule(struct simtor *t, struct task *k, int64_t ms)
{
	k->next = t->tasks;
	t->tasks = k;
	k->timer = sim_after(ms, task_run, k);
}

void
tor_after(struct simtor *t, int64_t ms, task_fn *fn, uint64_t id, uint64_t extra)
{
	struct task *k = xcalloc(1, sizeof *k);

	k->tor = t;
	k->generation = t->generation;
	k->fn = fn;
	k->id = id;
	k->extra = extra;
	task_schedule(t, k, ms);
}

static void
tasks_drop(struct simtor *t)
{
	struct task *k;

	while ((k = t->tasks) != NULL) {
		t->tasks = k->next;
		sim_cancel(k->timer);
		free(k);
	}
	while ((k = t->held) != NULL) {
		t->held = k->next;
		free(k);
	}
}

/* --- fitness --------------------------------------------------------------------------------- */

static void
note_fitness(struct simtor *t)
{
	bool fit = tor_online(t) && !t->filtered && t->circuits_ok && t->live && t->quirk == QUIRK_NONE;

	if (!fit)
		t->fit_since = -1;
	else if (t->fit_since < 0)
		t->fit_since = sim_now();
}

bool
simtor_has_network(const struct simtor *t)
{
	return tor_online(t) && t->circuits_ok && t->live;
}

int64_t
simtor_fit_since(const struct simtor *t)
{
	return t->fit_since;
}

static void
set_live(struct simtor *t, bool live)
{
	if (t->live == live)
		return;
	t->live = live;
	tor_event(t, CTL_EV_NETWORK_LIVENESS, "NETWORK_LIVENESS %s", live ? "UP" : "DOWN");
	note_fitness(t);
}

static void
on_liveness_due(struct simtor *t, uint64_t id, uint64_t extra)
{
	(void)id;
	(void)extra;
	t->watching = false;
	if (!t->network)
		set_live(t, false);
}

/* --- bootstrap --------------------------------------------------------------------------------- */

static void
on_ready(struct simtor *t, uint64_t id, uint64_t extra)
{
	(void)id;
	(void)extra;
	if (t->ready || !t->network || t->disabled)
		return;
	t->ready = t->was_ready = t->circuits_ok = true;
	sim_trace("tor %s: bootstrapped", t->name);
	tor_event(t, CTL_EV_STATUS_CLIENT, "STATUS_CLIENT NOTICE BOOTSTRAP PROGRESS=100 TAG=done SUMMARY=\"Done\"");
	tor_event(t, CTL_EV_STATUS_CLIENT, "STATUS_CLIENT NOTICE CIRCUIT_ESTABLISHED");
	set_live(t, true);
	note_fitness(t);
	services_go_on(t);
}

static void
bootstrap(struct simtor *t)
{
	if (t->state == TOR_RUNNING && !t->ready && t->network && !t->disabled)
		tor_after(t, sim_between(DICE_TOR, 2500, 8000), on_ready, 0, 0);
}

void
simtor_new_cookie(struct simtor *t, bool in_file)
{
	sim_bytes(DICE_TOR, t->cookie, sizeof t->cookie);
	if (in_file && t->cookie_path[0] != '\0')
		sim_file_put(t->cookie_path, t->cookie, sizeof t->cookie, 0640);
}

static void
on_control_port(struct simtor *t, uint64_t id, uint64_t extra)
{
	(void)id;
	(void)extra;
	t->state = TOR_RUNNING;
	t->started = sim_now();
	simtor_new_cookie(t, true);
	links_serve(t);
	socks_serve(t);
	links_go_on(t);
	bootstrap(t);
}

void
simtor_start(struct simtor *t)
{
	if (t->state != TOR_DEAD)
		return;
	sim_trace("tor %s: starts", t->name);
	t->state = TOR_STARTING;
	t->generation++;
	tor_after(t, CONTROL_MS, on_control_port, 0, 0);
}

void
simtor_kill(struct simtor *t)
{
	if (t->state == TOR_DEAD)
		return;
	sim_trace("tor %s: killed", t->name);
	t->generation++;
	t->state = TOR_DEAD;
	t->stopped = t->ready = t->circuits_ok = t->live = t->watching = false;
	tasks_drop(t);
	socks_drop(t);
	links_drop(t);
	services_free(t);
	client_free(t);
	note_fitness(t);
}

bool
simtor_is_running(const struct simtor *t)
{
	return t->state == TOR_RUNNING && !t->stopped;
}

void
simtor_stop(struct simtor *t, bool stopped)
{
	struct task *k, *held = t->held;

	if (t->state != TOR_RUNNING || t->stopped == stopped)
		return;
	sim_trace("tor %s: %s", t->name, stopped ? "stopped" : "goes on");
	t->stopped = stopped;
	note_fitness(t);
	/* The filter in between is another process. */
	if (t->control != NULL && !t->filtered)
		sim_server_stop(t->control, stopped);
	if (t->socks != NULL)
		sim_server_stop(t->socks, stopped);
	if (stopped)
		return;
	t->held = NULL;
	while ((k = held) != NULL) {
		held = k->next;
		task_schedule(t, k, 0);
	}
	links_go_on(t);
	services_go_on(t);
}

/* --- network ------------------------------------------------------------------------------------- */

static void
on_network_back(struct simtor *t, uint64_t id, uint64_t extra)
{
	(void)id;
	(void)extra;
	if (!t->network)
		return;
	if (t->ready)
		set_live(t, true);
	services_go_on(t);
	note_fitness(t);
}

void
simtor_set_network(struct simtor *t, bool up)
{
	if (t->network == up)
		return;
	sim_trace("tor %s: network %s", t->name, up ? "up" : "out");
	t->network = up;
	if (t->state == TOR_RUNNING) {
		bootstrap(t);
		if (up)
			tor_after(t, sim_between(DICE_TOR, 500, 20000), on_network_back, 0, 0);
		else if (!t->watching) {
			/* Services keep trying circuits, so it is noticed a minute after it began. */
			t->watching = true;
			tor_after(t, LIVENESS_MS + sim_between(DICE_TOR, 0, 15000), on_liveness_due, 0, 0);
		}
	}
	note_fitness(t);
}

void
simtor_set_disabled(struct simtor *t, bool on)
{
	if (t->disabled == on)
		return;
	t->disabled = on;
	if (t->state == TOR_RUNNING && on) {
		t->ready = t->circuits_ok = false;
		socks_drop(t);
		tor_event(t, CTL_EV_STATUS_CLIENT, "STATUS_CLIENT NOTICE CIRCUIT_NOT_ESTABLISHED REASON=DISABLE_NETWORK");
	} else if (t->state == TOR_RUNNING) {
		socks_serve(t);
		bootstrap(t);
	}
	note_fitness(t);
}

void
simtor_set_filter(struct simtor *t, bool on)
{
	if (t->filtered == on)
		return;
	links_drop(t);
	t->filtered = on;
	if (t->state == TOR_RUNNING || on)
		links_serve(t);
	note_fitness(t);
}

void
simtor_set_quirk(struct simtor *t, enum simtor_quirk q)
{
	t->quirk = q;
	note_fitness(t);
}

void
simtor_set_version(struct simtor *t, const char *version)
{
	snprintf(t->version, sizeof t->version, "%s", version);
}

static void
on_circuits_again(struct simtor *t, uint64_t id, uint64_t extra)
{
	(void)id;
	(void)extra;
	t->circuits_ok = t->ready;
	if (t->ready)
		tor_event(t, CTL_EV_STATUS_CLIENT, "STATUS_CLIENT NOTICE CIRCUIT_ESTABLISHED");
	note_fitness(t);
	services_go_on(t);
}

void
simtor_clock_jump(struct simtor *t, int64_t seconds)
{
	struct service *s;

	if (t->state != TOR_RUNNING || !t->ready)
		return;
	t->circuits_ok = false;
	for (s = t->services; s != NULL; s = s->next)
		s->intro_set = 0;
	tor_event(t, CTL_EV_STATUS_GENERAL, "STATUS_GENERAL WARN CLOCK_JUMPED TIME=%lld IDLE=no", (long long)seconds);
	tor_event(t, CTL_EV_STATUS_CLIENT, "STATUS_CLIENT NOTICE CIRCUIT_NOT_ESTABLISHED REASON=CLOCK_JUMPED");
	note_fitness(t);
	tor_after(t, sim_between(DICE_TOR, 3000, 12000), on_circuits_again, 0, 0);
}

void
simtor_clock_skew(struct simtor *t, int64_t seconds)
{
	tor_event(t, CTL_EV_STATUS_GENERAL, "STATUS_GENERAL WARN CLOCK_SKEW SKEW=%lld SOURCE=OR:127.0.0.1:9001", (long long)seconds);
}

/* --- making ---------------------------------------------------------------------------------------- */

struct simtor *
simtor_new(const struct simtor_config *cfg)
{
	struct simtor *t = xcalloc(1, sizeof *t), **end;

	t->index = cfg->index;
	snprintf(t->name, sizeof t->name, "%s", cfg->name);
	snprintf(t->control_ep, sizeof t->control_ep, "%s", cfg->control);
	snprintf(t->socks_ep, sizeof t->socks_ep, "%s", cfg->socks);
	snprintf(t->cookie_path, sizeof t->cookie_path, "%s", cfg->cookie);
	snprintf(t->version, sizeof t->version, "0.4.9.11");
	t->extended = cfg->extended_errors;
	t->network = true;
	t->fit_since = -1;
	for (end = &simworld.tors; *end != NULL; end = &(*end)->next)
		;
	*end = t;
	return t;
}

void
simtor_free(struct simtor *t)
{
	struct simtor **at;

	if (t == NULL)
		return;
	t->filtered = false;
	simtor_kill(t);
	links_drop(t);
	for (at = &simworld.tors; *at != t; at = &(*at)->next)
		;
	*at = t->next;
	if (simworld.tors == NULL) {
		free(simworld.given);
		memset(&simworld, 0, sizeof simworld);
	}
	free(t);
}
