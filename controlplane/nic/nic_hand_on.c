/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <string.h>
#include "controlplane/nic/nic.h"

/* What is on neither list when the process dies would never be put back; what is on both is so twice, which does no harm. */
static int move(struct ledger *from, struct ledger *to, uint32_t ifindex, const char *device)
{
	int rc = 0;

	for (size_t i = 0; i < from->n && !rc;) {
		struct ledger_entry e = from->list[i];

		if (e.ifindex != ifindex) {
			i++;
			continue;
		}
		snprintf(e.device, sizeof e.device, "%s", device);
		rc = ledger_add(to, &e);
		ledger_remove(from, i);
	}
	return rc;
}

int nic_hand_on(const char *from_dir, const char *to_dir, uint32_t ifindex, const char *device,
	struct err *e)
{
	struct ledger from = { 0 }, to = { 0 };
	int rc = ledger_load(&from, from_dir);

	if (!rc)
		rc = ledger_load(&to, to_dir);
	if (!rc)
		rc = move(&from, &to, ifindex, device);
	if (!rc)
		rc = ledger_save(&to, to_dir);
	if (!rc)
		rc = ledger_save(&from, from_dir);
	ledger_free(&from);
	ledger_free(&to);
	return rc ? err_set(e, rc,
			    "cannot move what was changed about %s from %s/nic to %s/nic: %s",
			    device, from_dir, to_dir, strerror(-rc))
		  : 0;
}
