//! The lots of a holding in the order of their unit cost: a treap inside the pool's rows.
//!
//! # Invariants
//! - In-order the tree is the order in which lots close: highest (or lowest) unit cost first, of equals the oldest.
//! - A row's cost and quantity change only while it is not in the tree.
//! - Priorities are a mix of the opening trade's number, so the shape follows from the lots alone and depth is logarithmic (expected;
//!   numbers are ours, nobody outside chooses them). The recursions are as deep as the tree.

use super::pool::{Lots, NIL};
use crate::wide::compare_products;
use std::cmp::Ordering;

/// A tree that is being changed.
pub(super) struct Highest<'a> {
    lots: &'a mut Lots,
    highest_first: bool,
}

/// The lot that closes first.
pub(super) fn first(lots: &Lots, root: u32) -> u32 {
    let mut at = root;
    while let Some(row) = lots.get(at) {
        if row.branches[0] == NIL {
            return at;
        }
        at = row.branches[0];
    }
    NIL
}

impl<'a> Highest<'a> {
    pub(super) fn new(lots: &'a mut Lots, highest_first: bool) -> Self {
        Self { lots, highest_first }
    }

    /// Puts a row into the tree; gives the new root.
    pub(super) fn insert(&mut self, root: u32, at: u32) -> u32 {
        if root == NIL {
            self.set_branches(at, [NIL; 2]);
            return at;
        }
        if self.priority(at) > self.priority(root) {
            let branches = self.split(root, at);
            self.set_branches(at, branches);
            return at;
        }
        let side = usize::from(self.closes_before(root, at));
        let child = self.insert(self.branch(root, side), at);
        self.set_branch(root, side, child);
        root
    }

    /// Takes a row out of the tree; gives the new root.
    pub(super) fn remove(&mut self, root: u32, at: u32) -> u32 {
        if root == NIL {
            return NIL;
        }
        if root == at {
            return self.join(self.branch(at, 0), self.branch(at, 1));
        }
        let side = usize::from(self.closes_before(root, at));
        let child = self.remove(self.branch(root, side), at);
        self.set_branch(root, side, child);
        root
    }

    /// What of a tree closes before a row, and what behind it.
    fn split(&mut self, root: u32, at: u32) -> [u32; 2] {
        if root == NIL {
            return [NIL; 2];
        }
        let before = self.closes_before(root, at);
        let side = usize::from(before);
        let mut parts = self.split(self.branch(root, side), at);
        self.set_branch(root, side, parts[1 - side]);
        parts[1 - side] = root;
        parts
    }

    /// Two trees as one; all of the first closes before all of the second.
    fn join(&mut self, before: u32, behind: u32) -> u32 {
        if before == NIL {
            return behind;
        }
        if behind == NIL {
            return before;
        }
        if self.priority(before) > self.priority(behind) {
            let child = self.join(self.branch(before, 1), behind);
            self.set_branch(before, 1, child);
            before
        } else {
            let child = self.join(before, self.branch(behind, 0));
            self.set_branch(behind, 0, child);
            behind
        }
    }

    fn closes_before(&self, one: u32, other: u32) -> bool {
        let (Some(a), Some(b)) = (self.lots.get(one), self.lots.get(other)) else {
            return false;
        };
        // cost(a) / qty(a) against cost(b) / qty(b), by cross multiplication: nothing is rounded.
        let by_cost = compare_products((a.cost.raw(), b.qty.raw()), (b.cost.raw(), a.qty.raw()));
        let by_method = if self.highest_first {
            by_cost.reverse()
        } else {
            by_cost
        };
        by_method.then((a.open, one).cmp(&(b.open, other))) == Ordering::Less
    }

    fn branch(&self, at: u32, side: usize) -> u32 {
        self.lots.get(at).map_or(NIL, |row| row.branches[side])
    }

    fn set_branch(&mut self, at: u32, side: usize, child: u32) {
        if let Some(row) = self.lots.get_mut(at) {
            row.branches[side] = child;
        }
    }

    fn set_branches(&mut self, at: u32, branches: [u32; 2]) {
        if let Some(row) = self.lots.get_mut(at) {
            row.branches = branches;
        }
    }

    fn priority(&self, at: u32) -> u64 {
        self.lots.get(at).map_or(0, |row| mix(row.open))
    }
}

/// A permutation of the 64-bit numbers that leaves no pattern of theirs (the finalizer of splitmix64).
fn mix(number: u64) -> u64 {
    let mut x = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}
