//! What a confined process can and can't do. Each is looked at by a process of its own: this program once more, that runs
//! `probe` and nothing else.
#![expect(
    clippy::disallowed_methods,
    reason = "the system is to refuse what is done here"
)]

mod unneeded;

use std::fs;
use std::io::{self, ErrorKind};
use std::net::{TcpListener, TcpStream, ToSocketAddrs, UdpSocket};
use std::os::fd::{AsRawFd, IntoRawFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::Command;

use nix::errno::Errno;
use nix::libc;
use nix::sys::prctl;
use nix::sys::resource::{Resource, getrlimit};
use nix::sys::signal::kill;
use nix::unistd::{Pid, getppid};

use super::*;

/// Says to `probe` what to look at.
const PROBE: &str = "CURIO_PROBE";

/// The folder that it may use for that.
const FOLDER: &str = "CURIO_PROBE_FOLDER";

/// Has a process of its own look at something.
#[track_caller]
fn probe_in_process(name: &str, folder: &Path) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["isolation::tests::probe", "--exact", "--ignored"])
        .args(["--nocapture", "--test-threads=1"])
        .env(PROBE, name)
        .env(FOLDER, folder);
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert!(
        output.status.success() && stdout.contains("1 passed"),
        "{name}: {}\n{stdout}\n{stderr}",
        output.status
    );
}

macro_rules! probes {
    ($($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                let folder = tempfile::tempdir().unwrap();
                probe_in_process(stringify!($name), folder.path());
            }
        )*

        #[test]
        #[ignore = "confines its process: the others run it in one of its own"]
        fn probe() {
            let Ok(name) = std::env::var(PROBE) else {
                return;
            };
            let folder = std::env::var(FOLDER).unwrap();
            match name.as_str() {
                $(stringify!($name) => probes::$name(Path::new(&folder)),)*
                _ => panic!("there is no probe {name}"),
            }
        }
    };
}

probes! {
    nothing_is_left_without_grants
    calls_are_refused
    attributes_and_other_processes_are_out_of_reach
    other_protocols_are_refused
    directories_are_as_granted
    ports_are_as_granted
    unix_sockets_are_made_where_granted
    programs_can_be_run
    descriptors_are_closed
    an_orphan_is_told
}

/// Confines this process, and says what is in force.
fn confine(permissions: &Permissions, runs_programs: bool) -> Report {
    let begun = begin(getppid(), &[]).unwrap();
    begun.confine(permissions, &Limits::default(), runs_programs)
}

/// Whether a measure is in force. What the system does not have can't be looked at.
fn is_in_force(report: &Report, measure: Measure) -> bool {
    let force = report.force(measure).unwrap();
    let full = *force == Force::Full;
    if !full {
        println!("not looked at: {measure}: {force:?}");
    }
    full
}

#[track_caller]
fn is_denied<T>(result: io::Result<T>) {
    let error = result.map(drop).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{error}");
}

/// Makes a system call, with zeros for arguments.
#[expect(unsafe_code, reason = "calls that are refused have no other name")]
fn call(number: libc::c_long) -> Result<libc::c_long, Errno> {
    // SAFETY: none of the calls that are tried does anything with zeros.
    Errno::result(unsafe { libc::syscall(number, 0, 0, 0, 0, 0, 0) })
}

/// Makes a system call on a process, with zeros for the other arguments.
#[expect(unsafe_code, reason = "calls that are refused have no other name")]
fn call_of(number: libc::c_long, pid: libc::pid_t) -> Result<libc::c_long, Errno> {
    // SAFETY: none of the calls that are tried does anything with zeros.
    Errno::result(unsafe { libc::syscall(number, pid, 0, 0, 0, 0, 0) })
}

mod probes {
    use super::*;

    pub(super) use super::unneeded::{
        attributes_and_other_processes_are_out_of_reach, other_protocols_are_refused,
    };

