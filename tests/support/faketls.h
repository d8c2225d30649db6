/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TESTS_FAKETLS_H
#define TESTS_FAKETLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The server side of one TLS connection in memory, with a certificate of its own that is as wrong as asked for. */
struct faketls;

#define FAKETLS_DAY 86400

/* What the certificate is like. Zero of a field: nothing special. */
struct faketls_kind {
	const char *name; /* in subjectAltName, NULL: none */
	int64_t from, until; /* wall seconds */
	unsigned rsa;     /* bits; 0: P-256 */
	int max_version;  /* of the protocol, as OpenSSL numbers it */
	unsigned padding; /* bytes of junk in the certificate */
};

struct faketls *faketls_new(const struct faketls_kind *k);
void faketls_free(struct faketls *t);
/* SHA-256 of its key, as a pin. */
void faketls_pin(const struct faketls *t, uint8_t pin[32]);
/* The name that the client asked for, NULL if none. */
const char *faketls_asked(const struct faketls *t);

/* Takes ciphertext and goes on with the handshake. */
void faketls_feed(struct faketls *t, const void *p, size_t n);
/* Up to cap bytes of ciphertext to send; 0: none. */
size_t faketls_output(struct faketls *t, char *out, size_t cap);
/* Plaintext: how much came, 0 for none; and to be sent. */
size_t faketls_read(struct faketls *t, char *out, size_t cap);
void faketls_write(struct faketls *t, const void *p, size_t n);
/* Says that no more comes. */
void faketls_end(struct faketls *t);
/* Demands new keys of the client. */
void faketls_rekey(struct faketls *t);

#endif
