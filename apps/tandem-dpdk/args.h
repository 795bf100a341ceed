/* SPDX-License-Identifier: BSD-2-Clause */
/* The command line of tandem-dpdk. */
#pragma once
#include "controlplane/base/log.h"

enum args_action { ARGS_RUN, ARGS_GIVE_BACK, ARGS_HELP, ARGS_VERSION };

struct args {
	enum args_action action;
	const char *config, *run_dir;
	enum log_level log_level;
};

/* Returns 0, or -EINVAL after it has said on standard error what is wrong. */
int args_parse(struct args *out, int argc, char **argv);

void args_help(void);
