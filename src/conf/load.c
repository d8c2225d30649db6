/* SPDX-License-Identifier: BSD-3-Clause */
/* Loading: bytes to a whole, valid configuration, or every fault there is. Owns nothing afterwards. */
#include "config.h"
#include "base/file.h"
#include "base/mem.h"
#include "conf/scan.h"

#include <confuse.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX_BYTES (64 * 1024)

struct load {
	struct conf *conf;
	const char *file;
	struct buf *faults;
	size_t before; /* bytes of faults that were there when we came */
	struct scan scan;
	cfg_opt_t *opts[CONF__SECTIONS];
	cfg_t *cfg;
};

/* libConfuse's error callback has no argument of ours. One thread, one load at a time. */
static struct load *current;

static void
on_error(cfg_t *cfg, const char *fmt, va_list ap)
{
	char text[400];

	vsnprintf(text, sizeof text, fmt, ap);
	scan_fault(current->faults, current->file, cfg != NULL && cfg->line > 0 ? cfg->line : 1, "%s", text);
}

static void __attribute__((format(printf, 5, 6)))
fault(struct load *l, enum conf_section s, const char *title, const char *option, const char *fmt, ...)
{
	char text[500];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	if (s == CONF_ROOT)
		scan_fault(l->faults, l->file, scan_line(&l->scan, s, title, option), "%s", text);
	else if (conf_sections[s].sample_title == NULL)
		scan_fault(l->faults, l->file, scan_line(&l->scan, s, title, option), "%s: %s", conf_sections[s].name, text);
	else
		scan_fault(l->faults, l->file, scan_line(&l->scan, s, title, option), "%s \"%.32s\": %s", conf_sections[s].name, title, text);
}

/* libConfuse's tables from ours: every value is text, and has no default there. */
static int
make_opts(struct load *l)
{
	int s, k;
	size_t n, i;

	for (s = CONF__SECTIONS - 1; s >= 0; s--) {
		const struct conf_option *o = conf_sections[s].options;
		cfg_opt_t *v;

		for (n = 0; o[n].name != NULL; n++)
			;
		if ((v = calloc(n + CONF__SECTIONS, sizeof *v)) == NULL)
			return -1;
		for (i = 0; i < n; i++) {
			if (o[i].type == CONF_PORTS || o[i].type == CONF_CONTROLS)
				v[i] = (cfg_opt_t)CFG_STR_LIST(o[i].name, NULL, CFGF_NODEFAULT);
			else
				v[i] = (cfg_opt_t)CFG_STR(o[i].name, NULL, CFGF_NODEFAULT);
		}
		for (k = 1; s == CONF_ROOT && k < CONF__SECTIONS; k++)
			v[i++] = (cfg_opt_t)CFG_SEC(conf_sections[k].name, l->opts[k], conf_sections[k].sample_title != NULL ?
			    CFGF_MULTI | CFGF_TITLE : CFGF_NODEFAULT);
		v[i] = (cfg_opt_t)CFG_END();
		l->opts[s] = v;
	}
	return 0;
}

/* --- values ------------------------------------------------------------------ */

static const char *
value_of(cfg_t *sec, const struct conf_option *o)
{
	const char *text = cfg_size(sec, o->name) > 0 ? cfg_getnstr(sec, o->name, 0) : NULL;

	return text != NULL ? text : o->def;
}

static void
take_reference(struct load *l, const struct conf_option *o, struct conf_mirror *m, const char *text)
{
	enum conf_section s = o->type == CONF_TOR ? CONF_TOR_SECTION : CONF_CHECK_SECTION;
	size_t n, i;
	char *base = conf_section_array(l->conf, s, &n);

	*(int *)(void *)((char *)m + o->offset) = -1;
	if (text[0] == '\0' && o->def != NULL)
		return;
	if (o->type == CONF_TOR && strcmp(text, "auto") == 0) {
		*(int *)(void *)((char *)m + o->offset) = CONF_TOR_AUTO;
		return;
	}
	for (i = 0; i < n; i++)
		if (strcmp(*(char **)(void *)(base + i * conf_sections[s].size), text) == 0) {
			*(int *)(void *)((char *)m + o->offset) = (int)i;
			return;
		}
	fault(l, CONF_MIRROR_SECTION, m->name, o->name, "%s: there is no %s \"%.60s\"", o->name, conf_sections[s].name, text);
}

