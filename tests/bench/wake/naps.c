/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/bench/wake/naps.h"
#include <sched.h>
#include <sys/prctl.h>
#include <time.h>

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

void naps_stay_on_last(pthread_attr_t *attr)
{
	cpu_set_t may, set;

	sched_getaffinity(0, sizeof may, &may);
	CPU_ZERO(&set);
	for (int cpu = CPU_SETSIZE - 1; cpu >= 0 && !CPU_COUNT(&set); cpu--)
		if (CPU_ISSET((unsigned)cpu, &may))
			CPU_SET((unsigned)cpu, &set);
	pthread_attr_setaffinity_np(attr, sizeof set, &set);
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
	naps_stay_on_last(&attr);
	rc = pthread_create(&thread, &attr, run, &n);
	pthread_attr_destroy(&attr);
	if (rc)
		return -1;
	pthread_join(thread, NULL);
	return (double)n.used_ns / 1e6 / ms * 100;
}
