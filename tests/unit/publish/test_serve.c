/* SPDX-License-Identifier: BSD-3-Clause */
/* A channel's files in memory: exact paths, one list at a time, nothing of another channel. */
#include "config.h"
#include "place.h"

#include "proto/doc.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

TestSuite(publish_serve, .init = place_setup, .fini = place_teardown);

static struct publish_site *site;
static struct list list;

static void
begin(void)
{
	site = place_load();
	list_init(&list, site, 3, 2, 0); /* onions 1 and 3 in "public", 2 in "press" */
	list_publish(&list, site, 200);
}

static void
end(void)
{
	list_free(&list);
	publish_site_free(site);
}

static struct served *
load(const char *channel)
{
	struct served *s = NULL;
	struct err e = ERR_INIT;

	cr_assert_eq(served_load(&s, place_path("pub"), channel, &e), 0, "%s", e.msg);
	return s;
}

Test(publish_serve, paths_are_looked_up_and_never_resolved)
{
	static const struct {
		const char *path, *name;
	} t[] = {
		{ "/", "index.html" }, { "/index.html", "index.html" }, { "/.well-known/onionmirror/", "index.html" },
		{ "/bundle.json", "bundle.json" }, { "/.well-known/onionmirror/bundle.json", "bundle.json" }, { "/mirrors.txt", "mirrors.txt" },
		{ "/head.json.minisig", "head.json.minisig" }, { "/1.root.json.1.minisig", "1.root.json.1.minisig" }, { "", "index.html" },
		{ "/.well-known/onionmirror", NULL }, { "/.well-known/", NULL }, { "//", NULL }, { "//bundle.json", NULL },
		{ "/Bundle.json", NULL }, { "/bundle.json/", NULL }, { "/bundle.json?", NULL }, { "/%62undle.json", NULL }, { "/./bundle.json", NULL },
		{ "/../current/bundle.json", NULL }, { "/../../site/members.json", NULL }, { "/.", NULL }, { "/..", NULL },
		{ "/.well-known/onionmirror/.well-known/onionmirror/bundle.json", NULL }, { "/zzz", NULL },
	};
	const struct served_file *f;
	struct served *s;
	char *want;
	size_t i, n;

	begin();
	s = load("public");
	for (i = 0; i < sizeof t / sizeof t[0]; i++) {
		f = served_find(s, t[i].path, "none");
		cr_expect_eq(f != NULL, t[i].name != NULL, "%s", t[i].path);
		if (f == NULL || t[i].name == NULL)
			continue;
		want = place_read(place_path("pub/public/current/%s", t[i].name), &n);
		cr_expect(f->len == n && memcmp(f->text, want, n) == 0, "%s", t[i].path);
		free(want);
	}
	served_release(s);
	end();
}

Test(publish_serve, self_is_the_leaf_of_an_onion_of_this_channel_only)
{
	char addr[3][ONION_ADDR_LEN + 1], path[256];
	struct served *s;
	size_t i;

	begin();
	s = load("public");
	for (i = 0; i < 3; i++) {
		const struct served_file *f;

		kit_onion((unsigned)i + 1, NULL, addr[i]);
		f = served_find(s, "/self.json", addr[i]);
		cr_expect_eq(f != NULL, i != 1);
		cr_expect(f == NULL || strcmp(f->text, list.leaves[i]) == 0);
		snprintf(path, sizeof path, "/leaf-%s.onion.json", addr[i]);
		cr_expect_eq(served_find(s, path, addr[0]) != NULL, i != 1);
	}
	served_release(s);
	end();
}

Test(publish_serve, what_is_held_outlives_the_next_list)
{
	const struct served_file *f, *g;
	struct served *s, *next;
	char etag[36];

	begin();
	s = load("public");
	f = served_find(served_hold(s), "/bundle.json", "");
	snprintf(etag, sizeof etag, "%s", f->etag);
	list_publish(&list, site, 300);
	list_publish(&list, site, 301);
	next = load("public");
	served_release(s);
	g = served_find(next, "/bundle.json", "");
	cr_expect_str_eq(f->etag, etag);
	cr_expect_str_neq(g->etag, etag, "other bytes, another tag");
	cr_expect_str_eq(served_find(next, "/1.root.json", "")->etag, served_find(s, "/1.root.json", "")->etag, "the same bytes, the same tag");
	served_release(s);
	served_release(next);
	end();
}

Test(publish_serve, the_policy_allows_the_style_of_the_page_that_is_there)
{
	struct served *s;
	FILE *f;

	begin();
	f = fopen(place_path("pub/public/current/index.html"), "w");
	fputs("<style>b{}</style><style>i{}</style>", f);
	fclose(f);
	s = load("public");
	/* printf 'b{}' | openssl dgst -sha256 -binary | base64 */
	cr_expect_str_eq(served_policy(s), "default-src 'none'; style-src 'sha256-7yqHVAesot11p6HczDsgKRipvI5UPgs97z80zNXlans='; img-src 'self'; base-uri 'none'; form-action 'none'; "
	    "frame-ancestors 'none'");
	served_release(s);
	end();
}

Test(publish_serve, nothing_published_or_something_strange_is_an_error)
{
	struct served *s = NULL;
	struct err e = ERR_INIT;
	char link[300];

	cr_expect_eq(served_load(&s, place_path("pub"), "public", &e), -1);
	cr_expect_eq(e.code, ERR_NOTFOUND);
	begin();
	snprintf(link, sizeof link, "%s", place_path("pub/public/current"));
	cr_assert_eq(unlink(link), 0);
	cr_assert_eq(symlink("../press/current", link), 0);
	err_clear(&e);
	cr_expect_eq(served_load(&s, place_path("pub"), "public", &e), -1);
	cr_expect_eq(e.code, ERR_STATE);
	unlink(link);
	cr_assert_eq(symlink("200", link), 0);
	cr_assert_eq(symlink("/etc/passwd", place_path("pub/public/200/evil")), 0);
	err_clear(&e);
	cr_expect_eq(served_load(&s, place_path("pub"), "public", &e), -1, "a link in the folder is not followed");
	cr_expect_null(s);
	end();
}

Test(publish_serve, a_list_is_current_until_another_folder_or_file_takes_its_place)
{
	struct served *s;

	begin();
	s = load("public");
	cr_expect(served_is_current(s, place_path("pub"), "public"));
	cr_expect_not(served_is_current(s, place_path("pub"), "press"));
	cr_expect_gt(served_size(s), 1000);
	cr_expect_not(served_is_shared(s));
	cr_assert_eq(unlink(place_path("pub/public/200/mirrors.txt")), 0);
	cr_expect_not(served_is_current(s, place_path("pub"), "public"));
	served_release(s);
	s = load("public");
	list_publish(&list, site, 201);
	cr_expect_not(served_is_current(s, place_path("pub"), "public"));
	served_release(s);
	end();
}
