/* SPDX-License-Identifier: BSD-2-Clause */
#include "bpf/loader.h"
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>
#include "bpf/bpffs.h"
#include "bpf/serving.h"
#include "bpf/tandem.skel.h"
#include "dataplane/l4/capture.h"
#include "dataplane/l4/datagram.h"
#include "dataplane/l4/proxied.h"
#include "dataplane/l4/verdict.h"

struct loader {
	struct tandem_bpf *bpf;
	/* Other instances over the same maps; NULL: nobody has asked for it yet, nobody captures. */
	struct tandem_bpf *trace, *capture;
	char root[PATH_MAX - 64]; /* the bpffs, or "" */
	uint32_t image_lines;
	int image; /* the map of what was published last; -1: nothing was */
	bool yields;
	struct loader_past past;
};

/* The maps that a later process looks for. */
struct kept_map {
	struct bpf_map *map;
	bool carried; /* by itself, when its shape is the same; else by value or not at all */
};

enum { KEPT_MAPS = 12 };

static void kept_maps(const struct loader *l, struct kept_map out[KEPT_MAPS])
{
	struct tandem_bpf *b = l->bpf;

	out[0] = (struct kept_map){ b->maps.service_counters, true };
	out[1] = (struct kept_map){ b->maps.server_counters, true };
	out[2] = (struct kept_map){ b->maps.verdict_counters, true };
	out[3] = (struct kept_map){ b->maps.vip_drops, true };
	out[4] = (struct kept_map){ b->maps.service_drops, true };
	out[5] = (struct kept_map){ b->maps.record_counters, true };
	out[6] = (struct kept_map){ b->maps.generation, false };
	out[7] = (struct kept_map){ b->maps.rings, false };
	out[8] = (struct kept_map){ b->maps.neighbours, false };
	out[9] = (struct kept_map){ b->maps.records, false };
	out[10] = (struct kept_map){ b->maps.floods, true };
	out[11] = (struct kept_map){ b->maps.proxied, false };
}

static void pin_dir(const struct loader *l, const char *suffix, char *path, size_t size)
{
	snprintf(path, size, "%s/v%d%s", l->root, L4_TABLES_VERSION, suffix);
}

static void pin_path(const struct loader *l, const char *suffix, const struct bpf_map *map,
	char *path, size_t size)
{
	snprintf(path, size, "%s/v%d%s/%s", l->root, L4_TABLES_VERSION, suffix, bpf_map__name(map));
}

static int quiet(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	(void)level;
	(void)fmt;
	(void)ap;
	return 0;
}

/* The lowest that is n or more. */
static uint32_t power_of_two(uint32_t n)
{
	uint32_t to = 1;

	while (to < n && to < 1u << 31)
		to *= 2;
	return to;
}

static uint32_t record_buckets(uint32_t records)
{
	return power_of_two(
		(records < LOADER_MIN_RECORDS ? LOADER_MIN_RECORDS : records) / L4_BUCKET_RECORDS);
}

static uint32_t source_buckets(uint32_t sources)
{
	return power_of_two(
		(sources < LOADER_MIN_SOURCES ? LOADER_MIN_SOURCES : sources) / L4_BUCKET_SOURCES);
}

static uint32_t datagram_buckets(uint32_t datagrams)
{
	return power_of_two((datagrams < LOADER_MIN_DATAGRAMS ? LOADER_MIN_DATAGRAMS : datagrams) /
			    L4_BUCKET_DATAGRAMS);
}

static uint32_t proxied_buckets(uint32_t proxied)
{
	return power_of_two(
		(proxied < LOADER_MIN_PROXIED ? LOADER_MIN_PROXIED : proxied) / L4_BUCKET_PROXIED);
}

/* Of the object's programs, each instance loads one. */
static void load_only(struct tandem_bpf *b, const struct bpf_program *wanted)
{
	struct bpf_program *p;

	bpf_object__for_each_program(p, b->obj)
	{
		bpf_program__set_autoload(p, p == wanted);
	}
}

