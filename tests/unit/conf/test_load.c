/* SPDX-License-Identifier: BSD-3-Clause */
/* Good files give what they say; bad ones every fault with its line. */
#include "config.h"
#include "base/file.h"
#include "conf/conf.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

#define TOR "tor \"main\" { control = \"unix:/c\" cookie = \"/k\" }\n"
#define CHECK "check \"page\" { path = \"/\" }\n"
#define GOOD "site = \"s\"\n" TOR CHECK "mirror \"a\" { backend = \"127.0.0.1:80\" tor = \"main\" check = \"page\" }\n"

static char dir[64], path[96];

static void
make_dir(void)
{
	snprintf(dir, sizeof dir, "/tmp/om-conf-XXXXXX");
	cr_assert_not_null(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/f.conf", dir);
}

static void
remove_dir(void)
{
	unlink(path);
	rmdir(dir);
}

TestSuite(conf_load, .init = make_dir, .fini = remove_dir);

/* Faults with the path cut off each line: "line: message\n". */
static int
load(struct conf **out, const char *text, size_t n, char *faults, size_t size)
{
	struct buf f = BUF_INIT(65536);
	struct err e = ERR_INIT;
	const char *p;
	int r;

	cr_assert_eq(file_write(path, text, n, 0644, &e), 0, "%s", e.msg);
	r = conf_load(out, path, &f);
	faults[0] = '\0';
	for (p = buf_str(&f); *p != '\0'; p = strchr(p, '\n') + 1) {
		cr_assert_eq(strncmp(p, path, strlen(path)), 0, "%s", p);
		strncat(faults, p + strlen(path) + 1, (size_t)(strchr(p, '\n') + 1 - (p + strlen(path) + 1)));
		cr_assert(strlen(faults) < size);
	}
	buf_free(&f);
	return r;
}

Test(conf_load, a_good_file_gives_what_it_says_and_the_defaults)
{
	static const char text[] =
	    "# a comment\nsite = 'two words' /* more\n */ state-dir = \"/s\"  // rest\n"
	    "control-socket = \"/run/x\"\nlog-onions = never\nrotation-spacing = 500m\n"
	    "tor t1 { control = \"127.0.0.1:9051\" allow-no-auth = yes socks = \"[::1]:9050\" }\n"
	    "tor t2 { control = \"unix:/c\" password-file = \"/p\" }\n" CHECK
	    "check other { contains = \"a \\\"b\\\" \\${c}\" timeout = 1500ms header = \"X-A: b\" }\n"
	    "mirror a { backend = \"unix:/b\" port = {80, \"443:unix:/t\"} tor = t2 check = other role = archive pow = on }\n"
	    "mirror b { port = \"81:127.0.0.2:7\" tor = t1 check = page drain = 12h rotate-every = 30d max-streams = 5 spare = on revoke-on-content = on }\n"
	    "channel news { share = 3 }\n";
	char faults[4096];
	struct conf *c = NULL;

	cr_assert_eq(load(&c, text, strlen(text), faults, sizeof faults), 0, "%s", faults);
	cr_expect_str_eq(c->site, "two words");
	cr_expect_str_eq(c->state_dir, "/s");
	cr_expect_str_eq(c->publish_dir, "/var/lib/onionmirror/publish");
	cr_expect_str_eq(c->control_socket.path, "/run/x");
	cr_expect_null(c->control_group);
	cr_expect_null(c->passphrase_file);
	cr_expect_eq(c->log_onions, LOG_ONIONS_NEVER);
	cr_expect_eq(c->log_level, LOG_LEVEL_NOTICE);
	cr_expect_eq(c->rotation_spacing_ms, 30000000);
	cr_expect_eq(c->min_listed, 2);
	cr_assert_eq(c->n_tors, 2);
	cr_expect(c->tors[0].allow_no_auth && c->tors[0].socks.kind == ENDPOINT_INET6 && c->tors[0].max_mirrors == 20);
	cr_expect_str_eq(c->tors[1].password_file, "/p");
	cr_assert_eq(c->n_checks, 2);
	cr_expect_str_eq(c->checks[1].contains, "a \"b\" ${c}");
	cr_expect_str_eq(c->checks[1].header, "X-A: b");
	cr_expect(c->checks[1].timeout_ms == 1500 && c->checks[1].interval_ms == 300000 && c->checks[1].rise == 2 &&
	    c->checks[1].fall == 6 && c->checks[1].status == 200);
	cr_assert_eq(c->n_mirrors, 2);
	cr_expect(c->mirrors[0].n_ports == 2 && c->mirrors[0].ports[0].virt == 80 && c->mirrors[0].ports[1].virt == 443);
	cr_expect_str_eq(c->mirrors[0].ports[0].target.path, "/b");
	cr_expect_str_eq(c->mirrors[0].ports[1].target.path, "/t");
	cr_expect(c->mirrors[0].tor == 1 && c->mirrors[0].check == 1 && c->mirrors[0].role == CONF_ROLE_ARCHIVE && c->mirrors[0].pow);
	cr_expect(c->mirrors[1].tor == 0 && c->mirrors[1].check == 0 && !c->mirrors[1].pow && c->mirrors[1].max_streams == 5);
	cr_expect(c->mirrors[1].drain_s == 43200 && c->mirrors[1].rotate_every_s == 30 * 86400 && c->mirrors[0].drain_s == 259200);
	cr_expect(c->mirrors[1].ports[0].target.port == 7 && c->mirrors[1].ports[0].virt == 81);
	cr_expect(c->mirrors[1].spare && c->mirrors[1].revoke_on_content && !c->mirrors[0].spare && !c->mirrors[0].revoke_on_content);
	cr_expect(c->n_channels == 1 && c->channels[0].share == 3);
	conf_free(c);
}

Test(conf_load, the_list_service_is_off_without_its_section)
{
	static const char with[] = GOOD "list-service { port = 81 }\n", bare[] = "list-service {\n}\n" GOOD;
	char faults[4096];
	struct conf *c = NULL;

	cr_assert_eq(load(&c, GOOD, strlen(GOOD), faults, sizeof faults), 0, "%s", faults);
	cr_expect_null(c->list);
	conf_free(c);
	cr_assert_eq(load(&c, with, strlen(with), faults, sizeof faults), 0, "%s", faults);
	cr_expect(c->list != NULL && c->list->port == 81);
	conf_free(c);
	cr_assert_eq(load(&c, bare, strlen(bare), faults, sizeof faults), 0, "%s", faults);
	cr_assert(c->list != NULL && c->list->port == 8008);
	cr_expect_str_eq(c->list->sockets, "/run/onionmirror/list");
	conf_free(c);
}

Test(conf_load, metrics_are_shown_nowhere_unless_it_says_where)
{
	static const char bare[] = GOOD "metrics { }\n", with[] = GOOD "metrics { listen = \"127.0.0.1:9936\" textfile = \"/m.prom\" addresses = on }\n";
	char faults[4096];
	struct conf *c = NULL;

	cr_assert_eq(load(&c, GOOD, strlen(GOOD), faults, sizeof faults), 0, "%s", faults);
	cr_expect_null(c->metrics);
	conf_free(c);
	cr_assert_eq(load(&c, bare, strlen(bare), faults, sizeof faults), 0, "%s", faults);
	cr_assert_not_null(c->metrics);
	cr_expect(c->metrics->listen.kind == 0 && c->metrics->textfile == NULL && !c->metrics->addresses);
	conf_free(c);
	cr_assert_eq(load(&c, with, strlen(with), faults, sizeof faults), 0, "%s", faults);
	cr_expect(c->metrics->listen.port == 9936 && c->metrics->addresses);
	cr_expect_str_eq(c->metrics->textfile, "/m.prom");
	conf_free(c);
}

Test(conf_load, without_a_channel_section_there_is_public)
{
	char faults[4096];
	struct conf *c = NULL;

	cr_assert_eq(load(&c, GOOD, strlen(GOOD), faults, sizeof faults), 0, "%s", faults);
	cr_expect(c->n_channels == 1 && c->channels[0].share == 10);
	cr_expect_str_eq(c->channels[0].name, "public");
	conf_free(c);
}

#define CONTROL "25njqamcweflpvkl73j4szahhihoc4xt3ktcgjnpaingr5yhkenl5sid.onion"

Test(conf_load, a_second_tor_and_control_onions)
{
	char faults[4096];
	struct conf *c = NULL;
	static const char text[] = GOOD "tor two { control = \"unix:/c2\" cookie = \"/k\" }\ncontrol-onions = {\"" CONTROL "\", \"hvabpq7iioevvevxbktu2g36xsojqlgpf3cjndgazvk7ckxumygcmyyd.onion:8080\"}\n"
		"mirror b { backend = \"unix:/b\" tor = main check = page probe-through = two revoke-on-content = on }\n";

	cr_assert_eq(load(&c, text, sizeof text - 1, faults, sizeof faults), 0, "%s", faults);
	cr_expect(c->mirrors[0].probe_through == -1 && c->mirrors[1].probe_through == 1);
	cr_expect(!c->mirrors[0].revoke_on_content && c->mirrors[1].revoke_on_content);
	cr_assert_eq(c->n_controls, 2);
	cr_expect(c->controls[0].port == 80 && c->controls[1].port == 8080);
	cr_expect_str_eq(c->controls[1].address, "hvabpq7iioevvevxbktu2g36xsojqlgpf3cjndgazvk7ckxumygcmyyd");
	conf_free(c);
}

Test(conf_load, a_mirror_may_leave_its_tor_and_its_vantage_to_us)
{
	static const char text[] = GOOD "tor two { control = \"unix:/c2\" cookie = \"/k\" move-after = 6h }\n"
		"mirror b { backend = \"unix:/b\" tor = auto check = page }\nmirror c { backend = \"unix:/b\" tor = two check = page probe-through = auto }\n";
	struct buf printed = BUF_INIT(16384);
	char faults[4096];
	struct conf *c = NULL;

	cr_assert_eq(load(&c, text, sizeof text - 1, faults, sizeof faults), 0, "%s", faults);
	cr_expect(c->tors[0].move_after_ms == 0 && c->tors[1].move_after_ms == 6 * 3600000);
	cr_expect(c->mirrors[1].tor == CONF_TOR_AUTO && c->mirrors[2].tor == 1 && c->mirrors[2].probe_through == CONF_TOR_AUTO);
	conf_print(c, &printed);
	cr_expect_not_null(strstr(buf_str(&printed), "tor = \"auto\""));
	cr_expect_not_null(strstr(buf_str(&printed), "probe-through = \"auto\""));
	cr_expect_not_null(strstr(buf_str(&printed), "move-after = 6h"));
	buf_free(&printed);
	conf_free(c);
}

#define NOT_ENDPOINT " is not an endpoint: write 127.0.0.1:PORT, [::1]:PORT or unix:/path (names are never resolved)\n"

Test(conf_load, each_fault_is_named_with_its_line)
{
	static const struct {
		const char *text, *faults;
	} t[] = {
		{ GOOD "colour = blue\n", "5: unknown option \"colour\"\n" },
		{ GOOD "\nmetric { listen = \"x\" deeper { a = b } }\ntor2 \"x\" { }\n",
		    "6: unknown section \"metric\"\n7: unknown section \"tor2\"\n" },
		{ GOOD "list-service {\n port = 0\n sockets = rel\n color = x }\n",
		    "6: list-service: port: 0 is out of range: 1 to 65535\n7: list-service: sockets: \"rel\" is not an absolute path\n"
		    "7: list-service: sockets: an absolute path of at most 87 characters\n8: unknown option \"color\" in list-service\n" },
		{ GOOD "list-service { sockets = \"/a b\" }\n", "5: list-service: sockets: unix socket path: character 3 is not allowed (use printable "
		  "ASCII without space, quote, comma or backslash)\n" },
		{ GOOD "list-service \"x\" { port = 8008 }\n", "5: section list-service has no name: list-service {\n" },
		{ GOOD "list-service = 3\n", "5: section list-service has no name: list-service {\n" },
		{ GOOD "list-service { }\nlist-service { port = 1 }\n", "6: list-service is there twice (first in line 5)\n" },
		{ GOOD "list-service { port = 1\n", "5: list-service is not closed: \"}\" is missing\n" },
		{ GOOD "mirror b { backend = \"unix:/b\"\n port = {80, 81} tor = main check = page }\nlist-service { port = 81 }\n",
		    "6: mirror \"b\": port 81 is the list service's; give one of them another\n" },
		{ GOOD "metrics {\n listen = \"192.0.2.1:9936\"\n textfile = \"/m.txt\"\n addresses = x }\n",
		    "6: metrics: listen: \"192.0.2.1:9936\" is not a loopback address\n"
		    "7: metrics: textfile: must end with .prom: node_exporter reads nothing else\n8: metrics: addresses: \"x\" is neither on nor off\n" },
		{ GOOD "metrics { listen = \"/run/onionmirror/control.sock\" }\n", "5: metrics: listen: that is the control socket\n" },
		{ GOOD "include(\"/etc/passwd\")\n", "5: unknown option \"include\"\n" },
		{ GOOD "site = b\n", "5: site is given twice (first in line 1)\n" },
		{ GOOD "check page { path = \"/x\" }\n", "5: check \"page\" is there twice (first in line 3)\n" },
		{ GOOD "check {\n path = \"/x\" }\n", "5: section check needs a name: check \"NAME\" {\n" },
		{ GOOD "check c {\n tls = on\n version-path = \"v\"\n pin-sha256 = \"00\" }\n",
		    "7: check \"c\": version-path: must begin with / and hold no space\n8: check \"c\": pin-sha256: must have 64 characters\n" },
		{ GOOD "check c {\n tls = off\n stale-after = 1h\n pin-sha256 = \"" HEX64 "\" }\n",
		    "7: check \"c\": stale-after: nothing tells how old content is without version-path\n"
		    "8: check \"c\": pin-sha256: there is no certificate without tls = on\n" },
		{ GOOD "check c { tls = on pin-sha256 = \"X123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\" }\n",
		    "5: check \"c\": pin-sha256: must be 64 lower-case hex digits\n" },
		{ GOOD "check c {\n interval = 5\n timeout = 1s\n rise = 0\n fall = x\n status = 700 }\n",
		    "6: check \"c\": interval: \"5\" is not a duration: write 500ms, 90s, 5m, 12h or 30d\n"
		    "8: check \"c\": rise: 0 is out of range: 1 to 100\n9: check \"c\": fall: \"x\" is not a number\n"
		    "10: check \"c\": status: 700 is out of range: 200 to 599\n" },
		{ GOOD "check c { interval = 10ms }\n", "5: check \"c\": interval: 10ms is out of range: 1s to 1d\n" },
		{ GOOD "check c { path = nope }\n", "5: check \"c\": path: must begin with / and hold no space\n" },
		{ GOOD "check c { sha256 = \"00\"\n header = \"abc\" }\n",
		    "5: check \"c\": sha256: must have 64 characters\n6: check \"c\": header: write it as \"Name: value\"\n" },
		{ GOOD "mirror b {\n backend = \"example.com:80\"\n tor = main check = page }\n",
		    "6: mirror \"b\": backend: \"example.com:80\"" NOT_ENDPOINT },
		{ GOOD "mirror b { backend = \"localhost:80\" tor = main check = page }\n",
		    "5: mirror \"b\": backend: \"localhost:80\"" NOT_ENDPOINT },
		{ GOOD "mirror b { backend = \"192.0.2.1:80\" tor = main check = page }\n",
		    "5: mirror \"b\": backend: \"192.0.2.1:80\" is not a loopback address\n" },
		{ GOOD "mirror b { port = \"80:example.com:80\" tor = main check = page }\n",
		    "5: mirror \"b\": port: \"example.com:80\"" NOT_ENDPOINT },
		{ GOOD "mirror b { backend = \"unix:/b\"\n port = {80, 80}\n tor = main check = page }\n",
		    "6: mirror \"b\": port 80 is there twice\n" },
		{ GOOD "mirror b { backend = \"unix:/b\" port = 0 tor = main check = page }\n",
		    "5: mirror \"b\": port: \"0\" is neither a port (1 to 65535) nor \"PORT:TARGET\"\n" },
		{ GOOD "mirror b {\n tor = main check = page }\n",
		    "5: mirror \"b\": backend is missing: port 80 names no target of its own\n" },
		{ GOOD "mirror b { backend = \"unix:/b\" port = \"80:unix:/c\" tor = main check = page }\n",
		    "5: mirror \"b\": backend is of no use: every port names a target of its own\n" },
		{ GOOD "mirror b { backend = \"unix:/b\"\n tor = nope\n check = none }\n",
		    "6: mirror \"b\": tor: there is no tor \"nope\"\n7: mirror \"b\": check: there is no check \"none\"\n" },
		{ GOOD "mirror b { backend = \"unix:/b\" tor = main check = page\n probe-through = nope }\n",
		    "6: mirror \"b\": probe-through: there is no tor \"nope\"\n" },
		{ GOOD "tor auto { control = \"unix:/c2\" cookie = \"/k\" }\n",
		    "5: tor \"auto\": \"auto\" is no name for a tor: with tor = auto one is chosen\n" },
		{ GOOD "tor two { control = \"unix:/c2\" cookie = \"/k\" move-after = soon }\n",
		    "5: tor \"two\": move-after: \"soon\" is not a duration: write 500ms, 90s, 5m, 12h or 30d\n" },
		{ GOOD "mirror b { backend = \"unix:/b\" tor = main check = page\n probe-through = main }\n",
		    "6: mirror \"b\": probe-through: that is its own tor, which probes it anyway; name another\n" },
		{ GOOD "control-onions = {\"example.onion\",\n \"" CONTROL ":0\", \"" CONTROL ":80x\", \"" CONTROL "\", \"" CONTROL ":81\"}\n",
		    "5: control-onions: \"example.onion\" is not a v3 onion address (56 characters and .onion)\n"
		    "5: control-onions: the port of \"" CONTROL ":0\" is not from 1 to 65535\n"
		    "5: control-onions: \"" CONTROL ":80x\" has something behind its port\n"
		    "5: control-onions: one of them is there twice\n" },
		{ GOOD "mirror b { backend = \"unix:/b\" }\n", "5: mirror \"b\": tor is missing\n5: mirror \"b\": check is missing\n" },
		{ GOOD "mirror B { backend = \"unix:/b\" tor = main check = page }\n",
		    "5: mirror \"B\": a name has a-z, 0-9 and -, begins with a letter or digit and has at most 32 characters\n" },
		{ GOOD "mirror b { backend = \"unix:/b\" tor = main check = page role = boss pow = perhaps drain = 1500ms }\n",
		    "5: mirror \"b\": role: \"boss\" is not one of mirror, replica, archive\n"
		    "5: mirror \"b\": drain: whole seconds, please\n5: mirror \"b\": pow: \"perhaps\" is neither on nor off\n" },
		{ GOOD "tor b { control = \"unix:/b\" }\n",
		    "5: tor \"b\": one of cookie, password-file or allow-no-auth = on is needed\n" },
		{ GOOD "tor b { control = \"unix:/b\" cookie = \"/c\" password-file = \"/d\" }\n",
		    "5: tor \"b\": cookie, password-file and allow-no-auth exclude each other\n" },
		{ GOOD "tor b { control = \"unix:/c\" cookie = \"/c\" }\n", "5: tor \"b\": control: that is tor \"main\" already\n" },
		{ GOOD "tor b { control = \"example.com:9051\" cookie = relative }\n",
		    "5: tor \"b\": control: \"example.com:9051\"" NOT_ENDPOINT
		    "5: tor \"b\": cookie: \"relative\" is not an absolute path\n"
		    "5: tor \"b\": one of cookie, password-file or allow-no-auth = on is needed\n" },
		{ "site = s\n" CHECK "tor main { cookie = \"/k\" max-mirrors = 1 }\nmirror a { backend = \"unix:/b\" tor = main check = page }\n"
		  "mirror b { backend = \"unix:/b\" tor = main check = page }\n",
		    "3: tor \"main\": 2 mirrors name it, and max-mirrors is 1\n" },
		{ GOOD "key-file = \"/a\"\npassphrase-file = \"/b\"\n", "6: key-file and passphrase-file exclude each other\n" },
		{ GOOD "locked-start = on\nkey-file = \"/a\"\n", "5: locked-start excludes key-file and passphrase-file\n" },
		{ GOOD "passphrase-file = \"/a\"\nlocked-start = on\n", "6: locked-start excludes key-file and passphrase-file\n" },
		{ GOOD "control-socket = \"127.0.0.1:99\"\n", "5: control-socket: must be a unix socket, unix:/path: the peer's uid is checked\n" },
		{ GOOD "control-group = \"${HOME}\"\n", "5: \"${\" would be taken from the environment; write \"\\${\"\n" },
		{ GOOD "min-listed = ${N}\n", "5: \"${\" would be taken from the environment, which is not allowed\n"
		  "5: min-listed: \"\" is not a number\n" },
		{ GOOD "log-level = loud\nlog-onions = \"\"\n",
		    "5: log-level: \"loud\" is not one of error, warning, notice, info, debug\n"
		    "6: log-onions: \"\" is not one of never, hash, full\n" },
		{ GOOD "check c {\n", "5: check \"c\" is not closed: \"}\" is missing\n" },
		{ GOOD "}\n", "5: unexpected closing brace\n" },
		{ GOOD "min-listed 3\n", "5: \"=\" is missing behind min-listed\n" },
		{ GOOD "check c { rise\n fall 3 status = 200 }\n", "5: \"=\" is missing behind rise\n6: \"=\" is missing behind fall\n" },
		{ "site = \"s\"\n" TOR CHECK "mirror \"a\" { backend = \"127.0.0.1:80\" tor = \"main\" check = \"page\" spare = on }\n",
		    "1: every mirror is a spare: at least one must be listed always\n" },
		{ "site = s\n", "1: no mirror section: there is nothing to do\n" },
		{ TOR CHECK "mirror a { backend = \"unix:/b\" tor = main check = page }\n", "1: site is missing\n" },
		{ "site = \"\"\n" TOR CHECK "mirror a { backend = \"unix:/b\" tor = main check = page }\n",
		    "1: site: must have 1 to 64 characters\n" },
		{ "site = \"\xc3\xa9\"\n" TOR CHECK "mirror a { backend = \"unix:/b\" tor = main check = page }\n",
		    "1: site: only printable ASCII characters\n" },
	};
	char faults[4096];
	struct conf *c = NULL;
	size_t i;

	for (i = 0; i < sizeof t / sizeof t[0]; i++) {
		cr_expect_eq(load(&c, t[i].text, strlen(t[i].text), faults, sizeof faults), -1, "%zu", i);
		cr_expect_str_eq(faults, t[i].faults, "%zu: %s", i, faults);
		cr_expect_null(c);
	}
}

Test(conf_load, what_is_not_a_configuration_file_is_refused)
{
	char faults[4096], big[70000];
	struct buf f = BUF_INIT(4096);
	struct conf *c = NULL;

	cr_expect_eq(load(&c, "site = a\0b\n", 11, faults, sizeof faults), -1);
	cr_expect_str_eq(faults, "1: has a NUL byte: this is not a configuration\n");
	memset(big, '#', sizeof big);
	cr_expect_eq(load(&c, big, sizeof big, faults, sizeof faults), -1);
	cr_expect_str_eq(faults, "1: larger than 65536 bytes\n");
	cr_expect_eq(conf_load(&c, dir, &f), -1);
	cr_expect_not_null(strstr(buf_str(&f), ":1: not a regular file"));
	unlink(path);
	cr_expect_eq(mkfifo(path, 0600), 0);
	buf_reset(&f);
	cr_expect_eq(conf_load(&c, path, &f), -1);
	cr_expect_not_null(strstr(buf_str(&f), "not a regular file"));
	unlink(path);
	buf_reset(&f);
	cr_expect_eq(conf_load(&c, path, &f), -1);
	cr_expect_not_null(strstr(buf_str(&f), "No such file"));
	cr_expect_null(c);
	buf_free(&f);
}

Test(conf_load, a_fault_that_quotes_several_lines_is_one_line)
{
	static const char bad[] = GOOD "check \"other\" { header = \"one\n\x1b[31mtwo\" }\n";
	struct conf *c = NULL;
	char faults[8192];

	cr_expect_eq(load(&c, bad, strlen(bad), faults, sizeof faults), -1);
	cr_expect_null(strchr(faults, '\x1b'));
	cr_expect_eq(strchr(faults, '\n'), faults + strlen(faults) - 1, "%s", faults);
	cr_expect_null(c);
}

Test(conf_load, any_cut_of_a_good_file_is_refused_or_whole)
{
	char faults[8192];
	struct conf *c;
	size_t n;

	for (n = 0; n < strlen(GOOD); n++) {
		c = NULL;
		if (load(&c, GOOD, n, faults, sizeof faults) == 0) {
			/* Only what follows the last brace may be missing. */
			cr_expect_eq(GOOD[n - 1], '}', "%zu", n);
			conf_free(c);
		} else {
			cr_expect(faults[0] != '\0', "%zu", n);
		}
	}
}
