/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TOR_AUTH_H
#define TOR_AUTH_H

#include "base/endpoint.h"
#include "tor/session.h"

#include <stddef.h>
#include <stdint.h>

/*
 * How a session proves itself to tor, and tor to us. Follows control-spec 3.5
 * (AUTHENTICATE) and 3.24 (AUTHCHALLENGE, SAFECOOKIE). Nothing here sends.
 */
#define AUTH_COOKIE_LEN 32
#define AUTH_NONCE_LEN 32
#define AUTH_HASH_LEN 32
#define AUTH_PASSWORD_MAX 1024

/* What tor offers: bits, from METHODS= in the answer to PROTOCOLINFO. */
enum auth_method {
	AUTH_NONE = 0,
	AUTH_NULL = 1,
	AUTH_HASHEDPASSWORD = 2,
	AUTH_COOKIE =
	    4, /* offered by tor, never used: it gives the cookie's bytes to whoever answers */
	AUTH_SAFECOOKIE = 8,
};

/*
 * Which of the offered methods to use. A configured cookie means SAFECOOKIE or
 * nothing, since only it makes tor prove itself; a password is never sent to a
 * tor that would take any (METHODS=NULL). ERR_AUTH with what to do.
 */
int auth_choose(
    enum auth_method *out, const struct session_config *cfg, unsigned offered, struct err *e);

/* Both halves of SAFECOOKIE: HMAC-SHA256 over cookie || client nonce || server nonce. */
void auth_server_hash(uint8_t out[AUTH_HASH_LEN], const uint8_t cookie[AUTH_COOKIE_LEN],
    const uint8_t client_nonce[AUTH_NONCE_LEN], const uint8_t server_nonce[AUTH_NONCE_LEN]);
void auth_client_hash(uint8_t out[AUTH_HASH_LEN], const uint8_t cookie[AUTH_COOKIE_LEN],
    const uint8_t client_nonce[AUTH_NONCE_LEN], const uint8_t server_nonce[AUTH_NONCE_LEN]);

/*
 * Checks tor's half in constant time and only then makes ours. ERR_AUTH when
 * tor does not know the cookie: it is not the tor whose cookie file we have,
 * and nothing more must be said to it.
 */
int auth_answer(uint8_t out[AUTH_HASH_LEN], const uint8_t cookie[AUTH_COOKIE_LEN],
    const uint8_t client_nonce[AUTH_NONCE_LEN], const uint8_t server_hash[AUTH_HASH_LEN],
    const uint8_t server_nonce[AUTH_NONCE_LEN], struct err *e);

/*
 * Reads the cookie file: regular, no symlink, 32 bytes, not writable by group
 * or others; any owner (Debian: debian-tor, 0640).
 */
int auth_read_cookie(uint8_t out[AUTH_COOKIE_LEN], const char *path, struct err *e);
/*
 * Reads the password file (FILE_SECRET), less one LF at its end, into
 * secret_alloc() memory: NUL-ended, free with secret_free().
 */
int auth_read_password(char **out, size_t *len, const char *path, struct err *e);

/*
 * Is the process at the other end of a unix control socket one that may be tor:
 * root, ourselves, or the owner of the socket or of the cookie file? `uid` is -1
 * for TCP, where nothing can be known and 0 is returned.
 */
int auth_check_peer(const struct session_config *cfg, long uid, struct err *e);

#endif
