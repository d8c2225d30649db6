/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The filter of system calls. Owns the handler of SIGSYS and the names that it
 * tells. The table was made by watching every system test, and is what glibc,
 * libevent, SQLite, OpenSSL and libsodium need for a loop over files and
 * sockets in one thread; a name that this machine does not have is left out.
 */
#include "config.h"
#include "io/syscalls.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

static const char *const allowed[] = {
	/* memory; without PROT_EXEC: limit_arguments() */
	"brk", "madvise", "mlock", "mlock2", "mremap", "munlock", "munmap",
	/* time, chance, waiting */
	"clock_gettime", "clock_getres", "gettimeofday", "time", "getrandom", "clock_nanosleep", "nanosleep", "restart_syscall", "futex",
	"epoll_create1", "epoll_ctl", "epoll_wait", "epoll_pwait", "epoll_pwait2", "poll", "ppoll", "eventfd2", "pipe2", "timerfd_create",
	"timerfd_settime",
	/* files */
	"access", "faccessat", "faccessat2", "chmod", "fchmod", "fchmodat", "chown", "fchown", "fchownat", "close", "dup", "fallocate",
	"fadvise64", "fcntl", "fdatasync", "flock", "fstat", "fstatfs", "fsync", "ftruncate", "getcwd", "getdents64", "link", "linkat",
	"lseek", "lstat", "mkdir", "mkdirat", "newfstatat", "open", "openat", "pread64", "pwrite64", "pwritev", "read", "readlink",
	"readlinkat", "readv", "rename", "renameat", "renameat2", "rmdir", "stat", "statx", "symlink", "symlinkat", "umask", "unlink",
	"unlinkat", "utimensat", "write", "writev",
	/* sockets; socket() itself: limit_arguments() */
	"accept", "accept4", "bind", "connect", "getpeername", "getsockname", "getsockopt", "listen", "recvfrom", "recvmsg", "sendmsg",
	"sendto", "setsockopt", "shutdown",
	/* this process */
	"exit", "exit_group", "getegid", "geteuid", "getgid", "getpid", "getppid", "gettid", "getuid", "getrusage", "rseq",
	"rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "set_robust_list", "sigaltstack", "sched_yield", "sysinfo", "uname",
	/* of 32 bit machines */
	"clock_gettime64", "clock_getres_time64", "clock_nanosleep_time64", "fcntl64", "fstat64", "fstatat64", "fstatfs64", "ftruncate64",
	"futex_time64", "_llseek", "lstat64", "ppoll_time64", "sigreturn", "stat64", "timerfd_settime64", "utimensat_time64",
#ifdef SANITIZED
	/* The leak checker looks at the process from a child, when it ends; both look things up in /proc. */
	"clone", "clone3", "getdents", "kill", "prctl", "ptrace", "sched_getaffinity", "tgkill", "wait4", "mmap", "mprotect",
#endif
	NULL,
};

/* Whoever makes one of these is not us. */
static const char *const deadly[] = { "execve", "execveat", "process_vm_readv", "process_vm_writev", "bpf", "userfaultfd",
	"io_uring_setup", "io_uring_enter", "io_uring_register", "keyctl", "add_key", "request_key", "mount", "umount2", "move_mount",
	"open_tree", "fsopen", "pivot_root", "chroot", "setns", "unshare", "kexec_load", "kexec_file_load", "perf_event_open", "personality",
	"init_module", "finit_module", "delete_module", "open_by_handle_at", "swapon", "reboot", "settimeofday", "clock_settime",
#ifndef SANITIZED
	"ptrace",
#endif
	NULL };

const char *
syscalls_name(size_t i)
{
	size_t n = sizeof allowed / sizeof allowed[0] - 1;

	return i < n ? allowed[i] : deadly[i - n];
}

#ifdef HAVE_SECCOMP
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/ioctl.h>
#include <ucontext.h>
#include <unistd.h>

#define NUMBERS 512
#define TOLD_MAX 20 /* a loop of refused calls must not fill the disk */
#define WORD UINT32_MAX /* an int's upper half in a register is anything */

static char *names[NUMBERS];
static bool end_at_first;
static volatile sig_atomic_t refused, last;

/* The machines whose way of giving back a result is known; on others a refusal is fatal. */
static bool
give_back(ucontext_t *u, long result)
{
#if defined(__x86_64__)
	u->uc_mcontext.gregs[REG_RAX] = result;
	return true;
#elif defined(__i386__)
	u->uc_mcontext.gregs[REG_EAX] = (int)result;
	return true;
#elif defined(__aarch64__)
	u->uc_mcontext.regs[0] = (unsigned long long)result;
	return true;
#elif defined(__riscv)
	u->uc_mcontext.__gregs[REG_A0] = (unsigned long)result;
	return true;
#else
	(void)u, (void)result;
	return false;
#endif
}

static const char *
name_of(int nr)
{
	return nr >= 0 && nr < NUMBERS && names[nr] != NULL ? names[nr] : "unknown";
}

