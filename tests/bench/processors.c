/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/bench/processors.h"
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

/* Has the last n processors (2 at most) compute at the same time. Returns nanoseconds of the slower one, or 0. */
static double run(unsigned n)
{
	pthread_barrier_t together;
	struct computing c[2] = { { 0 } };
	pthread_t threads[2];
	pthread_attr_t attrs[2];
	bool can = true;

	pthread_barrier_init(&together, NULL, n);
	for (unsigned i = 0; i < n; i++) {
		c[i].together = &together;
		pthread_attr_init(&attrs[i]);
		can = processors_stay_on(&attrs[i], i) && can;
	}
	for (unsigned i = 0; i < n && can; i++)
		pthread_create(&threads[i], &attrs[i], compute, &c[i]);
	for (unsigned i = 0; i < n; i++) {
		if (can)
			pthread_join(threads[i], NULL);
		pthread_attr_destroy(&attrs[i]);
	}
	pthread_barrier_destroy(&together);
	if (!can)
		return 0;
	return n == 2 && c[1].ns > c[0].ns ? c[1].ns : c[0].ns;
}

double processors_pair(void)
{
	double two = run(2);

	return two > 0 ? 2 * run(1) / two : 0;
}
