/* SPDX-License-Identifier: BSD-3-Clause */
/* SAFECOOKIE's arithmetic, the choice of method, and the files that are believed. */
#include "config.h"
#include "tor/auth.h"

#include "base/enc.h"
#include "base/mem.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

Test(tor_auth, hashes_are_those_that_tor_makes)
{
	uint8_t cookie[32], cn[32], sn[32], out[32], server[32];
	struct err e = ERR_INIT;
	char hex[65];

	memset(cookie, 0x11, 32);
	memset(cn, 0x22, 32);
	memset(sn, 0x33, 32);
	auth_server_hash(server, cookie, cn, sn);
	hex_encode(hex, server, 32);
	cr_expect_str_eq(hex, "fc0b2c069db253f5ce08d7867c520d1e2b64f18d81fcf888802a89ec5f097874");
	auth_client_hash(out, cookie, cn, sn);
	hex_encode(hex, out, 32);
	cr_expect_str_eq(hex, "e20ab915df5b06ca94b1f465770a1f2d3d3171e5a035f406761b24b74adb0368");
	memset(out, 0, 32);
	cr_expect(auth_answer(out, cookie, cn, server, sn, &e) == 0);
	hex_encode(hex, out, 32);
	cr_expect_str_eq(hex, "e20ab915df5b06ca94b1f465770a1f2d3d3171e5a035f406761b24b74adb0368");
}

Test(tor_auth, every_wrong_bit_of_the_server_hash_is_seen)
{
	uint8_t cookie[32] = {1}, cn[32] = {2}, sn[32] = {3}, server[32], out[32];
	int bit;

	auth_server_hash(server, cookie, cn, sn);
	for (bit = 0; bit < 256; bit++) {
		struct err e = ERR_INIT;

		memset(out, 0xaa, sizeof(out));
		server[bit / 8] ^= (uint8_t)(1 << bit % 8);
		cr_expect(auth_answer(out, cookie, cn, server, sn, &e) == -1 && e.code == ERR_AUTH,
		    "bit %d", bit);
		cr_expect(out[0] == 0xaa && out[31] == 0xaa, "bit %d: something was written", bit);
		server[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
}

Test(tor_auth, a_method_is_chosen_only_when_it_is_safe_and_configured)
{
	static const struct {
		const char *cookie, *password;
		bool allow;
		unsigned offered;
		int want; /* AUTH_NONE: refused */
		const char *text;
	} rows[] = {
	    {"/c", NULL, false, AUTH_COOKIE | AUTH_SAFECOOKIE, AUTH_SAFECOOKIE, ""},
	    {"/c", "/p", true, AUTH_COOKIE | AUTH_SAFECOOKIE | AUTH_HASHEDPASSWORD, AUTH_SAFECOOKIE,
		""},
	    {"/c", NULL, false, AUTH_COOKIE, AUTH_NONE, "SAFECOOKIE"},
	    {"/c", NULL, true, AUTH_NULL, AUTH_NONE, "SAFECOOKIE"},
	    {"/c", "/p", true, AUTH_HASHEDPASSWORD, AUTH_NONE, "SAFECOOKIE"},
	    {"/c", NULL, false, 0, AUTH_NONE, "SAFECOOKIE"},
	    {NULL, "/p", false, AUTH_HASHEDPASSWORD, AUTH_HASHEDPASSWORD, ""},
	    {NULL, "/p", false, AUTH_HASHEDPASSWORD | AUTH_NULL, AUTH_NONE, "allow-no-auth"},
	    {NULL, "/p", true, AUTH_HASHEDPASSWORD | AUTH_NULL, AUTH_NULL, ""},
	    {NULL, "/p", true, AUTH_SAFECOOKIE, AUTH_NONE, "no password"},
	    {NULL, NULL, true, AUTH_NULL, AUTH_NULL, ""},
	    {NULL, NULL, false, AUTH_NULL, AUTH_NONE, "allow-no-auth"},
	    {NULL, NULL, true, AUTH_COOKIE | AUTH_SAFECOOKIE, AUTH_NONE, "set cookie"},
	    {NULL, NULL, true, AUTH_HASHEDPASSWORD, AUTH_NONE, "password-file"},
	    {NULL, NULL, true, AUTH_COOKIE, AUTH_NONE, "none is configured"},
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct session_config cfg = {.cookie_file = rows[i].cookie,
		    .password_file = rows[i].password,
		    .allow_no_auth = rows[i].allow};
		enum auth_method got = AUTH_NONE;
		struct err e = ERR_INIT;
		int ret = auth_choose(&got, &cfg, rows[i].offered, &e);

		cr_expect(ret == (rows[i].want == AUTH_NONE ? -1 : 0) && (int)got == rows[i].want,
		    "row %zu", i);
		cr_expect(strstr(e.msg, rows[i].text) != NULL, "row %zu: %s", i, e.msg);
	}
}

struct place {
	char dir[64], path[96], other[96];
};

static void
place_init(struct place *p)
{
	strcpy(p->dir, "/tmp/om-auth.XXXXXX");
	cr_assert(sodium_init() >= 0 && mkdtemp(p->dir) != NULL);
	snprintf(p->path, sizeof(p->path), "%s/file", p->dir);
	snprintf(p->other, sizeof(p->other), "%s/other", p->dir);
}

static void
place_put(const char *path, const void *data, size_t n, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	cr_assert(fd >= 0 && write(fd, data, n) == (ssize_t)n && fchmod(fd, mode) == 0);
	close(fd);
}

static void
place_fini(struct place *p)
{
	unlink(p->path);
	unlink(p->other);
	cr_expect(rmdir(p->dir) == 0);
}

Test(tor_auth, a_cookie_is_a_regular_file_of_32_bytes_that_only_its_owner_writes)
{
	static const struct {
		size_t size;
		mode_t mode;
		bool good;
	} rows[] = {{32, 0640, true}, {32, 0600, true}, {32, 0644, true}, {31, 0640, false},
	    {33, 0640, false}, {0, 0640, false}, {32, 0660, false}, {32, 0642, false}};
	uint8_t bytes[64], out[32];
	struct err e = ERR_INIT;
	struct place p;
	size_t i;

	place_init(&p);
	memset(bytes, 0x5a, sizeof(bytes));
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		err_clear(&e);
		place_put(p.path, bytes, rows[i].size, rows[i].mode);
		cr_expect(auth_read_cookie(out, p.path, &e) == (rows[i].good ? 0 : -1),
		    "row %zu: %s", i, e.msg);
		cr_expect(rows[i].good || e.code == ERR_AUTH, "row %zu", i);
	}
	place_put(p.path, bytes, 32, 0640);
	cr_assert(symlink(p.path, p.other) == 0);
	cr_expect(auth_read_cookie(out, p.other, NULL) == -1, "a symlink");
	unlink(p.path);
	err_clear(&e);
	cr_expect(auth_read_cookie(out, p.path, &e) == -1 && strstr(e.msg, p.path) != NULL,
	    "missing: %s", e.msg);
	cr_assert(mkfifo(p.path, 0600) == 0);
	cr_expect(
	    auth_read_cookie(out, p.path, NULL) == -1, "a FIFO must be refused and must not hang");
	cr_expect(auth_read_cookie(out, "/dev/zero", NULL) == -1, "a device");
	place_fini(&p);
}

Test(tor_auth, a_password_is_one_line_that_only_we_can_read)
{
	static const struct {
		const char *text;
		mode_t mode;
		const char *want; /* NULL: refused */
	} rows[] = {{"secret\n", 0600, "secret"}, {"se cret", 0600, "se cret"}, {"", 0600, NULL},
	    {"\n", 0600, NULL}, {"a\nb\n", 0600, NULL}, {"a\r\n", 0600, NULL},
	    {"secret\n", 0644, NULL}};
	struct place p;
	size_t i;

	place_init(&p);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *got = NULL;
		size_t len = 0;
		struct err e = ERR_INIT;

		place_put(p.path, rows[i].text, strlen(rows[i].text), rows[i].mode);
		cr_expect(
		    auth_read_password(&got, &len, p.path, &e) == (rows[i].want != NULL ? 0 : -1),
		    "row %zu: %s", i, e.msg);
		if (rows[i].want != NULL && got != NULL)
			cr_expect(len == strlen(rows[i].want) && strcmp(got, rows[i].want) == 0,
			    "row %zu", i);
		secret_free(got);
	}
	place_fini(&p);
}

