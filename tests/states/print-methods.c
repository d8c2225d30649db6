/* SPDX-License-Identifier: BSD-3-Clause */
/* The methods of the control socket and the reasons of its errors as the code has them, in mdoc: for tests/check-control.sh. */
#include "config.h"
#include "daemon/control.h"

#include <stdio.h>
#include <string.h>

static void
print_range(const struct param *p)
{
	switch (p->type) {
	case PARAM_BOOL: printf("boolean"); break;
	case PARAM_NUMBER:
		if (p->most == PARAM_NUMBER_MAX)
			printf("number from %lld", (long long)p->least);
		else
			printf("number from %lld to %lld", (long long)p->least, (long long)p->most);
		break;
	case PARAM_TEXT:
	case PARAM_SECRET: printf("text of %lld to %lld bytes", (long long)p->least, (long long)p->most); break;
	}
}

static void
print_method(const struct method *m)
{
	static const char *const needs[] = { "optional", "needed", "exactly one of these" };
	const struct param *p;

	printf(".It Ic %s\n%s\n", m->name, m->help);
	if (m->changes)
		puts("Changes something.");
	if (m->who == WHO_OWNER)
		puts("Only for root and the daemon's own user.");
	if (m->params[0].name == NULL)
		return;
	puts(".Bl -tag -width \"mirror\" -compact");
	for (p = m->params; p->name != NULL; p++) {
		printf(".It Li %s\n", p->name);
		print_range(p);
		printf(", %s: %s\n", needs[p->need], p->help);
	}
	puts(".El");
}

int
main(int argc, char **argv)
{
	const struct method *m;
	const struct reason *r;

	if (argc > 1 && strcmp(argv[1], "reasons") == 0)
		for (r = reasons; r->name != NULL; r++)
			printf(".It Li %s\n%s\n", r->name, r->help);
	else
		for (m = methods; m->name != NULL; m++)
			print_method(m);
	return 0;
}
