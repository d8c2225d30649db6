/* SPDX-License-Identifier: BSD-3-Clause */
/* minisign's three kinds of file, without a passphrase (scrypt would be all that is tested). */
#include "config.h"
#include "fuzz.h"

#include "base/mem.h"
#include "proto/minisign.h"

#include <sodium.h>
#include <string.h>

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *p = (const char *)data;
	uint8_t pk[MINISIGN_PK_LEN], again[MINISIGN_PK_LEN], id[MINISIGN_ID_LEN];
	char text[MINISIGN_PUBKEY_TEXT];
	struct minisign_seckey *key;
	struct minisign_sig sig;

	FUZZ_CHECK(sodium_init() >= 0);
	if (minisign_sig_parse(&sig, p, size, NULL) == 0) {
		FUZZ_CHECK(size <= MINISIGN_SIG_MAX && sig.comment_len <= MINISIGN_TRUSTED_MAX);
		FUZZ_CHECK(sig.comment >= p && sig.comment + sig.comment_len < p + size);
		FUZZ_CHECK(memchr(sig.comment, '\n', sig.comment_len) == NULL);
		memset(pk, 1, sizeof pk);
		(void)minisign_verify("", 0, p, size, pk, NULL, NULL);
	}
	if (minisign_pubkey_parse(pk, id, p, size, NULL) == 0) {
		minisign_pubkey_format(text, pk, id);
		FUZZ_CHECK(minisign_pubkey_parse(again, NULL, text, strlen(text), NULL) == 0);
		FUZZ_CHECK(memcmp(pk, again, sizeof pk) == 0);
	}
	key = secret_alloc(sizeof *key);
	FUZZ_CHECK(key != NULL);
	if (minisign_seckey_parse(key, p, size, NULL, 0, NULL) == 0)
		FUZZ_CHECK(!minisign_seckey_encrypted(p, size));
	secret_free(key);
	return 0;
}
