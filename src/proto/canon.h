/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PROTO_CANON_H
#define PROTO_CANON_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A reader of JSON in the one form that documents have (onionmirror-list(5),
 * "Form"), and of nothing else: what is accepted is, byte for byte, what writing
 * the value again would give. One pass, no recursion, no number beyond 2^53-1.
 *
 * Values lie in one array, each followed by what it holds, so an element is
 * found by stepping over the ones before it.
 */
#define CANON_NESTING_MAX 8 /* the outermost object is 1 */
#define CANON_INT_MAX ((UINT64_C(1) << 53) - 1)

enum canon_type { CANON_OBJECT = 1, CANON_ARRAY, CANON_STRING, CANON_INTEGER };

struct canon_value {
	enum canon_type type;
	uint32_t span;    /* values from this one to the one after it, held ones included */
	uint32_t n;       /* members, elements, or bytes of a string */
	const char *name; /* of a member, NUL-ended; else NULL */
	const char *text; /* of a string: NUL-ended, without escapes */
	uint64_t number;  /* of an integer */
};

struct canon;

/*
 * `text` is `len` bytes without the LF behind them and need not stay. At most
 * `max_values` values. `lf`: strings (not names) may hold LF. *out is freed with
 * canon_free(). ERR_PARSE: not in this form; ERR_LIMIT: nesting or values;
 * ERR_MEMORY. len is below 2^31.
 */
int canon_parse(struct canon **out, const char *text, size_t len, size_t max_values, bool lf, struct err *e);
/* NULL is fine. */
void canon_free(struct canon *c);
/* The outermost value. Values and their texts live as long as c. */
const struct canon_value *canon_top(const struct canon *c);
/* The member of that name, NULL if there is none or `object` is NULL or no object. */
const struct canon_value *canon_get(const struct canon_value *object, const char *name);

/* for (canon_each(v, list)): every element of an array (or member of an object); list is a variable, perhaps NULL. */
static inline const struct canon_value *
canon_end(const struct canon_value *list)
{
	return list != NULL ? list + list->span : NULL;
}
static inline const struct canon_value *
canon_first(const struct canon_value *list)
{
	return list != NULL ? list + 1 : NULL;
}
#define canon_each(v, list) const struct canon_value *v = canon_first(list); v != canon_end(list); v += v->span

#endif
