/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "apps/tandemd/args.h"
#include "apps/tandemd/daemon.h"
#include "apps/shared/lock.h"
#include "controlplane/conf/conf.h"
#include "controlplane/engine/engine.h"
#include "controlplane/nic/nic.h"

static int fail(const struct err *e)
{
	fprintf(stderr, "tandemd: %s\n", e->text);
	return 1;
}

static int check(const struct args *a)
{
	struct diags d = { 0 };
	struct conf *c;
	int err = conf_load(a->config, &c, &d);

	diags_print(&d, err ? stderr : stdout);
	diags_free(&d);
	if (err)
		return 1;
	printf("%s: no errors\n", a->config);
	conf_free(c);
	return 0;
}

static int detach(const struct args *a)
{
	struct err e;
	int lock = lock_take(
		    a->run_dir, "tandemd", "use \"tandemctl engine detach\", or stop it first", &e),
	    n, rc;

	if (lock < 0)
		return fail(&e);
	n = engine_detach(a->run_dir, &e);
	rc = n < 0 ? n : nic_restore(a->run_dir, &e);
	close(lock);
	if (rc)
		return fail(&e);
	printf("detached from %d interface%s\n", n, n == 1 ? "" : "s");
	return 0;
}

static int run(const struct args *a)
{
	struct err e;
	int lock = lock_take(a->run_dir, "tandemd", "stop it first, or name another --run-dir", &e),
	    rc;

	if (lock < 0)
		return fail(&e);
	rc = daemon_run(a);
	close(lock);
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
		puts("tandemd " TANDEM_VERSION);
		return 0;
	case ARGS_CHECK:
		return check(&a);
	case ARGS_DETACH:
		return detach(&a);
	case ARGS_RUN:
		break;
	}
	return run(&a);
}
