/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Bundles from anywhere to a reader, one after the other (a NUL parts them), the reader's memory out and in again, and
 * the bytes as single documents.
 */
#include "config.h"
#include "fuzz.h"

#include <onionmirror/onionmirror.h>
#include <string.h>

#define NOW INT64_C(1795435200) /* what the seeds were made for */

static void
save_and_load(const om_site *s)
{
	om_site *again = NULL;
	char *a, *b;
	size_t na, nb;

	FUZZ_CHECK(om_site_save(s, &a, &na, NULL) == 0);
	FUZZ_CHECK(om_site_load(&again, NULL, a, na, NULL) == 0);
	FUZZ_CHECK(om_site_save(again, &b, &nb, NULL) == 0);
	FUZZ_CHECK(na == nb && memcmp(a, b, na) == 0);
	om_site_close(again);
	free(a);
	free(b);
}

/* The same bytes can't be a list of every kind at once; as one document they meet what is known. */
static void
feed_as_documents(om_site *s, const uint8_t *data, size_t size)
{
	static const char *const names[] = { "1.root.json", "2.root.json", "members.json", "head.json", "leaf-x.json",
		"2.root.json.1.minisig", "members.json.minisig", "head.json.minisig" };
	om_document docs[sizeof names / sizeof names[0]];
	size_t i, n = sizeof names / sizeof names[0];
	om_error e;

	for (i = 0; i < n; i++) {
		docs[i] = (om_document){ names[i], data, size };
		if (om_site_feed_documents(s, &docs[i], 1, NOW, &e) != 0)
			FUZZ_CHECK(e.reason != OM_OK && e.reason != OM_BAD_ARGUMENT);
	}
	FUZZ_CHECK(om_site_feed_documents(s, docs, n, NOW, NULL) != 0);
}

/* What must hold of a reader whatever it was fed. */
static void
look_at(const om_site *s)
{
	const om_mirror *m;
	size_t i;

	for (i = 0; (m = om_site_mirror(s, i)) != NULL; i++) {
		FUZZ_CHECK(om_site_is_mirror(s, om_mirror_onion(m), NOW) != OM_IS_REVOKED);
		FUZZ_CHECK(om_site_is_mirror(s, om_mirror_onion(m), NOW) != OM_IS_RETIRED);
		FUZZ_CHECK(strstr(om_mirror_url(m), om_mirror_onion(m)) != NULL);
	}
	for (i = 0; om_site_member(s, i) != NULL; i++)
		FUZZ_CHECK(om_member_name(om_site_member(s, i))[0] != '\0');
	FUZZ_CHECK(i == om_site_member_count(s) && om_site_evidence_count(s) <= 8);
}

/* The same, from one list to the next: nothing goes back. */
static void
feed_next(om_site *s, const uint8_t *data, size_t size)
{
	uint64_t epoch = om_site_epoch(s), root = om_site_root_version(s);
	size_t mirrors = om_site_mirror_count(s);
	int r = om_site_feed_bundle(s, data, size, NOW, NULL);

	FUZZ_CHECK(om_site_epoch(s) >= epoch && om_site_root_version(s) >= root);
	FUZZ_CHECK(r == 0 || om_site_mirror_count(s) <= mirrors);
	look_at(s);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	om_error e = { 0 };
	const uint8_t *part = size > 0 ? memchr(data, 0, size) : NULL;
	const uint8_t *next = part != NULL ? part + 1 : data;
	size_t rest = size - (size_t)(next - data);
	om_site *s = NULL;
	int first;

	if (part != NULL)
		size = (size_t)(part - data);
	FUZZ_CHECK(om_site_open(&s, NULL, NULL) == 0);
	first = om_site_feed_bundle(s, data, size, NOW, &e);
	FUZZ_CHECK(first == 0 || (e.reason != OM_OK && e.reason != OM_BAD_ARGUMENT));
	FUZZ_CHECK(first == 0 || (om_site_mirror_count(s) == 0 && om_site_pick(s, NOW, 1) == NULL));
	/* The same bytes at the same time say the same. */
	FUZZ_CHECK(om_site_feed_bundle(s, data, size, NOW, NULL) == first);
	look_at(s);
	save_and_load(s);
	feed_next(s, next, rest);
	save_and_load(s);
	feed_as_documents(s, data, size);
	save_and_load(s);
	om_site_close(s);
	/* As a reader's own memory it is hardly right, but must not hurt. */
	if (om_site_load(&s, NULL, data, size, NULL) == 0)
		om_site_close(s);
	return 0;
}
