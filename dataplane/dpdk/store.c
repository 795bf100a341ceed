/* SPDX-License-Identifier: BSD-2-Clause */
#include "dataplane/dpdk/store.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>
#include "dataplane/dpdk/neighbour_index.h"
#include "dataplane/l4/datagram.h"
#include "dataplane/l4/flood.h"
#include "dataplane/l4/proxied.h"
#include "dataplane/l4/record.h"
#include "dataplane/l4/verdict.h"

#define MAGIC	0x65726f74736d6474 /* no other file of the project's begins like this */
#define VERSION ((uint32_t)L4_TABLES_VERSION << 8 | 1)

enum { HEAD_SIZE = 4096, CACHE_LINE = 64, NAME_MAX_SIZE = 256 };

struct head {
	uint64_t magic;
	uint32_t version, row_size, rows, blocks;
};

/* What becomes of a table of another geometry. */
enum when_other { BEGIN_ANEW, CARRY_OVER, KEEP_WHAT_LIVES };

static const struct {
	const char *name;
	uint32_t row_size;
	enum when_other when_other;
} kinds[STORE_KINDS] = {
	[STORE_NEIGHBOURS] = { "neighbours", sizeof(struct l4_neighbour), BEGIN_ANEW },
	[STORE_CELLS] = { "neighbour-index", sizeof(uint32_t), BEGIN_ANEW },
	[STORE_CELLS_KEY] = { "neighbour-key", sizeof(uint64_t[2]), BEGIN_ANEW },
	[STORE_RECORDS] = { "records", sizeof(struct l4_record_bucket), KEEP_WHAT_LIVES },
	[STORE_SOURCES] = { "sources", sizeof(struct l4_source_bucket), BEGIN_ANEW },
	[STORE_DATAGRAMS] = { "datagrams", sizeof(struct l4_datagram_bucket), BEGIN_ANEW },
	[STORE_PROXIED] = { "proxied", sizeof(struct l4_proxied_bucket), KEEP_WHAT_LIVES },
	[STORE_FLOODS] = { "floods", sizeof(struct l4_flood), CARRY_OVER },
	[STORE_VERDICTS] = { "verdicts", sizeof(uint64_t[L4_V_COUNT]), CARRY_OVER },
	[STORE_PLACES] = { "places", sizeof(uint64_t[L4_PLACE_COUNT]), CARRY_OVER },
	[STORE_SERVICES] = { "services", sizeof(struct l4_counter), CARRY_OVER },
	[STORE_SERVERS] = { "servers", sizeof(struct l4_counter), CARRY_OVER },
	[STORE_VIP_DROPS] = { "vip-drops", sizeof(uint64_t[L4_V_COUNT]), CARRY_OVER },
	[STORE_SERVICE_DROPS] = { "service-drops", sizeof(uint64_t[L4_V_COUNT]), CARRY_OVER },
};

/* Two buckets, or more, for so many entries. */
static uint32_t buckets(uint32_t entries, uint32_t a_bucket)
{
	uint32_t n = 2;

	while ((uint64_t)a_bucket * n < entries && n < 1u << 31)
		n *= 2;
	return n;
}

static uint32_t rows_of(enum store_kind kind, const struct store_sizes *s)
{
	switch (kind) {
	case STORE_NEIGHBOURS:
		return s->neighbours;
	case STORE_CELLS:
		return 1u << neighbour_index_bits(s->neighbours);
	case STORE_RECORDS:
		return buckets(s->records, L4_BUCKET_RECORDS);
	case STORE_SOURCES:
		return buckets(s->sources, L4_BUCKET_SOURCES);
	case STORE_DATAGRAMS:
		return buckets(s->datagrams, L4_BUCKET_DATAGRAMS);
	case STORE_PROXIED:
		return buckets(s->proxied, L4_BUCKET_PROXIED);
	case STORE_FLOODS:
	case STORE_SERVICES:
	case STORE_SERVICE_DROPS:
		return s->services + 1;
	case STORE_SERVERS:
		return s->servers + 1;
	case STORE_VIP_DROPS:
		return s->vips + 1;
	default:
		return 1;
	}
}

