//! Taking what goes wrong out of a request, and putting the answer to it into the answer to the rest.

/// A thing in a request whose answer has an error of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::server::api) enum Place<'a> {
    Partition(&'a str, i32),
    Topic(&'a str),
    Group(&'a str),
    TransactionalId(&'a str),
}

/// What is to go wrong.
pub(in crate::server::api) struct Selection<'a> {
    /// It is about topics and partitions, where a request has those as well as groups.
    pub(in crate::server::api) is_of_topics: bool,
    pub(in crate::server::api) means: &'a dyn Fn(Place<'_>) -> bool,
}

/// What of a request was taken out.
pub(in crate::server::api) enum Taken<R> {
    /// Nothing is meant.
    Nothing,
    /// This; the rest is in the request still.
    Part(R),
    /// The request can only go wrong as a whole.
    Whole,
    /// Nothing, since the others are served in its light: the handler refuses what is meant, by
    /// [`RequestContext::fault_of`](crate::server::api::request::RequestContext::fault_of).
    ByHandler,
}

/// The elements that are meant, which the list has no more.
pub(super) fn take_some<T>(list: &mut Vec<T>, is_meant: impl FnMut(&T) -> bool) -> Vec<T> {
    let (taken, left) = std::mem::take(list).into_iter().partition(is_meant);
    *list = left;
    taken
}

/// The topics with the partitions that are meant. A topic of which nothing is left is left out.
pub(super) fn take_partitions<T: Clone, P>(
    topics: &mut Vec<T>,
    partitions: fn(&mut T) -> &mut Vec<P>,
    is_meant: impl Fn(&T, &P) -> bool,
) -> Vec<T> {
    let mut taken = Vec::new();
    topics.retain_mut(|topic| {
        let mut all = std::mem::take(partitions(topic));
        let wrong = take_some(&mut all, |partition| is_meant(topic, partition));
        let is_spent = all.is_empty() && !wrong.is_empty();
        if !wrong.is_empty() {
            let mut other = topic.clone();
            *partitions(&mut other) = wrong;
            taken.push(other);
        }
        *partitions(topic) = all;
        !is_spent
    });
    taken
}

/// Puts partitions to those of the same topic.
pub(super) fn merge_partitions<T: Clone, P>(
    topics: &mut Vec<T>,
    added: &[T],
    partitions: fn(&mut T) -> &mut Vec<P>,
    is_same: impl Fn(&T, &T) -> bool,
) {
    for topic in added {
        let mut topic = topic.clone();
        match topics.iter_mut().find(|known| is_same(known, &topic)) {
            Some(known) => partitions(known).append(partitions(&mut topic)),
            None => topics.push(topic),
        }
    }
}

/// For requests whose answers have an error for each partition of each topic.
macro_rules! by_partition {
    (
        $topics:ident.$partitions:ident: |$t:ident, $p:ident| ($name:expr, $id:expr, $number:expr),
        $answers:ident.$of_partitions:ident: |$a:ident, $b:ident| $same:expr
        $(, then |$rest:ident| $then:expr)?
        $(, also $endpoints:ident)?
    ) => {
        fn take(&mut self, context: &RequestContext, selection: &Selection<'_>) -> Taken<Self> {
            let mut taken = self.clone();
            taken.$topics = take_partitions(&mut self.$topics, |topic| &mut topic.$partitions, |$t, $p| {
                (selection.means)(Place::Partition(&topic_name(context, $name, $id), $number))
            });
            if taken.$topics.is_empty() {
                return Taken::Nothing;
            }
            $({
                let $rest = self;
                $then;
            })?
            Taken::Part(taken)
        }

        fn is_spent(&self) -> bool {
            self.$topics.is_empty()
        }

        fn merge(response: &mut Self::Response, wrong: &Self::Response) {
            merge_partitions(&mut response.$answers, &wrong.$answers, |t| &mut t.$of_partitions, |$a, $b| $same);
            $(response.$endpoints.extend_from_slice(&wrong.$endpoints);)?
        }
    };
}

/// For requests whose answers have an error for each of the things that they list.
macro_rules! one_by_one {
    ($list:ident: |$one:ident| $place:expr, $answers:ident) => {
        fn take(&mut self, _: &RequestContext, selection: &Selection<'_>) -> Taken<Self> {
            let mut taken = self.clone();
            taken.$list = take_some(&mut self.$list, |$one| (selection.means)($place));
            if taken.$list.is_empty() { Taken::Nothing } else { Taken::Part(taken) }
        }

        fn is_spent(&self) -> bool {
            self.$list.is_empty()
        }

        fn merge(response: &mut Self::Response, wrong: &Self::Response) {
            response.$answers.extend_from_slice(&wrong.$answers);
        }
    };
}

/// The same where topics are within something else: an element of which nothing is left is left out.
pub(super) fn take_nested<O: Clone, T>(
    outer: &mut Vec<O>,
    topics: fn(&mut O) -> &mut Vec<T>,
    take: impl Fn(&mut Vec<T>) -> Vec<T>,
) -> Vec<O> {
    let mut taken = Vec::new();
    outer.retain_mut(|one| {
        let mut inner = std::mem::take(topics(one));
        let wrong = take(&mut inner);
        let is_spent = inner.is_empty() && !wrong.is_empty();
        if !wrong.is_empty() {
            let mut other = one.clone();
            *topics(&mut other) = wrong;
            taken.push(other);
        }
        *topics(one) = inner;
        !is_spent
    });
    taken
}

pub(super) use {by_partition, one_by_one};
