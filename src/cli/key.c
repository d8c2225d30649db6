/* SPDX-License-Identifier: BSD-3-Clause */
/* onionmirror key new, show: a key pair, and what a key or document file holds. */
#include "config.h"
#include "cli/cli.h"

#include "base/enc.h"
#include "base/file.h"
#include "base/mem.h"
#include "cli/keyfile.h"
#include "proto/doc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void
print_key(const struct cli *c, const char *kind, const uint8_t pk[DOC_KEY_LEN], const uint8_t *id)
{
	char hex[HEX_LEN(DOC_KEY_LEN) + 1], pub[MINISIGN_PUBKEY_TEXT], *line;

	hex_encode(hex, pk, DOC_KEY_LEN);
	minisign_pubkey_format(pub, pk, id);
	line = strchr(pub, '\n') + 1;
	line[strcspn(line, "\n")] = '\0';
	if (c->json)
		cli_print_json(json_pack("{s:s,s:s,s:s}", "kind", kind, "key", hex, "minisign", line));
	else
		printf("%s\nkey       %s\nminisign  %s\n", kind, hex, line);
}

/* By the line of base64: 42 bytes are a public key, secret ones have 158. The comment above it may have any length. */
static bool
is_secret(const char *text)
{
	const char *line = strchr(text, '\n');

	return line != NULL && strcspn(line + 1, "\n") > 100;
}

static int
show_public(const struct cli *c, const char *path, const char *text, size_t n, struct err *e)
{
	uint8_t pk[DOC_KEY_LEN], id[MINISIGN_ID_LEN];

	if (minisign_pubkey_parse(pk, id, text, n, e) != 0)
		return err_prefix(e, "%s", path);
	print_key(c, "public key", pk, id);
	return 0;
}

static int
show_secret(const struct cli *c, const char *path, const char *fd, struct err *e)
{
	struct minisign_seckey *key = NULL;

	if (keyfile_open(&key, path, fd, e) != 0)
		return -1;
	print_key(c, "secret key (only its public half is shown)", key->sk + 32, key->id);
	secret_free(key);
	return 0;
}

/* A root 1 tells the site id, which is all that a reader needs. */
static int
show_document(const struct cli *c, const char *path, const char *text, size_t n, struct err *e)
{
	char site[DOC_SITE_TEXT_LEN + 1], hash[HEX_LEN(DOC_HASH_LEN) + 1];
	uint8_t sha256[DOC_HASH_LEN];
	struct doc_root r;
	enum doc_reason why = doc_root_parse(&r, text, n, NULL, e);

	if (why != DOC_OK)
		return err_prefix(e, "%s: neither a key nor a root document: %s", path, doc_reason_name(why));
	doc_hash(sha256, text, n);
	hex_encode(hash, sha256, DOC_HASH_LEN);
	doc_site_format(site, r.version == 1 ? sha256 : r.site);
	if (c->json)
		cli_print_json(json_pack("{s:s,s:s,s:s,s:I,s:s}", "kind", "root document", "site", site, "name", r.name, "version",
		    (json_int_t)r.version, "sha256", hash));
	else
		printf("root document %llu of %s (its signatures were not looked at)\nsite      %s\nsha256    %s\n", (unsigned long long)r.version, r.name,
		    site, hash);
	return 0;
}

int
verb_key_new(struct cli *c, int argc, char **argv)
{
	struct keyfile_seal seal = { 0 };
	const struct cli_opt opts[] = { { "no-passphrase", &seal.none, NULL }, { "passphrase-fd", NULL, &seal.fd }, { 0 } };
	uint8_t pk[DOC_KEY_LEN];
	struct err e = ERR_INIT;

	if (cli_take_options(c, &argc, argv, opts, &e) != 0 || c->help || argc != 2)
		return cli_usage("key new", &e);
	umask(022);
	if (keyfile_new(argv[1], &seal, pk, &e) != 0)
		return cli_fail(CLI_FAILED, "key new: %s", e.msg);
	if (!c->json)
		printf("made %s.key (keep it secret and offline) and %s.pub (hand it out)\n", argv[1], argv[1]);
	print_key(c, "public key", pk, NULL);
	return CLI_DONE;
}

int
verb_key_show(struct cli *c, int argc, char **argv)
{
	const char *fd = NULL;
	const struct cli_opt opts[] = { { "passphrase-fd", NULL, &fd }, { 0 } };
	struct err e = ERR_INIT;
	char *text = NULL;
	size_t n = 0;
	int r = -1;

	if (cli_take_options(c, &argc, argv, opts, &e) != 0 || c->help || argc != 2)
		return cli_usage("key show", &e);
	if (file_read(argv[1], DOC_ROOT_MAX, FILE_PUBLIC, &text, &n, &e) == 0) {
		if (n > 0 && text[0] == '{')
			r = show_document(c, argv[1], text, n, &e);
		else if (is_secret(text))
			r = show_secret(c, argv[1], fd, &e);
		else
			r = show_public(c, argv[1], text, n, &e);
		mem_wipe(text, n);
	}
	free(text);
	return r == 0 ? CLI_DONE : cli_fail(CLI_FAILED, "key show: %s", e.msg);
}
