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
	int fd = open(path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC), r;

	snprintf(dir, sizeof dir, "%.*s", (int)(strrchr(path, '/') - path), path);
	if (unlink(path) != 0)
		r = err_set_sys(e, "%s is still there", path);
	else if ((r = file_sync_dir(dir, e)) == 0 && (write(fd, zeros, n) != (ssize_t)n || fsync(fd) != 0))
		r = err_set_sys(e, "%s is removed, but was not overwritten", path);
	if (fd >= 0)
		close(fd);
	return r;
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

/* The waiting key becomes the store's; what then becomes of the file changes nothing of that. */
static int
take_key(struct daemon *d, const uint8_t *sk, const char *path, size_t size, struct err *e)
{
	struct err inner = ERR_INIT;

	if (store_put(d->store, STORE_META, STORE_META_MEMBER_KEY, sk, MINISIGN_SK_LEN, e) != 0)
		return -1;
	if (shred_file(path, size, &inner) == 0)
		log_notice("member key taken into the sealed store; %s is removed", path);
	else
		log_warn("member key taken into the sealed store, but %s", inner.msg);
	if (access(path, F_OK) == 0)
		snprintf(d->waiting_key, sizeof d->waiting_key, "import/member.key was taken, but could not be removed: remove it, for it is not sealed");
	return 0;
}

/* The site under the waiting key, which is then taken; its bytes go into new secret memory. */
static int
try_waiting(struct daemon *d, const struct minisign_seckey *waiting, const char *path, size_t size, uint8_t **sk, struct publish_site **site,
    struct err *e)
{
	uint8_t *key = secret_alloc(MINISIGN_SK_LEN);
	struct publish_site *s = NULL;

	if (key == NULL)
		return err_set(e, ERR_MEMORY, "no locked memory for the member key");
	memcpy(key, waiting->sk, MINISIGN_SK_LEN);
	if (load(d, key, &s, e) == 0 && take_key(d, key, path, size, e) == 0) {
		*sk = key;
		*site = s;
		return 0;
	}
	publish_site_free(s);
	secret_free(key);
	return -1;
}

/* The site under the store's key; `why` says what became of a key that waits, ERR_NONE: there is none. */
static int
use_stored(struct daemon *d, const char *path, const struct err *why, uint8_t **sk, struct publish_site **site, struct err *e)
{
	uint8_t *key = NULL;
	int r = -1;

	if (read_stored(d, &key, e) != 0)
		return -1;
	if (key == NULL && why->code == ERR_NONE)
		err_set(e, ERR_CONFIG, "there is no member key: run `onionmirror init`, or put one at %s", path);
	else if (key == NULL)
		err_set(e, why->code, "%s", why->msg);
	else if ((r = load(d, key, site, e)) != 0 && why->code != ERR_NONE)
		err_prefix(e, "%s is not taken (%.100s), and under the key in use", path, why->msg);
	if (r == 0)
		*sk = key;
	else
		secret_free(key);
	return r;
}

/*
 * A waiting key that can't be read or is not certified does not keep the daemon
 * from starting under the key that it has, as long as the documents certify
 * that one: whoever must not sign any longer is no member any longer. A reload
 * is refused for one that can't be read: nothing stops, and who asked is told.
 */
int
import_site(struct daemon *d, uint8_t **sk, struct publish_site **site, struct err *e)
{
	struct minisign_seckey *waiting = NULL;
	struct err why = ERR_INIT;
	char path[PATH_MAX];
	size_t size;
	int r = -1;

	snprintf(path, sizeof path, "%s/import/member.key", d->conf->state_dir);
	d->waiting_key[0] = '\0';
	if (read_waiting(&waiting, path, &size, &why) != 0 && d->site != NULL)
		err_set(e, why.code, "%s", why.msg);
	else if (waiting != NULL && try_waiting(d, waiting, path, size, sk, site, &why) == 0)
		r = 0;
	else
		r = use_stored(d, path, &why, sk, site, e);
	if (r == 0 && why.code != ERR_NONE)
		log_warn("%s is not taken, the key in use stays: %s", path, why.msg);
	if (why.code != ERR_NONE)
		snprintf(d->waiting_key, sizeof d->waiting_key, "import/member.key is not taken, the key in use stays: %.140s", why.msg);
	secret_free(waiting);
	return r;
}
