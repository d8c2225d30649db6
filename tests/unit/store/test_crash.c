/* SPDX-License-Identifier: BSD-3-Clause */
/* A daemon that is killed at the worst moment: the state before the transaction or the one after, never between. */
#include "config.h"
#include "state.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

TestSuite(store_crash, .init = state_setup, .fini = state_teardown);

enum moment { BEFORE_PUT, BETWEEN_PUTS, BEFORE_COMMIT, AFTER_COMMIT };

/* In the child: as far as `when`, then a byte to the parent, and wait for the end. */
static void
work(enum moment when, int to_parent)
{
	struct store *s = NULL;

	if (store_open(&s, state_dir, &state_key, NULL) != 0 || store_begin(s, NULL) != 0)
		_exit(1);
	if (when > BEFORE_PUT && store_put(s, STORE_ONION, 1, "after", 5, NULL) != 0)
		_exit(1);
	if (when > BETWEEN_PUTS && (store_put(s, STORE_LEAF, 1, "after", 5, NULL) != 0 || store_delete(s, STORE_KEY, 1, NULL) != 0))
		_exit(1);
	if (when == AFTER_COMMIT && store_commit(s, NULL) != 0)
		_exit(1);
	if (write(to_parent, "!", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

static void
kill_at(enum moment when)
{
	int fds[2], status;
	char byte;
	pid_t pid;

	cr_assert_eq(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		close(fds[0]);
		work(when, fds[1]);
	}
	close(fds[1]);
	cr_assert_eq(read(fds[0], &byte, 1), 1, "the child got there");
	kill(pid, SIGKILL);
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert(WIFSIGNALED(status));
	close(fds[0]);
}

Test(store_crash, a_kill_leaves_the_state_before_or_the_state_after)
{
	enum moment when;
	const char *now;
	struct store *s;

	for (when = BEFORE_PUT; when <= AFTER_COMMIT; when++) {
		s = state_open();
		state_put(s, STORE_ONION, 1, "before");
		state_put(s, STORE_LEAF, 1, "before");
		state_put(s, STORE_KEY, 1, "key");
		store_close(s);
		kill_at(when);
		s = state_open();
		now = when == AFTER_COMMIT ? "after" : "before";
		cr_expect(state_holds(s, STORE_ONION, 1, now), "%d", when);
		cr_expect(state_holds(s, STORE_LEAF, 1, now), "%d", when);
		cr_expect_eq(state_holds(s, STORE_KEY, 1, "key"), when != AFTER_COMMIT, "%d", when);
		store_close(s);
	}
}

/* What is there when it dies before the first transaction is through, or before the new file has its name. */
Test(store_crash, a_store_that_was_not_made_to_the_end_is_made_anew)
{
	struct store *s;

	state_write("store.new", "", 0);
	state_write("store.new-journal", "half", 4);
	s = state_open();
	state_put(s, STORE_ONION, 1, "row");
	cr_expect_eq(access(state_path("store.new"), F_OK), -1);
	cr_expect_eq(access(state_path("store.new-journal"), F_OK), -1);
	store_close(s);
	s = state_open();
	cr_expect(state_holds(s, STORE_ONION, 1, "row"));
	store_close(s);
}
