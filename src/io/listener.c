/* SPDX-License-Identifier: BSD-3-Clause */
/* Listeners. A listener owns its descriptor, its event and the socket file it made. */
#include "config.h"
#include "io/stream.h"

#include "base/mem.h"
#include "io/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define BACKLOG 128
#define PAUSE_MS 1000

struct listener {
	struct loop *loop;
	struct endpoint ep;
	int fd;
	size_t max_input;
	struct event *ev;
	struct timer *resume;
	void (*on_accept)(struct stream *s, void *arg);
	void *arg;
	bool made; /* there is a socket file of ours */
	dev_t dev; /* which it is */
	ino_t ino;
};

static void
on_resume(void *arg)
{
	struct listener *ls = arg;

	loop_add(ls->ev, NULL);
}

/* One at a time: the callback may free the listener, and the event comes again while more are waiting. */
static void
on_connection(evutil_socket_t fd, short what, void *arg)
{
	struct listener *ls = arg;
	int conn = accept4((int)fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	(void)what;
	if (conn >= 0) {
		ls->on_accept(stream_accepted(ls->loop, conn, &ls->ep, ls->max_input), ls->arg);
		return;
	}
	/* The connection stays in the queue and would wake us at once, for ever. Others: it is gone, go on. */
	if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
		event_del(ls->ev);
		timer_set(ls->resume, PAUSE_MS);
	}
}

/* Makes room for a unix socket: 0 if nothing is there (any more). */
static int
remove_stale(const struct endpoint *ep, const struct sockaddr_storage *sa, socklen_t n, struct err *e)
{
	struct stat st;
	int fd, r, saved;

	if (lstat(ep->path, &st) != 0)
		return errno == ENOENT ? 0 : err_set_sys(e, "%s", ep->path);
	if (!S_ISSOCK(st.st_mode))
		return err_set(
		    e, ERR_SYS, "%s: exists and is not a socket; remove it or choose another path", ep->path);
	if ((fd = address_socket(ep)) < 0)
		return err_set_sys(e, "socket");
	r = connect(fd, (const struct sockaddr *)sa, n);
	saved = errno;
	close(fd);
	errno = saved;
	/* EAGAIN: its queue is full, so somebody has it. */
	if (r == 0 || errno == EAGAIN || errno == EINPROGRESS) {
		errno = EADDRINUSE;
		return err_set_sys(e, "%s: another process answers there", ep->path);
	}
	if (errno != ECONNREFUSED && errno != ENOENT)
		return err_set_sys(e, "%s: cannot tell if the socket is in use", ep->path);
	if (errno == ECONNREFUSED && unlink(ep->path) != 0 && errno != ENOENT)
		return err_set_sys(e, "%s: cannot remove the stale socket", ep->path);
	return 0;
}

static int
bind_and_listen(int fd, const struct endpoint *ep, mode_t mode, struct stat *st, struct err *e)
{
	struct sockaddr_storage sa;
	socklen_t n = address_from_endpoint(&sa, ep);
	char text[ENDPOINT_TEXT_MAX];
	mode_t old;
	int r, on = 1;

	endpoint_format(text, ep);
	if (ep->kind == ENDPOINT_UNIX) {
		if (remove_stale(ep, &sa, n, e) != 0)
			return -1;
		/* By umask and not by chmod after: it is never more open than it shall be. */
		old = umask(~mode & 0777);
		r = bind(fd, (struct sockaddr *)&sa, n);
		umask(old);
	} else {
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
		r = bind(fd, (struct sockaddr *)&sa, n);
	}
	if (r != 0)
		return err_set_sys(e, "bind to %s", text);
	if (listen(fd, BACKLOG) != 0 || (ep->kind == ENDPOINT_UNIX && lstat(ep->path, st) != 0)) {
		err_set_sys(e, "listen on %s", text);
		if (ep->kind == ENDPOINT_UNIX)
			unlink(ep->path);
		return -1;
	}
	return 0;
}

/* Takes over a descriptor that listens. */
static struct listener *
listener_make(struct loop *l, int fd, const struct endpoint *ep, size_t max_input, void (*on_accept)(struct stream *s, void *arg), void *arg)
{
	struct listener *ls = xcalloc(1, sizeof *ls);

	ls->loop = l;
	ls->ep = *ep;
	ls->fd = fd;
	ls->max_input = max_input;
	ls->on_accept = on_accept;
	ls->arg = arg;
	ls->resume = timer_new(l, on_resume, ls);
	ls->ev = loop_event(l, fd, EV_READ | EV_PERSIST, on_connection, ls);
	loop_add(ls->ev, NULL);
	return ls;
}

struct listener *
listener_new(struct loop *l, const struct endpoint *ep, mode_t mode, size_t max_input,
    void (*on_accept)(struct stream *s, void *arg), void *arg, struct err *e)
{
	struct listener *ls;
	struct stat st = { 0 };
	int fd = address_socket(ep);

	if (fd < 0) {
		err_set_sys(e, "socket");
		return NULL;
	}
	if (bind_and_listen(fd, ep, mode, &st, e) != 0) {
		close(fd);
		return NULL;
	}
	ls = listener_make(l, fd, ep, max_input, on_accept, arg);
	ls->made = ep->kind == ENDPOINT_UNIX;
	ls->dev = st.st_dev;
	ls->ino = st.st_ino;
	return ls;
}

struct listener *
listener_adopt(struct loop *l, int fd, size_t max_input, void (*on_accept)(struct stream *s, void *arg), void *arg, struct err *e)
{
	struct endpoint ep;
	int on = 0;
	socklen_t n = sizeof on;

	if (address_of_socket(&ep, fd) != 0) {
		err_set(e, ERR_CONFIG, "a socket that was passed to us is neither a unix socket nor on loopback");
		return NULL;
	}
	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &on, &n) != 0 || on == 0) {
		err_set(e, ERR_CONFIG, "a socket that was passed to us does not listen for streams");
		return NULL;
	}
	if (evutil_make_socket_nonblocking(fd) != 0 || (fd = fcntl(fd, F_DUPFD_CLOEXEC, 3)) < 0) {
		err_set_sys(e, "a socket that was passed to us");
		return NULL;
	}
	return listener_make(l, fd, &ep, max_input, on_accept, arg);
}

void
listener_free(struct listener *ls)
{
	struct stat st;

	if (ls == NULL)
		return;
	event_free(ls->ev);
	timer_free(ls->resume);
	/* A successor may have put its own in the place. */
	if (ls->made && lstat(ls->ep.path, &st) == 0 && st.st_dev == ls->dev &&
	    st.st_ino == ls->ino)
		unlink(ls->ep.path);
	close(ls->fd);
	free(ls);
}
