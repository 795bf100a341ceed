/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf/serving.h"
#include <bpf/bpf.h>
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "bpf/links.h"
#include "dataplane/l4/tables.h"

enum { PROGRAM_MAPS = 64 };

/* The map that the program finds its image by, or a negative errno. */
static int generation_of(int program)
{
	uint32_t ids[PROGRAM_MAPS] = { 0 }, size = sizeof(struct bpf_prog_info);
	struct bpf_prog_info info = { .nr_map_ids = PROGRAM_MAPS, .map_ids = (uintptr_t)ids };

	if (bpf_obj_get_info_by_fd(program, &info, &size))
		return -errno;
	for (uint32_t i = 0; i < info.nr_map_ids && i < PROGRAM_MAPS; i++) {
		struct bpf_map_info map = { 0 };
		int fd = bpf_map_get_fd_by_id(ids[i]);

		size = sizeof map;
		if (fd >= 0 && !bpf_obj_get_info_by_fd(fd, &map, &size) &&
			!strcmp(map.name, "generation"))
			return fd;
		if (fd >= 0)
			close(fd);
	}
	return -ENOENT;
}

static bool is_image(int map)
{
	const struct l4_root *root = mmap(NULL, sizeof *root, PROT_READ, MAP_SHARED, map, 0);
	bool is;

	if (root == MAP_FAILED)
		return false;
	is = root->magic == L4_TABLES_MAGIC;
	munmap((void *)root, sizeof *root);
	return is;
}

static int count_serving(void *arg, int program)
{
	int outer = generation_of(program), inner = -1;
	uint32_t zero = 0, id;

	if (outer < 0)
		return outer == -ENOENT ? 0 : outer;
	if (!bpf_map_lookup_elem(outer, &zero, &id))
		inner = bpf_map_get_fd_by_id(id);
	close(outer);
	if (inner < 0)
		return 0;
	*(int *)arg += is_image(inner);
	close(inner);
	return 0;
}

static void root_of(char root[PATH_MAX - 64], const char *run_dir)
{
	snprintf(root, PATH_MAX - 64, "%s/bpf", run_dir);
}

int serving_links(const char *run_dir)
{
	char root[PATH_MAX - 64], dir[PATH_MAX];
	int n = 0, rc;

	root_of(root, run_dir);
	links_dir(root, dir, sizeof dir);
	rc = links_each_program(dir, count_serving, &n);
	return rc ? rc : n;
}

void serving_yielded(char *path, size_t size, const char *root)
{
	snprintf(path, size, "%s/v%d/yielded", root, L4_TABLES_VERSION);
}

static int enter(void *arg, int program)
{
	int outer = generation_of(program), rc;
	uint32_t zero = 0;

	if (outer < 0)
		return outer;
	rc = bpf_map_update_elem(outer, &zero, arg, BPF_ANY);
	close(outer);
	return rc;
}

int serving_take_back(const char *run_dir)
{
	char root[PATH_MAX - 64], dir[PATH_MAX], path[PATH_MAX];
	int image, rc;

	root_of(root, run_dir);
	links_dir(root, dir, sizeof dir);
	serving_yielded(path, sizeof path, root);
	image = bpf_obj_get(path);
	if (image < 0)
		return image == -ENOENT || image == -ENOTDIR ? 0 : image;
	rc = links_each_program(dir, enter, &image);
	close(image);
	return rc ? rc : unlink(path) ? -errno : 0;
}
