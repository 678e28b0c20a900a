//! The tables in `README.md`: that the tests that they name exist.

use std::path::Path;

/// The tests that the last cells of the tables name: what has a `::` in its name.
fn named(readme: &str) -> impl Iterator<Item = &str> {
    let rows = readme.lines().filter(|line| line.starts_with('|'));
    let cells = rows.filter_map(|row| row.strip_suffix(" |")?.rsplit(" | ").next());
    let code = cells.flat_map(|cell| cell.split('`').skip(1).step_by(2));
    code.filter(|name| name.contains("::"))
}

/// Whether a guest has a case, or a file in this folder a test.
fn exists(file: &str, test: &str) -> bool {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests");
    let function = format!("fn {test}()");
    ["guests/src/bin", ""].into_iter().any(|folder| {
        let path = tests.join(folder).join(file).with_extension("rs");
        std::fs::read_to_string(path).is_ok_and(|text| text.contains(&function))
    })
}

#[test]
fn the_tests_that_are_named_exist() {
    let readme = include_str!("README.md");
    let missing: Vec<_> = named(readme)
        .filter(|name| {
            let parts = name.split_once("::");
            !parts.is_some_and(|(file, test)| exists(file, test))
        })
        .collect();
    assert!(missing.is_empty(), "named, but not there: {missing:#?}");
    assert!(named(readme).count() > 100, "the tables look different");
}
