/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/test.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "dataplane/snapshot/sealed.h"
#include "tests/packets/random.h"

enum { LINES = 5, GUARD = 3, SEALS = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE };

static const struct sealed_limits room = { .lines = 10, .chunks = 8, .guard = 6 };

/* Two rings, of one chunk and of two, and three lines of lists. */
struct generation {
	struct l4_line image[LINES], guard[GUARD];
	struct l4_chunk chunks[3];
	struct snapshot_ring rings[2];
	struct snapshot snapshot;
	struct sealed_guard lists;
};

static void make(struct generation *g)
{
	struct l4_root *root = (struct l4_root *)g->image;

	memset(g, 0, sizeof *g);
	for (unsigned i = 0; i < LINES; i++)
		g->image[i].words[7] = 100 + i;
	for (unsigned i = 0; i < GUARD; i++)
		g->guard[i].words[0] = 200 + i;
	for (unsigned i = 0; i < 3; i++)
		g->chunks[i].slots[L4_CHUNK_SLOTS - 1] = (uint16_t)(300 + i);
	root->magic = L4_TABLES_MAGIC;
	root->version = L4_TABLES_VERSION;
	root->generation = 77;
	g->rings[0] = (struct snapshot_ring){ 7, 1, g->chunks[0].slots };
	g->rings[1] = (struct snapshot_ring){ 2, 2, g->chunks[1].slots };
	g->snapshot = (struct snapshot){ g->image, LINES, g->rings, 2 };
	g->lists = (struct sealed_guard){ g->guard, 3, GUARD };
}

static int written(void)
{
	struct generation g;
	int fd;

	make(&g);
	fd = sealed_write(&g.snapshot, &g.lists);
	assert_true(fd >= 0);
	return fd;
}

static void test_arrives_as_it_was_sent(void **state)
{
	int fd = written();
	struct generation g;
	const char *why = NULL;
	struct sealed s;

	(void)state;
	make(&g);
	assert_int_equal(sealed_read(&s, fd, &room, &why), 0);
	assert_null(why);
	assert_int_equal(s.generation, 77);
	assert_int_equal(s.lines, LINES);
	assert_memory_equal(s.image, g.image, sizeof g.image);
	assert_int_equal(s.guard.first, 3);
	assert_int_equal(s.guard.n, GUARD);
	assert_memory_equal(s.guard.lines, g.guard, sizeof g.guard);
	assert_int_equal(s.n_rings, 2);
	assert_int_equal(s.rings[0].chunk, 7);
	assert_int_equal(s.rings[0].chunks, 1);
	assert_int_equal(s.rings[1].chunk, 2);
	assert_int_equal(s.rings[1].chunks, 2);
	assert_memory_equal(s.chunks, g.chunks, sizeof g.chunks);
	sealed_free(&s);
	assert_null(s.image);
	close(fd);
}

static void test_without_rings_or_lists(void **state)
{
	const struct sealed_guard none = { 0 };
	const char *why = NULL;
	struct generation g;
	struct sealed s;
	int fd;

	(void)state;
	make(&g);
	g.snapshot.n_rings = 0;
	fd = sealed_write(&g.snapshot, &none);
	assert_true(fd >= 0);
	assert_int_equal(sealed_read(&s, fd, &room, &why), 0);
	assert_int_equal(s.n_rings, 0);
	assert_int_equal(s.guard.n, 0);
	assert_memory_equal(s.image, g.image, sizeof g.image);
	sealed_free(&s);
	close(fd);
}

/* Whoever has the file can no more change what is in it. */
static void test_is_sealed(void **state)
{
	int fd = written();

	(void)state;
	assert_int_equal(pwrite(fd, "x", 1, 0), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(ftruncate(fd, 64), -1);
	assert_int_equal(ftruncate(fd, 1 << 20), -1);
	assert_ptr_equal(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), MAP_FAILED);
	assert_int_equal(fcntl(fd, F_GET_SEALS), SEALS | F_SEAL_SEAL);
	close(fd);
}