static void set_sizes(struct tandem_bpf *b, const struct loader_sizes *s)
{
	bpf_map__set_max_entries(b->maps.rings, s->ring_chunks);
	bpf_map__set_max_entries(b->maps.guard, s->guard_lines ? s->guard_lines : 1);
	bpf_map__set_max_entries(b->maps.routes4, s->routes);
	bpf_map__set_max_entries(b->maps.routes6, s->routes);
	bpf_map__set_max_entries(b->maps.neighbours, s->neighbours);
	bpf_map__set_max_entries(b->maps.neighbour_rows, s->neighbours);
	bpf_map__set_max_entries(b->maps.service_counters, s->services + 1);
	bpf_map__set_max_entries(b->maps.server_counters, s->servers + 1);
	bpf_map__set_max_entries(b->maps.records, record_buckets(s->records));
	bpf_map__set_max_entries(b->maps.sources, source_buckets(s->sources));
	b->rodata->source_bits = (uint32_t)__builtin_ctz(source_buckets(s->sources));
	bpf_map__set_max_entries(b->maps.datagrams, datagram_buckets(s->datagrams));
	b->rodata->datagram_bits = (uint32_t)__builtin_ctz(datagram_buckets(s->datagrams));
	bpf_map__set_max_entries(b->maps.floods, s->services + 1);
	bpf_map__set_max_entries(b->maps.proxied, proxied_buckets(s->proxied));
	bpf_map__set_max_entries(b->maps.vip_drops, s->addresses + 1);
	bpf_map__set_max_entries(b->maps.service_drops, s->services + 1);
}

/* One value holds all lines: the program reaches them from one pointer, without a look-up each. A table of ports is read
 * as if it were whole, also from the last of them. */
static int image_map_new(uint32_t lines)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_MMAPABLE);

	return bpf_map_create(BPF_MAP_TYPE_ARRAY, "image", sizeof(uint32_t),
		(uint32_t)((lines + L4_PORTS_LINES) * sizeof(struct l4_line)), 1, &opts);
}

/* Copies a per-CPU map of another size, as far as both reach. */
static void carry_values(int from, int to, uint32_t value_size, uint32_t n)
{
	void *values = calloc((size_t)libbpf_num_possible_cpus(), value_size);

	for (uint32_t i = 0; values && i < n; i++)
		if (!bpf_map_lookup_elem(from, &i, values))
			bpf_map_update_elem(to, &i, values, BPF_ANY);
	free(values);
}

static int old_map(const struct loader *l, const struct bpf_map *map, struct bpf_map_info *info)
{
	uint32_t size = sizeof *info;
	char path[PATH_MAX];
	int fd;

	pin_path(l, "", map, path, sizeof path);
	fd = bpf_obj_get(path);
	if (fd < 0)
		return fd;
	memset(info, 0, sizeof *info);
	if (!bpf_obj_get_info_by_fd(fd, info, &size) && info->type == bpf_map__type(map) &&
		info->key_size == bpf_map__key_size(map) &&
		info->value_size == bpf_map__value_size(map))
		return fd;
	close(fd);
	return -EINVAL;
}

/* Before the load: counters of the same shape are used on. */
static void reuse_counters(struct loader *l)
{
	struct kept_map kept[KEPT_MAPS];

	kept_maps(l, kept);
	for (int i = 0; i < KEPT_MAPS; i++) {
		struct bpf_map_info info;
		int fd = kept[i].carried ? old_map(l, kept[i].map, &info) : -1;

		if (fd < 0)
			continue;
		l->past.counters = true;
		if (info.max_entries == bpf_map__max_entries(kept[i].map))
			bpf_map__reuse_fd(kept[i].map, fd);
		close(fd);
	}
}

/* After the load: counters of another size go over by value. */
static void copy_counters(struct loader *l)
{
	struct kept_map kept[KEPT_MAPS];

	kept_maps(l, kept);
	for (int i = 0; i < KEPT_MAPS; i++) {
		uint32_t n = bpf_map__max_entries(kept[i].map);
		struct bpf_map_info info;
		int fd = kept[i].carried ? old_map(l, kept[i].map, &info) : -1;

		if (fd < 0)
			continue;
		if (info.max_entries != n)
			carry_values(fd, bpf_map__fd(kept[i].map), (info.value_size + 7) / 8 * 8,
				info.max_entries < n ? info.max_entries : n);
		close(fd);
	}
}

/* Maps `n` values of a map into memory; NULL when that fails. */
static void *map_values(int fd, uint32_t n, uint32_t value_size)
{
	void *p = mmap(NULL, (size_t)n * value_size, PROT_READ, MAP_SHARED, fd, 0);

	return p == MAP_FAILED ? NULL : p;
}

static bool is_empty_record(const void *entry)
{
	return l4_record_state(((const struct l4_record *)entry)->what) == L4_RECORD_EMPTY;
}

