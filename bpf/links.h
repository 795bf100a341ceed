/* SPDX-License-Identifier: BSD-2-Clause */
/* The bpf_links that run the program on the appliance's interfaces, pinned so that they outlive the process.
 *
 * All interfaces run in one mode: a packet that a native program redirects is lost when the way out is a
 * device that knows no ndo_xdp_xmit (a bridge, say), and such a device is just the one that takes no native
 * program. So where one interface refuses native mode, automatic choice runs all of them in generic mode.
 *
 * Pins, below the directory that each function is given: if<ifindex> is an interface's link; the empty
 * directory no-native<ifindex> stands while generic mode is due to that interface, so that a restart neither
 * asks it again nor interrupts packets for that. */
#pragma once
#include <stddef.h>
#include <stdint.h>

struct links_change;

/* The largest MTU of native mode: a frame lies in one page of 4,096 bytes, with 256 before it for what is put in front, and
 * 320 behind it for the kernel's own data. Some drivers take less. Frames of several buffers (jumbo frames) are not taken: to
 * send them on to another device its driver must know them too, which few do, and Linux 6.1 cannot be asked. */
enum { LINKS_NATIVE_MTU = 4096 - 256 - 320 - 14 };

enum links_mode { LINKS_AUTO, LINKS_NATIVE, LINKS_GENERIC };

/* Indexes into the interfaces given to links_change(); their number stands for "none". */
struct links_report {
	unsigned failed;     /* the one that could not be served */
	unsigned not_native; /* the one because of which LINKS_AUTO chose generic mode */
};

/* Runs the program on these interfaces: exchanges it where a former process' runs in the wanted mode, which
 * no packet notices, and attaches it anew elsewhere. Returns 0, and *out, which uses dir, ifindexes and
 * report, must be committed or aborted; on error every interface is as it was: -EBUSY or -EEXIST (another program runs there), -ENODEV, -EOPNOTSUPP
 * (no such mode), another negative errno. */
int links_change(struct links_change **out, const char *dir, int program, const uint32_t *ifindexes,
	unsigned n, enum links_mode mode, struct links_report *report);
/* Detaches the program from all other interfaces; frees c. */
void links_commit(struct links_change *c);
/* Puts every interface back as it was; frees c. */
void links_abort(struct links_change *c);

/* Gives all pinned links another program of the same kind, without a packet being lost. Returns 0 or the first negative
 * errno; the others have been exchanged then. */
int links_exchange(const char *dir, int program);

/* Where they are pinned below the bpffs at root. */
void links_dir(const char *root, char *path, size_t size);

/* Calls fn with the program that each pinned link runs, until it returns other than 0, and returns that, 0, or a negative errno. */
int links_each_program(const char *dir, int (*fn)(void *arg, int program), void *arg);

/* How many links are pinned, or a negative errno. */
int links_count(const char *dir);
/* Detaches and unpins all of them. Returns how many they were, or a negative errno. */
int links_remove(const char *dir);

/* "native" or "generic": how the interface runs its program; "none" when there is none. */
const char *links_port_mode(uint32_t ifindex);
