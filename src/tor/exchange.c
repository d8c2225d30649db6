/* SPDX-License-Identifier: BSD-3-Clause */
/* What one probe says and hears: SOCKS, then HTTP. Owns nothing beyond the probe. */
#include "config.h"
#include "tor/prober_impl.h"

#include "base/clock.h"
#include "tor/judge.h"

#include <string.h>

#define INPUT_MAX 32768

static void
probe_send_request(struct probe *p)
{
	p->state = PROBE_HTTP;
	stream_write(p->stream, p->request.data, p->request.len);
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
	p->result.phases.circuit = probe_elapsed(p);
	if (p->trace.desc == DESC_UNSEEN && p->trace.stream_seen && p->result.phases.descriptor < 0)
		p->result.phases.descriptor = 0;
	/* F0 also comes on connections that work (one HSDir had it, one not): so ask. */
	probe_send_request(p);
	return 0;
}

static void
probe_feed_http(struct probe *p, const char *data, size_t len)
{
	struct err e = ERR_INIT;
	size_t used = 0;

	if (len > 0 && p->result.phases.first_byte < 0)
		p->result.phases.first_byte = probe_elapsed(p);
	if (http_reader_feed(p->http, data, len, &used, &e) != 0) {
		if (e.code == ERR_LIMIT && http_reader_status(p->http) != 0) {
			probe_finish(p, judge_response(p->http, true, &p->rq, p->result.detail));
			return;
		}
		judge_detail(p->result.detail, "not a usable HTTP answer: %s", e.msg);
		probe_finish(p, VERDICT_HTTP);
		return;
	}
	stream_consume(p->stream, used);
	if (http_reader_done(p->http))
		probe_finish(p, judge_response(p->http, false, &p->rq, p->result.detail));
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
		if (len > 0)
			probe_feed_http(p, data, len);
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
		probe_finish(p, VERDICT_HTTP);
		return;
	}
	if (http_reader_eof(p->http, &e) != 0) {
		judge_detail(p->result.detail, "the answer was cut short: %s", e.msg);
		probe_finish(p, VERDICT_HTTP);
		return;
	}
	probe_finish(p, judge_response(p->http, false, &p->rq, p->result.detail));
}

static void
probe_on_stream(struct stream *s, enum stream_event ev, void *arg)
{
	struct probe *p = arg;

	switch (ev) {
	case STREAM_CONNECTED:
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

void
probe_connect(struct probe *p)
{
	p->state = PROBE_CONNECTING;
	p->stream = stream_connect(p->owner->loop, &p->via, INPUT_MAX, probe_on_stream, p);
	p->deadline = clock_mono_ms() + p->rq.timeout_ms;
	timer_set(p->timer, p->rq.timeout_ms);
}
