//! What is on a disk, what is only in memory, and what a crash makes of it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::sys::{Rng, SeededRng};

/// A disk writes so many bytes whole or not at all.
pub(super) const SECTOR: usize = 512;

/// A file or a directory, whatever its name.
pub(super) type NodeId = u64;

/// The directory at the top.
pub(super) const ROOT: NodeId = 0;

/// A place for a name: a directory, and the name in it.
pub(super) type Place = (NodeId, String);

/// What becomes of that which was not synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Loss {
    /// It is all there, and safe.
    Nothing,
    /// It is all gone.
    Everything,
    /// Files have the names and the sizes that they had last, and zeros where bytes were not synced.
    Content,
    /// Bytes are there, while files have the names that were synced.
    Names,
    /// What chance decides, by this seed: of the changes of names the first few are there, as journals of file systems
    /// have it; of a file's bytes nothing, everything, the first few writes with the last of them torn, or some
    /// sectors, with one of the sizes that the file has had.
    Chance(u64),
    /// The same, but of the changes of names any may be missing whose lack the others do not show. No journal does
    /// that; whoever syncs directories between two steps need not care.
    Reordered(u64),
}

/// A change of a file's bytes.
#[derive(Clone)]
pub(super) enum Change {
    Write { position: usize, bytes: Arc<[u8]> },
    SetLen(usize),
}

impl fmt::Debug for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Change::Write { position, bytes } => write!(f, "{} bytes at {position}", bytes.len()),
            Change::SetLen(len) => write!(f, "length {len}"),
        }
    }
}

/// One operation that changes a disk, or makes it promise something.
#[derive(Clone, Debug)]
pub(super) enum Event {
    Make { place: Place, node: NodeId, is_dir: bool, now_ms: i64 },
    Link { place: Place, node: NodeId },
    Change { node: NodeId, change: Change, now_ms: i64 },
    SetModified { node: NodeId, modified_ms: i64 },
    Sync { node: NodeId },
    Rename { from: Place, to: Place },
    Remove { place: Place },
    SyncDir { node: NodeId },
}

#[derive(Clone, Debug)]
pub(super) enum Node {
    Dir,
    File(FileNode),
}

/// A file: as programs see it, as it was when it was last synced, and what happened since.
#[derive(Clone, Debug, Default)]
pub(super) struct FileNode {
    /// Shared with other disks until it is written to.
    pub(super) content: Arc<Vec<u8>>,
    pub(super) modified_ms: i64,
    synced: Arc<Vec<u8>>,
    unsynced: Vec<Change>,
}

/// A file, or a directory with all that is in it, apart from any disk. Its bytes are shared with the disks that have
/// them, until one of those writes to them.
#[derive(Clone)]
pub(super) enum Tree {
    Dir(BTreeMap<String, Tree>),
    File { content: Arc<Vec<u8>>, modified_ms: i64 },
}

impl fmt::Debug for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Tree::Dir(entries) => f.debug_map().entries(entries).finish(),
            Tree::File { content, .. } => write!(f, "{} bytes", content.len()),
        }
    }
}

/// A name that goes, a name that comes, or both at once.
#[derive(Clone, Debug)]
struct NameChange {
    node: NodeId,
    removed: Option<Place>,
    added: Option<Place>,
}

type Names = BTreeMap<Place, NodeId>;

/// A disk.
#[derive(Clone, Debug)]
pub(super) struct CrashDisk {
    nodes: BTreeMap<NodeId, Node>,
    names: Names,
    synced_names: Names,
    unsynced_names: Vec<NameChange>,
}

impl Change {
    fn apply(&self, content: &mut Vec<u8>) {
        match self {
            Change::Write { position, bytes } => overwrite(content, *position, bytes),
            Change::SetLen(len) => content.resize(*len, 0),
        }
    }
}

