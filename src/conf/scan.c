/* SPDX-License-Identifier: BSD-3-Clause */
/* The first look at a configuration: names, lines, duplicates. Follows libConfuse's tokens. */
#include "config.h"
#include "conf/scan.h"

#include "base/enc.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum kind { END, WORD, MARK, BROKEN };

struct token {
	enum kind kind;
	char mark;          /* MARK: one of { } ( ) = , (also for +=) */
	size_t start, end;  /* in the text */
	int line;
	char value[128];    /* WORD: cut */
};

struct scanner {
	struct scan *out;
	char *text;
	size_t at;
	int line;
	const char *file;
	struct buf *faults;
	struct token now;
	enum conf_section section;
	char title[CONF_NAME_MAX + 1];
};

void
scan_fault(struct buf *faults, const char *file, int line, const char *fmt, ...)
{
	char text[700], shown[700];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	/* It may quote a string over several lines; a fault is one. */
	text_escape(shown, sizeof shown, text);
	buf_addf(faults, "%s:%d: %s\n", file, line, shown);
}

static void
skip_blanks(struct scanner *s)
{
	const char *t = s->text;

	for (;;) {
		char c = t[s->at];

		if (c == '\n')
			s->line++;
		if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
			s->at++;
		} else if (c == '#' || (c == '/' && t[s->at + 1] == '/')) {
			s->at += strcspn(t + s->at, "\n");
		} else if (c == '/' && t[s->at + 1] == '*') {
			for (s->at += 2; t[s->at] != '\0' && strncmp(t + s->at, "*/", 2) != 0; s->at++)
				s->line += t[s->at] == '\n';
			s->at += t[s->at] != '\0' ? 2 : 0;
		} else {
			return;
		}
	}
}

static void
put(struct token *k, size_t *n, char c)
{
	if (*n + 1 < sizeof k->value)
		k->value[(*n)++] = c;
	k->value[*n] = '\0';
}

static void
take_string(struct scanner *s, char quote)
{
	struct token *k = &s->now;
	size_t n = 0;

	k->kind = WORD;
	for (s->at++; s->text[s->at] != quote; s->at++) {
		if (s->text[s->at] == '\\' && s->text[s->at + 1] != '\0')
			s->at++;
		else if (quote == '"' && strncmp(s->text + s->at, "${", 2) == 0)
			scan_fault(s->faults, s->file, s->line, "\"${\" would be taken from the environment; write \"\\${\"");
		if (s->text[s->at] == '\0') {
			k->kind = BROKEN;
			return;
		}
		s->line += s->text[s->at] == '\n';
		put(k, &n, s->text[s->at]);
	}
	s->at++;
}

static void
take_word(struct scanner *s)
{
	struct token *k = &s->now;
	size_t n = 0;

	k->kind = WORD;
	if (strncmp(s->text + s->at, "${", 2) == 0) {
		scan_fault(s->faults, s->file, s->line, "\"${\" would be taken from the environment, which is not allowed");
		for (; s->text[s->at] != '\0' && s->text[s->at] != '}' && s->text[s->at] != '\n'; s->at++)
			put(k, &n, s->text[s->at]);
		s->at += s->text[s->at] == '}';
	}
	while (s->text[s->at] != '\0' && strchr(" \t\r\n\"'={}()+,", s->text[s->at]) == NULL)
		put(k, &n, s->text[s->at++]);
	if (n == 0) { /* a lone "+" */
		k->kind = BROKEN;
		s->at++;
	}
}

static void
advance(struct scanner *s)
{
	struct token *k = &s->now;
	char c;

	skip_blanks(s);
	k->start = s->at;
	k->line = s->line;
	k->mark = '\0';
	k->value[0] = '\0';
	c = s->text[s->at];
	if (c == '\0') {
		k->kind = END;
	} else if (strchr("{}()=,", c) != NULL || (c == '+' && s->text[s->at + 1] == '=')) {
		k->kind = MARK;
		k->mark = c == '+' ? '=' : c;
		s->at += c == '+' ? 2 : 1;
	} else if (c == '"' || c == '\'') {
		take_string(s, c);
	} else {
		take_word(s);
	}
	k->end = s->at;
}

static bool
is_mark(const struct scanner *s, char mark)
{
	return s->now.kind == MARK && s->now.mark == mark;
}

