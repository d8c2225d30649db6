/* SPDX-License-Identifier: BSD-3-Clause */
/* Places of lists: reading what the user named, and lists that are files. */
#include "config.h"
#include "cli/place.h"

#include "base/file.h"
#include "base/mem.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUNDLE_MAX (4 * 1024 * 1024)
#define FILES_MAX 8192

/* "<56>.onion[:port]" of n characters. */
static int
parse_host(struct place *out, const char *s, size_t n, uint16_t port, struct err *e)
{
	uint8_t pk[ONION_PUBKEY_LEN];
	unsigned long v = 0;
	size_t i;

	if (n < ONION_HOST_LEN || onion_from_host(pk, out->address, s, ONION_HOST_LEN) != 0)
		return err_set(
		    e, ERR_PARSE, "%.80s: not a v3 onion address in lower case; a letter may be mistyped", out->text);
	if (n > ONION_HOST_LEN) {
		for (i = ONION_HOST_LEN + 1; i < n && s[i] >= '0' && s[i] <= '9' && v <= UINT16_MAX; i++)
			v = v * 10 + (unsigned long)(s[i] - '0');
		if (s[ONION_HOST_LEN] != ':' || i < n || s[ONION_HOST_LEN + 1] == '0' || v == 0 || v > UINT16_MAX)
			return err_set(e, ERR_PARSE, "%.80s: behind the address only :PORT may stand", out->text);
		port = (uint16_t)v;
	}
	out->port = port;
	if (port == 80)
		snprintf(out->host, sizeof out->host, "%s.onion", out->address);
	else
		snprintf(out->host, sizeof out->host, "%s.onion:%u", out->address, (unsigned)port);
	return 0;
}

int
place_parse(struct place *out, const char *text, struct err *e)
{
	const char *host, *path;

	memset(out, 0, sizeof *out);
	out->text = text;
	out->path = PLACE_BUNDLE_PATH;
	if (strncmp(text, "https://", 8) == 0)
		return err_set(e, ERR_REFUSED,
		    "%.80s: https is not spoken yet; an onion is encrypted without it: use http://", text);
	if (strncmp(text, "http://", 7) == 0) {
		host = text + 7;
		path = host + strcspn(host, "/");
		if (path[0] != '\0' && path[1] != '\0')
			out->path = path;
		return parse_host(out, host, (size_t)(path - host), 80, e);
	}
	if (strstr(text, "://") != NULL)
		return err_set(e, ERR_REFUSED, "%.80s: only http:// is known", text);
	if (strchr(text, '/') == NULL && strcasestr(text, ".onion") != NULL && access(text, F_OK) != 0)
		return parse_host(out, text, strlen(text), PLACE_LIST_PORT, e);
	out->is_file = true;
	return 0;
}

int
place_feed_descriptor(int fd, om_site *site, int64_t now, om_error *fault, struct err *e)
{
	struct stat st;
	char *p = NULL;
	int r = -1;

	fault->reason = OM_OK;
	if (fstat(fd, &st) != 0)
		return err_set_sys(e, "what was received");
	p = malloc((size_t)st.st_size + 1);
	if (p == NULL)
		return err_set(e, ERR_MEMORY, "out of memory");
	if (pread(fd, p, (size_t)st.st_size, 0) != st.st_size)
		err_set_sys(e, "what was received");
	else
		r = om_site_feed_bundle(site, p, (size_t)st.st_size, now, fault);
	free(p);
	return r;
}

static bool
is_document(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot != NULL && (strcmp(dot, ".json") == 0 || strcmp(dot, ".minisig") == 0);
}

static int
read_documents(const char *folder, DIR *d, om_document *docs, size_t *n, struct err *e)
{
	size_t total = 0;
	struct dirent *de;
	char *path, *bytes;
	int r = 0;

	while (r == 0 && (de = readdir(d)) != NULL) {
		if (!is_document(de->d_name))
			continue;
		if (*n == FILES_MAX)
			return err_set(e, ERR_LIMIT, "%s: more than %d documents", folder, FILES_MAX);
		path = xasprintf("%s/%s", folder, de->d_name);
		r = file_read(path, BUNDLE_MAX - total, FILE_PUBLIC, &bytes, &docs[*n].len, e);
		free(path);
		if (r != 0)
			break;
		total += docs[*n].len;
		docs[*n].bytes = bytes;
		docs[(*n)++].name = xstrdup(de->d_name);
	}
	return r;
}

/* What could not be read: too much of it is a verdict on the list, anything else is not. */
static void
refuse_unread(const struct err *why, const char *what, om_error *fault, struct err *e)
{
	if (why->code != ERR_LIMIT) {
		err_set(e, why->code, "%s", why->msg);
		return;
	}
	fault->reason = OM_TOO_LARGE;
	snprintf(fault->detail, sizeof fault->detail, "%s at most %d bytes", what, BUNDLE_MAX);
}

static int
feed_documents(const char *folder, om_site *site, int64_t now, om_error *fault, struct err *e)
{
	om_document *docs = xcalloc(FILES_MAX, sizeof *docs);
	struct err inner = ERR_INIT;
	DIR *d = opendir(folder);
	size_t i, n = 0;
	int r = -1;

	if (d == NULL)
		err_set_sys(e, "%s", folder);
	else if (read_documents(folder, d, docs, &n, &inner) != 0)
		refuse_unread(&inner, "the documents of a folder have", fault, e);
	else if (n == 0)
		err_set(e, ERR_NOTFOUND, "%s: neither bundle.json nor other documents of a list are in it", folder);
	else
		r = om_site_feed_documents(site, docs, n, now, fault);
	if (d != NULL)
		closedir(d);
	for (i = 0; i < n; i++) {
		free((char *)(uintptr_t)docs[i].name);
		free((void *)(uintptr_t)docs[i].bytes);
	}
	free(docs);
	return r;
}

int
place_feed_file(const char *path, om_site *site, int64_t now, om_error *fault, struct err *e)
{
	struct err inner = ERR_INIT;
	char *inside = NULL, *bytes;
	struct stat st;
	int r = -1;
	size_t n;

	fault->reason = OM_OK;
	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
		inside = xasprintf("%s/bundle.json", path);
		if (access(inside, F_OK) != 0) {
			free(inside);
			return feed_documents(path, site, now, fault, e);
		}
		path = inside;
	}
	if (file_read(path, BUNDLE_MAX, FILE_PUBLIC, &bytes, &n, &inner) == 0) {
		r = om_site_feed_bundle(site, bytes, n, now, fault);
		free(bytes);
	} else {
		refuse_unread(&inner, "a bundle has", fault, e);
	}
	free(inside);
	return r;
}
