//! Finds the key that somebody meant.

/// The known key closest to `name`, if one is close enough to be what was meant.
pub(crate) fn among(name: &str, known: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    // Names from a file can be of any length; no key is that long.
    if name.len() > 100 {
        return None;
    }
    let limit = (name.len() / 4).max(2);
    let (distance, key) = known.map(|key| (distance(name, key), key)).min()?;
    (distance <= limit).then_some(key)
}

/// How many bytes have to be inserted, removed or replaced to make `a` of `b`.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.bytes().enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (j, y) in b.bytes().enumerate() {
            let above = row.get(j + 1).copied().unwrap_or(usize::MAX - 1);
            let cost = (diagonal + usize::from(x != y)).min(above + 1).min(left + 1);
            diagonal = above;
            if let Some(cell) = row.get_mut(j) {
                *cell = left;
            }
            left = cost;
        }
        if let Some(cell) = row.last_mut() {
            *cell = left;
        }
    }
    row.last().copied().unwrap_or(0)
}
