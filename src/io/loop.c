/* SPDX-License-Identifier: BSD-3-Clause */
/* The loop: libevent's base, and the reaper that frees closed objects outside every callback. */
#include "config.h"
#include "io/loop.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "io/loop_impl.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

static void
libevent_says(int severity, const char *msg)
{
	if (severity >= EVENT_LOG_WARN)
		log_warn("libevent: %s", msg);
	else
		log_debug("libevent: %s", msg);
}

static void
reap_all(struct loop *l)
{
	struct reap *r;

	while ((r = l->dead) != NULL) {
		l->dead = r->next;
		r->free_fn(r);
	}
}

static void
on_reap(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	reap_all(arg);
}

struct loop *
loop_new(struct err *e)
{
	struct loop *l = xcalloc(1, sizeof *l);

	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	event_set_log_callback(libevent_says);
	l->base = event_base_new();
	if (l->base != NULL)
		l->reap_event = event_new(l->base, -1, 0, on_reap, l);
	if (l->base == NULL || l->reap_event == NULL) {
		err_set(e, ERR_SYS, "cannot make an event loop");
		loop_free(l);
		return NULL;
	}
	return l;
}

int
loop_run(struct loop *l)
{
	l->stopping = false;
	event_base_dispatch(l->base);
	return l->stopping ? 0 : -1;
}

void
loop_stop(struct loop *l)
{
	l->stopping = true;
	event_base_loopbreak(l->base);
}

static void
on_late(void *arg)
{
	*(bool *)arg = true;
}

bool
loop_run_until(struct loop *l, bool (*done)(void *arg), void *arg, int64_t ms)
{
	bool late = false;
	struct timer *t = timer_new(l, on_late, &late);

	timer_set(t, ms);
	while (!done(arg) && !late)
		if (event_base_loop(l->base, EVLOOP_ONCE) != 0)
			break;
	timer_free(t);
	return done(arg);
}

void
loop_reap(struct loop *l, struct reap *r, void (*free_fn)(struct reap *r))
{
	r->free_fn = free_fn;
	r->next = l->dead;
	l->dead = r;
	event_active(l->reap_event, EV_TIMEOUT, 1);
}

void
loop_free(struct loop *l)
{
	if (l == NULL)
		return;
	/* A freed bufferevent closes its descriptor only when the loop has run once more. */
	if (l->base != NULL)
		event_base_loop(l->base, EVLOOP_NONBLOCK);
	reap_all(l);
	if (l->reap_event != NULL)
		event_free(l->reap_event);
	if (l->base != NULL) {
		event_base_loop(l->base, EVLOOP_NONBLOCK);
		event_base_free(l->base);
	}
	free(l);
}

socklen_t
endpoint_sockaddr(const struct endpoint *ep, struct sockaddr_storage *ss)
{
	struct sockaddr_un *un = (struct sockaddr_un *)ss;
	struct sockaddr_in *in = (struct sockaddr_in *)ss;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ss;

	memset(ss, 0, sizeof *ss);
	switch (ep->kind) {
	case ENDPOINT_UNIX:
		un->sun_family = AF_UNIX;
		memcpy(un->sun_path, ep->path, strlen(ep->path) + 1);
		return (socklen_t)sizeof *un;
	case ENDPOINT_INET:
		in->sin_family = AF_INET;
		memcpy(&in->sin_addr, ep->ip, sizeof in->sin_addr);
		in->sin_port = htons(ep->port);
		return (socklen_t)sizeof *in;
	case ENDPOINT_INET6:
		in6->sin6_family = AF_INET6;
		in6->sin6_addr = in6addr_loopback;
		in6->sin6_port = htons(ep->port);
		return (socklen_t)sizeof *in6;
	}
	return 0;
}
