/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/bench/wake/naps.h"
#include <errno.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <time.h>
#include "tests/bench/processors.h"

struct naps {
	uint32_t us;
	int64_t until_ns, used_ns;
};

static int64_t now_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static void *run(void *arg)
{
	struct naps *n = arg;
	const struct timespec nap = { .tv_nsec = (long)n->us * 1000 };
	int64_t before;

	prctl(PR_SET_TIMERSLACK, 1);
	before = now_ns(CLOCK_THREAD_CPUTIME_ID);
	while (now_ns(CLOCK_MONOTONIC) < n->until_ns)
		nanosleep(&nap, NULL);
	n->used_ns = now_ns(CLOCK_THREAD_CPUTIME_ID) - before;
	return NULL;
}

double naps_percent(uint32_t us, unsigned ms)
{
	struct naps n = { us, now_ns(CLOCK_MONOTONIC) + (int64_t)ms * 1000000, 0 };
	pthread_attr_t attr;
	pthread_t thread;
	int rc;

	pthread_attr_init(&attr);
	rc = processors_stay_on(&attr, 0) ? pthread_create(&thread, &attr, run, &n) : EINVAL;
	pthread_attr_destroy(&attr);
	if (rc)
		return -1;
	pthread_join(thread, NULL);
	return (double)n.used_ns / 1e6 / ms * 100;
}
