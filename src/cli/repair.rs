//! `ottla repair`: cutting out what is damaged.

use ottla::{RepairLogDir, VerifyProgress};

use super::verify::{Progress, Work, say};
use super::{CliError, RepairArgs};

pub(super) fn run(args: &RepairArgs) -> Result<(), CliError> {
    let (mut problems, mut left) = (0, 0);
    for dir in &args.dirs {
        let mut progress = Progress::new(if args.yes { Work::Repair } else { Work::Plan });
        let tell = |so_far: &VerifyProgress| progress.tell(so_far);
        let done = match args.yes {
            true => RepairLogDir::repair(dir, tell),
            false => RepairLogDir::plan(dir, tell),
        }?;
        progress.end();
        let kept = done.kept.iter().map(|path| format!("{}: kept", path.display())).collect::<Vec<_>>();
        let lost = done.left.iter().map(|what| format!("{what} (cannot be repaired)")).collect::<Vec<_>>();
        say(&done.steps)?;
        say(&kept)?;
        say(&lost)?;
        let (dir, steps) = (dir.display(), done.steps.len());
        say(&[match (args.yes, steps) {
            (_, 0) => format!("{dir}: {} partitions, nothing to repair", done.partitions),
            (true, _) => format!("{dir}: {} partitions, {steps} repairs done", done.partitions),
            (false, _) => format!("{dir}: {} partitions, {steps} repairs to do with --yes", done.partitions),
        }])?;
        problems += done.problems;
        left += done.left.len();
    }
    match (args.yes, problems, left) {
        (true, _, 0) | (false, 0, _) => Ok(()),
        (true, _, count) => Err(CliError::BeyondRepair { count }),
        (false, count, _) if count > left => Err(CliError::NotRepaired { count }),
        (false, count, _) => Err(CliError::BeyondRepair { count }),
    }
}
