/* SPDX-License-Identifier: BSD-3-Clause */
/* One connection to an endpoint of the configuration, to see whether it answers. */
#include "config.h"
#include "cli/reach.h"

#include "io/stream.h"
#include "proto/command.h"
#include "proto/reply.h"

#include <stdio.h>
#include <string.h>

#define WAIT_MS 3000
#define INPUT_MAX 8192

struct reach {
	struct stream *stream;
	bool connected, closed, wants_answer, answered;
	struct reply_reader *reader; /* of a control port, else NULL */
	char *version;
	struct err fault;
};

static int
on_reply(const struct reply *r, void *arg)
{
	struct reply_protocolinfo info;
	struct reach *a = arg;

	if (r->is_event || a->answered)
		return 0;
	a->answered = true;
	if (reply_protocolinfo(&info, r, &a->fault) == 0)
		snprintf(a->version, REACH_VERSION_MAX, "%s", info.version_text);
	return 0;
}

static void
on_stream(struct stream *s, enum stream_event ev, void *arg)
{
	struct reach *a = arg;
	const char *p;
	size_t n;

	switch (ev) {
	case STREAM_CONNECTED: a->connected = true; break;
	case STREAM_DATA:
		p = stream_peek(s, &n);
		if (a->reader != NULL && a->fault.code == ERR_NONE)
			reply_reader_feed(a->reader, p, n, on_reply, a, &a->fault);
		stream_consume(s, n);
		break;
	case STREAM_DRAINED: break;
	case STREAM_CLOSED: a->closed = true; break;
	}
}

static bool
is_over(void *arg)
{
	const struct reach *a = arg;

	return a->closed || a->fault.code != ERR_NONE || (a->wants_answer ? a->answered : a->connected);
}

static int
run(struct reach *a, struct loop *l, const struct endpoint *ep, const struct buf *ask, struct err *e)
{
	char text[ENDPOINT_TEXT_MAX];
	int r = 0;

	endpoint_format(text, ep);
	a->stream = stream_connect(l, ep, INPUT_MAX, on_stream, a);
	if (ask != NULL)
		stream_write(a->stream, ask->data, ask->len);
	loop_run_until(l, is_over, a, WAIT_MS);
	if (a->fault.code != ERR_NONE)
		r = err_set(e, a->fault.code, "%s: %s", text, a->fault.msg);
	else if (!a->connected)
		r = err_set(e, ERR_CLOSED, "%s", a->closed ? stream_error(a->stream)->msg : "no answer");
	else if (a->wants_answer && !a->answered)
		r = err_set(e, ERR_TIMEOUT, "%s: connected, but it does not answer as tor does", text);
	stream_free(a->stream);
	return r;
}

int
reach_endpoint(struct loop *l, const struct endpoint *ep, struct err *e)
{
	struct reach a = { 0 };

	return run(&a, l, ep, NULL, e);
}

int
reach_tor(struct loop *l, const struct endpoint *ep, char version[REACH_VERSION_MAX], struct err *e)
{
	struct reach a = { .wants_answer = true, .version = version, .reader = reply_reader_new() };
	struct buf ask = BUF_INIT(256);
	int r = -1;

	version[0] = '\0';
	if (a.reader == NULL)
		err_set(e, ERR_MEMORY, "out of memory");
	else if (command_protocolinfo(&ask, e) == 0)
		r = run(&a, l, ep, &ask, e);
	reply_reader_free(a.reader);
	buf_free(&ask);
	return r;
}
