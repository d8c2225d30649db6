/* SPDX-License-Identifier: BSD-3-Clause */
/* What the daemon may say to tor: its own encoder's lines are within it, and nothing else is. */
#include "config.h"
#include "proto/command.h"
#include "proto/edkey.h"
#include "sim/ctl.h"

#include <criterion/criterion.h>
#include <sodium.h>
#include <string.h>

#define ADDRESS "adifuhi6ujits3kvpl55iwelhrwztw7ls4x62efdevroujw43t5kanad"
#define KEY "EBdAhMve0kC/U1by+V9d3g+NtpzK19WecLhxiH5ZemKLlWfcg2iDniNG+VU7SWjG/oVtWnZp8cVOlvZc/aSwOQ=="

Test(sim_ctl, allows_every_line_of_our_encoder)
{
	static const char *const names[] = { "HS_DESC", "STATUS_CLIENT", "STATUS_GENERAL", "NETWORK_LIVENESS" };
	struct buf out = { .max = 65536, .secret = true };
	uint8_t key[EDKEY_LEN], seed[EDKEY_SEED_LEN] = { 1 }, hash[32] = { 2 };
	struct command_add_onion cmd = { .key64 = key, .n_ports = 2, .max_streams = 9, .pow = true };
	char *line, *rest;
	int n = 0;

	cr_assert(sodium_init() >= 0);
	edkey_from_seed(key, seed);
	cmd.ports[0].virt = 80;
	cmd.ports[1].virt = 443;
	endpoint_parse(&cmd.ports[0].target, "unix:/run/site", NULL);
	endpoint_parse(&cmd.ports[1].target, "[::1]:8443", NULL);
	cr_assert_eq(command_protocolinfo(&out, NULL), 0);
	cr_assert_eq(command_authchallenge(&out, hash, 32, NULL), 0);
	cr_assert_eq(command_authenticate_hash(&out, hash, NULL), 0);
	cr_assert_eq(command_authenticate_password(&out, "a \"b\\", 5, NULL), 0);
	cr_assert_eq(command_authenticate_bare(&out, NULL), 0);
	cr_assert_eq(command_getinfo(&out, "onions/detached", NULL), 0);
	cr_assert_eq(command_getconf(&out, "DisableNetwork", NULL), 0);
	cr_assert_eq(command_setevents(&out, names, 4, NULL), 0);
	cr_assert_eq(command_add_onion(&out, &cmd, NULL), 0);
	cr_assert_eq(command_del_onion(&out, ADDRESS, NULL), 0);
	cr_assert_eq(command_hsfetch(&out, ADDRESS, NULL), 0);
	cr_assert_eq(command_closecircuit(&out, "17", NULL), 0);
	cr_assert_eq(command_quit(&out, NULL), 0);
	for (rest = out.data; (line = strsep(&rest, "\n")) != NULL && *line != '\0'; n++)
		cr_expect_null(ctl_policy(line, strlen(line) - 1), "%s: %s", ctl_policy(line, strlen(line) - 1), line);
	cr_expect_eq(n, 13);
	buf_free(&out);
}

Test(sim_ctl, forbids_everything_else)
{
	static const char *const lines[] = { "SETCONF DisableNetwork=1", "RESETCONF X", "+LOADCONF", "SAVECONF", "SIGNAL NEWNYM", "TAKEOWNERSHIP",
		"MAPADDRESS a=b", "EXTENDCIRCUIT 0", "ATTACHSTREAM 1 2", "+HSPOST", "getinfo version", "GETINFO  version", "GETINFO version ",
		"GETINFO config-text", "GETINFO", " QUIT", "QUIT ", "SETEVENTS DEBUG", "SETEVENTS HS_DESC ", "PROTOCOLINFO", "AUTHENTICATE zz",
		"AUTHENTICATE \"x", "ADD_ONION NEW:ED25519-V3 Flags=DiscardPK,Detach Port=80,127.0.0.1:80",
		"ADD_ONION ED25519-V3:" KEY " Port=80,127.0.0.1:80", "ADD_ONION ED25519-V3:" KEY " Flags=Detach Port=80,127.0.0.1:80",
		"ADD_ONION ED25519-V3:" KEY " Flags=DiscardPK,Detach,NonAnonymous Port=80,127.0.0.1:80",
		"ADD_ONION ED25519-V3:" KEY " Flags=DiscardPK,Detach", "ADD_ONION ED25519-V3:" KEY " Flags=DiscardPK,Detach Port=80",
		"ADD_ONION ED25519-V3:" KEY " Flags=DiscardPK,Detach Port=80,localhost:80",
		"ADD_ONION ED25519-V3:" KEY " Flags=DiscardPK,Detach Port=80,10.0.0.1:80",
		"ADD_ONION ED25519-V3:" KEY " Flags=DiscardPK,Detach Port=0,127.0.0.1:80",
		"ADD_ONION ED25519-V3:" KEY " Flags=DiscardPK,Detach Port=80,127.0.0.1:80 ClientAuthV3=x", "DEL_ONION " ADDRESS ".onion",
		"DEL_ONION ADIFUHI6UJITS3KVPL55IWELHRWZTW7LS4X62EFDEVROUJW43T5KANAD", "HSFETCH " ADDRESS " SERVER=x", "CLOSECIRCUIT 1 IfUnused",
		"GETINFO version\tx", "GETINFO version\x01" };
	size_t i;

	for (i = 0; i < sizeof lines / sizeof lines[0]; i++)
		cr_expect_not_null(ctl_policy(lines[i], strlen(lines[i])), "%s", lines[i]);
	cr_expect_not_null(ctl_policy("QUIT\0", 5));
}

Test(sim_ctl, derives_the_address_that_a_real_tor_gives_this_key)
{
	struct buf out = BUF_INIT(4096);
	struct ctl_add_onion cmd;

	cr_assert(sodium_init() >= 0);
	cr_expect_eq(ctl_parse_add_onion(&cmd, "ED25519-V3:" KEY " Flags=DiscardPK,Detach Port=80,127.0.0.1:80", &out), 0, "%s", buf_str(&out));
	cr_expect_str_eq(cmd.address, ADDRESS);
	cr_expect(cmd.detach && cmd.discard_pk && !cmd.pow);
	buf_free(&out);
}
