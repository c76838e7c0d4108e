//! What speaks against an order, and which of it is said first.

use crate::limits::Measure;
use bytemuck::{Zeroable, bytes_of};
use tradewind_domain::codes::LimitAction;
use tradewind_domain::event::{Event, HitKind, LimitHit, Verdict};
use tradewind_domain::ids::{LimitId, NodeId};
use tradewind_domain::reject::{Note, RejectCode};
use tradewind_domain::text::Code;

/// Findings that are recorded for one event; what comes after them still counts for the verdict.
const HITS_MAX: usize = 20;

/// One finding.
#[derive(Clone, Copy)]
struct Finding {
    hit: LimitHit,
    /// Its place in the order of reasons as far as numbers go: priority, then narrower level, then code.
    rank: u32,
    code: RejectCode,
    node: NodeId,
    /// Label of the limit; codes without one come first.
    label: Code,
    /// True for a limit that changes the state of its node.
    acts: bool,
}

impl Finding {
    /// What is kept where not all can be: what is acted on before what is only told, refusals before warnings and alerts.
    fn weight(&self) -> (bool, bool) {
        (self.acts, self.hit.kind == HitKind::Refused as u8)
    }

    /// The order of reasons (LIMITS sections 5 and 14).
    #[inline]
    fn comes_before(&self, other: &Self) -> bool {
        self.rank < other.rank || self.rank == other.rank && self.label < other.label
    }
}

/// The place of a reason but for its label, as one number.
#[inline]
fn rank(priority: u8, level: u8, code: RejectCode) -> u32 {
    u32::from_be_bytes([0, priority, level, code.name_place()])
}

/// Why something is said of an event.
pub(super) struct Reason {
    kind: HitKind,
    code: RejectCode,
    /// The code whose place in the order of reasons it takes.
    ranks_as: RejectCode,
    /// The limit's node and label; nothing where no limit speaks.
    place: (NodeId, Code),
    /// True for a limit that changes the state of its node.
    acts: bool,
}

impl Reason {
    /// A refusal that changes no state.
    pub(super) fn refusal(code: RejectCode, place: (NodeId, Code)) -> Self {
        Self {
            kind: HitKind::Refused,
            code,
            ranks_as: code,
            place,
            acts: false,
        }
    }

    /// Of a limit that is broken and has this action, or that warns.
    pub(super) fn of(kind: HitKind, measure: &Measure, action: u8, place: (NodeId, Code)) -> Self {
        Self {
            kind,
            code: measure.code,
            ranks_as: measure.ranks_as,
            place,
            acts: kind != HitKind::Warned && action > LimitAction::Reject as u8,
        }
    }
}

/// The findings about one event; reused, so that looking at an order costs nothing where there are none.
pub(super) struct Findings {
    /// In the order in which they were found.
    kept: [Finding; HITS_MAX],
    count: usize,
    first: Option<Finding>,
}

impl Findings {
    pub(super) fn new() -> Self {
        let none = Finding {
            hit: LimitHit::zeroed(),
            rank: 0,
            code: RejectCode::Malformed,
            node: NodeId::NONE,
            label: Code::EMPTY,
            acts: false,
        };
        Self {
            kept: [none; HITS_MAX],
            count: 0,
            first: None,
        }
    }

    #[inline]
    pub(super) fn clear(&mut self) {
        self.count = 0;
        self.first = None;
    }

    /// A reason without a limit.
    #[inline]
    pub(super) fn refuse(&mut self, code: RejectCode) {
        let hit = LimitHit {
            limit: LimitId::NONE,
            ..LimitHit::zeroed()
        };
        self.hit(hit, &Reason::refusal(code, (NodeId::NONE, Code::EMPTY)));
    }

    /// A note that a limit of the chain may have refused for already, with its name: then the note is left out. A limit that only
    /// raises an alert takes nothing away from it.
    pub(super) fn refuse_unless_said(&mut self, notes: u64, note: Note) {
        let code = note.code();
        let said = self.kept[..self.count]
            .iter()
            .any(|finding| finding.code == code && finding.hit.kind == HitKind::Refused as u8);
        if notes & note.bit() != 0 && !said {
            self.refuse(code);
        }
    }

