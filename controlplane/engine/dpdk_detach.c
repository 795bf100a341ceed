/* SPDX-License-Identifier: BSD-2-Clause */
/* What a DPDK engine has left: its tables and its socket, below RUN_DIR/dpdk. */
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include "controlplane/engine/dpdk_body.h"

enum { ANSWER_MS = 1000 /* tandemd's loop stands still meanwhile */ };

static int remove_all(const char *run_dir)
{
	char dir[DPDK_PATH], socket[DPDK_PATH];
	int rc = dpdk_link_path(dir, sizeof dir, run_dir, PROTOCOL_DIR);

	if (!rc)
		rc = dpdk_link_path(socket, sizeof socket, run_dir, PROTOCOL_SOCKET);
	if (!rc)
		rc = store_remove(dir);
	if (rc >= 0)
		rc = dpdk_remove_slots(run_dir);
	if (rc < 0)
		return rc;
	if (unlink(socket) && errno != ENOENT)
		return -errno;
	return rmdir(dir) && errno != ENOENT && errno != ENOTEMPTY ? -errno : 0;
}

static bool runs(const char *run_dir)
{
	struct dpdk_link l = { -1 };
	struct err ignored;
	int rc = dpdk_link_open(&l, run_dir, ANSWER_MS, &ignored);

	dpdk_link_close(&l);
	return !rc || rc == -ETIMEDOUT;
}

/* The interfaces are that process', and free when it ends, unless it stands by. */
int dpdk_may_detach(const char *run_dir, struct err *e)
{
	int n = dpdk_count_ports(run_dir, ANSWER_MS, e);

	if (n == -ETIMEDOUT || n == -EPROTO)
		return err_set(e, n, "tandem-dpdk %s, and may have the interfaces: stop it first",
			n == -EPROTO ? "is of another version" : "does not answer");
	if (n <= 0)
		return 0;
	return err_set(e, -EBUSY, "tandem-dpdk runs, and has the interfaces; stop it first");
}

/* Tables are a living process' own. */
int dpdk_detach(const char *run_dir, struct err *e)
{
	int rc = runs(run_dir) ? 0 : remove_all(run_dir);

	return rc ? err_set(e, rc,
			    "cannot remove the DPDK engine's tables below %s/" PROTOCOL_DIR ": %s",
			    run_dir, strerror(-rc))
		  : 0;
}
