/* SPDX-License-Identifier: BSD-2-Clause */
#include "apps/tandem-dpdk/start.h"
#include <errno.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <stdlib.h>
#include <string.h>
#include "apps/tandem-dpdk/numa.h"
#include "controlplane/base/log.h"

static void tell(void *arg, const char *sentence)
{
	(void)arg;
	log_warn("%s", sentence);
}

static int start(const struct conf *c, const char *run_dir, const struct eal_facts *facts,
	const struct eal_workers *w, struct err *e)
{
	struct eal_args args;
	int rc = eal_args(c, run_dir, facts, w, &args, e);

	if (rc)
		return rc;
	if (*args.warning.text)
		log_warn("%s", args.warning.text);
	/* libxdp, which net_af_xdp loads its program by, would put one that calls others in between, and leave it behind in the host's bpffs
	 * when we are killed. Not all kernels have what that needs, nor all places a bpffs; and a device that is ours has one program. */
	setenv("LIBXDP_SKIP_DISPATCHER", "1", 0);
	if (rte_eal_init(args.argc, args.argv) < 0)
		rc = err_set(e, -EIO, "DPDK does not start: %s; its own words are above",
			rte_strerror(rte_errno));
	eal_args_free(&args);
	return rc;
}

int start_eal(const struct conf *c, const char *run_dir, struct err *e)
{
	struct eal_facts facts;
	struct eal_workers w;
	int rc;

	if (sched_getaffinity(0, sizeof facts.cpus, &facts.cpus))
		return err_set(e, -errno, "cannot read which CPUs there are: %s", strerror(errno));
	pages_read("", &facts.pages);
	rc = eal_workers(&c->engine.dpdk, &facts.cpus, &w, e);
	if (!rc)
		rc = start(c, run_dir, &facts, &w, e);
	if (rc)
		return rc;
	numa_check("", c, &w, tell, NULL);
	return (int)w.n;
}
