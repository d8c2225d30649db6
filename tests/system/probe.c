/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Probes as the daemon makes them, from a command line, for the tests on real
 * tors: all at once through one tor, one line of JSON for each when all are done.
 *
 * usage: probe CONTROL-SOCKET COOKIE TIMEOUT-MS [fresh:]SOCKS-SOCKET,ADDRESS,PORT ...
 *        probe CONTROL-SOCKET COOKIE clients ADDRESS     how many this tor's service has
 */
#include "config.h"
#include "tor/prober.h"

#include "base/mem.h"

#include <jansson.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PROBES_MAX 32

static struct {
	struct prober *prober;
	struct session *session;
	bool up, bad;
	unsigned done, n;
	struct probe_result results[PROBES_MAX];
} world;

static void
on_up(void *arg)
{
	(void)arg;
	world.up = true;
	fprintf(stderr, "%s\n", session_get_warning(world.session));
}

static void
on_lost(const struct err *why, void *arg)
{
	(void)arg;
	fprintf(stderr, "probe: %s\n", why->msg);
	world.bad = true;
}

static void
on_event(const struct event *ev, void *arg)
{
	(void)arg;
	prober_on_event(world.prober, world.session, ev);
}

static void
on_result(void *ctx, uint64_t id, const struct probe_result *result)
{
	(void)ctx;
	world.results[id] = *result;
	world.done++;
}

static bool
is_up(void *arg)
{
	(void)arg;
	return world.up || world.bad;
}

static bool
is_done(void *arg)
{
	(void)arg;
	return world.done == world.n || world.bad;
}

/* What was asked after the last result (circuits to be closed) has been answered. */
static void
on_last(void *ctx, uint64_t id, const struct reply *r)
{
	(void)id;
	(void)r;
	*(bool *)ctx = true;
}

static void
on_count(void *ctx, uint64_t id, int n)
{
	(void)id;
	printf("%d\n", n);
	*(bool *)ctx = true;
}

static bool
is_true(void *arg)
{
	return *(bool *)arg;
}

static int
start(unsigned id, char *text, int64_t timeout)
{
	struct probe_request rq = { .path = "/health", .status = 200, .contains = "ok", .timeout_ms = timeout, .through = world.session };
	char *socks = text, *address, *port, endpoint[200];
	struct endpoint via;

	if (strncmp(socks, "fresh:", 6) == 0) {
		rq.fresh = true;
		socks += 6;
	}
	address = strchr(socks, ',');
	port = address != NULL ? strchr(address + 1, ',') : NULL;
	if (port == NULL)
		return -1;
	*address++ = *port++ = '\0';
	snprintf(endpoint, sizeof endpoint, "unix:%s", socks);
	if (endpoint_parse(&via, endpoint, NULL) != 0)
		return -1;
	rq.address = address;
	rq.port = (uint16_t)atoi(port);
	rq.via = &via;
	prober_start(world.prober, &rq, on_result, NULL, id);
	return 0;
}

static void
print(const struct probe_result *r)
{
	const struct phases *p = &r->phases;
	json_t *v = json_pack("{s:s,s:i,s:i,s:b,s:s,s:i,s:i,s:i,s:i,s:i,s:i}", "verdict", verdict_name(r->verdict), "socks", r->socks_code, "http",
	    r->http_status, "stale_hsdir", (int)r->stale_hsdir, "detail", r->detail, "descriptor", (int)p->descriptor, "introduction",
	    (int)p->introduction, "rendezvous", (int)p->rendezvous, "circuit", (int)p->circuit, "first_byte", (int)p->first_byte, "total",
	    (int)p->total);
	char *text = json_dumps(v, 0);

	puts(text);
	free(text);
	json_decref(v);
}

int
main(int argc, char **argv)
{
	const struct session_handlers handlers = { .on_up = on_up, .on_lost = on_lost, .on_event = on_event };
	struct session_config cfg = { .name = "tor" };
	char endpoint[200];
	struct loop *loop;
	bool last = false;
	unsigned i;

	if (argc < 5 || argc > 4 + PROBES_MAX || sodium_init() < 0)
		return 2;
	snprintf(endpoint, sizeof endpoint, "unix:%s", argv[1]);
	loop = loop_new(NULL);
	if (loop == NULL || endpoint_parse(&cfg.control, endpoint, NULL) != 0)
		return 2;
	cfg.cookie_file = argv[2];
	world.n = (unsigned)argc - 4;
	world.prober = prober_new(loop);
	world.session = session_new(loop, &cfg, &handlers, NULL);
	session_start(world.session);
	loop_run_until(loop, is_up, NULL, 10000);
	if (strcmp(argv[3], "clients") == 0) {
		if (session_clients(world.session, argv[4], on_count, &last, 0, NULL) == 0)
			loop_run_until(loop, is_true, &last, 10000);
		world.n = 0;
		world.bad = true; /* that was all */
	}
	for (i = 0; !world.bad && i < world.n; i++)
		if (start(i, argv[4 + i], atoll(argv[3])) != 0)
			world.bad = true;
	if (!world.bad)
		loop_run_until(loop, is_done, NULL, 180000);
	if (!world.bad && session_getinfo(world.session, "version", on_last, &last, 0, NULL) == 0)
		loop_run_until(loop, is_true, &last, 10000);
	for (i = 0; last && i < world.n; i++)
		print(&world.results[i]);
	prober_free(world.prober);
	session_free(world.session);
	loop_free(loop);
	return last && world.done == world.n ? 0 : 1;
}
