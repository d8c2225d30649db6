/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"
#include "unit/daemon/rig.h"

#include "base/enc.h"
#include "base/file.h"
#include "base/log.h"
#include "cli/cli.h"
#include "proto/edkey.h"
#include "proto/onion.h"
#include "support/tree.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WAIT_MS 20000

static void
on_log(enum log_level level, const char *line, void *arg)
{
	struct rig *r = arg;
	size_t n = strlen(r->log);

	(void)level;
	snprintf(r->log + n, sizeof r->log - n, "%s\n", line);
}

void
rig_conf(struct rig *r, const char *more, unsigned mirrors)
{
	struct buf text = BUF_INIT(65536);
	struct err e = ERR_INIT;
	unsigned i;

	buf_addf(&text,
	    "%s"
	    "site = \"test\"\nstate-dir = \"%s/state\"\npublish-dir = \"%s/publish\"\ncontrol-socket = \"%s/ctl\"\n"
	    "key-file = \"%s/master.key\"\nmin-listed = 1\nlog-onions = full\n"
	    "tor \"main\" {\n  control = \"unix:%s/control\"\n  cookie = \"%s/cookie\"\n  socks = \"unix:%s/site\"\n}\n"
	    "check \"page\" {\n  contains = \"ok\"\n  interval = 1s\n  timeout = 5s\n  rise = 1\n}\n",
	    more, r->dir, r->dir, r->dir, r->dir, r->dir, r->dir, r->dir);
	for (i = 0; i < mirrors; i++)
		buf_addf(&text, "mirror \"%c\" {\n  backend = \"unix:%s/backend\"\n  tor = \"main\"\n  check = \"page\"\n  drain = 0s\n%s}\n",
		    'a' + (int)i, r->dir, r->mirror != NULL ? r->mirror : "");
	cr_assert_eq(file_write(r->conf_path, buf_str(&text), text.len, 0644, &e), 0, "%s", e.msg);
	buf_free(&text);
}

void
rig_init(struct rig *r, const char *more)
{
	struct cli c = { 0 };
	char keys[80], *argv[] = { (char[]){ "init" }, (char[]){ "--keys" }, keys, (char[]){ "--no-passphrase" }, NULL };
	int saved, null;

	memset(r, 0, sizeof *r);
	cr_assert(sodium_init() >= 0);
	snprintf(r->dir, sizeof r->dir, "/tmp/om-daemon-XXXXXX");
	cr_assert_not_null(mkdtemp(r->dir));
	snprintf(r->conf_path, sizeof r->conf_path, "%s/f.conf", r->dir);
	snprintf(keys, sizeof keys, "%s/keys", r->dir);
	rig_conf(r, more, 1);
	c.conf_path = r->conf_path;
	/* What init tells the operator is not for the test's output. */
	fflush(stdout);
	saved = dup(STDOUT_FILENO);
	null = open("/dev/null", O_WRONLY);
	dup2(null, STDOUT_FILENO);
	cr_assert_eq(verb_init(&c, 4, argv), 0);
	fflush(stdout);
	dup2(saved, STDOUT_FILENO);
	close(saved);
	close(null);
	log_set_sink(on_log, r);
}

/* --- the fake tor's side ------------------------------------------------------------------ */

static void
send_uploads(void *arg)
{
	struct rig *r = arg;
	char line[256], *p;
	int i;

	for (p = r->uploading; *p != '\0'; p += ONION_ADDR_LEN + 1)
		for (i = 0; i < 16; i++) {
			snprintf(line, sizeof line, "650 HS_DESC UPLOAD %.56s UNKNOWN $%040d~relay descriptor%d\r\n", p, i, i / 8);
			faketor_send(r->tor, line);
			snprintf(line, sizeof line, "650 HS_DESC UPLOADED %.56s UNKNOWN $%040d~relay\r\n", p, i);
			faketor_send(r->tor, line);
		}
	r->uploading[0] = '\0';
}

