/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What was seen of other members in this epoch: each one's newest head and all
 * addresses that it withdrew. Readers remember the same, so what goes against
 * it would make them refuse our list; and unlike the list that is visible, it
 * outlives a renamed channel and a publication without the others.
 */
#include "config.h"
#include "base/enc.h"
#include "publish/publish_impl.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define TOMBSTONES_MAX 14000 /* of one member: what one row holds. A head has room for 8,590 */

struct memory_entry {
	char member[DOC_MEMBER_LEN + 1];
	uint8_t key[DOC_KEY_LEN];
	uint64_t epoch;
	struct chain_seen head;
	struct doc_tombstone *tombstones; /* owned, ascending by h; `since` is not kept */
	size_t n;
	bool changed;
};

struct publish_memory {
	struct memory_entry *v; /* owned */
	size_t n;
};

struct publish_memory *
publish_memory_new(void)
{
	return calloc(1, sizeof(struct publish_memory));
}

void
publish_memory_free(struct publish_memory *m)
{
	size_t i;

	for (i = 0; m != NULL && i < m->n; i++)
		free(m->v[i].tombstones);
	if (m != NULL)
		free(m->v);
	free(m);
}

static struct memory_entry *
find(const struct publish_memory *m, const char *member, const uint8_t key[DOC_KEY_LEN])
{
	size_t i;

	for (i = 0; i < m->n; i++)
		if (strcmp(m->v[i].member, member) == 0 && memcmp(m->v[i].key, key, DOC_KEY_LEN) == 0)
			return &m->v[i];
	return NULL;
}

static struct memory_entry *
add(struct publish_memory *m, const char *member, const uint8_t key[DOC_KEY_LEN])
{
	struct memory_entry *more = reallocarray(m->v, m->n + 1, sizeof *more), *x;

	if (more == NULL)
		return NULL;
	m->v = more;
	x = &more[m->n++];
	memset(x, 0, sizeof *x);
	strncpy(x->member, member, sizeof x->member - 1);
	memcpy(x->key, key, DOC_KEY_LEN);
	return x;
}

struct chain_seen
memory_head(const struct publish_memory *m, const struct doc_member *who, uint64_t epoch)
{
	const struct memory_entry *x = find(m, who->name, who->key);

	return x != NULL && x->epoch == epoch ? x->head : (struct chain_seen){ 0 };
}

bool
memory_withdrew(const struct publish_memory *m, uint64_t epoch, const char *addr)
{
	size_t i;

	for (i = 0; i < m->n; i++)
		if (m->v[i].epoch == epoch && chain_tombstone_find(m->v[i].tombstones, m->v[i].n, addr) != NULL)
			return true;
	return false;
}

/* Both lists as one, or the old one if that is too much. */
static enum doc_reason
add_tombstones(struct memory_entry *x, const struct doc_tombstone *t, size_t n)
{
	struct doc_tombstone *all = reallocarray(x->tombstones, x->n + n + 1, sizeof *all);
	size_t i, more = 0;

	if (all == NULL)
		return DOC_NO_MEMORY;
	x->tombstones = all;
	for (i = 0; i < n; i++)
		if (bsearch(t[i].h, all, x->n, sizeof *all, tombstone_cmp) == NULL)
			all[x->n + more++] = t[i];
	if (x->n + more > TOMBSTONES_MAX)
		return DOC_TOO_LARGE;
	x->n += more;
	tombstones_sort(all, x->n);
	x->changed = x->changed || more > 0;
	return DOC_OK;
}

enum doc_reason
memory_add(struct publish_memory *m, const struct doc_member *who, const struct doc_head *h, const uint8_t sha256[DOC_HASH_LEN], struct err *e)
{
	struct memory_entry *x = find(m, who->name, who->key);
	enum doc_reason why;

	if (x == NULL && (x = add(m, who->name, who->key)) == NULL)
		return doc_fail(e, DOC_NO_MEMORY, "out of memory");
	if (x->epoch != h->epoch) {
		x->epoch = h->epoch;
		x->head.number = 0;
		x->n = 0;
		x->changed = true;
	}
	if (h->serial > x->head.number) {
		x->head.number = h->serial;
		memcpy(x->head.sha256, sha256, DOC_HASH_LEN);
		x->changed = true;
	}
	why = add_tombstones(x, h->tombstones, h->n_tombstones);
	if (why == DOC_TOO_LARGE)
		return doc_fail(e, why, "%s withdrew more than %d addresses in this epoch", h->member, TOMBSTONES_MAX);
	return why == DOC_OK ? why : doc_fail(e, why, "out of memory");
}

