/* SPDX-License-Identifier: BSD-3-Clause */
#include "config.h"
#include "base/log.h"

#include "base/clock.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char last[5000];
static enum log_level last_level;
static int lines;

static void
keep(enum log_level level, const char *line, void *arg)
{
	(void)arg;
	lines++;
	last_level = level;
	snprintf(last, sizeof last, "%s", line);
}

Test(base_log, escapes_everything_that_is_not_printable)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
		{ "plain text ~", "plain text ~" },
		{ "two\nlines", "two\\x0alines" },
		{ "\r\x1b[31m", "\\x0d\\x1b[31m" },
		{ "\xc3\xa9\x7f\x80\xff", "\\xc3\\xa9\\x7f\\x80\\xff" },
		{ "\t\b", "\\x09\\x08" },
		{ "%s%n", "%s%n" },
		{ "", "" },
	};
	size_t i;

	log_set_sink(keep, NULL);
	for (i = 0; i < sizeof rows / sizeof *rows; i++) {
		log_warn("%s", rows[i].in);
		cr_expect_str_eq(last, rows[i].out);
	}
	cr_expect_eq(last_level, LOG_LEVEL_WARN);
	cr_expect_eq(lines, 7);
}

Test(base_log, long_and_escaped_text_stays_in_bounds)
{
	char text[6000];
	const char *p;

	log_set_sink(keep, NULL);
	memset(text, '\n', sizeof text);
	text[sizeof text - 1] = '\0';
	log_error("%s", text);
	cr_expect(strlen(last) > 1000 && strlen(last) < sizeof last - 1);
	for (p = last; *p != '\0'; p += 4)
		cr_assert_eq(strncmp(p, "\\x0a", 4), 0, "no half escape at the end");
}

/* What log calls write to stderr, in `out`. */
static void
capture(char *out, size_t size, void (*say)(void))
{
	char path[] = "/tmp/unit-base-XXXXXX";
	int fd = mkstemp(path), saved = dup(STDERR_FILENO);
	ssize_t n;

	cr_assert(fd >= 0 && saved >= 0 && dup2(fd, STDERR_FILENO) >= 0);
	unlink(path);
	say();
	dup2(saved, STDERR_FILENO);
	close(saved);
	n = pread(fd, out, size - 1, 0);
	out[n > 0 ? n : 0] = '\0';
	close(fd);
}

static int64_t
fixed_time(void)
{
	return 951868799;
}

static const struct clock_source fixed = { fixed_time, fixed_time };

static void
say_all(void)
{
	log_error("one %d", 1);
	log_warn("two\n<3>forged");
	log_notice("three");
	log_info("four");
	log_debug("five");
}

static void
say_all_into_the_journal(void)
{
	char id[64];
	struct stat st;

	cr_assert_eq(fstat(STDERR_FILENO, &st), 0);
	snprintf(id, sizeof id, "%llu:%llu", (unsigned long long)st.st_dev, (unsigned long long)st.st_ino);
	setenv("JOURNAL_STREAM", id, 1);
	log_init("test", LOG_LEVEL_INFO);
	say_all();
}

Test(base_log, journal_lines_carry_a_priority_and_no_time)
{
	char out[1000];

	capture(out, sizeof out, say_all_into_the_journal);
	cr_expect_str_eq(out, "<3>one 1\n<4>two\\x0a<3>forged\n<5>three\n<6>four\n");
}

Test(base_log, other_lines_carry_time_program_and_level)
{
	char out[1000], want[1000];
	long pid = (long)getpid();

	setenv("JOURNAL_STREAM", "8:12345", 1); /* inherited: our stderr is another one */
	clock_set_source(&fixed);
	log_init("test", LOG_LEVEL_NOTICE);
	capture(out, sizeof out, say_all);
	snprintf(want, sizeof want, "2000-02-29T23:59:59Z test[%ld]: error: one 1\n"
	    "2000-02-29T23:59:59Z test[%ld]: warning: two\\x0a<3>forged\n"
	    "2000-02-29T23:59:59Z test[%ld]: notice: three\n", pid, pid, pid);
	cr_expect_str_eq(out, want);
}

static void
say_to_nobody(void)
{
	close(STDERR_FILENO);
	errno = ENOENT;
	log_error("lost");
	cr_expect_eq(errno, ENOENT, "kept even when the write fails");
}

Test(base_log, keeps_errno)
{
	char out[100];

	log_set_sink(keep, NULL);
	errno = EIO;
	log_notice("%s", strerror(EAGAIN));
	cr_expect_eq(errno, EIO);
	log_set_sink(NULL, NULL);
	capture(out, sizeof out, say_to_nobody);
	cr_expect_str_eq(out, "");
}

#define ADDRESS "2gzyxa5ihm7nsggfxnu52rck2vv4rvmdlkiu3zzui5du4xyclen53wid.onion"
#define OTHER "duckduckgogg42xjoc72x3sjasowoarfbgcmvfimaftt6twagswzczad.onion"

