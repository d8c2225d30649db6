/* SPDX-License-Identifier: BSD-3-Clause */
/* Values of options: text to typed field and back. */
#include "config.h"
#include "conf/table.h"

#include "proto/onion.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int
parse_digits(const char **p, uint64_t max, uint64_t *v)
{
	const char *s = *p;

	if (*s < '0' || *s > '9')
		return -1;
	for (*v = 0; *s >= '0' && *s <= '9'; s++) {
		if (*v > (max - (uint64_t)(*s - '0')) / 10)
			return -1;
		*v = *v * 10 + (uint64_t)(*s - '0');
	}
	*p = s;
	return 0;
}

int
conf_parse_duration(int64_t *ms, const char *s)
{
	static const struct {
		const char *unit;
		int64_t ms;
	} units[] = { { "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 }, { "d", 86400000 } };
	uint64_t n;
	size_t i;

	if (parse_digits(&s, 1000000000, &n) != 0)
		return -1;
	for (i = 0; i < sizeof units / sizeof units[0]; i++)
		if (strcmp(s, units[i].unit) == 0) {
			*ms = (int64_t)n * units[i].ms;
			return 0;
		}
	return -1;
}

static void
format_duration(char *out, size_t n, int64_t ms)
{
	if (ms % 1000 != 0)
		snprintf(out, n, "%" PRId64 "ms", ms);
	else if (ms == 0 || ms % 60000 != 0)
		snprintf(out, n, "%" PRId64 "s", ms / 1000);
	else if (ms % 3600000 != 0)
		snprintf(out, n, "%" PRId64 "m", ms / 60000);
	else if (ms % 86400000 != 0)
		snprintf(out, n, "%" PRId64 "h", ms / 3600000);
	else
		snprintf(out, n, "%" PRId64 "d", ms / 86400000);
}

bool
conf_name_ok(const char *name)
{
	size_t n = strlen(name);

	return n >= 1 && n <= CONF_NAME_MAX && name[0] != '-' &&
	    strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == n;
}

static int
set_string(char **at, const char *text, struct err *e)
{
	char *copy = NULL;

	if (text[0] != '\0' && (copy = strdup(text)) == NULL)
		return err_set(e, ERR_MEMORY, "out of memory");
	free(*at);
	*at = copy;
	return 0;
}

static int
parse_text(const struct conf_option *o, char **at, const char *text, struct err *e)
{
	size_t i, n = strlen(text);

	for (i = 0; i < n; i++)
		if (text[i] < ' ' || text[i] > '~')
			return err_set(e, ERR_CONFIG, "%s: only printable ASCII characters", o->name);
	if (o->type == CONF_TEXT && (n > 0 || o->def == NULL) && ((int64_t)n < o->min || (int64_t)n > o->max)) {
		if (o->min == o->max)
			return err_set(e, ERR_CONFIG, "%s: must have %" PRId64 " characters", o->name, o->min);
		return err_set(e, ERR_CONFIG, "%s: must have %" PRId64 " to %" PRId64 " characters", o->name, o->min, o->max);
	}
	if (o->type == CONF_PATH && (n > 0 || o->def == NULL || o->def[0] != '\0') && text[0] != '/')
		return err_set(e, ERR_CONFIG, "%s: \"%.100s\" is not an absolute path", o->name, text);
	if (o->type == CONF_PATH && n > 1024)
		return err_set(e, ERR_CONFIG, "%s: a path has at most 1024 characters", o->name);
	return set_string(at, text, e);
}

static int
parse_socket(const struct conf_option *o, struct endpoint *at, const char *text, struct err *e)
{
	struct err why = ERR_INIT;
	char with[ENDPOINT_PATH_MAX + 16];

	if (text[0] == '\0' && o->def != NULL && o->def[0] == '\0') {
		memset(at, 0, sizeof *at);
		return 0;
	}
	if (text[0] == '/' && strlen(text) <= ENDPOINT_PATH_MAX) {
		snprintf(with, sizeof with, "unix:%s", text);
		text = with;
	}
	if (endpoint_parse(at, text, &why) != 0)
		return err_set(e, ERR_CONFIG, "%s: %s", o->name, why.msg);
	return 0;
}

static int
parse_duration(const struct conf_option *o, int64_t *at, const char *text, struct err *e)
{
	int64_t ms, unit = o->type == CONF_SECONDS ? 1000 : 1;
	char lo[32], hi[32];

	if (conf_parse_duration(&ms, text) != 0)
		return err_set(e, ERR_CONFIG, "%s: \"%.60s\" is not a duration: write 500ms, 90s, 5m, 12h or 30d", o->name, text);
	format_duration(lo, sizeof lo, o->min * unit);
	format_duration(hi, sizeof hi, o->max * unit);
	if (ms % unit != 0)
		return err_set(e, ERR_CONFIG, "%s: whole seconds, please", o->name);
	if (ms / unit < o->min || ms / unit > o->max)
		return err_set(e, ERR_CONFIG, "%s: %.60s is out of range: %s to %s", o->name, text, lo, hi);
	*at = ms / unit;
	return 0;
}

static int
parse_number(const struct conf_option *o, unsigned *at, const char *text, struct err *e)
{
	const char *p = text;
	uint64_t n;

	if (parse_digits(&p, UINT32_MAX, &n) != 0 || *p != '\0')
		return err_set(e, ERR_CONFIG, "%s: \"%.60s\" is not a number", o->name, text);
	if ((int64_t)n < o->min || (int64_t)n > o->max)
		return err_set(e, ERR_CONFIG, "%s: %.60s is out of range: %" PRId64 " to %" PRId64, o->name, text, o->min, o->max);
	*at = (unsigned)n;
	return 0;
}

static int
parse_bool(const struct conf_option *o, bool *at, const char *text, struct err *e)
{
	static const char *const yes[] = { "on", "true", "yes" }, *const no[] = { "off", "false", "no" };
	size_t i;

	for (i = 0; i < 3; i++) {
		if (strcmp(text, yes[i]) == 0 || strcmp(text, no[i]) == 0) {
			*at = strcmp(text, yes[i]) == 0;
			return 0;
		}
	}
	return err_set(e, ERR_CONFIG, "%s: \"%.60s\" is neither on nor off", o->name, text);
}

static int
parse_word(const struct conf_option *o, int *at, const char *text, struct err *e)
{
	const struct conf_word *w;
	char list[80] = "";
	size_t n = 0;

	for (w = o->words; w->name != NULL; w++) {
		if (strcmp(w->name, text) == 0) {
			*at = w->value;
			return 0;
		}
		n += (size_t)snprintf(list + n, sizeof list - n, "%s%s", n > 0 ? ", " : "", w->name);
	}
	return err_set(e, ERR_CONFIG, "%s: \"%.60s\" is not one of %s", o->name, text, list);
}

int
conf_value_parse(const struct conf_option *o, void *base, const char *text, struct err *e)
{
	void *at = (char *)base + o->offset;

	switch (o->type) {
	case CONF_TEXT:
	case CONF_PATH: return parse_text(o, at, text, e);
	case CONF_SOCKET: return parse_socket(o, at, text, e);
	case CONF_MS:
	case CONF_SECONDS: return parse_duration(o, at, text, e);
	case CONF_NUMBER: return parse_number(o, at, text, e);
	case CONF_BOOL: return parse_bool(o, at, text, e);
	case CONF_WORD: return parse_word(o, at, text, e);
	case CONF_TOR:
	case CONF_CHECK:
	case CONF_BACKEND:
	case CONF_PORTS:
	case CONF_CONTROLS: break;
	}
	return err_set(e, ERR_CONFIG, "%s: not a plain value", o->name);
}

void
conf_quote(struct buf *out, const char *text)
{
	buf_adds(out, "\"");
	for (; *text != '\0'; text++) {
		/* "$" too: libConfuse would look into the environment for "${". */
		if (*text == '"' || *text == '\\' || *text == '$')
			buf_adds(out, "\\");
		buf_add(out, text, 1);
	}
	buf_adds(out, "\"");
}

bool
conf_value_print(const struct conf_option *o, const void *base, struct buf *out)
{
	const void *at = (const char *)base + o->offset;
	char text[ENDPOINT_TEXT_MAX];
	const struct conf_word *w;
	const char *s;

	switch (o->type) {
	case CONF_TEXT:
	case CONF_PATH:
		if ((s = *(char *const *)at) == NULL)
			return false;
		conf_quote(out, s);
		return true;
	case CONF_SOCKET:
		if (((const struct endpoint *)at)->kind == 0)
			return false;
		endpoint_format(text, at);
		conf_quote(out, text);
		return true;
	case CONF_MS:
	case CONF_SECONDS:
		format_duration(text, sizeof text, *(const int64_t *)at * (o->type == CONF_MS ? 1 : 1000));
		buf_adds(out, text);
		return true;
	case CONF_NUMBER: buf_addf(out, "%u", *(const unsigned *)at); return true;
	case CONF_BOOL: buf_adds(out, *(const bool *)at ? "on" : "off"); return true;
	case CONF_WORD:
		for (w = o->words; w->name != NULL; w++)
			if (w->value == *(const int *)at)
				buf_adds(out, w->name);
		return true;
	case CONF_TOR:
	case CONF_CHECK:
	case CONF_BACKEND:
	case CONF_PORTS:
	case CONF_CONTROLS: break;
	}
	return false;
}

int
conf_port_parse(struct conf_port *p, bool *own, const char *text, struct err *e)
{
	struct err why = ERR_INIT;
	const char *s = text;
	uint64_t n;

	if (parse_digits(&s, 65535, &n) != 0 || n == 0 || (*s != '\0' && *s != ':'))
		return err_set(e, ERR_CONFIG, "port: \"%.60s\" is neither a port (1 to 65535) nor \"PORT:TARGET\"", text);
	*own = *s == ':';
	if (*own && endpoint_parse(&p->target, s + 1, &why) != 0)
		return err_set(e, ERR_CONFIG, "port: %s", why.msg);
	p->virt = (uint16_t)n;
	return 0;
}

int
conf_control_parse(struct conf_control *c, const char *text, struct err *e)
{
	size_t host = strcspn(text, ":");
	uint8_t pk[ONION_PUBKEY_LEN];
	const char *port = text + host;
	uint64_t n = 80;

	if (onion_from_host(pk, c->address, text, host) != 0)
		return err_set(e, ERR_CONFIG, "control-onions: \"%.70s\" is not a v3 onion address (56 characters and .onion)", text);
	if (*port == ':' && (++port, parse_digits(&port, 65535, &n) != 0 || n == 0))
		return err_set(e, ERR_CONFIG, "control-onions: the port of \"%.70s\" is not from 1 to 65535", text);
	if (*port != '\0')
		return err_set(e, ERR_CONFIG, "control-onions: \"%.70s\" has something behind its port", text);
	c->port = (uint16_t)n;
	return 0;
}
