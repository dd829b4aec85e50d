//! `ottla dump-log`: what is in the files of a log.

use std::error::Error as _;
use std::io::{self, Write};

use ottla::{DumpLog, PayloadDecoder};

use super::{CliError, DumpLogArgs};

pub(super) fn run(args: &DumpLogArgs) -> Result<(), CliError> {
    let mut dump = DumpLog::default();
    dump.deep_iteration = args.deep_iteration;
    dump.print_data_log = args.print_data_log;
    dump.skip_record_metadata = args.skip_record_metadata;
    dump.verify_index_only = args.verify_index_only;
    dump.index_sanity_check = args.index_sanity_check;
    dump.max_bytes = args.max_bytes.unwrap_or(u64::MAX);
    dump.decoder = if args.offsets_decoder {
        PayloadDecoder::Offsets
    } else if args.transaction_log_decoder {
        PayloadDecoder::TransactionLog
    } else if args.share_group_state_decoder {
        PayloadDecoder::ShareGroupState
    } else {
        PayloadDecoder::Text
    };
    let mut out = io::BufWriter::new(io::stdout().lock());
    let mut problems = Vec::new();
    for file in args.paths.iter().chain(&args.files) {
        match dump.dump(file, &mut out) {
            Ok(found) => problems.extend(found),
            Err(error) if is_broken_pipe(&error) => return Ok(()),
            Err(error) => return Err(error.into()),
        }
    }
    match out.flush() {
        // The reader has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(()),
        flushed => flushed.map_err(CliError::Stdout)?,
    }
    for problem in problems {
        // As in Kafka's tool, they are told and change nothing of the exit code: gaps are among them.
        let _ = writeln!(io::stderr(), "{problem}");
    }
    Ok(())
}

fn is_broken_pipe(error: &ottla::Error) -> bool {
    let source = error.source().and_then(|source| source.downcast_ref::<io::Error>());
    source.is_some_and(|source| source.kind() == io::ErrorKind::BrokenPipe)
}
