/* SPDX-License-Identifier: BSD-3-Clause */
/* JSON-RPC frames: what a client may send, what it may not, and that both sides understand each other. */
#include "config.h"
#include "proto/rpc.h"

#include <criterion/criterion.h>
#include <string.h>

#define V "\"jsonrpc\":\"2.0\""

Test(proto_rpc, requests_are_read)
{
	static const struct {
		const char *in, *method, *id; /* id as text, NULL: a notification */
		bool params;
	} table[] = {
	    {"{" V ",\"method\":\"status\",\"id\":1}", "status", "1", false},
	    {" {\"id\":\"abc\", \"params\":{\"mirror\":\"north\"}, \"method\":\"rotate\", " V "} \r", "rotate",
		"\"abc\"", true},
	    {"{" V ",\"method\":\"a.b_c-9\",\"params\":{}}", "a.b_c-9", NULL, true},
	    {"{" V ",\"method\":\"x\",\"id\":-9223372036854775808}", "x", "-9223372036854775808", false},
	    {"{" V ",\"method\":\"x\",\"id\":\"\"}", "x", "\"\"", false},
	    {"{" V ",\"method\":\"x\",\"params\":{\"a\":[[[[[[1]]]]]]}}", "x", NULL, true},
	    {"{" V ",\"method\":\"x\",\"params\":{\"a\":\"[[[[[[[[[[[[{{{{\\\"[[[[\"}}", "x", NULL, true},
	};
	size_t i;

	for (i = 0; i < sizeof table / sizeof table[0]; i++) {
		struct rpc_request rq = {0};
		struct err e = ERR_INIT;
		char *id;

		cr_assert_eq(
		    rpc_request_parse(&rq, table[i].in, strlen(table[i].in), &e), 0, "%s: %s", table[i].in, e.msg);
		cr_expect_str_eq(rq.method, table[i].method);
		cr_expect_eq(rq.params != NULL, table[i].params);
		cr_expect_eq(rq.id != NULL, table[i].id != NULL);
		if (rq.id != NULL && table[i].id != NULL) {
			id = json_dumps(rq.id, JSON_ENCODE_ANY);
			cr_expect_str_eq(id, table[i].id);
			free(id);
		}
		rpc_request_free(&rq);
		cr_expect_null(rq.root);
	}
}

Test(proto_rpc, what_is_no_request_is_refused)
{
	static const struct {
		const char *in;
		enum err_code code;
		size_t len; /* 0: strlen */
	} table[] = {
	    {"", ERR_PARSE, 0},
	    {" ", ERR_PARSE, 0},
	    {"x", ERR_PARSE, 0},
	    {"1", ERR_PARSE, 0},
	    {"\"a\"", ERR_PARSE, 0},
	    {"null", ERR_PARSE, 0},
	    {"[]", ERR_PARSE, 0},
	    {"[{" V ",\"method\":\"x\"}]", ERR_PARSE, 0},
	    {"{" V ",\"method\":\"x\"", ERR_PARSE, 0},
	    {"{" V ",\"method\":\"x\"}}", ERR_PARSE, 0},
	    {"{" V ",\"method\":\"x\"} {}", ERR_PARSE, 0},
	    {"{" V ",\"method\":\"x\",\"method\":\"y\"}", ERR_PARSE, 0},
	    {"{" V ",\"method\":\"x\",\"params\":{\"a\":1,\"a\":2}}", ERR_PARSE, 0},
	    {"{" V ",\"method\":\"x\",\"params\":{\"a\":NaN}}", ERR_PARSE, 0},
	    {"{" V ",\"method\":\"x\",\"params\":{\"a\":1e999}}", ERR_PARSE, 0},
	    {"{" V ",\"method\":\"x\",\"params\":{\"a\":99999999999999999999}}", ERR_PARSE, 0},
	    {"{" V ",\"method\":\"x\",\"params\":{\"a\":\"\\ud800\"}}", ERR_PARSE, 0},
	    {"{" V ",\"method\":\"x\",\"params\":{\"a\":\"\\u0000\"}}", ERR_PARSE, 0},
	    {"{" V ",\"method\":\"x\",\"params\":{\"a\":\"\xff\"}}", ERR_PARSE, 0},
	    {"{" V ",\"method\":\"x\"}\0{}", ERR_PARSE, sizeof "{" V ",\"method\":\"x\"}\0{}" - 1},
	    {"{}", ERR_PROTO, 0},
	    {"{\"method\":\"x\"}", ERR_PROTO, 0},
	    {"{\"jsonrpc\":\"1.0\",\"method\":\"x\"}", ERR_PROTO, 0},
	    {"{\"jsonrpc\":2.0,\"method\":\"x\"}", ERR_PROTO, 0},
	    {"{" V "}", ERR_PROTO, 0},
	    {"{" V ",\"method\":1}", ERR_PROTO, 0},
	    {"{" V ",\"method\":\"\"}", ERR_PROTO, 0},
	    {"{" V ",\"method\":\"X\"}", ERR_PROTO, 0},
	    {"{" V ",\"method\":\"9x\"}", ERR_PROTO, 0},
	    {"{" V ",\"method\":\"a b\"}", ERR_PROTO, 0},
	    {"{" V ",\"method\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}", ERR_PROTO,
		0},
	    {"{" V ",\"method\":\"x\",\"params\":[]}", ERR_PROTO, 0},
	    {"{" V ",\"method\":\"x\",\"params\":null}", ERR_PROTO, 0},
	    {"{" V ",\"method\":\"x\",\"id\":null}", ERR_PROTO, 0},
	    {"{" V ",\"method\":\"x\",\"id\":1.5}", ERR_PROTO, 0},
	    {"{" V ",\"method\":\"x\",\"id\":{}}", ERR_PROTO, 0},
	    {"{" V ",\"method\":\"x\",\"id\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}",
		ERR_PROTO, 0},
	    {"{" V ",\"method\":\"x\",\"parms\":{}}", ERR_PROTO, 0},
	    {"{" V ",\"method\":\"x\",\"params\":{\"a\":[[[[[[[1]]]]]]]}}", ERR_LIMIT, 0},
	    {"[[[[[[[[[", ERR_LIMIT, 0},
	};
	size_t i;

	for (i = 0; i < sizeof table / sizeof table[0]; i++) {
		struct rpc_request rq = {.method = "untouched"};
		struct err e = ERR_INIT;

		cr_expect_eq(
		    rpc_request_parse(&rq, table[i].in, table[i].len != 0 ? table[i].len : strlen(table[i].in), &e),
		    -1, "%s", table[i].in);
		cr_expect_eq(e.code, table[i].code, "%s: %s", table[i].in, e.msg);
		cr_expect_str_eq(rq.method, "untouched");
	}
}

