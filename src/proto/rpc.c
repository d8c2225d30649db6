/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * JSON-RPC 2.0: lines in, and the writers. jansson does the parsing; what it
 * would let through (deep nesting, long lines) is looked at before it runs.
 */
#include "config.h"
#include "proto/rpc.h"

#include "base/mem.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

static void
wipe_and_free(void *p)
{
	if (p != NULL)
		mem_wipe(p, malloc_usable_size(p));
	free(p);
}

void
rpc_wipe_values(void)
{
	json_set_alloc_funcs(malloc, wipe_and_free);
}

/* Nesting outside of strings: jansson recurses, its own bound is far higher. */
static unsigned
depth_of(const char *s, size_t n)
{
	unsigned depth = 0, max = 0;
	bool in_string = false;
	size_t i;

	for (i = 0; i < n; i++) {
		if (in_string) {
			if (s[i] == '\\')
				i++;
			else if (s[i] == '"')
				in_string = false;
		} else if (s[i] == '"') {
			in_string = true;
		} else if (s[i] == '{' || s[i] == '[') {
			if (++depth > max)
				max = depth;
		} else if ((s[i] == '}' || s[i] == ']') && depth > 0) {
			depth--;
		}
	}
	return max;
}

int
rpc_object_parse(json_t **out, const char *line, size_t len, size_t max, struct err *e)
{
	json_error_t fault;
	json_t *root;

	if (len > max)
		return err_set(e, ERR_LIMIT, "a line longer than %zu bytes", max);
	if (depth_of(line, len) > RPC_DEPTH_MAX)
		return err_set(e, ERR_LIMIT, "nested deeper than %d", RPC_DEPTH_MAX);
	root = json_loadb(line, len, JSON_REJECT_DUPLICATES, &fault);
	if (root == NULL) {
		if (json_error_code(&fault) == json_error_out_of_memory)
			return err_set(e, ERR_MEMORY, "out of memory");
		return err_set(e, ERR_PARSE, "not JSON: column %d: %.120s", fault.column, fault.text);
	}
	if (!json_is_object(root)) {
		json_decref(root);
		return err_set(e, ERR_PARSE, "not a JSON object");
	}
	*out = root;
	return 0;
}

bool
rpc_method_is_valid(const char *method)
{
	size_t n = strnlen(method, RPC_METHOD_MAX + 1);

	return n <= RPC_METHOD_MAX && method[0] >= 'a' && method[0] <= 'z' &&
	    strspn(method, "abcdefghijklmnopqrstuvwxyz0123456789._-") == n;
}

static bool
is_request_id(const json_t *id)
{
	if (json_is_integer(id))
		return true;
	return json_is_string(id) && json_string_length(id) <= RPC_ID_MAX;
}

/* NULL, or what is wrong with it. */
static const char *
request_fault(struct rpc_request *rq)
{
	const char *version = NULL, *key;
	json_t *value;

	json_object_foreach (rq->root, key, value) {
		if (strcmp(key, "jsonrpc") == 0)
			version = json_string_value(value);
		else if (strcmp(key, "method") == 0)
			rq->method = json_string_value(value);
		else if (strcmp(key, "params") == 0 && json_is_object(value))
			rq->params = value;
		else if (strcmp(key, "id") == 0 && is_request_id(value))
			rq->id = value;
		else
			return strcmp(key, "params") == 0 ? "params must be an object" :
			    strcmp(key, "id") == 0        ? "id must be an integer or a short text" :
							    "a member that requests don't have";
	}
	if (version == NULL || strcmp(version, "2.0") != 0)
		return "\"jsonrpc\" must be \"2.0\"";
	if (rq->method == NULL || !rpc_method_is_valid(rq->method))
		return "no valid method";
	return NULL;
}

int
rpc_request_parse(struct rpc_request *out, const char *line, size_t len, struct err *e)
{
	struct rpc_request rq = { 0 };
	const char *fault;

	if (rpc_object_parse(&rq.root, line, len, RPC_LINE_MAX, e) != 0)
		return -1;
	fault = request_fault(&rq);
	if (fault != NULL) {
		rpc_request_free(&rq);
		return err_set(e, ERR_PROTO, "%s", fault);
	}
	*out = rq;
	return 0;
}

void
rpc_request_free(struct rpc_request *rq)
{
	json_decref(rq->root);
	memset(rq, 0, sizeof *rq);
}

