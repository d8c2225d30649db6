/* SPDX-License-Identifier: BSD-3-Clause */
/* Any text as any argument: whatever is written is exactly one line, or nothing. */
#include "config.h"
#include "fuzz.h"

#include "proto/command.h"
#include "proto/http.h"
#include "proto/socks.h"

#include <string.h>

static int encode(struct buf *out, unsigned which, const char *s, size_t n, const uint8_t *bytes)
{
	struct command_add_onion cmd = {
	    .key64 = bytes, .n_ports = 1, .ports = {{.virt = 80, .target.kind = ENDPOINT_UNIX}}};

	switch (which % 9) {
	case 0: return command_getinfo(out, s, NULL);
	case 1: return command_getconf(out, s, NULL);
	case 2: return command_setevents(out, &s, 1, NULL);
	case 3: return command_del_onion(out, s, NULL);
	case 4: return command_hsfetch(out, s, NULL);
	case 5: return command_closecircuit(out, s, NULL);
	case 6: return command_authenticate_password(out, s, n, NULL);
	case 7: return command_authchallenge(out, bytes, n % 70, NULL);
	default:
		snprintf(cmd.ports[0].target.path, sizeof cmd.ports[0].target.path, "%s", s);
		return command_add_onion(out, &cmd, NULL);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf out = {.max = 4096, .secret = true}, request = BUF_INIT(8192);
	uint8_t bytes[70] = {0};
	char *s = strndup((const char *)data + (size > 0), size > 0 ? size - 1 : 0);

	memcpy(bytes, data, size < sizeof bytes ? size : sizeof bytes);
	if (encode(&out, bytes[0], s, size > 0 ? strlen(s) : 0, bytes) == 0)
		FUZZ_CHECK(strlen(out.data) == out.len && strcspn(out.data, "\r\n") == out.len - 2 &&
			   strcmp(out.data + out.len - 2, "\r\n") == 0);
	else
		FUZZ_CHECK(out.len == 0);
	if (http_request_write(&request, "GET", "host", s, NULL) == 0)
		FUZZ_CHECK(strcspn(request.data, "\r") == strlen(s) + strlen("GET  HTTP/1.1"));
	FUZZ_CHECK(socks_write_connect(&out, s, 80, NULL) != 0 || strlen(s) == 56);
	free(s);
	buf_free(&out);
	buf_free(&request);
	return 0;
}
