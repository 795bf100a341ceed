/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers of CPUs, as an operator and the kernel write them. */
#pragma once
#include "controlplane/conf/conf.h"

/* Reads CPUs and ranges of them with commas between ("2-5, 8") into cpus and n_cpus of *out, in that order. Returns 0;
 * -EINVAL when text is not of this form; or -ERANGE when a number is above CONF_CPU_MAX, a range ends before it begins,
 * a CPU stands there twice, or there are more than CONF_CPUS_MAX. *out is written on success only. */
int conf_cpus_parse(const char *text, struct conf_dpdk *out);
