/* SPDX-License-Identifier: BSD-3-Clause */
/* One world from its beginning to its end; and many of them, in several processes. */
#include "config.h"
#include "sim/runner.h"

#include "sim/check.h"
#include "sim/impl.h"
#include "sim/nemesis.h"
#include "sim/other.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define DAY_MS INT64_C(86400000)

static void
heal(void *arg)
{
	(void)arg;
	sim_trace("--- all faults end ---");
	nemesis_heal();
	operator_heal();
	other_peer_heal();
	check_heal();
}

void
world_begin(uint64_t seed, const struct run_options *o, void (*build)(void))
{
	loop_begin();
	clock_begin();
	trace_begin(o->trace);
	random_begin(seed);
	stream_begin();
	disk_begin();
	disk_restore();
	vfs_begin();
	plan_begin(seed, o->days, build == NULL && seed % 8 != 0);
	sim_trace("seed %" PRIu64 ": %u tors, %u mirrors", seed, sim_plan.n_tors, sim_plan.n_mirrors);
	if (build != NULL)
		build();
	operator_clear();
	other_peer_clear();
	if (build == NULL)
		other_peer_plan();
	check_begin();
	model_start();
	process_begin();
	if (build != NULL)
		return; /* nothing happens by chance */
	nemesis_begin();
	operator_begin();
	other_peer_begin();
}

void
world_end(void)
{
	process_end();
	operator_end();
	model_stop();
	stream_end();
	check_end();
	other_end();
	disk_end();
	loop_end();
}

/* The last day, or the second half of a shorter run, is for coming back. */
static int64_t
heal_at(int64_t end_ms)
{
	return end_ms >= 2 * DAY_MS ? end_ms - DAY_MS : end_ms / 2;
}

void
run_world(struct run_result *r, uint64_t seed, const struct run_options *o)
{
	int64_t end_ms = (int64_t)o->days * DAY_MS, until = o->until_ms > 0 && o->until_ms < end_ms ? o->until_ms : end_ms;

	world_begin(seed, o, NULL);
	sim_after(heal_at(end_ms), heal, NULL);
	while (trace_violation() == NULL && loop_step(until)) {
		process_settle();
		check_after_event();
	}
	if (trace_violation() == NULL && until == end_ms)
		check_at_end();
	r->seed = seed;
	r->hash = trace_hash();
	r->lines = trace_lines();
	r->events = loop_events();
	r->lives = sim_daemon_life();
	r->publications = check_publications();
	r->failed = trace_violation() != NULL;
	snprintf(r->violation, sizeof r->violation, "%s", r->failed ? trace_violation() : "");
	if (r->failed && !o->trace && !o->quiet)
		trace_tail();
	world_end();
}

void
run_print(const struct run_result *r, const struct run_options *o)
{
	if (!r->failed)
		printf("ok seed %" PRIu64 ": %u days, %" PRIu64 " events, %u lives, %u lists, trace %" PRIu64 " lines %016" PRIx64 "\n", r->seed,
		    o->days, r->events, r->lives, r->publications, r->lines, r->hash);
	else
		printf("not ok seed %" PRIu64 ": %s\n  again: %s --seed %" PRIu64 " --days %u --trace\n", r->seed, r->violation, o->program,
		    r->seed, o->days);
}

/* --- many --- */

/* One process runs every n-th seed and writes results into a pipe. */
static void
worker(int fd, uint64_t first, uint64_t last, unsigned step, const struct run_options *o)
{
	struct run_result r;
	uint64_t seed;

	for (seed = first; seed <= last; seed += step) {
		memset(&r, 0, sizeof r);
		run_world(&r, seed, o);
		if (write(fd, &r, sizeof r) != (ssize_t)sizeof r) /* less than PIPE_BUF: whole */
			_exit(2);
	}
}

unsigned
run_many(uint64_t first, uint64_t last, unsigned jobs, const struct run_options *o)
{
	unsigned failed = 0, done = 0, i;
	uint64_t events = 0, lives = 0, lists = 0;
	struct run_result r;
	int fds[2], status;

	fflush(stdout);
	if (pipe(fds) != 0)
		abort();
	for (i = 0; i < jobs; i++) {
		pid_t pid = fork();

		if (pid < 0)
			abort();
		if (pid == 0) {
			close(fds[0]);
			worker(fds[1], first + i, last, jobs, o);
			exit(0);
		}
	}
	close(fds[1]);
	while (read(fds[0], &r, sizeof r) == (ssize_t)sizeof r) {
		done++;
		failed += r.failed;
		events += r.events;
		lives += r.lives;
		lists += r.publications;
		if (r.failed || o->verbose)
			run_print(&r, o);
		fflush(stdout);
	}
	close(fds[0]);
	for (i = 0; i < jobs; i++)
		if (wait(&status) < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
			printf("not ok a process of the simulator ended with %d\n", status);
			failed++;
		}
	if (done != last - first + 1 && failed == 0)
		failed++;
	printf("%s sim: %u of %" PRIu64 " seeds (%" PRIu64 "..%" PRIu64 ") x %u days, %u failed: %" PRIu64 " events, %" PRIu64 " lives, %" PRIu64
	       " lists\n", failed == 0 ? "ok" : "not ok", done, last - first + 1, first, last, o->days, failed, events, lives, lists);
	return failed;
}
