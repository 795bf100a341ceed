/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/packets/body.h"

const struct body_ops *const bodies[] = {
	&body_native,
	&body_xdp,
#ifdef WITH_DPDK
	&body_dpdk,
#endif
	NULL,
};
