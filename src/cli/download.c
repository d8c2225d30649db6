/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A download in flight: owns its stream, timer, parsers and file. It ends in one place, finish(), after
 * which the stream is gone and nothing changes any more.
 */
#include "config.h"
#include "cli/download.h"

#include "base/buf.h"
#include "base/mem.h"
#include "io/stream.h"
#include "proto/http.h"
#include "proto/socks.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define INPUT_MAX 32768
#define MESSAGE_MAX 8192

struct download {
	const struct place *place; /* borrowed */
	struct stream *stream;     /* NULL once done */
	struct timer *timer;
	struct socks socks;
	struct http_reader *http;
	int64_t timeout_ms;
	int fd;
	bool connected, asked, answered, done;
	enum download_reason reason;
	char detail[200];
};

static const char *const reason_names[] = {
	[DOWNLOAD_OK] = "ok",
	[DOWNLOAD_NO_PROXY] = "no-proxy",
	[DOWNLOAD_UNREACHABLE] = "unreachable",
	[DOWNLOAD_TIMEOUT] = "timeout",
	[DOWNLOAD_NOT_HTTP] = "not-http",
	[DOWNLOAD_TRUNCATED] = "truncated",
	[DOWNLOAD_REDIRECT] = "redirect",
	[DOWNLOAD_STATUS] = "http-status",
	[DOWNLOAD_CONTENT_TYPE] = "content-type",
	[DOWNLOAD_TOO_LARGE] = "too-large",
	[DOWNLOAD_DISK] = "disk",
};

const char *
download_reason_name(enum download_reason r)
{
	return reason_names[r];
}

/* The only end. */
static void __attribute__((format(printf, 3, 4)))
finish(struct download *d, enum download_reason reason, const char *fmt, ...)
{
	va_list ap;
	char *p;

	d->done = true;
	d->reason = reason;
	va_start(ap, fmt);
	vsnprintf(d->detail, sizeof d->detail, fmt, ap);
	va_end(ap);
	for (p = d->detail; *p != '\0'; p++)
		if (*p < ' ' || *p > '~')
			*p = '?';
	timer_cancel(d->timer);
	stream_free(d->stream);
	d->stream = NULL;
}

static void
on_deadline(void *arg)
{
	struct download *d = arg;
	const char *what;

	if (!d->connected || d->socks.state < SOCKS_WANT_REPLY) {
		finish(d, DOWNLOAD_NO_PROXY, "the SOCKS port does not answer; is it tor's?");
		return;
	}
	what = d->answered ? "the answer did not end"
	       : d->asked  ? "connected, but no answer"
			   : "no circuit to the onion";
	finish(d, DOWNLOAD_TIMEOUT, "%s in %lld s", what, (long long)(d->timeout_ms / 1000));
}

/*
 * The message whose answer is waited for; one at a time, as tor wants it.
 */
static void
send_hello(struct download *d)
{
	struct buf b = BUF_INIT(MESSAGE_MAX);
	char user[SOCKS_NAME_LEN + 1], password[SOCKS_NAME_LEN + 1];
	struct err e = ERR_INIT;

	if (d->socks.state == SOCKS_WANT_METHOD) {
		socks_write_greeting(&b, &e);
	} else if (d->socks.state == SOCKS_WANT_AUTH) {
		socks_own_name(user, password);
		socks_write_auth(&b, user, password, &e);
	} else {
		socks_write_connect(&b, d->place->address, d->place->port, &e);
	}
	stream_write(d->stream, buf_str(&b), b.len);
	buf_free(&b);
	if (e.code != ERR_NONE)
		finish(d, DOWNLOAD_UNREACHABLE, "%s", e.msg);
}

static void
send_request(struct download *d)
{
	struct buf b = BUF_INIT(MESSAGE_MAX);
	struct err e = ERR_INIT;

	d->asked = true;
	if (http_request_write(&b, "GET", d->place->host, d->place->path, &e) != 0)
		finish(d, DOWNLOAD_STATUS, "%s", e.msg);
	else
		stream_write(d->stream, b.data, b.len);
	buf_free(&b);
}

static void
feed_socks(struct download *d, const char *data, size_t len)
{
	enum socks_state was = d->socks.state;
	struct err e = ERR_INIT;
	size_t used = 0;

	if (socks_feed(&d->socks, (const uint8_t *)data, len, &used, &e) != 0) {
		finish(d, DOWNLOAD_NO_PROXY, "the SOCKS port: %s", e.msg);
		return;
	}
	stream_consume(d->stream, used);
	if (d->socks.state != SOCKS_DONE) {
		if (d->socks.state != was)
			send_hello(d);
	} else if (d->socks.code == 0 || d->socks.code == 0xf0) {
		/* F0 comes on connections that work, too (socks.h). */
		send_request(d);
	} else {
		finish(d, DOWNLOAD_UNREACHABLE, "tor: %s", socks_code_text(d->socks.code));
	}
}

