/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Canonical JSON: one text for one value, or it is refused. A linear scan bounds depth, number of
 * values and characters before jansson allocates anything; then the parsed value is dumped against
 * the bytes it came from, without a copy. Owns nothing.
 */
#include "config.h"
#include "proto/doc_json.h"

#include "base/enc.h"

#include <stdlib.h>
#include <string.h>

#define DUMP_FLAGS (JSON_COMPACT | JSON_SORT_KEYS)

/* Depth, values and raw bytes. Says nothing about grammar: jansson does. */
static enum doc_reason
scan(const struct doc_form *f, const char *text, size_t len, struct err *e)
{
	size_t i, depth = 0, values = 1;
	bool in_string = false;

	for (i = 0; i + 1 < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c < 0x20 || c > 0x7e)
			return doc_fail(e, DOC_MALFORMED, "%s: a byte that is not printable ASCII", f->what);
		if (in_string) {
			if (c == '\\')
				i++;
			else if (c == '"')
				in_string = false;
			continue;
		}
		if (c == '"')
			in_string = true;
		else if (c == ',')
			values++;
		else if (c == '{' || c == '[') {
			values++;
			if (++depth > DOC_NESTING_MAX)
				return doc_fail(
				    e, DOC_MALFORMED, "%s: nested deeper than %d", f->what, DOC_NESTING_MAX);
		} else if ((c == '}' || c == ']') && depth > 0)
			depth--;
	}
	if (values > f->values)
		return doc_fail(e, DOC_MALFORMED, "%s: more than %zu values", f->what, f->values);
	return DOC_OK;
}

static bool
string_ok(const char *s, size_t n, bool lf)
{
	size_t i;

	for (i = 0; i < n; i++)
		if ((s[i] < 0x20 || s[i] > 0x7e) && !(lf && s[i] == '\n'))
			return false;
	return true;
}

/* Only objects, arrays, strings of allowed characters and integers in range. Depth was bounded by scan(). */
static bool
value_ok(const json_t *v, bool lf)
{
	const char *key;
	json_t *sub;
	size_t i;

	switch (json_typeof(v)) {
	case JSON_OBJECT:
		json_object_foreach((json_t *)(uintptr_t)v, key, sub)
			if (!string_ok(key, strlen(key), false) || !value_ok(sub, lf))
				return false;
		return true;
	case JSON_ARRAY:
		json_array_foreach(v, i, sub)
			if (!value_ok(sub, lf))
				return false;
		return true;
	case JSON_STRING: return string_ok(json_string_value(v), json_string_length(v), lf);
	case JSON_INTEGER:
		return json_integer_value(v) >= 0 && (uint64_t)json_integer_value(v) <= DOC_INT_MAX;
	case JSON_REAL:
	case JSON_TRUE:
	case JSON_FALSE:
	case JSON_NULL: break;
	}
	return false;
}

/* Where a dump is compared with the bytes it should give. */
struct compare {
	const char *p;
	size_t left;
};

static int
compare_chunk(const char *chunk, size_t n, void *arg)
{
	struct compare *c = arg;

	if (n > c->left || memcmp(c->p, chunk, n) != 0)
		return -1;
	c->p += n;
	c->left -= n;
	return 0;
}

