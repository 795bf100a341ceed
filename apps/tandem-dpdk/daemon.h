/* SPDX-License-Identifier: BSD-2-Clause */
#pragma once
#include "apps/tandem-dpdk/args.h"
#include "controlplane/conf/conf.h"

/* Brings everything up in order, serves until a signal ends it, and takes everything down in reverse. The
 * caller holds the lock of the run directory. Returns the exit status. */
int daemon_run(const struct args *a, const struct conf *c);
