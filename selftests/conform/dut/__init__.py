# SPDX-License-Identifier: GPL-2.0-only
"""A small IPv4 router in user space that is right, or wrong in one respect."""
