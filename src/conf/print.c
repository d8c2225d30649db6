/* SPDX-License-Identifier: BSD-3-Clause */
/* The configuration as text: printed whole, and the commented sample. */
#include "config.h"
#include "conf/conf_impl.h"

#include <stdio.h>
#include <string.h>

static void
add_quoted(struct buf *out, const char *text)
{
	buf_adds(out, "\"");
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			buf_adds(out, "\\");
		buf_add(out, text, 1);
	}
	buf_adds(out, "\"");
}

static void
print_options(const void *base, enum section s, const char *indent, struct buf *out)
{
	struct buf value = BUF_INIT(4096);
	const struct option *o;

	for (o = options; o->name != NULL; o++) {
		if (o->section != s || o->type == TYPE_SPECIAL)
			continue;
		buf_reset(&value);
		value_print(base, o, &value);
		buf_addf(out, "%s%s = ", indent, o->name);
		add_quoted(out, buf_str(&value));
		buf_adds(out, "\n");
	}
	buf_free(&value);
}

static void
print_mirror(const struct conf *c, const struct conf_mirror *m, struct buf *out)
{
	char where[ENDPOINT_TEXT_MAX];
	size_t i;

	endpoint_format(where, &m->ports[0].target);
	buf_addf(out, "\nmirror \"%s\" {\n  backend = \"%s\"\n  port = {", m->name, where);
	for (i = 0; i < m->n_ports; i++) {
		endpoint_format(where, &m->ports[i].target);
		buf_addf(out, "%s\"%u:%s\"", i == 0 ? "" : ", ", m->ports[i].virt, where);
	}
	buf_addf(out, "}\n  tor = \"%s\"\n  check = \"%s\"\n", c->tors[m->tor].name, c->checks[m->check].name);
	print_options(m, SECTION_MIRROR, "  ", out);
	buf_adds(out, "}\n");
}

void
conf_print(const struct conf *c, struct buf *out)
{
	size_t i;

	print_options(c, SECTION_TOP, "", out);
	for (i = 0; i < c->n_tors; i++) {
		buf_addf(out, "\ntor \"%s\" {\n", c->tors[i].name);
		print_options(&c->tors[i], SECTION_TOR, "  ", out);
		buf_adds(out, "}\n");
	}
	for (i = 0; i < c->n_checks; i++) {
		buf_addf(out, "\ncheck \"%s\" {\n", c->checks[i].name);
		print_options(&c->checks[i], SECTION_CHECK, "  ", out);
		buf_adds(out, "}\n");
	}
	for (i = 0; i < c->n_mirrors; i++)
		print_mirror(c, &c->mirrors[i], out);
	for (i = 0; i < c->n_channels; i++) {
		buf_addf(out, "\nchannel \"%s\" {\n", c->channels[i].name);
		print_options(&c->channels[i], SECTION_CHANNEL, "  ", out);
		buf_adds(out, "}\n");
	}
}

/* What the sample says instead of the default, where a default would not do. */
static const char *
sample_value(const struct option *o, const char *state_dir, const char *run_dir, char *text, size_t size)
{
	static const struct {
		const char *name, *value;
	} own[] = { { "site", "example" }, { "cookie", "/run/tor/control.authcookie" }, { "backend", "127.0.0.1:8080" }, { "tor", "main" },
		{ "check", "page" }, { "min-listed", "1" } };
	size_t i;

	snprintf(text, size, "%s", o->fallback != NULL ? o->fallback : "");
	if (strcmp(o->name, "state-dir") == 0)
		snprintf(text, size, "%s", state_dir);
	if (strcmp(o->name, "publish-dir") == 0)
		snprintf(text, size, "%s/publish", state_dir);
	if (strcmp(o->name, "control-socket") == 0)
		snprintf(text, size, "unix:%s/control.sock", run_dir);
	for (i = 0; i < sizeof own / sizeof own[0]; i++)
		if (strcmp(o->name, own[i].name) == 0)
			return own[i].value;
	return text;
}

void
conf_sample(struct buf *out, const char *state_dir, const char *run_dir)
{
	static const char *const open[SECTION__COUNT] = { "# onionmirror.conf(5). What is commented out shows its default.\n\n",
		"\n# A tor that you run. Any number of these.\ntor \"main\" {\n", "\n# What a healthy answer looks like.\ncheck \"page\" {\n",
		"\n# One of these for each address that readers shall have.\nmirror \"north\" {\n",
		"\n# An audience: a folder of publish-dir with its share of the addresses.\nchannel \"public\" {\n" };
	const struct option *o;
	char text[512];
	bool given;
	int s;

	for (s = 0; s < SECTION__COUNT; s++) {
		buf_adds(out, open[s]);
		for (o = options; o->name != NULL; o++) {
			if ((int)o->section != s)
				continue;
			const char *value = sample_value(o, state_dir, run_dir, text, sizeof text);

			given = o->fallback == NULL || strcmp(value, o->fallback) != 0;
			buf_addf(out, "%s%s%s = \"%s\"  # %s\n", s == SECTION_TOP ? "" : "  ", given ? "" : "# ", o->name, value, o->help);
		}
		if (s != SECTION_TOP)
			buf_adds(out, "}\n");
	}
}

const char *
conf_needs_restart(const struct conf *now, const struct conf *next)
{
	struct buf a = BUF_INIT(4096), b = BUF_INIT(4096);
	const char *found = NULL;
	const struct option *o;
	size_t i;

	for (o = options; o->name != NULL && found == NULL; o++) {
		if ((o->flags & OPTION_RESTART) == 0 || (o->section != SECTION_TOP && o->section != SECTION_TOR))
			continue;
		for (i = 0; i < (o->section == SECTION_TOR ? now->n_tors : 1) && found == NULL; i++) {
			buf_reset(&a);
			buf_reset(&b);
			if (o->section == SECTION_TOR && (now->n_tors != next->n_tors || strcmp(now->tors[i].name, next->tors[i].name) != 0)) {
				found = "tor sections";
				break;
			}
			value_print(o->section == SECTION_TOR ? (const void *)&now->tors[i] : now, o, &a);
			value_print(o->section == SECTION_TOR ? (const void *)&next->tors[i] : next, o, &b);
			if (strcmp(buf_str(&a), buf_str(&b)) != 0)
				found = o->name;
		}
	}
	buf_free(&a);
	buf_free(&b);
	return found;
}
