/* SPDX-License-Identifier: MIT */
/* SPDX-FileCopyrightText: The firebreak authors */
/*
 * rules.c - see rules.h. One rule a line of the table; tests/vmm/test_sandbox.c carries every one of them out, and its nearest
 * miss.
 *
 * [Linux "include/uapi/asm-generic/unistd.h"] for the calls that arm64 has, [Linux "include/uapi/linux/kvm.h"] for ioctls.
 */
#include "rules.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/futex.h>
#include <linux/if_tun.h>
#include <linux/kvm.h>
#include <linux/userfaultfd.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

/* Newer than the build machine's headers: Linux 5.14, 5.14, 5.18; 6.6. */
#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#define MADV_POPULATE_WRITE 23
#endif
#ifndef MADV_DONTNEED_LOCKED
#define MADV_DONTNEED_LOCKED 24
#endif
#define UFFD_POISON _IOC(_IOC_READ | _IOC_WRITE, UFFDIO, 0x08, 32)

/* The structures of these differ between architectures, or are arm64's alone. */
#define KVM_PREFERRED_TARGET _IOC(_IOC_READ, KVMIO, 0xaf, 32)
#define KVM_VCPU_INIT _IOC(_IOC_WRITE, KVMIO, 0xae, 32)
#define KVM_SET_EVENTS _IOC(_IOC_WRITE, KVMIO, 0xa0, 64)
#ifdef __aarch64__
_Static_assert(KVM_PREFERRED_TARGET == KVM_ARM_PREFERRED_TARGET && KVM_VCPU_INIT == KVM_ARM_VCPU_INIT &&
		       KVM_SET_EVENTS == KVM_SET_VCPU_EVENTS, "arm64's own numbers");
#endif

#define MAIN FBK_ROLE_MAIN
#define VCPU FBK_ROLE_VCPU
#define IO FBK_ROLE_IO
#define NET FBK_ROLE_NET_USER
#define API FBK_ROLE_API
#define FRAMES FBK_ROLE_FRAMES
#define ROAD (MAIN | VCPU | IO)	     /* who can meet a memory error, and deals with it */
#define HEAP (MAIN | IO | API)	     /* who takes memory from the C library; a vCPU does not */
#define THREADS (MAIN | VCPU | IO | API) /* all of the monitor's */
#define ALL (THREADS | FRAMES)

#define CALL(name) #name, SYS_##name, 0
#define REFUSED(name, error) #name, SYS_##name, error
#define BITS(n, mask, value) { FBK_ARG_BITS, n, (uint32_t)(mask), (uint32_t)(value) }
#define IS(n, value) BITS(n, UINT32_MAX, value)
#define NONE_OF(n, bits) BITS(n, bits, 0)
#define ALL_OF(n, bits) BITS(n, bits, bits)
#define SELF(n) { FBK_ARG_SELF, n, UINT32_MAX, 0 }

#define FUTEX(op) BITS(1, ~(FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME), op)
#define TYPE(type) BITS(1, ~(SOCK_CLOEXEC | SOCK_NONBLOCK), type)

