/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * index.html, for people who have only a browser: no script, no outside
 * resource, each address in one text node so that it can be compared and
 * copied. The style is allowed by its hash alone.
 */
#include "config.h"
#include "base/enc.h"
#include "publish/publish_impl.h"

#include <openssl/sha.h>
#include <string.h>

static const char style[] =
    ":root{color-scheme:light dark}body{font:1.1em/1.5 sans-serif;max-width:46em;margin:0 auto;padding:1em}"
    "h1{font-size:1.5em}h2{font-size:1.15em;margin-top:2em}li{margin:.8em 0}code,pre{font-family:monospace;overflow-wrap:anywhere}"
    "pre{white-space:pre-wrap;padding:.7em;border:1px solid #8888}small{opacity:.8}";

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

static void
add_head(struct buf *b, const struct page *p)
{
	uint8_t hash[32];
	char text[B64_LEN(32) + 1];

	SHA256((const unsigned char *)style, sizeof style - 1, hash);
	b64_encode(text, hash, sizeof hash);
	buf_adds(b, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
	buf_addf(b, "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'sha256-%s'; base-uri 'none'; "
	    "form-action 'none'\">\n", text);
	buf_adds(b, "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"referrer\" content=\"no-referrer\">\n<title>Mirrors of ");
	add_escaped(b, publish_site_name(p->site));
	buf_addf(b, "</title>\n<style>%s</style>\n</head>\n<body>\n<h1>Mirrors of ", style);
	add_escaped(b, publish_site_name(p->site));
	buf_adds(b, "</h1>\n<p>These onion addresses belong to this site now. Addresses change; this signed list says which are genuine.</p>\n");
}

static void
add_mirrors(struct buf *b, const struct page *p)
{
	size_t i;

	buf_adds(b, "<h2>Addresses</h2>\n<ul>\n");
	for (i = 0; i < p->n_leaves; i++) {
		buf_adds(b, "<li><a href=\"");
		add_escaped(b, p->leaves[i].url);
		buf_adds(b, "\"><code>");
		add_escaped(b, p->leaves[i].url);
		buf_addf(b, "</code></a>%s%s</li>\n", p->leaves[i].role == DOC_ROLE_MIRROR ? "" : " ",
		    p->leaves[i].role == DOC_ROLE_MIRROR ? "" : doc_role_name(p->leaves[i].role));
	}
	buf_adds(b, "</ul>\n");
}

/* "23 November 2026, 12:00 UTC" */
static void
add_time(struct buf *b, int64_t t)
{
	static const char *const months[] = { "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
		"November", "December" };
	char text[UTC_LEN + 1];
	int month, day;

	utc_format(text, t);
	month = (text[5] - '0') * 10 + text[6] - '0';
	day = (text[8] - '0') * 10 + text[9] - '0';
	buf_addf(b, "%d %s %.4s, %.5s UTC", day, months[month - 1], text, text + 11);
}

static void
add_checks(struct buf *b, const struct page *p)
{
	char pub[MINISIGN_PUBKEY_TEXT];
	const char *key;

	minisign_pubkey_format(pub, p->site->member->key, NULL);
	key = strchr(pub, '\n');
	key = key != NULL ? key + 1 : pub;
	buf_addf(b, "<h2>How to check</h2>\n<p>This page proves nothing by itself. Compare this site id with one that you got from somewhere you "
	    "trust:</p>\n<pre>%s</pre>\n", publish_site_id(p->site));
	buf_addf(b, "<p>Then let the list prove itself, with the file <a href=\"bundle.json\">bundle.json</a>:</p>\n<pre>onionmirror verify --site %s "
	    "bundle.json</pre>\n", publish_site_id(p->site));
	buf_addf(b, "<p>With stock minisign, the list <a href=\"mirrors.txt\">mirrors.txt</a> and its <a href=\"mirrors.txt.minisig\">signature</a>:</p>\n"
	    "<pre>minisign -V -H -P %.56s -m mirrors.txt</pre>\n", key);
	buf_addf(b, "<p><small>Serial %llu, signed by member %s. Issued ", (unsigned long long)p->head->serial, p->head->member);
	add_time(b, p->head->issued);
	buf_adds(b, ", valid until ");
	add_time(b, p->head->valid_until);
	buf_adds(b, ".</small></p>\n</body>\n</html>\n");
}

void
html_write(struct buf *out, const struct page *p)
{
	add_head(out, p);
	add_mirrors(out, p);
	add_checks(out, p);
}
