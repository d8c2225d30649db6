/* SPDX-License-Identifier: BSD-3-Clause */
/* Names and the one table of edges of an onion's life. */
#include "config.h"
#include "mirror/onion.h"

#include <string.h>

static const char *const state_names[ONION__STATES] = { "planned", "adding", "uploading", "proving", "ready", "listed",
	"leaving", "revoked", "gone", "failed" };
static const char *const cause_names[CAUSE__COUNT] = { "start", "operator", "age", "takedown", "candidate-failed", "revoked", "bulk", "moved" };

#define TO(s) (1u << (s))
/*
 * From each state to which others. A candidate that tor lost (restart, another
 * controller) goes back to adding; every candidate may fail.
 */
static const unsigned edges[ONION__STATES] = {
	[ONION_PLANNED] = TO(ONION_ADDING) | TO(ONION_FAILED),
	[ONION_ADDING] = TO(ONION_UPLOADING) | TO(ONION_PROVING) | TO(ONION_FAILED),
	[ONION_UPLOADING] = TO(ONION_PROVING) | TO(ONION_ADDING) | TO(ONION_FAILED),
	[ONION_PROVING] = TO(ONION_READY) | TO(ONION_ADDING) | TO(ONION_FAILED),
	[ONION_READY] = TO(ONION_LISTED) | TO(ONION_ADDING) | TO(ONION_PROVING) | TO(ONION_FAILED),
	[ONION_LISTED] = TO(ONION_LEAVING) | TO(ONION_REVOKED),
	[ONION_LEAVING] = TO(ONION_GONE) | TO(ONION_REVOKED),
	[ONION_REVOKED] = TO(ONION_GONE),
	[ONION_GONE] = 0,
	[ONION_FAILED] = 0,
};

static int
find(const char *const *names, int n, const char *name)
{
	int i;

	for (i = 0; i < n; i++)
		if (strcmp(names[i], name) == 0)
			return i;
	return -1;
}

const char *
onion_state_name(enum onion_state s)
{
	return (unsigned)s < ONION__STATES ? state_names[s] : "unknown";
}

int
onion_state_parse(enum onion_state *s, const char *name)
{
	int i = find(state_names, ONION__STATES, name);

	if (i < 0)
		return -1;
	*s = (enum onion_state)i;
	return 0;
}

bool
onion_state_may_follow(enum onion_state from, enum onion_state to)
{
	return (unsigned)from < ONION__STATES && (unsigned)to < ONION__STATES && (edges[from] & TO(to)) != 0;
}

const char *
onion_cause_name(enum onion_cause c)
{
	return (unsigned)c < CAUSE__COUNT ? cause_names[c] : "unknown";
}

int
onion_cause_parse(enum onion_cause *c, const char *name)
{
	int i = find(cause_names, CAUSE__COUNT, name);

	if (i < 0)
		return -1;
	*c = (enum onion_cause)i;
	return 0;
}
