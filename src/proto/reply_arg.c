/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Looks into one line of a reply: words, KEY=value, quoted strings, and the
 * values of GETINFO and GETCONF. Owns nothing; everything points into the reply.
 */
#include "config.h"
#include "proto/reply.h"

#include <string.h>
#include <strings.h>

static bool
is_key_char(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

static bool
is_space(char c)
{
	return c == ' ' || c == '\t';
}

int
reply_next_arg(const char **p, struct reply_arg *a)
{
	struct reply_arg arg = { 0 };
	const char *s = *p, *start;

	while (is_space(*s))
		s++;
	start = s;
	if (*s == '\0') {
		*p = s;
		return 0;
	}
	while (is_key_char(*s))
		s++;
	if (*s == '=' && s > start) {
		arg.key = start;
		arg.key_len = (size_t)(s - start);
		start = ++s;
	}
	if (s == start && *s == '"') {
		arg.quoted = true;
		arg.raw = ++s;
		for (; *s != '"'; s++)
			if (*s == '\0' || (*s == '\\' && *++s == '\0'))
				return -1;
		arg.raw_len = (size_t)(s - arg.raw);
		s++;
	} else {
		while (*s != '\0' && !is_space(*s))
			s++;
		arg.raw = start;
		arg.raw_len = (size_t)(s - start);
	}
	*a = arg;
	*p = s;
	return 1;
}

bool
reply_arg_is_key(const struct reply_arg *a, const char *key)
{
	return a->key != NULL && strlen(key) == a->key_len && memcmp(a->key, key, a->key_len) == 0;
}

/* The byte that the escape behind a backslash at s stands for; *used: characters. -1: above 255 or NUL. */
static int
unescape(const char *s, size_t n, size_t *used)
{
	static const char names[] = "nrt", values[] = "\n\r\t";
	const char *hit = strchr(names, s[0]);
	int v = 0;
	size_t i;

	for (i = 0; i < 3 && i < n && s[i] >= '0' && s[i] <= '7'; i++)
		v = v * 8 + (s[i] - '0');
	*used = i > 0 ? i : 1;
	if (i > 0)
		return v > 0 && v <= 255 ? v : -1;
	return hit != NULL ? values[hit - names] : (unsigned char)s[0];
}

int
reply_arg_text(const struct reply_arg *a, char *out, size_t size, struct err *e)
{
	size_t i, used, n = 0;
	int c;

	/* First the length and the faults, so that out is written only on success. */
	for (i = 0; i < a->raw_len; i += used, n++) {
		used = 1;
		if (!a->quoted || a->raw[i] != '\\')
			continue;
		i++;
		if (unescape(a->raw + i, a->raw_len - i, &used) < 0)
			return err_set(e, ERR_PARSE, "a quoted value with an escape that is no character");
	}
	if (n >= size)
		return err_set(e, ERR_LIMIT, "a value longer than %zu bytes", size > 0 ? size - 1 : 0);
	for (i = 0, n = 0; i < a->raw_len; i += used, n++) {
		used = 1;
		c = (unsigned char)a->raw[i];
		if (a->quoted && c == '\\') {
			i++;
			c = unescape(a->raw + i, a->raw_len - i, &used);
		}
		out[n] = (char)c;
	}
	out[n] = '\0';
	return 0;
}

static int
find_keyword(const char *text, const char *key, struct reply_arg *a, struct err *e)
{
	int rc;

	while ((rc = reply_next_arg(&text, a)) == 1)
		if (reply_arg_is_key(a, key))
			return 0;
	if (rc < 0)
		return err_set(e, ERR_PARSE, "a quote that is not closed");
	return err_set(e, ERR_NOTFOUND, "no %s= there", key);
}

int
reply_keyword_value(const char *text, const char *key, char *out, size_t size, struct err *e)
{
	struct reply_arg a;

	if (find_keyword(text, key, &a, e) != 0)
		return -1;
	return reply_arg_text(&a, out, size, e);
}

int
reply_keyword_int(const char *text, const char *key, int64_t min, int64_t max, int64_t *out, struct err *e)
{
	char digits[24];
	const char *s = digits;
	bool negative;
	int64_t v = 0;

	if (reply_keyword_value(text, key, digits, sizeof digits, e) != 0)
		return -1;
	negative = *s == '-';
	if (*s == '-' || *s == '+')
		s++;
	if (*s == '\0' || strspn(s, "0123456789") != strlen(s))
		return err_set(e, ERR_PARSE, "%s= is not a number", key);
	for (; *s != '\0'; s++)
		if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, *s - '0', &v))
			return err_set(e, ERR_LIMIT, "%s= is out of range", key);
	v = negative ? -v : v;
	if (v < min || v > max)
		return err_set(e, ERR_LIMIT, "%s= is out of range", key);
	*out = v;
	return 0;
}

int
reply_getinfo(const struct reply *r, const char *key, const char **value, size_t *len)
{
	size_t i, n = strlen(key);

	if (r->code != 250)
		return -1;
	for (i = 0; i < r->n_lines; i++) {
		const struct reply_line *l = &r->lines[i];

		if (l->len <= n || memcmp(l->text, key, n) != 0 || l->text[n] != '=')
			continue;
		if (l->sep == '+' && l->len > n + 1)
			return -1;
		*value = l->sep == '+' ? l->data : l->text + n + 1;
		*len = l->sep == '+' ? l->data_len : l->len - n - 1;
		return 0;
	}
	return -1;
}

int
reply_getconf(const struct reply *r, const char *key, const char **value)
{
	size_t i, n = strlen(key);

	if (r->code != 250)
		return -1;
	for (i = 0; i < r->n_lines; i++) {
		const struct reply_line *l = &r->lines[i];

		if (l->sep == '+' || l->len < n || strncasecmp(l->text, key, n) != 0)
			continue;
		if (l->text[n] != '\0' && l->text[n] != '=')
			continue;
		*value = l->text[n] == '=' ? l->text + n + 1 : NULL;
		return 0;
	}
	return -1;
}

bool
reply_value_line(const char **p, const char **line, size_t *len)
{
	const char *s = *p;

	if (*s == '\0')
		return false;
	*line = s;
	*len = strcspn(s, "\n");
	*p = s + *len + (s[*len] == '\n');
	return true;
}