static bool is_empty_proxied(const void *entry)
{
	return l4_proxied_state(((const struct l4_proxied *)entry)->what) == L4_PROXIED_EMPTY;
}

/* A table of what lives, in entries of so many bytes. */
struct live_table {
	struct bpf_map *map;
	size_t entry_size;
	bool (*is_empty)(const void *entry);
	bool *kept;
};

static bool table_is_empty(const struct live_table *t, int fd, const struct bpf_map_info *info)
{
	const size_t size = (size_t)info->max_entries * info->value_size;
	const char *entries = map_values(fd, info->max_entries, info->value_size);
	bool empty = true;

	for (size_t at = 0; entries && at < size && empty; at += t->entry_size)
		empty = t->is_empty(entries + at);
	if (entries)
		munmap((void *)entries, size);
	return entries && empty;
}

/* Before the load: what lives is used on, in a table of whatever size; only an empty one is replaced. */
static void reuse_table(const struct loader *l, const struct live_table *t)
{
	struct bpf_map_info info;
	int fd = old_map(l, t->map, &info);

	if (fd < 0)
		return;
	if (info.max_entries == bpf_map__max_entries(t->map)) {
		bpf_map__reuse_fd(t->map, fd);
	} else if (!table_is_empty(t, fd, &info)) {
		*t->kept = true;
		bpf_map__set_max_entries(t->map, info.max_entries);
		bpf_map__reuse_fd(t->map, fd);
	}
	close(fd);
}

static void reuse_tables(struct loader *l)
{
	const struct live_table tables[] = {
		{ l->bpf->maps.records, sizeof(struct l4_record), is_empty_record,
			&l->past.records_kept },
		{ l->bpf->maps.proxied, sizeof(struct l4_proxied), is_empty_proxied,
			&l->past.proxied_kept },
	};

	for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
		reuse_table(l, &tables[i]);
}

/* The program finds buckets by so many of a hash's highest bits. */
static uint32_t bucket_bits(const struct bpf_map *map)
{
	return (uint32_t)__builtin_ctz(bpf_map__max_entries(map));
}

/* The last image, and the rings beside it, as long as this process lives. */
static void read_image(struct loader *l, int image)
{
	struct loader_past *past = &l->past;
	struct bpf_map_info info = { 0 };
	uint32_t size = sizeof info;
	struct l4_root *root;
	int rings;

	if (bpf_obj_get_info_by_fd(image, &info, &size) || info.value_size < sizeof *root)
		return;
	root = map_values(image, 1, info.value_size);
	if (!root || root->magic != L4_TABLES_MAGIC) {
		if (root)
			munmap(root, info.value_size);
		return;
	}
	past->generation = root->generation;
	past->image = (struct l4_line *)root;
	past->image_lines = info.value_size / sizeof *past->image;
	rings = old_map(l, l->bpf->maps.rings, &info);
	if (rings < 0)
		return;
	past->rings = map_values(rings, info.max_entries, sizeof *past->rings);
	past->n_chunks = past->rings ? info.max_entries : 0;
	close(rings);
}

static void read_generation(struct loader *l)
{
	uint32_t zero = 0, id;
	struct bpf_map_info info;
	int outer = old_map(l, l->bpf->maps.generation, &info), inner;

	if (outer < 0)
		return;
	if (!bpf_map_lookup_elem(outer, &zero, &id) && (inner = bpf_map_get_fd_by_id(id)) >= 0) {
		read_image(l, inner);
		close(inner);
	}
	close(outer);
}

static void read_neighbours(struct loader *l)
{
	struct bpf_map_info info;
	int fd = old_map(l, l->bpf->maps.neighbours, &info);
	size_t size;
	void *rows;

	if (fd < 0)
		return;
	size = (size_t)info.max_entries * info.value_size;
	rows = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	if (rows == MAP_FAILED)
		return;
	l->past.neighbours = malloc(size);
	if (l->past.neighbours) {
		memcpy(l->past.neighbours, rows, size);
		l->past.n_neighbours = info.max_entries;
	}
	munmap(rows, size);
}

/* Pins of other layouts: their directory's name is another v<number>. */
static bool is_other_layout(const char *name)
{
	return name[0] == 'v' && strtol(name + 1, NULL, 10) != L4_TABLES_VERSION;
}

