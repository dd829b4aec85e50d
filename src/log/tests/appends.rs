use super::fixture::*;

#[test]
fn what_is_appended_is_read_and_is_there_after_a_clean_and_an_unclean_stop() {
    let fixture = Fixture::new();
    let manager = fixture.open();
    let log = fixture.log_of(&manager);
    let info = append(&log, records(&["a", "b"]));
    assert_eq!((info.first_offset, info.last_offset), (0, 1));
    append(&log, records(&["c"]));
    let expected = numbered(0, &["a", "b", "c"]);
    assert_eq!(read_all(&log, 0), expected);
    manager.shutdown().unwrap();
    drop((manager, log));

    let manager = fixture.open();
    let log = manager.log(&partition()).unwrap();
    assert_eq!(log.topic_id(), topic_id());
    assert_eq!(read_all(&log, 0), expected);
    append(&log, records(&["d"]));
    manager.abandon();
    drop((manager, log));

    let manager = fixture.open();
    let log = manager.log(&partition()).unwrap();
    log.maybe_update_high_watermark(log.log_end_offset()).unwrap();
    assert_eq!(read_all(&log, 2), numbered(2, &["c", "d"]));
}
