/* SPDX-License-Identifier: BSD-3-Clause */
/* The control socket: frames, methods, bounds. */
#include "config.h"
#include "unit/daemon/rig.h"

#include "base/enc.h"
#include "proto/edkey.h"
#include "proto/rpc.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static struct rig r;

static void
start(void)
{
	rig_init(&r, "");
	cr_assert(rig_open(&r), "%s", r.log);
	rig_connect(&r);
}

static void
stop(void)
{
	rig_fini(&r);
}

TestSuite(daemon_control, .init = start, .fini = stop);

static void
greeted(void)
{
	json_t *v = rig_line(&r);

	cr_assert_not_null(v);
	cr_expect_str_eq(json_string_value(json_object_get(v, "onionmirror")), "1");
	cr_expect_not_null(json_object_get(v, "version"));
	json_decref(v);
}

Test(daemon_control, the_first_line_is_a_greeting_and_the_socket_is_for_its_group_at_most)
{
	struct stat st;

	greeted();
	cr_assert_eq(stat(r.d.conf->control_socket.path, &st), 0);
	cr_expect_eq(st.st_mode & 0777, 0660);
}

Test(daemon_control, what_is_no_good_request_gets_its_code_and_reason)
{
	static const struct {
		const char *line;
		int code;
		const char *reason;
	} t[] = {
		{ "nonsense", RPC_PARSE_ERROR, "bad-request" },
		{ "", RPC_PARSE_ERROR, "bad-request" },
		{ "[]", RPC_PARSE_ERROR, "bad-request" },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"id\":2,\"method\":\"status\"}", RPC_PARSE_ERROR, "bad-request" },
		{ "{\"a\":[[[[[[[[[[1]]]]]]]]]]}", RPC_PARSE_ERROR, "bad-request" },
		{ "{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"status\"}", RPC_INVALID_REQUEST, "bad-request" },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":5}", RPC_INVALID_REQUEST, "bad-request" },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"status\",\"params\":[1]}", RPC_INVALID_REQUEST, "bad-request" },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"shutdown\"}", RPC_METHOD_NOT_FOUND, "unknown-method" },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"rotate\"}", RPC_INVALID_PARAMS, "bad-params" },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"rotate\",\"params\":{}}", RPC_INVALID_PARAMS, "bad-params" },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"rotate\",\"params\":{\"mirror\":1}}", RPC_INVALID_PARAMS, "bad-params" },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"rotate\",\"params\":{\"mirror\":\"a\",\"force\":true}}", RPC_INVALID_PARAMS, "bad-params" },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"rotate\",\"params\":{\"mirror\":\"a\",\"id\":7}}", RPC_INVALID_PARAMS, "bad-params" },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"rotate\",\"params\":{\"mirror\":\"nope\"}}", RPC_REFUSED, "no-such-mirror" },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"probe\",\"params\":{\"mirror\":\"a\"}}", RPC_REFUSED, "refused" },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"drain\",\"params\":{\"mirror\":\"nope\"}}", RPC_REFUSED, "no-such-mirror" },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"maint\",\"params\":{\"mirror\":\"a\"}}", RPC_INVALID_PARAMS, "bad-params" },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"maint\",\"params\":{\"mirror\":\"a\",\"on\":\"on\"}}", RPC_INVALID_PARAMS, "bad-params" },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"maint\",\"params\":{\"mirror\":\"a\",\"on\":false}}", RPC_REFUSED, "refused" },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"revoke\"}", RPC_INVALID_PARAMS, "bad-params" },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"revoke\",\"params\":{\"onion\":5}}", RPC_INVALID_PARAMS, "bad-params" },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"revoke\",\"params\":{\"onion\":\"x.onion\"}}", RPC_REFUSED, "no-such-onion" },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"revoke\",\"params\":{\"onion\":\"x\",\"mirror\":\"a\"}}", RPC_INVALID_PARAMS,
		    "bad-params" },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"history\",\"params\":{\"table\":\"probes\",\"since\":-1}}", RPC_INVALID_PARAMS,
		    "bad-params" },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"history\",\"params\":{\"table\":\"probes\",\"since\":9223372036854775807}}",
		    RPC_INVALID_PARAMS, "bad-params" },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"publish\"}", RPC_REFUSED, "refused" },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"onions\",\"params\":{\"mirror\":\"nope\"}}", RPC_REFUSED, "no-such-mirror" },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"onions\",\"params\":{\"colour\":\"blue\"}}", RPC_INVALID_PARAMS, "bad-params" },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"history\"}", RPC_INVALID_PARAMS, "bad-params" },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"history\",\"params\":{\"table\":\"keys\"}}", RPC_INVALID_PARAMS, "bad-params" },
		{ "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"history\",\"params\":{\"table\":\"probes\",\"after\":-1}}", RPC_INVALID_PARAMS,
		    "bad-params" },
	};
	const char *reason;
	json_t *v, *error;
	size_t i;

	/* Nothing is listed meanwhile: tor and the daemon disagree about each address. */
	rig_close(&r);
	r.lie = true;
	cr_assert(rig_open(&r), "%s", r.log);
	rig_connect(&r);
	greeted();
	for (i = 0; i < sizeof t / sizeof t[0]; i++) {
		rig_send(&r, t[i].line);
		rig_send(&r, "\n");
		cr_assert_not_null(v = rig_line(&r), "%s", t[i].line);
		error = json_object_get(v, "error");
		reason = json_string_value(json_object_get(json_object_get(error, "data"), "reason"));
		cr_expect_eq(json_integer_value(json_object_get(error, "code")), t[i].code, "%s: %s", t[i].line,
		    json_string_value(json_object_get(error, "message")));
		cr_expect(reason != NULL && strcmp(reason, t[i].reason) == 0, "%s: %s", t[i].line, reason);
		json_decref(v);
	}
}

