/* SPDX-License-Identifier: BSD-3-Clause */
/* What one probe says and hears: SOCKS, perhaps TLS, then HTTP, perhaps twice. Owns nothing beyond the probe. */
#include "config.h"
#include "tor/prober_impl.h"

#include "base/clock.h"
#include "base/mem.h"
#include "proto/onion.h"
#include "tor/judge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INPUT_MAX 32768

static int probe_feed_tls(struct probe *p, const char *data, size_t len);

/* The way to the server is open. 0, or -1 when the probe is over (and gone). */
static int
probe_send_request(struct probe *p)
{
	char name[ONION_HOST_LEN + 1];

	p->state = PROBE_HTTP;
	if (!p->rq.tls) {
		stream_write(p->stream, p->request.data, p->request.len);
		return 0;
	}
	snprintf(name, sizeof(name), "%.56s.onion", p->rq.address);
	p->tls = tls_new(name, p->rq.pin, clock_wall_s());
	if (p->tls == NULL) {
		judge_detail(p->result.detail, "no memory for TLS");
		probe_finish(p, VERDICT_INCONCLUSIVE);
		return -1;
	}
	return probe_feed_tls(p, NULL, 0);
}

/*
 * The message whose answer is waited for. One at a time: tor 0.4.9.11 given all
 * three at once answers only the last it read, and the answers can't be told apart.
 */
static void
probe_send_hello(struct probe *p)
{
	stream_write(p->stream, p->hello[p->socks.state].data, p->hello[p->socks.state].len);
}

/* 0, or -1 when the probe is over (and gone) or takes no more input. */
static int
probe_feed_socks(struct probe *p, const char *data, size_t len)
{
	enum socks_state was = p->socks.state;
	struct err e = ERR_INIT;
	size_t used = 0;

	if (socks_feed(&p->socks, (const uint8_t *)data, len, &used, &e) != 0) {
		judge_detail(p->result.detail, "SOCKS port: %s", e.msg);
		probe_finish(p, VERDICT_INCONCLUSIVE);
		return -1;
	}
	stream_consume(p->stream, used);
	if (p->socks.state != SOCKS_DONE) {
		if (p->socks.state != was)
			probe_send_hello(p);
		return 0;
	}
	p->result.socks_code = p->socks.code;
	if (p->socks.code != 0 && p->socks.code != 0xf0) {
		probe_settle(p);
		return -1;
	}
	if (!p->versioning)
		p->result.phases.circuit = probe_elapsed(p);
	if (p->trace.desc == DESC_UNSEEN && p->trace.stream_seen && p->result.phases.descriptor < 0)
		p->result.phases.descriptor = 0;
	/* F0 also comes on connections that work (one HSDir had it, one not): so ask. */
	return probe_send_request(p);
}

/* The whole answer, or as much of it as is taken. */
static void
probe_judge(struct probe *p, bool cut)
{
	probe_answered(p, p->versioning ? judge_version(p->http, cut, &p->result.version, p->result.detail)
					: judge_response(p->http, cut, &p->rq, p->result.detail));
}

/* 0, or -1 when the probe is over (and gone) or asks anew. */
static int
probe_feed_http(struct probe *p, const char *data, size_t len)
{
	struct err e = ERR_INIT;
	size_t used = 0;

	if (len > 0 && p->result.phases.first_byte < 0)
		p->result.phases.first_byte = probe_elapsed(p);
	if (http_reader_feed(p->http, data, len, &used, &e) != 0) {
		if (http_reader_too_large(p->http)) {
			probe_judge(p, true);
			return -1;
		}
		judge_detail(p->result.detail, "not a usable HTTP answer: %s", e.msg);
		probe_finish(p, VERDICT_HTTP);
		return -1;
	}
	if (!http_reader_done(p->http))
		return 0;
	probe_judge(p, false);
	return -1;
}

static int
probe_fail_tls(struct probe *p, const struct err *e)
{
	judge_detail(p->result.detail, "TLS: %s", e->msg);
	probe_finish(p, VERDICT_TLS);
	return -1;
}

/* Ciphertext in, answers out, what was in it to the HTTP reader. As probe_feed_http(). */
static int
probe_feed_tls(struct probe *p, const char *data, size_t len)
{
	struct err e = ERR_INIT;
	char plain[4096];
	const char *out;
	size_t n;
	int got;

	if (tls_feed(p->tls, data, len, &e) != 0)
		return probe_fail_tls(p, &e);
	if (tls_is_ready(p->tls) && !p->sent) {
		p->sent = true;
		if (tls_write(p->tls, p->request.data, p->request.len, &e) != 0)
			return probe_fail_tls(p, &e);
	}
	while ((got = tls_read(p->tls, plain, sizeof(plain), &e)) > 0)
		if (probe_feed_http(p, plain, (size_t)got) != 0)
			return -1;
	if (got < 0)
		return probe_fail_tls(p, &e);
	if ((out = tls_output(p->tls, &n)) != NULL)
		stream_write(p->stream, out, n);
	return 0;
}

static void
probe_on_data(struct probe *p)
{
	const char *data;
	size_t len;

	if (p->state == PROBE_SOCKS) {
		data = stream_peek(p->stream, &len);
		if (probe_feed_socks(p, data, len) != 0)
			return;
	}
	if (p->state == PROBE_HTTP) {
		data = stream_peek(p->stream, &len);
		if (len > 0 && (p->tls != NULL ? probe_feed_tls(p, data, len) : probe_feed_http(p, data, len)) == 0)
			stream_consume(p->stream, len);
	}
}

