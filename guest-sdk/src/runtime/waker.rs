//! A task's `Waker`, for futures that make no trap: channels of other crates, `select!`, and so on.
//!
//! It is nothing but the task's index, so that making, cloning and dropping one costs nothing. An index
//! that has passed on to another task wakes that one, which it is free to ignore.

use std::mem::ManuallyDrop;
use std::task::{RawWaker, RawWakerVTable, Waker};

const VTABLE: RawWakerVTable = RawWakerVTable::new(clone, wake, wake, forget);

/// The waker of the task with this index. It is not dropped: nothing would happen, but by an indirect call.
pub(crate) fn task_waker(index: u32) -> ManuallyDrop<Waker> {
    #[expect(
        unsafe_code,
        reason = "the only way to make a waker that allocates nothing"
    )]
    // SAFETY: the functions of the table are safe to call with any data, from any thread: they
    // never follow the pointer, which carries a number, and only touch thread-local state.
    let waker = unsafe { Waker::from_raw(raw(index)) };
    ManuallyDrop::new(waker)
}

fn raw(index: u32) -> RawWaker {
    RawWaker::new(std::ptr::without_provenance(index as usize), &VTABLE)
}

fn clone(data: *const ()) -> RawWaker {
    RawWaker::new(data, &VTABLE)
}

fn wake(data: *const ()) {
    let index = u32::try_from(data.addr()).unwrap_or(0);
    super::with(|runtime| runtime.wake(index));
}

fn forget(_data: *const ()) {}
