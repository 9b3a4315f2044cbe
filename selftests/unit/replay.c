// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs files through a target of libFuzzer, without libFuzzer: the corpus as a
 * test that needs no clang.
 *
 * checkpatch: CAMELCASE: the target's name is libFuzzer's.
 */
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size);

static void replay(const char *path)
{
	FILE *file = fopen(path, "rb");
	unsigned char data[256];
	size_t size;

	if (!file) {
		perror(path);
		exit(1);
	}
	size = fread(data, 1, sizeof(data), file);
	fclose(file);
	LLVMFuzzerTestOneInput(data, size);
}

/* Each name comes ahead of what is said about it. */
int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IONBF, 0);
	for (int i = 1; i < argc; i++) {
		printf("# %s\n", argv[i]);
		replay(argv[i]);
	}
	return argc < 2;
}
