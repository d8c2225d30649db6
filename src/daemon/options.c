/* SPDX-License-Identifier: BSD-3-Clause */
/* The command line of onionmirrord. */
#include "config.h"
#include "base/confine.h"
#include "base/log.h"
#include "daemon/daemon.h"
#include "io/journal.h"
#include "tor/tls.h"

#include <getopt.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static const char usage[] = "usage: onionmirrord [-f CONF] [--check-config | --print-config]\n";

static int
load(struct conf **conf, const char *path)
{
	struct buf faults = BUF_INIT(256 * 1024);
	int r = conf_load(conf, path, &faults);

	if (r != 0)
		fputs(buf_str(&faults), stderr);
	if (r != 0 && faults.len == 0)
		fputs("onionmirrord: out of memory\n", stderr);
	buf_free(&faults);
	return r;
}

static int
print(const struct conf *conf)
{
	struct buf text = BUF_INIT(4 * 1024 * 1024);

	conf_print(conf, &text);
	fputs(buf_str(&text), stdout);
	buf_free(&text);
	return 0;
}

int
daemon_main(int argc, char **argv)
{
	static const struct option_word {
		const char *word;
		int value;
	} words[] = { { "check-config", 'c' }, { "print-config", 'p' }, { "version", 'v' }, { "help", 'h' } };
	struct option longs[sizeof words / sizeof words[0] + 1] = { 0 };
	const char *path = DAEMON_DEFAULT_CONF;
	struct conf *conf = NULL;
	struct err e = ERR_INIT;
	int c, mode = 0, r;
	size_t i;

	for (i = 0; i < sizeof words / sizeof words[0]; i++)
		longs[i] = (struct option){ words[i].word, no_argument, NULL, words[i].value };
	while ((c = getopt_long(argc, argv, "f:", longs, NULL)) != -1) {
		if (c == 'f')
			path = optarg;
		else if (c == 'v' || c == 'h') {
			fputs(c == 'v' ? "onionmirrord " PACKAGE_VERSION "\n" : usage, stdout);
			return 0;
		} else if (c == '?' || (mode != 0 && mode != c)) {
			fputs(usage, stderr);
			return 2;
		} else {
			mode = c;
		}
	}
	if (optind != argc) {
		fputs(usage, stderr);
		return 2;
	}
	umask(077);
	signal(SIGXFSZ, SIG_IGN); /* a file size limit is then an error of write(), as a full disk is */
	log_init("onionmirrord", LOG_LEVEL_NOTICE);
	if (log_is_journal() && journal_open(JOURNAL_SOCKET) == 0)
		log_set_journal(journal_send);
	if (sodium_init() < 0 || tls_begin() != 0) {
		fputs("onionmirrord: libsodium or OpenSSL does not start on this machine, or has no memory\n", stderr);
		return 1;
	}
	if (confine_process(&e) != 0) {
		fprintf(stderr, "onionmirrord: %s\n", e.msg);
		return 1;
	}
	if (load(&conf, path) != 0)
		return 1;
	if (mode == 0)
		return daemon_run(path, conf);
	r = mode == 'p' ? print(conf) : 0;
	conf_free(conf);
	return r;
}
