/* SPDX-License-Identifier: BSD-2-Clause */
/* Hands a network interface over to an engine that reads its frames by a packet socket or AF_XDP, so that the host's stack does not
 * handle them a second time.
 *
 * The device ("front") is renamed ("front-nic"; "nic<ifindex>" where that is too long) and keeps nothing of the host's: no
 * addresses, no IPv6, and a filter that drops all it takes in before the stack sees it. A tap takes its name, MAC address and MTU,
 * the settings of the stack for it, addresses, routes and static neighbours: for everybody else on the host the interface is
 * what it was. Its frames come and go by the engine, which reads from the tap what the host sends and writes to it what the
 * host is to have.
 *
 * All of it outlives the process. What a killed one has left, whether or not it had come to an end, the next call goes on from:
 * RUN_DIR/handover/NAME has been written by then. */
#pragma once
#include <stdbool.h>
#include <stdint.h>
#include "controlplane/base/err.h"

struct handover;

/* Takes an interface over; where a former process has done so, nothing moves and only the tap is attached to again. Returns 0, and
 * *out, to be ended by handover_leave() or handover_give_back(). On error a sentence, and all is as it was before: -EPERM; -ENODEV;
 * -EBUSY (another process has it, or something else stands in the way: another device upon it or above it, an XDP program,
 * a filter, a device with a name that is needed); -EOPNOTSUPP (no Ethernet device, no taps in the kernel, routes by nexthop
 * objects); -ENETDOWN (it is down, but a leg of multipath routes); -EXDEV (the record is of another network namespace);
 * -EBADMSG (the record is damaged); another negative errno. */
int handover_take(struct handover **out, const char *run_dir, const char *name, struct err *e);

/* The tap: a frame for each read() and write(), non-blocking; of h, which closes it. */
int handover_tap(const struct handover *h);
/* Has somebody else in this process attach to the tap, by its name, in the place of h, whose descriptor is -1 from then on; it may stay
 * attached while h gives back. other returns 0 or a negative errno, and then h attaches again. Returns 0, or a negative errno: other's
 * own; or a sentence of why h does not attach again, and its descriptor stays -1. */
int handover_lend_tap(struct handover *h, int (*other)(void *arg), void *arg, struct err *e);
/* Name and number of the device whose frames the engine is to have, and of the tap, which has the interface's name. */
const char *handover_nic(const struct handover *h);
uint32_t handover_nic_ifindex(const struct handover *h);
uint32_t handover_tap_ifindex(const struct handover *h);
/* Whether a former process had taken it. */
bool handover_was_taken(const struct handover *h);

/* Gives the tap the carrier and the MAC address that the device has now, a bond's or a bridge's changes with its parts; to be called from
 * time to time. Returns whether there is a carrier, or a negative errno (-ENODEV: the device is gone). */
int handover_mirror(struct handover *h);

/* Ends with everything as it is, for a later process to take; the host reaches nothing by the interface meanwhile. Frees h. */
void handover_leave(struct handover *h);

/* Puts everything back that the tap has now, which an operator may have changed since; removes the tap. Frees h. Returns 0, or a
 * negative errno and a sentence: of what was refused where all else has been put back, or of why nothing could be, in which case the
 * record stays, for handover_give_back_all(). */
int handover_give_back(struct handover *h, struct err *e);

/* Whether all processes are dead that have taken interfaces: 0; -EBUSY: one lives; or another negative errno; with a sentence. */
int handover_check_dead(const char *run_dir, struct err *e);

/* As handover_give_back(), for all interfaces that processes that are dead have taken. Returns how many, or a negative errno and the first
 * sentence; -EBUSY: a process that lives has one. */
int handover_give_back_all(const char *run_dir, struct err *e);
