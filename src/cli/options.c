/* SPDX-License-Identifier: BSD-3-Clause */
/* Words of the command line, messages, and times for people. */
#include "config.h"
#include "cli/cli.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct taker {
	int argc, at; /* words, and the one looked at */
	char **argv;
	struct err *e;
};

/* The value of the option at t->at: behind "=" or the next word. */
static int
take_value(struct taker *t, const char *word, const char *inline_value, const char **out)
{
	if (inline_value != NULL) {
		*out = inline_value;
		return 0;
	}
	if (t->at + 1 >= t->argc)
		return err_set(t->e, ERR_PARSE, "%s needs a value", word);
	*out = t->argv[++t->at];
	return 0;
}

static int
take_one(struct cli *c, struct taker *t, const struct cli_opt *opts)
{
	const char *word = t->argv[t->at], *eq = strchr(word, '='), *value = eq != NULL ? eq + 1 : NULL;
	size_t n = eq != NULL ? (size_t)(eq - word) : strlen(word);
	const struct cli_opt *o;

	if (strcmp(word, "-f") == 0) {
		c->conf_given = true;
		return take_value(t, word, NULL, &c->conf_path);
	}
	if (strcmp(word, "-s") == 0)
		return take_value(t, word, NULL, &c->socket);
	if (strcmp(word, "--json") == 0) {
		c->json = true;
		return 0;
	}
	if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
		c->help = true;
		return 0;
	}
	for (o = opts; o != NULL && o->name != NULL; o++) {
		size_t dashes = strlen(o->name) > 1 ? 2 : 1;

		if (n != strlen(o->name) + dashes || strncmp(word, "--", dashes) != 0 ||
		    strncmp(word + dashes, o->name, n - dashes) != 0)
			continue;
		if (o->value != NULL)
			return take_value(t, word, value, o->value);
		if (value != NULL)
			return err_set(t->e, ERR_PARSE, "--%s takes no value", o->name);
		*o->flag = true;
		return 0;
	}
	return err_set(t->e, ERR_PARSE, "unknown option %s", word);
}

int
cli_take_options(struct cli *c, int *argc, char **argv, const struct cli_opt *opts, struct err *e)
{
	struct taker t = { .argc = *argc, .argv = argv, .e = e };
	bool words_only = false;
	int kept = 1;

	for (t.at = 1; t.at < t.argc; t.at++) {
		if (!words_only && strcmp(argv[t.at], "--") == 0) {
			words_only = true;
		} else if (words_only || argv[t.at][0] != '-' || argv[t.at][1] == '\0') {
			argv[kept++] = argv[t.at];
		} else if (take_one(c, &t, opts) != 0) {
			return -1;
		}
	}
	*argc = kept;
	return 0;
}

int
cli_fail(int code, const char *fmt, ...)
{
	va_list ap;

	fflush(stdout);
	fputs("onionmirror: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	return code;
}

void
cli_print_usage(FILE *f, const struct verb *v)
{
	fprintf(f, "usage: onionmirror [-f CONF] [-s SOCKET] [--json] %s%s%s\n", v->name, v->usage[0] != '\0' ? " " : "", v->usage);
}

int
cli_usage(const char *verb, const struct err *e)
{
	const struct verb *v;

	if (e != NULL && e->code != ERR_NONE)
		cli_fail(CLI_USAGE, "%s", e->msg);
	for (v = verbs; verb != NULL && v->name != NULL; v++)
		if (strcmp(v->name, verb) == 0)
			cli_print_usage(stderr, v);
	if (verb == NULL)
		fputs("onionmirror --help lists the verbs\n", stderr);
	return CLI_USAGE;
}

void
cli_print_json(json_t *value)
{
	char *text = json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS);

	if (text != NULL)
		puts(text);
	free(text);
	json_decref(value);
}

void
cli_format_age(char *out, long long t, long long now)
{
	long long d = now - t;
	const char *before = d < 0 ? "in " : "", *after = d < 0 ? "" : " ago";

	if (t <= 0) {
		snprintf(out, 32, "never");
		return;
	}
	if (d < 0)
		d = -d;
	if (d < 120)
		snprintf(out, 32, "%s%lld s%s", before, d, after);
	else if (d < 7200)
		snprintf(out, 32, "%s%lld min%s", before, d / 60, after);
	else if (d < 172800)
		snprintf(out, 32, "%s%lld h%s", before, d / 3600, after);
	else
		snprintf(out, 32, "%s%lld d%s", before, d / 86400, after);
}

int
cli_take(struct cli *c, int *argc, char **argv, const struct cli_opt *opts, int least, int most)
{
	struct err e = ERR_INIT;

	if (cli_take_options(c, argc, argv, opts, &e) == 0 && !c->help && *argc - 1 >= least && *argc - 1 <= most)
		return 0;
	cli_usage(argv[0], &e);
	return -1;
}

const char *
cli_text(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s != NULL ? s : "-";
}

long long
cli_int(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}