static void
probe_socks_closed(struct probe *p)
{
	const struct err *why = stream_error(p->stream);
	struct err e = ERR_INIT;

	if (p->state == PROBE_CONNECTING) {
		judge_detail(p->result.detail, "no connection to tor's SOCKS port: %s", why->msg);
		probe_finish(p, VERDICT_INCONCLUSIVE);
		return;
	}
	socks_eof(&p->socks, &e);
	if (p->socks.code > 0) {
		p->result.socks_code = p->socks.code;
		probe_settle(p);
		return;
	}
	judge_detail(p->result.detail, "tor closed the SOCKS connection without an answer");
	probe_finish(p, VERDICT_INCONCLUSIVE);
}

static void
probe_http_closed(struct probe *p)
{
	struct err e = ERR_INIT;

	if (p->result.phases.first_byte < 0) {
		if (p->result.socks_code == 0xf0) {
			p->result.phases.circuit = -1;
			probe_finish(p, judge_socks(0xf0, &p->trace, p->result.detail));
			return;
		}
		judge_detail(p->result.detail, "connected, then closed without an answer");
		probe_finish(p, p->tls != NULL && !tls_is_ready(p->tls) ? VERDICT_TLS : VERDICT_HTTP);
		return;
	}
	/* Without TLS's own end anybody on the way could have cut it. */
	if (p->tls != NULL && !tls_is_ended(p->tls))
		err_set(&e, ERR_CLOSED, "closed in the middle of TLS");
	else
		http_reader_eof(p->http, &e);
	if (e.code != ERR_NONE) {
		judge_detail(p->result.detail, "the answer was cut short: %s", e.msg);
		probe_finish(p, VERDICT_HTTP);
		return;
	}
	probe_judge(p, false);
}

static void
probe_on_stream(struct stream *s, enum stream_event ev, void *arg)
{
	struct probe *p = arg;

	switch (ev) {
	case STREAM_CONNECTED:
		if (p->result.phases.connect < 0)
			p->result.phases.connect = probe_elapsed(p);
		if (p->rq.direct) {
			probe_send_request(p);
			break;
		}
		p->state = PROBE_SOCKS;
		probe_send_hello(p);
		break;
	case STREAM_DATA: probe_on_data(p); break;
	case STREAM_DRAINED: break;
	case STREAM_CLOSED:
		if (p->state == PROBE_HTTP) {
			probe_http_closed(p);
		} else if (p->rq.direct) {
			judge_detail(p->result.detail, "no connection to the backend: %s",
			    stream_error(s)->msg);
			probe_finish(p, VERDICT_REFUSED);
		} else {
			probe_socks_closed(p);
		}
		break;
	}
}

void
probe_on_deadline(struct probe *p)
{
	char *detail = p->result.detail;

	if (!p->rq.direct && (p->state == PROBE_CONNECTING || p->socks.state < SOCKS_WANT_REPLY)) {
		/* tor answers these steps itself, at once: that it doesn't says nothing about the mirror. */
		judge_detail(detail, "tor's SOCKS port does not answer");
		probe_finish(p, VERDICT_INCONCLUSIVE);
		return;
	}
	if (p->state == PROBE_SOCKS) {
		probe_finish(p, judge_timeout(&p->trace, p->rq.timeout_ms, detail));
		return;
	}
	if (p->state == PROBE_CONNECTING)
		judge_detail(
		    detail, "no connection to the backend in %lld ms", (long long)p->rq.timeout_ms);
	else
		judge_detail(detail, "%s in %lld ms",
		    p->result.phases.first_byte < 0 ? "connected, but no answer"
						    : "the answer did not end",
		    (long long)p->rq.timeout_ms);
	probe_finish(p, VERDICT_TIMEOUT);
}

static void
probe_open(struct probe *p)
{
	p->state = PROBE_CONNECTING;
	p->stream = stream_connect(p->owner->loop, &p->via, INPUT_MAX, probe_on_stream, p);
}

void
probe_connect(struct probe *p)
{
	probe_open(p);
	p->deadline = clock_mono_ms() + p->rq.timeout_ms;
	timer_set(p->timer, p->rq.timeout_ms);
}

/* A connection of its own, since the answer may have ended the last one; the same name, so the same circuit. */
static void
probe_ask_version(struct probe *p)
{
	p->versioning = true;
	p->sent = false;
	tls_free(p->tls);
	p->tls = NULL;
	stream_free(p->stream);
	socks_init(&p->socks);
	http_reader_free(p->http);
	if ((p->http = http_reader_new()) == NULL)
		mem_exhausted();
	buf_reset(&p->request);
	probe_open(p);
}

void
probe_answered(struct probe *p, enum verdict v)
{
	struct err e = ERR_INIT;

	p->result.has_version = p->versioning && v == VERDICT_OK;
	if (v != VERDICT_OK || p->versioning || p->rq.version_path == NULL) {
		probe_finish(p, v);
		return;
	}
	probe_ask_version(p);
	if (http_request_write(&p->request, "GET", p->host, p->rq.version_path, &e) != 0) {
		judge_detail(p->result.detail, "%s", e.msg);
		probe_finish(p, VERDICT_INCONCLUSIVE);
	}
}