static void look_for_other_layouts(struct loader *l, bool remove)
{
	DIR *d = opendir(l->root);
	char path[PATH_MAX];
	struct dirent *e;

	while (d && (e = readdir(d))) {
		if (!is_other_layout(e->d_name))
			continue;
		l->past.other_layout = true;
		snprintf(path, sizeof path, "%s/%.60s", l->root, e->d_name);
		if (remove)
			bpffs_remove(path);
	}
	if (d)
		closedir(d);
}

bool loader_kernel_is_known(const char *release)
{
	char *end;
	unsigned long major = strtoul(release, &end, 10);
	unsigned long minor = *end == '.' ? strtoul(end + 1, NULL, 10) : 0;

	return major > 6 || (major == 6 && minor >= 1);
}

static int open_run_dir(struct loader *l, const char *run_dir)
{
	char path[PATH_MAX];
	int rc;

	if ((size_t)snprintf(l->root, sizeof l->root, "%s/bpf", run_dir) >= sizeof l->root)
		return -ENAMETOOLONG;
	rc = bpffs_mount(l->root);
	if (rc)
		return rc == -ENODEV ? -ENOENT : rc;
	pin_dir(l, "-new", path, sizeof path);
	bpffs_remove(path); /* of a process that died on its way */
	look_for_other_layouts(l, false);
	rc = serving_links(run_dir);
	l->past.links = rc > 0 ? (unsigned)rc : 0;
	return rc < 0 ? rc : 0;
}

int loader_open(
	struct loader **out, const char *run_dir, const struct loader_sizes *sizes, bool trace)
{
	struct loader *l = calloc(1, sizeof *l);
	int rc = -ENOMEM, image = -1;
	struct utsname host;

	if (!l)
		return rc;
	l->image = -1;
	if (!uname(&host) && !loader_kernel_is_known(host.release)) {
		rc = -EOPNOTSUPP;
		goto fail;
	}
	libbpf_set_print(quiet);
	l->image_lines = power_of_two(sizes->image_lines);
	if (run_dir && (rc = open_run_dir(l, run_dir)))
		goto fail;
	l->bpf = tandem_bpf__open();
	if (!l->bpf) {
		rc = -errno;
		goto fail;
	}
	l->bpf->rodata->reports = trace ? L4_REPORTS_TRACE : L4_REPORTS_NOBODY;
	l->bpf->rodata->test_time_on = trace;
	l->bpf->rodata->image_mask = l->image_lines - 1;
	l->bpf->rodata->image_bytes_mask = sizeof(struct l4_line) * l->image_lines - 1;
	load_only(l->bpf, l->bpf->progs.tandem_xdp);
	set_sizes(l->bpf, sizes);
	image = image_map_new(l->image_lines);
	if (image < 0) {
		rc = image;
		goto fail;
	}
	bpf_map__set_inner_map_fd(l->bpf->maps.generation, image);
	if (run_dir) {
		reuse_counters(l);
		reuse_tables(l);
	}
	l->bpf->rodata->record_bits = bucket_bits(l->bpf->maps.records);
	l->bpf->rodata->proxied_bits = bucket_bits(l->bpf->maps.proxied);
	rc = tandem_bpf__load(l->bpf);
	if (rc) {
		rc = rc == -EPERM || rc == -ENOMEM ? rc : -EOPNOTSUPP;
		goto fail;
	}
	close(image);
	if (run_dir) {
		copy_counters(l);
		read_generation(l);
		read_neighbours(l);
	}
	*out = l;
	return 0;
fail:
	if (image >= 0)
		close(image);
	loader_close(l);
	return rc;
}

void loader_close(struct loader *l)
{
	if (!l)
		return;
	if (l->capture)
		loader_capture_end(l);
	tandem_bpf__destroy(l->trace);
	tandem_bpf__destroy(l->bpf);
	if (l->image >= 0)
		close(l->image);
	free(l->past.neighbours);
	if (l->past.image)
		munmap(l->past.image, l->past.image_lines * sizeof *l->past.image);
	if (l->past.rings)
		munmap((void *)l->past.rings, l->past.n_chunks * sizeof *l->past.rings);
	free(l);
}

const struct loader_past *loader_past(const struct loader *l)
{
	return &l->past;
}

struct tandem_bpf *loader_bpf(const struct loader *l)
{
	return l->bpf;
}

/* What each instance of the object has to itself. */
static bool is_private(const struct tandem_bpf *b, const struct bpf_map *map)
{
	return map == b->maps.traced || map == b->maps.capture_filter || map == b->maps.captured ||
	       map == b->maps.captures || map == b->maps.captures_lost || bpf_map__is_internal(map);
}

