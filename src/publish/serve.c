/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the list service hands out: one channel's visible folder, read whole
 * into memory, so that every answer of one moment is of one list and no path
 * of a request ever reaches the disk.
 */
#include "config.h"
#include "base/enc.h"
#include "base/file.h"
#include "publish/publish_impl.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILES_MAX 20000
#define TOTAL_MAX ((size_t)64 * 1024 * 1024)
#define WELL_KNOWN "/.well-known/onionmirror/"

struct served {
	unsigned holders;
	struct served_file *files; /* owned, sorted by name */
	size_t n, cap, total;
	struct stat folder; /* as it was when it was read */
	char policy[HTML_POLICY_MAX];
};

static const char *
type_of(const char *name)
{
	const char *end = strrchr(name, '.');

	if (end != NULL && strcmp(end, ".json") == 0)
		return "application/json";
	if (end != NULL && strcmp(end, ".html") == 0)
		return "text/html; charset=utf-8";
	if (end != NULL && strcmp(end, ".png") == 0)
		return "image/png";
	return "text/plain; charset=utf-8";
}

static void
free_file(struct served_file *f)
{
	free(f->name);
	free(f->text);
}

static int
take_file(struct served *s, const char *folder, const char *name, struct err *e)
{
	struct served_file f = { .type = type_of(name) }, *more;
	uint8_t hash[DOC_HASH_LEN];
	char path[PATH_MAX];

	if ((size_t)snprintf(path, sizeof path, "%s/%s", folder, name) >= sizeof path || s->n == FILES_MAX)
		return err_set(e, ERR_LIMIT, "%s: too many files, or a path too long", folder);
	if (s->n == s->cap) {
		if ((more = realloc(s->files, (s->cap * 2 + 32) * sizeof *more)) == NULL)
			return err_set(e, ERR_MEMORY, "out of memory");
		s->files = more;
		s->cap = s->cap * 2 + 32;
	}
	if (file_read(path, DOC_BUNDLE_MAX, FILE_PUBLIC, &f.text, &f.len, e) != 0)
		return -1;
	s->total += f.len;
	if ((f.name = strdup(name)) == NULL || s->total > TOTAL_MAX) {
		free_file(&f);
		return err_set(e, ERR_LIMIT, "%s: more than %zu MiB", folder, TOTAL_MAX / 1024 / 1024);
	}
	doc_hash(hash, f.text, f.len);
	f.etag[0] = '"';
	hex_encode(f.etag + 1, hash, 16);
	strcat(f.etag, "\"");
	s->files[s->n++] = f;
	return 0;
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(((const struct served_file *)a)->name, ((const struct served_file *)b)->name);
}

static int
take_folder(struct served *s, const char *folder, struct err *e)
{
	DIR *d = opendir(folder);
	struct dirent *de;
	int r = 0;

	if (d == NULL)
		return err_set_sys(e, "%s", folder);
	while (r == 0 && (de = readdir(d)) != NULL)
		if (de->d_name[0] != '.')
			r = take_file(s, folder, de->d_name, e);
	closedir(d);
	if (r == 0 && s->n > 0)
		qsort(s->files, s->n, sizeof *s->files, by_name);
	return r;
}

static const struct served_file *
find(const struct served *s, const char *name)
{
	size_t low = 0, high = s->n, mid;
	int order;

	while (low < high) {
		mid = low + (high - low) / 2;
		order = strcmp(name, s->files[mid].name);
		if (order == 0)
			return &s->files[mid];
		if (order < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return NULL;
}

/* The page may be one that an older version of this program wrote, so its style is looked up in it. */
static void
set_policy(struct served *s)
{
	const struct served_file *page = find(s, "index.html");
	const char *from = page != NULL ? strstr(page->text, "<style>") : NULL;
	const char *to = from != NULL ? strstr(from, "</style>") : NULL;

	from = to != NULL ? from + 7 : "";
	html_policy(s->policy, from, to != NULL ? (size_t)(to - from) : 0);
	strcat(s->policy, "; frame-ancestors 'none'");
}

/* The folder that a channel's symlink names, and what it is now. */
static int
find_folder(char folder[2 * PATH_MAX], struct stat *st, const char *dir, const char *channel, struct err *e)
{
	char link[PATH_MAX], to[64];
	ssize_t n;

	if ((size_t)snprintf(link, sizeof link, "%s/%s/current", dir, channel) >= sizeof link)
		return err_set(e, ERR_LIMIT, "%s: path too long", dir);
	n = readlink(link, to, sizeof to - 1);
	if (n < 0)
		return errno == ENOENT ? err_set(e, ERR_NOTFOUND, "%s: nothing is published yet", link) : err_set_sys(e, "%s", link);
	to[n] = '\0';
	if (strchr(to, '/') != NULL)
		return err_set(e, ERR_STATE, "%s: does not name a folder beside it", link);
	snprintf(folder, 2 * PATH_MAX, "%s/%s/%s", dir, channel, to);
	return stat(folder, st) == 0 ? 0 : err_set_sys(e, "%s", folder);
}

int
served_load(struct served **out, const char *dir, const char *channel, struct err *e)
{
	char folder[2 * PATH_MAX];
	struct served *s = calloc(1, sizeof *s);

	if (s == NULL)
		return err_set(e, ERR_MEMORY, "out of memory");
	s->holders = 1;
	/* The symlink is read once: what it names stays whole even if another list takes its place. */
	if (find_folder(folder, &s->folder, dir, channel, e) != 0 || take_folder(s, folder, e) != 0) {
		served_release(s);
		return -1;
	}
	set_policy(s);
	*out = s;
	return 0;
}

bool
served_is_current(const struct served *s, const char *dir, const char *channel)
{
	char folder[2 * PATH_MAX];
	struct stat st;

	return find_folder(folder, &st, dir, channel, NULL) == 0 && st.st_dev == s->folder.st_dev && st.st_ino == s->folder.st_ino &&
	    st.st_mtim.tv_sec == s->folder.st_mtim.tv_sec && st.st_mtim.tv_nsec == s->folder.st_mtim.tv_nsec;
}

size_t
served_size(const struct served *s)
{
	return s->total;
}

bool
served_is_shared(const struct served *s)
{
	return s->holders > 1;
}

struct served *
served_hold(struct served *s)
{
	s->holders++;
	return s;
}

void
served_release(struct served *s)
{
	size_t i;

	if (s == NULL || --s->holders > 0)
		return;
	for (i = 0; i < s->n; i++)
		free_file(&s->files[i]);
	free(s->files);
	free(s);
}

const char *
served_policy(const struct served *s)
{
	return s->policy;
}

const struct served_file *
served_find(const struct served *s, const char *path, const char *onion)
{
	char leaf[ONION_ADDR_LEN + 32];

	if (strncmp(path, WELL_KNOWN, strlen(WELL_KNOWN)) == 0)
		path += strlen(WELL_KNOWN);
	else
		path += path[0] == '/';
	if (strcmp(path, "self.json") == 0) {
		snprintf(leaf, sizeof leaf, "leaf-%s.onion.json", onion);
		return find(s, leaf);
	}
	return find(s, path[0] == '\0' ? "index.html" : path);
}
