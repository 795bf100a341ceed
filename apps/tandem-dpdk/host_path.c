/* SPDX-License-Identifier: BSD-2-Clause */
#include "apps/tandem-dpdk/host_path.h"
#include <string.h>

int host_path_choose(enum conf_host_path wanted, int vhost, struct err *e)
{
	if (wanted == CONF_HOST_PATH_TAP || (wanted == CONF_HOST_PATH_AUTO && vhost))
		return CONF_HOST_PATH_TAP;
	if (!vhost)
		return CONF_HOST_PATH_VHOST;
	return err_set(e, vhost,
		"\"engine.dpdk.host_path\" is \"vhost\", but /dev/vhost-net cannot be opened: %s; load the "
		"kernel's module vhost_net (modprobe vhost_net), or write host_path = \"auto\";",
		strerror(-vhost));
}