static const char *
add_onion(struct rig *r, const char *blob)
{
	char address[ONION_ADDR_LEN + 1];
	uint8_t key[EDKEY_LEN], pub[EDKEY_PUB_LEN];

	cr_assert_eq(b64_decode(key, sizeof key, blob, strcspn(blob, " ")), 0);
	cr_assert_eq(edkey_pubkey(pub, key, NULL), 0);
	onion_from_pubkey(address, pub);
	if (strstr(r->detached, address) != NULL)
		return "550 Onion address collision\r\n";
	if (r->no_pow && strstr(blob, "PoW") != NULL)
		return "512 Bad arguments to ADD_ONION: Unrecognized keyword argument \"PoWDefensesEnabled\"\r\n";
	if (r->garbled)
		return "512 no \xc3\x28\r\n";
	if (r->lie)
		memset(address, 'a', ONION_ADDR_LEN);
	else
		snprintf(r->detached + strlen(r->detached), sizeof r->detached - strlen(r->detached), "%s\n", address);
	snprintf(r->reply, sizeof r->reply, "250-ServiceID=%s\r\n250 OK\r\n", address);
	if (!r->lie) {
		snprintf(r->uploading + strlen(r->uploading), sizeof r->uploading - strlen(r->uploading), "%s\n", address);
		timer_set(r->uploads, 0);
	}
	return r->reply;
}

static const char *
on_command(void *arg, const char *line)
{
	struct rig *r = arg;
	static char all[4096];
	char *at, *p;
	size_t n;

	if (strncmp(line, "ADD_ONION ED25519-V3:", 21) == 0)
		return add_onion(r, line + 21);
	if (strncmp(line, "DEL_ONION ", 10) == 0) {
		if ((at = strstr(r->detached, line + 10)) == NULL)
			return "552 Unknown Onion Service id\r\n";
		memmove(at, at + ONION_ADDR_LEN + 1, strlen(at + ONION_ADDR_LEN + 1) + 1);
		return "250 OK\r\n";
	}
	if (strcmp(line, "GETINFO onions/detached") != 0 || r->detached[0] == '\0')
		return NULL;
	n = (size_t)snprintf(all, sizeof all, "250+onions/detached=\r\n");
	for (p = r->detached; *p != '\0'; p += ONION_ADDR_LEN + 1)
		n += (size_t)snprintf(all + n, sizeof all - n, "%.56s\r\n", p);
	snprintf(all + n, sizeof all - n, ".\r\n250 OK\r\n");
	return all;
}

/* --- open and close ------------------------------------------------------------------------- */

