/* SPDX-License-Identifier: BSD-3-Clause */
/* Words of the command line, messages, and times for people. */
#include "config.h"
#include "cli/out.h"

#include "base/mem.h"

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

static bool messages_are_json;

void
cli_set_json_messages(void)
{
	messages_are_json = true;
}

/* Bytes of a command line or of a file name need not be UTF-8. */
static json_t *
text_json(const char *text)
{
	json_t *v = json_string(text);

	return v != NULL ? v : json_string(out_escape(text));
}

/* One message on stderr: a line of text, or of JSON. detail: another member of the JSON and its text, name NULL: none. */
static void
say(int code, const char *name, const char *detail, const char *text)
{
	json_t *what, *line;
	char *dump;

	fflush(stdout);
	if (!messages_are_json) {
		fprintf(stderr, "onionmirror: %s\n", text);
		return;
	}
	what = json_pack("{s:o}", "message", text_json(text));
	if (code != CLI_DONE)
		json_object_set_new(what, "code", json_integer(code));
	if (name != NULL)
		json_object_set_new(what, name, text_json(detail));
	line = json_pack("{s:o}", code != CLI_DONE ? "error" : "warning", what);
	dump = json_dumps(line, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENSURE_ASCII);
	fprintf(stderr, "%s\n", dump != NULL ? dump : "{}");
	free(dump);
	json_decref(line);
}

int
cli_fail(int code, const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		abort(); /* as all of mem.h */
	va_end(ap);
	say(code, NULL, NULL, text);
	free(text);
	return code;
}

int
cli_refused(const char *reason, const char *text)
{
	say(CLI_FAILED, "reason", reason, text);
	return CLI_FAILED;
}

#define USAGE_FMT "onionmirror [-f CONF] [-s SOCKET] [--json] %s%s%s"
#define USAGE_ARGS(v) (v)->name, (v)->usage[0] != '\0' ? " " : "", (v)->usage

void
cli_print_usage(FILE *f, const struct verb *v)
{
	fprintf(f, "usage: " USAGE_FMT "\n", USAGE_ARGS(v));
}

int
cli_usage(const char *verb, const struct err *e)
{
	const char *why = e != NULL && e->code != ERR_NONE ? e->msg : NULL;
	const struct verb *v = verbs;
	char *usage;

	while (verb != NULL && v->name != NULL && strcmp(v->name, verb) != 0)
		v++;
	if (verb == NULL || v->name == NULL)
		usage = xstrdup("onionmirror --help lists the verbs");
	else
		usage = xasprintf(USAGE_FMT, USAGE_ARGS(v));
	if (messages_are_json || why != NULL)
		say(CLI_USAGE, "usage", usage, why != NULL ? why : "these words are not what the verb takes");
	if (!messages_are_json)
		fprintf(stderr, "%s%s\n", verb != NULL && v->name != NULL ? "usage: " : "", usage);
	free(usage);
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
