/* SPDX-License-Identifier: BSD-3-Clause */
/* One-shot timers. A timer owns its event. */
#include "config.h"
#include "io/loop.h"

#include "base/clock.h"
#include "base/mem.h"
#include "io/internal.h"

#include <stdlib.h>

/*
 * libevent's clock stands still while the machine sleeps, ours does not: a
 * long wait is cut into slices and measured anew after each.
 */
#define SLICE_MS INT64_C(60000)
#define WAIT_MAX_MS (INT64_C(1000) * 3600 * 24 * 36500)

struct timer {
	struct event *ev;
	void (*cb)(void *arg);
	void *arg;
	int64_t due; /* on clock_mono_ms(); meaningful while sliced */
	bool sliced; /* the pending event is not the last one */
};

static void
arm(struct timer *t, int64_t ms)
{
	t->sliced = ms > SLICE_MS;
	loop_event_after(t->ev, t->sliced ? SLICE_MS : ms);
}

static void
on_timeout(evutil_socket_t fd, short what, void *arg)
{
	struct timer *t = arg;
	int64_t left;

	(void)fd;
	(void)what;
	if (t->sliced && (left = t->due - clock_mono_ms()) > 0) {
		arm(t, left);
		return;
	}
	t->cb(t->arg); /* may free t */
}

struct timer *
timer_new(struct loop *l, void (*cb)(void *arg), void *arg)
{
	struct timer *t = xcalloc(1, sizeof *t);

	t->cb = cb;
	t->arg = arg;
	t->ev = loop_event(l, -1, 0, on_timeout, t);
	return t;
}

void
timer_set(struct timer *t, int64_t ms)
{
	if (ms < 0)
		ms = 0;
	if (ms > WAIT_MAX_MS)
		ms = WAIT_MAX_MS;
	t->due = clock_mono_ms() + ms;
	/* One that has fired but waits for its turn would else come at once, for the old time. */
	event_del(t->ev);
	arm(t, ms);
}

void
timer_cancel(struct timer *t)
{
	event_del(t->ev);
}

bool
timer_is_set(const struct timer *t)
{
	return event_pending(t->ev, EV_TIMEOUT, NULL) != 0;
}

void
timer_free(struct timer *t)
{
	if (t == NULL)
		return;
	event_free(t->ev);
	free(t);
}
