/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Every allocation of the library fails once: its own (the sources are built a second time with oom.h)
 * and jansson's. Each call says so, keeps what it had, leaks nothing, and works when there is memory again.
 */
#include "config.h"

#include "support/listkit.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <onionmirror/onionmirror.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *oom_malloc(size_t n);
void *oom_calloc(size_t n, size_t size);
void *oom_reallocarray(void *p, size_t n, size_t size);
char *oom_strdup(const char *s);

static long left = -1; /* allocations that still work; negative: all */

static bool
is_out(void)
{
	if (left < 0)
		return false;
	if (left == 0)
		return true;
	left--;
	return false;
}

void *
oom_malloc(size_t n)
{
	return is_out() ? NULL : malloc(n);
}

void *
oom_calloc(size_t n, size_t size)
{
	return is_out() ? NULL : calloc(n, size);
}

void *
oom_reallocarray(void *p, size_t n, size_t size)
{
	return is_out() ? NULL : reallocarray(p, n, size);
}

char *
oom_strdup(const char *s)
{
	return is_out() ? NULL : strdup(s);
}

#define TRIES 6000
#define FILES_MAX 32

static struct kit kit;
static struct doc_tombstone stone = { .h = { 7 }, .state = DOC_STATE_REVOKED, .since = KIT_NOW };
static om_document files[FILES_MAX];
static char names[FILES_MAX][64];
static size_t n_files;

static void
put(const struct kit_text *t, const char *name)
{
	size_t i;

	snprintf(names[n_files], sizeof names[0], "%s", name);
	files[n_files] = (om_document){ names[n_files], t->text, t->len };
	n_files++;
	for (i = 0; i < t->n_sigs; i++) {
		snprintf(names[n_files], sizeof names[0], "%s.%zu.minisig", name, i + 1);
		files[n_files] = (om_document){ names[n_files], t->sigs[i], strlen(t->sigs[i]) };
		n_files++;
	}
}

static void
setup(void)
{
	json_set_alloc_funcs(oom_malloc, free);
	kit_init(&kit);
	kit_add_root(&kit);
	kit_add_member(&kit, "beta", 12)->leaves = 2;
	kit.heads[0].doc.tombstones = &stone;
	kit.heads[0].doc.n_tombstones = 1;
	kit_build(&kit);
	n_files = 0;
	put(&kit.leaves[0].out, "leaf-1.json");
	put(&kit.heads[0].out, "head.json");
}

static void
teardown(void)
{
	left = -1;
	kit_free(&kit);
}

TestSuite(lib_oom, .init = setup, .fini = teardown, .timeout = 120);

static om_site *
open_site(bool fed)
{
	om_site *s = NULL;

	cr_assert_eq(om_site_open(&s, kit.site_id, NULL), 0);
	if (fed)
		cr_assert_eq(om_site_feed_bundle(s, kit.bundle, kit.len, KIT_NOW, NULL), 0);
	return s;
}

static void
expect_reason(const om_error *e, long n)
{
	cr_expect(e->reason == OM_NO_MEMORY, "allocation %ld: %s (%s)", n,
	    om_reason_name(e->reason), e->detail);
}

Test(lib_oom, a_bundle_is_refused_and_accepted_later)
{
	bool said = false;
	om_error e;
	om_site *s;
	long n;
	int r;

	for (n = 0; n < TRIES; n++) {
		s = open_site(false);
		memset(&e, 0, sizeof e);
		left = n;
		r = om_site_feed_bundle(s, kit.bundle, kit.len, KIT_NOW, &e);
		left = -1;
		if (r != 0)
			expect_reason(&e, n);
		said = said || e.reason == OM_NO_MEMORY;
		cr_expect_eq(om_site_mirror_count(s), r == 0 ? 2 : 0, "allocation %ld", n);
		cr_expect_eq(om_site_feed_bundle(s, kit.bundle, kit.len, KIT_NOW, &e), 0, "allocation %ld: %s", n, e.detail);
		om_site_close(s);
		if (r == 0)
			break;
	}
	cr_expect_gt(n, 100);
	cr_expect_lt(n, TRIES);
	cr_expect(said);
}