bool
rig_open(struct rig *r)
{
	static const struct fakesite_script script = { .response = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok" };
	struct buf faults = BUF_INIT(65536);
	struct conf *conf = NULL;
	struct err e = ERR_INIT;

	cr_assert_eq(conf_load(&conf, r->conf_path, &faults), 0, "%s", buf_str(&faults));
	memset(&r->d, 0, sizeof r->d);
	r->d.conf = r->d.first = conf;
	r->d.conf_path = xstrdup(r->conf_path);
	if (daemon_open(&r->d, &r->out, &e) != 0) {
		on_log(LOG_LEVEL_ERROR, e.msg, r);
		actions_free(&r->out);
		daemon_close(&r->d);
		memset(&r->d, 0, sizeof r->d);
		return false;
	}
	r->uploads = timer_new(r->d.loop, send_uploads, r);
	r->tor = faketor_new(r->d.loop, r->dir);
	faketor_set_handler(r->tor, on_command, r);
	r->site = fakesite_new(r->d.loop, r->dir, &script);
	daemon_begin(&r->d, &r->out);
	return true;
}

void
rig_close(struct rig *r)
{
	if (r->d.loop == NULL)
		return;
	stream_free(r->client);
	r->client = NULL;
	timer_free(r->uploads);
	faketor_free(r->tor);
	fakesite_free(r->site);
	daemon_close(&r->d);
	memset(&r->d, 0, sizeof r->d);
}

void
rig_fini(struct rig *r)
{
	rig_close(r);
	log_set_sink(NULL, NULL);
	tree_remove(r->dir);
}

bool
rig_run(struct rig *r, bool (*done)(void *rig))
{
	return loop_run_until(r->d.loop, done, r, WAIT_MS);
}

static bool
never(void *arg)
{
	unsigned *turns = arg;

	return ++*turns > 20;
}

void
rig_turn(struct rig *r)
{
	unsigned turns = 0;

	loop_run_until(r->d.loop, never, &turns, 50);
}

bool
rig_is_listed(void *arg)
{
	struct rig *r = arg;
	struct mirror_view v;
	size_t i;

	for (i = 0; i < r->d.conf->n_mirrors; i++)
		if (engine_mirror_view(r->d.engine, (int)i, &v) != 0 || v.listed == 0)
			return false;
	return true;
}

/* --- the client --------------------------------------------------------------------------------- */

static void
on_client(struct stream *s, enum stream_event ev, void *arg)
{
	struct rig *r = arg;

	if (ev == STREAM_CLOSED && s == r->client)
		r->closed = true;
}

void
rig_connect(struct rig *r)
{
	r->closed = false;
	stream_free(r->client);
	r->client = stream_connect(r->d.loop, &r->d.conf->control_socket, 4 * 1024 * 1024, on_client, r);
}

void
rig_send(struct rig *r, const char *text)
{
	stream_write(r->client, text, strlen(text));
}

static bool
has_line(void *arg)
{
	struct rig *r = arg;
	const char *p;
	size_t n;

	p = stream_peek(r->client, &n);
	return r->closed || (p != NULL && n > 0 && memchr(p, '\n', n) != NULL);
}

json_t *
rig_line(struct rig *r)
{
	const char *p, *lf;
	json_t *v;
	size_t n;

	if (!rig_run(r, has_line))
		return NULL;
	p = stream_peek(r->client, &n);
	lf = n > 0 ? memchr(p, '\n', n) : NULL;
	if (lf == NULL)
		return NULL;
	v = json_loadb(p, (size_t)(lf - p), JSON_REJECT_DUPLICATES, NULL);
	stream_consume(r->client, (size_t)(lf - p) + 1);
	cr_assert_not_null(v);
	return v;
}

json_t *
rig_call(struct rig *r, const char *method, const char *params)
{
	char text[2048];
	json_t *v;

	snprintf(text, sizeof text, "{\"jsonrpc\":\"2.0\",\"id\":77,\"method\":\"%s\"%s%s}\n", method, params != NULL ? ",\"params\":" : "",
	    params != NULL ? params : "");
	rig_send(r, text);
	while ((v = rig_line(r)) != NULL && json_integer_value(json_object_get(v, "id")) != 77)
		json_decref(v);
	return v;
}

static void
on_asked(struct stream *s, enum stream_event ev, void *arg)
{
	struct rig *r = arg;

	(void)s;
	r->over = r->over || ev == STREAM_CLOSED;
}

struct stream *
rig_ask(struct rig *r, const char *path, const char *request, size_t max_input)
{
	struct endpoint ep = { .kind = ENDPOINT_UNIX };
	struct stream *s;

	snprintf(ep.path, sizeof ep.path, "%s", path);
	r->over = false;
	s = stream_connect(r->d.loop, &ep, max_input, on_asked, r);
	stream_write(s, request, strlen(request));
	return s;
}

bool
rig_is_over(void *rig)
{
	const struct rig *r = rig;

	return r->over;
}

char *
rig_path(const struct rig *r, const char *fmt, ...)
{
	static char text[4][192];
	static unsigned next;
	char *out = text[next++ % 4];
	int n = snprintf(out, sizeof text[0], "%s/", r->dir);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(out + n, sizeof text[0] - (size_t)n, fmt, ap);
	va_end(ap);
	return out;
}

const struct onion_record *
rig_listed(const struct rig *r)
{
	struct mirror_view v;

	return engine_mirror_view(r->d.engine, 0, &v) == 0 ? engine_onion(r->d.engine, v.listed) : NULL;
}