Test(tor_auth, only_root_ourselves_and_the_owner_of_socket_or_cookie_may_be_tor)
{
	struct session_config cfg = {.control.kind = ENDPOINT_UNIX};
	struct place p;
	uint8_t cookie[32] = {0};
	long stranger = 54321, owner = 54322;

	place_init(&p);
	place_put(p.path, cookie, sizeof(cookie), 0640);
	place_put(p.other, cookie, sizeof(cookie), 0640);
	strcpy(cfg.control.path, p.other);
	cfg.cookie_file = p.path;
	cr_expect(auth_check_peer(&cfg, 0, NULL) == 0);
	cr_expect(auth_check_peer(&cfg, (long)geteuid(), NULL) == 0);
	cr_expect(auth_check_peer(&cfg, stranger, NULL) == -1);
	if (geteuid() == 0) {
		cr_assert(chown(p.path, (uid_t)owner, (gid_t)-1) == 0);
		cr_expect(auth_check_peer(&cfg, owner, NULL) == 0, "owner of the cookie");
		cr_assert(chown(p.other, (uid_t)stranger, (gid_t)-1) == 0);
		cr_expect(auth_check_peer(&cfg, stranger, NULL) == 0, "owner of the socket");
	}
	cfg.control.kind = ENDPOINT_INET;
	cr_expect(auth_check_peer(&cfg, -1, NULL) == 0, "nothing can be known over TCP");
	place_fini(&p);
}
