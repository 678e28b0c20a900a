//! What native code that has broken out of the sandbox would try: files' attributes, other processes, other protocols.

use std::os::unix::fs::PermissionsExt;

use socket2::{Domain, Protocol, Socket, Type};

use super::*;

pub(super) fn attributes_and_other_processes_are_out_of_reach(folder: &Path) {
    let file = folder.join("file");
    fs::write(&file, "secret").unwrap();
    let report = confine(&Permissions::none(), false);
    if !is_in_force(&report, Measure::Calls) {
        return;
    }
    is_denied(fs::set_permissions(
        &file,
        fs::Permissions::from_mode(0o666),
    ));
    is_denied(std::os::unix::fs::chown(&file, Some(12345), None));
    is_denied(fs::write(&file, "changed"));
    is_denied(fs::remove_file(&file));
    is_denied(fs::rename(&file, folder.join("other")));
    is_denied(fs::hard_link(&file, folder.join("other")));
    is_denied(fs::create_dir(folder.join("folder")));
    for number in [
        libc::SYS_fchmodat,
        452,
        libc::SYS_fchownat,
        libc::SYS_utimensat,
        libc::SYS_setxattr,
        libc::SYS_shmget,
        libc::SYS_semget,
        libc::SYS_msgget,
        libc::SYS_mq_open,
        libc::SYS_setpriority,
        libc::SYS_ioprio_set,
        libc::SYS_pidfd_open,
        libc::SYS_setsid,
        libc::SYS_tkill,
        libc::SYS_inotify_init1,
        libc::SYS_chdir,
    ] {
        assert_eq!(call(number), Err(Errno::EPERM), "{number}");
    }
    // listmount, open_tree_attr, and one that is yet to come.
    for number in [458, 467, 500] {
        assert_eq!(call(number), Err(Errno::ENOSYS), "{number}");
    }
    let parent = getppid();
    assert_eq!(kill(parent, None), Err(Errno::EPERM));
    assert_eq!(kill(Pid::from_raw(-1), None), Err(Errno::EPERM));
    assert_eq!(kill(Pid::this(), None), Ok(()));
    for number in [
        libc::SYS_prlimit64,
        libc::SYS_sched_setaffinity,
        libc::SYS_sched_setscheduler,
    ] {
        assert_eq!(call_of(number, parent.as_raw()), Err(Errno::EPERM));
    }
    getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    assert_eq!(prctl::set_dumpable(true), Err(Errno::EPERM));
    assert_eq!(prctl::set_pdeathsig(None), Err(Errno::EPERM));
    prctl::set_name(c"another").unwrap();
    std::thread::available_parallelism().unwrap();
}

pub(super) fn other_protocols_are_refused(folder: &Path) {
    let outside = UnixListener::bind(folder.join("socket")).unwrap();
    let kept = outside.into_raw_fd();
    let mut permissions = Permissions::none();
    permissions.allow_net("example.com:443").unwrap();
    let begun = begin(getppid(), &[kept]).unwrap();
    let report = begun.confine(&permissions, &Limits::default(), false);
    if !is_in_force(&report, Measure::Calls) {
        return;
    }
    for (domain, kind, protocol) in [
        (Domain::IPV4, Type::STREAM, Some(Protocol::from(262))),
        (Domain::IPV6, Type::STREAM, Some(Protocol::from(262))),
        (Domain::IPV4, Type::STREAM, Some(Protocol::from(132))),
        (Domain::IPV4, Type::SEQPACKET, None),
        (Domain::UNIX, Type::STREAM, None),
    ] {
        let error = Socket::new(domain, kind, protocol).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::EPERM), "{domain:?}");
    }
    Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP)).unwrap();
    Socket::new(Domain::IPV6, Type::DGRAM, Some(Protocol::UDP)).unwrap();
}
