/* SPDX-License-Identifier: BSD-3-Clause */
/* Versions of tor as numbers and a tag (version-spec), declared in reply.h. */
#include "config.h"
#include "proto/reply.h"

#include <string.h>

static int
parse_part(const char **s, uint32_t *out)
{
	const char *p = *s;
	uint32_t v = 0;

	if (*p < '0' || *p > '9')
		return -1;
	for (; *p >= '0' && *p <= '9'; p++)
		if ((v = v * 10 + (uint32_t)(*p - '0')) > 65535)
			return -1;
	*out = v;
	*s = p;
	return 0;
}

static bool
is_tag_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	    (c != '\0' && strchr("-._+~", c) != NULL);
}

int
tor_version_parse(struct tor_version *out, const char *s, struct err *e)
{
	struct tor_version v = { 0 };
	uint32_t *const parts[] = { &v.major, &v.minor, &v.micro, &v.patch };
	const char *p = s;
	size_t i, n;

	if (strncmp(p, "Tor ", 4) == 0)
		p += 4;
	for (i = 0; i < 4; i++) {
		/* The fourth number may be missing. */
		if (i > 0 && *p != '.' && i == 3)
			break;
		if ((i > 0 && *p++ != '.') || parse_part(&p, parts[i]) != 0)
			return err_set(e, ERR_PARSE, "\"%.60s\" is not a version of tor", s);
	}
	if (*p == '-') {
		for (n = 0, p++; is_tag_char(*p); p++)
			if (n < sizeof v.tag - 1)
				v.tag[n++] = *p;
			else
				return err_set(e, ERR_LIMIT, "\"%.60s\": a version tag too long", s);
		if (n == 0)
			return err_set(e, ERR_PARSE, "\"%.60s\" is not a version of tor", s);
	}
	if (*p != '\0' && strncmp(p, " (", 2) != 0)
		return err_set(e, ERR_PARSE, "\"%.60s\" is not a version of tor", s);
	*out = v;
	return 0;
}

static int
compare_numbers(uint32_t a, uint32_t b)
{
	return (a > b) - (a < b);
}

int
tor_version_compare(const struct tor_version *a, const struct tor_version *b)
{
	int c;

	if ((c = compare_numbers(a->major, b->major)) != 0 || (c = compare_numbers(a->minor, b->minor)) != 0 ||
	    (c = compare_numbers(a->micro, b->micro)) != 0 || (c = compare_numbers(a->patch, b->patch)) != 0)
		return c;
	return strcmp(a->tag, b->tag);
}
