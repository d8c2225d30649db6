/* SPDX-License-Identifier: BSD-3-Clause */
/* A publication: serial and head durable first, then visible, then told to the engine. */
#include "config.h"
#include "base/log.h"
#include "base/mutant.h"
#include "daemon/daemon.h"
#include "proto/doc.h"
#include "proto/edkey.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EPOCH_SHIFT 40 /* serials are minutes and a little: they stay far below 2^40 */

uint64_t
head_id(const struct daemon *d, uint64_t serial)
{
	return ((publish_site_epoch(d->site) - 1) << EPOCH_SHIFT) | serial;
}

/* What one publication is made of; owns all its arrays and texts. */
struct draft {
	uint64_t *ids;
	size_t n;
	struct publish_entry *entries;
	struct publish_tombstone *tombstones;
	size_t n_tombstones;
	const char **channels, **ours; /* addresses */
	size_t n_ours;
	char **leaves, *prev;
	struct publish_memory *memory;
};

/* A new possession proof at half life of the old one. */
static int
renew_leaf(struct daemon *d, const struct onion_record *r, char **leaf, struct err *e)
{
	const struct conf_mirror *m = daemon_mirror(d, r->mirror);
	uint8_t *key = secret_alloc(EDKEY_LEN);
	struct actions out = { 0 };
	char *fresh = NULL;
	int ret = -1;

	if (key == NULL || m == NULL)
		err_set(e, ERR_MEMORY, "no locked memory for a key");
	else if (store_get_exact(d->store, STORE_KEY, r->id, key, EDKEY_LEN, e) == 0 &&
	    make_leaf(d, &fresh, m, key, r->address, e) == 0)
		ret = store_put(d->store, STORE_LEAF, r->id, fresh, strlen(fresh), e);
	secret_free(key);
	if (ret == 0) {
		engine_set_tombstone_until(d->engine, r->id, publish_leaf_until(fresh), &out);
		apply(d, &out);
		free(*leaf);
		*leaf = fresh;
	} else {
		free(fresh);
	}
	return ret;
}

/* A leaf says what the configuration said when it was made; a reload may have changed port or role. */
static bool
leaf_fits(const struct conf_mirror *m, const struct onion_record *r, const char *leaf)
{
	struct doc_leaf parsed;
	char url[DOC_URL_MAX + 1], tail[8] = "";

	if (m == NULL)
		return true; /* nobody knows better */
	if (doc_leaf_parse(&parsed, leaf, strlen(leaf), NULL, NULL) != DOC_OK)
		return false;
	if (parsed.from > clock_wall_s())
		return false; /* the clock was set back since */
	if (m->ports[0].virt != 80)
		snprintf(tail, sizeof tail, ":%u", m->ports[0].virt);
	snprintf(url, sizeof url, "http://%s.onion%s/", r->address, tail);
	return strcmp(parsed.url, url) == 0 && strcmp(doc_role_name(parsed.role), conf_role_name(m->role)) == 0;
}

const char *
daemon_channel(const struct daemon *d, const struct onion_record *r)
{
	size_t i;

	for (i = 0; i < d->conf->n_channels; i++)
		if (strcmp(d->conf->channels[i].name, r->channel) == 0)
			return r->channel;
	return d->conf->channels[0].name;
}

/* Renewed when its proof is at half its life, or says what no longer holds. */
static int
freshen_leaf(struct daemon *d, const struct onion_record *r, char **leaf, struct err *e)
{
	bool fits = leaf_fits(daemon_mirror(d, r->mirror), r, *leaf);
	int64_t now = clock_wall_s(), due = publish_leaf_renew_at(d->site, *leaf);
	struct err inner = ERR_INIT;

	if (fits && due > now)
		return 0;
	if (renew_leaf(d, r, leaf, &inner) == 0)
		return 0;
	/* Half of its life is left for another try: no reason to hold back the list. */
	if (fits && due > 0 && publish_leaf_until(*leaf) > now) {
		log_warn("%s: its proof of possession could not be renewed: %s", r->mirror, inner.msg);
		return 0;
	}
	return err_set(e, inner.code, "%s", inner.msg);
}

static int
take_leaf(struct daemon *d, struct draft *f, size_t i, struct err *e)
{
	const struct onion_record *r = engine_onion(d->engine, f->ids[i]);
	size_t n;

	if (store_get(d->store, STORE_LEAF, f->ids[i], &f->leaves[i], &n, e) != 0 || freshen_leaf(d, r, &f->leaves[i], e) != 0)
		return -1;
	f->entries[i].leaf = f->leaves[i];
	f->entries[i].channel = daemon_channel(d, r);
	return 0;
}

