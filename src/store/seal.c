/* SPDX-License-Identifier: BSD-3-Clause */
/* Sealing of single values. */
#include "config.h"
#include "store/seal.h"

#include "base/rng.h"

#include <sodium.h>
#include <string.h>

#define NONCE crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
_Static_assert(NONCE + crypto_aead_xchacha20poly1305_ietf_ABYTES == SEAL_OVERHEAD, "overhead of a sealed value");

#define CONTEXT "onionmirror/store/1"

struct place {
	char context[sizeof CONTEXT];
	uint8_t table[4], row[8];
};

static void
place_set(struct place *p, uint32_t table, uint64_t row)
{
	int i;

	memcpy(p->context, CONTEXT, sizeof CONTEXT);
	for (i = 0; i < 4; i++)
		p->table[i] = (uint8_t)(table >> (8 * i));
	for (i = 0; i < 8; i++)
		p->row[i] = (uint8_t)(row >> (8 * i));
}

void
seal(uint8_t *out, const struct master_key *k, uint32_t table, uint64_t row, const void *p, size_t n)
{
	struct place at;

	place_set(&at, table, row);
	rng_bytes(out, NONCE);
	crypto_aead_xchacha20poly1305_ietf_encrypt(out + NONCE, NULL, p, n, (const unsigned char *)&at, sizeof at, NULL, out, k->bytes);
}

int
unseal(uint8_t *out, const struct master_key *k, uint32_t table, uint64_t row, const uint8_t *p, size_t n)
{
	struct place at;

	if (n < SEAL_OVERHEAD)
		return -1;
	place_set(&at, table, row);
	return crypto_aead_xchacha20poly1305_ietf_decrypt(out, NULL, NULL, p + NONCE, n - NONCE, (const unsigned char *)&at, sizeof at,
	    p, k->bytes);
}
