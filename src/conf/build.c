/* SPDX-License-Identifier: BSD-3-Clause */
/* From libConfuse's tree to struct conf: values, references between sections, and what is missing. */
#include "config.h"
#include "base/enc.h"
#include "base/mem.h"
#include "conf/conf_impl.h"

#include <stdlib.h>
#include <string.h>

struct building {
	struct conf *c;
	const char *path;
	struct buf *faults;
};

/*
 * libConfuse tells the line only while it parses: its validate function notes
 * which option stood where, and whether it stood there twice.
 */
#define LINES_MAX 16384
static struct {
	const cfg_opt_t *opt;
	int line, times;
} lines[LINES_MAX];
static size_t n_lines;

void
lines_reset(void)
{
	n_lines = 0;
}

static size_t
find_line(const cfg_opt_t *opt)
{
	size_t i;

	for (i = 0; i < n_lines && lines[i].opt != opt; i++)
		;
	return i;
}

static int
on_option(cfg_t *cfg, cfg_opt_t *opt)
{
	size_t i = find_line(opt);

	if (i == LINES_MAX)
		return 0;
	if (i == n_lines) {
		lines[n_lines].opt = opt;
		lines[n_lines].times = 0;
		n_lines++;
	}
	lines[i].line = cfg->line;
	lines[i].times++;
	return 0;
}

static int
line_of(cfg_opt_t *opt)
{
	size_t i = opt != NULL ? find_line(opt) : n_lines;

	return i < n_lines ? lines[i].line : 1;
}

/* The last line that something of this section stood on. */
static int
section_line(cfg_t *sec)
{
	cfg_opt_t *opt;
	int line = 1, l;

	for (opt = sec->opts; opt != NULL && opt->name != NULL; opt++)
		if ((l = line_of(opt)) > line)
			line = l;
	return line > 1 ? line : sec->line;
}

cfg_opt_t *
confuse_options(enum section s)
{
	size_t n = 0, i, count = SECTION__COUNT + 1;
	cfg_opt_t *v;

	for (i = 0; options[i].name != NULL; i++)
		count += options[i].section == s;
	v = calloc(count, sizeof *v);
	if (v == NULL)
		return NULL;
	for (i = 0; options[i].name != NULL; i++) {
		if (options[i].section != s)
			continue;
		v[n++] = strcmp(options[i].name, "port") == 0 ? (cfg_opt_t)CFG_STR_LIST(options[i].name, NULL, CFGF_NODEFAULT)
							      : (cfg_opt_t)CFG_STR(options[i].name, NULL, CFGF_NODEFAULT);
		v[n - 1].validcb = on_option;
	}
	if (s == SECTION_TOP) {
		static cfg_opt_t *sub[SECTION__COUNT];
		int k;

		for (k = SECTION_TOR; k < SECTION__COUNT; k++) {
			if (sub[k] == NULL)
				sub[k] = confuse_options((enum section)k);
			v[n++] = (cfg_opt_t)CFG_SEC(section_names[k], sub[k], CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES);
		}
	}
	return v;
}

/* All simple options of one section. `title` "": the top. */
static void
take_options(struct building *b, cfg_t *sec, enum section s, void *base, const char *title)
{
	const char *kind = section_names[s] != NULL ? section_names[s] : "", *sep = title[0] != '\0' ? " " : "", *text;
	const struct option *o;
	cfg_opt_t *opt;
	struct err e;
	size_t at;

	for (o = options; o->name != NULL; o++) {
		if (o->section != s)
			continue;
		opt = cfg_getopt(sec, o->name);
		at = find_line(opt);
		if (at < n_lines && lines[at].times > 1)
			fault(b->faults, b->path, lines[at].line, "%s is given twice", o->name);
		if (cfg_opt_size(opt) == 0 && (o->flags & OPTION_NEEDED) != 0)
			fault(b->faults, b->path, section_line(sec), "%s%s%s%s%s is missing: %s", kind, sep, title, sep[0] != '\0' ? ": " : "", o->name, o->help);
		if (o->type == TYPE_SPECIAL)
			continue;
		text = cfg_opt_size(opt) > 0 ? cfg_opt_getnstr(opt, 0) : o->fallback;
		if (text == NULL)
			continue;
		err_clear(&e);
		if (value_set(base, o, text, &e) != 0)
			fault(b->faults, b->path, line_of(opt), "%s: %s", o->name, e.msg);
	}
}

