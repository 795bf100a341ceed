/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf/decap.h"
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <limits.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "bpf/bpffs.h"
#include "bpf/decap.skel.h"

/* Where our filter is among those of the interface. */
enum { FILTER_HANDLE = 1, FILTER_PRIORITY = 49163 };

enum { PINNED_MAPS = 5 };

static const char *const pinned_maps[PINNED_MAPS] = { "counters", "settings", "from4", "from6",
	"vips" };

static int quiet(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	(void)level;
	(void)fmt;
	(void)ap;
	return 0;
}

static void root_path(const char *run_dir, char path[PATH_MAX])
{
	snprintf(path, PATH_MAX, "%s/bpf", run_dir);
}

static void pin_path(const char *run_dir, uint32_t ifindex, const char *name, char path[PATH_MAX])
{
	snprintf(path, PATH_MAX, "%s/bpf/if%u%s%s", run_dir, ifindex, *name ? "/" : "", name);
}

static int open_pin(const char *run_dir, uint32_t ifindex, const char *name)
{
	char path[PATH_MAX];

	pin_path(run_dir, ifindex, name, path);
	return bpf_obj_get(path);
}

/* The link of the XDP program, or -ENOENT, also when its interface is another by now. */
static int open_link(const char *run_dir, uint32_t ifindex)
{
	struct bpf_link_info info = { 0 };
	uint32_t size = sizeof info;
	int fd = open_pin(run_dir, ifindex, "xdp");

	if (fd < 0)
		return fd;
	if (!bpf_obj_get_info_by_fd(fd, &info, &size) && info.xdp.ifindex == ifindex)
		return fd;
	close(fd);
	return -ENOENT;
}

static int fill_addresses(struct bpf_map *map, const struct decap_address *list, uint32_t n)
{
	uint8_t yes = 1;
	int rc = 0;

	for (uint32_t i = 0; i < n && !rc; i++)
		rc = bpf_map_update_elem(bpf_map__fd(map), &list[i], &yes, BPF_ANY);
	return rc;
}

static int fill_prefixes(struct decap_bpf *b, const struct decap_plan *plan)
{
	uint8_t yes = 1;
	int rc = 0;

	for (uint32_t i = 0; i < plan->n_from && !rc; i++) {
		const struct decap_prefix *p = &plan->from[i];
		struct decap_prefix4 key4 = { p->plen, { p->address.words[0] } };
		struct decap_prefix6 key6 = { .plen = p->plen };

		memcpy(key6.words, p->address.words, sizeof key6.words);
		rc = p->address.is6
			     ? bpf_map_update_elem(bpf_map__fd(b->maps.from6), &key6, &yes, 0)
			     : bpf_map_update_elem(bpf_map__fd(b->maps.from4), &key4, &yes, 0);
	}
	return rc == -ENOSPC ? -E2BIG : rc;
}

static int fill(struct decap_bpf *b, const struct decap_plan *plan)
{
	uint32_t zero = 0;
	int rc = fill_prefixes(b, plan);

	if (!rc)
		rc = fill_addresses(b->maps.vips, plan->vips, plan->n_vips);
	if (!rc)
		rc = fill_addresses(b->maps.locals, plan->locals, plan->n_locals);
	if (!rc)
		rc = bpf_map_update_elem(
			bpf_map__fd(b->maps.settings), &zero, &plan->settings, BPF_ANY);
	return rc;
}

/* Loads the programs with counters that go on where there are any. */
static int load(const char *run_dir, uint32_t ifindex, const struct decap_plan *plan,
	struct decap_bpf **out)
{
	struct decap_bpf *b = decap_bpf__open();
	int counters = open_pin(run_dir, ifindex, "counters"), rc;

	if (!b)
		rc = -errno;
	else
		rc = counters >= 0 ? bpf_map__reuse_fd(b->maps.counters, counters) : 0;
	if (counters >= 0)
		close(counters);
	if (!rc)
		rc = decap_bpf__load(b);
	if (!rc)
		rc = fill(b, plan);
	if (rc)
		decap_bpf__destroy(b);
	else
		*out = b;
	return rc;
}

