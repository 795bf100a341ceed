/* SPDX-License-Identifier: BSD-2-Clause */
/* Frames for XDP sockets, as net_af_xdp and the kernel need them. */
#include "dataplane/dpdk/frames.h"
#include <errno.h>
#include <linux/if_xdp.h>
#include <rte_mbuf.h>
#include <sys/socket.h>
#include <unistd.h>
#include "tests/unit/dpdk/eal.h"
#include "tests/unit/test.h"

enum { FRAMES = 1000 };

static void is_page(struct rte_mempool *pool, void *arg, void *object, unsigned index)
{
	const char *first = *(char **)arg;
	const struct rte_mbuf *m = object;

	assert_ptr_equal(object, first + (size_t)index * (size_t)getpagesize() + pool->header_size);
	assert_int_equal(m->buf_len, frames_page_room());
	assert_int_equal(m->data_off, RTE_PKTMBUF_HEADROOM);
}

static void test_frames_are_pages_without_a_gap(void **state)
{
	struct rte_mempool *pool;
	void *first;
	int rc;

	(void)state;
	pool = frames_new(FRAMES, 1714, true, &rc);
	assert_non_null(pool);
	assert_int_equal(rc, 0);
	first = STAILQ_FIRST(&pool->mem_list)->addr;
	assert_int_equal((uintptr_t)first % (uintptr_t)getpagesize(), 0);
	assert_int_equal(rte_mempool_obj_iter(pool, is_page, (void *)&first), FRAMES);
	rte_mempool_free(pool);
}

static void test_kernel_takes_them(void **state)
{
	struct xdp_umem_reg umem = { .flags = XDP_UMEM_UNALIGNED_CHUNK_FLAG };
	struct rte_mempool *pool;
	int fd = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0), rc;

	(void)state;
	assert_true(fd >= 0);
	pool = frames_new(FRAMES, 1714, true, &rc);
	assert_non_null(pool);
	/* As the driver does it. */
	umem.addr = (uintptr_t)STAILQ_FIRST(&pool->mem_list)->addr;
	umem.chunk_size = rte_mempool_calc_obj_size(pool->elt_size, pool->flags, NULL);
	umem.len = (uint64_t)FRAMES * umem.chunk_size;
	umem.headroom =
		pool->header_size + (uint32_t)sizeof(struct rte_mbuf) + RTE_PKTMBUF_HEADROOM;
	assert_int_equal(setsockopt(fd, SOL_XDP, XDP_UMEM_REG, &umem, sizeof umem), 0);
	assert_int_equal(umem.chunk_size, getpagesize());
	close(fd);
	rte_mempool_free(pool);
}

static void test_room(void **state)
{
	struct rte_mempool *pool;
	int rc;

	(void)state;
	assert_null(frames_new(FRAMES, frames_page_room() + 1, true, &rc));
	assert_int_equal(rc, -EMSGSIZE);
	assert_null(frames_new(1 << 20, 1714, true, &rc));
	assert_int_equal(rc, -ENOMEM);
	pool = frames_new(FRAMES, frames_page_room(), true, &rc);
	assert_non_null(pool);
	rte_mempool_free(pool);
	pool = frames_new(FRAMES, 9200, false, &rc);
	assert_non_null(pool);
	assert_int_equal(rte_pktmbuf_data_room_size(pool), 9200);
	rte_mempool_free(pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_frames_are_pages_without_a_gap),
		cmocka_unit_test(test_kernel_takes_them),
		cmocka_unit_test(test_room),
	};

	if (eal_begin())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
