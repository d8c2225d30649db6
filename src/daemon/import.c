/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The member key and the site it signs for. STATE-DIR/import/member.key is
 * taken into the sealed store and removed once the site's documents certify it;
 * until then, and afterwards, the key is the store's.
 */
#include "config.h"
#include "base/file.h"
#include "base/log.h"
#include "daemon/daemon.h"
#include "proto/minisign.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * Removes a file for good, then overwrites what it was: best effort on the disks
 * of today, but it costs nothing. In this order, because a life may end in the
 * middle: a key that is still there is whole.
 */
static int
shred_file(const char *path, size_t n, struct err *e)
{
	char zeros[MINISIGN_KEY_FILE_MAX] = { 0 }, dir[PATH_MAX];
	int fd = open(path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);

	snprintf(dir, sizeof dir, "%.*s", (int)(strrchr(path, '/') - path), path);
	if (fd < 0 || unlink(path) != 0)
		err_set_sys(e, "%s", path);
	else if (file_sync_dir(dir, e) == 0 && (write(fd, zeros, n) < 0 || fsync(fd) != 0))
		err_set_sys(e, "%s", path);
	if (fd >= 0)
		close(fd);
	return e->code == ERR_NONE ? 0 : -1;
}

/* Reads the file that waits, if there is one; *key stays NULL if there is none. */
static int
read_waiting(struct minisign_seckey **key, const char *path, size_t *size, struct err *e)
{
	struct minisign_seckey *k;
	struct err inner = ERR_INIT;
	char *text;
	int r = -1;

	*key = NULL;
	if (file_read(path, MINISIGN_KEY_FILE_MAX, FILE_SECRET, &text, size, &inner) != 0)
		return inner.sys == ENOENT ? 0 : err_set(e, inner.code, "%s", inner.msg);
	k = secret_alloc(sizeof *k);
	if (k == NULL)
		err_set(e, ERR_MEMORY, "no locked memory for the member key");
	else if (minisign_seckey_encrypted(text, *size))
		err_set(e, ERR_AUTH, "%s is sealed by a passphrase; put an unsealed copy there (onionmirror site install --member-key)", path);
	else if (minisign_seckey_parse(k, text, *size, NULL, 0, e) != 0)
		err_prefix(e, "%s", path);
	else
		r = 0;
	mem_wipe(text, *size);
	free(text);
	if (r == 0)
		*key = k;
	else
		secret_free(k);
	return r;
}

/* The store's key; *sk stays NULL if there is none. */
static int
read_stored(struct daemon *d, uint8_t **sk, struct err *e)
{
	uint8_t *key = secret_alloc(MINISIGN_SK_LEN);
	struct err inner = ERR_INIT;

	*sk = NULL;
	if (key == NULL)
		return err_set(e, ERR_MEMORY, "no locked memory for the member key");
	if (store_get_exact(d->store, STORE_META, STORE_META_MEMBER_KEY, key, MINISIGN_SK_LEN, &inner) == 0) {
		*sk = key;
		return 0;
	}
	secret_free(key);
	return inner.code == ERR_NOTFOUND ? 0 : err_set(e, inner.code, "%s", inner.msg);
}

static int
load(struct daemon *d, const uint8_t *key, struct publish_site **site, struct err *e)
{
	char dir[PATH_MAX];

	snprintf(dir, sizeof dir, "%s/site", d->conf->state_dir);
	return publish_site_load(site, dir, key, clock_wall_s(), e);
}

/* The waiting key becomes the store's. */
static int
take_key(struct daemon *d, const uint8_t *sk, const char *path, size_t size, struct err *e)
{
	if (store_put(d->store, STORE_META, STORE_META_MEMBER_KEY, sk, MINISIGN_SK_LEN, e) != 0 || shred_file(path, size, e) != 0)
		return -1;
	log_notice("member key taken into the sealed store; %s is removed", path);
	return 0;
}

/* The site under the waiting key, which is then taken; its bytes go into new secret memory. */
static int
try_waiting(struct daemon *d, const struct minisign_seckey *waiting, const char *path, size_t size, uint8_t **sk, struct publish_site **site,
    struct err *e)
{
	uint8_t *key = secret_alloc(MINISIGN_SK_LEN);

	if (key == NULL)
		return err_set(e, ERR_MEMORY, "no locked memory for the member key");
	memcpy(key, waiting->sk, MINISIGN_SK_LEN);
	if (load(d, key, site, e) == 0) {
		if (take_key(d, key, path, size, e) == 0) {
			*sk = key;
			return 0;
		}
		publish_site_free(*site);
	}
	secret_free(key);
	return -1;
}

int
import_site(struct daemon *d, uint8_t **sk, struct publish_site **site, struct err *e)
{
	struct minisign_seckey *waiting;
	struct err why = ERR_INIT;
	char path[PATH_MAX];
	uint8_t *key = NULL;
	size_t size;
	int r = -1;

	snprintf(path, sizeof path, "%s/import/member.key", d->conf->state_dir);
	if (read_waiting(&waiting, path, &size, e) != 0)
		return -1;
	if (waiting != NULL && try_waiting(d, waiting, path, size, sk, site, &why) == 0) {
		r = 0;
	} else if (read_stored(d, &key, e) == 0) {
		if (key == NULL && waiting == NULL)
			err_set(e, ERR_CONFIG, "there is no member key: run `onionmirror init`, or put one at %s", path);
		else if (key == NULL)
			err_set(e, why.code, "%s", why.msg);
		else
			r = load(d, key, site, e);
		if (r == 0 && waiting != NULL)
			log_warn("%s is not taken, the key in use stays: %s", path, why.msg);
		if (r == 0)
			*sk = key;
		else
			secret_free(key);
	}
	secret_free(waiting);
	return r;
}
