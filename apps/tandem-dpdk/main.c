/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "apps/shared/lock.h"
#include "apps/tandem-dpdk/args.h"
#include "apps/tandem-dpdk/daemon.h"
#include "apps/tandem-dpdk/front.h"
#include "controlplane/conf/conf.h"

static int fail(const struct err *e)
{
	fprintf(stderr, "tandem-dpdk: %s\n", e->text);
	return 1;
}

static int give_back(const struct args *a)
{
	struct err e;
	int lock = lock_take(a->run_dir, "tandem-dpdk", "stop it instead", &e), n;

	if (lock < 0)
		return fail(&e);
	n = front_give_back_all(a->run_dir, &e);
	close(lock);
	if (n < 0)
		return fail(&e);
	printf("gave %d interface%s back\n", n, n == 1 ? "" : "s");
	return 0;
}

static int load(const struct args *a, struct conf **out)
{
	struct diags d = { 0 };
	int rc = conf_load(a->config, out, &d);

	diags_print(&d, stderr);
	diags_free(&d);
	if (rc || (*out)->engine.type == CONF_ENGINE_DPDK)
		return rc;
	conf_free(*out);
	fprintf(stderr,
		"tandem-dpdk: %s has another engine than this one: write engine: { type = \"dpdk\"; }; into it, or do not run tandem-dpdk\n",
		a->config);
	return -EINVAL;
}

static int run(const struct args *a)
{
	struct conf *conf;
	struct err e;
	int lock, rc;

	if (load(a, &conf))
		return 1;
	lock = lock_take(a->run_dir, "tandem-dpdk", "stop it first, or name another --run-dir", &e);
	rc = lock < 0 ? fail(&e) : daemon_run(a, conf);
	if (lock >= 0)
		close(lock);
	conf_free(conf);
	return rc;
}

int main(int argc, char **argv)
{
	struct args a;

	if (args_parse(&a, argc, argv))
		return 2;
	log_set_level(a.log_level);
	log_set_journal(getenv("JOURNAL_STREAM") != NULL);
	switch (a.action) {
	case ARGS_HELP:
		args_help();
		return 0;
	case ARGS_VERSION:
		puts("tandem-dpdk " TANDEM_VERSION);
		return 0;
	case ARGS_GIVE_BACK:
		return give_back(&a);
	case ARGS_RUN:
		break;
	}
	return run(&a);
}
