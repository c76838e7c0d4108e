//! docs/journal-format.md says what the code does.

use super::support::{Place, event, write};
use tradewind_domain::event::Kind;

const DOCUMENT: &str = include_str!("../../../../../docs/journal-format.md");

#[test]
fn the_documented_kinds_are_the_kinds() {
    let row = |kind: &Kind| (*kind as u16, kind.text(), kind.body_len(), kind.input_len());
    let documented: Vec<String> = DOCUMENT
        .lines()
        .skip_while(|line| *line != "## Kinds")
        .skip(6)
        .take_while(|line| line.starts_with('|'))
        .map(|line| line.split('|').map(str::trim).collect::<Vec<_>>())
        .map(|cells| [cells[1], cells[2], cells[4], cells[5]].join(" "))
        .collect();
    let kinds: Vec<String> = Kind::ALL
        .iter()
        .map(row)
        .map(|(number, text, body, input)| format!("{number} {text} {body} {input}"))
        .collect();
    let missing: Vec<_> = kinds.iter().filter(|kind| !documented.contains(kind)).collect();
    assert!(
        missing.is_empty() && documented.len() == kinds.len(),
        "not as documented: {missing:?}"
    );
}

/// Reads a journal by the document alone: no constant or function of the journal's code, only its numbers.
#[test]
fn a_reader_written_from_the_document_finds_every_record() {
    let place = Place::new();
    let (mut writer, handle) = place.start();
    write(&mut writer, 1..=1_000, 8);
    handle.stop().unwrap();
    let mut seqs = Vec::new();
    let mut chain = [0; 32];
    for index in 1u64.. {
        let Ok(mut bytes) = std::fs::read(place.segment(index)) else {
            break;
        };
        let (size, id) = (u64_at(&bytes, 56) as usize, bytes[16..32].to_vec());
        assert_eq!(
            (&bytes[..8], u64_at(&bytes, 48), bytes.len()),
            (&b"TWJOURN1"[..], index, size)
        );
        assert_eq!(crc32c::crc32c(&bytes[..84]), u32_at(&bytes, 84));
        let mut at = 4096;
        let mut ended = false;
        while !ended && u32_at(&bytes, at) != 0 {
            let len = u32_at(&bytes, at) as usize;
            let place = [
                &id[..],
                &index.to_le_bytes(),
                &(at as u32).to_le_bytes(),
                &(len as u32).to_le_bytes(),
            ];
            let seq = u64_at(&bytes, at + 8);
            let covered = [&place.concat()[..], &seq.to_le_bytes(), &bytes[at + 24..at + len]].concat();
            assert_eq!(crc32c::crc32c(&covered), u32_at(&bytes, at + 4));
            ended = bytes[at + 44..at + 46] == [0xff, 0xff];
            if !ended {
                assert_eq!(u64_at(&bytes, at + 24), event(seq).head.recv_ns);
                seqs.push(seq);
            }
            bytes[at + 16..at + 24].fill(0);
            at += len;
        }
        if ended {
            let seal = &bytes[size - 128..];
            assert_eq!(
                (&seal[..8], u64_at(seal, 8), u64_at(seal, 16)),
                (&b"TWSEALED"[..], index, at as u64)
            );
            assert_eq!(
                (u64_at(seal, 24), &seal[32..64]),
                (*seqs.last().unwrap(), &chain[..])
            );
            let hash = blake3::hash(&[&chain[..], &bytes[..at]].concat());
            assert_eq!(
                (&seal[64..96], u32_at(seal, 124)),
                (&hash.as_bytes()[..], crc32c::crc32c(&seal[..124]))
            );
            chain = *hash.as_bytes();
        }
    }
    assert_eq!(seqs, (1..=1_000).collect::<Vec<_>>());
    assert_ne!(chain, [0; 32], "at least one segment was sealed");
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap())
}
