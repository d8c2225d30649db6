/* SPDX-License-Identifier: BSD-3-Clause */
/* A blocking client of the control socket. Owns its loop, its stream and notifications not yet asked for. */
#include "config.h"
#include "cli/client.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "conf/conf.h"
#include "io/stream.h"
#include "proto/rpc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CALL_DEADLINE_MS 30000
#define KEPT_MAX 4096

/* data.reason of the last refusal, for client_fail(): the client is closed by then. */
static char refusal[64];

struct client {
	struct loop *loop;
	bool own_loop;
	int64_t deadline; /* ms that a step may take */
	const volatile sig_atomic_t *stop; /* borrowed; NULL: nothing stops it */
	struct stream *stream;
	bool connected, closed, greeted;
	int64_t want;               /* id of the answer waited for, 0: none */
	struct rpc_response answer; /* root != NULL: it came */
	json_t *notes;              /* array of params, oldest first */
	int64_t last_id;
	struct err fault; /* what the daemon sent that can't be understood */
};

static void
take_line(struct client *cl, const char *line, size_t len)
{
	struct rpc_response rs;
	const char *why;
	json_t *hello;

	if (!cl->greeted) {
		if (rpc_object_parse(&hello, line, len, RPC_LINE_MAX, &cl->fault) != 0)
			return;
		if ((why = json_string_value(json_object_get(json_object_get(hello, "error"), "message"))) != NULL)
			err_set(&cl->fault, ERR_CLOSED, "the daemon lets nobody in now: %.200s", why);
		else if (json_string_value(json_object_get(hello, "onionmirror")) == NULL)
			err_set(&cl->fault, ERR_PROTO, "this is not the control socket of an onionmirrord");
		json_decref(hello);
		cl->greeted = true;
		return;
	}
	if (rpc_response_parse(&rs, line, len, &cl->fault) != 0)
		return;
	if (rs.kind == RPC_NOTIFICATION) {
		if (rs.params != NULL && json_array_size(cl->notes) < KEPT_MAX)
			json_array_append(cl->notes, rs.params);
		rpc_response_free(&rs);
	} else if (cl->want != 0 && rs.id == cl->want && cl->answer.root == NULL) {
		cl->answer = rs;
	} else {
		if (rs.kind == RPC_ERROR && rs.id == -1)
			err_set(&cl->fault, ERR_PROTO, "the daemon refuses: %.200s", rs.message);
		rpc_response_free(&rs);
	}
}

static void
take_lines(struct client *cl)
{
	const char *p, *lf;
	size_t n;

	while (cl->fault.code == ERR_NONE && (p = stream_peek(cl->stream, &n)) != NULL && n > 0 &&
	    (lf = memchr(p, '\n', n)) != NULL) {
		take_line(cl, p, (size_t)(lf - p));
		stream_consume(cl->stream, (size_t)(lf - p) + 1);
	}
}

static void
on_stream(struct stream *s, enum stream_event ev, void *arg)
{
	struct client *cl = arg;

	(void)s;
	switch (ev) {
	case STREAM_CONNECTED: cl->connected = true; break;
	case STREAM_DATA: take_lines(cl); break;
	case STREAM_DRAINED: break;
	case STREAM_CLOSED: cl->closed = true; break;
	}
}

static bool
is_over(const struct client *cl)
{
	return cl->closed || cl->fault.code != ERR_NONE || (cl->stop != NULL && *cl->stop);
}

static bool
is_greeted(void *arg)
{
	struct client *cl = arg;

	return cl->greeted || is_over(cl);
}

static bool
is_answered(void *arg)
{
	struct client *cl = arg;

	return cl->answer.root != NULL || is_over(cl);
}

static bool
is_notified(void *arg)
{
	struct client *cl = arg;

	return json_array_size(cl->notes) > 0 || is_over(cl);
}

/* Where the control socket is: -s, or the configuration. */
static int
find_socket(const struct cli *c, struct endpoint *ep, struct err *e)
{
	struct buf faults = BUF_INIT(64 * 1024);
	struct conf *conf = NULL;
	char *text;
	int r;

	if (c->socket != NULL) {
		text = xasprintf("%s%s", c->socket[0] == '/' ? "unix:" : "", c->socket);
		r = endpoint_parse(ep, text, e);
		free(text);
		return r;
	}
	r = conf_load(&conf, c->conf_path, &faults);
	if (r != 0)
		conf_faults(e, &faults);
	else
		*ep = conf->control_socket;
	buf_free(&faults);
	conf_free(conf);
	return r;
}

