/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reading the file: libConfuse does the syntax. It stops at the first unknown
 * name, so a faulty statement is noted, blanked out, and the rest is read
 * again: the operator gets every fault at once.
 */
#include "config.h"
#include "conf/conf.h"

#include "base/file.h"
#include "base/mem.h"
#include "conf/conf_impl.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX (64 * 1024)
#define PASSES_MAX 200

/* libConfuse's error function has no argument of ours; one parse runs at a time. */
static struct {
	int line;
	char text[256];
} first_error;

void
fault(struct buf *faults, const char *path, int line, const char *fmt, ...)
{
	char text[600];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	buf_addf(faults, "%s:%d: %s\n", path, line, text);
}

static void __attribute__((format(printf, 2, 0)))
on_error(cfg_t *cfg, const char *fmt, va_list ap)
{
	if (first_error.line != 0)
		return;
	first_error.line = cfg->line > 0 ? cfg->line : 1;
	vsnprintf(first_error.text, sizeof first_error.text, fmt, ap);
}

/* Behind a quoted string, a comment or one character. */
static char *
skip_one(char *p)
{
	char quote = *p;

	if (*p == '"' || *p == '\'') {
		for (p++; *p != '\0' && *p != quote; p++)
			if (*p == '\\' && p[1] != '\0')
				p++;
		return *p != '\0' ? p + 1 : p;
	}
	if (*p == '#' || (*p == '/' && p[1] == '/')) {
		while (*p != '\0' && *p != '\n')
			p++;
		return p;
	}
	return p + 1;
}

static void
blank(char *p, const char *end)
{
	for (; p < end; p++)
		if (*p != '\n')
			*p = ' ';
}

/* Blanks the statement that begins at `start`: to the end of its block if it has one, else of its line. */
static void
blank_statement(char *start)
{
	char *p = start;
	int depth = 0;

	while (*p != '\0') {
		if (*p == '{')
			depth++;
		if (*p == '}' && --depth <= 0) {
			p += depth == 0;
			break;
		}
		if (*p == '\n' && depth == 0)
			break;
		p = skip_one(p);
	}
	blank(start, p);
}

static char *
line_start(char *text, int line)
{
	for (; line > 1 && *text != '\0'; text++)
		if (*text == '\n')
			line--;
	return text;
}

/* The unknown name of libConfuse's message, NULL if it says something else. */
static const char *
unknown_name(char *text)
{
	static const char says[] = "no such option '";
	char *name = strstr(text, says), *end;

	if (name == NULL)
		return NULL;
	name += sizeof says - 1;
	end = strchr(name, '\'');
	if (end != NULL)
		*end = '\0';
	return name;
}

/* Notes the first error; true if its statement could be blanked, so that another pass makes sense. */
static bool
note_error(char *text, const char *path, struct buf *faults)
{
	const char *name = unknown_name(first_error.text);
	char *at = line_start(text, first_error.line), *found;

	if (name != NULL) {
		found = strstr(at, name);
		fault(faults, path, first_error.line, "unknown option or section \"%s\"", name);
		if (found == NULL)
			return false;
		blank_statement(found);
		return true;
	}
	fault(faults, path, first_error.line, "%s", first_error.text);
	if (strstr(first_error.text, "duplicate title") == NULL)
		return false;
	while (*at == ' ' || *at == '\t')
		at++;
	blank_statement(at);
	return true;
}

static cfg_t *
parse(char *text, const char *path, struct buf *faults, cfg_opt_t *top)
{
	cfg_t *cfg;
	int pass;

	for (pass = 0; pass < PASSES_MAX; pass++) {
		memset(&first_error, 0, sizeof first_error);
		lines_reset();
		cfg = cfg_init(top, CFGF_NONE);
		if (cfg == NULL)
			break;
		cfg_set_error_function(cfg, on_error);
		if (cfg_parse_buf(cfg, text) == CFG_SUCCESS)
			return cfg;
		cfg_free(cfg);
		if (!note_error(text, path, faults))
			return NULL;
	}
	fault(faults, path, 1, "too many faults");
	return NULL;
}

int
conf_load(struct conf **out, const char *path, struct buf *faults)
{
	struct err e = ERR_INIT;
	struct conf *c = NULL;
	cfg_opt_t *top = NULL;
	cfg_t *cfg = NULL;
	char *text = NULL;
	size_t n;

	if (file_read(path, FILE_MAX, FILE_PUBLIC, &text, &n, &e) != 0) {
		buf_addf(faults, "%s\n", e.msg);
		return -1;
	}
	if (strlen(text) != n) {
		fault(faults, path, 1, "holds a NUL byte: not a configuration file");
		goto out;
	}
	top = confuse_options(SECTION_TOP);
	cfg = top != NULL ? parse(text, path, faults, top) : NULL;
	if (cfg != NULL)
		c = conf_build(cfg, path, faults);
	if (c != NULL && faults->len == 0) {
		*out = c;
		c = NULL;
	}
out:
	if (cfg != NULL)
		cfg_free(cfg);
	free(top);
	conf_free(c);
	free(text);
	return faults->len == 0 && !faults->failed ? 0 : -1;
}

int
conf_faults(struct err *e, const struct buf *faults)
{
	static const size_t room = sizeof e->msg - 80;
	const char *text = buf_str(faults);
	size_t n = strlen(text), cut;

	while (n > 0 && text[n - 1] == '\n')
		n--;
	if (n <= room)
		return err_set(e, ERR_CONFIG, "%.*s", (int)n, text);
	for (cut = room; cut > 0 && text[cut] != '\n'; cut--)
		;
	return err_set(e, ERR_CONFIG, "%.*s\nand more: onionmirrord --check-config tells all", (int)(cut > 0 ? cut : room), text);
}

void
conf_free(struct conf *c)
{
	size_t i;

	if (c == NULL)
		return;
	free(c->site);
	free(c->state_dir);
	free(c->publish_dir);
	free(c->control_group);
	free(c->key_file);
	free(c->passphrase_file);
	for (i = 0; i < c->n_tors; i++) {
		free(c->tors[i].name);
		free(c->tors[i].cookie);
		free(c->tors[i].password_file);
	}
	for (i = 0; i < c->n_checks; i++) {
		free(c->checks[i].name);
		free(c->checks[i].path);
		free(c->checks[i].contains);
		free(c->checks[i].sha256);
		free(c->checks[i].header);
	}
	for (i = 0; i < c->n_mirrors; i++)
		free(c->mirrors[i].name);
	for (i = 0; i < c->n_channels; i++)
		free(c->channels[i].name);
	free(c->tors);
	free(c->checks);
	free(c->mirrors);
	free(c->channels);
	free(c);
}
