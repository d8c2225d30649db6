/* SPDX-License-Identifier: BSD-3-Clause */
/* Reads the head of a request and writes that of an answer. Works on the caller's bytes and owns nothing. */
#include "config.h"
#include "proto/http_server.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"
#define TOKEN UPPER LOWER DIGITS "!#$%&'*+-.^_`|~"
#define HOST UPPER LOWER DIGITS "-._:[]"

/* Bytes of the caller's text. */
struct span {
	const char *p;
	size_t len;
};

struct fields {
	unsigned hosts, none_matches;
	bool body, coded;
};

static bool
is_only(struct span s, const char *set)
{
	size_t i;

	for (i = 0; i < s.len; i++)
		if (s.p[i] == '\0' || strchr(set, s.p[i]) == NULL)
			return false;
	return s.len > 0;
}

static bool
is_name(struct span s, const char *name)
{
	return s.len == strlen(name) && strncasecmp(s.p, name, s.len) == 0;
}

/* Up to the next `end`, which is taken off too; false: there is none. */
static bool
cut(struct span *rest, const char *end, struct span *out)
{
	const char *at = memmem(rest->p, rest->len, end, strlen(end));

	if (at == NULL)
		return false;
	*out = (struct span){ rest->p, (size_t)(at - rest->p) };
	rest->p = at + strlen(end);
	rest->len -= out->len + strlen(end);
	return true;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* A field's value: no control characters but TAB, the blanks around it taken off. */
static bool
take_value(struct span *v)
{
	size_t i;

	for (; v->len > 0 && is_blank(v->p[0]); v->p++)
		v->len--;
	while (v->len > 0 && is_blank(v->p[v->len - 1]))
		v->len--;
	for (i = 0; i < v->len; i++)
		if (((unsigned char)v->p[i] < 0x20 && v->p[i] != '\t') || v->p[i] == 0x7f)
			return false;
	return true;
}

static int
take_field(struct http_request *out, struct fields *f, struct span line)
{
	struct span name;

	if (!cut(&line, ":", &name) || !is_only(name, TOKEN) || !take_value(&line))
		return 400;
	if (is_name(name, "Host")) {
		if (f->hosts++ > 0 || line.len > 255 || !is_only(line, HOST))
			return 400;
	} else if (is_name(name, "Content-Length")) {
		f->body = f->body || !is_name(line, "0");
	} else if (is_name(name, "Transfer-Encoding")) {
		f->coded = true;
	} else if (is_name(name, "If-None-Match")) {
		out->none_match[0] = '\0';
		if (f->none_matches++ == 0 && line.len <= HTTP_NONE_MATCH_MAX) {
			memcpy(out->none_match, line.p, line.len);
			out->none_match[line.len] = '\0';
		}
	}
	return 0;
}

static bool
is_path(struct span s)
{
	size_t i;

	for (i = 0; i < s.len; i++)
		if (s.p[i] <= 0x20 || s.p[i] >= 0x7f)
			return false;
	return s.len > 0 && s.p[0] == '/';
}

/* The first line, and whether it is HTTP/1.1. */
static int
take_line(struct http_request *out, struct span line, bool *is_1_1)
{
	struct span method, path;

	if (!cut(&line, " ", &method) || !cut(&line, " ", &path) || !is_only(method, TOKEN))
		return 400;
	*is_1_1 = line.len == 8 && memcmp(line.p, "HTTP/1.1", 8) == 0;
	if (!*is_1_1 && (line.len != 8 || memcmp(line.p, "HTTP/1.0", 8) != 0))
		return line.len == 8 && memcmp(line.p, "HTTP/", 5) == 0 ? 505 : 400;
	out->head = method.len == 4 && memcmp(method.p, "HEAD", 4) == 0;
	if (!out->head && (method.len != 3 || memcmp(method.p, "GET", 3) != 0))
		return 405;
	if (path.len > HTTP_PATH_MAX)
		return 414;
	if (!is_path(path))
		return 400;
	memcpy(out->path, path.p, path.len);
	out->path[path.len] = '\0';
	return 0;
}

static int
take_head(struct http_request *out, struct span head)
{
	struct fields f = { 0 };
	struct span line;
	bool is_1_1 = false;
	unsigned n = 0;
	int r;

	cut(&head, "\r\n", &line);
	if ((r = take_line(out, line, &is_1_1)) != 0)
		return r;
	while (cut(&head, "\r\n", &line)) {
		if (n++ == HTTP_REQUEST_LINES)
			return 431;
		if ((r = take_field(out, &f, line)) != 0)
			return r;
	}
	if (is_1_1 && f.hosts == 0)
		return 400;
	return f.coded ? 501 : f.body ? 413 : 200;
}

int
http_request_parse(struct http_request *out, const char *data, size_t len)
{
	struct span rest = { data, len < HTTP_REQUEST_MAX ? len : HTTP_REQUEST_MAX }, head;
	struct http_request rq = { 0 };
	int r;

	/* Not even a method: a TLS hello, say, that would wait for ever. */
	if (len > 0 && !is_only((struct span){ data, 1 }, TOKEN))
		return 400;
	if (!cut(&rest, "\r\n\r\n", &head)) {
		if (len < HTTP_REQUEST_MAX)
			return 0;
		return memmem(data, HTTP_REQUEST_MAX, "\r\n", 2) == NULL ? 414 : 431;
	}
	head.len += 2; /* each line with its end */
	r = take_head(&rq, head);
	if (r == 200)
		*out = rq;
	return r;
}

bool
http_none_match(const struct http_request *rq, const char *etag)
{
	const char *p = rq->none_match;
	size_t n = strlen(etag);
	char after;

	if (strcmp(p, "*") == 0)
		return true;
	/* Tags hold no commas here: a foreign one that does can't equal ours. */
	for (; *p != '\0'; p += strcspn(p, ","), p += *p == ',') {
		p += strspn(p, " \t");
		if (strncmp(p, "W/", 2) == 0)
			p += 2;
		if (strncmp(p, etag, n) != 0)
			continue;
		after = p[n + strspn(p + n, " \t")];
		if (after == ',' || after == '\0')
			return true;
	}
	return false;
}

static const struct {
	int status;
	const char *text;
} texts[] = {
	{ 200, "OK" }, { 304, "Not Modified" }, { 400, "Bad Request" }, { 404, "Not Found" }, { 405, "Method Not Allowed" },
	{ 413, "Content Too Large" }, { 414, "URI Too Long" }, { 431, "Request Header Fields Too Large" },
	{ 501, "Not Implemented" }, { 503, "Service Unavailable" }, { 505, "HTTP Version Not Supported" },
};

const char *
http_status_text(int status)
{
	size_t i;

	for (i = 0; i < sizeof texts / sizeof texts[0]; i++)
		if (texts[i].status == status)
			return texts[i].text;
	return "";
}

void
http_answer_write(struct buf *out, const struct http_answer *a)
{
	buf_addf(out, "HTTP/1.1 %d %s\r\n", a->status, http_status_text(a->status));
	if (a->type != NULL && a->status != 304)
		buf_addf(out, "Content-Type: %s\r\n", a->type);
	if (a->status != 304)
		buf_addf(out, "Content-Length: %zu\r\n", a->length);
	if (a->etag != NULL)
		buf_addf(out, "ETag: %s\r\n", a->etag);
	if (a->status == 405)
		buf_adds(out, "Allow: GET, HEAD\r\n");
	buf_addf(out,
	    "Accept-Ranges: none\r\n"
	    "Cache-Control: no-cache\r\n"
	    "Content-Security-Policy: %s\r\n"
	    "Cross-Origin-Resource-Policy: same-origin\r\n"
	    "Referrer-Policy: no-referrer\r\n"
	    "X-Content-Type-Options: nosniff\r\n"
	    "Connection: close\r\n"
	    "\r\n",
	    a->policy);
}
