/* SPDX-License-Identifier: BSD-2-Clause */
/* Which way frames go to the host's stack and come from it, as "engine.dpdk.host_path" wants it and the kernel can. */
#pragma once
#include "controlplane/base/err.h"
#include "controlplane/conf/conf.h"

/* vhost: 0, or the negative errno with which vhost-net cannot be opened. Returns CONF_HOST_PATH_TAP or CONF_HOST_PATH_VHOST, or a
 * negative errno and a sentence: it is wanted, and there is none. */
int host_path_choose(enum conf_host_path wanted, int vhost, struct err *e);
