/* SPDX-License-Identifier: BSD-3-Clause */
/* Values of options: text to field and back. */
#include "config.h"
#include "conf/conf_impl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *suffix;
	int64_t ms;
} units[] = { { "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 }, { "d", 86400000 } };

static int
parse_digits(uint64_t *v, const char **s)
{
	char *end;

	if (**s < '0' || **s > '9')
		return -1;
	errno = 0;
	*v = strtoull(*s, &end, 10);
	*s = end;
	return errno == 0 && *v <= INT64_MAX / 100000000 ? 0 : -1;
}

int
conf_parse_duration(int64_t *ms, const char *s)
{
	uint64_t v;
	size_t i;

	if (parse_digits(&v, &s) != 0)
		return -1;
	for (i = 0; i < sizeof units / sizeof units[0]; i++)
		if (strcmp(s, units[i].suffix) == 0) {
			*ms = (int64_t)v * units[i].ms;
			return 0;
		}
	return -1;
}

void
duration_print(struct buf *out, int64_t ms)
{
	size_t i = sizeof units / sizeof units[0];

	while (--i > 0 && (ms % units[i].ms != 0 || ms < units[i].ms))
		;
	if (ms == 0)
		i = 1;
	buf_addf(out, "%lld%s", (long long)(ms / units[i].ms), units[i].suffix);
}

static int
set_text(char **field, const struct option *o, const char *text, struct err *e)
{
	size_t i, n = strlen(text);
	char *copy;

	for (i = 0; i < n; i++)
		if (text[i] < ' ' || text[i] > '~')
			return err_set(e, ERR_CONFIG, "character %zu is not printable ASCII", i + 1);
	if (n > 400)
		return err_set(e, ERR_CONFIG, "too long (at most 400 characters)");
	if (o->type == TYPE_NAME && (n < 1 || n > 64))
		return err_set(e, ERR_CONFIG, "needs 1 to 64 characters");
	if (o->type == TYPE_PATH && n > 0 && text[0] != '/')
		return err_set(e, ERR_CONFIG, "\"%s\" must be an absolute path", text);
	if (n > 0 && (copy = strdup(text)) == NULL)
		return err_set(e, ERR_MEMORY, "out of memory");
	free(*field);
	*field = n > 0 ? copy : NULL;
	return 0;
}

static int
set_number(void *field, const struct option *o, const char *text, struct err *e)
{
	const char *end = text;
	uint64_t v;

	if (parse_digits(&v, &end) != 0 || *end != '\0' || (int64_t)v < o->least || (int64_t)v > o->most)
		return err_set(e, ERR_CONFIG, "\"%.40s\" is not a number from %lld to %lld", text, (long long)o->least, (long long)o->most);
	*(unsigned *)field = (unsigned)v;
	return 0;
}

static int
set_duration(int64_t *field, const struct option *o, const char *text, struct err *e)
{
	struct buf least = BUF_INIT(64), most = BUF_INIT(64);
	int64_t ms;
	int r = 0;

	if (conf_parse_duration(&ms, text) != 0)
		r = err_set(e, ERR_CONFIG, "\"%.40s\" is not a duration: write 500ms, 90s, 5m, 12h or 30d", text);
	else if (ms < o->least || ms > o->most || (o->type == TYPE_SECONDS && ms % 1000 != 0)) {
		duration_print(&least, o->least);
		duration_print(&most, o->most);
		r = err_set(e, ERR_CONFIG, "\"%.40s\" is not from %s to %s", text, buf_str(&least), buf_str(&most));
	} else {
		*field = o->type == TYPE_SECONDS ? ms / 1000 : ms;
	}
	buf_free(&least);
	buf_free(&most);
	return r;
}

static unsigned
word_base(const struct option *o)
{
	return strcmp(o->name, "log-level") == 0 ? LOG_LEVEL_ERROR : 0;
}

static int
set_word(void *field, const struct option *o, const char *text, struct err *e)
{
	struct buf all = BUF_INIT(256);
	unsigned i;

	for (i = 0; o->words[i] != NULL; i++) {
		if (strcmp(o->words[i], text) == 0) {
			*(unsigned *)field = i + word_base(o);
			buf_free(&all);
			return 0;
		}
		buf_addf(&all, "%s%s", i == 0 ? "" : ", ", o->words[i]);
	}
	err_set(e, ERR_CONFIG, "\"%.40s\" is not one of: %s", text, buf_str(&all));
	buf_free(&all);
	return -1;
}

static int
set_bool(bool *field, const char *text, struct err *e)
{
	static const char *const yes[] = { "true", "on", "yes" }, *const no[] = { "false", "off", "no" };
	size_t i;

	for (i = 0; i < 3; i++)
		if (strcmp(text, yes[i]) == 0 || strcmp(text, no[i]) == 0) {
			*field = strcmp(text, yes[i]) == 0;
			return 0;
		}
	return err_set(e, ERR_CONFIG, "\"%.40s\" is not on or off", text);
}

int
value_set(void *base, const struct option *o, const char *text, struct err *e)
{
	void *field = (char *)base + o->offset;

	switch (o->type) {
	case TYPE_TEXT:
	case TYPE_NAME:
	case TYPE_PATH: return set_text(field, o, text, e);
	case TYPE_INT: return set_number(field, o, text, e);
	case TYPE_BOOL: return set_bool(field, text, e);
	case TYPE_MS:
	case TYPE_SECONDS: return set_duration(field, o, text, e);
	case TYPE_ENDPOINT: return endpoint_parse(field, text, e);
	case TYPE_WORD: return set_word(field, o, text, e);
	case TYPE_SPECIAL: break;
	}
	return 0;
}

void
value_print(const void *base, const struct option *o, struct buf *out)
{
	const void *field = (const char *)base + o->offset;
	const char *text;
	char where[ENDPOINT_TEXT_MAX];

	switch (o->type) {
	case TYPE_TEXT:
	case TYPE_NAME:
	case TYPE_PATH:
		text = *(const char *const *)field;
		buf_adds(out, text != NULL ? text : "");
		break;
	case TYPE_INT: buf_addf(out, "%u", *(const unsigned *)field); break;
	case TYPE_BOOL: buf_adds(out, *(const bool *)field ? "true" : "false"); break;
	case TYPE_MS: duration_print(out, *(const int64_t *)field); break;
	case TYPE_SECONDS: duration_print(out, *(const int64_t *)field * 1000); break;
	case TYPE_ENDPOINT:
		endpoint_format(where, field);
		buf_adds(out, where);
		break;
	case TYPE_WORD: buf_adds(out, o->words[*(const unsigned *)field - word_base(o)]); break;
	case TYPE_SPECIAL: break;
	}
}
