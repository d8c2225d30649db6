/* SPDX-License-Identifier: BSD-3-Clause */
/* Keys and services: plan, ADD_ONION, DEL_ONION, shred. */
#include "config.h"
#include "base/log.h"
#include "base/mutant.h"
#include "daemon/daemon.h"
#include "daemon/records.h"
#include "proto/edkey.h"
#include "proto/onion.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* onion-grater's answer to what it doesn't let through, and tor's to a command that it doesn't know. */
#define FILTERED 510

const struct conf_mirror *
daemon_mirror(const struct daemon *d, const char *name)
{
	size_t i;

	for (i = 0; i < d->conf->n_mirrors; i++)
		if (strcmp(d->conf->mirrors[i].name, name) == 0)
			return &d->conf->mirrors[i];
	return NULL;
}

/* Which audience an address is handed to: by weight, from a keyed hash of the address, for ever. */
static int
choose_channel(struct daemon *d, struct onion_record *r, struct err *e)
{
	uint64_t hash, total = 0, at;
	uint8_t key[32];
	size_t i;

	if (store_get_exact(d->store, STORE_META, STORE_META_CHANNEL_KEY, key, sizeof key, e) != 0)
		return -1;
	crypto_generichash((unsigned char *)&hash, sizeof hash, (const unsigned char *)r->address, strlen(r->address), key, sizeof key);
	sodium_memzero(key, sizeof key);
	for (i = 0; i < d->conf->n_channels; i++)
		total += d->conf->channels[i].share;
	at = hash % total;
	for (i = 0; at >= d->conf->channels[i].share; i++)
		at -= d->conf->channels[i].share;
	memcpy(r->channel, d->conf->channels[i].name, strlen(d->conf->channels[i].name) + 1);
	return 0;
}

static int
next_onion_id(struct daemon *d, uint64_t *id, struct err *e)
{
	char *text, next[32];
	size_t n;
	int r;

	if (store_get(d->store, STORE_META, STORE_META_NEXT_ID, &text, &n, e) != 0)
		return -1;
	*id = strtoull(text, NULL, 10);
	free(text);
	snprintf(next, sizeof next, "%llu", (unsigned long long)*id + 1);
	r = store_put(d->store, STORE_META, STORE_META_NEXT_ID, next, strlen(next), e);
	return *id > 0 ? r : err_set(e, ERR_STATE, "the stored counter of onions is damaged");
}

static int
put_planned(struct daemon *d, const struct onion_record *r, const uint8_t *key, const char *leaf, struct err *e)
{
	if (store_put(d->store, STORE_KEY, r->id, key, EDKEY_LEN, e) != 0 || store_put(d->store, STORE_LEAF, r->id, leaf, strlen(leaf), e) != 0)
		return -1;
	return record_put(d->store, STORE_ONION, r->id, record_onion(r), e);
}

int
make_leaf(struct daemon *d, char **leaf, const struct conf_mirror *m, const uint8_t *key, const char *address, struct err *e)
{
	return publish_leaf_make(leaf, d->site, key, address, m->ports[0].virt, d->conf->checks[m->check].tls, conf_role_name(m->role), clock_wall_s(), e);
}

/* Key, leaf and record, durable together. */
static int
plan(struct daemon *d, const struct conf_mirror *m, struct onion_record *r, struct err *e)
{
	uint8_t *key = secret_alloc(EDKEY_LEN), pub[EDKEY_PUB_LEN];
	char *leaf = NULL;
	int ret = -1;

	if (key == NULL)
		return err_set(e, ERR_MEMORY, "no locked memory for a key");
	if (edkey_generate(key, e) != 0 || edkey_pubkey(pub, key, e) != 0)
		goto out;
	if (onion_from_pubkey(r->address, pub) != 0) {
		err_set(e, ERR_CRYPTO, "the address of a new key could not be computed");
		goto out;
	}
	if (make_leaf(d, &leaf, m, key, r->address, e) != 0)
		goto out;
	r->tombstone_until = publish_leaf_until(leaf);
	if (store_begin(d->store, e) != 0)
		goto out;
	if (next_onion_id(d, &r->id, e) == 0 && choose_channel(d, r, e) == 0 && put_planned(d, r, key, leaf, e) == 0)
		ret = store_commit(d->store, e);
	else
		store_rollback(d->store);
out:
	secret_free(key);
	free(leaf);
	return ret;
}

