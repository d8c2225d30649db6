/* SPDX-License-Identifier: BSD-3-Clause */
/* The methods of the control socket: each reads or asks the engine; none keeps state of its own. */
#include "config.h"
#include "base/log.h"
#include "daemon/daemon.h"
#include "daemon/records.h"
#include "proto/edkey.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ONIONS_MAX 1500

/* The one text parameter a method takes; NULL if it is absent. -1: of a wrong type or unknown. */
static int
text_param(const json_t *params, const char *name, const char **out, struct err *e)
{
	const json_t *v = json_object_get(params, name);

	*out = json_string_value(v);
	if (params != NULL && json_object_size(params) > (v != NULL ? 1u : 0u))
		return err_set(e, ERR_PARSE, "unknown parameter; this method takes %s", name);
	if (v != NULL && *out == NULL)
		return err_set(e, ERR_PARSE, "%s must be a text", name);
	return 0;
}

static int
no_params(const json_t *params, const char **reason, struct err *e)
{
	*reason = "bad-params";
	return json_object_size(params) == 0 ? 0 : err_set(e, ERR_PARSE, "unknown parameter; this method takes none");
}

static int
mirror_param(struct daemon *d, const json_t *params, int *mirror, const char **reason, struct err *e)
{
	const char *name;

	*reason = "bad-params";
	if (text_param(params, "mirror", &name, e) != 0)
		return -1;
	if (name == NULL)
		return err_set(e, ERR_PARSE, "mirror is missing");
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

		json_array_append_new(list, json_pack("{s:s,s:s,s:b,s:s,s:s,s:s}", "name", d->first->tors[i].name, "state",
		    states[session_get_state(s)], "fit", (int)fit, "why", fit ? "" : why, "version", session_get_version(s), "error",
		    session_get_error(s)));
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
	json_t *counts, *v;
	struct mirror_view view;
	const char *state;
	size_t i;

	if (no_params(params, reason, e) != 0)
		return NULL;
	counts = json_object();
	for (i = 0; i < MIRROR__STATES; i++)
		json_object_set_new(counts, mirror_state_name((enum mirror_state)i), json_integer(0));
	for (i = 0; i < d->conf->n_mirrors; i++) {
		engine_mirror_view(d->engine, (int)i, &view);
		state = mirror_state_name(view.state);
		v = json_object_get(counts, state);
		json_object_set_new(counts, state, json_integer(json_integer_value(v) + 1));
	}
	return json_pack("{s:s,s:s,s:s,s:s,s:I,s:o,s:o,s:{s:I,s:I,s:I},s:o}", "site", d->conf->site, "site_id", publish_site_id(d->site), "member",
	    publish_site_member(d->site), "version", PACKAGE_VERSION, "started", (json_int_t)d->started, "tors", tors_json(d), "mirrors", counts,
	    "list", "serial", (json_int_t)d->serial, "published", (json_int_t)d->published, "valid_until", (json_int_t)d->valid_until, "alarms",
	    alarms_json(d));
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
	json_object_set_new(m, "order", json_integer(v.order));
	json_object_set_new(m, "stale", json_boolean(v.stale));
	json_object_set_new(m, "flapping", json_boolean(v.flapping));
	return m;
}

static json_t *
call_mirrors(struct daemon *d, const json_t *params, const char **reason, struct err *e)
{
	json_t *list, *m;
	size_t i;

	if (no_params(params, reason, e) != 0)
		return NULL;
	list = json_array();
	for (i = 0; i < d->conf->n_mirrors; i++) {
		m = mirror_json(d, i);
		json_object_set_new(m, "role", json_string(conf_role_name(d->conf->mirrors[i].role)));
		json_object_set_new(m, "port", json_integer(d->conf->mirrors[i].ports[0].virt));
		json_array_append_new(list, m);
	}
	return json_pack("{s:o}", "mirrors", list);
}

struct listing {
	uint8_t *key; /* secret memory to read one into */
	struct daemon *d;
	const char *mirror;
	json_t *list;
};

static void
add_onion(const struct onion_record *r, void *arg)
{
	struct listing *l = arg;
	bool has_key;

	if (l->mirror != NULL && strcmp(l->mirror, r->mirror) != 0)
		return;
	/* Read, not only looked up: what counts is that it can be opened. */
	has_key = l->key != NULL && store_get_exact(l->d->store, STORE_KEY, r->id, l->key, EDKEY_LEN, NULL) == 0;
	json_array_insert_new(l->list, 0, json_pack("{s:I,s:o,s:s,s:s,s:s,s:s,s:s,s:b,s:b,s:b,s:I,s:I,s:I,s:I,s:I}", "id", (json_int_t)r->id, "onion",
	    onion_text(r), "mirror", r->mirror, "tor", r->tor, "channel", r->channel, "state", onion_state_name(r->state), "cause",
	    onion_cause_name(r->cause), "in_list", (int)r->in_list, "proved", (int)r->proved, "key", (int)has_key, "created", (json_int_t)r->created,
	    "added", (json_int_t)r->added, "listed", (json_int_t)r->listed, "left", (json_int_t)r->left, "leave_until", (json_int_t)r->leave_until));
	/* An answer has its bounds; the oldest are those that nobody asks for. */
	if (json_array_size(l->list) > ONIONS_MAX)
		json_array_remove(l->list, ONIONS_MAX);
}