static void
take_ports(struct load *l, struct conf_mirror *m, cfg_t *sec, const struct conf_option *o)
{
	const char *backend = cfg_size(sec, "backend") > 0 ? cfg_getstr(sec, "backend") : "";
	unsigned n = cfg_size(sec, o->name), i, k;
	struct endpoint target = { 0 };
	bool own, used = false, have = backend != NULL && backend[0] != '\0';
	struct err e = ERR_INIT;

	if (have && endpoint_parse(&target, backend, &e) != 0) {
		fault(l, CONF_MIRROR_SECTION, m->name, "backend", "backend: %s", e.msg);
		have = used = true;
	}
	for (i = 0; i < (n > 0 ? n : 1); i++) {
		const char *text = n > 0 ? cfg_getnstr(sec, o->name, i) : o->def;
		struct conf_port *p = &m->ports[m->n_ports];

		if (i == CONF_PORTS_MAX) {
			fault(l, CONF_MIRROR_SECTION, m->name, o->name, "port: at most %d of them", CONF_PORTS_MAX);
			break;
		}
		err_clear(&e);
		if (conf_port_parse(p, &own, text, &e) != 0) {
			fault(l, CONF_MIRROR_SECTION, m->name, o->name, "%s", e.msg);
			used = true; /* one fault is enough */
			continue;
		}
		if (!own && !have) {
			fault(l, CONF_MIRROR_SECTION, m->name, NULL, "backend is missing: port %u names no target of its own", p->virt);
			have = used = true;
		}
		if (!own)
			p->target = target;
		used = used || !own;
		for (k = 0; k < m->n_ports; k++)
			if (m->ports[k].virt == p->virt)
				fault(l, CONF_MIRROR_SECTION, m->name, o->name, "port %u is there twice", p->virt);
		m->n_ports++;
	}
	if (have && !used)
		fault(l, CONF_MIRROR_SECTION, m->name, "backend", "backend is of no use: every port names a target of its own");
}

static void
take_controls(struct load *l, cfg_t *sec, const struct conf_option *o)
{
	struct conf *c = l->conf;
	unsigned n = cfg_size(sec, o->name), i, k;
	struct err e = ERR_INIT;

	for (i = 0; i < n; i++) {
		struct conf_control *at = &c->controls[c->n_controls];

		if (i == CONF_CONTROLS_MAX) {
			fault(l, CONF_ROOT, "", o->name, "control-onions: at most %d of them", CONF_CONTROLS_MAX);
			break;
		}
		err_clear(&e);
		if (conf_control_parse(at, cfg_getnstr(sec, o->name, i), &e) != 0) {
			fault(l, CONF_ROOT, "", o->name, "%s", e.msg);
			continue;
		}
		for (k = 0; k < c->n_controls; k++)
			if (strcmp(c->controls[k].address, at->address) == 0)
				fault(l, CONF_ROOT, "", o->name, "control-onions: one of them is there twice");
		c->n_controls++;
	}
}

static void
take_options(struct load *l, enum conf_section s, void *base, const char *title, cfg_t *sec)
{
	const struct conf_option *o;
	struct err e = ERR_INIT;
	const char *text;

	for (o = conf_sections[s].options; o->name != NULL; o++) {
		if (o->type == CONF_BACKEND)
			continue; /* with the ports */
		if (o->type == CONF_PORTS) {
			take_ports(l, base, sec, o);
			continue;
		}
		if (o->type == CONF_CONTROLS) {
			take_controls(l, sec, o);
			continue;
		}
		if ((text = value_of(sec, o)) == NULL) {
			fault(l, s, title, NULL, "%s is missing", o->name);
		} else if (o->type == CONF_TOR || o->type == CONF_CHECK) {
			take_reference(l, o, base, text);
		} else {
			err_clear(&e);
			if (conf_value_parse(o, base, text, &e) != 0)
				fault(l, s, title, o->name, "%s", e.msg);
		}
	}
}

