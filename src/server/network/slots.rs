//! Things with small numbers.

/// Keeps things under numbers that are used again once they are free.
#[derive(Debug)]
pub(super) struct Slots<T> {
    places: Vec<Option<Box<T>>>,
    free: Vec<usize>,
}

impl<T> Slots<T> {
    pub(super) fn new() -> Self {
        Slots { places: Vec::new(), free: Vec::new() }
    }

    /// The number that the next thing gets.
    pub(super) fn next_token(&self) -> usize {
        self.free.last().copied().unwrap_or(self.places.len())
    }

    /// Keeps a thing under [`Slots::next_token`].
    pub(super) fn insert(&mut self, thing: T) -> usize {
        let token = self.next_token();
        let thing = Box::new(thing);
        self.free.pop();
        match self.places.get_mut(token) {
            Some(place) => *place = Some(thing),
            None => self.places.push(Some(thing)),
        }
        token
    }

    pub(super) fn get_mut(&mut self, token: usize) -> Option<&mut T> {
        self.places.get_mut(token)?.as_deref_mut()
    }

    pub(super) fn remove(&mut self, token: usize) -> Option<T> {
        let thing = self.places.get_mut(token)?.take()?;
        self.free.push(token);
        Some(*thing)
    }

    /// The numbers that are in use.
    pub(super) fn tokens(&self) -> impl Iterator<Item = usize> + '_ {
        self.places.iter().enumerate().filter(|(_, place)| place.is_some()).map(|(token, _)| token)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.free.len() == self.places.len()
    }
}
