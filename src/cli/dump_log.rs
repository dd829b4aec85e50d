//! `ottla dump-log`: what is in the files of a log.

use std::error::Error as _;
use std::io::{self, Write};

use ottla::{DumpLog, PayloadDecoder};

use super::{CliError, DumpLogArgs};

/// Kafka's decoder of text, which it takes where no other is given.
pub(super) const STRING_DECODER: &str = "org.apache.kafka.tools.api.StringDecoder";

/// Why a class does not decode.
#[derive(Debug, thiserror::Error)]
#[error(
    "a class of Java cannot be loaded here. {STRING_DECODER} is what there is; records of __consumer_offsets, \
     __transaction_state and __share_group_state are decoded by --offsets-decoder, --transaction-log-decoder and \
     --share-group-state-decoder"
)]
pub(super) struct UnknownDecoderClass;

pub(super) fn parse_decoder_class(name: &str) -> Result<String, UnknownDecoderClass> {
    // Its name in Kafka before 4.0, too.
    match name {
        STRING_DECODER | "kafka.serializer.StringDecoder" => Ok(name.to_owned()),
        _ => Err(UnknownDecoderClass),
    }
}

pub(super) fn run(args: &DumpLogArgs) -> Result<(), CliError> {
    for (option, is_given) in [
        ("cluster-metadata-decoder", args.cluster_metadata_decoder),
        ("remote-log-metadata-decoder", args.remote_log_metadata_decoder),
    ] {
        if is_given {
            return Err(CliError::NoDecoder { option });
        }
    }
    let mut dump = DumpLog::default();
    dump.deep_iteration = args.deep_iteration;
    dump.print_data_log =
        args.print_data_log || args.key_decoder_class.is_some() || args.value_decoder_class.is_some();
    dump.skip_record_metadata = args.skip_record_metadata;
    dump.verify_index_only = args.verify_index_only;
    dump.index_sanity_check = args.index_sanity_check;
    dump.max_message_size = args.max_message_size.unwrap_or(u64::MAX);
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
