/* SPDX-License-Identifier: BSD-3-Clause */
/* JSON-RPC 2.0, the client's side: what the server sent, as result, error or notification. */
#include "config.h"
#include "proto/rpc.h"

#include <limits.h>
#include <string.h>

static const char *
parse_error(struct rpc_response *rs, const json_t *error)
{
	const json_t *code = json_object_get(error, "code");
	json_int_t v = json_integer_value(code);

	rs->kind = RPC_ERROR;
	rs->message = json_string_value(json_object_get(error, "message"));
	rs->reason = json_string_value(json_object_get(json_object_get(error, "data"), "reason"));
	if (!json_is_integer(code) || v < INT_MIN || v > INT_MAX || rs->message == NULL)
		return "an error without code or message";
	rs->code = (int)v;
	return NULL;
}

static const char *
parse_notification(struct rpc_response *rs)
{
	rs->kind = RPC_NOTIFICATION;
	rs->method = json_string_value(json_object_get(rs->root, "method"));
	rs->params = json_object_get(rs->root, "params");
	if (rs->method == NULL || !rpc_method_is_valid(rs->method))
		return "no valid method";
	if (rs->params != NULL && !json_is_object(rs->params))
		return "params must be an object";
	if (json_object_get(rs->root, "id") != NULL)
		return "a request from the server";
	return NULL;
}

/* NULL, or what is wrong with it. */
static const char *
parse_frame(struct rpc_response *rs)
{
	const char *version = json_string_value(json_object_get(rs->root, "jsonrpc"));
	const json_t *id = json_object_get(rs->root, "id"), *error = json_object_get(rs->root, "error");

	rs->result = json_object_get(rs->root, "result");
	if (version == NULL || strcmp(version, "2.0") != 0)
		return "\"jsonrpc\" must be \"2.0\"";
	if ((rs->result != NULL) + (error != NULL) + (json_object_get(rs->root, "method") != NULL) != 1)
		return "not one of result, error and method";
	if (rs->result == NULL && error == NULL)
		return parse_notification(rs);
	if (json_is_integer(id) && json_integer_value(id) >= 0)
		rs->id = json_integer_value(id);
	else if (json_is_null(id) && error != NULL)
		rs->id = -1;
	else
		return "not an id of ours";
	rs->kind = RPC_RESULT;
	return error != NULL ? parse_error(rs, error) : NULL;
}

int
rpc_response_parse(struct rpc_response *out, const char *line, size_t len, struct err *e)
{
	struct rpc_response rs = { .id = -1 };
	const char *fault;

	if (rpc_object_parse(&rs.root, line, len, RPC_RESPONSE_MAX, e) != 0)
		return -1;
	fault = parse_frame(&rs);
	if (fault != NULL) {
		rpc_response_free(&rs);
		return err_set(e, ERR_PROTO, "%s", fault);
	}
	*out = rs;
	return 0;
}

void
rpc_response_free(struct rpc_response *rs)
{
	json_decref(rs->root);
	memset(rs, 0, sizeof *rs);
}
