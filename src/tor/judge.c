/* SPDX-License-Identifier: BSD-3-Clause */
/* Verdicts from raw outcomes: SOCKS replies, descriptor events, HTTP responses. Owns nothing. */
#include "config.h"
#include "tor/judge.h"

#include "base/enc.h"
#include "proto/socks.h"

#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
judge_detail(char *detail, const char *fmt, ...)
{
	char raw[PROBE_DETAIL_SIZE];
	size_t n = 0;
	va_list ap;
	const char *p;

	va_start(ap, fmt);
	vsnprintf(raw, sizeof(raw), fmt, ap);
	va_end(ap);
	for (p = raw; *p != '\0'; p++) {
		if (*p >= ' ' && *p <= '~') {
			if (n + 1 >= PROBE_DETAIL_SIZE)
				break;
			detail[n++] = *p;
		} else {
			if (n + 4 >= PROBE_DETAIL_SIZE)
				break;
			n += (size_t)snprintf(detail + n, 5, "\\x%02x", (unsigned char)*p);
		}
	}
	detail[n] = '\0';
}

/* 01 on a port without ExtendedErrors: the stream's reason tells what tor could not do itself. */
static enum verdict
judge_01(const struct trace *t)
{
	if (t->desc == DESC_BAD)
		return VERDICT_BAD_DESCRIPTOR;
	if (t->joined || t->remote_reason[0] != '\0')
		return VERDICT_REFUSED;
	if (strcmp(t->reason, "TORPROTOCOL") == 0)
		return VERDICT_BAD_ADDRESS;
	if (strcmp(t->reason, "MISC") == 0)
		return VERDICT_CLIENT_AUTH;
	return VERDICT_REFUSED;
}

/* 04 on such a port: no descriptor, or no introduction point that takes us. */
static enum verdict
judge_04(const struct trace *t)
{
	switch (t->desc) {
	case DESC_BAD: return VERDICT_BAD_DESCRIPTOR;
	case DESC_MISSING:
	case DESC_REQUESTED: return VERDICT_NO_DESCRIPTOR;
	case DESC_RECEIVED: return VERDICT_INTRO;
	case DESC_UNSEEN: break;
	}
	/* All HSDirs were asked a short while ago: then tor says so at once, without an event. */
	return t->cached == 0 ? VERDICT_NO_DESCRIPTOR : VERDICT_INTRO;
}

enum verdict
judge_socks(int code, const struct trace *t, char *detail)
{
	const char *more = t->nacked ? "; the introduction was refused" : t->intro_timeout ? "; the introduction timed out" : "";
	enum verdict v = socks_verdict(code);

	if (code == 6)
		return judge_timeout(t, -1, detail);
	if (code == 1)
		v = judge_01(t);
	else if (code == 4)
		v = judge_04(t);
	judge_detail(detail, "tor answered %02X: %s%s", (unsigned)code & 0xff,
	    v == socks_verdict(code) ? socks_code_text(code) : verdict_name(v), more);
	return v;
}

enum verdict
judge_timeout(const struct trace *t, int64_t ms, char *detail)
{
	enum verdict v = VERDICT_TIMEOUT;
	const char *how_far = "";
	char in[64];

	if (ms < 0)
		snprintf(in, sizeof(in), "tor answered 06: given up");
	else
		snprintf(in, sizeof(in), "no circuit to the onion in %lld ms", (long long)ms);
	if (!t->stream_seen || !t->minor_seen) {
		/* No events, or a filter keeps some from us: nobody knows. */
	} else if (t->desc == DESC_REQUESTED || t->desc == DESC_MISSING) {
		how_far = "; the descriptor did not come";
	} else if (!t->meeting_point) {
		v = VERDICT_INCONCLUSIVE;
		how_far = "; our own tor found no rendezvous point";
	} else if (!t->acked) {
		v = t->intro_timeout || t->nacked ? VERDICT_INTRO : v;
		how_far = "; no introduction point passed us on";
	} else if (!t->joined) {
		v = t->rend_timeout ? VERDICT_RENDEZVOUS : v;
		how_far = "; introduced, but the service did not come";
	} else {
		how_far = "; the service came, and did not open the stream";
	}
	judge_detail(detail, "%s%s", in, how_far);
	return v;
}

static bool
body_contains(const char *body, size_t len, const char *text)
{
	return memmem(body, len, text, strlen(text)) != NULL;
}