static int share_maps(struct tandem_bpf *to, const struct tandem_bpf *from)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, to->obj)
	{
		const char *name = bpf_map__name(map);
		int rc;

		if (is_private(to, map))
			continue;
		rc = bpf_map__reuse_fd(map, bpf_object__find_map_fd_by_name(from->obj, name));
		if (rc)
			return rc;
	}
	return 0;
}

/* Another instance of the object over the maps of the attached one, which loads this program of it. */
static int instance_load(struct tandem_bpf *b, const struct tandem_bpf *attached,
	const struct bpf_program *program, enum l4_reports reports)
{
	int rc;

	*b->rodata = *attached->rodata;
	b->rodata->reports = reports;
	load_only(b, program);
	rc = share_maps(b, attached);
	return rc ? rc : tandem_bpf__load(b);
}

static void instance_free(struct tandem_bpf **b)
{
	tandem_bpf__destroy(*b);
	*b = NULL;
}

int loader_trace(struct loader *l, struct tandem_bpf **out)
{
	int rc = 0;

	if (!l->trace) {
		l->trace = tandem_bpf__open();
		if (!l->trace)
			return -errno;
		rc = instance_load(
			l->trace, l->bpf, l->trace->progs.tandem_trace, L4_REPORTS_NOBODY);
		if (rc)
			instance_free(&l->trace);
	}
	*out = l->trace;
	return rc;
}

static int exchange(const struct loader *l, const struct bpf_program *program)
{
	char dir[PATH_MAX];

	links_dir(l->root, dir, sizeof dir);
	return links_exchange(dir, bpf_program__fd(program));
}

int loader_capture(
	struct loader *l, const struct l4_capture_filter *filter, struct tandem_bpf **out)
{
	struct tandem_bpf *b = l->capture ? NULL : tandem_bpf__open();
	uint32_t zero = 0;
	int rc;

	if (!b)
		return l->capture ? -EBUSY : -errno;
	l->capture = b;
	bpf_map__set_max_entries(b->maps.captures, LOADER_CAPTURE_BYTES);
	rc = instance_load(b, l->bpf, b->progs.tandem_capture, L4_REPORTS_CAPTURE);
	if (!rc)
		rc = bpf_map_update_elem(
			bpf_map__fd(b->maps.capture_filter), &zero, filter, BPF_ANY);
	if (!rc && *l->root)
		rc = exchange(l, b->progs.tandem_capture);
	if (rc) {
		loader_capture_end(l);
		return rc;
	}
	*out = b;
	return 0;
}

int loader_capture_end(struct loader *l)
{
	int rc = l->capture && *l->root ? exchange(l, l->bpf->progs.tandem_xdp) : 0;

	instance_free(&l->capture);
	return rc;
}

/* A map with the image in it. Returns its descriptor or a negative errno. */
static int image_write(const struct loader *l, const struct l4_line *image, uint32_t lines)
{
	size_t size = (size_t)l->image_lines * sizeof *image;
	int fd = image_map_new(l->image_lines), rc;
	void *to;

	if (fd < 0)
		return fd;
	to = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (to == MAP_FAILED) {
		rc = -errno;
		close(fd);
		return rc;
	}
	memcpy(to, image, lines * sizeof *image);
	munmap(to, size);
	return fd;
}

/* Returns after an RCU grace period: the kernel waits for programs that still read the former inner map
 * (maybe_wait_bpf_programs()). */
static int enter_image(const struct loader *l, int fd)
{
	uint32_t zero = 0;

	return bpf_map_update_elem(bpf_map__fd(l->bpf->maps.generation), &zero, &fd, BPF_ANY);
}

int loader_publish(struct loader *l, const struct l4_line *image, uint32_t lines)
{
	int fd, rc;

	if (lines > l->image_lines)
		return -ENOSPC;
	fd = image_write(l, image, lines);
	if (fd < 0)
		return fd;
	rc = l->yields ? 0 : enter_image(l, fd);
	if (rc) {
		close(fd);
		return rc;
	}
	if (l->image >= 0)
		close(l->image);
	l->image = fd;
	return 0;
}

/* For serving_take_back(). */
static int pin_yielded(const struct loader *l)
{
	char path[PATH_MAX];
	int rc;

	if (l->image < 0 || !*l->root)
		return 0;
	serving_yielded(path, sizeof path, l->root);
	rc = bpf_obj_pin(l->image, path);
	if (rc != -EEXIST)
		return rc;
	unlink(path);
	return bpf_obj_pin(l->image, path);
}

