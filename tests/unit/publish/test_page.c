/* SPDX-License-Identifier: BSD-3-Clause */
/* The page's own commands do what the page says, and mirrors.txt holds only what its readers can use. */
#include "config.h"
#include "place.h"

#include "publish/publish_impl.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

TestSuite(publish_page, .init = place_setup, .fini = place_teardown);

static struct publish_site *site;
static struct list list;

static void
begin(void)
{
	site = place_load();
	list_init(&list, site, 3, 1, 0);
}

static void
end(void)
{
	list_free(&list);
	publish_site_free(site);
}

/* Replaces the leaf of onion i + 1. */
static void
set_leaf(size_t i, uint16_t port, bool tls, const char *role)
{
	char addr[ONION_ADDR_LEN + 1];
	struct err e = ERR_INIT;
	uint8_t key[64];

	kit_onion((unsigned)i + 1, key, addr);
	free(list.leaves[i]);
	cr_assert_eq(publish_leaf_make(&list.leaves[i], site, key, addr, port, tls, role, KIT_NOW, &e), 0, "%s", e.msg);
	list.entries[i].leaf = list.leaves[i];
}

static char *
published(const char *name)
{
	char *text = place_read(place_path("pub/public/current/%s", name), NULL);

	cr_assert_not_null(text, "%s", name);
	return text;
}

/* Runs the nth <pre> of the page in the list's folder; its exit status, and what it printed. */
static int
run_block(const char *page, size_t n, char *out, size_t size)
{
	char command[8192];
	const char *at = page, *to;
	size_t got;
	FILE *f;

	for (;; n--, at++) {
		at = strstr(at, "<pre>");
		cr_assert_not_null(at);
		if (n == 0)
			break;
	}
	to = strstr(at, "</pre>");
	cr_assert_lt((size_t)snprintf(command, sizeof command, "cd %s/pub/public/current && set -e\n%.*s\n", place, (int)(to - at - 5), at + 5),
	    sizeof command);
	cr_assert_null(strstr(command, "&amp;"), "nothing is escaped in it");
	cr_assert_not_null(f = popen(command, "r"));
	got = fread(out, 1, size - 1, f);
	out[got] = '\0';
	return pclose(f);
}

static unsigned
count(const char *text, const char *what)
{
	unsigned n = 0;

	for (; (text = strstr(text, what)) != NULL; text++)
		n++;
	return n;
}

Test(publish_page, its_commands_lead_from_the_site_id_to_the_addresses_through_every_root)
{
	static const unsigned keys[] = { 2, 3, 4 }, signers[] = { 2, 3, 4 };
	char out[8192], want[DOC_SITE_TEXT_LEN + 2];
	struct kit_root *second;
	char *page;

	if (system("command -v minisign > /dev/null") != 0)
		cr_skip_test("minisign is not installed");
	second = kit_add_root(&kit);
	memcpy(second->keys, keys, sizeof keys);
	kit_signers(&second->signers, 3, signers);
	kit_signers(&kit.members.signers, 2, keys + 1);
	begin();
	list_publish(&list, site, 14400);
	page = published("index.html");
	snprintf(want, sizeof want, "%s\n", kit.site_id);
	cr_expect_eq(run_block(page, 1, out, sizeof out), 0);
	cr_expect_str_eq(out, want);
	cr_expect_eq(run_block(page, 2, out, sizeof out), 0, "%s", out);
	cr_expect_eq(count(out, "Signature and comment signature verified"), 4, "2 and 3 of root 1 for root 2, 3 and 4 of root 2 for members: %s", out);
	cr_expect_eq(count(out, "onionmirror root site="), 2);
	cr_expect_eq(count(out, "onionmirror members site="), 2);
	cr_expect_eq(run_block(page, 3, out, sizeof out), 0);
	cr_expect_eq(count(out, "Signature and comment signature verified"), 1);
	cr_expect_not_null(strstr(out, kit.site_id));
	cr_expect_not_null(strstr(page, "href=\"2.root.json.3.minisig\""), "all that the commands need can be saved");
	cr_expect_not_null(strstr(page, "it takes 2 of 3 to say who may sign lists"));
	free(page);
	end();
}

