/* SPDX-License-Identifier: BSD-3-Clause */
/* Verdicts from raw outcomes: SOCKS replies, descriptor events, HTTP responses. Owns nothing. */
#include "config.h"
#include "tor/judge.h"

#include "base/enc.h"
#include "proto/event.h"
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

enum desc_sight
judge_sight(enum desc_sight before, const struct event_hs_desc *ev)
{
	if (before == DESC_RECEIVED || ev->side == EVENT_DESC_SIDE_UPLOAD)
		return before;
	if (ev->action == EVENT_DESC_RECEIVED)
		return DESC_RECEIVED;
	if (ev->action == EVENT_DESC_REQUESTED)
		/* A later question doesn't undo an answer; only the next answer does. */
		return before == DESC_UNSEEN ? DESC_REQUESTED : before;
	/* UNEXPECTED may be an upload's: those count only once we know that a fetch is under way. */
	if (ev->action == EVENT_DESC_FAILED &&
	    (ev->side == EVENT_DESC_SIDE_FETCH || before != DESC_UNSEEN))
		return ev->reason == EVENT_DESC_REASON_BAD_DESC ? DESC_BAD : DESC_MISSING;
	return before;
}

enum verdict
judge_socks(int code, enum desc_sight sight, char *detail)
{
	enum verdict v = socks_verdict(code);

	/* Ports without ExtendedErrors say 04 for several things, and 01 for what tor can't read. */
	if (code == 4 || code == 1) {
		if (sight == DESC_BAD)
			v = VERDICT_BAD_DESCRIPTOR;
		else if (code == 4)
			v = sight == DESC_MISSING || sight == DESC_REQUESTED ? VERDICT_NO_DESCRIPTOR
									     : VERDICT_INTRO;
	}
	judge_detail(detail, "tor answered %02X: %s", (unsigned)code & 0xff, socks_code_text(code));
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
