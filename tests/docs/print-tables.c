/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the tables in the code hold, a line each, for tests/check-docs.sh: option SECTION NAME, sample SECTION NAME, verb NAME;
 * of each option of a verb "takes VERB -OPTION [VALUE]" as it is parsed, and "usage VERB -OPTION [VALUE]" as the verb's usage has it.
 */
#include "config.h"
#include "cli/cli.h"
#include "conf/table.h"

#include <stdio.h>
#include <string.h>

/* The names in the sample: "name = value" lines, also those that are commented out, below the line that opens their section. */
static void
print_sample(void)
{
	struct buf text = BUF_INIT(1024 * 1024);
	char *line, *rest, section[32] = "root", word[64];

	conf_sample(&text, "/S", "/R");
	for (rest = text.data; (line = strsep(&rest, "\n")) != NULL;) {
		char *open = strchr(line, '{');

		line += strspn(line, " ");
		if (strncmp(line, "# ", 2) == 0)
			continue;
		line += line[0] == '#';
		line += strspn(line, " "); /* in a section that is commented out */
		if (open != NULL && sscanf(line, "%31[a-z-]", word) == 1 && strchr(line, '=') == NULL)
			snprintf(section, sizeof section, "%.31s", word);
		else if (line[0] == '}')
			snprintf(section, sizeof section, "root");
		else if (sscanf(line, "%63[a-z0-9-] =", word) == 1 && strncmp(line + strlen(word), " = ", 3) == 0)
			printf("sample %s %s\n", section, word);
	}
	buf_free(&text);
}

static const char *running; /* the verb that is asked for its options */

static void
print_opts(const struct cli_opt *o)
{
	for (; o != NULL && o->name != NULL; o++)
		printf("takes %s %s%s%s\n", running, strlen(o->name) > 1 ? "--" : "-", o->name, o->value != NULL ? " VALUE" : "");
}

/* In place of the real ones (the linker's --wrap): what is parsed is told, and the verb ends there. */
int __wrap_cli_take_options(struct cli *c, int *argc, char **argv, const struct cli_opt *opts, struct err *e);
int __wrap_cli_take(struct cli *c, int *argc, char **argv, const struct cli_opt *opts, int least, int most);

int
__wrap_cli_take_options(struct cli *c, int *argc, char **argv, const struct cli_opt *opts, struct err *e)
{
	(void)c, (void)argc, (void)argv;
	print_opts(opts);
	return err_set(e, ERR_PARSE, "only asked");
}

int
__wrap_cli_take(struct cli *c, int *argc, char **argv, const struct cli_opt *opts, int least, int most)
{
	(void)c, (void)argc, (void)argv, (void)least, (void)most;
	print_opts(opts);
	return -1;
}

/* "[--since 2h] [--probes] -n N" */
static void
print_usage(const struct verb *v)
{
	const char *p = v->usage;
	size_t n;

	while (*(p += strspn(p, " []")) != '\0') {
		n = strcspn(p, " []");
		if (*p == '-')
			printf("usage %s %.*s%s\n", v->name, (int)n, p, p[n] == ' ' && p[n + 1] != '-' && p[n + 1] != '[' ? " VALUE" : "");
		p += n;
	}
}

int
main(void)
{
	const struct conf_option *o;
	const struct verb *v;
	int s;

	for (s = 0; s < CONF__SECTIONS; s++)
		for (o = conf_sections[s].options; o->name != NULL; o++)
			printf("option %s %s\n", conf_sections[s].name[0] != '\0' ? conf_sections[s].name : "root", o->name);
	for (v = verbs; v->name != NULL; v++) {
		const char *second = strchr(v->name, ' ');
		char *words[] = { (char *)(uintptr_t)(second != NULL ? second + 1 : v->name), NULL };
		struct cli c = { 0 };

		printf("verb %s\n", running = v->name);
		print_usage(v);
		v->run(&c, 1, words);
	}
	print_sample();
	return 0;
}
