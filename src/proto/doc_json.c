/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Documents in and out as canonical JSON: one text for one value, or it is refused. Reading is
 * canon.c's; writing is jansson's, whose dump has exactly that form. Owns nothing.
 */
#include "config.h"
#include "proto/doc_json.h"

#include "base/enc.h"

#include <stdlib.h>
#include <string.h>

#define DUMP_FLAGS (JSON_COMPACT | JSON_SORT_KEYS)

enum doc_reason
doc_json_open(struct canon **out, const struct doc_form *f, const char *text, size_t len, struct err *e)
{
	const struct canon_value *type;
	struct err why = ERR_INIT;
	struct canon *c;

	if (len > f->max)
		return doc_fail(e, DOC_TOO_LARGE, "%s: %zu bytes, at most %zu are allowed", f->what, len, f->max);
	if (len < 3 || text[len - 1] != '\n')
		return doc_fail(e, DOC_MALFORMED, "%s: does not end with LF", f->what);
	if (canon_parse(&c, text, len - 1, f->values, f->lf, &why) != 0) {
		if (why.code == ERR_MEMORY)
			return doc_fail(e, DOC_NO_MEMORY, "%s: no memory to parse it", f->what);
		return doc_fail(e, DOC_MALFORMED, "%s: not in canonical form: %s", f->what, why.msg);
	}
	type = canon_get(canon_top(c), "type");
	if (type == NULL || type->type != CANON_STRING || strcmp(type->text, f->type) != 0) {
		canon_free(c);
		return doc_fail(e, DOC_MALFORMED, "%s: not of type %s", f->what, f->type);
	}
	*out = c;
	return DOC_OK;
}

int
doc_json_dump(char **out, size_t *len, const json_t *value, struct err *e)
{
	size_t n = json_dumpb(value, NULL, 0, DUMP_FLAGS);
	char *text = n > 0 ? malloc(n + 2) : NULL;

	if (text == NULL)
		return err_set(e, ERR_MEMORY, "no memory for a document");
	if (json_dumpb(value, text, n, DUMP_FLAGS) != n) {
		free(text);
		return err_set(e, ERR_MEMORY, "no memory for a document");
	}
	text[n] = '\n';
	text[n + 1] = '\0';
	*out = text;
	if (len != NULL)
		*len = n + 1;
	return 0;
}

void
doc_field_bad(struct doc_fields *f, const char *name, const char *why)
{
	if (f->reason == DOC_OK)
		f->reason = doc_fail(f->e, DOC_MALFORMED, "%s: `%s` %s", f->what, name, why);
}

const struct canon_value *
doc_field(struct doc_fields *f, const char *name, enum canon_type type)
{
	const struct canon_value *v = canon_get(f->obj, name);

	if (v != NULL && v->type == type)
		return v;
	doc_field_bad(f, name, v == NULL ? "is missing" : "is of another kind");
	return NULL;
}

const struct canon_value *
doc_field_array(struct doc_fields *f, const char *name, size_t max)
{
	const struct canon_value *v = doc_field(f, name, CANON_ARRAY);

	if (v != NULL && v->n > max) {
		doc_field_bad(f, name, "has too many members");
		return NULL;
	}
	return v;
}

void
doc_field_uint(struct doc_fields *f, const char *name, uint64_t min, uint64_t *out)
{
	const struct canon_value *v = doc_field(f, name, CANON_INTEGER);

	if (v == NULL)
		return;
	if (v->number < min)
		doc_field_bad(f, name, "is too small");
	else
		*out = v->number;
}

void
doc_field_time(struct doc_fields *f, const char *name, int64_t *out)
{
	const struct canon_value *v = doc_field(f, name, CANON_STRING);

	if (v != NULL && utc_parse_hour(out, v->text) != 0)
		doc_field_bad(f, name, "is not a whole hour in UTC");
}

int
doc_hex_of(const struct canon_value *value, uint8_t *out, size_t n)
{
	return value->type == CANON_STRING ? hex_decode(out, n, value->text, value->n) : -1;
}

void
doc_field_hex(struct doc_fields *f, const char *name, uint8_t *out, size_t n)
{
	const struct canon_value *v = doc_field(f, name, CANON_STRING);

	if (v != NULL && doc_hex_of(v, out, n) != 0)
		doc_field_bad(f, name, "is not lower-case hex of its length");
}

void
doc_field_str(struct doc_fields *f, const char *name, size_t min, size_t max, char *out)
{
	const struct canon_value *v = doc_field(f, name, CANON_STRING);
	size_t n;

	if (v == NULL)
		return;
	n = v->n;
	if (n < min || n > max)
		doc_field_bad(f, name, "is too short or too long");
	else
		memcpy(out, v->text, n + 1);
}

void
doc_field_member(struct doc_fields *f, const char *name, char out[DOC_MEMBER_LEN + 1])
{
	const struct canon_value *v = doc_field(f, name, CANON_STRING);

	if (v == NULL)
		return;
	if (!doc_member_name_ok(v->text))
		doc_field_bad(f, name, "is not a member's name");
	else
		memcpy(out, v->text, v->n + 1);
}

void
doc_field_site(struct doc_fields *f, const uint8_t *want, uint8_t out[DOC_HASH_LEN])
{
	doc_field_hex(f, "site", out, DOC_HASH_LEN);
	if (f->reason == DOC_OK && want != NULL && memcmp(want, out, DOC_HASH_LEN) != 0)
		f->reason = doc_fail(f->e, DOC_WRONG_SITE, "%s: it is about another site", f->what);
}

json_t *
doc_json_hex(const uint8_t *p, size_t n)
{
	char text[HEX_LEN(DOC_SIG_LEN) + 1];

	if (n > DOC_SIG_LEN)
		return NULL;
	hex_encode(text, p, n);
	return json_string(text);
}

json_t *
doc_json_time(int64_t t)
{
	char text[UTC_LEN + 1];

	utc_format(text, t); /* not rounded: a time off the hour is the writer's mistake, which the check finds */
	return json_string(text);
}

json_t *
doc_json_text(struct doc_text t)
{
	return json_stringn(t.p, t.len);
}

void
doc_json_set(json_t *obj, const char *name, json_t *value, bool *bad)
{
	if (json_object_set_new(obj, name, value) != 0)
		*bad = true;
}

void
doc_json_append(json_t *array, json_t *value, bool *bad)
{
	if (json_array_append_new(array, value) != 0)
		*bad = true;
}

int
doc_json_finish(char **out, size_t *len, json_t *obj, bool bad, struct err *e)
{
	int ret = -1;

	if (bad || obj == NULL)
		err_set(e, ERR_MEMORY, "no memory for a document, or text that is not UTF-8");
	else
		ret = doc_json_dump(out, len, obj, e);
	json_decref(obj);
	return ret;
}

int
doc_write_checked(char **out, size_t *len, char *text, size_t n, enum doc_reason reason, struct err *e)
{
	if (reason != DOC_OK) {
		free(text);
		if (e != NULL && e->code != ERR_MEMORY)
			e->code = ERR_PROTO;
		return -1;
	}
	*out = text;
	if (len != NULL)
		*len = n;
	return 0;
}
