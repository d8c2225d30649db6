/* SPDX-License-Identifier: BSD-3-Clause */
/* Addresses, hosts, urls and site ids: what is accepted has exactly one spelling. */
#include "config.h"
#include "fuzz.h"

#include "proto/doc.h"

#include <sodium.h>
#include <string.h>

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char addr[ONION_ADDR_LEN + 1], site_text[DOC_SITE_TEXT_LEN + 1], *s = malloc(size + 1);
	uint8_t pk[ONION_PUBKEY_LEN], site[DOC_HASH_LEN];
	size_t i;

	FUZZ_CHECK(s != NULL && sodium_init() >= 0);
	if (size > 0)
		memcpy(s, data, size);
	s[size] = '\0';
	if (onion_to_pubkey(pk, s, size) == 0) {
		FUZZ_CHECK(onion_from_pubkey(addr, pk) == 0 && size == ONION_ADDR_LEN && memcmp(addr, s, size) == 0);
		FUZZ_CHECK(onion_addr_valid(s));
	}
	if (onion_from_host(pk, addr, s, size) == 0)
		FUZZ_CHECK(onion_addr_valid(addr) && memcmp(addr, s, ONION_ADDR_LEN) == 0);
	if (doc_site_parse(site, s) == 0) {
		doc_site_format(site_text, site);
		FUZZ_CHECK(strcmp(site_text, s) == 0);
	}
	/* A url of an address: it may hold nothing that could lead elsewhere. */
	for (i = 0; i < size && s[i] != '/'; i++)
		;
	if (i + 2 + ONION_ADDR_LEN <= size && s[i + 1] == '/') {
		memcpy(addr, s + i + 2, ONION_ADDR_LEN);
		addr[ONION_ADDR_LEN] = '\0';
		if (onion_addr_valid(addr) && doc_url_ok(s, addr))
			FUZZ_CHECK(strlen(s) <= DOC_URL_MAX && strchr(s, '@') == NULL && strchr(s, '?') == NULL);
	}
	(void)doc_member_name_ok(s);
	free(s);
	return 0;
}
