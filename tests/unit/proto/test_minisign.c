/* SPDX-License-Identifier: BSD-3-Clause */
/* minisign's files, against ourselves and, where it is installed, against the stock tool. */
#include "config.h"
#include "proto/minisign.h"

#include "base/file.h"
#include "base/mem.h"
#include "support/listkit.h"

#include <criterion/criterion.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char file[] = "some bytes\n";
static const struct minisign_cost cheap = { 32768, 16777216 };
static struct minisign_seckey *key;
static char *text; /* a secret key file's */
static char dir[] = "/tmp/om-minisign-XXXXXX";

static void
setup(void)
{
	struct err e = ERR_INIT;

	cr_assert_geq(sodium_init(), 0);
	key = secret_alloc(sizeof *key);
	text = secret_alloc(MINISIGN_SECKEY_TEXT);
	cr_assert_eq(minisign_seckey_generate(key, &e), 0, "%s", e.msg);
	cr_assert_not_null(mkdtemp(dir));
}

static void
teardown(void)
{
	char cmd[128];

	secret_free(key);
	secret_free(text);
	snprintf(cmd, sizeof cmd, "rm -r %s", dir);
	cr_expect_eq(system(cmd), 0);
}

TestSuite(proto_minisign, .init = setup, .fini = teardown);

static bool
have_tool(void)
{
	return system("command -v minisign >/dev/null 2>&1") == 0;
}

/* Runs a command in the test's folder. */
static int
run(const char *cmd)
{
	char line[512];

	snprintf(line, sizeof line, "cd %s && %s >/dev/null 2>&1", dir, cmd);
	return system(line);
}

static void
put(const char *name, const char *s)
{
	struct err e = ERR_INIT;
	char path[128];

	snprintf(path, sizeof path, "%s/%s", dir, name);
	cr_assert_eq(file_write(path, s, strlen(s), 0600, &e), 0, "%s", e.msg);
}

static char *
get(const char *name, size_t *len)
{
	struct err e = ERR_INIT;
	char path[128], *out = NULL;

	snprintf(path, sizeof path, "%s/%s", dir, name);
	cr_assert_eq(file_read(path, 65536, FILE_PUBLIC, &out, len, &e), 0, "%s", e.msg);
	return out;
}

static char *
sign_file(const char *comment)
{
	struct err e = ERR_INIT;
	char *sig = NULL;

	cr_assert_eq(minisign_sign(&sig, key->sk, key->id, file, strlen(file), comment, NULL, &e), 0, "%s", e.msg);
	return sig;
}

static int
check(const char *bytes, const char *sig, size_t len, const char *comment)
{
	return minisign_verify(bytes, strlen(bytes), sig, len, key->sk + 32, comment, NULL);
}

Test(proto_minisign, a_signature_says_what_was_signed)
{
	char *sig = sign_file("a comment");
	uint8_t other[32];

	cr_expect_eq(check(file, sig, strlen(sig), "a comment"), 0);
	cr_expect_eq(check(file, sig, strlen(sig), NULL), 0);
	cr_expect_neq(check(file, sig, strlen(sig), "a commen"), 0);
	cr_expect_neq(check(file, sig, strlen(sig), "another"), 0);
	cr_expect_neq(check("other bytes\n", sig, strlen(sig), "a comment"), 0);
	randombytes_buf(other, sizeof other);
	cr_expect_neq(minisign_verify(file, strlen(file), sig, strlen(sig), other, NULL, NULL), 0);
	free(sig);
}

/* Untrusted comment and key id are not signed; they are the first line and eight bytes of the second. */
Test(proto_minisign, every_flip_and_cut_of_what_is_signed_is_refused)
{
	char *sig = sign_file("a comment"), *bad = strdup(sig);
	size_t n = strlen(sig), first = (size_t)(strchr(sig, '\n') - sig), i;
	int bit;

	for (i = 0; i < n; i++)
		cr_expect_neq(check(file, sig, i, "a comment"), 0, "cut at %zu", i);
	for (i = first; i < n; i++)
		for (bit = 0; bit < 8; bit++) {
			if (i >= first + 3 && i < first + 15)
				continue;
			bad[i] ^= (char)(1 << bit);
			cr_expect_neq(check(file, bad, n, "a comment"), 0, "byte %zu bit %d", i, bit);
			bad[i] = sig[i];
		}
	free(bad);
	free(sig);
}