static bool
is_over(const struct scanner *s)
{
	return s->now.kind == END || s->now.kind == BROKEN;
}

/* From an opening mark to behind the one that closes it. */
static void
skip_group(struct scanner *s, char open, char close)
{
	int depth = 0;

	do {
		if (is_mark(s, open))
			depth++;
		else if (is_mark(s, close))
			depth--;
		advance(s);
	} while (depth > 0 && !is_over(s));
}

/* Behind the value of an option: a word or a list. */
static void
skip_value(struct scanner *s)
{
	if (is_mark(s, '{'))
		skip_group(s, '{', '}');
	else if (s->now.kind == WORD)
		advance(s);
}

static void
blank(struct scanner *s, size_t from, size_t to)
{
	for (; from < to; from++)
		if (s->text[from] != '\n')
			s->text[from] = ' ';
}

static void
remember(struct scan *s, enum conf_section section, const char *title, const char *option, int line)
{
	struct scan_place *p;

	if (s->n == s->cap) {
		size_t cap = s->cap == 0 ? 64 : s->cap * 2;

		if ((p = reallocarray(s->places, cap, sizeof *p)) == NULL)
			return; /* only lines get lost */
		s->places = p;
		s->cap = cap;
	}
	p = &s->places[s->n++];
	*p = (struct scan_place){ .section = section, .option = option, .line = line };
	snprintf(p->title, sizeof p->title, "%.*s", CONF_NAME_MAX, title);
}

static const struct scan_place *
find(const struct scan *s, enum conf_section section, const char *title, const char *option)
{
	char cut[CONF_NAME_MAX + 1];
	size_t i;

	snprintf(cut, sizeof cut, "%.*s", CONF_NAME_MAX, title);
	for (i = 0; i < s->n; i++) {
		const struct scan_place *p = &s->places[i];

		if (p->section == section && strcmp(p->title, cut) == 0 &&
		    (option == NULL ? p->option == NULL : p->option != NULL && strcmp(p->option, option) == 0))
			return p;
	}
	return NULL;
}

#define SECTION_TEXT 96
/* As people would write it: mirror "north", list-service. */
static const char *
section_text(char out[SECTION_TEXT], enum conf_section section, const char *title)
{
	const struct conf_section_info *i = &conf_sections[section];

	if (i->sample_title != NULL)
		snprintf(out, SECTION_TEXT, "%.20s \"%.60s\"", i->name, title);
	else
		snprintf(out, SECTION_TEXT, "%.20s", i->name);
	return out;
}

/* A name that is no option here: whatever statement it begins is taken out. */
static void
unknown(struct scanner *s, const struct token *name)
{
	bool section = s->now.kind == WORD || is_mark(s, '{');
	char text[SECTION_TEXT];
	size_t end;

	if (s->section == CONF_ROOT)
		scan_fault(s->faults, s->file, name->line, "unknown %s \"%.60s\"", section ? "section" : "option", name->value);
	else
		scan_fault(s->faults, s->file, name->line, "unknown %s \"%.60s\" in %s", section ? "section" : "option", name->value,
		    section_text(text, s->section, s->title));
	if (is_mark(s, '=')) {
		advance(s);
		skip_value(s);
	} else if (is_mark(s, '(')) {
		skip_group(s, '(', ')');
	} else if (section) {
		if (s->now.kind == WORD)
			advance(s);
		if (is_mark(s, '{'))
			skip_group(s, '{', '}');
	}
	end = s->now.start;
	blank(s, name->start, end);
}

static void
option_known(struct scanner *s, const struct token *name, const struct conf_option *o)
{
	const struct scan_place *was = find(s->out, s->section, s->title, o->name);

	if (!is_mark(s, '=')) {
		scan_fault(s->faults, s->file, name->line, "\"=\" is missing behind %s", o->name);
		if (s->now.kind == WORD && s->now.line == name->line)
			advance(s);
		blank(s, name->start, s->now.start);
		return;
	}
	advance(s);
	skip_value(s);
	if (was != NULL) {
		scan_fault(s->faults, s->file, name->line, "%s is given twice (first in line %d)", o->name, was->line);
		blank(s, name->start, s->now.start);
		return;
	}
	remember(s->out, s->section, s->title, o->name, name->line);
}