/* Reads a file that must be refused; nothing may be left of it. */
static void refused(int fd, const struct sealed_limits *l, int rc, const char *sentence)
{
	const char *why = "";
	struct sealed s;

	assert_int_equal(sealed_read(&s, fd, l, &why), rc);
	assert_string_equal(why, sentence);
	assert_null(s.file.map);
	assert_null(s.rings);
}

/* A copy of a good file, as bytes that a test may spoil before they are sealed. */
struct copy {
	uint8_t *bytes;
	size_t n;
};

static struct copy copy_of(int fd)
{
	struct copy c = { .n = (size_t)lseek(fd, 0, SEEK_END) };

	c.bytes = malloc(c.n);
	assert_non_null(c.bytes);
	assert_int_equal(pread(fd, c.bytes, c.n, 0), c.n);
	close(fd);
	return c;
}

static int file_with(const void *bytes, size_t n, int seals)
{
	int fd = memfd_create("test", MFD_ALLOW_SEALING);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, n), n);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, seals), 0);
	return fd;
}

static void refused_bytes(struct copy c, size_t n, int seals, int rc, const char *sentence)
{
	int fd = file_with(c.bytes, n, seals);

	refused(fd, &room, rc, sentence);
	close(fd);
}

static void test_unsealed(void **state)
{
	static const int seals[] = { F_SEAL_SHRINK, F_SEAL_GROW, F_SEAL_WRITE };
	struct copy c = copy_of(written());
	int ends[2], file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	(void)state;
	for (unsigned i = 0; i < 3; i++)
		refused_bytes(c, c.n, SEALS & ~seals[i], -EPERM,
			"is not sealed: whoever sent it could still change it");
	assert_int_equal(pipe(ends), 0);
	refused(ends[0], &room, -EINVAL, "is no memfd");
	refused(file, &room, -EINVAL, "is no memfd");
	refused(-1, &room, -EINVAL, "is no memfd");
	close(ends[0]);
	close(ends[1]);
	close(file);
	free(c.bytes);
}

static void test_wrong_length(void **state)
{
	struct copy c = copy_of(written());
	uint8_t *more = calloc(1, c.n + 1);

	(void)state;
	assert_non_null(more);
	refused_bytes(c, 0, SEALS, -EMSGSIZE, "is shorter than its head");
	refused_bytes(c, 63, SEALS, -EMSGSIZE, "is shorter than its head");
	for (size_t n = 64; n < c.n; n += 8)
		refused_bytes(c, n, SEALS, -EMSGSIZE, "has another length than it says");
	memcpy(more, c.bytes, c.n);
	refused_bytes((struct copy){ more, c.n + 1 }, c.n + 1, SEALS, -EMSGSIZE,
		"has another length than it says");
	free(more);
	free(c.bytes);
}

/* The head's words of 32 bits: where a number stands, and what becomes of another one. */
static void test_wrong_numbers(void **state)
{
	static const struct {
		size_t at;
		uint32_t value;
		int rc;
		const char *sentence;
	} wrong[] = {
		{ 0, 1, -EINVAL, "is no generation of tables" },
		{ 8, L4_TABLES_VERSION + 1, -EINVAL, "is of another version of tandem" },
		{ 12, LINES + 1, -EMSGSIZE, "has another length than it says" },
		{ 12, UINT32_MAX, -EMSGSIZE, "has another length than it says" },
		{ 16, 4, -ENOSPC, "has lists of sources outside the engine's table" },
		{ 16, 7, -ENOSPC, "has lists of sources outside the engine's table" },
		{ 16, UINT32_MAX, -ENOSPC, "has lists of sources outside the engine's table" },
		{ 28, 4, -EMSGSIZE, "has another length than it says" },
		{ 64, 1, -EINVAL, "has no root" },
		{ 68, L4_TABLES_VERSION + 1, -EINVAL, "has no root" },
		{ 72, 0, -EINVAL, "has no root" },
	};
	struct copy good = copy_of(written()), bad = good;

	(void)state;
	bad.bytes = malloc(good.n);
	assert_non_null(bad.bytes);
	for (unsigned i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		memcpy(bad.bytes, good.bytes, good.n);
		memcpy(bad.bytes + wrong[i].at, &wrong[i].value, sizeof wrong[i].value);
		refused_bytes(bad, bad.n, SEALS, wrong[i].rc, wrong[i].sentence);
	}
	free(bad.bytes);
	free(good.bytes);
}

