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
        pub(crate) fn wait(ready: u32, ended: *const u64, length: usize, result: *mut [u32; 2]);
        #[link_name = "label"]
        pub(crate) fn label(n: *const u8, n_len: usize, f: *const u8, f_len: usize, l: u32) -> u32;
        #[link_name = "spawn"]
        pub(crate) fn spawn(parent: u64, label: u32, daemon: u32, result: *mut [u64; 4]);
        #[link_name = "exit"]
        pub(crate) fn exit(task: u64);
        #[link_name = "info"]
        pub(crate) fn info(task: u64, result: *mut [u64; 16]);
        #[link_name = "join"]
        pub(crate) fn join(task: u64, scope: u64, cookie: u32, target: u64) -> u64;
        #[link_name = "cancel"]
        pub(crate) fn cancel(task: u64) -> u32;
        #[link_name = "wake"]
        pub(crate) fn wake(task: u64);
        #[link_name = "sleep"]
        pub(crate) fn sleep(task: u64, scope: u64, cookie: u32, until: u64) -> u64;
        #[link_name = "withdraw"]
        pub(crate) fn withdraw(token: u64) -> u32;
        #[link_name = "redeliver-cancel"]
        pub(crate) fn redeliver_cancel(task: u64);
        #[link_name = "redeliver-timeout"]
        pub(crate) fn redeliver_timeout(scope: u64);
        #[link_name = "open-scope"]
        pub(crate) fn open_scope(task: u64, scope: u64, cookie: u32, deadline: u64) -> u64;
        #[link_name = "close-scope"]
        pub(crate) fn close_scope(scope: u64);
        #[link_name = "[constructor]wait-queue"]
        pub(crate) fn make_queue(reason: *const u8, length: usize) -> u32;
        #[link_name = "[method]wait-queue.suspend"]
        pub(crate) fn suspend(queue: u32, task: u64, scope: u64, cookie: u32) -> u64;
        #[link_name = "[resource-drop]wait-queue"]
        pub(crate) fn drop_queue(queue: u32);
    }

    #[link(wasm_import_module = "curio:kernel/sockets@0.1.0")]
    unsafe extern "C" {
        #[link_name = "[static]tcp-socket.create"]
        pub(crate) fn create(family: u32, result: *mut [u32; 5]);
        #[link_name = "[method]tcp-socket.bind"]
        // An address of either family, taken apart.
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
        #[link_name = "[method]tcp-socket.listen"]
        pub(crate) fn listen(socket: u32, backlog: u32, result: *mut [u32; 5]);
        #[link_name = "[method]tcp-socket.accept"]
        pub(crate) fn accept(socket: u32, result: *mut [u32; 12]);
        #[link_name = "[method]tcp-socket.recv"]
        pub(crate) fn recv(socket: u32, max: u32, result: *mut [u32; 5]);
        #[link_name = "[method]tcp-socket.read-wait"]
        pub(crate) fn read_wait(socket: u32, task: u64, scope: u64, cookie: u32) -> u64;
        #[link_name = "[resource-drop]tcp-socket"]
        pub(crate) fn close(socket: u32);
    }

    #[link(wasm_import_module = "curio:kernel/log@0.1.0")]
    unsafe extern "C" {
        #[link_name = "write"]
        pub(crate) fn log(level: u32, message: *const u8, length: usize);
    }
}

const WILD: [u64; 4] = [0, 0xdead_beef, u64::MAX, 1 << 63];

