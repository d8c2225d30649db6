/* SPDX-License-Identifier: BSD-3-Clause */
/* What was stored, into the engine; and what the visible list says of it. */
#include "config.h"
#include "base/log.h"
#include "base/rng.h"
#include "daemon/daemon.h"
#include "daemon/records.h"
#include "proto/doc.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEADS_MAX 4

/*
 * A life may end between making a list visible and noting what that means, or
 * between two channels. What readers can see counts, not what was noted.
 */
struct restoring {
	struct daemon *d;
	struct doc_head heads[HEADS_MAX]; /* owned: the visible ones, a channel may be behind */
	size_t n_heads;
	bool none_visible; /* no list that our key signed in this epoch is out */
	struct onion_record *records; /* owned */
	size_t n, cap;
	struct err *e;
	bool failed;
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
	r->failed = record_onion_parse(&r->records[r->n], id, p, n, r->e) != 0;
	r->n += !r->failed;
	return !r->failed;
}

/* --- the visible lists ------------------------------------------------------------------- */

static int
load_head(struct restoring *r, uint64_t serial, struct err *e)
{
	enum doc_reason why;
	char *text;
	size_t n, i;

	for (i = 0; i < r->n_heads; i++)
		if (r->heads[i].serial == serial)
			return 0;
	if (r->n_heads == HEADS_MAX)
		return 0; /* so many channels apart: the next publication joins them */
	if (store_get(r->d->store, STORE_HEAD, head_id(r->d, serial), &text, &n, e) != 0)
		return -1;
	why = doc_head_parse(&r->heads[r->n_heads], text, n, NULL, NULL);
	free(text);
	if (why != DOC_OK)
		return err_set(e, ERR_STATE, "the stored head %llu is %s", (unsigned long long)serial, doc_reason_name(why));
	r->n_heads++;
	return 0;
}

static int
load_channels(struct restoring *r, uint64_t highest, struct err *e)
{
	struct daemon *d = r->d;
	char path[PATH_MAX];
	struct err inner;
	uint64_t serial;
	size_t i;

	for (i = 0; i < d->conf->n_channels; i++) {
		snprintf(path, sizeof path, "%s/%s/current", d->conf->publish_dir, d->conf->channels[i].name);
		serial = publish_highest_serial(d->site, path, 0);
		d->stale = d->stale || serial != highest;
		err_clear(&inner);
		if (serial != 0 && load_head(r, serial, &inner) != 0 && inner.code != ERR_NOTFOUND)
			return err_set(e, inner.code, "%s", inner.msg);
	}
	return r->n_heads > 0 ? 0 : load_head(r, highest, e);
}

static int
load_heads(struct restoring *r, struct err *e)
{
	struct daemon *d = r->d;
	struct err inner = ERR_INIT;
	uint64_t highest = publish_highest_serial(d->site, d->conf->publish_dir, 0), last = 0;
	char *text = NULL;
	size_t n, i;

	if (highest == 0) {
		/* There was a list once; what is out now is of another epoch or key, or gone: readers need a new one. */
		r->none_visible = true;
		if (store_last_id(d->store, STORE_HEAD, &last, e) != 0)
			return -1;
		d->stale = last != 0;
		return 0;
	}
	if (store_get(d->store, STORE_HEAD, head_id(d, highest), &text, &n, &inner) != 0) {
		if (inner.code != ERR_NOTFOUND)
			return err_set(e, inner.code, "%s", inner.msg);
		return err_set(e, ERR_STATE, "%s holds a list with serial %llu that this state has not signed: the state is older than what was "
		    "published (a restored backup?); bring the newest state back, or move the published folder away to begin a new chain",
		    d->conf->publish_dir, (unsigned long long)highest);
	}
	free(text);
	if (load_channels(r, highest, e) != 0)
		return -1;
	for (i = 0; i < r->n_heads; i++) {
		if (r->heads[i].serial < d->serial)
			continue;
		d->serial = r->heads[i].serial;
		d->published = r->heads[i].issued;
		d->valid_until = r->heads[i].valid_until;
	}
	return 0;
}