static void refused_rings(uint32_t chunk, uint32_t chunks, int rc, const char *sentence)
{
	struct copy c = copy_of(written());
	struct sealed_ring ring = { chunk, chunks };

	memcpy(c.bytes + c.n - sizeof ring, &ring, sizeof ring);
	refused_bytes(c, c.n, SEALS, rc, sentence);
	free(c.bytes);
}

static void test_wrong_rings(void **state)
{
	static const char outside[] = "has a ring outside the engine's table";

	(void)state;
	refused_rings(7, 2, -ENOSPC, outside);
	refused_rings(9, 0, -ENOSPC, outside);
	refused_rings(UINT32_MAX, 2, -ENOSPC, outside);
	refused_rings(2, UINT32_MAX, -ENOSPC, outside);
	refused_rings(2, 1, -EINVAL, "has other rings than it says");
	refused_rings(2, 3, -EINVAL, "has other rings than it says");
}

static void test_no_room(void **state)
{
	struct sealed_limits less = room;
	int fd = written();

	(void)state;
	less.lines = LINES - 1;
	refused(fd, &less, -ENOSPC, "has more lines than the engine has room for");
	less = room;
	less.chunks = 2;
	refused(fd, &less, -ENOSPC, "has more rings than the engine has room for");
	less.chunks = 7;
	refused(fd, &less, -ENOSPC, "has a ring outside the engine's table");
	less = room;
	less.guard = 5;
	refused(fd, &less, -ENOSPC, "has lists of sources outside the engine's table");
	close(fd);
}

/* What is taken lies within the file and the engine's tables, whatever its bytes are. */
static void check_taken(const struct sealed *s)
{
	uint64_t sum = 0, chunks = 0;

	assert_in_range(s->lines, L4_LINE_FIRST, room.lines);
	assert_in_range(s->guard.first + (uint64_t)s->guard.n, 0, room.guard);
	for (uint32_t i = 0; i < s->lines; i++)
		sum += s->image[i].words[7];
	for (uint32_t i = 0; i < s->guard.n; i++)
		sum += s->guard.lines[i].words[7];
	for (uint32_t i = 0; i < s->n_rings; i++) {
		assert_in_range(s->rings[i].chunk + (uint64_t)s->rings[i].chunks, 0, room.chunks);
		for (uint32_t k = 0; k < s->rings[i].chunks; k++)
			sum += s->chunks[chunks++].slots[L4_CHUNK_SLOTS - 1];
	}
	assert_in_range(sum, 1, UINT64_MAX - 1);
}

static void test_any_bytes(void **state)
{
	struct copy good = copy_of(written()), bad = good;
	unsigned taken = 0;
	uint64_t random = 1;

	(void)state;
	bad.bytes = malloc(good.n);
	assert_non_null(bad.bytes);
	for (unsigned i = 0; i < 20000; i++) {
		uint32_t spoiled = random_below(&random, 3) + 1, at;
		const char *why = "";
		struct sealed s;
		int fd;

		memcpy(bad.bytes, good.bytes, good.n);
		while (spoiled--) { /* of the head, the root or the list of rings */
			at = random_below(&random, 96 + 16);
			at = at < 96 ? at : (uint32_t)good.n - 16 + (at - 96);
			bad.bytes[at] = (uint8_t)random_below(&random, 12);
		}
		fd = file_with(bad.bytes, bad.n, SEALS);
		if (!sealed_read(&s, fd, &room, &why)) {
			check_taken(&s);
			sealed_free(&s);
			taken++;
		}
		close(fd);
	}
	assert_in_range(taken, 100, 19000); /* some of either kind */
	free(bad.bytes);
	free(good.bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_arrives_as_it_was_sent),
		cmocka_unit_test(test_without_rings_or_lists),
		cmocka_unit_test(test_is_sealed),
		cmocka_unit_test(test_unsealed),
		cmocka_unit_test(test_wrong_length),
		cmocka_unit_test(test_wrong_numbers),
		cmocka_unit_test(test_wrong_rings),
		cmocka_unit_test(test_no_room),
		cmocka_unit_test(test_any_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
