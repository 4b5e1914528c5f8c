//! Regions that do not reach each other, and do again.

use crdt_causal::quorum::majority;

use super::World;
use crate::trace::Happening;

impl World {
    /// Which group a machine is in, if servers are in these: clients are where their server is, and
    /// nowhere in particular if they roam.
    pub(super) fn group_of(&self, groups: &[usize], node: usize) -> Option<usize> {
        match node.checked_sub(groups.len()) {
            None => Some(groups[node]),
            Some(client) => {
                let client = &self.clients[client];
                (!client.roams).then(|| groups[client.home])
            }
        }
    }

    /// Whether the region of a server is in a group without a majority.
    pub(super) fn is_in_minority(&self, server: usize) -> bool {
        let group = self.groups[server];
        let members = self.groups.iter().filter(|other| **other == group).count();
        members < majority(self.groups.len())
    }

    /// From now on regions of different groups do not reach each other.
    pub(crate) fn cut(&mut self, groups: &[usize]) {
        let nodes = self.servers.len() + self.clients.len();
        let all: Vec<_> = (0..nodes).map(|node| self.group_of(groups, node)).collect();
        self.wires.cut(|a, b| matches!((all[a], all[b]), (Some(a), Some(b)) if a != b));
        self.groups = groups.to_vec();
        self.cut_at = self.now;
        if self.needs_majority {
            self.engine.partition(groups, self.now);
        }
        for (server, group) in groups.iter().enumerate() {
            self.wires.shoot(self.now, server, || Happening::Fault(format!("cut: group {group}")));
        }
    }

    /// Everybody reaches everybody.
    pub(crate) fn heal(&mut self) {
        self.wires.mend();
        self.groups = vec![0; self.servers.len()];
        self.engine.partition(&vec![0; self.servers.len()], self.now);
        for server in 0..self.servers.len() {
            self.wires.shoot(self.now, server, || Happening::Back);
        }
    }

    /// The connection between two regions is lost, and made again.
    pub(crate) fn reconnect(&mut self, a: usize, b: usize) {
        self.wires.reconnect(a, b);
        for (here, there) in [(a, b), (b, a)] {
            self.servers[here].connect(there, self.now);
            self.flush(here);
        }
    }

    /// All connections between regions have ended, and nobody can make another one.
    pub(crate) fn hang_up(&mut self) {
        for server in &mut self.servers {
            server.sessions.clear();
        }
    }
}
