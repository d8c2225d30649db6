/* SPDX-License-Identifier: BSD-3-Clause */
/* The trust store: one file a site, found, locked, loaded, replaced. */
#include "config.h"
#include "cli/trust.h"

#include "base/file.h"
#include "base/mem.h"
#include "cli/cli.h"
#include "proto/doc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#define STORE_MAX (256 * 1024 * 1024)
#define LOCK_S 10 /* others hold it for the moment in which they judge and save */
#define TMP_DIGITS 16 /* of the random names of file_write() */

static int
default_folder(char **out, struct err *e)
{
	const char *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");

	/* Relative paths are to be ignored (XDG base directory specification). */
	if (data != NULL && data[0] == '/')
		*out = xasprintf("%s/onionmirror", data);
	else if (home != NULL && home[0] == '/')
		*out = xasprintf("%s/.local/share/onionmirror", home);
	else
		return err_set(e, ERR_CONFIG, "neither XDG_DATA_HOME nor HOME is set; name the file with --store");
	return 0;
}

/* "SITE-ID.json" */
static bool
is_store_name(const char *name)
{
	char id[DOC_SITE_TEXT_LEN + 1];
	uint8_t site[DOC_HASH_LEN];

	if (strlen(name) != DOC_SITE_TEXT_LEN + 5 || strcmp(name + DOC_SITE_TEXT_LEN, ".json") != 0)
		return false;
	memcpy(id, name, DOC_SITE_TEXT_LEN);
	id[DOC_SITE_TEXT_LEN] = '\0';
	return doc_site_parse(site, id) == 0;
}

/* The only store in a folder. */
static int
only_store(struct trust *t, const char *folder, struct err *e)
{
	DIR *d = opendir(folder);
	struct dirent *de;
	int n = 0;

	while (d != NULL && (de = readdir(d)) != NULL) {
		if (!is_store_name(de->d_name))
			continue;
		free(t->path);
		t->path = xasprintf("%s/%s", folder, de->d_name);
		n++;
	}
	if (d != NULL)
		closedir(d);
	if (n == 1)
		return 0;
	if (n > 1)
		return err_set(e, ERR_REFUSED, "%d sites are known in %s; say which with --site", n, folder);
	return err_set(e, ERR_NOTFOUND, "no site is known yet; begin with: onionmirror fetch --site ID ONION");
}

/* By a link and by its target two would take two locks, and a save would replace the link: only the file itself will do. */
static int
refuse_link(const char *path, struct err *e)
{
	struct stat st;

	if (lstat(path, &st) != 0 || !S_ISLNK(st.st_mode))
		return 0;
	return err_set(e, ERR_REFUSED, "%s: is a symbolic link; name the file itself with --store", path);
}

int
trust_locate(struct trust *t, const char *site_id, const char *store, struct err *e)
{
	uint8_t site[DOC_HASH_LEN];
	char *folder;
	int r = 0;

	if (site_id != NULL && doc_site_parse(site, site_id) != 0)
		return err_set(e, ERR_PARSE, "not a site id: it is om1 and 52 characters");
	if (store != NULL) {
		t->path = xstrdup(store);
		return refuse_link(t->path, e);
	}
	if (default_folder(&folder, e) != 0)
		return -1;
	if (site_id != NULL)
		t->path = xasprintf("%s/%s.json", folder, site_id);
	else
		r = only_store(t, folder, e);
	free(folder);
	return r == 0 ? refuse_link(t->path, e) : r;
}

char *
trust_folder(const struct trust *t, struct err *e)
{
	const char *slash = strrchr(t->path, '/');
	char *folder =
	    slash == NULL ? xstrdup(".") : xasprintf("%.*s", slash == t->path ? 1 : (int)(slash - t->path), t->path);

	if (file_mkdirs(folder, 0700, e) == 0)
		return folder;
	free(folder);
	return NULL;
}

static int
load(struct trust *t, const char *site_id, struct err *e)
{
	size_t n;

	if (file_read(t->path, STORE_MAX, FILE_SECRET, &t->was, &n, e) != 0)
		return -1;
	if (om_site_load(&t->site, site_id, t->was, n, &t->fault) == 0)
		return 0;
	if (t->fault.reason == OM_WRONG_SITE)
		return err_set(e, ERR_STATE, "%s: wrong-site: it is another site's; name another file", t->path);
	return err_set(e, ERR_STATE,
	    "%s: damaged (%s: %s); move it away and fetch again: until then rollbacks can't be noticed", t->path,
	    om_reason_name(t->fault.reason), t->fault.detail);
}

