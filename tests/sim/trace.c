/* SPDX-License-Identifier: BSD-3-Clause */
/* The trace: a running hash of all lines, the last 200 of them, and the first invariant that broke. */
#include "config.h"
#include "sim/impl.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define KEPT 200
#define LINE 400

static char kept[KEPT][LINE];
static uint64_t hash, lines;
static bool printing;
static char broken[600], broken_name[32];

void
trace_begin(bool print)
{
	hash = UINT64_C(0xcbf29ce484222325);
	lines = 0;
	printing = print;
	broken[0] = broken_name[0] = '\0';
}

static int
stamp(char *out, size_t n)
{
	int64_t t = sim_now();

	return snprintf(out, n, "%lld.%02lld:%02lld:%02lld.%03lld ", (long long)(t / 86400000), (long long)(t / 3600000 % 24),
	    (long long)(t / 60000 % 60), (long long)(t / 1000 % 60), (long long)(t % 1000));
}

static void
add(const char *fmt, va_list ap)
{
	char *line = kept[lines % KEPT];
	int n = stamp(line, LINE);
	const char *p;

	vsnprintf(line + n, LINE - (size_t)n, fmt, ap);
	for (p = line; *p != '\0'; p++)
		hash = (hash ^ (uint8_t)*p) * UINT64_C(0x100000001b3);
	lines++;
	if (printing)
		puts(line);
}

void
sim_trace(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add(fmt, ap);
	va_end(ap);
}

void
sim_detail(const char *fmt, ...)
{
	char text[64];
	va_list ap;

	if (!printing)
		return;
	stamp(text, sizeof text);
	printf("%s  . ", text);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

bool
trace_is_printing(void)
{
	return printing;
}

void
sim_violation(const char *invariant, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (broken[0] != '\0')
		return;
	snprintf(broken_name, sizeof broken_name, "%s", invariant);
	n = stamp(broken, sizeof broken);
	n += snprintf(broken + n, sizeof broken - (size_t)n, "%s: ", invariant);
	va_start(ap, fmt);
	vsnprintf(broken + n, sizeof broken - (size_t)n, fmt, ap);
	va_end(ap);
	sim_trace("VIOLATION %s", broken);
}

const char *
trace_violation(void)
{
	return broken[0] != '\0' ? broken : NULL;
}

const char *
trace_violation_name(void)
{
	return broken_name;
}

uint64_t
trace_hash(void)
{
	return hash;
}

uint64_t
trace_lines(void)
{
	return lines;
}

void
trace_tail(void)
{
	uint64_t i;

	for (i = lines > KEPT ? lines - KEPT : 0; i < lines; i++)
		fprintf(stderr, "%s\n", kept[i % KEPT]);
}
