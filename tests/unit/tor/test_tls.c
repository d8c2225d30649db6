/* SPDX-License-Identifier: BSD-3-Clause */
/* The client side of TLS against OpenSSL's server side, both in memory. */
#include "config.h"
#include "tor/tls.h"

#include <criterion/criterion.h>
/* OpenSSL has a type of this name. */
#define ERR_STATE openssl_ERR_STATE
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#undef ERR_STATE
#include <string.h>

#define HOST "adifuhi6ujits3kvpl55iwelhrwztw7ls4x62efdevroujw43t5kanad.onion"
#define NOW 1700000000
#define DAY 86400

/* What the server's certificate is like. */
struct kind {
	const char *name; /* in subjectAltName, NULL: none */
	long from, until; /* seconds from NOW */
	unsigned rsa;     /* bits; 0: P-256 */
	int max_version;  /* 0: any */
	unsigned padding; /* bytes of junk in the certificate */
};

static const struct kind good = { HOST, -DAY, DAY, 0, 0, 0 };

struct server {
	SSL_CTX *ctx;
	SSL *ssl;
	BIO *in, *out;
	X509 *cert;
	EVP_PKEY *key;
};

static void
add_extension(X509 *cert, int nid, const char *value)
{
	X509_EXTENSION *x = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	cr_assert(x != NULL && X509_add_ext(cert, x, -1) == 1);
	X509_EXTENSION_free(x);
}

static void
make_certificate(struct server *s, const struct kind *k)
{
	char san[128];
	char *junk;

	s->key = k->rsa > 0 ? EVP_RSA_gen(k->rsa) : EVP_EC_gen("P-256");
	s->cert = X509_new();
	X509_set_version(s->cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(s->cert), 1);
	ASN1_TIME_set(X509_getm_notBefore(s->cert), NOW + k->from);
	ASN1_TIME_set(X509_getm_notAfter(s->cert), NOW + k->until);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(s->cert), "CN", MBSTRING_ASC, (const unsigned char *)HOST, 30, -1, 0);
	X509_set_issuer_name(s->cert, X509_get_subject_name(s->cert));
	X509_set_pubkey(s->cert, s->key);
	if (k->name != NULL) {
		snprintf(san, sizeof san, "DNS:%s", k->name);
		add_extension(s->cert, NID_subject_alt_name, san);
	}
	if (k->padding > 0) {
		junk = calloc(1, k->padding + 1);
		memset(junk, 'x', k->padding);
		add_extension(s->cert, NID_netscape_comment, junk);
		free(junk);
	}
	cr_assert(X509_sign(s->cert, s->key, EVP_sha256()) > 0);
}

static void
server_up(struct server *s, const struct kind *k)
{
	memset(s, 0, sizeof *s);
	make_certificate(s, k);
	s->ctx = SSL_CTX_new(TLS_server_method());
	SSL_CTX_set_security_level(s->ctx, 0);
	if (k->max_version != 0)
		SSL_CTX_set_min_proto_version(s->ctx, 0), SSL_CTX_set_max_proto_version(s->ctx, k->max_version);
	cr_assert(SSL_CTX_use_certificate(s->ctx, s->cert) == 1 && SSL_CTX_use_PrivateKey(s->ctx, s->key) == 1);
	s->ssl = SSL_new(s->ctx);
	s->in = BIO_new(BIO_s_mem());
	s->out = BIO_new(BIO_s_mem());
	BIO_set_mem_eof_return(s->in, -1);
	SSL_set_bio(s->ssl, s->in, s->out);
	SSL_set_accept_state(s->ssl);
}

static void
server_down(struct server *s)
{
	SSL_free(s->ssl);
	SSL_CTX_free(s->ctx);
	X509_free(s->cert);
	EVP_PKEY_free(s->key);
}

/* Carries bytes both ways, `piece` at a time, until nobody has anything to say; -1 as the client says. */
static int
talk(struct tls *t, struct server *s, int piece, struct err *e)
{
	char bytes[4096];
	const char *out;
	size_t n;
	int got;

	if (tls_feed(t, NULL, 0, e) != 0)
		return -1;
	for (;;) {
		out = tls_output(t, &n);
		if (out != NULL)
			BIO_write(s->in, out, (int)n);
		SSL_do_handshake(s->ssl);
		got = BIO_read(s->out, bytes, piece);
		if (got > 0 && tls_feed(t, bytes, (size_t)got, e) != 0)
			return -1;
		if (got <= 0 && out == NULL)
			return 0;
	}
}

/* Whether a client accepts such a server; *why its words if not. */
static bool
accepts(const struct kind *k, const uint8_t *pin, struct err *why)
{
	struct server s;
	struct tls *t = tls_new(HOST, pin, NOW);
	bool ready;

	server_up(&s, k);
	ready = talk(t, &s, 4096, why) == 0 && tls_is_ready(t);
	tls_free(t);
	server_down(&s);
	return ready;
}

