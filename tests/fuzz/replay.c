/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * replay.c - feed a target the inputs of its corpus, each also cut short, so that an ordinary run needs no fuzzer.
 *
 * usage: replay-TARGET FOLDER
 */
#include "fuzz.h"

#include <dirent.h>

static uint8_t buf[1 << 16];

static int one(const char *folder, const char *name)
{
	char path[4096];
	uint8_t *exact;
	size_t len, cut;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	f = fopen(path, "rb");
	if (!f) {
		perror(path);
		return 1;
	}
	len = fread(buf, 1, sizeof(buf), f);
	fclose(f);
	for (cut = 0;; cut = cut * 2 + 1) {
		if (cut > len)
			cut = len;
		/* A block of its own, so that a read past the end is seen. */
		exact = malloc(cut ? cut : 1);
		if (!exact)
			return 1;
		memcpy(exact, buf, cut);
		LLVMFuzzerTestOneInput(exact, cut);
		free(exact);
		if (cut == len)
			return 0;
	}
}

int main(int argc, char **argv)
{
	struct dirent *e;
	int nr = 0, bad = 0;
	DIR *d;

	if (argc != 2) {
		fprintf(stderr, "usage: replay-TARGET FOLDER\n");
		return 2;
	}
	d = opendir(argv[1]);
	if (!d) {
		perror(argv[1]);
		return 2;
	}
	while ((e = readdir(d))) {
		if (e->d_name[0] == '.')
			continue;
		bad |= one(argv[1], e->d_name);
		nr++;
	}
	closedir(d);
	printf("%d inputs replayed\n", nr);
	/* An empty corpus tests nothing. */
	return bad || nr == 0;
}
