//! Traps that no honest program makes, by the functions themselves: one case an argument.
#![expect(
    unsafe_code,
    reason = "the imports are called behind the bindings' back"
)]
#![expect(clippy::print_stdout, reason = "it says how far it came")]

/// What `curio:kernel` gives a guest, as the component model passes it.
mod raw {
    #[link(wasm_import_module = "curio:kernel/traps@0.1.0")]
    unsafe extern "C" {
        #[link_name = "wait"]
        pub(crate) fn wait(
            ready: u32,
            ended: *const u64,
            length: usize,
            until: u64,
            result: *mut [u32; 2],
        );
        #[link_name = "now"]
        pub(crate) fn now() -> u64;
        #[link_name = "label"]
        pub(crate) fn label(n: *const u8, n_len: usize, f: *const u8, f_len: usize, l: u32) -> u32;
        #[link_name = "spawn"]
        pub(crate) fn spawn(parent: u64, label: u32, daemon: u32, result: *mut [u64; 4]);
        #[link_name = "exit"]
        pub(crate) fn exit(task: u64);
        #[link_name = "info"]
        pub(crate) fn info(task: u64, result: *mut [u64; 16]);
        #[link_name = "sleep"]
        pub(crate) fn sleep(task: u64, cookie: u64, until: u64) -> u64;
        #[link_name = "withdraw"]
        pub(crate) fn withdraw(token: u64) -> u32;
    }

    #[link(wasm_import_module = "curio:kernel/sockets@0.1.0")]
    unsafe extern "C" {
        #[link_name = "[static]socket.create"]
        pub(crate) fn create(family: u32, kind: u32, result: *mut [u32; 5]);
        #[link_name = "[method]socket.bind"]
        // An address of any family, taken apart.
        pub(crate) fn bind(
            socket: u32,
            is_v6: u32,
            a: u32,
            b: u32,
            c: u32,
            d: u32,
            port_or_e: u32,
            f: u32,
            g: u32,
            h: u32,
            port: u32,
            flow: u32,
            scope: u32,
            result: *mut [u32; 5],
        );
        #[link_name = "[method]socket.listen"]
        pub(crate) fn listen(socket: u32, backlog: u32, result: *mut [u32; 5]);
        #[link_name = "[method]socket.accept"]
        pub(crate) fn accept(socket: u32, result: *mut [u32; 12]);
        #[link_name = "[method]socket.recv"]
        pub(crate) fn recv(socket: u32, max: u32, result: *mut [u32; 5]);
        #[link_name = "[method]socket.read-wait"]
        pub(crate) fn read_wait(socket: u32, task: u64, cookie: u64) -> u64;
        #[link_name = "[resource-drop]socket"]
        pub(crate) fn close(socket: u32);
    }

    #[link(wasm_import_module = "curio:kernel/log@0.1.0")]
    unsafe extern "C" {
        #[link_name = "write"]
        pub(crate) fn log(level: u32, message: *const u8, length: usize);
    }

    #[link(wasm_import_module = "wasi:cli/stdin@0.2.0")]
    unsafe extern "C" {
        #[link_name = "get-stdin"]
        pub(crate) fn stdin() -> u32;
    }
}

const WILD: [u64; 4] = [0, 0xdead_beef, u64::MAX, 1 << 63];

const NEVER: u64 = u64::MAX;

/// The outcomes, by their places in the enum.
const DONE: u64 = 0;
const BUSY: u64 = 1;
const CLOSED: u64 = 2;
const END_REQUESTED: u64 = 3;
const INVALID_STATE: u64 = 4;