/* A section that can't be taken: out with it, from its name on. */
static void
drop_section(struct scanner *s, const struct token *name)
{
	if (is_mark(s, '{'))
		skip_group(s, '{', '}');
	blank(s, name->start, s->now.start);
}

/* The head of a section of the table; behind its "{" unless it had to be taken out. */
static void
section_head(struct scanner *s, const struct token *name, enum conf_section which)
{
	bool named = conf_sections[which].sample_title != NULL;
	char text[SECTION_TEXT];
	const struct scan_place *was;
	struct token title = s->now;

	if (named ? title.kind != WORD || title.value[0] == '\0' : !is_mark(s, '{')) {
		scan_fault(s->faults, s->file, name->line, "section %s %s: %s %s{", name->value, named ? "needs a name" : "has no name", name->value,
		    named ? "\"NAME\" " : "");
		if (!named && is_mark(s, '='))
			advance(s);
		if (s->now.kind == WORD)
			advance(s);
		drop_section(s, name);
		return;
	}
	if (named)
		advance(s);
	was = find(s->out, which, title.value, NULL);
	if (was != NULL) {
		scan_fault(s->faults, s->file, name->line, "%s is there twice (first in line %d)", section_text(text, which, title.value), was->line);
		drop_section(s, name);
		return;
	}
	if (!is_mark(s, '{'))
		return;
	remember(s->out, which, title.value, NULL, name->line);
	s->section = which;
	snprintf(s->title, sizeof s->title, "%.*s", CONF_NAME_MAX, title.value);
	advance(s);
}

static void
statement(struct scanner *s)
{
	struct token name = s->now;
	const struct conf_option *o;
	int i;

	if (is_mark(s, '}')) {
		s->section = CONF_ROOT;
		s->title[0] = '\0';
		advance(s);
		return;
	}
	advance(s);
	if (name.kind != WORD)
		return;
	if ((o = conf_option_find(s->section, name.value)) != NULL) {
		option_known(s, &name, o);
		return;
	}
	for (i = 1; s->section == CONF_ROOT && i < CONF__SECTIONS; i++)
		if (strcmp(conf_sections[i].name, name.value) == 0) {
			section_head(s, &name, (enum conf_section)i);
			return;
		}
	unknown(s, &name);
}

void
scan_text(struct scan *out, char *text, const char *file, struct buf *faults)
{
	char where[SECTION_TEXT];
	struct scanner s = { .out = out, .text = text, .line = 1, .file = file, .faults = faults };

	advance(&s);
	while (!is_over(&s))
		statement(&s);
	/* libConfuse takes the end of the file for the end of a section. */
	if (s.now.kind == END && s.section != CONF_ROOT)
		scan_fault(faults, file, scan_line(out, s.section, s.title, NULL), "%s is not closed: \"}\" is missing",
		    section_text(where, s.section, s.title));
}

void
scan_free(struct scan *s)
{
	free(s->places);
	*s = (struct scan){ 0 };
}

/* The line number of a fault. */
static long
line_of(const char *fault, size_t skip)
{
	return strtol(fault + skip, NULL, 10);
}

void
scan_sort(char *text, const char *file)
{
	size_t skip = strlen(file) + 1, n = 0, i, k;
	char *copy = strdup(text), **lines, *p, *save = NULL;

	if (copy == NULL)
		return;
	for (p = copy; (p = strchr(p, '\n')) != NULL; p++)
		n++;
	if ((lines = calloc(n + 1, sizeof *lines)) != NULL) {
		for (n = 0, p = strtok_r(copy, "\n", &save); p != NULL; p = strtok_r(NULL, "\n", &save)) {
			for (i = n; i > 0 && line_of(lines[i - 1], skip) > line_of(p, skip); i--)
				lines[i] = lines[i - 1];
			lines[i] = p;
			n++;
		}
		for (i = 0; i < n; i++) {
			k = strlen(lines[i]);
			memcpy(text, lines[i], k);
			text[k] = '\n';
			text += k + 1;
		}
	}
	free(lines);
	free(copy);
}

int
scan_line(const struct scan *s, enum conf_section section, const char *title, const char *option)
{
	const struct scan_place *p = find(s, section, title, option);

	if (p == NULL)
		p = find(s, section, title, NULL);
	return p != NULL ? p->line : 1;
}

bool
scan_has(const struct scan *s, enum conf_section section, const char *title, const char *option)
{
	return find(s, section, title, option) != NULL;
}
