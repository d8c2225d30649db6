/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A reader with libonionmirror, complete: judges a bundle from a file, prints the mirrors, picks one and
 * remembers what it learned, so that an older or contradicting list is refused next time.
 *
 *	cc pick.c $(pkg-config --cflags --libs onionmirror) -o pick
 *	./pick SITE-ID BUNDLE STORE
 *
 * The library does no input or output: files, the clock and random numbers are the program's.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <onionmirror/onionmirror.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#define FILE_MAX_BYTES (64 * 1024 * 1024)

/* The bytes of a file, malloced. NULL with errno set; ENOENT if there is none. */
static char *
read_file(const char *path, size_t *len)
{
	FILE *f = fopen(path, "rb");
	char *bytes = NULL, *more;
	size_t n = 0, cap = 0;

	if (f == NULL)
		return NULL;
	do {
		if (n == cap) {
			cap = cap > 0 ? cap * 2 : 65536;
			more = cap <= FILE_MAX_BYTES ? realloc(bytes, cap) : NULL;
			if (more == NULL) {
				free(bytes);
				fclose(f);
				errno = EFBIG;
				return NULL;
			}
			bytes = more;
		}
		n += fread(bytes + n, 1, cap - n, f);
	} while (!feof(f) && !ferror(f));
	if (ferror(f)) {
		free(bytes);
		bytes = NULL;
		errno = EIO;
	}
	fclose(f);
	*len = n;
	return bytes;
}

/* The whole file or the old one, whatever happens: written beside it, synced, renamed. */
static int
replace_file(const char *path, const char *bytes, size_t len)
{
	char beside[4096];
	ssize_t w = 0;
	size_t done;
	int fd;

	if ((size_t)snprintf(beside, sizeof beside, "%s.new", path) >= sizeof beside)
		return -1;
	fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return -1;
	for (done = 0; done < len && w >= 0; done += (size_t)w)
		w = write(fd, bytes + done, len - done);
	if (w < 0 || fsync(fd) != 0) {
		close(fd);
		unlink(beside);
		return -1;
	}
	if (close(fd) != 0 || rename(beside, path) != 0) {
		unlink(beside);
		return -1;
	}
	return 0;
}

/* What was remembered, or a new memory if there is none. A damaged one is an error: begun anew, it would forget. */
static int
open_memory(om_site **site, const char *id, const char *path, om_error *error)
{
	size_t len = 0;
	char *bytes = read_file(path, &len);
	int r;

	if (bytes == NULL && errno == ENOENT)
		return om_site_open(site, id, error);
	if (bytes == NULL) {
		memset(error, 0, sizeof *error);
		snprintf(error->detail, sizeof error->detail, "%s", strerror(errno));
		return -1;
	}
	r = om_site_load(site, id, bytes, len, error);
	free(bytes);
	return r;
}

static int
save_memory(const om_site *site, const char *path)
{
	om_error error;
	char *text;
	size_t len;
	int r;

	if (om_site_save(site, &text, &len, &error) != 0)
		return -1;
	r = replace_file(path, text, len);
	free(text);
	return r;
}

static void
print_site(const om_site *site, time_t now)
{
	const om_member *member;
	const om_mirror *mirror;
	size_t i;

	printf("%s\n", om_site_name(site));
	for (i = 0; (member = om_site_member(site, i)) != NULL; i++)
		printf("member %s: %s, serial %" PRIu64 "%s\n", om_member_name(member),
		    om_reason_name(om_member_status(member)), om_member_serial(member),
		    om_member_fresh_until(member) < now ? ", a newer list is overdue" : "");
	for (i = 0; (mirror = om_site_mirror(site, i)) != NULL; i++)
		printf("%s %s\n", om_mirror_role(mirror), om_mirror_url(mirror));
}

int
main(int argc, char **argv)
{
	const om_mirror *mirror;
	om_site *site = NULL;
	om_error error = { OM_OK, "" };
	time_t now = time(NULL);
	uint64_t random;
	char *bundle;
	size_t len;
	int r = 1;

	if (argc != 4) {
		fprintf(stderr, "usage: pick SITE-ID BUNDLE STORE\n");
		return 2;
	}
	bundle = read_file(argv[2], &len);
	if (bundle == NULL) {
		fprintf(stderr, "%s: %s\n", argv[2], strerror(errno));
		return 1;
	}
	if (open_memory(&site, argv[1], argv[3], &error) != 0) {
		fprintf(stderr, "%s: %s %s\n", argv[3], om_reason_name(error.reason), error.detail);
		goto out;
	}
	if (om_site_feed_bundle(site, bundle, len, now, &error) != 0)
		fprintf(stderr, "%s: refused: %s: %s\n", argv[2], om_reason_name(error.reason), error.detail);
	else
		print_site(site, now);
	/* After a refusal too: what passed before the fault is worth remembering. */
	if (save_memory(site, argv[3]) != 0) {
		fprintf(stderr, "%s: can't be saved: %s\n", argv[3], strerror(errno));
		goto out;
	}
	if (error.reason != OM_OK || getrandom(&random, sizeof random, 0) != sizeof random)
		goto out;
	mirror = om_site_pick(site, now, random);
	if (mirror == NULL)
		goto out;
	printf("picked %s\n", om_mirror_url(mirror));
	r = 0;
out:
	om_site_close(site);
	free(bundle);
	return r;
}
