//! Where stages run: a list of threads, each with consecutive stages and perhaps a core.
//!
//! Written as `fused`, `split`, `staged`, or stage by stage: `ingest+normalize@1,validate+limit@2,settle+position+journal@3`.
//!
//! # Invariants
//! - All seven stages are there, once, in their order; a [`Topology`] that exists is valid.
//! - No two threads are pinned to the same core.
//!
//! Not here: whether the cores exist. That is known on the machine it runs on ([`crate::cores`]).

use std::fmt;
use std::str::FromStr;

/// A stage of the pipeline, its two ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum StageName {
    /// Merges the sources and gives sequence and time.
    Ingest,
    /// Text to ids.
    Normalize,
    /// Notes and market data.
    Validate,
    /// The limit check.
    Limit,
    /// Double entry.
    Settle,
    /// Positions.
    Position,
    /// Appends to the journal.
    Journal,
}

impl StageName {
    /// All of them, in the order in which an event visits them.
    pub const ALL: [StageName; 7] = [
        StageName::Ingest,
        StageName::Normalize,
        StageName::Validate,
        StageName::Limit,
        StageName::Settle,
        StageName::Position,
        StageName::Journal,
    ];

    /// The name in configuration and figures.
    pub const fn text(self) -> &'static str {
        match self {
            StageName::Ingest => "ingest",
            StageName::Normalize => "normalize",
            StageName::Validate => "validate",
            StageName::Limit => "limit",
            StageName::Settle => "settle",
            StageName::Position => "position",
            StageName::Journal => "journal",
        }
    }

    fn from_text(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.text() == text)
    }
}

impl fmt::Display for StageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.text())
    }
}

/// One thread: consecutive stages and the core it is pinned to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lane {
    first: StageName,
    last: StageName,
    core: Option<usize>,
}

impl Lane {
    /// Its stages, in order.
    pub fn stages(&self) -> &'static [StageName] {
        const ORDER: &[StageName] = &StageName::ALL;
        &ORDER[self.first as usize..=self.last as usize]
    }

    /// The core, or `None` where the system decides.
    pub fn core(&self) -> Option<usize> {
        self.core
    }
}

impl fmt::Display for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, stage) in self.stages().iter().enumerate() {
            write!(f, "{}{stage}", if index == 0 { "" } else { "+" })?;
        }
        self.core.map_or(Ok(()), |core| write!(f, "@{core}"))
    }
}

/// Which threads there are and what each of them runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topology {
    lanes: Vec<Lane>,
}

/// What is wrong with a topology as written. Positions are bytes from 0.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TopologyError {
    /// No such stage, nor such a preset.
    #[error(
        "at {at}: {text:?} is no stage; stages are ingest, normalize, validate, limit, settle, position, journal \
         (or write fused, split or staged alone)"
    )]
    UnknownStage {
        /// Where.
        at: usize,
        /// What stands there.
        text: String,
    },
    /// A stage out of order, twice or left out before this one.
    #[error("at {at}: found {found} where {expected} must stand: all seven stages, once, in their order")]
    OutOfOrder {
        /// Where.
        at: usize,
        /// The stage that stands there.
        found: StageName,
        /// The stage that comes next.
        expected: StageName,
    },
    /// More stages after the last one.
    #[error("at {at}: {found} after journal, which is the last")]
    AfterTheEnd {
        /// Where.
        at: usize,
        /// The stage that stands there.
        found: StageName,
    },
    /// The text ends too early.
    #[error("{stage} is missing at the end")]
    Missing {
        /// The first stage that is not there.
        stage: StageName,
    },
    /// A core that is no number.
    #[error("at {at}: {text:?} is no core number")]
    BadCore {
        /// Where.
        at: usize,
        /// What stands there.
        text: String,
    },
    /// Two threads on one core.
    #[error("core {core} is given to two threads")]
    CoreTwice {
        /// The core.
        core: usize,
    },
}

impl Topology {
    /// All stages on one thread.
    pub fn fused() -> Self {
        Self::of(&[StageName::Journal])
    }

    /// Two threads: up to validate, and from the limit check on.
    pub fn split() -> Self {
        Self::of(&[StageName::Validate, StageName::Journal])
    }

    /// Each stage on a thread of its own.
    pub fn staged() -> Self {
        Self::of(&StageName::ALL)
    }

    /// What fits a machine with so many cores: everything else in the process needs some, too.
    pub fn default_for(core_count: usize) -> Self {
        match core_count {
            0..=3 => Self::fused(),
            4..=11 => Self::split(),
            _ => Self::staged(),
        }
    }

    /// Lanes by the last stage of each.
    fn of(ends: &[StageName]) -> Self {
        let mut first = StageName::Ingest;
        let mut lanes = Vec::with_capacity(ends.len());
        for &last in ends {
            lanes.push(Lane {
                first,
                last,
                core: None,
            });
            first = next_stage(last).unwrap_or(last);
        }
        Self { lanes }
    }

    /// The same threads, pinned to these cores in order; those beyond the list stay unpinned.
    pub fn pinned(mut self, cores: &[usize]) -> Result<Self, TopologyError> {
        for (index, lane) in self.lanes.iter_mut().enumerate() {
            lane.core = cores.get(index).copied();
        }
        self.cores_differ()?;
        Ok(self)
    }

    /// The threads, in the order in which an event visits them.
    pub fn lanes(&self) -> &[Lane] {
        &self.lanes
    }