void
do_plan(struct daemon *d, const struct action *a)
{
	const struct conf_mirror *m = a->mirror >= 0 && (size_t)a->mirror < d->conf->n_mirrors ? &d->conf->mirrors[a->mirror] : NULL;
	struct onion_record r = { .state = ONION_PLANNED, .cause = a->cause, .op = a->op, .created = clock_wall_s() };
	struct actions out = { 0 };
	struct err e = ERR_INIT;

	if (m == NULL)
		return;
	memcpy(r.mirror, m->name, strlen(m->name) + 1);
	memcpy(r.tor, d->conf->tors[a->tor].name, strlen(d->conf->tors[a->tor].name) + 1);
	if (plan(d, m, &r, &e) == 0) {
		engine_on_planned(d->engine, clock_now(), &r, &out);
	} else {
		log_error("%s: no new onion: %s", m->name, e.msg);
		store_check(d, &e);
		engine_on_plan_failed(d->engine, clock_now(), a->mirror, &out);
	}
	apply(d, &out);
}

static void
add_failed(struct daemon *d, uint64_t id, enum add_failure f, const char *why)
{
	struct actions out = { 0 };

	engine_on_add_failed(d->engine, clock_now(), id, f, why, &out);
	apply(d, &out);
}

static void
on_added(void *ctx, uint64_t id, const struct reply *reply)
{
	struct daemon *d = ctx;
	const struct onion_record *r = engine_onion(d->engine, id);
	struct reply_add_onion got;
	struct actions out = { 0 };
	struct err e = ERR_INIT;

	if (r == NULL)
		return;
	if (reply == NULL) {
		add_failed(d, id, ADD_UNKNOWN, "no answer");
	} else if (reply->code == 550) {
		add_failed(d, id, ADD_COLLISION, reply_text(reply));
	} else if (reply->code == FILTERED) {
		err_set(&e, ERR_REFUSED, "a filter before it says %.100s; allow it in the filter, as contrib/onion-grater does", reply_text(reply));
		add_failed(d, id, ADD_REFUSED, e.msg);
	} else if (reply_add_onion(&got, reply, &e) != 0) {
		add_failed(d, id, ADD_REFUSED, e.msg);
	} else if (strcmp(got.service_id, r->address) != 0 && !MUTANT(19)) {
		/* Not tor as we know it: take back what it says it made. */
		log_error("tor answers ADD_ONION with another address than the key's; removing it");
		session_del_onion(wiring_link(d, r->tor)->session, got.service_id, NULL, NULL, 0, NULL);
		add_failed(d, id, ADD_REFUSED, "tor answered with another address");
	} else {
		engine_on_added(d->engine, clock_now(), id, &out);
		apply(d, &out);
	}
}

/* Sent with PoW parameters: a tor that doesn't know them, or a filter that doesn't let them through, gets the command once more without, and the log says so once. */
static void
on_added_with_pow(void *ctx, uint64_t id, const struct reply *reply)
{
	struct daemon *d = ctx;
	const struct onion_record *r = engine_onion(d->engine, id);
	struct tor_link *l = r != NULL ? wiring_link(d, r->tor) : NULL;

	if (l == NULL || reply == NULL || (reply->code != 512 && reply->code != 513 && reply->code != FILTERED)) {
		on_added(ctx, id, reply);
		return;
	}
	if (!l->no_pow)
		log_warn("%s: tor %s refuses pow = on: %s; added without it", r->mirror, r->tor, reply_text(reply));
	l->no_pow = true;
	add_failed(d, id, ADD_AGAIN, "");
}

