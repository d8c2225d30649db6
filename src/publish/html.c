/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * index.html, for people who have only a browser: no script, no outside
 * resource, each address in one text node so that it can be compared and
 * copied. The style is allowed by its hash alone. The page is a file, so it
 * never speaks of "now": every time in it stays true while it lies around.
 */
#include "config.h"
#include "base/enc.h"
#include "publish/publish_impl.h"

#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>

static const char style[] =
    ":root{color-scheme:light dark;--bg:#faf9fb;--card:#fff;--ink:#211c2b;--soft:#645d70;--line:#e2dde8;--mark:#6b3a8c}"
    "@media(prefers-color-scheme:dark)"
    "{:root{--bg:#17151c;--card:#211e28;--ink:#ece8f2;--soft:#aaa2b8;--line:#37323f;--mark:#cfa8ec}}"
    "*{box-sizing:border-box}"
    "body{margin:0 auto;padding:1.5rem 1rem 3rem;max-width:46rem;background:var(--bg);color:var(--ink)}"
    "body{font:1rem/1.55 sans-serif}h1{margin:0;font-size:1.75rem;line-height:1.2}"
    "h2{margin:2.4rem 0 .6rem;font-size:1.2rem}h3{margin:1.6rem 0 .4rem;font-size:1rem}"
    "p{margin:.6rem 0}a{color:var(--mark)}ul,ol,dl,dd{margin:0;padding:0}ul{list-style:none}"
    "code,pre{font:.92em/1.5 monospace;overflow-wrap:anywhere}code{user-select:all}"
    ".kind{margin:0 0 .2rem;color:var(--mark);font-size:.85rem;font-weight:bold;letter-spacing:.04em}"
    ".until{margin-top:1rem;padding-left:.8rem;border-left:.25rem solid var(--mark)}"
    ".soft,dt,.until span{color:var(--soft);font-size:.9rem}.until span{display:block}"
    ".card{margin:.7rem 0;padding:.8rem 1rem;background:var(--card);border:1px solid var(--line);border-radius:.5rem}"
    ".card a{text-decoration:none;font-weight:bold}.card p{margin:.35rem 0 0}"
    ".id{display:flex;flex-wrap:wrap;gap:1rem;align-items:center}.id code{flex:1 1 14rem;font-size:1.05em}"
    ".id img{width:9.5rem;height:9.5rem;border-radius:.3rem;image-rendering:pixelated}"
    "pre{margin:.4rem 0 1rem;padding:.7rem .9rem;background:var(--card);border:1px solid var(--line)}"
    "pre{border-radius:.5rem;white-space:pre-wrap}"
    "dt{margin-top:.8rem}";

void
html_policy(char out[HTML_POLICY_MAX], const char *text, size_t len)
{
	char hash[B64_LEN(32) + 1];
	uint8_t raw[32];

	SHA256((const unsigned char *)text, len, raw);
	b64_encode(hash, raw, sizeof raw);
	snprintf(out, HTML_POLICY_MAX,
	    "default-src 'none'; style-src 'sha256-%s'; img-src 'self'; base-uri 'none'; form-action 'none'", hash);
}

static void
add_escaped(struct buf *b, const char *s)
{
	for (; *s != '\0'; s++)
		switch (*s) {
		case '&': buf_adds(b, "&amp;"); break;
		case '<': buf_adds(b, "&lt;"); break;
		case '>': buf_adds(b, "&gt;"); break;
		case '"': buf_adds(b, "&quot;"); break;
		case '\'': buf_adds(b, "&#39;"); break;
		default: buf_add(b, s, 1); break;
		}
}

/* "23 November 2026", and ", 12:00 UTC" if asked for. */
static void
add_time(struct buf *b, int64_t t, bool hour)
{
	static const char *const months[] = { "January", "February", "March", "April", "May", "June", "July", "August",
		"September", "October", "November", "December" };
	char text[UTC_LEN + 1];
	int month, day;

	utc_format(text, t);
	month = (text[5] - '0') * 10 + text[6] - '0';
	day = (text[8] - '0') * 10 + text[9] - '0';
	buf_addf(b, "%d %s %.4s", day, months[month - 1], text);
	if (hour)
		buf_addf(b, ", %.5s UTC", text + 11);
}

/* "7 days", "12 hours" */
static void
add_span(struct buf *b, int64_t seconds)
{
	long long n = (long long)(seconds >= 2 * 86400 ? (seconds + 43200) / 86400 : (seconds + 1800) / 3600);

	buf_addf(b, "%lld %s%s", n, seconds >= 2 * 86400 ? "day" : "hour", n == 1 ? "" : "s");
}

