/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The operator: comes to the control socket now and then with a verb, waits for
 * the answer or goes away without it, sends nonsense, edits the configuration
 * and sends SIGHUP.
 */
#include "config.h"
#include "sim/impl.h"

#include "base/mem.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#define MEAN_MS (3 * 3600 * 1000)
#define ANSWER_MS 10000

/* One visit. */
struct visit {
	LIST_ENTRY(visit) entry;
	struct sim_conn *conn;
	bool healed; /* it began when all was well again: it must be answered */
	uint64_t leave_ev;
	unsigned lines;
};
static LIST_HEAD(, visit) visits;
static uint64_t next_ev;
static bool healed;

static void come(void *arg);

static void
come_later(void)
{
	next_ev = sim_after(sim_between(DICE_OPERATOR, 1000, 2 * (int64_t)MEAN_MS), come, NULL);
}

static void
visit_end(struct visit *v)
{
	LIST_REMOVE(v, entry);
	sim_cancel(v->leave_ev);
	free(v);
}

static void
on_data(struct sim_conn *c, void *arg)
{
	struct visit *v = arg;
	const char *p, *lf;
	size_t n;

	while ((p = sim_conn_peek(c, &n)), (lf = memchr(p, '\n', n)) != NULL) {
		sim_trace("operator > %.*s", (int)(lf - p < 120 ? lf - p : 120), p);
		sim_conn_consume(c, (size_t)(lf - p) + 1);
		if (++v->lines == 2) { /* the greeting and the answer */
			sim_conn_close(c);
			visit_end(v);
			return;
		}
	}
}

static void
on_closed(struct sim_conn *c, void *arg)
{
	(void)c;
	visit_end(arg);
}

/* It waited long enough. An answer must have come, if the daemon was there all the time. */
static void
leave(void *arg)
{
	struct visit *v = arg;

	v->leave_ev = 0;
	if (v->healed)
		sim_violation("V4", "an operator's command has no answer after %d s", ANSWER_MS / 1000);
	sim_conn_close(v->conn);
	visit_end(v);
}

static void
say(struct sim_conn *c)
{
	static const char *const verbs[] = { "status", "mirrors", "onions", "history", "publish", "rotate", "rotate", "probe", "reload",
		"drain", "maint", "revoke", "nonsense" };
	/* When all is well he only looks, asks for probes and lists. */
	const char *verb = verbs[sim_below(DICE_OPERATOR, healed ? 5 : sizeof verbs / sizeof verbs[0])];
	bool mirror = strcmp(verb, "rotate") == 0 || strcmp(verb, "probe") == 0 || strcmp(verb, "drain") == 0 || strcmp(verb, "maint") == 0 ||
	    strcmp(verb, "revoke") == 0;
	char line[200];
	size_t n;

	if (mirror)
		n = (size_t)snprintf(line, sizeof line, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\",\"params\":{\"mirror\":\"m%u\"}}\n", verb,
		    (unsigned)sim_below(DICE_OPERATOR, sim_plan.n_mirrors));
	else
		n = (size_t)snprintf(line, sizeof line, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\"}\n", verb);
	sim_trace("operator < %.*s", (int)n - 1, line);
	if (!healed && sim_chance(DICE_OPERATOR, 50000)) /* garbled on the way */
		sim_bytes(DICE_OPERATOR, line, sim_below(DICE_OPERATOR, n - 1));
	sim_conn_write(c, line, n);
}

static void
talk(void)
{
	static const struct sim_conn_ops ops = { on_data, on_closed };
	struct visit *v = xcalloc(1, sizeof *v);

	v->healed = healed;
	v->conn = sim_connect(sim_plan.control, &ops, v);
	if (v->conn == NULL) {
		free(v);
		return;
	}
	LIST_INSERT_HEAD(&visits, v, entry);
	say(v->conn);
	if (sim_chance(DICE_OPERATOR, 100000)) { /* goes away without the answer */
		sim_conn_close(v->conn);
		visit_end(v);
		return;
	}
	v->leave_ev = sim_after(ANSWER_MS, leave, v);
}

static void
edit(void)
{
	bool broken = !healed && sim_chance(DICE_OPERATOR, 300000);

	sim_trace("operator: edits the configuration%s", broken ? ", badly" : "");
	if (broken)
		plan_write_conf(true);
	else
		plan_change_conf();
	process_signal(SIGHUP);
	if (broken) /* he sees the message */
		plan_write_conf(false);
}

static void
come(void *arg)
{
	(void)arg;
	next_ev = 0;
	if (sim_chance(DICE_OPERATOR, 100000))
		edit();
	else if (!healed && sim_chance(DICE_OPERATOR, 30000))
		process_signal(SIGTERM);
	else
		talk();
	come_later();
}

void
operator_begin(void)
{
	healed = false;
	LIST_INIT(&visits);
	come_later();
}

void
operator_heal(void)
{
	healed = true;
}

void
operator_end(void)
{
	struct visit *v;

	while ((v = LIST_FIRST(&visits)) != NULL)
		visit_end(v);
}
