//! What speaks against an order, and which of it is said first.

use bytemuck::{Zeroable, bytes_of};
use tradewind_domain::event::{Event, HitKind, LimitHit, Verdict};
use tradewind_domain::ids::{LimitId, NodeId};
use tradewind_domain::reject::{Note, RejectCode};

/// Limits that are recorded for one event; more are counted by the first ones only.
const HITS_MAX: usize = 16;

/// Order in which reasons are given: priority, then narrower level, then code, then limit (LIMITS sections 5 and 14).
type Rank = (u8, u8, u16, u32);

/// The findings about one event; reused, so that looking at an order costs nothing where there are none.
pub(super) struct Findings {
    hits: [LimitHit; HITS_MAX],
    hit_count: usize,
    first: Option<(Rank, RejectCode)>,
    first_hit: Option<(LimitId, NodeId, i128)>,
}

impl Findings {
    pub(super) fn new() -> Self {
        Self {
            hits: [LimitHit::zeroed(); HITS_MAX],
            hit_count: 0,
            first: None,
            first_hit: None,
        }
    }

    #[inline]
    pub(super) fn clear(&mut self) {
        self.hit_count = 0;
        self.first = None;
        self.first_hit = None;
    }

    /// A reason without a limit.
    #[inline]
    pub(super) fn refuse(&mut self, code: RejectCode) {
        let rank = (code.priority(), 0, code as u16, 0);
        if self.first.is_none_or(|(first, _)| rank < first) {
            self.first = Some((rank, code));
            self.first_hit = None;
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

    /// A limit that speaks.
    pub(super) fn hit(&mut self, kind: HitKind, hit: LimitHit, code: RejectCode, node: NodeId) {
        if kind == HitKind::Refused {
            let rank = (code.priority(), hit.level, code as u16, hit.limit.0);
            if self.first.is_none_or(|(first, _)| rank < first) {
                self.first = Some((rank, code));
                self.first_hit = Some((hit.limit, node, hit.used));
            }
        }
        if let Some(place) = self.hits.get_mut(self.hit_count) {
            *place = LimitHit {
                code: code as u16,
                kind: kind as u8,
                ..hit
            };
            self.hit_count += 1;
        }
    }

    /// The reason that is given.
    #[inline]
    pub(super) fn code(&self) -> Option<RejectCode> {
        self.first.map(|(_, code)| code)
    }

    /// Drops warnings: a reject never sets an edge.
    pub(super) fn drop_warnings(&mut self) {
        let mut kept = 0;
        for at in 0..self.hit_count {
            if self.hits[at].kind == HitKind::Refused as u8 {
                self.hits[kept] = self.hits[at];
                kept += 1;
            }
        }
        self.hit_count = kept;
    }

    /// Writes outcome and hits into the event and gives the verdict to put into its body.
    #[inline]
    pub(super) fn write(&mut self, event: &mut Event) -> Verdict {
        let mut verdict = Verdict::default();
        if let Some(code) = self.code() {
            self.drop_warnings();
            event.reject(code);
            if let Some((limit, node, used)) = self.first_hit {
                (verdict.limit, verdict.node, verdict.used) = (limit, node, used);
            }
        }
        for hit in &self.hits[..self.hit_count] {
            if !event.append_tail(bytes_of(hit)) {
                break;
            }
            verdict.hits += 1;
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