Test(proto_minisign, other_shapes_of_signature_files_are_refused)
{
	char *sig = sign_file("a comment"), changed[1024];
	struct minisign_sig s;

	snprintf(changed, sizeof changed, "%sx", sig);
	cr_expect_neq(minisign_sig_parse(&s, changed, strlen(changed), NULL), 0, "junk behind");
	snprintf(changed, sizeof changed, "%s\n", sig);
	cr_expect_neq(minisign_sig_parse(&s, changed, strlen(changed), NULL), 0, "fifth line");
	snprintf(changed, sizeof changed, "%s", sig);
	memmove(strchr(changed, '\n') + 1, strchr(changed, '\n'), strlen(strchr(changed, '\n')) + 1);
	*strchr(changed, '\n') = '\r';
	cr_expect_neq(minisign_sig_parse(&s, changed, strlen(changed), NULL), 0, "CRLF");
	/* "RUR" is the base64 of ED, "RWR" of Ed (the fourth character holds the key id's first bits). */
	snprintf(changed, sizeof changed, "%s", sig);
	memcpy(strchr(changed, '\n') + 1, "RW", 2);
	cr_expect_neq(minisign_sig_parse(&s, changed, strlen(changed), NULL), 0, "Ed");
	/* The untrusted comment is anybody's: what can't be in a bundle is no signature either. */
	snprintf(changed, sizeof changed, "%s", sig);
	changed[strlen("untrusted comment: ")] = '\t';
	cr_expect_neq(minisign_sig_parse(&s, changed, strlen(changed), NULL), 0, "TAB");
	changed[strlen("untrusted comment: ")] = '\xe9';
	cr_expect_neq(minisign_sig_parse(&s, changed, strlen(changed), NULL), 0, "Latin 1");
	cr_expect_eq(minisign_sig_parse(&s, sig, strlen(sig), NULL), 0);
	free(sig);
}

Test(proto_minisign, comments_must_be_one_line)
{
	char *sig = NULL;

	cr_expect_neq(minisign_sign(&sig, key->sk, NULL, "", 0, "a\nb", NULL, NULL), 0);
	cr_expect_neq(minisign_sign(&sig, key->sk, NULL, "", 0, "a", "b\n", NULL), 0);
	cr_expect_null(sig);
}

Test(proto_minisign, secret_keys_survive_their_files)
{
	struct minisign_seckey *again = secret_alloc(sizeof *again);
	struct err e = ERR_INIT;

	cr_assert_eq(minisign_seckey_format(text, key, NULL, 0, NULL, &e), 0);
	cr_expect(!minisign_seckey_encrypted(text, strlen(text)));
	cr_assert_eq(minisign_seckey_parse(again, text, strlen(text), NULL, 0, &e), 0, "%s", e.msg);
	cr_expect_eq(memcmp(again, key, sizeof *key), 0);

	cr_assert_eq(minisign_seckey_format(text, key, "secret", 6, &cheap, &e), 0, "%s", e.msg);
	cr_expect(minisign_seckey_encrypted(text, strlen(text)));
	memset(again, 0, sizeof *again);
	cr_expect_eq(minisign_seckey_parse(again, text, strlen(text), "Secret", 6, &e), -1);
	cr_expect_eq(e.code, ERR_AUTH);
	err_clear(&e);
	cr_expect_eq(minisign_seckey_parse(again, text, strlen(text), NULL, 0, &e), -1);
	cr_expect_eq(e.code, ERR_AUTH);
	err_clear(&e);
	cr_expect_eq(minisign_seckey_parse(again, text, strlen(text), "secret", 6, &e), 0, "%s", e.msg);
	cr_expect_eq(memcmp(again, key, sizeof *key), 0);
	secret_free(again);
}

Test(proto_minisign, damaged_secret_keys_are_refused)
{
	struct minisign_seckey *again = secret_alloc(sizeof *again);
	struct err e = ERR_INIT;
	char *b64;

	cr_assert_eq(minisign_seckey_format(text, key, NULL, 0, NULL, &e), 0);
	b64 = strchr(text, '\n') + 1;
	b64[120] = b64[120] == 'A' ? 'B' : 'A'; /* in the seed */
	cr_expect_eq(minisign_seckey_parse(again, text, strlen(text), NULL, 0, &e), -1);
	cr_expect_eq(e.code, ERR_CRYPTO);
	err_clear(&e);
	cr_expect_eq(minisign_seckey_parse(again, "nonsense\n", 9, NULL, 0, &e), -1);
	cr_expect_eq(e.code, ERR_PARSE);
	secret_free(again);
}

Test(proto_minisign, public_keys_survive_their_files)
{
	char pub[MINISIGN_PUBKEY_TEXT], crlf[MINISIGN_PUBKEY_TEXT + 8], *lf;
	uint8_t pk[32], id[8];

	minisign_pubkey_format(pub, key->sk + 32, NULL);
	cr_assert_eq(minisign_pubkey_parse(pk, id, pub, strlen(pub), NULL), 0);
	cr_expect_eq(memcmp(pk, key->sk + 32, 32), 0);
	cr_expect_eq(memcmp(id, key->id, 8), 0);
	lf = strchr(pub, '\n');
	snprintf(crlf, sizeof crlf, "%.*s\r\n%.56s\r\n", (int)(lf - pub), pub, lf + 1);
	cr_expect_eq(minisign_pubkey_parse(pk, NULL, crlf, strlen(crlf), NULL), 0);
	cr_expect_neq(minisign_pubkey_parse(pk, NULL, lf + 1, strlen(lf + 1), NULL), 0, "no comment line");
	lf[1] = 'X';
	cr_expect_neq(minisign_pubkey_parse(pk, NULL, pub, strlen(pub), NULL), 0);
}

