/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * From the configuration to what the daemon may touch. Owns the plan that was
 * in force at the start, so that a reload can be compared with it.
 */
#include "config.h"
#include "daemon/sandbox.h"

#include "base/confine.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "io/syscalls.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CALLS_LAYER 3
#define MISSING_MAX 400

struct plan {
	struct confine_rules rules; /* owned, as all it points to */
	const char **options;       /* owned: of each path, what wants it */
	bool tcp;                   /* some endpoint is a TCP port */
};

struct sandbox {
	enum conf_sandbox mode;
	struct plan plan;
	unsigned layers; /* CONFINE_*, and 1 << CALLS_LAYER */
	char missing[MISSING_MAX]; /* what does not hold, and why; "": all does */
};

/* --- the plan ------------------------------------------------------------------ */

static void
add_path(struct plan *p, const char *option, const char *path, unsigned may)
{
	struct confine_rules *r = &p->rules;

	if (path == NULL)
		return;
	r->paths = xreallocarray(r->paths, r->n_paths + 1, sizeof *r->paths);
	p->options = xreallocarray(p->options, r->n_paths + 1, sizeof *p->options);
	r->paths[r->n_paths] = (struct confine_path){ xstrdup(path), may };
	p->options[r->n_paths++] = option;
}

/* The folder that is `up` levels above; never the root, below which is everything. */
static void
add_folder(struct plan *p, const char *option, const char *path, unsigned up, unsigned may)
{
	char folder[PATH_MAX], *slash;

	if (path == NULL || strlen(path) + 2 >= sizeof folder)
		return;
	snprintf(folder, sizeof folder, "%s%s", strchr(path, '/') == NULL ? "./" : "", path);
	/* What is only read and not there yet may come later, below what is. */
	while (up > 0 || (may == CONFINE_READ && access(folder, F_OK) != 0)) {
		slash = strrchr(folder, '/');
		if (slash == NULL || slash == folder)
			break;
		*slash = '\0';
		up -= up > 0;
	}
	add_path(p, option, folder, may);
}

static void
add_port(uint16_t **ports, size_t *n, uint16_t port)
{
	*ports = xreallocarray(*ports, *n + 1, sizeof **ports);
	(*ports)[(*n)++] = port;
}

static void
add_connect(struct plan *p, const struct endpoint *ep)
{
	if (ep->kind == ENDPOINT_UNIX)
		return;
	p->tcp = true;
	add_port(&p->rules.connect, &p->rules.n_connect, ep->port);
}

static void
add_listen(struct plan *p, const char *option, const struct endpoint *ep)
{
	if (ep->kind == ENDPOINT_UNIX) {
		add_folder(p, option, ep->path, 1, CONFINE_SOCKETS);
	} else if (ep->kind != 0) {
		p->tcp = true;
		add_port(&p->rules.bind, &p->rules.n_bind, ep->port);
	}
}

/* tor makes a new cookie at each start, and service managers a new folder for it: so the folder above. */
static void
plan_tors(struct plan *p, const struct conf *c)
{
	size_t i;

	for (i = 0; i < c->n_tors; i++) {
		add_connect(p, &c->tors[i].control);
		add_connect(p, &c->tors[i].socks);
		add_folder(p, "tor, cookie", c->tors[i].cookie, 2, CONFINE_READ);
		add_folder(p, "tor, password-file", c->tors[i].password_file, 1, CONFINE_READ);
	}
}

/* A reload may bring others, on any port of loopback. */
static void
plan_backends(struct plan *p, const struct conf *c)
{
	size_t i, k;

	for (i = 0; i < c->n_mirrors; i++)
		for (k = 0; k < c->mirrors[i].n_ports; k++)
			if (c->mirrors[i].ports[k].target.kind != ENDPOINT_UNIX)
				p->tcp = p->rules.any_connect = true;
}

/* What is in the process for its own sake looks things up when it ends or finds a fault. */
static void
plan_instruments(struct plan *p)
{
#ifdef SANITIZED
	static const char *const read[] = { "/usr", "/lib", "/lib64" };
	const char *options[] = { getenv("ASAN_OPTIONS"), getenv("UBSAN_OPTIONS"), getenv("LSAN_OPTIONS") }, *at;
	char self[PATH_MAX], path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	size_t i;

	for (i = 0; i < sizeof read / sizeof read[0]; i++)
		add_path(p, "sanitizer", read[i], CONFINE_READ);
	add_path(p, "sanitizer", "/proc", CONFINE_CHANGE);
	if (n > 0) {
		self[n] = '\0';
		add_folder(p, "sanitizer", self, 1, CONFINE_READ);
	}
	for (i = 0; i < sizeof options / sizeof options[0]; i++)
		if (options[i] != NULL && (at = strstr(options[i], "log_path=")) != NULL &&
		    sscanf(at, "log_path=%4095[^:]", path) == 1)
			add_folder(p, "sanitizer", path, 1, CONFINE_CHANGE);
#endif
#ifdef COVERAGE_DIR
	add_path(p, "coverage", COVERAGE_DIR, CONFINE_CHANGE);
#endif
	(void)p;
}

