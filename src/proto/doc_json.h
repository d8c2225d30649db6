/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PROTO_DOC_JSON_H
#define PROTO_DOC_JSON_H

#include "proto/canon.h"
#include "proto/doc.h"

#include <jansson.h>

/*
 * What the document readers and writers share: canonical JSON in (canon.h) and
 * out (jansson), and typed fields. Internal to the documents (and the library's store).
 */

/* What a text may be. */
struct doc_form {
	const char *what; /* "head": for messages */
	const char *type; /* the required `type` */
	size_t max;       /* bytes, with the LF */
	size_t values;    /* JSON values at most */
	bool lf;          /* strings may hold LF: bundles */
};

/* *out is canon_free()d. Size, form, type: DOC_TOO_LARGE, DOC_MALFORMED or DOC_NO_MEMORY. */
enum doc_reason doc_json_open(struct canon **out, const struct doc_form *f, const char *text, size_t len, struct err *e);
/* The canonical text of a value, malloced, with LF and NUL; *len (may be NULL) without NUL. */
int doc_json_dump(char **out, size_t *len, const json_t *value, struct err *e);

/*
 * Fields of one object, the first error wins: after any number of calls look at
 * `reason`. A missing field or one of another type or outside its bounds is
 * DOC_MALFORMED and leaves the output alone.
 */
struct doc_fields {
	const struct canon_value *obj;
	const char *what;
	enum doc_reason reason;
	struct err *e;
};

void doc_field_bad(struct doc_fields *f, const char *name, const char *why);
/* The value, or NULL (malformed) if absent or of another type. */
const struct canon_value *doc_field(struct doc_fields *f, const char *name, enum canon_type type);
/* An array of at most `max` members (SIZE_MAX: any); its elements are the caller's. NULL if bad. */
const struct canon_value *doc_field_array(struct doc_fields *f, const char *name, size_t max);
/* min..CANON_INT_MAX */
void doc_field_uint(struct doc_fields *f, const char *name, uint64_t min, uint64_t *out);
/* A whole hour. */
void doc_field_time(struct doc_fields *f, const char *name, int64_t *out);
/* 2n lower-case hex digits. */
void doc_field_hex(struct doc_fields *f, const char *name, uint8_t *out, size_t n);
/* min..max characters into max + 1 bytes. */
void doc_field_str(struct doc_fields *f, const char *name, size_t min, size_t max, char *out);
void doc_field_member(struct doc_fields *f, const char *name, char out[DOC_MEMBER_LEN + 1]);
/* The element as 2n hex digits; 0 or -1. */
int doc_hex_of(const struct canon_value *value, uint8_t *out, size_t n);
/* `site`: read, then compared with `want` (NULL: any): DOC_WRONG_SITE. */
void doc_field_site(struct doc_fields *f, const uint8_t *want, uint8_t out[DOC_HASH_LEN]);

/* Values to put into objects with json_object_set_new(), which takes NULL as failure. */
json_t *doc_json_hex(const uint8_t *p, size_t n);
json_t *doc_json_time(int64_t t);
json_t *doc_json_text(struct doc_text t);
/* {"doc": text, "sigs": [text]}, as in a bundle. Reading: out->sigs is malloced (free it also on failure), texts point into v. */
json_t *doc_json_signed(const struct doc_signed *s, bool *bad);
void doc_json_read_signed(struct doc_fields *f, const struct canon_value *v, struct doc_signed *out);
/* The `tombstones` array; written ascending by h. *out is malloced, also on failure (or left NULL). */
json_t *doc_json_tombstones(const struct doc_tombstone *t, size_t n, bool *bad);
void doc_json_read_tombstones(struct doc_fields *f, struct doc_tombstone **out, size_t *n_out);
/* Sets and remembers failure in *bad. */
void doc_json_set(json_t *obj, const char *name, json_t *value, bool *bad);
void doc_json_append(json_t *array, json_t *value, bool *bad);
/* Ends a write: dumps unless bad, drops `obj`. */
int doc_json_finish(char **out, size_t *len, json_t *obj, bool bad, struct err *e);
/* Ends a write: what was written must parse, or it is freed and -1. */
int doc_write_checked(char **out, size_t *len, char *text, size_t n, enum doc_reason reason, struct err *e);

#endif