static bool
is_there(const char *path)
{
	return access(path, F_OK) == 0 || errno != ENOENT;
}

int
trust_read(struct trust *t, const char *site_id, struct err *e)
{
	if (!is_there(t->path))
		return err_set(e, ERR_NOTFOUND, "%s: no list of this site has been fetched yet", t->path);
	return load(t, site_id, e);
}

static volatile sig_atomic_t is_over;

static void
note_alarm(int number)
{
	(void)number;
	is_over = 1;
}

/* Sleeps until the lock is ours; EINTR: it was not in time. The alarm comes again, lest the first one comes just before the sleep. */
static int
wait_lock(int fd)
{
	const struct itimerval limit = { .it_interval.tv_sec = 1, .it_value.tv_sec = LOCK_S }, none = { 0 };
	struct sigaction act = { .sa_handler = note_alarm }, was;
	int r, why;

	is_over = 0;
	sigaction(SIGALRM, &act, &was);
	setitimer(ITIMER_REAL, &limit, NULL);
	do
		r = flock(fd, LOCK_EX);
	while (r != 0 && errno == EINTR && !is_over);
	why = errno;
	setitimer(ITIMER_REAL, &none, NULL);
	sigaction(SIGALRM, &was, NULL);
	errno = why;
	return r;
}

static int
take_lock(struct trust *t, struct err *e)
{
	char *path = xasprintf("%s.lock", t->path);
	int r = -1;

	t->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (t->lock >= 0 && (r = wait_lock(t->lock)) != 0 && errno == EINTR)
		err_set(e, ERR_REFUSED, "%s: another onionmirror holds it since %d s; is one stopped?", path, LOCK_S);
	else if (r != 0)
		err_set_sys(e, "%s", path);
	free(path);
	return r;
}

/* A name that file_write() made beside the store, and nobody else's. */
static bool
is_leftover(const char *name, const char *prefix)
{
	size_t n = strlen(prefix);

	return strncmp(name, prefix, n) == 0 && strlen(name + n) == TMP_DIGITS &&
	       strspn(name + n, "0123456789abcdef") == TMP_DIGITS;
}

/* What a crash left half written. Nobody else writes while we hold the lock. */
static void
tidy(const struct trust *t, const char *folder)
{
	const char *slash = strrchr(t->path, '/');
	char *prefix = xasprintf("%s.tmp-", slash != NULL ? slash + 1 : t->path);
	DIR *d = opendir(folder);
	struct dirent *de;

	while (d != NULL && (de = readdir(d)) != NULL)
		if (is_leftover(de->d_name, prefix))
			unlinkat(dirfd(d), de->d_name, 0);
	if (d != NULL)
		closedir(d);
	free(prefix);
}

int
trust_open(struct trust *t, const char *site_id, struct err *e)
{
	char *folder;
	int r = -1;

	if (t->path == NULL)
		goto begin;
	folder = trust_folder(t, e);
	if (folder == NULL)
		return -1;
	if (take_lock(t, e) == 0) {
		tidy(t, folder);
		r = 0;
	}
	free(folder);
	if (r != 0)
		return -1;
	if (is_there(t->path))
		return load(t, site_id, e);
begin:
	if (om_site_open(&t->site, site_id, &t->fault) == 0)
		return 0;
	return err_set(e, ERR_STATE, "%s", t->fault.detail);
}

int
trust_save(struct trust *t, struct err *e)
{
	om_error fault;
	char *text;
	size_t n;
	int r = 0;

	/* Nothing is remembered before a root passed. */
	if (t->path == NULL || (t->was == NULL && om_site_root_version(t->site) == 0))
		return 0;
	if (om_site_save(t->site, &text, &n, &fault) != 0)
		return err_set(e, ERR_MEMORY, "%s: %s", t->path, fault.detail);
	if (n > STORE_MAX)
		r = err_set(e, ERR_LIMIT, "%s: it would grow above %d bytes", t->path, STORE_MAX);
	else if (t->was == NULL || strcmp(t->was, text) != 0)
		r = file_write(t->path, text, n, 0600, e);
	free(text);
	return r;
}

void
trust_close(struct trust *t)
{
	om_site_close(t->site);
	if (t->lock >= 0)
		close(t->lock);
	free(t->path);
	free(t->was);
	*t = (struct trust)TRUST_INIT;
}

int
trust_exit(const struct trust *t)
{
	return t->fault.reason == OM_WRONG_SITE ? CLI_UNVERIFIED : CLI_FAILED;
}
