/* SPDX-License-Identifier: BSD-2-Clause */
/* What DPDK's environment layer (EAL) is started with, made of the configuration. Pure, and without DPDK. */
#pragma once
#include <sched.h>
#include "apps/tandem-dpdk/pages.h"
#include "controlplane/base/err.h"
#include "controlplane/conf/conf.h"

/* What is known of the machine. */
struct eal_facts {
	cpu_set_t cpus; /* that the process may use: sched_getaffinity() */
	struct pages pages;
};

/* Which CPU each worker has. DPDK's main thread is lcore EAL_MAIN, worker i is lcore EAL_WORKER(i). */
struct eal_workers {
	uint16_t cpus[CONF_CPUS_MAX];
	unsigned n; /* 1 at least */
};

#define EAL_MAIN      0u
#define EAL_WORKER(i) ((i) + 1u)

/* The workers that the configuration asks for. Returns 0, or -EINVAL and a sentence when the process may not use one of
 * the CPUs. */
int eal_workers(
	const struct conf_dpdk *d, const cpu_set_t *may, struct eal_workers *out, struct err *e);

/* For rte_eal_init(), which changes the order of argv. */
struct eal_args {
	char **argv; /* ended by NULL */
	int argc;
	char *text;	    /* what argv points into */
	struct err warning; /* what is not as it was asked for, or "" */
};

/* Makes the arguments, the first of which is the program's name. run_dir: each has a prefix of its own for files of DPDK's.
 * Ports of interfaces, PCI and virtual, are there when rte_eal_init() returns; interfaces without are not in it. Returns
 * 0; -ENOMEM; or -ENOBUFS when huge pages are required and too few are free; with a sentence. *out is to be freed by
 * eal_args_free() on success. */
int eal_args(const struct conf *c, const char *run_dir, const struct eal_facts *f,
	const struct eal_workers *w, struct eal_args *out, struct err *e);

void eal_args_free(struct eal_args *a);
