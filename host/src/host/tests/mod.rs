//! Tests of guests on a simulated clock: time stands still while anybody runs, and jumps to the next timer when
//! nobody does. And of one that runs in a confined process.
//!
//! - `confined`: a process that is confined can run a program
//! - `random_programs`: random programs of the SDK's tasks

#[expect(
    clippy::disallowed_methods,
    reason = "the guests are built by cargo, as for the end-to-end tests"
)]
#[path = "../../../../tests/harness/build.rs"]
mod build;
mod confined;
mod random_programs;

use super::*;
use crate::kernel::SimulatedClock;
use crate::loader::{Cache, EngineOptions};
use crate::selector::Simulated;

/// How long a guest may compute. One that does not end is in a loop.
const CPU_TIME: Duration = Duration::from_mins(10);

/// A test guest on a simulated clock.
struct Simulation {
    host: Host,
    selector: Simulated,
    instance: Instance,
}

/// How a simulation has ended.
#[derive(Debug, PartialEq, Eq)]
struct Ended {
    exit: Exit,
    /// How often the guest had to be asked to end, since it would have waited for ever.
    stuck: usize,
    /// What the kernel's tables held of the guest when it last waited.
    entries: usize,
    timers: usize,
}

impl Simulation {
    /// Starts a test guest with these arguments.
    fn start(guest: &str, args: &[&str]) -> Self {
        let folder = build::guests().unwrap_or_else(|stderr| panic!("{stderr}"));
        let options = EngineOptions {
            cache: Cache::Off,
            pool: None,
        };
        let engine = Engine::new(&options).expect("there is room for an engine");
        let path = folder.join(guest).with_extension("wasm");
        let component = Component::load(&engine, path).expect("the guest was built");

        let clock = SimulatedClock::default();
        let selector = Simulated::new(clock.clone());
        let kernel = Kernel::new(Box::new(selector.clone()), Box::new(clock));
        let mut host = Host::with_kernel(&engine, kernel).expect("there is room for threads");
        let args = std::iter::once(&guest).chain(args);
        let options = Options {
            args: args.map(|arg| (*arg).to_owned()).collect(),
            limits: Limits::default().with_cpu_time(CPU_TIME),
            ..Options::default()
        };
        let instance = host.start(&component, options);
        Self {
            host,
            selector,
            instance: instance.expect("it needs no rights"),
        }
    }

    /// Runs the guest to its end. If nothing can happen any more, it is asked to end.
    fn run(mut self) -> Ended {
        let runtime = self.host.background.handle();
        let _entered = runtime.enter();
        let mut active = self.host.activate();
        let key = self.instance.0;
        let (mut stuck, mut entries, mut timers) = (0, 0, 0);
        while self.host.running.contains_key(key) {
            let stalls = self.selector.stalls();
            self.host
                .pass(&mut active)
                .expect("a simulated selector never fails");
            let mut kernel = lock(&self.host.kernel);
            if !self.host.running.contains_key(key) || !kernel.is_waiting(key) {
                continue;
            }
            entries = kernel.instance(key).entries();
            timers = kernel.timers();
            if self.selector.stalls() > stalls {
                stuck += 1;
                if !kernel.request_end(key) || stuck > 3 {
                    drop(kernel);
                    self.host.stop(self.instance);
                }
            }
        }
        let exit = self.host.run(self.instance);
        Ended {
            exit: exit.expect("it has ended"),
            stuck,
            entries,
            timers,
        }
    }
}
