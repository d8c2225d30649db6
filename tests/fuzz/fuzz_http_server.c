/* SPDX-License-Identifier: BSD-3-Clause */
/* A request. What is judged once stays so however much follows; what is taken holds only what it may. */
#include "config.h"
#include "fuzz.h"

#include "proto/http_server.h"

#include <string.h>

static const char etag[] = "\"0123456789abcdef0123456789abcdef\"";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data, *p;
	struct http_request rq, again;
	int status = 0, whole;
	size_t n;

	for (n = 0; n <= size && n <= HTTP_REQUEST_MAX && status == 0; n++)
		status = http_request_parse(&rq, text, n);
	whole = http_request_parse(&again, text, size);
	FUZZ_CHECK(status == whole || (status == 0 && size > HTTP_REQUEST_MAX));
	FUZZ_CHECK(whole == 0 || whole == 200 || http_status_text(whole)[0] != '\0');
	FUZZ_CHECK(whole != 0 || size < HTTP_REQUEST_MAX);
	if (whole != 200)
		return 0;
	FUZZ_CHECK(memcmp(&rq, &again, sizeof rq) == 0);
	FUZZ_CHECK(rq.path[0] == '/' && strlen(rq.path) <= HTTP_PATH_MAX);
	for (p = rq.path; *p != '\0'; p++)
		FUZZ_CHECK(*p > 0x20 && *p < 0x7f);
	FUZZ_CHECK(strpbrk(rq.none_match, "\r\n") == NULL);
	FUZZ_CHECK(!http_none_match(&rq, etag) || strstr(rq.none_match, etag) != NULL || strcmp(rq.none_match, "*") == 0);
	return 0;
}
