//! The document that is journaled: the compiled form, its source text, who wrote it and why.

use crate::compile::Compiled;
use crate::fields::RuleEvent;
use crate::program::{Action, DOCUMENT_MAX, FORMAT, Header, MAGIC, RuleCode, RuleRow};
use crate::verify::{Flaw, Sections, rows, verify};
use bytemuck::{Zeroable, bytes_of, cast_slice};
use tradewind_domain::text::{Code, Text};

/// Who puts rules into force, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Label {
    /// Who.
    pub author: Code,
    /// Why.
    pub reason: Text<96>,
}

/// Why rules cannot be packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// More bytes than a document may have.
    #[error("compiled rules and their source have {len} bytes together; at most {DOCUMENT_MAX} are possible")]
    TooLarge {
        /// Bytes that there are.
        len: usize,
    },
}

/// A rule as people name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RuleInfo {
    /// Its number in the document, from 1: what a record's head names.
    pub number: u8,
    /// What it is asked about.
    pub event: RuleEvent,
    /// What it does.
    pub action: Action,
    /// Name, code, text and line.
    pub row: RuleRow,
}

/// A document, read back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// Who and why.
    pub label: Label,
    /// The rules in their order.
    pub rules: Vec<RuleInfo>,
    /// The source text.
    pub source: Vec<u8>,
}

/// Packs compiled rules.
pub fn encode(compiled: &Compiled, label: Label) -> Result<Vec<u8>, DocumentError> {
    let (sections, total) = Sections::of(
        compiled.numbers.len(),
        compiled.texts.len(),
        compiled.rules.len(),
        compiled.code.len(),
        compiled.source.len(),
    );
    if total > DOCUMENT_MAX {
        return Err(DocumentError::TooLarge { len: total });
    }
    let header = Header {
        magic: MAGIC,
        format: FORMAT,
        total_len: total as u32,
        numbers: compiled.numbers.len() as u32,
        texts: compiled.texts.len() as u32,
        rules: compiled.rules.len() as u32,
        code: compiled.code.len() as u32,
        source_len: compiled.source.len() as u32,
        author: label.author,
        reason: label.reason,
        ..Header::zeroed()
    };
    let mut document = vec![0; total];
    document[..size_of::<Header>()].copy_from_slice(bytes_of(&header));
    document[sections.numbers].copy_from_slice(cast_slice(&compiled.numbers));
    document[sections.texts].copy_from_slice(cast_slice(&compiled.texts));
    document[sections.rows].copy_from_slice(cast_slice(&compiled.rows));
    document[sections.rules].copy_from_slice(cast_slice(&compiled.rules));
    document[sections.code].copy_from_slice(cast_slice(&compiled.code));
    document[sections.source].copy_from_slice(&compiled.source);
    Ok(document)
}

/// Reads a document, verified as a stage would.
pub fn decode(document: &[u8]) -> Result<Document, Flaw> {
    if document.len() > DOCUMENT_MAX {
        return Err(Flaw::Size);
    }
    let mut words = vec![0_u128; document.len().div_ceil(size_of::<u128>())];
    let aligned: &mut [u8] = bytemuck::cast_slice_mut(&mut words);
    let aligned = &mut aligned[..document.len()];
    aligned.copy_from_slice(document);
    let sections = verify(aligned)?;
    Ok(read(aligned, &sections))
}

/// Reads a verified document.
pub(crate) fn read(document: &[u8], sections: &Sections) -> Document {
    let header: Header = document
        .get(..size_of::<Header>())
        .map_or_else(Header::zeroed, bytemuck::pod_read_unaligned);
    Document {
        label: Label {
            author: Text::lossy(header.author.as_bytes()),
            reason: Text::lossy(header.reason.as_bytes()),
        },
        rules: infos(document, sections).collect(),
        source: document.get(sections.source.clone()).unwrap_or_default().to_vec(),
    }
}

/// The rules of a verified document; what is no printable text in a damaged one shows as `?`.
pub(crate) fn infos<'a>(document: &'a [u8], sections: &Sections) -> impl Iterator<Item = RuleInfo> + use<'a> {
    let codes = rows::<RuleCode>(document, &sections.rules);
    let names = rows::<RuleRow>(document, &sections.rows);
    let numbered = codes.iter().zip(names).zip(1..);
    numbered.filter_map(|((code, row), number)| {
        Some(RuleInfo {
            number,
            event: RuleEvent::from_number(code.event)?,
            action: Action::from_number(code.action)?,
            row: RuleRow {
                name: Text::lossy(row.name.as_bytes()),
                code: Text::lossy(row.code.as_bytes()),
                text: Text::lossy(row.text.as_bytes()),
                ..*row
            },
        })
    })
}
