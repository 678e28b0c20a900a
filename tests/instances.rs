//! Several instances on one host, as an embedder runs them: each is alone with what it does wrong.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant};

use curio_host::{
    Cache, Component, Engine, EngineOptions, Exit, Host, Instance, LimitExceeded, Limits, Options,
    Permissions, Pool, Stdio,
};

use crate::harness::components::Folder;
use crate::harness::guests;

const LATE: Duration = Duration::from_secs(1);

/// A host, and the program whose instances run on it.
struct Setup {
    host: Host,
    component: Component,
}

impl Setup {
    fn new() -> Self {
        Self::with_pool(None)
    }

    fn with_pool(pool: Option<Pool>) -> Self {
        let options = EngineOptions {
            cache: Cache::Directory(guests::cache()),
            pool,
        };
        let engine = Engine::new(&options).unwrap();
        let component = Component::load(&engine, guests::path("instance_work")).unwrap();
        let host = Host::new(&engine).unwrap();
        Self { host, component }
    }

    /// Starts an instance that does one of the things the program can do.
    fn start(&mut self, args: &[&str]) -> Instance {
        self.start_with(args, Options::default())
    }

    fn start_limited(&mut self, args: &[&str], limits: Limits) -> Instance {
        let options = Options {
            limits,
            ..Options::default()
        };
        self.start_with(args, options)
    }

    fn start_with(&mut self, args: &[&str], options: Options) -> Instance {
        let args = std::iter::once(&"instance_work").chain(args);
        let options = Options {
            args: args.map(|arg| (*arg).to_owned()).collect(),
            stdio: Stdio::Null,
            ..options
        };
        self.host.start(&self.component, options).unwrap()
    }

    /// Starts one that may write to a directory, which it knows as `/out`.
    fn start_writing(&mut self, args: &[&str], out: &Path) -> Instance {
        let mut permissions = Permissions::none();
        let grant = format!("{}::/out", out.display());
        permissions.allow_dir(&grant).unwrap();
        permissions.allow_listen("127.0.0.1:0").unwrap();
        let options = Options {
            permissions,
            ..Options::default()
        };
        self.start_with(args, options)
    }

    #[track_caller]
    fn run(&mut self, instance: Instance) -> Exit {
        self.host.run(instance).unwrap()
    }
}

/// How late the worst tick of an instance was. It checked by itself that none came early.
fn lateness(out: &Path, ticks: &str) -> Duration {
    let text = std::fs::read_to_string(out.join("lateness")).unwrap();
    let (n, worst) = text.trim().split_once(' ').unwrap();
    assert_eq!(n, ticks);
    Duration::from_micros(worst.parse().unwrap())
}

#[test]
fn endless_loops_do_not_stop_the_timers_of_others() {
    let mut setup = Setup::new();
    let folder = Folder::new();
    let ticker = setup.start_writing(&["tick", "50"], folder.path());
    let spinners = [(); 3].map(|()| setup.start(&["spin"]));
    assert_eq!(setup.run(ticker), Exit::Code(0));
    let worst = lateness(folder.path(), "50");
    println!("beside three endless loops, the worst tick came {worst:?} late");
    assert!(worst < LATE, "{worst:?}");
    for spinner in spinners {
        setup.host.stop(spinner);
        assert_eq!(setup.run(spinner), Exit::Stopped);
    }
}

#[test]
fn an_endless_loop_does_not_stop_a_server() {
    let mut setup = Setup::new();
    let folder = Folder::new();
    let server = setup.start_writing(&["serve", "127.0.0.1:0"], folder.path());
    let spinner = setup.start(&["spin"]);
    let path = folder.path().join("address");
    let client = std::thread::spawn(move || {
        let begun = Instant::now();
        let address = loop {
            match std::fs::read_to_string(&path) {
                Ok(address) => break address,
                Err(error) => assert!(begun.elapsed() < Duration::from_secs(30), "{error}"),
            }
            std::thread::sleep(Duration::from_millis(5));
        };
        let mut socket = TcpStream::connect(address).unwrap();
        let mut worst = Duration::ZERO;
        for n in 0..50u8 {
            let sent = Instant::now();
            socket.write_all(&[n]).unwrap();
            let mut answer = [0];
            socket.read_exact(&mut answer).unwrap();
            assert_eq!(answer, [n]);
            worst = worst.max(sent.elapsed());
        }
        worst
    });
    assert_eq!(setup.run(server), Exit::Code(0));
    let worst = client.join().unwrap();
    println!("beside an endless loop, the slowest answer took {worst:?}");
    assert!(worst < LATE, "{worst:?}");
    setup.host.stop(spinner);
}

