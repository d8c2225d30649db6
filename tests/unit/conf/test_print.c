/* SPDX-License-Identifier: BSD-3-Clause */
/* Print, sample and what needs a restart. */
#include "config.h"
#include "base/file.h"
#include "conf/table.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

TestSuite(conf_print, .init = make_dir, .fini = remove_dir);

static struct conf *
load(const char *text)
{
	struct buf f = BUF_INIT(65536);
	struct conf *c = NULL;
	struct err e = ERR_INIT;

	cr_assert_eq(file_write(path, text, strlen(text), 0644, &e), 0, "%s", e.msg);
	cr_assert_eq(conf_load(&c, path, &f), 0, "%s", buf_str(&f));
	buf_free(&f);
	return c;
}

#define REST \
	"tor \"main\" { control = \"unix:/c\" cookie = \"/k\" }\ncheck \"page\" { contains = \"q\\\"\\\\ \\${A}\" }\n" \
	"mirror \"a\" { backend = \"127.0.0.1:80\" port = {80, 81, \"443:unix:/t\"} tor = \"main\" check = \"page\" }\n"

Test(conf_print, the_sample_is_valid_and_printing_is_a_fixpoint)
{
	struct buf text[3] = { BUF_INIT(65536), BUF_INIT(65536), BUF_INIT(65536) };
	const char *const start[] = { NULL, "site = s\n" REST, "site = s\npassphrase-file = \"/p\" control-group = adm\nlist-service { port = 9 }\nmetrics { textfile = \"/m.prom\" }\n" REST,
		"site = s\ncontrol-onions = {\"25njqamcweflpvkl73j4szahhihoc4xt3ktcgjnpaingr5yhkenl5sid.onion:81\"}\ntor \"two\" { control = \"unix:/d\" cookie = \"/k\" }\n" REST
		"check \"tls\" { tls = on pin-sha256 = \"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\" version-path = \"/v\" stale-after = 2h }\n"
		"mirror \"b\" { backend = \"127.0.0.1:80\" tor = \"main\" check = \"page\" probe-through = \"two\" revoke-on-content = on }\n" };
	struct conf *c;
	size_t i, k;

	for (i = 0; i < 4; i++) {
		if (start[i] == NULL)
			conf_sample(&text[0], "/var/lib/om", "/run/om");
		else
			buf_adds(&text[0], start[i]);
		for (k = 0; k < 2; k++) {
			c = load(buf_str(&text[k]));
			conf_print(c, &text[k + 1]);
			conf_free(c);
		}
		cr_expect(text[1].len > 100);
		cr_expect_str_eq(buf_str(&text[1]), buf_str(&text[2]));
		cr_expect(i != 3 || (strstr(buf_str(&text[1]), "probe-through = \"two\"") != NULL && strstr(buf_str(&text[1]), ".onion:81\"}") != NULL));
		for (k = 0; k < 3; k++)
			buf_reset(&text[k]);
	}
	for (k = 0; k < 3; k++)
		buf_free(&text[k]);
}

Test(conf_print, the_sample_and_the_manual_name_every_option_and_section)
{
	const char *top = getenv("top_srcdir");
	struct buf text = BUF_INIT(65536);
	char want[80], file[256], *manual = NULL;
	struct err e = ERR_INIT;
	size_t n;
	int s;

	snprintf(file, sizeof file, "%s/src/conf/onionmirror.conf.5", top != NULL ? top : ".");
	cr_assert_eq(file_read(file, 65536, FILE_PUBLIC, &manual, &n, &e), 0, "%s", e.msg);
	conf_sample(&text, "/var/lib/om", "/run/om");
	for (s = 0; s < CONF__SECTIONS; s++) {
		const struct conf_option *o;

		for (o = conf_sections[s].options; o->name != NULL; o++) {
			snprintf(want, sizeof want, "%s = ", o->name);
			cr_expect_not_null(strstr(buf_str(&text), want), "%s in the sample", o->name);
			snprintf(want, sizeof want, ".It Ic %s No =", o->name);
			cr_expect_not_null(strstr(manual, want), "%s in the manual", o->name);
		}
	}
	cr_expect_not_null(strstr(buf_str(&text), "state-dir = \"/var/lib/om\"\n"));
	cr_expect_not_null(strstr(buf_str(&text), "control-socket = \"unix:/run/om/control.sock\"\n"));
	free(manual);
	buf_free(&text);
}

Test(conf_print, a_tor_section_is_taken_over_but_for_its_limit_at_a_restart_only)
{
#define TOR(inside) "site = s\ntor \"main\" { " inside " }\ncheck \"page\" { }\n" \
	"mirror \"a\" { backend = \"unix:/b\" tor = \"main\" check = \"page\" }\n"
	static const struct {
		const char *text, *needs;
	} t[] = {
		{ TOR("control = \"unix:/c\" cookie = \"/k\" max-mirrors = 3"), NULL },
		{ TOR("control = \"unix:/d\" cookie = \"/k\""), "control" },
		{ TOR("control = \"unix:/c\" cookie = \"/l\""), "cookie" },
		{ TOR("control = \"unix:/c\" password-file = \"/k\""), "cookie" },
		{ TOR("control = \"unix:/c\" cookie = \"/k\" socks = \"127.0.0.1:9050\""), "socks" },
	};
	struct conf *now = load(TOR("control = \"unix:/c\" cookie = \"/k\"")), *next;
	const char *needs;
	size_t i;

	for (i = 0; i < sizeof t / sizeof t[0]; i++) {
		next = load(t[i].text);
		needs = conf_needs_restart(now, next);
		cr_expect(t[i].needs == NULL ? needs == NULL : needs != NULL && strcmp(needs, t[i].needs) == 0, "%zu: %s", i,
		    needs != NULL ? needs : "-");
		conf_free(next);
	}
	conf_free(now);
}

Test(conf_print, only_some_options_need_a_restart)
{
	static const struct {
		const char *more, *needs;
	} t[] = {
		{ "", NULL },
		{ "state-dir = \"/other\"\n", "state-dir" },
		{ "publish-dir = \"/other\"\n", "publish-dir" },
		{ "key-file = \"/other\"\n", "key-file" },
		{ "passphrase-file = \"/other\"\n", "key-file" },
		{ "control-socket = \"/other\"\n", "control-socket" },
		{ "control-group = \"adm\"\n", "control-group" },
		{ "min-listed = 1\nlog-level = debug\nlog-onions = full\nhistory-days = 1\n", NULL },
		{ "tor \"second\" { control = \"unix:/d\" cookie = \"/k\" }\n", "the number of tor sections" },
		{ "check \"second\" { path = \"/d\" }\nchannel \"c\" { share = 2 }\n", NULL },
		{ "list-service { port = 9 sockets = \"/s\" }\n", NULL },
		{ "metrics { listen = \"/s\" textfile = \"/m.prom\" addresses = on }\n", NULL },
	};
	struct conf *now, *next;
	const char *needs;
	char text[2048];
	size_t i;

	for (i = 0; i < sizeof t / sizeof t[0]; i++) {
		now = load("site = s\n" REST);
		snprintf(text, sizeof text, "site = s\n" REST "%s", t[i].more);
		next = load(text);
		needs = conf_needs_restart(now, next);
		cr_expect(t[i].needs == NULL ? needs == NULL : needs != NULL && strcmp(needs, t[i].needs) == 0, "%zu: %s", i,
		    needs != NULL ? needs : "-");
		conf_free(now);
		conf_free(next);
	}
}
