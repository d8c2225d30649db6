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

const om_mirror *
om_site_pick(const om_site *s, int64_t now, uint64_t random)
{
	size_t i, n = 0;
	uint64_t nth;

	for (i = 0; i < s->n_mirrors; i++)
		n += s->mirrors[i].valid_until > now;
	if (n == 0)
		return NULL;
	/* The bias of a 64-bit remainder over a few thousand is far below anything that could be seen. */
	nth = random % n;
	for (i = 0;; i++)
		if (s->mirrors[i].valid_until > now && nth-- == 0)
			return &s->mirrors[i];
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
		if (memcmp(s->mirrors[i].leaf.onion, address, ONION_ADDR_LEN) == 0 && s->mirrors[i].valid_until > now)
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
	return index < s->n_evidence && (which == 0 || which == 1) ? s->evidence[index][which] : NULL;
}