    /// The notes of earlier stages.
    #[inline]
    pub(super) fn refuse_notes(&mut self, notes: u64) {
        if notes != 0 {
            Note::ALL
                .iter()
                .filter(|note| notes & note.bit() != 0)
                .for_each(|note| self.refuse(note.code()));
        }
    }

    /// A reason of a limit, with what is recorded of it.
    #[cold]
    pub(super) fn hit(&mut self, hit: LimitHit, reason: &Reason) {
        let Reason { kind, code, .. } = *reason;
        let (node, label) = reason.place;
        let finding = Finding {
            hit: LimitHit {
                code: code as u16,
                kind: kind as u8,
                ..hit
            },
            rank: rank(reason.ranks_as.priority(), hit.level, code),
            code,
            node,
            label,
            acts: reason.acts,
        };
        if kind == HitKind::Refused && self.first.is_none_or(|first| finding.comes_before(&first)) {
            self.first = Some(finding);
        }
        if let Some(place) = self.kept.get_mut(self.count) {
            *place = finding;
            self.count += 1;
            return;
        }
        let least = self.kept.iter_mut().min_by_key(|kept| kept.weight());
        if let Some(place) = least.filter(|kept| kept.weight() < finding.weight()) {
            *place = finding;
        }
    }

    /// The reason that is given.
    #[inline]
    pub(super) fn code(&self) -> Option<RejectCode> {
        self.first.map(|first| first.code)
    }

    /// True where limits alone refuse, and each of them fulfils this.
    pub(super) fn refused_by_all(&self, is_one: impl Fn(LimitId) -> bool) -> bool {
        let kept = &self.kept[..self.count];
        let refused = |finding: &&Finding| finding.hit.kind == HitKind::Refused as u8;
        // More may have spoken than were kept.
        self.count < HITS_MAX
            && self.first.is_some()
            && kept
                .iter()
                .filter(refused)
                .all(|finding| is_one(finding.hit.limit))
    }

    /// Those that a refusal gives, in the order of reasons: a reject never sets an edge, so warnings are dropped. Returns their places
    /// in `kept` and their number.
    #[cold]
    fn reasons(&self) -> ([u8; HITS_MAX], usize) {
        let (mut places, mut count) = ([0; HITS_MAX], 0);
        let kept = |place: u8| &self.kept[usize::from(place)];
        for at in (0..self.count as u8).filter(|&at| kept(at).hit.kind == HitKind::Refused as u8) {
            let mut to = count;
            while to > 0 && kept(at).comes_before(kept(places[to - 1])) {
                places[to] = places[to - 1];
                to -= 1;
            }
            places[to] = at;
            count += 1;
        }
        (places, count)
    }

    /// Writes outcome and hits into the event and gives the verdict to put into its body.
    #[inline]
    pub(super) fn write(&mut self, event: &mut Event) -> Verdict {
        let mut verdict = Verdict::default();
        let mut record = |finding: &Finding| {
            let has_room = event.append_tail(bytes_of(&finding.hit));
            verdict.hits += u16::from(has_room);
            has_room
        };
        let Some(first) = &self.first else {
            self.kept[..self.count].iter().all(record);
            return verdict;
        };
        let (places, count) = self.reasons();
        let reasons = places[..count].iter();
        reasons.map(|&at| &self.kept[usize::from(at)]).all(&mut record);
        event.reject(first.code);
        if !first.hit.limit.is_none() {
            (verdict.limit, verdict.node) = (first.hit.limit, first.node);
            verdict.used = first.hit.used;
        }
        verdict
    }
}

/// The hits at the end of an event's tail.
pub fn hits(event: &Event, count: u16) -> impl Iterator<Item = LimitHit> + '_ {
    let tail = event.tail();
    let bytes = usize::from(count) * size_of::<LimitHit>();
    tail[tail.len().saturating_sub(bytes)..]
        .chunks_exact(size_of::<LimitHit>())
        .map(bytemuck::pod_read_unaligned)
}
