/* SPDX-License-Identifier: BSD-3-Clause */
/* What was stored, into the engine; and what the visible list says of it. */
#include "config.h"
#include "base/rng.h"
#include "daemon/daemon.h"
#include "daemon/records.h"
#include "proto/doc.h"

#include <stdlib.h>
#include <string.h>

struct restoring {
	struct daemon *d;
	struct doc_head head; /* of the newest visible list; no leaves if there is none */
	struct err *e;
	struct onion_record *records;
	size_t n, cap;
};

/* A record as it was written. */
static bool
take_record(uint64_t id, const char *p, size_t n, void *arg)
{
	struct restoring *r = arg;

	if (r->n == r->cap) {
		r->cap = r->cap == 0 ? 64 : r->cap * 2;
		r->records = xreallocarray(r->records, r->cap, sizeof *r->records);
	}
	return record_onion_parse(&r->records[r->n], id, p, n, r->e) == 0 && ++r->n > 0;
}

/*
 * The list may have become visible in the moment before we died: what it holds
 * counts, not what we had noted.
 */
static int
correct_listing(struct restoring *r, struct onion_record *o)
{
	struct err inner = ERR_INIT;
	uint8_t hash[DOC_HASH_LEN];
	char *leaf;
	size_t n;

	if (o->state == ONION_GONE || o->state == ONION_FAILED)
		return 0;
	if (store_get(r->d->store, STORE_LEAF, o->id, &leaf, &n, &inner) != 0)
		return inner.code == ERR_NOTFOUND ? 0 : err_set(r->e, inner.code, "%s", inner.msg);
	doc_hash(hash, leaf, n);
	free(leaf);
	if (o->state != ONION_LISTED && o->state != ONION_READY)
		return 0;
	if (doc_leaves_have((const uint8_t(*)[DOC_HASH_LEN])r->head.leaves, r->head.n_leaves, hash)) {
		o->in_list = true;
		if (o->state == ONION_READY) {
			o->state = ONION_LISTED;
			o->listed = clock_wall_s();
		}
	} else if (r->head.n_leaves > 0) {
		o->in_list = false;
	}
	return 0;
}

/* The head of the newest visible list, if the store knows it. */
static int
load_head(struct restoring *r, struct err *e)
{
	struct err inner = ERR_INIT;
	uint64_t serial = publish_highest_serial(r->d->conf->publish_dir);
	enum doc_reason why;
	char *text;
	size_t n;

	if (serial == 0)
		return 0;
	if (store_get(r->d->store, STORE_HEAD, serial, &text, &n, &inner) != 0) {
		if (inner.code != ERR_NOTFOUND)
			return err_set(e, inner.code, "%s", inner.msg);
		return err_set(e, ERR_STATE, "%s holds a list with serial %llu that this state has not signed: the state is older than what was "
		    "published (a restored backup?); bring the newest state back, or move the published folder away to begin a new chain",
		    r->d->conf->publish_dir, (unsigned long long)serial);
	}
	why = doc_head_parse(&r->head, text, n, NULL, NULL);
	free(text);
	if (why != DOC_OK)
		return err_set(e, ERR_STATE, "the stored head %llu is %s", (unsigned long long)serial, doc_reason_name(why));
	r->d->serial = serial;
	r->d->published = r->head.issued;
	r->d->valid_until = r->head.valid_until;
	return 0;
}

/* What a fresh store needs: a key for hashed logs, one for channels, the counter of onions. */
static int
make_meta(struct daemon *d, struct err *e)
{
	const enum store_meta keys[] = { STORE_META_INSTALLATION, STORE_META_CHANNEL_KEY };
	struct err inner;
	uint8_t key[32];
	size_t i, n;
	char *text;

	for (i = 0; i < 2; i++) {
		err_clear(&inner);
		if (store_get_exact(d->store, STORE_META, keys[i], key, sizeof key, &inner) == 0)
			continue;
		if (inner.code != ERR_NOTFOUND)
			return err_set(e, inner.code, "%s", inner.msg);
		rng_bytes(key, sizeof key);
		if (store_put(d->store, STORE_META, keys[i], key, sizeof key, e) != 0)
			return -1;
	}
	err_clear(&inner);
	if (store_get(d->store, STORE_META, STORE_META_NEXT_ID, &text, &n, &inner) == 0)
		free(text);
	else if (inner.code != ERR_NOTFOUND || store_put(d->store, STORE_META, STORE_META_NEXT_ID, "1", 1, e) != 0)
		return err_set(e, inner.code, "%s", inner.msg);
	mem_wipe(key, sizeof key);
	if (store_get_exact(d->store, STORE_META, STORE_META_INSTALLATION, d->log_key, sizeof d->log_key, e) != 0)
		return -1;
	log_set_onions(d->conf->log_onions, d->log_key);
	return 0;
}

int
restore_all(struct daemon *d, struct actions *out, struct err *e)
{
	struct restoring r = { .d = d, .e = e };
	size_t i;
	int ret = -1;

	if (make_meta(d, e) != 0 || store_last_id(d->store, STORE_PROBE, &d->probe_id, e) != 0 ||
	    store_last_id(d->store, STORE_HISTORY, &d->history_id, e) != 0 || load_head(&r, e) != 0 ||
	    store_each(d->store, STORE_ONION, 0, take_record, &r, e) != 0 || (e != NULL && e->code != ERR_NONE))
		goto out;
	for (i = 0; i < r.n; i++) {
		if (correct_listing(&r, &r.records[i]) != 0)
			goto out;
		engine_restore(d->engine, &r.records[i]);
	}
	engine_start(d->engine, clock_now(), d->serial, d->valid_until, out);
	ret = 0;
out:
	doc_head_free(&r.head);
	free(r.records);
	return ret;
}
