/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From a connected control port to a session that is up: who is there, which
 * proof, is it new enough, which events. Each step sends one command and is
 * called back with its answer (NULL: the link went, session.c deals with that).
 */
#include "config.h"
#include "tor/session_impl.h"

#include "base/mem.h"
#include "base/rng.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Filters may refuse some events: how many of these are asked for, best first.
 * The first set is asked for only to know whether it may be, and again while
 * somebody watches: on a busy tor it is a flood. The last needs no command.
 */
static const char *const all_events[] = {"HS_DESC", "STATUS_CLIENT", "STATUS_GENERAL",
    "NETWORK_LIVENESS", "STREAM", "CIRC", "CIRC_MINOR"};
static const size_t event_sets[] = {7, 4, 1, 0};
#define SET_WATCH 0
#define SET_USUAL 1

/* Sends what `encoded` (0 or -1 with *e) put into out. */
static void
step(struct session *s, struct buf *out, int encoded, session_reply_cb *next,
    enum queue_shape shape, const char *key, struct err *e)
{
	struct queue_entry entry = {.cb = next, .ctx = s, .shape = shape};

	if (encoded != 0) {
		buf_free(out);
		session_fail(s, e);
		return;
	}
	snprintf(entry.key, sizeof(entry.key), "%s", key);
	session_send(s, out, &entry);
}

void
handshake_wipe(struct session *s)
{
	secret_free(s->cookie);
	s->cookie = NULL;
	mem_wipe(s->client_nonce, sizeof(s->client_nonce));
}

/* Compares with a constant that parses. */
static bool
older_than(const struct tor_version *v, const char *than)
{
	struct tor_version other;

	return tor_version_parse(&other, than, NULL) == 0 && tor_version_compare(v, &other) < 0;
}

/* --- events ---------------------------------------------------------------- */

static void ask_events(struct session *s);

static void
add_warning(struct session *s, const char *text)
{
	size_t n = strlen(s->warning);

	snprintf(s->warning + n, sizeof(s->warning) - n, "%s%s", n > 0 ? "; " : "", text);
}

static void
finish(struct session *s)
{
	char old[128];

	s->warning[0] = '\0';
	if (!s->version_known)
		add_warning(s, "tor does not tell its version");
	else if (older_than(&s->tor, SESSION_TOR_GOOD)) {
		snprintf(old, sizeof(old),
		    "tor %.40s has known faults, " SESSION_TOR_GOOD " or later is better",
		    s->version);
		add_warning(s, old);
	}
	if (event_sets[s->event_set] == 0)
		add_warning(s, "a filter keeps all events from us: uploads can't be seen, so nothing is proved or listed; allow HS_DESC in it");
	else if (s->event_set > SET_USUAL)
		add_warning(s, "a filter keeps status events from us");
	if (!s->can_watch)
		add_warning(s,
		    "a filter keeps STREAM, CIRC and CIRC_MINOR events from us: why a probe failed is "
		    "known only with ExtendedErrors on the SocksPort, and its circuits stay open");
	session_is_up(s);
}

static void
on_events(void *ctx, uint64_t id, const struct reply *r)
{
	struct session *s = ctx;

	(void)id;
	if (r == NULL)
		return;
	if (reply_check(r, NULL) != 0) {
		s->can_watch = s->can_watch && s->event_set == SET_WATCH;
		s->event_set++;
		ask_events(s);
	} else if (s->event_set == SET_WATCH) {
		s->can_watch = true;
		s->event_set = SET_USUAL;
		ask_events(s);
	} else {
		finish(s);
	}
}

static void
ask_events(struct session *s)
{
	struct buf out = BUF_INIT(SESSION_LINE_MAX);
	struct err e = ERR_INIT;
	size_t n = event_sets[s->event_set];

	if (n == 0)
		finish(s);
	else
		step(s, &out, command_setevents(&out, all_events, n, &e), on_events, SHAPE_OK, "",
		    &e);
}

void
handshake_ask_watch(struct session *s)
{
	size_t n = event_sets[s->watchers > 0 ? SET_WATCH : s->event_set];
	struct queue_entry entry = {.shape = SHAPE_OK};
	struct buf out = BUF_INIT(SESSION_LINE_MAX);

	if (s->state != SESSION_UP || !s->can_watch || s->failed.code != ERR_NONE || s->dead)
		return;
	if (command_setevents(&out, all_events, n, NULL) != 0)
		mem_exhausted();
	session_send(s, &out, &entry);
}

/* --- version --------------------------------------------------------------- */

static void
on_version(void *ctx, uint64_t id, const struct reply *r)
{
	struct session *s = ctx;
	struct err e = ERR_INIT;
	const char *text;
	size_t len;

	(void)id;
	if (r == NULL)
		return;
	/* A filter may keep it from us; then what PROTOCOLINFO said counts. */
	if (reply_getinfo(r, "version", &text, &len) == 0)
		snprintf(s->version, sizeof(s->version), "%s", text);
	s->version[strcspn(s->version, " ")] = '\0';
	s->version_known = tor_version_parse(&s->tor, s->version, NULL) == 0;
	if (s->version_known && older_than(&s->tor, SESSION_TOR_MIN)) {
		err_set(&e, ERR_PROTO,
		    "tor %.40s is too old, at least " SESSION_TOR_MIN
		    " is needed (better " SESSION_TOR_GOOD ")",
		    s->version);
		session_fail(s, &e);
		return;
	}
	ask_events(s);
}