/* --- what they say of an onion ------------------------------------------------------------- */

/* 1: a visible list holds it; 0: none does; -1: it can't be told, or an error is set. */
static int
is_visible(struct restoring *r, const struct onion_record *o)
{
	struct err inner = ERR_INIT;
	uint8_t hash[DOC_HASH_LEN];
	struct doc_leaf leaf;
	int known = -1;
	char *text;
	size_t n, i;

	if (r->none_visible)
		return 0;
	if (store_get(r->d->store, STORE_LEAF, o->id, &text, &n, &inner) != 0) {
		r->failed = inner.code != ERR_NOTFOUND;
		if (r->failed)
			err_set(r->e, inner.code, "%s", inner.msg);
		return -1;
	}
	doc_hash(hash, text, n);
	for (i = 0; i < r->n_heads && known != 1; i++)
		if (doc_leaves_have((const uint8_t(*)[DOC_HASH_LEN])r->heads[i].leaves, r->heads[i].n_leaves, hash))
			known = 1;
	/* A leaf that was renewed for a list that never became visible is in none, though its onion may be. */
	if (known != 1 && r->n_heads > 0 && doc_leaf_parse(&leaf, text, n, NULL, NULL) == DOC_OK && leaf.from <= r->d->published)
		known = 0;
	free(text);
	return known;
}

/* Its list is visible: what engine_on_published() would have noted. */
static bool
correct_listing(struct restoring *r, struct onion_record *o)
{
	bool was = o->in_list;
	int visible;

	if (o->state != ONION_LISTED && o->state != ONION_READY)
		return false;
	visible = is_visible(r, o);
	if (visible < 0)
		return false;
	if (visible == 1 && o->state == ONION_READY) {
		o->state = ONION_LISTED;
		o->listed = clock_wall_s();
		was = false;
	}
	o->in_list = visible == 1;
	return o->in_list != was;
}

/* Out of the list, and a younger onion of its mirror is in it: it leaves. */
static bool
correct_leaving(struct restoring *r, struct onion_record *o)
{
	const struct conf_mirror *m = daemon_mirror(r->d, o->mirror);
	size_t i;

	if (o->state != ONION_LISTED || o->in_list)
		return false;
	for (i = 0; i < r->n; i++) {
		const struct onion_record *x = &r->records[i];

		if (x->id <= o->id || strcmp(x->mirror, o->mirror) != 0 || x->state != ONION_LISTED || !x->in_list)
			continue;
		o->state = ONION_LEAVING;
		o->left = clock_wall_s();
		o->leave_until = o->left + (m != NULL ? m->drain_s : 72 * 3600);
		return true;
	}
	return false;
}

static bool
warns_of(const struct doc_head *head, const uint8_t h[DOC_HASH_LEN])
{
	size_t i;

	for (i = 0; i < head->n_tombstones; i++)
		if (head->tombstones[i].state == DOC_STATE_REVOKED && memcmp(head->tombstones[i].h, h, DOC_HASH_LEN) == 0)
			return true;
	return false;
}

/* The warning is out: it must not go out again, where it alone would make a list. */
static bool
correct_announced(struct restoring *r, struct onion_record *o)
{
	uint8_t h[DOC_HASH_LEN];
	size_t i;

	if (!o->revoked || o->announced || r->n_heads == 0)
		return false;
	doc_tombstone_hash(h, o->address);
	for (i = 0; i < r->n_heads; i++)
		if (!warns_of(&r->heads[i], h))
			return false;
	o->announced = true;
	o->in_list = false;
	return true;
}

static int
save(struct restoring *r, const struct onion_record *o)
{
	log_notice("%s: %s is %s, and %s in what is visible: the list went out, or away, before that was noted", o->mirror, log_onion(o->address),
	    onion_state_name(o->state), o->in_list ? "is" : "is not");
	return record_put(r->d->store, STORE_ONION, o->id, record_onion(o), r->e);
}

