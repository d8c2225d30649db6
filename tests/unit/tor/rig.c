/* SPDX-License-Identifier: BSD-3-Clause */
/* The common ground of the session tests. */
#include "config.h"
#include "unit/tor/rig.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void
on_up(void *arg)
{
	struct rig *r = arg;

	r->ups++;
}

static void
on_lost(const struct err *why, void *arg)
{
	struct rig *r = arg;

	r->losses++;
	snprintf(r->lost, sizeof(r->lost), "%s", why->msg);
}

static void
on_event(const struct event *ev, void *arg)
{
	struct rig *r = arg;

	r->events++;
	r->event = *ev;
}

static void
on_fitness(bool fit, const char *why, void *arg)
{
	struct rig *r = arg;

	r->fits++;
	r->fit = fit;
	snprintf(r->why, sizeof(r->why), "%s", why);
}

void
rig_reply(void *ctx, uint64_t id, const struct reply *reply)
{
	struct rig *r = ctx;
	size_t n = strlen(r->order);

	r->replies++;
	if (reply == NULL) {
		r->nulls++;
		return;
	}
	if (n + 1 < sizeof(r->order))
		r->order[n] = (char)id;
	snprintf(r->text, sizeof(r->text), "%d %s", reply->code, reply_text(reply));
}

void
rig_detached(void *ctx, const char *const *addresses, int n)
{
	struct rig *r = ctx;
	int i;

	r->replies++;
	r->detached = n;
	r->addresses[0] = '\0';
	for (i = 0; i < n; i++)
		snprintf(r->addresses + strlen(r->addresses),
		    sizeof(r->addresses) - strlen(r->addresses), "%s%s", i > 0 ? " " : "",
		    addresses[i]);
}

void
rig_init(struct rig *r)
{
	struct err e = ERR_INIT;
	const char *path;

	memset(r, 0, sizeof(*r));
	r->detached = -2;
	strcpy(r->dir, "/tmp/om-tor.XXXXXX");
	if (sodium_init() < 0 || mkdtemp(r->dir) == NULL || (r->loop = loop_new(&e)) == NULL)
		abort();
	r->tor = faketor_new(r->loop, r->dir);
	path = faketor_path(r->tor);
	r->cfg.name = "main";
	r->cfg.control.kind = ENDPOINT_UNIX;
	memcpy(r->cfg.control.path, path, strlen(path) + 1);
	r->cfg.cookie_file = faketor_cookie(r->tor);
	r->timing = (struct session_timing){2000, 30000, 2, 8, 60000};
}

void
rig_start(struct rig *r)
{
	static const struct session_handlers handlers = {on_up, on_lost, on_event, on_fitness};

	r->session = session_new(r->loop, &r->cfg, &handlers, r);
	session_set_timing(r->session, &r->timing);
	session_start(r->session);
}

void
rig_fini(struct rig *r)
{
	session_free(r->session);
	faketor_free(r->tor);
	loop_free(r->loop);
	if (rmdir(r->dir) != 0)
		abort();
}

struct goal {
	const struct rig *r;
	const unsigned *counter;
	const char *prefix;
	unsigned n;
};

static bool
reached(void *arg)
{
	const struct goal *g = arg;

	return (g->counter != NULL ? *g->counter : faketor_count(g->r->tor, g->prefix)) >= g->n;
}

bool
rig_wait(struct rig *r, const unsigned *counter, unsigned n)
{
	struct goal g = {.r = r, .counter = counter, .n = n};

	return loop_run_until(r->loop, reached, &g, 900);
}

bool
rig_wait_line(struct rig *r, const char *prefix, unsigned n)
{
	struct goal g = {.r = r, .prefix = prefix, .n = n};

	return loop_run_until(r->loop, reached, &g, 900);
}

struct turns {
	struct timer *timer;
	unsigned left;
};

static void
on_turn(void *arg)
{
	struct turns *t = arg;

	if (--t->left > 0)
		timer_set(t->timer, 1);
}

static bool
turned(void *arg)
{
	const struct turns *t = arg;

	return t->left == 0;
}

void
rig_turn(struct rig *r)
{
	struct turns t = {.left = 20};

	t.timer = timer_new(r->loop, on_turn, &t);
	timer_set(t.timer, 0);
	loop_run_until(r->loop, turned, &t, 900);
	timer_free(t.timer);
}

bool
rig_up(struct rig *r)
{
	rig_start(r);
	return rig_wait(r, &r->ups, 1) && rig_wait(r, &r->fits, 2);
}
