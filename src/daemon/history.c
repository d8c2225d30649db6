/* SPDX-License-Identifier: BSD-3-Clause */
/* The past, page by page: an answer holds so many records, and a call reads so many rows, that nobody waits for it. */
#include "config.h"
#include "daemon/daemon.h"
#include "daemon/records.h"

#include <string.h>

#define PAGE_ROWS 200
#define SCAN_ROWS 2000

struct page {
	json_t *list;
	const char *mirror;
	uint64_t next; /* the last row that was looked at */
	unsigned seen;
	bool more;
};

static bool
add_row(uint64_t id, const char *p, size_t n, void *arg)
{
	struct page *g = arg;
	json_t *v;
	const char *mirror;

	if (g->seen == SCAN_ROWS || json_array_size(g->list) == PAGE_ROWS) {
		g->more = true;
		return false;
	}
	g->seen++;
	g->next = id;
	v = json_loadb(p, n, JSON_REJECT_DUPLICATES, NULL);
	mirror = json_string_value(json_object_get(v, "mirror"));
	if (v == NULL || (g->mirror != NULL && (mirror == NULL || strcmp(mirror, g->mirror) != 0))) {
		json_decref(v);
		return true;
	}
	json_object_set_new(v, "id", json_integer((json_int_t)id));
	json_array_append_new(g->list, v);
	return true;
}

json_t *
history_call(struct daemon *d, const json_t *params, const char **reason, struct err *e)
{
	const char *table = json_string_value(json_object_get(params, "table"));
	enum store_table t = strcmp(table, "probes") == 0 ? STORE_PROBE : STORE_HISTORY;
	struct page g = { .mirror = json_string_value(json_object_get(params, "mirror")),
		.next = (uint64_t)json_integer_value(json_object_get(params, "after")) };
	int64_t since = json_integer_value(json_object_get(params, "since"));

	if (t == STORE_HISTORY && strcmp(table, "decisions") != 0) {
		*reason = "bad-params";
		err_set(e, ERR_PARSE, "table must be \"probes\" or \"decisions\"");
		return NULL;
	}
	if (since > 0 && record_id_at(since) - 1 > g.next)
		g.next = record_id_at(since) - 1;
	g.list = json_array();
	if (store_each(d->store, t, g.next, add_row, &g, e) == 0)
		return json_pack("{s:o,s:I,s:b}", "records", g.list, "next", (json_int_t)g.next, "more", (int)g.more);
	*reason = "state";
	json_decref(g.list);
	return NULL;
}