int
rpc_write_object(struct buf *out, const json_t *object, struct err *e)
{
	char *text = NULL;
	size_t n;
	int rc = -1;

	if (!json_is_object(object))
		return err_set(e, ERR_PROTO, "only objects are written");
	text = json_dumps(object, JSON_COMPACT | JSON_ENSURE_ASCII);
	if (text == NULL)
		return err_set(e, ERR_MEMORY, "out of memory");
	n = strlen(text);
	if (n > RPC_RESPONSE_MAX) {
		err_set(e, ERR_LIMIT, "an answer longer than %d bytes", RPC_RESPONSE_MAX);
		goto out;
	}
	/* One append, so that there is a whole line or nothing. */
	text[n] = '\n';
	buf_add(out, text, n + 1);
	rc = buf_ok(out) ? 0 : err_set(e, ERR_MEMORY, "no room for the answer");
out:
	free(text);
	return rc;
}

/* A frame to which the caller adds; NULL when out of memory. */
static json_t *
frame_new(void)
{
	json_t *o = json_object();

	if (o == NULL || json_object_set_new(o, "jsonrpc", json_string("2.0")) == 0)
		return o;
	json_decref(o);
	return NULL;
}

/* Writes and frees the frame; `rc` is 0 if it could be built. */
static int
frame_write(struct buf *out, json_t *frame, int rc, struct err *e)
{
	if (rc != 0 || frame == NULL)
		rc = err_set(e, ERR_MEMORY, "out of memory");
	else
		rc = rpc_write_object(out, frame, e);
	json_decref(frame);
	return rc;
}

/* jansson counts references of what it borrows: shared, not copied. A cast, since it has no const way to do so. */
static int
set_borrowed(json_t *frame, const char *key, const json_t *value)
{
	union {
		const json_t *in;
		json_t *out;
	} v = { .in = value };

	return value == NULL ? json_object_set_new(frame, key, json_null()) : json_object_set(frame, key, v.out);
}

int
rpc_write_result(struct buf *out, const json_t *id, const json_t *result, struct err *e)
{
	json_t *frame = frame_new();
	int rc = set_borrowed(frame, "result", result) | set_borrowed(frame, "id", id);

	return frame_write(out, frame, rc, e);
}

/* Text for people may hold anything that came from outside. */
static json_t *
text_of(const char *s)
{
	json_t *text = json_string(s), *clean;
	char *copy, *p;

	if (text != NULL)
		return text;
	copy = strdup(s);
	if (copy == NULL)
		return NULL;
	for (p = copy; *p != '\0'; p++)
		if ((unsigned char)*p >= 0x80)
			*p = '?';
	clean = json_string(copy);
	free(copy);
	return clean;
}

int
rpc_write_error(struct buf *out, const json_t *id, int code, const char *message, const char *reason, struct err *e)
{
	json_t *frame = frame_new(), *error = json_object(), *data;
	int rc = json_object_set_new(error, "code", json_integer(code)) |
	    json_object_set_new(error, "message", text_of(message));

	if (reason != NULL) {
		data = json_object();
		rc |= json_object_set_new(data, "reason", text_of(reason));
		rc |= json_object_set_new(error, "data", data);
	}
	rc |= json_object_set_new(frame, "error", error);
	rc |= set_borrowed(frame, "id", id);
	return frame_write(out, frame, rc, e);
}

static int
write_call(struct buf *out, json_t *id, const char *method, const json_t *params, struct err *e)
{
	json_t *frame;
	int rc;

	if (!rpc_method_is_valid(method) || (params != NULL && !json_is_object(params))) {
		json_decref(id);
		return err_set(e, ERR_PROTO, "not a method with an object of params");
	}
	frame = frame_new();
	rc = json_object_set_new(frame, "method", json_string(method));
	if (params != NULL)
		rc |= set_borrowed(frame, "params", params);
	if (id != NULL)
		rc |= json_object_set_new(frame, "id", id);
	return frame_write(out, frame, rc, e);
}

int
rpc_write_notification(struct buf *out, const char *method, const json_t *params, struct err *e)
{
	return write_call(out, NULL, method, params, e);
}

int
rpc_write_request(struct buf *out, int64_t id, const char *method, const json_t *params, struct err *e)
{
	json_t *number = json_integer(id);

	if (number == NULL)
		return err_set(e, ERR_MEMORY, "out of memory");
	return write_call(out, number, method, params, e);
}
