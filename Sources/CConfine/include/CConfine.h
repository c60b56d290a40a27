// Gives up, for the calling process and for good, what a reader of hostile files does not need.
#ifndef CCONFINE_H
#define CCONFINE_H

#include <stddef.h>
#include <sys/types.h>

// Limits and privileges. `memory` is address space beyond what is mapped now. Returns 0, or -1 with
// errno: then the caller must not go on.
//
// In force afterwards: no core, no file may grow, processor time and address space are bounded, no
// descriptor past 2 is open, nothing executed later can gain privileges, and the process dies with
// `parent`.
int carrel_confine_limits(pid_t parent, size_t memory, unsigned processor_seconds);

// Refuses network, new processes, signals to others and every write to the file system, by a system
// call filter (seccomp, EPERM); and every read outside /usr, where Landlock is built in. Returns
// 0, or -1 with errno when the kernel has no seccomp filters.
int carrel_confine_system_calls(void);

// Ends the process with `memory_exit` when it crashes (SIGSEGV, SIGABRT, SIGILL, ...) at a moment
// when no more memory is to be had, which is how allocators that cannot return NULL end.
int carrel_confine_crashes(int memory_exit);

#endif
