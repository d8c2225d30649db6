/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The room in a bundle, for ours first and then for other members in equal
 * shares; what one does not need is shared among those who need more. So
 * whatever a member puts into its list, it takes no place from another.
 */
#include "config.h"
#include "publish/publish_impl.h"

#include <string.h>

/* As it stands in a bundle: a JSON string, quoted, and a comma. */
size_t
share_text(const struct doc_text *t)
{
	size_t n = t->len + 3, i;

	for (i = 0; i < t->len; i++)
		n += t->p[i] == '"' || t->p[i] == '\\' || t->p[i] == '\n';
	return n;
}

size_t
share_signed(const struct doc_signed *d)
{
	size_t n = strlen("{\"doc\":,\"sigs\":[]},") + share_text(&d->doc), i;

	for (i = 0; i < d->n_sigs; i++)
		n += share_text(&d->sigs[i]);
	return n;
}

/* At most what our own head will take, with its signature: it is made only when it is known what else is in the list. */
static size_t
own_head(const struct publish_list *l, size_t n_tombstones, size_t n_peers)
{
	size_t leaves = 16;

	while (leaves < l->n_entries)
		leaves *= 2;
	return 4096 + leaves * 72 + n_tombstones * 144 + n_peers * 512;
}

size_t
share_room(const struct publish_site *s, const struct publish_list *l, size_t n_tombstones, size_t n_peers)
{
	size_t own = 1024 + own_head(l, n_tombstones, n_peers), most = 0, sum, i, k;
	struct doc_signed d = text_signed_view(&s->members);
	struct doc_text t;

	own += share_signed(&d);
	for (i = 0; i < s->n_roots; i++) {
		d = text_signed_view(&s->roots[i]);
		own += share_signed(&d);
	}
	/* All channels get the same of others, so the one with most of ours counts. */
	for (k = 0; k < l->n_channels; k++) {
		for (sum = 0, i = 0; i < l->n_entries; i++) {
			t = (struct doc_text){ l->entries[i].leaf, strlen(l->entries[i].leaf) };
			sum += strcmp(l->entries[i].channel, l->channels[k]) == 0 ? share_text(&t) : 0;
		}
		most = sum > most ? sum : most;
	}
	own += most;
	return own < DOC_BUNDLE_MAX ? DOC_BUNDLE_MAX - own : 0;
}

void
share_out(size_t shares[DOC_MEMBER_MAX], const size_t wants[DOC_MEMBER_MAX], size_t room)
{
	bool done[DOC_MEMBER_MAX] = { false };
	size_t left = DOC_MEMBER_MAX, least, i;

	for (; left > 0; left--) {
		for (least = 0; done[least]; least++)
			;
		for (i = least + 1; i < DOC_MEMBER_MAX; i++)
			if (!done[i] && wants[i] < wants[least])
				least = i;
		done[least] = true;
		shares[least] = wants[least] < room / left ? wants[least] : room / left;
		room -= shares[least];
	}
}
