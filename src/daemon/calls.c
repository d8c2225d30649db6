/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One call: whether this client may, its parameters against the table, the
 * caller's id that makes a retry harmless, and the operations that came of
 * calls. Owns the operations that are remembered.
 */
#include "config.h"
#include "daemon/daemon.h"

#include <string.h>

static const struct param caller_id = { "id", PARAM_TEXT, PARAM_OPTIONAL, 1, RPC_ID_MAX, NULL };

const struct method *
method_find(const char *name)
{
	const struct method *m;

	for (m = methods; m->name != NULL; m++)
		if (strcmp(m->name, name) == 0)
			return m;
	return NULL;
}

/* --- operations ---------------------------------------------------------------------------- */

static void
op_clear(struct op *o)
{
	json_decref(o->params);
	json_decref(o->last);
	memset(o, 0, sizeof *o);
}

uint64_t
op_new(struct daemon *d)
{
	uint64_t op = ++d->next_op;
	struct op *o = &d->ops[op % OPS_KEPT];

	op_clear(o);
	o->op = op;
	o->start = clock_mono_ms();
	return op;
}

const struct op *
op_find(const struct daemon *d, uint64_t op)
{
	return op != 0 && d->ops[op % OPS_KEPT].op == op ? &d->ops[op % OPS_KEPT] : NULL;
}

int64_t
op_elapsed(const struct daemon *d, uint64_t op)
{
	const struct op *o = op_find(d, op);

	return o != NULL ? clock_mono_ms() - o->start : 0;
}

void
op_keep(struct daemon *d, uint64_t op, json_t *step)
{
	struct op *o = &d->ops[op % OPS_KEPT];

	if (op_find(d, op) == NULL)
		return;
	json_decref(o->last);
	o->last = json_incref(step);
}

void
op_free_all(struct daemon *d)
{
	size_t i;

	for (i = 0; i < OPS_KEPT; i++)
		op_clear(&d->ops[i]);
}

/* What was called under this id before, or NULL. */
static const struct op *
op_of_key(const struct daemon *d, const char *key)
{
	size_t i;

	for (i = 0; i < OPS_KEPT; i++)
		if (d->ops[i].op != 0 && strcmp(d->ops[i].key, key) == 0)
			return &d->ops[i];
	return NULL;
}

/* --- parameters ---------------------------------------------------------------------------- */

static const struct param *
param_find(const struct method *m, const char *name)
{
	const struct param *p;

	for (p = m->params; p->name != NULL; p++)
		if (strcmp(p->name, name) == 0)
			return p;
	return m->changes && strcmp(name, caller_id.name) == 0 ? &caller_id : NULL;
}

static int
check_value(const struct param *p, const json_t *v, struct err *e)
{
	json_int_t n = json_integer_value(v);
	size_t len = json_string_length(v);

	switch (p->type) {
	case PARAM_BOOL:
		return json_is_boolean(v) ? 0 : err_set(e, ERR_PARSE, "%s must be true or false", p->name);
	case PARAM_NUMBER:
		if (json_is_integer(v) && n >= p->least && n <= p->most)
			return 0;
		return err_set(e, ERR_PARSE, "%s must be a number from %lld to %lld", p->name, (long long)p->least, (long long)p->most);
	case PARAM_TEXT:
	case PARAM_SECRET:
		if (json_is_string(v) && len >= (size_t)p->least && len <= (size_t)p->most)
			return 0;
		return err_set(e, ERR_PARSE, "%s must be a text of %lld to %lld characters", p->name, (long long)p->least, (long long)p->most);
	}
	return -1;
}

/* Those that must be there, and of some exactly one. */
static int
check_needed(const struct method *m, const json_t *params, struct err *e)
{
	const struct param *p, *one = NULL;
	unsigned there = 0;

	for (p = m->params; p->name != NULL; p++) {
		bool has = json_object_get(params, p->name) != NULL;

		if (p->need == PARAM_NEEDED && !has)
			return err_set(e, ERR_PARSE, "%s is missing", p->name);
		if (p->need == PARAM_ONE_OF) {
			one = p;
			there += has;
		}
	}
	if (one == NULL || there == 1)
		return 0;
	return err_set(e, ERR_PARSE, there == 0 ? "%s is missing, or what may stand in its place" : "%s or what may stand in its place, not both",
	    one->name);
}

static int
check_params(const struct method *m, json_t *params, struct err *e)
{
	const struct param *p;
	const char *name;
	json_t *v;

	json_object_foreach(params, name, v) {
		if ((p = param_find(m, name)) == NULL)
			return err_set(e, ERR_PARSE, "unknown parameter \"%.40s\" of %s", name, m->name);
		if (check_value(p, v, e) != 0)
			return -1;
	}
	return check_needed(m, params, e);
}

/* --- the call ------------------------------------------------------------------------------ */

/* What may be remembered of a call. Owned by the caller. */
static json_t *
without_secrets(const struct method *m, json_t *params)
{
	json_t *kept = json_copy(params);
	const struct param *p;

	for (p = m->params; p->name != NULL; p++)
		if (p->type == PARAM_SECRET)
			json_object_del(kept, p->name);
	return kept;
}

/* Under an id of the caller: asked again, the answer is the same and nothing is done. */
static json_t *
call_once(struct daemon *d, const struct method *m, json_t *params, const char **reason, struct err *e)
{
	const char *key = json_string_value(json_object_get(params, caller_id.name));
	const struct op *before = op_of_key(d, key);
	json_t *result, *kept = without_secrets(m, params);
	struct op *o;
	uint64_t op;

	if (before != NULL && before->method == m && json_equal(before->params, kept)) {
		json_decref(kept);
		return json_pack("{s:I}", "op", (json_int_t)before->op);
	}
	if (before != NULL) {
		json_decref(kept);
		*reason = "id-taken";
		err_set(e, ERR_REFUSED, "this id was used for another call; nothing was done");
		return NULL;
	}
	result = m->call(d, params, reason, e);
	op = (uint64_t)json_integer_value(json_object_get(result, "op"));
	if (op_find(d, op) != NULL) {
		o = &d->ops[op % OPS_KEPT];
		memcpy(o->key, key, strlen(key) + 1);
		o->method = m;
		o->params = json_incref(kept);
	}
	json_decref(kept);
	return result;
}

json_t *
method_call(struct daemon *d, const struct method *m, bool owner, json_t *params, const char **reason, struct err *e)
{
	*reason = "not-allowed";
	if (m->who == WHO_OWNER && !owner) {
		err_set(e, ERR_REFUSED, "%s is only for root and the daemon's own user", m->name);
		return NULL;
	}
	*reason = "locked";
	if (d->locked && !locked_allows(m->name)) {
		err_set(e, ERR_REFUSED, "%s", LOCKED_TEXT);
		return NULL;
	}
	*reason = "bad-params";
	if (check_params(m, params, e) != 0)
		return NULL;
	*reason = "refused";
	if (json_object_get(params, caller_id.name) != NULL)
		return call_once(d, m, params, reason, e);
	return m->call(d, params, reason, e);
}
