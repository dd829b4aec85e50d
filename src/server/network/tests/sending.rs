use std::path::Path;
use std::thread;

use super::*;
use crate::sys::{File, FileSlice, FileSystem, OpenOptions, OsFileSystem};

/// A file whose bytes tell where they stand.
fn numbered_file(dir: &Path, len: usize) -> Arc<dyn File> {
    let file = OsFileSystem::without_sync().open(&dir.join("segment"), OpenOptions::CREATE).unwrap();
    let content: Vec<u8> = (0..len).map(byte_at).collect();
    file.write_all_at(&content, 0).unwrap();
    file
}

fn byte_at(position: usize) -> u8 {
    (position % 251) as u8
}

/// A file that the system cannot send by itself.
#[derive(Debug)]
struct Opaque(Arc<dyn File>);

impl File for Opaque {
    fn read_at(&self, buffer: &mut [u8], position: u64) -> io::Result<usize> {
        self.0.read_at(buffer, position)
    }
    fn write_all_at(&self, bytes: &[u8], position: u64) -> io::Result<()> {
        self.0.write_all_at(bytes, position)
    }
    fn write_all_vectored_at(&self, parts: &mut [io::IoSlice<'_>], position: u64) -> io::Result<()> {
        self.0.write_all_vectored_at(parts, position)
    }
    fn len(&self) -> io::Result<u64> {
        self.0.len()
    }
    fn set_modified_ms(&self, modified_ms: i64) -> io::Result<()> {
        self.0.set_modified_ms(modified_ms)
    }
    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }
    fn sync_data(&self) -> io::Result<()> {
        self.0.sync_data()
    }
    fn sync_all(&self) -> io::Result<()> {
        self.0.sync_all()
    }
    fn allocate(&self, len: u64) -> io::Result<()> {
        self.0.allocate(len)
    }
    #[cfg(unix)]
    fn as_fd(&self) -> Option<std::os::fd::BorrowedFd<'_>> {
        None
    }
}

/// Sends bytes and slices of `file` in turn, several times, and checks that they come as one stream.
fn send_slices_of(file: Arc<dyn File>) {
    let fixture = Fixture::start();
    let slice =
        |position: usize, size| Segment::File(FileSlice::new(Arc::clone(&file), position as u64, size));
    *fixture.handler.segments.lock() = vec![
        Segment::Bytes(Bytes::from_static(b"head")),
        slice(1000, 9_000_000),
        Segment::Bytes(Bytes::new()),
        slice(0, 0),
        Segment::Bytes(Bytes::from_static(b"between")),
        Segment::Bytes(Bytes::from_static(b"the two")),
        slice(17, 300),
        Segment::Bytes(Bytes::from_static(b"tail")),
        slice(5, 1),
        slice(0, 0),
    ];
    let mut expected = b"head".to_vec();
    expected.extend((1000..9_001_000).map(byte_at));
    expected.extend(b"betweenthe two");
    expected.extend((17..317).map(byte_at));
    expected.extend(b"tail");
    expected.push(byte_at(5));
    let mut client = fixture.connect();
    for _ in 0..3 {
        client.send(SEGMENTS, b"");
        client.send(ECHO, b"behind");
    }
    for _ in 0..3 {
        assert!(client.receive() == expected);
        assert_eq!(client.receive(), b"behind");
    }
    eventually("nothing is held", || fixture.server.metrics().unsent_bytes == 0);
}

#[test]
fn slices_of_a_file_that_exceed_the_sockets_buffer_arrive_whole() {
    let dir = tempfile::tempdir().unwrap();
    send_slices_of(numbered_file(dir.path(), 9_002_000));
}

#[test]
fn slices_of_a_file_without_a_descriptor_arrive_whole() {
    let dir = tempfile::tempdir().unwrap();
    send_slices_of(Arc::new(Opaque(numbered_file(dir.path(), 9_002_000))));
}

#[test]
fn a_file_that_is_shorter_than_its_slice_closes_the_connection() {
    let dir = tempfile::tempdir().unwrap();
    let fixture = Fixture::start();
    let file = numbered_file(dir.path(), 1000);
    for file in [Arc::clone(&file), Arc::new(Opaque(file))] {
        *fixture.handler.segments.lock() = vec![Segment::File(FileSlice::new(file, 500, 1000))];
        let mut client = fixture.connect();
        client.send(SEGMENTS, b"");
        let mut got = Vec::new();
        client.stream.read_to_end(&mut got).unwrap();
        assert_eq!(got.len(), 4 + 500);
    }
}

#[test]
fn an_answer_of_hundreds_of_parts_arrives_whole() {
    let fixture = Fixture::start();
    let parts: Vec<Vec<u8>> = (0..500usize).map(|i| vec![i as u8; i % 7]).collect();
    *fixture.handler.segments.lock() =
        parts.iter().map(|part| Segment::Bytes(Bytes::copy_from_slice(part))).collect();
    let mut client = fixture.connect();
    client.send(SEGMENTS, b"");
    client.send(ECHO, b"behind");
    assert_eq!(client.receive(), parts.concat());
    assert_eq!(client.receive(), b"behind");
}

#[test]
fn many_pipelined_answers_arrive_in_order() {
    let fixture = Fixture::start();
    let mut client = fixture.connect();
    let mut writer = Client { stream: client.stream.try_clone().unwrap() };
    thread::scope(|scope| {
        scope.spawn(|| {
            let requests: Vec<u8> = (0..50_000u32).flat_map(|i| frame(ECHO, &i.to_be_bytes())).collect();
            writer.stream.write_all(&requests).unwrap();
        });
        for number in 0..50_000u32 {
            assert_eq!(client.receive(), number.to_be_bytes());
        }
    });
}

#[test]
fn a_slow_reader_does_not_hold_up_the_others() {
    let fixture = Fixture::with(|config| config.num_network_threads = 1);
    let mut slow = fixture.connect();
    slow.send(BULK, &30_000_000u32.to_be_bytes());
    eventually("its answer waits", || fixture.server.metrics().unsent_bytes > 0);
    let mut quick = fixture.connect();
    for _ in 0..100 {
        assert_eq!(quick.ask(b"quick"), b"quick");
    }
    assert_eq!(slow.receive().len(), 30_000_000);
}
