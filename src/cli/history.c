/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The verbs `history` and `events`: pages of the daemon's records, the newest of
 * them shown, with what each decision rested on; and what happens from now on.
 */
#include "config.h"
#include "cli/client.h"
#include "cli/follow.h"
#include "cli/out.h"

#include "base/clock.h"
#include "base/utc.h"
#include "conf/conf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIMIT_DEFAULT 100
#define LIMIT_MAX 100000
#define SINCE_DEFAULT "1d"

/* Which part of the records is wanted: as it was asked for, and as it was understood. */
struct part {
	const char *since, *limit; /* NULL: the default */
	long long from;            /* Unix time */
	size_t most;
};

static int
print_time(long long wall)
{
	char text[UTC_LEN + 1];

	utc_format(text, wall);
	return printf("%.5s %s ", text + 5, text + 11); /* the year is known */
}

static void
show_event(const json_t *r)
{
	int at = print_time(cli_int(r, "time"));

	at += printf("%-10s %s%s: ", out_text(r, "mirror"), strcmp(cli_text(r, "kind"), "alarm") == 0 ? "ALARM " : "", out_text(r, "step"));
	out_wrapped(at, 8, cli_text(r, "text"));
}

static void
show_decision(const json_t *r)
{
	const json_t *evidence = json_object_get(r, "evidence"), *line;
	size_t i;

	show_event(r);
	json_array_foreach(evidence, i, line) {
		fputs("    ", stdout);
		out_wrapped(4, 8, json_string_value(line) != NULL ? json_string_value(line) : "");
	}
}

static void
show_probe(const json_t *r)
{
	int at = print_time(cli_int(r, "wall"));

	at += printf("%-10s %s %s, %lld ms", out_text(r, "mirror"), json_is_true(json_object_get(r, "direct")) ? "check" : "probe",
	    out_text(r, "verdict"), cli_int(json_object_get(r, "ms"), "total"));
	if (json_string_length(json_object_get(r, "detail")) > 0)
		at += printf(": ");
	out_wrapped(at, 8, json_string_length(json_object_get(r, "detail")) > 0 ? cli_text(r, "detail") : "");
}

/* All pages since then; of their records the last p->most stay in `all`. */
static int
collect(struct client *cl, json_t *all, const char *table, const char *mirror, const struct part *p, struct err *e)
{
	json_int_t after = 0;
	bool more = true;
	json_t *page;

	while (more) {
		page = client_call(cl, "history",
		    json_pack("{s:s,s:I,s:I,s:s*}", "table", table, "since", (json_int_t)p->from, "after", after, "mirror", mirror), e);
		if (page == NULL)
			return -1;
		json_array_extend(all, json_object_get(page, "records"));
		while (json_array_size(all) > p->most)
			json_array_remove(all, 0);
		more = json_is_true(json_object_get(page, "more")) && cli_int(page, "next") > after;
		after = cli_int(page, "next");
		json_decref(page);
	}
	return 0;
}

static int
parse_limits(struct part *p, struct err *e)
{
	char *end = NULL;
	int64_t ms;
	long n = p->limit != NULL ? strtol(p->limit, &end, 10) : LIMIT_DEFAULT;

	if (conf_parse_duration(&ms, p->since != NULL ? p->since : SINCE_DEFAULT) != 0 || ms <= 0)
		return err_set(e, ERR_PARSE, "--since takes a duration: 90s, 5m, 12h, 30d");
	if (n < 1 || n > LIMIT_MAX || (end != NULL && (end == p->limit || *end != '\0')))
		return err_set(e, ERR_PARSE, "--limit takes a number from 1 to %d", LIMIT_MAX);
	p->from = clock_wall_s() - ms / 1000;
	p->from = p->from < 1 ? 1 : p->from;
	p->most = (size_t)n;
	return 0;
}

/* What both verbs go on with once their words are taken: the limits, and the daemon. A code other than CLI_DONE: all is said. */
static int
begin(const struct cli *c, const char *verb, struct part *p, struct client **cl)
{
	struct err e = ERR_INIT;

	if (parse_limits(p, &e) != 0)
		return cli_usage(verb, &e);
	*cl = client_open(c, &e);
	return *cl != NULL ? CLI_DONE : client_fail(&e);
}

