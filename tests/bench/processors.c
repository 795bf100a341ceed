/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/bench/processors.h"
#include <errno.h>
#include <sched.h>
#include <stdint.h>
#include <time.h>

enum { STEPS = 1 << 20 };

struct computing {
	pthread_barrier_t *together;
	uint64_t result;
	double ns;
};

bool processors_stay_on(pthread_attr_t *attr, unsigned number)
{
	cpu_set_t may, set;

	if (sched_getaffinity(0, sizeof may, &may))
		return false;
	CPU_ZERO(&set);
	for (int cpu = CPU_SETSIZE - 1; cpu >= 0; cpu--)
		if (CPU_ISSET((unsigned)cpu, &may) && !number--) {
			CPU_SET((unsigned)cpu, &set);
			return !pthread_attr_setaffinity_np(attr, sizeof set, &set);
		}
	return false;
}

static double cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

/* In a register for integers. */
static inline uint64_t step(uint64_t x, uint64_t i)
{
	x = (x ^ (x >> 7)) + i;
	__asm__("" : "+r"(x));
	return x;
}

/* Several chains of steps, none of which waits for another's: as many as keep all units of a core busy, so that two threads of one core
 * do hardly more than one. */
static void *compute(void *arg)
{
	struct computing *c = arg;
	uint64_t p = 1, q = 3, r = 5, s = 7, t = 9, u = 11;
	double from;

	pthread_barrier_wait(c->together);
	from = cpu_ns();
	for (uint64_t i = 0; i < STEPS; i++) {
		p = step(p, i);
		q = step(q, i);
		r = step(r, i);
		s = step(s, i);
		t = step(t, i);
		u = step(u, i);
	}
	c->ns = cpu_ns() - from;
	c->result = p ^ q ^ r ^ s ^ t ^ u;
	return NULL;
}

static int begin(pthread_t *thread, unsigned processor, struct computing *c)
{
	pthread_attr_t attr;
	int rc;

	pthread_attr_init(&attr);
	rc = processors_stay_on(&attr, processor) ? pthread_create(thread, &attr, compute, c)
						  : EINVAL;
	pthread_attr_destroy(&attr);
	return rc;
}

/* Has the last n processors (2 at most) compute at the same time. Returns nanoseconds of the slower one, or 0. */
static double run(unsigned n)
{
	pthread_barrier_t together;
	struct computing c[2] = { { 0 } };
	pthread_t threads[2];
	unsigned made = 0;

	pthread_barrier_init(&together, NULL, n);
	for (; made < n; made++) {
		c[made].together = &together;
		if (begin(&threads[made], made, &c[made]))
			break;
	}
	if (made && made < n)
		pthread_barrier_wait(&together); /* in the place of the one that there is not */
	for (unsigned i = 0; i < made; i++)
		pthread_join(threads[i], NULL);
	pthread_barrier_destroy(&together);
	if (made < n)
		return 0;
	return n == 2 && c[1].ns > c[0].ns ? c[1].ns : c[0].ns;
}

double processors_pair(void)
{
	double two = run(2);

	return two > 0 ? 2 * run(1) / two : 0;
}
