/* SPDX-License-Identifier: BSD-2-Clause */
/* The command line of tandem-decap. */
#pragma once
#include "bpf/decap.h"

enum args_action { ARGS_ATTACH, ARGS_DETACH, ARGS_STATUS, ARGS_HELP, ARGS_VERSION };

struct args {
	enum args_action action;
	const char *device, *run_dir;
	struct decap_prefix *from; /* owned */
	struct decap_address *vips;
	uint32_t n_from, n_vips;
	uint16_t mss;	   /* 0: by the device's MTU */
	uint16_t gue_port; /* 0: no UDP is a tunnel */
};

void args_help(void);

/* Returns 0, or -EINVAL when the command line is wrong, of which it has told. To be freed in every case. */
int args_parse(struct args *out, int argc, char **argv);
void args_free(struct args *a);
