use super::{Action, Cut, Plan, TrimmingPlan};

impl Plan {
    /// The plan as text that can be edited.
    ///
    /// # Panics
    ///
    /// Never: a plan has no map with keys that are not text.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("a plan is plain data")
    }

    /// Reads a plan.
    ///
    /// # Errors
    ///
    /// What is wrong with the text, or with the nodes and links that it names.
    pub fn from_json(text: &str) -> Result<Self, String> {
        let plan: Self = serde_json::from_str(text).map_err(|error| error.to_string())?;
        plan.validate()?;
        Ok(plan)
    }

    /// Whether every node and link that is named exists.
    fn validate(&self) -> Result<(), String> {
        let (nodes, links) = (self.nodes.len(), self.links.len());
        if nodes == 0 {
            return Err("a plan needs a node".into());
        }
        if let Some(TrimmingPlan { servers, horizon_ms }) = self.trimming
            && (servers == 0 || servers > nodes || horizon_ms == 0)
        {
            return Err("there are not so many servers".into());
        }
        if let Some(levels) = &self.levels
            && (levels.servers > nodes
                || levels.tell_ms == 0
                || levels.clients.is_empty()
                || levels
                    .clients
                    .iter()
                    .filter_map(|client| client.device)
                    .any(|node| node >= nodes))
        {
            return Err("there are no such servers, or devices".into());
        }
        let linked = self.links.iter().all(|[a, b]| *a < nodes && *b < nodes && a != b);
        let steps = self.steps.iter().all(|step| match &step.action {
            Action::Edit { node, .. }
            | Action::Burst { node, .. }
            | Action::Visit { node, .. }
            | Action::Compact { node }
            | Action::Crash { node, .. }
            | Action::Rot { node, .. }
            | Action::Pause { node, .. }
            | Action::ClockStep { node, .. }
            | Action::Backup { node }
            | Action::Restore { node, .. } => *node < nodes,
            Action::ClockDrift { node, ppm } => *node < nodes && ppm.abs() < 1_000_000,
            Action::Clone { from, to, .. } => *from < nodes && *to < nodes && from != to,
            Action::Clog { link, .. } | Action::Disconnect { link, .. } => *link < links,
            Action::Partition { cut, .. } => match cut {
                Cut::Symmetric(side) | Cut::Asymmetric(side) => side.iter().all(|n| *n < nodes),
                Cut::Partial(cut) => cut.iter().all(|link| *link < links),
            },
        });
        if linked && steps {
            Ok(())
        } else {
            Err("a node or link is named that is not there".into())
        }
    }
}
