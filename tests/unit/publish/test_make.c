/* SPDX-License-Identifier: BSD-3-Clause */
/* What is published: it verifies everywhere, and tells no more than it should. */
#include "config.h"
#include "place.h"

#include "base/enc.h"

#include <criterion/criterion.h>
#include <onionmirror/onionmirror.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

TestSuite(publish_make, .init = place_setup, .fini = place_teardown);

static void parse_head(struct doc_head *h, const struct publication *p)
{
	const char *text = publication_head(p);

	memset(h, 0, sizeof *h);
	cr_assert_eq(doc_head_parse(h, text, strlen(text), kit.site, NULL), DOC_OK);
}

/* What a reader with the site id makes of a channel's bundle: the number of mirrors, -1: refused. */
static int read_as_stranger(const char *channel, uint64_t *serial, om_site **keep)
{
	om_site *s = NULL;
	om_error e = {0};
	size_t n;
	char *text = place_read(place_path("pub/%s/current/bundle.json", channel), &n);
	int r = -1;

	cr_assert_not_null(text);
	cr_assert_eq(om_site_open(&s, kit.site_id, &e), 0);
	if (om_site_feed_bundle(s, text, n, KIT_NOW + 600, &e) == 0)
		r = (int)om_site_mirror_count(s);
	cr_expect_geq(r, 0, "%s: %s", om_reason_name(e.reason), e.detail);
	*serial = om_member_serial(om_site_member(s, 0));
	free(text);
	if (keep != NULL)
		*keep = s;
	else
		om_site_close(s);
	return r;
}

Test(publish_make, a_stranger_verifies_each_channel)
{
	struct publish_site *s;
	char addr[ONION_ADDR_LEN + 1], *a, *b, *leaf;
	struct list l;
	uint64_t serial;
	om_site *reader;
	size_t i;

	kit_add_root(&kit);
	s = place_load();
	list_init(&l, s, 5, 2, 0);
	list_publish(&l, s, 14400);
	cr_expect_eq(read_as_stranger("public", &serial, &reader), 3);
	cr_expect_eq(serial, 14400);
	for (i = 0; i < 5; i++) {
		kit_onion((unsigned)i + 1, NULL, addr);
		cr_expect_eq(om_site_is_mirror(reader, addr, KIT_NOW),
		    i % 2 == 0 ? OM_IS_MIRROR : OM_IS_UNKNOWN);
		leaf = place_read(place_path("pub/press/current/leaf-%s.onion.json", addr), NULL);
		cr_expect_eq(
		    leaf != NULL, i % 2 == 1, "each address is in the folder of its channel only");
		free(leaf);
	}
	om_site_close(reader);
	cr_expect_eq(read_as_stranger("press", &serial, NULL), 2);
	a = place_read(place_path("pub/public/current/head.json"), NULL);
	b = place_read(place_path("pub/press/current/head.json"), NULL);
	cr_expect_str_eq(a, b, "both channels have the same head");
	free(a);
	free(b);
	list_free(&l);
	publish_site_free(s);
}

Test(publish_make, nothing_of_another_channel_is_in_a_folder)
{
	struct publish_site *s = place_load();
	static const char *const names[] = {
	    "bundle.json", "index.html", "mirrors.txt", "head.json"};
	char addr[ONION_ADDR_LEN + 1], *text;
	struct list l;
	size_t i;

	list_init(&l, s, 2, 2, 0);
	list_publish(&l, s, 14400);
	kit_onion(2, NULL, addr);
	for (i = 0; i < 4; i++) {
		text = place_read(place_path("pub/public/current/%s", names[i]), NULL);
		cr_assert_not_null(text, "%s", names[i]);
		cr_expect_null(strstr(text, addr), "%s", names[i]);
		free(text);
		text = place_read(place_path("pub/press/current/%s", names[i]), NULL);
		cr_expect_eq(strstr(text, addr) != NULL, i < 3, "%s", names[i]);
		free(text);
	}
	list_free(&l);
	publish_site_free(s);
}