#[test]
fn how_one_ends_is_nothing_to_the_others() {
    let mut setup = Setup::new();
    let folder = Folder::new();
    let ticker = setup.start_writing(&["tick", "30"], folder.path());
    let exits = setup.start(&["exit"]);
    let faults = setup.start(&["fault"]);
    let time = Limits::default().with_time(Duration::from_millis(50));
    let overdue = setup.start_limited(&["sleep"], time);
    let cpu = Limits::default().with_cpu_time(Duration::from_millis(50));
    let spinner = setup.start_limited(&["spin"], cpu);
    let small = setup.start_limited(&["hello"], Limits::default().with_memory(1000));
    assert_eq!(setup.run(ticker), Exit::Code(0));
    lateness(folder.path(), "30");
    // They have ended meanwhile, and that is kept until somebody asks.
    assert_eq!(setup.run(exits), Exit::Code(1));
    let Exit::Fault(text) = setup.run(faults) else {
        panic!("a panic is a fault");
    };
    assert!(text.contains("unreachable"), "{text}");
    let Exit::Limit(LimitExceeded::Time { .. }) = setup.run(overdue) else {
        panic!("its time was over");
    };
    let Exit::Limit(LimitExceeded::CpuTime { .. }) = setup.run(spinner) else {
        panic!("it has computed for longer than it may");
    };
    let Exit::Limit(LimitExceeded::Memory { limit: 1000 }) = setup.run(small) else {
        panic!("it has no room to start in");
    };
}

#[test]
fn instances_that_wait_stay_where_they_are_between_runs() {
    let mut setup = Setup::new();
    let folder = Folder::new();
    let first = setup.start(&["nap"]);
    let second = setup.start_writing(&["tick", "60"], folder.path());
    assert_eq!(setup.run(first), Exit::Code(0));
    assert!(!folder.path().join("lateness").exists());
    // Nobody runs it for a while: its ticks come late then, but they come.
    std::thread::sleep(Duration::from_millis(700));
    assert_eq!(setup.run(second), Exit::Code(0));
    let worst = lateness(folder.path(), "60");
    assert!(worst >= Duration::from_millis(100), "{worst:?}");
}

#[test]
fn an_endless_loop_can_be_stopped() {
    let mut setup = Setup::new();
    let spinner = setup.start(&["spin"]);
    let nap = setup.start(&["nap"]);
    assert_eq!(setup.run(nap), Exit::Code(0));
    setup.host.stop(spinner);
    assert_eq!(setup.run(spinner), Exit::Stopped);
    // One that has not begun, and one that is asked twice.
    let fresh = setup.start(&["hello"]);
    setup.host.stop(fresh);
    setup.host.stop(fresh);
    assert_eq!(setup.run(fresh), Exit::Stopped);
}

#[test]
fn a_cancelled_instance_cleans_up() {
    let mut setup = Setup::new();
    let sleeper = setup.start(&["sleep"]);
    // It has not come as far as to have a task.
    assert!(!setup.host.cancel(sleeper));
    let nap = setup.start(&["nap"]);
    assert_eq!(setup.run(nap), Exit::Code(0));
    assert!(setup.host.cancel(sleeper));
    assert_eq!(setup.run(sleeper), Exit::Code(0));
    assert!(!setup.host.cancel(sleeper));
}

#[test]
fn an_instance_that_takes_all_descriptors_leaves_some_to_others() {
    let out = Folder::new();
    let mut setup = Setup::new();
    let mut start = |case| setup.start_writing(&[case], out.path());
    let [hog, other, victim] = ["take-handles", "take-handles", "need-handles"].map(&mut start);
    assert_eq!(setup.run(victim), Exit::Code(0));
    setup.host.stop(hog);
    setup.host.stop(other);
}

#[test]
fn two_hundred_instances_of_one_component() {
    let mut setup = Setup::with_pool(Some(Pool {
        instances: 200,
        memory: 4 << 20,
    }));
    let names: Vec<_> = (0..200).map(|n| format!("instance {n}")).collect();
    // Twice, so that each place of the pool is used again.
    for _ in 0..2 {
        let instances: Vec<_> = names
            .iter()
            .map(|name| setup.start(&["isolated", name]))
            .collect();
        for instance in instances {
            assert_eq!(setup.run(instance), Exit::Code(0));
        }
    }
    // One too many ends by itself.
    let instances: Vec<_> = (0..201).map(|_| setup.start(&["nap"])).collect();
    let exits: Vec<_> = instances.into_iter().map(|one| setup.run(one)).collect();
    let good = exits.iter().filter(|exit| **exit == Exit::Code(0)).count();
    assert_eq!(good, 200);
}
