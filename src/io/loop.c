/* SPDX-License-Identifier: BSD-3-Clause */
/* The event loop over libevent. It owns the event base and what its owners let go of. */
#include "config.h"
#include "io/loop.h"

#include "base/log.h"
#include "base/mem.h"
#include "io/internal.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

/* Else libevent writes to stderr by itself. */
static void
on_libevent(int severity, const char *text)
{
	if (severity >= EVENT_LOG_WARN)
		log_warn("libevent: %s", text);
}

struct loop *
loop_new(struct err *e)
{
	struct event_config *cfg = event_config_new();
	struct event_base *base = NULL;
	struct loop *l;

	event_set_log_callback(on_libevent);
	/*
	 * Precise and uncached time: libevent would else count from when the turn
	 * began, in steps of 4 ms, and a timer could fire before its time.
	 */
	if (cfg != NULL && event_config_set_flag(cfg, EVENT_BASE_FLAG_PRECISE_TIMER | EVENT_BASE_FLAG_NO_CACHE_TIME |
	    EVENT_BASE_FLAG_IGNORE_ENV) == 0)
		base = event_base_new_with_config(cfg);
	if (cfg != NULL)
		event_config_free(cfg);
	if (base == NULL) {
		err_set(e, ERR_SYS, "cannot create the event loop");
		return NULL;
	}
	/* A peer that went away is an error of write(), and a full quota too; neither ends the process. */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	l = xcalloc(1, sizeof *l);
	l->base = base;
	LIST_INIT(&l->orphans);
	return l;
}

int
loop_run(struct loop *l)
{
	bool stopped;

	if (!l->stop)
		event_base_loop(l->base, 0);
	stopped = l->stop;
	l->stop = false;
	return stopped ? 0 : -1;
}

void
loop_stop(struct loop *l)
{
	l->stop = true;
	event_base_loopbreak(l->base);
}

static void
out_of_time(void *arg)
{
	*(bool *)arg = true;
}

bool
loop_run_until(struct loop *l, bool (*done)(void *arg), void *arg, int64_t ms)
{
	bool late = false, ok;
	struct timer *t = timer_new(l, out_of_time, &late);

	timer_set(t, ms);
	while (!(ok = done(arg)) && !late && !l->stop)
		event_base_loop(l->base, EVLOOP_ONCE);
	timer_free(t);
	l->stop = false;
	return ok;
}

void
loop_free(struct loop *l)
{
	struct orphan *o;

	if (l == NULL)
		return;
	while ((o = LIST_FIRST(&l->orphans)) != NULL)
		o->destroy(o);
	event_base_free(l->base);
	free(l);
}

void
loop_adopt(struct loop *l, struct orphan *o, void (*destroy)(struct orphan *o))
{
	o->destroy = destroy;
	LIST_INSERT_HEAD(&l->orphans, o, link);
}

void
loop_disown(struct orphan *o)
{
	LIST_REMOVE(o, link);
}

void
loop_add(struct event *ev, const struct timeval *tv)
{
	if (event_add(ev, tv) != 0)
		mem_exhausted();
}

struct event *
loop_event(struct loop *l, int fd, short what, event_callback_fn cb, void *arg)
{
	struct event *ev = event_new(l->base, fd, what, cb, arg);

	if (ev == NULL) {
		fputs("onionmirror: cannot make an event\n", stderr);
		exit(1);
	}
	return ev;
}

void
loop_event_after(struct event *ev, int64_t ms)
{
	struct timeval tv = { 0, 0 };

	if (ms > 0) {
		tv.tv_sec = (time_t)(ms / 1000);
		tv.tv_usec = (suseconds_t)(ms % 1000 * 1000);
	}
	loop_add(ev, &tv);
}