/* --- as text --------------------------------------------------------------------------------- */

static json_t *
hex(const uint8_t *p, size_t n)
{
	char text[2 * DOC_HASH_LEN + 1];

	hex_encode(text, p, n);
	return json_string(text);
}

static int
unhex(uint8_t out[DOC_HASH_LEN], const json_t *v)
{
	const char *s = json_string_value(v);

	return s != NULL && strlen(s) == 2 * DOC_HASH_LEN ? hex_decode(out, DOC_HASH_LEN, s, 2 * DOC_HASH_LEN) : -1;
}

static char *
entry_text(const struct memory_entry *x)
{
	json_t *o = json_object(), *withdrawn = json_array();
	char *text = NULL;
	size_t i;
	int r = 0;

	for (i = 0; i < x->n; i++)
		r |= json_array_append_new(withdrawn, hex(x->tombstones[i].h, DOC_HASH_LEN));
	r |= json_object_set_new(o, "withdrawn", withdrawn);
	r |= json_object_set_new(o, "member", json_string(x->member));
	r |= json_object_set_new(o, "key", hex(x->key, DOC_KEY_LEN));
	r |= json_object_set_new(o, "epoch", json_integer((json_int_t)x->epoch));
	r |= json_object_set_new(o, "serial", json_integer((json_int_t)x->head.number));
	r |= json_object_set_new(o, "sha256", hex(x->head.sha256, DOC_HASH_LEN));
	if (r == 0)
		text = json_dumps(o, JSON_COMPACT | JSON_SORT_KEYS);
	json_decref(o);
	return text;
}

static uint64_t
entry_id(const struct memory_entry *x)
{
	uint8_t hash[DOC_HASH_LEN], in[sizeof x->member + DOC_KEY_LEN] = { 0 };
	uint64_t id;

	memcpy(in, x->member, sizeof x->member);
	memcpy(in + sizeof x->member, x->key, DOC_KEY_LEN);
	doc_hash(hash, in, sizeof in);
	memcpy(&id, hash, sizeof id);
	return id >> 1;
}

int
publish_memory_save(const struct publish_memory *m, publish_memory_cb *cb, void *arg, struct err *e)
{
	char *text;
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < m->n; i++) {
		if (!m->v[i].changed)
			continue;
		text = entry_text(&m->v[i]);
		r = text != NULL ? cb(entry_id(&m->v[i]), text, strlen(text), arg, e) : err_set(e, ERR_MEMORY, "out of memory");
		free(text);
	}
	return r;
}

static int
read_entry(struct publish_memory *m, const json_t *o)
{
	const char *member = json_string_value(json_object_get(o, "member"));
	const json_t *withdrawn = json_object_get(o, "withdrawn");
	struct doc_tombstone one = { .state = DOC_STATE_RETIRED };
	json_int_t epoch = json_integer_value(json_object_get(o, "epoch")), serial = json_integer_value(json_object_get(o, "serial"));
	uint8_t key[DOC_KEY_LEN], sha256[DOC_HASH_LEN];
	struct memory_entry *x;
	size_t i, n = json_array_size(withdrawn);

	if (member == NULL || !doc_member_name_ok(member) || epoch < 1 || serial < 1 || n > TOMBSTONES_MAX || !json_is_array(withdrawn) ||
	    unhex(key, json_object_get(o, "key")) != 0 || unhex(sha256, json_object_get(o, "sha256")) != 0 || find(m, member, key) != NULL ||
	    (x = add(m, member, key)) == NULL || (x->tombstones = calloc(n + 1, sizeof *x->tombstones)) == NULL)
		return -1;
	x->epoch = (uint64_t)epoch;
	x->head.number = (uint64_t)serial;
	memcpy(x->head.sha256, sha256, DOC_HASH_LEN);
	for (i = 0; i < n; i++) {
		if (unhex(one.h, json_array_get(withdrawn, i)) != 0)
			return -1;
		x->tombstones[x->n++] = one;
	}
	tombstones_sort(x->tombstones, x->n);
	return 0;
}

int
publish_memory_take(struct publish_memory *m, const char *text, size_t n, struct err *e)
{
	json_t *o = json_loadb(text, n, JSON_REJECT_DUPLICATES, NULL);
	int r = read_entry(m, o);

	json_decref(o);
	return r == 0 ? 0 : err_set(e, ERR_STATE, "what the state remembers of another member can't be read");
}