    pub(super) fn nothing_is_left_without_grants(folder: &Path) {
        let report = confine(&Permissions::none(), false);
        for measure in [
            Measure::ParentDeath,
            Measure::Descriptors,
            Measure::CoreDumps,
            Measure::Tracing,
            Measure::Privileges,
            Measure::DescriptorLimit,
        ] {
            assert_eq!(report.force(measure), Some(&Force::Full), "{measure}");
        }
        assert_eq!(prctl::get_no_new_privs(), Ok(true));
        assert_eq!(prctl::get_dumpable(), Ok(false));
        assert_eq!(getrlimit(Resource::RLIMIT_CORE), Ok((0, 0)));
        let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
        assert!(soft == hard && hard <= u64::from(Limits::default().handles()) + 256);
        if is_in_force(&report, Measure::Files) {
            for path in ["/etc/hosts", "/proc/self/status", "/lib"] {
                is_denied(fs::File::open(path));
            }
            is_denied(fs::write(folder.join("a"), "a"));
            is_denied(fs::create_dir(folder.join("b")));
        }
        if is_in_force(&report, Measure::Processes) {
            assert_eq!(kill(getppid(), None), Err(Errno::EPERM));
        }
        if is_in_force(&report, Measure::Calls) {
            is_denied(UdpSocket::bind("127.0.0.1:0"));
            is_denied(TcpStream::connect("127.0.0.1:1"));
            is_denied(UnixListener::bind(folder.join("s")));
            is_denied(Command::new("/bin/true").status());
        }
        // It still can have threads and connections within itself.
        UnixStream::pair().unwrap();
        let thread = std::thread::spawn(|| fs::File::open("/etc/hosts").map(drop));
        let opened = thread.join().unwrap();
        if is_in_force(&report, Measure::Files) {
            is_denied(opened);
        }
    }

    pub(super) fn calls_are_refused(_: &Path) {
        let report = confine(&Permissions::none(), false);
        if !is_in_force(&report, Measure::Calls) {
            return;
        }
        for number in [
            libc::SYS_ptrace,
            libc::SYS_process_vm_readv,
            libc::SYS_mount,
            libc::SYS_unshare,
            libc::SYS_setns,
            libc::SYS_bpf,
            libc::SYS_perf_event_open,
            libc::SYS_keyctl,
            libc::SYS_io_uring_setup,
            libc::SYS_userfaultfd,
            libc::SYS_personality,
            libc::SYS_setuid,
            libc::SYS_execve,
            libc::SYS_execveat,
            libc::SYS_socket,
            // A process, since it is no thread.
            libc::SYS_clone,
        ] {
            assert_eq!(call(number), Err(Errno::EPERM), "{number}");
        }
        assert_eq!(call(libc::SYS_clone3), Err(Errno::ENOSYS));
        #[cfg(target_arch = "x86_64")]
        for number in [libc::SYS_ptrace, libc::SYS_unshare, 520, 521] {
            assert_eq!(call(number | 0x4000_0000), Err(Errno::EPERM), "{number}");
        }
        assert_eq!(call(libc::SYS_getpid), Ok(i64::from(std::process::id())));
    }

    pub(super) fn directories_are_as_granted(folder: &Path) {
        for name in ["read", "write", "other"] {
            fs::create_dir(folder.join(name)).unwrap();
            fs::write(folder.join(name).join("file"), name).unwrap();
        }
        let mut permissions = Permissions::none();
        let at = |name: &str| folder.join(name);
        permissions
            .allow_dir(&format!("{}::/read::ro", at("read").display()))
            .unwrap()
            .allow_dir(&format!("{}::/write", at("write").display()))
            .unwrap();
        let report = confine(&permissions, false);
        assert_eq!(fs::read(at("read/file")).unwrap(), b"read");
        assert_eq!(fs::read_dir(at("read")).unwrap().count(), 1);
        fs::write(at("write/new"), "new").unwrap();
        fs::create_dir(at("write/folder")).unwrap();
        fs::rename(at("write/new"), at("write/folder/new")).unwrap();
        fs::remove_file(at("write/folder/new")).unwrap();
        std::os::unix::fs::symlink("file", at("write/link")).unwrap();
        if is_in_force(&report, Measure::Files) {
            is_denied(fs::write(at("read/file"), "new"));
            is_denied(fs::remove_file(at("read/file")));
            is_denied(fs::read(at("other/file")));
            is_denied(fs::read_dir(folder));
            is_denied(fs::rename(at("write/file"), at("other/new")));
        }
        if is_in_force(&report, Measure::Calls) {
            is_denied(Command::new("/bin/true").status());
        }
    }

