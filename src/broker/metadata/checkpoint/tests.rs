use super::*;
use crate::sys::OsFileSystem;

fn image() -> MetadataImage {
    let mut image = MetadataImage::default();
    let overrides = Overrides::from([("cleanup.policy".to_owned(), "a \\ b\nc".to_owned())]);
    let topic = TopicRecord { id: Uuid::from_bytes([7; 16]), num_partitions: 3, overrides };
    image.topics.insert("orders".to_owned(), topic);
    image.cluster_overrides.insert("log.cleaner.threads".to_owned(), "2".to_owned());
    let own = Overrides::from([("share.auto.offset.reset".to_owned(), "earliest".to_owned())]);
    image.group_overrides.insert("all \\ readers\n".to_owned(), own);
    image.broker_overrides.insert("sasl.jaas.config".to_owned(), String::new());
    image.next_producer_id = 3000;
    image.cluster_metadata_offset = 1234;
    image
}

fn open(dirs: &[PathBuf]) -> Vec<Arc<LogDir>> {
    let fs: Arc<dyn FileSystem> = Arc::new(OsFileSystem::durable());
    let failures = crate::log::LogDirFailureChannel::new();
    dirs.iter().map(|dir| Arc::new(LogDir::new(&fs, dir.clone(), failures.clone()))).collect()
}

#[test]
fn what_is_stored_is_loaded_again() {
    let dir = tempfile::tempdir().unwrap();
    let dirs = [dir.path().to_owned()];
    let fs = OsFileSystem::durable();
    let mut stored = image();
    stored.store(&fs, &open(&dirs)).unwrap();
    assert_eq!(MetadataImage::load(&fs, &dirs).unwrap(), stored);
    assert_eq!(stored.generation, 1);
}

#[test]
fn the_copy_with_the_highest_generation_counts() {
    let (old, new) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let fs = OsFileSystem::durable();
    let mut stored = image();
    let dirs = [old.path().to_owned(), new.path().to_owned()];
    stored.store(&fs, &open(&dirs)).unwrap();
    stored.topics.clear();
    stored.store(&fs, &open(&dirs[1..])).unwrap();
    assert!(MetadataImage::load(&fs, &dirs).unwrap().topics.is_empty());
}

#[test]
fn a_file_cut_anywhere_is_refused_and_not_taken_for_fewer_topics() {
    let path = Path::new("checkpoint");
    let content = image().encode();
    let whole = content.len() - "\n".len();
    for cut in 0..whole {
        assert!(MetadataImage::decode(&content.as_bytes()[..cut], path).is_err(), "cut at {cut}");
    }
}

#[test]
fn a_bit_that_flips_anywhere_is_found_but_not_missed_in_a_file_that_was_written_without_a_checksum() {
    let path = Path::new("checkpoint");
    let content = image().encode();
    for at in 0..content.len() - "\n".len() {
        for bit in 0..8 {
            let mut damaged = content.clone().into_bytes();
            damaged[at] ^= 1 << bit;
            let decoded = MetadataImage::decode(&damaged, path);
            assert!(decoded.is_err(), "bit {bit} of byte {at}: {decoded:?}");
        }
    }
    let first = "0\n7\ntopic orders BwcHBwcHBwcHBwcHBwcHBw 3\nend 1\n";
    assert_eq!(MetadataImage::decode(first.as_bytes(), path).unwrap().topics.len(), 1);
}

#[test]
fn the_copy_of_another_log_dir_counts_where_one_is_damaged_or_cannot_be_read() {
    let (bad, good) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let dirs = [bad.path().to_owned(), good.path().to_owned()];
    let fs = OsFileSystem::durable();
    let mut stored = image();
    stored.store(&fs, &open(&dirs)).unwrap();
    let path = bad.path().join(METADATA_CHECKPOINT);
    fs.replace(&path, stored.encode().replace("orders", "ordres").as_bytes()).unwrap();
    assert_eq!(MetadataImage::load(&fs, &dirs).unwrap(), stored);
    assert_eq!(MetadataImage::load(&fs, &[dirs[1].clone(), dirs[0].clone()]).unwrap(), stored);
    let error = MetadataImage::load(&fs, &dirs[..1]).unwrap_err();
    assert!(error.to_string().contains("the checksum is not that of the lines before"), "{error}");

    fs.remove_file(&path).unwrap();
    fs.create_dir_all(&path).unwrap();
    assert_eq!(MetadataImage::load(&fs, &dirs).unwrap(), stored);
    assert!(matches!(MetadataImage::load(&fs, &dirs[..1]), Err(MetadataError::Io { .. })));
}

#[cfg(feature = "testkit")]
#[test]
fn a_log_dir_that_cannot_make_it_durable_goes_offline_at_once_and_the_other_has_it() {
    use crate::testkit::{FaultyFileSystem, FileOperation};
    let (bad, good) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let paths = [bad.path().to_owned(), good.path().to_owned()];
    let dirs = open(&paths);
    let fs = FaultyFileSystem::new(Arc::new(OsFileSystem::durable()));
    let of_bad = paths[0].clone();
    fs.set_plan(move |operation, path| {
        let fails = operation == FileOperation::Sync && path.starts_with(&of_bad);
        fails.then(|| std::io::Error::other("input/output error"))
    });
    let mut stored = image();
    stored.store(&fs, &dirs).unwrap();
    assert!(!dirs[0].is_online() && dirs[1].is_online());
    assert_eq!(MetadataImage::load(&fs, &paths[1..]).unwrap(), stored);
    let error = stored.store(&fs, &dirs[..1]).unwrap_err();
    assert_eq!(error.code(), ErrorCode::KafkaStorageError, "{error}");
}

#[test]
fn nothing_is_stored_without_a_log_dir_and_the_caller_is_told() {
    let error = image().store(&OsFileSystem::durable(), &[]).unwrap_err();
    assert!(matches!(error, MetadataError::NoLogDir), "{error}");
}

#[test]
fn a_newer_version_is_named_with_the_remedy() {
    let error = MetadataImage::decode(b"9\n1\nend 0\n", Path::new("d/checkpoint")).unwrap_err();
    assert_eq!(
        error.to_string(),
        "d/checkpoint has version 9; this ottla reads version 0: open the directory with the ottla that wrote it"
    );
}
