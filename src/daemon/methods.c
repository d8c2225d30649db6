/* SPDX-License-Identifier: BSD-3-Clause */
/* The methods of the control socket: each reads or asks the engine; none keeps state of its own. */
#include "config.h"
#include "base/log.h"
#include "daemon/metrics.h"
#include "daemon/records.h"
#include "daemon/sandbox.h"
#include "proto/edkey.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What one answer holds: far below RPC_RESPONSE_MAX, and little to wait for. */
#define MIRRORS_PAGE 150
#define ONIONS_PAGE 400

static const char *
text_param(const json_t *params, const char *name)
{
	return json_string_value(json_object_get(params, name));
}

static int
find_mirror(struct daemon *d, const char *name, int *mirror, const char **reason, struct err *e)
{
	*mirror = engine_mirror_index(d->engine, name);
	if (*mirror >= 0)
		return 0;
	*reason = "no-such-mirror";
	return err_set(e, ERR_NOTFOUND, "there is no mirror \"%.40s\"", name);
}

static json_t *
onion_text(const struct onion_record *r)
{
	return r != NULL ? json_sprintf("%s.onion", r->address) : json_null();
}

/* Its session says so, and the engine found nothing against it. */
static bool
tor_is_fit(const struct daemon *d, size_t i, const char **why)
{
	if (!session_is_fit(d->tors[i].session, why))
		return false;
	*why = engine_tor_silent(d->engine, (unsigned)i) ? "no control onion answers" : "";
	return (*why)[0] == '\0';
}

static json_t *
tors_json(struct daemon *d)
{
	static const char *const states[] = { "down", "connecting", "authenticating", "up" };
	json_t *list = json_array();
	const char *why;
	size_t i;

	for (i = 0; i < d->first->n_tors; i++) {
		const struct session *s = d->tors[i].session;
		bool fit = tor_is_fit(d, i, &why);

		json_array_append_new(list, json_pack("{s:s,s:s,s:b,s:s,s:s,s:s,s:s}", "name", d->first->tors[i].name, "state",
		    states[session_get_state(s)], "fit", (int)fit, "why", fit ? "" : why, "version", session_get_version(s), "warning",
		    session_get_warning(s), "error", session_get_error(s)));
	}
	return list;
}

static json_t *
alarms_json(struct daemon *d)
{
	json_t *list = json_array();
	const char *why;
	size_t i;

	if (engine_in_panic(d->engine, &why))
		json_array_append_new(list, json_sprintf("panic, the list stays as it is: %s", why));
	if (d->publish_error[0] != '\0')
		json_array_append_new(list, json_sprintf("list not published: %s", d->publish_error));
	if (d->stuck)
		json_array_append_new(list, json_string("the state cannot be written; nothing is changed until it can"));
	for (i = 0; i < d->first->n_tors; i++)
		if (!tor_is_fit(d, i, &why))
			json_array_append_new(list, json_sprintf("tor %s is not fit to judge: %s", d->first->tors[i].name, why));
	alarms_add(d, list);
	return list;
}

static json_t *
call_status(struct daemon *d, const json_t *params, const char **reason, struct err *e)
{
	struct err clock = ERR_INIT;
	json_t *counts, *v;
	struct mirror_view view;
	const char *state;
	size_t i;

	(void)params, (void)reason, (void)e;
	if (d->locked)
		return locked_status(d);
	wiring_check_clock(d, &clock);
	counts = json_object();
	for (i = 0; i < MIRROR__STATES; i++)
		json_object_set_new(counts, mirror_state_name((enum mirror_state)i), json_integer(0));
	for (i = 0; i < d->conf->n_mirrors; i++) {
		engine_mirror_view(d->engine, (int)i, &view);
		state = mirror_state_name(view.state);
		v = json_object_get(counts, state);
		json_object_set_new(counts, state, json_integer(json_integer_value(v) + 1));
	}
	return json_pack("{s:s,s:s,s:s,s:s,s:I,s:o,s:o,s:{s:I,s:I,s:I},s:{s:I,s:I},s:s,s:o,s:o,s:b}", "site", d->conf->site, "site_id", publish_site_id(d->site), "member",
	    publish_site_member(d->site), "version", PACKAGE_VERSION, "started", (json_int_t)d->started, "tors", tors_json(d), "mirrors", counts,
	    "list", "serial", (json_int_t)d->serial, "published", (json_int_t)d->published, "valid_until", (json_int_t)d->valid_until, "expiry",
	    "root", (json_int_t)publish_site_root_expiry(d->site), "member", (json_int_t)publish_site_member_expiry(d->site), "clock", clock.msg, "alarms",
	    alarms_json(d), "sandbox", sandbox_json(d->sandbox), "locked", 0);
}