/* What the head says is looked at before the body is waited for. */
static bool
is_head_fine(struct download *d)
{
	int status = http_reader_status(d->http);
	const char *type;

	if (status == 0)
		return true;
	if (status >= 300 && status < 400) {
		finish(d, DOWNLOAD_REDIRECT, "status %d: redirects are not followed", status);
		return false;
	}
	if (status != 200) {
		finish(d, DOWNLOAD_STATUS, "status %d", status);
		return false;
	}
	type = http_reader_header(d->http, "Content-Type");
	if (type != NULL && strncasecmp(type, "application/json", 16) == 0 && strchr("; \t", type[16]) != NULL)
		return true;
	finish(d, DOWNLOAD_CONTENT_TYPE, "%.80s instead of application/json", type != NULL ? type : "nothing");
	return false;
}

static void
http_failed(struct download *d, const struct err *e)
{
	switch ((int)e->code) {
	case ERR_LIMIT: finish(d, DOWNLOAD_TOO_LARGE, "%s", e->msg); break;
	case ERR_CLOSED: finish(d, DOWNLOAD_TRUNCATED, "the answer was cut short"); break;
	case ERR_SYS: finish(d, DOWNLOAD_DISK, "%s", e->msg); break;
	default: finish(d, DOWNLOAD_NOT_HTTP, "%s", e->msg);
	}
}

static void
feed_http(struct download *d, const char *data, size_t len)
{
	struct err e = ERR_INIT;
	size_t used = 0;
	int r;

	d->answered = true;
	r = http_reader_feed(d->http, data, len, &used, &e);
	if (!is_head_fine(d))
		return;
	if (r != 0) {
		http_failed(d, &e);
		return;
	}
	stream_consume(d->stream, used);
	if (http_reader_done(d->http))
		finish(d, DOWNLOAD_OK, "%s", "");
}

static void
on_data(struct download *d)
{
	const char *data;
	size_t len;

	if (!d->asked) {
		data = stream_peek(d->stream, &len);
		feed_socks(d, data, len);
	}
	if (d->asked && !d->done) {
		data = stream_peek(d->stream, &len);
		if (len > 0)
			feed_http(d, data, len);
	}
}

static void
on_closed(struct download *d)
{
	struct err e = ERR_INIT;

	if (!d->connected) {
		finish(d, DOWNLOAD_NO_PROXY, "the SOCKS port: %s", stream_error(d->stream)->msg);
		return;
	}
	if (!d->asked) {
		socks_eof(&d->socks, &e);
		if (d->socks.code > 0)
			finish(d, DOWNLOAD_UNREACHABLE, "tor: %s", socks_code_text(d->socks.code));
		else
			finish(d, DOWNLOAD_NO_PROXY, "the SOCKS port closed without an answer; is it tor's?");
		return;
	}
	if (!d->answered)
		finish(d, DOWNLOAD_UNREACHABLE, "connected, then closed without an answer");
	else if (http_reader_eof(d->http, &e) != 0)
		http_failed(d, &e);
	else if (is_head_fine(d))
		finish(d, DOWNLOAD_OK, "%s", "");
}

static void
on_stream(struct stream *s, enum stream_event ev, void *arg)
{
	struct download *d = arg;

	(void)s;
	switch (ev) {
	case STREAM_CONNECTED:
		d->connected = true;
		send_hello(d);
		break;
	case STREAM_DATA: on_data(d); break;
	case STREAM_DRAINED: break;
	case STREAM_CLOSED: on_closed(d); break;
	}
}

/* Body bytes to the file; of an answer that is refused for its head they are not looked at. */
static int
to_file(void *arg, const char *p, size_t n, struct err *e)
{
	const struct download *d = arg;
	ssize_t w;

	while (n > 0) {
		w = write(d->fd, p, n);
		if (w < 0 && errno != EINTR)
			return err_set_sys(e, "can't keep what comes");
		if (w > 0) {
			p += w;
			n -= (size_t)w;
		}
	}
	return 0;
}

/* A file that nobody else sees and that is gone with us. */
static int
open_nameless(const char *folder)
{
	int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	char *path;

	if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR))
		return fd;
	path = xasprintf("%s/fetch.tmp-XXXXXX", folder);
	fd = mkostemp(path, O_CLOEXEC);
	if (fd >= 0)
		unlink(path);
	free(path);
	return fd;
}

struct download *
download_start(
    struct loop *l, const struct endpoint *socks, const struct place *place, const char *folder, int64_t timeout_ms)
{
	struct download *d = xcalloc(1, sizeof *d);

	d->place = place;
	d->timeout_ms = timeout_ms;
	d->timer = timer_new(l, on_deadline, d);
	d->http = http_reader_new();
	d->fd = open_nameless(folder);
	if (d->fd < 0 || d->http == NULL) {
		finish(d, DOWNLOAD_DISK, "no file in %s: %s", folder, strerror(errno));
		return d;
	}
	socks_init(&d->socks);
	http_reader_set_sink(d->http, to_file, d, DOWNLOAD_MAX);
	d->stream = stream_connect(l, socks, INPUT_MAX, on_stream, d);
	timer_set(d->timer, timeout_ms);
	return d;
}

bool
download_is_done(const struct download *d)
{
	return d->done;
}

enum download_reason
download_reason(const struct download *d)
{
	return d->reason;
}

const char *
download_detail(const struct download *d)
{
	return d->detail;
}

int
download_descriptor(const struct download *d)
{
	return d->fd;
}

void
download_free(struct download *d)
{
	if (d == NULL)
		return;
	stream_free(d->stream);
	timer_free(d->timer);
	http_reader_free(d->http);
	if (d->fd >= 0)
		close(d->fd);
	free(d);
}
