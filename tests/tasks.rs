//! Tasks: spawning, joining, and what is known of them.

mod spawning {
    crate::harness::guests::cases! { "task_spawn": the_spawner_goes_on }
}