static bool
hash_matches(const char *body, size_t len, const char *hex)
{
	uint8_t md[crypto_hash_sha256_BYTES], want[sizeof(md)];

	crypto_hash_sha256(md, (const unsigned char *)body, len);
	return hex_decode_any(want, sizeof(want), hex, strlen(hex)) == 0 &&
	       memcmp(md, want, sizeof(want)) == 0;
}

static bool
header_matches(const struct http_reader *r, const char *want)
{
	const char *colon = strchr(want, ':'), *value, *got;
	char name[256];
	size_t n;

	if (colon == NULL || colon == want || (size_t)(colon - want) >= sizeof(name))
		return false;
	memcpy(name, want, (size_t)(colon - want));
	name[colon - want] = '\0';
	value = colon + 1 + strspn(colon + 1, " \t");
	for (n = strlen(value); n > 0 && (value[n - 1] == ' ' || value[n - 1] == '\t'); n--)
		;
	got = http_reader_header(r, name);
	return got != NULL && strlen(got) == n && memcmp(got, value, n) == 0;
}

static enum verdict
judge_status(int status, const struct http_reader *r, const struct probe_request *rq, char *detail)
{
	const char *to;

	if (status == 403 || status == 429 || status == 503) {
		judge_detail(detail, "status %d: overloaded or not letting us in", status);
		return VERDICT_BUSY;
	}
	to = status >= 300 && status < 400 ? http_reader_header(r, "Location") : NULL;
	if (to != NULL)
		judge_detail(detail, "status %d to %.80s, expected %d; redirects are not followed",
		    status, to, rq->status);
	else
		judge_detail(detail, "status %d, expected %d", status, rq->status);
	return VERDICT_HTTP;
}

enum verdict
judge_response(const struct http_reader *r, bool cut, const struct probe_request *rq, char *detail)
{
	int status = http_reader_status(r);
	const char *body;
	size_t len;

	if (status != rq->status)
		return judge_status(status, r, rq, detail);
	body = http_reader_body(r, &len);
	if (rq->header != NULL && !header_matches(r, rq->header)) {
		judge_detail(detail, "status %d, but header missing or different: %.80s", status,
		    rq->header);
		return VERDICT_CONTENT;
	}
	if (cut && (rq->sha256 != NULL ||
		       (rq->contains != NULL && !body_contains(body, len, rq->contains)))) {
		judge_detail(detail,
		    "status %d, but the body is larger than %d bytes: let the check ask for a "
		    "smaller page",
		    status, HTTP_BODY_MAX);
		return VERDICT_CONTENT;
	}
	if (rq->contains != NULL && !body_contains(body, len, rq->contains)) {
		judge_detail(detail,
		    "status %d, but the %zu bytes of body lack the expected text; they begin: "
		    "%.40s",
		    status, len, len > 0 ? body : "");
		return VERDICT_CONTENT;
	}
	if (rq->sha256 != NULL && !hash_matches(body, len, rq->sha256)) {
		judge_detail(
		    detail, "status %d, but SHA-256 of the %zu bytes of body differs", status, len);
		return VERDICT_CONTENT;
	}
	if (cut)
		judge_detail(detail, "status %d, more than %d bytes", status, HTTP_BODY_MAX);
	else
		judge_detail(detail, "status %d, %zu bytes", status, len);
	return VERDICT_OK;
}

enum verdict
judge_version(const struct http_reader *r, bool cut, uint64_t *version, char *detail)
{
	const char *body;
	uint64_t v = 0;
	size_t len, i;

	if (http_reader_status(r) != 200) {
		judge_detail(detail, "asked for the content's version: status %d", http_reader_status(r));
		return VERDICT_CONTENT;
	}
	body = http_reader_body(r, &len);
	for (i = 0; i < len && body[i] >= '0' && body[i] <= '9' && v <= INT64_MAX / 10 - 1; i++)
		v = v * 10 + (uint64_t)(body[i] - '0');
	if (cut || i == 0 || i + strspn(body + i, " \t\r\n") != len) {
		judge_detail(detail, "the content's version is no number: %.40s", len > 0 ? body : "");
		return VERDICT_CONTENT;
	}
	*version = v;
	judge_detail(detail, "version %llu", (unsigned long long)v);
	return VERDICT_OK;
}