Test(proto_minisign, the_stock_tool_accepts_our_signatures_and_keys)
{
	char pub[MINISIGN_PUBKEY_TEXT], *sig;
	struct err e = ERR_INIT;

	if (!have_tool())
		cr_skip("minisign is not installed");
	sig = sign_file("a comment");
	minisign_pubkey_format(pub, key->sk + 32, NULL);
	put("f", file);
	put("f.minisig", sig);
	put("k.pub", pub);
	cr_expect_eq(run("minisign -V -H -p k.pub -m f"), 0);
	put("f", "other bytes\n");
	cr_expect_neq(run("minisign -V -H -p k.pub -m f"), 0);
	/* It also signs with a secret key file of ours, plain and encrypted. */
	put("f", file);
	cr_assert_eq(minisign_seckey_format(text, key, NULL, 0, NULL, &e), 0);
	put("k.sec", text);
	cr_expect_eq(run("minisign -S -H -W -s k.sec -x g.minisig -m f -t hello </dev/null"), 0);
	cr_expect_eq(run("minisign -V -H -p k.pub -x g.minisig -m f"), 0);
	cr_assert_eq(minisign_seckey_format(text, key, "secret", 6, &cheap, &e), 0);
	put("k.sec", text);
	cr_expect_eq(run("echo secret | minisign -S -H -s k.sec -x h.minisig -m f"), 0);
	cr_expect_eq(run("minisign -V -H -p k.pub -x h.minisig -m f"), 0);
	free(sig);
}

Test(proto_minisign, we_accept_the_stock_tools_signatures_and_keys)
{
	struct minisign_seckey *theirs = secret_alloc(sizeof *theirs);
	struct err e = ERR_INIT;
	uint8_t pk[32], id[8];
	char *t;
	size_t n;

	if (!have_tool())
		cr_skip("minisign is not installed");
	put("f", file);
	cr_assert_eq(run("minisign -G -W -p t.pub -s t.sec"), 0);
	cr_assert_eq(run("minisign -S -H -W -s t.sec -m f -t 'trusted text'"), 0);
	t = get("t.pub", &n);
	cr_assert_eq(minisign_pubkey_parse(pk, id, t, n, &e), 0, "%s", e.msg);
	free(t);
	t = get("f.minisig", &n);
	cr_expect_eq(minisign_verify(file, strlen(file), t, n, pk, "trusted text", &e), 0, "%s", e.msg);
	free(t);
	t = get("t.sec", &n);
	cr_expect_eq(minisign_seckey_parse(theirs, t, n, NULL, 0, &e), 0, "%s", e.msg);
	cr_expect_eq(memcmp(theirs->sk + 32, pk, 32), 0);
	cr_expect_eq(memcmp(theirs->id, id, 8), 0);
	free(t);
	/* Legacy signatures are refused. */
	cr_assert_eq(run("minisign -S -l -W -s t.sec -x l.minisig -m f -t 'trusted text'"), 0);
	t = get("l.minisig", &n);
	cr_expect_neq(minisign_verify(file, strlen(file), t, n, pk, "trusted text", NULL), 0);
	free(t);
	secret_free(theirs);
}

/* The promise to readers who have nothing but minisign: it checks each document of a list. */
Test(proto_minisign, the_stock_tool_accepts_every_document_of_a_list)
{
	const struct kit_text *docs[3];
	const unsigned keys[3] = { 2, 1, 11 };
	char pub[MINISIGN_PUBKEY_TEXT];
	uint8_t pk[32];
	struct kit k;
	size_t i;

	if (!have_tool())
		cr_skip("minisign is not installed");
	kit_init(&k);
	kit_build(&k);
	docs[0] = &k.roots[0].out;
	docs[1] = &k.members.out;
	docs[2] = &k.heads[0].out;
	for (i = 0; i < 3; i++) {
		kit_key(keys[i], NULL, pk);
		minisign_pubkey_format(pub, pk, NULL);
		put("doc", docs[i]->text);
		put("doc.minisig", docs[i]->sigs[keys[i] == 2 ? 1 : 0]);
		put("doc.pub", pub);
		cr_expect_eq(run("minisign -V -H -p doc.pub -m doc"), 0, "document %zu", i);
	}
	kit_free(&k);
}