static void
take_tombstones(struct daemon *d, struct draft *f)
{
	size_t n = engine_tombstones(d->engine, clock_wall_s(), NULL, 0), i;
	uint64_t *ids = xcalloc(n + 1, sizeof *ids);

	engine_tombstones(d->engine, clock_wall_s(), ids, n);
	f->tombstones = xcalloc(n + 1, sizeof *f->tombstones);
	f->n_tombstones = n;
	for (i = 0; i < n; i++) {
		const struct onion_record *r = engine_onion(d->engine, ids[i]);

		f->tombstones[i].address = r->address;
		f->tombstones[i].state = r->revoked ? TOMBSTONE_REVOKED : TOMBSTONE_RETIRED;
		f->tombstones[i].since = r->left != 0 ? r->left : clock_wall_s();
	}
	free(ids);
}

static void
take_ours(const struct onion_record *r, void *arg)
{
	struct draft *f = arg;

	if (r->state > ONION_LISTED)
		return;
	f->ours = xreallocarray(f->ours, f->n_ours + 1, sizeof *f->ours);
	f->ours[f->n_ours++] = r->address;
}

/*
 * The newest head of this epoch that anybody may have seen: also one that could
 * not be made visible in every channel. Were it passed over, its readers would
 * see a fork. Under a new member key the chain goes on; who returns to the old
 * key then finds it whole.
 */
static int
take_prev(struct daemon *d, struct draft *f, struct err *e)
{
	uint64_t last = 0;
	size_t n;

	if (store_last_id(d->store, STORE_HEAD, &last, e) != 0)
		return -1;
	return last > head_id(d, 0) ? store_get(d->store, STORE_HEAD, last, &f->prev, &n, e) : 0;
}

static int
make_draft(struct daemon *d, struct draft *f, struct err *e)
{
	const char *hold;
	size_t i;

	if ((f->memory = publish_memory_new()) == NULL)
		return err_set(e, ERR_MEMORY, "out of memory");
	if ((hold = engine_take_list(d->engine)) != NULL)
		return err_set(e, ERR_REFUSED, "%s", hold);
	f->n = engine_list(d->engine, NULL, 0, &hold);
	f->ids = xcalloc(f->n + 1, sizeof *f->ids);
	f->entries = xcalloc(f->n + 1, sizeof *f->entries);
	f->leaves = xcalloc(f->n + 1, sizeof *f->leaves);
	f->channels = xcalloc(d->conf->n_channels, sizeof *f->channels);
	engine_list(d->engine, f->ids, f->n, &hold);
	for (i = 0; i < d->conf->n_channels; i++)
		f->channels[i] = d->conf->channels[i].name;
	for (i = 0; i < f->n; i++)
		if (take_leaf(d, f, i, e) != 0)
			return -1;
	take_tombstones(d, f);
	engine_each_onion(d->engine, take_ours, f);
	return take_prev(d, f, e);
}

static void
free_draft(struct draft *f)
{
	size_t i;

	for (i = 0; f->leaves != NULL && i < f->n; i++)
		free(f->leaves[i]);
	free(f->leaves);
	free(f->ids);
	free(f->entries);
	free(f->tombstones);
	free(f->channels);
	free(f->ours);
	free(f->prev);
	publish_memory_free(f->memory);
}

/* The high-water mark of this epoch; an older one's is passed by. */
static int
last_serial(struct daemon *d, uint64_t *serial, struct err *e)
{
	struct err inner = ERR_INIT;
	uint64_t last = 0;
	char *text;
	size_t n;

	if (store_get(d->store, STORE_META, STORE_META_SERIAL, &text, &n, &inner) == 0) {
		last = strtoull(text, NULL, 10);
		free(text);
	} else if (inner.code != ERR_NOTFOUND) {
		return err_set(e, inner.code, "%s", inner.msg);
	}
	if (last >> EPOCH_SHIFT > head_id(d, 0) >> EPOCH_SHIFT)
		return err_set(e, ERR_STATE, "lists of epoch %llu were published, the root documents are of epoch %llu: install the newest ones",
		    (unsigned long long)(last >> EPOCH_SHIFT) + 1, (unsigned long long)publish_site_epoch(d->site));
	*serial = last > head_id(d, 0) ? last - head_id(d, 0) : 0;
	return 0;
}

static int
next_serial(struct daemon *d, uint64_t *serial, struct err *e)
{
	uint64_t last, visible;

	if (last_serial(d, &last, e) != 0)
		return -1;
	visible = MUTANT(2) ? 0 : publish_highest_serial(d->site, d->conf->publish_dir, last);
	if (visible > last)
		return err_set(e, ERR_STATE, "%s holds serial %llu, but the state knows only %llu: the state is older than what was published",
		    d->conf->publish_dir, (unsigned long long)visible, (unsigned long long)last);
	*serial = publish_next_serial(last, publish_site_epoch_start(d->site), clock_wall_s());
	/* Folders have serials for names, and the one that is out may be of an older epoch. */
	*serial += *serial == d->serial;
	return 0;
}

static int
put_other(uint64_t id, const char *text, size_t n, void *arg, struct err *e)
{
	struct daemon *d = arg;

	return store_put(d->store, STORE_OTHER, id, text, n, e);
}

