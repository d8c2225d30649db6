/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the daemon may say to tor, written down without the daemon's encoder:
 * a line that is not one of these shapes, byte for byte, is a violation even
 * if tor would take it.
 */
#include "config.h"
#include "sim/ctl.h"

#include "base/enc.h"
#include "base/endpoint.h"
#include "proto/edkey.h"
#include "proto/onion.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const info_keys[] = { "version", "status/circuit-established", "network-liveness", "consensus/valid-after", "consensus/valid-until",
	"onions/detached", "circuit-status", "net/listeners/socks", "status/bootstrap-phase", "uptime", NULL };
static const char *const conf_keys[] = { "DisableNetwork", "PublishHidServDescriptors", "SocksPort", NULL };
static const char *const event_names[] = { "HS_DESC", "STATUS_CLIENT", "STATUS_GENERAL", "NETWORK_LIVENESS", "STREAM", "CIRC",
	"CIRC_MINOR", NULL };

static bool
one_of(const char *word, const char *const *list)
{
	while (*list != NULL && strcmp(*list, word) != 0)
		list++;
	return *list != NULL;
}

/* Digits without a leading zero, within [1, max]. */
static bool
decimal(const char *s, unsigned long max)
{
	size_t n = strlen(s);

	return n > 0 && n < 11 && strspn(s, "0123456789") == n && s[0] != '0' && strtoul(s, NULL, 10) <= max;
}

/* Cuts s at the next `sep` and returns what was before it; *rest is what is behind, or NULL. */
static char *
cut(char *s, char sep, char **rest)
{
	char *at = strchr(s, sep);

	*rest = at;
	if (at != NULL) {
		*at = '\0';
		*rest = at + 1;
	}
	return s;
}

static bool
target_ok(const char *target)
{
	struct endpoint ep;
	char again[ENDPOINT_TEXT_MAX];

	if (endpoint_parse(&ep, target, NULL) != 0)
		return false;
	endpoint_format(again, &ep);
	return strcmp(again, target) == 0;
}

static const char *
add_option(const char *word, bool *port)
{
	char copy[256], *target;

	if (strlen(word) >= sizeof copy)
		return "ADD_ONION with a word that is too long";
	snprintf(copy, sizeof copy, "%s", word);
	if (strncmp(copy, "Port=", 5) == 0) {
		*port = true;
		if (!decimal(cut(copy + 5, ',', &target), 65535) || target == NULL)
			return "ADD_ONION without a virtual port and target";
		return target_ok(target) ? NULL : "ADD_ONION with a target that is not numeric loopback or unix";
	}
	if (strncmp(copy, "MaxStreams=", 11) == 0)
		return decimal(copy + 11, 65535) ? NULL : "ADD_ONION with a bad MaxStreams";
	if (strncmp(copy, "PoWQueueRate=", 13) == 0)
		return decimal(copy + 13, 4294967295UL) ? NULL : "ADD_ONION with a bad PoWQueueRate";
	if (strncmp(copy, "PoWQueueBurst=", 14) == 0)
		return decimal(copy + 14, 4294967295UL) ? NULL : "ADD_ONION with a bad PoWQueueBurst";
	return strcmp(copy, "PoWDefensesEnabled=1") == 0 ? NULL : "ADD_ONION with an option that is not ours";
}

static const char *
add_onion(char *args)
{
	char *word, *rest = args;
	uint8_t key[64];
	bool port = false;
	const char *why;

	word = cut(rest, ' ', &rest);
	if (strncmp(word, "NEW:", 4) == 0)
		return "ADD_ONION with a NEW: key, which tor would have made";
	if (strncmp(word, "ED25519-V3:", 11) != 0 || b64_decode(key, 64, word + 11, strlen(word + 11)) != 0)
		return "ADD_ONION without a key of 64 bytes";
	if (edkey_check(key, NULL, NULL) != 0)
		return "ADD_ONION with a key that nobody should use";
	if (rest == NULL)
		return "ADD_ONION without flags";
	word = cut(rest, ' ', &rest);
	if (strcmp(word, "Flags=DiscardPK,Detach") != 0 && strcmp(word, "Flags=DiscardPK,Detach,MaxStreamsCloseCircuit") != 0)
		return "ADD_ONION with flags other than DiscardPK,Detach";
	while (rest != NULL)
		if ((why = add_option(cut(rest, ' ', &rest), &port)) != NULL)
			return why;
	return port ? NULL : "ADD_ONION without a port";
}

static const char *
authenticate(const char *args)
{
	uint8_t hash[32];
	size_t n = strlen(args);

	if (n >= 2 && args[0] == '"' && args[n - 1] == '"')
		return NULL;
	return hex_decode(hash, 32, args, n) == 0 ? NULL : "AUTHENTICATE with neither a hash nor a password";
}

static const char *
events(char *args)
{
	char *rest = args;

	while (rest != NULL)
		if (!one_of(cut(rest, ' ', &rest), event_names))
			return "SETEVENTS with an event that is not ours";
	return NULL;
}

static const char *
with_argument(const char *verb, char *args)
{
	uint8_t nonce[32];
	size_t n = strlen(args);

	if (strcmp(verb, "PROTOCOLINFO") == 0)
		return strcmp(args, "1") == 0 ? NULL : "PROTOCOLINFO of another version";
	if (strcmp(verb, "AUTHCHALLENGE") == 0)
		return strncmp(args, "SAFECOOKIE ", 11) == 0 && hex_decode(nonce, 32, args + 11, n - 11) == 0
			   ? NULL
			   : "AUTHCHALLENGE without a nonce of 32 bytes";
	if (strcmp(verb, "AUTHENTICATE") == 0)
		return authenticate(args);
	if (strcmp(verb, "GETINFO") == 0 && strncmp(args, "hs/client/desc/id/", 18) == 0)
		return onion_addr_valid(args + 18) ? NULL : "GETINFO of a descriptor without an address";
	if (strcmp(verb, "GETINFO") == 0)
		return one_of(args, info_keys) ? NULL : "GETINFO of a key that is not ours";
	if (strcmp(verb, "GETCONF") == 0)
		return one_of(args, conf_keys) ? NULL : "GETCONF of a key that is not ours";
	if (strcmp(verb, "SETEVENTS") == 0)
		return events(args);
	if (strcmp(verb, "ADD_ONION") == 0)
		return add_onion(args);
	if (strcmp(verb, "DEL_ONION") == 0 || strcmp(verb, "HSFETCH") == 0)
		return ctl_onion_ok(args) ? NULL : "an argument that is not an onion address";
	if (strcmp(verb, "CLOSECIRCUIT") == 0)
		return n > 0 && n <= 16 && strspn(args, "0123456789") == n ? NULL : "CLOSECIRCUIT of what is not a circuit";
	return "a command that must never be sent";
}

const char *
ctl_policy(const char *line, size_t n)
{
	const char *why;
	char *copy, *args;
	size_t i;

	for (i = 0; i < n; i++)
		if ((unsigned char)line[i] < ' ' || (unsigned char)line[i] > '~')
			return "a byte outside printable ASCII";
	if (n > 8192)
		return "a line of more than 8 KiB";
	copy = strndup(line, n);
	if (copy == NULL)
		abort();
	cut(copy, ' ', &args);
	if (args == NULL)
		why = strcmp(copy, "AUTHENTICATE") == 0 || strcmp(copy, "SETEVENTS") == 0 || strcmp(copy, "QUIT") == 0
			  ? NULL
			  : "a command without its argument";
	else
		why = with_argument(copy, args);
	free(copy);
	return why;
}
