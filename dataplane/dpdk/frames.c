/* SPDX-License-Identifier: BSD-2-Clause */
/* net_af_xdp registers a pool's memory with the kernel as if all objects lay in its first piece without a gap, in chunks as long as
 * these; the kernel takes chunks from 2048 bytes to a page. DPDK begins where it likes, leaves room between objects so that all memory channels
 * are used, and none across pages. So objects are exactly pages, in a piece of memory that begins with one; a driver that does
 * not copy can map such as well. */
#include "dataplane/dpdk/frames.h"
#include <errno.h>
#include <rte_errno.h>
#include <rte_mbuf.h>
#include <rte_mbuf_pool_ops.h>
#include <rte_memzone.h>
#include <unistd.h>

/* Of a page that a frame takes: all but what the pool has before each. */
static uint32_t page_object(void)
{
	struct rte_mempool_objsz size;

	rte_mempool_calc_obj_size(1, RTE_MEMPOOL_F_NO_SPREAD, &size);
	return (uint32_t)getpagesize() - size.header_size;
}

uint32_t frames_page_room(void)
{
	return page_object() - (uint32_t)sizeof(struct rte_mbuf);
}

static void free_memory(struct rte_mempool_memhdr *piece, void *memory)
{
	(void)piece;
	rte_memzone_free(memory);
}

static int populate(struct rte_mempool *pool)
{
	const struct rte_memzone *memory;
	size_t page = (size_t)getpagesize(), len = pool->size * page;
	int rc;

	memory = rte_memzone_reserve_aligned("frames", len, SOCKET_ID_ANY, 0, (unsigned)page);
	if (!memory)
		return -rte_errno;
	rc = rte_mempool_populate_virt(
		pool, memory->addr, len, page, free_memory, (void *)(uintptr_t)memory);
	if (rc < 0)
		rte_memzone_free(memory);
	return rc < 0 ? rc : 0;
}

static int furnish(struct rte_mempool *pool)
{
	struct rte_pktmbuf_pool_private what = { .mbuf_data_room_size =
							 (uint16_t)frames_page_room() };
	int rc = rte_mempool_set_ops_byname(pool, rte_mbuf_best_mempool_ops(), NULL);

	if (rc)
		return rc;
	rte_pktmbuf_pool_init(pool, &what);
	rc = populate(pool);
	if (!rc)
		rte_mempool_obj_iter(pool, rte_pktmbuf_init, NULL);
	return rc;
}

static struct rte_mempool *new_pages(unsigned n, int *rc)
{
	struct rte_mempool *pool = rte_mempool_create_empty("frames", n, page_object(),
		FRAMES_CACHE, sizeof(struct rte_pktmbuf_pool_private), SOCKET_ID_ANY,
		RTE_MEMPOOL_F_NO_SPREAD);

	*rc = pool ? furnish(pool) : -rte_errno;
	if (!*rc)
		return pool;
	rte_mempool_free(pool);
	return NULL;
}

struct rte_mempool *frames_new(unsigned n, uint32_t room, bool pages, int *rc)
{
	struct rte_mempool *pool;

	*rc = pages && room > frames_page_room() ? -EMSGSIZE : 0;
	if (*rc)
		return NULL;
	if (pages)
		return new_pages(n, rc);
	pool = rte_pktmbuf_pool_create("frames", n, FRAMES_CACHE, 0, (uint16_t)room, SOCKET_ID_ANY);
	*rc = pool ? 0 : -rte_errno;
	return pool;
}