static void
add_head(struct buf *b, const struct page *p)
{
	char policy[HTML_POLICY_MAX];

	html_policy(policy, style, sizeof style - 1);
	buf_addf(b,
	    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	    "<meta http-equiv=\"Content-Security-Policy\" content=\"%s\">\n"
	    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	    "<meta name=\"referrer\" content=\"no-referrer\">\n%s<title>Mirrors of ",
	    policy, p->qr ? "<link rel=\"icon\" type=\"image/png\" href=\"site.png\">\n" : "");
	add_escaped(b, publish_site_name(p->site));
	buf_addf(b, "</title>\n<style>%s</style>\n</head>\n<body>\n<p class=\"kind\">Signed list of mirrors</p>\n<h1>", style);
	add_escaped(b, publish_site_name(p->site));
	buf_adds(b, "</h1>\n<p class=\"until\">Good until <strong>");
	add_time(b, p->head->valid_until, true);
	buf_adds(b, "</strong>, ");
	add_span(b, p->head->valid_until - p->head->issued);
	buf_adds(b, " after it was signed.\n<span>Signed ");
	add_time(b, p->head->issued, true);
	buf_adds(b, ". A newer one follows before ");
	add_time(b, p->head->fresh_until, true);
	buf_adds(b, ": if that has passed, look for it at another address.</span></p>\n");
}

static void
add_mirrors(struct buf *b, const struct page *p)
{
	static const char *const roles[] = { [DOC_ROLE_MIRROR] = "The site itself",
		[DOC_ROLE_REPLICA] = "A replica: a copy that may lag behind", [DOC_ROLE_ARCHIVE] = "An archive: a copy of the past" };
	size_t i;

	buf_addf(b, "<h2>%s</h2>\n<p>Addresses change; these belong to the site while this list is good. Compare all 56 characters: "
	    "the first few are easy to forge.</p>\n<ul>\n", p->n_leaves == 1 ? "Address" : "Addresses");
	for (i = 0; i < p->n_leaves; i++) {
		const struct doc_leaf *l = &p->leaves[i];

		buf_adds(b, "<li class=\"card\"><a href=\"");
		add_escaped(b, l->url);
		buf_adds(b, "\"><code>");
		add_escaped(b, l->url);
		buf_addf(b, "</code></a>\n<p class=\"soft\">%s. Run by member %s. Its own key vouches for it from ", roles[l->role],
		    p->members[i]);
		add_time(b, l->possession_not_before, false);
		buf_adds(b, " until ");
		add_time(b, l->possession_not_after, false);
		buf_adds(b, ".</p></li>\n");
	}
	buf_adds(b, p->n_leaves > 0 ? "</ul>\n" : "</ul>\n<p>None is given out here at present.</p>\n");
}

static void
key_text(char out[MINISIGN_PUBKEY_TEXT], const uint8_t *key)
{
	char file[MINISIGN_PUBKEY_TEXT];
	const char *line;

	minisign_pubkey_format(file, key, NULL);
	line = strchr(file, '\n');
	snprintf(out, MINISIGN_PUBKEY_TEXT, "%.56s", line != NULL ? line + 1 : "");
}

/* Shows that a document names a key, which is minisign's text in $key: its last 32 bytes. */
static void
add_key_check(struct buf *b, const uint8_t *key, const char *file)
{
	char text[MINISIGN_PUBKEY_TEXT];

	key_text(text, key);
	buf_addf(b, "key=%s\ngrep -o $(echo $key | base64 -d | tail -c 32 | od -An -vtx1 | tr -d ' \\n') %s\n", text, file);
}

/* For each signature of NAME that a key of root document ROOT, which is `r`, made: the root names the key, the key signed. */
static void
add_signers(struct buf *b, const struct text_signed *t, const char *name, const struct doc_root *r, const char *root)
{
	size_t i;

	for (i = 0; i < DOC_SIGS_MAX; i++) {
		if (t->signers[i] == 0)
			continue;
		add_key_check(b, r->keys[t->signers[i] - 1], root);
		buf_addf(b, "minisign -V -H -P $key -m %s -x %s.%zu.minisig\n", name, name, i + 1);
	}
}

static void
add_file(struct buf *b, const char *name)
{
	buf_addf(b, " <a href=\"%s\">%s</a>", name, name);
}

static void
add_signatures(struct buf *b, const struct text_signed *t, const char *name)
{
	char file[64];
	size_t i;

	for (i = 0; i < DOC_SIGS_MAX; i++)
		if (t->files[i].p != NULL) {
			snprintf(file, sizeof file, "%s.%zu.minisig", name, i + 1);
			add_file(b, file);
		}
}

