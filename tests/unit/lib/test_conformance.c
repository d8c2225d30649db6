/* SPDX-License-Identifier: BSD-3-Clause */
/* Every case of the conformance suite (tests/conformance/README) through libonionmirror, saved and loaded between feeds. */
#include "config.h"

#include "cases.h"

#include <onionmirror/onionmirror.h>
#include <string.h>

#define COLUMNS 8
#define CASES_MIN 500

enum column { NAME, SITE, NOW, BEFORE, INPUT, EXPECTED, MIRRORS, MISSING };

TestSuite(lib_conformance, .timeout = 300);

static om_reason
feed(om_site *site, const char *name, int64_t now, om_error *e)
{
	size_t n;
	char *p = case_file(name, &n);
	om_reason r = OM_OK;

	if (om_site_feed_bundle(site, p, n, now, e) != 0)
		r = e->reason;
	free(p);
	return r;
}

static om_site *
save_and_load(om_site *site, const char *id)
{
	om_site *loaded = NULL;
	om_error e = { 0 };
	char *text;
	size_t n;

	cr_assert_eq(om_site_save(site, &text, &n, NULL), 0);
	cr_assert_eq(om_site_load(&loaded, id, text, n, &e), 0, "%s: %s", om_reason_name(e.reason), e.detail);
	free(text);
	om_site_close(site);
	return loaded;
}

static int
by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* "alpha=expired beta=missing", ascending, or "-". */
static void
missing_text(char *out, size_t size, const om_site *site)
{
	static char texts[64][64];
	char *order[64];
	const om_member *m;
	size_t i, n = 0, len = 0;

	for (i = 0; (m = om_site_member(site, i)) != NULL; i++)
		if (om_member_status(m) != OM_OK) {
			snprintf(texts[n], sizeof texts[n], "%s=%s", om_member_name(m),
			    om_reason_name(om_member_status(m)));
			order[n] = texts[n];
			n++;
		}
	qsort(order, n, sizeof order[0], by_text);
	snprintf(out, size, "-");
	for (i = 0; i < n; i++)
		len += (size_t)snprintf(out + len, size - len, "%s%s", i > 0 ? " " : "", order[i]);
}

/* "accept", mirrors and missing members, or the reason, as one line. */
static void
result_text(char *out, size_t size, const om_site *site, om_reason r)
{
	char missing[4096];

	if (r != OM_OK) {
		snprintf(out, size, "%s - -", om_reason_name(r));
		return;
	}
	missing_text(missing, sizeof missing, site);
	snprintf(out, size, "accept %zu %s", om_site_mirror_count(site), missing);
}

static bool
run_case(char *const *column)
{
	char expected[4200], got[4200], *step, *at, *rest = column[BEFORE];
	om_error e = { 0 };
	om_site *site;
	om_reason r;

	cr_assert_eq(om_site_open(&site, column[SITE], NULL), 0, "%s", column[NAME]);
	while ((step = strtok_r(rest, " ", &rest)) != NULL && strcmp(step, "-") != 0) {
		at = strchr(step, '@');
		cr_assert_not_null(at);
		*at = '\0';
		(void)feed(site, step, strtoll(at + 1, NULL, 10), &e);
		site = save_and_load(site, column[SITE]);
	}
	r = feed(site, column[INPUT], strtoll(column[NOW], NULL, 10), &e);
	result_text(got, sizeof got, site, r);
	snprintf(expected, sizeof expected, "%s %s %s", column[EXPECTED], column[MIRRORS], column[MISSING]);
	cr_expect_str_eq(got, expected, "%s: expected %s, got %s (%s)", column[NAME], expected, got, e.detail);
	site = save_and_load(site, column[SITE]);
	om_site_close(site);
	return strcmp(got, expected) == 0;
}

Test(lib_conformance, every_case_ends_as_the_index_says)
{
	char *column[COLUMNS], *line, *rest, *field;
	size_t i, len, n = 0, good = 0;
	char *index = case_file("index", &len);

	for (rest = index; (line = strtok_r(rest, "\n", &rest)) != NULL;) {
		if (line[0] == '#')
			continue;
		for (i = 0; i < COLUMNS && (field = strsep(&line, "\t")) != NULL; i++)
			column[i] = field;
		cr_assert(i == COLUMNS && line == NULL, "line %zu has not %d columns", n, COLUMNS);
		n++;
		good += run_case(column);
	}
	free(index);
	cr_expect_geq(n, CASES_MIN);
	cr_log_info("%zu of %zu cases", good, n);
}
