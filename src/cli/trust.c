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
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#define STORE_MAX (256 * 1024 * 1024)
#define LOCK_TRIES 200
#define LOCK_PAUSE_MS 50

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
		return 0;
	}
	if (default_folder(&folder, e) != 0)
		return -1;
	if (site_id != NULL)
		t->path = xasprintf("%s/%s.json", folder, site_id);
	else
		r = only_store(t, folder, e);
	free(folder);
	return r;
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

static int
take_lock(struct trust *t, struct err *e)
{
	const struct timespec pause = { .tv_nsec = LOCK_PAUSE_MS * 1000000L };
	char *path = xasprintf("%s.lock", t->path);
	int i, r = -1;

	t->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (t->lock < 0)
		err_set_sys(e, "%s", path);
	for (i = 0; t->lock >= 0 && i < LOCK_TRIES; i++) {
		r = flock(t->lock, LOCK_EX | LOCK_NB);
		if (r == 0 || (errno != EWOULDBLOCK && errno != EINTR))
			break;
		nanosleep(&pause, NULL);
	}
	if (t->lock >= 0 && r != 0)
		err_set_sys(e, "%s: another onionmirror holds it", path);
	free(path);
	return r;
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
		if (strncmp(de->d_name, prefix, strlen(prefix)) == 0)
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