int loader_cede(const struct loader *l)
{
	char path[PATH_MAX];

	if (!*l->root)
		return 0;
	serving_yielded(path, sizeof path, l->root);
	return unlink(path) && errno != ENOENT ? -errno : 0;
}

/* An image of zeros has no address of ours. */
int loader_yield(struct loader *l)
{
	int fd, rc;

	if (l->yields)
		return 0; /* what was published since has never served */
	fd = image_map_new(l->image_lines);
	if (fd < 0)
		return fd;
	rc = pin_yielded(l);
	if (!rc)
		rc = enter_image(l, fd);
	close(fd);
	l->yields = !rc;
	if (rc)
		loader_cede(l);
	return rc;
}

int loader_resume(struct loader *l)
{
	int rc = l->image < 0 ? 0 : enter_image(l, l->image);

	if (rc)
		return rc;
	l->yields = false;
	return loader_cede(l);
}

static int pin_maps(const struct loader *l)
{
	char now[PATH_MAX], next[PATH_MAX], path[PATH_MAX];
	struct kept_map kept[KEPT_MAPS];

	pin_dir(l, "", now, sizeof now);
	pin_dir(l, "-new", next, sizeof next);
	if (mkdir(next, 0700) && errno != EEXIST)
		return -errno;
	kept_maps(l, kept);
	for (int i = 0; i < KEPT_MAPS; i++) {
		int rc;

		pin_path(l, "-new", kept[i].map, path, sizeof path);
		rc = bpf_obj_pin(bpf_map__fd(kept[i].map), path);
		if (rc && rc != -EEXIST)
			return rc;
	}
	bpffs_remove(now);
	return rename(next, now) ? -errno : 0;
}

int loader_set_ports(struct loader *l, const uint32_t *ifindexes, unsigned n)
{
	int map = bpf_map__fd(l->bpf->maps.tx_ports), rc = 0;

	for (unsigned i = 0; i < n && !rc; i++)
		rc = bpf_map_update_elem(map, &ifindexes[i], &ifindexes[i], BPF_ANY);
	return rc;
}

int loader_attach(struct loader *l, const uint32_t *ifindexes, unsigned n, enum links_mode mode,
	struct links_report *report)
{
	int program = bpf_program__fd(l->bpf->progs.tandem_xdp), rc;
	struct links_change *change;
	char dir[PATH_MAX];

	*report = (struct links_report){ n, n };
	links_dir(l->root, dir, sizeof dir);
	rc = loader_set_ports(l, ifindexes, n);
	if (!rc)
		rc = links_change(&change, dir, program, ifindexes, n, mode, report);
	if (rc)
		return rc;
	rc = pin_maps(l);
	if (rc) {
		links_abort(change);
		return rc;
	}
	links_commit(change);
	look_for_other_layouts(l, true);
	return 0;
}

int loader_links(const char *run_dir)
{
	char root[PATH_MAX - 64], path[PATH_MAX];

	if ((size_t)snprintf(root, sizeof root, "%s/bpf", run_dir) >= sizeof root)
		return -ENAMETOOLONG;
	links_dir(root, path, sizeof path);
	return links_count(path);
}

static bool is_ours(const struct dirent *e)
{
	return e->d_type == DT_DIR && (e->d_name[0] == 'v' || !strcmp(e->d_name, "links"));
}

int loader_detach(const char *run_dir)
{
	char root[PATH_MAX - 64], path[PATH_MAX];
	struct dirent *e;
	int n, rc;
	DIR *d;

	if ((size_t)snprintf(root, sizeof root, "%s/bpf", run_dir) >= sizeof root)
		return -ENAMETOOLONG;
	links_dir(root, path, sizeof path);
	n = links_remove(path);
	rc = n < 0 ? n : 0;
	d = opendir(root);
	while (d && !rc && (e = readdir(d))) {
		if (!is_ours(
			    e)) /* the kernel has files of its own there, and others' tools directories */
			continue;
		snprintf(path, sizeof path, "%s/%.60s", root, e->d_name);
		rc = bpffs_remove(path);
		if (rc > 0)
			rc = 0;
	}
	if (d)
		closedir(d);
	if (!rc)
		rc = bpffs_unmount(root);
	return rc ? rc : n;
}
