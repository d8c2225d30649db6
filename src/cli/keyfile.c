/* SPDX-License-Identifier: BSD-3-Clause */
/* Key pairs as files: made, read, never overwritten. Secret halves stay in secret memory. */
#include "config.h"
#include "cli/keyfile.h"

#include "base/enc.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/rng.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Also by a link that leads nowhere. */
static bool
is_in_use(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

/* Both names, and neither may be in use: half a pair would be worse than none. */
static int
names_of(char key[PATH_MAX], char pub[PATH_MAX], const char *stem, struct err *e)
{
	if ((size_t)snprintf(key, PATH_MAX, "%s.key", stem) >= PATH_MAX || (size_t)snprintf(pub, PATH_MAX, "%s.pub", stem) >= PATH_MAX)
		return err_set(e, ERR_LIMIT, "%s: path too long", stem);
	if (is_in_use(key) || is_in_use(pub))
		return err_set(e, ERR_REFUSED, "%s exists: keys are never overwritten; choose another name", is_in_use(key) ? key : pub);
	return 0;
}

int
keyfile_check_free(const char *stem, struct err *e)
{
	char key[PATH_MAX], pub[PATH_MAX];

	return names_of(key, pub, stem, e);
}

int
keyfile_write(const char *stem, const struct minisign_seckey *key, const struct secret_text *pass, bool with_public, struct err *e)
{
	char key_path[PATH_MAX], pub_path[PATH_MAX], pub[MINISIGN_PUBKEY_TEXT], *text;
	int r = -1;

	if (names_of(key_path, pub_path, stem, e) != 0)
		return -1;
	text = secret_alloc(MINISIGN_SECKEY_TEXT);
	if (text == NULL)
		return err_set(e, ERR_MEMORY, "no locked memory for a key (look at ulimit -l)");
	if (minisign_seckey_format(text, key, pass != NULL ? pass->text : NULL, pass != NULL ? pass->len : 0, NULL, e) == 0 &&
	    file_create(key_path, text, strlen(text), 0600, e) == 0) {
		minisign_pubkey_format(pub, key->sk + 32, key->id);
		r = with_public ? file_create(pub_path, pub, strlen(pub), 0644, e) : 0;
		if (r != 0)
			unlink(key_path); /* made above, so ours */
	}
	secret_free(text);
	return r;
}

int
keyfile_new(const char *stem, const struct keyfile_seal *seal, uint8_t pk[DOC_KEY_LEN], struct err *e)
{
	char key_path[PATH_MAX], pub_path[PATH_MAX], prompt[128];
	struct minisign_seckey *key;
	struct secret_text *pass = NULL;
	int r = -1;

	if (names_of(key_path, pub_path, stem, e) != 0)
		return -1;
	snprintf(prompt, sizeof prompt, "Passphrase for %.80s.key: ", stem);
	key = secret_alloc(sizeof *key);
	if (key == NULL)
		err_set(e, ERR_MEMORY, "no locked memory for a key (look at ulimit -l)");
	else if ((seal->none || passphrase_get(&pass, seal->fd, prompt, true, e) == 0) && minisign_seckey_generate(key, e) == 0 &&
	    keyfile_write(stem, key, pass, true, e) == 0) {
		memcpy(pk, key->sk + 32, DOC_KEY_LEN);
		r = 0;
	}
	passphrase_free(pass);
	secret_free(key);
	return r;
}

int
keyfile_open(struct minisign_seckey **out, const char *path, const char *passphrase_fd, struct err *e)
{
	struct minisign_seckey *key = secret_alloc(sizeof *key);
	struct secret_text *pass = NULL;
	char *text = NULL, prompt[128];
	size_t n = 0;
	int r = -1;

	snprintf(prompt, sizeof prompt, "Passphrase of %.80s: ", path);
	if (key == NULL)
		err_set(e, ERR_MEMORY, "no locked memory for a key (look at ulimit -l)");
	else if (file_read(path, MINISIGN_KEY_FILE_MAX, FILE_SECRET, &text, &n, e) == 0 &&
	    (!minisign_seckey_encrypted(text, n) || passphrase_get(&pass, passphrase_fd, prompt, false, e) == 0)) {
		r = minisign_seckey_parse(key, text, n, pass != NULL ? pass->text : NULL, pass != NULL ? pass->len : 0, e);
		if (r != 0)
			err_prefix(e, "%s", path);
	}
	if (text != NULL)
		mem_wipe(text, n);
	free(text);
	passphrase_free(pass);
	if (r == 0)
		*out = key;
	else
		secret_free(key);
	return r;
}

int
keyfile_public(uint8_t pk[DOC_KEY_LEN], const char *path, struct err *e)
{
	char *text;
	size_t n;
	int r;

	if (file_read(path, MINISIGN_KEY_FILE_MAX, FILE_PUBLIC, &text, &n, e) != 0)
		return -1;
	r = minisign_pubkey_parse(pk, NULL, text, n, e);
	free(text);
	return r == 0 ? 0 : err_prefix(e, "%s", path);
}

int
keyfile_master(const struct conf *conf, struct err *e)
{
	char *text;
	uint8_t *key;
	int r;

	if (conf->key_file == NULL)
		return 0; /* the store's key comes from a passphrase */
	if (access(conf->key_file, F_OK) == 0)
		return 0; /* the operator brought his own credential */
	key = secret_alloc(32);
	text = secret_alloc(HEX_LEN(32) + 2);
	if (key == NULL || text == NULL) {
		secret_free(key);
		secret_free(text);
		return err_set(e, ERR_MEMORY, "no locked memory for a key");
	}
	rng_bytes(key, 32);
	hex_encode(text, key, 32);
	memcpy(text + HEX_LEN(32), "\n", 2);
	r = file_create(conf->key_file, text, HEX_LEN(32) + 1, 0600, e);
	secret_free(key);
	secret_free(text);
	return r;
}
