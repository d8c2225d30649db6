/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PROTO_ONION_H
#define PROTO_ONION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * v3 onion addresses (rend-spec-v3 section 6, ONIONADDRESS): base32 of
 * public key (32) | SHA3-256(".onion checksum" | key | 3)[0..1] | version 3.
 *
 * Inside the program an address is always these 56 lower-case characters,
 * without ".onion"; documents carry "<56>.onion" (lists.md).
 */
#define ONION_ADDR_LEN 56
#define ONION_PUBKEY_LEN 32
#define ONION_HOST_LEN (ONION_ADDR_LEN + 6) /* "<56>.onion" */

/* Whether `len` bytes are 56 characters of lower-case base32: the shape only, for what tor or we ourselves say. */
bool onion_addr_shape(const char *s, size_t len);
/* Writes the address of a public key and a NUL. -1 only if the checksum can't be computed (OpenSSL out of memory). */
int onion_from_pubkey(char out[ONION_ADDR_LEN + 1], const uint8_t pk[ONION_PUBKEY_LEN]);
/*
 * The public key of exactly ONION_ADDR_LEN characters at `addr` (`len` of
 * them, need not be NUL-ended). -1 unless: lower-case base32, version 3, right
 * checksum, and a point of the prime-order group (no torsion: an address with a
 * small-order component is an alias that tor clients refuse).
 */
int onion_to_pubkey(uint8_t pk[ONION_PUBKEY_LEN], const char *addr, size_t len);
/* Whether onion_to_pubkey() accepts the whole string. */
bool onion_addr_valid(const char *addr);
/* As onion_to_pubkey(), for "<56>.onion"; `addr` (may be NULL) gets the 56 characters and a NUL. */
int onion_from_host(uint8_t pk[ONION_PUBKEY_LEN], char addr[ONION_ADDR_LEN + 1], const char *host, size_t len);

#endif
