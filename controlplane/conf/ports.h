/* SPDX-License-Identifier: BSD-2-Clause */
/* Ports of a service, as an operator writes them. */
#pragma once
#include "controlplane/conf/conf.h"
#include "controlplane/conf/memory.h"

/* Reads "any", or ports and ranges with commas between them ("80, 443, 8000-8999"), into *out, sorted, the list taken
 * from m. Returns 0; -EINVAL when text is not of this form; -ERANGE when a port is none, a range ends before it begins,
 * two have a port in common, or there are too many; or -ENOMEM. */
int conf_ports_parse(const char *text, struct conf_memory *m, struct conf_ports *out);

/* Makes a list of the one port. Returns 0 or -ENOMEM. */
int conf_ports_one(uint16_t port, struct conf_memory *m, struct conf_ports *out);