static int
take_sections(struct load *l, enum conf_section s, void **array, size_t *n_out, size_t max)
{
	const char *kind = conf_sections[s].name;
	unsigned n = cfg_size(l->cfg, kind), i;
	char *base;

	if (n > max) {
		scan_fault(l->faults, l->file, 1, "more than %zu %s sections", max, kind);
		n = (unsigned)max;
	}
	if ((base = calloc(n + 1, conf_sections[s].size)) == NULL)
		return -1;
	*array = base;
	for (i = 0; i < n; i++) {
		cfg_t *sec = cfg_getnsec(l->cfg, kind, i);
		const char *title = cfg_title(sec) != NULL ? cfg_title(sec) : "";
		void *item = base + i * conf_sections[s].size;

		if ((*(char **)item = strdup(title)) == NULL)
			return -1;
		*n_out = i + 1;
		if (conf_sections[s].sample_title != NULL && !conf_name_ok(title))
			fault(l, s, title, NULL, "a name has a-z, 0-9 and -, begins with a letter or digit and has at most %d characters",
			    CONF_NAME_MAX);
		take_options(l, s, item, title, sec);
	}
	return 0;
}

/* --- what relates several options ---------------------------------------------- */

static void
check_tors(struct load *l)
{
	struct conf *c = l->conf;
	unsigned used, room = 0;
	size_t i, k;

	for (i = 0; i < c->n_tors; i++) {
		struct conf_tor *t = &c->tors[i];
		int ways = (t->cookie != NULL) + (t->password_file != NULL) + t->allow_no_auth;

		if (ways == 0)
			fault(l, CONF_TOR_SECTION, t->name, NULL, "one of cookie, password-file or allow-no-auth = on is needed");
		else if (ways > 1)
			fault(l, CONF_TOR_SECTION, t->name, NULL, "cookie, password-file and allow-no-auth exclude each other");
		for (k = 0; k < i; k++)
			if (t->control.kind != 0 && endpoint_equal(&t->control, &c->tors[k].control))
				fault(l, CONF_TOR_SECTION, t->name, "control", "control: that is tor \"%s\" already", c->tors[k].name);
		for (k = 0, used = 0; k < c->n_mirrors; k++)
			used += c->mirrors[k].tor == (int)i;
		room += t->max_mirrors > used ? t->max_mirrors - used : 0;
		if (strcmp(t->name, "auto") == 0)
			fault(l, CONF_TOR_SECTION, t->name, NULL, "\"auto\" is no name for a tor: with tor = auto one is chosen");
		if (used > t->max_mirrors && t->max_mirrors > 0)
			fault(l, CONF_TOR_SECTION, t->name, "max-mirrors", "%u mirrors name it, and max-mirrors is %u", used, t->max_mirrors);
	}
	for (k = 0, used = 0; k < c->n_mirrors; k++)
		if (c->mirrors[k].tor == CONF_TOR_AUTO && used++ == room)
			fault(l, CONF_MIRROR_SECTION, c->mirrors[k].name, "tor", "tor = auto: no tor has room for it; raise a max-mirrors or add a tor");
}

static void
check_checks(struct load *l)
{
	size_t i;

	for (i = 0; i < l->conf->n_checks; i++) {
		struct conf_check *k = &l->conf->checks[i];

		if (k->path != NULL && (k->path[0] != '/' || strchr(k->path, ' ') != NULL))
			fault(l, CONF_CHECK_SECTION, k->name, "path", "path: must begin with / and hold no space");
		if (k->sha256 != NULL && strspn(k->sha256, "0123456789abcdef") != 64)
			fault(l, CONF_CHECK_SECTION, k->name, "sha256", "sha256: must be 64 lower-case hex digits");
		if (k->pin_sha256 != NULL && strspn(k->pin_sha256, "0123456789abcdef") != 64)
			fault(l, CONF_CHECK_SECTION, k->name, "pin-sha256", "pin-sha256: must be 64 lower-case hex digits");
		if (k->pin_sha256 != NULL && !k->tls)
			fault(l, CONF_CHECK_SECTION, k->name, "pin-sha256", "pin-sha256: there is no certificate without tls = on");
		if (k->version_path != NULL && (k->version_path[0] != '/' || strchr(k->version_path, ' ') != NULL))
			fault(l, CONF_CHECK_SECTION, k->name, "version-path", "version-path: must begin with / and hold no space");
		if (k->stale_after_ms > 0 && k->version_path == NULL)
			fault(l, CONF_CHECK_SECTION, k->name, "stale-after", "stale-after: nothing tells how old content is without version-path");
		if (k->header != NULL && (k->header[0] == ':' || strstr(k->header, ": ") == NULL))
			fault(l, CONF_CHECK_SECTION, k->name, "header", "header: write it as \"Name: value\"");
	}
}

