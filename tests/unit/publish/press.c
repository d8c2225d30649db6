/* SPDX-License-Identifier: BSD-3-Clause */
/* What the tests of publishing share: a site on disk, a draft, and a disk whose fsync can fail. */
#include "config.h"
#include "press.h"

#include "base/file.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <onionmirror/onionmirror.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct press press;
int press_syncs;
static int failing = -1;

/* In place of the C library's: keeps the tests fast and lets one fail. */
int
fsync(int fd)
{
	if (fcntl(fd, F_GETFD) < 0)
		return -1;
	if (failing == press_syncs++) {
		errno = EIO;
		return -1;
	}
	return 0;
}

void
press_fail_sync(int at)
{
	press_syncs = 0;
	failing = at;
}

static void
save_text(const char *text, size_t len, const char *name)
{
	char path[160];
	struct err e = ERR_INIT;

	snprintf(path, sizeof path, "%s/%s", press.site_dir, name);
	cr_assert_eq(file_write(path, text, len, 0644, &e), 0, "%s", e.msg);
}

static void
save_signed(const struct kit_text *t, const char *name)
{
	char sig[64];
	size_t i;

	save_text(t->text, t->len, name);
	for (i = 0; i < t->n_sigs; i++) {
		snprintf(sig, sizeof sig, "%s.%zu.minisig", name, i + 1);
		save_text(t->sigs[i], strlen(t->sigs[i]), sig);
	}
}

void
press_save_site(void)
{
	char name[32];
	size_t i;

	kit_build(&press.kit);
	for (i = 0; i < press.kit.n_roots; i++) {
		snprintf(name, sizeof name, "%zu.root.json", i + 1);
		save_signed(&press.kit.roots[i].out, name);
	}
	save_signed(&press.kit.members.out, "members.json");
}

void
press_reload(void)
{
	struct err e = ERR_INIT;

	press_save_site();
	publish_site_free(press.site);
	press.site = NULL;
	cr_assert_eq(publish_site_load(&press.site, press.site_dir, press.sk, KIT_NOW, &e), 0, "%s", e.msg);
}

void
press_add(unsigned onion, const char *channel)
{
	size_t n = press.list.n_entries++;
	char addr[ONION_ADDR_LEN + 1];
	uint8_t key[64];
	struct err e = ERR_INIT;

	cr_assert_lt(n, PRESS_ONIONS);
	kit_onion(onion, key, addr);
	cr_assert_eq(publish_leaf_make(&press.leaves[n], press.site, key, addr, 80, false, "mirror", press.list.now, &e), 0, "%s", e.msg);
	press.entries[n] = (struct publish_entry){ .leaf = press.leaves[n], .channel = channel };
}

void
press_setup(void)
{
	memset(&press, 0, sizeof press);
	press_fail_sync(-1);
	strcpy(press.dir, "/tmp/unit-publish-XXXXXX");
	cr_assert_not_null(mkdtemp(press.dir));
	snprintf(press.site_dir, sizeof press.site_dir, "%s/site", press.dir);
	snprintf(press.out, sizeof press.out, "%s/out", press.dir);
	cr_assert_eq(mkdir(press.site_dir, 0700), 0);
	kit_init(&press.kit);
	kit_key(11, press.sk, NULL);
	press_reload();
	press.channels[0] = "public";
	press.list = (struct publish_list){ .entries = press.entries, .channels = press.channels, .n_channels = 1, .serial = 200, .now = KIT_NOW };
	press_add(1, "public");
}

static void
remove_tree(const char *path)
{
	char inside[1024];
	struct dirent *de;
	DIR *d = opendir(path);

	while (d != NULL && (de = readdir(d)) != NULL) {
		if (strcmp(de->d_name, ".") == 0 || strcmp(de->d_name, "..") == 0)
			continue;
		snprintf(inside, sizeof inside, "%s/%s", path, de->d_name);
		if (de->d_type == DT_DIR)
			remove_tree(inside);
		else
			unlink(inside);
	}
	if (d != NULL)
		closedir(d);
	rmdir(path);
}

void
press_teardown(void)
{
	size_t i;

	for (i = 0; i < PRESS_ONIONS; i++)
		free(press.leaves[i]);
	publish_site_free(press.site);
	kit_free(&press.kit);
	remove_tree(press.dir);
}

struct publication *
press_make(void)
{
	struct publication *p = NULL;
	struct err e = ERR_INIT;

	cr_assert_eq(publication_make(&p, press.site, &press.list, &e), 0, "%s", e.msg);
	return p;
}

int
press_publish(struct err *e)
{
	struct publication *p = press_make();
	int r = publication_write(p, press.out, e);

	publication_free(p);
	return r;
}

char *
press_read(const char *channel, const char *name, size_t *len)
{
	char path[256], *text;

	snprintf(path, sizeof path, "%s/%s/%s", press.out, channel, name);
	return file_read(path, DOC_BUNDLE_MAX, FILE_PUBLIC, &text, len, NULL) == 0 ? text : NULL;
}

uint64_t
press_current(const char *channel)
{
	char path[256], link[64];
	ssize_t n;

	snprintf(path, sizeof path, "%s/%s/current", press.out, channel);
	n = readlink(path, link, sizeof link - 1);
	link[n > 0 ? n : 0] = '\0';
	return strtoull(link, NULL, 10);
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

const char *
press_names(const char *channel)
{
	static char text[2048];
	char path[256], *names[64];
	size_t n = 0, i;
	struct dirent *de;
	DIR *d;

	snprintf(path, sizeof path, "%s/%s", press.out, channel);
	d = opendir(path);
	while (d != NULL && (de = readdir(d)) != NULL && n < 64)
		if (strcmp(de->d_name, ".") != 0 && strcmp(de->d_name, "..") != 0)
			names[n++] = strdup(de->d_name);
	if (d != NULL)
		closedir(d);
	qsort(names, n, sizeof names[0], by_name);
	text[0] = '\0';
	for (i = 0; i < n; i++) {
		snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", i > 0 ? " " : "", names[i]);
		free(names[i]);
	}
	return text;
}

int
press_verify(const char *channel, int64_t now, size_t *n)
{
	om_error fault = { 0 };
	om_site *site = NULL;
	size_t len;
	char *text = press_read(channel, "current/bundle.json", &len);
	int r;

	cr_assert_not_null(text, "%s has a bundle", channel);
	cr_assert_eq(om_site_open(&site, press.kit.site_id, &fault), 0);
	r = om_site_feed_bundle(site, text, len, now, &fault);
	if (r != 0)
		cr_log_info("%s: %s", om_reason_name(fault.reason), fault.detail);
	if (n != NULL)
		*n = om_site_mirror_count(site);
	om_site_close(site);
	free(text);
	return r;
}
