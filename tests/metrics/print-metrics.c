/* SPDX-License-Identifier: BSD-3-Clause */
/* Prints the table of metrics, for tests/check-metrics.sh: name, type and labels, one a line. */
#include "config.h"
#include "daemon/metrics.h"

#include <stdio.h>

int
main(void)
{
	const struct metric_row *row;
	size_t i;

	for (row = metric_rows; row->m.name != NULL; row++) {
		printf("%s %s", row->m.name, metric_type_name(row->m.type));
		for (i = 0; row->m.labels[i] != NULL; i++)
			printf(" %s", row->m.labels[i]);
		putchar('\n');
	}
	return 0;
}
