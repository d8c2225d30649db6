/* SPDX-License-Identifier: BSD-3-Clause */
/* Where the master key comes from: a credential file, or a passphrase through Argon2id. */
#include "config.h"
#include "store/store.h"

#include "base/enc.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/rng.h"
#include "store/seal.h"

#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SALT crypto_pwhash_argon2id_SALTBYTES
#define KDF_MAX 1024
/* 256 MiB, 3 passes: about a second. */
#define KDF_OPS 3
#define KDF_MEM (256 * 1024 * 1024)
#define KDF_OPS_MAX 64
#define KDF_MEM_MAX (1024LL * 1024 * 1024)

static struct master_key *
key_new(struct err *e)
{
	struct master_key *k = secret_alloc(sizeof *k);

	if (k == NULL)
		err_set(e, ERR_MEMORY, "no locked memory for the master key (look at ulimit -l)");
	return k;
}

void
master_key_free(struct master_key *k)
{
	secret_free(k);
}

int
master_key_from_file(struct master_key **out, const char *path, struct err *e)
{
	struct master_key *k;
	char *text = NULL;
	size_t n;
	int r = -1;

	if (file_read(path, HEX_LEN(MASTER_KEY_LEN) + 1, FILE_SECRET, &text, &n, e) != 0)
		return err_prefix(e, "master key");
	if ((k = key_new(e)) == NULL)
		goto out;
	if (n == HEX_LEN(MASTER_KEY_LEN) + 1 && text[n - 1] == '\n')
		n--;
	if (hex_decode(k->bytes, sizeof k->bytes, text, n) != 0) {
		err_set(e, ERR_PARSE, "master key: %s must hold 64 lower-case hex digits", path);
		master_key_free(k);
		goto out;
	}
	*out = k;
	r = 0;
out:
	mem_wipe(text, n);
	free(text);
	return r;
}

struct kdf {
	uint8_t salt[SALT];
	json_int_t ops, mem;
};

static int
kdf_parse(struct kdf *k, const char *text, size_t n, const char *path, struct err *e)
{
	const char *algorithm, *salt;
	json_t *root = json_loadb(text, n, JSON_REJECT_DUPLICATES, NULL);
	int r = -1;

	if (json_unpack(root, "{s:s,s:s,s:I,s:I!}", "algorithm", &algorithm, "salt", &salt, "ops", &k->ops, "mem", &k->mem) == 0 &&
	    strcmp(algorithm, "argon2id13") == 0 && hex_decode(k->salt, SALT, salt, strlen(salt)) == 0 && k->ops >= 1 &&
	    k->ops <= KDF_OPS_MAX && k->mem >= 8192 && k->mem <= KDF_MEM_MAX)
		r = 0;
	else
		err_set(e, ERR_STATE, "%s is damaged; without its salt the passphrase does not open the state: restore it from a backup", path);
	json_decref(root);
	return r;
}

static int
kdf_get(struct kdf *k, const char *state_dir, struct err *e)
{
	char path[PATH_MAX], hex[HEX_LEN(SALT) + 1], text[256], *got;
	struct err inner = ERR_INIT;
	size_t n;
	int r;

	snprintf(path, sizeof path, "%s/kdf.json", state_dir);
	if (file_read(path, KDF_MAX, FILE_PUBLIC, &got, &n, &inner) == 0) {
		r = kdf_parse(k, got, n, path, e);
		free(got);
		return r;
	}
	if (inner.sys != ENOENT)
		return err_set(e, inner.code, "%s", inner.msg);
	/* A new salt beside an old store would only hide that the old one is lost. */
	snprintf(path, sizeof path, "%s/store.db", state_dir);
	if (access(path, F_OK) == 0)
		return err_set(e, ERR_STATE, "%s/kdf.json is missing; the passphrase does not open the state without it: restore it from a backup",
		    state_dir);
	snprintf(path, sizeof path, "%s/kdf.json", state_dir);
	rng_bytes(k->salt, SALT);
	k->ops = KDF_OPS;
	k->mem = KDF_MEM;
	hex_encode(hex, k->salt, SALT);
	snprintf(text, sizeof text, "{\"algorithm\":\"argon2id13\",\"mem\":%lld,\"ops\":%lld,\"salt\":\"%s\"}\n", (long long)k->mem,
	    (long long)k->ops, hex);
	return file_create(path, text, strlen(text), 0600, e);
}

int
master_key_from_passphrase(struct master_key **out, const char *state_dir, const char *passphrase, size_t n, struct err *e)
{
	struct master_key *k;
	struct kdf kdf;

	if (kdf_get(&kdf, state_dir, e) != 0)
		return -1;
	if ((k = key_new(e)) == NULL)
		return -1;
	if (crypto_pwhash(k->bytes, sizeof k->bytes, passphrase, n, kdf.salt, (unsigned long long)kdf.ops, (size_t)kdf.mem,
	    crypto_pwhash_ALG_ARGON2ID13) != 0) {
		master_key_free(k);
		return err_set(e, ERR_MEMORY, "not enough memory (%lld MiB) to turn the passphrase into a key", (long long)kdf.mem >> 20);
	}
	*out = k;
	return 0;
}
