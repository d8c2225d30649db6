/* SPDX-License-Identifier: BSD-3-Clause */
/* Privileges given up for good: user, core files, and Landlock. Keeps nothing. */
#include "config.h"
#include "base/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The kernel's own header may be older than the kernel: linux/landlock.h of 6.12. */
#define FS_EXECUTE (UINT64_C(1) << 0)
#define FS_WRITE_FILE (UINT64_C(1) << 1)
#define FS_READ_FILE (UINT64_C(1) << 2)
#define FS_READ_DIR (UINT64_C(1) << 3)
#define FS_REMOVE_DIR (UINT64_C(1) << 4)
#define FS_REMOVE_FILE (UINT64_C(1) << 5)
#define FS_MAKE_DIR (UINT64_C(1) << 7)
#define FS_MAKE_REG (UINT64_C(1) << 8)
#define FS_MAKE_SOCK (UINT64_C(1) << 9)
#define FS_MAKE_SYM (UINT64_C(1) << 12)
#define FS_REFER (UINT64_C(1) << 13)
#define FS_TRUNCATE (UINT64_C(1) << 14)
#define FS_OF_FILES (FS_EXECUTE | FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE)
#define NET_BIND_TCP (UINT64_C(1) << 0)
#define NET_CONNECT_TCP (UINT64_C(1) << 1)
#define SCOPE_ABSTRACT (UINT64_C(1) << 0)
#define SCOPE_SIGNAL (UINT64_C(1) << 1)
#define RULE_PATH 1
#define RULE_PORT 2
#define ASK_VERSION 1

#ifndef SYS_landlock_create_ruleset /* the same on all machines */
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule 445
#define SYS_landlock_restrict_self 446
#endif

struct ruleset {
	uint64_t fs, net, scopes;
};
struct path_rule {
	uint64_t may;
	int32_t fd;
} __attribute__((packed));
struct port_rule {
	uint64_t may, port;
};

int
confine_process(struct err *e)
{
	struct rlimit none = { 0, 0 };

	/* Both: a core that is piped into a program has no limit. */
	if (setrlimit(RLIMIT_CORE, &none) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		return err_set_sys(e, "no way to forbid core files");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return err_set_sys(e, "no way to forbid new privileges");
	return 0;
}

int
confine_user(const char *user, struct err *e)
{
	const struct passwd *p = getpwnam(user);
	uid_t uid;
	gid_t gid;

	if (p == NULL)
		return err_set(e, ERR_CONFIG, "user: there is no user \"%s\"", user);
	uid = p->pw_uid;
	gid = p->pw_gid;
	if (geteuid() == uid && getuid() == uid && uid != 0)
		return 0;
	if (initgroups(user, gid) != 0 || setresgid(gid, gid, gid) != 0 || setresuid(uid, uid, uid) != 0)
		return err_set_sys(e, "user: cannot become \"%s\"; only root can", user);
	if (uid != 0 && (setuid(0) == 0 || seteuid(0) == 0))
		return err_set(e, ERR_SYS, "user: the way back to root is still open");
	return 0;
}

static uint64_t
fs_of(unsigned may)
{
	uint64_t fs = 0;

	if ((may & CONFINE_READ) != 0)
		fs |= FS_READ_FILE;
	if ((may & CONFINE_CHANGE) != 0)
		fs |= FS_READ_FILE | FS_READ_DIR | FS_WRITE_FILE | FS_TRUNCATE | FS_REMOVE_FILE | FS_REMOVE_DIR | FS_MAKE_DIR | FS_MAKE_REG |
		    FS_MAKE_SYM | FS_REFER;
	if ((may & CONFINE_SOCKETS) != 0)
		fs |= FS_MAKE_SOCK | FS_REMOVE_FILE;
	return fs;
}

static int
add_path(int rules, const struct confine_path *p, uint64_t handled, struct err *e)
{
	struct path_rule rule = { .may = fs_of(p->may) & handled };
	struct stat st;
	int r = -1;

	/* What is not there, or behind a closed door, cannot be opened later either. */
	if ((rule.fd = open(p->path, O_PATH | O_CLOEXEC)) < 0)
		return 0;
	if (fstat(rule.fd, &st) == 0) {
		if (!S_ISDIR(st.st_mode))
			rule.may &= FS_OF_FILES;
		r = rule.may == 0 ? 0 : (int)syscall(SYS_landlock_add_rule, rules, RULE_PATH, &rule, 0);
	}
	if (r != 0)
		err_set_sys(e, "landlock: %s", p->path);
	close(rule.fd);
	return r;
}

static int
add_ports(int rules, const uint16_t *ports, size_t n, uint64_t may, struct err *e)
{
	struct port_rule rule = { .may = may };
	size_t i;

	for (i = 0; i < n; i++) {
		rule.port = ports[i];
		if (syscall(SYS_landlock_add_rule, rules, RULE_PORT, &rule, 0) != 0)
			return err_set_sys(e, "landlock: port %u", ports[i]);
	}
	return 0;
}

static void
handle(struct ruleset *set, long version, const struct confine_rules *r)
{
	/* Devices, FIFOs and programs are in no rule, so all of them are forbidden. */
	set->fs = (UINT64_C(1) << (version >= 5 ? 16 : version >= 3 ? 15 : 14)) - 1;
	if (version >= 4)
		set->net = NET_BIND_TCP | (r->any_connect ? 0 : NET_CONNECT_TCP);
	if (version >= 6)
		set->scopes = SCOPE_SIGNAL | (r->abstract ? 0 : SCOPE_ABSTRACT);
}

static int
add_all(int rules, const struct confine_rules *r, const struct ruleset *set, struct err *e)
{
	size_t i;

	for (i = 0; i < r->n_paths; i++)
		if (add_path(rules, &r->paths[i], set->fs, e) != 0)
			return -1;
	if (set->net == 0)
		return 0;
	if (add_ports(rules, r->bind, r->n_bind, NET_BIND_TCP, e) != 0)
		return -1;
	return r->any_connect ? 0 : add_ports(rules, r->connect, r->n_connect, NET_CONNECT_TCP, e);
}

int
confine_landlock(const struct confine_rules *r, unsigned *layers, struct err *e)
{
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0, ASK_VERSION);
	struct ruleset set = { 0 };
	int rules, ret = -1;

	if (version < 2) {
		*layers = 0;
		return 0;
	}
	handle(&set, version, r);
	/* An older kernel takes a longer struct whose end is 0. */
	if ((rules = (int)syscall(SYS_landlock_create_ruleset, &set, sizeof set, 0)) < 0)
		return err_set_sys(e, "landlock");
	if (add_all(rules, r, &set, e) == 0) {
		if (syscall(SYS_landlock_restrict_self, rules, 0) != 0) {
			err_set_sys(e, "landlock");
		} else {
			*layers = CONFINE_FILES | (set.net != 0 ? CONFINE_TCP : 0) | (set.scopes != 0 ? CONFINE_SCOPES : 0);
			ret = 0;
		}
	}
	close(rules);
	return ret;
}
