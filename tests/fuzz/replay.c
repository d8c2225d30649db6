/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * main() for a fuzz target where libFuzzer is not linked: runs it over every
 * file of the folders given, or of corpus/NAME when it is called fuzz_NAME. A
 * target without seeds tests nothing, so an empty folder is a failure.
 */
#include "config.h"
#include "fuzz.h"

#include <dirent.h>
#include <string.h>

#define INPUT_MAX ((size_t)4 * 1024 * 1024)

static int replay_file(const char *dir, const char *name)
{
	char path[4096];
	uint8_t *data = malloc(INPUT_MAX);
	size_t n;
	FILE *f;
	int rc = -1;

	snprintf(path, sizeof path, "%s/%s", dir, name);
	f = data != NULL ? fopen(path, "rb") : NULL;
	if (f != NULL) {
		n = fread(data, 1, INPUT_MAX, f);
		rc = ferror(f) ? -1 : 0;
		fclose(f);
		/* Of exactly its size, so that a read past the end is seen. */
		if (rc == 0 && n > 0)
			data = realloc(data, n);
		if (rc == 0 && data != NULL)
			LLVMFuzzerTestOneInput(data, n);
	}
	if (rc != 0)
		fprintf(stderr, "%s: can't be read\n", path);
	free(data);
	return rc;
}

static int replay_dir(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *ent;
	unsigned n = 0;
	int rc = 0;

	while (rc == 0 && d != NULL && (ent = readdir(d)) != NULL) {
		if (ent->d_name[0] == '.')
			continue;
		rc = replay_file(dir, ent->d_name);
		n++;
	}
	if (d != NULL)
		closedir(d);
	if (n == 0)
		fprintf(stderr, "%s: no seeds\n", dir);
	else
		printf("%s: %u inputs\n", dir, n);
	return n > 0 ? rc : -1;
}

int main(int argc, char **argv)
{
	const char *top = getenv("top_srcdir"), *name = strrchr(argv[0], '/');
	char dir[4096];
	int i, rc = 0;

	for (i = 1; i < argc; i++)
		rc |= replay_dir(argv[i]);
	if (argc > 1)
		return rc == 0 ? 0 : 1;
	name = name != NULL ? name + 1 : argv[0];
	if (strncmp(name, "lt-", 3) == 0)
		name += 3;
	if (strncmp(name, "fuzz_", 5) == 0)
		name += 5;
	snprintf(dir, sizeof dir, "%s/tests/fuzz/corpus/%s", top != NULL ? top : ".", name);
	return replay_dir(dir) == 0 ? 0 : 1;
}