static uint32_t blocks_of(enum store_kind kind, const struct store_sizes *s)
{
	if (kind == STORE_VERDICTS)
		return s->workers + 2;
	if (kind > STORE_VERDICTS)
		return s->workers + 1;
	return kind == STORE_NEIGHBOURS || kind == STORE_CELLS ? STORE_BANKS : 1;
}

/* Fills in where blocks lie. False: a file cannot be so large. */
static bool shape(struct store_table *t, uint32_t row_size, uint32_t rows, uint32_t blocks)
{
	uint64_t stride = ((uint64_t)row_size * rows + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE;

	if (!rows || !blocks || blocks > STORE_MAX_WORKERS + 2 || stride > SIZE_MAX / 2 / blocks)
		return false;
	t->row_size = row_size;
	t->rows = rows;
	t->blocks = blocks;
	t->stride = (size_t)stride;
	t->map_size = HEAD_SIZE + t->stride * blocks;
	return true;
}

static int map_file(struct store_table *t, int fd)
{
	struct stat st;

	t->map = mmap(NULL, t->map_size, PROT_READ | PROT_WRITE,
		fd < 0 ? MAP_SHARED | MAP_ANONYMOUS : MAP_SHARED, fd, 0);
	if (t->map == MAP_FAILED) {
		t->map = NULL;
		return -errno;
	}
	t->memory = (uint8_t *)t->map + HEAD_SIZE;
	if (fd >= 0 && !fstat(fd, &st)) {
		t->device = st.st_dev;
		t->inode = st.st_ino;
	}
	return 0;
}

static void path_of(char out[NAME_MAX_SIZE], const char *dir, enum store_kind kind, bool is_new)
{
	snprintf(out, NAME_MAX_SIZE, "%s/%s%s", dir, kinds[kind].name, is_new ? ".new" : "");
}

/* Whether a file is one of this kind and version; then it is as large as it says. */
static bool is_table(struct store_table *t, int fd, enum store_kind kind)
{
	struct head h;
	struct stat st;

	if (fstat(fd, &st) || pread(fd, &h, sizeof h, 0) != sizeof h)
		return false;
	if (h.magic != MAGIC || h.version != VERSION || h.row_size != kinds[kind].row_size)
		return false;
	return shape(t, h.row_size, h.rows, h.blocks) && st.st_size == (off_t)t->map_size;
}

/* Maps the file as it is. -EPROTO: it is not one of this kind and version. */
static int map_what_is_there(struct store_table *t, const char *dir, enum store_kind kind)
{
	char path[NAME_MAX_SIZE];
	int rc, fd;

	path_of(path, dir, kind, false);
	fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return -errno;
	*t = (struct store_table){ 0 };
	rc = is_table(t, fd, kind) ? map_file(t, fd) : -EPROTO;
	close(fd);
	return rc;
}

static int make_file(struct store_table *t, const char *dir, enum store_kind kind)
{
	const struct head h = { MAGIC, VERSION, t->row_size, t->rows, t->blocks };
	char path[NAME_MAX_SIZE];
	int rc, fd;

	path_of(path, dir, kind, true);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return -errno;
	rc = ftruncate(fd, (off_t)t->map_size) || pwrite(fd, &h, sizeof h, 0) != sizeof h ? -errno
											  : 0;
	if (!rc)
		rc = map_file(t, fd);
	close(fd);
	return rc;
}

static void unmap(struct store_table *t)
{
	if (t->map)
		munmap(t->map, t->map_size);
	*t = (struct store_table){ 0 };
}

static bool is_empty(const struct store_table *t)
{
	const uint64_t *words = (const uint64_t *)t->memory;
	size_t n = t->stride * t->blocks / sizeof *words;

	for (size_t i = 0; i < n; i++)
		if (words[i])
			return false;
	return true;
}

static void carry_over(const struct store_table *from, struct store_table *to)
{
	uint32_t blocks = from->blocks < to->blocks ? from->blocks : to->blocks;
	uint32_t rows = from->rows < to->rows ? from->rows : to->rows;

	for (uint32_t i = 0; i < blocks; i++)
		memcpy(to->memory + i * to->stride, from->memory + i * from->stride,
			(size_t)rows * to->row_size);
}

/* Puts a file as `t` says in the place of what is there. */
static int replace(
	struct store_table *t, const struct store_table *old, const char *dir, enum store_kind kind)
{
	char path[NAME_MAX_SIZE], made[NAME_MAX_SIZE];
	int rc = make_file(t, dir, kind);

	if (rc)
		return rc;
	if (old->map && kinds[kind].when_other == CARRY_OVER) {
		carry_over(old, t);
		t->adopted = true;
	}
	path_of(path, dir, kind, false);
	path_of(made, dir, kind, true);
	return rename(made, path) ? -errno : 0;
}

static int open_one(struct store_table *t, const char *dir, enum store_kind kind,
	const struct store_sizes *sizes)
{
	uint32_t blocks = blocks_of(kind, sizes), rows = rows_of(kind, sizes);
	struct store_table old = { 0 };
	int rc = dir ? map_what_is_there(&old, dir, kind) : -ENOENT;

	if (rc && rc != -ENOENT && rc != -EPROTO)
		return rc;
	if (old.map && old.blocks > blocks)
		blocks = old.blocks; /* of workers that there are no more */
	if (old.map && old.rows == rows && old.blocks == blocks) {
		*t = old;
		t->adopted = true;
		return 0;
	}
	if (old.map && kinds[kind].when_other == KEEP_WHAT_LIVES && !is_empty(&old)) {
		*t = old;
		t->adopted = t->kept = true;
		return 0;
	}
	if (!shape(t, kinds[kind].row_size, rows, blocks))
		rc = -EINVAL;
	else
		rc = dir ? replace(t, &old, dir, kind) : map_file(t, -1);
	unmap(&old);
	return rc;
}

/* Entries that a process had claimed when it was killed, which nobody would ever write: they are freed. */
static void free_records(const struct store_table *t)
{
	struct l4_record_bucket *b = (struct l4_record_bucket *)t->memory;

	for (uint32_t i = 0; t->adopted && i < t->rows * L4_BUCKET_RECORDS; i++) {
		struct l4_record *r = &b[i / L4_BUCKET_RECORDS].records[i % L4_BUCKET_RECORDS];

		if (l4_record_state(r->what) == L4_RECORD_BUSY)
			r->what = 0;
	}
}

static void free_datagrams(const struct store_table *t)
{
	struct l4_datagram_bucket *b = (struct l4_datagram_bucket *)t->memory;

	for (uint32_t i = 0; t->adopted && i < t->rows * L4_BUCKET_DATAGRAMS; i++) {
		struct l4_record *r =
			&b[i / L4_BUCKET_DATAGRAMS].datagrams[i % L4_BUCKET_DATAGRAMS];

		if (l4_datagram_state(r->what) == L4_DATAGRAM_BUSY)
			r->what = 0;
	}
}

static void free_proxied(const struct store_table *t)
{
	struct l4_proxied_bucket *b = (struct l4_proxied_bucket *)t->memory;

	for (uint32_t i = 0; t->adopted && i < t->rows * L4_BUCKET_PROXIED; i++) {
		struct l4_proxied *p = &b[i / L4_BUCKET_PROXIED].entries[i % L4_BUCKET_PROXIED];

		if (l4_proxied_state(p->what) == L4_PROXIED_BUSY)
			p->what = 0;
	}
}

/* The index' hash has a key of its own, which nobody guesses; whoever made the file may not have got as far. */
static int seed_index(struct store *s)
{
	uint64_t *key = store_block(s, STORE_CELLS_KEY, 0);
	size_t size = kinds[STORE_CELLS_KEY].row_size;

	if (key[0] || key[1] || getrandom(key, size, 0) == (ssize_t)size)
		return 0;
	return -EAGAIN;
}

int store_open(
	struct store *out, const char *dir, const struct store_sizes *sizes, const char **what)
{
	int rc;

	*out = (struct store){ 0 };
	*what = "";
	if (!sizes->workers || sizes->workers > STORE_MAX_WORKERS)
		return -EINVAL;
	for (enum store_kind k = 0; k < STORE_KINDS; k++) {
		rc = open_one(&out->tables[k], dir, k, sizes);

		if (!rc)
			continue;
		*what = kinds[k].name;
		store_close(out);
		return rc;
	}
	free_records(&out->tables[STORE_RECORDS]);
	free_datagrams(&out->tables[STORE_DATAGRAMS]);
	free_proxied(&out->tables[STORE_PROXIED]);
	rc = seed_index(out);
	if (rc) {
		*what = kinds[STORE_CELLS_KEY].name;
		store_close(out);
	}
	return rc;
}

int store_join(struct store *out, const char *dir, const char **what)
{
	*out = (struct store){ 0 };
	for (enum store_kind k = 0; k < STORE_KINDS; k++) {
		int rc = map_what_is_there(&out->tables[k], dir, k);

		out->tables[k].adopted = !rc;
		if (!rc)
			continue;
		*what = kinds[k].name;
		store_close(out);
		return rc;
	}
	return 0;
}

bool store_is(const struct store *s, const char *dir)
{
	for (enum store_kind k = 0; k < STORE_KINDS; k++) {
		const struct store_table *t = &s->tables[k];
		char path[NAME_MAX_SIZE];
		struct stat st;

		path_of(path, dir, k, false);
		if (lstat(path, &st) || st.st_dev != t->device || st.st_ino != t->inode)
			return false;
	}
	return true;
}

void store_close(struct store *s)
{
	for (enum store_kind k = 0; k < STORE_KINDS; k++)
		unmap(&s->tables[k]);
}

int store_remove(const char *dir)
{
	int n = 0;

	for (enum store_kind k = 0; k < STORE_KINDS; k++)
		for (int is_new = 0; is_new < 2; is_new++) {
			char path[NAME_MAX_SIZE];

			path_of(path, dir, k, is_new);
			if (!unlink(path))
				n++;
			else if (errno != ENOENT)
				return -errno;
		}
	return n;
}

uint32_t store_bits(const struct store *s, enum store_kind kind)
{
	return 31u - (uint32_t)__builtin_clz(s->tables[kind].rows);
}

static uint64_t *words_of(const struct store_table *t, uint32_t row, uint32_t block)
{
	return (uint64_t *)(t->memory + block * t->stride + (size_t)row * t->row_size);
}

int store_sum(const struct store *s, enum store_kind kind, uint32_t row, uint64_t *out)
{
	const struct store_table *t = &s->tables[kind];
	size_t n = t->row_size / sizeof *out;

	memset(out, 0, t->row_size);
	if (row >= t->rows)
		return -ENOENT;
	for (uint32_t block = 1; block < t->blocks; block++) {
		const uint64_t *words = words_of(t, row, block);

		for (size_t i = 0; i < n; i++)
			out[i] += __atomic_load_n(&words[i], __ATOMIC_RELAXED);
	}
	for (size_t i = 0; i < n; i++)
		out[i] -= words_of(t, row, 0)[i];
	return 0;
}

int store_add(struct store *s, enum store_kind kind, uint32_t row, uint32_t first,
	const uint64_t *more, uint32_t n)
{
	const struct store_table *t = &s->tables[kind];

	if (row >= t->rows || first + n > t->row_size / sizeof *more)
		return -ENOENT;
	for (uint32_t i = 0; i < n; i++)
		words_of(t, row, 0)[first + i] -= more[i];
	return 0;
}

int store_reset(struct store *s, enum store_kind kind, uint32_t row)
{
	const struct store_table *t = &s->tables[kind];
	uint64_t sums[L4_V_COUNT + L4_PLACE_COUNT + 2];
	int rc = store_sum(s, kind, row, sums);

	for (size_t i = 0; !rc && i < t->row_size / sizeof *sums; i++)
		words_of(t, row, 0)[i] += sums[i];
	return rc;
}
