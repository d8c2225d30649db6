/* SPDX-License-Identifier: BSD-3-Clause */
/* What the tables in the code hold, a line each, for tests/check-docs.sh: option SECTION NAME, sample SECTION NAME, verb NAME. */
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

int
main(void)
{
	const struct conf_option *o;
	const struct verb *v;
	int s;

	for (s = 0; s < CONF__SECTIONS; s++)
		for (o = conf_sections[s].options; o->name != NULL; o++)
			printf("option %s %s\n", conf_sections[s].name[0] != '\0' ? conf_sections[s].name : "root", o->name);
	for (v = verbs; v->name != NULL; v++)
		printf("verb %s\n", v->name);
	print_sample();
	return 0;
}