const struct fbk_rule fbk_rules[] = {
	/* --- what is done at every exit ------------------------------------------------------------------------------ */
	{ CALL(ioctl), VCPU, { IS(1, KVM_RUN) }, "runs the guest" },
	{ CALL(ioctl), ROAD, { IS(1, KVM_IRQ_LINE) }, "a device, or an error record, interrupts the guest" },
	{ CALL(write), ALL, {}, "wakes another thread, through its eventfd; console, event log, standard error" },
	{ CALL(read), ALL, {}, "an eventfd, a timer, a signal, what was typed" },
	{ CALL(ppoll), THREADS, {}, "waits for descriptors; asks a reader whether it has room" },
	{ CALL(futex), THREADS, { FUTEX(FUTEX_WAIT) }, "waits for a lock" },
	{ CALL(futex), THREADS, { FUTEX(FUTEX_WAKE) }, "gives a lock to who waits for it" },
	{ CALL(futex), THREADS, { FUTEX(FUTEX_WAIT_BITSET) }, "waits for a condition, or for a thread's end" },
	{ CALL(timerfd_settime), MAIN | VCPU, {}, "the console is flushed a moment after the guest has written" },
	{ CALL(getrandom), MAIN | VCPU, {}, "the guest's random numbers; the seeds of its next boot" },
	{ CALL(clock_gettime), THREADS, {}, "the time, where the kernel's clock cannot be read without a call" },

	/* --- the I/O thread: disks and networks ----------------------------------------------------------------------- */
	{ CALL(io_uring_enter), IO, {}, "submits the disks' requests, which name open disks only, and takes the answers" },
	{ CALL(preadv), IO, {}, "reads a disk, where there is no io_uring" },
	{ CALL(pwritev), IO, {}, "writes a disk, where there is no io_uring" },
	{ CALL(fallocate), IO | MAIN, {}, "discards and clears ranges of a disk; the ledger's room; guest memory that is a file" },
	{ CALL(ioctl), IO, { IS(1, BLKDISCARD) }, "discards ranges of a block device" },
	{ CALL(readv), IO, {}, "takes a packet of a tap device" },
	{ CALL(writev), IO, {}, "gives a tap device a packet" },
	{ CALL(ioctl), IO, { IS(1, TUNSETOFFLOAD) }, "the guest's driver has said what may be left to it" },

	/* --- a network in user space: libslirp ------------------------------------------------------------------------- */
	{ CALL(socket), NET, { IS(0, AF_INET), TYPE(SOCK_STREAM) }, "a connection that the guest makes" },
	{ CALL(socket), NET, { IS(0, AF_INET), TYPE(SOCK_DGRAM) }, "a datagram that the guest sends, or its echo request" },
	{ REFUSED(socket, EPERM), NET, { IS(0, AF_INET), TYPE(SOCK_RAW), IS(2, IPPROTO_ICMP) },
	  "asked for where the host lets nobody send echo requests; libslirp has other ways" },
	{ REFUSED(socket, EAFNOSUPPORT), NET, { IS(0, AF_UNIX), TYPE(SOCK_DGRAM) },
	  "asked for when a name server's address names an interface, which of IPv4 none does" },
	{ REFUSED(ioctl, ENODEV), NET, { IS(1, SIOCGIFINDEX) }, "likewise" },
	{ CALL(connect), NET, {}, "to where the guest connects" },
	{ CALL(bind), NET, {}, "the host's end of what the guest sends" },
	{ CALL(accept), NET, {}, "a client of a forwarded port" },
	{ CALL(sendto), NET | API, {}, "data to a peer; the console to who is attached" },
	{ CALL(recvfrom), NET | API, {}, "data of a peer; a request; what was typed" },
	{ CALL(recvmsg), NET, {}, "an error that came back for a datagram" },
	{ CALL(shutdown), NET, {}, "one direction of a connection is done with" },
	{ CALL(getsockname), NET, {}, "which port a connection has" },
	{ CALL(getpeername), NET, {}, "whether a connection has come about" },
	{ CALL(getsockopt), NET, { IS(1, SOL_SOCKET), IS(2, SO_ERROR) }, "why a connection has not come about" },
	{ CALL(setsockopt), NET, { IS(1, SOL_SOCKET) }, "ports that are free at once; urgent data in line; keep-alive" },
	{ CALL(setsockopt), NET, { IS(1, IPPROTO_TCP), IS(2, TCP_NODELAY) }, "data goes out at once" },
	{ CALL(setsockopt), NET, { IS(1, IPPROTO_IP) }, "a datagram's time to live; errors of datagrams are wanted" },
	{ CALL(ioctl), NET, { IS(1, FIONREAD) }, "how long a datagram is" },
	{ CALL(fcntl), NET, { IS(1, F_GETFL) }, "a socket must not block" },
	{ CALL(fcntl), NET, { IS(1, F_SETFL) }, "a socket must not block" },
	{ CALL(fcntl), NET, { IS(1, F_GETFD) }, "a socket is nobody else's" },
	{ CALL(fcntl), NET, { IS(1, F_SETFD) }, "a socket is nobody else's" },
	{ CALL(openat), NET, { IS(0, AT_FDCWD), NONE_OF(2, ~(O_CLOEXEC | O_LARGEFILE)) },
	  "/etc/resolv.conf names the host's name server; Landlock leaves no other file" },
	{ CALL(newfstatat), NET, { IS(0, AT_FDCWD), IS(3, 0) }, "whether /etc/resolv.conf has changed" },

	/* --- the control API -------------------------------------------------------------------------------------------- */
	{ CALL(accept4), API, {}, "a client" },
	{ CALL(sendmsg), API, {}, "an answer" },
	{ CALL(close), MAIN | NET | API, {}, "a client or a connection has gone; the ledger's old file" },

	/* --- a memory error ---------------------------------------------------------------------------------------------- */
	{ CALL(ioctl), ROAD, { IS(1, KVM_GET_ONE_REG) }, "what the vCPU was doing when it met the error" },
	{ CALL(ioctl), MAIN | VCPU, { IS(1, KVM_SET_ONE_REG) }, "the error's syndrome; a vCPU's first registers; its clock" },
	{ CALL(ioctl), MAIN | VCPU, { IS(1, KVM_SET_EVENTS) }, "gives the vCPU its abort" },
	{ CALL(ioctl), ROAD, { IS(1, UFFDIO_REGISTER) }, "nobody faults in a page while it is retired" },
	{ CALL(ioctl), ROAD, { IS(1, UFFDIO_UNREGISTER) }, "the page is retired" },
	{ CALL(ioctl), ROAD, { IS(1, UFFD_POISON) }, "the marker where a lost page was" },
	{ CALL(mremap), ROAD | API, {}, "a bad frame goes to its grave; the heap grows" },
	{ CALL(madvise), THREADS, { IS(2, MADV_DONTNEED) }, "guest memory at a reset; a file's page that came back; the stack of a thread that ends" },
	{ CALL(madvise), ROAD, { IS(2, MADV_DONTNEED_LOCKED) }, "a retired page's marker goes" },
	{ CALL(madvise), ROAD, { IS(2, MADV_POPULATE_READ) }, "which page it was that a device's copy stopped at" },
	{ CALL(madvise), MAIN, { IS(2, MADV_POPULATE_WRITE) }, "a fresh huge page; with prefault, guest memory after a reset" },
	{ CALL(madvise), MAIN, { IS(2, MADV_DONTDUMP) }, "a bad frame is in no core dump" },
	{ CALL(madvise), MAIN, { IS(2, MADV_DONTFORK) }, "a bad frame is no child's" },
	{ CALL(mprotect), MAIN, { NONE_OF(2, PROT_EXEC) }, "a bad frame is out of our own reach" },
	{ CALL(mlock), MAIN, {}, "a bad frame is not read to be swapped out" },
	{ CALL(pread64), MAIN | FRAMES, {}, "a frame's number; kernel and initial RAM disk, at a reset; the ledger" },
	{ CALL(pwrite64), ROAD, {}, "a record of the ledger" },
	{ CALL(fdatasync), ROAD, {}, "a record is on the disk before the guest runs on; a disk's flush" },
	{ CALL(fsync), ROAD, {}, "the ledger's new file has its name for good" },
	{ CALL(fstat), ROAD, {}, "the ledger is still where it was" },
	{ CALL(newfstatat), ROAD, { IS(3, AT_EMPTY_PATH) }, "the ledger is still where it was (how older C libraries ask)" },
	{ CALL(clock_nanosleep), ROAD, {}, "gives the guest a moment to acknowledge the record before" },

	/* --- the main thread's files: folders were opened before --------------------------------------------------------- */
	{ CALL(openat), MAIN, { ALL_OF(2, O_CREAT | O_EXCL) }, "the ledger's and the metrics' next file, which nobody else has made" },
	{ CALL(renameat), MAIN, {}, "the next file takes the last one's place" },
	{ CALL(unlinkat), MAIN, { IS(2, 0) }, "a next file that was given up; the API's sockets, at the end" },
	{ CALL(newfstatat), MAIN, { IS(3, AT_SYMLINK_NOFOLLOW) }, "whether ledger and sockets are still ours" },
	{ CALL(flock), MAIN, { IS(1, LOCK_EX | LOCK_NB) }, "the ledger's next file is ours, too" },
	{ CALL(mincore), MAIN, {}, "which huge pages of guest memory were ever used: these a reset writes over" },

	/* --- the main thread: a reset ------------------------------------------------------------------------------------- */
	{ CALL(ioctl), MAIN, { IS(1, KVM_PREFERRED_TARGET) }, "a vCPU as at power-on" },
	{ CALL(ioctl), MAIN, { IS(1, KVM_VCPU_INIT) }, "a vCPU as at power-on" },
	{ CALL(ioctl), MAIN, { IS(1, KVM_SET_DEVICE_ATTR) }, "the interrupt controller as at power-on" },

	/* --- memory of our own; nowhere executable ------------------------------------------------------------------------ */
	{ CALL(mmap), HEAP, { NONE_OF(2, PROT_EXEC), ALL_OF(3, MAP_ANONYMOUS) }, "the heap; guest memory that is replaced" },
	{ CALL(munmap), HEAP, {}, "the heap; the stack of a thread that has ended" },
	{ CALL(brk), HEAP, {}, "the heap" },
	{ CALL(sysinfo), MAIN | API, {}, "sorting asks once how much memory there is" },

	/* --- signals, and the end ------------------------------------------------------------------------------------------ */
	{ CALL(rt_sigreturn), THREADS, {}, "the end of a handler: memory errors, kicks" },
	{ CALL(restart_syscall), ALL, {}, "goes on waiting after the process was stopped" },
	{ CALL(tgkill), THREADS, { SELF(0) }, "kicks a vCPU; dies of its own signal; stops when it is told to" },
	{ CALL(getpid), THREADS, {}, "whom to send that" },
	{ CALL(gettid), THREADS, {}, "whom to send that" },
	{ CALL(rt_sigprocmask), THREADS, {}, "while a signal is sent; a thread's end" },
	{ CALL(rt_sigaction), THREADS, { IS(0, SIGBUS) }, "a memory error of our own memory is the end" },
	{ CALL(rt_sigaction), THREADS, { IS(0, SIGABRT) }, "an error of our own is the end" },
	{ CALL(rt_sigaction), THREADS, { IS(0, SIGSYS) }, "what is not in this table is the end" },
	{ CALL(rt_sigaction), MAIN, { IS(0, SIGTERM) }, "ends as it was told to" },
	{ CALL(rt_sigaction), MAIN, { IS(0, SIGINT) }, "ends as it was told to" },
	{ CALL(rt_sigaction), MAIN, { IS(0, SIGHUP) }, "ends as it was told to" },
	{ CALL(rt_sigaction), MAIN, { IS(0, SIGQUIT) }, "ends as it was told to" },
	{ CALL(ioctl), THREADS, { IS(1, TIOCGPGRP) }, "whether the terminal is ours to put in order" },
	{ CALL(ioctl), THREADS, { IS(1, TCSETS) }, "puts the terminal in order" },
	{ CALL(getpgid), THREADS, { IS(0, 0) }, "whether the terminal is ours to put in order" },
	{ CALL(writev), MAIN | VCPU | API, { IS(0, STDERR_FILENO) }, "the C library's last words" },
	{ CALL(exit), THREADS, {}, "the thread's end" },
	{ CALL(exit_group), ALL, {}, "the end" },
};
const size_t fbk_nr_rules = sizeof(fbk_rules) / sizeof(fbk_rules[0]);

