/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Reader of one HTTP/1.1 response (RFC 9112). A machine over lines and counted
 * bytes; owns the unfinished line, the head as "name\0value\0..." and the body.
 */
#include "config.h"
#include "proto/http.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum state {
	WANT_STATUS,
	WANT_FIELD,
	WANT_COUNTED,    /* body of known length: `left` bytes to come */
	WANT_UNTIL_EOF,
	WANT_CHUNK_SIZE,
	WANT_CHUNK,      /* `left` bytes to come */
	WANT_CHUNK_END,  /* CR LF behind a chunk */
	WANT_TRAILER,
	DONE,
};

struct http_reader {
	enum state state;
	int status;          /* of the final response, once its head is complete */
	int pending;         /* status of the head being read */
	unsigned interim, n_lines;
	bool is_head, http10;
	bool too_large;      /* the body, and nothing else, is more than is taken */
	size_t head_size;    /* bytes of this head in whole lines */
	size_t left, body_len, body_cap;
	http_sink *sink;     /* NULL: the body is kept */
	void *sink_arg;      /* borrowed */
	struct buf line, fields, body;
	size_t n_fields;
	struct err failed;
};

struct http_reader *
http_reader_new(void)
{
	struct http_reader *r = calloc(1, sizeof *r);

	if (r == NULL)
		return NULL;
	r->line.max = HTTP_HEAD_MAX;
	r->fields.max = HTTP_HEAD_MAX * 2;
	r->body.max = r->body_cap = HTTP_BODY_MAX;
	return r;
}

void
http_reader_free(struct http_reader *r)
{
	if (r == NULL)
		return;
	buf_free(&r->line);
	buf_free(&r->fields);
	buf_free(&r->body);
	free(r);
}

void
http_reader_set_body_cap(struct http_reader *r, size_t cap)
{
	r->body_cap = cap < HTTP_BODY_MAX ? cap : HTTP_BODY_MAX;
}

void
http_reader_set_sink(struct http_reader *r, http_sink *sink, void *arg, size_t cap)
{
	r->sink = sink;
	r->sink_arg = arg;
	r->body_cap = cap;
}

void
http_reader_set_head_request(struct http_reader *r)
{
	r->is_head = true;
}

bool
http_reader_done(const struct http_reader *r)
{
	return r->state == DONE;
}

int
http_reader_status(const struct http_reader *r)
{
	return r->status;
}

bool
http_reader_too_large(const struct http_reader *r)
{
	return r->too_large;
}

const char *
http_reader_body(const struct http_reader *r, size_t *len)
{
	*len = r->body.len;
	return buf_str(&r->body);
}

/* The only field of that name; *n says how many there are. */
static const char *
find_field(const struct http_reader *r, const char *name, size_t *n)
{
	const char *p = r->fields.data, *value, *found = NULL;
	size_t i;

	*n = 0;
	for (i = 0; i < r->n_fields; i++) {
		value = p + strlen(p) + 1;
		if (strcasecmp(p, name) == 0) {
			++*n;
			found = value;
		}
		p = value + strlen(value) + 1;
	}
	return *n == 1 ? found : NULL;
}

const char *
http_reader_header(const struct http_reader *r, const char *name)
{
	size_t n;

	return r->status != 0 ? find_field(r, name, &n) : NULL;
}

/* --- the head ----------------------------------------------------------------- */

static int
body_too_large(struct http_reader *r, struct err *e)
{
	r->too_large = true;
	return err_set(e, ERR_LIMIT, "HTTP: a body longer than %zu bytes", r->body_cap);
}

static int
take_status(struct http_reader *r, const char *s, size_t n, struct err *e)
{
	if (n < 12 || memcmp(s, "HTTP/", 5) != 0 || s[6] != '.' || s[8] != ' ' || (n > 12 && s[12] != ' '))
		return err_set(e, ERR_PARSE, "HTTP: this is no status line");
	if (s[5] != '1' || (s[7] != '0' && s[7] != '1'))
		return err_set(e, ERR_PROTO, "HTTP: version %.3s", s + 5);
	if (s[9] < '1' || s[9] > '5' || s[10] < '0' || s[10] > '9' || s[11] < '0' || s[11] > '9')
		return err_set(e, ERR_PARSE, "HTTP: this is no status");
	r->http10 = s[7] == '0';
	r->pending = (s[9] - '0') * 100 + (s[10] - '0') * 10 + (s[11] - '0');
	r->state = WANT_FIELD;
	if (r->pending == 101)
		return err_set(e, ERR_PROTO, "HTTP: the server switches protocols");
	if (r->pending < 200 && ++r->interim > HTTP_INTERIM_MAX)
		return err_set(e, ERR_LIMIT, "HTTP: more than %d interim responses", HTTP_INTERIM_MAX);
	return 0;
}

