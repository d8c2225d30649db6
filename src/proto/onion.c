/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * v3 onion addresses, both ways. The only place that knows their checksum; owns nothing.
 */
#include "config.h"
#include "proto/onion.h"

#include "base/enc.h"

#include <openssl/evp.h>
#include <sodium.h>
#include <string.h>

#define RAW_LEN 35 /* key | checksum | version */

static const char suffix[] = ".onion";

/* libsodium 1.0.18 has no SHA-3. */
static int
checksum(uint8_t out[2], const uint8_t pk[ONION_PUBKEY_LEN])
{
	static const char prefix[] = ".onion checksum";
	uint8_t in[sizeof prefix - 1 + ONION_PUBKEY_LEN + 1], md[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	memcpy(in, prefix, sizeof prefix - 1);
	memcpy(in + sizeof prefix - 1, pk, ONION_PUBKEY_LEN);
	in[sizeof in - 1] = 3;
	if (EVP_Digest(in, sizeof in, md, &n, EVP_sha3_256(), NULL) != 1 || n != 32)
		return -1;
	memcpy(out, md, 2);
	return 0;
}

int
onion_from_pubkey(char out[ONION_ADDR_LEN + 1], const uint8_t pk[ONION_PUBKEY_LEN])
{
	uint8_t raw[RAW_LEN];

	memcpy(raw, pk, ONION_PUBKEY_LEN);
	if (checksum(raw + ONION_PUBKEY_LEN, pk) != 0)
		return -1;
	raw[RAW_LEN - 1] = 3;
	b32_encode(out, raw, sizeof raw);
	return 0;
}

int
onion_to_pubkey(uint8_t pk[ONION_PUBKEY_LEN], const char *addr, size_t len)
{
	uint8_t raw[RAW_LEN], sum[2];

	if (len != ONION_ADDR_LEN || b32_decode(raw, sizeof raw, addr, len) != 0)
		return -1;
	if (raw[RAW_LEN - 1] != 3 || checksum(sum, raw) != 0 || memcmp(sum, raw + ONION_PUBKEY_LEN, 2) != 0)
		return -1;
	if (crypto_core_ed25519_is_valid_point(raw) != 1)
		return -1;
	memcpy(pk, raw, ONION_PUBKEY_LEN);
	return 0;
}

bool
onion_addr_shape(const char *s, size_t len)
{
	size_t i;

	if (len != ONION_ADDR_LEN)
		return false;
	for (i = 0; i < len; i++)
		if ((s[i] < 'a' || s[i] > 'z') && (s[i] < '2' || s[i] > '7'))
			return false;
	return true;
}

bool
onion_addr_valid(const char *addr)
{
	uint8_t pk[ONION_PUBKEY_LEN];

	return onion_to_pubkey(pk, addr, strlen(addr)) == 0;
}

int
onion_from_host(uint8_t pk[ONION_PUBKEY_LEN], char addr[ONION_ADDR_LEN + 1], const char *host, size_t len)
{
	if (len != ONION_HOST_LEN || memcmp(host + ONION_ADDR_LEN, suffix, sizeof suffix - 1) != 0)
		return -1;
	if (onion_to_pubkey(pk, host, ONION_ADDR_LEN) != 0)
		return -1;
	if (addr != NULL) {
		memcpy(addr, host, ONION_ADDR_LEN);
		addr[ONION_ADDR_LEN] = '\0';
	}
	return 0;
}
