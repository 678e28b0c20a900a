//! System calls that a process without programs of its own never needs: those on the attributes of files, on other
//! processes, on IPC, and those that are newer than this list.
//!
//! A program that the process runs would be held to the same filter and may need them, so this applies only without
//! `--allow-run`.

use nix::libc;
use seccompiler::{Error, SeccompCmpOp, SeccompRule};

use super::calls::{Rules, bits, has, long_rule, rule};
use crate::permissions::Permissions;

/// Refused whatever their arguments are.
const UNNEEDED: &[libc::c_long] = &[
    // Modes, owners and extended attributes: Landlock doesn't restrict them.
    libc::SYS_fchmod,
    libc::SYS_fchmodat,
    452, // fchmodat2
    libc::SYS_fchown,
    libc::SYS_fchownat,
    libc::SYS_setxattr,
    libc::SYS_lsetxattr,
    libc::SYS_fsetxattr,
    libc::SYS_removexattr,
    libc::SYS_lremovexattr,
    libc::SYS_fremovexattr,
    // Other processes.
    libc::SYS_setpriority,
    libc::SYS_ioprio_set,
    libc::SYS_rt_sigqueueinfo,
    libc::SYS_rt_tgsigqueueinfo,
    libc::SYS_pidfd_open,
    libc::SYS_pidfd_send_signal,
    libc::SYS_process_mrelease,
    libc::SYS_setpgid,
    libc::SYS_setsid,
    // IPC of System V and POSIX.
    libc::SYS_shmget,
    libc::SYS_shmat,
    libc::SYS_shmctl,
    libc::SYS_shmdt,
    libc::SYS_semget,
    libc::SYS_semop,
    libc::SYS_semtimedop,
    libc::SYS_semctl,
    libc::SYS_msgget,
    libc::SYS_msgsnd,
    libc::SYS_msgrcv,
    libc::SYS_msgctl,
    libc::SYS_mq_open,
    libc::SYS_mq_unlink,
    libc::SYS_mq_timedsend,
    libc::SYS_mq_timedreceive,
    libc::SYS_mq_notify,
    libc::SYS_mq_getsetattr,
    // What others do with files.
    libc::SYS_inotify_init1,
    libc::SYS_inotify_add_watch,
    libc::SYS_chdir,
    libc::SYS_fchdir,
];

/// What there is on this kind of machine only.
#[cfg(target_arch = "x86_64")]
const UNNEEDED_HERE: &[libc::c_long] = &[
    libc::SYS_chmod,
    libc::SYS_chown,
    libc::SYS_lchown,
    libc::SYS_utime,
    libc::SYS_utimes,
    libc::SYS_futimesat,
    libc::SYS_inotify_init,
];

/// What there is on this kind of machine only.
#[cfg(not(target_arch = "x86_64"))]
const UNNEEDED_HERE: &[libc::c_long] = &[];

/// What changes directories, which is needed only where a grant says so.
const CHANGES: &[libc::c_long] = &[
    libc::SYS_mkdirat,
    libc::SYS_unlinkat,
    libc::SYS_renameat2,
    libc::SYS_linkat,
    libc::SYS_symlinkat,
    libc::SYS_truncate,
    libc::SYS_ftruncate,
    libc::SYS_utimensat,
];

/// What there is on this kind of machine only.
#[cfg(target_arch = "x86_64")]
const CHANGES_HERE: &[libc::c_long] = &[
    libc::SYS_mkdir,
    libc::SYS_rmdir,
    libc::SYS_unlink,
    libc::SYS_rename,
    libc::SYS_renameat,
    libc::SYS_link,
    libc::SYS_symlink,
    libc::SYS_creat,
];

/// What there is on this kind of machine only.
#[cfg(not(target_arch = "x86_64"))]
const CHANGES_HERE: &[libc::c_long] = &[];

/// Calls by which a thread asks for its own attributes, or those of the thread that its argument names: 0 is itself.
const OWN_ONLY: &[libc::c_long] = &[
    libc::SYS_prlimit64,
    libc::SYS_sched_setaffinity,
    libc::SYS_sched_setscheduler,
    libc::SYS_sched_setparam,
    libc::SYS_sched_setattr,
    libc::SYS_get_robust_list,
];

/// Calls that send a signal to the process that their first argument names.
const SIGNALS: &[libc::c_long] = &[libc::SYS_kill, libc::SYS_tgkill];

/// The operations of `prctl` that change nothing that matters: names, and questions.
const PRCTL: &[libc::c_int] = &[
    libc::PR_SET_NAME,
    libc::PR_GET_NAME,
    libc::PR_GET_DUMPABLE,
    libc::PR_GET_PDEATHSIG,
    libc::PR_GET_SECCOMP,
    libc::PR_CAPBSET_READ,
    libc::PR_GET_NO_NEW_PRIVS,
    // It is set already, and can't be unset. The library that installs filters sets it each time.
    libc::PR_SET_NO_NEW_PRIVS,
    // Names of parts of the memory.
    libc::PR_SET_VMA,
];

/// The first call that is newer than this list, and the last number that is reserved for those to come. A C library
/// that is told that the system doesn't have a call uses an older one.
pub(super) const NEWER: std::ops::RangeInclusive<libc::c_long> = 457..=511;

/// Adds the rules for these calls.
pub(super) fn add(rules: &mut Rules, permissions: &Permissions) -> Result<(), Error> {
    let never = UNNEEDED.iter().chain(UNNEEDED_HERE);
    rules.extend(never.map(|call| (*call, Vec::new())));
    let writes = permissions.dirs().iter().any(|grant| !grant.read_only)
        || !permissions.unix_listen_directories().is_empty();
    if writes {
        // By an open descriptor only: a path could lead anywhere.
        let by_path = long_rule(&[(1, SeccompCmpOp::Ne, 0)])?;
        rules.insert(libc::SYS_utimensat, vec![by_path]);
    } else {
        let changes = CHANGES.iter().chain(CHANGES_HERE);
        rules.extend(changes.map(|call| (*call, Vec::new())));
        rules.insert(libc::SYS_openat, opening_to_write(2)?);
        #[cfg(target_arch = "x86_64")]
        rules.insert(libc::SYS_open, opening_to_write(1)?);
    }
    for call in OWN_ONLY {
        rules.insert(*call, vec![rule(&[(0, SeccompCmpOp::Ne, 0)])?]);
    }
    let own = u64::from(std::process::id());
    for call in SIGNALS {
        rules.insert(*call, vec![rule(&[(0, SeccompCmpOp::Ne, own)])?]);
    }
    // By a thread's number alone, another process's would do as well.
    rules.insert(libc::SYS_tkill, Vec::new());
    let others: Vec<_> = PRCTL
        .iter()
        .map(|operation| (0, SeccompCmpOp::Ne, bits(*operation)))
        .collect();
    rules.insert(libc::SYS_prctl, vec![rule(&others)?]);
    Ok(())
}

/// Rules that hold if a file is opened to be written to, or made.
fn opening_to_write(flags: u8) -> Result<Vec<SeccompRule>, Error> {
    [libc::O_WRONLY, libc::O_RDWR, libc::O_CREAT, libc::O_TRUNC]
        .into_iter()
        .map(|flag| rule(&[(flags, has(flag), bits(flag))]))
        .collect()
}