/* Runs inside the call that was refused, which may be one of malloc's: no more than write(). */
static void
on_refused(int signo, siginfo_t *info, void *context)
{
	static const char begin[] = "<3>onionmirrord: the sandbox refused the system call ", end[] = ", which the daemon never makes\n";
	int saved = errno;
	char line[128];
	size_t n = sizeof begin - 1, k = strlen(name_of(info->si_syscall));

	k = k < 40 ? k : 40;
	last = info->si_syscall;
	if (refused++ < TOLD_MAX) {
		memcpy(line, begin, n);
		memcpy(line + n, name_of(info->si_syscall), k);
		memcpy(line + n + k, end, sizeof end - 1);
		if (write(STDERR_FILENO, line, n + k + sizeof end - 1) < 0)
			saved = errno; /* nobody to tell */
	}
	if (end_at_first || !give_back(context, -EPERM)) {
		signal(signo, SIG_DFL);
		raise(signo); /* comes when this handler returns */
	}
	errno = saved;
}

static int
allow(scmp_filter_ctx f, const char *name, unsigned n, const struct scmp_arg_cmp *args)
{
	int nr = seccomp_syscall_resolve_name(name);

	return nr < 0 ? 0 : seccomp_rule_add_array(f, SCMP_ACT_ALLOW, nr, n, args);
}

static int
allow_socket(scmp_filter_ctx f, int family, int type)
{
	const scmp_datum_t flags = SOCK_CLOEXEC | SOCK_NONBLOCK;
	const struct scmp_arg_cmp args[] = { SCMP_A0(SCMP_CMP_MASKED_EQ, WORD, (scmp_datum_t)family),
		SCMP_A1(SCMP_CMP_MASKED_EQ, WORD & ~flags, (scmp_datum_t)type), SCMP_A2(SCMP_CMP_MASKED_EQ, WORD, 0) };

	return allow(f, "socket", 3, args);
}

/* Calls that are harmless with some arguments only. */
static int
limit_arguments(scmp_filter_ctx f, bool tcp)
{
	const struct scmp_arg_cmp self[] = { SCMP_A0(SCMP_CMP_MASKED_EQ, WORD, (scmp_datum_t)getpid()) };
	const struct scmp_arg_cmp data[] = { SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0) };
	const struct scmp_arg_cmp look[] = { SCMP_A2(SCMP_CMP_EQ, 0) };
	const struct scmp_arg_cmp is_tty[] = { SCMP_A1(SCMP_CMP_MASKED_EQ, WORD, TCGETS) }, unread[] = { SCMP_A1(SCMP_CMP_MASKED_EQ, WORD, FIONREAD) };
	const struct scmp_arg_cmp unix_only[] = { SCMP_A0(SCMP_CMP_MASKED_EQ, WORD, AF_UNIX) };

	if (allow_socket(f, AF_UNIX, SOCK_STREAM) != 0 || allow_socket(f, AF_UNIX, SOCK_DGRAM) != 0 ||
	    allow(f, "socketpair", 1, unix_only) != 0)
		return -1;
	if (tcp && (allow_socket(f, AF_INET, SOCK_STREAM) != 0 || allow_socket(f, AF_INET6, SOCK_STREAM) != 0))
		return -1;
#ifndef SANITIZED
	if (allow(f, "mmap", 1, data) != 0 || allow(f, "mmap2", 1, data) != 0 || allow(f, "mprotect", 1, data) != 0 ||
	    allow(f, "tgkill", 1, self) != 0)
		return -1;
#else
	(void)self, (void)data;
#endif
	return allow(f, "prlimit64", 1, look) != 0 || allow(f, "ioctl", 1, is_tty) != 0 || allow(f, "ioctl", 1, unread) != 0 ? -1 : 0;
}

static int
add_table(scmp_filter_ctx f, const struct syscalls_rules *rules)
{
	size_t i;
	int nr;

	for (i = 0; allowed[i] != NULL; i++)
		if (allow(f, allowed[i], 0, NULL) != 0)
			return -1;
	for (i = 0; deadly[i] != NULL && !rules->fatal; i++)
		if ((nr = seccomp_syscall_resolve_name(deadly[i])) >= 0 && seccomp_rule_add(f, SCMP_ACT_KILL_PROCESS, nr, 0) != 0)
			return -1;
	return limit_arguments(f, rules->tcp);
}

static void
learn_names(void)
{
	int nr;

	for (nr = 0; nr < NUMBERS; nr++)
		if (names[nr] == NULL)
			names[nr] = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, nr);
}

int
syscalls_confine(const struct syscalls_rules *rules, struct err *e)
{
	struct sigaction sa = { .sa_sigaction = on_refused, .sa_flags = SA_SIGINFO };
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_TRAP);
	int r = -1;

	if (f == NULL)
		return err_set(e, ERR_MEMORY, "no memory for a filter of system calls");
	end_at_first = rules->fatal;
	learn_names();
	if (sigaction(SIGSYS, &sa, NULL) != 0)
		err_set_sys(e, "SIGSYS");
	/* libseccomp asks the kernel what it can already when a rule is added. */
	else if (seccomp_attr_set(f, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS) != 0 || add_table(f, rules) != 0 || seccomp_load(f) != 0)
		err_set(e, ERR_NOTFOUND, "this kernel takes no filter of system calls");
	else
		r = 0;
	seccomp_release(f);
	return r;
}

unsigned
syscalls_refused(const char **name)
{
	*name = refused > 0 ? name_of(last) : NULL;
	return (unsigned)refused;
}
#else
int
syscalls_confine(const struct syscalls_rules *rules, struct err *e)
{
	(void)rules;
	return err_set(e, ERR_NOTFOUND, "this onionmirrord was built without libseccomp");
}

unsigned
syscalls_refused(const char **name)
{
	*name = NULL;
	return 0;
}
#endif