Test(publish_page, it_names_the_signatures_that_count_as_they_were_found_when_the_site_was_loaded)
{
	uint8_t sk[64];
	char *page, *sig, *at, name[128];

	place_site();
	/* By a root key, but about something else: it counts nowhere. */
	kit_key(1, sk, NULL);
	cr_assert_eq(minisign_sign(&sig, sk, NULL, kit.members.out.text, kit.members.out.len, "something else", NULL, NULL), 0);
	cr_assert_eq(file_write(place_path("site/members.json.9.minisig"), sig, strlen(sig), 0644, NULL), 0);
	/* A renewal leaves such numbers. */
	cr_assert_eq(rename(place_path("site/members.json.1.minisig"), place_path("site/members.json.7.minisig")), 0);
	/* And one with a comment that no bundle can hold, as minisign makes it if told so. */
	sig[strlen("untrusted comment: ")] = '\t';
	cr_assert_eq(file_write(place_path("site/members.json.1.minisig"), sig, strlen(sig), 0644, NULL), 0);
	free(sig);
	cr_assert_eq(publish_site_load(&site, place_path("site"), member_sk, KIT_NOW, NULL), 0);
	list_init(&list, site, 3, 1, 0);
	/* Each publication has a page for each channel; none verifies them once more. */
	at = strchr(site->members.files[6].p, '\n') + 40;
	*at = *at == 'A' ? 'B' : 'A';
	list_publish(&list, site, 14400);
	page = published("index.html");
	cr_expect_null(strstr(page, "members.json.1.minisig"));
	cr_expect_not_null(strstr(page, "-m members.json -x members.json.2.minisig"));
	cr_expect_not_null(strstr(page, "-m members.json -x members.json.7.minisig"));
	cr_expect_null(strstr(page, "-x members.json.9.minisig"));
	/* What it links is there. */
	for (at = page; (at = strstr(at, "href=\"")) != NULL;) {
		at += strlen("href=\"");
		snprintf(name, sizeof name, "%.*s", (int)strcspn(at, "\""), at);
		cr_expect(strncmp(name, "http", 4) == 0 || access(place_path("pub/public/current/%s", name), F_OK) == 0, "%s", name);
	}
	free(page);
	end();
}

Test(publish_page, mirrors_txt_keeps_to_the_onion_mirror_guidelines)
{
	char addr[3][ONION_ADDR_LEN + 1], want[500], *text, *at;
	size_t i;

	begin();
	set_leaf(0, 8080, false, "mirror");
	set_leaf(1, 80, false, "archive");
	set_leaf(2, 443, true, "replica");
	list_publish(&list, site, 14400);
	for (i = 0; i < 3; i++)
		kit_onion((unsigned)i + 1, NULL, addr[i]);
	text = published("mirrors.txt");
	at = strstr(text, "# Every line without # is one mirror.\n");
	cr_assert_not_null(at);
	snprintf(want, sizeof want,
	    "# Every line without # is one mirror.\n# on a port of its own: http://%s.onion:8080/\n# archive: http://%s.onion/\nhttps://%s.onion\n", addr[0],
	    addr[1], addr[2]);
	cr_expect_str_eq(at, want);
	free(text);
	text = published("index.html");
	cr_expect_not_null(strstr(text, "A replica: a copy that may lag behind."));
	cr_expect_not_null(strstr(text, "An archive: a copy of the past."));
	free(text);
	end();
}

Test(publish_page, a_channel_without_addresses_says_so)
{
	static const char *const channels[] = { "public", "press" };
	char *page;

	begin();
	list.l.channels = channels;
	list.l.n_channels = 2;
	list_publish(&list, site, 14400);
	page = place_read(place_path("pub/press/current/index.html"), NULL);
	cr_assert_not_null(page);
	cr_expect_not_null(strstr(page, "None is given out here at present."));
	cr_expect_null(strstr(page, ".onion"));
	free(page);
	end();
}

Test(publish_page, the_picture_of_the_site_id_is_a_file_beside_the_page)
{
	struct buf png = BUF_INIT(256 * 1024);
	bool drawn = qr_png(&png, "om1");
	char *page, *file;

	begin();
	list_publish(&list, site, 14400);
	page = published("index.html");
	file = place_read(place_path("pub/public/current/site.png"), NULL);
	cr_expect_eq(file != NULL, drawn);
	cr_expect_eq(strstr(page, "<img src=\"site.png\"") != NULL, drawn);
	cr_expect(!drawn || memcmp(png.data, "\211PNG\r\n\032\n\0\0\0\rIHDR\0\0\0\350\0\0\0\350\1\0\0\0\0", 29) == 0, "29 modules of 8 dots");
	free(page);
	free(file);
	buf_free(&png);
	end();
}