static void
check_root(struct load *l)
{
	struct conf *c = l->conf;
	size_t i;

	if (c->control_socket.kind != 0 && c->control_socket.kind != ENDPOINT_UNIX)
		fault(l, CONF_ROOT, "", "control-socket", "control-socket: must be a unix socket, unix:/path: the peer's uid is checked");
	if (c->locked_start && (c->passphrase_file != NULL || scan_has(&l->scan, CONF_ROOT, "", "key-file")))
		fault(l, CONF_ROOT, "", "locked-start", "locked-start excludes key-file and passphrase-file");
	if (c->locked_start) {
		free(c->key_file);
		c->key_file = NULL;
	} else if (c->passphrase_file != NULL) {
		if (scan_has(&l->scan, CONF_ROOT, "", "key-file"))
			fault(l, CONF_ROOT, "", "passphrase-file", "key-file and passphrase-file exclude each other");
		free(c->key_file);
		c->key_file = NULL;
	}
	for (i = 0; i < c->n_mirrors && c->mirrors[i].spare; i++)
		;
	if (c->n_mirrors > 0 && i == c->n_mirrors)
		fault(l, CONF_ROOT, "", NULL, "every mirror is a spare: at least one must be listed always");
	if (c->n_mirrors == 0)
		fault(l, CONF_ROOT, "", NULL, "no mirror section: there is nothing to do");
}

/* A socket's path holds the number of an onion. */
#define SOCKETS_MAX (ENDPOINT_PATH_MAX - 20)

static void
check_list(struct load *l)
{
	const struct conf *c = l->conf;
	struct endpoint ep;
	char text[ENDPOINT_TEXT_MAX + 8];
	struct err e = ERR_INIT;
	size_t i, k;

	if (c->list == NULL)
		return;
	if (c->list->sockets == NULL || strlen(c->list->sockets) > SOCKETS_MAX) {
		fault(l, CONF_LIST_SECTION, "", "sockets", "sockets: an absolute path of at most %d characters", SOCKETS_MAX);
	} else {
		snprintf(text, sizeof text, "unix:%s", c->list->sockets);
		if (endpoint_parse(&ep, text, &e) != 0)
			fault(l, CONF_LIST_SECTION, "", "sockets", "sockets: %s", e.msg);
	}
	for (i = 0; i < c->n_mirrors; i++)
		for (k = 0; k < c->mirrors[i].n_ports; k++)
			if (c->mirrors[i].ports[k].virt == c->list->port)
				fault(l, CONF_MIRROR_SECTION, c->mirrors[i].name, "port", "port %u is the list service's; give one of them another",
				    c->list->port);
}

static void
check_metrics(struct load *l)
{
	const struct conf_metrics *m = l->conf->metrics;
	size_t n = m != NULL && m->textfile != NULL ? strlen(m->textfile) : 0;

	if (m == NULL)
		return;
	if (n > 0 && (n < 6 || strcmp(m->textfile + n - 5, ".prom") != 0))
		fault(l, CONF_METRICS_SECTION, "", "textfile", "textfile: must end with .prom: node_exporter reads nothing else");
	if (m->listen.kind != 0 && endpoint_equal(&m->listen, &l->conf->control_socket))
		fault(l, CONF_METRICS_SECTION, "", "listen", "listen: that is the control socket");
}

static void
check_mirrors(struct load *l)
{
	size_t i;

	for (i = 0; i < l->conf->n_mirrors; i++) {
		struct conf_mirror *m = &l->conf->mirrors[i];

		if (m->probe_through >= 0 && m->probe_through == m->tor)
			fault(l, CONF_MIRROR_SECTION, m->name, "probe-through", "probe-through: that is its own tor, which probes it anyway; name another");
	}
}

static int
default_channel(struct conf *c)
{
	if (c->n_channels > 0)
		return 0;
	c->channels[0].share = 10;
	if ((c->channels[0].name = strdup("public")) == NULL)
		return -1;
	c->n_channels = 1;
	return 0;
}

/* A section that is there once or not at all. */
static int
take_single(struct load *l, enum conf_section s, void **at)
{
	size_t n;

	return cfg_size(l->cfg, conf_sections[s].name) > 0 ? take_sections(l, s, at, &n, 1) : 0;
}

