/* SPDX-License-Identifier: BSD-3-Clause */
/* Timing two things against each other, and saying it as a table and as JSON. */
#include "config.h"
#include "bench.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

struct times {
	double median, low, high; /* ms */
};

static json_t *rows;

void
bench_must(int ok, const char *what, const char *why)
{
	if (ok)
		return;
	fprintf(stderr, "bench: %s: %s\n", what, why);
	exit(1);
}

static double
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

static int
by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static struct times
sum_up(double *ms, unsigned n)
{
	qsort(ms, n, sizeof *ms, by_size);
	return (struct times){ ms[n / 2], ms[n / 10], ms[n - 1 - n / 10] };
}

static void
say_machine(void)
{
	struct utsname u;
	char line[256], *model = NULL;
	FILE *f = fopen("/proc/cpuinfo", "r");

	while (f != NULL && model == NULL && fgets(line, sizeof line, f) != NULL)
		if (sscanf(line, "model name : %m[^\n]", &model) != 1)
			model = NULL;
	if (f != NULL)
		fclose(f);
	if (uname(&u) == 0)
		printf("on %ld cores of %s, %s %s\n", sysconf(_SC_NPROCESSORS_ONLN), model != NULL ? model : u.machine, u.sysname, u.release);
	free(model);
	printf("%-44s %21s %21s %7s %7s\n", "", "ours ms (10-90 %)", "floor ms (10-90 %)", "ratio", "goal");
}

void
bench_run(const struct bench_pair *p, unsigned rounds)
{
	double *ours = calloc(rounds, sizeof *ours), *least = calloc(rounds, sizeof *least), from;
	struct times a, b;
	char goal[16] = "-";
	unsigned i;

	bench_must(ours != NULL && least != NULL, p->what, "no memory");
	if (rows == NULL) {
		rows = json_array();
		say_machine();
	}
	p->ours(p->ctx);
	p->least(p->ctx);
	for (i = 0; i < rounds; i++) {
		from = now_ms();
		p->ours(p->ctx);
		ours[i] = now_ms() - from;
		from = now_ms();
		p->least(p->ctx);
		least[i] = now_ms() - from;
	}
	a = sum_up(ours, rounds);
	b = sum_up(least, rounds);
	if (p->goal > 0)
		snprintf(goal, sizeof goal, "%.2f", p->goal);
	printf("%-44s %7.2f (%5.1f-%5.1f) %7.2f (%5.1f-%5.1f) %7.2f %7s\n", p->what, a.median, a.low, a.high, b.median, b.low, b.high,
	    a.median / b.median, goal);
	printf("  floor: %s\n", p->floor);
	fflush(stdout);
	json_array_append_new(rows, json_pack("{s:s,s:s,s:f,s:f,s:f,s:f,s:i}", "what", p->what, "floor", p->floor, "ours_ms", a.median,
	    "floor_ms", b.median, "ratio", a.median / b.median, "goal", p->goal, "rounds", (int)rounds));
	free(ours);
	free(least);
}

void
bench_end(void)
{
	const char *path = getenv("BENCH_JSON");
	FILE *f = path != NULL && path[0] != '\0' ? fopen(path, "a") : NULL;
	json_t *row;
	size_t i;

	json_array_foreach(rows, i, row)
		if (f != NULL) {
			json_dumpf(row, f, JSON_COMPACT);
			fputc('\n', f);
		}
	if (f != NULL)
		bench_must(fclose(f) == 0, path, "cannot be written");
	json_decref(rows);
	rows = NULL;
}
