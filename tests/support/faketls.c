/* SPDX-License-Identifier: BSD-3-Clause */
/* OpenSSL's server side over two memory buffers. Owns them, the key and the certificate. */
#include "config.h"
#include "support/faketls.h"

#include "base/mem.h"

#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct faketls {
	SSL_CTX *ctx;
	SSL *ssl;
	BIO *in, *out; /* borrowed from ssl */
	X509 *cert;
	EVP_PKEY *key;
};

static void
must(bool ok)
{
	if (!ok)
		abort();
}

static void
add_extension(X509 *cert, int nid, const char *value)
{
	X509_EXTENSION *x = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	must(x != NULL && X509_add_ext(cert, x, -1) == 1);
	X509_EXTENSION_free(x);
}

static void
make_certificate(struct faketls *t, const struct faketls_kind *k)
{
	char san[128], *junk;

	t->key = k->rsa > 0 ? EVP_RSA_gen(k->rsa) : EVP_EC_gen("P-256");
	t->cert = X509_new();
	X509_set_version(t->cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(t->cert), 1);
	ASN1_TIME_set(X509_getm_notBefore(t->cert), (time_t)k->from);
	ASN1_TIME_set(X509_getm_notAfter(t->cert), (time_t)k->until);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(t->cert), "CN", MBSTRING_ASC, (const unsigned char *)"test", -1, -1, 0);
	X509_set_issuer_name(t->cert, X509_get_subject_name(t->cert));
	X509_set_pubkey(t->cert, t->key);
	if (k->name != NULL) {
		snprintf(san, sizeof san, "DNS:%s", k->name);
		add_extension(t->cert, NID_subject_alt_name, san);
	}
	if (k->padding > 0) {
		junk = xcalloc(1, k->padding + 1);
		memset(junk, 'x', k->padding);
		add_extension(t->cert, NID_netscape_comment, junk);
		free(junk);
	}
	must(X509_sign(t->cert, t->key, EVP_sha256()) > 0);
}

struct faketls *
faketls_new(const struct faketls_kind *k)
{
	struct faketls *t = xcalloc(1, sizeof *t);

	make_certificate(t, k);
	t->ctx = SSL_CTX_new(TLS_server_method());
	SSL_CTX_set_security_level(t->ctx, 0);
	if (k->max_version != 0) {
		SSL_CTX_set_min_proto_version(t->ctx, 0);
		SSL_CTX_set_max_proto_version(t->ctx, k->max_version);
	}
	must(SSL_CTX_use_certificate(t->ctx, t->cert) == 1 && SSL_CTX_use_PrivateKey(t->ctx, t->key) == 1);
	t->ssl = SSL_new(t->ctx);
	t->in = BIO_new(BIO_s_mem());
	t->out = BIO_new(BIO_s_mem());
	BIO_set_mem_eof_return(t->in, -1);
	SSL_set_bio(t->ssl, t->in, t->out);
	SSL_set_accept_state(t->ssl);
	return t;
}

void
faketls_free(struct faketls *t)
{
	if (t == NULL)
		return;
	SSL_free(t->ssl);
	SSL_CTX_free(t->ctx);
	X509_free(t->cert);
	EVP_PKEY_free(t->key);
	free(t);
}

void
faketls_pin(const struct faketls *t, uint8_t pin[32])
{
	unsigned char *der = NULL;
	int n = i2d_PUBKEY(t->key, &der);

	must(n > 0 && EVP_Digest(der, (size_t)n, pin, NULL, EVP_sha256(), NULL) == 1);
	OPENSSL_free(der);
}

const char *
faketls_asked(const struct faketls *t)
{
	return SSL_get_servername(t->ssl, TLSEXT_NAMETYPE_host_name);
}

void
faketls_feed(struct faketls *t, const void *p, size_t n)
{
	BIO_write(t->in, p, (int)n);
	SSL_do_handshake(t->ssl);
}

size_t
faketls_output(struct faketls *t, char *out, size_t cap)
{
	int n = BIO_read(t->out, out, (int)cap);

	return n > 0 ? (size_t)n : 0;
}

size_t
faketls_read(struct faketls *t, char *out, size_t cap)
{
	int n = SSL_read(t->ssl, out, (int)cap);

	return n > 0 ? (size_t)n : 0;
}

void
faketls_write(struct faketls *t, const void *p, size_t n)
{
	must(SSL_write(t->ssl, p, (int)n) == (int)n);
}

void
faketls_end(struct faketls *t)
{
	SSL_shutdown(t->ssl);
}

void
faketls_rekey(struct faketls *t)
{
	SSL_key_update(t->ssl, SSL_KEY_UPDATE_REQUESTED);
	SSL_do_handshake(t->ssl);
}
