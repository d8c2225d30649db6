/* SPDX-License-Identifier: BSD-3-Clause */
/* Every command byte for byte, and every way to smuggle a second one in. */
#include "config.h"
#include "proto/command.h"

#include <criterion/criterion.h>
#include <string.h>

#define ADDR "adifuhi6ujits3kvpl55iwelhrwztw7ls4x62efdevroujw43t5kanad"
#define KEY_B64 "EBdAhMve0kC/U1by+V9d3g+NtpzK19WecLhxiH5ZemKLlWfcg2iDniNG+VU7SWjG/oVtWnZp8cVOlvZc/aSwOQ=="

static const uint8_t key64[64] = {0x10, 0x17, 0x40, 0x84, 0xcb, 0xde, 0xd2, 0x40, 0xbf, 0x53, 0x56, 0xf2, 0xf9, 0x5f,
    0x5d, 0xde, 0x0f, 0x8d, 0xb6, 0x9c, 0xca, 0xd7, 0xd5, 0x9e, 0x70, 0xb8, 0x71, 0x88, 0x7e, 0x59, 0x7a, 0x62, 0x8b,
    0x95, 0x67, 0xdc, 0x83, 0x68, 0x83, 0x9e, 0x23, 0x46, 0xf9, 0x55, 0x3b, 0x49, 0x68, 0xc6, 0xfe, 0x85, 0x6d, 0x5a,
    0x76, 0x69, 0xf1, 0xc5, 0x4e, 0x96, 0xf6, 0x5c, 0xfd, 0xa4, 0xb0, 0x39};

#define CHECK(call, text)                                       \
	do {                                                    \
		struct buf out = {.max = 4096, .secret = true}; \
		struct err e = ERR_INIT;                        \
		buf_reset(&out);                                \
		cr_expect_eq(call, 0, "%s", e.msg);             \
		cr_expect_str_eq(buf_str(&out), text);          \
		buf_free(&out);                                 \
	} while (0)

Test(proto_command, every_command_is_written_to_the_letter)
{
	static const uint8_t nonce[32] = {0xab, [31] = 0xcd};
	static const char *const events[] = {"HS_DESC", "STATUS_CLIENT"};

	CHECK(command_protocolinfo(&out, &e), "PROTOCOLINFO 1\r\n");
	CHECK(command_authchallenge(&out, nonce, 32, &e),
	    "AUTHCHALLENGE SAFECOOKIE ab000000000000000000000000000000000000000000000000000000000000cd\r\n");
	CHECK(command_authenticate_hash(&out, nonce, &e),
	    "AUTHENTICATE ab000000000000000000000000000000000000000000000000000000000000cd\r\n");
	CHECK(command_authenticate_password(&out, "a \"b\\", 5, &e), "AUTHENTICATE \"a \\\"b\\\\\"\r\n");
	CHECK(command_authenticate_password(&out, "\xc3\xa9", 2, &e), "AUTHENTICATE \"\xc3\xa9\"\r\n");
	CHECK(command_authenticate_bare(&out, &e), "AUTHENTICATE\r\n");
	CHECK(command_getinfo(&out, "onions/detached", &e), "GETINFO onions/detached\r\n");
	CHECK(command_getinfo(&out, "status/circuit-established", &e), "GETINFO status/circuit-established\r\n");
	CHECK(command_getconf(&out, "DisableNetwork", &e), "GETCONF DisableNetwork\r\n");
	CHECK(command_setevents(&out, events, 2, &e), "SETEVENTS HS_DESC STATUS_CLIENT\r\n");
	CHECK(command_setevents(&out, NULL, 0, &e), "SETEVENTS\r\n");
	CHECK(command_del_onion(&out, ADDR, &e), "DEL_ONION " ADDR "\r\n");
	CHECK(command_hsfetch(&out, ADDR, &e), "HSFETCH " ADDR "\r\n");
	CHECK(command_closecircuit(&out, "133", &e), "CLOSECIRCUIT 133\r\n");
	CHECK(command_quit(&out, &e), "QUIT\r\n");
}