static void
show(const struct cli *c, json_t *all, const char *name, void (*show_one)(const json_t *))
{
	const json_t *r;
	size_t i;

	if (c->json) {
		cli_print_json(json_pack("{s:O}", name, all));
		return;
	}
	if (json_array_size(all) == 0)
		puts("nothing is recorded of that time");
	json_array_foreach(all, i, r)
		show_one(r);
}

int
verb_history(struct cli *c, int argc, char **argv)
{
	struct part p = { 0 };
	bool probes = false;
	const struct cli_opt opts[] = { { "since", NULL, &p.since }, { "limit", NULL, &p.limit }, { "probes", &probes, NULL }, { 0 } };
	struct err e = ERR_INIT;
	struct client *cl;
	json_t *all;
	int code;

	if (cli_take(c, &argc, argv, opts, 0, 1) != 0)
		return CLI_USAGE;
	if ((code = begin(c, argv[0], &p, &cl)) != CLI_DONE)
		return code;
	all = json_array();
	if (collect(cl, all, probes ? "probes" : "decisions", argc == 2 ? argv[1] : NULL, &p, &e) == 0)
		show(c, all, "records", probes ? show_probe : show_decision);
	else
		code = client_fail(&e);
	json_decref(all);
	client_close(cl);
	return code;
}

/* Event by event, until the daemon or whoever reads us goes away. */
static int
follow_all(const struct cli *c, struct client *cl)
{
	struct err e = ERR_INIT;
	json_t *event;

	while ((event = client_next(cl, INT64_MAX, &e)) != NULL) {
		if (c->json) {
			cli_print_json(event);
		} else {
			show_event(event);
			json_decref(event);
		}
		if (fflush(stdout) != 0)
			return CLI_DONE;
	}
	return client_fail(&e);
}

/* What happens to one operation, from its last step on. */
static int
follow_one(const struct cli *c, struct client *cl, const char *text)
{
	struct err e = ERR_INIT;
	json_t *result, *last;
	char *end;
	long long op = strtoll(text, &end, 10);
	int code;

	if (op < 1 || *end != '\0') {
		err_set(&e, ERR_PARSE, "--op takes the number of an operation");
		return cli_usage("events", &e);
	}
	if ((result = client_call(cl, "subscribe", json_pack("{s:I}", "op", (json_int_t)op), &e)) == NULL)
		return client_fail(&e);
	last = json_object_get(result, "last");
	if (!json_is_object(last) || !follow_show_step(c, last, &code)) {
		code = follow_operation(c, cl, op, json_is_object(last) && json_is_string(json_object_get(last, "mirror")) ? cli_text(last, "mirror") : NULL);
	}
	if (code == CLI_DONE && !c->json)
		printf("operation %lld is done\n", op);
	json_decref(result);
	return code;
}

int
verb_events(struct cli *c, int argc, char **argv)
{
	struct part p = { 0 };
	const char *op = NULL;
	bool on = false;
	const struct cli_opt opts[] = { { "follow", &on, NULL }, { "since", NULL, &p.since }, { "limit", NULL, &p.limit }, { "op", NULL, &op }, { 0 } };
	struct err e = ERR_INIT;
	struct client *cl;
	json_t *all, *result = NULL;
	int code;

	if (cli_take(c, &argc, argv, opts, 0, 0) != 0)
		return CLI_USAGE;
	if ((code = begin(c, argv[0], &p, &cl)) != CLI_DONE)
		return code;
	all = json_array();
	if (op != NULL) {
		code = follow_one(c, cl, op);
	} else if (on) {
		/* What was before only if it was asked for. */
		result = client_call(cl, "subscribe", NULL, &e);
		if (result != NULL && p.since != NULL && !c->json && collect(cl, all, "decisions", NULL, &p, &e) == 0)
			show(c, all, "events", show_event);
		fflush(stdout);
		code = result != NULL && e.code == ERR_NONE ? follow_all(c, cl) : client_fail(&e);
	} else if (collect(cl, all, "decisions", NULL, &p, &e) == 0) {
		show(c, all, "events", show_event);
	} else {
		code = client_fail(&e);
	}
	json_decref(result);
	json_decref(all);
	client_close(cl);
	return code;
}
