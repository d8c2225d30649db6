/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The daemon as a process of this world: started by a supervisor, killed at any
 * side effect. A killed daemon is cut off from the world at once: what it still
 * does until it returns to the loop reaches nothing and fails plausibly; then
 * its memory is given back by its own daemon_close(), still cut off.
 */
#include "config.h"
#include "daemon/daemon.h"
#include "sim/impl.h"

#include "base/log.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define SUPERVISOR_MS 5000 /* between a failure and the next start; doubled when it fails again at once, up to */
#define SUPERVISOR_MAX_MS 320000
#define CRASH_RESTART_MS 5000
#define OPERATOR_MS 60000  /* until somebody starts it again after a stop that was asked for */

static struct daemon self;
static bool up;          /* daemon_open() was called and daemon_close() not yet */
static bool dead;        /* killed: no effect any more */
static bool power;       /* and the machine with it */
static bool ended;       /* the world ends: no more starts */
static int64_t restart_ms;
static unsigned life;
static uint64_t effects, kill_at;
static bool kill_power;
static int64_t kill_restart_ms;
static enum fate (*fate)(enum effect kind, const char *what);
static uint64_t start_ev;
static int64_t patience_ms, started_at;

static void start(void *arg);

bool
sim_daemon_is_up(void)
{
	return up && !dead;
}

unsigned
sim_daemon_life(void)
{
	return life;
}

struct daemon *
sim_daemon(void)
{
	return sim_daemon_is_up() ? &self : NULL;
}

bool
process_is_dead(void)
{
	return dead;
}

uint64_t
process_effects(void)
{
	return effects;
}

static void
die(const char *why, bool with_power, int64_t in_ms)
{
	if (!up || dead)
		return;
	dead = true;
	power = with_power;
	restart_ms = in_ms;
	kill_at = 0;
	sim_trace("daemon: %s (%s)", with_power ? "power is lost" : "killed", why);
}

void
process_kill(const char *why, int64_t in_ms)
{
	die(why, false, in_ms);
}

void
process_power_loss(int64_t in_ms)
{
	if (up) {
		die("at rest", true, in_ms);
	} else {
		disk_power_loss();
		model_power_loss();
	}
}

void
process_kill_at(uint64_t k, bool with_power, int64_t in_ms)
{
	kill_at = k > 0 ? effects + k : 0;
	kill_power = with_power;
	kill_restart_ms = in_ms;
}

void
process_set_fate(enum fate (*cb)(enum effect kind, const char *what))
{
	fate = cb;
}

const char *
process_effect_name(enum effect kind)
{
	static const char *const names[] = { "write", "sync", "name", "send" };

	return names[kind];
}

/* It dies before the effect; after it is before the next one. */
bool
process_effect(enum effect kind, const char *what)
{
	enum fate f;

	if (!up)
		return true; /* the operator's own doing */
	if (dead)
		return false;
	effects++;
	if (kill_at != 0 && effects >= kill_at) {
		sim_trace("daemon: dies at side effect %llu, %s: %s", (unsigned long long)effects, process_effect_name(kind),
		    what);
		die("side effect", kill_power, kill_restart_ms);
		return false;
	}
	if (fate != NULL && (f = fate(kind, what)) != FATE_LIVE) {
		sim_trace("daemon: dies before %s: %s", process_effect_name(kind), what);
		die("side effect", f == FATE_POWER, CRASH_RESTART_MS);
		return false;
	}
	return true;
}

static void
on_log(enum log_level level, const char *line, void *arg)
{
	(void)arg;
	if (dead)
		return;
	if (level > LOG_LEVEL_NOTICE) {
		sim_detail("log %d: %s", (int)level, line);
		return;
	}
	sim_trace("log %d: %s", (int)level, line);
	check_on_log(line);
}

static void
start_later(int64_t ms)
{
	if (!ended)
		start_ev = sim_after(ms, start, NULL);
}

static void
start_after_failure(void)
{
	bool at_once = sim_now() - started_at < 60000;

	patience_ms = !at_once || patience_ms == 0 ? SUPERVISOR_MS : patience_ms * 2 < SUPERVISOR_MAX_MS ? patience_ms * 2 : SUPERVISOR_MAX_MS;
	start_later(patience_ms);
}

/* Gives everything back; what of it the world sees depends on `dead`. */
static void
close_all(void)
{
	bool was_dead = dead, was_power = power;

	check_on_stop(was_dead);
	daemon_close(&self);
	memset(&self, 0, sizeof self);
	posix_close_all();
	up = dead = power = false;
	if (was_power) {
		disk_power_loss();
		model_power_loss();
	}
}

void
process_settle(void)
{
	int64_t ms;
	int code;

	if (!up)
		return;
	if (dead) {
		ms = restart_ms;
		close_all();
		start_later(ms);
	} else if (loop_wants_stop()) {
		code = self.exit_code;
		sim_trace("daemon: ends with %d", code);
		close_all();
		if (code != 0)
			start_after_failure();
		else
			start_later(OPERATOR_MS);
	}
}

/*
 * A poll of tor each half minute is most of what happens in a quiet world and
 * seldom matters, so seven of eight worlds of chance poll less: more worlds can
 * be seen. Scenarios and every eighth seed have what a real daemon has.
 */
static void
set_polls(void)
{
	static const struct session_timing seldom = { 10000, 240000, 1000, 60000, 60000 };
	size_t i;

	if (!sim_plan.seldom)
		return;
	self.compare_ms = seldom.keep_alive / 2;
	for (i = 0; i < self.conf->n_tors; i++)
		session_set_timing(self.tors[i].session, &seldom);
}

static int
open_daemon(struct actions *out)
{
	struct buf faults = BUF_INIT(65536);
	struct err e = ERR_INIT;
	int r = -1;

	self.started = clock_wall_s();
	self.conf_path = xstrdup(sim_plan.conf);
	if (conf_load(&self.conf, sim_plan.conf, &faults) != 0) {
		sim_trace("daemon: %s", buf_str(&faults));
	} else {
		self.first = self.conf;
		log_init("onionmirrord", self.conf->log_level);
		r = daemon_open(&self, out, &e);
		if (r != 0 && !dead)
			sim_trace("daemon: refuses to start: %s", e.msg);
	}
	buf_free(&faults);
	return r;
}

static void
start(void *arg)
{
	struct actions out = { 0 };

	(void)arg;
	start_ev = 0;
	life++;
	started_at = sim_now();
	sim_trace("daemon: starts, life %u", life);
	memset(&self, 0, sizeof self);
	up = true;
	log_set_sink(on_log, NULL);
	if (open_daemon(&out) == 0 && !dead) {
		check_on_start();
		daemon_begin(&self, &out);
		set_polls();
	} else if (!dead) {
		/* As a program that ended with 1. */
		actions_free(&out);
		close_all();
		start_after_failure();
		return;
	}
	actions_free(&out);
	/* If it died on the way, the turn's end takes it apart. */
}

void
process_signal(int signo)
{
	if (sim_daemon_is_up()) {
		sim_trace("daemon: signal %d", signo);
		loop_deliver_signal(signo);
	}
}

void
process_begin(void)
{
	up = dead = power = ended = false;
	life = 0;
	effects = kill_at = 0;
	patience_ms = started_at = 0;
	start_later(0);
}

void
process_end(void)
{
	ended = true;
	sim_cancel(start_ev);
	if (up) {
		dead = true; /* its end is nobody's business */
		close_all();
	}
	log_set_sink(NULL, NULL);
}