static bool
is_token_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	    (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

/* "name: value"; `keep` is false for trailers, which are only checked. */
static int
take_field(struct http_reader *r, const char *s, size_t n, bool keep, struct err *e)
{
	const char *end = s + n, *value;
	size_t name;

	if (++r->n_lines > HTTP_LINES_MAX)
		return err_set(e, ERR_LIMIT, "HTTP: more than %d header lines", HTTP_LINES_MAX);
	/* A space in front is a folded line, one before the colon two readers' dispute: both end here (RFC 9112 5). */
	for (name = 0; name < n && is_token_char(s[name]); name++)
		;
	if (name == 0 || name == n || s[name] != ':')
		return err_set(e, ERR_PARSE, "HTTP: this is no header line");
	for (value = s + name + 1; value < end && (*value == ' ' || *value == '\t'); value++)
		;
	while (end > value && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	if (!keep)
		return 0;
	buf_add(&r->fields, s, name);
	buf_add(&r->fields, "", 1);
	buf_add(&r->fields, value, (size_t)(end - value));
	buf_add(&r->fields, "", 1);
	r->n_fields++;
	return buf_ok(&r->fields) ? 0 : err_set(e, ERR_MEMORY, "out of memory");
}

/* Decimal digits only; a number that does not fit is as good as one above the cap. */
static int
parse_length(const char *s, size_t *out, struct err *e)
{
	size_t v = 0;

	if (*s == '\0' || strspn(s, "0123456789") != strlen(s))
		return err_set(e, ERR_PARSE, "HTTP: Content-Length is not a number");
	for (; *s != '\0'; s++)
		if (__builtin_mul_overflow(v, (size_t)10, &v) || __builtin_add_overflow(v, (size_t)(*s - '0'), &v))
			return err_set(e, ERR_LIMIT, "HTTP: Content-Length is out of range");
	*out = v;
	return 0;
}

static int
no_body(struct http_reader *r, size_t length, size_t n_coding, struct err *e)
{
	if (r->pending == 204 && (length > 0 || n_coding > 0))
		return err_set(e, ERR_PROTO, "HTTP: 204 with a body");
	r->state = DONE;
	return 0;
}

/* RFC 9112 6.3: which body follows. */
static int
choose_body(struct http_reader *r, struct err *e)
{
	size_t n_length, n_coding, n_encoding, length = 0;
	const char *text = find_field(r, "Content-Length", &n_length);
	const char *coding = find_field(r, "Transfer-Encoding", &n_coding);
	const char *encoding = find_field(r, "Content-Encoding", &n_encoding);

	if (n_length > 1 || (n_length > 0 && n_coding > 0))
		return err_set(e, ERR_PARSE, "HTTP: two lengths for one body");
	if (n_length == 1 && parse_length(text, &length, e) != 0)
		return -1;
	if (n_coding > 0 && (coding == NULL || strcasecmp(coding, "chunked") != 0 || r->http10))
		return err_set(e, ERR_PROTO, "HTTP: a transfer coding other than chunked");
	if (n_encoding > 0 && (encoding == NULL || strcasecmp(encoding, "identity") != 0))
		return err_set(e, ERR_PROTO, "HTTP: a content encoding that was not asked for");
	if (r->is_head || r->pending == 204 || r->pending == 304)
		return no_body(r, length, n_coding, e);
	if (n_coding > 0) {
		r->state = WANT_CHUNK_SIZE;
	} else if (n_length > 0) {
		if (length > r->body_cap)
			return body_too_large(r, e);
		r->left = length;
		r->state = length > 0 ? WANT_COUNTED : DONE;
	} else {
		r->state = WANT_UNTIL_EOF;
	}
	return 0;
}

static int
end_head(struct http_reader *r, struct err *e)
{
	r->head_size = 0;
	if (r->pending < 200) {
		buf_reset(&r->fields);
		r->n_fields = 0;
		r->n_lines = 0;
		r->state = WANT_STATUS;
		return 0;
	}
	r->status = r->pending;
	return choose_body(r, e);
}

/* --- the body ----------------------------------------------------------------- */

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int
take_chunk_size(struct http_reader *r, const char *s, size_t n, struct err *e)
{
	size_t i, size = 0;

	for (i = 0; i < n && hex_digit(s[i]) >= 0; i++) {
		/* A multiple of 16 has room for the digit. */
		if (__builtin_mul_overflow(size, (size_t)16, &size) ||
		    (size += (size_t)hex_digit(s[i])) > r->body_cap - r->body_len)
			return body_too_large(r, e);
	}
	if (i == 0)
		return err_set(e, ERR_PARSE, "HTTP: a chunk without size");
	/* Extensions mean nothing to us, but only a proper one may stand here (RFC 9112 7.1.1). */
	while (i + 1 < n && (s[i] == ' ' || s[i] == '\t'))
		i++;
	if (i < n && s[i] != ';')
		return err_set(e, ERR_PARSE, "HTTP: a bad chunk size");
	r->left = size;
	r->state = size > 0 ? WANT_CHUNK : WANT_TRAILER;
	return 0;
}

static int
keep_body(struct http_reader *r, const char *data, size_t n, struct err *e)
{
	r->body_len += n;
	if (r->sink != NULL)
		return r->sink(r->sink_arg, data, n, e);
	buf_add(&r->body, data, n);
	return buf_ok(&r->body) ? 0 : err_set(e, ERR_MEMORY, "out of memory");
}

static size_t
take_bytes(struct http_reader *r, const char *data, size_t len, struct err *e)
{
	size_t n = r->state == WANT_UNTIL_EOF || len < r->left ? len : r->left;
	bool too_long = r->state == WANT_UNTIL_EOF && n > r->body_cap - r->body_len;

	if (keep_body(r, data, too_long ? r->body_cap - r->body_len : n, e) != 0)
		return 0;
	if (too_long) {
		body_too_large(r, e);
		return 0;
	}
	if (r->state == WANT_UNTIL_EOF)
		return n;
	r->left -= n;
	if (r->left == 0)
		r->state = r->state == WANT_CHUNK ? WANT_CHUNK_END : DONE;
	return n;
}

/* --- lines --------------------------------------------------------------------- */

static int
dispatch_line(struct http_reader *r, const char *s, size_t n, struct err *e)
{
	switch (r->state) {
	case WANT_STATUS: return take_status(r, s, n, e);
	case WANT_FIELD: return n > 0 ? take_field(r, s, n, true, e) : end_head(r, e);
	case WANT_CHUNK_SIZE: return take_chunk_size(r, s, n, e);
	case WANT_CHUNK_END:
		r->state = WANT_CHUNK_SIZE;
		return n == 0 ? 0 : err_set(e, ERR_PARSE, "HTTP: a chunk longer than its size");
	case WANT_TRAILER:
		if (n > 0)
			return take_field(r, s, n, false, e);
		r->state = DONE;
		return 0;
	case WANT_COUNTED:
	case WANT_UNTIL_EOF:
	case WANT_CHUNK:
	case DONE: break;
	}
	return err_set(e, ERR_PARSE, "HTTP: no line is wanted here");
}

/* s[n] is a line whose LF was at s[n]. */
static int
take_line(struct http_reader *r, const char *s, size_t n, struct err *e)
{
	size_t i;

	if (n == 0 || s[--n] != '\r')
		return err_set(e, ERR_PARSE, "HTTP: a line that does not end with CR LF");
	for (i = 0; i < n; i++)
		if (((unsigned char)s[i] < ' ' && s[i] != '\t') || s[i] == 0x7f)
			return err_set(e, ERR_PARSE, "HTTP: a control character in a line");
	return dispatch_line(r, s, n, e);
}

/* n: bytes of the line so far with its LF. The same for whole and unfinished lines, so pieces don't matter. */
static int
check_line_bounds(const struct http_reader *r, size_t n, struct err *e)
{
	if (r->state == WANT_CHUNK_SIZE || r->state == WANT_CHUNK_END)
		return n <= HTTP_CHUNK_LINE_MAX ? 0 : err_set(e, ERR_LIMIT, "HTTP: a chunk line too long");
	if (r->head_size + n > HTTP_HEAD_MAX)
		return err_set(e, ERR_LIMIT, "HTTP: a head longer than %d bytes", HTTP_HEAD_MAX);
	return 0;
}

/* Takes one line or the beginning of one; the number of bytes, 0 on failure. */
static size_t
take_text(struct http_reader *r, const char *data, size_t len, struct err *e)
{
	const char *lf = memchr(data, '\n', len);
	size_t n = lf != NULL ? (size_t)(lf - data) + 1 : len, line = r->line.len + n;
	int rc;

	if (check_line_bounds(r, line, e) != 0)
		return 0;
	buf_add(&r->line, data, n);
	if (!buf_ok(&r->line)) {
		err_set(e, ERR_MEMORY, "out of memory");
		return 0;
	}
	if (lf == NULL)
		return n;
	if (r->state != WANT_CHUNK_SIZE && r->state != WANT_CHUNK_END)
		r->head_size += line;
	rc = take_line(r, r->line.data, r->line.len - 1, e);
	buf_reset(&r->line);
	return rc == 0 ? n : 0;
}

int
http_reader_feed(struct http_reader *r, const char *data, size_t len, size_t *consumed, struct err *e)
{
	size_t n, taken = 0;

	while (r->failed.code == ERR_NONE && taken < len && r->state != DONE) {
		if (r->state == WANT_COUNTED || r->state == WANT_UNTIL_EOF || r->state == WANT_CHUNK)
			n = take_bytes(r, data + taken, len - taken, &r->failed);
		else
			n = take_text(r, data + taken, len - taken, &r->failed);
		taken += n;
	}
	if (r->failed.code != ERR_NONE)
		return err_set(e, r->failed.code, "%s", r->failed.msg);
	*consumed = taken;
	return 0;
}

int
http_reader_eof(struct http_reader *r, struct err *e)
{
	if (r->failed.code != ERR_NONE)
		return err_set(e, r->failed.code, "%s", r->failed.msg);
	if (r->state == WANT_UNTIL_EOF)
		r->state = DONE;
	if (r->state == DONE)
		return 0;
	err_set(&r->failed, ERR_CLOSED, "HTTP: the connection ended within the response");
	return err_set(e, r->failed.code, "%s", r->failed.msg);
}