Test(daemon_control, requests_may_come_in_pieces_and_many_at_once_and_keep_their_order)
{
	json_t *v;
	int i;

	greeted();
	rig_send(&r, "{\"jsonrpc\":\"2.0\",\"id\":0,\"meth");
	rig_turn(&r);
	rig_send(&r, "od\":\"status\"}\n{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"mirrors\"}\n"
	             "{\"jsonrpc\":\"2.0\",\"method\":\"mirrors\"}\n{\"jsonrpc\":\"2.0\",\"method\":\"no\"}\n"
	             "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"onions\"}\n");
	for (i = 0; i < 3; i++) { /* notifications are not answered */
		cr_assert_not_null(v = rig_line(&r));
		cr_expect_eq(json_integer_value(json_object_get(v, "id")), i);
		cr_expect_not_null(json_object_get(v, "result"));
		json_decref(v);
	}
}

Test(daemon_control, a_line_above_64_KiB_is_refused_and_ends_the_link)
{
	char *big = xcalloc(RPC_LINE_MAX + 10, 1);
	json_t *v;

	greeted();
	memset(big, ' ', RPC_LINE_MAX + 5);
	rig_send(&r, big);
	cr_assert_not_null(v = rig_line(&r));
	cr_expect_str_eq(json_string_value(json_object_get(json_object_get(json_object_get(v, "error"), "data"), "reason")), "too-large");
	json_decref(v);
	cr_expect_null(rig_line(&r));
	cr_expect(r.closed);
	free(big);
}

static bool
is_closed(void *arg)
{
	return ((struct rig *)arg)->closed;
}

static bool
is_cut(void *arg)
{
	return strstr(((struct rig *)arg)->log, "it does not read") != NULL;
}

