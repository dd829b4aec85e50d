//! What a broker does that finds a disk full at any one place.

use std::path::Path;

use super::*;
use crate::sys::{FileSystem, OsFileSystem};
use crate::testkit::{FaultyFileSystem, FileOperation};

struct FullDisk {
    broker: Broker,
    fs: Arc<FaultyFileSystem>,
    root: tempfile::TempDir,
}

impl FullDisk {
    /// With a topic `orders`, and room.
    fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        let fs = Arc::new(FaultyFileSystem::new(Arc::new(OsFileSystem::without_sync())));
        let disk = fs.clone();
        let broker = Broker::builder().log_dir(root.path()).wrap_file_system(|_| disk).open().unwrap();
        create(&broker, "orders", 1);
        FullDisk { broker, fs, root }
    }

    /// From now on there is no room for these files.
    fn fill(&self, takes_room: impl Fn(&Path) -> bool + Send + Sync + 'static) {
        self.fs.set_plan(move |operation, path| {
            let is_refused = operation == FileOperation::Write && takes_room(path);
            is_refused.then(|| std::io::ErrorKind::StorageFull.into())
        });
    }

    fn is_online(&self) -> bool {
        self.broker.admin().describe_log_dirs().unwrap()[0].offline.is_none()
    }
}

#[test]
fn a_topic_can_be_deleted_although_there_is_no_room_to_write_that_down() {
    let disk = FullDisk::new();
    let send = || disk.broker.producer().send(ProducerRecord::new("orders").value("a")).unwrap().wait();
    assert_eq!(send().unwrap().offset, 0);
    let is_checkpoint = |path: &Path| path.to_string_lossy().contains("broker-metadata-checkpoint");
    // Where that does not help, the topic goes on, without what was in it.
    disk.fill(is_checkpoint);
    let refused = disk.broker.admin().delete_topic("orders").unwrap_err();
    assert_eq!((refused.code(), refused.is_fatal()), (ErrorCode::KafkaStorageError, false));
    assert!(
        refused.to_string().starts_with("the topic's records are deleted, the topic is not: "),
        "{refused}"
    );
    assert_eq!(send().unwrap().offset, 0);

    let log_dir = disk.root.path().to_owned();
    disk.fill(move |path| {
        let entries = OsFileSystem::without_sync().read_dir(&log_dir).unwrap();
        is_checkpoint(path) && entries.iter().any(|entry| entry.name.starts_with("orders-0"))
    });
    disk.broker.admin().delete_topic("orders").unwrap();
    assert!(disk.is_online());
    disk.fs.clear_plan();
    create(&disk.broker, "orders", 1);
    assert_eq!(send().unwrap().offset, 0);
}
