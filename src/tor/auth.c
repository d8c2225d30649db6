/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Authentication to tor: which method, the SAFECOOKIE computation, and the
 * files that hold our half of the secret. Owns nothing across calls.
 */
#include "config.h"
#include "tor/auth.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/mutant.h"

#include <errno.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char server_key[] = "Tor safe cookie authentication server-to-controller hash";
static const char client_key[] = "Tor safe cookie authentication controller-to-server hash";

int
auth_choose(
    enum auth_method *out, const struct session_config *cfg, unsigned offered, struct err *e)
{
	if (cfg->cookie_file != NULL) {
		if ((offered & AUTH_SAFECOOKIE) == 0)
			return err_set(e, ERR_AUTH,
			    "tor does not offer SAFECOOKIE, and a cookie is never sent to a tor "
			    "that does not prove "
			    "itself; set CookieAuthentication 1 in torrc, or check that this is "
			    "the right control port");
		*out = AUTH_SAFECOOKIE;
		return 0;
	}
	if ((offered & AUTH_NULL) != 0) {
		if (!cfg->allow_no_auth)
			return err_set(e, ERR_AUTH,
			    "tor's control port asks for no authentication; set "
			    "CookieAuthentication 1 in torrc and cookie "
			    "here, or allow-no-auth if that is wanted");
		*out = AUTH_NULL;
		return 0;
	}
	if (cfg->password_file != NULL) {
		if ((offered & AUTH_HASHEDPASSWORD) == 0)
			return err_set(e, ERR_AUTH,
			    "tor takes no password; set HashedControlPassword in torrc, or cookie "
			    "here");
		*out = AUTH_HASHEDPASSWORD;
		return 0;
	}
	return err_set(e, ERR_AUTH, "tor wants %s, and none is configured; set %s",
	    (offered & AUTH_SAFECOOKIE) != 0 ? "its cookie" : "authentication",
	    (offered & AUTH_SAFECOOKIE) != 0 ? "cookie" : "cookie or password-file");
}

static void
keyed_hash(uint8_t out[AUTH_HASH_LEN], const char *key, size_t keylen, const uint8_t *cookie,
    const uint8_t *client_nonce, const uint8_t *server_nonce)
{
	crypto_auth_hmacsha256_state st;

	crypto_auth_hmacsha256_init(&st, (const unsigned char *)key, keylen);
	crypto_auth_hmacsha256_update(&st, cookie, AUTH_COOKIE_LEN);
	crypto_auth_hmacsha256_update(&st, client_nonce, AUTH_NONCE_LEN);
	crypto_auth_hmacsha256_update(&st, server_nonce, AUTH_NONCE_LEN);
	crypto_auth_hmacsha256_final(&st, out);
	mem_wipe(&st, sizeof(st));
}

void
auth_server_hash(uint8_t out[AUTH_HASH_LEN], const uint8_t cookie[AUTH_COOKIE_LEN],
    const uint8_t client_nonce[AUTH_NONCE_LEN], const uint8_t server_nonce[AUTH_NONCE_LEN])
{
	keyed_hash(out, server_key, sizeof(server_key) - 1, cookie, client_nonce, server_nonce);
}

void
auth_client_hash(uint8_t out[AUTH_HASH_LEN], const uint8_t cookie[AUTH_COOKIE_LEN],
    const uint8_t client_nonce[AUTH_NONCE_LEN], const uint8_t server_nonce[AUTH_NONCE_LEN])
{
	keyed_hash(out, client_key, sizeof(client_key) - 1, cookie, client_nonce, server_nonce);
}

int
auth_answer(uint8_t out[AUTH_HASH_LEN], const uint8_t cookie[AUTH_COOKIE_LEN],
    const uint8_t client_nonce[AUTH_NONCE_LEN], const uint8_t server_hash[AUTH_HASH_LEN],
    const uint8_t server_nonce[AUTH_NONCE_LEN], struct err *e)
{
	uint8_t expected[AUTH_HASH_LEN];
	int differ;

	auth_server_hash(expected, cookie, client_nonce, server_nonce);
	differ = MUTANT(8) ? 0 : sodium_memcmp(expected, server_hash, sizeof(expected));
	mem_wipe(expected, sizeof(expected));
	if (differ != 0)
		return err_set(e, ERR_AUTH,
		    "wrong cookie: what answers on the control port does not know the configured "
		    "cookie; is it the "
		    "cookie file of this tor?");
	auth_client_hash(out, cookie, client_nonce, server_nonce);
	return 0;
}

int
auth_read_cookie(uint8_t out[AUTH_COOKIE_LEN], const char *path, struct err *e)
{
	struct err inner = ERR_INIT;

	if (file_read_exact(path, FILE_FOREIGN, out, AUTH_COOKIE_LEN, &inner) == 0)
		return 0;
	if (inner.code == ERR_SYS && (inner.sys == EACCES || inner.sys == EPERM))
		return err_set(e, ERR_AUTH,
		    "no permission to read the cookie %s; add the user of onionmirrord to the "
		    "group that owns it "
		    "(Debian: debian-tor)",
		    path);
	return err_set(e, ERR_AUTH, "cookie %s", inner.msg);
}

int
auth_read_password(char **out, size_t *len, const char *path, struct err *e)
{
	char *text = NULL, *copy;
	size_t n;

	if (file_read(path, AUTH_PASSWORD_MAX, FILE_SECRET, &text, &n, e) != 0)
		return err_prefix(e, "password");
	if (n > 0 && text[n - 1] == '\n')
		n--;
	if ((copy = secret_alloc(n + 1)) == NULL) {
		mem_wipe(text, n);
		free(text);
		return err_set(e, ERR_MEMORY, "no locked memory for the password");
	}
	memcpy(copy, text, n);
	copy[n] = '\0';
	mem_wipe(text, n);
	free(text);
	if (n == 0 || memchr(copy, '\n', n) != NULL || memchr(copy, '\r', n) != NULL ||
	    memchr(copy, '\0', n) != NULL) {
		secret_free(copy);
		return err_set(
		    e, ERR_CONFIG, "password %s: must be one line that is not empty", path);
	}
	*out = copy;
	*len = n;
	return 0;
}

int
auth_check_peer(const struct session_config *cfg, long uid, struct err *e)
{
	struct stat st;

	if (cfg->control.kind != ENDPOINT_UNIX || uid < 0 || uid == 0 || uid == (long)geteuid())
		return 0;
	if (lstat(cfg->control.path, &st) == 0 && (long)st.st_uid == uid)
		return 0;
	if (cfg->cookie_file != NULL && lstat(cfg->cookie_file, &st) == 0 && (long)st.st_uid == uid)
		return 0;
	return err_set(e, ERR_AUTH,
	    "control socket %s is held by uid %ld, which owns neither it nor the cookie; that is "
	    "not your tor",
	    cfg->control.path, uid);
}
