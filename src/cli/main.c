/* SPDX-License-Identifier: BSD-3-Clause */
/* onionmirror: finds the verb and runs it. */
#include "config.h"
#include "cli/cli.h"

#include "base/log.h"

#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define USAGE_WIDTH 41

static void
print_help(FILE *f)
{
	const char *group = "";
	const struct verb *v;

	fputs("usage: onionmirror [-f CONF] [-s SOCKET] [--json] VERB ...\n", f);
	for (v = verbs; v->name != NULL; v++) {
		if (strcmp(group, v->group) != 0)
			fprintf(f, "\n%s\n", group = v->group);
		/* What does not fit into the column gets a line of its own. */
		if (strlen(v->usage) > USAGE_WIDTH)
			fprintf(f, "  %-14s %s\n  %-14s %-*s %s\n", v->name, v->usage, "", USAGE_WIDTH, "", v->help);
		else
			fprintf(f, "  %-14s %-*s %s\n", v->name, USAGE_WIDTH, v->usage, v->help);
	}
	fputs("\nexit codes: 0 done, 1 refused or failed, 2 usage, 3 daemon not reachable, 4 verification failed\n", f);
}

/* Splits the words before the verb from the verb's own. */
static int
find_verb(int argc, char **argv)
{
	int i;

	for (i = 1; i < argc && argv[i][0] == '-'; i++)
		if (strcmp(argv[i], "-f") == 0 || strcmp(argv[i], "-s") == 0)
			i++;
	return i < argc ? i : argc;
}

/* How many words of the command line are this verb; 0: it is another. */
static int
words_of(const struct verb *v, int n, char **words)
{
	const char *space = strchr(v->name, ' ');

	if (space == NULL)
		return strcmp(v->name, words[0]) == 0;
	return n > 1 && strncmp(v->name, words[0], (size_t)(space - v->name)) == 0 && words[0][space - v->name] == '\0' &&
	    strcmp(space + 1, words[1]) == 0 ? 2 : 0;
}

static bool
has_option(int n, char **words, const char *option)
{
	int i;

	for (i = 0; i < n && strcmp(words[i], "--") != 0; i++)
		if (strcmp(words[i], option) == 0)
			return true;
	return false;
}

static bool
wants_help(int n, char **words)
{
	return has_option(n, words, "--help") || has_option(n, words, "-h");
}

int
main(int argc, char **argv)
{
	struct cli c = { .conf_path = CLI_DEFAULT_CONF, .tty = isatty(STDOUT_FILENO) };
	int at = find_verb(argc, argv), head = at, n;
	const struct verb *v;
	struct err e = ERR_INIT;

	signal(SIGPIPE, SIG_IGN);
	log_init("onionmirror", LOG_LEVEL_WARN);
	if (has_option(argc - 1, argv + 1, "--json")) /* also where the words in front of it are wrong */
		cli_set_json_messages();
	if (sodium_init() < 0)
		return cli_fail(CLI_FAILED, "libsodium does not start on this machine");
	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		puts("onionmirror " PACKAGE_VERSION);
		return CLI_DONE;
	}
	if (cli_take_options(&c, &head, argv, NULL, &e) != 0)
		return cli_usage(NULL, &e);
	if (c.help || (at < argc && strcmp(argv[at], "help") == 0)) {
		print_help(stdout);
		return CLI_DONE;
	}
	if (at >= argc && c.json) {
		err_set(&e, ERR_PARSE, "which verb?");
		return cli_usage(NULL, &e);
	}
	if (at >= argc) {
		print_help(stderr);
		return CLI_USAGE;
	}
	for (v = verbs; v->name != NULL; v++)
		if ((n = words_of(v, argc - at, argv + at)) > 0 && wants_help(argc - at - n, argv + at + n)) {
			cli_print_usage(stdout, v);
			printf("%s\n", v->help);
			return CLI_DONE;
		} else if (n > 0)
			return v->run(&c, argc - at - n + 1, argv + at + n - 1);
	err_set(&e, ERR_PARSE, "there is no verb \"%s%s%s\"", argv[at], at + 1 < argc ? " " : "", at + 1 < argc ? argv[at + 1] : "");
	return cli_usage(NULL, &e);
}