Test(tor_tls, carries_a_request_and_its_answer_in_pieces_of_any_size)
{
	static const int pieces[] = { 1, 7, 4096 };
	struct err e = ERR_INIT;
	struct server s;
	char text[64];
	const char *out;
	size_t i, n;
	int got;

	for (i = 0; i < 3; i++) {
		struct tls *t = tls_new(HOST, NULL, NOW);

		server_up(&s, &good);
		cr_assert(talk(t, &s, pieces[i], &e) == 0 && tls_is_ready(t), "%s", e.msg);
		cr_expect_str_eq(SSL_get_servername(s.ssl, TLSEXT_NAMETYPE_host_name), HOST);
		cr_assert(tls_write(t, "ask", 3, &e) == 0);
		out = tls_output(t, &n);
		BIO_write(s.in, out, (int)n);
		cr_assert(SSL_read(s.ssl, text, sizeof text) == 3 && memcmp(text, "ask", 3) == 0);
		SSL_write(s.ssl, "answer", 6);
		SSL_shutdown(s.ssl);
		while ((got = BIO_read(s.out, text, pieces[i] < 64 ? pieces[i] : 64)) > 0)
			cr_assert(tls_feed(t, text, (size_t)got, &e) == 0);
		cr_assert(tls_read(t, text, sizeof text, &e) == 6 && memcmp(text, "answer", 6) == 0);
		cr_expect(tls_read(t, text, sizeof text, &e) == 0 && tls_is_ended(t));
		tls_free(t);
		server_down(&s);
	}
}

Test(tor_tls, asks_of_a_certificate_what_a_browser_would_stumble_over)
{
	static const struct {
		struct kind kind;
		const char *why; /* NULL: accepted */
	} cases[] = {
		{ { HOST, -DAY, DAY, 0, 0, 0 }, NULL },
		{ { HOST, -DAY, DAY, 2048, TLS1_2_VERSION, 0 }, NULL },
		{ { HOST, -2 * DAY, -DAY, 0, 0, 0 }, "the certificate has expired" },
		{ { HOST, DAY, 2 * DAY, 0, 0, 0 }, "the certificate is not valid yet" },
		{ { "example.org", -DAY, DAY, 0, 0, 0 }, "the certificate does not name this onion" },
		{ { NULL, -DAY, DAY, 0, 0, 0 }, "the certificate does not name this onion" },
		{ { HOST, -DAY, DAY, 1024, 0, 0 }, "the certificate's key is too weak" },
	};
	size_t i;

	for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct err e = ERR_INIT;
		bool ok = accepts(&cases[i].kind, NULL, &e);

		cr_expect(ok == (cases[i].why == NULL), "case %zu: %s", i, e.msg);
		if (cases[i].why != NULL) {
			cr_expect_str_eq(e.msg, cases[i].why);
			cr_expect(e.code == ERR_CRYPTO);
		}
	}
}

Test(tor_tls, takes_a_pinned_key_whatever_it_is_called_and_no_other)
{
	struct kind other = good;
	struct server s;
	uint8_t pin[TLS_PIN_LEN];
	unsigned char *der = NULL;
	struct err e = ERR_INIT;
	struct tls *t;
	int n;

	other.name = "example.org";
	server_up(&s, &other);
	n = i2d_PUBKEY(s.key, &der);
	EVP_Digest(der, (size_t)n, pin, NULL, EVP_sha256(), NULL);
	OPENSSL_free(der);
	t = tls_new(HOST, pin, NOW);
	cr_expect(talk(t, &s, 4096, &e) == 0 && tls_is_ready(t), "%s", e.msg);
	tls_free(t);
	server_down(&s);
	cr_expect(!accepts(&good, pin, &e));
	cr_expect_str_eq(e.msg, "the certificate's key is not the pinned one");
}

Test(tor_tls, refuses_old_protocols_and_huge_certificates)
{
	struct kind old = good, huge = good;
	struct err e1 = ERR_INIT, e2 = ERR_INIT;

	old.max_version = TLS1_1_VERSION;
	huge.padding = TLS_CHAIN_MAX + 100;
	cr_expect(!accepts(&old, NULL, &e1) && e1.code == ERR_PROTO, "%s", e1.msg);
	cr_expect(!accepts(&huge, NULL, &e2) && e2.code == ERR_PROTO, "%s", e2.msg);
}

Test(tor_tls, says_the_same_again_after_it_failed)
{
	struct tls *t = tls_new(HOST, NULL, NOW);
	struct err e1 = ERR_INIT, e2 = ERR_INIT, e3 = ERR_INIT;
	char text[8];

	cr_expect(tls_feed(t, "HTTP/1.1 400 Bad Request\r\n\r\n", 28, &e1) != 0 && e1.code == ERR_PROTO);
	cr_expect(tls_feed(t, "x", 1, &e2) != 0);
	cr_expect_str_eq(e1.msg, e2.msg);
	cr_expect(tls_read(t, text, sizeof text, &e3) != 0 && tls_write(t, "x", 1, NULL) != 0);
	cr_expect_str_eq(e1.msg, e3.msg);
	tls_free(t);
}

Test(tor_tls, cuts_a_server_that_makes_it_answer_without_end)
{
	struct tls *t = tls_new(HOST, NULL, NOW);
	struct err e = ERR_INIT;
	struct server s;
	char bytes[4096], text[64];
	int got, i, r = 0;

	server_up(&s, &good);
	cr_assert(talk(t, &s, 4096, &e) == 0 && tls_is_ready(t));
	for (i = 0; i < 20000 && r == 0; i++) {
		SSL_key_update(s.ssl, SSL_KEY_UPDATE_REQUESTED);
		SSL_do_handshake(s.ssl);
		while (r == 0 && (got = BIO_read(s.out, bytes, sizeof bytes)) > 0)
			if (tls_feed(t, bytes, (size_t)got, &e) != 0 || tls_read(t, text, sizeof text, &e) != 0)
				r = -1;
	}
	cr_expect(r != 0 && (e.code == ERR_LIMIT || e.code == ERR_PROTO), "after %d: %s", i, e.msg);
	tls_free(t);
	server_down(&s);
}