/* A section's name: also a file name, a label and part of a key, so of few characters. */
static char *
take_name(struct building *b, cfg_t *sec, enum section s)
{
	const char *title = cfg_title(sec), *p;

	for (p = title; (*p >= 'a' && *p <= 'z') || (*p >= '0' && *p <= '9') || (*p == '-' && p > title); p++)
		;
	if (*p != '\0' || p == title || p - title > CONF_NAME_MAX)
		fault(b->faults, b->path, section_line(sec), "%s \"%.60s\": a name has 1 to %d characters a-z, 0-9 and -", section_names[s], title,
		    CONF_NAME_MAX);
	return xstrdup(title);
}

/* "80", or "443:unix:/path" with a target of its own. */
static int
parse_port(struct conf_port *p, const char *text, const struct endpoint *backend, struct err *e)
{
	char *end;
	unsigned long v = text[0] >= '1' && text[0] <= '9' ? strtoul(text, &end, 10) : 0;

	if (v < 1 || v > 65535 || (*end != '\0' && *end != ':'))
		return err_set(e, ERR_CONFIG, "\"%.60s\" is not a port: write 80, or 443:127.0.0.1:8443", text);
	p->virt = (uint16_t)v;
	if (*end == ':')
		return endpoint_parse(&p->target, end + 1, e);
	p->target = *backend;
	return 0;
}

static void
take_ports(struct building *b, cfg_t *sec, struct conf_mirror *m)
{
	cfg_opt_t *backend = cfg_getopt(sec, "backend"), *port = cfg_getopt(sec, "port");
	size_t n = cfg_opt_size(port), i, k;
	struct endpoint where = { 0 };
	struct err e = ERR_INIT;

	if (cfg_opt_size(backend) > 0 && endpoint_parse(&where, cfg_opt_getnstr(backend, 0), &e) != 0)
		fault(b->faults, b->path, line_of(backend), "backend: %s", e.msg);
	if (n > CONF_PORTS_MAX) {
		fault(b->faults, b->path, line_of(port), "port: at most %d ports", CONF_PORTS_MAX);
		n = CONF_PORTS_MAX;
	}
	for (i = 0; i < (n > 0 ? n : 1); i++) {
		err_clear(&e);
		if (parse_port(&m->ports[i], n > 0 ? cfg_opt_getnstr(port, (unsigned)i) : "80", &where, &e) != 0)
			fault(b->faults, b->path, line_of(port), "port: %s", e.msg);
		for (k = 0; k < i; k++)
			if (m->ports[k].virt == m->ports[i].virt)
				fault(b->faults, b->path, line_of(port), "port: %u is given twice", m->ports[i].virt);
		m->n_ports = i + 1;
	}
}

static unsigned
take_reference(struct building *b, cfg_t *sec, const char *option, const char *kind, const char *(*name)(const struct conf *, size_t), size_t n)
{
	cfg_opt_t *opt = cfg_getopt(sec, option);
	const char *wanted = cfg_opt_size(opt) > 0 ? cfg_opt_getnstr(opt, 0) : NULL;
	size_t i;

	for (i = 0; wanted != NULL && i < n; i++)
		if (strcmp(name(b->c, i), wanted) == 0)
			return (unsigned)i;
	if (wanted != NULL)
		fault(b->faults, b->path, line_of(opt), "%s: there is no %s \"%.60s\"", option, kind, wanted);
	return 0;
}

static const char *
tor_name(const struct conf *c, size_t i)
{
	return c->tors[i].name;
}

static const char *
check_name(const struct conf *c, size_t i)
{
	return c->checks[i].name;
}

static void
take_tors(struct building *b, cfg_t *cfg)
{
	size_t n = cfg_size(cfg, "tor"), i;

	b->c->tors = xcalloc(n + 1, sizeof *b->c->tors);
	for (i = 0; i < n; i++) {
		cfg_t *sec = cfg_getnsec(cfg, "tor", (unsigned)i);

		b->c->tors[i].name = take_name(b, sec, SECTION_TOR);
		b->c->n_tors = i + 1;
		take_options(b, sec, SECTION_TOR, &b->c->tors[i], cfg_title(sec));
	}
	if (n == 0)
		fault(b->faults, b->path, 1, "there is no tor section: say where the ControlPort is");
	if (n > CONF_TORS_MAX)
		fault(b->faults, b->path, 1, "more than %d tor sections", CONF_TORS_MAX);
}

