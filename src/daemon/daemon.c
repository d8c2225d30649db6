/* SPDX-License-Identifier: BSD-3-Clause */
/* Start, reload and stop of the daemon. */
#include "config.h"
#include "daemon/daemon.h"

#include "base/confine.h"
#include "base/file.h"
#include "base/log.h"
#include "daemon/metrics.h"
#include "daemon/records.h"
#include "daemon/sandbox.h"
#include "io/notify.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TRIM_MS (6 * 3600 * 1000)
#define CARE_MS (10 * 60 * 1000)

static struct engine_config *
engine_config_of(const struct conf *c)
{
	struct engine_config *cfg = xcalloc(1, sizeof *cfg);
	size_t i;

	cfg->n_tors = c->n_tors;
	cfg->tors = xcalloc(c->n_tors + 1, sizeof *cfg->tors);
	for (i = 0; i < c->n_tors; i++) {
		memcpy(cfg->tors[i].name, c->tors[i].name, strlen(c->tors[i].name) + 1);
		cfg->tors[i].max_mirrors = c->tors[i].max_mirrors;
		cfg->tors[i].move_after_ms = c->tors[i].move_after_ms;
	}
	cfg->n_mirrors = c->n_mirrors;
	cfg->mirrors = xcalloc(c->n_mirrors + 1, sizeof *cfg->mirrors);
	for (i = 0; i < c->n_mirrors; i++) {
		const struct conf_mirror *m = &c->mirrors[i];
		const struct conf_check *check = &c->checks[m->check];
		struct engine_mirror *em = &cfg->mirrors[i];

		memcpy(em->name, m->name, strlen(m->name) + 1);
		em->tor = m->tor == CONF_TOR_AUTO ? TOR_AUTO : m->tor;
		/* Who leaves the choice to us has the whole way looked at. */
		em->probe_through = m->probe_through == CONF_TOR_AUTO || m->tor == CONF_TOR_AUTO ? TOR_AUTO : m->probe_through;
		em->role = m->role == CONF_ROLE_MIRROR ? ROLE_MIRROR : m->role == CONF_ROLE_REPLICA ? ROLE_REPLICA : ROLE_ARCHIVE;
		em->revoke_on_content = m->revoke_on_content;
		em->interval_ms = check->interval_ms;
		em->timeout_ms = check->timeout_ms;
		em->rise = check->rise;
		em->fall = check->fall;
		em->stale_after_ms = check->stale_after_ms;
		em->rotate_every_s = m->rotate_every_s;
		em->drain_s = m->drain_s;
		em->spare = m->spare;
	}
	cfg->n_controls = (unsigned)c->n_controls;
	cfg->min_listed = c->min_listed;
	cfg->rotation_spacing_ms = c->rotation_spacing_ms;
	cfg->max_rotations_per_day = c->max_rotations_per_day;
	return cfg;
}

static void
free_config(struct engine_config *cfg)
{
	free(cfg->tors);
	free(cfg->mirrors);
	free(cfg);
}

struct engine *
daemon_engine_new(const struct conf *c)
{
	struct engine_config *cfg = engine_config_of(c);
	struct engine *e = engine_new(cfg);

	free_config(cfg);
	return e;
}

void
daemon_reconfigure(struct daemon *d)
{
	struct engine_config *cfg = engine_config_of(d->conf);
	struct actions out = { 0 };

	engine_reconfigure(d->engine, clock_now(), cfg, &out);
	free_config(cfg);
	apply(d, &out);
}

void
daemon_stop(struct daemon *d, int exit_code)
{
	if (d->stopping)
		return;
	d->stopping = true;
	d->exit_code = exit_code;
	notify_send("STOPPING=1");
	loop_stop(d->loop);
}

static void
on_tick(void *arg)
{
	struct daemon *d = arg;
	struct actions out = { 0 };

	metrics_on_tick(d, clock_mono_ms() - engine_deadline(d->engine));
	engine_tick(d->engine, clock_now(), &out);
	/* It may have been held back till now. After a failure the engine tries again by itself, more and more slowly. */
	if (d->stale && d->publish_error[0] == '\0')
		engine_publish(d->engine, clock_now(), 0, &out, NULL);
	apply(d, &out);
}

static void
on_retry(void *arg)
{
	struct actions none = { 0 };

	apply(arg, &none);
}

static void
on_watchdog(void *arg)
{
	struct daemon *d = arg;

	notify_send("WATCHDOG=1");
	timer_set(d->watchdog, notify_watchdog_ms());
}

