/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Probes and checks in flight. Each owns its stream, timer and parsers, and
 * ends in one place, probe_finish(). A probe has one deadline from its start;
 * tor has none of its own for services with proof of work.
 */
#include "config.h"
#include "tor/prober.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/enc.h"
#include "base/mem.h"
#include "base/rng.h"
#include "io/stream.h"
#include "proto/http.h"
#include "proto/socks.h"
#include "tor/judge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INPUT_MAX 32768
#define MESSAGE_MAX 8192
/* HS_DESC FAILED and the SOCKS reply come on two sockets, in either order. */
#define EVENT_GRACE_MS 200

enum probe_state {
	PROBE_INVALID, /* could not be sent; says so at the next turn */
	PROBE_CONNECTING,
	PROBE_SOCKS,
	PROBE_HTTP,
	PROBE_SETTLING, /* SOCKS said no; waits shortly for the event that tells why */
};

struct probe {
	struct prober *owner;
	struct probe *next;
	struct probe_request rq; /* points into the next two */
	struct endpoint via;
	char *owned[5]; /* copies of the request's strings */
	probe_cb *cb;
	void *ctx;
	uint64_t id;
	enum probe_state state;
	struct stream *stream;
	struct timer *timer;
	struct socks socks;
	struct http_reader *http;
	struct buf hello[3]; /* SOCKS messages, by the state that waits for their answer */
	struct buf request;  /* the HTTP request */
	enum desc_sight sight;
	int64_t started, deadline; /* monotonic ms */
	struct probe_result result;
};

struct prober {
	struct loop *loop;
	struct probe *probes;
	unsigned count;
	bool sees_events; /* HS_DESC has ever come: then none means cached */
};

static int32_t
probe_elapsed(const struct probe *p)
{
	int64_t ms = clock_mono_ms() - p->started;

	return ms < 0 ? 0 : ms > INT32_MAX ? INT32_MAX : (int32_t)ms;
}

static void
probe_free(struct probe *p)
{
	struct probe **at;
	size_t i;

	for (at = &p->owner->probes; *at != p; at = &(*at)->next)
		;
	*at = p->next;
	p->owner->count--;
	stream_free(p->stream);
	timer_free(p->timer);
	http_reader_free(p->http);
	buf_free(&p->hello[SOCKS_WANT_METHOD]);
	buf_free(&p->hello[SOCKS_WANT_AUTH]);
	buf_free(&p->hello[SOCKS_WANT_REPLY]);
	buf_free(&p->request);
	for (i = 0; i < sizeof(p->owned) / sizeof(p->owned[0]); i++)
		free(p->owned[i]);
	free(p);
}

/* The only end that tells anybody. p is gone afterwards, and the prober may be. */
static void
probe_finish(struct probe *p, enum verdict v)
{
	struct probe_result result = p->result;
	probe_cb *cb = p->cb;
	void *ctx = p->ctx;
	uint64_t id = p->id;

	result.verdict = v;
	result.phases.total = probe_elapsed(p);
	result.http_status = p->http != NULL ? http_reader_status(p->http) : 0;
	result.stale_hsdir = result.socks_code == 0xf0 && result.phases.first_byte >= 0;
	probe_free(p);
	cb(ctx, id, &result);
}

static void
probe_on_deadline(struct probe *p)
{
	char *detail = p->result.detail;

	if (!p->rq.direct && (p->state == PROBE_CONNECTING || p->socks.state < SOCKS_WANT_REPLY)) {
		/* tor answers these steps itself, at once: that it doesn't says nothing about the mirror. */
		judge_detail(detail, "tor's SOCKS port does not answer");
		probe_finish(p, VERDICT_INCONCLUSIVE);
		return;
	}
	if (p->state == PROBE_CONNECTING)
		judge_detail(
		    detail, "no connection to the backend in %lld ms", (long long)p->rq.timeout_ms);
	else if (p->state == PROBE_SOCKS)
		judge_detail(
		    detail, "no circuit to the onion in %lld ms", (long long)p->rq.timeout_ms);
	else
		judge_detail(detail, "%s in %lld ms",
		    p->result.phases.first_byte < 0 ? "connected, but no answer"
						    : "the answer did not end",
		    (long long)p->rq.timeout_ms);
	probe_finish(p, VERDICT_TIMEOUT);
}

static void
probe_on_timer(void *arg)
{
	struct probe *p = arg;

	if (p->state == PROBE_INVALID)
		probe_finish(p, p->result.verdict);
	else if (p->state == PROBE_SETTLING)
		probe_finish(p, judge_socks(p->result.socks_code, p->sight, p->result.detail));
	else
		probe_on_deadline(p);
}

static void
probe_send_request(struct probe *p)
{
	p->state = PROBE_HTTP;
	stream_write(p->stream, p->request.data, p->request.len);
}

/* A SOCKS reply that is a failure. */
static void
probe_on_refusal(struct probe *p)
{
	int64_t left = p->deadline - clock_mono_ms();

	if (p->socks.code == 4 && p->sight == DESC_REQUESTED && left > 0) {
		p->state = PROBE_SETTLING;
		stream_free(p->stream);
		p->stream = NULL;
		timer_set(p->timer, left < EVENT_GRACE_MS ? left : EVENT_GRACE_MS);
		return;
	}
	probe_finish(p, judge_socks(p->socks.code, p->sight, p->result.detail));
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
		probe_on_refusal(p);
		return -1;
	}
	p->result.phases.circuit = probe_elapsed(p);
	if (p->sight == DESC_UNSEEN && p->owner->sees_events)
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
		probe_on_refusal(p);
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
			probe_finish(p, judge_socks(0xf0, p->sight, p->result.detail));
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

