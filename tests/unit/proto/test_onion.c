/* SPDX-License-Identifier: BSD-3-Clause */
/* v3 addresses: the vector made with tor, and everything that is not one. */
#include "config.h"
#include "proto/onion.h"

#include "proto/edkey.h"

#include <criterion/criterion.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

static const char good[] = "adifuhi6ujits3kvpl55iwelhrwztw7ls4x62efdevroujw43t5kanad";

Test(proto_onion, an_address_and_its_key_are_each_others_image)
{
	uint8_t pk[ONION_PUBKEY_LEN];
	char again[ONION_ADDR_LEN + 1], addr[ONION_ADDR_LEN + 1], host[ONION_HOST_LEN + 1];

	cr_assert_eq(onion_to_pubkey(pk, good, strlen(good)), 0);
	cr_assert_eq(onion_from_pubkey(again, pk), 0);
	cr_expect_str_eq(again, good);
	cr_expect(onion_addr_valid(good));
	snprintf(host, sizeof host, "%s.onion", good);
	cr_assert_eq(onion_from_host(pk, addr, host, strlen(host)), 0);
	cr_expect_str_eq(addr, good);
	cr_expect_neq(onion_from_host(pk, addr, good, strlen(good)), 0);
}

Test(proto_onion, any_other_character_spoils_it)
{
	char addr[ONION_ADDR_LEN + 1];
	size_t i;

	for (i = 0; i < ONION_ADDR_LEN; i++) {
		strcpy(addr, good);
		addr[i] = addr[i] == 'a' ? 'b' : 'a';
		cr_expect(!onion_addr_valid(addr), "place %zu", i);
	}
}

Test(proto_onion, other_spellings_are_refused)
{
	static const char *const bad[] = {
		"",
		"a",
		"Adifuhi6ujits3kvpl55iwelhrwztw7ls4x62efdevroujw43t5kanad",
		"adifuhi6ujits3kvpl55iwelhrwztw7ls4x62efdevroujw43t5kana",
		"adifuhi6ujits3kvpl55iwelhrwztw7ls4x62efdevroujw43t5kanada",
		"adifuhi6ujits3kvpl55iwelhrwztw7ls4x62efdevroujw43t5kan d",
		"1difuhi6ujits3kvpl55iwelhrwztw7ls4x62efdevroujw43t5kanad",
		"adifuhi6ujits3kvpl55iwelhrwztw7ls4x62efdevroujw43t5kanad.onion",
	};
	size_t i;

	for (i = 0; i < sizeof bad / sizeof bad[0]; i++)
		cr_expect(!onion_addr_valid(bad[i]), "%s", bad[i]);
}

/* A key plus a point of order 8 has an address with a right checksum; tor clients refuse it, so do we. */
Test(proto_onion, an_alias_with_torsion_is_refused)
{
	static const uint8_t order8[32] = { 0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d,
		0x10, 0x67, 0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03,
		0x7a };
	uint8_t pk[ONION_PUBKEY_LEN], alias[ONION_PUBKEY_LEN];
	char addr[ONION_ADDR_LEN + 1];

	cr_assert_eq(onion_to_pubkey(pk, good, strlen(good)), 0);
	cr_assert_eq(crypto_core_ed25519_add(alias, pk, order8), 0);
	cr_assert_eq(onion_from_pubkey(addr, alias), 0);
	cr_expect_str_neq(addr, good);
	cr_expect(!onion_addr_valid(addr));
}
