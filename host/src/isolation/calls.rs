//! System calls, by seccomp.
//!
//! A list of what is refused, not of what is allowed: the C library, the runtime and the compiler's code are others' to change,
//! and a call that is missing from a list of allowed ones would end somebody's service after an update.

use std::collections::BTreeMap;

use nix::libc;
use seccompiler::{
    BpfProgram, Error, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition,
    SeccompFilter, SeccompRule, apply_filter_all_threads,
};

use super::{Force, unneeded};
use crate::permissions::Permissions;

/// What a process with a guest never needs.
const NEVER: &[libc::c_long] = &[
    // Other processes.
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_process_madvise,
    libc::SYS_pidfd_getfd,
    libc::SYS_kcmp,
    libc::SYS_migrate_pages,
    libc::SYS_move_pages,
    // File systems and namespaces.
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_move_mount,
    libc::SYS_open_tree,
    libc::SYS_mount_setattr,
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_open_by_handle_at,
    libc::SYS_name_to_handle_at,
    libc::SYS_mknodat,
    libc::SYS_quotactl,
    libc::SYS_fanotify_init,
    // What is large, and seldom without a hole.
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    // The machine.
    libc::SYS_kexec_load,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_reboot,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_acct,
    libc::SYS_syslog,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_clock_adjtime,
    libc::SYS_adjtimex,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    libc::SYS_vhangup,
    libc::SYS_lookup_dcookie,
    libc::SYS_personality,
    // Another user.
    libc::SYS_setuid,
    libc::SYS_setgid,
    libc::SYS_setreuid,
    libc::SYS_setregid,
    libc::SYS_setresuid,
    libc::SYS_setresgid,
    libc::SYS_setfsuid,
    libc::SYS_setfsgid,
    libc::SYS_setgroups,
    libc::SYS_capset,
];

/// What there is on this kind of machine only.
#[cfg(target_arch = "x86_64")]
const NEVER_HERE: &[libc::c_long] = &[
    libc::SYS_kexec_file_load,
    libc::SYS_mknod,
    libc::SYS_iopl,
    libc::SYS_ioperm,
    libc::SYS_modify_ldt,
    libc::SYS_uselib,
    libc::SYS_ustat,
    libc::SYS_sysfs,
    libc::SYS__sysctl,
];

/// What there is on this kind of machine only.
#[cfg(not(target_arch = "x86_64"))]
const NEVER_HERE: &[libc::c_long] = &[];

/// On `x86_64`, this bit in a call's number means the same call by a process with short pointers; and the calls from the first to the
/// last of these exist for such processes only.
#[cfg(target_arch = "x86_64")]
const SHORT: (libc::c_long, libc::c_long, libc::c_long) = (0x4000_0000, 512, 547);

/// The flags of `clone` for a namespace of its own.
const NAMESPACES: [libc::c_int; 7] = [
    libc::CLONE_NEWUSER,
    libc::CLONE_NEWNS,
    libc::CLONE_NEWPID,
    libc::CLONE_NEWNET,
    libc::CLONE_NEWIPC,
    libc::CLONE_NEWUTS,
    libc::CLONE_NEWCGROUP,
];

/// The part of a socket's type that is its type.
const TYPE: u64 = 0xf;

pub(super) type Rules = BTreeMap<i64, Vec<SeccompRule>>;

/// Restricts all threads.
pub(super) fn restrict(permissions: &Permissions, runs_programs: bool) -> Force {
    let restricted = rules(permissions, runs_programs).and_then(|rules| {
        apply(rules, libc::EPERM)?;
        // Its flags can't be looked at. Who is told that it is not there uses `clone`.
        let mut missing = BTreeMap::from([(libc::SYS_clone3, Vec::new())]);
        if !runs_programs {
            missing.extend(unneeded::NEWER.map(|call| (call, Vec::new())));
        }
        apply(missing, libc::ENOSYS)
    });
    Force::of(restricted)
}

/// Has the system refuse calls.
fn apply(rules: Rules, error: libc::c_int) -> Result<(), Error> {
    let refuse = SeccompAction::Errno(error.unsigned_abs());
    let machine = std::env::consts::ARCH.try_into()?;
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, refuse, machine)?;
    let program = BpfProgram::try_from(filter)?;
    apply_filter_all_threads(&program)
}