static int
correct_all(struct restoring *r)
{
	bool *changed = xcalloc(r->n + 1, sizeof *changed);
	int ret = -1;
	size_t i;

	for (i = 0; i < r->n && !r->failed; i++)
		changed[i] = correct_listing(r, &r->records[i]) || correct_announced(r, &r->records[i]);
	for (i = 0; i < r->n && !r->failed; i++)
		changed[i] = correct_leaving(r, &r->records[i]) || changed[i];
	for (i = 0; i < r->n && !r->failed; i++)
		r->failed = changed[i] && save(r, &r->records[i]) != 0;
	ret = r->failed ? -1 : 0;
	free(changed);
	return ret;
}

/* --- the rest -------------------------------------------------------------------------------- */

int
restore_log(struct daemon *d, struct err *e)
{
	uint8_t key[32];

	if (store_get_exact(d->store, STORE_META, STORE_META_INSTALLATION, key, sizeof key, e) != 0)
		return -1;
	log_set_onions(d->conf->log_onions, key);
	mem_wipe(key, sizeof key);
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
	return restore_log(d, e);
}

/* What the operator asked for, by mirror; mirrors that are no longer configured are forgotten at the next change. */
static int
load_holds(struct daemon *d, struct err *e)
{
	struct err inner = ERR_INIT;
	enum mirror_hold h;
	const char *name;
	json_t *all, *v;
	char *text;
	size_t n;
	int ret = 0;

	if (store_get(d->store, STORE_META, STORE_META_HOLDS, &text, &n, &inner) != 0)
		return inner.code == ERR_NOTFOUND ? 0 : err_set(e, inner.code, "%s", inner.msg);
	all = json_loadb(text, n, JSON_REJECT_DUPLICATES, NULL);
	free(text);
	if (!json_is_object(all))
		ret = -1;
	json_object_foreach(all, name, v) {
		if (!json_is_string(v) || mirror_hold_parse(&h, json_string_value(v)) != 0)
			ret = -1;
		else
			engine_restore_mirror(d->engine, name, h);
	}
	json_decref(all);
	return ret == 0 ? 0 : err_set(e, ERR_STATE, "what is stored of drained mirrors and maintenance can't be read: the state was damaged");
}

int
restore_save_holds(struct daemon *d, struct err *e)
{
	json_t *all = json_object();
	char *text;
	size_t i;
	int r = 0;

	for (i = 0; i < d->conf->n_mirrors; i++)
		if (engine_mirror_hold(d->engine, (int)i) != HOLD_NONE)
			r |= json_object_set_new(all, d->conf->mirrors[i].name, json_string(mirror_hold_name(engine_mirror_hold(d->engine, (int)i))));
	text = r == 0 ? json_dumps(all, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
	json_decref(all);
	if (text == NULL)
		return err_set(e, ERR_MEMORY, "out of memory");
	r = store_put(d->store, STORE_META, STORE_META_HOLDS, text, strlen(text), e);
	free(text);
	return r;
}

int
restore_all(struct daemon *d, struct actions *out, struct err *e)
{
	struct restoring r = { .d = d, .e = e };
	int ret = -1;
	size_t i;

	if (make_meta(d, e) != 0 || store_last_id(d->store, STORE_PROBE, &d->probe_id, e) != 0 ||
	    store_last_id(d->store, STORE_HISTORY, &d->history_id, e) != 0 || load_heads(&r, e) != 0 ||
	    store_each(d->store, STORE_ONION, 0, take_record, &r, e) != 0 || r.failed || correct_all(&r) != 0)
		goto out;
	for (i = 0; i < r.n; i++)
		engine_restore(d->engine, &r.records[i]);
	if (load_holds(d, e) != 0)
		goto out;
	engine_start(d->engine, clock_now(), d->serial, d->valid_until, out);
	ret = 0;
out:
	for (i = 0; i < r.n_heads; i++)
		doc_head_free(&r.heads[i]);
	free(r.records);
	return ret;
}