Test(base_log, addresses_are_shown_only_when_asked)
{
	unsigned char key[32] = { 1 }, key2[32] = { 2 };
	char first[80];
	const char *p;

	cr_expect_str_eq(log_onion(ADDRESS), "[scrubbed]", "never, unless told otherwise");
	log_set_onions(LOG_ONIONS_HASH, NULL);
	cr_expect_str_eq(log_onion(ADDRESS), "[scrubbed]", "no key, no hash");
	log_set_onions(LOG_ONIONS_HASH, key);
	p = log_onion(ADDRESS);
	cr_expect_eq(strncmp(p, "onion:", 6), 0);
	cr_expect(strlen(p) == 14 && strspn(p + 6, "0123456789abcdef") == 8, "%s", p);
	cr_expect(strstr(p, "2gzy") == NULL && strstr(p, ".onion") == NULL);
	strcpy(first, p);
	cr_expect_str_eq(log_onion(ADDRESS), first, "the same each time");
	cr_expect_str_neq(log_onion(OTHER), first);
	log_set_onions(LOG_ONIONS_HASH, key2);
	cr_expect_str_neq(log_onion(ADDRESS), first, "another installation, another name");
	log_set_onions(LOG_ONIONS_NEVER, key);
	cr_expect_str_eq(log_onion(ADDRESS), "[scrubbed]");
	log_set_onions(LOG_ONIONS_FULL, NULL);
	cr_expect_str_eq(log_onion(ADDRESS), ADDRESS);
}

Test(base_log, four_addresses_fit_into_one_line)
{
	log_set_onions(LOG_ONIONS_FULL, NULL);
	log_set_sink(keep, NULL);
	log_notice("%s %s %s %s", log_onion("a"), log_onion("b"), log_onion("c"), log_onion("d"));
	cr_expect(strlen(last) == 7 && strchr(last, 'a') && strchr(last, 'b') && strchr(last, 'c') &&
		  strchr(last, 'd'));
}

/* --- repetition ------------------------------------------------------------------------------------ */

static int64_t now_ms = 1000;

static int64_t
moving_time(void)
{
	return now_ms;
}

static const struct clock_source moving = { moving_time, moving_time };

static void
begin_repeating(void)
{
	clock_set_source(&moving);
	log_init("test", LOG_LEVEL_INFO);
	log_set_sink(keep, NULL);
	lines = 0;
}

Test(base_log, a_line_said_again_is_counted_and_told_when_the_minute_is_over)
{
	int i;

	begin_repeating();
	for (i = 0; i < 1000; i++)
		log_warn("nothing listens on %s", "x");
	cr_expect_eq(lines, 1);
	now_ms += 59999;
	log_flush(false);
	cr_expect_eq(lines, 1, "not yet");
	now_ms += 1;
	log_flush(false);
	cr_expect_eq(lines, 2);
	cr_expect_str_eq(last, "repeated 999 times: nothing listens on x");
	cr_expect_eq(last_level, LOG_LEVEL_WARN);
	log_flush(true);
	cr_expect_eq(lines, 2, "told once");
	log_warn("nothing listens on %s", "x");
	cr_expect_str_eq(last, "nothing listens on x", "and said again after that");
}

Test(base_log, what_was_held_back_is_told_before_the_next_line)
{
	begin_repeating();
	log_info("a");
	log_info("a");
	now_ms += 60000;
	log_info("b");
	cr_expect_eq(lines, 3);
	cr_expect_str_eq(last, "b");
}

Test(base_log, the_same_text_of_another_level_is_another_line)
{
	begin_repeating();
	log_info("a");
	log_warn("a");
	cr_expect_eq(lines, 2);
}

Test(base_log, nothing_held_back_is_lost_when_more_lines_come_than_are_remembered)
{
	int i;

	begin_repeating();
	log_info("first");
	log_info("first");
	for (i = 0; i < 100; i++) {
		now_ms++;
		log_info("line %d", i);
	}
	cr_expect_eq(lines, 102, "one of them says that the first was repeated: %d", lines);
}

Test(base_log, the_end_tells_what_was_held_back)
{
	begin_repeating();
	log_error("a");
	log_error("a");
	log_flush(true);
	cr_expect_str_eq(last, "repeated 1 time: a");
}

Test(base_log, a_change_of_state_is_always_written)
{
	const struct log_change c = { "north", "uploading", "proving", "first descriptor\nuploaded", "onion:1" };

	begin_repeating();
	log_state(&c);
	log_state(&c);
	cr_expect_eq(lines, 2);
	cr_expect_str_eq(last, "north: uploading -> proving (first descriptor\\x0auploaded) onion:1");
	log_state(&(struct log_change){ "north", "ready", "listed", "", "" });
	cr_expect_str_eq(last, "north: ready -> listed");
}

/* --- the journal ------------------------------------------------------------------------------------ */

static char datagram[20000];
static int journal_result;

static int
take_datagram(const char *p, size_t n)
{
	snprintf(datagram, sizeof datagram, "%.*s", (int)n, p);
	return journal_result;
}

Test(base_log, the_journal_gets_fields_which_no_text_can_forge)
{
	begin_repeating();
	log_set_sink(NULL, NULL);
	log_set_journal(take_datagram);
	log_warn("two\nPRIORITY=0");
	cr_expect_str_eq(datagram, "PRIORITY=4\nSYSLOG_IDENTIFIER=test\nMESSAGE=two\\x0aPRIORITY=0\n");
	log_state(&(struct log_change){ "north", "adding", "listed", "why\nMESSAGE=x", "" });
	cr_expect_str_eq(datagram, "PRIORITY=5\nSYSLOG_IDENTIFIER=test\nMESSAGE=north: adding -> listed (why\\x0aMESSAGE=x)\n"
		"ONIONMIRROR_MIRROR=north\nONIONMIRROR_FROM=adding\nONIONMIRROR_TO=listed\nONIONMIRROR_CAUSE=why\\x0aMESSAGE=x\n");
}

Test(base_log, what_the_journal_does_not_take_goes_to_stderr)
{
	char out[1000];

	journal_result = -1;
	log_set_journal(take_datagram);
	capture(out, sizeof out, say_all_into_the_journal);
	cr_expect_str_eq(out, "<3>one 1\n<4>two\\x0a<3>forged\n<5>three\n<6>four\n");
}