static void
plan_make(struct plan *p, const struct conf *c, const char *conf_path)
{
	const char *notify = getenv("NOTIFY_SOCKET");

	memset(p, 0, sizeof *p);
	add_path(p, "state-dir", c->state_dir, CONFINE_CHANGE);
	add_path(p, "publish-dir", c->publish_dir, CONFINE_CHANGE);
	add_folder(p, "the configuration", conf_path, 1, CONFINE_READ);
	add_path(p, "key-file", c->key_file, CONFINE_READ);
	add_path(p, "passphrase-file", c->passphrase_file, CONFINE_READ);
	add_path(p, "credentials", getenv("CREDENTIALS_DIRECTORY"), CONFINE_READ);
	add_listen(p, "control-socket", &c->control_socket);
	add_path(p, "sqlite", "/dev/urandom", CONFINE_READ);
	plan_tors(p, c);
	plan_backends(p, c);
	if (c->list != NULL)
		add_path(p, "list-service, sockets", c->list->sockets, CONFINE_SOCKETS);
	if (c->metrics != NULL) {
		add_listen(p, "metrics, listen", &c->metrics->listen);
		add_folder(p, "metrics, textfile", c->metrics->textfile, 1, CONFINE_CHANGE);
	}
	p->rules.abstract = notify != NULL && notify[0] == '@';
	plan_instruments(p);
}

static void
plan_free(struct plan *p)
{
	size_t i;

	for (i = 0; i < p->rules.n_paths; i++)
		free(p->rules.paths[i].path);
	free(p->rules.paths);
	free(p->options);
	free(p->rules.bind);
	free(p->rules.connect);
}

static bool
is_below(const char *path, const char *folder)
{
	size_t n = strlen(folder);

	return strncmp(path, folder, n) == 0 && (path[n] == '\0' || path[n] == '/');
}

static bool
has_path(const struct confine_rules *r, const struct confine_path *want)
{
	unsigned may = 0;
	size_t i;

	for (i = 0; i < r->n_paths; i++)
		if (is_below(want->path, r->paths[i].path))
			may |= r->paths[i].may;
	return (want->may & ~may) == 0;
}

static bool
has_ports(const uint16_t *have, size_t n_have, const uint16_t *want, size_t n_want)
{
	size_t i, k;

	for (i = 0; i < n_want; i++) {
		for (k = 0; k < n_have && have[k] != want[i]; k++)
			;
		if (k == n_have)
			return false;
	}
	return true;
}

const char *
sandbox_outgrown(const struct sandbox *s, const struct conf *next, const char *conf_path)
{
	const char *what = NULL;
	struct plan p;
	size_t i;

	if (s == NULL || s->layers == 0)
		return NULL;
	plan_make(&p, next, conf_path);
	for (i = 0; i < p.rules.n_paths && what == NULL && (s->layers & CONFINE_FILES) != 0; i++)
		if (!has_path(&s->plan.rules, &p.rules.paths[i]))
			what = p.options[i];
	if (what == NULL && (s->layers & CONFINE_TCP) != 0 &&
	    !has_ports(s->plan.rules.bind, s->plan.rules.n_bind, p.rules.bind, p.rules.n_bind))
		what = "metrics, listen";
	if (what == NULL && ((p.tcp && !s->plan.tcp) || (p.rules.any_connect && !s->plan.rules.any_connect)))
		what = p.rules.any_connect ? "the first backend on a TCP port" : "metrics, listen";
	plan_free(&p);
	return what;
}

/* --- in force --------------------------------------------------------------------- */

const char *
sandbox_layer_name(unsigned layer)
{
	static const char *const names[SANDBOX_LAYERS] = { "files", "tcp", "scopes", "calls" };

	return names[layer];
}

bool
sandbox_layer_holds(const struct sandbox *s, unsigned layer)
{
	return s != NULL && (s->layers & 1u << layer) != 0;
}
_Static_assert(CONFINE_FILES == 1 && CONFINE_TCP == 2 && CONFINE_SCOPES == 4, "the first three layers");

