/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The operator: comes to the control socket now and then with a verb, waits for
 * the answer or goes away without it, sends nonsense, edits the configuration
 * and sends SIGHUP. When all is well again he ends what he began, and looks into a panic.
 */
#include "config.h"
#include "daemon/daemon.h"
#include "sim/impl.h"
#include "sim/simtor.h"

#include "base/mem.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#define MEAN_MS (3 * 3600 * 1000)
#define ANSWER_MS 10000
#define TIDY_MS (3600 * 1000)

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

/* What he ever asked of each mirror: nothing of this kind may be so that he did not ask for. */
static struct {
	bool maint, drain, revoke;
} asked[SIM_MIRRORS];

bool
operator_asked_hold(unsigned mirror, int h)
{
	return h == HOLD_MAINT ? asked[mirror].maint : h == HOLD_DRAINED ? asked[mirror].drain : true;
}

bool
operator_asked_revoke(unsigned mirror)
{
	return asked[mirror].revoke;
}

void
operator_clear(void)
{
	memset(asked, 0, sizeof asked);
}

void
operator_note(const char *method, unsigned mirror)
{
	asked[mirror].maint |= strcmp(method, "maint") == 0;
	asked[mirror].drain |= strcmp(method, "drain") == 0;
	asked[mirror].revoke |= strcmp(method, "revoke") == 0;
}

/* An address that this mirror has, or had: one of those that were ever given to a tor. "": there is none. */
static void
some_address(char address[57], unsigned mirror)
{
	const struct simtor_given *g;
	unsigned n = 0;
	size_t i;

	address[0] = '\0';
	for (i = 0; (g = simtor_given(i)) != NULL; i++)
		if (strcmp(g->target, sim_plan.mirrors[mirror].backend) == 0 && sim_below(DICE_OPERATOR, ++n) == 0)
			memcpy(address, g->address, 57);
}

/* A method and its parameters, as text. */
static void
say_of_mirror(char *line, size_t n, const char *verb, unsigned mirror)
{
	const char *name = sim_plan.mirrors[mirror].name;
	char address[57] = "";

	operator_note(verb, mirror);
	if (strcmp(verb, "maint") == 0) {
		snprintf(line, n, "\"maint\",\"params\":{\"mirror\":\"%s\",\"on\":%s}", name, sim_chance(DICE_OPERATOR, 500000) ? "true" : "false");
		return;
	}
	if (strcmp(verb, "revoke") == 0 && sim_chance(DICE_OPERATOR, 300000))
		some_address(address, mirror);
	if (address[0] != '\0')
		snprintf(line, n, "\"revoke\",\"params\":{\"onion\":\"%s.onion\"}", address);
	else
		snprintf(line, n, "\"%s\",\"params\":{\"mirror\":\"%s\"}", verb, name);
}

/* When all is well he only looks, asks for probes and lists. */
static const char *
choose_verb(void)
{
	static const char *const verbs[] = { "status", "mirrors", "onions", "history", "publish", "probe", "rotate", "rotate", "reload", "nonsense" };
	static const char *const holds[] = { "drain", "maint", "maint" };

	if (!healed && sim_plan.holds && sim_chance(DICE_OPERATOR, 250000))
		return holds[sim_below(DICE_OPERATOR, sizeof holds / sizeof holds[0])];
	if (!healed && sim_plan.revokes && sim_chance(DICE_OPERATOR, 80000))
		return "revoke";
	return verbs[sim_below(DICE_OPERATOR, healed ? 6 : sizeof verbs / sizeof verbs[0])];
}

static void
send_line(struct sim_conn *c, const char *method)
{
	char line[300];
	size_t n = (size_t)snprintf(line, sizeof line, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":%s}\n", method);

	sim_trace("operator < %.*s", (int)n - 1, line);
	if (!healed && sim_chance(DICE_OPERATOR, 50000)) /* garbled on the way */
		sim_bytes(DICE_OPERATOR, line, sim_below(DICE_OPERATOR, n - 1));
	sim_conn_write(c, line, n);
}

