/* SPDX-License-Identifier: BSD-3-Clause */
/* What the store gives back, as records: what is accepted can be written again and reads the same; and as sealed values. */
#include "config.h"
#include "fuzz.h"

#include "daemon/records.h"
#include "publish/publish.h"
#include "store/seal.h"

#include <sodium.h>
#include <string.h>

static char *
write_onion(const struct onion_record *r)
{
	json_t *v = record_onion(r);
	char *text = json_dumps(v, JSON_COMPACT);

	FUZZ_CHECK(v != NULL && text != NULL);
	json_decref(v);
	return text;
}

static void
try_onion(const char *p, size_t n)
{
	struct onion_record r, again;
	struct err e = ERR_INIT;
	char *a, *b;

	if (record_onion_parse(&r, 7, p, n, &e) != 0) {
		FUZZ_CHECK(e.code == ERR_STATE && e.msg[0] != '\0');
		return;
	}
	FUZZ_CHECK(r.id == 7 && strlen(r.address) == 56 && strlen(r.mirror) <= ONION_NAME_MAX);
	a = write_onion(&r);
	FUZZ_CHECK(record_onion_parse(&again, 7, a, strlen(a), NULL) == 0);
	b = write_onion(&again);
	FUZZ_CHECK(strcmp(a, b) == 0);
	free(a);
	free(b);
}

static int
count(uint64_t id, const char *text, size_t n, void *arg, struct err *e)
{
	(void)id;
	(void)text;
	(void)n;
	(void)e;
	++*(unsigned *)arg;
	return 0;
}

/* What is remembered of other members; a row a line. */
static void
try_memory(const char *p, size_t n)
{
	struct publish_memory *m = publish_memory_new();
	unsigned saved = 0;
	const char *end;
	size_t k, i;

	FUZZ_CHECK(m != NULL);
	for (i = 0; i < 4 && n > 0; i++, p += k, n -= k) {
		end = memchr(p, '\n', n);
		k = end != NULL ? (size_t)(end - p) + 1 : n;
		if (publish_memory_take(m, p, k, NULL) != 0)
			break;
	}
	/* Nothing of it is news. */
	FUZZ_CHECK(publish_memory_save(m, count, &saved, NULL) == 0 && saved == 0);
	publish_memory_free(m);
}

static void
try_sealed(const uint8_t *p, size_t n)
{
	static const struct master_key k = { { 1 } };
	uint8_t *sealed = malloc(n + SEAL_OVERHEAD), *plain = malloc(n + 1);

	FUZZ_CHECK(sealed != NULL && plain != NULL);
	FUZZ_CHECK(unseal(n >= SEAL_OVERHEAD ? plain : NULL, &k, 2, 1, p, n) != 0);
	seal(sealed, &k, 2, 1, p, n);
	FUZZ_CHECK(unseal(plain, &k, 2, 1, sealed, n + SEAL_OVERHEAD) == 0 && memcmp(plain, p, n) == 0);
	FUZZ_CHECK(unseal(NULL, &k, 2, 2, sealed, n + SEAL_OVERHEAD) != 0 && unseal(NULL, &k, 3, 1, sealed, n + SEAL_OVERHEAD) != 0);
	sealed[n > 0 ? p[0] % (n + SEAL_OVERHEAD) : 0] ^= 0x10;
	FUZZ_CHECK(unseal(NULL, &k, 2, 1, sealed, n + SEAL_OVERHEAD) != 0);
	free(sealed);
	free(plain);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	FUZZ_CHECK(sodium_init() >= 0);
	try_onion((const char *)data, size);
	try_memory((const char *)data, size);
	try_sealed(data, size);
	return 0;
}
