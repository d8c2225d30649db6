/* SPDX-License-Identifier: BSD-3-Clause */
/* sim: the simulator's command line. */
#include "config.h"
#include "base/mutant.h"
#include "sim/check.h"
#include "sim/crash.h"
#include "sim/impl.h"
#include "sim/nemesis.h"
#include "sim/runner.h"
#include "sim/scenario.h"

#include <getopt.h>
#include <malloc.h>
#include <sodium.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: sim [--days D] [--only FAULT,...] [--until DAYS] [--trace] [--quiet] [--verbose] [--twice] --seed S\n"
    "       sim [--days D] [--only FAULT,...] [--jobs N] [--quiet] [--verbose] --seeds A..B\n"
    "       sim [--trace] [--jobs N] [--crash PLACE|EVERY] --scenarios FILE...\n"
    "       sim --checks | --faults\n"
    "Runs the whole daemon in a simulated world. The same seed gives the same trace.\n"
    "  --mutant N  with this fault of base/mutant.h (a build with --enable-mutants)\n"
    "  --crash  of scenarios with a crash line: die a second time at each EVERY-th side effect of a recovery (0: never), or die at PLACE alone\n"
    "  --until  stop at this time (a number of days, may be 2.25)    --twice  run again, compare the traces\n"
    "  --quiet  no last lines of the trace when an invariant breaks  --only   no other classes of faults (\"\": none)\n";

static int
bad(void)
{
	fputs(usage, stderr);
	return 2;
}

static int
list_checks(void)
{
	const struct check *c;

	for (c = checks; c->name != NULL; c++)
		if (c->text[0] != '\0')
			printf("%-4s %s\n", c->name, c->text);
	return 0;
}

static int
list_faults(void)
{
	int f;

	for (f = 0; f < FAULT_N; f++)
		puts(nemesis_fault_name((enum nemesis_fault)f));
	return 0;
}

static int
take_only(char *text)
{
	unsigned faults = 0;
	char *word;
	int f;

	while ((word = strsep(&text, ",")) != NULL) {
		if (word[0] == '\0')
			continue;
		if ((f = nemesis_fault_find(word)) < 0)
			return -1;
		faults |= 1u << f;
	}
	nemesis_only(faults);
	return 0;
}

static int
run_one(uint64_t seed, bool twice, const struct run_options *o)
{
	struct run_result a, b;

	run_world(&a, seed, o);
	run_print(&a, o);
	if (!twice)
		return a.failed;
	run_world(&b, seed, o);
	if (a.hash != b.hash || a.lines != b.lines) {
		printf("not ok seed %llu: two runs gave different traces\n", (unsigned long long)seed);
		return 1;
	}
	return a.failed;
}

/* Only in a build with --enable-mutants. */
static int
take_mutant(const char *text)
{
#ifdef MUTANTS
	mutant_number = atoi(text);
	return mutant_number > 0 ? 0 : -1;
#else
	(void)text;
	return -1;
#endif
}

/* "A" or "A..B". */
static int
take_seeds(const char *text, uint64_t *first, uint64_t *last)
{
	char *end;

	*first = *last = strtoull(text, &end, 10);
	if (end != text && strncmp(end, "..", 2) == 0)
		*last = strtoull(text = end + 2, &end, 10);
	return end == text || *end != '\0' || *last < *first ? -1 : 0;
}

/* One thread, and memory that is kept. */
static void
be_quick(void)
{
	sqlite3_config(SQLITE_CONFIG_SINGLETHREAD);
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	mallopt(M_MXFAST, 0); /* what is small is kept by the thread's cache; no gathering of the rest at each large free() */
	mallopt(M_TRIM_THRESHOLD, 256 * 1024 * 1024);
	mallopt(M_MMAP_THRESHOLD, 32 * 1024 * 1024);
}

int
main(int argc, char **argv)
{
	static const struct option options[] = { { "seed", required_argument, NULL, 's' }, { "seeds", required_argument, NULL, 'S' },
		{ "days", required_argument, NULL, 'd' }, { "until", required_argument, NULL, 'u' }, { "jobs", required_argument, NULL, 'j' },
		{ "only", required_argument, NULL, 'o' }, { "trace", no_argument, NULL, 't' }, { "quiet", no_argument, NULL, 'q' },
		{ "verbose", no_argument, NULL, 'v' }, { "twice", no_argument, NULL, '2' }, { "checks", no_argument, NULL, 'c' },
		{ "faults", no_argument, NULL, 'f' },
		{ "scenarios", no_argument, NULL, 'n' }, { "crash", required_argument, NULL, 'C' },
		{ "mutant", required_argument, NULL, 'm' }, { 0 } };
	struct run_options o = { .program = argv[0], .days = 7 };
	uint64_t first = 0, last = 0;
	bool twice = false, one = false, many = false, scenarios = false;
	const char *crash = NULL;
	unsigned jobs = 1;
	int c, r;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 's':
		case 'S':
			if (take_seeds(optarg, &first, &last) != 0)
				return bad();
			one = c == 's';
			many = !one;
			break;
		case 'd': o.days = (unsigned)strtoul(optarg, NULL, 10); break;
		case 'u': o.until_ms = (int64_t)(strtod(optarg, NULL) * 86400000); break;
		case 'j': jobs = (unsigned)strtoul(optarg, NULL, 10); break;
		case 'o':
			if (take_only(optarg) != 0)
				return bad();
			break;
		case 't': o.trace = true; break;
		case 'q': o.quiet = true; break;
		case 'v': o.verbose = true; break;
		case '2': twice = true; break;
		case 'c': return list_checks();
		case 'f': return list_faults();
		case 'n': scenarios = true; break;
		case 'C': crash = optarg; break;
		case 'm':
			if (take_mutant(optarg) != 0)
				return bad();
			break;
		default: return bad();
		}
	}
	if (one + many + scenarios != 1 || o.days == 0 || jobs == 0 || (optind == argc) == scenarios)
		return bad();
	be_quick();
	random_begin(1);
	if (sodium_init() < 0)
		return 1;
	vfs_register();
	plan_prepare();
	crash_set(crash != NULL ? (unsigned)atoi(crash) : 0, jobs, crash != NULL && strchr(crash, '.') != NULL ? crash : NULL);
	if (scenarios)
		r = scn_run_files(argv + optind, (size_t)(argc - optind), jobs, crash != NULL, o.trace) > 0;
	else
		r = one ? run_one(first, twice, &o) : run_many(first, last, jobs, &o) > 0;
	disk_snapshot_free();
	return r;
}
