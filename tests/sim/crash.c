/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Death at every side effect. A scenario runs once; at each write, fsync, change
 * of a name and send of the daemon in its window the process forks, and in the
 * copy the daemon dies there, alone or with the machine's power. The copy goes on
 * to the scenario's end, where everything must be as expected all the same; on
 * its way it forks again at side effects of the recovery, for a second death.
 */
#include "config.h"
#include "sim/crash.h"

#include "sim/check_impl.h"
#include "sim/impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define RECOVERY_MS 60000 /* a second death comes within this time of the first */
#define DEATHS 2
#define TOLD 8 /* failures that are printed with their trace */

/* What all copies count together. */
struct tally {
	unsigned points, worlds, second, failed;
};
static struct tally *tally;

static const struct scenario *now;
static unsigned second_every; /* of the recovery's side effects each so many-th is a second death; 0: none */
static unsigned jobs, running;
static unsigned deaths; /* of this copy */
static uint64_t seen;   /* side effects since the last death, or since the window began */
static uint64_t first;  /* where the first death was */
static int64_t until;
static char path[120]; /* where this copy died: "17.power.4.kill" */
static const char *replay; /* the rest of such a path that is to be gone, NULL: all of them */

static void
wait_one(void)
{
	int status;

	if (wait(&status) < 0)
		abort();
	running--;
	/* It did not live to tell. */
	if (!WIFEXITED(status) || WEXITSTATUS(status) > 1) {
		printf("not ok %s: a copy ended with %d\n", now->path, status);
		__atomic_add_fetch(&tally->failed, 1, __ATOMIC_RELAXED);
	}
}

/* In the copy. */
static void
be_dead(enum effect kind, const char *what, enum fate f)
{
	size_t n = strlen(path);
	uint64_t i;

	snprintf(path + n, sizeof path - n, "%s%llu.%s", n > 0 ? "." : "", (unsigned long long)seen, f == FATE_POWER ? "power" : "kill");
	/* Other dice at each place: what a power loss leaves is not always the same. */
	for (i = 0; i < seen && f == FATE_POWER; i++)
		sim_below(DICE_DISK, 2);
	sim_trace("--- death %s: %s %s ---", path, process_effect_name(kind), what);
	first = deaths++ == 0 ? seen : first;
	seen = 0;
	until = sim_now() + RECOVERY_MS;
	running = 0;
}

/* A copy that dies here goes its own way: true in it. */
static bool
part(enum effect kind, const char *what, enum fate f)
{
	pid_t pid;

	fflush(stdout);
	if ((pid = fork()) < 0)
		abort();
	if (pid == 0) {
		be_dead(kind, what, f);
		__atomic_add_fetch(&tally->worlds, 1, __ATOMIC_RELAXED);
		__atomic_add_fetch(&tally->second, deaths == DEATHS, __ATOMIC_RELAXED);
		return true;
	}
	running++;
	while (running >= (deaths == 0 ? jobs : 1))
		wait_one();
	return false;
}

/* The next place of a path that was told. */
static enum fate
follow(enum effect kind, const char *what)
{
	enum fate f;
	char *end;

	if (strtoull(replay, &end, 10) != seen || *end++ != '.')
		return FATE_LIVE;
	f = end[0] == 'p' ? FATE_POWER : FATE_KILL;
	replay = strchr(end, '.');
	replay = replay != NULL ? replay + 1 : "";
	be_dead(kind, what, f);
	return f;
}

/* Each copy dies at other places of its recovery than the one before, by turns alone and with the power. */
static enum fate
second(enum effect kind, const char *what)
{
	uint64_t place = seen * 31 + first * 17;
	enum fate f = place % 2 == 0 ? FATE_KILL : FATE_POWER;

	return second_every > 0 && place % second_every == 0 && part(kind, what, f) ? f : FATE_LIVE;
}

static enum fate
on_effect(enum effect kind, const char *what)
{
	if (sim_now() < now->crash_from || sim_now() >= until || deaths == DEATHS)
		return FATE_LIVE;
	seen++;
	if (replay != NULL)
		return follow(kind, what);
	if (deaths > 0)
		return second(kind, what);
	tally->points++;
	if (part(kind, what, FATE_KILL))
		return FATE_KILL;
	return part(kind, what, FATE_POWER) ? FATE_POWER : FATE_LIVE;
}

void
crash_begin(const struct scenario *s)
{
	now = s;
	deaths = running = 0;
	seen = 0;
	path[0] = '\0';
	until = s->crash_until;
	process_set_fate(on_effect);
}

bool
crash_is_copy(void)
{
	return deaths > 0 && replay == NULL;
}

void
crash_end(struct scenario *s)
{
	process_set_fate(NULL);
	while (running > 0)
		wait_one();
	if (!crash_is_copy())
		return;
	if (s->wrong[0] != '\0' && __atomic_add_fetch(&tally->failed, 1, __ATOMIC_RELAXED) <= TOLD)
		printf("# %s\n#   again: sim --trace --crash %s --scenarios %s\n", s->wrong, path, s->path);
	fflush(stdout);
	_exit(s->wrong[0] != '\0');
}

void
crash_set(unsigned every, unsigned n_jobs, const char *one)
{
	second_every = every;
	jobs = n_jobs;
	replay = one;
	if (tally == NULL)
		tally = mmap(NULL, sizeof *tally, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (tally == MAP_FAILED)
		abort();
}

void
crash_tell(struct scenario *s)
{
	printf("# %s: %u side effects, died at each alone and with the power; %u worlds, %u of them with a second death, %u failed\n", s->path,
	    tally->points, tally->worlds, tally->second, tally->failed);
	if (tally->points == 0 && replay == NULL)
		snprintf(s->wrong, sizeof s->wrong, "%s: no side effect in its window", s->path);
	if (tally->failed > 0)
		snprintf(s->wrong, sizeof s->wrong, "%s: %u of %u deaths end badly", s->path, tally->failed, tally->worlds);
	memset(tally, 0, sizeof *tally);
}