/// What is refused. A call without rules is refused always, one with some if one of them holds.
fn rules(permissions: &Permissions, runs_programs: bool) -> Result<Rules, Error> {
    let mut rules: Rules = NEVER
        .iter()
        .chain(NEVER_HERE)
        .map(|call| (*call, Vec::new()))
        .collect();
    let mut clone = Vec::new();
    for flag in NAMESPACES {
        clone.push(rule(&[(0, has(flag), bits(flag))])?);
    }
    if !runs_programs {
        for call in [libc::SYS_execve, libc::SYS_execveat] {
            rules.insert(call, Vec::new());
        }
        #[cfg(target_arch = "x86_64")]
        for call in [libc::SYS_fork, libc::SYS_vfork] {
            rules.insert(call, Vec::new());
        }
        // Threads, and no processes.
        clone.push(rule(&[(0, has(libc::CLONE_THREAD), 0)])?);
        unneeded::add(&mut rules, permissions)?;
    }
    rules.insert(libc::SYS_clone, clone);
    rules.insert(libc::SYS_socket, sockets(permissions, runs_programs)?);
    // Typing into the terminal that somebody sits at.
    let typing = [libc::TIOCSTI, libc::TIOCLINUX];
    let typing = typing.map(|request| rule(&[(1, SeccompCmpOp::Eq, request)]));
    rules.insert(
        libc::SYS_ioctl,
        typing.into_iter().collect::<Result<_, _>>()?,
    );
    #[cfg(target_arch = "x86_64")]
    {
        let (bit, first, last) = SHORT;
        let twins: Vec<_> = rules
            .iter()
            .map(|(call, of)| (call | bit, of.clone()))
            .collect();
        rules.extend(twins);
        rules.extend((first..=last).map(|call| (call | bit, Vec::new())));
    }
    Ok(rules)
}

/// Which sockets are refused.
fn sockets(permissions: &Permissions, runs_programs: bool) -> Result<Vec<SeccompRule>, Error> {
    let mut families = Vec::new();
    let uses_network = runs_programs
        || !permissions.connect_ports().is_none()
        || !permissions.listen_ports().is_none();
    if uses_network {
        // By the last one, the C library finds out which addresses this machine has.
        families.extend([libc::AF_INET, libc::AF_INET6, libc::AF_NETLINK]);
    }
    // The C library would ask a local daemon for names, and does without.
    if runs_programs || permissions.uses_unix_sockets() {
        families.push(libc::AF_UNIX);
    }
    let others: Vec<_> = families
        .iter()
        .map(|family| (0, SeccompCmpOp::Ne, bits(*family)))
        .collect();
    if others.is_empty() {
        return Ok(Vec::new());
    }
    let raw = [
        (0, SeccompCmpOp::Ne, bits(libc::AF_NETLINK)),
        (1, SeccompCmpOp::MaskedEq(TYPE), bits(libc::SOCK_RAW)),
    ];
    let routes = [
        (0, SeccompCmpOp::Eq, bits(libc::AF_NETLINK)),
        (2, SeccompCmpOp::Ne, bits(libc::NETLINK_ROUTE)),
    ];
    // Other protocols than these, such as multipath TCP, are not held to the granted ports.
    let protocols = [
        (0, SeccompCmpOp::Ne, bits(libc::AF_NETLINK)),
        (2, SeccompCmpOp::Ne, 0),
        (2, SeccompCmpOp::Ne, bits(libc::IPPROTO_TCP)),
        (2, SeccompCmpOp::Ne, bits(libc::IPPROTO_UDP)),
    ];
    let mut refused = vec![rule(&others)?, rule(&raw)?, rule(&routes)?];
    if !runs_programs {
        refused.push(rule(&protocols)?);
        refused.push(rule(&[(
            1,
            SeccompCmpOp::MaskedEq(TYPE),
            bits(libc::SOCK_SEQPACKET),
        )])?);
    }
    Ok(refused)
}

/// A rule that holds if all of some conditions do: an argument's place, what is compared, and with what. Of an
/// argument, the lower half counts.
pub(super) fn rule(conditions: &[(u8, SeccompCmpOp, u64)]) -> Result<SeccompRule, Error> {
    rule_of(&SeccompCmpArgLen::Dword, conditions)
}

/// As [`rule`], for arguments that are pointers.
pub(super) fn long_rule(conditions: &[(u8, SeccompCmpOp, u64)]) -> Result<SeccompRule, Error> {
    rule_of(&SeccompCmpArgLen::Qword, conditions)
}

fn rule_of(
    length: &SeccompCmpArgLen,
    conditions: &[(u8, SeccompCmpOp, u64)],
) -> Result<SeccompRule, Error> {
    let conditions = conditions.iter().map(|(place, compare, value)| {
        SeccompCondition::new(*place, length.clone(), compare.clone(), *value)
    });
    Ok(SeccompRule::new(conditions.collect::<Result<_, _>>()?)?)
}

/// That flags are set as in the value it is compared with.
pub(super) fn has(flag: libc::c_int) -> SeccompCmpOp {
    SeccompCmpOp::MaskedEq(bits(flag))
}

pub(super) fn bits(number: libc::c_int) -> u64 {
    u64::from(number.cast_unsigned())
}
