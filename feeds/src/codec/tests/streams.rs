//! Compressed files, broken streams and long lines.

use super::*;
use std::io::Write;

pub(super) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub(super) fn zip_of(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        writer
            .start_file(*name, zip::write::SimpleFileOptions::default())
            .unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

#[test]
fn compressed_files_are_recognised_and_read_to_their_end() {
    let folder = tempfile::tempdir().unwrap();
    let plain = outcomes(Format::UsEquityTrades, PRINTS, &options());
    let zipped = zip_of(&[("20131008_spy_Trade_Tick.csv", PRINTS.as_bytes())]);
    let two_members = [gzip(&PRINTS.as_bytes()[..100]), gzip(&PRINTS.as_bytes()[100..])].concat();
    for (name, bytes) in [
        ("plain_20131008_spy.csv", PRINTS.as_bytes().to_vec()),
        ("spy_20131008.csv.gz", gzip(PRINTS.as_bytes())),
        ("20131008_spy.gz", two_members),
        ("whatever.zip", zipped),
    ] {
        let path = folder.path().join(name);
        std::fs::write(&path, &bytes).unwrap();
        let options = Options {
            symbol: Some(Symbol::lossy("SPY")),
            ..options()
        };
        let mut recording = open(Format::UsEquityTrades, &path, &options).unwrap();
        let progress = recording.progress();
        let got: Vec<String> = recording
            .by_ref()
            .map(|read| read.map_or_else(|error| error.to_string(), |inbound| describe(&inbound)))
            .collect();
        assert_eq!(got, plain, "{name}");
        assert_eq!(progress.total(), bytes.len() as u64, "{name}");
        assert!(
            progress.read() > 0 && progress.read() <= progress.total(),
            "{name}"
        );
    }
    let absent = open(Format::Jsonl, &folder.path().join("absent"), &options());
    assert!(matches!(absent, Err(OpenError::File { .. })));
}

#[test]
fn a_broken_stream_ends_with_an_error_and_never_looks_complete() {
    let long: String = (0..2_000)
        .map(|ms| format!("{ms},{},{},Q,0,0\n", ms * 7_919 % 10_007, ms * 104_729 % 9_973))
        .collect();
    let packed = gzip(long.as_bytes());
    let zipped = zip_of(&[("20131008_spy.csv", long.as_bytes())]);
    let mut damaged = zipped.clone();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 0x55;
    for bytes in [&packed[..packed.len() / 2], &packed[..packed.len() - 3], &damaged] {
        let read: Vec<_> = recording(Format::UsEquityTrades, bytes, &options())
            .unwrap()
            .collect();
        let Some(Err(last)) = read.last() else {
            panic!("it looks complete")
        };
        assert!(last.reason.is_end(), "{last}");
    }
    assert!(matches!(
        recording(Format::UsEquityTrades, &zipped[..zipped.len() / 2], &options()),
        Err(OpenError::Zip(_))
    ));
    for files in [&[][..], &[("a", &b"1"[..]), ("b", b"2")]] {
        let found = recording(Format::UsEquityTrades, &zip_of(files), &options());
        assert!(matches!(found, Err(OpenError::Entries { count }) if count == files.len()));
    }
}

#[test]
fn a_line_of_any_length_is_bounded_and_the_next_is_read() {
    let valid = "1,1,1,Q,0,0";
    for (len, readable) in [
        (LINE_MAX, true),
        (LINE_MAX + 1, false),
        (LINE_MAX + 2, false),
        (5 * LINE_MAX, false),
    ] {
        for end in ["\n", "\r\n"] {
            let text = format!("1,1,1,Q,{},0{end}{valid}{end}", "0".repeat(len - 10));
            let got = outcomes(Format::UsEquityTrades, &text, &options());
            assert_eq!(got.len(), 2, "{len}");
            assert_eq!(
                got[0] == "line 1: longer than 1048576 bytes",
                !readable,
                "{len} {:.80}",
                got[0]
            );
            assert!(got[1].contains("20131008-SPY-2"), "{}", got[1]);
        }
    }
}