static struct command_port port(uint16_t virt, const char *target)
{
	struct command_port p = {.virt = virt};

	cr_assert_eq(endpoint_parse(&p.target, target, NULL), 0);
	return p;
}

Test(proto_command, add_onion_has_one_order_and_always_discards_and_detaches)
{
	struct command_add_onion cmd = {.key64 = key64, .n_ports = 1};

	cmd.ports[0] = port(80, "127.0.0.1:8080");
	CHECK(command_add_onion(&out, &cmd, &e),
	    "ADD_ONION ED25519-V3:" KEY_B64 " Flags=DiscardPK,Detach Port=80,127.0.0.1:8080\r\n");
	cmd.ports[1] = port(443, "unix:/run/web.sock");
	cmd.ports[2] = port(65535, "[::1]:1");
	cmd.n_ports = 3;
	cmd.max_streams = 65535;
	cmd.pow = true;
	CHECK(command_add_onion(&out, &cmd, &e),
	    "ADD_ONION ED25519-V3:" KEY_B64 " Flags=DiscardPK,Detach MaxStreams=65535 Port=80,127.0.0.1:8080 "
	    "Port=443,unix:/run/web.sock Port=65535,[::1]:1 PoWDefensesEnabled=1\r\n");
}

/* Nothing was added, and it says why. */
#define REFUSED(call)                                           \
	do {                                                    \
		struct buf out = {.max = 4096, .secret = true}; \
		struct err e = ERR_INIT;                        \
		buf_adds(&out, "before");                       \
		cr_expect_eq(call, -1);                         \
		cr_expect_eq(e.code, ERR_PROTO);                \
		cr_expect_str_eq(buf_str(&out), "before");      \
		buf_free(&out);                                 \
	} while (0)

Test(proto_command, no_string_can_carry_a_second_command)
{
	static const char *const bad[] = {"", "a\r\nSIGNAL HALT", "a\nb", "a\rb", "a b", "a\tb", "a\"b", "a'b",
	    "a\\b", "a=b", "a,b", "\xc3\xa9", "\x7f", " a", "a ", "a;b", "$a",
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	    "aaaaaaaaaaaaaaaaaaaaaaaaa",
	    ADDR "\r\nDEL_ONION x", ADDR ".onion", ADDR "a", ADDR " SERVER=x"};
	size_t i;

	for (i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		const char *events[] = {"HS_DESC", bad[i]};

		REFUSED(command_setevents(&out, events, 2, &e));
		REFUSED(command_del_onion(&out, bad[i], &e));
		REFUSED(command_hsfetch(&out, bad[i], &e));
		REFUSED(command_closecircuit(&out, bad[i], &e));
		/* The last four are no addresses; two of them could be keys. */
		if (i + 4 >= sizeof bad / sizeof bad[0])
			continue;
		REFUSED(command_getinfo(&out, bad[i], &e));
		REFUSED(command_getconf(&out, bad[i], &e));
	}
	REFUSED(command_del_onion(&out, "ADIFUHI6UJITS3KVPL55IWELHRWZTW7LS4X62EFDEVROUJW43T5KANAD", &e));
	REFUSED(command_closecircuit(&out, "12345678901234567", &e));
	REFUSED(command_authenticate_password(&out, "a\r\nb", 4, &e));
	REFUSED(command_authenticate_password(&out, "a\0b", 3, &e));
	REFUSED(command_authenticate_password(&out, "a\x7f", 2, &e));
	REFUSED(command_authenticate_password(&out, "", 0, &e));
	REFUSED(command_authenticate_password(&out, "x", COMMAND_PASSWORD_MAX + 1, &e));
	REFUSED(command_authchallenge(&out, key64, 0, &e));
	REFUSED(command_authchallenge(&out, key64, 65, &e));
}

