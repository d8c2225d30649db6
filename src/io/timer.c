/* SPDX-License-Identifier: BSD-3-Clause */
/* One-shot timers: re-armed when the work is done, they can neither overlap nor drift. */
#include "config.h"
#include "base/mem.h"
#include "io/loop_impl.h"

#include <stdlib.h>

struct timer {
	struct event *ev; /* owned */
	void (*cb)(void *arg);
	void *arg;
};

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct timer *t = arg;

	(void)fd;
	(void)what;
	t->cb(t->arg); /* last: it may free the timer */
}

struct timer *
timer_new(struct loop *l, void (*cb)(void *arg), void *arg)
{
	struct timer *t = xcalloc(1, sizeof *t);

	t->cb = cb;
	t->arg = arg;
	t->ev = evtimer_new(l->base, on_timer, t);
	if (t->ev == NULL)
		abort();
	return t;
}

void
timer_set(struct timer *t, int64_t ms)
{
	struct timeval tv;

	if (ms < 0)
		ms = 0;
	tv.tv_sec = (time_t)(ms / 1000);
	tv.tv_usec = (suseconds_t)(ms % 1000 * 1000);
	evtimer_add(t->ev, &tv);
}

void
timer_cancel(struct timer *t)
{
	evtimer_del(t->ev);
}

bool
timer_is_set(const struct timer *t)
{
	return evtimer_pending(t->ev, NULL) != 0;
}

void
timer_free(struct timer *t)
{
	if (t == NULL)
		return;
	event_free(t->ev);
	free(t);
}