/* --- authentication -------------------------------------------------------- */

static void
on_authenticated(void *ctx, uint64_t id, const struct reply *r)
{
	struct session *s = ctx;
	struct buf out = BUF_INIT(SESSION_LINE_MAX);
	struct err e = ERR_INIT, inner = ERR_INIT;

	(void)id;
	if (r == NULL)
		return;
	if (reply_check(r, &inner) != 0) {
		if (s->method == AUTH_SAFECOOKIE && r->code == 515 && !s->cookie_retried) {
			/* tor may have been writing a new cookie when we read the file. */
			s->cookie_retried = true;
			session_fail_quietly(s);
			return;
		}
		err_set(&e, ERR_AUTH, "%s: %.240s",
		    s->method == AUTH_SAFECOOKIE       ? "wrong cookie"
		    : s->method == AUTH_HASHEDPASSWORD ? "wrong password"
						       : "authentication failed",
		    inner.msg);
		session_fail(s, &e);
		return;
	}
	s->cookie_retried = false;
	s->generation++;
	step(s, &out, command_getinfo(&out, "version", &e), on_version, SHAPE_KEY, "version", &e);
}

static void
on_challenge(void *ctx, uint64_t id, const struct reply *r)
{
	struct session *s = ctx;
	struct reply_authchallenge ch;
	struct buf out = {.max = SESSION_LINE_MAX, .secret = true};
	struct err e = ERR_INIT;
	uint8_t hash[AUTH_HASH_LEN];
	int ret;

	(void)id;
	if (r == NULL)
		return;
	if (reply_authchallenge(&ch, r, &e) != 0 || auth_answer(hash, s->cookie, s->client_nonce,
							ch.server_hash, ch.server_nonce, &e) != 0) {
		handshake_wipe(s);
		session_fail(s, &e);
		return;
	}
	handshake_wipe(s);
	ret = command_authenticate_hash(&out, hash, &e);
	mem_wipe(hash, sizeof(hash));
	step(s, &out, ret, on_authenticated, SHAPE_OK, "", &e);
}

static void
start_safecookie(struct session *s)
{
	struct buf out = BUF_INIT(SESSION_LINE_MAX);
	struct err e = ERR_INIT;

	/* Read anew at each connection: tor makes another one at each start. */
	if ((s->cookie = secret_alloc(AUTH_COOKIE_LEN)) == NULL)
		err_set(&e, ERR_MEMORY, "no locked memory for the cookie");
	if (s->cookie == NULL || auth_read_cookie(s->cookie, s->cfg.cookie_file, &e) != 0) {
		handshake_wipe(s);
		session_fail(s, &e);
		return;
	}
	rng_bytes(s->client_nonce, sizeof(s->client_nonce));
	step(s, &out, command_authchallenge(&out, s->client_nonce, sizeof(s->client_nonce), &e),
	    on_challenge, SHAPE_ANY, "", &e);
}

static void
start_password(struct session *s)
{
	struct buf out = {.max = SESSION_LINE_MAX, .secret = true};
	struct err e = ERR_INIT;
	char *password;
	size_t len;
	int ret;

	if (auth_read_password(&password, &len, s->cfg.password_file, &e) != 0) {
		session_fail(s, &e);
		return;
	}
	ret = command_authenticate_password(&out, password, len, &e);
	secret_free(password);
	step(s, &out, ret, on_authenticated, SHAPE_OK, "", &e);
}

static void
on_protocolinfo(void *ctx, uint64_t id, const struct reply *r)
{
	struct session *s = ctx;
	struct reply_protocolinfo info;
	struct buf out = BUF_INIT(SESSION_LINE_MAX);
	struct err e = ERR_INIT;

	(void)id;
	if (r == NULL)
		return;
	if (reply_protocolinfo(&info, r, &e) != 0 ||
	    auth_choose(&s->method, &s->cfg, info.methods, &e) != 0) {
		session_fail(s, &e);
		return;
	}
	snprintf(s->version, sizeof(s->version), "%s", info.version_text);
	if (s->method == AUTH_SAFECOOKIE)
		start_safecookie(s);
	else if (s->method == AUTH_HASHEDPASSWORD)
		start_password(s);
	else
		step(s, &out, command_authenticate_bare(&out, &e), on_authenticated, SHAPE_OK, "",
		    &e);
}

void
handshake_start(struct session *s)
{
	struct buf out = BUF_INIT(SESSION_LINE_MAX);
	struct err e = ERR_INIT;

	s->event_set = SET_WATCH;
	s->can_watch = false;
	if (auth_check_peer(&s->cfg, stream_peer_uid(s->stream), &e) != 0) {
		session_fail(s, &e);
		return;
	}
	step(s, &out, command_protocolinfo(&out, &e), on_protocolinfo, SHAPE_ANY, "", &e);
}
