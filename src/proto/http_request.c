/* SPDX-License-Identifier: BSD-3-Clause */
/* Writes the one request there is: the same bytes for everybody but host and path. */
#include "config.h"
#include "proto/http.h"

#include <string.h>

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

static bool
is_of(const char *s, const char *set, size_t max)
{
	size_t n = strnlen(s, max + 1);

	return n >= 1 && n <= max && strspn(s, set) == n;
}

int
http_request_write(struct buf *out, const char *method, const char *host, const char *path, struct err *e)
{
	size_t start = out->len;

	if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
		return err_set(e, ERR_PROTO, "HTTP: a method other than GET and HEAD");
	if (!is_of(host, LOWER DIGITS ".:-[]", 255))
		return err_set(e, ERR_PROTO, "HTTP: this is not a host");
	if (path[0] != '/' || !is_of(path, LOWER UPPER DIGITS "-._~:/?[]@!$&'()*+,;=%", 2048))
		return err_set(e, ERR_PROTO, "HTTP: a path begins with / and has only characters of a URI");
	buf_addf(out,
	    "%s %s HTTP/1.1\r\n"
	    "Host: %s\r\n"
	    "User-Agent: Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0\r\n"
	    "Accept: */*\r\n"
	    "Accept-Encoding: identity\r\n"
	    "Connection: close\r\n"
	    "\r\n",
	    method, path, host);
	if (buf_ok(out))
		return 0;
	out->len = start;
	if (out->data != NULL)
		out->data[start] = '\0';
	return err_set(e, ERR_MEMORY, "no room for the request");
}
