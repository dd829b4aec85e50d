//! Random operations on logs, a process that is killed or power that is lost after any step of the disk, and what the next
//! opening finds.
//!
//! `OTTLA_CRASH_SEEDS=7..8` runs seed 7 alone, `0..5000` many.

mod damage;
mod expect;
mod model;
mod operations;
mod world;

use std::ops::Range;

use crate::testkit::Loss;
use world::World;

/// The seeds to run: those of the environment, or these.
fn seeds(default: Range<u64>) -> Range<u64> {
    let Ok(text) = std::env::var("OTTLA_CRASH_SEEDS") else { return default };
    let parsed = text.split_once("..").and_then(|(from, to)| Some(from.parse().ok()?..to.parse().ok()?));
    parsed.unwrap_or_else(|| panic!("OTTLA_CRASH_SEEDS is '{text}', not two numbers as 0..100"))
}

#[test]
fn no_crash_loses_what_was_flushed_or_brings_what_was_never_written() {
    for seed in seeds(0..80) {
        let mut world = World::new(seed);
        for _ in 0..3 {
            let operations = 5 + world.dice.below(25);
            world.work(operations);
            world.crash_somewhere();
        }
        world.finish();
    }
}

#[test]
fn no_crash_while_a_log_moves_loses_what_was_flushed_or_brings_what_was_never_written() {
    for seed in seeds(0..40) {
        let mut world = World::with_moves(seed);
        for _ in 0..3 {
            let operations = 5 + world.dice.below(30);
            world.work(operations);
            world.crash_somewhere();
        }
        world.finish();
    }
}

/// Not at some steps, but at each, with each kind of loss.
#[test]
fn no_step_is_one_at_which_a_crash_does_harm() {
    for seed in seeds(0..3) {
        look_after_each_step(World::new(seed), seed);
    }
}

#[test]
fn no_step_of_a_move_is_one_at_which_a_crash_does_harm() {
    for seed in seeds(0..3) {
        look_after_each_step(World::with_moves(seed), seed);
    }
}

fn look_after_each_step(mut world: World, seed: u64) {
    world.work(12);
    for steps in 0..=world.steps() {
        let losses = [
            Loss::Nothing,
            Loss::Everything,
            Loss::Content,
            Loss::Names,
            Loss::Chance(seed ^ steps as u64),
            Loss::Reordered(seed ^ steps as u64),
        ];
        for loss in losses {
            world.look_after_crash(steps, loss);
        }
        world.look_after_kill(steps, &losses);
    }
}
