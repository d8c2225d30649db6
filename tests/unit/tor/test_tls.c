/* SPDX-License-Identifier: BSD-3-Clause */
/* The client side of TLS against OpenSSL's server side, both in memory. */
#include "config.h"
#include "tor/tls.h"

#include "support/faketls.h"

#include <criterion/criterion.h>
#include <string.h>

#define HOST "adifuhi6ujits3kvpl55iwelhrwztw7ls4x62efdevroujw43t5kanad.onion"
#define NOW 1700000000
#define DAY FAKETLS_DAY
#define TLS_1_1 0x0302
#define TLS_1_2 0x0303

static const struct faketls_kind good = { HOST, NOW - DAY, NOW + DAY, 0, 0, 0 };

/* Carries bytes both ways, `piece` at a time, until nobody has anything to say; -1 as the client says. */
static int
talk(struct tls *t, struct faketls *s, size_t piece, struct err *e)
{
	char bytes[4096];
	const char *out;
	size_t n, got;

	if (tls_feed(t, NULL, 0, e) != 0)
		return -1;
	for (;;) {
		out = tls_output(t, &n);
		if (out != NULL)
			faketls_feed(s, out, n);
		got = faketls_output(s, bytes, piece);
		if (got > 0 && tls_feed(t, bytes, got, e) != 0)
			return -1;
		if (got == 0 && out == NULL)
			return 0;
	}
}

/* Whether a client accepts such a server; *why its words if not. */
static bool
accepts(const struct faketls_kind *k, const uint8_t *pin, struct err *why)
{
	struct faketls *s = faketls_new(k);
	struct tls *t = tls_new(HOST, pin, NOW);
	bool ready = talk(t, s, 4096, why) == 0 && tls_is_ready(t);

	tls_free(t);
	faketls_free(s);
	return ready;
}

Test(tor_tls, carries_a_request_and_its_answer_in_pieces_of_any_size)
{
	static const size_t pieces[] = { 1, 7, 64 };
	struct err e = ERR_INIT;
	char text[64];
	const char *out;
	size_t i, n;

	for (i = 0; i < 3; i++) {
		struct tls *t = tls_new(HOST, NULL, NOW);
		struct faketls *s = faketls_new(&good);

		cr_assert(talk(t, s, pieces[i], &e) == 0 && tls_is_ready(t), "%s", e.msg);
		cr_expect_str_eq(faketls_asked(s), HOST);
		cr_assert(tls_write(t, "ask", 3, &e) == 0);
		out = tls_output(t, &n);
		faketls_feed(s, out, n);
		cr_assert(faketls_read(s, text, sizeof text) == 3 && memcmp(text, "ask", 3) == 0);
		faketls_write(s, "answer", 6);
		faketls_end(s);
		while ((n = faketls_output(s, text, pieces[i])) > 0)
			cr_assert(tls_feed(t, text, n, &e) == 0);
		cr_assert(tls_read(t, text, sizeof text, &e) == 6 && memcmp(text, "answer", 6) == 0);
		cr_expect(tls_read(t, text, sizeof text, &e) == 0 && tls_is_ended(t));
		tls_free(t);
		faketls_free(s);
	}
}

Test(tor_tls, asks_of_a_certificate_what_a_browser_would_stumble_over)
{
	static const struct {
		struct faketls_kind kind;
		const char *why; /* NULL: accepted */
	} cases[] = {
		{ { HOST, NOW - DAY, NOW + DAY, 0, 0, 0 }, NULL },
		{ { HOST, NOW - DAY, NOW + DAY, 2048, TLS_1_2, 0 }, NULL },
		{ { HOST, NOW - 2 * DAY, NOW - DAY, 0, 0, 0 }, "the certificate has expired" },
		{ { HOST, NOW + DAY, NOW + 2 * DAY, 0, 0, 0 }, "the certificate is not valid yet" },
		{ { "example.org", NOW - DAY, NOW + DAY, 0, 0, 0 }, "the certificate does not name this onion" },
		{ { NULL, NOW - DAY, NOW + DAY, 0, 0, 0 }, "the certificate does not name this onion" },
		{ { HOST, NOW - DAY, NOW + DAY, 1024, 0, 0 }, "the certificate's key is too weak" },
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
	struct faketls_kind other = good;
	struct faketls *s;
	uint8_t pin[TLS_PIN_LEN];
	struct err e = ERR_INIT;
	struct tls *t;

	other.name = "example.org";
	s = faketls_new(&other);
	faketls_pin(s, pin);
	t = tls_new(HOST, pin, NOW);
	cr_expect(talk(t, s, 4096, &e) == 0 && tls_is_ready(t), "%s", e.msg);
	tls_free(t);
	faketls_free(s);
	cr_expect(!accepts(&good, pin, &e));
	cr_expect_str_eq(e.msg, "the certificate's key is not the pinned one");
}

Test(tor_tls, refuses_old_protocols_and_huge_certificates)
{
	struct faketls_kind old = good, huge = good;
	struct err e1 = ERR_INIT, e2 = ERR_INIT;

	old.max_version = TLS_1_1;
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
	struct faketls *s = faketls_new(&good);
	struct err e = ERR_INIT;
	char bytes[4096], text[64];
	size_t got;
	int i, r = 0;

	cr_assert(talk(t, s, 4096, &e) == 0 && tls_is_ready(t));
	for (i = 0; i < 20000 && r == 0; i++) {
		faketls_rekey(s);
		while (r == 0 && (got = faketls_output(s, bytes, sizeof bytes)) > 0)
			if (tls_feed(t, bytes, got, &e) != 0 || tls_read(t, text, sizeof text, &e) != 0)
				r = -1;
	}
	cr_expect(r != 0 && (e.code == ERR_LIMIT || e.code == ERR_PROTO), "after %d: %s", i, e.msg);
	tls_free(t);
	faketls_free(s);
}