fn overwrite(content: &mut Vec<u8>, position: usize, bytes: &[u8]) {
    let end = position + bytes.len();
    if content.len() < end {
        content.resize(end, 0);
    }
    if let Some(place) = content.get_mut(position..end) {
        place.copy_from_slice(bytes);
    }
}

impl NameChange {
    fn places(&self) -> impl Iterator<Item = &Place> {
        self.removed.iter().chain(&self.added)
    }

    fn apply(&self, names: &mut Names) {
        if let Some(place) = &self.removed
            && names.get(place) == Some(&self.node)
        {
            names.remove(place);
        }
        if let Some(place) = &self.added {
            names.insert(place.clone(), self.node);
        }
    }

    /// Whether one of them cannot be there without the earlier one.
    fn depends_on(&self, earlier: &NameChange) -> bool {
        self.node == earlier.node || self.places().any(|place| earlier.places().any(|other| other == place))
    }
}

impl CrashDisk {
    /// An empty disk.
    pub(super) fn new() -> Self {
        CrashDisk {
            nodes: BTreeMap::from([(ROOT, Node::Dir)]),
            names: Names::new(),
            synced_names: Names::new(),
            unsynced_names: Vec::new(),
        }
    }

    pub(super) fn node(&self, id: NodeId) -> Option<&Node> {
        self.nodes.get(&id)
    }

    pub(super) fn file(&self, id: NodeId) -> Option<&FileNode> {
        match self.nodes.get(&id) {
            Some(Node::File(file)) => Some(file),
            Some(Node::Dir) | None => None,
        }
    }

    pub(super) fn at(&self, place: &Place) -> Option<NodeId> {
        self.names.get(place).copied()
    }

    /// The names in a directory, in order.
    pub(super) fn entries(&self, dir: NodeId) -> impl Iterator<Item = (&str, NodeId)> {
        let from = self.names.range((dir, String::new())..);
        from.take_while(move |((parent, _), _)| *parent == dir).map(|((_, name), node)| (&**name, *node))
    }

    /// What there is under a number, as programs see it.
    pub(super) fn tree(&self, id: NodeId) -> Tree {
        match self.file(id) {
            Some(file) => Tree::File { content: Arc::clone(&file.content), modified_ms: file.modified_ms },
            None => {
                let entries = self.entries(id).map(|(name, node)| (name.to_owned(), self.tree(node)));
                Tree::Dir(entries.collect())
            }
        }
    }

    /// A number that no file has had.
    pub(super) fn unused_id(&self) -> NodeId {
        self.nodes.keys().next_back().map_or(ROOT + 1, |last| last + 1)
    }

    pub(super) fn apply(&mut self, event: &Event) {
        match event {
            Event::Make { place, node, is_dir, now_ms } => {
                let made = match is_dir {
                    true => Node::Dir,
                    false => Node::File(FileNode { modified_ms: *now_ms, ..FileNode::default() }),
                };
                self.nodes.insert(*node, made);
                self.change_names(NameChange { node: *node, removed: None, added: Some(place.clone()) });
            }
            Event::Link { place, node } => {
                self.change_names(NameChange { node: *node, removed: None, added: Some(place.clone()) });
            }
            Event::Change { node, change, now_ms } => {
                if let Some(Node::File(file)) = self.nodes.get_mut(node) {
                    change.apply(Arc::make_mut(&mut file.content));
                    file.modified_ms = *now_ms;
                    file.unsynced.push(change.clone());
                }
            }
            Event::SetModified { node, modified_ms } => {
                if let Some(Node::File(file)) = self.nodes.get_mut(node) {
                    file.modified_ms = *modified_ms;
                }
            }
            Event::Sync { node } => {
                if let Some(Node::File(file)) = self.nodes.get_mut(node) {
                    for change in std::mem::take(&mut file.unsynced) {
                        change.apply(Arc::make_mut(&mut file.synced));
                    }
                }
            }
            Event::Rename { from, to } => {
                if let Some(node) = self.at(from) {
                    let (removed, added) = (Some(from.clone()), Some(to.clone()));
                    self.change_names(NameChange { node, removed, added });
                }
            }
            Event::Remove { place } => {
                if let Some(node) = self.at(place) {
                    self.change_names(NameChange { node, removed: Some(place.clone()), added: None });
                }
            }
            Event::SyncDir { node } => self.sync_dir(*node),
        }
    }