Test(proto_command, add_onion_refuses_what_tor_would_misread)
{
	const struct command_add_onion good = {
	    .key64 = key64, .ports = {port(80, "127.0.0.1:8080"), port(81, "unix:/a")}, .n_ports = 2};
	struct command_add_onion cmd;

	CHECK(command_add_onion(&out, &good, &e),
	    "ADD_ONION ED25519-V3:" KEY_B64 " Flags=DiscardPK,Detach Port=80,127.0.0.1:8080 Port=81,unix:/a\r\n");
	cmd = good;
	cmd.n_ports = 0;
	REFUSED(command_add_onion(&out, &cmd, &e));
	cmd.n_ports = COMMAND_PORTS_MAX + 1;
	REFUSED(command_add_onion(&out, &cmd, &e));
	cmd = good;
	cmd.max_streams = 65536;
	REFUSED(command_add_onion(&out, &cmd, &e));
	cmd = good;
	cmd.ports[1].virt = 80;
	REFUSED(command_add_onion(&out, &cmd, &e));
	cmd = good;
	cmd.ports[0].virt = 0;
	REFUSED(command_add_onion(&out, &cmd, &e));
	cmd = good;
	strcpy(cmd.ports[1].target.path, "/a\r\nSIGNAL HALT");
	REFUSED(command_add_onion(&out, &cmd, &e));
	strcpy(cmd.ports[1].target.path, "/a Flags=NonAnonymous");
	REFUSED(command_add_onion(&out, &cmd, &e));
	strcpy(cmd.ports[1].target.path, "relative");
	REFUSED(command_add_onion(&out, &cmd, &e));
	cmd = good;
	cmd.ports[0].target.ip[0] = 10;
	REFUSED(command_add_onion(&out, &cmd, &e));
	cmd = good;
	cmd.ports[0].target.port = 0;
	REFUSED(command_add_onion(&out, &cmd, &e));
	cmd = good;
	cmd.ports[0].target.kind = (enum endpoint_kind)0;
	REFUSED(command_add_onion(&out, &cmd, &e));
}

Test(proto_command, secrets_are_only_written_where_they_are_wiped)
{
	struct command_add_onion cmd = {.key64 = key64, .ports = {port(80, "127.0.0.1:8080")}, .n_ports = 1};
	struct buf plain = BUF_INIT(4096);
	struct err e = ERR_INIT;

	cr_expect_eq(command_add_onion(&plain, &cmd, &e), -1);
	cr_expect_eq(command_authenticate_hash(&plain, key64, &e), -1);
	cr_expect_eq(command_authenticate_password(&plain, "x", 1, &e), -1);
	cr_expect_eq(e.code, ERR_PROTO);
	cr_expect_eq(plain.len, 0);
	buf_free(&plain);
}

Test(proto_command, a_full_buffer_never_holds_half_a_command)
{
	struct command_add_onion cmd = {.key64 = key64, .ports = {port(80, "127.0.0.1:8080")}, .n_ports = 1};
	size_t max;

	for (max = 6; max < 512; max++) {
		struct buf out = {.max = max, .secret = true};
		struct err e = ERR_INIT;
		int rc;

		buf_adds(&out, "QUIT\r\n");
		rc = command_add_onion(&out, &cmd, &e);
		if (rc == 0) {
			cr_expect_eq(out.len, max);
			cr_expect_str_eq(out.data + out.len - 2, "\r\n");
			buf_free(&out);
			break;
		}
		cr_expect_eq(e.code, ERR_MEMORY);
		cr_expect_str_eq(buf_str(&out), "QUIT\r\n");
		buf_free(&out);
	}
	cr_expect_eq(
	    max, 6 + strlen("ADD_ONION ED25519-V3:" KEY_B64 " Flags=DiscardPK,Detach Port=80,127.0.0.1:8080\r\n"));
}
