/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The framer of tor's control port: bytes in any pieces to whole messages.
 * Owns one unfinished line, and the text and lines of one unfinished message.
 * The text is kept as one string after another, each NUL-ended, so it may move
 * while it grows; pointers into it are made when the message is complete.
 */
#include "config.h"
#include "proto/reply.h"

#include "base/buf.h"

#include <stdlib.h>
#include <string.h>

#define KEEP_MAX 65536 /* buffers that grew beyond this are given back after the message */

struct reply_reader {
	struct buf partial;       /* a line without its LF so far */
	struct buf text;          /* of the message so far */
	struct reply_line *lines; /* owned; text and data are set at the end */
	size_t n_lines, cap_lines;
	size_t size;    /* bytes of the message as received, whole lines only */
	size_t n_total; /* lines, data lines counted */
	size_t data_start; /* where the data of the last line begin in text */
	bool in_data;
	struct err failed;
};

struct reply_reader *
reply_reader_new(void)
{
	struct reply_reader *r = calloc(1, sizeof *r);

	if (r == NULL)
		return NULL;
	r->partial.max = REPLY_LINE_MAX + 2;
	r->text.max = REPLY_SIZE_MAX + 2;
	return r;
}

void
reply_reader_free(struct reply_reader *r)
{
	if (r == NULL)
		return;
	buf_free(&r->partial);
	buf_free(&r->text);
	free(r->lines);
	free(r);
}

bool
reply_reader_is_idle(const struct reply_reader *r)
{
	return r->partial.len == 0 && r->n_lines == 0;
}

static void
message_reset(struct reply_reader *r)
{
	if (r->text.cap > KEEP_MAX)
		buf_free(&r->text);
	else
		buf_reset(&r->text);
	if (r->cap_lines > KEEP_MAX / sizeof *r->lines) {
		free(r->lines);
		r->lines = NULL;
		r->cap_lines = 0;
	}
	r->n_lines = r->size = r->n_total = 0;
}

static int
message_deliver(struct reply_reader *r, reply_cb *cb, void *arg, struct err *e)
{
	const char *p = r->text.data;
	struct reply msg;
	size_t i;
	int rc;

	for (i = 0; i < r->n_lines; i++) {
		r->lines[i].text = p;
		p += r->lines[i].len + 1;
		if (r->lines[i].sep != '+')
			continue;
		r->lines[i].data = p;
		p += r->lines[i].data_len + 1;
	}
	msg.code = r->lines[0].code;
	msg.is_event = msg.code / 100 == 6;
	msg.lines = r->lines;
	msg.n_lines = r->n_lines;
	rc = cb(&msg, arg);
	message_reset(r);
	return rc == 0 ? 0 : err_set(e, ERR_CLOSED, "stopped");
}

/* Three digits and a separator; the first digit is one that control-spec 4 knows. */
static int
parse_status(const char *s, size_t n, struct reply_line *line, struct err *e)
{
	size_t i;

	if (n < 4)
		return err_set(e, ERR_PARSE, "control reply: a line of %zu bytes", n);
	for (i = 0; i < 3; i++)
		if (s[i] < '0' || s[i] > '9')
			return err_set(e, ERR_PARSE, "control reply: no status code");
	if (strchr("2456", s[0]) == NULL)
		return err_set(e, ERR_PARSE, "control reply: status %.3s does not exist", s);
	if (s[3] != '-' && s[3] != '+' && s[3] != ' ')
		return err_set(e, ERR_PARSE, "control reply: no separator behind the status code");
	if (memchr(s, '\0', n) != NULL || memchr(s, '\r', n) != NULL)
		return err_set(e, ERR_PARSE, "control reply: a NUL or CR inside a line");
	*line = (struct reply_line){
		.code = (s[0] - '0') * 100 + (s[1] - '0') * 10 + (s[2] - '0'),
		.sep = s[3],
		.len = n - 4,
	};
	return 0;
}

static int
lines_reserve(struct reply_reader *r, struct err *e)
{
	size_t cap = r->cap_lines != 0 ? r->cap_lines * 2 : 8;
	struct reply_line *p;

	if (r->n_lines < r->cap_lines)
		return 0;
	p = reallocarray(r->lines, cap, sizeof *p);
	if (p == NULL)
		return err_set(e, ERR_MEMORY, "out of memory");
	r->lines = p;
	r->cap_lines = cap;
	return 0;
}

/* s[n] is a status line without CR LF. *last: the message is complete. */
static int
take_status(struct reply_reader *r, const char *s, size_t n, bool *last, struct err *e)
{
	struct reply_line line;

	if (parse_status(s, n, &line, e) != 0 || lines_reserve(r, e) != 0)
		return -1;
	if (r->n_lines > 0 && line.code != r->lines[0].code)
		return err_set(e, ERR_PARSE, "control reply: status %d inside a reply of status %d", line.code,
		    r->lines[0].code);
	buf_add(&r->text, s + 4, line.len);
	buf_add(&r->text, "", 1);
	r->lines[r->n_lines++] = line;
	r->in_data = line.sep == '+';
	r->data_start = r->text.len;
	*last = line.sep == ' ';
	return 0;
}

