/* SPDX-License-Identifier: BSD-3-Clause */
/* What is in a channel folder: that readers accept it, that stock minisign does, and what the page says. */
#include "config.h"
#include "press.h"

#include "base/enc.h"

#include <criterion/criterion.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TestSuite(publish_files, .init = press_setup, .fini = press_teardown);

Test(publish_files, a_reader_accepts_each_channel_and_sees_only_its_own)
{
	char a[ONION_ADDR_LEN + 1], c[ONION_ADDR_LEN + 1], *text;
	size_t n, len;

	strcpy(kit_add_root(&press.kit)->doc.name, "Renamed");
	press_reload();
	press.channels[1] = "friends";
	press.list.n_channels = 2;
	press_add(2, "public");
	press_add(3, "friends");
	cr_assert_eq(press_publish(NULL), 0);
	cr_expect_eq(press_verify("public", KIT_NOW, &n), 0);
	cr_expect_eq(n, 2);
	cr_expect_eq(press_verify("friends", KIT_NOW, &n), 0);
	cr_expect_eq(n, 1);
	cr_expect_eq(press_verify("public", KIT_NOW + 7 * KIT_DAY, NULL), -1, "not for ever");
	kit_onion(1, NULL, a);
	kit_onion(3, NULL, c);
	text = press_read("friends", "current/bundle.json", &len);
	cr_assert_not_null(text);
	cr_expect_not_null(strstr(text, c));
	cr_expect_null(strstr(text, a));
	free(text);
}

Test(publish_files, a_head_follows_the_one_before_in_a_readers_eyes)
{
	struct publication *p = press_make();
	struct doc_head second = { 0 };
	struct chain_seen seen = { .number = 200 };
	struct doc_text sig;
	struct doc_signed s = { .sigs = &sig, .n_sigs = 1 };
	char *text, *sig_text;

	cr_assert_eq(publication_write(p, press.out, NULL), 0);
	doc_hash(seen.sha256, publication_head(p), strlen(publication_head(p)));
	press.list.prev_head = publication_head(p);
	press.list.serial = 201;
	cr_assert_eq(press_publish(NULL), 0);
	publication_free(p);
	text = press_read("public", "current/head.json", &s.doc.len);
	sig_text = press_read("public", "current/head.json.minisig", &sig.len);
	cr_assert(text != NULL && sig_text != NULL);
	s.doc.p = text;
	sig.p = sig_text;
	cr_assert_eq(doc_head_parse(&second, text, s.doc.len, press.kit.site, NULL), DOC_OK);
	cr_expect_eq(chain_head(&second, &press.site->root, &press.site->cert, press.site->cert_sha256, &s, &seen, KIT_NOW, NULL), DOC_OK);
	seen.sha256[0] ^= 1;
	cr_expect_eq(chain_head(&second, &press.site->root, &press.site->cert, press.site->cert_sha256, &s, &seen, KIT_NOW, NULL), DOC_FORK);
	doc_head_free(&second);
	free(text);
	free(sig_text);
}

Test(publish_files, all_documents_are_there)
{
	char addr[ONION_ADDR_LEN + 1], want[512];

	kit_onion(1, NULL, addr);
	cr_assert_eq(press_publish(NULL), 0);
	snprintf(want, sizeof want, "1.root.json 1.root.json.1.minisig 1.root.json.2.minisig bundle.json head.json head.json.minisig index.html "
	    "leaf-%s.onion.json member.pub members.json members.json.1.minisig members.json.2.minisig mirrors.txt mirrors.txt.minisig", addr);
	cr_expect_str_eq(press_names("public/current"), want);
	cr_expect_str_eq(press_names("public/200"), want);
}

static bool
have_minisign(void)
{
	return system("command -v minisign >/dev/null 2>&1") == 0;
}

static int
minisign(const char *key_option, const char *file)
{
	char command[1024];

	snprintf(command, sizeof command, "cd %s/public/current && minisign -V -q -H %s -m %s >/dev/null 2>&1", press.out, key_option, file);
	return system(command);
}

Test(publish_files, stock_minisign_accepts_head_and_mirrors_txt)
{
	char command[512], key_option[128], *page, *at;
	size_t len;

	if (!have_minisign())
		cr_skip_test("minisign is not installed");
	cr_assert_eq(press_publish(NULL), 0);
	cr_expect_eq(minisign("-p member.pub", "head.json"), 0);
	cr_expect_eq(minisign("-p member.pub", "mirrors.txt"), 0);
	cr_expect_neq(minisign("-p member.pub", "members.json"), 0, "that is not the member's to sign");
	/* As the page says it. */
	page = press_read("public", "current/index.html", &len);
	cr_assert_not_null(page);
	at = strstr(page, "minisign -V -H -P ");
	cr_assert_not_null(at);
	snprintf(key_option, sizeof key_option, "-P %.56s", at + strlen("minisign -V -H -P "));
	cr_expect_eq(strncmp(at + strlen("minisign -V -H -P ") + 56, " -m mirrors.txt<", 16), 0);
	cr_expect_eq(minisign(key_option, "mirrors.txt"), 0);
	free(page);
	snprintf(command, sizeof command, "echo 'http://evil.onion' >> %s/public/current/mirrors.txt", press.out);
	cr_assert_eq(system(command), 0);
	cr_expect_neq(minisign("-p member.pub", "mirrors.txt"), 0);
}