static void __attribute__((format(printf, 2, 3)))
lacks(struct sandbox *s, const char *fmt, ...)
{
	size_t n = strlen(s->missing);
	va_list ap;

	if (n > 0)
		n += (size_t)snprintf(s->missing + n, sizeof s->missing - n, "; ");
	if (n >= sizeof s->missing)
		return;
	va_start(ap, fmt);
	vsnprintf(s->missing + n, sizeof s->missing - n, fmt, ap);
	va_end(ap);
}

/* Rules are on what is there: so it must be. */
static int
make_folders(const struct conf *c, struct err *e)
{
	if (file_mkdirs(c->publish_dir, 0755, e) != 0)
		return -1;
	return c->list != NULL && file_mkdirs(c->list->sockets, 0755, e) != 0 ? err_prefix(e, "list-service, sockets") : 0;
}

static int
confine(struct sandbox *s, struct err *e)
{
	const struct syscalls_rules calls = { .fatal = s->mode == CONF_SANDBOX_FATAL, .tcp = s->plan.tcp };
	struct err why = ERR_INIT;

	if (confine_landlock(&s->plan.rules, &s->layers, e) != 0)
		return -1;
	if ((s->layers & CONFINE_FILES) == 0)
		lacks(s, "files: this kernel has no Landlock, or one from before 5.19");
	else if ((s->layers & CONFINE_TCP) == 0)
		lacks(s, "tcp: this kernel is older than 6.7");
	if (syscalls_confine(&calls, &why) == 0)
		s->layers |= 1u << CALLS_LAYER;
	else if (why.code == ERR_NOTFOUND)
		lacks(s, "calls: %s", why.msg);
	else
		return err_set(e, why.code, "%s", why.msg);
	if (s->mode == CONF_SANDBOX_AUTO || (sandbox_layer_holds(s, 0) && sandbox_layer_holds(s, CALLS_LAYER)))
		return 0;
	return err_set(e, ERR_CONFIG, "sandbox = %s, and that cannot be done here (%s): with sandbox = auto it starts with what can",
	    s->mode == CONF_SANDBOX_ON ? "on" : "fatal", s->missing);
}

int
sandbox_enter(struct sandbox **out, const struct conf *c, const char *conf_path, struct err *e)
{
	struct sandbox *s;

	if (c->sandbox != CONF_SANDBOX_OFF && make_folders(c, e) != 0)
		return -1;
	s = xcalloc(1, sizeof *s);
	s->mode = c->sandbox;
	plan_make(&s->plan, c, conf_path);
	if (s->mode == CONF_SANDBOX_OFF)
		lacks(s, "sandbox = off");
	else if (confine(s, e) != 0) {
		sandbox_free(s);
		return -1;
	}
	*out = s;
	return 0;
}

void
sandbox_free(struct sandbox *s)
{
	if (s == NULL)
		return;
	plan_free(&s->plan);
	free(s);
}

void
sandbox_log(const struct sandbox *s)
{
	char text[100] = "";
	unsigned i;
	size_t k;

	if (s == NULL)
		return;
	for (i = 0; i < SANDBOX_LAYERS; i++)
		if (sandbox_layer_holds(s, i))
			snprintf(text + strlen(text), sizeof text - strlen(text), " %s", sandbox_layer_name(i));
	if (s->layers != 0)
		log_info("sandbox:%s", text);
	if (s->missing[0] != '\0')
		log_warn("not confined: %s", s->missing);
	/* For what is only read there is room further up. */
	for (k = 0; k < s->plan.rules.n_paths && (s->layers & CONFINE_FILES) != 0; k++)
		if ((s->plan.rules.paths[k].may & (CONFINE_CHANGE | CONFINE_SOCKETS)) != 0 && access(s->plan.rules.paths[k].path, F_OK) != 0)
			log_warn("%s: %s is not there, and the sandbox cannot leave room for it: make it, then start again", s->plan.options[k],
			    s->plan.rules.paths[k].path);
}

json_t *
sandbox_json(const struct sandbox *s)
{
	static const char *const modes[] = { [CONF_SANDBOX_OFF] = "off", [CONF_SANDBOX_AUTO] = "auto", [CONF_SANDBOX_ON] = "on",
		[CONF_SANDBOX_FATAL] = "fatal" };
	json_t *layers = json_array();
	const char *last;
	unsigned i, refused = syscalls_refused(&last);

	for (i = 0; i < SANDBOX_LAYERS; i++)
		if (sandbox_layer_holds(s, i))
			json_array_append_new(layers, json_string(sandbox_layer_name(i)));
	return json_pack("{s:s,s:o,s:s,s:i,s:s}", "mode", modes[s != NULL ? s->mode : CONF_SANDBOX_OFF], "layers", layers, "missing",
	    s != NULL ? s->missing : "", "refused", (int)refused, "last", last != NULL ? last : "");
}