/* What each tor that looks at it says. */
static json_t *
vantages_json(struct daemon *d, const struct mirror_view *v)
{
	json_t *list = json_array();
	int i;

	for (i = 0; i < VANTAGES; i++)
		if (v->vantages[i].tor >= 0)
			json_array_append_new(list, json_pack("{s:s,s:b,s:s,s:i,s:I}", "tor", d->first->tors[v->vantages[i].tor].name, "counts",
			    (int)v->vantages[i].fit, "verdict", verdict_name(v->vantages[i].last), "fall", (int)v->vantages[i].fails, "last_probe",
			    (json_int_t)v->vantages[i].last_probe));
	return list;
}

static json_t *
mirror_json(struct daemon *d, size_t i)
{
	struct mirror_view v;
	json_t *m;

	engine_mirror_view(d->engine, (int)i, &v);
	m = json_pack("{s:s,s:s,s:o,s:o,s:i,s:i,s:i,s:s,s:s,s:I,s:i,s:i,s:o}", "name", d->conf->mirrors[i].name, "state",
	    mirror_state_name(v.state), "listed", onion_text(engine_onion(d->engine, v.listed)), "candidate",
	    onion_text(engine_onion(d->engine, v.candidate)), "leaving", (int)v.leaving, "rise", (int)v.rise, "fall", (int)v.fall, "verdict",
	    verdict_name(v.last), "backend", verdict_name(v.backend), "last_probe", (json_int_t)v.last_probe, "uploads", (int)v.uploads,
	    "uploads_started", (int)v.uploads_started, "ms", record_phases(&v.phases));
	json_object_set_new(m, "uploads_failed", json_integer(v.uploads_failed));
	json_object_set_new(m, "uploads_silent", json_integer(v.uploads_silent));
	json_object_set_new(m, "hold", json_string(mirror_hold_name(engine_mirror_hold(d->engine, (int)i))));
	json_object_set_new(m, "vantages", vantages_json(d, &v));
	/* Wall time, as all others; 0: none is planned. */
	json_object_set_new(m, "next_probe", json_integer(v.next_probe == INT64_MAX ? 0 : clock_wall_s() + (v.next_probe - clock_mono_ms()) / 1000));
	json_object_set_new(m, "tor", json_string(v.tor >= 0 ? d->conf->tors[v.tor].name : "auto"));
	json_object_set_new(m, "order", json_integer(v.order));
	json_object_set_new(m, "stale", json_boolean(v.stale));
	json_object_set_new(m, "flapping", json_boolean(v.flapping));
	return m;
}

static json_t *
call_mirrors(struct daemon *d, const json_t *params, const char **reason, struct err *e)
{
	const char *after = text_param(params, "after"), *only = text_param(params, "mirror");
	size_t i, begin, end, all = d->conf->n_mirrors;
	json_t *list, *m;
	int at = -1;

	if (only != NULL && find_mirror(d, only, &at, reason, e) != 0)
		return NULL;
	if (only == NULL && after != NULL && find_mirror(d, after, &at, reason, e) != 0)
		return NULL;
	begin = only != NULL ? (size_t)at : (size_t)(at + 1);
	end = only != NULL ? begin + 1 : begin + MIRRORS_PAGE;
	end = end < all ? end : all;
	list = json_array();
	for (i = begin; i < end; i++) {
		m = mirror_json(d, i);
		json_object_set_new(m, "role", json_string(conf_role_name(d->conf->mirrors[i].role)));
		json_object_set_new(m, "port", json_integer(d->conf->mirrors[i].ports[0].virt));
		json_array_append_new(list, m);
	}
	return json_pack("{s:o,s:s?,s:b}", "mirrors", list, "next", end > 0 ? d->conf->mirrors[end - 1].name : NULL, "more",
	    (int)(only == NULL && end < all));
}

struct listing {
	const char *mirror;
	uint64_t before;                                /* only older ones; 0: all */
	const struct onion_record *newest[ONIONS_PAGE]; /* a ring */
	size_t n;                                       /* that were seen */
};

static void
take_onion(const struct onion_record *r, void *arg)
{
	struct listing *l = arg;

	if ((l->mirror == NULL || strcmp(l->mirror, r->mirror) == 0) && (l->before == 0 || r->id < l->before))
		l->newest[l->n++ % ONIONS_PAGE] = r;
}

