/* SPDX-License-Identifier: BSD-3-Clause */
/* The configuration as text: what is in force, a sample, and what a reload can't change. */
#include "config.h"
#include "conf/table.h"

#include <stdio.h>
#include <string.h>

static void
print_ports(const struct conf_mirror *m, struct buf *out)
{
	char text[ENDPOINT_TEXT_MAX];
	size_t i;

	endpoint_format(text, &m->ports[0].target);
	buf_addf(out, "  backend = \"%s\"\n  port = {", text);
	for (i = 0; i < m->n_ports; i++) {
		buf_addf(out, "%s\"%u", i > 0 ? ", " : "", m->ports[i].virt);
		if (!endpoint_equal(&m->ports[i].target, &m->ports[0].target)) {
			endpoint_format(text, &m->ports[i].target);
			buf_addf(out, ":%s", text);
		}
		buf_adds(out, "\"");
	}
	buf_adds(out, "}\n");
}

static void
print_controls(const struct conf *c, struct buf *out)
{
	size_t i;

	for (i = 0; i < c->n_controls; i++)
		buf_addf(out, "%s\"%s.onion:%u\"", i == 0 ? "control-onions = {" : ", ", c->controls[i].address, c->controls[i].port);
	if (c->n_controls > 0)
		buf_adds(out, "}\n");
}

/* One option as a line; nothing for one that is absent. */
static void
print_option(const struct conf *c, const struct conf_option *o, const void *base, const char *indent, struct buf *out)
{
	struct buf value = BUF_INIT(8192);
	const struct conf_mirror *m = base;
	int index;

	switch (o->type) {
	case CONF_BACKEND: break;
	case CONF_PORTS: print_ports(m, out); break;
	case CONF_CONTROLS: print_controls(c, out); break;
	case CONF_TOR:
		index = *(const int *)(const void *)((const char *)base + o->offset);
		if (index >= 0)
			buf_addf(out, "%s%s = \"%s\"\n", indent, o->name, c->tors[index].name);
		else if (index == CONF_TOR_AUTO)
			buf_addf(out, "%s%s = \"auto\"\n", indent, o->name);
		break;
	case CONF_CHECK: buf_addf(out, "%s%s = \"%s\"\n", indent, o->name, c->checks[m->check].name); break;
	case CONF_TEXT:
	case CONF_PATH:
	case CONF_SOCKET:
	case CONF_MS:
	case CONF_SECONDS:
	case CONF_NUMBER:
	case CONF_BOOL:
	case CONF_WORD:
		if (conf_value_print(o, base, &value))
			buf_addf(out, "%s%s = %s\n", indent, o->name, buf_str(&value));
		break;
	}
	buf_free(&value);
}

void
conf_print(const struct conf *c, struct buf *out)
{
	const struct conf_option *o;
	size_t n, i;
	int s;

	for (o = conf_sections[CONF_ROOT].options; o->name != NULL; o++)
		print_option(c, o, c, "", out);
	for (s = 1; s < CONF__SECTIONS; s++) {
		const char *base = conf_section_array(c, (enum conf_section)s, &n);

		for (i = 0; i < n; i++) {
			const void *item = base + i * conf_sections[s].size;

			buf_addf(out, "\n%s ", conf_sections[s].name);
			if (conf_sections[s].sample_title != NULL)
				buf_addf(out, "\"%s\" ", *(char *const *)item);
			buf_adds(out, "{\n");
			for (o = conf_sections[s].options; o->name != NULL; o++)
				print_option(c, o, item, "  ", out);
			buf_adds(out, "}\n");
		}
	}
}

/* --- the sample ------------------------------------------------------------------ */

/* The value to show, with %S and %R filled in, in quotes unless it is a plain word. */
static void
sample_value(const struct conf_option *o, const char *state_dir, const char *run_dir, struct buf *out)
{
	const char *p = o->shown != NULL ? o->shown : o->def;
	struct buf text = BUF_INIT(8192);
	bool plain = o->type == CONF_MS || o->type == CONF_SECONDS || o->type == CONF_NUMBER || o->type == CONF_BOOL ||
	    o->type == CONF_WORD || o->type == CONF_PORTS;

	for (; *p != '\0'; p++) {
		if (p[0] == '%' && (p[1] == 'S' || p[1] == 'R'))
			buf_adds(&text, *++p == 'S' ? state_dir : run_dir);
		else
			buf_add(&text, p, 1);
	}
	if (plain)
		buf_adds(out, buf_str(&text));
	else
		conf_quote(out, buf_str(&text));
	buf_free(&text);
}

static void
sample_options(enum conf_section s, const char *indent, const char *state_dir, const char *run_dir, struct buf *out)
{
	const struct conf_option *o;

	for (o = conf_sections[s].options; o->name != NULL; o++) {
		const char *shown = o->shown != NULL ? o->shown : o->def;

		buf_addf(out, "%s# %s\n%s%s%s = ", indent, o->help, indent, shown[0] == '\0' ? "#" : "", o->name);
		sample_value(o, state_dir, run_dir, out);
		buf_adds(out, "\n");
	}
}

void
conf_sample(struct buf *out, const char *state_dir, const char *run_dir)
{
	int s;

	buf_adds(out, "# onionmirror.conf: see onionmirror.conf(5). Durations: 500ms 90s 5m 12h 30d.\n"
	              "# onionmirrord --check-config says what is wrong with this file.\n\n");
	sample_options(CONF_ROOT, "", state_dir, run_dir, out);
	for (s = 1; s < CONF__SECTIONS; s++) {
		buf_addf(out, "\n# %s\n%s ", conf_sections[s].help, conf_sections[s].name);
		if (conf_sections[s].sample_title != NULL)
			buf_addf(out, "\"%s\" ", conf_sections[s].sample_title);
		buf_adds(out, "{\n");
		sample_options((enum conf_section)s, "  ", state_dir, run_dir, out);
		buf_adds(out, "}\n");
	}
}

/* The first option of one struct that a reload can't change and that differs. */
static const char *
differs(enum conf_section s, const void *now, const void *next)
{
	struct buf a = BUF_INIT(8192), b = BUF_INIT(8192);
	const struct conf_option *o;
	const char *found = NULL;

	for (o = conf_sections[s].options; o->name != NULL && found == NULL; o++) {
		if (o->reload)
			continue;
		buf_reset(&a);
		buf_reset(&b);
		if (conf_value_print(o, now, &a) != conf_value_print(o, next, &b) || strcmp(buf_str(&a), buf_str(&b)) != 0)
			found = o->name;
	}
	buf_free(&a);
	buf_free(&b);
	return found;
}

const char *
conf_needs_restart(const struct conf *now, const struct conf *next)
{
	const char *found = differs(CONF_ROOT, now, next);
	size_t i;

	/* A session lives as long as the process. */
	if (found == NULL && now->n_tors != next->n_tors)
		found = "the number of tor sections";
	for (i = 0; i < now->n_tors && found == NULL; i++)
		found = strcmp(now->tors[i].name, next->tors[i].name) != 0 ? "the order of tor sections"
									    : differs(CONF_TOR_SECTION, &now->tors[i], &next->tors[i]);
	/* tor keeps where the sockets were when it was told of an onion. */
	if (found == NULL && now->list != NULL && next->list != NULL)
		found = differs(CONF_LIST_SECTION, now->list, next->list);
	return found;
}
