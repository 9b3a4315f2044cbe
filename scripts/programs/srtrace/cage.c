// SPDX-License-Identifier: GPL-2.0-only
/*
 * What srtrace may do while it reads what anybody has sent: no more than it needs.
 *
 * checkpatch: PREFER_KERNEL_TYPES: this is a program of user space
 */
#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <string.h>
#include <sys/prctl.h>

#include "srtrace.h"

/*
 * Probes, replies, time, the terminal, memory; and what looking up names takes, which
 * reads files and asks servers. Nothing that writes a file or starts a program.
 */
static const int allowed[] = {
	SCMP_SYS(access), SCMP_SYS(bind), SCMP_SYS(brk),
	SCMP_SYS(clock_gettime), SCMP_SYS(clock_nanosleep), SCMP_SYS(clone),
	SCMP_SYS(clone3), SCMP_SYS(close), SCMP_SYS(connect), SCMP_SYS(dup),
	SCMP_SYS(epoll_create1), SCMP_SYS(epoll_ctl), SCMP_SYS(epoll_pwait),
	SCMP_SYS(epoll_wait), SCMP_SYS(eventfd2), SCMP_SYS(exit),
	SCMP_SYS(exit_group), SCMP_SYS(faccessat), SCMP_SYS(faccessat2),
	SCMP_SYS(fcntl), SCMP_SYS(fcntl64), SCMP_SYS(fdatasync),
	SCMP_SYS(fstat), SCMP_SYS(fstat64), SCMP_SYS(fstatat64),
	SCMP_SYS(ftruncate), SCMP_SYS(futex), SCMP_SYS(futex_time64),
	SCMP_SYS(getcwd), SCMP_SYS(getdents64), SCMP_SYS(getegid),
	SCMP_SYS(geteuid), SCMP_SYS(getgid), SCMP_SYS(getpeername),
	SCMP_SYS(getpid), SCMP_SYS(getppid), SCMP_SYS(getrandom),
	SCMP_SYS(getsockname), SCMP_SYS(getsockopt), SCMP_SYS(gettid),
	SCMP_SYS(gettimeofday), SCMP_SYS(getuid), SCMP_SYS(ioctl),
	SCMP_SYS(_llseek), SCMP_SYS(lseek), SCMP_SYS(lstat),
	SCMP_SYS(madvise), SCMP_SYS(membarrier), SCMP_SYS(mmap),
	SCMP_SYS(mmap2), SCMP_SYS(mprotect), SCMP_SYS(mremap),
	SCMP_SYS(munmap), SCMP_SYS(newfstatat), SCMP_SYS(pipe2),
	SCMP_SYS(poll), SCMP_SYS(ppoll), SCMP_SYS(ppoll_time64),
	SCMP_SYS(pread64), SCMP_SYS(prlimit64), SCMP_SYS(pwrite64),
	SCMP_SYS(read), SCMP_SYS(readlink), SCMP_SYS(readlinkat),
	SCMP_SYS(readv), SCMP_SYS(recvfrom), SCMP_SYS(recvmmsg),
	SCMP_SYS(recvmsg), SCMP_SYS(restart_syscall), SCMP_SYS(rseq),
	SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn), SCMP_SYS(sched_getaffinity),
	SCMP_SYS(sched_yield), SCMP_SYS(select), SCMP_SYS(pselect6),
	SCMP_SYS(send), SCMP_SYS(sendmmsg), SCMP_SYS(sendmsg),
	SCMP_SYS(sendto), SCMP_SYS(set_robust_list), SCMP_SYS(setsockopt),
	SCMP_SYS(sigaltstack), SCMP_SYS(sigreturn), SCMP_SYS(socket),
	SCMP_SYS(socketcall), SCMP_SYS(stat), SCMP_SYS(stat64),
	SCMP_SYS(statx), SCMP_SYS(sysinfo), SCMP_SYS(tgkill),
	SCMP_SYS(uname), SCMP_SYS(write), SCMP_SYS(writev),
};

/* To read alone. */
static const int opening[] = { SCMP_SYS(open), SCMP_SYS(openat) };

static bool allow(scmp_filter_ctx filter)
{
	unsigned int i;

	/* What this machine does not know of them is nothing to allow. */
	for (i = 0; i < sizeof(allowed) / sizeof(*allowed); i++)
		seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
	return !seccomp_rule_add(filter, SCMP_ACT_ALLOW, opening[1], 1,
				 SCMP_A2(SCMP_CMP_MASKED_EQ, O_ACCMODE,
					 O_RDONLY)) &&
	       seccomp_rule_add(filter, SCMP_ACT_ALLOW, opening[0], 1,
				SCMP_A1(SCMP_CMP_MASKED_EQ, O_ACCMODE,
					O_RDONLY)) != -ENOMEM;
}

/**
 * cage() - give up all privileges, and all that is not needed
 *
 * Of root as well, and for what the name service brings along. To be called when the
 * sockets, and the files that are written, are open. Where the kernel has no seccomp
 * the capabilities go all the same.
 *
 * Ends the program with EXIT_SYSTEM if they do not.
 */
void cage(void)
{
	scmp_filter_ctx filter;

	capng_clear(CAPNG_SELECT_CAPS);
	if (capng_apply(CAPNG_SELECT_CAPS) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		fail(EXIT_SYSTEM, "the capabilities cannot be dropped: %s",
		     strerror(errno));
	filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	if (!filter)
		return;
	if (allow(filter))
		seccomp_load(filter);
	seccomp_release(filter);
}
