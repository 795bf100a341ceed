/* SPDX-License-Identifier: BSD-2-Clause */
#include "controlplane/conf/check.h"

int conf_check(struct conf_tree *t)
{
	static int (*const checks[])(struct conf_tree * t) = {
		conf_check_engine,
		conf_check_pools, /* before those that follow pools from fall-back to fall-back */
		conf_check_addresses,
		conf_check_services,
		conf_check_ports,
		conf_check_quic,
		conf_check_nat,
		conf_check_health,
		conf_check_cookies,
		conf_check_guard, /* before limits, which count its prefixes */
		conf_check_limits,
		conf_check_unused,
	};

	for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) {
		int rc = checks[i](t);
		if (rc)
			return rc;
	}
	return 0;
}
