/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PROTO_RPC_H
#define PROTO_RPC_H

#include "base/buf.h"
#include "base/err.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * JSON-RPC 2.0, one object a line: the daemon's control socket. Lines are
 * given and parsed without their LF, written with it. Text is ASCII (others
 * are \u escaped), so a line can't hold a control character. A batch is not
 * supported.
 */
#define RPC_LINE_MAX (64 * 1024)       /* bytes of a request or notification */
#define RPC_RESPONSE_MAX (256 * 1024)  /* bytes of an answer or notification; long tables come in pages */
#define RPC_DEPTH_MAX 8                /* nesting, counted before the parser runs */
#define RPC_METHOD_MAX 64              /* [a-z][a-z0-9._-]{0,63} */
#define RPC_ID_MAX 64                  /* bytes of a text id */

enum rpc_code {
	RPC_PARSE_ERROR = -32700,
	RPC_INVALID_REQUEST = -32600,
	RPC_METHOD_NOT_FOUND = -32601,
	RPC_INVALID_PARAMS = -32602,
	RPC_INTERNAL_ERROR = -32603,
	RPC_REFUSED = -32000, /* ours: understood, not done; data.reason says why */
};

/*
 * One line to one JSON object, yours (json_decref). max: bytes. ERR_LIMIT too
 * long or too deep; ERR_PARSE not JSON, not an object, not UTF-8, a name twice,
 * a NUL, a number out of range.
 */
int rpc_object_parse(json_t **out, const char *line, size_t len, size_t max, struct err *e);
/* From now on the memory of every JSON value of this process is wiped when it is freed: a secret is on its way. */
void rpc_wipe_values(void);
bool rpc_method_is_valid(const char *method);

/* --- the server's side ----------------------------------------------------------- */
struct rpc_request {
	const char *method; /* borrowed from root, as params and id */
	json_t *params;     /* an object, or NULL */
	json_t *id;         /* integer or text; NULL: a notification, not to be answered */
	json_t *root;       /* owned */
};
/*
 * ERR_LIMIT, ERR_PARSE as above (answer RPC_PARSE_ERROR, id null); ERR_PROTO:
 * JSON, but not a request: "jsonrpc" not "2.0", a member unknown or of a wrong
 * type (answer RPC_INVALID_REQUEST, id null).
 */
int rpc_request_parse(struct rpc_request *out, const char *line, size_t len, struct err *e);
void rpc_request_free(struct rpc_request *rq);

/* Writers add one line or nothing. json arguments are borrowed. ERR_LIMIT past RPC_RESPONSE_MAX, ERR_MEMORY. */
int rpc_write_result(struct buf *out, const json_t *id, const json_t *result, struct err *e);
/* id NULL: null. reason NULL: no data. Text that is not UTF-8 is replaced by "?". */
int rpc_write_error(struct buf *out, const json_t *id, int code, const char *message, const char *reason,
    struct err *e);
/* params: an object or NULL. ERR_PROTO for a bad method. */
int rpc_write_notification(struct buf *out, const char *method, const json_t *params, struct err *e);
/* Any object as a line, for the server's first one. */
int rpc_write_object(struct buf *out, const json_t *object, struct err *e);

/* --- the client's side ----------------------------------------------------------- */
int rpc_write_request(struct buf *out, int64_t id, const char *method, const json_t *params, struct err *e);

enum rpc_kind { RPC_RESULT = 1, RPC_ERROR, RPC_NOTIFICATION };
struct rpc_response {
	enum rpc_kind kind;
	int64_t id;          /* RESULT, ERROR; -1: null (the server could not read the request) */
	json_t *result;      /* RESULT: any value; borrowed from root, as all below */
	int code;            /* ERROR */
	const char *message; /* ERROR */
	const char *reason;  /* ERROR: data.reason, or NULL */
	const char *method;  /* NOTIFICATION */
	json_t *params;      /* NOTIFICATION: object or NULL */
	json_t *root;        /* owned */
};
/* Errors as rpc_request_parse(), with RPC_RESPONSE_MAX; ids are those of rpc_write_request(): integers >= 0. */
int rpc_response_parse(struct rpc_response *out, const char *line, size_t len, struct err *e);
void rpc_response_free(struct rpc_response *rs);

#endif