static void
add_files(struct buf *b, const struct page *p)
{
	const struct publish_site *s = p->site;
	char name[32];
	size_t i;

	for (i = 0; i < s->n_roots; i++) {
		snprintf(name, sizeof name, "%zu.root.json", i + 1);
		add_file(b, name);
		if (i > 0)
			add_signatures(b, &s->roots[i], name);
	}
	add_file(b, "members.json");
	add_signatures(b, &s->members, "members.json");
	add_file(b, "mirrors.txt");
	add_file(b, "mirrors.txt.minisig");
}

/* From the site id to the addresses with stock tools, root by root. */
static void
add_by_hand(struct buf *b, const struct page *p)
{
	const struct publish_site *s = p->site;
	char root[32] = "1.root.json", next[32];
	struct doc_root r;
	size_t i;

	buf_adds(b, "<h3>By hand, with openssl and minisign</h3>\n<p>Save in one folder:");
	add_files(b, p);
	buf_adds(b, ". The first line must print the site id:</p>\n"
	    "<pre>openssl dgst -sha256 -binary 1.root.json | base32 | tr -d = | tr A-Z a-z | sed s/^/om1/</pre>\n"
	    "<p>It names root keys; they sign the list of members");
	buf_adds(b, s->n_roots > 1 ? ", and each newer root" : "");
	buf_adds(b, ". Each grep must print a key, so that it is one of those:</p>\n<pre>");
	for (i = 0; i < s->n_roots && doc_root_parse(&r, s->roots[i].doc, s->roots[i].len, NULL, NULL) == DOC_OK; i++) {
		if (i + 1 == s->n_roots) {
			add_signers(b, &s->members, "members.json", &r, root);
			break;
		}
		snprintf(next, sizeof next, "%zu.root.json", i + 2);
		add_signers(b, &s->roots[i + 1], next, &r, root);
		memcpy(root, next, sizeof root);
	}
	buf_addf(b, "</pre>\n<p>At least %u of the root keys must have signed the list of members. It names the key that signs the "
	    "addresses; the trusted comment that minisign prints must hold the site id and a time that has not passed:</p>\n<pre>",
	    s->root.doc.threshold);
	add_key_check(b, s->member->key, "members.json");
	buf_adds(b, "minisign -V -H -P $key -m mirrors.txt</pre>\n");
}

static void
add_checks(struct buf *b, const struct page *p)
{
	const char *id = publish_site_id(p->site);

	buf_adds(b, "<h2>Is this list genuine?</h2>\n<p>This page can't prove it: a forged one would look the same. Compare the "
	    "site id with one that you got elsewhere, from somebody you trust:</p>\n<div class=\"card id\">");
	if (p->qr)
		buf_adds(b, "<img src=\"site.png\" width=\"328\" height=\"328\" alt=\"QR code of the site id\">");
	buf_addf(b, "<code>%s</code></div>\n"
	    "<p>Then let the list prove itself. Save <a href=\"bundle.json\">bundle.json</a> and run:</p>\n"
	    "<pre>onionmirror verify --site %s bundle.json</pre>\n", id, id);
	add_by_hand(b, p);
}

static void
add_key(struct buf *b, const uint8_t *key)
{
	char text[MINISIGN_PUBKEY_TEXT];

	key_text(text, key);
	buf_addf(b, "<dd><code>%s</code></dd>\n", text);
}

static void
add_keys(struct buf *b, const struct page *p)
{
	const struct doc_root *r = &p->site->root.doc;
	const struct doc_members *c = &p->site->cert;
	size_t i;

	buf_addf(b, "<h2>Keys</h2>\n<p>As minisign writes them. "
	    "The root keys are kept offline; it takes %u of %zu to say who may sign lists.</p>\n<dl>\n", r->threshold, r->n_keys);
	for (i = 0; i < c->n_members; i++) {
		buf_addf(b, "<dt>Member %s, may sign lists until ", c->members[i].name);
		add_time(b, c->members[i].not_after < c->expires ? c->members[i].not_after : c->expires, false);
		buf_adds(b, "</dt>\n");
		add_key(b, c->members[i].key);
	}
	for (i = 0; i < r->n_keys; i++) {
		buf_addf(b, "<dt>Root key %zu of %zu, good until ", i + 1, r->n_keys);
		add_time(b, r->expires, false);
		buf_adds(b, "</dt>\n");
		add_key(b, r->keys[i]);
	}
	buf_addf(b, "</dl>\n<p class=\"soft\">Serial %llu. The addresses alone: <a href=\"mirrors.txt\">mirrors.txt</a>.</p>\n"
	    "</body>\n</html>\n", (unsigned long long)p->head->serial);
}

void
html_write(struct buf *out, const struct page *p)
{
	add_head(out, p);
	add_mirrors(out, p);
	add_checks(out, p);
	add_keys(out, p);
}
