/* SPDX-License-Identifier: BSD-3-Clause */
/* Operator verbs: what is (status, mirrors, onions) and what to do (rotate, drain, maint, revoke, probe, publish, reload). */
#include "config.h"
#include "cli/client.h"

#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WAIT_DEADLINE_MS (15 * 60 * 1000)

static const char *
age_of(const json_t *o, const char *key)
{
	static char ring[4][32];
	static unsigned next;
	char *out = ring[next++ % 4];

	cli_format_age(out, cli_int(o, key), clock_wall_s());
	return out;
}

/* One call, its result printed as JSON or by `show`. */
static int
ask_and_show(struct cli *c, const char *method, json_t *params, void (*show)(const struct cli *, const json_t *))
{
	struct err e = ERR_INIT;
	struct client *cl = client_open(c, &e);
	json_t *result;

	if (cl == NULL) {
		json_decref(params);
		return client_fail(&e);
	}
	result = client_call(cl, method, params, &e);
	client_close(cl);
	if (result == NULL)
		return client_fail(&e);
	if (c->json) {
		cli_print_json(result);
	} else {
		show(c, result);
		json_decref(result);
	}
	return CLI_DONE;
}

static void
show_status(const struct cli *c, const json_t *r)
{
	const json_t *tors = json_object_get(r, "tors"), *list = json_object_get(r, "list"), *alarms, *v;
	const char *state;
	size_t i;

	(void)c;
	printf("site     %s  %s\n", cli_text(r, "site"), cli_text(r, "site_id"));
	printf("daemon   %s, up since %s\n", cli_text(r, "version"), age_of(r, "started"));
	json_array_foreach(tors, i, v)
		printf("tor      %s: %s, %s%s%s\n", cli_text(v, "name"), cli_text(v, "state"),
		    json_is_true(json_object_get(v, "fit")) ? "fit to judge" : "not fit to judge: ",
		    json_is_true(json_object_get(v, "fit")) ? ", version " : cli_text(v, "why"),
		    json_is_true(json_object_get(v, "fit")) ? cli_text(v, "version") : "");
	fputs("mirrors ", stdout);
	json_object_foreach(json_object_get(r, "mirrors"), state, v)
		if (json_integer_value(v) > 0)
			printf(" %lld %s", (long long)json_integer_value(v), state);
	putchar('\n');
	if (cli_int(list, "serial") > 0)
		printf("list     serial %lld, published %s, valid until %s\n", cli_int(list, "serial"), age_of(list, "published"),
		    age_of(list, "valid_until"));
	else
		puts("list     nothing published yet");
	alarms = json_object_get(r, "alarms");
	json_array_foreach(alarms, i, v)
		printf("ALARM    %s\n", json_string_value(v));
}

static void
show_mirrors(const struct cli *c, const json_t *r)
{
	const json_t *list = json_object_get(r, "mirrors"), *m;
	size_t i;

	(void)c;
	printf("%-14s %-12s %-14s %-12s %s\n", "MIRROR", "STATE", "LAST PROBE", "WHEN", "LISTED ADDRESS");
	json_array_foreach(list, i, m)
		printf("%-14s %-12s %-14s %-12s %s\n", cli_text(m, "name"), cli_text(m, "state"), cli_text(m, "verdict"),
		    age_of(m, "last_probe"), cli_text(m, "listed"));
}

static void
show_onions(const struct cli *c, const json_t *r)
{
	const json_t *list = json_object_get(r, "onions"), *o;
	size_t i;

	(void)c;
	printf("%-14s %-10s %-17s %-10s %s\n", "MIRROR", "STATE", "BECAUSE", "CREATED", "ADDRESS");
	json_array_foreach(list, i, o)
		printf("%-14s %-10s %-17s %-10s %s\n", cli_text(o, "mirror"), cli_text(o, "state"), cli_text(o, "cause"),
		    age_of(o, "created"), cli_text(o, "onion"));
}

int
verb_status(struct cli *c, int argc, char **argv)
{
	if (cli_take(c, &argc, argv, NULL, 0, 0) != 0)
		return CLI_USAGE;
	return ask_and_show(c, "status", NULL, show_status);
}

int
verb_mirrors(struct cli *c, int argc, char **argv)
{
	if (cli_take(c, &argc, argv, NULL, 0, 0) != 0)
		return CLI_USAGE;
	return ask_and_show(c, "mirrors", NULL, show_mirrors);
}

int
verb_onions(struct cli *c, int argc, char **argv)
{
	if (cli_take(c, &argc, argv, NULL, 0, 1) != 0)
		return CLI_USAGE;
	return ask_and_show(c, "onions", argc == 2 ? json_pack("{s:s}", "mirror", argv[1]) : NULL, show_onions);
}

