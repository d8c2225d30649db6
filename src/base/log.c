/* SPDX-License-Identifier: BSD-3-Clause */
/* The operator's log. */
#include "config.h"
#include "base/log.h"

#include "base/clock.h"
#include "base/enc.h"
#include "base/mutant.h"
#include "base/utc.h"

#include <errno.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINE_MAX_LEN 2048

static const char *program_name = "onionmirror";
static enum log_level max_level = LOG_LEVEL_NOTICE;
static int journal;
static void (*line_sink)(enum log_level, const char *, void *);
static void *sink_arg;
static enum log_onions onion_mode = LOG_ONIONS_NEVER;
static unsigned char onion_key[32];

void
log_init(const char *program, enum log_level level)
{
	program_name = program;
	max_level = level;
	journal = getenv("JOURNAL_STREAM") != NULL;
}

void
log_set_sink(void (*sink)(enum log_level, const char *, void *), void *arg)
{
	line_sink = sink;
	sink_arg = arg;
}

static void __attribute__((format(printf, 2, 0)))
log_line(enum log_level level, const char *fmt, va_list ap)
{
	static const char *const names[] = { "", "", "", "error", "warning", "notice", "info", "debug" };
	char text[LINE_MAX_LEN], line[LINE_MAX_LEN * 2], out[sizeof line + 128], when[UTC_LEN + 1];
	int saved = errno, n;

	if (level > max_level && line_sink == NULL)
		return;
	vsnprintf(text, sizeof text, fmt, ap);
	text_escape(line, sizeof line, text);
	if (line_sink != NULL) {
		line_sink(level, line, sink_arg);
	} else {
		utc_format(when, clock_wall_s());
		if (journal)
			n = snprintf(out, sizeof out, "<%d>%s\n", (int)level, line);
		else
			n = snprintf(out, sizeof out, "%s %s[%ld]: %s: %s\n", when, program_name, (long)getpid(),
			    names[level], line);
		/* A log that can't be written must not stop the daemon. */
		if (n > 0 && write(STDERR_FILENO, out, (size_t)n) < 0)
			n = 0;
	}
	errno = saved;
}

#define LOG_FUNCTION(name, level) \
	void name(const char *fmt, ...) \
	{ \
		va_list ap; \
		va_start(ap, fmt); \
		log_line(level, fmt, ap); \
		va_end(ap); \
	}
LOG_FUNCTION(log_error, LOG_LEVEL_ERROR)
LOG_FUNCTION(log_warn, LOG_LEVEL_WARN)
LOG_FUNCTION(log_notice, LOG_LEVEL_NOTICE)
LOG_FUNCTION(log_info, LOG_LEVEL_INFO)
LOG_FUNCTION(log_debug, LOG_LEVEL_DEBUG)

void
log_set_onions(enum log_onions mode, const unsigned char *key)
{
	onion_mode = mode;
	if (key != NULL)
		memcpy(onion_key, key, sizeof onion_key);
	else if (mode == LOG_ONIONS_HASH)
		onion_mode = LOG_ONIONS_NEVER;
}

const char *
log_onion(const char *address)
{
	static char ring[4][80];
	static unsigned next;
	char *out = ring[next++ % 4];
	unsigned char h[16];

	switch (MUTANT(23) ? LOG_ONIONS_FULL : onion_mode) {
	case LOG_ONIONS_NEVER: return "[scrubbed]";
	case LOG_ONIONS_FULL: snprintf(out, sizeof ring[0], "%s", address); return out;
	case LOG_ONIONS_HASH:
		crypto_generichash(h, sizeof h, (const unsigned char *)address, strlen(address), onion_key,
		    sizeof onion_key);
		snprintf(out, sizeof ring[0], "onion:%02x%02x%02x%02x", h[0], h[1], h[2], h[3]);
		return out;
	}
	return "[scrubbed]";
}