Test(proto_rpc, length_and_depth_are_looked_at_before_parsing)
{
	struct buf b = BUF_INIT(1 << 20);
	struct rpc_request rq;
	struct err e = ERR_INIT;
	int i;

	buf_adds(&b, "{" V ",\"method\":\"x\",\"params\":{\"a\":\"");
	while (b.len < RPC_LINE_MAX - 3)
		buf_adds(&b, "a");
	buf_adds(&b, "\"}}");
	cr_assert_eq(b.len, RPC_LINE_MAX);
	cr_assert_eq(rpc_request_parse(&rq, b.data, b.len, &e), 0, "%s", e.msg);
	rpc_request_free(&rq);
	buf_adds(&b, " ");
	cr_assert_eq(rpc_request_parse(&rq, b.data, b.len, &e), -1);
	cr_assert_eq(e.code, ERR_LIMIT);
	err_clear(&e);
	buf_reset(&b);
	for (i = 0; i < 60000; i++)
		buf_adds(&b, "{\"a\":");
	cr_assert_eq(rpc_request_parse(&rq, b.data, RPC_LINE_MAX, &e), -1);
	cr_assert_eq(e.code, ERR_LIMIT);
	buf_free(&b);
}

#define WRITES(call, text)                                       \
	do {                                                     \
		struct buf out = BUF_INIT(RPC_RESPONSE_MAX * 2); \
		struct err e = ERR_INIT;                         \
		cr_expect_eq(call, 0, "%s", e.msg);              \
		cr_expect_str_eq(buf_str(&out), text);           \
		buf_free(&out);                                  \
	} while (0)

Test(proto_rpc, frames_are_written_as_one_line)
{
	json_t *id = json_integer(7), *text_id = json_string("q\n\"\xc3\xa9"), *o = json_pack("{s:i}", "n", 1),
	       *list = json_pack("[i]", 3);

	WRITES(rpc_write_result(&out, id, o, &e), "{" V ",\"result\":{\"n\":1},\"id\":7}\n");
	WRITES(rpc_write_result(&out, text_id, list, &e), "{" V ",\"result\":[3],\"id\":\"q\\n\\\"\\u00E9\"}\n");
	WRITES(rpc_write_result(&out, id, NULL, &e), "{" V ",\"result\":null,\"id\":7}\n");
	WRITES(rpc_write_error(&out, NULL, RPC_PARSE_ERROR, "what?", NULL, &e),
	    "{" V ",\"error\":{\"code\":-32700,\"message\":\"what?\"},\"id\":null}\n");
	WRITES(rpc_write_error(&out, id, RPC_REFUSED, "bad \xff byte", "busy", &e),
	    "{" V
	    ",\"error\":{\"code\":-32000,\"message\":\"bad ? byte\",\"data\":{\"reason\":\"busy\"}},\"id\":7}\n");
	WRITES(rpc_write_notification(&out, "event", o, &e), "{" V ",\"method\":\"event\",\"params\":{\"n\":1}}\n");
	WRITES(rpc_write_notification(&out, "event", NULL, &e), "{" V ",\"method\":\"event\"}\n");
	WRITES(rpc_write_request(&out, 3, "rotate", o, &e),
	    "{" V ",\"method\":\"rotate\",\"params\":{\"n\":1},\"id\":3}\n");
	WRITES(rpc_write_object(&out, o, &e), "{\"n\":1}\n");
	cr_expect_eq(o->refcount, 1);
	cr_expect_eq(id->refcount, 1);
	json_decref(id);
	json_decref(text_id);
	json_decref(o);
	json_decref(list);
}

