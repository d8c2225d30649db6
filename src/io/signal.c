/* SPDX-License-Identifier: BSD-3-Clause */
/* Signals as calls from the loop. A watch owns its events. */
#include "config.h"
#include "io/loop.h"

#include "base/mem.h"
#include "io/internal.h"

#include <stdlib.h>

struct signal_watch {
	struct orphan orphan; /* first */
	struct loop *loop;
	struct event *ev, *later;
	void (*cb)(int signo, void *arg);
	void *arg;
};

static void
on_signal(evutil_socket_t signo, short what, void *arg)
{
	struct signal_watch *w = arg;

	(void)what;
	if (w->cb != NULL)
		w->cb((int)signo, w->arg);
}

static void
destroy(struct orphan *o)
{
	struct signal_watch *w = (struct signal_watch *)o;

	loop_disown(o);
	event_free(w->ev);
	event_free(w->later);
	free(w);
}

static void
on_later(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	destroy(arg);
}

struct signal_watch *
signal_watch_new(struct loop *l, int signo, void (*cb)(int signo, void *arg), void *arg)
{
	struct signal_watch *w = xcalloc(1, sizeof *w);

	w->loop = l;
	w->cb = cb;
	w->arg = arg;
	w->ev = loop_event(l, signo, EV_SIGNAL | EV_PERSIST, on_signal, w);
	w->later = loop_event(l, -1, 0, on_later, w);
	loop_add(w->ev, NULL);
	return w;
}

void
signal_watch_free(struct signal_watch *w)
{
	if (w == NULL)
		return;
	/*
	 * Not event_del() now: if this is the callback of the first of two signals,
	 * libevent 2.1 would keep a pointer to its own stack in the event, and write
	 * through it at the next event_del().
	 */
	w->cb = NULL;
	loop_adopt(w->loop, &w->orphan, destroy);
	loop_event_after(w->later, 0);
}