static bool is_wanted(const struct fbk_rule_arg *a, const uint64_t arg[6], int32_t self)
{
	switch (a->kind) {
	case FBK_ARG_ANY: return true;
	case FBK_ARG_BITS: return ((uint32_t)arg[a->index] & a->mask) == a->value;
	case FBK_ARG_SELF: return (uint32_t)arg[a->index] == (uint32_t)self;
	}
	return false;
}

const struct fbk_rule *fbk_rule_for(uint32_t roles, int nr, const uint64_t arg[6], int32_t self)
{
	for (size_t i = 0; i < fbk_nr_rules; i++) {
		const struct fbk_rule *r = &fbk_rules[i];
		bool wanted = r->nr == nr && (r->roles & roles);

		for (int j = 0; wanted && j < FBK_RULE_ARGS; j++)
			wanted = is_wanted(&r->arg[j], arg, self);
		if (wanted)
			return r;
	}
	return NULL;
}

const char *fbk_role_name(enum fbk_role role)
{
	switch (role) {
	case FBK_ROLE_MAIN: return "main";
	case FBK_ROLE_VCPU: return "vcpu";
	case FBK_ROLE_IO: return "io";
	case FBK_ROLE_NET_USER: return "net-user";
	case FBK_ROLE_API: return "api";
	case FBK_ROLE_FRAMES: return "frames";
	}
	return "invalid";
}