/* key: secret memory to read it into. Read, not only looked up: what counts is that it can be opened. */
static json_t *
onion_json(struct daemon *d, const struct onion_record *r, uint8_t *key)
{
	bool has_key = key != NULL && store_get_exact(d->store, STORE_KEY, r->id, key, EDKEY_LEN, NULL) == 0;

	return json_pack("{s:I,s:o,s:s,s:s,s:s,s:s,s:s,s:b,s:b,s:b,s:I,s:I,s:I,s:I,s:I}", "id", (json_int_t)r->id, "onion", onion_text(r),
	    "mirror", r->mirror, "tor", r->tor, "channel", r->channel, "state", onion_state_name(r->state), "cause", onion_cause_name(r->cause),
	    "in_list", (int)r->in_list, "proved", (int)r->proved, "key", (int)has_key, "created", (json_int_t)r->created, "added",
	    (json_int_t)r->added, "listed", (json_int_t)r->listed, "left", (json_int_t)r->left, "leave_until", (json_int_t)r->leave_until);
}

static json_t *
call_onions(struct daemon *d, const json_t *params, const char **reason, struct err *e)
{
	struct listing l = { .mirror = text_param(params, "mirror"),
		.before = (uint64_t)json_integer_value(json_object_get(params, "after")) };
	uint64_t last = l.before;
	json_t *list;
	uint8_t *key;
	size_t i;
	int mirror;

	if (l.mirror != NULL && find_mirror(d, l.mirror, &mirror, reason, e) != 0)
		return NULL;
	list = json_array();
	key = secret_alloc(EDKEY_LEN);
	engine_each_onion(d->engine, take_onion, &l);
	for (i = l.n; i > 0 && l.n - i < ONIONS_PAGE; i--) {
		const struct onion_record *r = l.newest[(i - 1) % ONIONS_PAGE];

		last = r->id;
		json_array_append_new(list, onion_json(d, r, key));
	}
	secret_free(key);
	return json_pack("{s:o,s:I,s:b}", "onions", list, "next", (json_int_t)last, "more", (int)(i > 0));
}

typedef int engine_command(struct engine *e, struct now now, int mirror, uint64_t op, struct actions *out, struct err *err);

static json_t *
mirror_command(struct daemon *d, const json_t *params, const char **reason, struct err *e, engine_command *command)
{
	struct actions out = { 0 };
	uint64_t op;
	int mirror = -1;

	if (find_mirror(d, text_param(params, "mirror"), &mirror, reason, e) != 0)
		return NULL;
	op = op_new(d);
	if (command(d->engine, clock_now(), mirror, op, &out, e) != 0)
		op = 0;
	apply(d, &out);
	return op != 0 ? json_pack("{s:I}", "op", (json_int_t)op) : NULL;
}

static json_t *
call_rotate(struct daemon *d, const json_t *params, const char **reason, struct err *e)
{
	return mirror_command(d, params, reason, e, engine_rotate);
}

static json_t *
call_probe(struct daemon *d, const json_t *params, const char **reason, struct err *e)
{
	return mirror_command(d, params, reason, e, engine_probe);
}

static json_t *
call_drain(struct daemon *d, const json_t *params, const char **reason, struct err *e)
{
	return mirror_command(d, params, reason, e, engine_drain);
}

static int
maint_on(struct engine *e, struct now now, int mirror, uint64_t op, struct actions *out, struct err *err)
{
	return engine_maint(e, now, mirror, true, op, out, err);
}

static int
maint_off(struct engine *e, struct now now, int mirror, uint64_t op, struct actions *out, struct err *err)
{
	return engine_maint(e, now, mirror, false, op, out, err);
}

static json_t *
call_maint(struct daemon *d, const json_t *params, const char **reason, struct err *e)
{
	return mirror_command(d, params, reason, e, json_is_true(json_object_get(params, "on")) ? maint_on : maint_off);
}

struct search {
	const char *address;
	uint64_t id;
};

static void
find_onion(const struct onion_record *r, void *arg)
{
	struct search *s = arg;

	if (strcmp(r->address, s->address) == 0)
		s->id = r->id;
}

