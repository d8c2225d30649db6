/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Probes and checks in flight. Each owns its stream, timer and parsers, and
 * ends in one place, probe_finish(), where its circuits are closed as well: else
 * tor would keep each for 10 min. A probe has one deadline from its start; tor
 * has none of its own for services with proof of work.
 */
#include "config.h"
#include "tor/prober_impl.h"

#include "base/clock.h"
#include "base/mem.h"
#include "tor/judge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MESSAGE_MAX 8192
/* A filter may keep tor from answering what the events did not say. */
#define SETTLE_MS 1000
#define FETCH_MS 10000 /* from one HSDir; silence: tor has asked all of them within 15 min */
#define FETCH_TRIES 6  /* as many HSDirs as a reader may ask: 2 replicas x 3 */

int32_t
probe_elapsed(const struct probe *p)
{
	int64_t ms = clock_mono_ms() - p->started;

	return ms < 0 ? 0 : ms > INT32_MAX ? INT32_MAX : (int32_t)ms;
}

static bool
has_events(const struct probe *p)
{
	return p->rq.through != NULL && !p->rq.direct;
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
	if (has_events(p))
		session_unwatch(p->rq.through);
	stream_free(p->stream);
	timer_free(p->timer);
	http_reader_free(p->http);
	tls_free(p->tls);
	buf_free(&p->hello[SOCKS_WANT_METHOD]);
	buf_free(&p->hello[SOCKS_WANT_AUTH]);
	buf_free(&p->hello[SOCKS_WANT_REPLY]);
	buf_free(&p->request);
	for (i = 0; i < sizeof(p->owned) / sizeof(p->owned[0]); i++)
		free(p->owned[i]);
	free(p);
}

/* What is open of it and whole; 552 when tor was faster. A tor that was started anew has others of these numbers. */
static void
close_circuits(struct probe *p)
{
	unsigned i;

	if (!has_events(p) || session_get_generation(p->rq.through) != p->generation)
		return;
	for (i = 0; i < p->trace.n_circuits; i++)
		if (p->trace.circuits[i].built)
			session_close_circuit(
			    p->rq.through, p->trace.circuits[i].id, NULL, NULL, 0, NULL);
}

void
probe_finish(struct probe *p, enum verdict v)
{
	struct probe_result result = p->result;
	probe_cb *cb = p->cb;
	void *ctx = p->ctx;
	uint64_t id = p->id;
	/* One that ended before tor had to find a rendezvous point says nothing of that. */
	bool pathless = v == VERDICT_INCONCLUSIVE && p->trace.stream_seen && !p->trace.meeting_point;
	struct session *through = p->rq.through;

	result.verdict = v;
	result.phases.total = probe_elapsed(p);
	result.http_status = p->http != NULL ? http_reader_status(p->http) : 0;
	result.stale_hsdir = p->missing > 0 || (result.socks_code == 0xf0 && result.phases.first_byte >= 0);
	if (p->trace.desc == DESC_RECEIVED)
		result.fetch = FETCH_FOUND;
	close_circuits(p);
	probe_free(p);
	if (pathless)
		session_note_path(through, false);
	cb(ctx, id, &result);
}

/* --- why SOCKS said no ---------------------------------------------------------- */

static void
settled(struct probe *p)
{
	probe_finish(p, judge_socks(p->result.socks_code, &p->trace, p->result.detail));
}

static struct probe *
find_serial(const struct prober *r, uint64_t serial)
{
	struct probe *p;

	for (p = r->probes; p != NULL && p->serial != serial; p = p->next)
		;
	return p;
}

static void
on_cached(void *ctx, uint64_t id, const struct reply *r)
{
	struct probe *p = find_serial(ctx, id);

	if (p == NULL || p->state != PROBE_SETTLING)
		return;
	if (r != NULL && (r->code == 250 || r->code == 551))
		p->trace.cached = r->code == 250;
	/* Not here: this callback is the session's. */
	timer_set(p->timer, 0);
}

/*
 * The reply and the events come on two sockets, in either order. The question
 * is asked for its answer, and because all events before are here then.
 */
void
probe_settle(struct probe *p)
{
	char key[sizeof("hs/client/desc/id/") + 56];

	p->result.socks_code = p->socks.code;
	stream_free(p->stream);
	p->stream = NULL;
	p->state = PROBE_SETTLING;
	snprintf(key, sizeof(key), "hs/client/desc/id/%.56s", p->rq.address);
	if (has_events(p) && (p->socks.code == 1 || p->socks.code == 4 || p->socks.code == 6) &&
	    session_getinfo(p->rq.through, key, on_cached, p->owner, p->serial, NULL) == 0)
		timer_set(p->timer, SETTLE_MS);
	else
		settled(p);
}

/* --- as a new reader would: the descriptor from an HSDir, not from tor's cache ---- */

/* Refused, or the link is gone: the probe goes all the same. */
static void
on_fetch(void *ctx, uint64_t id, const struct reply *r)
{
	struct probe *p = find_serial(ctx, id);

	if (p != NULL && p->state == PROBE_FETCHING && (r == NULL || reply_check(r, NULL) != 0))
		timer_set(p->timer, 0);
}

static void
fetch(struct probe *p)
{
	if (session_hsfetch(p->rq.through, p->rq.address, on_fetch, p->owner, p->serial, NULL) == 0) {
		p->state = PROBE_FETCHING;
		timer_set(p->timer, FETCH_MS);
	} else {
		probe_connect(p);
	}
}

