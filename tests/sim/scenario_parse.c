/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reads a scenario. Strict: a word that is not understood is an error with file
 * and line, before anything runs. Owns the lines' texts.
 */
#include "config.h"
#include "sim/scenario.h"

#include "base/mem.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX 65536

static int __attribute__((format(printf, 3, 4)))
wrong(struct scenario *s, const struct scn_line *l, const char *fmt, ...)
{
	size_t n = (size_t)snprintf(s->wrong, sizeof s->wrong, "%s:%u: ", s->path, l->number);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(s->wrong + n, sizeof s->wrong - n, fmt, ap);
	va_end(ap);
	return -1;
}

/* --- words --------------------------------------------------------------------------------- */

int64_t
scn_duration(const char *word)
{
	static const struct {
		const char *unit;
		int64_t ms;
	} units[] = { { "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 }, { "d", 86400000 } };
	size_t n = strspn(word, "0123456789"), i;

	if (n == 0 || n > 8)
		return -1;
	for (i = 0; i < sizeof units / sizeof units[0]; i++)
		if (strcmp(word + n, units[i].unit) == 0)
			return strtoll(word, NULL, 10) * units[i].ms;
	return -1;
}

int64_t
scn_time(const char *word)
{
	unsigned days = 0, h, m, sec = 0;
	const char *d = strchr(word, 'd');
	int n = 0;

	if (d != NULL && (sscanf(word, "%2ud%n", &days, &n) != 1 || word + n != d + 1))
		return -1;
	word = d != NULL ? d + 1 : word;
	n = 0;
	if (!isdigit((unsigned char)word[0]) || sscanf(word, "%2u:%2u%n", &h, &m, &n) != 2 || n == 0)
		return -1;
	if (word[n] == ':') {
		word += n;
		n = 0;
		if (sscanf(word, ":%2u%n", &sec, &n) != 1)
			return -1;
	}
	if (word[n] != '\0' || h > 23 || m > 59 || sec > 59)
		return -1;
	return (((int64_t)days * 24 + h) * 3600 + m * 60 + sec) * 1000;
}

long
scn_share(const char *word)
{
	size_t n = strspn(word, "0123456789");

	return n > 0 && n < 4 && strcmp(word + n, "%") == 0 && atol(word) <= 100 ? atol(word) * 10000 : -1;
}

int
scn_mirror(const struct scenario *s, const char *name)
{
	unsigned i;

	for (i = 0; i < s->n_mirrors; i++)
		if (strcmp(s->mirrors[i], name) == 0)
			return (int)i;
	return -1;
}

int
scn_tor(const struct scenario *s, const char *name)
{
	unsigned i;

	for (i = 0; i < s->n_tors; i++)
		if (strcmp(s->tors[i], name) == 0)
			return (int)i;
	return -1;
}

/* Cuts at spaces; "..." is one word. */
static int
cut(struct scenario *s, struct scn_line *l)
{
	char *p = l->text;

	for (;;) {
		p += strspn(p, " \t");
		if (*p == '\0' || *p == '#')
			return 0;
		if (l->n == SCN_WORDS)
			return wrong(s, l, "more than %d words", SCN_WORDS);
		if (*p == '"') {
			l->words[l->n++] = ++p;
			p += strcspn(p, "\"");
			if (*p == '\0')
				return wrong(s, l, "a quote without its end");
		} else {
			l->words[l->n++] = p;
			p += strcspn(p, " \t");
			if (*p == '\0')
				return 0;
		}
		*p++ = '\0';
	}
}

/* --- set-up ------------------------------------------------------------------------------------ */

static void
add_option(char *to, size_t size, const struct scn_line *l, size_t first)
{
	size_t at = strlen(to), i;

	for (i = first; i < l->n && at < size; i++)
		at += (size_t)snprintf(to + at, size - at, "%s%s", i > first ? " " : "  ", l->words[i]);
	if (at < size)
		snprintf(to + at, size - at, "\n");
}

/* Names, or how many: m1, m2, ... */
static int
take_names(struct scenario *s, const struct scn_line *l)
{
	bool tors = l->words[0][0] == 't', number = l->n == 2 && strspn(l->words[1], "0123456789") == strlen(l->words[1]);
	size_t n = number ? (size_t)atoi(l->words[1]) : l->n - 1, i;

	if (n < 1 || n > (size_t)(tors ? SIM_TORS : SIM_MIRRORS))
		return wrong(s, l, "%s needs names or how many, and not so many", l->words[0]);
	for (i = 0; i < n; i++)
		if (number)
			snprintf(tors ? s->tors[i] : s->mirrors[i], 16, "%c%u", tors ? 't' : 'm', (unsigned)i + 1);
		else
			snprintf(tors ? s->tors[i] : s->mirrors[i], 16, "%.15s", l->words[i + 1]);
	*(tors ? &s->n_tors : &s->n_mirrors) = (unsigned)n;
	return 0;
}

/* 1: understood, 0: not a line of this kind, -1: wrong. */
static int
setup(struct scenario *s, struct scn_line *l)
{
	const char *word = l->words[0];
	int one = l->n > 2 ? scn_mirror(s, l->words[1]) : -1;

	if (strcmp(word, "mirrors") == 0 || strcmp(word, "tors") == 0) {
		if (take_names(s, l) != 0)
			return -1;
	} else if (strcmp(word, "site") == 0) {
		add_option(s->site, sizeof s->site, l, 1);
	} else if (strcmp(word, "mirror") == 0 && one >= 0) {
		add_option(s->own[one], sizeof s->own[one], l, 2);
	} else if (strcmp(word, "mirror") == 0) {
		add_option(s->mirror, sizeof s->mirror, l, 1);
	} else if (strcmp(word, "check") == 0) {
		add_option(s->check, sizeof s->check, l, 1);
	} else if (strcmp(word, "controls") == 0 && l->n == 2) {
		s->n_controls = (unsigned)atoi(l->words[1]);
		if (s->n_controls < 1 || s->n_controls > SIM_CONTROLS)
			return wrong(s, l, "controls N, up to %d", SIM_CONTROLS);
	} else if (strcmp(word, "no-cookie") == 0 && l->n == 1) {
		s->no_cookie = true;
	} else if (strcmp(word, "locked") == 0 && l->n == 1) {
		s->locked = true;
	} else if (strcmp(word, "crash") == 0) {
		s->crash_from = l->n == 4 ? scn_time(l->words[1]) : -1;
		s->crash_until = l->n == 4 && strcmp(l->words[2], "for") == 0 ? s->crash_from + scn_duration(l->words[3]) : 0;
		if (s->crash_from < 0 || s->crash_until <= s->crash_from)
			return wrong(s, l, "crash TIME for DURATION");
	} else if (strcmp(word, "seed") == 0 && l->n == 2) {
		s->seed = strtoull(l->words[1], NULL, 10);
	} else if (strcmp(word, "for") == 0 && l->n == 2) {
		s->end = scn_duration(l->words[1]);
		if (s->end < 0)
			return wrong(s, l, "\"%s\" is not a duration", l->words[1]);
	} else {
		return 0;
	}
	return s->n_acts > 0 || s->n_expects > 0 ? wrong(s, l, "what the world looks like comes first") : 1;
}

/* --- at, expect ---------------------------------------------------------------------------------- */

static int
parse_at(struct scenario *s, struct scn_line *l)
{
	struct scn_act *a = &s->acts[s->n_acts];
	const char *why;

	if (l->n < 3 || (a->anchor.at = scn_time(l->words[1])) < 0)
		return wrong(s, l, "at TIME WHAT, with a time like 00:10 or 1d02:30");
	if (s->n_acts > 0 && a->anchor.at < a[-1].anchor.at)
		return wrong(s, l, "earlier than the line before");
	if ((why = scn_do(s, l->words + 2, l->n - 2, true)) != NULL)
		return wrong(s, l, "%s", why);
	a->line = l;
	s->n_acts++;
	return 0;
}

/* The end of the line: within D, for D, until T, or nothing. */
static int
parse_window(struct scenario *s, struct scn_line *l, struct scn_expect *x, size_t *n)
{
	const char *word = *n >= 2 ? l->words[*n - 2] : "", *value = l->words[*n - 1];
	int64_t t;

	x->from = x->anchor->at;
	x->mode = SCN_LAST;
	if (strcmp(word, "within") == 0 || strcmp(word, "for") == 0) {
		if ((t = scn_duration(value)) <= 0)
			return wrong(s, l, "\"%s\" is not a duration", value);
		x->mode = word[0] == 'w' ? SCN_WITHIN : SCN_HOLDS;
		x->until = x->from + t;
		*n -= 2;
	} else if (strcmp(word, "until") == 0) {
		if ((t = scn_time(value)) <= x->from)
			return wrong(s, l, "\"%s\" is not a time behind the last `at`", value);
		x->mode = SCN_HOLDS;
		x->until = t;
		*n -= 2;
	}
	return 0;
}

static int
parse_expect(struct scenario *s, struct scn_line *l)
{
	struct scn_expect *x = &s->expects[s->n_expects];
	size_t at = 1, n = l->n;
	const char *why = NULL;
	static char command[] = "command";

	x->line = l;
	x->anchor = s->n_acts > 0 ? &s->acts[s->n_acts - 1].anchor : &s->start;
	if (parse_window(s, l, x, &n) != 0)
		return -1;
	if (at < n && strcmp(l->words[at], "never") == 0) {
		/* In the whole run. */
		if (n != 3 || x->mode != SCN_LAST)
			return wrong(s, l, "expect never COMMAND");
		x->no = true;
		x->anchor = &s->start;
		x->words[0] = command;
		x->words[1] = l->words[2];
		x->n = 2;
	} else {
		if (at < n && strcmp(l->words[at], "no") == 0) {
			x->no = true;
			at++;
		}
		for (; at < n; at++)
			x->words[x->n++] = l->words[at];
	}
	x->predicate = scn_predicate_find(s, x->words, x->n, &why);
	if (x->predicate == NULL)
		return wrong(s, l, "%s", why);
	s->n_expects++;
	return 0;
}

static int
parse_line(struct scenario *s, struct scn_line *l)
{
	int r;

	if (strcmp(l->words[0], "at") == 0)
		return parse_at(s, l);
	if (strcmp(l->words[0], "expect") == 0)
		return parse_expect(s, l);
	r = setup(s, l);
	return r == 0 ? wrong(s, l, "\"%s\" is nothing that a scenario can begin a line with", l->words[0]) : r > 0 ? 0 : -1;
}

/* Long enough for the last thing in it. */
static void
set_end(struct scenario *s)
{
	size_t i;

	for (i = 0; i < s->n_acts; i++)
		if (s->end < s->acts[i].anchor.at + 60000)
			s->end = s->acts[i].anchor.at + 60000;
	for (i = 0; i < s->n_expects; i++)
		if (s->expects[i].mode != SCN_LAST && s->end < s->expects[i].until + 1000)
			s->end = s->expects[i].until + 1000;
}

int
scn_parse(struct scenario *s, const char *path)
{
	FILE *f = fopen(path, "r");
	char text[4096];
	unsigned number = 0;
	int ret = -1;

	memset(s, 0, sizeof *s);
	s->path = path;
	s->n_tors = 1;
	s->n_mirrors = 3;
	s->seed = 1;
	strcpy(s->tors[0], "main");
	strcpy(s->mirrors[0], "north");
	strcpy(s->mirrors[1], "south");
	strcpy(s->mirrors[2], "east");
	if (f == NULL) {
		snprintf(s->wrong, sizeof s->wrong, "%s: cannot be read", path);
		return -1;
	}
	while (fgets(text, sizeof text, f) != NULL) {
		struct scn_line *l = &s->lines[s->n_lines];

		text[strcspn(text, "\n")] = '\0';
		memset(l, 0, sizeof *l);
		l->number = ++number;
		l->text = xstrdup(text);
		if (++s->n_lines == SCN_LINES) {
			wrong(s, l, "too many lines");
			goto out;
		}
		if (cut(s, l) != 0 || (l->n > 0 && parse_line(s, l) != 0))
			goto out;
	}
	set_end(s);
	if (s->n_expects == 0)
		wrong(s, &s->lines[s->n_lines > 0 ? s->n_lines - 1 : 0], "a scenario that expects nothing cannot fail");
	else
		ret = 0;
out:
	fclose(f);
	return ret;
}

void
scn_free(struct scenario *s)
{
	size_t i;

	for (i = 0; i < s->n_lines; i++)
		free(s->lines[i].text);
	free(s->log);
	free(s->commands);
	free(s->answers);
	memset(s, 0, sizeof *s);
}