static json_t *
call_onions(struct daemon *d, const json_t *params, const char **reason, struct err *e)
{
	struct listing l = { .d = d };

	*reason = "bad-params";
	if (text_param(params, "mirror", &l.mirror, e) != 0)
		return NULL;
	if (l.mirror != NULL && engine_mirror_index(d->engine, l.mirror) < 0) {
		*reason = "no-such-mirror";
		err_set(e, ERR_NOTFOUND, "there is no mirror \"%.40s\"", l.mirror);
		return NULL;
	}
	l.list = json_array();
	l.key = secret_alloc(EDKEY_LEN);
	engine_each_onion(d->engine, add_onion, &l);
	secret_free(l.key);
	return json_pack("{s:o}", "onions", l.list);
}

typedef int engine_command(struct engine *e, struct now now, int mirror, uint64_t op, struct actions *out, struct err *err);

static json_t *
mirror_command(struct daemon *d, const json_t *params, const char **reason, struct err *e, engine_command *command)
{
	struct actions out = { 0 };
	uint64_t op;
	int mirror = -1;

	if (mirror_param(d, params, &mirror, reason, e) != 0)
		return NULL;
	*reason = "refused";
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
	const json_t *on = json_object_get(params, "on");
	json_t *rest, *result;

	*reason = "bad-params";
	if (!json_is_boolean(on)) {
		err_set(e, ERR_PARSE, "on must be true or false");
		return NULL;
	}
	rest = json_deep_copy(params);
	json_object_del(rest, "on");
	result = mirror_command(d, rest, reason, e, json_is_true(on) ? maint_on : maint_off);
	json_decref(rest);
	return result;
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
	const char *text;
	uint64_t op;

	*reason = "bad-params";
	if (text_param(params, "onion", &text, e) != 0)
		return NULL;
	if (strlen(text) == 56 || (strlen(text) == 62 && strcmp(text + 56, ".onion") == 0))
		memcpy(address, text, 56);
	engine_each_onion(d->engine, find_onion, &s);
	*reason = "no-such-onion";
	if (s.id == 0) {
		err_set(e, ERR_NOTFOUND, "there is no onion \"%.70s\" here", text);
		return NULL;
	}
	*reason = "refused";
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
	uint64_t op;

	if (no_params(params, reason, e) != 0)
		return NULL;
	*reason = "refused";
	op = op_new(d);
	if (engine_publish(d->engine, clock_now(), op, &out, e) != 0)
		op = 0;
	apply(d, &out);
	return op != 0 ? json_pack("{s:I}", "op", (json_int_t)op) : NULL;
}

static json_t *
call_reload(struct daemon *d, const json_t *params, const char **reason, struct err *e)
{
	struct buf faults = BUF_INIT(64 * 1024);
	json_t *result = NULL;
	char *line, *rest;

	if (no_params(params, reason, e) != 0)
		return NULL;
	*reason = "bad-configuration";
	if (daemon_reload(d, &faults) == 0) {
		result = json_pack("{s:I}", "op", (json_int_t)op_new(d));
	} else {
		/* The answer has room for some, the log for all. */
		conf_faults(e, &faults);
		for (rest = faults.data; rest != NULL && (line = strsep(&rest, "\n")) != NULL;)
			if (line[0] != '\0')
				log_error("reload: %s", line);
	}
	buf_free(&faults);
	return result;
}

const struct method methods[] = {
	{ "status", false, "the daemon, its tors and the list", call_status },
	{ "mirrors", false, "every mirror", call_mirrors },
	{ "onions", false, "every onion, newest first; optional mirror", call_onions },
	{ "history", false, "stored probes or decisions; table, after, since, mirror", history_call },
	{ "rotate", true, "a new address for a mirror", call_rotate },
	{ "drain", true, "a mirror out of the list, its address leaves", call_drain },
	{ "maint", true, "a mirror out of the list for a while, or back; on", call_maint },
	{ "revoke", true, "an address is not to be trusted; mirror or onion", call_revoke },
	{ "probe", true, "probe a mirror now", call_probe },
	{ "publish", true, "sign and publish now", call_publish },
	{ "reload", true, "read the configuration again", call_reload },
	{ 0 },
};