Test(daemon_control, a_client_that_never_reads_is_cut)
{
	static const char ask[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"status\"}\n";
	struct stream *writer;
	int i;

	greeted();
	/* It asks for more than it takes. */
	stream_set_reading(r.client, false);
	for (i = 0; i < 4000; i++)
		rig_send(&r, ask);
	cr_expect(rig_run(&r, is_cut));
	/* Others are served. */
	writer = r.client;
	r.client = NULL;
	rig_connect(&r);
	greeted();
	stream_free(writer);
}

Test(daemon_control, a_subscriber_that_never_reads_is_cut_too)
{
	json_t *params = json_object(), *v;
	char *text = xcalloc(1, 4097);
	int i;

	greeted();
	json_decref(rig_call(&r, "subscribe", NULL));
	stream_set_reading(r.client, false);
	memset(text, 'x', 4096);
	json_object_set_new(params, "text", json_string(text));
	for (i = 0; i < 2000 && !is_cut(&r); i++) {
		control_notify(r.d.control, json_incref(params));
		rig_turn(&r);
	}
	cr_expect(is_cut(&r));
	json_decref(params);
	free(text);
	rig_connect(&r);
	greeted();
	cr_assert_not_null(v = rig_call(&r, "status", NULL));
	json_decref(v);
}

Test(daemon_control, there_is_room_for_64_clients)
{
	struct stream *more[64];
	int i;

	greeted();
	for (i = 0; i < 63; i++) {
		more[i] = r.client;
		r.client = NULL;
		rig_connect(&r);
		greeted();
	}
	more[63] = r.client;
	r.client = NULL;
	rig_connect(&r);
	cr_expect(rig_run(&r, is_closed));
	stream_free(more[0]);
	rig_turn(&r);
	rig_connect(&r);
	greeted();
	for (i = 1; i < 64; i++)
		stream_free(more[i]);
}

Test(daemon_control, a_subscriber_hears_each_step_of_its_operation)
{
	bool done = false, created = false, proved = false, listed = false;
	json_int_t op;
	const char *step;
	json_t *v, *p;

	greeted();
	cr_assert(rig_run(&r, rig_is_listed), "%s", r.log);
	json_decref(rig_call(&r, "subscribe", NULL));
	cr_assert_not_null(v = rig_call(&r, "rotate", "{\"mirror\":\"a\",\"id\":\"mine\"}"));
	op = json_integer_value(json_object_get(json_object_get(v, "result"), "op"));
	cr_assert(op > 0);
	json_decref(v);
	while (!done && (v = rig_line(&r)) != NULL) {
		p = json_object_get(v, "params");
		step = json_string_value(json_object_get(p, "step"));
		if (json_integer_value(json_object_get(p, "op")) == op) {
			cr_expect(json_is_integer(json_object_get(p, "elapsed_ms")));
			cr_expect_str_eq(json_string_value(json_object_get(v, "method")), "event");
			created = created || strcmp(step, "created") == 0;
			proved = proved || strcmp(step, "proved") == 0;
			listed = listed || strcmp(step, "listed") == 0;
			done = strcmp(step, "done") == 0;
			cr_expect_str_neq(step, "failed");
		}
		json_decref(v);
	}
	cr_expect(created && proved && listed && done);
	/* Asked again under the same id: the same operation, not another one. */
	cr_assert_not_null(v = rig_call(&r, "rotate", "{\"mirror\":\"a\",\"id\":\"mine\"}"));
	cr_expect_eq(json_integer_value(json_object_get(json_object_get(v, "result"), "op")), op);
	json_decref(v);
}

static const char *
reason_of(const json_t *v)
{
	const char *s = json_string_value(json_object_get(json_object_get(json_object_get(v, "error"), "data"), "reason"));

	return s != NULL ? s : "none";
}

Test(daemon_control, an_id_that_was_used_for_another_call_is_refused)
{
	json_t *v;

	greeted();
	cr_assert(rig_run(&r, rig_is_listed), "%s", r.log);
	cr_assert_not_null(v = rig_call(&r, "probe", "{\"mirror\":\"a\",\"id\":\"mine\"}"));
	cr_assert_not_null(json_object_get(v, "result"));
	json_decref(v);
	cr_assert_not_null(v = rig_call(&r, "publish", "{\"id\":\"mine\"}"));
	cr_expect_str_eq(reason_of(v), "id-taken");
	json_decref(v);
	cr_assert_not_null(v = rig_call(&r, "probe", "{\"mirror\":\"b\",\"id\":\"mine\"}"));
	cr_expect_str_eq(reason_of(v), "id-taken");
	json_decref(v);
}

Test(daemon_control, who_comes_late_learns_how_an_operation_ended)
{
	char params[64];
	const json_t *last;
	json_int_t op;
	json_t *v;

	greeted();
	cr_assert(rig_run(&r, rig_is_listed), "%s", r.log);
	cr_assert_not_null(v = rig_call(&r, "reload", NULL));
	op = json_integer_value(json_object_get(json_object_get(v, "result"), "op"));
	json_decref(v);
	snprintf(params, sizeof params, "{\"op\":%lld}", (long long)op);
	cr_assert_not_null(v = rig_call(&r, "subscribe", params));
	last = json_object_get(json_object_get(v, "result"), "last");
	cr_expect_str_eq(json_string_value(json_object_get(last, "step")), "done");
	cr_expect_eq(json_integer_value(json_object_get(last, "op")), op);
	json_decref(v);
	cr_assert_not_null(v = rig_call(&r, "subscribe", "{\"op\":9000000}"));
	cr_expect_str_eq(reason_of(v), "no-such-operation");
	json_decref(v);
}

/* A call with one parameter of this value (NULL: none), beside well-formed ones. */
static const char *
try_value(const struct method *m, const char *name, json_t *value)
{
	static char reason[64];
	json_t *params = json_object(), *v;
	const struct param *p;
	char *text;

	for (p = m->params; p->name != NULL; p++)
		if (p->need == PARAM_NEEDED)
			json_object_set_new(params, p->name, p->type == PARAM_BOOL ? json_true() : p->type == PARAM_NUMBER ? json_integer(p->least) : json_string("a"));
	if (value != NULL)
		json_object_set_new(params, name, value);
	else
		json_object_del(params, name);
	text = json_dumps(params, 0);
	cr_assert_not_null(v = rig_call(&r, m->name, text));
	snprintf(reason, sizeof reason, "%s", reason_of(v));
	json_decref(v);
	json_decref(params);
	free(text);
	return reason;
}

Test(daemon_control, every_parameter_of_every_method_is_held_to_the_table)
{
	char text[MASTER_PASSPHRASE_MAX + 1];
	const struct method *m;
	const struct param *p;

	greeted();
	memset(text, 'x', sizeof text);
	for (m = methods; m->name != NULL; m++) {
		cr_expect_str_eq(try_value(m, "colour", json_string("blue")), "bad-params", "%s", m->name);
		if (m->changes) {
			cr_expect_str_eq(try_value(m, "id", json_integer(1)), "bad-params", "%s", m->name);
			cr_expect_str_eq(try_value(m, "id", json_string("")), "bad-params", "%s", m->name);
			cr_expect_str_eq(try_value(m, "id", json_stringn(text, RPC_ID_MAX + 1)), "bad-params", "%s", m->name);
		} else {
			cr_expect_str_eq(try_value(m, "id", json_string("x")), "bad-params", "%s", m->name);
		}
		for (p = m->params; p->name != NULL; p++) {
			cr_expect_str_eq(try_value(m, p->name, json_array()), "bad-params", "%s %s", m->name, p->name);
			cr_expect_str_eq(try_value(m, p->name, json_null()), "bad-params", "%s %s", m->name, p->name);
			if (p->need == PARAM_NEEDED)
				cr_expect_str_eq(try_value(m, p->name, NULL), "bad-params", "%s %s", m->name, p->name);
			if (p->type == PARAM_NUMBER) {
				cr_expect_str_eq(try_value(m, p->name, json_integer(p->least - 1)), "bad-params", "%s %s", m->name, p->name);
				cr_expect_str_eq(try_value(m, p->name, json_integer(p->most + 1)), "bad-params", "%s %s", m->name, p->name);
				cr_expect_str_eq(try_value(m, p->name, json_real(1.5)), "bad-params", "%s %s", m->name, p->name);
			} else if (p->type != PARAM_BOOL) {
				cr_expect_str_eq(try_value(m, p->name, json_string("")), "bad-params", "%s %s", m->name, p->name);
				cr_expect_str_eq(try_value(m, p->name, json_stringn(text, (size_t)p->most + 1)), "bad-params", "%s %s", m->name, p->name);
			} else {
				cr_expect_str_eq(try_value(m, p->name, json_string("on")), "bad-params", "%s %s", m->name, p->name);
			}
		}
	}
}

Test(daemon_control, no_answer_holds_a_secret)
{
	static const char *const calls[][2] = { { "status", NULL }, { "mirrors", NULL }, { "onions", NULL },
		{ "history", "{\"table\":\"probes\"}" }, { "history", "{\"table\":\"decisions\"}" } };
	char hex[HEX_LEN(EDKEY_LEN) + 1], b64[B64_LEN(EDKEY_LEN) + 1], *text;
	uint8_t key[EDKEY_LEN];
	json_t *v;
	size_t i;

	greeted();
	cr_assert(rig_run(&r, rig_is_listed), "%s", r.log);
	cr_assert_eq(store_get_exact(r.d.store, STORE_KEY, 1, key, sizeof key, NULL), 0);
	hex_encode(hex, key, sizeof key);
	b64_encode(b64, key, sizeof key);
	for (i = 0; i < sizeof calls / sizeof calls[0]; i++) {
		cr_assert_not_null(v = rig_call(&r, calls[i][0], calls[i][1]));
		cr_assert_not_null(json_object_get(v, "result"), "%s", calls[i][0]);
		text = json_dumps(v, 0);
		cr_expect_null(strstr(text, hex));
		cr_expect_null(strstr(text, b64));
		free(text);
		json_decref(v);
	}
	cr_expect_null(strstr(r.log, hex));
	cr_expect_null(strstr(r.log, b64));
}
