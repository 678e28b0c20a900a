//! What a timeout is seen as inside its block, and what it leaves nested blocks as.
//! `O` is the outer block, `I` the inner one.

use curio::traps::sleep_until;
use curio::{Error, Result, ignore_after, sleep, timeout_after, timeout_at, yield_now};
use futures::future::select;
use test_guests::{fails, ms, sleep_until_told, spin_until};

test_guests::cases! {
    i_expires_and_is_caught_between
    i_expires_and_is_not_caught
    i_expires_and_is_not_caught_by_an_ignoring_o
    o_expires_first
    both_expire_before_delivery
    both_expire_at_the_same_time
    both_ignore_and_have_expired
    i_is_caught_and_then_o_expires
    o_s_timeout_is_swallowed_and_comes_again
    o_s_time_passes_while_nothing_blocks_in_i
    o_s_time_passes_and_o_ends_before_anything_blocks
    another_error_leaves_i_after_o_s_time
    a_third_block_between_does_not_matter
    the_middle_one_of_three_expires
    an_outer_timeout_reaches_the_cleanup_of_an_inner_one
    an_inner_block_cannot_extend_an_outer_one
    an_outer_block_that_was_told_is_not_told_of_an_inner_one_again
}

const NEVER: u64 = 1_000_000;

/// Sleeps until a timeout comes, and passes it on: it is always a `TaskTimeout` where the task is blocked.
async fn blocked() -> Result<()> {
    let error = sleep_until_told().await;
    assert!(matches!(error, Error::TaskTimeout(_)), "{error}");
    assert!(error.is_timeout() && error.is_cancellation());
    Err(error)
}

fn is_timeout(error: &Error) -> bool {
    matches!(error, Error::TaskTimeout(_))
}

fn is_of_outer(error: &Error) -> bool {
    assert!(error.is_timeout() && error.is_cancellation());
    matches!(error, Error::TimeoutCancellation(_))
}

fn is_uncaught(error: &Error) -> bool {
    assert!(!error.is_timeout() && !error.is_cancellation());
    matches!(error, Error::UncaughtTimeout)
}

async fn i_expires_and_is_caught_between() -> Result<()> {
    let outer = timeout_after(ms(NEVER), async {
        let inner = timeout_after(ms(5), blocked()).await;
        assert!(is_timeout(&fails(inner)));
        yield_now().await?;
        Ok("well")
    });
    assert_eq!(outer.await?, "well");
    Ok(())
}

async fn i_expires_and_is_not_caught() -> Result<()> {
    let outer = timeout_after(ms(NEVER), async {
        let inner = fails(timeout_after(ms(5), blocked()).await);
        assert!(is_timeout(&inner));
        Err::<(), _>(inner)
    });
    assert!(is_uncaught(&fails(outer.await)));
    Ok(())
}

async fn i_expires_and_is_not_caught_by_an_ignoring_o() -> Result<()> {
    let outer = ignore_after(ms(NEVER), timeout_after(ms(5), blocked()));
    assert!(is_uncaught(&fails(outer.await)));
    Ok(())
}

async fn o_expires_first() -> Result<()> {
    let outer = timeout_after(ms(5), async {
        let inner = fails(timeout_after(ms(NEVER), blocked()).await);
        assert!(is_of_outer(&inner));
        Err::<(), _>(inner)
    });
    assert!(is_timeout(&fails(outer.await)));
    Ok(())
}

async fn both_expire_before_delivery() -> Result<()> {
    let start = curio::clock();
    let outer = timeout_at(start + ms(10), async {
        let inner = timeout_at(start + ms(5), async {
            spin_until(start + ms(15));
            blocked().await
        });
        let inner = fails(inner.await);
        assert!(is_of_outer(&inner));
        Err::<(), _>(inner)
    });
    assert!(is_timeout(&fails(outer.await)));
    Ok(())
}

async fn both_expire_at_the_same_time() -> Result<()> {
    let deadline = curio::clock() + ms(10);
    let outer = timeout_at(deadline, async {
        let inner = fails(timeout_at(deadline, blocked()).await);
        assert!(is_of_outer(&inner));
        Err::<(), _>(inner)
    });
    assert!(is_timeout(&fails(outer.await)));
    Ok(())
}

async fn both_ignore_and_have_expired() -> Result<()> {
    let outer = ignore_after(ms(5), async {
        let inner = ignore_after(ms(5), async {
            let until = curio::clock() + ms(10);
            spin_until(until);
            blocked().await
        });
        let inner = fails(inner.await);
        assert!(is_of_outer(&inner));
        Err::<(), _>(inner)
    });
    assert_eq!(outer.await?, None);
    Ok(())
}

