# SPDX-License-Identifier: GPL-2.0-only
"""Reports, each made of the document of session.py alone (but for the capture)."""
