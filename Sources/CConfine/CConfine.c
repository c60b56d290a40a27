#define _GNU_SOURCE
#include "CConfine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

static int limit(int resource, rlim_t soft, rlim_t hard) {
    struct rlimit value = {soft, hard};
    return setrlimit(resource, &value);
}

// Pages mapped now, from /proc/self/statm, in bytes.
static size_t mapped(void) {
    unsigned long pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    if (file == NULL) return 0;
    if (fscanf(file, "%lu", &pages) != 1) pages = 0;
    fclose(file);
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

int carrel_confine_limits(pid_t parent, size_t memory, unsigned processor_seconds) {
    size_t now = mapped();
    if (close_range(3, ~0U, 0) != 0) return -1;
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return -1;
    // The parent may have gone before the signal was asked for.
    if (getppid() != parent) {
        errno = ESRCH;
        return -1;
    }
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return -1;
    if (prctl(PR_SET_DUMPABLE, 0) != 0) return -1;
    if (limit(RLIMIT_CORE, 0, 0) != 0) return -1;
    if (limit(RLIMIT_FSIZE, 0, 0) != 0) return -1;
    if (limit(RLIMIT_NOFILE, 32, 32) != 0) return -1;
    if (limit(RLIMIT_CPU, processor_seconds, processor_seconds + 1) != 0) return -1;
    return limit(RLIMIT_AS, now + memory, now + memory);
}

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#else
#error "the system call filter knows x86-64 and AArch64"
#endif

#define REFUSE (SECCOMP_RET_ERRNO | (EPERM & SECCOMP_RET_DATA))
#define DENY(call)                                     \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1), \
        BPF_STMT(BPF_RET | BPF_K, REFUSE)

// Reading beneath /usr is left: character maps (poppler-data), converters (gconv), the libraries.
static void confine_files(void) {
    struct landlock_ruleset_attr rules = {
        .handled_access_fs = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1,
    };
    int set = (int)syscall(SYS_landlock_create_ruleset, &rules, sizeof rules, 0);
    if (set < 0) return;
    struct landlock_path_beneath_attr usr = {
        .allowed_access = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR |
                          LANDLOCK_ACCESS_FS_EXECUTE,
        .parent_fd = open("/usr", O_PATH | O_CLOEXEC),
    };
    if (usr.parent_fd >= 0) {
        syscall(SYS_landlock_add_rule, set, LANDLOCK_RULE_PATH_BENEATH, &usr, 0);
        close(usr.parent_fd);
    }
    syscall(SYS_landlock_restrict_self, set, 0);
    close(set);
}

int carrel_confine_system_calls(void) {
    confine_files();
    struct sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
#if defined(__x86_64__)
        // The x32 numbers would go around the list.
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        DENY(SYS_fork), DENY(SYS_vfork), DENY(SYS_unlink), DENY(SYS_rename), DENY(SYS_mkdir),
        DENY(SYS_rmdir), DENY(SYS_link), DENY(SYS_symlink), DENY(SYS_chmod), DENY(SYS_chown),
        DENY(SYS_creat),
#endif
        DENY(SYS_socket), DENY(SYS_socketpair), DENY(SYS_connect), DENY(SYS_bind),
        DENY(SYS_listen), DENY(SYS_accept), DENY(SYS_accept4), DENY(SYS_sendto),
        DENY(SYS_sendmsg), DENY(SYS_sendmmsg), DENY(SYS_execve), DENY(SYS_execveat),
        DENY(SYS_clone), DENY(SYS_clone3), DENY(SYS_ptrace), DENY(SYS_process_vm_readv),
        DENY(SYS_process_vm_writev), DENY(SYS_kill), DENY(SYS_tkill), DENY(SYS_pidfd_open),
        DENY(SYS_unlinkat), DENY(SYS_renameat2), DENY(SYS_mkdirat), DENY(SYS_linkat),
        DENY(SYS_symlinkat), DENY(SYS_fchmodat), DENY(SYS_fchownat), DENY(SYS_truncate),
        DENY(SYS_mount), DENY(SYS_unshare), DENY(SYS_setns), DENY(SYS_bpf),
        DENY(SYS_perf_event_open), DENY(SYS_io_uring_setup), DENY(SYS_userfaultfd),
        DENY(SYS_keyctl), DENY(SYS_add_key), DENY(SYS_open_by_handle_at),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog filter = {sizeof program / sizeof program[0], program};
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter);
}

static int exit_when_starved;

static void crashed(int signal) {
    // A probe larger than what allocators keep in hand, yet small against the limit. The handler
    // was reset on entry: returning runs into the same fault again, which then ends the process.
    void *probe = mmap(NULL, 32 << 20, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (probe == MAP_FAILED) _exit(exit_when_starved);
    munmap(probe, 32 << 20);
    (void)signal;
}

int carrel_confine_crashes(int memory_exit) {
    static char stack[1 << 16];
    exit_when_starved = memory_exit;
    stack_t alternative = {.ss_sp = stack, .ss_size = sizeof stack};
    if (sigaltstack(&alternative, NULL) != 0) return -1;
    struct sigaction action = {.sa_handler = crashed, .sa_flags = SA_ONSTACK | SA_RESETHAND};
    int signals[] = {SIGSEGV, SIGBUS, SIGABRT, SIGILL, SIGTRAP, SIGFPE};
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
        if (sigaction(signals[i], &action, NULL) != 0) return -1;
    return 0;
}