/* minisign(1) -V -H with the certified key on one file of the channel; its exit status. */
static int stock_minisign(const char *dir, const char *name, const char *key)
{
	char path[300];
	int status;
	pid_t pid;

	snprintf(path, sizeof path, "%s/%s", dir, name);
	pid = fork();
	if (pid == 0) {
		if (freopen("/dev/null", "w", stdout) == NULL || freopen("/dev/null", "w", stderr) == NULL)
			_exit(126);
		execlp("minisign", "minisign", "-V", "-H", "-P", key, "-m", path, (char *)NULL);
		_exit(127);
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

Test(publish_make, stock_minisign_verifies_head_and_mirrors)
{
	struct publish_site *s = place_load();
	char dir[200], *pub, *key, *text;
	struct list l;
	FILE *f;

	list_init(&l, s, 3, 1, 0);
	list_publish(&l, s, 14400);
	list_free(&l);
	publish_site_free(s);
	snprintf(dir, sizeof dir, "%s", place_path("pub/public/current"));
	pub = place_read(place_path("pub/public/current/member.pub"), NULL);
	cr_assert_not_null(pub);
	key = strchr(pub, '\n') + 1;
	key[strcspn(key, "\n")] = '\0';
	if (stock_minisign(dir, "head.json", key) == 127) {
		free(pub);
		cr_skip_test("minisign is not installed");
	}
	cr_expect_eq(stock_minisign(dir, "head.json", key), 0);
	cr_expect_eq(stock_minisign(dir, "mirrors.txt", key), 0);
	text = place_read(place_path("pub/public/current/index.html"), NULL);
	cr_expect_not_null(strstr(text, key), "the page names the key");
	free(text);
	f = fopen(place_path("pub/public/current/mirrors.txt"), "a");
	fputs("x", f);
	fclose(f);
	cr_expect_eq(stock_minisign(dir, "mirrors.txt", key), 1, "a change is noticed");
	free(pub);
}

Test(publish_make, mirrors_txt_has_one_address_a_line)
{
	struct publish_site *s = place_load();
	char addr[ONION_ADDR_LEN + 1], want[100], *text, *line, *save = NULL;
	struct list l;
	unsigned n = 0;

	list_init(&l, s, 3, 1, 0);
	list_publish(&l, s, 14400);
	text = place_read(place_path("pub/public/current/mirrors.txt"), NULL);
	for (line = strtok_r(text, "\n", &save); line != NULL; line = strtok_r(NULL, "\n", &save)) {
		if (line[0] == '#')
			continue;
		kit_onion(++n, NULL, addr);
		snprintf(want, sizeof want, "http://%s.onion", addr);
		cr_expect_str_eq(line, want);
	}
	cr_expect_eq(n, 3);
	free(text);
	list_free(&l);
	publish_site_free(s);
}

/* How many hashes of the first head the second lists too. */
static size_t common(const struct doc_head *a, const struct doc_head *b)
{
	size_t i, n = 0;

	for (i = 0; i < a->n_leaves; i++)
		n += doc_leaves_have(
		    (const uint8_t(*)[DOC_HASH_LEN])b->leaves, b->n_leaves, a->leaves[i]);
	return n;
}

Test(publish_make, decoys_stay_from_head_to_head)
{
	struct publish_site *s = place_load(), *after_restart;
	struct doc_head one, two, more;
	struct publication *p, *q, *r;
	struct list l, m;

	list_init(&l, s, 3, 1, 14400);
	p = list_make(&l, s);
	/* The same leaves, another process; and one leaf of three replaced. */
	after_restart = place_load();
	l.l.serial = 14401;
	q = list_make(&l, after_restart);
	list_init(&m, s, 1, 1, 14402);
	l.entries[0] = m.entries[0];
	l.l.serial = 14402;
	r = list_make(&l, s);
	parse_head(&one, p);
	parse_head(&two, q);
	parse_head(&more, r);
	cr_expect_eq(one.n_leaves, 16);
	cr_expect_eq(common(&one, &two), 16);
	cr_expect_eq(common(&one, &more), 15, "only what really changed");
	l.l.n_entries = 2;
	doc_head_free(&more);
	publication_free(r);
	l.l.serial = 14403;
	r = list_make(&l, s);
	parse_head(&more, r);
	cr_expect_eq(more.n_leaves, 16, "the number of leaves does not show");
	doc_head_free(&one);
	doc_head_free(&two);
	doc_head_free(&more);
	publication_free(p);
	publication_free(q);
	publication_free(r);
	list_free(&l);
	list_free(&m);
	publish_site_free(s);
	publish_site_free(after_restart);
}

Test(publish_make, more_leaves_than_sixteen_are_padded_to_the_next_power)
{
	static const struct {
		size_t n, padded;
	} t[] = {{1, 16}, {16, 16}, {17, 32}, {33, 64}};
	struct publish_site *s = place_load();
	struct publication *p;
	struct doc_head h;
	struct list l;
	size_t i;

	for (i = 0; i < sizeof t / sizeof t[0]; i++) {
		list_init(&l, s, t[i].n, 1, 14400);
		p = list_make(&l, s);
		parse_head(&h, p);
		cr_expect_eq(h.n_leaves, t[i].padded, "%zu: %zu", t[i].n, h.n_leaves);
		doc_head_free(&h);
		publication_free(p);
		list_free(&l);
	}
	publish_site_free(s);
}

Test(publish_make, a_head_links_the_one_before_and_its_times_are_whole_hours)
{
	struct publish_site *s = place_load();
	struct publication *p, *q;
	uint8_t hash[DOC_HASH_LEN];
	struct err e = ERR_INIT;
	struct doc_head h;
	struct list l;

	list_init(&l, s, 2, 1, 14400);
	p = list_make(&l, s);
	parse_head(&h, p);
	cr_expect_eq(h.prev_serial, 0);
	cr_expect_eq(h.issued, KIT_NOW);
	cr_expect_eq(h.fresh_until, KIT_NOW + KIT_DAY);
	cr_expect_eq(h.valid_until, KIT_NOW + 7 * KIT_DAY);
	cr_expect_eq(publication_valid_until(p), h.valid_until);
	doc_head_free(&h);
	l.l.prev_head = publication_head(p);
	l.l.serial = 14407;
	q = list_make(&l, s);
	parse_head(&h, q);
	doc_hash(hash, publication_head(p), strlen(publication_head(p)));
	cr_expect_eq(h.prev_serial, 14400);
	cr_expect_arr_eq(h.prev_sha256, hash, sizeof hash);
	doc_head_free(&h);
	publication_free(q);
	l.l.serial = 14400;
	cr_expect_eq(publication_make(&q, s, &l.l, &e), -1, "not above the last one");
	cr_expect_eq(e.code, ERR_STATE, "%s", e.msg);
	l.l.prev_head = "{}\n";
	cr_expect_eq(publication_make(&q, s, &l.l, NULL), -1);
	publication_free(p);
	list_free(&l);
	publish_site_free(s);
}

Test(publish_make, tombstones_reach_the_reader)
{
	struct publish_site *s = place_load();
	struct publish_tombstone t[2] = {{.state = TOMBSTONE_REVOKED, .since = KIT_NOW - 1234},
	    {.state = TOMBSTONE_RETIRED, .since = KIT_NOW}};
	char addr[2][ONION_ADDR_LEN + 1], *text;
	om_site *reader;
	struct list l;
	uint64_t serial;
	size_t i;

	for (i = 0; i < 2; i++) {
		kit_onion(30 + (unsigned)i, NULL, addr[i]);
		t[i].address = addr[i];
	}
	list_init(&l, s, 2, 1, 0);
	l.l.tombstones = t;
	l.l.n_tombstones = 2;
	list_publish(&l, s, 14400);
	cr_expect_eq(read_as_stranger("public", &serial, &reader), 2);
	cr_expect_eq(om_site_is_mirror(reader, addr[0], KIT_NOW), OM_IS_REVOKED);
	cr_expect_eq(om_site_is_mirror(reader, addr[1], KIT_NOW), OM_IS_RETIRED);
	om_site_close(reader);
	text = place_read(place_path("pub/public/current/bundle.json"), NULL);
	cr_expect_null(
	    strstr(text, addr[0]), "a tombstone tells the address to nobody who does not know it");
	free(text);
	list_free(&l);
	publish_site_free(s);
}

Test(publish_make, what_no_reader_would_take_is_not_made)
{
	struct publish_site *s = place_load();
	struct publication *p = NULL;
	struct err e = ERR_INIT;
	struct list l;

	list_init(&l, s, 1, 1, 14400);
	l.l.n_entries = 0;
	cr_expect_eq(publication_make(&p, s, &l.l, &e), -1);
	cr_expect_eq(e.code, ERR_REFUSED);
	l.l.n_entries = 1;
	l.l.serial = 10 * 24 * 60 + DOC_SERIAL_SLACK + 61;
	err_clear(&e);
	cr_expect_eq(publication_make(&p, s, &l.l, &e), -1, "a serial ahead of its time");
	cr_expect_eq(e.code, ERR_CRYPTO, "%s", e.msg);
	l.l.serial = 14400;
	l.entries[0].leaf = "{}\n";
	cr_expect_eq(publication_make(&p, s, &l.l, NULL), -1, "a leaf that is none");
	cr_expect_null(p);
	list_free(&l);
	publish_site_free(s);
}

/* Each `href` of the page is a file beside it or the address it shows, in one text node. */
static void check_links(const char *html, size_t mirrors)
{
	char to[128], node[300], *text;
	size_t onions = 0, n;

	for (; (html = strstr(html, "href=\"")) != NULL; html += n) {
		html += 6;
		n = strcspn(html, "\"");
		cr_assert_lt(n, sizeof to);
		snprintf(to, sizeof to, "%.*s", (int)n, html);
		if (strchr(to, '/') == NULL) {
			text = place_read(place_path("pub/public/current/%s", to), NULL);
			cr_expect_not_null(text, "%s", to);
			free(text);
			continue;
		}
		snprintf(node, sizeof node, "href=\"%s\"><code>%s</code>", to, to);
		cr_expect_not_null(strstr(html - 6, node), "%s", to);
		cr_expect_not_null(strstr(to, ".onion/"), "%s", to);
		onions++;
	}
	cr_expect_eq(onions, mirrors);
}

Test(publish_make, the_page_has_no_script_and_asks_nobody_else)
{
	static const char *const never[] = {"<script", "javascript:", "onclick", "src=\"h", "src=\"/",
	    "<iframe", "<svg", "url(", "@import", "<form", "<b&b>"};
	uint8_t hash[32];
	char want[64], b64[B64_LEN(32) + 1], *html, *from, *to, *style;
	struct publish_site *s;
	struct list l;
	size_t i;

	strcpy(kit.roots[0].doc.name, "The \"<b&b>\" Test's");
	s = place_load();
	list_init(&l, s, 3, 1, 0);
	list_publish(&l, s, 14400);
	html = place_read(place_path("pub/public/current/index.html"), NULL);
	cr_assert_not_null(html);
	cr_expect_not_null(strstr(html, "The &quot;&lt;b&amp;b&gt;&quot; Test&#39;s"));
	check_links(html, 3);
	style = strstr(html, "<style>");
	to = strstr(html, "</style>");
	cr_assert(style != NULL && to != NULL);
	from = style + strlen("<style>");
	SHA256((const unsigned char *)from, (size_t)(to - from), hash);
	b64_encode(b64, hash, sizeof hash);
	snprintf(want, sizeof want, "'sha256-%s'", b64);
	cr_expect_not_null(strstr(html, want), "the style's hash is %s", want);
	cr_expect_not_null(strstr(html, "default-src 'none'"));
	cr_expect_null(strstr(to + strlen("</style>"), "style"), "no other style");
	for (i = 0; i < sizeof never / sizeof never[0]; i++)
		cr_expect_null(strstr(html, never[i]), "%s", never[i]);
	cr_expect_not_null(strstr(html, kit.site_id));
	free(html);
	list_free(&l);
	publish_site_free(s);
}