async fn i_is_caught_and_then_o_expires() -> Result<()> {
    let start = curio::clock();
    let outer = timeout_at(start + ms(200), async {
        let inner = timeout_at(start + ms(5), blocked()).await;
        assert!(is_timeout(&fails(inner)));
        blocked().await
    });
    let Error::TaskTimeout(timed_out) = fails(outer.await) else {
        panic!("should be the outer block's");
    };
    assert!(timed_out.at() >= start + ms(200));
    Ok(())
}

async fn o_s_timeout_is_swallowed_and_comes_again() -> Result<()> {
    let outer = timeout_after(ms(5), async {
        let inner = fails(timeout_after(ms(NEVER), blocked()).await);
        assert!(is_of_outer(&inner));
        // Nobody passes it on, and so the next one that blocks is told.
        blocked().await
    });
    assert!(is_timeout(&fails(outer.await)));
    Ok(())
}

async fn o_s_time_passes_while_nothing_blocks_in_i() -> Result<()> {
    let start = curio::clock();
    let outer = timeout_at(start + ms(5), async {
        let inner = timeout_at(start + ms(NEVER), async {
            spin_until(start + ms(10));
            Ok("well")
        });
        assert_eq!(inner.await?, "well");
        // Not at the end of the inner block, but here.
        blocked().await
    });
    assert!(is_timeout(&fails(outer.await)));
    Ok(())
}

async fn o_s_time_passes_and_o_ends_before_anything_blocks() -> Result<()> {
    let start = curio::clock();
    let outer = timeout_at(start + ms(5), async {
        let inner = timeout_at(start + ms(5), async {
            spin_until(start + ms(10));
            Ok("well")
        });
        inner.await
    });
    assert_eq!(outer.await?, "well");
    // It is over.
    sleep(ms(5)).await?;
    Ok(())
}

async fn another_error_leaves_i_after_o_s_time() -> Result<()> {
    let start = curio::clock();
    let outer = timeout_at(start + ms(5), async {
        let inner = timeout_at(start + ms(NEVER), async {
            spin_until(start + ms(10));
            Err::<(), _>(Error::other("the cat is out"))
        });
        assert_eq!(fails(inner.await).to_string(), "the cat is out");
        blocked().await
    });
    assert!(is_timeout(&fails(outer.await)));
    // The same, when the timeout was told and made another error of.
    let outer = timeout_after(ms(5), async {
        let inner = timeout_after(ms(NEVER), async {
            fails(blocked().await);
            Err::<(), _>(Error::other("the cat is out"))
        });
        assert_eq!(fails(inner.await).to_string(), "the cat is out");
        blocked().await
    });
    assert!(is_timeout(&fails(outer.await)));
    Ok(())
}

async fn a_third_block_between_does_not_matter() -> Result<()> {
    let outer = timeout_after(ms(5), async {
        let middle = timeout_after(ms(NEVER), async {
            let inner = fails(timeout_after(None, timeout_after(ms(NEVER), blocked())).await);
            assert!(is_of_outer(&inner));
            Err::<(), _>(inner)
        });
        let middle = fails(middle.await);
        assert!(is_of_outer(&middle));
        Err::<(), _>(middle)
    });
    assert!(is_timeout(&fails(outer.await)));
    Ok(())
}

async fn the_middle_one_of_three_expires() -> Result<()> {
    let outer = timeout_after(ms(NEVER), async {
        let middle = timeout_after(ms(5), timeout_after(ms(NEVER), blocked()));
        let middle = fails(middle.await);
        assert!(is_timeout(&middle));
        Err::<(), _>(middle)
    });
    assert!(is_uncaught(&fails(outer.await)));
    Ok(())
}

async fn an_outer_timeout_reaches_the_cleanup_of_an_inner_one() -> Result<()> {
    let outer = timeout_after(ms(20), async {
        let inner = fails(
            timeout_after(ms(5), async {
                fails(blocked().await);
                // Cleaning up takes too long.
                blocked().await
            })
            .await,
        );
        assert!(is_of_outer(&inner));
        Err::<(), _>(inner)
    });
    assert!(is_timeout(&fails(outer.await)));
    Ok(())
}

async fn an_inner_block_cannot_extend_an_outer_one() -> Result<()> {
    let start = curio::clock();
    let outer = timeout_at(start + ms(5), async {
        timeout_at(start + ms(NEVER), sleep(ms(NEVER))).await
    });
    assert!(is_timeout(&fails(outer.await)));
    Ok(())
}

async fn an_outer_block_that_was_told_is_not_told_of_an_inner_one_again() -> Result<()> {
    timeout_after(ms(0), async {
        assert!(is_timeout(&fails(yield_now().await)));
        let until = curio::clock() + ms(300);
        // Both end together. What the right one was told is dropped with it.
        let slept = async { sleep_until(until).await.map(drop) };
        let branches = select(Box::pin(slept), Box::pin(blocked()));
        timeout_at(until, async { branches.await.factor_first().0 }).await?;
        sleep(ms(1)).await?;
        Ok(())
    })
    .await
}
