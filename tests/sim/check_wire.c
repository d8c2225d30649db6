/* SPDX-License-Identifier: BSD-3-Clause */
/* What the daemon says and to whom: commands to tor, connections, log lines; and what it has proved. */
#include "config.h"
#include "sim/check_impl.h"

#include "sim/ctl.h"
#include "sim/impl.h"
#include "sim/scenario.h"
#include "sim/simtor.h"

#include "base/enc.h"
#include "proto/edkey.h"
#include "proto/onion.h"

#include <stdio.h>
#include <string.h>

#define OWN_MAX 4096
#define HOUR_MS 3600000
#define COMMANDS_MAX 6000 /* an hour and tor: ten times what a busy one with links that break all the time gets */

/* Every onion that the daemon ever gave to a tor. */
struct own {
	char address[ONION_ADDR_LEN + 1];
	int64_t added;  /* the last time; -1: never */
	int64_t proved; /* the last good probe; -1: never */
	uint64_t warned; /* serial of the list that first said that it is revoked; 0: none did */
};
static struct own own[OWN_MAX];
static size_t n_own;
static struct {
	int64_t hour;
	unsigned n;
} commands[SIM_TORS];

void
check_wire_begin(void)
{
	n_own = 0;
	memset(commands, 0, sizeof commands);
}

static struct own *
find(const char *address, bool make)
{
	size_t i;

	for (i = n_own; i-- > 0;)
		if (strncmp(own[i].address, address, ONION_ADDR_LEN) == 0)
			return &own[i];
	if (!make || n_own == OWN_MAX)
		return NULL;
	snprintf(own[n_own].address, sizeof own[n_own].address, "%.56s", address);
	own[n_own].added = own[n_own].proved = -1;
	own[n_own].warned = 0; /* the last world may have left one here */
	return &own[n_own++];
}

/* Whose backend the first port of ADD_ONION is; sim_plan.n_mirrors: nobody's. */
static unsigned
mirror_added(const char *blob)
{
	const char *port = strstr(blob, " Port="), *target = port != NULL ? strchr(port, ',') : NULL;
	unsigned m;

	for (m = 0; m < sim_plan.n_mirrors; m++)
		if (target != NULL && strncmp(target + 1, sim_plan.mirrors[m].backend, strlen(sim_plan.mirrors[m].backend)) == 0)
			break;
	return m;
}

static void
on_add(const char *blob)
{
	char address[ONION_ADDR_LEN + 1];
	uint8_t key[EDKEY_LEN], pub[EDKEY_PUB_LEN];
	struct own *o;

	if (b64_decode(key, sizeof key, blob, strcspn(blob, " ")) != 0 || edkey_pubkey(pub, key, NULL) != 0) {
		sim_violation("I1", "ADD_ONION with a key that is none");
		return;
	}
	onion_from_pubkey(address, pub);
	if (check_list_retired(address))
		sim_violation("I9", "%.8s... is retired, and is added again", address);
	if ((o = find(address, true)) != NULL)
		o->added = sim_now();
	check_state_add(address, key, mirror_added(blob));
}

static void
on_delete(const char *address, size_t n)
{
	if (simtor_made_up(address))
		return; /* what tor says it made in place of ours is taken back */
	if (n != ONION_ADDR_LEN || find(address, false) == NULL)
		sim_violation("I10", "DEL_ONION of an onion that is not its own");
	else if (check_list_has(address))
		sim_violation("I8", "DEL_ONION %.8s..., which the visible list holds", address);
}

/* I14: what turns without end shows here, if nowhere else. */
static void
count_command(unsigned tor)
{
	int64_t hour = sim_now() / HOUR_MS;

	if (commands[tor].hour != hour) {
		commands[tor].hour = hour;
		commands[tor].n = 0;
	}
	if (++commands[tor].n == COMMANDS_MAX)
		sim_violation("I14", "%d commands to tor%u in an hour", COMMANDS_MAX, tor);
}