    fn cores_differ(&self) -> Result<(), TopologyError> {
        for (index, lane) in self.lanes.iter().enumerate() {
            let Some(core) = lane.core else { continue };
            if self.lanes[..index].iter().any(|other| other.core == Some(core)) {
                return Err(TopologyError::CoreTwice { core });
            }
        }
        Ok(())
    }
}

fn next_stage(stage: StageName) -> Option<StageName> {
    StageName::ALL.get(stage as usize + 1).copied()
}

impl fmt::Display for Topology {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, lane) in self.lanes.iter().enumerate() {
            write!(f, "{}{lane}", if index == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}

impl FromStr for Topology {
    type Err = TopologyError;

    fn from_str(text: &str) -> Result<Self, TopologyError> {
        match text.trim() {
            "fused" => return Ok(Self::fused()),
            "split" => return Ok(Self::split()),
            "staged" => return Ok(Self::staged()),
            _ => {}
        }
        let mut expected = Some(StageName::Ingest);
        let mut lanes = Vec::new();
        let mut at = 0;
        for part in text.split(',') {
            lanes.push(parse_lane(part, at, &mut expected)?);
            at += part.len() + 1;
        }
        if let Some(stage) = expected {
            return Err(TopologyError::Missing { stage });
        }
        let topology = Self { lanes };
        topology.cores_differ()?;
        Ok(topology)
    }
}

/// Reads `stage+stage@core`; `expected` is the stage that must come next, and moves on.
fn parse_lane(part: &str, at: usize, expected: &mut Option<StageName>) -> Result<Lane, TopologyError> {
    let (stages, core) = match part.split_once('@') {
        Some((stages, core)) => (stages, Some((core, at + stages.len() + 1))),
        None => (part, None),
    };
    let mut bounds: Option<(StageName, StageName)> = None;
    let mut at = at;
    for word in stages.split('+') {
        let found = StageName::from_text(word.trim()).ok_or_else(|| TopologyError::UnknownStage {
            at,
            text: word.trim().to_owned(),
        })?;
        match *expected {
            Some(expected) if expected == found => {}
            Some(expected) => return Err(TopologyError::OutOfOrder { at, found, expected }),
            None => return Err(TopologyError::AfterTheEnd { at, found }),
        }
        bounds = Some((bounds.map_or(found, |(first, _)| first), found));
        *expected = next_stage(found);
        at += word.len() + 1;
    }
    let core = match core {
        Some((text, at)) => Some(text.trim().parse().map_err(|_| TopologyError::BadCore {
            at,
            text: text.trim().to_owned(),
        })?),
        None => None,
    };
    // `split` yields at least one word, and a word that is no stage has returned.
    let (first, last) = bounds.unwrap_or((StageName::Ingest, StageName::Ingest));
    Ok(Lane { first, last, core })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LISTED: &str = "ingest+normalize@1,validate+limit@2,settle+position+journal@3";

    #[test]
    fn a_topology_written_out_reads_back() {
        for text in [LISTED, "ingest+normalize+validate+limit+settle+position+journal"] {
            assert_eq!(text.parse::<Topology>().unwrap().to_string(), text);
        }
        for preset in [Topology::fused(), Topology::split(), Topology::staged()] {
            assert_eq!(preset.to_string().parse::<Topology>().unwrap(), preset);
        }
        assert_eq!("split".parse::<Topology>().unwrap(), Topology::split());
        let spaced = LISTED.replace(',', " , ").replace('@', " @ ");
        assert_eq!(spaced.parse::<Topology>().unwrap().to_string(), LISTED);
    }

    #[test]
    fn lanes_cover_all_stages_in_order() {
        for count in [1, 4, 16] {
            let topology = Topology::default_for(count);
            let stages: Vec<_> = topology
                .lanes()
                .iter()
                .flat_map(|lane| lane.stages())
                .copied()
                .collect();
            assert_eq!(stages, StageName::ALL);
        }
    }

    #[test]
    fn an_error_says_where_and_what() {
        let cases = [
            ("", "at 0: \"\" is no stage"),
            ("ingest+norm", "at 7: \"norm\" is no stage"),
            ("ingest,limit", "at 7: found limit where normalize must stand"),
            ("ingest+ingest", "at 7: found ingest where normalize must stand"),
            ("ingest+normalize", "validate is missing at the end"),
            ("ingest@x,normalize", "at 7: \"x\" is no core number"),
            ("ingest@-1,normalize", "at 7: \"-1\" is no core number"),
        ];
        for (text, expected) in cases {
            let error = text.parse::<Topology>().unwrap_err().to_string();
            assert!(error.starts_with(expected), "{text}: {error}");
        }
        let error = format!("{LISTED},ingest").parse::<Topology>().unwrap_err();
        assert_eq!(
            error,
            TopologyError::AfterTheEnd {
                at: LISTED.len() + 1,
                found: StageName::Ingest
            }
        );
        let error = LISTED.replace("@3", "@1").parse::<Topology>().unwrap_err();
        assert_eq!(error, TopologyError::CoreTwice { core: 1 });
        assert_eq!(
            Topology::split().pinned(&[2, 2]),
            Err(TopologyError::CoreTwice { core: 2 })
        );
    }

    #[test]
    fn any_text_is_a_topology_or_an_error() {
        for text in [
            "@",
            ",",
            "+",
            "@1",
            "ingest@",
            "ingest@1@2",
            "é,ingest",
            "fused@1",
            "ingest+,",
        ] {
            assert!(text.parse::<Topology>().is_err(), "{text}");
        }
    }
}
