/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What our list repeats of another member of the site, against all that this
 * member ever signed: never back, never the other head of a fork, nothing that
 * is not remembered durably, and nothing of it as our own.
 */
#include "config.h"
#include "daemon/daemon.h"
#include "sim/check_impl.h"

#include "sim/impl.h"
#include "sim/other.h"

#include "base/enc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEYS 16
#define CLOCK_S 3600 /* heads that are about to begin or end */

/* The newest head that any list held, by the member's key. */
static const struct other_head *repeated[KEYS];
static const struct other_head *now_repeated; /* in the list that is out; NULL: none */

void
check_other_begin(void)
{
	memset(repeated, 0, sizeof repeated);
	now_repeated = NULL;
}

const struct other_head *
check_other_repeated(void)
{
	return now_repeated;
}

/* --- our own head ------------------------------------------------------------------------------ */

static void
look_at_ours(const struct doc_head *h)
{
	uint8_t leaf[DOC_HASH_LEN], stone[DOC_HASH_LEN];
	const char *address;
	size_t i, k;

	for (i = 0; (address = other_address(i, leaf)) != NULL; i++) {
		if (doc_leaves_have((const uint8_t(*)[DOC_HASH_LEN])h->leaves, h->n_leaves, leaf))
			sim_violation("I15", "our own head lists %.8s... of another member", address);
		doc_tombstone_hash(stone, address);
		for (k = 0; k < h->n_tombstones; k++)
			if (memcmp(h->tombstones[k].h, stone, DOC_HASH_LEN) == 0)
				sim_violation("I15", "our own head withdraws %.8s... of another member", address);
	}
}

/* --- the other's head ---------------------------------------------------------------------------- */

/* As a reader judges it who saw each of our lists. */
static void
look_at_history(const struct other_head *h, const struct other_head *seen)
{
	unsigned long long serial = h->serial, before = seen->serial;

	if (h->serial < seen->serial)
		sim_violation("I15", "head %llu of another member is repeated after %llu", serial, before);
	else if (h->serial == seen->serial)
		sim_violation("I15", "both heads %llu of another member are repeated", serial);
	else if (h->prev == NULL || h->prev->serial < seen->serial)
		sim_violation("I15", "head %llu of another member passes over %llu, which was repeated", serial, before);
	else if (h->prev->serial == seen->serial && h->prev != seen)
		sim_violation("I15", "head %llu of another member follows another %llu than the one that was repeated", serial, before);
}

struct looking {
	char sha256[2 * DOC_HASH_LEN + 1];
	bool found;
};

static bool
look_at_row(uint64_t id, const char *p, size_t n, void *arg)
{
	struct looking *l = arg;

	(void)id;
	l->found = l->found || memmem(p, n, l->sha256, sizeof l->sha256 - 1) != NULL;
	return true;
}

/* The state knows it already: a crash now does not make it forgotten. */
static void
look_at_memory(const struct other_head *h)
{
	struct daemon *d = sim_daemon();
	struct looking l = { .found = false };

	if (d == NULL || d->store == NULL)
		return;
	hex_encode(l.sha256, h->sha256, DOC_HASH_LEN);
	if (store_each(d->store, STORE_OTHER, 0, look_at_row, &l, NULL) == 0 && !l.found)
		sim_violation("I15", "head %llu of another member is repeated, and the state does not know it", (unsigned long long)h->serial);
}

/* Whether a reader who has `known` is shown a fork by x. */
static bool
contradicts(const struct other_head *x, const struct other_head *known)
{
	if (x->serial <= known->serial)
		return x->serial == known->serial && x != known;
	return x->prev == NULL || x->prev->serial < known->serial || (x->prev->serial == known->serial && x->prev != known);
}

/* Of what lies in the folder nothing contradicts what is used, or it is told. */
static void
look_at_forks(const struct other_head *used, uint64_t members_seq)
{
	const struct daemon *d = sim_daemon();
	const struct other_head *x;
	int64_t now = sim_wall();
	size_t i;

	for (i = 0; d != NULL && (x = other_peer_lies(i)) != NULL; i++)
		if (x->key == used->key && contradicts(x, used) && x->members_seq <= members_seq && x->issued < now && x->valid_until > now + CLOCK_S &&
		    strstr(buf_str(&d->others_faults), "fork") == NULL)
			sim_violation("I15", "head %llu of another member is used, %llu contradicts it, and no fork is told of: %s",
			    (unsigned long long)used->serial, (unsigned long long)x->serial, buf_str(&d->others_faults));
}

