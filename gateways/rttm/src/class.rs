//! Classes of viewers: what those see who see the same.
//!
//! # Invariants
//! - An answer is kept only where the viewer that gave it was of the class before and after; where nobody of the class is left to
//!   ask, a row is not shown.

use crate::row::Owner;
use crate::viewer::Viewer;
use std::collections::HashMap;
use std::sync::Arc;

/// A class and the answers that are known.
pub(crate) struct Class {
    id: u64,
    viewer: Arc<dyn Viewer>,
    answers: HashMap<Owner, bool>,
}

impl Class {
    /// The class of a viewer.
    pub(crate) fn of(viewer: &Arc<dyn Viewer>) -> Self {
        Self {
            id: viewer.class(),
            viewer: Arc::clone(viewer),
            answers: HashMap::new(),
        }
    }

    /// Asks this viewer from now on.
    pub(crate) fn ask(&mut self, viewer: &Arc<dyn Viewer>) {
        self.viewer = Arc::clone(viewer);
    }

    /// Nodes were set: what is known may be another thing.
    pub(crate) fn forget(&mut self) {
        self.answers.clear();
    }

    /// Whether rows of an owner may be seen.
    pub(crate) fn sees(&mut self, owner: Owner) -> bool {
        if owner == Owner::Everybody {
            return true;
        }
        if let Some(known) = self.answers.get(&owner) {
            return *known;
        }
        let viewer = &self.viewer;
        if viewer.class() != self.id {
            return false;
        }
        let answer = match owner {
            Owner::Everybody => true,
            Owner::Node(node) => viewer.sees(node),
            Owner::Firm => viewer.sees_firm(),
            Owner::Nobody => viewer.is_operator(),
        };
        if viewer.class() != self.id {
            return false;
        }
        self.answers.insert(owner, answer);
        answer
    }
}
