/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"
#include "daemon/sandbox.h"

#include "support/tree.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char dir[32], conf_path[64];

static void
setup(void)
{
	strcpy(dir, "/tmp/unit-sandbox-XXXXXX");
	cr_assert(mkdtemp(dir) != NULL && chdir(dir) == 0);
	snprintf(conf_path, sizeof conf_path, "%s/conf", dir);
	cr_assert(mkdir("state", 0700) == 0 && mkdir("run", 0700) == 0 && mkdir("prom", 0700) == 0);
}

static void
teardown(void)
{
	tree_remove(dir);
}

TestSuite(daemon_sandbox, .init = setup, .fini = teardown, .timeout = 30);

/* A configuration of unix sockets, with these lines and backends. */
static struct conf *
conf_of(const char *lines, const char *backend)
{
	struct buf faults = BUF_INIT(65536);
	struct conf *c = NULL;
	FILE *f = fopen(conf_path, "w");

	fprintf(f,
	    "site = \"test\"\nstate-dir = \"%s/state\"\npublish-dir = \"%s/publish\"\ncontrol-socket = \"%s/run/ctl\"\nkey-file = \"%s/key\"\n"
	    "tor \"main\" { control = \"unix:%s/tor/control\" cookie = \"%s/tor/cookie\" socks = \"unix:%s/tor/socks\" }\n"
	    "check \"page\" { }\nmirror \"north\" { backend = \"%s\" tor = \"main\" check = \"page\" }\n%s\n",
	    dir, dir, dir, dir, dir, dir, dir, backend, lines);
	fclose(f);
	cr_assert_eq(conf_load(&c, conf_path, &faults), 0, "%s", buf_str(&faults));
	buf_free(&faults);
	return c;
}

/* Inside: is `lines` and `backend` more than it was entered with? What the child answers is on the pipe. */
static const char *
outgrown(const char *first_lines, const char *first_backend, const char *lines, const char *backend)
{
	static char said[300];
	struct conf *c = conf_of(first_lines, first_backend), *next = conf_of(lines, backend);
	int fds[2], status;
	ssize_t n;
	pid_t pid;

	cr_assert_eq(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		struct sandbox *s = NULL;
		struct err e = ERR_INIT;
		const char *what = e.msg;

		if (sandbox_enter(&s, c, conf_path, &e) == 0)
			what = sandbox_outgrown(s, next, conf_path);
		_exit(what != NULL && write(fds[1], what, strlen(what)) < 0);
	}
	close(fds[1]);
	n = read(fds[0], said, sizeof said - 1);
	close(fds[0]);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_expect_eq(status, 0);
	said[n > 0 ? n : 0] = '\0';
	conf_free(c);
	conf_free(next);
	return said;
}

Test(daemon_sandbox, a_reload_that_needs_more_names_what)
{
	char unix_backend[64], textfile[100];
	struct conf *c = conf_of("", "127.0.0.1:8080");
	bool has_landlock, has_calls;
	struct sandbox *s = NULL;
	struct err e = ERR_INIT;
	pid_t pid;
	int status;

	snprintf(unix_backend, sizeof unix_backend, "unix:%s/web.sock", dir);
	snprintf(textfile, sizeof textfile, "metrics { textfile = \"%s/prom/om.prom\" }", dir);
	pid = fork();
	if (pid == 0)
		_exit(sandbox_enter(&s, c, conf_path, &e) != 0 ? 9 : sandbox_layer_holds(s, 0) + 2 * sandbox_layer_holds(s, 3));
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert(WIFEXITED(status) && WEXITSTATUS(status) < 4);
	conf_free(c);
	has_landlock = (WEXITSTATUS(status) & 1) != 0;
	has_calls = (WEXITSTATUS(status) & 2) != 0;

	cr_expect_str_eq(outgrown("", unix_backend, "", unix_backend), "");
	/* Backends come and go, on any port. */
	cr_expect_str_eq(outgrown("", "127.0.0.1:8080", "", "127.0.0.1:8081"), "");
	cr_expect_str_eq(outgrown("", "127.0.0.1:8080", "", unix_backend), "");
	if (has_landlock || has_calls)
		cr_expect_str_eq(outgrown("", unix_backend, "", "127.0.0.1:8081"), "the first backend on a TCP port");
	if (!has_landlock)
		cr_skip_test("this kernel has no Landlock");
	cr_expect_str_eq(outgrown("", unix_backend, textfile, unix_backend), "metrics, textfile");
	cr_expect_str_eq(outgrown(textfile, unix_backend, "", unix_backend), "");
	cr_expect_str_eq(outgrown("", unix_backend, "list-service { sockets = \"/run/elsewhere/list\" }", unix_backend), "list-service, sockets");
	/* Nothing holds, nothing is outgrown. */
	cr_expect_str_eq(outgrown("sandbox = off", unix_backend, textfile, unix_backend), "");
}

Test(daemon_sandbox, off_is_told)
{
	struct conf *c = conf_of("sandbox = off", "127.0.0.1:8080");
	struct sandbox *s = NULL;
	json_t *told;

	cr_assert_eq(sandbox_enter(&s, c, conf_path, NULL), 0);
	told = sandbox_json(s);
	cr_expect_str_eq(json_string_value(json_object_get(told, "mode")), "off");
	cr_expect_str_eq(json_string_value(json_object_get(told, "missing")), "sandbox = off");
	cr_expect_eq(json_array_size(json_object_get(told, "layers")), 0);
	json_decref(told);
	sandbox_free(s);
	conf_free(c);
}
