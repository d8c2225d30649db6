/* SPDX-License-Identifier: BSD-3-Clause */
/* The list service inside the daemon: what tor is told, who is answered what, and that the mirrors do without it. */
#include "config.h"
#include "unit/daemon/rig.h"

#include "base/file.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct rig r;

static void
conf(const char *more)
{
	char text[512];

	snprintf(text, sizeof text, "list-service { port = 81 sockets = \"%s/list\" }\n%s", r.dir, more);
	rig_conf(&r, text, 1);
}

static void
start(void)
{
	rig_init(&r, "");
	conf("");
}

static void
stop(void)
{
	rig_fini(&r);
}

TestSuite(daemon_listservice, .init = start, .fini = stop);

static const char *
add_onion_line(void)
{
	const char *line;
	unsigned i;

	for (i = 0; (line = faketor_line(r.tor, i)) != NULL; i++)
		if (strncmp(line, "ADD_ONION", 9) == 0)
			return line;
	return "";
}

static const char *
socket_path(uint64_t id)
{
	static char path[108];

	snprintf(path, sizeof path, "%s/list/%llu", r.dir, (unsigned long long)id);
	return path;
}

/* The whole answer to a GET, yours. */
static char *
get(uint64_t id, const char *path)
{
	char request[200], *answer;
	struct stream *s;
	const char *p;
	size_t n;

	snprintf(request, sizeof request, "GET %s HTTP/1.0\r\n\r\n", path);
	s = rig_ask(&r, socket_path(id), request, 1024 * 1024);
	cr_assert(rig_run(&r, rig_is_over));
	p = stream_peek(s, &n);
	answer = xcalloc(1, n + 1);
	memcpy(answer, p, n);
	stream_free(s);
	return answer;
}

/* How the answer begins, and what it holds somewhere. */
static void
expect(uint64_t id, const char *path, const char *begin, const char *holds)
{
	char *got = get(id, path);

	cr_expect_eq(strncmp(got, begin, strlen(begin)), 0, "%s: %s", path, got);
	cr_expect_not_null(strstr(got, holds), "%s: %s", path, got);
	free(got);
}

static bool
is_proving(void *arg)
{
	struct rig *rig = arg;
	const struct onion_record *o = engine_onion(rig->d.engine, 1);

	return o != NULL && o->state >= ONION_ADDING;
}

Test(daemon_listservice, an_onion_gives_its_own_leaf_once_it_is_listed)
{
	const struct onion_record *o;
	char want[300];
	struct stat st;

	cr_assert(rig_open(&r), "%s", r.log);
	cr_assert(rig_run(&r, is_proving));
	expect(1, "/", "HTTP/1.1 503 ", "Service Unavailable");
	cr_assert(rig_run(&r, rig_is_listed), "%s", r.log);
	o = rig_listed(&r);
	snprintf(want, sizeof want, " Port=80,unix:%s/backend Port=81,unix:%s", r.dir, socket_path(o->id));
	cr_expect_not_null(strstr(add_onion_line(), want), "%s", add_onion_line());
	cr_expect(stat(socket_path(o->id), &st) == 0 && (st.st_mode & 0777) == 0666, "tor is another user");
	snprintf(want, sizeof want, "\"onion\":\"%s.onion\"", o->address);
	expect(o->id, "/.well-known/onionmirror/self.json", "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n", want);
	expect(o->id, "/", "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n", "Signed list of mirrors");
	expect(o->id, "/nothing", "HTTP/1.1 404 ", "Not Found");
}

Test(daemon_listservice, a_mirror_is_listed_though_its_socket_cannot_be_made)
{
	char path[128];
	struct err e = ERR_INIT;

	snprintf(path, sizeof path, "%s/list", r.dir);
	cr_assert_eq(mkdir(path, 0755), 0);
	cr_assert_eq(file_write(socket_path(1), "x", 1, 0644, &e), 0, "%s", e.msg);
	cr_assert(rig_open(&r), "%s", r.log);
	cr_assert(rig_run(&r, rig_is_listed), "%s", r.log);
	cr_expect_not_null(strstr(r.log, "a: no list service: "), "%s", r.log);
	cr_expect_null(strstr(add_onion_line(), "Port=81"), "tor is not told of what is not there");
}