Test(publish_files, every_line_of_mirrors_txt_is_a_mirror_or_a_comment)
{
	char a[ONION_ADDR_LEN + 1], b[ONION_ADDR_LEN + 1], url[96], *text, *line, *next;
	size_t len, mirrors = 0;

	press_add(2, "public");
	kit_onion(1, NULL, a);
	kit_onion(2, NULL, b);
	cr_assert_eq(press_publish(NULL), 0);
	text = press_read("public", "current/mirrors.txt", &len);
	cr_assert_not_null(text);
	cr_expect_eq(strlen(text), len);
	cr_expect_eq(text[len - 1], '\n');
	cr_expect_not_null(strstr(text, press.kit.site_id));
	for (line = text; *line != '\0'; line = next + 1) {
		next = strchr(line, '\n');
		cr_assert_not_null(next);
		*next = '\0';
		if (line[0] == '#')
			continue;
		snprintf(url, sizeof url, "http://%s.onion", mirrors == 0 ? a : b);
		cr_expect_str_eq(line, url);
		mirrors++;
	}
	cr_expect_eq(mirrors, 2);
	free(text);
}

static size_t
count(const char *text, const char *word)
{
	size_t n = 0;

	for (; (text = strstr(text, word)) != NULL; text += strlen(word))
		n++;
	return n;
}

Test(publish_files, the_page_shows_addresses_and_needs_nothing_else)
{
	static const char *const never[] = { "<script", "javascript:", "src=", "@import", "url(", "<link", "<img", "<iframe", "style=\"", "onload" };
	char addr[ONION_ADDR_LEN + 1], node[128], b64[B64_LEN(32) + 1], csp[128], *page, *style, *end;
	uint8_t hash[32];
	size_t i, len;

	cr_assert_eq(press_publish(NULL), 0);
	page = press_read("public", "current/index.html", &len);
	cr_assert_not_null(page);
	for (i = 0; i < sizeof never / sizeof never[0]; i++)
		cr_expect_null(strstr(page, never[i]), "%s", never[i]);
	cr_expect_eq(count(page, "http://") + count(page, "https://"), 2, "the one address, as a link and as text");
	kit_onion(1, NULL, addr);
	snprintf(node, sizeof node, "<code>http://%s.onion/</code>", addr);
	cr_expect_not_null(strstr(page, node), "in one text node");
	/* The browser allows the style by its hash: it must be the hash of just these bytes. */
	style = strstr(page, "<style>");
	cr_assert_not_null(style);
	style += strlen("<style>");
	end = strstr(style, "</style>");
	cr_assert_not_null(end);
	SHA256((const unsigned char *)style, (size_t)(end - style), hash);
	b64_encode(b64, hash, sizeof hash);
	snprintf(csp, sizeof csp, "content=\"default-src 'none'; style-src 'sha256-%s';", b64);
	cr_expect_not_null(strstr(page, csp));
	cr_expect_lt((void *)strstr(page, csp), (void *)style, "before what it rules");
	cr_expect_not_null(strstr(page, "width=device-width"));
	cr_expect_not_null(strstr(page, "color-scheme:light dark"));
	cr_expect_not_null(strstr(page, press.kit.site_id));
	cr_expect_not_null(strstr(page, "Serial 200"));
	cr_expect_not_null(strstr(page, "Issued 23 November 2026, 12:00 UTC"));
	cr_expect_not_null(strstr(page, "valid until 30 November 2026, 12:00 UTC"));
	cr_expect_not_null(strstr(page, "onionmirror verify --site om1"));
	free(page);
}

Test(publish_files, a_name_can_not_break_out_of_the_page)
{
	char *page;
	size_t len;

	strcpy(press.kit.roots[0].doc.name, "<b>\"A\" & 'B'</b></title><script>");
	press_reload();
	press.list.n_entries = 0;
	free(press.leaves[0]);
	press_add(1, "public");
	cr_assert_eq(press_publish(NULL), 0);
	page = press_read("public", "current/index.html", &len);
	cr_assert_not_null(page);
	cr_expect_null(strstr(page, "<b>"));
	cr_expect_null(strstr(page, "<script"));
	cr_expect_eq(count(page, "&lt;b&gt;&quot;A&quot; &amp; &#39;B&#39;&lt;/b&gt;&lt;/title&gt;&lt;script&gt;"), 2);
	free(page);
}
