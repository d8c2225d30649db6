/* SPDX-License-Identifier: BSD-3-Clause */
/* Listeners on unix sockets and loopback. Owns the listening descriptor and the socket file it made. */
#include "config.h"
#include "base/mem.h"
#include "io/loop_impl.h"

#include <errno.h>
#include <event2/listener.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAUSE_MS 1000
#define BACKLOG 64

struct listener {
	struct loop *loop;
	struct evconnlistener *ev; /* owned, with its descriptor */
	struct timer *pause;       /* owned */
	struct endpoint ep;
	dev_t dev;
	ino_t ino; /* of our socket file */
	size_t max_input;
	void (*on_accept)(struct stream *s, void *arg);
	void *arg;
};

static void
on_connection(struct evconnlistener *ev, evutil_socket_t fd, struct sockaddr *sa, int len, void *arg)
{
	struct listener *ls = arg;
	struct stream *s = stream_adopt(ls->loop, fd, ls->ep.kind == ENDPOINT_UNIX, ls->max_input);

	(void)ev;
	(void)sa;
	(void)len;
	stream_begin(s);
	ls->on_accept(s, ls->arg);
}

static void
on_pause_over(void *arg)
{
	struct listener *ls = arg;

	evconnlistener_enable(ls->ev);
}

/* Out of descriptors: a level-triggered listener would spin, so look away for a second. */
static void
on_accept_error(struct evconnlistener *ev, void *arg)
{
	struct listener *ls = arg;

	evconnlistener_disable(ev);
	timer_set(ls->pause, PAUSE_MS);
}

/* Removes a socket file that nobody answers on; refuses everything else. */
static int
clear_stale(const struct endpoint *ep, struct err *e)
{
	struct sockaddr_storage ss;
	socklen_t n = endpoint_sockaddr(ep, &ss);
	struct stat st;
	int fd, r, sys;

	if (lstat(ep->path, &st) != 0)
		return errno == ENOENT ? 0 : err_set_sys(e, "%s", ep->path);
	if (!S_ISSOCK(st.st_mode))
		return err_set(e, ERR_SYS, "%s exists and is not a socket; remove it or name another path", ep->path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_set_sys(e, "socket");
	r = connect(fd, (struct sockaddr *)&ss, n);
	sys = errno;
	close(fd);
	if (r == 0 || sys != ECONNREFUSED)
		return err_set(e, ERR_SYS, "%s is in use by another process", ep->path);
	return unlink(ep->path) == 0 ? 0 : err_set_sys(e, "%s", ep->path);
}

static int
open_socket(struct listener *ls, mode_t mode, struct err *e)
{
	struct sockaddr_storage ss;
	socklen_t n = endpoint_sockaddr(&ls->ep, &ss);
	char where[ENDPOINT_TEXT_MAX];
	int fd, one = 1, bound;
	struct stat st;
	mode_t was;

	endpoint_format(where, &ls->ep);
	if (ls->ep.kind == ENDPOINT_UNIX && clear_stale(&ls->ep, e) != 0)
		return -1;
	fd = socket(ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return err_set_sys(e, "%s", where);
	if (ls->ep.kind != ENDPOINT_UNIX)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	/* The mode must hold from the first moment, so it is set by the umask, not afterwards. */
	was = umask(0777 & ~mode);
	bound = bind(fd, (struct sockaddr *)&ss, n);
	umask(was);
	if (bound != 0 || listen(fd, BACKLOG) != 0) {
		err_set_sys(e, "%s: cannot listen", where);
		close(fd);
		return -1;
	}
	if (ls->ep.kind == ENDPOINT_UNIX && lstat(ls->ep.path, &st) == 0) {
		ls->dev = st.st_dev;
		ls->ino = st.st_ino;
	}
	return fd;
}

struct listener *
listener_new(struct loop *l, const struct endpoint *ep, mode_t mode, size_t max_input,
    void (*on_accept)(struct stream *s, void *arg), void *arg, struct err *e)
{
	struct listener *ls = xcalloc(1, sizeof *ls);
	int fd;

	ls->loop = l;
	ls->ep = *ep;
	ls->max_input = max_input;
	ls->on_accept = on_accept;
	ls->arg = arg;
	if ((fd = open_socket(ls, mode, e)) < 0) {
		free(ls);
		return NULL;
	}
	ls->pause = timer_new(l, on_pause_over, ls);
	ls->ev = evconnlistener_new(l->base, on_connection, ls, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
	if (ls->ev == NULL)
		abort();
	evconnlistener_set_error_cb(ls->ev, on_accept_error);
	return ls;
}

void
listener_free(struct listener *ls)
{
	struct stat st;

	if (ls == NULL)
		return;
	evconnlistener_free(ls->ev);
	timer_free(ls->pause);
	/* Only the file we made: another process may have put its own there meanwhile. */
	if (ls->ep.kind == ENDPOINT_UNIX && lstat(ls->ep.path, &st) == 0 && st.st_dev == ls->dev && st.st_ino == ls->ino)
		unlink(ls->ep.path);
	free(ls);
}
