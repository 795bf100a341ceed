/* SPDX-License-Identifier: BSD-2-Clause */
#include "apps/tandem-dpdk/pages.h"
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The number in a file of a folder; 0 where there is none. */
static uint64_t number_in(const char *folder, const char *name, const char *file)
{
	char path[PATH_MAX], line[32];
	const char *got;
	FILE *in;

	snprintf(path, sizeof path, "%s/%s/%s", folder, name, file);
	in = fopen(path, "re");
	if (!in)
		return 0;
	got = fgets(line, sizeof line, in);
	fclose(in);
	return got ? strtoull(got, NULL, 10) : 0;
}

/* The size that a folder is about, by its name; 0: none. */
static uint64_t size_of(const char *name)
{
	static const char prefix[] = "hugepages-";

	return strncmp(name, prefix, strlen(prefix)) ? 0
						     : strtoull(name + strlen(prefix), NULL, 10);
}

void pages_read(const char *root, struct pages *out)
{
	char folder[PATH_MAX];
	DIR *dir;

	*out = (struct pages){ .n = 0 };
	snprintf(folder, sizeof folder, "%s/sys/kernel/mm/hugepages", root);
	dir = opendir(folder);
	if (!dir)
		return;
	for (struct dirent *d = readdir(dir); d && out->n < PAGES_SIZES; d = readdir(dir)) {
		uint64_t kib = size_of(d->d_name), unused, promised;

		if (!kib)
			continue;
		unused = number_in(folder, d->d_name, "free_hugepages");
		promised = number_in(folder, d->d_name, "resv_hugepages");
		out->sizes[out->n].kib = kib;
		out->sizes[out->n].all = number_in(folder, d->d_name, "nr_hugepages");
		out->sizes[out->n++].free = unused > promised ? unused - promised : 0;
	}
	closedir(dir);
}

uint64_t pages_free_mib(const struct pages *p)
{
	uint64_t kib = 0;

	for (unsigned i = 0; i < p->n; i++)
		kib += p->sizes[i].kib * p->sizes[i].free;
	return kib / 1024;
}
