/* SPDX-License-Identifier: BSD-3-Clause */
/* The states and edges of an onion's life as the code has them, a line each: for tests/check-states.sh. */
#include "config.h"
#include "mirror/onion.h"

#include <stdio.h>

int
main(void)
{
	int from, to;

	for (from = 0; from < ONION__STATES; from++)
		puts(onion_state_name((enum onion_state)from));
	for (from = 0; from < ONION__STATES; from++)
		for (to = 0; to < ONION__STATES; to++)
			if (onion_state_may_follow((enum onion_state)from, (enum onion_state)to))
				printf("%s %s\n", onion_state_name((enum onion_state)from), onion_state_name((enum onion_state)to));
	return 0;
}