Test(daemon_listservice, a_folder_that_others_can_write_to_is_refused)
{
	char path[128];

	snprintf(path, sizeof path, "%s/list", r.dir);
	cr_assert_eq(mkdir(path, 0755), 0);
	cr_assert_eq(chmod(path, 0777), 0);
	cr_expect_not(rig_open(&r));
	cr_expect_not_null(strstr(r.log, "list-service, sockets"), "%s", r.log);
}

Test(daemon_listservice, a_reload_that_takes_it_away_closes_the_sockets)
{
	struct buf faults = BUF_INIT(4096);
	uint64_t id;

	cr_assert(rig_open(&r), "%s", r.log);
	cr_assert(rig_run(&r, rig_is_listed), "%s", r.log);
	id = rig_listed(&r)->id;
	rig_conf(&r, "", 1);
	cr_assert_eq(daemon_reload(&r.d, &faults), 0, "%s", buf_str(&faults));
	cr_expect_neq(access(socket_path(id), F_OK), 0);
	conf("");
	cr_assert_eq(daemon_reload(&r.d, &faults), 0, "%s", buf_str(&faults));
	expect(id, "/", "HTTP/1.1 200 OK\r\n", "Signed list of mirrors");
	buf_free(&faults);
}

/* --- lists that are out no longer --------------------------------------------------------------- */

static struct stream *
ask(uint64_t id, const char *request)
{
	struct stream *s = rig_ask(&r, socket_path(id), request, 16); /* takes 16 bytes, then no more */

	rig_turn(&r);
	return s;
}

/* A page too large for what the kernel buffers, in a list of its own. */
static void
show_large(const char *serial)
{
	size_t n = 3 * 1024 * 1024;
	char *text = xcalloc(1, n + 1);
	struct err e = ERR_INIT;

	memset(text, 'x', n);
	cr_assert_eq(file_mkdirs(rig_path(&r, "publish/public/%s", serial), 0755, &e), 0, "%s", e.msg);
	cr_assert_eq(file_write(rig_path(&r, "publish/public/%s/index.html", serial), text, n, 0644, &e), 0, "%s", e.msg);
	free(text);
	cr_assert_eq(unlink(rig_path(&r, "publish/public/current")), 0);
	cr_assert_eq(symlink(serial, rig_path(&r, "publish/public/current")), 0);
	listservice_refresh(&r.d);
}

Test(daemon_listservice, slow_readers_keep_old_lists_only_up_to_a_bound)
{
	struct stream *first, *second;
	uint64_t id;

	cr_assert(rig_open(&r), "%s", r.log);
	cr_assert(rig_run(&r, rig_is_listed), "%s", r.log);
	id = rig_listed(&r)->id;
	listservice_bound_old(&r.d, 4 * 1024 * 1024);
	show_large("9001");
	first = ask(id, "GET / HTTP/1.0\r\n\r\n");
	rig_turn(&r);
	show_large("9002");
	rig_turn(&r);
	cr_expect_not(rig_is_over(&r), "one old list is within the bound");
	second = ask(id, "GET / HTTP/1.0\r\n\r\n");
	rig_turn(&r);
	cr_expect_eq(listservice_old(&r.d), 1);
	show_large("9003");
	cr_expect_eq(listservice_old(&r.d), 1, "two are not: the readers of the older one are cut");
	listservice_refresh(&r.d);
	cr_expect_eq(listservice_old(&r.d), 1, "nothing has changed");
	stream_free(first);
	stream_free(second);
	rig_turn(&r);
	listservice_refresh(&r.d);
	cr_expect_eq(listservice_old(&r.d), 0, "nobody reads it any more");
}
