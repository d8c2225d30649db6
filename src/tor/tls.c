/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * TLS for probes, over two memory buffers of OpenSSL's. Owns them and the
 * connection; each connection has a context of its own, so nothing is shared.
 */
#include "config.h"
#include "tor/tls.h"

#include "base/mem.h"

/* OpenSSL has a type of this name. */
#define ERR_STATE openssl_ERR_STATE
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#undef ERR_STATE
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define KEY_BITS_MIN 112 /* of security: RSA 2048, any usual curve */
/* As browsers do: the subject's common name is no name. */
#define HOST_FLAGS (X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT)

struct tls {
	SSL *ssl;      /* owned, with both buffers */
	BIO *in, *out; /* borrowed */
	char *sent;    /* owned: what tls_output() handed out */
	char host[256];
	uint8_t pin[TLS_PIN_LEN];
	bool has_pin, ready, ended;
	int64_t now;
	struct err failed; /* what every call says from then on */
};

static int
fail(struct tls *t, enum err_code code, const char *why, struct err *e)
{
	if (t->failed.code == ERR_NONE)
		err_set(&t->failed, code, "%s", why);
	return err_set(e, t->failed.code, "%s", t->failed.msg);
}

/* OpenSSL's own words for what went wrong: a fixed text, nothing of the peer's is in it. */
static int
fail_ssl(struct tls *t, struct err *e)
{
	const char *reason = ERR_reason_error_string(ERR_peek_error());

	ERR_clear_error();
	return fail(t, ERR_PROTO, reason != NULL ? reason : "the server closed the connection", e);
}

int
tls_begin(void)
{
	/* What the system's openssl.cnf would bring into the process is not wanted, nor is it there behind a sandbox. */
	return OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) == 1 && OSSL_LIB_CTX_get0_global_default() != NULL ? 0 : -1;
}

static SSL *
connection_new(const char *host)
{
	static const unsigned char alpn[] = "\x08http/1.1";
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	SSL *ssl = NULL;

	if (ctx == NULL)
		return NULL;
	SSL_CTX_set_security_level(ctx, 2);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL); /* check_certificate() does it */
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
	SSL_CTX_set_max_cert_list(ctx, TLS_CHAIN_MAX);
	SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE);
	if (SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1)
		ssl = SSL_new(ctx);
	SSL_CTX_free(ctx); /* the connection holds it */
	if (ssl != NULL && (SSL_set_tlsext_host_name(ssl, host) != 1 || SSL_set_alpn_protos(ssl, alpn, sizeof alpn - 1) != 0)) {
		SSL_free(ssl);
		return NULL;
	}
	return ssl;
}

struct tls *
tls_new(const char *host, const uint8_t *pin, int64_t now)
{
	struct tls *t;
	size_t n = strlen(host);

	if (n >= sizeof t->host)
		return NULL;
	t = xcalloc(1, sizeof *t);
	memcpy(t->host, host, n + 1);
	t->now = now;
	t->has_pin = pin != NULL;
	if (pin != NULL)
		memcpy(t->pin, pin, sizeof t->pin);
	t->ssl = connection_new(host);
	t->in = BIO_new(BIO_s_mem());
	t->out = BIO_new(BIO_s_mem());
	if (t->ssl == NULL || t->in == NULL || t->out == NULL) {
		BIO_free(t->in);
		BIO_free(t->out);
		SSL_free(t->ssl);
		free(t);
		ERR_clear_error();
		return NULL;
	}
	BIO_set_mem_eof_return(t->in, -1); /* empty is "later", not the end */
	SSL_set_bio(t->ssl, t->in, t->out);
	SSL_set_connect_state(t->ssl);
	return t;
}

void
tls_free(struct tls *t)
{
	if (t == NULL)
		return;
	SSL_free(t->ssl);
	free(t->sent);
	free(t);
}

static bool
pin_matches(const struct tls *t, X509 *cert)
{
	uint8_t md[TLS_PIN_LEN];
	unsigned char *der = NULL;
	int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &der);
	bool same;

	if (n <= 0)
		return false;
	same = EVP_Digest(der, (size_t)n, md, NULL, EVP_sha256(), NULL) == 1 && memcmp(md, t->pin, sizeof md) == 0;
	OPENSSL_free(der);
	return same;
}