    pub(super) fn ports_are_as_granted(_: &Path) {
        let listeners = [0, 1].map(|_| TcpListener::bind("127.0.0.1:0").unwrap());
        let [granted, other] = listeners
            .each_ref()
            .map(|listener| listener.local_addr().unwrap());
        // They listen as long as this process lives.
        let kept = listeners.map(IntoRawFd::into_raw_fd);
        let mut permissions = Permissions::none();
        permissions
            .allow_net(&format!("{granted},localhost:{}", granted.port()))
            .unwrap();
        let begun = begin(getppid(), &kept).unwrap();
        let report = begun.confine(&permissions, &Limits::default(), false);
        TcpStream::connect(granted).unwrap();
        UdpSocket::bind("127.0.0.1:0").unwrap();
        assert!(
            ("localhost", 80)
                .to_socket_addrs()
                .unwrap()
                .next()
                .is_some()
        );
        if is_in_force(&report, Measure::Ports) {
            is_denied(TcpStream::connect(other));
            is_denied(TcpListener::bind("127.0.0.1:49999"));
            TcpListener::bind("127.0.0.1:0").unwrap();
        }
        if is_in_force(&report, Measure::Calls) {
            use socket2::{Domain, Protocol, Socket, Type};
            for (domain, kind) in [
                (Domain::PACKET, Type::DGRAM),
                (Domain::IPV4, Type::RAW),
                (Domain::VSOCK, Type::STREAM),
            ] {
                let error = Socket::new(domain, kind, None::<Protocol>).unwrap_err();
                assert_eq!(error.raw_os_error(), Some(libc::EPERM));
            }
        }
    }

    pub(super) fn unix_sockets_are_made_where_granted(folder: &Path) {
        for name in ["here", "there"] {
            fs::create_dir(folder.join(name)).unwrap();
        }
        let mut permissions = Permissions::none();
        let spec = format!("unix:{}/", folder.join("here").display());
        permissions.allow_listen(&spec).unwrap();
        let report = confine(&permissions, false);
        let path = folder.join("here/socket");
        let _listener = UnixListener::bind(&path).unwrap();
        UnixStream::connect(&path).unwrap();
        if is_in_force(&report, Measure::Files) {
            is_denied(UnixListener::bind(folder.join("there/socket")));
        }
        if is_in_force(&report, Measure::Calls) {
            is_denied(UdpSocket::bind("127.0.0.1:0"));
        }
    }

    pub(super) fn programs_can_be_run(folder: &Path) {
        let report = confine(&Permissions::none(), true);
        let file = folder.join("file");
        let mut command = Command::new("/bin/sh");
        command.args(["-c", "echo said > \"$0\""]).arg(&file);
        assert!(command.status().unwrap().success());
        assert_eq!(fs::read(file).unwrap(), b"said\n");
        let unwanted = |measure| matches!(report.force(measure), Some(Force::Unwanted(_)));
        assert!(unwanted(Measure::Files) && unwanted(Measure::Ports));
        if is_in_force(&report, Measure::Calls) {
            assert_eq!(call(libc::SYS_ptrace), Err(Errno::EPERM));
            assert_eq!(call(libc::SYS_unshare), Err(Errno::EPERM));
        }
    }

    pub(super) fn descriptors_are_closed(_: &Path) {
        let open = || fs::File::open("/dev/null").unwrap().into_raw_fd();
        let (closed, kept, also) = (open(), open(), open());
        let begun = begin(getppid(), &[kept, 0]).unwrap();
        let _report = begun.confine(&Permissions::all(), &Limits::default(), false);
        let is_open = |fd| Path::new(&format!("/proc/self/fd/{fd}")).exists();
        for (fd, expected) in [
            (0, true),
            (1, true),
            (2, true),
            (closed, false),
            (also, false),
        ] {
            assert_eq!(is_open(fd), expected, "{fd}");
        }
        assert!(is_open(kept));
        // Everything is granted, so that it can be opened.
        let file = fs::File::open("/etc/hosts").unwrap();
        assert_eq!(file.as_raw_fd(), closed);
    }

    pub(super) fn an_orphan_is_told(_: &Path) {
        let nobody = Pid::from_raw(getppid().as_raw() + 1);
        assert_eq!(begin(nobody, &[]).unwrap_err(), Orphaned);
    }
}