static void
take_checks(struct building *b, cfg_t *cfg)
{
	size_t n = cfg_size(cfg, "check"), i;

	b->c->checks = xcalloc(n + 1, sizeof *b->c->checks);
	for (i = 0; i < n; i++) {
		cfg_t *sec = cfg_getnsec(cfg, "check", (unsigned)i);
		struct conf_check *c = &b->c->checks[i];
		uint8_t hash[32];

		c->name = take_name(b, sec, SECTION_CHECK);
		b->c->n_checks = i + 1;
		take_options(b, sec, SECTION_CHECK, c, cfg_title(sec));
		if (c->path != NULL && (c->path[0] != '/' || strchr(c->path, ' ') != NULL))
			fault(b->faults, b->path, line_of(cfg_getopt(sec, "path")), "path: must begin with / and hold no space");
		if (c->sha256 != NULL && hex_decode(hash, sizeof hash, c->sha256, strlen(c->sha256)) != 0)
			fault(b->faults, b->path, line_of(cfg_getopt(sec, "sha256")), "sha256: must be 64 lower-case hex digits");
		if (c->header != NULL && strchr(c->header, ':') == NULL)
			fault(b->faults, b->path, line_of(cfg_getopt(sec, "header")), "header: write \"Name: value\"");
	}
	if (n == 0)
		fault(b->faults, b->path, 1, "there is no check section: say what a healthy answer looks like");
}

static void
take_mirrors(struct building *b, cfg_t *cfg)
{
	size_t n = cfg_size(cfg, "mirror"), i, k, on_tor;

	b->c->mirrors = xcalloc(n + 1, sizeof *b->c->mirrors);
	for (i = 0; i < n; i++) {
		cfg_t *sec = cfg_getnsec(cfg, "mirror", (unsigned)i);
		struct conf_mirror *m = &b->c->mirrors[i];

		m->name = take_name(b, sec, SECTION_MIRROR);
		b->c->n_mirrors = i + 1;
		take_options(b, sec, SECTION_MIRROR, m, cfg_title(sec));
		take_ports(b, sec, m);
		m->tor = take_reference(b, sec, "tor", "tor", tor_name, b->c->n_tors);
		m->check = take_reference(b, sec, "check", "check", check_name, b->c->n_checks);
		for (k = 0, on_tor = 0; k <= i; k++)
			on_tor += b->c->mirrors[k].tor == m->tor;
		if (m->tor < b->c->n_tors && on_tor == b->c->tors[m->tor].max_mirrors + 1)
			fault(b->faults, b->path, section_line(sec), "tor \"%s\" has more than its max-mirrors = %u", b->c->tors[m->tor].name,
			    b->c->tors[m->tor].max_mirrors);
	}
	if (n == 0)
		fault(b->faults, b->path, 1, "there is no mirror section: nothing to do");
	if (n > CONF_MIRRORS_MAX)
		fault(b->faults, b->path, 1, "more than %d mirrors", CONF_MIRRORS_MAX);
}

static void
take_channels(struct building *b, cfg_t *cfg)
{
	size_t n = cfg_size(cfg, "channel"), i;

	b->c->channels = xcalloc(n + 1, sizeof *b->c->channels);
	for (i = 0; i < n; i++) {
		cfg_t *sec = cfg_getnsec(cfg, "channel", (unsigned)i);

		b->c->channels[i].name = take_name(b, sec, SECTION_CHANNEL);
		b->c->n_channels = i + 1;
		take_options(b, sec, SECTION_CHANNEL, &b->c->channels[i], cfg_title(sec));
	}
	if (n == 0) {
		b->c->channels[0].name = xstrdup("public");
		b->c->channels[0].share = 10;
		b->c->n_channels = 1;
	}
}

struct conf *
conf_build(cfg_t *cfg, const char *path, struct buf *faults)
{
	struct building b = { .c = xcalloc(1, sizeof *b.c), .path = path, .faults = faults };

	take_options(&b, cfg, SECTION_TOP, b.c, "");
	take_tors(&b, cfg);
	take_checks(&b, cfg);
	take_mirrors(&b, cfg);
	take_channels(&b, cfg);
	if (b.c->min_listed > b.c->n_mirrors && b.c->n_mirrors > 0)
		fault(faults, path, line_of(cfg_getopt(cfg, "min-listed")), "min-listed = %u, but there are only %zu mirrors", b.c->min_listed,
		    b.c->n_mirrors);
	if (b.c->control_socket.kind != ENDPOINT_UNIX)
		fault(faults, path, line_of(cfg_getopt(cfg, "control-socket")), "control-socket: must be a unix socket, unix:/path");
	if (b.c->key_file == NULL && b.c->passphrase_file == NULL)
		fault(faults, path, line_of(cfg_getopt(cfg, "key-file")), "key-file or passphrase-file is needed");
	return b.c;
}
