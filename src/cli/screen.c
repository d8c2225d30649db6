/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The terminal as lines, in plain ANSI sequences. Owns /dev/tty, opened anew: so
 * writes may be non-blocking without a change to the shell's own descriptor.
 */
#include "config.h"
#include "cli/screen.h"

#include "base/buf.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#define ROWS_MAX 256
#define LINE_MAX_LEN 1024
#define PENDING_MAX (512 * 1024)

/* Another screen of its own, no cursor, no wrapping; and all of that back. */
#define ENTER "\033[?1049h\033[?25l\033[?7l\033[2J"
#define LEAVE "\033[0m\033[?7h\033[?25h\033[?1049l"

struct line {
	enum screen_style style;
	char text[LINE_MAX_LEN];
};

struct screen {
	int fd;
	bool utf8, redraw;
	unsigned rows, columns;
	struct line *next, *shown; /* owned, ROWS_MAX each */
	struct buf pending;        /* not taken by the terminal yet */
	char keys[64];
	size_t n_keys;
};

static const int ending[] = { SIGTERM, SIGHUP, SIGINT, SIGQUIT };
static const int crashing[] = { SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL };
#define N_ENDING (sizeof ending / sizeof ending[0])
#define N_CRASHING (sizeof crashing / sizeof crashing[0])

volatile sig_atomic_t screen_is_over;
static volatile sig_atomic_t ended_by, was_resized, was_stopped, was_continued;
/* For the handler of crashes. */
static int terminal = -1;
static struct termios before;
static struct sigaction old_ending[N_ENDING], old_crashing[N_CRASHING], old_stop, old_continue, old_resize;

int
screen_signal(void)
{
	return ended_by;
}

static void
give_back(void)
{
	ssize_t n = write(terminal, LEAVE, sizeof LEAVE - 1);

	(void)n; /* there is nobody to tell */
	tcsetattr(terminal, TCSANOW, &before);
}

static void
on_signal(int signo)
{
	if (signo == SIGWINCH)
		was_resized = 1;
	else if (signo == SIGTSTP)
		was_stopped = 1;
	else if (signo == SIGCONT)
		was_continued = 1;
	else
		screen_is_over = ended_by = signo;
}

static void
on_crash(int signo)
{
	size_t i;

	give_back();
	for (i = 0; i < N_CRASHING; i++)
		if (crashing[i] == signo)
			sigaction(signo, &old_crashing[i], NULL);
	raise(signo);
}

static void
watch_signals(void)
{
	struct sigaction act = { .sa_handler = on_signal }, crash = { .sa_handler = on_crash };
	size_t i;

	sigemptyset(&act.sa_mask);
	sigemptyset(&crash.sa_mask);
	for (i = 0; i < N_ENDING; i++)
		sigaction(ending[i], &act, &old_ending[i]);
	for (i = 0; i < N_CRASHING; i++)
		sigaction(crashing[i], &crash, &old_crashing[i]);
	sigaction(SIGTSTP, &act, &old_stop);
	sigaction(SIGCONT, &act, &old_continue);
	sigaction(SIGWINCH, &act, &old_resize);
}

static void
leave_signals(void)
{
	size_t i;

	for (i = 0; i < N_ENDING; i++)
		sigaction(ending[i], &old_ending[i], NULL);
	for (i = 0; i < N_CRASHING; i++)
		sigaction(crashing[i], &old_crashing[i], NULL);
	sigaction(SIGTSTP, &old_stop, NULL);
	sigaction(SIGCONT, &old_continue, NULL);
	sigaction(SIGWINCH, &old_resize, NULL);
}

static void
take_size(struct screen *s)
{
	struct winsize w = { 0 };

	s->rows = 24;
	s->columns = 80;
	if (ioctl(s->fd, TIOCGWINSZ, &w) == 0 && w.ws_row > 0 && w.ws_col > 0) {
		s->rows = w.ws_row < ROWS_MAX ? w.ws_row : ROWS_MAX;
		s->columns = w.ws_col;
	}
}

/* Keys come at once and unechoed; ^C and ^Z stay signals. */
static void
enter(struct screen *s)
{
	struct termios raw = before;

	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	raw.c_iflag &= ~(tcflag_t)IXON; /* ^S would hold up the way back too */
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	tcsetattr(s->fd, TCSANOW, &raw);
	buf_adds(&s->pending, ENTER);
	take_size(s);
	s->redraw = true;
}

static bool
locale_is_utf8(void)
{
	static const char *const names[] = { "LC_ALL", "LC_CTYPE", "LANG" };
	const char *v;
	size_t i;

	for (i = 0; i < 3; i++)
		if ((v = getenv(names[i])) != NULL && v[0] != '\0')
			return strcasestr(v, "utf-8") != NULL || strcasestr(v, "utf8") != NULL;
	return false;
}