Test(lib_oom, documents_are_refused_and_what_was_accepted_stays)
{
	om_error e;
	om_site *s = open_site(true);
	long n;
	int r = -1;

	for (n = 0; n < TRIES && r != 0; n++) {
		memset(&e, 0, sizeof e);
		left = n;
		r = om_site_feed_documents(s, files, n_files, KIT_NOW, &e);
		left = -1;
		if (r != 0)
			expect_reason(&e, n);
		cr_expect_eq(om_site_mirror_count(s), r == 0 ? 1 : 2, "allocation %ld", n);
		cr_expect_eq(om_member_serial(om_site_member(s, 0)), 100);
	}
	cr_expect_gt(n, 20);
	cr_expect_lt(n, TRIES);
	om_site_close(s);
}

Test(lib_oom, a_fork_is_a_fork_with_or_without_room_for_the_evidence)
{
	om_site *s;
	om_error e;
	size_t kept = 0;
	long n;
	int r = -1;

	for (n = 0; n < TRIES && (kept == 0 || r != 0); n++) {
		kit.heads[0].doc.fresh_until = kit.heads[0].doc.issued + KIT_DAY;
		kit_build(&kit);
		s = open_site(true);
		kit.heads[0].doc.fresh_until += KIT_HOUR;
		kit_build(&kit);
		left = n;
		r = om_site_feed_bundle(s, kit.bundle, kit.len, KIT_NOW, &e);
		left = -1;
		/* The other member's list counts all the same. */
		cr_expect(r == 0 ? om_member_status(om_site_member(s, 0)) == OM_FORK : e.reason == OM_NO_MEMORY);
		kept = om_site_evidence_count(s);
		cr_expect_eq(om_site_mirror_count(s), 2);
		om_site_close(s);
	}
	cr_expect_eq(kept, 1);
}

Test(lib_oom, a_memory_is_saved_whole_or_not_at_all)
{
	om_site *s = open_site(true);
	char *text = NULL;
	om_error e;
	size_t len;
	long n;
	int r = -1;

	for (n = 0; n < TRIES && r != 0; n++) {
		left = n;
		r = om_site_save(s, &text, &len, &e);
		left = -1;
		if (r != 0) {
			cr_expect_eq(e.reason, OM_NO_MEMORY);
			cr_expect_null(text);
		}
	}
	cr_expect_gt(n, 20);
	cr_assert_eq(r, 0);
	cr_expect_eq(strlen(text), len);
	free(text);
	om_site_close(s);
}

Test(lib_oom, a_memory_is_loaded_whole_or_not_at_all)
{
	om_site *s = open_site(true), *loaded = NULL;
	char *text = NULL;
	om_error e;
	size_t len;
	long n;
	int r = -1;

	kit.heads[0].doc.fresh_until += KIT_HOUR;
	kit_build(&kit);
	cr_assert_eq(om_site_feed_bundle(s, kit.bundle, kit.len, KIT_NOW, &e), 0);
	cr_assert_eq(om_site_evidence_count(s), 1);
	cr_assert_eq(om_site_save(s, &text, &len, &e), 0);
	om_site_close(s);
	for (n = 0; n < TRIES && r != 0; n++) {
		left = n;
		r = om_site_load(&loaded, kit.site_id, text, len, &e);
		left = -1;
		if (r != 0) {
			expect_reason(&e, n);
			cr_expect_null(loaded);
		}
	}
	cr_expect_gt(n, 100);
	cr_assert_eq(r, 0);
	cr_expect_eq(om_site_mirror_count(loaded), 2);
	cr_expect_eq(om_site_evidence_count(loaded), 1);
	om_site_close(loaded);
	free(text);
}