/* Probes and history older than history-days go; ids of these rows are times. */
static void
on_trim(void *arg)
{
	struct daemon *d = arg;
	int64_t before = clock_wall_s() - (int64_t)d->conf->history_days * 86400;
	uint64_t heads = (uint64_t)d->conf->history_days * 1440;
	struct err e = ERR_INIT;

	/* A serial is at least the minutes since the epoch began, so heads below this one are older too, as are other epochs'. */
	if (d->serial > heads && store_trim(d->store, STORE_HEAD, head_id(d, d->serial - heads), &e) != 0)
		log_error("old heads could not be removed: %s", e.msg);
	if (before > 0 && (store_trim(d->store, STORE_PROBE, record_id_at(before), &e) != 0 ||
	    store_trim(d->store, STORE_HISTORY, record_id_at(before), &e) != 0))
		log_error("old history could not be removed: %s", e.msg);
	timer_set(d->trim, TRIM_MS);
}

/* What runs out is told; and a list that is to be replaced, but could not be at once, is tried again. */
static void
on_care(void *arg)
{
	struct daemon *d = arg;
	struct actions out = { 0 };

	log_flush(false);
	alarms_raise(d);
	if (d->stale)
		engine_publish(d->engine, clock_now(), 0, &out, NULL);
	apply(d, &out);
	timer_set(d->care, CARE_MS);
}

static void
on_signal(int signo, void *arg)
{
	struct buf faults = BUF_INIT(64 * 1024);
	struct daemon *d = arg;
	char *line, *rest;

	if (signo != SIGHUP) {
		log_notice("stopping; the onion services stay in tor");
		daemon_stop(d, 0);
		return;
	}
	if (daemon_reload(d, &faults) != 0)
		for (rest = faults.data; rest != NULL && (line = strsep(&rest, "\n")) != NULL;)
			if (line[0] != '\0')
				log_error("reload: %s", line);
	buf_free(&faults);
}

/* The member key and the site that it signs for; nothing of what is in force is touched. */
static int
load_site(struct daemon *d, uint8_t **sk, struct publish_site **site, struct err *e)
{
	char path[PATH_MAX];

	snprintf(path, sizeof path, "%s/site/1.root.json", d->conf->state_dir);
	if (access(path, F_OK) != 0 && errno == ENOENT)
		return err_set(e, ERR_CONFIG, "there is no %s: run `onionmirror init`, or `onionmirror site install`", path);
	return import_site(d, sk, site, e);
}

static int
reload(struct daemon *d, struct buf *faults)
{
	struct publish_site *site = NULL;
	struct conf *next = NULL;
	uint8_t *sk = NULL;
	struct err e = ERR_INIT;
	const char *restart;

	if (d->locked) {
		buf_adds(faults, "it is locked: unlock it first; nothing was changed\n");
		return -1;
	}
	if (conf_load(&next, d->conf_path, faults) != 0)
		return -1;
	if ((restart = conf_needs_restart(d->conf, next)) != NULL)
		err_set(&e, ERR_CONFIG, "%s: a change of %s needs a restart; nothing was changed", d->conf_path, restart);
	else if ((restart = sandbox_outgrown(d->sandbox, next, d->conf_path)) != NULL)
		err_set(&e, ERR_CONFIG, "%s: a change of %s needs a restart, since the sandbox leaves no room for it; nothing was changed", d->conf_path,
		    restart);
	else if (d->stuck)
		err_set(&e, ERR_REFUSED, "the state cannot be written; nothing was changed");
	else if (load_site(d, &sk, &site, &e) == 0) {
		if (d->conf != d->first)
			conf_free(d->conf);
		d->stale = d->stale || !publish_site_same(d->site, site);
		publish_site_free(d->site);
		secret_free(d->member_sk);
		d->conf = next;
		d->site = site;
		d->member_sk = sk;
		log_set_level(next->log_level);
		if (restore_log(d, &e) != 0)
			log_warn("log-onions stays as it was: %s", e.msg);
		if (listservice_set(d, &e) != 0)
			log_error("%s", e.msg);
		versions_trim(d);
		err_clear(&e);
		if (metrics_set(d, &e) != 0)
			log_error("%s", e.msg);
		daemon_reconfigure(d);
		log_notice("configuration read again");
		on_care(d);
		return 0;
	}
	conf_free(next);
	buf_addf(faults, "%s\n", e.msg);
	return -1;
}

int
daemon_reload(struct daemon *d, struct buf *faults)
{
	int r;

	service_reloading();
	r = reload(d, faults);
	service_ready(d);
	return r;
}

static int
open_loop(struct daemon *d, struct err *e)
{
	static const int signals[] = { SIGTERM, SIGINT, SIGHUP };
	size_t i;

	d->loop = loop_new(e);
	if (d->loop == NULL)
		return -1;
	for (i = 0; i < 3; i++)
		d->signals[i] = signal_watch_new(d->loop, signals[i], on_signal, d);
	d->tick = timer_new(d->loop, on_tick, d);
	d->retry = timer_new(d->loop, on_retry, d);
	d->watchdog = timer_new(d->loop, on_watchdog, d);
	d->trim = timer_new(d->loop, on_trim, d);
	d->compare_ms = COMPARE_MS;
	d->care = timer_new(d->loop, on_care, d);
	d->prober = prober_new(d->loop);
	return 0;
}

