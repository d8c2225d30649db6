/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The reader of canonical JSON against its definition: it accepts exactly what
 * a stock JSON library parses and then writes the same way, and finds the same values.
 */
#include "config.h"
#include "fuzz.h"

#include "proto/canon.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define VALUES_MAX 4096

/* The rules that the definition adds to JSON: characters, kinds, range, depth. */
static bool allowed(const json_t *v, bool lf, unsigned depth)
{
	const char *name, *p;
	json_t *sub;
	size_t i;

	switch (json_typeof(v)) {
	case JSON_OBJECT:
		json_object_foreach((json_t *)(uintptr_t)v, name, sub)
		{
			for (p = name; *p != '\0'; p++)
				if (*p < 0x20 || *p > 0x7e)
					return false;
			if (!allowed(sub, lf, depth + 1))
				return false;
		}
		return depth < CANON_NESTING_MAX;
	case JSON_ARRAY:
		json_array_foreach(v, i, sub)
			if (!allowed(sub, lf, depth + 1))
				return false;
		return depth < CANON_NESTING_MAX;
	case JSON_STRING:
		for (i = 0; i < json_string_length(v); i++) {
			char c = json_string_value(v)[i];

			if ((c < 0x20 || c > 0x7e) && !(lf && c == '\n'))
				return false;
		}
		return true;
	case JSON_INTEGER: return json_integer_value(v) >= 0 && (uint64_t)json_integer_value(v) <= CANON_INT_MAX;
	case JSON_REAL:
	case JSON_TRUE:
	case JSON_FALSE:
	case JSON_NULL: break;
	}
	return false;
}

static bool same(const json_t *a, const struct canon_value *b)
{
	size_t i = 0;

	if (json_is_object(a)) {
		for (canon_each(v, b))
			if (json_object_get(a, v->name) == NULL || !same(json_object_get(a, v->name), v) || canon_get(b, v->name) != v)
				return false;
		return b->type == CANON_OBJECT && json_object_size(a) == b->n;
	}
	if (json_is_array(a)) {
		for (canon_each(v, b))
			if (i >= json_array_size(a) || !same(json_array_get(a, i++), v))
				return false;
		return b->type == CANON_ARRAY && i == json_array_size(a) && i == b->n;
	}
	if (json_is_string(a))
		return b->type == CANON_STRING && b->n == json_string_length(a) && strlen(b->text) == b->n &&
		    memcmp(b->text, json_string_value(a), b->n) == 0;
	return b->type == CANON_INTEGER && b->number == (uint64_t)json_integer_value(a);
}

static void look(const char *text, size_t size, bool lf)
{
	json_t *v = json_loadb(text, size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
	char *dump = v != NULL ? json_dumps(v, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY) : NULL;
	bool canonical = dump != NULL && strlen(dump) == size && memcmp(dump, text, size) == 0 && allowed(v, lf, 0);
	struct err e = ERR_INIT;
	struct canon *c = NULL;
	int r = canon_parse(&c, text, size, VALUES_MAX, lf, &e);

	if (r != 0 && e.code == ERR_LIMIT && strstr(e.msg, "values") != NULL)
		canonical = false; /* the one bound that JSON doesn't have */
	FUZZ_CHECK((r == 0) == canonical);
	FUZZ_CHECK((r == 0) == (c != NULL) && (r == 0) == (e.code == ERR_NONE));
	FUZZ_CHECK(r != 0 || same(v, canon_top(c)));
	canon_free(c);
	free(dump);
	json_decref(v);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	look((const char *)data, size, false);
	look((const char *)data, size, true);
	return 0;
}
