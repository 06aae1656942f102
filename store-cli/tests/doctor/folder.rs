//! The folder that the store lies in.

use std::os::unix::fs::MetadataExt;

use crate::common::ENGINES;
use crate::runs::{assert_found, assert_mended, folder, is_root, odd, of_group, private, set_mode};

#[test]
fn the_folder_of_a_group_is_mended_where_the_configuration_says_so() {
    for engine in ENGINES.iter().filter(|_| is_root()) {
        let (place, url) = of_group(engine, "group");
        let folder = folder(&place);
        set_mode(&folder, 0o770);
        assert_mended(
            &place,
            &["--store", &url],
            "warning",
            "folder",
            &folder,
            "does not hand its group down",
        );
        set_mode(&folder, 0o700);
        assert_mended(&place, &["--store", &url], "fault", "folder", &folder, "may not make files");
        set_mode(&folder, 0o770);
        let left = odd(&place, &["--fix"]);
        assert_found(&left, "warning", "folder", &folder, "does not hand its group down");
        assert_eq!(folder.metadata().unwrap().mode() & 0o7777, 0o770, "nobody said that it is shared");
    }
}

#[test]
fn a_sticky_folder_is_mended_unless_everybody_writes_in_it() {
    for engine in ENGINES {
        let place = private(engine);
        let folder = folder(&place);
        set_mode(&folder, 0o1700);
        assert_mended(&place, &[], "fault", "folder", &folder, "sticky");
        set_mode(&folder, 0o1777);
        for args in [&[][..], &["--fix"]] {
            assert_found(&odd(&place, args), "fault", "folder", &folder, "sticky");
            assert_eq!(folder.metadata().unwrap().mode() & 0o7777, 0o1777);
        }
        set_mode(&folder, 0o777);
        assert_found(&odd(&place, &["--fix"]), "warning", "folder", &folder, "everybody may remove");
        assert_eq!(
            folder.metadata().unwrap().mode() & 0o7777,
            0o777,
            "only rights that are missing are given"
        );
    }
}
