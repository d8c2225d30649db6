/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The reader of canonical JSON: a cursor over the text, a stack of what is open,
 * one array of values and one pool of strings, which the reader owns.
 */
#include "config.h"
#include "proto/canon.h"

#include <stdlib.h>
#include <string.h>

struct canon {
	struct canon_value *values;
	size_t n, cap;
	char *pool; /* strings without quotes and escapes, each with a NUL: never longer than the text */
};

struct cursor {
	struct canon *c;
	const char *at, *end, *begin;
	char *pool;
	size_t max_values;
	bool lf;
	uint32_t open[CANON_NESTING_MAX]; /* indices of the objects and arrays we are in */
	const char *last[CANON_NESTING_MAX]; /* the last name in each: names ascend */
	unsigned depth;
	struct err *e;
};

static int
bad(const struct cursor *k, const char *what)
{
	return err_set(k->e, ERR_PARSE, "%s at byte %zu", what, (size_t)(k->at - k->begin));
}

/* A string from its opening quote on; *text points into the pool. */
static int
read_string(struct cursor *k, bool lf, const char **text, uint32_t *n)
{
	char *out = k->pool;

	for (k->at++; k->at < k->end && *k->at != '"'; k->at++) {
		unsigned char c = (unsigned char)*k->at;

		if (c < 0x20 || c > 0x7e)
			return bad(k, "a byte that is not printable ASCII");
		if (c == '\\') {
			if (++k->at == k->end)
				break;
			if (*k->at == 'n' && lf)
				c = '\n';
			else if (*k->at == '"' || *k->at == '\\')
				c = (unsigned char)*k->at;
			else
				return bad(k, "an escape that is not canonical");
		}
		*out++ = (char)c;
	}
	if (k->at == k->end)
		return bad(k, "a string that does not end");
	k->at++;
	*text = k->pool;
	*n = (uint32_t)(out - k->pool);
	*out = '\0';
	k->pool = out + 1;
	return 0;
}

static int
read_number(struct cursor *k, uint64_t *number)
{
	const char *from = k->at;
	uint64_t v = 0;

	for (; k->at < k->end && *k->at >= '0' && *k->at <= '9' && v <= CANON_INT_MAX; k->at++)
		v = v * 10 + (uint64_t)(*k->at - '0');
	if (k->at == from || v > CANON_INT_MAX || (*from == '0' && k->at - from > 1))
		return bad(k, "not a value of an allowed kind");
	*number = v;
	return 0;
}

static struct canon_value *
value_new(struct cursor *k)
{
	struct canon *c = k->c;
	struct canon_value *more;

	if (c->n >= k->max_values) {
		err_set(k->e, ERR_LIMIT, "more than %zu values", k->max_values);
		return NULL;
	}
	if (c->n == c->cap) {
		more = reallocarray(c->values, c->cap * 2 + 16, sizeof *more);
		if (more == NULL) {
			err_set(k->e, ERR_MEMORY, "out of memory");
			return NULL;
		}
		c->values = more;
		c->cap = c->cap * 2 + 16;
	}
	memset(&c->values[c->n], 0, sizeof *c->values);
	c->values[c->n].span = 1;
	return &c->values[c->n++];
}

static int
open_value(struct cursor *k, struct canon_value *v, enum canon_type type)
{
	if (k->depth == CANON_NESTING_MAX)
		return err_set(k->e, ERR_LIMIT, "nested deeper than %d", CANON_NESTING_MAX);
	v->type = type;
	k->open[k->depth] = (uint32_t)(v - k->c->values);
	k->last[k->depth++] = NULL;
	k->at++;
	return 0;
}

/* One value, or the beginning of one that holds others. */
static int
read_value(struct cursor *k, const char *name)
{
	struct canon_value *v = value_new(k);

	if (v == NULL)
		return -1;
	v->name = name;
	switch (k->at < k->end ? *k->at : '\0') {
	case '{': return open_value(k, v, CANON_OBJECT);
	case '[': return open_value(k, v, CANON_ARRAY);
	case '"': v->type = CANON_STRING; return read_string(k, k->lf, &v->text, &v->n);
	default: v->type = CANON_INTEGER; return read_number(k, &v->number);
	}
}

/* The next member or element of what is open, its comma before it. */
static int
read_next(struct cursor *k, struct canon_value *in)
{
	const char *name = NULL;
	uint32_t n;

	if (in->n > 0 && *k->at++ != ',')
		return k->at--, bad(k, "no comma");
	in->n++;
	if (in->type == CANON_ARRAY)
		return read_value(k, NULL);
	if (k->at == k->end || *k->at != '"')
		return bad(k, "no name");
	if (read_string(k, false, &name, &n) != 0)
		return -1;
	if (k->last[k->depth - 1] != NULL && strcmp(k->last[k->depth - 1], name) >= 0)
		return bad(k, "names that do not ascend");
	k->last[k->depth - 1] = name;
	if (k->at == k->end || *k->at != ':')
		return bad(k, "no colon");
	k->at++;
	return read_value(k, name);
}

static int
read_all(struct cursor *k)
{
	struct canon_value *in;

	if (read_value(k, NULL) != 0)
		return -1;
	while (k->depth > 0) {
		in = &k->c->values[k->open[k->depth - 1]];
		if (k->at == k->end)
			return bad(k, "an end too early");
		if (*k->at == (in->type == CANON_OBJECT ? '}' : ']')) {
			in->span = (uint32_t)(k->c->n - k->open[k->depth - 1]);
			k->depth--;
			k->at++;
		} else if (read_next(k, in) != 0) {
			return -1;
		}
	}
	return k->at == k->end ? 0 : bad(k, "something behind the end");
}

int
canon_parse(struct canon **out, const char *text, size_t len, size_t max_values, bool lf, struct err *e)
{
	struct canon *c = calloc(1, sizeof *c);
	struct cursor k = { .c = c, .at = text, .begin = text, .end = text + len, .max_values = max_values, .lf = lf, .e = e };

	if (c == NULL || len > INT32_MAX || (c->pool = malloc(len + 1)) == NULL) {
		canon_free(c);
		return err_set(e, ERR_MEMORY, "out of memory");
	}
	k.pool = c->pool;
	if (read_all(&k) != 0) {
		canon_free(c);
		return -1;
	}
	*out = c;
	return 0;
}

void
canon_free(struct canon *c)
{
	if (c == NULL)
		return;
	free(c->values);
	free(c->pool);
	free(c);
}

const struct canon_value *
canon_top(const struct canon *c)
{
	return c->values;
}

const struct canon_value *
canon_get(const struct canon_value *object, const char *name)
{
	if (object == NULL || object->type != CANON_OBJECT)
		return NULL;
	for (canon_each(v, object))
		if (strcmp(v->name, name) == 0)
			return v;
	return NULL;
}