static int
put_serial(struct daemon *d, uint64_t serial, const char *head, const struct publish_memory *memory, struct err *e)
{
	char text[32];

	snprintf(text, sizeof text, "%llu", (unsigned long long)head_id(d, serial));
	if (store_begin(d->store, e) != 0)
		return -1;
	if (store_put(d->store, STORE_META, STORE_META_SERIAL, text, strlen(text), e) == 0 &&
	    store_put(d->store, STORE_HEAD, head_id(d, serial), head, strlen(head), e) == 0 &&
	    publish_memory_save(memory, put_other, d, e) == 0)
		return store_commit(d->store, e);
	store_rollback(d->store);
	return -1;
}

struct recalling {
	struct publish_memory *memory;
	struct err *e;
};

static bool
recall_one(uint64_t id, const char *p, size_t n, void *arg)
{
	struct recalling *r = arg;

	(void)id;
	return publish_memory_take(r->memory, p, n, r->e) == 0;
}

static int
recall(struct daemon *d, struct publish_memory *memory, struct err *e)
{
	struct recalling r = { memory, e };

	return store_each(d->store, STORE_OTHER, 0, recall_one, &r, e) == 0 && e->code == ERR_NONE ? 0 : -1;
}

/* The list with those of other members; if they spoil it in any way, ours alone. What was seen of them is kept even so. */
static int
make_publication(struct publication **p, struct daemon *d, struct publish_list *l, struct publish_memory *memory, struct err *e)
{
	char folder[PATH_MAX], visible[PATH_MAX];
	struct publish_others *others = NULL;
	struct err inner = ERR_INIT;
	int r;

	snprintf(folder, sizeof folder, "%s/site", d->conf->state_dir);
	snprintf(visible, sizeof visible, "%s/%s/current/bundle.json", d->conf->publish_dir, d->conf->channels[0].name);
	buf_free(&d->others_faults);
	d->others_faults = (struct buf)BUF_INIT(64 * 1024);
	if (recall(d, memory, &inner) == 0 &&
	    publish_others_load(&others, d->site, folder, visible, l, memory, &d->others_faults, &inner) == 0) {
		l->others = others;
		r = publication_make(p, d->site, l, &inner);
		publish_others_free(others);
		if (r == 0)
			return 0;
	}
	l->others = NULL;
	r = publication_make(p, d->site, l, e);
	if (r == 0)
		buf_addf(&d->others_faults, "the lists of all other members are left out: %s\n", inner.msg);
	return r;
}

static int
publish(struct daemon *d, uint64_t *serial, int64_t *valid_until, struct err *e)
{
	struct publication *p = NULL;
	struct publish_list l = { 0 };
	struct draft f = { 0 };
	uint8_t key[32];
	int r = -1;

	if (wiring_check_clock(d, e) != 0 || make_draft(d, &f, e) != 0 || next_serial(d, serial, e) != 0 ||
	    store_get_exact(d->store, STORE_META, STORE_META_INSTALLATION, key, sizeof key, e) != 0)
		goto out;
	l.decoy_key = key;
	l.entries = f.entries;
	l.n_entries = f.n;
	l.may_be_empty = engine_list_may_be_empty(d->engine);
	l.ours = f.ours;
	l.n_ours = f.n_ours;
	l.tombstones = f.tombstones;
	l.n_tombstones = f.n_tombstones;
	l.channels = f.channels;
	l.n_channels = d->conf->n_channels;
	l.serial = *serial;
	l.prev_head = f.prev;
	l.now = clock_wall_s();
	if (make_publication(&p, d, &l, f.memory, e) != 0 || (!MUTANT(2) && put_serial(d, *serial, publication_head(p), f.memory, e) != 0))
		goto out;
	r = publication_write(p, d->conf->publish_dir, e);
	listservice_refresh(d); /* also when only some channels show it */
	*valid_until = publication_valid_until(p);
out:
	mem_wipe(key, sizeof key);
	publication_free(p);
	free_draft(&f);
	return r;
}

void
do_publish(struct daemon *d, const struct action *a)
{
	struct actions out = { 0 };
	struct err e = ERR_INIT;
	uint64_t serial = 0;
	int64_t until = 0;
	bool ok = publish(d, &serial, &until, &e) == 0;

	(void)a;
	if (ok) {
		d->serial = serial;
		d->published = clock_wall_s();
		d->valid_until = until;
		d->publish_error[0] = '\0';
		d->stale = false;
		log_notice("list published: serial %llu", (unsigned long long)serial);
		if (d->others_faults.len > 0)
			alarms_raise(d);
	} else {
		snprintf(d->publish_error, sizeof d->publish_error, "%.250s", e.msg);
		log_error("list not published: %s", e.msg);
		store_check(d, &e);
	}
	engine_on_published(d->engine, clock_now(), ok, serial, until, &out);
	apply(d, &out);
}
