/* SPDX-License-Identifier: BSD-3-Clause */
/* Stored records as JSON. */
#include "config.h"
#include "daemon/records.h"

#include "base/clock.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The master copy of an onion record's plain fields. */
static const struct {
	const char *name;
	size_t offset;
	enum { FIELD_NAME, FIELD_BOOL, FIELD_TIME } type;
} fields[] = {
	{ "mirror", offsetof(struct onion_record, mirror), FIELD_NAME },
	{ "tor", offsetof(struct onion_record, tor), FIELD_NAME },
	{ "channel", offsetof(struct onion_record, channel), FIELD_NAME },
	{ "in_list", offsetof(struct onion_record, in_list), FIELD_BOOL },
	{ "revoked", offsetof(struct onion_record, revoked), FIELD_BOOL },
	{ "by_hand", offsetof(struct onion_record, by_hand), FIELD_BOOL },
	{ "announced", offsetof(struct onion_record, announced), FIELD_BOOL },
	{ "proved", offsetof(struct onion_record, proved), FIELD_BOOL },
	{ "created", offsetof(struct onion_record, created), FIELD_TIME },
	{ "added", offsetof(struct onion_record, added), FIELD_TIME },
	{ "proved_at", offsetof(struct onion_record, proved_at), FIELD_TIME },
	{ "listed", offsetof(struct onion_record, listed), FIELD_TIME },
	{ "left", offsetof(struct onion_record, left), FIELD_TIME },
	{ "leave_until", offsetof(struct onion_record, leave_until), FIELD_TIME },
	{ "tombstone_until", offsetof(struct onion_record, tombstone_until), FIELD_TIME },
};
#define N_FIELDS (sizeof fields / sizeof fields[0])

json_t *
record_onion(const struct onion_record *r)
{
	json_t *o = json_pack("{s:I,s:s,s:s,s:s}", "id", (json_int_t)r->id, "address", r->address, "state", onion_state_name(r->state), "cause",
	    onion_cause_name(r->cause));
	size_t i;

	for (i = 0; o != NULL && i < N_FIELDS; i++) {
		const char *at = (const char *)r + fields[i].offset;
		json_t *v = NULL;

		switch (fields[i].type) {
		case FIELD_NAME: v = json_string(at); break;
		case FIELD_BOOL: v = json_boolean(*(const bool *)at); break;
		case FIELD_TIME: v = json_integer(*(const int64_t *)at); break;
		}
		/* Half a record would be a damaged state when it is read again. */
		if (json_object_set_new(o, fields[i].name, v) != 0) {
			json_decref(o);
			return NULL;
		}
	}
	return o;
}

static int
take_field(struct onion_record *r, size_t i, const json_t *v)
{
	char *at = (char *)r + fields[i].offset;

	switch (fields[i].type) {
	case FIELD_NAME:
		if (!json_is_string(v) || json_string_length(v) > ONION_NAME_MAX)
			return -1;
		memcpy(at, json_string_value(v), json_string_length(v) + 1);
		return 0;
	case FIELD_BOOL:
		if (!json_is_boolean(v))
			return -1;
		*(bool *)at = json_is_true(v);
		return 0;
	case FIELD_TIME:
		if (!json_is_integer(v))
			return -1;
		*(int64_t *)at = json_integer_value(v);
		return 0;
	}
	return -1;
}

int
record_onion_parse(struct onion_record *r, uint64_t id, const char *text, size_t n, struct err *e)
{
	json_t *o = json_loadb(text, n, JSON_REJECT_DUPLICATES, NULL);
	struct onion_record got = { .id = id };
	const char *address, *state, *cause;
	size_t i;
	int ok = json_unpack(o, "{s:s,s:s,s:s}", "address", &address, "state", &state, "cause", &cause) == 0 && strlen(address) == 56 &&
	    onion_state_parse(&got.state, state) == 0 && onion_cause_parse(&got.cause, cause) == 0;

	for (i = 0; ok && i < N_FIELDS; i++)
		ok = take_field(&got, i, json_object_get(o, fields[i].name)) == 0;
	if (ok) {
		memcpy(got.address, address, 57);
		*r = got;
	} else {
		err_set(e, ERR_STATE, "the stored record of onion %llu can't be read: the state was damaged", (unsigned long long)id);
	}
	json_decref(o);
	return ok ? 0 : -1;
}

json_t *
record_phases(const struct phases *p)
{
	return json_pack("{s:i,s:i,s:i,s:i,s:i,s:i,s:i}", "connect", (int)p->connect, "descriptor", (int)p->descriptor, "introduction",
	    (int)p->introduction, "rendezvous", (int)p->rendezvous, "circuit", (int)p->circuit, "first_byte", (int)p->first_byte, "total",
	    (int)p->total);
}

json_t *
record_probe(const char *address, const char *mirror, int64_t added, bool direct, int64_t wall, const struct probe_result *pr)
{
	json_t *v = json_pack("{s:s,s:s,s:I,s:b,s:I,s:s,s:i,s:i,s:b,s:b,s:s,s:o}", "address", address, "mirror", mirror, "added", (json_int_t)added,
	    "direct", (int)direct, "wall", (json_int_t)wall, "verdict", verdict_name(pr->verdict), "socks", pr->socks_code, "http",
	    pr->http_status, "stale_hsdir", (int)pr->stale_hsdir, "fetched", (int)(pr->fetch == FETCH_FOUND), "detail", pr->detail, "ms", record_phases(&pr->phases));

	if (pr->has_version && v != NULL)
		json_object_set_new(v, "version", json_integer((json_int_t)pr->version));
	return v;
}

int
record_put(struct store *s, enum store_table t, uint64_t id, json_t *v, struct err *e)
{
	char *text = v != NULL ? json_dumps(v, JSON_COMPACT) : NULL;
	int r = text != NULL ? store_put(s, t, id, text, strlen(text), e) : err_set(e, ERR_MEMORY, "out of memory");

	free(text);
	json_decref(v);
	return r;
}

uint64_t
record_id_at(int64_t wall)
{
	return (uint64_t)wall * 1000000;
}

uint64_t
record_next_id(uint64_t *last)
{
	uint64_t at = record_id_at(clock_wall_s());

	*last = at > *last ? at : *last + 1;
	return *last;
}
