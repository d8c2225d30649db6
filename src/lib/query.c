/* SPDX-License-Identifier: BSD-3-Clause */
/* Questions about a site: nothing here changes it. */
#include "config.h"
#include "lib/site.h"

#include <string.h>

const char *
om_version(void)
{
	return OM_VERSION;
}

const char *
om_reason_name(om_reason reason)
{
	if (reason == OM_BAD_ARGUMENT)
		return "bad-argument";
	return doc_reason_name((enum doc_reason)reason);
}

const char *
om_site_id(const om_site *s)
{
	return s->id;
}

int
om_site_is_pinned(const om_site *s)
{
	return s->pinned ? 1 : 0;
}

const char *
om_site_name(const om_site *s)
{
	return s->root.doc.name;
}

uint64_t
om_site_epoch(const om_site *s)
{
	return s->root.doc.epoch;
}

uint64_t
om_site_root_version(const om_site *s)
{
	return s->root.doc.version;
}

int64_t
om_site_root_expires(const om_site *s)
{
	return s->root.doc.expires;
}

int64_t
om_site_members_expires(const om_site *s)
{
	return s->members.expires;
}

size_t
om_site_member_count(const om_site *s)
{
	return s->members.n_members;
}

const om_member *
om_site_member(const om_site *s, size_t index)
{
	return index < s->members.n_members ? &s->member_view[index] : NULL;
}

const char *
om_member_name(const om_member *m)
{
	return m->doc->name;
}

om_reason
om_member_status(const om_member *m)
{
	return (om_reason)m->status;
}

uint64_t
om_member_serial(const om_member *m)
{
	return m->serial;
}

int64_t
om_member_issued(const om_member *m)
{
	return m->issued;
}

int64_t
om_member_fresh_until(const om_member *m)
{
	return m->fresh_until;
}

int64_t
om_member_valid_until(const om_member *m)
{
	return m->valid_until;
}

size_t
om_site_mirror_count(const om_site *s)
{
	return s->n_mirrors;
}

const om_mirror *
om_site_mirror(const om_site *s, size_t index)
{
	return index < s->n_mirrors ? &s->mirrors[index] : NULL;
}

const char *
om_mirror_onion(const om_mirror *m)
{
	return m->host;
}

const char *
om_mirror_url(const om_mirror *m)
{
	return m->leaf.url;
}

const char *
om_mirror_role(const om_mirror *m)
{
	return doc_role_name(m->leaf.role);
}

const char *
om_mirror_member(const om_mirror *m)
{
	return m->member;
}

int64_t
om_mirror_valid_until(const om_mirror *m)
{
	return m->valid_until;
}

/* What a loaded site remembers is proved before anybody is sent there. */
static bool
is_proved(const om_mirror *m)
{
	struct doc_leaf leaf = m->leaf;

	return m->proved || doc_leaf_prove(&leaf) == 0;
}

/* The nth mirror that is valid at `now`; NULL: there are not so many, *n of them. `proved`: only those. */
static const om_mirror *
nth_mirror(const om_site *s, int64_t now, bool proved, uint64_t nth, uint64_t *n)
{
	size_t i;

	*n = 0;
	for (i = 0; i < s->n_mirrors; i++)
		if (s->mirrors[i].valid_until > now && (!proved || is_proved(&s->mirrors[i])) && (*n)++ == nth)
			return &s->mirrors[i];
	return NULL;
}

const om_mirror *
om_site_pick(const om_site *s, int64_t now, uint64_t random)
{
	const om_mirror *m;
	uint64_t n, rest;

	nth_mirror(s, now, false, UINT64_MAX, &n);
	if (n == 0)
		return NULL;
	/* The bias of a 64-bit remainder over a few thousand is far below anything that could be seen. */
	m = nth_mirror(s, now, false, random % n, &rest);
	if (m == NULL || is_proved(m))
		return m;
	/* The memory was tampered with: only now is it worth proving all. With fresh bits each good one is as likely. */
	random /= n;
	nth_mirror(s, now, true, UINT64_MAX, &n);
	return n > 0 ? nth_mirror(s, now, true, random % n, &rest) : NULL;
}

om_answer
om_site_is_mirror(const om_site *s, const char *address, int64_t now)
{
	const struct doc_tombstone *t;
	uint8_t pk[ONION_PUBKEY_LEN];
	size_t i, n = strlen(address);

	if (onion_to_pubkey(pk, address, n) != 0 && onion_from_host(pk, NULL, address, n) != 0)
		return OM_IS_UNKNOWN;
	t = chain_tombstone_find(s->tombstones, s->n_tombstones, address);
	if (t != NULL)
		return t->state == DOC_STATE_REVOKED ? OM_IS_REVOKED : OM_IS_RETIRED;
	for (i = 0; i < s->n_mirrors; i++)
		if (memcmp(s->mirrors[i].leaf.onion, address, ONION_ADDR_LEN) == 0 && s->mirrors[i].valid_until > now &&
		    is_proved(&s->mirrors[i]))
			return OM_IS_MIRROR;
	return OM_IS_UNKNOWN;
}

size_t
om_site_evidence_count(const om_site *s)
{
	return s->n_evidence;
}

const char *
om_site_evidence(const om_site *s, size_t index, int which)
{
	return index < s->n_evidence && (which == 0 || which == 1) ? s->evidence[index].text[which] : NULL;
}

int
om_site_fork_evidence(const om_site *s)
{
	return s->fork;
}
