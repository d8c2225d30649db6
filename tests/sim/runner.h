/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TESTS_SIM_RUNNER_H
#define TESTS_SIM_RUNNER_H

#include <stdbool.h>
#include <stdint.h>

struct run_options {
	const char *program;
	unsigned days;
	int64_t until_ms; /* 0: to the end */
	bool trace, quiet, verbose;
};

struct run_result {
	uint64_t seed, hash, lines, events;
	unsigned lives, publications;
	bool failed;
	char violation[600];
};

/*
 * A world for one run at a time. `build` changes sim_plan and writes the configuration, and then nothing goes
 * wrong by itself; NULL: the seed says how the world looks, and the nemesis and an operator come.
 */
void world_begin(uint64_t seed, const struct run_options *o, void (*build)(void));
void world_end(void);
void run_world(struct run_result *r, uint64_t seed, const struct run_options *o);
void run_print(const struct run_result *r, const struct run_options *o);
/* How many failed. */
unsigned run_many(uint64_t first, uint64_t last, unsigned jobs, const struct run_options *o);

#endif
