/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TESTS_BENCH_BENCH_H
#define TESTS_BENCH_BENCH_H

#include <stddef.h>

/*
 * Something of ours beside the least that it must cost, turn by turn in one
 * run, so that whatever else the machine does hits both. Nothing is asserted
 * about time; what a measured function does is checked by bench_must().
 */
struct bench_pair {
	const char *what;  /* "verify a bundle of 1,000 leaves" */
	const char *floor; /* what it is measured against */
	double goal;       /* ours / floor, at most; 0: none was set */
	void (*ours)(void *ctx);
	void (*least)(void *ctx);
	void *ctx;
};

/* Runs both `rounds` times after one that does not count, and prints medians, spread (10 to 90 %) and their ratio. */
void bench_run(const struct bench_pair *p, unsigned rounds);
/* The rows so far as JSON into $BENCH_JSON, if it is set (a path, appended to, one object a line). */
void bench_end(void);
/* Ends the program when what is measured does not work. */
void bench_must(int ok, const char *what, const char *why);

#endif