static int new_link(int program, uint32_t ifindex, const char *path)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = XDP_FLAGS_DRV_MODE);
	int fd = bpf_link_create(program, (int)ifindex, BPF_XDP, &opts), rc;

	if (fd < 0 && fd != -EBUSY && fd != -EPERM) {
		opts.flags = XDP_FLAGS_SKB_MODE;
		fd = bpf_link_create(program, (int)ifindex, BPF_XDP, &opts);
	}
	if (fd < 0)
		return fd;
	rc = bpf_obj_pin(fd, path);
	if (rc)
		bpf_link_detach(fd);
	close(fd);
	return rc;
}

static int attach_xdp(const char *run_dir, uint32_t ifindex, int program)
{
	int link = open_link(run_dir, ifindex), rc;
	char path[PATH_MAX];

	if (link >= 0) {
		rc = bpf_link_update(link, program, NULL);
		close(link);
		return rc;
	}
	pin_path(run_dir, ifindex, "xdp", path);
	unlink(path); /* of an interface that is gone */
	return new_link(program, ifindex, path);
}

/* A packet on its way out meets the filter wherever the class of qdisc is, which other filters may use too. */
static int attach_tc(uint32_t ifindex, int program)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex, .attach_point = BPF_TC_EGRESS);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = FILTER_HANDLE, .priority = FILTER_PRIORITY,
		.prog_fd = program, .flags = BPF_TC_F_REPLACE);
	int rc = bpf_tc_hook_create(&hook);

	return rc && rc != -EEXIST ? rc : bpf_tc_attach(&hook, &opts);
}

static int detach_tc(uint32_t ifindex)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex, .attach_point = BPF_TC_EGRESS);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = FILTER_HANDLE, .priority = FILTER_PRIORITY);
	int rc = bpf_tc_detach(&hook, &opts);

	return rc == -ENOENT || rc == -EINVAL ? 0 : rc; /* no such filter, no such qdisc */
}

/* Pins what --status reads, in place of a former program's. */
static int pin_maps(const char *run_dir, uint32_t ifindex, struct decap_bpf *b)
{
	for (int i = 0; i < PINNED_MAPS; i++) {
		struct bpf_map *map = bpf_object__find_map_by_name(b->obj, pinned_maps[i]);
		char path[PATH_MAX];
		int rc;

		pin_path(run_dir, ifindex, pinned_maps[i], path);
		unlink(path);
		rc = map ? bpf_obj_pin(bpf_map__fd(map), path) : -ENOENT;
		if (rc)
			return rc;
	}
	return 0;
}

static int link_is_native(const char *run_dir, uint32_t ifindex, bool *native)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, opts);
	int link = open_link(run_dir, ifindex);
	int rc = link < 0 ? link : bpf_xdp_query((int)ifindex, 0, &opts);

	if (link >= 0)
		close(link);
	*native = opts.attach_mode == XDP_ATTACHED_DRV;
	return rc;
}

static int put(const char *run_dir, uint32_t ifindex, struct decap_bpf *b, bool *native)
{
	int rc = attach_xdp(run_dir, ifindex, bpf_program__fd(b->progs.decap));

	if (!rc)
		rc = attach_tc(ifindex, bpf_program__fd(b->progs.clamp));
	if (!rc)
		rc = pin_maps(run_dir, ifindex, b);
	return rc ? rc : link_is_native(run_dir, ifindex, native);
}

static int make_folder(const char *run_dir, uint32_t ifindex)
{
	char path[PATH_MAX];
	int rc;

	if (mkdir(run_dir, 0755) && errno != EEXIST)
		return -errno;
	root_path(run_dir, path);
	rc = bpffs_mount(path);
	if (rc)
		return rc == -ENODEV ? -ENOENT : rc;
	pin_path(run_dir, ifindex, "", path);
	return mkdir(path, 0700) && errno != EEXIST ? -errno : 0;
}

int decap_attach(const char *run_dir, uint32_t ifindex, const struct decap_plan *plan, bool *native)
{
	struct decap_bpf *b;
	bool first;
	int rc;

	libbpf_set_print(quiet);
	rc = make_folder(run_dir, ifindex);
	if (!rc)
		rc = load(run_dir, ifindex, plan, &b);
	if (rc)
		return rc;
	rc = open_link(run_dir, ifindex);
	first = rc < 0;
	if (!first)
		close(rc);
	rc = put(run_dir, ifindex, b, native);
	if (rc && first)
		decap_detach(run_dir, ifindex);
	decap_bpf__destroy(b);
	return rc;
}