/* One address: 56 characters, with or without ".onion". */
static json_t *
revoke_onion(struct daemon *d, const json_t *params, const char **reason, struct err *e)
{
	struct actions out = { 0 };
	char address[57] = "";
	struct search s = { .address = address };
	const char *text = text_param(params, "onion");
	uint64_t op;

	if (strlen(text) == 56 || (strlen(text) == 62 && strcmp(text + 56, ".onion") == 0))
		memcpy(address, text, 56);
	engine_each_onion(d->engine, find_onion, &s);
	if (s.id == 0) {
		*reason = "no-such-onion";
		err_set(e, ERR_NOTFOUND, "there is no onion \"%.70s\" here", text);
		return NULL;
	}
	op = op_new(d);
	if (engine_revoke_onion(d->engine, clock_now(), s.id, op, &out, e) != 0)
		op = 0;
	apply(d, &out);
	return op != 0 ? json_pack("{s:I}", "op", (json_int_t)op) : NULL;
}

static json_t *
call_revoke(struct daemon *d, const json_t *params, const char **reason, struct err *e)
{
	if (json_object_get(params, "onion") != NULL)
		return revoke_onion(d, params, reason, e);
	return mirror_command(d, params, reason, e, engine_revoke);
}

static json_t *
call_publish(struct daemon *d, const json_t *params, const char **reason, struct err *e)
{
	struct actions out = { 0 };
	uint64_t op = op_new(d);

	(void)params, (void)reason;
	if (engine_publish(d->engine, clock_now(), op, &out, e) != 0)
		op = 0;
	apply(d, &out);
	return op != 0 ? json_pack("{s:I}", "op", (json_int_t)op) : NULL;
}

/* Done when it is answered; said to those who follow it, too. */
static json_t *
done_at_once(struct daemon *d, const char *step, const char *text)
{
	struct action *a = xcalloc(2, sizeof *a);
	struct actions out = { a, 2, 2 };
	uint64_t op = op_new(d);
	size_t i;

	for (i = 0; i < 2; i++) {
		a[i] = (struct action){ .kind = ACTION_NOTE, .note = NOTE_STEP, .mirror = -1, .op = op };
		snprintf(a[i].step, sizeof a[i].step, "%s", i == 0 ? step : "done");
		snprintf(a[i].text, sizeof a[i].text, "%s", i == 0 ? text : "");
	}
	apply(d, &out);
	return json_pack("{s:I}", "op", (json_int_t)op);
}

static json_t *
call_reload(struct daemon *d, const json_t *params, const char **reason, struct err *e)
{
	struct buf faults = BUF_INIT(64 * 1024);
	json_t *result = NULL;
	char *line, *rest;

	(void)params;
	if (daemon_reload(d, &faults) == 0) {
		result = done_at_once(d, "reloaded", "the configuration was read again");
	} else {
		*reason = "bad-configuration";
		/* The answer has room for some, the log for all. */
		conf_faults(e, &faults);
		for (rest = faults.data; rest != NULL && (line = strsep(&rest, "\n")) != NULL;)
			if (line[0] != '\0')
				log_error("reload: %s", line);
	}
	buf_free(&faults);
	return result;
}

static json_t *
call_metrics(struct daemon *d, const json_t *params, const char **reason, struct err *e)
{
	const char *text;
	size_t n;

	(void)params;
	/* Quotes and ends of lines are escaped in the answer. */
	*reason = "too-large";
	if ((text = metrics_text(d, &n)) != NULL && n < RPC_RESPONSE_MAX / 4 * 3)
		return json_pack("{s:s#}", "text", text, (int)n);
	err_set(e, ERR_REFUSED, "with so many mirrors it is too long for this socket: read it where the metrics section says");
	return NULL;
}

static json_t *
call_subscribe(struct daemon *d, const json_t *params, const char **reason, struct err *e)
{
	const json_t *v = json_object_get(params, "op");
	const struct op *op = op_find(d, (uint64_t)json_integer_value(v));

	if (v != NULL && op == NULL) {
		*reason = "no-such-operation";
		err_set(e, ERR_NOTFOUND, "there is no operation %lld, or it is too long ago", (long long)json_integer_value(v));
		return NULL;
	}
	return json_pack("{s:b,s:O?}", "subscribed", 1, "last", op != NULL ? op->last : NULL);
}

#define MIRROR_PARAM { "mirror", PARAM_TEXT, PARAM_NEEDED, 1, ONION_NAME_MAX, "its name in the configuration" }

