/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef STORE_SEAL_H
#define STORE_SEAL_H

#include "base/err.h"

#include <stddef.h>
#include <stdint.h>

/*
 * Sealed values: nonce (24, random) | XChaCha20-Poly1305 of the value. The
 * additional data is "onionmirror/store/1", table and row, so that a sealed
 * value opens only in the place it was written to.
 */
#define MASTER_KEY_LEN 32
#define SEAL_OVERHEAD (24 + 16)

struct master_key {
	uint8_t bytes[MASTER_KEY_LEN]; /* the struct lies in secret memory */
};

/* `out` has n + SEAL_OVERHEAD bytes. */
void seal(uint8_t *out, const struct master_key *k, uint32_t table, uint64_t row, const void *p, size_t n);
/* `out` has n - SEAL_OVERHEAD bytes, or is NULL: only checked; -1 (nothing usable in out) if the bytes were not sealed here under this key. */
int unseal(uint8_t *out, const struct master_key *k, uint32_t table, uint64_t row, const uint8_t *p, size_t n);

#endif
