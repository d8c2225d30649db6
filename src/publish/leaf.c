/* SPDX-License-Identifier: BSD-3-Clause */
/* Leaves: what a list says of one onion, with the onion's own signature. */
#include "config.h"
#include "base/rng.h"
#include "publish/publish_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOUR 3600
#define DAY 86400
#define POSSESSION_DAYS 90 /* longest, whatever the root allows */

static int
parse_role(enum doc_role *role, const char *name)
{
	enum doc_role r;

	for (r = DOC_ROLE_MIRROR; r <= DOC_ROLE_ARCHIVE; r++)
		if (strcmp(doc_role_name(r), name) == 0) {
			*role = r;
			return 0;
		}
	return -1;
}

/* A key that is not the address's gives a proof that every reader refuses, with the whole bundle. */
static int
check_proof(const char *text, size_t len, const uint8_t site[DOC_HASH_LEN], struct err *e)
{
	struct doc_leaf l;

	if (doc_leaf_parse(&l, text, len, site, e) != DOC_OK)
		return -1;
	return doc_possession_verify(&l) == 0 ? 0 : err_set(e, ERR_CRYPTO, "%s.onion: the key is that of another address", l.onion);
}

int64_t
possession_s(const struct publish_site *s)
{
	uint64_t days = s->root.doc.limits.possession_days;

	return (int64_t)(days < POSSESSION_DAYS ? days : POSSESSION_DAYS) * DAY;
}

int
publish_leaf_make(char **out, const struct publish_site *s, const uint8_t *key64, const char *address, uint16_t port, bool tls,
    const char *role, int64_t now, struct err *e)
{
	struct doc_leaf l = { 0 };
	uint16_t usual = tls ? 443 : 80;
	char tail[16] = "/", *text;
	size_t len;

	memcpy(l.site, s->root.site, sizeof l.site);
	if (!onion_addr_valid(address) || parse_role(&l.role, role) != 0)
		return err_set(e, ERR_PROTO, "not an address or a role that can be listed");
	memcpy(l.onion, address, ONION_ADDR_LEN + 1);
	if (port != usual)
		snprintf(tail, sizeof tail, ":%u/", port);
	snprintf(l.url, sizeof l.url, "%s://%s.onion%s", tls ? "https" : "http", address, tail);
	rng_bytes(l.salt, sizeof l.salt);
	l.from = l.possession_not_before = now - now % HOUR;
	l.until = l.possession_not_after = l.from + possession_s(s);
	if (doc_possession_sign(l.possession_sig, s->root.site, key64, l.possession_not_before, l.possession_not_after, e) != 0)
		return -1;
	if (doc_leaf_write(&text, &len, &l, e) != 0)
		return -1;
	if (check_proof(text, len, s->root.site, e) != 0) {
		free(text);
		return -1;
	}
	*out = text;
	return 0;
}

int64_t
publish_leaf_renew_at(const struct publish_site *s, const char *leaf)
{
	const struct doc_leaf *l;

	if (judged_find(&l, s, leaf, strlen(leaf)) != DOC_OK)
		return -1;
	if (l->possession_not_after - l->possession_not_before > possession_s(s))
		return 0;
	return l->possession_not_before + (l->possession_not_after - l->possession_not_before) / 2;
}

int64_t
publish_leaf_until(const char *leaf)
{
	struct doc_leaf l;

	return doc_leaf_parse(&l, leaf, strlen(leaf), NULL, NULL) == DOC_OK ? l.possession_not_after : -1;
}