    fn change_names(&mut self, change: NameChange) {
        change.apply(&mut self.names);
        self.unsynced_names.push(change);
    }

    /// The changes of names in `dir` are there to stay, with those that they depend on.
    fn sync_dir(&mut self, dir: NodeId) {
        let mut synced: Vec<NameChange> = Vec::new();
        for change in std::mem::take(&mut self.unsynced_names).into_iter().rev() {
            let is_in_dir = change.places().any(|(parent, _)| *parent == dir);
            if is_in_dir || synced.iter().any(|later| later.depends_on(&change)) {
                synced.push(change);
            } else {
                self.unsynced_names.push(change);
            }
        }
        self.unsynced_names.reverse();
        for change in synced.iter().rev() {
            change.apply(&mut self.synced_names);
        }
    }

    /// Makes something at a place where nothing is, all of it synced.
    pub(super) fn plant(&mut self, place: Place, tree: &Tree) {
        let node = self.unused_id();
        let made = match tree {
            Tree::Dir(_) => Node::Dir,
            Tree::File { content, modified_ms } => {
                Node::File(FileNode::synced(Arc::clone(content), *modified_ms))
            }
        };
        self.nodes.insert(node, made);
        self.names.insert(place.clone(), node);
        self.synced_names.insert(place, node);
        if let Tree::Dir(entries) = tree {
            entries.iter().for_each(|(name, entry)| self.plant((node, name.clone()), entry));
        }
    }

    /// Removes what is at a place, which nobody has opened, as if it had never been there.
    pub(super) fn uproot(&mut self, place: &Place) {
        let Some(node) = self.at(place) else { return };
        let entries: Vec<Place> = self.entries(node).map(|(name, _)| (node, name.to_owned())).collect();
        entries.iter().for_each(|entry| self.uproot(entry));
        self.names.remove(place);
        self.synced_names.remove(place);
        self.unsynced_names.retain(|change| change.places().all(|changed| changed != place));
        let is_named = self.names.values().chain(self.synced_names.values()).any(|named| *named == node);
        if !is_named && !self.unsynced_names.iter().any(|change| change.node == node) {
            self.nodes.remove(&node);
        }
    }

    /// The disk that a crash leaves.
    pub(super) fn after_crash(&self, loss: Loss) -> CrashDisk {
        let rng = match loss {
            Loss::Chance(seed) | Loss::Reordered(seed) => SeededRng::new(seed),
            Loss::Nothing | Loss::Everything | Loss::Content | Loss::Names => SeededRng::new(0),
        };
        let names = self.names_after_crash(loss, &rng);
        let mut nodes = BTreeMap::from([(ROOT, Node::Dir)]);
        for id in names.values() {
            let left = match self.nodes.get(id) {
                Some(Node::File(file)) => Node::File(file.after_crash(loss, &rng)),
                Some(Node::Dir) => Node::Dir,
                None => continue,
            };
            nodes.insert(*id, left);
        }
        CrashDisk { nodes, synced_names: names.clone(), names, unsynced_names: Vec::new() }
    }

    fn names_after_crash(&self, loss: Loss, rng: &SeededRng) -> Names {
        let changes = &self.unsynced_names;
        let mut names = self.synced_names.clone();
        match loss {
            Loss::Nothing | Loss::Content => return self.names.clone(),
            Loss::Everything | Loss::Names => {}
            Loss::Chance(_) => {
                let kept = match below(rng, 4) {
                    0 => 0,
                    1 => changes.len(),
                    _ => below(rng, changes.len() + 1),
                };
                changes.iter().take(kept).for_each(|change| change.apply(&mut names));
            }
            Loss::Reordered(_) => {
                let mut missing: Vec<&NameChange> = Vec::new();
                for change in changes {
                    let must_go = missing.iter().any(|earlier| change.depends_on(earlier));
                    if must_go || below(rng, 3) == 0 {
                        missing.push(change);
                    } else {
                        change.apply(&mut names);
                    }
                }
            }
        }
        names
    }
}

