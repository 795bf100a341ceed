# SPDX-License-Identifier: BSD-2-Clause
"""The lab: a site in network namespaces. Start at lab.py; topology.py and wiring.py stand alone."""
