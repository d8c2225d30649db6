/* SPDX-License-Identifier: BSD-3-Clause */
/* Bytes as a root, members, head and leaf: what is accepted can be written again, and that is a fixed point. */
#include "config.h"
#include "fuzz.h"

#include "proto/doc.h"

#include <string.h>

/* Two texts that must be the same; frees both. */
static void
same(char *a, size_t n, char *b, size_t m)
{
	FUZZ_CHECK(n == m && memcmp(a, b, n) == 0);
	free(a);
	free(b);
}

static void
try_root(const char *p, size_t n)
{
	struct doc_root r;
	char *a, *b;
	size_t na, nb;

	if (doc_root_parse(&r, p, n, NULL, NULL) != DOC_OK)
		return;
	FUZZ_CHECK(n <= DOC_ROOT_MAX && r.threshold >= 1 && r.threshold <= r.n_keys);
	FUZZ_CHECK(doc_root_write(&a, &na, &r, NULL) == 0);
	FUZZ_CHECK(doc_root_parse(&r, a, na, NULL, NULL) == DOC_OK && doc_root_write(&b, &nb, &r, NULL) == 0);
	same(a, na, b, nb);
}

static void
try_members(const char *p, size_t n)
{
	static struct doc_members m;
	char *a, *b;
	size_t na, nb;

	if (doc_members_parse(&m, p, n, NULL, NULL) != DOC_OK)
		return;
	FUZZ_CHECK(n <= DOC_MEMBERS_MAX && doc_members_write(&a, &na, &m, NULL) == 0);
	FUZZ_CHECK(doc_members_parse(&m, a, na, NULL, NULL) == DOC_OK && doc_members_write(&b, &nb, &m, NULL) == 0);
	same(a, na, b, nb);
}

static void
try_head(const char *p, size_t n)
{
	struct doc_head h;
	char *a, *b;
	size_t na, nb;

	if (doc_head_parse(&h, p, n, NULL, NULL) != DOC_OK)
		return;
	FUZZ_CHECK(n <= DOC_HEAD_MAX && h.issued < h.fresh_until && h.fresh_until <= h.valid_until);
	FUZZ_CHECK(h.prev_serial < h.serial && h.n_leaves >= 16);
	FUZZ_CHECK(doc_head_write(&a, &na, &h, NULL) == 0);
	doc_head_free(&h);
	FUZZ_CHECK(doc_head_parse(&h, a, na, NULL, NULL) == DOC_OK && doc_head_write(&b, &nb, &h, NULL) == 0);
	doc_head_free(&h);
	same(a, na, b, nb);
}

static void
try_leaf(const char *p, size_t n)
{
	struct doc_leaf l;
	char *a, *b;
	size_t na, nb;

	if (doc_leaf_parse(&l, p, n, NULL, NULL) != DOC_OK)
		return;
	FUZZ_CHECK(n <= DOC_LEAF_MAX && onion_addr_valid(l.onion) && doc_url_ok(l.url, l.onion));
	FUZZ_CHECK(doc_leaf_outline(p, n, l.site, NULL) == DOC_OK);
	FUZZ_CHECK(doc_leaf_write(&a, &na, &l, NULL) == 0);
	FUZZ_CHECK(doc_leaf_parse(&l, a, na, NULL, NULL) == DOC_OK && doc_leaf_write(&b, &nb, &l, NULL) == 0);
	same(a, na, b, nb);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *p = (const char *)data;

	try_root(p, size);
	try_members(p, size);
	try_head(p, size);
	try_leaf(p, size);
	return 0;
}