fn main() {
    // Links what tells the component's tools about the imports.
    let _ = curio::clock();
    let case = std::env::args().nth(1).expect("a case is given");
    if let Some(result) = harmless(&case) {
        assert_eq!(result, "fine");
        return;
    }
    // Everything below ends the program, which nothing here survives.
    // SAFETY: the kernel checks what it is given; that is what these calls are to show.
    unsafe {
        let task = spawn();
        match case.as_str() {
            "wild-handle" => raw::recv(12_345, 1, &mut [0; 5]),
            "no-handle" => raw::close(u32::MAX),
            "closed-handle" => {
                let socket = socket();
                raw::close(socket);
                raw::close(socket);
            }
            "other-kind-of-handle" => raw::recv(raw::stdin(), 1, &mut [0; 5]),
            "wild-sleeper" => forget(raw::sleep(WILD[2], 1, 0)),
            "ended-sleeper" => {
                raw::exit(task);
                raw::sleep(task, 1, NEVER);
            }
            "wild-waiter" => forget(raw::read_wait(listener(), WILD[1], 1)),
            "sleeper-without-cookie" => forget(raw::sleep(task, 0, NEVER)),
            "sleeper-without-cookie-or-sleep" => forget(raw::sleep(task, 0, 0)),
            "waiter-without-cookie" => forget(raw::read_wait(listener(), task, 0)),
            "wild-exit" => raw::exit(WILD[1]),
            "wild-end" => forget(wait(0, &WILD[1..2], NEVER)),
            "end-twice" => forget(wait(0, &[task, task], NEVER)),
            "end-and-exit" => {
                wait(0, &[task], 0);
                raw::exit(task);
            }
            "ends-out-of-bounds" => {
                raw::wait(0, &raw const task, usize::MAX / 8, NEVER, &mut [0; 2]);
            }
            "exit-twice" => {
                raw::exit(task);
                raw::exit(task);
            }
            "endless-sleeps" => loop {
                raw::sleep(task, 1, NEVER);
            },
            "endless-yields" => loop {
                raw::sleep(task, 1, 0);
            },
            "endless-tasks" => loop {
                let task = spawn();
                raw::sleep(task, 1, 0);
                raw::exit(task);
            },
            "endless-waits" => {
                println!("waiting");
                loop {
                    wait(0, &[], 0);
                }
            }
            "endless-deadlines" => {
                println!("waiting");
                loop {
                    // The second one comes first, and the first one is forgotten.
                    raw::sleep(task, 1, raw::now() + 100);
                    wait(0, &[], NEVER - 1);
                    wait(0, &[], raw::now() + 100);
                }
            }
            "wild-text" => raw::log(0, [0xff, 0xfe].as_ptr(), 2),
            "text-out-of-bounds" => raw::log(0, std::ptr::without_provenance(usize::MAX - 9), 9),
            "text-too-long" => raw::log(0, "x".as_ptr(), usize::MAX),
            "result-out-of-bounds" => {
                raw::recv(
                    socket(),
                    1,
                    std::ptr::without_provenance_mut(usize::MAX - 7),
                );
            }
            "wait-without-tasks" => {
                raw::exit(task);
                println!("waiting");
                wait(0, &[], NEVER);
            }
            _ => panic!("there is no case {case}"),
        }
    }
    println!("survived");
}

/// What is odd and does no harm.
fn harmless(case: &str) -> Option<&'static str> {
    // SAFETY: as above; results are given room enough.
    unsafe {
        match case {
            "numbers-of-nothing" => {
                for wild in WILD {
                    assert_eq!(raw::withdraw(wild), 0);
                    let mut info = [u64::MAX; 16];
                    raw::info(wild, &raw mut info);
                    assert_eq!(info[0] & 0xff, 0);
                    let mut spawned = [u64::MAX; 4];
                    raw::spawn(wild, 12_345, 1, &raw mut spawned);
                    assert_eq!(spawned[0] & 0xff, 0);
                }
            }
            // Closing what a task waits on, which the SDK does not let anybody do.
            "closed-while-waiting" => {
                let (task, listener) = (spawn(), listener());
                raw::read_wait(listener, task, 5);
                raw::read_wait(listener, task, 6);
                assert_eq!(told(), [[6, BUSY, 0]]);
                raw::close(listener);
                assert_eq!(told(), [[5, CLOSED, 0]]);
            }
            "unbound-socket" => {
                let (task, socket) = (spawn(), socket());
                let mut result = [0; 5];
                raw::recv(socket, u32::MAX, &raw mut result);
                assert_eq!(result[0] & 0xff, 1);
                raw::read_wait(socket, task, 7);
                assert_eq!(told(), [[7, INVALID_STATE, 0]]);
            }
            // Tasks that only gave others a turn: the kernel has just the guest's word for how many.
            "wrong-count-of-ready-tasks" => {
                for ready in [1, 1000, u32::MAX] {
                    assert!(wait(ready, &[], NEVER).1.is_empty());
                }
                let task = spawn();
                wait(u32::MAX, &[task], NEVER);
            }
            "times-that-have-passed" => {
                let mut last = 0;
                for until in (0..10_000).chain([0, raw::now()]) {
                    let (now, resumptions) = wait(0, &[], until);
                    assert!(now >= last && resumptions.is_empty());
                    last = now;
                }
            }
            // Now earlier, now later than the last one.
            "times-to-come" => {
                for n in 0..100 {
                    let until = raw::now() + 1_000 * (n * 37 % 100);
                    let (now, resumptions) = wait(0, &[], until);
                    assert!(now >= until && resumptions.is_empty());
                }
            }
            "told-of-an-ended-task" => {
                let task = spawn();
                let token = raw::sleep(task, u64::MAX, 0);
                raw::sleep(task, 2, NEVER);
                raw::exit(task);
                assert_eq!(raw::withdraw(token), 0);
                let told = told();
                assert_eq!(told.len(), 1);
                assert_eq!(told[0][..2], [u64::MAX, DONE]);
            }
            "two-of-one-cookie" => {
                let task = spawn();
                let tokens = [(); 3].map(|()| raw::sleep(task, 7, 0));
                assert!(tokens[0] != tokens[1] && tokens[1] != tokens[2]);
                assert_eq!(told().len(), 3);
            }
            "a-hundred-thousand-sleeps" => sleep_in_numbers(100_000),
            "asked-to-end" => {
                spawn();
                println!("waiting");
                assert_eq!(told(), [[0, END_REQUESTED, 0]]);
            }
            "labels" => {
                let label = raw::label("n".as_ptr(), 1, "f".as_ptr(), 1, 1);
                assert_ne!(label, 0);
                let mut last = label;
                for _ in 0..70_000 {
                    last = raw::label("n".as_ptr(), 1, "f".as_ptr(), 1, 1);
                }
                assert_eq!(last, 0);
            }
            _ => return None,
        }
    }
    Some("fine")
}

