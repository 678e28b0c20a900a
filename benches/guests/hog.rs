//! Uses all the time it gets, and asks the kernel for nothing.

fn main() {
    let mut n = 0_u64;
    loop {
        n = std::hint::black_box(n.wrapping_add(1));
    }
}
