"""`WHAT JOBS`: has so many jobs done in another process, one after the other, and prints the nanoseconds it took."""

import sys
import time
from concurrent.futures import ProcessPoolExecutor


def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


def executor(jobs):
    with ProcessPoolExecutor(1) as pool:
        pool.submit(fib, 1).result()
        begun = time.perf_counter_ns()
        for _ in range(jobs):
            pool.submit(fib, 1).result()
        return time.perf_counter_ns() - begun


async def with_curio(jobs):
    import curio

    await curio.run_in_process(fib, 1)
    begun = time.perf_counter_ns()
    for _ in range(jobs):
        await curio.run_in_process(fib, 1)
    return time.perf_counter_ns() - begun


if __name__ == "__main__":
    what, jobs = sys.argv[1], int(sys.argv[2])
    if what == "curio":
        import curio

        print(curio.run(with_curio, jobs))
    else:
        print(executor(jobs))
