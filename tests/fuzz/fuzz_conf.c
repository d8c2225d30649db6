/* SPDX-License-Identifier: BSD-3-Clause */
/* A file as configuration: refused with lines that say where, or taken; and what is taken and printed reads the same. */
#include "config.h"
#include "fuzz.h"

#include "conf/conf.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FAULTS_MAX ((size_t)64 * 1024 * 1024)

static char path[64] = "/dev/shm/om-fuzz-conf.XXXXXX";
static int fd = -1;

static void
forget(void)
{
	unlink(path);
}

static void
put(const void *p, size_t n)
{
	if (fd < 0) {
		if ((fd = mkstemp(path)) < 0)
			abort();
		atexit(forget);
	}
	if (ftruncate(fd, 0) != 0 || pwrite(fd, p, n, 0) != (ssize_t)n)
		abort();
}

/* Every line is "path:line: message". */
static void
look_at_faults(const struct buf *faults)
{
	const char *p = buf_str(faults), *end;
	size_t skip = strlen(path);

	FUZZ_CHECK(faults->len > 0 && p[faults->len - 1] == '\n');
	for (; (end = strchr(p, '\n')) != NULL; p = end + 1) {
		FUZZ_CHECK(strncmp(p, path, skip) == 0 && p[skip] == ':');
		FUZZ_CHECK(strtol(p + skip + 1, NULL, 10) >= 1);
	}
}

/* NULL: refused. */
static struct conf *
load(void)
{
	struct buf faults = BUF_INIT(FAULTS_MAX);
	struct conf *c = NULL;
	int r = conf_load(&c, path, &faults);
	struct err e = ERR_INIT;

	FUZZ_CHECK((r == 0) == (c != NULL) && (r == 0) == (faults.len == 0));
	if (r != 0) {
		look_at_faults(&faults);
		FUZZ_CHECK(conf_faults(&e, &faults) == -1 && e.msg[0] != '\0');
	}
	buf_free(&faults);
	return c;
}

static void
print_and_load(struct conf *c)
{
	struct buf first = BUF_INIT(FAULTS_MAX), second = BUF_INIT(FAULTS_MAX);
	struct conf *again;

	conf_print(c, &first);
	put(buf_str(&first), first.len);
	again = load();
	FUZZ_CHECK(again != NULL);
	conf_print(again, &second);
	FUZZ_CHECK(first.len == second.len && memcmp(buf_str(&first), buf_str(&second), first.len) == 0);
	FUZZ_CHECK(conf_needs_restart(c, again) == NULL);
	buf_free(&first);
	buf_free(&second);
	conf_free(again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char word[64];
	int64_t ms;
	struct conf *c;

	snprintf(word, sizeof word, "%.*s", (int)(size < 63 ? size : 63), (const char *)data);
	FUZZ_CHECK(conf_parse_duration(&ms, word) != 0 || ms >= 0);
	put(data, size);
	c = load();
	if (c != NULL)
		print_and_load(c);
	conf_free(c);
	return 0;
}
