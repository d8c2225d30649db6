/* SPDX-License-Identifier: BSD-3-Clause */
/* The one table of verdicts. */
#include "config.h"
#include "proto/verdict.h"

#include <stddef.h>
#include <string.h>

static const struct {
	const char *name;
	bool address, failure;
} table[VERDICT__COUNT] = {
	[VERDICT_INCONCLUSIVE] = { "inconclusive", false, false },
	[VERDICT_OK] = { "ok", false, false },
	[VERDICT_NO_DESCRIPTOR] = { "no-descriptor", true, true },
	[VERDICT_BAD_DESCRIPTOR] = { "bad-descriptor", true, true },
	[VERDICT_INTRO] = { "intro", true, true },
	[VERDICT_RENDEZVOUS] = { "rendezvous", true, true },
	[VERDICT_CLIENT_AUTH] = { "client-auth", false, true },
	[VERDICT_BAD_ADDRESS] = { "bad-address", false, true },
	[VERDICT_REFUSED] = { "refused", false, true },
	[VERDICT_TIMEOUT] = { "timeout", false, true },
	[VERDICT_TLS] = { "tls", false, true },
	[VERDICT_HTTP] = { "http", false, true },
	[VERDICT_BUSY] = { "busy", false, false },
	[VERDICT_CONTENT] = { "content", false, true },
	[VERDICT_STALE] = { "stale", false, true },
};

const char *
verdict_name(enum verdict v)
{
	return (unsigned)v < VERDICT__COUNT ? table[v].name : "unknown";
}

int
verdict_parse(enum verdict *v, const char *name)
{
	int i;

	for (i = 0; i < VERDICT__COUNT; i++)
		if (strcmp(table[i].name, name) == 0) {
			*v = (enum verdict)i;
			return 0;
		}
	return -1;
}

bool
verdict_is_address(enum verdict v)
{
	return (unsigned)v < VERDICT__COUNT && table[v].address;
}

bool
verdict_is_failure(enum verdict v)
{
	return (unsigned)v < VERDICT__COUNT && table[v].failure;
}