/// One task sleeps many times at once, and takes back every second one.
fn sleep_in_numbers(count: u64) {
    let task = spawn();
    // SAFETY: as in `main`.
    let begun = unsafe { raw::now() };
    for cookie in 1..=count {
        // SAFETY: as in `main`.
        unsafe {
            let token = raw::sleep(task, cookie, begun + 1_000 * (cookie % 1_000));
            // It may have ended already.
            if cookie % 2 == 0 && raw::withdraw(token) == 1 {
                assert_eq!(raw::withdraw(token), 0);
            }
        }
    }
    let (mut odd, mut last) = (0, 0);
    while odd < count / 2 {
        for [cookie, outcome, at] in told() {
            assert!(outcome == DONE && at >= begun + 1_000 * (cookie % 1_000));
            assert!(at >= last, "in the order of their ends");
            odd += cookie % 2;
            last = at;
        }
    }
}

fn spawn() -> u64 {
    let mut result = [0; 4];
    // SAFETY: the result has room for an error, the largest it can be.
    unsafe { raw::spawn(0, 0, 0, &raw mut result) };
    assert_eq!(result[0] & 0xff, 0);
    result[1]
}

fn socket() -> u32 {
    let mut result = [0; 5];
    // SAFETY: as in `spawn`.
    unsafe { raw::create(0, 0, &raw mut result) };
    assert_eq!(result[0] & 0xff, 0);
    result[1]
}

fn listener() -> u32 {
    let socket = socket();
    let mut result = [0; 5];
    // SAFETY: as in `spawn`.
    unsafe {
        raw::bind(
            socket,
            0,
            127,
            0,
            0,
            1,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            &raw mut result,
        );
        assert_eq!(result[0] & 0xff, 0);
        raw::listen(socket, 1, &raw mut result);
        assert_eq!(result[0] & 0xff, 0);
        // The first attempt finds that there is nothing to accept.
        raw::accept(socket, &mut [0; 12]);
    }
    socket
}

/// Waits for as long as it takes, and returns how traps ended.
fn told() -> Vec<[u64; 3]> {
    wait(0, &[], NEVER).1
}

/// Calls `wait`, and returns the time and how traps ended.
fn wait(ready: u32, ended: &[u64], until: u64) -> (u64, Vec<[u64; 3]>) {
    let mut list = [0; 2];
    // SAFETY: a list of numbers, allocated by this program's own allocator, is what comes.
    let parts = unsafe {
        raw::wait(ready, ended.as_ptr(), ended.len(), until, &raw mut list);
        let first = std::ptr::with_exposed_provenance_mut::<u64>(list[0] as usize);
        Box::from_raw(std::ptr::slice_from_raw_parts_mut(first, list[1] as usize))
    };
    let (now, parts) = parts.split_first().expect("the time is told");
    let (resumptions, rest) = parts.as_chunks();
    assert!(rest.is_empty());
    (*now, resumptions.to_vec())
}

/// Does nothing with what a call gave, if it gave anything.
fn forget<T>(_: T) {}
