/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"
#include "base/confine.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static char dir[32];

static void
setup(void)
{
	strcpy(dir, "/tmp/unit-confine-XXXXXX");
	cr_assert(mkdtemp(dir) != NULL);
	cr_assert(chdir(dir) == 0 && mkdir("in", 0700) == 0 && mkdir("in/sub", 0700) == 0 && mkdir("out", 0700) == 0 && mkdir("read", 0700) == 0);
	fclose(fopen("out/file", "w"));
	fclose(fopen("read/file", "w"));
}

static void
teardown(void)
{
	static const char *const names[] = { "in/file", "in/sub/file", "in/link", "in/sock", "in/sub", "in", "out/file", "out/sock", "out/new",
		"out", "read/file", "read/new", "read" };
	size_t i;

	for (i = 0; i < sizeof names / sizeof names[0]; i++)
		if (unlink(names[i]) != 0)
			rmdir(names[i]);
	rmdir(dir);
}

TestSuite(base_confine, .init = setup, .fini = teardown, .timeout = 30);

/* What cannot be taken back is done in a child: its exit code. */
static int
in_child(int (*work)(void))
{
	int status;
	pid_t pid = fork();

	cr_assert_geq(pid, 0);
	if (pid == 0)
		_exit(work());
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int
landlock(struct confine_rules *r)
{
	char in[] = "in", to_read[] = "read", none[] = "/not/there";
	struct confine_path paths[] = { { in, CONFINE_CHANGE | CONFINE_SOCKETS }, { to_read, CONFINE_READ }, { none, CONFINE_CHANGE } };
	unsigned layers = 0;
	struct err e = ERR_INIT;

	r->paths = paths;
	r->n_paths = 3;
	if (confine_process(&e) != 0 || confine_landlock(r, &layers, &e) != 0) {
		fprintf(stderr, "%s\n", e.msg);
		return -1;
	}
	return (int)layers;
}

static bool
opens(const char *path, int flags)
{
	int fd = open(path, flags, 0600);

	if (fd < 0)
		return false;
	close(fd);
	return true;
}

static bool
binds(const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), r;

	strcpy(sun.sun_path, path);
	r = bind(fd, (struct sockaddr *)&sun, sizeof sun);
	close(fd);
	return r == 0;
}

#define CHECK(n, what) \
	do { \
		if (!(what)) { \
			fprintf(stderr, "not so: %s\n", #what); \
			return n; \
		} \
	} while (0)

static int
use_files(void)
{
	struct confine_rules r = { .any_connect = true };
	int layers = landlock(&r);

	if (layers == 0)
		return 77;
	CHECK(1, (layers & CONFINE_FILES) != 0);
	CHECK(2, opens("in/file", O_RDWR | O_CREAT) && rename("in/file", "in/sub/file") == 0 && symlink("sub", "in/link") == 0 && binds("in/sock"));
	CHECK(3, truncate("in/sub/file", 0) == 0 && unlink("in/sub/file") == 0 && rmdir("in/sub") == 0 && opens("in", O_RDONLY | O_DIRECTORY));
	CHECK(4, opens("read/file", O_RDONLY) && !opens("read/file", O_WRONLY) && !opens("read", O_RDONLY | O_DIRECTORY));
	CHECK(5, !opens("read/new", O_WRONLY | O_CREAT) && unlink("read/file") != 0);
	CHECK(6, !opens("out/file", O_RDONLY) && errno == EACCES && !opens("out/new", O_WRONLY | O_CREAT) && !binds("out/sock") &&
		unlink("out/file") != 0);
	CHECK(7, !opens("/etc/passwd", O_RDONLY) && access("/bin/true", X_OK) == 0 && execl("/bin/true", "true", NULL) != 0);
	return 0;
}

Test(base_confine, landlock_leaves_the_paths_of_its_rules_and_no_others)
{
	int r = in_child(use_files);

	if (r == 77)
		cr_skip_test("this kernel has no Landlock");
	cr_expect_eq(r, 0);
}

/* connect() to a port of loopback where nobody listens: ECONNREFUSED, or EACCES when it may not. */
static int
try_port(uint16_t port, bool listening)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_STREAM, 0), r;

	r = listening ? bind(fd, (struct sockaddr *)&sin, sizeof sin) : connect(fd, (struct sockaddr *)&sin, sizeof sin);
	r = r == 0 ? 0 : errno;
	close(fd);
	return r;
}

static int
use_ports(void)
{
	uint16_t one = 9, other = 47123;
	struct confine_rules r = { .connect = &one, .n_connect = 1, .bind = &other, .n_bind = 1 };
	int layers = landlock(&r);

	if (layers < 0 || (layers & CONFINE_TCP) == 0)
		return layers < 0 ? 1 : 77;
	CHECK(2, try_port(9, false) != EACCES && try_port(10, false) == EACCES);
	CHECK(3, try_port(47123, true) != EACCES && try_port(47124, true) == EACCES);
	return 0;
}

static int
use_any_port(void)
{
	struct confine_rules r = { .any_connect = true };
	int layers = landlock(&r);

	if (layers < 0 || (layers & CONFINE_TCP) == 0)
		return layers < 0 ? 1 : 77;
	CHECK(2, try_port(10, false) != EACCES && try_port(47123, true) == EACCES);
	return 0;
}

Test(base_confine, landlock_leaves_the_ports_of_its_rules_and_no_others)
{
	int r = in_child(use_ports);

	if (r == 77)
		cr_skip_test("this kernel's Landlock knows no ports");
	cr_expect_eq(r, 0);
	cr_expect_eq(in_child(use_any_port), 0);
}

static int
use_scopes(void)
{
	struct confine_rules r = { .any_connect = true };
	int layers = landlock(&r);

	if (layers < 0 || (layers & CONFINE_SCOPES) == 0)
		return layers < 0 ? 1 : 77;
	CHECK(2, kill(getppid(), 0) != 0 && errno == EPERM && kill(getpid(), 0) == 0);
	return 0;
}

Test(base_confine, no_signal_leaves_the_sandbox)
{
	int r = in_child(use_scopes);

	if (r == 77)
		cr_skip_test("this kernel's Landlock knows no scopes");
	cr_expect_eq(r, 0);
}

static int
be_confined(void)
{
	struct rlimit l;

	CHECK(1, confine_process(NULL) == 0);
	CHECK(2, getrlimit(RLIMIT_CORE, &l) == 0 && l.rlim_cur == 0 && l.rlim_max == 0);
	CHECK(3, prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0 && prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
	return 0;
}

Test(base_confine, a_process_has_no_core_and_gets_no_privileges)
{
	cr_expect_eq(in_child(be_confined), 0);
}

static int
become_nobody(void)
{
	uid_t r, e, s;

	CHECK(1, confine_user("nobody", NULL) == 0);
	CHECK(2, getresuid(&r, &e, &s) == 0 && r == e && e == s && r != 0 && getgid() != 0 && setuid(0) != 0);
	/* It is who it is already: fine. Another: no more. */
	CHECK(3, confine_user("nobody", NULL) == 0 && confine_user("daemon", NULL) == -1);
	return 0;
}

Test(base_confine, root_becomes_a_user_for_good)
{
	struct err e = ERR_INIT;

	if (getuid() != 0)
		cr_skip_test("only root can");
	cr_expect_eq(in_child(become_nobody), 0);
	cr_expect_eq(confine_user("no-such-user-here", &e), -1);
	cr_expect_str_eq(e.msg, "user: there is no user \"no-such-user-here\"");
}