void
check_on_command(unsigned tor, const char *line, size_t n)
{
	const char *why = ctl_policy(line, n);
	size_t word = strcspn(line, " ");

	scn_on_command(line, n);
	count_command(tor);
	check_pace_on_command(tor);
	if (strncmp(line, "GET", 3) == 0 || strncmp(line, "CLOSE", 5) == 0 || strncmp(line, "HSFETCH", 7) == 0)
		sim_detail("tor%u < %.*s", tor, (int)n, line);
	else /* no key and no hash in it */
		sim_trace("tor%u < %.*s", tor, strncmp(line, "AUTH", 4) == 0 || strncmp(line, "ADD_ONION", 9) == 0 ? (int)word : (int)(n < 80 ? n : 80),
		    line);
	if (why != NULL)
		sim_violation("I10", "%s: \"%.40s\"", why, line);
	if (strncmp(line, "HSFETCH ", 8) == 0 && n >= 8 + ONION_ADDR_LEN)
		check_on_fetch(line + 8);
	if (strncmp(line, "ADD_ONION ED25519-V3:", 21) == 0)
		on_add(line + 21);
	else if (strncmp(line, "DEL_ONION ", 10) == 0)
		on_delete(line + 10, n - 10);
}

void
check_on_probe(const char *address, bool good)
{
	struct own *o = find(address, false);

	if (o != NULL && good)
		o->proved = sim_now();
}

/*
 * "Since its tor has it" can be judged only for the first time it is listed:
 * later a tor may restart, and the list is not taken back for that.
 */
void
check_proved(const om_site *reader)
{
	const struct own *o;
	size_t i;

	for (i = 0; i < om_site_mirror_count(reader); i++) {
		if (!check_list_is_own(om_site_mirror(reader, i)))
			continue;
		o = find(om_mirror_onion(om_site_mirror(reader, i)), false);
		if (o == NULL)
			sim_violation("I2", "an onion is listed that was never given to a tor");
		else if (o->proved < 0)
			sim_violation("I2", "%.8s... is listed and was never reached through Tor", o->address);
	}
}

/* By whose backend an address was served; sim_plan.n_mirrors: by none. */
static unsigned
mirror_of(const char *address)
{
	const struct simtor_given *g;
	unsigned m;
	size_t i;

	for (i = 0; (g = simtor_given(i)) != NULL && strcmp(g->address, address) != 0; i++)
		;
	for (m = 0; g != NULL && m < sim_plan.n_mirrors && strcmp(sim_plan.mirrors[m].backend, g->target) != 0; m++)
		;
	return g != NULL ? m : sim_plan.n_mirrors;
}

/*
 * Readers are warned of an address only if an operator asked for it or the
 * mirror revokes on wrong content. A list with nothing but tombstones has the
 * first warning of one that an operator revoked.
 */
void
check_revoked(const om_site *reader, uint64_t serial)
{
	bool by_hand = false;
	unsigned mirror;
	size_t i;

	for (i = 0; i < n_own; i++) {
		struct own *o = &own[i];

		if (o->warned != 0 || om_site_is_mirror(reader, o->address, sim_wall()) != OM_IS_REVOKED)
			continue;
		o->warned = serial;
		if ((mirror = mirror_of(o->address)) == sim_plan.n_mirrors)
			continue;
		sim_trace("reader: warned of %.8s... of %s", o->address, sim_plan.mirrors[mirror].name);
		by_hand = by_hand || operator_asked_revoke(mirror);
		if (!operator_asked_revoke(mirror) && !sim_plan.mirrors[mirror].revoke_content)
			sim_violation("I4", "readers are warned of %.8s... of %s, and nobody asked for that", o->address, sim_plan.mirrors[mirror].name);
	}
	if (check_list_count() == 0 && !by_hand)
		sim_violation("I4", "an empty list was published, and not to warn of what an operator revoked");
}

/* The visible list is older than one that was seen before: a power loss took that back. */
void
check_revoked_since(uint64_t serial)
{
	size_t i;

	for (i = 0; i < n_own; i++)
		if (own[i].warned > serial)
			own[i].warned = 0;
}

void
check_on_connect(const char *endpoint)
{
	unsigned i;

	check_pace_on_connect(endpoint);
	for (i = 0; i < sim_plan.n_tors; i++)
		if (strcmp(endpoint, sim_plan.tors[i].control) == 0 || strcmp(endpoint, sim_plan.tors[i].socks) == 0)
			return;
	for (i = 0; i < sim_plan.n_mirrors; i++)
		if (strcmp(endpoint, sim_plan.mirrors[i].backend) == 0)
			return;
	sim_violation("I13", "a connection to %s", endpoint);
}

/* I19 */
void
check_on_log(const char *line)
{
	size_t n;

	scn_on_log(line);
	check_key_log(line);

	for (; *line != '\0'; line += n > 0 ? n : 1) {
		n = strspn(line, "abcdefghijklmnopqrstuvwxyz234567");
		if (n == ONION_ADDR_LEN)
			sim_violation("I19", "an address in the log");
	}
}