static int
check_certificate(struct tls *t, X509 *cert, struct err *e)
{
	time_t now = (time_t)t->now;
	EVP_PKEY *key = X509_get0_pubkey(cert);

	if (t->has_pin && !pin_matches(t, cert))
		return fail(t, ERR_CRYPTO, "the certificate's key is not the pinned one", e);
	if (!t->has_pin && X509_check_host(cert, t->host, 0, HOST_FLAGS, NULL) != 1)
		return fail(t, ERR_CRYPTO, "the certificate does not name this onion", e);
	if (key == NULL || EVP_PKEY_get_security_bits(key) < KEY_BITS_MIN)
		return fail(t, ERR_CRYPTO, "the certificate's key is too weak", e);
	if (X509_cmp_time(X509_get0_notBefore(cert), &now) >= 0)
		return fail(t, ERR_CRYPTO, "the certificate is not valid yet", e);
	if (X509_cmp_time(X509_get0_notAfter(cert), &now) <= 0)
		return fail(t, ERR_CRYPTO, "the certificate has expired", e);
	return 0;
}

static int
shake_hands(struct tls *t, struct err *e)
{
	X509 *cert;
	int r;

	ERR_clear_error();
	r = SSL_do_handshake(t->ssl);
	if (r != 1)
		return SSL_get_error(t->ssl, r) == SSL_ERROR_WANT_READ ? 0 : fail_ssl(t, e);
	cert = SSL_get0_peer_certificate(t->ssl);
	if (cert == NULL)
		return fail(t, ERR_CRYPTO, "the server has no certificate", e);
	r = check_certificate(t, cert, e);
	ERR_clear_error();
	t->ready = r == 0;
	return r;
}

int
tls_feed(struct tls *t, const void *p, size_t n, struct err *e)
{
	if (t->failed.code != ERR_NONE)
		return fail(t, ERR_NONE, "", e);
	if (n > TLS_OUTPUT_MAX || (n > 0 && BIO_write(t->in, p, (int)n) != (int)n))
		return fail(t, ERR_LIMIT, "more bytes at once than are taken", e);
	if (!t->ready && shake_hands(t, e) != 0)
		return -1;
	if (BIO_pending(t->out) > TLS_OUTPUT_MAX)
		return fail(t, ERR_LIMIT, "the server makes us answer without end", e);
	return 0;
}

bool
tls_is_ready(const struct tls *t)
{
	return t->ready;
}

bool
tls_is_ended(const struct tls *t)
{
	return t->ended;
}

int
tls_write(struct tls *t, const void *p, size_t n, struct err *e)
{
	const char *at = p;
	size_t done;

	if (t->failed.code != ERR_NONE || !t->ready)
		return fail(t, ERR_PROTO, "not ready to write", e);
	ERR_clear_error();
	for (; n > 0; at += done, n -= done)
		if (SSL_write_ex(t->ssl, at, n, &done) != 1)
			return fail_ssl(t, e);
	return 0;
}

int
tls_read(struct tls *t, char *out, size_t cap, struct err *e)
{
	int r;

	if (t->failed.code != ERR_NONE)
		return fail(t, ERR_NONE, "", e);
	if (!t->ready || t->ended)
		return 0;
	ERR_clear_error();
	r = SSL_read(t->ssl, out, (int)(cap < TLS_OUTPUT_MAX ? cap : TLS_OUTPUT_MAX));
	if (r > 0)
		return r;
	switch (SSL_get_error(t->ssl, r)) {
	case SSL_ERROR_WANT_READ:
		if (BIO_pending(t->out) > TLS_OUTPUT_MAX)
			return fail(t, ERR_LIMIT, "the server makes us answer without end", e);
		return 0;
	case SSL_ERROR_ZERO_RETURN: t->ended = true; return 0;
	default: return fail_ssl(t, e);
	}
}

const char *
tls_output(struct tls *t, size_t *n)
{
	int have = BIO_pending(t->out);

	free(t->sent);
	t->sent = NULL;
	*n = 0;
	if (have <= 0)
		return NULL;
	t->sent = xcalloc(1, (size_t)have);
	*n = (size_t)BIO_read(t->out, t->sent, have);
	return t->sent;
}
