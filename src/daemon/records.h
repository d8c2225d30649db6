/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef DAEMON_RECORDS_H
#define DAEMON_RECORDS_H

#include "base/err.h"
#include "mirror/onion.h"
#include "store/store.h"
#include "tor/prober.h"

#include <jansson.h>

/* Stored records, as JSON objects: an onion, a probe. The caller owns what is returned. NULL: out of memory. */
json_t *record_onion(const struct onion_record *r);
/* ERR_STATE if it is not such a record. */
int record_onion_parse(struct onion_record *r, uint64_t id, const char *text, size_t n, struct err *e);
/* Milliseconds by the names of struct phases. */
json_t *record_phases(const struct phases *p);
/* `added`: when the onion was last added to tor, wall s. `direct`: a check of the backend. */
json_t *record_probe(const char *address, const char *mirror, int64_t added, bool direct, int64_t wall, const struct probe_result *pr);

/* Stores a record; v is stolen, NULL is ERR_MEMORY. */
int record_put(struct store *s, enum store_table t, uint64_t id, json_t *v, struct err *e);
/*
 * Ids of probes and history carry the time, so that old rows can be trimmed by
 * id alone: the first id of a wall second, and the next one above *last.
 */
uint64_t record_id_at(int64_t wall);
uint64_t record_next_id(uint64_t *last);

#endif