/* All that the master key opens. On failure some of it may be there: close_state(). */
static int
open_state(struct daemon *d, struct actions *out, struct err *e)
{
	if (store_open(&d->store, d->conf->state_dir, d->master, e) != 0 || load_site(d, &d->member_sk, &d->site, e) != 0)
		return -1;
	d->engine = daemon_engine_new(d->conf);
	if (restore_all(d, out, e) != 0 || file_mkdirs(d->conf->publish_dir, 0755, e) != 0)
		return -1;
	d->clock_offset = now_offset(clock_now());
	if (listservice_set(d, e) != 0)
		return -1;
	metrics_open(d);
	return metrics_set(d, e);
}

static void
close_state(struct daemon *d)
{
	metrics_close(d);
	listservice_free(d);
	engine_free(d->engine);
	publish_site_free(d->site);
	store_close(d->store);
	master_key_free(d->master);
	secret_free(d->member_sk);
	d->engine = NULL;
	d->site = NULL;
	d->store = NULL;
	d->master = NULL;
	d->member_sk = NULL;
}

int
daemon_open(struct daemon *d, struct actions *out, struct err *e)
{
	if (file_check_dir(d->conf->state_dir, e) != 0)
		return err_prefix(e, "state-dir (made by `onionmirror init`)");
	if (control_find_group(d, e) != 0 || (d->confine && sandbox_enter(&d->sandbox, d->conf, d->conf_path, e) != 0))
		return -1;
	if ((!d->conf->allow_unlocked_memory && secret_lockable(e) != 0) || master_find(d, e) != 0 || open_loop(d, e) != 0)
		return -1;
	if (d->locked)
		rpc_wipe_values();
	else if (open_state(d, out, e) != 0)
		return -1;
	d->control = control_new(d, e);
	return d->control != NULL ? 0 : -1;
}

void
daemon_close(struct daemon *d)
{
	size_t i;

	control_free(d->control);
	probing_stop(d);
	wiring_stop(d);
	timer_free(d->tick);
	timer_free(d->retry);
	timer_free(d->watchdog);
	timer_free(d->trim);
	timer_free(d->care);
	buf_free(&d->others_faults);
	for (i = 0; i < 3; i++)
		signal_watch_free(d->signals[i]);
	close_state(d);
	actions_free(&d->pending);
	op_free_all(d);
	versions_free(d);
	loop_free(d->loop);
	sandbox_free(d->sandbox);
	if (d->first != d->conf)
		conf_free(d->first);
	conf_free(d->conf);
	free(d->conf_path);
}

/* From here on the state is at work. */
static void
begin_work(struct daemon *d, struct actions *out)
{
	log_notice("site %s (%s), member %s: %zu mirrors on %zu tors", publish_site_name(d->site), publish_site_id(d->site),
	    publish_site_member(d->site), d->conf->n_mirrors, d->conf->n_tors);
	apply(d, out);
	wiring_start(d);
	on_trim(d);
	on_care(d);
}

void
daemon_begin(struct daemon *d, struct actions *out)
{
	sandbox_log(d->sandbox);
	if (d->locked)
		log_warn("%s", LOCKED_TEXT);
	else
		begin_work(d, out);
	if (notify_watchdog_ms() > 0)
		on_watchdog(d);
	service_ready(d);
}

int
daemon_unlock(struct daemon *d, struct err *e)
{
	struct actions out = { 0 };
	int r = open_state(d, &out, e);

	if (r == 0) {
		d->locked = false;
		log_notice("unlocked");
		begin_work(d, &out);
		service_status(d);
	} else {
		close_state(d);
	}
	actions_free(&out);
	return r;
}

int
daemon_run(const char *conf_path, struct conf *conf)
{
	struct daemon d = { .conf_path = xstrdup(conf_path), .conf = conf, .first = conf, .started = clock_wall_s(), .confine = true };
	struct actions out = { 0 };
	struct err e = ERR_INIT;

	/* Not those of the daemon before, which the history names. */
	d.next_op = (uint64_t)d.started;
	log_set_level(conf->log_level);
	if ((conf->user != NULL && (confine_user(conf->user, &e) != 0 || confine_process(&e) != 0)) || daemon_open(&d, &out, &e) != 0) {
		log_error("%s", e.msg);
		d.exit_code = 1;
	} else {
		daemon_begin(&d, &out);
		if (!d.stopping && loop_run(d.loop) != 0)
			d.exit_code = 1;
	}
	actions_free(&out);
	daemon_close(&d);
	log_flush(true);
	return d.exit_code;
}