enum doc_reason
doc_json_open(json_t **out, const struct doc_form *f, const char *text, size_t len, struct err *e)
{
	struct compare c = { text, len };
	const json_t *type;
	json_t *v;
	json_error_t je;
	enum doc_reason r;

	if (len > f->max)
		return doc_fail(e, DOC_TOO_LARGE, "%s: %zu bytes, at most %zu are allowed", f->what, len, f->max);
	if (len < 3 || text[len - 1] != '\n')
		return doc_fail(e, DOC_MALFORMED, "%s: does not end with LF", f->what);
	r = scan(f, text, len, e);
	if (r != DOC_OK)
		return r;
	v = json_loadb(text, len - 1, JSON_REJECT_DUPLICATES, &je);
	if (v == NULL) {
		/* Out of memory is either said, or leaves the text empty, or (in a string) looks like a bad token. */
		if (json_error_code(&je) == json_error_out_of_memory || je.text[0] == '\0')
			return doc_fail(e, DOC_NO_MEMORY, "%s: no memory to parse it", f->what);
		return doc_fail(e, DOC_MALFORMED, "%s: not JSON as it should be, at byte %d", f->what, je.position);
	}
	if (!json_is_object(v))
		r = doc_fail(e, DOC_MALFORMED, "%s: not an object", f->what);
	else if (!value_ok(v, f->lf))
		r = doc_fail(e, DOC_MALFORMED, "%s: a value of a kind or with characters that may not occur", f->what);
	else if (json_dump_callback(v, compare_chunk, &c, DUMP_FLAGS) != 0 || c.left != 1)
		r = doc_fail(e, DOC_MALFORMED, "%s: not in canonical form", f->what);
	else {
		type = json_object_get(v, "type");
		if (!json_is_string(type) || strcmp(json_string_value(type), f->type) != 0)
			r = doc_fail(e, DOC_MALFORMED, "%s: not of type %s", f->what, f->type);
	}
	if (r == DOC_OK)
		*out = v;
	else
		json_decref(v);
	return r;
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

json_t *
doc_field(struct doc_fields *f, const char *name, json_type type)
{
	json_t *v = json_object_get(f->obj, name);

	if (v != NULL && json_typeof(v) == type)
		return v;
	doc_field_bad(f, name, v == NULL ? "is missing" : "is of another kind");
	return NULL;
}

json_t *
doc_field_array(struct doc_fields *f, const char *name, size_t max)
{
	json_t *v = doc_field(f, name, JSON_ARRAY);

	if (v != NULL && json_array_size(v) > max) {
		doc_field_bad(f, name, "has too many members");
		return NULL;
	}
	return v;
}

void
doc_field_uint(struct doc_fields *f, const char *name, uint64_t min, uint64_t *out)
{
	const json_t *v = doc_field(f, name, JSON_INTEGER);

	if (v == NULL)
		return;
	if ((uint64_t)json_integer_value(v) < min)
		doc_field_bad(f, name, "is too small");
	else
		*out = (uint64_t)json_integer_value(v);
}

void
doc_field_time(struct doc_fields *f, const char *name, int64_t *out)
{
	const json_t *v = doc_field(f, name, JSON_STRING);

	if (v != NULL && utc_parse_hour(out, json_string_value(v)) != 0)
		doc_field_bad(f, name, "is not a whole hour in UTC");
}

int
doc_hex_of(const json_t *value, uint8_t *out, size_t n)
{
	if (!json_is_string(value))
		return -1;
	return hex_decode(out, n, json_string_value(value), json_string_length(value));
}

void
doc_field_hex(struct doc_fields *f, const char *name, uint8_t *out, size_t n)
{
	const json_t *v = doc_field(f, name, JSON_STRING);

	if (v != NULL && doc_hex_of(v, out, n) != 0)
		doc_field_bad(f, name, "is not lower-case hex of its length");
}

void
doc_field_str(struct doc_fields *f, const char *name, size_t min, size_t max, char *out)
{
	const json_t *v = doc_field(f, name, JSON_STRING);
	size_t n;

	if (v == NULL)
		return;
	n = json_string_length(v);
	if (n < min || n > max)
		doc_field_bad(f, name, "is too short or too long");
	else
		memcpy(out, json_string_value(v), n + 1);
}

void
doc_field_member(struct doc_fields *f, const char *name, char out[DOC_MEMBER_LEN + 1])
{
	const json_t *v = doc_field(f, name, JSON_STRING);

	if (v == NULL)
		return;
	if (!doc_member_name_ok(json_string_value(v)))
		doc_field_bad(f, name, "is not a member's name");
	else
		memcpy(out, json_string_value(v), json_string_length(v) + 1);
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