/* Writes the SOCKS messages and keeps the request ready. -1: detail and verdict say why it can't be. */
static int
probe_prepare(struct probe *p)
{
	uint8_t noise[32];
	char host[80], user[33], password[33];
	struct err e = ERR_INIT;

	if (p->rq.port == 80)
		snprintf(host, sizeof(host), "%.56s.onion", p->rq.address);
	else
		snprintf(host, sizeof(host), "%.56s.onion:%u", p->rq.address, (unsigned)p->rq.port);
	if (!p->rq.direct) {
		/*
		 * A name of its own gives each probe circuits of its own
		 * (IsolateSOCKSAuth). Hex never begins "<torS0X>".
		 */
		rng_bytes(noise, sizeof(noise));
		hex_encode(user, noise, 16);
		hex_encode(password, noise + 16, 16);
		if (socks_write_greeting(&p->hello[SOCKS_WANT_METHOD], &e) != 0 ||
		    socks_write_auth(&p->hello[SOCKS_WANT_AUTH], user, password, &e) != 0 ||
		    socks_write_connect(&p->hello[SOCKS_WANT_REPLY], p->rq.address, p->rq.port,
			&e) != 0) {
			judge_detail(p->result.detail, "%s", e.msg);
			p->result.verdict = VERDICT_BAD_ADDRESS;
			return -1;
		}
	}
	if (http_request_write(&p->request, "GET", host, p->rq.path, &e) != 0) {
		judge_detail(p->result.detail, "%s", e.msg);
		p->result.verdict = VERDICT_INCONCLUSIVE;
		return -1;
	}
	return 0;
}

/* The request outlives the caller's strings. */
static void
probe_copy_request(struct probe *p, const struct probe_request *rq)
{
	const char **strings[] = {
	    &p->rq.address, &p->rq.path, &p->rq.contains, &p->rq.sha256, &p->rq.header};
	size_t i;

	p->rq = *rq;
	p->via = *rq->via;
	p->rq.via = &p->via;
	for (i = 0; i < sizeof(strings) / sizeof(strings[0]); i++)
		if (*strings[i] != NULL)
			*strings[i] = p->owned[i] = xstrdup(*strings[i]);
}

void
prober_start(struct prober *r, const struct probe_request *rq, probe_cb *cb, void *ctx, uint64_t id)
{
	struct probe *p = xcalloc(1, sizeof(*p));

	probe_copy_request(p, rq);
	p->owner = r;
	p->next = r->probes;
	r->probes = p;
	r->count++;
	p->cb = cb;
	p->ctx = ctx;
	p->id = id;
	p->hello[SOCKS_WANT_METHOD] = p->hello[SOCKS_WANT_AUTH] = p->hello[SOCKS_WANT_REPLY] =
	    (struct buf)BUF_INIT(MESSAGE_MAX);
	p->request = (struct buf)BUF_INIT(MESSAGE_MAX);
	p->started = clock_mono_ms();
	p->deadline = p->started + rq->timeout_ms;
	p->result.socks_code = -1;
	p->result.phases = (struct phases){-1, -1, -1, -1, -1};
	socks_init(&p->socks);
	if ((p->http = http_reader_new()) == NULL)
		abort();
	p->timer = timer_new(r->loop, probe_on_timer, p);
	if (probe_prepare(p) != 0) {
		timer_set(p->timer, 0);
		return;
	}
	p->state = PROBE_CONNECTING;
	p->stream = stream_connect(r->loop, &p->via, INPUT_MAX, probe_on_stream, p);
	timer_set(p->timer, rq->timeout_ms);
}

void
prober_cancel(struct prober *r, uint64_t id)
{
	struct probe *p;

	for (p = r->probes; p != NULL && p->id != id; p = p->next)
		;
	if (p != NULL)
		probe_free(p);
}

unsigned
prober_count(const struct prober *r)
{
	return r->count;
}

void
prober_on_event(struct prober *r, const struct event *ev)
{
	struct probe *p;

	if (ev->kind != EVENT_HS_DESC)
		return;
	r->sees_events = true;
	for (p = r->probes; p != NULL; p = p->next) {
		if (p->rq.direct || p->state == PROBE_HTTP ||
		    strcmp(p->rq.address, ev->u.hs_desc.address) != 0)
			continue;
		p->sight = judge_sight(p->sight, &ev->u.hs_desc);
		if (p->sight == DESC_RECEIVED && p->result.phases.descriptor < 0)
			p->result.phases.descriptor = probe_elapsed(p);
		/* What was waited for. The timer ends it: the callback may change this list. */
		if (p->state == PROBE_SETTLING && p->sight != DESC_REQUESTED)
			timer_set(p->timer, 0);
	}
}

struct prober *
prober_new(struct loop *l)
{
	struct prober *r = xcalloc(1, sizeof(*r));

	r->loop = l;
	return r;
}

void
prober_free(struct prober *r)
{
	if (r == NULL)
		return;
	while (r->probes != NULL)
		probe_free(r->probes);
	free(r);
}
