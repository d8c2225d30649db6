/* SPDX-License-Identifier: BSD-3-Clause */
/* What can be asked of a session: its state, and the commands that it sends. Owns nothing of its own. */
#include "config.h"
#include "tor/session_impl.h"

#include "base/clock.h"
#include "base/mem.h"
#include "proto/onion.h"

#include <stdio.h>
#include <string.h>

enum session_state
session_get_state(const struct session *s)
{
	return s->state;
}

uint64_t
session_get_generation(const struct session *s)
{
	return s->generation;
}

const char *
session_get_version(const struct session *s)
{
	return s->version;
}

bool
session_is_fit(const struct session *s, const char **why)
{
	return fitness_judge(&s->fitness, clock_now(), why);
}

enum fitness_clock
session_clock(const struct session *s)
{
	return fitness_clock(&s->fitness, clock_now());
}

const char *
session_get_error(const struct session *s)
{
	return s->error.msg;
}

const char *
session_get_warning(const struct session *s)
{
	return s->state == SESSION_UP ? s->warning : "";
}

bool
session_has_pow(const struct session *s)
{
	struct tor_version least;

	return s->version_known && tor_version_parse(&least, SESSION_TOR_POW, NULL) == 0 &&
	       tor_version_compare(&s->tor, &least) >= 0;
}

/* Sends what `encoded` (0 or -1 with *e) put into out; takes out either way. */
static int
submit(struct session *s, struct buf *out, int encoded, struct queue_entry *entry, const char *key,
    struct err *e)
{
	if (encoded == 0 && (s->state != SESSION_UP || s->failed.code != ERR_NONE || s->dead))
		encoded = err_set(e, ERR_REFUSED, "tor \"%s\" is not connected", s->cfg.name);
	if (encoded != 0) {
		buf_free(out);
		return -1;
	}
	snprintf(entry->key, sizeof(entry->key), "%s", key);
	session_send(s, out, entry);
	return 0;
}

int
session_add_onion(struct session *s, const struct command_add_onion *cmd, session_reply_cb *cb,
    void *ctx, uint64_t id, struct err *e)
{
	struct queue_entry entry = {.cb = cb, .ctx = ctx, .id = id, .shape = SHAPE_KEY};
	struct buf out = {.max = SESSION_LINE_MAX, .secret = true};

	if (cmd->pow && !session_has_pow(s))
		return err_set(e, ERR_REFUSED,
		    "tor \"%s\" (%.40s) is older than " SESSION_TOR_POW ", too old for pow",
		    s->cfg.name, s->version);
	return submit(s, &out, command_add_onion(&out, cmd, e), &entry, "ServiceID", e);
}

int
session_del_onion(struct session *s, const char *address, session_reply_cb *cb, void *ctx,
    uint64_t id, struct err *e)
{
	struct queue_entry entry = {.cb = cb, .ctx = ctx, .id = id, .shape = SHAPE_OK};
	struct buf out = BUF_INIT(SESSION_LINE_MAX);

	return submit(s, &out, command_del_onion(&out, address, e), &entry, "", e);
}

int
session_hsfetch(struct session *s, const char *address, session_reply_cb *cb, void *ctx,
    uint64_t id, struct err *e)
{
	struct queue_entry entry = {.cb = cb, .ctx = ctx, .id = id, .shape = SHAPE_OK};
	struct buf out = BUF_INIT(SESSION_LINE_MAX);

	return submit(s, &out, command_hsfetch(&out, address, e), &entry, "", e);
}

int
session_getinfo(
    struct session *s, const char *key, session_reply_cb *cb, void *ctx, uint64_t id, struct err *e)
{
	struct queue_entry entry = {.cb = cb, .ctx = ctx, .id = id, .shape = SHAPE_KEY};
	struct buf out = BUF_INIT(SESSION_LINE_MAX);

	return submit(s, &out, command_getinfo(&out, key, e), &entry, key, e);
}

int
session_close_circuit(struct session *s, const char *circuit, session_reply_cb *cb, void *ctx,
    uint64_t id, struct err *e)
{
	struct queue_entry entry = {.cb = cb, .ctx = ctx, .id = id, .shape = SHAPE_OK};
	struct buf out = BUF_INIT(SESSION_LINE_MAX);

	return submit(s, &out, command_closecircuit(&out, circuit, e), &entry, "", e);
}

int
session_detached(struct session *s, session_detached_cb *cb, void *ctx, struct err *e)
{
	struct queue_entry entry = {.detached = cb, .ctx = ctx, .shape = SHAPE_KEY};
	struct buf out = BUF_INIT(SESSION_LINE_MAX);

	return submit(
	    s, &out, command_getinfo(&out, "onions/detached", e), &entry, "onions/detached", e);
}

int
session_clients(struct session *s, const char *address, session_count_cb *cb, void *ctx,
    uint64_t id, struct err *e)
{
	struct queue_entry entry = {.count = cb, .ctx = ctx, .id = id, .shape = SHAPE_KEY};
	struct buf out = BUF_INIT(SESSION_LINE_MAX);

	if (!onion_addr_shape(address, strnlen(address, sizeof(entry.address))))
		return err_set(e, ERR_PROTO, "clients of what is no onion address");
	memcpy(entry.address, address, sizeof(entry.address));
	return submit(
	    s, &out, command_getinfo(&out, "circuit-status", e), &entry, "circuit-status", e);
}

void
session_watch(struct session *s)
{
	if (s->watchers++ == 0)
		handshake_ask_watch(s);
}

void
session_unwatch(struct session *s)
{
	if (--s->watchers == 0)
		handshake_ask_watch(s);
}

bool
session_sees_circuits(const struct session *s)
{
	return s->minor_seen;
}
