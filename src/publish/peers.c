/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Other sites, pinned by file name: <site id>.json is a bundle that must verify
 * under that id. What it says is repeated in our head as a cross-reference, so
 * that readers of one site notice when the other is shown an older list.
 */
#include "config.h"
#include "publish/publish_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEADS_MAX 16 /* of one site: 64 sites together take a third of the 1 MiB of our head */

struct peering {
	const uint8_t *own; /* our own site is no peer */
	int64_t now;
	struct buf *faults;
	struct doc_peer *peers; /* owned */
	size_t n;
	bool no_memory;
};

static void
add_peer(struct peering *p, const struct chain_root *root, const struct doc_head *h, const struct doc_signed *doc)
{
	struct doc_peer *more = realloc(p->peers, (p->n + 1) * sizeof *more), *x;

	if (more == NULL) {
		p->no_memory = true;
		return;
	}
	p->peers = more;
	x = &p->peers[p->n++];
	memset(x, 0, sizeof *x);
	memcpy(x->site, root->site, sizeof x->site);
	memcpy(x->root_sha256, root->sha256, sizeof x->root_sha256);
	doc_hash(x->head_sha256, doc->doc.p, doc->doc.len);
	x->epoch = h->epoch;
	x->serial = h->serial;
	memcpy(x->member, h->member, sizeof x->member);
}

/* The reason why not all of it can be repeated. */
static enum doc_reason
take_heads(struct peering *p, const struct doc_bundle *b, const uint8_t site[DOC_HASH_LEN], struct err *e)
{
	struct doc_members *m = calloc(1, sizeof *m);
	uint8_t sha256[DOC_HASH_LEN];
	struct chain_root root;
	struct doc_head h;
	enum doc_reason why;
	size_t i, before = p->n;

	if (m == NULL)
		return doc_fail(e, DOC_NO_MEMORY, "out of memory");
	why = chain_roots(&root, b->roots, b->n_roots, site, p->now, e);
	if (why == DOC_OK)
		why = chain_members(m, sha256, &root, &b->members, NULL, p->now, e);
	for (i = 0; why == DOC_OK && i < b->n_heads && p->n < before + HEADS_MAX; i++) {
		memset(&h, 0, sizeof h);
		why = doc_head_parse(&h, b->heads[i].doc.p, b->heads[i].doc.len, site, e);
		if (why == DOC_OK)
			why = chain_head(&h, &root, m, sha256, &b->heads[i], NULL, p->now, e);
		if (why == DOC_OK)
			add_peer(p, &root, &h, &b->heads[i]);
		doc_head_free(&h);
	}
	free(m);
	if (why == DOC_OK && p->n == before)
		why = doc_fail(e, DOC_MISSING, "it has no head");
	if (why == DOC_OK && i < b->n_heads)
		why = doc_fail(e, DOC_TOO_LARGE, "only the first %d of its %zu heads are repeated", HEADS_MAX, b->n_heads);
	return why;
}

static void
take_file(const char *name, struct doc_bundle *b, void *arg)
{
	char id[DOC_SITE_TEXT_LEN + 1];
	uint8_t site[DOC_HASH_LEN];
	struct peering *p = arg;
	struct err e = ERR_INIT;
	enum doc_reason why;

	snprintf(id, sizeof id, "%s", name);
	if (strlen(name) != DOC_SITE_TEXT_LEN + 5 || doc_site_parse(site, id) != 0) {
		buf_addf(p->faults, "peers/%s: the name of a peer's file is its site id and .json\n", name);
	} else if (memcmp(site, p->own, sizeof site) == 0) {
		buf_addf(p->faults, "peers/%s: this is our own site\n", name);
	} else {
		why = take_heads(p, b, site, &e);
		if (why != DOC_OK)
			buf_addf(p->faults, "peers/%s: %s: %s\n", name, doc_reason_name(why), e.msg);
	}
	doc_bundle_free(b);
}

int
peers_load(struct doc_peer **out, size_t *n, const char *dir, const uint8_t own[DOC_HASH_LEN], int64_t now, struct buf *faults, struct err *e)
{
	struct peering p = { .own = own, .now = now, .faults = faults };

	others_each_bundle(dir, faults, take_file, &p);
	if (p.no_memory) {
		free(p.peers);
		return err_set(e, ERR_MEMORY, "out of memory");
	}
	*out = p.peers;
	*n = p.n;
	return 0;
}
