/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Integers by the kernel's names.
 *
 * checkpatch: PREFER_KERNEL_TYPES: here they are made.
 */
#ifndef _HOOKS_TYPES_H
#define _HOOKS_TYPES_H

#include <stdint.h>
#include <srcroute/option.h>	/* u8 */

typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

#endif
