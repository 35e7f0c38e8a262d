use super::{FileError, create, create_directory, read_secret, refuse_open, replace};
use std::fs;
use std::os::unix::fs::PermissionsExt;

fn mode(path: &std::path::Path) -> u32 {
    fs::metadata(path).expect("metadata").permissions().mode() & 0o7777
}

#[test]
fn s14_what_is_written_is_the_owners_alone() {
    let place = tempfile::tempdir().expect("a directory");
    let inner = place.path().join("a/b");
    create_directory(&inner).expect("made");
    assert_eq!(mode(&inner), 0o700);
    let file = inner.join("count.key");
    assert!(create(&file, b"first").expect("written"));
    assert!(!create(&file, b"second").expect("left alone"));
    assert_eq!(read_secret(&file).expect("read").as_slice(), b"first");
    replace(&file, b"third").expect("replaced");
    assert_eq!(read_secret(&file).expect("read").as_slice(), b"third");
    assert_eq!(mode(&file), 0o600);
    assert_eq!(fs::read_dir(&inner).expect("listed").count(), 1, "nothing is left aside");
}

#[test]
fn s14_a_secret_that_others_can_read_is_refused_with_the_remedy() {
    let place = tempfile::tempdir().expect("a directory");
    let file = place.path().join("release.key");
    create(&file, b"secret").expect("written");
    for open in [0o640, 0o604, 0o620, 0o666] {
        fs::set_permissions(&file, fs::Permissions::from_mode(open)).expect("changed");
        let refused = read_secret(&file).expect_err("refused");
        assert!(matches!(refused, FileError::TooOpen { .. }));
        assert!(refused.to_string().contains("chmod 600"), "{refused}");
    }
    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o755)).expect("changed");
    let refused = refuse_open(place.path()).expect_err("refused").to_string();
    assert!(refused.contains("chmod 700"), "{refused}");
}