/* s[n] is a data line without CR LF; "." alone ends the data (control-spec 2.1.1, CmdData). */
static int
take_data(struct reply_reader *r, const char *s, size_t n, struct err *e)
{
	struct reply_line *line = &r->lines[r->n_lines - 1];

	if (memchr(s, '\0', n) != NULL)
		return err_set(e, ERR_PARSE, "control reply: a NUL inside data");
	if (n == 1 && s[0] == '.') {
		/* The LF behind the last line becomes the NUL. */
		if (r->text.len > r->data_start)
			r->text.data[r->text.len - 1] = '\0';
		else
			buf_add(&r->text, "", 1);
		line->data_len = r->text.len - r->data_start - 1;
		r->in_data = false;
		return 0;
	}
	if (n > 0 && s[0] == '.') {
		s++;
		n--;
	}
	buf_add(&r->text, s, n);
	buf_add(&r->text, "\n", 1);
	return 0;
}

/* s[n] ends where the LF was. */
static int
take_line(struct reply_reader *r, const char *s, size_t n, reply_cb *cb, void *arg, struct err *e)
{
	bool last = false;
	int rc;

	r->size += n + 1;
	if (++r->n_total > REPLY_LINES_MAX)
		return err_set(e, ERR_LIMIT, "control reply: more than %d lines", REPLY_LINES_MAX);
	if (n == 0 || s[n - 1] != '\r')
		return err_set(e, ERR_PARSE, "control reply: a line that does not end with CR LF");
	n--;
	rc = r->in_data ? take_data(r, s, n, e) : take_status(r, s, n, &last, e);
	if (rc != 0)
		return -1;
	if (!buf_ok(&r->text))
		return err_set(e, ERR_MEMORY, "out of memory");
	return last ? message_deliver(r, cb, arg, e) : 0;
}

/*
 * The bounds are looked at before anything else and for unfinished lines too,
 * so that the same bytes in other pieces fail in the same way.
 */
static int
check_bounds(const struct reply_reader *r, size_t n, bool whole, struct err *e)
{
	if (n > REPLY_LINE_MAX + 1)
		return err_set(e, ERR_LIMIT, "control reply: a line longer than %d bytes", REPLY_LINE_MAX);
	if (r->size + n + whole > REPLY_SIZE_MAX)
		return err_set(e, ERR_LIMIT, "control reply: more than %d bytes", REPLY_SIZE_MAX);
	return 0;
}

static int
feed(struct reply_reader *r, const char *data, size_t len, reply_cb *cb, void *arg, struct err *e)
{
	const char *lf;
	size_t n;
	int rc;

	for (; len > 0; data += n + 1, len -= n + 1) {
		lf = memchr(data, '\n', len);
		n = lf != NULL ? (size_t)(lf - data) : len;
		if (check_bounds(r, r->partial.len + n, lf != NULL, e) != 0)
			return -1;
		if (lf == NULL || r->partial.len > 0) {
			buf_add(&r->partial, data, n);
			if (!buf_ok(&r->partial))
				return err_set(e, ERR_MEMORY, "out of memory");
			if (lf == NULL)
				return 0;
			rc = take_line(r, r->partial.data, r->partial.len, cb, arg, e);
			if (r->partial.cap > KEEP_MAX)
				buf_free(&r->partial);
			else
				buf_reset(&r->partial);
		} else {
			rc = take_line(r, data, n, cb, arg, e);
		}
		if (rc != 0)
			return -1;
	}
	return 0;
}

int
reply_reader_feed(struct reply_reader *r, const char *data, size_t len, reply_cb *cb, void *arg, struct err *e)
{
	struct err own = ERR_INIT;

	if (r->failed.code == ERR_NONE && feed(r, data, len, cb, arg, &own) != 0)
		r->failed = own;
	if (r->failed.code == ERR_NONE)
		return 0;
	return err_set(e, r->failed.code, "%s", r->failed.msg);
}

int
reply_check(const struct reply *r, struct err *e)
{
	const struct reply_line *last = &r->lines[r->n_lines - 1];
	enum err_code code = ERR_REFUSED;

	if (r->code / 100 == 2)
		return 0;
	if (r->is_event)
		code = ERR_PROTO;
	else if (r->code == 514 || r->code == 515)
		code = ERR_AUTH;
	else if (r->code == 552)
		code = ERR_NOTFOUND;
	return err_set(e, code, "tor answered %d %.200s", r->code, last->text);
}

const char *
reply_text(const struct reply *r)
{
	return r->lines[0].text;
}
