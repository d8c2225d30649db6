/* SPDX-License-Identifier: BSD-3-Clause */
/* Passphrases: from a file descriptor or the terminal, never from argv. */
#include "config.h"
#include "cli/passphrase.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define PASSPHRASE_MIN 8

static struct secret_text *
read_line(int fd, struct err *e)
{
	struct secret_text *t = secret_alloc(sizeof *t);
	ssize_t r = 1;
	char c = '\0';

	if (t == NULL) {
		err_set(e, ERR_MEMORY, "no locked memory for a passphrase");
		return NULL;
	}
	for (t->len = 0; t->len < sizeof t->text - 1; t->text[t->len++] = c) {
		do
			r = read(fd, &c, 1);
		while (r < 0 && errno == EINTR);
		if (r <= 0 || c == '\n')
			break;
	}
	t->text[t->len] = '\0';
	mem_wipe(&c, sizeof c);
	if (r < 0)
		err_set_sys(e, "cannot read the passphrase");
	else if (t->len < PASSPHRASE_MIN)
		err_set(e, ERR_PARSE, "a passphrase needs at least %d characters", PASSPHRASE_MIN);
	else if (t->len == sizeof t->text - 1)
		err_set(e, ERR_LIMIT, "a passphrase has at most %zu characters", sizeof t->text - 2);
	else
		return t;
	passphrase_free(t);
	return NULL;
}

static struct secret_text *
ask(int tty, const char *prompt, struct err *e)
{
	struct termios was, quiet;
	struct secret_text *t;

	if (tcgetattr(tty, &was) != 0) {
		err_set_sys(e, "terminal");
		return NULL;
	}
	quiet = was;
	quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
	tcsetattr(tty, TCSAFLUSH, &quiet);
	if (write(tty, prompt, strlen(prompt)) < 0)
		err_set_sys(e, "terminal");
	t = read_line(tty, e);
	tcsetattr(tty, TCSAFLUSH, &was);
	if (write(tty, "\n", 1) < 0)
		err_set_sys(e, "terminal");
	return t;
}

static int
ask_twice(struct secret_text **out, const char *prompt, bool twice, struct err *e)
{
	struct secret_text *a, *b = NULL;
	int tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);

	if (tty < 0)
		return err_set(e, ERR_SYS, "no terminal to ask for a passphrase; use --passphrase-fd N or --no-passphrase");
	a = ask(tty, prompt, e);
	if (a != NULL && twice)
		b = ask(tty, "Again: ", e);
	close(tty);
	if (a != NULL && b != NULL && strcmp(a->text, b->text) != 0)
		err_set(e, ERR_PARSE, "the two passphrases differ");
	else if (a != NULL && (b != NULL || !twice)) {
		*out = a;
		a = NULL;
	}
	passphrase_free(b);
	if (a != NULL || e->code != ERR_NONE) {
		passphrase_free(a);
		return -1;
	}
	return 0;
}

int
passphrase_get(struct secret_text **out, const char *fd, const char *prompt, bool twice, struct err *e)
{
	char *end;
	long n;

	if (fd == NULL)
		return ask_twice(out, prompt, twice, e);
	errno = 0;
	n = strtol(fd, &end, 10);
	if (*fd == '\0' || *end != '\0' || n < 0 || n > 1 << 20 || errno != 0)
		return err_set(e, ERR_PARSE, "--passphrase-fd %s: not a file descriptor", fd);
	*out = read_line((int)n, e);
	return *out != NULL ? 0 : -1;
}

void
passphrase_free(struct secret_text *t)
{
	secret_free(t);
}