static void
take_fetched(struct probe *p, const struct event *ev)
{
	const struct event_hs_desc *d = &ev->u.hs_desc;

	if (ev->kind != EVENT_HS_DESC || strcmp(d->address, p->rq.address) != 0)
		return;
	if (d->action == EVENT_DESC_RECEIVED) {
		p->trace.desc = DESC_RECEIVED;
		p->result.phases.descriptor = probe_elapsed(p);
		probe_connect(p);
	} else if (d->action == EVENT_DESC_FAILED && d->side != EVENT_DESC_SIDE_UPLOAD) {
		/* Other reasons say nothing of what that HSDir has. */
		p->missing += d->reason == EVENT_DESC_REASON_NOT_FOUND || d->reason == EVENT_DESC_REASON_BAD_DESC;
		if (++p->tries < FETCH_TRIES) {
			/* tor goes on by itself only if it has none in its cache. */
			fetch(p);
		} else if (p->missing < FETCH_TRIES) {
			probe_connect(p);
		} else {
			judge_detail(p->result.detail, "none of %u HSDirs has its descriptor", p->missing);
			p->result.verdict = d->reason == EVENT_DESC_REASON_BAD_DESC ? VERDICT_BAD_DESCRIPTOR : VERDICT_NO_DESCRIPTOR;
			p->result.fetch = FETCH_MISSING;
			p->state = PROBE_INVALID;
			timer_set(p->timer, 0);
		}
	}
}

static void
probe_on_timer(void *arg)
{
	struct probe *p = arg;

	if (has_events(p))
		p->trace.minor_seen = session_sees_circuits(p->rq.through);
	switch (p->state) {
	case PROBE_INVALID: probe_finish(p, p->result.verdict); break;
	case PROBE_SETTLING: settled(p); break;
	case PROBE_FETCHING:
		/* The wait was ours, not the mirror's. */
		p->started = clock_mono_ms();
		probe_connect(p);
		break;
	case PROBE_CONNECTING:
	case PROBE_SOCKS:
	case PROBE_HTTP: probe_on_deadline(p); break;
	}
}

/* --- begin, and events ------------------------------------------------------------ */

/* Writes the SOCKS messages and keeps the request ready. -1: detail and verdict say why it can't be. */
static int
probe_prepare(struct probe *p)
{
	char user[SOCKS_NAME_LEN + 1] = "", password[SOCKS_NAME_LEN + 1];
	struct err e = ERR_INIT;

	if (p->rq.port == (p->rq.tls ? 443 : 80))
		snprintf(p->host, sizeof(p->host), "%.56s.onion", p->rq.address);
	else
		snprintf(p->host, sizeof(p->host), "%.56s.onion:%u", p->rq.address, (unsigned)p->rq.port);
	if (!p->rq.direct) {
		socks_own_name(user, password);
		if (socks_write_greeting(&p->hello[SOCKS_WANT_METHOD], &e) != 0 ||
		    socks_write_auth(&p->hello[SOCKS_WANT_AUTH], user, password, &e) != 0 ||
		    socks_write_connect(&p->hello[SOCKS_WANT_REPLY], p->rq.address, p->rq.port,
			&e) != 0) {
			judge_detail(p->result.detail, "%s", e.msg);
			p->result.verdict = VERDICT_BAD_ADDRESS;
			return -1;
		}
	}
	trace_init(&p->trace, p->rq.address, user);
	if (http_request_write(&p->request, "GET", p->host, p->rq.path, &e) != 0) {
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
	    &p->rq.address, &p->rq.path, &p->rq.contains, &p->rq.sha256, &p->rq.header, &p->rq.version_path};
	size_t i;

	p->rq = *rq;
	p->via = *rq->via;
	p->rq.via = &p->via;
	if (rq->pin != NULL) {
		memcpy(p->pin, rq->pin, sizeof(p->pin));
		p->rq.pin = p->pin;
	}
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
	p->serial = ++r->last_serial;
	p->hello[SOCKS_WANT_METHOD] = p->hello[SOCKS_WANT_AUTH] = p->hello[SOCKS_WANT_REPLY] =
	    (struct buf)BUF_INIT(MESSAGE_MAX);
	p->request = (struct buf)BUF_INIT(MESSAGE_MAX);
	p->started = clock_mono_ms();
	p->result.socks_code = -1;
	p->result.phases = (struct phases)PHASES_NONE;
	socks_init(&p->socks);
	if ((p->http = http_reader_new()) == NULL)
		mem_exhausted();
	p->timer = timer_new(r->loop, probe_on_timer, p);
	if (has_events(p)) {
		p->generation = session_get_generation(rq->through);
		session_watch(rq->through);
	}
	if (probe_prepare(p) != 0)
		timer_set(p->timer, 0);
	else if (has_events(p) && rq->fresh)
		fetch(p);
	else
		probe_connect(p);
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
prober_on_event(struct prober *r, struct session *through, const struct event *ev)
{
	bool found = false, had;
	struct probe *p;

	for (p = r->probes; p != NULL; p = p->next) {
		if (!has_events(p) || p->rq.through != through)
			continue;
		if (p->state == PROBE_FETCHING) {
			take_fetched(p, ev);
			continue;
		}
		if (ev->kind == EVENT_HS_DESC && p->state == PROBE_HTTP)
			continue;
		had = p->trace.meeting_point;
		trace_take(&p->trace, ev, probe_elapsed(p), &p->result.phases);
		found = found || (!had && p->trace.meeting_point);
	}
	if (found)
		session_note_path(through, true);
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