/* One step of an operation; true when it was the last, then *code is set. */
static bool
show_step(const struct cli *c, json_t *note, int *code)
{
	const char *step = cli_text(note, "step");
	bool failed = strcmp(step, "failed") == 0, done = strcmp(step, "done") == 0;

	if (c->json)
		cli_print_json(json_incref(note));
	else if (!done)
		printf("%6.1f s  %-9s %s\n", (double)cli_int(note, "elapsed_ms") / 1000, step, cli_text(note, "text"));
	fflush(stdout);
	*code = failed ? CLI_FAILED : CLI_DONE;
	return failed || done;
}

static int
follow(const struct cli *c, struct client *cl, long long op)
{
	int64_t end = clock_mono_ms() + WAIT_DEADLINE_MS, left;
	struct err e = ERR_INIT;
	int code = CLI_FAILED;
	bool last = false;
	json_t *note;

	while (!last) {
		left = end - clock_mono_ms();
		if (left <= 0 || (note = client_next(cl, left, &e)) == NULL) {
			err_set(&e, ERR_TIMEOUT, "no end within 15 min");
			return cli_fail(CLI_FAILED, "operation %lld goes on without us: %s", op, e.msg);
		}
		if (cli_int(note, "op") == op && strcmp(cli_text(note, "kind"), "step") == 0)
			last = show_step(c, note, &code);
		json_decref(note);
	}
	return code;
}

/* A method that changes something, perhaps followed to its end. */
static int
command(struct cli *c, const char *method, json_t *params, bool wait)
{
	struct err e = ERR_INIT;
	struct client *cl = client_open(c, &e);
	json_t *result = NULL;
	long long op;
	int code;

	if (cl == NULL) {
		json_decref(params);
		return client_fail(&e);
	}
	/* Subscribed before the command, so that no step is missed. */
	if (wait)
		result = client_call(cl, "subscribe", NULL, &e);
	json_decref(result);
	if (wait && result == NULL) {
		json_decref(params);
		code = client_fail(&e);
	} else if ((result = client_call(cl, method, params, &e)) == NULL) {
		code = client_fail(&e);
	} else {
		op = cli_int(result, "op");
		if (c->json)
			cli_print_json(json_incref(result));
		else if (!wait)
			printf("%s: begun, operation %lld\n", method, op);
		json_decref(result);
		fflush(stdout);
		code = wait ? follow(c, cl, op) : CLI_DONE;
	}
	client_close(cl);
	return code;
}

static int
mirror_command(struct cli *c, int argc, char **argv, const char *method)
{
	bool wait = false;
	const struct cli_opt opts[] = { { "wait", &wait, NULL }, { 0 } };

	if (cli_take(c, &argc, argv, opts, 1, 1) != 0)
		return CLI_USAGE;
	return command(c, method, json_pack("{s:s}", "mirror", argv[1]), wait);
}

int
verb_rotate(struct cli *c, int argc, char **argv)
{
	return mirror_command(c, argc, argv, "rotate");
}

int
verb_probe(struct cli *c, int argc, char **argv)
{
	return mirror_command(c, argc, argv, "probe");
}

int
verb_drain(struct cli *c, int argc, char **argv)
{
	return mirror_command(c, argc, argv, "drain");
}

int
verb_maint(struct cli *c, int argc, char **argv)
{
	bool wait = false, on;
	const struct cli_opt opts[] = { { "wait", &wait, NULL }, { 0 } };
	struct err e = ERR_INIT;

	if (cli_take(c, &argc, argv, opts, 2, 2) != 0)
		return CLI_USAGE;
	on = strcmp(argv[2], "on") == 0;
	if (!on && strcmp(argv[2], "off") != 0) {
		err_set(&e, ERR_PARSE, "maint takes on or off, not %.40s", argv[2]);
		return cli_usage(argv[0], &e);
	}
	return command(c, "maint", json_pack("{s:s,s:b}", "mirror", argv[1], "on", (int)on), wait);
}

/* Names of mirrors are shorter than any address. */
int
verb_revoke(struct cli *c, int argc, char **argv)
{
	bool wait = false;
	const struct cli_opt opts[] = { { "wait", &wait, NULL }, { 0 } };

	if (cli_take(c, &argc, argv, opts, 1, 1) != 0)
		return CLI_USAGE;
	return command(c, "revoke", json_pack("{s:s}", strlen(argv[1]) >= 56 ? "onion" : "mirror", argv[1]), wait);
}

int
verb_publish(struct cli *c, int argc, char **argv)
{
	bool wait = false;
	const struct cli_opt opts[] = { { "wait", &wait, NULL }, { 0 } };

	if (cli_take(c, &argc, argv, opts, 0, 0) != 0)
		return CLI_USAGE;
	return command(c, "publish", NULL, wait);
}

int
verb_reload(struct cli *c, int argc, char **argv)
{
	if (cli_take(c, &argc, argv, NULL, 0, 0) != 0)
		return CLI_USAGE;
	return command(c, "reload", NULL, false);
}