/* What went wrong on the link, as one line. */
static int
link_fault(struct client *cl, const char *doing, struct err *e)
{
	if (cl->fault.code != ERR_NONE)
		return err_set(e, cl->fault.code, "control socket: %s", cl->fault.msg);
	if (!cl->closed)
		return err_set(e, ERR_TIMEOUT, "the daemon does not answer (%s); look at its log", doing);
	if (!cl->connected)
		return err_set(e, ERR_CLOSED, "cannot reach the daemon: %s; is onionmirrord running?",
		    stream_error(cl->stream)->msg);
	return err_set(e, ERR_CLOSED, "the daemon closed the connection (%s); are you in its control-group?", doing);
}

struct client *
client_open_in(struct loop *l, const struct cli *c, int64_t ms, const volatile sig_atomic_t *stop, struct err *e)
{
	struct client *cl;
	struct endpoint ep;

	if (find_socket(c, &ep, e) != 0)
		return NULL;
	cl = xcalloc(1, sizeof *cl);
	cl->notes = json_array();
	cl->loop = l;
	cl->deadline = ms;
	cl->stop = stop;
	cl->stream = stream_connect(cl->loop, &ep, RPC_RESPONSE_MAX + 1, on_stream, cl);
	loop_run_until(cl->loop, is_greeted, cl, ms);
	if (!cl->greeted || cl->fault.code != ERR_NONE) {
		link_fault(cl, "greeting", e);
		client_close(cl);
		return NULL;
	}
	return cl;
}

struct client *
client_open(const struct cli *c, struct err *e)
{
	struct loop *l = loop_new(e);
	struct client *cl = l != NULL ? client_open_in(l, c, CALL_DEADLINE_MS, NULL, e) : NULL;

	if (cl != NULL)
		cl->own_loop = true;
	else
		loop_free(l);
	return cl;
}

void
client_close(struct client *cl)
{
	if (cl == NULL)
		return;
	rpc_response_free(&cl->answer);
	json_decref(cl->notes);
	stream_free(cl->stream);
	if (cl->own_loop)
		loop_free(cl->loop);
	free(cl);
}

json_t *
client_call(struct client *cl, const char *method, json_t *params, struct err *e)
{
	struct buf line = BUF_INIT(RPC_LINE_MAX + 1);
	json_t *result = NULL;

	cl->want = ++cl->last_id;
	if (rpc_write_request(&line, cl->want, method, params, e) != 0)
		goto out;
	stream_write(cl->stream, line.data, line.len);
	mem_wipe(line.data, line.len); /* a passphrase may be in it */
	loop_run_until(cl->loop, is_answered, cl, cl->deadline);
	if (cl->answer.root == NULL) {
		link_fault(cl, method, e);
		goto out;
	}
	if (cl->answer.kind == RPC_RESULT)
		result = json_incref(cl->answer.result);
	else {
		err_set(e, ERR_REFUSED, "%.500s", cl->answer.message);
		snprintf(refusal, sizeof refusal, "%s", cl->answer.reason != NULL ? cl->answer.reason : "");
	}
	rpc_response_free(&cl->answer);
	memset(&cl->answer, 0, sizeof cl->answer);
out:
	cl->want = 0;
	buf_free(&line);
	json_decref(params);
	return result;
}

json_t *
client_call_pages(struct client *cl, const char *method, json_t *params, const char *list, struct err *e)
{
	json_t *all = json_array(), *page = NULL, *after;
	bool more = true;

	if (params == NULL)
		params = json_object();
	while (more && (page = client_call(cl, method, json_copy(params), e)) != NULL) {
		json_array_extend(all, json_object_get(page, list));
		after = json_object_get(page, "next");
		/* A daemon that stays where it is would keep us for ever. */
		more = json_is_true(json_object_get(page, "more")) && !json_equal(after, json_object_get(params, "after"));
		json_object_set(params, "after", after);
		json_decref(page);
	}
	json_decref(params);
	if (page != NULL)
		return json_pack("{s:o}", list, all);
	json_decref(all);
	return NULL;
}

json_t *
client_next(struct client *cl, int64_t ms, struct err *e)
{
	json_t *note;

	loop_run_until(cl->loop, is_notified, cl, ms);
	if (json_array_size(cl->notes) == 0) {
		link_fault(cl, "waiting", e);
		return NULL;
	}
	note = json_incref(json_array_get(cl->notes, 0));
	json_array_remove(cl->notes, 0);
	return note;
}

int
client_fail(const struct err *e)
{
	if (e->code == ERR_REFUSED && refusal[0] != '\0')
		return cli_refused(refusal, e->msg);
	return cli_fail(e->code == ERR_REFUSED || e->code == ERR_CONFIG ? CLI_FAILED : CLI_UNREACHABLE, "%s", e->msg);
}