int decap_detach(const char *run_dir, uint32_t ifindex)
{
	char path[PATH_MAX];
	int link, rc, n;

	libbpf_set_print(quiet);
	link = open_link(run_dir, ifindex);
	if (link >= 0) {
		bpf_link_detach(link);
		close(link);
	}
	rc = detach_tc(ifindex);
	pin_path(run_dir, ifindex, "", path);
	n = bpffs_remove(path);
	if (!rc && n < 0)
		rc = n;
	root_path(run_dir, path);
	if (!bpffs_has_directories(path)) /* of other interfaces */
		bpffs_unmount(path);
	return rc ? rc : n || link >= 0 ? 0 : -ENOENT;
}

static int read_counters(int map, uint64_t out[DECAP_COUNTERS_MAX])
{
	int cpus = libbpf_num_possible_cpus(), rc = 0;
	uint64_t *values = cpus > 0 ? calloc((size_t)cpus, sizeof *values) : NULL;

	if (!values)
		return cpus < 0 ? cpus : -ENOMEM;
	for (uint32_t i = 0; i < DECAP_COUNTERS_MAX && !rc; i++) {
		rc = bpf_map_lookup_elem(map, &i, values);
		out[i] = 0;
		for (int cpu = 0; cpu < cpus && !rc; cpu++)
			out[i] += values[cpu];
	}
	free(values);
	return rc;
}

/* Calls fn with each key of a map. */
static int each_key(int map, void *key, int (*fn)(struct decap_status *out, const void *key),
	struct decap_status *out)
{
	int rc = bpf_map_get_next_key(map, NULL, key);

	while (!rc) {
		rc = fn(out, key);
		if (!rc)
			rc = bpf_map_get_next_key(map, key, key);
	}
	return rc == -ENOENT ? 0 : rc;
}

static int add_from(struct decap_status *out, const struct decap_prefix *p)
{
	struct decap_prefix *grown = reallocarray(out->from, out->n_from + 1u, sizeof *out->from);

	if (!grown)
		return -ENOMEM;
	out->from = grown;
	grown[out->n_from++] = *p;
	return 0;
}

static int add_from4(struct decap_status *out, const void *key)
{
	const struct decap_prefix4 *k = key;

	return add_from(out, &(struct decap_prefix){ { { k->words[0] }, 0 }, k->plen });
}

static int add_from6(struct decap_status *out, const void *key)
{
	const struct decap_prefix6 *k = key;
	struct decap_prefix p = { { { 0 }, 1 }, k->plen };

	memcpy(p.address.words, k->words, sizeof k->words);
	return add_from(out, &p);
}

static int add_vip(struct decap_status *out, const void *key)
{
	struct decap_address *grown = reallocarray(out->vips, out->n_vips + 1u, sizeof *grown);

	if (!grown)
		return -ENOMEM;
	out->vips = grown;
	memcpy(&grown[out->n_vips++], key, sizeof *grown);
	return 0;
}

static int read_map(int which, int map, struct decap_status *out)
{
	struct decap_prefix6 key = { 0 };
	struct decap_address address = { 0 };
	uint32_t zero = 0;

	switch (which) {
	case 0:
		return read_counters(map, out->counters);
	case 1:
		return bpf_map_lookup_elem(map, &zero, &out->settings);
	case 2:
		return each_key(map, &key, add_from4, out);
	case 3:
		return each_key(map, &key, add_from6, out);
	default:
		return each_key(map, &address, add_vip, out);
	}
}

int decap_status(const char *run_dir, uint32_t ifindex, struct decap_status *out)
{
	int rc;

	libbpf_set_print(quiet);
	*out = (struct decap_status){ .native = false };
	rc = link_is_native(run_dir, ifindex, &out->native);
	for (int i = 0; i < PINNED_MAPS && !rc; i++) {
		int map = open_pin(run_dir, ifindex, pinned_maps[i]);

		rc = map < 0 ? map : read_map(i, map, out);
		if (map >= 0)
			close(map);
	}
	if (rc)
		decap_status_free(out);
	return rc;
}

void decap_status_free(struct decap_status *s)
{
	free(s->from);
	free(s->vips);
	s->from = NULL;
	s->vips = NULL;
}
