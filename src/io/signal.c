/* SPDX-License-Identifier: BSD-3-Clause */
/* Signals, delivered from the loop. */
#include "config.h"
#include "base/mem.h"
#include "io/loop_impl.h"

#include <stdlib.h>

struct signal_watch {
	struct reap reap; /* first */
	struct loop *loop;
	struct event *ev; /* owned */
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

struct signal_watch *
signal_watch_new(struct loop *l, int signo, void (*cb)(int signo, void *arg), void *arg)
{
	struct signal_watch *w = xcalloc(1, sizeof *w);

	w->loop = l;
	w->cb = cb;
	w->arg = arg;
	w->ev = evsignal_new(l->base, signo, on_signal, w);
	if (w->ev == NULL || evsignal_add(w->ev, NULL) != 0)
		abort();
	return w;
}

static void
reap_watch(struct reap *r)
{
	struct signal_watch *w = (struct signal_watch *)r;

	event_free(w->ev);
	free(w);
}

void
signal_watch_free(struct signal_watch *w)
{
	if (w == NULL)
		return;
	/* Freeing a signal event inside its own callback is the one unsafe case of event_free(). */
	w->cb = NULL;
	evsignal_del(w->ev);
	loop_reap(w->loop, &w->reap, reap_watch);
}
