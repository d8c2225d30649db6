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

void run_world(struct run_result *r, uint64_t seed, const struct run_options *o);
void run_print(const struct run_result *r, const struct run_options *o);
/* How many failed. */
unsigned run_many(uint64_t first, uint64_t last, unsigned jobs, const struct run_options *o);

#endif