static void
fill_command(struct daemon *d, struct command_add_onion *cmd, const struct onion_record *r, const struct conf_mirror *m,
    const struct tor_link *l)
{
	size_t i;

	for (i = 0; i < m->n_ports; i++) {
		cmd->ports[i].virt = m->ports[i].virt;
		cmd->ports[i].target = m->ports[i].target;
	}
	cmd->n_ports = m->n_ports;
	cmd->n_ports += listservice_port(d, r->id, &cmd->ports[cmd->n_ports]);
	cmd->max_streams = m->max_streams;
	cmd->pow = m->pow && session_has_pow(l->session) && !l->no_pow;
	if (m->pow && !session_has_pow(l->session))
		log_warn("%s: this tor is too old for pow = on (needs %s): added without it", m->name, SESSION_TOR_POW);
}

void
do_add(struct daemon *d, const struct action *a)
{
	const struct onion_record *r = engine_onion(d->engine, a->onion);
	const struct conf_mirror *m = r != NULL ? daemon_mirror(d, r->mirror) : NULL;
	struct tor_link *link = r != NULL ? wiring_link(d, r->tor) : NULL;
	struct command_add_onion cmd = { 0 };
	struct err e = ERR_INIT;
	uint8_t *key;

	if (r == NULL)
		return;
	if (m == NULL || link == NULL) {
		add_failed(d, a->onion, ADD_REFUSED, "its mirror or tor is no longer configured");
		return;
	}
	key = secret_alloc(EDKEY_LEN);
	if (key == NULL || store_get_exact(d->store, STORE_KEY, r->id, key, EDKEY_LEN, &e) != 0) {
		add_failed(d, a->onion, ADD_REFUSED, key == NULL ? "no locked memory for its key" : e.msg);
	} else {
		cmd.key64 = key;
		fill_command(d, &cmd, r, m, link);
		if (session_add_onion(link->session, &cmd, cmd.pow ? on_added_with_pow : on_added, d, r->id, &e) != 0)
			add_failed(d, a->onion, session_get_state(link->session) == SESSION_UP ? ADD_REFUSED : ADD_UNKNOWN, e.msg);
	}
	secret_free(key);
}

static void
on_deleted(void *ctx, uint64_t id, const struct reply *reply)
{
	struct daemon *d = ctx;
	struct actions out = { 0 };

	engine_on_deleted(d->engine, clock_now(), id, reply != NULL && (reply->code == 250 || reply->code == 552), &out);
	apply(d, &out);
}

void
do_delete(struct daemon *d, const struct action *a)
{
	const struct onion_record *r = engine_onion(d->engine, a->onion);
	struct tor_link *link = r != NULL ? wiring_link(d, r->tor) : NULL;

	if (link == NULL || session_del_onion(link->session, r->address, on_deleted, d, r->id, NULL) != 0)
		on_deleted(d, a->onion, NULL);
}

/* Its key and leaf, and its record too where nothing of it is needed any more: all of them or none. */
static int
erase(struct daemon *d, uint64_t onion, bool record, struct err *e)
{
	if (store_begin(d->store, e) != 0)
		return -1;
	if (store_delete(d->store, STORE_KEY, onion, e) == 0 && store_delete(d->store, STORE_LEAF, onion, e) == 0 &&
	    (!record || store_delete(d->store, STORE_ONION, onion, e) == 0))
		return store_commit(d->store, e);
	store_rollback(d->store);
	return -1;
}

void
do_shred(struct daemon *d, const struct action *a)
{
	struct actions out = { 0 };
	struct err e = ERR_INIT;

	if (MUTANT(14) || erase(d, a->onion, false, &e) == 0)
		return;
	log_error("the key of an onion that is over could not be destroyed yet: %s", e.msg);
	store_check(d, &e);
	engine_on_shred_failed(d->engine, clock_now(), a->onion, &out);
	apply(d, &out);
}

/* The key goes with the record: its destruction may have failed in this very turn, and nobody would know of it again. */
void
do_forget(struct daemon *d, const struct action *a)
{
	struct err e = ERR_INIT;

	if (erase(d, a->onion, true, &e) == 0)
		return;
	log_error("the record of an onion that is over could not be removed: %s", e.msg);
	store_check(d, &e);
}