static void
say(struct sim_conn *c)
{
	static const char *const of_mirrors[] = { "rotate", "probe", "drain", "maint", "revoke", NULL };
	const char *verb = choose_verb();
	char method[200];
	unsigned i;

	for (i = 0; of_mirrors[i] != NULL && strcmp(of_mirrors[i], verb) != 0; i++)
		;
	if (of_mirrors[i] != NULL)
		say_of_mirror(method, sizeof method, verb, (unsigned)sim_below(DICE_OPERATOR, sim_plan.n_mirrors));
	else if (strcmp(verb, "history") == 0)
		snprintf(method, sizeof method, "\"history\",\"params\":{\"table\":\"%s\"}",
		    sim_chance(DICE_OPERATOR, 500000) ? "probes" : "decisions");
	else
		snprintf(method, sizeof method, "\"%s\"", verb);
	send_line(c, method);
}

/* All is well: the mirror gets what ends its hold. */
static void
say_back(struct sim_conn *c, unsigned mirror, enum mirror_hold h)
{
	char method[200];

	if (h == HOLD_MAINT)
		snprintf(method, sizeof method, "\"maint\",\"params\":{\"mirror\":\"%s\",\"on\":false}", sim_plan.mirrors[mirror].name);
	else
		say_of_mirror(method, sizeof method, "rotate", mirror);
	send_line(c, method);
}

static struct visit *
enter(void)
{
	static const struct sim_conn_ops ops = { on_data, on_closed };
	struct visit *v = xcalloc(1, sizeof *v);

	v->healed = healed;
	v->conn = sim_connect(sim_plan.control, &ops, v);
	if (v->conn == NULL) {
		free(v);
		return NULL;
	}
	LIST_INSERT_HEAD(&visits, v, entry);
	v->leave_ev = sim_after(ANSWER_MS, leave, v);
	return v;
}

void
operator_publish(void)
{
	struct visit *v = enter();

	if (v != NULL)
		send_line(v->conn, "\"publish\"");
}

static void
talk(void)
{
	struct visit *v = enter();

	if (v == NULL)
		return;
	say(v->conn);
	if (sim_chance(DICE_OPERATOR, 100000)) { /* goes away without the answer */
		sim_conn_close(v->conn);
		visit_end(v);
	}
}

/* Looks at the mirrors one after the other and takes back what is held. */
static void
tidy(void *arg)
{
	struct daemon *d = sim_daemon();
	enum mirror_hold h;
	struct visit *v;
	unsigned i;

	(void)arg;
	for (i = 0; d != NULL && i < sim_plan.n_mirrors; i++)
		if ((h = engine_mirror_hold(d->engine, (int)i)) != HOLD_NONE && (v = enter()) != NULL)
			say_back(v->conn, i, h);
}

/*
 * Where there is nobody to ask, the engine takes it for our own side's fault that all addresses fail together, keeps
 * the list and says so. He has a look for himself: what he can't reach either gets a new address.
 */
static void
look_into_panic(void *arg)
{
	struct daemon *d = sim_daemon();
	struct mirror_view m;
	struct visit *v;
	const char *why;
	char method[200];
	unsigned i;

	(void)arg;
	sim_after(TIDY_MS, look_into_panic, NULL);
	if (d == NULL || d->engine == NULL || !engine_in_panic(d->engine, &why))
		return;
	for (i = 0; i < sim_plan.n_mirrors; i++) {
		if (engine_mirror_hold(d->engine, (int)i) != HOLD_NONE || engine_mirror_view(d->engine, (int)i, &m) != 0 || m.listed == 0 ||
		    m.candidate != 0 || model_reachable(engine_onion(d->engine, m.listed)->address) || (v = enter()) == NULL)
			continue;
		say_of_mirror(method, sizeof method, "rotate", i);
		send_line(v->conn, method);
	}
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
	if (sim_plan.tidy)
		sim_after(TIDY_MS, tidy, NULL);
	if (sim_plan.n_controls == 0)
		sim_after(2 * TIDY_MS, look_into_panic, NULL);
}

void
operator_end(void)
{
	struct visit *v;

	while ((v = LIST_FIRST(&visits)) != NULL)
		visit_end(v);
}