fn main() {
    // Links what tells the component's tools about the imports.
    let _ = curio::clock();
    let case = std::env::args().nth(1).expect("a case is given");
    if let Some(result) = harmless(&case) {
        assert_eq!(result, "fine");
        return;
    }
    // Everything below is a fault, which nothing here survives.
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
            "other-kind-of-handle" => {
                let queue = raw::make_queue("q".as_ptr(), 1);
                raw::recv(queue, 1, &mut [0; 5]);
            }
            "wild-sleeper" => forget(raw::sleep(WILD[2], 0, 1, 0)),
            "wild-scope" => forget(raw::sleep(task, WILD[1], 1, 0)),
            "wild-joiner" => forget(raw::join(WILD[1], 0, 1, task)),
            "wild-waiter" => forget(raw::read_wait(listener(), WILD[1], 0, 1)),
            "wild-exit" => raw::exit(WILD[1]),
            "wild-end" => wait(0, &WILD[1..2]),
            "end-twice" => wait(0, &[task, task]),
            "ends-out-of-bounds" => raw::wait(0, &raw const task, usize::MAX / 8, &mut [0; 2]),
            "exit-twice" => {
                raw::exit(task);
                raw::exit(task);
            }
            "wild-opener" => forget(raw::open_scope(WILD[1], 0, 1, 0)),
            "wild-close" => raw::close_scope(WILD[1]),
            "deep-scopes" => {
                let mut scope = 0;
                loop {
                    scope = raw::open_scope(task, scope, 1, u64::MAX);
                }
            }
            "endless-scopes" => loop {
                raw::open_scope(task, 0, 1, u64::MAX);
            },
            "endless-sleeps" => loop {
                raw::sleep(task, 0, 1, u64::MAX);
            },
            "endless-yields" => loop {
                raw::sleep(task, 0, 1, 0);
            },
            "endless-queues" => loop {
                raw::make_queue("q".as_ptr(), 1);
            },
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
            "unbound-socket" => {
                let socket = socket();
                let mut result = [0; 5];
                raw::recv(socket, u32::MAX, &raw mut result);
                assert_eq!(result[0] & 0xff, 1);
                raw::read_wait(socket, task, 0, 7);
            }
            "wait-without-tasks" => {
                raw::exit(task);
                println!("waiting");
                wait(0, &[]);
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
                    assert_eq!(raw::cancel(wild), 0);
                    assert_eq!(raw::withdraw(wild), 0);
                    raw::wake(wild);
                    raw::redeliver_cancel(wild);
                    raw::redeliver_timeout(wild);
                    let mut info = [u64::MAX; 16];
                    raw::info(wild, &raw mut info);
                    assert_eq!(info[0] & 0xff, 0);
                    let mut spawned = [u64::MAX; 4];
                    raw::spawn(wild, 12_345, 1, &raw mut spawned);
                    assert_eq!(spawned[0] & 0xff, 0);
                    // Who has ended can be joined at once.
                    raw::join(spawn(), 0, 1, wild);
                }
            }
            // Closing what a task waits on, which the SDK does not let anybody do.
            "closed-while-waiting" => {
                let task = spawn();
                let queue = raw::make_queue("q".as_ptr(), 1);
                raw::suspend(queue, task, 0, 5);
                raw::drop_queue(queue);
                assert_eq!(wait_for(task, 5), CLOSED);
                let listener = listener();
                raw::read_wait(listener, task, 0, 6);
                raw::close(listener);
                assert_eq!(wait_for(task, 6), CLOSED);
            }
            // Tasks that only gave others a turn: the kernel has just the guest's word for how many.
            "wrong-count-of-ready-tasks" => {
                for ready in [1, 1000, u32::MAX] {
                    wait(ready, &[]);
                }
                let task = spawn();
                wait(u32::MAX, &[task]);
            }
            "queue-and-sleep" => {
                let task = spawn();
                let queue = raw::make_queue("q".as_ptr(), 1);
                raw::suspend(queue, task, 0, 5);
                raw::sleep(task, 0, 6, 0);
                assert_eq!(wait_for(task, 6), DONE);
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
    unsafe { raw::create(0, &raw mut result) };
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

const DONE: u64 = 2;
const CLOSED: u64 = 7;

/// Waits until a task is resumed with a cookie, and says how that ended.
fn wait_for(task: u64, cookie: u32) -> u64 {
    loop {
        let mut list = [0; 2];
        // SAFETY: a list of numbers, allocated by this program's own allocator, is what comes.
        let parts = unsafe {
            raw::wait(0, [].as_ptr(), 0, &raw mut list);
            let first = std::ptr::with_exposed_provenance::<u64>(list[0] as usize);
            std::slice::from_raw_parts(first, list[1] as usize)
        };
        for resumption in parts.as_chunks::<3>().0 {
            let [resumed, why, value] = *resumption;
            if (resumed, why & u64::from(u32::MAX)) == (task, cookie.into()) {
                return why >> 32;
            }
            // Before that, only its start may come.
            assert_eq!((resumed, why, value), (task, 0, 0));
        }
    }
}

fn wait(ready: u32, ended: &[u64]) {
    // SAFETY: as in `spawn`; the list that comes is left to leak.
    unsafe { raw::wait(ready, ended.as_ptr(), ended.len(), &mut [0; 2]) };
}

/// Does nothing with what a call gave, if it gave anything.
fn forget(_: u64) {}
