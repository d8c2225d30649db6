/* SPDX-License-Identifier: BSD-3-Clause */
/* The operator's log. Owns the lines that it said lately, so as not to say them again and again. */
#include "config.h"
#include "base/log.h"

#include "base/buf.h"
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
#include <sys/stat.h>
#include <unistd.h>

#define LINE_MAX_LEN 2048
#define REPEAT_MS 60000
#define RECENT 16

static const char *program_name = "onionmirror";
static enum log_level max_level = LOG_LEVEL_NOTICE;
static bool journal; /* stderr is the journal */
static int (*journal_send)(const char *, size_t);
static void (*line_sink)(enum log_level, const char *, void *);
static void *sink_arg;
static enum log_onions onion_mode = LOG_ONIONS_NEVER;
static unsigned char onion_key[32];

/* Lines said within REPEAT_MS, and how often each was held back since. */
static struct recent {
	char line[LINE_MAX_LEN * 2]; /* escaped; "": free */
	enum log_level level;
	int64_t since; /* mono */
	unsigned held;
} recent[RECENT];

/* A terminal that was opened by something in the journal inherits the variable, not the stream. */
static bool
stderr_is_journal(void)
{
	const char *s = getenv("JOURNAL_STREAM");
	char here[64];
	struct stat st;

	if (s == NULL || fstat(STDERR_FILENO, &st) != 0)
		return false;
	snprintf(here, sizeof here, "%llu:%llu", (unsigned long long)st.st_dev, (unsigned long long)st.st_ino);
	return strcmp(s, here) == 0;
}

void
log_init(const char *program, enum log_level level)
{
	program_name = program;
	max_level = level;
	journal = stderr_is_journal();
	memset(recent, 0, sizeof recent);
}

bool
log_is_journal(void)
{
	return journal;
}

void
log_set_level(enum log_level level)
{
	max_level = level;
}

void
log_set_journal(int (*send)(const char *, size_t))
{
	journal_send = send;
}

void
log_set_sink(void (*sink)(enum log_level, const char *, void *), void *arg)
{
	line_sink = sink;
	sink_arg = arg;
}

/* --- writing ------------------------------------------------------------------------------------- */

static void
add_field(struct buf *b, const char *name, const char *text)
{
	char value[LINE_MAX_LEN];

	text_escape(value, sizeof value, text);
	if (value[0] != '\0')
		buf_addf(b, "ONIONMIRROR_%s=%s\n", name, value);
}

/* No value holds an LF, so the simple form of the protocol is enough. */
static int
write_journal(enum log_level level, const char *line, const struct log_change *c)
{
	struct buf b = BUF_INIT(LINE_MAX_LEN * 8);
	int r = -1;

	buf_addf(&b, "PRIORITY=%d\nSYSLOG_IDENTIFIER=%s\nMESSAGE=%s\n", (int)level, program_name, line);
	if (c != NULL) {
		add_field(&b, "MIRROR", c->mirror);
		add_field(&b, "FROM", c->from);
		add_field(&b, "TO", c->to);
		add_field(&b, "CAUSE", c->cause);
		add_field(&b, "ONION", c->onion);
	}
	if (buf_ok(&b))
		r = journal_send(b.data, b.len);
	buf_free(&b);
	return r;
}

static void
write_line(enum log_level level, const char *line, const struct log_change *c)
{
	static const char *const names[] = { "", "", "", "error", "warning", "notice", "info", "debug" };
	char out[LINE_MAX_LEN * 2 + 128], when[UTC_LEN + 1];
	int n;

	if (line_sink != NULL) {
		line_sink(level, line, sink_arg);
		return;
	}
	if (journal_send != NULL && write_journal(level, line, c) == 0)
		return;
	utc_format(when, clock_wall_s());
	if (journal)
		n = snprintf(out, sizeof out, "<%d>%s\n", (int)level, line);
	else
		n = snprintf(out, sizeof out, "%s %s[%ld]: %s: %s\n", when, program_name, (long)getpid(), names[level], line);
	/* A log that can't be written must not stop the daemon. */
	if (n > 0 && write(STDERR_FILENO, out, (size_t)n) < 0)
		n = 0;
}

/* --- repetition ---------------------------------------------------------------------------------- */

static void
tell_held(struct recent *r)
{
	char line[LINE_MAX_LEN * 2 + 64];

	if (r->held > 0) {
		snprintf(line, sizeof line, "repeated %u time%s: %s", r->held, r->held == 1 ? "" : "s", r->line);
		write_line(r->level, line, NULL);
	}
	r->held = 0;
	r->line[0] = '\0';
}

void
log_flush(bool all)
{
	int64_t now = clock_mono_ms();
	int saved = errno;
	size_t i;

	for (i = 0; i < RECENT; i++)
		if (recent[i].line[0] != '\0' && (all || now - recent[i].since >= REPEAT_MS))
			tell_held(&recent[i]);
	errno = saved;
}

/* True: it was said a moment ago. Else it takes the place of the oldest. */
static bool
is_repeated(enum log_level level, const char *line)
{
	struct recent *r = &recent[0];
	size_t i;

	for (i = 0; i < RECENT; i++) {
		if (recent[i].line[0] != '\0' && recent[i].level == level && strcmp(recent[i].line, line) == 0) {
			recent[i].held++;
			return true;
		}
		if (recent[i].line[0] == '\0' || (r->line[0] != '\0' && recent[i].since < r->since))
			r = &recent[i];
	}
	tell_held(r);
	snprintf(r->line, sizeof r->line, "%s", line);
	r->level = level;
	r->since = clock_mono_ms();
	return false;
}

static void __attribute__((format(printf, 2, 0)))
log_line(enum log_level level, const char *fmt, va_list ap)
{
	char text[LINE_MAX_LEN], line[LINE_MAX_LEN * 2];
	int saved = errno;

	if (level > max_level && line_sink == NULL)
		return;
	vsnprintf(text, sizeof text, fmt, ap);
	text_escape(line, sizeof line, text);
	log_flush(false);
	if (!is_repeated(level, line))
		write_line(level, line, NULL);
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
log_state(const struct log_change *c)
{
	char text[LINE_MAX_LEN], line[LINE_MAX_LEN * 2];
	bool why = c->cause[0] != '\0';
	int saved = errno;

	if (LOG_LEVEL_NOTICE > max_level && line_sink == NULL)
		return;
	snprintf(text, sizeof text, "%s: %s -> %s%s%s%s%s%s", c->mirror, c->from, c->to, why ? " (" : "", c->cause, why ? ")" : "",
	    c->onion[0] != '\0' ? " " : "", c->onion);
	text_escape(line, sizeof line, text);
	log_flush(false);
	write_line(LOG_LEVEL_NOTICE, line, c);
	errno = saved;
}

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