const struct method methods[] = {
	{ "status", false, WHO_GROUP, "The daemon, its tors, the list and what is wrong, at a glance.", call_status, { { 0 } } },
	{ "mirrors", false, WHO_GROUP, "Every mirror, in the order of the configuration, page by page.", call_mirrors,
	    { { "mirror", PARAM_TEXT, PARAM_OPTIONAL, 1, ONION_NAME_MAX, "only this one" },
		{ "after", PARAM_TEXT, PARAM_OPTIONAL, 1, ONION_NAME_MAX, "next of the page before" } } },
	{ "onions", false, WHO_GROUP, "Every onion, newest first, page by page.", call_onions,
	    { { "mirror", PARAM_TEXT, PARAM_OPTIONAL, 1, ONION_NAME_MAX, "only its onions" },
		{ "after", PARAM_NUMBER, PARAM_OPTIONAL, 1, PARAM_NUMBER_MAX, "next of the page before" } } },
	{ "history", false, WHO_GROUP, "What was recorded, oldest first, page by page.", history_call,
	    { { "table", PARAM_TEXT, PARAM_NEEDED, 1, 16, "probes, or decisions (with changes and alarms)" },
		{ "after", PARAM_NUMBER, PARAM_OPTIONAL, 0, PARAM_NUMBER_MAX, "next of the page before" },
		{ "since", PARAM_NUMBER, PARAM_OPTIONAL, 0, (json_int_t)1 << 40, "seconds since 1970" },
		{ "mirror", PARAM_TEXT, PARAM_OPTIONAL, 1, ONION_NAME_MAX, "only what is about it" } } },
	{ "metrics", false, WHO_GROUP, "The numbers for Prometheus, as text.", call_metrics, { { 0 } } },
	{ "subscribe", false, WHO_GROUP, "From now on this connection is told what happens.", call_subscribe,
	    { { "op", PARAM_NUMBER, PARAM_OPTIONAL, 1, PARAM_NUMBER_MAX, "an operation: the answer holds its last step so far" } } },
	{ "rotate", true, WHO_GROUP, "A new address for a mirror; the old one answers until its drain is over.", call_rotate, { MIRROR_PARAM } },
	{ "drain", true, WHO_GROUP, "A mirror out of the list, and its address leaves.", call_drain, { MIRROR_PARAM } },
	{ "maint", true, WHO_GROUP, "A mirror out of the list for a while, or back.", call_maint,
	    { MIRROR_PARAM, { "on", PARAM_BOOL, PARAM_NEEDED, 0, 0, "true: out; false: back" } } },
	{ "revoke", true, WHO_GROUP, "An address is not to be trusted any more; it can't be taken back.", call_revoke,
	    { { "mirror", PARAM_TEXT, PARAM_ONE_OF, 1, ONION_NAME_MAX, "its listed address, or else the one on its way" },
		{ "onion", PARAM_TEXT, PARAM_ONE_OF, 1, 62, "an address, with or without .onion" } } },
	{ "probe", true, WHO_GROUP, "Probe a mirror now.", call_probe, { MIRROR_PARAM } },
	{ "publish", true, WHO_GROUP, "Sign and publish the list now.", call_publish, { { 0 } } },
	{ "unlock", true, WHO_GROUP, "Open the state of a daemon that started locked.", locked_unlock,
	    { { "passphrase", PARAM_SECRET, PARAM_NEEDED, 1, MASTER_PASSPHRASE_MAX, "the one of the master key" } } },
	{ "reload", true, WHO_OWNER, "Read the configuration and the documents of the site again.", call_reload, { { 0 } } },
	{ 0 },
};

const struct reason reasons[] = {
	{ "bad-request", "not JSON, or not a request" },
	{ "unknown-method", "there is no such method" },
	{ "bad-params", "a parameter is unknown, missing, of a wrong type or out of its range" },
	{ "not-allowed", "not for this user" },
	{ "too-many-clients", "64 are connected already" },
	{ "too-large", "a request above 64 KiB, or an answer above 256 KiB" },
	{ "no-such-mirror", "the configuration has no mirror of that name" },
	{ "no-such-onion", "no such address is or was ours" },
	{ "no-such-operation", "not begun by this daemon, or too long ago" },
	{ "id-taken", "this id was used for another call" },
	{ "refused", "the message says what stands against it; nothing was changed" },
	{ "locked", "the daemon started locked: only status, unlock and subscribe are answered" },
	{ "not-locked", "there is nothing to unlock" },
	{ "wrong-passphrase", "it is still locked" },
	{ "too-soon", "the last passphrase was wrong: the message says how long to wait" },
	{ "bad-configuration", "the message has the faults; nothing was changed" },
	{ "state", "the state can't be read" },
	{ 0 },
};
