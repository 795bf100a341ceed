/* SPDX-License-Identifier: BSD-2-Clause */
/* Wakes a thread that waits in poll(2) for workers, who put things into rings for it: they make a system call only while it
 * sleeps.
 *
 * The sleeper says that it sleeps and then looks into the rings; a worker puts something into a ring and then looks whether it sleeps.
 * Whoever comes second sees what the other has done. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include <sys/eventfd.h>

struct bell {
	uint32_t asleep; /* set by the sleeper, cleared by whoever wakes it */
	int fd;		 /* eventfd(2), for the sleeper's poll(2); -1: none */
};

/* For those who wake: after something was put into a ring. */
static inline void bell_ring(struct bell *b)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (__atomic_load_n(&b->asleep, __ATOMIC_RELAXED) &&
		__atomic_exchange_n(&b->asleep, 0, __ATOMIC_RELAXED))
		eventfd_write(b->fd, 1);
}

/* For the sleeper: before it looks into the rings for the last time. */
static inline void bell_sleep(struct bell *b)
{
	__atomic_store_n(&b->asleep, 1, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

/* After it has slept, or has found something there. rang: poll(2) says that the descriptor is readable. A worker that is about to ring
 * costs one turn for nothing later. */
static inline void bell_wake(struct bell *b, bool rang)
{
	eventfd_t rings;

	__atomic_store_n(&b->asleep, 0, __ATOMIC_RELAXED);
	if (rang)
		eventfd_read(b->fd, &rings);
}
