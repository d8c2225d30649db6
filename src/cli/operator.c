/* SPDX-License-Identifier: BSD-3-Clause */
/* Operator verbs: what is (status, mirrors, onions) and what to do (rotate, drain, maint, revoke, probe, publish, reload). */
#include "config.h"
#include "cli/client.h"
#include "cli/follow.h"
#include "cli/out.h"

#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* One method, all its pages, printed as JSON or by `show`. list: the member that holds the rows, NULL: there are no pages. */
static int
ask_and_show(struct cli *c, const char *method, json_t *params, const char *list, void (*show)(const json_t *))
{
	struct err e = ERR_INIT;
	struct client *cl = client_open(c, &e);
	json_t *result = NULL;

	if (cl == NULL)
		json_decref(params);
	else
		result = list != NULL ? client_call_pages(cl, method, params, list, &e) : client_call(cl, method, params, &e);
	client_close(cl);
	if (result == NULL)
		return client_fail(&e);
	if (c->json) {
		cli_print_json(result);
	} else {
		show(result);
		json_decref(result);
	}
	return CLI_DONE;
}

static void
show_tor(const json_t *v)
{
	bool fit = json_is_true(json_object_get(v, "fit"));
	int at = printf("tor      %s: %s, %s", out_text(v, "name"), out_text(v, "state"), fit ? "fit to judge, version " : "not fit to judge: ");

	out_wrapped(at, 9, cli_text(v, fit ? "version" : "why"));
}

static void
show_sandbox(const json_t *v)
{
	const json_t *layer;
	size_t i;
	int at = printf("sandbox ");

	json_array_foreach(json_object_get(v, "layers"), i, layer)
		at += printf(" %s", out_escape(json_is_string(layer) ? json_string_value(layer) : ""));
	if (cli_text(v, "missing")[0] != '\0') {
		at += printf(i > 0 ? "; not " : " not confined: ");
		out_wrapped(at, 9, cli_text(v, "missing"));
	} else {
		putchar('\n');
	}
}

static void
show_status(const json_t *r)
{
	const json_t *tors = json_object_get(r, "tors"), *list = json_object_get(r, "list"), *alarms, *v;
	const char *state;
	size_t i;

	printf("site     %s\n         %s\n", out_text(r, "site"), out_text(r, "site_id"));
	printf("daemon   %s, member %s, started %s\n", out_text(r, "version"), out_text(r, "member"), out_age(r, "started"));
	if (json_is_true(json_object_get(r, "locked"))) {
		show_sandbox(json_object_get(r, "sandbox"));
		puts("LOCKED   run `onionmirror unlock`; until then nothing is probed, added, served or published");
		return;
	}
	json_array_foreach(tors, i, v)
		show_tor(v);
	fputs("mirrors ", stdout);
	json_object_foreach(json_object_get(r, "mirrors"), state, v)
		if (json_integer_value(v) > 0)
			printf(" %lld %s", (long long)json_integer_value(v), out_escape(state));
	putchar('\n');
	if (cli_int(list, "serial") > 0)
		printf("list     serial %lld, published %s, runs out %s\n", cli_int(list, "serial"), out_age(list, "published"),
		    out_age(list, "valid_until"));
	else
		puts("list     nothing published yet");
	show_sandbox(json_object_get(r, "sandbox"));
	alarms = json_object_get(r, "alarms");
	json_array_foreach(alarms, i, v) {
		fputs("ALARM    ", stdout);
		out_wrapped(9, 9, json_is_string(v) ? json_string_value(v) : "");
	}
}

static void
show_mirrors(const json_t *r)
{
	static const struct out_column columns[] = { { "MIRROR", "name", out_text }, { "STATE", "state", out_text },
		{ "LAST PROBE", "verdict", out_text }, { "WHEN", "last_probe", out_age }, { 0 } };

	out_table(json_object_get(r, "mirrors"), columns, "listed");
}

static void
show_onions(const json_t *r)
{
	static const struct out_column columns[] = { { "MIRROR", "mirror", out_text }, { "STATE", "state", out_text },
		{ "BECAUSE", "cause", out_text }, { "CREATED", "created", out_age }, { 0 } };

	out_table(json_object_get(r, "onions"), columns, "onion");
}

int
verb_status(struct cli *c, int argc, char **argv)
{
	if (cli_take(c, &argc, argv, NULL, 0, 0) != 0)
		return CLI_USAGE;
	return ask_and_show(c, "status", NULL, NULL, show_status);
}

int
verb_mirrors(struct cli *c, int argc, char **argv)
{
	if (cli_take(c, &argc, argv, NULL, 0, 0) != 0)
		return CLI_USAGE;
	return ask_and_show(c, "mirrors", NULL, "mirrors", show_mirrors);
}

int
verb_onions(struct cli *c, int argc, char **argv)
{
	if (cli_take(c, &argc, argv, NULL, 0, 1) != 0)
		return CLI_USAGE;
	return ask_and_show(c, "onions", argc == 2 ? json_pack("{s:s}", "mirror", argv[1]) : NULL, "onions", show_onions);
}

/* A method that changes something, perhaps followed to its end. */
static int
command(struct cli *c, const char *method, json_t *params, bool wait)
{
	char *mirror = json_is_string(json_object_get(params, "mirror")) ? xstrdup(cli_text(params, "mirror")) : NULL;
	struct err e = ERR_INIT;
	struct client *cl = client_open(c, &e);
	json_t *result = NULL;
	int code;

	/* Subscribed before the command, so that no step is missed. */
	if (cl != NULL && wait)
		json_decref(result = client_call(cl, "subscribe", NULL, &e));
	if (cl == NULL || (wait && result == NULL)) {
		json_decref(params);
		code = client_fail(&e);
	} else if ((result = client_call(cl, method, params, &e)) == NULL) {
		code = client_fail(&e);
	} else {
		long long op = cli_int(result, "op");

		if (!c->json && !wait)
			printf("%s: begun, operation %lld\n", method, op);
		if (c->json)
			cli_print_json(result);
		else
			json_decref(result);
		fflush(stdout);
		code = wait ? follow_operation(c, cl, op, mirror) : CLI_DONE;
	}
	client_close(cl);
	free(mirror);
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