static int
take_all(struct load *l)
{
	struct conf *c = l->conf;

	take_options(l, CONF_ROOT, c, "", l->cfg);
	if (take_sections(l, CONF_TOR_SECTION, (void **)&c->tors, &c->n_tors, CONF_TORS_MAX) != 0 ||
	    take_sections(l, CONF_CHECK_SECTION, (void **)&c->checks, &c->n_checks, CONF_MIRRORS_MAX) != 0 ||
	    take_sections(l, CONF_MIRROR_SECTION, (void **)&c->mirrors, &c->n_mirrors, CONF_MIRRORS_MAX) != 0 ||
	    take_sections(l, CONF_CHANNEL_SECTION, (void **)&c->channels, &c->n_channels, CONF_TORS_MAX) != 0 || default_channel(c) != 0)
		return -1;
	if (take_single(l, CONF_LIST_SECTION, (void **)&c->list) != 0 || take_single(l, CONF_METRICS_SECTION, (void **)&c->metrics) != 0)
		return -1;
	check_root(l);
	check_tors(l);
	check_checks(l);
	check_list(l);
	check_metrics(l);
	check_mirrors(l);
	return 0;
}

static int
parse(struct load *l, char *text)
{
	int i, r = -1;

	current = l;
	scan_text(&l->scan, text, l->file, l->faults);
	if ((l->conf = calloc(1, sizeof *l->conf)) == NULL || make_opts(l) != 0 || (l->cfg = cfg_init(l->opts[0], CFGF_NONE)) == NULL) {
		scan_fault(l->faults, l->file, 1, "out of memory");
		goto out;
	}
	cfg_set_error_function(l->cfg, on_error);
	errno = 0;
	r = cfg_parse_buf(l->cfg, text);
	/* Then it may have left out a value, and what it made cannot be freed. */
	if (errno == ENOMEM)
		mem_exhausted();
	if (r != CFG_SUCCESS) {
		r = -1;
		if (l->faults->len == l->before)
			scan_fault(l->faults, l->file, 1, "cannot be parsed");
		goto out;
	}
	if (take_all(l) != 0)
		scan_fault(l->faults, l->file, 1, "out of memory");
	r = l->faults->len == l->before && buf_ok(l->faults) ? 0 : -1;
out:
	current = NULL;
	if (l->cfg != NULL)
		cfg_free(l->cfg);
	for (i = 0; i < CONF__SECTIONS; i++)
		free(l->opts[i]);
	scan_free(&l->scan);
	return r;
}

int
conf_load(struct conf **out, const char *path, struct buf *faults)
{
	struct load l = { .file = path, .faults = faults, .before = faults->len };
	struct err e = ERR_INIT;
	char *text = NULL;
	size_t n, i;
	int r = -1;

	if (file_read(path, FILE_MAX_BYTES, FILE_PUBLIC, &text, &n, &e) != 0) {
		if (e.sys == ENOENT) {
			scan_fault(faults, path, 1, "No such file: `onionmirror init` writes a sample, -f names another");
			return -1;
		}
		/* The message begins with the path. */
		scan_fault(faults, path, 1, "%s", strncmp(e.msg, path, strlen(path)) == 0 ? e.msg + strlen(path) + 2 : e.msg);
		return -1;
	}
	for (i = 0; i < n; i++)
		if (text[i] == '\0')
			break;
	if (i < n)
		scan_fault(faults, path, 1, "has a NUL byte: this is not a configuration");
	else
		r = parse(&l, text);
	if (r == 0) {
		*out = l.conf;
	} else {
		if (faults->len > l.before)
			scan_sort(faults->data + l.before, path);
		conf_free(l.conf);
	}
	free(text);
	return r;
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
	const struct conf_option *o;
	size_t n, i;
	int s;

	if (c == NULL)
		return;
	for (s = 0; s < CONF__SECTIONS; s++) {
		char *base = s == CONF_ROOT ? (char *)c : conf_section_array(c, (enum conf_section)s, &n);

		n = s == CONF_ROOT ? 1 : n;
		for (i = 0; base != NULL && i < n; i++) {
			char *item = base + i * conf_sections[s].size;

			if (s != CONF_ROOT)
				free(*(char **)(void *)item);
			for (o = conf_sections[s].options; o->name != NULL; o++)
				if (o->type == CONF_TEXT || o->type == CONF_PATH)
					free(*(char **)(void *)(item + o->offset));
		}
	}
	free(c->tors);
	free(c->checks);
	free(c->mirrors);
	free(c->channels);
	free(c->list);
	free(c->metrics);
	free(c);
}