impl FileNode {
    /// The file that a crash leaves.
    fn after_crash(&self, loss: Loss, rng: &SeededRng) -> FileNode {
        let content = match loss {
            Loss::Nothing | Loss::Names => Arc::clone(&self.content),
            Loss::Everything => Arc::clone(&self.synced),
            Loss::Content => {
                let mut content = Vec::clone(&self.synced);
                // What was cut off meanwhile does not come back.
                let cuts = self.unsynced.iter().filter(|change| matches!(change, Change::SetLen(_)));
                cuts.for_each(|cut| cut.apply(&mut content));
                content.resize(self.content.len(), 0);
                Arc::new(content)
            }
            Loss::Chance(_) | Loss::Reordered(_) => match below(rng, 4) {
                0 => Arc::clone(&self.synced),
                1 => Arc::clone(&self.content),
                2 => Arc::new(self.torn(rng)),
                _ => Arc::new(self.some_sectors(rng)),
            },
        };
        let modified_ms = self.modified_ms;
        FileNode::synced(content, modified_ms)
    }

    /// A file whose bytes are all there to stay.
    fn synced(content: Arc<Vec<u8>>, modified_ms: i64) -> FileNode {
        FileNode { synced: Arc::clone(&content), content, modified_ms, unsynced: Vec::new() }
    }

    /// The first few changes, and of the next one, if it is a write, the first few sectors.
    fn torn(&self, rng: &SeededRng) -> Vec<u8> {
        let whole = below(rng, self.unsynced.len() + 1);
        let mut content = Vec::clone(&self.synced);
        self.unsynced.iter().take(whole).for_each(|change| change.apply(&mut content));
        if let Some(Change::Write { position, bytes }) = self.unsynced.get(whole) {
            let sectors = sectors_of(*position, bytes);
            let kept = below(rng, sectors.len() + 1);
            sectors.iter().take(kept).for_each(|(at, part)| overwrite(&mut content, *at, part));
        }
        content
    }

    /// Each sector as any of the writes has left it, in a file of one of the sizes that it has had.
    fn some_sectors(&self, rng: &SeededRng) -> Vec<u8> {
        let mut content = Vec::clone(&self.synced);
        let mut now = Vec::clone(&self.synced);
        let mut lens = vec![now.len()];
        for change in &self.unsynced {
            change.apply(&mut now);
            lens.push(now.len());
            match change {
                Change::Write { position, bytes } => {
                    let sectors = sectors_of(*position, bytes).into_iter().filter(|_| below(rng, 2) == 0);
                    sectors.for_each(|(at, part)| overwrite(&mut content, at, part));
                }
                Change::SetLen(len) if *len < content.len() && below(rng, 2) == 0 => content.truncate(*len),
                Change::SetLen(_) => {}
            }
        }
        let len = lens.get(below(rng, lens.len())).copied().unwrap_or_default();
        content.resize(len, 0);
        content
    }
}

/// The parts of a write that lie in one sector each, with their positions.
fn sectors_of(position: usize, bytes: &[u8]) -> Vec<(usize, &[u8])> {
    let (mut at, mut rest) = (position, bytes);
    let mut sectors = Vec::new();
    while !rest.is_empty() {
        let (part, tail) = rest.split_at(rest.len().min(SECTOR - at % SECTOR));
        sectors.push((at, part));
        at += part.len();
        rest = tail;
    }
    sectors
}

/// A number below `limit`, which is not 0.
fn below(rng: &SeededRng, limit: usize) -> usize {
    let number = rng.next_u64() % limit as u64;
    usize::try_from(number).unwrap_or_default()
}
