/* SPDX-License-Identifier: BSD-3-Clause */
/* A line of JSON-RPC to both sides; what was read and is written again reads the same. */
#include "config.h"
#include "fuzz.h"

#include "proto/rpc.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf out = BUF_INIT((size_t)8 * RPC_RESPONSE_MAX);
	struct rpc_request rq = {0};
	struct rpc_response rs = {0};
	json_t *again = NULL;

	if (rpc_request_parse(&rq, (const char *)data, size, NULL) == 0) {
		FUZZ_CHECK(rpc_method_is_valid(rq.method) && size <= RPC_LINE_MAX);
		FUZZ_CHECK(rpc_write_object(&out, rq.root, NULL) == 0 && strlen(out.data) == out.len);
		FUZZ_CHECK(rpc_object_parse(&again, out.data, out.len - 1, RPC_RESPONSE_MAX, NULL) == 0 &&
			   json_equal(again, rq.root));
		FUZZ_CHECK(strchr(out.data, '\n') == out.data + out.len - 1);
		FUZZ_CHECK(rpc_write_error(&out, rq.id, RPC_REFUSED, rq.method, rq.method, NULL) == 0);
	}
	if (rpc_response_parse(&rs, (const char *)data, size, NULL) == 0)
		FUZZ_CHECK(rs.kind == RPC_RESULT  ? rs.result != NULL
			   : rs.kind == RPC_ERROR ? rs.message != NULL
						  : rs.method != NULL);
	json_decref(again);
	rpc_request_free(&rq);
	rpc_response_free(&rs);
	buf_free(&out);
	return 0;
}
