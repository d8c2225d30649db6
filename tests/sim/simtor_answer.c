/* SPDX-License-Identifier: BSD-3-Clause */
/* What the commands of an authenticated controller do. */
#include "config.h"
#include "sim/simtor_impl.h"

#include "base/mem.h"
#include "proto/onion.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

static void
fresh_address(char address[57])
{
	uint8_t seed[32], pub[32], secret[64];

	sim_bytes(DICE_TOR, seed, sizeof seed);
	crypto_sign_seed_keypair(pub, secret, seed);
	if (onion_from_pubkey(address, pub) != 0)
		abort();
}

const struct simtor_given *
simtor_given(size_t i)
{
	return i < simworld.n_given ? &simworld.given[i] : NULL;
}

bool
simtor_made_up(const char *address)
{
	unsigned i;

	for (i = 0; i < 8 && strcmp(simworld.told[i], address) != 0; i++)
		;
	return i < 8;
}

static void
note_given(const struct ctl_add_onion *cmd)
{
	struct simtor_given *g;
	size_t i;

	for (i = 0; i < simworld.n_given && strcmp(simworld.given[i].address, cmd->address) != 0; i++)
		;
	if (i == simworld.n_given) {
		simworld.given = xreallocarray(simworld.given, ++simworld.n_given, sizeof *simworld.given);
		g = &simworld.given[i];
		memset(g, 0, sizeof *g);
		memcpy(g->address, cmd->address, sizeof g->address);
		memcpy(g->key, cmd->key, sizeof g->key);
		memcpy(g->target, cmd->ports[0].target, sizeof g->target);
		g->first = sim_now();
	}
	simworld.given[i].last = sim_now();
}

static void
add_onion(struct ctl_link *k, const char *args, struct buf *out)
{
	struct simtor *t = k->tor;
	struct ctl_add_onion cmd;
	struct service *s;
	char other[57];

	if (t->quirk == QUIRK_REFUSE_ADD) {
		buf_adds(out, "551 Failed to add Onion Service\r\n");
		return;
	}
	if (ctl_parse_add_onion(&cmd, args, out) != 0)
		return;
	if (cmd.fresh_key)
		fresh_address(cmd.address);
	if (service_find(t, cmd.address) != NULL) {
		/* A real tor writes a bug report into its log for each of these. */
		if (service_find(t, cmd.address)->shown == k->id)
			sim_violation("I18", "ADD_ONION of a service that tor %s had said it has", t->name);
		buf_adds(out, "550 Onion address collision\r\n");
		mem_wipe(&cmd, sizeof cmd);
		return;
	}
	note_given(&cmd);
	s = service_add(t, cmd.address);
	s->detached = cmd.detach;
	s->owner = k->id;
	memcpy(s->ports, cmd.ports, sizeof s->ports);
	s->n_ports = cmd.n_ports;
	fresh_address(other);
	if (t->quirk == QUIRK_WRONG_SERVICE)
		memcpy(simworld.told[simworld.n_told++ % 8], other, sizeof other);
	buf_addf(out, "250-ServiceID=%s\r\n", t->quirk == QUIRK_WRONG_SERVICE ? other : cmd.address);
	if (cmd.fresh_key && !cmd.discard_pk)
		buf_adds(out, "250-PrivateKey=ED25519-V3:(not played)\r\n");
	buf_adds(out, "250 OK\r\n");
	mem_wipe(&cmd, sizeof cmd);
}

static void
del_onion(struct ctl_link *k, const char *args, struct buf *out)
{
	struct service *s;
	char address[57];

	if (ctl_parse_del_onion(address, args, out) != 0)
		return;
	s = service_find(k->tor, address);
	if (s == NULL || (!s->detached && s->owner != k->id)) {
		buf_adds(out, "552 Unknown Onion Service id\r\n");
		return;
	}
	if (s->foreign)
		sim_violation("I10", "a service of another controller was deleted on tor %s", k->tor->name);
	service_remove(k->tor, s);
	buf_adds(out, "250 OK\r\n");
}

static void
hsfetch(struct ctl_link *k, const char *args, struct buf *out)
{
	char address[57];

	if (ctl_parse_hsfetch(address, args, out) != 0)
		return;
	buf_adds(out, "250 OK\r\n");
	/* With no network: 250 OK and silence. */
	if (tor_online(k->tor) && k->tor->circuits_ok)
		client_fetch(k->tor, address, 0);
}

static void
closecircuit(struct ctl_link *k, const char *args, struct buf *out)
{
	char *copy = xstrdup(args), *words[CTL_ARGS_MAX];
	struct circuit **at, *c;

	if (ctl_words(copy, words) == 0) {
		buf_adds(out, "512 Bad arguments to CLOSECIRCUIT: Need at least 1 argument(s)\r\n");
		free(copy);
		return;
	}
	for (at = &k->tor->circuits; (c = *at) != NULL; at = &c->next)
		if (c->id == strtoull(words[0], NULL, 10) && c->closes > sim_now())
			break;
	if (c == NULL) {
		buf_addf(out, "552 Unknown circuit \"%s\"\r\n", words[0]);
	} else {
		*at = c->next;
		tor_event(k->tor, CTL_EV_CIRC, "CIRC %llu CLOSED PURPOSE=HS_CLIENT_REND HS_STATE=HSCR_JOINED REND_QUERY=%s REASON=REQUESTED",
		    (unsigned long long)c->id, c->address);
		free(c);
		buf_adds(out, "250 OK\r\n");
	}
	free(copy);
}

void
answer(struct ctl_link *k, const struct ctl_line *l, struct buf *out)
{
	switch (l->verb) {
	case CTL_GETINFO:
		k->tor->asking = k->id;
		answer_getinfo(k->tor, l->args, out);
		break;
	case CTL_GETCONF: answer_getconf(k->tor, l->args, out); break;
	case CTL_SETEVENTS:
		if (ctl_parse_setevents(&k->events, l->args, out) == 0)
			buf_adds(out, "250 OK\r\n");
		break;
	case CTL_ADD_ONION: add_onion(k, l->args, out); break;
	case CTL_DEL_ONION: del_onion(k, l->args, out); break;
	case CTL_HSFETCH: hsfetch(k, l->args, out); break;
	case CTL_CLOSECIRCUIT: closecircuit(k, l->args, out); break;
	case CTL_UNKNOWN: buf_addf(out, "510 Unrecognized command \"%s\"\r\n", l->name); break;
	case CTL_PROTOCOLINFO:
	case CTL_AUTHCHALLENGE:
	case CTL_AUTHENTICATE:
	case CTL_QUIT:
	case CTL_KNOWN:
		/* check_on_command() has seen it; whatever follows is not tor any more. */
		buf_adds(out, "250 OK\r\n");
		break;
	}
}