Test(proto_rpc, what_can_not_be_written_adds_nothing)
{
	struct buf out = BUF_INIT(RPC_RESPONSE_MAX * 2);
	json_t *list = json_array(), *o = json_object();
	struct err e = ERR_INIT;
	char *huge = calloc(1, RPC_RESPONSE_MAX + 1);

	cr_assert_not_null(huge);
	memset(huge, 'a', RPC_RESPONSE_MAX);
	json_object_set_new(o, "a", json_string(huge));
	cr_expect_eq(rpc_write_notification(&out, "Event", NULL, &e), -1);
	cr_expect_eq(rpc_write_notification(&out, "event", list, NULL), -1);
	cr_expect_eq(rpc_write_request(&out, 1, "a\nb", NULL, NULL), -1);
	cr_expect_eq(rpc_write_object(&out, list, NULL), -1);
	cr_expect_eq(e.code, ERR_PROTO);
	err_clear(&e);
	cr_expect_eq(rpc_write_object(&out, o, &e), -1);
	cr_expect_eq(e.code, ERR_LIMIT);
	cr_expect_eq(out.len, 0);
	json_decref(list);
	json_decref(o);
	free(huge);
	buf_free(&out);
}

Test(proto_rpc, the_client_reads_what_the_server_writes)
{
	struct buf out = BUF_INIT(4096);
	json_t *id = json_integer(5), *o = json_pack("{s:s}", "k", "v");
	struct rpc_response rs;

	cr_assert_eq(rpc_write_result(&out, id, o, NULL), 0);
	cr_assert_eq(rpc_response_parse(&rs, out.data, out.len - 1, NULL), 0);
	cr_expect(rs.kind == RPC_RESULT && rs.id == 5 && json_equal(rs.result, o));
	rpc_response_free(&rs);
	buf_reset(&out);
	cr_assert_eq(rpc_write_error(&out, id, RPC_REFUSED, "no", "panic", NULL), 0);
	cr_assert_eq(rpc_response_parse(&rs, out.data, out.len - 1, NULL), 0);
	cr_expect(rs.kind == RPC_ERROR && rs.id == 5 && rs.code == RPC_REFUSED);
	cr_expect_str_eq(rs.message, "no");
	cr_expect_str_eq(rs.reason, "panic");
	rpc_response_free(&rs);
	buf_reset(&out);
	cr_assert_eq(rpc_write_error(&out, NULL, RPC_PARSE_ERROR, "no", NULL, NULL), 0);
	cr_assert_eq(rpc_response_parse(&rs, out.data, out.len - 1, NULL), 0);
	cr_expect(rs.kind == RPC_ERROR && rs.id == -1 && rs.reason == NULL);
	rpc_response_free(&rs);
	buf_reset(&out);
	cr_assert_eq(rpc_write_notification(&out, "event", o, NULL), 0);
	cr_assert_eq(rpc_response_parse(&rs, out.data, out.len - 1, NULL), 0);
	cr_expect(rs.kind == RPC_NOTIFICATION && json_equal(rs.params, o));
	cr_expect_str_eq(rs.method, "event");
	rpc_response_free(&rs);
	json_decref(id);
	json_decref(o);
	buf_free(&out);
}

Test(proto_rpc, the_client_refuses_what_no_server_of_ours_says)
{
	static const char *const table[] = {
	    "{}",
	    "{" V "}",
	    "{" V ",\"id\":1}",
	    "{" V ",\"id\":1,\"result\":1,\"error\":{\"code\":1,\"message\":\"\"}}",
	    "{" V ",\"result\":1}",
	    "{" V ",\"id\":\"x\",\"result\":1}",
	    "{" V ",\"id\":-1,\"result\":1}",
	    "{" V ",\"id\":null,\"result\":1}",
	    "{\"jsonrpc\":\"1.0\",\"id\":1,\"result\":1}",
	    "{" V ",\"id\":1,\"error\":{}}",
	    "{" V ",\"id\":1,\"error\":\"x\"}",
	    "{" V ",\"id\":1,\"error\":{\"code\":\"1\",\"message\":\"\"}}",
	    "{" V ",\"id\":1,\"error\":{\"code\":1}}",
	    "{" V ",\"id\":1,\"error\":{\"code\":99999999999,\"message\":\"\"}}",
	    "{" V ",\"id\":1,\"method\":\"x\"}",
	    "{" V ",\"method\":\"X\"}",
	    "{" V ",\"method\":\"x\",\"params\":[]}",
	    "{\"onionmirror\":\"1\"}",
	};
	size_t i;

	for (i = 0; i < sizeof table / sizeof table[0]; i++) {
		struct rpc_response rs;
		struct err e = ERR_INIT;

		cr_expect_eq(rpc_response_parse(&rs, table[i], strlen(table[i]), &e), -1, "%s", table[i]);
		cr_expect_eq(e.code, ERR_PROTO, "%s: %s", table[i], e.msg);
	}
}