struct screen *
screen_open(struct err *e)
{
	const char *term = getenv("TERM");
	struct screen *s;
	int fd;

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO) || term == NULL || strcmp(term, "dumb") == 0) {
		err_set(e, ERR_REFUSED, "there is no terminal to draw on; onionmirror events --follow needs none");
		return NULL;
	}
	if ((fd = open("/dev/tty", O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)) < 0 || tcgetattr(fd, &before) != 0) {
		err_set_sys(e, "/dev/tty");
		if (fd >= 0)
			close(fd);
		return NULL;
	}
	s = xcalloc(1, sizeof *s);
	s->fd = terminal = fd;
	s->utf8 = locale_is_utf8();
	s->next = xcalloc(ROWS_MAX, sizeof *s->next);
	s->shown = xcalloc(ROWS_MAX, sizeof *s->shown);
	s->pending = (struct buf)BUF_INIT(PENDING_MAX);
	screen_is_over = ended_by = was_resized = was_stopped = was_continued = 0;
	watch_signals();
	enter(s);
	return s;
}

void
screen_close(struct screen *s)
{
	if (s == NULL)
		return;
	/* What is half sent would be read as part of the next sequence. */
	tcflush(s->fd, TCOFLUSH);
	give_back();
	leave_signals();
	close(s->fd);
	terminal = -1;
	buf_free(&s->pending);
	free(s->next);
	free(s->shown);
	free(s);
}

unsigned
screen_rows(const struct screen *s)
{
	return s->rows;
}

unsigned
screen_columns(const struct screen *s)
{
	return s->columns;
}

bool
screen_is_utf8(const struct screen *s)
{
	return s->utf8;
}

void
screen_line(struct screen *s, unsigned row, enum screen_style style, const char *text)
{
	unsigned column = 0;
	struct line *l;
	size_t n = 0;

	if (row >= s->rows)
		return;
	l = &s->next[row];
	memset(l, 0, sizeof *l);
	l->style = style;
	for (; *text != '\0' && n < LINE_MAX_LEN - 5; text++) {
		/* A byte that goes on with a character takes no column. */
		column += ((unsigned char)*text & 0xc0) != 0x80;
		if (column > s->columns)
			break;
		l->text[n++] = *text;
	}
	/* Reverse goes to the edge. */
	while (style == SCREEN_REVERSE && column++ < s->columns && n < LINE_MAX_LEN - 1)
		l->text[n++] = ' ';
}

/* ^Z: the shell gets its terminal, and afterwards we begin anew. */
static void
stop(void)
{
	give_back();
	raise(SIGSTOP);
}

static void
send_pending(struct screen *s)
{
	ssize_t n;

	while (s->pending.len > 0) {
		n = write(s->fd, s->pending.data, s->pending.len);
		if (n > 0) {
			buf_drain(&s->pending, (size_t)n);
			continue;
		}
		if (errno != EAGAIN && errno != EINTR)
			screen_is_over = 1;
		return;
	}
}

static void
compose(struct screen *s)
{
	static const char *const styles[] = { "", "\033[1m", "\033[7m" };
	unsigned i;

	for (i = 0; i < s->rows; i++) {
		struct line *l = &s->next[i];

		if (!s->redraw && memcmp(l, &s->shown[i], sizeof *l) == 0)
			continue;
		buf_addf(&s->pending, "\033[%u;1H%s%s\033[0m\033[K", i + 1, styles[l->style], l->text);
		s->shown[i] = *l;
	}
	s->redraw = false;
}

bool
screen_show(struct screen *s)
{
	bool again = was_stopped || was_continued || was_resized;

	if (was_stopped)
		stop();
	if (was_stopped || was_continued) {
		was_stopped = was_continued = 0;
		enter(s);
	}
	if (was_resized) {
		was_resized = 0;
		take_size(s);
		buf_adds(&s->pending, "\033[2J");
		s->redraw = true;
	}
	if (again) {
		memset(s->next, 0, ROWS_MAX * sizeof *s->next);
		return false;
	}
	send_pending(s);
	if (s->pending.len == 0) {
		compose(s);
		send_pending(s);
	}
	return true;
}

static void
take_keys(struct screen *s)
{
	ssize_t n = read(s->fd, s->keys + s->n_keys, sizeof s->keys - s->n_keys);

	if (n > 0)
		s->n_keys += (size_t)n;
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		screen_is_over = 1;
}

int
screen_key(struct screen *s)
{
	size_t n = 1;
	int key;

	if (s->n_keys < 3)
		take_keys(s);
	if (s->n_keys == 0)
		return SCREEN_NONE;
	key = (unsigned char)s->keys[0];
	if (key == '\033' && s->n_keys >= 3 && (s->keys[1] == '[' || s->keys[1] == 'O')) {
		key = s->keys[2] == 'A' ? SCREEN_UP : s->keys[2] == 'B' ? SCREEN_DOWN : '\033';
		n = 3;
	}
	memmove(s->keys, s->keys + n, s->n_keys - n);
	s->n_keys -= n;
	return key;
}
