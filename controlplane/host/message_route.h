/* SPDX-License-Identifier: BSD-2-Clause */
/* The part of message.h that reads routes and nexthop objects. */
#pragma once
#include "controlplane/host/message.h"

/* Each reads a message of its kind into *out, of which all but kind and gone is zero. Return as
 * host_message_read(). */
int host_message_route(const struct nlmsghdr *nlh, struct host_message *out);
int host_message_nexthop(const struct nlmsghdr *nlh, struct host_message *out);