static void
look_at_other(const struct doc_text *text, const struct doc_members *m)
{
	uint8_t sha256[DOC_HASH_LEN];
	const struct other_head *h;
	size_t i;

	doc_hash(sha256, text->p, text->len);
	h = other_find(sha256);
	if (h == NULL || h->forged) {
		sim_violation("I15", "a head of another member is repeated that it never signed");
		return;
	}
	for (i = 0; i < m->n_members && strcmp(m->members[i].name, OTHER_NAME) != 0; i++)
		;
	if (i == m->n_members || !other_key_is(h->key, m->members[i].key))
		sim_violation("I15", "head %llu of another member is repeated, and its key is not certified", (unsigned long long)h->serial);
	if (h != repeated[h->key] && repeated[h->key] != NULL)
		look_at_history(h, repeated[h->key]);
	look_at_memory(h);
	look_at_forks(h, m->seq);
	if (now_repeated != h)
		sim_trace("reader: head %llu of the other member, key %u", (unsigned long long)h->serial, h->key);
	now_repeated = repeated[h->key] = h;
}

/* --- the list ------------------------------------------------------------------------------------------ */

static void
look_at_bundle(const struct doc_bundle *b)
{
	struct doc_members *m = calloc(1, sizeof *m);
	bool found = false;
	struct doc_head h;
	size_t i;

	if (m != NULL && doc_members_parse(m, b->members.doc.p, b->members.doc.len, NULL, NULL) == DOC_OK)
		for (i = 0; i < b->n_heads; i++) {
			memset(&h, 0, sizeof h);
			if (doc_head_parse(&h, b->heads[i].doc.p, b->heads[i].doc.len, NULL, NULL) != DOC_OK)
				continue;
			if (strcmp(h.member, OTHER_NAME) != 0) {
				look_at_ours(&h);
			} else {
				look_at_other(&b->heads[i].doc, m);
				found = true;
			}
			doc_head_free(&h);
		}
	if (!found)
		now_repeated = NULL;
	free(m);
}

void
check_other_visible(void)
{
	struct doc_bundle b = { 0 };
	char path[200];
	size_t n = 0;
	const char *text;

	if (!other_is_on())
		return;
	snprintf(path, sizeof path, "%s/public/current/bundle.json", sim_plan.publish_dir);
	text = sim_file_get(path, &n);
	if (text == NULL || doc_bundle_parse(&b, text, n, NULL) != DOC_OK)
		return; /* I4 says so */
	look_at_bundle(&b);
	doc_bundle_free(&b);
}

/* And as the library sees it. */
void
check_other_reader(const om_site *reader)
{
	om_reason why;
	size_t i;

	for (i = 0; other_is_on() && i < om_site_member_count(reader); i++) {
		const om_member *m = om_site_member(reader, i);

		why = om_member_status(m);
		if (strcmp(om_member_name(m), OTHER_NAME) == 0 && (why == OM_ROLLBACK || why == OM_FORK))
			sim_violation("I15", "to a reader of our lists alone the head of another member is a %s", om_reason_name(why));
	}
}

/* --- its addresses ---------------------------------------------------------------------------------------- */

/* A probe, or a command about a descriptor: of our own addresses only. */
void
check_on_fetch(const char *address)
{
	const char *known;
	size_t i;

	for (i = 0; (known = other_address(i, NULL)) != NULL; i++)
		if (memcmp(known, address, 56) == 0)
			sim_violation("I15", "%.8s... of another member is probed", known);
}

void
check_other_last(void)
{
	const struct other_head *h = other_newest();

	if (h != NULL && now_repeated != h)
		sim_violation("V8", "head %llu of another member is the newest, and %llu is repeated", (unsigned long long)h->serial,
		    (unsigned long long)(now_repeated != NULL ? now_repeated->serial : 0));
}
